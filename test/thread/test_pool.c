// The executor: every unit once, phases in order, bits that do not depend on threads, and the caller's floating-point
// mode.
#include "base/clock.h"
#include "base/rng.h"
#include "test.h"
#include "thread/pool.h"
#include <fenv.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <time.h>
#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

enum { MOST_UNITS = 512, MOST_PHASES = 300 };

// A phase that notes how often each unit ran, and that all units of the groups before it were done.
typedef struct Note {
    atomic_int *ran;  // (units)
    atomic_int *done; // units done in all groups
    int expected;     // of them when this phase's group begins
    int units;
    atomic_int early;
} Note;
static void note_unit(const void *arguments, char *const *bases, int64_t unit, void *scratch) {
    (void)bases, (void)scratch;
    Note *note = (Note *)(uintptr_t)arguments;
    if (atomic_load(note->done) < note->expected) atomic_store(&note->early, 1);
    atomic_fetch_add(&note->ran[unit], 1);
    atomic_fetch_add(note->done, 1);
}
typedef struct Notes {
    Phase phases[MOST_PHASES];
    Note notes[MOST_PHASES];
    atomic_int ran[MOST_PHASES][MOST_UNITS], done;
    int count, total;
} Notes;
static void make_notes(Notes *n, Rng *rng, int most_units) {
    memset(n, 0, sizeof *n);
    n->count = 1 + (int)rng_below(rng, MOST_PHASES);
    int group_begin = 0;
    for (int p = 0; p < n->count; p++) {
        const bool joins = p && rng_below(rng, 3) == 0;
        if (!joins) group_begin = n->total;
        const int units = rng_below(rng, 4) == 0 ? 0 : (int)rng_below(rng, (uint64_t)most_units);
        n->notes[p] = (Note){n->ran[p], &n->done, group_begin, units, 0};
        n->phases[p] = (Phase){note_unit, &n->notes[p], units, 0, joins, p};
        n->total += units;
    }
}
static void check_notes(const Notes *n) {
    CHECK_INT(n->done, n->total);
    for (int p = 0; p < n->count; p++) {
        CHECK_MSG(!n->notes[p].early, "phase %d began before the phases in front of it were done", p);
        for (int u = 0; u < MOST_UNITS; u++)
            CHECK_MSG(n->ran[p][u] == (u < n->notes[p].units), "phase %d unit %d ran %d times", p, u, n->ran[p][u]);
    }
}
static void run_notes(Pool *pool, Notes *n) {
    char *bases[BASE_EXTERNAL] = {0};
    CHECK_OK(pool_reserve(pool, n->count));
    pool_run(pool, n->phases, n->count, bases, NULL, 0, NULL);
}

TEST(every_unit_runs_once_behind_its_barrier) {
    static Notes notes;
    static const int threads[] = {1, 2, 3, 8};
    Rng rng;
    rng_seed(&rng, 1);
    for (size_t t = 0; t < COUNT_OF(threads); t++) {
        Pool *pool;
        CHECK_OK(pool_create(threads[t], &pool));
        CHECK_INT(pool_threads(pool), threads[t]);
        for (int i = 0; i < (threads[t] > 2 ? 6 : 12); i++) {
            make_notes(&notes, &rng, i % 2 ? 5 : 60);
            run_notes(pool, &notes);
            check_notes(&notes);
        }
        pool_destroy(pool);
    }
}
TEST(an_empty_run_does_nothing_and_the_next_one_works) {
    static Notes notes;
    Rng rng;
    rng_seed(&rng, 2);
    Pool *pool;
    CHECK_OK(pool_create(3, &pool));
    for (int i = 0; i < 50; i++) {
        char *bases[BASE_EXTERNAL] = {0};
        pool_run(pool, NULL, 0, bases, NULL, 0, NULL);
        pool_run(pool, NULL, 0, bases, NULL, 0, NULL);
        make_notes(&notes, &rng, 3);
        notes.count = MIN(notes.count, 5), notes.total = 0;
        for (int p = 0; p < notes.count; p++) notes.total += notes.notes[p].units;
        run_notes(pool, &notes);
        check_notes(&notes);
    }
    pool_destroy(pool);
}
TEST(workers_that_sleep_wake_again) {
    static Notes notes;
    Rng rng;
    rng_seed(&rng, 3);
    Pool *pool;
    CHECK_OK(pool_create(3, &pool));
    for (int i = 0; i < 20; i++) {
        nanosleep(&(struct timespec){0, 300000}, NULL); // longer than they spin
        make_notes(&notes, &rng, 4);
        run_notes(pool, &notes);
        check_notes(&notes);
    }
    pool_destroy(pool);
}
static double cpu_ms(void) {
    struct timespec used;
    REQUIRE(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used) == 0);
    return (double)used.tv_sec * 1e3 + (double)used.tv_nsec * 1e-6;
}
enum { IDLE_MS = 300 };
static void sleeping_unit(const void *arguments, char *const *bases, int64_t unit, void *scratch) {
    (void)arguments, (void)bases, (void)unit, (void)scratch;
    nanosleep(&(struct timespec){0, IDLE_MS * 1000000L}, NULL);
}
// Three workers that spun all the time would take 300 ms or more of some core's, however busy the machine is.
TEST(who_waits_takes_no_time) {
    static Notes notes;
    Rng rng;
    rng_seed(&rng, 5);
    Pool *pool;
    char *bases[BASE_EXTERNAL] = {0};
    CHECK_OK(pool_create(4, &pool));
    make_notes(&notes, &rng, 4);
    run_notes(pool, &notes);
    double before = cpu_ms();
    nanosleep(&(struct timespec){0, IDLE_MS * 1000000L}, NULL);
    CHECK_MSG(cpu_ms() - before < 0.1 * IDLE_MS, "between two runs: %g ms", cpu_ms() - before);
    const Phase phase = {sleeping_unit, NULL, 1, 0, false, 0};
    before = cpu_ms();
    pool_run(pool, &phase, 1, bases, NULL, 0, NULL);
    CHECK_MSG(cpu_ms() - before < 0.1 * IDLE_MS, "at a barrier: %g ms", cpu_ms() - before);
    pool_destroy(pool);
}
// Scratch: each worker has its own, nobody uses another's at the same time.
typedef struct Busy {
    atomic_int used[8];
    atomic_int clash, outside;
    char *scratch;
    size_t stride;
    int workers;
} Busy;
static void busy_unit(const void *arguments, char *const *bases, int64_t unit, void *scratch) {
    (void)bases, (void)unit;
    Busy *busy = (Busy *)(uintptr_t)arguments;
    const size_t at = (size_t)((char *)scratch - busy->scratch);
    if (at % busy->stride || at / busy->stride >= (size_t)busy->workers) {
        atomic_store(&busy->outside, 1);
        return;
    }
    atomic_int *used = &busy->used[at / busy->stride];
    if (atomic_fetch_add(used, 1)) atomic_store(&busy->clash, 1);
    sched_yield();
    atomic_fetch_sub(used, 1);
}
TEST(each_worker_has_its_own_scratch) {
    static char memory[3 * 128];
    Busy busy = {.scratch = memory, .stride = 128, .workers = 3};
    const Phase phase = {busy_unit, &busy, 500, 128, false, 0};
    char *bases[BASE_EXTERNAL] = {0};
    Pool *pool;
    CHECK_OK(pool_create(3, &pool));
    CHECK_OK(pool_reserve(pool, 1));
    pool_run(pool, &phase, 1, bases, memory, 128, NULL);
    CHECK(!busy.clash);
    CHECK(!busy.outside);
    pool_destroy(pool);
}
TEST(times_are_added_to_the_steps) {
    static Notes notes;
    Rng rng;
    rng_seed(&rng, 4);
    make_notes(&notes, &rng, 20);
    for (int p = 0; p < notes.count; p++) notes.phases[p].step = p % 2, notes.phases[p].joins_previous = false;
    for (int threads = 1; threads <= 3; threads++) {
        StepTime times[3] = {{5, 0}, {5, 0}, {5, 0}};
        char *bases[BASE_EXTERNAL] = {0};
        Pool *pool;
        CHECK_OK(pool_create(threads, &pool));
        CHECK_OK(pool_reserve(pool, notes.count));
        pool_run(pool, notes.phases, notes.count, bases, NULL, 0, times);
        CHECK(times[0].ns > 5);
        CHECK(times[1].ns > 5);
        CHECK_INT(times[2].ns, 5);
        pool_destroy(pool);
    }
}

// A step has at least the time of each of its units, also when the caller wakes late and others have done them all.
typedef struct Took {
    _Atomic uint64_t longest;
} Took;
static void clocked_unit(const void *arguments, char *const *bases, int64_t unit, void *scratch) {
    (void)bases, (void)scratch, (void)unit;
    Took *took = (Took *)(uintptr_t)arguments;
    const uint64_t start = clock_ns();
    while (clock_ns() - start < 20000) sched_yield();
    const uint64_t now = clock_ns() - start;
    if (now > atomic_load(&took->longest)) atomic_store(&took->longest, now); // a lost one does no harm
}
TEST(a_step_has_the_time_of_its_units) {
    enum { STEPS = 200 };
    static Took took[STEPS];
    static Phase phases[STEPS];
    static StepTime times[STEPS];
    char *bases[BASE_EXTERNAL] = {0};
    Pool *pool;
    for (int i = 0; i < STEPS; i++) phases[i] = (Phase){clocked_unit, &took[i], 2, 0, false, i};
    CHECK_OK(pool_create(4, &pool)); // more than many machines have
    CHECK_OK(pool_reserve(pool, STEPS));
    pool_run(pool, phases, STEPS, bases, NULL, 0, times);
    for (int i = 0; i < STEPS; i++)
        CHECK_MSG(times[i].ns >= took[i].longest, "step %d: %llu ns, a unit of it %llu ns", i,
                  (unsigned long long)times[i].ns, (unsigned long long)took[i].longest);
    pool_destroy(pool);
}

// One worker has a unit that takes long, the others have nothing: they wait for it, and one thread alone never waits.
static void long_unit(const void *arguments, char *const *bases, int64_t unit, void *scratch) {
    (void)arguments, (void)bases, (void)scratch, (void)unit;
    const uint64_t start = clock_ns();
    while (clock_ns() - start < 2000000) sched_yield();
}
TEST(waiting_threads_are_counted) {
    const Phase phase = {long_unit, NULL, 1, 0, false, 0};
    char *bases[BASE_EXTERNAL] = {0};
    for (int threads = 1; threads <= 3; threads++) {
        StepTime time = {0, 0};
        Pool *pool;
        CHECK_OK(pool_create(threads, &pool));
        CHECK_OK(pool_reserve(pool, 1));
        for (int run = 0; run < 20; run++) pool_run(pool, &phase, 1, bases, NULL, 0, &time);
        CHECK(time.ns >= 40000000);
        CHECK(time.waiting <= (uint64_t)(threads - 1) * time.ns);
        // A thread that comes late finds the unit done, and waits less: not in all runs.
        CHECK(threads == 1 || time.waiting > 0);
        pool_destroy(pool);
    }
}

// 1/3 rounded to nearest, and half of the smallest normal number kept.
typedef struct Mode {
    float third[64], subnormal[64];
} Mode;
static volatile float one = 1, three = 3, smallest = 1.17549435e-38f, half = 0.5f;
static void mode_unit(const void *arguments, char *const *bases, int64_t unit, void *scratch) {
    (void)bases, (void)scratch;
    Mode *mode = (Mode *)(uintptr_t)arguments;
    mode->third[unit] = -one / three;
    mode->subnormal[unit] = smallest * half;
    sched_yield(); // let the other workers have some
}
TEST(rounding_is_set_and_given_back) {
    const float third = -one / three, subnormal = smallest * half;
    CHECK(subnormal > 0);
    for (int threads = 1; threads <= 3; threads++) {
        Pool *pool;
        static Mode mode;
        memset(&mode, 0, sizeof mode);
        const Phase phase = {mode_unit, &mode, 64, 0, false, 0};
        char *bases[BASE_EXTERNAL] = {0};
        fesetround(FE_DOWNWARD); // workers inherit it
#if defined(__x86_64__)
        _mm_setcsr(_mm_getcsr() | 0x8040); // results and operands that are subnormal become 0
#endif
        CHECK_OK(pool_create(threads, &pool));
        CHECK_OK(pool_reserve(pool, 1));
        pool_run(pool, &phase, 1, bases, NULL, 0, NULL);
        CHECK_INT(fegetround(), FE_DOWNWARD);
#if defined(__x86_64__)
        CHECK_INT(_mm_getcsr() & 0x8040, 0x8040);
        _mm_setcsr(_mm_getcsr() & ~0x8040u);
#endif
        fesetround(FE_TONEAREST);
        for (int i = 0; i < 64; i++) {
            CHECK(mode.third[i] == third);
            CHECK(mode.subnormal[i] == subnormal);
        }
        pool_destroy(pool);
    }
}

TEST(wrong_numbers_of_threads_are_refused) {
    Pool *pool = (Pool *)&one;
    CHECK_INT(pool_create(0, &pool), ST_USAGE);
    CHECK(!pool);
    CHECK_INT(pool_create(-1, &pool), ST_USAGE);
    CHECK_INT(pool_create(1025, &pool), ST_USAGE);
    CHECK(strstr(error_message(), "1025"));
    pool_destroy(NULL);
    CHECK(cpus_allowed() >= 1);
}
TEST(no_memory_for_a_pool) {
    for (int64_t n = 0;; n++) {
        Pool *pool;
        mem_fail_after(n);
        Status status = pool_create(3, &pool);
        if (status == ST_OK) status = pool_reserve(pool, 10);
        mem_fail_after(-1);
        pool_destroy(pool);
        if (status == ST_OK) break;
        CHECK_INT(status, ST_RESOURCE);
        REQUIRE(n < 20);
    }
}
TEST(a_thread_that_cannot_start_gives_a_status) {
    // 8 MB of stack each do not fit into the address space that is left.
    struct rlimit limit;
    REQUIRE(getrlimit(RLIMIT_AS, &limit) == 0);
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    test_skip("a sanitizer needs its address space");
#endif
    if (test_emulated()) test_skip("an emulator does not hold a program to its address space");
    const rlim_t before = limit.rlim_cur;
    limit.rlim_cur = 200 << 20;
    REQUIRE(setrlimit(RLIMIT_AS, &limit) == 0);
    Pool *pool;
    const Status status = pool_create(200, &pool);
    limit.rlim_cur = before;
    setrlimit(RLIMIT_AS, &limit);
    CHECK_INT(status, ST_RESOURCE);
    CHECK(!pool);
    CHECK_MSG(strstr(error_message(), "of 200") != NULL, "got '%s'", error_message());
    CHECK_OK(pool_create(2, &pool));
    pool_destroy(pool);
}

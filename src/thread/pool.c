// See pool.h. Each worker walks the whole list of phases; a barrier separates phases that depend on each other.
#define _GNU_SOURCE
#include "thread/pool.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/memory.h"
#include <errno.h>
#include <fenv.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>
#if defined(__linux__)
#include <linux/futex.h>
#include <sys/syscall.h>
#endif
#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

enum { SPIN_NS = 50000, CACHE_LINE = 64 };

typedef struct Worker {
    pthread_t thread;
    Pool *pool;
    int index;
    uint64_t arrived; // at the last barrier, where times are taken
} Worker;

struct Pool {
    int threads;
    Worker *workers;
    // The run in progress.
    const Phase *phases;
    int count;
    char *const *bases;
    char *scratch;
    size_t scratch_stride;
    StepTime *times;
    uint64_t since; // when the last barrier was passed
    // [phase][worker]: the units that are left of a worker's share, next | end << 32 in one word, so that owner and
    // thief take one with a single compare-and-swap.
    _Atomic uint64_t *ranges;
    size_t ranges_capacity;
    bool quit;
    _Alignas(CACHE_LINE) _Atomic uint32_t generation; // of runs: workers wait for it to change
    _Alignas(CACHE_LINE) _Atomic uint32_t arrived;    // at the current barrier
    _Alignas(CACHE_LINE) _Atomic uint32_t passed;     // barriers passed
    _Atomic uint32_t sleepers;
};

static void relax(void) {
#if defined(__x86_64__)
    _mm_pause();
#endif
}
#if defined(__linux__)
static void sleep_while(_Atomic uint32_t *word, uint32_t value) {
    syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
}
static void wake_all(_Atomic uint32_t *word) { syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT32_MAX, NULL, NULL, 0); }
#else
static void sleep_while(_Atomic uint32_t *word, uint32_t value) {
    if (atomic_load(word) == value) sched_yield();
}
static void wake_all(_Atomic uint32_t *word) { (void)word; }
#endif

// Waits until *word differs from value: spins for SPIN_NS, then sleeps.
static void wait_while(Pool *pool, _Atomic uint32_t *word, uint32_t value) {
    uint64_t start = 0;
    for (int spins = 0; atomic_load_explicit(word, memory_order_acquire) == value; spins++) {
        relax();
        if (spins % 64) continue;
        uint64_t now = clock_ns();
        if (!start) start = now;
        if (now - start < SPIN_NS) continue;
        atomic_fetch_add(&pool->sleepers, 1);
        if (atomic_load(word) == value) sleep_while(word, value);
        atomic_fetch_sub(&pool->sleepers, 1);
    }
}
static void set_word(Pool *pool, _Atomic uint32_t *word, uint32_t value) {
    atomic_store(word, value);
    if (atomic_load(&pool->sleepers)) wake_all(word);
}
// What passed since the last barrier goes to the step of `phase`. By who arrives last, and before the others go on: a
// thread that wakes late would count what the others have done meanwhile to the step before.
static void take_time(Pool *pool, const Phase *phase, int worker) {
    if (!pool->times) return;
    StepTime *time = &pool->times[phase->step];
    const uint64_t now = clock_ns();
    for (int i = 0; i < pool->threads; i++)
        if (i != worker) time->waiting += now - pool->workers[i].arrived;
    time->ns += now - pool->since;
    pool->since = now;
}
// Behind `phase`.
static void barrier(Pool *pool, const Phase *phase, int worker) {
    if (pool->threads == 1) return take_time(pool, phase, worker);
    if (pool->times) pool->workers[worker].arrived = clock_ns();
    uint32_t round = atomic_load(&pool->passed);
    if (atomic_fetch_add(&pool->arrived, 1) + 1 == (uint32_t)pool->threads) {
        take_time(pool, phase, worker);
        atomic_store(&pool->arrived, 0);
        set_word(pool, &pool->passed, round + 1);
    } else {
        wait_while(pool, &pool->passed, round);
    }
}

// Takes one unit of a range; -1 when it is empty.
static int64_t take(_Atomic uint64_t *range) {
    uint64_t old = atomic_load_explicit(range, memory_order_relaxed);
    for (;;) {
        uint32_t next = (uint32_t)old, end = (uint32_t)(old >> 32);
        if (next >= end) return -1;
        if (atomic_compare_exchange_weak_explicit(range, &old, old + 1, memory_order_acq_rel, memory_order_relaxed))
            return next;
    }
}
// Runs units of phase p: first the worker's own range, then what the others have left.
static void run_phase(Pool *pool, int p, int worker, void *scratch) {
    const Phase *phase = &pool->phases[p];
    for (int turn = 0; turn < pool->threads; turn++) {
        _Atomic uint64_t *range = &pool->ranges[p * pool->threads + (worker + turn) % pool->threads];
        for (int64_t unit; (unit = take(range)) >= 0;) phase->run(phase->arguments, pool->bases, unit, scratch);
    }
}
static void run_all(Pool *pool, int worker) {
    void *scratch = pool->scratch + (size_t)worker * pool->scratch_stride;
    const int count = pool->count; // the caller may begin the next run while a worker leaves the last barrier
    for (int p = 0; p < count; p++) {
        run_phase(pool, p, worker, scratch);
        if (p + 1 < count && pool->phases[p + 1].joins_previous) continue;
        barrier(pool, &pool->phases[p], worker);
    }
}

// Rounding to nearest, subnormals kept: the arithmetic that the plan was checked with.
typedef struct FloatMode {
    fenv_t saved;
} FloatMode;
static void float_mode_enter(FloatMode *mode) {
    fegetenv(&mode->saved);
    fesetenv(FE_DFL_ENV);
}
static void float_mode_leave(const FloatMode *mode) { fesetenv(&mode->saved); }

static void *worker_main(void *argument) {
    Worker *worker = argument;
    Pool *pool = worker->pool;
    fesetenv(FE_DFL_ENV);
    for (uint32_t seen = 0;; seen++) {
        wait_while(pool, &pool->generation, seen);
        if (pool->quit) return NULL;
        run_all(pool, worker->index);
    }
}

int cpus_allowed(void) {
#if defined(__linux__)
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0) return MAX(CPU_COUNT(&set), 1);
#endif
    long count = sysconf(_SC_NPROCESSORS_ONLN);
    return count > 0 ? (int)count : 1;
}
Status pool_create(int threads, Pool **out) {
    *out = NULL;
    FAIL_IF(threads < 1 || threads > 1024, ST_USAGE, "threads: expected 1 to 1024, got %d", threads);
    Pool *pool = pages_alloc(sizeof *pool, 64);
    if (!pool) return fail_memory(sizeof *pool);
    pool->workers = mem_zero((size_t)threads, sizeof *pool->workers);
    if (!pool->workers) {
        pages_free(pool, sizeof *pool);
        return fail_memory((size_t)threads * sizeof *pool->workers);
    }
    pool->threads = 1;
    for (int i = 1; i < threads; i++) {
        Worker *worker = &pool->workers[i];
        worker->pool = pool, worker->index = i;
        int error = fault_here(FAULT_THREAD) ? EAGAIN : pthread_create(&worker->thread, NULL, worker_main, worker);
        if (error) {
            pool_destroy(pool);
            return fail(ST_RESOURCE, "cannot start thread %d of %d: %s", i + 1, threads, strerror(error));
        }
        pool->threads = i + 1;
    }
    *out = pool;
    return ST_OK;
}
void pool_destroy(Pool *pool) {
    if (!pool) return;
    pool->quit = true;
    set_word(pool, &pool->generation, atomic_load(&pool->generation) + 1);
    wake_all(&pool->generation);
    for (int i = 1; i < pool->threads; i++) pthread_join(pool->workers[i].thread, NULL);
    mem_free((void *)pool->ranges);
    mem_free(pool->workers);
    pages_free(pool, sizeof *pool);
}
int pool_threads(const Pool *pool) { return pool->threads; }

Status pool_reserve(Pool *pool, int phases) {
    size_t words;
    if (!mul_size((size_t)phases, (size_t)pool->threads, &words)) return fail_memory(SIZE_MAX);
    if (words <= pool->ranges_capacity) return ST_OK;
    void *grown = mem_resize((void *)pool->ranges, words * sizeof *pool->ranges);
    if (!grown) return fail_memory(words * sizeof *pool->ranges);
    pool->ranges = grown;
    pool->ranges_capacity = words;
    return ST_OK;
}

static void share_out(Pool *pool) {
    for (int p = 0; p < pool->count; p++)
        for (int w = 0; w < pool->threads; w++) {
            uint64_t units = (uint64_t)pool->phases[p].units;
            uint64_t first = units * (uint64_t)w / (uint64_t)pool->threads;
            uint64_t end = units * (uint64_t)(w + 1) / (uint64_t)pool->threads;
            atomic_store_explicit(&pool->ranges[p * pool->threads + w], first | end << 32, memory_order_relaxed);
        }
}
void pool_run(Pool *pool, const Phase *phases, int count, char *const *bases, void *scratch, size_t scratch_stride,
              StepTime *times) {
    FloatMode mode;
    if (count < 1) return; // without a barrier at its end a run could be missed by a worker
    float_mode_enter(&mode);
    pool->phases = phases, pool->count = count, pool->bases = bases;
    pool->scratch = scratch, pool->scratch_stride = scratch_stride, pool->times = times;
    share_out(pool);
    if (times) pool->since = clock_ns();
    if (pool->threads > 1) set_word(pool, &pool->generation, atomic_load(&pool->generation) + 1);
    run_all(pool, 0);
    float_mode_leave(&mode);
}

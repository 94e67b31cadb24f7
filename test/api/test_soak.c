// Soak: many slices through one session, one program, one folder after the other. Memory, file descriptors and threads
// stay what they were after the warm-up, and a slice gives the same bits whatever ran before it. Time is not judged
// here: bench/soak.py prints it.
#include "app/pictures.h"
#include "base/hash.h"
#include "base/rng.h"
#include "package/make_package.h"
#include <dirent.h>
#include <malloc.h>
#include <pthread.h>
#include <unistd.h>

#ifdef __GLIBC__
#if __GLIBC_PREREQ(2, 33)
#define HAS_MALLINFO2
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
enum { SANITIZED = 1 }; // freed memory is held back for a while, so that its size says nothing
#else
enum { SANITIZED = 0 };
#endif
// Also an emulator's memory is its own: translated code, and the guest's.
static bool memory_tells(void) { return !SANITIZED && !test_emulated(); }
static int soak_count(int most, int few) { return !test_long() ? few : SANITIZED ? most / 10 : most; }

// ---- what the process holds

typedef struct Held {
    int64_t address_kb, resident_kb; // without what is shared: mapped files, the program itself
    int64_t heap_bytes;              // what malloc has given out; 0 where that cannot be asked
    int files, threads;
} Held;
// One heap for all threads: else each of them reserves 64 MB of addresses when it first allocates.
static void begin_soak(void) {
    own_home();
#if defined(__GLIBC__)
    mallopt(M_ARENA_MAX, 1);
#endif
}
static int count_entries(const char *folder) {
    int count = 0;
    DIR *dir = opendir(folder);
    REQUIRE(dir);
    while (readdir(dir)) count++;
    closedir(dir);
    return count;
}
// What malloc keeps for later is given back first: where its free blocks lie depends on the calls before.
static Held held_now(void) {
#ifdef __GLIBC__
    malloc_trim(0);
#endif
    long long size, resident, shared;
    FILE *file = fopen("/proc/self/statm", "r");
    REQUIRE(file && fscanf(file, "%lld %lld %lld", &size, &resident, &shared) == 3);
    fclose(file);
    const int64_t page_kb = sysconf(_SC_PAGESIZE) / 1024;
    Held held = {.address_kb = size * page_kb, .resident_kb = (resident - shared) * page_kb};
#ifdef HAS_MALLINFO2
    held.heap_bytes = (int64_t)mallinfo2().uordblks;
#endif
    held.files = count_entries("/proc/self/fd"), held.threads = count_entries("/proc/self/task");
    return held;
}
// A thread that was joined is seen for a moment still.
static void wait_for_threads(int most) {
    for (int i = 0; i < 1000 && count_entries("/proc/self/task") > most; i++) usleep(1000);
}
// The growth that is allowed. Address space too: memory that was mapped and never touched is a leak as well.
static void check_held(const char *what, const Held *before, int64_t resident_kb, int64_t address_kb,
                       int64_t heap_bytes) {
    wait_for_threads(before->threads);
    const Held now = held_now();
    printf("%s: resident %+lld KB, address space %+lld KB, heap %+lld bytes, %d files, %d threads\n", what,
           (long long)(now.resident_kb - before->resident_kb), (long long)(now.address_kb - before->address_kb),
           (long long)(now.heap_bytes - before->heap_bytes), now.files, now.threads);
    CHECK_INT(now.files, before->files);
    CHECK_MSG(now.threads <= before->threads, "%s: %d threads became %d", what, before->threads, now.threads);
    if (!memory_tells()) return;
    CHECK_MSG(now.resident_kb - before->resident_kb <= resident_kb, "%s: resident memory grew", what);
    CHECK_MSG(now.address_kb - before->address_kb <= address_kb, "%s: the address space grew", what);
    CHECK_MSG(now.heap_bytes - before->heap_bytes <= heap_bytes, "%s: the heap grew", what);
}

// ---- runs

// Fast solvers, memory shared by several values, and a step of the reference path (Pad by reflection), which allocates.
static const char network[] = "graph (%x: float32[1x3x24x24]) -> (%y) {\n"
                              " %w = const float32[8x3x3x3] random(seed=1, scale=0.3)\n"
                              " %v = const float32[8x16x3x3] random(seed=2, scale=0.1)\n"
                              " %u = const float32[8x8x2x2] random(seed=3, scale=0.3)\n"
                              " %l = const float32[2x8x1x1] random(seed=4)\n"
                              " %pads = const int64[8] {0, 0, 1, 1, 0, 0, 1, 1}\n"
                              " %p = Pad (%x, %pads) {mode=\"reflect\"}\n"
                              " %a = Conv (%p, %w)\n"
                              " %r = Relu (%a)\n"
                              " %m = MaxPool (%r) {kernel_shape=[2, 2], strides=[2, 2]}\n"
                              " %t = ConvTranspose (%m, %u) {strides=[2, 2]}\n"
                              " %c = Concat (%t, %r) {axis=1}\n"
                              " %d = Conv (%c, %v) {pads=[1, 1, 1, 1]}\n"
                              " %e = Relu (%d)\n"
                              " %o = Conv (%e, %l)\n"
                              " %y = Softmax (%o) {axis=1}\n"
                              "}\n";
enum { SLICES = 8, IN = 3 * 24 * 24, OUT = 2 * 24 * 24 };
static float slices[SLICES][IN], answers[SLICES][OUT];

static void run_once(stent_session *session, int slice, float *out) {
    stent_tensor x = {STENT_FLOAT32, 4, {1, 3, 24, 24}, slices[slice]}, y = {STENT_FLOAT32, 4, {1, 2, 24, 24}, out};
    memset(out, 0xff, OUT * sizeof *out);
    if (stent_run(session, &x, 1, &y, 1) != STENT_OK) test_failed(__FILE__, __LINE__, "%s", stent_message());
}
// Random slices of very different sizes of values, one of zeros; the answers by a fresh session each.
static void make_slices(stent_executable *net) {
    Rng rng;
    rng_seed(&rng, 7);
    for (int s = 1; s < SLICES; s++)
        for (int i = 0; i < IN; i++) slices[s][i] = (float)(rng_normal(&rng) * (s % 3 ? 1 : 1000));
    for (int s = 0; s < SLICES; s++) {
        stent_session *session;
        REQUIRE(stent_session_create(net, &session) == STENT_OK);
        run_once(session, s, answers[s]);
        stent_session_destroy(session);
    }
}
static stent_executable *open_net(const char *path) {
    stent_executable *net;
    stent_options options = STENT_OPTIONS(stent_options);
    options.threads = 2;
    if (stent_open(path, &options, &net) != STENT_OK)
        test_failed(__FILE__, __LINE__, "%s", stent_message()), test_end();
    return net;
}
// In an order by chance: nothing may depend on what ran before. Gives the number of runs with other bits.
static int run_many(stent_session *session, int count, uint64_t seed) {
    float out[OUT];
    Rng rng;
    int wrong = 0;
    rng_seed(&rng, seed);
    for (int i = 0; i < count; i++) {
        const int slice = (int)rng_below(&rng, SLICES);
        run_once(session, slice, out);
        wrong += memcmp(out, answers[slice], sizeof out) != 0;
    }
    return wrong;
}
// 20,000 runs that lose 8 bytes each would make 156 KB of resident memory; 64 KB are left to the stacks of the threads.
// The heap stands still but for a block of malloc's own (656 bytes) that each thread gets when it first allocates.
TEST(one_session_stays_as_it_is) {
    begin_soak();
    stent_executable *net = open_net(make_package("net.stent", network));
    stent_session *session;
    make_slices(net);
    REQUIRE(stent_session_create(net, &session) == STENT_OK);
    CHECK_INT(run_many(session, 100, 1), 0);
    const Held before = held_now();
    CHECK_INT(run_many(session, soak_count(20000, 500), 2), 0);
    check_held("runs", &before, 64, 64, 2048);
    stent_session_destroy(session);
    stent_release(net);
}
typedef struct Runner {
    stent_session *session;
    int count, wrong;
    uint64_t seed;
} Runner;
static void *run_beside(void *argument) {
    Runner *runner = argument;
    runner->wrong = run_many(runner->session, runner->count, runner->seed);
    return NULL;
}
static void run_pair(Runner runners[2], int count) {
    pthread_t threads[2];
    for (int i = 0; i < 2; i++) {
        runners[i].count = count, runners[i].seed += 2;
        REQUIRE(pthread_create(&threads[i], NULL, run_beside, &runners[i]) == 0);
    }
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
        CHECK_INT(runners[i].wrong, 0);
    }
}
TEST(two_sessions_side_by_side_stay_as_they_are) {
    begin_soak();
    stent_executable *net = open_net(make_package("net.stent", network));
    Runner runners[2] = {{.seed = 1}, {.seed = 2}};
    make_slices(net);
    for (int i = 0; i < 2; i++) REQUIRE(stent_session_create(net, &runners[i].session) == STENT_OK);
    run_pair(runners, 100);
    const Held before = held_now();
    run_pair(runners, soak_count(10000, 250));
    check_held("two sessions", &before, 64, 64, 4096);
    for (int i = 0; i < 2; i++) stent_session_destroy(runners[i].session);
    stent_release(net);
}

// ---- opening

static void open_and_run(const char *path) {
    stent_session *session;
    stent_executable *net = open_net(path);
    REQUIRE(stent_session_create(net, &session) == STENT_OK);
    CHECK_INT(run_many(session, 2, 3), 0);
    stent_session_destroy(session);
    stent_release(net);
}
// 500 openings that lose a page each would make 2 MB, that lose a smallest block of the heap 16 KB.
TEST(opening_and_closing_leaves_nothing) {
    begin_soak();
    const char *path = make_package("net.stent", network);
    stent_executable *net = open_net(path);
    make_slices(net);
    stent_release(net);
    for (int i = 0; i < 20; i++) open_and_run(path);
    const Held before = held_now();
    for (int i = 0; i < 500; i++) open_and_run(path);
    check_held("openings", &before, 256, 256, 2048);
}

// ---- segment

enum { KINDS = 16 }; // different pictures

// Two sizes, in turns of 25 pictures, so that the network is planned again and again.
static int64_t side_of(int i) { return i / 25 % 2 ? 24 : 16; }
static void write_pictures(const char *folder, int count) {
    CHECK_OK(folder_make(folder));
    for (int i = 0; i < count; i++) {
        char name[32];
        const int kind = i * 7 % KINDS;
        snprintf(name, sizeof name, "%d.tif", i);
        write_square(in_folder(folder, name), side_of(i), (uint8_t)(kind * 5), kind % 4, 8 + kind / 4);
    }
}
static void hash_mask(const char *folder, int i, char hex[65]) {
    char path[4096];
    uint8_t *bytes;
    size_t size;
    snprintf(path, sizeof path, "%s/%d.png", folder, i);
    CHECK_OK(file_read(path, 1 << 20, &bytes, &size));
    sha256_hex(bytes, size, hex);
    mem_free(bytes);
}
// The masks of equal pictures are equal, in each call.
static void check_masks(const char *folder, int count, char kinds[2][KINDS][65]) {
    for (int i = 0; i < count; i++) {
        char hex[65], *known = kinds[side_of(i) == 24][i * 7 % KINDS];
        hash_mask(folder, i, hex);
        if (!*known) memcpy(known, hex, sizeof hex);
        else CHECK_MSG(!strcmp(known, hex), "picture %d has another mask than before", i);
    }
}
typedef struct Watched { // one call, watched from its progress callback
    Held early;
    int64_t heap_growth;
    int count;
} Watched;
static int watch(void *context, const char *stage, double done, double total) {
    Watched *watched = context;
    (void)stage;
    watched->count++;
    if (done == 50) watched->early = held_now(); // both sizes have been seen
    if (done == total - 1) watched->heap_growth = held_now().heap_bytes - watched->early.heap_bytes;
    return 0;
}
// shard: the call takes all pictures, in two halves one after the other, or at once.
static void segment_folder(const char *package, const char *folder, const char *output, int shards, Watched *watched) {
    for (int shard = 1; shard <= shards; shard++) {
        stent_segment_options options = STENT_OPTIONS(stent_segment_options);
        options.common.threads = 2, options.threshold = -1, options.output = output;
        options.common.progress = watch, options.common.progress_context = watched;
        options.shard = shard, options.shards = shards;
        if (stent_segment(package, &folder, 1, &options, NULL) != STENT_OK)
            test_failed(__FILE__, __LINE__, "%s", stent_message());
    }
}
// In all 20,000 pictures. A call keeps a line of results for each of its pictures until it ends: below 1 KB. After it
// nothing stays. What malloc keeps of freed blocks for later counts as given out; it is full after a few calls, at some
// 20 KB. 64 KB are 3 bytes a picture (256 KB of resident memory, which has holes between blocks: 13). The heap may
// reach 4 MB further, with nothing in it; a mapping that is lost with every picture would take 80.
TEST(segment_leaves_nothing) {
    begin_soak();
    const int count = soak_count(2000, 60), calls = MAX(2, soak_count(10, 4));
    static char kinds[2][KINDS][65];
    const char *pictures = test_temp("pictures"), *output = test_temp("masks");
    const char *package =
        compile_to("net.stent", identity_net("net.onnx", "1,1,H,W"), "{\"input\": {\"normalise\": \"zscore\"}}");
    Held before = {0};
    write_pictures(pictures, count);
    for (int call = -3; call < calls; call++) { // three to warm up
        Watched watched = {0};
        if (call == 0) before = held_now();
        segment_folder(package, pictures, output, call % 2 ? 2 : 1, &watched);
        check_masks(output, count, kinds);
        CHECK(watched.count >= count);
        if (call % 2 == 0)
            CHECK_MSG(watched.heap_growth <= 1024 * (int64_t)count, "a call grew by %lld bytes for %d pictures",
                      (long long)watched.heap_growth, count);
    }
    if (test_long()) check_held("segment", &before, 256, 4096, 64 << 10);
    else check_held("segment", &before, 256, 512, 16 << 10);
}

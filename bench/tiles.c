// What a product of AMX tiles takes beside loads from each cache, and with zeros and other numbers: the figures of
// "AMX: what limits it" in docs/PERFORMANCE.md.
//
//     stent-tiles
// Best of some rounds on one core, nanoseconds and cycles a product; cycles of a clock that dependent additions count
// before each round, which under AMX is higher than the one that tiles get. Exit status 0; 5 where the machine has no
// AMX.
#include "base/clock.h"
#include "base/memory.h"
#include "kernel/kernel.h"
#include <immintrin.h>
#include <stdio.h>

enum { TILE = 1024, BYTES = 64 << 20, ROUNDS = 9, REPEATS = 20000 };

static double nanoseconds_of(void (*run)(const char *data, int64_t bytes), const char *data, int64_t bytes) {
    double best = 1e30;
    for (int r = 0; r < ROUNDS; r++) {
        const uint64_t start = clock_ns();
        run(data, bytes);
        const double ns = (double)(clock_ns() - start);
        best = ns < best ? ns : best;
    }
    return best / REPEATS;
}
static double gigahertz(void) {
    enum { ADDS = 4000000 };
    double best = 1e30;
    for (int r = 0; r < ROUNDS; r++) {
        const uint64_t start = clock_ns();
        for (uint64_t i = 0, x = 0; i < ADDS; i++) __asm__ volatile("add $1, %0" : "+r"(x));
        const double ns = (double)(clock_ns() - start);
        best = ns < best ? ns : best;
    }
    return ADDS / best;
}

#define LOAD(tile, from) _tile_loadd(tile, from, 64)
#define PRODUCTS                                                                                                       \
    do {                                                                                                               \
        _tile_dpbf16ps(0, 4, 6);                                                                                       \
        _tile_dpbf16ps(1, 4, 7);                                                                                       \
        _tile_dpbf16ps(2, 5, 6);                                                                                       \
        _tile_dpbf16ps(3, 5, 7);                                                                                       \
    } while (0)
#define LOADS(two)                                                                                                     \
    do {                                                                                                               \
        LOAD(6, data + at);                                                                                            \
        LOAD(7, data + at + TILE);                                                                                     \
        if (!(two)) LOAD(4, data + at + 2 * TILE);                                                                     \
        if (!(two)) LOAD(5, data + at + 3 * TILE);                                                                     \
        at += 4 * TILE;                                                                                                \
        if (at + 4 * TILE > bytes) at = 0;                                                                             \
    } while (0)
static void first_tiles(const char *data) {
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    LOAD(4, data);
    LOAD(5, data + TILE);
    LOAD(6, data + 2 * TILE);
    LOAD(7, data + 3 * TILE);
}
static void products(const char *data, int64_t bytes) {
    (void)bytes;
    first_tiles(data);
    for (int i = 0; i < REPEATS; i++) PRODUCTS;
}
static void one_chain(const char *data, int64_t bytes) {
    (void)bytes;
    first_tiles(data);
    for (int i = 0; i < REPEATS; i++)
        for (int k = 0; k < 4; k++) _tile_dpbf16ps(0, 4, 6);
}
static void loads(const char *data, int64_t bytes) {
    int64_t at = 0;
    for (int i = 0; i < REPEATS; i++) LOADS(false);
}
static void products_and_two(const char *data, int64_t bytes) {
    int64_t at = 0;
    first_tiles(data);
    for (int i = 0; i < REPEATS; i++) {
        LOADS(true);
        PRODUCTS;
    }
}
static void products_and_four(const char *data, int64_t bytes) {
    int64_t at = 0;
    first_tiles(data);
    for (int i = 0; i < REPEATS; i++) {
        LOADS(false);
        PRODUCTS;
    }
}

int main(void) {
    static const struct {
        const char *name;
        void (*run)(const char *data, int64_t bytes);
        bool needs_data;
    } loops[] = {{"four products", products, false},
                 {"four products, one chain", one_chain, false},
                 {"four loads", loads, true},
                 {"four products, two loads", products_and_two, true},
                 {"four products, four loads", products_and_four, true}};
    static const struct {
        const char *name;
        int64_t bytes;
    } places[] = {{"L1", 4 * TILE}, {"L2", 768 << 10}, {"L3", BYTES}};
    const Kernels *kernels = kernels_for(ISA_AMX);
    uint16_t *data = pages_alloc(BYTES, 4096);
    if (!kernels || !data) {
        fprintf(stderr, "stent-tiles: %s\n", kernels ? "no memory" : "this machine has no AMX");
        return 5;
    }
    kernels->amx_begin();
    for (int filled = 0; filled < 2; filled++) {
        // bf16 of both signs around 1.
        uint32_t state = 1;
        for (int64_t i = 0; i < BYTES / 2; i++) {
            state = state * 1664525u + 1013904223u;
            data[i] = filled ? (uint16_t)((state >> 16 & 0x8000) | 0x3c00 | (state >> 20 & 0x3ff)) : 0;
        }
        const double clock = gigahertz();
        printf("%s, %.2f GHz\n", filled ? "numbers" : "zeros", clock);
        for (size_t l = 0; l < sizeof loops / sizeof *loops; l++)
            for (size_t p = 0; p < (loops[l].needs_data ? 3 : 1); p++) {
                const double ns = nanoseconds_of(loops[l].run, (const char *)data, places[p].bytes) / 4;
                printf("    %-26s %-3s %6.2f ns  %6.1f cycles each\n", loops[l].name,
                       loops[l].needs_data ? places[p].name : "", ns, ns * clock);
            }
    }
    kernels->amx_end();
    pages_free(data, BYTES);
    return 0;
}

#include "measure/peaks.h"
#include "base/clock.h"
#include "base/memory.h"
#include <math.h>

// One unit a thread. Pool ranges give each worker its own unit first, and a unit is long against the stealing of
// another.
typedef struct Burst {
    const Kernels *kernels;
    int64_t depth, repeats; // peak
    int64_t count;          // bandwidth: floats of each array in a part
    int64_t passes;
    float *data; // bandwidth: threads x 3 x count
} Burst;

static void peak_unit(const void *arguments, char *const *bases, int64_t unit, void *scratch) {
    (void)bases, (void)unit;
    const Burst *burst = arguments;
    const Kernels *k = burst->kernels;
    const int columns = GEMM_MAX_VECTORS * k->lanes;
    float *w = scratch, *c = w + burst->depth * columns, *a = c + GEMM_MAX_ROWS * columns;
    static const int32_t offset[1] = {0};
    // Numbers that are neither zero nor grow: zeros are faster on some machines.
    for (int64_t i = 0; i < burst->depth * columns; i++) w[i] = 0.5f + 0.001f * (float)(i % 97);
    GemmKeptKernel *kept = k->gemm_kept[GEMM_MAX_VECTORS][k->rows]; // where there is one it does most products
    for (int64_t i = 0; i < burst->depth * k->rows * (kept ? k->lanes : 1); i++)
        a[i] = 0.25f - 0.002f * (float)(i % 89);
    for (int64_t r = 0; r < burst->repeats; r++)
        if (kept) kept(a, w, burst->depth, c, columns, 0, (const char *)w);
        else
            k->gemm[GEMM_MAX_VECTORS][k->rows](1, offset, a, burst->depth, w, burst->depth, c, columns, 0,
                                               (const char *)w);
}
// Products of bf16 tiles as conv_amx makes them: three a pair of values, all operands in the first cache.
static void tiles_unit(const void *arguments, char *const *bases, int64_t unit, void *scratch) {
    enum { TILE = AMX_TILE_PIXELS * AMX_PIXEL_BYTES, PARTS = 2, TILES = AMX_MAX_TILES / GEMM_MAX_VECTORS };
    (void)bases, (void)unit;
    static const int32_t offset[1] = {0};
    const Burst *burst = arguments;
    const AmxPixels pixels = {AMX_PIXEL_BYTES, TILE, TILES * TILE, 0, 1, offset};
    char *a = scratch, *w = a + PARTS * TILES * TILE;
    float *c = (float *)(w + burst->depth * PARTS * GEMM_MAX_VECTORS * TILE);
    for (uint16_t *x = scratch; x < (uint16_t *)c; x++) *x = (uint16_t)(0x3f00 + (x - (uint16_t *)scratch) % 97);
    burst->kernels->amx_begin();
    for (int64_t r = 0; r < burst->repeats; r++)
        burst->kernels->amx[PARTS][TILES][GEMM_MAX_VECTORS](&pixels, a, burst->depth, w, c, 32, false, NULL);
    burst->kernels->amx_end();
}
// Runs the phase `rounds` times; least seconds.
static double best_time(Pool *pool, const Phase *phase, void *scratch, size_t stride, int rounds) {
    double best = INFINITY;
    char *bases[BASE_EXTERNAL] = {NULL};
    for (int r = 0; r < rounds; r++) {
        const uint64_t start = clock_ns();
        pool_run(pool, phase, 1, bases, scratch, stride, NULL);
        best = MIN(best, clock_ms_since(start) * 1e-3);
    }
    return best;
}
// flop: of one repeat of one thread.
static Status measure_burst(Burst burst, UnitFunction *run, double flop, Pool *pool, double *gflops) {
    const int threads = pool_threads(pool);
    const size_t stride = 32768, bytes = stride * (size_t)threads;
    Phase phase = {.run = run, .arguments = &burst, .units = threads, .scratch = stride};
    void *scratch = pages_alloc(bytes, 4096);
    if (!scratch) return fail_memory(bytes);
    Status status = pool_reserve(pool, 1);
    if (status == ST_OK) {
        // Repeats for about 4 ms, from a first guess; then the best of several.
        const double once = best_time(pool, &phase, scratch, stride, 3) / (double)burst.repeats;
        burst.repeats = MAX((int64_t)(4e-3 * measuring_effort / MAX(once, 1e-9)), 64);
        *gflops = flop * threads * (double)burst.repeats / best_time(pool, &phase, scratch, stride, 8) * 1e-9;
    }
    pages_free(scratch, bytes);
    return status;
}
Status measure_peak(const Kernels *kernels, Pool *pool, double *gflops) {
    const Burst burst = {.kernels = kernels, .depth = 64, .repeats = 64};
    const double flop = 2.0 * (double)burst.depth * kernels->rows * GEMM_MAX_VECTORS * kernels->lanes;
    return measure_burst(burst, peak_unit, flop, pool, gflops);
}

struct Yardstick {
    Pool *pool;
    Burst burst;
    Phase phase;
    void *scratch;
    size_t stride, bytes;
};
Status yardstick_open(const Kernels *kernels, int threads, double ms, Yardstick **out) {
    Yardstick *y = *out = mem_zero(1, sizeof *y);
    if (!y) return fail_memory(sizeof *y);
    y->stride = 32768, y->bytes = y->stride * (size_t)threads;
    y->burst = (Burst){.kernels = kernels, .depth = 64, .repeats = 64};
    y->phase = (Phase){.run = peak_unit, .arguments = &y->burst, .units = threads, .scratch = y->stride};
    y->scratch = pages_alloc(y->bytes, 4096);
    Status status = y->scratch ? pool_create(threads, &y->pool) : fail_memory(y->bytes);
    if (status == ST_OK) status = pool_reserve(y->pool, 1);
    if (status == ST_OK) {
        const double once = best_time(y->pool, &y->phase, y->scratch, y->stride, 3) / (double)y->burst.repeats;
        y->burst.repeats = MAX((int64_t)(1e-3 * ms / MAX(once, 1e-9)), 64);
        return ST_OK;
    }
    yardstick_close(y), *out = NULL;
    return status;
}
double yardstick_ms(Yardstick *y) { return 1e3 * best_time(y->pool, &y->phase, y->scratch, y->stride, 1); }
void yardstick_close(Yardstick *y) {
    if (!y) return;
    pool_destroy(y->pool);
    if (y->scratch) pages_free(y->scratch, y->bytes);
    mem_free(y);
}

Status measure_tiles(const Kernels *kernels, Pool *pool, double *gflops) {
    const Burst burst = {.kernels = kernels, .depth = 3, .repeats = 64};
    const double pairs = AMX_MAX_TILES * AMX_TILE_PIXELS * 16.0 * AMX_CHANNELS;
    *gflops = 0;
    return kernels->amx_begin ? measure_burst(burst, tiles_unit, 3 * 2 * pairs * (double)burst.depth, pool, gflops)
                              : ST_OK;
}

static void bandwidth_unit(const void *arguments, char *const *bases, int64_t unit, void *scratch) {
    (void)bases, (void)scratch;
    const Burst *burst = arguments;
    float *a = burst->data + unit * 3 * burst->count, *b = a + burst->count, *out = b + burst->count;
    for (int64_t pass = 0; pass < burst->passes; pass++)
        burst->kernels->binary(BINARY_ADD, a, 1, b, 1, out, burst->count);
}
Status measure_bandwidth(const Kernels *kernels, Pool *pool, size_t bytes, double *gbytes) {
    const int threads = pool_threads(pool);
    Burst burst = {.kernels = kernels, .passes = 1};
    burst.count = MAX((int64_t)(bytes / 12 / (size_t)threads / 16 * 16), 256);
    const size_t moved = (size_t)burst.count * 12 * (size_t)threads;
    burst.data = pages_alloc(moved, 4096);
    if (!burst.data) return fail_memory(moved);
    for (size_t i = 0; i < moved / 4; i++) burst.data[i] = 0.5f;
    Phase phase = {.run = bandwidth_unit, .arguments = &burst, .units = threads, .scratch = 64};
    char *scratch = pages_alloc(64 * (size_t)threads, 64);
    Status status = scratch ? pool_reserve(pool, 1) : fail_memory(64 * (size_t)threads);
    if (status == ST_OK) {
        const double once = best_time(pool, &phase, scratch, 64, 3);
        burst.passes = MAX((int64_t)(2e-3 * measuring_effort / MAX(once, 1e-9)), 1);
        *gbytes = (double)moved * (double)burst.passes / best_time(pool, &phase, scratch, 64, 6) * 1e-9;
    }
    if (scratch) pages_free(scratch, 64 * (size_t)threads);
    pages_free(burst.data, moved);
    return status;
}

Status measure_peaks(const Machine *machine, Pool *pool, Peaks *out) {
    const size_t least = (size_t)(48e6 * measuring_effort), most = (size_t)(192e6 * measuring_effort);
    const Kernels *kernels = kernels_for(machine->isa);
    const size_t threads = (size_t)pool_threads(pool);
    const size_t caches = MAX(machine->l2 * threads, machine->l3);
    *out = (Peaks){.cache_bytes = {machine->l2 * threads, machine->l3}};
    TRY(measure_peak(kernels, pool, &out->gflops));
    TRY(measure_tiles(kernels, pool, &out->tile_gflops));
    // A network's working sets lie at the lower end of a large third-level cache, so that end is measured.
    const size_t sets[2] = {out->cache_bytes[0] / 2, MIN(out->cache_bytes[1] / 2, 8 * out->cache_bytes[0])};
    for (int i = 0; i < 2; i++)
        if (out->cache_bytes[i])
            TRY(measure_bandwidth(kernels, pool, MIN(sets[i], most), &out->cache_gbytes[i]));
    // A third-level cache larger than the arrays (servers) makes the figure for memory too good, never too small.
    return measure_bandwidth(kernels, pool, MIN(MAX(2 * caches, least), most), &out->memory_gbytes);
}
double peaks_seconds(const Peaks *peaks, double flop, double bytes, bool *by_memory) {
    double gbytes = peaks->memory_gbytes;
    for (int i = 1; i >= 0; i--)
        if (bytes <= (double)peaks->cache_bytes[i]) gbytes = MAX(gbytes, peaks->cache_gbytes[i]);
    const double arithmetic = flop / (peaks->gflops * 1e9), transfer = bytes / (gbytes * 1e9);
    *by_memory = transfer > arithmetic;
    return MAX(arithmetic, transfer);
}

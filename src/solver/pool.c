// Maximum and average pooling, 1 to 3 spatial dims, over blocked tensors. Windows are clipped to the input, so no
// border is needed. One window over everything (global pooling) is cut into chunks of rows first: part results, in
// double for averages, then one combination a channel block.
#include "solver/blocked.h"
#include <math.h>
#include <string.h>

// Along one axis, for each output: the taps of its window that lie on the input.
typedef struct AxisWindows {
    int32_t *first;  // input position of the first such tap
    int32_t *count;  // taps on the input
    int32_t *padded; // taps on the input or its padding (but not beyond it, where rounding up may lead)
} AxisWindows;

typedef struct PoolWork {
    const Kernels *kernels;
    Problem problem;
    Ref in, out, parts;
    AxisWindows windows[AXES];
    BlockedRows rows;
    int64_t rows_a_chunk, chunks; // global
} PoolWork;

static bool applicable(const Problem *p, const Kernels *kernels, Need *need) {
    const int rank = p->in[0].shape.rank;
    if (!all_float32(p) || rank < 3 || rank > 5) return false;
    need->in[0] = need->out[0] = need_blocked(kernels);
    return true;
}
static double window_taps(const Problem *p) {
    double taps = 1;
    for (int axis = 0; axis < AXES; axis++) taps *= (double)p->kernel[axis];
    return taps;
}
static double estimate(const Problem *p, const Configuration *c, const Kernels *kernels, const Machine *machine) {
    (void)c, (void)machine;
    const double vectors = (double)shape_count(&p->out[0].shape) / kernels->lanes;
    return streaming_estimate(p, vectors * (window_taps(p) + 4), operand_bytes(&p->in[0]) + operand_bytes(&p->out[0]));
}
// One output, and a window too long for fp32 sums in a row.
static bool is_global(const Problem *p) {
    for (int axis = 0; axis < AXES; axis++)
        if (p->out[0].size[axis] != 1 || p->dilation[axis] != 1) return false;
    return window_taps(p) > 64;
}

static void axis_window(const Problem *p, int axis, int64_t o, int32_t *first, int32_t *count, int32_t *padded) {
    const int64_t start = o * p->stride[axis] - p->pad_begin[axis], size = p->in[0].size[axis];
    *first = *count = *padded = 0;
    for (int64_t k = 0; k < p->kernel[axis]; k++) {
        const int64_t at = start + k * p->dilation[axis];
        if (at >= size + p->pad_end[axis]) break;
        (*padded)++;
        if (at < 0 || at >= size) continue;
        if (!(*count)++) *first = (int32_t)at;
    }
}
static Status make_windows(const Problem *p, Arena *arena, AxisWindows windows[AXES]) {
    for (int axis = 0; axis < AXES; axis++) {
        const int64_t outputs = p->out[0].size[axis];
        FAIL_IF(p->in[0].size[axis] > INT32_MAX, ST_UNSUPPORTED, "a pooled axis is too long: %lld elements",
                (long long)p->in[0].size[axis]);
        int32_t *table = arena_array(arena, (size_t)MAX(outputs, 1), 3 * sizeof *table);
        if (!table) return fail_memory((size_t)outputs * 3 * sizeof *table);
        windows[axis] = (AxisWindows){table, table + outputs, table + 2 * outputs};
        for (int64_t o = 0; o < outputs; o++)
            axis_window(p, axis, o, &windows[axis].first[o], &windows[axis].count[o], &windows[axis].padded[o]);
    }
    return ST_OK;
}
// The rows of the input that output row (d, h) takes; their offsets in floats. Returns how many.
static int window_rows(const PoolWork *w, int64_t d, int64_t h, int64_t *offset) {
    const Problem *p = &w->problem;
    const AxisWindows *wd = &w->windows[AXIS_D], *wh = &w->windows[AXIS_H];
    int rows = 0;
    for (int64_t i = 0; i < wd->count[d]; i++)
        for (int64_t j = 0; j < wh->count[h]; j++)
            offset[rows++] = (wd->first[d] + i * p->dilation[AXIS_D]) * p->in[0].stride[AXIS_D] +
                             (wh->first[h] + j * p->dilation[AXIS_H]) * p->in[0].stride[AXIS_H];
    return rows;
}
// What the sums of an output row are divided by.
static void row_divisors(const PoolWork *w, int64_t d, int64_t h, float *divisor) {
    const bool padded = w->problem.pool == POOL_AVERAGE_WITH_PAD;
#define TAPS(axis, o) (padded ? w->windows[axis].padded[o] : w->windows[axis].count[o])
    const int64_t rows = (int64_t)TAPS(AXIS_D, d) * TAPS(AXIS_H, h);
    for (int64_t o = 0; o < w->problem.out[0].size[AXIS_W]; o++) divisor[o] = (float)(rows * TAPS(AXIS_W, o));
#undef TAPS
}
// scratch: (window rows) int64 offsets, then (ow) divisors.
static void pool_unit(const void *arguments, char *const *bases, int64_t unit, void *scratch) {
    const PoolWork *w = arguments;
    const Problem *p = &w->problem;
    const RowRange range = blocked_range(&w->rows, unit);
    const AxisWindows *ww = &w->windows[AXIS_W];
    int64_t *offset = scratch;
    float *divisor = (float *)(offset + p->kernel[AXIS_D] * p->kernel[AXIS_H]);
    const float *in = (const float *)ref_at(bases, w->in) + row_at(&p->in[0], range.n, range.block, 0, 0);
    const int width = (int)p->out[0].size[AXIS_W];
    for (int64_t h = range.begin; h < range.end; h++) {
        float *out = (float *)ref_at(bases, w->out) + row_at(&p->out[0], range.n, range.block, range.d, h);
        const int rows = window_rows(w, range.d, h, offset);
        if (p->pool == POOL_MAX) {
            w->kernels->pool_max(in, offset, rows, ww->first, ww->count, p->dilation[AXIS_W], width, out);
        } else {
            row_divisors(w, range.d, h, divisor);
            w->kernels->pool_sum(in, offset, rows, ww->first, ww->count, p->dilation[AXIS_W], divisor, width, out);
        }
        zero_padded_lanes(&p->out[0], range.block, out);
    }
}

// ---- One window over everything: parts (n, channel block, chunk) of `lanes` values, double or float. ----

static int64_t global_rows(const PoolWork *w) {
    return (int64_t)w->windows[AXIS_D].count[0] * w->windows[AXIS_H].count[0];
}
static void part_unit(const void *arguments, char *const *bases, int64_t unit, void *scratch) {
    (void)scratch;
    const PoolWork *w = arguments;
    const Problem *p = &w->problem;
    const Layout *in = &p->in[0];
    const int lanes = w->kernels->lanes;
    const int64_t chunk = unit % w->chunks, block = unit / w->chunks % in->blocks, n = unit / w->chunks / in->blocks;
    const int64_t end = MIN((chunk + 1) * w->rows_a_chunk, global_rows(w)), height = w->windows[AXIS_H].count[0];
    const int32_t first = w->windows[AXIS_W].first[0], count = w->windows[AXIS_W].count[0], none = 0, two = 2;
    const float zero[64] = {0};
    double *sums = (double *)ref_at(bases, w->parts) + unit * lanes;
    float *largest = (float *)sums;
    double squares[64] = {0};
    memset(sums, 0, (size_t)lanes * sizeof *sums);
    for (int l = 0; p->pool == POOL_MAX && l < lanes; l++) largest[l] = -INFINITY;
    for (int64_t row = chunk * w->rows_a_chunk; row < end; row++) {
        const int64_t d = w->windows[AXIS_D].first[0] + row / height, h = w->windows[AXIS_H].first[0] + row % height;
        const float *from = (const float *)ref_at(bases, w->in) + row_at(in, n, block, d, h) + (int64_t)first * lanes;
        if (p->pool != POOL_MAX) {
            w->kernels->lane_sums(from, count, zero, sums, squares);
            continue;
        }
        const int64_t here = 0;
        float pair[2 * 64];
        w->kernels->pool_max(from, &here, 1, &none, &count, 1, 1, pair);
        memcpy(pair + lanes, largest, (size_t)lanes * sizeof *pair);
        w->kernels->pool_max(pair, &here, 1, &none, &two, 1, 1, largest);
    }
}
static void combine_unit(const void *arguments, char *const *bases, int64_t unit, void *scratch) {
    (void)scratch;
    const PoolWork *w = arguments;
    const Problem *p = &w->problem;
    const int lanes = w->kernels->lanes;
    const int64_t block = unit % p->in[0].blocks, n = unit / p->in[0].blocks;
    const double *sums = (const double *)ref_at(bases, w->parts) + unit * w->chunks * lanes;
    float *out = (float *)ref_at(bases, w->out) + row_at(&p->out[0], n, block, 0, 0);
    if (p->pool == POOL_MAX) {
        const int64_t here = 0;
        const int32_t none = 0, chunks = (int32_t)w->chunks;
        w->kernels->pool_max((const float *)sums, &here, 1, &none, &chunks, 2, 1, out); // a float part has room for two
    } else {
        float divisor;
        row_divisors(w, 0, 0, &divisor);
        for (int l = 0; l < lanes; l++) {
            double sum = 0;
            for (int64_t chunk = 0; chunk < w->chunks; chunk++) sum += sums[chunk * lanes + l];
            out[l] = (float)(sum / divisor);
        }
    }
    zero_padded_lanes(&p->out[0], block, out);
}
static int64_t rows_a_chunk(const Problem *p, const Kernels *kernels) {
    return MAX(1, UNIT_BYTES / (p->in[0].size[AXIS_W] * kernels->lanes * (int64_t)sizeof(float)));
}
static size_t temporary(const Problem *p, const Configuration *c, const Kernels *kernels, const Machine *machine) {
    (void)c, (void)machine;
    if (!is_global(p)) return 0;
    const int64_t rows = p->in[0].size[AXIS_D] * p->in[0].size[AXIS_H];
    const int64_t parts = p->in[0].n * div_up(p->in[0].c, kernels->lanes) * div_up(rows, rows_a_chunk(p, kernels));
    return (size_t)(parts * kernels->lanes) * sizeof(double);
}

static Status lower(const Problem *p, const Configuration *c, Lowering *lowering) {
    (void)c;
    PoolWork *w = arena_alloc(lowering->arena, sizeof *w);
    if (!w) return fail_memory(sizeof *w);
    *w = (PoolWork){.kernels = lowering->kernels, .problem = *p, .in = lowering->in[0], .out = lowering->out[0],
                    .parts = lowering->temporary};
    TRY(make_windows(p, lowering->arena, w->windows));
    if (is_global(p)) {
        w->rows_a_chunk = rows_a_chunk(p, lowering->kernels);
        w->chunks = MAX(1, div_up(global_rows(w), w->rows_a_chunk));
        const int64_t planes = p->in[0].n * p->in[0].blocks;
        TRY(lowering_phase(lowering, part_unit, w, planes * w->chunks, 0));
        return lowering_phase(lowering, combine_unit, w, planes, 0);
    }
    const int64_t pixels = p->in[0].size[AXIS_W] * p->stride[AXIS_H] + p->out[0].size[AXIS_W];
    w->rows = blocked_rows(&p->out[0], pixels * p->out[0].block * (int64_t)sizeof(float));
    const size_t scratch = (size_t)(p->kernel[AXIS_D] * p->kernel[AXIS_H]) * sizeof(int64_t) +
                           (size_t)p->out[0].size[AXIS_W] * sizeof(float);
    return lowering_phase(lowering, pool_unit, w, w->rows.units, scratch);
}
const Solver solver_pool = {.name = "pool",
                            .version = 2,
                            .kind = PROBLEM_POOL,
                            .applicable = applicable,
                            .configurations = one_configuration,
                            .estimate = estimate,
                            .temporary = temporary,
                            .lower = lower};

// Separable resize (nearest, linear, cubic, antialiased) of blocked tensors by tables of taps: the rows of the depth
// and height taps are blended first, then pixels are taken along the width.
#include "solver/blocked.h"

typedef struct ResizeWork {
    const Kernels *kernels;
    Problem problem;
    Ref in, out;
    BlockedRows rows;
    size_t offsets_at, weights_at, halves_at; // in scratch, bytes; the blended row is first
} ResizeWork;

static bool applicable(const Problem *p, const Kernels *kernels, Need *need) {
    const int rank = p->in[0].shape.rank;
    if (!all_float32(p) || rank < 3 || rank > 5) return false;
    need->in[0] = need->out[0] = need_blocked(kernels);
    return true;
}
// Taps of an axis, counting one where it is left alone.
static int64_t axis_taps(const Problem *p, int axis) { return MAX(p->taps[axis].taps, 1); }

static double estimate(const Problem *p, const Configuration *c, const Kernels *kernels, const Machine *machine) {
    (void)c, (void)machine;
    const double vectors = (double)shape_count(&p->out[0].shape) / kernels->lanes;
    const double rows = (double)(axis_taps(p, AXIS_D) * axis_taps(p, AXIS_H));
    const double shrink = (double)p->in[0].size[AXIS_W] / (double)MAX(p->out[0].size[AXIS_W], 1);
    const double cycles = vectors * (shrink * (rows + 1) + (double)axis_taps(p, AXIS_W) + 1);
    return streaming_estimate(p, cycles, operand_bytes(&p->in[0]) + operand_bytes(&p->out[0]));
}
// Input position and weight of tap t of output o.
static int64_t tap_index(const AxisTaps *taps, int64_t o, int64_t t) {
    return taps->taps ? taps->index[o * taps->taps + t] : o;
}
static float tap_weight(const AxisTaps *taps, int64_t o, int64_t t) {
    return taps->taps ? taps->weight[o * taps->taps + t] : 1;
}
// The input rows of output row (d, h), their offsets and weights. Returns how many.
static int blended_rows(const Problem *p, int64_t d, int64_t h, int64_t *offset, float *weight) {
    const AxisTaps *td = &p->taps[AXIS_D], *th = &p->taps[AXIS_H];
    int rows = 0;
    for (int64_t i = 0; i < axis_taps(p, AXIS_D); i++)
        for (int64_t j = 0; j < axis_taps(p, AXIS_H); j++, rows++) {
            offset[rows] =
                tap_index(td, d, i) * p->in[0].stride[AXIS_D] + tap_index(th, h, j) * p->in[0].stride[AXIS_H];
            weight[rows] = tap_weight(td, d, i) * tap_weight(th, h, j);
        }
    return rows;
}
// Of values that lie as bfloat16: the rows that are blended as fp32 first, then each half of the channels by itself.
static void resize_halved(const ResizeWork *w, const RowRange *range, const float *in, char *const *bases,
                          void *scratch) {
    const Problem *p = &w->problem;
    const AxisTaps *tw = &p->taps[AXIS_W];
    const int64_t in_floats = p->in[0].size[AXIS_W] * p->in[0].block,
                  out_floats = p->out[0].size[AXIS_W] * p->out[0].block;
    int64_t *offset = (int64_t *)((char *)scratch + w->offsets_at);
    float *weight = (float *)((char *)scratch + w->weights_at);
    float *rows_at[2] = {(float *)((char *)scratch + w->halves_at), NULL}, *made[2];
    const int64_t most = axis_taps(p, AXIS_D) * axis_taps(p, AXIS_H);
    rows_at[1] = rows_at[0] + most * in_floats;
    made[0] = rows_at[1] + most * in_floats, made[1] = made[0] + out_floats;
    for (int64_t h = range->begin; h < range->end; h++) {
        const int rows = blended_rows(p, range->d, h, offset, weight);
        for (int r = 0; r < rows; r++) {
            w->kernels->amx_join((const char *)(in + offset[r]), p->in[0].size[AXIS_W], rows_at[0] + r * in_floats,
                                 rows_at[1] + r * in_floats);
            offset[r] = r * in_floats;
        }
        for (int half = 0; half < 2; half++)
            w->kernels->resize_row(rows_at[half], offset, weight, rows, p->in[0].size[AXIS_W], tw->index, tw->weight,
                                   tw->taps, (int)p->out[0].size[AXIS_W], scratch, made[half]);
        float *out = (float *)ref_at(bases, w->out) + row_at(&p->out[0], range->n, range->block, range->d, h);
        w->kernels->amx_split(1, made[0], made[1], p->out[0].size[AXIS_W], (char *)out, 0, AMX_PIXEL_BYTES);
    }
}
static void resize_unit(const void *arguments, char *const *bases, int64_t unit, void *scratch) {
    const ResizeWork *w = arguments;
    const Problem *p = &w->problem;
    const AxisTaps *tw = &p->taps[AXIS_W];
    const RowRange range = blocked_range(&w->rows, unit);
    int64_t *offset = (int64_t *)((char *)scratch + w->offsets_at);
    float *weight = (float *)((char *)scratch + w->weights_at);
    const float *in = (const float *)ref_at(bases, w->in) + row_at(&p->in[0], range.n, range.block, 0, 0);
    if (layout_is_halved(&p->out[0])) {
        resize_halved(w, &range, in, bases, scratch);
        return;
    }
    for (int64_t h = range.begin; h < range.end; h++) {
        const int rows = blended_rows(p, range.d, h, offset, weight);
        float *out = (float *)ref_at(bases, w->out) + row_at(&p->out[0], range.n, range.block, range.d, h);
        w->kernels->resize_row(in, offset, weight, rows, p->in[0].size[AXIS_W], tw->index, tw->weight, tw->taps,
                               (int)p->out[0].size[AXIS_W], scratch, out);
    }
}
static bool may_halve(const Problem *p, const Configuration *c, int operand, bool *together) {
    (void)p, (void)c, (void)operand;
    *together = true;
    return true;
}
static Status lower(const Problem *p, const Configuration *c, Lowering *lowering) {
    (void)c;
    ResizeWork *w = arena_alloc(lowering->arena, sizeof *w);
    if (!w) return fail_memory(sizeof *w);
    *w = (ResizeWork){.kernels = lowering->kernels, .problem = *p, .in = lowering->in[0], .out = lowering->out[0]};
    const int64_t row_floats = p->in[0].size[AXIS_W] * p->in[0].block;
    const size_t rows = (size_t)(axis_taps(p, AXIS_D) * axis_taps(p, AXIS_H));
    w->offsets_at = (size_t)round_up(row_floats * (int64_t)sizeof(float), 64);
    w->weights_at = w->offsets_at + rows * sizeof(int64_t);
    w->rows =
        blocked_rows(&p->out[0], (row_floats + p->out[0].size[AXIS_W] * p->out[0].block) * (int64_t)sizeof(float));
    w->halves_at = (size_t)round_up((int64_t)(w->weights_at + rows * sizeof(float)), 64);
    const size_t halves = 2 * ((size_t)row_floats * rows + (size_t)(p->out[0].size[AXIS_W] * p->out[0].block));
    return lowering_phase(lowering, resize_unit, w, w->rows.units,
                          w->halves_at + (layout_is_halved(&p->out[0]) ? halves * sizeof(float) : 0));
}
const Solver solver_resize = {.name = "resize",
                              .version = 1,
                              .kind = PROBLEM_RESIZE,
                              .applicable = applicable,
                              .configurations = one_configuration,
                              .estimate = estimate,
                              .may_halve = may_halve,
                              .lower = lower};

// An operation of two tensors with numpy broadcasting, then a function. BLOCKED where a producer is (each side may be
// one value along any of n, c, d, h, w); else PLAIN with any ranks.
#include "solver/blocked.h"
#include <string.h>

// Blocked: one side. Strides are 0 where it is broadcast.
typedef struct BlockedSide {
    Ref ref;
    int64_t stride_n, stride_block, stride[AXES];
    bool splat; // one channel for all
} BlockedSide;

typedef struct BinaryWork {
    const Kernels *kernels;
    Binary binary;
    Activation function;
    // BLOCKED
    Layout out_layout;
    BlockedSide side[2];
    BlockedRows rows;
    // PLAIN
    Broadcast broadcast;
    Ref in[2], out;
    PlainRows cut;
} BinaryWork;

static bool blocked_shapes(const Problem *p) {
    const Shape *out = &p->out[0].shape;
    if (!any_blocked(p) || out->rank < 3 || out->rank > 5) return false;
    return p->in[0].shape.rank == out->rank && p->in[1].shape.rank == out->rank;
}
static bool applicable(const Problem *p, const Kernels *kernels, Need *need) {
    if (p->n_inputs != 2 || !all_float32(p) || !broadcast_fits(p)) return false;
    need->in[0] = need->in[1] = need->out[0] = blocked_shapes(p) ? need_blocked(kernels) : need_plain();
    need->in_place = shape_equal(&p->in[0].shape, &p->out[0].shape);
    return true;
}
static double estimate(const Problem *p, const Configuration *c, const Kernels *kernels, const Machine *machine) {
    (void)c, (void)machine;
    const double vectors = (double)shape_count(&p->out[0].shape) / kernels->lanes;
    const double cycles = p->activation.function == FN_NONE ? 2 : 8;
    return streaming_estimate(p, vectors * cycles,
                              operand_bytes(&p->in[0]) + operand_bytes(&p->in[1]) + operand_bytes(&p->out[0]));
}

static PixelOperand side_row(const BlockedSide *s, char *const *bases, const RowRange *range, int64_t h) {
    const int64_t at = range->n * s->stride_n + range->block * s->stride_block + range->d * s->stride[AXIS_D] +
                       h * s->stride[AXIS_H];
    return (PixelOperand){(const float *)ref_at(bases, s->ref) + at, s->stride[AXIS_W], s->splat};
}
static bool whole_pixels(const PixelOperand *operand, int lanes) { return operand->step == lanes && !operand->splat; }

static void blocked_unit(const void *arguments, char *const *bases, int64_t unit, void *scratch) {
    (void)scratch;
    const BinaryWork *w = arguments;
    const RowRange range = blocked_range(&w->rows, unit);
    const int lanes = w->kernels->lanes;
    const int64_t width = w->out_layout.size[AXIS_W];
    for (int64_t h = range.begin; h < range.end; h++) {
        float *out = (float *)ref_at(bases, w->out) + row_at(&w->out_layout, range.n, range.block, range.d, h);
        const PixelOperand a = side_row(&w->side[0], bases, &range, h), b = side_row(&w->side[1], bases, &range, h);
        if (whole_pixels(&a, lanes) && whole_pixels(&b, lanes))
            w->kernels->binary(w->binary, a.data, 1, b.data, 1, out, width * lanes);
        else w->kernels->binary_pixels(w->binary, a, b, out, width);
        if (w->function.function != FN_NONE) w->kernels->unary(w->function, out, out, width * lanes);
        zero_padded_lanes(&w->out_layout, range.block, out);
    }
}
static BlockedSide blocked_side(const Layout *side, const Layout *out, Ref ref) {
    BlockedSide s = {.ref = ref, .splat = side->c == 1 && out->c > 1};
    s.stride_n = side->n > 1 ? side->stride_n : 0;
    s.stride_block = side->c > 1 ? side->stride_block : 0;
    for (int axis = 0; axis < AXES; axis++) s.stride[axis] = side->size[axis] > 1 ? side->stride[axis] : 0;
    // A row of one pixel is a row as well; the fast way for whole rows then applies.
    if (out->size[AXIS_W] == 1) s.stride[AXIS_W] = side->block;
    return s;
}

static void plain_row(const BinaryWork *w, const float *a, const float *b, float *out, int64_t count) {
    w->kernels->binary(w->binary, a, broadcast_step(&w->broadcast, 0), b, broadcast_step(&w->broadcast, 1), out, count);
    if (w->function.function != FN_NONE) w->kernels->unary(w->function, out, out, count);
}
static void plain_unit(const void *arguments, char *const *bases, int64_t unit, void *scratch) {
    (void)scratch;
    const BinaryWork *w = arguments;
    const PlainRange range = plain_range(&w->cut, unit);
    for (int64_t row = range.row; row < range.row + range.rows; row++) {
        int64_t at[PROBLEM_INPUTS];
        broadcast_at(&w->broadcast, row, range.begin, at);
        plain_row(w, (const float *)ref_at(bases, w->in[0]) + at[0], (const float *)ref_at(bases, w->in[1]) + at[1],
                  (float *)ref_at(bases, w->out) + row * w->cut.length + range.begin, range.length);
    }
}
static Status lower(const Problem *p, const Configuration *c, Lowering *lowering) {
    (void)c;
    BinaryWork *w = arena_alloc(lowering->arena, sizeof *w);
    if (!w) return fail_memory(sizeof *w);
    *w = (BinaryWork){.kernels = lowering->kernels, .binary = p->binary, .function = p->activation,
                      .out_layout = p->out[0], .in = {lowering->in[0], lowering->in[1]}, .out = lowering->out[0]};
    if (p->out[0].kind == LAYOUT_BLOCKED) {
        for (int i = 0; i < 2; i++) w->side[i] = blocked_side(&p->in[i], &p->out[0], lowering->in[i]);
        w->rows = blocked_rows(&p->out[0], 2 * p->out[0].size[AXIS_W] * p->out[0].block * (int64_t)sizeof(float));
        return lowering_phase(lowering, blocked_unit, w, w->rows.units, 0);
    }
    w->broadcast = broadcast_of(p);
    w->cut = broadcast_rows(&w->broadcast, UNIT_BYTES / sizeof(float) / 2);
    return lowering_phase(lowering, plain_unit, w, w->cut.units, 0);
}
const Solver solver_binary = {.name = "binary",
                              .version = 1,
                              .kind = PROBLEM_BINARY,
                              .applicable = applicable,
                              .configurations = one_configuration,
                              .estimate = estimate,
                              .lower = lower};

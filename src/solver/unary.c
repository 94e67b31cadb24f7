// A function of each element, in the layout that the value already has.
#include "solver/blocked.h"
#include <string.h>

typedef struct UnaryWork {
    const Kernels *kernels;
    Activation function;
    Layout in_layout, out_layout;
    Ref in, out;
    BlockedRows rows;   // BLOCKED
    PlainRows elements; // PLAIN: one row
} UnaryWork;

static bool applicable(const Problem *p, const Kernels *kernels, Need *need) {
    if (!all_float32(p)) return false;
    need->in[0] = need->out[0] = any_blocked(p) ? need_blocked(kernels) : need_plain();
    need->in_place = true;
    return true;
}
// Cycles of a vector: the cheap ones are bound by memory.
static double function_cycles(Function function) {
    switch (function) {
    case FN_NONE: case FN_RELU: case FN_LEAKY_RELU: case FN_CLIP: case FN_ABS: case FN_NEG: return 1;
    case FN_HARD_SIGMOID: case FN_HARD_SWISH: case FN_FLOOR: case FN_CEIL: case FN_ROUND: return 3;
    case FN_SOFTSIGN: case FN_SQRT: case FN_RECIPROCAL: return 8;
    default: return 24;
    }
}
static double estimate(const Problem *p, const Configuration *c, const Kernels *kernels, const Machine *machine) {
    (void)c, (void)machine;
    const double vectors = (double)shape_count(&p->out[0].shape) / kernels->lanes;
    return streaming_estimate(p, vectors * function_cycles(p->activation.function), 2 * operand_bytes(&p->out[0]));
}
static void blocked_unit(const void *arguments, char *const *bases, int64_t unit, void *scratch) {
    (void)scratch;
    const UnaryWork *w = arguments;
    const RowRange range = blocked_range(&w->rows, unit);
    const int64_t floats = w->in_layout.size[AXIS_W] * w->in_layout.block;
    for (int64_t h = range.begin; h < range.end; h++) {
        const float *in = (const float *)ref_at(bases, w->in) + row_at(&w->in_layout, range.n, range.block, range.d, h);
        float *out = (float *)ref_at(bases, w->out) + row_at(&w->out_layout, range.n, range.block, range.d, h);
        w->kernels->unary(w->function, in, out, floats);
        zero_padded_lanes(&w->out_layout, range.block, out);
    }
}
static void plain_unit(const void *arguments, char *const *bases, int64_t unit, void *scratch) {
    (void)scratch;
    const UnaryWork *w = arguments;
    const PlainRange range = plain_range(&w->elements, unit);
    w->kernels->unary(w->function, (const float *)ref_at(bases, w->in) + range.begin,
                      (float *)ref_at(bases, w->out) + range.begin, range.length);
}
static Status lower(const Problem *p, const Configuration *c, Lowering *lowering) {
    (void)c;
    UnaryWork *w = arena_alloc(lowering->arena, sizeof *w);
    if (!w) return fail_memory(sizeof *w);
    *w = (UnaryWork){.kernels = lowering->kernels, .function = p->activation, .in_layout = p->in[0],
                     .out_layout = p->out[0], .in = lowering->in[0], .out = lowering->out[0]};
    if (p->out[0].kind == LAYOUT_PLAIN) {
        w->elements = plain_rows(1, shape_count(&p->out[0].shape), UNIT_BYTES / sizeof(float));
        return lowering_phase(lowering, plain_unit, w, w->elements.units, 0);
    }
    w->rows = blocked_rows(&p->out[0], p->out[0].size[AXIS_W] * p->out[0].block * (int64_t)sizeof(float));
    return lowering_phase(lowering, blocked_unit, w, w->rows.units, 0);
}
const Solver solver_unary = {.name = "unary",
                             .version = 1,
                             .kind = PROBLEM_UNARY,
                             .applicable = applicable,
                             .configurations = one_configuration,
                             .estimate = estimate,
                             .lower = lower};

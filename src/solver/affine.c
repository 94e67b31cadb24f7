// x * scale[c] + shift[c], then a function: a normalisation whose statistics are known, where it could not be folded
// into a convolution.
#include "solver/blocked.h"
#include <string.h>

typedef struct AffineWork {
    const Kernels *kernels;
    Problem problem;
    Ref in, out;
    Ref scale, shift; // (c), filled up to whole blocks with zeros
    BlockedRows rows;
    // PLAIN (n, c, run): rows of `run` elements of one channel. (n, c): rows of c elements, one of each channel.
    bool across;
    PlainRows cut;
} AffineWork;

static bool applicable(const Problem *p, const Kernels *kernels, Need *need) {
    const int rank = p->in[0].shape.rank;
    if (!all_float32(p) || rank < 2) return false;
    const bool blocked = any_blocked(p) && rank >= 3 && rank <= 5;
    need->in[0] = need->out[0] = blocked ? need_blocked(kernels) : need_plain();
    need->in_place = true;
    return true;
}
static double estimate(const Problem *p, const Configuration *c, const Kernels *kernels, const Machine *machine) {
    (void)c, (void)machine;
    const double vectors = (double)shape_count(&p->out[0].shape) / kernels->lanes;
    return streaming_estimate(p, vectors * 3, 2 * operand_bytes(&p->out[0]));
}
static int64_t channels(const Problem *p) { return p->in[0].shape.dim[1]; }

static void prepare_unit(const void *arguments, char *const *bases, int64_t unit, void *scratch) {
    (void)unit, (void)scratch;
    const AffineWork *w = arguments;
    const int64_t c = channels(&w->problem), padded = round_up(c, w->kernels->lanes);
    float *scale = ref_at(bases, w->scale), *shift = ref_at(bases, w->shift);
    for (int64_t i = 0; i < padded; i++) {
        scale[i] = i < c ? w->problem.scale[i] : 0;
        shift[i] = i < c && w->problem.shift ? w->problem.shift[i] : 0;
    }
}
static void blocked_unit(const void *arguments, char *const *bases, int64_t unit, void *scratch) {
    (void)scratch;
    const AffineWork *w = arguments;
    const Problem *p = &w->problem;
    const RowRange range = blocked_range(&w->rows, unit);
    const float *scale = (const float *)ref_at(bases, w->scale) + range.block * w->kernels->lanes;
    const float *shift = (const float *)ref_at(bases, w->shift) + range.block * w->kernels->lanes;
    for (int64_t h = range.begin; h < range.end; h++) {
        const float *in = (const float *)ref_at(bases, w->in) + row_at(&p->in[0], range.n, range.block, range.d, h);
        float *out = (float *)ref_at(bases, w->out) + row_at(&p->out[0], range.n, range.block, range.d, h);
        w->kernels->affine(in, NULL, scale, shift, p->activation, out, p->out[0].size[AXIS_W]);
        zero_padded_lanes(&p->out[0], range.block, out);
    }
}
static void plain_unit(const void *arguments, char *const *bases, int64_t unit, void *scratch) {
    (void)scratch;
    const AffineWork *w = arguments;
    const Kernels *kernels = w->kernels;
    const PlainRange range = plain_range(&w->cut, unit);
    for (int64_t row = range.row; row < range.row + range.rows; row++) {
        const int64_t at = row * w->cut.length + range.begin;
        const int64_t c = w->across ? range.begin : row % channels(&w->problem);
        const float *scale = (const float *)ref_at(bases, w->scale) + c;
        const float *shift = (const float *)ref_at(bases, w->shift) + c;
        float *out = (float *)ref_at(bases, w->out) + at;
        kernels->binary(BINARY_MUL, (const float *)ref_at(bases, w->in) + at, 1, scale, w->across, out, range.length);
        kernels->binary(BINARY_ADD, out, 1, shift, w->across, out, range.length);
        if (w->problem.activation.function != FN_NONE) kernels->unary(w->problem.activation, out, out, range.length);
    }
}
static Status lower(const Problem *p, const Configuration *c, Lowering *lowering) {
    (void)c;
    AffineWork *w = arena_alloc(lowering->arena, sizeof *w);
    if (!w) return fail_memory(sizeof *w);
    *w = (AffineWork){.kernels = lowering->kernels, .problem = *p, .in = lowering->in[0], .out = lowering->out[0]};
    const size_t bytes = (size_t)round_up(channels(p), lowering->kernels->lanes) * sizeof(float);
    w->scale = lowering_weights(lowering, bytes);
    w->shift = lowering_weights(lowering, bytes);
    TRY(lowering_prepare(lowering, prepare_unit, w, 1, 0));
    if (p->out[0].kind == LAYOUT_BLOCKED) {
        w->rows = blocked_rows(&p->out[0], p->out[0].size[AXIS_W] * p->out[0].block * (int64_t)sizeof(float));
        return lowering_phase(lowering, blocked_unit, w, w->rows.units, 0);
    }
    const Shape *shape = &p->out[0].shape;
    int64_t run = 1;
    for (int i = 2; i < shape->rank; i++) run *= shape->dim[i];
    w->across = run == 1;
    const int64_t elements = UNIT_BYTES / sizeof(float);
    w->cut = w->across ? plain_rows(shape->dim[0], shape->dim[1], elements)
                       : plain_rows(shape->dim[0] * shape->dim[1], run, elements);
    return lowering_phase(lowering, plain_unit, w, w->cut.units, 0);
}
const Solver solver_affine = {.name = "affine",
                              .version = 1,
                              .kind = PROBLEM_AFFINE,
                              .applicable = applicable,
                              .configurations = one_configuration,
                              .estimate = estimate,
                              .lower = lower};

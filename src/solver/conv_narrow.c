// 1x1 convolution to 1 .. 4 channels, the last layer of a segmentation network: one pass over the pixels, each channel a
// sum over lanes (kernel.h: narrow), to plain rows, so that neither vectors of filled lanes nor a change of layout follow
// and a sigmoid is computed once a pixel. Unit: some rows of one depth slice of one image.
// Error: sums of a lane over the channel blocks in order, then a tree over the lanes.
#include "solver/blocked.h"
#include "solver/conv.h"
#include "solver/space.h"

enum { ROWS }; // schedule: rows a unit, 0: as many as are about UNIT_BYTES

typedef struct ConvNarrow {
    Problem problem;
    const Kernels *kernels;
    Ref in, out, weights;
    BlockedRows cut;
} ConvNarrow;

static void rows_unit(const void *arguments, char *const *bases, int64_t unit, void *scratch) {
    (void)scratch;
    const ConvNarrow *c = arguments;
    const Problem *p = &c->problem;
    const Layout *in = &p->in[0];
    const RowRange range = blocked_range(&c->cut, unit);
    const int64_t width = in->size[AXIS_W], plane = in->size[AXIS_D] * in->size[AXIS_H] * width;
    const float *weights = ref_at(bases, c->weights), *bias = weights + p->oc * in->blocks * in->block;
    for (int64_t h = range.begin; h < range.end; h++) {
        float *to = (float *)ref_at(bases, c->out) + range.n * p->oc * plane +
                    (range.d * in->size[AXIS_H] + h) * width;
        c->kernels->narrow((const float *)ref_at(bases, c->in) + row_at(in, range.n, 0, range.d, h), in->stride_block,
                           (int)in->blocks, weights, (int)p->oc, (int)width, to, plane);
        for (int64_t o = 0; o < p->oc; o++) {
            float *row = to + o * plane;
            c->kernels->binary(BINARY_ADD, row, 1, bias + o, 0, row, width);
            if (p->activation.function != FN_NONE) c->kernels->unary(p->activation, row, row, width);
        }
    }
}
// [output channel][channel block][lane], then the bias.
static void prepare_unit(const void *arguments, char *const *bases, int64_t unit, void *scratch) {
    (void)scratch;
    const ConvNarrow *c = arguments;
    const Problem *p = &c->problem;
    const int64_t channels = p->in[0].blocks * p->in[0].block;
    float *to = (float *)ref_at(bases, c->weights) + unit * channels;
    for (int64_t ic = 0; ic < channels; ic++) to[ic] = ic < p->ic ? p->weight[unit * p->ic + ic] : 0;
    ((float *)ref_at(bases, c->weights))[p->oc * channels + unit] = p->bias ? p->bias[unit] : 0;
}

static bool applicable(const Problem *p, const Kernels *kernels, Need *need) {
    if (p->group != 1 || p->oc > NARROW_OUTS || p->ic < kernels->lanes || p->has_pool || p->has_residual || !p->weight)
        return false;
    for (int axis = 0; axis < AXES; axis++)
        if (p->kernel[axis] != 1 || p->stride[axis] != 1 || p->pad_begin[axis] || p->pad_end[axis]) return false;
    need->in[0] = need_blocked(kernels);
    need->out[0] = need_plain();
    return true;
}
static double estimate(const Problem *p, const Configuration *c, const Kernels *kernels, const Machine *machine) {
    (void)machine;
    const double pixels = (double)shape_count(&p->in[0].shape) / (double)MAX(p->ic, 1);
    const double blocks = (double)div_up(p->ic, kernels->lanes), outs = (double)p->oc;
    const double usual = streaming_estimate(p, pixels * (blocks * (1 + outs) / 2 + outs * 4), operand_bytes(&p->in[0]));
    if (!c->schedule[ROWS]) return usual;
    const double slices = (double)(p->in[0].shape.dim[0] * p->in[0].size[AXIS_D]);
    const double units = slices * (double)div_up(p->in[0].size[AXIS_H], c->schedule[ROWS]);
    const double wait = (double)(div_up((int64_t)units, p->threads) * p->threads) / units;
    return (usual + 200 * units / p->threads) * wait;
}
// What a row reads.
static int64_t row_bytes(const Problem *p, const Kernels *kernels) {
    return round_up(p->ic, kernels->lanes) * p->in[0].size[AXIS_W] * (int64_t)sizeof(float);
}
static bool space(const Problem *p, const Kernels *kernels, const Machine *machine, ConfigurationVisitor *visit,
                  void *context) {
    (void)machine;
    const int64_t height = p->in[0].size[AXIS_H];
    const BlockedRows usual = blocked_rows(&p->in[0], row_bytes(p, kernels));
    const Knob rows = knob_cuts(ROWS, height, usual.rows_a_unit, height);
    const Configuration c = {{0}, {0}};
    return knobs_visit(&c, &rows, 1, visit, context);
}
static void print(const Configuration *c, Text *text) {
    if (c->schedule[ROWS]) text_add(text, "%d rows a unit", (int)c->schedule[ROWS]);
}
static size_t prepared_bytes(const Problem *p, const Configuration *c, const Kernels *kernels) {
    (void)c;
    return (size_t)(p->oc * (round_up(p->ic, kernels->lanes) + 1)) * sizeof(float);
}
static Status lower(const Problem *p, const Configuration *configuration, Lowering *lowering) {
    ConvNarrow *c = arena_alloc(lowering->arena, sizeof *c);
    if (!c) return fail_memory(sizeof *c);
    *c = (ConvNarrow){.problem = *p, .kernels = lowering->kernels, .in = lowering->in[0], .out = lowering->out[0]};
    c->weights = lowering_weights(lowering, prepared_bytes(p, configuration, lowering->kernels));
    const Layout *in = &p->in[0];
    c->cut = blocked_rows(in, row_bytes(p, lowering->kernels));
    blocked_rows_cut(&c->cut, in, configuration->schedule[ROWS]);
    c->cut.units /= MAX(c->cut.blocks, 1), c->cut.blocks = 1; // a unit takes all channel blocks
    TRY(lowering_prepare(lowering, prepare_unit, c, p->oc, 0));
    return lowering_phase(lowering, rows_unit, c, c->cut.units, 0);
}
static double error(const Problem *p, const Configuration *c, const Kernels *kernels) {
    (void)c;
    return chain_error(kernels, (double)div_up(p->ic, kernels->lanes) + 4);
}
const Solver solver_conv_narrow = {.name = "conv_narrow",
                                   .version = 1,
                                   .kind = PROBLEM_CONV,
                                   .applicable = applicable,
                                   .configurations = one_configuration,
                                   .estimate = estimate,
                                   .lower = lower,
                                   .print = print,
                                   .error = error,
                                   .prepared_bytes = prepared_bytes,
                                   .same_weights = weights_by_arithmetic,
                                   .space = space};

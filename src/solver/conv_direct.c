// Any convolution by direct sums: 1 to 3 spatial dims, stride, dilation, pads, groups. 1x1 convolutions ("pointwise")
// are the same with one tap. First layers: with few input channels the input is blocked by all of them, so that a
// kernel row of kw pixels is one run of kw * ic values and nothing is padded.
#include "solver/conv.h"
#include "solver/direct.h"
#include <string.h>

// An input of so few channels is laid out with all of them in one pixel.
enum { FEW_CHANNELS = 4 };

static bool few_channels(const Problem *p, const Kernels *kernels) {
    const bool ready = p->in[0].kind == LAYOUT_BLOCKED && p->in[0].block == kernels->lanes;
    return p->ic <= FEW_CHANNELS && p->ic < kernels->lanes && p->group == 1 && p->dilation[AXIS_W] == 1 && !ready;
}
static bool applicable(const Problem *p, const Kernels *kernels, Need *need) {
    if (p->has_pool || !p->weight) return false;
    for (int i = 0; i < p->n_inputs; i++) need->in[i] = (OperandNeed){LAYOUT_BLOCKED, kernels->lanes, {0}, {0}};
    if (few_channels(p, kernels)) need->in[0].block = (int)p->ic;
    conv_border(p, &need->in[0]);
    need->out[0] = (OperandNeed){LAYOUT_BLOCKED, kernels->lanes, {0}, {0}};
    return true;
}
static int configurations(const Problem *p, const Kernels *kernels, const Machine *machine, Configuration *out,
                          int max) {
    (void)kernels, (void)machine, (void)max;
    out[0] = (Configuration){.arithmetic = {direct_chunk(p)}};
    return 1;
}
static double estimate(const Problem *p, const Configuration *c, const Kernels *kernels, const Machine *machine) {
    return direct_estimate(p, c, kernels, machine, 0.85);
}
static Status lower(const Problem *p, const Configuration *c, Lowering *lowering) {
    const Layout *in = &p->in[0];
    // With one run of channels a pixel, kw pixels are one run of values.
    const bool merged = in->blocks == 1 && in->block == p->ic && p->dilation[AXIS_W] == 1;
    const int run = merged ? (int)p->kernel[AXIS_W] : 1;
    const int taps = (int)problem_taps(p) / run;
    int32_t *offset = arena_array(lowering->arena, (size_t)taps, sizeof *offset);
    int32_t *tap = arena_array(lowering->arena, (size_t)taps * (size_t)run, sizeof *tap);
    if (!offset || !tap) return fail_memory((size_t)taps * sizeof *tap);
    const int columns = (int)p->kernel[AXIS_W] / run;
    for (int t = 0; t < taps; t++) {
        const int64_t kw = t % columns, kh = t / columns % p->kernel[AXIS_H], kd = t / columns / p->kernel[AXIS_H];
        TRY(conv_offset(p, kd, kh, kw, &offset[t]));
        for (int i = 0; i < run; i++) tap[t * run + i] = (int32_t)(t * run + i);
    }
    Sweep *sweep = arena_alloc(lowering->arena, sizeof *sweep);
    if (!sweep) return fail_memory(sizeof *sweep);
    *sweep = (Sweep){.taps = taps, .offset = offset, .tap = tap};
    Direct direct = {.sweeps = sweep, .n_sweeps = 1, .o_step = {1, 1, 1}, .tap_run = run, .schedule = c->schedule};
    memcpy(direct.i_step, p->stride, sizeof direct.i_step);
    return direct_lower(p, &direct, lowering);
}
static double error(const Problem *p, const Configuration *c, const Kernels *kernels) {
    return direct_error(p, c->arithmetic[0], kernels);
}
static size_t prepared_bytes(const Problem *p, const Configuration *c, const Kernels *kernels) {
    (void)c;
    const int64_t taps = problem_taps(p);
    const int64_t ic = p->ic < kernels->lanes ? p->ic : round_up(p->ic / p->group, kernels->lanes);
    return (size_t)(taps * ic * round_up(p->oc, kernels->lanes)) * sizeof(float);
}
const Solver solver_conv_direct = {.name = "conv_direct",
                                   .version = 2,
                                   .kind = PROBLEM_CONV,
                                   .applicable = applicable,
                                   .configurations = configurations,
                                   .estimate = estimate,
                                   .lower = lower,
                                   .print = direct_print,
                                   .error = error,
                                   .prepared_bytes = prepared_bytes,
                                   .same_weights = weights_by_arithmetic,
                                   .space = direct_space,
                                   .explain = direct_explain};

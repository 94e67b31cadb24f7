// Transposed convolution by direct sums: the outputs of one residue modulo the stride are a small stride-1 convolution
// of their own. out o + pad = i * stride + k * dilation, so for o = r + stride * q the taps k with
// (r + pad - k * dilation) divisible by the stride read input q + (r + pad - k * dilation) / stride.
// A 2x2 kernel with stride 2 is four 1x1 convolutions, all in one visit (direct.c).
#include "solver/direct.h"
#include <string.h>

// Taps of one axis for residue r; their input offsets. Returns how many.
static int axis_taps(const Problem *p, int axis, int64_t r, int64_t *taps, int64_t *offsets) {
    int count = 0;
    for (int64_t k = 0; k < p->kernel[axis]; k++) {
        const int64_t at = r + p->pad_begin[axis] - k * p->dilation[axis];
        if (((at % p->stride[axis]) + p->stride[axis]) % p->stride[axis]) continue;
        if (taps) taps[count] = k, offsets[count] = at / p->stride[axis];
        count++;
    }
    return count;
}
static void border(const Problem *p, OperandNeed *need) {
    for (int axis = 0; axis < AXES; axis++)
        for (int64_t o = 0; o < p->out[0].size[axis]; o++) {
            // Only the first and the last outputs of each residue can reach beyond the input.
            if (o >= p->stride[axis] && o < p->out[0].size[axis] - p->stride[axis]) continue;
            for (int64_t k = 0; k < p->kernel[axis]; k++) {
                const int64_t at = o + p->pad_begin[axis] - k * p->dilation[axis];
                if (at % p->stride[axis]) continue;
                const int64_t i = at / p->stride[axis];
                need->before[axis] = MAX(need->before[axis], -i);
                need->after[axis] = MAX(need->after[axis], i - (p->in[0].size[axis] - 1));
            }
        }
}
static bool applicable(const Problem *p, const Kernels *kernels, Need *need) {
    if (p->has_pool || !p->weight) return false;
    for (int axis = 0; axis < AXES; axis++)
        if (p->kernel[axis] > 64 || p->stride[axis] > 16) return false;
    for (int i = 0; i < p->n_inputs; i++) need->in[i] = (OperandNeed){LAYOUT_BLOCKED, kernels->lanes, {0}, {0}};
    need->out[0] = (OperandNeed){LAYOUT_BLOCKED, kernels->lanes, {0}, {0}};
    border(p, &need->in[0]);
    return true;
}
static int configurations(const Problem *p, const Kernels *kernels, const Machine *machine, Configuration *out,
                          int max) {
    (void)kernels, (void)machine, (void)max;
    out[0] = (Configuration){.arithmetic = {direct_chunk(p)}};
    return 1;
}
static double estimate(const Problem *p, const Configuration *c, const Kernels *kernels, const Machine *machine) {
    return direct_estimate(p, c, kernels, machine, 0.7);
}
// The sweep of residues r[]; taps from all combinations of the axes' taps.
static Status make_sweep(const Problem *p, const int64_t r[AXES], Arena *arena, Sweep *sweep) {
    int64_t taps[AXES][64], offsets[AXES][64];
    int count[AXES];
    for (int axis = 0; axis < AXES; axis++) {
        count[axis] = axis_taps(p, axis, r[axis], taps[axis], offsets[axis]);
        sweep->o_first[axis] = r[axis];
    }
    sweep->taps = count[0] * count[1] * count[2];
    int32_t *offset = arena_array(arena, (size_t)MAX(sweep->taps, 1), sizeof *offset);
    int32_t *tap = arena_array(arena, (size_t)MAX(sweep->taps, 1), sizeof *tap);
    if (!offset || !tap) return fail_memory((size_t)sweep->taps * sizeof *tap);
    for (int t = 0; t < sweep->taps; t++) {
        const int w = t % count[2], h = t / count[2] % count[1], d = t / count[2] / count[1];
        const int64_t at = offsets[0][d] * p->in[0].stride[AXIS_D] + offsets[1][h] * p->in[0].stride[AXIS_H] +
                           offsets[2][w] * p->in[0].block;
        FAIL_IF(at > INT32_MAX || at < INT32_MIN, ST_UNSUPPORTED, "a convolution reaches too far: %lld values",
                (long long)at);
        offset[t] = (int32_t)at;
        tap[t] = (int32_t)((taps[0][d] * p->kernel[AXIS_H] + taps[1][h]) * p->kernel[AXIS_W] + taps[2][w]);
    }
    sweep->offset = offset, sweep->tap = tap;
    return ST_OK;
}
static Status lower(const Problem *p, const Configuration *c, Lowering *lowering) {
    const int64_t residues = p->stride[AXIS_D] * p->stride[AXIS_H] * p->stride[AXIS_W];
    Sweep *sweeps = arena_array(lowering->arena, (size_t)residues, sizeof *sweeps);
    if (!sweeps) return fail_memory((size_t)residues * sizeof *sweeps);
    int n = 0;
    for (int64_t i = 0; i < residues; i++) {
        const int64_t r[AXES] = {i / p->stride[AXIS_W] / p->stride[AXIS_H], i / p->stride[AXIS_W] % p->stride[AXIS_H],
                                 i % p->stride[AXIS_W]};
        bool any = true; // outputs with this residue
        for (int axis = 0; axis < AXES; axis++) any = any && r[axis] < p->out[0].size[axis];
        if (any) TRY(make_sweep(p, r, lowering->arena, &sweeps[n++]));
    }
    Direct direct = {.sweeps = sweeps,
                     .n_sweeps = n,
                     .i_step = {1, 1, 1},
                     .tap_run = 1,
                     .transposed_weights = true,
                     .schedule = c->schedule};
    memcpy(direct.o_step, p->stride, sizeof direct.o_step);
    return direct_lower(p, &direct, lowering);
}
static double error(const Problem *p, const Configuration *c, const Kernels *kernels) {
    return direct_error(p, c->arithmetic[0], kernels);
}
const Solver solver_conv_transpose = {.name = "conv_transpose",
                                      .version = 2,
                                      .kind = PROBLEM_CONV_TRANSPOSE,
                                      .applicable = applicable,
                                      .configurations = configurations,
                                      .estimate = estimate,
                                      .lower = lower,
                                      .print = direct_print,
                                      .error = error,
                                      .same_weights = weights_by_arithmetic,
                                      .space = direct_space,
                                      .explain = direct_explain};

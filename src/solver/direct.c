// Direct convolution by batch-reduce GEMM (Georganas et al., "Harnessing Deep Learning via a Single Building Block",
// 2020). A unit of work is some output rows of one panel of output channels:
//
//     for each chunk of input channels:                     weights of the chunk stream from L2
//         for each row, for each group of pixels:           groups of at most `kernels->rows`, evenly cut
//             sums[pixel][panel] += brgemm over (channel block, tap)
//     finish: bias, residual, activation, to the output's layout
//
// Weights: [panel][chunk][channel block][tap][depth][panel width], one linear stream in the order of use. A grouped
// convolution is dense over the channel blocks that a panel's groups touch, with zeros elsewhere.
// Error: chunks of DIRECT_CHUNK channels times taps in order, chunk sums in order.
#include "solver/direct.h"
#include "solver/conv.h"
#include <string.h>

enum { PIXELS_A_UNIT = 256 };

typedef struct Panel {
    int vectors;                 // 1 or 2 channel blocks
    int64_t block;               // first output channel block
    int64_t in_block, in_blocks; // the input channel blocks that it reads
    size_t weights;              // offset in floats
} Panel;

typedef struct SweepWork {
    const struct DirectWork *work;
    Sweep sweep;
    Panel *panels; // (n_panels)
    int64_t rows_a_unit, row_groups;
    int32_t *a_offset; // (chunk_blocks * taps)
    Ref weights;
} SweepWork;

typedef struct DirectWork {
    Problem problem;
    const Kernels *kernels;
    Ref in, out, residual, bias;
    bool transposed_weights;
    int n_panels;
    int64_t chunk_blocks; // input channel blocks in a chunk
    int depth;            // GEMM depth of a batch: channels of a pixel times tap_run
    int lanes_used;       // channels of a pixel that are read
} DirectWork;

static void direct_unit(const void *arguments, char *const *bases, int64_t unit, void *scratch) {
    const SweepWork *w = arguments;
    const DirectWork *d = w->work;
    const Problem *p = &d->problem;
    const Layout *in = &p->in[0], *out = &p->out[0], *res = &p->in[1];
    const Kernels *kernels = d->kernels;
    const Sweep *s = &w->sweep;
    const Panel *panel = &w->panels[unit % d->n_panels];
    int64_t rest = unit / d->n_panels;
    const int64_t row0 = rest % w->row_groups * w->rows_a_unit;
    rest /= w->row_groups;
    const int64_t qd = rest % s->count[AXIS_D], n = rest / s->count[AXIS_D];
    const int64_t rows = MIN(w->rows_a_unit, s->count[AXIS_H] - row0), width = s->count[AXIS_W];
    const int panel_width = panel->vectors * kernels->lanes;
    const int64_t groups = div_up(width, kernels->rows);
    const int64_t lda = s->i_step[AXIS_W] * in->block;
    const float *image =
        (const float *)ref_at(bases, d->in) + n * in->stride_n + qd * s->i_step[AXIS_D] * in->stride[AXIS_D];
    const float *weights = (const float *)ref_at(bases, w->weights) + panel->weights;
    float *sums = scratch;
    for (int64_t b0 = 0; b0 < panel->in_blocks; b0 += d->chunk_blocks) {
        const int64_t blocks = MIN(d->chunk_blocks, panel->in_blocks - b0);
        const int64_t stream = blocks * s->taps * d->depth * panel_width;
        const float *base = image + (panel->in_block + b0) * in->stride_block;
        for (int64_t r = 0; r < rows; r++) {
            const float *row = base + (row0 + r) * s->i_step[AXIS_H] * in->stride[AXIS_H];
            for (int64_t g = 0; g < groups; g++) {
                const int64_t x0 = width * g / groups, x1 = width * (g + 1) / groups;
                kernels->gemm[panel->vectors][x1 - x0](blocks * s->taps, w->a_offset, row + x0 * lda, lda, weights,
                                                       d->depth, sums + (r * width + x0) * panel_width, panel_width,
                                                       b0 > 0, (const char *)weights);
            }
        }
        weights += stream;
    }
    if (panel->in_blocks == 0 || s->taps == 0) memset(sums, 0, (size_t)(rows * width * panel_width) * sizeof(float));
    const Epilogue epilogue = conv_epilogue(p, bases, d->bias, panel->block, kernels->lanes);
    for (int64_t r = 0; r < rows; r++) {
        const int64_t od = s->o_first[AXIS_D] + qd * s->o_step[AXIS_D];
        const int64_t oh = s->o_first[AXIS_H] + (row0 + r) * s->o_step[AXIS_H];
        const float *residual = NULL;
        if (p->has_residual)
            residual = (const float *)ref_at(bases, d->residual) + n * res->stride_n +
                       panel->block * res->stride_block + od * res->stride[AXIS_D] + oh * res->stride[AXIS_H] +
                       s->o_first[AXIS_W] * res->block;
        float *to = (float *)ref_at(bases, d->out) + n * out->stride_n + panel->block * out->stride_block +
                    od * out->stride[AXIS_D] + oh * out->stride[AXIS_H] + s->o_first[AXIS_W] * out->block;
        kernels->finish(sums + r * width * panel_width, panel_width, (int)width, panel->vectors, &epilogue, residual,
                        res->stride_block, s->o_step[AXIS_W] * res->block, to, out->stride_block,
                        s->o_step[AXIS_W] * out->block);
    }
}

// The plain weight of output channel oc, input channel ic and tap; 0 outside of oc's group.
static float plain_weight(const DirectWork *d, int64_t oc, int64_t ic, int64_t tap) {
    const Problem *p = &d->problem;
    const int64_t icg = p->ic / p->group, ocg = p->oc / p->group;
    const int64_t taps = p->kernel[AXIS_D] * p->kernel[AXIS_H] * p->kernel[AXIS_W];
    if (oc >= p->oc || ic >= p->ic || oc / ocg != ic / icg) return 0;
    return d->transposed_weights ? p->weight[(ic * ocg + oc % ocg) * taps + tap]
                                 : p->weight[(oc * icg + ic % icg) * taps + tap];
}
// Packs the weights of one panel (see the top of this file).
static void prepare_unit(const void *arguments, char *const *bases, int64_t unit, void *scratch) {
    (void)scratch;
    const SweepWork *w = arguments;
    const DirectWork *d = w->work;
    const Panel *panel = &w->panels[unit];
    const int lanes = d->kernels->lanes, width = panel->vectors * lanes;
    float *to = (float *)ref_at(bases, w->weights) + panel->weights;
    for (int64_t b = 0; b < panel->in_blocks; b++)
        for (int t = 0; t < w->sweep.taps; t++)
            for (int k = 0; k < d->depth; k++) {
                const int64_t ic = (panel->in_block + b) * d->problem.in[0].block + k % d->lanes_used;
                const int64_t tap = w->sweep.tap[t * w->sweep.tap_run + k / d->lanes_used];
                for (int j = 0; j < width; j++) *to++ = plain_weight(d, panel->block * lanes + j, ic, tap);
            }
}
// Cuts the output channels into panels of two blocks (the last may be one) and finds what each reads.
static Status make_panels(const DirectWork *d, const Sweep *sweep, Arena *arena, Panel **out, size_t *floats) {
    const Problem *p = &d->problem;
    const int lanes = d->kernels->lanes;
    const int64_t icg = p->ic / p->group, ocg = p->oc / p->group;
    Panel *panels = arena_array(arena, (size_t)d->n_panels, sizeof *panels);
    if (!panels) return fail_memory((size_t)d->n_panels * sizeof *panels);
    *floats = 0;
    for (int i = 0; i < d->n_panels; i++) {
        Panel *panel = &panels[i];
        panel->block = (int64_t)i * GEMM_MAX_VECTORS;
        panel->vectors = (int)MIN(GEMM_MAX_VECTORS, p->out[0].blocks - panel->block);
        const int64_t oc0 = panel->block * lanes, oc1 = MIN(oc0 + panel->vectors * lanes, p->oc);
        const int64_t ic0 = oc0 / ocg * icg, ic1 = ((oc1 - 1) / ocg + 1) * icg;
        panel->in_block = ic0 / p->in[0].block;
        panel->in_blocks = div_up(ic1, p->in[0].block) - panel->in_block;
        panel->weights = *floats;
        *floats += (size_t)(panel->in_blocks * sweep->taps * d->depth * panel->vectors * lanes);
    }
    *out = panels;
    return ST_OK;
}
static Status make_offsets(const DirectWork *d, const Sweep *sweep, Arena *arena, int32_t **out) {
    const size_t count = (size_t)(d->chunk_blocks * MAX(sweep->taps, 1));
    int32_t *offsets = arena_array(arena, count, sizeof *offsets);
    if (!offsets) return fail_memory(count * sizeof *offsets);
    for (int64_t b = 0; b < d->chunk_blocks; b++)
        for (int t = 0; t < sweep->taps; t++) {
            const int64_t at = b * d->problem.in[0].stride_block + sweep->offset[t];
            FAIL_IF(at > INT32_MAX || at < INT32_MIN, ST_UNSUPPORTED, "a layer's input is too large: %lld values apart",
                    (long long)at);
            offsets[b * sweep->taps + t] = (int32_t)at;
        }
    *out = offsets;
    return ST_OK;
}
static Status lower_sweep(DirectWork *d, const Sweep *sweep, Lowering *lowering) {
    SweepWork *w = arena_alloc(lowering->arena, sizeof *w);
    if (!w) return fail_memory(sizeof *w);
    size_t floats;
    *w = (SweepWork){.work = d, .sweep = *sweep};
    TRY(make_panels(d, sweep, lowering->arena, &w->panels, &floats));
    TRY(make_offsets(d, sweep, lowering->arena, &w->a_offset));
    w->weights = lowering_weights(lowering, floats * sizeof(float));
    w->rows_a_unit = MAX(1, MIN(sweep->count[AXIS_H], PIXELS_A_UNIT / MAX(sweep->count[AXIS_W], 1)));
    w->row_groups = div_up(sweep->count[AXIS_H], w->rows_a_unit);
    w->rows_a_unit = div_up(sweep->count[AXIS_H], MAX(w->row_groups, 1)); // evenly
    w->row_groups = div_up(sweep->count[AXIS_H], MAX(w->rows_a_unit, 1));
    const int64_t units = d->problem.out[0].n * sweep->count[AXIS_D] * w->row_groups * d->n_panels;
    const size_t scratch =
        (size_t)(w->rows_a_unit * sweep->count[AXIS_W]) * GEMM_MAX_VECTORS * (size_t)d->kernels->lanes * sizeof(float);
    TRY(lowering_prepare(lowering, prepare_unit, w, d->n_panels, 0));
    return lowering_phase(lowering, direct_unit, w, units, scratch);
}
Status direct_lower(const Problem *problem, const Direct *direct, Lowering *lowering) {
    DirectWork *d = arena_alloc(lowering->arena, sizeof *d);
    if (!d) return fail_memory(sizeof *d);
    const int block = problem->in[0].block;
    *d = (DirectWork){.problem = *problem,
                      .kernels = lowering->kernels,
                      .in = lowering->in[0],
                      .residual = lowering->in[1],
                      .out = lowering->out[0],
                      .transposed_weights = direct->transposed_weights};
    d->n_panels = (int)div_up(problem->out[0].blocks, GEMM_MAX_VECTORS);
    d->chunk_blocks = MIN(problem->in[0].blocks, MAX(1, DIRECT_CHUNK / block));
    d->lanes_used = problem->in[0].blocks == 1 ? (int)problem->ic : block;
    d->depth = d->lanes_used * (direct->n_sweeps ? direct->sweeps[0].tap_run : 1);
    TRY(conv_lower_bias(problem, lowering, &d->bias));
    for (int i = 0; i < direct->n_sweeps; i++) {
        TRY(lower_sweep(d, &direct->sweeps[i], lowering));
        if (i) lowering->phases[lowering->n_phases - 1].joins_previous = true; // disjoint outputs
    }
    return ST_OK;
}

double direct_estimate(const Problem *problem, const Kernels *kernels, const Machine *machine, double efficiency) {
    const double lanes = kernels->lanes, panel = GEMM_MAX_VECTORS * lanes;
    // Channels that are computed for nothing: blocks that are not full, groups that share a panel.
    const double oc = (double)problem->oc, icg = (double)problem->ic / (double)problem->group;
    const double groups_a_panel = problem->group > 1 ? MAX(1, panel / (oc / (double)problem->group)) : 1;
    double waste = (double)round_up(problem->oc, kernels->lanes) / oc * groups_a_panel;
    if (icg > 4) waste *= (double)round_up((int64_t)(icg * groups_a_panel), kernels->lanes) / (icg * groups_a_panel);
    // Registers: a tail group of few rows leaves the multiply-add units waiting for latency.
    const double width = (double)MAX(problem->out[0].size[AXIS_W], 1);
    const double rows = width / (double)div_up((int64_t)width, kernels->rows);
    const double registers = MIN(1.0, rows * MIN(GEMM_MAX_VECTORS, (double)problem->out[0].blocks) / 8);
    const double compute = problem_flop(problem) * waste / (kernels->flop_per_cycle * efficiency * registers);
    // A panel's weights are read again for each group of rows, from L2 while they fit.
    const double taps = (double)(problem->kernel[0] * problem->kernel[1] * problem->kernel[2]);
    const double units = (double)div_up(shape_count(&problem->out[0].shape) / MAX(problem->oc, 1), PIXELS_A_UNIT);
    const double bytes = 4 * taps * (double)problem->ic / (double)problem->group * oc;
    const double rate = bytes < (double)machine->l2 / 2 ? 32 : 8;
    return (compute + units * bytes / rate) / problem->threads + 4000;
}

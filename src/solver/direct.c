// Direct convolution by batch-reduce GEMM (Georganas et al., "Harnessing Deep Learning via a Single Building Block",
// 2020). A visit is the sweeps that share their input and together make whole output rows; a unit of work is some
// rows of it, of one panel of output channels:
//
//     for each chunk of input channels:                     weights of the chunk stream from L2
//         for each sweep, row, group of pixels:             groups of at most `kernels->rows`, evenly cut
//             sums[output pixel][panel] += brgemm over (channel block, tap)
//     finish: bias, residual, activation, whole rows to the output's layout; of a convolution whose activation is a
//             bound (ReLU, a clip) in the last product's registers
//
// A transposed convolution 2x2 with stride 2: each input pixel is read once and gives four outputs, the sums of the
// two sweeps of an output row lie interleaved as the row does, and a row is written in one go:
//
//     input row    a       b            sums, line 0    a00 a01 b00 b01 ...    -> output row 2q
//                                       sums, line 1    a10 a11 b10 b11 ...    -> output row 2q + 1
//
// Weights: [panel][chunk][sweep][channel block][tap][depth][panel width], one linear stream in the order of use. A
// grouped convolution is dense over the channel blocks that a panel's groups touch, with zeros elsewhere.
// Error: chunks of direct_chunk channels times taps in order, chunk sums in order.
#include "solver/direct.h"
#include "solver/conv.h"
#include "solver/explain.h"
#include "solver/space.h"
#include <string.h>

// Pixels are the input's; fewer than FEWEST_PIXELS would read weights too often. More lines than MOST_LINES (large
// strides) are visited one by one.
enum { PIXELS_A_UNIT = 256, FEWEST_PIXELS = 64, MOST_LINES = 8 };

typedef struct Panel {
    int vectors;                 // 1 or 2 channel blocks
    int64_t block;               // first output channel block
    int64_t in_block, in_blocks; // the input channel blocks that it reads
    size_t weights;              // offset in floats
} Panel;

typedef struct DirectWork {
    Problem problem;
    Direct direct; // without its sweeps
    const Kernels *kernels;
    Ref in, out, residual, bias;
    bool by_panels, fetches; // the schedule (direct.h)
    int rows;
    int n_panels;
    int64_t chunk_blocks; // input channel blocks in a chunk
    int depth;            // GEMM depth of a batch: channels of a pixel times tap_run
    int lanes_used;       // channels of a pixel that are read
} DirectWork;

typedef struct Visit {
    const DirectWork *work;
    const Sweep *sweeps; // (n_sweeps)
    int n_sweeps;
    int64_t taps;       // of all sweeps
    int32_t **a_offset; // (n_sweeps)(chunk_blocks * taps)
    Panel *panels;      // (n_panels)
    Ref weights;
    int64_t lines;  // output rows (d, h) that one input row gives
    int64_t pixels; // of a row of sums: the output's, with those of the last sweeps that it lacks
    int64_t depth, rows_a_unit, row_groups;
    int64_t units_a_panel;
    bool in_registers; // output rows are finished there
} Visit;

// The rows that a unit makes.
typedef struct UnitRows {
    const Panel *panel;
    int64_t n, qd, row0, rows; // input position before strides
    int panel_width;
    float *sums; // (lines, rows, pixels, panel_width)
} UnitRows;

// How many outputs a sweep has along an axis.
static int64_t sweep_count(const DirectWork *d, const Sweep *s, int axis) {
    const int64_t size = d->problem.out[0].size[axis] - s->o_first[axis];
    return size > 0 ? div_up(size, d->direct.o_step[axis]) : 0;
}
static float *sums_row(const Visit *v, const UnitRows *u, int64_t line, int64_t r) {
    return u->sums + (line * u->rows + r) * v->pixels * u->panel_width;
}
// The same from row r and pixel x of the unit on.
static GemmFinish finish_at(const DirectWork *d, const GemmFinish *finish, int64_t r, int64_t x, const float *sums,
                            int64_t ldc) {
    const Layout *out = &d->problem.out[0], *res = &d->problem.in[1];
    GemmFinish here = *finish;
    here.sums = sums, here.ldc = ldc;
    here.out += r * out->stride[AXIS_H] + x * out->block;
    if (here.residual) here.residual += r * res->stride[AXIS_H] + x * res->block;
    return here;
}
// Adds the products of `blocks` input channel blocks from `image` on to the sums of sweep number `index`. finish: NULL,
// or where the rows go with the last of them, and how.
static void add_sweep(const Visit *v, const UnitRows *u, int index, const float *image, int64_t blocks,
                      const float *weights, bool accumulate, const GemmFinish *finish) {
    const DirectWork *d = v->work;
    const Sweep *s = &v->sweeps[index], *first = &v->sweeps[0];
    const Kernels *kernels = d->kernels;
    const Layout *in = &d->problem.in[0];
    const int64_t *i_step = d->direct.i_step, *o_step = d->direct.o_step;
    const int64_t line =
        (s->o_first[AXIS_D] - first->o_first[AXIS_D]) * o_step[AXIS_H] + s->o_first[AXIS_H] - first->o_first[AXIS_H];
    const int64_t rows = MIN(u->rows, sweep_count(d, s, AXIS_H) - u->row0), width = sweep_count(d, s, AXIS_W);
    if (u->qd >= sweep_count(d, s, AXIS_D)) return;
    const int64_t groups = div_up(width, d->rows), lda = i_step[AXIS_W] * in->block;
    const int64_t ldc = o_step[AXIS_W] * u->panel_width, stream = blocks * s->taps * d->depth * u->panel_width;
    for (int64_t r = 0; r < rows; r++) {
        const float *row = image + (u->row0 + r) * i_step[AXIS_H] * in->stride[AXIS_H];
        float *sums = sums_row(v, u, line, r) + s->o_first[AXIS_W] * u->panel_width;
        for (int64_t g = 0, x0 = 0, count; g < groups; g++, x0 += count) {
            count = share_of(width, groups, g);
            const char *ahead = d->fetches && r + g == 0 ? (const char *)(weights + stream) : NULL;
            if (finish) {
                const GemmFinish here = finish_at(d, finish, r, x0, accumulate ? sums + x0 * ldc : NULL, ldc);
                kernels->gemm_finish[u->panel->vectors][count](blocks * s->taps, v->a_offset[index], row + x0 * lda,
                                                               lda, weights, d->depth, &here, ahead);
                continue;
            }
            kernels->gemm[u->panel->vectors][count](blocks * s->taps, v->a_offset[index], row + x0 * lda, lda, weights,
                                                    d->depth, sums + x0 * ldc, ldc, accumulate, ahead);
        }
    }
}
static void finish_row(const Visit *v, const UnitRows *u, char *const *bases, int64_t od, int64_t oh,
                       const float *sums) {
    const DirectWork *d = v->work;
    const Problem *p = &d->problem;
    const Layout *out = &p->out[0], *res = &p->in[1];
    const Panel *panel = u->panel;
    const Epilogue epilogue = conv_epilogue(p, bases, d->bias, panel->block, d->kernels->lanes);
    const float *residual = NULL;
    if (p->has_residual)
        residual = (const float *)ref_at(bases, d->residual) + u->n * res->stride_n + panel->block * res->stride_block +
                   od * res->stride[AXIS_D] + oh * res->stride[AXIS_H];
    float *to = (float *)ref_at(bases, d->out) + u->n * out->stride_n + panel->block * out->stride_block +
                od * out->stride[AXIS_D] + oh * out->stride[AXIS_H];
    d->kernels->finish(sums, u->panel_width, (int)out->size[AXIS_W], panel->vectors, &epilogue, residual,
                       res->stride_block, res->block, to, out->stride_block, out->block);
}
static void finish_rows(const Visit *v, const UnitRows *u, char *const *bases) {
    const DirectWork *d = v->work;
    const int64_t *o_step = d->direct.o_step, *o_first = v->sweeps[0].o_first;
    const Layout *out = &d->problem.out[0];
    for (int64_t line = 0; line < v->lines; line++)
        for (int64_t r = 0; r < u->rows; r++) {
            const int64_t od = o_first[AXIS_D] + u->qd * o_step[AXIS_D] + line / o_step[AXIS_H];
            const int64_t oh = o_first[AXIS_H] + (u->row0 + r) * o_step[AXIS_H] + line % o_step[AXIS_H];
            if (od < out->size[AXIS_D] && oh < out->size[AXIS_H])
                finish_row(v, u, bases, od, oh, sums_row(v, u, line, r));
        }
}
static GemmFinish finish_of(const Visit *v, const UnitRows *u, char *const *bases) {
    const DirectWork *d = v->work;
    const Problem *p = &d->problem;
    const Layout *out = &p->out[0], *res = &p->in[1];
    const int64_t block = u->panel->block, oh = u->row0, od = u->qd;
    const Epilogue epilogue = conv_epilogue(p, bases, d->bias, block, d->kernels->lanes);
    GemmFinish f = {.bias = epilogue.bias};
    activation_bounds(p->activation, &f.least, &f.most);
    if (p->has_residual)
        f.residual = (const float *)ref_at(bases, d->residual) + u->n * res->stride_n + block * res->stride_block +
                     od * res->stride[AXIS_D] + oh * res->stride[AXIS_H];
    f.residual_block = res->stride_block, f.residual_row = res->block;
    f.out = (float *)ref_at(bases, d->out) + u->n * out->stride_n + block * out->stride_block +
            od * out->stride[AXIS_D] + oh * out->stride[AXIS_H];
    f.out_block = out->stride_block, f.out_row = out->block;
    return f;
}
static void visit_unit(const void *arguments, char *const *bases, int64_t unit, void *scratch) {
    const Visit *v = arguments;
    const DirectWork *d = v->work;
    const Layout *in = &d->problem.in[0];
    const Panel *panel = &v->panels[d->by_panels ? unit / v->units_a_panel : unit % d->n_panels];
    const int64_t group = d->by_panels ? unit % v->units_a_panel : unit / d->n_panels, slice = group / v->row_groups;
    UnitRows u = {.panel = panel, .panel_width = panel->vectors * d->kernels->lanes, .sums = scratch};
    u.row0 = group % v->row_groups * v->rows_a_unit, u.qd = slice % v->depth, u.n = slice / v->depth;
    u.rows = MIN(v->rows_a_unit, sweep_count(d, v->sweeps, AXIS_H) - u.row0);
    const float *image =
        (const float *)ref_at(bases, d->in) + u.n * in->stride_n + u.qd * d->direct.i_step[AXIS_D] * in->stride[AXIS_D];
    const float *weights = (const float *)ref_at(bases, v->weights) + panel->weights;
    const GemmFinish finish = v->in_registers ? finish_of(v, &u, bases) : (GemmFinish){0};
    for (int64_t b0 = 0; b0 < panel->in_blocks; b0 += d->chunk_blocks) {
        const int64_t blocks = MIN(d->chunk_blocks, panel->in_blocks - b0);
        const bool last = b0 + blocks == panel->in_blocks;
        for (int i = 0; i < v->n_sweeps; i++) {
            add_sweep(v, &u, i, image + (panel->in_block + b0) * in->stride_block, blocks, weights, b0 > 0,
                      last && v->in_registers ? &finish : NULL);
            weights += blocks * v->sweeps[i].taps * d->depth * u.panel_width;
        }
    }
    if (!v->in_registers) finish_rows(v, &u, bases);
}

// The plain weight of output channel oc, input channel ic and tap; 0 outside of oc's group.
static float plain_weight(const DirectWork *d, int64_t oc, int64_t ic, int64_t tap) {
    const Problem *p = &d->problem;
    const int64_t icg = p->ic / p->group, ocg = p->oc / p->group;
    const int64_t taps = problem_taps(p);
    if (oc >= p->oc || ic >= p->ic || oc / ocg != ic / icg) return 0;
    return d->direct.transposed_weights ? p->weight[(ic * ocg + oc % ocg) * taps + tap]
                                        : p->weight[(oc * icg + ic % icg) * taps + tap];
}
// The same for `count` output channels in a row, from oc on.
static void plain_weights(const DirectWork *d, int64_t oc, int count, int64_t ic, int64_t tap, float *to) {
    const Problem *p = &d->problem;
    int j = 0;
    if (p->group == 1 && ic < p->ic) { // by far the most weights
        const int64_t taps = problem_taps(p), step = d->direct.transposed_weights ? taps : p->ic * taps;
        const float *from = p->weight + tap + (d->direct.transposed_weights ? ic * p->oc : ic) * taps + oc * step;
        for (const int had = (int)MIN(count, p->oc - oc); j < had; j++) to[j] = from[j * step];
    }
    for (; j < count; j++) to[j] = plain_weight(d, oc + j, ic, tap);
}
// Packs the weights of one panel (see the top of this file).
static void prepare_unit(const void *arguments, char *const *bases, int64_t unit, void *scratch) {
    (void)scratch;
    const Visit *v = arguments;
    const DirectWork *d = v->work;
    const Panel *panel = &v->panels[unit];
    const int lanes = d->kernels->lanes, width = panel->vectors * lanes;
    float *to = (float *)ref_at(bases, v->weights) + panel->weights;
    for (int64_t b0 = 0; b0 < panel->in_blocks; b0 += d->chunk_blocks)
        for (int i = 0; i < v->n_sweeps; i++) {
            const Sweep *s = &v->sweeps[i];
            const int64_t batches = MIN(d->chunk_blocks, panel->in_blocks - b0) * s->taps;
            for (int64_t batch = 0; batch < batches; batch++)
                for (int k = 0; k < d->depth; k++) {
                    const int64_t block = panel->in_block + b0 + batch / s->taps;
                    const int64_t ic = block * d->problem.in[0].block + k % d->lanes_used;
                    const int64_t tap = s->tap[batch % s->taps * d->direct.tap_run + k / d->lanes_used];
                    plain_weights(d, panel->block * lanes, width, ic, tap, to);
                    to += width;
                }
        }
}
// Cuts the output channels into panels of two blocks (the last may be one) and finds what each reads.
static Status make_panels(const DirectWork *d, int64_t taps, Arena *arena, Panel **out, size_t *floats) {
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
        *floats += (size_t)(panel->in_blocks * taps * d->depth * panel->vectors * lanes);
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
// Rows a unit: about PIXELS_A_UNIT of the input, as long as their sums take a quarter of L2 at most; evenly cut. With
// one tap the panels that follow each other on the same rows read them at 4 bytes a cycle, so half of L2 has to hold
// them; but fewer rows read the weights more often, which are the larger part where there are more channels than
// pixels.
static int64_t usual_rows(const Problem *p, int64_t height, int64_t width, int64_t row_bytes, int64_t taps,
                          int64_t pixel_bytes, const Machine *machine) {
    int64_t most = MIN(PIXELS_A_UNIT / MAX(width, 1), (int64_t)machine->l2 / 4 / MAX(row_bytes, 1));
    const int64_t fit = (int64_t)machine->l2 / 2 / MAX(pixel_bytes, 1);
    if (taps == 1 && height * width > p->oc) most = MIN(most, MAX(fit, FEWEST_PIXELS) / MAX(width, 1));
    const int64_t rows = MAX(1, MIN(height, most));
    return div_up(height, MAX(div_up(height, rows), 1));
}
static void cut_rows(Visit *v, const Machine *machine) {
    const DirectWork *d = v->work;
    const Layout *in = &d->problem.in[0];
    const int64_t height = sweep_count(d, v->sweeps, AXIS_H), width = sweep_count(d, v->sweeps, AXIS_W);
    v->pixels = width * d->direct.o_step[AXIS_W];
    v->depth = sweep_count(d, v->sweeps, AXIS_D);
    const int64_t row_bytes = v->lines * v->pixels * GEMM_MAX_VECTORS * d->kernels->lanes * (int64_t)sizeof(float);
    const int64_t asked = d->direct.schedule[DIRECT_ROWS];
    v->rows_a_unit = asked ? MAX(1, MIN(height, asked))
                           : usual_rows(&d->problem, height, width, row_bytes, v->taps,
                                        in->blocks * in->block * (int64_t)sizeof(float), machine);
    v->row_groups = div_up(height, MAX(v->rows_a_unit, 1));
    v->units_a_panel = d->problem.out[0].n * v->depth * v->row_groups;
}
// Whether output rows can be finished in registers: each row is of one sweep, and the function is a pair of bounds.
static bool finishes_in_registers(const Visit *v) {
    const int64_t *step = v->work->direct.o_step;
    float least, most;
    return v->n_sweeps == 1 && step[AXIS_D] == 1 && step[AXIS_H] == 1 && step[AXIS_W] == 1 && v->sweeps->taps > 0 &&
           activation_bounds(v->work->problem.activation, &least, &most);
}
static Status lower_visit(const DirectWork *d, const Sweep *sweeps, int n_sweeps, int64_t lines, Lowering *lowering) {
    Arena *arena = lowering->arena;
    Visit *v = arena_alloc(arena, sizeof *v);
    if (!v) return fail_memory(sizeof *v);
    *v = (Visit){.work = d, .sweeps = sweeps, .n_sweeps = n_sweeps, .lines = lines};
    v->a_offset = arena_array(arena, (size_t)n_sweeps, sizeof *v->a_offset);
    if (!v->a_offset) return fail_memory((size_t)n_sweeps * sizeof *v->a_offset);
    for (int i = 0; i < n_sweeps; i++) {
        TRY(make_offsets(d, &sweeps[i], arena, &v->a_offset[i]));
        v->taps += sweeps[i].taps;
    }
    size_t floats;
    TRY(make_panels(d, v->taps, arena, &v->panels, &floats));
    v->weights = lowering_weights(lowering, floats * sizeof(float));
    cut_rows(v, lowering->machine);
    v->in_registers = finishes_in_registers(v);
    const size_t scratch =
        (size_t)(lines * v->rows_a_unit * v->pixels) * GEMM_MAX_VECTORS * (size_t)d->kernels->lanes * sizeof(float);
    TRY(lowering_prepare(lowering, prepare_unit, v, d->n_panels, 0));
    return lowering_phase(lowering, visit_unit, v, v->units_a_panel * d->n_panels, scratch);
}
// Whether two sweeps make pixels of the same output rows.
static bool same_line(const Sweep *a, const Sweep *b) {
    return a->o_first[AXIS_D] == b->o_first[AXIS_D] && a->o_first[AXIS_H] == b->o_first[AXIS_H];
}
Status direct_lower(const Problem *problem, const Direct *direct, Lowering *lowering) {
    DirectWork *d = arena_alloc(lowering->arena, sizeof *d);
    if (!d) return fail_memory(sizeof *d);
    const int block = problem->in[0].block;
    *d =
        (DirectWork){.problem = *problem,
                     .direct = *direct,
                     .kernels = lowering->kernels,
                     .in = lowering->in[0],
                     .residual = lowering->in[1],
                     .out = lowering->out[0],
                     .by_panels = direct->schedule[DIRECT_BY_PANELS],
                     .fetches = direct->schedule[DIRECT_FETCH],
                     .rows = direct->schedule[DIRECT_GROUP] ? direct->schedule[DIRECT_GROUP] : lowering->kernels->rows};
    d->n_panels = (int)div_up(problem->out[0].blocks, GEMM_MAX_VECTORS);
    d->chunk_blocks = MIN(problem->in[0].blocks, MAX(1, direct_chunk(problem) / block));
    d->lanes_used = problem->in[0].blocks == 1 ? (int)problem->ic : block;
    d->depth = d->lanes_used * direct->tap_run;
    TRY(conv_lower_bias(problem, lowering, &d->bias));
    int64_t lines = direct->o_step[AXIS_D] * direct->o_step[AXIS_H];
    if (lines > MOST_LINES) lines = 1;
    for (int first = 0, end; first < direct->n_sweeps; first = end) {
        for (end = first + 1; end < direct->n_sweeps; end++)
            if (lines == 1 && !same_line(&direct->sweeps[first], &direct->sweeps[end])) break;
        TRY(lower_visit(d, &direct->sweeps[first], end - first, lines, lowering));
        if (first) lowering->phases[lowering->n_phases - 1].joins_previous = true; // disjoint outputs
    }
    return ST_OK;
}

int direct_chunk(const Problem *problem) {
    int64_t taps = 1; // of one output
    for (int axis = 0; axis < AXES; axis++)
        taps *= problem->kind == PROBLEM_CONV_TRANSPOSE ? div_up(problem->kernel[axis], problem->stride[axis])
                                                        : problem->kernel[axis];
    const int64_t channels = DIRECT_TERMS / taps / DIRECT_LEAST * DIRECT_LEAST;
    return (int)MAX(DIRECT_LEAST, MIN(channels, DIRECT_MOST));
}
double direct_error(const Problem *problem, int chunk, const Kernels *kernels) {
    const double taps = (double)problem_taps(problem);
    const double channels = (double)(problem->ic / problem->group);
    return chain_error(kernels, taps * MIN(chunk, channels) + channels / chunk);
}
// ---- Schedules

// A layer as its schedules see it, from what a problem says before its layouts are final.
typedef struct Sizes {
    int64_t slices, height, width;     // of the input positions that outputs come from
    int64_t lines, row_bytes;          // of sums
    int64_t panels, pixel_bytes, taps; // taps: of all sweeps
    double weights;                    // bytes
    int64_t usual;                     // rows a unit
} Sizes;
static Sizes sizes_of(const Problem *p, const Kernels *kernels, const Machine *machine) {
    const Layout *out = &p->out[0];
    int64_t step[AXES] = {1, 1, 1};
    for (int axis = 0; axis < AXES && p->kind == PROBLEM_CONV_TRANSPOSE; axis++) step[axis] = p->stride[axis];
    const int64_t images = out->shape.rank > 0 ? out->shape.dim[0] : 1;
    Sizes s = {.slices = images * div_up(out->size[AXIS_D], step[AXIS_D]),
               .height = div_up(out->size[AXIS_H], step[AXIS_H]),
               .width = div_up(out->size[AXIS_W], step[AXIS_W]),
               .lines = step[AXIS_D] * step[AXIS_H],
               .panels = div_up(div_up(p->oc, kernels->lanes), GEMM_MAX_VECTORS),
               .pixel_bytes = round_up(p->ic, kernels->lanes) * (int64_t)sizeof(float),
               .taps = problem_taps(p)};
    if (s.lines > MOST_LINES) s.lines = 1;
    s.row_bytes = s.lines * s.width * step[AXIS_W] * GEMM_MAX_VECTORS * kernels->lanes * (int64_t)sizeof(float);
    s.weights = 4.0 * (double)(s.taps * p->ic / p->group * p->oc);
    s.usual = usual_rows(p, s.height, s.width, s.row_bytes, s.taps, s.pixel_bytes, machine);
    return s;
}
bool direct_space(const Problem *p, const Kernels *kernels, const Machine *machine, ConfigurationVisitor *visit,
                  void *context) {
    const Sizes s = sizes_of(p, kernels, machine);
    const Configuration c = {.arithmetic = {direct_chunk(p)}};
    const Knob rows = knob_cuts(DIRECT_ROWS, s.height, s.usual, (int64_t)machine->l2 / 2 / MAX(s.row_bytes, 1));
    for (int i = 0; i < rows.count; i++) {
        const int64_t each = rows.value[i] ? rows.value[i] : s.usual;
        const bool several = s.slices * div_up(s.height, MAX(each, 1)) > 1 && s.panels > 1;
        const Knob knobs[] = {knob(DIRECT_ROWS, rows.value[i]), knob_switch(DIRECT_BY_PANELS, several),
                              knob_switch(DIRECT_FETCH, s.weights > 0.25 * (double)machine->l2),
                              knob_groups(DIRECT_GROUP, s.width, kernels->rows)};
        if (!knobs_visit(&c, knobs, COUNT_OF(knobs), visit, context)) return false;
    }
    return true;
}
void direct_explain(const Problem *p, const Configuration *c, const Kernels *kernels, const Machine *machine,
                    Text *text) {
    const Sizes s = sizes_of(p, kernels, machine);
    const int64_t panel = GEMM_MAX_VECTORS * kernels->lanes, ocg = p->oc / p->group, icg = p->ic / p->group;
    explain_places(text, "output channels", p->oc, round_up(p->oc, kernels->lanes));
    if (p->group > 1 && ocg < panel) // a panel's products with other groups' channels are with zeros
        explain_places(text, "channels of groups", icg, round_up(icg * (panel / ocg), kernels->lanes));
    explain_groups(text, "pixels of a row", s.width,
                   c->schedule[DIRECT_GROUP] ? c->schedule[DIRECT_GROUP] : kernels->rows);
    explain_beyond_l2(text, "weights", c->schedule[DIRECT_BY_PANELS] ? s.weights / (double)s.panels : s.weights,
                      machine, c->schedule[DIRECT_FETCH] ? ", fetched ahead" : "");
}
void direct_print(const Configuration *c, Text *text) {
    const int32_t *n = c->schedule;
    text_add(text, "chunk %d", (int)c->arithmetic[0]);
    if (n[DIRECT_ROWS]) text_add(text, ", %d rows a unit", (int)n[DIRECT_ROWS]);
    if (n[DIRECT_BY_PANELS]) text_add(text, ", panel by panel");
    if (n[DIRECT_FETCH]) text_add(text, ", weights fetched ahead");
    if (n[DIRECT_GROUP]) text_add(text, ", at most %d pixels at once", (int)n[DIRECT_GROUP]);
}
// Cycles of a schedule on all threads, by which it is compared with the usual one; compute: its products.
static double schedule_cycles(const Problem *p, const Sizes *s, const int32_t *schedule, double compute,
                              const Kernels *kernels, const Machine *machine) {
    const int64_t rows = schedule[DIRECT_ROWS] ? schedule[DIRECT_ROWS] : s->usual;
    const int most = schedule[DIRECT_GROUP] ? schedule[DIRECT_GROUP] : kernels->rows;
    const double groups = (double)(s->slices * div_up(s->height, MAX(rows, 1))),
                 units = MAX(groups * (double)s->panels, 1);
    const double width = (double)MAX(s->width, 1), filled = width / (double)div_up((int64_t)width, most);
    const double registers = MIN(1.0, filled * (double)MIN(GEMM_MAX_VECTORS, div_up(p->oc, kernels->lanes)) / 8);
    // Pixels come from where they are: of all rows for each panel, or of a unit's rows.
    const double image = (double)(s->height * s->width * s->pixel_bytes);
    const double held = schedule[DIRECT_BY_PANELS] ? image : image * (double)rows / (double)MAX(s->height, 1);
    const double pixels = (double)s->slices * image * (double)s->panels / (held < 0.5 * (double)machine->l2 ? 64 : 10);
    // Weights stream by for each unit: from L2 where they, or a panel's, stay there.
    const double stay = schedule[DIRECT_BY_PANELS] ? s->weights / (double)s->panels : s->weights;
    const double rate = stay < 0.5 * (double)machine->l2 ? 32 : schedule[DIRECT_FETCH] ? 16 : 8;
    const double fetch = schedule[DIRECT_FETCH] ? 0.07 * compute / MAX(1.0, (double)rows * width / most) : 0;
    const double sums = (double)(rows * s->row_bytes);
    const double beyond = sums > 0.5 * (double)machine->l1d
                              ? (double)s->slices * (double)s->height * (double)(s->row_bytes * s->panels) / 32
                              : 0;
    const double wait = (double)(div_up((int64_t)units, p->threads) * p->threads) / units;
    return (compute / registers + pixels + groups * s->weights / rate + fetch + beyond + 300 * units) * wait;
}
double direct_estimate(const Problem *problem, const Configuration *configuration, const Kernels *kernels,
                       const Machine *machine, double efficiency) {
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
    const double compute = problem_flop(problem) * waste / (kernels_peak(kernels, machine) * efficiency * registers);
    // A panel's weights are read again for each group of rows, from L2 while they fit.
    const double taps = (double)problem_taps(problem);
    const double units = (double)div_up(shape_count(&problem->out[0].shape) / MAX(problem->oc, 1), PIXELS_A_UNIT);
    const double bytes = 4 * taps * (double)problem->ic / (double)problem->group * oc;
    const double rate = bytes < (double)machine->l2 / 2 ? 32 : 8;
    const double usual = (compute + units * bytes / rate) / problem->threads + 4000;
    static const int32_t zeros[CONFIGURATION_NUMBERS];
    if (!memcmp(configuration->schedule, zeros, sizeof zeros)) return usual;
    const Sizes s = sizes_of(problem, kernels, machine);
    return usual * schedule_cycles(problem, &s, configuration->schedule, compute * registers, kernels, machine) /
           schedule_cycles(problem, &s, zeros, compute * registers, kernels, machine);
}

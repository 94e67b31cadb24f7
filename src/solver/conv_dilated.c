// A convolution whose taps lie far apart, tap by tap: where dilation nears the size of the picture (the pyramids of
// DeepLab: 12, 24 and 36 on 32x32 pixels), most products of a direct convolution are with the zeros around it. Here a
// tap is a product of its own over the pixels that it meets inside, and taps that meet none are left out, weights and
// all. No border is needed.
//
//     dilation 12 on 16 pixels      output columns   0 ........ 3 | 4 ....... 11 | 12 ....... 15
//                                   left tap                                        x x x x
//                                   middle tap       x x x x x x x x x x x x x x x x x x x x
//                                   right tap        x x x x
//
// A unit of work is some rows of one panel of output channels:
//
//     sums = 0
//     for each chunk of input channels, tap:                weights: one linear stream
//         for each row, group of pixels that the tap meets: groups of at most `kernels->rows`, evenly cut
//             sums[output pixel][panel] += brgemm over the chunk's channel blocks
//     finish: bias, residual, activation, whole rows to the output's layout
//
// Weights: [panel][chunk][tap][channel block][channel][panel width].
// Error: chunks of CHUNK channels in order, then the sums of chunks and taps in order.
#include "solver/conv.h"
#include "solver/explain.h"
#include "solver/space.h"
#include <string.h>

enum { CHUNK = 128 };
// Arithmetic: products that meet the picture, in thousandths of all. Schedule, 0 where usual: rows of a unit; units in
// the order of panels instead of rows; most rows of a micro-kernel.
enum { LIVE };
enum { ROWS, BY_PANELS, GROUP };
// Above this share of products inside a direct convolution is as good.
static const double MOST_LIVE = 0.8;

// Outputs begin .. end - 1 along one axis whose input at a tap lies inside.
typedef struct Span {
    int64_t begin, end;
} Span;
typedef struct Tap {
    int64_t index; // into the kernel (kd kh kw)
    int32_t offset;
    Span span[AXES];
} Tap;
typedef struct Dilated {
    Problem problem;
    const Kernels *kernels;
    Ref in, out, residual, weights, bias;
    Tap *taps; // (n_taps) that meet anything
    int n_taps;
    int32_t *block_offset; // (chunk_blocks) floats
    int64_t chunk_blocks, n_panels, panel_floats, rows_a_unit, row_groups;
    bool by_panels;
    int group;
} Dilated;

static Span span_of(const Problem *p, int axis, int64_t tap) {
    const int64_t first = tap * p->dilation[axis] - p->pad_begin[axis], stride = p->stride[axis]; // input of output 0
    const int64_t begin = first < 0 ? div_up(-first, stride) : 0;
    const int64_t left = p->in[0].size[axis] - first;
    const int64_t end = MIN(p->out[0].size[axis], left > 0 ? div_up(left, stride) : 0);
    return (Span){MIN(begin, end), end};
}
// Outputs that the taps of one axis meet, summed over the taps.
static int64_t met(const Problem *p, int axis) {
    int64_t sum = 0;
    for (int64_t tap = 0; tap < p->kernel[axis]; tap++) {
        const Span span = span_of(p, axis, tap);
        sum += span.end - span.begin;
    }
    return sum;
}
static double live_share(const Problem *p) {
    double share = 1;
    for (int axis = 0; axis < AXES; axis++)
        share *= (double)met(p, axis) / (double)MAX(p->kernel[axis] * p->out[0].size[axis], 1);
    return share;
}
static bool applicable(const Problem *p, const Kernels *kernels, Need *need) {
    const bool dilated = p->dilation[AXIS_D] > 1 || p->dilation[AXIS_H] > 1 || p->dilation[AXIS_W] > 1;
    if (p->has_pool || !p->weight || p->group != 1 || !dilated || live_share(p) > MOST_LIVE) return false;
    for (int i = 0; i < p->n_inputs; i++) need->in[i] = (OperandNeed){LAYOUT_BLOCKED, kernels->lanes, {0}, {0}};
    need->out[0] = (OperandNeed){LAYOUT_BLOCKED, kernels->lanes, {0}, {0}};
    return true;
}
static int configurations(const Problem *p, const Kernels *kernels, const Machine *machine, Configuration *out,
                          int max) {
    (void)kernels, (void)machine, (void)max;
    out[0] = (Configuration){.arithmetic = {(int32_t)(1000 * live_share(p) + 0.5)}};
    return 1;
}
static Effort effort(const Configuration *c) {
    return (Effort){.products = MAX((double)c->arithmetic[LIVE], 1) / 1000};
}
static double error(const Problem *p, const Configuration *c, const Kernels *kernels) {
    (void)c;
    const double channels = (double)p->ic;
    return chain_error(kernels, MIN(CHUNK, channels) + (double)problem_taps(p) * (channels / CHUNK + 1));
}

// ---- Running

static void add_tap(const Dilated *w, const Tap *tap, const float *image, int64_t blocks, const float *weights,
                    Span rows, int vectors, float *sums) {
    const Problem *p = &w->problem;
    const Layout *in = &p->in[0];
    const int64_t panel_width = vectors * w->kernels->lanes, lda = p->stride[AXIS_W] * in->block;
    const Span x = tap->span[AXIS_W];
    const int64_t groups = div_up(x.end - x.begin, w->group), end = MIN(rows.end, tap->span[AXIS_H].end);
    for (int64_t h = MAX(rows.begin, tap->span[AXIS_H].begin); h < end; h++) {
        const float *row = image + tap->offset + h * p->stride[AXIS_H] * in->stride[AXIS_H];
        float *sums_row = sums + (h - rows.begin) * p->out[0].size[AXIS_W] * panel_width;
        for (int64_t g = 0, at = x.begin, count; g < groups; g++, at += count) {
            count = share_of(x.end - x.begin, groups, g);
            w->kernels->gemm[vectors][count](blocks, w->block_offset, row + at * lda, lda, weights, w->kernels->lanes,
                                             sums_row + at * panel_width, panel_width, true, NULL);
        }
    }
}
static void finish_rows(const Dilated *w, char *const *bases, int64_t n, int64_t d, Span rows, int64_t block,
                        int vectors, const float *sums) {
    const Problem *p = &w->problem;
    const Layout *out = &p->out[0], *rest = &p->in[1];
    const Epilogue epilogue = conv_epilogue(p, bases, w->bias, block, w->kernels->lanes);
    const int64_t panel_width = vectors * w->kernels->lanes;
    for (int64_t h = rows.begin; h < rows.end; h++) {
        const float *residual = NULL;
        if (p->has_residual)
            residual = (const float *)ref_at(bases, w->residual) + n * rest->stride_n + block * rest->stride_block +
                       d * rest->stride[AXIS_D] + h * rest->stride[AXIS_H];
        float *to = (float *)ref_at(bases, w->out) + n * out->stride_n + block * out->stride_block +
                    d * out->stride[AXIS_D] + h * out->stride[AXIS_H];
        w->kernels->finish(sums + (h - rows.begin) * out->size[AXIS_W] * panel_width, panel_width,
                           (int)out->size[AXIS_W], vectors, &epilogue, residual, rest->stride_block, rest->block, to,
                           out->stride_block, out->block);
    }
}
static int panel_vectors(const Dilated *w, int64_t panel) {
    return (int)MIN(GEMM_MAX_VECTORS, w->problem.out[0].blocks - panel * GEMM_MAX_VECTORS);
}
static void unit_run(const void *arguments, char *const *bases, int64_t unit, void *scratch) {
    const Dilated *w = arguments;
    const Problem *p = &w->problem;
    const Layout *in = &p->in[0], *out = &p->out[0];
    const int64_t slices = out->n * out->size[AXIS_D] * w->row_groups;
    const int64_t panel = w->by_panels ? unit / slices : unit % w->n_panels;
    const int64_t rest = w->by_panels ? unit % slices : unit / w->n_panels, slice = rest / w->row_groups;
    const int64_t d = slice % out->size[AXIS_D], n = slice / out->size[AXIS_D], row = rest % w->row_groups;
    const Span rows = {row * w->rows_a_unit, MIN((row + 1) * w->rows_a_unit, out->size[AXIS_H])};
    const int vectors = panel_vectors(w, panel), lanes = w->kernels->lanes;
    const float *image =
        (const float *)ref_at(bases, w->in) + n * in->stride_n + d * p->stride[AXIS_D] * in->stride[AXIS_D];
    const float *weights = (const float *)ref_at(bases, w->weights) + panel * w->panel_floats;
    memset(scratch, 0, (size_t)((rows.end - rows.begin) * out->size[AXIS_W] * vectors * lanes) * sizeof(float));
    for (int64_t b0 = 0; b0 < in->blocks; b0 += w->chunk_blocks) {
        const int64_t blocks = MIN(w->chunk_blocks, in->blocks - b0);
        for (int t = 0; t < w->n_taps; t++, weights += blocks * lanes * vectors * lanes) {
            const Span *depths = &w->taps[t].span[AXIS_D];
            if (d < depths->begin || d >= depths->end) continue;
            add_tap(w, &w->taps[t], image + b0 * in->stride_block, blocks, weights, rows, vectors, scratch);
        }
    }
    finish_rows(w, bases, n, d, rows, panel * GEMM_MAX_VECTORS, vectors, scratch);
}
// Unit: the weights of one panel.
static void prepare_unit(const void *arguments, char *const *bases, int64_t unit, void *scratch) {
    (void)scratch;
    const Dilated *w = arguments;
    const Problem *p = &w->problem;
    const int lanes = w->kernels->lanes, width = panel_vectors(w, unit) * lanes;
    const int64_t taps = problem_taps(p), oc0 = unit * GEMM_MAX_VECTORS * lanes, chunk = w->chunk_blocks * lanes;
    const int64_t channels = p->in[0].blocks * lanes;
    float *to = (float *)ref_at(bases, w->weights) + unit * w->panel_floats;
    for (int64_t c0 = 0; c0 < channels; c0 += chunk)
        for (int t = 0; t < w->n_taps; t++)
            for (int64_t ic = c0; ic < MIN(c0 + chunk, channels); ic++, to += width)
                for (int j = 0; j < width; j++)
                    to[j] = ic < p->ic && oc0 + j < p->oc
                                ? p->weight[((oc0 + j) * p->ic + ic) * taps + w->taps[t].index]
                                : 0;
}

// ---- Lowering

static Status make_taps(Dilated *w, Arena *arena) {
    const Problem *p = &w->problem;
    const int64_t taps = problem_taps(p);
    w->taps = arena_array(arena, (size_t)taps, sizeof *w->taps);
    if (!w->taps) return fail_memory((size_t)taps * sizeof *w->taps);
    for (int64_t i = 0; i < taps; i++) {
        const int64_t at[AXES] = {i / p->kernel[AXIS_W] / p->kernel[AXIS_H],
                                  i / p->kernel[AXIS_W] % p->kernel[AXIS_H], i % p->kernel[AXIS_W]};
        Tap tap = {.index = i};
        bool meets = true;
        for (int axis = 0; axis < AXES; axis++) {
            tap.span[axis] = span_of(p, axis, at[axis]);
            meets = meets && tap.span[axis].begin < tap.span[axis].end;
        }
        if (!meets) continue; // may lie anywhere
        TRY(conv_offset(p, at[AXIS_D], at[AXIS_H], at[AXIS_W], &tap.offset));
        w->taps[w->n_taps++] = tap;
    }
    return ST_OK;
}
static Status make_block_offsets(Dilated *w, Arena *arena) {
    const Layout *in = &w->problem.in[0];
    w->chunk_blocks = MAX(1, CHUNK / w->kernels->lanes);
    w->block_offset = arena_array(arena, (size_t)w->chunk_blocks, sizeof *w->block_offset);
    if (!w->block_offset) return fail_memory((size_t)w->chunk_blocks * sizeof *w->block_offset);
    for (int64_t b = 0; b < MIN(w->chunk_blocks, in->blocks); b++) {
        const int64_t at = b * in->stride_block;
        FAIL_IF(at > INT32_MAX, ST_UNSUPPORTED, "a layer's input is too large: %lld values apart", (long long)at);
        w->block_offset[b] = (int32_t)at;
    }
    return ST_OK;
}
static int64_t row_bytes(const Problem *p, const Kernels *kernels) {
    return p->out[0].size[AXIS_W] * GEMM_MAX_VECTORS * kernels->lanes * (int64_t)sizeof(float);
}
static int64_t panels_of(const Problem *p, const Kernels *kernels) {
    return div_up(div_up(p->oc, kernels->lanes), GEMM_MAX_VECTORS);
}
// Weights are read once a unit: as many rows as a quarter of L2 holds sums of, as long as each thread has a unit.
static int64_t usual_rows(const Problem *p, const Kernels *kernels, const Machine *machine) {
    const int64_t height = p->out[0].size[AXIS_H];
    const int64_t images = p->out[0].shape.rank > 0 ? p->out[0].shape.dim[0] : 1;
    const int64_t others = MAX(images * p->out[0].size[AXIS_D] * panels_of(p, kernels), 1);
    const int64_t fit = MAX((int64_t)machine->l2 / 4 / MAX(row_bytes(p, kernels), 1), 1);
    const int64_t groups = MAX(div_up(height, fit), MIN(height, div_up(p->threads, others)));
    return MAX(div_up(height, MAX(groups, 1)), 1);
}
static Status lower(const Problem *p, const Configuration *c, Lowering *lowering) {
    const Kernels *kernels = lowering->kernels;
    Dilated *w = arena_alloc(lowering->arena, sizeof *w);
    if (!w) return fail_memory(sizeof *w);
    *w = (Dilated){.problem = *p,
                   .kernels = kernels,
                   .in = lowering->in[0],
                   .residual = lowering->in[1],
                   .out = lowering->out[0],
                   .n_panels = panels_of(p, kernels),
                   .by_panels = c->schedule[BY_PANELS],
                   .group = c->schedule[GROUP] ? c->schedule[GROUP] : kernels->rows};
    TRY(make_taps(w, lowering->arena));
    TRY(make_block_offsets(w, lowering->arena));
    w->rows_a_unit = c->schedule[ROWS] ? c->schedule[ROWS] : usual_rows(p, kernels, lowering->machine);
    w->row_groups = div_up(p->out[0].size[AXIS_H], w->rows_a_unit);
    const int64_t block_floats = w->n_taps * p->in[0].blocks * kernels->lanes * kernels->lanes; // of outputs
    w->panel_floats = block_floats * GEMM_MAX_VECTORS;
    w->weights = lowering_weights(lowering, (size_t)(block_floats * p->out[0].blocks) * sizeof(float));
    TRY(conv_lower_bias(p, lowering, &w->bias));
    TRY(lowering_prepare(lowering, prepare_unit, w, w->n_panels, 0));
    return lowering_phase(lowering, unit_run, w, p->out[0].n * p->out[0].size[AXIS_D] * w->row_groups * w->n_panels,
                          (size_t)(w->rows_a_unit * row_bytes(p, kernels)));
}
static size_t prepared_bytes(const Problem *p, const Configuration *c, const Kernels *kernels) {
    (void)c;
    int64_t taps = 1;
    for (int axis = 0; axis < AXES; axis++) {
        int64_t meet = 0;
        for (int64_t tap = 0; tap < p->kernel[axis]; tap++) {
            const Span span = span_of(p, axis, tap);
            meet += span.begin < span.end;
        }
        taps *= meet;
    }
    return (size_t)(taps * round_up(p->ic, kernels->lanes) * round_up(p->oc, kernels->lanes)) * sizeof(float);
}

// ---- Choosing

static double estimate(const Problem *p, const Configuration *c, const Kernels *kernels, const Machine *machine) {
    const int64_t most = c->schedule[GROUP] ? c->schedule[GROUP] : kernels->rows;
    const int64_t rows = c->schedule[ROWS] ? c->schedule[ROWS] : usual_rows(p, kernels, machine);
    int64_t groups = 0; // of pixels, over a row's taps
    for (int64_t tap = 0; tap < p->kernel[AXIS_W]; tap++) {
        const Span span = span_of(p, AXIS_W, tap);
        groups += div_up(span.end - span.begin, most);
    }
    // Groups of few pixels leave the multiply-add units waiting for latency.
    const double filled = (double)met(p, AXIS_W) / (double)MAX(groups, 1);
    const double vectors = (double)MIN(GEMM_MAX_VECTORS, div_up(p->oc, kernels->lanes));
    const double registers = MIN(1.0, filled * vectors / 8);
    const double waste = (double)round_up(p->oc, kernels->lanes) / (double)MAX(p->oc, 1) *
                         (double)round_up(p->ic, kernels->lanes) / (double)MAX(p->ic, 1);
    const double products = problem_flop(p) * live_share(p) * waste / (0.8 * kernels_peak(kernels, machine) * registers);
    const int64_t height = p->out[0].size[AXIS_H], panels = panels_of(p, kernels);
    const double slices = (double)(p->out[0].shape.dim[0] * p->out[0].size[AXIS_D]);
    const double row_groups = slices * (double)div_up(height, MAX(rows, 1)), units = MAX(row_groups * (double)panels, 1);
    const double weights = (double)prepared_bytes(p, c, kernels);
    const double stay = c->schedule[BY_PANELS] ? weights / (double)MAX(panels, 1) : weights;
    const double streamed = row_groups * weights / (stay < 0.5 * (double)machine->l2 ? 32 : 8);
    const double wait = (double)(div_up((int64_t)units, p->threads) * p->threads) / units;
    return (products + streamed + 500 * units) * wait / p->threads + 4000;
}
static bool space(const Problem *p, const Kernels *kernels, const Machine *machine, ConfigurationVisitor *visit,
                  void *context) {
    Configuration c;
    configurations(p, kernels, machine, &c, 1);
    const int64_t height = p->out[0].size[AXIS_H], usual = usual_rows(p, kernels, machine);
    const int64_t fit = (int64_t)machine->l2 / 2 / MAX(row_bytes(p, kernels), 1);
    const Knob rows = knob_cuts(ROWS, height, usual, fit);
    for (int i = 0; i < rows.count; i++) {
        const int64_t each = rows.value[i] ? rows.value[i] : usual;
        const bool several =
            p->out[0].size[AXIS_D] * div_up(height, MAX(each, 1)) > 1 && panels_of(p, kernels) > 1;
        const Knob knobs[] = {knob(ROWS, rows.value[i]), knob_switch(BY_PANELS, several),
                              knob_groups(GROUP, p->out[0].size[AXIS_W], kernels->rows)};
        if (!knobs_visit(&c, knobs, COUNT_OF(knobs), visit, context)) return false;
    }
    return true;
}
static void print(const Configuration *c, Text *text) {
    text_add(text, "%.1f %% of the products", (double)c->arithmetic[LIVE] / 10);
    if (c->schedule[ROWS]) text_add(text, ", %d rows a unit", (int)c->schedule[ROWS]);
    if (c->schedule[BY_PANELS]) text_add(text, ", panel by panel");
    if (c->schedule[GROUP]) text_add(text, ", at most %d pixels at once", (int)c->schedule[GROUP]);
}
static void explain(const Problem *p, const Configuration *c, const Kernels *kernels, const Machine *machine,
                    Text *text) {
    const double weights = (double)prepared_bytes(p, c, kernels);
    const int64_t most = c->schedule[GROUP] ? c->schedule[GROUP] : kernels->rows;
    explain_places(text, "output channels", p->oc, round_up(p->oc, kernels->lanes));
    const int64_t usual = met(p, AXIS_W) / MAX(p->kernel[AXIS_W], 1);
    explain_groups(text, "pixels of a row", MAX(usual, 1), most);
    explain_beyond_l2(text, "weights",
                      c->schedule[BY_PANELS] ? weights / (double)panels_of(p, kernels) : weights, machine, "");
}
const Solver solver_conv_dilated = {.name = "conv_dilated",
                                    .version = 1,
                                    .kind = PROBLEM_CONV,
                                    .applicable = applicable,
                                    .configurations = configurations,
                                    .estimate = estimate,
                                    .lower = lower,
                                    .print = print,
                                    .error = error,
                                    .effort = effort,
                                    .prepared_bytes = prepared_bytes,
                                    .same_weights = weights_by_arithmetic,
                                    .space = space,
                                    .explain = explain};

// Instance, group and layer normalisation, then a function; of instance and group also the max-pooled copy.
//
// Layer: rows of a plain tensor. Instance and group: blocked, cut into units of some pairs of rows (of pairs of slices)
// of a channel block: whole windows of the pool. Deterministic, since units depend on shapes only. Three steps:
//
//     sums      a unit   sums and squares in double, of differences from a value of the channel
//     factors   a span   centre, scale and shift of each channel
//     apply     a unit   (x - centre) * scale + shift, function, maxima; the output may be the input's memory
//
// A span has statistics of its own: a channel block of an image, with groups an image. Spans that fit a core's L2 are
// taken all the way, each by one unit; larger ones, and fewer than threads, by three phases.
//
// temporary: sums (unit, 2, lanes) double, then factors (n, block, 3, lanes) float.
#include "solver/blocked.h"
#include <math.h>
#include <string.h>

typedef struct NormWork {
    const Kernels *kernels;
    Problem problem;
    Ref in, out, pooled, sums, factors;
    Ref scale, shift; // copies of the problem's; NONE where it has none
    BlockedRows pairs; // instance, group: in pairs of rows and slices
    PlainRows cut;     // layer: rows are the elements of one long row
    int64_t parts;     // units of a channel block
    int64_t spans, units_a_span;
    const int32_t *first, *count; // the pool's windows along a row
} NormWork;

static bool applicable(const Problem *p, const Kernels *kernels, Need *need) {
    const int rank = p->in[0].shape.rank;
    if (!all_float32(p)) return false;
    const bool layer = p->norm == NORM_LAYER;
    if (layer ? p->has_pool : rank < 3 || rank > 5) return false;
    need->in[0] = need->out[0] = need->out[1] = layer ? need_plain() : need_blocked(kernels);
    need->in_place = !layer;
    return true;
}
static double estimate(const Problem *p, const Configuration *c, const Kernels *kernels, const Machine *machine) {
    (void)c, (void)machine;
    const double cycles_a_vector = p->norm == NORM_LAYER ? 12 : p->has_pool ? 7 : 5;
    const double vectors = (double)shape_count(&p->out[0].shape) / kernels->lanes;
    const double pooled = p->has_pool ? operand_bytes(&p->out[1]) : 0;
    return streaming_estimate(p, vectors * cycles_a_vector, 3 * operand_bytes(&p->out[0]) + pooled) + 4000;
}
// While memory is planned the input may not have its layout yet.
static BlockedRows cut_pairs(const Problem *p, int lanes) {
    Layout pairs = p->in[0];
    const int64_t slices = MIN(pairs.size[AXIS_D], 2);
    pairs.blocks = div_up(pairs.c, lanes);
    for (int axis = AXIS_D; axis <= AXIS_H; axis++) pairs.size[axis] = div_up(pairs.size[axis], 2);
    return blocked_rows(&pairs, 2 * slices * pairs.size[AXIS_W] * lanes * (int64_t)sizeof(float));
}
static size_t sums_bytes(const BlockedRows *pairs, int lanes) {
    return (size_t)(pairs->units * 2 * lanes) * sizeof(double);
}
static size_t temporary(const Problem *p, const Configuration *c, const Kernels *kernels, const Machine *machine) {
    (void)c, (void)machine;
    if (p->norm == NORM_LAYER) return 0;
    const BlockedRows pairs = cut_pairs(p, kernels->lanes);
    return sums_bytes(&pairs, kernels->lanes) +
           (size_t)(p->in[0].n * pairs.blocks * 3 * kernels->lanes) * sizeof(float);
}

// Rows [h, h_end) of slices [d, d_end).
typedef struct Box {
    int64_t n, block, d, d_end, h, h_end;
} Box;
static Box unit_box(const NormWork *w, int64_t unit) {
    const RowRange pairs = blocked_range(&w->pairs, unit);
    const int64_t *size = w->problem.in[0].size;
    return (Box){pairs.n,         pairs.block,
                 2 * pairs.d,     MIN(2 * pairs.d + 2, size[AXIS_D]),
                 2 * pairs.begin, MIN(2 * pairs.end, size[AXIS_H])};
}
// The value that a channel's differences are taken from: that of its first pixel.
static const float *first_pixel(const NormWork *w, char *const *bases, int64_t n, int64_t block) {
    return (const float *)ref_at(bases, w->in) + row_at(&w->problem.in[0], n, block, 0, 0);
}
static void sums_unit(const void *arguments, char *const *bases, int64_t unit, void *scratch) {
    (void)scratch;
    const NormWork *w = arguments;
    const Layout *in = &w->problem.in[0];
    const Box box = unit_box(w, unit);
    double *sum = (double *)ref_at(bases, w->sums) + unit * 2 * in->block, *squares = sum + in->block;
    memset(sum, 0, (size_t)(2 * in->block) * sizeof *sum);
    const float *shift = first_pixel(w, bases, box.n, box.block);
    for (int64_t d = box.d; d < box.d_end; d++)
        for (int64_t h = box.h; h < box.h_end; h++)
            w->kernels->lane_sums((const float *)ref_at(bases, w->in) + row_at(in, box.n, box.block, d, h),
                                  in->size[AXIS_W], shift, sum, squares);
}
// Mean and variance of one channel.
static void channel_moments(const NormWork *w, char *const *bases, int64_t n, int64_t c, double *mean,
                            double *variance) {
    const Layout *in = &w->problem.in[0];
    const int64_t block = c / in->block, lane = c % in->block;
    const double *sums = (const double *)ref_at(bases, w->sums) + (n * in->blocks + block) * w->parts * 2 * in->block;
    double sum = 0, squares = 0;
    for (int64_t part = 0; part < w->parts; part++, sums += 2 * in->block)
        sum += sums[lane], squares += sums[in->block + lane];
    const double pixels = (double)(in->size[AXIS_D] * in->size[AXIS_H] * in->size[AXIS_W]);
    sum /= pixels;
    *mean = first_pixel(w, bases, n, block)[lane] + sum;
    *variance = fmax(squares / pixels - sum * sum, 0); // rounding may leave it a little below 0
    if (sum != sum || squares != squares) *variance = NAN;
}
// Mean of the means; variances within and between channels.
static void group_moments(const NormWork *w, char *const *bases, int64_t n, int64_t c0, int64_t count, double *mean,
                          double *variance) {
    double sum = 0, total = 0, m, v;
    for (int64_t c = c0; c < c0 + count; c++) {
        channel_moments(w, bases, n, c, &m, &v);
        sum += m;
    }
    *mean = sum / (double)count;
    for (int64_t c = c0; c < c0 + count; c++) {
        channel_moments(w, bases, n, c, &m, &v);
        total += v + (m - *mean) * (m - *mean);
    }
    *variance = total / (double)count;
}
static float *block_factors(const NormWork *w, char *const *bases, int64_t n, int64_t block) {
    const Layout *in = &w->problem.in[0];
    return (float *)ref_at(bases, w->factors) + (n * in->blocks + block) * 3 * in->block;
}
// (x - mean) factor gamma + beta, with the mean's part beyond fp32 in the shift.
static void channel_factors(const NormWork *w, char *const *bases, int64_t n, int64_t c, double mean, double factor) {
    const Problem *p = &w->problem;
    const int64_t lanes = p->in[0].block;
    float *to = block_factors(w, bases, n, c / lanes) + c % lanes;
    const double gamma = p->scale ? ((const float *)ref_at(bases, w->scale))[c] : 1;
    const double beta = p->shift ? ((const float *)ref_at(bases, w->shift))[c] : 0;
    const float centre = (float)mean;
    to[0] = centre;
    to[lanes] = (float)(factor * gamma);
    to[2 * lanes] = (float)(beta - (mean - centre) * factor * gamma);
}
static void factors_unit(const void *arguments, char *const *bases, int64_t span, void *scratch) {
    (void)scratch;
    const NormWork *w = arguments;
    const Problem *p = &w->problem;
    const Layout *in = &p->in[0];
    const bool instance = p->norm == NORM_INSTANCE;
    const int64_t blocks = instance ? 1 : in->blocks, count = instance ? 1 : in->c / p->norm_groups;
    const int64_t n = span * blocks / in->blocks, block = span * blocks % in->blocks;
    const int64_t end = MIN((block + blocks) * in->block, in->c);
    memset(block_factors(w, bases, n, block), 0, (size_t)(blocks * 3 * in->block) * sizeof(float)); // beyond c: give 0
    for (int64_t c0 = block * in->block; c0 < end; c0 += count) {
        double mean, variance;
        group_moments(w, bases, n, c0, count, &mean, &variance);
        const double factor = 1 / sqrt(variance + p->epsilon);
        for (int64_t c = c0; c < c0 + count; c++) channel_factors(w, bases, n, c, mean, factor);
    }
}
static void apply_row(const NormWork *w, char *const *bases, const Box *box, int64_t d, int64_t h) {
    const Layout *in = &w->problem.in[0], *out = &w->problem.out[0];
    const float *factors = block_factors(w, bases, box->n, box->block);
    const float *from = (const float *)ref_at(bases, w->in) + row_at(in, box->n, box->block, d, h);
    float *to = (float *)ref_at(bases, w->out) + row_at(out, box->n, box->block, d, h);
    w->kernels->affine(from, factors, factors + in->block, factors + 2 * in->block, w->problem.activation, to,
                       in->size[AXIS_W]);
    zero_padded_lanes(out, box->block, to);
}
// The maxima over rows h and h + 1 of the box's slices.
static void pool_row(const NormWork *w, char *const *bases, const Box *box, int64_t h) {
    const Layout *out = &w->problem.out[0], *small = &w->problem.out[1];
    const int64_t row = out->stride[AXIS_H], slice = out->stride[AXIS_D], offset[] = {0, row, slice, slice + row};
    w->kernels->pool_max((const float *)ref_at(bases, w->out) + row_at(out, box->n, box->block, box->d, h), offset,
                         (int)(2 * (box->d_end - box->d)), w->first, w->count, 1, (int)small->size[AXIS_W],
                         (float *)ref_at(bases, w->pooled) + row_at(small, box->n, box->block, box->d / 2, h / 2));
}
static void apply_unit(const void *arguments, char *const *bases, int64_t unit, void *scratch) {
    (void)scratch;
    const NormWork *w = arguments;
    const int64_t depth = w->problem.in[0].size[AXIS_D];
    const Box box = unit_box(w, unit);
    const bool pools = w->problem.has_pool && (depth == 1 || box.d_end - box.d == 2); // a cut window is dropped
    for (int64_t h = box.h; h < box.h_end; h += 2) {
        const int64_t rows = MIN(2, box.h_end - h);
        for (int64_t d = box.d; d < box.d_end; d++)
            for (int64_t k = 0; k < rows; k++) apply_row(w, bases, &box, d, h + k);
        if (pools && rows == 2) pool_row(w, bases, &box, h);
    }
}

static void span_unit(const void *arguments, char *const *bases, int64_t span, void *scratch) {
    (void)scratch;
    const NormWork *w = arguments;
    const int64_t first = span * w->units_a_span, end = first + w->units_a_span;
    for (int64_t unit = first; unit < end; unit++) sums_unit(w, bases, unit, scratch);
    factors_unit(w, bases, span, scratch);
    for (int64_t unit = first; unit < end; unit++) apply_unit(w, bases, unit, scratch);
}
static void layer_unit(const void *arguments, char *const *bases, int64_t unit, void *scratch) {
    (void)scratch;
    const NormWork *w = arguments;
    const Problem *p = &w->problem;
    const PlainRange range = plain_range(&w->cut, unit);
    const float *scale = p->scale ? ref_at(bases, w->scale) : NULL, *shift = p->shift ? ref_at(bases, w->shift) : NULL;
    for (int64_t row = range.begin; row < range.begin + range.length; row++) {
        float *out = (float *)ref_at(bases, w->out) + row * p->norm_groups;
        w->kernels->layer_norm((const float *)ref_at(bases, w->in) + row * p->norm_groups, p->norm_groups, scale, shift,
                               p->epsilon, out);
        if (p->activation.function != FN_NONE) w->kernels->unary(p->activation, out, out, p->norm_groups);
    }
}

static int64_t parameters(const Problem *p) { return p->norm == NORM_LAYER ? p->norm_groups : p->in[0].c; }
static void prepare_unit(const void *arguments, char *const *bases, int64_t unit, void *scratch) {
    (void)unit, (void)scratch;
    const NormWork *w = arguments;
    const size_t bytes = (size_t)parameters(&w->problem) * sizeof(float);
    if (w->problem.scale) memcpy(ref_at(bases, w->scale), w->problem.scale, bytes);
    if (w->problem.shift) memcpy(ref_at(bases, w->shift), w->problem.shift, bytes);
}
static Status lower_spans(NormWork *w, Lowering *lowering) {
    const Problem *p = &w->problem;
    const Layout *in = &p->in[0];
    const int64_t blocks = p->norm == NORM_INSTANCE ? 1 : in->blocks; // of a span
    w->pairs = cut_pairs(p, in->block);
    w->parts = w->pairs.depth * w->pairs.groups;
    w->spans = in->n * in->blocks / MAX(blocks, 1);
    w->units_a_span = blocks * w->parts;
    w->pooled = lowering->out[1], w->sums = lowering->temporary;
    w->factors = ref_add(lowering->temporary, (int64_t)sums_bytes(&w->pairs, in->block));
    if (p->has_pool) TRY(pair_windows(p->out[1].size[AXIS_W], lowering->arena, &w->first, &w->count));
    const size_t bytes = (size_t)(blocks * in->stride_block) * sizeof(float);
    if (bytes <= lowering->machine->l2 / 2 && w->spans >= p->threads)
        return lowering_phase(lowering, span_unit, w, w->spans, 0);
    TRY(lowering_phase(lowering, sums_unit, w, w->pairs.units, 0));
    TRY(lowering_phase(lowering, factors_unit, w, w->spans, 0));
    return lowering_phase(lowering, apply_unit, w, w->pairs.units, 0);
}
static Status lower(const Problem *p, const Configuration *c, Lowering *lowering) {
    (void)c;
    NormWork *w = arena_alloc(lowering->arena, sizeof *w);
    if (!w) return fail_memory(sizeof *w);
    *w = (NormWork){.kernels = lowering->kernels, .problem = *p, .in = lowering->in[0], .out = lowering->out[0]};
    const size_t bytes = (size_t)parameters(p) * sizeof(float);
    w->scale = lowering_weights(lowering, p->scale ? bytes : 0);
    w->shift = lowering_weights(lowering, p->shift ? bytes : 0);
    if (p->scale || p->shift) TRY(lowering_prepare(lowering, prepare_unit, w, 1, 0));
    if (p->norm == NORM_LAYER) {
        const int64_t count = shape_count(&p->in[0].shape), fit = UNIT_BYTES / (int64_t)sizeof(float);
        w->cut = plain_rows(1, count ? count / p->norm_groups : 0, MAX(1, fit / MAX(p->norm_groups, 1)));
        return lowering_phase(lowering, layer_unit, w, w->cut.units, 0);
    }
    return lower_spans(w, lowering);
}
const Solver solver_norm = {.name = "norm",
                            .version = 2,
                            .kind = PROBLEM_NORM,
                            .applicable = applicable,
                            .configurations = one_configuration,
                            .estimate = estimate,
                            .temporary = temporary,
                            .lower = lower};

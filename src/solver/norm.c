// Instance, group and layer normalisation, then a function. Layer: rows of a plain tensor. Instance and group: blocked,
// in three phases, deterministic since units depend on shapes only:
//
//     sums      (n, channel block, depth slice, row group)  sums and squares in double, from a value of the channel
//     factors   (n)                                         centre, scale and shift of each channel
//     apply     (n, channel block, depth slice, row group)  (x - centre) * scale + shift, function
//
// temporary: sums (n, block, part, 2, lanes) double, then factors (n, block, 3, lanes) float.
#include "solver/blocked.h"
#include <math.h>
#include <string.h>

typedef struct NormWork {
    const Kernels *kernels;
    Problem problem;
    Ref in, out, sums, factors;
    Ref scale, shift; // copies of the problem's; NONE where it has none
    BlockedRows rows; // instance, group
    PlainRows cut;    // layer: rows are the elements of one long row
    int64_t parts;    // units of a channel block
} NormWork;

static bool applicable(const Problem *p, const Kernels *kernels, Need *need) {
    const int rank = p->in[0].shape.rank;
    if (!all_float32(p)) return false;
    const bool layer = p->norm == NORM_LAYER;
    if (!layer && (rank < 3 || rank > 5)) return false;
    need->in[0] = need->out[0] = layer ? need_plain() : need_blocked(kernels);
    return true;
}
static double estimate(const Problem *p, const Configuration *c, const Kernels *kernels, const Machine *machine) {
    (void)c, (void)machine;
    const double cycles_a_vector = 12, vectors = (double)shape_count(&p->out[0].shape) / kernels->lanes;
    return streaming_estimate(p, vectors * cycles_a_vector, 3 * operand_bytes(&p->out[0])) + 4000;
}
static BlockedRows cut_rows(const Problem *p) {
    return blocked_rows(&p->in[0], p->in[0].size[AXIS_W] * p->in[0].block * (int64_t)sizeof(float));
}
static size_t sums_bytes(const Problem *p, const BlockedRows *rows) {
    return (size_t)(rows->units * 2 * p->in[0].block) * sizeof(double);
}
static size_t temporary(const Problem *p, const Configuration *c, const Kernels *kernels, const Machine *machine) {
    (void)c, (void)machine;
    if (p->norm == NORM_LAYER) return 0;
    Problem blocked = *p; // while memory is planned the input may not have its layout yet
    blocked.in[0].block = kernels->lanes;
    blocked.in[0].blocks = div_up(p->in[0].c, kernels->lanes);
    const BlockedRows rows = cut_rows(&blocked);
    return sums_bytes(&blocked, &rows) +
           (size_t)(p->in[0].n * blocked.in[0].blocks * 3 * kernels->lanes) * sizeof(float);
}

// The value that a channel's differences are taken from: that of its first pixel.
static const float *first_pixel(const NormWork *w, char *const *bases, int64_t n, int64_t block) {
    return (const float *)ref_at(bases, w->in) + row_at(&w->problem.in[0], n, block, 0, 0);
}
static void sums_unit(const void *arguments, char *const *bases, int64_t unit, void *scratch) {
    (void)scratch;
    const NormWork *w = arguments;
    const Layout *in = &w->problem.in[0];
    const RowRange range = blocked_range(&w->rows, unit);
    double *sum = (double *)ref_at(bases, w->sums) + unit * 2 * in->block, *squares = sum + in->block;
    memset(sum, 0, (size_t)(2 * in->block) * sizeof *sum);
    const float *shift = first_pixel(w, bases, range.n, range.block);
    for (int64_t h = range.begin; h < range.end; h++) {
        const float *from = (const float *)ref_at(bases, w->in) + row_at(in, range.n, range.block, range.d, h);
        w->kernels->lane_sums(from, in->size[AXIS_W], shift, sum, squares);
    }
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
// (x - mean) factor gamma + beta, with the mean's part beyond fp32 in the shift.
static void channel_factors(const NormWork *w, char *const *bases, int64_t n, int64_t c, double mean, double factor) {
    const Problem *p = &w->problem;
    const int64_t lanes = p->in[0].block, block = c / lanes;
    float *to = (float *)ref_at(bases, w->factors) + (n * p->in[0].blocks + block) * 3 * lanes + c % lanes;
    const double gamma = p->scale ? ((const float *)ref_at(bases, w->scale))[c] : 1;
    const double beta = p->shift ? ((const float *)ref_at(bases, w->shift))[c] : 0;
    const float centre = (float)mean;
    to[0] = centre;
    to[lanes] = (float)(factor * gamma);
    to[2 * lanes] = (float)(beta - (mean - centre) * factor * gamma);
}
static void factors_unit(const void *arguments, char *const *bases, int64_t n, void *scratch) {
    (void)scratch;
    const NormWork *w = arguments;
    const Problem *p = &w->problem;
    const Layout *in = &p->in[0];
    const int64_t groups = p->norm == NORM_INSTANCE ? in->c : p->norm_groups, count = in->c / groups;
    const int64_t floats = in->blocks * 3 * in->block;
    memset((float *)ref_at(bases, w->factors) + n * floats, 0, (size_t)floats * sizeof(float)); // lanes beyond c give 0
    for (int64_t group = 0; group < groups; group++) {
        double mean, variance;
        group_moments(w, bases, n, group * count, count, &mean, &variance);
        const double factor = 1 / sqrt(variance + p->epsilon);
        for (int64_t c = group * count; c < (group + 1) * count; c++) channel_factors(w, bases, n, c, mean, factor);
    }
}
static void apply_unit(const void *arguments, char *const *bases, int64_t unit, void *scratch) {
    (void)scratch;
    const NormWork *w = arguments;
    const Problem *p = &w->problem;
    const Layout *in = &p->in[0], *out = &p->out[0];
    const RowRange range = blocked_range(&w->rows, unit);
    const float *factors =
        (const float *)ref_at(bases, w->factors) + (range.n * in->blocks + range.block) * 3 * in->block;
    for (int64_t h = range.begin; h < range.end; h++) {
        const float *from = (const float *)ref_at(bases, w->in) + row_at(in, range.n, range.block, range.d, h);
        float *to = (float *)ref_at(bases, w->out) + row_at(out, range.n, range.block, range.d, h);
        w->kernels->affine(from, factors, factors + in->block, factors + 2 * in->block, p->activation, to,
                           in->size[AXIS_W]);
        zero_padded_lanes(out, range.block, to);
    }
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
    w->rows = cut_rows(p);
    w->parts = w->rows.depth * w->rows.groups;
    w->sums = lowering->temporary;
    w->factors = ref_add(lowering->temporary, (int64_t)sums_bytes(p, &w->rows));
    TRY(lowering_phase(lowering, sums_unit, w, w->rows.units, 0));
    TRY(lowering_phase(lowering, factors_unit, w, p->in[0].n, 0));
    return lowering_phase(lowering, apply_unit, w, w->rows.units, 0);
}
const Solver solver_norm = {"norm", 1,    PROBLEM_NORM, applicable, one_configuration, estimate, temporary,
                            lower,  NULL, NULL,         NULL};

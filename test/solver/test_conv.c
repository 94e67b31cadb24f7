// Convolutions against plain loops in double, on whole numbers where sums are exact: direct, depthwise and transposed
// ones must be equal, Winograd's within its error.
#include "base/hash.h"
#include "solver/harness.h"

extern const Solver solver_conv_direct, solver_conv_depthwise, solver_conv_winograd, solver_conv_transpose,
    solver_conv_amx, solver_conv_narrow, solver_conv_transpose_amx;

typedef struct ConvCase {
    const char *what;
    int rank;                    // of the tensors: 2 + spatial dims
    int64_t n, ic, oc, group;
    int64_t in[AXES];            // d, h, w; absent axes 1
    int64_t kernel[AXES], stride[AXES], dilation[AXES], begin[AXES], end[AXES];
    int64_t output_padding[AXES]; // transposed
    bool bias, residual;
    int pool; // 1: of the output y; from 2 on of scaled_pools[pool - 2](y * scale + shift)
    Activation activation;
} ConvCase;
static const Activation scaled_pools[] = {
    {FN_NONE, 0, 0}, {FN_RELU, 0, 0}, {FN_LEAKY_RELU, 0.25f, 0}, {FN_CLIP, -1, 1}};

static Shape spatial_shape(int rank, int64_t n, int64_t c, const int64_t size[AXES]) {
    Shape shape = {rank, {n, c}};
    for (int axis = 0; axis < AXES; axis++)
        if (axis - AXES + rank >= 2) shape.dim[axis - AXES + rank] = size[axis];
    return shape;
}
static void set_geometry(Problem *p, const ConvCase *c) {
    p->ic = c->ic, p->oc = c->oc, p->group = c->group;
    for (int axis = 0; axis < AXES; axis++) {
        p->kernel[axis] = c->kernel[axis], p->stride[axis] = c->stride[axis], p->dilation[axis] = c->dilation[axis];
        p->pad_begin[axis] = c->begin[axis], p->pad_end[axis] = c->end[axis];
    }
    p->activation = c->activation;
}
// Whether output o meets input i through tap k.
static bool meets(const Problem *p, const int64_t o[AXES], const int64_t k[AXES], const int64_t in[AXES], int64_t *at) {
    const bool transposed = p->kind == PROBLEM_CONV_TRANSPOSE;
    *at = 0;
    for (int axis = 0; axis < AXES; axis++) {
        int64_t i = transposed ? o[axis] + p->pad_begin[axis] - k[axis] * p->dilation[axis]
                               : o[axis] * p->stride[axis] - p->pad_begin[axis] + k[axis] * p->dilation[axis];
        if (transposed && i % p->stride[axis]) return false;
        if (transposed) i /= p->stride[axis];
        if (i < 0 || i >= in[axis]) return false;
        *at = *at * in[axis] + i;
    }
    return true;
}
static double convolved(const Problem *p, const float *image, const int64_t in[AXES], int64_t oc,
                        const int64_t o[AXES]) {
    const int64_t icg = p->ic / p->group, ocg = p->oc / p->group, plane = in[0] * in[1] * in[2];
    const int64_t taps = p->kernel[0] * p->kernel[1] * p->kernel[2];
    double sum = 0;
    for (int64_t tap = 0; tap < taps; tap++) {
        const int64_t k[AXES] = {tap / p->kernel[2] / p->kernel[1], tap / p->kernel[2] % p->kernel[1],
                                 tap % p->kernel[2]};
        int64_t at;
        if (!meets(p, o, k, in, &at)) continue;
        for (int64_t i = 0; i < icg; i++) {
            const int64_t ic = oc / ocg * icg + i;
            const int64_t w = p->kind == PROBLEM_CONV_TRANSPOSE ? (ic * ocg + oc % ocg) * taps + tap
                                                                : (oc * icg + i) * taps + tap;
            sum += (double)image[ic * plane + at] * p->weight[w];
        }
    }
    return sum;
}
static void expected_convolution(const Run *run, const int64_t in[AXES], const int64_t out[AXES], double *y) {
    const Problem *p = &run->problem;
    int64_t o[AXES], i = 0;
    for (int64_t n = 0; n < run->in_shape[0].dim[0]; n++)
        for (int64_t oc = 0; oc < p->oc; oc++)
            for (o[0] = 0; o[0] < out[0]; o[0]++)
                for (o[1] = 0; o[1] < out[1]; o[1]++)
                    for (o[2] = 0; o[2] < out[2]; o[2]++, i++) {
                        double sum =
                            convolved(p, (const float *)run->in[0] + n * p->ic * in[0] * in[1] * in[2], in, oc, o);
                        sum += p->bias ? p->bias[oc] : 0;
                        sum += p->has_residual ? ((const float *)run->in[1])[i] : 0;
                        y[i] = harness_function(p->activation, sum);
                    }
}
// 2x2 maxima of (planes, h, w); odd edges are dropped.
static double *pooled_copy(const double *y, int64_t planes, int64_t h, int64_t w) {
    double *small = harness_doubles(planes * (h / 2) * (w / 2)), *to = small;
    for (int64_t plane = 0; plane < planes; plane++)
        for (int64_t i = 0; i + 2 <= h; i += 2)
            for (int64_t j = 0; j + 2 <= w; j += 2) {
                const double *a = y + (plane * h + i) * w + j;
                *to++ = fmax(fmax(a[0], a[1]), fmax(a[w], a[w + 1]));
            }
    return small;
}
// What is pooled where it is scaled first. Factors are given to the problem: of both signs, at most 1, with few bits.
static double *scaled_copy(Problem *p, const ConvCase *c, const double *y, int64_t count) {
    float *scale = harness_integers(c->oc, 4, 5), *shift = harness_integers(c->oc, 20, 6);
    double *scaled = harness_doubles(count);
    for (int64_t i = 0; i < c->oc; i++) scale[i] /= 4;
    p->pool_activation = scaled_pools[c->pool - 2];
    for (int64_t i = 0; i < count; i++) {
        const int64_t channel = i / (count / c->n / c->oc) % c->oc;
        scaled[i] = harness_function(p->pool_activation, y[i] * scale[channel] + shift[channel]);
    }
    p->pool_scale = scale, p->pool_shift = shift;
    return scaled;
}
static double deviation(const double *y, int64_t count) {
    double sum = 0, squares = 0;
    for (int64_t i = 0; i < count; i++) sum += y[i], squares += y[i] * y[i];
    return sqrt(squares / (double)count - sum * sum / (double)count / (double)count);
}
// What of a solver is run: see Run.
typedef struct Part {
    int arithmetic, configuration;
    Isa least;
} Part;
// That permits all that a solver of that level has: one product of bf16 values too.
static Precision precision_of(Isa least) { return least == ISA_AMX ? PRECISION_BF16 : PRECISION_FP32; }
// error: allowed, in standard deviations of the output before its function; 0: equality. Data are normal then, else
// whole numbers.
static void check_conv_part(const Solver *solver, Part part, const ConvCase *c, double error) {
    const bool transposed = solver->kind == PROBLEM_CONV_TRANSPOSE;
    Run run = {.problem = harness_problem(solver->kind), .in_shape = {spatial_shape(c->rank, c->n, c->ic, c->in)}};
    run.arithmetic = part.arithmetic, run.configuration = part.configuration, run.least = part.least;
    Problem *p = &run.problem;
    p->precision = precision_of(run.least);
    set_geometry(p, c);
    int64_t out[AXES], taps = 1;
    for (int axis = 0; axis < AXES; axis++) {
        const int64_t reach = (c->kernel[axis] - 1) * c->dilation[axis] + 1, pads = c->begin[axis] + c->end[axis];
        out[axis] = transposed ? (c->in[axis] - 1) * c->stride[axis] + reach - pads + c->output_padding[axis]
                               : (c->in[axis] + pads - reach) / c->stride[axis] + 1;
        taps *= c->kernel[axis];
    }
    run.out_shape[0] = spatial_shape(c->rank, c->n, c->oc, out);
    const int64_t inputs = shape_count(&run.in_shape[0]), outputs = shape_count(&run.out_shape[0]);
    const int64_t weights = c->ic * c->oc / c->group * taps;
    const bool whole = error == 0;
    float *x = whole ? harness_integers(inputs, 4, 1) : harness_normal(inputs, 1);
    float *w = whole ? harness_integers(weights, 3, 2) : harness_normal(weights, 2);
    float *rest = whole ? harness_integers(outputs, 50, 3) : harness_normal(outputs, 3);
    float *bias = whole ? harness_integers(c->oc, 9, 4) : harness_normal(c->oc, 4);
    run.in[0] = x, p->weight = w, p->bias = c->bias ? bias : NULL;
    if (c->residual) run.in[1] = rest, run.in_shape[1] = run.out_shape[0], p->has_residual = true;
    double *y = harness_doubles(outputs), *small = NULL;
    p->activation.function = FN_NONE;
    expected_convolution(&run, c->in, out, y);
    const double atol = error * deviation(y, outputs);
    p->activation.function = c->activation.function;
    for (int64_t i = 0; i < outputs; i++) y[i] = harness_function(p->activation, y[i]);
    if (c->pool) {
        const int64_t halves[AXES] = {1, out[1] / 2, out[2] / 2};
        p->has_pool = true, run.out_shape[1] = spatial_shape(c->rank, c->n, c->oc, halves);
        double *pooled = c->pool > 1 ? scaled_copy(p, c, y, outputs) : y;
        small = pooled_copy(pooled, c->n * c->oc, out[1], out[2]);
        if (c->pool > 1) mem_free(pooled);
    }
    const bool slow = c->activation.function > FN_CLIP; // its own error
    for (int blocked = 0; blocked < 2; blocked++) {     // a few channels: another layout when the producer is plain
        run.blocked[0] = run.blocked[1] = blocked;
        harness_check(c->what, solver, &run, y, small, atol + (slow ? 1e-7 : 0), slow ? 1e-6 : 0);
    }
    mem_free(x), mem_free(w), mem_free(rest), mem_free(bias), mem_free(y), mem_free(small);
    if (c->pool > 1) mem_free((void *)p->pool_scale), mem_free((void *)p->pool_shift);
}
static void check_conv(const Solver *solver, const ConvCase *c, double error) {
    check_conv_part(solver, (Part){0, 0, ISA_SSE2}, c, error);
}

#define ONES {1, 1, 1}
#define NONE {0, 0, 0}
#define SQUARE(k) {1, k, k}
#define PAD(p) {0, p, p}
#define ALONE false, false, false, {FN_NONE, 0, 0}
#define BIASED true, false, false, {FN_NONE, 0, 0}

static const ConvCase plain_cases[] = {
    {"1x1", 4, 2, 19, 35, 1, {1, 9, 11}, ONES, ONES, ONES, NONE, NONE, NONE, BIASED},
    {"1x1 to 1 channel", 4, 1, 64, 1, 1, {1, 16, 18}, ONES, ONES, ONES, NONE, NONE, NONE,
     true, false, false, {FN_SIGMOID, 0, 0}},
    {"1x1 stride 2", 4, 1, 16, 16, 1, {1, 9, 12}, ONES, SQUARE(2), ONES, NONE, NONE, NONE, ALONE},
    {"3x3", 4, 2, 17, 33, 1, {1, 13, 15}, SQUARE(3), ONES, ONES, PAD(1), PAD(1), NONE, BIASED},
    {"3x3 valid", 4, 1, 8, 16, 1, {1, 13, 15}, SQUARE(3), ONES, ONES, NONE, NONE, NONE, ALONE},
    {"3x3 stride 2", 4, 1, 20, 16, 1, {1, 14, 15}, SQUARE(3), SQUARE(2), ONES, PAD(1), PAD(1), NONE, BIASED},
    {"3x3 stride 3", 4, 1, 5, 7, 1, {1, 14, 16}, SQUARE(3), SQUARE(3), ONES, PAD(1), NONE, NONE, BIASED},
    {"3x3 dilation 2", 4, 1, 18, 9, 1, {1, 14, 15}, SQUARE(3), ONES, SQUARE(2), PAD(2), PAD(2), NONE, BIASED},
    {"asymmetric pads", 4, 1, 6, 9, 1, {1, 10, 11}, SQUARE(3), ONES, ONES, {0, 2, 0}, {0, 0, 3}, NONE, BIASED},
    {"cropping pads", 4, 1, 6, 9, 1, {1, 10, 11}, SQUARE(3), ONES, ONES, {0, -1, 1}, {0, 1, -2}, NONE, BIASED},
    {"5x5", 4, 1, 10, 12, 1, {1, 11, 9}, SQUARE(5), ONES, ONES, PAD(2), PAD(2), NONE, BIASED},
    {"7x7 stride 2, 3 channels", 4, 1, 3, 16, 1, {1, 23, 26}, SQUARE(7), SQUARE(2), ONES, PAD(3), PAD(3), NONE, BIASED},
    {"3x3, 1 channel", 4, 2, 1, 17, 1, {1, 12, 13}, SQUARE(3), ONES, ONES, PAD(1), PAD(1), NONE, BIASED},
    {"3x3, 3 channels", 4, 1, 3, 64, 1, {1, 32, 40}, SQUARE(3), ONES, ONES, PAD(1), PAD(1), NONE, BIASED},
    {"3x3, 4 channels dilated", 4, 1, 4, 8, 1, {1, 12, 13}, SQUARE(3), ONES, SQUARE(2), PAD(2), PAD(2), NONE, BIASED},
    {"3x1 and 1x3", 4, 1, 9, 9, 1, {1, 12, 13}, {1, 3, 1}, ONES, ONES, {0, 1, 0}, {0, 1, 0}, NONE, BIASED},
    {"many channels", 4, 1, 300, 40, 1, {1, 5, 6}, SQUARE(3), ONES, ONES, PAD(1), PAD(1), NONE, BIASED},
    {"a long row", 4, 1, 4, 5, 1, {1, 2, 700}, SQUARE(3), ONES, ONES, PAD(1), PAD(1), NONE, BIASED},
    {"one pixel", 4, 3, 21, 34, 1, {1, 1, 1}, SQUARE(3), ONES, ONES, PAD(1), PAD(1), NONE, BIASED},
    {"groups", 4, 2, 24, 36, 3, {1, 9, 10}, SQUARE(3), ONES, ONES, PAD(1), PAD(1), NONE, BIASED},
    {"groups of 32", 4, 1, 64, 64, 2, {1, 7, 8}, SQUARE(3), ONES, ONES, PAD(1), PAD(1), NONE, BIASED},
    {"groups of 1 to 2", 4, 1, 10, 20, 10, {1, 7, 8}, SQUARE(3), ONES, ONES, PAD(1), PAD(1), NONE, BIASED},
    {"depthwise", 4, 1, 19, 19, 19, {1, 9, 10}, SQUARE(3), ONES, ONES, PAD(1), PAD(1), NONE, BIASED},
    {"1D", 3, 2, 18, 20, 1, {1, 1, 50}, {1, 1, 5}, {1, 1, 2}, ONES, {0, 0, 2}, {0, 0, 2}, NONE, BIASED},
    {"3D", 5, 1, 17, 18, 1, {5, 6, 7}, {3, 3, 3}, ONES, ONES, {1, 1, 1}, {1, 1, 1}, NONE, BIASED},
    {"3D stride 2, 1 channel", 5, 1, 1, 9, 1, {7, 6, 9}, {3, 3, 3}, {2, 2, 2}, ONES, {1, 1, 1}, {1, 1, 1}, NONE,
     BIASED},
    {"3D groups", 5, 2, 8, 8, 2, {4, 5, 6}, {1, 3, 3}, {1, 1, 2}, {1, 2, 1}, {0, 2, 1}, {0, 2, 1}, NONE, BIASED},
};
TEST(conv_direct) {
    for (size_t i = 0; i < COUNT_OF(plain_cases); i++) check_conv(&solver_conv_direct, &plain_cases[i], 0);
}
// Bias, residual and every kind of activation.
TEST(conv_epilogues) {
    static const Activation functions[] = {{FN_NONE, 0, 0}, {FN_RELU, 0, 0}, {FN_LEAKY_RELU, 0.125f, 0},
                                           {FN_CLIP, -20, 30}, {FN_TANH, 0, 0}, {FN_HARD_SWISH, 0, 0}};
    ConvCase dense = {"epilogue", 4, 2, 17, 33, 1, {1, 10, 11}, SQUARE(3), ONES, ONES, PAD(1), PAD(1), NONE, ALONE};
    ConvCase depthwise = {"epilogue", 4, 1, 19, 19, 19, {1, 9, 10}, SQUARE(3), ONES, ONES, PAD(1), PAD(1), NONE, ALONE};
    ConvCase doubled = {"epilogue", 4, 1, 9, 19, 1, {1, 5, 6}, SQUARE(2), SQUARE(2), ONES, NONE, NONE, NONE, ALONE};
    for (size_t f = 0; f < COUNT_OF(functions); f++)
        for (int form = 0; form < 4; form++) {
            dense.activation = depthwise.activation = doubled.activation = functions[f];
            dense.bias = depthwise.bias = doubled.bias = form & 1;
            dense.residual = depthwise.residual = doubled.residual = form >> 1;
            check_conv(&solver_conv_direct, &dense, 0);
            check_conv(&solver_conv_depthwise, &depthwise, 0);
            ConvCase far = depthwise;
            far.dilation[AXIS_H] = far.dilation[AXIS_W] = 8;
            far.begin[AXIS_H] = far.begin[AXIS_W] = far.end[AXIS_H] = far.end[AXIS_W] = 8;
            check_conv(&solver_conv_depthwise, &far, 0);
            check_conv(&solver_conv_transpose, &doubled, 0);
        }
}
TEST(conv_narrow) {
    static const ConvCase cases[] = {
        {"to 1", 4, 2, 64, 1, 1, {1, 9, 11}, ONES, ONES, ONES, NONE, NONE, NONE, BIASED},
        {"to 2", 4, 1, 19, 2, 1, {1, 6, 8}, ONES, ONES, ONES, NONE, NONE, NONE, ALONE},
        {"to 3", 4, 1, 300, 3, 1, {1, 5, 3}, ONES, ONES, ONES, NONE, NONE, NONE, BIASED},
        {"to 4, a function", 4, 3, 32, 4, 1, {1, 7, 13}, ONES, ONES, ONES, NONE, NONE, NONE,
         true, false, false, {FN_SIGMOID, 0, 0}},
        {"ReLU", 4, 1, 33, 2, 1, {1, 4, 4}, ONES, ONES, ONES, NONE, NONE, NONE, true, false, false, {FN_RELU, 0, 0}},
        {"a long row", 4, 1, 16, 1, 1, {1, 3, 900}, ONES, ONES, ONES, NONE, NONE, NONE, BIASED},
        {"1D", 3, 2, 20, 2, 1, {1, 1, 50}, ONES, ONES, ONES, NONE, NONE, NONE, BIASED},
        {"3D", 5, 2, 17, 3, 1, {3, 5, 7}, ONES, ONES, ONES, NONE, NONE, NONE, BIASED},
        {"one pixel", 4, 1, 16, 1, 1, {1, 1, 1}, ONES, ONES, ONES, NONE, NONE, NONE, BIASED},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) check_conv(&solver_conv_narrow, &cases[i], 0);
}
TEST(conv_depthwise) {
    static const ConvCase cases[] = {
        {"3x3", 4, 2, 35, 35, 35, {1, 13, 14}, SQUARE(3), ONES, ONES, PAD(1), PAD(1), NONE, BIASED},
        {"5x5 stride 2", 4, 1, 16, 16, 16, {1, 13, 14}, SQUARE(5), SQUARE(2), ONES, PAD(2), PAD(2), NONE, BIASED},
        {"dilated", 4, 1, 3, 3, 3, {1, 13, 14}, SQUARE(3), ONES, SQUARE(3), PAD(3), {0, 1, 2}, NONE, ALONE},
        {"1D", 3, 2, 18, 18, 18, {1, 1, 40}, {1, 1, 7}, ONES, ONES, {0, 0, 3}, {0, 0, 3}, NONE, BIASED},
        {"3D", 5, 1, 20, 20, 20, {5, 6, 7}, {3, 3, 3}, {2, 1, 1}, ONES, {1, 1, 1}, {1, 1, 1}, NONE, BIASED},
        {"cropping pads", 4, 1, 6, 6, 6, {1, 10, 11}, SQUARE(3), ONES, ONES, {0, -1, 1}, {0, 1, -2}, NONE, BIASED},
        // Without a border: taps that meet, that never do, that only pads meet.
        {"reaching far", 4, 2, 35, 35, 35, {1, 16, 17}, SQUARE(3), ONES, SQUARE(12), PAD(12), PAD(12), NONE, BIASED},
        {"beyond the image", 4, 1, 19, 19, 19, {1, 7, 9}, SQUARE(3), ONES, SQUARE(36), PAD(36), PAD(36), NONE, BIASED},
        {"far, stride 2",
         4,
         1,
         16,
         16,
         16,
         {1, 9, 10},
         SQUARE(5),
         SQUARE(2),
         SQUARE(5),
         {0, 9, 11},
         PAD(10),
         NONE,
         BIASED},
        {"pads alone", 4, 1, 16, 16, 16, {1, 2, 3}, SQUARE(3), ONES, ONES, PAD(6), PAD(5), NONE, BIASED},
        {"far in 3D", 5, 1, 17, 17, 17, {3, 4, 5}, {3, 3, 3}, ONES, {2, 3, 4}, {2, 3, 4}, {2, 3, 4}, NONE, BIASED},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) check_conv(&solver_conv_depthwise, &cases[i], 0);
}
TEST(conv_transpose) {
    static const ConvCase cases[] = {
        {"k2 s2", 4, 2, 19, 33, 1, {1, 7, 9}, SQUARE(2), SQUARE(2), ONES, NONE, NONE, NONE, BIASED},
        {"k2 s2, wide", 4, 1, 130, 16, 1, {1, 4, 300}, SQUARE(2), SQUARE(2), ONES, NONE, NONE, NONE, BIASED},
        {"k3 s2 with output padding",
         4,
         1,
         17,
         20,
         1,
         {1, 7, 9},
         SQUARE(3),
         SQUARE(2),
         ONES,
         PAD(1),
         PAD(1),
         PAD(1),
         BIASED},
        {"k4 s2", 4, 1, 16, 16, 1, {1, 7, 9}, SQUARE(4), SQUARE(2), ONES, PAD(1), PAD(1), NONE, BIASED},
        {"k3 s1", 4, 1, 8, 9, 1, {1, 7, 9}, SQUARE(3), ONES, ONES, PAD(1), PAD(1), NONE, BIASED},
        {"k2 s3: gaps", 4, 1, 8, 9, 1, {1, 5, 6}, SQUARE(2), SQUARE(3), ONES, NONE, NONE, PAD(1), BIASED},
        {"k1 s2: gaps", 4, 1, 8, 9, 1, {1, 5, 6}, ONES, SQUARE(2), ONES, NONE, NONE, NONE, BIASED},
        {"dilation 2", 4, 1, 8, 9, 1, {1, 6, 7}, SQUARE(3), SQUARE(2), SQUARE(2), PAD(1), {0, 2, 0}, NONE, BIASED},
        {"dilation 2 stride 3", 4, 1, 8, 9, 1, {1, 6, 7}, SQUARE(3), SQUARE(3), SQUARE(2), NONE, NONE, NONE, BIASED},
        {"groups", 4, 2, 12, 18, 3, {1, 5, 6}, SQUARE(3), SQUARE(2), ONES, PAD(1), PAD(1), NONE, BIASED},
        {"depthwise", 4, 1, 20, 20, 20, {1, 5, 6}, SQUARE(4), SQUARE(2), ONES, PAD(1), PAD(1), NONE, BIASED},
        {"few channels", 4, 1, 3, 5, 1, {1, 5, 6}, SQUARE(3), SQUARE(2), ONES, PAD(1), PAD(1), NONE, BIASED},
        {"large pads", 4, 1, 8, 8, 1, {1, 6, 7}, SQUARE(2), SQUARE(2), ONES, PAD(3), {0, 1, 3}, NONE, BIASED},
        {"1D", 3, 2, 9, 17, 1, {1, 1, 20}, {1, 1, 4}, {1, 1, 3}, ONES, {0, 0, 1}, {0, 0, 0}, NONE, BIASED},
        {"3D", 5, 1, 17, 8, 1, {3, 4, 5}, {2, 2, 2}, {2, 2, 2}, ONES, NONE, NONE, NONE, BIASED},
        {"3D, several chunks", 5, 1, 140, 40, 1, {2, 3, 5}, {2, 2, 2}, {2, 2, 2}, ONES, NONE, NONE, NONE, BIASED},
        {"k4 s4, cut", 4, 1, 17, 8, 1, {1, 5, 6}, SQUARE(4), SQUARE(4), ONES, PAD(1), PAD(1), NONE, BIASED},
        {"k9 s9: too many lines at once",
         4,
         1,
         17,
         8,
         1,
         {1, 3, 4},
         SQUARE(9),
         SQUARE(9),
         ONES,
         PAD(2),
         NONE,
         NONE,
         BIASED},
        {"3D k3", 5, 1, 5, 8, 1, {3, 4, 5}, {3, 3, 3}, {2, 1, 2}, ONES, {1, 1, 0}, {1, 1, 1}, {1, 0, 1}, BIASED},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) check_conv(&solver_conv_transpose, &cases[i], 0);
}

// ---- Winograd ----

static const ConvCase winograd_cases[] = {
    {"same", 4, 1, 32, 32, 1, {1, 16, 16}, SQUARE(3), ONES, ONES, PAD(1), PAD(1), NONE, BIASED},
    {"ragged", 4, 2, 19, 35, 1, {1, 13, 18}, SQUARE(3), ONES, ONES, PAD(1), PAD(1), NONE, BIASED},
    {"valid", 4, 1, 16, 16, 1, {1, 15, 11}, SQUARE(3), ONES, ONES, NONE, NONE, NONE, ALONE},
    {"asymmetric", 4, 1, 8, 8, 1, {1, 9, 10}, SQUARE(3), ONES, ONES, {0, 2, 0}, {0, 0, 2}, NONE, BIASED},
    {"several chunks", 4, 1, 300, 40, 1, {1, 9, 8}, SQUARE(3), ONES, ONES, PAD(1), PAD(1), NONE, BIASED},
    {"one pixel", 4, 1, 20, 20, 1, {1, 1, 1}, SQUARE(3), ONES, ONES, PAD(1), PAD(1), NONE, BIASED},
    {"residual",
     4,
     2,
     20,
     20,
     1,
     {1, 11, 14},
     SQUARE(3),
     ONES,
     ONES,
     PAD(1),
     PAD(1),
     NONE,
     true,
     true,
     false,
     {FN_RELU, 0, 0}},
    {"clip",
     4,
     1,
     20,
     20,
     1,
     {1, 11, 14},
     SQUARE(3),
     ONES,
     ONES,
     PAD(1),
     PAD(1),
     NONE,
     true,
     true,
     false,
     {FN_CLIP, -1, 2}},
    {"leaky",
     4,
     1,
     20,
     20,
     1,
     {1, 8, 8},
     SQUARE(3),
     ONES,
     ONES,
     PAD(1),
     PAD(1),
     NONE,
     true,
     false,
     false,
     {FN_LEAKY_RELU, 0.1f, 0}},
    {"slow function",
     4,
     1,
     20,
     20,
     1,
     {1, 11, 14},
     SQUARE(3),
     ONES,
     ONES,
     PAD(1),
     PAD(1),
     NONE,
     true,
     true,
     false,
     {FN_HARD_SWISH, 0, 0}},
    {"pooled",
     4,
     1,
     20,
     36,
     1,
     {1, 12, 16},
     SQUARE(3),
     ONES,
     ONES,
     PAD(1),
     PAD(1),
     NONE,
     true,
     false,
     true,
     {FN_RELU, 0, 0}},
    {"pooled, odd",
     4,
     2,
     20,
     20,
     1,
     {1, 11, 15},
     SQUARE(3),
     ONES,
     ONES,
     PAD(1),
     PAD(1),
     NONE,
     true,
     true,
     true,
     {FN_NONE, 0, 0}},
    {"pooled, slow",
     4,
     1,
     20,
     20,
     1,
     {1, 13, 10},
     SQUARE(3),
     ONES,
     ONES,
     PAD(1),
     PAD(1),
     NONE,
     true,
     true,
     true,
     {FN_TANH, 0, 0}},
    {"scaled and pooled",
     4,
     1,
     20,
     36,
     1,
     {1, 12, 16},
     SQUARE(3),
     ONES,
     ONES,
     PAD(1),
     PAD(1),
     NONE,
     true,
     false,
     3,
     {FN_NONE, 0, 0}},
    {"scaled and pooled, odd",
     4,
     2,
     20,
     20,
     1,
     {1, 11, 75},
     SQUARE(3),
     ONES,
     ONES,
     PAD(1),
     PAD(1),
     NONE,
     true,
     true,
     4,
     {FN_RELU, 0, 0}},
    {"scaled and pooled, slow",
     4,
     1,
     20,
     20,
     1,
     {1, 13, 10},
     SQUARE(3),
     ONES,
     ONES,
     PAD(1),
     PAD(1),
     NONE,
     true,
     true,
     5,
     {FN_TANH, 0, 0}},
    {"scaled and pooled, no function",
     4,
     1,
     8,
     9,
     1,
     {1, 6, 5},
     SQUARE(3),
     ONES,
     ONES,
     PAD(1),
     PAD(1),
     NONE,
     false,
     false,
     2,
     {FN_NONE, 0, 0}},
    {"many tiles", 4, 1, 8, 8, 1, {1, 70, 90}, SQUARE(3), ONES, ONES, PAD(1), PAD(1), NONE, BIASED},
    {"volume", 5, 1, 20, 36, 1, {5, 9, 10}, {3, 3, 3}, ONES, ONES, {1, 1, 1}, {1, 1, 1}, NONE, BIASED},
    {"volume, several chunks", 5, 2, 70, 9, 1, {3, 6, 5}, {3, 3, 3}, ONES, ONES, {1, 1, 1}, {1, 1, 1}, NONE, BIASED},
    {"volume, valid", 5, 1, 17, 18, 1, {5, 7, 8}, {3, 3, 3}, ONES, ONES, NONE, NONE, NONE, ALONE},
    {"volume, asymmetric", 5, 1, 8, 8, 1, {4, 6, 6}, {3, 3, 3}, ONES, ONES, {2, 0, 1}, {0, 2, 1}, NONE, BIASED},
    {"volume, deep", 5, 1, 8, 8, 1, {37, 5, 4}, {3, 3, 3}, ONES, ONES, {1, 1, 1}, {1, 1, 1}, NONE, BIASED},
    {"volume, 1x3x3", 5, 1, 12, 12, 1, {6, 7, 9}, {1, 3, 3}, ONES, ONES, PAD(1), PAD(1), NONE, BIASED},
    {"volume, 5x3x3", 5, 1, 12, 12, 1, {6, 7, 9}, {5, 3, 3}, ONES, ONES, {2, 1, 1}, {2, 1, 1}, NONE, BIASED},
    {"volume, one slice", 5, 1, 12, 12, 1, {1, 7, 9}, {3, 3, 3}, ONES, ONES, {1, 1, 1}, {1, 1, 1}, NONE, BIASED},
    {"volume, residual",
     5,
     2,
     12,
     20,
     1,
     {3, 6, 7},
     {3, 3, 3},
     ONES,
     ONES,
     {1, 1, 1},
     {1, 1, 1},
     NONE,
     true,
     true,
     false,
     {FN_RELU, 0, 0}},
};
// The first schedule (tiles) and the last (weights) of F(m,3). F(2,3) is exact on whole numbers.
static void check_winograd(int tile, double error) {
    for (size_t i = 0; i < COUNT_OF(winograd_cases); i++)
        for (int configuration = -1; configuration <= 0; configuration++)
            check_conv_part(&solver_conv_winograd, (Part){tile, configuration, ISA_SSE2}, &winograd_cases[i], error);
}
TEST(conv_winograd_4) { check_winograd(4, 2e-5); }
TEST(conv_winograd_2) { check_winograd(2, 0); }
// What solvers foresee (Solver.error) is an upper mark of what is measured, and not far from it.
TEST(foreseen_errors_of_layers) {
    static const struct {
        const Solver *solver;
        int64_t ic, oc, group, kernel;
        int arithmetic; // its first number
        Isa least;
        int64_t depth; // of a volume, with a cube as kernel; 0: none
    } layers[] = {{&solver_conv_direct, 16, 16, 1, 3, 32, ISA_SSE2, 0},
                  {&solver_conv_direct, 200, 16, 1, 3, 32, ISA_SSE2, 0},
                  {&solver_conv_direct, 512, 16, 1, 1, 128, ISA_SSE2, 0},
                  {&solver_conv_winograd, 32, 16, 1, 3, 4, ISA_SSE2, 0},
                  {&solver_conv_winograd, 512, 16, 1, 3, 4, ISA_SSE2, 0},
                  {&solver_conv_depthwise, 24, 24, 24, 5, 0, ISA_SSE2, 0},
                  {&solver_conv_narrow, 512, 4, 1, 1, 0, ISA_SSE2, 0},
                  {&solver_conv_winograd, 32, 16, 1, 3, 2, ISA_SSE2, 0},
                  {&solver_conv_winograd, 512, 16, 1, 3, 2, ISA_SSE2, 0},
                  {&solver_conv_winograd, 128, 16, 1, 3, 2, ISA_SSE2, 2},
                  {&solver_conv_winograd, 128, 16, 1, 3, 4, ISA_SSE2, 2},
                  {&solver_conv_transpose, 200, 16, 1, 3, 32, ISA_SSE2, 0},
                  {&solver_conv_amx, 32, 32, 1, 3, 1, ISA_AMX, 0},
                  {&solver_conv_amx, 512, 24, 1, 3, 1, ISA_AMX, 0},
                  {&solver_conv_transpose_amx, 512, 24, 1, 1, 1, ISA_AMX, 0},
                  {&solver_conv_transpose_amx, 64, 24, 1, 1, 3, ISA_AMX, 0},
                  {&solver_conv_amx, 32, 32, 1, 3, 2, ISA_AMX, 0},
                  {&solver_conv_amx, 512, 24, 1, 3, 2, ISA_AMX, 0},
                  {&solver_conv_amx, 32, 32, 1, 1, 3, ISA_AMX, 0},
                  {&solver_conv_amx, 512, 24, 1, 3, 3, ISA_AMX, 0}};
    for (size_t i = 0; i < COUNT_OF(layers); i++) {
        const int64_t ic = layers[i].ic, oc = layers[i].oc, k = layers[i].kernel, depth = layers[i].depth;
        const int64_t size[AXES] = {MAX(depth, 1), 16, 16}, pixels = size[AXIS_D] * 256, count = oc * pixels;
        const int rank = depth ? 5 : 4;
        Run run = {.problem = harness_problem(layers[i].solver->kind), .blocked = {true}};
        Problem *p = &run.problem;
        run.in_shape[0] = spatial_shape(rank, 1, ic, size), run.out_shape[0] = spatial_shape(rank, 1, oc, size);
        p->ic = ic, p->oc = oc, p->group = layers[i].group;
        for (int axis = depth ? AXIS_D : AXIS_H; axis <= AXIS_W; axis++)
            p->kernel[axis] = k, p->pad_begin[axis] = p->pad_end[axis] = k / 2;
        run.in[0] = harness_normal(ic * pixels, 1);
        p->weight = harness_normal(ic * oc / p->group * k * k * (depth ? k : 1), 2);
        double *y = harness_doubles(count);
        float *actual = harness_normal(count, 4);
        expected_convolution(&run, size, size, y);
        run.arithmetic = layers[i].arithmetic, run.least = layers[i].least;
        p->precision = precision_of(run.least);
        for (EACH_ISA(isa, &run)) {
            const Configuration first = {.arithmetic = {layers[i].arithmetic}};
            const double foreseen = solver_error(layers[i].solver, p, &first, harness_kernels(isa));
            double squares = 0;
            REQUIRE(harness_run(layers[i].solver, &run, isa, 2, (void *[]){actual, NULL}));
            for (int64_t at = 0; at < count; at++) squares += (actual[at] - y[at]) * (actual[at] - y[at]);
            const double error = sqrt(squares / (double)count) / deviation(y, count);
            CHECK_MSG(error <= foreseen && error >= foreseen / 8, "%s, %s, %d channels: error %.3g, foreseen %.3g",
                      layers[i].solver->name, isa_name(isa), (int)ic, error, foreseen);
        }
    }
}
// A schedule fixes no bits: every configuration with the same arithmetic gives the same ones.
static void check_schedules(const Solver *solver, Part part, int64_t depth) {
    const int64_t size[AXES] = {depth, 22, 27}, pixels = depth * 22 * 27, in = 40 * pixels, out = 36 * pixels;
    const int rank = depth > 1 ? 5 : 4;
    Run run = {.problem = harness_problem(PROBLEM_CONV), .blocked = {true}};
    Problem *p = &run.problem;
    run.in_shape[0] = spatial_shape(rank, 1, 40, size), run.out_shape[0] = spatial_shape(rank, 1, 36, size);
    p->ic = 40, p->oc = 36;
    for (int axis = depth > 1 ? AXIS_D : AXIS_H; axis <= AXIS_W; axis++)
        p->kernel[axis] = 3, p->pad_begin[axis] = p->pad_end[axis] = 1;
    run.in[0] = harness_normal(in, 1), p->weight = harness_normal(40 * 36 * 27, 2), p->bias = harness_normal(36, 3);
    float *first = harness_normal(out, 4), *other = harness_normal(out, 5);
    run.arithmetic = part.arithmetic, run.least = part.least;
    p->precision = precision_of(run.least);
    for (EACH_ISA(isa, &run)) {
        run.configuration = 0;
        REQUIRE(harness_run(solver, &run, isa, 1, (void *[]){first, NULL}));
        for (run.configuration = 1; run.configuration < 16; run.configuration++) {
            REQUIRE(harness_run(solver, &run, isa, 2, (void *[]){other, NULL}));
            CHECK_MSG(!memcmp(first, other, (size_t)out * sizeof *first), "%s: configuration %d gives other bits",
                      isa_name(isa), run.configuration);
        }
    }
}
static void need_amx(void) {
    if (!harness_kernels(ISA_AMX)) test_skip("neither AMX nor the AVX2 that its emulation takes is here");
}
// All that tuning may try, each on 1 to 3 threads in turn: the same bits for the same arithmetic, near what is
// expected, each listed once and those that are tried without tuning among them.
static void check_space(const Solver *solver, const char *what, const Run *run, const double *y, double allowed) {
    static Configuration list[HARNESS_SPACE], few[HARNESS_SPACE];
    const int64_t out = shape_count(&run->out_shape[0]);
    float *first = harness_normal(out, 4), *other = harness_normal(out, 5);
    for (EACH_ISA(isa, run)) {
        Run all = *run;
        const int n_few = harness_list(solver, &all, isa, 1, few, HARNESS_SPACE);
        all.space = true;
        const int count = harness_list(solver, &all, isa, 1, list, HARNESS_SPACE);
        REQUIRE(count <= HARNESS_SPACE);
        int found = 0;
        for (int i = 0; i < n_few; i++) {
            int j = 0;
            while (j < count && memcmp(&few[i], &list[j], sizeof *few)) j++;
            found += j < count;
        }
        CHECK_MSG(found == n_few, "%s, %s: %d of %d are not in the space", what, isa_name(isa), n_few - found, n_few);
        // Levels have their source in common: two of them run everything.
        const int step = isa == ISA_AVX || isa == ISA_AVX512 ? 3 : 1;
        const Configuration *before = NULL;
        for (all.configuration = 0; all.configuration < count; all.configuration += step) {
            const Configuration *c = &list[all.configuration];
            for (int i = 0; i < all.configuration; i++)
                CHECK_MSG(memcmp(c, &list[i], sizeof *c), "%s, %s: %d and %d are one", what, isa_name(isa), i,
                          all.configuration);
            const bool begins = !before || memcmp(c->arithmetic, before->arithmetic, sizeof c->arithmetic);
            before = c;
            REQUIRE(
                harness_run(solver, &all, isa, 1 + all.configuration % 3, (void *[]){begins ? first : other, NULL}));
            for (int64_t i = 0; begins && i < out; i++)
                CHECK_MSG(fabs(first[i] - y[i]) <= allowed, "%s, %s: got %g, expected %g", what, isa_name(isa),
                          first[i], y[i]);
            CHECK_MSG(begins || !memcmp(first, other, (size_t)out * sizeof *first),
                      "%s, %s: configuration %d gives other bits", what, isa_name(isa), all.configuration);
        }
    }
    mem_free(first), mem_free(other);
}
// Normal data, which live as long as the test. Returns the output's sizes.
static void conv_space_run(const Solver *solver, const ConvCase *c, Isa least, Run *run, int64_t out[AXES]) {
    const bool transposed = solver->kind == PROBLEM_CONV_TRANSPOSE;
    *run = (Run){.problem = harness_problem(solver->kind), .blocked = {true}, .least = least};
    Problem *p = &run->problem;
    p->precision = precision_of(least);
    set_geometry(p, c);
    int64_t taps = 1;
    for (int axis = 0; axis < AXES; axis++) {
        const int64_t reach = (c->kernel[axis] - 1) * c->dilation[axis] + 1, pads = c->begin[axis] + c->end[axis];
        out[axis] = transposed ? (c->in[axis] - 1) * c->stride[axis] + reach - pads
                               : (c->in[axis] + pads - reach) / c->stride[axis] + 1;
        taps *= c->kernel[axis];
    }
    run->in_shape[0] = spatial_shape(c->rank, c->n, c->ic, c->in);
    run->out_shape[0] = spatial_shape(c->rank, c->n, c->oc, out);
    run->in[0] = harness_normal(shape_count(&run->in_shape[0]), 1);
    p->weight = harness_normal(c->ic * c->oc / c->group * taps, 2);
}
static void check_conv_space(const Solver *solver, const ConvCase *c, Isa least, double error) {
    Run run;
    int64_t out[AXES];
    conv_space_run(solver, c, least, &run, out);
    const int64_t outputs = shape_count(&run.out_shape[0]);
    double *y = harness_doubles(outputs);
    expected_convolution(&run, c->in, out, y);
    check_space(solver, c->what, &run, y, error * deviation(y, outputs));
    mem_free(y);
}
static const struct {
    const Solver *solver;
    ConvCase c;
} space_cases[] = {
    {&solver_conv_winograd, {"3x3", 4, 1, 24, 100, 1, {1, 9, 13}, SQUARE(3), ONES, ONES, PAD(1), PAD(1), NONE, ALONE}},
    {&solver_conv_winograd,
     {"3x3, two chunks", 4, 2, 140, 36, 1, {1, 5, 10}, SQUARE(3), ONES, ONES, PAD(1), PAD(1), NONE, ALONE}},
    {&solver_conv_winograd,
     {"3x3x3", 5, 1, 20, 36, 1, {4, 5, 6}, {3, 3, 3}, ONES, ONES, {1, 1, 1}, {1, 1, 1}, NONE, ALONE}},
    {&solver_conv_direct, {"3x3", 4, 2, 40, 100, 1, {1, 17, 15}, SQUARE(3), ONES, ONES, PAD(1), PAD(1), NONE, ALONE}},
    {&solver_conv_direct,
     {"much weight", 4, 1, 300, 70, 1, {1, 9, 7}, SQUARE(3), SQUARE(2), ONES, PAD(1), PAD(1), NONE, ALONE}},
    {&solver_conv_direct,
     {"first layer", 4, 1, 3, 40, 1, {1, 15, 14}, SQUARE(7), SQUARE(2), ONES, PAD(3), PAD(3), NONE, ALONE}},
    {&solver_conv_direct, {"1x1", 4, 1, 600, 50, 1, {1, 20, 13}, ONES, ONES, ONES, NONE, NONE, NONE, ALONE}},
    {&solver_conv_direct,
     {"3x3x3", 5, 1, 20, 36, 1, {4, 5, 9}, {3, 3, 3}, ONES, ONES, {1, 1, 1}, {1, 1, 1}, NONE, ALONE}},
    {&solver_conv_transpose,
     {"k2 s2", 4, 2, 70, 72, 1, {1, 7, 9}, SQUARE(2), SQUARE(2), ONES, NONE, NONE, NONE, ALONE}},
    {&solver_conv_transpose,
     {"k5 s3", 4, 1, 20, 40, 1, {1, 5, 6}, SQUARE(5), SQUARE(3), ONES, PAD(1), PAD(1), NONE, ALONE}},
    {&solver_conv_depthwise,
     {"3x3", 4, 2, 35, 35, 35, {1, 21, 14}, SQUARE(3), ONES, ONES, PAD(1), PAD(1), NONE, ALONE}},
    {&solver_conv_depthwise,
     {"in 3D", 5, 1, 17, 17, 17, {3, 12, 5}, {3, 3, 3}, ONES, ONES, {1, 1, 1}, {1, 1, 1}, NONE, ALONE}},
    {&solver_conv_narrow, {"to 2", 4, 2, 40, 2, 1, {1, 37, 90}, ONES, ONES, ONES, NONE, NONE, NONE, ALONE}},
};
TEST(conv_spaces_agree) {
    for (size_t i = 0; i < COUNT_OF(space_cases); i++)
        check_conv_space(space_cases[i].solver, &space_cases[i].c, ISA_SSE2, 5e-5);
}
// ---- Every knob changes what is executed: spies see the calls of kernels ----

static const Kernels *spied;
static uint64_t seen;
static const char *last_seen[4];
static void note_call(int64_t a, int64_t b, int64_t c, int64_t d) {
    const int64_t call[] = {a, b, c, d, (int64_t)seen};
    seen = hash64(call, sizeof call, 0);
}
// How far an operand lies from where the last call had it.
static void note_place(int operand, const void *at) {
    if (last_seen[operand]) note_call(operand, (const char *)at - last_seen[operand], 0, 0);
    last_seen[operand] = at;
}
static void note_places(const void *a, const void *w, const void *c) {
    if (a) note_place(0, a);
    note_place(1, w), note_place(2, c);
}
#define SPY_GEMM(rows, vectors)                                                                                        \
    static void spy_gemm_##rows##_##vectors(int64_t batch, const int32_t *offset, const float *a, int64_t lda,         \
                                            const float *w, int64_t depth, float *c, int64_t ldc, int accumulate,      \
                                            const char *prefetch) {                                                    \
        note_call(rows, vectors, batch * 1000 + depth, accumulate * 2 + !prefetch);                                    \
        note_places(a, w, c);                                                                                          \
        spied->gemm[vectors][rows](batch, offset, a, lda, w, depth, c, ldc, accumulate, prefetch);                     \
    }
#define SPY_KEEP(rows, vectors)                                                                                        \
    static void spy_keep_##rows##_##vectors(int64_t batch, const int32_t *offset, const float *a, int64_t lda,         \
                                            const float *w, int64_t depth, float *c, int64_t ldc, int accumulate,      \
                                            const char *prefetch, float *kept) {                                       \
        note_call(100 + rows, vectors, batch * 1000 + depth, accumulate * 2 + !prefetch);                              \
        note_places(a, w, c);                                                                                          \
        spied->gemm_keep[vectors][rows](batch, offset, a, lda, w, depth, c, ldc, accumulate, prefetch, kept);          \
    }                                                                                                                  \
    static void spy_kept_##rows##_##vectors(const float *kept, const float *w, int64_t depth, float *c, int64_t ldc,   \
                                            int accumulate, const char *prefetch) {                                    \
        note_call(200 + rows, vectors, depth, accumulate * 2 + !prefetch);                                             \
        note_places(NULL, w, c);                                                                                       \
        spied->gemm_kept[vectors][rows](kept, w, depth, c, ldc, accumulate, prefetch);                                 \
    }
#define EACH_ROWS(X) X(1, 1) X(2, 1) X(3, 1) X(4, 1) X(5, 1) X(6, 1) X(1, 2) X(2, 2) X(3, 2) X(4, 2) X(5, 2) X(6, 2)
EACH_ROWS(SPY_GEMM)
EACH_ROWS(SPY_KEEP)
static void note_input(int tile, int tiles, int blocks, const float *in) {
    note_call(tile, tiles, blocks, 0);
    note_place(3, in);
}
#define SPY_WINOGRAD(tile)                                                                                             \
    static void spy_input_##tile(const float *in, int64_t in_row, int64_t in_block, int tiles, int blocks, float *v,   \
                                 int64_t v_tile, int64_t v_plane) {                                                    \
        note_input(tile, tiles, blocks, in);                                                                           \
        spied->winograd[tile].input(in, in_row, in_block, tiles, blocks, v, v_tile, v_plane);                          \
    }
SPY_WINOGRAD(2)
SPY_WINOGRAD(4)
static void spy_depthwise(const float *in, int64_t in_pixel, const int32_t *offset, int taps, const float *w,
                          int pixels, const Epilogue *epilogue, const float *residual, int64_t residual_pixel,
                          float *out, int64_t out_pixel, const Kernels *kernels) {
    note_places(in, w, out);
    spied->depthwise(in, in_pixel, offset, taps, w, pixels, epilogue, residual, residual_pixel, out, out_pixel,
                     kernels);
}
static void spy_narrow(const float *in, int64_t in_block, int blocks, const float *w, int outs, int pixels, float *out,
                       int64_t out_plane) {
    note_places(in, w, out);
    spied->narrow(in, in_block, blocks, w, outs, pixels, out, out_plane);
}
static Kernels with_spies(Isa isa) {
    spied = harness_kernels(isa);
    Kernels k = *spied;
#define PUT_SPIES(rows, vectors)                                                                                       \
    k.gemm[vectors][rows] = spy_gemm_##rows##_##vectors;                                                               \
    if (spied->gemm_keep[vectors][rows]) {                                                                             \
        k.gemm_keep[vectors][rows] = spy_keep_##rows##_##vectors;                                                      \
        k.gemm_kept[vectors][rows] = spy_kept_##rows##_##vectors;                                                      \
    }
    EACH_ROWS(PUT_SPIES)
    k.winograd[2].input = spy_input_2, k.winograd[4].input = spy_input_4, k.depthwise = spy_depthwise,
    k.narrow = spy_narrow;
    return k;
}
typedef struct Trace {
    uint64_t seen;
    int64_t arithmetic;
} Trace;
static void note_unit(int64_t unit) { note_call(unit, -1, 0, 0); }
static Trace trace_of(const Solver *solver, const Run *run, Isa isa, int64_t arithmetic, float *out) {
    seen = 0, memset(last_seen, 0, sizeof last_seen);
    REQUIRE(harness_run(solver, run, isa, 1, (void *[]){out, NULL}));
    return (Trace){seen, arithmetic};
}
static void check_traces(const Solver *solver, const char *what, const Run *run, Isa isa) {
    static Configuration list[HARNESS_SPACE];
    static Trace traces[HARNESS_SPACE];
    Run all = *run;
    float *out = harness_normal(shape_count(&run->out_shape[0]), 5);
    all.space = true;
    const Kernels kernels = with_spies(isa);
    harness_spy(isa, &kernels), harness_spy_units(note_unit);
    const int count = harness_list(solver, &all, isa, 1, list, HARNESS_SPACE);
    REQUIRE(count > 4 && count <= HARNESS_SPACE);
    for (all.configuration = 0; all.configuration < count; all.configuration++) {
        traces[all.configuration] = trace_of(solver, &all, isa, list[all.configuration].arithmetic[0], out);
        for (int i = 0; i < all.configuration; i++)
            CHECK_MSG(memcmp(&traces[i], &traces[all.configuration], sizeof *traces),
                      "%s, %s, %s: configurations %d and %d do the same", solver->name, what, isa_name(isa), i,
                      all.configuration);
    }
    all.configuration = 0;
    const Trace again = trace_of(solver, &all, isa, list[0].arithmetic[0], out);
    CHECK_MSG(!memcmp(&again, &traces[0], sizeof again), "%s: a trace is not the same again", what);
    harness_spy(isa, NULL), harness_spy_units(NULL);
    mem_free(out);
}
TEST(conv_knobs_change_what_is_done) {
    for (size_t i = 0; i < COUNT_OF(space_cases); i++) {
        Run run;
        int64_t out[AXES];
        conv_space_run(space_cases[i].solver, &space_cases[i].c, ISA_SSE2, &run, out);
        check_traces(space_cases[i].solver, space_cases[i].c.what, &run, ISA_SSE2);
        if (harness_kernels(ISA_AVX2)) check_traces(space_cases[i].solver, space_cases[i].c.what, &run, ISA_AVX2);
    }
}
TEST(conv_amx_spaces_agree) {
    static const ConvCase convolution = {"3x3",     4,    1,    40,     72,     1,    {1, 17, 19},
                                         SQUARE(3), ONES, ONES, PAD(1), PAD(1), NONE, ALONE},
                          doubled = {"k2 s2",   4,         1,    40,   20,   1,    {1, 9, 11},
                                     SQUARE(2), SQUARE(2), ONES, NONE, NONE, NONE, ALONE};
    need_amx();
    check_conv_space(&solver_conv_amx, &convolution, ISA_AMX, 2e-2);
    check_conv_space(&solver_conv_transpose_amx, &doubled, ISA_AMX, 2e-2);
}
TEST(conv_winograd_schedules_agree) {
    for (int tile = 2; tile <= 4; tile += 2)
        for (int depth = 1; depth <= 5; depth += 4)
            check_schedules(&solver_conv_winograd, (Part){tile, 0, ISA_SSE2}, depth);
}

// ---- AMX ----

// Whole numbers of few bits are their own high part, so sums are exact with one part as with three.
static void check_amx(int parts, int configuration) {
    const Part part = {parts, configuration, ISA_AMX};
    need_amx();
    for (size_t i = 0; i < COUNT_OF(plain_cases); i++)
        if (plain_cases[i].group == 1) check_conv_part(&solver_conv_amx, part, &plain_cases[i], 0);
    for (size_t i = 0; i < COUNT_OF(winograd_cases); i++)
        check_conv_part(&solver_conv_amx, part, &winograd_cases[i], 0);
}
TEST(conv_amx_one_product) { check_amx(1, 0); }
TEST(conv_amx_one_product_image_split) { check_amx(1, -1); }
TEST(conv_amx_three_products) { check_amx(2, 0); }
TEST(conv_amx_six_products) { check_amx(3, 0); }
TEST(conv_amx_image_split) { check_amx(2, -1); }
// Kernels as large as their stride: 2x2, odd sizes, one vector of channels, several panels, a residual, volumes.
TEST(conv_transpose_amx) {
    static const ConvCase cases[] = {
        {"2x2", 4, 1, 40, 36, 1, {1, 9, 11}, SQUARE(2), SQUARE(2), ONES, NONE, NONE, NONE, BIASED},
        {"2x2, one vector, batch", 4, 3, 33, 9, 1, {1, 5, 70}, SQUARE(2), SQUARE(2), ONES, NONE, NONE, NONE, BIASED},
        {"3x2", 4, 1, 16, 70, 1, {1, 6, 7}, {1, 3, 2}, {1, 3, 2}, ONES, NONE, NONE, NONE, ALONE},
        {"residual",
         4,
         2,
         20,
         40,
         1,
         {1, 4, 17},
         SQUARE(2),
         SQUARE(2),
         ONES,
         NONE,
         NONE,
         NONE,
         true,
         true,
         false,
         {FN_RELU, 0, 0}},
        {"volume", 5, 2, 40, 20, 1, {3, 4, 5}, {2, 2, 2}, {2, 2, 2}, ONES, NONE, NONE, NONE, BIASED},
        {"volume, 1x2x2", 5, 1, 8, 50, 1, {3, 4, 5}, {1, 2, 2}, {1, 2, 2}, ONES, NONE, NONE, NONE, BIASED}};
    need_amx();
    for (int parts = 1; parts <= 3; parts++)
        for (int configuration = -1; configuration <= 0; configuration++)
            for (size_t i = 0; i < COUNT_OF(cases); i++)
                check_conv_part(&solver_conv_transpose_amx, (Part){parts, configuration, ISA_AMX}, &cases[i], 0);
}
TEST(conv_amx_schedules_agree) {
    need_amx();
    for (int parts = 1; parts <= 3; parts++) check_schedules(&solver_conv_amx, (Part){parts, 0, ISA_AMX}, 1);
}
// One product is bf16's alone, and where it is permitted the more exact ways are there too.
TEST(conv_amx_one_product_takes_bf16) {
    need_amx();
    for (Precision precision = PRECISION_FP32; precision <= PRECISION_BF16; precision++) {
        Configuration list[MOST_CONFIGURATIONS];
        Need need;
        Machine machine;
        Problem p = harness_problem(PROBLEM_CONV);
        const Shape shape = harness_shape(4, 1, 40, 20, 20, 0);
        const int64_t none[AXES] = {0};
        int with_parts[AMX_MAX_PARTS + 1] = {0};
        CHECK_OK(machine_detect(&machine));
        CHECK_OK(layout_blocked(&shape, 16, none, none, &p.in[0]));
        p.out[0] = p.in[0], p.n_inputs = p.n_outputs = 1, p.ic = p.oc = 40;
        p.weight = harness_normal(40 * 40, 1), p.precision = precision;
        memset(&need, 0, sizeof need);
        CHECK_INT(solver_conv_amx.applicable(&p, harness_kernels(ISA_AMX), &need), precision != PRECISION_STRICT);
        const int count = solver_conv_amx.configurations(&p, harness_kernels(ISA_AMX), &machine, list, COUNT_OF(list));
        for (int i = 0; i < count; i++) with_parts[list[i].arithmetic[0]]++;
        CHECK_INT(with_parts[1] > 0, precision == PRECISION_BF16);
        CHECK(with_parts[2] > 0 && with_parts[3] > 0);
    }
}
// ---- What fast ways lose ----

static void check_lost(const char *what, const Solver *solver, Part part, float everywhere, float once, bool lost) {
    const int64_t size[AXES] = {1, 14, 18}, count = 32 * 14 * 18;
    Run run = {.problem = harness_problem(PROBLEM_CONV), .blocked = {true}};
    Problem *p = &run.problem;
    run.arithmetic = part.arithmetic, run.configuration = part.configuration, run.least = part.least;
    p->precision = precision_of(run.least);
    run.in_shape[0] = run.out_shape[0] = spatial_shape(4, 1, 32, size);
    p->ic = p->oc = 32, p->activation.function = FN_RELU;
    for (int axis = AXIS_H; axis <= AXIS_W; axis++) p->kernel[axis] = 3, p->pad_begin[axis] = p->pad_end[axis] = 1;
    float *x = harness_normal(count, 1), *y = harness_normal(count, 2);
    for (int64_t i = 0; i < count; i++) x[i] *= everywhere;
    if (once != 0) x[count / 2 + 5] = once;
    run.in[0] = x, p->weight = harness_normal(32 * 32 * 9, 3);
    for (EACH_ISA(isa, &run)) {
        REQUIRE(harness_run(solver, &run, isa, 2, (void *[]){y, NULL}));
        CHECK_MSG(harness_lost() == lost, "%s, %s: %s", what, isa_name(isa), lost ? "not noticed" : "noticed");
    }
}
static void check_all_lost(const Solver *solver, Part part) {
    check_lost("normal", solver, part, 1, 0, false);
    check_lost("large", solver, part, 1e25f, 0, false);
    check_lost("zeros", solver, part, 0, 0, false);
    check_lost("one tiny value", solver, part, 1, 1e-42f, false);
    check_lost("an infinity", solver, part, 1, INFINITY, true);
    check_lost("a negative infinity", solver, part, 1, -INFINITY, true); // ReLU alone would hide it
    check_lost("NaN", solver, part, 1, NAN, true);
    check_lost("overflow", solver, part, 1, 3.4e38f, true);
}
TEST(conv_winograd_notices_what_it_loses) { check_all_lost(&solver_conv_winograd, (Part){0, 0, ISA_SSE2}); }
TEST(conv_amx_notices_what_it_loses) {
    need_amx();
    for (int parts = 1; parts <= 3; parts++)
        for (int configuration = -1; configuration <= 0; configuration++) {
            const Part part = {parts, configuration, ISA_AMX};
            check_all_lost(&solver_conv_amx, part);
            check_lost("all tiny", &solver_conv_amx, part, 1e-30f, 0, true);
            check_lost("all subnormal", &solver_conv_amx, part, 1e-40f, 0, true);
        }
}
// A single 1 in the input gives the kernel back, turned around (its shape in the output is known without any sum).
TEST(conv_of_an_impulse) {
    const int64_t size[AXES] = {1, 9, 10};
    Run run = {.problem = harness_problem(PROBLEM_CONV), .blocked = {true}};
    Problem *p = &run.problem;
    run.in_shape[0] = run.out_shape[0] = spatial_shape(4, 1, 1, size);
    p->ic = p->oc = 1;
    for (int axis = AXIS_H; axis <= AXIS_W; axis++) p->kernel[axis] = 3, p->pad_begin[axis] = p->pad_end[axis] = 1;
    const float weight[9] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
    float x[90] = {0};
    double y[90] = {0};
    x[5 * 10 + 4] = 1;
    for (int i = 0; i < 9; i++) y[(5 + 1 - i / 3) * 10 + 4 + 1 - i % 3] = weight[i];
    run.in[0] = x, p->weight = weight;
    harness_check("impulse", &solver_conv_direct, &run, y, NULL, 0, 0);
    harness_check("impulse", &solver_conv_winograd, &run, y, NULL, 1e-5, 0);
}

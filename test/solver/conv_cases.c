#include "solver/conv_cases.h"

static const Activation scaled_pools[] = {
    {FN_NONE, 0, 0}, {FN_RELU, 0, 0}, {FN_LEAKY_RELU, 0.25f, 0}, {FN_CLIP, -1, 1}};

Shape conv_shape(int rank, int64_t n, int64_t c, const int64_t size[AXES]) {
    Shape shape = {rank, {n, c}};
    for (int axis = 0; axis < AXES; axis++)
        if (axis - AXES + rank >= 2) shape.dim[axis - AXES + rank] = size[axis];
    return shape;
}
void conv_geometry(Problem *p, const ConvCase *c) {
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
            const int64_t w =
                p->kind == PROBLEM_CONV_TRANSPOSE ? (ic * ocg + oc % ocg) * taps + tap : (oc * icg + i) * taps + tap;
            sum += (double)image[ic * plane + at] * p->weight[w];
        }
    }
    return sum;
}
void conv_expected(const Run *run, const int64_t in[AXES], const int64_t out[AXES], double *y) {
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
double conv_deviation(const double *y, int64_t count) {
    double sum = 0, squares = 0;
    for (int64_t i = 0; i < count; i++) sum += y[i], squares += y[i] * y[i];
    return sqrt(squares / (double)count - sum * sum / (double)count / (double)count);
}
Precision conv_precision(Isa least) { return least == ISA_AMX ? PRECISION_BF16 : PRECISION_FP32; }
void conv_out(const Solver *solver, const ConvCase *c, int64_t out[AXES]) {
    for (int axis = 0; axis < AXES; axis++) {
        const int64_t reach = (c->kernel[axis] - 1) * c->dilation[axis] + 1, pads = c->begin[axis] + c->end[axis];
        out[axis] = solver->kind == PROBLEM_CONV_TRANSPOSE
                        ? (c->in[axis] - 1) * c->stride[axis] + reach - pads + c->output_padding[axis]
                        : (c->in[axis] + pads - reach) / c->stride[axis] + 1;
    }
}
void conv_check_part(const Solver *solver, Part part, const ConvCase *c, double error) {
    Run run = {.problem = harness_problem(solver->kind), .in_shape = {conv_shape(c->rank, c->n, c->ic, c->in)}};
    run.arithmetic = part.arithmetic, run.configuration = part.configuration, run.least = part.least;
    Problem *p = &run.problem;
    p->precision = conv_precision(run.least);
    conv_geometry(p, c);
    int64_t out[AXES];
    const int64_t taps = c->kernel[AXIS_D] * c->kernel[AXIS_H] * c->kernel[AXIS_W];
    conv_out(solver, c, out);
    run.out_shape[0] = conv_shape(c->rank, c->n, c->oc, out);
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
    conv_expected(&run, c->in, out, y);
    const double atol = error * conv_deviation(y, outputs);
    p->activation.function = c->activation.function;
    for (int64_t i = 0; i < outputs; i++) y[i] = harness_function(p->activation, y[i]);
    if (c->pool) {
        const int64_t halves[AXES] = {1, out[1] / 2, out[2] / 2};
        p->has_pool = true, run.out_shape[1] = conv_shape(c->rank, c->n, c->oc, halves);
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
void conv_check(const Solver *solver, const ConvCase *c, double error) {
    conv_check_part(solver, (Part){0, 0, ISA_SSE2}, c, error);
}
void conv_check_winograd(const Solver *solver, int tile, Isa least, double error) {
    for (int i = 0; i < conv_winograd_count; i++)
        for (int configuration = -1; configuration <= 0; configuration++)
            conv_check_part(solver, (Part){tile, configuration, least}, &conv_winograd_cases[i], error);
}
void conv_need_amx(void) {
    if (!harness_kernels(ISA_AMX)) test_skip("neither AMX nor the AVX2 that its emulation takes is here");
}
void conv_check_lost(const char *what, const Solver *solver, Part part, float everywhere, float once, bool lost) {
    const int64_t size[AXES] = {1, 14, 18}, count = 32 * 14 * 18;
    Run run = {.problem = harness_problem(PROBLEM_CONV), .blocked = {true}};
    Problem *p = &run.problem;
    run.arithmetic = part.arithmetic, run.configuration = part.configuration, run.least = part.least;
    p->precision = conv_precision(run.least);
    run.in_shape[0] = run.out_shape[0] = conv_shape(4, 1, 32, size);
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
void conv_check_all_lost(const Solver *solver, Part part) {
    conv_check_lost("normal", solver, part, 1, 0, false);
    conv_check_lost("large", solver, part, 1e25f, 0, false);
    conv_check_lost("zeros", solver, part, 0, 0, false);
    conv_check_lost("one tiny value", solver, part, 1, 1e-42f, false);
    conv_check_lost("an infinity", solver, part, 1, INFINITY, true);
    conv_check_lost("a negative infinity", solver, part, 1, -INFINITY, true); // ReLU alone would hide it
    conv_check_lost("NaN", solver, part, 1, NAN, true);
    conv_check_lost("overflow", solver, part, 1, 3.4e38f, true);
}

// clang-format off
const ConvCase conv_plain_cases[] = {
    {"1x1", 4, 2, 19, 35, 1, {1, 9, 11}, ONES, ONES, ONES, NONE, NONE, NONE, BIASED},
    {"1x1 to 1 channel", 4, 1, 64, 1, 1, {1, 16, 18}, ONES, ONES, ONES, NONE, NONE, NONE, true, false, false,
     {FN_SIGMOID, 0, 0}},
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
const int conv_plain_count = COUNT_OF(conv_plain_cases);

const ConvCase conv_winograd_cases[] = {
    {"same", 4, 1, 32, 32, 1, {1, 16, 16}, SQUARE(3), ONES, ONES, PAD(1), PAD(1), NONE, BIASED},
    {"ragged", 4, 2, 19, 35, 1, {1, 13, 18}, SQUARE(3), ONES, ONES, PAD(1), PAD(1), NONE, BIASED},
    {"valid", 4, 1, 16, 16, 1, {1, 15, 11}, SQUARE(3), ONES, ONES, NONE, NONE, NONE, ALONE},
    {"asymmetric", 4, 1, 8, 8, 1, {1, 9, 10}, SQUARE(3), ONES, ONES, {0, 2, 0}, {0, 0, 2}, NONE, BIASED},
    {"several chunks", 4, 1, 300, 40, 1, {1, 9, 8}, SQUARE(3), ONES, ONES, PAD(1), PAD(1), NONE, BIASED},
    {"one pixel", 4, 1, 20, 20, 1, {1, 1, 1}, SQUARE(3), ONES, ONES, PAD(1), PAD(1), NONE, BIASED},
    {"residual", 4, 2, 20, 20, 1, {1, 11, 14}, SQUARE(3), ONES, ONES, PAD(1), PAD(1), NONE, true, true, false,
     {FN_RELU, 0, 0}},
    {"clip", 4, 1, 20, 20, 1, {1, 11, 14}, SQUARE(3), ONES, ONES, PAD(1), PAD(1), NONE, true, true, false,
     {FN_CLIP, -1, 2}},
    {"leaky", 4, 1, 20, 20, 1, {1, 8, 8}, SQUARE(3), ONES, ONES, PAD(1), PAD(1), NONE, true, false, false,
     {FN_LEAKY_RELU, 0.1f, 0}},
    {"slow function", 4, 1, 20, 20, 1, {1, 11, 14}, SQUARE(3), ONES, ONES, PAD(1), PAD(1), NONE, true, true, false,
     {FN_HARD_SWISH, 0, 0}},
    {"pooled", 4, 1, 20, 36, 1, {1, 12, 16}, SQUARE(3), ONES, ONES, PAD(1), PAD(1), NONE, true, false, true,
     {FN_RELU, 0, 0}},
    {"pooled, odd", 4, 2, 20, 20, 1, {1, 11, 15}, SQUARE(3), ONES, ONES, PAD(1), PAD(1), NONE, true, true, true,
     {FN_NONE, 0, 0}},
    {"pooled, slow", 4, 1, 20, 20, 1, {1, 13, 10}, SQUARE(3), ONES, ONES, PAD(1), PAD(1), NONE, true, true, true,
     {FN_TANH, 0, 0}},
    {"scaled and pooled", 4, 1, 20, 36, 1, {1, 12, 16}, SQUARE(3), ONES, ONES, PAD(1), PAD(1), NONE, true, false, 3,
     {FN_NONE, 0, 0}},
    {"scaled and pooled, odd", 4, 2, 20, 20, 1, {1, 11, 75}, SQUARE(3), ONES, ONES, PAD(1), PAD(1), NONE, true, true,
     4, {FN_RELU, 0, 0}},
    {"scaled and pooled, slow", 4, 1, 20, 20, 1, {1, 13, 10}, SQUARE(3), ONES, ONES, PAD(1), PAD(1), NONE, true, true,
     5, {FN_TANH, 0, 0}},
    {"scaled and pooled, no function", 4, 1, 8, 9, 1, {1, 6, 5}, SQUARE(3), ONES, ONES, PAD(1), PAD(1), NONE, false,
     false, 2, {FN_NONE, 0, 0}},
    {"dilated", 4, 1, 32, 40, 1, {1, 16, 16}, SQUARE(3), ONES, SQUARE(2), PAD(2), PAD(2), NONE, BIASED},
    {"dilated, ragged", 4, 2, 19, 35, 1, {1, 13, 18}, SQUARE(3), ONES, {1, 3, 2}, {0, 3, 2}, {0, 3, 2}, NONE, BIASED},
    {"dilated, one axis", 4, 1, 20, 20, 1, {1, 9, 70}, SQUARE(3), ONES, {1, 1, 3}, {0, 1, 3}, {0, 1, 3}, NONE, BIASED},
    {"dilated, valid", 4, 1, 16, 16, 1, {1, 15, 11}, SQUARE(3), ONES, SQUARE(2), NONE, NONE, NONE, ALONE},
    {"dilated, asymmetric", 4, 1, 8, 8, 1, {1, 9, 10}, SQUARE(3), ONES, SQUARE(2), {0, 4, 0}, {0, 0, 4}, NONE, BIASED},
    {"dilated beyond the image", 4, 1, 20, 20, 1, {1, 5, 6}, SQUARE(3), ONES, SQUARE(12), PAD(12), PAD(12), NONE, BIASED},
    {"dilated, residual", 4, 2, 300, 20, 1, {1, 11, 14}, SQUARE(3), ONES, SQUARE(2), PAD(2), PAD(2), NONE, true, true,
     false, {FN_RELU, 0, 0}},
    {"dilated, slow function", 4, 1, 20, 20, 1, {1, 11, 14}, SQUARE(3), ONES, SQUARE(4), PAD(4), PAD(4), NONE, true,
     true, false, {FN_HARD_SWISH, 0, 0}},
    {"dilated volume", 5, 2, 20, 36, 1, {5, 9, 10}, {3, 3, 3}, ONES, SQUARE(2), {1, 2, 2}, {1, 2, 2}, NONE, BIASED},
    {"many tiles", 4, 1, 8, 8, 1, {1, 70, 90}, SQUARE(3), ONES, ONES, PAD(1), PAD(1), NONE, BIASED},
    {"volume", 5, 1, 20, 36, 1, {5, 9, 10}, {3, 3, 3}, ONES, ONES, {1, 1, 1}, {1, 1, 1}, NONE, BIASED},
    {"volume, several chunks", 5, 2, 70, 9, 1, {3, 6, 5}, {3, 3, 3}, ONES, ONES, {1, 1, 1}, {1, 1, 1}, NONE, BIASED},
    {"volume, valid", 5, 1, 17, 18, 1, {5, 7, 8}, {3, 3, 3}, ONES, ONES, NONE, NONE, NONE, ALONE},
    {"volume, asymmetric", 5, 1, 8, 8, 1, {4, 6, 6}, {3, 3, 3}, ONES, ONES, {2, 0, 1}, {0, 2, 1}, NONE, BIASED},
    {"volume, deep", 5, 1, 8, 8, 1, {37, 5, 4}, {3, 3, 3}, ONES, ONES, {1, 1, 1}, {1, 1, 1}, NONE, BIASED},
    {"volume, 1x3x3", 5, 1, 12, 12, 1, {6, 7, 9}, {1, 3, 3}, ONES, ONES, PAD(1), PAD(1), NONE, BIASED},
    {"volume, 5x3x3", 5, 1, 12, 12, 1, {6, 7, 9}, {5, 3, 3}, ONES, ONES, {2, 1, 1}, {2, 1, 1}, NONE, BIASED},
    {"volume, one slice", 5, 1, 12, 12, 1, {1, 7, 9}, {3, 3, 3}, ONES, ONES, {1, 1, 1}, {1, 1, 1}, NONE, BIASED},
    {"volume, residual", 5, 2, 12, 20, 1, {3, 6, 7}, {3, 3, 3}, ONES, ONES, {1, 1, 1}, {1, 1, 1}, NONE, true, true,
     false, {FN_RELU, 0, 0}},
};
// clang-format on
const int conv_winograd_count = COUNT_OF(conv_winograd_cases);

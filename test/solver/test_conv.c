// Convolutions against plain loops in double, on whole numbers where sums are exact: direct, depthwise and transposed
// ones must be equal, Winograd's within its error.
#include "solver/conv_cases.h"

TEST(conv_direct) {
    for (int i = 0; i < conv_plain_count; i++) conv_check(&solver_conv_direct, &conv_plain_cases[i], 0);
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
            conv_check(&solver_conv_direct, &dense, 0);
            conv_check(&solver_conv_depthwise, &depthwise, 0);
            ConvCase far = depthwise;
            far.dilation[AXIS_H] = far.dilation[AXIS_W] = 8;
            far.begin[AXIS_H] = far.begin[AXIS_W] = far.end[AXIS_H] = far.end[AXIS_W] = 8;
            conv_check(&solver_conv_depthwise, &far, 0);
            far = dense;
            far.dilation[AXIS_H] = far.dilation[AXIS_W] = 8;
            far.begin[AXIS_H] = far.begin[AXIS_W] = far.end[AXIS_H] = far.end[AXIS_W] = 8;
            conv_check(&solver_conv_dilated, &far, 0);
            conv_check(&solver_conv_transpose, &doubled, 0);
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
    for (size_t i = 0; i < COUNT_OF(cases); i++) conv_check(&solver_conv_narrow, &cases[i], 0);
}
TEST(conv_depthwise) {
    // clang-format off
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
        {"far, stride 2", 4, 1, 16, 16, 16, {1, 9, 10}, SQUARE(5), SQUARE(2), SQUARE(5), {0, 9, 11}, PAD(10), NONE,
         BIASED},
        {"pads alone", 4, 1, 16, 16, 16, {1, 2, 3}, SQUARE(3), ONES, ONES, PAD(6), PAD(5), NONE, BIASED},
        {"far in 3D", 5, 1, 17, 17, 17, {3, 4, 5}, {3, 3, 3}, ONES, {2, 3, 4}, {2, 3, 4}, {2, 3, 4}, NONE, BIASED},
    };
    // clang-format on
    for (size_t i = 0; i < COUNT_OF(cases); i++) conv_check(&solver_conv_depthwise, &cases[i], 0);
}
TEST(conv_dilated) {
    // clang-format off
    static const ConvCase cases[] = {
        {"reaching far", 4, 2, 35, 70, 1, {1, 16, 17}, SQUARE(3), ONES, SQUARE(12), PAD(12), PAD(12), NONE, BIASED},
        {"the middle alone", 4, 1, 19, 19, 1, {1, 7, 9}, SQUARE(3), ONES, SQUARE(36), PAD(36), PAD(36), NONE, BIASED},
        {"farther than offsets reach", 4, 1, 16, 16, 1, {1, 7, 9}, SQUARE(3), ONES, SQUARE(1 << 28), PAD(1 << 28),
         PAD(1 << 28), NONE, BIASED},
        {"several chunks", 4, 1, 300, 40, 1, {1, 9, 8}, SQUARE(3), ONES, SQUARE(6), PAD(6), PAD(6), NONE, ALONE},
        {"stride 2", 4, 1, 16, 16, 1, {1, 9, 10}, SQUARE(5), SQUARE(2), SQUARE(5), {0, 9, 11}, PAD(10), NONE, BIASED},
        {"few channels", 4, 1, 3, 5, 1, {1, 9, 10}, SQUARE(3), ONES, SQUARE(8), PAD(8), PAD(8), NONE, BIASED},
        {"one axis", 4, 1, 20, 20, 1, {1, 9, 40}, SQUARE(3), ONES, {1, 1, 30}, {0, 1, 30}, {0, 1, 30}, NONE, BIASED},
        {"cropping", 4, 1, 20, 20, 1, {1, 12, 13}, SQUARE(3), ONES, SQUARE(6), {0, -2, 12}, {0, 12, 6}, NONE, BIASED},
        {"rows that nothing meets", 4, 1, 16, 16, 1, {1, 3, 4}, SQUARE(2), ONES, SQUARE(9), PAD(12), PAD(12), NONE,
         BIASED},
        {"long rows", 4, 1, 4, 40, 1, {1, 2, 700}, SQUARE(3), ONES, SQUARE(600), PAD(600), PAD(600), NONE, BIASED},
        {"1D", 3, 2, 18, 20, 1, {1, 1, 50}, {1, 1, 5}, ONES, {1, 1, 20}, {0, 0, 40}, {0, 0, 40}, NONE, BIASED},
        {"3D", 5, 2, 17, 33, 1, {3, 4, 5}, {3, 3, 3}, ONES, {2, 3, 4}, {2, 3, 4}, {2, 3, 4}, NONE, BIASED},
    };
    // clang-format on
    for (size_t i = 0; i < COUNT_OF(cases); i++) conv_check(&solver_conv_dilated, &cases[i], 0);
}
// Where nearly all products are inside, or groups would be, others do it.
TEST(conv_dilated_is_for_taps_far_apart) {
    static const float weight = 1;
    Problem p = harness_problem(PROBLEM_CONV);
    Need need;
    const int64_t none[AXES] = {0};
    const Shape shape = harness_shape(4, 1, 16, 32, 32, 0);
    const Kernels *kernels = harness_kernels(ISA_SSE2);
    p.ic = p.oc = 16, p.weight = &weight, p.n_inputs = p.n_outputs = 1;
    CHECK_OK(layout_blocked(&shape, kernels->lanes, none, none, &p.in[0]));
    p.out[0] = p.in[0];
    for (int axis = AXIS_H; axis <= AXIS_W; axis++)
        p.kernel[axis] = 3, p.dilation[axis] = p.pad_begin[axis] = p.pad_end[axis] = 12;
    CHECK(solver_applies(&solver_conv_dilated, &p, kernels, &need));
    p.group = 2;
    CHECK(!solver_applies(&solver_conv_dilated, &p, kernels, &need));
    p.group = 1;
    for (int axis = AXIS_H; axis <= AXIS_W; axis++) p.dilation[axis] = p.pad_begin[axis] = p.pad_end[axis] = 2;
    CHECK(!solver_applies(&solver_conv_dilated, &p, kernels, &need));
}
TEST(conv_transpose) {
    // clang-format off
    static const ConvCase cases[] = {
        {"k2 s2", 4, 2, 19, 33, 1, {1, 7, 9}, SQUARE(2), SQUARE(2), ONES, NONE, NONE, NONE, BIASED},
        {"k2 s2, wide", 4, 1, 130, 16, 1, {1, 4, 300}, SQUARE(2), SQUARE(2), ONES, NONE, NONE, NONE, BIASED},
        {"k3 s2 with output padding", 4, 1, 17, 20, 1, {1, 7, 9}, SQUARE(3), SQUARE(2), ONES, PAD(1), PAD(1), PAD(1),
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
        {"k9 s9: too many lines at once", 4, 1, 17, 8, 1, {1, 3, 4}, SQUARE(9), SQUARE(9), ONES, PAD(2), NONE, NONE,
         BIASED},
        {"3D k3", 5, 1, 5, 8, 1, {3, 4, 5}, {3, 3, 3}, {2, 1, 2}, ONES, {1, 1, 0}, {1, 1, 1}, {1, 0, 1}, BIASED},
    };
    // clang-format on
    for (size_t i = 0; i < COUNT_OF(cases); i++) conv_check(&solver_conv_transpose, &cases[i], 0);
}

// ---- Winograd ----
TEST(conv_winograd_4) { conv_check_winograd(&solver_conv_winograd, 4, ISA_SSE2, 2e-5); }
TEST(conv_winograd_2) { conv_check_winograd(&solver_conv_winograd, 2, ISA_SSE2, 0); }
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
                  {&solver_conv_dilated, 32, 16, 1, 3, 250, ISA_SSE2, 0},
                  {&solver_conv_dilated, 512, 16, 1, 3, 250, ISA_SSE2, 0},
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
                  {&solver_conv_amx, 512, 24, 1, 3, 3, ISA_AMX, 0},
                  {&solver_conv_winograd_amx, 32, 24, 1, 3, 4, ISA_AMX, 0},
                  {&solver_conv_winograd_amx, 512, 24, 1, 3, 4, ISA_AMX, 0},
                  {&solver_conv_winograd_amx, 512, 24, 1, 3, 2, ISA_AMX, 0},
                  {&solver_conv_winograd_amx, 128, 24, 1, 3, 4, ISA_AMX, 2}};
    for (size_t i = 0; i < COUNT_OF(layers); i++) {
        const int64_t ic = layers[i].ic, oc = layers[i].oc, k = layers[i].kernel, depth = layers[i].depth;
        const int64_t size[AXES] = {MAX(depth, 1), 16, 16}, pixels = size[AXIS_D] * 256, count = oc * pixels;
        const int rank = depth ? 5 : 4, dilation = layers[i].solver == &solver_conv_dilated ? 12 : 1;
        Run run = {.problem = harness_problem(layers[i].solver->kind), .blocked = {true}};
        Problem *p = &run.problem;
        run.in_shape[0] = conv_shape(rank, 1, ic, size), run.out_shape[0] = conv_shape(rank, 1, oc, size);
        p->ic = ic, p->oc = oc, p->group = layers[i].group;
        for (int axis = depth ? AXIS_D : AXIS_H; axis <= AXIS_W; axis++)
            p->kernel[axis] = k, p->dilation[axis] = dilation,
            p->pad_begin[axis] = p->pad_end[axis] = k / 2 * p->dilation[axis];
        run.in[0] = harness_normal(ic * pixels, 1);
        p->weight = harness_normal(ic * oc / p->group * k * k * (depth ? k : 1), 2);
        double *y = harness_doubles(count);
        float *actual = harness_normal(count, 4);
        conv_expected(&run, size, size, y);
        run.arithmetic = layers[i].arithmetic, run.least = layers[i].least;
        p->precision = conv_precision(run.least);
        for (EACH_ISA(isa, &run)) {
            const Configuration first = {.arithmetic = {layers[i].arithmetic}};
            const double foreseen = solver_error(layers[i].solver, p, &first, harness_kernels(isa));
            double squares = 0;
            REQUIRE(harness_run(layers[i].solver, &run, isa, 2, (void *[]){actual, NULL}));
            for (int64_t at = 0; at < count; at++) squares += (actual[at] - y[at]) * (actual[at] - y[at]);
            const double error = sqrt(squares / (double)count) / conv_deviation(y, count);
            CHECK_MSG(error <= foreseen && error >= foreseen / 8, "%s, %s, %d channels: error %.3g, foreseen %.3g",
                      layers[i].solver->name, isa_name(isa), (int)ic, error, foreseen);
        }
    }
}
TEST(conv_winograd_notices_what_it_loses) { conv_check_all_lost(&solver_conv_winograd, (Part){0, 0, ISA_SSE2}); }
// A single 1 in the input gives the kernel back, turned around (its shape in the output is known without any sum).
TEST(conv_of_an_impulse) {
    const int64_t size[AXES] = {1, 9, 10};
    Run run = {.problem = harness_problem(PROBLEM_CONV), .blocked = {true}};
    Problem *p = &run.problem;
    run.in_shape[0] = run.out_shape[0] = conv_shape(4, 1, 1, size);
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

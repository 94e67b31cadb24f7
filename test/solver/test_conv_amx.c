// Convolutions by AMX, or by its emulation.
#include "solver/conv_cases.h"

// Whole numbers of few bits are their own high part, so sums are exact with one part as with three.
static void check_amx(int parts, int configuration) {
    const Part part = {parts, configuration, ISA_AMX};
    conv_need_amx();
    for (int i = 0; i < conv_plain_count; i++)
        if (conv_plain_cases[i].group == 1) conv_check_part(&solver_conv_amx, part, &conv_plain_cases[i], 0);
    for (int i = 0; i < conv_winograd_count; i++) conv_check_part(&solver_conv_amx, part, &conv_winograd_cases[i], 0);
}
TEST(conv_amx_one_product) { check_amx(1, 0); }
TEST(conv_amx_one_product_image_split) { check_amx(1, -1); }
TEST(conv_amx_three_products) { check_amx(2, 0); }
TEST(conv_amx_six_products) { check_amx(3, 0); }
TEST(conv_amx_image_split) { check_amx(2, -1); }
TEST(conv_winograd_amx_4) {
    conv_need_amx();
    conv_check_winograd(&solver_conv_winograd_amx, 4, ISA_AMX, 2e-5);
}
TEST(conv_winograd_amx_2) {
    conv_need_amx();
    conv_check_winograd(&solver_conv_winograd_amx, 2, ISA_AMX, 0);
}
// Kernels as large as their stride: 2x2, odd sizes, one vector of channels, several panels, a residual, volumes.
TEST(conv_transpose_amx) {
    // clang-format off
    static const ConvCase cases[] = {
        {"2x2", 4, 1, 40, 36, 1, {1, 9, 11}, SQUARE(2), SQUARE(2), ONES, NONE, NONE, NONE, BIASED},
        {"2x2, one vector, batch", 4, 3, 33, 9, 1, {1, 5, 70}, SQUARE(2), SQUARE(2), ONES, NONE, NONE, NONE, BIASED},
        {"3x2", 4, 1, 16, 70, 1, {1, 6, 7}, {1, 3, 2}, {1, 3, 2}, ONES, NONE, NONE, NONE, ALONE},
        {"residual", 4, 2, 20, 40, 1, {1, 4, 17}, SQUARE(2), SQUARE(2), ONES, NONE, NONE, NONE, true, true, false,
         {FN_RELU, 0, 0}},
        {"volume", 5, 2, 40, 20, 1, {3, 4, 5}, {2, 2, 2}, {2, 2, 2}, ONES, NONE, NONE, NONE, BIASED},
        {"volume, 1x2x2", 5, 1, 8, 50, 1, {3, 4, 5}, {1, 2, 2}, {1, 2, 2}, ONES, NONE, NONE, NONE, BIASED}};
    // clang-format on
    conv_need_amx();
    for (int parts = 1; parts <= 3; parts++)
        for (int configuration = -1; configuration <= 0; configuration++)
            for (size_t i = 0; i < COUNT_OF(cases); i++)
                conv_check_part(&solver_conv_transpose_amx, (Part){parts, configuration, ISA_AMX}, &cases[i], 0);
}
// One product is bf16's alone, and where it is permitted the more exact ways are there too.
TEST(conv_amx_one_product_takes_bf16) {
    conv_need_amx();
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
TEST(conv_amx_notices_what_it_loses) {
    conv_need_amx();
    for (int parts = 1; parts <= 3; parts++)
        for (int configuration = -1; configuration <= 0; configuration++) {
            const Part part = {parts, configuration, ISA_AMX};
            conv_check_all_lost(&solver_conv_amx, part);
            conv_check_lost("all tiny", &solver_conv_amx, part, 1e-30f, 0, true);
            conv_check_lost("all subnormal", &solver_conv_amx, part, 1e-40f, 0, true);
        }
    for (int configuration = -1; configuration <= 0; configuration++) {
        const Part part = {4, configuration, ISA_AMX};
        conv_check_all_lost(&solver_conv_winograd_amx, part);
        conv_check_lost("all tiny", &solver_conv_winograd_amx, part, 1e-30f, 0, true);
        conv_check_lost("all subnormal", &solver_conv_winograd_amx, part, 1e-40f, 0, true);
    }
}

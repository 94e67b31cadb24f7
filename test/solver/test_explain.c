// What keeps a layer from its limit, in words.
#include "solver/explain.h"
#include "solver/harness.h"

static Text text;
static const char *said(void) {
    static char words[512];
    snprintf(words, sizeof words, "%s", text_get(&text));
    text_free(&text);
    text = (Text){0};
    return words;
}
TEST(what_costs_little_is_not_said) {
    const Machine machine = {.l2 = 1 << 20};
    explain_places(&text, "channels", 63, 64), explain_places(&text, "channels", 64, 64);
    explain_groups(&text, "pixels", 12, 6), explain_groups(&text, "pixels", 1200, 7),
        explain_groups(&text, "pixels", 0, 6);
    explain_beyond_l2(&text, "weights", 0.5 * (1 << 20), &machine, ""), explain_waiting(&text, 0.02);
    CHECK_TEXT(said(), "");
    explain_places(&text, "channels", 5, 8);
    CHECK_TEXT(said(), "; channels fill 5 of 8 places");
    explain_groups(&text, "pixels", 14, 6);
    CHECK_TEXT(said(), "; 14 pixels go in groups of 5, registers would hold 6");
    explain_beyond_l2(&text, "weights", 4.7e6, &machine, ", again");
    CHECK_TEXT(said(), "; weights (4.7 MB) do not stay in the L2 (1.0 MB), again");
    explain_waiting(&text, 0.124);
    CHECK_TEXT(said(), "; threads wait 12 % of the time for the last one");
}

static const char *explained(const char *name, Problem *p, int64_t ic, int64_t oc, int64_t size, int32_t first,
                             int32_t tiles) {
    const Machine machine = {.l1d = 32 << 10, .l2 = 1 << 20, .l3 = 32 << 20};
    const Kernels *kernels = kernels_for(ISA_SSE2); // 4 lanes
    const Solver *solver = solver_find(name);
    const Configuration c = {{first, 128}, {0, tiles, 1}};
    const Shape in = harness_shape(4, 1, ic, size, size, 0), out = harness_shape(4, 1, oc, size, size, 0);
    const int64_t none[AXES] = {0};
    static const float weight = 1;
    REQUIRE(solver && solver->explain);
    p->n_inputs = p->n_outputs = 1, p->ic = ic, p->oc = oc, p->weight = &weight;
    CHECK_OK(layout_blocked(&in, 4, none, none, &p->in[0]));
    CHECK_OK(layout_blocked(&out, 4, none, none, &p->out[0]));
    for (int axis = AXIS_H; axis <= AXIS_W; axis++) p->kernel[axis] = 3, p->pad_begin[axis] = p->pad_end[axis] = 1;
    solver->explain(p, &c, kernels, &machine, &text);
    return said();
}
TEST(convolutions_say_what_they_lose) {
    Problem p = harness_problem(PROBLEM_CONV);
    const int rows = kernels_for(ISA_SSE2)->rows;
    CHECK_TEXT(explained("conv_direct", &p, 64, 64, 8 * rows, 32, 0), "");
    CHECK_TEXT(explained("conv_direct", &p, 64, 5, 8 * rows, 32, 0), "; output channels fill 5 of 8 places");
    CHECK_TEXT(explained("conv_direct", &p, 256, 512, 8 * rows, 32, 0),
               "; weights (4.7 MB) do not stay in the L2 (1.0 MB), fetched ahead");
    CHECK(strstr(explained("conv_direct", &p, 64, 64, rows + 1, 32, 0), "pixels of a row go in groups of"));
    p.group = 16;
    CHECK_TEXT(explained("conv_direct", &p, 64, 64, 8 * rows, 32, 0), "; channels of groups fill 4 of 8 places");
    p.group = 1;
    CHECK_TEXT(explained("conv_winograd", &p, 16, 16, 8 * rows, 4, 2 * rows), "");
    CHECK_TEXT(explained("conv_winograd", &p, 16, 16, 21, 4, 2 * rows), "; pixels in tiles fill 441 of 576 places");
    CHECK_TEXT(explained("conv_winograd", &p, 3, 64, 8 * rows, 4, 2 * rows), "; input channels fill 3 of 4 places");
    CHECK_TEXT(explained("conv_winograd", &p, 128, 128, 8 * rows, 4, 2 * rows),
               "; weights (2.4 MB) do not stay in the L2 (1.0 MB), each unit reads them again");
    CHECK(strstr(explained("conv_winograd", &p, 16, 16, 8 * rows, 4, rows + 1), "tiles of a unit go in groups of"));
}

// The plan's error budget: foreseen errors, and layers that are made more exact until they fit.
#include "plan/planned.h"

static const char network[] = "graph (%%x: float32[%dx32x96x96]) -> (%%y) {\n"
                              " %%u = const float32[64x32x3x3] random(seed=1, scale=0.06)\n"
                              " %%v = const float32[64x64x3x3] random(seed=2, scale=0.04)\n"
                              " %%w = const float32[96x64x3x3] random(seed=3, scale=0.04)\n"
                              " %%l = const float32[2x96x1x1] random(seed=4, scale=0.1)\n"
                              " %%a = Conv (%%x, %%u) {pads=[1, 1, 1, 1]}\n"
                              " %%b = Relu (%%a)\n"
                              " %%c = MaxPool (%%b) {kernel_shape=[2, 2], strides=[2, 2]}\n"
                              " %%d = Conv (%%c, %%v) {pads=[1, 1, 1, 1]}\n"
                              " %%e = Relu (%%d)\n"
                              " %%f = Conv (%%e, %%w) {pads=[1, 1, 1, 1]}\n"
                              " %%g = Relu (%%f)\n"
                              " %%y = Conv (%%g, %%l)\n"
                              "}\n";
typedef struct Summary {
    double error;
    int fast, exact; // convolutions by Winograd's F(4,3); by F(2,3), which is more exact than direct sums, and by those
    Text arithmetic; // of each step
} Summary;
static Summary summary_of(int images, int threads, double budget, Precision precision) {
    char text[2048];
    Machine machine;
    Plan *plan;
    Summary s = {0};
    snprintf(text, sizeof text, network, images);
    Graph *graph = planned_graph(text);
    const PlanOptions options = {.threads = threads, .fuse = true, .precision = precision, .budget = budget};
    CHECK_OK(machine_detect(&machine));
    machine.isa = MIN(machine.isa, ISA_AVX512); // where Winograd and direct sums are what there is to choose from
    CHECK_OK(plan_create(graph, &machine, &options, &plan));
    double squares = 0;
    for (int i = 0; i < plan->n_steps; i++) {
        const PlanStep *step = &plan->steps[i];
        const char *name = step->solver->name;
        const bool fast = !strcmp(name, "conv_winograd") && step->configuration.arithmetic[0] == 4;
        s.fast += fast, s.exact += !fast && !strncmp(name, "conv_", 5);
        squares += step->error * step->error;
        text_add(&s.arithmetic, "%s", name);
        for (int k = 0; k < CONFIGURATION_NUMBERS; k++)
            text_add(&s.arithmetic, " %d", (int)step->configuration.arithmetic[k]);
        text_add(&s.arithmetic, "\n");
    }
    CHECK_MSG(fabs(sqrt(squares) - plan->error) <= 1e-12, "steps %g, plan %g", sqrt(squares), plan->error);
    s.error = plan->error;
    plan_free(plan);
    graph_free(graph);
    return s;
}

TEST(the_usual_budget_changes_nothing_that_fits_it) {
    Summary usual = summary_of(1, 2, 0, PRECISION_FP32), boundless = summary_of(1, 2, INFINITY, PRECISION_FP32);
    CHECK(usual.fast > 0 && usual.error > 1e-7 && usual.error <= plan_budget(PRECISION_FP32));
    CHECK_TEXT(text_get(&usual.arithmetic), text_get(&boundless.arithmetic));
    text_free(&usual.arithmetic), text_free(&boundless.arithmetic);
}
TEST(a_tight_budget_makes_layers_more_exact_one_by_one) {
    Summary before = summary_of(1, 2, 0, PRECISION_FP32);
    int least = before.fast, most = 0;
    for (double part = 0.9; part > 0.1; part *= 0.9) {
        Summary now = summary_of(1, 2, part * before.error, PRECISION_FP32);
        CHECK_MSG(now.error <= part * before.error || now.fast == 0, "%g of a budget of %g", now.error,
                  part * before.error);
        CHECK(now.fast <= least);
        least = now.fast, most = MAX(most, now.exact);
        text_free(&now.arithmetic);
    }
    CHECK_INT(least, 0);
    CHECK(most > before.exact);
    text_free(&before.arithmetic);
}
TEST(no_way_within_the_budget_is_the_most_exact_way) {
    Summary tiny = summary_of(1, 2, 1e-12, PRECISION_FP32), strict = summary_of(1, 2, 0, PRECISION_STRICT);
    CHECK(tiny.fast == 0 && tiny.exact == strict.exact);
    CHECK(tiny.error > 1e-12 && tiny.error <= strict.error && strict.error <= plan_budget(PRECISION_STRICT));
    text_free(&tiny.arithmetic), text_free(&strict.arithmetic);
}
TEST(the_budget_ignores_threads_and_batch) {
    Summary whole = summary_of(1, 1, 0, PRECISION_FP32);
    for (double part = 0.95; part > 0.5; part *= 0.8) {
        Summary first = summary_of(1, 1, part * whole.error, PRECISION_FP32);
        for (int variant = 1; variant < 6; variant++) {
            Summary other = summary_of(1 + variant / 3 * 2, 1 + variant % 3 * 5, part * whole.error, PRECISION_FP32);
            CHECK_TEXT(text_get(&other.arithmetic), text_get(&first.arithmetic));
            text_free(&other.arithmetic);
        }
        text_free(&first.arithmetic);
    }
    text_free(&whole.arithmetic);
}

// One layer, then a coarse map of `channels` channels that weighs the whole picture, then the output: foreseen errors
// of the first two.
static void errors_of(int channels, double errors[2]) {
    char text[1024];
    Machine machine;
    Plan *plan;
    snprintf(text, sizeof text,
             "graph (%%x: float32[1x32x8x8]) -> (%%y) {\n"
             " %%u = const float32[32x32x3x3] random(seed=1, scale=0.06)\n"
             " %%v = const float32[%dx32x5x5] random(seed=2, scale=0.04)\n"
             " %%l = const float32[2x32x1x1] random(seed=3, scale=0.1)\n"
             " %%a = Conv (%%x, %%u) {pads=[1, 1, 1, 1]}\n"
             " %%b = Conv (%%a, %%v) {strides=[2, 2], pads=[2, 2, 2, 2]}\n"
             " %%c = GlobalAveragePool (%%b)\n"
             " %%d = Mul (%%a, %%c)\n"
             " %%y = Conv (%%d, %%l)\n"
             "}\n",
             channels);
    Graph *graph = planned_graph(text);
    const PlanOptions options = {.threads = 2, .fuse = true, .budget = INFINITY};
    CHECK_OK(machine_detect(&machine));
    CHECK_OK(plan_create(graph, &machine, &options, &plan));
    int count = 0;
    for (int i = 0; i < plan->n_steps && count < 2; i++)
        if (!strncmp(plan->steps[i].solver->name, "conv_", 5)) errors[count++] = plan->steps[i].error;
    CHECK_INT(count, 2);
    plan_free(plan);
    graph_free(graph);
}
TEST(nothing_averages_what_arrives_at_a_coarse_map_of_one_channel) {
    double wide[2] = {0}, narrow[2] = {0};
    errors_of(32, wide), errors_of(1, narrow);
    CHECK_MSG(fabs(narrow[0] / wide[0] - 3) < 1e-9, "in front %g, behind %g", narrow[0], wide[0]);
    CHECK_MSG(narrow[1] > 4 * wide[1], "one channel %g, many %g", narrow[1], wide[1]);
}

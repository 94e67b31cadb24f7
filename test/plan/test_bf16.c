// Plans for bf16, on tiles (emulated where the machine has none): whole networks within the error that is foreseen.
#include "kernel/emulated.h"
#include "pass/pass.h"
#include "plan/planned.h"
#include "reference/reference.h"

// A small U-Net: two levels, a pooled and a concatenated skip, a strided and a dilated convolution, a last 1x1.
static const char network[] = "graph (%x: float32[1x32x40x40]) -> (%y) {\n"
                              " %w1 = const float32[32x32x3x3] random(seed=1, scale=0.083)\n"
                              " %w2 = const float32[64x32x3x3] random(seed=2, scale=0.083)\n"
                              " %w3 = const float32[64x64x3x3] random(seed=3, scale=0.059)\n"
                              " %w4 = const float32[32x96x3x3] random(seed=4, scale=0.048)\n"
                              " %w5 = const float32[2x32x1x1] random(seed=5, scale=0.25)\n"
                              " %sizes = const int64[4] {1, 64, 40, 40}\n"
                              " %a = Conv (%x, %w1) {pads=[1, 1, 1, 1]}\n"
                              " %b = Relu (%a)\n"
                              " %c = Conv (%b, %w2) {pads=[1, 1, 1, 1], strides=[2, 2]}\n"
                              " %d = Relu (%c)\n"
                              " %e = Conv (%d, %w3) {pads=[2, 2, 2, 2], dilations=[2, 2]}\n"
                              " %f = Relu (%e)\n"
                              " %g = Resize (%f, _, _, %sizes) {mode=\"nearest\"}\n"
                              " %h = Concat (%b, %g) {axis=1}\n"
                              " %i = Conv (%h, %w4) {pads=[1, 1, 1, 1]}\n"
                              " %j = Relu (%i)\n"
                              " %y = Conv (%j, %w5)\n"
                              "}\n";

static void need_amx(void) {
    if (!kernels_or_emulated(ISA_AMX)) test_skip("neither AMX nor the AVX2 that its emulation takes is here");
}
static Plan *plan_of(const Graph *graph, Precision precision, double budget) {
    Plan *plan;
    const Machine machine = planned_machine(ISA_AMX);
    const PlanOptions options = {.threads = 2,
                                 .fuse = true,
                                 .precision = precision,
                                 .budget = budget,
                                 .kernels = kernels_or_emulated(ISA_AMX)};
    CHECK_OK(plan_create(graph, &machine, &options, &plan));
    return plan;
}
// Convolutions with `parts` parts of bf16.
static int steps_with(const Plan *plan, int parts) {
    int count = 0;
    for (int i = 0; i < plan->n_steps; i++)
        count += !strcmp(plan->steps[i].solver->name, "conv_amx") && plan->steps[i].configuration.arithmetic[0] == parts;
    return count;
}

TEST(bf16_is_within_its_foreseen_error) {
    need_amx();
    Arena arena = {0};
    Graph *graph = planned_graph(network);
    const Tensor *inputs = planned_inputs(graph, 3, &arena);
    Tensor expected, *outputs = planned_outputs(graph, &arena), *first = planned_outputs(graph, &arena);
    CHECK_OK(reference_run(graph, inputs, &expected, &arena, NULL, NULL));
    Plan *plan = plan_of(graph, PRECISION_BF16, 0);
    CHECK(steps_with(plan, 1) >= 4 && plan->error > 1e-3 && plan->error <= plan_budget(PRECISION_BF16));
    for (int threads = 1; threads <= 3; threads++) {
        Setting setting = {ISA_AMX, threads, .fuse = true, .precision = PRECISION_BF16};
        REQUIRE(planned_run("bf16", graph, inputs, &setting, threads == 1 ? first : outputs));
        if (threads > 1) planned_same_bits("bf16", graph, outputs, first);
    }
    Comparison c;
    CHECK_OK(tensor_compare(&first[0], &expected, 0, 0, &c));
    // Far from what fp32 would give too: products of bf16 it was.
    CHECK_MSG(c.rms_rel <= plan->error && c.rms_rel >= plan->error / 16, "error %.3g, foreseen %.3g", c.rms_rel,
              plan->error);
    plan_free(plan);
    graph_free(graph);
    arena_free(&arena);
}
// The gate of `compile` looks at what bf16 does by rounding what is multiplied, on any machine. A sum that is rounded
// otherwise may flip the rounding of a value in the next layer, once in some thousand values.
TEST(rounded_products_give_what_bf16_gives) {
    need_amx();
    Arena arena = {0};
    Graph *graph = planned_graph(network), *rounded = planned_graph(network);
    const Tensor *inputs = planned_inputs(graph, 3, &arena);
    Tensor *outputs = planned_outputs(graph, &arena), *other = planned_outputs(graph, &arena);
    CHECK_OK(pass_resolve_shapes(rounded));
    CHECK_OK(pass_round_products(rounded));
    const Setting bf16 = {ISA_AMX, 2, .fuse = true, .precision = PRECISION_BF16}, fp32 = {planned_best_isa(), 2, .fuse = true};
    setenv("STENT_AVOID", "conv_direct,conv_winograd,conv_narrow", 1);
    Plan *plan = plan_of(graph, PRECISION_BF16, 0);
    CHECK_INT(steps_with(plan, 1), 5); // all of them, as in the rounded graph
    REQUIRE(planned_run("bf16", graph, inputs, &bf16, outputs));
    unsetenv("STENT_AVOID");
    REQUIRE(planned_run("rounded", rounded, inputs, &fp32, other));
    planned_compare("rounded products", graph, other, outputs, plan->error / 20);
    plan_free(plan);
    graph_free(graph);
    graph_free(rounded);
    arena_free(&arena);
}
TEST(fp32_and_strict_take_no_products_of_bf16_alone) {
    need_amx();
    Graph *graph = planned_graph(network);
    Plan *fp32 = plan_of(graph, PRECISION_FP32, INFINITY), *strict = plan_of(graph, PRECISION_STRICT, INFINITY);
    CHECK_INT(steps_with(fp32, 1), 0);
    CHECK(steps_with(fp32, 2) > 0);
    CHECK_INT(steps_with(strict, 1) + steps_with(strict, 2) + steps_with(strict, 3), 0);
    plan_free(fp32);
    plan_free(strict);
    graph_free(graph);
}
// As fp32 does with Winograd: the layers that cost most error for their time become split products first.
TEST(bf16_keeps_its_budget) {
    need_amx();
    Graph *graph = planned_graph(network);
    Plan *whole = plan_of(graph, PRECISION_BF16, 0);
    int least = steps_with(whole, 1);
    for (double part = 0.9; part > 0.01; part *= 0.6) {
        Plan *now = plan_of(graph, PRECISION_BF16, part * whole->error);
        CHECK_MSG(now->error <= part * whole->error, "%g of %g", now->error, part * whole->error);
        CHECK(steps_with(now, 1) <= least);
        least = steps_with(now, 1);
        plan_free(now);
    }
    CHECK_INT(least, 0);
    plan_free(whole);
    graph_free(graph);
}
TEST(plans_say_which_products_they_take) {
    need_amx();
    Text text = {0};
    Graph *graph = planned_graph(network);
    Plan *plan = plan_of(graph, PRECISION_BF16, 0);
    CHECK_OK(plan_print(plan, &text));
    CHECK(strstr(text_get(&text), "conv_amx  products of bf16, "));
    text_free(&text);
    plan_free(plan);
    graph_free(graph);
}

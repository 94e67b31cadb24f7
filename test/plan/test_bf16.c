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
// Values that lie as bfloat16.
static int halved_outputs(const Plan *plan) {
    int count = 0;
    for (int i = 0; i < plan->n_steps; i++)
        for (int o = 0; o < plan->steps[i].problem->n_outputs; o++)
            count += layout_is_halved(&plan->steps[i].problem->out[o]);
    return count;
}
TEST(values_that_all_round_lie_as_bfloat16) {
    need_amx();
    setenv("STENT_AVOID", "conv_direct,conv_winograd,conv_narrow", 1);
    Graph *graph = planned_graph(network);
    Plan *bf16 = plan_of(graph, PRECISION_BF16, 0), *fp32 = plan_of(graph, PRECISION_FP32, 0);
    CHECK_INT(halved_outputs(bf16), 5); // b and g, parts of h; d, f, j
    CHECK_INT(halved_outputs(fp32), 0);
    // A layer that has to be more exact reads what is more exact: b and g are read together.
    Plan *exact = plan_of(graph, PRECISION_BF16, bf16->error / 100);
    CHECK_INT(halved_outputs(exact), 0);
    plan_free(bf16), plan_free(fp32), plan_free(exact);
    graph_free(graph);
    unsetenv("STENT_AVOID");
}
// A value that is an output of the network too is fp32, and rounded where it is read: the same bits.
static void check_halved(const char *input, const char *inner, const char *body, int halved) {
    Arena arena = {0};
    Text text = {0};
    text_add(&text, "graph (%s) -> (%%y) {\n%s}\n", input, body);
    Graph *graph = planned_graph(text_get(&text));
    text_free(&text);
    text_add(&text, "graph (%s) -> (%%y, %s) {\n%s}\n", input, inner, body);
    Graph *open = planned_graph(text_get(&text));
    const Tensor *inputs = planned_inputs(graph, 3, &arena);
    Tensor *made = planned_outputs(graph, &arena), *rounded = planned_outputs(open, &arena);
    Plan *plan = plan_of(graph, PRECISION_BF16, 1), *other = plan_of(open, PRECISION_BF16, 1);
    CHECK_INT(halved_outputs(plan), halved);
    CHECK_INT(halved_outputs(other), 0);
    for (int threads = 1; threads <= 3; threads++) {
        const Setting setting = {ISA_AMX, threads, .fuse = true, .precision = PRECISION_BF16};
        REQUIRE(planned_run("halved", graph, inputs, &setting, made));
        REQUIRE(planned_run("rounded where read", open, inputs, &setting, rounded));
        planned_same_bits("halved", graph, made, rounded);
    }
    plan_free(plan), plan_free(other);
    graph_free(graph), graph_free(open);
    text_free(&text);
    arena_free(&arena);
}
TEST(bfloat16_values_give_the_bits_of_rounded_ones) {
    need_amx();
    setenv("STENT_AVOID", "conv_direct,conv_winograd,conv_narrow,conv_transpose", 1);
    // A pooled skip of 48 channels, a batch, odd numbers of channels, a slow function, a residual, a transposed
    // convolution into a concatenation.
    check_halved("%x: float32[2x32x20x30]", "%b, %p, %d, %u, %f, %r",
                 " %w1 = const float32[48x32x3x3] random(seed=1, scale=0.083)\n"
                 " %w2 = const float32[40x48x3x3] random(seed=2, scale=0.068)\n"
                 " %w3 = const float32[40x32x2x2] random(seed=3, scale=0.11)\n"
                 " %w4 = const float32[33x80x3x3] random(seed=4, scale=0.053)\n"
                 " %w5 = const float32[33x33x5x5] random(seed=5, scale=0.05)\n"
                 " %w6 = const float32[3x33x1x1] random(seed=6, scale=0.25)\n"
                 " %a = Conv (%x, %w1) {pads=[1, 1, 1, 1]}\n"
                 " %b = Relu (%a)\n"
                 " %p = MaxPool (%b) {kernel_shape=[2, 2], strides=[2, 2]}\n"
                 " %c = Conv (%p, %w2) {pads=[1, 1, 1, 1]}\n"
                 " %d = Relu (%c)\n"
                 " %u = ConvTranspose (%d, %w3) {strides=[2, 2]}\n"
                 " %h = Concat (%u, %b) {axis=1}\n"
                 " %e = Conv (%h, %w4) {pads=[1, 1, 1, 1]}\n"
                 " %f = Tanh (%e)\n"
                 " %g = Conv (%f, %w5) {pads=[2, 2, 2, 2]}\n"
                 " %r = Relu (%g)\n"
                 " %y = Conv (%r, %w6)\n",
                 6);
    // A copy that is normalised on its way to the pool.
    check_halved("%x: float32[1x32x22x26]", "%a, %p",
                 " %w1 = const float32[40x32x3x3] random(seed=1, scale=0.083)\n"
                 " %w2 = const float32[48x40x3x3] random(seed=2, scale=0.07)\n"
                 " %w3 = const float32[2x40x1x1] random(seed=3, scale=0.22)\n"
                 " %s = const float32[40] random(seed=4, scale=0.2, offset=1)\n"
                 " %t = const float32[40] random(seed=5, scale=0.2)\n"
                 " %m = const float32[40] random(seed=6, scale=0.2)\n"
                 " %v = const float32[40] random(seed=7, scale=0.1, offset=1)\n"
                 " %a = Conv (%x, %w1) {pads=[1, 1, 1, 1]}\n"
                 " %n = BatchNormalization (%a, %s, %t, %m, %v)\n"
                 " %r = Relu (%n)\n"
                 " %p = MaxPool (%r) {kernel_shape=[2, 2], strides=[2, 2]}\n"
                 " %q = Conv (%p, %w2) {pads=[1, 1, 1, 1]}\n"
                 " %k = Conv (%a, %w3) {strides=[2, 2]}\n"
                 " %y = Concat (%q, %k) {axis=1}\n",
                 2);
    check_halved("%x: float32[1x20x5x9x10]", "%b, %d",
                 " %w1 = const float32[40x20x3x3x3] random(seed=1, scale=0.06)\n"
                 " %w2 = const float32[36x40x3x3x3] random(seed=2, scale=0.043)\n"
                 " %w3 = const float32[2x36x1x1x1] random(seed=3, scale=0.24)\n"
                 " %a = Conv (%x, %w1) {pads=[1, 1, 1, 1, 1, 1]}\n"
                 " %b = Relu (%a)\n"
                 " %c = Conv (%b, %w2) {pads=[1, 1, 1, 1, 1, 1], strides=[2, 1, 2]}\n"
                 " %d = LeakyRelu (%c) {alpha=0.1}\n"
                 " %y = Conv (%d, %w3)\n",
                 2);
    unsetenv("STENT_AVOID");
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

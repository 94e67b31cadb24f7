// Plans that are held to a number of bytes: slower ways that need less, first those that keep every bit.
#include "plan/planned.h"

// Transformed weights of 9.4 MB a layer against 2.4 MB of plain ones, on an image for which the former are much faster.
static const char network[] = "graph (%x: float32[1x256x40x40]) -> (%y) {\n"
                              " %u = const float32[256x256x3x3] random(seed=1, scale=0.02)\n"
                              " %v = const float32[256x256x3x3] random(seed=2, scale=0.02)\n"
                              " %a = Conv (%x, %u) {pads=[1, 1, 1, 1]}\n"
                              " %b = Relu (%a)\n"
                              " %y = Conv (%b, %v) {pads=[1, 1, 1, 1]}\n"
                              "}\n";

// With AMX split products would be taken, which have nothing to give up.
static Isa best_with_winograd(void) { return MIN(planned_best_isa(), ISA_AVX512); }
static Plan *plan_within(const Graph *graph, Isa isa, uint64_t memory) {
    const Machine machine = planned_machine(isa);
    Plan *plan = NULL;
    const PlanOptions options = {.threads = 2, .fuse = true, .memory = memory};
    REQUIRE(plan_create(graph, &machine, &options, &plan) == ST_OK);
    return plan;
}
static bool same_arithmetic(const Plan *a, const Plan *b) {
    bool same = a->n_steps == b->n_steps;
    for (int i = 0; same && i < a->n_steps; i++)
        same = a->steps[i].solver == b->steps[i].solver &&
               !memcmp(a->steps[i].configuration.arithmetic, b->steps[i].configuration.arithmetic,
                       sizeof a->steps[i].configuration.arithmetic);
    return same;
}
static int count_solver(const Plan *plan, const char *name) {
    int count = 0;
    for (int i = 0; i < plan->n_steps; i++) count += !strcmp(plan->steps[i].solver->name, name);
    return count;
}
// The least that any schedule of the usual arithmetic needs: the last limit that keeps it, found by halving.
static uint64_t least_with_same_bits(const Graph *graph, Isa isa, const Plan *usual) {
    uint64_t low = 0, high = plan_bytes(usual);
    while (high - low > 1 << 16) {
        const uint64_t middle = low + (high - low) / 2;
        Plan *plan = plan_within(graph, isa, middle);
        if (same_arithmetic(plan, usual) && plan_bytes(plan) <= middle) high = middle;
        else low = middle;
        plan_free(plan);
    }
    return high;
}

TEST(enough_memory_changes_nothing) {
    Graph *graph = planned_graph(network);
    Plan *usual = plan_within(graph, planned_best_isa(), 0);
    Plan *held = plan_within(graph, planned_best_isa(), plan_bytes(usual));
    char first[65], second[65];
    CHECK_OK(plan_hash(usual, first));
    CHECK_OK(plan_hash(held, second));
    CHECK_TEXT(first, second);
    plan_free(usual), plan_free(held), graph_free(graph);
}
TEST(less_memory_first_keeps_every_bit) {
    Graph *graph = planned_graph(network);
    Arena arena = {0};
    const Tensor *inputs = planned_inputs(graph, 1, &arena);
    Tensor *free_run = planned_outputs(graph, &arena), *held_run = planned_outputs(graph, &arena);
    for (Isa isa = 0; isa <= best_with_winograd(); isa++) {
        if (!kernels_for(isa)) continue;
        Plan *usual = plan_within(graph, isa, 0);
        CHECK(count_solver(usual, "conv_winograd") > 0);
        const uint64_t least = least_with_same_bits(graph, isa, usual);
        Plan *held = plan_within(graph, isa, least);
        // At least one layer gave up three quarters of its weights.
        CHECK_MSG(plan_bytes(held) <= least && least + 5000000 <= plan_bytes(usual), "%s: %llu of %llu bytes",
                  isa_name(isa), (unsigned long long)plan_bytes(held), (unsigned long long)plan_bytes(usual));
        Setting setting = {.isa = isa, .threads = 2, .fuse = true, .memory = UINT64_MAX};
        CHECK(planned_run("any memory", graph, inputs, &setting, free_run));
        setting.memory = least;
        CHECK(planned_run("least memory", graph, inputs, &setting, held_run));
        CHECK(planned_same_bits(isa_name(isa), graph, free_run, held_run));
        plan_free(usual), plan_free(held);
    }
    arena_free(&arena), graph_free(graph);
}
TEST(what_does_not_fit_is_the_smallest_plan) {
    Graph *graph = planned_graph(network);
    const Isa isa = best_with_winograd();
    Plan *usual = plan_within(graph, isa, 0), *smallest = plan_within(graph, isa, 1);
    CHECK(plan_bytes(smallest) > 1);
    const uint64_t least = plan_bytes(smallest);
    CHECK(least < least_with_same_bits(graph, isa, usual)); // direct sums need no transformed tiles
    CHECK(count_solver(smallest, "conv_direct") > 0);
    Plan *fits = plan_within(graph, isa, least);
    CHECK_INT((int64_t)plan_bytes(fits), (int64_t)least);
    plan_free(usual), plan_free(smallest), plan_free(fits), graph_free(graph);
}
// Four layers of 9.4 MB, which would be 37.7 MB transformed each.
TEST(weights_are_three_times_the_plain_ones_at_most) {
    Graph *graph = planned_graph("graph (%x: float32[1x512x32x32]) -> (%y) {\n"
                                 " %u = const float32[512x512x3x3] random(seed=1, scale=0.02)\n"
                                 " %a = Conv (%x, %u) {pads=[1, 1, 1, 1]}\n"
                                 " %b = Conv (%a, %u) {pads=[1, 1, 1, 1]}\n"
                                 " %c = Conv (%b, %u) {pads=[1, 1, 1, 1]}\n"
                                 " %y = Conv (%c, %u) {pads=[1, 1, 1, 1]}\n"
                                 "}\n");
    const size_t plain = (size_t)4 * 4 * 512 * 512 * 9;
    for (Isa isa = 0; isa <= best_with_winograd(); isa++) {
        if (!kernels_for(isa)) continue;
        Plan *plan = plan_within(graph, isa, 0);
        CHECK_INT(count_solver(plan, "conv_winograd"), 4);
        CHECK_MSG(plan->weights_bytes <= 3 * plain, "%s: %zu of %zu bytes", isa_name(isa), plan->weights_bytes, plain);
        plan_free(plan);
    }
    graph_free(graph);
}

// Random networks: whatever the plan chooses, results are the reference's, and bits do not depend on threads.
#include "base/rng.h"
#include "plan/planned.h"
#include "reference/reference.h"

// One network on some settings. A failure names the seed and shows the text.
static bool check_settings(uint64_t seed, const Graph *graph, Arena *arena) {
    const Tensor *inputs = planned_inputs(graph, seed, arena);
    Tensor *expected = arena_array(arena, (size_t)graph->n_outputs, sizeof *expected);
    Tensor *outputs = planned_outputs(graph, arena), *first = planned_outputs(graph, arena);
    CHECK_OK(reference_run(graph, inputs, expected, arena, NULL, NULL));
    double error = 0; // of the levels so far
    for (EACH_PLANNED_ISA(isa, true)) {
        const bool fuse = (seed + (uint64_t)isa) % 4 != 0, strict = (seed / 4 + (uint64_t)isa) % 3 == 0;
        // Three products of bf16 parts make 4.6e-6 a layer: what a network may have is its budget. A network that makes
        // much of roundings (a mean of what cancels) makes as much of these: seen is up to 70 times the error of fp32.
        const bool split = (Isa)isa == ISA_AMX && !strict;
        const double tolerance = split ? fmax(plan_budget(PRECISION_FP32), 128 * error) : 1e-5;
        for (int threads = 1; threads <= 3; threads++) {
            char what[128];
            const Setting setting = {
                (Isa)isa, threads, .fuse = fuse, .precision = strict ? PRECISION_STRICT : PRECISION_FP32};
            snprintf(what, sizeof what, "seed %d, %s, %d threads%s%s", (int)seed, isa_name((Isa)isa), threads,
                     fuse ? ", fused" : "", strict ? ", strict" : "");
            if (!planned_run(what, graph, inputs, &setting, threads == 1 ? first : outputs)) return false;
            if (threads > 1 ? !planned_same_bits(what, graph, outputs, first)
                            : !planned_compare(what, graph, first, expected, tolerance))
                return false;
        }
        error = fmax(error, planned_error(graph, first, expected));
    }
    return true;
}
static void check_seeds(uint64_t first, uint64_t count) {
    int failures = 0;
    for (uint64_t seed = first; seed < first + count && failures < 3; seed++) {
        Text text = {0};
        Arena arena = {0};
        random_network(seed, &text);
        Graph *graph = planned_graph(text_get(&text));
        if (!check_settings(seed, graph, &arena)) printf("%s\n", text_get(&text)), failures++;
        graph_free(graph);
        arena_free(&arena);
        text_free(&text);
    }
}
static uint64_t amount(uint64_t usual) { return test_long() ? 15 * usual : usual; }

TEST(networks_of_any_kind) { check_seeds(1, amount(60)); }
TEST(a_mean_of_what_cancels) { check_seeds(759, 1); } // split products: 1.4e-4 where fp32 makes 5e-6
TEST(networks_with_solvers_by_chance) {
    setenv("STENT_ESTIMATE", "random", 1);
    check_seeds(100001, amount(30));
}
TEST(networks_with_the_worst_solvers) {
    setenv("STENT_ESTIMATE", "worst", 1);
    check_seeds(200001, amount(30));
}
TEST(networks_without_some_solvers) {
    static const char *const avoid[] = {
        "conv_winograd",       "conv_direct", "conv_winograd,conv_direct,conv_depthwise",
        "conv_transpose,pool", "copy,binary", "unary,affine,norm,softmax",
        "resize,matmul"};
    for (size_t i = 0; i < COUNT_OF(avoid); i++) {
        setenv("STENT_AVOID", avoid[i], 1);
        check_seeds(300001 + 1000 * i, amount(6));
    }
}

#include "pass/pass_test.h"
#include "reference/reference.h"

static Graph *rounded(const char *text) {
    Graph *graph = parse_graph(text);
    CHECK_OK(pass_resolve_shapes(graph));
    CHECK_OK(pass_round_products(graph));
    return graph;
}
// Values and weights are those that bf16 has, and each product of theirs is exact in fp32.
TEST(products_are_those_of_bf16) {
    Arena arena = {0};
    Graph *graph = rounded("graph (%x: float32[1x1x1x4096]) -> (%y) {\n"
                           " %w = const float32[1x1x1x1] {1.0078125}\n %y = Conv (%x, %w)\n}"); // 129 / 128: bf16 has it
    Tensor x, y;
    CHECK_OK(tensor_make(&arena, DT_F32, shape_of(4, (const int64_t[]){1, 1, 1, 4096}), &x));
    for (int i = 0; i < 4096; i++) tensor_set(&x, i, ldexp(i % 2 ? -1.3 - i * 0.00017 : 1.7 - i * 0.00013, i % 200 - 100));
    CHECK_OK(reference_run(graph, &x, &y, &arena, NULL, NULL));
    for (int i = 0; i < 4096; i++) {
        const float expected = bf16_to_f32(f32_to_bf16((float)tensor_get(&x, i))) * 1.0078125f;
        CHECK_MSG(tensor_get(&y, i) == expected, "%.9g: got %.9g, expected %.9g", tensor_get(&x, i), tensor_get(&y, i),
                  (double)expected);
    }
    graph_free(graph);
    arena_free(&arena);
}
TEST(weights_are_rounded_to_even) {
    Graph *graph = rounded("graph (%x: float32[1x3x1x1]) -> (%y) {\n"
                           " %w = const float32[1x3x1x1] {1.00390625, 1.01171875, -3.3}\n %y = Conv (%x, %w)\n}");
    const Tensor *weight = NULL;
    for (int i = 0; i < graph->n_nodes; i++)
        if (graph->nodes[i]->op == OP_Conv) weight = node_constant(graph, graph->nodes[i], 1);
    REQUIRE(weight);
    CHECK(tensor_get(weight, 0) == 1 && tensor_get(weight, 1) == 1.015625 && tensor_get(weight, 2) == -3.296875);
    graph_free(graph);
}
TEST(transposed_convolutions_are_rounded) {
    Graph *graph = rounded("graph (%x: float32[1x3x2x2]) -> (%y) {\n"
                           " %w = const float32[3x1x1x1] {1.01171875, 2, 3}\n %y = ConvTranspose (%x, %w)\n}");
    CHECK_INT(graph->n_nodes, 4);
    CHECK(tensor_get(node_constant(graph, graph->nodes[3], 1), 0) == 1.015625);
    graph_free(graph);
}
// Groups, computed weights and other operators are not bf16's.
TEST(other_products_stay) {
    Graph *graph = rounded("graph (%x: float32[1x4x5x5], %v: float32[4x4x1x1]) -> (%y, %z, %m) {\n"
                           " %w = const float32[4x1x3x3] random(seed=1)\n %u = const float32[5x3] random(seed=2)\n"
                           " %y = Conv (%x, %w) {group=4}\n %z = Conv (%x, %v)\n %m = MatMul (%x, %u)\n}");
    CHECK_INT(graph->n_nodes, 3);
    graph_free(graph);
}

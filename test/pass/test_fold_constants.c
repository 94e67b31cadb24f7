#include "pass/pass_test.h"

TEST(constants_are_evaluated_and_keep_their_name) {
    CHECK_REWRITE("fold_constants",
                  "graph (%x: float32[2]) -> (%y) {\n"
                  " %a = const float32[2] {1, 2}\n %b = const float32[2] {3, 4}\n"
                  " %c = Add (%a, %b)\n %d = Mul (%c, %c)\n %y = Add (%x, %d)\n}",
                  "graph (%x: float32[2]) -> (%y) {\n"
                  " %d = const float32[2] {16, 36}\n %y = Add (%x, %d)\n}");
}

TEST(an_output_stays_the_output_of_a_node) {
    CHECK_KEPT("fold_constants", "graph (%x: float32[2]) -> (%y) {\n"
                                 " %a = const float32[2] {1, 2}\n %y = Add (%a, %a)\n}");
}

TEST(what_grows_a_lot_is_not_folded) {
    CHECK_KEPT("fold_constants", "graph (%x: float32[5000000]) -> (%y) {\n"
                                 " %n = const int64[1] {5000000}\n %one = const float32[1] {1}\n"
                                 " %big = Expand (%one, %n)\n %y = Add (%x, %big)\n}");
    CHECK_KEPT("fold_constants", "graph (%x: float32[5000000]) -> (%y) {\n"
                                 " %n = const int64[1] {5000000}\n"
                                 " %big = ConstantOfShape (%n)\n %y = Add (%x, %big)\n}");
    Graph *const graph = parse_graph("graph (%x: float32[1000]) -> (%y) {\n"
                                     " %n = const int64[1] {1000}\n %one = const float32[1] {1}\n"
                                     " %big = Expand (%one, %n)\n %y = Add (%x, %big)\n}");
    CHECK(run_pass(graph, "fold_constants"));
    CHECK_INT(count_ops(graph, OP_Expand), 0);
    graph_free(graph);
}

// Level 0 leaves weights alone: only what shapes are made of is computed.
TEST(level_0_folds_shape_arithmetic_only) {
    Graph *const graph = parse_graph("graph (%x: float32[100]) -> (%y) {\n"
                                     " %a = const float32[100] random(seed=1)\n %n = const int64[1] {50}\n"
                                     " %b = Neg (%a)\n %two = const int64[1] {2}\n %m = Mul (%n, %two)\n"
                                     " %r = Reshape (%x, %m)\n %y = Add (%r, %b)\n}");
    CHECK_OK(passes_run(graph, 0, NULL, NULL));
    CHECK_INT(count_ops(graph, OP_Neg), 1);
    CHECK_INT(count_ops(graph, OP_Mul), 0);
    graph_free(graph);
}

// torch.nn.Upsample(scale_factor=2) as PyTorch's exporter writes it: sizes by Shape, Slice, Cast, Mul, Floor, Concat.
static const char upsample[] =
    "graph (%x: float32[Nx3xHxW]) -> (%y) {\n"
    " %s = Shape (%x)\n"
    " %two = const int64[1] {2}\n %four = const int64[1] {4}\n %zero = const int64[1] {0}\n"
    " %hw = Slice (%s, %two, %four, %zero)\n"
    " %f = Cast (%hw) {to=\"float32\"}\n"
    " %scale = const float32[2] {2, 2}\n"
    " %g = Mul (%f, %scale)\n %h = Floor (%g)\n %i = Cast (%h) {to=\"int64\"}\n"
    " %nc = Slice (%s, %zero, %two, %zero)\n"
    " %sizes = Concat (%nc, %i) {axis=0}\n"
    " %y = Resize (%x, _, _, %sizes) {mode=\"linear\", coordinate_transformation_mode=\"align_corners\"}\n}";

TEST(upsample_sizes_are_resolved_once_the_input_is_bound) {
    Graph *const graph = parse_graph(upsample);
    const int64_t dims[4] = {2, 3, 5, 7};
    const Shape shape = shape_of(4, dims);
    CHECK_OK(pass_resolve_shapes(graph));
    CHECK_INT(count_ops(graph, OP_Floor), 1); // still free
    CHECK_OK(graph_bind(graph, "x", &shape));
    CHECK_OK(pass_resolve_shapes(graph));
    CHECK_OK(graph_verify(graph));
    CHECK_INT(graph->n_nodes, 1);
    const Type *const type = &graph->values[graph->outputs[0]].type;
    REQUIRE(type_is_static(type));
    CHECK_INT(type->dim[0], 2);
    CHECK_INT(type->dim[2], 10);
    CHECK_INT(type->dim[3], 14);
    graph_free(graph);
}

// A second Resize whose sizes are computed from the first one's output: all in one walk.
TEST(chains_of_shapes_are_resolved) {
    Graph *const graph = parse_graph("graph (%x: float32[1x1x2x2]) -> (%z) {\n"
                                     " %two = const int64[4] {1, 1, 2, 2}\n"
                                     " %s = Shape (%x)\n %t = Mul (%s, %two)\n %y = Resize (%x, _, _, %t)\n"
                                     " %u = Shape (%y)\n %v = Mul (%u, %two)\n %z = Resize (%y, _, _, %v)\n}");
    CHECK_OK(pass_resolve_shapes(graph));
    CHECK_INT(graph->n_nodes, 2);
    CHECK_INT(graph->values[graph->outputs[0]].type.dim[3], 8);
    graph_free(graph);
}

// x.view(n, -1) with a free batch: the known part of the shape is enough.
TEST(known_dims_beside_free_ones) {
    CHECK_LEVEL(0,
                "graph (%x: float32[Nx3x4x4]) -> (%y, %z) {\n"
                " %s = Shape (%x)\n %0 = const int64[] {0}\n %1 = const int64[] {1}\n %rest = const int64[1] {-1}\n"
                " %n = Gather (%s, %0)\n %axes = const int64[1] {0}\n %n1 = Unsqueeze (%n, %axes)\n"
                " %shape = Concat (%n1, %rest) {axis=0}\n %y = Reshape (%x, %shape)\n"
                " %c = Gather (%s, %1)\n %c1 = Unsqueeze (%c, %axes)\n %shape2 = Concat (%c1, %rest) {axis=0}\n"
                " %z = Reshape (%x, %shape2)\n}",
                "graph (%x: float32[Nx3x4x4]) -> (%y, %z) {\n"
                " %shape2 = const int64[2] {3, -1}\n %shape.1 = const int64[2] {0, -1}\n"
                " %y = Reshape (%x, %shape.1)\n %z = Reshape (%x, %shape2)\n}");
}

TEST(two_free_dims_that_move_stay_computed) {
    Graph *const graph = parse_graph("graph (%x: float32[NxCxHxW]) -> (%y) {\n"
                                     " %s = Shape (%x)\n %order = const int64[4] {3, 2, 1, 0}\n"
                                     " %t = Gather (%s, %order)\n %y = Reshape (%x, %t)\n}");
    CHECK_OK(passes_run(graph, 2, NULL, NULL));
    CHECK_INT(count_ops(graph, OP_Gather), 1);
    graph_free(graph);
}

TEST(shapes_that_do_not_go_together_are_refused) {
    Graph *const graph = parse_graph("graph (%x: float32[1xNx4x4]) -> (%y) {\n"
                                     " %w = const float32[2x3x1x1] random(seed=1)\n %y = Conv \"conv1\" (%x, %w)\n}");
    const int64_t dims[4] = {1, 5, 4, 4};
    const Shape shape = shape_of(4, dims);
    CHECK_OK(graph_bind(graph, "x", &shape));
    CHECK_INT(pass_resolve_shapes(graph), ST_BAD);
    CHECK(strstr(error_message(), "conv1") != NULL);
    graph_free(graph);
}

// A division by zero among the constants is the model's fault and is named.
TEST(bad_constants_are_refused) {
    Graph *const graph = parse_graph("graph (%x: int64[1]) -> (%y) {\n"
                                     " %a = const int64[2] {1, 2}\n %i = const int64[1] {0}\n"
                                     " %g = Div \"pick\" (%a, %i)\n %y = Add (%x, %g)\n}");
    CHECK_INT(passes_run(graph, 1, NULL, NULL), ST_BAD);
    CHECK(strstr(error_message(), "pick") != NULL);
    graph_free(graph);
}

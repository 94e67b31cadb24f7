#include "pass/pass_test.h"

#define PASS "fold_normalisation"
#define BN(name, x, c)                                                                                                 \
    " %" name "s = const float32[" #c "] random(seed=11, scale=0.3, offset=1)\n"                                       \
    " %" name "b = const float32[" #c "] random(seed=12)\n %" name "m = const float32[" #c "] random(seed=13)\n"       \
    " %" name "v = const float32[" #c "] random(seed=14, scale=0.1, offset=2)\n"                                       \
    " %" name " = BatchNormalization (%" x ", %" name "s, %" name "b, %" name "m, %" name "v) {epsilon=0.001}\n"

// Numbers small enough to be followed by hand: scale = 2 / sqrt(3 + 1) = 1, 3; shift = bias - mean * scale.
TEST(normalisation_behind_a_convolution) {
    CHECK_REWRITE(PASS,
                  "graph (%x: float32[1x1x4x4]) -> (%y) {\n"
                  " %w = const float32[2x1x1x2] {1, 2, 3, 4}\n %b = const float32[2] {10, 20}\n"
                  " %c = Conv \"conv\" (%x, %w, %b) {strides=[2, 2]}\n"
                  " %s = const float32[2] {2, 6}\n %t = const float32[2] {1, 2}\n"
                  " %m = const float32[2] {3, 4}\n %v = const float32[2] {3, 3}\n"
                  " %n = BatchNormalization (%c, %s, %t, %m, %v) {epsilon=1}\n %y = Relu (%n)\n}",
                  "graph (%x: float32[1x1x4x4]) -> (%y) {\n"
                  " %w.1 = const float32[2x1x1x2] {1, 2, 9, 12}\n %b.1 = const float32[2] {8, 50}\n"
                  " %n = Conv \"conv\" (%x, %w.1, %b.1) {strides=[2, 2]}\n %y = Relu (%n)\n}");
}

TEST(all_kinds_of_convolutions) {
    CHECK_SAME(PASS, "graph (%x: float32[2x4x7x6]) -> (%n) {\n"
                     " %w = const float32[6x2x3x3] random(seed=1, scale=0.3)\n"
                     " %c = Conv (%x, %w) {group=2, pads=[1, 1, 1, 1]}\n" BN("n", "c", 6) "}");
    CHECK_SAME(PASS, "graph (%x: float32[2x4x5]) -> (%n) {\n"
                     " %w = const float32[4x3x3] random(seed=1, scale=0.3)\n %b = const float32[6] random(seed=2)\n"
                     " %c = ConvTranspose (%x, %w, %b) {group=2, strides=[2]}\n" BN("n", "c", 6) "}");
    CHECK_SAME(PASS, "graph (%x: float32[1x2x4x5x3]) -> (%n) {\n"
                     " %w = const float32[2x3x2x2x2] random(seed=1, scale=0.3)\n"
                     " %c = ConvTranspose (%x, %w) {strides=[2, 2, 2]}\n" BN("n", "c", 3) "}");
    CHECK_SAME(PASS, "graph (%x: float32[1x4x5x5]) -> (%n) {\n" // depthwise
                     " %w = const float32[4x1x3x3] random(seed=1, scale=0.3)\n"
                     " %c = Conv (%x, %w) {group=4}\n" BN("n", "c", 4) "}");
}

TEST(chains_go_into_one_convolution) {
    const char *const text = "graph (%x: float32[1x3x6x6]) -> (%y) {\n"
                             " %w = const float32[4x3x3x3] random(seed=1, scale=0.3)\n %c = Conv (%x, %w)\n" BN(
                                 "n", "c", 4) " %k = const float32[4x1x1] random(seed=5)\n %p = Mul (%n, %k)\n"
                                              " %l = const float32[1x4x1x1] random(seed=6)\n %q = Sub (%l, %p)\n"
                                              " %d = const float32[] {3}\n %r = Div (%q, %d)\n %y = Add (%d, %r)\n}";
    CHECK_SAME(PASS, text);
    Graph *const graph = parse_graph(text);
    run_pass(graph, PASS);
    CHECK_INT(graph->n_nodes, 1);
    CHECK_TEXT(graph->values[graph->nodes[0]->outputs[0]].name, "y");
    graph_free(graph);
}

TEST(before_a_convolution_without_padding) {
    const char *const text = "graph (%x: float32[1x4x6x6]) -> (%c) {\n" BN(
        "n", "x", 4) " %w = const float32[6x2x3x3] random(seed=1, scale=0.3)\n"
                     " %c = Conv (%n, %w) {group=2}\n}";
    CHECK_SAME(PASS, text);
    Graph *const graph = parse_graph(text);
    run_pass(graph, PASS);
    CHECK_INT(graph->n_nodes, 1);
    graph_free(graph);
    // A scale alone may pass padding: 0 stays 0.
    CHECK_SAME(PASS, "graph (%x: float32[1x4x6x6]) -> (%c) {\n"
                     " %k = const float32[] {0.0039}\n %n = Mul (%x, %k)\n"
                     " %w = const float32[6x4x3x3] random(seed=1, scale=0.3)\n"
                     " %c = Conv (%n, %w) {pads=[1, 1, 1, 1]}\n}");
}

TEST(behind_another_normalisation) {
    CHECK_SAME(PASS,
               "graph (%x: float32[1x4x6x6]) -> (%y) {\n" BN(
                   "n", "x", 4) " %k = const float32[4x1x1] random(seed=5)\n %p = Mul (%n, %k)\n %y = Add (%k, %p)\n}");
    CHECK_SAME(PASS, "graph (%x: float32[2x4x6x6]) -> (%y) {\n"
                     " %s = const float32[4] random(seed=3)\n %b = const float32[4] random(seed=4)\n"
                     " %n = GroupNormalization (%x, %s, %b) {num_groups=2}\n"
                     " %k = const float32[4x1x1] random(seed=5)\n %p = Mul (%n, %k)\n %y = Add (%p, %k)\n}");
    CHECK_SAME(PASS, "graph (%x: float32[2x4x6x6]) -> (%y) {\n"
                     " %s = const float32[4] random(seed=3)\n %b = const float32[4] random(seed=4)\n"
                     " %n = InstanceNormalization (%x, %s, %b)\n"
                     " %k = const float32[4x1x1] random(seed=5)\n %y = Mul (%n, %k)\n}");
}

#define CONV                                                                                                           \
    "graph (%x: float32[1x3x6x6]) -> (%y) {\n"                                                                         \
    " %w = const float32[4x3x3x3] random(seed=1, scale=0.3)\n"                                                         \
    " %c = Conv (%x, %w) {pads=[1, 1, 1, 1]}\n"

TEST(not_where_the_result_would_change) {
    CHECK_KEPT(PASS, CONV " %r = Relu (%c)\n" BN("y", "r", 4) "}"); // an activation between
    CHECK_KEPT(PASS, CONV BN("n", "c", 4) " %y = Add (%n, %c)\n}"); // two uses
    CHECK_KEPT(PASS, "graph (%x: float32[1x4x6x6]) -> (%c, %n) {\n" // the inner is an output
                     " %w = const float32[4x4x1x1] random(seed=1)\n"
                     " %c = Conv (%x, %w)\n" BN("n", "c", 4) "}");
    CHECK_KEPT(PASS, "graph (%x: float32[1x3x6x6]) -> (%y) {\n" BN("n", "x", 3) // shift meets padding
               " %w = const float32[4x3x3x3] random(seed=1)\n %y = Conv (%n, %w) {pads=[1, 1, 1, 1]}\n}");
    CHECK_KEPT(PASS,
               "graph (%x: float32[1x3x6x6]) -> (%y) {\n" BN(
                   "n", "x",
                   3) " %w = const float32[4x3x3x3] random(seed=1)\n %y = Conv (%n, %w) {auto_pad=\"SAME_UPPER\"}\n}");
    CHECK_KEPT(PASS, CONV " %k = const float32[6] random(seed=1)\n %y = Mul (%c, %k)\n}"); // along the width
    CHECK_KEPT(PASS, "graph (%x: float32[1x3x4x4]) -> (%y) {\n %w = const float32[4x3x1x1] random(seed=1)\n"
                     " %c = Conv (%x, %w)\n %k = const float32[4] random(seed=1)\n %y = Mul (%c, %k)\n}");
    CHECK_KEPT(PASS, CONV " %k = const float32[2x1x1x1] {2, 3}\n %y = Mul (%c, %k)\n}");          // a larger result
    CHECK_KEPT(PASS, CONV " %k = const float32[1x1x1x1x1] {2}\n %y = Mul (%c, %k)\n}");           // another rank
    CHECK_KEPT(PASS, CONV " %k = const float32[4x1x1] {1, 2, 0, 3}\n %y = Div (%c, %k)\n}");      // 1 / 0
    CHECK_KEPT(PASS, "graph (%x: float32[1x1x2x2]) -> (%y) {\n %w = const float32[1x1x1x1] {4}\n" // weights overflow
                     " %c = Conv (%x, %w)\n %k = const float32[] {3e38}\n %y = Mul (%c, %k)\n}");
    CHECK_KEPT(PASS, CONV " %k = const float32[] {3}\n %y = Div (%k, %c)\n}");
    CHECK_KEPT(PASS, CONV " %y = Mul (%c, %c)\n}");
    CHECK_KEPT(PASS, "graph (%x: float32[1x3x6x6], %w: float32[4x3x3x3]) -> (%n) {\n" // weights unknown
                     " %c = Conv (%x, %w)\n" BN("n", "c", 4) "}");
}

TEST(weights_that_others_read_stay) {
    Graph *const graph = parse_graph("graph (%x: float32[1x4x6x6]) -> (%n, %d) {\n"
                                     " %w = const float32[4x4x1x1] random(seed=1)\n"
                                     " %c = Conv (%x, %w)\n %d = Conv (%x, %w)\n" BN("n", "c", 4) "}");
    Graph *const before = parse_graph("graph (%x: float32[1x4x6x6]) -> (%n, %d) {\n"
                                      " %w = const float32[4x4x1x1] random(seed=1)\n"
                                      " %c = Conv (%x, %w)\n %d = Conv (%x, %w)\n" BN("n", "c", 4) "}");
    CHECK(run_pass(graph, PASS));
    check_same_results(__FILE__, __LINE__, before, graph, 1, 1e-6);
    graph_free(graph);
    graph_free(before);
}

// As TensorFlow Lite has a normalisation whose input a skip reads too.
#define SCALE_AND_SHIFT                                                                                                \
    "graph (%x: float32[2x3x4x5]) -> (%n, %z) {\n %w = const float32[3x3x1x1] random(seed=1)\n %c = Conv (%x, %w)\n"   \
    " %s = const float32[1x3x1x1] {1, -2, 3}\n %t = const float32[3x1x1] {0.5, 1, -1}\n"                               \
    " %m = Mul (%c, %s)\n"

TEST(a_scale_and_a_shift_by_themselves_are_one) {
    const char *text = SCALE_AND_SHIFT " %n = Add (%t, %m)\n %z = Relu (%c)\n}";
    CHECK_SAME(PASS, text);
    Graph *graph = parse_graph(text);
    run_pass(graph, PASS);
    CHECK_INT(count_ops(graph, OP_BatchNormalization), 1);
    CHECK_INT(count_ops(graph, OP_Mul) + count_ops(graph, OP_Add), 0);
    graph_free(graph);
    CHECK_SAME(PASS, SCALE_AND_SHIFT " %n = Sub (%m, %t)\n %z = Relu (%c)\n}");
    // The scaled value is read too; a shift that differs along another axis; scalars.
    CHECK_KEPT(PASS, SCALE_AND_SHIFT " %n = Add (%t, %m)\n %z = Add (%m, %c)\n}");
    CHECK_KEPT(PASS, "graph (%x: float32[2x3x4x5]) -> (%n) {\n %s = const float32[1x3x1x1] {1, -2, 3}\n"
                     " %t = const float32[5] {1, 2, 3, 4, 5}\n %m = Mul (%x, %s)\n %n = Add (%m, %t)\n}");
    CHECK_KEPT(PASS, "graph (%x: float32[2x3x4x5]) -> (%n) {\n %s = const float32[] {2}\n"
                     " %t = const float32[] {1}\n %m = Mul (%x, %s)\n %n = Add (%m, %t)\n}");
}

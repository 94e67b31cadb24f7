#include "pass/pass_test.h"

#define PASS "resize_late"
#define UP2 " %s = const float32[4] {1, 1, 2, 2}\n"
#define POINTWISE "{kernel_shape=[1, 1], strides=[1, 1], dilations=[1, 1], pads=[0, 0, 0, 0]}"

TEST(a_pointwise_convolution_goes_before_up_sampling) {
    CHECK_REWRITE(PASS,
                  "graph (%x: float32[1x2x3x3]) -> (%y) {\n" UP2 " %w = const float32[1x2x1x1] {3, 4}\n"
                  " %b = const float32[1] {5}\n %u = Resize (%x, _, %s) {mode=\"linear\"}\n"
                  " %y = Conv (%u, %w, %b) " POINTWISE "\n}",
                  "graph (%x: float32[1x2x3x3]) -> (%y) {\n" UP2 " %b = const float32[1] {5}\n"
                  " %w.1 = const float32[1x2x1x1] {3, 4}\n %y.1 = Conv (%x, %w.1, %b) " POINTWISE "\n"
                  " %y = Resize (%y.1, _, %s) {mode=\"linear\"}\n}");
    // Sizes of all dims, 2x, to an output of the graph.
    CHECK_SAME(PASS, "graph (%x: float32[2x8x5x7]) -> (%y, %z) {\n %n = const int64[4] {2, 8, 9, 20}\n"
                     " %w = const float32[3x8x1x1] random(seed=1)\n %b = const float32[3] {1, -2, 3}\n"
                     " %u = Resize (%x, _, _, %n) {mode=\"linear\", coordinate_transformation_mode=\"align_corners\"}\n"
                     " %y = Conv (%u, %w, %b) " POINTWISE "\n %z = Relu (%y)\n}");
    CHECK_SAME(PASS, "graph (%x: float32[1x4x2x3x2]) -> (%y) {\n %n = const int64[3] {4, 6, 4}\n"
                     " %w = const float32[4x4x1x1x1] random(seed=1)\n"
                     " %u = Resize (%x, _, _, %n) {axes=[2, 3, 4]}\n %y = Conv (%u, %w)\n}");
}

// Of 64 and more channels each: two are moved, two stay where they are, in both orders.
TEST(a_pointwise_convolution_goes_through_a_concatenation) {
    const char *const text =
        "graph (%x: float32[1x64x4x4], %a: float32[1x3x8x8], %z: float32[1x80x2x2], %c: float32[1x5x8x8]) -> (%y) "
        "{\n" UP2 " %n = const int64[4] {1, 80, 8, 8}\n %w = const float32[7x152x1x1] random(seed=3)\n"
        " %b = const float32[7] random(seed=4)\n %u = Resize (%x, _, %s) {mode=\"linear\"}\n"
        " %v = Resize (%z, _, _, %n) {mode=\"nearest\"}\n %k = Concat (%u, %a, %v, %c) {axis=-3}\n"
        " %o = Conv (%k, %w, %b)\n %y = Relu (%o)\n}";
    CHECK_SAME(PASS, text);
    Graph *const graph = parse_graph(text);
    CHECK(run_pass(graph, PASS));
    CHECK_INT(count_ops(graph, OP_Conv), 3);
    CHECK_INT(count_ops(graph, OP_Resize), 2);
    CHECK_INT(count_ops(graph, OP_Add), 2);
    graph_free(graph);
    CHECK_SAME(PASS, "graph (%x: float32[1x64x4x4], %z: float32[1x64x2x8]) -> (%y) {\n"
                     " %n = const int64[4] {1, 64, 8, 8}\n %w = const float32[64x128x1x1] random(seed=3)\n"
                     " %b = const float32[64] random(seed=4)\n %u = Resize (%x, _, _, %n)\n"
                     " %v = Resize (%z, _, _, %n)\n %k = Concat (%u, %v) {axis=1}\n %y = Conv (%k, %w, %b)\n}");
}

TEST(other_convolutions_stay_behind_up_sampling) {
#define KEPT(weight, up, conv)                                                                                         \
    CHECK_KEPT(PASS, "graph (%x: float32[1x2x4x4]) -> (%y) {\n" UP2 " %w = const float32" weight " random(seed=1)\n"   \
                     " %u = Resize (%x, _, %s) " up "\n %y = Conv (%u, %w) " conv "\n}")
    KEPT("[3x2x1x1]", "{mode=\"linear\"}", "{kernel_shape=[1, 1]}"); // more channels behind it
    KEPT("[1x2x3x3]", "{mode=\"linear\"}", "{kernel_shape=[3, 3]}");
    KEPT("[1x2x1x1]", "{mode=\"cubic\"}", "{kernel_shape=[1, 1]}");
    KEPT("[1x2x1x1]", "{mode=\"linear\"}", "{kernel_shape=[1, 1], strides=[2, 2]}");
    KEPT("[1x2x1x1]", "{mode=\"linear\"}", "{kernel_shape=[1, 1], pads=[1, 1, 1, 1]}");
    KEPT("[2x1x1x1]", "{mode=\"linear\"}", "{kernel_shape=[1, 1], group=2}");
    CHECK_KEPT(PASS, "graph (%x: float32[1x2x4x4]) -> (%y, %z) {\n" UP2 " %w = const float32[1x2x1x1] {1, 2}\n"
                     " %u = Resize (%x, _, %s)\n %y = Conv (%u, %w)\n %z = Relu (%u)\n}");
    CHECK_KEPT(PASS, "graph (%x: float32[1x2x4x4]) -> (%y) {\n %s = const float32[4] {1, 1, 1, 1.5}\n"
                     " %w = const float32[1x2x1x1] {1, 2}\n %u = Resize (%x, _, %s)\n %y = Conv (%u, %w)\n}");
    CHECK_KEPT(PASS, "graph (%x: float32[1x63x4x4], %a: float32[1x1x8x8]) -> (%y) {\n" UP2 // too few for a sum
                     " %w = const float32[1x64x1x1] random(seed=1)\n %u = Resize (%x, _, %s)\n"
                     " %k = Concat (%u, %a) {axis=1}\n %y = Conv (%k, %w)\n}");
}

#include "pass/pass_test.h"

#define PASS "merge_linear"

TEST(two_pointwise_convolutions_are_one) {
    CHECK_REWRITE(PASS,
                  "graph (%x: float32[1x2x3x3]) -> (%y) {\n %v = const float32[2x2x1x1] {1, 2, 3, 4}\n"
                  " %a = const float32[2] {5, 6}\n %w = const float32[1x2x1x1] {7, 8}\n %b = const float32[1] {9}\n"
                  " %u = Conv (%x, %v, %a)\n %y = Conv (%u, %w, %b)\n}",
                  "graph (%x: float32[1x2x3x3]) -> (%y) {\n %w.1 = const float32[1x2x1x1] {31, 46}\n"
                  " %b.1 = const float32[1] {92}\n %y = Conv (%x, %w.1, %b.1)\n}");
    CHECK_SAME(PASS, "graph (%x: float32[2x5x3x4]) -> (%y) {\n %v = const float32[7x5x1x1] random(seed=1)\n"
                     " %a = const float32[7] random(seed=2)\n %w = const float32[6x7x1x1] random(seed=3)\n"
                     " %u = Conv (%x, %v, %a)\n %y = Conv (%u, %w)\n}");
    CHECK_SAME(PASS, "graph (%x: float32[2x5x3x4x2]) -> (%y) {\n %v = const float32[7x5x1x1x1] random(seed=1)\n"
                     " %w = const float32[6x7x1x1x1] random(seed=3)\n %u = Conv (%x, %v)\n %y = Conv (%u, %w)\n}");
}

#define TOKENS(end)                                                                                                    \
    "graph (%x: float32[2x12x5]) -> (%y) {\n %v = const float32[5x7] random(seed=1)\n"                                 \
    " %a = const float32[1x1x7] random(seed=2)\n %w = const float32[6x7x1x1] random(seed=3)\n"                         \
    " %b = const float32[6] random(seed=4)\n %n = const int64[4] {2, 7, 3, 4}\n %m = MatMul (%x, %v)\n" end "}"

TEST(tokens_that_become_an_image) {
    CHECK_SAME(PASS, TOKENS(" %s = Add (%m, %a)\n %t = Transpose (%s) {perm=[0, 2, 1]}\n %r = Reshape (%t, %n)\n"
                            " %y = Conv (%r, %w, %b)\n"));
    CHECK_SAME(PASS, TOKENS(" %s = Add (%a, %m)\n %t = Transpose (%s) {perm=[0, 2, 1]}\n %r = Reshape (%t, %n)\n"
                            " %y = Conv (%r, %w)\n"));
    CHECK_SAME(PASS, TOKENS(" %t = Transpose (%m) {perm=[0, 2, 1]}\n %r = Reshape (%t, %n)\n %y = Conv (%r, %w)\n"));
    const char *const text = "graph (%x: float32[2x3x4x5]) -> (%y) {\n %v = const float32[5x7] random(seed=1)\n"
                             " %a = const float32[7] random(seed=2)\n %w = const float32[6x7x1x1] random(seed=3)\n"
                             " %m = MatMul (%x, %v)\n %s = Add (%m, %a)\n %t = Transpose (%s) {perm=[0, 3, 1, 2]}\n"
                             " %y = Conv (%t, %w)\n}";
    CHECK_SAME(PASS, text);
    Graph *const graph = parse_graph(text);
    CHECK(run_pass(graph, PASS));
    CHECK_INT(count_ops(graph, OP_MatMul) + count_ops(graph, OP_Add), 0);
    CHECK_INT(count_ops(graph, OP_Conv), 1);
    graph_free(graph);
}

TEST(maps_that_stay_two) {
#define KEPT(outputs, v, a, first, w, second)                                                                          \
    CHECK_KEPT(PASS, "graph (%x: float32[1x8x4x4]) -> (" outputs ") {\n %v = const float32" v " random(seed=1)\n"      \
                     " %a = const float32" a "\n %w = const float32" w                                                 \
                     " random(seed=3)\n %u = Conv (%x, %v, %a) " first "\n %y = Conv (%u, %w) " second "\n}")
    KEPT("%y", "[2x8x1x1]", "[2] full(1)", "", "[8x2x1x1]", "");     // a bottleneck
    KEPT("%y, %u", "[8x8x1x1]", "[8] full(1)", "", "[8x8x1x1]", ""); // the first is wanted too
    KEPT("%y", "[8x8x3x3]", "[8] full(1)", "", "[8x8x1x1]", "");
    KEPT("%y", "[8x8x1x1]", "[8] full(1)", "", "[8x8x3x3]", "");
    KEPT("%y", "[8x8x1x1]", "[8] full(1)", "{strides=[2, 2]}", "[8x8x1x1]", "");
    KEPT("%y", "[8x4x1x1]", "[8] full(1)", "{group=2}", "[8x8x1x1]", "");
    KEPT("%y", "[8x8x1x1]", "[8] full(3e38)", "", "[8x8x1x1]", ""); // a bias that would be infinite
    CHECK_KEPT(PASS, TOKENS(" %t = Transpose (%m) {perm=[1, 2, 0]}\n %q = const float32[6x7x1] random(seed=5)\n"
                            " %y = Conv (%t, %q)\n"));
    CHECK_KEPT(PASS, TOKENS(" %t = Transpose (%m) {perm=[0, 2, 1]}\n %k = const int64[4] {4, 7, 3, 2}\n"
                            " %r = Reshape (%t, %k)\n %y = Conv (%r, %w)\n"));
    CHECK_KEPT(PASS, TOKENS(" %z = const float32[12x1] random(seed=6)\n %s = Add (%m, %z)\n"
                            " %t = Transpose (%s) {perm=[0, 2, 1]}\n %r = Reshape (%t, %n)\n %y = Conv (%r, %w)\n"));
}

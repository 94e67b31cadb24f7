#include "pass/pass_test.h"

#define PASS "cancel_transpose"
#define NCHW " {perm=[0, 3, 1, 2]}\n"
#define NHWC " {perm=[0, 2, 3, 1]}\n"

TEST(inverse_transposes_cancel) {
    CHECK_REWRITE(PASS,
                  "graph (%x: float32[1x2x3x4]) -> (%y) {\n %r = Relu (%x)\n %a = Transpose (%r)" NHWC
                  " %b = Transpose (%a)" NCHW " %y = Exp (%b)\n}",
                  "graph (%x: float32[1x2x3x4]) -> (%y) {\n %r = Relu (%x)\n %y = Exp (%r)\n}");
    CHECK_REWRITE(PASS,
                  "graph (%x: float32[1x2x3x4]) -> (%y) {\n %a = Transpose (%x)" NHWC " %y = Transpose (%a)" NHWC "}",
                  "graph (%x: float32[1x2x3x4]) -> (%y) {\n %y = Transpose (%x) {perm=[0, 3, 1, 2]}\n}");
}

// What Keras' channels-last layers look like behind an exporter; the values that the network names stay named.
TEST(channels_last_between_convolutions) {
    CHECK_REWRITE(PASS,
                  "graph (%x: float32[1x3x4x4]) -> (%y) {\n %w = const float32[2x3x1x1] {1, 2, 3, 4, 5, 6}\n"
                  " %c = Conv (%x, %w)\n %t = Transpose (%c)" NHWC " %b = const float32[2] {7, 8}\n %p = Add (%t, %b)\n"
                  " %r = Relu \"act\" (%p)\n %u = Transpose (%r)" NCHW " %v = const float32[2x2x1x1] {1, 2, 3, 4}\n"
                  " %y = Conv (%u, %v)\n}",
                  "graph (%x: float32[1x3x4x4]) -> (%y) {\n %w = const float32[2x3x1x1] {1, 2, 3, 4, 5, 6}\n"
                  " %v = const float32[2x2x1x1] {1, 2, 3, 4}\n %b.1 = const float32[1x2x1x1] {7, 8}\n"
                  " %c = Conv (%x, %w)\n %p.1 = Add (%c, %b.1) : float32[1x2x4x4]\n %u = Relu \"act\" (%p.1)\n"
                  " %y = Conv (%u, %v)\n}");
}

#define HEAD                                                                                                           \
    "graph (%x: float32[2x5x6x3]) -> (%y) {\n %t = Transpose (%x)" NCHW                                                \
    " %w = const float32[4x3x3x3] random(seed=1)\n"                                                                    \
    " %c = Conv (%t, %w) {pads=[1, 1, 1, 1]}\n %h = Transpose (%c)" NHWC

// A U-Net's corner: a skip, pooling by convolution, a concatenation, all channels last.
static const char unet[] =
    HEAD " %b = const float32[4] random(seed=2)\n %a = Add (%h, %b)\n %r = LeakyRelu (%a) {alpha=0.1}\n"
         " %p = Transpose (%r)" NCHW " %v = const float32[4x4x2x2] random(seed=3)\n"
         " %d = Conv (%p, %v) {strides=[1, 2], pads=[0, 0, 1, 0]}\n %dt = Transpose (%d)" NHWC
         " %sizes = const int64[4] {2, 5, 6, 4}\n %up = Resize (%dt, _, _, %sizes) {mode=\"nearest\"}\n"
         " %k = Concat (%r, %up) {axis=-1}\n %pads = const int64[8] {0, 1, 1, 0, 0, 1, 1, 0}\n"
         " %kp = Pad (%k, %pads)\n %kt = Transpose (%kp)" NCHW
         " %w2 = const float32[2x8x3x3] random(seed=4)\n %z = Conv (%kt, %w2)\n %zt = Transpose (%z)" NHWC
         " %y = Softmax (%zt) {axis=-1}\n}";

TEST(transposes_sink_through_a_network) {
    CHECK_SAME(PASS, unet);
    CHECK_SAME(NULL, unet);
    Graph *const graph = parse_graph(unet);
    CHECK(run_pass(graph, PASS));
    CHECK_INT(count_ops(graph, OP_Transpose), 2); // of the input and the output
    graph_free(graph);
}

TEST(nodes_that_transposes_pass) {
    static const char *const nodes[] = {
        "%z = Sigmoid (%h)\n",
        "%k = const float32[] {0.5}\n %z = Clip (%h, _, %k)\n",
        "%z = Mul (%h, %h)\n",
        "%k = const float32[6x4] random(seed=5)\n %z = Sub (%k, %h)\n",
        "%k = const float32[1x5x1x1] random(seed=5)\n %z = Max (%h, %k, %h)\n",
        "%k = const float32[4] random(seed=5)\n %z = PRelu (%h, %k)\n",
        "%k = const float32[4] random(seed=5)\n %q = Greater (%h, %k)\n %z = Where (%q, %h, %k)\n",
        "%z = Softmax (%h) {axis=2}\n",
        "%k = const float32[2x5x6x2] random(seed=5)\n %z = Concat (%k, %h) {axis=3}\n",
        "%i, %j = Split (%h) {axis=-1, num_outputs=2}\n %e = Exp (%j)\n %z = Concat (%e, %i) {axis=1}\n",
        "%k = const int64[2] {1, 2}\n %z = ReduceMean (%h, %k)\n",
        "%k = const int64[2] {1, -1}\n %z0 = ReduceMax (%h, %k) {keepdims=0}\n %n = const int64[2] {2, 3}\n"
        " %z = Unsqueeze (%z0, %n)\n",
        "%z0 = ArgMax (%h) {axis=-1}\n %z = Cast (%z0) {to=\"float32\"}\n",
        "%k = const int64[2] {1, 1}\n %e = const int64[2] {4, 3}\n %a = const int64[2] {2, -1}\n"
        " %z = Slice (%h, %k, %e, %a)\n",
        "%k = const int64[2] {0, 1}\n %e = const int64[2] {4, 4}\n %z = Slice (%h, %k, %e)\n",
        "%k = const int64[8] {0, 1, 2, 3, 0, 1, 0, 1}\n %z = Pad (%h, %k)\n",
        "%k = const int64[2] {1, 2}\n %a = const int64[1] {-1}\n %z = Pad (%h, %k, _, %a)\n",
        "%k = const int64[4] {1, 2, 1, 3}\n %z = Tile (%h, %k)\n",
        "%k = const float32[4] {1, 2, 1.5, 1}\n %z = Resize (%h, _, %k) {mode=\"linear\"}\n",
        // A gate of one pixel: nothing moves in it.
        "%m = const int64[2] {1, 2}\n %g = ReduceMean (%h, %m) {keepdims=0}\n %s = const int64[4] {2, 1, 1, 4}\n"
        " %g1 = Reshape (%g, %s)\n %z = Mul (%h, %g1)\n",
    };
    for (size_t i = 0; i < COUNT_OF(nodes); i++) {
        char text[2048];
        snprintf(text, sizeof text, "%s%s%s", HEAD, nodes[i], " %y = Transpose (%z)" NCHW "}");
        check_same_text(__FILE__, __LINE__, PASS, text, 1e-6);
        check_same_text(__FILE__, __LINE__, NULL, text, 1e-6);
        Graph *const graph = parse_graph(text);
        CHECK_OK(passes_run(graph, 2, NULL, NULL));
        if (count_ops(graph, OP_Transpose) > 1) test_failed(__FILE__, __LINE__, "a Transpose is left in:\n%s", text);
        graph_free(graph);
    }
}

// A reduction that drops a dim leaves a Transpose of the others.
TEST(reductions_that_drop_dims) {
    CHECK_SAME(PASS, HEAD " %k = const int64[1] {1}\n %y = ReduceMax (%h, %k) {keepdims=0}\n}");
    CHECK_SAME(PASS, HEAD " %y = ArgMax (%h) {axis=1, keepdims=0}\n}");
    CHECK_SAME(PASS, HEAD " %y = ReduceSum (%h) {keepdims=0}\n}");
}

TEST(transposes_that_would_multiply_stay) {
    CHECK_KEPT(PASS, "graph (%x: float32[1x2x3x4]) -> (%y, %z, %q) {\n %t = Transpose (%x)" NHWC
                     " %y = Relu (%t)\n %z = Exp (%t)\n %q = Abs (%t)\n}");
    CHECK_KEPT(PASS, "graph (%x: float32[1x2x3x4], %o: float32[1x3x4x2]) -> (%y) {\n %t = Transpose (%x)" NHWC
                     " %y = Add (%t, %o)\n}");
    CHECK_KEPT(PASS, "graph (%x: float32[1x2x3x4]) -> (%y) {\n %t = Transpose (%x)" NHWC
                     " %k = const float32[1x1x1x1x1] {2}\n %y = Add (%t, %k)\n}"); // another rank
    CHECK_KEPT(PASS, "graph (%x: float32[1x2x3x4], %v: float32[1x2x3x4]) -> (%y) {\n %t = Transpose (%x)" NHWC
                     " %u = Transpose (%v) {perm=[0, 2, 1, 3]}\n %s = const int64[2] {1, -1}\n %a = Reshape (%t, %s)\n"
                     " %b = Reshape (%u, %s)\n %y = Add (%a, %b)\n}");
}

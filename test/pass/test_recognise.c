// Activations and normalisations written as several nodes.
#include "pass/pass_test.h"

#define ACT "recognise_activation"
#define NORM "recognise_normalisation"
#define X "graph (%x: float32[2x3x4x5]) -> (%y) {\n"

// The nodes become one node of that op, and the results are the same.
static void check_becomes(int line, const char *pass, const char *nodes, Op op) {
    char text[2048];
    snprintf(text, sizeof text, "%s%s}", X, nodes);
    check_same_text(__FILE__, line, pass, text, 1e-6);
    Graph *const graph = parse_graph(text);
    run_pass(graph, pass);
    if (graph->n_nodes != 1 || graph->nodes[0]->op != op)
        test_failed(__FILE__, line, "expected one %s, got %d nodes with %s", op_info(op)->name, graph->n_nodes,
                    op_info(graph->nodes[graph->n_nodes - 1]->op)->name);
    graph_free(graph);
}
#define CHECK_BECOMES(pass, nodes, op) check_becomes(__LINE__, pass, nodes, op)

static void check_not(int line, const char *pass, const char *nodes) {
    char text[2048];
    snprintf(text, sizeof text, "%s%s}", X, nodes);
    check_rewrite(__FILE__, line, pass, text, NULL);
}
#define CHECK_NOT(pass, nodes) check_not(__LINE__, pass, nodes)

TEST(swish_and_mish) {
    CHECK_BECOMES(ACT, "%s = Sigmoid (%x)\n %y = Mul (%x, %s)\n", OP_Swish);
    CHECK_BECOMES(ACT, "%s = Sigmoid (%x)\n %y = Mul (%s, %x)\n", OP_Swish);
    CHECK_BECOMES(ACT, "%c = const float32[] {1.702}\n %m = Mul (%x, %c)\n %s = Sigmoid (%m)\n %y = Mul (%x, %s)\n",
                  OP_Swish);
    CHECK_BECOMES(ACT, "%s = Softplus (%x)\n %t = Tanh (%s)\n %y = Mul (%t, %x)\n", OP_Mish);
    CHECK_NOT(ACT, "%s = Sigmoid (%x)\n %z = Relu (%x)\n %y = Mul (%z, %s)\n");
    CHECK_NOT(ACT, "%c = const float32[] {2}\n %z = Relu (%x)\n %m = Mul (%x, %c)\n %s = Sigmoid (%m)\n"
                   " %y = Mul (%z, %s)\n");
    CHECK_NOT(ACT, "%s = Sigmoid (%x)\n %m = Mul (%x, %s)\n %y = Add (%m, %s)\n"); // the gate is read twice
    CHECK_NOT(ACT, "%c = const float32[5] {1, 1, 1, 1, 1}\n %m = Mul (%x, %c)\n %s = Sigmoid (%m)\n"
                   " %y = Mul (%x, %s)\n");
}

#define HARD "%3 = const float32[] {3}\n %0 = const float32[] {0}\n %6 = const float32[] {6}\n %a = Add (%x, %3)\n"

TEST(hard_activations) {
    CHECK_BECOMES(ACT, "%s = HardSigmoid (%x) {alpha=0.16666667}\n %y = Mul (%x, %s)\n", OP_HardSwish);
    CHECK_BECOMES(ACT, HARD "%c = Clip (%a, %0, %6)\n %m = Mul (%x, %c)\n %y = Div (%m, %6)\n", OP_HardSwish);
    CHECK_BECOMES(ACT, HARD "%c = Clip (%a, %0, %6)\n %d = Div (%c, %6)\n %y = Mul (%d, %x)\n", OP_HardSwish);
    CHECK_BECOMES(ACT, HARD "%c = Clip (%a, %0, %6)\n %s = const float32[] {0.16666667}\n %y = Mul (%c, %s)\n",
                  OP_HardSigmoid);
    CHECK_NOT(ACT, "%s = HardSigmoid (%x)\n %y = Mul (%x, %s)\n"); // alpha 0.2
    CHECK_NOT(ACT, HARD "%c = Clip (%a, %0, %3)\n %d = Div (%c, %6)\n %y = Mul (%d, %x)\n");
    CHECK_NOT(ACT, HARD "%c = Clip (%a, %0, %6)\n %y = Div (%6, %c)\n");
}

#define ERF                                                                                                            \
    "%r = const float32[] {1.4142135}\n %1 = const float32[] {1}\n %h = const float32[] {0.5}\n %d = Div (%x, %r)\n"   \
    " %e = Erf (%d)\n %o = Add (%e, %1)\n"

TEST(gelu) {
    CHECK_BECOMES(ACT, ERF "%m = Mul (%x, %o)\n %y = Mul (%m, %h)\n", OP_Gelu);
    CHECK_BECOMES(ACT, ERF "%m = Mul (%x, %h)\n %y = Mul (%m, %o)\n", OP_Gelu);
    CHECK_BECOMES(ACT, ERF "%m = Mul (%o, %h)\n %y = Mul (%x, %m)\n", OP_Gelu);
    CHECK_BECOMES(ACT,
                  "%3 = const float32[] {3}\n %k = const float32[] {0.044715}\n %q = const float32[] {0.7978846}\n"
                  " %1 = const float32[] {1}\n %h = const float32[] {0.5}\n %p = Pow (%x, %3)\n %a = Mul (%p, %k)\n"
                  " %b = Add (%x, %a)\n %c = Mul (%b, %q)\n %t = Tanh (%c)\n %o = Add (%t, %1)\n"
                  " %m = Mul (%x, %h)\n %y = Mul (%m, %o)\n",
                  OP_Gelu);
    CHECK_NOT(ACT, ERF "%m = Mul (%x, %o)\n %y = Mul (%m, %1)\n");
    CHECK_NOT(ACT, ERF "%z = Relu (%x)\n %m = Mul (%z, %o)\n %y = Mul (%m, %h)\n");
}

TEST(prelu_of_one_slope) {
    CHECK_BECOMES(ACT, "%s = const float32[1] {0.3}\n %y = PRelu (%x, %s)\n", OP_LeakyRelu);
    CHECK_BECOMES(ACT, "%s = const float32[1x1x1] {-2}\n %y = PRelu (%x, %s)\n", OP_LeakyRelu);
    CHECK_NOT(ACT, "%s = const float32[3x1x1] {0.3, 0.3, 0.2}\n %y = PRelu (%x, %s)\n");
}

#define MOMENTS(axes)                                                                                                  \
    "%ax = const int64" axes "\n %m = ReduceMean (%x, %ax)\n %d = Sub (%x, %m)\n %2 = const float32[] {2}\n"           \
    " %p = Pow (%d, %2)\n %v = ReduceMean (%p, %ax)\n %e = const float32[] {1e-5}\n %a = Add (%v, %e)\n"               \
    " %s = Sqrt (%a)\n"

// A scale of as many ones as a model claims that there are elements.
TEST(claimed_dims_make_no_constants) {
    CHECK_KEPT(NORM, "graph (%x: float32[1x9000000]) -> (%y) {\n " MOMENTS("[1] {-1}") " %y = Div (%d, %s)\n}");
}

TEST(layer_normalisation) {
    CHECK_BECOMES(NORM, MOMENTS("[1] {-1}") "%y = Div (%d, %s)\n", OP_LayerNormalization);
    CHECK_BECOMES(NORM, MOMENTS("[3] {1, 2, 3}") "%r = Reciprocal (%s)\n %y = Mul (%d, %r)\n", OP_LayerNormalization);
    CHECK_BECOMES(
        NORM,
        MOMENTS("[1] {3}") "%n = Div (%d, %s)\n %g = const float32[5] random(seed=1)\n"
                           " %b = const float32[1x5] random(seed=2)\n %q = Mul (%g, %n)\n %y = Add (%q, %b)\n",
        OP_LayerNormalization);
    CHECK_NOT(NORM, MOMENTS("[1] {1}") "%y = Div (%d, %s)\n"); // over channels: no op has that
    CHECK_NOT(NORM, MOMENTS("[1] {3}") "%y = Div (%x, %s)\n"); // the mean stays in
    CHECK_NOT(NORM, MOMENTS("[1] {3}") "%q = Mul (%x, %d)\n %w = ReduceMean (%q, %ax)\n %b = Add (%w, %e)\n"
                                       " %t = Sqrt (%b)\n %g = Div (%d, %t)\n %y = Sub (%g, %s)\n"); // not d d
    CHECK_NOT(NORM, "%s = const float32[5] random(seed=1)\n %n = LayerNormalization (%x, %s)\n"
                    " %k = const float32[3x1x1] {1, 2, 3}\n %y = Mul (%n, %k)\n");
    CHECK_NOT(NORM, "%s = const float32[5] random(seed=1)\n %n, %m = LayerNormalization (%x, %s)\n"
                    " %q = Mul (%n, %s)\n %y = Add (%q, %m)\n"); // the mean is wanted too
    CHECK_NOT(NORM, "%s = const float32[5] random(seed=1)\n %n, %m = LayerNormalization (%x, %s)\n"
                    " %q = Mul (%m, %s)\n %y = Add (%q, %x)\n"); // by the mean
}

TEST(instance_normalisation) {
    CHECK_BECOMES(NORM, MOMENTS("[2] {2, 3}") "%y = Div (%d, %s)\n", OP_InstanceNormalization);
}

// torch.nn.GroupNorm as PyTorch's exporter writes it (before opset 18).
TEST(group_normalisation) {
    const char *const text = "graph (%x: float32[2x6x4x4]) -> (%y) {\n"
                             " %s = const int64[3] {0, 3, -1}\n %r = Reshape (%x, %s)\n"
                             " %1 = const float32[3] {1, 1, 1}\n %0 = const float32[3] {0, 0, 0}\n"
                             " %n = InstanceNormalization (%r, %1, %0) {epsilon=0.001}\n"
                             " %t = const int64[4] {2, 6, 4, 4}\n %b = Reshape (%n, %t)\n"
                             " %g = const float32[6x1x1] random(seed=1)\n %m = Mul (%b, %g)\n"
                             " %h = const float32[6x1x1] random(seed=2)\n %y = Add (%m, %h)\n}";
    CHECK_SAME(NORM, text);
    CHECK_SAME(NULL, text);
    Graph *const graph = parse_graph(text);
    CHECK_OK(passes_run(graph, 2, NULL, NULL));
    CHECK_INT(graph->n_nodes, 1);
    CHECK_INT(graph->nodes[0]->op, OP_GroupNormalization);
    CHECK_INT(node_int(graph->nodes[0], "num_groups", 0), 3);
    graph_free(graph);
    CHECK_KEPT(NORM, "graph (%x: float32[2x6x4x4]) -> (%b) {\n" // back to another shape
                     " %s = const int64[3] {0, 3, -1}\n %r = Reshape (%x, %s)\n"
                     " %1 = const float32[3] {1, 1, 1}\n %0 = const float32[3] {0, 0, 0}\n"
                     " %n = InstanceNormalization (%r, %1, %0)\n"
                     " %t = const int64[4] {2, 6, 2, 8}\n %b = Reshape (%n, %t)\n}");
    CHECK_KEPT(NORM, "graph (%x: float32[2x6x4x4]) -> (%b) {\n" // a group that crosses batches
                     " %s = const int64[3] {4, 3, -1}\n %r = Reshape (%x, %s)\n"
                     " %1 = const float32[3] {1, 1, 1}\n %0 = const float32[3] {0, 0, 0}\n"
                     " %n = InstanceNormalization (%r, %1, %0)\n"
                     " %t = const int64[4] {2, 6, 4, 4}\n %b = Reshape (%n, %t)\n}");
}

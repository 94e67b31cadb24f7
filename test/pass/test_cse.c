#include "pass/pass_test.h"

TEST(equal_nodes_and_constants_become_one) {
    CHECK_REWRITE("cse",
                  "graph (%x: float32[2]) -> (%y) {\n %a = const float32[2] {1, 2}\n %b = const float32[2] {1, 2}\n"
                  " %p = Add (%x, %a)\n %q = Add (%x, %b)\n %r = Exp (%p)\n %s = Exp (%q)\n %y = Mul (%r, %s)\n}",
                  "graph (%x: float32[2]) -> (%y) {\n %a = const float32[2] {1, 2}\n"
                  " %p = Add (%x, %a)\n %r = Exp (%p)\n %y = Mul (%r, %r)\n}");
}

TEST(what_differs_stays_apart) {
    CHECK_KEPT("cse", "graph (%x: float32[2x2]) -> (%y) {\n"
                      " %a = const float32[2] {1, 2}\n %b = const float32[2x1] {1, 2}\n" // same bytes, another shape
                      " %p = Add (%x, %a)\n %q = Add (%x, %b)\n"
                      " %r = LeakyRelu (%p) {alpha=0.1}\n %s = LeakyRelu (%p) {alpha=0.2}\n" // another attribute
                      " %t = Exp (%q)\n %u = Log (%q)\n"                                     // another op
                      " %v = Sub (%r, %s)\n %w = Sub (%s, %r)\n"                             // another order
                      " %z = Add (%t, %u)\n %y = Max (%v, %w, %z)\n}");
    CHECK_KEPT("cse", "graph (%x: float32[2]) -> (%y) {\n %a = const float32[1] {0}\n %b = const float32[1] {-0}\n"
                      " %p = Div (%x, %a)\n %q = Div (%x, %b)\n %y = Add (%p, %q)\n}");
}

TEST(equal_outputs_stay_two) {
    CHECK_KEPT("cse", "graph (%x: float32[2]) -> (%y, %z) {\n %y = Exp (%x)\n %z = Exp (%x)\n}");
}

TEST(nodes_with_several_outputs) {
    CHECK_REWRITE("cse",
                  "graph (%x: float32[4]) -> (%y) {\n %a, %b = Split (%x) {axis=0, num_outputs=2}\n"
                  " %c, %d = Split (%x) {num_outputs=2, axis=0}\n %p = Add (%a, %d)\n %q = Add (%b, %c)\n"
                  " %y = Sub (%p, %q)\n}",
                  "graph (%x: float32[4]) -> (%y) {\n %a, %b = Split (%x) {axis=0, num_outputs=2}\n"
                  " %p = Add (%a, %b)\n %q = Add (%b, %a)\n %y = Sub (%p, %q)\n}");
}

// Only what begins alike is compared to the end.
TEST(long_constants_that_begin_alike) {
    static const char text[] = "graph (%x: float32[2000]) -> (%y) {\n"
                               " %a = const float32[2000] random(seed=1)\n %b = const float32[2000] random(seed=1)\n"
                               " %c = const float32[2000] random(seed=1)\n"
                               " %p = Add (%x, %a)\n %q = Add (%x, %b)\n %r = Add (%x, %c)\n %y = Max (%p, %q, %r)\n}";
    Graph *graph;
    bool changed = false;
    REQUIRE(graph_parse(text, strlen(text), &graph) == ST_OK);
    float *last = (float *)graph->values[graph_find(graph, "b")].constant->data + 1999;
    *last += 1;
    CHECK_OK(pass_find("cse")->run(graph, &changed));
    CHECK_INT(changed, 1);
    const ValueId a = graph_find(graph, "a"), b = graph_find(graph, "b"), p = graph_find(graph, "p");
    CHECK_INT(graph->values[p].producer->inputs[1], a);
    CHECK_INT(graph->values[graph_find(graph, "q")].producer->inputs[1], b);
    CHECK_INT(graph->values[graph_find(graph, "y")].producer->inputs[2], p); // x + c is x + a
    graph_free(graph);
}

// The loop over the passes: levels, rounds, the observer, errors.
#include "pass/pass_test.h"

static const char net[] = "graph (%x: float32[1x3x8x8]) -> (%y) {\n"
                          " %w = const float32[4x3x3x3] random(seed=1)\n %c = Conv (%x, %w)\n"
                          " %i = Identity (%c)\n %k = const float32[4x1x1] random(seed=2)\n %m = Mul (%i, %k)\n"
                          " %s = Shape (%m)\n %r = Reshape (%m, %s)\n %y = Relu (%r)\n}";

TEST(levels) {
    static const int nodes[] = {5, 3, 2}; // 0: the shape is resolved only
    for (int level = 0; level < 3; level++) {
        Graph *const graph = parse_graph(net);
        CHECK_OK(passes_run(graph, level, NULL, NULL));
        CHECK_INT(graph->n_nodes, nodes[level]);
        graph_free(graph);
    }
}

typedef struct Seen {
    int calls, changes, last_round;
    size_t bytes; // of the texts
} Seen;

static Status see(void *context, const Pass *pass, int round, bool changed, const Graph *graph) {
    Seen *const seen = context;
    Text text = {0};
    CHECK(pass_find(pass->name) == pass);
    CHECK_OK(graph_verify(graph));
    CHECK_OK(graph_print(graph, false, &text));
    seen->bytes += text.length;
    text_free(&text);
    seen->calls++;
    seen->changes += changed;
    seen->last_round = round;
    return ST_OK;
}

TEST(observer_sees_the_graph_after_each_pass) {
    size_t count;
    CHECK(pass_table(&count) != NULL);
    Seen seen = {0};
    Graph *const graph = parse_graph(net);
    CHECK_OK(passes_run(graph, 2, see, &seen));
    CHECK_INT(seen.calls, seen.last_round * (int)count);
    CHECK(seen.changes > 0 && seen.bytes > 0 && seen.last_round > 1);
    // A second run finds nothing more to do.
    Seen again = {0};
    CHECK_OK(passes_run(graph, 2, see, &again));
    CHECK_INT(again.changes, 0);
    CHECK_INT(again.last_round, 1);
    graph_free(graph);
}

static Status stop(void *context, const Pass *pass, int round, bool changed, const Graph *graph) {
    (void)context, (void)pass, (void)round, (void)changed, (void)graph;
    return fail(ST_CANCELLED, "enough");
}

TEST(observer_can_end_the_run) {
    Graph *const graph = parse_graph(net);
    CHECK_INT(passes_run(graph, 2, stop, NULL), ST_CANCELLED);
    graph_free(graph);
}

// Each allocation fails once: a status, no leak (the sanitizer build would say), no crash.
TEST(lack_of_memory) {
    for (int64_t n = 0; n < 100000; n++) {
        Graph *const graph = parse_graph(net);
        mem_fail_after(n);
        const Status status = passes_run(graph, 2, NULL, NULL);
        mem_fail_after(-1);
        graph_free(graph);
        if (status == ST_OK) {
            CHECK(n > 10);
            return;
        }
        CHECK_INT(status, ST_RESOURCE);
    }
    CHECK(!"never enough memory");
}

// No pass may look at the type of what is not there (the sanitizers see it).
TEST(a_first_output_may_be_absent) {
    static const char text[] = "graph (%x: float32[4x6]) -> (%a, %b) {\n"
                               " _, %a = Split (%x) {num_outputs=2}\n"
                               " %k = const int64[1] {2}\n"
                               " _, %b = TopK (%x, %k)\n"
                               "}";
    Graph *before = parse_graph(text), *after = parse_graph(text);
    CHECK_OK(passes_run(after, 2, NULL, NULL));
    check_same_results(__FILE__, __LINE__, before, after, 1, 0);
    graph_free(before);
    graph_free(after);
}
TEST(all_levels_agree_on_a_free_batch) {
    const char *const text = "graph (%x: float32[Nx2x8x8]) -> (%y) {\n"
                             " %w = const float32[4x2x3x3] random(seed=1)\n"
                             " %c = Conv (%x, %w) {auto_pad=\"SAME_UPPER\", strides=[2, 2]}\n %r = Relu (%c)\n"
                             " %s = Shape (%r)\n %zero = const int64[] {0}\n %a = const int64[1] {0}\n"
                             " %n = Gather (%s, %zero)\n %n1 = Unsqueeze (%n, %a)\n %m = const int64[1] {-1}\n"
                             " %t = Concat (%n1, %m) {axis=0}\n %f = Reshape (%r, %t)\n"
                             " %v = const float32[64x3] random(seed=2)\n %y = MatMul (%f, %v)\n}";
    const int64_t dims[4] = {3, 2, 8, 8};
    const Shape shape = shape_of(4, dims);
    Graph *const before = parse_graph(text);
    CHECK_OK(graph_bind(before, "x", &shape));
    CHECK_OK(graph_infer(before));
    for (int level = 0; level < 3; level++) {
        Graph *const after = parse_graph(text);
        CHECK_OK(passes_run(after, level, NULL, NULL));
        CHECK_OK(graph_bind(after, "x", &shape));
        CHECK_OK(pass_resolve_shapes(after));
        CHECK(type_is_static(&after->values[after->outputs[0]].type));
        CHECK_OK(pass_resolve_shapes(before));
        check_same_results(__FILE__, __LINE__, before, after, 7, 1e-6);
        graph_free(after);
    }
    graph_free(before);
}

#include "pass/pass_test.h"
#include "base/rng.h"
#include "reference/reference.h"

Graph *parse_graph(const char *text) {
    Graph *graph = NULL;
    CHECK_OK(graph_parse(text, strlen(text), &graph));
    return graph;
}

bool run_pass(Graph *graph, const char *name) {
    const Pass *const pass = pass_find(name);
    bool changed = false;
    REQUIRE(pass != NULL);
    CHECK_OK(pass->run(graph, &changed));
    CHECK_OK(graph_compact(graph));
    CHECK_OK(graph_infer(graph));
    CHECK_OK(graph_verify(graph));
    return changed;
}

static void print(const Graph *graph, Text *text) { CHECK_OK(graph_print(graph, true, text)); }

static void compare(const char *file, int line, const Graph *got, const Graph *expected) {
    Text a = {0}, b = {0};
    print(got, &a);
    print(expected, &b);
    if (strcmp(text_get(&a), text_get(&b))) test_failed(file, line, "got\n%sexpected\n%s", text_get(&a), text_get(&b));
    text_free(&a);
    text_free(&b);
}

void check_rewrite(const char *file, int line, const char *pass, const char *before, const char *after) {
    Graph *const graph = parse_graph(before), *const expected = parse_graph(after ? after : before);
    const bool changed = run_pass(graph, pass);
    compare(file, line, graph, expected);
    if (changed != (after != NULL)) test_failed(file, line, "%s says changed = %d", pass, changed);
    graph_free(graph);
    graph_free(expected);
}

void check_rewrite_level(const char *file, int line, int level, const char *before, const char *after) {
    Graph *const graph = parse_graph(before), *const expected = parse_graph(after);
    CHECK_OK(passes_run(graph, level, NULL, NULL));
    compare(file, line, graph, expected);
    graph_free(graph);
    graph_free(expected);
}

static void random_tensor(Arena *arena, Rng *rng, const Type *type, Tensor *out) {
    REQUIRE(type_is_static(type));
    CHECK_OK(tensor_make(arena, type->dtype, type_shape(type), out));
    for (int64_t i = 0; i < tensor_count(out); i++) {
        if (dtype_is_float(type->dtype)) tensor_set(out, i, rng_normal(rng));
        else tensor_set_int(out, i, (int64_t)rng_below(rng, type->dtype == DT_BOOL ? 2 : 10));
    }
}

static void check_ports(const char *file, int line, const Graph *a, const Graph *b) {
    if (a->n_inputs != b->n_inputs || a->n_outputs != b->n_outputs) {
        test_failed(file, line, "inputs or outputs were lost");
        test_end();
    }
    for (int i = 0; i < a->n_outputs; i++) {
        const Value *const x = &a->values[a->outputs[i]], *const y = &b->values[b->outputs[i]];
        if (strcmp(x->name, y->name)) test_failed(file, line, "output '%s' is now '%s'", x->name, y->name);
        if (type_is_static(&x->type) && !type_equal(&x->type, &y->type))
            test_failed(file, line, "output '%s' has another type", x->name);
    }
    for (int i = 0; i < a->n_inputs; i++)
        if (strcmp(a->values[a->inputs[i]].name, b->values[b->inputs[i]].name))
            test_failed(file, line, "input '%s' is now another", a->values[a->inputs[i]].name);
}

void check_same_results(const char *file, int line, const Graph *before, const Graph *after, uint64_t seed,
                        double tolerance) {
    Arena arena = {0};
    Rng rng;
    rng_seed(&rng, seed);
    check_ports(file, line, before, after);
    Tensor *const inputs = arena_array(&arena, (size_t)before->n_inputs + 1, sizeof(Tensor));
    Tensor *const a = arena_array(&arena, (size_t)before->n_outputs, sizeof(Tensor));
    Tensor *const b = arena_array(&arena, (size_t)before->n_outputs, sizeof(Tensor));
    REQUIRE(inputs && a && b);
    for (int i = 0; i < before->n_inputs; i++)
        random_tensor(&arena, &rng, &before->values[before->inputs[i]].type, &inputs[i]);
    CHECK_OK(reference_run(before, inputs, a, &arena, NULL, NULL));
    CHECK_OK(reference_run(after, inputs, b, &arena, NULL, NULL));
    for (int i = 0; i < before->n_outputs; i++) {
        Comparison c;
        CHECK_OK(tensor_compare(&b[i], &a[i], 0, 0, &c));
        if (c.outside && !(c.rms_rel <= tolerance))
            test_failed(file, line, "output '%s': error %g (max %g), expected at most %g",
                        before->values[before->outputs[i]].name, c.rms_rel, c.max_abs, tolerance);
    }
    arena_free(&arena);
}

void check_same_text(const char *file, int line, const char *pass, const char *text, double tolerance) {
    Graph *const before = parse_graph(text), *const after = parse_graph(text);
    if (!pass) CHECK_OK(passes_run(after, 2, NULL, NULL));
    else if (!run_pass(after, pass)) test_failed(file, line, "%s changed nothing", pass);
    for (uint64_t seed = 1; seed <= 3; seed++) check_same_results(file, line, before, after, seed, tolerance);
    graph_free(before);
    graph_free(after);
}

int count_ops(const Graph *graph, Op op) {
    int count = 0;
    for (int i = 0; i < graph->n_nodes; i++) count += !graph->nodes[i]->dead && graph->nodes[i]->op == op;
    return count;
}

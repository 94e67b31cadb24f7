#include "gives.h"

Graph *parse_or_end(const char *text) {
    Graph *graph = NULL;
    if (graph_parse(text, strlen(text), &graph) != ST_OK) {
        test_failed(__FILE__, __LINE__, "%s\n%s", error_message(), text);
        test_end();
    }
    return graph;
}

static bool element_nearly_equal(double a, double b, double tolerance) {
    if (isnan(a) || isnan(b)) return isnan(a) && isnan(b);
    return a == b || fabs(a - b) <= tolerance * (1 + fabs(b));
}

bool nearly_equal(const Tensor *a, const Tensor *b, double tolerance) {
    if (!shape_equal(&a->shape, &b->shape)) return false;
    for (int64_t i = 0; i < tensor_count(a); i++) {
        const bool whole = !dtype_is_float(a->dtype) && !dtype_is_float(b->dtype);
        if (whole && tensor_get_int(a, i) != tensor_get_int(b, i)) return false;
        if (!whole && !element_nearly_equal(tensor_get(a, i), tensor_get(b, i), tolerance)) return false;
    }
    return true;
}

static void print_tensor(Text *text, const Tensor *tensor) {
    text_add(text, "%s ", dtype_name(tensor->dtype));
    shape_print(text, &tensor->shape);
    text_add(text, " {");
    for (int64_t i = 0; i < tensor_count(tensor) && i < 64; i++) {
        text_add(text, "%s", i ? ", " : "");
        if (dtype_is_float(tensor->dtype)) text_float(text, (float)tensor_get(tensor, i));
        else text_add(text, "%lld", (long long)tensor_get_int(tensor, i));
    }
    text_add(text, "}");
}

static void report(const char *file, int line, const char *what, const Tensor *got, const Tensor *expected) {
    Text words = {0};
    text_add(&words, "%s: got ", what);
    print_tensor(&words, got);
    text_add(&words, ", expected ");
    print_tensor(&words, expected);
    test_failed(file, line, "%s", text_get(&words));
    text_free(&words);
}

static Graph *case_graph(const char *before, const char *statements, const char *value, const char *expected) {
    Text text = {0};
    text_add(&text, "graph () -> (%%%s, %%expected) {\n%s\n%s\n%%expected = const %s\n}\n", value, before, statements,
             expected);
    Graph *const graph = parse_or_end(text_get(&text));
    text_free(&text);
    return graph;
}

void check_gives(const char *file, int line, const char *before, const char *statements, const char *value,
                 const char *expected, double tolerance, bool wide) {
    Graph *const graph = case_graph(before, statements, value, expected);
    Arena arena = {0};
    Tensor out[2], out_wide[2];
    if (reference_run(graph, NULL, out, &arena, NULL, NULL) != ST_OK) test_failed(file, line, "%s", error_message());
    else if (out[0].dtype != out[1].dtype || !nearly_equal(&out[0], &out[1], tolerance))
        report(file, line, "as it is", &out[0], &out[1]);
    if (wide && reference_run_double(graph, NULL, out_wide, &arena, NULL, NULL) != ST_OK)
        test_failed(file, line, "float64: %s", error_message());
    else if (wide && (out_wide[0].dtype != out_wide[1].dtype || !nearly_equal(&out_wide[0], &out_wide[1], tolerance)))
        report(file, line, "float64", &out_wide[0], &out_wide[1]);
    arena_free(&arena);
    graph_free(graph);
}

void check_refuses(const char *file, int line, const char *statements, Status status, const char *part) {
    Graph *const graph = case_graph("", statements, "y", "int64[0] {}");
    Arena arena = {0};
    Tensor out[2];
    const Status got = reference_run(graph, NULL, out, &arena, NULL, NULL);
    if (got != status) test_failed(file, line, "expected status %d, got %d", status, got);
    else if (!strstr(error_message(), part)) test_failed(file, line, "expected \"%s\" in: %s", part, error_message());
    arena_free(&arena);
    graph_free(graph);
}

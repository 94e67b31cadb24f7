// Imports a graph with an input x, runs it by the reference, and compares what comes out.
#pragma once
#include "import/tensorflow_writer.h"
#include "pass/pass.h"
#include "reference/reference.h"

static inline Shape shape_of_text(const char *dims) { // "1,4,4"; "" scalar
    Shape shape = {0};
    for (const char *at = dims; *at;) {
        shape.dim[shape.rank++] = atoll(at);
        at += strcspn(at, ",");
        at += *at == ',';
    }
    return shape;
}

// Numbers that differ from place to place, exact in float32, some of them negative.
static inline float *made_floats(size_t count, int seed) {
    float *values = calloc(count + 1, sizeof *values);
    REQUIRE(values);
    for (size_t i = 0; i < count; i++) values[i] = (float)((int)((i * 7 + (size_t)seed * 5) % 23) - 9) / 4;
    return values;
}

// Runs the graph of the file; the output is in `arena`.
static inline Tensor run_model(const char *path, const ImportOptions *options, const char *dims, const float *x,
                               Arena *arena) {
    Imported model;
    Tensor y, input = {.dtype = DT_F32, .shape = shape_of_text(dims), .data = (void *)(uintptr_t)x};
    CHECK_OK(import_model(path, options, &model));
    CHECK_INT(model.graph->n_outputs, 1);
    REQUIRE(model.graph->n_inputs <= 1);
    CHECK_OK(reference_run(model.graph, &input, &y, arena, NULL, NULL));
    import_free(&model);
    return y;
}

static inline void check_tensor(const Tensor *y, const char *dims, const double *expected) {
    const Shape shape = shape_of_text(dims);
    Text got = {0};
    shape_print(&got, &y->shape);
    CHECK_MSG(shape_equal(&shape, &y->shape), "expected a shape of %s, got %s", dims, text_get(&got));
    text_free(&got);
    for (int64_t i = 0; shape_equal(&shape, &y->shape) && i < tensor_count(y); i++)
        CHECK_MSG(fabs(tensor_get(y, i) - expected[i]) <= 1e-5 * (1 + fabs(expected[i])),
                  "element %lld: expected %g, got %g", (long long)i, expected[i], tensor_get(y, i));
}

// y of the graph file for x. NULL x: the graph has no input.
static inline void check_graph(TfWriter *tf, const char *x_dims, const float *x, const char *y_dims,
                               const double *expected) {
    Arena arena = {0};
    const Tensor y = run_model(tf_save_graph(tf, "graph.pb"), NULL, x_dims, x, &arena);
    check_tensor(&y, y_dims, expected);
    arena_free(&arena);
}

// One node y of x (and of what is in the file already).
static inline void check_node(TfWriter *tf, const char *op, const char *inputs, const char *attrs, const char *x_dims,
                              const float *x, const char *y_dims, const double *expected) {
    tf_placeholder(tf, "x", x_dims);
    tf_node(tf, op, "y", inputs, attrs);
    check_graph(tf, x_dims, x, y_dims, expected);
}

static inline void refuse_graph(TfWriter *tf, Status status, const char *words) {
    check_refused_with(tf_save_graph(tf, "graph.pb"), NULL, status, words);
}
static inline void refuse_node(TfWriter *tf, const char *op, const char *inputs, const char *attrs, const char *x_dims,
                               Status status, const char *words) {
    tf_placeholder(tf, "x", x_dims);
    tf_node(tf, op, "y", inputs, attrs);
    refuse_graph(tf, status, words);
}

// Imports a model and runs it, by the reference.
#pragma once
#include "import/import.h"
#include "import/onnx_check.h"
#include "reference/reference.h"
#include <math.h>

// The values of all inputs one behind the other, open dims as 1; the values of all outputs.
static inline void check_run(const char *path, const float *x, const float *expected, size_t count) {
    Imported model;
    Arena arena = {0};
    Tensor inputs[8], outputs[8];
    CHECK_OK(import_model(path, NULL, &model));
    const Graph *graph = model.graph;
    REQUIRE(graph->n_inputs <= 8 && graph->n_outputs <= 8);
    for (int i = 0; i < graph->n_inputs; i++) {
        const Type *type = &graph->values[graph->inputs[i]].type;
        Shape shape = {.rank = type->rank};
        for (int k = 0; k < type->rank; k++) shape.dim[k] = MAX(type->dim[k], 1);
        CHECK_OK(tensor_make(&arena, type->dtype, shape, &inputs[i]));
        for (int64_t k = 0; k < tensor_count(&inputs[i]); k++) tensor_set(&inputs[i], k, *x++);
    }
    CHECK_OK(reference_run(graph, inputs, outputs, &arena, NULL, NULL));
    size_t at = 0;
    for (int i = 0; i < graph->n_outputs; i++) {
        for (int64_t k = 0; k < tensor_count(&outputs[i]); k++, at++) {
            const double got = tensor_get(&outputs[i], k);
            if (at < count)
                CHECK_MSG(fabs(got - expected[at]) <= 1e-5 * (1 + fabs(expected[at])),
                          "output %zu: got %g, expected %g", at, got, expected[at]);
        }
    }
    CHECK_INT(at, count);
    arena_free(&arena);
    import_free(&model);
}
#define FLOATS(...) ((const float[]){__VA_ARGS__})
#define CHECK_RUN(path, x, ...) check_run(path, x, FLOATS(__VA_ARGS__), COUNT_OF(FLOATS(__VA_ARGS__)))

// The shape of the first output, where open dims stand as 0.
static inline void check_shape(const char *path, const char *expected) {
    Imported model;
    Text text = {0};
    CHECK_OK(import_model(path, NULL, &model));
    const Type *type = &model.graph->values[model.graph->outputs[0]].type;
    for (int i = 0; i < type->rank; i++) text_add(&text, "%s%lld", i ? "x" : "", (long long)MAX(type->dim[i], 0));
    CHECK_TEXT(text_get(&text), expected);
    text_free(&text);
    import_free(&model);
}

// Imports a small file, runs it with the reference evaluator, compares.
#pragma once
#include "import/import.h"
#include "import/tflite_writer.h"
#include "reference/reference.h"

enum { MOST_NUMBERS = 4096 };

// The i-th number that inputs are filled with: small, of both signs, none like its neighbours.
static inline double test_number(int64_t i) { return (double)((i * 37 + 11) % 23 - 11) / 4; }

static inline void fill_input(const Graph *graph, int i, Arena *arena, Tensor *out) {
    const Type *type = &graph->values[graph->inputs[i]].type;
    Shape shape = {.rank = type->rank};
    for (int k = 0; k < type->rank; k++) shape.dim[k] = type->dim[k] < 0 ? 1 : type->dim[k];
    CHECK_OK(tensor_make(arena, type->dtype, shape, out));
    for (int64_t k = 0; k < tensor_count(out); k++) {
        const double number = test_number(k + 5 * i);
        if (dtype_is_float(type->dtype)) tensor_set(out, k, number);
        else tensor_set_int(out, k, (int64_t)(number * 4) + (type->dtype == DT_U8 ? 20 : 0));
    }
}

// Runs the model on such inputs. Results live in `arena`; free the model behind it.
static inline void run_model(const char *path, Arena *arena, Imported *model, Tensor *inputs, Tensor *outputs) {
    CHECK_OK(import_model(path, NULL, model));
    for (int i = 0; i < model->graph->n_inputs; i++) fill_input(model->graph, i, arena, &inputs[i]);
    CHECK_OK(reference_run(model->graph, inputs, outputs, arena, NULL, NULL));
}

static inline void check_close(const Tensor *got, const double *expected, int64_t count, double tolerance) {
    CHECK_INT(tensor_count(got), count);
    for (int64_t i = 0; i < count && i < tensor_count(got); i++) {
        const double value = tensor_get(got, i);
        const bool close = fabs(value - expected[i]) <= tolerance * (1 + fabs(expected[i]));
        CHECK_MSG(close, "element %lld: expected %.9g, got %.9g", (long long)i, expected[i], value);
        if (!close) break;
    }
}

// What the file's only output has to be: its shape ("1x2x2x1") and its numbers.
static inline void check_gives(TfliteFile *file, const char *shape, const double *expected) {
    Imported model;
    Arena arena = {0};
    Tensor inputs[MOST_ENDS], outputs[MOST_ENDS];
    Shape wanted = {0};
    Text text = {0};
    REQUIRE(strcmp(shape, "scalar") == 0 || shape_parse(shape, &wanted));
    run_model(tflite_save(file, "model.tflite"), &arena, &model, inputs, outputs);
    shape_print(&text, &outputs[0].shape);
    CHECK_TEXT(text_get(&text), shape);
    check_close(&outputs[0], expected, shape_count(&wanted), 1e-6);
    text_free(&text);
    arena_free(&arena);
    import_free(&model);
}
#define GIVES(file, shape, ...) check_gives(file, shape, (const double[]){__VA_ARGS__})

// One operator on x, a float32 input of that shape that is given as the numbers of test_number, to y.
typedef struct OneOp {
    TfliteFile file;
    int x, y;
} OneOp;
static inline OneOp one_op(const char *dims, int type_out) {
    OneOp one = {.file = tflite_file()};
    one.x = tflite_tensor(&one.file, "x", T_FLOAT32, dims);
    one.y = tflite_tensor(&one.file, "y", type_out, "1"); // shapes in between are not looked at
    tflite_ends(&one.file, &one.x, 1, &one.y, 1);
    return one;
}

// The import has to fail so, with all of these words ("a|b") in its message, which begins with the path.
static inline void check_refused(TfliteFile *file, Status status, const char *words) {
    Imported model;
    const char *path = tflite_save(file, "refused.tflite");
    error_clear();
    const Status got = import_model(path, NULL, &model);
    CHECK_MSG(got == status, "expected status %d, got %d: %s", status, got, error_message());
    CHECK(model.graph == NULL && model.mappings == NULL && model.n_mappings == 0);
    CHECK_MSG(got == ST_OK || text_starts(error_message(), path), "no path in: %s", error_message());
    for (const char *at = words; *at; at += *at == '|') {
        char word[128];
        const size_t length = strcspn(at, "|");
        REQUIRE(length < sizeof word);
        memcpy(word, at, length);
        word[length] = 0;
        CHECK_MSG(strstr(error_message(), word), "expected '%s' in: %s", word, error_message());
        at += length;
    }
    import_free(&model);
}

// Imports a small TorchScript file, runs it with the reference evaluator and says what came out, in a line:
//     output 2x3 {1 2 3 4 5 6}; mask 1x1 bool {1}
// Inputs are 1, 2, 3 ...
#pragma once
#include "import/import.h"
#include "import/script_writer.h"
#include "pass/pass.h"
#include "reference/reference.h"

enum { MOST_SCRIPT_ENDS = 8 };

static inline Status script_import_shape(const char *path, const char *shape, Imported *model) {
    InputShape input = {0};
    REQUIRE(shape_parse(shape, &input.shape));
    const ImportOptions options = {.inputs = &input, .n_inputs = 1, .resolve = pass_resolve_shapes};
    error_clear();
    return import_model(path, &options, model);
}

static inline void say_outputs(const Graph *graph, const Tensor *outputs, Text *text) {
    for (int i = 0; i < graph->n_outputs; i++) {
        text_add(text, "%s%s ", i ? "; " : "", graph->values[graph->outputs[i]].name);
        shape_print(text, &outputs[i].shape);
        if (outputs[i].dtype != DT_F32) text_add(text, " %s", dtype_name(outputs[i].dtype));
        text_add(text, " {");
        for (int64_t k = 0; k < tensor_count(&outputs[i]) && k < 64; k++)
            text_add(text, "%s%g", k ? " " : "", tensor_get(&outputs[i], k));
        text_add(text, "}");
    }
}

static inline void run_imported(const Imported *model, Text *text) {
    Arena arena = {0};
    Tensor inputs[MOST_SCRIPT_ENDS], outputs[MOST_SCRIPT_ENDS];
    const Graph *graph = model->graph;
    REQUIRE(graph->n_inputs <= MOST_SCRIPT_ENDS && graph->n_outputs <= MOST_SCRIPT_ENDS);
    for (int i = 0; i < graph->n_inputs; i++) {
        const Type *type = &graph->values[graph->inputs[i]].type;
        REQUIRE(type_is_static(type));
        CHECK_OK(tensor_make(&arena, type->dtype, type_shape(type), &inputs[i]));
        for (int64_t k = 0; k < tensor_count(&inputs[i]); k++) tensor_set(&inputs[i], k, (double)(k + 1));
    }
    CHECK_OK(reference_run(graph, inputs, outputs, &arena, NULL, NULL));
    say_outputs(graph, outputs, text);
    arena_free(&arena);
}

// Drops what is made.
static inline void check_script(ScriptMade *made, const char *shape, const char *expected) {
    Imported model;
    Text text = {0};
    const Status status = script_import_shape(script_zip(made, "net.pt"), shape, &model);
    CHECK_MSG(status == ST_OK, "status %d: %s", status, error_message());
    if (status == ST_OK) {
        run_imported(&model, &text);
        CHECK_TEXT(text_get(&text), expected);
    }
    text_free(&text);
    import_free(&model);
    script_drop(made);
}

// The body of forward; x has the shape. GIVES("2", "return torch.add(x, 1)\n", "output 2 {2 3}")
static inline void check_body(const char *shape, const char *body, const char *expected) {
    ScriptMade made = script_net(body);
    check_script(&made, shape, expected);
}

// All words ("a|b") in its message, which is one line and begins with the path.
static inline void check_message(const char *path, const char *words) {
    CHECK_MSG(text_starts(error_message(), path), "no path in: %s", error_message());
    CHECK(!strchr(error_message(), '\n'));
    for (const char *at = words; *at; at += *at == '|') {
        char word[256];
        const size_t length = strcspn(at, "|");
        REQUIRE(length < sizeof word);
        memcpy(word, at, length);
        word[length] = 0;
        CHECK_MSG(strstr(error_message(), word), "expected '%s' in: %s", word, error_message());
        at += length;
    }
}

static inline void check_script_fails(ScriptMade *made, Status status, const char *words) {
    Imported model;
    const char *path = script_zip(made, "refused.pt");
    const Status got = script_import_shape(path, "2", &model);
    CHECK_MSG(got == status, "expected status %d, got %d: %s", status, got, error_message());
    if (got != ST_OK) check_message(path, words);
    import_free(&model);
    script_drop(made);
}

static inline void check_body_fails(const char *body, Status status, const char *words) {
    ScriptMade made = script_net(body);
    check_script_fails(&made, status, words);
}

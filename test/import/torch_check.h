// Reads a state_dict from a file and says it in a line:  a 2x3 {1 2 3 4 5 6}; b int64 scalar {7}
#pragma once
#include "import/limits.h"
#include "import/torch/state.h"
#include "import/torch_writer.h"

typedef struct Loaded {
    Imported imported;
    Arena scratch;
    TorchState state;
} Loaded;

static inline Status torch_load_file(const char *path, Loaded *out) {
    *out = (Loaded){.scratch = {.limit = (size_t)LIMIT_DESCRIPTION_BYTES}};
    error_clear();
    Status status = import_map(&out->imported, path);
    if (status == ST_OK) status = graph_create(&out->imported.graph);
    if (status == ST_OK) status = torch_read_state(&out->imported, &out->scratch, &out->state);
    return import_intact(&out->imported, status);
}
static inline void torch_unload(Loaded *loaded) {
    arena_free(&loaded->scratch);
    import_free(&loaded->imported);
}

static inline Text say_state(const TorchState *state) {
    Text text = {0};
    for (size_t i = 0; i < state->n_tensors; i++) {
        const Tensor *tensor = &state->tensors[i].tensor;
        text_add(&text, "%s%s ", i ? "; " : "", state->tensors[i].name);
        if (tensor->dtype != DT_F32) text_add(&text, "%s ", dtype_name(tensor->dtype));
        shape_print(&text, &tensor->shape);
        text_add(&text, " {");
        for (int64_t k = 0; k < tensor_count(tensor) && k < 64; k++)
            text_add(&text, "%s%g", k ? " " : "", tensor_get(tensor, k));
        text_add(&text, "}");
    }
    return text;
}

// Every tensor is found by its name, and its numbers can be read to the last.
static inline void check_whole(const TorchState *state) {
    volatile double sum = 0;
    for (size_t i = 0; i < state->n_tensors; i++) {
        const TorchTensor *tensor = &state->tensors[i];
        const int64_t count = tensor_count(&tensor->tensor);
        CHECK(torch_find(state, tensor->name) == &tensor->tensor);
        if (count > 0) sum = sum + tensor_get(&tensor->tensor, 0) + tensor_get(&tensor->tensor, count - 1);
    }
    CHECK(torch_find(state, "no such name") == NULL);
}

static inline void check_loaded(const char *path, const char *expected, const char *notes) {
    Loaded loaded;
    const Status status = torch_load_file(path, &loaded);
    CHECK_MSG(status == ST_OK, "status %d: %s", status, error_message());
    if (status == ST_OK) {
        Text text = say_state(&loaded.state);
        CHECK_TEXT(text_get(&text), expected);
        CHECK_TEXT(text_get(&loaded.imported.notes), notes);
        check_whole(&loaded.state);
        text_free(&text);
    }
    torch_unload(&loaded);
}

// Both forms of the file give this; drops it.
static inline void check_state(TorchMade *made, const char *expected, const char *notes) {
    check_loaded(torch_zip(made, "new.pth"), expected, notes);
    check_loaded(torch_row(made, "old.pth"), expected, notes);
    torch_drop(made);
}

static inline void check_load_fails(const char *path, Status expected, const char *words) {
    Loaded loaded;
    const Status status = torch_load_file(path, &loaded);
    CHECK_MSG(status == expected && strstr(error_message(), words), "expected status %d with '%s', got %d: %s",
              expected, words, status, error_message());
    torch_unload(&loaded);
}
// Both forms are refused so; drops it.
static inline void check_state_fails(TorchMade *made, Status expected, const char *words) {
    check_load_fails(torch_zip(made, "new.pth"), expected, words);
    check_load_fails(torch_row(made, "old.pth"), expected, words);
    torch_drop(made);
}

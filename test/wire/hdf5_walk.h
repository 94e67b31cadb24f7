// Everything in an HDF5 file that the interface can ask for: for tests and fuzzing.
#pragma once
#include "wire/hdf5.h"
#include <string.h>

enum { H5_WALK_DEPTH = 4, H5_WALK_OBJECTS = 200 };

typedef struct H5Walk {
    Status status; // the first that was not ST_OK
    int objects, tensors, texts;
    char message[1024];
} H5Walk;

static inline bool h5_walk_note(H5Walk *walk, Status status) {
    if (status != ST_OK && walk->status == ST_OK) {
        walk->status = status;
        strncpy(walk->message, error_message(), sizeof walk->message - 1);
    }
    return status == ST_OK;
}

static inline void h5_walk_attributes(H5Walk *walk, const H5Object *object) {
    static const char *const names[] = {"a", "b", "model_config", "layer_names", "weight_names", "keras_version"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        const char *text, **texts;
        size_t count;
        Tensor tensor;
        bool found;
        if (h5_attr_text(object, names[i], &text) == ST_OK && text) walk->texts += strlen(text) < SIZE_MAX;
        else error_clear(); // it may be a list, or numbers
        if (h5_attr_tensor(object, names[i], &tensor, &found) == ST_OK && found) walk->tensors++;
        else error_clear();
        if (h5_attr_texts(object, names[i], &texts, &count) == ST_OK && texts) walk->texts += (int)count;
        else error_clear();
    }
}

static inline void h5_walk_object(H5Walk *walk, const H5Object *object, int depth) {
    const char **names;
    size_t count;
    if (++walk->objects > H5_WALK_OBJECTS) return;
    h5_walk_attributes(walk, object);
    if (h5_is_dataset(object)) {
        Tensor tensor;
        if (h5_walk_note(walk, h5_tensor(object, &tensor)))
            for (int64_t i = 0; i < tensor_count(&tensor) && i < 1000; i++)
                walk->tensors += tensor_get(&tensor, i) > 1e9;
        walk->tensors++;
        return;
    }
    if (depth == H5_WALK_DEPTH || !h5_walk_note(walk, h5_names(object, &names, &count))) return;
    for (size_t i = 0; i < count && walk->objects < H5_WALK_OBJECTS; i++) {
        H5Object child;
        bool found;
        if (h5_walk_note(walk, h5_find(object, names[i], &child, &found)) && found)
            h5_walk_object(walk, &child, depth + 1);
    }
}

// The bytes from start to end; frees all.
static inline H5Walk h5_walk(const void *bytes, size_t size) {
    H5Walk walk = {.status = ST_OK};
    Arena arena = {0};
    H5Object root;
    error_clear();
    if (h5_walk_note(&walk, h5_open(&arena, bytes, size, &root))) h5_walk_object(&walk, &root, 0);
    arena_free(&arena);
    return walk;
}

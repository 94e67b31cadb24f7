// A state_dict made in a test: tensors by name and shape, small numbers in them.
#pragma once
#include "import/torch/state.h"
#include "test.h"
#include <stdarg.h>

enum { MADE_TENSORS = 1024, NAME = 256 };

typedef struct Made {
    Arena arena;
    TorchTensor tensors[MADE_TENSORS];
    const TorchTensor *by_name[MADE_TENSORS];
    size_t count;
    const char *prefix; // what stood in front of all names
    int spatial;        // dims of kernels
    bool batch_norm;    // norms have running statistics
} Made;

// snprintf into a name.
__attribute__((format(printf, 2, 3))) static inline void named(char name[NAME], const char *format, ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(name, NAME, format, args);
    va_end(args);
}

static inline Made *made_new(int spatial, bool batch_norm) {
    Made *made = mem_zero(1, sizeof *made);
    REQUIRE(made);
    made->spatial = spatial;
    made->batch_norm = batch_norm;
    return made;
}

static inline void made_free(Made *made) {
    arena_free(&made->arena);
    mem_free(made);
}

static inline Tensor *made_add(Made *made, DType dtype, const char *name, int rank, const int64_t *dims) {
    REQUIRE(made->count < MADE_TENSORS);
    TorchTensor *entry = &made->tensors[made->count++];
    entry->name = arena_string(&made->arena, name);
    CHECK_OK(tensor_make(&made->arena, dtype, shape_of(rank, dims), &entry->tensor));
    const int64_t count = tensor_count(&entry->tensor);
    for (int64_t i = 0; i < count; i++)
        tensor_set(&entry->tensor, i, 0.125 * (double)((i * 7 + (int64_t)made->count) % 11));
    return &entry->tensor;
}

// Sequential numbers in names: put(made, 4, "enc%d.0.bias", 1).
__attribute__((format(printf, 3, 4))) static inline void put(Made *made, int64_t count, const char *format, ...) {
    char name[NAME];
    va_list args;
    va_start(args, format);
    vsnprintf(name, sizeof name, format, args);
    va_end(args);
    made_add(made, DT_F32, name, 1, &count);
}

// "PREFIX.weight" of (a, b, k...) and, with `bias` channels above 0, "PREFIX.bias". kernel: digits by dim, or one for
// all.
static inline void put_kernel(Made *made, const char *prefix, int64_t a, int64_t b, const char *kernel, int64_t bias) {
    char name[NAME];
    int64_t dims[5] = {a, b};
    for (int i = 0; i < made->spatial; i++) dims[2 + i] = kernel[strlen(kernel) > 1 ? i : 0] - '0';
    named(name, "%s.weight", prefix);
    made_add(made, DT_F32, name, 2 + made->spatial, dims);
    if (bias > 0) put(made, bias, "%s.bias", prefix);
}

static inline void put_conv(Made *made, const char *prefix, int64_t oc, int64_t ic, const char *kernel) {
    put_kernel(made, prefix, oc, ic, kernel, oc);
}

static inline void put_up(Made *made, const char *prefix, int64_t ic, int64_t oc, const char *kernel) {
    put_kernel(made, prefix, ic, oc, kernel, oc);
}

static inline void put_norm(Made *made, const char *prefix, int64_t channels) {
    char name[NAME];
    put(made, channels, "%s.weight", prefix);
    put(made, channels, "%s.bias", prefix);
    if (!made->batch_norm) return;
    put(made, channels, "%s.running_mean", prefix);
    put(made, channels, "%s.running_var", prefix);
    named(name, "%s.num_batches_tracked", prefix);
    made_add(made, DT_I64, name, 0, NULL);
}

static inline int compare_names(const void *a, const void *b) {
    return strcmp((*(const TorchTensor *const *)a)->name, (*(const TorchTensor *const *)b)->name);
}

static inline TorchState made_state(Made *made) {
    for (size_t i = 0; i < made->count; i++) made->by_name[i] = &made->tensors[i];
    qsort(made->by_name, made->count, sizeof made->by_name[0], compare_names);
    return (TorchState){
        .tensors = made->tensors, .n_tensors = made->count, .by_name = made->by_name, .prefix = made->prefix};
}

static inline TorchTensor *made_find(Made *made, const char *name) {
    for (size_t i = 0; i < made->count; i++) {
        if (strcmp(made->tensors[i].name, name) == 0) return &made->tensors[i];
    }
    test_failed(__FILE__, __LINE__, "no tensor '%s'", name);
    test_end();
}

static inline void made_remove(Made *made, const char *name) { *made_find(made, name) = made->tensors[--made->count]; }

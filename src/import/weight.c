#include "import/weight.h"
#include <string.h>

enum { SMALL_BYTES = 4096 };

static bool can_stay(DType dtype, const uint8_t *bytes, size_t size) {
    return size > SMALL_BYTES && (uintptr_t)bytes % dtype_size(dtype) == 0 && dtype != DT_BOOL;
}

static void normalise_bools(Tensor *tensor, size_t bytes) {
    uint8_t *flags = tensor->data;
    for (size_t i = 0; tensor->dtype == DT_BOOL && i < bytes; i++) flags[i] = flags[i] != 0;
}

Status weight_tensor(Arena *arena, DType dtype, const Shape *shape, const uint8_t *bytes, size_t size, Tensor *out) {
    const int64_t count = shape_count(shape);
    size_t expected;
    FAIL_IF(count < 0 || !mul_size((size_t)count, dtype_size(dtype), &expected), ST_BAD,
            "expected dims that fit in memory, got a negative one or too large ones");
    FAIL_IF(size != expected, ST_BAD, "expected %zu bytes of data, got %zu", expected, size);
    if (can_stay(dtype, bytes, size)) {
        *out = (Tensor){.dtype = dtype, .shape = *shape, .data = (void *)(uintptr_t)bytes};
        return ST_OK;
    }
    TRY(tensor_make(arena, dtype, *shape, out));
    if (size > 0) memcpy(out->data, bytes, size);
    normalise_bools(out, size);
    return ST_OK;
}

Status weight_as_float(Arena *arena, const Tensor *tensor, Tensor *out) {
    const Tensor from = *tensor;
    *out = from;
    if (from.dtype == DT_F32) return ST_OK;
    TRY(tensor_make(arena, DT_F32, from.shape, out));
    const int64_t count = tensor_count(out);
    for (int64_t i = 0; i < count; i++) tensor_set(out, i, tensor_get(&from, i));
    return ST_OK;
}

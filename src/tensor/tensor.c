#include "tensor/tensor.h"
#include <assert.h>
#include <math.h>
#include <string.h>

int64_t tensor_count(const Tensor *tensor) { return shape_count(&tensor->shape); }

// False when the shape is impossible or its bytes can't be counted.
static bool checked_bytes(DType dtype, const Shape *shape, size_t *bytes) {
    int64_t count = shape_count(shape);
    return count >= 0 && mul_size((size_t)count, dtype_size(dtype), bytes) && *bytes <= PTRDIFF_MAX;
}

size_t tensor_bytes(const Tensor *tensor) {
    size_t bytes;
    return checked_bytes(tensor->dtype, &tensor->shape, &bytes) ? bytes : 0;
}

Status tensor_make(Arena *arena, DType dtype, Shape shape, Tensor *out) {
    size_t bytes;
    assert(dtype != DT_NONE);
    if (!checked_bytes(dtype, &shape, &bytes)) {
        Text text = {0};
        shape_print(&text, &shape);
        Status status = fail(ST_BAD, "expected a shape of possible size, got %s", text_get(&text));
        text_free(&text);
        return status;
    }
    void *data = arena_alloc(arena, bytes);
    if (!data) return fail_memory(bytes);
    *out = (Tensor){dtype, shape, data};
    return ST_OK;
}

// ---- elements ----

double tensor_get(const Tensor *tensor, int64_t i) {
    switch (tensor->dtype) {
    case DT_F16: return (double)f16_to_f32(((const uint16_t *)tensor->data)[i]);
    case DT_BF16: return (double)bf16_to_f32(((const uint16_t *)tensor->data)[i]);
    case DT_F32: return (double)((const float *)tensor->data)[i];
    case DT_F64: return ((const double *)tensor->data)[i];
    case DT_U64: return (double)((const uint64_t *)tensor->data)[i];
    default: return (double)tensor_get_int(tensor, i);
    }
}

// Floats: towards zero, saturated; NaN gives 0.
static int64_t truncate_to_int(double value) {
    if (isnan(value)) return 0;
    if (value >= 0x1p63) return INT64_MAX;
    return value < -0x1p63 ? INT64_MIN : (int64_t)value;
}

int64_t tensor_get_int(const Tensor *tensor, int64_t i) {
    switch (tensor->dtype) {
    case DT_I8: return ((const int8_t *)tensor->data)[i];
    case DT_I16: return ((const int16_t *)tensor->data)[i];
    case DT_I32: return ((const int32_t *)tensor->data)[i];
    case DT_I64: return ((const int64_t *)tensor->data)[i];
    case DT_U8: return ((const uint8_t *)tensor->data)[i];
    case DT_U16: return ((const uint16_t *)tensor->data)[i];
    case DT_U32: return ((const uint32_t *)tensor->data)[i];
    case DT_U64: return (int64_t)((const uint64_t *)tensor->data)[i];
    case DT_BOOL: return ((const uint8_t *)tensor->data)[i] != 0;
    default: return truncate_to_int(tensor_get(tensor, i));
    }
}

// The least and the greatest value of an integer dtype of up to 32 bits.
static void integer_range(DType dtype, double *least, double *greatest) {
    int bits = (int)dtype_size(dtype) * 8;
    bool is_signed = dtype == DT_I8 || dtype == DT_I16 || dtype == DT_I32;
    *least = is_signed ? -ldexp(1, bits - 1) : 0;
    *greatest = ldexp(1, is_signed ? bits - 1 : bits) - 1;
}

// Rounds to nearest (ties to even) and saturates; NaN gives 0.
static void set_integer(Tensor *tensor, int64_t i, double value) {
    double rounded = isnan(value) ? 0 : nearbyint(value), least, greatest;
    if (tensor->dtype == DT_I64) {
        ((int64_t *)tensor->data)[i] = truncate_to_int(rounded);
    } else if (tensor->dtype == DT_U64) {
        ((uint64_t *)tensor->data)[i] = rounded >= 0x1p64 ? UINT64_MAX : rounded <= 0 ? 0 : (uint64_t)rounded;
    } else {
        integer_range(tensor->dtype, &least, &greatest);
        tensor_set_int(tensor, i, (int64_t)fmin(fmax(rounded, least), greatest));
    }
}

// The float that, when rounded on to 16 bits, gives what rounding the double at once would give: the last bit is made
// odd when anything was lost ("round to odd", Boldo and Melquiond 2008).
static float narrow_to_odd(double value) {
    float nearest = (float)value;
    uint32_t bits;
    if ((double)nearest == value || isnan(value) || isinf(nearest)) return nearest;
    memcpy(&bits, &nearest, sizeof bits);
    if (fabs((double)nearest) > fabs(value)) bits--; // towards zero
    bits |= 1;
    memcpy(&nearest, &bits, sizeof bits);
    return nearest;
}

void tensor_set(Tensor *tensor, int64_t i, double value) {
    switch (tensor->dtype) {
    case DT_F32: ((float *)tensor->data)[i] = (float)value; break;
    case DT_F64: ((double *)tensor->data)[i] = value; break;
    case DT_F16: ((uint16_t *)tensor->data)[i] = f32_to_f16(narrow_to_odd(value)); break;
    case DT_BF16: ((uint16_t *)tensor->data)[i] = f32_to_bf16(narrow_to_odd(value)); break;
    case DT_BOOL: ((uint8_t *)tensor->data)[i] = value != 0; break; // NaN is true, as in numpy
    default: set_integer(tensor, i, value);
    }
}

void tensor_set_int(Tensor *tensor, int64_t i, int64_t value) {
    switch (tensor->dtype) {
    case DT_I8:
    case DT_U8: ((uint8_t *)tensor->data)[i] = (uint8_t)value; break;
    case DT_I16:
    case DT_U16: ((uint16_t *)tensor->data)[i] = (uint16_t)value; break;
    case DT_I32:
    case DT_U32: ((uint32_t *)tensor->data)[i] = (uint32_t)value; break;
    case DT_I64:
    case DT_U64: ((uint64_t *)tensor->data)[i] = (uint64_t)value; break;
    case DT_BOOL: ((uint8_t *)tensor->data)[i] = value != 0; break;
    default: tensor_set(tensor, i, (double)value);
    }
}

void tensor_read(const Tensor *tensor, int64_t first, int64_t count, double *values) {
    if (tensor->dtype == DT_F32) { // by far the most frequent
        const float *const data = (const float *)tensor->data + first;
        for (int64_t i = 0; i < count; i++) values[i] = (double)data[i];
    } else {
        for (int64_t i = 0; i < count; i++) values[i] = tensor_get(tensor, first + i);
    }
}

void tensor_write(Tensor *tensor, int64_t first, const double *values, int64_t count) {
    if (tensor->dtype == DT_F32) {
        float *const data = (float *)tensor->data + first;
        for (int64_t i = 0; i < count; i++) data[i] = (float)values[i];
    } else {
        for (int64_t i = 0; i < count; i++) tensor_set(tensor, first + i, values[i]);
    }
}

// Of a size that the compiler knows: no call for each element.
static inline void copy_element(char *to, const char *from, size_t size) {
    switch (size) {
    case 1: memcpy(to, from, 1); break;
    case 2: memcpy(to, from, 2); break;
    case 4: memcpy(to, from, 4); break;
    default: memcpy(to, from, 8);
    }
}

// Steps through `from` in the order of `to`'s elements.
static void copy_permuted(const Tensor *from, const int *perm, Tensor *to) {
    int64_t own[MAX_RANK], stride[MAX_RANK], index[MAX_RANK] = {0}, step = 1, at = 0;
    const int rank = from->shape.rank;
    const size_t size = dtype_size(from->dtype);
    for (int i = rank - 1; i >= 0; i--) {
        own[i] = step;
        step *= from->shape.dim[i];
    }
    for (int i = 0; i < rank; i++) stride[i] = own[perm[i]];
    const int64_t count = tensor_count(to);
    for (int64_t k = 0; k < count; k++) {
        copy_element((char *)to->data + (size_t)k * size, (const char *)from->data + (size_t)at * size, size);
        for (int i = rank - 1; i >= 0; i--) {
            at += stride[i];
            if (++index[i] < to->shape.dim[i]) break;
            at -= stride[i] * to->shape.dim[i];
            index[i] = 0;
        }
    }
}

Status tensor_permute(Arena *arena, const Tensor *from, const int *perm, Tensor *out) {
    Shape shape = {.rank = from->shape.rank};
    for (int i = 0; i < shape.rank; i++) shape.dim[i] = from->shape.dim[perm[i]];
    TRY(tensor_make(arena, from->dtype, shape, out));
    copy_permuted(from, perm, out);
    return ST_OK;
}

#include "reference/evaluate.h"
#include <string.h>

Status each_unit(const Evaluation *e, ReferenceUnit *unit, const void *arguments, int64_t units, size_t scratch) {
    if (e->threads) return e->threads->run(e->threads->context, unit, arguments, units, scratch);
    void *const memory = arena_alloc(e->scratch, scratch);
    if (!memory) return fail_memory(scratch);
    for (int64_t i = 0; i < units; i++) unit(arguments, i, memory);
    return ST_OK;
}

Status make_doubles(const Evaluation *e, int64_t count, double **out) {
    *out = arena_array(e->scratch, (size_t)MAX(count, 1), sizeof(double));
    return *out ? ST_OK : fail_memory((size_t)count * sizeof(double));
}

Status load_doubles(const Evaluation *e, const Tensor *tensor, double **out) {
    const int64_t count = tensor_count(tensor);
    TRY(make_doubles(e, count, out));
    tensor_read(tensor, 0, count, *out);
    return ST_OK;
}

Status read_ints(const Tensor *tensor, const char *what, int limit, int64_t *values, int *count) {
    const int64_t n = tensor_count(tensor);
    FAIL_IF(n > limit, ST_BAD, "%s: expected at most %d numbers, got %lld", what, limit, (long long)n);
    for (int64_t i = 0; i < n; i++) values[i] = tensor_get_int(tensor, i);
    *count = (int)n;
    return ST_OK;
}

Status read_axis(int64_t axis, int rank, int *out) {
    FAIL_IF(axis < -rank || axis >= rank, ST_BAD, "axis: expected %d to %d, got %lld", -rank, rank - 1,
            (long long)axis);
    *out = (int)(axis < 0 ? axis + rank : axis);
    return ST_OK;
}

Status read_axis_flags(const Tensor *axes, int rank, bool flags[MAX_RANK]) {
    int64_t values[MAX_RANK];
    int count = 0;
    if (axes) TRY(read_ints(axes, "axes", MAX_RANK, values, &count));
    for (int i = 0; i < MAX_RANK; i++) flags[i] = false;
    for (int i = 0; i < count; i++) {
        int axis = 0;
        TRY(read_axis(values[i], rank, &axis));
        flags[axis] = true;
    }
    return ST_OK;
}

static bool is_signed(DType dtype) { return dtype == DT_I8 || dtype == DT_I16 || dtype == DT_I32 || dtype == DT_I64; }
int64_t dtype_lowest(DType dtype) { return is_signed(dtype) ? -dtype_highest(dtype) - 1 : 0; }
int64_t dtype_highest(DType dtype) {
    if (dtype == DT_BOOL) return 1;
    const int bits = 8 * (int)dtype_size(dtype);
    if (is_signed(dtype)) return (int64_t)(UINT64_MAX >> (65 - bits));
    return (int64_t)(UINT64_MAX >> (64 - bits)); // uint64: wrapped, -1
}

void strides_of(const Shape *shape, int64_t stride[MAX_RANK]) {
    int64_t step = 1;
    for (int i = shape->rank - 1; i >= 0; i--) {
        stride[i] = step;
        step *= shape->dim[i];
    }
}

void broadcast_strides(const Shape *in, const Shape *out, int64_t stride[MAX_RANK]) {
    int64_t own[MAX_RANK];
    strides_of(in, own);
    const int missing = out->rank - in->rank;
    for (int i = 0; i < out->rank; i++) {
        const int axis = i - missing;
        stride[i] = axis < 0 || in->dim[axis] == 1 ? 0 : own[axis];
    }
}

void walk_begin(Walk *walk, const Shape *shape) {
    memset(walk, 0, sizeof(*walk));
    walk->shape = *shape;
    walk->left = shape_count(shape);
}

void walk_step(Walk *walk) {
    walk->left--;
    for (int i = walk->shape.rank - 1; i >= 0; i--) {
        for (int t = 0; t < WALK_MAX; t++) walk->at[t] += walk->stride[t][i];
        if (++walk->index[i] < walk->shape.dim[i]) return;
        for (int t = 0; t < WALK_MAX; t++) walk->at[t] -= walk->stride[t][i] * walk->shape.dim[i];
        walk->index[i] = 0;
    }
}

void copy_element(Tensor *to, int64_t i, const Tensor *from, int64_t j) {
    switch (dtype_size(to->dtype)) {
    case 1: ((uint8_t *)to->data)[i] = ((const uint8_t *)from->data)[j]; break;
    case 2: ((uint16_t *)to->data)[i] = ((const uint16_t *)from->data)[j]; break;
    case 4: ((uint32_t *)to->data)[i] = ((const uint32_t *)from->data)[j]; break;
    default: ((uint64_t *)to->data)[i] = ((const uint64_t *)from->data)[j]; break;
    }
}

void copy_elements(Tensor *to, int64_t i, const Tensor *from, int64_t j, int64_t count) {
    const size_t size = dtype_size(to->dtype);
    if (count > 0)
        memcpy((char *)to->data + (size_t)i * size, (const char *)from->data + (size_t)j * size, (size_t)count * size);
}

void copy_strided(Tensor *to, const Tensor *from, int64_t offset, const int64_t stride[MAX_RANK]) {
    Walk walk;
    walk_begin(&walk, &to->shape);
    memcpy(walk.stride[0], stride, (size_t)to->shape.rank * sizeof(int64_t));
    for (int64_t i = 0; walk.left > 0; i++, walk_step(&walk)) copy_element(to, i, from, offset + walk.at[0]);
}

void copy_mapped(Tensor *to, const Tensor *from, int64_t *const map[MAX_RANK], const Tensor *fill) {
    int64_t stride[MAX_RANK];
    strides_of(&from->shape, stride);
    Walk walk;
    walk_begin(&walk, &to->shape);
    for (int64_t i = 0; walk.left > 0; i++, walk_step(&walk)) {
        int64_t at = 0;
        bool outside = false;
        for (int axis = 0; axis < to->shape.rank; axis++) {
            const int64_t source = map[axis][walk.index[axis]];
            outside = outside || source < 0;
            at += source * stride[axis];
        }
        if (outside) copy_element(to, i, fill, 0);
        else copy_element(to, i, from, at);
    }
}

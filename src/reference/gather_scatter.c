// Gather and Scatter, by index along an axis (Gather, *Elements) and by tuples of indices (*ND).
#include "reference/evaluate.h"
#include <math.h>
#include <string.h>

// An index in -dim..dim-1 as 0..dim-1.
static Status index_of(const Tensor *indices, int64_t i, int64_t dim, int64_t *out) {
    const int64_t index = tensor_get_int(indices, i);
    FAIL_IF(index < -dim || index >= dim, ST_BAD, "indices[%lld]: expected %lld to %lld, got %lld", (long long)i,
            (long long)-dim, (long long)dim - 1, (long long)index);
    *out = index < 0 ? index + dim : index;
    return ST_OK;
}

// y[outer][i][inner] = x[outer][indices[i]][inner]
Status evaluate_Gather(const Evaluation *e) {
    const Tensor *const x = e->inputs[0], *const indices = e->inputs[1];
    int axis;
    TRY(read_axis(node_int(e->node, "axis", 0), x->shape.rank, &axis));
    const int64_t outer = product(&x->shape, 0, axis), inner = product(&x->shape, axis + 1, x->shape.rank);
    const int64_t dim = x->shape.dim[axis], count = tensor_count(indices);
    for (int64_t i = 0; i < count; i++) {
        int64_t index;
        TRY(index_of(indices, i, dim, &index));
        for (int64_t o = 0; o < outer; o++)
            copy_elements(&e->outputs[0], (o * count + i) * inner, x, (o * dim + index) * inner, inner);
    }
    return ST_OK;
}

// A walk over the indices with the strides of x, but none along the axis: that place is told by the index.
static Status walk_elements(const Evaluation *e, Walk *walk, int *axis, int64_t *step) {
    const Shape *const x = &e->inputs[0]->shape;
    TRY(read_axis(node_int(e->node, "axis", 0), x->rank, axis));
    walk_begin(walk, &e->inputs[1]->shape);
    strides_of(x, walk->stride[0]);
    *step = walk->stride[0][*axis];
    walk->stride[0][*axis] = 0;
    return ST_OK;
}

Status evaluate_GatherElements(const Evaluation *e) {
    Walk walk;
    int axis;
    int64_t step, index;
    TRY(walk_elements(e, &walk, &axis, &step));
    for (int64_t i = 0; walk.left > 0; i++, walk_step(&walk)) {
        TRY(index_of(e->inputs[1], i, e->inputs[0]->shape.dim[axis], &index));
        copy_element(&e->outputs[0], i, e->inputs[0], walk.at[0] + index * step);
    }
    return ST_OK;
}

// Row `row` of the indices, k numbers, names a slice of the dims from `first` on: its number among the slices.
static Status slice_of(const Tensor *indices, int64_t row, int k, const Shape *x, int first, int64_t *slice) {
    *slice = 0;
    for (int i = 0; i < k; i++) {
        int64_t index;
        TRY(index_of(indices, row * k + i, x->dim[first + i], &index));
        *slice = *slice * x->dim[first + i] + index;
    }
    return ST_OK;
}

// indices (batch..., outer..., k)
Status evaluate_GatherND(const Evaluation *e) {
    const Tensor *const x = e->inputs[0], *const indices = e->inputs[1];
    const int batch = (int)node_int(e->node, "batch_dims", 0), k = (int)indices->shape.dim[indices->shape.rank - 1];
    const int64_t rows = product(&indices->shape, 0, indices->shape.rank - 1);
    const int64_t rows_a_batch = product(&indices->shape, batch, indices->shape.rank - 1);
    const int64_t slices = product(&x->shape, batch, batch + k), size = product(&x->shape, batch + k, x->shape.rank);
    for (int64_t row = 0; row < rows; row++) {
        int64_t slice;
        TRY(slice_of(indices, row, k, &x->shape, batch, &slice));
        copy_elements(&e->outputs[0], row * size, x, (row / rows_a_batch * slices + slice) * size, size);
    }
    return ST_OK;
}

// ---- ScatterND, ScatterElements ----

typedef enum Scatter { SCATTER_SET, SCATTER_ADD, SCATTER_MUL, SCATTER_MIN, SCATTER_MAX } Scatter;

static Status scatter_of(const Node *node, Scatter *out) {
    static const char *const names[] = {"none", "add", "mul", "min", "max"};
    const char *const name = node_string(node, "reduction", "none");
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (strcmp(name, names[i]) == 0) {
            *out = (Scatter)i;
            return ST_OK;
        }
    return fail(ST_UNSUPPORTED, "reduction: expected none, add, mul, min or max, got %s", name);
}

static double scattered(double old, double update, Scatter how) {
    switch (how) {
    case SCATTER_ADD: return old + update;
    case SCATTER_MUL: return old * update;
    case SCATTER_MIN: return isnan(old) || old < update ? old : update;
    case SCATTER_MAX: return isnan(old) || old > update ? old : update;
    default: return update;
    }
}
static int64_t scattered_integer(int64_t old, int64_t update, Scatter how, DType dtype) {
    switch (how) {
    case SCATTER_ADD: return (int64_t)(as_unsigned(old) + as_unsigned(update));
    case SCATTER_MUL: return (int64_t)(as_unsigned(old) * as_unsigned(update));
    case SCATTER_MIN: return integer_less(dtype, old, update) ? old : update;
    case SCATTER_MAX: return integer_less(dtype, old, update) ? update : old;
    default: return update;
    }
}

static void scatter_element(Tensor *y, int64_t at, const Tensor *updates, int64_t i, Scatter how) {
    if (dtype_is_float(y->dtype)) tensor_set(y, at, scattered(tensor_get(y, at), tensor_get(updates, i), how));
    else tensor_set_int(y, at, scattered_integer(tensor_get_int(y, at), tensor_get_int(updates, i), how, y->dtype));
}

// indices (..., k): each row of k numbers names a slice of x; updates (..., the dims of x from k on). In order.
Status evaluate_ScatterND(const Evaluation *e) {
    const Tensor *const x = e->inputs[0], *const indices = e->inputs[1], *const updates = e->inputs[2];
    Scatter how;
    TRY(scatter_of(e->node, &how));
    FAIL_IF(indices->shape.rank < 1, ST_BAD, "indices: expected at least one dim, got a scalar");
    const int k = (int)indices->shape.dim[indices->shape.rank - 1];
    FAIL_IF(k > x->shape.rank, ST_BAD, "indices: expected rows of at most %d numbers, got %d", x->shape.rank, k);
    const int64_t rows = product(&indices->shape, 0, indices->shape.rank - 1);
    const int64_t size = product(&x->shape, k, x->shape.rank);
    FAIL_IF(tensor_count(updates) != rows * size, ST_BAD, "updates: expected %lld elements, got %lld",
            (long long)(rows * size), (long long)tensor_count(updates));
    copy_elements(&e->outputs[0], 0, x, 0, tensor_count(x));
    for (int64_t row = 0; row < rows; row++) {
        int64_t slice;
        TRY(slice_of(indices, row, k, &x->shape, 0, &slice));
        for (int64_t i = 0; i < size; i++)
            scatter_element(&e->outputs[0], slice * size + i, updates, row * size + i, how);
    }
    return ST_OK;
}

Status evaluate_ScatterElements(const Evaluation *e) {
    Walk walk;
    Scatter how;
    int axis;
    int64_t step, index;
    TRY(scatter_of(e->node, &how));
    TRY(walk_elements(e, &walk, &axis, &step));
    copy_elements(&e->outputs[0], 0, e->inputs[0], 0, tensor_count(e->inputs[0]));
    for (int64_t i = 0; walk.left > 0; i++, walk_step(&walk)) {
        TRY(index_of(e->inputs[1], i, e->inputs[0]->shape.dim[axis], &index));
        scatter_element(&e->outputs[0], walk.at[0] + index * step, e->inputs[2], i, how);
    }
    return ST_OK;
}

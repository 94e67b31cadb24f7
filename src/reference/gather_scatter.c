// Gather and ScatterND.
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

// ---- ScatterND ----

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
        int64_t slice = 0;
        for (int i = 0; i < k; i++) {
            int64_t index;
            TRY(index_of(indices, row * k + i, x->shape.dim[i], &index));
            slice = slice * x->shape.dim[i] + index;
        }
        for (int64_t i = 0; i < size; i++)
            scatter_element(&e->outputs[0], slice * size + i, updates, row * size + i, how);
    }
    return ST_OK;
}

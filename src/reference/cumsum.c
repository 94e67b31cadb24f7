// CumSum: running sums along an axis, in double (integers exact, wrapping).
#include "reference/evaluate.h"

// The way along the axis: `count` elements, `step` apart; backwards with a negative step.
typedef struct Way {
    int64_t first, step, count;
    bool exclusive; // each sum is without its own element
} Way;

static void sum_floats(const Tensor *x, Tensor *y, const Way *way) {
    double sum = 0;
    for (int64_t i = 0, at = way->first; i < way->count; i++, at += way->step) {
        const double before = sum;
        sum += tensor_get(x, at);
        tensor_set(y, at, way->exclusive ? before : sum);
    }
}

static void sum_integers(const Tensor *x, Tensor *y, const Way *way) {
    uint64_t sum = 0;
    for (int64_t i = 0, at = way->first; i < way->count; i++, at += way->step) {
        const uint64_t before = sum;
        sum += as_unsigned(tensor_get_int(x, at));
        tensor_set_int(y, at, (int64_t)(way->exclusive ? before : sum));
    }
}

Status evaluate_CumSum(const Evaluation *e) {
    const Tensor *const x = e->inputs[0];
    int64_t given;
    int count, axis;
    TRY(read_ints(e->inputs[1], "axis", 1, &given, &count));
    FAIL_IF(count != 1, ST_BAD, "axis: expected one number, got none");
    TRY(read_axis(given, x->shape.rank, &axis));
    const int64_t dim = x->shape.dim[axis];
    const int64_t inner = product(&x->shape, axis + 1, x->shape.rank), rows = product(&x->shape, 0, axis) * inner;
    const bool reverse = node_int(e->node, "reverse", 0) != 0;
    for (int64_t i = 0; i < rows && dim > 0; i++) {
        const int64_t first = i / inner * dim * inner + i % inner;
        const Way way = {.first = reverse ? first + (dim - 1) * inner : first,
                         .step = reverse ? -inner : inner,
                         .count = dim,
                         .exclusive = node_int(e->node, "exclusive", 0) != 0};
        if (dtype_is_float(x->dtype)) sum_floats(x, &e->outputs[0], &way);
        else sum_integers(x, &e->outputs[0], &way);
    }
    return ST_OK;
}

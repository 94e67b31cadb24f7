// Reduce*, ArgMax and ArgMin. Floats are accumulated in double, integers exactly (wrapping at 64 bits).
#include "reference/evaluate.h"
#include <math.h>

typedef struct Reduction {
    double start;
    double (*add)(double so_far, double x);
    double (*finish)(double so_far, double count);
    int64_t (*start_integer)(DType dtype);
    int64_t (*add_integer)(int64_t so_far, int64_t x, DType dtype);
    int64_t (*finish_integer)(int64_t so_far, int64_t count, DType dtype);
} Reduction;

static double add(double so_far, double x) { return so_far + x; }
static double add_magnitude(double so_far, double x) { return so_far + fabs(x); }
static double add_square(double so_far, double x) { return so_far + x * x; }
static double multiply(double so_far, double x) { return so_far * x; }
static double smaller(double so_far, double x) { return isnan(so_far) || so_far < x ? so_far : x; }
static double larger(double so_far, double x) { return isnan(so_far) || so_far > x ? so_far : x; }
static double as_it_is(double so_far, double count) {
    (void)count;
    return so_far;
}
static double mean(double so_far, double count) { return so_far / count; }
static double root(double so_far, double count) {
    (void)count;
    return sqrt(so_far);
}

static int64_t start_zero(DType dtype) {
    (void)dtype;
    return 0;
}
static int64_t start_one(DType dtype) {
    (void)dtype;
    return 1;
}
static int64_t add_integer(int64_t so_far, int64_t x, DType dtype) {
    (void)dtype;
    return (int64_t)(as_unsigned(so_far) + as_unsigned(x));
}
static int64_t add_magnitude_integer(int64_t so_far, int64_t x, DType dtype) {
    return dtype != DT_U64 && x < 0 ? (int64_t)(as_unsigned(so_far) - as_unsigned(x)) : add_integer(so_far, x, dtype);
}
static int64_t multiply_integer(int64_t so_far, int64_t x, DType dtype) {
    (void)dtype;
    return (int64_t)(as_unsigned(so_far) * as_unsigned(x));
}
static int64_t add_square_integer(int64_t so_far, int64_t x, DType dtype) {
    return add_integer(so_far, multiply_integer(x, x, dtype), dtype);
}
static int64_t smaller_integer(int64_t so_far, int64_t x, DType dtype) {
    return integer_less(dtype, x, so_far) ? x : so_far;
}
static int64_t larger_integer(int64_t so_far, int64_t x, DType dtype) {
    return integer_less(dtype, so_far, x) ? x : so_far;
}
static int64_t as_it_is_integer(int64_t so_far, int64_t count, DType dtype) {
    (void)count;
    (void)dtype;
    return so_far;
}
static int64_t mean_integer(int64_t so_far, int64_t count, DType dtype) { // toward zero; of nothing: 0
    if (count == 0) return 0;
    return dtype == DT_U64 ? (int64_t)(as_unsigned(so_far) / as_unsigned(count)) : so_far / count;
}
static int64_t root_integer(int64_t so_far, int64_t count, DType dtype) {
    (void)count;
    (void)dtype;
    return (int64_t)sqrt((double)as_unsigned(so_far));
}

// Where each input element goes: a walk over x with the strides of the output, 0 along reduced dims.
static void walk_into_output(const Shape *x, const bool reduced[MAX_RANK], Walk *walk) {
    walk_begin(walk, x);
    int64_t step = 1;
    for (int i = x->rank - 1; i >= 0; i--) {
        walk->stride[0][i] = reduced[i] ? 0 : step;
        if (!reduced[i]) step *= x->dim[i];
    }
}

// No axes: all of them, or none at all with noop_with_empty_axes.
static Status reduced_axes(const Evaluation *e, bool reduced[MAX_RANK]) {
    const Tensor *const axes = input_or_null(e, 1);
    const int rank = e->inputs[0]->shape.rank;
    TRY(read_axis_flags(axes, rank, reduced));
    if (axes && tensor_count(axes) > 0) return ST_OK;
    for (int i = 0; i < rank; i++) reduced[i] = node_int(e->node, "noop_with_empty_axes", 0) == 0;
    return ST_OK;
}

static Status reduce_floats(const Evaluation *e, const Reduction *r, Walk *walk, int64_t each) {
    const int64_t count = tensor_count(&e->outputs[0]);
    double *sums;
    TRY(make_doubles(e, count, &sums));
    for (int64_t i = 0; i < count; i++) sums[i] = r->start;
    for (int64_t i = 0; walk->left > 0; i++, walk_step(walk))
        sums[walk->at[0]] = r->add(sums[walk->at[0]], tensor_get(e->inputs[0], i));
    for (int64_t i = 0; i < count; i++) sums[i] = r->finish(sums[i], (double)each);
    tensor_write(&e->outputs[0], 0, sums, count);
    return ST_OK;
}

static Status reduce_integers(const Evaluation *e, const Reduction *r, Walk *walk, int64_t each) {
    const int64_t count = tensor_count(&e->outputs[0]);
    const DType dtype = e->inputs[0]->dtype;
    int64_t *const sums = arena_array(e->scratch, (size_t)MAX(count, 1), sizeof(int64_t));
    if (!sums) return fail_memory((size_t)count * sizeof(int64_t));
    for (int64_t i = 0; i < count; i++) sums[i] = r->start_integer(dtype);
    for (int64_t i = 0; walk->left > 0; i++, walk_step(walk))
        sums[walk->at[0]] = r->add_integer(sums[walk->at[0]], tensor_get_int(e->inputs[0], i), dtype);
    for (int64_t i = 0; i < count; i++) tensor_set_int(&e->outputs[0], i, r->finish_integer(sums[i], each, dtype));
    return ST_OK;
}

static Status reduce(const Evaluation *e, const Reduction *r) {
    const Shape *const shape = &e->inputs[0]->shape;
    bool reduced[MAX_RANK];
    TRY(reduced_axes(e, reduced));
    int64_t each = 1; // input elements for one output element
    for (int i = 0; i < shape->rank; i++)
        if (reduced[i]) each *= shape->dim[i];
    Walk walk;
    walk_into_output(shape, reduced, &walk);
    if (dtype_is_float(e->inputs[0]->dtype)) return reduce_floats(e, r, &walk, each);
    return reduce_integers(e, r, &walk, each);
}

#define REDUCE(op, start, add, finish, start_integer, add_integer, finish_integer)                                     \
    Status evaluate_##op(const Evaluation *e) {                                                                        \
        return reduce(e, &(Reduction){start, add, finish, start_integer, add_integer, finish_integer});                \
    }
REDUCE(ReduceSum, 0, add, as_it_is, start_zero, add_integer, as_it_is_integer)
REDUCE(ReduceMean, 0, add, mean, start_zero, add_integer, mean_integer)
REDUCE(ReduceProd, 1, multiply, as_it_is, start_one, multiply_integer, as_it_is_integer)
REDUCE(ReduceMax, -INFINITY, larger, as_it_is, dtype_lowest, larger_integer, as_it_is_integer)
REDUCE(ReduceMin, INFINITY, smaller, as_it_is, dtype_highest, smaller_integer, as_it_is_integer)
REDUCE(ReduceL1, 0, add_magnitude, as_it_is, start_zero, add_magnitude_integer, as_it_is_integer)
REDUCE(ReduceL2, 0, add_square, root, start_zero, add_square_integer, root_integer)

// True when element i of x is larger than element j (or equal, where that is asked for); false for a NaN.
static bool element_larger(const Tensor *x, int64_t i, int64_t j, bool or_equal) {
    if (!dtype_is_float(x->dtype)) {
        const int64_t a = tensor_get_int(x, i), b = tensor_get_int(x, j);
        return integer_less(x->dtype, b, a) || (or_equal && a == b);
    }
    return tensor_get(x, i) > tensor_get(x, j) || (or_equal && tensor_get(x, i) == tensor_get(x, j));
}

// The first of equal maxima (or minima), or the last with select_last_index.
static Status arg_best(const Evaluation *e, bool smallest) {
    const Tensor *const x = e->inputs[0];
    const bool last = node_int(e->node, "select_last_index", 0) != 0;
    int axis;
    TRY(read_axis(node_int(e->node, "axis", 0), x->shape.rank, &axis));
    const int64_t outer = product(&x->shape, 0, axis), inner = product(&x->shape, axis + 1, x->shape.rank);
    const int64_t dim = x->shape.dim[axis];
    FAIL_IF(dim == 0 && outer * inner > 0, ST_BAD, "no largest or smallest along an axis of size 0");
    for (int64_t i = 0; i < outer * inner; i++) {
        const int64_t from = i / inner * dim * inner + i % inner;
        int64_t best = 0;
        for (int64_t j = 1; j < dim; j++) {
            const int64_t a = from + j * inner, b = from + best * inner;
            if (smallest ? element_larger(x, b, a, last) : element_larger(x, a, b, last)) best = j;
        }
        tensor_set_int(&e->outputs[0], i, best);
    }
    return ST_OK;
}

Status evaluate_ArgMax(const Evaluation *e) { return arg_best(e, false); }
Status evaluate_ArgMin(const Evaluation *e) { return arg_best(e, true); }

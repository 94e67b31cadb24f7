// Softmax and its logarithm over any axis.
#include "solver/harness.h"

extern const Solver solver_softmax;

static void check_softmax(const Shape *shape, int axis, bool log_softmax, float *x) {
    Run run = {.problem = harness_problem(PROBLEM_SOFTMAX), .in_shape = {*shape}, .out_shape = {*shape}, .in = {x}};
    run.problem.axis = axis, run.problem.log_softmax = log_softmax;
    const int64_t n = shape_count(shape), length = shape->dim[axis];
    int64_t inner = 1;
    for (int i = axis + 1; i < shape->rank; i++) inner *= shape->dim[i];
    double *y = harness_doubles(n);
    for (int64_t row = 0; length && row < n / length; row++) {
        const int64_t first = row / inner * inner * length + row % inner, end = first + length * inner;
        double max = -INFINITY, sum = 0;
        for (int64_t i = first; i < end; i += inner) max = fmax(max, x[i]);
        for (int64_t i = first; i < end; i += inner) sum += exp(x[i] - max);
        for (int64_t i = first; i < end; i += inner)
            y[i] = log_softmax ? x[i] - max - log(sum) : exp(x[i] - max) / sum;
    }
    Text what = {0};
    text_add(&what, "axis %d of ", axis), shape_print(&what, shape);
    harness_check(text_get(&what), &solver_softmax, &run, y, NULL, log_softmax ? 1e-6 : 2e-38,
                  log_softmax ? 4e-7 : 2e-6);
    text_free(&what), mem_free(y);
}
TEST(softmax_any_axis) {
    const Shape shapes[] = {harness_shape(4, 2, 3, 5, 7, 0), harness_shape(2, 70, 1000, 0, 0, 0),
                            harness_shape(4, 1, 2, 64, 70, 0), harness_shape(1, 40000, 0, 0, 0, 0),
                            harness_shape(3, 2, 1, 33, 0, 0), harness_shape(2, 5, 0, 0, 0, 0),
                            harness_shape(3, 1, 130, 513, 0, 0)};
    for (size_t i = 0; i < COUNT_OF(shapes); i++) {
        float *x = harness_normal(shape_count(&shapes[i]), i);
        for (int64_t k = 0; k < shape_count(&shapes[i]); k++) x[k] = x[k] * 5 + 300;
        for (int axis = 0; axis < shapes[i].rank; axis++) {
            check_softmax(&shapes[i], axis, false, x);
            check_softmax(&shapes[i], axis, true, x);
        }
        mem_free(x);
    }
}
// Masked places give 0; large values do not overflow; a NaN spoils its own row only.
TEST(softmax_special_values) {
    const Shape shape = harness_shape(2, 20, 37, 0, 0, 0);
    float *x = harness_normal(20 * 37, 1);
    for (int64_t i = 0; i < 20 * 37; i += 3) x[i] = -INFINITY;
    for (int64_t i = 0; i < 20 * 37; i += 5) x[i] = 3e38f;
    x[4 * 37 + 7] = NAN;
    check_softmax(&shape, 1, false, x);
    check_softmax(&shape, 0, false, x);
}

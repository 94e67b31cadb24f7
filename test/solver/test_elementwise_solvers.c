// Solvers unary, binary and affine, plain and blocked.
#include "solver/harness.h"

extern const Solver solver_unary, solver_binary, solver_affine;

static const Shape *blocked_shapes(int *count) {
    static Shape shapes[6];
    const int64_t dims[6][6] = {{3, 1, 1, 1, 0, 0},  {3, 2, 5, 40, 0, 0},  {4, 2, 19, 7, 9, 0},
                                {4, 1, 16, 33, 70, 0}, {5, 2, 3, 4, 5, 6}, {4, 1, 33, 1, 300, 0}};
    for (int i = 0; i < 6; i++) shapes[i] = shape_of((int)dims[i][0], &dims[i][1]);
    *count = 6;
    return shapes;
}

TEST(unary_solver) {
    static const Activation functions[] = {{FN_RELU, 0, 0},      {FN_SIGMOID, 0, 0}, {FN_LOG, 0, 0},
                                           {FN_RECIPROCAL, 0, 0}, {FN_EXP, 0, 0},     {FN_CLIP, -0.5f, 0.75f}};
    int count;
    const Shape *shapes = blocked_shapes(&count);
    for (int s = 0; s < count; s++)
        for (size_t f = 0; f < COUNT_OF(functions); f++)
            for (int blocked = 0; blocked < 2; blocked++) {
                const int64_t n = shape_count(&shapes[s]);
                float *x = harness_normal(n, 10 + (uint64_t)s);
                double *y = harness_doubles(n);
                for (int64_t i = 0; i < n; i++) y[i] = harness_function(functions[f], x[i]);
                Run run = {.problem = harness_problem(PROBLEM_UNARY), .in = {x}, .blocked = {blocked}};
                run.in_shape[0] = run.out_shape[0] = shapes[s];
                run.problem.activation = functions[f];
                harness_check(function_name(functions[f].function), &solver_unary, &run, y, NULL, 0, 1e-6);
                mem_free(x), mem_free(y);
            }
}
TEST(unary_solver_any_rank) {
    const int64_t dims[] = {3, 2, 1, 4, 1, 2, 3, 5};
    for (int rank = 0; rank <= MAX_RANK; rank++) {
        Run run = {.problem = harness_problem(PROBLEM_UNARY)};
        run.in_shape[0] = run.out_shape[0] = shape_of(rank, dims);
        const int64_t n = shape_count(&run.in_shape[0]);
        float *x = harness_normal(n, 3);
        double *y = harness_doubles(n);
        for (int64_t i = 0; i < n; i++) y[i] = fabs(x[i]);
        run.in[0] = x, run.problem.activation.function = FN_ABS;
        harness_check("rank", &solver_unary, &run, y, NULL, 0, 0);
    }
}
TEST(unary_solver_refuses_other_types) {
    Run run = {.problem = harness_problem(PROBLEM_UNARY), .dtype = DT_I32};
    int32_t x[4] = {1, 2, 3, 4}, y[4];
    run.in_shape[0] = run.out_shape[0] = harness_shape(1, 4, 0, 0, 0, 0);
    run.in[0] = x;
    CHECK(!harness_run(&solver_unary, &run, ISA_SSE2, 1, (void *[]){y, NULL}));
}

// ---- Binary ----

static double operation(Binary binary, double a, double b) {
    switch (binary) {
    case BINARY_ADD: return a + b;
    case BINARY_SUB: return a - b;
    case BINARY_MUL: return a * b;
    case BINARY_DIV: return a / b;
    case BINARY_MIN: return fmin(a, b);
    case BINARY_MAX: return fmax(a, b);
    case BINARY_PRELU: return a < 0 ? a * b : a;
    }
    return 0;
}
// Element of a side that meets element i of the output.
static int64_t broadcast_index(const Shape *side, const Shape *out, int64_t i) {
    int64_t index = 0, step = 1;
    for (int d = out->rank - 1, s = side->rank - 1; d >= 0; i /= out->dim[d], d--, s--) {
        if (s < 0) continue;
        index += side->dim[s] > 1 ? i % out->dim[d] * step : 0;
        step *= side->dim[s];
    }
    return index;
}
static void check_binary(const Shape *a, const Shape *b, Binary binary, Function function, bool blocked) {
    Run run = {.problem = harness_problem(PROBLEM_BINARY), .in_shape = {*a, *b}, .blocked = {blocked, blocked}};
    REQUIRE(shape_broadcast(a, b, &run.out_shape[0]));
    float *x = harness_integers(shape_count(a), 9, 1), *y = harness_integers(shape_count(b), 9, 2);
    const int64_t n = shape_count(&run.out_shape[0]);
    double *z = harness_doubles(n);
    run.in[0] = x, run.in[1] = y;
    run.problem.binary = binary, run.problem.activation.function = function;
    for (int64_t i = 0; i < n; i++) {
        const double value = operation(binary, x[broadcast_index(a, &run.out_shape[0], i)],
                                       y[broadcast_index(b, &run.out_shape[0], i)]);
        z[i] = harness_function(run.problem.activation, (float)value);
    }
    Text what = {0};
    shape_print(&what, a), text_add(&what, " op %d ", (int)binary), shape_print(&what, b);
    harness_check(text_get(&what), &solver_binary, &run, z, NULL, 1e-7, 1e-6);
    text_free(&what), mem_free(x), mem_free(y), mem_free(z);
}
TEST(binary_solver_blocked) {
    const int64_t sides[][4] = {{2, 19, 5, 7}, {1, 19, 1, 1}, {2, 19, 1, 1}, {2, 1, 5, 7}, {1, 1, 1, 1},
                                {1, 1, 1, 7},  {1, 19, 5, 1}, {2, 1, 1, 1},  {1, 19, 5, 7}};
    const Shape whole = harness_shape(4, 2, 19, 5, 7, 0);
    for (size_t i = 0; i < COUNT_OF(sides); i++) {
        const Shape side = shape_of(4, sides[i]);
        for (Binary binary = BINARY_ADD; binary <= BINARY_PRELU; binary++) {
            check_binary(&whole, &side, binary, binary == BINARY_ADD ? FN_RELU : FN_NONE, true);
            check_binary(&side, &whole, binary, FN_NONE, true);
        }
    }
    const Shape column = harness_shape(4, 1, 19, 5, 1, 0), row = harness_shape(4, 2, 1, 1, 7, 0);
    check_binary(&column, &row, BINARY_SUB, FN_SIGMOID, true); // both sides broadcast
    const Shape volume = harness_shape(5, 1, 5, 3, 4, 6), depth = harness_shape(5, 1, 5, 3, 1, 1);
    check_binary(&volume, &depth, BINARY_MUL, FN_NONE, true);
    const Shape one = harness_shape(4, 1, 1, 200, 300, 0); // one channel: nothing is splat
    check_binary(&one, &one, BINARY_MUL, FN_NONE, true);
    const Shape line = harness_shape(3, 2, 17, 1, 0, 0), channel = harness_shape(3, 1, 17, 1, 0, 0);
    check_binary(&line, &channel, BINARY_SUB, FN_NONE, true);
}
TEST(binary_solver_plain) {
    const struct {
        int a_rank;
        int64_t a[6];
        int b_rank;
        int64_t b[6];
    } cases[] = {
        {1, {1}, 1, {1}},          {0, {0}, 0, {0}},         {2, {50, 70}, 0, {0}},
        {2, {50, 70}, 1, {70}},    {2, {50, 70}, 2, {50, 1}}, {1, {70}, 2, {50, 1}},
        {4, {2, 3, 4, 5}, 3, {3, 1, 5}}, {3, {1, 300, 1}, 3, {200, 1, 1}}, {1, {100003}, 1, {100003}},
        {6, {2, 1, 3, 1, 2, 4}, 5, {5, 1, 3, 1, 1}}, {2, {3, 40000}, 2, {3, 1}}, {2, {0, 4}, 1, {4}},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const Shape a = shape_of(cases[i].a_rank, cases[i].a), b = shape_of(cases[i].b_rank, cases[i].b);
        for (Binary binary = BINARY_ADD; binary <= BINARY_PRELU; binary++) {
            check_binary(&a, &b, binary, FN_NONE, false);
            check_binary(&b, &a, binary, FN_LEAKY_RELU, false);
        }
    }
}

// ---- Affine ----

static void check_affine(const Shape *shape, Function function, bool blocked, bool with_shift) {
    Run run = {
        .problem = harness_problem(PROBLEM_AFFINE), .in_shape = {*shape}, .out_shape = {*shape}, .blocked = {blocked}};
    const int64_t n = shape_count(shape), c = shape->dim[1];
    float *x = harness_integers(n, 20, 1), *scale = harness_integers(c, 5, 2), *shift = harness_integers(c, 30, 3);
    int64_t run_length = 1;
    for (int i = 2; i < shape->rank; i++) run_length *= shape->dim[i];
    double *y = harness_doubles(n);
    run.in[0] = x;
    run.problem.scale = scale, run.problem.shift = with_shift ? shift : NULL;
    run.problem.activation.function = function;
    for (int64_t i = 0; i < n; i++) {
        const int64_t channel = i / run_length % c;
        y[i] =
            harness_function(run.problem.activation, (double)x[i] * scale[channel] + (with_shift ? shift[channel] : 0));
    }
    harness_check("affine", &solver_affine, &run, y, NULL, 1e-38, function == FN_TANH ? 1e-6 : 0);
    mem_free(x), mem_free(scale), mem_free(shift), mem_free(y);
}
TEST(affine_solver) {
    int count;
    const Shape *shapes = blocked_shapes(&count);
    for (int i = 0; i < count; i++)
        for (int blocked = 0; blocked < 2; blocked++) {
            check_affine(&shapes[i], FN_NONE, blocked, true);
            check_affine(&shapes[i], FN_RELU, blocked, false);
            check_affine(&shapes[i], FN_TANH, blocked, true);
        }
    const Shape flat = harness_shape(2, 40, 500, 0, 0, 0), wide = harness_shape(2, 1, 70001, 0, 0, 0);
    check_affine(&flat, FN_RELU, false, true);
    check_affine(&wide, FN_NONE, false, true);
}

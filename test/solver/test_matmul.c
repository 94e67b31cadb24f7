// Matrix products: constant and computed right sides, batches with broadcasting, sizes around panels and chunks.
#include "solver/harness.h"

extern const Solver solver_matmul;

typedef struct MatmulCase {
    int left_rank;
    int64_t left[5];  // (..., m, k)
    int right_rank;   // 0: a constant (k, n)
    int64_t right[5]; // (..., k, n)
    int64_t n;
    bool transposed, bias;
    Function function;
} MatmulCase;

// The matrix of a side (its leading dims) that meets batch b of the output.
static int64_t side_batch(const Shape *side, const Shape *out, int64_t b) {
    int64_t index = 0, step = 1;
    for (int d = out->rank - 3, s = side->rank - 3; d >= 0; b /= out->dim[d], d--, s--) {
        if (s < 0) continue;
        index += side->dim[s] > 1 ? b % out->dim[d] * step : 0;
        step *= side->dim[s];
    }
    return index;
}
static void expected_product(const Run *run, const float *right, const Shape *right_shape, int64_t k_size, double *y) {
    const Shape *out = &run->out_shape[0];
    const int64_t m = out->dim[out->rank - 2], n = out->dim[out->rank - 1], count = shape_count(out);
    const float *left = run->in[0];
    for (int64_t i = 0; i < count; i++) {
        const int64_t column = i % n, row = i / n % m, batch = i / n / m;
        const float *a = left + (side_batch(&run->in_shape[0], out, batch) * m + row) * k_size;
        const float *b = right + (right_shape ? side_batch(right_shape, out, batch) : 0) * k_size * n;
        double sum = run->problem.bias ? run->problem.bias[column] : 0;
        for (int64_t k = 0; k < k_size; k++)
            sum += (double)a[k] * (run->problem.transposed_weight ? b[column * k_size + k] : b[k * n + column]);
        y[i] = harness_function(run->problem.activation, sum);
    }
}
// Each configuration that tuning may try. Whole numbers: exact.
static void check_space(const char *what, Run *run, const double *y) {
    static Configuration list[HARNESS_SPACE];
    run->space = true;
    for (EACH_ISA(isa, run)) {
        const int count = harness_list(&solver_matmul, run, isa, 1, list, HARNESS_SPACE);
        CHECK_MSG(count >= 8 && count <= HARNESS_SPACE, "%s, %s: %d configurations", what, isa_name(isa), count);
        float *out = harness_normal(shape_count(&run->out_shape[0]), 9);
        for (run->configuration = 0; run->configuration < count; run->configuration++) {
            REQUIRE(harness_run(&solver_matmul, run, isa, 1 + run->configuration % 3, (void *[]){out, NULL}));
            for (int64_t i = 0; i < shape_count(&run->out_shape[0]); i++)
                CHECK_MSG(out[i] == y[i], "%s, %s, configuration %d: got %g, expected %g", what, isa_name(isa),
                          run->configuration, out[i], y[i]);
        }
    }
}
// space: all that tuning may try.
static void check_matmul(const MatmulCase *c, bool space) {
    Run run = {.problem = harness_problem(PROBLEM_MATMUL), .in_shape = {shape_of(c->left_rank, c->left)}};
    const int64_t k = c->left[c->left_rank - 1], m = c->left[c->left_rank - 2];
    const bool constant = c->right_rank == 0;
    Shape right = constant ? harness_shape(2, k, c->n, 0, 0, 0) : shape_of(c->right_rank, c->right);
    Shape a = run.in_shape[0], b = right;
    a.rank -= 2, b.rank -= 2;
    REQUIRE(shape_broadcast(&a, &b, &run.out_shape[0]));
    run.out_shape[0].dim[run.out_shape[0].rank++] = m;
    run.out_shape[0].dim[run.out_shape[0].rank++] = c->n;
    float *x = harness_integers(shape_count(&run.in_shape[0]), 4, 1), *w = harness_integers(shape_count(&right), 4, 2);
    run.in[0] = x;
    run.problem.ic = k, run.problem.activation.function = c->function, run.problem.transposed_weight = c->transposed;
    if (constant) run.problem.weight = w;
    else run.in[1] = w, run.in_shape[1] = right;
    if (c->bias) run.problem.bias = harness_integers(c->n, 9, 3);
    double *y = harness_doubles(shape_count(&run.out_shape[0]));
    expected_product(&run, w, constant ? NULL : &right, k, y);
    Text what = {0};
    shape_print(&what, &run.in_shape[0]), text_add(&what, " by "), shape_print(&what, &right);
    harness_check(text_get(&what), &solver_matmul, &run, y, NULL, 0, 0); // whole numbers: exact
    if (space) check_space(text_get(&what), &run, y);
    text_free(&what), mem_free(x), mem_free(w), mem_free(y);
}
TEST(matmul_constant_right) {
    static const int64_t sizes[] = {1, 2, 7, 15, 16, 17, 33};
    for (size_t m = 0; m < COUNT_OF(sizes); m++)
        for (size_t n = 0; n < COUNT_OF(sizes); n++)
            for (size_t k = 0; k < COUNT_OF(sizes); k += 2) {
                const MatmulCase c = {2,        {sizes[m], sizes[k]}, 0,           {0},
                                      sizes[n], (m + n) % 2,          (n + k) % 2, n % 3 ? FN_NONE : FN_RELU};
                check_matmul(&c, false);
            }
    const MatmulCase large[] = {{2, {1, 2000}, 0, {0}, 300, false, true, FN_NONE},
                                {2, {70, 1100}, 0, {0}, 65, true, true, FN_NONE},
                                {4, {2, 3, 9, 40}, 0, {0}, 50, false, false, FN_ABS},
                                {3, {5, 1, 513}, 0, {0}, 5, false, false, FN_NONE},
                                {2, {600, 64}, 0, {0}, 130, false, true, FN_RELU}};
    for (size_t i = 0; i < COUNT_OF(large); i++) check_matmul(&large[i], false);
}
TEST(matmul_two_inputs) {
    const MatmulCase cases[] = {{2, {5, 7}, 2, {7, 9}, 9, false, false, FN_NONE},
                                {3, {4, 17, 30}, 3, {4, 30, 21}, 21, false, true, FN_RELU},
                                {4, {2, 3, 5, 6}, 4, {2, 3, 6, 8}, 8, false, false, FN_NONE},
                                {4, {2, 1, 5, 6}, 4, {1, 3, 6, 8}, 8, false, false, FN_NONE},
                                {3, {3, 5, 6}, 2, {6, 8}, 8, false, false, FN_NONE},
                                {2, {5, 6}, 4, {2, 3, 6, 40}, 40, false, false, FN_NONE},
                                {3, {2, 64, 700}, 3, {2, 700, 64}, 64, false, false, FN_NONE}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) check_matmul(&cases[i], false);
}
TEST(matmul_spaces_agree) {
    const MatmulCase cases[] = {{2, {90, 70}, 0, {0}, 85, false, true, FN_RELU},
                                {3, {2, 200, 30}, 3, {2, 30, 40}, 40, false, false, FN_NONE}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) check_matmul(&cases[i], true);
}

// Instance, group and layer normalisation against two passes in double.
#include "solver/harness.h"

extern const Solver solver_norm;

static void normalise(const float *x, int64_t count, double epsilon, double *y) {
    double mean = 0, variance = 0;
    for (int64_t i = 0; i < count; i++) mean += x[i];
    mean /= (double)count;
    for (int64_t i = 0; i < count; i++) variance += (x[i] - mean) * (x[i] - mean);
    for (int64_t i = 0; i < count; i++) y[i] = (x[i] - mean) / sqrt(variance / (double)count + epsilon);
}
typedef struct NormCase {
    NormKind kind;
    int64_t groups; // GROUP; LAYER: elements
    Function function;
    bool with_scale, with_shift;
    double offset, deviation; // of the data
    double atol;
} NormCase;
// Maxima over windows of 2 along each spatial dim (2 or 3 of them); what does not fill one is left out.
static double *maxima(const double *y, const Shape *shape, Shape *small) {
    int64_t in[AXES], out[AXES], p[AXES];
    *small = *shape;
    for (int i = 2; i < shape->rank; i++) small->dim[i] /= 2;
    harness_spatial(shape, in), harness_spatial(small, out);
    double *most = harness_doubles(shape_count(small)), *to = most;
    for (int64_t plane = 0; plane < shape->dim[0] * shape->dim[1]; plane++)
        for (p[0] = 0; p[0] < out[0]; p[0]++)
            for (p[1] = 0; p[1] < out[1]; p[1]++)
                for (p[2] = 0; p[2] < out[2]; p[2]++, to++) {
                    *to = -INFINITY;
                    for (int64_t k = 0; k < (shape->rank == 5 ? 8 : 4); k++) {
                        const int64_t d = shape->rank == 5 ? 2 * p[0] + k / 4 : 0, h = 2 * p[1] + k / 2 % 2;
                        *to = fmax(*to, y[((plane * in[0] + d) * in[1] + h) * in[2] + 2 * p[2] + k % 2]);
                    }
                }
    return most;
}
static void check_pooled(const char *what, const Shape *shape, const NormCase *c, bool pool) {
    Run run = {.problem = harness_problem(PROBLEM_NORM), .in_shape = {*shape}, .out_shape = {*shape},
               .blocked = {c->kind != NORM_LAYER}};
    const bool layer = c->kind == NORM_LAYER;
    const int64_t n = shape_count(shape), parameters = layer ? c->groups : shape->dim[1];
    const int64_t groups = c->kind == NORM_INSTANCE ? shape->dim[1] : c->groups;
    const int64_t run_length = layer ? c->groups : n / shape->dim[0] / groups;
    const int64_t image = layer ? 1 : n / shape->dim[0] / shape->dim[1];
    float *x = harness_normal(n, 1), *scale = harness_normal(parameters, 2), *shift = harness_normal(parameters, 3);
    double *y = harness_doubles(n);
    for (int64_t i = 0; i < n; i++) x[i] = (float)(x[i] * c->deviation + c->offset);
    run.in[0] = x;
    run.problem.norm = c->kind, run.problem.norm_groups = c->groups, run.problem.epsilon = 1e-5;
    run.problem.scale = c->with_scale ? scale : NULL, run.problem.shift = c->with_shift ? shift : NULL;
    run.problem.activation.function = c->function;
    for (int64_t i = 0; i < n; i += run_length) normalise(x + i, run_length, 1e-5, y + i);
    for (int64_t i = 0; i < n; i++) {
        const int64_t at = i / image % parameters;
        const double value = y[i] * (c->with_scale ? scale[at] : 1) + (c->with_shift ? shift[at] : 0);
        y[i] = harness_function(run.problem.activation, value);
    }
    double *pooled = NULL;
    run.problem.has_pool = pool;
    if (pool) pooled = maxima(y, shape, &run.out_shape[1]);
    harness_check(what, &solver_norm, &run, y, pooled, c->atol, 3e-7);
    mem_free(x), mem_free(y), mem_free(scale), mem_free(shift);
}
static void check_norm(const char *what, const Shape *shape, const NormCase *c) { check_pooled(what, shape, c, false); }
TEST(norm_instance) {
    const Shape shapes[] = {harness_shape(4, 2, 19, 13, 17, 0), harness_shape(3, 2, 5, 100, 0, 0),
                            harness_shape(5, 1, 17, 5, 6, 7), harness_shape(4, 1, 16, 120, 130, 0),
                            harness_shape(4, 1, 3, 1, 2, 0)};
    for (size_t i = 0; i < COUNT_OF(shapes); i++) {
        const NormCase plain = {NORM_INSTANCE, 0, FN_NONE, true, true, 0, 1, 2e-6};
        const NormCase bare = {NORM_INSTANCE, 0, FN_LEAKY_RELU, false, false, 3, 0.5, 4e-6};
        check_norm("instance", &shapes[i], &plain);
        check_norm("instance without parameters", &shapes[i], &bare);
    }
}
TEST(norm_group) {
    const Shape shape = harness_shape(4, 2, 24, 11, 9, 0), volume = harness_shape(5, 1, 40, 4, 5, 6);
    for (int64_t groups = 1; groups <= 24; groups *= 2) {
        if (24 % groups) continue;
        const NormCase c = {NORM_GROUP, groups, FN_SIGMOID, true, true, 1, 2, 2e-6};
        check_norm("group", &shape, &c);
    }
    const NormCase five = {NORM_GROUP, 5, FN_RELU, true, false, -1, 1, 4e-6};
    check_norm("group of a volume", &volume, &five);
}
TEST(norm_layer) {
    const Shape shapes[] = {harness_shape(2, 50, 37, 0, 0, 0), harness_shape(3, 2, 30, 768, 0, 0),
                            harness_shape(1, 5, 0, 0, 0, 0), harness_shape(4, 2, 3, 5, 7, 0)};
    const int64_t lengths[] = {37, 768, 5, 35};
    for (size_t i = 0; i < COUNT_OF(shapes); i++)
        for (int parameters = 0; parameters < 3; parameters++) {
            const NormCase c = {
                NORM_LAYER, lengths[i], parameters ? FN_NONE : FN_GELU, parameters > 0, parameters > 1, 2, 3, 3e-6};
            check_norm("layer", &shapes[i], &c);
        }
}
// Offsets far from zero: what fp32 data hold of the differences is not lost. 4096 + noise of deviation 1 holds 2^-12.
TEST(norm_with_a_large_offset) {
    const Shape shape = harness_shape(4, 1, 19, 64, 64, 0), rows = harness_shape(2, 20, 4000, 0, 0, 0);
    const NormCase instance = {NORM_INSTANCE, 0, FN_NONE, true, true, 4096, 1, 4e-6};
    const NormCase group = {NORM_GROUP, 19, FN_NONE, true, true, -4096, 1, 4e-6};
    const NormCase layer = {NORM_LAYER, 4000, FN_NONE, true, true, 4096, 1, 4e-6};
    check_norm("instance", &shape, &instance);
    check_norm("group", &shape, &group);
    check_norm("layer", &rows, &layer);
}
// A constant channel has variance 0: finite, by epsilon.
TEST(norm_of_a_constant) {
    const Shape shape = harness_shape(4, 1, 5, 20, 20, 0), rows = harness_shape(2, 3, 100, 0, 0, 0);
    const NormCase instance = {NORM_INSTANCE, 0, FN_NONE, true, true, 12.34567, 0, 4e-6};
    const NormCase layer = {NORM_LAYER, 100, FN_NONE, true, true, 12.34567, 0, 4e-6};
    check_norm("instance", &shape, &instance);
    check_norm("layer", &rows, &layer);
}
// The pooled copy, also where rows, columns or slices are left over; spans that a unit takes and those cut in phases.
TEST(norm_with_a_pooled_copy) {
    const Shape shapes[] = {harness_shape(4, 2, 19, 12, 14, 0),  harness_shape(4, 1, 33, 7, 5, 0),
                            harness_shape(5, 2, 17, 6, 4, 8),    harness_shape(5, 1, 20, 5, 7, 3),
                            harness_shape(4, 1, 5, 131, 150, 0), harness_shape(5, 1, 4, 17, 40, 33)};
    for (size_t i = 0; i < COUNT_OF(shapes); i++) {
        const NormCase instance = {NORM_INSTANCE, 0, FN_LEAKY_RELU, true, true, 1, 2, 4e-6};
        const NormCase one_group = {NORM_GROUP, 1, FN_NONE, true, true, 0, 1, 4e-6};
        check_pooled("instance", &shapes[i], &instance, true);
        check_pooled("group", &shapes[i], &one_group, true);
    }
}
// One channel of given values, another of normal ones. Non-finite: the whole channel is NaN, the other as ever.
static void check_values(const char *what, float *x, int64_t side, double atol) {
    const Shape shape = harness_shape(4, 1, 2, side, side, 0);
    Run run = {.problem = harness_problem(PROBLEM_NORM), .in_shape = {shape}, .out_shape = {shape}, .blocked = {true}};
    const int64_t n = side * side;
    float *both = harness_normal(2 * n, 1);
    double *y = harness_doubles(2 * n);
    memcpy(both, x, (size_t)n * sizeof *x);
    run.in[0] = both, run.problem.norm = NORM_INSTANCE, run.problem.epsilon = 1e-5;
    for (int64_t i = 0; i < 2 * n; i += n) normalise(both + i, n, 1e-5, y + i);
    harness_check(what, &solver_norm, &run, y, NULL, atol, 3e-6);
}
// What fp32 sums of squares would lose: squares beyond fp32, and a channel that is constant but for one pixel (first,
// last, or the one that differences are taken from) or for an edge.
TEST(norm_of_values_that_are_hard_to_sum) {
    enum { SIDE = 130, N = SIDE * SIDE };
    const int64_t places[] = {0, N - 1, 16, 7 * SIDE + 48, 64 * SIDE + 129};
    for (size_t i = 0; i < COUNT_OF(places); i++) {
        float *x = harness_memory(N, sizeof *x);
        for (int64_t k = 0; k < N; k++) x[k] = 100;
        x[places[i]] = -7.3f;
        check_values("one pixel", x, SIDE, 4e-6);
    }
    float *edge = harness_memory(N, sizeof *edge), *huge = harness_normal(N, 4), *tiny = harness_normal(N, 5);
    for (int64_t k = 0; k < N; k++) {
        edge[k] = k % SIDE ? 3 : 2.9f;
        huge[k] *= 1e25f, tiny[k] = 1 + tiny[k] * 0x1p-20f;
    }
    check_values("an edge", edge, SIDE, 4e-6);
    check_values("beyond fp32", huge, SIDE, 4e-6);
    check_values("almost constant", tiny, SIDE, 4e-6);
}
TEST(norm_of_what_is_not_finite) {
    enum { SIDE = 70 };
    const float values[] = {NAN, INFINITY, -INFINITY};
    const int64_t places[] = {0, 16, 33, SIDE * SIDE - 1};
    for (size_t v = 0; v < COUNT_OF(values); v++)
        for (size_t i = 0; i < COUNT_OF(places); i++) {
            float *x = harness_normal(SIDE * SIDE, 3);
            x[places[i]] = values[v];
            check_values("not finite", x, SIDE, 4e-6);
        }
}

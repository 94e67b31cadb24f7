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
static void check_norm(const char *what, const Shape *shape, const NormCase *c) {
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
    harness_check(what, &solver_norm, &run, y, NULL, c->atol, 3e-7);
    mem_free(x), mem_free(y), mem_free(scale), mem_free(shift);
}
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

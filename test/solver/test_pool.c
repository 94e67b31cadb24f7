// Pooling against plain loops: 1 to 3 spatial dims, every kind, clipped windows, dilation, global windows.
#include "solver/harness.h"

extern const Solver solver_pool;

typedef struct PoolCase {
    int rank;
    int64_t shape[5];
    int64_t kernel[AXES], stride[AXES], dilation[AXES], begin[AXES], end[AXES];
    int64_t overhang; // more outputs than floor rounding gives (ceil_mode)
} PoolCase;

static double pool_value(const Problem *p, const float *x, const int64_t in[AXES], const int64_t o[AXES]) {
    double sum = 0, largest = -INFINITY, taps = 0, padded = 0;
    bool any_nan = false;
    for (int64_t kd = 0; kd < p->kernel[0]; kd++)
        for (int64_t kh = 0; kh < p->kernel[1]; kh++)
            for (int64_t kw = 0; kw < p->kernel[2]; kw++) {
                const int64_t k[AXES] = {kd, kh, kw};
                int64_t at = 0;
                bool inside = true, within = true;
                for (int axis = 0; axis < AXES; axis++) {
                    const int64_t i = o[axis] * p->stride[axis] - p->pad_begin[axis] + k[axis] * p->dilation[axis];
                    inside = inside && i >= 0 && i < in[axis];
                    within = within && i < in[axis] + p->pad_end[axis];
                    at = at * in[axis] + i;
                }
                padded += within;
                if (!inside) continue;
                taps++, sum += x[at], largest = fmax(largest, x[at]);
                any_nan = any_nan || isnan(x[at]);
            }
    if (p->pool == POOL_MAX) return any_nan ? NAN : largest;
    return sum / (p->pool == POOL_AVERAGE ? taps : padded);
}
static void check_pool(const char *what, const PoolCase *c, PoolKind kind, float *given, double rtol) {
    Run run = {.problem = harness_problem(PROBLEM_POOL), .in_shape = {shape_of(c->rank, c->shape)}, .blocked = {true}};
    Problem *p = &run.problem;
    p->pool = kind;
    int64_t in[AXES], out[AXES], o[AXES];
    harness_spatial(&run.in_shape[0], in);
    run.out_shape[0] = run.in_shape[0];
    for (int axis = 0; axis < AXES; axis++) {
        const int dim = axis - AXES + c->rank;
        if (dim >= 2) {
            p->kernel[axis] = c->kernel[axis], p->stride[axis] = c->stride[axis], p->dilation[axis] = c->dilation[axis];
            p->pad_begin[axis] = c->begin[axis], p->pad_end[axis] = c->end[axis];
        }
        const int64_t reach = (p->kernel[axis] - 1) * p->dilation[axis] + 1;
        out[axis] = (in[axis] + p->pad_begin[axis] + p->pad_end[axis] - reach) / p->stride[axis] + 1;
        if (dim >= 2) out[axis] += c->overhang, run.out_shape[0].dim[dim] = out[axis];
    }
    const int64_t image = in[0] * in[1] * in[2], planes = c->shape[0] * c->shape[1];
    float *x = given ? given : harness_integers(planes * image, 50, 7);
    double *y = harness_doubles(shape_count(&run.out_shape[0])), *to = y;
    for (int64_t plane = 0; plane < planes; plane++)
        for (o[0] = 0; o[0] < out[0]; o[0]++)
            for (o[1] = 0; o[1] < out[1]; o[1]++)
                for (o[2] = 0; o[2] < out[2]; o[2]++) *to++ = pool_value(p, x + plane * image, in, o);
    run.in[0] = x;
    harness_check(what, &solver_pool, &run, y, NULL, 0, rtol);
    if (!given) mem_free(x);
    mem_free(y);
}
static const PoolCase cases[] = {
    {4, {2, 19, 12, 14}, {1, 2, 2}, {1, 2, 2}, {1, 1, 1}, {0, 0, 0}, {0, 0, 0}, 0},
    {4, {1, 16, 13, 11}, {1, 2, 2}, {1, 2, 2}, {1, 1, 1}, {0, 0, 0}, {0, 0, 0}, 1}, // ceil_mode
    {4, {1, 5, 13, 11}, {1, 3, 3}, {1, 2, 2}, {1, 1, 1}, {0, 1, 1}, {0, 1, 1}, 0},
    {4, {1, 33, 20, 17}, {1, 3, 2}, {1, 1, 3}, {1, 2, 3}, {0, 2, 1}, {0, 0, 2}, 0},
    {4, {1, 3, 9, 70}, {1, 5, 7}, {1, 2, 3}, {1, 1, 1}, {0, 2, 3}, {0, 1, 0}, 1},
    {3, {3, 9, 50}, {1, 1, 3}, {1, 1, 2}, {1, 1, 1}, {0, 0, 1}, {0, 0, 1}, 0},
    {5, {1, 17, 6, 7, 8}, {2, 2, 2}, {2, 2, 2}, {1, 1, 1}, {0, 0, 0}, {0, 0, 0}, 0},
    {5, {2, 4, 7, 6, 9}, {3, 2, 3}, {2, 1, 2}, {1, 2, 1}, {1, 1, 0}, {1, 0, 1}, 0},
    {4, {2, 19, 7, 6}, {1, 7, 6}, {1, 1, 1}, {1, 1, 1}, {0, 0, 0}, {0, 0, 0}, 0},       // global, small
    {4, {2, 19, 67, 90}, {1, 67, 90}, {1, 1, 1}, {1, 1, 1}, {0, 0, 0}, {0, 0, 0}, 0},   // global
    {5, {1, 8, 20, 30, 40}, {20, 30, 40}, {1, 1, 1}, {1, 1, 1}, {0, 0, 0}, {0, 0, 0}, 0},
    {3, {2, 3, 50000}, {1, 1, 50000}, {1, 1, 1}, {1, 1, 1}, {0, 0, 0}, {0, 0, 0}, 0},
    {4, {1, 20, 30, 40}, {1, 34, 41}, {1, 1, 1}, {1, 1, 1}, {0, 2, 1}, {0, 2, 0}, 0},   // global with pads
};
// Whole numbers: maxima and sums are exact, means rounded once.
TEST(pool_max) {
    for (size_t i = 0; i < COUNT_OF(cases); i++) check_pool("max", &cases[i], POOL_MAX, NULL, 0);
}
TEST(pool_average) {
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        check_pool("average", &cases[i], POOL_AVERAGE, NULL, 1.2e-7);
        check_pool("average with pads", &cases[i], POOL_AVERAGE_WITH_PAD, NULL, 1.2e-7);
    }
}
// NaN wins in a maximum wherever it stands; infinities and very small values are kept.
TEST(pool_max_of_special_values) {
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int64_t count = 1;
        for (int d = 0; d < cases[i].rank; d++) count *= cases[i].shape[d];
        float *x = harness_normal(count, 5);
        for (int64_t k = 0; k < count; k++)
            if (k % 23 == 5) x[k] = k % 3 ? NAN : -INFINITY;
        check_pool("special", &cases[i], POOL_MAX, x, 0);
        for (int64_t k = 0; k < count; k++) x[k] = -INFINITY;
        check_pool("infinite", &cases[i], POOL_MAX, x, 0);
        mem_free(x);
    }
}
// A long mean does not lose what fp32 sums would.
TEST(pool_long_mean) {
    const PoolCase c = {4, {1, 2, 512, 512}, {1, 512, 512}, {1, 1, 1}, {1, 1, 1}, {0, 0, 0}, {0, 0, 0}, 0};
    float *x = harness_normal(2 * 512 * 512, 9);
    for (int64_t i = 0; i < 2 * 512 * 512; i++) x[i] += 1000;
    check_pool("long", &c, POOL_AVERAGE, x, 6e-8);
}

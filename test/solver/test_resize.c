// Separable resize against plain loops: nearest, linear and cubic tables, along any of the axes.
#include "base/rng.h"
#include "solver/harness.h"

extern const Solver solver_resize;

typedef struct Table {
    int32_t index[4 * 128];
    float weight[4 * 128];
} Table;
// Tables with random taps (multiples of 1/8, so that sums of small whole numbers are exact), or of bilinear x2.
static AxisTaps make_taps(Table *table, int taps, int64_t in, int64_t out, bool bilinear, uint64_t seed) {
    Rng rng;
    rng_seed(&rng, seed);
    for (int64_t o = 0; o < out; o++)
        for (int t = 0; t < taps; t++) {
            const int64_t at = o * taps + t, left = (2 * o - 1 + 4) / 4 - 1;
            table->index[at] =
                bilinear ? (int32_t)MIN(MAX(left + t, 0), in - 1) : (int32_t)rng_below(&rng, (uint64_t)in);
            table->weight[at] = taps == 1 ? 1 : (float)((int)rng_below(&rng, 17) - 8) / 8;
            if (bilinear) table->weight[at] = (o % 2 == 0) == (t == 1) ? 0.75f : 0.25f;
        }
    return (AxisTaps){taps, table->index, table->weight};
}
static double blended(const Problem *p, const float *x, const int64_t in[AXES], const int64_t o[AXES]) {
    double sum = 0;
    int64_t taps[AXES];
    for (int axis = 0; axis < AXES; axis++) taps[axis] = MAX(p->taps[axis].taps, 1);
    for (int64_t k = 0; k < taps[0] * taps[1] * taps[2]; k++) {
        const int64_t t[AXES] = {k / taps[2] / taps[1], k / taps[2] % taps[1], k % taps[2]};
        int64_t at = 0;
        double weight = 1;
        for (int axis = 0; axis < AXES; axis++) {
            const AxisTaps *a = &p->taps[axis];
            at = at * in[axis] + (a->taps ? a->index[o[axis] * a->taps + t[axis]] : o[axis]);
            weight *= a->taps ? a->weight[o[axis] * a->taps + t[axis]] : 1;
        }
        sum += weight * x[at];
    }
    return sum;
}
static void check_resize(int rank, const int64_t *in_dims, const int64_t *out_size, const int taps[AXES],
                         bool bilinear) {
    Run run = {.problem = harness_problem(PROBLEM_RESIZE), .in_shape = {shape_of(rank, in_dims)}, .blocked = {true}};
    Table tables[AXES];
    int64_t in[AXES], out[AXES], o[AXES];
    harness_spatial(&run.in_shape[0], in);
    run.out_shape[0] = run.in_shape[0];
    for (int axis = 0; axis < AXES; axis++) {
        const int dim = axis - AXES + rank;
        out[axis] = dim >= 2 && taps[axis] ? out_size[axis] : in[axis];
        if (dim >= 2) run.out_shape[0].dim[dim] = out[axis];
        if (dim >= 2 && taps[axis])
            run.problem.taps[axis] =
                make_taps(&tables[axis], taps[axis], in[axis], out[axis], bilinear, (uint64_t)axis);
    }
    const int64_t image = in[0] * in[1] * in[2], planes = in_dims[0] * in_dims[1];
    float *x = harness_integers(planes * image, 30, 7);
    double *y = harness_doubles(shape_count(&run.out_shape[0])), *to = y;
    for (int64_t plane = 0; plane < planes; plane++)
        for (o[0] = 0; o[0] < out[0]; o[0]++)
            for (o[1] = 0; o[1] < out[1]; o[1]++)
                for (o[2] = 0; o[2] < out[2]; o[2]++) *to++ = blended(&run.problem, x + plane * image, in, o);
    run.in[0] = x;
    harness_check("resize", &solver_resize, &run, y, NULL, 0, 0);
    mem_free(x), mem_free(y);
}
TEST(resize_bilinear_doubles) {
    check_resize(4, (const int64_t[]){2, 19, 9, 13}, (const int64_t[]){1, 18, 26}, (const int[]){0, 2, 2}, true);
    check_resize(4, (const int64_t[]){1, 3, 64, 60}, (const int64_t[]){1, 128, 120}, (const int[]){0, 2, 2}, true);
    check_resize(5, (const int64_t[]){1, 5, 3, 4, 6}, (const int64_t[]){6, 8, 12}, (const int[]){2, 2, 2}, true);
    check_resize(3, (const int64_t[]){2, 17, 30}, (const int64_t[]){1, 1, 60}, (const int[]){0, 0, 2}, true);
}
TEST(resize_any_taps) {
    static const int counts[] = {0, 1, 2, 3, 4};
    for (int d = 0; d < 3; d++)
        for (int h = 0; h < 5; h++)
            for (int w = 0; w < 5; w++)
                check_resize(5, (const int64_t[]){1, 9, 3, 5, 7}, (const int64_t[]){4, 11, 13},
                             (const int[]){counts[d], counts[h], counts[w]}, false);
    for (int taps = 1; taps <= 4; taps++) {
        check_resize(4, (const int64_t[]){2, 33, 20, 11}, (const int64_t[]){1, 7, 5}, (const int[]){0, taps, taps},
                     false);
        check_resize(3, (const int64_t[]){3, 4, 50}, (const int64_t[]){1, 1, 33}, (const int[]){0, 0, taps}, false);
    }
}

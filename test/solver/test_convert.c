// Conversions between layouts keep every value; lanes beyond c come out finite.
#include "solver/harness.h"

extern const Solver solver_convert;

static void check_convert(const Shape *shape, int in_block, int out_block) {
    Run run = {.problem = harness_problem(PROBLEM_CONVERT), .in_shape = {*shape}, .out_shape = {*shape},
               .in_block = in_block, .out_block = out_block};
    const int64_t n = shape_count(shape);
    float *x = harness_normal(n, 1);
    double *y = harness_doubles(n);
    for (int64_t i = 0; i < n; i++) y[i] = x[i];
    run.in[0] = x;
    Text what = {0};
    shape_print(&what, shape), text_add(&what, " from block %d to %d", in_block, out_block);
    harness_check(text_get(&what), &solver_convert, &run, y, NULL, 0, 0);
    text_free(&what), mem_free(x), mem_free(y);
}
TEST(convert_between_all_layouts) {
    const Shape shapes[] = {harness_shape(4, 2, 19, 7, 9, 0),  harness_shape(4, 1, 3, 20, 33, 0),
                            harness_shape(3, 2, 16, 50, 0, 0), harness_shape(5, 1, 33, 3, 4, 5),
                            harness_shape(4, 1, 1, 1, 1, 0),   harness_shape(4, 1, 64, 40, 3, 0)};
    static const int blocks[] = {0, 1, 3, 4, 8, 16};
    for (size_t s = 0; s < COUNT_OF(shapes); s++)
        for (size_t i = 0; i < COUNT_OF(blocks); i++)
            for (size_t o = 0; o < COUNT_OF(blocks); o++) check_convert(&shapes[s], blocks[i], blocks[o]);
}

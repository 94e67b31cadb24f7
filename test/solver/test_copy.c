// Strided copies against plain loops, for elements of 1, 2, 4 and 8 bytes.
#include "solver/harness.h"

extern const Solver solver_copy;

static size_t element_size;
static unsigned char *numbered(int64_t count) {
    unsigned char *data = harness_memory(count, element_size);
    for (int64_t i = 0; i < count * (int64_t)element_size; i++) data[i] = (unsigned char)(i * 7 + i / 251);
    return data;
}
// What the copies of the problem say, element by element.
static unsigned char *expected_copies(const Run *run, const void *fill) {
    unsigned char *out = numbered(shape_count(&run->out_shape[0]));
    for (int i = 0; i < run->problem.n_copies; i++) {
        const StridedCopy *c = &run->problem.copies[i];
        int64_t count = 1;
        for (int d = 0; d < c->rank; d++) count *= c->count[d];
        for (int64_t k = 0; k < count; k++) {
            int64_t rest = k, from = c->from_offset, to = c->to_offset;
            for (int d = c->rank - 1; d >= 0; rest /= c->count[d], d--)
                from += rest % c->count[d] * c->from_stride[d], to += rest % c->count[d] * c->to_stride[d];
            const unsigned char *source =
                c->input < 0 ? fill : (const unsigned char *)run->in[c->input] + from * (int64_t)element_size;
            memcpy(out + to * (int64_t)element_size, source, element_size);
        }
    }
    return out;
}
static void check_copies(const char *what, Run run, const StridedCopy *copies, int n) {
    static const DType dtypes[] = {DT_U8, DT_F16, DT_F32, DT_I64};
    for (size_t i = 0; i < COUNT_OF(dtypes); i++) {
        element_size = dtype_size(dtypes[i]);
        run.dtype = dtypes[i];
        const uint64_t fill = 0x8070605040302010;
        run.problem.copies = copies, run.problem.n_copies = n, run.problem.fill = fill;
        for (int k = 0; k < PROBLEM_INPUTS && run.in_shape[k].rank; k++)
            run.in[k] = numbered(shape_count(&run.in_shape[k]));
        harness_check_bytes(what, &solver_copy, &run, expected_copies(&run, &fill));
    }
}

TEST(copy_transposes) {
    const Run run = {.problem = harness_problem(PROBLEM_COPY), .in_shape = {harness_shape(4, 2, 37, 41, 19, 0)},
                     .out_shape = {harness_shape(4, 2, 41, 19, 37, 0)}};
    const StridedCopy to_last = {
        0, 4, {2, 41, 19, 37}, 0, {37 * 41 * 19, 19, 1, 41 * 19}, 0, {37 * 41 * 19, 19 * 37, 37, 1}};
    check_copies("channels last", run, &to_last, 1);
    const Run back = {.problem = harness_problem(PROBLEM_COPY), .in_shape = {harness_shape(4, 1, 200, 150, 3, 0)},
                      .out_shape = {harness_shape(4, 1, 3, 200, 150, 0)}};
    const StridedCopy to_first = {0, 4, {1, 3, 200, 150}, 0, {90000, 1, 450, 3}, 0, {90000, 30000, 150, 1}};
    check_copies("channels first", back, &to_first, 1);
}
// Matrices of whole and cut tiles, lying close and far apart on either side; one whose columns are read backwards.
TEST(copy_transposes_in_tiles) {
    static const int64_t sizes[][2] = {{4, 4},    {1, 300},  {300, 1},  {3, 5},   {16, 8},
                                       {67, 130}, {130, 67}, {513, 40}, {40, 513}};
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        const int64_t h = sizes[i][0], w = sizes[i][1];
        const Run run = {.problem = harness_problem(PROBLEM_COPY),
                         .in_shape = {harness_shape(3, 2, h, w, 0, 0)},
                         .out_shape = {harness_shape(3, 2, w, h, 0, 0)}};
        const StridedCopy flip = {0, 3, {2, w, h}, 0, {h * w, 1, w}, 0, {h * w, h, 1}};
        check_copies("matrix", run, &flip, 1);
        const StridedCopy backwards = {0, 3, {2, w, h}, (h - 1) * w, {h * w, 1, -w}, 0, {h * w, h, 1}};
        check_copies("backwards", run, &backwards, 1);
    }
}
TEST(copy_concatenates_and_pads) {
    const Run concat = {.problem = harness_problem(PROBLEM_COPY),
                        .in_shape = {harness_shape(3, 3, 5, 7, 0, 0), harness_shape(3, 3, 2, 7, 0, 0)},
                        .out_shape = {harness_shape(3, 3, 7, 7, 0, 0)}};
    const StridedCopy parts[] = {{0, 2, {3, 35}, 0, {35, 1}, 0, {49, 1}}, {1, 2, {3, 14}, 0, {14, 1}, 35, {49, 1}}};
    check_copies("concat", concat, parts, 2);
    // One element of padding all around 4 x 6; the middle reversed along the width.
    const Run pad = {.problem = harness_problem(PROBLEM_COPY), .in_shape = {harness_shape(2, 4, 6, 0, 0, 0)},
                     .out_shape = {harness_shape(2, 6, 8, 0, 0, 0)}};
    const StridedCopy pieces[] = {{-1, 2, {6, 8}, 0, {0, 0}, 0, {8, 1}}};
    check_copies("fill", pad, pieces, 1);
    const StridedCopy framed[] = {{-1, 1, {8}, 0, {0}, 0, {1}}, {-1, 1, {8}, 0, {0}, 40, {1}},
                                  {-1, 2, {4, 2}, 0, {0, 0}, 8, {8, 7}}, {0, 2, {4, 6}, 5, {6, -1}, 9, {8, 1}}};
    check_copies("frame", pad, framed, 4);
}
TEST(copy_expands_and_takes_nothing) {
    const Run expand = {.problem = harness_problem(PROBLEM_COPY), .in_shape = {harness_shape(2, 300, 1, 0, 0, 0)},
                        .out_shape = {harness_shape(2, 300, 90, 0, 0, 0)}};
    const StridedCopy copy = {0, 2, {300, 90}, 0, {1, 0}, 0, {90, 1}};
    check_copies("expand", expand, &copy, 1);
    const Run scalar = {.problem = harness_problem(PROBLEM_COPY), .in_shape = {harness_shape(1, 5, 0, 0, 0, 0)},
                        .out_shape = {harness_shape(1, 1, 0, 0, 0, 0)}};
    const StridedCopy one[] = {{0, 0, {0}, 3, {0}, 0, {0}}, {0, 2, {0, 4}, 0, {1, 1}, 0, {1, 1}}};
    check_copies("scalar", scalar, one, 2);
    const Run large = {.problem = harness_problem(PROBLEM_COPY), .in_shape = {harness_shape(1, 300000, 0, 0, 0, 0)},
                       .out_shape = {harness_shape(1, 100000, 0, 0, 0, 0)}};
    const StridedCopy step = {0, 1, {100000}, 1, {3}, 0, {1}};
    check_copies("slice", large, &step, 1);
}

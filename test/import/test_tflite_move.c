// Operators that move, cut, resize and make data.
#include "import/tflite_check.h"

static double n(int i) { return test_number(i); }

TEST(concatenation) {
    OneOp one = one_op("2,1", T_FLOAT32);
    const int w = tflite_floats(&one.file, "w", "2,2", (const float[]){1, 2, 3, -4});
    tflite_op(&one.file, 2, 10, "0=i:-1 1=b:1", (int[]){one.x, w, one.x}, 3, (int[]){one.y}, 1);
    GIVES(&one.file, "2x4", fmax(n(0), 0), 1, 2, fmax(n(0), 0), fmax(n(1), 0), 3, 0, fmax(n(1), 0));
}

TEST(reshapes) {
    OneOp one = one_op("2,2", T_FLOAT32);
    int list = tflite_ints(&one.file, "shape", "1,-1");
    tflite_op(&one.file, 22, 17, "", (int[]){one.x, list}, 2, (int[]){one.y}, 1);
    GIVES(&one.file, "1x4", n(0), n(1), n(2), n(3));
    one = one_op("2,2", T_FLOAT32); // old files have the shape in the options
    tflite_op(&one.file, 22, 17, "0=v:4,1", (int[]){one.x}, 1, (int[]){one.y}, 1);
    GIVES(&one.file, "4x1", n(0), n(1), n(2), n(3));
    one = one_op("1,1", T_FLOAT32); // to a scalar
    list = tflite_ints(&one.file, "shape", "");
    tflite_op(&one.file, 22, 17, "", (int[]){one.x, list}, 2, (int[]){one.y}, 1);
    GIVES(&one.file, "scalar", n(0));
    one = one_op("2,2", T_FLOAT32);
    list = tflite_ints(&one.file, "shape", "3,-1");
    tflite_op(&one.file, 22, 17, "", (int[]){one.x, list}, 2, (int[]){one.y}, 1);
    check_refused(&one.file, ST_BAD, "RESHAPE 'y'|expected the elements of [2x2] to fill");
}

// The batch, which is not known, by way of SHAPE and STRIDED_SLICE; the rest is.
TEST(reshapes_to_a_computed_shape) {
    OneOp one = one_op("?,4", T_FLOAT32);
    TfliteFile *file = &one.file;
    const int shape = tflite_tensor(file, "shape", T_INT32, "2"), batch = tflite_tensor(file, "n", T_INT32, "1");
    const int from = tflite_ints(file, "from", "0"), to = tflite_ints(file, "to", "1"),
              step = tflite_ints(file, "step", "1");
    const int two = tflite_ints(file, "two", "2,2"), all = tflite_tensor(file, "all", T_INT32, "3");
    tflite_op(file, 77, 55, "0=b:2", (int[]){one.x}, 1, (int[]){shape}, 1);
    tflite_op(file, 45, 32, "", (int[]){shape, from, to, step}, 4, (int[]){batch}, 1);
    tflite_op(file, 2, 10, "0=i:0", (int[]){batch, two}, 2, (int[]){all}, 1);
    tflite_op(file, 22, 0, NULL, (int[]){one.x, all}, 2, (int[]){one.y}, 1);
    Imported model;
    CHECK_OK(import_model(tflite_save(file, "reshape.tflite"), NULL, &model));
    const Type *type = &model.graph->values[model.graph->outputs[0]].type;
    CHECK(type->rank == 3 && type->dim[0] <= DIM_SYMBOL_0 && type->dim[1] == 2 && type->dim[2] == 2);
    import_free(&model);
}

TEST(dims_of_one) {
    OneOp one = one_op("1,2,1", T_FLOAT32);
    tflite_op(&one.file, 43, 30, "0=v:0", (int[]){one.x}, 1, (int[]){one.y}, 1);
    GIVES(&one.file, "2x1", n(0), n(1));
    one = one_op("1,2,1", T_FLOAT32);
    tflite_op(&one.file, 43, 30, "", (int[]){one.x}, 1, (int[]){one.y}, 1);
    GIVES(&one.file, "2", n(0), n(1));
    one = one_op("2", T_FLOAT32);
    const int axis = tflite_int(&one.file, "axis", -1);
    tflite_op(&one.file, 70, 52, "", (int[]){one.x, axis}, 2, (int[]){one.y}, 1);
    GIVES(&one.file, "2x1", n(0), n(1));
}

TEST(transposes) {
    OneOp one = one_op("2,3", T_FLOAT32);
    int perm = tflite_ints(&one.file, "perm", "1,0");
    tflite_op(&one.file, 39, 26, "", (int[]){one.x, perm}, 2, (int[]){one.y}, 1);
    GIVES(&one.file, "3x2", n(0), n(3), n(1), n(4), n(2), n(5));
    one = one_op("2,3", T_FLOAT32);
    perm = tflite_ints(&one.file, "perm", "1,1");
    tflite_op(&one.file, 39, 26, "", (int[]){one.x, perm}, 2, (int[]){one.y}, 1);
    check_refused(&one.file, ST_BAD, "TRANSPOSE 'y'|stands twice");
}

TEST(pads) {
    for (int version = 1; version <= 2; version++) {
        OneOp one = one_op("1,2", T_FLOAT32);
        const int pads = tflite_bytes(&one.file, "pads", T_INT32, "2,2", (const int32_t[]){0, 1, 2, 0}, 16);
        const int value = tflite_floats(&one.file, "v", "", (const float[]){7});
        const double v = version == 1 ? 0 : 7;
        tflite_op(&one.file, version == 1 ? 34 : 60, 0, NULL, (int[]){one.x, pads, value}, version + 1, (int[]){one.y},
                  1);
        GIVES(&one.file, "2x4", v, v, n(0), n(1), v, v, v, v);
    }
    OneOp one = one_op("1,2", T_FLOAT32);
    const int pads = tflite_bytes(&one.file, "pads", T_INT32, "2,2", (const int32_t[]){0, -1, 2, 0}, 16);
    tflite_op(&one.file, 34, 0, NULL, (int[]){one.x, pads}, 2, (int[]){one.y}, 1);
    check_refused(&one.file, ST_BAD, "PAD 'y'|expected pads from 0");
}

TEST(mirrored_pads) {
    OneOp one = one_op("3", T_FLOAT32);
    int pads = tflite_bytes(&one.file, "pads", T_INT32, "1,2", (const int32_t[]){2, 1}, 8);
    tflite_op(&one.file, 100, 77, "0=b:0", (int[]){one.x, pads}, 2, (int[]){one.y}, 1);
    GIVES(&one.file, "6", n(2), n(1), n(0), n(1), n(2), n(1));
    one = one_op("3", T_FLOAT32);
    pads = tflite_bytes(&one.file, "pads", T_INT32, "1,2", (const int32_t[]){2, 3}, 8);
    tflite_op(&one.file, 100, 77, "0=b:1", (int[]){one.x, pads}, 2, (int[]){one.y}, 1);
    GIVES(&one.file, "8", n(1), n(0), n(0), n(1), n(2), n(2), n(1), n(0));
    one = one_op("3", T_FLOAT32);
    pads = tflite_bytes(&one.file, "pads", T_INT32, "1,2", (const int32_t[]){4, 0}, 8);
    tflite_op(&one.file, 100, 77, "0=b:1", (int[]){one.x, pads}, 2, (int[]){one.y}, 1);
    check_refused(&one.file, ST_BAD, "pads of at most 3, got 4");
}

TEST(reversed_axes) {
    OneOp one = one_op("2,2", T_FLOAT32);
    const int axes = tflite_ints(&one.file, "axes", "1,-2");
    tflite_op(&one.file, 105, 0, NULL, (int[]){one.x, axes}, 2, (int[]){one.y}, 1);
    GIVES(&one.file, "2x2", n(3), n(2), n(1), n(0));
}

// ---- parts

TEST(splits) {
    OneOp one = one_op("4", T_FLOAT32);
    int axis = tflite_int(&one.file, "axis", 0), first = tflite_tensor(&one.file, "a", T_FLOAT32, "2");
    tflite_op(&one.file, 49, 35, "0=i:2", (int[]){axis, one.x}, 2, (int[]){first, one.y}, 2);
    GIVES(&one.file, "2", n(2), n(3));
    one = one_op("4", T_FLOAT32);
    axis = tflite_int(&one.file, "axis", 0), first = tflite_tensor(&one.file, "a", T_FLOAT32, "1");
    const int sizes = tflite_ints(&one.file, "sizes", "1,-1");
    tflite_op(&one.file, 102, 79, "0=i:2", (int[]){one.x, sizes, axis}, 3, (int[]){first, one.y}, 2);
    GIVES(&one.file, "3", n(1), n(2), n(3));
    one = one_op("4", T_FLOAT32);
    axis = tflite_int(&one.file, "axis", 0);
    tflite_op(&one.file, 49, 35, "0=i:2", (int[]){axis, one.x}, 2, (int[]){one.y}, 1);
    check_refused(&one.file, ST_BAD, "SPLIT 'y'|expected 1 parts as there are outputs, got 2");
}

TEST(packs) {
    OneOp one = one_op("2", T_FLOAT32);
    const int w = tflite_floats(&one.file, "w", "2", (const float[]){1, 2});
    tflite_op(&one.file, 83, 59, "0=i:2 1=i:1", (int[]){one.x, w}, 2, (int[]){one.y}, 1);
    GIVES(&one.file, "2x2", n(0), 1, n(1), 2);
    one = one_op("2,2", T_FLOAT32);
    const int first = tflite_tensor(&one.file, "a", T_FLOAT32, "2");
    tflite_op(&one.file, 88, 64, "0=i:2 1=i:1", (int[]){one.x}, 1, (int[]){first, one.y}, 2);
    GIVES(&one.file, "2", n(1), n(3));
}

TEST(gathers) {
    OneOp one = one_op("2,2", T_FLOAT32);
    int indices = tflite_ints(&one.file, "i", "1,0,1");
    tflite_op(&one.file, 36, 23, "0=i:1", (int[]){one.x, indices}, 2, (int[]){one.y}, 1);
    GIVES(&one.file, "2x3", n(1), n(0), n(1), n(3), n(2), n(3));
    one = one_op("2,2", T_FLOAT32);
    indices = tflite_bytes(&one.file, "i", T_INT32, "1,2", (const int32_t[]){1, 0}, 8);
    tflite_op(&one.file, 107, 83, "", (int[]){one.x, indices}, 2, (int[]){one.y}, 1);
    GIVES(&one.file, "1", n(2));
    one = one_op("2,2", T_FLOAT32);
    indices = tflite_ints(&one.file, "i", "0");
    tflite_op(&one.file, 36, 23, "0=i:1 1=i:1", (int[]){one.x, indices}, 2, (int[]){one.y}, 1);
    check_refused(&one.file, ST_UNSUPPORTED, "GATHER 'y'|batch_dims");
}

TEST(scattered_updates_add_up) {
    OneOp one = one_op("3,1", T_FLOAT32);
    const int indices = tflite_bytes(&one.file, "i", T_INT32, "3,1", (const int32_t[]){2, 0, 2}, 12);
    const int shape = tflite_ints(&one.file, "shape", "4,1");
    tflite_op(&one.file, 122, 97, "", (int[]){indices, one.x, shape}, 3, (int[]){one.y}, 1);
    GIVES(&one.file, "4x1", n(1), 0, n(0) + n(2), 0);
}

// ---- slices

static void check_strided(const char *options, const char *begin, const char *end, const char *step, const char *shape,
                          const double *expected) {
    OneOp one = one_op("2,3,2", T_FLOAT32);
    const int b = tflite_ints(&one.file, "b", begin), e = tflite_ints(&one.file, "e", end);
    const int s = tflite_ints(&one.file, "s", step);
    tflite_op(&one.file, 45, 32, options, (int[]){one.x, b, e, s}, 4, (int[]){one.y}, 1);
    check_gives(&one.file, shape, expected);
}

TEST(strided_slices) {
    const double *none = (const double[]){n(6), n(7)};
    check_strided("", "1,0,0", "2,1,2", "1,1,1", "1x1x2", none);
    check_strided("4=i:3", "1,0,0", "2,1,2", "1,1,1", "2", none);                                      // two dims go
    check_strided("4=i:3", "-1,-3,0", "0,0,2", "1,1,1", "2", none);                                    // from the end
    check_strided("0=i:4 1=i:4 4=i:3", "1,0,7", "9,9,-9", "1,1,1", "2", none);                         // masks
    check_strided("2=i:2 4=i:5", "1,0,1", "2,0,2", "1,1,1", "3", (const double[]){n(7), n(9), n(11)}); // x[1, ..., 1]
    check_strided("2=i:1 3=i:2 4=i:4", "0,0,1", "0,0,0", "1,1,1", "2x3x1", // x[..., newaxis, 1]
                  (const double[]){n(1), n(3), n(5), n(7), n(9), n(11)});
    check_strided("3=i:1 4=i:6", "0,1,2", "0,2,3", "1,1,1", "1x2", (const double[]){n(10), n(11)}); // x[newaxis, 1, 2]
    check_strided("0=i:2 1=i:2 4=i:5", "0,0,1", "1,0,2", "1,-2,1", "2", (const double[]){n(5), n(1)});
    check_strided("4=i:1 5=b:1", "1,1,0", "1,2,1", "1,1,1", "2x1", (const double[]){n(8), n(10)}); // ends as lengths
    check_strided("4=i:1", "1", "2", "1", "3x2", (const double[]){n(6), n(7), n(8), n(9), n(10), n(11)});
}

TEST(slices_that_cannot_be) {
    OneOp one = one_op("2", T_FLOAT32);
    int b = tflite_ints(&one.file, "b", "0"), e = tflite_ints(&one.file, "e", "1"),
        s = tflite_ints(&one.file, "s", "0");
    tflite_op(&one.file, 45, 32, "", (int[]){one.x, b, e, s}, 4, (int[]){one.y}, 1);
    check_refused(&one.file, ST_BAD, "STRIDED_SLICE 'y'|strides other than 0");
    one = one_op("2", T_FLOAT32);
    b = tflite_ints(&one.file, "b", "0,0"), e = tflite_ints(&one.file, "e", "1,1"),
    s = tflite_ints(&one.file, "s", "1,1");
    tflite_op(&one.file, 45, 32, "", (int[]){one.x, b, e, s}, 4, (int[]){one.y}, 1);
    check_refused(&one.file, ST_BAD, "at most 1 entries for the dims, got 2");
    one = one_op("2", T_FLOAT32);
    b = tflite_tensor(&one.file, "b", T_INT32, "1"), e = tflite_ints(&one.file, "e", "1");
    s = tflite_ints(&one.file, "s", "1");
    tflite_op(&one.file, 56, 40, "", (int[]){one.x, s}, 2, (int[]){b}, 1); // computed: ARG_MAX
    tflite_op(&one.file, 45, 32, "", (int[]){one.x, b, e, s}, 4, (int[]){one.y}, 1);
    check_refused(&one.file, ST_BAD, "ARG_MAX 'b'|axis of 1 dims");
    one = one_op("1,2", T_FLOAT32);
    b = tflite_tensor(&one.file, "b", T_INT32, "1"), e = tflite_ints(&one.file, "e", "1");
    s = tflite_ints(&one.file, "s", "1");
    tflite_op(&one.file, 56, 40, "", (int[]){one.x, s}, 2, (int[]){b}, 1);
    tflite_op(&one.file, 45, 32, "", (int[]){one.x, b, e, s}, 4, (int[]){one.y}, 1);
    check_refused(&one.file, ST_UNSUPPORTED, "STRIDED_SLICE 'y'|computed in the run");
}

TEST(slices) {
    OneOp one = one_op("2,3", T_FLOAT32);
    int b = tflite_ints(&one.file, "b", "0,1"), s = tflite_ints(&one.file, "s", "-1,1");
    tflite_op(&one.file, 65, 48, "", (int[]){one.x, b, s}, 3, (int[]){one.y}, 1);
    GIVES(&one.file, "2x1", n(1), n(4));
    one = one_op("2,3", T_FLOAT32);
    b = tflite_ints(&one.file, "b", "0,0"), s = tflite_ints(&one.file, "s", "-1,-1");
    tflite_op(&one.file, 65, 48, "", (int[]){one.x, b, s}, 3, (int[]){one.y}, 1);
    GIVES(&one.file, "2x3", n(0), n(1), n(2), n(3), n(4), n(5));
}

// ---- made from little

TEST(tiles_and_broadcasts) {
    OneOp one = one_op("1,2", T_FLOAT32);
    int list = tflite_ints(&one.file, "list", "2,2");
    tflite_op(&one.file, 69, 0, NULL, (int[]){one.x, list}, 2, (int[]){one.y}, 1);
    GIVES(&one.file, "2x4", n(0), n(1), n(0), n(1), n(0), n(1), n(0), n(1));
    one = one_op("1,2", T_FLOAT32);
    list = tflite_ints(&one.file, "list", "2,2");
    tflite_op(&one.file, 130, 104, "", (int[]){one.x, list}, 2, (int[]){one.y}, 1);
    GIVES(&one.file, "2x2", n(0), n(1), n(0), n(1));
    one = one_op("1", T_FLOAT32);
    list = tflite_ints(&one.file, "list", "3");
    const int seven = tflite_floats(&one.file, "seven", "", (const float[]){7});
    tflite_op(&one.file, 94, 68, "", (int[]){list, seven}, 2, (int[]){one.y}, 1);
    GIVES(&one.file, "3", 7, 7, 7);
}

TEST(shapes_and_ranks) {
    OneOp one = one_op("2,3", T_INT32);
    tflite_op(&one.file, 77, 55, "0=b:2", (int[]){one.x}, 1, (int[]){one.y}, 1);
    GIVES(&one.file, "2", 2, 3);
    one = one_op("2,3", T_INT32);
    tflite_op(&one.file, 110, 86, "", (int[]){one.x}, 1, (int[]){one.y}, 1);
    GIVES(&one.file, "scalar", 2);
}

TEST(ranges) {
    OneOp one = one_op("1", T_INT32);
    const int a = tflite_int(&one.file, "a", 7), b = tflite_int(&one.file, "b", 1), c = tflite_int(&one.file, "c", -3);
    tflite_op(&one.file, 96, 73, "", (int[]){a, b, c}, 3, (int[]){one.y}, 1);
    GIVES(&one.file, "2", 7, 4);
}

// ---- pixels

static void check_resize(int code, const char *options, int out, const double *expected) {
    OneOp one = one_op("1,3,1,1", T_FLOAT32);
    char list[16];
    snprintf(list, sizeof list, "%d,1", out);
    const int size = tflite_ints(&one.file, "size", list);
    tflite_op(&one.file, code, code == 23 ? 15 : 74, options, (int[]){one.x, size}, 2, (int[]){one.y}, 1);
    char shape[32];
    snprintf(shape, sizeof shape, "1x%dx1x1", out);
    check_gives(&one.file, shape, expected);
}
static double between(double at) {
    const int i = (int)floor(fmin(fmax(at, 0), 2));
    const double part = fmin(fmax(at, 0), 2) - i;
    return n(i) + (part > 0 ? part * (n(i + 1) - n(i)) : 0);
}

TEST(bilinear_resizes) {
    double plain[5], centres[5], corners[5];
    for (int i = 0; i < 5; i++) {
        plain[i] = between(i * 3 / 5.0);
        centres[i] = between((i + 0.5) * 3 / 5.0 - 0.5);
        corners[i] = between(i * 2 / 4.0);
    }
    check_resize(23, "", 5, plain);
    check_resize(23, "3=b:1", 5, centres);
    check_resize(23, "2=b:1", 5, corners);
}

TEST(nearest_resizes) {
    for (int out = 2; out <= 7; out++) {
        double plain[7], centres[7], corners[7];
        for (int i = 0; i < out; i++) {
            plain[i] = n(MIN(i * 3 / out, 2));
            centres[i] = n(MIN((2 * i + 1) * 3 / (2 * out), 2));
            corners[i] = n((int)floor(i * 2.0 / (out - 1) + 0.5));
        }
        check_resize(97, "", out, plain);
        check_resize(97, "1=b:1", out, centres);
        check_resize(97, "0=b:1", out, corners);
    }
    OneOp one = one_op("1,3,1,1", T_FLOAT32);
    const int size = tflite_ints(&one.file, "size", "2,2");
    tflite_op(&one.file, 97, 74, "0=b:1 1=b:1", (int[]){one.x, size}, 2, (int[]){one.y}, 1);
    check_refused(&one.file, ST_BAD, "RESIZE_NEAREST_NEIGHBOR 'y'|got both");
}

TEST(blocks_of_pixels) {
    OneOp one = one_op("1,1,2,4", T_FLOAT32);
    tflite_op(&one.file, 5, 94, "0=i:2", (int[]){one.x}, 1, (int[]){one.y}, 1);
    GIVES(&one.file, "1x2x4x1", n(0), n(1), n(4), n(5), n(2), n(3), n(6), n(7));
    one = one_op("1,2,2,2", T_FLOAT32);
    tflite_op(&one.file, 26, 19, "0=i:2", (int[]){one.x}, 1, (int[]){one.y}, 1);
    GIVES(&one.file, "1x1x1x8", n(0), n(1), n(2), n(3), n(4), n(5), n(6), n(7));
}

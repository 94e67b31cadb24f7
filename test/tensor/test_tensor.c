#include "tensor/tensor.h"
#include "test.h"

static Tensor one(Arena *arena, DType dtype) {
    Tensor tensor;
    CHECK_OK(tensor_make(arena, dtype, shape_of(1, (int64_t[]){3}), &tensor));
    return tensor;
}

TEST(make) {
    Arena arena = {0};
    Tensor tensor;
    CHECK_OK(tensor_make(&arena, DT_F64, shape_of(2, (int64_t[]){3, 5}), &tensor));
    CHECK_INT(tensor_bytes(&tensor), 120);
    CHECK_INT(tensor_count(&tensor), 15);
    for (int i = 0; i < 15; i++) CHECK(tensor_get(&tensor, i) == 0);
    CHECK_OK(tensor_make(&arena, DT_I8, shape_of(1, (int64_t[]){0}), &tensor));
    CHECK(tensor.data);
    CHECK_INT(tensor_make(&arena, DT_F32, shape_of(1, (int64_t[]){-1}), &tensor), ST_BAD);
    CHECK_INT(tensor_make(&arena, DT_F32, shape_of(1, (int64_t[]){INT64_MAX / 2}), &tensor), ST_BAD);
    CHECK_INT(tensor_make(&arena, DT_U8, shape_of(1, (int64_t[]){INT64_MAX / 4}), &tensor), ST_RESOURCE);
    mem_fail_after(0);
    CHECK_INT(tensor_make(&arena, DT_U8, shape_of(1, (int64_t[]){1 << 20}), &tensor), ST_RESOURCE);
    arena_free(&arena);
}

TEST(elements_of_every_type) {
    Arena arena = {0};
    for (int dtype = DT_NONE + 1; dtype < DT_COUNT; dtype++) {
        Tensor tensor = one(&arena, (DType)dtype);
        tensor_set(&tensor, 1, 1);
        CHECK_MSG(tensor_get(&tensor, 0) == 0 && tensor_get(&tensor, 1) == 1 && tensor_get(&tensor, 2) == 0, "%s",
                  dtype_name((DType)dtype));
        tensor_set_int(&tensor, 1, dtype == DT_BOOL ? 7 : 101);
        CHECK_MSG(tensor_get_int(&tensor, 1) == (dtype == DT_BOOL ? 1 : 101), "%s", dtype_name((DType)dtype));
        CHECK(tensor_get_int(&tensor, 0) == 0 && tensor_get_int(&tensor, 2) == 0);
    }
    arena_free(&arena);
}

TEST(integers_round_and_saturate) {
    static const struct {
        DType dtype;
        double value;
        int64_t wanted;
    } cases[] = {{DT_I8, 2.5, 2},
                 {DT_I8, 3.5, 4},
                 {DT_I8, -2.5, -2},
                 {DT_I8, 127.5, 127},
                 {DT_I8, -1e9, -128},
                 {DT_U8, -1, 0},
                 {DT_U8, 1e9, 255},
                 {DT_U8, INFINITY, 255},
                 {DT_I16, 4e4, 32767},
                 {DT_I16, -4e4, -32768},
                 {DT_U16, 7e4, 65535},
                 {DT_I32, 3e9, INT32_MAX},
                 {DT_I32, -3e9, INT32_MIN},
                 {DT_U32, 5e9, UINT32_MAX},
                 {DT_U32, -0.4, 0},
                 {DT_I64, 1e300, INT64_MAX},
                 {DT_I64, -1e300, INT64_MIN},
                 {DT_U64, -5, 0},
                 {DT_U64, 1e300, -1},
                 {DT_I32, NAN, 0},
                 {DT_U64, NAN, 0},
                 {DT_BOOL, 0.1, 1},
                 {DT_BOOL, NAN, 1},
                 {DT_I64, -0x1p63, INT64_MIN}};
    Arena arena = {0};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        Tensor tensor = one(&arena, cases[i].dtype);
        tensor_set(&tensor, 1, cases[i].value);
        int64_t got = tensor_get_int(&tensor, 1);
        CHECK_MSG(got == cases[i].wanted, "%s %g: got %lld", dtype_name(cases[i].dtype), cases[i].value,
                  (long long)got);
    }
    arena_free(&arena);
}

TEST(integers_wrap_and_stay_exact) {
    Arena arena = {0};
    Tensor bytes = one(&arena, DT_I8), longs = one(&arena, DT_I64), unsigned_longs = one(&arena, DT_U64);
    tensor_set_int(&bytes, 0, 200);
    CHECK_INT(tensor_get_int(&bytes, 0), -56);
    tensor_set_int(&longs, 0, INT64_MAX); // not through a double
    CHECK_INT(tensor_get_int(&longs, 0), INT64_MAX);
    tensor_set_int(&unsigned_longs, 0, -1);
    CHECK(tensor_get(&unsigned_longs, 0) == 0x1p64);
    Tensor reals = one(&arena, DT_F32);
    tensor_set(&reals, 0, -2.9);
    CHECK_INT(tensor_get_int(&reals, 0), -2);
    tensor_set(&reals, 0, INFINITY);
    CHECK_INT(tensor_get_int(&reals, 0), INT64_MAX);
    tensor_set(&reals, 0, NAN);
    CHECK_INT(tensor_get_int(&reals, 0), 0);
    arena_free(&arena);
}

// A double is rounded to a half once, not first to a float: 1 + 2^-11 + 2^-40 lies above the middle.
TEST(halves_are_rounded_once) {
    Arena arena = {0};
    Tensor half = one(&arena, DT_F16), brain = one(&arena, DT_BF16);
    tensor_set(&half, 0, 1 + 0x1p-11 + 0x1p-40);
    CHECK(tensor_get(&half, 0) == 1 + 0x1p-10);
    tensor_set(&half, 0, 1 + 0x1p-11);
    CHECK(tensor_get(&half, 0) == 1);
    tensor_set(&half, 0, 1 + 3 * 0x1p-11 - 0x1p-40); // below the middle, where even is up
    CHECK(tensor_get(&half, 0) == 1 + 0x1p-10);
    tensor_set(&brain, 0, -(1 + 0x1p-8 + 0x1p-40));
    CHECK(tensor_get(&brain, 0) == -(1 + 0x1p-7));
    tensor_set(&half, 0, -1e300);
    CHECK(tensor_get(&half, 0) == -INFINITY);
    tensor_set(&half, 0, NAN);
    CHECK(isnan(tensor_get(&half, 0)));
    arena_free(&arena);
}

static Tensor floats(float *values, int64_t count) { return (Tensor){DT_F32, shape_of(1, &count), values}; }

TEST(compare) {
    Comparison result;
    float e[] = {1, 2, 3, 6}, a[] = {1, 2.5f, 3, 5};
    Tensor expected = floats(e, 4), actual = floats(a, 4);
    CHECK_OK(tensor_compare(&actual, &expected, 0.25, 0.1, &result));
    CHECK(result.max_abs == 1 && result.max_rel == 0.25);
    CHECK_INT(result.worst, 3);
    CHECK_INT(result.outside, 2); // 0.5 > 0.25 + 0.2, 1 > 0.25 + 0.6
    CHECK(fabs(result.rms_rel - sqrt(1.25 / 4) / sqrt(14. / 4)) < 1e-12);
    CHECK_OK(tensor_compare(&expected, &expected, 0, 0, &result));
    CHECK(result.max_abs == 0 && result.max_rel == 0 && result.rms_rel == 0);
    CHECK_INT(result.worst, -1);
    CHECK_INT(result.outside, 0);
}

TEST(compare_far_from_zero) { // the deviation must not drown in the mean
    Comparison result;
    float e[] = {1e6f, 1e6f + 1, 1e6f + 2}, a[] = {1e6f + 1, 1e6f + 1, 1e6f + 2};
    Tensor expected = floats(e, 3), actual = floats(a, 3);
    CHECK_OK(tensor_compare(&actual, &expected, 1, 0, &result));
    CHECK_INT(result.outside, 0); // the border is inside
    CHECK(fabs(result.rms_rel - sqrt(1. / 3) / sqrt(2. / 3)) < 1e-9);
    float same[] = {5, 5}, other[] = {5, 7};
    expected = floats(same, 2), actual = floats(other, 2);
    CHECK_OK(tensor_compare(&actual, &expected, 0, 0, &result));
    CHECK(fabs(result.rms_rel - sqrt(2)) < 1e-12); // no deviation: the plain rms
}

TEST(compare_not_finite) {
    static const struct {
        float actual, expected;
        int outside;
    } cases[] = {{NAN, NAN, 0},    {NAN, 1, 1},      {1, NAN, 1}, {INFINITY, INFINITY, 0}, {INFINITY, -INFINITY, 1},
                 {INFINITY, 1, 1}, {1, INFINITY, 1}, {1, 0, 0}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        float e = cases[i].expected, a = cases[i].actual;
        Tensor expected = floats(&e, 1), actual = floats(&a, 1);
        Comparison result;
        CHECK_OK(tensor_compare(&actual, &expected, 2, 1, &result));
        CHECK_MSG(result.outside == cases[i].outside, "case %zu", i);
        CHECK_MSG((result.max_abs == INFINITY) == (cases[i].outside == 1), "case %zu", i);
    }
}

TEST(compare_unlike) {
    Comparison result;
    float values[4] = {0};
    Tensor a = floats(values, 4), b = floats(values, 3), c = {DT_I32, a.shape, values};
    CHECK_INT(tensor_compare(&a, &b, 0, 0, &result), ST_BAD);
    CHECK_TEXT(error_message(), "expected float32 3, got float32 4");
    CHECK_INT(tensor_compare(&a, &c, 0, 0, &result), ST_BAD);
    b = floats(NULL, 0);
    CHECK_OK(tensor_compare(&b, &b, 0, 0, &result));
    CHECK_INT(result.worst, -1);
}

// Elementwise operators, reductions, types, products of matrices, each in a file of its own.
#include "import/tflite_check.h"

// ---- one input

static double relu(double x) { return x > 0 ? x : 0; }
static double relu6(double x) { return fmin(fmax(x, 0), 6); }
static double relu_1(double x) { return fmin(fmax(x, -1), 1); }
static double relu_01(double x) { return fmin(fmax(x, 0), 1); }
static double leaky(double x) { return x < 0 ? 0.25 * x : x; }
static double elu(double x) { return x < 0 ? expm1(x) : x; }
static double gelu(double x) { return 0.5 * x * (1 + erf(x / sqrt(2))); }
static double gelu_tanh(double x) { return 0.5 * x * (1 + tanh(sqrt(2 / acos(-1.0)) * (x + 0.044715 * x * x * x))); }
static double hard_swish(double x) { return x * relu6(x + 3) / 6; }
static double logistic(double x) { return 1 / (1 + exp(-x)); }
static double square(double x) { return x * x; }
static double negative(double x) { return -x; }
static double sign(double x) { return (x > 0) - (x < 0); }
static double rsqrt(double x) { return 1 / sqrt(x); }
static double zero(double x) { return 0 * x; }

typedef struct UnaryCase {
    int code, options_type;
    const char *options;
    double (*function)(double);
    bool positive; // 20 is added to the inputs
} UnaryCase;

static void check_unary(const UnaryCase *c) {
    OneOp one = one_op("1,3,2,4", T_FLOAT32);
    double expected[24];
    int in = one.x;
    if (c->positive) {
        const int twenty = tflite_floats(&one.file, "twenty", "", (const float[]){20});
        in = tflite_tensor(&one.file, "sum", T_FLOAT32, "1");
        tflite_op(&one.file, 0, 11, "", (int[]){one.x, twenty}, 2, (int[]){in}, 1);
    }
    tflite_op(&one.file, c->code, c->options_type, c->options, (int[]){in}, 1, (int[]){one.y}, 1);
    for (int i = 0; i < 24; i++) {
        expected[i] = c->function(test_number(i) + (c->positive ? 20 : 0));
    }
    check_gives(&one.file, "1x3x2x4", expected);
}

TEST(functions_of_one_input) {
    static const UnaryCase cases[] = {
        {8, 0, NULL, floor, false},         {14, 0, NULL, logistic, false},   {19, 0, NULL, relu, false},
        {20, 0, NULL, relu_1, false},       {21, 0, NULL, relu6, false},      {152, 0, NULL, relu_01, false},
        {28, 0, NULL, tanh, false},         {47, 33, "", exp, false},         {59, 42, "", negative, false},
        {66, 0, NULL, sin, false},          {76, 0, NULL, rsqrt, true},       {75, 0, NULL, sqrt, true},
        {73, 0, NULL, log, true},           {92, 66, "", square, false},      {93, 67, "", zero, false},
        {98, 75, "0=f:0.25", leaky, false}, {101, 78, "", fabs, false},       {104, 0, NULL, ceil, false},
        {108, 84, "", cos, false},          {111, 0, NULL, elu, false},       {116, 0, NULL, nearbyint, false},
        {117, 91, "", hard_swish, false},   {150, 116, "0=b:0", gelu, false}, {150, 116, "0=b:1", gelu_tanh, false},
        {158, 0, NULL, sign, false}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) check_unary(&cases[i]);
}

TEST(softmax_has_a_beta) {
    OneOp one = one_op("1,3", T_FLOAT32);
    tflite_op(&one.file, 25, 9, "0=f:0.5", (int[]){one.x}, 1, (int[]){one.y}, 1);
    double e[3], sum = 0;
    for (int i = 0; i < 3; i++) sum += e[i] = exp(0.5 * test_number(i));
    GIVES(&one.file, "1x3", e[0] / sum, e[1] / sum, e[2] / sum);
    one = one_op("1,3", T_FLOAT32);
    tflite_op(&one.file, 50, 36, "", (int[]){one.x}, 1, (int[]){one.y}, 1);
    sum = exp(test_number(0)) + exp(test_number(1)) + exp(test_number(2));
    GIVES(&one.file, "1x3", test_number(0) - log(sum), test_number(1) - log(sum), test_number(2) - log(sum));
}

TEST(l2_normalisation) {
    OneOp one = one_op("2,2", T_FLOAT32);
    tflite_op(&one.file, 11, 12, "0=b:0", (int[]){one.x}, 1, (int[]){one.y}, 1);
    const double a = test_number(0), b = test_number(1), c = test_number(2), d = test_number(3);
    GIVES(&one.file, "2x2", a / hypot(a, b), b / hypot(a, b), c / hypot(c, d), d / hypot(c, d));
}

// ---- two inputs

static void check_binary(int code, int options_type, const char *options, double expected[4]) {
    static const float w[2] = {-1.5f, 2};
    OneOp one = one_op("1,2,2", T_FLOAT32);
    const int b = tflite_floats(&one.file, "b", "2", w);
    tflite_op(&one.file, code, options_type, options, (int[]){one.x, b}, 2, (int[]){one.y}, 1);
    check_gives(&one.file, "1x2x2", expected);
}
#define BINARY(code, type, options, expression)                                                                        \
    do {                                                                                                               \
        double expected_[4];                                                                                           \
        for (int i = 0; i < 4; i++) {                                                                                  \
            const double a = test_number(i), b = i % 2 ? 2 : -1.5;                                                     \
            expected_[i] = (expression);                                                                               \
        }                                                                                                              \
        check_binary(code, type, options, expected_);                                                                  \
    } while (0)

TEST(functions_of_two_inputs) {
    BINARY(0, 11, "0=b:0", a + b);
    BINARY(41, 28, "", a - b);
    BINARY(18, 21, NULL, a * b);
    BINARY(42, 29, "0=b:0", a / b);
    BINARY(55, 39, "", fmax(a, b));
    BINARY(57, 39, "", fmin(a, b));
    BINARY(99, 76, "", (a - b) * (a - b));
    BINARY(54, 0, NULL, a < 0 ? a * b : a);
    BINARY(90, 65, "", floor(a / b));
    BINARY(95, 72, "", a - floor(a / b) * b);
}

TEST(fused_activations) {
    BINARY(0, 11, "0=b:1", relu(a + b));
    BINARY(18, 21, "0=b:2", relu_1(a * b));
    BINARY(41, 28, "0=b:3", relu6(a - b));
    BINARY(42, 29, "0=b:4", tanh(a / b));
    OneOp one = one_op("2", T_FLOAT32);
    tflite_op(&one.file, 0, 11, "0=b:5", (int[]){one.x, one.x}, 2, (int[]){one.y}, 1);
    check_refused(&one.file, ST_UNSUPPORTED, "ADD 'y'|fused activation function 5");
}

TEST(comparisons_and_selection) {
    static const struct {
        int code;
        int expected[3]; // of -1 0 1 with 0
    } cases[] = {{58, {1, 0, 0}}, {61, {0, 0, 1}}, {62, {0, 1, 1}}, {63, {1, 1, 0}}, {71, {0, 1, 0}}, {72, {1, 0, 1}}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        for (int negate = 0; negate < 2; negate++) {
            OneOp one = one_op("1", T_FLOAT32);
            const int a = tflite_floats(&one.file, "a", "3", (const float[]){-1, 0, 1});
            const int zero_value = tflite_floats(&one.file, "z", "", (const float[]){0});
            const int c = tflite_tensor(&one.file, "c", T_BOOL, "3"), d = tflite_tensor(&one.file, "d", T_BOOL, "3");
            tflite_op(&one.file, cases[i].code, 0, NULL, (int[]){a, zero_value}, 2, (int[]){c}, 1);
            tflite_op(&one.file, 87, 0, NULL, (int[]){c}, 1, (int[]){d}, 1);
            tflite_op(&one.file, 123, 0, NULL, (int[]){negate ? d : c, one.x, zero_value}, 3, (int[]){one.y}, 1);
            const double x = test_number(0);
            GIVES(&one.file, "3", cases[i].expected[0] != negate ? x : 0, cases[i].expected[1] != negate ? x : 0,
                  cases[i].expected[2] != negate ? x : 0);
        }
    }
}

// SELECT of before broadcasting: a condition of one dim takes whole rows.
TEST(select_of_rows) {
    OneOp one = one_op("2,2", T_FLOAT32);
    const int c = tflite_bytes(&one.file, "c", T_BOOL, "2", "\0\1", 2);
    const int w = tflite_floats(&one.file, "w", "2,2", (const float[]){1, 2, 3, 4});
    tflite_op(&one.file, 64, 47, "", (int[]){c, one.x, w}, 3, (int[]){one.y}, 1);
    GIVES(&one.file, "2x2", 1, 2, test_number(2), test_number(3));
}

TEST(logic) {
    OneOp one = one_op("1", T_INT32);
    const int a = tflite_bytes(&one.file, "a", T_BOOL, "4", "\0\0\1\1", 4);
    const int b = tflite_bytes(&one.file, "b", T_BOOL, "4", "\0\1\0\1", 4);
    const int c = tflite_tensor(&one.file, "c", T_BOOL, "4"), d = tflite_tensor(&one.file, "d", T_BOOL, "4");
    const int e = tflite_tensor(&one.file, "e", T_INT32, "4"), f = tflite_tensor(&one.file, "f", T_INT32, "4");
    tflite_op(&one.file, 84, 0, NULL, (int[]){a, b}, 2, (int[]){c}, 1);
    tflite_op(&one.file, 86, 0, NULL, (int[]){a, b}, 2, (int[]){d}, 1);
    tflite_op(&one.file, 53, 37, "", (int[]){c}, 1, (int[]){e}, 1);
    tflite_op(&one.file, 53, 37, "", (int[]){d}, 1, (int[]){f}, 1);
    tflite_op(&one.file, 0, 11, "", (int[]){e, f}, 2, (int[]){one.y}, 1);
    GIVES(&one.file, "4", 0, 1, 1, 2);
}

TEST(integers_divide_downwards) {
    for (int code = 90; code <= 95; code += 5) {
        OneOp one = one_op("1", T_INT32);
        const int a = tflite_ints(&one.file, "a", "7,-7,7,-7,6"), b = tflite_ints(&one.file, "b", "2,2,-2,-2,3");
        tflite_op(&one.file, code, 0, NULL, (int[]){a, b}, 2, (int[]){one.y}, 1);
        if (code == 90) GIVES(&one.file, "5", 3, -4, -4, 3, 2);
        else GIVES(&one.file, "5", 1, 1, -1, -1, 0);
    }
}

TEST(sums_of_many) {
    OneOp one = one_op("2", T_FLOAT32);
    tflite_op(&one.file, 106, 82, "", (int[]){one.x, one.x, one.x}, 3, (int[]){one.y}, 1);
    GIVES(&one.file, "2", 3 * test_number(0), 3 * test_number(1));
}

// ---- along axes

static void check_reduce(int code, const char *axes, int keeps, const char *shape, const double *expected) {
    OneOp one = one_op("2,2", T_FLOAT32);
    const int list = tflite_ints(&one.file, "axes", axes);
    tflite_op(&one.file, code, 27, keeps ? "0=b:1" : "0=b:0", (int[]){one.x, list}, 2, (int[]){one.y}, 1);
    check_gives(&one.file, shape, expected);
}

TEST(reductions) {
    const double a = test_number(0), b = test_number(1), c = test_number(2), d = test_number(3);
    check_reduce(40, "1", 0, "2", (const double[]){(a + b) / 2, (c + d) / 2});
    check_reduce(40, "0,1", 1, "1x1", (const double[]){(a + b + c + d) / 4});
    check_reduce(40, "-1,1", 1, "2x1", (const double[]){(a + b) / 2, (c + d) / 2}); // the same axis twice
    check_reduce(74, "0", 0, "2", (const double[]){a + c, b + d});
    check_reduce(81, "0", 0, "2", (const double[]){a * c, b * d});
    check_reduce(82, "0", 0, "2", (const double[]){fmax(a, c), fmax(b, d)});
    check_reduce(89, "0", 0, "2", (const double[]){fmin(a, c), fmin(b, d)});
    check_reduce(74, "", 0, "2x2", (const double[]){a, b, c, d});
    OneOp one = one_op("2,2", T_FLOAT32);
    const int axis = tflite_ints(&one.file, "axes", "2");
    tflite_op(&one.file, 40, 27, "", (int[]){one.x, axis}, 2, (int[]){one.y}, 1);
    check_refused(&one.file, ST_BAD, "MEAN 'y'|expected an axis of 2 dims, got 2");
}

TEST(any_and_all) {
    for (int code = 91; code <= 140; code += 49) {
        OneOp one = one_op("1", T_BOOL);
        const int x = tflite_bytes(&one.file, "b", T_BOOL, "3,2", "\0\0\1\0\1\1", 6);
        const int axis = tflite_ints(&one.file, "axes", "1");
        tflite_op(&one.file, code, 27, "", (int[]){x, axis}, 2, (int[]){one.y}, 1);
        GIVES(&one.file, "3", 0, code == 91, 1);
    }
}

TEST(indices_of_extremes) {
    for (int code = 56; code <= 79; code += 23) {
        OneOp one = one_op("1", T_INT32);
        const int w = tflite_floats(&one.file, "w", "2,3", (const float[]){1, 5, 2, 7, 3, 4});
        const int axis = tflite_int(&one.file, "axis", -1);
        tflite_op(&one.file, code, code == 56 ? 40 : 57, "0=b:2", (int[]){w, axis}, 2, (int[]){one.y}, 1);
        GIVES(&one.file, "2", code == 56 ? 1 : 0, code == 56 ? 0 : 1);
    }
}

TEST(cumulative_sums) {
    OneOp one = one_op("1", T_FLOAT32);
    const int w = tflite_floats(&one.file, "w", "4", (const float[]){1, 2, 3, 4}), axis = tflite_int(&one.file, "a", 0);
    tflite_op(&one.file, 128, 102, "0=b:1 1=b:1", (int[]){w, axis}, 2, (int[]){one.y}, 1);
    GIVES(&one.file, "4", 9, 7, 4, 0);
    one = one_op("1", T_FLOAT32);
    const int v = tflite_floats(&one.file, "w", "3", (const float[]){1, 2, 3}),
              zero_axis = tflite_int(&one.file, "a", 0);
    tflite_op(&one.file, 128, 102, "", (int[]){v, zero_axis}, 2, (int[]){one.y}, 1);
    GIVES(&one.file, "3", 1, 3, 6);
}

TEST(the_largest_ones) {
    OneOp one = one_op("1", T_INT32);
    const int w = tflite_floats(&one.file, "w", "4", (const float[]){1, 5, 2, 7}), k = tflite_int(&one.file, "k", 2);
    const int top = tflite_tensor(&one.file, "top", T_FLOAT32, "2");
    tflite_op(&one.file, 48, 34, "", (int[]){w, k}, 2, (int[]){top, one.y}, 2);
    GIVES(&one.file, "2", 3, 1);
}

TEST(one_hot) {
    OneOp one = one_op("1", T_FLOAT32);
    const int i = tflite_ints(&one.file, "i", "2,0"), depth = tflite_int(&one.file, "depth", 3);
    const int on = tflite_floats(&one.file, "on", "", (const float[]){5});
    tflite_op(&one.file, 85, 61, "0=i:-1", (int[]){i, depth, on, one.x}, 4, (int[]){one.y}, 1);
    const double off = test_number(0);
    GIVES(&one.file, "2x3", off, off, 5, 5, off, off);
}

// ---- types

TEST(casts) {
    OneOp one = one_op("4", T_INT32);
    tflite_op(&one.file, 53, 37, "0=b:0 1=b:2", (int[]){one.x}, 1, (int[]){one.y}, 1);
    GIVES(&one.file, "4", trunc(test_number(0)), trunc(test_number(1)), trunc(test_number(2)), trunc(test_number(3)));
}

// ---- matrices

TEST(fully_connected) {
    static const float w[6] = {1, 2, 3, -1, 0.5f, 2}, bias[2] = {10, 20};
    for (int with_bias = 0; with_bias < 2; with_bias++) {
        OneOp one = one_op("2,3,1", T_FLOAT32); // taken as rows of 3
        const int weight = tflite_floats(&one.file, "w", "2,3", w), b = tflite_floats(&one.file, "b", "2", bias);
        double expected[4];
        for (int r = 0; r < 2; r++) {
            for (int o = 0; o < 2; o++) {
                expected[2 * r + o] = with_bias ? bias[o] : 0;
                for (int i = 0; i < 3; i++) expected[2 * r + o] += test_number(3 * r + i) * w[3 * o + i];
                expected[2 * r + o] = relu(expected[2 * r + o]);
            }
        }
        tflite_op(&one.file, 9, 8, "0=b:1", (int[]){one.x, weight, with_bias ? b : -1}, 3, (int[]){one.y}, 1);
        check_gives(&one.file, "2x2", expected);
    }
}

TEST(fully_connected_that_keeps_its_dims) {
    static const float w[4] = {1, 2, 3, 4}, bias[2] = {10, 20};
    OneOp one = one_op("1,1,2", T_FLOAT32);
    const int weight = tflite_floats(&one.file, "w", "2,2", w), b = tflite_floats(&one.file, "b", "2", bias);
    tflite_op(&one.file, 9, 8, "2=b:1", (int[]){one.x, weight, b}, 3, (int[]){one.y}, 1);
    const double p = test_number(0), q = test_number(1);
    GIVES(&one.file, "1x1x2", p + 2 * q + 10, 3 * p + 4 * q + 20);
    one = one_op("1,2", T_FLOAT32);
    const int shuffled = tflite_floats(&one.file, "w", "2,2", w);
    tflite_op(&one.file, 9, 8, "1=b:1", (int[]){one.x, shuffled}, 2, (int[]){one.y}, 1);
    check_refused(&one.file, ST_UNSUPPORTED, "FULLY_CONNECTED 'y'|shuffled");
}

TEST(products_of_matrices) {
    static const float w[4] = {1, 2, 3, 4};
    const double a = test_number(0), b = test_number(1), c = test_number(2), d = test_number(3);
    OneOp one = one_op("2,2", T_FLOAT32);
    int m = tflite_floats(&one.file, "w", "2,2", w);
    tflite_op(&one.file, 126, 101, "", (int[]){one.x, m}, 2, (int[]){one.y}, 1);
    GIVES(&one.file, "2x2", a + 3 * b, 2 * a + 4 * b, c + 3 * d, 2 * c + 4 * d);
    one = one_op("2,2", T_FLOAT32);
    m = tflite_floats(&one.file, "w", "2,2", w);
    tflite_op(&one.file, 126, 101, "0=b:1 1=b:1", (int[]){one.x, m}, 2, (int[]){one.y}, 1);
    GIVES(&one.file, "2x2", a + 2 * c, 3 * a + 4 * c, b + 2 * d, 3 * b + 4 * d);
}

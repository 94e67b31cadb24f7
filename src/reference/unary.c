// Elementwise ops of one input: y[i] = f(x[i]), floats computed in double.
#include "reference/evaluate.h"
#include <float.h>
#include <math.h>
#include <string.h>

enum { PART = 256 }; // elements at a time

// p: the op's own constants (alpha, beta).
typedef double FloatFunction(double x, const double *p);
typedef int64_t IntegerFunction(int64_t x);

static Status map_floats(const Evaluation *e, FloatFunction *function, const double *p) {
    const Tensor *const x = e->inputs[0];
    FAIL_IF(!dtype_is_float(x->dtype), ST_UNSUPPORTED, "not had for %s", dtype_name(x->dtype));
    const int64_t count = tensor_count(x);
    double part[PART];
    for (int64_t first = 0; first < count; first += PART) {
        const int64_t size = MIN(PART, count - first);
        tensor_read(x, first, size, part);
        for (int64_t i = 0; i < size; i++) part[i] = function(part[i], p);
        tensor_write(&e->outputs[0], first, part, size);
    }
    return ST_OK;
}

// For ops that integers have too.
static Status map_numbers(const Evaluation *e, FloatFunction *function, IntegerFunction *integer_function) {
    const Tensor *const x = e->inputs[0];
    if (!dtype_is_integer(x->dtype)) return map_floats(e, function, NULL);
    const int64_t count = tensor_count(x);
    const bool is_unsigned = x->dtype == DT_U64; // read wrapped: never negative, so nothing to do for these ops
    for (int64_t i = 0; i < count; i++) {
        const int64_t value = tensor_get_int(x, i);
        tensor_set_int(&e->outputs[0], i, is_unsigned ? value : integer_function(value));
    }
    return ST_OK;
}

// An op without attributes.
#define UNARY(op, formula)                                                                                             \
    static double op##_of(double x, const double *p) {                                                                 \
        (void)p;                                                                                                       \
        return formula;                                                                                                \
    }                                                                                                                  \
    Status evaluate_##op(const Evaluation *e) { return map_floats(e, op##_of, NULL); }

// An op with alpha and beta.
#define UNARY_WITH(op, alpha_default, beta_name, beta_default, formula)                                                \
    static double op##_of(double x, const double *p) {                                                                 \
        const double alpha = p[0], beta = p[1];                                                                        \
        (void)alpha;                                                                                                   \
        (void)beta;                                                                                                    \
        return formula;                                                                                                \
    }                                                                                                                  \
    Status evaluate_##op(const Evaluation *e) {                                                                        \
        const double p[2] = {node_float(e->node, "alpha", alpha_default),                                              \
                             node_float(e->node, beta_name, beta_default)};                                            \
        return map_floats(e, op##_of, p);                                                                              \
    }

// An op that signed integers have too.
#define UNARY_NUMBER(op, formula, integer_formula)                                                                     \
    static double op##_of(double x, const double *p) {                                                                 \
        (void)p;                                                                                                       \
        return formula;                                                                                                \
    }                                                                                                                  \
    static int64_t op##_of_integer(int64_t x) { return integer_formula; }                                              \
    Status evaluate_##op(const Evaluation *e) { return map_numbers(e, op##_of, op##_of_integer); }

static double sigmoid(double x) { return 1 / (1 + exp(-x)); }
// log(1 + exp(x)) without overflow and without loss where exp(x) is small.
static double softplus(double x) { return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x)); }
// x clamped to 0..1; NaN stays NaN.
static double unit(double x) { return x < 0 ? 0 : x > 1 ? 1 : x; }

// The formatter takes products for pointers.
// clang-format off
UNARY_NUMBER(Relu, x < 0 ? 0 : x, x < 0 ? 0 : x)
UNARY_NUMBER(Abs, fabs(x), x < 0 ? (int64_t)(0 - as_unsigned(x)) : x)
UNARY(Sigmoid, sigmoid(x))
UNARY(HardSwish, x * unit(x / 6 + 0.5))
UNARY(Mish, x * tanh(softplus(x)))
UNARY(Tanh, tanh(x))
UNARY(Softplus, softplus(x))
UNARY(Softsign, x / (1 + fabs(x)))
UNARY(Exp, exp(x))
UNARY(Log, log(x))
UNARY(Sqrt, sqrt(x))
UNARY(Sin, sin(x))
UNARY(Cos, cos(x))
UNARY(Erf, erf(x))
UNARY(Floor, floor(x))
UNARY(Ceil, ceil(x))
UNARY(Reciprocal, 1 / x)

UNARY_WITH(LeakyRelu, 0.01, "", 0, x < 0 ? alpha * x : x)
UNARY_WITH(Elu, 1, "", 0, x < 0 ? alpha * expm1(x) : x)
UNARY_WITH(Selu, 1.67326319217681884765625, "gamma", 1.05070102214813232421875, beta * (x <= 0 ? alpha * expm1(x) : x))
UNARY_WITH(HardSigmoid, 0.2, "beta", 0.5, unit(alpha * x + beta))
UNARY_WITH(Swish, 1, "", 0, x * sigmoid(alpha * x))
// clang-format on

// Integers of every kind negate by wrapping, uint64 too.
static double negated(double x, const double *p) {
    (void)p;
    return -x;
}
Status evaluate_Neg(const Evaluation *e) {
    const Tensor *const x = e->inputs[0];
    if (!dtype_is_integer(x->dtype)) return map_floats(e, negated, NULL);
    for (int64_t i = 0; i < tensor_count(x); i++)
        tensor_set_int(&e->outputs[0], i, (int64_t)(0 - as_unsigned(tensor_get_int(x, i))));
    return ST_OK;
}

// Of an integer by hand, since half of what uint64 holds is read as negative.
static double sign(double x, const double *p) {
    (void)p;
    return x > 0 ? 1 : x < 0 ? -1 : x;
}
Status evaluate_Sign(const Evaluation *e) {
    const Tensor *const x = e->inputs[0];
    if (!dtype_is_integer(x->dtype)) return map_floats(e, sign, NULL);
    for (int64_t i = 0; i < tensor_count(x); i++) {
        const int64_t value = tensor_get_int(x, i);
        tensor_set_int(&e->outputs[0], i, value < 0 && x->dtype != DT_U64 ? -1 : value != 0);
    }
    return ST_OK;
}

// Halves to even, whatever the processor's rounding mode; x - floor(x) is exact.
static double round_half_even(double x, const double *p) {
    (void)p;
    const double below = floor(x), fraction = x - below;
    if (!(fraction > 0)) return x; // whole, infinite or NaN
    const bool up = fraction > 0.5 || (fraction == 0.5 && fmod(below, 2) != 0);
    return copysign(up ? below + 1 : below, x);
}
Status evaluate_Round(const Evaluation *e) { return map_floats(e, round_half_even, NULL); }

// x Phi(x); erfc keeps the digits of the left tail.
static double gelu(double x, const double *p) {
    (void)p;
    return 0.5 * x * erfc(-x * M_SQRT1_2);
}
static double gelu_tanh(double x, const double *p) {
    (void)p;
    return 0.5 * x * (1 + tanh(M_2_SQRTPI * M_SQRT1_2 * (x + 0.044715 * x * x * x)));
}
Status evaluate_Gelu(const Evaluation *e) {
    const char *const form = node_string(e->node, "approximate", "none");
    return map_floats(e, strcmp(form, "tanh") == 0 ? gelu_tanh : gelu, NULL);
}

static double largest_finite(DType dtype) {
    switch (dtype) {
    case DT_F16: return 65504;
    case DT_BF16: return 0x1.FEp127;
    case DT_F32: return FLT_MAX;
    default: return DBL_MAX;
    }
}

// min(max(x, low), high), so that high wins where low > high; NaN in x stays NaN. A missing bound is the last finite
// value of the type (so ONNX says): infinities become finite.
static double clipped(double x, const double *p) {
    const double at_least = x < p[0] ? p[0] : x;
    return at_least > p[1] ? p[1] : at_least;
}
static Status clip_floats(const Evaluation *e, const Tensor *low, const Tensor *high) {
    const double limit = largest_finite(e->inputs[0]->dtype);
    const double p[2] = {low ? tensor_get(low, 0) : -limit, high ? tensor_get(high, 0) : limit};
    return map_floats(e, clipped, p);
}
Status evaluate_Clip(const Evaluation *e) {
    const Tensor *const x = e->inputs[0], *const low = input_or_null(e, 1), *const high = input_or_null(e, 2);
    if (!dtype_is_integer(x->dtype)) return clip_floats(e, low, high);
    for (int64_t i = 0; i < tensor_count(x); i++) {
        int64_t y = tensor_get_int(x, i);
        if (low && integer_less(x->dtype, y, tensor_get_int(low, 0))) y = tensor_get_int(low, 0);
        if (high && integer_less(x->dtype, tensor_get_int(high, 0), y)) y = tensor_get_int(high, 0);
        tensor_set_int(&e->outputs[0], i, y);
    }
    return ST_OK;
}

Status evaluate_Not(const Evaluation *e) {
    for (int64_t i = 0; i < tensor_count(e->inputs[0]); i++)
        tensor_set_int(&e->outputs[0], i, tensor_get_int(e->inputs[0], i) == 0);
    return ST_OK;
}

static void copy_whole(const Evaluation *e) {
    copy_elements(&e->outputs[0], 0, e->inputs[0], 0, tensor_count(e->inputs[0]));
}
Status evaluate_Identity(const Evaluation *e) {
    copy_whole(e);
    return ST_OK;
}
Status evaluate_Dropout(const Evaluation *e) {
    copy_whole(e);
    for (int64_t i = 0; e->node->n_outputs > 1 && i < tensor_count(&e->outputs[1]); i++)
        tensor_set_int(&e->outputs[1], i, 1);
    return ST_OK;
}

// Elementwise ops of several inputs with numpy broadcasting. Floats are computed in double, integers wrap.
#include "reference/evaluate.h"
#include <math.h>

typedef double FloatFunction(double a, double b);
// u64: both are uint64 read as int64.
typedef int64_t IntegerFunction(int64_t a, int64_t b, bool u64);

static void walk_pair(Walk *walk, const Tensor *a, const Tensor *b, const Tensor *y) {
    walk_begin(walk, &y->shape);
    broadcast_strides(&a->shape, &y->shape, walk->stride[0]);
    broadcast_strides(&b->shape, &y->shape, walk->stride[1]);
}

static void combine_floats(const Tensor *a, const Tensor *b, Tensor *y, FloatFunction *function) {
    Walk walk;
    walk_pair(&walk, a, b, y);
    for (int64_t i = 0; walk.left > 0; i++, walk_step(&walk)) {
        const double value = function(tensor_get(a, walk.at[0]), tensor_get(b, walk.at[1]));
        tensor_write(y, i, &value, 1);
    }
}

static void combine_integers(const Tensor *a, const Tensor *b, Tensor *y, IntegerFunction *function) {
    Walk walk;
    walk_pair(&walk, a, b, y);
    const bool u64 = a->dtype == DT_U64;
    for (int64_t i = 0; walk.left > 0; i++, walk_step(&walk))
        tensor_set_int(y, i, function(tensor_get_int(a, walk.at[0]), tensor_get_int(b, walk.at[1]), u64));
}

static Status combine(const Evaluation *e, FloatFunction *function, IntegerFunction *integer_function) {
    const Tensor *const a = e->inputs[0], *const b = e->inputs[1];
    if (dtype_is_float(a->dtype)) combine_floats(a, b, &e->outputs[0], function);
    else combine_integers(a, b, &e->outputs[0], integer_function);
    return ST_OK;
}

#define BINARY(op, formula, integer_formula)                                                                           \
    static double op##_of(double a, double b) { return formula; }                                                      \
    static int64_t op##_of_integer(int64_t a, int64_t b, bool u64) {                                                   \
        (void)u64;                                                                                                     \
        return integer_formula;                                                                                        \
    }                                                                                                                  \
    Status evaluate_##op(const Evaluation *e) { return combine(e, op##_of, op##_of_integer); }

// Sums and products are made without sign, where wrapping is defined.
// The formatter takes products for pointers.
// clang-format off
BINARY(Add, a + b, (int64_t)(as_unsigned(a) + as_unsigned(b)))
BINARY(Sub, a - b, (int64_t)(as_unsigned(a) - as_unsigned(b)))
BINARY(Mul, a * b, (int64_t)(as_unsigned(a) * as_unsigned(b)))
// clang-format on

// ---- Comparisons and logic: bool out, 1 or 0. A comparison with NaN is false. ----

#define INTEGER_ORDER(relation) u64 ? as_unsigned(a) relation as_unsigned(b) : a relation b
BINARY(Equal, a == b, a == b)
BINARY(Less, a < b, INTEGER_ORDER(<))
BINARY(LessOrEqual, a <= b, INTEGER_ORDER(<=))
BINARY(Greater, a > b, INTEGER_ORDER(>))
BINARY(GreaterOrEqual, a >= b, INTEGER_ORDER(>=))

#define LOGICAL(op, formula)                                                                                           \
    static int64_t op##_of(int64_t a, int64_t b, bool u64) {                                                           \
        (void)u64;                                                                                                     \
        return formula;                                                                                                \
    }                                                                                                                  \
    Status evaluate_##op(const Evaluation *e) {                                                                        \
        combine_integers(e->inputs[0], e->inputs[1], &e->outputs[0], op##_of);                                         \
        return ST_OK;                                                                                                  \
    }
LOGICAL(And, a != 0 && b != 0)
LOGICAL(Or, a != 0 || b != 0)
LOGICAL(Xor, (a != 0) != (b != 0))

// ---- Division, remainder, power ----

static Status refuse_zero(const Tensor *divisor) {
    if (dtype_is_float(divisor->dtype)) return ST_OK;
    for (int64_t i = 0; i < tensor_count(divisor); i++)
        FAIL_IF(tensor_get_int(divisor, i) == 0, ST_BAD, "integer division by zero (element %lld of the divisor)",
                (long long)i);
    return ST_OK;
}

static double quotient(double a, double b) { return a / b; }
// Toward zero. The lowest integer by -1 wraps to itself.
static int64_t quotient_integer(int64_t a, int64_t b, bool u64) {
    if (u64) return (int64_t)(as_unsigned(a) / as_unsigned(b));
    return b == -1 ? (int64_t)(0 - as_unsigned(a)) : a / b;
}
Status evaluate_Div(const Evaluation *e) {
    TRY(refuse_zero(e->inputs[1]));
    return combine(e, quotient, quotient_integer);
}

// With the sign of the dividend (C's fmod; the only one for floats), or with that of the divisor (Python's %).
static double remainder_c(double a, double b) { return fmod(a, b); }
static int64_t remainder_c_integer(int64_t a, int64_t b, bool u64) {
    if (u64) return (int64_t)(as_unsigned(a) % as_unsigned(b));
    return b == -1 ? 0 : a % b;
}
static int64_t remainder_floor_integer(int64_t a, int64_t b, bool u64) {
    const int64_t r = remainder_c_integer(a, b, u64);
    return !u64 && r != 0 && (r < 0) != (b < 0) ? r + b : r;
}
Status evaluate_Mod(const Evaluation *e) {
    TRY(refuse_zero(e->inputs[1]));
    if (node_int(e->node, "fmod", 0)) return combine(e, remainder_c, remainder_c_integer);
    return combine(e, remainder_c, remainder_floor_integer);
}

// By squaring, wrapping. A negative exponent truncates: 0 but for bases 1 and -1 (and 0, which has no power there).
static int64_t power_integer(int64_t base, int64_t exponent, bool u64) {
    if (!u64 && exponent < 0) return base == 1 ? 1 : base == -1 ? (exponent % 2 ? -1 : 1) : 0;
    uint64_t result = 1, square = as_unsigned(base);
    for (uint64_t left = as_unsigned(exponent); left > 0; left >>= 1, square *= square)
        if (left & 1) result *= square;
    return (int64_t)result;
}
// The exponent's dtype is its own; the result has the base's.
Status evaluate_Pow(const Evaluation *e) {
    const Tensor *const a = e->inputs[0], *const b = e->inputs[1];
    Tensor *const y = &e->outputs[0];
    Walk walk;
    walk_pair(&walk, a, b, y);
    for (int64_t i = 0; walk.left > 0; i++, walk_step(&walk)) {
        const double base = tensor_get(a, walk.at[0]), exponent = tensor_get(b, walk.at[1]);
        if (dtype_is_float(a->dtype)) tensor_set(y, i, pow(base, exponent));
        else if (dtype_is_float(b->dtype)) tensor_set_int(y, i, float_to_integer(pow(base, exponent), y->dtype));
        else
            tensor_set_int(
                y, i, power_integer(tensor_get_int(a, walk.at[0]), tensor_get_int(b, walk.at[1]), b->dtype == DT_U64));
    }
    return ST_OK;
}

// ---- Any number of inputs: folded from the left. NaN wins, as in numpy. ----

static double smaller(double a, double b) { return isnan(a) || a < b ? a : b; }
static double larger(double a, double b) { return isnan(a) || a > b ? a : b; }
static int64_t smaller_integer(int64_t a, int64_t b, bool u64) { return (INTEGER_ORDER(<)) ? a : b; }
static int64_t larger_integer(int64_t a, int64_t b, bool u64) { return (INTEGER_ORDER(>)) ? a : b; }

static Status fold(const Evaluation *e, FloatFunction *function, IntegerFunction *integer_function) {
    Tensor *const y = &e->outputs[0];
    int64_t stride[MAX_RANK];
    broadcast_strides(&e->inputs[0]->shape, &y->shape, stride);
    copy_strided(y, e->inputs[0], 0, stride);
    for (int i = 1; i < e->node->n_inputs; i++) {
        if (dtype_is_float(y->dtype)) combine_floats(y, e->inputs[i], y, function);
        else combine_integers(y, e->inputs[i], y, integer_function);
    }
    return ST_OK;
}
Status evaluate_Min(const Evaluation *e) { return fold(e, smaller, smaller_integer); }
Status evaluate_Max(const Evaluation *e) { return fold(e, larger, larger_integer); }

// ---- The rest ----

static double prelu(double x, double slope) { return x < 0 ? slope * x : x; }
Status evaluate_PRelu(const Evaluation *e) {
    combine_floats(e->inputs[0], e->inputs[1], &e->outputs[0], prelu);
    return ST_OK;
}

Status evaluate_Where(const Evaluation *e) {
    Tensor *const y = &e->outputs[0];
    Walk walk;
    walk_begin(&walk, &y->shape);
    for (int t = 0; t < 3; t++) broadcast_strides(&e->inputs[t]->shape, &y->shape, walk.stride[t]);
    for (int64_t i = 0; walk.left > 0; i++, walk_step(&walk)) {
        const int chosen = tensor_get_int(e->inputs[0], walk.at[0]) ? 1 : 2;
        copy_element(y, i, e->inputs[chosen], walk.at[chosen]);
    }
    return ST_OK;
}

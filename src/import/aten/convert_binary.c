// Operators of two tensors or more that broadcast, and of tensors with numbers. Types are promoted as torch.result_type
// says.
#include "import/aten/convert.h"
#include <math.h>
#include <string.h>

// Arguments `at` and at + 1 in the type of their result.
static Status pair_of(Call *call, int at, ValueId out[2], DType *dtype) {
    *dtype = aten_result_type(call, &call->args[at], 2);
    for (int i = 0; i < 2; i++) TRY(aten_operand(call, &call->args[at + i], *dtype, &out[i]));
    return ST_OK;
}

// The same; quotients and the like are floats.
static Status float_pair(Call *call, ValueId out[2]) {
    DType dtype = aten_result_type(call, call->args, 2);
    if (!dtype_is_float(dtype) && dtype != DT_NONE) dtype = DT_F32;
    for (int i = 0; i < 2; i++) TRY(aten_operand(call, &call->args[i], dtype, &out[i]));
    return ST_OK;
}

// ---- sums

static Status times_alpha(Call *call, ValueId *x) {
    ValueId factor;
    double alpha;
    if (aten_known_float(call->aten, aten_arg(call, "alpha"), &alpha) && alpha == 1) return ST_OK;
    TRY(aten_operand(call, aten_arg(call, "alpha"), aten_type(call, *x)->dtype, &factor));
    return aten_two(call, OP_Mul, *x, factor, x);
}

static Status sum(Call *call, Op op, int scaled, int first) {
    ValueId in[2];
    DType dtype;
    TRY(pair_of(call, 0, in, &dtype));
    TRY(times_alpha(call, &in[scaled]));
    if (dtype == DT_BOOL) return aten_give_two(call, OP_Or, in[0], in[1]);
    return aten_give_two(call, op, in[first], in[1 - first]);
}
Status aten_convert_add(Call *call) { return sum(call, OP_Add, 1, 0); }
Status aten_convert_sub(Call *call) { return sum(call, OP_Sub, 1, 0); }
Status aten_convert_rsub(Call *call) { return sum(call, OP_Sub, 0, 1); }

Status aten_convert_mul(Call *call) {
    ValueId in[2];
    DType dtype;
    TRY(pair_of(call, 0, in, &dtype));
    return aten_give_two(call, dtype == DT_BOOL ? OP_And : OP_Mul, in[0], in[1]);
}

// self + value tensor1 tensor2, or tensor1 / tensor2
Status aten_convert_addcmul(Call *call) {
    const bool divides = strstr(call->source->op, "addcdiv") != NULL;
    const DType dtype = aten_result_type(call, call->args, 3);
    ValueId in[3], factor, y;
    for (int i = 0; i < 3; i++) TRY(aten_operand(call, &call->args[i], dtype, &in[i]));
    TRY(aten_operand(call, aten_arg(call, "value"), dtype, &factor));
    TRY(aten_two(call, OP_Mul, in[1], factor, &y));
    TRY(aten_two(call, divides ? OP_Div : OP_Mul, y, in[2], &y));
    return aten_give_two(call, OP_Add, in[0], y);
}

// self + weight (end - self)
Status aten_convert_lerp(Call *call) {
    ValueId in[3], y;
    const DType dtype = aten_result_type(call, call->args, 2);
    for (int i = 0; i < 3; i++) TRY(aten_operand(call, &call->args[i], dtype, &in[i]));
    TRY(aten_two(call, OP_Sub, in[1], in[0], &y));
    TRY(aten_two(call, OP_Mul, in[2], y, &y));
    return aten_give_two(call, OP_Add, in[0], y);
}

// ---- quotients

// Down, of floats or integers (whose Div goes toward zero: what is left over, of b's sign, is taken off first).
static Status floor_quotient(Call *call) {
    ValueId in[2], rest, y;
    DType dtype;
    TRY(pair_of(call, 0, in, &dtype));
    if (dtype_is_float(dtype) || dtype == DT_NONE) {
        TRY(aten_two(call, OP_Div, in[0], in[1], &y));
        return aten_give_one(call, OP_Floor, y);
    }
    TRY(aten_two(call, OP_Mod, in[0], in[1], &rest));
    TRY(aten_two(call, OP_Sub, in[0], rest, &y));
    return aten_give_two(call, OP_Div, y, in[1]);
}

static Status whole_quotient(Call *call) { // toward zero
    ValueId in[2], y, sign;
    DType dtype;
    TRY(pair_of(call, 0, in, &dtype));
    TRY(aten_two(call, OP_Div, in[0], in[1], &y));
    if (!dtype_is_float(dtype)) return aten_give(call, y);
    TRY(aten_one(call, OP_Sign, y, &sign));
    TRY(aten_one(call, OP_Abs, y, &y));
    TRY(aten_one(call, OP_Floor, y, &y));
    return aten_give_two(call, OP_Mul, sign, y);
}

Status aten_convert_div(Call *call) {
    ValueId in[2];
    const char *mode;
    TRY(aten_arg_text(call, "rounding_mode", &mode));
    if (strcmp(mode, "floor") == 0) return floor_quotient(call);
    if (strcmp(mode, "trunc") == 0) return whole_quotient(call);
    FAIL_IF(*mode, ST_BAD, "argument 'rounding_mode': expected 'floor' or 'trunc', got '%s'", mode);
    TRY(float_pair(call, in));
    return aten_give_two(call, OP_Div, in[0], in[1]);
}

Status aten_convert_floor_divide(Call *call) { return floor_quotient(call); }

// Of the sign of the divisor: fmod's, with the divisor added where the signs differ.
Status aten_convert_remainder(Call *call) {
    ValueId in[2], rest, product, zero, differs, other;
    DType dtype;
    TRY(pair_of(call, 0, in, &dtype));
    if (!dtype_is_float(dtype)) return aten_give_two(call, OP_Mod, in[0], in[1]);
    TRY(aten_node(call, OP_Mod, in, 2, ATTRS(ATTR_I("fmod", 1)), &rest));
    TRY(aten_two(call, OP_Mul, rest, in[1], &product));
    TRY(aten_scalar_like(call, rest, 0, &zero));
    TRY(aten_two(call, OP_Less, product, zero, &differs));
    TRY(aten_two(call, OP_Add, rest, in[1], &other));
    return aten_give_node(call, OP_Where, (const ValueId[]){differs, other, rest}, 3, NO_ATTRS);
}

Status aten_convert_fmod(Call *call) {
    ValueId in[2];
    DType dtype;
    TRY(pair_of(call, 0, in, &dtype));
    return aten_give_node(call, OP_Mod, in, 2, ATTRS(ATTR_I("fmod", 1)));
}

// ---- powers

// The exponents that have a name.
static Status named_power(Call *call, ValueId x, double exponent, bool *done) {
    ValueId y;
    *done = true;
    if (exponent == 1) return aten_give(call, x);
    if (exponent == 2) return aten_give_two(call, OP_Mul, x, x);
    if (exponent == 3) {
        TRY(aten_two(call, OP_Mul, x, x, &y));
        return aten_give_two(call, OP_Mul, y, x);
    }
    *done = dtype_is_float(aten_type(call, x)->dtype) && (exponent == 0.5 || exponent == -0.5 || exponent == -1);
    if (!*done) return ST_OK;
    if (exponent == 0.5) return aten_give_one(call, OP_Sqrt, x);
    if (exponent == -1) return aten_give_one(call, OP_Reciprocal, x);
    TRY(aten_one(call, OP_Sqrt, x, &y));
    return aten_give_one(call, OP_Reciprocal, y);
}

Status aten_convert_pow(Call *call) {
    ValueId in[2];
    DType dtype;
    double exponent;
    bool done = false;
    const AtenValue *power = &call->args[1];
    TRY(pair_of(call, 0, in, &dtype));
    FAIL_IF(dtype == DT_BOOL, ST_UNSUPPORTED, "of bools");
    if (power->kind != ATEN_TENSOR && aten_known_float(call->aten, power, &exponent))
        TRY(named_power(call, in[0], exponent, &done));
    return done ? ST_OK : aten_give_two(call, OP_Pow, in[0], in[1]);
}

// ---- order

// maximum, minimum; of bools or and and.
Status aten_convert_extreme(Call *call) {
    ValueId in[2];
    DType dtype;
    TRY(pair_of(call, 0, in, &dtype));
    if (dtype == DT_BOOL) return aten_give_two(call, call->op == OP_Max ? OP_Or : OP_And, in[0], in[1]);
    return aten_give_two(call, call->op, in[0], in[1]);
}

static Status compared(Call *call, Op op, ValueId *out) {
    ValueId in[2];
    DType dtype;
    TRY(pair_of(call, 0, in, &dtype));
    for (int i = 0; i < 2 && dtype == DT_BOOL && op != OP_Equal; i++) TRY(aten_cast(call, in[i], DT_I32, &in[i]));
    return emit_binary(&call->emit, op, "", in[0], in[1], out);
}

Status aten_convert_compare(Call *call) {
    ValueId y;
    TRY(compared(call, call->op, &y));
    return aten_give(call, y);
}

Status aten_convert_not_equal(Call *call) {
    ValueId y;
    TRY(compared(call, OP_Equal, &y));
    return aten_give_one(call, OP_Not, y);
}

// ---- logic

Status aten_convert_logical(Call *call) {
    ValueId in[2];
    for (int i = 0; i < 2; i++) {
        TRY(aten_operand(call, &call->args[i], DT_NONE, &in[i]));
        TRY(aten_as_bool(call, in[i], &in[i]));
    }
    return aten_give_two(call, call->op, in[0], in[1]);
}

Status aten_convert_bitwise(Call *call) {
    ValueId in[2];
    DType dtype;
    TRY(pair_of(call, 0, in, &dtype));
    FAIL_IF(dtype != DT_BOOL, ST_UNSUPPORTED, "of integers");
    return aten_give_two(call, call->op, in[0], in[1]);
}

// ---- choice

Status aten_convert_where(Call *call) {
    ValueId in[3];
    DType dtype;
    TRY(aten_as_bool(call, call->args[0].value, &in[0]));
    TRY(pair_of(call, 1, &in[1], &dtype));
    return aten_give_node(call, OP_Where, in, 3, NO_ATTRS);
}

// mask ? value : self, in the type of self.
Status aten_convert_masked_fill(Call *call) {
    ValueId self, mask, value;
    TRY(aten_arg_tensor(call, "self", &self));
    TRY(aten_arg_tensor(call, "mask", &mask));
    TRY(aten_as_bool(call, mask, &mask));
    TRY(aten_operand(call, aten_arg(call, "value"), aten_type(call, self)->dtype, &value));
    return aten_give_node(call, OP_Where, (const ValueId[]){mask, value, self}, 3, NO_ATTRS);
}

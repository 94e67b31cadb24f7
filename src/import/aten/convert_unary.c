// Operators of one tensor, element by element, and softmax along a dim.
#include "import/aten/convert.h"
#include <math.h>
#include <string.h>

// The argument `self` (or `input`), which stands first.
static Status first(Call *call, ValueId *out) {
    *out = call->args[0].value;
    return ST_OK;
}

// The same, of a type of floats.
static Status first_float(Call *call, ValueId *out) { return aten_as_float(call, call->args[0].value, out); }

// ---- those that we have

Status aten_convert_unary(Call *call) { return aten_give_one(call, call->op, call->args[0].value); }

Status aten_convert_float_unary(Call *call) {
    ValueId x;
    TRY(first_float(call, &x));
    return aten_give_one(call, call->op, x);
}

// floor, ceil, round: integers are so already.
Status aten_convert_rounding(Call *call) {
    const ValueId x = call->args[0].value;
    const DType dtype = aten_type(call, x)->dtype;
    if (dtype_is_integer(dtype)) return aten_give(call, x);
    return aten_give_one(call, call->op, x);
}

Status aten_convert_leaky_relu(Call *call) {
    ValueId x;
    double slope;
    TRY(first(call, &x));
    TRY(aten_arg_float(call, "negative_slope", &slope));
    return aten_give_node(call, OP_LeakyRelu, &x, 1, ATTRS(ATTR_F("alpha", slope)));
}

// The slope of each channel, or one for all.
Status aten_convert_prelu(Call *call) {
    ValueId x, slope;
    int rank, slope_rank;
    TRY(first(call, &x));
    TRY(aten_arg_tensor(call, "weight", &slope));
    TRY(aten_rank(call, x, &rank));
    TRY(aten_rank(call, slope, &slope_rank));
    const int64_t count = slope_rank == 1 ? aten_type(call, slope)->dim[0] : 1;
    int64_t shape[MAX_RANK] = {-1};
    for (int i = 1; i < rank - 1; i++) shape[i] = 1;
    if (slope_rank == 1 && count != 1 && rank > 2) TRY(aten_reshape_ints(call, slope, shape, rank - 1, &slope));
    return aten_give_two(call, OP_PRelu, x, slope);
}

// scale (x > 0 ? x : alpha (exp(input_scale x) - 1))
Status aten_convert_elu(Call *call) {
    double alpha, scale, input_scale;
    ValueId x, low, factor, zero, high, y;
    TRY(first(call, &x));
    TRY(aten_arg_float(call, "alpha", &alpha));
    TRY(aten_arg_float(call, "scale", &scale));
    TRY(aten_arg_float(call, "input_scale", &input_scale));
    if (input_scale == 1 && scale == 1) return aten_give_node(call, OP_Elu, &x, 1, ATTRS(ATTR_F("alpha", alpha)));
    if (input_scale == 1)
        return aten_give_node(call, OP_Selu, &x, 1, ATTRS(ATTR_F("alpha", alpha), ATTR_F("gamma", scale)));
    FAIL_IF(!(input_scale > 0), ST_UNSUPPORTED, "an input_scale of %g", input_scale);
    TRY(aten_scalar_like(call, x, input_scale, &factor));
    TRY(aten_two(call, OP_Mul, x, factor, &low));
    TRY(aten_node(call, OP_Elu, &low, 1, ATTRS(ATTR_F("alpha", alpha)), &low));
    TRY(aten_scalar_like(call, x, 0, &zero));
    TRY(aten_two(call, OP_Min, low, zero, &low));
    TRY(aten_one(call, OP_Relu, x, &high));
    TRY(aten_two(call, OP_Add, high, low, &y));
    TRY(aten_scalar_like(call, x, scale, &factor));
    return aten_give_two(call, OP_Mul, y, factor);
}

// max(x, 0) + min(alpha (exp(x / alpha) - 1), 0)
Status aten_convert_celu(Call *call) {
    double alpha;
    ValueId x, factor, low, high, zero;
    TRY(first(call, &x));
    TRY(aten_arg_float(call, "alpha", &alpha));
    FAIL_IF(alpha == 0, ST_BAD, "argument 'alpha': expected another number than 0");
    if (alpha == 1) return aten_give_node(call, OP_Elu, &x, 1, ATTRS(ATTR_F("alpha", 1)));
    TRY(aten_scalar_like(call, x, 1 / alpha, &factor));
    TRY(aten_two(call, OP_Mul, x, factor, &low));
    TRY(aten_node(call, OP_Elu, &low, 1, ATTRS(ATTR_F("alpha", alpha)), &low));
    TRY(aten_scalar_like(call, x, 0, &zero));
    TRY(aten_two(call, OP_Min, low, zero, &low));
    TRY(aten_one(call, OP_Relu, x, &high));
    return aten_give_two(call, OP_Add, high, low);
}

Status aten_convert_selu(Call *call) { return aten_give_one(call, OP_Selu, call->args[0].value); }

Status aten_convert_gelu(Call *call) {
    ValueId x;
    const char *form;
    TRY(first(call, &x));
    TRY(aten_arg_text(call, "approximate", &form));
    FAIL_IF(strcmp(form, "none") && strcmp(form, "tanh"), ST_BAD,
            "argument 'approximate': expected 'none' or 'tanh', got '%s'", form);
    return aten_give_node(call, OP_Gelu, &x, 1, ATTRS(ATTR_S("approximate", form)));
}

// clip(x / 6 + 1 / 2, 0, 1)
Status aten_convert_hard_sigmoid(Call *call) {
    ValueId x;
    TRY(first_float(call, &x));
    return aten_give_node(call, OP_HardSigmoid, &x, 1, ATTRS(ATTR_F("alpha", 1.0 / 6), ATTR_F("beta", 0.5)));
}

// ---- limits

static Status clip(Call *call, ValueId x, DType dtype, const AtenValue *low, const AtenValue *high) {
    ValueId in[3] = {NO_VALUE, NO_VALUE, NO_VALUE};
    TRY(aten_cast(call, x, dtype, &in[0]));
    if (low->kind != ATEN_NONE) TRY(aten_operand(call, low, dtype, &in[1]));
    if (high->kind != ATEN_NONE) TRY(aten_operand(call, high, dtype, &in[2]));
    return aten_give_node(call, OP_Clip, in, in[2] == NO_VALUE ? 2 : 3, NO_ATTRS);
}

// hardtanh, relu6: the type of x.
Status aten_convert_hardtanh(Call *call) {
    const AtenValue zero = aten_int(0), six = aten_int(6);
    const ValueId x = call->args[0].value;
    const bool is_six = call->n_parameters == 1;
    return clip(call, x, aten_type(call, x)->dtype, is_six ? &zero : aten_arg(call, "min_val"),
                is_six ? &six : aten_arg(call, "max_val"));
}

// Of numbers, or of tensors that broadcast. clamp_min and clamp_max have one of the two.
Status aten_convert_clamp(Call *call) {
    const AtenValue none = aten_none(), *low = &none, *high = &none;
    const bool only_low = strstr(call->source->op, "_min") != NULL,
               only_high = strstr(call->source->op, "_max") != NULL;
    ValueId x, bound;
    if (!only_high) low = aten_arg(call, "min");
    if (!only_low) high = aten_arg(call, "max");
    FAIL_IF(low->kind == ATEN_NONE && high->kind == ATEN_NONE, ST_BAD, "expected a minimum or a maximum");
    const AtenValue all[] = {call->args[0], *low, *high};
    const DType dtype = aten_result_type(call, all, 3);
    if (low->kind != ATEN_TENSOR && high->kind != ATEN_TENSOR) return clip(call, call->args[0].value, dtype, low, high);
    TRY(aten_operand(call, &call->args[0], dtype, &x));
    if (low->kind != ATEN_NONE) {
        TRY(aten_operand(call, low, dtype, &bound));
        TRY(aten_two(call, OP_Max, x, bound, &x));
    }
    if (high->kind != ATEN_NONE) {
        TRY(aten_operand(call, high, dtype, &bound));
        TRY(aten_two(call, OP_Min, x, bound, &x));
    }
    return aten_give(call, x);
}

// x > threshold ? x : value
Status aten_convert_threshold(Call *call) {
    ValueId x, bound, value, above;
    TRY(first(call, &x));
    const DType dtype = aten_type(call, x)->dtype;
    TRY(aten_operand(call, aten_arg(call, "threshold"), dtype, &bound));
    TRY(aten_operand(call, aten_arg(call, "value"), dtype, &value));
    TRY(aten_two(call, OP_Greater, x, bound, &above));
    return aten_give_node(call, OP_Where, (const ValueId[]){above, x, value}, 3, NO_ATTRS);
}

// softshrink: x - lambd above lambd, x + lambd below -lambd, else 0; hardshrink: x itself outside.
Status aten_convert_shrink(Call *call) {
    const bool soft = strstr(call->source->op, "soft") != NULL;
    ValueId x, bound, zero, size, outside, moved;
    double lambd;
    TRY(first(call, &x));
    TRY(aten_arg_float(call, "lambd", &lambd));
    TRY(aten_scalar_like(call, x, lambd, &bound));
    TRY(aten_scalar_like(call, x, 0, &zero));
    TRY(aten_one(call, OP_Abs, x, &size));
    TRY(aten_two(call, OP_Greater, size, bound, &outside));
    moved = x;
    if (soft) {
        TRY(aten_one(call, OP_Sign, x, &moved));
        TRY(aten_two(call, OP_Mul, moved, bound, &moved));
        TRY(aten_two(call, OP_Sub, x, moved, &moved));
    }
    return aten_give_node(call, OP_Where, (const ValueId[]){outside, moved, zero}, 3, NO_ATTRS);
}

// ---- made of others

// -log(1 + exp(-x))
Status aten_convert_log_sigmoid(Call *call) {
    ValueId x;
    TRY(first(call, &x));
    TRY(aten_one(call, OP_Neg, x, &x));
    TRY(aten_one(call, OP_Softplus, x, &x));
    return aten_give_one(call, OP_Neg, x);
}

// log(1 + exp(beta x)) / beta, and x where beta x > threshold: which differs by less than float32 tells from 20 on.
Status aten_convert_softplus(Call *call) {
    double beta, threshold;
    ValueId x, factor, scaled, y, bound, above;
    TRY(first(call, &x));
    TRY(aten_arg_float(call, "beta", &beta));
    TRY(aten_arg_float(call, "threshold", &threshold));
    FAIL_IF(beta == 0, ST_BAD, "argument 'beta': expected another number than 0");
    if (beta == 1 && threshold >= 20) return aten_give_one(call, OP_Softplus, x);
    TRY(aten_scalar_like(call, x, beta, &factor));
    TRY(aten_two(call, OP_Mul, x, factor, &scaled));
    TRY(aten_one(call, OP_Softplus, scaled, &y));
    TRY(aten_two(call, OP_Div, y, factor, &y));
    if (threshold >= 20) return aten_give(call, y);
    TRY(aten_scalar_like(call, x, threshold, &bound));
    TRY(aten_two(call, OP_Greater, scaled, bound, &above));
    return aten_give_node(call, OP_Where, (const ValueId[]){above, x, y}, 3, NO_ATTRS);
}

Status aten_convert_rsqrt(Call *call) {
    ValueId x;
    TRY(first_float(call, &x));
    TRY(aten_one(call, OP_Sqrt, x, &x));
    return aten_give_one(call, OP_Reciprocal, x);
}

Status aten_convert_log1p(Call *call) {
    ValueId x, one;
    TRY(first_float(call, &x));
    TRY(aten_scalar_like(call, x, 1, &one));
    TRY(aten_two(call, OP_Add, x, one, &x));
    return aten_give_one(call, OP_Log, x);
}

Status aten_convert_expm1(Call *call) {
    ValueId x, one;
    TRY(first_float(call, &x));
    TRY(aten_scalar_like(call, x, 1, &one));
    TRY(aten_one(call, OP_Exp, x, &x));
    return aten_give_two(call, OP_Sub, x, one);
}

// log2, log10
Status aten_convert_log_base(Call *call) {
    ValueId x, factor;
    TRY(first_float(call, &x));
    TRY(aten_scalar_like(call, x, 1 / log(strstr(call->source->op, "log2") ? 2 : 10), &factor));
    TRY(aten_one(call, OP_Log, x, &x));
    return aten_give_two(call, OP_Mul, x, factor);
}

Status aten_convert_exp2(Call *call) {
    ValueId x, two;
    TRY(first_float(call, &x));
    TRY(aten_scalar_like(call, x, 2, &two));
    return aten_give_two(call, OP_Pow, two, x);
}

Status aten_convert_tan(Call *call) {
    ValueId x, sine, cosine;
    TRY(first_float(call, &x));
    TRY(aten_one(call, OP_Sin, x, &sine));
    TRY(aten_one(call, OP_Cos, x, &cosine));
    return aten_give_two(call, OP_Div, sine, cosine);
}

Status aten_convert_erfc(Call *call) {
    ValueId x, one;
    TRY(first_float(call, &x));
    TRY(aten_scalar_like(call, x, 1, &one));
    TRY(aten_one(call, OP_Erf, x, &x));
    return aten_give_two(call, OP_Sub, one, x);
}

Status aten_convert_square(Call *call) {
    const ValueId x = call->args[0].value;
    return aten_give_two(call, OP_Mul, x, x);
}

// Toward zero.
Status aten_convert_trunc(Call *call) {
    ValueId x, sign, size;
    TRY(first(call, &x));
    if (dtype_is_integer(aten_type(call, x)->dtype)) return aten_give(call, x);
    TRY(aten_one(call, OP_Sign, x, &sign));
    TRY(aten_one(call, OP_Abs, x, &size));
    TRY(aten_one(call, OP_Floor, size, &size));
    return aten_give_two(call, OP_Mul, sign, size);
}

// A NaN is what does not equal itself.
Status aten_convert_is_nan(Call *call) {
    const ValueId x = call->args[0].value;
    ValueId same;
    TRY(aten_two(call, OP_Equal, x, x, &same));
    return aten_give_one(call, OP_Not, same);
}

static Status against_infinity(Call *call, Op op) {
    ValueId x, infinity;
    TRY(first_float(call, &x));
    TRY(aten_scalar_like(call, x, INFINITY, &infinity));
    TRY(aten_one(call, OP_Abs, x, &x));
    return aten_give_two(call, op, x, infinity);
}
Status aten_convert_is_inf(Call *call) { return against_infinity(call, OP_Equal); }
Status aten_convert_is_finite(Call *call) { return against_infinity(call, OP_Less); }

// The first half times the sigmoid of the second.
Status aten_convert_glu(Call *call) {
    ValueId x, halves[2], gate;
    int rank, axis;
    TRY(first(call, &x));
    TRY(aten_rank(call, x, &rank));
    FAIL_IF(rank == 0, ST_BAD, "expected a tensor with dims");
    TRY(aten_arg_axis(call, "dim", rank, &axis));
    FAIL_IF(aten_type(call, x)->dim[axis] >= 0 && aten_type(call, x)->dim[axis] % 2, ST_BAD,
            "expected an even size along dim %d, got %lld", axis, (long long)aten_type(call, x)->dim[axis]);
    TRY(emit_nodes(&call->emit, OP_Split, "half", &x, 1, ATTRS(ATTR_I("axis", axis), ATTR_I("num_outputs", 2)), halves,
                   2));
    TRY(aten_one(call, OP_Sigmoid, halves[1], &gate));
    return aten_give_two(call, OP_Mul, halves[0], gate);
}

Status aten_convert_not(Call *call) {
    ValueId x;
    TRY(aten_as_bool(call, call->args[0].value, &x));
    return aten_give_one(call, OP_Not, x);
}

// Of bools not; of integers -1 - x.
Status aten_convert_bitwise_not(Call *call) {
    const ValueId x = call->args[0].value;
    ValueId minus;
    if (aten_type(call, x)->dtype == DT_BOOL) return aten_give_one(call, OP_Not, x);
    FAIL_IF(!dtype_is_integer(aten_type(call, x)->dtype), ST_BAD, "expected integers or bools");
    TRY(aten_scalar_like(call, x, -1, &minus));
    return aten_give_two(call, OP_Sub, minus, x);
}

// ---- softmax

static Status softmax_input(Call *call, ValueId *x, int *axis) {
    DType dtype = DT_NONE;
    int rank;
    const char *op = call->source->op; // of the core operators the third argument is half_to_float
    const bool core = !strcmp(op, "aten::_softmax") || !strcmp(op, "aten::_log_softmax");
    TRY(first_float(call, x));
    if (!core) TRY(aten_arg_dtype(call, "dtype", DT_NONE, &dtype));
    TRY(aten_cast(call, *x, dtype, x));
    TRY(aten_rank(call, *x, &rank));
    FAIL_IF(rank == 0, ST_UNSUPPORTED, "of a tensor without dims");
    return aten_arg_axis(call, "dim", rank, axis);
}

Status aten_convert_softmax(Call *call) {
    ValueId x;
    int axis;
    TRY(softmax_input(call, &x, &axis));
    return aten_give_node(call, call->op, &x, 1, ATTRS(ATTR_I("axis", axis)));
}

// Rows of nothing but -infinity give 0.
Status aten_convert_safe_softmax(Call *call) {
    ValueId x, y, largest, lowest, nothing, zero;
    int axis;
    TRY(softmax_input(call, &x, &axis));
    const int64_t at = axis;
    TRY(aten_node(call, OP_Softmax, &x, 1, ATTRS(ATTR_I("axis", axis)), &y));
    TRY(aten_over(call, OP_ReduceMax, x, &at, 1, true, &largest));
    TRY(aten_scalar_like(call, x, -INFINITY, &lowest));
    TRY(aten_scalar_like(call, x, 0, &zero));
    TRY(aten_two(call, OP_Equal, largest, lowest, &nothing));
    return aten_give_node(call, OP_Where, (const ValueId[]){nothing, zero, y}, 3, NO_ATTRS);
}

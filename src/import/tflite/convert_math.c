// Elementwise operators, reductions, and what changes the type of numbers.
#include "import/tflite/convert.h"
#include <math.h>

static Status give_number(Call *call, ValueId y) {
    TRY(tfl_call_activate(call, y, ACTIVATION_NONE, &y));
    return tfl_call_give(call, 0, y);
}

static Status two_values(Call *call, ValueId *a, ValueId *b) {
    TRY(tfl_call_value(call, 0, a));
    return tfl_call_value(call, 1, b);
}

// ---- one input

Status tfl_convert_same(Call *call) {
    ValueId x, y;
    TRY(tfl_call_value(call, 0, &x));
    TRY(emit_unary(&call->emit, call->row->op, "value", x, &y));
    return give_number(call, y);
}

Status tfl_convert_activation(Call *call) {
    enum { RELU = 19, RELU_N1_TO_1 = 20, RELU6 = 21, RELU_0_TO_1 = 152 };
    const int code = call->row->code;
    ValueId inputs[3], y;
    TRY(tfl_call_value(call, 0, &inputs[0]));
    y = inputs[0];
    if (code == RELU_0_TO_1) {
        const DType dtype = emit_type(&call->emit, y)->dtype;
        TRY(emit_scalar(&call->emit, "low", dtype, 0, &inputs[1]));
        TRY(emit_scalar(&call->emit, "high", dtype, 1, &inputs[2]));
        TRY(emit_node(&call->emit, OP_Clip, "clip", inputs, 3, NO_ATTRS, &y));
    }
    const int activation = code == RELU           ? ACTIVATION_RELU
                           : code == RELU6        ? ACTIVATION_RELU6
                           : code == RELU_N1_TO_1 ? ACTIVATION_RELU_N1_TO_1
                                                  : ACTIVATION_NONE;
    TRY(tfl_call_activate(call, y, activation, &y));
    return tfl_call_give(call, 0, y);
}

Status tfl_convert_leaky_relu(Call *call) {
    ValueId x, y;
    TRY(tfl_call_value(call, 0, &x));
    const double alpha = fb_float(call->options, 0, 0);
    TRY(emit_node(&call->emit, OP_LeakyRelu, "leaky", &x, 1, ATTRS(ATTR_F("alpha", alpha)), &y));
    return give_number(call, y);
}

Status tfl_convert_gelu(Call *call) {
    ValueId x, y;
    TRY(tfl_call_value(call, 0, &x));
    const char *form = fb_uint8(call->options, 0, 0) ? "tanh" : "none";
    TRY(emit_node(&call->emit, OP_Gelu, "gelu", &x, 1, ATTRS(ATTR_S("approximate", form)), &y));
    return give_number(call, y);
}

Status tfl_convert_rsqrt(Call *call) {
    ValueId x, y;
    TRY(tfl_call_value(call, 0, &x));
    TRY(emit_unary(&call->emit, OP_Sqrt, "root", x, &y));
    TRY(emit_unary(&call->emit, OP_Reciprocal, "reciprocal", y, &y));
    return give_number(call, y);
}

Status tfl_convert_square(Call *call) {
    ValueId x, y;
    TRY(tfl_call_value(call, 0, &x));
    TRY(emit_binary(&call->emit, OP_Mul, "square", x, x, &y));
    return give_number(call, y);
}

Status tfl_convert_softmax(Call *call) {
    ValueId x, scale, y;
    TRY(tfl_call_value(call, 0, &x));
    const float beta = fb_present(call->options) ? fb_float(call->options, 0, 0) : 1;
    if (beta != 1) {
        TRY(emit_scalar(&call->emit, "beta", emit_type(&call->emit, x)->dtype, beta, &scale));
        TRY(emit_binary(&call->emit, OP_Mul, "scaled", x, scale, &x));
    }
    TRY(emit_node(&call->emit, OP_Softmax, "softmax", &x, 1, ATTRS(ATTR_I("axis", -1)), &y));
    return give_number(call, y);
}

// x / max(norm, 1e-6), the norm over the last dim.
Status tfl_convert_l2_norm(Call *call) {
    ValueId inputs[2], norm, least, y;
    TRY(tfl_call_value(call, 0, &inputs[0]));
    TRY(emit_ints(&call->emit, "axes", (const int64_t[]){-1}, 1, &inputs[1]));
    TRY(emit_node(&call->emit, OP_ReduceL2, "norm", inputs, 2, ATTRS(ATTR_I("keepdims", 1)), &norm));
    TRY(emit_scalar(&call->emit, "least", DT_F32, 1e-6, &least));
    TRY(emit_binary(&call->emit, OP_Max, "least", norm, least, &norm));
    TRY(emit_binary(&call->emit, OP_Div, "normalised", inputs[0], norm, &y));
    return tfl_call_finish(call, y, 0);
}

// ---- two inputs and more

// Field 0 of the options is the fused activation where an operator has one.
Status tfl_convert_binary(Call *call) {
    ValueId a, b, y;
    TRY(two_values(call, &a, &b));
    TRY(emit_binary(&call->emit, call->row->op, "value", a, b, &y));
    return tfl_call_finish(call, y, 0);
}

Status tfl_convert_squared_difference(Call *call) {
    ValueId a, b, y;
    TRY(two_values(call, &a, &b));
    TRY(emit_binary(&call->emit, OP_Sub, "difference", a, b, &y));
    TRY(emit_binary(&call->emit, OP_Mul, "square", y, y, &y));
    return give_number(call, y);
}

Status tfl_convert_not_equal(Call *call) {
    ValueId a, b, y;
    TRY(two_values(call, &a, &b));
    TRY(emit_binary(&call->emit, OP_Equal, "equal", a, b, &y));
    TRY(emit_unary(&call->emit, OP_Not, "differs", y, &y));
    return tfl_call_give(call, 0, y);
}

// floor(a / b) of floats.
static Status floor_quotient(Call *call, ValueId a, ValueId b, ValueId *out) {
    TRY(emit_binary(&call->emit, OP_Div, "quotient", a, b, out));
    return emit_unary(&call->emit, OP_Floor, "floor", *out, out);
}

// Division of integers truncates, so what is over is taken off first.
Status tfl_convert_floor_div(Call *call) {
    ValueId a, b, rest, y;
    TRY(two_values(call, &a, &b));
    if (dtype_is_float(emit_type(&call->emit, a)->dtype)) {
        TRY(floor_quotient(call, a, b, &y));
        return give_number(call, y);
    }
    TRY(emit_binary(&call->emit, OP_Mod, "rest", a, b, &rest));
    TRY(emit_binary(&call->emit, OP_Sub, "multiple", a, rest, &y));
    TRY(emit_binary(&call->emit, OP_Div, "quotient", y, b, &y));
    return tfl_call_give(call, 0, y);
}

Status tfl_convert_mod(Call *call) {
    ValueId a, b, y;
    TRY(two_values(call, &a, &b));
    if (!dtype_is_float(emit_type(&call->emit, a)->dtype)) {
        TRY(emit_binary(&call->emit, OP_Mod, "rest", a, b, &y));
        return tfl_call_give(call, 0, y);
    }
    TRY(floor_quotient(call, a, b, &y));
    TRY(emit_binary(&call->emit, OP_Mul, "multiple", y, b, &y));
    TRY(emit_binary(&call->emit, OP_Sub, "rest", a, y, &y));
    return give_number(call, y);
}

Status tfl_convert_add_n(Call *call) {
    ValueId sum, next;
    TRY(tfl_call_value(call, 0, &sum));
    for (int i = 1; i < call->operator->n_inputs; i++) {
        TRY(tfl_call_value(call, i, &next));
        TRY(emit_binary(&call->emit, OP_Add, "sum", sum, next, &sum));
    }
    return give_number(call, sum);
}

// A condition of one dim chooses whole slices along the first dim (SELECT); SELECT_V2 broadcasts.
static Status align_condition(Call *call, ValueId *condition) {
    enum { SELECT = 64 };
    int rank, whole;
    TRY(tfl_call_rank(call, 0, &rank));
    TRY(tfl_call_rank(call, 1, &whole));
    if (call->row->code != SELECT || rank != 1 || whole < 2) return ST_OK;
    int64_t shape[MAX_RANK] = {-1, 1, 1, 1, 1, 1, 1, 1};
    return emit_reshape(&call->emit, "condition", *condition, shape, whole, condition);
}

Status tfl_convert_select(Call *call) {
    ValueId inputs[3], y;
    for (int i = 0; i < 3; i++) TRY(tfl_call_value(call, i, &inputs[i]));
    TRY(align_condition(call, &inputs[0]));
    TRY(emit_node(&call->emit, OP_Where, "chosen", inputs, 3, NO_ATTRS, &y));
    return tfl_call_give(call, 0, y);
}

// ---- along axes

static Status read_axes(Call *call, int rank, int64_t *axes, int *count) {
    int64_t list[MAX_RANK];
    int n;
    bool taken[MAX_RANK] = {false};
    TRY(tfl_call_ints(call, 1, MAX_RANK, list, &n));
    *count = 0;
    for (int i = 0; i < n; i++) {
        int64_t axis;
        TRY(tfl_check_axis(list[i], rank, &axis));
        if (!taken[axis]) axes[(*count)++] = axis; // the same one twice is allowed
        taken[axis] = true;
    }
    return ST_OK;
}

Status tfl_convert_reduce(Call *call) {
    int64_t axes[MAX_RANK];
    ValueId inputs[2], y;
    int rank, count;
    TRY(tfl_call_rank(call, 0, &rank));
    TRY(tfl_call_value(call, 0, &inputs[0]));
    TRY(read_axes(call, rank, axes, &count));
    if (count == 0) return give_number(call, inputs[0]); // nothing to reduce
    TRY(emit_ints(&call->emit, "axes", axes, count, &inputs[1]));
    const int keeps = fb_uint8(call->options, 0, 0) != 0;
    TRY(emit_node(&call->emit, call->row->op, "reduced", inputs, 2, ATTRS(ATTR_I("keepdims", keeps)), &y));
    return give_number(call, y);
}

Status tfl_convert_arg(Call *call) {
    ValueId x, y;
    int rank;
    int64_t axis;
    TRY(tfl_call_rank(call, 0, &rank));
    TRY(tfl_call_value(call, 0, &x));
    TRY(tfl_call_axis(call, 1, rank, &axis));
    TRY(emit_node(&call->emit, call->row->op, "index", &x, 1, ATTRS(ATTR_I("axis", axis), ATTR_I("keepdims", 0)), &y));
    return tfl_call_give(call, 0, y);
}

Status tfl_convert_cumsum(Call *call) {
    ValueId inputs[2], y;
    int rank;
    int64_t axis;
    TRY(tfl_call_rank(call, 0, &rank));
    TRY(tfl_call_value(call, 0, &inputs[0]));
    TRY(tfl_call_axis(call, 1, rank, &axis));
    TRY(emit_scalar(&call->emit, "axis", DT_I64, (double)axis, &inputs[1]));
    const int exclusive = fb_uint8(call->options, 0, 0) != 0, reverse = fb_uint8(call->options, 1, 0) != 0;
    TRY(emit_node(&call->emit, OP_CumSum, "sums", inputs, 2,
                  ATTRS(ATTR_I("exclusive", exclusive), ATTR_I("reverse", reverse)), &y));
    return give_number(call, y);
}

Status tfl_convert_topk(Call *call) {
    ValueId inputs[2], outputs[2];
    TRY(tfl_call_value(call, 0, &inputs[0]));
    TRY(tfl_call_list(call, 1, &inputs[1]));
    TRY(emit_nodes(&call->emit, OP_TopK, "top", inputs, 2, NO_ATTRS, outputs, 2));
    TRY(tfl_call_give(call, 0, outputs[0]));
    return tfl_call_give(call, 1, outputs[1]);
}

// The numbers 0 to depth - 1 along a new axis, compared with the indices.
static Status compare_with_range(Call *call, int64_t depth, int rank, int64_t axis, ValueId *out) {
    ValueId indices, place, range;
    int64_t shape[MAX_RANK], *numbers = arena_array(call->builder->scratch, (size_t)depth, sizeof *numbers);
    if (!numbers) return fail_memory((size_t)depth * sizeof *numbers);
    for (int64_t i = 0; i < depth; i++) numbers[i] = i;
    for (int i = 0; i <= rank; i++) shape[i] = i == axis ? depth : 1;
    TRY(tfl_call_value(call, 0, &indices));
    TRY(tfl_call_cast(call, "indices", indices, DT_I64, &indices));
    TRY(emit_ints(&call->emit, "axes", &axis, 1, &place));
    TRY(emit_binary(&call->emit, OP_Unsqueeze, "indices", indices, place, &indices));
    TRY(emit_ints(&call->emit, "range", numbers, (int)depth, &range));
    TRY(emit_reshape(&call->emit, "range", range, shape, rank + 1, &range));
    return emit_binary(&call->emit, OP_Equal, "is", indices, range, out);
}

Status tfl_convert_one_hot(Call *call) {
    enum { MOST = 4096 };
    ValueId inputs[3], y;
    int rank, count;
    int64_t depth, axis;
    TRY(tfl_call_rank(call, 0, &rank));
    TRY(tfl_call_ints(call, 1, 1, &depth, &count));
    FAIL_IF(count != 1 || depth < 1 || depth > MOST, ST_BAD, "input 1: expected a depth from 1 to %d", MOST);
    FAIL_IF(rank >= MAX_RANK, ST_UNSUPPORTED, "a value of more than %d dims", MAX_RANK);
    TRY(tfl_check_axis(fb_int32(call->options, 0, 0), rank + 1, &axis));
    TRY(compare_with_range(call, depth, rank, axis, &inputs[0]));
    TRY(tfl_call_value(call, 2, &inputs[1]));
    TRY(tfl_call_value(call, 3, &inputs[2]));
    TRY(emit_node(&call->emit, OP_Where, "chosen", inputs, 3, NO_ATTRS, &y));
    return tfl_call_give(call, 0, y);
}

// ---- types

// Of a quantised tensor the integers are meant.
Status tfl_convert_cast(Call *call) {
    const TfliteTensor *to = tfl_call_output(call, 0);
    DType dtype;
    ValueId x;
    TRY(tfl_call_value(call, 0, &x));
    TRY(tflite_dtype(to->type, &dtype));
    if (tfl_is_quantised(tfl_call_tensor(call, 0))) TRY(tfl_to_quantised(&call->emit, tfl_call_tensor(call, 0), x, &x));
    TRY(tfl_call_cast(call, "cast", x, dtype, &x));
    if (tfl_is_quantised(to)) TRY(tfl_from_quantised(&call->emit, to, x, &x));
    return tfl_call_give(call, 0, x);
}

// Rounding is left out, the limits of the range are not. Also from one scale to another.
Status tfl_convert_quantize(Call *call) {
    ValueId x;
    FAIL_IF(!tfl_is_quantised(tfl_call_output(call, 0)), ST_BAD, "expected an output with a scale, got none");
    TRY(tfl_call_value(call, 0, &x));
    return give_number(call, x);
}

Status tfl_convert_dequantize(Call *call) {
    ValueId x;
    FAIL_IF(!tfl_call_has(call, 0), ST_BAD, "expected input 0, which is absent");
    const TfliteTensor *from = tfl_call_tensor(call, 0);
    if (from->data && !tfl_is_quantised(from)) {
        TRY(tfl_weight_dequantised(call->builder, call->operator->inputs[0], &x));
        return tfl_call_give(call, 0, x);
    }
    TRY(tfl_call_value(call, 0, &x)); // float16, or quantised and so float32 already
    FAIL_IF(!dtype_is_float(emit_type(&call->emit, x)->dtype), ST_BAD, "expected an input with a scale, got none");
    return tfl_call_give(call, 0, x);
}

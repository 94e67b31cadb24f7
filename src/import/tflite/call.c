#include "import/tflite/convert.h"
#include <math.h>
#include <string.h>

// ---- inputs and outputs

bool tfl_call_has(const Call *call, int input) {
    return input < call->operator->n_inputs && call->operator->inputs[input] >= 0;
}

const TfliteTensor *tfl_call_tensor(const Call *call, int input) {
    return &call->builder->model->tensors[call->operator->inputs[input]];
}

const TfliteTensor *tfl_call_output(const Call *call, int output) {
    return &call->builder->model->tensors[call->operator->outputs[output]];
}

Status tfl_call_value(Call *call, int input, ValueId *out) {
    Builder *builder = call->builder;
    FAIL_IF(!tfl_call_has(call, input), ST_BAD, "expected input %d, which is absent", input);
    const int index = call->operator->inputs[input];
    const TfliteTensor *tensor = tfl_call_tensor(call, input);
    if (builder->values[index] == NO_VALUE && (tensor->data || tensor->is_sparse)) {
        const Status status = tfl_weight_value(builder, index, &builder->values[index]);
        if (status != ST_OK) return fail_context(status, "input %d '%s'", input, tensor->name);
    }
    FAIL_IF(tensor->is_variable, ST_UNSUPPORTED, "input %d '%s': a variable, which keeps its value between runs", input,
            tensor->name);
    *out = builder->values[index];
    if (*out != NO_VALUE) return ST_OK;
    // An empty list needs no bytes: axes of no dims, the shape of a scalar.
    if (tensor->rank == 1 && tensor->dim[0] == 0) return tfl_weight_value(builder, index, out);
    return fail(ST_BAD, "input %d: expected tensor %d '%s' to be made before, which it is not", input, index,
                tensor->name);
}

Status tfl_call_give(Call *call, int output, ValueId value) {
    Builder *builder = call->builder;
    const int index = call->operator->outputs[output];
    const TfliteTensor *tensor = &builder->model->tensors[index];
    FAIL_IF(builder->made[index] || tensor->data, ST_BAD,
            "output %d: expected a tensor that nothing else makes, got tensor %d '%s'", output, index, tensor->name);
    DType dtype = DT_F32;
    if (!tfl_is_quantised(tensor)) TRY(tflite_dtype(tensor->type, &dtype));
    TRY(tfl_call_cast(call, "cast", value, dtype, &value));
    builder->made[index] = true;
    builder->values[index] = value;
    return ST_OK;
}

// ---- activations

static void activation_range(int activation, double *low, double *high) {
    *low = -INFINITY;
    *high = INFINITY;
    if (activation == ACTIVATION_RELU || activation == ACTIVATION_RELU6) *low = 0;
    if (activation == ACTIVATION_RELU6) *high = 6;
    if (activation == ACTIVATION_RELU_N1_TO_1) {
        *low = -1;
        *high = 1;
    }
}

static Status clip(Call *call, ValueId x, double low, double high, ValueId *out) {
    const DType dtype = emit_type(&call->emit, x)->dtype;
    ValueId inputs[3] = {x, NO_VALUE, NO_VALUE};
    *out = x;
    if (isinf(low) && isinf(high)) return ST_OK;
    if (low == 0 && isinf(high)) return emit_unary(&call->emit, OP_Relu, "relu", x, out);
    if (!isinf(low)) TRY(emit_scalar(&call->emit, "low", dtype, low, &inputs[1]));
    if (!isinf(high)) TRY(emit_scalar(&call->emit, "high", dtype, high, &inputs[2]));
    return emit_node(&call->emit, OP_Clip, "clip", inputs, isinf(high) ? 2 : 3, NO_ATTRS, out);
}

Status tfl_call_activate(Call *call, ValueId x, int activation, ValueId *out) {
    const TfliteTensor *output = tfl_call_output(call, 0);
    double low, high, least, most;
    FAIL_IF(activation < 0 || activation > ACTIVATION_TANH, ST_UNSUPPORTED, "fused activation function %d", activation);
    activation_range(activation, &low, &high);
    if (tfl_is_quantised(output)) {
        TRY(tfl_check_scale(output));
        tfl_quantised_range(output, &least, &most);
        low = MAX(low, least);
        high = MIN(high, most);
    }
    if (activation == ACTIVATION_TANH) TRY(emit_unary(&call->emit, OP_Tanh, "tanh", x, &x));
    return clip(call, x, low, high, out);
}

Status tfl_call_finish(Call *call, ValueId x, int activation_field) {
    TRY(tfl_call_activate(call, x, fb_int8(call->options, activation_field, 0), &x));
    return tfl_call_give(call, 0, x);
}

// ---- integers

Status tfl_check_axis(int64_t axis, int rank, int64_t *out) {
    FAIL_IF(axis < -rank || axis >= rank, ST_BAD, "expected an axis of %d dims, got %lld", rank, (long long)axis);
    *out = axis < 0 ? axis + rank : axis;
    return ST_OK;
}

Status tfl_call_ints(Call *call, int input, int max, int64_t *out, int *count) {
    bool known[64];
    ValueId value;
    TRY(tfl_call_value(call, input, &value));
    const Type *type = emit_type(&call->emit, value);
    FAIL_IF(type->dtype != DT_NONE && !dtype_is_integer(type->dtype), ST_BAD, "input %d: expected integers, got %s",
            input, dtype_name(type->dtype));
    tfl_known_ints(call->builder->graph, value, MIN(max, (int)COUNT_OF(known)), out, known, count);
    FAIL_IF(*count < 0 && emit_constant(&call->emit, value), ST_BAD, "input %d: expected at most %d numbers, got %lld",
            input, max, (long long)tensor_count(emit_constant(&call->emit, value)));
    for (int i = 0; i < *count; i++) {
        if (!known[i]) *count = -1;
    }
    FAIL_IF(
        *count < 0, ST_UNSUPPORTED,
        "input %d: numbers that are computed in the run; give the inputs a fixed size, or export the model with one",
        input);
    return ST_OK;
}

Status tfl_call_axis(Call *call, int input, int rank, int64_t *out) {
    int count;
    int64_t axis;
    TRY(tfl_call_ints(call, input, 1, &axis, &count));
    FAIL_IF(count != 1, ST_BAD, "input %d: expected one axis, got none", input);
    return tfl_check_axis(axis, rank, out);
}

Status tfl_call_cast(Call *call, const char *suffix, ValueId x, DType dtype, ValueId *out) {
    *out = x;
    if (emit_type(&call->emit, x)->dtype == dtype) return ST_OK;
    return emit_node(&call->emit, OP_Cast, suffix, &x, 1, ATTRS(ATTR_S("to", dtype_name(dtype))), out);
}

Status tfl_call_list(Call *call, int input, ValueId *out) {
    int64_t list[MAX_RANK];
    bool known[MAX_RANK];
    int count;
    ValueId value;
    TRY(tfl_call_value(call, input, &value));
    tfl_known_ints(call->builder->graph, value, MAX_RANK, list, known, &count);
    int n_known = 0;
    for (int i = 0; i < count; i++) n_known += known[i];
    if (n_known == count) return emit_ints(&call->emit, "list", list, count, out);
    TRY(tfl_call_cast(call, "list", value, DT_I64, &value));
    *out = value;
    if (emit_type(&call->emit, value)->rank == 1) return ST_OK;
    return emit_reshape(&call->emit, "list", value, (const int64_t[]){-1}, 1, out);
}

Status tfl_call_rank(Call *call, int input, int *out) {
    ValueId value;
    TRY(tfl_call_value(call, input, &value));
    *out = emit_type(&call->emit, value)->rank;
    FAIL_IF(*out < 0, ST_UNSUPPORTED, "input %d: a value of a rank that is not known", input);
    return ST_OK;
}

// Never inside of a character.
const char *tfl_short_name(Builder *builder, const char *name) {
    enum { MOST = 100 };
    size_t length = strlen(name);
    if (length <= MOST) return name;
    for (length = MOST; length > 0 && ((uint8_t)name[length] & 0xc0) == 0x80;) length--;
    const char *cut = arena_string_n(builder->scratch, name, length);
    return cut ? cut : ""; // any name will do
}

Status tfl_call_note(Call *call, const char *what) {
    Text *notes = &call->builder->imported->notes;
    text_add(notes, "%s%s: %s", notes->length ? "; " : "", call->emit.layer, what);
    return text_status(notes);
}

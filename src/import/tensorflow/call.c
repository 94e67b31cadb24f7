#include "import/limits.h"
#include "import/tensorflow/convert.h"
#include "import/tensorflow/tensor.h"
#include <string.h>

// ---- outputs

Status tf_call_give_slots(Call *call, const Slot *slots, int count) {
    call->outputs = arena_array(call->builder->scratch, (size_t)count + 1, sizeof *slots);
    if (!call->outputs) return fail_memory((size_t)count * sizeof *slots);
    if (count) memcpy(call->outputs, slots, (size_t)count * sizeof *slots);
    call->n_outputs = count;
    return ST_OK;
}

Status tf_call_give(Call *call, ValueId value) {
    return tf_call_give_slots(call, &(Slot){.kind = SLOT_VALUE, .value = value}, 1);
}

// ---- inputs

Status tf_call_expect(const Call *call, int least, int most) {
    if (call->n_inputs >= least && (most < 0 || call->n_inputs <= most)) return ST_OK;
    if (least == most) return fail(ST_BAD, "expected %d inputs, got %d", least, call->n_inputs);
    if (most < 0) return fail(ST_BAD, "expected at least %d inputs, got %d", least, call->n_inputs);
    return fail(ST_BAD, "expected %d to %d inputs, got %d", least, most, call->n_inputs);
}

Status tf_call_input(const Call *call, int input, ValueId *out) {
    FAIL_IF(input >= call->n_inputs, ST_BAD, "expected at least %d inputs, got %d", input + 1, call->n_inputs);
    FAIL_IF(call->inputs[input].kind == SLOT_ABSENT, ST_UNSUPPORTED,
            "input %d ('%s') is an output that is not supported", input + 1, call->node->inputs[input].text);
    FAIL_IF(call->inputs[input].kind != SLOT_VALUE, ST_BAD, "input %d ('%s'): expected a tensor of numbers, got %s",
            input + 1, call->node->inputs[input].text,
            call->inputs[input].kind == SLOT_VARIABLE ? "a variable" : "something else");
    *out = call->inputs[input].value;
    return ST_OK;
}

const Type *tf_call_type(const Call *call, int input) {
    static const Type unknown = {.dtype = DT_NONE, .rank = -1};
    if (input >= call->n_inputs || call->inputs[input].kind != SLOT_VALUE) return &unknown;
    return emit_type(&call->emit, call->inputs[input].value);
}

bool tf_call_is_known(Call *call, int input) {
    return input < call->n_inputs && call->inputs[input].kind == SLOT_VALUE &&
           emit_constant(&call->emit, call->inputs[input].value) != NULL;
}

Status tf_call_known(Call *call, int input, const char *what, const Tensor **out) {
    ValueId value;
    const char *blame;
    TRY(tf_call_input(call, input, &value));
    TRY(known_value(&call->builder->known, call->emit.graph, value, out, &blame));
    if (*out) return ST_OK;
    if (!*blame) return fail(ST_UNSUPPORTED, "its %s are not known before a run, which is not supported", what);
    return fail(ST_UNSUPPORTED,
                "its %s are not known before a run, which is not supported; they depend on input '%s': fix its shape "
                "(--input %s=1x256x256x3) or its values (--bind %s=x.npy)",
                what, blame, blame, blame);
}

Status tf_call_known_ints(Call *call, int input, const char *what, int limit, int64_t *values, int *count) {
    const Tensor *tensor;
    TRY(tf_call_known(call, input, what, &tensor));
    FAIL_IF(!dtype_is_integer(tensor->dtype), ST_BAD, "input %d (%s): expected integers, got %s", input + 1, what,
            dtype_name(tensor->dtype));
    const int64_t n = tensor_count(tensor);
    FAIL_IF(n > limit, ST_BAD, "input %d (%s): expected at most %d numbers, got %lld", input + 1, what, limit,
            (long long)n);
    for (int64_t i = 0; i < n; i++) values[i] = tensor_get_int(tensor, i);
    *count = (int)n;
    return ST_OK;
}

Status tf_call_known_int(Call *call, int input, const char *what, int64_t *out) {
    int count;
    TRY(tf_call_known_ints(call, input, what, 1, out, &count));
    FAIL_IF(count != 1, ST_BAD, "input %d (%s): expected one number, got none", input + 1, what);
    return ST_OK;
}

Status tf_call_cast(Call *call, const char *suffix, ValueId value, DType dtype, ValueId *out) {
    *out = value;
    if (emit_type(&call->emit, value)->dtype == dtype) return ST_OK;
    return emit_node(&call->emit, OP_Cast, suffix, &value, 1, ATTRS(ATTR_S("to", dtype_name(dtype))), out);
}

static Status constant_int64(Call *call, const Tensor *from, bool vector, ValueId *out) {
    Shape shape = from->shape;
    Tensor to;
    FAIL_IF(!dtype_is_integer(from->dtype), ST_BAD, "expected integers, got %s", dtype_name(from->dtype));
    const int64_t count = tensor_count(from);
    if (vector && shape.rank != 1) shape = shape_of(1, &count);
    TRY(tf_builder_take(call->builder, (size_t)count * sizeof(int64_t)));
    TRY(tensor_make(&call->emit.graph->arena, DT_I64, shape, &to));
    for (int64_t i = 0; i < count; i++) tensor_set_int(&to, i, tensor_get_int(from, i));
    return emit_tensor(&call->emit, "ints", &to, out);
}

Status tf_call_int64(Call *call, ValueId value, bool vector, ValueId *out) {
    static const int64_t flat = -1;
    const Tensor *constant = emit_constant(&call->emit, value);
    const bool other_rank = vector && emit_type(&call->emit, value)->rank != 1;
    if (constant && (constant->dtype != DT_I64 || other_rank)) return constant_int64(call, constant, vector, out);
    TRY(tf_call_cast(call, "int64", value, DT_I64, out));
    return other_rank ? emit_reshape(&call->emit, "list", *out, &flat, 1, out) : ST_OK;
}

Status tf_call_axis(const Call *call, int rank, int64_t axis, int *out) {
    (void)call;
    FAIL_IF(rank < 0, ST_UNSUPPORTED, "a value of a rank that is not known");
    FAIL_IF(axis < -rank || axis >= rank, ST_BAD, "expected an axis from %d to %d, got %lld", -rank, rank - 1,
            (long long)axis);
    *out = (int)(axis < 0 ? axis + rank : axis);
    return ST_OK;
}

// ---- attributes

const TfAttr *tf_attr(const TfNode *node, const char *name) {
    for (int i = node->n_attrs; i-- > 0;) // of two of a name the last one counts
        if (strcmp(node->attrs[i].name, name) == 0) return &node->attrs[i];
    return NULL;
}

// AttrValue: list 1, s 2, i 3, f 4, b 5, type 6, shape 7, tensor 8, placeholder 9, func 10. The field that is there.
static Status read_value(const TfNode *node, const char *name, PbReader *reader, PbField *out, bool *found) {
    const TfAttr *attr = tf_attr(node, name);
    PbField field;
    *found = false;
    if (!attr) return ST_OK;
    *reader = attr->value;
    while (pb_next(reader, &field)) {
        if (field.number > 10) continue;
        *out = field;
        *found = true;
    }
    FAIL_IF(*found && out->number == 9, ST_UNSUPPORTED,
            "attribute '%s' is left to the caller of the function, which is not supported", name);
    return reader->status;
}

static Status check_kind(const char *name, const PbField *field, uint32_t number, const char *what) {
    FAIL_IF(field->number != number, ST_BAD, "attribute '%s': expected %s, got another type (field %u)", name, what,
            field->number);
    return ST_OK;
}

Status tf_call_attr_int(const Call *call, const char *name, int64_t otherwise, int64_t *out) {
    PbReader reader;
    PbField field;
    bool found;
    *out = otherwise;
    TRY(read_value(call->node, name, &reader, &field, &found));
    if (!found) return ST_OK;
    if (field.number != 5 && field.number != 6) TRY(check_kind(name, &field, 3, "an integer"));
    *out = pb_int64(&reader, &field);
    return reader.status;
}

Status tf_call_attr_bool(const Call *call, const char *name, bool otherwise, bool *out) {
    int64_t value;
    TRY(tf_call_attr_int(call, name, otherwise, &value));
    *out = value != 0;
    return ST_OK;
}

Status tf_call_attr_float(const Call *call, const char *name, double otherwise, double *out) {
    PbReader reader;
    PbField field;
    bool found;
    *out = otherwise;
    TRY(read_value(call->node, name, &reader, &field, &found));
    if (!found) return ST_OK;
    TRY(check_kind(name, &field, 4, "a float"));
    *out = pb_float(&reader, &field);
    return reader.status;
}

Status tf_call_attr_text(const Call *call, const char *name, const char *otherwise, const char **out) {
    PbReader reader;
    PbField field;
    bool found;
    *out = otherwise;
    TRY(read_value(call->node, name, &reader, &field, &found));
    if (!found) return ST_OK;
    TRY(check_kind(name, &field, 2, "a text"));
    const char *text = pb_string(&reader, &field, call->builder->scratch, LIMIT_NAME);
    if (text) *out = text;
    return reader.status;
}

// ListValue: i 3.
Status tf_call_attr_ints(const Call *call, const char *name, int limit, int64_t *values, int *count) {
    PbReader reader;
    PbField field;
    bool found;
    uint64_t bits;
    *count = 0;
    TRY(read_value(call->node, name, &reader, &field, &found));
    if (!found) return ST_OK;
    TRY(check_kind(name, &field, 1, "a list"));
    PbList list = pb_list(pb_message(&reader, &field), 3, PB_VARINT);
    TRY(reader.status);
    while (pb_list_next(&list, &bits)) {
        FAIL_IF(*count == limit, ST_BAD, "attribute '%s': expected at most %d numbers, got more", name, limit);
        values[(*count)++] = (int64_t)bits;
    }
    return list.message.status;
}

Status tf_call_attr_dtype(const Call *call, const char *name, DType otherwise, DType *out) {
    int64_t type;
    TRY(tf_call_attr_int(call, name, 0, &type));
    *out = otherwise;
    return type == 0 ? ST_OK : tf_dtype(type, out);
}

// NameAttrList: name 1.
Status tf_call_attr_function(const TfNode *node, const char *name, Arena *arena, const char **out) {
    PbReader reader;
    PbField field, part;
    bool found;
    *out = "";
    TRY(read_value(node, name, &reader, &field, &found));
    FAIL_IF(!found, ST_BAD, "attribute '%s' is missing", name);
    TRY(check_kind(name, &field, 10, "a function"));
    PbReader function = pb_message(&reader, &field);
    while (pb_next(&function, &part)) {
        if (part.number != 1) continue;
        const char *text = pb_string(&function, &part, arena, LIMIT_NAME);
        if (text) *out = text;
    }
    TRY(reader.status);
    return function.status;
}

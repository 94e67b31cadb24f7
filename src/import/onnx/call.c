#include "graph/table.h"
#include "import/limits.h"
#include "import/onnx/convert.h"
#include <stdio.h>
#include <string.h>

bool call_has_input(const Call *call, int index) { return index < call->n_inputs && call->inputs[index] >= 0; }

const Type *call_type(const Call *call, int input) {
    static const Type unknown = {.dtype = DT_NONE, .rank = -1};
    return call_has_input(call, input) ? &call->graph->values[call->inputs[input]].type : &unknown;
}

const Tensor *call_constant(const Call *call, int input) {
    return call_has_input(call, input) ? call->graph->values[call->inputs[input]].constant : NULL;
}

DType call_float_dtype(const Call *call, int input) {
    const DType dtype = call_type(call, input)->dtype;
    return dtype == DT_NONE ? DT_F32 : dtype;
}

void call_set_input(Call *call, int index, ValueId value) {
    while (call->n_inputs <= index) call->inputs[call->n_inputs++] = NO_VALUE;
    call->inputs[index] = value;
}

// ---- attributes

Status call_attr(const Call *call, const char *name, OnnxAttrType type, const OnnxAttr **out) {
    *out = onnx_attr(call->node, name);
    FAIL_IF(*out && (*out)->type != type, ST_BAD, "attribute '%s': expected %s, got %s", name,
            onnx_attr_type_name(type), onnx_attr_type_name((*out)->type));
    return ST_OK;
}

Status call_int(const Call *call, const char *name, int64_t otherwise, int64_t *out) {
    const OnnxAttr *attr;
    TRY(call_attr(call, name, ONNX_ATTR_INT, &attr));
    *out = attr ? attr->i : otherwise;
    return ST_OK;
}

Status call_ints_to_input(Call *call, const char *name, int index) {
    const OnnxAttr *attr;
    ValueId value;
    TRY(call_attr(call, name, ONNX_ATTR_INTS, &attr));
    if (!attr) return ST_OK;
    FAIL_IF(call_has_input(call, index), ST_BAD, "expected '%s' once, got it as an attribute and as input %d", name,
            index);
    TRY(call_ints(call, name, attr->ints, attr->count, &value));
    call_set_input(call, index, value);
    return ST_OK;
}

// Is `word` one of the words "a b c"?
static bool lists_word(const char *words, const char *word) {
    const size_t length = strlen(word);
    for (const char *at = words; *at; at += strspn(at, " ")) {
        const size_t size = strcspn(at, " ");
        if (size == length && memcmp(at, word, size) == 0) return true;
        at += size;
    }
    return false;
}

static AttrType graph_type(OnnxAttrType type) {
    switch (type) {
    case ONNX_ATTR_FLOAT: return ATTR_FLOAT;
    case ONNX_ATTR_STRING: return ATTR_STRING;
    case ONNX_ATTR_TENSOR: return ATTR_TENSOR;
    case ONNX_ATTR_FLOATS: return ATTR_FLOATS;
    case ONNX_ATTR_INTS: return ATTR_INTS;
    case ONNX_ATTR_STRINGS: return ATTR_STRINGS;
    default: return ATTR_INT;
    }
}

static Status set_dtype(Call *call, Node *node, const OnnxAttr *from) {
    DType dtype;
    FAIL_IF(from->type != ONNX_ATTR_INT, ST_BAD, "attribute '%s': expected %s, got %s", from->name,
            onnx_attr_type_name(ONNX_ATTR_INT), onnx_attr_type_name(from->type));
    TRY(onnx_dtype(from->i, &dtype));
    return node_set_string(call->graph, node, from->name, dtype_name(dtype));
}

static Status set_attr(Call *call, Node *node, const OnnxAttr *from, const AttrRule *rule) {
    if (rule->is_dtype) return set_dtype(call, node, from);
    FAIL_IF(from->type == ONNX_ATTR_NONE || from->type == ONNX_ATTR_GRAPH || from->type >= ONNX_ATTR_OTHER ||
                graph_type(from->type) != rule->type,
            ST_BAD, "attribute '%s': expected type %s, got %s", from->name, attr_type_name(rule->type),
            onnx_attr_type_name(from->type));
    Attr attr = {.name = from->name,
                 .type = rule->type,
                 .i = from->i,
                 .f = from->f,
                 .s = from->s,
                 .ints = from->ints,
                 .floats = from->floats,
                 .strings = from->strings,
                 .count = from->count};
    if (rule->type == ATTR_TENSOR) TRY(onnx_tensor(from->tensor, call->data, &attr.tensor));
    return node_set(call->graph, node, &attr);
}

static Status set_attrs(Call *call, Node *node) {
    for (int i = 0; i < call->node->n_attrs; i++) {
        const OnnxAttr *attr = &call->node->attrs[i];
        AttrRule rule;
        FAIL_IF(attr->reference, ST_UNSUPPORTED, "attribute '%s' refers to a function, which is not supported",
                attr->name);
        if (lists_word(call->ignored, attr->name)) continue;
        FAIL_IF(!op_attribute(node->op, attr->name, &rule), ST_UNSUPPORTED, "attribute '%s' is not supported",
                attr->name);
        TRY(set_attr(call, node, attr, &rule));
    }
    return ST_OK;
}

// ---- nodes

Status call_drop_outputs(Call *call, int first) {
    for (int i = first; i < call->n_outputs; i++) {
        const ValueId value = call->outputs[i];
        FAIL_IF(value >= 0 && call->used[value], ST_UNSUPPORTED, "its output %d ('%s') is used, which is not supported",
                i + 1, call->graph->values[value].name);
    }
    call->n_outputs = MIN(call->n_outputs, first);
    return ST_OK;
}

// Optional outputs at the end that nobody reads: a mask, indices, statistics.
static void drop_unused(Call *call, int least) {
    while (call->n_outputs > least) {
        const ValueId last = call->outputs[call->n_outputs - 1];
        if (last >= 0 && call->used[last]) return;
        call->n_outputs--;
    }
}

static Status check_inputs(const Call *call, const OpInfo *info) {
    const int got = call->n_inputs, min = info->min_inputs, max = info->max_inputs;
    FAIL_IF(max < 0 && got < min, ST_BAD, "expected at least %d input%s, got %d", min, min == 1 ? "" : "s", got);
    if (max >= 0 && (got < min || got > max)) {
        if (min == max) return fail(ST_BAD, "expected %d input%s, got %d", min, min == 1 ? "" : "s", got);
        return fail(ST_BAD, "expected %d to %d inputs, got %d", min, max, got);
    }
    const int required = info->max_inputs < 0 ? call->n_inputs : info->min_inputs;
    for (int i = 0; i < required; i++) {
        FAIL_IF(call->inputs[i] < 0, ST_BAD, "expected input %d, which is absent", i + 1);
    }
    return ST_OK;
}

Status call_same(Call *call, Node **node) {
    const OpInfo *info = op_info(call->op);
    Node *added;
    TRY(check_inputs(call, info));
    if (info->max_outputs >= 0) {
        TRY(call_drop_outputs(call, info->max_outputs));
        drop_unused(call, MAX(info->min_outputs, 1));
    }
    FAIL_IF(call->n_outputs == 0, ST_BAD, "expected an output, got none");
    while (call->n_outputs < info->min_outputs) call->outputs[call->n_outputs++] = NO_VALUE;
    TRY(graph_add_node(call->graph, call->op, call->node->name, call->inputs, call->n_inputs, call->outputs,
                       call->n_outputs, -1, &added));
    if (node) *node = added;
    return set_attrs(call, added);
}

Status call_last(Call *call, Op op, const ValueId *inputs, int n_inputs, Node **out) {
    TRY(call_drop_outputs(call, 1));
    FAIL_IF(call->n_outputs == 0, ST_BAD, "expected an output, got none");
    return graph_add_node(call->graph, op, call->node->name, inputs, n_inputs, call->outputs, 1, -1, out);
}

// "NAME.suffix" in scratch memory; NAME is the node's, or its first output's.
static Status name_of(Call *call, const char *suffix, char **out) {
    const char *base = call->node->name;
    if (!*base && call->n_outputs > 0 && call->outputs[0] >= 0) base = call->graph->values[call->outputs[0]].name;
    const size_t size = strlen(base) + strlen(suffix) + 2;
    *out = arena_alloc(call->data->scratch, size);
    if (!*out) return fail_memory(size);
    snprintf(*out, size, "%s.%s", base, suffix);
    return ST_OK;
}

Status call_value(Call *call, const char *suffix, ValueId *out) {
    char *name;
    TRY(name_of(call, suffix, &name));
    return graph_add_value(call->graph, name, NULL, out);
}

Status call_add(Call *call, Op op, const char *suffix, const ValueId *inputs, int n_inputs, ValueId *out, Node **node) {
    char *name;
    Node *added;
    TRY(name_of(call, suffix, &name));
    TRY(graph_add_value(call->graph, name, NULL, out));
    TRY(graph_add_node(call->graph, op, name, inputs, n_inputs, out, 1, -1, &added));
    if (node) *node = added;
    return ST_OK;
}

// ---- constants

Status call_tensor(Call *call, const char *suffix, const Tensor *tensor, ValueId *out) {
    char *name;
    TRY(name_of(call, suffix, &name));
    return graph_add_constant(call->graph, name, tensor, out);
}

Status call_ints(Call *call, const char *suffix, const int64_t *values, size_t count, ValueId *out) {
    const int64_t dim = (int64_t)count;
    Tensor tensor;
    TRY(tensor_make(&call->graph->arena, DT_I64, shape_of(1, &dim), &tensor));
    if (count > 0) memcpy(tensor.data, values, count * sizeof *values);
    return call_tensor(call, suffix, &tensor, out);
}

Status call_floats(Call *call, const char *suffix, const double *values, size_t count, ValueId *out) {
    const int64_t dim = (int64_t)count;
    Tensor tensor;
    TRY(tensor_make(&call->graph->arena, DT_F32, shape_of(1, &dim), &tensor));
    for (int64_t i = 0; i < dim; i++) tensor_set(&tensor, i, values[i]);
    return call_tensor(call, suffix, &tensor, out);
}

Status call_scalar(Call *call, const char *suffix, DType dtype, double value, ValueId *out) {
    Tensor tensor;
    TRY(tensor_make(&call->graph->arena, dtype, shape_of(0, NULL), &tensor));
    tensor_set(&tensor, 0, value);
    return call_tensor(call, suffix, &tensor, out);
}

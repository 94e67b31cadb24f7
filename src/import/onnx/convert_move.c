// Operators that move data or tell shapes; constants.
#include "import/onnx/convert.h"
#include <string.h>

// Up to opset 10: attributes pads and value.
Status convert_pad(Call *call) {
    const OnnxAttr *value;
    TRY(call_ints_to_input(call, "pads", 1));
    TRY(call_attr(call, "value", ONNX_ATTR_FLOAT, &value));
    if (value && value->f != 0) {
        ValueId constant;
        TRY(call_scalar(call, "value", call_float_dtype(call, 0), value->f, &constant));
        call_set_input(call, 2, constant);
    }
    return call_same(call, NULL);
}

// Up to opset 9: attributes starts, ends and axes.
Status convert_slice(Call *call) {
    TRY(call_ints_to_input(call, "starts", 1));
    TRY(call_ints_to_input(call, "ends", 2));
    TRY(call_ints_to_input(call, "axes", 3));
    return call_same(call, NULL);
}

// Squeeze and Unsqueeze up to opset 12: attribute axes.
Status convert_axes(Call *call) {
    TRY(call_ints_to_input(call, "axes", 1));
    return call_same(call, NULL);
}

// Up to opset 12: attribute split. Before opset 18 the number of equal parts was told by the outputs alone.
Status convert_split(Call *call) {
    Node *node;
    const int parts = call->n_outputs;
    TRY(call_ints_to_input(call, "split", 1));
    const bool equal = !call_has_input(call, 1) && !onnx_attr(call->node, "num_outputs");
    TRY(call_same(call, &node));
    return equal ? node_set_int(call->graph, node, "num_outputs", parts) : ST_OK;
}

// Up to opset 9: attribute k.
Status convert_topk(Call *call) {
    const OnnxAttr *k;
    TRY(call_attr(call, "k", ONNX_ATTR_INT, &k));
    if (k) {
        ValueId constant;
        TRY(call_ints(call, "k", &k->i, 1, &constant));
        call_set_input(call, 1, constant);
    }
    return call_same(call, NULL);
}

// ---- Resize

// The meaning of Upsample, and of Resize in opset 10: output pixel x lies at x / scale, nearest takes the floor.
static Status emit_asymmetric(Call *call, ValueId scales) {
    const OnnxAttr *mode;
    Node *node;
    const ValueId inputs[] = {call->inputs[0], NO_VALUE, scales};
    TRY(call_attr(call, "mode", ONNX_ATTR_STRING, &mode));
    TRY(call_last(call, OP_Resize, inputs, 3, &node));
    TRY(node_set_string(call->graph, node, "mode", mode ? mode->s : "nearest"));
    TRY(node_set_string(call->graph, node, "coordinate_transformation_mode", "asymmetric"));
    return node_set_string(call->graph, node, "nearest_mode", "floor");
}

// Opset 7 and 8: attribute scales; 9: input 1.
Status convert_upsample(Call *call) {
    const OnnxAttr *scales;
    TRY(call_attr(call, "scales", ONNX_ATTR_FLOATS, &scales));
    FAIL_IF(!call_has_input(call, 0) || !(scales || call_has_input(call, 1)), ST_BAD,
            "expected an input and scales, got one of them only");
    ValueId value = scales ? NO_VALUE : call->inputs[1];
    if (scales) TRY(call_floats(call, "scales", scales->floats, scales->count, &value));
    return emit_asymmetric(call, value);
}

static Status string_attr(const Call *call, const char *name, const char *otherwise, const char **out) {
    const OnnxAttr *attr;
    TRY(call_attr(call, name, ONNX_ATTR_STRING, &attr));
    *out = attr ? attr->s : otherwise;
    return ST_OK;
}

// tf_half_pixel_for_nn (opset 11 and 12) puts pixel x at (x + 1/2) / scale. Its floor is what half_pixel, which is 1/2
// less, gives when it is rounded with halves up.
static Status convert_tf_half_pixel(Call *call) {
    const char *nearest, *mode;
    Node *node;
    TRY(string_attr(call, "mode", "nearest", &mode));
    TRY(string_attr(call, "nearest_mode", "round_prefer_floor", &nearest));
    FAIL_IF(strcmp(mode, "nearest") != 0 || strcmp(nearest, "floor") != 0, ST_UNSUPPORTED,
            "coordinates tf_half_pixel_for_nn are supported with mode nearest and nearest_mode floor only, got %s, %s",
            mode, nearest);
    TRY(call_same(call, &node));
    TRY(node_set_string(call->graph, node, "coordinate_transformation_mode", "half_pixel"));
    return node_set_string(call->graph, node, "nearest_mode", "round_prefer_ceil");
}

// Exporters write an empty constant for an input that is absent; roi counts for tf_crop_and_resize only.
static void drop_empty_inputs(Call *call, bool keep_roi) {
    for (int i = 1; i < call->n_inputs; i++) {
        const Tensor *constant = call_constant(call, i);
        if ((constant && tensor_count(constant) == 0) || (i == 1 && !keep_roi)) call->inputs[i] = NO_VALUE;
    }
    while (call->n_inputs > 1 && call->inputs[call->n_inputs - 1] == NO_VALUE) call->n_inputs--;
}

Status convert_resize(Call *call) {
    const char *coordinates;
    if (call->opset < 11) {
        FAIL_IF(!call_has_input(call, 0) || !call_has_input(call, 1), ST_BAD,
                "expected an input and scales, got one of them only");
        return emit_asymmetric(call, call->inputs[1]);
    }
    TRY(string_attr(call, "coordinate_transformation_mode", "half_pixel", &coordinates));
    drop_empty_inputs(call, strcmp(coordinates, "tf_crop_and_resize") == 0);
    if (strcmp(coordinates, "tf_half_pixel_for_nn") == 0) return convert_tf_half_pixel(call);
    return call_same(call, NULL);
}

// Before opset 20 linear was bilinear, and cubic bicubic.
Status convert_grid_sample(Call *call) {
    const char *mode;
    Node *node;
    TRY(string_attr(call, "mode", call->opset < 20 ? "bilinear" : "linear", &mode));
    if (text_starts(mode, "bi")) mode += strlen("bi");
    TRY(call_same(call, &node));
    return node_set_string(call->graph, node, "mode", mode);
}

// ---- shapes and constants

// The number of elements: the product of the shape.
Status convert_size(Call *call) {
    ValueId shape;
    Node *node;
    FAIL_IF(!call_has_input(call, 0), ST_BAD, "expected an input, got none");
    TRY(call_add(call, OP_Shape, "shape", call->inputs, 1, &shape, NULL));
    TRY(call_last(call, OP_ReduceProd, &shape, 1, &node));
    return node_set_int(call->graph, node, "keepdims", 0);
}

static Status numbers(Call *call, const OnnxAttr *attr, Tensor *out) {
    const bool is_float = attr->type == ONNX_ATTR_FLOAT || attr->type == ONNX_ATTR_FLOATS;
    const bool is_list = attr->type == ONNX_ATTR_FLOATS || attr->type == ONNX_ATTR_INTS;
    const int64_t count = is_list ? (int64_t)attr->count : 1;
    TRY(tensor_make(&call->graph->arena, is_float ? DT_F32 : DT_I64, shape_of(is_list ? 1 : 0, &count), out));
    for (int64_t i = 0; i < count; i++) {
        if (is_float) tensor_set(out, i, is_list ? attr->floats[i] : attr->f);
        else tensor_set_int(out, i, is_list ? attr->ints[i] : attr->i);
    }
    return ST_OK;
}

// Exactly one attribute: value, value_float(s), value_int(s); the others are not supported.
Status convert_constant(Call *call) {
    static const struct {
        const char *name;
        OnnxAttrType type;
    } forms[] = {{"value", ONNX_ATTR_TENSOR},
                 {"value_float", ONNX_ATTR_FLOAT},
                 {"value_floats", ONNX_ATTR_FLOATS},
                 {"value_int", ONNX_ATTR_INT},
                 {"value_ints", ONNX_ATTR_INTS}};
    FAIL_IF(call->node->n_attrs != 1, ST_BAD, "expected one value, got %d", call->node->n_attrs);
    FAIL_IF(call->n_outputs != 1 || call->outputs[0] < 0, ST_BAD, "expected one output");
    for (size_t i = 0; i < COUNT_OF(forms); i++) {
        const OnnxAttr *attr;
        Tensor tensor;
        TRY(call_attr(call, forms[i].name, forms[i].type, &attr));
        if (!attr) continue;
        TRY(attr->type == ONNX_ATTR_TENSOR ? onnx_tensor(attr->tensor, call->data, &tensor)
                                           : numbers(call, attr, &tensor));
        return graph_set_constant(call->graph, call->outputs[0], &tensor);
    }
    return fail(ST_UNSUPPORTED, "attribute '%s' is not supported", call->node->attrs[0].name);
}

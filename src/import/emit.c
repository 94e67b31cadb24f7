#include "import/emit.h"

static Status value_name(const Emit *emit, const char *suffix, Text *name) {
    text_add(name, "%s%s%s", emit->layer, *suffix && *emit->layer ? "." : "", suffix);
    return text_status(name);
}

const Type *emit_type(const Emit *emit, ValueId value) { return &emit->graph->values[value].type; }

const Tensor *emit_constant(const Emit *emit, ValueId value) {
    return value == NO_VALUE ? NULL : emit->graph->values[value].constant;
}

// ---- nodes

static Status add_named(Emit *emit, Op op, const char *name, const ValueId *inputs, int n_inputs, const Attr *attrs,
                        int n_attrs, ValueId *outs, int n_outs) {
    Node *node;
    for (int i = 0; i < n_outs; i++) TRY(graph_add_value(emit->graph, name, NULL, &outs[i]));
    TRY(graph_add_node(emit->graph, op, emit->layer, inputs, n_inputs, outs, n_outs, -1, &node));
    for (int i = 0; i < n_attrs; i++) TRY(node_set(emit->graph, node, &attrs[i]));
    return graph_infer_node(emit->graph, node);
}

Status emit_nodes(Emit *emit, Op op, const char *suffix, const ValueId *inputs, int n_inputs, const Attr *attrs,
                  int n_attrs, ValueId *outs, int n_outs) {
    Text name = {0};
    Status status = value_name(emit, suffix, &name);
    if (status == ST_OK) status = add_named(emit, op, text_get(&name), inputs, n_inputs, attrs, n_attrs, outs, n_outs);
    text_free(&name);
    return status;
}

Status emit_node(Emit *emit, Op op, const char *suffix, const ValueId *inputs, int n_inputs, const Attr *attrs,
                 int n_attrs, ValueId *out) {
    ValueId made; // as `out` may be one of the inputs
    TRY(emit_nodes(emit, op, suffix, inputs, n_inputs, attrs, n_attrs, &made, 1));
    *out = made;
    return ST_OK;
}

Status emit_unary(Emit *emit, Op op, const char *suffix, ValueId x, ValueId *out) {
    return emit_node(emit, op, suffix, &x, 1, NO_ATTRS, out);
}

Status emit_binary(Emit *emit, Op op, const char *suffix, ValueId a, ValueId b, ValueId *out) {
    return emit_node(emit, op, suffix, (const ValueId[]){a, b}, 2, NO_ATTRS, out);
}

Status emit_output(Emit *emit, const char *name, ValueId value) {
    Emit last = {.graph = emit->graph, .layer = name};
    ValueId out;
    TRY(emit_unary(&last, OP_Identity, "", value, &out));
    return graph_add_output(emit->graph, out);
}

Status emit_end(Graph *graph) {
    TRY(graph_compact(graph));
    TRY(graph_infer(graph));
    return graph_verify(graph);
}

// ---- constants

Status emit_tensor(Emit *emit, const char *suffix, const Tensor *tensor, ValueId *out) {
    Text name = {0};
    Status status = value_name(emit, suffix, &name);
    if (status == ST_OK) status = graph_add_constant(emit->graph, text_get(&name), tensor, out);
    text_free(&name);
    return status;
}

Status emit_ints(Emit *emit, const char *suffix, const int64_t *values, int count, ValueId *out) {
    Tensor tensor;
    TRY(tensor_make(&emit->graph->arena, DT_I64, shape_of(1, (const int64_t[]){count}), &tensor));
    for (int i = 0; i < count; i++) tensor_set_int(&tensor, i, values[i]);
    return emit_tensor(emit, suffix, &tensor, out);
}

Status emit_floats(Emit *emit, const char *suffix, const double *values, int count, ValueId *out) {
    Tensor tensor;
    TRY(tensor_make(&emit->graph->arena, DT_F32, shape_of(1, (const int64_t[]){count}), &tensor));
    for (int i = 0; i < count; i++) tensor_set(&tensor, i, values[i]);
    return emit_tensor(emit, suffix, &tensor, out);
}

Status emit_scalar(Emit *emit, const char *suffix, DType dtype, double value, ValueId *out) {
    Tensor tensor;
    TRY(tensor_make(&emit->graph->arena, dtype, (Shape){0}, &tensor));
    tensor_set(&tensor, 0, value);
    return emit_tensor(emit, suffix, &tensor, out);
}

Status emit_permuted(Emit *emit, const char *suffix, const Tensor *tensor, const int *perm, ValueId *out) {
    Tensor made;
    TRY(tensor_permute(&emit->graph->arena, tensor, perm, &made));
    return emit_tensor(emit, suffix, &made, out);
}

// ---- moving data

Status emit_transpose(Emit *emit, const char *suffix, ValueId x, const int *perm, ValueId *out) {
    int64_t list[MAX_RANK];
    const int rank = emit_type(emit, x)->rank;
    FAIL_IF(rank < 0, ST_UNSUPPORTED, "a value of a rank that is not known");
    for (int i = 0; i < rank; i++) list[i] = perm[i];
    return emit_node(emit, OP_Transpose, suffix, &x, 1, ATTRS(ATTR_L("perm", list, rank)), out);
}

static Status move_channels(Emit *emit, bool to_first, ValueId x, ValueId *out) {
    int perm[MAX_RANK];
    const int rank = emit_type(emit, x)->rank;
    FAIL_IF(rank < 0, ST_UNSUPPORTED, "a value of a rank that is not known");
    FAIL_IF(rank < 2, ST_BAD, "expected a value with a batch and channels, got one of %d dims", rank);
    *out = x;
    if (rank == 2) return ST_OK;
    for (int i = 0; i < rank; i++) {
        if (i == 0) perm[i] = 0;
        else if (to_first) perm[i] = i == 1 ? rank - 1 : i - 1;
        else perm[i] = i == rank - 1 ? 1 : i + 1;
    }
    return emit_transpose(emit, to_first ? "first" : "last", x, perm, out);
}

Status emit_first(Emit *emit, ValueId x, ValueId *out) { return move_channels(emit, true, x, out); }
Status emit_last(Emit *emit, ValueId x, ValueId *out) { return move_channels(emit, false, x, out); }

Status emit_reshape(Emit *emit, const char *suffix, ValueId x, const int64_t *shape, int rank, ValueId *out) {
    ValueId list;
    TRY(emit_ints(emit, "shape", shape, rank, &list));
    return emit_binary(emit, OP_Reshape, suffix, x, list, out);
}

Status emit_pad(Emit *emit, const char *suffix, ValueId x, const int64_t *begin, const int64_t *end, const char *mode,
                double value, ValueId *out) {
    const int rank = emit_type(emit, x)->rank;
    const DType dtype = emit_type(emit, x)->dtype;
    int64_t pads[2 * MAX_RANK];
    ValueId inputs[3] = {x};
    FAIL_IF(rank < 0, ST_UNSUPPORTED, "a value of a rank that is not known");
    for (int i = 0; i < rank; i++) {
        pads[i] = begin[i];
        pads[rank + i] = end[i];
    }
    TRY(emit_ints(emit, "pads", pads, 2 * rank, &inputs[1]));
    TRY(emit_scalar(emit, "value", dtype == DT_NONE ? DT_F32 : dtype, value, &inputs[2]));
    return emit_node(emit, OP_Pad, suffix, inputs, 3, ATTRS(ATTR_S("mode", mode)), out);
}

// ---- windows

typedef struct WindowAttrs {
    Attr attrs[8];
    int count;
    int64_t stride[3], dilation[3], pads[6];
} WindowAttrs;

// Adds all but the kernel, the group and the pads.
static void window_attrs(const EmitWindow *window, WindowAttrs *out) {
    out->count = 0;
    for (int i = 0; i < window->spatial; i++) {
        out->stride[i] = window->stride[i] ? window->stride[i] : 1;
        out->dilation[i] = window->dilation[i] ? window->dilation[i] : 1;
    }
    out->attrs[out->count++] = (Attr)ATTR_L("strides", out->stride, window->spatial);
    out->attrs[out->count++] = (Attr)ATTR_L("dilations", out->dilation, window->spatial);
}

static void add_pads(const EmitWindow *window, WindowAttrs *out) {
    if (window->same) {
        out->attrs[out->count++] = (Attr)ATTR_S("auto_pad", "SAME_UPPER");
        return;
    }
    for (int i = 0; i < window->spatial; i++) {
        out->pads[i] = window->pad_begin[i];
        out->pads[window->spatial + i] = window->pad_end[i];
    }
    out->attrs[out->count++] = (Attr)ATTR_L("pads", out->pads, 2 * window->spatial);
}

static int weight_inputs(ValueId bias) { return bias == NO_VALUE ? 2 : 3; }

Status emit_conv(Emit *emit, ValueId x, ValueId weight, ValueId bias, const EmitWindow *window, ValueId *out) {
    WindowAttrs list;
    window_attrs(window, &list);
    add_pads(window, &list);
    list.attrs[list.count++] = (Attr)ATTR_I("group", window->group ? window->group : 1);
    const ValueId inputs[] = {x, weight, bias};
    return emit_node(emit, OP_Conv, "conv", inputs, weight_inputs(bias), list.attrs, list.count, out);
}

// SAME's forward convolution has an input of input * stride elements here: what it pads, (k - 1) dilation + 1 - stride
// in all with the odd one at the end, is cut off the full output; a window smaller than the stride leaves a gap
// instead.
static EmitWindow resolve_same(const EmitWindow *window) {
    EmitWindow resolved = *window;
    resolved.same = false;
    for (int i = 0; i < window->spatial; i++) {
        const int64_t stride = MAX(window->stride[i], 1), dilation = MAX(window->dilation[i], 1);
        const int64_t over = (window->kernel[i] - 1) * dilation + 1 - stride;
        resolved.pad_begin[i] = MAX(over, 0) / 2;
        resolved.pad_end[i] = MAX(over, 0) - MAX(over, 0) / 2;
        resolved.output_padding[i] = MAX(-over, 0);
    }
    return resolved;
}

Status emit_conv_transpose(Emit *emit, ValueId x, ValueId weight, ValueId bias, const EmitWindow *window,
                           ValueId *out) {
    WindowAttrs list;
    const EmitWindow resolved = window->same ? resolve_same(window) : *window;
    window_attrs(&resolved, &list);
    add_pads(&resolved, &list);
    list.attrs[list.count++] = (Attr)ATTR_L("output_padding", resolved.output_padding, resolved.spatial);
    list.attrs[list.count++] = (Attr)ATTR_I("group", resolved.group ? resolved.group : 1);
    const ValueId inputs[] = {x, weight, bias};
    return emit_node(emit, OP_ConvTranspose, "conv", inputs, weight_inputs(bias), list.attrs, list.count, out);
}

Status emit_pool(Emit *emit, Op op, ValueId x, const EmitWindow *window, ValueId *out) {
    WindowAttrs list;
    window_attrs(window, &list);
    add_pads(window, &list);
    list.attrs[list.count++] = (Attr)ATTR_L("kernel_shape", window->kernel, window->spatial);
    return emit_node(emit, op, "pool", &x, 1, list.attrs, list.count, out);
}

// ---- normalisation

Status emit_batch_norm(Emit *emit, ValueId x, int axis, const ValueId parameters[4], double epsilon, ValueId *out) {
    const int rank = emit_type(emit, x)->rank;
    FAIL_IF(rank < 0, ST_UNSUPPORTED, "a value of a rank that is not known");
    FAIL_IF(axis < -rank || axis >= rank, ST_BAD, "expected an axis of %d dims, got %d", rank, axis);
    const int channel = axis < 0 ? axis + rank : axis;
    int perm[MAX_RANK]; // exchanges the axis and dim 1: its own inverse
    for (int i = 0; i < rank; i++) perm[i] = i;
    FAIL_IF(rank < 2, ST_UNSUPPORTED, "a normalisation of a value of %d dims", rank);
    ValueId inputs[] = {x, parameters[0], parameters[1], parameters[2], parameters[3]}, y;
    const bool is_last = channel == rank - 1 && rank > 2;
    perm[1] = channel;
    perm[channel] = 1;
    if (is_last) TRY(emit_first(emit, x, &inputs[0]));
    else if (channel != 1) TRY(emit_transpose(emit, "aside", x, perm, &inputs[0]));
    TRY(emit_node(emit, OP_BatchNormalization, "norm", inputs, 5, ATTRS(ATTR_F("epsilon", epsilon)), &y));
    if (is_last) return emit_last(emit, y, out);
    if (channel != 1) return emit_transpose(emit, "back", y, perm, out);
    *out = y;
    return ST_OK;
}

// ---- resize

// Resize takes the dims of all axes, or their factors: those of batch and channels stay (a factor of 1, or the size by
// way of the attribute axes).
Status emit_resize(Emit *emit, ValueId x, const EmitResize *resize, ValueId *out) {
    const int rank = emit_type(emit, x)->rank, spatial = rank - 2;
    int64_t axes[MAX_RANK];
    ValueId inputs[] = {x, NO_VALUE, NO_VALUE, NO_VALUE};
    FAIL_IF(spatial < 1, ST_UNSUPPORTED, "a resize of a value without known spatial dims");
    for (int i = 0; i < spatial; i++) axes[i] = 2 + i;
    if (resize->sizes) TRY(emit_ints(emit, "sizes", resize->sizes, spatial, &inputs[3]));
    else TRY(emit_floats(emit, "scales", resize->scales, spatial, &inputs[2]));
    return emit_node(emit, OP_Resize, "resize", inputs, resize->sizes ? 4 : 3,
                     ATTRS(ATTR_S("mode", resize->mode), ATTR_S("coordinate_transformation_mode", resize->coordinate),
                           ATTR_S("nearest_mode", resize->nearest ? resize->nearest : "floor"),
                           ATTR_F("cubic_coeff_a", resize->cubic_coeff != 0 ? resize->cubic_coeff : -0.75),
                           ATTR_L("axes", axes, spatial)),
                     out);
}

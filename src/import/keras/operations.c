// Functions that were called on tensors without a layer around them: TFOpLambda and SlicingOpLambda of Keras 2 (named
// as in TensorFlow: "math.add"), operations of Keras 3 (keras.src.ops; arguments in the call, other settings in the
// configuration). Layouts are told by the axes here, and channels come last.
#include "import/keras/layer.h"
#include <string.h>
#include <strings.h>

// ---- arguments

static Status need(const LayerCall *call, int position, const char *key, Operand *out) {
    FAIL_IF(!call_operand(call, position, key, out), ST_BAD, "expected an argument '%.*s', got none",
            (int)strcspn(key, "|"), key);
    return ST_OK;
}

static Status need_x(LayerCall *call) {
    Operand x;
    TRY(need(call, 0, "x|x1|a", &x));
    FAIL_IF(!x.values || x.n_values < 1, ST_UNSUPPORTED, "a function of no tensor");
    call->x = x.values[0];
    return ST_OK;
}

static Status need_ints(const LayerCall *call, int position, const char *key, int most, int64_t *out, int *count) {
    Operand operand;
    TRY(need(call, position, key, &operand));
    FAIL_IF(!operand.json, ST_UNSUPPORTED, "a tensor as '%s'", key);
    return json_list_of(operand.json, key, most, out, count);
}

static double float_operand(const LayerCall *call, int position, const char *key, double otherwise) {
    Operand operand;
    const bool is_there = call_operand(call, position, key, &operand);
    return is_there && operand.json && operand.json->type == JSON_NUMBER ? operand.json->number : otherwise;
}

static bool flag_operand(const LayerCall *call, int position, const char *key, bool otherwise) {
    Operand operand;
    const bool is_there = call_operand(call, position, key, &operand);
    return is_there && operand.json && operand.json->type == JSON_BOOL ? operand.json->boolean : otherwise;
}

static Status need_axes(const LayerCall *call, int position, int rank, int64_t *out, int *count) {
    TRY(need_ints(call, position, "axis|perm|axes", MAX_RANK, out, count));
    for (int i = 0; i < *count; i++) {
        if (out[i] < 0) out[i] += rank;
        FAIL_IF(out[i] < 0 || out[i] >= rank, ST_BAD, "'axis': expected axes of %d dims", rank);
    }
    return ST_OK;
}

// ---- element by element

static Status op_binary(LayerCall *call) {
    Operand a, b;
    ValueId x, y;
    TRY(need(call, 0, "x|x1|a", &a));
    TRY(need(call, 1, "y|x2|b", &b));
    const ValueId tensor = a.values ? a.values[0] : b.values ? b.values[0] : NO_VALUE;
    FAIL_IF(tensor == NO_VALUE, ST_UNSUPPORTED, "a function of no tensor");
    const DType dtype = type_of(call, tensor)->dtype;
    TRY(operand_value(call, &a, dtype, "a", &x));
    TRY(operand_value(call, &b, dtype, "b", &y));
    return emit_binary(&call->emit, (Op)call->kind->number, "y", x, y, &call->out[0]);
}

static Status op_unary(LayerCall *call) {
    TRY(need_x(call));
    return emit_unary(&call->emit, (Op)call->kind->number, "y", call->x, &call->out[0]);
}

static Status op_square(LayerCall *call) {
    TRY(need_x(call));
    return emit_binary(&call->emit, OP_Mul, "y", call->x, call->x, &call->out[0]);
}

static Status op_rsqrt(LayerCall *call) {
    ValueId root;
    TRY(need_x(call));
    TRY(emit_unary(&call->emit, OP_Sqrt, "root", call->x, &root));
    return emit_unary(&call->emit, OP_Reciprocal, "y", root, &call->out[0]);
}

static Status op_relu6(LayerCall *call) {
    TRY(need_x(call));
    return add_named_activation(call, "relu6", call->x, &call->out[0]);
}

static Status op_hard_sigmoid(LayerCall *call) {
    TRY(need_x(call));
    return add_named_activation(call, "hard_sigmoid", call->x, &call->out[0]);
}

static Status op_leaky_relu(LayerCall *call) {
    TRY(need_x(call));
    const double slope = float_operand(call, 1, "alpha|negative_slope", 0.2);
    return emit_node(&call->emit, OP_LeakyRelu, "y", &call->x, 1, ATTRS(ATTR_F("alpha", slope)), &call->out[0]);
}

// kind->number: whether the tanh form is what is meant when nothing is said.
static Status op_gelu(LayerCall *call) {
    TRY(need_x(call));
    const char *form = flag_operand(call, 1, "approximate", call->kind->number != 0) ? "tanh" : "none";
    return emit_node(&call->emit, OP_Gelu, "y", &call->x, 1, ATTRS(ATTR_S("approximate", form)), &call->out[0]);
}

static Status op_softmax(LayerCall *call) {
    TRY(need_x(call));
    const int64_t axis = (int64_t)float_operand(call, 1, "axis", -1);
    return emit_node(&call->emit, (Op)call->kind->number, "y", &call->x, 1, ATTRS(ATTR_I("axis", axis)), &call->out[0]);
}

static Status op_clip(LayerCall *call) {
    static const char *const keys[] = {"clip_value_min|x_min", "clip_value_max|x_max"};
    ValueId inputs[3];
    TRY(need_x(call));
    inputs[0] = call->x;
    for (int i = 0; i < 2; i++) {
        Operand bound;
        TRY(need(call, 1 + i, keys[i], &bound));
        TRY(operand_value(call, &bound, type_of(call, call->x)->dtype, "bound", &inputs[1 + i]));
    }
    return emit_node(&call->emit, OP_Clip, "y", inputs, 3, NO_ATTRS, &call->out[0]);
}

static Status op_cast(LayerCall *call) {
    Operand dtype;
    TRY(need_x(call));
    TRY(need(call, 1, "dtype", &dtype));
    FAIL_IF(!dtype.json || dtype.json->type != JSON_STRING || dtype_from_name(dtype.json->string) == DT_NONE,
            ST_UNSUPPORTED, "a cast to a type that is not known");
    const Attr attrs[] = {ATTR_S("to", dtype_name(dtype_from_name(dtype.json->string)))};
    return emit_node(&call->emit, OP_Cast, "y", &call->x, 1, attrs, 1, &call->out[0]);
}

static Status op_identity(LayerCall *call) {
    TRY(need_x(call));
    call->out[0] = call->x;
    return ST_OK;
}

// ---- reductions

static Status op_reduce(LayerCall *call) {
    int64_t axes[MAX_RANK];
    int count = 0;
    Operand axis;
    ValueId inputs[2];
    TRY(need_x(call));
    inputs[0] = call->x;
    if (call_operand(call, 1, "axis", &axis)) TRY(need_axes(call, 1, type_of(call, call->x)->rank, axes, &count));
    if (count > 0) TRY(emit_ints(&call->emit, "axes", axes, count, &inputs[1]));
    const bool keep = flag_operand(call, 2, "keepdims", false);
    return emit_node(&call->emit, (Op)call->kind->number, "y", inputs, count ? 2 : 1, ATTRS(ATTR_I("keepdims", keep)),
                     &call->out[0]);
}

// ---- moving data

static Status op_concat(LayerCall *call) {
    Operand list;
    int64_t axis = -1;
    int count = 1;
    TRY(need(call, 0, "values|xs", &list));
    FAIL_IF(!list.values, ST_UNSUPPORTED, "a concatenation of no tensor");
    Operand told;
    if (call_operand(call, 1, "axis", &told)) {
        TRY(need_axes(call, 1, type_of(call, list.values[0])->rank, &axis, &count));
    }
    FAIL_IF(count != 1, ST_BAD, "'axis': expected one number");
    return emit_node(&call->emit, OP_Concat, "y", list.values, list.n_values, ATTRS(ATTR_I("axis", axis)),
                     &call->out[0]);
}

// "axis" may have one more than the input has dims.
static Status op_expand(LayerCall *call) {
    int64_t axes[MAX_RANK];
    int count;
    ValueId list;
    TRY(need_x(call));
    TRY(need_ints(call, 1, "axis", MAX_RANK, axes, &count));
    TRY(emit_ints(&call->emit, "axes", axes, count, &list));
    return emit_binary(&call->emit, OP_Unsqueeze, "y", call->x, list, &call->out[0]);
}

static Status op_squeeze(LayerCall *call) {
    int64_t axes[MAX_RANK];
    int count;
    ValueId list;
    TRY(need_x(call));
    TRY(need_axes(call, 1, type_of(call, call->x)->rank, axes, &count));
    TRY(emit_ints(&call->emit, "axes", axes, count, &list));
    return emit_binary(&call->emit, OP_Squeeze, "y", call->x, list, &call->out[0]);
}

static Status op_transpose(LayerCall *call) {
    int64_t axes[MAX_RANK];
    int count, perm[MAX_RANK];
    bool seen[MAX_RANK] = {false};
    TRY(need_x(call));
    const int rank = type_of(call, call->x)->rank;
    TRY(need_axes(call, 1, rank, axes, &count));
    FAIL_IF(count != rank, ST_BAD, "'perm': expected %d axes, got %d", rank, count);
    for (int i = 0; i < count; i++) {
        FAIL_IF(seen[axes[i]], ST_BAD, "'perm': expected each axis once");
        seen[axes[i]] = true;
        perm[i] = (int)axes[i];
    }
    return emit_transpose(&call->emit, "y", call->x, perm, &call->out[0]);
}

// The whole shape, with the batch: a fixed one there is for one batch only.
static Status op_reshape(LayerCall *call) {
    int64_t shape[MAX_RANK];
    int count;
    TRY(need_x(call));
    TRY(need_ints(call, 1, "shape|newshape", MAX_RANK, shape, &count));
    for (int i = 0; i < count; i++) {
        FAIL_IF(shape[i] < 1 && shape[i] != -1, ST_BAD, "'shape': expected sizes from 1 on, or -1, got %lld",
                (long long)shape[i]);
    }
    return emit_reshape(&call->emit, "y", call->x, shape, count, &call->out[0]);
}

static Status pad_mode(const LayerCall *call, const char **out) {
    Operand mode;
    *out = "constant";
    if (!call_operand(call, 2, "mode", &mode)) return ST_OK;
    FAIL_IF(!mode.json || mode.json->type != JSON_STRING, ST_BAD, "'mode': expected a text");
    const bool is_constant = strcasecmp(mode.json->string, "constant") == 0;
    FAIL_IF(!is_constant && strcasecmp(mode.json->string, "reflect"), ST_UNSUPPORTED, "padding '%s'",
            mode.json->string);
    if (!is_constant) *out = "reflect";
    return ST_OK;
}

static Status op_pad(LayerCall *call) {
    int64_t begin[MAX_RANK], end[MAX_RANK];
    Operand pads;
    const char *mode;
    TRY(need_x(call));
    TRY(need(call, 1, "paddings|pad_width", &pads));
    TRY(pad_mode(call, &mode));
    const int rank = type_of(call, call->x)->rank;
    FAIL_IF(!pads.json || pads.json->type != JSON_ARRAY || pads.json->count != (size_t)rank, ST_BAD,
            "'paddings': expected %d pairs", rank);
    for (int i = 0; i < rank; i++) {
        int64_t pair[2];
        int count;
        TRY(json_list_of(&pads.json->items[i], "paddings", 2, pair, &count));
        FAIL_IF(count != 2 || pair[0] < 0 || pair[1] < 0 || pair[0] > INT32_MAX || pair[1] > INT32_MAX, ST_BAD,
                "'paddings': expected pairs of numbers from 0 on");
        begin[i] = pair[0];
        end[i] = pair[1];
    }
    const double value = float_operand(call, 3, "constant_values", 0);
    return emit_pad(&call->emit, "y", call->x, begin, end, mode, value, &call->out[0]);
}

static Status op_depth_to_space(LayerCall *call) {
    int64_t block;
    int count;
    ValueId x, y;
    TRY(need_x(call));
    TRY(need_ints(call, 1, "block_size", 1, &block, &count));
    TRY(emit_first(&call->emit, call->x, &x));
    TRY(emit_node(&call->emit, OP_DepthToSpace, "y", &x, 1, ATTRS(ATTR_I("blocksize", block), ATTR_S("mode", "DCR")),
                  &y));
    return emit_last(&call->emit, y, &call->out[0]);
}

// tf.image.resize, keras.ops.image.resize: half-pixel centres, without smoothing; to height and width.
static Status op_resize(LayerCall *call) {
    int64_t sizes[2];
    int count;
    Operand method;
    EmitResize resize = {.sizes = sizes, .mode = "linear", .coordinate = "half_pixel"};
    ValueId x, y;
    bool is_first;
    TRY(need_x(call));
    TRY(need_ints(call, 1, "size", 2, sizes, &count));
    FAIL_IF(count != 2 || sizes[0] < 1 || sizes[1] < 1, ST_BAD, "'size': expected height and width");
    if (call_operand(call, 2, "method|interpolation", &method)) {
        const bool is_nearest = json_is(method.json, "nearest");
        FAIL_IF(!is_nearest && !json_is(method.json, "bilinear"), ST_UNSUPPORTED, "this method of resizing");
        if (is_nearest) resize.mode = "nearest";
        if (is_nearest) resize.nearest = "round_prefer_ceil";
    }
    FAIL_IF(flag_operand(call, 4, "antialias", false) || flag_operand(call, 3, "preserve_aspect_ratio", false),
            ST_UNSUPPORTED, "resizing that keeps the aspect ratio or smooths");
    FAIL_IF(type_of(call, call->x)->rank != 4, ST_UNSUPPORTED, "resizing what is no batch of images");
    TRY(layer_is_first(call, &is_first));
    TRY(layer_to_first(call, call->x, &x));
    TRY(emit_resize(&call->emit, x, &resize, &y));
    return layer_from_first(call, y, &call->out[0]);
}

// ---- x[1:, ..., 0, None]

typedef struct Cut {
    int64_t start[MAX_RANK], end[MAX_RANK], step[MAX_RANK], axis[MAX_RANK]; // of Slice
    int64_t dropped[MAX_RANK], added[MAX_RANK];                             // axes to squeeze; of the result, to add
    int n_cut, n_dropped, n_added;
    int axis_in, axis_out; // so far
} Cut;

static bool is_ellipsis(const Json *json) { return json_is(json_get(json, "class_name"), "__ellipsis__"); }

static Status slice_end(const Json *config, const char *key, int64_t otherwise, int64_t *out) {
    const Json *json = json_get(config, key);
    *out = otherwise;
    FAIL_IF(json && json->type != JSON_NULL && !json_integer_of(json, out), ST_UNSUPPORTED, "a slice by a tensor");
    return ST_OK;
}

static Status cut_range(Cut *cut, const Json *json) {
    const Json *config = json_get(json, "config") ? json_get(json, "config") : json;
    const int n = cut->n_cut++;
    TRY(slice_end(config, "step", 1, &cut->step[n]));
    FAIL_IF(cut->step[n] == 0, ST_BAD, "expected a step other than 0");
    const bool is_back = cut->step[n] < 0;
    TRY(slice_end(config, "start", is_back ? INT64_MAX : 0, &cut->start[n]));
    TRY(slice_end(config, "stop", is_back ? INT64_MIN : INT64_MAX, &cut->end[n]));
    cut->axis[n] = cut->axis_in++;
    cut->axis_out++;
    return ST_OK;
}

// One element; its axis goes. The last one ends at no number.
static void cut_index(Cut *cut, int64_t index) {
    const int n = cut->n_cut++;
    cut->start[n] = index;
    cut->end[n] = index == -1 ? INT64_MAX : index + 1;
    cut->step[n] = 1;
    cut->axis[n] = cut->dropped[cut->n_dropped++] = cut->axis_in++;
}

static Status cut_item(Cut *cut, const Json *json, int rank, int skipped) {
    int64_t index;
    if (is_ellipsis(json)) {
        cut->axis_in += skipped;
        cut->axis_out += skipped;
        return ST_OK;
    }
    if (json->type == JSON_NULL) {
        FAIL_IF(cut->n_added == MAX_RANK, ST_BAD, "expected at most %d dims", MAX_RANK);
        cut->added[cut->n_added++] = cut->axis_out++;
        return ST_OK;
    }
    FAIL_IF(cut->axis_in >= rank, ST_BAD, "expected at most %d indices, got more", rank);
    if (json_integer_of(json, &index)) {
        cut_index(cut, index);
        return ST_OK;
    }
    FAIL_IF(json->type != JSON_OBJECT, ST_UNSUPPORTED, "an index that is no number and no slice");
    return cut_range(cut, json);
}

static Status cut_all(const Json *items, size_t count, int rank, Cut *cut) {
    int taken = 0, ellipses = 0;
    for (size_t i = 0; i < count; i++) {
        ellipses += is_ellipsis(&items[i]);
        taken += items[i].type != JSON_NULL && !is_ellipsis(&items[i]);
    }
    FAIL_IF(taken > rank || ellipses > 1, ST_BAD, "expected at most %d indices and one ellipsis", rank);
    for (size_t i = 0; i < count; i++) TRY(cut_item(cut, &items[i], rank, rank - taken));
    return ST_OK;
}

static Status op_get_item(LayerCall *call) {
    Operand spec;
    Cut cut = {0};
    ValueId inputs[5], y, list;
    TRY(need_x(call));
    TRY(need(call, 1, "slice_spec|key", &spec));
    FAIL_IF(!spec.json, ST_UNSUPPORTED, "an index that is a tensor");
    const bool is_list = spec.json->type == JSON_ARRAY;
    TRY(cut_all(is_list ? spec.json->items : spec.json, is_list ? spec.json->count : 1, type_of(call, call->x)->rank,
                &cut));
    y = inputs[0] = call->x;
    if (cut.n_cut > 0) {
        TRY(emit_ints(&call->emit, "starts", cut.start, cut.n_cut, &inputs[1]));
        TRY(emit_ints(&call->emit, "ends", cut.end, cut.n_cut, &inputs[2]));
        TRY(emit_ints(&call->emit, "axes", cut.axis, cut.n_cut, &inputs[3]));
        TRY(emit_ints(&call->emit, "steps", cut.step, cut.n_cut, &inputs[4]));
        TRY(emit_node(&call->emit, OP_Slice, "slice", inputs, 5, NO_ATTRS, &y));
    }
    if (cut.n_dropped > 0) {
        TRY(emit_ints(&call->emit, "dropped", cut.dropped, cut.n_dropped, &list));
        TRY(emit_binary(&call->emit, OP_Squeeze, "squeezed", y, list, &y));
    }
    if (cut.n_added > 0) {
        TRY(emit_ints(&call->emit, "added", cut.added, cut.n_added, &list));
        TRY(emit_binary(&call->emit, OP_Unsqueeze, "raised", y, list, &y));
    }
    call->out[0] = y;
    return ST_OK;
}

// ---- tables

#define ROW(name, function, number)                                                                                    \
    { name, function, number, NULL, false }

static const LayerKind tensorflow_functions[] = {
    ROW("__operators__.add", op_binary, OP_Add),
    ROW("__operators__.getitem", op_get_item, 0),
    ROW("math.add", op_binary, OP_Add),
    ROW("math.subtract", op_binary, OP_Sub),
    ROW("math.multiply", op_binary, OP_Mul),
    ROW("math.truediv", op_binary, OP_Div),
    ROW("math.divide", op_binary, OP_Div),
    ROW("math.maximum", op_binary, OP_Max),
    ROW("math.minimum", op_binary, OP_Min),
    ROW("math.pow", op_binary, OP_Pow),
    ROW("linalg.matmul", op_binary, OP_MatMul),
    ROW("math.negative", op_unary, OP_Neg),
    ROW("math.abs", op_unary, OP_Abs),
    ROW("math.exp", op_unary, OP_Exp),
    ROW("math.log", op_unary, OP_Log),
    ROW("math.sqrt", op_unary, OP_Sqrt),
    ROW("math.rsqrt", op_rsqrt, 0),
    ROW("math.square", op_square, 0),
    ROW("math.sigmoid", op_unary, OP_Sigmoid),
    ROW("math.tanh", op_unary, OP_Tanh),
    ROW("math.softplus", op_unary, OP_Softplus),
    ROW("nn.relu", op_unary, OP_Relu),
    ROW("nn.relu6", op_relu6, 0),
    ROW("nn.elu", op_unary, OP_Elu),
    ROW("nn.selu", op_unary, OP_Selu),
    ROW("nn.sigmoid", op_unary, OP_Sigmoid),
    ROW("nn.tanh", op_unary, OP_Tanh),
    ROW("nn.silu", op_unary, OP_Swish),
    ROW("nn.swish", op_unary, OP_Swish),
    ROW("nn.softplus", op_unary, OP_Softplus),
    ROW("nn.softsign", op_unary, OP_Softsign),
    ROW("nn.gelu", op_gelu, 0),
    ROW("nn.leaky_relu", op_leaky_relu, 0),
    ROW("nn.softmax", op_softmax, OP_Softmax),
    ROW("nn.log_softmax", op_softmax, OP_LogSoftmax),
    ROW("nn.depth_to_space", op_depth_to_space, 0),
    ROW("math.reduce_mean", op_reduce, OP_ReduceMean),
    ROW("math.reduce_sum", op_reduce, OP_ReduceSum),
    ROW("math.reduce_max", op_reduce, OP_ReduceMax),
    ROW("math.reduce_min", op_reduce, OP_ReduceMin),
    ROW("concat", op_concat, 0),
    ROW("expand_dims", op_expand, 0),
    ROW("squeeze", op_squeeze, 0),
    ROW("transpose", op_transpose, 0),
    ROW("compat.v1.transpose", op_transpose, 0),
    ROW("reshape", op_reshape, 0),
    ROW("pad", op_pad, 0),
    ROW("compat.v1.pad", op_pad, 0),
    ROW("clip_by_value", op_clip, 0),
    ROW("cast", op_cast, 0),
    ROW("identity", op_identity, 0),
    ROW("stop_gradient", op_identity, 0),
    ROW("image.resize", op_resize, 0),
};

static const LayerKind operations[] = {
    ROW("Add", op_binary, OP_Add),
    ROW("Subtract", op_binary, OP_Sub),
    ROW("Multiply", op_binary, OP_Mul),
    ROW("Divide", op_binary, OP_Div),
    ROW("TrueDivide", op_binary, OP_Div),
    ROW("Maximum", op_binary, OP_Max),
    ROW("Minimum", op_binary, OP_Min),
    ROW("Power", op_binary, OP_Pow),
    ROW("Matmul", op_binary, OP_MatMul),
    ROW("Negative", op_unary, OP_Neg),
    ROW("Absolute", op_unary, OP_Abs),
    ROW("Abs", op_unary, OP_Abs),
    ROW("Exp", op_unary, OP_Exp),
    ROW("Log", op_unary, OP_Log),
    ROW("Sqrt", op_unary, OP_Sqrt),
    ROW("Rsqrt", op_rsqrt, 0),
    ROW("Square", op_square, 0),
    ROW("Sigmoid", op_unary, OP_Sigmoid),
    ROW("Tanh", op_unary, OP_Tanh),
    ROW("Relu", op_unary, OP_Relu),
    ROW("Relu6", op_relu6, 0),
    ROW("Silu", op_unary, OP_Swish),
    ROW("Softplus", op_unary, OP_Softplus),
    ROW("Softsign", op_unary, OP_Softsign),
    ROW("HardSigmoid", op_hard_sigmoid, 0),
    ROW("Gelu", op_gelu, 1),
    ROW("LeakyRelu", op_leaky_relu, 0),
    ROW("Softmax", op_softmax, OP_Softmax),
    ROW("LogSoftmax", op_softmax, OP_LogSoftmax),
    ROW("Mean", op_reduce, OP_ReduceMean),
    ROW("Sum", op_reduce, OP_ReduceSum),
    ROW("Max", op_reduce, OP_ReduceMax),
    ROW("Min", op_reduce, OP_ReduceMin),
    ROW("Concatenate", op_concat, 0),
    ROW("ExpandDims", op_expand, 0),
    ROW("Squeeze", op_squeeze, 0),
    ROW("Transpose", op_transpose, 0),
    ROW("Reshape", op_reshape, 0),
    ROW("Pad", op_pad, 0),
    ROW("Clip", op_clip, 0),
    ROW("Cast", op_cast, 0),
    ROW("Identity", op_identity, 0),
    ROW("StopGradient", op_identity, 0),
    ROW("Resize", op_resize, 0),
    ROW("GetItem", op_get_item, 0),
};

static const LayerKind *find_row(const LayerKind *rows, size_t count, const char *name) {
    for (size_t i = 0; i < count; i++) {
        if (strcmp(rows[i].class_name, name) == 0) return &rows[i];
    }
    return NULL;
}

const LayerKind *tensorflow_kind(const char *name) {
    return find_row(tensorflow_functions, COUNT_OF(tensorflow_functions), name);
}

const LayerKind *operation_kind(const char *name) { return find_row(operations, COUNT_OF(operations), name); }

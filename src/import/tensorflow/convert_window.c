// Convolutions, pooling, biases, normalisation.
//
// Weights lie as (k..., ic, oc) and go to (oc, ic, k...), those of transposed convolutions as (k..., oc, ic) to (ic,
// oc, k...): the last two dims go to the front, the last one first. Each weight is brought into that order once.
#include "import/limits.h"
#include "import/tensorflow/convert.h"
#include <string.h>

enum { DEPTHWISE = 1 }; // weights (k..., c, m) to (c m, 1, k...)

// ---- layout

Status tf_call_layout(const Call *call, int spatial, Layout *out) {
    const char *format;
    TRY(tf_call_attr_text(call, "data_format", "", &format));
    *out =
        (Layout){.last = !*format || strcmp(format, "NHWC") == 0 || strcmp(format, "NDHWC") == 0, .spatial = spatial};
    FAIL_IF(!out->last && strcmp(format, "NCHW") != 0 && strcmp(format, "NCDHW") != 0, ST_UNSUPPORTED,
            "data_format '%s' is not supported", format);
    return ST_OK;
}

// Between N spatial... C and N C spatial...; the operation tells how many dims there are.
static Status move_channels(Call *call, const Layout *layout, bool to_first, ValueId x, ValueId *out) {
    const int rank = layout->spatial + 2, got = emit_type(&call->emit, x)->rank;
    int64_t perm[MAX_RANK];
    FAIL_IF(got >= 0 && got != rank, ST_BAD, "expected a value of %d dims, got one of %d", rank, got);
    *out = x;
    if (!layout->last) return ST_OK;
    for (int i = 0; i < rank; i++) {
        if (i == 0) perm[i] = 0;
        else if (to_first) perm[i] = i == 1 ? rank - 1 : i - 1;
        else perm[i] = i == rank - 1 ? 1 : i + 1;
    }
    return emit_node(&call->emit, OP_Transpose, to_first ? "first" : "last", &x, 1, ATTRS(ATTR_L("perm", perm, rank)),
                     out);
}

Status tf_call_first(Call *call, const Layout *layout, ValueId x, ValueId *out) {
    return move_channels(call, layout, true, x, out);
}

Status tf_call_give_last(Call *call, const Layout *layout, ValueId y) {
    TRY(move_channels(call, layout, false, y, &y));
    return tf_call_give(call, y);
}

// ---- windows

// Of a list with an entry a dim: those of the spatial dims. What it says of batch and channels has to be 1.
static Status spatial_of(const Layout *layout, const char *name, const int64_t *list, int count, int64_t out[3]) {
    const int rank = layout->spatial + 2, channel = layout->last ? rank - 1 : 1;
    FAIL_IF(count != rank, ST_BAD, "%s: expected %d numbers, got %d", name, rank, count);
    for (int i = 0, at = 0; i < rank; i++) {
        FAIL_IF(list[i] < 1 || list[i] > INT32_MAX, ST_BAD, "%s: expected numbers from 1, got %lld", name,
                (long long)list[i]);
        FAIL_IF((i == 0 || i == channel) && list[i] != 1, ST_UNSUPPORTED,
                "%s: %lld along batch or channels is not supported", name, (long long)list[i]);
        if (i != 0 && i != channel) out[at++] = list[i];
    }
    return ST_OK;
}

static Status read_spatial(const Call *call, const Layout *layout, const char *name, int64_t out[3]) {
    int64_t list[MAX_RANK];
    int count;
    TRY(tf_call_attr_ints(call, name, MAX_RANK, list, &count));
    if (count == 0) return ST_OK; // the default, 1
    return spatial_of(layout, name, list, count, out);
}

static Status read_padding(const Call *call, const Layout *layout, EmitWindow *window) {
    const char *padding;
    int64_t list[2 * MAX_RANK];
    int count;
    TRY(tf_call_attr_text(call, "padding", "", &padding));
    window->same = strcmp(padding, "SAME") == 0;
    if (window->same || strcmp(padding, "VALID") == 0) return ST_OK;
    FAIL_IF(strcmp(padding, "EXPLICIT") != 0, ST_BAD, "attribute 'padding': expected SAME, VALID or EXPLICIT, got '%s'",
            padding);
    TRY(tf_call_attr_ints(call, "explicit_paddings", 2 * MAX_RANK, list, &count));
    FAIL_IF(count != 2 * (layout->spatial + 2), ST_BAD, "attribute 'explicit_paddings': expected %d numbers, got %d",
            2 * (layout->spatial + 2), count);
    for (int i = 0; i < layout->spatial; i++) {
        const int at = layout->last ? 1 + i : 2 + i;
        FAIL_IF(list[2 * at] < 0 || list[2 * at + 1] < 0, ST_BAD,
                "attribute 'explicit_paddings': expected numbers from 0");
        window->pad_begin[i] = list[2 * at];
        window->pad_end[i] = list[2 * at + 1];
    }
    return ST_OK;
}

static Status read_window(const Call *call, const Layout *layout, EmitWindow *window) {
    *window = (EmitWindow){.spatial = layout->spatial};
    TRY(read_spatial(call, layout, "strides", window->stride));
    TRY(read_spatial(call, layout, "dilations", window->dilation));
    return read_padding(call, layout, window);
}

// ---- weights

static ValueId *reordered_slot(Builder *builder, ValueId value, int kind) {
    const int at = 2 * value + kind;
    if (at >= builder->n_reordered) {
        const int larger = MAX(2 * builder->n_reordered, 2 * value + 64);
        ValueId *fresh = arena_array(builder->scratch, (size_t)larger, sizeof *fresh);
        if (!fresh) return NULL;
        for (int i = 0; i < larger; i++) fresh[i] = i < builder->n_reordered ? builder->reordered[i] : NO_VALUE;
        builder->reordered = fresh;
        builder->n_reordered = larger;
    }
    return &builder->reordered[at];
}

// (k..., c, m) as (c, m, k...) to (c m, 1, k...).
static Status merge_channels(Call *call, int spatial, ValueId weight, ValueId *out) {
    int64_t shape[MAX_RANK] = {-1, 1};
    const Tensor *constant = emit_constant(&call->emit, weight);
    if (!constant) {
        FAIL_IF(spatial != 2, ST_UNSUPPORTED, "weights that are computed");
        const Type *type = emit_type(&call->emit, weight);
        for (int i = 0; i < spatial; i++) shape[2 + i] = type->rank == spatial + 2 ? type->dim[2 + i] : DIM_UNKNOWN;
        FAIL_IF(shape[2] < 0 || shape[3] < 0, ST_UNSUPPORTED, "weights of a shape that is not known");
        return emit_reshape(&call->emit, "depthwise", weight, shape, spatial + 2, out);
    }
    Tensor merged = *constant;
    FAIL_IF(!mul_i64(constant->shape.dim[0], constant->shape.dim[1], &merged.shape.dim[0]), ST_BAD,
            "expected fewer channels");
    merged.shape.dim[1] = 1;
    return emit_tensor(&call->emit, "depthwise", &merged, out);
}

static Status reorder(Call *call, int spatial, int kind, ValueId weight, ValueId *out) {
    int perm[MAX_RANK] = {spatial + 1, spatial};
    const Tensor *constant = emit_constant(&call->emit, weight);
    for (int i = 0; i < spatial; i++) perm[2 + i] = i;
    if (kind == DEPTHWISE) perm[0] = spatial, perm[1] = spatial + 1;
    if (constant) {
        TRY(tf_builder_take(call->builder, tensor_bytes(constant)));
        TRY(emit_permuted(&call->emit, "weight", constant, perm, out));
    } else TRY(emit_transpose(&call->emit, "weight", weight, perm, out));
    return kind == DEPTHWISE ? merge_channels(call, spatial, *out, out) : ST_OK;
}

static Status ordered_weight(Call *call, int input, int spatial, int kind, ValueId *out) {
    ValueId weight;
    TRY(tf_call_input(call, input, &weight));
    const int rank = emit_type(&call->emit, weight)->rank;
    FAIL_IF(rank >= 0 && rank != spatial + 2, ST_BAD, "expected weights of %d dims, got %d", spatial + 2, rank);
    const ValueId *made = reordered_slot(call->builder, weight, kind);
    if (!made) return fail_memory(sizeof(ValueId));
    if (*made != NO_VALUE) {
        *out = *made;
        return ST_OK;
    }
    TRY(reorder(call, spatial, kind, weight, out));
    ValueId *slot = reordered_slot(call->builder, weight, kind);
    if (!slot) return fail_memory(sizeof(ValueId));
    *slot = *out;
    return ST_OK;
}

// ---- convolutions

static int spatial_of_op(const Call *call) { return strncmp(call->node->op, "Conv3D", 6) == 0 ? 3 : 2; }

// Between SpaceToBatchND and BatchToSpaceND: its own stride is 1, its padding VALID. What is cut off goes first.
static Status spread_conv(Call *call, EmitWindow *window, ValueId *x) {
    int64_t begin[MAX_RANK] = {0}, end[MAX_RANK] = {0};
    bool cut = false;
    for (int i = 0; i < window->spatial; i++) {
        FAIL_IF(window->stride[i] > 1 || window->dilation[i] > 1 || window->same || window->pad_begin[i] ||
                    window->pad_end[i],
                ST_UNSUPPORTED, "strides, dilations or padding between SpaceToBatchND and BatchToSpaceND");
        window->dilation[i] = call->spread->dilation[i];
        window->pad_begin[i] = MAX(call->spread->pad_begin[i], 0);
        window->pad_end[i] = MAX(call->spread->pad_end[i], 0);
        begin[2 + i] = MIN(call->spread->pad_begin[i], 0);
        end[2 + i] = MIN(call->spread->pad_end[i], 0);
        cut |= begin[2 + i] < 0 || end[2 + i] < 0;
    }
    return cut ? emit_pad(&call->emit, "cut", *x, begin, end, "constant", 0, x) : ST_OK;
}

// The channels of x (n, c, ...): behind a Reshape to computed dims they are known only where somebody computes them.
static Status known_channels(Call *call, ValueId x, int64_t *out) {
    ValueId inputs[2], count;
    const Tensor *tensor;
    const char *blame;
    *out = emit_type(&call->emit, x)->rank > 1 ? emit_type(&call->emit, x)->dim[1] : DIM_UNKNOWN;
    if (*out >= 0 || !call->builder->known.resolve) return ST_OK;
    TRY(emit_unary(&call->emit, OP_Shape, "shape", x, &inputs[0]));
    TRY(emit_scalar(&call->emit, "one", DT_I64, 1, &inputs[1]));
    TRY(emit_node(&call->emit, OP_Gather, "channels", inputs, 2, ATTRS(ATTR_I("axis", 0)), &count));
    TRY(known_value(&call->builder->known, call->emit.graph, count, &tensor, &blame));
    if (tensor && tensor_count(tensor) == 1) *out = tensor_get_int(tensor, 0);
    return ST_OK;
}

// Weights with fewer input channels than the input has: as many groups as it takes. Depthwise: a group a channel.
static Status conv_group(Call *call, int kind, ValueId x, ValueId weight, int64_t *out) {
    const Type *w = emit_type(&call->emit, weight), *own = tf_call_type(call, 1);
    const int64_t each = w->rank > 1 ? w->dim[1] : -1;
    int64_t channels;
    *out = 1;
    if (kind == DEPTHWISE) *out = own->rank > 2 ? MAX(own->dim[own->rank - 2], 1) : 1;
    if (kind == DEPTHWISE) return ST_OK;
    TRY(known_channels(call, x, &channels));
    if (channels > 0 && each > 0 && channels % each == 0) *out = channels / each;
    return ST_OK;
}

static Status convolve(Call *call, int spatial, int kind) {
    Layout layout;
    EmitWindow window;
    ValueId x, weight, y;
    TRY(tf_call_expect(call, 2, 2));
    TRY(tf_call_layout(call, spatial, &layout));
    TRY(read_window(call, &layout, &window));
    TRY(ordered_weight(call, 1, spatial, kind, &weight));
    TRY(tf_call_input(call, 0, &x));
    TRY(tf_call_first(call, &layout, x, &x));
    if (call->spread) TRY(spread_conv(call, &window, &x));
    TRY(conv_group(call, kind, x, weight, &window.group));
    TRY(emit_conv(&call->emit, x, weight, NO_VALUE, &window, &y));
    return tf_call_give_last(call, &layout, y);
}

Status tf_convert_conv(Call *call) { return convolve(call, spatial_of_op(call), 0); }
Status tf_convert_depthwise(Call *call) { return convolve(call, 2, DEPTHWISE); }

// ---- transposed convolutions

// The size of the output along a dim, where it is known: input_sizes is a constant, or a Pack with constants in it.
static Status output_size(Call *call, int dim, int64_t *out) {
    const Slot *sizes = &call->inputs[0];
    const Tensor *tensor = NULL;
    const char *blame;
    *out = DIM_UNKNOWN;
    ValueId value = sizes->value;
    if (sizes->kind == SLOT_VALUE && sizes->parts && dim < sizes->n_parts) value = sizes->parts[dim], dim = 0;
    if (sizes->kind != SLOT_VALUE) return ST_OK;
    TRY(known_value(&call->builder->known, call->emit.graph, value, &tensor, &blame));
    if (!tensor) return ST_OK;
    FAIL_IF(tensor_count(tensor) <= dim || !dtype_is_integer(tensor->dtype), ST_BAD,
            "input 1 (sizes): expected at least %d integers, got %lld", dim + 1, (long long)tensor_count(tensor));
    *out = tensor_get_int(tensor, dim);
    FAIL_IF(*out < 0 || *out > INT32_MAX, ST_BAD, "input 1 (sizes): expected sizes from 0, got %lld", (long long)*out);
    return ST_OK;
}

static int64_t reach_of(const EmitWindow *window, int axis) {
    return (window->kernel[axis] - 1) * MAX(window->dilation[axis], 1) + 1;
}

// The full result has (input - 1) * stride + reach elements along an axis. What the forward convolution pads is cut off
// it at the beginning; the size that is asked for tells the rest.
static Status fit_axis(EmitWindow *window, bool same, int axis, int64_t input, int64_t wanted) {
    const int64_t stride = MAX(window->stride[axis], 1);
    const int64_t full = (input - 1) * stride + reach_of(window, axis), over = MAX(full - wanted, 0);
    if (same) {
        FAIL_IF(div_up(wanted, stride) != input, ST_BAD,
                "input 1 (sizes): expected %lld elements of the output at most along spatial dim %d, got %lld",
                (long long)(input * stride), axis, (long long)wanted);
        window->pad_begin[axis] = over / 2;
        window->pad_end[axis] = over - over / 2;
    }
    const int64_t rest = wanted - (full - window->pad_begin[axis] - window->pad_end[axis]);
    FAIL_IF(rest < 0 || rest >= stride, ST_BAD,
            "input 1 (sizes): expected %lld elements of the output or a few more along spatial dim %d, got %lld",
            (long long)(wanted - rest), axis, (long long)wanted);
    window->output_padding[axis] = rest;
    return ST_OK;
}

// Sizes that are not known are those that Keras and tf.layers ask for: input * stride for SAME, and for VALID what the
// windows cover, but at least that.
static Status fit_sizes(Call *call, const Layout *layout, ValueId x, EmitWindow *window) {
    const bool same = window->same;
    int64_t wanted[3];
    bool known = true;
    for (int i = 0; i < window->spatial; i++) {
        const Type *type = emit_type(&call->emit, x);
        const int64_t input = type->rank == window->spatial + 2 ? type->dim[2 + i] : DIM_UNKNOWN;
        TRY(output_size(call, layout->last ? 1 + i : 2 + i, &wanted[i]));
        known = known && wanted[i] >= 0 && input > 0 && input <= INT32_MAX;
    }
    if (!known) {
        for (int i = 0; i < window->spatial && !same; i++)
            window->output_padding[i] = MAX(MAX(window->stride[i], 1) - reach_of(window, i), 0);
        return ST_OK;
    }
    window->same = false;
    for (int i = 0; i < window->spatial; i++)
        TRY(fit_axis(window, same, i, emit_type(&call->emit, x)->dim[2 + i], wanted[i]));
    return ST_OK;
}

// Conv2DBackpropInput, Conv3DBackpropInputV2: sizes of the output, weights, x.
Status tf_convert_conv_transpose(Call *call) {
    Layout layout;
    EmitWindow window;
    ValueId x, weight, y;
    const int spatial = spatial_of_op(call);
    TRY(tf_call_expect(call, 3, 3));
    TRY(tf_call_layout(call, spatial, &layout));
    TRY(read_window(call, &layout, &window));
    TRY(ordered_weight(call, 1, spatial, 0, &weight));
    TRY(tf_call_input(call, 2, &x));
    TRY(tf_call_first(call, &layout, x, &x));
    const Type *type = emit_type(&call->emit, weight);
    for (int i = 0; i < spatial; i++) {
        FAIL_IF(type->rank != spatial + 2 || type->dim[2 + i] < 1 || type->dim[2 + i] > INT32_MAX, ST_UNSUPPORTED,
                "weights of a shape that is not known");
        window.kernel[i] = type->dim[2 + i];
    }
    TRY(fit_sizes(call, &layout, x, &window));
    TRY(emit_conv_transpose(&call->emit, x, weight, NO_VALUE, &window, &y));
    return tf_call_give_last(call, &layout, y);
}

// ---- pooling

// MaxPoolV2 has the window and its strides as inputs.
static Status pool_list(Call *call, const Layout *layout, const char *name, int input, int64_t out[3]) {
    int64_t list[MAX_RANK];
    int count;
    if (strcmp(call->node->op, "MaxPoolV2") != 0) TRY(tf_call_attr_ints(call, name, MAX_RANK, list, &count));
    else TRY(tf_call_known_ints(call, input, name, MAX_RANK, list, &count));
    return spatial_of(layout, name, list, count, out);
}

Status tf_convert_pool(Call *call) {
    Layout layout;
    EmitWindow window;
    ValueId x, y;
    const bool lists = strcmp(call->node->op, "MaxPoolV2") == 0;
    const size_t length = strlen(call->node->op);
    TRY(tf_call_expect(call, lists ? 3 : 1, lists ? 3 : 1));
    TRY(tf_call_layout(call, call->node->op[length - 1] == 'D' ? 3 : 2, &layout));
    window = (EmitWindow){.spatial = layout.spatial};
    TRY(pool_list(call, &layout, "ksize", 1, window.kernel));
    TRY(pool_list(call, &layout, "strides", 2, window.stride));
    TRY(read_padding(call, &layout, &window));
    TRY(tf_call_input(call, 0, &x));
    TRY(tf_call_first(call, &layout, x, &x));
    TRY(emit_pool(&call->emit, call->op, x, &window, &y));
    return tf_call_give_last(call, &layout, y);
}

// ---- biases, normalisation

Status tf_convert_bias(Call *call) {
    Layout layout;
    ValueId x, bias, y;
    int64_t behind[MAX_RANK];
    TRY(tf_call_expect(call, 2, 2));
    TRY(tf_call_layout(call, 2, &layout));
    TRY(tf_call_input(call, 0, &x));
    TRY(tf_call_input(call, 1, &bias));
    const int rank = tf_call_type(call, 0)->rank;
    FAIL_IF(!layout.last && rank < 0, ST_UNSUPPORTED, "a value of a rank that is not known");
    if (!layout.last && rank > 2) {
        ValueId axes;
        for (int i = 2; i < rank; i++) behind[i - 2] = i - 1;
        TRY(emit_ints(&call->emit, "axes", behind, rank - 2, &axes));
        TRY(emit_binary(&call->emit, OP_Unsqueeze, "bias", bias, axes, &bias));
    }
    TRY(emit_binary(&call->emit, OP_Add, "", x, bias, &y));
    return tf_call_give(call, y);
}

// x, scale, offset, mean, variance; outputs: y, and the mean and variance as they were.
static Status reduce_mean(Call *call, const char *suffix, ValueId x, ValueId *out) {
    static const int64_t axes[] = {0, 2, 3}; // all but the channels, which stand second
    ValueId inputs[2] = {x};
    TRY(emit_ints(&call->emit, "axes", axes, 3, &inputs[1]));
    return emit_node(&call->emit, OP_ReduceMean, suffix, inputs, 2, ATTRS(ATTR_I("keepdims", 1)), out);
}

// Keras writes its LayerNormalization as a normalisation in training mode, of a value reshaped to (1, n, features, 1)
// with channels first and without a mean of its own: each "channel" by the mean and variance of its elements.
static Status normalise_by_itself(Call *call, ValueId x, const ValueId parameters[4], double epsilon) {
    static const int64_t behind[] = {1, 2};
    ValueId mean, centred, square, variance, tiny, sum, deviation, normal, axes, scale, offset, y;
    const DType dtype = emit_type(&call->emit, x)->dtype;
    TRY(reduce_mean(call, "mean", x, &mean));
    TRY(emit_binary(&call->emit, OP_Sub, "centred", x, mean, &centred));
    TRY(emit_binary(&call->emit, OP_Mul, "square", centred, centred, &square));
    TRY(reduce_mean(call, "variance", square, &variance));
    TRY(emit_scalar(&call->emit, "epsilon", dtype == DT_NONE ? DT_F32 : dtype, epsilon, &tiny));
    TRY(emit_binary(&call->emit, OP_Add, "sum", variance, tiny, &sum));
    TRY(emit_unary(&call->emit, OP_Sqrt, "deviation", sum, &deviation));
    TRY(emit_binary(&call->emit, OP_Div, "normal", centred, deviation, &normal));
    TRY(emit_ints(&call->emit, "behind", behind, 2, &axes));
    TRY(emit_binary(&call->emit, OP_Unsqueeze, "scale", parameters[0], axes, &scale));
    TRY(emit_binary(&call->emit, OP_Unsqueeze, "offset", parameters[1], axes, &offset));
    TRY(emit_binary(&call->emit, OP_Mul, "scaled", normal, scale, &y));
    TRY(emit_binary(&call->emit, OP_Add, "", y, offset, &y));
    return tf_call_give(call, y);
}

Status tf_convert_batch_norm(Call *call) {
    Layout layout;
    ValueId x, parameters[4], y;
    bool training;
    double epsilon;
    TRY(tf_call_expect(call, 5, 5));
    TRY(tf_call_attr_bool(call, "is_training", true, &training));
    TRY(tf_call_attr_float(call, "epsilon", 1e-4f, &epsilon));
    const int rank = tf_call_type(call, 0)->rank;
    TRY(tf_call_layout(call, rank == 5 ? 3 : 2, &layout));
    TRY(tf_call_input(call, 0, &x));
    for (int i = 0; i < 4; i++) TRY(tf_call_input(call, 1 + i, &parameters[i]));
    const Type *mean = tf_call_type(call, 3);
    if (training && !layout.last && layout.spatial == 2 && mean->rank == 1 && mean->dim[0] == 0)
        return normalise_by_itself(call, x, parameters, epsilon);
    FAIL_IF(training, ST_UNSUPPORTED, "training mode (is_training) is not supported; export the model for inference");
    TRY(tf_call_first(call, &layout, x, &x));
    TRY(emit_batch_norm(&call->emit, x, 1, parameters, epsilon, &y));
    TRY(tf_call_give_last(call, &layout, y));
    const Slot slots[] = {call->outputs[0],      call->inputs[3],       call->inputs[4],
                          {.kind = SLOT_ABSENT}, {.kind = SLOT_ABSENT}, {.kind = SLOT_ABSENT}};
    return tf_call_give_slots(call, slots, COUNT_OF(slots));
}

// ---- dilated convolutions of older writers
//
//     SpaceToBatchND -> Conv VALID -> (bias, activation) -> BatchToSpaceND
//
// is a convolution with the block as its dilation; its pads are the paddings of the first less the crops of the last.

static Status pairs(Call *call, int input, const char *what, int spatial, int64_t begin[3], int64_t end[3]) {
    int64_t list[6];
    int count;
    TRY(tf_call_known_ints(call, input, what, 6, list, &count));
    FAIL_IF(count != 2 * spatial, ST_BAD, "expected %d %s, got %d", 2 * spatial, what, count);
    for (int i = 0; i < spatial; i++) {
        begin[i] = list[2 * i];
        end[i] = list[2 * i + 1];
        FAIL_IF(begin[i] < 0 || end[i] < 0 || begin[i] > INT32_MAX || end[i] > INT32_MAX, ST_BAD,
                "expected %s from 0, got %lld and %lld", what, (long long)begin[i], (long long)end[i]);
    }
    return ST_OK;
}

static Status read_block(Call *call, int64_t block[3], int *spatial) {
    TRY(tf_call_expect(call, 3, 3));
    TRY(tf_call_known_ints(call, 1, "blocks", 3, block, spatial));
    for (int i = 0; i < *spatial; i++)
        FAIL_IF(block[i] < 1 || block[i] > INT32_MAX, ST_BAD, "expected a block from 1, got %lld", (long long)block[i]);
    return ST_OK;
}

Status tf_convert_space_to_batch(Call *call) {
    Batched *batched = arena_alloc(call->builder->scratch, sizeof *batched);
    if (!batched) return fail_memory(sizeof *batched);
    TRY(read_block(call, batched->block, &batched->spatial));
    TRY(pairs(call, 2, "paddings", batched->spatial, batched->begin, batched->end));
    TRY(tf_call_input(call, 0, &batched->x));
    return tf_call_give_slots(call, &(Slot){.kind = SLOT_BATCHED, .batched = batched}, 1);
}

static Status convert_kept(Call *call, const Batched *batched, const EmitWindow *spread) {
    Slot slot = {.kind = SLOT_VALUE, .value = batched->x};
    for (int i = 0; i < batched->n_nodes; i++) {
        Call kept = batched->nodes[i].call;
        Slot *inputs = arena_array(call->builder->scratch, (size_t)kept.n_inputs, sizeof *inputs);
        if (!inputs) return fail_memory((size_t)kept.n_inputs * sizeof *inputs);
        memcpy(inputs, kept.inputs, (size_t)kept.n_inputs * sizeof *inputs);
        inputs[0] = slot;
        kept.inputs = inputs;
        kept.spread = i == 0 ? spread : NULL;
        const Status status = batched->nodes[i].converter->convert(&kept);
        if (status != ST_OK) return fail_context(status, "%s '%s'", kept.node->op, kept.node->name);
        slot = kept.outputs[0];
    }
    return tf_call_give_slots(call, &slot, 1);
}

Status tf_convert_batch_to_space(Call *call) {
    int64_t block[3], begin[3], end[3];
    int spatial;
    EmitWindow spread = {0};
    TRY(read_block(call, block, &spatial));
    TRY(pairs(call, 2, "crops", spatial, begin, end));
    const Batched *batched = call->inputs[0].kind == SLOT_BATCHED ? call->inputs[0].batched : NULL;
    bool fits = batched && batched->n_nodes > 0 && batched->spatial == spatial;
    if (fits) {
        const Call *conv = &batched->nodes[0].call;
        Layout layout;
        TRY(tf_call_layout(conv, spatial, &layout));
        fits = layout.last && spatial == spatial_of_op(conv);
    }
    for (int i = 0; fits && i < spatial; i++) {
        fits = batched->block[i] == block[i];
        spread.dilation[i] = block[i];
        spread.pad_begin[i] = batched->begin[i] - begin[i];
        spread.pad_end[i] = batched->end[i] - end[i];
    }
    if (fits) return convert_kept(call, batched, &spread);
    missing_add(&call->builder->missing, "BatchToSpaceND");
    return tf_call_give_slots(call, &(Slot){.kind = SLOT_MISSING}, 1);
}

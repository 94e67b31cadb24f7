// Convolutions and pooling. TensorFlow Lite has channels last and filters (oc, kernel..., ic); the nodes have channels
// first and filters (oc, ic, kernel...): filters are reordered once, values by Transposes around each node.
#include "import/tflite/convert.h"

enum { PADDING_SAME, PADDING_VALID };

// Orders of filters' axes (tfl_call_filter).
static const int order_conv[] = {0, 3, 1, 2};      // oc h w ic -> oc ic h w
static const int order_depthwise[] = {3, 0, 1, 2}; // 1 h w c*m -> c*m 1 h w
static const int order_transpose[] = {3, 0, 1, 2}; // oc h w ic -> ic oc h w
static const int order_3d[] = {4, 3, 0, 1, 2};     // d h w ic oc -> oc ic d h w, and d h w oc ic -> ic oc d h w

// Where the options of an operator have what all of them have. -1: it has none. Spatial dims from the first to the
// last, which the schema has in any order.
typedef struct Fields {
    int spatial;
    int padding, activation;
    int stride[3], dilation[3], kernel[3];
} Fields;

static Status positive(FbTable options, int field, const char *what, int64_t otherwise, int64_t *out) {
    *out = field < 0 ? otherwise : fb_int32(options, field, (int32_t)otherwise);
    TRY(options.buffer->status);
    FAIL_IF(*out < 1, ST_BAD, "expected a %s of at least 1, got %lld", what, (long long)*out);
    return ST_OK;
}

static Status read_window(const Call *call, const Fields *fields, EmitWindow *out) {
    const int padding = fb_int8(call->options, fields->padding, 0);
    FAIL_IF(!fb_present(call->options), ST_BAD, "expected options with strides and padding, got none");
    FAIL_IF(padding != PADDING_SAME && padding != PADDING_VALID, ST_BAD, "expected a padding of 0 or 1, got %d",
            padding);
    *out = (EmitWindow){.spatial = fields->spatial, .group = 1, .same = padding == PADDING_SAME};
    for (int i = 0; i < fields->spatial; i++) {
        TRY(positive(call->options, fields->stride[i], "stride", 0, &out->stride[i]));
        TRY(positive(call->options, fields->dilation[i], "dilation", 1, &out->dilation[i]));
        if (fields->kernel[i] >= 0) TRY(positive(call->options, fields->kernel[i], "window", 0, &out->kernel[i]));
    }
    return ST_OK;
}

// The input with its channels first, and how many it has (negative: not known).
static Status read_input(Call *call, int input, int rank, ValueId *out, int64_t *channels) {
    ValueId x;
    int got;
    TRY(tfl_call_rank(call, input, &got));
    FAIL_IF(got != rank, ST_BAD, "input %d: expected %d dims, got %d", input, rank, got);
    TRY(tfl_call_value(call, input, &x));
    *channels = emit_type(&call->emit, x)->dim[rank - 1];
    return emit_first(&call->emit, x, out);
}

// The activation stands before the Transpose, where it is one with the convolution.
static Status give_last(Call *call, ValueId y, int activation) {
    TRY(tfl_call_activate(call, y, activation, &y));
    TRY(emit_last(&call->emit, y, &y));
    return tfl_call_give(call, 0, y);
}

// ---- convolutions

// A dilated convolution that was written with the batch for a part of the image (spread.c).
static Status apply_spread(Call *call, EmitWindow *window, ValueId *x) {
    const Spread *spread = call->builder->spread[call->operator->inputs[0]];
    if (!spread) return ST_OK;
    int64_t begin[4] = {0}, end[4] = {0};
    bool crops = false;
    window->same = false;
    for (int i = 0; i < 2; i++) {
        window->dilation[i] = spread->dilation[i];
        window->pad_begin[i] = begin[2 + i] = spread->pad_begin[i];
        window->pad_end[i] = end[2 + i] = spread->pad_end[i];
        crops = crops || begin[2 + i] < 0 || end[2 + i] < 0;
    }
    if (!crops) return ST_OK;
    for (int i = 0; i < 2; i++) window->pad_begin[i] = window->pad_end[i] = 0;
    return emit_pad(&call->emit, "pad", *x, begin, end, "constant", 0, x);
}

static Status conv(Call *call, const Fields *fields, const int *order, bool depthwise) {
    EmitWindow window;
    ValueId x, weight, bias, y;
    int64_t channels;
    const int rank = fields->spatial + 2;
    TRY(read_window(call, fields, &window));
    TRY(read_input(call, 0, rank, &x, &channels));
    TRY(tfl_call_filter(call, 1, order, rank, &weight));
    TRY(tfl_call_bias(call, 2, &bias));
    const int64_t oc = emit_type(&call->emit, weight)->dim[0], ic = emit_type(&call->emit, weight)->dim[1];
    if (depthwise) {
        const int64_t multiplier = fb_int32(call->options, 3, 0);
        FAIL_IF(channels < 0 && (multiplier < 1 || oc < 0), ST_UNSUPPORTED, "an input whose channels are not known");
        window.group = channels >= 0 ? channels : oc / multiplier;
        FAIL_IF(window.group < 1, ST_BAD, "expected an input with channels, got none");
    } else if (channels > 0 && ic > 0 && channels % ic == 0) {
        window.group = channels / ic;
    }
    if (fields->spatial == 2) TRY(apply_spread(call, &window, &x));
    TRY(emit_conv(&call->emit, x, weight, bias, &window, &y));
    return give_last(call, y, fb_int8(call->options, fields->activation, 0));
}

Status tfl_convert_conv(Call *call) {
    static const Fields fields = {2, 0, 3, {2, 1}, {5, 4}, {-1, -1}};
    return conv(call, &fields, order_conv, false);
}

Status tfl_convert_depthwise(Call *call) {
    static const Fields fields = {2, 0, 4, {2, 1}, {6, 5}, {-1, -1}};
    return conv(call, &fields, order_depthwise, true);
}

Status tfl_convert_conv_3d(Call *call) {
    static const Fields fields = {3, 0, 4, {1, 3, 2}, {5, 7, 6}, {-1, -1, -1}};
    return conv(call, &fields, order_3d, false);
}

// ---- transposed convolutions

// Input element i goes to the outputs from i * stride - begin on; what lies outside of the output is dropped. `begin`
// is that of the forward convolution from the output to the input.
static Status transpose_axis(int64_t in, int64_t out, int axis, EmitWindow *window) {
    const int64_t stride = window->stride[axis], span = (window->kernel[axis] - 1) * window->dilation[axis] + 1;
    int64_t natural;
    FAIL_IF(out < 1 || out > INT32_MAX || in < 1 || in > INT32_MAX, ST_BAD,
            "expected dims from 1 to %d, got %lld and %lld", INT32_MAX, (long long)in, (long long)out);
    FAIL_IF(!mul_i64(stride, in - 1, &natural) || !add_i64(natural, span, &natural), ST_BAD,
            "expected an output that can be, got a stride of %lld", (long long)stride);
    const int64_t over = (div_up(out, stride) - 1) * stride + span - out;
    window->pad_begin[axis] = window->same ? MAX(over, 0) / 2 : 0;
    const int64_t rest = natural - window->pad_begin[axis] - out;
    window->pad_end[axis] = MAX(rest, 0);
    window->output_padding[axis] = MAX(-rest, 0);
    return ST_OK;
}

// The output's size is an input of the operator, often computed from the batch; its spatial dims are known then. Where
// they are not, the usual ones are taken, those of Keras.
static Status transpose_pads(Call *call, int shape_input, ValueId x, EmitWindow *window) {
    int64_t shape[MAX_RANK];
    bool known[MAX_RANK] = {false};
    int count;
    ValueId value;
    TRY(tfl_call_value(call, shape_input, &value));
    tfl_known_ints(call->builder->graph, value, MAX_RANK, shape, known, &count);
    FAIL_IF(count >= 0 && count != window->spatial + 2, ST_BAD, "input %d: expected %d dims, got %d", shape_input,
            window->spatial + 2, count);
    const Type type = *emit_type(&call->emit, x);
    bool all = count >= 0;
    for (int i = 0; i < window->spatial; i++) all = all && known[1 + i] && type.dim[2 + i] >= 0;
    for (int i = 0; i < window->spatial; i++) {
        if (all) TRY(transpose_axis(type.dim[2 + i], shape[1 + i], i, window));
        else if (!window->same) window->output_padding[i] = MAX(window->stride[i] - window->kernel[i], 0);
    }
    if (all) window->same = false;
    else TRY(tfl_call_note(call, "a transposed convolution whose size is told in the run; the usual one was taken"));
    return ST_OK;
}

static Status take_kernel(const Call *call, ValueId weight, EmitWindow *window) {
    const Type *type = emit_type(&call->emit, weight);
    for (int i = 0; i < window->spatial; i++) {
        window->kernel[i] = type->dim[2 + i];
        FAIL_IF(window->kernel[i] < 1, ST_UNSUPPORTED, "weights of a size that is not known, or of none");
    }
    return ST_OK;
}

static Status conv_transpose(Call *call, const Fields *fields, const int *order) {
    EmitWindow window;
    ValueId x, weight, bias, y;
    int64_t channels;
    const int rank = fields->spatial + 2;
    TRY(read_window(call, fields, &window));
    TRY(read_input(call, 2, rank, &x, &channels));
    TRY(tfl_call_filter(call, 1, order, rank, &weight));
    TRY(tfl_call_bias(call, 3, &bias));
    TRY(take_kernel(call, weight, &window));
    TRY(transpose_pads(call, 0, x, &window));
    TRY(emit_conv_transpose(&call->emit, x, weight, bias, &window, &y));
    return give_last(call, y, fb_int8(call->options, fields->activation, 0));
}

Status tfl_convert_transpose_conv(Call *call) {
    static const Fields fields = {2, 0, 3, {2, 1}, {-1, -1}, {-1, -1}};
    return conv_transpose(call, &fields, order_transpose);
}

Status tfl_convert_conv_3d_transpose(Call *call) {
    static const Fields fields = {3, 0, 4, {1, 3, 2}, {5, 7, 6}, {-1, -1, -1}};
    return conv_transpose(call, &fields, order_3d);
}

// MediaPipe's custom operator: x, filter, bias; its options are the bytes of a C struct (padding 1 SAME or 2 VALID,
// stride of the width, of the height). Source: mediapipe/util/tflite/operations/transpose_conv_bias.cc.
static Status read_struct(const Call *call, EmitWindow *out) {
    const FbVector bytes = call->operator->custom_options;
    int32_t words[3];
    FAIL_IF(bytes.count < 12, ST_BAD, "expected 12 bytes of options, got %u", bytes.count);
    for (uint32_t i = 0; i < 3; i++) {
        const uint8_t *at = bytes.data + 4 * (size_t)i;
        words[i] = (int32_t)((uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24);
    }
    FAIL_IF(words[0] != 1 && words[0] != 2, ST_BAD, "expected a padding of 1 or 2, got %d", words[0]);
    FAIL_IF(words[1] < 1 || words[2] < 1, ST_BAD, "expected strides of at least 1, got %d and %d", words[1], words[2]);
    *out = (EmitWindow){.spatial = 2, .stride = {words[2], words[1]}, .dilation = {1, 1}, .same = words[0] == 1};
    return ST_OK;
}

// SAME here is not TensorFlow's: max(0, k - (in - 1) mod stride - 1) elements are cut off.
static Status custom_pads(Call *call, ValueId x, EmitWindow *window) {
    const Type *type = emit_type(&call->emit, x);
    for (int i = 0; i < 2 && window->same; i++) {
        const int64_t in = type->dim[2 + i];
        FAIL_IF(in < 1, ST_UNSUPPORTED, "a size of the input that is not known; give the inputs a fixed size");
        const int64_t cut = MAX(window->kernel[i] - (in - 1) % window->stride[i] - 1, 0);
        window->pad_begin[i] = cut / 2;
        window->pad_end[i] = cut - cut / 2;
    }
    window->same = false;
    return ST_OK;
}

Status tfl_convert_transpose_conv_bias(Call *call) {
    EmitWindow window;
    ValueId x, weight, bias, y;
    int64_t channels;
    TRY(read_struct(call, &window));
    TRY(read_input(call, 0, 4, &x, &channels));
    TRY(tfl_call_filter(call, 1, order_transpose, 4, &weight));
    TRY(tfl_call_bias(call, 2, &bias));
    TRY(take_kernel(call, weight, &window));
    TRY(custom_pads(call, x, &window));
    TRY(emit_conv_transpose(&call->emit, x, weight, bias, &window, &y));
    return give_last(call, y, ACTIVATION_NONE);
}

// ---- pooling

Status tfl_convert_pool(Call *call) {
    static const Fields fields = {2, 0, 5, {2, 1}, {-1, -1}, {4, 3}};
    EmitWindow window;
    ValueId x, y;
    int64_t channels;
    TRY(read_window(call, &fields, &window));
    TRY(read_input(call, 0, 4, &x, &channels));
    TRY(emit_pool(&call->emit, call->row->op, x, &window, &y));
    return give_last(call, y, fb_int8(call->options, fields.activation, 0));
}

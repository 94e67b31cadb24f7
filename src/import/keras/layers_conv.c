// Convolutions and fully connected layers. Keras' kernels have the spatial dims first: Conv (k..., ic / groups, oc),
// Conv*Transpose (k..., oc, ic), DepthwiseConv (k..., ic, multiplier), Dense (in, out).
#include "import/keras/layer.h"
#include <string.h>

// ---- settings

typedef enum Padding { PAD_VALID, PAD_SAME, PAD_CAUSAL } Padding;

static Status read_padding(const LayerCall *call, Padding *out) {
    const char *text;
    TRY(config_text(call->config, "padding", "valid", &text));
    FAIL_IF(strcmp(text, "valid") && strcmp(text, "same") && strcmp(text, "causal"), ST_UNSUPPORTED, "padding '%s'",
            text);
    *out = *text == 'v' ? PAD_VALID : *text == 's' ? PAD_SAME : PAD_CAUSAL;
    return ST_OK;
}

static Status read_window(const LayerCall *call, int spatial, const int64_t *kernel, EmitWindow *out) {
    Padding padding;
    *out = (EmitWindow){.spatial = spatial};
    TRY(read_padding(call, &padding));
    TRY(config_sizes(call->config, "strides", spatial, 1, out->stride));
    TRY(config_sizes(call->config, "dilation_rate", spatial, 1, out->dilation));
    memcpy(out->kernel, kernel, (size_t)spatial * sizeof *kernel);
    out->same = padding == PAD_SAME;
    if (padding == PAD_CAUSAL) out->pad_begin[0] = (kernel[0] - 1) * out->dilation[0];
    FAIL_IF(padding == PAD_CAUSAL && spatial != 1, ST_BAD, "'padding': expected 'causal' in one dim only");
    return ST_OK;
}

// What the configuration says of the kernel's size has to be what the weights are. Keras 1 says it in other words.
static Status check_kernel(const LayerCall *call, const Tensor *kernel, int spatial) {
    int64_t sizes[3];
    if (!config_get(call->config, "kernel_size")) return ST_OK;
    TRY(config_sizes(call->config, "kernel_size", spatial, 0, sizes));
    for (int i = 0; i < spatial; i++) {
        FAIL_IF(sizes[i] != kernel->shape.dim[i], ST_BAD, "weight 'kernel': expected %lld at axis %d, got %lld",
                (long long)sizes[i], i, (long long)kernel->shape.dim[i]);
    }
    return ST_OK;
}

static Status check_channels(const char *weight, const char *what, int64_t expected, int64_t got) {
    FAIL_IF(expected >= 0 && expected != got, ST_BAD, "weight '%s': expected %lld %s, got %lld", weight,
            (long long)expected, what, (long long)got);
    return ST_OK;
}

// ---- weights

// In Keras 1 a kernel of channels_first lies as here: (oc, ic, k...).
static bool lies_first(const LayerCall *call, bool is_first) { return call->import->version == 1 && is_first; }

// Reverses the spatial dims: Theano's convolution is one, the others' is a correlation. `spatial` dims from `axis` on.
static Status flip(Arena *arena, int axis, int spatial, Tensor *tensor) {
    const Tensor from = *tensor;
    int64_t inner = 1, taps = 1;
    for (int i = axis; i < axis + spatial; i++) taps *= from.shape.dim[i];
    for (int i = axis + spatial; i < from.shape.rank; i++) inner *= from.shape.dim[i];
    const int64_t count = tensor_count(&from), block = taps * inner;
    TRY(tensor_make(arena, from.dtype, from.shape, tensor));
    const float *source = from.data;
    float *to = tensor->data;
    for (int64_t at = 0; at < count; at++) {
        const int64_t tap = at % block / inner;
        to[at] = source[at / block * block + (taps - 1 - tap) * inner + at % inner];
    }
    return ST_OK;
}

typedef struct Kernel {
    Tensor tensor;
    bool lies_first;
    int64_t size[3], oc;
} Kernel;

static Status read_kernel(LayerCall *call, const char *name, int spatial, bool is_first, Kernel *out) {
    TRY(layer_weight(call, name, spatial + 2, &out->tensor));
    out->lies_first = lies_first(call, is_first);
    const int64_t *dim = out->tensor.shape.dim;
    for (int i = 0; i < spatial; i++) out->size[i] = dim[out->lies_first ? 2 + i : i];
    for (int i = 0; i < spatial + 2; i++) FAIL_IF(dim[i] < 1, ST_BAD, "weight '%s': expected dims from 1 on", name);
    out->oc = dim[out->lies_first ? 0 : spatial + 1];
    if (!out->lies_first) TRY(check_kernel(call, &out->tensor, spatial));
    const bool is_made = layer_slot(call, name)->value != NO_VALUE;
    if (call->import->is_theano && !is_made)
        TRY(flip(&call->emit.graph->arena, out->lies_first ? 2 : 0, spatial, &out->tensor));
    return ST_OK;
}

static const int kernel_perms[][5] = {{2, 1, 0}, {3, 2, 0, 1}, {4, 3, 0, 1, 2}};

// The constant (oc, ic, k...); for a transposed convolution (ic, oc, k...).
static Status kernel_constant(LayerCall *call, const char *name, int spatial, const Kernel *kernel, ValueId *out) {
    if (kernel->lies_first) return emit_tensor(&call->emit, name, &kernel->tensor, out);
    TRY(emit_permuted(&call->emit, name, &kernel->tensor, kernel_perms[spatial - 1], out));
    layer_weight_done(call, name);
    return ST_OK;
}

static Status bias_constant(LayerCall *call, int64_t oc, ValueId *out) {
    *out = NO_VALUE;
    return layer_has_weight(call, "bias") ? layer_constant(call, "bias", &oc, 1, NULL, out) : ST_OK;
}

static Status finish(LayerCall *call, ValueId first) {
    ValueId y;
    TRY(layer_from_first(call, first, &y));
    return add_activation(call, config_get(call->config, "activation"), y, &call->out[0]);
}

// ---- convolutions

Status keras_conv(LayerCall *call) {
    const int spatial = call->kind->number;
    EmitWindow window;
    Kernel kernel;
    ValueId x, bias, y;
    bool is_first;
    int64_t groups;
    TRY(expect_layer_input(call, spatial + 2));
    TRY(layer_is_first(call, &is_first));
    TRY(config_int(call->config, "groups", 1, &groups));
    TRY(read_kernel(call, "kernel", spatial, is_first, &kernel));
    TRY(read_window(call, spatial, kernel.size, &window));
    FAIL_IF(groups < 1 || kernel.oc % groups != 0, ST_BAD, "'groups': expected a divisor of %lld filters, got %lld",
            (long long)kernel.oc, (long long)groups);
    int64_t filters;
    TRY(config_int(call->config, "filters", kernel.oc, &filters));
    TRY(check_channels("kernel", "filters", filters, kernel.oc));
    window.group = groups;
    KerasWeight *slot = layer_slot(call, "kernel");
    if (slot->value == NO_VALUE) TRY(kernel_constant(call, "kernel", spatial, &kernel, &slot->value));
    TRY(bias_constant(call, kernel.oc, &bias));
    TRY(layer_to_first(call, call->x, &x));
    TRY(emit_conv(&call->emit, x, slot->value, bias, &window, &y));
    return finish(call, y);
}

// A convolution with as many groups as channels: the kernel (k..., ic, multiplier) is (k..., 1, ic * multiplier).
static Status depthwise(LayerCall *call, const char *name, int spatial, ValueId x, ValueId bias, ValueId *out) {
    EmitWindow window;
    Kernel kernel;
    TRY(read_kernel(call, name, spatial, false, &kernel));
    FAIL_IF(kernel.lies_first, ST_UNSUPPORTED, "a depthwise convolution of Keras 1");
    TRY(read_window(call, spatial, kernel.size, &window));
    int64_t *dim = kernel.tensor.shape.dim;
    TRY(check_channels(name, "channels", type_of(call, x)->dim[1], dim[spatial]));
    window.group = dim[spatial];
    FAIL_IF(!mul_i64(dim[spatial], dim[spatial + 1], &dim[spatial + 1]), ST_BAD, "weight '%s': too large", name);
    dim[spatial] = 1;
    KerasWeight *slot = layer_slot(call, name);
    if (slot->value == NO_VALUE) TRY(kernel_constant(call, name, spatial, &kernel, &slot->value));
    return emit_conv(&call->emit, x, slot->value, bias, &window, out);
}

static int64_t depthwise_filters(const KerasWeight *slot, const Graph *graph) {
    return slot->value == NO_VALUE ? -1 : graph->values[slot->value].type.dim[0];
}

Status keras_depthwise(LayerCall *call) {
    const int spatial = call->kind->number;
    const char *name = "depthwise_kernel";
    ValueId x, bias = NO_VALUE, y;
    TRY(expect_layer_input(call, spatial + 2));
    TRY(layer_to_first(call, call->x, &x));
    if (layer_has_weight(call, "bias")) {
        Tensor kernel;
        TRY(layer_weight(call, name, spatial + 2, &kernel));
        int64_t oc;
        FAIL_IF(!mul_i64(kernel.shape.dim[spatial], kernel.shape.dim[spatial + 1], &oc), ST_BAD,
                "weight '%s': too large", name);
        TRY(bias_constant(call, oc, &bias));
    }
    TRY(depthwise(call, name, spatial, x, bias, &y));
    return finish(call, y);
}

// Depthwise, then a convolution with a window of 1, which has the bias.
Status keras_separable(LayerCall *call) {
    const int spatial = call->kind->number;
    const EmitWindow point = {.spatial = spatial};
    ValueId x, bias, middle, y;
    Kernel kernel;
    TRY(expect_layer_input(call, spatial + 2));
    TRY(layer_to_first(call, call->x, &x));
    TRY(depthwise(call, "depthwise_kernel", spatial, x, NO_VALUE, &middle));
    TRY(layer_weight(call, "pointwise_kernel", spatial + 2, &kernel.tensor));
    kernel.lies_first = false;
    const int64_t *dim = kernel.tensor.shape.dim;
    for (int i = 0; i < spatial; i++) FAIL_IF(dim[i] != 1, ST_BAD, "weight 'pointwise_kernel': expected a window of 1");
    TRY(check_channels("pointwise_kernel", "channels",
                       depthwise_filters(layer_slot(call, "depthwise_kernel"), call->emit.graph), dim[spatial]));
    TRY(bias_constant(call, dim[spatial + 1], &bias));
    KerasWeight *slot = layer_slot(call, "pointwise_kernel");
    if (slot->value == NO_VALUE) TRY(kernel_constant(call, "pointwise_kernel", spatial, &kernel, &slot->value));
    TRY(emit_conv(&call->emit, middle, slot->value, bias, &point, &y));
    return finish(call, y);
}

// ---- transposed convolutions

// The output has, with the kernel k as dilated, for an input of n:
//     same n stride, valid n stride + max(k - stride, 0); with output_padding p: (n - 1) stride + k + p, less 2 (k / 2)
//     for same.
// What is less than the full (n - 1) stride + k is cut, half at the start, the odd one at the end; what is more is
// added at the end.
static void transposed_pads(EmitWindow *window, const int64_t *output_padding) {
    for (int i = 0; i < window->spatial; i++) {
        const int64_t stride = window->stride[i], k = (window->kernel[i] - 1) * window->dilation[i] + 1;
        int64_t cut = window->same ? k - stride : MIN(k - stride, 0);
        if (output_padding) cut = (window->same ? 2 * (k / 2) : 0) - output_padding[i];
        window->pad_begin[i] = MAX(cut, 0) / 2;
        window->pad_end[i] = MAX(cut, 0) - MAX(cut, 0) / 2;
        window->output_padding[i] = MAX(-cut, 0);
    }
    window->same = false;
}

static Status read_output_padding(const LayerCall *call, int spatial, int64_t *out, bool *is_set) {
    const Json *json = config_get(call->config, "output_padding");
    int count = spatial;
    *is_set = json != NULL;
    if (!json) return ST_OK;
    TRY(json_list_of(json, "output_padding", spatial, out, &count));
    for (int i = 0; i < spatial; i++) {
        if (i >= count) out[i] = out[0];
        FAIL_IF(out[i] < 0 || out[i] > INT32_MAX, ST_BAD, "'output_padding': expected numbers from 0 on, got %lld",
                (long long)out[i]);
    }
    return ST_OK;
}

Status keras_conv_transpose(LayerCall *call) {
    const int spatial = call->kind->number;
    EmitWindow window;
    Kernel kernel;
    ValueId x, bias, y;
    int64_t padding[3], groups;
    bool is_padded;
    TRY(expect_layer_input(call, spatial + 2));
    TRY(config_int(call->config, "groups", 1, &groups));
    FAIL_IF(groups != 1, ST_UNSUPPORTED, "'groups' of a transposed convolution");
    TRY(read_kernel(call, "kernel", spatial, false, &kernel));
    FAIL_IF(kernel.lies_first, ST_UNSUPPORTED, "a transposed convolution of Keras 1");
    TRY(read_window(call, spatial, kernel.size, &window));
    TRY(read_output_padding(call, spatial, padding, &is_padded));
    transposed_pads(&window, is_padded ? padding : NULL);
    const int64_t oc = kernel.tensor.shape.dim[spatial];
    int64_t filters;
    TRY(config_int(call->config, "filters", oc, &filters));
    TRY(check_channels("kernel", "filters", filters, oc));
    KerasWeight *slot = layer_slot(call, "kernel");
    if (slot->value == NO_VALUE) TRY(kernel_constant(call, "kernel", spatial, &kernel, &slot->value));
    TRY(bias_constant(call, oc, &bias));
    TRY(layer_to_first(call, call->x, &x));
    TRY(emit_conv_transpose(&call->emit, x, slot->value, bias, &window, &y));
    return finish(call, y);
}

// ---- fully connected

// Over the last dim, whatever the rank.
Status keras_dense(LayerCall *call) {
    ValueId kernel, bias, y;
    Tensor weight;
    TRY(expect_layer_input(call, 0));
    const Type *type = type_of(call, call->x);
    FAIL_IF(type->rank < 1, ST_BAD, "expected an input with dims, got a scalar");
    const int64_t features = type->dim[type->rank - 1];
    const bool is_matrix = type->rank == 2;
    TRY(layer_weight(call, "kernel", 2, &weight));
    TRY(check_channels("kernel", "input features", features, weight.shape.dim[0]));
    int64_t units;
    TRY(config_int(call->config, "units", weight.shape.dim[1], &units));
    TRY(check_channels("kernel", "units", units, weight.shape.dim[1]));
    TRY(layer_constant(call, "kernel", weight.shape.dim, 2, NULL, &kernel));
    TRY(bias_constant(call, units, &bias));
    const ValueId inputs[] = {call->x, kernel, bias};
    if (is_matrix) TRY(emit_node(&call->emit, OP_Gemm, "product", inputs, bias == NO_VALUE ? 2 : 3, NO_ATTRS, &y));
    else TRY(emit_node(&call->emit, OP_MatMul, "product", inputs, 2, NO_ATTRS, &y));
    if (!is_matrix && bias != NO_VALUE) TRY(emit_binary(&call->emit, OP_Add, "sum", y, bias, &y));
    return add_activation(call, config_get(call->config, "activation"), y, &call->out[0]);
}

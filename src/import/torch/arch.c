#include "import/torch/arch.h"
#include "import/bind.h"
#include "import/weight.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const double EPSILON = 1e-5; // of PyTorch's normalisations

// ---- what is told

Status arch_misfit(Arch *arch, const char *format, ...) {
    char text[2 * ARCH_NAME];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    arch->misfit = true;
    return fail(ST_UNSUPPORTED, "%s", text);
}

static void add_once(Text *list, const char *format, va_list args) {
    char text[ARCH_NAME];
    vsnprintf(text, sizeof text, format, args);
    if (!strstr(text_get(list), text)) text_add(list, "%s%s", list->length ? ", " : "", text);
}

void arch_tell(Arch *arch, const char *format, ...) {
    va_list args;
    va_start(args, format);
    add_once(&arch->title, format, args);
    va_end(args);
}

void arch_assume(Arch *arch, const char *format, ...) {
    va_list args;
    va_start(args, format);
    add_once(&arch->assumed, format, args);
    va_end(args);
}

// ---- tensors

ArchName arch_name(const char *format, ...) {
    ArchName name;
    va_list args;
    va_start(args, format);
    vsnprintf(name.text, sizeof name.text, format, args);
    va_end(args);
    return name;
}

static const Tensor *find(const Arch *arch, const char *format, va_list args, char name[ARCH_NAME]) {
    const int length = vsnprintf(name, ARCH_NAME, format, args);
    return length < 0 || length >= ARCH_NAME ? NULL : torch_find(arch->state, name);
}

bool arch_has(const Arch *arch, const char *format, ...) {
    char name[ARCH_NAME];
    va_list args;
    va_start(args, format);
    const bool has = find(arch, format, args, name) != NULL;
    va_end(args);
    return has;
}

int arch_count(const Arch *arch, const char *prefix, int first, const char *suffix) {
    int count = 0;
    while (count < ARCH_LEVELS && arch_has(arch, "%s%d%s", prefix, first + count, suffix)) count++;
    return count;
}

Status arch_shape(Arch *arch, Shape *out, const char *format, ...) {
    char name[ARCH_NAME];
    va_list args;
    va_start(args, format);
    const Tensor *tensor = find(arch, format, args, name);
    va_end(args);
    if (!tensor) return arch_misfit(arch, "'%s' is missing", name);
    *out = tensor->shape;
    return ST_OK;
}

static void print_dims(Text *text, int rank, const int64_t *dims) {
    if (rank == 0) text_add(text, "scalar");
    for (int i = 0; i < rank; i++) {
        if (dims[i] < 0) text_add(text, "%s?", i ? "x" : "");
        else text_add(text, "%s%lld", i ? "x" : "", (long long)dims[i]);
    }
}

static Status wrong_shape(Arch *arch, const char *name, const Shape *shape, int rank, const int64_t *dims) {
    Text expected = {0}, got = {0};
    print_dims(&expected, rank, dims);
    print_dims(&got, shape->rank, shape->dim);
    const Status status = arch_misfit(arch, "'%s': expected %s, got %s", name, text_get(&expected), text_get(&got));
    text_free(&expected);
    text_free(&got);
    return status;
}

static bool shape_fits(const Shape *shape, int rank, const int64_t *dims) {
    bool fits = shape->rank == rank;
    for (int i = 0; fits && i < rank; i++) fits = shape->dim[i] > 0 && (dims[i] < 0 || dims[i] == shape->dim[i]);
    return fits;
}

// The tensor is one of the state's own, so its entry is around it.
static void mark_used(Arch *arch, const Tensor *tensor) {
    const TorchTensor *entry = (const TorchTensor *)((const char *)tensor - offsetof(TorchTensor, tensor));
    arch->used[entry - arch->state->tensors] = true;
}

// The tensor, checked and as float32.
static Status take(Arch *arch, const char *name, int rank, const int64_t *dims, Tensor *out) {
    const Tensor *tensor = torch_find(arch->state, name);
    if (!tensor) return arch_misfit(arch, "'%s' is missing", name);
    if (!dtype_is_float(tensor->dtype)) {
        return arch_misfit(arch, "'%s': expected floats, got %s", name, dtype_name(tensor->dtype));
    }
    if (!shape_fits(&tensor->shape, rank, dims)) return wrong_shape(arch, name, &tensor->shape, rank, dims);
    mark_used(arch, tensor);
    return weight_as_float(&arch->graph->arena, tensor, out);
}

Status arch_weight(Arch *arch, const char *name, int rank, const int64_t *dims, ValueId *out) {
    Tensor tensor;
    TRY(take(arch, name, rank, dims, &tensor));
    return graph_add_constant(arch->graph, name, &tensor, out);
}

static Emit emit_at(Arch *arch, const char *layer) { return (Emit){.graph = arch->graph, .layer = layer}; }

static int64_t channels_of(const Arch *arch, ValueId x) {
    const Type *type = &arch->graph->values[x].type;
    return type->rank > 1 ? type->dim[1] : -1;
}

// ---- input and output

static Status add_input(Arch *arch, int64_t channels, ValueId *input) {
    static const char *const names[] = {"depth", "height", "width"};
    Type type = {.dtype = DT_F32, .rank = arch->spatial + 2, .dim = {0, channels}};
    TRY(graph_symbol(arch->graph, "batch", &type.dim[0]));
    for (int i = 0; i < arch->spatial; i++) {
        TRY(graph_symbol(arch->graph, names[3 - arch->spatial + i], &type.dim[2 + i]));
    }
    TRY(graph_add_input(arch->graph, "input", &type, input));
    return import_bind(arch->graph, arch->options);
}

Status arch_begin(Arch *arch, const char *conv, ValueId *input) {
    Shape shape;
    TRY(arch_shape(arch, &shape, "%s.weight", conv));
    arch->spatial = shape.rank - 2;
    if (arch->spatial < 1 || arch->spatial > 3 || shape.dim[1] < 1) {
        return arch_misfit(arch, "'%s.weight': expected 3 to 5 dims of a convolution, got %d", conv, shape.rank);
    }
    return add_input(arch, shape.dim[1], input);
}

Status arch_end(Arch *arch, ValueId output) {
    Emit emit = emit_at(arch, "output");
    return emit_output(&emit, "output", output);
}

// ---- convolutions

Status arch_window(Arch *arch, const char *prefix, EmitWindow *window) {
    Shape shape;
    TRY(arch_shape(arch, &shape, "%s.weight", prefix));
    if (shape.rank != arch->spatial + 2 || shape_count(&shape) < 1) {
        static const int64_t any[] = {-1, -1, -1, -1, -1};
        return wrong_shape(arch, arch_name("%s.weight", prefix).text, &shape, arch->spatial + 2, any);
    }
    window->spatial = arch->spatial;
    for (int i = 0; i < arch->spatial; i++) {
        window->kernel[i] = shape.dim[2 + i];
        window->pad_begin[i] = window->pad_end[i] = (shape.dim[2 + i] - 1) / 2;
    }
    return ST_OK;
}

static Status conv_bias(Arch *arch, const char *prefix, int64_t oc, ValueId *out) {
    *out = NO_VALUE;
    if (!arch_has(arch, "%s.bias", prefix)) return ST_OK;
    return arch_weight(arch, arch_name("%s.bias", prefix).text, 1, &oc, out);
}

// channel_dim: of the weight, where the input's channels are: 1, or 0 of a transposed one.
static Status conv_weights(Arch *arch, const char *prefix, ValueId x, int channel_dim, ValueId out[2]) {
    int64_t dims[] = {-1, -1, -1, -1, -1};
    dims[channel_dim] = channels_of(arch, x);
    TRY(arch_weight(arch, arch_name("%s.weight", prefix).text, arch->spatial + 2, dims, &out[0]));
    return conv_bias(arch, prefix, arch->graph->values[out[0]].type.dim[1 - channel_dim], &out[1]);
}

Status arch_conv(Arch *arch, const char *prefix, ValueId x, const EmitWindow *window, ValueId *out) {
    ValueId weights[2];
    Emit emit = emit_at(arch, prefix);
    TRY(conv_weights(arch, prefix, x, 1, weights));
    return emit_conv(&emit, x, weights[0], weights[1], window, out);
}

Status arch_conv_same(Arch *arch, const char *prefix, ValueId x, ValueId *out) {
    EmitWindow window = {0};
    TRY(arch_window(arch, prefix, &window));
    return arch_conv(arch, prefix, x, &window, out);
}

Status arch_conv_transpose(Arch *arch, const char *prefix, ValueId x, const EmitWindow *window, ValueId *out) {
    ValueId weights[2];
    Emit emit = emit_at(arch, prefix);
    TRY(conv_weights(arch, prefix, x, 0, weights));
    return emit_conv_transpose(&emit, x, weights[0], weights[1], window, out);
}

Status arch_up(Arch *arch, const char *prefix, ValueId x, ValueId *out) {
    EmitWindow window = {0};
    TRY(arch_window(arch, prefix, &window));
    for (int i = 0; i < window.spatial; i++) {
        window.stride[i] = window.kernel[i];
        window.pad_begin[i] = window.pad_end[i] = 0;
    }
    return arch_conv_transpose(arch, prefix, x, &window, out);
}

// ---- normalisation

// The parameter of that name, or as many times `otherwise`.
static Status norm_parameter(Arch *arch, const char *prefix, const char *suffix, int64_t count, double otherwise,
                             ValueId *out) {
    ArchName name = arch_name("%s.%s", prefix, suffix);
    if (torch_find(arch->state, name.text)) return arch_weight(arch, name.text, 1, &count, out);
    Tensor tensor;
    TRY(tensor_make(&arch->graph->arena, DT_F32, shape_of(1, &count), &tensor));
    for (int64_t i = 0; i < count; i++) tensor_set(&tensor, i, otherwise);
    return graph_add_constant(arch->graph, name.text, &tensor, out);
}

static Status norm_channels(Arch *arch, const char *prefix, ValueId x, int64_t *count) {
    *count = channels_of(arch, x);
    if (*count < 1) return arch_misfit(arch, "'%s': a normalisation of an unknown number of channels", prefix);
    return ST_OK;
}

Status arch_batch_norm(Arch *arch, const char *prefix, ValueId x, ValueId *out) {
    int64_t count;
    ValueId parameters[4];
    Emit emit = emit_at(arch, prefix);
    TRY(norm_channels(arch, prefix, x, &count));
    TRY(norm_parameter(arch, prefix, "weight", count, 1, &parameters[0]));
    TRY(norm_parameter(arch, prefix, "bias", count, 0, &parameters[1]));
    TRY(arch_weight(arch, arch_name("%s.running_mean", prefix).text, 1, &count, &parameters[2]));
    TRY(arch_weight(arch, arch_name("%s.running_var", prefix).text, 1, &count, &parameters[3]));
    return emit_batch_norm(&emit, x, 1, parameters, EPSILON, out);
}

static Status instance_norm(Arch *arch, const char *prefix, ValueId x, ValueId *out) {
    int64_t count;
    ValueId inputs[3] = {x};
    Emit emit = emit_at(arch, prefix);
    TRY(norm_channels(arch, prefix, x, &count));
    TRY(norm_parameter(arch, prefix, "weight", count, 1, &inputs[1]));
    TRY(norm_parameter(arch, prefix, "bias", count, 0, &inputs[2]));
    return emit_node(&emit, OP_InstanceNormalization, "norm", inputs, 3, ATTRS(ATTR_F("epsilon", EPSILON)), out);
}

Status arch_norm(Arch *arch, const char *prefix, ValueId x, ValueId *out) {
    arch_assume(arch, "epsilon 1e-5");
    if (arch_has(arch, "%s.running_mean", prefix)) return arch_batch_norm(arch, prefix, x, out);
    if (arch_has(arch, "%s.weight", prefix)) arch_assume(arch, "affine instance normalisation");
    else arch_assume(arch, "instance normalisation without parameters");
    return instance_norm(arch, prefix, x, out);
}

// ---- activation

Status arch_relu(Arch *arch, const char *layer, ValueId x, double slope, ValueId *out) {
    Emit emit = emit_at(arch, layer);
    if (slope == 0) return emit_unary(&emit, OP_Relu, "relu", x, out);
    return emit_node(&emit, OP_LeakyRelu, "relu", &x, 1, ATTRS(ATTR_F("alpha", slope)), out);
}

// A slope for each channel stands along dim 1.
static Status prelu_slopes(Arch *arch, const char *prefix, ValueId x, ValueId *out) {
    Tensor slopes;
    ArchName name = arch_name("%s.weight", prefix);
    TRY(take(arch, name.text, 1, (const int64_t[]){-1}, &slopes));
    const int64_t count = slopes.shape.dim[0];
    if (count != 1 && count != channels_of(arch, x)) {
        return wrong_shape(arch, name.text, &slopes.shape, 1, (const int64_t[]){channels_of(arch, x)});
    }
    slopes.shape = (Shape){.rank = 1 + arch->spatial, .dim = {count, 1, 1, 1}};
    return graph_add_constant(arch->graph, name.text, &slopes, out);
}

Status arch_prelu(Arch *arch, const char *prefix, ValueId x, double slope, ValueId *out) {
    ValueId slopes;
    Emit emit = emit_at(arch, prefix);
    if (!arch_has(arch, "%s.weight", prefix)) {
        arch_assume(arch, "LeakyReLU of %g", slope);
        return arch_relu(arch, prefix, x, slope, out);
    }
    TRY(prelu_slopes(arch, prefix, x, &slopes));
    return emit_binary(&emit, OP_PRelu, "relu", x, slopes, out);
}

// ---- the rest

Status arch_pool(Arch *arch, const char *layer, ValueId x, ValueId *out) {
    Emit emit = emit_at(arch, layer);
    const EmitWindow window = {.spatial = arch->spatial, .kernel = {2, 2, 2}, .stride = {2, 2, 2}};
    return emit_pool(&emit, OP_MaxPool, x, &window, out);
}

Status arch_concat(Arch *arch, const char *layer, ValueId a, ValueId b, ValueId *out) {
    Emit emit = emit_at(arch, layer);
    const ValueId inputs[] = {a, b};
    return emit_node(&emit, OP_Concat, "concat", inputs, 2, ATTRS(ATTR_I("axis", 1)), out);
}

Status arch_add(Arch *arch, const char *layer, ValueId a, ValueId b, ValueId *out) {
    Emit emit = emit_at(arch, layer);
    if (channels_of(arch, a) != channels_of(arch, b)) {
        return arch_misfit(arch, "'%s': expected %lld channels on its other way, got %lld", layer,
                           (long long)channels_of(arch, a), (long long)channels_of(arch, b));
    }
    return emit_binary(&emit, OP_Add, "add", a, b, out);
}

Status arch_upsample(Arch *arch, const char *layer, ValueId x, ValueId *out) {
    Emit emit = emit_at(arch, layer);
    const double scales[] = {2, 2, 2};
    const EmitResize resize = {.scales = scales, .mode = "linear", .coordinate = "align_corners"};
    return emit_resize(&emit, x, &resize, out);
}

// like - x, dim by dim.
static Status missing_size(Emit *emit, ValueId x, ValueId like, ValueId *out) {
    ValueId own, wanted;
    TRY(emit_node(emit, OP_Shape, "size", &x, 1, ATTRS(ATTR_I("start", 2)), &own));
    TRY(emit_node(emit, OP_Shape, "wanted", &like, 1, ATTRS(ATTR_I("start", 2)), &wanted));
    return emit_binary(emit, OP_Sub, "missing", wanted, own, out);
}

// begin: half of what is missing, or nothing; end: the rest.
static Status share_pads(Emit *emit, ValueId missing, int spatial, ArchPad pad, ValueId *out) {
    static const int64_t none[] = {0, 0, 0}, two[] = {2};
    ValueId ends[2] = {NO_VALUE, missing}, divisor;
    if (pad == ARCH_PAD_EDGE) {
        TRY(emit_ints(emit, "begin", none, spatial, &ends[0]));
    } else {
        TRY(emit_ints(emit, "two", two, 1, &divisor));
        TRY(emit_binary(emit, OP_Div, "begin", missing, divisor, &ends[0]));
        TRY(emit_binary(emit, OP_Sub, "end", missing, ends[0], &ends[1]));
    }
    return emit_node(emit, OP_Concat, "pads", ends, 2, ATTRS(ATTR_I("axis", 0)), out);
}

static Status pad_like(Emit *emit, ValueId x, ValueId like, int spatial, ArchPad pad, ValueId *out) {
    static const int64_t axes[] = {2, 3, 4};
    ValueId missing, inputs[4] = {x, NO_VALUE, NO_VALUE, NO_VALUE};
    TRY(missing_size(emit, x, like, &missing));
    TRY(share_pads(emit, missing, spatial, pad, &inputs[1]));
    if (pad == ARCH_PAD_ZERO) TRY(emit_scalar(emit, "zero", DT_F32, 0, &inputs[2]));
    TRY(emit_ints(emit, "axes", axes, spatial, &inputs[3]));
    return emit_node(emit, OP_Pad, "pad", inputs, 4, ATTRS(ATTR_S("mode", pad == ARCH_PAD_EDGE ? "edge" : "constant")),
                     out);
}

Status arch_pad_like(Arch *arch, const char *layer, ValueId x, ValueId like, ArchPad pad, ValueId *out) {
    Emit emit = emit_at(arch, layer);
    *out = x;
    if (pad == ARCH_PAD_NONE) return ST_OK;
    return pad_like(&emit, x, like, arch->spatial, pad, out);
}

// Activation functions, as layers and as settings of layers.
#include "import/keras/layer.h"
#include <math.h>
#include <string.h>

// ---- by name

static Status unary(LayerCall *call, Op op, ValueId x, ValueId *out) {
    return emit_unary(&call->emit, op, "act", x, out);
}

static Status with_float(LayerCall *call, Op op, const char *key, double value, ValueId x, ValueId *out) {
    return emit_node(&call->emit, op, "act", &x, 1, ATTRS(ATTR_F(key, value)), out);
}

// Bounds that are infinite are none.
static Status clip(LayerCall *call, double low, double high, ValueId x, ValueId *out) {
    ValueId inputs[] = {x, NO_VALUE, NO_VALUE};
    if (isfinite(low)) TRY(emit_scalar(&call->emit, "low", DT_F32, low, &inputs[1]));
    if (isfinite(high)) TRY(emit_scalar(&call->emit, "high", DT_F32, high, &inputs[2]));
    return emit_node(&call->emit, OP_Clip, "act", inputs, 3, NO_ATTRS, out);
}

// max(0, min(1, x / 5 + 1/2)) up to Keras 2, max(0, min(1, x / 6 + 1/2)) from Keras 3 on.
static Status hard_sigmoid(LayerCall *call, ValueId x, ValueId *out) {
    const double alpha = call->import->version >= 3 ? 1.0 / 6 : 0.2;
    return emit_node(&call->emit, OP_HardSigmoid, "act", &x, 1, ATTRS(ATTR_F("alpha", alpha), ATTR_F("beta", 0.5)),
                     out);
}

static Status log_sigmoid(LayerCall *call, ValueId x, ValueId *out) {
    ValueId y;
    TRY(emit_unary(&call->emit, OP_Neg, "act", x, &y));
    TRY(emit_unary(&call->emit, OP_Softplus, "act", y, &y));
    return emit_unary(&call->emit, OP_Neg, "act", y, out);
}

static Status softmax(LayerCall *call, Op op, int64_t axis, ValueId x, ValueId *out) {
    return emit_node(&call->emit, op, "act", &x, 1, ATTRS(ATTR_I("axis", axis)), out);
}

static Status gelu(LayerCall *call, bool is_approximate, ValueId x, ValueId *out) {
    const char *form = is_approximate ? "tanh" : "none";
    return emit_node(&call->emit, OP_Gelu, "act", &x, 1, ATTRS(ATTR_S("approximate", form)), out);
}

static Status by_relu6(LayerCall *call, ValueId x, ValueId *out) { return clip(call, 0, 6, x, out); }
static Status by_hard_tanh(LayerCall *call, ValueId x, ValueId *out) { return clip(call, -1, 1, x, out); }
static Status by_softmax(LayerCall *call, ValueId x, ValueId *out) { return softmax(call, OP_Softmax, -1, x, out); }
static Status by_log_softmax(LayerCall *call, ValueId x, ValueId *out) {
    return softmax(call, OP_LogSoftmax, -1, x, out);
}
static Status by_gelu(LayerCall *call, ValueId x, ValueId *out) { return gelu(call, false, x, out); }
static Status by_leaky_relu(LayerCall *call, ValueId x, ValueId *out) {
    return with_float(call, OP_LeakyRelu, "alpha", 0.2, x, out);
}
static Status by_identity(LayerCall *call, ValueId x, ValueId *out) {
    (void)call;
    *out = x;
    return ST_OK;
}

typedef struct Function {
    const char *name;
    Op op; // OP_NONE: `apply`
    Status (*apply)(LayerCall *call, ValueId x, ValueId *out);
} Function;
static const Function functions[] = {
    {"linear", OP_NONE, by_identity},
    {"relu", OP_Relu, NULL},
    {"relu6", OP_NONE, by_relu6},
    {"sigmoid", OP_Sigmoid, NULL},
    {"tanh", OP_Tanh, NULL},
    {"softmax", OP_NONE, by_softmax},
    {"log_softmax", OP_NONE, by_log_softmax},
    {"elu", OP_Elu, NULL},
    {"selu", OP_Selu, NULL},
    {"softplus", OP_Softplus, NULL},
    {"softsign", OP_Softsign, NULL},
    {"swish", OP_Swish, NULL},
    {"silu", OP_Swish, NULL},
    {"gelu", OP_NONE, by_gelu},
    {"exponential", OP_Exp, NULL},
    {"hard_sigmoid", OP_NONE, hard_sigmoid},
    {"hard_silu", OP_HardSwish, NULL},
    {"hard_swish", OP_HardSwish, NULL},
    {"hard_tanh", OP_NONE, by_hard_tanh},
    {"leaky_relu", OP_NONE, by_leaky_relu},
    {"log_sigmoid", OP_NONE, log_sigmoid},
    {"mish", OP_Mish, NULL},
};

static const Function *find_function(const char *name) {
    const char *bare = strrchr(name, '>') ? strrchr(name, '>') + 1 : name; // "Addons>mish", "keras_cv>..."
    for (size_t i = 0; i < COUNT_OF(functions); i++) {
        if (strcmp(functions[i].name, bare) == 0) return &functions[i];
    }
    return NULL;
}

Status add_named_activation(LayerCall *call, const char *name, ValueId x, ValueId *out) {
    const Function *function = find_function(name);
    FAIL_IF(!function, ST_UNSUPPORTED, "the activation '%s'", name);
    return function->op == OP_NONE ? function->apply(call, x, out) : unary(call, function->op, x, out);
}

// A text; a function {"class_name": "function", "config": "relu"}; a layer {"class_name": "LeakyReLU", "config":
// {...}}.
static const char *function_name(const Json *json) {
    if (!json) return "linear";
    if (json->type == JSON_STRING) return json->string;
    const Json *config = json_get(json, "config");
    return config && config->type == JSON_STRING ? config->string : NULL;
}

// A layer without weights that is an activation.
static const LayerKind *activation_layer(const Json *json) {
    const Json *class_name = json_get(json, "class_name");
    const LayerKind *kind = class_name && class_name->type == JSON_STRING ? layer_kind(class_name->string) : NULL;
    const bool is_one = kind && (kind->import == keras_relu || kind->import == keras_leaky_relu ||
                                 kind->import == keras_elu || kind->import == keras_softmax);
    return is_one ? kind : NULL;
}

bool activation_known(const Json *json, const char **name) {
    const Json *class_name = json_get(json, "class_name");
    *name = function_name(json);
    if (*name) return find_function(*name) != NULL;
    *name = class_name && class_name->type == JSON_STRING ? class_name->string : "?";
    return activation_layer(json) != NULL;
}

Status add_activation(LayerCall *call, const Json *json, ValueId x, ValueId *out) {
    const char *name = function_name(json);
    if (name) return add_named_activation(call, name, x, out);
    const LayerKind *kind = activation_layer(json);
    const Json *config = json_get(json, "config");
    FAIL_IF(!kind || !config || config->type != JSON_OBJECT, ST_UNSUPPORTED, "an activation of another kind");
    LayerCall inner = *call;
    inner.kind = kind;
    inner.config = config;
    inner.inputs = &inner.x;
    inner.x = x;
    inner.n_inputs = 1;
    TRY(kind->import(&inner));
    *out = inner.out[0];
    return ST_OK;
}

// ---- layers

Status keras_activation(LayerCall *call) {
    TRY(expect_layer_input(call, 0));
    return add_activation(call, config_get(call->config, "activation"), call->x, &call->out[0]);
}

// x where it is above the threshold, else slope (x - threshold).
static Status above_threshold(LayerCall *call, double threshold, double slope, ValueId x, ValueId *out) {
    ValueId limit, factor, is_above, below;
    TRY(emit_scalar(&call->emit, "threshold", DT_F32, threshold, &limit));
    TRY(emit_scalar(&call->emit, "slope", DT_F32, slope, &factor));
    TRY(emit_binary(&call->emit, OP_Greater, "above", x, limit, &is_above));
    TRY(emit_binary(&call->emit, OP_Sub, "below", x, limit, &below));
    TRY(emit_binary(&call->emit, OP_Mul, "below", below, factor, &below));
    const ValueId inputs[] = {is_above, x, below};
    return emit_node(&call->emit, OP_Where, "act", inputs, 3, NO_ATTRS, out);
}

Status keras_relu(LayerCall *call) {
    double most, slope, threshold;
    ValueId y;
    TRY(expect_layer_input(call, 0));
    TRY(config_float(call->config, "max_value", INFINITY, &most));
    TRY(config_float(call->config, "negative_slope", 0, &slope));
    TRY(config_float(call->config, "threshold", 0, &threshold));
    if (most >= 1e308) most = INFINITY;
    if (threshold == 0 && slope == 0) {
        return most == INFINITY ? unary(call, OP_Relu, call->x, &call->out[0])
                                : clip(call, 0, most, call->x, &call->out[0]);
    }
    if (threshold == 0) TRY(with_float(call, OP_LeakyRelu, "alpha", slope, call->x, &y));
    else TRY(above_threshold(call, threshold, slope, call->x, &y));
    call->out[0] = y;
    return most == INFINITY ? ST_OK : clip(call, -INFINITY, most, y, &call->out[0]);
}

Status keras_leaky_relu(LayerCall *call) {
    double slope;
    TRY(expect_layer_input(call, 0));
    TRY(config_float(call->config, "negative_slope", 0.3, &slope));
    return with_float(call, OP_LeakyRelu, "alpha", slope, call->x, &call->out[0]);
}

Status keras_thresholded_relu(LayerCall *call) {
    double theta;
    TRY(expect_layer_input(call, 0));
    TRY(config_float(call->config, "theta", 1, &theta));
    return above_threshold(call, theta, 0, call->x, &call->out[0]);
}

Status keras_elu(LayerCall *call) {
    double alpha;
    TRY(expect_layer_input(call, 0));
    TRY(config_float(call->config, "alpha", 1, &alpha));
    return with_float(call, OP_Elu, "alpha", alpha, call->x, &call->out[0]);
}

// The slopes have the dims of the input behind the batch, those of shared_axes are 1: they broadcast as they are.
Status keras_prelu(LayerCall *call) {
    int64_t dims[MAX_RANK], shared[MAX_RANK];
    int n_shared = 0;
    ValueId slope;
    TRY(expect_layer_input(call, 0));
    const Type type = *type_of(call, call->x);
    const Json *json = config_get(call->config, "shared_axes");
    FAIL_IF(type.rank < 2, ST_BAD, "expected an input of 2 dims at least, got %d", type.rank);
    if (json) TRY(json_list_of(json, "shared_axes", MAX_RANK, shared, &n_shared));
    for (int i = 1; i < type.rank; i++) dims[i - 1] = type.dim[i];
    for (int i = 0; i < n_shared; i++) {
        FAIL_IF(shared[i] < 1 || shared[i] >= type.rank, ST_BAD, "'shared_axes': expected axes from 1 to %d, got %lld",
                type.rank - 1, (long long)shared[i]);
        dims[shared[i] - 1] = 1;
    }
    TRY(layer_constant(call, "alpha", dims, type.rank - 1, NULL, &slope));
    return emit_binary(&call->emit, OP_PRelu, "act", call->x, slope, &call->out[0]);
}

Status keras_softmax(LayerCall *call) {
    int axis;
    TRY(expect_layer_input(call, 0));
    const Json *json = config_get(call->config, "axis");
    FAIL_IF(json && json->type == JSON_ARRAY && json->count != 1, ST_UNSUPPORTED, "a softmax over several axes");
    TRY(layer_axis(call, "axis", -1, type_of(call, call->x)->rank, &axis));
    return softmax(call, OP_Softmax, axis, call->x, &call->out[0]);
}

// Normalisation. gamma and beta (scale, center) may be absent: 1 and 0.
#include "import/keras/layer.h"
#include <math.h>
#include <string.h>

// "axis": a number, or a list of one (Keras 2).
static Status single_axis(const LayerCall *call, int64_t otherwise, int *out) {
    const int rank = type_of(call, call->x)->rank;
    const Json *json = config_get(call->config, "axis");
    FAIL_IF(json && json->type == JSON_ARRAY && json->count != 1, ST_UNSUPPORTED, "several axes");
    return layer_axis(call, "axis", otherwise, rank, out);
}

// Where the input does not tell, the weight does.
static Status channels_of(LayerCall *call, int axis, const char *name, int64_t *out) {
    Tensor weight;
    *out = type_of(call, call->x)->dim[axis];
    if (*out >= 0) return ST_OK;
    FAIL_IF(!layer_has_weight(call, name), ST_UNSUPPORTED, "a number of channels that is not known");
    TRY(layer_weight(call, name, 1, &weight));
    *out = weight.shape.dim[0];
    return ST_OK;
}

// ---- BatchNormalization

static bool is_training(const LayerCall *call) {
    Operand training;
    return call_operand(call, 1, "training", &training) && training.json &&
           ((training.json->type == JSON_BOOL && training.json->boolean) ||
            (training.json->type == JSON_NUMBER && training.json->number != 0));
}

static Status scale_and_bias(LayerCall *call, int64_t channels, ValueId out[2]) {
    TRY(layer_vector(call, "gamma", channels, 1, &out[0]));
    return layer_vector(call, "beta", channels, 0, &out[1]);
}

// x with `axis` behind the batch, and back.
static Status move_axis(LayerCall *call, int axis, bool forward, ValueId x, ValueId *out) {
    int perm[MAX_RANK];
    const int rank = type_of(call, x)->rank;
    *out = x;
    if (axis == 1) return ST_OK;
    if (axis == rank - 1) return forward ? emit_first(&call->emit, x, out) : emit_last(&call->emit, x, out);
    for (int i = 0; i < rank; i++) perm[i] = i; // an exchange: its own inverse
    perm[1] = axis;
    perm[axis] = 1;
    return emit_transpose(&call->emit, forward ? "aside" : "back", x, perm, out);
}

// With training=True the statistics are those of the batch at hand, always. For a batch of one they are those of the
// image; here they are that for any batch, so that an image's result does not depend on its neighbours.
static Status batch_statistics(LayerCall *call, int axis, double epsilon) {
    ValueId inputs[3], y;
    int64_t channels;
    FAIL_IF(type_of(call, call->x)->rank < 3, ST_UNSUPPORTED, "statistics of the batch (training=True) without pixels");
    TRY(channels_of(call, axis, "moving_mean", &channels));
    TRY(scale_and_bias(call, channels, &inputs[1]));
    TRY(move_axis(call, axis, true, call->x, &inputs[0]));
    TRY(emit_node(&call->emit, OP_InstanceNormalization, "norm", inputs, 3, ATTRS(ATTR_F("epsilon", epsilon)), &y));
    call->import->notes.batch_statistics++;
    return move_axis(call, axis, false, y, &call->out[0]);
}

Status keras_batch_norm(LayerCall *call) {
    ValueId parameters[4];
    double epsilon;
    int64_t mode, channels;
    int axis;
    bool renorm;
    TRY(expect_layer_input(call, 0));
    TRY(config_int(call->config, "mode", 0, &mode)); // Keras 1: 1 is by sample, 2 by batch
    TRY(config_bool(call->config, "renorm", false, &renorm));
    FAIL_IF(mode != 0 || renorm, ST_UNSUPPORTED, "BatchNormalization of another kind ('mode', 'renorm')");
    TRY(single_axis(call, -1, &axis));
    TRY(config_float(call->config, "epsilon", 1e-3, &epsilon));
    if (is_training(call)) return batch_statistics(call, axis, epsilon);
    TRY(channels_of(call, axis, "moving_mean", &channels));
    TRY(scale_and_bias(call, channels, parameters));
    TRY(layer_vector(call, "moving_mean", channels, 0, &parameters[2]));
    TRY(layer_vector(call, "moving_variance", channels, 1, &parameters[3]));
    return emit_batch_norm(&call->emit, call->x, axis, parameters, epsilon, &call->out[0]);
}

// ---- LayerNormalization

enum { MOST_NUMBERS = 1 << 26 };

// The axes as one of them, from there to the last; -1: others.
static Status trailing_axis(const LayerCall *call, int rank, int *first, int *count) {
    int64_t axes[MAX_RANK] = {-1};
    bool seen[MAX_RANK] = {false};
    *count = 1;
    const Json *json = config_get(call->config, "axis");
    if (json) TRY(json_list_of(json, "axis", MAX_RANK, axes, count));
    for (int i = 0; i < *count; i++) {
        if (axes[i] < 0) axes[i] += rank;
        FAIL_IF(axes[i] < 0 || axes[i] >= rank || seen[axes[i]], ST_BAD, "'axis': expected different axes of %d dims",
                rank);
        seen[axes[i]] = true;
    }
    *first = rank - *count;
    for (int i = *first; i < rank; i++) {
        if (!seen[i]) *first = -1;
        if (!seen[i]) break;
    }
    if (*first < 0 && *count == 1) *first = -1 - (int)axes[0]; // -2: axis 1
    return ST_OK;
}

static Status norm_parameter(LayerCall *call, const char *name, int first, int rank, double otherwise, ValueId *out) {
    const Type type = *type_of(call, call->x);
    if (rank - first == 1 && type.dim[first] >= 0) return layer_vector(call, name, type.dim[first], otherwise, out);
    if (layer_has_weight(call, name)) return layer_constant(call, name, type.dim + first, rank - first, NULL, out);
    Tensor ones;
    Shape shape = shape_of(rank - first, type.dim + first);
    const int64_t numbers = shape_count(&shape);
    FAIL_IF(numbers < 0 || numbers > MOST_NUMBERS, ST_UNSUPPORTED, "sizes that are not known, or too large");
    TRY(tensor_make(&call->emit.graph->arena, DT_F32, shape, &ones));
    for (int64_t i = 0; i < tensor_count(&ones); i++) tensor_set(&ones, i, otherwise);
    return emit_tensor(&call->emit, name, &ones, out);
}

Status keras_layer_norm(LayerCall *call) {
    ValueId inputs[3], y;
    double epsilon;
    bool rms;
    int first, count;
    TRY(expect_layer_input(call, 0));
    const int rank = type_of(call, call->x)->rank;
    TRY(config_float(call->config, "epsilon", 1e-3, &epsilon));
    TRY(config_bool(call->config, "rms_scaling", false, &rms));
    FAIL_IF(rms, ST_UNSUPPORTED, "'rms_scaling'");
    TRY(trailing_axis(call, rank, &first, &count));
    const bool is_channel = first == -2 && rank > 2; // axis 1, channels first
    FAIL_IF(first < 0 && !is_channel, ST_UNSUPPORTED, "'axis': other axes than the last ones");
    inputs[0] = call->x;
    if (is_channel) TRY(emit_last(&call->emit, call->x, &inputs[0]));
    call->x = inputs[0];
    if (is_channel) first = rank - 1;
    TRY(norm_parameter(call, "gamma", first, rank, 1, &inputs[1]));
    TRY(norm_parameter(call, "beta", first, rank, 0, &inputs[2]));
    TRY(emit_node(&call->emit, OP_LayerNormalization, "norm", inputs, 3,
                  ATTRS(ATTR_F("epsilon", epsilon), ATTR_I("axis", first)), &y));
    call->out[0] = y;
    return is_channel ? emit_first(&call->emit, y, &call->out[0]) : ST_OK;
}

// ---- GroupNormalization, InstanceNormalization

// groups -1, or as many as channels: each channel by itself.
static Status normalise_groups(LayerCall *call, int64_t groups) {
    ValueId inputs[3], y;
    double epsilon;
    int64_t channels;
    int axis;
    TRY(expect_layer_input(call, 0));
    const int rank = type_of(call, call->x)->rank;
    FAIL_IF(rank < 3, ST_UNSUPPORTED, "groups of channels without pixels");
    TRY(single_axis(call, -1, &axis));
    TRY(channels_of(call, axis, "gamma", &channels));
    TRY(config_float(call->config, "epsilon", 1e-3, &epsilon));
    if (groups == -1) groups = channels;
    FAIL_IF(axis == 0, ST_UNSUPPORTED, "'axis' 0");
    FAIL_IF(groups < 1 || channels % groups != 0, ST_BAD, "'groups': expected a divisor of %lld channels, got %lld",
            (long long)channels, (long long)groups);
    TRY(scale_and_bias(call, channels, &inputs[1]));
    TRY(move_axis(call, axis, true, call->x, &inputs[0]));
    const Attr attrs[] = {ATTR_F("epsilon", epsilon), ATTR_I("num_groups", groups)};
    if (groups == channels) TRY(emit_node(&call->emit, OP_InstanceNormalization, "norm", inputs, 3, attrs, 1, &y));
    else TRY(emit_node(&call->emit, OP_GroupNormalization, "norm", inputs, 3, attrs, 2, &y));
    return move_axis(call, axis, false, y, &call->out[0]);
}

Status keras_group_norm(LayerCall *call) {
    int64_t groups;
    TRY(config_int(call->config, "groups", 32, &groups));
    return normalise_groups(call, groups);
}

static Status mean_over(LayerCall *call, ValueId x, const int64_t *axes, int count, const char *suffix, ValueId *out) {
    ValueId inputs[] = {x, NO_VALUE};
    TRY(emit_ints(&call->emit, "axes", axes, count, &inputs[1]));
    return emit_node(&call->emit, OP_ReduceMean, suffix, inputs, 2, ATTRS(ATTR_I("keepdims", 1)), out);
}

// y = y op parameter, which lies along `axis` of `rank` dims (-1: a single number).
static Status with_parameter(LayerCall *call, Op op, const char *name, int axis, ValueId *y) {
    const Type type = *type_of(call, *y);
    int64_t shape[MAX_RANK];
    ValueId parameter;
    if (!layer_has_weight(call, name)) return ST_OK;
    const int64_t count = axis < 0 ? 1 : type.dim[axis];
    TRY(layer_constant(call, name, &count, 1, NULL, &parameter));
    for (int i = 0; i < type.rank; i++) shape[i] = i == axis ? -1 : 1;
    if (axis >= 0 && axis != type.rank - 1) {
        TRY(emit_reshape(&call->emit, name, parameter, shape, type.rank, &parameter));
    }
    return emit_binary(&call->emit, op, op == OP_Mul ? "scaled" : "moved", *y, parameter, y);
}

// keras_contrib's adds epsilon to the deviation, not to the variance, and has one gamma and beta for all where there is
// no axis.
static Status contrib_instance_norm(LayerCall *call) {
    ValueId mean, centred, square, variance, deviation, epsilon, y;
    double value;
    int64_t axes[MAX_RANK];
    int axis = -1, count = 0;
    const int rank = type_of(call, call->x)->rank;
    FAIL_IF(rank < 2, ST_BAD, "expected an input with a batch and channels, got one of %d dims", rank);
    if (config_get(call->config, "axis")) TRY(single_axis(call, -1, &axis));
    FAIL_IF(axis == 0, ST_UNSUPPORTED, "'axis' 0");
    TRY(config_float(call->config, "epsilon", 1e-3, &value));
    for (int i = 1; i < rank; i++) {
        if (i != axis) axes[count++] = i;
    }
    FAIL_IF(count == 0, ST_UNSUPPORTED, "InstanceNormalization without pixels");
    TRY(mean_over(call, call->x, axes, count, "mean", &mean));
    TRY(emit_binary(&call->emit, OP_Sub, "centred", call->x, mean, &centred));
    TRY(emit_binary(&call->emit, OP_Mul, "square", centred, centred, &square));
    TRY(mean_over(call, square, axes, count, "variance", &variance));
    TRY(emit_unary(&call->emit, OP_Sqrt, "root", variance, &deviation));
    TRY(emit_scalar(&call->emit, "epsilon", DT_F32, value, &epsilon));
    TRY(emit_binary(&call->emit, OP_Add, "deviation", deviation, epsilon, &deviation));
    TRY(emit_binary(&call->emit, OP_Div, "norm", centred, deviation, &y));
    TRY(with_parameter(call, OP_Mul, "gamma", axis, &y));
    TRY(with_parameter(call, OP_Add, "beta", axis, &y));
    call->out[0] = y;
    return ST_OK;
}

// Of TensorFlow Addons (a GroupNormalization with as many groups as channels), or of keras_contrib.
Status keras_instance_norm(LayerCall *call) {
    TRY(expect_layer_input(call, 0));
    const bool is_addons = strchr(call->layer->class_name, '>') || config_get(call->config, "groups");
    return is_addons ? normalise_groups(call, -1) : contrib_instance_norm(call);
}

// ---- UnitNormalization: x / sqrt(max(sum of squares, 1e-12))

Status keras_unit_norm(LayerCall *call) {
    int64_t axes[MAX_RANK] = {-1};
    int count = 1;
    ValueId square, list, sum, floor, length;
    const Json *json = config_get(call->config, "axis");
    TRY(expect_layer_input(call, 0));
    if (json) TRY(json_list_of(json, "axis", MAX_RANK, axes, &count));
    TRY(emit_binary(&call->emit, OP_Mul, "square", call->x, call->x, &square));
    TRY(emit_ints(&call->emit, "axes", axes, count, &list));
    const ValueId inputs[] = {square, list};
    TRY(emit_node(&call->emit, OP_ReduceSum, "sum", inputs, 2, ATTRS(ATTR_I("keepdims", 1)), &sum));
    TRY(emit_scalar(&call->emit, "least", DT_F32, 1e-12, &floor));
    TRY(emit_binary(&call->emit, OP_Max, "max", sum, floor, &sum));
    TRY(emit_unary(&call->emit, OP_Sqrt, "length", sum, &length));
    return emit_binary(&call->emit, OP_Div, "norm", call->x, length, &call->out[0]);
}

enum { MOST_MOMENTS = 1 << 20 };

// ---- Normalization: (x - mean) / max(sqrt(variance), 1e-7), with mean and variance for the kept axes

// A number, or lists of lists of them; as many as `most` are counted.
static bool flatten_numbers(const Json *json, int depth, double *out, int64_t most, int64_t *count) {
    if (json->type == JSON_NUMBER) {
        if (*count < most) out[*count] = json->number;
        return ++*count <= most;
    }
    if (json->type != JSON_ARRAY || depth == 0) return false;
    for (size_t i = 0; i < json->count; i++) {
        if (!flatten_numbers(&json->items[i], depth - 1, out, most, count)) return false;
    }
    return true;
}

static Status read_moment(LayerCall *call, int which, int64_t count, double *out) {
    static const char *const names[] = {"mean", "variance"};
    const Json *json = config_get(call->config, names[which]);
    if (json) {
        int64_t given = 0;
        if (json_get(json, "config")) json = json_get(json_get(json, "config"), "value");
        FAIL_IF(!json || !flatten_numbers(json, MAX_RANK, out, count, &given) || (given != count && given != 1), ST_BAD,
                "'%s': expected %lld numbers", names[which], (long long)count);
        for (int64_t i = given; i < count; i++) out[i] = out[0];
        return ST_OK;
    }
    Tensor weight;
    TRY(layer_weight(call, names[which], -1, &weight));
    FAIL_IF(tensor_count(&weight) != count, ST_BAD, "weight '%s': expected %lld numbers, got %lld", names[which],
            (long long)count, (long long)tensor_count(&weight));
    for (int64_t i = 0; i < count; i++) out[i] = tensor_get(&weight, i);
    return ST_OK;
}

static Status moments_shape(const LayerCall *call, Shape *shape) {
    const Type *type = type_of(call, call->x);
    int64_t axes[MAX_RANK] = {-1};
    int count = 1;
    const Json *json = json_get(call->config, "axis");
    if (json && json->type == JSON_NULL) count = 0; // one mean for all
    else if (json) TRY(json_list_of(json, "axis", MAX_RANK, axes, &count));
    *shape = (Shape){.rank = type->rank};
    for (int i = 0; i < type->rank; i++) shape->dim[i] = 1;
    for (int i = 0; i < count; i++) {
        const int64_t axis = axes[i] < 0 ? axes[i] + type->rank : axes[i];
        FAIL_IF(axis < 0 || axis >= type->rank, ST_BAD, "'axis': expected axes of %d dims", type->rank);
        FAIL_IF(type->dim[axis] < 0, ST_UNSUPPORTED, "sizes that are not known");
        shape->dim[axis] = type->dim[axis];
    }
    return ST_OK;
}

Status keras_normalization(LayerCall *call) {
    Shape shape;
    Tensor mean, deviation;
    ValueId x = call->x, values[2], y;
    bool invert;
    TRY(expect_layer_input(call, 0));
    TRY(config_bool(call->config, "invert", false, &invert));
    TRY(moments_shape(call, &shape));
    const int64_t count = shape_count(&shape);
    FAIL_IF(count < 0 || count > MOST_MOMENTS, ST_UNSUPPORTED, "a mean and a variance for so many elements");
    TRY(tensor_make(&call->emit.graph->arena, DT_F32, shape, &mean));
    TRY(tensor_make(&call->emit.graph->arena, DT_F32, shape, &deviation));
    double *numbers = arena_array(call->import->scratch, (size_t)count + 1, sizeof *numbers);
    if (!numbers) return fail_memory((size_t)count * sizeof *numbers);
    TRY(read_moment(call, 0, count, numbers));
    for (int64_t i = 0; i < count; i++) tensor_set(&mean, i, numbers[i]);
    TRY(read_moment(call, 1, count, numbers));
    for (int64_t i = 0; i < count; i++) tensor_set(&deviation, i, fmax(sqrt(numbers[i]), 1e-7));
    TRY(emit_tensor(&call->emit, "mean", &mean, &values[0]));
    TRY(emit_tensor(&call->emit, "deviation", &deviation, &values[1]));
    if (type_of(call, x)->dtype != DT_F32) {
        TRY(emit_node(&call->emit, OP_Cast, "cast", &call->x, 1, ATTRS(ATTR_S("to", "float32")), &x));
    }
    TRY(emit_binary(&call->emit, invert ? OP_Mul : OP_Sub, "step", x, values[invert ? 1 : 0], &y));
    return emit_binary(&call->emit, invert ? OP_Add : OP_Div, "norm", y, values[invert ? 0 : 1], &call->out[0]);
}

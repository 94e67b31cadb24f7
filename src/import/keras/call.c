// What a layer's function asks about its call: inputs, layout, arguments.
#include "import/keras/layer.h"
#include <string.h>

Status expect_layer_input(const LayerCall *call, int rank) {
    FAIL_IF(call->x == NO_VALUE || call->n_inputs != 1, ST_BAD, "expected one input, got %d", call->n_inputs);
    const int own = type_of(call, call->x)->rank;
    FAIL_IF(own < 0, ST_UNSUPPORTED, "an input of a rank that is not known");
    FAIL_IF(rank > 0 && own != rank, ST_BAD, "expected an input of %d dims, got one of %d", rank, own);
    return ST_OK;
}

Status layer_is_first(const LayerCall *call, bool *is_first) {
    const char *format;
    TRY(config_text(call->config, "data_format", "channels_last", &format));
    if (strcmp(format, "default") == 0) format = "channels_last";
    *is_first = strcmp(format, "channels_first") == 0 || strcmp(format, "th") == 0;
    FAIL_IF(!*is_first && strcmp(format, "channels_last") && strcmp(format, "tf"), ST_BAD,
            "'data_format': expected channels_last or channels_first, got '%s'", format);
    return ST_OK;
}

Status layer_to_first(LayerCall *call, ValueId x, ValueId *out) {
    bool is_first;
    TRY(layer_is_first(call, &is_first));
    *out = x;
    return is_first ? ST_OK : emit_first(&call->emit, x, out);
}

Status layer_from_first(LayerCall *call, ValueId x, ValueId *out) {
    bool is_first;
    TRY(layer_is_first(call, &is_first));
    *out = x;
    return is_first ? ST_OK : emit_last(&call->emit, x, out);
}

Status layer_axis(const LayerCall *call, const char *key, int64_t otherwise, int rank, int *out) {
    const Json *json = config_get(call->config, key);
    int64_t axis = otherwise;
    int count = 1;
    if (json) TRY(json_list_of(json, key, 1, &axis, &count));
    FAIL_IF(count != 1 || axis < -rank || axis >= rank, ST_BAD, "'%s': expected an axis of %d dims, got %lld", key,
            rank, (long long)axis);
    *out = (int)(axis < 0 ? axis + rank : axis);
    return ST_OK;
}

// ---- arguments

// `keys`: names that differ from version to version, "x|x1|a".
static bool is_key(const char *key, const char *keys) {
    const size_t length = strlen(key);
    for (const char *at = keys; at; at = strchr(at, '|') ? strchr(at, '|') + 1 : NULL) {
        if (strncmp(at, key, length) == 0 && (at[length] == '|' || !at[length])) return true;
    }
    return false;
}

static const KerasArg *find_arg(const KerasCall *call, int position, const char *keys) {
    int at = 0;
    for (int i = 0; i < call->n_args; i++) {
        const KerasArg *arg = &call->args[i];
        if (arg->key ? is_key(arg->key, keys) : at++ == position) return arg;
    }
    return NULL;
}

static const Json *find_setting(const Json *config, const char *keys) {
    for (size_t i = 0; config->type == JSON_OBJECT && i < config->count; i++) {
        if (is_key(config->keys[i], keys) && config->items[i].type != JSON_NULL) return &config->items[i];
    }
    return NULL;
}

bool call_operand(const LayerCall *call, int position, const char *key, Operand *out) {
    const KerasArg *arg = find_arg(call->call, position, key);
    *out = (Operand){.json = NULL};
    if (arg && arg->n_tensors > 0) {
        *out = (Operand){.values = call->inputs + arg->first, .n_values = arg->n_tensors, .is_list = arg->is_list};
        return true;
    }
    out->json = arg && arg->json && arg->json->type != JSON_NULL ? arg->json : find_setting(call->config, key);
    return out->json != NULL;
}

// ---- constants in calls

enum { MOST_NUMBERS = 65536 };

// [[1, 2], [3, 4]] is of shape 2x2. All lists of one depth have as many entries as the first.
static Status shape_of_json(const Json *json, Shape *out) {
    *out = (Shape){.rank = 0};
    for (; json->type == JSON_ARRAY; json = &json->items[0]) {
        FAIL_IF(out->rank == MAX_RANK || json->count == 0, ST_UNSUPPORTED, "a constant of no or too many dims");
        out->dim[out->rank++] = (int64_t)json->count;
    }
    const int64_t count = shape_count(out);
    FAIL_IF(count < 0 || count > MOST_NUMBERS, ST_UNSUPPORTED, "a constant of more than %d numbers", MOST_NUMBERS);
    return ST_OK;
}

static Status fill(const Json *json, int depth, const Shape *shape, Tensor *tensor, int64_t *at) {
    if (depth == shape->rank) {
        FAIL_IF(json->type != JSON_NUMBER && json->type != JSON_BOOL, ST_UNSUPPORTED, "a constant that is no number");
        tensor_set(tensor, (*at)++, json->type == JSON_BOOL ? json->boolean : json->number);
        return ST_OK;
    }
    FAIL_IF(json->type != JSON_ARRAY || (int64_t)json->count != shape->dim[depth], ST_BAD,
            "expected lists of one length in a constant");
    for (size_t i = 0; i < json->count; i++) TRY(fill(&json->items[i], depth + 1, shape, tensor, at));
    return ST_OK;
}

Status operand_value(LayerCall *call, const Operand *operand, DType like, const char *suffix, ValueId *out) {
    const Json *json = operand->json;
    Shape shape;
    Tensor tensor;
    int64_t at = 0;
    if (!json) {
        FAIL_IF(operand->n_values != 1, ST_UNSUPPORTED, "a list where one tensor is expected");
        *out = operand->values[0];
        return ST_OK;
    }
    // {"class_name": "__numpy__" or "__tensor__", "config": {"value": ...}}
    if (json_get(json_get(json, "config"), "value")) json = json_get(json_get(json, "config"), "value");
    TRY(shape_of_json(json, &shape));
    TRY(tensor_make(&call->emit.graph->arena, like == DT_NONE ? DT_F32 : like, shape, &tensor));
    TRY(fill(json, 0, &shape, &tensor, &at));
    return emit_tensor(&call->emit, suffix, &tensor, out);
}

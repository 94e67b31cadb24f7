// Layers that move data, or leave it as it is.
#include "import/keras/layer.h"
#include <string.h>

// Channels come last before all is put in a row, whatever the layout.
Status keras_flatten(LayerCall *call) {
    ValueId x = call->x;
    bool is_first;
    TRY(expect_layer_input(call, 0));
    const int rank = type_of(call, call->x)->rank;
    FAIL_IF(rank < 1, ST_BAD, "expected an input with a batch, got a scalar");
    TRY(layer_is_first(call, &is_first));
    if (is_first && rank > 2) TRY(emit_last(&call->emit, call->x, &x));
    return emit_node(&call->emit, OP_Flatten, "flat", &x, 1, ATTRS(ATTR_I("axis", 1)), &call->out[0]);
}

Status keras_reshape(LayerCall *call) {
    int64_t shape[MAX_RANK] = {0};
    int count;
    TRY(expect_layer_input(call, 0));
    const Json *json = config_get(call->config, "target_shape");
    FAIL_IF(!json, ST_BAD, "'target_shape': expected a list of whole numbers, got none");
    TRY(json_list_of(json, "target_shape", MAX_RANK - 1, shape + 1, &count));
    for (int i = 1; i <= count; i++) {
        FAIL_IF(shape[i] < 1 && shape[i] != -1, ST_BAD, "'target_shape': expected sizes from 1 on, or -1, got %lld",
                (long long)shape[i]);
    }
    return emit_reshape(&call->emit, "reshaped", call->x, shape, count + 1, &call->out[0]);
}

// The batch stays; "dims" counts from 1.
Status keras_permute(LayerCall *call) {
    int64_t dims[MAX_RANK];
    int perm[MAX_RANK] = {0}, count;
    bool seen[MAX_RANK] = {true};
    TRY(expect_layer_input(call, 0));
    const int rank = type_of(call, call->x)->rank;
    const Json *json = config_get(call->config, "dims");
    FAIL_IF(!json, ST_BAD, "'dims': expected a list of whole numbers, got none");
    TRY(json_list_of(json, "dims", MAX_RANK, dims, &count));
    FAIL_IF(count != rank - 1, ST_BAD, "'dims': expected %d entries, got %d", rank - 1, count);
    for (int i = 0; i < count; i++) {
        FAIL_IF(dims[i] < 1 || dims[i] >= rank || seen[dims[i]], ST_BAD,
                "'dims': expected each of 1 to %d once, got %lld", rank - 1, (long long)dims[i]);
        seen[dims[i]] = true;
        perm[i + 1] = (int)dims[i];
    }
    return emit_transpose(&call->emit, "permuted", call->x, perm, &call->out[0]);
}

// (n, c) to (n, times, c)
Status keras_repeat_vector(LayerCall *call) {
    int64_t repeats[3] = {1, 1, 1};
    ValueId list, x;
    TRY(expect_layer_input(call, 2));
    TRY(config_sizes(call->config, "n", 1, 0, &repeats[1]));
    TRY(emit_ints(&call->emit, "axes", (const int64_t[]){1}, 1, &list));
    TRY(emit_binary(&call->emit, OP_Unsqueeze, "raised", call->x, list, &x));
    TRY(emit_ints(&call->emit, "repeats", repeats, 3, &list));
    return emit_binary(&call->emit, OP_Tile, "repeated", x, list, &call->out[0]);
}

Status keras_identity(LayerCall *call) {
    TRY(expect_layer_input(call, 0));
    call->out[0] = call->x;
    return ST_OK;
}

// Noise and dropped elements are for training, unless the layer was called with training=True.
Status keras_random(LayerCall *call) {
    Operand training;
    const bool is_told = call_operand(call, 1, "training", &training) && training.json;
    if (is_told && ((training.json->type == JSON_BOOL && training.json->boolean) ||
                    (training.json->type == JSON_NUMBER && training.json->number != 0))) {
        call->import->notes.random++;
    }
    return keras_identity(call);
}

// ---- x scale + offset

// A number, or one for each channel (the last dim).
static Status read_numbers(LayerCall *call, const char *key, double otherwise, ValueId *out, bool *is_plain) {
    const Json *json = config_get(call->config, key);
    if (json && json_get(json, "config")) json = json_get(json_get(json, "config"), "value"); // of numpy
    *is_plain = !json || (json->type == JSON_NUMBER && json->number == otherwise);
    if (*is_plain) return ST_OK;
    if (json->type == JSON_NUMBER) return emit_scalar(&call->emit, key, DT_F32, json->number, out);
    FAIL_IF(json->type != JSON_ARRAY || json->count == 0 || json->count > 4096, ST_BAD, "'%s': expected numbers", key);
    double numbers[4096];
    for (size_t i = 0; i < json->count; i++) {
        FAIL_IF(json->items[i].type != JSON_NUMBER, ST_BAD, "'%s': expected numbers", key);
        numbers[i] = json->items[i].number;
    }
    return emit_floats(&call->emit, key, numbers, (int)json->count, out);
}

Status keras_rescaling(LayerCall *call) {
    ValueId scale, offset, x = call->x;
    bool is_one, is_zero;
    TRY(expect_layer_input(call, 0));
    TRY(read_numbers(call, "scale", 1, &scale, &is_one));
    TRY(read_numbers(call, "offset", 0, &offset, &is_zero));
    if (type_of(call, x)->dtype != DT_F32) {
        TRY(emit_node(&call->emit, OP_Cast, "cast", &call->x, 1, ATTRS(ATTR_S("to", "float32")), &x));
    }
    if (!is_one) TRY(emit_binary(&call->emit, OP_Mul, "scaled", x, scale, &x));
    if (!is_zero) TRY(emit_binary(&call->emit, OP_Add, "moved", x, offset, &x));
    call->out[0] = x;
    return ST_OK;
}

// ---- TimeDistributed

// What works on the last dim, or on each element, does so for all times at once.
bool time_distributes(const char *class_name) {
    static const char *const simple[] = {"Dense", "Activation", "Dropout", "ReLU", "LeakyReLU", "Rescaling"};
    for (size_t i = 0; i < COUNT_OF(simple); i++) {
        if (class_name && strcmp(class_name, simple[i]) == 0) return true;
    }
    return false;
}

Status keras_time_distributed(LayerCall *call) {
    const Json *inner = json_get(call->config, "layer"), *config = json_get(inner, "config");
    const Json *class_name = json_get(inner, "class_name");
    FAIL_IF(!class_name || class_name->type != JSON_STRING || !config || config->type != JSON_OBJECT, ST_BAD,
            "'layer': expected a layer");
    const LayerKind *kind = layer_kind(class_name->string);
    FAIL_IF(!kind || !time_distributes(class_name->string), ST_UNSUPPORTED, "TimeDistributed of %s",
            class_name->string);
    call->kind = kind;
    call->config = config;
    return kind->import(call);
}

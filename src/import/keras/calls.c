// Who takes what from whom: "inbound_nodes" in the two forms that model.h shows.
#include "import/keras/model.h"
#include "import/limits.h"
#include <string.h>

enum { MOST_ARGS = 64, MOST_CALLS = 65536 };

typedef struct Calls {
    Arena *arena;
    KerasModel *model;
    KerasArg args[MOST_ARGS]; // of the call that is read
    int n_args;
    KerasSource sources[KERAS_SOURCES];
    int n_sources;
} Calls;

// ---- which call is meant

// A model has had a call before any other, when it was made, which Keras 2 counts and Keras 3 counts in output_layers
// only. It is none of those that the file tells. A Sequential has it where it was made with an input, and never in
// Keras 3.
static bool has_first_call(const KerasLayer *layer, bool is_list_form) {
    if (!layer->model) return false;
    return strcmp(layer->class_name, "Sequential") != 0 || (is_list_form && !layer->model->is_input_added);
}

static int call_index(const KerasLayer *layer, int64_t node, bool counts_first) {
    const int64_t n = layer->is_input ? 1 : layer->n_calls;
    const int64_t shifted = counts_first ? node - 1 : node;
    if (shifted >= 0 && shifted < n) return (int)shifted;
    if (node >= 0 && node < n) return (int)node;
    return layer->model && node == n ? (int)n - 1 : -1;
}

static Status find_source(const KerasModel *model, const Json *name, const Json *node, const Json *tensor, bool is_end,
                          KerasSource *out) {
    const bool is_list_form = !model->is_dict_form;
    int64_t n, t;
    FAIL_IF(name->type != JSON_STRING || !json_integer_of(node, &n) || !json_integer_of(tensor, &t) || t < 0 ||
                t >= KERAS_SOURCES,
            ST_BAD, "line %d: expected [a layer's name, the number of its call, of its output]", name->line);
    out->layer = keras_find_layer(model, name->string);
    FAIL_IF(out->layer < 0, ST_BAD, "expected a layer '%s' to take an input from, got none of that name", name->string);
    const KerasLayer *layer = &model->layers[out->layer];
    out->node = call_index(layer, n, (is_list_form || is_end) && has_first_call(layer, is_list_form));
    FAIL_IF(out->node < 0, ST_BAD, "expected call %lld of layer '%s', which has %d", (long long)n, name->string,
            layer->n_calls);
    out->tensor = (int)t;
    return ST_OK;
}

// ---- arguments

static Status add_source(Calls *calls, const Json *name, const Json *node, const Json *tensor) {
    FAIL_IF(calls->n_sources == KERAS_SOURCES, ST_BAD, "expected at most %d inputs of a call, got more", KERAS_SOURCES);
    return find_source(calls->model, name, node, tensor, false, &calls->sources[calls->n_sources++]);
}

static Status begin_arg(Calls *calls, const char *key, const Json *json) {
    FAIL_IF(calls->n_args == MOST_ARGS, ST_BAD, "expected at most %d arguments of a call, got more", MOST_ARGS);
    calls->args[calls->n_args++] = (KerasArg){.key = key, .json = json, .first = calls->n_sources};
    return ST_OK;
}

static void end_arg(Calls *calls, bool is_list) {
    KerasArg *arg = &calls->args[calls->n_args - 1];
    arg->n_tensors = calls->n_sources - arg->first;
    arg->is_list = is_list;
}

// ---- the form of Keras 3

static bool is_keras_tensor(const Json *json) { return json_is(json_get(json, "class_name"), "__keras_tensor__"); }

static Status add_keras_tensor(Calls *calls, const Json *json) {
    const Json *history = json_get(json_get(json, "config"), "keras_history");
    FAIL_IF(!history || history->type != JSON_ARRAY || history->count != 3, ST_BAD,
            "line %d: expected a tensor with a keras_history of three entries", json->line);
    return add_source(calls, &history->items[0], &history->items[1], &history->items[2]);
}

static bool holds_tensor(const Json *json, int depth) {
    if (is_keras_tensor(json)) return true;
    if (depth == 0 || (json->type != JSON_ARRAY && json->type != JSON_OBJECT)) return false;
    for (size_t i = 0; i < json->count; i++) {
        if (holds_tensor(&json->items[i], depth - 1)) return true;
    }
    return false;
}

static Status read_value(Calls *calls, const char *key, const Json *json) {
    TRY(begin_arg(calls, key, json));
    if (is_keras_tensor(json)) TRY(add_keras_tensor(calls, json));
    const bool is_list = json->type == JSON_ARRAY && holds_tensor(json, 1);
    for (size_t i = 0; is_list && i < json->count; i++) {
        FAIL_IF(!is_keras_tensor(&json->items[i]), ST_UNSUPPORTED, "a list of tensors and other values as an input");
        TRY(add_keras_tensor(calls, &json->items[i]));
    }
    end_arg(calls, is_list);
    FAIL_IF(calls->args[calls->n_args - 1].n_tensors == 0 && holds_tensor(json, 3), ST_UNSUPPORTED,
            "tensors in lists of lists, or by name, as an input");
    return ST_OK;
}

static Status read_dict_call(Calls *calls, const Json *json) {
    const Json *args = json_get(json, "args"), *keywords = json_get(json, "kwargs");
    FAIL_IF(!args || args->type != JSON_ARRAY, ST_BAD, "line %d: expected a call with a list of args", json->line);
    for (size_t i = 0; i < args->count; i++) TRY(read_value(calls, NULL, &args->items[i]));
    for (size_t i = 0; keywords && keywords->type == JSON_OBJECT && i < keywords->count; i++) {
        TRY(read_value(calls, keywords->keys[i], &keywords->items[i]));
    }
    return ST_OK;
}

// ---- the form of Keras 1 and 2

// [name, node, tensor] or [name, node, tensor, {keywords}]
static bool is_tensor_list(const Json *json) {
    int64_t number;
    return json->type == JSON_ARRAY && (json->count == 3 || json->count == 4) && json->items[0].type == JSON_STRING &&
           json_integer_of(&json->items[1], &number);
}

static Status add_listed(Calls *calls, const Json *json) {
    return add_source(calls, &json->items[0], &json->items[1], &json->items[2]);
}

static bool is_keyword_tensor(const Calls *calls, const Json *json) {
    return is_tensor_list(json) && json->count == 3 && keras_find_layer(calls->model, json->items[0].string) >= 0;
}

static Status read_keyword(Calls *calls, const char *key, const Json *json) {
    TRY(begin_arg(calls, key, json));
    if (is_keyword_tensor(calls, json)) {
        TRY(add_listed(calls, json));
        end_arg(calls, false);
        return ST_OK;
    }
    bool is_list = json->type == JSON_ARRAY && json->count > 0;
    for (size_t i = 0; is_list && i < json->count; i++) is_list = is_keyword_tensor(calls, &json->items[i]);
    for (size_t i = 0; is_list && i < json->count; i++) TRY(add_listed(calls, &json->items[i]));
    end_arg(calls, is_list);
    return ST_OK;
}

static Status read_keywords(Calls *calls, const Json *tensor) {
    const Json *keywords = tensor->count == 4 ? &tensor->items[3] : NULL;
    for (size_t i = 0; keywords && keywords->type == JSON_OBJECT && i < keywords->count; i++) {
        TRY(read_keyword(calls, keywords->keys[i], &keywords->items[i]));
    }
    return ST_OK;
}

// The keywords stand with each tensor of the first argument; they are the same.
static Status read_list_call(Calls *calls, const Json *json) {
    const bool is_single = is_tensor_list(json);
    const Json *tensors = is_single ? json : json->items;
    const size_t count = is_single ? 1 : json->count;
    FAIL_IF(json->type != JSON_ARRAY || count == 0, ST_UNSUPPORTED, "inputs that are given by name");
    TRY(begin_arg(calls, NULL, NULL));
    for (size_t i = 0; i < count; i++) {
        FAIL_IF(!is_tensor_list(&tensors[i]), ST_BAD, "line %d: expected [layer, call, output], got something else",
                tensors[i].line);
        if (!json_is(&tensors[i].items[0], "_CONSTANT_VALUE")) TRY(add_listed(calls, &tensors[i]));
        else {
            FAIL_IF(count > 1, ST_UNSUPPORTED, "a list of tensors and other values as an input");
            calls->args[0].json = &tensors[i].items[2];
        }
    }
    end_arg(calls, count > 1);
    return read_keywords(calls, &tensors[0]);
}

// ---- calls

static Status keep_call(Calls *calls, KerasCall *out) {
    out->n_args = calls->n_args;
    out->n_sources = calls->n_sources;
    out->args = arena_array(calls->arena, (size_t)calls->n_args + 1, sizeof *out->args);
    out->sources = arena_array(calls->arena, (size_t)calls->n_sources + 1, sizeof *out->sources);
    if (!out->args || !out->sources) return fail_memory((size_t)calls->n_sources * sizeof *out->sources);
    if (calls->n_args) memcpy(out->args, calls->args, (size_t)calls->n_args * sizeof *out->args);
    if (calls->n_sources) memcpy(out->sources, calls->sources, (size_t)calls->n_sources * sizeof *out->sources);
    return ST_OK;
}

static Status read_call(Calls *calls, const Json *json, KerasCall *out) {
    calls->n_args = calls->n_sources = 0;
    const bool is_list_form = json->type == JSON_ARRAY;
    calls->model->is_dict_form |= !is_list_form;
    TRY(is_list_form ? read_list_call(calls, json) : read_dict_call(calls, json));
    return keep_call(calls, out);
}

static const Json *inbound_of(const Json *layer) {
    const Json *inbound = json_get(layer, "inbound_nodes");
    return inbound && inbound->type == JSON_ARRAY ? inbound : NULL;
}

// How often each layer is called has to be known before the calls are read: they name calls of each other. An input has
// one that takes nothing.
static Status count_calls(Arena *arena, const Json *layers, KerasModel *model) {
    for (int i = 0; i < model->n_layers; i++) {
        KerasLayer *layer = &model->layers[i];
        const Json *inbound = inbound_of(&layers->items[i]);
        const size_t count = layer->is_input ? 1 : inbound ? inbound->count : 0;
        FAIL_IF(count > MOST_CALLS, ST_BAD, "layer '%s': expected at most %d calls, got %zu", layer->name, MOST_CALLS,
                count);
        layer->n_calls = (int)count;
        layer->calls = arena_array(arena, count + 1, sizeof *layer->calls);
        if (!layer->calls) return fail_memory(count * sizeof *layer->calls);
        for (size_t k = 0; k < count; k++) layer->calls[k].id = model->n_calls++;
        FAIL_IF(model->n_calls > LIMIT_NODES, ST_BAD, "expected at most %d calls of layers, got more", LIMIT_NODES);
    }
    return ST_OK;
}

static Status read_all(Calls *calls, const Json *layers, KerasModel *model) {
    for (int i = 0; i < model->n_layers; i++) {
        KerasLayer *layer = &model->layers[i];
        for (int k = 0; k < layer->n_calls && !layer->is_input; k++) {
            const Status status = read_call(calls, &inbound_of(&layers->items[i])->items[k], &layer->calls[k]);
            if (status != ST_OK) return fail_context(status, "layer '%s'", layer->name);
        }
    }
    return ST_OK;
}

Status keras_read_calls(Arena *arena, const Json *layers, KerasModel *model) {
    TRY(count_calls(arena, layers, model));
    Calls *calls = mem_zero(1, sizeof *calls);
    if (!calls) return fail_memory(sizeof *calls);
    calls->arena = arena;
    calls->model = model;
    const Status status = read_all(calls, layers, model);
    mem_free(calls);
    return status;
}

// ---- inputs and outputs of a model

// [name, node, tensor]; a model with one may have it without the outer list; several may be a dictionary.
static bool is_end(const Json *json) {
    return json->type == JSON_ARRAY && json->count == 3 && json->items[0].type == JSON_STRING;
}

Status keras_read_ends(Arena *arena, const Json *json, const char *what, const KerasModel *model, KerasSource **out,
                       int *count) {
    const bool is_list = json && (json->type == JSON_ARRAY || json->type == JSON_OBJECT);
    FAIL_IF(!is_list || json->count == 0, ST_BAD, "expected '%s' of model '%s', got none", what, model->name);
    FAIL_IF(json->count > LIMIT_NODE_VALUES, ST_BAD, "expected at most %d '%s', got %zu", LIMIT_NODE_VALUES, what,
            json->count);
    const bool is_single = is_end(json);
    *count = is_single ? 1 : (int)json->count;
    *out = arena_array(arena, (size_t)*count, sizeof **out);
    if (!*out) return fail_memory((size_t)*count * sizeof **out);
    for (int i = 0; i < *count; i++) {
        const Json *end = is_single ? json : &json->items[i];
        FAIL_IF(!is_end(end), ST_BAD, "line %d: '%s': expected [layer, call, output]", end->line, what);
        TRY(find_source(model, &end->items[0], &end->items[1], &end->items[2], true, &(*out)[i]));
    }
    return ST_OK;
}

#include "import/keras/model.h"
#include "import/limits.h"
#include <stdlib.h>
#include <string.h>

typedef struct Reader {
    Arena *arena;
    int layers; // so far, of all models
} Reader;

static Status read_model(Reader *reader, const Json *json, int depth, KerasModel **out);

// ---- layers

static bool is_input_class(const char *class_name) { return strcmp(class_name, "InputLayer") == 0; }

// A model's configuration has layers and says where they begin. A Sequential's need not; in Keras 1 it is the list
// itself.
static const Json *layers_of(const Json *json) {
    const Json *class_name = json_get(json, "class_name"), *config = json_get(json, "config");
    const Json *layers = json_get(config, "layers");
    const bool is_sequential = json_is(class_name, "Sequential");
    if (is_sequential && config && config->type == JSON_ARRAY) return config;
    const bool is_model = is_sequential || json_is(class_name, "Model") || json_is(class_name, "Functional") ||
                          json_get(config, "input_layers");
    return is_model && layers && layers->type == JSON_ARRAY ? layers : NULL;
}

static Status read_name(const Json *json, const Json *config, const char **out) {
    const Json *name = json_get(json, "name");
    if (!name || name->type != JSON_STRING) name = json_get(config, "name");
    FAIL_IF(!name || name->type != JSON_STRING || !*name->string, ST_BAD, "line %d: expected a layer with a name",
            json->line);
    FAIL_IF(strlen(name->string) > LIMIT_NAME, ST_BAD, "line %d: expected a name of at most %d bytes", name->line,
            LIMIT_NAME);
    *out = name->string;
    return ST_OK;
}

static const char *module_of(const Json *json) {
    const Json *module = json_get(json, "module");
    return module && module->type == JSON_STRING ? module->string : "";
}

static bool is_operation(const Json *json) {
    const char *module = module_of(json);
    return strstr(module, ".ops.") || text_ends(module, ".ops");
}

// Only newer files tell the package.
static bool is_custom(const Json *json) {
    static const char *const known[] = {"keras", "tf_keras", "tensorflow.keras", "tensorflow.python.keras",
                                        "tensorflow_addons"};
    const char *module = module_of(json);
    for (size_t i = 0; i < COUNT_OF(known); i++) {
        const size_t length = strlen(known[i]);
        if (strncmp(module, known[i], length) == 0 && (!module[length] || module[length] == '.')) return false;
    }
    return *module != 0;
}

static Status read_layer(Reader *reader, const Json *json, int depth, KerasLayer *layer) {
    static const Json nothing = {.type = JSON_OBJECT};
    const Json *class_name = json_get(json, "class_name"), *config = json_get(json, "config");
    FAIL_IF(!class_name || class_name->type != JSON_STRING, ST_BAD, "line %d: expected a layer with a class_name",
            json->line);
    FAIL_IF(++reader->layers > LIMIT_NODES, ST_BAD, "expected at most %d layers, got more", LIMIT_NODES);
    layer->class_name = class_name->string;
    layer->config = config && config->type == JSON_OBJECT ? config : &nothing;
    layer->is_input = is_input_class(layer->class_name);
    layer->is_operation = is_operation(json);
    layer->is_custom = is_custom(json);
    const Json *trainable = json_get(layer->config, "trainable");
    layer->is_frozen = trainable && trainable->type == JSON_BOOL && !trainable->boolean;
    if (layers_of(json)) {
        TRY(read_model(reader, json, depth + 1, &layer->model));
        layer->name = layer->model->name;
        const Json *name = json_get(json, "name");
        if (name && name->type == JSON_STRING) layer->name = name->string;
        return ST_OK;
    }
    return read_name(json, layer->config, &layer->name);
}

static Status read_layers(Reader *reader, const Json *json, int depth, KerasLayer *layers) {
    for (size_t i = 0; i < json->count; i++) TRY(read_layer(reader, &json->items[i], depth, &layers[i]));
    return ST_OK;
}

// ---- names

static int compare_names(const void *a, const void *b) {
    return strcmp(((const KerasName *)a)->name, ((const KerasName *)b)->name);
}

int keras_find_layer(const KerasModel *model, const char *name) {
    const KerasName key = {.name = name};
    const KerasName *found = bsearch(&key, model->names, (size_t)model->n_layers, sizeof *model->names, compare_names);
    return found ? found->layer : -1;
}

static Status sort_names(Arena *arena, KerasModel *model) {
    KerasName *names = model->names = arena_array(arena, (size_t)model->n_layers, sizeof *names);
    if (!names) return fail_memory((size_t)model->n_layers * sizeof *names);
    for (int i = 0; i < model->n_layers; i++) names[i] = (KerasName){model->layers[i].name, i};
    qsort(names, (size_t)model->n_layers, sizeof *names, compare_names);
    for (int i = 1; i < model->n_layers; i++) {
        FAIL_IF(compare_names(&names[i - 1], &names[i]) == 0, ST_BAD,
                "expected each layer once, got two that are called '%s'", names[i].name);
    }
    return ST_OK;
}

// ---- Sequential

static Status input_name(Arena *arena, const char *first, const char **out) {
    Text name = {0};
    text_add(&name, "%s_input", first);
    *out = arena_string(arena, text_get(&name));
    text_free(&name);
    return *out ? ST_OK : fail_memory(strlen(first) + 7);
}

// What the first layer says of its input; of a model, what its first layer says.
static const Json *first_config(const KerasModel *model) {
    const KerasLayer *first = &model->layers[1];
    while (first->model) first = &first->model->layers[first->model->inputs[0].layer];
    return first->config;
}

// The shape may stand in the first layer ("batch_input_shape"), or beside the list ("build_input_shape").
static Status add_input(Arena *arena, const Json *json, KerasModel *model) {
    KerasLayer *input = &model->layers[0];
    const KerasLayer *first = &model->layers[1];
    const Json *config = first_config(model), *shape = json_get(json_get(json, "config"), "build_input_shape");
    if (config_get(config, "batch_shape") || !shape || shape->type != JSON_ARRAY) {
        *input = (KerasLayer){.class_name = "InputLayer", .config = config, .is_input = true};
        return input_name(arena, first->name, &input->name);
    }
    Json *made = arena_alloc(arena, sizeof *made);
    const char **key = arena_array(arena, 1, sizeof *key);
    if (!made || !key) return fail_memory(sizeof *made);
    *key = "batch_shape";
    *made = (Json){.type = JSON_OBJECT, .count = 1, .keys = key, .items = (Json *)(uintptr_t)shape};
    *input = (KerasLayer){.class_name = "InputLayer", .config = made, .is_input = true};
    return input_name(arena, first->name, &input->name);
}

static Status chain_layer(Arena *arena, KerasModel *model, int index) {
    KerasLayer *layer = &model->layers[index];
    layer->n_calls = 1;
    layer->calls = arena_array(arena, 1, sizeof *layer->calls);
    if (!layer->calls) return fail_memory(sizeof *layer->calls);
    layer->calls->id = model->n_calls++;
    if (index == 0) return ST_OK;
    FAIL_IF(layer->is_input, ST_BAD, "layer '%s': expected an input as the first layer only", layer->name);
    layer->calls->args = arena_array(arena, 1, sizeof(KerasArg));
    layer->calls->sources = arena_array(arena, 1, sizeof(KerasSource));
    if (!layer->calls->args || !layer->calls->sources) return fail_memory(sizeof(KerasArg));
    layer->calls->args[0] = (KerasArg){.n_tensors = 1};
    layer->calls->sources[0] = (KerasSource){.layer = index - 1};
    layer->calls->n_args = layer->calls->n_sources = 1;
    return ST_OK;
}

static Status chain_layers(Arena *arena, KerasModel *model) {
    for (int i = 0; i < model->n_layers; i++) TRY(chain_layer(arena, model, i));
    model->inputs = arena_array(arena, 1, sizeof *model->inputs);
    model->outputs = arena_array(arena, 1, sizeof *model->outputs);
    if (!model->inputs || !model->outputs) return fail_memory(sizeof *model->inputs);
    model->outputs[0].layer = model->n_layers - 1;
    model->n_inputs = model->n_outputs = 1;
    return ST_OK;
}

// ---- models

static Status read_functional(Reader *reader, const Json *json, const Json *layers, KerasModel *model) {
    const Json *config = json_get(json, "config");
    TRY(keras_read_calls(reader->arena, layers, model));
    TRY(keras_read_ends(reader->arena, json_get(config, "input_layers"), "input_layers", model, &model->inputs,
                        &model->n_inputs));
    return keras_read_ends(reader->arena, json_get(config, "output_layers"), "output_layers", model, &model->outputs,
                           &model->n_outputs);
}

static Status read_parts(Reader *reader, const Json *json, const Json *layers, int depth, KerasModel *model) {
    const bool is_functional = json_get(json_get(json, "config"), "input_layers") != NULL;
    const Json *first = layers->count ? &layers->items[0] : NULL;
    FAIL_IF(!first, ST_BAD, "expected layers in model '%s', got none", model->name);
    FAIL_IF(!is_functional && !json_is(json_get(json, "class_name"), "Sequential"), ST_BAD,
            "expected 'input_layers' of model '%s', got none", model->name);
    const bool needs_input = !is_functional && !json_is(json_get(first, "class_name"), "InputLayer");
    const size_t count = layers->count + needs_input;
    FAIL_IF(count > LIMIT_NODES, ST_BAD, "expected at most %d layers, got %zu", LIMIT_NODES, count);
    model->layers = arena_array(reader->arena, count, sizeof *model->layers);
    if (!model->layers) return fail_memory(count * sizeof *model->layers);
    model->n_layers = (int)count;
    TRY(read_layers(reader, layers, depth, model->layers + needs_input));
    model->is_input_added = needs_input;
    if (needs_input) TRY(add_input(reader->arena, json, model));
    TRY(sort_names(reader->arena, model));
    TRY(is_functional ? read_functional(reader, json, layers, model) : chain_layers(reader->arena, model));
    return keras_order_calls(reader->arena, model);
}

static Status read_model(Reader *reader, const Json *json, int depth, KerasModel **out) {
    const Json *layers = layers_of(json), *name = json_get(json_get(json, "config"), "name");
    const Json *class_name = json_get(json, "class_name");
    FAIL_IF(depth >= KERAS_DEPTH, ST_BAD, "expected at most %d models inside each other, got more", KERAS_DEPTH);
    FAIL_IF(!layers, ST_UNSUPPORTED,
            "a model of class '%s', whose configuration does not tell its layers (a subclass of Model?); "
            "build the same network with the functional API, or export it to ONNX",
            class_name && class_name->type == JSON_STRING ? class_name->string : "?");
    *out = arena_alloc(reader->arena, sizeof **out);
    if (!*out) return fail_memory(sizeof **out);
    if (!name || name->type != JSON_STRING || !*name->string) name = json_get(json, "name");
    (*out)->name = name && name->type == JSON_STRING && *name->string ? name->string : "model";
    FAIL_IF(strlen((*out)->name) > LIMIT_NAME, ST_BAD, "expected a name of at most %d bytes", LIMIT_NAME);
    return read_parts(reader, json, layers, depth, *out);
}

Status keras_read_model(Arena *arena, const Json *json, KerasModel **out) {
    Reader reader = {.arena = arena};
    FAIL_IF(json->type != JSON_OBJECT, ST_BAD, "expected the configuration of a model, got something else");
    return read_model(&reader, json, 0, out);
}

#include "import/keras/build.h"
#include "import/bind.h"
#include "import/limits.h"
#include <string.h>

// ---- kinds

static const char *text_of(const Json *config, const char *key) {
    const Json *json = json_get(config, key);
    return json && json->type == JSON_STRING ? json->string : NULL;
}

// "Lambda", "tf.math.cumsum", "operation Einsum", "TensorFlowOpLayer AddV2", "TimeDistributed of Conv2D", "activation
// f".
static Status add_missing(KerasImport *import, Missing *missing, const char *what, const char *name) {
    Text text = {0};
    text_add(&text, "%s%s%.100s", what, name && *what && !text_ends(what, ".") ? " " : "", name ? name : "");
    const char *kept = arena_string(import->scratch, text_get(&text));
    text_free(&text);
    if (!kept) return fail_memory(128);
    missing_add(missing, kept);
    return ST_OK;
}

static bool is_lambda(const KerasLayer *layer) {
    return strcmp(layer->class_name, "TFOpLambda") == 0 || strcmp(layer->class_name, "SlicingOpLambda") == 0;
}

static const LayerKind *kind_of(const KerasLayer *layer) {
    const char *function = text_of(layer->config, "function");
    if (is_lambda(layer)) return function ? tensorflow_kind(function) : NULL;
    if (layer->is_custom) return NULL;
    return layer->is_operation ? operation_kind(layer->class_name) : layer_kind(layer->class_name);
}

static Status add_unknown(KerasImport *import, const KerasLayer *layer, Missing *missing) {
    if (is_lambda(layer)) return add_missing(import, missing, "tf.", text_of(layer->config, "function"));
    if (layer->is_operation) return add_missing(import, missing, "operation", layer->class_name);
    if (strcmp(layer->class_name, "TensorFlowOpLayer") == 0) {
        return add_missing(import, missing, layer->class_name, text_of(json_get(layer->config, "node_def"), "op"));
    }
    return add_missing(import, missing, "", layer->class_name);
}

// What a known layer names that is not had: its activation; the layer in a shell.
static Status check_inside(KerasImport *import, const KerasLayer *layer, Missing *missing) {
    const char *name;
    if (layer->kind->import == keras_time_distributed) {
        const char *inner = text_of(json_get(layer->config, "layer"), "class_name");
        if (!time_distributes(inner)) return add_missing(import, missing, "TimeDistributed of", inner);
    }
    if (!layer->kind->has_activation || activation_known(config_get(layer->config, "activation"), &name)) return ST_OK;
    return add_missing(import, missing, "activation", name);
}

static void note_precision(KerasImport *import, const KerasLayer *layer) {
    const Json *dtype = json_get(layer->config, "dtype");
    const char *name = text_of(layer->config, "dtype");
    if (!name) name = text_of(json_get(dtype, "config"), "name");
    if (name && (strstr(name, "float16") || strstr(name, "float64"))) import->notes.mixed_precision++;
}

static Status find_kinds(KerasImport *import, KerasModel *model, Missing *missing) {
    for (int i = 0; i < model->n_layers; i++) {
        KerasLayer *layer = &model->layers[i];
        if (layer->model) TRY(find_kinds(import, layer->model, missing));
        if (layer->model || layer->is_input) continue;
        note_precision(import, layer);
        layer->kind = kind_of(layer);
        TRY(layer->kind ? check_inside(import, layer, missing) : add_unknown(import, layer, missing));
    }
    return ST_OK;
}

Status keras_find_kinds(KerasImport *import, KerasModel *model) {
    Missing missing = {0};
    TRY(find_kinds(import, model, &missing));
    return missing_status(&missing, "layers", "layer",
                          "build the network without them, or export it to ONNX with what they do written out");
}

// ---- inputs

static Status free_dim(Graph *graph, const char *input, int axis, int64_t *dim) {
    return axis == 0 ? graph_symbol(graph, "batch", dim) : import_free_dim(graph, input, axis, dim);
}

// All floats are computed as float32.
static Status input_dtype(const Json *config, DType *out) {
    const Json *dtype = config_get(config, "dtype");
    const char *name = dtype && dtype->type == JSON_STRING ? dtype->string : text_of(json_get(dtype, "config"), "name");
    *out = name && !text_starts(name, "mixed_") ? dtype_from_name(name) : DT_F32;
    FAIL_IF(*out == DT_NONE, ST_UNSUPPORTED, "an input of type '%s'", name);
    if (dtype_is_float(*out)) *out = DT_F32;
    return ST_OK;
}

static Status input_type(Graph *graph, const KerasLayer *input, Type *type) {
    const Json *shape = config_get(input->config, "batch_shape");
    FAIL_IF(!shape, ST_BAD, "expected the shape of the input, got none; call the model once before it is saved");
    FAIL_IF(shape->type != JSON_ARRAY || shape->count < 1 || shape->count > MAX_RANK, ST_BAD,
            "'batch_shape': expected a list of 1 to %d sizes", MAX_RANK);
    *type = (Type){.rank = (int)shape->count};
    TRY(input_dtype(input->config, &type->dtype));
    for (int i = 0; i < type->rank; i++) {
        const Json *size = &shape->items[i];
        if (size->type == JSON_NULL) TRY(free_dim(graph, input->name, i, &type->dim[i]));
        else
            FAIL_IF(!json_integer_of(size, &type->dim[i]) || type->dim[i] < 1 || type->dim[i] > INT32_MAX, ST_BAD,
                    "'batch_shape': expected sizes from 1 on, or null");
    }
    return ST_OK;
}

static Status add_inputs(KerasImport *import, const KerasModel *model, ValueId *inputs) {
    for (int i = 0; i < model->n_inputs; i++) {
        const KerasLayer *input = &model->layers[model->inputs[i].layer];
        Type type;
        const Status status = input_type(import->graph, input, &type);
        if (status != ST_OK) return fail_context(status, "layer '%s' (%s)", input->name, input->class_name);
        FAIL_IF(graph_find(import->graph, input->name) != NO_VALUE, ST_BAD, "expected input '%s' once, got it twice",
                input->name);
        TRY(graph_add_input(import->graph, input->name, &type, &inputs[i]));
    }
    return ST_OK;
}

// ---- calls

// What the calls of a model have made, by the id of the call; for one call of that model.
typedef struct Result {
    ValueId *values;
    int count;
} Result;
typedef struct Frame {
    KerasImport *import;
    KerasModel *model;
    const char *prefix; // "outer/inner/", "" for the model itself
    Result *results;
} Frame;

static Status build_model(KerasImport *import, KerasModel *model, const char *prefix, const ValueId *inputs,
                          int n_inputs, ValueId *outputs);

static Status keep(Frame *frame, const KerasCall *call, const ValueId *values, int count) {
    Result *result = &frame->results[call->id];
    result->values = arena_array(frame->import->scratch, (size_t)count + 1, sizeof(ValueId));
    if (!result->values) return fail_memory((size_t)count * sizeof(ValueId));
    if (count) memcpy(result->values, values, (size_t)count * sizeof(ValueId));
    result->count = count;
    return ST_OK;
}

static Status take(const Frame *frame, const KerasSource *source, ValueId *out) {
    const KerasLayer *layer = &frame->model->layers[source->layer];
    const Result *result = &frame->results[layer->calls[source->node].id];
    FAIL_IF(source->tensor >= result->count, ST_BAD, "expected output %d of layer '%s', which has %d", source->tensor,
            layer->name, result->count);
    *out = result->values[source->tensor];
    return ST_OK;
}

static Status path_of(const Frame *frame, const char *name, const char *end, const char **out) {
    Text path = {0};
    text_add(&path, "%s%s%s", frame->prefix, name, end);
    *out = arena_string(frame->import->scratch, text_get(&path));
    text_free(&path);
    return *out ? ST_OK : fail_memory(strlen(name));
}

static int first_inputs(const KerasCall *call) { return call->n_args ? call->args[0].n_tensors : 0; }

static Status build_nested(Frame *frame, KerasLayer *layer, const KerasCall *call, const ValueId *inputs) {
    const char *prefix;
    ValueId *outputs = arena_array(frame->import->scratch, (size_t)layer->model->n_outputs, sizeof *outputs);
    if (!outputs) return fail_memory((size_t)layer->model->n_outputs * sizeof *outputs);
    TRY(path_of(frame, layer->name, "/", &prefix));
    TRY(build_model(frame->import, layer->model, prefix, inputs, first_inputs(call), outputs));
    return keep(frame, call, outputs, layer->model->n_outputs);
}

static Status build_layer(Frame *frame, KerasLayer *layer, const KerasCall *call, const ValueId *inputs) {
    const char *path;
    TRY(path_of(frame, layer->name, "", &path));
    LayerCall made = {.import = frame->import,
                      .layer = layer,
                      .kind = layer->kind,
                      .config = layer->config,
                      .call = call,
                      .emit = {.graph = frame->import->graph, .layer = path},
                      .inputs = inputs,
                      .n_inputs = first_inputs(call),
                      .x = call->n_sources ? inputs[0] : NO_VALUE,
                      .n_out = 1};
    const Status status = layer->kind->import(&made);
    if (status != ST_OK) return fail_context(status, "layer '%s' (%s)", path, layer->class_name);
    return keep(frame, call, made.out, made.n_out);
}

static Status build_call(Frame *frame, const KerasStep *step) {
    KerasLayer *layer = &frame->model->layers[step->layer];
    const KerasCall *call = &layer->calls[step->call];
    FAIL_IF(++frame->import->made > LIMIT_NODES, ST_BAD, "expected at most %d calls of layers, got more", LIMIT_NODES);
    if (layer->is_input) return ST_OK; // it is there, or not taken by anybody
    ValueId *inputs = arena_array(frame->import->scratch, (size_t)call->n_sources + 1, sizeof *inputs);
    if (!inputs) return fail_memory((size_t)call->n_sources * sizeof *inputs);
    for (int i = 0; i < call->n_sources; i++) {
        const Status status = take(frame, &call->sources[i], &inputs[i]);
        if (status != ST_OK) return fail_context(status, "layer '%s%s'", frame->prefix, layer->name);
    }
    return layer->model ? build_nested(frame, layer, call, inputs) : build_layer(frame, layer, call, inputs);
}

static Status build_model(KerasImport *import, KerasModel *model, const char *prefix, const ValueId *inputs,
                          int n_inputs, ValueId *outputs) {
    Frame frame = {.import = import, .model = model, .prefix = prefix};
    frame.results = arena_array(import->scratch, (size_t)model->n_calls + 1, sizeof(Result));
    if (!frame.results) return fail_memory((size_t)model->n_calls * sizeof(Result));
    FAIL_IF(n_inputs != model->n_inputs, ST_BAD, "model '%s%s': expected %d inputs, got %d", prefix, model->name,
            model->n_inputs, n_inputs);
    for (int i = 0; i < n_inputs; i++) {
        const KerasLayer *layer = &model->layers[model->inputs[i].layer];
        FAIL_IF(!layer->is_input, ST_BAD, "model '%s': expected an InputLayer as an input, got layer '%s' (%s)",
                model->name, layer->name, layer->class_name);
        TRY(keep(&frame, &layer->calls[0], &inputs[i], 1));
    }
    for (int i = 0; i < model->n_calls; i++) TRY(build_call(&frame, &model->steps[i]));
    for (int i = 0; i < model->n_outputs; i++) TRY(take(&frame, &model->outputs[i], &outputs[i]));
    return ST_OK;
}

Status keras_build(KerasImport *import, KerasModel *model) {
    Emit emit = {.graph = import->graph, .layer = ""};
    ValueId *inputs = arena_array(import->scratch, (size_t)model->n_inputs, sizeof *inputs);
    ValueId *outputs = arena_array(import->scratch, (size_t)model->n_outputs, sizeof *outputs);
    if (!inputs || !outputs) return fail_memory((size_t)model->n_inputs * sizeof *inputs);
    TRY(add_inputs(import, model, inputs));
    TRY(import_bind(import->graph, import->options));
    TRY(build_model(import, model, "", inputs, model->n_inputs, outputs));
    for (int i = 0; i < model->n_outputs; i++) {
        TRY(emit_output(&emit, model->layers[model->outputs[i].layer].name, outputs[i]));
    }
    return emit_end(import->graph);
}

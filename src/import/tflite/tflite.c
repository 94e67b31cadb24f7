// Tensors become values in the order in which the operators run: inputs first, weights when somebody reads them. What
// the file says of types between operators is used for dtypes and scales only: shapes are inferred anew, for the sizes
// that the user gives.
#include "import/tflite/tflite.h"
#include "import/bind.h"
#include "import/limits.h"
#include "import/missing.h"
#include "import/tflite/convert.h"
#include <string.h>

// ---- inputs

static Status input_type(Graph *graph, const TfliteTensor *tensor, const char *name, Type *type) {
    *type = (Type){.rank = tensor->has_shape ? (int)tensor->rank : -1};
    FAIL_IF(tensor->rank > MAX_RANK, ST_UNSUPPORTED, "a tensor of %u dims; at most %d are had", tensor->rank, MAX_RANK);
    TRY(tflite_dtype(tensor->type, &type->dtype));
    for (int i = 0; i < type->rank; i++) {
        type->dim[i] = tensor->dim[i];
        if (tensor->dim[i] < 0) TRY(import_free_dim(graph, name, i, &type->dim[i]));
    }
    return ST_OK;
}

// Of the signature, else the tensor's own.
static const char *end_name(const TfliteModel *model, const char *const *names, const int32_t *tensors, int i) {
    return names[i] && *names[i] ? names[i] : model->tensors[tensors[i]].name;
}

static Status add_input(Builder *builder, int i) {
    const TfliteModel *model = builder->model;
    const int index = model->inputs[i];
    const char *name = end_name(model, model->input_names, model->inputs, i);
    Type type;
    FAIL_IF(builder->made[index], ST_BAD, "expected tensor %d '%s' once among the inputs, got it twice", index, name);
    if (!*name) name = "input";
    const Status status = input_type(builder->graph, &model->tensors[index], name, &type);
    if (status != ST_OK) return fail_context(status, "input '%s'", name);
    builder->made[index] = true;
    return graph_add_input(builder->graph, name, &type, &builder->values[index]);
}

// Inputs have the model's own numbers outside and float32 inside.
static Status enter(Builder *builder, int i) {
    const int index = builder->model->inputs[i];
    const TfliteTensor *tensor = &builder->model->tensors[index];
    ValueId *value = &builder->values[index];
    if (!tfl_is_quantised(tensor)) return ST_OK;
    Emit emit = {.graph = builder->graph, .layer = tfl_short_name(builder, builder->graph->values[*value].name)};
    const Status status = tfl_from_quantised(&emit, tensor, *value, value);
    return status == ST_OK ? ST_OK : fail_context(status, "input %d", i);
}

// ---- outputs

// Their names are taken before those in between are.
static Status reserve_outputs(Builder *builder, ValueId *outputs) {
    const TfliteModel *model = builder->model;
    for (int i = 0; i < model->n_outputs; i++) {
        const char *name = end_name(model, model->output_names, model->outputs, i);
        TRY(graph_add_value(builder->graph, *name ? name : "output", NULL, &outputs[i]));
    }
    return ST_OK;
}

static Status leave(Builder *builder, int i, ValueId output) {
    const int index = builder->model->outputs[i];
    const TfliteTensor *tensor = &builder->model->tensors[index];
    const char *name = builder->graph->values[output].name; // lives as long as the graph
    Emit emit = {.graph = builder->graph, .layer = tfl_short_name(builder, name)};
    ValueId value = builder->values[index];
    Node *node;
    if (value == NO_VALUE && tensor->data) TRY(tfl_weight_value(builder, index, &value));
    FAIL_IF(value == NO_VALUE, ST_BAD, "output %d: expected tensor %d '%s' to be made, which nothing in the model does",
            i, index, tensor->name);
    if (tfl_is_quantised(tensor)) TRY(tfl_to_quantised(&emit, tensor, value, &value));
    TRY(graph_add_node(builder->graph, OP_Identity, emit.layer, &value, 1, &output, 1, -1, &node));
    TRY(graph_infer_node(builder->graph, node));
    return graph_add_output(builder->graph, output);
}

// ---- operators

static Status check_operators(const TfliteModel *model) {
    Missing missing = {0};
    for (int i = 0; i < model->n_operators; i++) {
        const TfliteOperator *operator= & model->operators[i];
        if (!tfl_find_converter(operator)) missing_add(&missing, tfl_operator_name(operator));
    }
    return missing_status(&missing, "operators", "time", "export the model without them");
}

static Status check_call(const Call *call) {
    const TfliteOperator *operator= call->operator;
    const Converter *row = call->row;
    const int type = operator->options_type;
    FAIL_IF(operator->n_inputs<row->inputs, ST_BAD, "expected %d inputs, got %d", row->inputs, operator->n_inputs);
    FAIL_IF(operator->n_outputs<1 ||(row->outputs > 0 && operator->n_outputs != row->outputs), ST_BAD,
            "expected %d outputs, got %d", MAX(row->outputs, 1), operator->n_outputs);
    FAIL_IF(row->options && type && type != row->options, ST_BAD, "expected options of type %d, got type %d",
            row->options, type);
    return ST_OK;
}

static Status convert(Builder *builder, const TfliteOperator *operator) {
    const TfliteModel *model = builder->model;
    Call call = {.builder = builder, .operator= operator, .row = tfl_find_converter(operator)};
    const char *name = operator->n_outputs> 0                  ? model->tensors[operator->outputs[0]].name : "";
    call.options = call.row->options && operator->options_type ? operator->options
        : (FbTable){.buffer = operator->options.buffer };
    call.emit = (Emit){.graph = builder->graph, .layer = tfl_short_name(builder, name)};
    Status status = check_call(&call);
    if (status == ST_OK) status = call.row->convert(&call);
    if (status == ST_OK) status = model->file.status; // options
    return status == ST_OK ? ST_OK : fail_context(status, "%s '%s'", tfl_operator_name(operator), name);
}

// ---- the whole

static Status prepare(Builder *builder) {
    const TfliteModel *model = builder->model;
    const size_t count = (size_t)MAX(model->n_tensors, 1);
    builder->values = arena_array(builder->scratch, count, sizeof *builder->values);
    builder->filters = arena_array(builder->scratch, count, sizeof *builder->filters);
    builder->orders = arena_array(builder->scratch, count, sizeof *builder->orders);
    builder->readers = arena_array(builder->scratch, count, sizeof *builder->readers);
    builder->reader = arena_array(builder->scratch, count, sizeof *builder->reader);
    builder->spread = arena_array(builder->scratch, count, sizeof *builder->spread);
    builder->made = arena_array(builder->scratch, count, sizeof *builder->made);
    builder->joined = arena_array(builder->scratch, count, sizeof *builder->joined);
    if (!builder->values || !builder->filters || !builder->orders || !builder->readers || !builder->reader ||
        !builder->spread || !builder->made || !builder->joined) {
        return fail_memory(count * sizeof *builder->values);
    }
    for (int i = 0; i < model->n_tensors; i++) {
        builder->values[i] = NO_VALUE;
        builder->reader[i] = -1;
    }
    return ST_OK;
}

static void count_readers(Builder *builder) {
    const TfliteModel *model = builder->model;
    for (int i = 0; i < model->n_operators; i++) {
        const TfliteOperator *operator= & model->operators[i];
        for (int k = 0; k < operator->n_inputs; k++) {
            if (operator->inputs[k]<0) continue;
            builder->readers[operator->inputs[k]]++;
            builder->reader[operator->inputs[k]] = i;
        }
    }
    for (int i = 0; i < model->n_outputs; i++) builder->readers[model->outputs[i]]++;
}

static Status note_quantisation(Builder *builder) {
    const TfliteModel *model = builder->model;
    Text *notes = &builder->imported->notes;
    bool activations = false;
    for (int i = 0; i < model->n_tensors; i++) activations |= tfl_is_quantised(&model->tensors[i]) && builder->made[i];
    if (builder->dequantised == 0 && !activations) return ST_OK;
    text_add(
        notes,
        "%squantised model: %d weight tensor%s de-quantised to float32; activations are not rounded as TFLite does",
        notes->length ? "; " : "", builder->dequantised, builder->dequantised == 1 ? " was" : "s were");
    return text_status(notes);
}

static Status build(Builder *builder) {
    const TfliteModel *model = builder->model;
    ValueId *outputs = arena_array(builder->scratch, (size_t)model->n_outputs, sizeof *outputs);
    if (!outputs) return fail_memory((size_t)model->n_outputs * sizeof *outputs);
    TRY(prepare(builder));
    count_readers(builder);
    TRY(check_operators(model));
    for (int i = 0; i < model->n_inputs; i++) TRY(add_input(builder, i));
    TRY(import_bind(builder->graph, builder->options));
    TRY(reserve_outputs(builder, outputs));
    for (int i = 0; i < model->n_inputs; i++) TRY(enter(builder, i));
    for (int i = 0; i < model->n_operators; i++) TRY(convert(builder, &model->operators[i]));
    for (int i = 0; i < model->n_outputs; i++) TRY(leave(builder, i, outputs[i]));
    TRY(note_quantisation(builder));
    return emit_end(builder->graph);
}

static Status import_in(const ImportOptions *options, Arena *scratch, Imported *out) {
    TfliteModel model;
    TRY(tflite_read_model(out->mappings[0].data, out->mappings[0].size, options->signature, scratch, &model));
    TRY(graph_create(&out->graph));
    out->format = "TensorFlow Lite";
    out->graph->name = arena_string(&out->graph->arena, model.name);
    if (!out->graph->name) return fail_memory(strlen(model.name));
    Builder builder = {.model = &model, .options = options, .imported = out, .scratch = scratch, .graph = out->graph};
    return build(&builder);
}

Status tflite_import(const char *path, const ImportOptions *options, Imported *out) {
    (void)path;
    Arena scratch = {.limit = (size_t)LIMIT_DESCRIPTION_BYTES};
    const Status status = import_in(options, &scratch, out);
    arena_free(&scratch);
    return status;
}

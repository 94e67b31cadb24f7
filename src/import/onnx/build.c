// Names become values first (inputs, weights, node outputs), then the nodes are converted one after the other, with
// types inferred on the way, so that a converter can look at them. What the file itself says of types between nodes is
// not used: tools that change a model leave it out of date.
#include "import/onnx/build.h"
#include "base/text.h"
#include "graph/table.h"
#include "import/limits.h"
#include "import/onnx/convert.h"
#include "import/onnx/inputs.h"
#include <string.h>

typedef struct Builder {
    const OnnxModel *model;
    OnnxData *data;
    Graph *graph;
    bool *used;  // by ValueId, of the values that the model names
    Text faults; // "...; ..."
    int n_faults;
    Status fault; // of all of them together: ST_BAD when one is
} Builder;

// ---- faults

// Keeps the recorded message for later, unless there is no point in going on.
static Status note_fault(Builder *builder, Status status) {
    if (status != ST_BAD && status != ST_UNSUPPORTED) return status;
    const char *separator = builder->n_faults > 0 ? "; " : "";
    if (builder->n_faults < LIMIT_FAULTS) text_add(&builder->faults, "%s%s", separator, error_message());
    builder->n_faults++;
    if (builder->fault != ST_BAD) builder->fault = status;
    return ST_OK;
}

static Status end_faults(Builder *builder) {
    if (builder->n_faults == 0) return ST_OK;
    const int more = builder->n_faults - LIMIT_FAULTS;
    if (more > 0) text_add(&builder->faults, "; and %d more", more);
    return fail(builder->fault, "%s", text_get(&builder->faults));
}

static Status in_node(Status status, const OnnxNode *node) {
    if (status == ST_OK) return ST_OK;
    if (*node->name) return fail_context(status, "%s '%s'", node->op, node->name);
    return fail_context(status, "value '%s': %s", node->n_outputs > 0 ? node->outputs[0] : "", node->op);
}

// ---- operators

enum { MAX_MISSING = 32 }; // different operators that are told by name

typedef struct Missing {
    const char *domain, *op;
    int nodes;
} Missing;

static bool is_supported(const OnnxNode *node) { return !*node->domain && find_converter(node->op); }

static void count_missing(const OnnxNode *node, Missing *missing, int *n_missing, int *others) {
    for (int i = 0; i < *n_missing; i++) {
        if (strcmp(missing[i].op, node->op) == 0 && strcmp(missing[i].domain, node->domain) == 0) {
            missing[i].nodes++;
            return;
        }
    }
    if (*n_missing == MAX_MISSING) ++*others;
    else missing[(*n_missing)++] = (Missing){.domain = node->domain, .op = node->op, .nodes = 1};
}

// Functions of the model's own have "DOMAIN.NAME" in the list.
static bool is_function(const OnnxModel *model, const Missing *missing) {
    const size_t length = strlen(missing->domain);
    for (int i = 0; i < model->n_functions; i++) {
        const char *name = model->functions[i];
        if (strncmp(name, missing->domain, length) == 0 && name[length] == '.' &&
            strcmp(name + length + 1, missing->op) == 0) {
            return true;
        }
    }
    return false;
}

// All operators that are not had, in one line.
static Status check_operators(const OnnxModel *model) {
    Missing missing[MAX_MISSING];
    int n_missing = 0, others = 0;
    for (int i = 0; i < model->n_nodes; i++) {
        if (!is_supported(&model->nodes[i])) count_missing(&model->nodes[i], missing, &n_missing, &others);
    }
    if (n_missing == 0) return ST_OK;
    Text text = {0};
    for (int i = 0; i < n_missing; i++) {
        const Missing *one = &missing[i];
        text_add(&text, "%s%s%s%s (%s%d node%s)", i ? ", " : "", one->domain, *one->domain ? "." : "", one->op,
                 is_function(model, one) ? "a function of the model, " : "", one->nodes, one->nodes == 1 ? "" : "s");
    }
    if (others > 0) text_add(&text, " and others (%d nodes)", others);
    const Status status =
        fail(ST_UNSUPPORTED, "operators that are not supported: %s; export the model without them", text_get(&text));
    text_free(&text);
    return status;
}

// ---- values

static Status declare(Builder *builder, const char *name, const char *what) {
    ValueId value;
    FAIL_IF(graph_find(builder->graph, name) != NO_VALUE, ST_BAD,
            "%s '%s': expected a name of its own, got one that is taken", what, name);
    return graph_add_value(builder->graph, name, NULL, &value);
}

static Status declare_values(Builder *builder) {
    const OnnxModel *model = builder->model;
    size_t count = (size_t)model->n_initializers;
    for (int i = 0; i < model->n_initializers; i++) {
        if (*model->initializers[i].name) TRY(declare(builder, model->initializers[i].name, "weight"));
    }
    for (int i = 0; i < model->n_nodes; i++) {
        const OnnxNode *node = &model->nodes[i];
        count += (size_t)node->n_outputs;
        FAIL_IF(count > LIMIT_VALUES, ST_BAD, "expected at most %d values, got more", LIMIT_VALUES);
        for (int k = 0; k < node->n_outputs; k++) {
            if (*node->outputs[k]) TRY(in_node(declare(builder, node->outputs[k], "output"), node));
        }
    }
    return ST_OK;
}

static Status mark_used(Builder *builder, const char *name) {
    const ValueId value = graph_find(builder->graph, name);
    FAIL_IF(value == NO_VALUE, ST_BAD, "expected a value '%s', which nothing in the model makes", name);
    builder->used[value] = true;
    return ST_OK;
}

static Status mark_all_used(Builder *builder) {
    const OnnxModel *model = builder->model;
    builder->used = arena_array(builder->data->scratch, (size_t)builder->graph->n_values + 1, sizeof *builder->used);
    if (!builder->used) return fail_memory((size_t)builder->graph->n_values);
    for (int i = 0; i < model->n_nodes; i++) {
        const OnnxNode *node = &model->nodes[i];
        for (int k = 0; k < node->n_inputs; k++) {
            if (!*node->inputs[k]) continue;
            TRY(note_fault(builder, in_node(mark_used(builder, node->inputs[k]), node)));
        }
    }
    for (int i = 0; i < model->n_outputs; i++) {
        Status status = mark_used(builder, model->outputs[i]);
        if (status != ST_OK) status = fail_context(status, "output %d", i + 1);
        TRY(note_fault(builder, status));
    }
    return end_faults(builder);
}

static Status load_weight(Builder *builder, const OnnxTensor *weight) {
    Tensor tensor;
    const Status status = onnx_tensor(weight->message, builder->data, &tensor);
    if (status != ST_OK) return fail_context(status, "weight '%s'", weight->name);
    return graph_set_constant(builder->graph, graph_find(builder->graph, weight->name), &tensor);
}

static Status load_weights(Builder *builder) {
    for (int i = 0; i < builder->model->n_initializers; i++) {
        const OnnxTensor *weight = &builder->model->initializers[i];
        if (!*weight->name || !builder->used[graph_find(builder->graph, weight->name)]) continue;
        TRY(note_fault(builder, load_weight(builder, weight)));
    }
    return end_faults(builder);
}

// ---- nodes

static Status resolve(const Graph *graph, Arena *scratch, const char **names, int count, int extra, ValueId **out) {
    const size_t room = (size_t)(count + extra);
    *out = arena_array(scratch, room, sizeof **out);
    if (!*out) return fail_memory(room * sizeof **out);
    for (int i = 0; i < count; i++) (*out)[i] = *names[i] ? graph_find(graph, names[i]) : NO_VALUE;
    return ST_OK;
}

static Status convert_node(Builder *builder, const OnnxNode *node) {
    const Converter *converter = find_converter(node->op);
    Call call = {.node = node,
                 .op = converter->op,
                 .opset = builder->model->opset,
                 .graph = builder->graph,
                 .data = builder->data,
                 .used = builder->used,
                 .n_inputs = node->n_inputs,
                 .n_outputs = node->n_outputs,
                 .ignored = converter->ignored};
    Arena *scratch = builder->data->scratch;
    while (call.n_inputs > 0 && !*node->inputs[call.n_inputs - 1]) call.n_inputs--;
    TRY(resolve(call.graph, scratch, node->inputs, call.n_inputs, CALL_EXTRA_INPUTS, &call.inputs));
    TRY(resolve(call.graph, scratch, node->outputs, call.n_outputs, CALL_EXTRA_INPUTS, &call.outputs));
    return converter->convert(&call);
}

static Status infer_from(Graph *graph, int first) {
    for (int i = first; i < graph->n_nodes; i++) TRY(graph_infer_node(graph, graph->nodes[i]));
    return ST_OK;
}

// Constants first: a model may list its nodes in any order, and other converters want to see them.
static Status convert_nodes(Builder *builder, bool constants) {
    for (int i = 0; i < builder->model->n_nodes; i++) {
        const OnnxNode *node = &builder->model->nodes[i];
        const int first = builder->graph->n_nodes;
        if ((strcmp(node->op, "Constant") == 0) != constants) continue;
        Status status = in_node(convert_node(builder, node), node);
        if (status == ST_OK) status = infer_from(builder->graph, first);
        TRY(note_fault(builder, status));
    }
    return end_faults(builder);
}

static Status add_outputs(Builder *builder) {
    const OnnxModel *model = builder->model;
    FAIL_IF(model->n_outputs == 0, ST_BAD, "expected outputs of the model, got none; the file is damaged");
    bool *taken = arena_array(builder->data->scratch, (size_t)builder->graph->n_values, sizeof *taken);
    if (!taken) return fail_memory((size_t)builder->graph->n_values);
    for (int i = 0; i < model->n_outputs; i++) {
        const ValueId value = graph_find(builder->graph, model->outputs[i]);
        FAIL_IF(taken[value], ST_BAD, "expected output '%s' once, got it twice", model->outputs[i]);
        taken[value] = true;
        TRY(graph_add_output(builder->graph, value));
    }
    return ST_OK;
}

static Status build(Builder *builder, const ImportOptions *options) {
    Graph *graph = builder->graph;
    TRY(check_operators(builder->model));
    TRY(onnx_add_inputs(builder->model, options, graph));
    TRY(declare_values(builder));
    TRY(mark_all_used(builder));
    TRY(load_weights(builder));
    TRY(convert_nodes(builder, true));
    TRY(convert_nodes(builder, false));
    TRY(add_outputs(builder));
    TRY(graph_compact(graph));
    TRY(graph_infer(graph));
    return graph_verify(graph);
}

Status onnx_build(const OnnxModel *model, const ImportOptions *options, OnnxData *data) {
    Graph *graph = data->imported->graph;
    Builder builder = {.model = model, .data = data, .graph = graph};
    graph->name = arena_string(&graph->arena, model->name);
    if (!graph->name) return fail_memory(strlen(model->name));
    const Status status = build(&builder, options);
    text_free(&builder.faults);
    return status;
}

// Names become values first (inputs, weights, node outputs), then the nodes are converted one after the other, with
// types inferred on the way, so that a converter can look at them. What the file itself says of types between nodes is
// not used: tools that change a model leave it out of date.
#include "import/onnx/build.h"
#include "import/limits.h"
#include "import/onnx/builder.h"
#include "import/onnx/convert.h"
#include "import/onnx/inputs.h"
#include <string.h>

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

Status builder_operators(const OnnxModel *model, const OnnxGraph *graph) {
    Missing missing[MAX_MISSING];
    int n_missing = 0, others = 0;
    for (int i = 0; i < graph->n_nodes; i++) {
        if (!is_supported(&graph->nodes[i])) count_missing(&graph->nodes[i], missing, &n_missing, &others);
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

static Status count_names(Builder *builder, const OnnxGraph *graph) {
    builder->n_names += graph->n_initializers + graph->n_inputs;
    for (int i = 0; i < graph->n_nodes; i++) builder->n_names += graph->nodes[i].n_outputs;
    FAIL_IF(builder->n_names > LIMIT_VALUES, ST_BAD, "expected at most %d values, got more", LIMIT_VALUES);
    return ST_OK;
}

static Status declare_values(Builder *builder) {
    const OnnxGraph *graph = &builder->model->graph;
    TRY(count_names(builder, graph));
    for (int i = 0; i < graph->n_initializers; i++) {
        if (*graph->initializers[i].name) TRY(declare(builder, graph->initializers[i].name, "weight"));
    }
    for (int i = 0; i < graph->n_nodes; i++) {
        const OnnxNode *node = &graph->nodes[i];
        for (int k = 0; k < node->n_outputs; k++) {
            if (*node->outputs[k]) TRY(in_node(declare(builder, node->outputs[k], "output"), node));
        }
    }
    builder->n_declared = builder->graph->n_values;
    return ST_OK;
}

// What a model's own graph names is found by the graph; values that came later have names of no meaning to the model.
ValueId builder_find(const Builder *builder, const Scope *scope, const char *name) {
    for (; scope; scope = scope->outer) {
        const int at = names_find(scope->graph->names, name);
        if (at >= 0) return scope->values[at];
    }
    const ValueId value = graph_find(builder->graph, name);
    return value < builder->n_declared ? value : NO_VALUE;
}

Status builder_mark(Builder *builder, ValueId value, bool used) {
    if (value >= builder->used_capacity) {
        const int larger = MAX(2 * builder->used_capacity, value + 1);
        bool *fresh = arena_array(builder->data->scratch, (size_t)larger, sizeof *fresh);
        if (!fresh) return fail_memory((size_t)larger);
        // (The old one stays: converters that put in a graph have it in their hands.)
        if (builder->used) memcpy(fresh, builder->used, (size_t)builder->used_capacity);
        builder->used = fresh;
        builder->used_capacity = larger;
    }
    builder->used[value] = used;
    return ST_OK;
}

// scope: the names only, no values.
static Status mark_used(Builder *builder, const Scope *scope, const char *name) {
    for (; scope; scope = scope->outer) {
        const int at = names_find(scope->graph->names, name);
        if (at < 0) continue;
        scope->graph->names->at[at].used = true;
        return ST_OK;
    }
    const ValueId value = graph_find(builder->graph, name);
    FAIL_IF(value == NO_VALUE, ST_BAD, "expected a value '%s', which nothing in the model makes", name);
    return builder_mark(builder, value, true);
}

static Status mark_graph(Builder *builder, const OnnxGraph *graph, const Scope *scope);

static Status mark_subgraph(Builder *builder, OnnxGraph *graph, const Scope *outer) {
    const Scope scope = {.outer = outer, .graph = graph};
    TRY(count_names(builder, graph));
    TRY(names_make(graph, builder->data->scratch));
    return mark_graph(builder, graph, &scope);
}

// What the nodes of a graph and of those inside of it read.
static Status mark_graph(Builder *builder, const OnnxGraph *graph, const Scope *scope) {
    for (int i = 0; i < graph->n_nodes; i++) {
        const OnnxNode *node = &graph->nodes[i];
        for (int k = 0; k < node->n_inputs; k++) {
            if (!*node->inputs[k]) continue;
            TRY(note_fault(builder, in_node(mark_used(builder, scope, node->inputs[k]), node)));
        }
        for (int k = 0; k < node->n_attrs; k++) {
            if (node->attrs[k].graph)
                TRY(note_fault(builder, in_node(mark_subgraph(builder, node->attrs[k].graph, scope), node)));
        }
    }
    for (int i = 0; i < graph->n_outputs; i++) {
        Status status = mark_used(builder, scope, graph->outputs[i]);
        if (status != ST_OK) status = fail_context(status, "output %d", i + 1);
        TRY(note_fault(builder, status));
    }
    return ST_OK;
}

static Status mark_all_used(Builder *builder) {
    TRY(builder_mark(builder, builder->graph->n_values, false));
    TRY(mark_graph(builder, &builder->model->graph, NULL));
    return end_faults(builder);
}

static Status load_weight(Builder *builder, const OnnxTensor *weight) {
    Tensor tensor;
    const Status status = onnx_tensor(weight->message, builder->data, &tensor);
    if (status != ST_OK) return fail_context(status, "weight '%s'", weight->name);
    return graph_set_constant(builder->graph, graph_find(builder->graph, weight->name), &tensor);
}

static Status load_weights(Builder *builder) {
    for (int i = 0; i < builder->model->graph.n_initializers; i++) {
        const OnnxTensor *weight = &builder->model->graph.initializers[i];
        if (!*weight->name || !builder->used[graph_find(builder->graph, weight->name)]) continue;
        TRY(note_fault(builder, load_weight(builder, weight)));
    }
    return end_faults(builder);
}

// ---- nodes

static Status resolve(const Builder *builder, const Scope *scope, const char **names, int count, ValueId **out) {
    const size_t room = (size_t)(count + CALL_EXTRA_INPUTS);
    *out = arena_array(builder->data->scratch, room, sizeof **out);
    if (!*out) return fail_memory(room * sizeof **out);
    for (int i = 0; i < count; i++) (*out)[i] = *names[i] ? builder_find(builder, scope, names[i]) : NO_VALUE;
    return ST_OK;
}

static Status convert_node(Builder *builder, const OnnxNode *node, const Scope *scope) {
    const Converter *converter = find_converter(node->op);
    Call call = {.node = node,
                 .op = converter->op,
                 .opset = builder->model->opset,
                 .graph = builder->graph,
                 .data = builder->data,
                 .used = builder->used,
                 .n_inputs = node->n_inputs,
                 .n_outputs = node->n_outputs,
                 .ignored = converter->ignored,
                 .builder = builder,
                 .scope = scope};
    while (call.n_inputs > 0 && !*node->inputs[call.n_inputs - 1]) call.n_inputs--;
    TRY(resolve(builder, scope, node->inputs, call.n_inputs, &call.inputs));
    TRY(resolve(builder, scope, node->outputs, call.n_outputs, &call.outputs));
    return converter->convert(&call);
}

static Status infer_from(Graph *graph, int first) {
    for (int i = first; i < graph->n_nodes; i++) TRY(graph_infer_node(graph, graph->nodes[i]));
    return ST_OK;
}

// Constants first: a model may list its nodes in any order, and other converters want to see them.
Status builder_nodes(Builder *builder, const OnnxGraph *graph, const Scope *scope, bool constants) {
    for (int i = 0; i < graph->n_nodes; i++) {
        const OnnxNode *node = &graph->nodes[i];
        const int first = builder->graph->n_nodes;
        if ((strcmp(node->op, "Constant") == 0) != constants) continue;
        Status status = in_node(convert_node(builder, node, scope), node);
        if (status == ST_OK) status = infer_from(builder->graph, first);
        TRY(scope ? status : note_fault(builder, status));
    }
    return scope ? ST_OK : end_faults(builder);
}

static Status add_outputs(Builder *builder) {
    const OnnxGraph *model = &builder->model->graph;
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

static Status build(Builder *builder) {
    Graph *graph = builder->graph;
    const OnnxGraph *own = &builder->model->graph;
    TRY(builder_operators(builder->model, own));
    TRY(onnx_add_inputs(builder->model, builder->options, graph));
    TRY(declare_values(builder));
    TRY(mark_all_used(builder));
    TRY(load_weights(builder));
    TRY(builder_nodes(builder, own, NULL, true));
    TRY(builder_nodes(builder, own, NULL, false));
    TRY(add_outputs(builder));
    TRY(graph_compact(graph));
    TRY(graph_infer(graph));
    return graph_verify(graph);
}

Status onnx_build(const OnnxModel *model, const ImportOptions *options, OnnxData *data) {
    Graph *graph = data->imported->graph;
    Builder builder = {.model = model,
                       .options = options,
                       .data = data,
                       .graph = graph,
                       .known = {.resolve = options->resolve, .arena = data->scratch}};
    graph->name = arena_string(&graph->arena, model->graph.name);
    if (!graph->name) return fail_memory(strlen(model->graph.name));
    const Status status = build(&builder);
    text_free(&builder.faults);
    return status;
}

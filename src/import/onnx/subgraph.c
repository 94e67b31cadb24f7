#include "import/onnx/subgraph.h"
#include "import/limits.h"
#include "import/onnx/builder.h"
#include <string.h>

Status call_subgraph(const Call *call, const char *name, const OnnxGraph **out) {
    const OnnxAttr *attr;
    TRY(call_attr(call, name, ONNX_ATTR_GRAPH, &attr));
    FAIL_IF(!attr, ST_BAD, "attribute '%s' is missing", name);
    *out = attr->graph;
    return ST_OK;
}

// A value of its own for name i.
static Status declare(Builder *builder, Names *names, int i, ValueId *out) {
    TRY(graph_add_value(builder->graph, names->at[i].name, NULL, out));
    return builder_mark(builder, *out, names->at[i].used);
}

static Status load_weight(Builder *builder, Names *names, const OnnxTensor *weight) {
    Tensor tensor;
    if (!*weight->name) return ST_OK;
    Name *name = &names->at[names_find(names, weight->name)];
    if (!name->used) return ST_OK;
    const Status status = onnx_tensor(weight->message, builder->data, &tensor);
    if (status != ST_OK) return fail_context(status, "weight '%s'", weight->name);
    return graph_add_constant(builder->graph, weight->name, &tensor, &name->constant);
}

// What does not change from one time to the next: weights and Constant nodes.
static Status load_constants(Builder *builder, const Scope *scope) {
    Names *names = scope->graph->names;
    if (names->loaded) return ST_OK;
    TRY(builder_operators(builder->model, scope->graph));
    for (int i = 0; i < scope->graph->n_initializers; i++)
        TRY(load_weight(builder, names, &scope->graph->initializers[i]));
    for (int i = 0; i < scope->graph->n_nodes; i++) {
        const OnnxNode *node = &scope->graph->nodes[i];
        if (strcmp(node->op, "Constant") != 0 || node->n_outputs != 1 || !*node->outputs[0]) continue;
        const int at = names_find(names, node->outputs[0]);
        TRY(declare(builder, names, at, &names->at[at].constant));
        scope->values[at] = names->at[at].constant;
    }
    names->loaded = true;
    return builder_nodes(builder, scope->graph, scope, true);
}

static Status fill_scope(Builder *builder, const Scope *scope, const ValueId *inputs) {
    const OnnxGraph *graph = scope->graph;
    Names *names = graph->names;
    for (int i = 0; i < names->count; i++) scope->values[i] = names->at[i].constant;
    for (int i = 0; i < graph->n_inputs; i++)
        if (*graph->inputs[i].name) scope->values[names_find(names, graph->inputs[i].name)] = inputs[i];
    for (int i = 0; i < graph->n_nodes; i++)
        for (int k = 0; k < graph->nodes[i].n_outputs; k++) {
            if (!*graph->nodes[i].outputs[k]) continue;
            const int at = names_find(names, graph->nodes[i].outputs[k]);
            if (scope->values[at] < 0) TRY(declare(builder, names, at, &scope->values[at]));
        }
    return ST_OK;
}

Status call_put_in(Call *call, const OnnxGraph *subgraph, const ValueId *inputs, int n_inputs, ValueId *outputs) {
    Builder *builder = call->builder;
    const Names *names = subgraph->names;
    const Scope scope = {.outer = call->scope,
                         .graph = subgraph,
                         .values = arena_array(builder->data->scratch, (size_t)names->count + 1, sizeof(ValueId))};
    if (!scope.values) return fail_memory((size_t)names->count * sizeof(ValueId));
    FAIL_IF(n_inputs != subgraph->n_inputs, ST_BAD, "graph '%s': expected %d inputs, got %d", subgraph->name, n_inputs,
            subgraph->n_inputs);
    builder->values_put_in += (int64_t)names->count + subgraph->n_nodes + 1;
    FAIL_IF(builder->values_put_in > LIMIT_VALUES, ST_BAD,
            "expected at most %d nodes and values of graphs inside of nodes, got more", LIMIT_VALUES);
    TRY(load_constants(builder, &scope));
    TRY(fill_scope(builder, &scope, inputs));
    TRY(builder_nodes(builder, subgraph, &scope, false));
    for (int i = 0; i < subgraph->n_outputs; i++) {
        outputs[i] = builder_find(builder, &scope, subgraph->outputs[i]);
        FAIL_IF(outputs[i] < 0, ST_BAD, "graph '%s': output '%s' is not there", subgraph->name, subgraph->outputs[i]);
    }
    return ST_OK;
}

Status call_known(Call *call, ValueId value, const Tensor **out, const char **blame) {
    return known_value(&call->builder->known, call->graph, value, out, blame);
}

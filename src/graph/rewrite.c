// Reading and rewriting a graph; its copy.
#include "graph/index.h"
#include <assert.h>
#include <string.h>

const Attr *node_attr(const Node *node, const char *name) {
    for (int i = 0; i < node->n_attrs; i++)
        if (strcmp(node->attrs[i].name, name) == 0) return &node->attrs[i];
    return NULL;
}

// An attribute of the wrong type counts as absent; the verifier names it.
static const Attr *typed_attr(const Node *node, const char *name, AttrType type) {
    const Attr *attr = node_attr(node, name);
    return attr && attr->type == type ? attr : NULL;
}

int64_t node_int(const Node *node, const char *name, int64_t otherwise) {
    const Attr *attr = typed_attr(node, name, ATTR_INT);
    return attr ? attr->i : otherwise;
}

double node_float(const Node *node, const char *name, double otherwise) {
    const Attr *attr = typed_attr(node, name, ATTR_FLOAT);
    return attr ? attr->f : otherwise;
}

const char *node_string(const Node *node, const char *name, const char *otherwise) {
    const Attr *attr = typed_attr(node, name, ATTR_STRING);
    return attr ? attr->s : otherwise;
}

size_t node_ints(const Node *node, const char *name, const int64_t **values) {
    const Attr *attr = typed_attr(node, name, ATTR_INTS);
    *values = attr ? attr->ints : NULL;
    return attr ? attr->count : 0;
}

const Tensor *node_constant(const Graph *graph, const Node *node, int i) {
    return node_has_input(node, i) ? graph->values[node->inputs[i]].constant : NULL;
}

ValueId graph_find(const Graph *graph, const char *name) {
    const NameSlot *slot = index_find(&graph->value_index, name);
    return slot ? slot->id : NO_VALUE;
}

int graph_uses(const Graph *graph, ValueId value) {
    int uses = 0;
    for (int n = 0; n < graph->n_nodes; n++) {
        const Node *node = graph->nodes[n];
        for (int i = 0; !node->dead && i < node->n_inputs; i++) uses += node->inputs[i] == value;
    }
    for (int i = 0; i < graph->n_outputs; i++) uses += graph->outputs[i] == value;
    return uses;
}

int *graph_use_counts(const Graph *graph) {
    int *uses = mem_zero((size_t)MAX(graph->n_values, 1), sizeof *uses);
    if (!uses) return NULL;
    for (int n = 0; n < graph->n_nodes; n++) {
        const Node *node = graph->nodes[n];
        for (int i = 0; !node->dead && i < node->n_inputs; i++)
            if (node->inputs[i] >= 0) uses[node->inputs[i]]++;
    }
    for (int i = 0; i < graph->n_outputs; i++) uses[graph->outputs[i]]++;
    return uses;
}

static void swap_names(Graph *graph, ValueId a, ValueId b) {
    Value *x = &graph->values[a], *y = &graph->values[b];
    index_find(&graph->value_index, x->name)->id = b;
    index_find(&graph->value_index, y->name)->id = a;
    const char *name = x->name;
    x->name = y->name;
    y->name = name;
}

static bool is_output(const Graph *graph, ValueId value) {
    for (int i = 0; i < graph->n_outputs; i++)
        if (graph->outputs[i] == value) return true;
    return false;
}

void graph_replace(Graph *graph, ValueId from, ValueId to) {
    assert(from >= 0 && from < graph->n_values && to >= 0 && to < graph->n_values);
    if (from == to) return;
    const Value *target = &graph->values[to];
    if (is_output(graph, from) && !target->is_input && !target->constant && !is_output(graph, to))
        swap_names(graph, from, to);
    for (int n = 0; n < graph->n_nodes; n++) {
        Node *node = graph->nodes[n];
        for (int i = 0; !node->dead && i < node->n_inputs; i++)
            if (node->inputs[i] == from) node->inputs[i] = to;
    }
    for (int i = 0; i < graph->n_outputs; i++)
        if (graph->outputs[i] == from) graph->outputs[i] = to;
}

void node_kill(Graph *graph, Node *node) {
    node->dead = true;
    for (int i = 0; i < node->n_outputs; i++)
        if (node->outputs[i] >= 0 && graph->values[node->outputs[i]].producer == node)
            graph->values[node->outputs[i]].producer = NULL;
}

static Status copy_value(Graph *copy, const Value *value) {
    ValueId id;
    if (value->constant) return graph_add_constant(copy, value->name, value->constant, &id);
    return graph_add_value(copy, value->name, &value->type, &id);
}

static Status copy_node(Graph *copy, const Node *node) {
    Node *fresh;
    TRY(graph_add_node(copy, node->op, node->name, node->inputs, node->n_inputs, node->outputs, node->n_outputs, -1,
                       &fresh));
    for (int i = 0; i < node->n_attrs; i++) TRY(node_set(copy, fresh, &node->attrs[i]));
    return ST_OK;
}

static Status copy_list(Graph *copy, const ValueId *from, int count, ValueId **list, int *n, int *capacity) {
    *list = arena_array(&copy->arena, (size_t)MAX(count, 1), sizeof **list);
    if (!*list) return fail_memory((size_t)count * sizeof **list);
    for (int i = 0; i < count; i++) (*list)[i] = from[i];
    *n = count;
    *capacity = MAX(count, 1);
    return ST_OK;
}

static Status copy_into(const Graph *graph, Graph *copy) {
    copy->name = arena_string(&copy->arena, graph->name);
    if (!copy->name) return fail_memory(strlen(graph->name));
    copy->folded_bytes = graph->folded_bytes;
    copy->folded_flop = graph->folded_flop;
    int64_t dim;
    for (int i = 0; i < graph->n_symbols; i++) TRY(graph_symbol(copy, graph->symbols[i], &dim));
    for (int i = 0; i < graph->n_values; i++) {
        TRY(copy_value(copy, &graph->values[i]));
        copy->values[i].is_input = graph->values[i].is_input;
    }
    TRY(copy_list(copy, graph->inputs, graph->n_inputs, &copy->inputs, &copy->n_inputs, &copy->inputs_capacity));
    TRY(copy_list(copy, graph->outputs, graph->n_outputs, &copy->outputs, &copy->n_outputs, &copy->outputs_capacity));
    for (int i = 0; i < graph->n_nodes; i++)
        if (!graph->nodes[i]->dead) TRY(copy_node(copy, graph->nodes[i]));
    return ST_OK;
}

Status graph_copy(const Graph *graph, Graph **out) {
    TRY(graph_create(out));
    const Status status = copy_into(graph, *out);
    if (status == ST_OK) return ST_OK;
    graph_free(*out);
    *out = NULL;
    return status;
}

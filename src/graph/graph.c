// Building a graph. Reading and rewriting: rewrite.c.
#include "graph/graph.h"
#include "graph/index.h"
#include <assert.h>
#include <stdio.h>
#include <string.h>

enum {
    MAX_VALUES = 1000000,
    MAX_NODES = 1000000,
    MAX_PORTS = 1024,
    MAX_ATTRS = 256,
    MAX_LIST = 65536,
    MAX_NAME = 65535
};

bool type_is_static(const Type *type) {
    if (type->dtype == DT_NONE || type->rank < 0) return false;
    for (int i = 0; i < type->rank; i++)
        if (type->dim[i] < 0) return false;
    return true;
}

Shape type_shape(const Type *type) {
    assert(type_is_static(type));
    return shape_of(type->rank, type->dim);
}

Type type_make(DType dtype, const Shape *shape) {
    Type type = {.dtype = dtype, .rank = shape->rank};
    for (int i = 0; i < shape->rank; i++) type.dim[i] = shape->dim[i];
    return type;
}

bool type_equal(const Type *a, const Type *b) {
    if (a->dtype != b->dtype || a->rank != b->rank) return false;
    for (int i = 0; i < a->rank; i++)
        if (a->dim[i] != b->dim[i]) return false;
    return true;
}

Status graph_create(Graph **out) {
    *out = mem_zero(1, sizeof(Graph));
    if (!*out) return fail_memory(sizeof(Graph));
    (*out)->name = "";
    return ST_OK;
}

void graph_free(Graph *graph) {
    if (!graph) return;
    arena_free(&graph->arena);
    mem_free(graph);
}

// Makes room for one more of `size` bytes in a list of the arena that grows by doubling (the old one stays there).
static Status reserve(Graph *graph, const char *what, void *list, int count, int *capacity, size_t size, int limit) {
    FAIL_IF(count >= limit, ST_BAD, "expected at most %d %s in a graph", limit, what);
    if (count < *capacity) return ST_OK;
    const int larger = *capacity ? *capacity * 2 : 16;
    void *fresh = arena_array(&graph->arena, (size_t)larger, size);
    if (!fresh) return fail_memory((size_t)larger * size);
    void *old;
    memcpy(&old, list, sizeof old);
    if (count) memcpy(fresh, old, (size_t)count * size);
    memcpy(list, &fresh, sizeof fresh);
    *capacity = larger;
    return ST_OK;
}

static Status copy_name(Graph *graph, const char *name, const char **out) {
    FAIL_IF(strlen(name) > MAX_NAME, ST_BAD, "expected a name of at most %d bytes, got %zu", MAX_NAME, strlen(name));
    *out = arena_string(&graph->arena, name);
    return *out ? ST_OK : fail_memory(strlen(name));
}

static Status copy_bytes(Graph *graph, const void *bytes, size_t count, size_t size, void *out) {
    void *copy = arena_array(&graph->arena, MAX(count, 1), size);
    if (!copy) return fail_memory(count * size);
    if (count) memcpy(copy, bytes, count * size);
    memcpy(out, &copy, sizeof copy);
    return ST_OK;
}

// `wanted` itself when it is free, else "wanted.1", "wanted.2" ...
static Status fresh_name(Graph *graph, const char *wanted, const char **out) {
    if (!*wanted) wanted = "v";
    NameSlot *slot = index_find(&graph->value_index, wanted);
    if (!slot) return copy_name(graph, wanted, out);
    FAIL_IF(strlen(wanted) > MAX_NAME - 16, ST_BAD, "expected a name of at most %d bytes", MAX_NAME - 16);
    const size_t room = strlen(wanted) + 16;
    char *name = arena_alloc(&graph->arena, room);
    if (!name) return fail_memory(room);
    do snprintf(name, room, "%s.%d", wanted, ++slot->last_suffix);
    while (index_find(&graph->value_index, name));
    *out = name;
    return ST_OK;
}

Status graph_add_value(Graph *graph, const char *name, const Type *type, ValueId *out) {
    TRY(reserve(graph, "values", &graph->values, graph->n_values, &graph->values_capacity, sizeof(Value), MAX_VALUES));
    const char *own;
    TRY(fresh_name(graph, name ? name : "", &own));
    TRY(index_add(&graph->arena, &graph->value_index, own, graph->n_values));
    *out = graph->n_values++;
    Value *value = &graph->values[*out];
    *value = (Value){.name = own, .type = {.dtype = DT_NONE, .rank = -1}};
    if (type) value->type = *type;
    return ST_OK;
}

Status graph_add_input(Graph *graph, const char *name, const Type *type, ValueId *out) {
    TRY(reserve(graph, "inputs", &graph->inputs, graph->n_inputs, &graph->inputs_capacity, sizeof(ValueId), MAX_LIST));
    TRY(graph_add_value(graph, name, type, out));
    graph->values[*out].is_input = true;
    graph->inputs[graph->n_inputs++] = *out;
    return ST_OK;
}

Status graph_add_output(Graph *graph, ValueId value) {
    FAIL_IF(value < 0 || value >= graph->n_values, ST_BAD, "there is no value number %d for an output", value);
    TRY(reserve(graph, "outputs", &graph->outputs, graph->n_outputs, &graph->outputs_capacity, sizeof(ValueId),
                MAX_LIST));
    graph->outputs[graph->n_outputs++] = value;
    return ST_OK;
}

static Status attach_constant(Graph *graph, ValueId id, const Tensor *tensor) {
    Value *value = &graph->values[id];
    FAIL_IF(tensor->dtype == DT_NONE || tensor->shape.rank < 0 || tensor->shape.rank > MAX_RANK ||
                shape_count(&tensor->shape) < 0,
            ST_BAD, "constant '%s': the shape is impossible", value->name);
    Tensor *own = NULL;
    TRY(copy_bytes(graph, tensor, 1, sizeof *tensor, &own));
    value->constant = own;
    value->type = type_make(tensor->dtype, &tensor->shape);
    return ST_OK;
}

Status graph_add_constant(Graph *graph, const char *name, const Tensor *tensor, ValueId *out) {
    TRY(graph_add_value(graph, name, NULL, out));
    return attach_constant(graph, *out, tensor);
}

static void remove_output(Graph *graph, Node *node, ValueId value) {
    int left = 0;
    for (int i = 0; i < node->n_outputs; i++) {
        if (node->outputs[i] == value) node->outputs[i] = NO_VALUE;
        left += node->outputs[i] >= 0;
    }
    if (!left) node_kill(graph, node);
}

static void remove_input(Graph *graph, ValueId value) {
    int left = 0;
    for (int i = 0; i < graph->n_inputs; i++)
        if (graph->inputs[i] != value) graph->inputs[left++] = graph->inputs[i];
    graph->n_inputs = left;
}

Status graph_set_constant(Graph *graph, ValueId id, const Tensor *tensor) {
    TRY(attach_constant(graph, id, tensor));
    Value *value = &graph->values[id];
    if (value->is_input) remove_input(graph, id);
    if (value->producer) remove_output(graph, value->producer, id);
    value->is_input = false;
    value->producer = NULL;
    return ST_OK;
}

Status graph_symbol(Graph *graph, const char *name, int64_t *dim) {
    const NameSlot *slot = index_find(&graph->symbol_index, name);
    if (!slot) {
        TRY(reserve(graph, "symbols", &graph->symbols, graph->n_symbols, &graph->symbols_capacity, sizeof(char *),
                    MAX_LIST));
        const char *own;
        TRY(copy_name(graph, name, &own));
        TRY(index_add(&graph->arena, &graph->symbol_index, own, graph->n_symbols));
        graph->symbols[graph->n_symbols++] = own;
        *dim = DIM_SYMBOL_0 - (graph->n_symbols - 1);
        return ST_OK;
    }
    *dim = DIM_SYMBOL_0 - slot->id;
    return ST_OK;
}

// An output of a new node must be nobody's yet (or a dead node's).
static Status check_ports(const Graph *graph, const ValueId *inputs, int n_inputs, const ValueId *outputs,
                          int n_outputs) {
    FAIL_IF(n_inputs > MAX_PORTS || n_outputs > MAX_PORTS, ST_BAD, "expected at most %d inputs or outputs, got %d",
            MAX_PORTS, MAX(n_inputs, n_outputs));
    for (int i = 0; i < n_inputs; i++)
        FAIL_IF(inputs[i] >= graph->n_values, ST_BAD, "input %d: there is no value number %d", i, inputs[i]);
    for (int i = 0; i < n_outputs; i++) {
        if (outputs[i] < 0) continue;
        FAIL_IF(outputs[i] >= graph->n_values, ST_BAD, "output %d: there is no value number %d", i, outputs[i]);
        const Value *value = &graph->values[outputs[i]];
        FAIL_IF(value->is_input || value->constant, ST_BAD, "output %d: '%s' is already an input or a constant", i,
                value->name);
        FAIL_IF(value->producer && !value->producer->dead, ST_BAD, "'%s' is made by two nodes", value->name);
        for (int k = 0; k < i; k++)
            FAIL_IF(outputs[k] == outputs[i], ST_BAD, "'%s' is made twice by one node", value->name);
    }
    return ST_OK;
}

static void insert_node(Graph *graph, Node *node, int at) {
    if (at < 0) at = graph->n_nodes;
    memmove(graph->nodes + at + 1, graph->nodes + at, (size_t)(graph->n_nodes - at) * sizeof *graph->nodes);
    graph->nodes[at] = node;
    graph->n_nodes++;
}

Status graph_add_node(Graph *graph, Op op, const char *name, const ValueId *inputs, int n_inputs,
                      const ValueId *outputs, int n_outputs, int at, Node **out) {
    assert(at <= graph->n_nodes && n_inputs >= 0 && n_outputs >= 0);
    Status status = check_ports(graph, inputs, n_inputs, outputs, n_outputs);
    if (status != ST_OK) return fail_context(status, "%s '%s'", op_info(op)->name, name ? name : "");
    TRY(reserve(graph, "nodes", &graph->nodes, graph->n_nodes, &graph->nodes_capacity, sizeof(Node *), MAX_NODES));
    Node *node = arena_alloc(&graph->arena, sizeof *node);
    if (!node) return fail_memory(sizeof *node);
    *node = (Node){.op = op, .n_inputs = n_inputs, .n_outputs = n_outputs};
    TRY(copy_name(graph, name ? name : "", &node->name));
    TRY(copy_bytes(graph, inputs, (size_t)n_inputs, sizeof *inputs, &node->inputs));
    TRY(copy_bytes(graph, outputs, (size_t)n_outputs, sizeof *outputs, &node->outputs));
    insert_node(graph, node, at);
    for (int i = 0; i < n_outputs; i++)
        if (outputs[i] >= 0) graph->values[outputs[i]].producer = node;
    if (out) *out = node;
    return ST_OK;
}

static Status copy_strings(Graph *graph, const Attr *attr, const char ***out) {
    const char **strings = arena_array(&graph->arena, MAX(attr->count, 1), sizeof *strings);
    if (!strings) return fail_memory(attr->count * sizeof *strings);
    for (size_t i = 0; i < attr->count; i++) TRY(copy_name(graph, attr->strings[i], &strings[i]));
    *out = strings;
    return ST_OK;
}

static Status copy_tensor(Graph *graph, const Tensor *tensor, Tensor *out) {
    TRY(tensor_make(&graph->arena, tensor->dtype, tensor->shape, out));
    if (tensor_bytes(tensor)) memcpy(out->data, tensor->data, tensor_bytes(tensor));
    return ST_OK;
}

// Only what belongs to the attribute's type is copied; the rest is cleared.
static Status copy_attr(Graph *graph, const Attr *attr, Attr *out) {
    *out = (Attr){.type = attr->type, .i = attr->i, .f = attr->f};
    TRY(copy_name(graph, attr->name, &out->name));
    switch (attr->type) {
    case ATTR_INT:
    case ATTR_FLOAT: return ST_OK;
    case ATTR_STRING: return copy_name(graph, attr->s, &out->s);
    case ATTR_TENSOR: return copy_tensor(graph, &attr->tensor, &out->tensor);
    default: break;
    }
    FAIL_IF(attr->count > MAX_LIST, ST_BAD, "attribute '%s': expected at most %d entries, got %zu", attr->name,
            MAX_LIST, attr->count);
    out->count = attr->count;
    if (attr->type == ATTR_INTS) return copy_bytes(graph, attr->ints, attr->count, sizeof *attr->ints, &out->ints);
    if (attr->type == ATTR_STRINGS) return copy_strings(graph, attr, &out->strings);
    return copy_bytes(graph, attr->floats, attr->count, sizeof *attr->floats, &out->floats);
}

static Status append_attr(Graph *graph, Node *node, const Attr *attr) {
    FAIL_IF(node->n_attrs >= MAX_ATTRS, ST_BAD, "expected at most %d attributes", MAX_ATTRS);
    // The list's room is the power of two at or above its length.
    if ((node->n_attrs & (node->n_attrs - 1)) == 0) {
        Attr *larger = arena_array(&graph->arena, (size_t)MAX(node->n_attrs * 2, 1), sizeof *larger);
        if (!larger) return fail_memory(sizeof *larger);
        if (node->n_attrs) memcpy(larger, node->attrs, (size_t)node->n_attrs * sizeof *larger);
        node->attrs = larger;
    }
    node->attrs[node->n_attrs++] = *attr;
    return ST_OK;
}

Status node_set(Graph *graph, Node *node, const Attr *attr) {
    Attr own;
    TRY(copy_attr(graph, attr, &own));
    for (int i = 0; i < node->n_attrs; i++) {
        if (strcmp(node->attrs[i].name, attr->name) != 0) continue;
        node->attrs[i] = own;
        return ST_OK;
    }
    return append_attr(graph, node, &own);
}

Status node_set_int(Graph *graph, Node *node, const char *name, int64_t value) {
    return node_set(graph, node, &(Attr){.name = name, .type = ATTR_INT, .i = value});
}

Status node_set_float(Graph *graph, Node *node, const char *name, double value) {
    return node_set(graph, node, &(Attr){.name = name, .type = ATTR_FLOAT, .f = value});
}

Status node_set_ints(Graph *graph, Node *node, const char *name, const int64_t *values, size_t count) {
    return node_set(graph, node, &(Attr){.name = name, .type = ATTR_INTS, .ints = values, .count = count});
}

Status node_set_string(Graph *graph, Node *node, const char *name, const char *value) {
    return node_set(graph, node, &(Attr){.name = name, .type = ATTR_STRING, .s = value});
}

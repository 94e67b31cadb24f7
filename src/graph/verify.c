// The verifier: everything that must hold of a graph. It trusts nothing but the sizes of the lists.
#include "graph/index.h"
#include "graph/table.h"
#include <string.h>

enum { UNDEFINED, DEFINED };

static Status check_dims(const Graph *graph, const Value *value) {
    const Type *type = &value->type;
    FAIL_IF(type->rank < -1 || type->rank > MAX_RANK, ST_BAD, "value '%s': expected at most %d dims, got %d",
            value->name, MAX_RANK, type->rank);
    FAIL_IF((int)type->dtype < 0 || type->dtype >= DT_COUNT, ST_BAD, "value '%s': the dtype is impossible",
            value->name);
    for (int i = 0; i < type->rank; i++)
        FAIL_IF(type->dim[i] <= DIM_SYMBOL_0 - graph->n_symbols, ST_BAD, "value '%s': dim %d names no symbol",
                value->name, i);
    if (!type_is_static(type)) return ST_OK;
    const Shape shape = type_shape(type);
    int64_t bytes;
    FAIL_IF(!mul_i64(shape_count(&shape), (int64_t)dtype_size(type->dtype), &bytes) || bytes < 0, ST_BAD,
            "value '%s' has more elements than can be addressed", value->name);
    return ST_OK;
}

static Status check_constant(const Value *value) {
    const Tensor *tensor = value->constant;
    const Type type = type_make(tensor->dtype, &tensor->shape);
    FAIL_IF(value->is_input || value->producer, ST_BAD, "value '%s': a constant can't be an input or made by a node",
            value->name);
    FAIL_IF(!type_equal(&type, &value->type), ST_BAD, "constant '%s': the type is not that of its data", value->name);
    FAIL_IF(shape_count(&tensor->shape) < 0, ST_BAD, "constant '%s': the shape is impossible", value->name);
    FAIL_IF(!tensor->data && tensor_count(tensor) > 0, ST_BAD, "constant '%s' has no data", value->name);
    return ST_OK;
}

static bool makes(const Node *node, ValueId value) {
    for (int i = 0; i < node->n_outputs; i++)
        if (node->outputs[i] == value) return true;
    return false;
}

static Status check_value(const Graph *graph, ValueId id) {
    const Value *value = &graph->values[id];
    FAIL_IF(!value->name || !*value->name, ST_BAD, "value number %d has no name", id);
    FAIL_IF(graph_find(graph, value->name) != id, ST_BAD, "two values are named '%s'", value->name);
    TRY(check_dims(graph, value));
    if (value->constant) TRY(check_constant(value));
    FAIL_IF(value->is_input && value->producer, ST_BAD, "value '%s': an input can't be made by a node", value->name);
    FAIL_IF(value->producer && (value->producer->dead || !makes(value->producer, id)), ST_BAD,
            "value '%s': its producer does not make it", value->name);
    return ST_OK;
}

static Status check_inputs(const Graph *graph, uint8_t *state) {
    for (int i = 0; i < graph->n_inputs; i++) {
        const ValueId id = graph->inputs[i];
        FAIL_IF(id < 0 || id >= graph->n_values, ST_BAD, "input number %d is no value", i);
        const Value *value = &graph->values[id];
        FAIL_IF(!value->is_input, ST_BAD, "'%s' is in the list of inputs, but is none", value->name);
        FAIL_IF(state[id], ST_BAD, "input '%s' stands twice in the list of inputs", value->name);
        FAIL_IF(value->type.dtype == DT_NONE, ST_BAD, "input '%s' has no dtype", value->name);
        state[id] = DEFINED;
    }
    for (int i = 0; i < graph->n_values; i++) {
        if (graph->values[i].constant) state[i] = DEFINED;
        FAIL_IF(graph->values[i].is_input && !state[i], ST_BAD, "input '%s' is not in the list of inputs",
                graph->values[i].name);
    }
    return ST_OK;
}

static Status check_use(const Graph *graph, ValueId id, int i, const uint8_t *state) {
    FAIL_IF(id >= graph->n_values, ST_BAD, "input %d is no value", i);
    FAIL_IF(id >= 0 && !state[id], ST_BAD, "input %d: '%s' is used before it is made, or never made", i,
            graph->values[id].name);
    return ST_OK;
}

static Status check_result(const Graph *graph, const Node *node, int i, uint8_t *state) {
    const ValueId id = node->outputs[i];
    if (id < 0) return ST_OK;
    FAIL_IF(id >= graph->n_values, ST_BAD, "output %d is no value", i);
    FAIL_IF(state[id], ST_BAD, "output %d: '%s' is made twice", i, graph->values[id].name);
    FAIL_IF(graph->values[id].producer != node, ST_BAD, "output %d: the producer of '%s' is another node", i,
            graph->values[id].name);
    state[id] = DEFINED;
    return ST_OK;
}

static Status check_node(const Graph *graph, const Node *node, uint8_t *state) {
    FAIL_IF(node->op <= OP_NONE || node->op >= OP_COUNT, ST_BAD, "the op is unknown");
    TRY(node_check(node));
    for (int i = 0; i < node->n_inputs; i++) TRY(check_use(graph, node->inputs[i], i, state));
    for (int i = 0; i < node->n_outputs; i++) TRY(check_result(graph, node, i, state));
    return ST_OK;
}

static Status check_nodes(const Graph *graph, uint8_t *state) {
    for (int n = 0; n < graph->n_nodes; n++) {
        const Node *node = graph->nodes[n];
        if (node->dead) continue;
        const Status status = check_node(graph, node, state);
        const char *op = node->op > OP_NONE && node->op < OP_COUNT ? op_info(node->op)->name : "?";
        if (status != ST_OK) return fail_context(status, "node %d, %s '%s'", n, op, node->name);
        TRY(graph_check_node(graph, node));
    }
    return ST_OK;
}

static Status check_graph(const Graph *graph, uint8_t *state) {
    for (int i = 0; i < graph->n_values; i++) TRY(check_value(graph, i));
    TRY(check_inputs(graph, state));
    TRY(check_nodes(graph, state));
    FAIL_IF(graph->n_outputs == 0, ST_BAD, "the graph has no output");
    for (int i = 0; i < graph->n_outputs; i++) {
        const ValueId id = graph->outputs[i];
        FAIL_IF(id < 0 || id >= graph->n_values, ST_BAD, "output number %d is no value", i);
        FAIL_IF(!state[id], ST_BAD, "output '%s' is never made", graph->values[id].name);
    }
    return ST_OK;
}

Status graph_verify(const Graph *graph) {
    uint8_t *state = mem_zero((size_t)MAX(graph->n_values, 1), 1);
    if (!state) return fail_memory((size_t)graph->n_values);
    const Status status = check_graph(graph, state);
    mem_free(state);
    return status;
}

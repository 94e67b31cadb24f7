// The nodes that a value depends on are copied into a graph of their own, which `resolve` computes as far as constants
// and known dims tell. The copy ends at constants, at inputs, and at tensors of known dims of which only the shape is
// asked.
#include "import/known.h"
#include "import/limits.h"
#include <string.h>

typedef struct Cone {
    const Graph *graph;
    Graph *copy;        // values have the names that they have in the graph
    const Node **nodes; // those of the copy; mem_free
    int n_nodes, capacity;
    int64_t limit; // of nodes
    bool too_large;
    const char *blame; // an input of the model that was reached
} Cone;

static ValueId copied(const Cone *cone, ValueId value) {
    return value < 0 ? NO_VALUE : graph_find(cone->copy, cone->graph->values[value].name);
}

static Status copy_type(const Cone *cone, const Type *from, Type *to) {
    *to = *from;
    for (int i = 0; i < from->rank; i++)
        if (from->dim[i] <= DIM_SYMBOL_0)
            TRY(graph_symbol(cone->copy, cone->graph->symbols[DIM_SYMBOL_0 - from->dim[i]], &to->dim[i]));
    return ST_OK;
}

static Status end_at(Cone *cone, ValueId value) {
    const Value *from = &cone->graph->values[value];
    ValueId id;
    Type type;
    if (from->constant) return graph_add_constant(cone->copy, from->name, from->constant, &id);
    TRY(copy_type(cone, &from->type, &type));
    return graph_add_input(cone->copy, from->name, &type, &id);
}

static Status append_node(Cone *cone, const Node *node) {
    if (cone->n_nodes == cone->capacity) {
        cone->capacity = MAX(2 * cone->capacity, 64);
        const Node **larger = mem_resize(cone->nodes, (size_t)cone->capacity * sizeof *larger);
        if (!larger) return fail_memory((size_t)cone->capacity * sizeof *larger);
        cone->nodes = larger;
    }
    cone->nodes[cone->n_nodes++] = node;
    return ST_OK;
}

// Takes the value in, with the node that makes it.
static Status take_in(Cone *cone, ValueId value) {
    if (value < 0 || copied(cone, value) >= 0) return ST_OK;
    const Value *from = &cone->graph->values[value];
    ValueId id;
    if (!from->producer) {
        if (from->is_input) cone->blame = from->name;
        return end_at(cone, value);
    }
    if (cone->n_nodes >= cone->limit) cone->too_large = true;
    for (int i = 0; i < from->producer->n_outputs && !cone->too_large; i++) {
        const ValueId output = from->producer->outputs[i];
        if (output >= 0) TRY(graph_add_value(cone->copy, cone->graph->values[output].name, NULL, &id));
    }
    return append_node(cone, from->producer);
}

static bool asks_known_dims(const Cone *cone, const Node *node) {
    return node->op == OP_Shape && type_is_static(&cone->graph->values[node->inputs[0]].type);
}

static Status collect(Cone *cone, ValueId value) {
    TRY(take_in(cone, value));
    for (int i = 0; i < cone->n_nodes && !cone->too_large; i++) {
        const Node *node = cone->nodes[i];
        for (int k = 0; k < node->n_inputs && !asks_known_dims(cone, node); k++) TRY(take_in(cone, node->inputs[k]));
    }
    for (int i = 0; i < cone->n_nodes; i++) {
        const Node *node = cone->nodes[i];
        if (asks_known_dims(cone, node) && copied(cone, node->inputs[0]) < 0) TRY(end_at(cone, node->inputs[0]));
    }
    return ST_OK;
}

static Status copy_node(const Cone *cone, const Node *node) {
    ValueId *ids = arena_array(&cone->copy->arena, (size_t)(node->n_inputs + node->n_outputs), sizeof *ids);
    ValueId *outputs = ids + node->n_inputs;
    Node *made;
    if (!ids) return fail_memory((size_t)(node->n_inputs + node->n_outputs) * sizeof *ids);
    for (int i = 0; i < node->n_inputs; i++) ids[i] = copied(cone, node->inputs[i]);
    for (int i = 0; i < node->n_outputs; i++) outputs[i] = copied(cone, node->outputs[i]);
    TRY(graph_add_node(cone->copy, node->op, node->name, ids, node->n_inputs, outputs, node->n_outputs, -1, &made));
    for (int i = 0; i < node->n_attrs; i++) TRY(node_set(cone->copy, made, &node->attrs[i]));
    return ST_OK;
}

// Outputs are not computed ahead, so the value is the input of the only one.
static Status resolve(const Cone *cone, ValueId value, Status (*function)(Graph *), const Tensor **out) {
    ValueId output;
    Node *node;
    const ValueId input = copied(cone, value);
    for (int i = 0; i < cone->n_nodes; i++) TRY(copy_node(cone, cone->nodes[i]));
    TRY(graph_add_value(cone->copy, "known", NULL, &output));
    TRY(graph_add_node(cone->copy, OP_Identity, "known", &input, 1, &output, 1, -1, &node));
    TRY(graph_add_output(cone->copy, output));
    TRY(graph_compact(cone->copy));
    TRY(function(cone->copy));
    *out = cone->copy->values[input].constant;
    return ST_OK;
}

// The tensor goes with the copy, so another one is handed out.
static Status keep(Arena *arena, const Tensor *from, const Tensor **out) {
    Tensor *kept = arena_alloc(arena, sizeof *kept);
    if (!kept) return fail_memory(sizeof *kept);
    TRY(tensor_make(arena, from->dtype, from->shape, kept));
    if (tensor_bytes(from) > 0) memcpy(kept->data, from->data, tensor_bytes(from));
    *out = kept;
    return ST_OK;
}

static Status know(Known *known, Cone *cone, ValueId value, const Tensor **out) {
    const Tensor *found = NULL;
    cone->limit = LIMIT_CONDITION - known->work;
    TRY(collect(cone, value));
    known->work += cone->n_nodes + 1;
    if (cone->too_large) return ST_OK;
    TRY(resolve(cone, value, known->resolve, &found));
    return found ? keep(known->arena, found, out) : ST_OK;
}

Status known_value(Known *known, const Graph *graph, ValueId value, const Tensor **out, const char **blame) {
    Cone cone = {.graph = graph, .blame = ""};
    const Value *asked = &graph->values[value];
    *out = asked->constant;
    *blame = asked->is_input ? asked->name : "";
    if (*out || !known->resolve) return ST_OK;
    TRY(graph_create(&cone.copy));
    const Status status = know(known, &cone, value, out);
    *blame = cone.blame;
    graph_free(cone.copy);
    mem_free(cone.nodes);
    return status;
}

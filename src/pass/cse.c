// Common subexpressions: equal constants become one, equal nodes (same op, attributes and inputs) become one. One
// walk in topological order with a map from each value to the one that stands for it; linear in the graph. Graph
// outputs stay what they are.
#include "base/hash.h"
#include "pass/rewrite.h"
#include <string.h>

typedef struct Slot {
    uint64_t hash;
    int32_t item; // value or node index, -1: free
} Slot;

// Open addressing, never more than half full.
typedef struct Table {
    Slot *slots;
    size_t mask;
} Table;

typedef struct Cse {
    Graph *graph;
    ValueId *map;    // by ValueId
    bool *is_output; // by ValueId
    bool *has_twin;  // by ValueId: another constant begins as this one does
    Table beginnings, constants, nodes;
    Arena memory;
    bool changed;
} Cse;

static Status table_make(Arena *memory, size_t items, Table *table) {
    size_t size = 16;
    while (size < 2 * items) size *= 2;
    table->slots = arena_array(memory, size, sizeof(Slot));
    if (!table->slots) return fail_memory(size * sizeof(Slot));
    table->mask = size - 1;
    for (size_t i = 0; i < size; i++) table->slots[i].item = -1;
    return ST_OK;
}

typedef bool SameItem(const Graph *graph, int32_t a, int32_t b);

// The item equal to `item` that came first; `item` itself, which is entered then, when there is none.
static int32_t first_of(const Graph *graph, Table *table, uint64_t hash, int32_t item, SameItem *same) {
    for (size_t at = hash & table->mask;; at = (at + 1) & table->mask) {
        Slot *const slot = &table->slots[at];
        if (slot->item < 0) {
            *slot = (Slot){hash, item};
            return item;
        }
        if (slot->hash == hash && same(graph, slot->item, item)) return slot->item;
    }
}

// ---- Constants ----

static bool same_tensor(const Tensor *a, const Tensor *b) {
    const size_t bytes = tensor_bytes(a);
    return a->dtype == b->dtype && shape_equal(&a->shape, &b->shape) && (!bytes || !memcmp(a->data, b->data, bytes));
}

// Of dtype, shape, and as many bytes of the data.
static uint64_t hash_tensor(const Tensor *tensor, size_t most) {
    const uint64_t seed = hash64(tensor->shape.dim, (size_t)tensor->shape.rank * sizeof(int64_t), tensor->dtype);
    return hash64(tensor->data, MIN(most, tensor_bytes(tensor)), seed);
}

static bool same_constant(const Graph *graph, int32_t a, int32_t b) {
    return same_tensor(graph->values[a].constant, graph->values[b].constant);
}

static bool any_two(const Graph *graph, int32_t a, int32_t b) {
    (void)graph, (void)a, (void)b;
    return true;
}

// All bytes of a network's weights are read for those only that begin alike.
static void merge_constants(Cse *cse, const int *uses) {
    enum { BEGINNING = 4096 };
    const Graph *const graph = cse->graph;
    for (int32_t v = 0; v < graph->n_values; v++) {
        const Tensor *const tensor = graph->values[v].constant;
        if (!tensor || !uses[v] || cse->is_output[v]) continue;
        const int32_t first = first_of(graph, &cse->beginnings, hash_tensor(tensor, BEGINNING), v, any_two);
        if (first != v) cse->has_twin[first] = cse->has_twin[v] = true;
    }
    for (int32_t v = 0; v < graph->n_values; v++)
        if (cse->has_twin[v])
            cse->map[v] =
                first_of(graph, &cse->constants, hash_tensor(graph->values[v].constant, SIZE_MAX), v, same_constant);
}

// ---- Nodes ----

static bool same_attr(const Attr *a, const Attr *b) {
    if (a->type != b->type || a->count != b->count) return false;
    switch (a->type) {
    case ATTR_INT: return a->i == b->i;
    case ATTR_FLOAT: return !memcmp(&a->f, &b->f, sizeof a->f);
    case ATTR_STRING: return !strcmp(a->s, b->s);
    case ATTR_INTS: return !a->count || !memcmp(a->ints, b->ints, a->count * sizeof *a->ints);
    case ATTR_FLOATS: return !a->count || !memcmp(a->floats, b->floats, a->count * sizeof *a->floats);
    case ATTR_TENSOR: return same_tensor(&a->tensor, &b->tensor);
    default: return false; // lists of strings: no op has one that matters here
    }
}

static bool same_attrs(const Node *a, const Node *b) {
    if (a->n_attrs != b->n_attrs) return false;
    for (int i = 0; i < a->n_attrs; i++) {
        const Attr *const other = node_attr(b, a->attrs[i].name);
        if (!other || !same_attr(&a->attrs[i], other)) return false;
    }
    return true;
}

// `a` came first: it must make every output that `b` makes.
static bool same_node(const Graph *graph, int32_t first, int32_t second) {
    const Node *const a = graph->nodes[first], *const b = graph->nodes[second];
    if (a->op != b->op || a->n_inputs != b->n_inputs || a->n_outputs != b->n_outputs) return false;
    for (int i = 0; i < a->n_outputs; i++)
        if (a->outputs[i] < 0 && b->outputs[i] >= 0) return false;
    return !memcmp(a->inputs, b->inputs, (size_t)a->n_inputs * sizeof(ValueId)) && same_attrs(a, b);
}

static uint64_t hash_node(const Node *node) {
    return hash64(node->inputs, (size_t)node->n_inputs * sizeof(ValueId), (uint64_t)node->op);
}

static bool makes_output(const Cse *cse, const Node *node) {
    for (int i = 0; i < node->n_outputs; i++)
        if (node->outputs[i] >= 0 && cse->is_output[node->outputs[i]]) return true;
    return false;
}

static void merge_node(Cse *cse, int32_t index) {
    Graph *const graph = cse->graph;
    Node *const node = graph->nodes[index];
    for (int i = 0; i < node->n_inputs; i++) {
        if (node->inputs[i] < 0 || cse->map[node->inputs[i]] == node->inputs[i]) continue;
        node->inputs[i] = cse->map[node->inputs[i]];
        cse->changed = true;
    }
    if (node->n_inputs == 0) return;
    const int32_t first = first_of(graph, &cse->nodes, hash_node(node), index, same_node);
    if (first == index || makes_output(cse, node)) return;
    for (int i = 0; i < node->n_outputs; i++)
        if (node->outputs[i] >= 0) cse->map[node->outputs[i]] = graph->nodes[first]->outputs[i];
    node_kill(graph, node);
    cse->changed = true;
}

static Status cse_begin(Cse *cse) {
    const Graph *const graph = cse->graph;
    const size_t values = (size_t)MAX(graph->n_values, 1);
    cse->map = arena_array(&cse->memory, values, sizeof(ValueId));
    cse->is_output = arena_array(&cse->memory, values, sizeof(bool));
    cse->has_twin = arena_array(&cse->memory, values, sizeof(bool));
    if (!cse->map || !cse->is_output || !cse->has_twin) return fail_memory(values * sizeof(ValueId));
    for (int v = 0; v < graph->n_values; v++) cse->map[v] = v;
    for (int i = 0; i < graph->n_outputs; i++) cse->is_output[graph->outputs[i]] = true;
    TRY(table_make(&cse->memory, (size_t)graph->n_values, &cse->beginnings));
    TRY(table_make(&cse->memory, (size_t)graph->n_values, &cse->constants));
    return table_make(&cse->memory, (size_t)graph->n_nodes, &cse->nodes);
}

static Status cse_run(Cse *cse) {
    TRY(cse_begin(cse));
    int *const uses = graph_use_counts(cse->graph);
    if (!uses) return fail_memory((size_t)cse->graph->n_values * sizeof(int));
    merge_constants(cse, uses);
    mem_free(uses);
    for (int32_t i = 0; i < cse->graph->n_nodes; i++)
        if (!cse->graph->nodes[i]->dead) merge_node(cse, i);
    return ST_OK;
}

Status pass_cse(Graph *graph, bool *changed) {
    Cse cse = {.graph = graph};
    const Status status = cse_run(&cse);
    arena_free(&cse.memory);
    *changed |= cse.changed;
    return status;
}

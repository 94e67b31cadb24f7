// Dead code and topological order.
//
// Nodes that lead to a graph output are marked by walking back from the outputs; then they are put in order by a
// depth-first walk that starts at each node in its old place, so that a list already in order stays as it is.
// Both walks keep their own stack: a graph may be a chain of a million nodes.
#include "graph/graph.h"
#include <string.h>

typedef struct Walk {
    Graph *graph;
    int32_t *maker; // value -> index of the node that makes it, -1: none
    int32_t *stack; // node indices
    int32_t *next;  // node -> next input to look at
    uint8_t *state; // of a node
    int depth;
    Node **sorted;
    int n_sorted;
} Walk;
enum { UNUSED, LIVE, OPEN, DONE }; // OPEN: on the stack

static Status walk_begin(Walk *walk, Graph *graph) {
    const size_t values = (size_t)MAX(graph->n_values, 1), nodes = (size_t)MAX(graph->n_nodes, 1);
    *walk = (Walk){.graph = graph,
                   .maker = mem_zero(values, sizeof *walk->maker),
                   .stack = mem_zero(nodes, sizeof *walk->stack),
                   .next = mem_zero(nodes, sizeof *walk->next),
                   .state = mem_zero(nodes, sizeof *walk->state),
                   .sorted = mem_zero(nodes, sizeof *walk->sorted)};
    if (!walk->maker || !walk->stack || !walk->next || !walk->state || !walk->sorted)
        return fail_memory(nodes * sizeof *walk->sorted);
    memset(walk->maker, -1, values * sizeof *walk->maker);
    for (int n = 0; n < graph->n_nodes; n++) {
        const Node *node = graph->nodes[n];
        for (int i = 0; !node->dead && i < node->n_outputs; i++)
            if (node->outputs[i] >= 0) walk->maker[node->outputs[i]] = n;
    }
    return ST_OK;
}

static void walk_end(Walk *walk) {
    mem_free(walk->maker);
    mem_free(walk->stack);
    mem_free(walk->next);
    mem_free(walk->state);
    mem_free(walk->sorted);
}

static void mark(Walk *walk, ValueId value) {
    const int32_t maker = value < 0 ? -1 : walk->maker[value];
    if (maker < 0 || walk->state[maker] != UNUSED) return;
    walk->state[maker] = LIVE;
    walk->stack[walk->depth++] = maker;
}

static void mark_live(Walk *walk) {
    for (int i = 0; i < walk->graph->n_outputs; i++) mark(walk, walk->graph->outputs[i]);
    while (walk->depth > 0) {
        const Node *node = walk->graph->nodes[walk->stack[--walk->depth]];
        for (int i = 0; i < node->n_inputs; i++) mark(walk, node->inputs[i]);
    }
}

static void open_node(Walk *walk, int32_t node) {
    walk->state[node] = OPEN;
    walk->stack[walk->depth++] = node;
}

// Puts what `start` needs, then `start` itself, behind what is sorted already.
static Status sort_from(Walk *walk, int32_t start) {
    open_node(walk, start);
    while (walk->depth > 0) {
        const int32_t at = walk->stack[walk->depth - 1];
        Node *node = walk->graph->nodes[at];
        if (walk->next[at] == node->n_inputs) {
            walk->state[at] = DONE;
            walk->sorted[walk->n_sorted++] = node;
            walk->depth--;
            continue;
        }
        const ValueId input = node->inputs[walk->next[at]++];
        const int32_t maker = input < 0 ? -1 : walk->maker[input];
        if (maker < 0 || walk->state[maker] == DONE) continue;
        FAIL_IF(walk->state[maker] == OPEN, ST_BAD, "the graph has a cycle through value '%s' (%s '%s')",
                walk->graph->values[input].name, op_info(node->op)->name, node->name);
        open_node(walk, maker);
    }
    return ST_OK;
}

static Status sort_live(Walk *walk) {
    for (int n = 0; n < walk->graph->n_nodes; n++)
        if (walk->state[n] == LIVE) TRY(sort_from(walk, n));
    return ST_OK;
}

static void keep_sorted(Walk *walk) {
    Graph *graph = walk->graph;
    for (int n = 0; n < graph->n_nodes; n++)
        if (walk->state[n] == UNUSED) node_kill(graph, graph->nodes[n]);
    for (int n = 0; n < walk->n_sorted; n++) graph->nodes[n] = walk->sorted[n];
    graph->n_nodes = walk->n_sorted;
}

Status graph_compact(Graph *graph) {
    Walk walk;
    Status status = walk_begin(&walk, graph);
    if (status == ST_OK) {
        mark_live(&walk);
        status = sort_live(&walk);
    }
    if (status == ST_OK) keep_sorted(&walk);
    walk_end(&walk);
    return status;
}

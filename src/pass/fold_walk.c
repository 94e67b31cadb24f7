#include "pass/fold_walk.h"
#include "pass/known_ints.h"
#include "reference/reference.h"

typedef struct Fold {
    Graph *graph;
    const FoldLimits *limits;
    int64_t budget;           // bytes that the graph may have folded
    bool *is_output;          // by ValueId
    KnownInts **known;        // by ValueId
    const Tensor **constants; // inputs of the node in hand, NULL where they are not constant
    Tensor *results;          // its outputs
    Arena memory;
    bool changed;
} Fold;

// ---- Evaluation ----

static bool all_constant(Fold *fold, const Node *node) {
    for (int i = 0; i < node->n_inputs; i++) {
        fold->constants[i] = node_constant(fold->graph, node, i);
        if (node_has_input(node, i) && !fold->constants[i]) return false;
    }
    return true;
}

static bool makes_output(const Fold *fold, const Node *node) {
    for (int i = 0; i < node->n_outputs; i++)
        if (node->outputs[i] >= 0 && fold->is_output[node->outputs[i]]) return true;
    return false;
}

// Bytes of all inputs; -1 where one of them has too many elements.
static int64_t input_bytes(const Fold *fold, const Node *node) {
    int64_t bytes = 0;
    for (int i = 0; i < node->n_inputs; i++) {
        if (!fold->constants[i]) continue;
        if (tensor_count(fold->constants[i]) > fold->limits->input_elements) return -1;
        if (!add_i64(bytes, (int64_t)tensor_bytes(fold->constants[i]), &bytes)) return -1;
    }
    return bytes;
}

// Bytes of all outputs; -1 where a shape is not known or one has too many elements.
static int64_t output_bytes(const Fold *fold, const Node *node) {
    int64_t bytes = 0;
    for (int i = 0; i < node->n_outputs; i++) {
        if (node->outputs[i] < 0) continue;
        const Type *const type = &fold->graph->values[node->outputs[i]].type;
        if (!type_is_static(type)) return -1;
        const Shape shape = type_shape(type);
        const int64_t count = shape_count(&shape);
        const bool is_float = dtype_is_float(type->dtype);
        if (count < 0 || count > (is_float ? fold->limits->float_elements : fold->limits->int_elements)) return -1;
        bytes += count * (int64_t)dtype_size(type->dtype); // the limits keep both far from overflow
    }
    return bytes;
}

static bool worth_folding(Fold *fold, const Node *node) {
    if (!all_constant(fold, node) || makes_output(fold, node)) return false;
    const int64_t in = input_bytes(fold, node), out = output_bytes(fold, node);
    if (in < 0 || out < 0 || out > fold->limits->bytes || out > fold->budget - fold->graph->folded_bytes) return false;
    if (out / 2 > in && out > fold->limits->grown_bytes) return false;
    const double flop = node_flop(fold->graph, node);
    return flop <= fold->limits->flop && flop <= fold->limits->total_flop - fold->graph->folded_flop;
}

static Status evaluate(Fold *fold, Node *node) {
    Graph *const graph = fold->graph;
    const double flop = node_flop(graph, node);
    const Status status = reference_node(node, fold->constants, &graph->arena, fold->results);
    if (status == ST_UNSUPPORTED) return ST_OK; // stays a node
    TRY(status);
    graph->folded_flop += flop;
    for (int i = 0; i < node->n_outputs; i++) {
        if (node->outputs[i] < 0) continue;
        graph->folded_bytes += (int64_t)tensor_bytes(&fold->results[i]);
        TRY(graph_set_constant(graph, node->outputs[i], &fold->results[i]));
    }
    fold->changed = true;
    return ST_OK;
}

// ---- Integers known from shapes ----

static Status note_ints(Fold *fold, Node *node) {
    Graph *const graph = fold->graph;
    const ValueId value = node->n_outputs == 1 ? node->outputs[0] : NO_VALUE;
    KnownInts ints;
    if (value < 0 || !known_ints_of(graph, node, fold->known, &ints)) return ST_OK;
    const DType dtype = graph->values[value].type.dtype;
    if (dtype != DT_I64 && dtype != DT_I32) return ST_OK;
    if (!known_ints_complete(&ints) || fold->is_output[value]) {
        fold->known[value] = arena_alloc(&fold->memory, sizeof ints);
        if (!fold->known[value]) return fail_memory(sizeof ints);
        *fold->known[value] = ints;
        return ST_OK;
    }
    const int64_t dims[1] = {ints.count};
    Tensor tensor;
    TRY(make_tensor(graph, dtype, shape_of(ints.rank, dims), &tensor));
    for (int i = 0; i < ints.count; i++) tensor_set_int(&tensor, i, ints.at[i]);
    fold->changed = true;
    return graph_set_constant(graph, value, &tensor);
}

// Reshape's shape as constants where at most one dim has to be inferred: a symbol that the input has at the same
// place is copied (0), one other becomes -1. Sound whatever it is when the graph runs: the elements of a Reshape are
// those of its input, so that one dim follows from the others.
static bool free_reshape(const Type *x, const KnownInts *shape, int64_t *out) {
    int inferred = 0;
    for (int i = 0; i < shape->count; i++) {
        out[i] = shape->at[i];
        if (shape->number[i]) {
            inferred += out[i] == -1;
        } else if (i < x->rank && out[i] <= DIM_SYMBOL_0 && x->dim[i] == out[i]) {
            out[i] = 0;
        } else {
            out[i] = -1;
            inferred++;
        }
    }
    return inferred <= 1;
}

static Status fix_reshape(Fold *fold, Node *node) {
    Graph *const graph = fold->graph;
    KnownInts shape;
    int64_t dims[MAX_INTS];
    if (node->op != OP_Reshape || node_constant(graph, node, 1) || node_int(node, "allowzero", 0)) return ST_OK;
    if (!known_ints_get(graph, node->inputs[1], fold->known, &shape) || shape.rank != 1) return ST_OK;
    if (!free_reshape(input_type(graph, node, 0), &shape, dims)) return ST_OK;
    fold->changed = true;
    return add_int_list(graph, graph->values[node->inputs[1]].name, dims, shape.count, &node->inputs[1]);
}

// ---- The walk ----

static Status visit(Fold *fold, Node *node) {
    TRY(fix_reshape(fold, node));
    TRY(graph_infer_node(fold->graph, node));
    if (worth_folding(fold, node)) TRY(evaluate(fold, node));
    return node->dead ? ST_OK : note_ints(fold, node);
}

static Status fold_begin(Fold *fold) {
    const Graph *const graph = fold->graph;
    int ports = 1;
    for (int i = 0; i < graph->n_nodes; i++)
        ports = MAX(ports, MAX(graph->nodes[i]->n_inputs, graph->nodes[i]->n_outputs));
    const size_t n = (size_t)ports, values = (size_t)MAX(graph->n_values, 1);
    fold->is_output = arena_array(&fold->memory, values, sizeof(bool));
    fold->known = arena_array(&fold->memory, values, sizeof(KnownInts *));
    fold->constants = arena_array(&fold->memory, n, sizeof(Tensor *));
    fold->results = arena_array(&fold->memory, n, sizeof(Tensor));
    if (!fold->is_output || !fold->known || !fold->constants || !fold->results)
        return fail_memory(values * sizeof(KnownInts *));
    for (int i = 0; i < graph->n_outputs; i++) fold->is_output[graph->outputs[i]] = true;
    int64_t constants = -graph->folded_bytes; // those that the graph came with
    for (int i = 0; i < graph->n_values; i++)
        if (graph->values[i].constant) constants += (int64_t)tensor_bytes(graph->values[i].constant);
    fold->budget = fold->limits->total + 4 * MAX(constants, 0);
    return ST_OK;
}

static Status walk(Fold *fold) {
    TRY(fold_begin(fold));
    for (int i = 0; i < fold->graph->n_nodes; i++)
        if (!fold->graph->nodes[i]->dead) TRY(visit(fold, fold->graph->nodes[i]));
    return ST_OK;
}

Status fold_walk(Graph *graph, const FoldLimits *limits, bool *changed) {
    Fold fold = {.graph = graph, .limits = limits};
    const Status status = walk(&fold);
    arena_free(&fold.memory);
    if (fold.changed) *changed = true;
    return status;
}

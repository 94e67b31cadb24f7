// The work in a node, as papers count it.
#include "graph/einsum.h"

static double count_of(const Graph *graph, const Node *node, int input) {
    const Shape shape = type_shape(&graph->values[node->inputs[input]].type);
    return (double)shape_count(&shape);
}

static double product(const Type *type, int from) {
    double total = 1;
    for (int i = from; i < type->rank; i++) total *= (double)type->dim[i];
    return total;
}

// A multiply-add for each combination of all labels; with one input an addition.
static double flop_einsum(const Graph *graph, const Node *node) {
    Einsum einsum;
    int ranks[EINSUM_INPUTS];
    const int64_t *dims[EINSUM_INPUTS];
    int64_t dim[EINSUM_LABELS];
    for (int i = 0; i < node->n_inputs; i++) {
        ranks[i] = graph->values[node->inputs[i]].type.rank;
        dims[i] = graph->values[node->inputs[i]].type.dim;
    }
    if (einsum_read(node, ranks, &einsum) != ST_OK || einsum_dims(&einsum, dims, dim) != ST_OK) return 0;
    double total = einsum.count;
    for (int i = 0; i < EINSUM_LABELS; i++) total *= dim[i] >= 0 ? (double)dim[i] : 1;
    return total;
}

// Multiply-adds behind one output element (Conv, products) or one input element (ConvTranspose).
static double flop_conv(const Graph *graph, const Node *node, double outputs) {
    const Type *x = &graph->values[node->inputs[0]].type, *w = &graph->values[node->inputs[1]].type;
    switch (node->op) {
    case OP_Conv: return 2 * outputs * product(w, 1);
    case OP_ConvTranspose: return 2 * count_of(graph, node, 0) * product(w, 1);
    case OP_Einsum: return flop_einsum(graph, node);
    case OP_Gemm: return 2 * outputs * (double)x->dim[node_int(node, "transA", 0) ? 0 : 1];
    default: return 2 * outputs * (double)x->dim[x->rank - 1];
    }
}

static double window_size(const Node *node) {
    const int64_t *kernel;
    const size_t spatial = node_ints(node, "kernel_shape", &kernel);
    double size = 1;
    for (size_t i = 0; i < spatial; i++) size *= (double)kernel[i];
    return size;
}

static bool all_static(const Graph *graph, const Node *node) {
    for (int i = 0; i < node->n_inputs; i++)
        if (node_has_input(node, i) && !type_is_static(&graph->values[node->inputs[i]].type)) return false;
    return node->n_outputs > 0 && node->outputs[0] >= 0 && type_is_static(&graph->values[node->outputs[0]].type);
}

double node_flop(const Graph *graph, const Node *node) {
    if (!all_static(graph, node)) return 0;
    const Shape shape = type_shape(&graph->values[node->outputs[0]].type);
    const double outputs = (double)shape_count(&shape);
    switch (op_info(node->op)->kind) {
    case KIND_CONV: return flop_conv(graph, node, outputs);
    case KIND_POOL:
        if (node->op == OP_GlobalAveragePool || node->op == OP_GlobalMaxPool) return count_of(graph, node, 0);
        return outputs * window_size(node);
    case KIND_REDUCE: return count_of(graph, node, 0);
    case KIND_SHAPE: return node->op == OP_Resize ? outputs : 0;
    default: return node->op == OP_Identity || node->op == OP_Dropout ? 0 : outputs;
    }
}

#include "app/crop.h"
#include "app/frame.h"
#include "pass/pass.h"

// A reshape by which only dims of 1 change their place, as passes make them of transposes. Both types static.
static bool moves_ones(const Type *x, const Type *y) {
    int i = 0, k = 0;
    for (;; i++, k++) {
        while (i < x->rank && x->dim[i] == 1) i++;
        while (k < y->rank && y->dim[k] == 1) k++;
        if (i >= x->rank || k >= y->rank) return i >= x->rank && k >= y->rank;
        if (x->dim[i] != y->dim[k]) return false;
    }
}
// Gives such a reshape of the copy the sizes that the dims have there now. whole: input and output in the original.
static Status follow_reshape(Graph *copy, Node *node, const Type *whole, const Type *made) {
    const Type *x = &copy->values[node->inputs[0]].type;
    Tensor shape;
    TRY(tensor_make(&copy->arena, DT_I64, shape_of(1, (const int64_t[]){made->rank}), &shape));
    for (int k = 0, i = 0; k < made->rank; k++) {
        tensor_set_int(&shape, k, 1);
        if (made->dim[k] == 1) continue;
        while (whole->dim[i] == 1) i++;
        tensor_set_int(&shape, k, x->dim[i++]);
    }
    return graph_add_constant(copy, "cropped", &shape, &node->inputs[1]);
}
// Types as far as they follow in order; what cannot be told here is left to pass_resolve_shapes.
static Status follow_reshapes(const Graph *graph, Graph *copy) {
    for (int n = 0; n < copy->n_nodes; n++) {
        Node *node = copy->nodes[n];
        const Type *x = node->op == OP_Reshape ? &graph->values[node->inputs[0]].type : NULL;
        const Type *y = x ? &graph->values[node->outputs[0]].type : NULL;
        if (x && type_is_static(x) && type_is_static(y) && moves_ones(x, y) && node_constant(graph, node, 1) &&
            type_is_static(&copy->values[node->inputs[0]].type))
            TRY(follow_reshape(copy, node, x, y));
        const Status status = graph_infer_node(copy, node);
        if (status != ST_OK) return status;
    }
    return ST_OK;
}

Status crop_graph(const Graph *graph, int64_t side, Graph **out) {
    Graph *copy = NULL;
    *out = NULL;
    if (graph->n_inputs != 1 || graph->values[graph->inputs[0]].type.rank < 3) return ST_OK;
    TRY(graph_copy(graph, &copy));
    Type *own = &copy->values[copy->inputs[0]].type;
    const bool last = own->rank == 4 && frame_of_input(own, 0).channels_last;
    for (int i = 2; i < own->rank; i++) own->dim[i - last] = MIN(own->dim[i - last], side);
    for (int i = 0; i < copy->n_values; i++) // forget what was inferred for the full size
        if (copy->values[i].producer) copy->values[i].type = (Type){.dtype = copy->values[i].type.dtype, .rank = -1};
    Status status = follow_reshapes(graph, copy);
    if (status == ST_OK) status = pass_resolve_shapes(copy);
    if (status == ST_OK) *out = copy;
    else graph_free(copy);
    if (status == ST_RESOURCE) return status;
    error_clear();
    return ST_OK;
}

#include "app/crop.h"
#include "app/frame.h"
#include "pass/pass.h"
#include <string.h>

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
// Each such Resize looks through all values: networks have some hundred, a hostile file may have many more.
enum { MOST_VALUES = 4096 };
// The size that all others which are `whole` along this axis in the original have in the copy; 0: none, or several.
static int64_t size_of_others(const Graph *graph, const Graph *copy, int rank, int axis, int64_t whole) {
    int64_t size = 0;
    if (graph->n_values > MOST_VALUES) return 0;
    for (int i = 0; i < graph->n_values; i++) {
        const Type *type = &graph->values[i].type, *cut = &copy->values[i].type;
        if (graph->values[i].constant || type->rank != rank || cut->rank != rank || type->dim[axis] != whole) continue;
        if (cut->dim[axis] <= 0) continue;
        if (size && size != cut->dim[axis]) return 0;
        size = cut->dim[axis];
    }
    return size;
}
// A Resize to a constant size enlarges the copy as it did the original; one pixel, to the size of the others there.
static Status follow_resize(const Graph *graph, Graph *copy, Node *node) {
    const Type *whole = &graph->values[node->inputs[0]].type, *made = &graph->values[node->outputs[0]].type;
    const Type *x = &copy->values[node->inputs[0]].type;
    Tensor sizes;
    TRY(tensor_make(&copy->arena, DT_I64, shape_of(1, (const int64_t[]){made->rank}), &sizes));
    for (int k = 0; k < made->rank; k++) {
        int64_t size;
        const bool stays = whole->dim[k] == made->dim[k];
        if (!mul_i64(x->dim[k], stays ? 1 : made->dim[k], &size)) return ST_OK;
        if (!stays && whole->dim[k] > 1) size = size % whole->dim[k] ? 0 : size / whole->dim[k];
        else if (!stays) size = size_of_others(graph, copy, made->rank, k, made->dim[k]);
        if (size <= 0) return ST_OK; // stays as it is; whether that goes together is seen
        tensor_set_int(&sizes, k, size);
    }
    return graph_add_constant(copy, "cropped", &sizes, &node->inputs[3]);
}
static bool resizes_to_a_size(const Graph *graph, const Node *node) {
    const Tensor *sizes = node->op == OP_Resize ? node_constant(graph, node, 3) : NULL;
    const int64_t *axes;
    return sizes && tensor_count(sizes) == graph->values[node->outputs[0]].type.rank &&
           !node_ints(node, "axes", &axes) &&
           !strcmp(node_string(node, "keep_aspect_ratio_policy", "stretch"), "stretch");
}
// Types as far as they follow in order; what cannot be told here is left to pass_resolve_shapes.
static Status follow_sizes(const Graph *graph, Graph *copy) {
    for (int n = 0; n < copy->n_nodes; n++) {
        Node *node = copy->nodes[n];
        const bool reshapes = node->op == OP_Reshape && node_constant(graph, node, 1);
        if (reshapes || resizes_to_a_size(graph, node)) {
            const Type *x = &graph->values[node->inputs[0]].type, *y = &graph->values[node->outputs[0]].type;
            const bool known =
                type_is_static(x) && type_is_static(y) && type_is_static(&copy->values[node->inputs[0]].type);
            if (known && !reshapes) TRY(follow_resize(graph, copy, node));
            if (known && reshapes && moves_ones(x, y)) TRY(follow_reshape(copy, node, x, y));
        }
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
    Status status = follow_sizes(graph, copy);
    if (status == ST_OK) status = pass_resolve_shapes(copy);
    if (status == ST_OK) *out = copy;
    else graph_free(copy);
    if (status == ST_RESOURCE) return status;
    error_clear();
    return ST_OK;
}

// What repeats each element along an axis, written as Reshape, Tile, Reshape (Keras' UpSampling2D after conversion to
// TensorFlow Lite, PyTorch's repeat_interleave), becomes a Resize by the nearest; Resizes of several axes become one.
//
//   (n, h, w, c) -> (n, h, 1, w, c) -> Tile by 2 -> (n, h, 2, w, c) -> (n, 2 h, w, c)
//
// In memory a Tile of a dim of 1 repeats what lies behind that dim, as a Resize of the dim before it does. So the Tile
// becomes Reshape, Resize, Reshape, and the Reshapes around it vanish where they undo each other (canonicalise). Only
// spatial axes: those from the second on, or what a Transpose has brought from there. Values and bits stay.
#include "pass/rewrite.h"
#include <string.h>

// Whether axis `axis` of the value is one of those behind batch and channels, where channels come first.
static bool is_spatial(const Graph *graph, ValueId value, int axis) {
    const Node *node = graph->values[value].producer;
    while (node && node->op == OP_Resize) node = graph->values[node->inputs[0]].producer;
    if (!node || node->op != OP_Transpose) return axis >= 2;
    const int64_t *perm;
    return node_ints(node, "perm", &perm) > (size_t)axis && perm[axis] >= 2;
}

// The only axis that the Tile repeats, and how often; -1: none, or several.
static int repeated_axis(const Graph *graph, const Node *tile, int64_t *times) {
    int64_t repeats[MAX_INTS];
    int count, axis = -1;
    const Type *const type = input_type(graph, tile, 0);
    if (!constant_ints(graph, tile->inputs[1], repeats, &count) || count != type->rank) return -1;
    for (int i = 0; i < count; i++) {
        if (repeats[i] == 1) continue;
        if (axis >= 0 || repeats[i] < 2) return -1;
        axis = i;
        *times = repeats[i];
    }
    return axis;
}

// Dims from `first` on are known.
static bool are_known(const Type *type, int first) {
    for (int i = first; i < type->rank; i++)
        if (type->dim[i] <= 0) return false;
    return true;
}

static Status set_nearest(Graph *graph, Node *node) {
    TRY(node_set_string(graph, node, "mode", "nearest"));
    TRY(node_set_string(graph, node, "coordinate_transformation_mode", "asymmetric"));
    return node_set_string(graph, node, "nearest_mode", "floor");
}

static Status add_scales(Graph *graph, const char *name, const double *scales, int rank, ValueId *out) {
    Tensor tensor;
    TRY(make_tensor(graph, DT_F32, shape_of(1, (const int64_t[]){rank}), &tensor));
    for (int i = 0; i < rank; i++) tensor_set(&tensor, i, scales[i]);
    return graph_add_constant(graph, name, &tensor, out);
}

// The value that the Tile's input is a Reshape of, if it has the dims without the repeated one; else NO_VALUE.
static ValueId before_reshape(const Graph *graph, const Node *tile, int axis) {
    const Node *const reshape = made_by(graph, tile->inputs[0], OP_Reshape);
    if (!reshape) return NO_VALUE;
    const Type *const x = input_type(graph, reshape, 0), *const y = input_type(graph, tile, 0);
    if (x->rank != y->rank - 1) return NO_VALUE;
    for (int i = 0; i < x->rank; i++)
        if (x->dim[i] != y->dim[i + (i >= axis)]) return NO_VALUE;
    return reshape->inputs[0];
}

static Status repeat(Graph *graph, Node *node, bool *changed) {
    int64_t times = 0, shape[MAX_RANK] = {0};
    double scales[MAX_RANK];
    if (node->op != OP_Tile) return ST_OK;
    const int axis = repeated_axis(graph, node, &times);
    const Type y = *input_type(graph, node, 0);
    if (axis < 2 || y.dim[axis] != 1 || y.rank > 6 || y.rank < 4 || y.dtype != DT_F32 || !are_known(&y, axis - 1))
        return ST_OK;
    const ValueId x = before_reshape(graph, node, axis);
    if (x == NO_VALUE || !is_spatial(graph, x, axis - 1)) return ST_OK;
    const int rank = y.rank - 1;
    for (int i = 0; i < rank; i++) scales[i] = i == axis - 1 ? (double)times : 1;
    for (int i = axis - 1; i < y.rank; i++) shape[i] = i == axis ? times : y.dim[i];
    ValueId inputs[4] = {x, NO_VALUE, NO_VALUE, NO_VALUE}, list;
    Node *resize;
    TRY(add_scales(graph, graph->values[x].name, scales, rank, &inputs[2]));
    TRY(insert_node(graph, node_index(graph, node), OP_Resize, inputs, 3, NULL, node->outputs[0], &resize));
    TRY(set_nearest(graph, resize));
    TRY(graph_infer_node(graph, resize));
    TRY(add_int_list(graph, graph->values[node->outputs[0]].name, shape, y.rank, &list));
    *changed = true;
    return node_become(graph, node, OP_Reshape, (const ValueId[]){resize->outputs[0], list}, 2);
}

// ---- Resizes behind each other ----

// A Resize by the nearest to whole multiples: its scales, for all axes.
static bool multiplies(const Graph *graph, const Node *node, double *scales) {
    const Tensor *const given = node->n_inputs > 2 ? node_constant(graph, node, 2) : NULL;
    const int rank = input_type(graph, node, 0)->rank;
    if (!given || node_has_input(node, 3) || node_attr(node, "axes") || tensor_count(given) != rank || rank > MAX_RANK)
        return false;
    if (strcmp(node_string(node, "mode", "nearest"), "nearest") ||
        strcmp(node_string(node, "coordinate_transformation_mode", "half_pixel"), "asymmetric") ||
        strcmp(node_string(node, "nearest_mode", "round_prefer_floor"), "floor"))
        return false;
    for (int i = 0; i < rank; i++) {
        scales[i] = tensor_get(given, i);
        if (!(scales[i] >= 1 && scales[i] <= 64) || scales[i] != (double)(int)scales[i]) return false;
    }
    return true;
}

static Status join(Graph *graph, Node *node, bool *changed) {
    double scales[MAX_RANK], first[MAX_RANK];
    if (node->op != OP_Resize) return ST_OK;
    Node *const before = made_by(graph, node->inputs[0], OP_Resize);
    if (!before || !used_once(graph, before->outputs[0]) || !multiplies(graph, node, scales) ||
        !multiplies(graph, before, first))
        return ST_OK;
    const int rank = input_type(graph, node, 0)->rank;
    for (int i = 0; i < rank; i++) scales[i] *= first[i];
    ValueId inputs[4] = {before->inputs[0], NO_VALUE, NO_VALUE, NO_VALUE};
    TRY(add_scales(graph, graph->values[before->inputs[2]].name, scales, rank, &inputs[2]));
    *changed = true;
    TRY(node_become(graph, node, OP_Resize, inputs, 3));
    return set_nearest(graph, node);
}

Status pass_recognise_repeat(Graph *graph, bool *changed) {
    static Rewrite *const rewrites[] = {repeat, join};
    return rewrite_nodes(graph, rewrites, COUNT_OF(rewrites), changed);
}

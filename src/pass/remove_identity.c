// Removes what hands its input on unchanged.
//
// Bits stay, but for three corners: x + 0 made +0 of -0, a Resize to the same size by linear or cubic weights made
// NaN of a value beside an infinite one (0 * inf), and a signalling NaN passed through arithmetic became quiet.
#include "pass/rewrite.h"
#include <string.h>

static bool dims_stay(const Graph *graph, const Node *node) {
    return same_dims(input_type(graph, node, 0), output_type(graph, node));
}

static bool is_cast_to_same(const Graph *graph, const Node *node) {
    const DType dtype = input_type(graph, node, 0)->dtype;
    return dtype != DT_NONE && dtype == dtype_from_name(node_string(node, "to", ""));
}

// A mask, or indices, that nobody reads.
static bool only_first_wanted(const Graph *graph, const Node *node) {
    return node->n_outputs < 2 || node->outputs[1] < 0 || graph_uses(graph, node->outputs[1]) == 0;
}

static bool is_identity_perm(const Node *node) {
    const int64_t *perm;
    const size_t rank = node_ints(node, "perm", &perm);
    for (size_t i = 0; i < rank; i++)
        if (perm[i] != (int64_t)i) return false;
    return rank > 0;
}

// Same size in every axis, steps forward: then all of it is taken. Where a dim is not known the numbers must say so.
static bool is_whole_slice(const Graph *graph, const Node *node) {
    int64_t starts[MAX_INTS], ends[MAX_INTS];
    int n_starts, n_ends;
    if (node_has_input(node, 4) && !constant_all(graph, node->inputs[4], 1)) return false;
    if (dims_stay(graph, node)) return true;
    if (!constant_ints(graph, node->inputs[1], starts, &n_starts)) return false;
    if (!constant_ints(graph, node->inputs[2], ends, &n_ends) || n_starts != n_ends) return false;
    for (int i = 0; i < n_starts; i++)
        if (starts[i] != 0 || ends[i] < INT32_MAX) return false;
    return true;
}

// Sizes equal are not enough: with scales 1.04 of 10 pixels the size stays 10, but the samples move.
static bool is_whole_resize(const Graph *graph, const Node *node) {
    const char *const mode = node_string(node, "coordinate_transformation_mode", "half_pixel");
    if (!strcmp(mode, "tf_crop_and_resize") || !dims_stay(graph, node)) return false;
    if (node_has_input(node, 3)) return true; // scale = out / in = 1
    return node_has_input(node, 2) && constant_all(graph, node->inputs[2], 1);
}

static bool all_are(const Node *node, const char *name, int64_t expected) {
    const int64_t *values;
    const size_t count = node_ints(node, name, &values);
    for (size_t i = 0; i < count; i++)
        if (values[i] != expected) return false;
    return true;
}

// A window of one pixel and step one. (SAME pads nothing then.)
static bool is_one_pixel_pool(const Node *node) {
    const int64_t *kernel;
    return node_ints(node, "kernel_shape", &kernel) > 0 && all_are(node, "kernel_shape", 1) &&
           all_are(node, "strides", 1) && all_are(node, "pads", 0);
}

// The neutral element on input `i`, which does not change the other's shape or dtype.
static bool is_neutral(const Graph *graph, const Node *node, int i, double neutral) {
    const Type *const x = input_type(graph, node, 1 - i);
    if (!constant_all(graph, node->inputs[i], neutral)) return false;
    return is_scalar_for(graph, node->inputs[i], x) || same_dims(x, output_type(graph, node));
}

// Which input of an arithmetic node is its result, or -1.
static int surviving_input(const Graph *graph, const Node *node) {
    const bool commutes = node->op == OP_Add || node->op == OP_Mul;
    const double neutral = node->op == OP_Add || node->op == OP_Sub ? 0 : 1;
    if (is_neutral(graph, node, 1, neutral)) return 0;
    return commutes && is_neutral(graph, node, 0, neutral) ? 1 : -1;
}

static bool is_noop(const Graph *graph, const Node *node) {
    switch (node->op) {
    case OP_Identity: return true;
    case OP_Cast: return is_cast_to_same(graph, node);
    case OP_Dropout: return only_first_wanted(graph, node);
    case OP_Transpose: return is_identity_perm(node);
    case OP_Reshape:
    case OP_Flatten:
    case OP_Squeeze:
    case OP_Unsqueeze:
    case OP_Expand: return dims_stay(graph, node);
    case OP_Pad: return constant_all(graph, node->inputs[1], 0);
    case OP_Tile: return constant_all(graph, node->inputs[1], 1);
    case OP_Concat:
    case OP_Min:
    case OP_Max: return node->n_inputs == 1;
    case OP_Split: return node->n_outputs == 1 && dims_stay(graph, node);
    case OP_Slice: return is_whole_slice(graph, node);
    case OP_Resize: return is_whole_resize(graph, node);
    case OP_MaxPool:
    case OP_AveragePool: return only_first_wanted(graph, node) && is_one_pixel_pool(node);
    default: return false;
    }
}

static Status remove_identity(Graph *graph, Node *node, bool *changed) {
    int survivor = -1;
    switch (node->op) {
    case OP_Add:
    case OP_Sub:
    case OP_Mul:
    case OP_Div:
    case OP_Pow: survivor = surviving_input(graph, node); break;
    default: survivor = node->n_outputs > 0 && node->outputs[0] >= 0 && is_noop(graph, node) ? 0 : -1;
    }
    if (survivor >= 0 && replace_output(graph, node, node->inputs[survivor])) *changed = true;
    return ST_OK;
}

Status pass_remove_identity(Graph *graph, bool *changed) {
    static Rewrite *const rewrites[] = {remove_identity};
    return rewrite_nodes(graph, rewrites, COUNT_OF(rewrites), changed);
}

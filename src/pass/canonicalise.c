// One way to write each thing, so that later passes and the planner look for one form only:
//
//   Conv, ConvTranspose, pools   kernel_shape, strides, dilations, pads spelt out; no auto_pad, no output_shape
//   Add, Mul, Min, Max ...       a constant stands right
//   Flatten, Squeeze, Unsqueeze  Reshape by a constant shape
//   Gather by evenly spaced constants   Slice, and Reshape where the indices are not one list
//   ReduceMean, ReduceMax        over all spatial dims, kept: GlobalAveragePool, GlobalMaxPool
//   Max(x, 0), Clip(x, 0, inf)   Relu; other Min and Max by scalars: Clip
//
// No rounding changes. Clip(x, 0, largest float) becomes Relu too: an infinite x stays infinite then.
#include "pass/rewrite.h"
#include <float.h>
#include <math.h>
#include <string.h>

// ---- Windows ----

static bool ints_are(const Node *node, const char *name, const int64_t *values, size_t count) {
    const int64_t *own;
    return node_ints(node, name, &own) == count && !memcmp(own, values, count * sizeof *values);
}

static Status set_ints(Graph *graph, Node *node, const char *name, const int64_t *values, int count, bool *changed) {
    if (ints_are(node, name, values, (size_t)count)) return ST_OK;
    *changed = true;
    return node_set_ints(graph, node, name, values, (size_t)count);
}

static void unset(Node *node, const char *name, bool *changed) {
    *changed |= node_attr(node, name) != NULL;
    node_unset(node, name);
}

// A ConvTranspose of a wanted size may need more output_padding than the attribute may say; it is left then.
static bool can_spell_out(const Node *node, const Window *window) {
    for (int i = 0; i < window->spatial && node->op == OP_ConvTranspose; i++) {
        const int64_t extra = window->output_padding[i];
        if (extra > 0 && extra >= MAX(window->stride[i], window->dilation[i])) return false;
    }
    return true;
}

static Status spell_out(Graph *graph, Node *node, const Window *window, bool *changed) {
    const int n = window->spatial;
    int64_t pads[6];
    for (int i = 0; i < n; i++) {
        pads[i] = window->pad_begin[i];
        pads[n + i] = window->pad_end[i];
    }
    TRY(set_ints(graph, node, "kernel_shape", window->kernel, n, changed));
    TRY(set_ints(graph, node, "strides", window->stride, n, changed));
    TRY(set_ints(graph, node, "dilations", window->dilation, n, changed));
    TRY(set_ints(graph, node, "pads", pads, 2 * n, changed));
    // SAME fixes the output size, which no rounding up may change once the pads stand alone.
    if (text_starts(node_string(node, "auto_pad", ""), "SAME")) unset(node, "ceil_mode", changed);
    unset(node, "auto_pad", changed);
    if (node->op != OP_ConvTranspose) return ST_OK;
    unset(node, "output_shape", changed);
    return set_ints(graph, node, "output_padding", window->output_padding, n, changed);
}

static Status canonical_window(Graph *graph, Node *node, bool *changed) {
    const bool weighted = node->op == OP_Conv || node->op == OP_ConvTranspose;
    if (!weighted && node->op != OP_MaxPool && node->op != OP_AveragePool) return ST_OK;
    Type x = *input_type(graph, node, 0);
    if (x.rank < 3) return ST_OK;
    x.dim[0] = x.dim[1] = 1; // a window does not depend on batch and channels, which may be free
    const Type *const w = weighted ? input_type(graph, node, 1) : &x;
    if (!type_is_static(&x) || !type_is_static(w)) return ST_OK;
    const Shape input = type_shape(&x), weight = type_shape(w);
    Window window;
    TRY(window_of(node, &input, weighted ? &weight : NULL, &window));
    return can_spell_out(node, &window) ? spell_out(graph, node, &window, changed) : ST_OK;
}

// ---- Order of operands ----

static bool commutes(const Node *node) {
    switch (node->op) {
    case OP_Add:
    case OP_Mul:
    case OP_And:
    case OP_Or:
    case OP_Xor:
    case OP_Equal: return true;
    case OP_Min:
    case OP_Max: return node->n_inputs == 2;
    default: return false;
    }
}

static Status constant_right(Graph *graph, Node *node, bool *changed) {
    if (!commutes(node) || !node_constant(graph, node, 0) || node_constant(graph, node, 1)) return ST_OK;
    const ValueId constant = node->inputs[0];
    node->inputs[0] = node->inputs[1];
    node->inputs[1] = constant;
    *changed = true;
    return ST_OK;
}

// ---- Shapes ----

// Reshape's shape for an output type: known dims as they are, a symbol that the input has at the same place copied
// (0), at most one other inferred (-1). A dim of 0 would read as a copy.
static bool reshape_dims(const Type *in, const Type *out, int64_t *dims) {
    int inferred = 0;
    for (int i = 0; i < out->rank; i++) {
        const bool copied = out->dim[i] <= DIM_SYMBOL_0 && i < in->rank && in->dim[i] == out->dim[i];
        if (out->dim[i] == 0) return false;
        dims[i] = out->dim[i] > 0 ? out->dim[i] : copied ? 0 : -1;
        inferred += dims[i] == -1;
    }
    return out->rank >= 0 && inferred <= 1;
}

static bool has_shape(const Graph *graph, const Node *node, const int64_t *dims, int rank) {
    int64_t own[MAX_INTS];
    int count;
    return node->op == OP_Reshape && node->n_attrs == 0 && constant_ints(graph, node->inputs[1], own, &count) &&
           count == rank && !memcmp(own, dims, (size_t)rank * sizeof *dims);
}

static Status canonical_reshape(Graph *graph, Node *node, bool *changed) {
    if (node->op != OP_Reshape && node->op != OP_Flatten && node->op != OP_Squeeze && node->op != OP_Unsqueeze)
        return ST_OK;
    const Type *const in = input_type(graph, node, 0), *const out = output_type(graph, node);
    int64_t dims[MAX_RANK];
    if (in->rank < 0 || !reshape_dims(in, out, dims) || has_shape(graph, node, dims, out->rank)) return ST_OK;
    ValueId inputs[2] = {node->inputs[0], NO_VALUE};
    const char *const name = graph->values[node->outputs[0]].name;
    TRY(add_int_list(graph, name, dims, out->rank, &inputs[1]));
    *changed = true;
    return node_become(graph, node, OP_Reshape, inputs, 2);
}

// ---- Gather ----

// Indices first, first + step, ... with step > 0, of an axis with `size` elements; at least one.
typedef struct EvenIndices {
    int64_t first, step, count;
} EvenIndices;
static bool even_indices(const Graph *graph, ValueId value, int64_t size, EvenIndices *out) {
    int64_t index[MAX_INTS];
    int count;
    if (!constant_ints(graph, value, index, &count) || count < 1) return false;
    for (int i = 0; i < count; i++) index[i] += index[i] < 0 ? size : 0;
    *out = (EvenIndices){index[0], count > 1 ? index[1] - index[0] : 1, count};
    for (int i = 0; i < count; i++)
        if (index[i] != out->first + i * out->step || index[i] < 0 || index[i] >= size) return false;
    return out->step > 0;
}
// Of floating-point values only: in the arithmetic of shapes Gather is known (known_ints.c).
static Status slice_of_gather(Graph *graph, Node *node, bool *changed) {
    if (node->op != OP_Gather) return ST_OK;
    const Type x = *input_type(graph, node, 0), out = *output_type(graph, node);
    const int64_t axis = node_int(node, "axis", 0) + (node_int(node, "axis", 0) < 0 ? x.rank : 0);
    int64_t dims[MAX_RANK];
    EvenIndices indices;
    if (!dtype_is_float(x.dtype) || x.rank < 1 || x.dim[axis] < 0 || !reshape_dims(&x, &out, dims)) return ST_OK;
    if (!even_indices(graph, node->inputs[1], x.dim[axis], &indices)) return ST_OK;
    const bool list = input_type(graph, node, 1)->rank == 1;
    const char *const name = graph->values[node->outputs[0]].name;
    const int64_t numbers[] = {indices.first, indices.first + (indices.count - 1) * indices.step + 1, axis,
                               indices.step};
    ValueId inputs[1 + COUNT_OF(numbers)] = {node->inputs[0]}, reshape[2];
    for (size_t i = 0; i < COUNT_OF(numbers); i++) TRY(add_int_list(graph, name, &numbers[i], 1, &inputs[1 + i]));
    *changed = true;
    if (list) return node_become(graph, node, OP_Slice, inputs, COUNT_OF(inputs));
    Node *slice;
    TRY(insert_node(graph, node_index(graph, node), OP_Slice, inputs, COUNT_OF(inputs), NULL, node->outputs[0], &slice));
    TRY(graph_infer_node(graph, slice));
    reshape[0] = slice->outputs[0];
    TRY(add_int_list(graph, name, dims, out.rank, &reshape[1]));
    return node_become(graph, node, OP_Reshape, reshape, 2);
}

// ---- Global pooling ----

static Status global_pool(Graph *graph, Node *node, bool *changed) {
    const Op pool = node->op == OP_ReduceMean ? OP_GlobalAveragePool : OP_GlobalMaxPool;
    if ((node->op != OP_ReduceMean && node->op != OP_ReduceMax) || !node_int(node, "keepdims", 1)) return ST_OK;
    const Type *const x = input_type(graph, node, 0);
    int64_t axes[MAX_INTS];
    int count, seen = 0;
    if (x->rank < 3 || x->rank > 5 || !dtype_is_float(x->dtype)) return ST_OK;
    if (!constant_axes(graph, node, 1, x->rank, axes, &count)) return ST_OK;
    for (int i = 0; i < count; i++) seen |= 1 << axes[i];
    if (seen != (1 << x->rank) - 4) return ST_OK; // all but batch and channels
    const ValueId input = node->inputs[0];
    *changed = true;
    return node_become(graph, node, pool, &input, 1);
}

// ---- Ranges ----

// x where the node is Max or Min of x and a scalar constant.
static Status clip_of_extreme(Graph *graph, Node *node, bool *changed) {
    ValueId x;
    double bound;
    if ((node->op != OP_Max && node->op != OP_Min) || node->n_inputs != 2) return ST_OK;
    if (!split_scalar(graph, node, &x, &bound) || isnan(bound)) return ST_OK;
    const bool is_max = node->op == OP_Max;
    ValueId inputs[3] = {x, NO_VALUE, NO_VALUE};
    const ValueId constant = node->inputs[0] == x ? node->inputs[1] : node->inputs[0];
    inputs[is_max ? 1 : 2] = constant;
    *changed = true;
    return node_become(graph, node, OP_Clip, inputs, is_max ? 2 : 3);
}

static Status relu_of_clip(Graph *graph, Node *node, bool *changed) {
    double low, high = INFINITY;
    if (node->op != OP_Clip || !dtype_is_float(output_type(graph, node)->dtype) || !node_has_input(node, 1))
        return ST_OK;
    if (!constant_scalar(graph, node->inputs[1], &low) || low != 0) return ST_OK;
    if (node_has_input(node, 2) && !constant_scalar(graph, node->inputs[2], &high)) return ST_OK;
    if (high < (double)FLT_MAX) return ST_OK;
    const ValueId input = node->inputs[0];
    *changed = true;
    return node_become(graph, node, OP_Relu, &input, 1);
}

Status pass_canonicalise(Graph *graph, bool *changed) {
    static Rewrite *const rewrites[] = {canonical_window, constant_right,  canonical_reshape, slice_of_gather,
                                        global_pool,      clip_of_extreme, relu_of_clip};
    return rewrite_nodes(graph, rewrites, COUNT_OF(rewrites), changed);
}

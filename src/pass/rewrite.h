// What the passes share: matching against a graph, and editing it in place. Private to src/pass.
//
// A rewrite edits the node that makes the *last* value of the pattern, so that this value keeps its id, its name and
// its place in the order; what the pattern no longer needs loses its last use and is dropped by graph_compact.
#pragma once
#include "pass/pass.h"

// Matching.
Node *made_by(const Graph *graph, ValueId value, Op op); // the node of that op which makes the value, or NULL
bool used_once(const Graph *graph, ValueId value);
bool is_output(const Graph *graph, ValueId value);
static inline const Type *input_type(const Graph *graph, const Node *node, int i) {
    return &graph->values[node->inputs[i]].type; // the input must be there
}
static inline const Type *output_type(const Graph *graph, const Node *node) {
    return &graph->values[node->outputs[0]].type;
}
int node_index(const Graph *graph, const Node *node); // the index of a node of the graph
// A Conv of float32 with constant weights that sees one pixel at a time: 1x1, stride 1, no pads, one group.
bool is_pointwise_conv(const Graph *graph, const Node *node);
bool same_dims(const Type *a, const Type *b); // ranks and dims known (or the same symbols) and equal

// Constants. `value` may be NO_VALUE.
bool constant_scalar(const Graph *graph, ValueId value, double *out);  // of a constant with one element, any rank
bool constant_all(const Graph *graph, ValueId value, double expected); // a constant, every element is that
enum { MAX_INTS = 4 * MAX_RANK };
bool constant_ints(const Graph *graph, ValueId value, int64_t *out, int *count); // integer constant of at most MAX_INTS
// Axes in 0..rank-1 of a constant axes input (negative ones count from the end). Absent or empty: false.
bool constant_axes(const Graph *graph, const Node *node, int input, int rank, int64_t *axes, int *count);
// True when `value` has one element and its rank does not exceed that of `x`: broadcasting leaves x's shape alone.
bool is_scalar_for(const Graph *graph, ValueId value, const Type *x);

// In a node of two inputs: when one of them is a scalar constant (see is_scalar_for), its value and the other input.
bool split_scalar(const Graph *graph, const Node *node, ValueId *x, double *scalar);
// The same for one expected scalar; tolerance relative. True and *x on a match.
bool with_scalar(const Graph *graph, const Node *node, double expected, double tolerance, ValueId *x);

// Editing.
Status make_tensor(Graph *graph, DType dtype, Shape shape, Tensor *out); // in the graph's arena
// Elements that a pass may hold because of dims alone, which a model can claim for nothing; beyond, nodes stay as they are.
enum { MOST_MADE = 1 << 22 };
Status add_int_list(Graph *graph, const char *name, const int64_t *values, int count, ValueId *out); // int64, one axis
Status add_scalar(Graph *graph, const char *name, DType dtype, double value, ValueId *out);          // rank 0
// The node becomes another one with the same outputs: op, inputs, no attributes.
Status node_become(Graph *graph, Node *node, Op op, const ValueId *inputs, int n_inputs);
Status copy_attrs(Graph *graph, const Node *from, Node *to);
void node_unset(Node *node, const char *name);
// Every use of the node's (first) output becomes a use of `to` and the node dies. Does nothing and gives false where
// that would change the name of a graph output (`to` is an input, a constant or an output itself).
bool replace_output(Graph *graph, Node *node, ValueId to);
// A new node before nodes[at] with one new output, named after value `like`; name and attributes from `attrs` (may be
// NULL). The output's type is not known yet: graph_infer_node once the attributes stand.
Status insert_node(Graph *graph, int at, Op op, const ValueId *inputs, int n_inputs, const Node *attrs, ValueId like,
                   Node **out);

// Calls the rewrites on each live node in order.
typedef Status Rewrite(Graph *graph, Node *node, bool *changed);
Status rewrite_nodes(Graph *graph, Rewrite *const *rewrites, size_t count, bool *changed);

// The passes, in the order of table.c.
Status pass_fold_constants(Graph *graph, bool *changed);
Status pass_lower_einsum(Graph *graph, bool *changed);
Status pass_remove_identity(Graph *graph, bool *changed);
Status pass_canonicalise(Graph *graph, bool *changed);
Status pass_recognise_activation(Graph *graph, bool *changed);
Status pass_recognise_normalisation(Graph *graph, bool *changed);
Status pass_recognise_repeat(Graph *graph, bool *changed);
Status pass_cse(Graph *graph, bool *changed);
Status pass_cancel_transpose(Graph *graph, bool *changed);
Status pass_merge_pad(Graph *graph, bool *changed);
Status pass_cut_kernel(Graph *graph, bool *changed);
Status pass_fold_normalisation(Graph *graph, bool *changed);
Status pass_resize_late(Graph *graph, bool *changed);
Status pass_merge_linear(Graph *graph, bool *changed);
Status pass_algebra(Graph *graph, bool *changed);

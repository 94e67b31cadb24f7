// Transposes move towards the outputs until they meet one that undoes them.
//
// TensorFlow keeps channels last, so that exporters put a Transpose before and another behind each convolution:
//
//      Conv -> T(nhwc) -> Add -> Relu -> T(nchw) -> Conv     becomes     Conv -> Add -> Relu -> Conv
//
// A node f behind Transposes by one and the same perm is computed before them instead: f(T x, T y) = T f'(x, y),
// where f' has its axes, pads and constants permuted. Values that are moved past keep their names where somebody
// still reads them in the old order. Bits stay, but for reductions, which add in another order.
//
// What y = Transpose(x, perm) means: axis k of y is axis perm[k] of x. So an axis attribute k of f is perm[k] in f',
// and a list with one entry for each axis has entry k at perm[k] in f'.
#include "pass/rewrite.h"
#include <string.h>

typedef struct Perm {
    int rank;
    int64_t to[MAX_RANK];
} Perm;

static bool is_identity(const Perm *perm) {
    for (int i = 0; i < perm->rank; i++)
        if (perm->to[i] != i) return false;
    return true;
}

static Perm inverse_of(const Perm *perm) {
    Perm inverse = {.rank = perm->rank};
    for (int i = 0; i < perm->rank; i++) inverse.to[perm->to[i]] = i;
    return inverse;
}

static bool perm_of(const Graph *graph, const Node *transpose, Perm *out) {
    const int64_t *perm;
    const size_t count = node_ints(transpose, "perm", &perm);
    out->rank = input_type(graph, transpose, 0)->rank;
    if (out->rank < 0 || (count && count != (size_t)out->rank)) return false;
    for (int i = 0; i < out->rank; i++) {
        out->to[i] = count ? perm[i] : out->rank - 1 - i;
        if (out->to[i] < 0) out->to[i] += out->rank;
    }
    return true;
}

// Only dims of 1 change their place: no data moves. `type`: before the Transpose.
static bool moves_nothing(const Type *type, const Perm *perm) {
    int64_t last = -1;
    for (int i = 0; i < perm->rank; i++) {
        if (type->dim[perm->to[i]] == 1) continue;
        if (perm->to[i] < last) return false;
        last = perm->to[i];
    }
    return true;
}

// ---- A node to be moved ----

typedef struct Sink {
    Graph *graph;
    Node *node;
    int at;      // its index
    Perm perm;   // of the Transposes before it
    bool moves;  // they move data
    Perm behind; // of those that will stand behind it; another rank where a reduction drops dims
    Node *moved; // the new node
} Sink;

static Node *transpose_before(const Sink *s, int input, Perm *perm) {
    if (!node_has_input(s->node, input)) return NULL;
    Node *const transpose = made_by(s->graph, s->node->inputs[input], OP_Transpose);
    return transpose && perm_of(s->graph, transpose, perm) ? transpose : NULL;
}

// Inputs 0 .. data_inputs-1 are tensors with the axes of the output; the others are parameters.
static int data_inputs(const Node *node) {
    switch (node->op) {
    case OP_Clip:
    case OP_Cast:
    case OP_Identity:
    case OP_Dropout:
    case OP_Softmax:
    case OP_LogSoftmax:
    case OP_ReduceMean:
    case OP_ReduceSum:
    case OP_ReduceMax:
    case OP_ReduceMin:
    case OP_ReduceProd:
    case OP_ReduceL1:
    case OP_ReduceL2:
    case OP_ArgMax:
    case OP_Pad:
    case OP_Slice:
    case OP_Resize:
    case OP_Tile:
    case OP_Split: return 1;
    case OP_Where:
    case OP_Concat: return node->n_inputs;
    default: break;
    }
    const OpKind kind = op_info(node->op)->kind;
    const bool elementwise = kind == KIND_UNARY || kind == KIND_BINARY || kind == KIND_COMPARE || kind == KIND_LOGICAL;
    return elementwise ? node->n_inputs : 0;
}

// An input without a Transpose that can be given in the order before them: a constant, or one where nothing moves.
// (The latter costs a Transpose of its own, so that there must be something to win; else the two would chase each
// other.)
static bool can_reorder(const Sink *s, int input) {
    const ValueId value = s->node->inputs[input];
    const Type *const type = &s->graph->values[value].type;
    if (type->rank < 0 || type->rank > s->perm.rank) return false;
    if (s->node->op == OP_Concat && type->rank != s->perm.rank) return false;
    if (s->graph->values[value].constant || type->rank == 0) return true;
    const Perm inverse = inverse_of(&s->perm);
    return s->moves && type->rank == s->perm.rank && moves_nothing(type, &inverse);
}

static bool find_perm(Sink *s, int inputs) {
    bool found = false;
    for (int i = 0; i < inputs && !found; i++) {
        const Node *const transpose = transpose_before(s, i, &s->perm);
        found = transpose != NULL;
        s->moves = found && !moves_nothing(input_type(s->graph, transpose, 0), &s->perm);
    }
    if (!found || is_identity(&s->perm)) return false;
    for (int i = 0; i < inputs; i++) {
        Perm perm;
        if (transpose_before(s, i, &perm)) {
            if (perm.rank != s->perm.rank || memcmp(perm.to, s->perm.to, (size_t)perm.rank * sizeof *perm.to))
                return false;
        } else if (!can_reorder(s, i)) {
            return false;
        }
    }
    return true;
}

// ---- Constants and lists in the order before the Transposes ----

// A constant of at most the perm's rank, leading ones added, permuted by `perm`.
static Status permuted_constant(Graph *graph, ValueId value, const Perm *perm, ValueId *out) {
    Tensor from = *graph->values[value].constant, to;
    int axes[MAX_RANK];
    *out = value;
    if (from.shape.rank == 0) return ST_OK;
    const int missing = perm->rank - from.shape.rank;
    Shape full = {.rank = perm->rank};
    for (int i = 0; i < full.rank; i++) {
        full.dim[i] = i < missing ? 1 : from.shape.dim[i - missing];
        axes[i] = (int)perm->to[i];
    }
    from.shape = full;
    TRY(tensor_permute(&graph->arena, &from, axes, &to));
    return graph_add_constant(graph, graph->values[value].name, &to, out);
}

// A constant list of `blocks` times one entry an axis; entry k of each block goes to perm[k].
static Status permute_list(Sink *s, int input, int blocks, bool *fits) {
    const Tensor *const list = node_constant(s->graph, s->moved, input);
    const int rank = s->perm.rank;
    *fits = list && list->shape.rank == 1 && tensor_count(list) == (int64_t)blocks * rank;
    if (!*fits) return ST_OK;
    Tensor made;
    TRY(make_tensor(s->graph, list->dtype, list->shape, &made));
    const size_t size = dtype_size(list->dtype);
    for (int b = 0; b < blocks; b++)
        for (int k = 0; k < rank; k++)
            memcpy((char *)made.data + (size_t)(b * rank + s->perm.to[k]) * size,
                   (const char *)list->data + (size_t)(b * rank + k) * size, size);
    const char *const name = s->graph->values[s->moved->inputs[input]].name;
    return graph_add_constant(s->graph, name, &made, &s->moved->inputs[input]);
}

// Constant axes as input `input`, mapped; absent: all axes in order, for a list of `count`.
static Status map_axes(Sink *s, int input, int count) {
    int64_t axes[MAX_INTS];
    int n = count;
    for (int i = 0; i < count; i++) axes[i] = i;
    if (node_has_input(s->moved, input)) constant_axes(s->graph, s->moved, input, s->perm.rank, axes, &n);
    for (int i = 0; i < n; i++) axes[i] = s->perm.to[axes[i]];
    return add_int_list(s->graph, "axes", axes, n, &s->moved->inputs[input]);
}

static int axis_attr(const Sink *s, int64_t otherwise) {
    const int64_t axis = node_int(s->node, "axis", otherwise);
    return (int)(axis < 0 ? axis + s->perm.rank : axis);
}

// ---- What each op needs: can it be moved, and how it changes ----

static int listed(const Graph *graph, const Node *node, int input) { // length of a list that is known, or -1
    const Type *const type = input_type(graph, node, input);
    return type->rank == 1 && type->dim[0] >= 0 && type->dim[0] <= MAX_RANK ? (int)type->dim[0] : -1;
}

static bool has_constant_list(const Sink *s, int input, int64_t count) {
    const Tensor *const list = node_constant(s->graph, s->node, input);
    return list && list->shape.rank == 1 && tensor_count(list) == count;
}

static bool is_empty_input(const Sink *s, int input) {
    const Tensor *const list = node_constant(s->graph, s->node, input);
    return !node_has_input(s->node, input) || (list && tensor_count(list) == 0);
}

static bool can_move_reduce(const Sink *s) {
    int64_t axes[MAX_INTS];
    int count;
    if (node_int(s->node, "noop_with_empty_axes", 0)) return false;
    return !node_has_input(s->node, 1) || constant_axes(s->graph, s->node, 1, s->perm.rank, axes, &count);
}

static bool can_move_resize(const Sink *s) {
    if (node_attr(s->node, "axes") || !is_empty_input(s, 1)) return false;
    for (int i = 2; i < 4; i++)
        if (!is_empty_input(s, i) && !has_constant_list(s, i, s->perm.rank)) return false;
    return true;
}

static bool can_move(const Sink *s) {
    const Node *const node = s->node;
    int64_t axes[MAX_INTS];
    int n;
    switch (node->op) {
    case OP_ReduceMean:
    case OP_ReduceSum:
    case OP_ReduceMax:
    case OP_ReduceMin:
    case OP_ReduceProd:
    case OP_ReduceL1:
    case OP_ReduceL2: return can_move_reduce(s);
    case OP_Resize: return can_move_resize(s);
    case OP_Tile: return has_constant_list(s, 1, s->perm.rank);
    case OP_Pad:
        if (node_has_input(node, 3)) return constant_axes(s->graph, node, 3, s->perm.rank, axes, &n);
        return has_constant_list(s, 1, 2 * s->perm.rank);
    case OP_Slice:
        if (node_has_input(node, 3)) return constant_axes(s->graph, node, 3, s->perm.rank, axes, &n);
        return listed(s->graph, node, 1) > 0;
    case OP_Dropout: return node->n_outputs < 2 || node->outputs[1] < 0 || !graph_uses(s->graph, node->outputs[1]);
    default: return true;
    }
}

// The perm behind a reduction that drops dims: those left, renumbered.
static void drop_axes(Sink *s, const bool dropped[MAX_RANK]) { // by axis before the Transposes
    int64_t renumbered[MAX_RANK];
    int left = 0;
    for (int i = 0; i < s->perm.rank; i++) {
        renumbered[i] = left;
        left += !dropped[i];
    }
    s->behind.rank = 0;
    for (int i = 0; i < s->perm.rank; i++)
        if (!dropped[s->perm.to[i]]) s->behind.to[s->behind.rank++] = renumbered[s->perm.to[i]];
}

static Status change_reduce(Sink *s) {
    bool dropped[MAX_RANK] = {false};
    int64_t axes[MAX_INTS];
    int count = 0;
    if (node_has_input(s->node, 1)) {
        TRY(map_axes(s, 1, 0));
        constant_axes(s->graph, s->moved, 1, s->perm.rank, axes, &count);
        for (int i = 0; i < count; i++) dropped[axes[i]] = true;
    } else {
        memset(dropped, true, sizeof dropped);
    }
    if (!node_int(s->node, "keepdims", 1)) drop_axes(s, dropped);
    return ST_OK;
}

static Status change_arg_max(Sink *s) {
    bool dropped[MAX_RANK] = {false};
    const int64_t axis = s->perm.to[axis_attr(s, 0)];
    dropped[axis] = true;
    if (!node_int(s->node, "keepdims", 1)) drop_axes(s, dropped);
    return node_set_int(s->graph, s->moved, "axis", axis);
}

static Status change_slice(Sink *s) {
    if (s->moved->n_inputs < 4) { // room for the axes
        const ValueId inputs[4] = {s->moved->inputs[0], s->moved->inputs[1], s->moved->inputs[2], NO_VALUE};
        TRY(node_become(s->graph, s->moved, OP_Slice, inputs, 4));
    }
    return map_axes(s, 3, listed(s->graph, s->node, 1));
}

static Status change_parameters(Sink *s) {
    bool fits;
    switch (s->node->op) {
    case OP_Softmax:
    case OP_LogSoftmax: return node_set_int(s->graph, s->moved, "axis", s->perm.to[axis_attr(s, -1)]);
    case OP_Concat:
    case OP_Split: return node_set_int(s->graph, s->moved, "axis", s->perm.to[axis_attr(s, 0)]);
    case OP_ArgMax: return change_arg_max(s);
    case OP_ReduceMean:
    case OP_ReduceSum:
    case OP_ReduceMax:
    case OP_ReduceMin:
    case OP_ReduceProd:
    case OP_ReduceL1:
    case OP_ReduceL2: return change_reduce(s);
    case OP_Slice: return change_slice(s);
    case OP_Tile: return permute_list(s, 1, 1, &fits);
    case OP_Pad: return node_has_input(s->node, 3) ? map_axes(s, 3, 0) : permute_list(s, 1, 2, &fits);
    case OP_Resize:
        for (int i = 2; i < 4; i++)
            if (node_has_input(s->node, i)) TRY(permute_list(s, i, 1, &fits));
        return ST_OK;
    default: return ST_OK;
    }
}

// ---- Moving ----

static Status reordered_input(Sink *s, int input, ValueId *out) {
    Graph *const graph = s->graph;
    const ValueId value = s->node->inputs[input];
    Perm perm;
    const Node *const transpose = transpose_before(s, input, &perm);
    const Perm inverse = inverse_of(&s->perm);
    *out = value;
    if (transpose) *out = transpose->inputs[0];
    else if (graph->values[value].constant) return permuted_constant(graph, value, &inverse, out);
    else if (graph->values[value].type.rank > 0) {
        Node *made;
        TRY(insert_node(graph, s->at++, OP_Transpose, &value, 1, NULL, value, &made));
        TRY(node_set_ints(graph, made, "perm", inverse.to, (size_t)inverse.rank));
        *out = made->outputs[0];
        return graph_infer_node(graph, made);
    }
    return ST_OK;
}

// The new node with outputs of its own, named after those of the old one.
static Status make_moved(Sink *s, const ValueId *inputs) {
    Graph *const graph = s->graph;
    Node *const node = s->node;
    const Type unknown = {.dtype = DT_NONE, .rank = -1};
    const int n_outputs = node->op == OP_Dropout ? 1 : node->n_outputs;
    ValueId *const outputs = mem_zero((size_t)n_outputs, sizeof(ValueId));
    if (!outputs) return fail_memory((size_t)n_outputs * sizeof(ValueId));
    Status status = ST_OK;
    for (int i = 0; i < n_outputs && status == ST_OK; i++) {
        outputs[i] = NO_VALUE;
        if (node->outputs[i] >= 0)
            status = graph_add_value(graph, graph->values[node->outputs[i]].name, &unknown, &outputs[i]);
    }
    if (status == ST_OK)
        status =
            graph_add_node(graph, node->op, node->name, inputs, node->n_inputs, outputs, n_outputs, s->at++, &s->moved);
    mem_free(outputs);
    return status == ST_OK ? copy_attrs(graph, node, s->moved) : status;
}

// The maker of `fresh` makes `own` instead: the same tensor under the name that the model gave it.
static void make_own(Graph *graph, ValueId fresh, ValueId own) {
    Node *const maker = graph->values[fresh].producer;
    for (int i = 0; i < maker->n_outputs; i++)
        if (maker->outputs[i] == fresh) maker->outputs[i] = own;
    graph->values[own].producer = maker;
    graph->values[fresh].producer = NULL;
    graph_replace(graph, fresh, own);
}

// The old values become Transposes of the new ones, or these themselves where no axis is left to move.
static Status transpose_behind(Sink *s) {
    Graph *const graph = s->graph;
    node_kill(graph, s->node);
    for (int i = 0; i < s->moved->n_outputs && is_identity(&s->behind); i++)
        if (s->moved->outputs[i] >= 0) make_own(graph, s->moved->outputs[i], s->node->outputs[i]);
    if (is_identity(&s->behind)) return ST_OK;
    for (int i = 0; i < s->moved->n_outputs; i++) {
        if (s->moved->outputs[i] < 0) continue;
        Node *made;
        TRY(graph_add_node(graph, OP_Transpose, "", &s->moved->outputs[i], 1, &s->node->outputs[i], 1, s->at++, &made));
        TRY(node_set_ints(graph, made, "perm", s->behind.to, (size_t)s->behind.rank));
    }
    return ST_OK;
}

static Status move_node(Sink *s, int inputs) {
    ValueId *const own = mem_zero((size_t)s->node->n_inputs, sizeof(ValueId));
    if (!own) return fail_memory((size_t)s->node->n_inputs * sizeof(ValueId));
    Status status = ST_OK;
    for (int i = 0; i < s->node->n_inputs && status == ST_OK; i++) {
        own[i] = s->node->inputs[i];
        if (i < inputs) status = reordered_input(s, i, &own[i]);
    }
    if (status == ST_OK) status = make_moved(s, own);
    mem_free(own);
    TRY(status);
    s->behind = s->perm;
    TRY(change_parameters(s));
    TRY(graph_infer_node(s->graph, s->moved));
    return transpose_behind(s);
}

static Status sink(Graph *graph, int at, bool *changed) {
    Sink s = {.graph = graph, .node = graph->nodes[at], .at = at};
    const int inputs = data_inputs(s.node);
    if (inputs == 0 || !find_perm(&s, inputs) || !can_move(&s)) return ST_OK;
    *changed = true;
    return move_node(&s, inputs);
}

// ---- Cancelling ----

// Transpose of a Transpose is one by perm[k] = first[second[k]]; none at all where that is the identity.
static Status compose(Graph *graph, Node *node, int n_own, bool *changed) {
    const Node *const before = node->op == OP_Transpose ? made_by(graph, node->inputs[0], OP_Transpose) : NULL;
    Perm first, second, both;
    if (!before || !perm_of(graph, before, &first) || !perm_of(graph, node, &second)) return ST_OK;
    both.rank = first.rank;
    for (int i = 0; i < both.rank; i++) both.to[i] = first.to[second.to[i]];
    const ValueId x = before->inputs[0], y = node->outputs[0];
    if (is_identity(&both)) {
        const bool fresh = x >= n_own && graph->values[x].producer; // this pass made x
        if (fresh) {
            node_kill(graph, node);
            make_own(graph, x, y);
        }
        *changed = true;
        if (fresh || replace_output(graph, node, x)) return ST_OK;
    }
    *changed = true;
    node->inputs[0] = x;
    return node_set_ints(graph, node, "perm", both.to, (size_t)both.rank);
}

static Status run(Graph *graph, bool *changed) {
    const int n_own = graph->n_values; // beyond: made here
    for (int i = 0; i < graph->n_nodes; i++) {
        if (!graph->nodes[i]->dead) TRY(compose(graph, graph->nodes[i], n_own, changed));
        if (!graph->nodes[i]->dead) TRY(sink(graph, i, changed));
    }
    return graph_compact(graph);
}

static int count_transposes(const Graph *graph) {
    int count = 0;
    for (int i = 0; i < graph->n_nodes; i++) {
        const Node *const node = graph->nodes[i];
        Perm perm;
        if (node->dead || node->op != OP_Transpose) continue;
        count += !perm_of(graph, node, &perm) || !moves_nothing(input_type(graph, node, 0), &perm);
    }
    return count;
}

// Where a value forks, one Transpose becomes several, which must find their partners: it is tried on a copy first.
static Status is_worth_it(const Graph *graph, bool *worth) {
    Graph *copy;
    bool changed = false;
    TRY(graph_copy(graph, &copy));
    const Status status = run(copy, &changed);
    *worth = status == ST_OK && changed && count_transposes(copy) <= count_transposes(graph);
    graph_free(copy);
    return status;
}

Status pass_cancel_transpose(Graph *graph, bool *changed) {
    bool worth = false;
    if (count_transposes(graph) > 0) TRY(is_worth_it(graph, &worth));
    return worth ? run(graph, changed) : ST_OK;
}

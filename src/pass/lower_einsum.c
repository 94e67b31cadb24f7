// Einsum to the operators that have solvers, once all dims are known: Transpose, Reshape, ReduceSum, MatMul, Mul.
//
//     one input            ReduceSum over what is not in the output, then Transpose
//     two inputs           the letters fall in classes by where they stand:
//                            batch: both and output   m: left and output   n: right and output   k: both, summed
//                            outer: m or n that lead their input and the output; MatMul broadcasts them
//                          (a letter of one input that is not in the output is summed there first)
//       with k             left (outer, batch, m, k) x right (batch, k, n) as MatMul, then in the order of the output
//                          but (n, k, space...) by a constant matrix as a Conv of one pixel, where nothing moves
//       without            both in the order of the output, with dims of 1 put in, as Mul
//
// Not taken: a letter twice in one input (diagonals), a dim of 1 that is summed against a longer one. These stay and
// run on the reference. Rounding changes: sums are kept in float32 by the solver's rule instead of in double, and a
// sum over one input rounds before the product.
#include "graph/einsum.h"
#include "pass/rewrite.h"
#include <string.h>

typedef struct Labels {
    int label[MAX_RANK];
    int count;
} Labels;

// A value with a label for each of its dims.
typedef struct Operand {
    ValueId value;
    Labels labels, outer;
} Operand;

typedef struct Lowering {
    Graph *graph;
    Node *node;
    int at; // where the next node goes: before the Einsum
    int64_t dim[EINSUM_LABELS];
    Operand operand[EINSUM_INPUTS];
    int count;
    Labels out;
} Lowering;

// ---- Labels ----

static int place_of(const Labels *labels, int label) {
    for (int i = 0; i < labels->count; i++)
        if (labels->label[i] == label) return i;
    return -1;
}
static bool has(const Labels *labels, int label) { return place_of(labels, label) >= 0; }

static bool has_twice(const Labels *labels) {
    for (int i = 0; i < labels->count; i++)
        if (place_of(labels, labels->label[i]) != i) return true;
    return false;
}

static void append(Labels *to, const Labels *from) {
    memcpy(to->label + to->count, from->label, (size_t)from->count * sizeof(int));
    to->count += from->count;
}

// Those of `from` that are (in_a) or are not (!in_a) in `a`, and so with b.
static Labels select_labels(const Labels *from, const Labels *a, bool in_a, const Labels *b, bool in_b) {
    Labels selected = {.count = 0};
    for (int i = 0; i < from->count; i++)
        if (has(a, from->label[i]) == in_a && has(b, from->label[i]) == in_b)
            selected.label[selected.count++] = from->label[i];
    return selected;
}

static int64_t size_of(const Lowering *l, const Labels *labels) {
    int64_t size = 1;
    for (int i = 0; i < labels->count; i++) size *= l->dim[labels->label[i]];
    return size;
}

// ---- Nodes ----

static Status insert(Lowering *l, Op op, const ValueId *inputs, int n_inputs, ValueId *out, Node **made) {
    TRY(insert_node(l->graph, l->at++, op, inputs, n_inputs, NULL, l->node->outputs[0], made));
    *out = (*made)->outputs[0];
    return ST_OK;
}

static Status sum_over(Lowering *l, Operand *x, const Labels *summed) {
    if (summed->count == 0) return ST_OK;
    int64_t axes[MAX_RANK];
    const Labels left = select_labels(&x->labels, summed, false, summed, false);
    Node *node;
    ValueId inputs[2] = {x->value};
    for (int i = 0; i < summed->count; i++) axes[i] = place_of(&x->labels, summed->label[i]);
    TRY(add_int_list(l->graph, "axes", axes, summed->count, &inputs[1]));
    TRY(insert(l, OP_ReduceSum, inputs, 2, &x->value, &node));
    TRY(node_set_int(l->graph, node, "keepdims", 0));
    x->labels = left;
    return graph_infer_node(l->graph, node);
}

// The dims in the order of `order`, which names all of them.
static Status reorder(Lowering *l, Operand *x, const Labels *order) {
    int64_t perm[MAX_RANK];
    bool moves = false;
    Node *node;
    for (int i = 0; i < order->count; i++) {
        perm[i] = place_of(&x->labels, order->label[i]);
        moves = moves || perm[i] != i;
    }
    if (!moves) return ST_OK;
    TRY(insert(l, OP_Transpose, &x->value, 1, &x->value, &node));
    TRY(node_set_ints(l->graph, node, "perm", perm, (size_t)order->count));
    x->labels = *order;
    return graph_infer_node(l->graph, node);
}

// The labels stay what they were: the caller knows what the dims mean then.
static Status reshape(Lowering *l, Operand *x, const int64_t *dims, int count) {
    const Type *type = &l->graph->values[x->value].type;
    bool same = type->rank == count;
    for (int i = 0; same && i < count; i++) same = type->dim[i] == dims[i];
    if (same) return ST_OK;
    Node *node;
    ValueId inputs[2] = {x->value};
    TRY(add_int_list(l->graph, "dims", dims, count, &inputs[1]));
    TRY(insert(l, OP_Reshape, inputs, 2, &x->value, &node));
    TRY(node_set_int(l->graph, node, "allowzero", 1)); // a dim of 0 is one
    return graph_infer_node(l->graph, node);
}

static Status multiply(Lowering *l, Op op, const Operand *a, const Operand *b, ValueId *out) {
    const ValueId inputs[2] = {a->value, b->value};
    Node *node;
    TRY(insert(l, op, inputs, 2, out, &node));
    return graph_infer_node(l->graph, node);
}

// ---- Products ----

// Labels that lead the output and one input, which alone has them. One is left for the matrix.
static void find_outer(const Lowering *l, Operand *x, const Operand *other) {
    const Labels own = select_labels(&l->out, &x->labels, true, &other->labels, false);
    const Labels batch = select_labels(&l->out, &x->labels, true, &other->labels, true);
    const int room = MIN(MAX_RANK - 2 - batch.count, own.count - 1);
    Labels *outer = &x->outer;
    outer->count = 0;
    for (int i = 0; i < room && l->out.label[i] == own.label[i] && x->labels.label[i] == own.label[i]; i++)
        outer->label[outer->count++] = own.label[i];
}

// x as (outer..., batch..., rows, columns); the batch dims are its own, which may be 1.
static Status as_matrices(Lowering *l, Operand *x, const Labels *batch, const Labels *rows, const Labels *columns) {
    Labels order = x->outer;
    int64_t dims[MAX_RANK];
    append(&order, batch);
    const int leading = order.count;
    append(&order, rows);
    append(&order, columns);
    TRY(reorder(l, x, &order));
    memcpy(dims, l->graph->values[x->value].type.dim, (size_t)leading * sizeof *dims);
    dims[leading] = size_of(l, rows);
    dims[leading + 1] = size_of(l, columns);
    return reshape(l, x, dims, leading + 2);
}

static Status as_matmul(Lowering *l, const Labels *k, Operand *result) {
    Operand *a = &l->operand[0], *b = &l->operand[1];
    const Labels batch = select_labels(&l->out, &a->labels, true, &b->labels, true);
    const Labels own_a = select_labels(&a->labels, &b->labels, false, &a->outer, false);
    const Labels own_b = select_labels(&b->labels, &a->labels, false, &b->outer, false);
    int64_t dims[MAX_RANK];
    TRY(as_matrices(l, a, &batch, &own_a, k));
    TRY(as_matrices(l, b, &batch, k, &own_b));
    TRY(multiply(l, OP_MatMul, a, b, &result->value));
    result->labels = a->outer;
    append(&result->labels, &b->outer);
    append(&result->labels, &batch);
    append(&result->labels, &own_a);
    append(&result->labels, &own_b);
    for (int i = 0; i < result->labels.count; i++) dims[i] = l->dim[result->labels.label[i]];
    TRY(reshape(l, result, dims, result->labels.count));
    return reorder(l, result, &l->out);
}

// (n, k, space...) times a constant (k, m) or (m, k), to (n, m, space...): a convolution of one pixel, which moves
// nothing.
static bool is_pointwise(const Lowering *l, const Operand *x, const Operand *w, const Labels *k) {
    const Labels *a = &x->labels, *b = &w->labels;
    if (!dtype_is_float(l->graph->values[w->value].type.dtype)) return false;
    if (!l->graph->values[w->value].constant || k->count != 1 || b->count != 2) return false;
    if (a->count < 3 || a->count > 5 || l->out.count != a->count || a->label[1] != k->label[0]) return false;
    for (int i = 0; i < a->count; i++)
        if (i != 1 && (a->label[i] != l->out.label[i] || has(b, a->label[i]))) return false;
    return has(b, l->out.label[1]) && size_of(l, a) > 0; // a window over nothing is none
}

static Status as_conv(Lowering *l, const Operand *x, Operand *w, Operand *result) {
    const Labels order = {.label = {l->out.label[1], x->labels.label[1]}, .count = 2};
    const int64_t dims[5] = {l->dim[order.label[0]], l->dim[order.label[1]], 1, 1, 1};
    TRY(reorder(l, w, &order));
    TRY(reshape(l, w, dims, x->labels.count));
    return multiply(l, OP_Conv, x, w, &result->value);
}

// In the order of the output, with a dim of 1 for each label that is not there.
static Status as_output(Lowering *l, Operand *x) {
    Labels order = {.count = 0};
    int64_t dims[MAX_RANK];
    for (int i = 0; i < l->out.count; i++)
        if (has(&x->labels, l->out.label[i])) order.label[order.count++] = l->out.label[i];
    TRY(reorder(l, x, &order));
    const Type *type = &l->graph->values[x->value].type;
    for (int i = 0, k = 0; i < l->out.count; i++) dims[i] = has(&order, l->out.label[i]) ? type->dim[k++] : 1;
    return reshape(l, x, dims, l->out.count);
}

// The product comes out with m before n: the input whose letters stand first in the output goes left.
static bool right_is_first(const Lowering *l) {
    const Operand *a = &l->operand[0], *b = &l->operand[1];
    for (int i = a->outer.count + b->outer.count; i < l->out.count; i++) {
        const bool left = has(&a->labels, l->out.label[i]), right = has(&b->labels, l->out.label[i]);
        if (left != right) return right;
    }
    return false;
}

static Status lower_two(Lowering *l, Operand *result) {
    Operand *a = &l->operand[0], *b = &l->operand[1];
    for (int i = 0; i < 2; i++) {
        const Labels summed = select_labels(&l->operand[i].labels, &l->operand[1 - i].labels, false, &l->out, false);
        TRY(sum_over(l, &l->operand[i], &summed));
    }
    const Labels k = select_labels(&a->labels, &b->labels, true, &l->out, false);
    for (int i = 0; i < 2; i++)
        if (is_pointwise(l, &l->operand[i], &l->operand[1 - i], &k))
            return as_conv(l, &l->operand[i], &l->operand[1 - i], result);
    find_outer(l, a, b);
    find_outer(l, b, a);
    if (right_is_first(l)) {
        const Operand swapped = *a;
        *a = *b;
        *b = swapped;
    }
    if (k.count > 0) return as_matmul(l, &k, result);
    TRY(as_output(l, a));
    TRY(as_output(l, b));
    return multiply(l, OP_Mul, a, b, &result->value);
}

static Status lower_one(Lowering *l, Operand *result) {
    const Labels none = {.count = 0}, summed = select_labels(&l->operand[0].labels, &none, false, &l->out, false);
    *result = l->operand[0];
    TRY(sum_over(l, result, &summed));
    return reorder(l, result, &l->out);
}

// ---- The pass ----

// Everything known, no diagonal, and summed labels of one size in both inputs.
static Status read_node(Lowering *l, bool *applies) {
    Einsum einsum;
    int ranks[EINSUM_INPUTS];
    const int64_t *dims[EINSUM_INPUTS];
    *applies = type_is_static(output_type(l->graph, l->node));
    for (int i = 0; i < l->node->n_inputs; i++) {
        const Type *type = input_type(l->graph, l->node, i);
        *applies = *applies && type_is_static(type);
        ranks[i] = type->rank;
        dims[i] = type->dim;
    }
    if (!*applies) return ST_OK;
    TRY(einsum_read(l->node, ranks, &einsum));
    TRY(einsum_dims(&einsum, dims, l->dim));
    l->count = einsum.count;
    l->out.count = einsum.rank[einsum.count];
    memcpy(l->out.label, einsum.label[einsum.count], sizeof l->out.label);
    for (int i = 0; i < einsum.count; i++) {
        Operand *x = &l->operand[i];
        x->value = l->node->inputs[i];
        x->labels.count = einsum.rank[i];
        memcpy(x->labels.label, einsum.label[i], sizeof x->labels.label);
        if (has_twice(&x->labels)) *applies = false;
        for (int k = 0; k < einsum.rank[i]; k++)
            if (dims[i][k] != l->dim[x->labels.label[k]] && !has(&l->out, x->labels.label[k])) *applies = false;
    }
    if (l->count < 2) return ST_OK;
    const Labels batch = select_labels(&l->operand[0].labels, &l->operand[1].labels, true, &l->out, true);
    if (batch.count + 2 > MAX_RANK) *applies = false; // no room for the matrices
    return ST_OK;
}

static Status lower(Graph *graph, int at, bool *changed) {
    Lowering l = {.graph = graph, .node = graph->nodes[at], .at = at};
    Operand result = {.value = NO_VALUE};
    bool applies;
    TRY(read_node(&l, &applies));
    if (!applies) return ST_OK;
    TRY(l.count == 1 ? lower_one(&l, &result) : lower_two(&l, &result));
    *changed = true;
    return node_become(graph, l.node, OP_Identity, &result.value, 1);
}

Status pass_lower_einsum(Graph *graph, bool *changed) {
    for (int i = 0; i < graph->n_nodes; i++)
        if (!graph->nodes[i]->dead && graph->nodes[i]->op == OP_Einsum) TRY(lower(graph, i, changed));
    return ST_OK;
}

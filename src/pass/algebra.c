// Small identities over one or two nodes.
//
// Exact: ranges (Relu, Clip) that follow each other, functions applied twice (Abs, Floor, Not, Neg ...), Sub of a
// constant as Add, Div by a power of two as Mul, squares, Reshape of a Reshape, functions of a convolution that is
// reshaped in between, Transposes that move no data, Concat of a Concat. Rounding changes where two constants that
// multiply or add in turn become one: x * a * b rounds once instead of twice (the constant itself is rounded too).
// Constants that cancel are left: (x + c) - c is how some round on purpose.
#include "pass/rewrite.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

// ---- Ranges ----

typedef struct Range {
    double low, high;
    ValueId low_value, high_value; // the constants; NO_VALUE: none stands for it
} Range;

// The node cuts its input to a range by constants.
static bool range_of(const Graph *graph, const Node *node, Range *range) {
    *range = (Range){-INFINITY, INFINITY, NO_VALUE, NO_VALUE};
    if (node->op == OP_Relu) range->low = 0;
    if (node->op != OP_Clip) return node->op == OP_Relu;
    if (node_has_input(node, 1) && !constant_scalar(graph, range->low_value = node->inputs[1], &range->low))
        return false;
    if (node_has_input(node, 2) && !constant_scalar(graph, range->high_value = node->inputs[2], &range->high))
        return false;
    return range->low <= range->high; // false for NaN too
}

// What the node's values lie in, whatever its input (a NaN aside).
static bool image_of(const Graph *graph, const Node *node, Range *range) {
    *range = (Range){-INFINITY, INFINITY, NO_VALUE, NO_VALUE};
    switch (node->op) {
    case OP_Sigmoid:
    case OP_HardSigmoid: *range = (Range){0, 1, NO_VALUE, NO_VALUE}; return true;
    case OP_Abs:
    case OP_Softplus:
    case OP_Exp:
    case OP_Sqrt: range->low = 0; return dtype_is_float(output_type(graph, node)->dtype);
    default: return range_of(graph, node, range);
    }
}

// clip(clip(x, a, b), c, d) = clip(x, clip(a, c, d), clip(b, c, d)), where the ranges meet. (Where they don't the
// result is constant; left alone.)
static Status clip_of_clip(Graph *graph, Node *node, Node *before, const Range *outer, const Range *inner,
                           bool *changed) {
    const bool low_inside = inner->low >= outer->low, high_inside = inner->high <= outer->high;
    const double low = low_inside ? inner->low : outer->low, high = high_inside ? inner->high : outer->high;
    if (!(low <= high) || !used_once(graph, before->outputs[0])) return ST_OK;
    const Range *const lower = low_inside ? inner : outer, *const upper = high_inside ? inner : outer;
    ValueId inputs[3] = {before->inputs[0], lower->low_value, upper->high_value};
    const DType dtype = output_type(graph, node)->dtype;
    if (low == 0 && high == INFINITY && dtype_is_float(dtype)) {
        *changed = true;
        return node_become(graph, node, OP_Relu, inputs, 1);
    }
    if (low != -INFINITY && inputs[1] < 0) TRY(add_scalar(graph, "low", dtype, low, &inputs[1])); // Relu's 0
    *changed = true;
    return node_become(graph, node, OP_Clip, inputs, inputs[2] >= 0 ? 3 : 2);
}

static Status ranges(Graph *graph, Node *node, bool *changed) {
    Range outer, inner;
    if (!range_of(graph, node, &outer)) return ST_OK;
    Node *const before = graph->values[node->inputs[0]].producer;
    if (!before || !image_of(graph, before, &inner)) return ST_OK;
    if (inner.low >= outer.low && inner.high <= outer.high) {
        *changed |= replace_output(graph, node, node->inputs[0]);
        return ST_OK;
    }
    if (before->op != OP_Relu && before->op != OP_Clip) return ST_OK;
    return clip_of_clip(graph, node, before, &outer, &inner, changed);
}

// ---- Twice the same ----

static Status twice(Graph *graph, Node *node, bool *changed) {
    const bool idempotent = node->op == OP_Abs || node->op == OP_Floor || node->op == OP_Ceil || node->op == OP_Round;
    const bool involution = node->op == OP_Neg || node->op == OP_Not;
    if (!idempotent && !involution) return ST_OK;
    const Node *const before = made_by(graph, node->inputs[0], node->op);
    if (before) *changed |= replace_output(graph, node, idempotent ? node->inputs[0] : before->inputs[0]);
    return ST_OK;
}

// ---- Constants ----

static bool is_power_of_two(double value) {
    int exponent;
    return isnormal(value) && frexp(fabs(value), &exponent) == 0.5;
}

// f(c) of each element as a new constant.
typedef double Map(double x);
static double negated(double x) { return -x; }
static double inverted(double x) { return 1 / x; }

static Status map_constant(Graph *graph, ValueId value, Map *map, ValueId *out) {
    const Tensor *const from = graph->values[value].constant;
    Tensor made;
    TRY(make_tensor(graph, from->dtype, from->shape, &made));
    const int64_t count = tensor_count(&made);
    for (int64_t i = 0; i < count; i++) tensor_set(&made, i, map(tensor_get(from, i)));
    return graph_add_constant(graph, graph->values[value].name, &made, out);
}

static bool all_invertible(const Tensor *tensor) {
    const int64_t count = tensor_count(tensor);
    if (tensor->dtype != DT_F32 && tensor->dtype != DT_F64) return false;
    for (int64_t i = 0; i < count; i++)
        if (!is_power_of_two(tensor_get(tensor, i)) || abs(ilogb(tensor_get(tensor, i))) > 120) return false;
    return count > 0;
}

// x - c = x + (-c); x / 2^k = x * 2^-k.
static Status spell_alike(Graph *graph, Node *node, bool *changed) {
    const Tensor *const c = node->op == OP_Sub || node->op == OP_Div ? node_constant(graph, node, 1) : NULL;
    if (!c || !dtype_is_float(c->dtype) || (node->op == OP_Div && !all_invertible(c))) return ST_OK;
    ValueId inputs[2] = {node->inputs[0], NO_VALUE};
    TRY(map_constant(graph, node->inputs[1], node->op == OP_Sub ? negated : inverted, &inputs[1]));
    *changed = true;
    return node_become(graph, node, node->op == OP_Sub ? OP_Add : OP_Mul, inputs, 2);
}

static Status powers(Graph *graph, Node *node, bool *changed) {
    if (node->op != OP_Pow || !dtype_is_float(output_type(graph, node)->dtype)) return ST_OK;
    if (!is_scalar_for(graph, node->inputs[1], input_type(graph, node, 0))) return ST_OK;
    const ValueId inputs[2] = {node->inputs[0], node->inputs[0]};
    if (constant_all(graph, node->inputs[1], 2)) {
        *changed = true;
        return node_become(graph, node, OP_Mul, inputs, 2);
    }
    return ST_OK;
}

// a op b element by element, where both have one shape or one of them one element. NO_VALUE: not so, or a result is
// not finite, lost its digits (below the smallest float) or cancels.
static Status combine(Graph *graph, ValueId a, ValueId b, Op op, ValueId *out) {
    const Tensor *const x = graph->values[a].constant, *const y = graph->values[b].constant;
    const Tensor *const larger = tensor_count(x) == 1 ? y : x;
    const int64_t count = tensor_count(larger);
    *out = NO_VALUE;
    if (!shape_equal(&x->shape, &y->shape) && tensor_count(x) != 1 && tensor_count(y) != 1) return ST_OK;
    if (larger->shape.rank < MAX(x->shape.rank, y->shape.rank)) return ST_OK;
    Tensor made;
    TRY(make_tensor(graph, larger->dtype, larger->shape, &made));
    for (int64_t i = 0; i < count; i++) {
        const double p = tensor_get(x, tensor_count(x) == 1 ? 0 : i), q = tensor_get(y, tensor_count(y) == 1 ? 0 : i);
        const double result = op == OP_Mul ? p * q : p + q;
        if (op == OP_Add && fabs(result) < 0.5 * fmax(fabs(p), fabs(q))) return ST_OK;
        tensor_set(&made, i, result);
        const double rounded = tensor_get(&made, i);
        if (!isfinite(rounded) || (op == OP_Mul && fabs(rounded - result) > 1e-2 * fabs(result))) return ST_OK;
    }
    return graph_add_constant(graph, graph->values[b].name, &made, out);
}

// (x op a) op b = x op (a op b) for Mul and Add of floats.
static Status merge_constants(Graph *graph, Node *node, bool *changed) {
    if ((node->op != OP_Mul && node->op != OP_Add) || !dtype_is_float(output_type(graph, node)->dtype)) return ST_OK;
    const Node *const before = made_by(graph, node->inputs[0], node->op);
    if (!before || !node_constant(graph, node, 1) || !node_constant(graph, before, 1)) return ST_OK;
    if (node_constant(graph, before, 0) || !used_once(graph, node->inputs[0])) return ST_OK;
    ValueId merged;
    TRY(combine(graph, before->inputs[1], node->inputs[1], node->op, &merged));
    if (merged < 0) return ST_OK;
    const ValueId inputs[2] = {before->inputs[0], merged};
    *changed = true;
    return node_become(graph, node, node->op, inputs, 2);
}

// ---- Moving data ----

// Only where the second shape says everything: a 0 copies a dim of what stood between.
static Status reshape_of_reshape(Graph *graph, Node *node, bool *changed) {
    int64_t dims[MAX_INTS];
    int count;
    const Node *const before = node->op == OP_Reshape ? made_by(graph, node->inputs[0], OP_Reshape) : NULL;
    if (!before || !constant_ints(graph, node->inputs[1], dims, &count)) return ST_OK;
    const Type *const x = input_type(graph, before, 0), *const between = input_type(graph, node, 0);
    for (int i = 0; i < count; i++)
        if (dims[i] == 0 && (node_int(node, "allowzero", 0) || i >= x->rank || i >= between->rank ||
                             x->dim[i] == DIM_UNKNOWN || x->dim[i] != between->dim[i]))
            return ST_OK;
    node->inputs[0] = before->inputs[0];
    *changed = true;
    return ST_OK;
}

// A Transpose by which only dims of 1 change their place is a Reshape.
static Status still_transpose(Graph *graph, Node *node, bool *changed) {
    if (node->op != OP_Transpose) return ST_OK;
    const Type *const x = input_type(graph, node, 0), *const y = output_type(graph, node);
    const int64_t *perm;
    const size_t rank = node_ints(node, "perm", &perm);
    int64_t last = -1;
    if (!type_is_static(x) || !type_is_static(y) || rank != (size_t)x->rank || rank == 0) return ST_OK;
    for (size_t i = 0; i < rank; i++) {
        if (x->dim[i] == 0) return ST_OK;
        if (y->dim[i] == 1) continue;
        if (perm[i] < last) return ST_OK;
        last = perm[i];
    }
    ValueId inputs[2] = {node->inputs[0], NO_VALUE};
    TRY(add_int_list(graph, graph->values[node->outputs[0]].name, y->dim, y->rank, &inputs[1]));
    *changed = true;
    return node_become(graph, node, OP_Reshape, inputs, 2);
}

// f(Reshape(x)) = Reshape(f(x)) behind a convolution, which takes f in.
static Status function_of_reshape(Graph *graph, Node *node, bool *changed) {
    if (op_info(node->op)->kind != KIND_UNARY || node->n_inputs != 1 || node->n_outputs != 1) return ST_OK;
    Node *const reshape = made_by(graph, node->inputs[0], OP_Reshape);
    if (!reshape || !used_once(graph, node->inputs[0]) || !used_once(graph, reshape->inputs[0])) return ST_OK;
    if (!made_by(graph, reshape->inputs[0], OP_Conv)) return ST_OK;
    Node *function;
    TRY(insert_node(graph, node_index(graph, node), node->op, reshape->inputs, 1, node, node->outputs[0], &function));
    TRY(graph_infer_node(graph, function));
    const ValueId inputs[2] = {function->outputs[0], reshape->inputs[1]};
    *changed = true;
    TRY(node_become(graph, node, OP_Reshape, inputs, 2));
    return copy_attrs(graph, reshape, node);
}

static int64_t concat_axis(const Graph *graph, const Node *node) {
    const int64_t axis = node_int(node, "axis", 0);
    const int rank = output_type(graph, node)->rank;
    return axis < 0 && rank > 0 ? axis + rank : axis;
}

// Concat(Concat(a, b), c) along one axis = Concat(a, b, c).
static Status concat_of_concat(Graph *graph, Node *node, bool *changed) {
    enum { MOST = 64 };
    ValueId inputs[MOST];
    int count = 0;
    if (node->op != OP_Concat) return ST_OK;
    bool flattened = false;
    for (int i = 0; i < node->n_inputs; i++) {
        const Node *const before = made_by(graph, node->inputs[i], OP_Concat);
        const bool merge =
            before && concat_axis(graph, before) == concat_axis(graph, node) && used_once(graph, node->inputs[i]);
        const ValueId *const parts = merge ? before->inputs : &node->inputs[i];
        const int n = merge ? before->n_inputs : 1;
        if (count + n > MOST) return ST_OK;
        memcpy(inputs + count, parts, (size_t)n * sizeof *inputs);
        count += n;
        flattened |= merge;
    }
    if (!flattened) return ST_OK;
    const int64_t axis = concat_axis(graph, node);
    *changed = true;
    TRY(node_become(graph, node, OP_Concat, inputs, count));
    return node_set_int(graph, node, "axis", axis);
}

Status pass_algebra(Graph *graph, bool *changed) {
    static Rewrite *const rewrites[] = {
        ranges,          twice,           spell_alike, powers, merge_constants, reshape_of_reshape, function_of_reshape,
        still_transpose, concat_of_concat};
    return rewrite_nodes(graph, rewrites, COUNT_OF(rewrites), changed);
}

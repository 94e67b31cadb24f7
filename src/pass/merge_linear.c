// Two linear maps of channels in a row are one, whose matrix is their product:
//
//     Conv1x1(Conv1x1(x))                                   =  Conv1x1'(x)
//     Conv1x1(Reshape(Transpose(Add(MatMul(x, w), b))))     =  Conv1x1'(Reshape(Transpose(x)))
//
// the second with the tokens of a transformer made an image (SegFormer's decoder; Add and Reshape may be missing).
// Taken where the product has no more multiplications than the two, and the transposed image no more channels. The
// product is computed in double and rounded once; sums are rounded in another order.
#include "pass/rewrite.h"
#include <math.h>

// Multiplications that the product of two matrices may take while a network is compiled.
static const int64_t most_products = (int64_t)1 << 28;

// The first map: mid outputs of ic channels.
typedef struct First {
    ValueId x;
    const Tensor *weight, *bias;     // bias NULL: none
    bool columns;                    // weight (ic, mid) of a MatMul, else (mid, ic, 1...)
    const Node *transpose, *reshape; // behind a MatMul; reshape NULL: none
    int64_t ic, mid;
} First;

static float first_weight(const First *f, int64_t mid, int64_t ic) {
    const float *weight = f->weight->data;
    return f->columns ? weight[ic * f->mid + mid] : weight[mid * f->ic + ic];
}
// The node of that op which makes the value for one reader only, or NULL.
static Node *made_for_one(const Graph *graph, ValueId value, Op op) {
    Node *const node = made_by(graph, value, op);
    return node && used_once(graph, value) && !is_output(graph, value) ? node : NULL;
}
static bool is_float_vector(const Tensor *tensor, int64_t count) {
    return tensor && tensor->dtype == DT_F32 && tensor_count(tensor) == count &&
           (count == 1 || tensor->shape.dim[tensor->shape.rank - 1] == count);
}
static bool first_conv(const Graph *graph, const Node *conv, First *f) {
    if (!conv || !is_pointwise_conv(graph, conv) || (node_has_input(conv, 2) && !node_constant(graph, conv, 2)))
        return false;
    *f = (First){.x = conv->inputs[0], .weight = node_constant(graph, conv, 1)};
    f->bias = node_has_input(conv, 2) ? node_constant(graph, conv, 2) : NULL;
    f->mid = f->weight->shape.dim[0], f->ic = f->weight->shape.dim[1];
    return !f->bias || is_float_vector(f->bias, f->mid);
}
// Whether it puts the last axis behind the first: (n, pixels..., c) to (n, c, pixels...).
static bool puts_channels_first(const Graph *graph, const Node *transpose) {
    const int rank = input_type(graph, transpose, 0)->rank;
    const int64_t *perm;
    if (rank < 3 || node_ints(transpose, "perm", &perm) != (size_t)rank) return false;
    for (int i = 0; i < rank; i++)
        if (perm[i] != (i == 0 ? 0 : i == 1 ? rank - 1 : i - 1)) return false;
    return true;
}
// Images and channels stay, pixels get other axes.
static bool keeps_channels(const Graph *graph, const Node *reshape) {
    const Type *const in = input_type(graph, reshape, 0), *const out = output_type(graph, reshape);
    return type_is_static(in) && type_is_static(out) && in->rank >= 3 && out->rank >= 3 && in->dim[0] == out->dim[0] &&
           in->dim[1] == out->dim[1];
}
static bool first_matmul(const Graph *graph, ValueId value, First *f) {
    *f = (First){.columns = true, .reshape = made_for_one(graph, value, OP_Reshape)};
    if (f->reshape && !keeps_channels(graph, f->reshape)) return false;
    if (f->reshape) value = f->reshape->inputs[0];
    f->transpose = made_for_one(graph, value, OP_Transpose);
    if (!f->transpose || !puts_channels_first(graph, f->transpose)) return false;
    value = f->transpose->inputs[0];
    const Node *const add = made_for_one(graph, value, OP_Add);
    if (add) {
        const int constant = node_constant(graph, add, 1) ? 1 : 0;
        f->bias = node_constant(graph, add, constant);
        value = add->inputs[1 - constant];
    }
    const Node *const matmul = made_for_one(graph, value, OP_MatMul);
    f->weight = matmul ? node_constant(graph, matmul, 1) : NULL;
    if (!f->weight || f->weight->dtype != DT_F32 || f->weight->shape.rank != 2) return false;
    f->x = matmul->inputs[0], f->ic = f->weight->shape.dim[0], f->mid = f->weight->shape.dim[1];
    const Type *const x = input_type(graph, matmul, 0), *const y = input_type(graph, f->transpose, 0);
    if (!type_is_static(x) || x->rank != y->rank) return false;
    return f->ic <= f->mid && (!add || is_float_vector(f->bias, f->mid));
}

// weight (oc, ic, 1...) = second x first.
static Status product(Graph *graph, const First *f, const Tensor *second, Tensor *out, bool *finite) {
    Shape shape = second->shape;
    shape.dim[1] = f->ic;
    TRY(make_tensor(graph, DT_F32, shape, out));
    const float *const right = second->data;
    float *to = out->data;
    for (int64_t o = 0; o < shape.dim[0]; o++)
        for (int64_t i = 0; i < f->ic; i++) {
            double sum = 0;
            for (int64_t m = 0; m < f->mid; m++) sum += (double)right[o * f->mid + m] * first_weight(f, m, i);
            *finite = *finite && isfinite((float)sum);
            *to++ = (float)sum;
        }
    return ST_OK;
}
// second x first's bias + second's; both may be missing.
static Status bias_of_both(Graph *graph, const First *f, const Tensor *second, const Tensor *bias, Tensor *out,
                           bool *finite) {
    const int64_t oc = second->shape.dim[0];
    TRY(make_tensor(graph, DT_F32, shape_of(1, &oc), out));
    const float *const right = second->data, *const inner = f->bias ? f->bias->data : NULL;
    for (int64_t o = 0; o < oc; o++) {
        double sum = bias ? tensor_get(bias, o) : 0;
        for (int64_t m = 0; inner && m < f->mid; m++) sum += (double)right[o * f->mid + m] * inner[m];
        *finite = *finite && isfinite((float)sum);
        tensor_set(out, o, sum);
    }
    return ST_OK;
}
// Transpose and Reshape again, now of the first map's input, before nodes[at].
static Status move_turn(Graph *graph, int at, const First *f, ValueId *x) {
    Node *made;
    TRY(insert_node(graph, at++, OP_Transpose, x, 1, f->transpose, f->transpose->outputs[0], &made));
    TRY(graph_infer_node(graph, made));
    *x = made->outputs[0];
    if (!f->reshape) return ST_OK;
    const Type *const type = output_type(graph, f->reshape);
    int64_t sizes[MAX_RANK];
    ValueId inputs[2] = {*x, NO_VALUE};
    for (int i = 0; i < type->rank; i++) sizes[i] = i == 1 ? f->ic : type->dim[i];
    TRY(add_int_list(graph, "sizes", sizes, type->rank, &inputs[1]));
    TRY(insert_node(graph, at, OP_Reshape, inputs, 2, f->reshape, f->reshape->outputs[0], &made));
    *x = made->outputs[0];
    return graph_infer_node(graph, made);
}
static Status merge(Graph *graph, Node *node, bool *changed) {
    First f;
    if (!is_pointwise_conv(graph, node)) return ST_OK;
    if (!first_conv(graph, made_for_one(graph, node->inputs[0], OP_Conv), &f) &&
        !first_matmul(graph, node->inputs[0], &f))
        return ST_OK;
    const Tensor *const second = node_constant(graph, node, 1);
    const Tensor *const bias = node_has_input(node, 2) ? node_constant(graph, node, 2) : NULL;
    const int64_t oc = second->shape.dim[0], ic = f.ic, mid = f.mid;
    if ((node_has_input(node, 2) && !is_float_vector(bias, oc)) || mid != second->shape.dim[1]) return ST_OK;
    if (oc > MOST_MADE || ic > MOST_MADE || mid > MOST_MADE || oc * ic > MOST_MADE ||
        oc * ic > most_products / MAX(mid, 1) || oc * ic > mid * (ic + oc))
        return ST_OK;
    Tensor weight, both = {0};
    ValueId inputs[3] = {f.x, NO_VALUE, NO_VALUE};
    bool finite = true;
    TRY(product(graph, &f, second, &weight, &finite));
    if (bias || f.bias) TRY(bias_of_both(graph, &f, second, bias, &both, &finite));
    if (!finite) return ST_OK;
    TRY(graph_add_constant(graph, graph->values[node->inputs[1]].name, &weight, &inputs[1]));
    if (both.data) TRY(graph_add_constant(graph, graph->values[node->inputs[bias ? 2 : 1]].name, &both, &inputs[2]));
    if (f.columns) TRY(move_turn(graph, node_index(graph, node), &f, &inputs[0]));
    ValueId *const own = arena_array(&graph->arena, 3, sizeof *own);
    if (!own) return fail_memory(3 * sizeof *own);
    for (int i = 0; i < 3; i++) own[i] = inputs[i];
    node->inputs = own, node->n_inputs = both.data ? 3 : 2;
    *changed = true;
    return ST_OK;
}

Status pass_merge_linear(Graph *graph, bool *changed) {
    static Rewrite *const rewrites[] = {merge};
    return rewrite_nodes(graph, rewrites, COUNT_OF(rewrites), changed);
}

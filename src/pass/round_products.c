// The products of convolutions as precision bf16 may have them: weights are rounded to the nearest bf16 (ties to even),
// and so is every value that a convolution reads, by arithmetic of fp32 alone:
//
//     x' = x * c + (x - x * c),  c = 2^16 + 1
//
// leaves the upper 8 of x's 24 bits, the nearest such number (Veltkamp 1968; Dekker, "A floating-point technique for
// extending the available precision", 1971; ties may go either way). Above 5e33 x * c overflows. The sums stay those of
// fp32, whose error is a thousandth of what is rounded off here. Taken are all convolutions that a solver for bf16 may
// take (solver/conv_amx.c), transposed ones too: without groups, weights constant; and what a Resize reads, which may
// lie as bf16 between two of them (plan/forms.c). No row of the table: the gate of `compile` asks for it, to see on any
// machine what bf16 does to a network's masks.
#include "pass/rewrite.h"

static Status round_weights(Graph *graph, Node *conv) {
    const Tensor *const from = graph->values[conv->inputs[1]].constant;
    Tensor made;
    ValueId rounded;
    TRY(make_tensor(graph, DT_F32, from->shape, &made));
    const float *const x = from->data;
    for (int64_t i = 0; i < tensor_count(from); i++) ((float *)made.data)[i] = bf16_to_f32(f32_to_bf16(x[i]));
    TRY(graph_add_constant(graph, graph->values[conv->inputs[1]].name, &made, &rounded));
    conv->inputs[1] = rounded;
    return ST_OK;
}
static Status insert_binary(Graph *graph, int *at, Op op, ValueId a, ValueId b, ValueId like, ValueId *out) {
    const ValueId inputs[2] = {a, b};
    Node *made;
    TRY(insert_node(graph, (*at)++, op, inputs, 2, NULL, like, &made));
    *out = made->outputs[0];
    return graph_infer_node(graph, made);
}
static Status round_input(Graph *graph, Node *node, int *at) {
    const ValueId x = node->inputs[0];
    ValueId factor, large, rest, rounded;
    TRY(add_scalar(graph, "split", DT_F32, 65537, &factor));
    TRY(insert_binary(graph, at, OP_Mul, x, factor, x, &large));
    TRY(insert_binary(graph, at, OP_Sub, x, large, x, &rest));
    TRY(insert_binary(graph, at, OP_Add, large, rest, x, &rounded));
    node->inputs[0] = rounded;
    return ST_OK;
}
Status pass_round_products(Graph *graph) {
    for (int i = 0; i < graph->n_nodes; i++) {
        Node *const node = graph->nodes[i];
        if (node->op == OP_Resize && graph->values[node->inputs[0]].type.dtype == DT_F32)
            TRY(round_input(graph, node, &i));
        const bool is_conv = node->op == OP_Conv || node->op == OP_ConvTranspose;
        const Tensor *const weight = is_conv ? node_constant(graph, node, 1) : NULL;
        if (!weight || weight->dtype != DT_F32 || node_int(node, "group", 1) != 1) continue;
        TRY(round_weights(graph, node));
        TRY(round_input(graph, node, &i));
    }
    TRY(graph_compact(graph));
    return graph_verify(graph);
}

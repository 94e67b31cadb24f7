// MultiHeadAttention (Vaswani et al. 2017), as Keras has it: query, key and value (n, t, d) through kernels (d, heads,
// size) to (n, heads, t, size); softmax(q k' / sqrt(size)) v; a kernel (heads, size, d) back to (n, t, d).
#include "import/keras/layer.h"
#include <math.h>

typedef struct Heads {
    int64_t heads, size;
} Heads;

// A kernel of three dims as a matrix: the dims in front of `split` are rows.
static Status matrix(LayerCall *call, const char *name, int split, Shape *shape, ValueId *out) {
    KerasWeight *slot = layer_slot(call, name);
    Tensor kernel;
    TRY(layer_weight(call, name, 3, &kernel));
    *shape = kernel.shape;
    int64_t rows = shape->dim[0], columns = shape->dim[2];
    FAIL_IF(!mul_i64(split == 1 ? columns : rows, shape->dim[1], split == 1 ? &columns : &rows), ST_BAD,
            "weight '%s': too large", name);
    kernel.shape = shape_of(2, (const int64_t[]){rows, columns});
    if (slot->value == NO_VALUE) TRY(emit_tensor(&call->emit, name, &kernel, &slot->value));
    *out = slot->value;
    return ST_OK;
}

// Of (heads, size) or (d), as a vector.
static Status add_bias(LayerCall *call, const char *name, int64_t count, ValueId *y) {
    KerasWeight *slot = layer_slot(call, name);
    Tensor bias;
    if (!slot) return ST_OK;
    TRY(layer_weight(call, name, -1, &bias));
    FAIL_IF(tensor_count(&bias) != count, ST_BAD, "weight '%s': expected %lld numbers, got %lld", name,
            (long long)count, (long long)tensor_count(&bias));
    bias.shape = shape_of(1, &count);
    if (slot->value == NO_VALUE) TRY(emit_tensor(&call->emit, name, &bias, &slot->value));
    return emit_binary(&call->emit, OP_Add, "sum", *y, slot->value, y);
}

// (n, t, d) to (n, heads, t, size), or (n, heads, size, t) where it is the key.
static Status project(LayerCall *call, const char *kernel, const char *bias, bool is_key, ValueId x, Heads *heads,
                      ValueId *out) {
    static const int perm[] = {0, 2, 1, 3}, key_perm[] = {0, 2, 3, 1};
    Shape shape;
    ValueId weight, y;
    TRY(matrix(call, kernel, 1, &shape, &weight));
    *heads = (Heads){shape.dim[1], shape.dim[2]};
    TRY(emit_binary(&call->emit, OP_MatMul, "projected", x, weight, &y));
    TRY(add_bias(call, bias, heads->heads * heads->size, &y));
    TRY(emit_reshape(&call->emit, "heads", y, (const int64_t[]){0, -1, heads->heads, heads->size}, 4, &y));
    return emit_transpose(&call->emit, "aside", y, is_key ? key_perm : perm, out);
}

static Status join_heads(LayerCall *call, const Heads *heads, ValueId x, ValueId *out) {
    Shape shape;
    ValueId weight, y;
    TRY(matrix(call, "output_kernel", 2, &shape, &weight));
    FAIL_IF(shape.dim[0] != heads->heads || shape.dim[1] != heads->size, ST_BAD,
            "weight 'output_kernel': expected %lld heads of %lld, got %lld of %lld", (long long)heads->heads,
            (long long)heads->size, (long long)shape.dim[0], (long long)shape.dim[1]);
    TRY(emit_transpose(&call->emit, "back", x, (const int[]){0, 2, 1, 3}, &y));
    TRY(emit_reshape(&call->emit, "joined", y, (const int64_t[]){0, -1, heads->heads * heads->size}, 3, &y));
    TRY(emit_binary(&call->emit, OP_MatMul, "projected", y, weight, &y));
    TRY(add_bias(call, "output_bias", shape.dim[2], &y));
    *out = y;
    return ST_OK;
}

static Status input_of(const LayerCall *call, int position, const char *key, ValueId otherwise, ValueId *out) {
    Operand operand;
    *out = otherwise;
    if (call_operand(call, position, key, &operand) && operand.values) *out = operand.values[0];
    FAIL_IF(*out == NO_VALUE, ST_BAD, "expected an input '%s', got none", key);
    FAIL_IF(type_of(call, *out)->rank != 3, ST_UNSUPPORTED, "attention over several axes");
    return ST_OK;
}

static Status refuse_others(const LayerCall *call) {
    static const char *const refused[] = {"attention_mask", "query_mask",      "value_mask",
                                          "key_mask",       "use_causal_mask", "return_attention_scores"};
    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        Operand operand;
        if (!call_operand(call, 99, refused[i], &operand)) continue;
        const bool is_off = operand.json && operand.json->type == JSON_BOOL && !operand.json->boolean;
        FAIL_IF(!is_off, ST_UNSUPPORTED, "'%s'", refused[i]);
    }
    return ST_OK;
}

Status keras_multi_head_attention(LayerCall *call) {
    ValueId query, value, key, q, k, v, factor, scores, shares, y;
    Heads q_heads, k_heads, v_heads;
    TRY(refuse_others(call));
    TRY(input_of(call, 0, "query", NO_VALUE, &query));
    TRY(input_of(call, 1, "value", NO_VALUE, &value));
    TRY(input_of(call, 2, "key", value, &key));
    TRY(project(call, "query_kernel", "query_bias", false, query, &q_heads, &q));
    TRY(project(call, "key_kernel", "key_bias", true, key, &k_heads, &k));
    TRY(project(call, "value_kernel", "value_bias", false, value, &v_heads, &v));
    TRY(emit_scalar(&call->emit, "factor", DT_F32, 1 / sqrt((double)q_heads.size), &factor));
    TRY(emit_binary(&call->emit, OP_Mul, "scaled", q, factor, &q));
    TRY(emit_binary(&call->emit, OP_MatMul, "scores", q, k, &scores));
    TRY(emit_node(&call->emit, OP_Softmax, "shares", &scores, 1, ATTRS(ATTR_I("axis", -1)), &shares));
    TRY(emit_binary(&call->emit, OP_MatMul, "mixed", shares, v, &y));
    return join_heads(call, &v_heads, y, &call->out[0]);
}

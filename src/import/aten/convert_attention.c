// scaled_dot_product_attention: softmax(q k' scale + mask) v over query (..., l, e), key (..., s, e), value (..., s,
// d).
#include "import/aten/convert.h"
#include <math.h>
#include <string.h>

enum { CAUSAL_MASK = 1 << 24 };

static bool has_parameter(const Call *call, const char *name) {
    for (int i = 0; i < call->n_parameters; i++)
        if ((int)strlen(name) == call->parameters[i].name_length &&
            strncmp(call->parameters[i].name, name, strlen(name)) == 0)
            return true;
    return false;
}

static Status read_scale(Call *call, ValueId query, double *out) {
    int rank;
    int64_t size;
    if (!aten_arg_is(call, "scale", ATEN_NONE)) return aten_arg_float(call, "scale", out);
    TRY(aten_rank(call, query, &rank));
    FAIL_IF(rank < 2, ST_BAD, "argument 'query': expected at least 2 dims, got %d", rank);
    TRY(aten_known_dim(call, query, rank - 1, &size));
    FAIL_IF(size < 1, ST_BAD, "argument 'query': expected elements");
    *out = 1 / sqrt((double)size);
    return ST_OK;
}

static Status refuse_variants(Call *call) {
    bool grouped = false;
    double dropout;
    TRY(aten_arg_float(call, "dropout_p", &dropout));
    FAIL_IF(dropout != 0, ST_UNSUPPORTED, "dropout; call model.eval() before the model is traced or exported");
    if (has_parameter(call, "enable_gqa")) TRY(aten_arg_bool(call, "enable_gqa", &grouped));
    FAIL_IF(grouped, ST_UNSUPPORTED, "enable_gqa");
    return ST_OK;
}

// Of bools: what is false is left out.
static Status add_mask(Call *call, ValueId mask, ValueId *scores) {
    ValueId nothing;
    if (aten_type(call, mask)->dtype != DT_BOOL) {
        TRY(aten_cast(call, mask, aten_type(call, *scores)->dtype, &mask));
        return aten_two(call, OP_Add, *scores, mask, scores);
    }
    TRY(aten_scalar_like(call, *scores, -INFINITY, &nothing));
    return aten_three(call, OP_Where, mask, *scores, nothing, scores);
}

// Query i sees keys 0 .. i.
static Status causal_mask(Call *call, ValueId scores, ValueId *out) {
    Tensor mask;
    int rank;
    int64_t l, s;
    TRY(aten_rank(call, scores, &rank));
    TRY(aten_known_dim(call, scores, rank - 2, &l));
    TRY(aten_known_dim(call, scores, rank - 1, &s));
    FAIL_IF(l > CAUSAL_MASK || s > CAUSAL_MASK || l * s > CAUSAL_MASK, ST_UNSUPPORTED, "a mask of %lld x %lld",
            (long long)l, (long long)s);
    TRY(tensor_make(&call->aten->graph->arena, DT_BOOL, shape_of(2, (const int64_t[]){l, s}), &mask));
    for (int64_t i = 0; i < l; i++)
        for (int64_t k = 0; k <= i && k < s; k++) tensor_set_int(&mask, i * s + k, 1);
    return emit_tensor(&call->emit, "mask", &mask, out);
}

static Status scores_of(Call *call, ValueId query, ValueId key, ValueId *out) {
    double scale;
    bool causal;
    ValueId factor, mask, scores;
    TRY(read_scale(call, query, &scale));
    TRY(aten_arg_bool(call, "is_causal", &causal));
    TRY(aten_arg_optional(call, has_parameter(call, "attn_bias") ? "attn_bias" : "attn_mask", &mask));
    TRY(aten_transpose_last(call, key, &key));
    TRY(aten_scalar_like(call, query, scale, &factor));
    TRY(emit_binary(&call->emit, OP_Mul, "scaled", query, factor, &query));
    TRY(emit_binary(&call->emit, OP_MatMul, "scores", query, key, &scores));
    if (causal) TRY(causal_mask(call, scores, &mask));
    if (mask != NO_VALUE) TRY(add_mask(call, mask, &scores));
    *out = scores;
    return ST_OK;
}

Status aten_convert_attention(Call *call) {
    ValueId query, key, value, scores, shares;
    TRY(refuse_variants(call));
    TRY(aten_arg_tensor(call, "query", &query));
    TRY(aten_arg_tensor(call, "key", &key));
    TRY(aten_arg_tensor(call, "value", &value));
    TRY(scores_of(call, query, key, &scores));
    TRY(emit_node(&call->emit, OP_Softmax, "shares", &scores, 1, ATTRS(ATTR_I("axis", -1)), &shares));
    TRY(aten_give_two(call, OP_MatMul, shares, value));
    for (int i = 1; i < call->n_outs; i++) TRY(aten_give_lacking(call, "statistics of an attention"));
    return ST_OK;
}

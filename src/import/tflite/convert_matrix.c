// Products of matrices.
#include "import/tflite/convert.h"

enum { FORMAT_DEFAULT };
static const int order_matrix[] = {1, 0}; // (out, in) -> (in, out)

// keep_num_dims: all dims but the last stay.
static Status product_of_last(Call *call, ValueId x, ValueId bias, ValueId *y) {
    ValueId weight;
    TRY(tfl_call_filter(call, 1, order_matrix, 2, &weight));
    TRY(emit_binary(&call->emit, OP_MatMul, "product", x, weight, y));
    return bias == NO_VALUE ? ST_OK : emit_binary(&call->emit, OP_Add, "bias", *y, bias, y);
}

// The input is taken as rows of as many elements as the weights (out, in) ask for.
static Status product_of_rows(Call *call, ValueId x, ValueId bias, ValueId *y) {
    ValueId weight;
    TRY(tfl_call_value(call, 1, &weight));
    const Type type = *emit_type(&call->emit, weight), *in = emit_type(&call->emit, x);
    FAIL_IF(type.rank != 2 || type.dim[1] < 1, ST_BAD, "input 1: expected weights of 2 dims, got %d", type.rank);
    if (in->rank != 2 || in->dim[1] != type.dim[1]) {
        TRY(emit_reshape(&call->emit, "rows", x, (const int64_t[]){-1, type.dim[1]}, 2, &x));
    }
    const ValueId inputs[] = {x, weight, bias};
    return emit_node(&call->emit, OP_Gemm, "product", inputs, bias == NO_VALUE ? 2 : 3, ATTRS(ATTR_I("transB", 1)), y);
}

Status tfl_convert_fully_connected(Call *call) {
    ValueId x, bias, y;
    int rank;
    FAIL_IF(fb_int8(call->options, 1, FORMAT_DEFAULT) != FORMAT_DEFAULT, ST_UNSUPPORTED, "weights in shuffled order");
    TRY(tfl_call_rank(call, 0, &rank));
    TRY(tfl_call_value(call, 0, &x));
    TRY(tfl_call_bias(call, 2, &bias));
    const bool keeps = fb_uint8(call->options, 2, 0) && rank != 2;
    TRY((keeps ? product_of_last : product_of_rows)(call, x, bias, &y));
    return tfl_call_finish(call, y, 0);
}

static Status swap_last(Call *call, int input, const char *suffix, ValueId *x) {
    int perm[MAX_RANK], rank;
    TRY(tfl_call_rank(call, input, &rank));
    FAIL_IF(rank < 2, ST_BAD, "input %d: expected matrices, got %d dims", input, rank);
    for (int i = 0; i < rank; i++) perm[i] = i;
    perm[rank - 2] = rank - 1;
    perm[rank - 1] = rank - 2;
    return emit_transpose(&call->emit, suffix, *x, perm, x);
}

Status tfl_convert_batch_matmul(Call *call) {
    ValueId a, b, y;
    TRY(tfl_call_value(call, 0, &a));
    TRY(tfl_call_value(call, 1, &b));
    if (fb_uint8(call->options, 0, 0)) TRY(swap_last(call, 0, "a", &a));
    if (fb_uint8(call->options, 1, 0)) TRY(swap_last(call, 1, "b", &b));
    TRY(emit_binary(&call->emit, OP_MatMul, "product", a, b, &y));
    TRY(tfl_call_activate(call, y, ACTIVATION_NONE, &y));
    return tfl_call_give(call, 0, y);
}

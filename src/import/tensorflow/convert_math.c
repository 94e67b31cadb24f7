// Operations that compute element by element, products of matrices, reductions.
#include "graph/einsum.h"
#include "import/tensorflow/convert.h"
#include <math.h>
#include <string.h>

static Status inputs_of(Call *call, int count, ValueId *out) {
    TRY(tf_call_expect(call, count, count));
    for (int i = 0; i < count; i++) TRY(tf_call_input(call, i, &out[i]));
    return ST_OK;
}

static Status give_node(Call *call, Op op, const ValueId *inputs, int n_inputs, const Attr *attrs, int n_attrs) {
    ValueId out;
    TRY(emit_node(&call->emit, op, "", inputs, n_inputs, attrs, n_attrs, &out));
    return tf_call_give(call, out);
}

static Status give_binary(Call *call, Op op, ValueId a, ValueId b) {
    return give_node(call, op, (const ValueId[]){a, b}, 2, NO_ATTRS);
}

// A scalar of the type of input 0.
static Status scalar_like(Call *call, const char *suffix, double value, ValueId *out) {
    const DType dtype = tf_call_type(call, 0)->dtype;
    return emit_scalar(&call->emit, suffix, dtype == DT_NONE ? DT_F32 : dtype, value, out);
}

// ---- element by element

Status tf_convert_unary(Call *call) {
    ValueId x;
    TRY(inputs_of(call, 1, &x));
    return give_node(call, call->op, &x, 1, NO_ATTRS);
}

Status tf_convert_binary(Call *call) {
    ValueId in[2];
    TRY(inputs_of(call, 2, in));
    return give_binary(call, call->op, in[0], in[1]);
}

Status tf_convert_square(Call *call) {
    ValueId x;
    TRY(inputs_of(call, 1, &x));
    return give_binary(call, OP_Mul, x, x);
}

Status tf_convert_rsqrt(Call *call) {
    ValueId x, root;
    TRY(inputs_of(call, 1, &x));
    TRY(emit_unary(&call->emit, OP_Sqrt, "root", x, &root));
    return give_node(call, OP_Reciprocal, &root, 1, NO_ATTRS);
}

Status tf_convert_squared_difference(Call *call) {
    ValueId in[2], apart;
    TRY(inputs_of(call, 2, in));
    TRY(emit_binary(&call->emit, OP_Sub, "apart", in[0], in[1], &apart));
    return give_binary(call, OP_Mul, apart, apart);
}

Status tf_convert_relu6(Call *call) {
    ValueId in[3];
    TRY(inputs_of(call, 1, in));
    TRY(scalar_like(call, "low", 0, &in[1]));
    TRY(scalar_like(call, "high", 6, &in[2]));
    return give_node(call, OP_Clip, in, 3, NO_ATTRS);
}

Status tf_convert_leaky_relu(Call *call) {
    ValueId x;
    double alpha;
    TRY(inputs_of(call, 1, &x));
    TRY(tf_call_attr_float(call, "alpha", 0.2f, &alpha));
    return give_node(call, OP_LeakyRelu, &x, 1, ATTRS(ATTR_F("alpha", alpha)));
}

// 1 - erf(x)
Status tf_convert_erfc(Call *call) {
    ValueId x, one, erf;
    TRY(inputs_of(call, 1, &x));
    TRY(scalar_like(call, "one", 1, &one));
    TRY(emit_unary(&call->emit, OP_Erf, "erf", x, &erf));
    return give_binary(call, OP_Sub, one, erf);
}

// a / b, and 0 where b is 0.
Status tf_convert_div_no_nan(Call *call) {
    ValueId in[2], zero, empty, quotient;
    TRY(inputs_of(call, 2, in));
    TRY(scalar_like(call, "zero", 0, &zero));
    TRY(emit_binary(&call->emit, OP_Equal, "empty", in[1], zero, &empty));
    TRY(emit_binary(&call->emit, OP_Div, "quotient", in[0], in[1], &quotient));
    return give_node(call, OP_Where, (const ValueId[]){empty, zero, quotient}, 3, NO_ATTRS);
}

// |x| below infinity, which NaN is not.
Status tf_convert_is_finite(Call *call) {
    ValueId x, infinity, size;
    TRY(inputs_of(call, 1, &x));
    TRY(scalar_like(call, "infinity", INFINITY, &infinity));
    TRY(emit_unary(&call->emit, OP_Abs, "size", x, &size));
    return give_binary(call, OP_Less, size, infinity);
}

Status tf_convert_add_n(Call *call) {
    ValueId sum, next;
    TRY(tf_call_expect(call, 1, -1));
    TRY(tf_call_input(call, 0, &sum));
    for (int i = 1; i < call->n_inputs; i++) {
        TRY(tf_call_input(call, i, &next));
        TRY(emit_binary(&call->emit, OP_Add, i == call->n_inputs - 1 ? "" : "sum", sum, next, &sum));
    }
    return tf_call_give(call, sum);
}

Status tf_convert_not_equal(Call *call) {
    ValueId in[2], equal;
    TRY(inputs_of(call, 2, in));
    TRY(emit_binary(&call->emit, OP_Equal, "equal", in[0], in[1], &equal));
    return give_node(call, OP_Not, &equal, 1, NO_ATTRS);
}

// Floats: floor(a / b). Integers: Div truncates, so what is left over, which has the sign of b, is taken off first.
Status tf_convert_floor_div(Call *call) {
    ValueId in[2], rest, quotient;
    TRY(inputs_of(call, 2, in));
    if (dtype_is_float(tf_call_type(call, 0)->dtype)) {
        TRY(emit_binary(&call->emit, OP_Div, "quotient", in[0], in[1], &quotient));
        return give_node(call, OP_Floor, &quotient, 1, NO_ATTRS);
    }
    TRY(emit_binary(&call->emit, OP_Mod, "rest", in[0], in[1], &rest));
    TRY(emit_binary(&call->emit, OP_Sub, "multiple", in[0], rest, &quotient));
    return give_binary(call, OP_Div, quotient, in[1]);
}

Status tf_convert_floor_mod(Call *call) {
    ValueId in[2], quotient, whole, multiple;
    TRY(inputs_of(call, 2, in));
    if (!dtype_is_float(tf_call_type(call, 0)->dtype)) return give_binary(call, OP_Mod, in[0], in[1]);
    TRY(emit_binary(&call->emit, OP_Div, "quotient", in[0], in[1], &quotient));
    TRY(emit_unary(&call->emit, OP_Floor, "whole", quotient, &whole));
    TRY(emit_binary(&call->emit, OP_Mul, "multiple", whole, in[1], &multiple));
    return give_binary(call, OP_Sub, in[0], multiple);
}

Status tf_convert_mod(Call *call) {
    ValueId in[2];
    TRY(inputs_of(call, 2, in));
    return give_node(call, OP_Mod, in, 2, ATTRS(ATTR_I("fmod", 1)));
}

Status tf_convert_clip(Call *call) {
    ValueId in[3], low;
    TRY(inputs_of(call, 3, in));
    if (tf_call_type(call, 1)->rank == 0 && tf_call_type(call, 2)->rank == 0)
        return give_node(call, OP_Clip, in, 3, NO_ATTRS);
    TRY(emit_binary(&call->emit, OP_Max, "low", in[0], in[1], &low));
    return give_binary(call, OP_Min, low, in[2]);
}

// Select's condition may be a list with an entry for each of the first dim; SelectV2 broadcasts as all others do.
Status tf_convert_select(Call *call) {
    ValueId in[3], axes;
    int64_t behind[MAX_RANK];
    TRY(inputs_of(call, 3, in));
    const int condition = tf_call_type(call, 0)->rank, rank = tf_call_type(call, 1)->rank;
    if (strcmp(call->node->op, "Select") == 0 && condition == 1 && rank > 1) {
        for (int i = 1; i < rank; i++) behind[i - 1] = i;
        TRY(emit_ints(&call->emit, "axes", behind, rank - 1, &axes));
        TRY(emit_binary(&call->emit, OP_Unsqueeze, "condition", in[0], axes, &in[0]));
    }
    return give_node(call, OP_Where, in, 3, NO_ATTRS);
}

// ZerosLike, OnesLike.
Status tf_convert_like(Call *call) {
    ValueId x, number, shape;
    TRY(inputs_of(call, 1, &x));
    FAIL_IF(tf_call_type(call, 0)->dtype == DT_NONE, ST_UNSUPPORTED, "data of a type that is not known");
    TRY(scalar_like(call, "number", strcmp(call->node->op, "OnesLike") == 0, &number));
    TRY(emit_unary(&call->emit, OP_Shape, "shape", x, &shape));
    return give_binary(call, OP_Expand, number, shape);
}

Status tf_convert_cast(Call *call) {
    ValueId x, out;
    DType to;
    TRY(inputs_of(call, 1, &x));
    TRY(tf_call_attr_dtype(call, "DstT", DT_NONE, &to));
    FAIL_IF(to == DT_NONE, ST_BAD, "attribute 'DstT' is missing");
    TRY(tf_call_cast(call, "", x, to, &out));
    return tf_call_give(call, out);
}

// ---- matrices

// The last two dims exchanged.
static Status transpose_last(Call *call, const char *suffix, ValueId x, ValueId *out) {
    int perm[MAX_RANK];
    const int rank = emit_type(&call->emit, x)->rank;
    const Tensor *constant = emit_constant(&call->emit, x);
    FAIL_IF(rank < 0, ST_UNSUPPORTED, "a matrix of a rank that is not known");
    FAIL_IF(rank < 2, ST_BAD, "expected a matrix, got a value of %d dims", rank);
    for (int i = 0; i < rank; i++) perm[i] = i;
    perm[rank - 1] = rank - 2;
    perm[rank - 2] = rank - 1;
    if (!constant) return emit_transpose(&call->emit, suffix, x, perm, out);
    TRY(tf_builder_take(call->builder, tensor_bytes(constant)));
    return emit_permuted(&call->emit, suffix, constant, perm, out);
}

static Status matmul(Call *call, const char *first, const char *second) {
    ValueId in[2];
    bool flip[2];
    TRY(inputs_of(call, 2, in));
    TRY(tf_call_attr_bool(call, first, false, &flip[0]));
    TRY(tf_call_attr_bool(call, second, false, &flip[1]));
    if (flip[0]) TRY(transpose_last(call, "a", in[0], &in[0]));
    if (flip[1]) TRY(transpose_last(call, "b", in[1], &in[1]));
    return give_binary(call, OP_MatMul, in[0], in[1]);
}

Status tf_convert_matmul(Call *call) { return matmul(call, "transpose_a", "transpose_b"); }
Status tf_convert_batch_matmul(Call *call) { return matmul(call, "adj_x", "adj_y"); }

Status tf_convert_einsum(Call *call) {
    ValueId in[EINSUM_INPUTS];
    const char *equation;
    TRY(tf_call_attr_text(call, "equation", "", &equation));
    FAIL_IF(call->n_inputs > EINSUM_INPUTS, ST_UNSUPPORTED, "an equation of %d inputs (2 at most)", call->n_inputs);
    TRY(tf_call_expect(call, 1, EINSUM_INPUTS));
    for (int i = 0; i < call->n_inputs; i++) TRY(tf_call_input(call, i, &in[i]));
    return give_node(call, OP_Einsum, in, call->n_inputs, ATTRS(ATTR_S("equation", equation)));
}

// ---- along axes

// No axes at all: nothing is reduced.
Status tf_convert_reduce(Call *call) {
    ValueId in[2];
    bool keep;
    TRY(inputs_of(call, 2, in));
    TRY(tf_call_attr_bool(call, "keep_dims", false, &keep));
    TRY(tf_call_int64(call, in[1], true, &in[1]));
    return give_node(call, call->op, in, 2, ATTRS(ATTR_I("keepdims", keep), ATTR_I("noop_with_empty_axes", 1)));
}

Status tf_convert_softmax(Call *call) {
    ValueId x;
    TRY(inputs_of(call, 1, &x));
    return give_node(call, call->op, &x, 1, ATTRS(ATTR_I("axis", -1)));
}

// ArgMax, ArgMin: int64 unless told otherwise.
Status tf_convert_arg(Call *call) {
    ValueId in[2], out;
    int64_t axis;
    DType to;
    TRY(inputs_of(call, 2, in));
    TRY(tf_call_known_int(call, 1, "axes", &axis));
    TRY(tf_call_attr_dtype(call, "output_type", DT_I64, &to));
    TRY(emit_node(&call->emit, call->op, to == DT_I64 ? "" : "index", in, 1,
                  ATTRS(ATTR_I("axis", axis), ATTR_I("keepdims", 0)), &out));
    TRY(tf_call_cast(call, "", out, to, &out));
    return tf_call_give(call, out);
}

// Cumsum.
Status tf_convert_sum_axis(Call *call) {
    ValueId in[2];
    bool exclusive, reverse;
    TRY(inputs_of(call, 2, in));
    TRY(tf_call_attr_bool(call, "exclusive", false, &exclusive));
    TRY(tf_call_attr_bool(call, "reverse", false, &reverse));
    return give_node(call, OP_CumSum, in, 2, ATTRS(ATTR_I("exclusive", exclusive), ATTR_I("reverse", reverse)));
}

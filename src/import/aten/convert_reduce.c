// Operators that make one number of many along dims.
#include "import/aten/convert.h"
#include <math.h>
#include <string.h>

static ValueId self_of(const Call *call) { return call->args[0].value; }

static bool has_parameter(const Call *call, const char *name) {
    for (int i = 0; i < call->n_parameters; i++)
        if ((int)strlen(name) == call->parameters[i].name_length &&
            strncmp(call->parameters[i].name, name, strlen(name)) == 0)
            return true;
    return false;
}

// Of `dim` and `keepdim`; no dims are all dims.
typedef struct Reduced {
    int64_t axes[MAX_RANK];
    int count, rank;
    bool keep;
} Reduced;

static Status read_dims(Call *call, Reduced *out) {
    *out = (Reduced){0};
    TRY(aten_rank(call, self_of(call), &out->rank));
    if (has_parameter(call, "dim")) TRY(aten_arg_axes(call, "dim", out->rank, out->axes, &out->count));
    if (has_parameter(call, "keepdim")) TRY(aten_arg_bool(call, "keepdim", &out->keep));
    if (out->rank == 0) out->count = 0;
    if (out->count > 0) return ST_OK;
    out->count = out->rank;
    for (int i = 0; i < out->rank; i++) out->axes[i] = i;
    return ST_OK;
}

static Status over(Call *call, Op op, ValueId x, const Reduced *r, bool keep, ValueId *out) {
    return aten_over(call, op, x, r->axes, r->count, keep, out);
}

static Status give_over(Call *call, Op op, ValueId x, const Reduced *r) {
    ValueId in[2] = {x};
    TRY(aten_ints(call, r->axes, r->count, &in[1]));
    return aten_give_node(call, op, in, 2, ATTRS(ATTR_I("keepdims", r->keep), ATTR_I("noop_with_empty_axes", 1)));
}

// mean, amax, amin
Status aten_convert_reduce(Call *call) {
    Reduced r;
    ValueId x = self_of(call);
    DType dtype = DT_NONE;
    TRY(read_dims(call, &r));
    if (has_parameter(call, "dtype")) TRY(aten_arg_dtype(call, "dtype", DT_NONE, &dtype));
    TRY(aten_cast(call, x, dtype, &x));
    return give_over(call, call->op, x, &r);
}

// sum, prod: of integers and bools as int64.
Status aten_convert_sum(Call *call) {
    Reduced r;
    ValueId x = self_of(call);
    const DType own = aten_type(call, x)->dtype;
    DType dtype;
    TRY(read_dims(call, &r));
    TRY(aten_arg_dtype(call, "dtype", own == DT_NONE || dtype_is_float(own) ? DT_NONE : DT_I64, &dtype));
    TRY(aten_cast(call, x, dtype, &x));
    return give_over(call, call->op, x, &r);
}

// any, all
Status aten_convert_any(Call *call) {
    Reduced r;
    ValueId x;
    TRY(read_dims(call, &r));
    TRY(aten_as_bool(call, self_of(call), &x));
    return give_over(call, call->op, x, &r);
}

// max(self), min(self)
Status aten_convert_extreme_all(Call *call) {
    Reduced r;
    TRY(read_dims(call, &r));
    return give_over(call, call->op, self_of(call), &r);
}

static Status index_of_extreme(Call *call, bool largest, ValueId x, int axis, bool keep, ValueId *out) {
    return emit_node(&call->emit, largest ? OP_ArgMax : OP_ArgMin, "index", &x, 1,
                     ATTRS(ATTR_I("axis", axis), ATTR_I("keepdims", keep)), out);
}

// max(self, dim), min(self, dim): and where it is.
Status aten_convert_extreme_dim(Call *call) {
    Reduced r;
    ValueId index;
    TRY(read_dims(call, &r));
    FAIL_IF(r.rank == 0, ST_UNSUPPORTED, "of a tensor without dims");
    TRY(give_over(call, call->op, self_of(call), &r));
    if (call->n_outs < 2) return ST_OK;
    TRY(index_of_extreme(call, call->op == OP_ReduceMax, self_of(call), (int)r.axes[0], r.keep, &index));
    return aten_give(call, index);
}

// argmax, argmin; without a dim among all elements.
Status aten_convert_arg(Call *call) {
    ValueId x = self_of(call), out;
    int rank, axis = 0;
    bool keep;
    AtenValue ones[MAX_RANK];
    TRY(aten_rank(call, x, &rank));
    TRY(aten_arg_bool(call, "keepdim", &keep));
    const bool all = aten_arg_is(call, "dim", ATEN_NONE) || rank == 0;
    if (all) TRY(aten_reshape_ints(call, x, (const int64_t[]){-1}, 1, &x));
    else TRY(aten_arg_axis(call, "dim", rank, &axis));
    TRY(index_of_extreme(call, call->op == OP_ArgMax, x, axis, keep && !all, &out));
    for (int i = 0; i < rank; i++) ones[i] = aten_int(1);
    if (all && keep) TRY(aten_reshape(call, out, ones, rank, &out));
    return aten_give(call, out);
}

// ---- variance

// Divided by n - correction: by what correction 0 gives, the mean of the squares, times n / (n - correction).
static Status correct(Call *call, const Reduced *r, double correction, ValueId *variance) {
    AtenValue n, less, factor;
    const AtenValue by = correction == floor(correction) && fabs(correction) < 1e9 ? aten_int((int64_t)correction)
                                                                                   : aten_float(correction);
    double count;
    ValueId value;
    if (correction == 0) return ST_OK;
    TRY(aten_count(call, self_of(call), r->axes, r->count, &n));
    if (aten_known_float(call->aten, &n, &count)) {
        const double left = count - correction;
        TRY(aten_scalar_like(call, *variance, left > 0 ? count / left : count > 0 ? (double)NAN : 0, &value));
        return aten_two(call, OP_Mul, *variance, value, variance);
    }
    TRY(aten_number_binary(call, "sub", &n, &by, &less));
    TRY(aten_number_binary(call, "div", &n, &less, &factor));
    TRY(aten_operand(call, &factor, aten_type(call, *variance)->dtype, &value));
    return aten_two(call, OP_Mul, *variance, value, variance);
}

static Status read_correction(Call *call, double *out) {
    bool unbiased;
    *out = 1;
    if (has_parameter(call, "correction")) {
        if (!aten_arg_is(call, "correction", ATEN_NONE)) TRY(aten_arg_float(call, "correction", out));
        return ST_OK;
    }
    TRY(aten_arg_bool(call, "unbiased", &unbiased));
    *out = unbiased;
    return ST_OK;
}

// var, std, and both with the mean.
Status aten_convert_var(Call *call) {
    Reduced r;
    double correction;
    ValueId x, mean, centred, square, variance;
    const bool root = strstr(call->source->op, "::std") != NULL;
    TRY(read_dims(call, &r));
    TRY(read_correction(call, &correction));
    TRY(aten_as_float(call, self_of(call), &x));
    TRY(over(call, OP_ReduceMean, x, &r, true, &mean));
    TRY(aten_two(call, OP_Sub, x, mean, &centred));
    TRY(aten_two(call, OP_Mul, centred, centred, &square));
    TRY(over(call, OP_ReduceMean, square, &r, r.keep, &variance));
    TRY(correct(call, &r, correction, &variance));
    if (root) TRY(emit_unary(&call->emit, OP_Sqrt, "", variance, &variance));
    TRY(aten_give(call, variance));
    if (call->n_outs < 2 || !strstr(call->source->op, "_mean")) return ST_OK;
    if (!r.keep) TRY(over(call, OP_ReduceMean, x, &r, false, &mean));
    return aten_give(call, mean);
}

// ---- norms

// (sum of |x|^p)^(1/p)
static Status power_norm(Call *call, ValueId x, double p, const Reduced *r) {
    ValueId exponent, root;
    TRY(aten_one(call, OP_Abs, x, &x));
    if (p == 0) {
        TRY(aten_one(call, OP_Sign, x, &x));
        return give_over(call, OP_ReduceSum, x, r);
    }
    TRY(aten_scalar_like(call, x, p, &exponent));
    TRY(aten_scalar_like(call, x, 1 / p, &root));
    TRY(aten_two(call, OP_Pow, x, exponent, &x));
    TRY(over(call, OP_ReduceSum, x, r, r->keep, &x));
    return aten_give_two(call, OP_Pow, x, root);
}

// linalg_vector_norm, norm, frobenius_norm
Status aten_convert_vector_norm(Call *call) {
    Reduced r;
    double p = 2;
    DType dtype = DT_NONE;
    ValueId x = self_of(call);
    const char *name = has_parameter(call, "ord") ? "ord" : "p";
    TRY(read_dims(call, &r));
    if (has_parameter(call, name) && !aten_arg_is(call, name, ATEN_NONE)) TRY(aten_arg_float(call, name, &p));
    if (has_parameter(call, "dtype")) TRY(aten_arg_dtype(call, "dtype", DT_NONE, &dtype));
    TRY(aten_cast(call, x, dtype, &x));
    if (p == 2) return give_over(call, OP_ReduceL2, x, &r);
    if (p == 1) return give_over(call, OP_ReduceL1, x, &r);
    if (!isinf(p)) return power_norm(call, x, p, &r);
    TRY(aten_one(call, OP_Abs, x, &x));
    return give_over(call, p > 0 ? OP_ReduceMax : OP_ReduceMin, x, &r);
}

// ---- order

Status aten_convert_cumsum(Call *call) {
    ValueId in[2] = {self_of(call)};
    const DType own = aten_type(call, in[0])->dtype;
    DType dtype;
    int rank, axis;
    TRY(aten_rank(call, in[0], &rank));
    TRY(aten_arg_axis(call, "dim", rank, &axis));
    TRY(aten_arg_dtype(call, "dtype", own == DT_NONE || dtype_is_float(own) ? DT_NONE : DT_I64, &dtype));
    TRY(aten_cast(call, in[0], dtype, &in[0]));
    if (rank == 0) return aten_give(call, in[0]);
    TRY(aten_scalar(call, DT_I64, axis, &in[1]));
    return aten_give_node(call, OP_CumSum, in, 2, NO_ATTRS);
}

static Status top(Call *call, const AtenValue *k, int axis, bool largest, ValueId out[2]) {
    ValueId in[2] = {self_of(call)};
    TRY(aten_list_value(call, k, 1, &in[1]));
    return emit_nodes(&call->emit, OP_TopK, "", in, 2, ATTRS(ATTR_I("axis", axis), ATTR_I("largest", largest)), out, 2);
}

Status aten_convert_topk(Call *call) {
    ValueId out[2];
    int rank, axis;
    bool largest;
    TRY(aten_rank(call, self_of(call), &rank));
    FAIL_IF(rank == 0, ST_UNSUPPORTED, "of a tensor without dims");
    TRY(aten_arg_axis(call, "dim", rank, &axis));
    TRY(aten_arg_bool(call, "largest", &largest));
    TRY(top(call, aten_arg(call, "k"), axis, largest, out));
    TRY(aten_give(call, out[0]));
    return aten_give(call, out[1]);
}

// sort and argsort: all of them, from the first. Equal ones keep their order.
Status aten_convert_sort(Call *call) {
    ValueId out[2];
    AtenValue dim;
    int rank, axis;
    bool descending;
    TRY(aten_rank(call, self_of(call), &rank));
    FAIL_IF(rank == 0, ST_UNSUPPORTED, "of a tensor without dims");
    TRY(aten_arg_axis(call, "dim", rank, &axis));
    TRY(aten_arg_bool(call, "descending", &descending));
    TRY(aten_dim(call, self_of(call), axis, &dim));
    TRY(top(call, &dim, axis, descending, out));
    if (!strstr(call->source->op, "argsort")) TRY(aten_give(call, out[0]));
    return aten_give(call, out[1]);
}

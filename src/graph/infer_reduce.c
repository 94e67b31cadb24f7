// Inference of reductions, running sums and TopK.
#include "graph/infer.h"

static void drop_dims(Type *type, const bool drop[MAX_RANK], bool keep_as_one) {
    int rank = 0;
    for (int i = 0; i < type->rank; i++) {
        if (!drop[i]) type->dim[rank++] = type->dim[i];
        else if (keep_as_one) type->dim[rank++] = 1;
    }
    type->rank = rank;
}

// Axes that are not known: the rank may still follow from their number.
static Status reduce_unknown(const Infer *infer, const IntInput *axes, bool keep) {
    const int rank = infer->in[0].rank;
    FAIL_IF(rank >= 0 && axes->count > rank, ST_BAD, "expected at most %d axes, got %lld", rank,
            (long long)axes->count);
    int left = -1;
    if (keep) left = rank;
    else if (rank >= 0 && axes->count > 0) left = rank - (int)axes->count;
    infer->out[0] = unknown_type(infer->in[0].dtype, left);
    return ST_OK;
}

Status infer_reduce(const Infer *infer) {
    IntInput axes;
    const bool orders = infer->node->op == OP_ReduceMax || infer->node->op == OP_ReduceMin;
    TRY(want_dtype(infer, 0, orders ? ANY_DTYPE : NUMBERS));
    TRY(int_input(infer, 1, "axes", &axes));
    const bool keep = node_int(infer->node, "keepdims", 1) != 0;
    Type *out = &infer->out[0];
    *out = infer->in[0];
    const bool none = !axes.present || axes.count == 0;
    if (none && node_int(infer->node, "noop_with_empty_axes", 0)) return ST_OK;
    if (!none && !axes.values) return reduce_unknown(infer, &axes, keep);
    if (out->rank < 0) {
        if (none && !keep) out->rank = 0;
        return ST_OK;
    }
    bool drop[MAX_RANK];
    if (!none) TRY(axes_of(&axes, out->rank, drop));
    for (int i = 0; none && i < out->rank; i++) drop[i] = true;
    drop_dims(out, drop, keep);
    return ST_OK;
}

Status infer_arg_max(const Infer *infer) {
    TRY(want_dtype(infer, 0, NUMBERS));
    TRY(want_rank(infer, 0, 1, -1));
    Type *out = &infer->out[0];
    *out = infer->in[0];
    out->dtype = DT_I64;
    if (out->rank < 0) return ST_OK;
    int axis;
    TRY(want_axis(node_int(infer->node, "axis", 0), out->rank, &axis));
    FAIL_IF(out->dim[axis] == 0, ST_BAD, "axis %d is empty", axis);
    bool drop[MAX_RANK] = {false};
    drop[axis] = true;
    drop_dims(out, drop, node_int(infer->node, "keepdims", 1) != 0);
    return ST_OK;
}

Status infer_cum_sum(const Infer *infer) {
    IntInput axis;
    int at;
    const Type *in = &infer->in[0];
    TRY(want_dtype(infer, 0, NUMBERS));
    TRY(want_rank(infer, 0, 1, -1));
    TRY(int_input(infer, 1, "axis", &axis));
    FAIL_IF(axis.count >= 0 && axis.count != 1, ST_BAD, "input 1 (axis): expected one element, got %lld",
            (long long)axis.count);
    if (axis.values && in->rank >= 0) TRY(want_axis(int_at(&axis, 0), in->rank, &at));
    infer->out[0] = *in;
    return ST_OK;
}

Status infer_top_k(const Infer *infer) {
    IntInput k;
    TRY(want_dtype(infer, 0, NUMBERS));
    TRY(want_rank(infer, 0, 1, -1));
    TRY(int_input(infer, 1, "k", &k));
    FAIL_IF(k.count >= 0 && k.count != 1, ST_BAD, "input 1 (k): expected one element, got %lld", (long long)k.count);
    Type out = infer->in[0];
    int axis;
    if (out.rank >= 0) {
        TRY(want_axis(node_int(infer->node, "axis", -1), out.rank, &axis));
        const int64_t wanted = k.values ? int_at(&k, 0) : DIM_UNKNOWN;
        FAIL_IF(k.values && (wanted < 0 || (dim_known(out.dim[axis]) && wanted > out.dim[axis])), ST_BAD,
                "input 1 (k): expected 0 to %lld, got %lld", (long long)out.dim[axis], (long long)wanted);
        out.dim[axis] = wanted;
    }
    infer->out[0] = infer->out[1] = out;
    infer->out[1].dtype = DT_I64;
    return ST_OK;
}

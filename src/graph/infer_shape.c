// Inference of ops that change or describe shapes.
#include "graph/infer.h"
#include <math.h>

// A shape told by a list that is not known: its length may still tell the rank.
static Status listed_rank(const Infer *infer, const IntInput *list, DType dtype) {
    FAIL_IF(list->count > MAX_RANK, ST_UNSUPPORTED, "expected at most %d dims, got %lld", MAX_RANK,
            (long long)list->count);
    infer->out[0] = unknown_type(dtype, (int)list->count);
    return ST_OK;
}

// What -1 stands for: the elements not accounted for by other dims. Dims copied with 0 (`copied`) stand on both
// sides and cancel, so they need not be known; nor does a single dim of the input when all else cancels.
static Status infer_rest(const Type *in, const Type *out, const bool copied[MAX_RANK], int rest, int64_t *dim) {
    int64_t known = 1, others = 1, unknown = 1; // products; `unknown` of the input's dims that are not known
    for (int i = 0; i < in->rank; i++)
        if (!copied[i]) {
            int64_t *product = dim_known(in->dim[i]) ? &known : &unknown;
            TRY(dim_mul(*product, in->dim[i], product));
        }
    for (int i = 0; i < out->rank; i++)
        if (i != rest && !copied[i]) TRY(dim_mul(others, out->dim[i], &others));
    *dim = DIM_UNKNOWN;
    if (!dim_known(unknown) && known == others) *dim = unknown;
    if (!dim_known(unknown)) return ST_OK;
    FAIL_IF(others == 0 ? known != 0 : known % others != 0, ST_BAD,
            "expected the elements of %s to fill %s, which they can't", shape_words(in).text, shape_words(out).text);
    *dim = others == 0 ? 0 : known / others;
    return ST_OK;
}

static Status check_same_count(const Type *in, const Type *out) {
    if (!shape_known(in) || !shape_known(out)) return ST_OK;
    const Shape a = shape_of(in->rank, in->dim), b = shape_of(out->rank, out->dim);
    FAIL_IF(shape_count(&a) != shape_count(&b) || shape_count(&b) < 0, ST_BAD,
            "expected as many elements as %s has, got %s", shape_words(in).text, shape_words(out).text);
    return ST_OK;
}

static Status reshape_dims(const Infer *infer, const IntInput *shape, bool copied[MAX_RANK], int *rest) {
    const Type *in = &infer->in[0];
    const bool allow_zero = node_int(infer->node, "allowzero", 0) != 0;
    Type *out = &infer->out[0];
    *rest = -1;
    bool zero = false;
    for (int i = 0; i < out->rank; i++) {
        const int64_t dim = int_at(shape, i);
        FAIL_IF(dim < -1, ST_BAD, "input 1 (shape): expected dims from -1, got %lld", (long long)dim);
        FAIL_IF(dim == -1 && *rest >= 0, ST_BAD, "input 1 (shape): expected at most one -1");
        FAIL_IF(dim == 0 && !allow_zero && in->rank >= 0 && i >= in->rank, ST_BAD,
                "input 1 (shape): 0 copies dim %d, but the input is %s", i, shape_words(in).text);
        copied[i] = dim == 0 && !allow_zero;
        zero = zero || (dim == 0 && allow_zero);
        if (dim == -1) *rest = i;
        out->dim[i] = copied[i] ? (in->rank < 0 ? DIM_UNKNOWN : in->dim[i]) : dim == -1 ? DIM_UNKNOWN : dim;
    }
    FAIL_IF(zero && *rest >= 0, ST_BAD, "input 1 (shape): with allowzero, 0 and -1 exclude each other");
    return ST_OK;
}

Status infer_reshape(const Infer *infer) {
    IntInput shape;
    TRY(int_input(infer, 1, "shape", &shape));
    const Type *in = &infer->in[0];
    TRY(listed_rank(infer, &shape, in->dtype));
    if (!shape.values) return ST_OK;
    bool copied[MAX_RANK] = {false};
    int rest;
    TRY(reshape_dims(infer, &shape, copied, &rest));
    Type *out = &infer->out[0];
    if (rest >= 0 && in->rank >= 0) TRY(infer_rest(in, out, copied, rest, &out->dim[rest]));
    return check_same_count(in, out);
}

Status infer_flatten(const Infer *infer) {
    const Type *in = &infer->in[0];
    infer->out[0] = unknown_type(in->dtype, 2);
    if (in->rank < 0) return ST_OK;
    const int64_t axis = node_int(infer->node, "axis", 1);
    FAIL_IF(axis < -in->rank || axis > in->rank, ST_BAD, "expected an axis from %d to %d, got %lld", -in->rank,
            in->rank, (long long)axis);
    int64_t *dim = infer->out[0].dim;
    dim[0] = dim[1] = 1;
    for (int i = 0; i < in->rank; i++) {
        const int side = i >= (axis < 0 ? axis + in->rank : axis);
        TRY(dim_mul(dim[side], in->dim[i], &dim[side]));
    }
    return ST_OK;
}

// Without axes every dim of 1 goes, so that the rank is known only when all dims are.
static Status squeeze_ones(const Infer *infer) {
    const Type *in = &infer->in[0];
    Type *out = &infer->out[0];
    *out = unknown_type(in->dtype, -1);
    if (!shape_known(in)) return ST_OK;
    out->rank = 0;
    for (int i = 0; i < in->rank; i++)
        if (in->dim[i] != 1) out->dim[out->rank++] = in->dim[i];
    return ST_OK;
}

Status infer_squeeze(const Infer *infer) {
    IntInput axes;
    TRY(int_input(infer, 1, "axes", &axes));
    if (!axes.present) return squeeze_ones(infer);
    const Type *in = &infer->in[0];
    Type *out = &infer->out[0];
    FAIL_IF(in->rank >= 0 && axes.count > in->rank, ST_BAD, "expected at most %d axes, got %lld", in->rank,
            (long long)axes.count);
    const bool rank_known = in->rank >= 0 && axes.count >= 0;
    *out = unknown_type(in->dtype, rank_known ? in->rank - (int)axes.count : -1);
    if (!rank_known || !axes.values) return ST_OK;
    bool drop[MAX_RANK];
    TRY(axes_of(&axes, in->rank, drop));
    for (int i = 0, at = 0; i < in->rank; i++) {
        FAIL_IF(drop[i] && dims_clash(in->dim[i], 1), ST_BAD, "expected dim %d of %s to be 1", i, shape_words(in).text);
        if (!drop[i]) out->dim[at++] = in->dim[i];
    }
    return ST_OK;
}

Status infer_unsqueeze(const Infer *infer) {
    IntInput axes;
    TRY(int_input(infer, 1, "axes", &axes));
    const Type *in = &infer->in[0];
    Type *out = &infer->out[0];
    const bool rank_known = in->rank >= 0 && axes.count >= 0;
    FAIL_IF(rank_known && axes.count > MAX_RANK - in->rank, ST_UNSUPPORTED, "expected at most %d dims, got %lld",
            MAX_RANK, (long long)MIN(axes.count, 1000000) + in->rank);
    *out = unknown_type(in->dtype, rank_known ? in->rank + (int)axes.count : -1);
    if (!rank_known || !axes.values) return ST_OK;
    bool fresh[MAX_RANK];
    TRY(axes_of(&axes, out->rank, fresh));
    for (int i = 0, at = 0; i < out->rank; i++) out->dim[i] = fresh[i] ? 1 : in->dim[at++];
    return ST_OK;
}

Status infer_expand(const Infer *infer) {
    IntInput shape;
    TRY(int_input(infer, 1, "shape", &shape));
    FAIL_IF(shape.count > MAX_RANK, ST_UNSUPPORTED, "expected at most %d dims, got %lld", MAX_RANK,
            (long long)shape.count);
    const Type *in = &infer->in[0];
    Type wanted = unknown_type(in->dtype, (int)shape.count);
    for (int i = 0; shape.values && i < wanted.rank; i++) {
        wanted.dim[i] = int_at(&shape, i);
        FAIL_IF(wanted.dim[i] < 0, ST_BAD, "input 1 (shape): expected dims from 0, got %lld", (long long)wanted.dim[i]);
    }
    TRY(broadcast(in, &wanted, &infer->out[0]));
    infer->out[0].dtype = in->dtype;
    return ST_OK;
}

Status infer_tile(const Infer *infer) {
    IntInput repeats;
    TRY(int_input(infer, 1, "repeats", &repeats));
    const Type *in = &infer->in[0];
    FAIL_IF(in->rank >= 0 && dims_clash(repeats.count, in->rank), ST_BAD,
            "input 1 (repeats): expected %d numbers, got %lld", in->rank, (long long)repeats.count);
    infer->out[0] = unknown_type(in->dtype, in->rank);
    for (int i = 0; repeats.values && i < in->rank; i++) {
        const int64_t times = int_at(&repeats, i);
        FAIL_IF(times < 0, ST_BAD, "input 1 (repeats): expected numbers from 0, got %lld", (long long)times);
        TRY(dim_mul(in->dim[i], times, &infer->out[0].dim[i]));
    }
    return ST_OK;
}

Status infer_transpose(const Infer *infer) {
    const Type *in = &infer->in[0];
    const int64_t *perm;
    const size_t count = node_ints(infer->node, "perm", &perm);
    const bool given = node_attr(infer->node, "perm") != NULL;
    infer->out[0] = unknown_type(in->dtype, in->rank);
    if (in->rank < 0) return ST_OK;
    FAIL_IF(given && count != (size_t)in->rank, ST_BAD, "attribute 'perm': expected %d numbers, got %zu", in->rank,
            count);
    bool used[MAX_RANK] = {false};
    for (int i = 0; i < in->rank; i++) {
        int from = in->rank - 1 - i;
        if (given) TRY(want_axis(perm[i], in->rank, &from));
        FAIL_IF(used[from], ST_BAD, "attribute 'perm': dim %d stands twice", from);
        used[from] = true;
        infer->out[0].dim[i] = in->dim[from];
    }
    return ST_OK;
}

Status infer_shape_op(const Infer *infer) {
    Type *out = &infer->out[0];
    *out = unknown_type(DT_I64, 1);
    const int64_t rank = infer->in[0].rank;
    if (rank < 0) return ST_OK;
    int64_t start = node_int(infer->node, "start", 0), end = node_int(infer->node, "end", rank);
    start = start < 0 ? MAX(start + rank, 0) : MIN(start, rank);
    end = end < 0 ? MAX(end + rank, 0) : MIN(end, rank);
    out->dim[0] = MAX(end - start, 0);
    return ST_OK;
}

// How many of start, start + delta, ... lie before the limit.
static Status range_count(const Tensor *start, const Tensor *limit, const Tensor *delta, int64_t *count) {
    if (!dtype_is_float(start->dtype)) {
        const __int128 from = tensor_get_int(start, 0), to = tensor_get_int(limit, 0), step = tensor_get_int(delta, 0);
        FAIL_IF(step == 0, ST_BAD, "input 2 (delta) is 0");
        const __int128 steps = step > 0 ? (to - from + step - 1) / step : (from - to - step - 1) / -step;
        FAIL_IF(steps > INT64_MAX, ST_BAD, "the range has too many numbers");
        *count = steps > 0 ? (int64_t)steps : 0;
        return ST_OK;
    }
    const double steps = ceil((tensor_get(limit, 0) - tensor_get(start, 0)) / tensor_get(delta, 0));
    FAIL_IF(tensor_get(delta, 0) == 0, ST_BAD, "input 2 (delta) is 0");
    FAIL_IF(!(steps < 0x1p62), ST_BAD, "the range has too many numbers");
    *count = steps > 0 ? (int64_t)steps : 0;
    return ST_OK;
}

Status infer_range(const Infer *infer) {
    Type *out = &infer->out[0];
    *out = unknown_type(infer->in[0].dtype, 1);
    bool known = infer->constant != NULL;
    for (int i = 0; i < 3; i++) {
        TRY(want_dtype(infer, i, NUMBERS));
        TRY(want_same_dtype(infer, 0, i));
        TRY(want_rank(infer, i, 0, 1));
        known = known && infer->constant[i];
        FAIL_IF(known && tensor_count(infer->constant[i]) != 1, ST_BAD, "input %d: expected a scalar, got %s", i,
                shape_words(&infer->in[i]).text);
    }
    if (!known) return ST_OK;
    return range_count(infer->constant[0], infer->constant[1], infer->constant[2], &out->dim[0]);
}

Status infer_constant_of_shape(const Infer *infer) {
    IntInput shape;
    TRY(int_input(infer, 0, "shape", &shape));
    const Attr *value = node_attr(infer->node, "value");
    FAIL_IF(value && tensor_count(&value->tensor) != 1, ST_BAD, "attribute 'value': expected one element, got %lld",
            (long long)tensor_count(&value->tensor));
    TRY(listed_rank(infer, &shape, value ? value->tensor.dtype : DT_F32));
    for (int i = 0; shape.values && i < infer->out[0].rank; i++) {
        infer->out[0].dim[i] = int_at(&shape, i);
        FAIL_IF(infer->out[0].dim[i] < 0, ST_BAD, "input 0 (shape): expected dims from 0, got %lld",
                (long long)infer->out[0].dim[i]);
    }
    return ST_OK;
}

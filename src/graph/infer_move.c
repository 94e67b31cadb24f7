// Inference of ops that move data.
#include "graph/infer.h"

// Joins b's dims into a's, all but `except`.
static Status join_dims(Type *a, const Type *b, int except, int input) {
    FAIL_IF(a->rank != b->rank, ST_BAD, "input %d: expected %d dims like input 0, got %s", input, a->rank,
            shape_words(b).text);
    for (int i = 0; i < a->rank; i++) {
        if (i == except) continue;
        FAIL_IF(dims_clash(a->dim[i], b->dim[i]), ST_BAD, "input %d: expected %lld in dim %d, got %s", input,
                (long long)a->dim[i], i, shape_words(b).text);
        a->dim[i] = dim_join(a->dim[i], b->dim[i]);
    }
    return ST_OK;
}

// An input of unknown rank leaves only the dim at the axis unknown: the others must be equal.
Status infer_concat(const Infer *infer) {
    FAIL_IF(!node_attr(infer->node, "axis"), ST_BAD, "attribute 'axis' is missing");
    Type *out = &infer->out[0];
    bool ranks_known = true;
    for (int i = 0; i < infer->node->n_inputs; i++) {
        TRY(want_same_dtype(infer, 0, i));
        TRY(want_rank(infer, i, 1, -1));
        if (out->dtype == DT_NONE) out->dtype = infer->in[i].dtype;
        ranks_known = ranks_known && infer->in[i].rank >= 0;
    }
    int axis, first = 0;
    while (first < infer->node->n_inputs && infer->in[first].rank < 0) first++;
    if (first == infer->node->n_inputs) return ST_OK;
    const DType dtype = out->dtype;
    *out = infer->in[first];
    out->dtype = dtype;
    TRY(want_axis(node_int(infer->node, "axis", 0), out->rank, &axis));
    for (int i = first + 1; i < infer->node->n_inputs; i++) {
        if (infer->in[i].rank < 0) continue;
        TRY(join_dims(out, &infer->in[i], axis, i));
        TRY(dim_add(out->dim[axis], infer->in[i].dim[axis], &out->dim[axis]));
    }
    if (!ranks_known) out->dim[axis] = DIM_UNKNOWN;
    return ST_OK;
}

static Status split_listed(const Infer *infer, const IntInput *sizes, int axis) {
    const int n = infer->node->n_outputs;
    FAIL_IF(dims_clash(sizes->count, n), ST_BAD, "input 1 (split): expected %d sizes, one an output, got %lld", n,
            (long long)sizes->count);
    int64_t total = 0;
    for (int i = 0; sizes->values && i < n; i++) {
        const int64_t size = int_at(sizes, i);
        FAIL_IF(size < 0, ST_BAD, "input 1 (split): expected sizes from 0, got %lld", (long long)size);
        TRY(dim_add(total, size, &total));
        infer->out[i].dim[axis] = size;
    }
    FAIL_IF(sizes->values && dims_clash(infer->in[0].dim[axis], total), ST_BAD,
            "input 1 (split): expected sizes that add up to %lld, got %lld", (long long)infer->in[0].dim[axis],
            (long long)total);
    return ST_OK;
}

// With num_outputs the last part may be smaller (not empty); without, the parts must be equal.
static Status split_even(const Infer *infer, int axis) {
    const int64_t dim = infer->in[0].dim[axis], n = infer->node->n_outputs, part = div_up(MAX(dim, 0), n);
    const int64_t wanted = node_int(infer->node, "num_outputs", n);
    FAIL_IF(wanted != n, ST_BAD, "attribute 'num_outputs': expected %lld like the outputs, got %lld", (long long)n,
            (long long)wanted);
    if (!dim_known(dim)) return ST_OK;
    const bool may_differ = node_attr(infer->node, "num_outputs") != NULL;
    int64_t before; // of the last part
    const bool last_fits = mul_i64(part, n - 1, &before) && before < dim;
    FAIL_IF(dim % n && !(may_differ && last_fits), ST_BAD, "expected a dim that splits into %lld parts, got %lld",
            (long long)n, (long long)dim);
    for (int i = 0; i < n; i++) infer->out[i].dim[axis] = i < n - 1 ? part : dim - before;
    return ST_OK;
}

Status infer_split(const Infer *infer) {
    IntInput sizes;
    TRY(int_input(infer, 1, "split", &sizes));
    TRY(want_rank(infer, 0, 1, -1));
    for (int i = 0; i < infer->node->n_outputs; i++) infer->out[i] = infer->in[0];
    if (infer->in[0].rank < 0) return ST_OK;
    int axis;
    TRY(want_axis(node_int(infer->node, "axis", 0), infer->in[0].rank, &axis));
    if (infer->node->n_outputs == 1 && !sizes.present) return ST_OK;
    for (int i = 0; i < infer->node->n_outputs; i++) infer->out[i].dim[axis] = DIM_UNKNOWN;
    return sizes.present ? split_listed(infer, &sizes, axis) : split_even(infer, axis);
}

Status slice_range(int64_t dim, int64_t start, int64_t end, int64_t step, int64_t *first, int64_t *count) {
    FAIL_IF(step == 0, ST_BAD, "input 4 (steps): expected a number other than 0");
    *first = *count = 0;
    if (dim == 0) return ST_OK;
    if (start < 0) start += dim;
    if (end < 0) end += dim;
    // Going down, the first is at most the last element, and the end may lie before element 0.
    const int64_t lowest = step > 0 ? 0 : -1, highest = step > 0 ? dim : dim - 1;
    *first = MIN(MAX(start, 0), highest);
    end = MIN(MAX(end, lowest), highest);
    if (step > 0 && end > *first) *count = (end - *first - 1) / step + 1;
    if (step < 0 && *first > end) *count = (*first - end - 1) / -MAX(step, -INT64_MAX) + 1;
    return ST_OK;
}

// Of a dim that is not known only the whole is.
static bool slice_is_whole(int64_t start, int64_t end, int64_t step) {
    return start == 0 && step == 1 && end >= INT32_MAX;
}

typedef struct SliceInputs {
    IntInput starts, ends, axes, steps;
} SliceInputs;

static Status slice_axis(const SliceInputs *inputs, int64_t i, int64_t *dim) {
    const bool steps_known = !inputs->steps.present || inputs->steps.values;
    if (!inputs->starts.values || !inputs->ends.values || !steps_known) {
        *dim = DIM_UNKNOWN;
        return ST_OK;
    }
    const int64_t start = int_at(&inputs->starts, i), end = int_at(&inputs->ends, i);
    const int64_t step = inputs->steps.present ? int_at(&inputs->steps, i) : 1;
    int64_t first;
    if (dim_known(*dim)) return slice_range(*dim, start, end, step, &first, dim);
    if (!slice_is_whole(start, end, step)) *dim = DIM_UNKNOWN;
    return ST_OK;
}

// The lists' common length, or -1.
static Status slice_count(const SliceInputs *inputs, int64_t *count) {
    const IntInput *lists[] = {&inputs->starts, &inputs->ends, &inputs->axes, &inputs->steps};
    *count = -1;
    for (size_t i = 0; i < COUNT_OF(lists); i++) {
        if (!lists[i]->present || lists[i]->count < 0) continue;
        FAIL_IF(*count >= 0 && *count != lists[i]->count, ST_BAD,
                "expected starts, ends, axes and steps of one length, got %lld and %lld", (long long)*count,
                (long long)lists[i]->count);
        *count = lists[i]->count;
    }
    return ST_OK;
}

Status infer_slice(const Infer *infer) {
    SliceInputs inputs;
    int64_t count;
    TRY(int_input(infer, 1, "starts", &inputs.starts));
    TRY(int_input(infer, 2, "ends", &inputs.ends));
    TRY(int_input(infer, 3, "axes", &inputs.axes));
    TRY(int_input(infer, 4, "steps", &inputs.steps));
    TRY(slice_count(&inputs, &count));
    const Type *in = &infer->in[0];
    infer->out[0] = unknown_type(in->dtype, in->rank);
    if (in->rank < 0) return ST_OK;
    FAIL_IF(count > in->rank, ST_BAD, "expected at most %d starts, got %lld", in->rank, (long long)count);
    if ((inputs.axes.present && !inputs.axes.values) || count < 0) return ST_OK;
    infer->out[0] = *in;
    bool chosen[MAX_RANK];
    if (inputs.axes.present) TRY(axes_of(&inputs.axes, in->rank, chosen));
    for (int64_t i = 0; i < count; i++) {
        int axis;
        TRY(want_axis(inputs.axes.present ? int_at(&inputs.axes, i) : i, in->rank, &axis));
        TRY(slice_axis(&inputs, i, &infer->out[0].dim[axis]));
    }
    return ST_OK;
}

// Negative pads crop first; what is kept is what the other modes than constant read from.
static Status pad_axis(const char *mode, int axis, int64_t begin, int64_t end, int64_t *dim) {
    const int64_t in = *dim;
    int64_t total, kept = DIM_UNKNOWN;
    FAIL_IF(!add_i64(begin, end, &total), ST_BAD, "dim %d: the pads are too large", axis);
    *dim = total == 0 ? in : DIM_UNKNOWN;
    if (!dim_known(in)) return ST_OK;
    FAIL_IF(begin < -in || end < -in || (kept = in + MIN(begin, 0) + MIN(end, 0)) < 0, ST_BAD,
            "dim %d: pads %lld and %lld crop more than the %lld elements", axis, (long long)begin, (long long)end,
            (long long)in);
    const int64_t largest = MAX(begin, end);
    FAIL_IF(mode[0] != 'c' && kept == 0 && largest > 0, ST_BAD, "dim %d is empty: there is nothing to pad with", axis);
    FAIL_IF(mode[0] == 'r' && largest > 0 && largest >= kept, ST_BAD,
            "dim %d: expected pads below %lld to reflect, got %lld", axis, (long long)kept, (long long)largest);
    FAIL_IF(!add_i64(in, total, dim), ST_BAD, "dim %d: the pads are too large", axis);
    return ST_OK;
}

Status infer_pad(const Infer *infer) {
    IntInput pads, axes;
    TRY(want_choice(infer, "mode", "constant", "constant reflect edge wrap"));
    TRY(int_input(infer, 1, "pads", &pads));
    TRY(want_same_dtype(infer, 0, 2));
    TRY(int_input(infer, 3, "axes", &axes));
    const Type *in = &infer->in[0];
    infer->out[0] = unknown_type(in->dtype, in->rank);
    if (in->rank < 0 || (axes.present && !axes.values)) return ST_OK;
    const int64_t n = axes.present ? axes.count : in->rank;
    FAIL_IF(dims_clash(pads.count, 2 * n), ST_BAD, "input 1 (pads): expected %lld numbers, got %lld", (long long)2 * n,
            (long long)pads.count);
    infer->out[0] = *in;
    bool chosen[MAX_RANK];
    if (axes.present) TRY(axes_of(&axes, in->rank, chosen));
    for (int64_t i = 0; i < n; i++) {
        int axis;
        TRY(want_axis(axes.present ? int_at(&axes, i) : i, in->rank, &axis));
        int64_t *dim = &infer->out[0].dim[axis];
        if (!pads.values) *dim = DIM_UNKNOWN;
        else
            TRY(pad_axis(node_string(infer->node, "mode", "constant"), axis, int_at(&pads, i), int_at(&pads, n + i),
                         dim));
    }
    return ST_OK;
}

static Status want_index_dtype(const Infer *infer, int input) {
    const DType dtype = infer->in[input].dtype;
    FAIL_IF(dtype != DT_NONE && dtype != DT_I64 && dtype != DT_I32, ST_BAD,
            "input %d (indices): expected int64 or int32, got %s", input, dtype_name(dtype));
    return ST_OK;
}

static Status check_indices(const Tensor *indices, int64_t dim) {
    for (int64_t i = 0; indices && dim_known(dim) && i < tensor_count(indices); i++) {
        const int64_t index = tensor_get_int(indices, i);
        FAIL_IF(index < -dim || index >= dim, ST_BAD, "input 1 (indices): expected %lld to %lld, got %lld",
                -(long long)dim, (long long)dim - 1, (long long)index);
    }
    return ST_OK;
}

Status infer_gather(const Infer *infer) {
    TRY(want_index_dtype(infer, 1));
    TRY(want_rank(infer, 0, 1, -1));
    const Type *in = &infer->in[0], *indices = &infer->in[1];
    Type *out = &infer->out[0];
    out->dtype = in->dtype;
    if (in->rank < 0 || indices->rank < 0) return ST_OK;
    FAIL_IF(in->rank - 1 + indices->rank > MAX_RANK, ST_UNSUPPORTED, "expected at most %d dims, got %d", MAX_RANK,
            in->rank - 1 + indices->rank);
    int axis;
    TRY(want_axis(node_int(infer->node, "axis", 0), in->rank, &axis));
    TRY(check_indices(infer->constant ? infer->constant[1] : NULL, in->dim[axis]));
    out->rank = 0;
    for (int i = 0; i < axis; i++) out->dim[out->rank++] = in->dim[i];
    for (int i = 0; i < indices->rank; i++) out->dim[out->rank++] = indices->dim[i];
    for (int i = axis + 1; i < in->rank; i++) out->dim[out->rank++] = in->dim[i];
    return ST_OK;
}

// updates: indices' dims but the last, then x's dims that an index tuple leaves open.
static Status check_updates(const Infer *infer) {
    const Type *in = &infer->in[0], *indices = &infer->in[1], *updates = &infer->in[2];
    if (in->rank < 0 || indices->rank < 0) return ST_OK;
    const int64_t tuple = indices->dim[indices->rank - 1];
    FAIL_IF(tuple > in->rank || tuple == 0, ST_BAD, "input 1 (indices): expected index tuples of 1 to %d, got %lld",
            in->rank, (long long)tuple);
    if (!dim_known(tuple) || updates->rank < 0) return ST_OK;
    const int outer = indices->rank - 1;
    bool fits = updates->rank == outer + in->rank - (int)tuple;
    for (int i = 0; fits && i < updates->rank; i++)
        fits = !dims_clash(updates->dim[i], i < outer ? indices->dim[i] : in->dim[i - outer + tuple]);
    FAIL_IF(!fits, ST_BAD, "input 2 (updates): %s does not go with indices %s into %s", shape_words(updates).text,
            shape_words(indices).text, shape_words(in).text);
    return ST_OK;
}

Status infer_scatter_nd(const Infer *infer) {
    TRY(want_choice(infer, "reduction", "none", "none add mul max min"));
    TRY(want_index_dtype(infer, 1));
    TRY(want_same_dtype(infer, 0, 2));
    TRY(want_rank(infer, 0, 1, -1));
    TRY(want_rank(infer, 1, 1, -1));
    TRY(check_updates(infer));
    infer->out[0] = infer->in[0];
    return ST_OK;
}

// Indices that stand element by element for places along an axis: as many dims as x, none larger but along the axis.
static Status check_element_indices(const Infer *infer) {
    const Type *in = &infer->in[0], *indices = &infer->in[1];
    int axis;
    TRY(want_index_dtype(infer, 1));
    TRY(want_rank(infer, 0, 1, -1));
    if (in->rank < 0 || indices->rank < 0) return ST_OK;
    TRY(want_axis(node_int(infer->node, "axis", 0), in->rank, &axis));
    bool fits = in->rank == indices->rank;
    for (int i = 0; fits && i < in->rank; i++)
        fits = i == axis || !dim_known(in->dim[i]) || indices->dim[i] <= in->dim[i];
    FAIL_IF(!fits, ST_BAD, "input 1 (indices): %s does not go with %s along axis %d", shape_words(indices).text,
            shape_words(in).text, axis);
    return check_indices(infer->constant ? infer->constant[1] : NULL, in->dim[axis]);
}

Status infer_gather_elements(const Infer *infer) {
    TRY(check_element_indices(infer));
    infer->out[0] = infer->in[1];
    infer->out[0].dtype = infer->in[0].dtype;
    return ST_OK;
}

Status infer_scatter_elements(const Infer *infer) {
    const Type *indices = &infer->in[1], *updates = &infer->in[2];
    TRY(want_choice(infer, "reduction", "none", "none add mul max min"));
    TRY(want_same_dtype(infer, 0, 2));
    TRY(check_element_indices(infer));
    bool fits = indices->rank < 0 || updates->rank < 0 || indices->rank == updates->rank;
    for (int i = 0; fits && i < MIN(indices->rank, updates->rank); i++)
        fits = !dims_clash(indices->dim[i], updates->dim[i]);
    FAIL_IF(!fits, ST_BAD, "input 2 (updates): expected the shape of the indices, %s, got %s",
            shape_words(indices).text, shape_words(updates).text);
    infer->out[0] = infer->in[0];
    return ST_OK;
}

// indices (batch..., outer..., k): the slice x[batch...][k numbers].
Status infer_gather_nd(const Infer *infer) {
    const Type *in = &infer->in[0], *indices = &infer->in[1];
    Type *out = &infer->out[0];
    TRY(want_index_dtype(infer, 1));
    TRY(want_rank(infer, 0, 1, -1));
    TRY(want_rank(infer, 1, 1, -1));
    *out = unknown_type(in->dtype, -1);
    if (in->rank < 0 || indices->rank < 0) return ST_OK;
    const int64_t batch = node_int(infer->node, "batch_dims", 0), tuple = indices->dim[indices->rank - 1];
    FAIL_IF(batch < 0 || batch >= MIN(in->rank, indices->rank), ST_BAD,
            "attribute 'batch_dims': expected 0 to %d, got %lld", MIN(in->rank, indices->rank) - 1, (long long)batch);
    FAIL_IF(tuple > in->rank - batch || tuple == 0, ST_BAD,
            "input 1 (indices): expected index tuples of 1 to %d, got %lld", in->rank - (int)batch, (long long)tuple);
    for (int i = 0; i < batch; i++)
        FAIL_IF(dims_clash(in->dim[i], indices->dim[i]), ST_BAD, "input 1 (indices): expected dim %d of %s in %s", i,
                shape_words(in).text, shape_words(indices).text);
    if (!dim_known(tuple)) return ST_OK;
    const int rank = indices->rank - 1 + in->rank - (int)(batch + tuple);
    FAIL_IF(rank > MAX_RANK, ST_UNSUPPORTED, "expected at most %d dims, got %d", MAX_RANK, rank);
    out->rank = 0;
    for (int i = 0; i < indices->rank - 1; i++) out->dim[out->rank++] = indices->dim[i];
    for (int i = (int)(batch + tuple); i < in->rank; i++) out->dim[out->rank++] = in->dim[i];
    return ST_OK;
}

static Status block_size(const Infer *infer, int64_t *block) {
    TRY(want_rank(infer, 0, 4, 4));
    *block = node_int(infer->node, "blocksize", 0);
    FAIL_IF(*block < 1 || *block > INT32_MAX, ST_BAD, "attribute 'blocksize': expected at least 1, got %lld",
            (long long)*block);
    infer->out[0] = unknown_type(infer->in[0].dtype, infer->in[0].rank);
    return ST_OK;
}

static Status divide_dim(const Type *in, int axis, int64_t by, Type *out) {
    const int64_t dim = in->dim[axis];
    out->dim[axis] = by == 1 ? dim : DIM_UNKNOWN;
    if (!dim_known(dim)) return ST_OK;
    FAIL_IF(dim % by, ST_BAD, "expected dim %d to be a multiple of %lld, got %s", axis, (long long)by,
            shape_words(in).text);
    out->dim[axis] = dim / by;
    return ST_OK;
}

Status infer_depth_to_space(const Infer *infer) {
    int64_t block;
    TRY(want_choice(infer, "mode", "DCR", "DCR CRD"));
    TRY(block_size(infer, &block));
    const Type *in = &infer->in[0];
    Type *out = &infer->out[0];
    if (in->rank < 0) return ST_OK;
    out->dim[0] = in->dim[0];
    TRY(divide_dim(in, 1, block * block, out));
    TRY(dim_mul(in->dim[2], block, &out->dim[2]));
    return dim_mul(in->dim[3], block, &out->dim[3]);
}

Status infer_space_to_depth(const Infer *infer) {
    int64_t block;
    TRY(block_size(infer, &block));
    const Type *in = &infer->in[0];
    Type *out = &infer->out[0];
    if (in->rank < 0) return ST_OK;
    out->dim[0] = in->dim[0];
    TRY(dim_mul(in->dim[1], block * block, &out->dim[1]));
    TRY(divide_dim(in, 2, block, out));
    return divide_dim(in, 3, block, out);
}

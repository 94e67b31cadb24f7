// Inference of elementwise ops and normalisations: the output is like the input, or what the inputs broadcast to.
#include "graph/infer.h"
#include <string.h>

Status infer_same_any(const Infer *infer) {
    infer->out[0] = infer->in[0];
    return ST_OK;
}

Status infer_same_float(const Infer *infer) {
    TRY(want_dtype(infer, 0, FLOATS));
    TRY(want_choice(infer, "approximate", "none", "none tanh")); // Gelu
    return infer_same_any(infer);
}

Status infer_same_signed(const Infer *infer) {
    const bool any_sign = infer->node->op == OP_Abs || infer->node->op == OP_Sign;
    TRY(want_dtype(infer, 0, any_sign ? NUMBERS : FLOATS | SIGNED_INTS));
    return infer_same_any(infer);
}

Status infer_not(const Infer *infer) {
    TRY(want_dtype(infer, 0, BOOLS));
    return infer_same_any(infer);
}

// One element, of any rank.
static Status want_scalar(const Infer *infer, int input) {
    if (!node_has_input(infer->node, input) || !shape_known(&infer->in[input])) return ST_OK;
    for (int i = 0; i < infer->in[input].rank; i++)
        FAIL_IF(infer->in[input].dim[i] != 1, ST_BAD, "input %d: expected a scalar, got %s", input,
                shape_words(&infer->in[input]).text);
    return ST_OK;
}

Status infer_clip(const Infer *infer) {
    TRY(want_dtype(infer, 0, NUMBERS));
    for (int i = 1; i < infer->node->n_inputs; i++) {
        TRY(want_same_dtype(infer, 0, i));
        TRY(want_scalar(infer, i));
    }
    return infer_same_any(infer);
}

Status infer_cast(const Infer *infer) {
    const char *to = node_string(infer->node, "to", NULL);
    FAIL_IF(!to, ST_BAD, "attribute 'to' is missing");
    infer->out[0] = infer->in[0];
    infer->out[0].dtype = dtype_from_name(to);
    return ST_OK;
}

// A training mode that is not known to be false could be true, but no inference graph computes it.
Status infer_dropout(const Infer *infer) {
    TRY(want_dtype(infer, 0, FLOATS));
    TRY(want_scalar(infer, 2));
    const Tensor *training = node_has_input(infer->node, 2) && infer->constant ? infer->constant[2] : NULL;
    FAIL_IF(training && tensor_count(training) > 0 && tensor_get_int(training, 0) != 0, ST_UNSUPPORTED,
            "training_mode is on; export the model for inference");
    infer->out[0] = infer->in[0];
    if (infer->node->n_outputs > 1) {
        infer->out[1] = infer->in[0];
        infer->out[1].dtype = DT_BOOL;
    }
    return ST_OK;
}

// All inputs broadcast together; the dtype is that of the first that is known.
static Status broadcast_all(const Infer *infer, DType dtype) {
    Type *out = &infer->out[0];
    *out = infer->in[0];
    for (int i = 1; i < infer->node->n_inputs; i++) TRY(broadcast(out, &infer->in[i], out));
    out->dtype = dtype;
    return ST_OK;
}

static Status same_dtypes(const Infer *infer, int classes, DType *out) {
    *out = DT_NONE;
    for (int i = 0; i < infer->node->n_inputs; i++) {
        TRY(want_dtype(infer, i, classes));
        TRY(want_same_dtype(infer, 0, i));
        if (*out == DT_NONE) *out = infer->in[i].dtype;
    }
    return ST_OK;
}

Status infer_arithmetic(const Infer *infer) {
    DType dtype;
    TRY(same_dtypes(infer, NUMBERS, &dtype));
    return broadcast_all(infer, dtype);
}

Status infer_mod(const Infer *infer) {
    DType dtype;
    TRY(same_dtypes(infer, NUMBERS, &dtype));
    FAIL_IF(dtype_is_float(dtype) && !node_int(infer->node, "fmod", 0), ST_BAD,
            "attribute 'fmod': expected 1 for %s, got 0", dtype_name(dtype));
    return broadcast_all(infer, dtype);
}

Status infer_pow(const Infer *infer) {
    TRY(want_dtype(infer, 0, NUMBERS));
    TRY(want_dtype(infer, 1, NUMBERS));
    return broadcast_all(infer, infer->in[0].dtype);
}

Status infer_compare(const Infer *infer) {
    DType dtype;
    TRY(same_dtypes(infer, infer->node->op == OP_Equal ? ANY_DTYPE : NUMBERS, &dtype));
    return broadcast_all(infer, DT_BOOL);
}

Status infer_logical(const Infer *infer) {
    DType dtype;
    TRY(same_dtypes(infer, BOOLS, &dtype));
    return broadcast_all(infer, DT_BOOL);
}

Status infer_where(const Infer *infer) {
    TRY(want_dtype(infer, 0, BOOLS));
    TRY(want_same_dtype(infer, 1, 2));
    return broadcast_all(infer, infer->in[1].dtype != DT_NONE ? infer->in[1].dtype : infer->in[2].dtype);
}

// Input `input` may be stretched to the trailing `rank` dims of `whole`, never the other way round.
static Status want_stretch(const Infer *infer, int input, const Type *whole) {
    if (!node_has_input(infer->node, input) || !shape_known(&infer->in[input]) || whole->rank < 0) return ST_OK;
    Type both;
    TRY(broadcast(whole, &infer->in[input], &both));
    bool same = both.rank == whole->rank;
    for (int i = 0; same && i < whole->rank; i++) same = !dims_clash(both.dim[i], whole->dim[i]);
    FAIL_IF(!same, ST_BAD, "input %d: expected a shape that broadcasts to %s, got %s", input, shape_words(whole).text,
            shape_words(&infer->in[input]).text);
    return ST_OK;
}

Status infer_prelu(const Infer *infer) {
    DType dtype;
    TRY(same_dtypes(infer, FLOATS, &dtype));
    TRY(want_stretch(infer, 1, &infer->in[0]));
    return infer_same_any(infer);
}

Status infer_softmax(const Infer *infer) {
    int axis;
    TRY(want_dtype(infer, 0, FLOATS));
    TRY(want_rank(infer, 0, 1, -1));
    if (infer->in[0].rank >= 0) TRY(want_axis(node_int(infer->node, "axis", -1), infer->in[0].rank, &axis));
    return infer_same_any(infer);
}

// Inputs 1.. are vectors with one entry a channel.
static Status per_channel(const Infer *infer, int min_rank) {
    TRY(want_dtype(infer, 0, FLOATS));
    TRY(want_rank(infer, 0, min_rank, -1));
    const int64_t channels = infer->in[0].rank >= 2 ? infer->in[0].dim[1] : DIM_UNKNOWN;
    for (int i = 1; i < infer->node->n_inputs; i++) {
        TRY(want_dtype(infer, i, FLOATS));
        TRY(want_vector(infer, i, channels));
    }
    return infer_same_any(infer);
}

Status infer_batch_norm(const Infer *infer) { return per_channel(infer, 2); }
Status infer_instance_norm(const Infer *infer) { return per_channel(infer, 3); }

Status infer_group_norm(const Infer *infer) {
    const int64_t groups = node_int(infer->node, "num_groups", 0);
    FAIL_IF(groups < 1, ST_BAD, "attribute 'num_groups': expected at least 1, got %lld", (long long)groups);
    TRY(per_channel(infer, 2));
    const int64_t channels = infer->in[0].rank >= 2 ? infer->in[0].dim[1] : DIM_UNKNOWN;
    FAIL_IF(dim_known(channels) && channels % groups, ST_BAD, "expected channels in %lld equal groups, got %lld",
            (long long)groups, (long long)channels);
    return ST_OK;
}

Status infer_layer_norm(const Infer *infer) {
    TRY(want_dtype(infer, 0, FLOATS));
    TRY(want_rank(infer, 0, 1, -1));
    Type statistics = infer->in[0];
    statistics.dtype = DT_F32; // whatever the input is
    int axis = 0;
    if (infer->in[0].rank >= 0) TRY(want_axis(node_int(infer->node, "axis", -1), infer->in[0].rank, &axis));
    for (int i = axis; i < statistics.rank; i++) statistics.dim[i] = 1;
    for (int i = 1; i < infer->node->n_inputs; i++) {
        TRY(want_dtype(infer, i, FLOATS));
        TRY(want_stretch(infer, i, &infer->in[0]));
    }
    for (int i = 1; i < infer->node->n_outputs; i++) infer->out[i] = statistics;
    return infer_same_any(infer);
}

// Inference of convolutions, pooling and matrix products.
#include "graph/infer.h"

// The kernel's dims of weights (a, b, k...), unknown where they are; the number of spatial dims of either input.
static int conv_spatial(const Infer *infer, int64_t kernel[3]) {
    const Type *x = &infer->in[0], *w = &infer->in[1];
    const int rank = x->rank >= 0 ? x->rank : w->rank;
    for (int i = 0; i < 3; i++) kernel[i] = w->rank > i + 2 ? w->dim[i + 2] : DIM_UNKNOWN;
    return rank < 0 ? -1 : rank - 2;
}

static Status spatial_dims(const Infer *infer, Window *window) {
    Type *out = &infer->out[0];
    for (int i = 0; i < window->spatial; i++) {
        const int64_t dim = infer->in[0].rank < 0 ? DIM_UNKNOWN : infer->in[0].dim[i + 2];
        out->dim[i + 2] = window_symbolic(infer->node, i, window, dim);
        if (!dim_known(dim) || window->kernel[i] == 0) continue;
        window->input[i] = dim;
        TRY(window_axis(infer->node, i, window));
        out->dim[i + 2] = window->output[i];
    }
    return ST_OK;
}

static Status conv_inputs(const Infer *infer) {
    TRY(want_dtype(infer, 0, FLOATS));
    for (int i = 0; i < infer->node->n_inputs; i++) {
        TRY(want_same_dtype(infer, 0, i));
        if (i < 2) TRY(want_rank(infer, i, 3, 5));
    }
    FAIL_IF(infer->in[0].rank >= 0 && infer->in[1].rank >= 0 && infer->in[0].rank != infer->in[1].rank, ST_BAD,
            "expected weights of %d dims like the input, got %s", infer->in[0].rank, shape_words(&infer->in[1]).text);
    infer->out[0].dtype = infer->in[0].dtype;
    return ST_OK;
}

// Batch, channels and spatial dims of the output, once the channels are known to go together.
static Status conv_output(const Infer *infer, int64_t channels, Window *window) {
    Type *out = &infer->out[0];
    out->rank = window->spatial + 2;
    out->dim[0] = infer->in[0].rank < 0 ? DIM_UNKNOWN : infer->in[0].dim[0];
    out->dim[1] = channels;
    TRY(want_vector(infer, 2, channels));
    return spatial_dims(infer, window);
}

static int64_t dim_of(const Type *type, int i) { return type->rank > i ? type->dim[i] : DIM_UNKNOWN; }

Status infer_conv(const Infer *infer) {
    TRY(conv_inputs(infer));
    int64_t kernel[3], wanted;
    const int spatial = conv_spatial(infer, kernel);
    if (spatial < 0) return ST_OK;
    Window window;
    TRY(window_read(infer->node, spatial, kernel, &window));
    const int64_t ic = dim_of(&infer->in[0], 1), oc = dim_of(&infer->in[1], 0), part = dim_of(&infer->in[1], 1);
    TRY(dim_mul(part, window.group, &wanted));
    FAIL_IF(dims_clash(ic, wanted), ST_BAD, "expected %lld input channels (%lld groups of the weights' %lld), got %lld",
            (long long)wanted, (long long)window.group, (long long)part, (long long)ic);
    FAIL_IF(dim_known(oc) && (oc < 1 || oc % window.group), ST_BAD,
            "expected output channels in %lld equal groups, got %lld", (long long)window.group, (long long)oc);
    return conv_output(infer, oc, &window);
}

Status infer_conv_transpose(const Infer *infer) {
    TRY(conv_inputs(infer));
    int64_t kernel[3], oc;
    const int spatial = conv_spatial(infer, kernel);
    if (spatial < 0) return ST_OK;
    Window window;
    TRY(window_read(infer->node, spatial, kernel, &window));
    const int64_t ic = dim_of(&infer->in[0], 1), from = dim_of(&infer->in[1], 0);
    FAIL_IF(dims_clash(ic, from), ST_BAD, "expected %lld input channels like the weights, got %lld", (long long)from,
            (long long)ic);
    FAIL_IF(dim_known(from) && from % window.group, ST_BAD, "expected input channels in %lld equal groups, got %lld",
            (long long)window.group, (long long)from);
    TRY(dim_mul(dim_of(&infer->in[1], 1), window.group, &oc));
    FAIL_IF(oc == 0, ST_BAD, "expected at least one output channel, got weights %s", shape_words(&infer->in[1]).text);
    return conv_output(infer, oc, &window);
}

// A window must not lie in the padding alone.
static Status check_pool_pads(const Window *window) {
    for (int i = 0; i < window->spatial; i++) {
        const int64_t span = window->dilation[i] * (window->kernel[i] - 1) + 1;
        FAIL_IF(window->pad_begin[i] >= span || window->pad_end[i] >= span, ST_BAD,
                "spatial dim %d: expected pads below %lld, what the window spans, got %lld and %lld", i,
                (long long)span, (long long)window->pad_begin[i], (long long)window->pad_end[i]);
    }
    return ST_OK;
}

Status infer_pool(const Infer *infer) {
    TRY(want_dtype(infer, 0, infer->node->op == OP_MaxPool ? NUMBERS : FLOATS));
    TRY(want_rank(infer, 0, 3, 5));
    Type *out = &infer->out[0];
    *out = infer->in[0];
    if (out->rank < 0) return ST_OK;
    Window window;
    TRY(window_read(infer->node, out->rank - 2, NULL, &window));
    TRY(check_pool_pads(&window));
    TRY(spatial_dims(infer, &window));
    if (infer->node->n_outputs == 1) return ST_OK;
    infer->out[1] = *out;
    infer->out[1].dtype = DT_I64;
    return ST_OK;
}

Status infer_global_pool(const Infer *infer) {
    TRY(want_dtype(infer, 0, FLOATS));
    TRY(want_rank(infer, 0, 3, -1));
    Type *out = &infer->out[0];
    *out = infer->in[0];
    for (int i = 2; i < out->rank; i++) out->dim[i] = 1;
    return ST_OK;
}

// numpy: 1-D operands get a dim that the result loses again; dims before the last two broadcast.
Status infer_matmul(const Infer *infer) {
    TRY(want_dtype(infer, 0, NUMBERS));
    TRY(want_same_dtype(infer, 0, 1));
    TRY(want_rank(infer, 0, 1, -1));
    TRY(want_rank(infer, 1, 1, -1));
    Type a = infer->in[0], b = infer->in[1], *out = &infer->out[0];
    out->dtype = a.dtype != DT_NONE ? a.dtype : b.dtype;
    if (a.rank < 0 || b.rank < 0) return ST_OK;
    const int64_t k = a.dim[a.rank - 1], other = b.dim[MAX(b.rank - 2, 0)];
    FAIL_IF(dims_clash(k, other), ST_BAD, "expected matrices that go together, got %s times %s", shape_words(&a).text,
            shape_words(&b).text);
    const bool rows = a.rank > 1, columns = b.rank > 1;
    const int64_t m = rows ? a.dim[a.rank - 2] : 1, n = columns ? b.dim[b.rank - 1] : 1;
    a.rank = MAX(a.rank - 2, 0);
    b.rank = MAX(b.rank - 2, 0);
    TRY(broadcast(&a, &b, out));
    if (rows) out->dim[out->rank++] = m;
    if (columns) out->dim[out->rank++] = n;
    return ST_OK;
}

Status infer_gemm(const Infer *infer) {
    TRY(want_dtype(infer, 0, NUMBERS));
    TRY(want_rank(infer, 0, 2, 2));
    TRY(want_rank(infer, 1, 2, 2));
    for (int i = 1; i < infer->node->n_inputs; i++) TRY(want_same_dtype(infer, 0, i));
    const int a = node_int(infer->node, "transA", 0) != 0, b = node_int(infer->node, "transB", 0) != 0;
    FAIL_IF(dims_clash(dim_of(&infer->in[0], 1 - a), dim_of(&infer->in[1], b)), ST_BAD,
            "expected matrices that go together, got %s times %s", shape_words(&infer->in[0]).text,
            shape_words(&infer->in[1]).text);
    Type *out = &infer->out[0], both;
    *out = (Type){infer->in[0].dtype, 2, {dim_of(&infer->in[0], a), dim_of(&infer->in[1], 1 - b)}};
    if (!node_has_input(infer->node, 2)) return ST_OK;
    TRY(broadcast(out, &infer->in[2], &both));
    const bool same = both.rank < 0 || (both.rank == 2 && !dims_clash(both.dim[0], out->dim[0]) &&
                                        !dims_clash(both.dim[1], out->dim[1]));
    FAIL_IF(!same, ST_BAD, "input 2: expected a shape that broadcasts to %s, got %s", shape_words(out).text,
            shape_words(&infer->in[2]).text);
    return ST_OK;
}

// Pooling over x (n, c, spatial...), or without n.
#include "import/aten/convert.h"
#include <stdlib.h>
#include <string.h>

enum { ADAPTIVE_WEIGHTS = 1 << 22, ADAPTIVE_PARTS = 256 };

// "max_pool2d_with_indices": 2.
static int spatial_of_name(const Call *call) {
    const char *digit = strpbrk(call->source->op, "123");
    if (!digit) abort();
    return *digit - '0';
}

static Status with_batch(Call *call, int spatial, ValueId *out, bool *added) {
    int rank;
    TRY(aten_arg_tensor(call, "self", out));
    TRY(aten_rank(call, *out, &rank));
    FAIL_IF(rank != spatial + 2 && rank != spatial + 1, ST_BAD, "expected an input of %d or %d dims, got %d",
            spatial + 1, spatial + 2, rank);
    *added = rank == spatial + 1;
    return *added ? aten_unsqueeze(call, *out, 0, out) : ST_OK;
}

static Status give_batch(Call *call, ValueId y, bool added) {
    if (added) TRY(aten_squeeze(call, y, 0, &y));
    return aten_give(call, y);
}

// ---- windows

typedef struct Pool {
    int64_t kernel[3], stride[3], dilation[3], pads[6];
    Attr attrs[7];
    int n_attrs, spatial;
} Pool;

static Status read_pool(Call *call, bool dilates, Pool *out) {
    const AtenValue *items;
    bool ceil_mode;
    int count;
    *out = (Pool){.spatial = spatial_of_name(call)};
    const int n = out->spatial;
    TRY(aten_arg_each(call, "kernel_size", n, out->kernel));
    TRY(aten_arg_items(call, "stride", &items, &count));
    if (count) TRY(aten_arg_each(call, "stride", n, out->stride));
    else memcpy(out->stride, out->kernel, sizeof out->stride);
    TRY(aten_arg_each(call, "padding", n, out->pads));
    if (dilates) TRY(aten_arg_each(call, "dilation", n, out->dilation));
    TRY(aten_arg_bool(call, "ceil_mode", &ceil_mode));
    for (int i = 0; i < n; i++) {
        FAIL_IF(out->stride[i] < 1 || out->kernel[i] < 1, ST_BAD, "expected a kernel and a stride of at least 1");
        FAIL_IF(out->pads[i] < 0 || out->pads[i] > out->kernel[i] / 2, ST_BAD,
                "argument 'padding': expected at most half of the kernel, got %lld of %lld", (long long)out->pads[i],
                (long long)out->kernel[i]);
        out->pads[n + i] = out->pads[i];
    }
    out->attrs[out->n_attrs++] = (Attr)ATTR_L("kernel_shape", out->kernel, n);
    out->attrs[out->n_attrs++] = (Attr)ATTR_L("strides", out->stride, n);
    out->attrs[out->n_attrs++] = (Attr)ATTR_L("pads", out->pads, 2 * n);
    if (dilates) out->attrs[out->n_attrs++] = (Attr)ATTR_L("dilations", out->dilation, n);
    if (ceil_mode) out->attrs[out->n_attrs++] = (Attr)ATTR_I("ceil_mode", 1);
    return ST_OK;
}

// Where a maximum is: ours counts through all of x, PyTorch's through the channel.
static Status give_indices(Call *call, ValueId x, const Pool *pool, bool added) {
    int64_t axes[3];
    AtenValue size;
    ValueId both[2], plane, y;
    for (int i = 0; i < pool->spatial; i++) axes[i] = 2 + i;
    TRY(emit_nodes(&call->emit, OP_MaxPool, "indices", &x, 1, pool->attrs, pool->n_attrs, both, 2));
    TRY(aten_count(call, x, axes, pool->spatial, &size));
    TRY(aten_operand(call, &size, DT_I64, &plane));
    TRY(aten_two(call, OP_Mod, both[1], plane, &y));
    return give_batch(call, y, added);
}

// max_pool: only asked for the indices as well, they are made, by a node of their own.
Status aten_convert_max_pool(Call *call) {
    Pool pool;
    ValueId x, y;
    bool added;
    TRY(read_pool(call, true, &pool));
    TRY(with_batch(call, pool.spatial, &x, &added));
    TRY(emit_node(&call->emit, OP_MaxPool, "", &x, 1, pool.attrs, pool.n_attrs, &y));
    TRY(give_batch(call, y, added));
    return call->n_outs > 1 ? give_indices(call, x, &pool, added) : ST_OK;
}

// Sums instead of means: what the mean is divided by is known where no window goes beyond the padding.
static Status divide_by(Call *call, const Pool *pool, ValueId y, ValueId *out) {
    int64_t divisor, taps = 1;
    bool ceil_mode;
    ValueId factor;
    TRY(aten_arg_int(call, "divisor_override", &divisor));
    TRY(aten_arg_bool(call, "ceil_mode", &ceil_mode));
    FAIL_IF(divisor == 0, ST_BAD, "argument 'divisor_override': expected another number than 0");
    FAIL_IF(ceil_mode, ST_UNSUPPORTED, "divisor_override together with ceil_mode");
    for (int i = 0; i < pool->spatial; i++)
        FAIL_IF(!mul_i64(taps, pool->kernel[i], &taps), ST_BAD, "argument 'kernel_size': too large");
    TRY(aten_scalar_like(call, y, (double)taps / (double)divisor, &factor));
    return aten_two(call, OP_Mul, y, factor, out);
}

Status aten_convert_avg_pool(Call *call) {
    Pool pool;
    ValueId x, y;
    bool added, counts_pads, divides = false;
    TRY(read_pool(call, false, &pool));
    TRY(aten_arg_bool(call, "count_include_pad", &counts_pads));
    if (pool.spatial > 1) divides = !aten_arg_is(call, "divisor_override", ATEN_NONE);
    TRY(with_batch(call, pool.spatial, &x, &added));
    if (counts_pads || divides) pool.attrs[pool.n_attrs++] = (Attr)ATTR_I("count_include_pad", 1);
    TRY(emit_node(&call->emit, OP_AveragePool, "", &x, 1, pool.attrs, pool.n_attrs, &y));
    if (divides) TRY(divide_by(call, &pool, y, &y));
    return give_batch(call, y, added);
}

// ---- adaptive: window i of `out` goes from floor(i in / out) to ceil((i + 1) in / out)

typedef struct Adaptive {
    int spatial;
    int64_t in[3], out[3];
    bool global, divides; // one window; windows of one size, side by side
} Adaptive;

static Status read_adaptive(Call *call, ValueId x, Adaptive *out) {
    *out = (Adaptive){.spatial = spatial_of_name(call), .global = true, .divides = true};
    TRY(aten_arg_each(call, "output_size", out->spatial, out->out));
    for (int i = 0; i < out->spatial; i++) {
        FAIL_IF(out->out[i] < 1, ST_BAD, "argument 'output_size': expected numbers from 1, got %lld",
                (long long)out->out[i]);
        out->global = out->global && out->out[i] == 1;
    }
    for (int i = 0; i < out->spatial && !out->global; i++) {
        TRY(aten_known_dim(call, x, 2 + i, &out->in[i]));
        FAIL_IF(out->in[i] < 1, ST_BAD, "expected an input with elements");
        out->divides = out->divides && out->in[i] % out->out[i] == 0;
    }
    return ST_OK;
}

static Status pool_even(Call *call, Op op, const Adaptive *a, ValueId x, ValueId *out) {
    int64_t kernel[3];
    bool same = true;
    for (int i = 0; i < a->spatial; i++) {
        kernel[i] = a->in[i] / a->out[i];
        same = same && kernel[i] == 1;
    }
    *out = x;
    if (same) return ST_OK;
    return emit_node(&call->emit, op, "", &x, 1,
                     ATTRS(ATTR_L("kernel_shape", kernel, a->spatial), ATTR_L("strides", kernel, a->spatial)), out);
}

static int64_t begin_of(int64_t i, int64_t in, int64_t out) { return i * in / out; }
static int64_t end_of(int64_t i, int64_t in, int64_t out) { return div_up((i + 1) * in, out); }

static Status check_axis(const Adaptive *a, int axis, int64_t limit) {
    FAIL_IF(a->in[axis] > ADAPTIVE_WEIGHTS || a->out[axis] > ADAPTIVE_WEIGHTS || a->in[axis] * a->out[axis] > limit,
            ST_UNSUPPORTED, "an adaptive pool of %lld elements to %lld", (long long)a->in[axis],
            (long long)a->out[axis]);
    return ST_OK;
}

// (in, out), or (out, in): the part that an element has in a mean.
static Status mean_weights(Call *call, const Adaptive *a, int axis, bool rows_out, DType dtype, ValueId *out) {
    const int64_t in = a->in[axis], n = a->out[axis];
    Tensor weights;
    TRY(check_axis(a, axis, ADAPTIVE_WEIGHTS));
    TRY(tensor_make(&call->aten->graph->arena, dtype,
                    shape_of(2, rows_out ? (const int64_t[]){n, in} : (const int64_t[]){in, n}), &weights));
    for (int64_t i = 0; i < n; i++)
        for (int64_t k = begin_of(i, in, n); k < end_of(i, in, n); k++)
            tensor_set(&weights, rows_out ? i * in + k : k * n + i,
                       1 / (double)(end_of(i, in, n) - begin_of(i, in, n)));
    return emit_tensor(&call->emit, "weights", &weights, out);
}

// A mean along one axis as a product with a matrix; all behind it are columns (of depth, height and width folded).
static Status mean_axis(Call *call, const Adaptive *a, int axis, ValueId x, ValueId *out) {
    ValueId weights;
    AtenValue shape[MAX_RANK];
    int rank;
    const bool last = axis == a->spatial - 1;
    const DType dtype = aten_type(call, x)->dtype;
    TRY(mean_weights(call, a, axis, !last, dtype == DT_NONE ? DT_F32 : dtype, &weights));
    if (last) return aten_two(call, OP_MatMul, x, weights, out);
    TRY(aten_dims(call, x, shape, &rank));
    if (axis == a->spatial - 2) return aten_two(call, OP_MatMul, weights, x, out);
    const AtenValue folded[] = {shape[0], shape[1], shape[2], aten_int(-1)};
    TRY(aten_reshape(call, x, folded, 4, &x));
    TRY(aten_two(call, OP_MatMul, weights, x, &x));
    shape[2] = aten_int(a->out[axis]);
    return aten_reshape(call, x, shape, rank, out);
}

// The largest along one axis, window by window.
static Status max_axis(Call *call, const Adaptive *a, int axis, ValueId x, ValueId *out) {
    ValueId parts[ADAPTIVE_PARTS];
    const int64_t at = 2 + axis, n = a->out[axis];
    FAIL_IF(n > ADAPTIVE_PARTS, ST_UNSUPPORTED, "an adaptive pool to %lld elements", (long long)n);
    TRY(check_axis(a, axis, INT64_MAX));
    for (int64_t i = 0; i < n; i++) {
        TRY(aten_cut(call, x, (int)at, begin_of(i, a->in[axis], n), end_of(i, a->in[axis], n), 1, &parts[i]));
        TRY(aten_over(call, OP_ReduceMax, parts[i], &at, 1, true, &parts[i]));
    }
    return aten_node(call, OP_Concat, parts, (int)n, ATTRS(ATTR_I("axis", at)), out);
}

static Status adapt(Call *call, bool mean, ValueId *out, bool *added) {
    Adaptive a;
    ValueId x;
    TRY(with_batch(call, spatial_of_name(call), &x, added));
    TRY(read_adaptive(call, x, &a));
    if (a.global) return emit_unary(&call->emit, mean ? OP_GlobalAveragePool : OP_GlobalMaxPool, "", x, out);
    if (a.divides) return pool_even(call, mean ? OP_AveragePool : OP_MaxPool, &a, x, out);
    for (int i = a.spatial; i-- > 0;)
        if (a.in[i] != a.out[i]) TRY(mean ? mean_axis(call, &a, i, x, &x) : max_axis(call, &a, i, x, &x));
    *out = x;
    return ST_OK;
}

Status aten_convert_adaptive_avg(Call *call) {
    ValueId y;
    bool added;
    TRY(adapt(call, true, &y, &added));
    return give_batch(call, y, added);
}

Status aten_convert_adaptive_max(Call *call) {
    ValueId y;
    bool added;
    TRY(adapt(call, false, &y, &added));
    TRY(give_batch(call, y, added));
    return aten_give_lacking(call, "indices of an adaptive maximum");
}

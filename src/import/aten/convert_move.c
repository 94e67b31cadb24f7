// Operators that join, cut, turn and pad, and those that only hand a tensor on.
#include "import/aten/convert.h"
#include "import/limits.h"
#include <string.h>

enum { WINDOWS = 1 << 20 }; // indices of a constant that says what windows take

static ValueId self_of(const Call *call) { return call->args[0].value; }

static Status self_axis(Call *call, int *rank, int *axis) {
    TRY(aten_rank(call, self_of(call), rank));
    FAIL_IF(*rank == 0, ST_BAD, "expected a tensor with dims");
    return aten_arg_axis(call, "dim", *rank, axis);
}

// ---- handed on

Status aten_convert_identity(Call *call) { return aten_give(call, self_of(call)); }

static Status refuse_training(Call *call) {
    bool train;
    double p;
    TRY(aten_arg_bool(call, "train", &train));
    TRY(aten_arg_float(call, "p", &p));
    FAIL_IF(train && p != 0, ST_UNSUPPORTED,
            "in training mode; call model.eval() before the model is traced or exported");
    return ST_OK;
}

Status aten_convert_dropout(Call *call) {
    TRY(refuse_training(call));
    return aten_give(call, self_of(call));
}

Status aten_convert_native_dropout(Call *call) {
    AtenValue dims[MAX_RANK];
    ValueId mask;
    int rank;
    TRY(refuse_training(call));
    TRY(aten_give(call, self_of(call)));
    if (call->n_outs < 2) return ST_OK;
    TRY(aten_dims(call, self_of(call), dims, &rank));
    TRY(aten_filled(call, DT_BOOL, 1, dims, rank, &mask));
    return aten_give(call, mask);
}

// ---- types

Status aten_convert_to(Call *call) {
    DType dtype;
    ValueId out;
    TRY(aten_arg_dtype(call, "dtype", DT_NONE, &dtype));
    TRY(aten_cast(call, self_of(call), dtype, &out));
    return aten_give(call, out);
}

Status aten_convert_type_as(Call *call) {
    ValueId out;
    TRY(aten_cast(call, self_of(call), aten_type(call, aten_arg(call, "other")->value)->dtype, &out));
    return aten_give(call, out);
}

// float(), int() and so on.
Status aten_convert_to_named(Call *call) {
    static const struct {
        const char *name;
        DType dtype;
    } types[] = {{"aten::float", DT_F32}, {"aten::double", DT_F64}, {"aten::half", DT_F16}, {"aten::bfloat16", DT_BF16},
                 {"aten::int", DT_I32},   {"aten::long", DT_I64},   {"aten::bool", DT_BOOL}};
    ValueId out = self_of(call);
    for (size_t i = 0; i < COUNT_OF(types); i++)
        if (strcmp(types[i].name, call->source->op) == 0) TRY(aten_cast(call, out, types[i].dtype, &out));
    return aten_give(call, out);
}

// src in the shape and type of self.
Status aten_convert_copy(Call *call) {
    AtenValue dims[MAX_RANK];
    int rank;
    ValueId out;
    TRY(aten_operand(call, &call->args[1], aten_type(call, self_of(call))->dtype, &out));
    TRY(aten_dims(call, self_of(call), dims, &rank));
    TRY(aten_expand(call, out, dims, rank, &out));
    return aten_give(call, out);
}

// ---- joining

// Tensors of one type. An empty list of numbers among others is left out, as cat does.
static Status read_tensors(Call *call, ValueId **out, int *count) {
    const AtenValue *list = aten_arg(call, "tensors");
    int kept = 0;
    TRY(aten_arg_tensors(call, "tensors", out, count));
    FAIL_IF(*count == 0, ST_BAD, "argument 'tensors': expected at least one");
    const DType dtype = aten_result_type(call, list->items, list->count);
    for (int i = 0; i < *count; i++) {
        const Type *type = aten_type(call, (*out)[i]);
        if (type->rank == 1 && type->dim[0] == 0 && *count > 1) continue;
        TRY(aten_cast(call, (*out)[i], dtype, &(*out)[kept]));
        kept++;
    }
    *count = kept;
    FAIL_IF(kept == 0, ST_UNSUPPORTED, "of empty tensors");
    return ST_OK;
}

Status aten_convert_cat(Call *call) {
    ValueId *tensors;
    int count, rank, axis;
    TRY(read_tensors(call, &tensors, &count));
    TRY(aten_rank(call, tensors[0], &rank));
    FAIL_IF(rank == 0, ST_BAD, "expected tensors with dims");
    TRY(aten_arg_axis(call, "dim", rank, &axis));
    if (count == 1) return aten_give(call, tensors[0]);
    return aten_give_node(call, OP_Concat, tensors, count, ATTRS(ATTR_I("axis", axis)));
}

Status aten_convert_stack(Call *call) {
    ValueId *tensors;
    int count, rank, axis;
    TRY(read_tensors(call, &tensors, &count));
    TRY(aten_rank(call, tensors[0], &rank));
    TRY(aten_arg_axis(call, "dim", rank + 1, &axis));
    for (int i = 0; i < count; i++) TRY(aten_unsqueeze(call, tensors[i], axis, &tensors[i]));
    return aten_give_node(call, OP_Concat, tensors, count, ATTRS(ATTR_I("axis", axis)));
}

Status aten_convert_meshgrid(Call *call) {
    ValueId *tensors;
    AtenValue dims[MAX_RANK];
    int count, rank;
    const char *indexing;
    TRY(aten_arg_text(call, "indexing", &indexing));
    TRY(aten_arg_tensors(call, "tensors", &tensors, &count));
    FAIL_IF(count < 1 || count > MAX_RANK, ST_UNSUPPORTED, "of %d tensors", count);
    const bool swapped = strcmp(indexing, "xy") == 0 && count > 1;
    FAIL_IF(*indexing && strcmp(indexing, "ij") && strcmp(indexing, "xy"), ST_BAD,
            "argument 'indexing': expected 'ij' or 'xy', got '%s'", indexing);
    for (int i = 0; i < count; i++) {
        const int at = swapped && i < 2 ? 1 - i : i;
        TRY(aten_rank(call, tensors[i], &rank));
        FAIL_IF(rank > 1, ST_BAD, "expected tensors of one dim, got %d", rank);
        if (rank == 0) TRY(aten_unsqueeze(call, tensors[i], 0, &tensors[i]));
        TRY(aten_dim(call, tensors[i], 0, &dims[at]));
    }
    for (int i = 0; i < count; i++) {
        int64_t shape[MAX_RANK];
        for (int k = 0; k < count; k++) shape[k] = 1;
        shape[swapped && i < 2 ? 1 - i : i] = -1;
        TRY(aten_reshape_ints(call, tensors[i], shape, count, &tensors[i]));
        TRY(aten_expand(call, tensors[i], dims, count, &tensors[i]));
    }
    return aten_give_list(call, tensors, count);
}

// ---- cutting

static Status give_parts(Call *call, int axis, const int64_t *sizes, int count) {
    ValueId in[2] = {self_of(call)}, *parts;
    FAIL_IF(count < 1 || count > LIMIT_NODE_VALUES, ST_UNSUPPORTED, "into %d parts", count);
    parts = arena_array(call->aten->scratch, (size_t)count, sizeof *parts);
    if (!parts) return fail_memory((size_t)count * sizeof *parts);
    if (count == 1) return aten_give_list(call, in, 1);
    TRY(aten_ints(call, sizes, count, &in[1]));
    TRY(emit_nodes(&call->emit, OP_Split, "", in, 2, ATTRS(ATTR_I("axis", axis)), parts, count));
    return aten_give_list(call, parts, count);
}

// Parts of that size, the last one of what is left.
static Status split_even(Call *call, int axis, int64_t dim, int64_t size) {
    int64_t sizes[LIMIT_NODE_VALUES];
    FAIL_IF(size < 1 && dim > 0, ST_BAD, "expected a size of the parts of at least 1, got %lld", (long long)size);
    const int64_t count = dim ? div_up(dim, size) : 1;
    FAIL_IF(count > LIMIT_NODE_VALUES, ST_UNSUPPORTED, "into %lld parts", (long long)count);
    for (int64_t i = 0; i < count; i++) sizes[i] = MIN(size, dim - i * size);
    return give_parts(call, axis, sizes, (int)count);
}

// split, split_with_sizes: the second argument is a size, or those of all parts.
Status aten_convert_split(Call *call) {
    int64_t sizes[LIMIT_NODE_VALUES], dim, size;
    int rank, axis, count;
    const AtenValue *given = &call->args[1];
    TRY(self_axis(call, &rank, &axis));
    if (given->kind == ATEN_LIST) {
        FAIL_IF(given->count > LIMIT_NODE_VALUES, ST_UNSUPPORTED, "into %d parts", given->count);
        for (count = 0; count < given->count; count++)
            if (!aten_known_int(call->aten, &given->items[count], &sizes[count]))
                return aten_not_known(call, &given->items[count], "size of a part");
        return give_parts(call, axis, sizes, count);
    }
    if (!aten_known_int(call->aten, given, &size)) return aten_not_known(call, given, "size of the parts");
    TRY(aten_known_dim(call, self_of(call), axis, &dim));
    return split_even(call, axis, dim, size);
}

Status aten_convert_chunk(Call *call) {
    int64_t dim, chunks;
    int rank, axis;
    TRY(self_axis(call, &rank, &axis));
    TRY(aten_arg_int(call, "chunks", &chunks));
    FAIL_IF(chunks < 1, ST_BAD, "argument 'chunks': expected at least 1, got %lld", (long long)chunks);
    TRY(aten_known_dim(call, self_of(call), axis, &dim));
    return split_even(call, axis, dim, MAX(div_up(dim, chunks), 1));
}

// Into so many parts, the first of which have one element more; or at these places.
Status aten_convert_tensor_split(Call *call) {
    int64_t sizes[LIMIT_NODE_VALUES], dim, parts, at = 0;
    int rank, axis, count;
    TRY(self_axis(call, &rank, &axis));
    TRY(aten_known_dim(call, self_of(call), axis, &dim));
    if (call->args[1].kind != ATEN_LIST) {
        if (!aten_known_int(call->aten, &call->args[1], &parts))
            return aten_not_known(call, &call->args[1], "sections");
        FAIL_IF(parts < 1 || parts > LIMIT_NODE_VALUES, ST_UNSUPPORTED, "into %lld parts", (long long)parts);
        for (int64_t i = 0; i < parts; i++) sizes[i] = share_of(dim, parts, i);
        return give_parts(call, axis, sizes, (int)parts);
    }
    FAIL_IF(call->args[1].count >= LIMIT_NODE_VALUES, ST_UNSUPPORTED, "into %d parts", call->args[1].count + 1);
    for (count = 0; count <= call->args[1].count; count++) {
        int64_t end = dim;
        if (count < call->args[1].count && !aten_known_int(call->aten, &call->args[1].items[count], &end))
            return aten_not_known(call, &call->args[1].items[count], "place");
        end = MIN(MAX(end < 0 ? end + dim : end, at), dim);
        sizes[count] = end - at;
        at = end;
    }
    return give_parts(call, axis, sizes, count);
}

Status aten_convert_unbind(Call *call) {
    int64_t dim;
    int rank, axis;
    ValueId x = self_of(call), *parts;
    TRY(self_axis(call, &rank, &axis));
    TRY(aten_known_dim(call, x, axis, &dim));
    FAIL_IF(dim < 1 || dim > LIMIT_NODE_VALUES, ST_UNSUPPORTED, "into %lld parts", (long long)dim);
    parts = arena_array(call->aten->scratch, (size_t)dim, sizeof *parts);
    if (!parts) return fail_memory((size_t)dim * sizeof *parts);
    if (dim == 1) parts[0] = x;
    else
        TRY(emit_nodes(&call->emit, OP_Split, "part", &x, 1, ATTRS(ATTR_I("axis", axis), ATTR_I("num_outputs", dim)),
                       parts, (int)dim));
    for (int i = 0; i < (int)dim; i++) TRY(aten_squeeze(call, parts[i], axis, &parts[i]));
    return aten_give_list(call, parts, (int)dim);
}

// ---- turning

static Status flip(Call *call, ValueId x, const int64_t *axes, int count, ValueId *out) {
    ValueId in[5] = {x};
    int64_t starts[MAX_RANK], ends[MAX_RANK], steps[MAX_RANK];
    for (int i = 0; i < count; i++) starts[i] = INT64_MAX, ends[i] = INT64_MIN, steps[i] = -1;
    *out = x;
    if (count == 0) return ST_OK;
    TRY(aten_ints(call, starts, count, &in[1]));
    TRY(aten_ints(call, ends, count, &in[2]));
    TRY(aten_ints(call, axes, count, &in[3]));
    TRY(aten_ints(call, steps, count, &in[4]));
    return aten_node(call, OP_Slice, in, 5, NO_ATTRS, out);
}

Status aten_convert_flip(Call *call) {
    int64_t axes[MAX_RANK];
    int rank, count;
    ValueId out;
    TRY(aten_rank(call, self_of(call), &rank));
    TRY(aten_arg_axes(call, "dims", rank, axes, &count));
    TRY(flip(call, self_of(call), axes, rank ? count : 0, &out));
    return aten_give(call, out);
}

// A quarter turn from the first to the second dim: exchanged, then the first one flipped.
Status aten_convert_rot90(Call *call) {
    int64_t axes[MAX_RANK], k;
    int rank, count, perm[MAX_RANK];
    ValueId x = self_of(call);
    TRY(aten_rank(call, x, &rank));
    TRY(aten_arg_int(call, "k", &k));
    TRY(aten_arg_axes(call, "dims", rank, axes, &count));
    FAIL_IF(count != 2, ST_BAD, "argument 'dims': expected 2 numbers, got %d", count);
    k = ((k % 4) + 4) % 4;
    for (int i = 0; i < rank; i++) perm[i] = i;
    perm[axes[0]] = (int)axes[1];
    perm[axes[1]] = (int)axes[0];
    if (k == 2) TRY(flip(call, x, axes, 2, &x));
    if (k == 1) TRY(flip(call, x, &axes[1], 1, &x));
    if (k == 3) TRY(flip(call, x, &axes[0], 1, &x));
    if (k % 2) TRY(aten_permute(call, x, perm, &x));
    return aten_give(call, x);
}

static Status roll_axis(Call *call, ValueId x, int axis, int64_t shift, ValueId *out) {
    ValueId parts[2];
    const int64_t dim = aten_type(call, x)->dim[axis];
    if (dim > 0) shift = (shift % dim + dim) % dim;
    *out = x;
    if (shift == 0 || dim == 0) return ST_OK;
    FAIL_IF(shift == INT64_MIN, ST_BAD, "argument 'shifts': too large");
    TRY(aten_cut(call, x, axis, -shift, INT64_MAX, 1, &parts[0])); // a shift of a dim that is not known is below it
    TRY(aten_cut(call, x, axis, 0, -shift, 1, &parts[1]));
    return aten_node(call, OP_Concat, parts, 2, ATTRS(ATTR_I("axis", axis)), out);
}

// Without dims: of all elements in a row.
Status aten_convert_roll(Call *call) {
    int64_t shifts[MAX_RANK], axes[MAX_RANK] = {0};
    AtenValue dims[MAX_RANK];
    int rank, n_shifts, n_axes;
    ValueId x = self_of(call);
    TRY(aten_dims(call, x, dims, &rank));
    TRY(aten_arg_ints(call, "shifts", MAX_RANK, shifts, &n_shifts));
    TRY(aten_arg_ints(call, "dims", MAX_RANK, axes, &n_axes));
    const bool flat = n_axes == 0 && n_shifts == 1;
    FAIL_IF(!flat && (n_axes != n_shifts || n_axes == 0), ST_BAD, "expected a shift for each dim, got %d for %d",
            n_shifts, n_axes);
    if (flat) TRY(aten_reshape_ints(call, x, (const int64_t[]){-1}, 1, &x));
    for (int i = 0; i < n_shifts; i++) {
        int axis = 0;
        if (!flat) TRY(aten_axis(axes[i], rank, &axis));
        TRY(roll_axis(call, x, axis, shifts[i], &x));
    }
    if (flat) TRY(aten_reshape(call, x, dims, rank, &x));
    return aten_give(call, x);
}

// ---- padding

// Pairs of begin and end from the last dim on, to what ours take: all begins, then all ends.
static Status pads_of(Call *call, const char *name, int rank, ValueId *out) {
    AtenValue pads[2 * MAX_RANK];
    const AtenValue *items;
    int count;
    TRY(aten_arg_items(call, name, &items, &count));
    FAIL_IF(count % 2 || count > 2 * rank, ST_BAD,
            "argument '%s': expected pairs of numbers for at most %d dims, got %d", name, rank, count);
    for (int i = 0; i < 2 * rank; i++) pads[i] = aten_int(0);
    for (int i = 0; i < count / 2; i++) {
        pads[rank - 1 - i] = items[2 * i];
        pads[2 * rank - 1 - i] = items[2 * i + 1];
    }
    return aten_list_value(call, pads, 2 * rank, out);
}

static Status pad(Call *call, const char *name, const char *mode, const AtenValue *value) {
    ValueId in[3] = {self_of(call)};
    int rank;
    TRY(aten_rank(call, in[0], &rank));
    TRY(pads_of(call, name, rank, &in[1]));
    const DType dtype = aten_type(call, in[0])->dtype;
    TRY(aten_operand(call, value, dtype == DT_NONE ? DT_F32 : dtype, &in[2]));
    return aten_give_node(call, OP_Pad, in, 3, ATTRS(ATTR_S("mode", mode)));
}

static const char *pad_mode(const char *mode) {
    static const char *const names[][2] = {
        {"constant", "constant"}, {"reflect", "reflect"}, {"replicate", "edge"}, {"circular", "wrap"}};
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (strcmp(names[i][0], mode) == 0) return names[i][1];
    return NULL;
}

// pad, constant_pad_nd
Status aten_convert_pad(Call *call) {
    const AtenValue zero = aten_int(0), *value = aten_arg(call, "value");
    const char *mode = "constant";
    if (call->n_parameters > 3) {
        TRY(aten_arg_text(call, "mode", &mode));
        FAIL_IF(!pad_mode(mode), ST_BAD, "argument 'mode': expected constant, reflect, replicate or circular, got '%s'",
                mode);
        mode = pad_mode(mode);
    }
    return pad(call, "pad", mode, value->kind == ATEN_NONE ? &zero : value);
}

// reflection_pad2d, replication_pad3d ...: the mode is in the name.
Status aten_convert_pad_mode(Call *call) {
    const AtenValue zero = aten_int(0);
    const char *op = call->source->op;
    if (strstr(op, "circular")) return pad(call, "pad", "wrap", &zero);
    return pad(call, "padding", strstr(op, "reflection") ? "reflect" : "edge", &zero);
}

// ---- windows as they are

// (windows, size): which elements along a dim each window takes. `first`: of the first window, may be below 0 only
// where x was padded.
static Status window_indices(Call *call, int64_t windows, int64_t size, int64_t step, int64_t dilation, bool by_tap,
                             ValueId *out) {
    Tensor indices;
    int64_t count;
    FAIL_IF(!mul_i64(windows, size, &count) || count > WINDOWS, ST_UNSUPPORTED, "%lld windows of %lld elements",
            (long long)windows, (long long)size);
    TRY(tensor_make(&call->aten->graph->arena, DT_I64,
                    shape_of(2, by_tap ? (const int64_t[]){size, windows} : (const int64_t[]){windows, size}),
                    &indices));
    for (int64_t w = 0; w < windows; w++)
        for (int64_t k = 0; k < size; k++)
            tensor_set_int(&indices, by_tap ? k * windows + w : w * size + k, w * step + k * dilation);
    return emit_tensor(&call->emit, "windows", &indices, out);
}

// Tensor.unfold: the windows along a dim, their elements in a new last one.
Status aten_convert_unfold(Call *call) {
    ValueId x = self_of(call), indices;
    int64_t size, step, dim;
    int rank, axis, perm[MAX_RANK];
    TRY(aten_rank(call, x, &rank));
    FAIL_IF(rank == 0 || rank >= MAX_RANK, ST_UNSUPPORTED, "of %d dims", rank);
    TRY(aten_arg_axis(call, "dimension", rank, &axis));
    TRY(aten_arg_int(call, "size", &size));
    TRY(aten_arg_int(call, "step", &step));
    TRY(aten_known_dim(call, x, axis, &dim));
    FAIL_IF(size < 0 || size > dim || step < 1, ST_BAD,
            "expected a size up to %lld and a step of at least 1, got %lld, %lld", (long long)dim, (long long)size,
            (long long)step);
    TRY(window_indices(call, (dim - size) / step + 1, size, step, 1, false, &indices));
    TRY(aten_node(call, OP_Gather, (const ValueId[]){x, indices}, 2, ATTRS(ATTR_I("axis", axis)), &x));
    for (int i = 0; i < rank + 1; i++) perm[i] = i <= axis ? i : i + 1;
    perm[rank] = axis + 1;
    TRY(aten_permute(call, x, perm, &x));
    return aten_give(call, x);
}

typedef struct Blocks {
    int64_t kernel[2], dilation[2], padding[2], stride[2], windows[2];
} Blocks;

static Status read_blocks(Call *call, const int64_t size[2], Blocks *out) {
    TRY(aten_arg_each(call, "kernel_size", 2, out->kernel));
    TRY(aten_arg_each(call, "dilation", 2, out->dilation));
    TRY(aten_arg_each(call, "padding", 2, out->padding));
    TRY(aten_arg_each(call, "stride", 2, out->stride));
    for (int i = 0; i < 2; i++) {
        const int64_t most = INT32_MAX / 2;
        FAIL_IF(out->kernel[i] < 1 || out->dilation[i] < 1 || out->stride[i] < 1 || out->padding[i] < 0, ST_BAD,
                "expected a kernel, dilation and stride of at least 1 and no negative padding");
        FAIL_IF(out->kernel[i] > 65536 || out->dilation[i] > 32768 || out->padding[i] > most || size[i] < 0 ||
                    size[i] > most,
                ST_BAD, "expected smaller windows");
        const int64_t left = size[i] + 2 * out->padding[i] - (out->kernel[i] - 1) * out->dilation[i] - 1;
        FAIL_IF(left < 0, ST_BAD, "the windows are larger than the padded input");
        out->windows[i] = left / out->stride[i] + 1;
    }
    return ST_OK;
}

// (n, c, h, w) to (n, c kh kw, windows): along h, then along w, windows behind their elements.
Status aten_convert_im2col(Call *call) {
    static const int perm[] = {0, 1, 2, 4, 3, 5};
    ValueId x = self_of(call), indices;
    int64_t size[2];
    Blocks b;
    AtenValue n;
    int rank;
    TRY(aten_rank(call, x, &rank));
    FAIL_IF(rank != 3 && rank != 4, ST_BAD, "expected 3 or 4 dims, got %d", rank);
    if (rank == 3) TRY(aten_unsqueeze(call, x, 0, &x));
    for (int i = 0; i < 2; i++) TRY(aten_known_dim(call, x, 2 + i, &size[i]));
    TRY(read_blocks(call, size, &b));
    const int64_t pads[] = {0, 0, b.padding[0], b.padding[1]};
    if (b.padding[0] || b.padding[1]) TRY(emit_pad(&call->emit, "padded", x, pads, pads, "constant", 0, &x));
    for (int i = 0; i < 2; i++) {
        TRY(window_indices(call, b.windows[i], b.kernel[i], b.stride[i], b.dilation[i], true, &indices));
        TRY(aten_node(call, OP_Gather, (const ValueId[]){x, indices}, 2, ATTRS(ATTR_I("axis", 2 + 2 * i)), &x));
    }
    TRY(aten_permute(call, x, perm, &x)); // (n, c, kh, oh, kw, ow)
    TRY(aten_dim(call, x, 0, &n));
    const int64_t channels = aten_type(call, x)->dim[1], windows = b.windows[0] * b.windows[1];
    FAIL_IF(channels < 0 || channels > INT32_MAX, ST_UNSUPPORTED, "of channels that are not known");
    const AtenValue shape[] = {n, aten_int(channels * b.kernel[0] * b.kernel[1]), aten_int(windows)};
    TRY(aten_reshape(call, x, shape, 3, &x));
    if (rank == 3) TRY(aten_squeeze(call, x, 0, &x));
    return aten_give(call, x);
}

// A kernel that puts channel k of its input on tap k: (taps, 1, kh, kw).
static Status tap_weights(Call *call, const Blocks *b, DType dtype, ValueId *out) {
    Tensor weights;
    const int64_t taps = b->kernel[0] * b->kernel[1];
    FAIL_IF(taps > 1024, ST_UNSUPPORTED, "windows of %lld elements", (long long)taps);
    TRY(tensor_make(&call->aten->graph->arena, dtype,
                    shape_of(4, (const int64_t[]){taps, 1, b->kernel[0], b->kernel[1]}), &weights));
    for (int64_t i = 0; i < taps; i++) tensor_set(&weights, i * taps + i, 1);
    return emit_tensor(&call->emit, "taps", &weights, out);
}

// (n, c kh kw, windows) to (n, c, h, w), what overlaps added up: a transposed convolution.
Status aten_convert_col2im(Call *call) {
    ValueId x = self_of(call), weights;
    int64_t size[2];
    Blocks b;
    AtenValue n;
    int rank;
    TRY(aten_rank(call, x, &rank));
    FAIL_IF(rank != 2 && rank != 3, ST_BAD, "expected 2 or 3 dims, got %d", rank);
    if (rank == 2) TRY(aten_unsqueeze(call, x, 0, &x));
    TRY(aten_arg_each(call, "output_size", 2, size));
    TRY(read_blocks(call, size, &b));
    const int64_t taps = b.kernel[0] * b.kernel[1], rows = aten_type(call, x)->dim[1];
    FAIL_IF(rows < 0, ST_UNSUPPORTED, "of channels that are not known");
    FAIL_IF(rows % taps, ST_BAD, "expected a multiple of %lld rows, got %lld", (long long)taps, (long long)rows);
    const DType dtype = aten_type(call, x)->dtype;
    TRY(tap_weights(call, &b, dtype == DT_NONE ? DT_F32 : dtype, &weights));
    EmitWindow window = {.spatial = 2};
    for (int i = 0; i < 2; i++) {
        window.kernel[i] = b.kernel[i];
        window.stride[i] = b.stride[i];
        window.dilation[i] = b.dilation[i];
        window.pad_begin[i] = window.pad_end[i] = b.padding[i];
        window.output_padding[i] =
            size[i] + 2 * b.padding[i] - (b.kernel[i] - 1) * b.dilation[i] - 1 - (b.windows[i] - 1) * b.stride[i];
    }
    TRY(aten_dim(call, x, 0, &n));
    TRY(aten_reshape_ints(call, x, (const int64_t[]){-1, taps, b.windows[0], b.windows[1]}, 4, &x));
    TRY(emit_conv_transpose(&call->emit, x, weights, NO_VALUE, &window, &x));
    const AtenValue shape[] = {n, aten_int(rows / taps), aten_int(size[0]), aten_int(size[1])};
    TRY(aten_reshape(call, x, shape, 4, &x));
    if (rank == 2) TRY(aten_squeeze(call, x, 0, &x));
    return aten_give(call, x);
}

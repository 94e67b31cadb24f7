// Operations that move data or tell its shape. Shapes are int32 in TensorFlow and int64 here: what is computed from
// them stays in TensorFlow's type, and is cast where one of our operations takes it.
#include "import/limits.h"
#include "import/tensorflow/convert.h"
#include <string.h>

static Status give_node(Call *call, Op op, const ValueId *inputs, int n_inputs, const Attr *attrs, int n_attrs) {
    ValueId out;
    TRY(emit_node(&call->emit, op, "", inputs, n_inputs, attrs, n_attrs, &out));
    return tf_call_give(call, out);
}

static Status make_values(Call *call, int count, ValueId **out) {
    *out = arena_array(call->builder->scratch, (size_t)count + 1, sizeof **out);
    return *out ? ST_OK : fail_memory((size_t)count * sizeof **out);
}

// Input 0, and input 1 as a list of int64: shapes, repeats, axes.
static Status with_list(Call *call, Op op, const Attr *attrs, int n_attrs) {
    ValueId in[2];
    TRY(tf_call_expect(call, 2, 2));
    TRY(tf_call_input(call, 0, &in[0]));
    TRY(tf_call_input(call, 1, &in[1]));
    TRY(tf_call_int64(call, in[1], true, &in[1]));
    return give_node(call, op, in, 2, attrs, n_attrs);
}

// ---- joining and splitting

// ConcatV2: values, axis. Concat: axis, values.
Status tf_convert_concat(Call *call) {
    ValueId *values;
    int64_t axis;
    TRY(tf_call_expect(call, 2, LIMIT_NODE_VALUES));
    const bool first = strcmp(call->node->op, "Concat") == 0;
    const int count = call->n_inputs - 1;
    TRY(make_values(call, count, &values));
    TRY(tf_call_known_int(call, first ? 0 : count, "axes", &axis));
    for (int i = 0; i < count; i++) TRY(tf_call_input(call, i + first, &values[i]));
    return give_node(call, OP_Concat, values, count, ATTRS(ATTR_I("axis", axis)));
}

// What a Pack along axis 0 is made of is kept, so that the known among them can be seen.
Status tf_convert_pack(Call *call) {
    ValueId *values, *wide, axes, out;
    int64_t axis;
    int at;
    TRY(tf_call_expect(call, 1, LIMIT_NODE_VALUES));
    TRY(tf_call_attr_int(call, "axis", 0, &axis));
    TRY(make_values(call, call->n_inputs, &values));
    TRY(make_values(call, call->n_inputs, &wide));
    for (int i = 0; i < call->n_inputs; i++) TRY(tf_call_input(call, i, &values[i]));
    const int rank = tf_call_type(call, 0)->rank;
    if (axis < 0) TRY(tf_call_axis(call, rank < 0 ? -1 : rank + 1, axis, &at));
    if (axis < 0) axis = at;
    TRY(emit_ints(&call->emit, "axis", &axis, 1, &axes));
    for (int i = 0; i < call->n_inputs; i++)
        TRY(emit_binary(&call->emit, OP_Unsqueeze, "part", values[i], axes, &wide[i]));
    TRY(emit_node(&call->emit, OP_Concat, "", wide, call->n_inputs, ATTRS(ATTR_I("axis", axis)), &out));
    const Slot slot = {
        .kind = SLOT_VALUE, .value = out, .parts = axis == 0 && rank == 0 ? values : NULL, .n_parts = call->n_inputs};
    return tf_call_give_slots(call, &slot, 1);
}

static Status give_values(Call *call, const ValueId *values, int count) {
    Slot *slots = arena_array(call->builder->scratch, (size_t)count + 1, sizeof *slots);
    if (!slots) return fail_memory((size_t)count * sizeof *slots);
    for (int i = 0; i < count; i++) slots[i] = (Slot){.kind = SLOT_VALUE, .value = values[i]};
    return tf_call_give_slots(call, slots, count);
}

static Status read_parts(const Call *call, const char *name, int *out) {
    int64_t count;
    TRY(tf_call_attr_int(call, name, 0, &count));
    FAIL_IF(count < 1 || count > LIMIT_NODE_VALUES, ST_BAD, "attribute '%s': expected 1 to %d, got %lld", name,
            LIMIT_NODE_VALUES, (long long)count);
    *out = (int)count;
    return ST_OK;
}

// Equal parts of x along an axis, on which it keeps its dim.
static Status equal_parts(Call *call, ValueId x, int64_t axis, int count, const char *suffix, ValueId *parts) {
    int at;
    TRY(tf_call_axis(call, emit_type(&call->emit, x)->rank, axis, &at));
    const int64_t dim = emit_type(&call->emit, x)->dim[at];
    FAIL_IF(dim >= 0 && dim % count, ST_BAD, "expected a dim that splits into %d parts, got %lld", count,
            (long long)dim);
    return emit_nodes(&call->emit, OP_Split, suffix, &x, 1, ATTRS(ATTR_I("axis", at), ATTR_I("num_outputs", count)),
                      parts, count);
}

Status tf_convert_unpack(Call *call) {
    ValueId x, axes, *parts;
    int64_t axis;
    int count;
    TRY(tf_call_expect(call, 1, 1));
    TRY(tf_call_input(call, 0, &x));
    TRY(tf_call_attr_int(call, "axis", 0, &axis));
    TRY(read_parts(call, "num", &count));
    TRY(make_values(call, count, &parts));
    TRY(equal_parts(call, x, axis, count, "slice", parts));
    TRY(emit_ints(&call->emit, "axis", &axis, 1, &axes));
    for (int i = 0; i < count; i++)
        TRY(emit_binary(&call->emit, OP_Squeeze, i ? "part" : "", parts[i], axes, &parts[i]));
    return give_values(call, parts, count);
}

// Split: axis, value.
Status tf_convert_split(Call *call) {
    ValueId x, *parts;
    int64_t axis;
    int count;
    TRY(tf_call_expect(call, 2, 2));
    TRY(tf_call_known_int(call, 0, "axes", &axis));
    TRY(tf_call_input(call, 1, &x));
    TRY(read_parts(call, "num_split", &count));
    TRY(make_values(call, count, &parts));
    TRY(equal_parts(call, x, axis, count, "", parts));
    return give_values(call, parts, count);
}

// One size may be -1: what the others leave.
static Status complete_sizes(int64_t dim, int64_t *sizes, int count) {
    int open = -1;
    int64_t left = dim;
    for (int i = 0; i < count; i++) {
        FAIL_IF(sizes[i] < -1 || sizes[i] > INT32_MAX || (sizes[i] == -1 && open >= 0), ST_BAD,
                "expected sizes from 0 and at most one -1, got %lld", (long long)sizes[i]);
        if (sizes[i] == -1) open = i;
        else left -= sizes[i];
    }
    if (open < 0) return ST_OK;
    FAIL_IF(dim < 0, ST_UNSUPPORTED, "a size of -1 of a dim that is not known");
    FAIL_IF(left < 0, ST_BAD, "expected sizes that add up to at most %lld", (long long)dim);
    sizes[open] = left;
    return ST_OK;
}

// SplitV: value, sizes, axis.
Status tf_convert_split_sizes(Call *call) {
    ValueId in[2], *parts;
    int64_t axis, sizes[LIMIT_NODE_VALUES];
    int count, at;
    TRY(tf_call_expect(call, 3, 3));
    TRY(tf_call_input(call, 0, &in[0]));
    TRY(tf_call_known_ints(call, 1, "sizes", LIMIT_NODE_VALUES, sizes, &count));
    TRY(tf_call_known_int(call, 2, "axes", &axis));
    FAIL_IF(count < 1, ST_BAD, "expected at least one size, got none");
    TRY(tf_call_axis(call, tf_call_type(call, 0)->rank, axis, &at));
    TRY(complete_sizes(tf_call_type(call, 0)->dim[at], sizes, count));
    TRY(make_values(call, count, &parts));
    TRY(emit_ints(&call->emit, "sizes", sizes, count, &in[1]));
    TRY(emit_nodes(&call->emit, OP_Split, "", in, 2, ATTRS(ATTR_I("axis", at)), parts, count));
    return give_values(call, parts, count);
}

// ---- order and shape

Status tf_convert_transpose(Call *call) {
    ValueId x;
    int64_t perm[MAX_RANK];
    int count;
    TRY(tf_call_expect(call, 2, 2));
    TRY(tf_call_input(call, 0, &x));
    TRY(tf_call_known_ints(call, 1, "axes", MAX_RANK, perm, &count));
    const int rank = tf_call_type(call, 0)->rank;
    for (int i = 0; i < count; i++)
        if (perm[i] < 0) perm[i] += count;
    FAIL_IF(rank >= 0 && rank != count, ST_BAD, "expected the order of %d dims, got %d numbers", rank, count);
    return give_node(call, OP_Transpose, &x, 1, ATTRS(ATTR_L("perm", perm, count)));
}

// 0 is a dim without elements here, not one that is copied.
Status tf_convert_reshape(Call *call) {
    bool zero = false;
    if (tf_call_is_known(call, 1)) {
        int64_t dims[MAX_RANK];
        int count;
        TRY(tf_call_known_ints(call, 1, "dims", MAX_RANK, dims, &count));
        for (int i = 0; i < count; i++) zero |= dims[i] == 0;
    }
    return with_list(call, OP_Reshape, ATTRS(ATTR_I("allowzero", zero)));
}

Status tf_convert_squeeze(Call *call) {
    ValueId in[2];
    int64_t axes[MAX_RANK];
    int count;
    TRY(tf_call_expect(call, 1, 1));
    TRY(tf_call_input(call, 0, &in[0]));
    TRY(tf_call_attr_ints(call, "squeeze_dims", MAX_RANK, axes, &count));
    if (count == 0) return give_node(call, OP_Squeeze, in, 1, NO_ATTRS);
    TRY(emit_ints(&call->emit, "axes", axes, count, &in[1]));
    return give_node(call, OP_Squeeze, in, 2, NO_ATTRS);
}

Status tf_convert_expand_dims(Call *call) { return with_list(call, OP_Unsqueeze, NO_ATTRS); }
Status tf_convert_tile(Call *call) { return with_list(call, OP_Tile, NO_ATTRS); }
Status tf_convert_expand(Call *call) { return with_list(call, OP_Expand, NO_ATTRS); } // BroadcastTo

// Fill: dims, value.
Status tf_convert_fill(Call *call) {
    ValueId in[2];
    TRY(tf_call_expect(call, 2, 2));
    TRY(tf_call_input(call, 1, &in[0]));
    TRY(tf_call_input(call, 0, &in[1]));
    TRY(tf_call_int64(call, in[1], true, &in[1]));
    return give_node(call, OP_Expand, in, 2, NO_ATTRS);
}

// Slice: begin and size for each dim; a size of -1 goes to the end.
Status tf_convert_slice(Call *call) {
    ValueId in[3], ends;
    int64_t begin[MAX_RANK], size[MAX_RANK];
    int count, sizes;
    TRY(tf_call_expect(call, 3, 3));
    for (int i = 0; i < 3; i++) TRY(tf_call_input(call, i, &in[i]));
    if (tf_call_is_known(call, 1) && tf_call_is_known(call, 2)) {
        TRY(tf_call_known_ints(call, 1, "beginnings", MAX_RANK, begin, &count));
        TRY(tf_call_known_ints(call, 2, "sizes", MAX_RANK, size, &sizes));
        FAIL_IF(sizes != count, ST_BAD, "expected %d sizes, got %d", count, sizes);
        for (int i = 0; i < count; i++) {
            FAIL_IF(begin[i] < 0 || size[i] < -1, ST_BAD, "expected a part from 0, got %lld from %lld",
                    (long long)size[i], (long long)begin[i]);
            if (size[i] == -1 || !add_i64(begin[i], size[i], &size[i])) size[i] = INT64_MAX;
        }
        TRY(emit_ints(&call->emit, "starts", begin, count, &in[1]));
        TRY(emit_ints(&call->emit, "ends", size, count, &in[2]));
        return give_node(call, OP_Slice, in, 3, NO_ATTRS);
    }
    ValueId minus, most, open, end;
    TRY(tf_call_int64(call, in[1], true, &in[1]));
    TRY(tf_call_int64(call, in[2], true, &in[2]));
    TRY(emit_scalar(&call->emit, "minus", DT_I64, -1, &minus));
    TRY(emit_scalar(&call->emit, "most", DT_I64, INT32_MAX, &most));
    TRY(emit_binary(&call->emit, OP_Equal, "open", in[2], minus, &open));
    TRY(emit_binary(&call->emit, OP_Add, "end", in[1], in[2], &end));
    TRY(emit_node(&call->emit, OP_Where, "ends", (const ValueId[]){open, most, end}, 3, NO_ATTRS, &ends));
    return give_node(call, OP_Slice, (const ValueId[]){in[0], in[1], ends}, 3, NO_ATTRS);
}

// ReverseV2: steps of -1.
Status tf_convert_reverse(Call *call) {
    ValueId in[5];
    int64_t axes[MAX_RANK], starts[MAX_RANK], ends[MAX_RANK], steps[MAX_RANK];
    int count;
    TRY(tf_call_expect(call, 2, 2));
    TRY(tf_call_input(call, 0, &in[0]));
    TRY(tf_call_known_ints(call, 1, "axes", MAX_RANK, axes, &count));
    for (int i = 0; i < count; i++) starts[i] = INT64_MAX, ends[i] = INT64_MIN, steps[i] = -1;
    TRY(emit_ints(&call->emit, "starts", starts, count, &in[1]));
    TRY(emit_ints(&call->emit, "ends", ends, count, &in[2]));
    TRY(emit_ints(&call->emit, "axes", axes, count, &in[3]));
    TRY(emit_ints(&call->emit, "steps", steps, count, &in[4]));
    return give_node(call, OP_Slice, in, 5, NO_ATTRS);
}

// Gather, GatherV2 (with the axis).
Status tf_convert_gather(Call *call) {
    ValueId in[2];
    int64_t axis = 0, batch;
    TRY(tf_call_expect(call, 2, 3));
    TRY(tf_call_input(call, 0, &in[0]));
    TRY(tf_call_input(call, 1, &in[1]));
    TRY(tf_call_attr_int(call, "batch_dims", 0, &batch));
    if (call->n_inputs == 3) TRY(tf_call_known_int(call, 2, "axes", &axis));
    FAIL_IF(batch != 0, ST_UNSUPPORTED, "batch_dims other than 0 are not supported");
    return give_node(call, OP_Gather, in, 2, ATTRS(ATTR_I("axis", axis)));
}

Status tf_convert_gather_nd(Call *call) {
    ValueId in[2];
    TRY(tf_call_expect(call, 2, 2));
    TRY(tf_call_input(call, 0, &in[0]));
    TRY(tf_call_input(call, 1, &in[1]));
    return give_node(call, OP_GatherND, in, 2, NO_ATTRS);
}

// ---- what is said of a shape

static Status give_as(Call *call, ValueId value, const char *attribute) {
    DType to;
    ValueId out;
    TRY(tf_call_attr_dtype(call, attribute, DT_I32, &to));
    TRY(tf_call_cast(call, "", value, to, &out));
    return tf_call_give(call, out);
}

Status tf_convert_shape(Call *call) {
    ValueId x, shape;
    TRY(tf_call_expect(call, 1, 1));
    TRY(tf_call_input(call, 0, &x));
    TRY(emit_unary(&call->emit, OP_Shape, "shape", x, &shape));
    return give_as(call, shape, "out_type");
}

Status tf_convert_size(Call *call) {
    ValueId x, shape, size;
    TRY(tf_call_expect(call, 1, 1));
    TRY(tf_call_input(call, 0, &x));
    TRY(emit_unary(&call->emit, OP_Shape, "shape", x, &shape));
    TRY(emit_node(&call->emit, OP_ReduceProd, "size", &shape, 1, ATTRS(ATTR_I("keepdims", 0)), &size));
    return give_as(call, size, "out_type");
}

Status tf_convert_rank(Call *call) {
    ValueId out;
    TRY(tf_call_expect(call, 1, 1));
    FAIL_IF(tf_call_type(call, 0)->rank < 0, ST_UNSUPPORTED, "a value of a rank that is not known");
    TRY(emit_scalar(&call->emit, "", DT_I32, tf_call_type(call, 0)->rank, &out));
    return tf_call_give(call, out);
}

Status tf_convert_range(Call *call) {
    ValueId in[3];
    TRY(tf_call_expect(call, 3, 3));
    for (int i = 0; i < 3; i++) TRY(tf_call_input(call, i, &in[i]));
    return give_node(call, OP_Range, in, 3, NO_ATTRS);
}

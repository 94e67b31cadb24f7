// Operators that move, describe or make data.
#include "import/tflite/convert.h"

Status tfl_convert_concat(Call *call) {
    const int count = call->operator->n_inputs;
    ValueId *inputs = arena_array(call->builder->scratch, (size_t)count, sizeof *inputs), y;
    if (!inputs) return fail_memory((size_t)count * sizeof *inputs);
    for (int i = 0; i < count; i++) TRY(tfl_call_value(call, i, &inputs[i]));
    const int64_t axis = fb_int32(call->options, 0, 0);
    TRY(emit_node(&call->emit, OP_Concat, "joined", inputs, count, ATTRS(ATTR_I("axis", axis)), &y));
    return tfl_call_finish(call, y, 1);
}

// ---- shapes

// The options have the shape where the operator has no input for it.
static Status shape_of_options(const Call *call, int64_t *shape, int *rank) {
    const FbVector list = fb_vector(call->options, 0, 4);
    TRY(list.buffer->status);
    FAIL_IF(list.count > MAX_RANK, ST_UNSUPPORTED, "a shape of %u dims; at most %d are had", list.count, MAX_RANK);
    *rank = (int)list.count;
    for (uint32_t i = 0; i < list.count; i++) shape[i] = fb_int32_at(list, i);
    return ST_OK;
}

// A dim of 0 is one of no elements here, not one to copy.
static Status reshape_to(Call *call, ValueId x, const int64_t *shape, int rank, ValueId *y) {
    ValueId list;
    bool empty = false;
    for (int i = 0; i < rank; i++) empty = empty || shape[i] == 0;
    TRY(emit_ints(&call->emit, "shape", shape, rank, &list));
    const ValueId inputs[] = {x, list};
    return emit_node(&call->emit, OP_Reshape, "reshaped", inputs, 2, ATTRS(ATTR_I("allowzero", empty)), y);
}

// A shape that is computed in the run but for one dim (the batch, most of all): that one follows from the others.
static Status shape_of_input(Call *call, ValueId value, int64_t *shape, int *rank) {
    bool known[MAX_RANK];
    int unknown = 0, rest = 0;
    tfl_known_ints(call->builder->graph, value, MAX_RANK, shape, known, rank);
    for (int i = 0; i < *rank; i++) {
        unknown += !known[i];
        if (!known[i]) shape[i] = -1;
        rest += shape[i] == -1;
    }
    if (rest > 1 && unknown > 0) *rank = -1;
    return ST_OK;
}

Status tfl_convert_reshape(Call *call) {
    ValueId x, list = NO_VALUE, y;
    int64_t shape[MAX_RANK];
    int rank;
    TRY(tfl_call_value(call, 0, &x));
    if (tfl_call_has(call, 1)) {
        TRY(tfl_call_value(call, 1, &list));
        TRY(shape_of_input(call, list, shape, &rank));
    } else {
        TRY(shape_of_options(call, shape, &rank));
    }
    if (rank >= 0) {
        TRY(reshape_to(call, x, shape, rank, &y));
    } else {
        TRY(tfl_call_list(call, 1, &list));
        TRY(emit_binary(&call->emit, OP_Reshape, "reshaped", x, list, &y));
    }
    return tfl_call_give(call, 0, y);
}

Status tfl_convert_squeeze(Call *call) {
    int64_t axes[MAX_RANK];
    int count;
    ValueId x, list, y;
    TRY(tfl_call_value(call, 0, &x));
    TRY(shape_of_options(call, axes, &count));
    if (count == 0) {
        TRY(emit_unary(&call->emit, OP_Squeeze, "squeezed", x, &y));
    } else {
        TRY(emit_ints(&call->emit, "axes", axes, count, &list));
        TRY(emit_binary(&call->emit, OP_Squeeze, "squeezed", x, list, &y));
    }
    return tfl_call_give(call, 0, y);
}

Status tfl_convert_expand_dims(Call *call) {
    ValueId x, list, y;
    int64_t axis;
    int count;
    TRY(tfl_call_value(call, 0, &x));
    TRY(tfl_call_ints(call, 1, 1, &axis, &count));
    TRY(emit_ints(&call->emit, "axes", &axis, count, &list));
    TRY(emit_binary(&call->emit, OP_Unsqueeze, "expanded", x, list, &y));
    return tfl_call_give(call, 0, y);
}

Status tfl_convert_transpose(Call *call) {
    int64_t list[MAX_RANK];
    int rank, count, perm[MAX_RANK];
    ValueId x, y;
    TRY(tfl_call_rank(call, 0, &rank));
    TRY(tfl_call_value(call, 0, &x));
    TRY(tfl_call_ints(call, 1, MAX_RANK, list, &count));
    FAIL_IF(count != rank, ST_BAD, "input 1: expected an order of %d dims, got %d", rank, count);
    for (int i = 0; i < rank; i++) {
        int64_t axis;
        TRY(tfl_check_axis(list[i], rank, &axis));
        perm[i] = (int)axis;
    }
    TRY(emit_transpose(&call->emit, "transposed", x, perm, &y));
    return tfl_call_give(call, 0, y);
}

Status tfl_convert_shape(Call *call) {
    ValueId x, y;
    TRY(tfl_call_value(call, 0, &x));
    TRY(emit_unary(&call->emit, OP_Shape, "shape", x, &y));
    return tfl_call_give(call, 0, y);
}

Status tfl_convert_rank(Call *call) {
    ValueId y;
    int rank;
    TRY(tfl_call_rank(call, 0, &rank));
    TRY(emit_scalar(&call->emit, "rank", DT_I32, rank, &y));
    return tfl_call_give(call, 0, y);
}

// ---- padding

// Pairs of one dim each, computed in the run: all begins, then all ends.
static Status computed_pads(Call *call, ValueId *out) {
    static const int perm[] = {1, 0};
    ValueId pads;
    TRY(tfl_call_value(call, 1, &pads));
    FAIL_IF(emit_type(&call->emit, pads)->rank != 2, ST_BAD, "input 1: expected pairs of pads, got %d dims",
            emit_type(&call->emit, pads)->rank);
    TRY(tfl_call_cast(call, "pads", pads, DT_I64, &pads));
    TRY(emit_transpose(&call->emit, "pads", pads, perm, &pads));
    return emit_reshape(&call->emit, "pads", pads, (const int64_t[]){-1}, 1, out);
}

static Status read_pads(Call *call, int rank, int64_t *begin, int64_t *end) {
    int64_t pads[2 * MAX_RANK];
    int count;
    TRY(tfl_call_ints(call, 1, 2 * MAX_RANK, pads, &count));
    FAIL_IF(count != 2 * rank, ST_BAD, "input 1: expected %d pads, got %d", 2 * rank, count);
    for (int i = 0; i < rank; i++) {
        begin[i] = pads[2 * i];
        end[i] = pads[2 * i + 1];
        FAIL_IF(begin[i] < 0 || end[i] < 0 || begin[i] > INT32_MAX || end[i] > INT32_MAX, ST_BAD,
                "input 1: expected pads from 0 to %d, got %lld and %lld", INT32_MAX, (long long)begin[i],
                (long long)end[i]);
    }
    return ST_OK;
}

static bool pads_known(Call *call) {
    int64_t pads[2 * MAX_RANK];
    int count;
    const Status status = tfl_call_ints(call, 1, 2 * MAX_RANK, pads, &count);
    if (status == ST_UNSUPPORTED) error_clear();
    return status != ST_UNSUPPORTED;
}

Status tfl_convert_pad(Call *call) {
    ValueId inputs[3], y;
    int rank;
    TRY(tfl_call_rank(call, 0, &rank));
    TRY(tfl_call_value(call, 0, &inputs[0]));
    if (pads_known(call)) {
        int64_t begin[MAX_RANK], end[MAX_RANK], list[2 * MAX_RANK];
        TRY(read_pads(call, rank, begin, end));
        for (int i = 0; i < rank; i++) {
            list[i] = begin[i];
            list[rank + i] = end[i];
        }
        TRY(emit_ints(&call->emit, "pads", list, 2 * rank, &inputs[1]));
    } else {
        TRY(computed_pads(call, &inputs[1]));
    }
    const DType dtype = emit_type(&call->emit, inputs[0])->dtype;
    if (tfl_call_has(call, 2)) TRY(tfl_call_value(call, 2, &inputs[2]));
    else TRY(emit_scalar(&call->emit, "value", dtype, 0, &inputs[2]));
    TRY(emit_node(&call->emit, OP_Pad, "padded", inputs, 3, ATTRS(ATTR_S("mode", "constant")), &y));
    return tfl_call_give(call, 0, y);
}

// Elements from `first` on along an axis, `count` of them, backwards.
static Status emit_reversed(Call *call, ValueId x, int axis, int64_t first, int64_t last, ValueId *out) {
    ValueId inputs[5] = {x};
    const int64_t lists[4] = {first, last, axis, -1};
    static const char *const names[] = {"starts", "ends", "axes", "steps"};
    for (int i = 0; i < 4; i++) TRY(emit_ints(&call->emit, names[i], &lists[i], 1, &inputs[1 + i]));
    return emit_node(&call->emit, OP_Slice, "mirrored", inputs, 5, NO_ATTRS, out);
}

// SYMMETRIC repeats the border element: the first `begin` elements backwards, x, the last `end` ones backwards.
static Status mirror_axis(Call *call, int axis, int64_t begin, int64_t end, ValueId *x) {
    const int64_t dim = emit_type(&call->emit, *x)->dim[axis];
    ValueId parts[3];
    int count = 0;
    FAIL_IF(dim < 0, ST_UNSUPPORTED, "a size that is not known; give the inputs a fixed size");
    FAIL_IF(begin > dim || end > dim, ST_BAD, "expected pads of at most %lld, got %lld and %lld", (long long)dim,
            (long long)begin, (long long)end);
    if (begin > 0) TRY(emit_reversed(call, *x, axis, begin - 1, INT64_MIN, &parts[count++]));
    parts[count++] = *x;
    if (end > 0) TRY(emit_reversed(call, *x, axis, dim - 1, end == dim ? INT64_MIN : dim - 1 - end, &parts[count++]));
    if (count == 1) return ST_OK;
    return emit_node(&call->emit, OP_Concat, "padded", parts, count, ATTRS(ATTR_I("axis", axis)), x);
}

Status tfl_convert_mirror_pad(Call *call) {
    enum { REFLECT, SYMMETRIC };
    const int mode = fb_int8(call->options, 0, 0);
    int64_t begin[MAX_RANK], end[MAX_RANK];
    int rank;
    ValueId x;
    FAIL_IF(mode != REFLECT && mode != SYMMETRIC, ST_BAD, "expected a mode of 0 or 1, got %d", mode);
    TRY(tfl_call_rank(call, 0, &rank));
    TRY(tfl_call_value(call, 0, &x));
    TRY(read_pads(call, rank, begin, end));
    if (mode == REFLECT) TRY(emit_pad(&call->emit, "padded", x, begin, end, "reflect", 0, &x));
    for (int i = 0; i < rank && mode == SYMMETRIC; i++) TRY(mirror_axis(call, i, begin[i], end[i], &x));
    return tfl_call_give(call, 0, x);
}

Status tfl_convert_reverse(Call *call) {
    int64_t axes[MAX_RANK];
    int rank, count;
    ValueId x;
    TRY(tfl_call_rank(call, 0, &rank));
    TRY(tfl_call_value(call, 0, &x));
    TRY(tfl_call_ints(call, 1, MAX_RANK, axes, &count));
    for (int i = 0; i < count; i++) {
        int64_t axis;
        TRY(tfl_check_axis(axes[i], rank, &axis));
        TRY(emit_reversed(call, x, (int)axis, -1, INT64_MIN, &x));
    }
    return tfl_call_give(call, 0, x);
}

// ---- parts

static Status give_parts(Call *call, const ValueId *inputs, int n_inputs, int64_t axis, int64_t parts) {
    const int count = call->operator->n_outputs;
    ValueId *outputs = arena_array(call->builder->scratch, (size_t)count, sizeof *outputs);
    if (!outputs) return fail_memory((size_t)count * sizeof *outputs);
    FAIL_IF(parts != count, ST_BAD, "expected %d parts as there are outputs, got %lld", count, (long long)parts);
    const Attr attrs[] = {ATTR_I("axis", axis), ATTR_I("num_outputs", parts)};
    TRY(emit_nodes(&call->emit, OP_Split, "part", inputs, n_inputs, attrs, n_inputs == 1 ? 2 : 1, outputs, count));
    for (int i = 0; i < count; i++) TRY(tfl_call_give(call, i, outputs[i]));
    return ST_OK;
}

Status tfl_convert_split(Call *call) {
    ValueId x;
    int rank;
    int64_t axis;
    TRY(tfl_call_rank(call, 1, &rank));
    TRY(tfl_call_value(call, 1, &x));
    TRY(tfl_call_axis(call, 0, rank, &axis));
    return give_parts(call, &x, 1, axis, fb_int32(call->options, 0, 0));
}

// One of the sizes may be -1: what is left.
static Status fill_sizes(const Type *type, int64_t axis, int64_t *sizes, int count) {
    int64_t sum = 0;
    int rest = -1;
    for (int i = 0; i < count; i++) {
        FAIL_IF(sizes[i] < -1 || (sizes[i] == -1 && rest >= 0), ST_BAD,
                "input 1: expected sizes, at most one of them -1");
        if (sizes[i] == -1) rest = i;
        else FAIL_IF(!add_i64(sum, sizes[i], &sum), ST_BAD, "input 1: expected sizes of parts, got too large ones");
    }
    if (rest < 0) return ST_OK;
    FAIL_IF(type->dim[axis] < 0, ST_UNSUPPORTED, "a size that is not known; give the inputs a fixed size");
    FAIL_IF(type->dim[axis] < sum, ST_BAD, "expected parts of %lld elements, got %lld", (long long)type->dim[axis],
            (long long)sum);
    sizes[rest] = type->dim[axis] - sum;
    return ST_OK;
}

Status tfl_convert_split_v(Call *call) {
    ValueId inputs[2];
    int rank, count;
    int64_t axis, sizes[64];
    TRY(tfl_call_rank(call, 0, &rank));
    TRY(tfl_call_value(call, 0, &inputs[0]));
    TRY(tfl_call_axis(call, 2, rank, &axis));
    TRY(tfl_call_ints(call, 1, (int)COUNT_OF(sizes), sizes, &count));
    TRY(fill_sizes(emit_type(&call->emit, inputs[0]), axis, sizes, count));
    TRY(emit_ints(&call->emit, "sizes", sizes, count, &inputs[1]));
    return give_parts(call, inputs, 2, axis, count);
}

Status tfl_convert_pack(Call *call) {
    const int count = call->operator->n_inputs;
    ValueId *inputs = arena_array(call->builder->scratch, (size_t)count, sizeof *inputs), list, y;
    if (!inputs) return fail_memory((size_t)count * sizeof *inputs);
    const int64_t axis = fb_int32(call->options, 1, 0);
    TRY(emit_ints(&call->emit, "axes", &axis, 1, &list));
    for (int i = 0; i < count; i++) {
        TRY(tfl_call_value(call, i, &inputs[i]));
        TRY(emit_binary(&call->emit, OP_Unsqueeze, "one", inputs[i], list, &inputs[i]));
    }
    TRY(emit_node(&call->emit, OP_Concat, "packed", inputs, count, ATTRS(ATTR_I("axis", axis)), &y));
    return tfl_call_give(call, 0, y);
}

Status tfl_convert_unpack(Call *call) {
    const int count = call->operator->n_outputs;
    ValueId x, list, *parts = arena_array(call->builder->scratch, (size_t)count, sizeof *parts);
    if (!parts) return fail_memory((size_t)count * sizeof *parts);
    const int64_t axis = fb_int32(call->options, 1, 0);
    TRY(tfl_call_value(call, 0, &x));
    TRY(emit_ints(&call->emit, "axes", &axis, 1, &list));
    TRY(emit_nodes(&call->emit, OP_Split, "part", &x, 1, ATTRS(ATTR_I("axis", axis), ATTR_I("num_outputs", count)),
                   parts, count));
    for (int i = 0; i < count; i++) {
        TRY(emit_binary(&call->emit, OP_Squeeze, "one", parts[i], list, &parts[i]));
        TRY(tfl_call_give(call, i, parts[i]));
    }
    return ST_OK;
}

Status tfl_convert_gather(Call *call) {
    ValueId x, indices, y;
    const int64_t axis = fb_int32(call->options, 0, 0);
    FAIL_IF(fb_int32(call->options, 1, 0) != 0, ST_UNSUPPORTED, "indices of their own for each batch (batch_dims)");
    TRY(tfl_call_value(call, 0, &x));
    TRY(tfl_call_value(call, 1, &indices));
    TRY(tfl_call_cast(call, "indices", indices, DT_I64, &indices));
    const ValueId inputs[] = {x, indices};
    TRY(emit_node(&call->emit, OP_Gather, "gathered", inputs, 2, ATTRS(ATTR_I("axis", axis)), &y));
    return tfl_call_give(call, 0, y);
}

Status tfl_convert_gather_nd(Call *call) {
    ValueId x, indices, y;
    TRY(tfl_call_value(call, 0, &x));
    TRY(tfl_call_value(call, 1, &indices));
    TRY(tfl_call_cast(call, "indices", indices, DT_I64, &indices));
    TRY(emit_binary(&call->emit, OP_GatherND, "gathered", x, indices, &y));
    return tfl_call_give(call, 0, y);
}

// ---- made from little

Status tfl_convert_tile(Call *call) {
    ValueId x, list, y;
    TRY(tfl_call_value(call, 0, &x));
    TRY(tfl_call_list(call, 1, &list));
    TRY(emit_binary(&call->emit, OP_Tile, "tiled", x, list, &y));
    return tfl_call_give(call, 0, y);
}

Status tfl_convert_broadcast(Call *call) {
    ValueId x, list, y;
    TRY(tfl_call_value(call, 0, &x));
    TRY(tfl_call_list(call, 1, &list));
    TRY(emit_binary(&call->emit, OP_Expand, "broadcast", x, list, &y));
    return tfl_call_give(call, 0, y);
}

Status tfl_convert_fill(Call *call) {
    ValueId list, value, y;
    TRY(tfl_call_list(call, 0, &list));
    TRY(tfl_call_value(call, 1, &value));
    TRY(emit_binary(&call->emit, OP_Expand, "filled", value, list, &y));
    return tfl_call_give(call, 0, y);
}

Status tfl_convert_zeros(Call *call) {
    ValueId x, shape, zero, y;
    TRY(tfl_call_value(call, 0, &x));
    TRY(emit_scalar(&call->emit, "zero", emit_type(&call->emit, x)->dtype, 0, &zero));
    TRY(emit_unary(&call->emit, OP_Shape, "shape", x, &shape));
    TRY(emit_binary(&call->emit, OP_Expand, "zeros", zero, shape, &y));
    return tfl_call_give(call, 0, y);
}

Status tfl_convert_range(Call *call) {
    ValueId inputs[3], y;
    for (int i = 0; i < 3; i++) TRY(tfl_call_value(call, i, &inputs[i]));
    TRY(emit_node(&call->emit, OP_Range, "range", inputs, 3, NO_ATTRS, &y));
    return tfl_call_give(call, 0, y);
}

// Updates of one place are added up.
Status tfl_convert_scatter_nd(Call *call) {
    ValueId inputs[3], zero, shape, y;
    TRY(tfl_call_value(call, 0, &inputs[1]));
    TRY(tfl_call_value(call, 1, &inputs[2]));
    TRY(tfl_call_list(call, 2, &shape));
    TRY(tfl_call_cast(call, "indices", inputs[1], DT_I64, &inputs[1]));
    TRY(emit_scalar(&call->emit, "zero", emit_type(&call->emit, inputs[2])->dtype, 0, &zero));
    TRY(emit_binary(&call->emit, OP_Expand, "zeros", zero, shape, &inputs[0]));
    TRY(emit_node(&call->emit, OP_ScatterND, "scattered", inputs, 3, ATTRS(ATTR_S("reduction", "add")), &y));
    return tfl_call_give(call, 0, y);
}

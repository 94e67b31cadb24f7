// Nodes and sizes that several converters need.
#include "import/aten/convert.h"
#include "import/limits.h"
#include <assert.h>

enum { FILLED = 65536 }; // elements of a constant that is made of nothing but its shape

const Type *aten_type(const Call *call, ValueId value) { return emit_type(&call->emit, value); }

Status aten_rank(const Call *call, ValueId value, int *out) {
    *out = aten_type(call, value)->rank;
    FAIL_IF(*out < 0, ST_UNSUPPORTED, "a tensor of a rank that is not known");
    return ST_OK;
}

// ---- nodes

Status aten_node(Call *call, Op op, const ValueId *inputs, int n_inputs, const Attr *attrs, int n_attrs, ValueId *out) {
    return emit_node(&call->emit, op, "part", inputs, n_inputs, attrs, n_attrs, out);
}
Status aten_one(Call *call, Op op, ValueId x, ValueId *out) { return aten_node(call, op, &x, 1, NO_ATTRS, out); }
Status aten_two(Call *call, Op op, ValueId a, ValueId b, ValueId *out) {
    return aten_node(call, op, (const ValueId[]){a, b}, 2, NO_ATTRS, out);
}
Status aten_three(Call *call, Op op, ValueId a, ValueId b, ValueId c, ValueId *out) {
    return aten_node(call, op, (const ValueId[]){a, b, c}, 3, NO_ATTRS, out);
}

Status aten_scalar(Call *call, DType dtype, double value, ValueId *out) {
    return emit_scalar(&call->emit, "number", dtype, value, out);
}

Status aten_scalar_like(Call *call, ValueId x, double value, ValueId *out) {
    const DType dtype = aten_type(call, x)->dtype;
    return aten_scalar(call, dtype == DT_NONE ? DT_F32 : dtype, value, out);
}

Status aten_ints(Call *call, const int64_t *values, int count, ValueId *out) {
    return emit_ints(&call->emit, "ints", values, count, out);
}

Status aten_over(Call *call, Op op, ValueId x, const int64_t *axes, int count, bool keep, ValueId *out) {
    ValueId in[2] = {x};
    TRY(aten_ints(call, axes, count, &in[1]));
    return aten_node(call, op, in, 2, ATTRS(ATTR_I("keepdims", keep), ATTR_I("noop_with_empty_axes", 1)), out);
}

Status aten_permute(Call *call, ValueId x, const int *perm, ValueId *out) {
    int rank;
    bool moves = false;
    TRY(aten_rank(call, x, &rank));
    for (int i = 0; i < rank; i++) moves = moves || perm[i] != i;
    *out = x;
    return moves ? emit_transpose(&call->emit, "moved", x, perm, out) : ST_OK;
}

static Status with_axis(Call *call, Op op, ValueId x, int64_t axis, ValueId *out) {
    ValueId axes;
    TRY(aten_ints(call, &axis, 1, &axes));
    return aten_two(call, op, x, axes, out);
}
Status aten_unsqueeze(Call *call, ValueId x, int64_t axis, ValueId *out) {
    return with_axis(call, OP_Unsqueeze, x, axis, out);
}
Status aten_squeeze(Call *call, ValueId x, int64_t axis, ValueId *out) {
    return with_axis(call, OP_Squeeze, x, axis, out);
}

Status aten_cut(Call *call, ValueId x, int axis, int64_t from, int64_t to, int64_t step, ValueId *out) {
    const int64_t lists[] = {from, to, axis, step};
    ValueId in[5] = {x};
    for (int i = 0; i < 4; i++) TRY(aten_ints(call, &lists[i], 1, &in[1 + i]));
    return aten_node(call, OP_Slice, in, 5, NO_ATTRS, out);
}

// The constant's transposed copy that was made before.
static Status transposed_slot(Aten *aten, ValueId value, ValueId **out) {
    if (value >= aten->n_transposed) {
        const int larger = MAX(2 * aten->n_transposed, value + 64);
        ValueId *fresh = arena_array(aten->scratch, (size_t)larger, sizeof *fresh);
        if (!fresh) return fail_memory((size_t)larger * sizeof *fresh);
        for (int i = 0; i < larger; i++) fresh[i] = i < aten->n_transposed ? aten->transposed[i] : NO_VALUE;
        aten->transposed = fresh;
        aten->n_transposed = larger;
    }
    *out = &aten->transposed[value];
    return ST_OK;
}

Status aten_transpose_last(Call *call, ValueId x, ValueId *out) {
    int perm[MAX_RANK], rank;
    ValueId *slot;
    const Tensor *constant = emit_constant(&call->emit, x);
    TRY(aten_rank(call, x, &rank));
    FAIL_IF(rank < 2, ST_BAD, "expected a matrix, got a tensor of %d dims", rank);
    for (int i = 0; i < rank; i++) perm[i] = i;
    perm[rank - 1] = rank - 2;
    perm[rank - 2] = rank - 1;
    if (!constant) return aten_permute(call, x, perm, out);
    TRY(transposed_slot(call->aten, x, &slot));
    if (*slot == NO_VALUE) TRY(emit_permuted(&call->emit, "transposed", constant, perm, slot));
    *out = *slot;
    return ST_OK;
}

// ---- sizes

Status aten_dim(Call *call, ValueId x, int axis, AtenValue *out) {
    ValueId shape, at, dim;
    const int64_t known = aten_type(call, x)->dim[axis];
    if (known >= 0) {
        *out = aten_int(known);
        return ST_OK;
    }
    TRY(emit_unary(&call->emit, OP_Shape, "shape", x, &shape));
    TRY(aten_scalar(call, DT_I64, axis, &at));
    TRY(emit_node(&call->emit, OP_Gather, "size", (const ValueId[]){shape, at}, 2, ATTRS(ATTR_I("axis", 0)), &dim));
    *out = aten_number(dim);
    return ST_OK;
}

Status aten_dims(Call *call, ValueId x, AtenValue out[MAX_RANK], int *rank) {
    TRY(aten_rank(call, x, rank));
    for (int i = 0; i < *rank; i++) TRY(aten_dim(call, x, i, &out[i]));
    return ST_OK;
}

Status aten_known_dim(Call *call, ValueId x, int axis, int64_t *out) {
    AtenValue dim;
    TRY(aten_dim(call, x, axis, &dim));
    return aten_known_int(call->aten, &dim, out) ? ST_OK : aten_not_known(call, &dim, "size");
}

Status aten_count(Call *call, ValueId x, const int64_t *axes, int n_axes, AtenValue *out) {
    AtenValue dim;
    *out = aten_int(1);
    for (int i = 0; i < n_axes; i++) {
        TRY(aten_dim(call, x, (int)axes[i], &dim));
        TRY(aten_number_binary(call, "mul", out, &dim, out));
    }
    return ST_OK;
}

Status aten_list_value(Call *call, const AtenValue *items, int count, ValueId *out) {
    int64_t values[MAX_RANK * 2];
    ValueId parts[MAX_RANK * 2];
    bool known = true;
    FAIL_IF(count > 2 * MAX_RANK, ST_BAD, "expected a list of at most %d numbers, got %d", 2 * MAX_RANK, count);
    for (int i = 0; i < count; i++) {
        values[i] = items[i].kind == ATEN_INT ? items[i].i : 0;
        known = known && items[i].kind == ATEN_INT;
    }
    if (known) return aten_ints(call, values, count, out);
    for (int i = 0; i < count; i++) {
        if (items[i].kind == ATEN_INT) TRY(aten_ints(call, &values[i], 1, &parts[i]));
        else TRY(emit_reshape(&call->emit, "list", items[i].value, (const int64_t[]){1}, 1, &parts[i]));
        TRY(aten_cast(call, parts[i], DT_I64, &parts[i]));
    }
    return emit_node(&call->emit, OP_Concat, "list", parts, count, ATTRS(ATTR_I("axis", 0)), out);
}

// Is the number the size of that dim of x?
static bool is_dim_of(const Call *call, const AtenValue *number, ValueId x, int axis) {
    const Graph *graph = call->aten->graph;
    const Node *gather = graph->values[number->value].producer;
    if (!gather || gather->op != OP_Gather || axis >= graph->values[x].type.rank) return false;
    const Node *shape = graph->values[gather->inputs[0]].producer;
    const Tensor *at = graph->values[gather->inputs[1]].constant;
    if (!shape || shape->op != OP_Shape || shape->n_attrs || !at || tensor_count(at) != 1) return false;
    const int64_t index = tensor_get_int(at, 0);
    const Type *from = &graph->values[shape->inputs[0]].type;
    if (index < 0 || index >= from->rank) return false;
    if (shape->inputs[0] == x) return index == axis;
    return from->dim[index] <= DIM_SYMBOL_0 && from->dim[index] == graph->values[x].type.dim[axis];
}

// Numbers that are dims of x at the same place are copied, and one that is left follows: so the shape may be told where
// not all of it is known. *out: how many are left.
static int settle_shape(const Call *call, ValueId x, const AtenValue *items, int count, int64_t *shape) {
    int open = -1, n_open = 0;
    bool rest = false, zero = false, copies = false;
    for (int i = 0; i < count; i++) {
        shape[i] = items[i].kind == ATEN_INT ? items[i].i : -1;
        rest = rest || (items[i].kind == ATEN_INT && items[i].i == -1);
        zero = zero || (items[i].kind == ATEN_INT && items[i].i == 0);
        if (items[i].kind == ATEN_INT) continue;
        if (is_dim_of(call, &items[i], x, i)) shape[i] = 0, copies = true;
        else open = i, n_open++;
    }
    if (open >= 0 && n_open == 1 && !rest) n_open = 0; // the -1 that stands there
    return zero && copies ? count : n_open;
}

// Dims that are known stay so where others are computed in a run, which inference cannot tell of the whole list.
static void keep_known(Call *call, ValueId value, const AtenValue *items, int count) {
    Type *type = &call->aten->graph->values[value].type;
    if (type->rank < 0) {
        type->rank = count;
        for (int i = 0; i < count; i++) type->dim[i] = DIM_UNKNOWN;
    }
    for (int i = 0; i < count && type->rank == count; i++)
        if (items[i].kind == ATEN_INT && items[i].i >= 0 && type->dim[i] == DIM_UNKNOWN) type->dim[i] = items[i].i;
}

Status aten_reshape(Call *call, ValueId x, const AtenValue *items, int count, ValueId *out) {
    int64_t shape[MAX_RANK];
    bool zero = false;
    ValueId in[2] = {x};
    FAIL_IF(count > MAX_RANK, ST_UNSUPPORTED, "expected at most %d dims, got %d", MAX_RANK, count);
    const int open = settle_shape(call, x, items, count, shape);
    for (int i = 0; i < count; i++) zero = zero || (items[i].kind == ATEN_INT && items[i].i == 0);
    if (open == 0) TRY(aten_ints(call, shape, count, &in[1]));
    else TRY(aten_list_value(call, items, count, &in[1]));
    TRY(emit_node(&call->emit, OP_Reshape, "view", in, 2, ATTRS(ATTR_I("allowzero", zero)), out));
    keep_known(call, *out, items, count);
    return ST_OK;
}

Status aten_reshape_ints(Call *call, ValueId x, const int64_t *shape, int count, ValueId *out) {
    AtenValue items[MAX_RANK];
    assert(count <= MAX_RANK);
    for (int i = 0; i < count; i++) items[i] = aten_int(shape[i]);
    return aten_reshape(call, x, items, count, out);
}

Status aten_expand(Call *call, ValueId x, const AtenValue *items, int count, ValueId *out) {
    const Type *type = aten_type(call, x);
    bool same = count == type->rank;
    ValueId shape;
    for (int i = 0; same && i < count; i++)
        same = items[i].kind == ATEN_INT ? items[i].i == type->dim[i] || items[i].i == 1
                                         : items[i].kind == ATEN_NUMBER && is_dim_of(call, &items[i], x, i);
    *out = x;
    if (same) return ST_OK;
    TRY(aten_list_value(call, items, count, &shape));
    return emit_node(&call->emit, OP_Expand, "expanded", (const ValueId[]){x, shape}, 2, NO_ATTRS, out);
}

// ---- constants

Status aten_filled(Call *call, DType dtype, double value, const AtenValue *items, int count, ValueId *out) {
    Shape shape = {.rank = count};
    Tensor tensor;
    ValueId scalar, list;
    FAIL_IF(count > MAX_RANK, ST_UNSUPPORTED, "expected at most %d dims, got %d", MAX_RANK, count);
    for (int i = 0; i < count; i++) {
        shape.dim[i] = items[i].kind == ATEN_INT ? items[i].i : INT64_MAX;
        FAIL_IF(shape.dim[i] < 0, ST_BAD, "expected sizes from 0, got %lld", (long long)shape.dim[i]);
    }
    const int64_t n = shape_count(&shape);
    if (n < 0 || n > FILLED) {
        TRY(aten_scalar(call, dtype, value, &scalar));
        TRY(aten_list_value(call, items, count, &list));
        return emit_node(&call->emit, OP_Expand, "filled", (const ValueId[]){scalar, list}, 2, NO_ATTRS, out);
    }
    TRY(tensor_make(&call->aten->graph->arena, dtype, shape, &tensor));
    for (int64_t i = 0; value != 0 && i < n; i++) tensor_set(&tensor, i, value);
    return emit_tensor(&call->emit, "filled", &tensor, out);
}

Status aten_channels_filled(Call *call, ValueId x, double value, ValueId *out) {
    AtenValue channels;
    const Type *type = aten_type(call, x);
    FAIL_IF(type->rank < 2, ST_BAD, "expected a tensor with channels, got one of %d dims", type->rank);
    const DType dtype = type->dtype == DT_NONE ? DT_F32 : type->dtype;
    TRY(aten_dim(call, x, 1, &channels));
    return aten_filled(call, dtype, value, &channels, 1, out);
}

// Operators that take or put parts by their places.
#include "import/aten/convert.h"
#include "import/limits.h"
#include <string.h>

static ValueId self_of(const Call *call) { return call->args[0].value; }

static Status self_axis(Call *call, int *rank, int *axis) {
    TRY(aten_rank(call, self_of(call), rank));
    FAIL_IF(*rank == 0, ST_BAD, "expected a tensor with dims");
    return aten_arg_axis(call, "dim", *rank, axis);
}

// ---- slices

static Status check_index(Call *call, int axis, const AtenValue *index) {
    const int64_t dim = aten_type(call, self_of(call))->dim[axis];
    FAIL_IF(index->kind == ATEN_INT && dim >= 0 && (index->i < -dim || index->i >= dim), ST_BAD,
            "argument 'index': expected %lld to %lld, got %lld", -(long long)dim, (long long)dim - 1,
            (long long)index->i);
    return ST_OK;
}

Status aten_convert_select(Call *call) {
    ValueId in[2] = {self_of(call)};
    int rank, axis;
    TRY(self_axis(call, &rank, &axis));
    TRY(check_index(call, axis, aten_arg(call, "index")));
    TRY(aten_operand(call, aten_arg(call, "index"), DT_I64, &in[1]));
    return aten_give_node(call, OP_Gather, in, 2, ATTRS(ATTR_I("axis", axis)));
}

typedef struct Part {
    int axis;
    AtenValue start, end;
    int64_t step;
    bool whole; // all of the dim
} Part;

static Status read_part(Call *call, Part *out) {
    int rank;
    TRY(self_axis(call, &rank, &out->axis));
    TRY(aten_arg_int(call, "step", &out->step));
    FAIL_IF(out->step < 1, ST_BAD, "argument 'step': expected at least 1, got %lld", (long long)out->step);
    out->start = *aten_arg(call, "start");
    out->end = *aten_arg(call, "end");
    if (out->start.kind == ATEN_NONE) out->start = aten_int(0);
    if (out->end.kind == ATEN_NONE) out->end = aten_int(INT64_MAX);
    const int64_t dim = aten_type(call, self_of(call))->dim[out->axis];
    const bool starts = out->start.kind == ATEN_INT && (out->start.i == 0 || (dim >= 0 && out->start.i <= -dim));
    const bool ends = out->end.kind == ATEN_INT && (out->end.i == INT64_MAX || (dim >= 0 && out->end.i >= dim));
    out->whole = starts && ends && out->step == 1;
    return ST_OK;
}

static Status slice(Call *call, ValueId x, int axis, const AtenValue *start, const AtenValue *end, int64_t step,
                    ValueId *out) {
    const int64_t at = axis;
    ValueId in[5] = {x};
    TRY(aten_list_value(call, start, 1, &in[1]));
    TRY(aten_list_value(call, end, 1, &in[2]));
    TRY(aten_ints(call, &at, 1, &in[3]));
    TRY(aten_ints(call, &step, 1, &in[4]));
    return emit_node(&call->emit, OP_Slice, "", in, 5, NO_ATTRS, out);
}

Status aten_convert_slice(Call *call) {
    Part part;
    ValueId out;
    TRY(read_part(call, &part));
    if (part.whole) return aten_give(call, self_of(call));
    TRY(slice(call, self_of(call), part.axis, &part.start, &part.end, part.step, &out));
    return aten_give(call, out);
}

Status aten_convert_narrow(Call *call) {
    int rank, axis;
    AtenValue end, start = *aten_arg(call, "start");
    const AtenValue *length = aten_arg(call, "length");
    ValueId out;
    TRY(self_axis(call, &rank, &axis));
    const int64_t dim = aten_type(call, self_of(call))->dim[axis];
    if (start.kind == ATEN_INT && start.i < 0 && dim >= 0) start.i += dim;
    TRY(aten_number_binary(call, "add", &start, length, &end));
    FAIL_IF(start.kind == ATEN_INT && length->kind == ATEN_INT && dim >= 0 &&
                (start.i < 0 || length->i < 0 || end.i > dim),
            ST_BAD, "expected a part of %lld elements, got %lld from %lld", (long long)dim, (long long)length->i,
            (long long)start.i);
    TRY(slice(call, self_of(call), axis, &start, &end, 1, &out));
    return aten_give(call, out);
}

// self with src in the place of self[start:end:step] along a dim: between what is in front of it and behind it, or,
// with steps, element by element.
static Status put_part(Call *call, const Part *part, ValueId src, ValueId *out) {
    const ValueId self = self_of(call);
    const AtenValue begin = aten_int(0), most = aten_int(INT64_MAX);
    int64_t dim, start, end, first, count, shape[MAX_RANK];
    ValueId parts[3], indices, in[3] = {self, NO_VALUE, src};
    AtenValue dims[MAX_RANK];
    int n = 0, rank;
    TRY(aten_known_dim(call, self, part->axis, &dim));
    if (!aten_known_int(call->aten, &part->start, &start)) return aten_not_known(call, &part->start, "start");
    if (!aten_known_int(call->aten, &part->end, &end)) return aten_not_known(call, &part->end, "end");
    TRY(slice_range(dim, start, end, part->step, &first, &count));
    TRY(aten_dims(call, self, dims, &rank));
    dims[part->axis] = aten_int(count);
    TRY(aten_expand(call, src, dims, rank, &src));
    if (part->step == 1) {
        const AtenValue from = aten_int(first), to = aten_int(first + count);
        if (first > 0) TRY(slice(call, self, part->axis, &begin, &from, 1, &parts[n++]));
        parts[n++] = src;
        if (first + count < dim) TRY(slice(call, self, part->axis, &to, &most, 1, &parts[n++]));
        *out = src;
        return n == 1 ? ST_OK : emit_node(&call->emit, OP_Concat, "", parts, n, ATTRS(ATTR_I("axis", part->axis)), out);
    }
    Tensor places;
    FAIL_IF(count > LIMIT_LIST, ST_UNSUPPORTED, "of %lld elements", (long long)count);
    for (int i = 0; i < rank; i++) shape[i] = i == part->axis ? count : 1;
    TRY(tensor_make(&call->aten->graph->arena, DT_I64, shape_of(rank, shape), &places));
    for (int64_t i = 0; i < count; i++) tensor_set_int(&places, i, first + i * part->step);
    TRY(emit_tensor(&call->emit, "places", &places, &indices));
    TRY(aten_expand(call, indices, dims, rank, &in[1]));
    in[2] = src;
    return emit_node(&call->emit, OP_ScatterElements, "", in, 3, ATTRS(ATTR_I("axis", part->axis)), out);
}

static Status source_of(Call *call, ValueId *out) {
    TRY(aten_arg_tensor(call, "src", out));
    return aten_cast(call, *out, aten_type(call, self_of(call))->dtype, out);
}

Status aten_convert_slice_scatter(Call *call) {
    Part part;
    ValueId src, out;
    TRY(read_part(call, &part));
    TRY(source_of(call, &src));
    TRY(put_part(call, &part, src, &out));
    return aten_give(call, out);
}

Status aten_convert_select_scatter(Call *call) {
    Part part = {.step = 1};
    ValueId src, out;
    int64_t index, dim;
    int rank;
    TRY(self_axis(call, &rank, &part.axis));
    TRY(check_index(call, part.axis, aten_arg(call, "index")));
    TRY(aten_arg_int(call, "index", &index));
    TRY(aten_known_dim(call, self_of(call), part.axis, &dim));
    if (index < 0) index += dim;
    FAIL_IF(index < 0 || index >= dim, ST_BAD, "argument 'index': out of range");
    part.start = aten_int(index);
    part.end = aten_int(index + 1);
    TRY(source_of(call, &src));
    TRY(aten_unsqueeze(call, src, part.axis, &src));
    TRY(put_part(call, &part, src, &out));
    return aten_give(call, out);
}

// ---- one list of indices

Status aten_convert_index_select(Call *call) {
    ValueId in[2] = {self_of(call)};
    int rank, axis, index_rank;
    TRY(self_axis(call, &rank, &axis));
    TRY(aten_arg_tensor(call, "index", &in[1]));
    TRY(aten_rank(call, in[1], &index_rank));
    FAIL_IF(index_rank > 1, ST_BAD, "argument 'index': expected one dim, got %d", index_rank);
    if (index_rank == 0) TRY(aten_unsqueeze(call, in[1], 0, &in[1]));
    return aten_give_node(call, OP_Gather, in, 2, ATTRS(ATTR_I("axis", axis)));
}

Status aten_convert_embedding(Call *call) {
    ValueId in[2];
    TRY(aten_arg_tensor(call, "weight", &in[0]));
    TRY(aten_arg_tensor(call, "indices", &in[1]));
    return aten_give_node(call, OP_Gather, in, 2, ATTRS(ATTR_I("axis", 0)));
}

Status aten_convert_gather(Call *call) {
    ValueId in[2] = {self_of(call)};
    int rank, axis;
    TRY(self_axis(call, &rank, &axis));
    TRY(aten_arg_tensor(call, "index", &in[1]));
    return aten_give_node(call, OP_GatherElements, in, 2, ATTRS(ATTR_I("axis", axis)));
}

// scatter, scatter_add; src a tensor or a number.
Status aten_convert_scatter(Call *call) {
    ValueId in[3] = {self_of(call)};
    AtenValue dims[MAX_RANK];
    int rank, axis;
    const bool adds = strstr(call->source->op, "scatter_add") != NULL;
    TRY(self_axis(call, &rank, &axis));
    TRY(aten_arg_tensor(call, "index", &in[1]));
    TRY(aten_operand(call, &call->args[3], aten_type(call, in[0])->dtype, &in[2]));
    TRY(aten_dims(call, in[1], dims, &rank));
    if (call->args[3].kind != ATEN_TENSOR) TRY(aten_expand(call, in[2], dims, rank, &in[2]));
    return aten_give_node(call, OP_ScatterElements, in, 3,
                          ATTRS(ATTR_I("axis", axis), ATTR_S("reduction", adds ? "add" : "none")));
}

// 1 where the class is, along a new last dim.
Status aten_convert_one_hot(Call *call) {
    ValueId x, classes, hit;
    int64_t count, numbers[1] = {-1};
    Tensor range;
    TRY(aten_arg_tensor(call, "self", &x));
    TRY(aten_arg_int(call, "num_classes", &count));
    FAIL_IF(count < 0, ST_UNSUPPORTED, "without num_classes");
    FAIL_IF(count > LIMIT_LIST, ST_UNSUPPORTED, "of %lld classes", (long long)count);
    TRY(tensor_make(&call->aten->graph->arena, DT_I64, shape_of(1, &count), &range));
    for (int64_t i = 0; i < count; i++) tensor_set_int(&range, i, i);
    TRY(emit_tensor(&call->emit, "classes", &range, &classes));
    TRY(aten_cast(call, x, DT_I64, &x));
    TRY(aten_unsqueeze(call, x, numbers[0], &x));
    TRY(aten_two(call, OP_Equal, x, classes, &hit));
    return aten_give_node(call, OP_Cast, &hit, 1, ATTRS(ATTR_S("to", "int64")));
}

// ---- several lists of indices, one a dim: x[:, rows, columns]

typedef struct Indices {
    int axes[MAX_RANK]; // that have one
    ValueId values[MAX_RANK];
    int count, rank;
    int most;       // dims of the largest
    bool adjoining; // no dim without one stands between them
} Indices;

// A list of bools that is known names the places where they are true.
static Status places_of_bools(Call *call, ValueId mask, ValueId *out) {
    const Tensor *known = emit_constant(&call->emit, mask);
    Tensor places;
    int64_t count = 0, at = 0;
    FAIL_IF(!known || known->shape.rank != 1, ST_UNSUPPORTED, "by a mask of bools, of which the result's size depends");
    for (int64_t i = 0; i < tensor_count(known); i++) count += tensor_get_int(known, i) != 0;
    TRY(tensor_make(&call->aten->graph->arena, DT_I64, shape_of(1, &count), &places));
    for (int64_t i = 0; i < tensor_count(known); i++)
        if (tensor_get_int(known, i)) tensor_set_int(&places, at++, i);
    return emit_tensor(&call->emit, "places", &places, out);
}

static Status read_indices(Call *call, Indices *out) {
    const AtenValue *list = aten_arg(call, "indices");
    int index_rank;
    *out = (Indices){.adjoining = true};
    TRY(aten_rank(call, self_of(call), &out->rank));
    FAIL_IF(list->count > out->rank, ST_BAD, "argument 'indices': expected at most %d, got %d", out->rank, list->count);
    for (int i = 0; i < list->count; i++) {
        if (list->items[i].kind == ATEN_NONE) continue;
        ValueId value = list->items[i].value;
        const DType dtype = aten_type(call, value)->dtype;
        FAIL_IF(dtype_is_float(dtype), ST_BAD, "argument 'indices': expected integers or bools");
        FAIL_IF(dtype == DT_U8, ST_UNSUPPORTED, "by a mask of uint8");
        if (dtype == DT_BOOL) TRY(places_of_bools(call, value, &value));
        else TRY(aten_cast(call, value, DT_I64, &value));
        TRY(aten_rank(call, value, &index_rank));
        if (out->count && out->axes[out->count - 1] != i - 1) out->adjoining = false;
        out->most = MAX(out->most, index_rank);
        out->axes[out->count] = i;
        out->values[out->count++] = value;
    }
    FAIL_IF(out->count == 0, ST_UNSUPPORTED, "without indices");
    return ST_OK;
}

// Rows (h, 1) and columns (w) take a grid: so does one list after the other. Which of the dims of the grid each of them
// tells, in the order of the axes; false: they are no grid.
static bool is_grid(const Call *call, const Indices *x) {
    if (x->count != x->most || !x->adjoining) return false;
    for (int i = 0; i < x->count; i++) {
        const Type *type = aten_type(call, x->values[i]);
        for (int k = 0; k < type->rank; k++)
            if (type->dim[k] != 1 && k + x->most - type->rank != i) return false;
        if (type->rank < x->most - i) return false;
    }
    return true;
}

static Status take_grid(Call *call, const Indices *x, ValueId *out) {
    ValueId in[2] = {self_of(call)};
    for (int i = 0; i < x->count; i++) {
        in[1] = x->values[i];
        if (aten_type(call, in[1])->rank != 1) TRY(aten_reshape_ints(call, in[1], (const int64_t[]){-1}, 1, &in[1]));
        TRY(aten_node(call, OP_Gather, in, 2, ATTRS(ATTR_I("axis", x->axes[i])), &in[0]));
    }
    *out = in[0];
    return ST_OK;
}

// All indices side by side in a new last dim: what GatherND and ScatterND take.
static Status join_indices(Call *call, const Indices *x, ValueId *out) {
    ValueId parts[MAX_RANK], zero, sum = x->values[0];
    for (int i = 1; i < x->count; i++) TRY(aten_two(call, OP_Add, sum, x->values[i], &sum)); // for its shape
    TRY(aten_scalar(call, DT_I64, 0, &zero));
    TRY(aten_two(call, OP_Mul, sum, zero, &zero));
    for (int i = 0; i < x->count; i++) {
        TRY(aten_two(call, OP_Add, x->values[i], zero, &parts[i]));
        TRY(aten_unsqueeze(call, parts[i], x->most, &parts[i]));
    }
    return aten_node(call, OP_Concat, parts, x->count, ATTRS(ATTR_I("axis", x->most)), out);
}

// The axes with indices first.
static int indexed_first(const Indices *x, int perm[MAX_RANK]) {
    int n = 0;
    for (int i = 0; i < x->count; i++) perm[n++] = x->axes[i];
    for (int i = 0; i < x->rank; i++) {
        bool indexed = false;
        for (int k = 0; k < x->count; k++) indexed = indexed || x->axes[k] == i;
        if (!indexed) perm[n++] = i;
    }
    return n;
}

// The dims of the indices stand in front; where the axes adjoin, they belong where those were.
static Status take_all(Call *call, const Indices *x, ValueId *out) {
    int perm[MAX_RANK], back[MAX_RANK];
    ValueId in[2], y;
    const int rank = x->rank - x->count + x->most;
    FAIL_IF(rank > MAX_RANK || x->most >= MAX_RANK, ST_UNSUPPORTED, "of %d dims", rank);
    indexed_first(x, perm);
    TRY(aten_permute(call, self_of(call), perm, &in[0]));
    TRY(join_indices(call, x, &in[1]));
    TRY(aten_node(call, OP_GatherND, in, 2, NO_ATTRS, &y));
    *out = y;
    if (!x->adjoining || x->axes[0] == 0) return ST_OK;
    for (int i = 0; i < rank; i++) {
        if (i < x->axes[0]) back[i] = x->most + i;
        else back[i] = i < x->axes[0] + x->most ? i - x->axes[0] : i;
    }
    return aten_permute(call, y, back, out);
}

Status aten_convert_index(Call *call) {
    Indices indices;
    ValueId out;
    TRY(read_indices(call, &indices));
    if (indices.count == 1)
        return aten_give_node(call, OP_Gather, (const ValueId[]){self_of(call), indices.values[0]}, 2,
                              ATTRS(ATTR_I("axis", indices.axes[0])));
    TRY(is_grid(call, &indices) ? take_grid(call, &indices, &out) : take_all(call, &indices, &out));
    return aten_give(call, out);
}

// Values to places, in a copy of self; the axes with indices come first meanwhile.
Status aten_convert_index_put(Call *call) {
    Indices x;
    int perm[MAX_RANK], inverse[MAX_RANK], n = 0;
    AtenValue dims[MAX_RANK], shape[MAX_RANK];
    ValueId in[3], y;
    bool adds;
    int rank;
    TRY(read_indices(call, &x));
    TRY(aten_arg_bool(call, "accumulate", &adds));
    FAIL_IF(x.axes[0] != 0 && x.rank - x.count > 0 && aten_type(call, aten_arg(call, "values")->value)->rank > x.most,
            ST_UNSUPPORTED, "of values with dims of their own behind a slice");
    indexed_first(&x, perm);
    TRY(aten_permute(call, self_of(call), perm, &in[0]));
    TRY(join_indices(call, &x, &in[1]));
    TRY(aten_operand(call, aten_arg(call, "values"), aten_type(call, in[0])->dtype, &in[2]));
    TRY(aten_dims(call, in[1], dims, &rank));
    for (int i = 0; i < rank - 1; i++) shape[n++] = dims[i];
    TRY(aten_dims(call, in[0], dims, &rank));
    for (int i = x.count; i < rank; i++) shape[n++] = dims[i];
    FAIL_IF(n > MAX_RANK, ST_UNSUPPORTED, "of %d dims", n);
    TRY(aten_expand(call, in[2], shape, n, &in[2]));
    TRY(aten_node(call, OP_ScatterND, in, 3, ATTRS(ATTR_S("reduction", adds ? "add" : "none")), &y));
    for (int i = 0; i < x.rank; i++) inverse[perm[i]] = i;
    TRY(aten_permute(call, y, inverse, &y));
    return aten_give(call, y);
}

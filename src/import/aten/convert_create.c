// Tensors that are made of numbers.
#include "import/aten/convert.h"
#include "import/limits.h"
#include <math.h>
#include <string.h>

enum { NUMBERS = 1 << 20, TRIANGLE = 1 << 22 }; // elements of a constant

// ---- all the same

static Status give_filled(Call *call, const AtenValue *items, int count, DType dtype, const AtenValue *value) {
    double number;
    ValueId out;
    if (value->kind == ATEN_NUMBER) {
        TRY(aten_operand(call, value, dtype, &out));
        TRY(aten_expand(call, out, items, count, &out));
        return aten_give(call, out);
    }
    FAIL_IF(!aten_known_float(call->aten, value, &number), ST_BAD, "expected a number");
    if (dtype_is_integer(dtype)) number = trunc(number);
    if (dtype == DT_BOOL) number = number != 0;
    TRY(aten_filled(call, dtype, number, items, count, &out));
    return aten_give(call, out);
}

static Status of_size(Call *call, DType otherwise, const AtenValue *value) {
    const AtenValue *items;
    DType dtype;
    int count;
    TRY(aten_arg_items(call, "size", &items, &count));
    TRY(aten_arg_dtype(call, "dtype", otherwise, &dtype));
    return give_filled(call, items, count, dtype, value);
}

static DType own_dtype(const Call *call) {
    const DType dtype = aten_type(call, call->args[0].value)->dtype;
    return dtype == DT_NONE ? DT_F32 : dtype;
}

static Status like_self(Call *call, const AtenValue *value) {
    AtenValue dims[MAX_RANK];
    DType dtype;
    int rank;
    TRY(aten_dims(call, call->args[0].value, dims, &rank));
    TRY(aten_arg_dtype(call, "dtype", own_dtype(call), &dtype));
    return give_filled(call, dims, rank, dtype, value);
}

static const AtenValue zero = {.kind = ATEN_INT, .i = 0}, one = {.kind = ATEN_INT, .i = 1};

Status aten_convert_zeros(Call *call) { return of_size(call, DT_F32, &zero); }
Status aten_convert_ones(Call *call) { return of_size(call, DT_F32, &one); }
Status aten_convert_full(Call *call) {
    const AtenValue *value = aten_arg(call, "fill_value");
    return of_size(call, aten_value_dtype(call, value), value);
}
Status aten_convert_zeros_like(Call *call) { return like_self(call, &zero); }
Status aten_convert_ones_like(Call *call) { return like_self(call, &one); }
Status aten_convert_full_like(Call *call) { return like_self(call, aten_arg(call, "fill_value")); }
Status aten_convert_new_zeros(Call *call) { return of_size(call, own_dtype(call), &zero); }
Status aten_convert_new_ones(Call *call) { return of_size(call, own_dtype(call), &one); }
Status aten_convert_new_full(Call *call) { return of_size(call, own_dtype(call), aten_arg(call, "fill_value")); }

// fill, fill_; zero_ without a value.
Status aten_convert_fill(Call *call) {
    AtenValue dims[MAX_RANK];
    int rank;
    ValueId out;
    const AtenValue *value = call->n_parameters > 1 ? &call->args[1] : &zero;
    TRY(aten_dims(call, call->args[0].value, dims, &rank));
    if (value->kind != ATEN_TENSOR) return give_filled(call, dims, rank, own_dtype(call), value);
    TRY(aten_cast(call, value->value, own_dtype(call), &out));
    TRY(aten_expand(call, out, dims, rank, &out));
    return aten_give(call, out);
}

// ---- rows of numbers

static Status range_in_graph(Call *call, const AtenValue limits[3], DType dtype) {
    ValueId in[3], out;
    for (int i = 0; i < 3; i++) TRY(aten_operand(call, &limits[i], dtype, &in[i]));
    TRY(emit_node(&call->emit, OP_Range, "", in, 3, NO_ATTRS, &out));
    return aten_give(call, out);
}

static Status count_range(double start, double end, double step, int64_t *out) {
    FAIL_IF(step == 0, ST_BAD, "argument 'step': expected another number than 0");
    const double count = ceil((end - start) / step);
    FAIL_IF(!(count >= 0), ST_BAD, "expected an end that the steps lead to");
    FAIL_IF(count > NUMBERS, ST_UNSUPPORTED, "of %.0f numbers", count);
    *out = (int64_t)count;
    return ST_OK;
}

// arange(end), (start, end), (start, end, step): integers where all three are.
Status aten_convert_arange(Call *call) {
    AtenValue limits[] = {aten_int(0), *aten_arg(call, "end"), aten_int(1)};
    double numbers[3];
    int64_t count;
    DType dtype;
    Tensor tensor;
    ValueId out;
    bool known = true;
    const bool starts = call->parameters[0].name[0] == 's', steps = call->parameters[2].name[0] == 's';
    if (starts) limits[0] = *aten_arg(call, "start");
    if (starts && steps) limits[2] = *aten_arg(call, "step");
    for (int i = 0; i < 3; i++) known = aten_known_float(call->aten, &limits[i], &numbers[i]) && known;
    TRY(aten_arg_dtype(call, "dtype", aten_result_type(call, limits, 3), &dtype));
    if (!known) return range_in_graph(call, limits, dtype);
    TRY(count_range(numbers[0], numbers[1], numbers[2], &count));
    TRY(tensor_make(&call->aten->graph->arena, dtype, shape_of(1, &count), &tensor));
    for (int64_t i = 0; i < count; i++) tensor_set(&tensor, i, numbers[0] + (double)i * numbers[2]);
    TRY(emit_tensor(&call->emit, "", &tensor, &out));
    return aten_give(call, out);
}

// From both ends to the middle, in the numbers' own type, as PyTorch does (RangeFactories.cpp).
Status aten_convert_linspace(Call *call) {
    double start, end;
    int64_t steps;
    DType dtype;
    Tensor tensor;
    ValueId out;
    TRY(aten_arg_float(call, "start", &start));
    TRY(aten_arg_float(call, "end", &end));
    TRY(aten_arg_int(call, "steps", &steps));
    TRY(aten_arg_dtype(call, "dtype", DT_F32, &dtype));
    FAIL_IF(steps < 0, ST_BAD, "argument 'steps': expected at least 0, got %lld", (long long)steps);
    FAIL_IF(steps > NUMBERS || !dtype_is_float(dtype), ST_UNSUPPORTED, "of %lld numbers of type %s", (long long)steps,
            dtype_name(dtype));
    TRY(tensor_make(&call->aten->graph->arena, dtype, shape_of(1, &steps), &tensor));
    const bool narrow = dtype != DT_F64;
    double step = steps > 1 ? (end - start) / (double)(steps - 1) : 0;
    if (narrow) step = (double)(float)(((float)end - (float)start) / (float)MAX(steps - 1, 1));
    for (int64_t i = 0; i < steps; i++)
        tensor_set(&tensor, i,
                   i < steps / 2 ? start + step * (double)i
                   : steps == 1  ? start
                                 : end - step * (double)(steps - 1 - i));
    TRY(emit_tensor(&call->emit, "", &tensor, &out));
    return aten_give(call, out);
}

Status aten_convert_scalar_tensor(Call *call) {
    DType dtype;
    ValueId out;
    TRY(aten_arg_dtype(call, "dtype", DT_F32, &dtype));
    TRY(aten_operand(call, &call->args[0], dtype, &out));
    return aten_give(call, out);
}

// ---- tensors of lists

typedef struct Listed {
    Call *call;
    Shape shape;
    const AtenValue **items; // in order
    int64_t count;
} Listed;

static Status collect(Listed *out, const AtenValue *value, int depth) {
    if (value->kind != ATEN_LIST) {
        FAIL_IF(depth != out->shape.rank || !aten_is_number(value), ST_BAD, "expected lists of numbers of one length");
        out->items[out->count++] = value;
        return ST_OK;
    }
    FAIL_IF(depth >= out->shape.rank || value->count != out->shape.dim[depth], ST_BAD,
            "expected lists of numbers of one length");
    for (int i = 0; i < value->count; i++) TRY(collect(out, &value->items[i], depth + 1)); // at most MAX_RANK deep
    return ST_OK;
}

static Status read_lists(Call *call, const AtenValue *data, Listed *out) {
    *out = (Listed){.call = call};
    for (const AtenValue *at = data; at->kind == ATEN_LIST; at = at->items) {
        FAIL_IF(out->shape.rank == MAX_RANK, ST_UNSUPPORTED, "of more than %d dims", MAX_RANK);
        out->shape.dim[out->shape.rank++] = at->count;
        if (at->count == 0) break;
    }
    const int64_t count = shape_count(&out->shape);
    FAIL_IF(count < 0 || count > LIMIT_LIST, ST_BAD, "expected at most %d numbers", LIMIT_LIST);
    out->items = arena_array(call->aten->scratch, (size_t)count + 1, sizeof *out->items);
    if (!out->items) return fail_memory((size_t)count * sizeof *out->items);
    return collect(out, data, 0);
}

static Status listed_in_graph(Listed *listed, DType dtype, ValueId *out) {
    Call *call = listed->call;
    ValueId parts[LIMIT_NODE_VALUES];
    FAIL_IF(listed->count > LIMIT_NODE_VALUES, ST_UNSUPPORTED, "of so many numbers that are known in a run only");
    for (int64_t i = 0; i < listed->count; i++) {
        TRY(aten_operand(call, listed->items[i], dtype, &parts[i]));
        TRY(aten_reshape_ints(call, parts[i], (const int64_t[]){1}, 1, &parts[i]));
    }
    TRY(aten_node(call, OP_Concat, parts, (int)listed->count, ATTRS(ATTR_I("axis", 0)), out));
    return aten_reshape_ints(call, *out, listed->shape.dim, listed->shape.rank, out);
}

// torch.tensor of a number or of lists.
Status aten_convert_tensor(Call *call) {
    Listed listed;
    Tensor tensor;
    ValueId out;
    bool known = true;
    DType dtype = DT_NONE;
    TRY(read_lists(call, aten_arg(call, "data"), &listed));
    for (int64_t i = 0; i < listed.count; i++) {
        dtype = aten_promote(dtype, aten_value_dtype(call, listed.items[i]));
        known = known && listed.items[i]->kind != ATEN_NUMBER;
    }
    TRY(aten_arg_dtype(call, "dtype", dtype == DT_NONE ? DT_F32 : dtype, &dtype));
    if (known) {
        TRY(tensor_make(&call->aten->graph->arena, dtype, listed.shape, &tensor));
        for (int64_t i = 0; i < listed.count; i++) {
            double number = 0;
            if (listed.items[i]->kind == ATEN_INT && dtype_is_integer(dtype))
                tensor_set_int(&tensor, i, listed.items[i]->i);
            else if (aten_known_float(call->aten, listed.items[i], &number))
                tensor_set(&tensor, i,
                           dtype == DT_BOOL          ? number != 0
                           : dtype_is_integer(dtype) ? trunc(number)
                                                     : number);
        }
        TRY(emit_tensor(&call->emit, "", &tensor, &out));
    } else TRY(listed_in_graph(&listed, dtype, &out));
    return aten_give(call, out);
}

// ---- triangles

// tril, triu: of each matrix what is on a diagonal and below it, or above it.
Status aten_convert_triangle(Call *call) {
    const bool upper = strstr(call->source->op, "triu") != NULL;
    ValueId x, mask, nothing;
    int64_t diagonal, rows, columns;
    Tensor kept;
    int rank;
    TRY(aten_arg_tensor(call, "self", &x));
    TRY(aten_rank(call, x, &rank));
    FAIL_IF(rank < 2, ST_BAD, "expected at least 2 dims, got %d", rank);
    TRY(aten_arg_int(call, "diagonal", &diagonal));
    TRY(aten_known_dim(call, x, rank - 2, &rows));
    TRY(aten_known_dim(call, x, rank - 1, &columns));
    FAIL_IF(rows > TRIANGLE || columns > TRIANGLE || rows * columns > TRIANGLE, ST_UNSUPPORTED, "of %lld x %lld",
            (long long)rows, (long long)columns);
    TRY(tensor_make(&call->aten->graph->arena, DT_BOOL, shape_of(2, (const int64_t[]){rows, columns}), &kept));
    diagonal = MIN(MAX(diagonal, -TRIANGLE), TRIANGLE);
    for (int64_t i = 0; i < rows; i++)
        for (int64_t k = 0; k < columns; k++)
            tensor_set_int(&kept, i * columns + k, upper ? k - i >= diagonal : k - i <= diagonal);
    TRY(emit_tensor(&call->emit, "kept", &kept, &mask));
    TRY(aten_scalar_like(call, x, 0, &nothing));
    return aten_give_node(call, OP_Where, (const ValueId[]){mask, x, nothing}, 3, NO_ATTRS);
}

// Results and arguments of a call.
#include "import/aten/convert.h"
#include "import/limits.h"
#include <string.h>

// ---- results

Status aten_give_value(Call *call, AtenValue value) {
    if (call->n_given < call->n_outs) call->outs[call->n_given] = value;
    call->n_given++;
    return ST_OK;
}

Status aten_give(Call *call, ValueId value) { return aten_give_value(call, aten_tensor(value)); }

Status aten_give_list(Call *call, const ValueId *values, int count) {
    AtenValue *items = arena_array(call->aten->scratch, (size_t)count + 1, sizeof *items);
    if (!items) return fail_memory((size_t)count * sizeof *items);
    for (int i = 0; i < count; i++) items[i] = aten_tensor(values[i]);
    return aten_give_value(call, aten_list(items, count));
}

Status aten_give_lacking(Call *call, const char *what) {
    return aten_give_value(call, (AtenValue){.kind = ATEN_MISSING, .text = what});
}

Status aten_give_node(Call *call, Op op, const ValueId *inputs, int n_inputs, const Attr *attrs, int n_attrs) {
    ValueId out;
    TRY(emit_node(&call->emit, op, "", inputs, n_inputs, attrs, n_attrs, &out));
    return aten_give(call, out);
}

Status aten_give_one(Call *call, Op op, ValueId x) { return aten_give_node(call, op, &x, 1, NO_ATTRS); }
Status aten_give_two(Call *call, Op op, ValueId a, ValueId b) {
    return aten_give_node(call, op, (const ValueId[]){a, b}, 2, NO_ATTRS);
}

// ---- tensors

bool aten_arg_is(const Call *call, const char *name, AtenKind kind) { return aten_arg(call, name)->kind == kind; }

Status aten_arg_tensor(Call *call, const char *name, ValueId *out) {
    const AtenValue *value = aten_arg(call, name);
    if (value->kind != ATEN_TENSOR) return aten_operand(call, value, aten_value_dtype(call, value), out);
    *out = value->value;
    return ST_OK;
}

Status aten_arg_optional(Call *call, const char *name, ValueId *out) {
    *out = NO_VALUE;
    return aten_arg_is(call, name, ATEN_NONE) ? ST_OK : aten_arg_tensor(call, name, out);
}

Status aten_arg_tensors(Call *call, const char *name, ValueId **out, int *count) {
    const AtenValue *list = aten_arg(call, name);
    FAIL_IF(list->count > LIMIT_NODE_VALUES, ST_BAD, "argument '%s': expected at most %d tensors, got %d", name,
            LIMIT_NODE_VALUES, list->count);
    *out = arena_array(call->aten->scratch, (size_t)list->count + 1, sizeof **out);
    if (!*out) return fail_memory((size_t)list->count * sizeof **out);
    for (int i = 0; i < list->count; i++) (*out)[i] = list->items[i].value;
    *count = list->count;
    return ST_OK;
}

// ---- numbers

Status aten_not_known(Call *call, const AtenValue *value, const char *what) {
    const Tensor *tensor = NULL;
    const char *blame = "";
    if (value && (value->kind == ATEN_NUMBER || value->kind == ATEN_TENSOR))
        TRY(known_value(&call->aten->known, call->aten->graph, value->value, &tensor, &blame));
    if (!*blame) return fail(ST_UNSUPPORTED, "its %s is not known before a run, which is not supported", what);
    return fail(ST_UNSUPPORTED,
                "its %s is not known before a run, which is not supported; it depends on input '%s': fix its shape "
                "(--input %s=1x3x256x256)",
                what, blame, blame);
}

static Status known_int(Call *call, const char *name, const AtenValue *value, int64_t *out) {
    if (aten_known_int(call->aten, value, out)) return ST_OK;
    FAIL_IF(!aten_is_number(value) || value->kind == ATEN_FLOAT, ST_BAD, "argument '%s': expected an int", name);
    return aten_not_known(call, value, name);
}

static Status known_float(Call *call, const char *name, const AtenValue *value, double *out) {
    if (aten_known_float(call->aten, value, out)) return ST_OK;
    FAIL_IF(!aten_is_number(value), ST_BAD, "argument '%s': expected a number", name);
    return aten_not_known(call, value, name);
}

Status aten_arg_int(Call *call, const char *name, int64_t *out) {
    return known_int(call, name, aten_arg(call, name), out);
}

Status aten_arg_float(Call *call, const char *name, double *out) {
    return known_float(call, name, aten_arg(call, name), out);
}

// None is false: "bool?".
Status aten_arg_bool(Call *call, const char *name, bool *out) {
    const AtenValue *value = aten_arg(call, name);
    *out = false;
    if (value->kind == ATEN_NONE || aten_known_bool(call->aten, value, out)) return ST_OK;
    return aten_not_known(call, value, name);
}

Status aten_arg_text(Call *call, const char *name, const char **out) {
    const AtenValue *value = aten_arg(call, name);
    *out = value->kind == ATEN_TEXT ? value->text : "";
    return ST_OK;
}

// ---- lists

Status aten_arg_items(Call *call, const char *name, const AtenValue **items, int *count) {
    const AtenValue *value = aten_arg(call, name);
    *items = value->kind == ATEN_LIST ? value->items : value;
    *count = value->kind == ATEN_LIST ? value->count : value->kind != ATEN_NONE;
    return ST_OK;
}

static Status items_of(Call *call, const char *name, int limit, const AtenValue **items, int *count) {
    TRY(aten_arg_items(call, name, items, count));
    FAIL_IF(*count > limit, ST_BAD, "argument '%s': expected at most %d numbers, got %d", name, limit, *count);
    return ST_OK;
}

Status aten_arg_ints(Call *call, const char *name, int limit, int64_t *values, int *count) {
    const AtenValue *items;
    TRY(items_of(call, name, limit, &items, count));
    for (int i = 0; i < *count; i++) TRY(known_int(call, name, &items[i], &values[i]));
    return ST_OK;
}

Status aten_arg_floats(Call *call, const char *name, int limit, double *values, int *count) {
    const AtenValue *items;
    TRY(items_of(call, name, limit, &items, count));
    for (int i = 0; i < *count; i++) TRY(known_float(call, name, &items[i], &values[i]));
    return ST_OK;
}

Status aten_arg_each(Call *call, const char *name, int count, int64_t *values) {
    int got;
    TRY(aten_arg_ints(call, name, MAX_RANK, values, &got));
    FAIL_IF(got != count && got != 1, ST_BAD, "argument '%s': expected %d numbers, got %d", name, count, got);
    for (int i = got; i < count; i++) values[i] = values[0];
    return ST_OK;
}

// ---- axes and types

Status aten_axis(int64_t axis, int rank, int *out) {
    const int dims = rank ? rank : 1; // of a scalar 0 and -1 are fine
    FAIL_IF(axis < -dims || axis >= dims, ST_BAD, "expected a dim from %d to %d, got %lld", -dims, dims - 1,
            (long long)axis);
    *out = (int)(axis < 0 ? axis + dims : axis);
    return ST_OK;
}

Status aten_arg_axis(Call *call, const char *name, int rank, int *out) {
    int64_t axis;
    TRY(aten_arg_int(call, name, &axis));
    const Status status = aten_axis(axis, rank, out);
    return status == ST_OK ? ST_OK : fail_context(status, "argument '%s'", name);
}

Status aten_arg_axes(Call *call, const char *name, int rank, int64_t *axes, int *count) {
    bool chosen[MAX_RANK] = {false};
    int axis;
    TRY(aten_arg_ints(call, name, MAX_RANK, axes, count));
    for (int i = 0; i < *count; i++) {
        const Status status = aten_axis(axes[i], rank, &axis);
        if (status != ST_OK) return fail_context(status, "argument '%s'", name);
        FAIL_IF(chosen[axis], ST_BAD, "argument '%s': dim %d stands twice", name, axis);
        chosen[axis] = true;
        axes[i] = axis;
    }
    return ST_OK;
}

Status aten_arg_dtype(Call *call, const char *name, DType otherwise, DType *out) {
    int64_t number;
    *out = otherwise;
    if (aten_arg_is(call, name, ATEN_NONE)) return ST_OK;
    TRY(aten_arg_int(call, name, &number));
    return aten_dtype(number, out);
}

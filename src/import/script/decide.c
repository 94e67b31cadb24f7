// What is known before a run.
#include "base/text.h"
#include "import/script/machine.h"
#include <string.h>

bool known_int(Machine *machine, const ScriptValue *value, int64_t *out) {
    const AtenValue number = aten_number(value->number);
    switch (value->kind) {
    case SCRIPT_INT: *out = value->i; return true;
    case SCRIPT_BOOL: *out = value->b; return true;
    case SCRIPT_NUMBER: return aten_known_int(machine->aten, &number, out);
    default: return false;
    }
}

bool known_truth(Machine *machine, const ScriptValue *value, bool *out) {
    const AtenValue number = aten_number(value->number);
    AtenValue tensor;
    switch (value->kind) {
    case SCRIPT_BOOL: *out = value->b; return true;
    case SCRIPT_INT: *out = value->i != 0; return true;
    case SCRIPT_FLOAT: *out = value->f != 0; return true;
    case SCRIPT_NUMBER: return aten_known_bool(machine->aten, &number, out);
    case SCRIPT_TENSOR:
        return cell_read(machine, value->cell, &tensor) == ST_OK && tensor.kind == ATEN_TENSOR &&
               aten_known_bool(machine->aten, &tensor, out);
    default: return false;
    }
}

// All that is missing is told at once, so far as the program was walked.
static Status missing_decides(Machine *machine, const char *what) {
    if (what) missing_add(&machine->aten->missing, what);
    const Status status = missing_status(&machine->aten->missing, "operators", "call",
                                         "export the model without them, or with torch.onnx.export");
    machine->told = status != ST_OK;
    return status != ST_OK ? status : fail(ST_UNSUPPORTED, "a result of an operator that is not had decides the way");
}

Status not_known(Machine *machine, const ScriptValue *value, const char *what) {
    const ScriptKind kind = value->kind;
    const char *blame = "";
    if (kind == SCRIPT_MISSING) return missing_decides(machine, value->text);
    const bool later = kind == SCRIPT_NUMBER || kind == SCRIPT_UNKNOWN || kind == SCRIPT_TENSOR;
    FAIL_IF(!later, ST_BAD, "%s: expected a number, got %s", what, script_kind_name(kind));
    if (kind == SCRIPT_NUMBER) {
        const Tensor *known;
        TRY(known_value(&machine->aten->known, machine->aten->graph, value->number, &known, &blame));
    }
    return fail(ST_UNSUPPORTED, "%s is known in a run only%s%s%s; --input fixes the sizes of inputs", what,
                *blame ? " (it depends on input '" : "", blame, *blame ? "')" : "");
}

// ---- equality

static Status items_equal(Machine *machine, const ScriptItems *a, const ScriptItems *b, int depth, bool *equal,
                          bool *known) {
    *equal = a->count == b->count;
    *known = true;
    for (int i = 0; i < a->count && *equal; i++) {
        bool one, sure;
        TRY(values_equal(machine, &a->at[i], &b->at[i], depth + 1, &one, &sure));
        if (sure && !one) {
            *equal = false;
            *known = true;
            return ST_OK;
        }
        *known &= sure;
    }
    return ST_OK;
}

static bool as_float(const ScriptValue *value, double *out) {
    *out = value->kind == SCRIPT_FLOAT ? value->f : value->kind == SCRIPT_INT ? (double)value->i : value->b;
    return value->kind == SCRIPT_FLOAT || value->kind == SCRIPT_INT || value->kind == SCRIPT_BOOL;
}

static bool is_open(const ScriptValue *value) {
    return value->kind == SCRIPT_NUMBER || value->kind == SCRIPT_UNKNOWN || value->kind == SCRIPT_MISSING ||
           value->kind == SCRIPT_TENSOR;
}

static Status numbers_equal(Machine *machine, const ScriptValue *a, const ScriptValue *b, bool *equal, bool *known) {
    int64_t i, j;
    double x, y;
    *equal = false;
    *known = true;
    if (known_int(machine, a, &i) && known_int(machine, b, &j)) {
        *equal = i == j;
    } else if (as_float(a, &x) && as_float(b, &y)) {
        *equal = x == y;
    } else {
        *known = !is_open(a) && !is_open(b);
    }
    return ST_OK;
}

Status values_equal(Machine *machine, const ScriptValue *a, const ScriptValue *b, int depth, bool *equal, bool *known) {
    TRY(machine_charge(machine, 1));
    FAIL_IF(depth > ATEN_LIST_DEPTH, ST_UNSUPPORTED, "lists nested deeper than %d are not supported", ATEN_LIST_DEPTH);
    *known = true;
    if (script_is_list(a) && script_is_list(b)) return items_equal(machine, a->items, b->items, depth, equal, known);
    if (a->kind != b->kind || is_open(a)) return numbers_equal(machine, a, b, equal, known);
    switch (a->kind) {
    case SCRIPT_NONE: *equal = true; return ST_OK;
    case SCRIPT_TEXT: *equal = strcmp(a->text, b->text) == 0; return ST_OK;
    case SCRIPT_OBJECT: *equal = a->object == b->object; return ST_OK;
    case SCRIPT_DICT:
        FAIL_IF(a->items != b->items, ST_UNSUPPORTED, "comparing dicts is not supported");
        *equal = true;
        return ST_OK;
    case SCRIPT_ENUM:
        *equal = a->constant->class == b->constant->class;
        return *equal ? values_equal(machine, &a->constant->value, &b->constant->value, depth + 1, equal, known)
                      : ST_OK;
    default: return numbers_equal(machine, a, b, equal, known);
    }
}

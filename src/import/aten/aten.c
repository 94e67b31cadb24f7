#include "import/aten/convert.h"
#include "import/bind.h"
#include <assert.h>

// ---- the whole program

Status aten_begin(Aten *aten, Imported *imported, const ImportOptions *options, Arena *scratch) {
    static const ImportOptions none;
    *aten = (Aten){.options = options ? options : &none, .imported = imported, .scratch = scratch};
    if (!imported->graph) TRY(graph_create(&imported->graph));
    aten->graph = imported->graph;
    aten->known = (Known){.resolve = aten->options->resolve, .arena = scratch};
    return ST_OK;
}

Status aten_input(Aten *aten, const char *name, const Type *type, AtenValue *out) {
    Type free = *type;
    ValueId value;
    assert(!aten->bound);
    for (int i = 0; i < free.rank; i++)
        if (free.dim[i] == DIM_UNKNOWN) TRY(import_free_dim(aten->graph, name, i, &free.dim[i]));
    TRY(graph_add_input(aten->graph, name, &free, &value));
    *out = aten_tensor(value);
    return ST_OK;
}

// The inputs are all there: what the user says of them decides what is known.
static Status bind_inputs(Aten *aten) {
    if (aten->bound) return ST_OK;
    aten->bound = true;
    return import_bind(aten->graph, aten->options);
}

Status aten_output(Aten *aten, const char *name, const AtenValue *value) {
    Emit emit = {.graph = aten->graph, .layer = name};
    ValueId out;
    TRY(bind_inputs(aten));
    if (value->kind == ATEN_MISSING) {
        if (value->text) missing_add(&aten->missing, value->text);
        return ST_OK;
    }
    if (value->kind == ATEN_TENSOR) return emit_output(&emit, name, value->value);
    FAIL_IF(!aten_is_number(value), ST_UNSUPPORTED, "output '%s': expected a tensor or a number", name);
    TRY(aten_number_value(aten, name, value, &out));
    return emit_output(&emit, name, out);
}

static Status missing(const Aten *aten) {
    const Status status =
        missing_status(&aten->missing, "operators of PyTorch", "call",
                       "replace the module that calls them, or export the model to ONNX (torch.onnx.export)");
    if (status == ST_OK || !aten->missing_place || !*aten->missing_place) return status;
    return fail_context(status, "%s", aten->missing_place);
}

Status aten_end(Aten *aten) {
    TRY(bind_inputs(aten));
    TRY(missing(aten));
    return emit_end(aten->graph);
}

// ---- one call

static Status lists_missing(Aten *aten, const AtenValue *value, int depth, bool *out) {
    if (value->kind == ATEN_MISSING) {
        if (value->text) missing_add(&aten->missing, value->text);
        *out = true;
    }
    if (value->kind != ATEN_LIST) return ST_OK;
    FAIL_IF(depth >= ATEN_LIST_DEPTH, ST_BAD, "expected lists of a depth of at most %d", ATEN_LIST_DEPTH);
    FAIL_IF(value->count < 0 || value->count > ATEN_LIST_COUNT, ST_BAD, "expected lists of at most %d values, got %d",
            ATEN_LIST_COUNT, value->count);
    for (int i = 0; i < value->count; i++) TRY(lists_missing(aten, &value->items[i], depth + 1, out));
    return ST_OK;
}

static Status asks_missing(Aten *aten, const AtenCall *call, bool *out) {
    *out = false;
    FAIL_IF(call->n_args + call->n_keywords > CALL_PARAMETERS, ST_BAD, "expected at most %d arguments, got %d",
            CALL_PARAMETERS, call->n_args + call->n_keywords);
    for (int i = 0; i < call->n_args; i++) TRY(lists_missing(aten, &call->args[i], 0, out));
    for (int i = 0; i < call->n_keywords; i++) TRY(lists_missing(aten, &call->keywords[i].value, 0, out));
    return ST_OK;
}

static Status convert(Aten *aten, const AtenCall *source, AtenValue *outs, int n_outs) {
    const Converter *row;
    bool lacks;
    Call call = {.aten = aten,
                 .source = source,
                 .emit = {.graph = aten->graph, .layer = source->name ? source->name : ""},
                 .outs = outs,
                 .n_outs = n_outs};
    TRY(bind_inputs(aten));
    TRY(asks_missing(aten, source, &lacks));
    if (lacks) return ST_OK;
    if (!aten_has(source->op)) {
        const char *name = arena_string(aten->scratch, source->op);
        if (!name) return fail_memory(64);
        if (!aten->missing.n_names && source->place) aten->missing_place = arena_string(aten->scratch, source->place);
        missing_add(&aten->missing, name);
        return ST_OK;
    }
    for (int i = 0; i < n_outs; i++) outs[i] = aten_none();
    TRY(aten_match(&call, &row));
    TRY(row->convert(&call));
    FAIL_IF(call.n_given < n_outs && call.n_given > 0, ST_BAD, "expected %d results at most, got names for %d",
            call.n_given, n_outs);
    return ST_OK;
}

Status aten_call(Aten *aten, const AtenCall *call, AtenValue *outs, int n_outs) {
    for (int i = 0; i < n_outs; i++) outs[i] = aten_missing();
    const Status status = convert(aten, call, outs, n_outs);
    if (status == ST_OK) return ST_OK;
    for (int i = 0; i < n_outs; i++) outs[i] = aten_missing();
    if (!call->place || !*call->place) return fail_context(status, "%s", call->op);
    return fail_context(status, "%s: %s", call->place, call->op);
}

// ---- values

AtenValue aten_none(void) { return (AtenValue){.kind = ATEN_NONE}; }
AtenValue aten_bool(bool value) { return (AtenValue){.kind = ATEN_BOOL, .b = value}; }
AtenValue aten_int(int64_t value) { return (AtenValue){.kind = ATEN_INT, .i = value}; }
AtenValue aten_float(double value) { return (AtenValue){.kind = ATEN_FLOAT, .f = value}; }
AtenValue aten_text(const char *text) { return (AtenValue){.kind = ATEN_TEXT, .text = text}; }
AtenValue aten_tensor(ValueId value) { return (AtenValue){.kind = ATEN_TENSOR, .value = value}; }
AtenValue aten_number(ValueId value) { return (AtenValue){.kind = ATEN_NUMBER, .value = value}; }
AtenValue aten_list(const AtenValue *items, int count) {
    return (AtenValue){.kind = ATEN_LIST, .items = items, .count = count};
}
AtenValue aten_missing(void) { return (AtenValue){.kind = ATEN_MISSING}; }

Status aten_constant(Aten *aten, const char *name, const Tensor *tensor, AtenValue *out) {
    ValueId value;
    TRY(graph_add_constant(aten->graph, name, tensor, &value));
    *out = aten_tensor(value);
    return ST_OK;
}

// ---- numbers

bool aten_is_number(const AtenValue *value) {
    return value->kind == ATEN_BOOL || value->kind == ATEN_INT || value->kind == ATEN_FLOAT ||
           value->kind == ATEN_NUMBER;
}

// The tensor of one element behind the number.
static bool known_number(Aten *aten, const AtenValue *value, const Tensor **out) {
    const char *blame;
    if (value->kind != ATEN_NUMBER && value->kind != ATEN_TENSOR) return false;
    if (known_value(&aten->known, aten->graph, value->value, out, &blame) != ST_OK) {
        error_clear();
        return false;
    }
    return *out && tensor_count(*out) == 1;
}

bool aten_known_int(Aten *aten, const AtenValue *value, int64_t *out) {
    const Tensor *tensor;
    if (value->kind == ATEN_INT) *out = value->i;
    else if (value->kind == ATEN_BOOL) *out = value->b;
    else if (!known_number(aten, value, &tensor) || dtype_is_float(tensor->dtype)) return false;
    else *out = tensor_get_int(tensor, 0);
    return true;
}

bool aten_known_float(Aten *aten, const AtenValue *value, double *out) {
    const Tensor *tensor;
    if (value->kind == ATEN_FLOAT) *out = value->f;
    else if (value->kind == ATEN_INT) *out = (double)value->i;
    else if (value->kind == ATEN_BOOL) *out = value->b;
    else if (!known_number(aten, value, &tensor)) return false;
    else *out = tensor_get(tensor, 0);
    return true;
}

bool aten_known_bool(Aten *aten, const AtenValue *value, bool *out) {
    double number;
    if (!aten_known_float(aten, value, &number)) return false;
    *out = number != 0;
    return true;
}

Status aten_number_value(Aten *aten, const char *name, const AtenValue *number, ValueId *out) {
    Emit emit = {.graph = aten->graph, .layer = name};
    Tensor tensor;
    switch (number->kind) {
    case ATEN_NUMBER: *out = number->value; return ST_OK;
    case ATEN_BOOL: return emit_scalar(&emit, "", DT_BOOL, number->b, out);
    case ATEN_FLOAT: return emit_scalar(&emit, "", DT_F64, number->f, out);
    case ATEN_INT:
        TRY(tensor_make(&aten->graph->arena, DT_I64, (Shape){0}, &tensor));
        tensor_set_int(&tensor, 0, number->i);
        return emit_tensor(&emit, "", &tensor, out);
    default: return fail(ST_BAD, "expected a number");
    }
}

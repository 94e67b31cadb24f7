// What is built in: by the name of the operator, then by what its arguments are; what nobody here has is aten's.
#include "base/text.h"
#include "import/script/machine.h"
#include <math.h>
#include <string.h>

// ---- what any value may be asked

static bool is_nothing(const ScriptValue *value) { return value->kind == SCRIPT_NONE; }

// a is b: of None, mostly. Two other values are the same where they are one.
static Status is_same(Machine *machine, const ScriptCall *call, bool *same) {
    const ScriptValue *a = &call->args[0], *b = &call->args[1];
    bool known;
    FAIL_IF(call->count != 2, ST_BAD, "expected two values to compare, got %d", call->count);
    if (a->kind == SCRIPT_MISSING || b->kind == SCRIPT_MISSING) {
        *same = false; // what an operator gives is never None
        return ST_OK;
    }
    if (is_nothing(a) || is_nothing(b) || a->kind != b->kind) {
        *same = a->kind == b->kind;
        return ST_OK;
    }
    if (a->kind == SCRIPT_TENSOR) *same = a->cell == b->cell;
    if (a->kind == SCRIPT_LIST || a->kind == SCRIPT_DICT) *same = a->items == b->items;
    if (a->kind == SCRIPT_TENSOR || a->kind == SCRIPT_LIST || a->kind == SCRIPT_DICT) return ST_OK;
    TRY(values_equal(machine, a, b, 0, same, &known));
    return known ? ST_OK : not_known(machine, a, "is");
}

static Status call_is(Machine *machine, const ScriptCall *call, ScriptValue *out, bool *done) {
    bool same = false;
    TRY(is_same(machine, call, &same));
    *out = script_bool(same);
    *done = true;
    return ST_OK;
}

static Status call_is_not(Machine *machine, const ScriptCall *call, ScriptValue *out, bool *done) {
    TRY(call_is(machine, call, out, done));
    out->b = !out->b;
    return ST_OK;
}

static Status call_not(Machine *machine, const ScriptCall *call, ScriptValue *out, bool *done) {
    bool truth;
    if (call->count != 1) return ST_OK;
    if (call->args[0].kind == SCRIPT_UNKNOWN) {
        *out = call->args[0];
    } else if (known_truth(machine, &call->args[0], &truth)) {
        *out = script_bool(!truth);
    } else {
        return ST_OK;
    }
    *done = true;
    return ST_OK;
}

// Those that change nothing that is asked here.
static Status call_nothing(Machine *machine, const ScriptCall *call, ScriptValue *out, bool *done) {
    (void)machine, (void)call;
    *out = script_none();
    *done = true;
    return ST_OK;
}

static Status call_false(Machine *machine, const ScriptCall *call, ScriptValue *out, bool *done) {
    (void)machine, (void)call;
    *out = script_bool(false);
    *done = true;
    return ST_OK;
}

static Status call_true(Machine *machine, const ScriptCall *call, ScriptValue *out, bool *done) {
    (void)machine, (void)call;
    *out = script_bool(true);
    *done = true;
    return ST_OK;
}

static Status call_zero(Machine *machine, const ScriptCall *call, ScriptValue *out, bool *done) {
    (void)machine, (void)call;
    *out = script_int(0);
    *done = true;
    return ST_OK;
}

static Status call_device(Machine *machine, const ScriptCall *call, ScriptValue *out, bool *done) {
    (void)machine, (void)call;
    *out = script_text("cpu");
    *done = true;
    return ST_OK;
}

static Status call_first(Machine *machine, const ScriptCall *call, ScriptValue *out, bool *done) {
    (void)machine;
    if (call->count == 0) return ST_OK;
    FAIL_IF(is_nothing(&call->args[0]), ST_BAD, "expected a value, got None");
    *out = call->args[0];
    *done = true;
    return ST_OK;
}

static Status call_raise(Machine *machine, const ScriptCall *call, ScriptValue *out, bool *done) {
    const char *words = call->count > 0 && call->args[0].kind == SCRIPT_TEXT ? call->args[0].text : "an error";
    (void)out, (void)done;
    return fail(machine->aten && machine->aten->options->n_inputs > 0 ? ST_USAGE : ST_UNSUPPORTED,
                "the model refuses this input: %s; give it another shape with --input", words);
}

static Status call_tuple_index(Machine *machine, const ScriptCall *call, ScriptValue *out, bool *done) {
    if (call->count != 2) return ST_OK;
    *done = true;
    return get_item(machine, &call->args[0], &call->args[1], out);
}

// (x).dim() of what is missing, of what is known in a run only: so is the result.
static bool passes_on(const ScriptCall *call, ScriptValue *out) {
    for (int i = 0; i < call->count; i++) {
        if (call->args[i].kind != SCRIPT_UNKNOWN && call->args[i].kind != SCRIPT_MISSING) continue;
        *out = call->args[i];
        return true;
    }
    return false;
}

const BuiltinRow builtin_prims[] = {{"__is__", call_is},
                                    {"__isnot__", call_is_not},
                                    {"__not__", call_not},
                                    {"_unwrap_optional", call_first},
                                    {"warn", call_nothing},
                                    {"prim::Print", call_nothing},
                                    {"prim::RaiseException", call_raise},
                                    {"prim::unchecked_unwrap_optional", call_first},
                                    {"prim::TupleIndex", call_tuple_index},
                                    {"__getitem__", call_tuple_index},
                                    {"prim::device", call_device},
                                    {"device", call_device}, // torch.device("cuda:0"): of a tensor that is made
                                    {"prim::layout", call_zero},
                                    {"prim::is_cuda", call_false},
                                    {"prim::is_cpu", call_true},
                                    {"prim::is_sparse", call_false},
                                    {"prim::is_mkldnn", call_false},
                                    {"prim::is_quantized", call_false},
                                    {"prim::is_mps", call_false},
                                    {"prim::is_xpu", call_false},
                                    {"prim::is_meta", call_false},
                                    {"prim::is_nested", call_false},
                                    {"prim::requires_grad", call_false},
                                    {"prim::grad", call_nothing},
                                    {"is_autocast_enabled", call_false},
                                    {"is_autocast_cpu_enabled", call_false},
                                    {"is_grad_enabled", call_false},
                                    {"set_grad_enabled", call_nothing},
                                    {"is_complex", call_false},
                                    {"is_quantized", call_false},
                                    {"is_scripting", call_false},
                                    {"_no_grad_uniform_", call_nothing},
                                    {NULL, NULL}};

// ---- the tables

static Builtin *find_in(const BuiltinRow *rows, const char *name) {
    for (; rows->op; rows++) {
        if (strcmp(rows->op, name) == 0) return rows->call;
    }
    return NULL;
}

static Status call_found(Machine *machine, const ScriptCall *call, ScriptValue *out, bool *done) {
    static const BuiltinRow *const tables[] = {builtin_prims, builtin_numbers, builtin_lists, builtin_texts};
    const char *name = text_starts(call->op, "aten::") ? call->op + strlen("aten::") : call->op;
    const bool tensors = call->count > 0 && call->args[0].kind == SCRIPT_TENSOR;
    const size_t n_tables = tensors ? 1 : COUNT_OF(tables);
    for (size_t i = 0; i < n_tables && !*done; i++) {
        Builtin *found = find_in(tables[i], name);
        if (found) TRY(found(machine, call, out, done));
    }
    return ST_OK;
}

Status call_builtin(Machine *machine, const ScriptCall *call, ScriptValue *out) {
    bool done = false;
    TRY(call_found(machine, call, out, &done));
    if (done) return ST_OK;
    if (passes_on(call, out) && out->kind == SCRIPT_UNKNOWN) return ST_OK;
    return call_operator(machine, call, out);
}

// Expressions, and calls in them.
#include "base/text.h"
#include "import/script/machine.h"
#include <string.h>

// ---- expressions

// Names that Python has, too.
static Status eval_word(Machine *machine, const Expr *expr, ScriptValue *out) {
    static const struct {
        const char *word;
        double value;
    } words[] = {{"inf", __builtin_inf()}, {"nan", __builtin_nan("")}};
    (void)machine;
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        if (strcmp(expr->name->text, words[i].word) != 0) continue;
        *out = script_float(words[i].value);
        return ST_OK;
    }
    return fail(ST_BAD, "expected a variable that has a value, got %s", expr->name->text);
}

static Status eval_variable(Machine *machine, const Frame *frame, const Expr *expr, ScriptValue *out) {
    if (!frame || expr->place < 0 || frame->places[expr->place].kind == SCRIPT_UNSET)
        return eval_word(machine, expr, out);
    *out = frame->places[expr->place];
    return ST_OK;
}

static Status eval_global(Machine *machine, const Expr *expr, ScriptValue *out) {
    const Definition *class;
    Name *member;
    if (text_starts(expr->name->text, "CONSTANTS.")) return object_constant(machine, expr->name, out);
    *out = (ScriptValue){.kind = SCRIPT_GLOBAL, .name = expr->name};
    if (!text_starts(expr->name->text, "__torch__.")) return ST_OK;
    TRY(program_find_enum(machine->program, expr->name, &class, &member));
    return class ? enum_member(machine, class, expr->name, member, out) : ST_OK;
}

static Status eval_items(Machine *machine, Frame *frame, const Expr *expr, ScriptKind kind, ScriptValue *out) {
    ScriptValue made;
    TRY(script_list(machine->arena, kind, expr->count, &made));
    for (int i = 0; i < expr->count; i++) TRY(eval(machine, frame, expr->items[i], &made.items->at[i]));
    *out = made;
    return ST_OK;
}

static Status eval_negate(Machine *machine, Frame *frame, const Expr *expr, ScriptValue *out) {
    ScriptValue value;
    TRY(eval(machine, frame, expr->object, &value));
    const ScriptCall call = {.op = "aten::neg", .args = &value, .count = 1};
    return call_builtin(machine, &call, out);
}

// A field of a module; x of a NamedTuple; name and value of an enum.
static Status get_attribute(Machine *machine, const ScriptValue *object, Name *name, ScriptValue *out) {
    if (object->kind == SCRIPT_OBJECT) return object_get(machine, object->object, name, out);
    const Definition *class = object->kind == SCRIPT_TUPLE ? object->items->class : NULL;
    for (int i = 0; class && i < class->n_fields && i < object->items->count; i++) {
        if (class->fields[i].name != name) continue;
        *out = object->items->at[i];
        return ST_OK;
    }
    if (object->kind == SCRIPT_ENUM && strcmp(name->text, "value") == 0) {
        *out = object->constant->value;
        return ST_OK;
    }
    if (object->kind == SCRIPT_ENUM && object->constant->name && strcmp(name->text, "name") == 0) {
        *out = script_text(object->constant->name->text);
        return ST_OK;
    }
    return fail(ST_UNSUPPORTED, "the attribute %s of %s is not supported", name->text, script_kind_name(object->kind));
}

static Status eval_attribute(Machine *machine, Frame *frame, const Expr *expr, ScriptValue *out) {
    ScriptValue object;
    TRY(eval(machine, frame, expr->object, &object));
    return get_attribute(machine, &object, expr->name, out);
}

static Status eval_index(Machine *machine, Frame *frame, const Expr *expr, ScriptValue *out) {
    ScriptValue container, key;
    FAIL_IF(expr->count != 1, ST_UNSUPPORTED, "an index of several numbers is not supported");
    TRY(eval(machine, frame, expr->object, &container));
    TRY(eval(machine, frame, expr->items[0], &key));
    return get_item(machine, &container, &key, out);
}

static Status eval_slice(Machine *machine, Frame *frame, const Expr *expr, ScriptValue *out) {
    ScriptValue container, ends[2] = {script_none(), script_none()};
    TRY(eval(machine, frame, expr->object, &container));
    for (int i = 0; i < 2; i++) {
        if (expr->items[i]) TRY(eval(machine, frame, expr->items[i], &ends[i]));
    }
    return get_slice(machine, &container, &ends[0], &ends[1], 1, out);
}

// ---- calls

static Status eval_arguments(Machine *machine, Frame *frame, const Expr *expr, ScriptValue **out) {
    TRY(machine_push(machine, expr->count, out));
    for (int i = 0; i < expr->count; i++) TRY(eval(machine, frame, expr->items[i], &(*out)[i]));
    return ST_OK;
}

static Status make_tuple(Machine *machine, const Definition *class, const ScriptValue *args, int count,
                         ScriptValue *out) {
    FAIL_IF(count != class->n_fields, ST_BAD, "expected %d values for %s, got %d", class->n_fields, class->name->text,
            count);
    TRY(script_list(machine->arena, SCRIPT_TUPLE, count, out));
    out->items->class = class;
    if (count > 0) memcpy(out->items->at, args, (size_t)count * sizeof *args);
    return ST_OK;
}

static Status call_named(Machine *machine, const Frame *frame, Name *name, const ScriptValue *args, int count,
                         ScriptValue *out) {
    const Definition *found;
    TRY(program_find(machine->program, name, &found));
    if (found->kind == DEFINITION_FUNCTION) return call_function(machine, found, frame->path, args, count, out);
    if (found->kind == DEFINITION_TUPLE) return make_tuple(machine, found, args, count, out);
    return fail(ST_UNSUPPORTED, "a call of the class %s is not supported", name->text);
}

// "torch.add" to "aten::add", "ops.prim.dtype" to "prim::dtype". In the arena.
static Status operator_name(Machine *machine, const char *global, const char **out) {
    const char *rest = strchr(global, '.'), *dot = rest ? strchr(rest + 1, '.') : NULL;
    const bool is_torch = text_starts(global, "torch.");
    FAIL_IF(!rest || (!is_torch && (!dot || !text_starts(global, "ops."))), ST_BAD, "expected an operator, got %s",
            global);
    char *name = arena_alloc(machine->arena, strlen(global) + sizeof "aten::");
    if (!name) return fail_memory(strlen(global));
    *out = name;
    if (is_torch) {
        memcpy(name, "aten::", sizeof "aten::");
        strcpy(name + strlen("aten::"), rest + 1);
        return ST_OK;
    }
    const size_t space = (size_t)(dot - rest - 1);
    memcpy(name, rest + 1, space);
    memcpy(name + space, "::", sizeof "::");
    strcpy(name + space + 2, dot + 1);
    return ST_OK;
}

static Status eval_global_call(Machine *machine, Frame *frame, const Expr *expr, ScriptValue *out) {
    Name *name = expr->object->name;
    ScriptValue *args;
    if (text_starts(name->text, "__torch__.") && text_ends(name->text, ".__new__")) {
        Name *class = name_of(&machine->program->names, name->text, strlen(name->text) - strlen(".__new__"));
        return class ? object_make(machine, class, out) : fail_memory(strlen(name->text));
    }
    TRY(eval_arguments(machine, frame, expr, &args));
    if (text_starts(name->text, "__torch__.")) return call_named(machine, frame, name, args, expr->count, out);
    if (!name->found) {
        const char *op;
        TRY(operator_name(machine, name->text, &op));
        name->found = op;
    }
    const ScriptCall call = {name->found, args, expr->count, expr->keywords, expr->n_keywords};
    return call_builtin(machine, &call, out);
}

static Status eval_method_call(Machine *machine, Frame *frame, const Expr *expr, ScriptValue *out) {
    ScriptValue object, *args;
    const Definition *class, *method;
    TRY(eval(machine, frame, expr->object->object, &object));
    FAIL_IF(object.kind != SCRIPT_OBJECT, ST_UNSUPPORTED, "the method %s of %s is not supported",
            expr->object->name->text, script_kind_name(object.kind));
    TRY(object_class(machine, object.object, &class));
    TRY(machine_charge(machine, class->n_methods / 8));
    method = class_method(class, expr->object->name);
    FAIL_IF(!method, ST_BAD, "expected the method %s in the class %s, got none", expr->object->name->text,
            class->name->text);
    TRY(machine_push(machine, expr->count + 1, &args));
    args[0] = object;
    for (int i = 0; i < expr->count; i++) TRY(eval(machine, frame, expr->items[i], &args[i + 1]));
    return call_function(machine, method, object.object->path, args, expr->count + 1, out);
}

// annotate(T, x), unchecked_cast(T, x): x. A tensor that is called a number becomes one.
static Status eval_annotated(Machine *machine, Frame *frame, const Expr *expr, ScriptValue *out) {
    static const struct {
        const char *type, *op;
    } implicit[] = {{"int", "aten::IntImplicit"}, {"float", "aten::FloatImplicit"}, {"number", "aten::ScalarImplicit"}};
    FAIL_IF(expr->count != 2, ST_BAD, "expected a type and a value, got %d arguments", expr->count);
    const Expr *type = expr->items[0];
    TRY(eval(machine, frame, expr->items[1], out));
    for (size_t i = 0; i < COUNT_OF(implicit) && out->kind == SCRIPT_TENSOR && type->kind == EXPR_VARIABLE; i++) {
        if (strcmp(type->name->text, implicit[i].type) != 0) continue;
        const ScriptValue tensor = *out;
        return call_operator(machine, &(ScriptCall){.op = implicit[i].op, .args = &tensor, .count = 1}, out);
    }
    return ST_OK;
}

static Status eval_uninitialized(Machine *machine, Frame *frame, const Expr *expr, ScriptValue *out) {
    (void)machine, (void)frame, (void)expr;
    *out = (ScriptValue){.kind = SCRIPT_UNKNOWN}; // nobody looks at it: what would make it was not walked
    return ST_OK;
}

static Status eval_getattr(Machine *machine, Frame *frame, const Expr *expr, ScriptValue *out) {
    ScriptValue object;
    FAIL_IF(expr->count != 2 || expr->items[1]->kind != EXPR_TEXT, ST_BAD, "expected getattr of a value and a text");
    TRY(eval(machine, frame, expr->items[0], &object));
    Name *name = program_word(machine->program, expr->items[1]->text);
    return name ? get_attribute(machine, &object, name, out) : fail_memory(1);
}

static Status eval_fork(Machine *machine, Frame *frame, const Expr *expr, ScriptValue *out) {
    (void)machine, (void)frame, (void)expr, (void)out;
    return fail(ST_UNSUPPORTED, "torch.jit.fork is not supported");
}

// ---- isinstance

static Status matches(Machine *machine, const ScriptValue *value, const Expr *type, int depth, bool *out);

static Status matches_any(Machine *machine, const ScriptValue *value, const Expr *types, int depth, bool *out) {
    *out = false;
    for (int i = 0; i < types->count && !*out; i++) TRY(matches(machine, value, types->items[i], depth + 1, out));
    return ST_OK;
}

static Status matches_all(Machine *machine, const ScriptItems *items, const Expr *types, int depth, bool *out) {
    *out = types->count == items->count;
    for (int i = 0; i < items->count && *out; i++)
        TRY(matches(machine, &items->at[i], types->items[i], depth + 1, out));
    return ST_OK;
}

static Status matches_parts(Machine *machine, const ScriptValue *value, const Expr *type, int depth, bool *out) {
    const char *word = type->object->kind == EXPR_VARIABLE ? type->object->name->text : "";
    *out = false;
    if (strcmp(word, "Optional") == 0 && value->kind == SCRIPT_NONE) *out = true;
    if (strcmp(word, "Optional") == 0 || strcmp(word, "Union") == 0)
        return *out ? ST_OK : matches_any(machine, value, type, depth, out);
    if (strcmp(word, "Tuple") == 0 && value->kind == SCRIPT_TUPLE)
        return matches_all(machine, value->items, type, depth, out);
    const bool list = strcmp(word, "List") == 0 && value->kind == SCRIPT_LIST;
    const bool dict = strcmp(word, "Dict") == 0 && value->kind == SCRIPT_DICT;
    if (!list && !dict) return ST_OK;
    FAIL_IF(value->items->count == 0, ST_UNSUPPORTED, "isinstance of an empty list is not supported");
    TRY(matches(machine, &value->items->at[0], type->items[0], depth + 1, out));
    if (*out && dict && type->count > 1) TRY(matches(machine, &value->items->at[1], type->items[1], depth + 1, out));
    return ST_OK;
}

static Status matches(Machine *machine, const ScriptValue *value, const Expr *type, int depth, bool *out) {
    static const struct {
        const char *word;
        ScriptKind kind;
    } kinds[] = {{"Tensor", SCRIPT_TENSOR}, {"int", SCRIPT_INT},       {"float", SCRIPT_FLOAT},
                 {"bool", SCRIPT_BOOL},     {"str", SCRIPT_TEXT},      {"list", SCRIPT_LIST},
                 {"tuple", SCRIPT_TUPLE},   {"NoneType", SCRIPT_NONE}, {"Device", SCRIPT_TEXT}};
    *out = false;
    TRY(machine_charge(machine, 1));
    FAIL_IF(depth > ATEN_LIST_DEPTH, ST_UNSUPPORTED, "types nested deeper than %d are not supported", ATEN_LIST_DEPTH);
    if (value->kind == SCRIPT_NUMBER || value->kind == SCRIPT_UNKNOWN || value->kind == SCRIPT_MISSING)
        return not_known(machine, value, "isinstance");
    if (type->kind == EXPR_TUPLE) return matches_any(machine, value, type, depth, out);
    if (type->kind == EXPR_NONE) *out = value->kind == SCRIPT_NONE;
    if (type->kind == EXPR_GLOBAL && value->kind == SCRIPT_OBJECT) *out = value->object->class == type->name;
    if (type->kind == EXPR_GLOBAL && value->kind == SCRIPT_ENUM) *out = value->constant->class == type->name;
    if (type->kind == EXPR_INDEX) return matches_parts(machine, value, type, depth, out);
    for (size_t i = 0; i < COUNT_OF(kinds) && type->kind == EXPR_VARIABLE; i++)
        *out |= strcmp(type->name->text, kinds[i].word) == 0 && value->kind == kinds[i].kind;
    return ST_OK;
}

static Status eval_isinstance(Machine *machine, Frame *frame, const Expr *expr, ScriptValue *out) {
    ScriptValue value;
    bool is;
    FAIL_IF(expr->count != 2, ST_BAD, "expected isinstance of a value and a type, got %d arguments", expr->count);
    TRY(eval(machine, frame, expr->items[0], &value));
    TRY(matches(machine, &value, expr->items[1], 0, &is));
    *out = script_bool(is);
    return ST_OK;
}

// ---- functions that are called by a plain name

typedef Status EvalCall(Machine *machine, Frame *frame, const Expr *expr, ScriptValue *out);

static Status eval_plain_call(Machine *machine, Frame *frame, const Expr *expr, ScriptValue *out) {
    static const struct {
        const char *word;
        EvalCall *eval;
        const char *op;
    } words[] = {{"annotate", eval_annotated, NULL},
                 {"unchecked_cast", eval_annotated, NULL},
                 {"uninitialized", eval_uninitialized, NULL},
                 {"getattr", eval_getattr, NULL},
                 {"isinstance", eval_isinstance, NULL},
                 {"fork", eval_fork, NULL},
                 {"int", NULL, "aten::Int"},
                 {"float", NULL, "aten::Float"},
                 {"bool", NULL, "aten::Bool"},
                 {"str", NULL, "aten::str"},
                 {"print", NULL, "prim::Print"},
                 {"sorted", NULL, "aten::sorted"},
                 {"range", NULL, "prim::rangelist"}};
    const char *name = expr->object->name->text;
    ScriptValue *args;
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        if (strcmp(name, words[i].word) != 0) continue;
        if (words[i].eval) return words[i].eval(machine, frame, expr, out);
        TRY(eval_arguments(machine, frame, expr, &args));
        const ScriptCall call = {words[i].op, args, expr->count, expr->keywords, expr->n_keywords};
        return call_builtin(machine, &call, out);
    }
    return fail(ST_BAD, "expected a function that is known, got %s", name);
}

static Status eval_call(Machine *machine, Frame *frame, const Expr *expr, ScriptValue *out) {
    const Expr *called = expr->object;
    const int used = machine->stack_used;
    ScriptValue function, *args;
    Status status;
    if (called->kind == EXPR_GLOBAL) {
        status = eval_global_call(machine, frame, expr, out);
    } else if (called->kind == EXPR_ATTRIBUTE) {
        status = eval_method_call(machine, frame, expr, out);
    } else if (called->kind == EXPR_VARIABLE &&
               (called->place < 0 || !frame || frame->places[called->place].kind == SCRIPT_UNSET)) {
        status = eval_plain_call(machine, frame, expr, out);
    } else {
        status = eval(machine, frame, called, &function);
        if (status == ST_OK && function.kind != SCRIPT_GLOBAL)
            status = fail(ST_BAD, "expected a function, got %s", script_kind_name(function.kind));
        if (status == ST_OK) status = eval_arguments(machine, frame, expr, &args);
        if (status == ST_OK) status = call_named(machine, frame, function.name, args, expr->count, out);
    }
    machine->stack_used = used;
    return status;
}

static Status eval_kind(Machine *machine, Frame *frame, const Expr *expr, ScriptValue *out) {
    switch (expr->kind) {
    case EXPR_NONE: *out = script_none(); return ST_OK;
    case EXPR_TRUE: *out = script_bool(true); return ST_OK;
    case EXPR_FALSE: *out = script_bool(false); return ST_OK;
    case EXPR_INT: *out = script_int(expr->i); return ST_OK;
    case EXPR_FLOAT: *out = script_float(expr->f); return ST_OK;
    case EXPR_TEXT: *out = script_text(expr->text); return ST_OK;
    case EXPR_VARIABLE: return eval_variable(machine, frame, expr, out);
    case EXPR_GLOBAL: return eval_global(machine, expr, out);
    case EXPR_ATTRIBUTE: return eval_attribute(machine, frame, expr, out);
    case EXPR_CALL: return eval_call(machine, frame, expr, out);
    case EXPR_INDEX: return eval_index(machine, frame, expr, out);
    case EXPR_SLICE: return eval_slice(machine, frame, expr, out);
    case EXPR_NEGATE: return eval_negate(machine, frame, expr, out);
    case EXPR_LIST: return eval_items(machine, frame, expr, SCRIPT_LIST, out);
    case EXPR_TUPLE: return eval_items(machine, frame, expr, SCRIPT_TUPLE, out);
    case EXPR_DICT: return eval_items(machine, frame, expr, SCRIPT_DICT, out);
    }
    __builtin_unreachable();
}

Status eval(Machine *machine, Frame *frame, const Expr *expr, ScriptValue *out) {
    Status status = machine_enter(machine);
    if (status != ST_OK) return status; // a walk that failed does not go on
    if (frame && expr->kind == EXPR_CALL) {
        frame->at = expr->at;
        frame->line = expr->line;
    }
    status = eval_kind(machine, frame, expr, out);
    machine->depth--;
    return status;
}

// Statements and functions.
#include "base/text.h"
#include "import/limits.h"
#include "import/script/machine.h"
#include <assert.h>
#include <string.h>

Status machine_charge(Machine *machine, int64_t steps) {
    machine->steps += steps;
    FAIL_IF(machine->steps > MACHINE_STEPS, ST_UNSUPPORTED,
            "programs of more than %d steps are not supported (a loop without an end, functions that call each other "
            "again and again)",
            MACHINE_STEPS);
    return ST_OK;
}

// The line that is walked; where it is one of PyTorch's own, the line of the network that led there.
static Status find_source(Machine *machine, const char **out) {
    enum { CALLERS = 8 };
    const Frame *frame = machine->frame;
    bool of_torch = true;
    *out = NULL;
    for (int i = 0; frame && of_torch && i < CALLERS; i++, frame = frame->caller) {
        const char *source;
        TRY(program_place(machine->program, frame->function->code, frame->at, frame->line, &source, &of_torch));
        if (!*out || !of_torch) *out = source;
    }
    return ST_OK;
}

Status machine_place(Machine *machine, const char **out) {
    const Frame *frame = machine->frame;
    const char *source;
    Text text = {0};
    *out = "outputs";
    if (!frame) return ST_OK;
    TRY(find_source(machine, &source));
    text_add(&text, *frame->path ? "%s (%s)" : "%s%s", frame->path, source);
    Status status = text_status(&text);
    *out = status == ST_OK ? arena_string(machine->arena, text_get(&text)) : NULL;
    if (status == ST_OK && !*out) status = fail_memory(text.length);
    text_free(&text);
    return status;
}

// Puts the place in front of a message that has none yet.
static Status with_place(Machine *machine, Status status) {
    const char *place;
    if (status == ST_OK || machine->told) return status;
    machine->told = true;
    char *message = mem_string(error_message());
    const Status placed = machine_place(machine, &place);
    if (placed == ST_OK && message) status = fail(status, "%s: %s", place, message);
    mem_free(message);
    return status;
}

Status machine_push(Machine *machine, int count, ScriptValue **out) {
    FAIL_IF(count > MACHINE_STACK - machine->stack_used, ST_UNSUPPORTED,
            "functions with more than %d variables, all together, are not supported", MACHINE_STACK);
    *out = machine->stack + machine->stack_used;
    machine->stack_used += count;
    memset(*out, 0, (size_t)count * sizeof **out);
    return machine_charge(machine, count / 8);
}

Status machine_enter(Machine *machine) {
    FAIL_IF(machine->depth == MACHINE_DEPTH, ST_UNSUPPORTED,
            "calls and expressions nested more than %d deep are not supported (functions that call themselves)",
            MACHINE_DEPTH);
    machine->depth++;
    return machine_charge(machine, 1);
}

// ---- statements

static Status assign(Machine *machine, Frame *frame, const Expr *target, const ScriptValue *value) {
    ScriptValue object;
    if (target->kind == EXPR_VARIABLE) {
        assert(target->place >= 0);
        frame->places[target->place] = *value;
        return ST_OK;
    }
    TRY(eval(machine, frame, target->object, &object));
    FAIL_IF(object.kind != SCRIPT_OBJECT, ST_BAD, "expected an object to set %s of, got %s", target->name->text,
            script_kind_name(object.kind));
    return object_set(machine, object.object, target->name, value);
}

static Status run_assign(Machine *machine, Frame *frame, const Statement *statement) {
    ScriptValue value;
    TRY(eval(machine, frame, statement->value, &value));
    if (!statement->unpacks) return assign(machine, frame, statement->targets[0], &value);
    if (value.kind == SCRIPT_MISSING || value.kind == SCRIPT_UNKNOWN) { // so is each part
        for (int i = 0; i < statement->n_targets; i++) TRY(assign(machine, frame, statement->targets[i], &value));
        return ST_OK;
    }
    FAIL_IF(!script_is_list(&value), ST_BAD, "expected a tuple or a list of %d values, got %s", statement->n_targets,
            script_kind_name(value.kind));
    FAIL_IF(value.items->count != statement->n_targets, ST_BAD, "expected %d values, got %d", statement->n_targets,
            value.items->count);
    for (int i = 0; i < statement->n_targets; i++)
        TRY(assign(machine, frame, statement->targets[i], &value.items->at[i]));
    return ST_OK;
}

static bool calls(const Statement *statement, const char *global) {
    const Expr *value = statement->kind == STATEMENT_EXPR ? statement->value : NULL;
    return value && value->kind == EXPR_CALL && value->object->kind == EXPR_GLOBAL &&
           strcmp(value->object->name->text, global) == 0;
}

// Stops with a message.
static bool raises(const Block *block) {
    for (int i = 0; i < block->count; i++) {
        if (calls(block->statements[i], "ops.prim.RaiseException")) return true;
    }
    return false;
}

// Warns, at most.
static bool is_idle(const Block *block) {
    for (int i = 0; i < block->count; i++) {
        const Statement *statement = block->statements[i];
        if (statement->kind != STATEMENT_PASS && !calls(statement, "torch.warn")) return false;
    }
    return true;
}

// A check of what is known in a run only: the way that does not end in a message.
static const Block *unchecked(const Statement *statement) {
    const Block *body = &statement->body, *other = &statement->other;
    if (raises(body)) return other;
    if (raises(other)) return body;
    return is_idle(body) && is_idle(other) ? other : NULL;
}

static Status run_if(Machine *machine, Frame *frame, const Statement *statement) {
    ScriptValue condition;
    bool truth;
    TRY(eval(machine, frame, statement->value, &condition));
    if (known_truth(machine, &condition, &truth))
        return run_block(machine, frame, truth ? &statement->body : &statement->other);
    const Block *block = unchecked(statement);
    return block ? run_block(machine, frame, block) : not_known(machine, &condition, "the condition of an if");
}

static Status run_while(Machine *machine, Frame *frame, const Statement *statement) {
    while (!frame->returned) {
        ScriptValue condition;
        bool truth;
        TRY(eval(machine, frame, statement->value, &condition));
        if (!known_truth(machine, &condition, &truth)) return not_known(machine, &condition, "how often a loop goes");
        if (!truth) break;
        TRY(run_block(machine, frame, &statement->body));
    }
    return ST_OK;
}

static Status run_range(Machine *machine, Frame *frame, const Statement *statement, const Expr *count) {
    ScriptValue value;
    int64_t steps;
    TRY(eval(machine, frame, count, &value));
    if (!known_int(machine, &value, &steps)) return not_known(machine, &value, "how often a loop goes");
    for (int64_t i = 0; i < steps && !frame->returned; i++) {
        const ScriptValue step = script_int(i);
        TRY(machine_charge(machine, 1));
        TRY(assign(machine, frame, statement->targets[0], &step));
        TRY(run_block(machine, frame, &statement->body));
    }
    return ST_OK;
}

static Status run_for(Machine *machine, Frame *frame, const Statement *statement) {
    const Expr *over = statement->value;
    const bool is_range = over->kind == EXPR_CALL && over->object->kind == EXPR_VARIABLE && over->count == 1 &&
                          strcmp(over->object->name->text, "range") == 0;
    if (is_range) return run_range(machine, frame, statement, over->items[0]);
    return fail(ST_UNSUPPORTED, "a loop over something else than range(n) is not supported");
}

static Status run_with(Machine *machine, Frame *frame, const Statement *statement) {
    ScriptValue object, entered, ignored;
    const ScriptValue nothing[3] = {script_none(), script_none(), script_none()};
    TRY(eval(machine, frame, statement->value, &object));
    FAIL_IF(object.kind != SCRIPT_OBJECT, ST_UNSUPPORTED, "with %s is not supported", script_kind_name(object.kind));
    TRY(machine_method(machine, object.object, "__enter__", NULL, 0, &entered));
    if (statement->n_targets > 0) TRY(assign(machine, frame, statement->targets[0], &entered));
    TRY(run_block(machine, frame, &statement->body));
    return machine_method(machine, object.object, "__exit__", nothing, 3, &ignored);
}

static Status run_return(Machine *machine, Frame *frame, const Statement *statement) {
    frame->result = script_none();
    if (statement->value) TRY(eval(machine, frame, statement->value, &frame->result));
    frame->returned = true;
    return ST_OK;
}

static Status run_statement(Machine *machine, Frame *frame, const Statement *statement) {
    ScriptValue ignored;
    frame->at = statement->at;
    frame->line = statement->line;
    switch (statement->kind) {
    case STATEMENT_PASS: return ST_OK;
    case STATEMENT_EXPR: return eval(machine, frame, statement->value, &ignored);
    case STATEMENT_ASSIGN: return run_assign(machine, frame, statement);
    case STATEMENT_IF: return run_if(machine, frame, statement);
    case STATEMENT_WHILE: return run_while(machine, frame, statement);
    case STATEMENT_FOR: return run_for(machine, frame, statement);
    case STATEMENT_WITH: return run_with(machine, frame, statement);
    case STATEMENT_RETURN: return run_return(machine, frame, statement);
    case STATEMENT_DEF: return fail(ST_UNSUPPORTED, "functions inside of functions (torch.jit.fork) are not supported");
    }
    __builtin_unreachable();
}

Status run_block(Machine *machine, Frame *frame, const Block *block) {
    TRY(machine_enter(machine));
    for (int i = 0; i < block->count && !frame->returned; i++) {
        TRY(machine_charge(machine, 1));
        const Status status = run_statement(machine, frame, block->statements[i]);
        if (status != ST_OK) return with_place(machine, status);
    }
    machine->depth--;
    return ST_OK;
}

// ---- functions

static Status fill_parameters(Machine *machine, Frame *frame, const ScriptValue *args, int count) {
    const Definition *function = frame->function;
    FAIL_IF(count > function->n_parameters, ST_BAD, "expected at most %d arguments of %s, got %d",
            function->n_parameters, function->name->text, count);
    for (int i = 0; i < function->n_parameters; i++) {
        const Expr *otherwise = function->parameters[i].otherwise;
        if (i < count) {
            frame->places[i] = args[i];
        } else {
            FAIL_IF(!otherwise, ST_BAD, "expected the argument %s of %s, got none", function->parameters[i].name->text,
                    function->name->text);
            TRY(eval(machine, NULL, otherwise, &frame->places[i]));
        }
    }
    return ST_OK;
}

static Status walk_function(Machine *machine, Frame *frame, const ScriptValue *args, int count) {
    TRY(machine_push(machine, MAX(frame->function->n_places, 1), &frame->places));
    TRY(fill_parameters(machine, frame, args, count));
    machine->frame = frame;
    return run_block(machine, frame, &frame->function->body);
}

Status call_function(Machine *machine, const Definition *function, const char *path, const ScriptValue *args, int count,
                     ScriptValue *out) {
    enum { CALL_STEPS = 8 }; // takes as long as that
    Frame frame = {.caller = machine->frame, .function = function, .path = path, .result = script_none()};
    const int used = machine->stack_used;
    TRY(machine_charge(machine, CALL_STEPS));
    TRY(walk_function(machine, &frame, args, count)); // after a failure nobody asks where the walk was
    machine->frame = frame.caller;
    machine->stack_used = used;
    *out = frame.result;
    return ST_OK;
}

Status machine_method(Machine *machine, ScriptObject *object, const char *name, const ScriptValue *args, int count,
                      ScriptValue *out) {
    const Definition *class, *method;
    ScriptValue *all;
    const int used = machine->stack_used;
    TRY(object_class(machine, object, &class));
    const Name *wanted = program_word(machine->program, name);
    if (!wanted) return fail_memory(sizeof *wanted);
    method = class_method(class, wanted);
    FAIL_IF(!method, ST_BAD, "expected the method %s in the class %s, got none", name, class->name->text);
    TRY(machine_push(machine, count + 1, &all));
    all[0] = (ScriptValue){.kind = SCRIPT_OBJECT, .object = object};
    if (count > 0) memcpy(all + 1, args, (size_t)count * sizeof *args);
    TRY(call_function(machine, method, object->path, all, count + 1, out));
    machine->stack_used = used;
    return ST_OK;
}

// ---- begin and end

Status machine_begin(Machine *machine, Program *program, Aten *aten, Imported *imported, Arena *arena) {
    *machine = (Machine){.program = program, .aten = aten, .arena = arena};
    machine->weights = (TorchTarget){.file = &program->data, .arena = &imported->graph->arena, .scratch = arena};
    machine->constants = (TorchTarget){.file = &program->constants, .arena = &imported->graph->arena, .scratch = arena};
    machine->stack = mem_zero(MACHINE_STACK, sizeof *machine->stack);
    return machine->stack ? ST_OK : fail_memory(MACHINE_STACK * sizeof *machine->stack);
}

void machine_end(Machine *machine) { mem_free(machine->stack); }

// What the file stores: modules and their attributes, read when the program asks for them. The values of a pickle form
// a graph, which may name itself; each of them becomes one object, whose attributes wait.
#include "base/text.h"
#include "import/limits.h"
#include "import/script/machine.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LOAD_DEPTH = 16 }; // lists inside each other

static const char quantised_hint[] = "export the model before it is quantised";

// ---- values that were made already

typedef struct Loaded {
    const PickleValue *key;
    ScriptValue value;
} Loaded;

static Loaded *find_loaded(Loaded *table, size_t room, const PickleValue *key) {
    size_t at = (size_t)(((uintptr_t)key >> 4) * UINT64_C(0x9e3779b97f4a7c15) >> 20) % room;
    while (table[at].key && table[at].key != key) at = (at + 1) % room;
    return &table[at];
}

static Status grow_loaded(Machine *machine) {
    const size_t room = machine->loaded_room ? 4 * machine->loaded_room : 1024;
    Loaded *table = arena_array(machine->arena, room, sizeof *table);
    if (!table) return fail_memory(room * sizeof *table);
    for (size_t i = 0; i < machine->loaded_room; i++) {
        const Loaded *old = &machine->loaded[i];
        if (old->key) *find_loaded(table, room, old->key) = *old;
    }
    machine->loaded = table;
    machine->loaded_room = room;
    return ST_OK;
}

static Status remember(Machine *machine, const PickleValue *key, const ScriptValue *value) {
    if (2 * machine->n_loaded >= machine->loaded_room) TRY(grow_loaded(machine));
    *find_loaded(machine->loaded, machine->loaded_room, key) = (Loaded){key, *value};
    machine->n_loaded++;
    return ST_OK;
}

static const ScriptValue *recall(const Machine *machine, const PickleValue *key) {
    if (machine->loaded_room == 0) return NULL;
    const Loaded *found = find_loaded(machine->loaded, machine->loaded_room, key);
    return found->key ? &found->value : NULL;
}

// ---- from the pickle

typedef struct Loading {
    TorchTarget *target;
    const char *path; // "encoder.conv1.weight"
    int depth;
} Loading;

static Status load(Machine *machine, const Loading *loading, const PickleValue *stored, ScriptValue *out);

static Status load_items(Machine *machine, const Loading *loading, const PickleValue *stored, ScriptKind kind,
                         ScriptValue *out) {
    const size_t count = kind == SCRIPT_DICT ? 2 * stored->count : stored->count;
    const Loading inner = {loading->target, loading->path, loading->depth + 1};
    FAIL_IF(count > ATEN_LIST_COUNT, ST_UNSUPPORTED, "%s: lists of more than %d values are not supported",
            loading->path, ATEN_LIST_COUNT);
    TRY(machine_charge(machine, (int64_t)count));
    TRY(script_list(machine->arena, kind, (int)count, out));
    out->items->stored = true;
    TRY(remember(machine, stored, out));
    for (size_t i = 0; i < count; i++) TRY(load(machine, &inner, stored->items[i], &out->items->at[i]));
    return ST_OK;
}

static Status load_tensor(Machine *machine, const Loading *loading, const PickleValue *stored, ScriptValue *out) {
    Tensor tensor;
    AtenValue value;
    const Status status = torch_read_tensor(loading->target, stored, &tensor);
    if (status != ST_OK) return fail_context(status, "tensor '%s'", loading->path);
    TRY(aten_constant(machine->aten, loading->path, &tensor, &value));
    TRY(tensor_cell(machine, &value, out));
    cell_store(out->cell, loading->path);
    return remember(machine, stored, out);
}

static int by_name(const void *a, const void *b) {
    const uintptr_t first = (uintptr_t)((const ScriptField *)a)->name,
                    second = (uintptr_t)((const ScriptField *)b)->name;
    return (first > second) - (first < second);
}

// The attributes in *object wait until they are asked for.
static Status read_fields(Machine *machine, const char *path, const PickleValue *dict, ScriptObject *object) {
    object->fields = arena_array(machine->arena, dict->count + 1, sizeof *object->fields);
    if (!object->fields) return fail_memory(dict->count * sizeof *object->fields);
    for (size_t i = 0; i < dict->count; i++) {
        const char *key = pickle_text(dict->items[2 * i]);
        FAIL_IF(!key, ST_BAD, "%s: expected the names of attributes, got %s", path,
                pickle_kind_name(dict->items[2 * i]));
        Name *name = program_word(machine->program, key);
        if (!name) return fail_memory(strlen(key));
        object->fields[i] = (ScriptField){.name = name, .stored = dict->items[2 * i + 1]};
    }
    object->n_fields = (int)dict->count;
    qsort(object->fields, dict->count, sizeof *object->fields, by_name);
    for (int i = 1; i < object->n_fields; i++) {
        FAIL_IF(object->fields[i].name == object->fields[i - 1].name, ST_BAD,
                "%s: expected the attribute %s once, got "
                "it twice",
                path, object->fields[i].name->text);
    }
    return ST_OK;
}

static Status load_object(Machine *machine, const Loading *loading, const PickleValue *stored, Name *class,
                          ScriptValue *out) {
    ScriptObject *object = arena_alloc(machine->arena, sizeof *object);
    if (!object) return fail_memory(sizeof *object);
    FAIL_IF(!pickle_is(stored->state, PICKLE_DICT), ST_UNSUPPORTED,
            "%s: objects of the class %s, which keep their state in a way of their own, are not supported; %s",
            loading->path, class->text, quantised_hint);
    FAIL_IF(stored->state->count > LIMIT_VALUES, ST_BAD, "%s: expected at most %d attributes, got %zu", loading->path,
            LIMIT_VALUES, stored->state->count);
    *object = (ScriptObject){.class = class, .path = loading->path, .stored = true};
    TRY(read_fields(machine, loading->path, stored->state, object));
    *out = (ScriptValue){.kind = SCRIPT_OBJECT, .object = object};
    return remember(machine, stored, out);
}

static Status load_enum(Machine *machine, const Loading *loading, const PickleValue *stored, const Name *class,
                        ScriptValue *out) {
    const Loading inner = {loading->target, loading->path, loading->depth + 1};
    ScriptEnum *made = arena_alloc(machine->arena, sizeof *made);
    if (!made) return fail_memory(sizeof *made);
    *made = (ScriptEnum){.class = class};
    TRY(load(machine, &inner, pickle_item(stored->args, 0), &made->value));
    *out = (ScriptValue){.kind = SCRIPT_ENUM, .constant = made};
    return ST_OK;
}

// "__torch__.torch.nn.modules.conv", "Conv2d" as one name.
static Status class_of(Machine *machine, const PickleValue *maker, Name **out) {
    Text text = {0};
    text_add(&text, "%s.%s", maker->module, maker->name);
    Status status = text_status(&text);
    *out = status == ST_OK ? program_word(machine->program, text_get(&text)) : NULL;
    if (status == ST_OK && !*out) status = fail_memory(text.length);
    text_free(&text);
    return status;
}

// What PyTorch puts around a list or a dict to tell its type.
static bool is_wrapped(const PickleValue *maker) {
    static const char *const names[] = {"build_intlist", "build_doublelist", "build_boollist", "build_tensorlist",
                                        "restore_type_tag"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (pickle_is_global(maker, "torch.jit._pickle", names[i])) return true;
    }
    return pickle_is_global(maker, "torch", "device");
}

static Status load_made(Machine *machine, const Loading *loading, const PickleValue *stored, ScriptValue *out) {
    const PickleValue *maker = stored->maker, *first = pickle_item(stored->args, 0), *dict = pickle_dict(stored);
    const Loading inner = {loading->target, loading->path, loading->depth + 1};
    Name *class;
    if (torch_is_tensor(stored)) return load_tensor(machine, loading, stored, out);
    if (is_wrapped(maker) && first) return load(machine, &inner, first, out);
    const bool ours = pickle_is(maker, PICKLE_GLOBAL) && text_starts(maker->module, "__torch__");
    if (!ours && dict) return load_items(machine, loading, dict, SCRIPT_DICT, out);
    FAIL_IF(!ours, ST_UNSUPPORTED, "%s: an object of %s%s%s is not supported", loading->path,
            pickle_is(maker, PICKLE_GLOBAL) ? maker->module : "", pickle_is(maker, PICKLE_GLOBAL) ? "." : "",
            pickle_is(maker, PICKLE_GLOBAL) ? maker->name : pickle_kind_name(maker));
    TRY(class_of(machine, maker, &class));
    return first && !stored->state ? load_enum(machine, loading, stored, class, out)
                                   : load_object(machine, loading, stored, class, out);
}

static Status load(Machine *machine, const Loading *loading, const PickleValue *stored, ScriptValue *out) {
    const ScriptValue *known = recall(machine, stored);
    const char *text;
    TRY(machine_charge(machine, 1));
    FAIL_IF(loading->depth > LOAD_DEPTH, ST_UNSUPPORTED, "%s: lists nested more than %d deep are not supported",
            loading->path, LOAD_DEPTH);
    if (known) {
        *out = *known;
        return ST_OK;
    }
    switch (stored->kind) {
    case PICKLE_NONE: *out = script_none(); return ST_OK;
    case PICKLE_BOOL: *out = script_bool(stored->i != 0); return ST_OK;
    case PICKLE_INT: *out = script_int(stored->i); return ST_OK;
    case PICKLE_FLOAT: *out = script_float(stored->f); return ST_OK;
    case PICKLE_LIST: return load_items(machine, loading, stored, SCRIPT_LIST, out);
    case PICKLE_TUPLE: return load_items(machine, loading, stored, SCRIPT_TUPLE, out);
    case PICKLE_DICT: return load_items(machine, loading, stored, SCRIPT_DICT, out);
    case PICKLE_OBJECT: return load_made(machine, loading, stored, out);
    case PICKLE_TEXT:
        text = pickle_text(stored);
        FAIL_IF(!text, ST_UNSUPPORTED, "%s: a text with a NUL is not supported", loading->path);
        *out = script_text(text);
        return ST_OK;
    default: return fail(ST_UNSUPPORTED, "%s: %s is not supported", loading->path, pickle_kind_name(stored));
    }
}

Status object_root(Machine *machine, ScriptObject **out) {
    const Loading loading = {&machine->weights, "", 0};
    ScriptValue root;
    TRY(load(machine, &loading, machine->program->data.root, &root));
    FAIL_IF(root.kind != SCRIPT_OBJECT, ST_BAD, "data.pkl: expected a module, got %s", script_kind_name(root.kind));
    *out = root.object;
    return ST_OK;
}

// ---- constants

Status object_constant(Machine *machine, Name *name, ScriptValue *out) {
    const PickleValue *constants = machine->program->constants.root;
    const char *number = name->text + strlen("CONSTANTS.");
    const Loading loading = {&machine->constants, name->text, 0};
    int64_t i = -1;
    const bool is_number = *number == 'c' && parse_i64(number + 1, &i) && i >= 0;
    const PickleValue *stored = is_number ? pickle_item(constants, (size_t)i) : NULL;
    FAIL_IF(!stored, ST_BAD, "expected %s in constants.pkl, got %s; the file is damaged", name->text,
            constants ? "fewer of them" : "no such file");
    return load(machine, &loading, stored, out);
}

// ---- attributes

static ScriptField *find_field(const ScriptObject *object, Name *name) {
    const ScriptField wanted = {.name = name};
    return bsearch(&wanted, object->fields, (size_t)object->n_fields, sizeof wanted, by_name);
}

Status object_class(Machine *machine, ScriptObject *object, const Definition **out) {
    if (!object->definition) TRY(program_find(machine->program, object->class, &object->definition));
    *out = object->definition;
    return ST_OK;
}

static Status path_of(Machine *machine, const ScriptObject *object, const char *name, const char **out) {
    Text text = {0};
    text_add(&text, "%s%s%s", object->path, *object->path ? "." : "", name);
    Status status = text_status(&text);
    if (status == ST_OK && text.length > LIMIT_NAME)
        status = fail(ST_BAD, "expected a module's path of at most %d bytes, got more", LIMIT_NAME);
    *out = status == ST_OK ? arena_string(machine->arena, text_get(&text)) : NULL;
    if (status == ST_OK && !*out) status = fail_memory(text.length);
    text_free(&text);
    return status;
}

static Status load_field(Machine *machine, const ScriptObject *object, ScriptField *field) {
    Loading loading = {.target = &machine->weights};
    if (field->loaded) return ST_OK;
    FAIL_IF(!field->stored, ST_BAD, "expected the attribute %s to be set, got none", field->name->text);
    TRY(path_of(machine, object, field->name->text, &loading.path));
    TRY(load(machine, &loading, field->stored, &field->value));
    field->loaded = true;
    return ST_OK;
}

// "stride : Final[...] = (1, 1)"
static Status get_final(Machine *machine, ScriptObject *object, const Name *name, ScriptValue *out) {
    const Definition *class;
    TRY(object_class(machine, object, &class));
    TRY(machine_charge(machine, class->n_fields / 8));
    for (int i = 0; i < class->n_fields; i++) {
        if (class->fields[i].name == name && class->fields[i].value)
            return eval(machine, NULL, class->fields[i].value, out);
    }
    return fail(ST_BAD, "expected the attribute %s of %s, got none", name->text, object->class->text);
}

Status object_get(Machine *machine, ScriptObject *object, Name *name, ScriptValue *out) {
    ScriptField *field = find_field(object, name);
    if (!field) return get_final(machine, object, name, out);
    TRY(load_field(machine, object, field));
    field->read = true;
    *out = field->value;
    return ST_OK;
}

// A second run begins with what the first one left: that is no matter where it is written before it is read.
Status object_set(Machine *machine, ScriptObject *object, Name *name, const ScriptValue *value) {
    ScriptField *field = find_field(object, name);
    (void)machine;
    FAIL_IF(!field, ST_BAD, "expected the attribute %s of %s, got none", name->text, object->class->text);
    FAIL_IF(object->stored && field->read && field->stored, ST_UNSUPPORTED,
            "a module that changes its attribute %s in each run is not supported", name->text);
    field->value = *value;
    field->loaded = true;
    field->stored = NULL; // what is read from now on was made in this run
    return ST_OK;
}

Status object_make(Machine *machine, Name *class, ScriptValue *out) {
    ScriptObject *object = arena_alloc(machine->arena, sizeof *object);
    const Definition *definition;
    if (!object) return fail_memory(sizeof *object);
    TRY(program_find(machine->program, class, &definition));
    *object = (ScriptObject){.class = class, .definition = definition, .path = machine->frame->path};
    object->fields = arena_array(machine->arena, (size_t)definition->n_fields + 1, sizeof *object->fields);
    if (!object->fields) return fail_memory((size_t)definition->n_fields * sizeof *object->fields);
    TRY(machine_charge(machine, definition->n_fields));
    for (int i = 0; i < definition->n_fields; i++) {
        if (!definition->fields[i].value)
            object->fields[object->n_fields++] = (ScriptField){.name = definition->fields[i].name};
    }
    qsort(object->fields, (size_t)object->n_fields, sizeof *object->fields, by_name);
    *out = (ScriptValue){.kind = SCRIPT_OBJECT, .object = object};
    return ST_OK;
}

Status object_index(Machine *machine, ScriptObject *object, const ScriptValue *key, ScriptValue *out) {
    char number[24];
    int64_t i;
    if (key->kind != SCRIPT_TEXT && !known_int(machine, key, &i))
        return not_known(machine, key, "the index of a module");
    if (key->kind != SCRIPT_TEXT) snprintf(number, sizeof number, "%lld", (long long)i);
    Name *name = program_word(machine->program, key->kind == SCRIPT_TEXT ? key->text : number);
    return name ? object_get(machine, object, name, out) : fail_memory(sizeof number);
}

// ---- enums

Status enum_member(Machine *machine, const Definition *class, const Name *qualified, const Name *member,
                   ScriptValue *out) {
    ScriptEnum *made = arena_alloc(machine->arena, sizeof *made);
    if (!made) return fail_memory(sizeof *made);
    *made = (ScriptEnum){.name = member};
    const size_t length = strlen(qualified->text) - strlen(member->text) - 1;
    made->class = name_of(&machine->program->names, qualified->text, length);
    if (!made->class) return fail_memory(length);
    for (int i = 0; i < class->n_fields; i++) {
        if (class->fields[i].name != member || !class->fields[i].value) continue;
        *out = (ScriptValue){.kind = SCRIPT_ENUM, .constant = made};
        return eval(machine, NULL, class->fields[i].value, &made->value);
    }
    return fail(ST_BAD, "expected %s in the enum %s, got none", member->text, class->name->text);
}

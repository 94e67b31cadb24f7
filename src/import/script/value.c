#include "import/script/value.h"
#include <string.h>

const char *script_kind_name(ScriptKind kind) {
    static const char *const names[] = {[SCRIPT_UNSET] = "no value",
                                        [SCRIPT_NONE] = "None",
                                        [SCRIPT_BOOL] = "a bool",
                                        [SCRIPT_INT] = "an int",
                                        [SCRIPT_FLOAT] = "a float",
                                        [SCRIPT_TEXT] = "a text",
                                        [SCRIPT_TENSOR] = "a tensor",
                                        [SCRIPT_LIST] = "a list",
                                        [SCRIPT_TUPLE] = "a tuple",
                                        [SCRIPT_DICT] = "a dict",
                                        [SCRIPT_OBJECT] = "an object",
                                        [SCRIPT_ENUM] = "an enum",
                                        [SCRIPT_GLOBAL] = "a function",
                                        [SCRIPT_MISSING] = "the result of an operator that is not had",
                                        [SCRIPT_NUMBER] = "a number that is known in a run only",
                                        [SCRIPT_UNKNOWN] = "what is known in a run only"};
    return names[kind];
}

static Status reserve(Arena *arena, ScriptItems *items, int count) {
    if (count <= items->room) return ST_OK;
    const int room = MAX(count, 2 * items->room);
    ScriptValue *at = arena_array(arena, (size_t)room, sizeof *at);
    if (!at) return fail_memory((size_t)room * sizeof *at);
    if (items->count > 0) memcpy(at, items->at, (size_t)items->count * sizeof *at);
    items->at = at;
    items->room = room;
    return ST_OK;
}

Status script_list(Arena *arena, ScriptKind kind, int count, ScriptValue *out) {
    ScriptItems *items = arena_alloc(arena, sizeof *items);
    if (!items) return fail_memory(sizeof *items);
    *items = (ScriptItems){0};
    FAIL_IF(count > ATEN_LIST_COUNT, ST_UNSUPPORTED, "lists of more than %d values are not supported", ATEN_LIST_COUNT);
    TRY(reserve(arena, items, count));
    items->count = count;
    *out = (ScriptValue){.kind = kind, .items = items};
    return ST_OK;
}

Status script_append(Arena *arena, ScriptItems *items, const ScriptValue *value) {
    const ScriptValue copy = *value; // it may be one of the items, which move
    FAIL_IF(items->count == ATEN_LIST_COUNT, ST_UNSUPPORTED, "lists of more than %d values are not supported",
            ATEN_LIST_COUNT);
    TRY(reserve(arena, items, items->count + 1));
    items->at[items->count++] = copy;
    return ST_OK;
}

// Texts: keys of dicts, and messages.
#include "base/text.h"
#include "import/limits.h"
#include "import/script/machine.h"
#include <string.h>

static bool has_texts(const ScriptCall *call, int count) {
    bool texts = call->count == count;
    for (int i = 0; i < count && texts; i++) texts = call->args[i].kind == SCRIPT_TEXT;
    return texts;
}

static Status keep(Machine *machine, Text *text, ScriptValue *out) {
    Status status = text_status(text);
    if (status == ST_OK && text->length > LIMIT_TEXT)
        status = fail(ST_UNSUPPORTED, "texts of more than %d bytes are not supported", LIMIT_TEXT);
    const char *copy = status == ST_OK ? arena_string(machine->arena, text_get(text)) : NULL;
    if (status == ST_OK && !copy) status = fail_memory(text->length);
    *out = script_text(copy);
    text_free(text);
    return status;
}

static Status print_items(Machine *machine, const ScriptValue *value, int depth, Text *text) {
    const bool dict = value->kind == SCRIPT_DICT;
    const char *brackets = dict ? "{}" : value->kind == SCRIPT_LIST ? "[]" : "()";
    text_add(text, "%c", brackets[0]);
    for (int i = 0; i < value->items->count && text->length <= LIMIT_TEXT; i++) {
        if (i > 0) text_add(text, "%s", dict && i % 2 == 1 ? ": " : ", ");
        TRY(print_value(machine, &value->items->at[i], depth + 1, text));
    }
    text_add(text, "%s%c", value->kind == SCRIPT_TUPLE && value->items->count == 1 ? "," : "", brackets[1]);
    return ST_OK;
}

Status print_value(Machine *machine, const ScriptValue *value, int depth, Text *text) {
    int64_t i;
    TRY(machine_charge(machine, 1));
    FAIL_IF(depth > ATEN_LIST_DEPTH, ST_UNSUPPORTED, "lists nested deeper than %d are not supported", ATEN_LIST_DEPTH);
    switch (value->kind) {
    case SCRIPT_NONE: text_add(text, "None"); return ST_OK;
    case SCRIPT_BOOL: text_add(text, "%s", value->b ? "True" : "False"); return ST_OK;
    case SCRIPT_FLOAT: text_double(text, value->f); return ST_OK;
    case SCRIPT_TEXT: text_add(text, depth > 0 ? "'%s'" : "%s", value->text); return ST_OK;
    case SCRIPT_LIST:
    case SCRIPT_TUPLE:
    case SCRIPT_DICT: return print_items(machine, value, depth, text);
    default: break;
    }
    if (known_int(machine, value, &i)) {
        text_add(text, "%lld", (long long)i);
    } else {
        text_add(text, "?"); // of a message: what it would say is known in a run
    }
    return ST_OK;
}

static Status format_text(Machine *machine, const ScriptCall *call, Text *text) {
    int next = 1;
    for (const char *at = call->args[0].text; *at && text->length <= LIMIT_TEXT; at++) {
        if (at[0] == '{' && at[1] == '}') {
            FAIL_IF(next == call->count, ST_BAD, "expected a value for each {} of the text, got less");
            TRY(print_value(machine, &call->args[next++], 0, text));
            at++;
        } else {
            text_bytes(text, at, 1);
        }
    }
    return ST_OK;
}

static Status call_format(Machine *machine, const ScriptCall *call, ScriptValue *out, bool *done) {
    Text text = {0};
    if (call->count == 0 || call->args[0].kind != SCRIPT_TEXT) return ST_OK;
    const Status status = format_text(machine, call, &text);
    *done = true;
    if (status == ST_OK) return keep(machine, &text, out);
    text_free(&text);
    return status;
}

static Status call_str(Machine *machine, const ScriptCall *call, ScriptValue *out, bool *done) {
    Text text = {0};
    if (call->count != 1) return ST_OK;
    const Status status = print_value(machine, &call->args[0], 0, &text);
    *done = true;
    if (status == ST_OK) return keep(machine, &text, out);
    text_free(&text);
    return status;
}

static Status call_add(Machine *machine, const ScriptCall *call, ScriptValue *out, bool *done) {
    Text text = {0};
    if (!has_texts(call, 2)) return ST_OK;
    text_add(&text, "%s%s", call->args[0].text, call->args[1].text);
    *done = true;
    return keep(machine, &text, out);
}

static Status call_join(Machine *machine, const ScriptCall *call, ScriptValue *out, bool *done) {
    Text text = {0};
    if (call->count != 2 || call->args[0].kind != SCRIPT_TEXT || !script_is_list(&call->args[1])) return ST_OK;
    const ScriptItems *items = call->args[1].items;
    Status status = machine_charge(machine, items->count);
    for (int i = 0; i < items->count && status == ST_OK && text.length <= LIMIT_TEXT; i++) {
        if (items->at[i].kind != SCRIPT_TEXT) status = fail(ST_BAD, "expected texts to join, got another value");
        if (status == ST_OK) text_add(&text, "%s%s", i > 0 ? call->args[0].text : "", items->at[i].text);
    }
    *done = true;
    if (status == ST_OK) return keep(machine, &text, out);
    text_free(&text);
    return status;
}

static Status call_ends(Machine *machine, const ScriptCall *call, ScriptValue *out, bool *done) {
    (void)machine;
    if (!has_texts(call, 2)) return ST_OK;
    *out = script_bool(text_ends(call->op, "startswith") ? text_starts(call->args[0].text, call->args[1].text)
                                                         : text_ends(call->args[0].text, call->args[1].text));
    *done = true;
    return ST_OK;
}

static Status call_case(Machine *machine, const ScriptCall *call, ScriptValue *out, bool *done) {
    if (!has_texts(call, 1)) return ST_OK;
    const bool upper = text_ends(call->op, "::upper");
    char *copy = arena_string(machine->arena, call->args[0].text);
    if (!copy) return fail_memory(strlen(call->args[0].text));
    for (char *at = copy; *at; at++) {
        if (upper && *at >= 'a' && *at <= 'z') *at = (char)(*at - 'a' + 'A');
        if (!upper && *at >= 'A' && *at <= 'Z') *at = (char)(*at - 'A' + 'a');
    }
    *out = script_text(copy);
    *done = true;
    return ST_OK;
}

const BuiltinRow builtin_texts[] = {{"format", call_format}, {"str", call_str},         {"add", call_add},
                                    {"join", call_join},     {"startswith", call_ends}, {"endswith", call_ends},
                                    {"lower", call_case},    {"upper", call_case},      {NULL, NULL}};

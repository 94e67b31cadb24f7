// Lists, tuples and dicts.
#include "base/text.h"
#include "import/script/machine.h"
#include <string.h>

static bool has_items(const ScriptCall *call, int count) {
    return call->count == count && script_is_list(&call->args[0]);
}

static bool is_dict(const ScriptCall *call) { return call->count > 0 && call->args[0].kind == SCRIPT_DICT; }

// Whoever changes a list that the file stores finds it changed in the next run.
static Status check_free(const ScriptCall *call) {
    FAIL_IF(call->args[0].items->stored, ST_UNSUPPORTED,
            "%s changes what is stored in the model, in each run: not supported", call->op);
    return ST_OK;
}

// Counted from the end where it is negative.
static Status item_index(Machine *machine, const ScriptItems *items, const ScriptValue *key, int *out) {
    int64_t i;
    if (!known_int(machine, key, &i)) return not_known(machine, key, "the index of a list");
    const int64_t at = i < 0 ? i + items->count : i;
    FAIL_IF(i < -items->count || at >= items->count, ST_BAD, "expected an index within the %d values, got %lld",
            items->count, (long long)i);
    *out = (int)at;
    return ST_OK;
}

// ---- dicts

// The place of a key; -1: none.
static Status find_key(Machine *machine, const ScriptItems *dict, const ScriptValue *key, int *out) {
    *out = -1;
    for (int i = 0; i + 1 < dict->count; i += 2) {
        bool equal, known;
        TRY(values_equal(machine, &dict->at[i], key, 0, &equal, &known));
        if (!known) return not_known(machine, key, "the key of a dict");
        if (equal) *out = i; // the last one, where a literal has it twice
    }
    return ST_OK;
}

static Status get_key(Machine *machine, const ScriptValue *dict, const ScriptValue *key, ScriptValue *out) {
    int at;
    TRY(find_key(machine, dict->items, key, &at));
    FAIL_IF(at < 0, ST_BAD, "expected a key of the dict, got another%s%s", key->kind == SCRIPT_TEXT ? ": " : "",
            key->kind == SCRIPT_TEXT ? key->text : "");
    *out = dict->items->at[at + 1];
    return ST_OK;
}

static Status set_key(Machine *machine, ScriptItems *dict, const ScriptValue *key, const ScriptValue *value) {
    int at;
    TRY(find_key(machine, dict, key, &at));
    if (at >= 0) {
        dict->at[at + 1] = *value;
        return ST_OK;
    }
    TRY(script_append(machine->arena, dict, key));
    return script_append(machine->arena, dict, value);
}

static void drop_items(ScriptItems *items, int at, int count) {
    memmove(items->at + at, items->at + at + count, (size_t)(items->count - at - count) * sizeof *items->at);
    items->count -= count;
}

// ---- items and slices

Status get_item(Machine *machine, const ScriptValue *container, const ScriptValue *key, ScriptValue *out) {
    int at;
    if (container->kind == SCRIPT_MISSING || container->kind == SCRIPT_UNKNOWN) {
        *out = *container;
        return ST_OK;
    }
    if (container->kind == SCRIPT_OBJECT) return object_index(machine, container->object, key, out);
    if (container->kind == SCRIPT_DICT) return get_key(machine, container, key, out);
    FAIL_IF(!script_is_list(container), ST_UNSUPPORTED, "an index of %s is not supported",
            script_kind_name(container->kind));
    TRY(item_index(machine, container->items, key, &at));
    *out = container->items->at[at];
    return ST_OK;
}

// One end of a slice, within low..high; left out: `otherwise`.
static Status slice_end(Machine *machine, const ScriptValue *value, int64_t count, int64_t low, int64_t high,
                        int64_t otherwise, int64_t *out) {
    *out = otherwise;
    if (value->kind == SCRIPT_NONE) return ST_OK;
    if (!known_int(machine, value, out)) return not_known(machine, value, "the range of a slice");
    if (*out < 0) *out = *out < -count ? low : *out + count;
    *out = MAX(low, MIN(*out, high));
    return ST_OK;
}

// Python's slice of `count` things: the first, and how many.
static Status slice_bounds(Machine *machine, int64_t count, const ScriptValue *begin, const ScriptValue *end,
                           int64_t step, int64_t *first, int64_t *n) {
    const int64_t low = step > 0 ? 0 : -1, high = step > 0 ? count : count - 1;
    int64_t to;
    FAIL_IF(step == 0 || step < -INT64_MAX, ST_BAD, "expected the step of a slice, got %lld", (long long)step);
    TRY(slice_end(machine, begin, count, low, high, step > 0 ? low : high, first));
    TRY(slice_end(machine, end, count, low, high, step > 0 ? high : low, &to));
    const int64_t span = step > 0 ? to - *first : *first - to;
    *n = span > 0 ? div_up(span, step > 0 ? step : -step) : 0;
    return ST_OK;
}

Status get_slice(Machine *machine, const ScriptValue *container, const ScriptValue *begin, const ScriptValue *end,
                 int64_t step, ScriptValue *out) {
    int64_t first, count;
    ScriptValue made;
    if (container->kind == SCRIPT_TEXT) {
        TRY(slice_bounds(machine, (int64_t)strlen(container->text), begin, end, step, &first, &count));
        FAIL_IF(step != 1, ST_UNSUPPORTED, "a slice of a text with a step is not supported");
        const char *text = arena_string_n(machine->arena, container->text + first, (size_t)count);
        *out = script_text(text);
        return text ? ST_OK : fail_memory((size_t)count);
    }
    FAIL_IF(!script_is_list(container), ST_UNSUPPORTED, "a slice of %s is not supported",
            script_kind_name(container->kind));
    TRY(slice_bounds(machine, container->items->count, begin, end, step, &first, &count));
    TRY(machine_charge(machine, count / 8));
    TRY(script_list(machine->arena, container->kind, (int)count, &made));
    for (int64_t i = 0; i < count; i++) made.items->at[i] = container->items->at[first + i * step];
    *out = made;
    return ST_OK;
}

static Status call_slice(Machine *machine, const ScriptCall *call, ScriptValue *out, bool *done) {
    const ScriptValue none = script_none();
    int64_t step = 1;
    const bool fits = call->count >= 1 && call->count <= 4 && call->n_keywords == 0;
    if (!fits || (!script_is_list(&call->args[0]) && call->args[0].kind != SCRIPT_TEXT)) return ST_OK;
    if (call->count > 3 && !known_int(machine, &call->args[3], &step))
        return not_known(machine, &call->args[3], "the step of a slice");
    *done = true;
    return get_slice(machine, &call->args[0], call->count > 1 ? &call->args[1] : &none,
                     call->count > 2 ? &call->args[2] : &none, step, out);
}

// ---- questions

static Status call_len(Machine *machine, const ScriptCall *call, ScriptValue *out, bool *done) {
    if (call->count != 1) return ST_OK;
    const ScriptValue *value = &call->args[0];
    *done = true;
    if (script_is_list(value)) {
        *out = script_int(value->items->count);
    } else if (value->kind == SCRIPT_DICT) {
        *out = script_int(value->items->count / 2);
    } else if (value->kind == SCRIPT_TEXT) {
        *out = script_int((int64_t)strlen(value->text));
    } else {
        *done = false;
    }
    (void)machine;
    return ST_OK;
}

Status value_in(Machine *machine, const ScriptValue *container, const ScriptValue *value, ScriptValue *out) {
    const bool dict = container->kind == SCRIPT_DICT;
    bool all_known = true;
    *out = script_bool(false);
    for (int i = 0; i < container->items->count; i += dict ? 2 : 1) {
        bool equal, known;
        TRY(values_equal(machine, &container->items->at[i], value, 0, &equal, &known));
        if (known && equal) {
            *out = script_bool(true);
            return ST_OK;
        }
        all_known &= known;
    }
    if (!all_known) *out = (ScriptValue){.kind = SCRIPT_UNKNOWN};
    return ST_OK;
}

static Status call_contains(Machine *machine, const ScriptCall *call, ScriptValue *out, bool *done) {
    if (call->count != 2) return ST_OK;
    const ScriptValue *container = &call->args[0], *value = &call->args[1];
    if (container->kind == SCRIPT_TEXT && value->kind == SCRIPT_TEXT) {
        *out = script_bool(strstr(container->text, value->text) != NULL);
        *done = true;
        return ST_OK;
    }
    if (!script_is_list(container) && container->kind != SCRIPT_DICT) return ST_OK;
    *done = true;
    return value_in(machine, container, value, out);
}

static Status call_index(Machine *machine, const ScriptCall *call, ScriptValue *out, bool *done) {
    int64_t count = 0, first = -1;
    if (!has_items(call, 2)) return ST_OK;
    for (int i = 0; i < call->args[0].items->count; i++) {
        bool equal, known;
        TRY(values_equal(machine, &call->args[0].items->at[i], &call->args[1], 0, &equal, &known));
        if (!known) return not_known(machine, &call->args[1], "what is looked for in a list");
        if (equal && first < 0) first = i;
        count += equal;
    }
    const bool counts = text_ends(call->op, "::count");
    FAIL_IF(!counts && first < 0, ST_BAD, "expected the value in the list, got none of it");
    *out = script_int(counts ? count : first);
    *done = true;
    return ST_OK;
}

// any(list), all(list), min(list), max(list), sum(list)
static Status call_reduce(Machine *machine, const ScriptCall *call, ScriptValue *out, bool *done) {
    const char *name = strstr(call->op, "::") + 2;
    if (!has_items(call, 1) || call->args[0].items->count == 0) return ST_OK;
    const ScriptItems *items = call->args[0].items;
    ScriptValue pair[2] = {items->at[0], items->at[0]};
    const char *op = strcmp(name, "any") == 0   ? "aten::__or__"
                     : strcmp(name, "all") == 0 ? "aten::__and__"
                     : strcmp(name, "min") == 0 ? "prim::min"
                     : strcmp(name, "max") == 0 ? "prim::max"
                                                : "aten::add";
    for (int i = 1; i < items->count; i++) {
        pair[1] = items->at[i];
        TRY(call_builtin(machine, &(ScriptCall){.op = op, .args = pair, .count = 2}, &pair[0]));
    }
    *out = pair[0];
    *done = true;
    return ST_OK;
}

// ---- new lists

static Status call_copy(Machine *machine, const ScriptCall *call, ScriptValue *out, bool *done) {
    const ScriptValue *from = &call->args[0];
    ScriptValue made;
    if (call->count == 0 || (!script_is_list(from) && from->kind != SCRIPT_DICT)) return ST_OK;
    TRY(machine_charge(machine, from->items->count / 8));
    TRY(script_list(machine->arena, from->kind == SCRIPT_DICT ? SCRIPT_DICT : SCRIPT_LIST, from->items->count, &made));
    if (from->items->count > 0) memcpy(made.items->at, from->items->at, (size_t)from->items->count * sizeof *from);
    *out = made;
    *done = true;
    return ST_OK;
}

// dict(), dict(a dict), dict([(key, value) ...])
static Status call_dict(Machine *machine, const ScriptCall *call, ScriptValue *out, bool *done) {
    ScriptValue made;
    if (is_dict(call)) return call_copy(machine, call, out, done);
    if (call->count > 0 && !has_items(call, 1)) return ST_OK;
    TRY(script_list(machine->arena, SCRIPT_DICT, 0, &made));
    for (int i = 0; call->count > 0 && i < call->args[0].items->count; i++) {
        const ScriptValue *pair = &call->args[0].items->at[i];
        FAIL_IF(!script_is_list(pair) || pair->items->count != 2, ST_BAD, "expected pairs of a key and a value, got %s",
                script_kind_name(pair->kind));
        TRY(set_key(machine, made.items, &pair->items->at[0], &pair->items->at[1]));
    }
    *out = made;
    *done = true;
    return ST_OK;
}

static Status call_join(Machine *machine, const ScriptCall *call, ScriptValue *out, bool *done) {
    ScriptValue made;
    if (!has_items(call, 2) || !script_is_list(&call->args[1])) return ST_OK;
    const ScriptItems *a = call->args[0].items, *b = call->args[1].items;
    TRY(machine_charge(machine, (a->count + b->count) / 8));
    TRY(script_list(machine->arena, call->args[0].kind, a->count + b->count, &made));
    if (a->count > 0) memcpy(made.items->at, a->at, (size_t)a->count * sizeof *a->at);
    if (b->count > 0) memcpy(made.items->at + a->count, b->at, (size_t)b->count * sizeof *b->at);
    *out = made;
    *done = true;
    return ST_OK;
}

static Status call_repeat(Machine *machine, const ScriptCall *call, ScriptValue *out, bool *done) {
    int64_t times;
    ScriptValue made;
    if (!has_items(call, 2)) return ST_OK;
    if (!known_int(machine, &call->args[1], &times)) return not_known(machine, &call->args[1], "the length of a list");
    const int64_t count = call->args[0].items->count;
    times = MAX(times, 0);
    FAIL_IF(count > 0 && times > ATEN_LIST_COUNT / count, ST_UNSUPPORTED,
            "lists of more than %d values are not supported", ATEN_LIST_COUNT);
    TRY(machine_charge(machine, count * times / 8));
    TRY(script_list(machine->arena, call->args[0].kind, (int)(count * times), &made));
    for (int64_t i = 0; i < count * times; i++) made.items->at[i] = call->args[0].items->at[i % count];
    *out = made;
    *done = true;
    return ST_OK;
}

// range(n), range(lo, hi), range(lo, hi, step)
static Status call_range_list(Machine *machine, const ScriptCall *call, ScriptValue *out, bool *done) {
    ScriptValue bounds[3] = {script_int(0), script_int(0), script_int(1)}, made;
    int64_t length;
    if (call->count < 1 || call->count > 3) return ST_OK;
    for (int i = 0; i < call->count; i++) bounds[call->count == 1 ? 1 : i] = call->args[i];
    const ScriptCall count = {.op = "aten::__range_length", .args = bounds, .count = 3};
    TRY(call_builtin(machine, &count, &made));
    if (!known_int(machine, &made, &length)) return not_known(machine, &made, "the length of a range");
    FAIL_IF(length > ATEN_LIST_COUNT, ST_UNSUPPORTED, "lists of more than %d values are not supported",
            ATEN_LIST_COUNT);
    TRY(script_list(machine->arena, SCRIPT_LIST, (int)length, &made));
    for (int64_t i = 0; i < length; i++) {
        const ScriptValue args[3] = {script_int(i), bounds[0], bounds[2]};
        const ScriptCall item = {.op = "aten::__derive_index", .args = args, .count = 3};
        TRY(call_builtin(machine, &item, &made.items->at[i]));
    }
    *out = made;
    *done = true;
    return ST_OK;
}

// keys(), values(), items() of a dict
static Status call_entries(Machine *machine, const ScriptCall *call, ScriptValue *out, bool *done) {
    const bool keys = text_ends(call->op, "::keys"), values = text_ends(call->op, "::values");
    ScriptValue made;
    if (!is_dict(call)) return ST_OK;
    const ScriptItems *dict = call->args[0].items;
    TRY(machine_charge(machine, dict->count));
    TRY(script_list(machine->arena, SCRIPT_LIST, dict->count / 2, &made));
    for (int i = 0; i < made.items->count; i++) {
        ScriptValue *item = &made.items->at[i];
        *item = dict->at[2 * i + (values ? 1 : 0)];
        if (keys || values) continue;
        TRY(script_list(machine->arena, SCRIPT_TUPLE, 2, item));
        memcpy(item->items->at, dict->at + 2 * i, 2 * sizeof *item);
    }
    *out = made;
    *done = true;
    return ST_OK;
}

static Status call_get(Machine *machine, const ScriptCall *call, ScriptValue *out, bool *done) {
    int at;
    if (!is_dict(call) || call->count < 2) return ST_OK;
    TRY(find_key(machine, call->args[0].items, &call->args[1], &at));
    *out = at >= 0 ? call->args[0].items->at[at + 1] : call->count > 2 ? call->args[2] : script_none();
    *done = true;
    return ST_OK;
}

static Status call_sorted(Machine *machine, const ScriptCall *call, ScriptValue *out, bool *done) {
    if (!has_items(call, 1)) return ST_OK;
    TRY(call_copy(machine, call, out, done));
    ScriptItems *items = out->items;
    for (int i = 1; i < items->count; i++) { // by insertion: lists are short
        for (int k = i; k > 0; k--) {
            ScriptValue less;
            const ScriptValue pair[2] = {items->at[k], items->at[k - 1]};
            bool swap;
            TRY(machine_charge(machine, 1));
            TRY(call_builtin(machine, &(ScriptCall){.op = "aten::lt", .args = pair, .count = 2}, &less));
            if (!known_truth(machine, &less, &swap)) return not_known(machine, &less, "the order of a list");
            if (!swap) break;
            items->at[k] = pair[1];
            items->at[k - 1] = pair[0];
        }
    }
    return ST_OK;
}

// ---- changes

static Status call_append(Machine *machine, const ScriptCall *call, ScriptValue *out, bool *done) {
    if (call->count != 2 || call->args[0].kind != SCRIPT_LIST) return ST_OK;
    TRY(check_free(call));
    *out = call->args[0];
    *done = true;
    return script_append(machine->arena, call->args[0].items, &call->args[1]);
}

static Status call_extend(Machine *machine, const ScriptCall *call, ScriptValue *out, bool *done) {
    if (call->count != 2 || call->args[0].kind != SCRIPT_LIST || !script_is_list(&call->args[1])) return ST_OK;
    TRY(check_free(call));
    const int count = call->args[1].items->count; // it may be the same list
    for (int i = 0; i < count; i++)
        TRY(script_append(machine->arena, call->args[0].items, &call->args[1].items->at[i]));
    TRY(machine_charge(machine, count / 8));
    *out = call->args[0];
    *done = true;
    return ST_OK;
}

static Status call_insert(Machine *machine, const ScriptCall *call, ScriptValue *out, bool *done) {
    int64_t at;
    if (call->count != 3 || call->args[0].kind != SCRIPT_LIST) return ST_OK;
    ScriptItems *items = call->args[0].items;
    TRY(check_free(call));
    if (!known_int(machine, &call->args[1], &at)) return not_known(machine, &call->args[1], "the index of a list");
    if (at < 0) at = MAX(at + items->count, 0);
    at = MIN(at, items->count);
    TRY(script_append(machine->arena, items, &call->args[2]));
    TRY(machine_charge(machine, items->count / 8));
    memmove(items->at + at + 1, items->at + at, (size_t)(items->count - 1 - at) * sizeof *items->at);
    items->at[at] = call->args[2];
    *out = script_none();
    *done = true;
    return ST_OK;
}

static Status call_pop(Machine *machine, const ScriptCall *call, ScriptValue *out, bool *done) {
    const ScriptValue last = script_int(-1);
    int at;
    if (call->count < 1 || (call->args[0].kind != SCRIPT_LIST && call->args[0].kind != SCRIPT_DICT)) return ST_OK;
    ScriptItems *items = call->args[0].items;
    TRY(check_free(call));
    TRY(machine_charge(machine, items->count / 8));
    *done = true;
    if (call->args[0].kind == SCRIPT_DICT) {
        FAIL_IF(call->count != 2, ST_UNSUPPORTED, "pop of a dict with a default is not supported");
        TRY(get_key(machine, &call->args[0], &call->args[1], out));
        TRY(find_key(machine, items, &call->args[1], &at));
        drop_items(items, at, 2);
        return ST_OK;
    }
    TRY(item_index(machine, items, call->count > 1 ? &call->args[1] : &last, &at));
    *out = items->at[at];
    drop_items(items, at, 1);
    return ST_OK;
}

static Status call_clear(Machine *machine, const ScriptCall *call, ScriptValue *out, bool *done) {
    (void)machine;
    if (call->count != 1 || (call->args[0].kind != SCRIPT_LIST && call->args[0].kind != SCRIPT_DICT)) return ST_OK;
    TRY(check_free(call));
    call->args[0].items->count = 0;
    *out = script_none();
    *done = true;
    return ST_OK;
}

static Status call_reverse(Machine *machine, const ScriptCall *call, ScriptValue *out, bool *done) {
    if (call->count != 1 || call->args[0].kind != SCRIPT_LIST) return ST_OK;
    ScriptItems *items = call->args[0].items;
    TRY(check_free(call));
    TRY(machine_charge(machine, items->count / 8));
    for (int i = 0; i < items->count / 2; i++) {
        const ScriptValue other = items->at[i];
        items->at[i] = items->at[items->count - 1 - i];
        items->at[items->count - 1 - i] = other;
    }
    *out = script_none();
    *done = true;
    return ST_OK;
}

static Status call_set_item(Machine *machine, const ScriptCall *call, ScriptValue *out, bool *done) {
    int at;
    if (call->count != 3) return ST_OK;
    if (call->args[0].kind != SCRIPT_LIST && call->args[0].kind != SCRIPT_DICT) return ST_OK;
    TRY(check_free(call));
    *out = call->args[0];
    *done = true;
    if (call->args[0].kind == SCRIPT_DICT) return set_key(machine, call->args[0].items, &call->args[1], &call->args[2]);
    TRY(item_index(machine, call->args[0].items, &call->args[1], &at));
    call->args[0].items->at[at] = call->args[2];
    return ST_OK;
}

static Status call_delete(Machine *machine, const ScriptCall *call, ScriptValue *out, bool *done) {
    if (call->count != 2) return ST_OK;
    TRY(call_pop(machine, call, out, done));
    *out = script_none();
    return ST_OK;
}

static Status call_update(Machine *machine, const ScriptCall *call, ScriptValue *out, bool *done) {
    if (call->count != 2 || !is_dict(call) || call->args[1].kind != SCRIPT_DICT) return ST_OK;
    TRY(check_free(call));
    const ScriptItems *from = call->args[1].items;
    for (int i = 0; i + 1 < from->count; i += 2)
        TRY(set_key(machine, call->args[0].items, &from->at[i], &from->at[i + 1]));
    *out = script_none();
    *done = true;
    return ST_OK;
}

const BuiltinRow builtin_lists[] = {{"slice", call_slice},
                                    {"len", call_len},
                                    {"prim::len", call_len},
                                    {"__contains__", call_contains},
                                    {"index", call_index},
                                    {"count", call_index},
                                    {"any", call_reduce},
                                    {"all", call_reduce},
                                    {"sum", call_reduce},
                                    {"prim::min", call_reduce},
                                    {"prim::max", call_reduce},
                                    {"list", call_copy},
                                    {"copy", call_copy},
                                    {"dict", call_dict},
                                    {"add", call_join},
                                    {"mul", call_repeat},
                                    {"prim::rangelist", call_range_list},
                                    {"keys", call_entries},
                                    {"values", call_entries},
                                    {"items", call_entries},
                                    {"get", call_get},
                                    {"sorted", call_sorted},
                                    {"append", call_append},
                                    {"extend", call_extend},
                                    {"add_", call_extend},
                                    {"insert", call_insert},
                                    {"pop", call_pop},
                                    {"clear", call_clear},
                                    {"reverse", call_reverse},
                                    {"_set_item", call_set_item},
                                    {"Delete", call_delete},
                                    {"update", call_update},
                                    {NULL, NULL}};

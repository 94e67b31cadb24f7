// What may be asked of the values of a pickle.
#include "wire/pickle.h"
#include <string.h>

static const char *const kind_names[] = {
    [PICKLE_NONE] = "None",        [PICKLE_BOOL] = "a bool",
    [PICKLE_INT] = "an integer",   [PICKLE_LONG] = "an integer of more than 64 bits",
    [PICKLE_FLOAT] = "a float",    [PICKLE_TEXT] = "a text",
    [PICKLE_BYTES] = "bytes",      [PICKLE_LIST] = "a list",
    [PICKLE_TUPLE] = "a tuple",    [PICKLE_SET] = "a set",
    [PICKLE_DICT] = "a dict",      [PICKLE_GLOBAL] = "a class or function",
    [PICKLE_OBJECT] = "an object", [PICKLE_PERSISTENT] = "a persistent id",
};

const char *pickle_kind(PickleKind kind) { return kind_names[kind]; }
const char *pickle_kind_name(const PickleValue *value) { return value ? kind_names[value->kind] : "nothing"; }

bool pickle_is(const PickleValue *value, PickleKind kind) { return value && value->kind == kind; }

const char *pickle_text(const PickleValue *value) {
    return pickle_is(value, PICKLE_TEXT) && !value->has_nul ? (const char *)value->bytes : NULL;
}

bool pickle_int(const PickleValue *value, int64_t *out) {
    if (!pickle_is(value, PICKLE_INT)) return false;
    *out = value->i;
    return true;
}

bool pickle_is_global(const PickleValue *value, const char *module, const char *name) {
    return pickle_is(value, PICKLE_GLOBAL) && strcmp(value->module, module) == 0 && strcmp(value->name, name) == 0;
}

bool pickle_is_made_by(const PickleValue *value, const char *module, const char *name) {
    return pickle_is(value, PICKLE_OBJECT) && pickle_is_global(value->maker, module, name);
}

const PickleValue *pickle_item(const PickleValue *value, size_t i) {
    const bool is_list =
        pickle_is(value, PICKLE_LIST) || pickle_is(value, PICKLE_TUPLE) || pickle_is(value, PICKLE_SET);
    return is_list && i < value->count ? value->items[i] : NULL;
}

const PickleValue *pickle_dict(const PickleValue *value) {
    if (pickle_is(value, PICKLE_DICT)) return value;
    return pickle_is(value, PICKLE_OBJECT) ? value->dict : NULL;
}

const PickleValue *pickle_get(const PickleValue *value, const char *key) {
    const PickleValue *dict = pickle_dict(value);
    for (size_t i = dict ? dict->count : 0; i > 0; i--) {
        const char *text = pickle_text(dict->items[2 * i - 2]);
        if (text && strcmp(text, key) == 0) return dict->items[2 * i - 1];
    }
    return NULL;
}

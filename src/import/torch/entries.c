#include "import/torch/entries.h"
#include "base/text.h"
#include "import/limits.h"
#include "import/torch/tensor.h"
#include <string.h>

enum {
    MAX_NESTING = 4,        // dicts around a state_dict
    MAX_MODULES_DEPTH = 64, // modules inside each other
    MAX_STEPS = 4000000,    // entries of dicts that are looked at, all together: a value may stand in many places
    MAX_KEY = 256,          // bytes of a key that may hold weights
    MAX_TOLD = 6            // keys that a message tells
};

static const char save_hint[] = "save model.state_dict() instead";

typedef struct Search {
    Arena *scratch;
    size_t steps;
    TorchEntries *out;
    size_t room; // of out->at
} Search;

static Status charge(Search *search, size_t steps) {
    search->steps += steps;
    FAIL_IF(search->steps > MAX_STEPS, ST_BAD, "expected at most %d entries of dicts, got more; the file is damaged",
            MAX_STEPS);
    return ST_OK;
}

static Status look_up(Search *search, const PickleValue *value, const char *key, const PickleValue **out) {
    const PickleValue *dict = pickle_dict(value);
    TRY(charge(search, dict ? dict->count : 0));
    *out = pickle_get(dict, key);
    return ST_OK;
}

// ---- modules

static const char *class_name(const PickleValue *object) {
    const PickleValue *maker = object->maker;
    // Before 1.6 a class comes with its source: ('module', class, file, source).
    if (pickle_is(maker, PICKLE_PERSISTENT)) maker = pickle_item(maker->id, 1);
    // Before protocol 2: copyreg._reconstructor(class, object, None).
    if (pickle_is(maker, PICKLE_GLOBAL) && strcmp(maker->name, "_reconstructor") == 0)
        maker = pickle_item(object->args, 0);
    return pickle_is(maker, PICKLE_GLOBAL) ? maker->name : "?";
}

// An object with _parameters and _modules among its attributes.
static Status is_module(Search *search, const PickleValue *value, bool *out) {
    const PickleValue *parameters = NULL, *modules = NULL;
    if (pickle_is(value, PICKLE_OBJECT)) {
        TRY(look_up(search, value->state, "_parameters", &parameters));
        TRY(look_up(search, value->state, "_modules", &modules));
    }
    *out = pickle_dict(parameters) && pickle_dict(modules);
    return ST_OK;
}

static Status add_entry(Search *search, const char *name, const PickleValue *tensor) {
    TorchEntries *out = search->out;
    FAIL_IF(out->count == LIMIT_NODES, ST_BAD, "expected at most %d tensors, got more", LIMIT_NODES);
    FAIL_IF(strlen(name) > LIMIT_NAME, ST_BAD, "expected names of at most %d bytes, got %zu", LIMIT_NAME, strlen(name));
    if (out->count == search->room) {
        search->room = MAX(search->room * 2, (size_t)64);
        TorchEntry *grown = arena_array(search->scratch, search->room, sizeof *grown);
        if (!grown) return fail_memory(search->room * sizeof *grown);
        if (out->count) memcpy(grown, out->at, out->count * sizeof *grown);
        out->at = grown;
    }
    out->at[out->count++] = (TorchEntry){name, tensor};
    return ST_OK;
}

static Status join_name(Search *search, const char *prefix, const char *name, const char *end, const char **out) {
    const size_t sizes[] = {strlen(prefix), strlen(name), strlen(end)};
    FAIL_IF(sizes[0] + sizes[1] > LIMIT_NAME, ST_BAD, "expected names of at most %d bytes, got more", LIMIT_NAME);
    char *joined = arena_alloc(search->scratch, sizes[0] + sizes[1] + sizes[2] + 1);
    if (!joined) return fail_memory(sizes[0] + sizes[1]);
    memcpy(joined, prefix, sizes[0]);
    memcpy(joined + sizes[0], name, sizes[1]);
    memcpy(joined + sizes[0] + sizes[1], end, sizes[2]);
    *out = joined;
    return ST_OK;
}

// The elements of a set, which before protocol 4 is set([...]); NULL: none.
static const PickleValue *set_elements(const PickleValue *value) {
    if (pickle_is(value, PICKLE_SET)) return value;
    if (!pickle_is_made_by(value, "__builtin__", "set") && !pickle_is_made_by(value, "builtins", "set")) return NULL;
    const PickleValue *list = pickle_item(value->args, 0);
    return pickle_is(list, PICKLE_LIST) ? list : NULL;
}

static bool is_in(const PickleValue *elements, const char *name) {
    for (size_t i = 0; elements && i < elements->count; i++) {
        const char *text = pickle_text(elements->items[i]);
        if (text && strcmp(text, name) == 0) return true;
    }
    return false;
}

// What the module itself has; `set`: names that a state_dict does not have.
static Status add_tensors(Search *search, const PickleValue *tensors, const PickleValue *set, const char *prefix) {
    const PickleValue *dict = pickle_dict(tensors), *omit = set_elements(set);
    for (size_t i = 0; dict && i < dict->count; i++) {
        const char *key = pickle_text(dict->items[2 * i]), *name;
        const PickleValue *tensor = dict->items[2 * i + 1];
        TRY(charge(search, 1 + (omit ? omit->count : 0)));
        if (!key || pickle_is(tensor, PICKLE_NONE)) continue;
        TRY(join_name(search, prefix, key, "", &name));
        if (is_in(omit, key)) continue;
        if (!torch_is_tensor(tensor)) {
            search->out->n_others++;
            continue;
        }
        TRY(add_entry(search, name, tensor));
    }
    return ST_OK;
}

static Status walk_module(Search *search, const PickleValue *module, const char *prefix, int depth);

static Status walk_children(Search *search, const PickleValue *modules, const char *prefix, int depth) {
    const PickleValue *dict = pickle_dict(modules);
    for (size_t i = 0; dict && i < dict->count; i++) {
        const char *key = pickle_text(dict->items[2 * i]), *inside;
        const PickleValue *child = dict->items[2 * i + 1];
        TRY(charge(search, 1));
        if (!key || pickle_is(child, PICKLE_NONE)) continue;
        TRY(join_name(search, prefix, key, ".", &inside));
        TRY(walk_module(search, child, inside, depth + 1));
    }
    return ST_OK;
}

// Parameters, buffers, then the modules inside: the order of state_dict().
static Status walk_module(Search *search, const PickleValue *module, const char *prefix, int depth) {
    const PickleValue *parameters, *buffers, *modules, *omit;
    bool is_right;
    FAIL_IF(depth > MAX_MODULES_DEPTH, ST_BAD, "expected at most %d modules inside each other, got more",
            MAX_MODULES_DEPTH);
    TRY(is_module(search, module, &is_right));
    FAIL_IF(!is_right, ST_UNSUPPORTED, "what is called '%s' in it is %s without parameters", prefix,
            pickle_kind_name(module));
    TRY(look_up(search, module->state, "_parameters", &parameters));
    TRY(look_up(search, module->state, "_buffers", &buffers));
    TRY(look_up(search, module->state, "_modules", &modules));
    TRY(look_up(search, module->state, "_non_persistent_buffers_set", &omit));
    TRY(add_tensors(search, parameters, NULL, prefix));
    TRY(add_tensors(search, buffers, omit, prefix));
    return walk_children(search, modules, prefix, depth);
}

static Status read_module(Search *search, const PickleValue *module) {
    const Status status = walk_module(search, module, "", 1);
    if (status == ST_OK) {
        FAIL_IF(search->out->count == 0, ST_UNSUPPORTED, "this file holds a whole module (class %s) without weights",
                class_name(module));
        return join_name(search, "a module of class ", class_name(module), "", &search->out->from);
    }
    if (status != ST_UNSUPPORTED) return status;
    return fail_context(status, "this file holds a whole module (class %s); %s", class_name(module), save_hint);
}

// ---- dicts

// Keys under which training scripts keep weights, the best first.
static const char *const usual_keys[] = {
    "state_dict",
    "model_state_dict",
    "model_state",
    "net_state_dict",
    "network_weights",
    "network_state_dict",
    "model",
    "net",
    "network",
    "weights",
    "params",
    "params_ema",
    "module",
    "generator",
    "ema_state_dict",
    "state_dict_ema",
    "model_ema",
    "ema_model",
    "ema",
};

// What a training script keeps beside them, which has tensors of its own.
static bool is_of_training(const char *key) {
    static const char *const words[] = {"optim", "sched", "scaler", "criterion", "rng"};
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        if (strstr(key, words[i])) return true;
    }
    return false;
}

static Status count_tensors(Search *search, const PickleValue *dict, size_t *out) {
    TRY(charge(search, dict->count));
    *out = 0;
    for (size_t i = 0; i < dict->count; i++) {
        *out += pickle_text(dict->items[2 * i]) && torch_is_tensor(dict->items[2 * i + 1]);
    }
    return ST_OK;
}

// The last value of each usual key, or NULL.
static Status find_usual(Search *search, const PickleValue *dict, const PickleValue **found) {
    TRY(charge(search, dict->count));
    for (size_t k = 0; k < COUNT_OF(usual_keys); k++) found[k] = NULL;
    for (size_t i = 0; i < dict->count; i++) {
        const char *key = pickle_text(dict->items[2 * i]);
        for (size_t k = 0; key && k < COUNT_OF(usual_keys); k++) {
            if (strcmp(key, usual_keys[k]) == 0) found[k] = dict->items[2 * i + 1];
        }
    }
    return ST_OK;
}

// A state_dict or a module.
typedef struct Found {
    const PickleValue *value; // NULL: none
    const char *key;          // that it has; NULL: it is the value itself
} Found;

static Status find_in(Search *search, const PickleValue *value, int depth, Found *out);

static Status find_below(Search *search, const PickleValue *child, const char *key, int depth, Found *out) {
    TRY(find_in(search, child, depth + 1, out));
    if (out->value && !out->key) out->key = key;
    return ST_OK;
}

// The one child that holds weights, whatever it is called.
static Status find_only(Search *search, const PickleValue *dict, int depth, Found *out) {
    for (size_t i = 0; i < dict->count; i++) {
        const char *key = pickle_text(dict->items[2 * i]);
        Found found;
        if (!key || dict->items[2 * i]->size > MAX_KEY || is_of_training(key)) continue;
        TRY(find_below(search, dict->items[2 * i + 1], key, depth, &found));
        FAIL_IF(found.value && out->value, ST_UNSUPPORTED,
                "this file holds several networks ('%s', '%s'); save the state_dict of one", out->key, found.key);
        if (found.value) *out = found;
    }
    return ST_OK;
}

// In the value, or below it.
static Status find_in(Search *search, const PickleValue *value, int depth, Found *out) {
    const PickleValue *dict = pickle_dict(value), *usual[COUNT_OF(usual_keys)];
    bool is_whole_module;
    size_t tensors;
    *out = (Found){NULL, NULL};
    if (depth > MAX_NESTING) return ST_OK;
    TRY(is_module(search, value, &is_whole_module));
    if (is_whole_module) *out = (Found){value, NULL};
    if (is_whole_module || !dict) return ST_OK;
    TRY(find_usual(search, dict, usual));
    for (size_t k = 0; k < COUNT_OF(usual_keys) && !out->value; k++) {
        if (usual[k]) TRY(find_below(search, usual[k], usual_keys[k], depth, out));
    }
    if (out->value) return ST_OK;
    TRY(count_tensors(search, dict, &tensors));
    if (tensors > 0) *out = (Found){value, NULL};
    return tensors > 0 ? ST_OK : find_only(search, dict, depth, out);
}

static Status read_dict(Search *search, const Found *found) {
    const PickleValue *dict = pickle_dict(found->value);
    for (size_t i = 0; i < dict->count; i++) {
        const char *name = pickle_text(dict->items[2 * i]);
        const PickleValue *value = dict->items[2 * i + 1];
        if (!name || !torch_is_tensor(value)) search->out->n_others++;
        else TRY(add_entry(search, name, value));
    }
    return found->key ? join_name(search, "'", found->key, "'", &search->out->from) : ST_OK;
}

// ---- messages

static Status no_tensors(const PickleValue *dict) {
    Text keys = {0};
    for (size_t i = 0, told = 0; i < dict->count && told < MAX_TOLD; i++) {
        const char *key = pickle_text(dict->items[2 * i]);
        if (key) text_add(&keys, "%s'%.60s'", told++ ? ", " : "", key);
    }
    const Status status =
        fail(ST_UNSUPPORTED, "expected a state_dict (names and tensors), got a dict of %zu without tensors%s%s; %s",
             dict->count, keys.length ? ": " : "", text_get(&keys), save_hint);
    text_free(&keys);
    return status;
}

static Status nothing_found(const PickleValue *root) {
    if (pickle_dict(root)) return no_tensors(pickle_dict(root));
    FAIL_IF(torch_is_tensor(root), ST_UNSUPPORTED, "expected a state_dict (names and tensors), got one tensor; %s",
            save_hint);
    FAIL_IF(pickle_is(root, PICKLE_OBJECT), ST_UNSUPPORTED, "this file holds an object of class %s; %s",
            class_name(root), save_hint);
    return fail(ST_UNSUPPORTED, "expected a state_dict (names and tensors), got %s; %s", pickle_kind_name(root),
                save_hint);
}

Status torch_entries(const PickleValue *root, Arena *scratch, TorchEntries *out) {
    Search search = {.scratch = scratch, .out = out};
    Found found;
    bool is_whole_module;
    *out = (TorchEntries){0};
    TRY(find_in(&search, root, 0, &found));
    if (!found.value) return nothing_found(root);
    TRY(is_module(&search, found.value, &is_whole_module));
    return is_whole_module ? read_module(&search, found.value) : read_dict(&search, &found);
}

#include "import/export/tree.h"
#include "base/text.h"
#include "import/export/fields.h"
#include "import/limits.h"
#include <stdio.h>
#include <string.h>

enum { MAX_DEPTH = 16 };

typedef struct Tree {
    Arena *arena;
    const Json *fields; // NULL: none
    const char **names;
    int count, found;
    bool is_keyed; // some leaf has a key
} Tree;

// "a.b" of "a" and "b".
static const char *join(Arena *arena, const char *path, const char *key) {
    Text text = {0};
    text_add(&text, "%s%s%s", path, *path ? "." : "", key);
    const char *joined = text.failed || text.length > LIMIT_NAME ? NULL : arena_string(arena, text_get(&text));
    text_free(&text);
    return joined;
}

// The keys of a dict, the fields of a named tuple; NULL: places count.
static const Json *keys_of(Tree *tree, const Json *node, size_t count) {
    const Json *type = json_get(node, "type"), *context = json_get(node, "context");
    const char *name = type && type->type == JSON_STRING ? type->string : "";
    const Json *keys = NULL;
    Json *parsed = NULL;
    if (!context || context->type != JSON_STRING) return NULL;
    const JsonPart part = {context->string, strlen(context->string), 1};
    if (text_ends(name, "namedtuple")) keys = json_get(json_get(tree->fields, context->string), "field_names");
    else if (json_parse_part(tree->arena, &part, &parsed) == ST_OK) keys = parsed;
    error_clear(); // of a class that writes other texts
    if (!keys || keys->type != JSON_ARRAY || keys->count != count) return NULL;
    for (size_t i = 0; i < count; i++) {
        if (keys->items[i].type != JSON_STRING || !*keys->items[i].string) return NULL;
    }
    return keys;
}

static Status walk(Tree *tree, const Json *node, const char *path, bool is_keyed, int depth) {
    const Json *children = json_get(node, "children_spec"), *type = json_get(node, "type");
    FAIL_IF(depth > MAX_DEPTH || !children || children->type != JSON_ARRAY, ST_BAD, "expected a tree");
    if (!type || type->type == JSON_NULL) { // a leaf
        if (tree->found < tree->count) tree->names[tree->found] = is_keyed ? path : NULL;
        tree->found++;
        tree->is_keyed |= is_keyed;
        return ST_OK;
    }
    const Json *keys = keys_of(tree, node, children->count);
    for (size_t i = 0; i < children->count; i++) {
        char place[24];
        snprintf(place, sizeof place, "%zu", i);
        const char *name = join(tree->arena, path, keys ? keys->items[i].string : place);
        FAIL_IF(!name, ST_BAD, "expected shorter names");
        TRY(walk(tree, &children->items[i], name, is_keyed || keys, depth + 1));
    }
    return ST_OK;
}

// "[1, {...}]": the version and the tree.
static bool read_tree(Tree *tree, const char *spec, const JsonPart *fields) {
    Json *json = NULL, *named = NULL;
    const JsonPart part = {spec, strlen(spec), 1};
    bool is_read = json_parse_part(tree->arena, &part, &json) == ST_OK && json->type == JSON_ARRAY && json->count == 2;
    if (fields->text && json_parse_part(tree->arena, fields, &named) == ST_OK) tree->fields = named;
    is_read = is_read && walk(tree, &json->items[1], "", false, 0) == ST_OK && tree->found == tree->count;
    error_clear(); // names are of no matter for what is computed
    return is_read;
}

Status tree_names(Arena *arena, const char *spec, const JsonPart *fields, int count, const char **names) {
    Tree tree = {.arena = arena, .names = names, .count = count};
    const bool is_read = read_tree(&tree, spec, fields);
    for (int i = 0; i < count; i++) {
        char name[24];
        if (is_read && names[i]) continue;
        if (i == 0) snprintf(name, sizeof name, "output");
        else snprintf(name, sizeof name, "output_%d", i);
        names[i] = arena_string(arena, name);
        if (!names[i]) return fail_memory(sizeof name);
    }
    return ST_OK;
}

// A saved profile, read back. It may come from anywhere.
#include "app/versus.h"
#include "base/file.h"
#include <math.h>
#include <string.h>

// A table is as wide as its widest text in every row.
enum { MOST_BYTES = 16 << 20, MOST_LAYERS = 20000, LONGEST_TEXT = 4096 };

// The value of a key; NULL where it is missing or of another type, which is recorded as the failure.
static const Json *get(const Json *object, const char *key, JsonType type) {
    static const char *const words[] = {"null", "true or false", "a number", "a text", "a list", "an object"};
    const Json *value = json_get(object, key);
    if (value && value->type == type) return value;
    fail_record(ST_BAD, "line %d: \"%s\": expected %s, got %s", value ? value->line : object->line, key, words[type],
                value ? "something else" : "nothing");
    return NULL;
}
static Status get_text(const Json *object, const char *key, const char **out) {
    const Json *value = get(object, key, JSON_STRING);
    if (!value) return ST_BAD;
    FAIL_IF(strlen(value->string) > LONGEST_TEXT, ST_BAD, "line %d: \"%s\": expected at most %d bytes, got %zu",
            value->line, key, LONGEST_TEXT, strlen(value->string));
    *out = value->string;
    return ST_OK;
}
static Status get_number(const Json *object, const char *key, double least, double most, double *out) {
    const Json *value = get(object, key, JSON_NUMBER);
    if (!value) return ST_BAD;
    FAIL_IF(!(value->number >= least && value->number <= most), ST_BAD,
            "line %d: \"%s\": expected a number from %g to %g, got %g", value->line, key, least, most, value->number);
    *out = value->number;
    return ST_OK;
}
// Missing in what the first versions wrote.
static Status get_parts(const Json *object, Arena *arena, Layer *out) {
    if (!json_get(object, "parts")) return ST_OK;
    const Json *list = get(object, "parts", JSON_ARRAY);
    if (!list) return ST_BAD;
    const char **parts = arena_array(arena, list->count + 1, sizeof *parts);
    if (!parts) return fail_memory(list->count * sizeof *parts);
    for (size_t i = 0; i < list->count; i++) {
        FAIL_IF(list->items[i].type != JSON_STRING, ST_BAD, "line %d: \"parts\": expected texts", list->items[i].line);
        parts[i] = list->items[i].string;
    }
    out->parts = parts, out->n_parts = (int)list->count;
    return ST_OK;
}
static Status get_layer(const Json *object, Arena *arena, Layer *out) {
    FAIL_IF(object->type != JSON_OBJECT, ST_BAD, "line %d: \"layers\": expected objects", object->line);
    TRY(get_text(object, "name", &out->name));
    TRY(get_text(object, "op", &out->op));
    TRY(get_text(object, "shape", &out->shape));
    TRY(get_text(object, "solver", &out->solver));
    TRY(get_text(object, "configuration", &out->configuration));
    TRY(get_text(object, "why", &out->why));
    TRY(get_number(object, "ms", 0, 1e9, &out->ms));
    const Json *fallback = get(object, "fallback", JSON_BOOL);
    if (!fallback) return ST_BAD;
    out->fallback = fallback->boolean;
    return get_parts(object, arena, out);
}
Status layer_profile_parse(const char *text, size_t length, Arena *arena, LayerProfile *out) {
    Json *json;
    const char *verb;
    double threads;
    *out = (LayerProfile){.count = 0};
    TRY(json_parse(arena, text, length, &json));
    FAIL_IF(json->type != JSON_OBJECT, ST_BAD, "line %d: expected an object", json->line);
    TRY(get_text(json, "verb", &verb));
    FAIL_IF(strcmp(verb, "profile"), ST_BAD, "line %d: \"verb\": expected \"profile\", got \"%.40s\"", json->line,
            verb);
    const Json *machine = get(json, "machine", JSON_OBJECT);
    if (!machine) return ST_BAD;
    TRY(get_text(json, "stent", &out->stent));
    TRY(get_text(json, "precision", &out->precision));
    TRY(get_text(machine, "isa", &out->isa));
    TRY(get_text(machine, "cpu", &out->cpu));
    TRY(get_number(machine, "threads", 1, 1e6, &threads));
    TRY(get_number(json, "sum_ms", 0, 1e9, &out->sum_ms));
    TRY(get_number(json, "whole_ms", 0, 1e9, &out->whole_ms));
    const Json *layers = get(json, "layers", JSON_ARRAY);
    if (!layers) return ST_BAD;
    FAIL_IF(layers->count > MOST_LAYERS, ST_BAD, "line %d: expected at most %d layers, got %zu", layers->line,
            MOST_LAYERS, layers->count);
    out->threads = (int)threads;
    out->layers = arena_array(arena, layers->count + 1, sizeof *out->layers);
    if (!out->layers) return fail_memory(layers->count * sizeof *out->layers);
    for (; out->count < (int)layers->count; out->count++)
        TRY(get_layer(&layers->items[out->count], arena, &out->layers[out->count]));
    return ST_OK;
}
Status layer_profile_read(const char *path, Arena *arena, LayerProfile *out) {
    uint8_t *bytes;
    size_t size;
    TRY(file_read(path, MOST_BYTES, &bytes, &size));
    Status status = bytes[0] == '{' ? layer_profile_parse((const char *)bytes, size, arena, out)
                                    : fail(ST_BAD, "expected a package or what stent profile --json prints");
    mem_free(bytes);
    out->name = path_name(path);
    return status == ST_OK ? ST_OK : fail_context(status, "%s", path);
}

#include "import/export/scope.h"
#include "import/export/fields.h"
#include "import/export/types.h"
#include "import/limits.h"
#include <math.h>
#include <string.h>

Status scope_define(Scope *scope, const char *name, AtenValue value) {
    FAIL_IF(scope->count >= LIMIT_VALUES, ST_BAD, "expected at most %d values, got more", LIMIT_VALUES);
    if (scope->count == scope->capacity) {
        const int larger = MAX(2 * scope->capacity, 256);
        AtenValue *values = arena_array(scope->arena, (size_t)larger, sizeof *values);
        if (!values) return fail_memory((size_t)larger * sizeof *values);
        if (scope->count > 0) memcpy(values, scope->values, (size_t)scope->count * sizeof *values);
        scope->values = values;
        scope->capacity = larger;
    }
    const char *copy = arena_string(scope->arena, name);
    if (!copy) return fail_memory(strlen(name));
    TRY(name_add(&scope->names, scope->arena, copy, scope->count));
    scope->values[scope->count++] = value;
    return ST_OK;
}

Status scope_value(const Scope *scope, const char *name, AtenValue *out) {
    const int32_t at = name_find(&scope->names, name);
    FAIL_IF(at < 0, ST_BAD, "expected a value that stands above, got '%.200s'", name);
    *out = scope->values[at];
    return ST_OK;
}

// ---- arguments

typedef Status ReadItem(const Scope *scope, const Json *json, AtenValue *out);

static Status read_none(const Scope *scope, const Json *json, AtenValue *out) {
    (void)scope, (void)json;
    *out = aten_none();
    return ST_OK;
}

static Status read_tensor(const Scope *scope, const Json *json, AtenValue *out) {
    const char *name;
    TRY(field_text(json, "name", &name));
    return scope_value(scope, name, out);
}

static Status read_optional(const Scope *scope, const Json *json, AtenValue *out) {
    const char *kind;
    const Json *value;
    TRY(field_union(json, &kind, &value));
    return strcmp(kind, "as_none") == 0 ? read_none(scope, value, out) : read_tensor(scope, value, out);
}

static Status read_int(const Scope *scope, const Json *json, AtenValue *out) {
    int64_t number;
    (void)scope;
    TRY(field_int(json, &number));
    *out = aten_int(number);
    return ST_OK;
}

static Status read_bool(const Scope *scope, const Json *json, AtenValue *out) {
    (void)scope;
    FAIL_IF(json->type != JSON_BOOL, ST_BAD, "expected true or false, got something else");
    *out = aten_bool(json->boolean);
    return ST_OK;
}

// What is no number in JSON is a text since torch 2.7: "Infinity", "-Infinity", "NaN".
static Status read_float(const Scope *scope, const Json *json, AtenValue *out) {
    (void)scope;
    const char *text = json->type == JSON_STRING ? json->string : "";
    const bool is_infinite = strcmp(text, "Infinity") == 0 || strcmp(text, "-Infinity") == 0;
    FAIL_IF(json->type != JSON_NUMBER && !is_infinite && strcmp(text, "NaN") != 0, ST_BAD,
            "expected a number, got something else");
    *out = aten_float(json->type == JSON_NUMBER ? json->number
                      : !is_infinite            ? (double)NAN
                      : *text == '-'            ? (double)-INFINITY
                                                : (double)INFINITY);
    return ST_OK;
}

static Status read_text(const Scope *scope, const Json *json, AtenValue *out) {
    (void)scope;
    FAIL_IF(json->type != JSON_STRING || strlen(json->string) > LIMIT_TEXT, ST_BAD,
            "expected a text of at most %d bytes, got something else", LIMIT_TEXT);
    *out = aten_text(json->string);
    return ST_OK;
}

// {"as_name": NAME}, or a number itself.
static Status read_symbolic(const Scope *scope, const Json *json, AtenValue *out) {
    const char *kind;
    const Json *value;
    TRY(field_union(json, &kind, &value));
    if (strcmp(kind, "as_int") == 0) return read_int(scope, value, out);
    if (strcmp(kind, "as_float") == 0) return read_float(scope, value, out);
    if (strcmp(kind, "as_bool") == 0) return read_bool(scope, value, out);
    FAIL_IF(strcmp(kind, "as_name") != 0, ST_BAD, "expected as_name or a number, got %.100s", kind);
    FAIL_IF(value->type != JSON_STRING, ST_BAD, "as_name: expected a text, got something else");
    return scope_value(scope, value->string, out);
}

static Status read_number_of(const Json *json, int64_t (*translate)(int64_t), const char *what, AtenValue *out) {
    int64_t number;
    TRY(field_int(json, &number));
    FAIL_IF(translate(number) < 0, ST_UNSUPPORTED, "%s number %lld is not known", what, (long long)number);
    *out = aten_int(translate(number));
    return ST_OK;
}

static Status read_type(const Scope *scope, const Json *json, AtenValue *out) {
    (void)scope;
    return read_number_of(json, export_scalar_type, "type", out);
}

static Status read_layout(const Scope *scope, const Json *json, AtenValue *out) {
    (void)scope;
    return read_number_of(json, export_layout, "layout", out);
}

static Status read_memory_format(const Scope *scope, const Json *json, AtenValue *out) {
    (void)scope;
    return read_number_of(json, export_memory_format, "memory format", out);
}

static Status read_device(const Scope *scope, const Json *json, AtenValue *out) {
    const char *type;
    (void)scope;
    TRY(field_text(json, "type", &type));
    *out = aten_text(type);
    return ST_OK;
}

static const struct {
    const char *kind;
    ReadItem *read;
    int depth; // of lists around it
} kinds[] = {
    {"as_tensor", read_tensor, 0},
    {"as_tensors", read_tensor, 1},
    {"as_nested_tensors", read_tensor, 2},
    {"as_optional_tensor", read_optional, 0},
    {"as_optional_tensors", read_optional, 1},
    {"as_none", read_none, 0},
    {"as_bool", read_bool, 0},
    {"as_bools", read_bool, 1},
    {"as_int", read_int, 0},
    {"as_ints", read_int, 1},
    {"as_int_lists", read_int, 2},
    {"as_float", read_float, 0},
    {"as_floats", read_float, 1},
    {"as_float_lists", read_float, 2},
    {"as_string", read_text, 0},
    {"as_strings", read_text, 1},
    {"as_sym_int", read_symbolic, 0},
    {"as_sym_ints", read_symbolic, 1},
    {"as_sym_float", read_symbolic, 0},
    {"as_sym_floats", read_symbolic, 1},
    {"as_sym_bool", read_symbolic, 0},
    {"as_sym_bools", read_symbolic, 1},
    {"as_scalar_type", read_type, 0},
    {"as_layout", read_layout, 0},
    {"as_memory_format", read_memory_format, 0},
    {"as_device", read_device, 0},
};

static Status read_items(const Scope *scope, Arena *arena, const Json *json, ReadItem *read, int depth,
                         AtenValue *out) {
    if (depth == 0) return read(scope, json, out);
    FAIL_IF(json->type != JSON_ARRAY, ST_BAD, "expected a list, got something else");
    FAIL_IF(json->count > LIMIT_LIST, ST_BAD, "expected a list of at most %d entries, got %zu", LIMIT_LIST,
            json->count);
    AtenValue *items = arena_array(arena, json->count + 1, sizeof *items);
    if (!items) return fail_memory((json->count + 1) * sizeof *items);
    for (size_t i = 0; i < json->count; i++) TRY(read_items(scope, arena, &json->items[i], read, depth - 1, &items[i]));
    *out = aten_list(items, (int)json->count);
    return ST_OK;
}

Status scope_argument(const Scope *scope, Arena *arena, const Json *json, AtenValue *out) {
    const char *kind;
    const Json *value;
    TRY(field_union(json, &kind, &value));
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        if (strcmp(kinds[i].kind, kind) != 0) continue;
        const Status status = read_items(scope, arena, value, kinds[i].read, kinds[i].depth, out);
        return status == ST_OK ? ST_OK : fail_context(status, "%s", kind);
    }
    return fail(ST_UNSUPPORTED, "an argument of kind %.100s is not supported", kind);
}

// ---- outputs

static Status define_list(Scope *scope, const Json *names, const AtenValue *value) {
    const bool is_missing = value->kind == ATEN_MISSING;
    FAIL_IF(names->type != JSON_ARRAY || names->count > LIMIT_NODE_VALUES, ST_BAD,
            "expected a list of at most %d outputs, got something else", LIMIT_NODE_VALUES);
    FAIL_IF(!is_missing && (value->kind != ATEN_LIST || (size_t)value->count != names->count), ST_BAD,
            "expected names for %d results, got %zu", value->kind == ATEN_LIST ? value->count : 1, names->count);
    for (size_t i = 0; i < names->count; i++) {
        const char *name;
        TRY(field_text(&names->items[i], "name", &name));
        TRY(scope_define(scope, name, is_missing ? aten_missing() : value->items[i]));
    }
    return ST_OK;
}

static Status define_output(Scope *scope, const Json *json, const AtenValue *value) {
    const char *kind, *name = NULL;
    const Json *output;
    TRY(field_union(json, &kind, &output));
    if (strcmp(kind, "as_none") == 0) return ST_OK;
    if (strcmp(kind, "as_tensors") == 0) return define_list(scope, output, value);
    const Json *symbolic = json_get(output, "as_name");
    if (symbolic && symbolic->type == JSON_STRING) name = symbolic->string;
    else if (strncmp(kind, "as_sym_", 7) == 0) return ST_OK; // a number that the program knows
    else TRY(field_text(output, "name", &name));
    return scope_define(scope, name, *value);
}

Status scope_define_outputs(Scope *scope, const Json *outputs, const AtenValue *values) {
    for (size_t i = 0; i < outputs->count; i++) TRY(define_output(scope, &outputs->items[i], &values[i]));
    return ST_OK;
}

static Status fill(Scope *scope, Arena *arena, Graph *graph, const Json *output, const AtenValue *value) {
    const Json *name = json_get(output, "name");
    if (value->kind != ATEN_TENSOR || !name || name->type != JSON_STRING) return ST_OK;
    return meta_fill(&scope->metas, arena, name->string, graph, value->value);
}

Status scope_define_results(Scope *scope, Arena *arena, Graph *graph, const Json *outputs, const AtenValue *values) {
    TRY(scope_define_outputs(scope, outputs, values));
    for (size_t i = 0; i < outputs->count; i++) {
        const Json *output = &outputs->items[i].items[0]; // a union, as it could be read
        const AtenValue *value = &values[i];
        if (value->kind != ATEN_LIST) TRY(fill(scope, arena, graph, output, value));
        for (int k = 0; value->kind == ATEN_LIST && k < value->count; k++)
            TRY(fill(scope, arena, graph, &output->items[k], &value->items[k]));
    }
    return ST_OK;
}

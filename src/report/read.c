// Inputs to results: which verb printed it, and whether its keys have the types that the sections count on.
#include "report/parts.h"
#include <math.h>
#include <string.h>

static const char *const verbs[KINDS] = {
    [KIND_EVAL] = "eval", [KIND_BENCH] = "bench",     [KIND_PROFILE] = "profile", [KIND_VERIFY] = "verify",
    [KIND_TUNE] = "tune", [KIND_MACHINE] = "machine", [KIND_SEGMENT] = "segment", [KIND_PICTURES] = "results.json",
    [KIND_PAGE] = "page",
};
const char *kind_verb(ResultKind kind) { return verbs[kind]; }
bool kind_of_verb(const char *verb, ResultKind *out) {
    for (int k = 0; k < KINDS; k++)
        if (k != KIND_PICTURES && !strcmp(verbs[k], verb)) return *out = (ResultKind)k, true;
    return false;
}

// ---- parsing

static bool is_line_of_results(const Json *json) {
    const Json *path = json_get(json, "path"), *status = json_get(json, "status");
    return path && path->type == JSON_STRING && status && status->type == JSON_STRING;
}
// Where the next line that is not blank begins; NULL: there is none.
static const char *next_line(const char *at, const char *end) {
    while (at < end && strchr(" \t\r\n", *at)) at++;
    return at < end ? at : NULL;
}
static Status parse_line(Arena *arena, const char *at, size_t length, int number, Json *out) {
    Json *line;
    const Status status = json_parse(arena, at, length, &line);
    if (status != ST_OK) return fail_context(status, "line %d of the file", number);
    FAIL_IF(!is_line_of_results(line), ST_BAD,
            "line %d: expected an object with \"path\" and \"status\", as segment writes to results.json, got another "
            "value",
            number);
    *out = *line;
    out->line = number;
    return ST_OK;
}
// The lines of results.json as one array.
static Status parse_lines(Arena *arena, const ReportInput *input, Json **out) {
    const char *end = input->text + input->length;
    Json *array = arena_alloc(arena, sizeof *array);
    size_t capacity = 1;
    for (size_t i = 0; i < input->length; i++) capacity += input->text[i] == '\n';
    Json *items = array ? arena_array(arena, capacity, sizeof *items) : NULL;
    if (!items) return fail_memory(capacity * sizeof *items);
    *array = (Json){.type = JSON_ARRAY, .items = items, .line = 1};
    int number = 0;
    for (const char *at = input->text; at < end;) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        if (!stop) stop = end;
        number++;
        if (next_line(at, stop)) TRY(parse_line(arena, at, (size_t)(stop - at), number, &items[array->count++]));
        at = stop + 1;
    }
    *out = array;
    return ST_OK;
}
// results.json: its first line by itself is one of its objects.
static Status has_lines(Arena *arena, const ReportInput *input, bool *out) {
    const char *stop = memchr(input->text, '\n', input->length);
    const size_t length = stop ? (size_t)(stop - input->text) : input->length;
    Json *line;
    const Status status = json_parse(arena, input->text, length, &line);
    if (status == ST_RESOURCE) return status;
    *out = status == ST_OK && is_line_of_results(line);
    error_clear();
    return ST_OK;
}
static Status find_kind(const Json *root, ResultKind *out) {
    static const char hint[] = "give what a verb of stent printed with --json";
    FAIL_IF(root->type != JSON_OBJECT, ST_BAD, "line %d: expected an object, got another value; %s", root->line, hint);
    const Json *verb = json_get(root, "verb");
    FAIL_IF(!verb || verb->type != JSON_STRING, ST_BAD, "line %d: expected the key \"verb\" with a text, got %s; %s",
            root->line, verb ? "another value" : "none", hint);
    FAIL_IF(!kind_of_verb(verb->string, out), ST_UNSUPPORTED,
            "a result of '%.40s' is not drawn; report draws eval, bench, profile, verify, tune, machine, segment, "
            "results.json and pages of sections",
            verb->string);
    return ST_OK;
}
static Status parse_one(const ReportInput *input, Arena *arena, Result *out) {
    Json *root;
    bool lines;
    FAIL_IF(!next_line(input->text, input->text + input->length), ST_BAD,
            "expected a result in JSON, got an empty file");
    TRY(has_lines(arena, input, &lines));
    if (lines) TRY(parse_lines(arena, input, &root));
    else TRY(json_parse(arena, input->text, input->length, &root));
    *out = (Result){.name = input->name, .kind = KIND_PICTURES, .root = root};
    if (!lines) TRY(find_kind(root, &out->kind));
    return schema_check(out->kind, root);
}
Status results_parse(const ReportInput *inputs, size_t count, Results *out) {
    *out = (Results){.count = count};
    out->items = arena_array(&out->arena, count + 1, sizeof *out->items);
    if (!out->items) return fail_memory(count * sizeof *out->items);
    for (size_t i = 0; i < count; i++) {
        const Status status = parse_one(&inputs[i], &out->arena, &out->items[i]);
        if (status == ST_OK) continue;
        results_drop(out);
        return status == ST_RESOURCE ? status : fail_context(status, "%s", inputs[i].name);
    }
    return ST_OK;
}
void results_drop(Results *results) {
    arena_free(&results->arena);
    *results = (Results){0};
}
const Result *results_first(const Results *results, ResultKind kind) {
    for (size_t i = 0; i < results->count; i++)
        if (results->items[i].kind == kind) return &results->items[i];
    return NULL;
}
int results_of_kind(const Results *results, ResultKind kind) {
    int count = 0;
    for (size_t i = 0; i < results->count; i++) count += results->items[i].kind == kind;
    return count;
}

// ---- keys

double number_of(const Json *object, const char *key) {
    const Json *value = json_get(object, key);
    return value && value->type == JSON_NUMBER ? value->number : (double)NAN;
}
const char *text_of(const Json *object, const char *key) {
    const Json *value = json_get(object, key);
    return value && value->type == JSON_STRING ? value->string : NULL;
}
const Json *list_of(const Json *object, const char *key) {
    const Json *value = json_get(object, key);
    return value && value->type == JSON_ARRAY && value->count ? value : NULL;
}
bool flag_of(const Json *object, const char *key) {
    const Json *value = json_get(object, key);
    return value && value->type == JSON_BOOL && value->boolean;
}
Status numbers_of(const Json *object, const char *key, Arena *arena, double **values, size_t *count) {
    const Json *list = list_of(object, key);
    *count = 0;
    *values = arena_array(arena, list ? list->count : 1, sizeof **values);
    if (!*values) return fail_memory((list ? list->count : 1) * sizeof **values);
    for (size_t i = 0; list && i < list->count; i++)
        if (list->items[i].type == JSON_NUMBER) (*values)[(*count)++] = list->items[i].number;
    return ST_OK;
}
Estimate estimate_of(const Json *object, const char *key) {
    const Json *interval = list_of(json_get(object, "intervals"), key);
    Estimate e = {number_of(object, key), (double)NAN, (double)NAN};
    if (interval && interval->items[0].type == JSON_NUMBER && interval->items[1].type == JSON_NUMBER)
        e.low = interval->items[0].number, e.high = interval->items[1].number;
    return e;
}
Estimate ratio_of(const Json *object) {
    return (Estimate){number_of(object, "ratio_median"), number_of(object, "ratio_low"),
                      number_of(object, "ratio_high")};
}

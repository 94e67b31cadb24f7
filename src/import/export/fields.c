#include "import/export/fields.h"
#include "import/limits.h"
#include <math.h>
#include <string.h>

static bool is(const Json *json, JsonType type) { return json && json->type == type; }

Status field_text(const Json *object, const char *key, const char **out) {
    const Json *json = json_get(object, key);
    FAIL_IF(!is(json, JSON_STRING) || !*json->string, ST_BAD, "expected a text '%s', got %s", key,
            json ? "something else" : "none");
    FAIL_IF(strlen(json->string) > LIMIT_NAME, ST_BAD, "'%s': expected at most %d bytes, got %zu", key, LIMIT_NAME,
            strlen(json->string));
    *out = json->string;
    return ST_OK;
}

Status field_object(const Json *object, const char *key, const Json **out) {
    *out = json_get(object, key);
    FAIL_IF(!is(*out, JSON_OBJECT), ST_BAD, "expected an object '%s', got %s", key, *out ? "something else" : "none");
    return ST_OK;
}

Status field_list(const Json *object, const char *key, const Json **out) {
    *out = json_get(object, key);
    FAIL_IF(!is(*out, JSON_ARRAY), ST_BAD, "expected a list '%s', got %s", key, *out ? "something else" : "none");
    FAIL_IF((*out)->count > LIMIT_LIST, ST_BAD, "'%s': expected at most %d entries, got %zu", key, LIMIT_LIST,
            (*out)->count);
    return ST_OK;
}

Status field_union(const Json *json, const char **kind, const Json **value) {
    FAIL_IF(!is(json, JSON_OBJECT) || json->count != 1, ST_BAD, "expected an object of one key, got %s",
            is(json, JSON_OBJECT) ? "another number of keys" : "something else");
    *kind = json->keys[0];
    *value = &json->items[0];
    return ST_OK;
}

Status field_int(const Json *json, int64_t *out) {
    static const double beyond = 9223372036854775808.0; // 2^63
    FAIL_IF(!is(json, JSON_NUMBER) || json->number != floor(json->number), ST_BAD, "expected an integer, got %s",
            is(json, JSON_NUMBER) ? "another number" : "something else");
    *out = json->number >= beyond ? INT64_MAX : json->number < -beyond ? INT64_MIN : (int64_t)json->number;
    return ST_OK;
}

Status field_size(const Json *json, int64_t *out, const char **expression) {
    const char *kind;
    const Json *value;
    TRY(field_union(json, &kind, &value));
    *expression = NULL;
    if (strcmp(kind, "as_int") == 0) return field_int(value, out);
    FAIL_IF(strcmp(kind, "as_expr") != 0, ST_BAD, "expected as_int or as_expr, got %.100s", kind);
    *out = -1;
    return field_text(value, "expr_str", expression);
}

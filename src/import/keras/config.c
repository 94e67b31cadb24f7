#include "import/keras/config.h"
#include <math.h>
#include <string.h>

// ---- JSON as Python writes it

// Copies up to the end of the string that begins at `at`; gives where the text goes on.
static const char *copy_string(Text *to, const char *at, const char *end) {
    const char *from = at++;
    while (at < end && *at != '"') at += *at == '\\' ? 2 : 1;
    at = at < end ? at + 1 : end;
    text_bytes(to, from, (size_t)(at - from));
    return at;
}

static bool has_word(const char *at, const char *end, const char *word) {
    return (size_t)(end - at) >= strlen(word) && memcmp(at, word, strlen(word)) == 0;
}

static Status plain_json(const char *text, size_t length, Text *to) {
    const char *at = text, *end = text + length;
    while (at < end) {
        if (*at == '"') {
            at = copy_string(to, at, end);
        } else if (has_word(at, end, "NaN")) {
            text_add(to, "null");
            at += 3;
        } else if (has_word(at, end, "Infinity")) {
            text_add(to, "1e308");
            at += 8;
        } else text_bytes(to, at++, 1);
    }
    return text_status(to);
}

static bool holds_words(const char *text, size_t length) {
    for (const char *at = text, *end = text + length; at < end; at++) {
        if (has_word(at, end, "NaN") || has_word(at, end, "Infinity")) return true;
    }
    return false;
}

Status config_parse(Arena *arena, const char *text, size_t length, Json **out) {
    if (!holds_words(text, length)) return json_parse(arena, text, length, out);
    Text plain = {0};
    Status status = plain_json(text, length, &plain);
    if (status == ST_OK) status = json_parse(arena, text_get(&plain), plain.length, out);
    text_free(&plain);
    return status;
}

// ---- settings

// What Keras 1 called them. A setting may have had several names, one a layer.
static const struct {
    const char *now, *before;
} renamed[] = {
    {"filters", "nb_filter"},
    {"strides", "subsample"},
    {"strides", "stride"},
    {"padding", "border_mode"},
    {"use_bias", "bias"},
    {"data_format", "dim_ordering"},
    {"dilation_rate", "atrous_rate"},
    {"units", "output_dim"},
    {"pool_size", "pool_length"},
    {"rate", "p"},
    {"batch_shape", "batch_input_shape"},
    {"dtype", "input_dtype"},
    {"negative_slope", "alpha"},
    {"axis", "concat_axis"},
};

const Json *config_get(const Json *config, const char *key) {
    const Json *found = json_get(config, key);
    for (size_t i = 0; i < COUNT_OF(renamed) && !found; i++) {
        if (strcmp(renamed[i].now, key) == 0) found = json_get(config, renamed[i].before);
    }
    return found && found->type != JSON_NULL ? found : NULL;
}

bool json_is(const Json *json, const char *text) {
    return json && json->type == JSON_STRING && strcmp(json->string, text) == 0;
}

bool json_integer_of(const Json *json, int64_t *out) {
    if (!json || json->type != JSON_NUMBER || !(fabs(json->number) < 9e15) || json->number != floor(json->number)) {
        return false;
    }
    *out = (int64_t)json->number;
    return true;
}

Status config_int(const Json *config, const char *key, int64_t otherwise, int64_t *out) {
    const Json *value = config_get(config, key);
    *out = otherwise;
    FAIL_IF(value && !json_integer_of(value, out), ST_BAD, "'%s': expected a whole number", key);
    return ST_OK;
}

Status config_float(const Json *config, const char *key, double otherwise, double *out) {
    const Json *value = config_get(config, key);
    *out = otherwise;
    if (!value) return ST_OK;
    // An array of one number, as {"class_name": "__numpy__", "config": {"value": 0.1}} or {"type": "ndarray", "value"}.
    if (json_get(value, "config")) value = json_get(value, "config");
    if (json_get(value, "value")) value = json_get(value, "value");
    FAIL_IF(value->type != JSON_NUMBER, ST_BAD, "'%s': expected a number", key);
    *out = value->number;
    return ST_OK;
}

Status config_bool(const Json *config, const char *key, bool otherwise, bool *out) {
    const Json *value = config_get(config, key);
    *out = otherwise;
    if (!value) return ST_OK;
    FAIL_IF(value->type != JSON_BOOL && value->type != JSON_NUMBER, ST_BAD, "'%s': expected true or false", key);
    *out = value->type == JSON_BOOL ? value->boolean : value->number != 0;
    return ST_OK;
}

Status config_text(const Json *config, const char *key, const char *otherwise, const char **out) {
    const Json *value = config_get(config, key);
    *out = otherwise;
    if (!value) return ST_OK;
    FAIL_IF(value->type != JSON_STRING, ST_BAD, "'%s': expected a text", key);
    *out = value->string;
    return ST_OK;
}

Status config_sizes(const Json *config, const char *key, int count, int64_t otherwise, int64_t *out) {
    const Json *value = config_get(config, key);
    int given = 1;
    if (!value && otherwise) {
        for (int i = 0; i < count; i++) out[i] = otherwise;
        return ST_OK;
    }
    FAIL_IF(!value, ST_BAD, "'%s': expected %d whole numbers, got none", key, count);
    TRY(json_list_of(value, key, count, out, &given));
    FAIL_IF(given != count && value->type == JSON_ARRAY, ST_BAD, "'%s': expected %d whole numbers, got %d", key, count,
            given);
    for (int i = 0; i < count; i++) {
        if (i >= given) out[i] = out[0];
        FAIL_IF(out[i] < 1 || out[i] > INT32_MAX, ST_BAD, "'%s': expected whole numbers from 1 on, got %lld", key,
                (long long)out[i]);
    }
    return ST_OK;
}

Status json_list_of(const Json *json, const char *what, int most, int64_t *out, int *count) {
    *count = 1;
    if (json_integer_of(json, out)) return ST_OK;
    FAIL_IF(!json || json->type != JSON_ARRAY, ST_BAD, "'%s': expected whole numbers", what);
    FAIL_IF(json->count > (size_t)most, ST_BAD, "'%s': expected at most %d whole numbers, got %zu", what, most,
            json->count);
    *count = (int)json->count;
    for (int i = 0; i < *count; i++) {
        FAIL_IF(!json_integer_of(&json->items[i], &out[i]), ST_BAD, "'%s': expected whole numbers", what);
    }
    return ST_OK;
}

// Reading what a Keras configuration (JSON) says of a layer. Keras 1 had other names for many settings; they are found
// under the newer ones. A setting that is absent or null is not set. Errors (ST_BAD) name the setting.
#pragma once
#include "base/json.h"
#include "base/memory.h"

// Python writes NaN, Infinity and -Infinity into JSON, which has no such words: they become null and +-1e308.
// ST_BAD: no JSON.
Status config_parse(Arena *arena, const char *text, size_t length, Json **out);

const Json *config_get(const Json *config, const char *key); // NULL: not set
Status config_int(const Json *config, const char *key, int64_t otherwise, int64_t *out);
Status config_float(const Json *config, const char *key, double otherwise, double *out);
Status config_bool(const Json *config, const char *key, bool otherwise, bool *out);
Status config_text(const Json *config, const char *key, const char *otherwise, const char **out);
// A number for all `count` entries, or a list of that many: each from 1 to 2^31 - 1. otherwise 0: it has to be set.
Status config_sizes(const Json *config, const char *key, int count, int64_t otherwise, int64_t *out);

// A whole number; a list of up to `most` of them (a single number is a list of one).
bool json_integer_of(const Json *json, int64_t *out);
Status json_list_of(const Json *json, const char *what, int most, int64_t *out, int *count);
bool json_is(const Json *json, const char *text); // the string `text`

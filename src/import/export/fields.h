// What the JSON of an exported program says, each with what was expected where it says something else (ST_BAD).
// Source of all keys: torch/_export/serde/schema.py of pytorch/pytorch (schema versions 7 to 8).
#pragma once
#include "base/json.h"

// NULL or absent gives "expected 'KEY' ...".
Status field_text(const Json *object, const char *key, const char **out); // at most LIMIT_NAME bytes, not empty
Status field_object(const Json *object, const char *key, const Json **out);
Status field_list(const Json *object, const char *key, const Json **out); // at most LIMIT_LIST entries
// The only pair of a union, {"as_int": 3}: which it is, and its value.
Status field_union(const Json *json, const char **kind, const Json **value);
// A number without a fraction. Beyond 2^63 - 1, where Python's own have no end: that.
Status field_int(const Json *json, int64_t *out);
// {"as_int": 3}, of dims and strides; *out -1 and *expression set: {"as_expr": {"expr_str": "s0"}}.
Status field_size(const Json *json, int64_t *out, const char **expression);

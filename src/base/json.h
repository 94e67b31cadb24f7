// JSON (RFC 8259): a bounded reader into an arena, and a writer.
#pragma once
#include "base/memory.h"
#include "base/status.h"
#include "base/text.h"

typedef enum JsonType { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT } JsonType;
typedef struct Json Json;
struct Json {
    JsonType type;
    bool boolean;
    double number;
    const char *string;
    size_t count;        // of items (array, object)
    Json *items;
    const char **keys;   // object only
    int line;            // where it stands, for messages
};
// Depth at most 64, at most 1e6 values, duplicate keys refused. Errors: "line L: expected X, got Y".
Status json_parse(Arena *arena, const char *text, size_t length, Json **out);
const Json *json_get(const Json *object, const char *key); // NULL when absent

// Writer: begins and ends nest; commas are put by the writer.
typedef struct JsonWriter {
    Text *text;
    int depth;
    bool first[64];
    bool after_key;
} JsonWriter;
void json_begin_object(JsonWriter *writer);
void json_end_object(JsonWriter *writer);
void json_begin_array(JsonWriter *writer);
void json_end_array(JsonWriter *writer);
void json_key(JsonWriter *writer, const char *key);
void json_string(JsonWriter *writer, const char *value); // NULL gives null
void json_number(JsonWriter *writer, double value);      // not finite gives null
void json_number_at(JsonWriter *writer, const char *key, double value); // json_key, json_number
void json_integer(JsonWriter *writer, int64_t value);
void json_bool(JsonWriter *writer, bool value);
void json_null(JsonWriter *writer);

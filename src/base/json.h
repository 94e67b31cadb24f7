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

// A text that is too large to be held as values: a walk through it, in which what is wanted is parsed on its own.
//
//     JsonPart document, node;
//     TRY(json_document(text, length, &document));
//     TRY(json_walk(&document, JSON_ARRAY, &walk));
//     for (;;) {
//         TRY(json_next(&walk, NULL, &node, &more));
//         if (!more) break;
//         TRY(json_parse_part(arena, &node, &json));
//     }
//
// Of what is passed over only quotes and brackets are looked at: 64 of them inside each other at most. In parts NaN,
// Infinity and -Infinity are numbers, as Python's json module writes them.
typedef struct JsonPart { // one value of it; text NULL: none
    const char *text;
    size_t length;
    int line;
} JsonPart;
typedef struct JsonWalk {
    const char *at, *end;
    int line;
    bool is_object, is_begun;
} JsonWalk;
Status json_document(const char *text, size_t length, JsonPart *out); // ST_BAD: no UTF-8
JsonType json_part_type(const JsonPart *part);                        // by its first character
Status json_walk(const JsonPart *part, JsonType type, JsonWalk *out); // JSON_ARRAY or JSON_OBJECT; ST_BAD: another
// *more false: it was the last. key: of an object, with its quotes; NULL: not wanted.
Status json_next(JsonWalk *walk, JsonPart *key, JsonPart *item, bool *more);
Status json_parse_part(Arena *arena, const JsonPart *part, Json **out); // limits and errors as json_parse
// The parts of an object under these keys, those that are not there with text NULL. ST_BAD: one of them twice.
typedef struct JsonField {
    const char *key;
    JsonPart *part;
} JsonField;
Status json_fields(const JsonPart *object, const JsonField *fields, size_t n_fields);

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
void json_value(JsonWriter *writer, const Json *value); // as it was read

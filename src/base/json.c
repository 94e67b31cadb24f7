#include "base/json.h"
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_DEPTH = 64, MAX_VALUES = 1000000, MAX_NUMBER_LENGTH = 400 };

// ---- reader ----

// Finished values wait on `stack` until their array or object is complete; then they move to the arena side by side.
typedef struct Pending {
    const char *key; // NULL in an array
    Json value;
} Pending;
typedef struct Parser {
    Arena *arena;
    const char *at, *end;
    int line;
    bool takes_nan; // NaN, Infinity, -Infinity
    size_t values;
    Pending *stack;
    size_t stack_count, stack_capacity;
} Parser;

static Status parse_value(Parser *parser, int depth, Json *out);

static void skip_blanks(Parser *parser) {
    for (; parser->at < parser->end && strchr(" \t\r\n", *parser->at) && *parser->at; parser->at++)
        parser->line += *parser->at == '\n';
}

static Status fail_expected(const Parser *parser, const char *expected) {
    if (parser->at >= parser->end)
        return fail(ST_BAD, "line %d: expected %s, got the end of the text", parser->line, expected);
    int length = 1; // the whole character, as bytes; the text is known to be UTF-8
    while (parser->at + length < parser->end && ((unsigned char)parser->at[length] & 0xc0) == 0x80) length++;
    return fail(ST_BAD, "line %d: expected %s, got '%.*s'", parser->line, expected, length, parser->at);
}

static bool take(Parser *parser, char c) {
    if (parser->at >= parser->end || *parser->at != c) return false;
    parser->at++;
    return true;
}

static bool take_word(Parser *parser, const char *word) {
    size_t length = strlen(word);
    if ((size_t)(parser->end - parser->at) < length || memcmp(parser->at, word, length)) return false;
    parser->at += length;
    return true;
}

// Four hexadecimal digits; -1 when there are none.
static int32_t parse_hex4(Parser *parser) {
    int32_t value = 0;
    if (parser->end - parser->at < 4) return -1;
    for (int i = 0; i < 4; i++) {
        static const char digits[] = "0123456789abcdef";
        char c = parser->at[i], lower = c >= 'A' && c <= 'F' ? (char)(c + 32) : c;
        const char *digit = lower ? strchr(digits, lower) : NULL;
        if (!digit) return -1;
        value = value * 16 + (int32_t)(digit - digits);
    }
    parser->at += 4;
    return value;
}

static char *put_utf8(char *to, uint32_t code) {
    if (code < 0x80) {
        *to++ = (char)code;
        return to;
    }
    int more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    static const uint8_t leads[4] = {0, 0xc0, 0xe0, 0xf0};
    *to++ = (char)(leads[more] | code >> (6 * more));
    for (int i = more - 1; i >= 0; i--) *to++ = (char)(0x80 | (code >> (6 * i) & 0x3f));
    return to;
}

// Behind "\u". A character beyond U+FFFF stands as two escapes (a surrogate pair).
static Status parse_unicode_escape(Parser *parser, char **to) {
    int32_t code = parse_hex4(parser);
    if (code >= 0xd800 && code <= 0xdbff && take_word(parser, "\\u")) {
        int32_t low = parse_hex4(parser);
        code = low >= 0xdc00 && low <= 0xdfff ? 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00) : -1;
    }
    bool is_half = code >= 0xd800 && code <= 0xdfff;
    FAIL_IF(code <= 0 || is_half, ST_BAD,
            "line %d: expected \\u and four hexadecimal digits of a character other than NUL", parser->line);
    *to = put_utf8(*to, (uint32_t)code);
    return ST_OK;
}

static Status parse_escape(Parser *parser, char **to) {
    static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
    if (take(parser, 'u')) return parse_unicode_escape(parser, to);
    const char *name = parser->at < parser->end && *parser->at ? strchr(names, *parser->at) : NULL;
    if (!name) return fail_expected(parser, "one of \" \\ / b f n r t u behind a backslash");
    *(*to)++ = values[name - names];
    parser->at++;
    return ST_OK;
}

// Behind the opening quote. The escaped form is never shorter than the text it stands for.
static Status parse_string(Parser *parser, const char **out) {
    const char *close = parser->at;
    while (close < parser->end && *close != '"') close += *close == '\\' ? 2 : 1;
    FAIL_IF(close >= parser->end, ST_BAD, "line %d: expected a closing quote, got the end of the text", parser->line);
    char *text = arena_alloc(parser->arena, (size_t)(close - parser->at) + 1), *to = text;
    if (!text) return fail_memory((size_t)(close - parser->at) + 1);
    while (!take(parser, '"')) {
        if ((unsigned char)*parser->at < 0x20)
            return fail(ST_BAD, "line %d: expected an escape such as \\n in a string, got a control character",
                        parser->line);
        if (take(parser, '\\')) TRY(parse_escape(parser, &to));
        else *to++ = *parser->at++;
    }
    *to = 0;
    *out = text;
    return ST_OK;
}

static size_t count_digits(const char *at) { return strspn(at, "0123456789"); }

// The grammar of RFC 8259: -? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)?
static bool is_json_number(const char *at) {
    at += *at == '-';
    size_t digits = count_digits(at);
    if (digits == 0 || (digits > 1 && *at == '0')) return false;
    at += digits;
    if (*at == '.') {
        if (!(digits = count_digits(at + 1))) return false;
        at += 1 + digits;
    }
    if (*at == 'e' || *at == 'E') {
        at += 1 + (at[1] == '+' || at[1] == '-');
        if (!(digits = count_digits(at))) return false;
        at += digits;
    }
    return *at == 0;
}

static Status parse_number(Parser *parser, Json *out) {
    char number[MAX_NUMBER_LENGTH];
    size_t length = 0;
    while (parser->at + length < parser->end && parser->at[length] && strchr("0123456789+-.eE", parser->at[length]))
        length++;
    if (!length) return fail_expected(parser, "a value");
    int shown = (int)MIN(length, (size_t)40);
    bool fits = length < sizeof number;
    if (fits) {
        memcpy(number, parser->at, length);
        number[length] = 0;
    }
    FAIL_IF(!fits || !is_json_number(number) || !parse_double(number, &out->number), ST_BAD,
            "line %d: expected a number, got '%.*s'", parser->line, shown, parser->at);
    out->type = JSON_NUMBER;
    parser->at += length;
    return ST_OK;
}

// What Python's json module writes for numbers that JSON has not.
static bool take_nan(Parser *parser, Json *out) {
    static const struct {
        const char *word;
        double number;
    } words[] = {{"NaN", (double)NAN}, {"Infinity", (double)INFINITY}, {"-Infinity", (double)-INFINITY}};
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        if (!take_word(parser, words[i].word)) continue;
        out->type = JSON_NUMBER;
        out->number = words[i].number;
        return true;
    }
    return false;
}

static Status push_pending(Parser *parser, const Pending *pending) {
    if (parser->stack_count == parser->stack_capacity) {
        size_t capacity = MAX((size_t)64, parser->stack_capacity * 2); // at most MAX_VALUES items, so it can't overflow
        Pending *stack = mem_resize(parser->stack, capacity * sizeof *stack);
        if (!stack) return fail_memory(capacity * sizeof *stack);
        parser->stack = stack;
        parser->stack_capacity = capacity;
    }
    parser->stack[parser->stack_count++] = *pending;
    return ST_OK;
}

static int compare_keys(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static Status refuse_duplicate_keys(const Json *object) {
    if (object->count < 2) return ST_OK;
    const char **sorted = mem_alloc(object->count * sizeof *sorted), *twice = NULL;
    if (!sorted) return fail_memory(object->count * sizeof *sorted);
    memcpy(sorted, object->keys, object->count * sizeof *sorted);
    qsort(sorted, object->count, sizeof *sorted, compare_keys);
    for (size_t i = 1; i < object->count && !twice; i++)
        if (!strcmp(sorted[i - 1], sorted[i])) twice = sorted[i];
    mem_free(sorted);
    FAIL_IF(twice, ST_BAD, "line %d: expected each key once, got \"%.200s\" twice", object->line, twice);
    return ST_OK;
}

// Moves what lies on the stack above `base` into the arena, as the items of `out`.
static Status take_items(Parser *parser, size_t base, Json *out) {
    out->count = parser->stack_count - base;
    out->items = arena_array(parser->arena, out->count, sizeof(Json));
    if (out->type == JSON_OBJECT) out->keys = arena_array(parser->arena, out->count, sizeof(char *));
    if (!out->items || (out->type == JSON_OBJECT && !out->keys)) return fail_memory(out->count * sizeof(Json));
    for (size_t i = 0; i < out->count; i++) {
        out->items[i] = parser->stack[base + i].value;
        if (out->keys) out->keys[i] = parser->stack[base + i].key;
    }
    parser->stack_count = base;
    return out->keys ? refuse_duplicate_keys(out) : ST_OK;
}

static Status parse_item(Parser *parser, int depth, bool has_key) {
    Pending item = {0};
    skip_blanks(parser);
    if (has_key) {
        if (!take(parser, '"')) return fail_expected(parser, "a key in quotes");
        TRY(parse_string(parser, &item.key));
        skip_blanks(parser);
        if (!take(parser, ':')) return fail_expected(parser, "':' behind a key");
    }
    TRY(parse_value(parser, depth + 1, &item.value));
    return push_pending(parser, &item);
}

// Behind the opening bracket.
static Status parse_items(Parser *parser, int depth, Json *out) {
    bool is_object = out->type == JSON_OBJECT;
    char close = is_object ? '}' : ']';
    size_t base = parser->stack_count;
    FAIL_IF(depth >= MAX_DEPTH, ST_BAD, "line %d: expected at most %d nested brackets, got more", parser->line,
            MAX_DEPTH);
    skip_blanks(parser);
    if (take(parser, close)) return take_items(parser, base, out);
    for (;;) {
        TRY(parse_item(parser, depth, is_object));
        skip_blanks(parser);
        if (take(parser, close)) return take_items(parser, base, out);
        if (!take(parser, ',')) return fail_expected(parser, is_object ? "',' or '}'" : "',' or ']'");
    }
}

static Status parse_value(Parser *parser, int depth, Json *out) {
    skip_blanks(parser);
    FAIL_IF(++parser->values > MAX_VALUES, ST_BAD, "line %d: expected at most %d values, got more", parser->line,
            MAX_VALUES);
    *out = (Json){.type = JSON_NULL, .line = parser->line};
    bool is_object = take(parser, '{');
    if (is_object || take(parser, '[')) {
        out->type = is_object ? JSON_OBJECT : JSON_ARRAY;
        return parse_items(parser, depth, out);
    }
    if (take(parser, '"')) {
        out->type = JSON_STRING;
        return parse_string(parser, &out->string);
    }
    if (take_word(parser, "null") || (parser->takes_nan && take_nan(parser, out))) return ST_OK;
    bool is_true = take_word(parser, "true");
    if (!is_true && !take_word(parser, "false")) return parse_number(parser, out);
    out->type = JSON_BOOL;
    out->boolean = is_true;
    return ST_OK;
}

static Status parse_document(Parser *parser, Json *out) {
    TRY(parse_value(parser, 0, out));
    skip_blanks(parser);
    return parser->at < parser->end ? fail_expected(parser, "the end of the text") : ST_OK;
}

static Status parse_all(Parser *parser, Json **out) {
    Json *document = arena_alloc(parser->arena, sizeof *document);
    if (!document) return fail_memory(sizeof *document);
    Status status = parse_document(parser, document);
    mem_free(parser->stack);
    if (status == ST_OK) *out = document;
    return status;
}

Status json_document(const char *text, size_t length, JsonPart *out) {
    static const char mark[] = "\xef\xbb\xbf"; // a byte order mark, as some editors put
    FAIL_IF(!utf8_valid(text, length), ST_BAD, "line 1: expected UTF-8 text, got other bytes");
    const size_t marked = length >= 3 && memcmp(text, mark, 3) == 0 ? 3 : 0;
    *out = (JsonPart){text + marked, length - marked, 1};
    return ST_OK;
}

Status json_parse(Arena *arena, const char *text, size_t length, Json **out) {
    JsonPart document;
    TRY(json_document(text, length, &document));
    Parser parser = {
        .arena = arena, .at = document.text, .end = document.text + document.length, .line = document.line};
    return parse_all(&parser, out);
}

Status json_parse_part(Arena *arena, const JsonPart *part, Json **out) {
    Parser parser = {
        .arena = arena, .at = part->text, .end = part->text + part->length, .line = part->line, .takes_nan = true};
    return parse_all(&parser, out);
}

const Json *json_get(const Json *object, const char *key) {
    if (!object || object->type != JSON_OBJECT) return NULL;
    for (size_t i = 0; i < object->count; i++)
        if (!strcmp(object->keys[i], key)) return &object->items[i];
    return NULL;
}

// ---- walk ----

static Parser parser_of(const JsonWalk *walk) { return (Parser){.at = walk->at, .end = walk->end, .line = walk->line}; }

// Behind the quote that ends the string.
static Status skip_string(Parser *parser) {
    const char *at = parser->at + 1;
    while (at < parser->end && *at != '"') {
        parser->line += *at == '\n';
        at += *at == '\\' ? 2 : 1;
    }
    FAIL_IF(at >= parser->end, ST_BAD, "line %d: expected a closing quote, got the end of the text", parser->line);
    parser->at = at + 1;
    return ST_OK;
}

// Behind a value that is no string, array or object.
static void skip_word(Parser *parser) {
    while (parser->at < parser->end && !strchr(",]}:\"[{ \t\r\n", *parser->at)) parser->at++;
}

// Behind the bracket that closes the one which stands here. Bit d of `curly`: bracket d is one of an object.
static Status skip_brackets(Parser *parser) {
    uint64_t curly = 0;
    int depth = 0;
    do {
        const char c = *parser->at;
        if (c == '"') {
            TRY(skip_string(parser));
            continue;
        }
        if (c == '{' || c == '[') {
            FAIL_IF(depth >= MAX_DEPTH, ST_BAD, "line %d: expected at most %d nested brackets, got more", parser->line,
                    MAX_DEPTH);
            curly = c == '{' ? curly | (uint64_t)1 << depth : curly & ~((uint64_t)1 << depth);
            depth++;
        } else if (c == '}' || c == ']') {
            depth--;
            if ((curly >> depth & 1) != (c == '}')) return fail_expected(parser, c == '}' ? "']'" : "'}'");
        }
        parser->line += c == '\n';
        parser->at++;
    } while (depth > 0 && parser->at < parser->end);
    return depth > 0 ? fail_expected(parser, "a closing bracket") : ST_OK;
}

static Status skip_value(Parser *parser, JsonPart *out) {
    skip_blanks(parser);
    const char *begin = parser->at, first = begin < parser->end ? *begin : 0;
    *out = (JsonPart){.text = begin, .line = parser->line};
    if (first == '{' || first == '[') TRY(skip_brackets(parser));
    else if (first == '"') TRY(skip_string(parser));
    else skip_word(parser);
    out->length = (size_t)(parser->at - begin);
    return out->length > 0 ? ST_OK : fail_expected(parser, "a value");
}

JsonType json_part_type(const JsonPart *part) {
    const char first = part->length > 0 ? part->text[0] : 0;
    return first == '{'                   ? JSON_OBJECT
           : first == '['                 ? JSON_ARRAY
           : first == '"'                 ? JSON_STRING
           : first == 't' || first == 'f' ? JSON_BOOL
           : first == 'n'                 ? JSON_NULL
                                          : JSON_NUMBER;
}

Status json_walk(const JsonPart *part, JsonType type, JsonWalk *out) {
    const bool is_object = type == JSON_OBJECT;
    Parser parser = {.at = part->text, .end = part->text + part->length, .line = part->line};
    assert(type == JSON_ARRAY || type == JSON_OBJECT);
    skip_blanks(&parser);
    if (!take(&parser, is_object ? '{' : '[')) return fail_expected(&parser, is_object ? "an object" : "an array");
    *out = (JsonWalk){.at = parser.at, .end = parser.end, .line = parser.line, .is_object = is_object};
    return ST_OK;
}

static Status next_item(Parser *parser, const JsonWalk *walk, JsonPart *key, JsonPart *item) {
    if (!walk->is_object) return skip_value(parser, item);
    skip_blanks(parser);
    if (parser->at >= parser->end || *parser->at != '"') return fail_expected(parser, "a key in quotes");
    TRY(skip_value(parser, key));
    skip_blanks(parser);
    if (!take(parser, ':')) return fail_expected(parser, "':' behind a key");
    return skip_value(parser, item);
}

Status json_next(JsonWalk *walk, JsonPart *key, JsonPart *item, bool *more) {
    Parser parser = parser_of(walk);
    JsonPart unwanted;
    skip_blanks(&parser);
    *more = !take(&parser, walk->is_object ? '}' : ']');
    if (!*more) return ST_OK;
    if (walk->is_begun && !take(&parser, ','))
        return fail_expected(&parser, walk->is_object ? "',' or '}'" : "',' or ']'");
    TRY(next_item(&parser, walk, key ? key : &unwanted, item));
    walk->is_begun = true;
    walk->at = parser.at;
    walk->line = parser.line;
    return ST_OK;
}

static bool is_key(const JsonPart *key, const char *name) {
    const size_t length = strlen(name);
    return key->length == length + 2 && memcmp(key->text + 1, name, length) == 0;
}

Status json_fields(const JsonPart *object, const JsonField *fields, size_t n_fields) {
    JsonWalk walk;
    JsonPart key, item;
    bool more;
    for (size_t i = 0; i < n_fields; i++) *fields[i].part = (JsonPart){0};
    TRY(json_walk(object, JSON_OBJECT, &walk));
    for (;;) {
        TRY(json_next(&walk, &key, &item, &more));
        if (!more) return ST_OK;
        for (size_t i = 0; i < n_fields; i++) {
            if (!is_key(&key, fields[i].key)) continue;
            FAIL_IF(fields[i].part->text, ST_BAD, "line %d: expected each key once, got \"%s\" twice", key.line,
                    fields[i].key);
            *fields[i].part = item;
        }
    }
}

// ---- writer ----

// Called before every value and key: puts the comma, unless it is the first one or belongs to a key.
static void begin_value(JsonWriter *writer) {
    if (writer->after_key) writer->after_key = false;
    else if (writer->depth > 0 && !writer->first[writer->depth - 1]) text_add(writer->text, ", ");
    if (writer->depth > 0) writer->first[writer->depth - 1] = false;
}

static void begin_items(JsonWriter *writer, const char *bracket) {
    begin_value(writer);
    assert(writer->depth < (int)COUNT_OF(writer->first));
    writer->first[writer->depth++] = true;
    text_add(writer->text, "%s", bracket);
}

static void end_items(JsonWriter *writer, const char *bracket) {
    assert(writer->depth > 0 && !writer->after_key);
    writer->depth--;
    text_add(writer->text, "%s", bracket);
}

void json_begin_object(JsonWriter *writer) { begin_items(writer, "{"); }

void json_end_object(JsonWriter *writer) { end_items(writer, "}"); }

void json_begin_array(JsonWriter *writer) { begin_items(writer, "["); }

void json_end_array(JsonWriter *writer) { end_items(writer, "]"); }

// Bytes that are no UTF-8 (a file's name may hold any) become U+FFFD, so that the output is always well-formed.
static void add_quoted(Text *text, const char *value) {
    text_add(text, "\"");
    for (const char *at = value; *at;) {
        size_t length = 1, left = strnlen(at, 4);
        while (length <= left && !utf8_valid(at, length)) length++;
        if (length > left) {
            text_add(text, "\xef\xbf\xbd");
            length = 1;
        } else if (*at == '"' || *at == '\\') text_add(text, "\\%c", *at);
        else if (*at == '\n') text_add(text, "\\n");
        else if ((unsigned char)*at < 0x20 || *at == 0x7f) text_add(text, "\\u%04x", *at);
        else text_bytes(text, at, length);
        at += length;
    }
    text_add(text, "\"");
}

void json_key(JsonWriter *writer, const char *key) {
    begin_value(writer);
    add_quoted(writer->text, key);
    text_add(writer->text, ": ");
    writer->after_key = true;
}

void json_string(JsonWriter *writer, const char *value) {
    begin_value(writer);
    if (value) add_quoted(writer->text, value);
    else text_add(writer->text, "null");
}

void json_number(JsonWriter *writer, double value) {
    begin_value(writer);
    if (isfinite(value)) text_double(writer->text, value);
    else text_add(writer->text, "null");
}

void json_number_at(JsonWriter *writer, const char *key, double value) {
    json_key(writer, key);
    json_number(writer, value);
}
void json_integer(JsonWriter *writer, int64_t value) {
    begin_value(writer);
    text_add(writer->text, "%lld", (long long)value);
}

void json_bool(JsonWriter *writer, bool value) {
    begin_value(writer);
    text_add(writer->text, value ? "true" : "false");
}

void json_null(JsonWriter *writer) {
    begin_value(writer);
    text_add(writer->text, "null");
}

void json_value(JsonWriter *w, const Json *json) {
    switch (json->type) {
    case JSON_NULL: json_null(w); break;
    case JSON_BOOL: json_bool(w, json->boolean); break;
    case JSON_NUMBER: json_number(w, json->number); break;
    case JSON_STRING: json_string(w, json->string); break;
    case JSON_ARRAY:
        json_begin_array(w);
        for (size_t i = 0; i < json->count; i++) json_value(w, &json->items[i]);
        json_end_array(w);
        break;
    case JSON_OBJECT:
        json_begin_object(w);
        for (size_t i = 0; i < json->count; i++) json_key(w, json->keys[i]), json_value(w, &json->items[i]);
        json_end_object(w);
        break;
    }
}

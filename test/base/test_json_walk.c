// Walks through JSON that is too large to be held.
#include "base/json.h"
#include "base/rng.h"
#include "test.h"
#include <math.h>
#include <string.h>

static JsonPart document(const char *text) {
    JsonPart part;
    CHECK_OK(json_document(text, strlen(text), &part));
    return part;
}

// The items of an array or object behind each other: "KEY=TEXT;TEXT".
static Status list_items(const char *text, JsonType type, Text *out) {
    const JsonPart whole = document(text);
    JsonWalk walk;
    JsonPart key, item;
    bool more;
    TRY(json_walk(&whole, type, &walk));
    for (;;) {
        TRY(json_next(&walk, &key, &item, &more));
        if (!more) return ST_OK;
        if (type == JSON_OBJECT) text_add(out, "%.*s=", (int)key.length, key.text);
        text_add(out, "%.*s@%d;", (int)item.length, item.text, item.line);
    }
}

static void check_items(const char *text, JsonType type, const char *expected) {
    Text items = {0};
    CHECK_OK(list_items(text, type, &items));
    CHECK_TEXT(text_get(&items), expected);
    text_free(&items);
}

static void check_refused(const char *text, JsonType type, const char *message) {
    Text items = {0};
    CHECK_INT(list_items(text, type, &items), ST_BAD);
    CHECK_TEXT(error_message(), message);
    text_free(&items);
}

TEST(json_walk_gives_items) {
    check_items("[]", JSON_ARRAY, "");
    check_items(" [1, \"a,]\\\"\", {\"b\": [2]},\n null]", JSON_ARRAY, "1@1;\"a,]\\\"\"@1;{\"b\": [2]}@1;null@2;");
    check_items("{\"a\": 1,\"b\":\n[\"}\"] , \"a\": {} }", JSON_OBJECT, "\"a\"=1@1;\"b\"=[\"}\"]@2;\"a\"={}@2;");
}

TEST(json_walk_refuses) {
    check_refused("{}", JSON_ARRAY, "line 1: expected an array, got '{'");
    check_refused("", JSON_OBJECT, "line 1: expected an object, got the end of the text");
    check_refused("[1", JSON_ARRAY, "line 1: expected ',' or ']', got the end of the text");
    check_refused("[1 2]", JSON_ARRAY, "line 1: expected ',' or ']', got '2'");
    check_refused("[1,]", JSON_ARRAY, "line 1: expected a value, got ']'");
    check_refused("[,1]", JSON_ARRAY, "line 1: expected a value, got ','");
    check_refused("[{\"a\": [}]", JSON_ARRAY, "line 1: expected ']', got '}'");
    check_refused("[[1, 2]", JSON_ARRAY, "line 1: expected ',' or ']', got the end of the text");
    check_refused("[[1, 2", JSON_ARRAY, "line 1: expected a closing bracket, got the end of the text");
    check_refused("[\n\"a", JSON_ARRAY, "line 2: expected a closing quote, got the end of the text");
    check_refused("[\"a\\", JSON_ARRAY, "line 1: expected a closing quote, got the end of the text");
    check_refused("{1: 2}", JSON_OBJECT, "line 1: expected a key in quotes, got '1'");
    check_refused("{\"a\" 2}", JSON_OBJECT, "line 1: expected ':' behind a key, got '2'");
    JsonPart part;
    CHECK_INT(json_document("[\"\xff\"]", 5, &part), ST_BAD);
}

TEST(json_walk_has_a_depth) {
    char text[200];
    for (int depth = 64; depth <= 65; depth++) { // inside the array that is walked
        Text items = {0};
        snprintf(text, sizeof text, "[%.*s1%.*s]", depth,
                 "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", depth,
                 "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]");
        CHECK_INT(list_items(text, JSON_ARRAY, &items), depth == 64 ? ST_OK : ST_BAD);
        text_free(&items);
    }
    CHECK_TEXT(error_message(), "line 1: expected at most 64 nested brackets, got more");
}

TEST(json_fields_are_found) {
    const JsonPart whole = document("{\"a\": {\"c\": 1}, \"c\": [2], \"ab\": 3}");
    JsonPart a, b, c;
    CHECK_OK(json_fields(&whole, (const JsonField[]){{"a", &a}, {"b", &b}, {"c", &c}}, 3));
    CHECK(a.length == 8 && json_part_type(&a) == JSON_OBJECT);
    CHECK(!b.text && b.length == 0);
    CHECK(c.length == 3 && json_part_type(&c) == JSON_ARRAY);
    const JsonPart twice = document("{\"a\": 1, \"b\": 2, \"a\": 3}");
    CHECK_OK(json_fields(&twice, (const JsonField[]){{"b", &b}}, 1));
    CHECK_INT(json_fields(&twice, (const JsonField[]){{"a", &a}}, 1), ST_BAD);
    CHECK_TEXT(error_message(), "line 1: expected each key once, got \"a\" twice");
}

TEST(json_parts_are_parsed_as_python_writes) {
    Arena arena = {0};
    Json *json;
    const JsonPart part = document("[NaN, Infinity, -Infinity, -1]");
    CHECK_OK(json_parse_part(&arena, &part, &json));
    CHECK(isnan(json->items[0].number) && json->items[1].number == INFINITY && json->items[2].number == -INFINITY &&
          json->items[3].number == -1);
    CHECK_INT(json_parse(&arena, part.text, part.length, &json), ST_BAD);
    const JsonPart later = {"[1,]", 4, 7};
    CHECK_INT(json_parse_part(&arena, &later, &json), ST_BAD);
    CHECK_TEXT(error_message(), "line 7: expected a value, got ']'");
    arena_free(&arena);
}

// ---- what json_parse takes, a walk takes, and finds the same values

static void check_same(Arena *arena, const JsonPart *part, const Json *expected) {
    JsonWalk walk;
    JsonPart key, item;
    Json *json;
    bool more;
    const bool is_object = expected->type == JSON_OBJECT;
    CHECK_INT(json_part_type(part), expected->type);
    if (!is_object && expected->type != JSON_ARRAY) {
        CHECK_OK(json_parse_part(arena, part, &json));
        CHECK(json->number == expected->number && json->boolean == expected->boolean && json->line == expected->line);
        if (json->type == JSON_STRING) CHECK_TEXT(json->string, expected->string);
        return;
    }
    CHECK_OK(json_walk(part, expected->type, &walk));
    for (size_t i = 0; i < expected->count; i++) {
        CHECK_OK(json_next(&walk, &key, &item, &more));
        CHECK(more);
        check_same(arena, &item, &expected->items[i]);
        if (!is_object) continue;
        CHECK_OK(json_parse_part(arena, &key, &json));
        CHECK_TEXT(json->string, expected->keys[i]);
    }
    CHECK_OK(json_next(&walk, &key, &item, &more));
    CHECK(!more);
}

TEST(json_walk_agrees_with_the_parser) {
    static const char seed_text[] =
        "{\"a\": [1, -2.5e3, \"x\\u00e4\\\"y\"],\n \"b\": {\"c\": null, \"d\": [true, false, []]}, \"e\": {}}";
    static const char letters[] = "{}[]:,\"\\ 1a-\n";
    Rng rng;
    rng_seed(&rng, 5);
    int accepted = 0;
    for (int round = 0; round < 20000; round++) {
        size_t length = sizeof seed_text - 1;
        char text[sizeof seed_text];
        memcpy(text, seed_text, sizeof text);
        for (uint64_t change = rng_below(&rng, 3); change > 0; change--)
            text[rng_below(&rng, length)] = letters[rng_below(&rng, sizeof letters - 1)];
        Arena arena = {0};
        Json *json;
        if (json_parse(&arena, text, length, &json) == ST_OK) {
            JsonPart whole;
            CHECK_OK(json_document(text, length, &whole));
            while (whole.length > 0 && strchr(" \n", *whole.text)) {
                whole.line += *whole.text == '\n';
                whole.text++, whole.length--;
            }
            check_same(&arena, &whole, json);
            accepted++;
        }
        arena_free(&arena);
    }
    CHECK_MSG(accepted > 1000, "%d accepted", accepted);
}

#include "base/json.h"
#include "base/rng.h"
#include "test.h"

static Json *parse(Arena *arena, const char *text) {
    Json *json = NULL;
    Status status = json_parse(arena, text, strlen(text), &json);
    CHECK_MSG(status == ST_OK, "%s: %s", text, error_message());
    REQUIRE(json);
    return json;
}

static void refuse(const char *text, size_t length, const char *message) {
    Arena arena = {0};
    Json *json = NULL;
    CHECK_MSG(json_parse(&arena, text, length, &json) == ST_BAD, "took %s", text);
    if (message) CHECK_TEXT(error_message(), message);
    arena_free(&arena);
}

TEST(reads_every_type) {
    Arena arena = {0};
    const Json *json = parse(
        &arena,
        "\xef\xbb\xbf {\"a\": [1, -2.5e3, 0, true, false, null],\n \"b\": {\"c\": \"x\"}, \"d\": [], \"e\": {}}\n");
    CHECK_INT(json->type, JSON_OBJECT);
    CHECK_INT(json->count, 4);
    const Json *array = json_get(json, "a");
    REQUIRE(array && array->count == 6);
    CHECK(array->items[0].number == 1 && array->items[1].number == -2500 && array->items[2].number == 0);
    CHECK(array->items[3].boolean && !array->items[4].boolean && array->items[4].type == JSON_BOOL);
    CHECK_INT(array->items[5].type, JSON_NULL);
    const Json *inner = json_get(json_get(json, "b"), "c");
    REQUIRE(inner && inner->type == JSON_STRING);
    CHECK_TEXT(inner->string, "x");
    CHECK_INT(inner->line, 2);
    CHECK(!json_get(json, "missing") && !json_get(array, "a") && !json_get(NULL, "a"));
    CHECK_INT(json_get(json, "d")->count + json_get(json, "e")->count, 0);
    arena_free(&arena);
}

TEST(reads_escapes) {
    Arena arena = {0};
    const Json *json = parse(&arena, "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\u00e4\\u20AC\\ud83d\\ude00 \xc3\xa4\"");
    CHECK_TEXT(json->string, "\"\\/\b\f\n\r\tA\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80 \xc3\xa4");
    arena_free(&arena);
}

TEST(refuses_with_line_and_reason) {
#define REFUSE(text, message) refuse(text, sizeof(text) - 1, message)
    REFUSE("", "line 1: expected a value, got the end of the text");
    REFUSE("{\n\"a\" 1}", "line 2: expected ':' behind a key, got '1'");
    REFUSE("[1\n\n 2]", "line 3: expected ',' or ']', got '2'");
    REFUSE("{\"a\": 1,\n \"a\": 2}", "line 1: expected each key once, got \"a\" twice");
    REFUSE("[1] x", "line 1: expected the end of the text, got 'x'");
    REFUSE("[01]", "line 1: expected a number, got '01'");
    REFUSE("[\xc3\xa4]", "line 1: expected a value, got '\xc3\xa4'");
    REFUSE("\"abc", "line 1: expected a closing quote, got the end of the text");
    REFUSE("\"\xff\"", "line 1: expected UTF-8 text, got other bytes");
    static const char *const bad[] = {"[1,]",
                                      "{\"a\":1,}",
                                      "{a:1}",
                                      "[+1]",
                                      "[.5]",
                                      "[1.]",
                                      "[1e]",
                                      "[1e999]",
                                      "[-]",
                                      "nul",
                                      "tru",
                                      "[1 2]",
                                      "\"\\x\"",
                                      "\"\\u12\"",
                                      "\"\\u0000\"",
                                      "\"\\ud800\"",
                                      "\"\\ud800\\u0041\"",
                                      "\"\\udc00\"",
                                      "\"a\nb\"",
                                      "{\"a\"}",
                                      "[",
                                      "{",
                                      "\"\\",
                                      "NaN",
                                      "[Infinity]",
                                      "'a'",
                                      "{1: 2}"};
    for (size_t i = 0; i < COUNT_OF(bad); i++) refuse(bad[i], strlen(bad[i]), NULL);
    REFUSE("\0", NULL);
    REFUSE("[1\0]", NULL);
}

TEST(bounds) {
    char deep[200];
    for (int depth = 64; depth <= 65; depth++) {
        Arena arena = {0};
        Json *json;
        memset(deep, '[', (size_t)depth);
        memset(deep + depth, ']', (size_t)depth);
        CHECK_INT(json_parse(&arena, deep, (size_t)depth * 2, &json), depth == 64 ? ST_OK : ST_BAD);
        arena_free(&arena);
    }
    size_t items = 1000000, length = 2 * items + 1; // "[1,1,...,1]"; the array is a value as well
    char *many = mem_alloc(length);
    REQUIRE(many);
    for (size_t i = 0; i < length; i++) many[i] = i % 2 ? '1' : ',';
    many[0] = '[';
    many[length - 1] = ']';
    refuse(many, length, "line 1: expected at most 1000000 values, got more");
    many[length - 3] = ']';
    Arena arena = {0};
    Json *json;
    CHECK_OK(json_parse(&arena, many, length - 2, &json));
    CHECK_INT(json->count, items - 1);
    arena_free(&arena);
    mem_free(many);
}

// Every cut of a good document is refused, and no allocation that fails is overlooked.
TEST(cut_and_starved) {
    const char *text = "{\"a\": [1.5, \"\\u00e4\", {\"b\": null}], \"c\": true}";
    for (size_t length = 0; length < strlen(text); length++) {
        char *part = mem_alloc(length); // of exactly this size: an overrun is seen by the sanitizer
        REQUIRE(part);
        memcpy(part, text, length);
        refuse(part, length, NULL);
        mem_free(part);
    }
    Status status = ST_RESOURCE;
    int failures = 0;
    for (; status == ST_RESOURCE && failures < 100; failures++) {
        Arena arena = {0};
        Json *json;
        mem_fail_after(failures);
        status = json_parse(&arena, text, strlen(text), &json);
        mem_fail_after(-1);
        arena_free(&arena);
    }
    CHECK_INT(status, ST_OK);
    CHECK(failures > 2);
}

// Random damage: refused or read, never a crash.
TEST(mutated_text_does_no_harm) {
    static const char seed_text[] =
        "{\"a\": [1.5e-3, \"\\u00e4\\ud83d\\ude00\", {\"b\": null}], \"c\": [true, false, -0, []]}";
    static const char letters[] = "{}[],:\"\\u0d8ef-+.1 \n\xff";
    Rng rng;
    rng_seed(&rng, 7);
    int accepted = 0, rounds = test_long() ? 1000000 : 5000;
    for (int round = 0; round < rounds; round++) {
        size_t length = sizeof seed_text - 1 - rng_below(&rng, 3) * rng_below(&rng, 20);
        char *text = mem_alloc(length); // of exactly this size: an overrun is seen by the sanitizer
        REQUIRE(text);
        memcpy(text, seed_text, length);
        for (uint64_t change = rng_below(&rng, 4); change > 0; change--)
            text[rng_below(&rng, length)] = letters[rng_below(&rng, sizeof letters - 1)];
        Arena arena = {0};
        Json *json;
        accepted += json_parse(&arena, text, length, &json) == ST_OK;
        arena_free(&arena);
        mem_free(text);
    }
    CHECK_MSG(accepted > rounds / 50 && accepted < rounds, "%d of %d accepted", accepted, rounds);
}

TEST(writes) {
    Text text = {0};
    JsonWriter writer = {.text = &text};
    json_begin_object(&writer);
    json_key(&writer, "a\"b");
    json_begin_array(&writer);
    json_integer(&writer, INT64_MIN);
    json_number(&writer, 0.5);
    json_number(&writer, NAN);
    json_bool(&writer, true);
    json_null(&writer);
    json_string(&writer, NULL);
    json_begin_object(&writer);
    json_end_object(&writer);
    json_end_array(&writer);
    json_key(&writer, "s");
    json_string(&writer, "\\ \n\x1f\x7f \xc3\xa4 \xff\xe2\x82");
    json_end_object(&writer);
    CHECK_TEXT(text_get(&text), "{\"a\\\"b\": [-9223372036854775808, 0.5, null, true, null, null, {}], "
                                "\"s\": \"\\\\ \\n\\u001f\\u007f \xc3\xa4 \xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"}");
    Arena arena = {0};
    const Json *back = parse(&arena, text.data);
    CHECK(json_get(back, "a\"b")->items[0].number == -0x1p63);
    arena_free(&arena);
    text_free(&text);
}

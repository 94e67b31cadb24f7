// JSON, and the files that are made of it: the pipeline, the results that `segment --resume` reads back, and the
// profile that `profile --versus` does.
#include "app/pipeline.h"
#include "app/segment_results.h"
#include "app/versus.h"
#include "fuzz/fuzz.h"
#include <string.h>

static void write_value(JsonWriter *writer, const Json *json) {
    switch (json->type) {
    case JSON_NULL: json_null(writer); break;
    case JSON_BOOL: json_bool(writer, json->boolean); break;
    case JSON_NUMBER: json_number(writer, json->number); break;
    case JSON_STRING: json_string(writer, json->string); break;
    case JSON_ARRAY:
        json_begin_array(writer);
        for (size_t i = 0; i < json->count; i++) write_value(writer, &json->items[i]);
        json_end_array(writer);
        break;
    case JSON_OBJECT:
        json_begin_object(writer);
        for (size_t i = 0; i < json->count; i++) json_key(writer, json->keys[i]), write_value(writer, &json->items[i]);
        json_end_object(writer);
        break;
    }
}

static void print_json(const Json *json, Text *text) {
    JsonWriter writer = {.text = text};
    write_value(&writer, json);
}

// A walk reads all of it; with what it passes over unread it may take more than the parser, and never less.
static Status walk_json(Arena *arena, const JsonPart *part, int depth) {
    const JsonType type = json_part_type(part);
    JsonWalk walk;
    JsonPart key, item;
    Json *json;
    bool more;
    if (depth > 70 || (type != JSON_ARRAY && type != JSON_OBJECT)) return json_parse_part(arena, part, &json);
    TRY(json_walk(part, type, &walk));
    for (;;) {
        TRY(json_next(&walk, &key, &item, &more));
        if (!more) return ST_OK;
        if (type == JSON_OBJECT) TRY(json_parse_part(arena, &key, &json));
        TRY(walk_json(arena, &item, depth + 1));
    }
}

static void check_walk(const uint8_t *data, size_t size, Status parsed) {
    Arena arena = {.limit = (size_t)1 << 28};
    JsonPart whole;
    Status status = json_document((const char *)data, size, &whole);
    while (status == ST_OK && whole.length > 0 && memchr(" \t\r\n", *whole.text, 4)) whole.text++, whole.length--;
    if (status == ST_OK) status = walk_json(&arena, &whole, 0);
    FUZZ_REQUIRE(parsed != ST_OK || status == ST_OK);
    arena_free(&arena);
    error_clear();
}

// What was read and written again reads back, and is then written the same.
int fuzz_json(const uint8_t *data, size_t size) {
    Arena arena = {0};
    Json *json = NULL, *again = NULL;
    Text first = {0}, second = {0};
    const Status status = json_parse(&arena, (const char *)data, size, &json);
    if (status == ST_OK) {
        print_json(json, &first);
        FUZZ_REQUIRE(json_parse(&arena, text_get(&first), first.length, &again) == ST_OK);
        print_json(again, &second);
        FUZZ_REQUIRE(!strcmp(text_get(&first), text_get(&second)));
    }
    fuzz_check(status);
    check_walk(data, size, status);
    text_free(&first);
    text_free(&second);
    arena_free(&arena);
    return 0;
}

int fuzz_pipeline(const uint8_t *data, size_t size) {
    Arena arena = {0};
    Pipeline pipeline, again;
    Text first = {0}, second = {0};
    const Status status = pipeline_parse((const char *)data, size, &arena, &pipeline);
    if (status == ST_OK) {
        pipeline_print(&pipeline, &first);
        FUZZ_REQUIRE(pipeline_parse(text_get(&first), first.length, &arena, &again) == ST_OK);
        pipeline_print(&again, &second);
        FUZZ_REQUIRE(!strcmp(text_get(&first), text_get(&second)));
    }
    fuzz_check(status);
    text_free(&first);
    text_free(&second);
    arena_free(&arena);
    return 0;
}

int fuzz_results(const uint8_t *data, size_t size) {
    SegmentResults results;
    fuzz_file("results.json", data, size);
    fuzz_check(results_open(fuzz_folder(), "results.json", 1, &results));
    const Status status = results_read_earlier(&results, true);
    if (status == ST_OK) {
        for (size_t i = 0; i < results.n_earlier; i++) {
            const EarlierResult *found = results_find(&results, results.earlier[i].path);
            FUZZ_REQUIRE(found == &results.earlier[i]);
        }
        fuzz_check(results_write(&results));
    }
    fuzz_check(status);
    results_close(&results);
    return 0;
}

// What was read is lined up with itself: nothing differs.
int fuzz_profile(const uint8_t *data, size_t size) {
    Arena arena = {0};
    LayerProfile profile;
    struct stent_result *result = NULL;
    const Status status = layer_profile_parse((const char *)data, size, &arena, &profile);
    if (status == ST_OK) {
        profile.name = "saved.json";
        fuzz_check(result_begin("profile", NULL, &(stent_options){.size = sizeof(stent_options)}, &result));
        fuzz_check(tell_versus(&profile, &profile, result));
        FUZZ_REQUIRE(!strstr(stent_result_json(result), "\"reasons\": [\""));
        fuzz_check(result_finish(result, ST_OK, NULL));
    }
    fuzz_check(status);
    arena_free(&arena);
    return 0;
}

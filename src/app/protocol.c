#include "app/protocol.h"
#include "base/clock.h"
#include "report/protocol.h"
#include <string.h>

// Who said what the answer of the self-check is.
static const char *self_check_by(const SelfCheck *check) {
    if (!check->n_outputs) return "none";
    return check->from_reference ? "by the reference"
                                 : "by the strict path, itself checked against the reference on a crop";
}
// What verify does not print: the package's file, the date, how it was made, its pipeline.
static Status facts_of(const Package *package, const char *path, Arena *arena, Json **out) {
    char date[24];
    Json *description, *pipeline;
    Text text = {0};
    JsonWriter w = {.text = &text};
    TRY(json_parse(arena, package->description, strlen(package->description), &description));
    TRY(json_parse(arena, package->pipeline, strlen(package->pipeline), &pipeline));
    clock_date(date);
    json_begin_object(&w);
    json_key(&w, "file"), json_string(&w, path_name(path));
    json_key(&w, "date"), json_string(&w, date);
    json_key(&w, "self_check"), json_string(&w, self_check_by(&package->check));
    json_key(&w, "made"), put_made(&w, description, package);
    json_key(&w, "pipeline"), json_value(&w, pipeline);
    json_end_object(&w);
    Status status = text_status(&text);
    if (status == ST_OK) status = json_parse(arena, text_get(&text), text.length, out);
    text_free(&text);
    return status;
}
// The result's object is still open.
static Status parse_result(const struct stent_result *result, Arena *arena, Json **out) {
    Text whole = {0};
    text_add(&whole, "%s}", text_get(&result->json));
    Status status = result->json.failed ? fail_memory(result->json.capacity) : text_status(&whole);
    if (status == ST_OK) status = json_parse(arena, text_get(&whole), whole.length, out);
    text_free(&whole);
    return status;
}
Status protocol_write(const Opened *opened, const char *package, const struct stent_result *result, const char *path) {
    Arena arena = {0};
    Text page = {0};
    Json *verified, *facts;
    Status status = parse_result(result, &arena, &verified);
    if (status == ST_OK) status = facts_of(opened->package, package, &arena, &facts);
    if (status == ST_OK) status = protocol_html(verified, facts, &page);
    if (status == ST_OK) status = file_write(path, text_get(&page), page.length);
    text_free(&page);
    arena_free(&arena);
    return status;
}

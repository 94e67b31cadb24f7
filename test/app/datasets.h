// Small data sets for the tests of eval, and what it says of them. The network is the identity on 8x8 grey pictures:
// its mask is where the picture is above 0.5 of white.
#pragma once
#include "app/app.h"
#include "app/pictures.h"
#include <unistd.h>

static inline const char *eval_package(void) {
    return compile_to("net.stent", identity_net("net.onnx", "1,1,8,8"),
                      "{\"output\": {\"activation\": \"none\", \"threshold\": 0.5, \"classes\": [\"background\", "
                      "\"object\"]}}");
}
static inline stent_eval_options eval_options(void) {
    stent_eval_options options = STENT_OPTIONS(stent_eval_options);
    options.common.size = sizeof options.common;
    options.common.threads = 1;
    options.threshold = -1;
    options.bootstrap = 20;
    own_home();
    return options;
}
// Runs and keeps the JSON of the result (NULL: none), as long as the test lasts.
static inline const Json *eval_paths(const char *package, const char *const *paths, int n,
                                     const stent_eval_options *options, stent_status expected) {
    static Arena arena;
    stent_result *result = NULL;
    Json *json = NULL;
    const stent_status status = stent_eval(package, paths, n, options, &result);
    if (status != expected) test_failed(__FILE__, __LINE__, "status %d: %s", status, stent_message());
    if (result) {
        const char *text = arena_string(&arena, stent_result_json(result));
        REQUIRE(text);
        CHECK_OK(json_parse(&arena, text, strlen(text), &json));
        CHECK(*stent_result_text(result));
    }
    stent_result_free(result);
    return json;
}
static inline const Json *eval_of(const char *package, const char *data, const stent_eval_options *options,
                                  stent_status expected) {
    return eval_paths(package, &data, 1, options, expected);
}
static inline double eval_number(const Json *json, const char *key) {
    const Json *value = json ? json_get(json, key) : NULL;
    return value && value->type == JSON_NUMBER ? value->number : NAN;
}
static inline const char *eval_text(const Json *json, const char *key) {
    const Json *value = json ? json_get(json, key) : NULL;
    return value && value->type == JSON_STRING ? value->string : "";
}
// The item of a list whose `key` is `wanted`; NULL: none.
static inline const Json *eval_item(const Json *json, const char *list, const char *key, const char *wanted) {
    const Json *items = json ? json_get(json, list) : NULL;
    for (size_t i = 0; items && i < items->count; i++)
        if (!strcmp(eval_text(&items->items[i], key), wanted)) return &items->items[i];
    return NULL;
}
static inline bool eval_assumes(const Json *json, const char *part) {
    const Json *items = json ? json_get(json, "assumed") : NULL;
    for (size_t i = 0; items && i < items->count; i++)
        if (strstr(items->items[i].string, part)) return true;
    return false;
}
// A fault of this word is told of this file.
static inline void check_fault(const Json *json, const char *file, const char *fault) {
    const Json *faults = json ? json_get(json, "faults") : NULL;
    const char *got = "none";
    for (size_t i = 0; faults && i < faults->count; i++) {
        if (strcmp(eval_text(&faults->items[i], "file"), file)) continue;
        got = eval_text(&faults->items[i], "fault");
        CHECK_MSG(*eval_text(&faults->items[i], "message"), "%s: no message", file);
        if (!strcmp(got, fault)) return;
    }
    test_failed(__FILE__, __LINE__, "%s: expected the fault '%s', got '%s'", file, fault, got);
}

static inline void put_samples(const char *path, int64_t side, const uint8_t *samples) {
    Arena arena = {0};
    const char *folder = path_folder(&arena, path);
    REQUIRE(folder);
    CHECK_OK(folder_make(folder));
    write_u8(path, side, side, 1, samples);
    arena_free(&arena);
}
static inline bool in_square(int64_t i, int64_t side, int64_t first, int64_t end) {
    const int64_t y = i / side, x = i % side;
    return y >= first && y < end && x >= first && x < end;
}
// A picture with a bright square, and noise below the threshold that makes it one of its kind.
static inline void put_picture(const char *path, int64_t side, int64_t first, int64_t end, unsigned seed) {
    uint8_t samples[64 * 64];
    REQUIRE(side <= 64);
    for (int64_t i = 0; i < side * side; i++) {
        seed = seed * 1664525 + 1013904223;
        samples[i] = in_square(i, side, first, end) ? 255 : (uint8_t)(seed >> 26);
    }
    put_samples(path, side, samples);
}
static inline void put_mask(const char *path, int64_t side, int64_t first, int64_t end, uint8_t value) {
    uint8_t samples[64 * 64];
    REQUIRE(side <= 64);
    for (int64_t i = 0; i < side * side; i++) samples[i] = in_square(i, side, first, end) ? value : 0;
    put_samples(path, side, samples);
}
// Patient and slice of the kaggle layout: the mask is rows and columns first..end-1, the truth begins at `truth`.
static inline void put_pair(const char *folder, const char *patient, int slice, int64_t first, int64_t truth,
                            int64_t end) {
    char name[128];
    snprintf(name, sizeof name, "%s/%s_%d.tif", patient, patient, slice);
    unsigned seed = (unsigned)slice * 7919;
    for (const char *at = patient; *at; at++) seed = seed * 31 + (unsigned char)*at;
    put_picture(in_folder(folder, name), 8, first, end, seed);
    snprintf(name, sizeof name, "%s/%s_%d_mask.tif", patient, patient, slice);
    put_mask(in_folder(folder, name), 8, truth, end, 255);
}
// Three patients, 3 + 2 + 1 slices. Dice: A 1, 0.72, both empty; B 1, only the mask has something; C 0.72.
static inline const char *put_dataset(const char *name) {
    const char *folder = test_temp(name);
    put_pair(folder, "A", 1, 2, 2, 6), put_pair(folder, "A", 2, 2, 3, 6), put_pair(folder, "A", 10, 0, 0, 0);
    put_pair(folder, "B", 1, 1, 1, 7), put_pair(folder, "B", 2, 3, 5, 5);
    put_pair(folder, "C", 1, 2, 3, 6);
    return folder;
}

// segment from end to end, on networks whose answer is known.
#include "app/app.h"
#include "app/pictures.h"
#include <unistd.h>

static stent_segment_options options_for(const char *output) {
    stent_segment_options options = STENT_OPTIONS(stent_segment_options);
    options.common.size = sizeof options.common;
    options.common.threads = 1;
    options.output = output;
    options.threshold = -1;
    own_home();
    return options;
}
// Runs and keeps the JSON of the result (NULL: none) until the next call.
static const Json *run(const char *package, const char *path, const stent_segment_options *options,
                       stent_status expected) {
    static Arena arena;
    stent_result *result;
    Json *json = NULL;
    arena_free(&arena);
    const stent_status status = stent_segment(package, &path, 1, options, &result);
    CHECK_MSG(status == expected, "status %d: %s", status, stent_message());
    if (result) CHECK_OK(json_parse(&arena, stent_result_json(result), strlen(stent_result_json(result)), &json));
    stent_result_free(result);
    return json;
}
static double number(const Json *json, const char *key) {
    const Json *value = json_get(json, key);
    return value && value->type == JSON_NUMBER ? value->number : NAN;
}
static const char *text(const Json *json, const char *key) {
    const Json *value = json_get(json, key);
    return value && value->type == JSON_STRING ? value->string : "";
}
// Line i of a results file, in `arena`; NULL beyond the last.
static const Json *line_of(const char *path, int i, Arena *arena) {
    uint8_t *bytes;
    size_t size;
    Json *json = NULL;
    CHECK_OK(file_read(path, 1 << 20, &bytes, &size));
    char *at = (char *)bytes;
    for (; i > 0 && at; i--) at = strchr(at, '\n') ? strchr(at, '\n') + 1 : NULL;
    if (at && *at) CHECK_OK(json_parse(arena, at, strcspn(at, "\n"), &json));
    mem_free(bytes);
    return json;
}
static void check_square(const char *path, int64_t side, int64_t first, int64_t end) {
    ImageShape shape;
    float *mask = read_floats(path, &shape);
    CHECK_INT(shape.height, side);
    CHECK_INT(shape.width, side);
    CHECK_INT(shape.channels, 1);
    for (int64_t i = 0; i < side * side && shape.height == side && shape.width == side; i++) {
        const int64_t y = i / side, x = i % side;
        const float expected = y >= first && y < end && x >= first && x < end ? 255 : 0;
        CHECK_MSG(mask[i] == expected, "%s: (%lld, %lld): got %g", path, (long long)y, (long long)x, (double)mask[i]);
    }
    free(mask);
}
static const char *plain_package(void) { return compile_to("net.stent", identity_net("net.onnx", "1,1,8,8"), NULL); }

TEST(segment_writes_masks_and_results) {
    const char *package = plain_package(), *in = test_temp("in"), *out = test_temp("out");
    Arena arena = {0};
    CHECK_OK(folder_make(in_folder(in, "p1")));
    write_square(in_folder(in, "p1/s_10.png"), 8, 100, 2, 5);
    write_square(in_folder(in, "p1/s_9.png"), 8, 100, 0, 1);
    stent_segment_options options = options_for(out);
    const Json *json = run(package, in, &options, STENT_OK);
    CHECK(number(json, "done") == 2 && number(json, "failed") == 0 && number(json, "area_px") == 10);
    check_square(in_folder(out, "p1/s_10.png"), 8, 2, 5);
    check_square(in_folder(out, "p1/s_9.png"), 8, 0, 1);
    const Json *first = line_of(in_folder(out, "results.json"), 0, &arena),
               *second = line_of(in_folder(out, "results.json"), 1, &arena);
    CHECK_TEXT(text(first, "path"), in_folder(in, "p1/s_9.png"));
    CHECK_TEXT(text(second, "path"), in_folder(in, "p1/s_10.png"));
    CHECK_TEXT(text(second, "status"), "ok");
    CHECK(number(second, "area_px") == 9 && number(second, "ms") > 0 && strlen(text(second, "hash")) == 64);
    static const char *const keys[] = {"verb",      "stent",     "model",   "content_hash",
                                       "plan_hash", "precision", "options", "mask"};
    for (size_t i = 0; i < COUNT_OF(keys); i++) CHECK_MSG(*text(second, keys[i]), "%s is missing", keys[i]);
    CHECK(*text(json_get(second, "machine"), "isa") && number(json_get(second, "machine"), "threads") == 1);
    CHECK(!line_of(in_folder(out, "results.json"), 2, &arena));
    CHECK(!is_there(out, "p1/s_9_overlay.png") && !is_there(out, "p1/s_9_prob.tif"));
    arena_free(&arena);
}

TEST(segment_writes_overlays_and_probabilities) {
    const char *package =
        compile_to("net.stent", identity_net("net.onnx", "1,1,8,8"), "{\"output\": {\"activation\": \"sigmoid\"}}");
    const char *in = test_temp("a.png"), *out = test_temp("out");
    ImageShape shape;
    write_square(in, 8, 0, 2, 5);
    stent_segment_options options = options_for(out);
    options.overlay = options.prob = true, options.format = "tif", options.threshold = 0.6;
    run(package, in, &options, STENT_OK);
    check_square(in_folder(out, "a.tif"), 8, 2, 5);
    float *prob = read_floats(in_folder(out, "a_prob.tif"), &shape);
    CHECK(shape.type == SAMPLE_F32 && shape.depth == 1 && shape.height == 8);
    CHECK(prob[0] == 0.5f && fabsf(prob[2 * 8 + 2] - 0.731058579f) < 1e-6f);
    free(prob);
    float *overlay = read_floats(in_folder(out, "a_overlay.png"), &shape);
    CHECK(shape.channels == 3 && shape.height == 8);
    CHECK(overlay[0] == 0 && overlay[(3 * 8 + 3) * 3] == 255 &&
          overlay[(2 * 8 + 2) * 3 + 2] == 0); // outline is not grey
    free(overlay);
    options.threshold = 0.8; // beyond every probability
    CHECK(number(run(package, in, &options, STENT_OK), "area_px") == 0);
}

TEST(segment_goes_on_after_a_bad_picture) {
    const char *package = plain_package(), *in = test_temp("in"), *out = test_temp("out");
    Arena arena = {0};
    CHECK_OK(folder_make(in));
    write_square(in_folder(in, "1.png"), 8, 0, 2, 5);
    CHECK_OK(file_write(in_folder(in, "2.png"), "no picture", 10));
    write_square(in_folder(in, "3.png"), 9, 0, 2, 5); // another size
    write_square(in_folder(in, "4.png"), 8, 0, 2, 5);
    stent_segment_options options = options_for(out);
    const Json *json = run(package, in, &options, STENT_BAD);
    CHECK(strstr(stent_message(), "2 of 4 pictures could not be read: first ") && strstr(stent_message(), "2.png"));
    CHECK(number(json, "done") == 2 && number(json, "failed") == 2);
    CHECK(is_there(out, "1.png") && !is_there(out, "2.png") && !is_there(out, "3.png") && is_there(out, "4.png"));
    const Json *bad = line_of(in_folder(out, "results.json"), 2, &arena);
    CHECK_TEXT(text(bad, "status"), "bad");
    CHECK(strstr(text(bad, "error"), "8x8") && strstr(text(bad, "error"), "9x9") &&
          strstr(text(bad, "error"), "3.png"));
    arena_free(&arena);
}

TEST(segment_resumes) {
    const char *package = plain_package(), *in = test_temp("in"), *out = test_temp("out");
    CHECK_OK(folder_make(in));
    write_square(in_folder(in, "1.png"), 8, 0, 2, 5);
    write_square(in_folder(in, "2.png"), 8, 0, 2, 5);
    write_square(in_folder(in, "3.png"), 8, 0, 2, 5);
    stent_segment_options options = options_for(out);
    run(package, in, &options, STENT_OK);
    const Json *json = run(package, in, &options, STENT_OK); // not asked for
    CHECK(number(json, "done") == 3);
    options.resume = true;
    json = run(package, in, &options, STENT_OK);
    CHECK(number(json, "done") == 0 && number(json, "skipped") == 3);
    unlink(in_folder(out, "1.png"));
    write_square(in_folder(in, "2.png"), 8, 0, 3, 5);
    CHECK(number(run(package, in, &options, STENT_OK), "done") == 2); // a lost mask, a changed picture
    check_square(in_folder(out, "2.png"), 8, 3, 5);
    options.threshold = 0.4;
    CHECK(number(run(package, in, &options, STENT_OK), "done") == 3);
    const char *other = compile_to(
        "other.stent", pointwise_net("other.onnx", "1,1,8,8", 1, 1, (const float[]){2}, (const float[]){0}), NULL);
    CHECK(number(run(other, in, &options, STENT_OK), "done") == 3);
    CHECK(number(run(other, in, &options, STENT_OK), "skipped") == 3);
    // A torn last line, as after a power cut, costs its picture only. Lines of pictures that are not asked for stay.
    uint8_t *bytes;
    size_t size;
    Arena arena = {0};
    CHECK_OK(file_read(in_folder(out, "results.json"), 1 << 20, &bytes, &size));
    CHECK_OK(file_write(in_folder(out, "results.json"), bytes, size - 20));
    mem_free(bytes);
    CHECK(number(run(other, in_folder(in, "2.png"), &options, STENT_OK), "skipped") == 1);
    CHECK_TEXT(text(line_of(in_folder(out, "results.json"), 0, &arena), "path"), in_folder(in, "1.png"));
    CHECK(!line_of(in_folder(out, "results.json"), 2, &arena));
    json = run(other, in, &options, STENT_OK);
    CHECK(number(json, "skipped") == 2 && number(json, "done") == 1);
    arena_free(&arena);
}

TEST(segment_shards_are_disjoint_and_complete) {
    const char *package = plain_package(), *in = test_temp("in"), *out = test_temp("out");
    CHECK_OK(folder_make(in));
    for (int i = 1; i <= 5; i++) {
        char name[16];
        snprintf(name, sizeof name, "%d.png", i);
        write_square(in_folder(in, name), 8, 0, 2, 5);
    }
    stent_segment_options options = options_for(out);
    options.shards = 2, options.shard = 2;
    CHECK(number(run(package, in, &options, STENT_OK), "done") == 2);
    CHECK(!is_there(out, "1.png") && is_there(out, "2.png") && !is_there(out, "3.png") && is_there(out, "4.png"));
    CHECK(is_there(out, "results-2-of-2.json") && !is_there(out, "results.json"));
    options.shard = 1;
    CHECK(number(run(package, in, &options, STENT_OK), "done") == 3);
    options.shard = options.shards = 0, options.resume = true; // all together
    CHECK(number(run(package, in, &options, STENT_OK), "skipped") == 5);
    options.shard = 3, options.shards = 2;
    run(package, in, &options, STENT_USAGE);
}

TEST(segment_repeats_grey_for_colour_networks) {
    const float weights[] = {1, 1, 1}, bias[] = {-2.5f};
    const char *package = compile_to("net.stent", pointwise_net("net.onnx", "1,3,8,8", 3, 1, weights, bias), NULL);
    const char *in = test_temp("a.png"), *out = test_temp("out");
    Arena arena = {0};
    write_square(in, 8, 200, 2, 5); // 3 * 255 / 255 - 2.5 = 0.5; 3 * 200 / 255 - 2.5 = -0.15
    stent_segment_options options = options_for(out);
    options.threshold = 0.4;
    run(package, in, &options, STENT_OK);
    check_square(in_folder(out, "a.png"), 8, 2, 5);
    CHECK(strstr(text(line_of(in_folder(out, "results.json"), 0, &arena), "note"), "grey"));
    arena_free(&arena);
    uint8_t rgb[8 * 8 * 3] = {0};
    const char *grey = compile_to("grey.stent", identity_net("grey.onnx", "1,1,8,8"), NULL),
               *colour = test_temp("c.png");
    write_u8(colour, 8, 8, 3, rgb);
    run(grey, colour, &options, STENT_BAD);
    CHECK(strstr(stent_message(), "expected 1 channels"));
}

// What goes in comes out again at its own place: smaller and larger than the network, padded and resized.
TEST(segment_undoes_padding_and_resizing) {
    const char *in = test_temp("in"), *out = test_temp("out");
    CHECK_OK(folder_make(in));
    write_square(in_folder(in, "small.png"), 5, 0, 1, 4);
    write_square(in_folder(in, "large.png"), 13, 0, 4, 9);
    stent_segment_options options = options_for(out);
    const char *net = identity_net("net.onnx", "1,1,8,8");
    run(compile_to("pad.stent", net, "{\"input\": {\"resize\": \"pad\"}}"), in, &options, STENT_OK);
    check_square(in_folder(out, "small.png"), 5, 1, 4);
    check_square(in_folder(out, "large.png"), 13, 4, 9);
    write_square(in_folder(in, "small.png"), 4, 0, 0, 2);
    write_square(in_folder(in, "large.png"), 16, 0, 8, 16);
    run(compile_to("resize.stent", net, "{\"input\": {\"resize\": \"bilinear\"}}"), in, &options, STENT_OK);
    check_square(in_folder(out, "small.png"), 4, 0, 2);
    check_square(in_folder(out, "large.png"), 16, 8, 16);
}

TEST(segment_opens_free_networks_for_each_size) {
    const char *package = compile_to("net.stent", identity_net("net.onnx", "N,1,H,W"), NULL);
    const char *in = test_temp("in"), *out = test_temp("out");
    Arena arena = {0};
    CHECK_OK(folder_make(in));
    write_square(in_folder(in, "1.png"), 5, 0, 1, 4);
    write_square(in_folder(in, "2.png"), 5, 0, 2, 4);
    write_square(in_folder(in, "3.png"), 12, 0, 4, 9);
    write_u8(in_folder(in, "4.png"), 2, 12, 1, (const uint8_t[24]){[3] = 255, [13] = 255});
    stent_segment_options options = options_for(out);
    CHECK(number(run(package, in, &options, STENT_OK), "area_px") == 9 + 4 + 25 + 2);
    check_square(in_folder(out, "2.png"), 5, 2, 4);
    check_square(in_folder(out, "3.png"), 12, 4, 9);
    const char *lines = in_folder(out, "results.json");
    CHECK(!strcmp(text(line_of(lines, 0, &arena), "plan_hash"), text(line_of(lines, 1, &arena), "plan_hash")));
    CHECK(strcmp(text(line_of(lines, 0, &arena), "plan_hash"), text(line_of(lines, 2, &arena), "plan_hash")));
    arena_free(&arena);
}

TEST(segment_writes_class_numbers) {
    // Three classes: dark, middle, bright: 0.5 - x, 0.25, x - 0.5.
    const float weights[] = {-1, 0, 1}, bias[] = {0.5f, 0.25f, -0.5f};
    const char *package = compile_to("net.stent", pointwise_net("net.onnx", "1,1,2,3", 1, 3, weights, bias),
                                     "{\"output\": {\"activation\": \"softmax\", \"classes\": [\"a\", \"b\", \"c\"]}}");
    const char *in = test_temp("a.png"), *out = test_temp("out");
    ImageShape shape;
    write_u8(in, 2, 3, 1, (const uint8_t[]){0, 128, 255, 255, 140, 10});
    stent_segment_options options = options_for(out);
    options.prob = true;
    run(package, in, &options, STENT_OK);
    float *mask = read_floats(in_folder(out, "a.png"), &shape);
    CHECK(mask[0] == 0 && mask[1] == 1 && mask[2] == 2 && mask[3] == 2 && mask[4] == 1 && mask[5] == 0);
    free(mask);
    float *prob = read_floats(in_folder(out, "a_prob.tif"), &shape);
    CHECK_INT(shape.depth, 3);
    for (int i = 0; i < 6; i++) CHECK(fabsf(prob[i] + prob[6 + i] + prob[12 + i] - 1) < 1e-6f);
    CHECK(prob[0] > prob[6] && prob[6] > prob[12]);
    free(prob);
}

TEST(segment_runs_networks_with_channels_last) {
    OnnxFile file = onnx_file(13);
    const float weights[] = {1, 0, 0}; // red only
    onnx_input(&file, "x", FLOAT32, "1,8,8,3");
    onnx_floats(&file, "w", "1,3,1,1", weights, 3);
    onnx_node(&file, "Transpose", "x", "t", "perm=[0,3,1,2]");
    onnx_node(&file, "Conv", "t w", "c", "");
    onnx_node(&file, "Transpose", "c", "y", "perm=[0,2,3,1]");
    onnx_output(&file, "y");
    const char *package = compile_to("net.stent", onnx_save(&file, "net.onnx"), NULL), *in = test_temp("a.png"),
               *out = test_temp("out");
    uint8_t rgb[8][8][3];
    for (int y = 0; y < 8; y++)
        for (int x = 0; x < 8; x++)
            rgb[y][x][0] = y >= 2 && y < 6 && x >= 2 && x < 6 ? 255 : 0, rgb[y][x][1] = 255, rgb[y][x][2] = 200;
    write_u8(in, 8, 8, 3, &rgb[0][0][0]);
    stent_segment_options options = options_for(out);
    run(package, in, &options, STENT_OK);
    check_square(in_folder(out, "a.png"), 8, 2, 6);
}

// Two flat slices of 10 and 30: one by one zscore gives 0, over the folder -1 and 1.
TEST(segment_normalises_over_a_folder_or_over_pages) {
    const char *pipeline = "{\"input\": {\"scale\": 1, \"normalise\": \"zscore\", \"scope\": \"volume\"}}";
    const char *package = compile_to("net.stent", identity_net("net.onnx", "1,1,4,4"), pipeline);
    const char *in = test_temp("in"), *out = test_temp("out");
    ImageShape shape;
    CHECK_OK(folder_make(in_folder(in, "other")));
    write_square(in_folder(in, "1.png"), 4, 10, 0, 0);
    write_square(in_folder(in, "2.png"), 4, 30, 0, 0);
    CHECK_OK(file_write(in_folder(in, "3.png"), "broken", 6));
    write_square(in_folder(in, "other/1.png"), 4, 200, 0, 0);
    uint8_t pages[3 * 16];
    memset(pages, 1, 16), memset(pages + 16, 1, 16), memset(pages + 32, 4, 16); // mean 2, std sqrt(2)
    const ImageShape volume = {.width = 4, .height = 4, .depth = 3, .channels = 1, .type = SAMPLE_U8};
    CHECK_OK(image_save(in_folder(in, "pages.tif"), &volume, IMAGE_PACKED, pages));
    stent_segment_options options = options_for(out);
    options.prob = true;
    run(package, in, &options, STENT_BAD); // 3.png
    static const char *const names[] = {"1_prob.tif", "2_prob.tif", "other/1_prob.tif"};
    static const float expected[] = {-1, 1, 0};
    for (int i = 0; i < 3; i++) {
        float *prob = read_floats(in_folder(out, names[i]), &shape);
        CHECK_MSG(prob[5] == expected[i], "%s: got %g", names[i], (double)prob[5]);
        free(prob);
    }
    float *prob = read_floats(in_folder(out, "pages_prob.tif"), &shape);
    CHECK(shape.depth == 3 && fabsf(prob[0] + 0.70710678f) < 1e-6f && fabsf(prob[32] - 1.41421356f) < 1e-6f);
    free(prob);
    float *mask = read_floats(in_folder(out, "pages.tif"), &shape); // PNG holds no pages
    CHECK(shape.depth == 3 && mask[0] == 0 && mask[32] == 255);
    free(mask);
}

TEST(segment_refuses_what_it_cannot_do) {
    const char *in = test_temp("a.png"), *out = test_temp("out");
    write_square(in, 8, 0, 2, 5);
    stent_segment_options options = options_for(out);
    run(compile_to("two.stent", identity_net("two.onnx", "2,1,8,8"), NULL), in, &options, STENT_UNSUPPORTED);
    CHECK(strstr(stent_message(), "batch 1"));
    OnnxFile file = onnx_file(13);
    onnx_input(&file, "x", UINT8, "1,1,8,8");
    onnx_node(&file, "Cast", "x", "y", "to=1");
    onnx_output(&file, "y");
    run(compile_to("bytes.stent", onnx_save(&file, "bytes.onnx"), NULL), in, &options, STENT_UNSUPPORTED);
    CHECK(strstr(stent_message(), "uint8"));
    run(in, in, &options, STENT_BAD); // a picture is no package
    run(test_temp("missing.stent"), in, &options, STENT_BAD);
    const char *package = plain_package();
    run(package, test_temp("nowhere"), &options, STENT_BAD);
    CHECK(path_kind(out) == PATH_MISSING);
    options.output = in;
    run(package, in, &options, STENT_USAGE);
    options.output = NULL;
    run(package, in, &options, STENT_USAGE);
    options.output = out, options.format = "jpg";
    run(package, in, &options, STENT_USAGE);
}

static int stop_at_second(void *context, const char *stage, double done, double total) {
    (void)stage, (void)total;
    *(int *)context += 1;
    return done >= 1;
}
TEST(segment_can_be_stopped_and_resumed) {
    const char *package = plain_package(), *in = test_temp("in"), *out = test_temp("out");
    int calls = 0;
    CHECK_OK(folder_make(in));
    write_square(in_folder(in, "1.png"), 8, 0, 2, 5);
    write_square(in_folder(in, "2.png"), 8, 0, 2, 5);
    stent_segment_options options = options_for(out);
    options.common.progress = stop_at_second, options.common.progress_context = &calls;
    run(package, in, &options, STENT_CANCELLED);
    CHECK_INT(calls, 2);
    CHECK(is_there(out, "1.png") && !is_there(out, "2.png") && is_there(out, "results.json"));
    options.common.progress = NULL, options.resume = true;
    const Json *json = run(package, in, &options, STENT_OK);
    CHECK(number(json, "done") == 1 && number(json, "skipped") == 1);
}

TEST(segment_leaves_nothing_half_written_on_a_full_disk) {
    const char *package = plain_package(), *in = test_temp("a.png");
    write_square(in, 8, 0, 2, 5);
    stent_segment_options first = options_for(test_temp("first"));
    run(package, in, &first, STENT_OK); // so that the self-check stands recorded
    for (int64_t n = 0; n < 100; n++) {
        char name[32];
        snprintf(name, sizeof name, "out%lld", (long long)n);
        const char *out = test_temp(name);
        stent_segment_options options = options_for(out);
        options.overlay = options.prob = true;
        const char *const paths[] = {in};
        file_fail_after(n);
        const stent_status status = stent_segment(package, paths, 1, &options, NULL);
        file_fail_after(-1);
        if (status == STENT_OK) {
            CHECK_INT(n, 17); // making the folder; writing, flushing, closing and renaming each of four files
            break;
        }
        CHECK_MSG(status == STENT_RESOURCE, "write %lld: status %d", (long long)n, status);
        Arena arena = {0};
        char **names;
        size_t count;
        if (n > 0) CHECK_OK(folder_list(out, &arena, &names, &count));
        for (size_t i = 0; n > 0 && i < count; i++)
            CHECK_MSG(!strstr(names[i], ".tmp"), "write %lld left %s", (long long)n, names[i]);
        arena_free(&arena);
    }
}

TEST(segment_survives_failing_allocations) {
    const char *package = plain_package(), *in = test_temp("a.png"), *out = test_temp("out");
    write_square(in, 8, 0, 2, 5);
    stent_segment_options options = options_for(out);
    options.overlay = options.prob = options.resume = true;
    int failures = 0, in_a_row = 0; // a few can be done without; after many good runs in a row none failed any more
    for (int64_t n = 0; in_a_row < 20; n += test_long() ? 1 : 1 + n / 16) {
        const char *const paths[] = {in};
        stent_result *result = NULL;
        unlink(in_folder(out, "results.json"));
        mem_fail_after(n);
        const stent_status status = stent_segment(package, paths, 1, &options, &result);
        mem_fail_after(-1);
        const bool told = status == STENT_OK || (status == STENT_RESOURCE && strstr(stent_message(), "memory"));
        CHECK_MSG(told, "allocation %lld: status %d: %s", (long long)n, status, stent_message());
        stent_result_free(result);
        in_a_row = status == STENT_OK ? in_a_row + 1 : 0;
        failures += status != STENT_OK;
    }
    CHECK(failures > 20);
    check_square(in_folder(out, "a.png"), 8, 2, 5);
}

// ---- real slices

static void check_patient(const char *model, const char *pipeline, double area, double pixels_off) {
    const char *onnx = test_data(model), *pipeline_path = test_data(pipeline),
               *in = test_data("lgg/TCGA_CS_4942_19970222");
    if (!onnx || !pipeline_path || !in) test_skip("no STENT_TESTDATA");
    const char *package = test_temp("net.stent");
    stent_compile_options compile = STENT_OPTIONS(stent_compile_options);
    compile.opt_level = -1, compile.pipeline = pipeline_path;
    own_home();
    CHECK(stent_compile(onnx, package, &compile, NULL) == STENT_OK);
    stent_segment_options options = options_for(test_temp("out"));
    options.common.threads = 0;
    const Json *json = run(package, in, &options, STENT_OK);
    CHECK(number(json, "done") == 20);
    CHECK_MSG(fabs(number(json, "area_px") - area) <= pixels_off, "area: got %g, expected %g", number(json, "area_px"),
              area);
}
// 1 in 100,000 of 20 slices of 65536 pixels: 13. Areas: models/lgg/expected.json.
TEST(segment_lgg_torch) {
    check_patient("models/lgg/seed-torch-w32.onnx", "models/lgg/seed-torch-w32.pipeline.json", 9423, 13);
}
TEST(segment_lgg_keras) {
    check_patient("models/lgg/seed-keras-w16.onnx", "models/lgg/seed-keras-w16.pipeline.json", 8760, 13);
}

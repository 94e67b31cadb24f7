// eval: comparing, splitting, slices, several classes, other layouts, many cases.
#include "app/datasets.h"

static const char *brighter_package(const char *name) { // 1.2 times the picture: more above 0.5
    return compile_to(
        name, pointwise_net("brighter.onnx", "1,1,8,8", 1, 1, (const float[]){1}, (const float[]){0.375f}), NULL);
}

TEST(eval_compares_with_a_package) {
    const char *package = eval_package(), *data = put_dataset("lgg");
    stent_eval_options options = eval_options();
    options.compare = brighter_package("brighter.stent"); // noise above 32 of 255 comes into the mask
    const Json *json = eval_of(package, data, &options, STENT_OK), *compare = json_get(json, "compare");
    REQUIRE(compare);
    CHECK_TEXT(eval_text(compare, "with"), "brighter.stent");
    CHECK(eval_number(compare, "pixels") == 6 * 64 && eval_number(compare, "cases_changed") == 6);
    const double changed = eval_number(compare, "changed_px");
    CHECK(changed > 50 && changed < 6 * 64 - 88);
    const double own = eval_number(json, "dice_pooled"), other = eval_number(compare, "dice_pooled_other");
    CHECK(fabs(other - 2 * 70.0 / (70 + 88 + changed)) < 1e-12); // it holds all of ours and more
    CHECK(fabs(eval_number(compare, "dice_difference") - (own - other)) < 1e-12);
    const Json *worst = json_get(compare, "worst");
    double sum = 0;
    for (size_t i = 0; i < worst->count; i++) {
        sum += eval_number(&worst->items[i], "changed_px");
        if (i) CHECK(eval_number(&worst->items[i], "changed_px") <= eval_number(&worst->items[i - 1], "changed_px"));
    }
    CHECK(sum == changed && strlen(eval_text(compare, "content_hash")) == 64);
    options.compare = package;
    compare = json_get(eval_of(package, data, &options, STENT_OK), "compare");
    CHECK(eval_number(compare, "changed_px") == 0 && eval_number(compare, "dice_difference") == 0);
    CHECK(json_get(compare, "worst")->count == 0);
}
TEST(eval_compares_with_a_model_file) {
    const char *package = eval_package(), *data = put_dataset("lgg"), *cases = test_temp("cases.jsonl");
    stent_eval_options options = eval_options();
    options.compare = identity_net("same.onnx", "1,1,8,8");
    options.cases = cases;
    const Json *compare = json_get(eval_of(package, data, &options, STENT_OK), "compare");
    CHECK(eval_number(compare, "changed_px") == 0 && eval_number(compare, "pixels") == 6 * 64);
    options.resume = true;
    compare = json_get(eval_of(package, data, &options, STENT_OK), "compare");
    CHECK(eval_number(compare, "changed_px") == 0 && eval_number(compare, "pixels") == 6 * 64);
    options.compare = test_temp("none.onnx");
    eval_of(package, data, &options, STENT_BAD);
    options.compare = compile_to(
        "three.stent", pointwise_net("three.onnx", "1,1,8,8", 1, 3, (const float[]){1, 0, 0}, (const float[]){0, 0, 0}),
        NULL);
    eval_of(package, data, &options, STENT_BAD);
    CHECK(strstr(stent_message(), "3 classes"));
}
TEST(eval_of_a_part) {
    const char *package = eval_package(), *data = put_dataset("lgg"), *split = test_temp("split.tsv");
    stent_eval_options options = eval_options();
    options.make_split = split;
    options.fractions[0] = options.fractions[1] = options.fractions[2] = 1;
    const Json *json = eval_of(NULL, data, &options, STENT_OK);
    CHECK(eval_number(json, "train") == 1 && eval_number(json, "validation") == 1 && eval_number(json, "test") == 1);
    double cases = 0;
    static const char *const parts[] = {"train", "validation", "test"};
    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        options = eval_options();
        options.split = split, options.part = parts[i];
        json = eval_of(package, data, &options, STENT_OK);
        CHECK(eval_number(json, "patients") == 1 && eval_assumes(json, parts[i]));
        cases += eval_number(json, "cases");
    }
    CHECK(cases == 6);
    options.part = "proof";
    eval_of(package, data, &options, STENT_USAGE);
    options.part = NULL;
    eval_of(package, data, &options, STENT_USAGE);
}
TEST(eval_shows_slices) {
    const char *package = eval_package(), *data = put_dataset("lgg");
    stent_eval_options options = eval_options();
    options.slices = 3;
    const Json *json = eval_of(package, data, &options, STENT_OK), *slices = json_get(json, "slices");
    // A: worst 2, best 1 (10 is empty); B: worst 2, best 1; C: its only one
    REQUIRE(slices && slices->count == 5);
    CHECK(eval_number(json, "slices_left_out") == 1);
    CHECK_TEXT(eval_text(&slices->items[0], "case"), "B/B_2");
    CHECK_TEXT(eval_text(&slices->items[0], "rank"), "worst");
    CHECK_TEXT(eval_text(&slices->items[0], "truth"), "");
    CHECK_TEXT(eval_text(&slices->items[0], "mask"), "M3 3h2v2h-2z");
    CHECK(eval_number(&slices->items[0], "width") == 8 && eval_number(&slices->items[0], "height") == 8);
    CHECK(json_get(&slices->items[0], "hd95_px")->type == JSON_NULL);
    const Json *a = eval_item(json, "slices", "case", "A/A_2");
    CHECK_TEXT(eval_text(a, "truth"), "M3 3h3v3h-3z");
    CHECK_TEXT(eval_text(a, "mask"), "M2 2h4v4h-4z");
    CHECK(text_starts(eval_text(a, "picture"), "data:image/png;base64,iVBORw0KGgo"));
    CHECK(!json_get(eval_of(package, data, (options.slices = 0, &options), STENT_OK), "slices"));
}
TEST(eval_of_several_classes) {
    const float weights[] = {-1, 0, 1}, bias[] = {0.5f, 0.25f, -0.5f}; // dark, middle, bright
    const char *package = compile_to("net.stent", pointwise_net("net.onnx", "1,1,2,3", 1, 3, weights, bias),
                                     "{\"output\": {\"activation\": \"softmax\", \"classes\": [\"a\", \"b\", \"c\"]}}");
    const char *in = test_temp("in");
    stent_eval_options options = eval_options();
    CHECK_OK(folder_make(in_folder(in, "images")));
    CHECK_OK(folder_make(in_folder(in, "masks")));
    write_u8(in_folder(in, "images/x.png"), 2, 3, 1, (const uint8_t[]){0, 128, 255, 255, 140, 10});
    write_u8(in_folder(in, "masks/x.png"), 2, 3, 1, (const uint8_t[]){0, 1, 2, 1, 1, 0});
    options.csv = test_temp("rows.csv");
    const Json *json = eval_of(package, in, &options, STENT_OK), *classes = json_get(json, "classes");
    REQUIRE(classes && classes->count == 2);
    CHECK(eval_number(json, "dice_pooled") == 1); // any class
    CHECK_TEXT(eval_text(&classes->items[0], "name"), "b");
    CHECK(fabs(eval_number(&classes->items[0], "dice_pooled") - 2 * 2.0 / (2 + 3)) < 1e-12);
    CHECK(fabs(eval_number(&classes->items[1], "dice_pooled") - 2 * 1.0 / (2 + 1)) < 1e-12);
    CHECK(fabs(eval_number(json_get(json, "classes_mean"), "dice_pooled") - (0.8 + 2 / 3.0) / 2) < 1e-12);
    CHECK(eval_number(json, "dice_soft") > 0 && eval_assumes(json, "not background"));
    uint8_t *bytes;
    size_t size;
    CHECK_OK(file_read(options.csv, 1 << 16, &bytes, &size));
    CHECK(strstr((char *)bytes, "\nx,x,any,6,4,4,4,1,") && strstr((char *)bytes, "\nx,x,1,6,3,2,2,0.8,") &&
          strstr((char *)bytes, "\nx,x,2,6,1,2,1,"));
    mem_free(bytes);
    write_u8(in_folder(in, "masks/x.png"), 2, 3, 1, (const uint8_t[]){0, 1, 2, 3, 1, 0});
    json = eval_of(package, in, &options, STENT_BAD);
    check_fault(json, "masks/x.png", "values");
    CHECK(strstr(stent_message(), "the value 3"));
}
TEST(eval_of_nnunet_with_two_channels) {
    const char *package =
        compile_to("net.stent", pointwise_net("net.onnx", "1,2,8,8", 2, 1, (const float[]){1, -1}, (const float[]){0}),
                   "{\"output\": {\"classes\": [\"background\", \"object\"]}}");
    const char *in = test_temp("Dataset001");
    stent_eval_options options = eval_options();
    put_picture(in_folder(in, "imagesTr/c1_0000.png"), 8, 2, 6, 1),
        put_picture(in_folder(in, "imagesTr/c1_0001.png"), 8, 4, 6, 2);
    put_mask(in_folder(in, "labelsTr/c1.png"), 8, 2, 6, 1);
    const char *json_file = "{\"channel_names\": {\"0\": \"T1\", \"1\": \"T2\"}, \"labels\": {\"background\": 0, "
                            "\"tu\\u001b[2Jmour\\u009b\": 1}, \"numTraining\": 1, \"file_ending\": \".png\"}";
    CHECK_OK(file_write(in_folder(in, "dataset.json"), json_file, strlen(json_file)));
    const Json *json = eval_of(package, in, &options, STENT_OK);
    CHECK(eval_number(json, "cases") == 1 && fabs(eval_number(json, "dice_pooled") - 2 * 12.0 / (12 + 16)) < 1e-12);
    CHECK(eval_assumes(json, "'object' in the package and 'tu.[2Jmour..' in dataset.json")); // harmless on a terminal
    put_picture(in_folder(in, "imagesTr/c1_0001.png"), 9, 4, 6, 2);
    check_fault(eval_of(package, in, &options, STENT_BAD), "imagesTr/c1_0000.png", "size");
}
TEST(eval_of_several_pages) {
    const char *package = eval_package(), *in = test_temp("in");
    const ImageShape shape = {.width = 8, .height = 8, .depth = 3, .channels = 1, .type = SAMPLE_U8};
    uint8_t picture[3 * 64] = {0}, mask[3 * 64] = {0};
    stent_eval_options options = eval_options();
    for (int i = 0; i < 64; i++)
        picture[64 + i] = i < 32 ? 255 : 0, mask[64 + i] = i < 16 ? 255 : 0, mask[i] = i < 8 ? 255 : 0;
    CHECK_OK(folder_make(in_folder(in, "P")));
    CHECK_OK(image_save(in_folder(in, "P/P_1.tif"), &shape, IMAGE_PACKED, picture));
    CHECK_OK(image_save(in_folder(in, "P/P_1_mask.tif"), &shape, IMAGE_PACKED, mask));
    options.slices = 1;
    const Json *json = eval_of(package, in, &options, STENT_OK);
    CHECK(eval_number(json, "cases") == 1 && fabs(eval_number(json, "dice_pooled") - 2 * 16.0 / (32 + 24)) < 1e-12);
    const Json *slices = json_get(json, "slices");
    REQUIRE(slices && slices->count == 1);
    CHECK(eval_number(&slices->items[0], "page") == 2);
    CHECK_TEXT(eval_text(&slices->items[0], "mask"), "M0 0h8v4h-8z");
}
// Outputs that are no probabilities have no soft Dice; with a threshold the masks are good all the same.
TEST(eval_of_logits) {
    const char *package =
        compile_to("net.stent", pointwise_net("net.onnx", "1,1,8,8", 1, 1, (const float[]){10}, (const float[]){-5}),
                   "{\"output\": {\"threshold\": 0}}");
    stent_eval_options options = eval_options();
    const Json *json = eval_of(package, put_dataset("lgg"), &options, STENT_OK);
    CHECK(fabs(eval_number(json, "dice_pooled") - 2 * 70.0 / (70 + 88)) < 1e-12);
    CHECK(json_get(json, "dice_soft")->type == JSON_NULL && eval_assumes(json, "no probabilities"));
}
// Memory does not grow with the cases but for their names and a few bytes each.
TEST(eval_streams) {
    enum { FEW = 200, MANY = 2000 };
    const char *package = eval_package(), *data = test_temp("data");
    stent_eval_options options = eval_options();
    options.csv = test_temp("rows.csv"), options.cases = test_temp("cases.jsonl");
    int made = 0;
    uint64_t peaks[2];
    for (int round = 0; round < 2; round++) {
        for (const int count = round ? MANY : FEW; made < count; made++) {
            char patient[16];
            snprintf(patient, sizeof patient, "P%d", made / 20);
            put_pair(data, patient, made % 20, 2, 2, 6);
        }
        CHECK(eval_number(eval_of(package, data, &options, STENT_OK), "cases") == made);
        peaks[round] = memory_peak();
    }
#ifdef __SANITIZE_ADDRESS__
    test_skip("the sanitizer keeps what was freed");
#endif
    const uint64_t each = peaks[0] ? (peaks[1] - peaks[0]) / (MANY - FEW) : 0;
    CHECK_MSG(each < 3000, "%llu bytes a case", (unsigned long long)each);
}
// Two patients of the study's data; in check-long all twelve, and the figures over all.
static const char *write_part(const Json *patients) {
    Text text = {0};
    const char *path = test_temp("part.tsv");
    for (size_t i = 0; i < patients->count; i++)
        text_add(&text, "%s\t%s\n", patients->keys[i], i < 2 || test_long() ? "test" : "train");
    CHECK_OK(file_write(path, text.data, text.length));
    text_free(&text);
    return path;
}
static void check_network(const char *data, const char *models, const char *name, const Json *wanted) {
    char model[64], pipeline[64];
    const Json *all = json_get(wanted, "patients");
    stent_compile_options compiling = STENT_OPTIONS(stent_compile_options);
    stent_eval_options options = eval_options();
    snprintf(model, sizeof model, "%s.onnx", name);
    snprintf(pipeline, sizeof pipeline, "%s.pipeline.json", name);
    compiling.opt_level = -1, compiling.pipeline = in_folder(models, pipeline);
    options.split = write_part(all), options.part = "test";
    const char *package = test_temp("study.stent");
    REQUIRE(stent_compile(in_folder(models, model), package, &compiling, NULL) == STENT_OK);
    const Json *json = eval_of(package, data, &options, STENT_OK), *patients = json_get(json, "per_patient");
    REQUIRE(patients && patients->count == (test_long() ? all->count : 2));
    for (size_t i = 0; i < patients->count; i++) {
        const Json *one = &patients->items[i], *of = json_get(all, eval_text(one, "patient"));
        CHECK_MSG(fabs(eval_number(one, "dice_pooled") - eval_number(of, "dice")) < 5e-5, "%s: %.6f, expected %.6f",
                  eval_text(one, "patient"), eval_number(one, "dice_pooled"), eval_number(of, "dice"));
        CHECK(eval_number(one, "cases") == eval_number(of, "slices"));
    }
    if (!test_long()) return;
    CHECK(fabs(eval_number(json, "dice_pooled") - eval_number(wanted, "dice_pooled")) < 5e-5);
    CHECK(fabs(eval_number(json, "dice_mean") - eval_number(wanted, "dice_mean")) < 5e-5);
}
TEST(eval_of_the_study) {
    const char *data = test_data("lgg"), *models = test_data("models/lgg");
    if (!data || !models) test_skip("shared/lgg is not there");
    Arena arena = {0};
    uint8_t *bytes;
    size_t size;
    Json *expected;
    CHECK_OK(file_read(in_folder(models, "expected.json"), 1 << 20, &bytes, &size));
    CHECK_OK(json_parse(&arena, (char *)bytes, size, &expected));
    check_network(data, models, "seed-torch-w32", json_get(expected, "seed-torch-w32"));
    check_network(data, models, "seed-keras-w16", json_get(expected, "seed-keras-w16"));
    mem_free(bytes);
    arena_free(&arena);
}
TEST(eval_survives_failing_allocations) {
    const char *package = eval_package(), *data = put_dataset("lgg");
    stent_eval_options options = eval_options();
    options.csv = test_temp("rows.csv"), options.cases = test_temp("cases.jsonl"), options.slices = 1;
    options.compare = package;
    int failures = 0, in_a_row = 0;
    for (int64_t n = 0; in_a_row < 20; n += test_long() ? 1 : 1 + n / 16) {
        stent_result *result = NULL;
        mem_fail_after(n);
        const stent_status status = stent_eval(package, &data, 1, &options, &result);
        mem_fail_after(-1);
        const bool told = status == STENT_OK || (status == STENT_RESOURCE && strstr(stent_message(), "memory"));
        CHECK_MSG(told, "allocation %lld: status %d: %s", (long long)n, status, stent_message());
        stent_result_free(result);
        in_a_row = status == STENT_OK ? in_a_row + 1 : 0;
        failures += status != STENT_OK;
    }
    CHECK(failures > 20);
    CHECK(eval_number(eval_of(package, data, &options, STENT_OK), "cases") == 6);
}

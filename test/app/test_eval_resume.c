// Case files: what is stopped goes on, shards come together, and the figures are those of one run, bit for bit.
#include "app/datasets.h"

// Everything but what tells of the run itself.
static void check_same(const Json *a, const Json *b) {
    static const char *const apart[] = {"ms", "times", "ms_median", "case_file", "resumed", "plan", "log", "threshold"};
    REQUIRE(a && b && a->type == b->type && a->count == b->count);
    if (a->type == JSON_NUMBER) CHECK(a->number == b->number);
    if (a->type == JSON_STRING) CHECK_TEXT(a->string, b->string);
    for (size_t i = 0; i < a->count; i++) {
        bool skip = false;
        if (a->type == JSON_OBJECT) {
            CHECK_TEXT(a->keys[i], b->keys[i]);
            for (size_t k = 0; k < COUNT_OF(apart); k++) skip = skip || !strcmp(a->keys[i], apart[k]);
        }
        if (!skip) check_same(&a->items[i], &b->items[i]);
    }
}
static void check_figures(const Json *a, const Json *b) {
    static const char *const keys[] = {"cases",       "patients",  "dice_pooled", "dice_mean", "dice_patient_mean",
                                       "dice_soft",   "hd95_px",   "per_patient", "worst",     "faults",
                                       "sensitivity", "intervals", "dataset",     "layout",    "classes"};
    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        const Json *x = json_get(a, keys[i]), *y = json_get(b, keys[i]);
        CHECK_MSG(!x == !y, "%s", keys[i]);
        if (x && y) check_same(x, y);
    }
}
static int stop_at; // progress calls of the stage "eval"
static int stop(void *context, const char *stage, double done, double total) {
    (void)context, (void)done, (void)total;
    return !strcmp(stage, "eval") && stop_at-- == 0;
}
static const char *faulty_dataset(const char *name) {
    const char *data = put_dataset(name);
    CHECK(!unlink(in_folder(data, "B/B_2_mask.tif")));
    put_mask(in_folder(data, "C/C_1_mask.tif"), 8, 2, 6, 7);
    put_pair(data, "C", 2, 2, 2, 6), put_pair(data, "C", 3, 2, 2, 5);
    return data;
}

TEST(eval_stopped_goes_on) {
    const char *package = eval_package(), *data = faulty_dataset("lgg"), *cases = test_temp("cases.jsonl");
    stent_eval_options options = eval_options(), stopped = eval_options();
    const Json *whole = eval_of(package, data, &options, STENT_BAD);
    stopped.cases = cases;
    stopped.common.progress = stop;
    stop_at = 4;
    eval_of(package, data, &stopped, STENT_CANCELLED);
    options.cases = cases, options.resume = true;
    const Json *resumed = eval_of(package, data, &options, STENT_BAD);
    CHECK(eval_number(resumed, "resumed") == 4);
    check_figures(whole, resumed);
    CHECK(eval_number(eval_of(package, data, &options, STENT_BAD), "resumed") == 6);
    // A torn last line costs its case only.
    uint8_t *bytes;
    size_t size;
    CHECK_OK(file_read(cases, 1 << 20, &bytes, &size));
    CHECK_OK(file_write(cases, bytes, size - 30));
    mem_free(bytes);
    resumed = eval_of(package, data, &options, STENT_BAD);
    check_figures(whole, resumed);
    CHECK(eval_number(resumed, "resumed") == 6 || eval_number(resumed, "resumed") == 5);
}
TEST(eval_resumes_what_is_the_same_only) {
    const char *package = eval_package(), *data = put_dataset("lgg"), *cases = test_temp("cases.jsonl");
    stent_eval_options options = eval_options();
    options.cases = cases, options.resume = true;
    CHECK(isnan(eval_number(eval_of(package, data, &options, STENT_OK), "resumed")));
    put_mask(in_folder(data, "A/A_1_mask.tif"), 8, 3, 6, 255);
    put_picture(in_folder(data, "B/B_1.tif"), 8, 1, 6, 5);
    put_pair(data, "D", 1, 2, 2, 6);
    const Json *json = eval_of(package, data, &options, STENT_OK);
    CHECK(eval_number(json, "resumed") == 4 && eval_number(json, "cases") == 7);
    options.threshold = 0.9;
    eval_of(package, data, &options, STENT_USAGE);
    CHECK(strstr(stent_message(), "it holds results of something else") && strstr(stent_message(), "threshold=0.9"));
    options.resume = false; // begins again
    CHECK(isnan(eval_number(eval_of(package, data, &options, STENT_OK), "resumed")));
    CHECK_OK(file_write(cases, "precious notes\n", 15));
    eval_of(package, data, &options, STENT_USAGE);
    CHECK(strstr(stent_message(), "no case file"));
}
TEST(eval_shards_merge_to_the_same_figures) {
    const char *package = eval_package(), *data = faulty_dataset("lgg");
    const char *const files[] = {test_temp("a.jsonl"), test_temp("b.jsonl")};
    stent_eval_options options = eval_options(), merging = eval_options();
    const Json *whole = eval_of(package, data, &options, STENT_BAD);
    for (int shard = 1; shard <= 2; shard++) {
        stent_eval_options part = eval_options();
        part.shard = shard, part.shards = 2, part.cases = files[shard - 1];
        const Json *json = eval_of(package, data, &part, STENT_BAD);
        CHECK(eval_number(json, "cases") >= 2 && eval_number(json, "cases") < eval_number(whole, "cases"));
    }
    merging.merge = true;
    merging.csv = test_temp("merged.csv");
    const Json *merged = eval_paths(package, files, 2, &merging, STENT_BAD);
    check_figures(whole, merged);
    CHECK(json_get(merged, "times")->count == (size_t)eval_number(whole, "cases"));
    CHECK(path_kind(merging.csv) == PATH_FILE);
    const char *const turned[] = {files[1], files[0]};
    check_figures(whole, eval_paths(package, turned, 2, &merging, STENT_BAD));
    const Json *half = eval_paths(package, files, 1, &merging, STENT_BAD);
    CHECK(eval_assumes(half, "1 of 2 shards are not among the files: shard 2/2"));
    const char *other = compile_to(
        "other.stent", pointwise_net("other.onnx", "1,1,8,8", 1, 1, (const float[]){2}, (const float[]){0}), NULL);
    eval_paths(other, files, 2, &merging, STENT_USAGE);
    CHECK(strstr(stent_message(), "another package"));
    const char *const none[] = {package};
    eval_paths(package, none, 1, &merging, STENT_BAD);
}
// Two shards that each hold one of two equal pictures: the merged figures count it once, as one run does.
TEST(eval_shards_merge_knows_duplicates) {
    const char *package = eval_package(), *data = put_dataset("lgg");
    const char *const files[] = {test_temp("a.jsonl"), test_temp("b.jsonl")};
    stent_eval_options options = eval_options(), merging = eval_options();
    uint8_t *bytes;
    size_t size;
    CHECK_OK(file_read(in_folder(data, "A/A_1.tif"), 1 << 20, &bytes, &size));
    CHECK_OK(file_write(in_folder(data, "A/A_2.tif"), bytes, size));
    mem_free(bytes);
    const Json *whole = eval_of(package, data, &options, STENT_BAD);
    check_fault(whole, "A/A_2.tif", "duplicate");
    for (int shard = 1; shard <= 2; shard++) {
        stent_eval_options part = eval_options();
        part.shard = shard, part.shards = 2, part.cases = files[shard - 1];
        eval_of(package, data, &part, STENT_OK);
    }
    merging.merge = true;
    check_figures(whole, eval_paths(package, files, 2, &merging, STENT_BAD));
}

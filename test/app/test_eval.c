// eval from end to end, on a network whose masks are known.
#include "app/datasets.h"

static const double dice_of_9_in_16 = 2 * 9.0 / (9 + 16);

TEST(eval_figures_of_a_kaggle_folder) {
    const char *package = eval_package(), *data = put_dataset("lgg");
    stent_eval_options options = eval_options();
    const Json *json = eval_of(package, data, &options, STENT_OK);
    CHECK_TEXT(eval_text(json, "layout"), "kaggle_3m");
    CHECK_TEXT(eval_text(json, "dataset"), "lgg");
    CHECK(eval_number(json, "cases") == 6 && eval_number(json, "patients") == 3 && eval_number(json, "faulty") == 0);
    // truth 16 + 9 + 0, 36 + 0, 9; mask 16 + 16 + 0, 36 + 4, 16; both 16 + 9, 36, 9
    const double pooled = 2 * 70.0 / (70 + 88), mean = (1 + dice_of_9_in_16 + 1 + 1 + 0 + dice_of_9_in_16) / 6;
    CHECK(fabs(eval_number(json, "dice_pooled") - pooled) < 1e-12);
    CHECK(fabs(eval_number(json, "dice_mean") - mean) < 1e-12);
    CHECK(fabs(eval_number(json, "sensitivity") - 1) < 1e-12);
    const Json *a = eval_item(json, "per_patient", "patient", "A"), *b = eval_item(json, "per_patient", "patient", "B");
    CHECK(eval_number(a, "cases") == 3 && eval_number(a, "truth_px") == 25 && eval_number(a, "mask_px") == 32);
    CHECK(fabs(eval_number(b, "dice_pooled") - 2 * 36.0 / (36 + 40)) < 1e-12);
    const Json *worst = json_get(json, "worst");
    REQUIRE(worst && worst->count == 6);
    CHECK_TEXT(eval_text(&worst->items[0], "case"), "B/B_2");
    CHECK(eval_number(&worst->items[0], "dice") == 0 && eval_number(&worst->items[0], "mask_px") == 4);
    const Json *interval = json_get(json_get(json, "intervals"), "dice_pooled");
    REQUIRE(interval && interval->count == 2);
    CHECK(interval->items[0].number <= pooled && interval->items[1].number >= pooled);
    CHECK(eval_item(json, "conventions", "key", "dice_pooled") && eval_item(json, "conventions", "key", "hd95_px"));
    CHECK(json_get(json, "times")->count == 6 && eval_number(json_get(json, "ms"), "median") > 0);
    CHECK(json_get(json, "hd95_mm")->type == JSON_NULL && eval_number(json, "hd95_px") > 0);
    CHECK(strlen(eval_text(json, "content_hash")) == 64 && *eval_text(json, "plan_hash"));
}
TEST(eval_of_one_patients_folder) {
    const char *package = eval_package(), *data = in_folder(put_dataset("lgg"), "A/");
    stent_eval_options options = eval_options();
    const Json *json = eval_of(package, data, &options, STENT_OK);
    CHECK(eval_number(json, "cases") == 3 && eval_number(json, "patients") == 1);
    CHECK(eval_item(json, "per_patient", "patient", "A") && eval_item(json, "worst", "case", "A/A_2"));
}
TEST(eval_takes_a_threshold) {
    const char *package = eval_package(), *data = put_dataset("lgg");
    stent_eval_options options = eval_options();
    options.threshold = 1; // no pixel is above
    const Json *json = eval_of(package, data, &options, STENT_OK);
    CHECK(eval_number(json, "dice_pooled") == 0 && eval_number(json, "threshold") == 1);
    CHECK(eval_number(json, "dice_mean") == 2 / 6.0); // those without truth
}
TEST(eval_writes_a_row_a_case) {
    const char *package = eval_package(), *data = put_dataset("lgg"), *csv = test_temp("cases.csv");
    stent_eval_options options = eval_options();
    uint8_t *bytes;
    size_t size;
    options.csv = csv;
    eval_of(package, data, &options, STENT_OK);
    CHECK_OK(file_read(csv, 1 << 16, &bytes, &size));
    const char *text = (const char *)bytes;
    CHECK(text_starts(text, "case,patient,class,pixels,truth_px,mask_px,intersection_px,dice,dice_smooth1,"
                            "dice_smooth100,dice_soft,iou,hd95_px,hd95_mm,sensitivity,specificity,ms\n"
                            "A/A_1,A,1,64,16,16,16,1,1,1,"));
    CHECK(strstr(text, "\nA/A_10,A,1,64,0,0,0,1,1,1,") && strstr(text, "\nA/A_2,A,1,64,9,16,9,0.72,"));
    CHECK(strstr(text, "A_2,") < strstr(text, "A_10,"));
    mem_free(bytes);
}
TEST(eval_writes_a_page) {
    const char *package = eval_package(), *data = put_dataset("lgg"), *page = test_temp("page.html");
    stent_eval_options options = eval_options();
    uint8_t *bytes;
    size_t size;
    options.report = page;
    const Json *json = eval_of(package, data, &options, STENT_OK);
    CHECK_TEXT(eval_text(json, "report"), page);
    CHECK(json_get(json, "slices")->count >= 3); // of 3 patients
    CHECK_OK(file_read(page, 1 << 20, &bytes, &size));
    const char *text = (const char *)bytes;
    CHECK(text_starts(text, "<!DOCTYPE html>") && strstr(text, "</html>"));
    CHECK(strstr(text, "data:image/png;base64,") && strstr(text, "B_2"));
    mem_free(bytes);
}
TEST(eval_says_what_is_no_data_set) {
    const char *package = eval_package(), *in = test_temp("in");
    stent_eval_options options = eval_options();
    eval_of(package, in, &options, STENT_BAD);
    CHECK(strstr(stent_message(), "no such file or folder"));
    CHECK_OK(folder_make(in));
    eval_of(package, in, &options, STENT_BAD);
    CHECK(strstr(stent_message(), "no pictures with a mask found"));
    write_square(in_folder(in, "a.png"), 8, 0, 2, 4);
    eval_of(package, in, &options, STENT_BAD);
    eval_of(package, package, &options, STENT_BAD);
    CHECK(strstr(stent_message(), "neither"));
    options.shard = 3, options.shards = 2;
    eval_of(package, in, &options, STENT_USAGE);
}

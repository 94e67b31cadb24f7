// compile --precision bf16: the gate on masks, on networks whose answer is known.
#include "app/pictures.h"
#include "base/json.h"

// The network gives its picture back, v / 255, and the mask is what lies above 0.3963. 101 / 255 = 0.39608 lies below,
// and its nearest bf16, 203 / 512 = 0.39648, above; 100 and 255 stay where they are.
static const char pipeline[] = "{\"version\": 1, \"output\": {\"threshold\": 0.3963}}";

// A square of 3 x 3 pixels (or none) and `crossing` pixels that bf16 moves over the threshold.
static void write_picture(const char *folder, const char *name, bool square, int crossing) {
    uint8_t samples[64];
    for (int i = 0; i < 64; i++) samples[i] = square && i / 8 < 3 && i % 8 < 3 ? 255 : i >= 64 - crossing ? 101 : 100;
    write_u8(in_folder(folder, name), 8, 8, 1, samples);
}
// `count` pictures with a mask, of which the first has `crossing` such pixels.
static const char *write_pictures(const char *name, int count, int crossing) {
    const char *folder = test_temp(name);
    CHECK_OK(folder_make(folder));
    for (int i = 0; i < count; i++) {
        char file[32];
        snprintf(file, sizeof file, "p_%d.png", i);
        write_picture(folder, file, true, i ? 0 : crossing);
    }
    return folder;
}
static stent_compile_options options_for(const char *pictures, double loss) {
    stent_compile_options options = STENT_OPTIONS(stent_compile_options);
    options.opt_level = -1, options.common.precision = "bf16";
    options.calibrate = pictures, options.max_dice_loss = loss;
    options.pipeline = write_text("pipeline.json", pipeline);
    own_home();
    return options;
}
// Compiles and gives the gate of the result's JSON (NULL: no result), until the next call.
static const Json *gate_of(const char *model, const stent_compile_options *options, stent_status expected) {
    static Arena arena;
    stent_result *result;
    Json *json = NULL;
    arena_free(&arena);
    remove(test_temp("net.stent"));
    const stent_status status = stent_compile(model, test_temp("net.stent"), options, &result);
    CHECK_MSG(status == expected, "status %d: %s", status, stent_message());
    CHECK_INT(path_kind(test_temp("net.stent")) == PATH_FILE, expected == STENT_OK);
    if (result) CHECK_OK(json_parse(&arena, stent_result_json(result), strlen(stent_result_json(result)), &json));
    stent_result_free(result);
    return json ? json_get(json, "gate") : NULL;
}
static double number(const Json *json, const char *key) {
    const Json *value = json ? json_get(json, key) : NULL;
    return value && value->type == JSON_NUMBER ? value->number : NAN;
}
static void check_losses(const Json *gate, int pictures, double pooled, double worst) {
    CHECK_MSG(number(gate, "pictures") == pictures && fabs(number(gate, "dice_loss_pooled") - pooled) < 1e-12 &&
                  fabs(number(gate, "dice_loss_worst") - worst) < 1e-12,
              "%g pictures, pooled %g, worst %g", number(gate, "pictures"), number(gate, "dice_loss_pooled"),
              number(gate, "dice_loss_worst"));
}

TEST(gate_lets_masks_pass_that_do_not_change) {
    const char *model = identity_net("net.onnx", "1,1,8,8");
    stent_compile_options options = options_for(write_pictures("in", 10, 0), -1); // nothing may be lost
    check_losses(gate_of(model, &options, STENT_OK), 10, 0, 0);
}
TEST(gate_weighs_the_worst_picture_and_all_together) {
    const char *pictures = write_pictures("in", 10, 1);
    // Fixed dims, and those that come with each picture.
    static const char *const shapes[] = {"1,1,8,8", "1,1,H,W"};
    for (int i = 0; i < 2; i++) {
        const char *model = identity_net("net.onnx", shapes[i]);
        stent_compile_options options = options_for(pictures, 0.06);
        const Json *gate = gate_of(model, &options, STENT_OK);
        check_losses(gate, 10, 1 / 181., 1 / 19.);
        CHECK(number(gate, "max_dice_loss") == 0.06);
        options.max_dice_loss = 0.05;
        check_losses(gate_of(model, &options, STENT_NO), 10, 1 / 181., 1 / 19.);
        CHECK(strstr(stent_message(), "bf16 is refused") && strstr(stent_message(), "p_0.png"));
        options.max_dice_loss = 0; // the default
        gate = gate_of(model, &options, STENT_NO);
        CHECK(number(gate, "max_dice_loss") == 0.001);
    }
}
// A mask that fp32 has not is no picture's loss, but one of all together.
TEST(gate_counts_pictures_without_a_mask_among_all) {
    const char *model = identity_net("net.onnx", "1,1,8,8"), *pictures = write_pictures("in", 10, 0);
    write_picture(pictures, "empty.png", false, 20);
    stent_compile_options options = options_for(pictures, 0.11);
    check_losses(gate_of(model, &options, STENT_OK), 10, 20 / 200., 0);
    options.max_dice_loss = 0.09;
    gate_of(model, &options, STENT_NO);
}
// Another class in the place of one is lost too: three channels, of which the largest wins.
TEST(gate_tells_classes_apart) {
    // Class 1 has x, class 2 what lies between 203 / 512 and x of a pixel of 101: it wins where x is not rounded up.
    const char *model = pointwise_net("net.onnx", "1,1,8,8", 1, 3, (const float[]){0, 1, 0},
                                      (const float[]){0.25f, 0, 0.3963f});
    stent_compile_options options = options_for(write_pictures("in", 10, 3), 0.1);
    check_losses(gate_of(model, &options, STENT_OK), 10, 3. / 640, 3. / 64);
}
TEST(gate_takes_ten_pictures_that_can_be_read) {
    const char *model = identity_net("net.onnx", "1,1,8,8"), *pictures = write_pictures("in", 9, 0);
    stent_compile_options options = options_for(pictures, 0);
    write_picture(pictures, "empty.png", false, 0);
    CHECK(!gate_of(model, &options, STENT_BAD));
    CHECK(strstr(stent_message(), "at least 10 pictures") && strstr(stent_message(), "got 9 of 10"));
    write_picture(pictures, "p_9.png", true, 0);
    gate_of(model, &options, STENT_OK);
    CHECK_OK(file_write(in_folder(pictures, "torn.png"), "no", 2));
    gate_of(model, &options, STENT_BAD);
    CHECK(strstr(stent_message(), "torn.png"));
    options.calibrate = test_temp("nowhere");
    gate_of(model, &options, STENT_BAD);
    CHECK(strstr(stent_message(), "nowhere"));
}
TEST(gate_can_be_left_out_and_the_package_tells) {
    const char *model = identity_net("net.onnx", "1,1,8,8");
    stent_compile_options options = options_for(NULL, 0);
    stent_result *result;
    gate_of(model, &options, STENT_USAGE);
    CHECK(strstr(stent_message(), "--calibrate"));
    options.no_gate = true;
    const Json *gate = gate_of(model, &options, STENT_OK);
    CHECK(gate && gate->type == JSON_STRING && !strcmp(gate->string, "none"));
    REQUIRE(stent_info(test_temp("net.stent"), NULL, &result) == STENT_OK);
    CHECK(strstr(stent_result_json(result), "\"gate\": \"none\""));
    stent_result_free(result);
    options.calibrate = write_pictures("in", 10, 0);
    gate_of(model, &options, STENT_USAGE); // both
    options.common.precision = "fp32";
    gate_of(model, &options, STENT_USAGE);
    options.no_gate = false, options.calibrate = NULL, options.max_dice_loss = 0.1;
    gate_of(model, &options, STENT_USAGE);
}
// What a package permits, and what may be asked of it.
TEST(packages_permit_a_precision_and_stricter_ones) {
    static const char *const precisions[] = {"strict", "fp32", "bf16"};
    const char *model = identity_net("net.onnx", "1,1,8,8");
    for (int permitted = 0; permitted < 3; permitted++) {
        stent_compile_options options = options_for(NULL, 0);
        options.common.precision = precisions[permitted], options.no_gate = permitted == 2;
        gate_of(model, &options, STENT_OK);
        for (int asked = 0; asked < 3; asked++) {
            stent_options opening = STENT_OPTIONS(stent_options);
            stent_executable *executable = NULL;
            opening.precision = precisions[asked];
            const stent_status status = stent_open(test_temp("net.stent"), &opening, &executable);
            CHECK_MSG(status == (asked <= permitted ? STENT_OK : STENT_USAGE), "%s of %s: %d", precisions[asked],
                      precisions[permitted], status);
            if (status) CHECK(strstr(stent_message(), precisions[permitted]));
            stent_release(executable);
        }
    }
}

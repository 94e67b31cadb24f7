#include "app/pictures.h"

#define PHANTOM TEST_SOURCE_ROOT "/examples/phantom"

static void check_file_has(const char *path, const char *text) {
    uint8_t *bytes;
    size_t size;
    CHECK_OK(file_read(path, 1 << 20, &bytes, &size));
    CHECK_MSG(strstr((const char *)bytes, text), "%s: expected to find '%s' in\n%s", path, text, (const char *)bytes);
    mem_free(bytes);
}

static void check_same_file(const char *path, const char *as) {
    uint8_t *bytes[2];
    size_t size[2];
    CHECK_OK(file_read(path, 1 << 24, &bytes[0], &size[0]));
    CHECK_OK(file_read(as, 1 << 24, &bytes[1], &size[1]));
    CHECK_MSG(size[0] == size[1] && !memcmp(bytes[0], bytes[1], size[0]), "%s differs from %s", path, as);
    mem_free(bytes[0]), mem_free(bytes[1]);
}
TEST(demo_gives_the_expected_dice) {
    const char *out = test_temp("demo-out");
    stent_result *result = NULL;
    own_home();
    const stent_status status = stent_demo(NULL, out, NULL, &result); // on the built-in data
    CHECK_MSG(status == STENT_OK, "status %d: %s", status, stent_message());
    REQUIRE(result);
    CHECK(strstr(stent_result_json(result), "\"ok\": true") &&
          strstr(stent_result_text(result), "0.9778   expected 0.9778"));
    stent_result_free(result);
    CHECK(is_there(out, "phantom-unet.stent") && is_there(out, "masks/phantom_8.png") &&
          is_there(out, "masks/results.json"));
    CHECK(is_there(out, "masks/phantom_8_overlay.png"));
    check_file_has(in_folder(out, "table.txt"), "phantom_16.tif");
    static const char *const names[] = {"phantom-unet.onnx", "phantom-unet.pipeline.json", "expected.json",
                                        "volume/phantom_8.tif", "volume/phantom_16_mask.tif"};
    for (size_t i = 0; i < COUNT_OF(names); i++)
        check_same_file(in_folder(in_folder(out, "phantom"), names[i]), in_folder(PHANTOM, names[i]));
    check_file_has(in_folder(out, "demo.json"), "\"dice_pooled\": 0.9778");
}

static void copy_to(const char *folder, const char *name) {
    uint8_t *bytes;
    size_t size;
    CHECK_OK(file_read(in_folder(PHANTOM, name), 1 << 24, &bytes, &size));
    CHECK_OK(file_write(in_folder(folder, name), bytes, size));
    mem_free(bytes);
}
// The same network on one slice of the volume: its Dice is not the volume's.
TEST(demo_says_no_when_dice_is_not_as_expected) {
    const char *data = test_temp("data"), *out = test_temp("demo-out");
    stent_result *result = NULL;
    own_home();
    CHECK_OK(folder_make(in_folder(data, "volume")));
    static const char *const names[] = {"phantom-unet.onnx", "phantom-unet.pipeline.json", "expected.json",
                                        "volume/phantom_8.tif", "volume/phantom_8_mask.tif"};
    for (size_t i = 0; i < COUNT_OF(names); i++) copy_to(data, names[i]);
    CHECK_INT(stent_demo(data, out, NULL, &result), STENT_NO);
    CHECK(strstr(stent_message(), "Dice is not as expected: 0.9844 instead of 0.9778"));
    CHECK(result && strstr(stent_result_text(result), "DIFFERS") && strstr(stent_result_json(result), "\"ok\": false"));
    stent_result_free(result);
    CHECK_INT(stent_demo(out, out, NULL, NULL), STENT_BAD); // no such data there
}

// Data sets with planted faults: each is named, the other cases are evaluated, and the exit status says so.
#include "app/datasets.h"
#include "image/tiff_make.h"

// ---- files that are wrong in one way each

static void plant_bytes(const char *folder, const char *name, const void *bytes, size_t count) {
    Arena arena = {0};
    const char *path = in_folder(folder, name);
    CHECK_OK(folder_make(path_folder(&arena, path)));
    CHECK_OK(file_write(path, bytes, count));
    arena_free(&arena);
}
static void plant_text(const char *folder, const char *name, const char *text) {
    plant_bytes(folder, name, text, strlen(text));
}
static void truth_as(const char *folder, const char *name, SampleType type, int64_t channels, int64_t depth,
                     double value) {
    const ImageShape shape = {.width = 8, .height = 8, .depth = depth, .channels = channels, .type = type};
    float floats[8 * 8 * 3 * 2] = {0};
    uint16_t words[8 * 8 * 3 * 2] = {0};
    uint8_t bytes[8 * 8 * 3 * 2] = {0};
    for (size_t i = 0; i < 20; i++) floats[i] = (float)value, words[i] = (uint16_t)value, bytes[i] = (uint8_t)value;
    const void *const samples = type == SAMPLE_F32 ? (void *)floats : type == SAMPLE_U16 ? (void *)words : bytes;
    CHECK_OK(image_save(in_folder(folder, name), &shape, IMAGE_PLAIN, samples));
}
static uint32_t some_sample(const TiffRecipe *recipe, int page, int y, int x, int c) {
    (void)recipe, (void)page;
    return y < 3 && x < 3 ? 1 + (uint32_t)c % 2 : 0;
}
static void put_tiff(const char *folder, const char *name, int channels, int photometric, int extra) {
    const TiffRecipe recipe = {.width = 8,
                               .height = 8,
                               .channels = channels,
                               .bits = 8,
                               .format = 1,
                               .photometric = photometric,
                               .compression = 1,
                               .predictor = 1,
                               .extra = extra};
    size_t size;
    uint8_t *bytes = tiff_make(&recipe, some_sample, &size);
    plant_bytes(folder, name, bytes, size);
    mem_free(bytes);
}
// The first part of a file takes its place.
static void cut(const char *folder, const char *name, size_t keep) {
    uint8_t *bytes;
    size_t size;
    CHECK_OK(file_read(in_folder(folder, name), 1 << 20, &bytes, &size));
    CHECK(keep < size);
    CHECK_OK(file_write(in_folder(folder, name), bytes, keep));
    mem_free(bytes);
}
static void copy_file(const char *folder, const char *from, const char *to) {
    uint8_t *bytes;
    size_t size;
    CHECK_OK(file_read(in_folder(folder, from), 1 << 20, &bytes, &size));
    plant_bytes(folder, to, bytes, size);
    mem_free(bytes);
}
static void remove_file(const char *folder, const char *name) { CHECK(!unlink(in_folder(folder, name))); }

enum { SLICES = 40, FAULTY_SLICES = 25 };
// Patient F: 40 slices of which 25 are spoilt; patients A, B, C are good.
static void plant(const char *data) {
    static const uint8_t sixteen[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
    for (int slice = 1; slice <= SLICES; slice++) put_pair(data, "F", slice, 2, 2, 6);
    remove_file(data, "F/F_1_mask.tif");                                        // missing mask
    remove_file(data, "F/F_2.tif");                                             // mask without picture
    put_mask(in_folder(data, "F/F_3_mask.tif"), 9, 2, 6, 255);                  // size
    write_u8(in_folder(data, "F/F_4.tif"), 4, 16, 1, (const uint8_t[64]){255}); // swapped size: both
    write_u8(in_folder(data, "F/F_4_mask.tif"), 4, 16, 1, (const uint8_t[64]){255});
    put_tiff(data, "F/F_5_mask.tif", 4, 2, 2);               // RGBA mask
    put_tiff(data, "F/F_6_mask.tif", 1, 3, -1);              // palette mask
    put_mask(in_folder(data, "F/F_7_mask.tif"), 8, 2, 6, 1); // 0 and 1, others 0 and 255
    plant_text(data, "F/F_8.tif", "no picture");             // unreadable
    cut(data, "F/F_9.tif", 100);                             // cut off
    cut(data, "F/F_10_mask.tif", 100);                       // a mask that is cut off
    copy_file(data, "F/F_12.tif", "F/F_11.tif");             // duplicate: F_12 is named, F_11 counts
    plant_text(data, "F/F_13.tif", "");                      // empty
    plant_text(data, "F/F_14_mask.tif", "");                 // empty mask
    remove_file(data, "F/F_15.tif");                         // a folder that is called like a picture
    CHECK_OK(folder_make(in_folder(data, "F/F_15.tif")));
    put_mask(in_folder(data, "F/F_16_mask.png"), 8, 2, 6, 255); // two masks
    put_picture(in_folder(data, "F/F_17.png"), 8, 2, 6, 999);   // two pictures
    truth_as(data, "F/F_18_mask.tif", SAMPLE_U16, 1, 1, 255);   // 16 bit
    truth_as(data, "F/F_19_mask.tif", SAMPLE_F32, 1, 1, 255);   // float
    put_mask(in_folder(data, "F/F_20_mask.tif"), 8, 2, 6, 7);   // no class
    truth_as(data, "F/F_21_mask.tif", SAMPLE_U8, 1, 2, 255);    // two pages against one
    truth_as(data, "F/F_22_mask.tif", SAMPLE_U8, 3, 1, 255);    // three channels
    put_tiff(data, "F/F_23.tif", 4, 2, 2);                      // RGBA picture
    put_tiff(data, "F/F_24.tif", 1, 3, -1);                     // palette picture
    plant_bytes(data, "F/F_25.tif", "\xff\xd8\xff\xe0 JPEG by content", 20);
    plant_text(data, "F/notes.txt", "extra file");
    plant_text(data, "F/F_26_mask (1).tif", "bad name");
    plant_text(data, "F/_mask.tif", "bad name");
    plant_bytes(data, "F/F\x01_27.tif", sixteen, sizeof sixteen);
    plant_bytes(data, "F/F_28 .tif", sixteen, sizeof sixteen);
    plant_bytes(data, "F/F_\xff.tif", sixteen, sizeof sixteen);
    CHECK(!symlink("..", in_folder(data, "F/again")));
    CHECK(!symlink("nowhere.tif", in_folder(data, "F/F_41.tif")));
    CHECK_OK(folder_make(in_folder(data, "G")));
    copy_file(data, "A/A_1_mask.tif", "F/A_77_mask.tif"); // another patient's slice
    put_picture(in_folder(data, "F/A_77.tif"), 8, 2, 6, 777);
    put_pair(data, "F\x02x", 1, 2, 2, 6);
    put_picture(in_folder(data, "F/unnamed.tif"), 8, 2, 6, 4711); // neither number nor patient
    put_mask(in_folder(data, "F/unnamed_mask.tif"), 8, 2, 6, 255);
    plant_text(data, "README.md", "no fault"), plant_text(data, "data.csv", "no fault");
    plant_text(data, "F/.DS_Store", "no fault");
}
static const char *const planted[][2] = {{"F/F_1.tif", "missing mask"},
                                         {"F/F_2_mask.tif", "mask without picture"},
                                         {"F/F_3_mask.tif", "size"},
                                         {"F/F_4.tif", "size"},
                                         {"F/F_5_mask.tif", "alpha"},
                                         {"F/F_6_mask.tif", "palette"},
                                         {"F/F_7_mask.tif", "coding"},
                                         {"F/F_8.tif", "unreadable"},
                                         {"F/F_9.tif", "unreadable"},
                                         {"F/F_10_mask.tif", "unreadable"},
                                         {"F/F_12.tif", "duplicate"},
                                         {"F/F_13.tif", "empty file"},
                                         {"F/F_14_mask.tif", "empty file"},
                                         {"F/F_15.tif", "folder"},
                                         {"F/F_15_mask.tif", "mask without picture"},
                                         {"F/F_16_mask.png", "two masks"},
                                         {"F/F_16_mask.tif", "two masks"},
                                         {"F/F_17.png", "two pictures"},
                                         {"F/F_17.tif", "two pictures"},
                                         {"F/F_18_mask.tif", "type"},
                                         {"F/F_19_mask.tif", "type"},
                                         {"F/F_20_mask.tif", "values"},
                                         {"F/F_21_mask.tif", "pages"},
                                         {"F/F_22_mask.tif", "channels"},
                                         {"F/F_23.tif", "alpha"},
                                         {"F/F_24.tif", "palette"},
                                         {"F/F_25.tif", "unreadable"},
                                         {"F/notes.txt", "extra file"},
                                         {"F/F_26_mask (1).tif", "bad name"},
                                         {"F/_mask.tif", "bad name"},
                                         {"F/F\x01_27.tif", "bad name"},
                                         {"F/F_28 .tif", "bad name"},
                                         {"F/F_\xef\xbf\xbd.tif", "bad name"},
                                         {"F/again", "circle"},
                                         {"F/F_41.tif", "broken link"},
                                         {"G", "empty folder"},
                                         {"F/A_77.tif", "patient"},
                                         {"F/unnamed.tif", "bad name"},
                                         {"F\x02x", "bad name"}};

TEST(eval_names_each_planted_fault_and_evaluates_the_rest) {
    const char *package = eval_package(), *data = put_dataset("lgg");
    stent_eval_options options = eval_options();
    plant(data);
    const Json *json = eval_of(package, data, &options, STENT_BAD);
    for (size_t i = 0; i < COUNT_OF(planted); i++) check_fault(json, planted[i][0], planted[i][1]);
    CHECK(eval_number(json, "faulty") == COUNT_OF(planted));
    CHECK(json_get(json, "faults")->count == COUNT_OF(planted));
    CHECK_INT((int)eval_number(json, "cases"), 6 + SLICES - FAULTY_SLICES + 1); // of the duplicates one counts
    const Json *f = eval_item(json, "per_patient", "patient", "F");
    CHECK(eval_number(f, "dice_pooled") == 1 && eval_number(f, "cases") == SLICES - FAULTY_SLICES + 1);
    CHECK(strstr(stent_message(), "39 faults in the data set"));
}
TEST(eval_of_masks_of_0_and_1) {
    const char *package = eval_package(), *data = test_temp("data");
    stent_eval_options options = eval_options();
    for (int slice = 1; slice <= 4; slice++) {
        char name[64];
        put_pair(data, "P", slice, 2, 2, 6);
        snprintf(name, sizeof name, "P/P_%d_mask.tif", slice);
        put_mask(in_folder(data, name), 8, 2, 6, 1);
    }
    const Json *json = eval_of(package, data, &options, STENT_OK);
    CHECK(eval_number(json, "dice_pooled") == 1 && eval_assumes(json, "0 and 1"));
    put_mask(in_folder(data, "P/P_3_mask.tif"), 8, 2, 6, 255);
    json = eval_of(package, data, &options, STENT_BAD);
    check_fault(json, "P/P_3_mask.tif", "coding");
    CHECK(eval_number(json, "cases") == 3);
}
TEST(eval_of_masks_of_16_bit_and_of_colour) {
    const char *package = eval_package(), *data = test_temp("data");
    stent_eval_options options = eval_options();
    for (int slice = 1; slice <= 3; slice++) {
        char name[64];
        put_pair(data, "P", slice, 2, 2, 6);
        snprintf(name, sizeof name, "P/P_%d_mask.tif", slice);
        truth_as(data, name, SAMPLE_U16, 3, 1, slice == 1 ? 65535 : 255);
    }
    const Json *json = eval_of(package, data, &options, STENT_BAD); // the first 20 samples are no whole pixels
    check_fault(json, "P/P_1_mask.tif", "colour");
    CHECK(eval_number(json, "cases") == 0);
    for (int slice = 1; slice <= 3; slice++) {
        char name[64];
        snprintf(name, sizeof name, "P/P_%d_mask.tif", slice);
        truth_as(data, name, SAMPLE_U16, 1, 1, slice == 1 ? 65535 : 255);
    }
    json = eval_of(package, data, &options, STENT_OK);
    CHECK(eval_number(json, "cases") == 3 && eval_assumes(json, "16 bit"));
}
TEST(eval_lets_blank_pictures_come_again) {
    const char *package = eval_package(), *data = test_temp("data");
    stent_eval_options options = eval_options();
    for (int slice = 1; slice <= 3; slice++) {
        char name[64];
        put_pair(data, "P", slice, 0, 0, 0);
        snprintf(name, sizeof name, "P/P_%d.tif", slice);
        write_square(in_folder(data, name), 8, 0, 0, 0);
    }
    CHECK(eval_number(eval_of(package, data, &options, STENT_OK), "cases") == 3);
}

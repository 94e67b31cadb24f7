// Which pictures are taken, in which order, and what their outputs are called.
#include "app/pictures.h"
#include "app/segment_list.h"
#include <unistd.h>

static void put(const char *folder, const char *name) {
    CHECK_OK(folder_make(folder));
    write_square(in_folder(folder, name), 4, 10, 1, 3);
}
// "OUTPUT:VOLUME OUTPUT:VOLUME ...", or "STATUS" of a refusal.
static const char *list(const char *const *paths, int count, const char *output, const char *ending) {
    static char text[2048];
    Arena arena = {0};
    SegmentFile *files;
    size_t n;
    const SegmentNames names = {{ending, "_overlay.png"}, 2};
    Status status = segment_list(paths, count, output, &names, &arena, &files, &n);
    text[0] = 0;
    if (status != ST_OK) snprintf(text, sizeof text, "%d", status);
    for (size_t i = 0; status == ST_OK && i < n; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s:%d", i ? " " : "", files[i].output,
                 files[i].volume);
    arena_free(&arena);
    return text;
}
static const char *list_one(const char *path, const char *output) { return list(&path, 1, output, ".png"); }

TEST(segment_list_is_in_natural_order_and_leaves_out_masks) {
    const char *in = test_temp("in"), *out = test_temp("out");
    put(in, "slice_10.png"), put(in, "slice_2.tif"), put(in, "slice_2_mask.tif"), put(in, ".hidden.png");
    put(in_folder(in, "b10"), "x.png"), put(in_folder(in, "b9"), "x.png"),
        put(in_folder(in, "b9/deep"), "x_mask_1.png");
    CHECK_OK(file_write(in_folder(in, "notes.txt"), "text", 4));
    CHECK_OK(file_write(in_folder(in, "broken.png"), "text", 4)); // it says that it is a picture
    uint8_t *bytes;
    size_t size;
    CHECK_OK(file_read(in_folder(in, "slice_10.png"), 1 << 20, &bytes, &size));
    CHECK_OK(file_write(in_folder(in, "unnamed"), bytes, size)); // it is one
    mem_free(bytes);
    CHECK_TEXT(list_one(in, out), "broken:0 slice_2:0 slice_10:0 unnamed:0 b9/x:2 b9/deep/x_mask_1:3 b10/x:1");
}

TEST(segment_list_keeps_endings_of_equal_stems) {
    const char *in = test_temp("in"), *out = test_temp("out");
    put(in, "a.tif"), put(in, "a.png"), put(in, "b.png"), put(in_folder(in, "c"), "b.png");
    CHECK_TEXT(list_one(in, out), "a.png:0 a.tif:0 b:0 c/b:1");
}

TEST(segment_list_takes_a_file_once) {
    const char *in = test_temp("in"), *out = test_temp("out");
    put(in, "a.png"), put(in, "b.png");
    const char *const paths[] = {in_folder(in, "b.png"), in};
    CHECK_TEXT(list(paths, 2, out, ".png"), "b:0 a:0");
}

TEST(segment_list_refuses_two_masks_of_one_name) {
    const char *a = test_temp("a"), *b = test_temp("b"), *out = test_temp("out");
    put(a, "x.png"), put(b, "x.png");
    const char *const both[] = {a, b};
    CHECK_TEXT(list(both, 2, out, ".png"), "2");
    CHECK(strstr(error_message(), "both write x.png"));
    put(a, "x_overlay.png");
    CHECK_TEXT(list_one(a, out), "2");
}

TEST(segment_list_never_overwrites_a_picture) {
    const char *in = test_temp("in");
    put(in, "a.png");
    CHECK_TEXT(list_one(in, in), "2"); // the folder itself
    CHECK_TEXT(list_one(in_folder(in, "a.png"), in), "2");
    CHECK(strstr(error_message(), "would overwrite the picture"));
    const char *const path[] = {in_folder(in, "a.png")};
    CHECK_TEXT(list(path, 1, in, ".tif"), "a:0");
    const char *elsewhere = test_temp("out"); // a link is the picture too
    CHECK_OK(folder_make(elsewhere));
    CHECK(!symlink(in_folder(in, "a.png"), in_folder(elsewhere, "a.png")));
    CHECK_TEXT(list_one(in_folder(in, "a.png"), elsewhere), "2");
}

TEST(segment_list_leaves_out_the_output_folder) {
    const char *in = test_temp("in"), *out = in_folder(in, "out");
    put(in, "a.png"), put(out, "a.png");
    CHECK_TEXT(list_one(in, out), "a:0");
}

TEST(segment_list_does_not_walk_in_circles) {
    const char *in = test_temp("in");
    put(in, "a.png");
    CHECK(!symlink(in, in_folder(in, "again")));
    CHECK(!symlink(in, in_folder(in, "and again"))); // two ways at each turn: without a guard it would take for ever
    CHECK_TEXT(list_one(in, test_temp("out")), "a:0");
}

TEST(segment_list_says_what_is_missing) {
    const char *in = test_temp("in"), *out = test_temp("out");
    CHECK_TEXT(list_one(in, out), "3");
    CHECK(strstr(error_message(), "no such file or folder"));
    put(in, "a_mask.png");
    CHECK_TEXT(list_one(in, out), "3");
    CHECK(strstr(error_message(), "no pictures found"));
}

// Files by other programs: samples must be what those programs meant.
#include "base/file.h"
#include "base/hash.h"
#include "image/foreign_files.h"
#include "image/image.h"
#include "test.h"

static double foreign_sample(const ForeignFile *file, int y, int x, int c) {
    const int colour = (x + 3 * y) % 12;
    switch (file->kind) {
    case FOREIGN_U8: return (x * 37 + y * 101 + c * 59) & 255;
    case FOREIGN_U16: return (x * 3001 + y * 7919 + c * 12345) & 65535;
    case FOREIGN_F32: return (x - 2 * y + c * 0.5) * 0.25;
    case FOREIGN_PALETTE: return c == 0 ? colour * 20 : c == 1 ? 255 - colour * 13 : colour * 7;
    default: return x * y % 3 == 0 ? 255 : 0;
    }
}

static SampleType foreign_type(ForeignKind kind) {
    return kind == FOREIGN_U16 ? SAMPLE_U16 : kind == FOREIGN_F32 ? SAMPLE_F32 : SAMPLE_U8;
}

static void check_samples(const ForeignFile *file, const float *samples) {
    for (int y = 0; y < file->height; y++) {
        for (int x = 0; x < file->width; x++) {
            for (int c = 0; c < file->channels; c++) {
                const double got = *samples++, expected = foreign_sample(file, y, x, c);
                if (got == expected) continue;
                test_failed(__FILE__, __LINE__, "%s: y %d x %d channel %d: got %g, expected %g", file->name, y, x, c,
                            got, expected);
                return;
            }
        }
    }
}

TEST(foreign_files_give_their_samples) {
    static float samples[64 * 64 * 3];
    for (size_t i = 0; i < COUNT_OF(foreign_files); i++) {
        const ForeignFile *file = &foreign_files[i];
        ImageSource *source;
        CHECK_OK(image_open_bytes(file->name, file->bytes, file->size, IMAGE_FIRST_PAGE, &source));
        const ImageShape *shape = image_shape(source);
        CHECK_INT(shape->width, file->width);
        CHECK_INT(shape->height, file->height);
        CHECK_INT(shape->channels, file->channels);
        CHECK_INT(shape->depth, 1);
        CHECK_INT(shape->type, foreign_type(file->kind));
        const ImageBox box = image_slice(shape, 0);
        CHECK_OK(image_read_box(source, &box, SAMPLE_F32, samples));
        check_samples(file, samples);
        image_close(source);
    }
}

// Reads the first page as it is; returns its bytes (mem_free).
static uint8_t *read_file(const char *path, size_t *bytes) {
    ImageSource *source;
    CHECK_OK(image_open(path, IMAGE_FIRST_PAGE, &source));
    const ImageShape *shape = image_shape(source);
    const ImageBox box = image_slice(shape, 0);
    *bytes = image_box_samples(shape, &box) * sample_size(shape->type);
    uint8_t *samples = mem_alloc(*bytes);
    REQUIRE(samples != NULL);
    CHECK_OK(image_read_box(source, &box, shape->type, samples));
    image_close(source);
    return samples;
}

static void check_sha256(const char *relative, size_t expected_bytes, const char *expected) {
    const char *path = test_data(relative);
    if (!path) test_skip("the LGG pictures are not here");
    size_t bytes;
    char hex[65];
    uint8_t *samples = read_file(path, &bytes);
    CHECK_INT(bytes, expected_bytes);
    sha256_hex(samples, bytes, hex);
    CHECK_TEXT(hex, expected);
    mem_free(samples);
}

// The sums are of the samples as Pillow and tifffile decode them (they agree).
TEST(lgg_picture_is_what_others_decode) {
    check_sha256("lgg/TCGA_CS_4942_19970222/TCGA_CS_4942_19970222_1.tif", 256 * 256 * 3,
                 "9eb81440991c83e74bcffe3195735e7818e7f69d613617b3d18af61f988ec133");
}

TEST(lgg_mask_is_what_others_decode) {
    check_sha256("lgg/TCGA_CS_4942_19970222/TCGA_CS_4942_19970222_10_mask.tif", 256 * 256,
                 "2b3e1e6830ede3b15b446fb3fab789ced4a537af172db2f7edae9d86fc8d8951");
}

TEST(lgg_patient_is_what_others_decode) {
    const char *folder = test_data("lgg/TCGA_CS_4942_19970222");
    if (!folder) test_skip("the LGG pictures are not here");
    Sha256 sha;
    sha256_begin(&sha);
    char path[4096];
    // The order of plain sorting: 1, 10, 10_mask, 11, ..., 1_mask, 2, 20, ...
    static const char *const stems[] = {
        "1",       "10",     "10_mask", "11",     "11_mask", "12",     "12_mask", "13",     "13_mask", "14",
        "14_mask", "15",     "15_mask", "16",     "16_mask", "17",     "17_mask", "18",     "18_mask", "19",
        "19_mask", "1_mask", "2",       "20",     "20_mask", "2_mask", "3",       "3_mask", "4",       "4_mask",
        "5",       "5_mask", "6",       "6_mask", "7",       "7_mask", "8",       "8_mask", "9",       "9_mask"};
    for (size_t i = 0; i < COUNT_OF(stems); i++) {
        size_t bytes;
        snprintf(path, sizeof path, "%s/TCGA_CS_4942_19970222_%s.tif", folder, stems[i]);
        uint8_t *samples = read_file(path, &bytes);
        sha256_add(&sha, samples, bytes);
        mem_free(samples);
    }
    uint8_t digest[32];
    sha256_end(&sha, digest);
    const uint8_t expected[8] = {0x69, 0x7d, 0x86, 0x34, 0xb2, 0x34, 0x86, 0x0a};
    CHECK(!memcmp(digest, expected, sizeof expected));
}

// ---- What is not a picture ------------------------------------------------------------------------------------

static void check_refused(const char *path, Status expected, const char *part) {
    ImageSource *source;
    CHECK_INT(image_open(path, IMAGE_FIRST_PAGE, &source), expected);
    CHECK(source == NULL);
    CHECK_MSG(strstr(error_message(), part) && strstr(error_message(), path), "message: %s", error_message());
}

TEST(lfs_pointer_is_named) {
    const char *path = test_data("models/damaged/lfs-pointer.tif");
    if (!path) test_skip("no damaged files here");
    check_refused(path, ST_BAD, "git lfs pull");
}

TEST(dicom_that_begins_like_a_tiff_is_named) {
    const char *path = test_data("images/dicom/CT_small.dcm");
    if (!path) test_skip("no DICOM files here");
    check_refused(path, ST_UNSUPPORTED, "DICOM");
}

TEST(missing_empty_and_other_files_are_named) {
    const char *path = test_temp("empty.tif");
    check_refused(path, ST_BAD, "No such file");
    CHECK_OK(file_write(path, "", 0));
    check_refused(path, ST_BAD, "empty");
    CHECK_OK(file_write(path, "hello", 5));
    check_refused(path, ST_BAD, "expected a TIFF or PNG");
    CHECK_OK(file_write(path, "\xff\xd8\xff\xe0", 4));
    check_refused(path, ST_UNSUPPORTED, "JPEG");
    CHECK_OK(file_write(path, "II+\0\10\0\0\0\20\0\0\0\0\0\0\0", 16));
    check_refused(path, ST_UNSUPPORTED, "BigTIFF");
}

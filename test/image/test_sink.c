// What is written is read back the same, other programs' rules are kept, and nothing half-written stays.
#include "base/file.h"
#include "base/rng.h"
#include "image/image.h"
#include "test.h"

static void fill_random(uint8_t *samples, size_t count, SampleType type, bool smooth) {
    Rng rng;
    rng_seed(&rng, count);
    for (size_t i = 0; i < count; i++) {
        const double value = smooth ? (double)(i / 3 % 40) / 40 : rng_uniform(&rng);
        if (type == SAMPLE_U8) {
            samples[i] = (uint8_t)(value * 255);
        } else if (type == SAMPLE_U16) {
            const uint16_t wide = (uint16_t)(value * 65535);
            memcpy(samples + 2 * i, &wide, 2);
        } else {
            const float real = (float)value - 0.5f;
            memcpy(samples + 4 * i, &real, 4);
        }
    }
}

static void check_round_trip(const char *ending, const ImageShape *shape, ImagePacking packing, bool smooth) {
    char name[64];
    snprintf(name, sizeof name, "picture%s", ending);
    const char *path = test_temp(name);
    const ImageBox all = {0, 0, 0, shape->width, shape->height, shape->depth};
    const size_t count = image_box_samples(shape, &all), bytes = count * sample_size(shape->type);
    uint8_t *samples = mem_alloc(bytes), *again = mem_zero(bytes, 1);
    REQUIRE(samples && again);
    fill_random(samples, count, shape->type, smooth);
    CHECK_OK(image_save(path, shape, packing, samples));
    ImageSource *source;
    CHECK_OK(image_open(path, IMAGE_ALL_PAGES, &source));
    const ImageShape *got = image_shape(source);
    CHECK(got->width == shape->width && got->height == shape->height && got->depth == shape->depth);
    REQUIRE(got->channels == shape->channels && got->type == shape->type);
    CHECK_OK(image_read_box(source, &all, shape->type, again));
    CHECK_MSG(!memcmp(samples, again, bytes), "%s type %d channels %d packing %d", ending, shape->type,
              (int)shape->channels, packing);
    image_close(source);
    mem_free(samples);
    mem_free(again);
}

TEST(written_pictures_are_read_back) {
    static const int sizes[][2] = {{1, 1}, {7, 5}, {256, 300}, {2000, 40}};
    for (int i = 0; i < (int)COUNT_OF(sizes) * 3 * 2 * 2; i++) {
        const int *size = sizes[i / 12];
        ImageShape shape = {size[0], size[1], 1, i % 2 ? 3 : 1, (SampleType)(i / 2 % 3), {0, 0, 0}};
        const bool smooth = i / 6 % 2;
        check_round_trip(".tif", &shape, IMAGE_PACKED, smooth);
        check_round_trip(".TIFF", &shape, IMAGE_PLAIN, smooth);
        if (shape.type != SAMPLE_F32) check_round_trip(".png", &shape, IMAGE_PACKED, smooth);
        shape.depth = 3;
        check_round_trip(".tif", &shape, IMAGE_PACKED, smooth);
    }
}

TEST(boxes_make_a_picture_and_the_rest_is_zero) {
    const char *path = test_temp("boxes.png");
    const ImageShape shape = {4, 3, 1, 1, SAMPLE_U8, {0, 0, 0}};
    ImageSink *sink;
    CHECK_OK(image_create(path, &shape, IMAGE_PACKED, &sink));
    CHECK_OK(image_write_box(sink, &(ImageBox){1, 1, 0, 2, 2, 1}, "\1\2\3\4"));
    CHECK_OK(image_write_box(sink, &(ImageBox){3, 0, 0, 1, 1, 1}, "\5"));
    CHECK_INT(image_write_box(sink, &(ImageBox){3, 0, 0, 2, 1, 1}, "\5\5"), ST_USAGE);
    CHECK(path_kind(path) == PATH_MISSING);
    CHECK_OK(image_commit(sink));
    static const uint8_t expected[12] = {0, 0, 0, 5, 0, 1, 2, 0, 0, 3, 4, 0};
    uint8_t samples[12];
    ImageSource *source;
    CHECK_OK(image_open(path, IMAGE_FIRST_PAGE, &source));
    CHECK_OK(image_read_box(source, &(ImageBox){0, 0, 0, 4, 3, 1}, SAMPLE_U8, samples));
    CHECK(!memcmp(samples, expected, 12));
    image_close(source);
}

TEST(the_same_samples_give_the_same_bytes) {
    static uint8_t samples[3 * 50 * 60 * 2];
    fill_random(samples, 3 * 50 * 60, SAMPLE_U16, true);
    const ImageShape shape = {50, 60, 1, 3, SAMPLE_U16, {0, 0, 0}};
    static const char *const names[] = {"a.png", "b.png", "a.tif", "b.tif"};
    uint8_t *bytes[4];
    size_t sizes[4];
    for (int i = 0; i < 4; i++) {
        CHECK_OK(image_save(test_temp(names[i]), &shape, IMAGE_PACKED, samples));
        CHECK_OK(file_read(test_temp(names[i]), 1 << 20, &bytes[i], &sizes[i]));
        CHECK(sizes[i] < sizeof samples / 3); // and packed they are
    }
    CHECK(sizes[0] == sizes[1] && !memcmp(bytes[0], bytes[1], sizes[0]));
    CHECK(sizes[2] == sizes[3] && !memcmp(bytes[2], bytes[3], sizes[2]));
    for (int i = 0; i < 4; i++) mem_free(bytes[i]);
}

static size_t files_in(const char *path) {
    Arena arena = {0};
    char **names;
    size_t count;
    CHECK_OK(folder_list(path_folder(&arena, path), &arena, &names, &count));
    arena_free(&arena);
    return count;
}

TEST(an_abandoned_sink_leaves_nothing) {
    const char *path = test_temp("abandoned.tif");
    const size_t before = files_in(path);
    const ImageShape shape = {8, 8, 1, 1, SAMPLE_U8, {0, 0, 0}};
    ImageSink *sink;
    CHECK_OK(image_create(path, &shape, IMAGE_PACKED, &sink));
    image_abort(sink);
    image_abort(NULL);
    CHECK_INT(files_in(path), before);
}

TEST(what_cannot_be_written_is_named) {
    static const struct {
        const char *name;
        ImageShape shape;
        Status status;
        const char *part;
    } cases[] = {
        {"a.jpg", {8, 8, 1, 1, SAMPLE_U8, {0, 0, 0}}, ST_USAGE, ".png, .tif"},
        {"a.png", {8, 8, 1, 1, SAMPLE_F32, {0, 0, 0}}, ST_UNSUPPORTED, "float"},
        {"a.png", {8, 8, 2, 1, SAMPLE_U8, {0, 0, 0}}, ST_UNSUPPORTED, "one slice"},
        {"a.png", {8, 8, 1, 2, SAMPLE_U8, {0, 0, 0}}, ST_UNSUPPORTED, "2 channels"},
        {"a.png", {1 << 15, 1 << 15, 1, 1, SAMPLE_U8, {0, 0, 0}}, ST_UNSUPPORTED, "too large"},
        {"a.png", {0, 8, 1, 1, SAMPLE_U8, {0, 0, 0}}, ST_BAD, "impossible"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const char *path = test_temp(cases[i].name);
        ImageSink *sink;
        CHECK_INT(image_create(path, &cases[i].shape, IMAGE_PACKED, &sink), cases[i].status);
        CHECK_MSG(strstr(error_message(), cases[i].part) && strstr(error_message(), path), "%s", error_message());
        CHECK(path_kind(path) == PATH_MISSING);
    }
    char missing[4096];
    snprintf(missing, sizeof missing, "%s/no/such/folder.png", test_temp("nothing"));
    ImageSink *sink;
    CHECK(image_create(missing, &(ImageShape){8, 8, 1, 1, SAMPLE_U8, {0, 0, 0}}, IMAGE_PACKED, &sink) != ST_OK);
}

// Every allocation fails once, on writing and on reading: a status each time, no file, and in the end it works.
TEST(no_memory_is_a_status_and_leaves_nothing) {
    static const char *const names[] = {"memory.png", "memory.tif"};
    static uint8_t samples[40 * 30 * 3];
    for (int i = 0; i < 2; i++) {
        const char *path = test_temp(names[i]);
        const ImageShape shape = {40, 30, 1, 3, SAMPLE_U8, {0, 0, 0}};
        const size_t before = files_in(path);
        Status status = ST_RESOURCE;
        int64_t n = 0;
        for (; status != ST_OK && n < 200; n++) {
            mem_fail_after(n);
            status = image_save(path, &shape, IMAGE_PACKED, samples);
            mem_fail_after(-1);
            if (status == ST_OK) break;
            CHECK_INT(status, ST_RESOURCE);
            REQUIRE(files_in(path) == before);
        }
        CHECK(n > 3 && status == ST_OK);
        for (n = 0, status = ST_RESOURCE; status != ST_OK && n < 200; n++) {
            ImageSource *source;
            const ImageBox box = {0, 0, 0, 40, 30, 1};
            mem_fail_after(n);
            status = image_open(path, IMAGE_ALL_PAGES, &source);
            if (status == ST_OK) status = image_read_box(source, &box, SAMPLE_U8, samples);
            mem_fail_after(-1);
            CHECK(status == ST_OK || status == ST_RESOURCE);
            image_close(source);
        }
        CHECK(n > 3 && status == ST_OK);
    }
}

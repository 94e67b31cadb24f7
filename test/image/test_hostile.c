// Damaged pictures, thousands of them: any status but a crash, a hang or a huge allocation. Run it with the
// sanitizers; without them it proves little.
#include "base/rng.h"
#include "image/foreign_files.h"
#include "image/image.h"
#include "image/tiff_make.h"
#include "test.h"

// Reads the first and the last slice, when they are of a size that a damaged header may still claim.
static void try_to_read(const uint8_t *bytes, size_t size) {
    ImageSource *source;
    // A copy of exactly this size, so that the sanitizer sees each byte that is read behind the end.
    uint8_t *exact = mem_alloc(MAX(size, (size_t)1));
    REQUIRE(exact != NULL);
    memcpy(exact, bytes, size);
    Status status = image_open_bytes("hostile", exact, size, IMAGE_ALL_PAGES, &source);
    for (int last = 0; status == ST_OK && last < 2; last++) {
        const ImageShape *shape = image_shape(source);
        const ImageBox box = {0, 0, last ? shape->depth - 1 : 0, MIN(shape->width, 200), MIN(shape->height, 200), 1};
        float *samples = mem_alloc(image_box_samples(shape, &box) * sizeof *samples);
        REQUIRE(samples != NULL);
        status = image_read_box(source, &box, SAMPLE_F32, samples);
        mem_free(samples);
    }
    CHECK(status == ST_OK || status == ST_BAD || status == ST_UNSUPPORTED);
    if (status != ST_OK) CHECK(strstr(error_message(), "hostile: ") != NULL);
    image_close(source);
    mem_free(exact);
}

static void cut_everywhere(const uint8_t *bytes, size_t size) {
    for (size_t i = 0; i < size; i++) try_to_read(bytes, i);
}

// One to four bytes are changed: a bit, to an extreme, or at random.
static void change_bytes(const uint8_t *bytes, size_t size, int rounds, Rng *rng) {
    uint8_t *changed = mem_alloc(size);
    REQUIRE(changed != NULL);
    for (int round = 0; round < rounds; round++) {
        memcpy(changed, bytes, size);
        for (uint64_t n = rng_below(rng, 4) + 1; n > 0; n--) {
            uint8_t *byte = &changed[rng_below(rng, size)];
            const uint64_t way = rng_below(rng, 4);
            *byte = way == 0   ? (uint8_t)(*byte ^ 1 << rng_below(rng, 8))
                    : way == 1 ? 0xff
                    : way == 2 ? 0
                               : (uint8_t)rng_next(rng);
        }
        try_to_read(changed, size);
    }
    mem_free(changed);
}

TEST(damaged_foreign_files_are_survived) {
    Rng rng;
    rng_seed(&rng, 20);
    for (size_t i = 0; i < COUNT_OF(foreign_files); i++) {
        cut_everywhere(foreign_files[i].bytes, foreign_files[i].size);
        change_bytes(foreign_files[i].bytes, foreign_files[i].size, test_long() ? 200000 : 1500, &rng);
    }
}

static uint32_t some_sample(const TiffRecipe *r, int page, int y, int x, int c) {
    return (uint32_t)(x * 3 + y * 5 + c + page) & (r->bits < 32 ? (1u << r->bits) - 1 : UINT32_MAX);
}

// Tiles, pages and separate planes, both byte orders; the directory's bytes are few, so most of them get hit.
TEST(damaged_made_files_are_survived) {
    static const TiffRecipe recipes[] = {
        {.width = 20,
         .height = 9,
         .channels = 3,
         .bits = 8,
         .format = 1,
         .photometric = 2,
         .compression = 5,
         .predictor = 2,
         .separate = true,
         .tile_width = 16,
         .tile_height = 16,
         .extra = -1},
        {.width = 20,
         .height = 9,
         .channels = 2,
         .bits = 16,
         .format = 1,
         .photometric = 1,
         .compression = 8,
         .predictor = 2,
         .big_endian = true,
         .rows_per_strip = 2,
         .extra = 1,
         .pages = 3},
        {.width = 20,
         .height = 9,
         .channels = 1,
         .bits = 2,
         .format = 1,
         .photometric = 3,
         .compression = 32773,
         .extra = -1,
         .big_endian = true,
         .tile_width = 16,
         .tile_height = 16},
        {.width = 20,
         .height = 9,
         .channels = 1,
         .bits = 8,
         .format = 1,
         .photometric = 0,
         .compression = 1,
         .extra = -1,
         .rows_per_strip = 4,
         .pages = 2,
         .description = "ImageJ=1\nunit=mm\nspacing=2\n",
         .resolution = 3},
        {.width = 20,
         .height = 9,
         .channels = 3,
         .bits = 32,
         .format = 3,
         .photometric = 2,
         .compression = 5,
         .predictor = 3,
         .extra = -1,
         .tile_width = 16,
         .tile_height = 16},
    };
    Rng rng;
    rng_seed(&rng, 21);
    for (size_t i = 0; i < COUNT_OF(recipes); i++) {
        size_t size;
        uint8_t *bytes = tiff_make(&recipes[i], some_sample, &size);
        cut_everywhere(bytes, size);
        change_bytes(bytes, size, test_long() ? 300000 : 3000, &rng);
        mem_free(bytes);
    }
}

static void put_short(uint8_t *at, unsigned value) {
    at[0] = (uint8_t)value;
    at[1] = (uint8_t)(value >> 8);
}

static void put_entry(uint8_t *entry, unsigned tag, unsigned type, unsigned count, unsigned value) {
    put_short(entry, tag);
    put_short(entry + 2, type);
    put_short(entry + 4, count & 65535);
    put_short(entry + 6, count >> 16);
    put_short(entry + 8, value & 65535);
    put_short(entry + 10, value >> 16);
}

// A small file whose blocks all share the same bytes and are far larger than the picture: little to read would become
// hours of unpacking.
TEST(many_large_tiles_of_the_same_bytes_are_refused) {
    enum { TILES = 3000 };
    static uint8_t file[8 + 2 + 12 * 10 + 4 + 4 * TILES + 1000];
    memcpy(file, "II*\0\10\0\0\0", 8);
    put_short(file + 8, 10);
    uint8_t *entry = file + 10;
    const unsigned behind = 8 + 2 + 12 * 10 + 4;
    put_entry(entry, 256, 4, 1, TILES);
    put_entry(entry + 12, 257, 4, 1, 1);
    put_entry(entry + 24, 258, 3, 1, 8);
    put_entry(entry + 36, 259, 3, 1, 5);
    put_entry(entry + 48, 262, 3, 1, 1);
    put_entry(entry + 60, 277, 3, 1, 1);
    put_entry(entry + 72, 322, 4, 1, 1);
    put_entry(entry + 84, 323, 4, 1, 1 << 24);
    put_entry(entry + 96, 324, 4, TILES, behind);
    put_entry(entry + 108, 325, 4, TILES, behind);
    ImageSource *source;
    CHECK_INT(image_open_bytes("hostile", file, sizeof file, IMAGE_FIRST_PAGE, &source), ST_UNSUPPORTED);
    CHECK_MSG(strstr(error_message(), "too large") != NULL, "%s", error_message());
    // One such tile alone may be, but not out of a thousand bytes of the data.
    put_entry(entry, 256, 4, 1, 1);
    CHECK_OK(image_open_bytes("hostile", file, sizeof file, IMAGE_FIRST_PAGE, &source));
    uint8_t sample;
    CHECK_INT(image_read_box(source, &(ImageBox){0, 0, 0, 1, 1, 1}, SAMPLE_U8, &sample), ST_BAD);
    CHECK_MSG(strstr(error_message(), "cannot hold") != NULL, "%s", error_message());
    image_close(source);
}

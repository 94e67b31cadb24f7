// The PNG reader over every colour type, depth, interlace method and row filter, on files of an encoder of its own.
#include "image/image.h"
#include "test.h"
#include <zlib.h>

typedef struct PngRecipe {
    int width, height, colour, bits, channels;
    bool interlaced;
} PngRecipe;

typedef struct Bytes {
    uint8_t data[1 << 18];
    size_t size;
} Bytes;

static unsigned any_sample(const PngRecipe *r, int y, int x, int c) {
    const unsigned mixed =
        (unsigned)x * 0x9e3779b1u + (unsigned)y * 0x85ebca6bu + (unsigned)c * 0xc2b2ae35u + (unsigned)(x * y);
    return (mixed ^ mixed >> 15) & ((1u << r->bits) - 1);
}

static void put(Bytes *out, const void *bytes, size_t count) {
    REQUIRE(out->size + count <= sizeof out->data);
    if (count > 0) memcpy(out->data + out->size, bytes, count);
    out->size += count;
}

static void put32(Bytes *out, uint32_t value) {
    const uint8_t bytes[4] = {(uint8_t)(value >> 24), (uint8_t)(value >> 16), (uint8_t)(value >> 8), (uint8_t)value};
    put(out, bytes, 4);
}

static void put_chunk(Bytes *out, const char *type, const void *data, size_t size) {
    put32(out, (uint32_t)size);
    const size_t from = out->size;
    put(out, type, 4);
    put(out, data, size);
    put32(out, (uint32_t)crc32(0, out->data + from, (uInt)(size + 4)));
}

static size_t pack_row(const PngRecipe *r, int y, int x0, int dx, uint8_t *row) {
    size_t bit = 0;
    memset(row, 0, 4096);
    for (int x = x0; x < r->width; x += dx) {
        for (int c = 0; c < r->channels; c++, bit += (size_t)r->bits) {
            const unsigned value = any_sample(r, y, x, c);
            if (r->bits == 16) {
                row[bit / 8] = (uint8_t)(value >> 8);
                row[bit / 8 + 1] = (uint8_t)value;
            } else {
                row[bit / 8] |= (uint8_t)(value << (8 - r->bits - (int)(bit % 8)));
            }
        }
    }
    return (bit + 7) / 8;
}

// The predictors of the five filters as the recommendation writes them.
static int predict(int filter, int a, int b, int c) {
    const int p = a + b - c, pa = abs(p - a), pb = abs(p - b), pc = abs(p - c);
    const int paeth = pa <= pb && pa <= pc ? a : pb <= pc ? b : c;
    return filter == 0 ? 0 : filter == 1 ? a : filter == 2 ? b : filter == 3 ? (a + b) / 2 : paeth;
}

static void put_pass(Bytes *out, const PngRecipe *r, int x0, int y0, int dx, int dy) {
    static uint8_t rows[2][4096];
    const size_t step = (size_t)MAX(r->channels * r->bits / 8, 1);
    memset(rows, 0, sizeof rows);
    if (x0 >= r->width) return;
    for (int y = y0, n = 0; y < r->height; y += dy, n++) {
        const uint8_t *above = rows[(n + 1) % 2];
        uint8_t *row = rows[n % 2];
        const size_t bytes = pack_row(r, y, x0, dx, row);
        const int filter = (n + x0) % 5;
        put(out, &(uint8_t){(uint8_t)filter}, 1);
        for (size_t i = 0; i < bytes; i++) {
            const int a = i >= step ? row[i - step] : 0, c = i >= step ? above[i - step] : 0;
            put(out, &(uint8_t){(uint8_t)(row[i] - predict(filter, a, above[i], c))}, 1);
        }
    }
}

static uint8_t palette_value(int colour, int c) { return (uint8_t)(colour * 11 + c * 85); }

// `piece`: bytes an IDAT chunk.
static void make_png(const PngRecipe *r, size_t piece, Bytes *out) {
    static Bytes raw;
    static uint8_t packed[1 << 18];
    static const int passes[7][4] = {{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4},
                                     {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}};
    raw.size = out->size = 0;
    for (int i = 0; i < 7 && r->interlaced; i++)
        put_pass(&raw, r, passes[i][0], passes[i][1], passes[i][2], passes[i][3]);
    if (!r->interlaced) put_pass(&raw, r, 0, 0, 1, 1);
    uLongf size = sizeof packed;
    REQUIRE(compress(packed, &size, raw.data, raw.size) == Z_OK);
    const uint8_t header[13] = {0,
                                0,
                                (uint8_t)(r->width >> 8),
                                (uint8_t)r->width,
                                0,
                                0,
                                (uint8_t)(r->height >> 8),
                                (uint8_t)r->height,
                                (uint8_t)r->bits,
                                (uint8_t)r->colour,
                                0,
                                0,
                                r->interlaced};
    uint8_t palette[768];
    for (int i = 0; i < 768; i++) palette[i] = palette_value(i / 3, i % 3);
    put(out, "\x89PNG\r\n\x1a\n", 8);
    put_chunk(out, "IHDR", header, sizeof header);
    put_chunk(out, "gAMA", "\0\0\xb1\x8f", 4);
    if (r->colour == 3) put_chunk(out, "PLTE", palette, (size_t)3 << r->bits);
    for (size_t at = 0; at < size; at += piece) put_chunk(out, "IDAT", packed + at, MIN(piece, size - at));
    put_chunk(out, "IDAT", "", 0);
    put_chunk(out, "IEND", "", 0);
}

static double expected_sample(const PngRecipe *r, int y, int x, int c) {
    if (r->colour == 3) return palette_value((int)any_sample(r, y, x, 0), c);
    const unsigned value = any_sample(r, y, x, c);
    return r->bits < 8 ? value * (255 / ((1u << r->bits) - 1)) : value;
}

static void check_png(const PngRecipe *r) {
    static Bytes file;
    static float samples[64 * 64 * 3];
    make_png(r, 50, &file);
    ImageSource *source;
    CHECK_OK(image_open_bytes("made.png", file.data, file.size, IMAGE_ALL_PAGES, &source));
    const ImageShape *shape = image_shape(source);
    const int channels = r->colour == 0 || r->colour == 4 ? 1 : 3;
    REQUIRE(shape->width == r->width && shape->height == r->height && shape->depth == 1 && shape->channels == channels);
    CHECK_INT(shape->type, r->bits == 16 ? SAMPLE_U16 : SAMPLE_U8);
    const ImageBox box = {r->width / 4, r->height / 4, 0, r->width - r->width / 4, r->height - r->height / 4, 1};
    CHECK_OK(image_read_box(source, &box, SAMPLE_F32, samples));
    const float *got = samples;
    for (int64_t y = box.y; y < r->height; y++) {
        for (int64_t x = box.x; x < r->width; x++) {
            for (int c = 0; c < channels; c++, got++) {
                const double expected = expected_sample(r, (int)y, (int)x, c);
                if (*got == expected) continue;
                test_failed(__FILE__, __LINE__, "colour %d bits %d%s %dx%d: y %d x %d c %d: got %g, expected %g",
                            r->colour, r->bits, r->interlaced ? " interlaced" : "", r->width, r->height, (int)y, (int)x,
                            c, *got, expected);
                test_end();
            }
        }
    }
    image_close(source);
}

TEST(png_of_every_kind) {
    static const int kinds[][3] = {{0, 1, 1}, {0, 2, 1},  {0, 4, 1},  {0, 8, 1}, {0, 16, 1},
                                   {2, 8, 3}, {2, 16, 3}, {3, 1, 1},  {3, 2, 1}, {3, 4, 1},
                                   {3, 8, 1}, {4, 8, 2},  {4, 16, 2}, {6, 8, 4}, {6, 16, 4}};
    static const int sizes[][2] = {{1, 1}, {2, 3}, {5, 5}, {9, 8}, {47, 33}};
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        for (size_t j = 0; j < COUNT_OF(sizes); j++) {
            for (int interlaced = 0; interlaced < 2; interlaced++) {
                check_png(&(PngRecipe){sizes[j][0], sizes[j][1], kinds[i][0], kinds[i][1], kinds[i][2], interlaced});
            }
        }
    }
}

// ---- Damage ---------------------------------------------------------------------------------------------------

// Opens and reads; the first status that is not ST_OK.
static Status read_png(const uint8_t *bytes, size_t size) {
    static uint8_t samples[64 * 64 * 8];
    ImageSource *source;
    Status status = image_open_bytes("made.png", bytes, size, IMAGE_FIRST_PAGE, &source);
    if (status != ST_OK) return status;
    const ImageBox box = image_slice(image_shape(source), 0);
    status = image_read_box(source, &box, image_shape(source)->type, samples);
    image_close(source);
    return status;
}

static void check_damage(const Bytes *file, const char *part) {
    CHECK_INT(read_png(file->data, file->size), ST_BAD);
    CHECK_MSG(strstr(error_message(), part) && strstr(error_message(), "made.png: "), "expected '%s' in: %s", part,
              error_message());
}

static const PngRecipe plain = {20, 10, 0, 8, 1, false};

TEST(png_every_flipped_byte_is_noticed) {
    static Bytes file;
    make_png(&plain, 4096, &file);
    CHECK_OK(read_png(file.data, file.size));
    for (size_t i = 0; i < file.size; i++) {
        const bool in_gamma = i >= 33 && i < 49; // chunks that only describe are not looked at
        file.data[i] ^= 0x10;
        if (!in_gamma) CHECK_MSG(read_png(file.data, file.size) != ST_OK, "byte %zu changed and nothing was said", i);
        file.data[i] ^= 0x10;
    }
}

TEST(png_cut_off_anywhere_is_noticed) {
    static Bytes file;
    make_png(&plain, 4096, &file);
    for (size_t size = 0; size < file.size; size++) CHECK_INT(read_png(file.data, size), ST_BAD);
    CHECK_INT(read_png(file.data, 60), ST_BAD);
    CHECK_MSG(strstr(error_message(), "cut off") != NULL, "%s", error_message());
}

TEST(png_damage_is_named) {
    static Bytes file;
    static const uint8_t header[13] = {0, 0, 0, 20, 0, 0, 0, 10, 8, 5, 0, 0, 0};
    static const uint8_t palette_header[13] = {0, 0, 0, 20, 0, 0, 0, 10, 8, 3, 0, 0, 0};
    file.size = 0;
    put(&file, "\x89PNG\r\n\x1a\n", 8);
    put_chunk(&file, "IHDR", header, 13);
    check_damage(&file, "colour type 5");
    file.size = 8;
    put_chunk(&file, "IHDR", palette_header, 13);
    put_chunk(&file, "IEND", "", 0);
    check_damage(&file, "without picture data");
    file.size -= 12;
    put_chunk(&file, "IDAT", "abc", 3);
    put_chunk(&file, "IEND", "", 0);
    check_damage(&file, "palette");
    file.size -= 12;
    static uint8_t raw[10 * 21], packed[1000];
    static const uint8_t two_colours[6] = {1, 2, 3, 4, 5, 6};
    raw[50] = 2; // colour 2 of a palette of 2
    uLongf size = sizeof packed;
    REQUIRE(compress(packed, &size, raw, sizeof raw) == Z_OK);
    file.size = 8;
    put_chunk(&file, "IHDR", palette_header, 13);
    put_chunk(&file, "PLTE", two_colours, 6);
    put_chunk(&file, "IDAT", packed, size);
    put_chunk(&file, "IEND", "", 0);
    check_damage(&file, "colour 2, the palette has 2");
    file.size -= 12 + 12 + size;
    put_chunk(&file, "IDAT", packed, size - 4); // without the checksum
    put_chunk(&file, "IEND", "", 0);
    check_damage(&file, "ends after 210 of 210");
    file.size -= 12 + 12 + size - 4;
    static const uint8_t too_much[400];
    size = sizeof packed;
    REQUIRE(compress(packed, &size, too_much, sizeof too_much) == Z_OK);
    put_chunk(&file, "IDAT", packed, size);
    put_chunk(&file, "IEND", "", 0);
    check_damage(&file, "more picture data than its size says");
    file.size -= 12;
    put_chunk(&file, "CgBI", "", 0);
    put_chunk(&file, "IEND", "", 0);
    CHECK_INT(read_png(file.data, file.size), ST_UNSUPPORTED);
}

// A few bytes that promise many are refused before memory is taken.
TEST(png_that_cannot_hold_its_size_is_refused) {
    static Bytes file;
    make_png(&plain, 4096, &file);
    static const uint8_t header[13] = {0, 0, 0x18, 0, 0, 0, 0x18, 0, 8, 0, 0, 0, 0};
    static Bytes changed;
    changed.size = 0;
    put(&changed, file.data, 8);
    put_chunk(&changed, "IHDR", header, 13);
    put(&changed, file.data + 33, file.size - 33);
    ImageSource *source;
    CHECK_OK(image_open_bytes("made.png", changed.data, changed.size, IMAGE_FIRST_PAGE, &source));
    uint8_t samples[4];
    CHECK_INT(image_read_box(source, &(ImageBox){0, 0, 0, 1, 1, 1}, SAMPLE_U8, samples), ST_BAD);
    CHECK_MSG(strstr(error_message(), "cannot hold") != NULL, "%s", error_message());
    image_close(source);
}

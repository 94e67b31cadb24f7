// The TIFF reader over every combination of layout, byte order, packing, predictor and kind of sample.
#include "image/image.h"
#include "image/tiff_make.h"
#include "test.h"

static uint32_t mask_of(int bits) { return bits == 32 ? UINT32_MAX : (1u << bits) - 1; }

// Smooth enough for packers to find repetitions, rough enough that every bit is used.
static uint32_t any_sample(const TiffRecipe *r, int page, int y, int x, int c) {
    if (r->format == 3) {
        const float value = (float)(x - 3 * y) * 0.37f + (float)c + (float)page * 100;
        uint32_t bits;
        memcpy(&bits, &value, sizeof bits);
        return bits;
    }
    const uint32_t mixed = (uint32_t)(x / 2) * 0x01350b07 + (uint32_t)(y / 3) * 0x10f20d1d + (uint32_t)c * 0x35791113 +
                           (uint32_t)page * 0x01010101;
    return mixed >> (32 - r->bits) & mask_of(r->bits);
}

// What the reader should make of it.
static double expected_sample(const TiffRecipe *r, int page, int y, int x, int c) {
    uint32_t value = any_sample(r, page, y, x, r->photometric == 3 ? 0 : c);
    if (r->photometric == 3) return ((c << r->bits) + (int)value) * 257 % 65536 >> 8; // as tiff_make fills the palette
    if (r->photometric == 0) value = mask_of(r->bits) - value;
    float as_float;
    memcpy(&as_float, &value, sizeof as_float);
    if (r->format == 3) return as_float;
    if (r->format == 2) return r->bits == 8 ? (int8_t)value : r->bits == 16 ? (int16_t)value : (float)(int32_t)value;
    if (r->bits < 8) return value * (255 / mask_of(r->bits));
    return r->bits == 32 ? (float)value : value;
}

static void describe(const TiffRecipe *r, char *text, size_t size) {
    snprintf(text, size, "%dx%dx%d bits %d format %d photometric %d compression %d predictor %d%s%s tile %d strip %d",
             r->width, r->height, r->channels, r->bits, r->format, r->photometric, r->compression, r->predictor,
             r->big_endian ? " big-endian" : "", r->separate ? " separate" : "", r->tile_width, r->rows_per_strip);
}

static void check_box(ImageSource *source, const TiffRecipe *r, const ImageBox *box) {
    const ImageShape *shape = image_shape(source);
    const size_t count = image_box_samples(shape, box);
    float *samples = mem_alloc(count * sizeof *samples);
    char what[256];
    describe(r, what, sizeof what);
    REQUIRE(samples != NULL);
    CHECK_OK(image_read_box(source, box, SAMPLE_F32, samples));
    for (size_t i = 0; i < count; i++) {
        const int c = (int)(i % (size_t)shape->channels);
        const int64_t pixel = (int64_t)i / shape->channels;
        const int x = (int)(box->x + pixel % box->w), y = (int)(box->y + pixel / box->w % box->h);
        const int z = (int)(box->z + pixel / box->w / box->h);
        const double expected = expected_sample(r, z, y, x, c);
        if (samples[i] == expected) continue;
        test_failed(__FILE__, __LINE__, "%s: z %d y %d x %d c %d: got %g, expected %g", what, z, y, x, c, samples[i],
                    expected);
        break;
    }
    mem_free(samples);
}

static void check_recipe(const TiffRecipe *r, int channels) {
    size_t size;
    uint8_t *bytes = tiff_make(r, any_sample, &size);
    ImageSource *source;
    CHECK_OK(image_open_bytes("made.tif", bytes, size, r->pages ? IMAGE_ALL_PAGES : IMAGE_FIRST_PAGE, &source));
    const ImageShape *shape = image_shape(source);
    CHECK_INT(shape->width, r->width);
    CHECK_INT(shape->height, r->height);
    CHECK_INT(shape->depth, MAX(r->pages, 1));
    CHECK_INT(shape->channels, channels);
    check_box(source, r, &(ImageBox){0, 0, 0, shape->width, shape->height, shape->depth});
    check_box(source, r, &(ImageBox){r->width / 3, r->height / 2, 0, r->width / 2, r->height / 3, 1});
    check_box(source, r, &(ImageBox){r->width - 1, r->height - 1, shape->depth - 1, 1, 1, 1});
    image_close(source);
    mem_free(bytes);
}

static TiffRecipe plain_recipe(void) {
    return (TiffRecipe){.width = 37,
                        .height = 29,
                        .channels = 1,
                        .bits = 8,
                        .format = 1,
                        .photometric = 1,
                        .compression = 1,
                        .extra = -1};
}

static const int packings[] = {1, 32773, 5, 8, 32946};

// Calls check_recipe for every byte order, block layout, packing and predictor that fits.
static void sweep(TiffRecipe r, int channels) {
    static const int layouts[][3] = {{0, 0, 0}, {0, 0, 1}, {0, 0, 7}, {16, 16, 0}, {48, 5, 0}};
    for (int variant = 0; variant < 2 * 2 * (int)COUNT_OF(packings) * (int)COUNT_OF(layouts) * 3; variant++) {
        int rest = variant;
        r.big_endian = rest % 2;
        rest /= 2;
        r.separate = rest % 2;
        rest /= 2;
        r.compression = packings[rest % (int)COUNT_OF(packings)];
        rest /= (int)COUNT_OF(packings);
        const int *layout = layouts[rest % (int)COUNT_OF(layouts)];
        r.tile_width = layout[0];
        r.tile_height = layout[1];
        r.rows_per_strip = layout[2];
        r.predictor = rest / (int)COUNT_OF(layouts) + 1;
        const bool packed = r.compression != 1 && r.compression != 32773;
        if (r.predictor > 1 && (!packed || r.bits < 8)) continue;
        if (r.predictor == 3 && r.format != 3) continue;
        if (r.separate && r.channels == 1) continue;
        check_recipe(&r, channels);
    }
}

TEST(tiff_grey_of_every_depth) {
    static const int kinds[][2] = {{1, 1}, {2, 1}, {4, 1}, {8, 1}, {16, 1}, {32, 1}, {8, 2}, {16, 2}, {32, 2}, {32, 3}};
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        TiffRecipe r = plain_recipe();
        r.bits = kinds[i][0];
        r.format = kinds[i][1];
        sweep(r, 1);
    }
}

TEST(tiff_rgb_with_and_without_alpha) {
    static const int kinds[][2] = {{8, 1}, {16, 1}, {32, 3}, {4, 1}};
    for (size_t i = 0; i < 2 * COUNT_OF(kinds); i++) {
        TiffRecipe r = plain_recipe();
        r.photometric = 2;
        r.channels = i % 2 ? 4 : 3;
        r.extra = i % 2 ? 2 : -1;
        r.bits = kinds[i / 2][0];
        r.format = kinds[i / 2][1];
        sweep(r, 3);
    }
}

TEST(tiff_palette_white_is_zero_and_many_channels) {
    for (int bits = 1; bits <= 8; bits *= 2) {
        TiffRecipe r = plain_recipe();
        r.bits = bits;
        r.photometric = 3;
        sweep(r, 3);
        r.photometric = 0;
        sweep(r, 1);
    }
    TiffRecipe r = plain_recipe();
    r.bits = 16;
    r.photometric = 0;
    sweep(r, 1);
    r.photometric = 1;
    r.channels = 5;
    r.extra = 0; // unstated meaning: channels
    sweep(r, 5);
    r.channels = 2;
    r.extra = 1; // alpha
    sweep(r, 1);
}

// Enough different strings that the LZW table fills up and is cleared, at 12 bits.
static uint32_t rough_sample(const TiffRecipe *r, int page, int y, int x, int c) {
    return (any_sample(r, page, y, x, c) * 2654435761u + (uint32_t)(x * x * 7 + y * 131)) >> 7 & 255;
}

TEST(tiff_lzw_table_fills_up) {
    TiffRecipe r = plain_recipe();
    r.width = 160;
    r.height = 120;
    r.compression = 5;
    size_t size;
    uint8_t *bytes = tiff_make(&r, rough_sample, &size);
    static uint8_t samples[160 * 120];
    ImageSource *source;
    CHECK_OK(image_open_bytes("made.tif", bytes, size, IMAGE_FIRST_PAGE, &source));
    const ImageBox box = image_slice(image_shape(source), 0);
    CHECK_OK(image_read_box(source, &box, SAMPLE_U8, samples));
    int wrong = 0;
    for (int i = 0; i < 160 * 120; i++) wrong += samples[i] != rough_sample(&r, 0, i / 160, i % 160, 0);
    CHECK_INT(wrong, 0);
    image_close(source);
    mem_free(bytes);
}

// A black picture is one string that becomes longer and longer: pieces that run into themselves.
static uint32_t black_sample(const TiffRecipe *r, int page, int y, int x, int c) {
    (void)r, (void)page, (void)y, (void)x, (void)c;
    return 0;
}

TEST(tiff_lzw_of_one_colour) {
    TiffRecipe r = plain_recipe();
    r.width = 500;
    r.height = 400;
    r.compression = 5;
    size_t size;
    uint8_t *bytes = tiff_make(&r, black_sample, &size);
    uint8_t *samples = mem_alloc(500 * 400);
    ImageSource *source;
    REQUIRE(samples != NULL);
    memset(samples, 1, 500 * 400);
    CHECK_OK(image_open_bytes("made.tif", bytes, size, IMAGE_FIRST_PAGE, &source));
    const ImageBox box = image_slice(image_shape(source), 0);
    CHECK_OK(image_read_box(source, &box, SAMPLE_U8, samples));
    for (int i = 0; i < 500 * 400; i++) REQUIRE(samples[i] == 0);
    image_close(source);
    mem_free(samples);
    mem_free(bytes);
}

// ---- Pages ----------------------------------------------------------------------------------------------------

TEST(tiff_pages_are_slices_when_asked) {
    TiffRecipe r = plain_recipe();
    r.pages = 6;
    r.bits = 16;
    for (int big = 0; big < 2; big++) {
        r.big_endian = big;
        check_recipe(&r, 1);
        size_t size;
        uint8_t *bytes = tiff_make(&r, any_sample, &size);
        ImageSource *source;
        CHECK_OK(image_open_bytes("made.tif", bytes, size, IMAGE_FIRST_PAGE, &source));
        CHECK_INT(image_shape(source)->depth, 1);
        image_close(source);
        mem_free(bytes);
    }
}

TEST(tiff_spacing_is_taken_from_imagej_only) {
    TiffRecipe r = plain_recipe();
    r.resolution = 4;
    for (int i = 0; i < 2; i++) {
        r.description = i ? "ImageJ=1.53\nimages=1\nunit=cm\nspacing=0.3\n" : "made by hand\nunit=cm\nspacing=0.3\n";
        size_t size;
        uint8_t *bytes = tiff_make(&r, any_sample, &size);
        ImageSource *source;
        CHECK_OK(image_open_bytes("made.tif", bytes, size, IMAGE_FIRST_PAGE, &source));
        const double *spacing = image_shape(source)->spacing;
        CHECK(spacing[0] == (i ? 2.5 : 0) && spacing[1] == (i ? 2.5 : 0) && spacing[2] == (i ? 3.0 : 0));
        image_close(source);
        mem_free(bytes);
    }
}

// ---- What is refused ------------------------------------------------------------------------------------------

static void check_refused(const TiffRecipe *r, Status expected, const char *part) {
    size_t size;
    uint8_t *bytes = tiff_make(r, any_sample, &size);
    ImageSource *source;
    CHECK_INT(image_open_bytes("made.tif", bytes, size, IMAGE_ALL_PAGES, &source), expected);
    CHECK(source == NULL);
    CHECK_MSG(strstr(error_message(), part) && strstr(error_message(), "made.tif: page 1: "), "expected '%s' in: %s",
              part, error_message());
    mem_free(bytes);
}

// The twelve bytes of a tag in the directory, which lies at the end of the file.
static uint8_t *find_entry(uint8_t *bytes, size_t size, int tag) {
    size_t entry = size - 4 - 12;
    while (entry > 8 && (bytes[entry] | bytes[entry + 1] << 8) != tag) entry -= 12;
    REQUIRE(entry > 8);
    return bytes + entry;
}

TEST(tiff_what_is_missing_is_named) {
    static const struct {
        int tag, value;
        const char *part;
    } cases[] = {{259, 7, "JPEG"},    {259, 4, "fax group 4"}, {259, 50000, "Zstandard"}, {259, 999, "unknown"},
                 {262, 6, "YCbCr"},   {262, 5, "CMYK"},        {274, 6, "orientation 6"}, {266, 2, "fill order 2"},
                 {258, 12, "12-bit"}, {339, 6, "complex"},     {317, 2, "predictor 2"},   {277, 65, "65 samples"}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        TiffRecipe r = plain_recipe();
        size_t size;
        uint8_t *bytes;
        r.predictor = r.orientation = r.fill_order = 1;
        bytes = tiff_make(&r, any_sample, &size);
        uint8_t *entry = find_entry(bytes, size, cases[i].tag);
        entry[8] = (uint8_t)cases[i].value;
        entry[9] = (uint8_t)(cases[i].value >> 8);
        ImageSource *source;
        CHECK_INT(image_open_bytes("made.tif", bytes, size, IMAGE_FIRST_PAGE, &source), ST_UNSUPPORTED);
        CHECK_MSG(strstr(error_message(), cases[i].part) != NULL, "expected '%s' in: %s", cases[i].part,
                  error_message());
        mem_free(bytes);
    }
}

TEST(tiff_impossible_pictures_are_refused) {
    TiffRecipe r = plain_recipe();
    r.photometric = 2;
    check_refused(&r, ST_BAD, "RGB");
    r = plain_recipe();
    r.width = 60000;
    r.height = 1; // changed to 60000 below
    size_t size;
    uint8_t *bytes = tiff_make(&r, any_sample, &size);
    for (size_t i = 8; i + 12 <= size; i++) {
        if (!memcmp(bytes + i, "\x01\x01\x03\0\x01\0\0\0\x01\0", 10)) memcpy(bytes + i + 8, "\x60\xea", 2);
    }
    ImageSource *source;
    CHECK_INT(image_open_bytes("made.tif", bytes, size, IMAGE_FIRST_PAGE, &source), ST_UNSUPPORTED);
    CHECK_MSG(strstr(error_message(), "too large") != NULL, "%s", error_message());
    mem_free(bytes);
}

static Status read_all(const uint8_t *bytes, size_t size) {
    static float samples[64 * 64 * 3];
    ImageSource *source;
    Status status = image_open_bytes("made.tif", bytes, size, IMAGE_FIRST_PAGE, &source);
    if (status != ST_OK) return status;
    const ImageBox box = image_slice(image_shape(source), 0);
    status = image_read_box(source, &box, SAMPLE_F32, samples);
    image_close(source);
    return status;
}

TEST(tiff_damage_is_named) {
    TiffRecipe r = plain_recipe();
    r.rows_per_strip = 5;
    r.compression = 8;
    size_t size;
    uint8_t *bytes = tiff_make(&r, any_sample, &size);
    CHECK_OK(read_all(bytes, size));
    uint8_t *counts = find_entry(bytes, size, 279);
    const size_t offsets_at = counts[-12 + 8] | (size_t)counts[-12 + 9] << 8,
                 counts_at = counts[8] | (size_t)counts[9] << 8;
    const size_t first_end = (bytes[offsets_at] | (size_t)bytes[offsets_at + 1] << 8) + bytes[counts_at];
    bytes[first_end - 1] ^= 1; // the checksum of a Deflate stream, behind all of its samples
    CHECK_INT(read_all(bytes, size), ST_BAD);
    CHECK_MSG(strstr(error_message(), "made.tif: strip 0: Deflate") != NULL, "%s", error_message());
    bytes[first_end - 1] ^= 1;
    counts[4]--; // one strip less than the picture needs
    CHECK_INT(read_all(bytes, size), ST_BAD);
    CHECK_MSG(strstr(error_message(), "6 strips has the places of 5") != NULL, "%s", error_message());
    counts[4]++;
    bytes[counts_at + 1] = 0xff; // more bytes than the file has
    CHECK_INT(read_all(bytes, size), ST_BAD);
    CHECK_MSG(strstr(error_message(), "beyond the end") != NULL, "%s", error_message());
    mem_free(bytes);
}

TEST(tiff_rows_per_strip_may_exceed_the_picture) {
    TiffRecipe r = plain_recipe();
    for (size_t i = 0; i < COUNT_OF(packings); i++) {
        r.compression = packings[i];
        r.rows_per_strip = 30; // of 29
        check_recipe(&r, 1);
        r.rows_per_strip = 65535;
        check_recipe(&r, 1);
    }
}

TEST(tiff_directories_in_a_circle_end) {
    TiffRecipe r = plain_recipe();
    r.pages = 2;
    size_t size;
    uint8_t *bytes = tiff_make(&r, any_sample, &size);
    memcpy(bytes + size - 4, bytes + 4, 4); // the last page's successor is the first
    ImageSource *source;
    CHECK_INT(image_open_bytes("made.tif", bytes, size, IMAGE_ALL_PAGES, &source), ST_BAD);
    CHECK_MSG(strstr(error_message(), "circle") != NULL, "%s", error_message());
    CHECK_OK(image_open_bytes("made.tif", bytes, size, IMAGE_FIRST_PAGE, &source));
    image_close(source);
    mem_free(bytes);
}

TEST(box_outside_and_wrong_type_are_refused) {
    const TiffRecipe r = plain_recipe();
    size_t size;
    uint8_t *bytes = tiff_make(&r, any_sample, &size);
    ImageSource *source;
    CHECK_OK(image_open_bytes("made.tif", bytes, size, IMAGE_FIRST_PAGE, &source));
    static const ImageBox outside[] = {{-1, 0, 0, 1, 1, 1}, {0, 0, 1, 1, 1, 1}, {37, 0, 0, 1, 1, 1},
                                       {36, 0, 0, 2, 1, 1}, {0, 0, 0, 0, 1, 1}, {0, 5, 0, 1, INT64_MAX, 1}};
    uint8_t sample[8];
    for (size_t i = 0; i < COUNT_OF(outside); i++) {
        CHECK_INT(image_read_box(source, &outside[i], SAMPLE_U8, sample), ST_USAGE);
    }
    CHECK_INT(image_read_box(source, &(ImageBox){0, 0, 0, 1, 1, 1}, SAMPLE_U16, sample), ST_USAGE);
    CHECK_OK(image_read_box(source, &(ImageBox){0, 0, 0, 1, 1, 1}, SAMPLE_U8, sample));
    CHECK_TEXT(image_format(source), "TIFF");
    image_close(source);
    mem_free(bytes);
}

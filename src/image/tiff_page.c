// Directories of a TIFF: finds the tags of a page, checks that they make a picture, and names what is not supported.
#include "image/tiff_page.h"
#include "base/memory.h"
#include "base/text.h"
#include "image/format.h"
#include "image/tiff.h"
#include <stdlib.h>
#include <string.h>

uint32_t tiff_get16(const TiffFile *file, size_t at) {
    const uint8_t *p = file->bytes + at;
    return file->big_endian ? (uint32_t)p[0] << 8 | p[1] : (uint32_t)p[1] << 8 | p[0];
}

uint32_t tiff_get32(const TiffFile *file, size_t at) {
    const uint32_t first = tiff_get16(file, at), second = tiff_get16(file, at + 2);
    return file->big_endian ? first << 16 | second : second << 16 | first;
}

static bool inside(const TiffFile *file, size_t at, size_t bytes) {
    return at <= file->size && bytes <= file->size - at;
}

Status tiff_open_header(TiffFile *file, size_t *directory) {
    FAIL_IF(file->size < 8, ST_BAD, "TIFF header ends after %zu of 8 bytes; the file is cut off", file->size);
    file->big_endian = file->bytes[0] == 'M';
    FAIL_IF(tiff_get16(file, 2) == 43, ST_UNSUPPORTED, "BigTIFF is not supported; save it as a classic TIFF");
    *directory = tiff_get32(file, 4);
    FAIL_IF(*directory == 0, ST_BAD, "TIFF without a page");
    return ST_OK;
}

Status tiff_next(const TiffFile *file, size_t directory, size_t *next, size_t *length) {
    FAIL_IF(!inside(file, directory, 2), ST_BAD,
            "TIFF page directory at byte %zu lies beyond the end (%zu); the file is damaged or cut off", directory,
            file->size);
    const size_t entries = tiff_get16(file, directory);
    *length = 2 + 12 * entries + 4;
    FAIL_IF(
        !inside(file, directory, *length - 4), ST_BAD,
        "TIFF page directory of %zu tags at byte %zu does not fit into the file (%zu bytes); it is damaged or cut off",
        entries, directory, file->size);
    // Some writers leave out the closing offset of the last directory.
    *next = inside(file, directory, *length) ? tiff_get32(file, directory + *length - 4) : 0;
    return ST_OK;
}

// ---- Fields ---------------------------------------------------------------------------------------------------

static const int wanted_tags[TIFF_FIELDS] = {
    TAG_SUBFILE,      TAG_WIDTH,        TAG_HEIGHT,        TAG_BITS,        TAG_COMPRESSION,   TAG_PHOTOMETRIC,
    TAG_FILL_ORDER,   TAG_DESCRIPTION,  TAG_STRIP_OFFSETS, TAG_ORIENTATION, TAG_SAMPLES,       TAG_ROWS_PER_STRIP,
    TAG_STRIP_COUNTS, TAG_X_RESOLUTION, TAG_Y_RESOLUTION,  TAG_PLANAR,      TAG_PREDICTOR,     TAG_COLOUR_MAP,
    TAG_TILE_WIDTH,   TAG_TILE_HEIGHT,  TAG_TILE_OFFSETS,  TAG_TILE_COUNTS, TAG_EXTRA_SAMPLES, TAG_SAMPLE_FORMAT,
};

static size_t type_size(int type) {
    switch (type) {
    case TYPE_BYTE:
    case TYPE_ASCII: return 1;
    case TYPE_SHORT: return 2;
    case TYPE_LONG: return 4;
    case TYPE_RATIONAL: return 8;
    default: return 0;
    }
}

// Tags that only describe; damage in them is no reason to refuse the picture.
static bool is_description(int tag) {
    return tag == TAG_DESCRIPTION || tag == TAG_X_RESOLUTION || tag == TAG_Y_RESOLUTION;
}

static bool type_fits(int tag, int type) {
    if (tag == TAG_DESCRIPTION) return type == TYPE_ASCII;
    if (tag == TAG_X_RESOLUTION || tag == TAG_Y_RESOLUTION) return type == TYPE_RATIONAL;
    return type == TYPE_BYTE || type == TYPE_SHORT || type == TYPE_LONG;
}

static Status read_field(const TiffFile *file, size_t entry, TiffField *field) {
    const int tag = (int)tiff_get16(file, entry), type = (int)tiff_get16(file, entry + 2);
    const size_t count = tiff_get32(file, entry + 4), unit = type_size(type);
    size_t bytes = 0;
    const bool fits = type_fits(tag, type) && count > 0 && mul_size(count, unit, &bytes);
    const size_t at = bytes <= 4 ? entry + 8 : tiff_get32(file, entry + 8);
    if (!fits || !inside(file, at, bytes)) {
        if (is_description(tag)) return ST_OK;
        return fail(ST_BAD, "TIFF tag %d (type %d, %zu values at byte %zu) is damaged or lies beyond the end", tag,
                    type, count, at);
    }
    *field = (TiffField){tag, type, count, at};
    return ST_OK;
}

static Status read_fields(const TiffFile *file, size_t directory, TiffPage *page) {
    const size_t entries = tiff_get16(file, directory);
    for (size_t i = 0; i < entries; i++) {
        const size_t entry = directory + 2 + 12 * i;
        const int tag = (int)tiff_get16(file, entry);
        for (int k = 0; k < TIFF_FIELDS; k++) {
            if (wanted_tags[k] == tag) TRY(read_field(file, entry, &page->fields[k]));
        }
    }
    return ST_OK;
}

const TiffField *tiff_find(const TiffPage *page, int tag) {
    for (int k = 0; k < TIFF_FIELDS; k++) {
        if (page->fields[k].count > 0 && page->fields[k].tag == tag) return &page->fields[k];
    }
    return NULL;
}

uint32_t tiff_value(const TiffFile *file, const TiffField *field, size_t index) {
    const size_t at = field->at + index * type_size(field->type);
    return field->type == TYPE_LONG    ? tiff_get32(file, at)
           : field->type == TYPE_SHORT ? tiff_get16(file, at)
                                       : file->bytes[at];
}

static uint32_t value_or(const TiffFile *file, const TiffPage *page, int tag, uint32_t otherwise) {
    const TiffField *field = tiff_find(page, tag);
    return field ? tiff_value(file, field, 0) : otherwise;
}

// The one value that all samples of a pixel must share.
static Status common_value(const TiffFile *file, const TiffPage *page, int tag, uint32_t otherwise, const char *what,
                           int *out) {
    const TiffField *field = tiff_find(page, tag);
    const uint32_t first = field ? tiff_value(file, field, 0) : otherwise;
    for (size_t i = 1; field && i < field->count && i < (size_t)page->stored_channels; i++) {
        FAIL_IF(tiff_value(file, field, i) != first, ST_UNSUPPORTED, "channels with different %s", what);
    }
    FAIL_IF(first > 1024, ST_BAD, "%s %u is impossible", what, first);
    *out = (int)first;
    return ST_OK;
}

// ---- Meaning --------------------------------------------------------------------------------------------------

typedef struct Name {
    uint32_t number;
    const char *name;
} Name;

static const char *find_name(const Name *names, size_t count, uint32_t number) {
    for (size_t i = 0; i < count; i++) {
        if (names[i].number == number) return names[i].name;
    }
    return "unknown";
}

static Status check_compression(uint32_t compression) {
    static const Name names[] = {
        {2, "CCITT Huffman"}, {3, "CCITT fax group 3"}, {4, "CCITT fax group 4"}, {6, "old JPEG"},
        {7, "JPEG"},          {32809, "ThunderScan"},   {33003, "JPEG 2000"},     {33005, "JPEG 2000"},
        {34712, "JPEG 2000"}, {34887, "LERC"},          {34892, "lossy JPEG"},    {34925, "LZMA"},
        {50000, "Zstandard"}, {50001, "WebP"},          {50002, "JPEG XL"},
    };
    switch (compression) {
    case COMPRESSION_NONE:
    case COMPRESSION_LZW:
    case COMPRESSION_DEFLATE:
    case COMPRESSION_DEFLATE_OLD:
    case COMPRESSION_PACKBITS: return ST_OK;
    default:
        return fail(ST_UNSUPPORTED, "TIFF compression %u (%s) is not supported; none, PackBits, LZW and Deflate are",
                    compression, find_name(names, COUNT_OF(names), compression));
    }
}

static Status check_photometric(const TiffPage *page) {
    static const Name names[] = {
        {4, "transparency mask"},       {5, "CMYK"},           {6, "YCbCr"}, {8, "CIE L*a*b*"}, {9, "ICC L*a*b*"},
        {32803, "colour filter array"}, {34892, "linear raw"},
    };
    FAIL_IF(page->photometric > PHOTOMETRIC_PALETTE, ST_UNSUPPORTED,
            "TIFF colour space %d (%s) is not supported; grey, RGB and palette are", page->photometric,
            find_name(names, COUNT_OF(names), (uint32_t)page->photometric));
    FAIL_IF(page->photometric == PHOTOMETRIC_RGB && page->stored_channels < 3, ST_BAD,
            "TIFF says RGB but has %d samples a pixel", page->stored_channels);
    return ST_OK;
}

// RGB and palette: all extra samples are dropped. Grey: alpha (1, 2) at the end is dropped, samples of unstated
// meaning are channels, as scientific programs write them.
static int count_channels(const TiffFile *file, const TiffPage *page) {
    if (page->photometric == PHOTOMETRIC_RGB || page->photometric == PHOTOMETRIC_PALETTE) return 3;
    int channels = page->stored_channels;
    const TiffField *extra = tiff_find(page, TAG_EXTRA_SAMPLES);
    for (size_t i = extra ? extra->count : 0; i > 0 && channels > 1; i--) {
        const uint32_t meaning = tiff_value(file, extra, i - 1);
        if (meaning != 1 && meaning != 2) break;
        channels--;
    }
    return channels;
}

static Status decide_type(TiffPage *page) {
    const int bits = page->bits, format = page->sample_format;
    const bool is_unsigned = format == FORMAT_UNSIGNED || format == FORMAT_UNDEFINED;
    if (is_unsigned && (bits == 1 || bits == 2 || bits == 4 || bits == 8)) {
        page->type = SAMPLE_U8;
    } else if (is_unsigned && bits == 16) {
        page->type = SAMPLE_U16;
    } else if (((is_unsigned || format == FORMAT_SIGNED) && bits == 32) ||
               (format == FORMAT_SIGNED && (bits == 8 || bits == 16)) ||
               (format == FORMAT_FLOAT && (bits == 32 || bits == 64))) {
        page->type = SAMPLE_F32;
    } else {
        static const char *const names[] = {"unsigned", "signed", "float", "unsigned"};
        return fail(ST_UNSUPPORTED, "%d-bit %s samples are not supported", bits,
                    format >= 1 && format <= 4 ? names[format - 1] : "complex");
    }
    FAIL_IF(page->photometric == WHITE_IS_ZERO && page->type == SAMPLE_F32, ST_UNSUPPORTED,
            "white-is-zero with %d-bit signed or float samples is not supported", bits);
    FAIL_IF(page->photometric == PHOTOMETRIC_PALETTE && page->type != SAMPLE_U8, ST_UNSUPPORTED,
            "a palette with %d-bit samples is not supported", bits);
    return ST_OK;
}

static Status check_predictor(const TiffPage *page) {
    if (page->predictor == PREDICTOR_NONE) return ST_OK;
    FAIL_IF(page->compression == COMPRESSION_NONE || page->compression == COMPRESSION_PACKBITS, ST_UNSUPPORTED,
            "TIFF predictor %d without LZW or Deflate is not supported", page->predictor);
    const bool is_float = page->sample_format == FORMAT_FLOAT;
    const bool known = (page->predictor == PREDICTOR_DIFFERENCE && page->bits >= 8 && page->bits <= 32) ||
                       (page->predictor == PREDICTOR_FLOAT && is_float);
    FAIL_IF(!known, ST_UNSUPPORTED, "TIFF predictor %d on %d-bit samples is not supported", page->predictor,
            page->bits);
    return ST_OK;
}

static Status read_samples(const TiffFile *file, TiffPage *page) {
    const uint32_t stored = value_or(file, page, TAG_SAMPLES, 1);
    FAIL_IF(stored < 1 || stored > IMAGE_MAX_CHANNELS, ST_UNSUPPORTED, "%u samples a pixel; 1 to %d are supported",
            stored, IMAGE_MAX_CHANNELS);
    page->stored_channels = (int)stored;
    TRY(common_value(file, page, TAG_BITS, 1, "bits per sample", &page->bits));
    TRY(common_value(file, page, TAG_SAMPLE_FORMAT, FORMAT_UNSIGNED, "sample formats", &page->sample_format));
    const uint32_t compression = value_or(file, page, TAG_COMPRESSION, COMPRESSION_NONE);
    TRY(check_compression(compression));
    page->compression = (int)compression;
    FAIL_IF(!tiff_find(page, TAG_PHOTOMETRIC), ST_BAD, "TIFF tag %d (colour space) is missing", TAG_PHOTOMETRIC);
    page->photometric = (int)MIN(value_or(file, page, TAG_PHOTOMETRIC, 0), 65535u);
    TRY(check_photometric(page));
    page->channels = count_channels(file, page);
    TRY(decide_type(page));
    page->predictor = (int)MIN(value_or(file, page, TAG_PREDICTOR, PREDICTOR_NONE), 65535u);
    TRY(check_predictor(page));
    const uint32_t planar = value_or(file, page, TAG_PLANAR, PLANAR_CHUNKY);
    FAIL_IF(planar != PLANAR_CHUNKY && planar != PLANAR_SEPARATE, ST_BAD, "TIFF planar configuration %u", planar);
    page->separate = planar == PLANAR_SEPARATE && page->stored_channels > 1;
    return ST_OK;
}

static Status check_rest(const TiffFile *file, const TiffPage *page) {
    const uint32_t orientation = value_or(file, page, TAG_ORIENTATION, 1);
    FAIL_IF(orientation != 1, ST_UNSUPPORTED,
            "TIFF orientation %u (turned or mirrored) is not supported; save the picture upright", orientation);
    FAIL_IF(value_or(file, page, TAG_FILL_ORDER, 1) != 1, ST_UNSUPPORTED,
            "TIFF fill order 2 (reversed bits) is not supported");
    if (page->photometric != PHOTOMETRIC_PALETTE) return ST_OK;
    const TiffField *map = tiff_find(page, TAG_COLOUR_MAP);
    FAIL_IF(!map || map->type != TYPE_SHORT || map->count < (size_t)3 << page->bits, ST_BAD,
            "the palette is missing or too short: expected %zu values, got %zu", (size_t)3 << page->bits,
            map ? map->count : 0);
    return ST_OK;
}

// ---- Geometry -------------------------------------------------------------------------------------------------

static Status read_blocks(const TiffFile *file, TiffPage *page) {
    const TiffField *tile_offsets = tiff_find(page, TAG_TILE_OFFSETS);
    page->tiled = tile_offsets || tiff_find(page, TAG_TILE_WIDTH);
    const TiffField *offsets = page->tiled ? tile_offsets : tiff_find(page, TAG_STRIP_OFFSETS);
    const TiffField *counts = tiff_find(page, page->tiled ? TAG_TILE_COUNTS : TAG_STRIP_COUNTS);
    FAIL_IF(!offsets || (!counts && page->compression != COMPRESSION_NONE), ST_BAD,
            "TIFF without the places or sizes of its %s", page->tiled ? "tiles" : "strips");
    page->offsets = *offsets;
    if (counts) page->counts = *counts;
    page->block_width = page->tiled ? (int64_t)value_or(file, page, TAG_TILE_WIDTH, 0) : page->width;
    page->block_height = value_or(file, page, page->tiled ? TAG_TILE_HEIGHT : TAG_ROWS_PER_STRIP,
                                  page->tiled ? 0 : (uint32_t)page->height);
    if (!page->tiled) page->block_height = MIN(page->block_height, page->height);
    FAIL_IF(page->block_width < 1 || page->block_height < 1, ST_BAD, "TIFF %s of %lld x %lld samples",
            page->tiled ? "tiles" : "strips", (long long)page->block_width, (long long)page->block_height);
    page->blocks_across = div_up(page->width, page->block_width);
    page->blocks_down = div_up(page->height, page->block_height);
    return ST_OK;
}

// A pixel of a palette becomes three samples, a sample of 64 bit takes the room of two.
static Status check_size(const TiffPage *page, int64_t width, int64_t height) {
    TRY(check_picture_size(width, height, MAX(page->stored_channels, page->channels)));
    FAIL_IF(page->bits == 64 && width * height * page->stored_channels > IMAGE_MAX_SAMPLES / 2, ST_UNSUPPORTED,
            "%lld x %lld with %d channels of 64 bit is too large; save it as 32-bit float", (long long)width,
            (long long)height, page->stored_channels);
    return ST_OK;
}

static Status check_blocks(const TiffPage *page) {
    const int64_t blocks = page->blocks_across * page->blocks_down * (page->separate ? page->stored_channels : 1);
    const size_t have = page->counts.count > 0 ? MIN(page->offsets.count, page->counts.count) : page->offsets.count;
    FAIL_IF((size_t)blocks > have, ST_BAD, "TIFF of %lld %s has the places of %zu only", (long long)blocks,
            page->tiled ? "tiles" : "strips", have);
    if (!page->tiled) return ST_OK;
    // Tiles reach beyond the picture; all of what they hold has to be unpacked.
    int64_t width, height;
    FAIL_IF(!mul_i64(page->blocks_across, page->block_width, &width) ||
                !mul_i64(page->blocks_down, page->block_height, &height),
            ST_BAD, "TIFF tiles of %lld x %lld", (long long)page->block_width, (long long)page->block_height);
    return check_size(page, width, height);
}

// ---- Spacing --------------------------------------------------------------------------------------------------

static double unit_in_mm(const char *unit, size_t length) {
    static const struct {
        const char *name;
        double mm;
    } units[] = {{"mm", 1}, {"cm", 10}, {"um", 1e-3}, {"micron", 1e-3}, {"\\u00B5m", 1e-3}, {"\xc2\xb5m", 1e-3}};
    for (size_t i = 0; i < COUNT_OF(units); i++) {
        if (strlen(units[i].name) == length && !memcmp(units[i].name, unit, length)) return units[i].mm;
    }
    return 0;
}

static double resolution(const TiffFile *file, const TiffPage *page, int tag) {
    const TiffField *field = tiff_find(page, tag);
    if (!field) return 0;
    const uint32_t above = tiff_get32(file, field->at), below = tiff_get32(file, field->at + 4);
    return below ? (double)above / below : 0;
}

// Finds "key=value" at the start of a line.
static const char *find_line(const char *text, const char *key, size_t *length) {
    for (const char *line = text; line; line = strchr(line, '\n'), line = line ? line + 1 : NULL) {
        if (!text_starts(line, key)) continue;
        *length = strcspn(line + strlen(key), "\r\n");
        return line + strlen(key);
    }
    return NULL;
}

// Only ImageJ's description makes the resolution a real distance; all others write 72 dpi and the like, which is
// about printing, and a wrong millimetre is worse than none.
static void read_spacing(const TiffFile *file, TiffPage *page) {
    const TiffField *field = tiff_find(page, TAG_DESCRIPTION);
    char text[1024], number[32];
    if (!field) return;
    const size_t length = MIN(field->count, sizeof text - 1);
    memcpy(text, file->bytes + field->at, length);
    text[length] = 0;
    if (!text_starts(text, "ImageJ=")) return;
    size_t unit_length = 0, spacing_length = 0;
    const char *unit = find_line(text, "unit=", &unit_length), *spacing = find_line(text, "spacing=", &spacing_length);
    const double mm = unit ? unit_in_mm(unit, unit_length) : 0;
    const double across = resolution(file, page, TAG_X_RESOLUTION), down = resolution(file, page, TAG_Y_RESOLUTION);
    if (across > 0) page->spacing[0] = mm / across;
    if (down > 0) page->spacing[1] = mm / down;
    if (!spacing || spacing_length >= sizeof number) return;
    memcpy(number, spacing, spacing_length);
    number[spacing_length] = 0;
    double z;
    if (parse_double(number, &z) && z > 0 && z < 1e6) page->spacing[2] = z * mm;
}

Status tiff_read_page(const TiffFile *file, size_t directory, TiffPage *page) {
    *page = (TiffPage){0};
    size_t next, length;
    TRY(tiff_next(file, directory, &next, &length));
    TRY(read_fields(file, directory, page));
    page->reduced = value_or(file, page, TAG_SUBFILE, 0) & 5; // 1: reduced resolution, 4: mask
    TRY(read_samples(file, page));
    page->width = value_or(file, page, TAG_WIDTH, 0);
    page->height = value_or(file, page, TAG_HEIGHT, 0);
    TRY(check_size(page, page->width, page->height));
    TRY(check_rest(file, page));
    TRY(read_blocks(file, page));
    TRY(check_blocks(page));
    read_spacing(file, page);
    return ST_OK;
}

// TIFF writer: little-endian, strips of about 64 KB; 8, 16 bit and 32-bit float, grey and RGB; a page a slice.
// Deflate with predictor 2 for integers, none for float (few programs read predictor 3); or uncompressed.
//
//   header -> for each page: strips, then what is too long for a directory, then the directory -> the next page
//
// The file is put together in memory, since each link in that chain points ahead.
#include "base/memory.h"
#include "base/text.h"
#include "image/format.h"
#include "image/tiff.h"
#include <string.h>

enum { STRIP_BYTES = 1 << 16 };

typedef struct TiffOut {
    const ImageShape *shape;
    ImagePacking packing;
    size_t row_bytes;
    int64_t rows_per_strip, strips;
    uint32_t *offsets, *counts; // of the strips of one page
    uint8_t *strip;             // one strip of scratch
    Text bytes;                 // the file so far
} TiffOut;

static Status tiff_accepts(const ImageShape *shape) {
    FAIL_IF(shape->depth > 65535, ST_UNSUPPORTED, "TIFF of %lld pages; at most 65535", (long long)shape->depth);
    return ST_OK;
}

static void put16(uint8_t *p, uint32_t value) {
    p[0] = (uint8_t)value;
    p[1] = (uint8_t)(value >> 8);
}

static void put32(uint8_t *p, uint32_t value) {
    put16(p, value);
    put16(p + 2, value >> 16);
}

static void put_bytes(TiffOut *out, const void *bytes, size_t count) { text_bytes(&out->bytes, bytes, count); }

// Directories and what they point to begin at even places; returns the place.
static uint32_t put_even(TiffOut *out) {
    if (out->bytes.length % 2) put_bytes(out, "", 1);
    return (uint32_t)out->bytes.length;
}

// ---- Strips ---------------------------------------------------------------------------------------------------

static void store_little_endian(const uint8_t *in, size_t values, size_t size, uint8_t *out) {
    for (size_t i = 0; i < values; i++) {
        uint16_t half;
        uint32_t word;
        switch (size) {
        case 1: out[i] = in[i]; break;
        case 2:
            memcpy(&half, in + 2 * i, 2);
            put16(out + 2 * i, half);
            break;
        default: memcpy(&word, in + 4 * i, 4); put32(out + 4 * i, word);
        }
    }
}

// Predictor 2, from the end so that every difference is taken from a sample that is still itself.
static void take_differences(uint8_t *row, size_t samples, size_t channels, size_t size) {
    for (size_t i = samples; i-- > channels;) {
        uint8_t *here = row + i * size;
        const uint8_t *before = here - channels * size;
        if (size == 1) {
            *here = (uint8_t)(*here - *before);
        } else {
            put16(here, (uint32_t)(here[0] | here[1] << 8) - (uint32_t)(before[0] | before[1] << 8));
        }
    }
}

static Status put_packed(TiffOut *out, size_t bytes, size_t *stored) {
    uint8_t *packed;
    TRY(pack_deflate(out->strip, bytes, &packed, stored));
    put_bytes(out, packed, *stored);
    mem_free(packed);
    return ST_OK;
}

static bool has_predictor(const TiffOut *out) { return out->packing == IMAGE_PACKED && out->shape->type != SAMPLE_F32; }

static Status put_strip(TiffOut *out, const uint8_t *samples, int64_t index) {
    const size_t size = sample_size(out->shape->type), channels = (size_t)out->shape->channels;
    const int64_t first = index * out->rows_per_strip, rows = MIN(out->rows_per_strip, out->shape->height - first);
    const size_t bytes = out->row_bytes * (size_t)rows;
    store_little_endian(samples + (size_t)first * out->row_bytes, bytes / size, size, out->strip);
    for (int64_t y = 0; has_predictor(out) && y < rows; y++) {
        take_differences(out->strip + (size_t)y * out->row_bytes, out->row_bytes / size, channels, size);
    }
    size_t stored = bytes;
    out->offsets[index] = put_even(out);
    if (out->packing == IMAGE_PACKED) {
        TRY(put_packed(out, bytes, &stored));
    } else {
        put_bytes(out, out->strip, bytes);
    }
    out->counts[index] = (uint32_t)stored;
    FAIL_IF(out->bytes.length > UINT32_MAX - (1u << 20), ST_UNSUPPORTED, "a TIFF holds less than 4 GB");
    return text_status(&out->bytes);
}

// ---- Directory ------------------------------------------------------------------------------------------------

typedef struct Directory {
    uint8_t bytes[2 + 12 * 16 + 4];
    uint32_t entries;
} Directory;

static void add_entry(Directory *directory, int tag, int type, uint32_t count, uint32_t value) {
    uint8_t *entry = directory->bytes + 2 + 12 * directory->entries++;
    put16(entry, (uint32_t)tag);
    put16(entry + 2, (uint32_t)type);
    put32(entry + 4, count);
    put32(entry + 8, value); // a SHORT lies in the first two bytes: the same in little-endian
}

// Puts an array before the directory when it is too long for the entry; returns what goes into the entry.
static uint32_t put_longs(TiffOut *out, const uint32_t *values, int64_t count) {
    if (count == 1) return values[0];
    const uint32_t at = put_even(out);
    for (int64_t i = 0; i < count; i++) {
        uint8_t word[4];
        put32(word, values[i]);
        put_bytes(out, word, sizeof word);
    }
    return at;
}

// The same for a SHORT of each channel: three do not fit into an entry.
static uint32_t put_shorts(TiffOut *out, uint32_t each) {
    if (out->shape->channels == 1) return each;
    uint8_t bytes[6];
    for (int i = 0; i < 3; i++) put16(bytes + 2 * i, each);
    const uint32_t at = put_even(out);
    put_bytes(out, bytes, sizeof bytes);
    return at;
}

// Puts the page's directory; returns its place.
static uint32_t put_directory(TiffOut *out) {
    const ImageShape *shape = out->shape;
    const uint32_t channels = (uint32_t)shape->channels, strips = (uint32_t)out->strips;
    const bool packed = out->packing == IMAGE_PACKED;
    const uint32_t bits = put_shorts(out, 8 * (uint32_t)sample_size(shape->type));
    const uint32_t format = put_shorts(out, shape->type == SAMPLE_F32 ? FORMAT_FLOAT : FORMAT_UNSIGNED);
    const uint32_t offsets = put_longs(out, out->offsets, out->strips);
    const uint32_t counts = put_longs(out, out->counts, out->strips);
    Directory directory = {{0}, 0};
    add_entry(&directory, TAG_WIDTH, TYPE_LONG, 1, (uint32_t)shape->width); // the tags must ascend
    add_entry(&directory, TAG_HEIGHT, TYPE_LONG, 1, (uint32_t)shape->height);
    add_entry(&directory, TAG_BITS, TYPE_SHORT, channels, bits);
    add_entry(&directory, TAG_COMPRESSION, TYPE_SHORT, 1, packed ? COMPRESSION_DEFLATE : COMPRESSION_NONE);
    add_entry(&directory, TAG_PHOTOMETRIC, TYPE_SHORT, 1, channels == 3 ? PHOTOMETRIC_RGB : BLACK_IS_ZERO);
    add_entry(&directory, TAG_STRIP_OFFSETS, TYPE_LONG, strips, offsets);
    add_entry(&directory, TAG_SAMPLES, TYPE_SHORT, 1, channels);
    add_entry(&directory, TAG_ROWS_PER_STRIP, TYPE_LONG, 1, (uint32_t)out->rows_per_strip);
    add_entry(&directory, TAG_STRIP_COUNTS, TYPE_LONG, strips, counts);
    add_entry(&directory, TAG_PLANAR, TYPE_SHORT, 1, PLANAR_CHUNKY);
    if (has_predictor(out)) add_entry(&directory, TAG_PREDICTOR, TYPE_SHORT, 1, PREDICTOR_DIFFERENCE);
    add_entry(&directory, TAG_SAMPLE_FORMAT, TYPE_SHORT, channels, format);
    put16(directory.bytes, directory.entries);
    const uint32_t at = put_even(out);
    put_bytes(out, directory.bytes, 2 + 12 * directory.entries + 4); // ends with the link: 0, no next page
    return at;
}

// ---- Pages ----------------------------------------------------------------------------------------------------

// `link`: where the place of the next directory is to be written.
static Status put_pages(TiffOut *out, const uint8_t *samples) {
    static const uint8_t header[8] = {'I', 'I', 42, 0, 0, 0, 0, 0};
    put_bytes(out, header, sizeof header);
    size_t link = 4;
    for (int64_t z = 0; z < out->shape->depth; z++) {
        const uint8_t *slice = samples + (size_t)z * out->row_bytes * (size_t)out->shape->height;
        for (int64_t i = 0; i < out->strips; i++) TRY(put_strip(out, slice, i));
        const uint32_t directory = put_directory(out);
        TRY(text_status(&out->bytes));
        put32((uint8_t *)out->bytes.data + link, directory);
        link = out->bytes.length - 4;
    }
    return ST_OK;
}

static Status tiff_encode(const ImageShape *shape, ImagePacking packing, const void *samples, AtomicFile *file) {
    TiffOut out = {.shape = shape, .packing = packing};
    out.row_bytes = (size_t)(shape->width * shape->channels) * sample_size(shape->type);
    out.rows_per_strip = MIN(MAX(STRIP_BYTES / (int64_t)out.row_bytes, 1), shape->height);
    out.strips = div_up(shape->height, out.rows_per_strip);
    const size_t strip_bytes = out.row_bytes * (size_t)out.rows_per_strip;
    out.offsets = mem_zero((size_t)out.strips, sizeof *out.offsets);
    out.counts = mem_zero((size_t)out.strips, sizeof *out.counts);
    out.strip = mem_alloc(strip_bytes);
    Status status = out.offsets && out.counts && out.strip ? ST_OK : fail_memory(strip_bytes);
    if (status == ST_OK) status = put_pages(&out, samples);
    if (status == ST_OK) status = atomic_write(file, out.bytes.data, out.bytes.length);
    text_free(&out.bytes);
    mem_free(out.strip);
    mem_free(out.counts);
    mem_free(out.offsets);
    return status;
}

const ImageWriter tiff_writer = {"TIFF", {".tif", ".tiff"}, tiff_accepts, tiff_encode};

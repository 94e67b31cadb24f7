// PNG writer: 8 and 16 bit, grey and RGB, not interlaced. Every row gets the filter whose differences are smallest
// in sum (the heuristic that the PNG recommendation gives).
#include "base/memory.h"
#include "image/format.h"
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

static Status png_accepts(const ImageShape *shape) {
    FAIL_IF(shape->type == SAMPLE_F32, ST_UNSUPPORTED, "PNG holds no float samples; write a .tif");
    FAIL_IF(shape->depth != 1, ST_UNSUPPORTED, "PNG holds one slice, got %lld; write a .tif", (long long)shape->depth);
    return ST_OK;
}

static void put32(uint8_t *p, uint32_t value) {
    for (int i = 0; i < 4; i++) p[i] = (uint8_t)(value >> (24 - 8 * i));
}

static void write_chunk(Text *out, const char *type, const uint8_t *data, size_t size) {
    uint8_t head[8], tail[4];
    put32(head, (uint32_t)size);
    memcpy(head + 4, type, 4);
    uLong crc = crc32_z(0, NULL, 0);
    crc = crc32_z(crc, head + 4, 4);
    if (size > 0) crc = crc32_z(crc, data, size);
    put32(tail, (uint32_t)crc);
    text_bytes(out, head, sizeof head);
    if (size > 0) text_bytes(out, data, size);
    text_bytes(out, tail, sizeof tail);
}

static int guess_of(int filter, int a, int b, int c) {
    const int pa = abs(b - c), pb = abs(a - c), pc = abs(a + b - 2 * c);
    switch (filter) {
    case 0: return 0;
    case 1: return a;
    case 2: return b;
    case 3: return (a + b) / 2;
    default: return pa <= pb && pa <= pc ? a : pb <= pc ? b : c;
    }
}

// Filters `row` into `out`; returns the sum of the sizes of what is left, as signed bytes.
static uint64_t filter_row(int filter, const uint8_t *row, const uint8_t *above, size_t bytes, size_t step,
                           uint8_t *out) {
    uint64_t sum = 0;
    for (size_t i = 0; i < bytes; i++) {
        const int a = i >= step ? row[i - step] : 0, b = above[i], c = i >= step ? above[i - step] : 0;
        out[i] = (uint8_t)(row[i] - guess_of(filter, a, b, c));
        sum += (uint64_t)abs((int8_t)out[i]);
    }
    return sum;
}

static void store_big_endian(const uint8_t *row, size_t bytes, SampleType type, uint8_t *out) {
    if (type == SAMPLE_U8) {
        memcpy(out, row, bytes);
        return;
    }
    for (size_t i = 0; i < bytes; i += 2) {
        uint16_t value;
        memcpy(&value, row + i, 2);
        out[i] = (uint8_t)(value >> 8);
        out[i + 1] = (uint8_t)value;
    }
}

// Writes the filter and the filtered row; scratch: one row.
static void add_row(const uint8_t *row, const uint8_t *above, size_t bytes, size_t step, uint8_t *scratch,
                    uint8_t *out) {
    uint64_t best = UINT64_MAX;
    for (int filter = 0; filter < 5; filter++) {
        const uint64_t sum = filter_row(filter, row, above, bytes, step, scratch);
        if (sum >= best) continue;
        best = sum;
        out[0] = (uint8_t)filter;
        memcpy(out + 1, scratch, bytes);
    }
}

// All rows with their filters; `lines`: three rows of scratch, zeroed.
static void add_rows(const ImageShape *shape, const uint8_t *samples, uint8_t *lines, uint8_t *out) {
    const size_t step = (size_t)shape->channels * sample_size(shape->type), bytes = (size_t)shape->width * step;
    uint8_t *row = lines, *above = lines + bytes, *scratch = lines + 2 * bytes;
    for (int64_t y = 0; y < shape->height; y++) {
        store_big_endian(samples + (size_t)y * bytes, bytes, shape->type, row);
        add_row(row, above, bytes, step, scratch, out + (size_t)y * (bytes + 1));
        uint8_t *const swapped = row;
        row = above;
        above = swapped;
    }
}

static Status write_data(const uint8_t *stream, size_t size, Text *out) {
    uint8_t *packed;
    size_t packed_size;
    TRY(pack_deflate(stream, size, &packed, &packed_size));
    const size_t piece = (size_t)1 << 30; // a chunk's length has 31 bits
    for (size_t at = 0; at < packed_size; at += piece) {
        write_chunk(out, "IDAT", packed + at, MIN(piece, packed_size - at));
    }
    mem_free(packed);
    return ST_OK;
}

static Status write_picture(const ImageShape *shape, const uint8_t *samples, Text *out) {
    const size_t bytes = (size_t)(shape->width * shape->channels) * sample_size(shape->type);
    const size_t size = (bytes + 1) * (size_t)shape->height;
    uint8_t *stream = mem_alloc(size), *lines = mem_zero(3, bytes);
    Status status = stream && lines ? ST_OK : fail_memory(size + 3 * bytes);
    if (status == ST_OK) {
        add_rows(shape, samples, lines, stream);
        status = write_data(stream, size, out);
    }
    mem_free(stream);
    mem_free(lines);
    return status;
}

Status png_bytes(const ImageShape *shape, const void *samples, Text *out) {
    static const uint8_t signature[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
    uint8_t header[13] = {0};
    put32(header, (uint32_t)shape->width);
    put32(header + 4, (uint32_t)shape->height);
    header[8] = shape->type == SAMPLE_U16 ? 16 : 8;
    header[9] = shape->channels == 3 ? 2 : 0;
    text_bytes(out, signature, sizeof signature);
    write_chunk(out, "IHDR", header, sizeof header);
    TRY(write_picture(shape, samples, out));
    write_chunk(out, "IEND", NULL, 0);
    return text_status(out);
}

static Status png_encode(const ImageShape *shape, ImagePacking packing, const void *samples, AtomicFile *file) {
    (void)packing; // PNG knows Deflate only
    Text bytes = {0};
    Status status = png_bytes(shape, samples, &bytes);
    if (status == ST_OK) status = atomic_write(file, bytes.data, bytes.length);
    text_free(&bytes);
    return status;
}

const ImageWriter png_writer = {"PNG", {".png", NULL}, png_accepts, png_encode};

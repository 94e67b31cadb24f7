#include "image/tiff_make.h"
#include "test.h"
#include <zlib.h>

typedef struct Buffer {
    uint8_t *data;
    size_t size;
    bool big_endian;
    size_t capacity;
} Buffer;

static void put(Buffer *buffer, const void *bytes, size_t count) {
    if (buffer->size + count + 1 > buffer->capacity) {
        buffer->capacity = 2 * (buffer->size + count) + 256;
        buffer->data = mem_resize(buffer->data, buffer->capacity);
        REQUIRE(buffer->data != NULL);
    }
    if (count > 0) memcpy(buffer->data + buffer->size, bytes, count);
    buffer->size += count;
}

static void store(uint8_t *to, uint32_t value, int bytes, bool big_endian) {
    for (int i = 0; i < bytes; i++) to[i] = (uint8_t)(value >> 8 * (big_endian ? bytes - 1 - i : i));
}

static void put_number(Buffer *buffer, uint32_t value, int bytes) {
    uint8_t stored[4];
    store(stored, value, bytes, buffer->big_endian);
    put(buffer, stored, (size_t)bytes);
}

// ---- Encoders -------------------------------------------------------------------------------------------------

static void pack_packbits(Buffer *out, const uint8_t *in, size_t size) {
    for (size_t i = 0; i < size;) {
        size_t run = 1;
        while (i + run < size && run < 128 && in[i + run] == in[i]) run++;
        if (run == 1) { // a literal of up to 3 bytes, and a code that does nothing
            const size_t length = MIN(size - i, (size_t)3);
            const uint8_t head[2] = {0x80, (uint8_t)(length - 1)};
            put(out, head, 2);
            put(out, in + i, length);
            i += length;
        } else {
            const uint8_t code[2] = {(uint8_t)(257 - run), in[i]};
            put(out, code, 2);
            i += run;
        }
    }
}

typedef struct BitWriter {
    Buffer *out;
    uint32_t bits;
    int count;
} BitWriter;

static void put_code(BitWriter *writer, int code, int width) {
    writer->bits = writer->bits << width | (uint32_t)code;
    writer->count += width;
    while (writer->count >= 8) {
        const uint8_t byte = (uint8_t)(writer->bits >> (writer->count - 8));
        put(writer->out, &byte, 1);
        writer->count -= 8;
    }
}

// Strings are (earlier code, byte); the search is plain and slow.
static void pack_lzw(Buffer *out, const uint8_t *in, size_t size) {
    static int prefix[4096], suffix[4096];
    BitWriter writer = {out, 0, 0};
    int next = 258, width = 9, current = -1;
    put_code(&writer, 256, width);
    for (size_t i = 0; i < size; i++) {
        int found = current < 0 ? in[i] : -1;
        for (int k = 258; k < next && found < 0; k++) {
            if (prefix[k] == current && suffix[k] == in[i]) found = k;
        }
        if (found >= 0) {
            current = found;
            continue;
        }
        put_code(&writer, current, width);
        prefix[next] = current;
        suffix[next++] = in[i];
        width = next < 512 ? 9 : next < 1024 ? 10 : next < 2048 ? 11 : 12;
        current = in[i];
        if (next == 4095) {
            put_code(&writer, 256, width);
            next = 258;
            width = 9;
        }
    }
    put_code(&writer, current, width);
    // The decoder's table grows with this code too.
    next++;
    width = next < 512 ? 9 : next < 1024 ? 10 : next < 2048 ? 11 : 12;
    put_code(&writer, 257, width);
    put_code(&writer, 0, 7);
}

static void pack(Buffer *out, const uint8_t *in, size_t size, int compression) {
    if (compression == 32773) {
        pack_packbits(out, in, size);
    } else if (compression == 5) {
        pack_lzw(out, in, size);
    } else if (compression == 8 || compression == 32946) {
        uLongf packed = compressBound(size);
        uint8_t *bytes = mem_alloc(packed);
        REQUIRE(bytes && compress(bytes, &packed, in, size) == Z_OK);
        put(out, bytes, packed);
        mem_free(bytes);
    } else {
        put(out, in, size);
    }
}

// ---- Blocks ---------------------------------------------------------------------------------------------------

// One row of `width` pixels of `channels` samples (values), as it goes into the packer.
static void put_row(Buffer *out, const TiffRecipe *r, const uint32_t *values, int width, int channels) {
    const int count = width * channels, bytes = r->bits / 8;
    if (r->bits < 8) {
        uint8_t byte = 0;
        int used = 0;
        for (int i = 0; i < count; i++) {
            byte = (uint8_t)(byte | values[i] << (8 - r->bits - used));
            used += r->bits;
            if (used < 8 && i + 1 < count) continue;
            put(out, &byte, 1);
            byte = 0;
            used = 0;
        }
        return;
    }
    uint8_t *row = mem_zero((size_t)count * 2, (size_t)bytes), *planes = row + count * bytes;
    REQUIRE(row != NULL);
    for (int i = 0; i < count; i++) {
        const uint32_t before = r->predictor == 2 && i >= channels ? values[i - channels] : 0;
        store(row + i * bytes, values[i] - before, bytes, r->predictor == 3 || r->big_endian);
    }
    if (r->predictor == 3) {
        for (int i = 0; i < count * bytes; i++) planes[i] = row[i % count * bytes + i / count];
        for (int i = 0; i < count * bytes; i++)
            row[i] = (uint8_t)(planes[i] - (i >= channels ? planes[i - channels] : 0));
    }
    put(out, row, (size_t)(count * bytes));
    mem_free(row);
}

typedef struct Block {
    int page, plane, x, y, width, height; // plane -1: all channels
} Block;

// What lies beyond the picture in a tile is filled with the edge.
static void put_block(Buffer *file, const TiffRecipe *r, TiffSample *sample, const Block *block) {
    const int channels = block->plane < 0 ? r->channels : 1;
    uint32_t *values = mem_zero((size_t)(block->width * channels), sizeof *values);
    Buffer raw = {NULL, 0, r->big_endian, 0};
    REQUIRE(values != NULL);
    for (int y = 0; y < block->height; y++) {
        for (int i = 0; i < block->width * channels; i++) {
            const int px = MIN(block->x + i / channels, r->width - 1), py = MIN(block->y + y, r->height - 1);
            values[i] = sample(r, block->page, py, px, block->plane < 0 ? i % channels : block->plane);
        }
        put_row(&raw, r, values, block->width, channels);
    }
    pack(file, raw.data, raw.size, r->compression);
    mem_free(raw.data);
    mem_free(values);
}

static int put_blocks(Buffer *file, const TiffRecipe *r, TiffSample *sample, int page, uint32_t *offsets,
                      uint32_t *counts) {
    const int bw = r->tile_width ? r->tile_width : r->width;
    const int bh = r->tile_width ? r->tile_height : r->rows_per_strip ? r->rows_per_strip : r->height;
    int n = 0;
    for (int plane = r->separate ? 0 : -1; plane < (r->separate ? r->channels : 0); plane++) {
        for (int y = 0; y < r->height; y += bh) {
            for (int x = 0; x < r->width; x += bw) {
                const int rows = r->tile_width ? bh : MIN(bh, r->height - y);
                REQUIRE(n < 256);
                offsets[n] = (uint32_t)file->size;
                put_block(file, r, sample, &(Block){page, plane, x, y, bw, rows});
                counts[n] = (uint32_t)file->size - offsets[n];
                n++;
            }
        }
    }
    return n;
}

// ---- Directory ------------------------------------------------------------------------------------------------

typedef struct Entries {
    Buffer bytes;
    uint32_t count;
} Entries;

static const int type_bytes[6] = {0, 1, 1, 2, 4, 8};

// `values`: count numbers (bytes of text as numbers; a rational is two).
static void add_entry(Buffer *file, Entries *entries, int tag, int type, int count, const uint32_t *values) {
    const int unit = type == 5 ? 4 : type_bytes[type], numbers = type == 5 ? 2 * count : count;
    put_number(&entries->bytes, (uint32_t)tag, 2);
    put_number(&entries->bytes, (uint32_t)type, 2);
    put_number(&entries->bytes, (uint32_t)count, 4);
    entries->count++;
    if (unit * numbers > 4) {
        put_number(&entries->bytes, (uint32_t)file->size, 4);
        for (int i = 0; i < numbers; i++) put_number(file, values[i], unit);
        return;
    }
    for (int i = 0; i < numbers; i++) put_number(&entries->bytes, values[i], unit);
    put(&entries->bytes, "\0\0\0", (size_t)(4 - unit * numbers));
}

static void add_short(Buffer *file, Entries *entries, int tag, int value) {
    const uint32_t number = (uint32_t)value;
    add_entry(file, entries, tag, 3, 1, &number);
}

static void add_shorts(Buffer *file, Entries *entries, int tag, int value, int count) {
    uint32_t values[64];
    for (int i = 0; i < count; i++) values[i] = (uint32_t)value;
    add_entry(file, entries, tag, 3, count, values);
}

static void add_palette(Buffer *file, Entries *entries, int bits) {
    uint32_t values[768];
    const int colours = 1 << bits;
    for (int i = 0; i < 3 * colours; i++) values[i] = (uint32_t)(i * 257 % 65536);
    add_entry(file, entries, 320, 3, 3 * colours, values);
}

static void add_optional(Buffer *file, Entries *entries, const TiffRecipe *r) {
    if (r->predictor) add_short(file, entries, 317, r->predictor);
    if (r->photometric == 3) add_palette(file, entries, r->bits);
    if (r->extra >= 0) add_short(file, entries, 338, r->extra);
    if (r->orientation) add_short(file, entries, 274, r->orientation);
    if (r->fill_order) add_short(file, entries, 266, r->fill_order);
    const uint32_t resolution[2] = {(uint32_t)r->resolution, 1};
    if (r->resolution) add_entry(file, entries, 282, 5, 1, resolution);
    if (r->resolution) add_entry(file, entries, 283, 5, 1, resolution);
    if (!r->description) return;
    uint32_t text[256];
    const int length = (int)strlen(r->description) + 1;
    for (int i = 0; i < length; i++) text[i] = (uint8_t)r->description[i];
    add_entry(file, entries, 270, 2, length, text);
}

static size_t put_page(Buffer *file, const TiffRecipe *r, TiffSample *sample, int page, size_t link) {
    static uint32_t offsets[256], counts[256];
    Entries entries = {{NULL, 0, r->big_endian, 0}, 0};
    const int blocks = put_blocks(file, r, sample, page, offsets, counts);
    add_short(file, &entries, 256, r->width);
    add_short(file, &entries, 257, r->height);
    add_shorts(file, &entries, 258, r->bits, r->channels);
    add_short(file, &entries, 259, r->compression);
    add_short(file, &entries, 262, r->photometric);
    add_short(file, &entries, 277, r->channels);
    add_short(file, &entries, 284, r->separate ? 2 : 1);
    add_shorts(file, &entries, 339, r->format, r->channels);
    add_entry(file, &entries, r->tile_width ? 324 : 273, 4, blocks, offsets);
    add_entry(file, &entries, r->tile_width ? 325 : 279, 4, blocks, counts);
    if (r->tile_width) add_short(file, &entries, 322, r->tile_width);
    if (r->tile_width) add_short(file, &entries, 323, r->tile_height);
    if (r->rows_per_strip) add_short(file, &entries, 278, r->rows_per_strip);
    add_optional(file, &entries, r);
    store(file->data + link, (uint32_t)file->size, 4, r->big_endian);
    put_number(file, entries.count, 2);
    put(file, entries.bytes.data, entries.bytes.size);
    put_number(file, 0, 4);
    mem_free(entries.bytes.data);
    return file->size - 4;
}

uint8_t *tiff_make(const TiffRecipe *recipe, TiffSample *sample, size_t *size) {
    Buffer file = {NULL, 0, recipe->big_endian, 0};
    put(&file, recipe->big_endian ? "MM" : "II", 2);
    put_number(&file, 42, 2);
    put_number(&file, 0, 4);
    size_t link = 4;
    for (int page = 0; page < MAX(recipe->pages, 1); page++) link = put_page(&file, recipe, sample, page, link);
    *size = file.size;
    return file.data;
}

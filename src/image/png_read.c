// PNG reader (W3C recommendation, second edition): all colour types, depths and both interlace methods.
//
//   file: signature, then chunks [length 4][type 4][data][crc 4], big-endian: IHDR ... PLTE ... IDAT... IEND
//   data of all IDAT together: one zlib stream of rows, each with its filter in front
//
// The picture is decoded once, when the first box is asked for.
#define ZLIB_CONST
#include "base/checksum.h"
#include "base/memory.h"
#include "image/format.h"
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

static const uint8_t signature[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
enum { COLOUR_GREY = 0, COLOUR_RGB = 2, COLOUR_PALETTE = 3, COLOUR_GREY_ALPHA = 4, COLOUR_RGB_ALPHA = 6 };

typedef struct PngState {
    const uint8_t *bytes;
    size_t size;
    int64_t width, height;
    int bits, colour, stored_channels;
    bool interlaced;
    bool has_transparency; // a tRNS chunk: alpha by palette entry, or a colour that is clear
    uint8_t palette[256][3];
    int palette_size;
    size_t first_data, data_total; // where the first IDAT chunk stands, and the bytes in all of them
    uint8_t *samples;              // the decoded picture, or NULL
} PngState;

typedef struct Chunk {
    uint8_t type[5];
    const uint8_t *data;
    size_t size, next; // next: where the following chunk stands
} Chunk;

static uint32_t get32(const uint8_t *p) {
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static bool png_recognise(const uint8_t *bytes, size_t size) {
    return size >= sizeof signature && !memcmp(bytes, signature, sizeof signature);
}

// ---- Chunks ---------------------------------------------------------------------------------------------------

static bool is_critical(const Chunk *chunk) { return !(chunk->type[0] & 0x20); }

static bool is_type(const Chunk *chunk, const char *type) { return !memcmp(chunk->type, type, 4); }

static Status read_chunk(const PngState *state, size_t at, Chunk *chunk) {
    FAIL_IF(at > state->size || state->size - at < 12, ST_BAD,
            "PNG ends at byte %zu without its closing chunk; it is cut off", state->size);
    chunk->size = get32(state->bytes + at);
    memcpy(chunk->type, state->bytes + at + 4, 4);
    chunk->type[4] = 0;
    chunk->data = state->bytes + at + 8;
    FAIL_IF(chunk->size > state->size - at - 12, ST_BAD,
            "PNG chunk '%s' at byte %zu (%zu bytes) goes beyond the end (%zu); the file is damaged or cut off",
            chunk->type, at, chunk->size, state->size);
    chunk->next = at + 12 + chunk->size;
    if (!is_critical(chunk)) return ST_OK;
    const uLong crc = crc32_z(crc32_z(0, NULL, 0), chunk->data - 4, chunk->size + 4);
    FAIL_IF(!checksum_matches(crc, get32(chunk->data + chunk->size)), ST_BAD,
            "PNG chunk '%s' at byte %zu is damaged (checksum)", chunk->type, at);
    return ST_OK;
}

static int channels_of(int colour) {
    switch (colour) {
    case COLOUR_GREY:
    case COLOUR_PALETTE: return 1;
    case COLOUR_GREY_ALPHA: return 2;
    case COLOUR_RGB: return 3;
    case COLOUR_RGB_ALPHA: return 4;
    default: return 0;
    }
}

static bool depth_fits(int colour, int bits) {
    if (bits == 8) return true;
    if (bits == 16) return colour != COLOUR_PALETTE;
    return (bits == 1 || bits == 2 || bits == 4) && (colour == COLOUR_GREY || colour == COLOUR_PALETTE);
}

static Status read_header(PngState *state, const Chunk *chunk) {
    FAIL_IF(!is_type(chunk, "IHDR") || chunk->size != 13, ST_BAD,
            "PNG begins with chunk '%s' of %zu bytes, expected IHDR of 13", chunk->type, chunk->size);
    const uint8_t *data = chunk->data;
    state->width = get32(data);
    state->height = get32(data + 4);
    state->bits = data[8];
    state->colour = data[9];
    state->stored_channels = channels_of(state->colour);
    FAIL_IF(state->stored_channels == 0 || !depth_fits(state->colour, state->bits) || data[10] != 0 || data[11] != 0 ||
                data[12] > 1,
            ST_BAD, "PNG of colour type %d, %d bit, compression %d, filter %d, interlace %d does not exist", data[9],
            data[8], data[10], data[11], data[12]);
    state->interlaced = data[12] == 1;
    return check_picture_size(state->width, state->height,
                              MAX(state->stored_channels, state->colour == COLOUR_PALETTE ? 3 : 1));
}

static Status read_palette(PngState *state, const Chunk *chunk) {
    FAIL_IF(chunk->size == 0 || chunk->size % 3 != 0 || chunk->size > sizeof state->palette, ST_BAD,
            "PNG palette of %zu bytes is damaged", chunk->size);
    memcpy(state->palette, chunk->data, chunk->size);
    state->palette_size = (int)(chunk->size / 3);
    return ST_OK;
}

static Status read_chunks(PngState *state) {
    Chunk chunk;
    TRY(read_chunk(state, sizeof signature, &chunk));
    TRY(read_header(state, &chunk));
    do {
        const size_t at = chunk.next;
        TRY(read_chunk(state, at, &chunk));
        if (is_type(&chunk, "PLTE")) {
            TRY(read_palette(state, &chunk));
        } else if (is_type(&chunk, "tRNS")) {
            state->has_transparency = true;
        } else if (is_type(&chunk, "IDAT")) {
            if (!state->first_data) state->first_data = at;
            state->data_total += chunk.size;
        } else {
            FAIL_IF(is_critical(&chunk) && !is_type(&chunk, "IEND"), ST_UNSUPPORTED, "PNG chunk '%s' is not supported",
                    chunk.type);
        }
    } while (!is_type(&chunk, "IEND"));
    FAIL_IF(!state->first_data, ST_BAD, "PNG without picture data");
    FAIL_IF(state->colour == COLOUR_PALETTE && !state->palette_size, ST_BAD, "PNG without its palette");
    return ST_OK;
}

// ---- The zlib stream ------------------------------------------------------------------------------------------

// The picture, or one of the seven passes of an interlaced one: every dx-th pixel of every dy-th row.
typedef struct Pass {
    int64_t x0, y0, dx, dy;
} Pass;
static const Pass whole_picture[1] = {{0, 0, 1, 1}};
static const Pass interlace_passes[7] = {{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4},
                                         {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}};

static int64_t pass_width(const PngState *state, const Pass *pass) {
    return state->width > pass->x0 ? div_up(state->width - pass->x0, pass->dx) : 0;
}

static int64_t pass_height(const PngState *state, const Pass *pass) {
    return state->height > pass->y0 ? div_up(state->height - pass->y0, pass->dy) : 0;
}

// Without the filter byte.
static size_t row_bytes(const PngState *state, int64_t width) {
    return (size_t)div_up(width * state->stored_channels * state->bits, 8);
}

static size_t stream_bytes(const PngState *state, const Pass *passes, int count) {
    size_t total = 0;
    for (int i = 0; i < count; i++) {
        const int64_t width = pass_width(state, &passes[i]);
        if (width > 0) total += (size_t)pass_height(state, &passes[i]) * (row_bytes(state, width) + 1);
    }
    return total;
}

// Inflates the IDAT chunks one after the other until `size` bytes are there; then goes on to the stream's end, where
// its checksum is.
static Status inflate_chunks(const PngState *state, z_stream *stream, uint8_t *out, size_t size) {
    uint8_t spare[64];
    int result = Z_OK;
    stream->next_out = out;
    stream->avail_out = (uInt)size;
    bool full = false;
    for (size_t at = state->first_data; result == Z_OK;) {
        Chunk chunk;
        TRY(read_chunk(state, at, &chunk));
        at = chunk.next;
        if (is_type(&chunk, "IEND")) break;
        if (!is_type(&chunk, "IDAT")) continue;
        stream->next_in = chunk.data;
        stream->avail_in = (uInt)chunk.size;
        while (stream->avail_in > 0 && result == Z_OK) {
            if (stream->avail_out == 0) { // a few bytes more than the picture needs are let pass
                FAIL_IF(full, ST_BAD, "PNG holds more picture data than its size says; the file is damaged");
                full = true;
                stream->next_out = spare;
                stream->avail_out = sizeof spare;
            }
            result = inflate(stream, Z_NO_FLUSH);
        }
        if (result == Z_BUF_ERROR) result = Z_OK; // an empty chunk
    }
    if (result == Z_MEM_ERROR) return fail_memory(size);
    FAIL_IF(result == Z_DATA_ERROR || result == Z_NEED_DICT, ST_BAD, "PNG picture data is damaged");
    const size_t got = full || stream->avail_out == 0 ? size : size - stream->avail_out;
    FAIL_IF(got < size || result != Z_STREAM_END, ST_BAD,
            "PNG picture data ends after %zu of %zu bytes; the file is damaged", got, size);
    return ST_OK;
}

static Status inflate_picture(const PngState *state, uint8_t *out, size_t size) {
    z_stream stream = {0};
    if (inflateInit(&stream) != Z_OK) return fail_memory(sizeof stream);
    inflateValidate(&stream, checksums_on());
    const Status status = inflate_chunks(state, &stream, out, size);
    inflateEnd(&stream);
    return status;
}

// ---- Rows -----------------------------------------------------------------------------------------------------

static uint8_t paeth(int a, int b, int c) {
    const int pa = abs(b - c), pb = abs(a - c), pc = abs(a + b - 2 * c);
    return (uint8_t)(pa <= pb && pa <= pc ? a : pb <= pc ? b : c);
}

// Undoes one row's filter; `above` is the row before, or zeros; `step` is the size of a pixel, at least 1.
static Status unfilter(int filter, uint8_t *row, const uint8_t *above, size_t bytes, size_t step) {
    FAIL_IF(filter > 4, ST_BAD, "PNG row filter %d does not exist; the file is damaged", filter);
    for (size_t i = 0; i < bytes && filter > 0; i++) {
        const int a = i >= step ? row[i - step] : 0, b = above[i], c = i >= step ? above[i - step] : 0;
        const int guess = filter == 1 ? a : filter == 2 ? b : filter == 3 ? (a + b) / 2 : paeth(a, b, c);
        row[i] = (uint8_t)(row[i] + guess);
    }
    return ST_OK;
}

static int given_channels(int colour) { return colour == COLOUR_GREY || colour == COLOUR_GREY_ALPHA ? 1 : 3; }

// Sample of less than 8 bit, the first in the high bits.
static unsigned small_sample(const uint8_t *row, size_t index, int bits) {
    const size_t per_byte = 8 / (size_t)bits;
    return row[index / per_byte] >> (8 - bits * (int)(index % per_byte + 1)) & ((1u << bits) - 1);
}

static Status give_pixel(const PngState *state, const uint8_t *row, size_t x, uint8_t *out) {
    const size_t channels = (size_t)given_channels(state->colour), first = x * (size_t)state->stored_channels;
    if (state->colour == COLOUR_PALETTE) {
        const int index = state->bits == 8 ? row[x] : (int)small_sample(row, x, state->bits);
        FAIL_IF(index >= state->palette_size, ST_BAD, "PNG pixel of colour %d, the palette has %d; the file is damaged",
                index, state->palette_size);
        memcpy(out, state->palette[index], 3);
    } else if (state->bits == 16) {
        for (size_t c = 0; c < channels; c++) {
            const uint8_t *from = row + 2 * (first + c);
            const uint16_t value = (uint16_t)(from[0] << 8 | from[1]);
            memcpy(out + 2 * c, &value, 2);
        }
    } else if (state->bits == 8) {
        for (size_t c = 0; c < channels; c++) out[c] = row[first + c];
    } else {
        *out = (uint8_t)(small_sample(row, x, state->bits) * (255 / ((1u << state->bits) - 1)));
    }
    return ST_OK;
}

// `stream` holds the pass's rows; returns behind them.
static Status decode_pass(PngState *state, const Pass *pass, const uint8_t *zeros, uint8_t **stream) {
    const int64_t width = pass_width(state, pass), height = pass_height(state, pass);
    if (width == 0) return ST_OK;
    const size_t bytes = row_bytes(state, width), step = (size_t)MAX(state->stored_channels * state->bits / 8, 1);
    const size_t pixel = (size_t)given_channels(state->colour) * (state->bits == 16 ? 2 : 1);
    const uint8_t *above = zeros;
    for (int64_t y = 0; y < height; y++) {
        uint8_t *row = *stream + 1;
        TRY(unfilter((*stream)[0], row, above, bytes, step));
        uint8_t *out = state->samples + (size_t)((pass->y0 + y * pass->dy) * state->width + pass->x0) * pixel;
        for (int64_t x = 0; x < width; x++) {
            TRY(give_pixel(state, row, (size_t)x, out + (size_t)(x * pass->dx) * pixel));
        }
        above = row;
        *stream = row + bytes;
    }
    return ST_OK;
}

static Status decode_rows(PngState *state, const Pass *passes, int count, uint8_t *stream, size_t size) {
    TRY(inflate_picture(state, stream, size));
    const size_t zero_bytes = row_bytes(state, state->width);
    uint8_t *zeros = mem_zero(zero_bytes, 1);
    if (!zeros) return fail_memory(zero_bytes);
    Status status = ST_OK;
    for (int i = 0; i < count && status == ST_OK; i++) status = decode_pass(state, &passes[i], zeros, &stream);
    mem_free(zeros);
    return status;
}

static Status decode_picture(PngState *state, size_t picture_bytes) {
    const Pass *passes = state->interlaced ? interlace_passes : whole_picture;
    const int count = state->interlaced ? 7 : 1;
    const size_t size = stream_bytes(state, passes, count);
    // Deflate shrinks to 1/1032 at best: what cannot be there is refused before memory is taken for it.
    FAIL_IF(size / 1040 > state->data_total, ST_BAD, "PNG: %zu bytes of data cannot hold %lld x %lld pixels",
            state->data_total, (long long)state->width, (long long)state->height);
    uint8_t *stream = mem_alloc(size);
    state->samples = mem_alloc(picture_bytes);
    Status status = stream && state->samples ? ST_OK : fail_memory(size + picture_bytes);
    if (status == ST_OK) status = decode_rows(state, passes, count, stream, size);
    mem_free(stream);
    if (status != ST_OK) {
        mem_free(state->samples);
        state->samples = NULL;
    }
    return status;
}

// ---- The reader -----------------------------------------------------------------------------------------------

static void png_close(void *opaque) {
    PngState *state = opaque;
    mem_free(state->samples);
    mem_free(state);
}

static Status png_open(const uint8_t *bytes, size_t size, ImagePages pages, ImageShape *shape, void **out) {
    (void)pages; // there is one
    PngState *state = mem_zero(1, sizeof *state);
    if (!state) return fail_memory(sizeof *state);
    state->bytes = bytes;
    state->size = size;
    const Status status = read_chunks(state);
    if (status != ST_OK) {
        png_close(state);
        return status;
    }
    *shape = (ImageShape){
        state->width, state->height, 1, given_channels(state->colour), state->bits == 16 ? SAMPLE_U16 : SAMPLE_U8,
        {0, 0, 0}};
    *out = state;
    return ST_OK;
}

static Status png_read_box(void *opaque, const ImageShape *shape, const ImageBox *box, void *samples) {
    PngState *state = opaque;
    const size_t pixel = (size_t)shape->channels * sample_size(shape->type), row = (size_t)shape->width * pixel;
    if (!state->samples) TRY(decode_picture(state, row * (size_t)shape->height));
    const uint8_t *from = state->samples + (size_t)box->y * row + (size_t)box->x * pixel;
    copy_runs(from, row, samples, (size_t)box->w * pixel, (size_t)box->w * pixel, box->h);
    return ST_OK;
}

static ImageKind png_kind(const void *opaque) {
    const PngState *state = opaque;
    const bool palette = state->colour == COLOUR_PALETTE;
    return (ImageKind){palette, state->has_transparency || state->stored_channels > given_channels(state->colour),
                       state->bits};
}

const ImageReader png_reader = {"PNG", png_recognise, png_open, png_read_box, png_kind, png_close};

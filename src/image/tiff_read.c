// TIFF reader: pages to slices, blocks (strips or tiles) to samples.
//
// A block goes through: unpack (none, PackBits, LZW, Deflate) -> the machine's byte order -> predictor undone ->
// samples as given out (bits stretched, white-is-zero turned over, palette resolved, alpha dropped). The last block
// is kept, since neighbouring boxes often share it.
#include "base/memory.h"
#include "image/format.h"
#include "image/tiff.h"
#include "image/tiff_page.h"
#include <string.h>

enum { MAX_PAGES = 1 << 16 };

typedef struct TiffState {
    TiffFile file;
    size_t *directories; // of the pages that are slices
    double least;        // bytes that their data takes at least
    TiffPage page;       // the current one
    int64_t page_index;  // -1: none
    // The block that is decoded: block_rows x block_width pixels of block_channels; block_index -1: none.
    int64_t block_index;
    uint8_t *raw, *samples; // as stored, as given out
    size_t raw_size, samples_size;
    uint8_t palette[256][3];
    int64_t palette_page; // whose palette that is; -1: none
} TiffState;

static bool tiff_recognise(const uint8_t *bytes, size_t size) {
    if (size < 4) return false;
    return (!memcmp(bytes, "II", 2) && (bytes[2] == 42 || bytes[2] == 43) && bytes[3] == 0) ||
           (!memcmp(bytes, "MM", 2) && bytes[2] == 0 && (bytes[3] == 42 || bytes[3] == 43));
}

// ---- Pages ----------------------------------------------------------------------------------------------------

static bool same_kind(const TiffPage *a, const TiffPage *b) {
    return a->width == b->width && a->height == b->height && a->channels == b->channels && a->type == b->type;
}

// What one byte of each packing can become at most; a block that promises more is damaged, and is refused before
// memory is taken for it.
static size_t best_ratio(int compression) {
    switch (compression) {
    case COMPRESSION_PACKBITS: return 64;
    case COMPRESSION_LZW: return 4096;
    case COMPRESSION_NONE: return 1;
    default: return 1040;
    }
}

static double least_bytes(const TiffPage *page) {
    const double bits = (double)page->width * (double)page->height * page->stored_channels * page->bits;
    return bits / 8 / (double)best_ratio(page->compression);
}

static Status add_page(TiffState *state, ImageShape *shape, size_t directory, int64_t number) {
    TiffPage page;
    const Status status = tiff_read_page(&state->file, directory, &page);
    if (status != ST_OK) return fail_context(status, "page %lld", (long long)number);
    if (page.reduced && number > 1) return ST_OK;
    state->least += least_bytes(&page);
    FAIL_IF(shape->depth > 0 && !same_kind(&page, &state->page), ST_UNSUPPORTED,
            "page %lld is %lld x %lld x %d, the first %lld x %lld x %d; pages of different kinds are no volume",
            (long long)number, (long long)page.width, (long long)page.height, page.channels,
            (long long)state->page.width, (long long)state->page.height, state->page.channels);
    FAIL_IF(shape->depth >= MAX_PAGES, ST_UNSUPPORTED, "more than %d pages", MAX_PAGES);
    if ((shape->depth & (shape->depth - 1)) == 0) { // room is doubled
        const size_t bytes = (size_t)MAX(2 * shape->depth, 1) * sizeof *state->directories;
        size_t *grown = mem_resize(state->directories, bytes);
        if (!grown) return fail_memory(bytes);
        state->directories = grown;
    }
    if (shape->depth == 0) state->page = page;
    state->directories[shape->depth++] = directory;
    return ST_OK;
}

// Directories of an honest file do not overlap, so together they are no longer than the file: this ends every loop.
static Status read_pages(TiffState *state, ImagePages pages, ImageShape *shape) {
    size_t directory, next, length, total = 0;
    TRY(tiff_open_header(&state->file, &directory));
    for (int64_t number = 1; directory != 0; number++, directory = next) {
        TRY(tiff_next(&state->file, directory, &next, &length));
        total += length;
        FAIL_IF(total > state->file.size + 4, ST_BAD, "the page directories run in a circle; the file is damaged");
        TRY(add_page(state, shape, directory, number));
        if (pages == IMAGE_FIRST_PAGE) break;
    }
    // Pages that share their data could promise any number of slices: a small file, and hours of work. What a single
    // page lacks is told block by block.
    FAIL_IF(shape->depth > 1 && state->least > 1.01 * (double)state->file.size, ST_BAD,
            "%zu bytes cannot hold %lld pages of %lld x %lld; the file is damaged or cut off", state->file.size,
            (long long)shape->depth, (long long)state->page.width, (long long)state->page.height);
    return ST_OK;
}

static void tiff_close(void *opaque) {
    TiffState *state = opaque;
    mem_free(state->directories);
    mem_free(state->raw);
    mem_free(state->samples);
    mem_free(state);
}

static Status tiff_open(const uint8_t *bytes, size_t size, ImagePages pages, ImageShape *shape, void **out) {
    TiffState *state = mem_zero(1, sizeof *state);
    if (!state) return fail_memory(sizeof *state);
    state->file = (TiffFile){bytes, size, false};
    const Status status = read_pages(state, pages, shape);
    if (status != ST_OK) {
        tiff_close(state);
        return status;
    }
    const TiffPage *page = &state->page;
    shape->width = page->width;
    shape->height = page->height;
    shape->channels = page->channels;
    shape->type = page->type;
    memcpy(shape->spacing, page->spacing, sizeof shape->spacing);
    state->block_index = state->palette_page = -1;
    *out = state;
    return ST_OK;
}

static Status select_page(TiffState *state, int64_t z) {
    if (state->page_index == z) return ST_OK;
    state->page_index = state->block_index = -1;
    const Status status = tiff_read_page(&state->file, state->directories[z], &state->page);
    if (status != ST_OK) return fail_context(status, "page %lld", (long long)z + 1);
    state->page_index = z;
    return ST_OK;
}

// ---- Unpacking ------------------------------------------------------------------------------------------------

static Status find_block(const TiffState *state, int64_t index, size_t raw_size, const uint8_t **data, size_t *size) {
    const TiffPage *page = &state->page;
    const char *what = page->tiled ? "tile" : "strip";
    const size_t at = tiff_value(&state->file, &page->offsets, (size_t)index);
    const bool plain = page->compression == COMPRESSION_NONE;
    // The stated size of plain data is not needed, and some writers state the full one for a shorter last strip.
    size_t have = plain ? raw_size : tiff_value(&state->file, &page->counts, (size_t)index);
    FAIL_IF(at > state->file.size || have > state->file.size - at, ST_BAD,
            "%s %lld (%zu bytes at %zu) lies beyond the end of the file (%zu); it is damaged or cut off", what,
            (long long)index, have, at, state->file.size);
    FAIL_IF(raw_size / best_ratio(page->compression) > have, ST_BAD,
            "%s %lld: %zu bytes cannot hold %zu; the file is damaged", what, (long long)index, have, raw_size);
    // No packing needs more than this; the bound keeps the time for a file that uses its bytes many times small.
    *data = state->file.bytes + at;
    *size = MIN(have, 2 * raw_size + 1024);
    return ST_OK;
}

static Status unpack(int compression, const uint8_t *in, size_t in_size, uint8_t *out, size_t out_size) {
    switch (compression) {
    case COMPRESSION_NONE: memcpy(out, in, out_size); return ST_OK;
    case COMPRESSION_PACKBITS: return unpack_packbits(in, in_size, out, out_size);
    case COMPRESSION_LZW: return unpack_lzw(in, in_size, out, out_size);
    default: return unpack_deflate(in, in_size, out, out_size);
    }
}

static bool machine_is_big_endian(void) {
    const uint16_t one = 1;
    uint8_t first;
    memcpy(&first, &one, 1);
    return first == 0;
}

static void reverse_bytes(uint8_t *data, size_t values, size_t bytes) {
    for (size_t i = 0; i < values; i++, data += bytes) {
        for (size_t a = 0, b = bytes - 1; a < b; a++, b--) {
            const uint8_t swapped = data[a];
            data[a] = data[b];
            data[b] = swapped;
        }
    }
}

// Predictor 2: each sample is stored as the difference from the one `channels` before it, modulo its width.
static void undo_difference(uint8_t *row, size_t samples, size_t channels, int bits) {
    for (size_t i = channels; i < samples; i++) {
        if (bits == 8) {
            row[i] = (uint8_t)(row[i] + row[i - channels]);
        } else if (bits == 16) {
            uint16_t before, value;
            memcpy(&before, row + 2 * (i - channels), 2);
            memcpy(&value, row + 2 * i, 2);
            value = (uint16_t)(value + before);
            memcpy(row + 2 * i, &value, 2);
        } else {
            uint32_t before, value;
            memcpy(&before, row + 4 * (i - channels), 4);
            memcpy(&value, row + 4 * i, 4);
            value += before;
            memcpy(row + 4 * i, &value, 4);
        }
    }
}

// Predictor 3 (Adobe Photoshop TIFF technical note 3): the row's most significant bytes first, then the next ones,
// ..., and all of that as differences of bytes, whatever the byte order of the file.
static void undo_float_predictor(uint8_t *row, size_t samples, size_t channels, size_t bytes, uint8_t *scratch) {
    const bool big_endian = machine_is_big_endian();
    for (size_t i = channels; i < samples * bytes; i++) row[i] = (uint8_t)(row[i] + row[i - channels]);
    memcpy(scratch, row, samples * bytes);
    for (size_t i = 0; i < samples; i++) {
        for (size_t b = 0; b < bytes; b++) {
            row[i * bytes + (big_endian ? b : bytes - 1 - b)] = scratch[b * samples + i];
        }
    }
}

// ---- Samples --------------------------------------------------------------------------------------------------

// Unsigned sample `index` of a row, of 1, 2, 4, 8 or 16 bit; less than 8 bit: first sample in the high bits.
static uint32_t stored_unsigned(const uint8_t *row, size_t index, int bits) {
    if (bits == 8) return row[index];
    if (bits == 16) {
        uint16_t value;
        memcpy(&value, row + 2 * index, 2);
        return value;
    }
    const size_t per_byte = 8 / (size_t)bits;
    const int shift = 8 - bits * (int)(index % per_byte + 1);
    return row[index / per_byte] >> shift & ((1u << bits) - 1);
}

// Signed, 32-bit and float samples become float; integers above 2^24 are rounded.
static float stored_float(const uint8_t *row, size_t index, int bits, int format) {
    union {
        float f;
        double d;
        int32_t i;
        uint32_t u;
        int16_t s;
        int8_t c;
    } value;
    const size_t bytes = (size_t)bits / 8;
    memcpy(&value, row + index * bytes, bytes);
    if (format == FORMAT_FLOAT) return bits == 64 ? (float)value.d : value.f;
    if (format != FORMAT_SIGNED) return (float)value.u;
    return bits == 8 ? (float)value.c : bits == 16 ? (float)value.s : (float)value.i;
}

// A palette holds all reds, then all greens, then all blues, 16 bit each. Old files fill in 8 bit only.
static bool palette_is_16_bit(const TiffFile *file, const TiffField *map) {
    for (size_t i = 0; i < map->count; i++) {
        if (tiff_value(file, map, i) > 255) return true;
    }
    return false;
}

static void load_palette(TiffState *state) {
    const TiffPage *page = &state->page;
    if (page->photometric != PHOTOMETRIC_PALETTE || state->palette_page == state->page_index) return;
    const TiffField *map = tiff_find(page, TAG_COLOUR_MAP);
    const size_t colours = (size_t)1 << page->bits;
    const int shift = palette_is_16_bit(&state->file, map) ? 8 : 0;
    for (size_t i = 0; i < 3 * colours; i++) {
        state->palette[i % colours][i / colours] = (uint8_t)(tiff_value(&state->file, map, i) >> shift);
    }
    state->palette_page = state->page_index;
}

static void give_unsigned(const TiffPage *page, const uint8_t *row, size_t pixels, size_t stored, size_t kept,
                          uint8_t *out) {
    const uint32_t top = (1u << page->bits) - 1, stretch = page->bits < 8 ? 255 / top : 1;
    const uint32_t turn = page->photometric == WHITE_IS_ZERO ? top : 0; // v ^ top = top - v
    for (size_t i = 0; i < pixels; i++) {
        for (size_t c = 0; c < kept; c++) {
            const uint32_t value = (stored_unsigned(row, i * stored + c, page->bits) ^ turn) * stretch;
            if (page->type == SAMPLE_U8) {
                *out++ = (uint8_t)value;
            } else {
                const uint16_t wide = (uint16_t)value;
                memcpy(out, &wide, 2);
                out += 2;
            }
        }
    }
}

static void give_row(const TiffState *state, const uint8_t *row, int64_t pixels, int stored, int kept, uint8_t *out) {
    const TiffPage *page = &state->page;
    const size_t size = sample_size(page->type), n = (size_t)pixels;
    if (page->photometric == PHOTOMETRIC_PALETTE) {
        for (size_t i = 0; i < n; i++) {
            memcpy(out + 3 * i, state->palette[stored_unsigned(row, i * (size_t)stored, page->bits)], 3);
        }
    } else if (page->type != SAMPLE_F32) {
        const bool as_stored = stored == kept && page->bits >= 8 && page->photometric != WHITE_IS_ZERO;
        if (as_stored) {
            memcpy(out, row, n * (size_t)kept * size);
        } else {
            give_unsigned(page, row, n, (size_t)stored, (size_t)kept, out);
        }
    } else {
        for (size_t i = 0; i < n; i++) {
            for (size_t c = 0; c < (size_t)kept; c++, out += sizeof(float)) {
                const float value = stored_float(row, i * (size_t)stored + c, page->bits, page->sample_format);
                memcpy(out, &value, sizeof value);
            }
        }
    }
}

// ---- Blocks ---------------------------------------------------------------------------------------------------

static Status make_room(uint8_t **buffer, size_t *size, size_t wanted) {
    if (*size >= wanted) return ST_OK;
    uint8_t *grown = mem_resize(*buffer, wanted);
    if (!grown) return fail_memory(wanted);
    *buffer = grown;
    *size = wanted;
    return ST_OK;
}

static void undo_row(const TiffPage *page, uint8_t *row, int stored, uint8_t *scratch) {
    const size_t samples = (size_t)(page->block_width * stored), bytes = (size_t)page->bits / 8;
    if (page->predictor == PREDICTOR_FLOAT) {
        undo_float_predictor(row, samples, (size_t)stored, bytes, scratch);
    } else if (page->predictor == PREDICTOR_DIFFERENCE) {
        undo_difference(row, samples, (size_t)stored, page->bits);
    }
}

// Samples as given out of one pixel of a block.
static int block_channels(const TiffPage *page) {
    return page->separate && page->photometric != PHOTOMETRIC_PALETTE ? 1 : page->channels;
}

static Status decode_block(TiffState *state, int64_t index, int64_t rows) {
    const TiffPage *page = &state->page;
    const int stored = page->separate ? 1 : page->stored_channels, kept = block_channels(page);
    const size_t row_size = (size_t)div_up(page->block_width * stored * page->bits, 8);
    const size_t raw_size = row_size * (size_t)rows;
    const size_t out_row = (size_t)(page->block_width * kept) * sample_size(page->type);
    const uint8_t *data = NULL;
    size_t size = 0;
    TRY(find_block(state, index, raw_size, &data, &size));
    TRY(make_room(&state->raw, &state->raw_size, raw_size + row_size)); // one row more: scratch of the predictor
    TRY(make_room(&state->samples, &state->samples_size, out_row * (size_t)rows));
    const Status status = unpack(page->compression, data, size, state->raw, raw_size);
    if (status != ST_OK) return fail_context(status, "%s %lld", page->tiled ? "tile" : "strip", (long long)index);
    if (page->bits > 8 && page->predictor != PREDICTOR_FLOAT && state->file.big_endian != machine_is_big_endian()) {
        reverse_bytes(state->raw, raw_size / ((size_t)page->bits / 8), (size_t)page->bits / 8);
    }
    for (int64_t y = 0; y < rows; y++) {
        uint8_t *row = state->raw + (size_t)y * row_size;
        undo_row(page, row, stored, state->raw + raw_size);
        give_row(state, row, page->block_width, stored, kept, state->samples + (size_t)y * out_row);
    }
    return ST_OK;
}

static Status load_block(TiffState *state, int64_t index, int64_t rows) {
    if (state->block_index == index) return ST_OK;
    state->block_index = -1;
    load_palette(state);
    TRY(decode_block(state, index, rows));
    state->block_index = index;
    return ST_OK;
}

// Copies what `block` (its corner at x0, y0 of the picture) and `box` share, into channel `channel` and following.
static void copy_shared(const TiffState *state, const ImageBox *box, int64_t x0, int64_t y0, int64_t rows, int channel,
                        uint8_t *out) {
    const TiffPage *page = &state->page;
    const size_t size = sample_size(page->type), in_pixel = size * (size_t)block_channels(page);
    const size_t out_pixel = size * (size_t)page->channels;
    const int64_t left = MAX(x0, box->x), right = MIN(x0 + page->block_width, box->x + box->w);
    const int64_t top = MAX(y0, box->y), bottom = MIN(y0 + rows, box->y + box->h);
    for (int64_t y = top; y < bottom; y++) {
        const uint8_t *from = state->samples + (size_t)((y - y0) * page->block_width + left - x0) * in_pixel;
        uint8_t *to = out + (size_t)((y - box->y) * box->w + left - box->x) * out_pixel + (size_t)channel * size;
        if (in_pixel == out_pixel) {
            memcpy(to, from, (size_t)(right - left) * in_pixel);
        } else {
            copy_runs(from, in_pixel, to, out_pixel, in_pixel, right - left);
        }
    }
}

static Status read_plane(TiffState *state, const ImageBox *box, int plane, uint8_t *out) {
    const TiffPage *page = &state->page;
    const int64_t first = plane * page->blocks_across * page->blocks_down;
    const int64_t bw = page->block_width, bh = page->block_height;
    for (int64_t by = box->y / bh; by * bh < box->y + box->h; by++) {
        const int64_t rows = page->tiled ? bh : MIN(bh, page->height - by * bh);
        for (int64_t bx = box->x / bw; bx * bw < box->x + box->w; bx++) {
            TRY(load_block(state, first + by * page->blocks_across + bx, rows));
            copy_shared(state, box, bx * bw, by * bh, rows, plane, out);
        }
    }
    return ST_OK;
}

static Status tiff_read_box(void *opaque, const ImageShape *shape, const ImageBox *box, void *samples) {
    TiffState *state = opaque;
    const size_t slice = (size_t)(box->w * box->h * shape->channels) * sample_size(shape->type);
    for (int64_t z = 0; z < box->d; z++) {
        TRY(select_page(state, box->z + z));
        const int planes = block_channels(&state->page) < state->page.channels ? state->page.channels : 1;
        for (int plane = 0; plane < planes; plane++) {
            TRY(read_plane(state, box, plane, (uint8_t *)samples + (size_t)z * slice));
        }
    }
    return ST_OK;
}

// Of grey with samples beside it that are left out, and of RGB with more than three.
static ImageKind tiff_kind(const void *opaque) {
    const TiffPage *page = &((const TiffState *)opaque)->page;
    const bool palette = page->photometric == PHOTOMETRIC_PALETTE;
    return (ImageKind){palette, page->stored_channels > (palette ? 1 : page->channels), page->bits};
}

const ImageReader tiff_reader = {"TIFF", tiff_recognise, tiff_open, tiff_read_box, tiff_kind, tiff_close};

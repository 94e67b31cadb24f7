// The byte codecs of TIFF (TIFF 6.0, sections 9 and 13) and zlib as bounded whole-buffer calls.
#define ZLIB_CONST
#include "base/checksum.h"
#include "image/format.h"
#include <limits.h>
#include <string.h>
#include <zlib.h>

static Status fail_short(const char *codec, size_t got, size_t expected) {
    return fail(ST_BAD, "%s data ends after %zu of %zu bytes; the file is damaged or cut off", codec, got, expected);
}

// A control byte n: 0..127 copies n+1 bytes, -127..-1 repeats one byte 1-n times, -128 does nothing.
Status unpack_packbits(const uint8_t *in, size_t in_size, uint8_t *out, size_t out_size) {
    size_t from = 0, to = 0;
    while (to < out_size) {
        if (from >= in_size) return fail_short("PackBits", to, out_size);
        const int n = (int8_t)in[from++];
        if (n == -128) continue;
        const size_t stored = n >= 0 ? (size_t)n + 1 : 1;
        if (stored > in_size - from) return fail_short("PackBits", to, out_size);
        const size_t length = MIN(n >= 0 ? (size_t)n + 1 : (size_t)(1 - n), out_size - to);
        if (n >= 0) {
            memcpy(out + to, in + from, length);
        } else {
            memset(out + to, in[from], length);
        }
        from += stored;
        to += length;
    }
    return ST_OK;
}

// LZW as TIFF has it: codes of 9 to 12 bits, most significant bit first, the width grows one code early; 256 clears
// the table, 257 ends. Every code stands for a piece of what was already put out: the piece of an earlier code plus
// the byte behind it. So the table holds a position and a length, and no chain has to be walked.
enum { LZW_CLEAR = 256, LZW_END = 257, LZW_FIRST = 258, LZW_CODES = 4096 };
typedef struct LzwTable {
    size_t position[LZW_CODES];
    uint16_t length[LZW_CODES]; // at most 4096 - 258 + 1
    int next;                   // the first code that is free
} LzwTable;

typedef struct BitReader {
    const uint8_t *in;
    size_t size, at;
    uint32_t bits;
    int count;
} BitReader;

// The next `width` bits, or -1 at the end.
static int take_bits(BitReader *reader, int width) {
    while (reader->count < width) {
        if (reader->at >= reader->size) return -1;
        reader->bits = reader->bits << 8 | reader->in[reader->at++];
        reader->count += 8;
    }
    reader->count -= width;
    return (int)(reader->bits >> reader->count & ((1u << width) - 1));
}

static int lzw_width(int next) { return next < 511 ? 9 : next < 1023 ? 10 : next < 2047 ? 11 : 12; }

// Copies byte by byte: a piece may run into itself (the code that is just being made).
static size_t lzw_copy(uint8_t *out, size_t to, size_t out_size, size_t position, size_t length) {
    const size_t end = to + MIN(length, out_size - to);
    while (to < end) out[to++] = out[position++];
    return to;
}

Status unpack_lzw(const uint8_t *in, size_t in_size, uint8_t *out, size_t out_size) {
    FAIL_IF(in_size >= 2 && in[0] == 0 && (in[1] & 1), ST_UNSUPPORTED,
            "LZW in the old bit order of before TIFF 6.0 is not supported; save the picture again");
    LzwTable table;
    table.next = LZW_FIRST;
    BitReader reader = {in, in_size, 0, 0, 0};
    size_t to = 0, previous_position = 0, previous_length = 0; // length 0: there is no previous code
    while (to < out_size) {
        const int code = take_bits(&reader, lzw_width(table.next));
        if (code < 0 || code == LZW_END) return fail_short("LZW", to, out_size);
        if (code == LZW_CLEAR) {
            table.next = LZW_FIRST;
            previous_length = 0;
            continue;
        }
        // The new code is the previous piece and one byte more: those lie behind each other in the output already.
        const size_t here = to;
        if (previous_length > 0 && table.next < LZW_CODES) {
            table.position[table.next] = previous_position;
            table.length[table.next++] = (uint16_t)(previous_length + 1);
        }
        FAIL_IF(code >= table.next, ST_BAD, "LZW code %d before it is defined (%d are); the file is damaged", code,
                table.next);
        if (code < LZW_CLEAR) {
            out[to++] = (uint8_t)code;
            previous_length = 1;
        } else {
            to = lzw_copy(out, to, out_size, table.position[code], table.length[code]);
            previous_length = table.length[code];
        }
        previous_position = here;
    }
    return ST_OK;
}

Status unpack_deflate(const uint8_t *in, size_t in_size, uint8_t *out, size_t out_size) {
    FAIL_IF(in_size > UINT_MAX || out_size > UINT_MAX, ST_UNSUPPORTED, "a Deflate stream of more than 4 GB");
    z_stream stream = {.next_in = in, .avail_in = (uInt)in_size};
    if (inflateInit(&stream) != Z_OK) return fail_memory(sizeof stream);
    inflateValidate(&stream, checksums_on());
    stream.next_out = out;
    stream.avail_out = (uInt)out_size;
    int result = inflate(&stream, Z_FINISH);
    const size_t got = out_size - stream.avail_out;
    // With one more byte of room the stream gets to its end, where its checksum is compared.
    uint8_t spare;
    if (got == out_size && result != Z_STREAM_END) {
        stream.next_out = &spare;
        stream.avail_out = 1;
        result = inflate(&stream, Z_FINISH);
    }
    inflateEnd(&stream);
    if (result == Z_MEM_ERROR) return fail_memory(out_size);
    FAIL_IF(result == Z_DATA_ERROR || result == Z_NEED_DICT, ST_BAD, "Deflate data is damaged (after %zu of %zu bytes)",
            got, out_size);
    return got == out_size ? ST_OK : fail_short("Deflate", got, out_size);
}

Status pack_deflate(const uint8_t *in, size_t in_size, uint8_t **out, size_t *out_size) {
    uLongf size = compressBound((uLong)in_size);
    *out = mem_alloc(size);
    if (!*out) return fail_memory(size);
    if (compress2(*out, &size, in, (uLong)in_size, 6) != Z_OK) {
        mem_free(*out);
        *out = NULL;
        return fail_memory(size);
    }
    *out_size = size;
    return ST_OK;
}

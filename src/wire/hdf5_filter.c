// The filter pipeline (IV.A.2.l): what was done to each chunk when it was written, undone here from the last to the
// first. Known are deflate (1), shuffle (2) and fletcher32 (3), all that h5py's "gzip" comes with.
#include "base/checksum.h"
#include "base/zip.h"
#include "wire/hdf5_parts.h"
#include <string.h>
#include <zlib.h>

enum { DEFLATE = 1, SHUFFLE = 2, FLETCHER32 = 3, FIRST_NAMED = 256, CHECKSUM_SIZE = 4 };

static const char *filter_name(unsigned id) {
    switch (id) {
    case 4: return "szip";
    case 5: return "nbit";
    case 6: return "scaleoffset";
    case 32000: return "lzf";
    case 32001: return "blosc";
    case 32004: return "lz4";
    case 32008: return "bitshuffle";
    case 32013: return "zfp";
    case 32015: return "zstd";
    case 32026: return "blosc2";
    default: return "not known";
    }
}

static void read_filter(H5Cursor *cursor, unsigned version, struct H5Filter *out) {
    out->id = (unsigned)h5_uint(cursor, 2);
    const bool has_name = version == 1 || out->id >= FIRST_NAMED;
    const uint64_t name = has_name ? h5_uint(cursor, 2) : 0;
    h5_skip(cursor, 2); // flags: whether it may be left out where it fails, which `skipped` tells for each chunk
    const uint64_t values = h5_uint(cursor, 2);
    h5_skip(cursor, version == 1 ? (name + 7) & ~UINT64_C(7) : name);
    out->width = values > 0 ? (unsigned)h5_uint(cursor, 4) : 0;
    h5_skip(cursor, values > 0 ? 4 * (values - 1) : 0);
    if (version == 1 && values % 2) h5_skip(cursor, 4);
    if (cursor->status == ST_OK && (out->id < DEFLATE || out->id > FLETCHER32))
        h5_fail(cursor, ST_UNSUPPORTED,
                "filter %u (%s) is not supported; write the file without compression, or with "
                "gzip",
                out->id, filter_name(out->id));
    if (cursor->status == ST_OK && out->id == SHUFFLE && out->width == 0)
        h5_fail(cursor, ST_BAD, "expected the size of shuffled elements, got none; the file is damaged");
}

void h5_filters(H5Cursor *cursor, H5Filters *out) {
    const unsigned version = h5_version(cursor, 1, 2, "a filter pipeline");
    const uint64_t count = h5_uint(cursor, 1);
    if (version == 1) h5_skip(cursor, 6);
    if (cursor->status == ST_OK && count > H5_MAX_FILTERS)
        h5_fail(cursor, ST_BAD, "expected at most %d filters, got %llu; the file is damaged", H5_MAX_FILTERS,
                (unsigned long long)count);
    for (out->count = 0; out->count < count && cursor->status == ST_OK; out->count++)
        read_filter(cursor, version, &out->filters[out->count]);
}

// ---- undone one by one: from `from` to `to`; *size goes in and comes out

// A zlib stream (RFC 1950) that gives at most `capacity` bytes.
static Status undo_deflate(const uint8_t *from, uint8_t *to, size_t capacity, size_t *size) {
    z_stream stream = {.zalloc = zlib_take, .zfree = zlib_give};
    FAIL_IF(*size > UINT32_MAX || capacity > UINT32_MAX, ST_UNSUPPORTED, "chunks of 4 GB and more");
    if (inflateInit(&stream) != Z_OK) return fail_memory(65536);
    if (!checksums_on()) inflateValidate(&stream, 0);
    stream.next_in = (uint8_t *)(uintptr_t)from; // zlib does not write there
    stream.avail_in = (unsigned)*size;
    stream.next_out = to;
    stream.avail_out = (unsigned)capacity;
    const int result = inflate(&stream, Z_FINISH);
    *size = capacity - stream.avail_out;
    inflateEnd(&stream);
    if (result == Z_MEM_ERROR) return fail_memory(65536);
    FAIL_IF(result != Z_STREAM_END, ST_BAD,
            "expected a deflated chunk of at most %zu bytes, got something else; the "
            "file is damaged",
            capacity);
    return ST_OK;
}

// All first bytes, all second ones ...; what is left over at the end stays as it is.
static void undo_shuffle(const uint8_t *from, uint8_t *to, size_t width, size_t size) {
    const size_t count = size / width;
    for (size_t byte = 0; byte < width; byte++)
        for (size_t i = 0; i < count; i++) to[i * width + byte] = from[byte * count + i];
    memcpy(to + count * width, from + count * width, size - count * width);
}

static uint32_t fold(uint64_t sum) {
    while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
    return (uint32_t)sum;
}

// Fletcher's checksum over big-endian words of 16 bits, modulo 65535 (where 65535 stands for 0 unless all words are 0).
static uint32_t fletcher32(const uint8_t *bytes, size_t size) {
    uint64_t sum = 0, sum_of_sums = 0;
    for (size_t at = 0; at < size; at += 2) {
        sum += (uint64_t)bytes[at] << 8 | (at + 1 < size ? bytes[at + 1] : 0);
        sum_of_sums += sum;
        if (at % 65536 == 0) { // long before they overflow
            sum = fold(sum);
            sum_of_sums = fold(sum_of_sums);
        }
    }
    return fold(sum_of_sums) << 16 | fold(sum);
}

// The checksum stands behind the bytes; libraries before 1.6.3 wrote it with the bytes of each half swapped.
static Status check_fletcher(const uint8_t *bytes, size_t *size) {
    FAIL_IF(*size < CHECKSUM_SIZE, ST_BAD, "expected a chunk with a checksum, got %zu bytes; the file is damaged",
            *size);
    *size -= CHECKSUM_SIZE;
    const uint8_t *at = bytes + *size;
    const uint32_t stored = at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
    const uint32_t swapped = (stored >> 8 & 0x00ff00ff) | (stored << 8 & 0xff00ff00);
    const uint32_t computed = fletcher32(bytes, *size);
    FAIL_IF(computed != swapped && !checksum_matches(computed, stored), ST_BAD,
            "the checksum of a chunk is wrong; the file is damaged");
    return ST_OK;
}

// ---- the pipeline

// Room for what lies between two filters: a checksum more, or data that deflate made longer.
static Status make_room(H5Unpacker *unpacker, size_t size) {
    const size_t capacity = size + size / 16 + 1024;
    if (unpacker->capacity >= capacity) return ST_OK;
    h5_unpacker_free(unpacker);
    for (size_t i = 0; i < COUNT_OF(unpacker->buffers); i++) {
        unpacker->buffers[i] = mem_alloc(capacity);
        if (!unpacker->buffers[i]) return fail_memory(capacity);
    }
    unpacker->capacity = capacity;
    return ST_OK;
}

static Status undo_filter(H5Unpacker *unpacker, const struct H5Filter *filter, const uint8_t **bytes, size_t *size) {
    uint8_t *to = unpacker->buffers[*bytes == unpacker->buffers[0]];
    if (filter->id == FLETCHER32) return check_fletcher(*bytes, size);
    if (filter->id == DEFLATE) {
        TRY(undo_deflate(*bytes, to, unpacker->capacity, size));
    } else {
        if (filter->width <= 1 || *size > unpacker->capacity) return ST_OK; // too much of it is found out at the end
        undo_shuffle(*bytes, to, filter->width, *size);
    }
    *bytes = to;
    return ST_OK;
}

Status h5_unpack(H5Unpacker *unpacker, const H5Filters *filters, uint64_t skipped, H5Cursor *packed, size_t size,
                 const uint8_t **out) {
    size_t left = (size_t)(packed->end - packed->at);
    const uint8_t *bytes = packed->file->bytes + packed->at;
    Status status = packed->status;
    if (status == ST_OK) status = make_room(unpacker, size);
    for (size_t i = filters->count; i-- > 0 && status == ST_OK;)
        if (!(skipped >> i & 1)) status = undo_filter(unpacker, &filters->filters[i], &bytes, &left);
    if (status == ST_OK && left != size)
        status = fail(ST_BAD, "expected a chunk of %zu bytes, got %zu; the file is damaged", size, left);
    *out = bytes;
    return status == ST_OK || packed->status != ST_OK
               ? status
               : fail_context(status, "byte %llu", (unsigned long long)packed->at);
}

void h5_unpacker_free(H5Unpacker *unpacker) {
    for (size_t i = 0; i < COUNT_OF(unpacker->buffers); i++) mem_free(unpacker->buffers[i]);
    *unpacker = (H5Unpacker){.capacity = 0};
}

#include "base/zip.h"
#include "base/checksum.h"
#include "base/text.h"
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum {
    LOCAL_MAGIC = 0x04034b50,
    CENTRAL_MAGIC = 0x02014b50,
    END_MAGIC = 0x06054b50,
    END64_MAGIC = 0x06064b50,
    END64_LOCATOR_MAGIC = 0x07064b50,
    LOCAL_SIZE = 30,
    CENTRAL_SIZE = 46,
    END_SIZE = 22,
    END64_SIZE = 56,
    END64_LOCATOR_SIZE = 20,
    MAX_COMMENT = 65535,
    EXTRA_ZIP64 = 1,
    METHOD_STORED = 0,
    METHOD_DEFLATED = 8,
    FLAG_ENCRYPTED = 1,
    FLAG_DESCRIPTOR = 8,      // checksum and sizes stand behind the data
    MAX_DEFLATE_RATIO = 1032, // RFC 1951: 258 bytes from 2 bits
    MAX_UNPACKED = 1 << 28,   // bytes of all deflated entries, or MAX_GROWTH times the file where that is more
    MAX_GROWTH = 16,
    CHUNK = 1 << 30 // bytes that zlib is given at once, as it counts in 32 bits
};

static unsigned get16(const uint8_t *at) { return (unsigned)at[0] | (unsigned)at[1] << 8; }
static uint32_t get32(const uint8_t *at) { return get16(at) | (uint32_t)get16(at + 2) << 16; }
static uint64_t get64(const uint8_t *at) { return get32(at) | (uint64_t)get32(at + 4) << 32; }

// `bytes` bytes lie within the archive from `offset` on.
static bool is_inside(const Zip *zip, uint64_t offset, uint64_t bytes) {
    return offset <= zip->size && bytes <= zip->size - offset;
}

// ---- the directory

typedef struct Directory {
    uint64_t entries, offset;
} Directory;

// The end record stands last, but for a comment of up to 65535 bytes.
static Status find_end(const Zip *zip, size_t *out) {
    for (size_t back = END_SIZE; back <= zip->size && back <= END_SIZE + MAX_COMMENT; back++) {
        const uint8_t *end = zip->bytes + zip->size - back;
        if (get32(end) != END_MAGIC || get16(end + 20) != back - END_SIZE) continue;
        *out = zip->size - back;
        return ST_OK;
    }
    return fail(ST_BAD, "expected a zip archive's directory at the end, got none; the file is cut short or damaged");
}

// Zip64 has its own end record, found by a locator in front of the usual one.
static Status read_end64(const Zip *zip, size_t end, Directory *out) {
    const uint8_t *locator = zip->bytes + end - END64_LOCATOR_SIZE;
    FAIL_IF(end < END64_LOCATOR_SIZE || get32(locator) != END64_LOCATOR_MAGIC, ST_BAD,
            "expected the place of a zip64 directory before byte %zu, got something else", end);
    const uint64_t at = get64(locator + 8);
    FAIL_IF(!is_inside(zip, at, END64_SIZE) || get32(zip->bytes + at) != END64_MAGIC, ST_BAD,
            "expected the end of a zip64 directory at byte %llu, got something else", (unsigned long long)at);
    out->entries = get64(zip->bytes + at + 32);
    out->offset = get64(zip->bytes + at + 48);
    return ST_OK;
}

static Status find_directory(const Zip *zip, Directory *out) {
    size_t at;
    TRY(find_end(zip, &at));
    const uint8_t *end = zip->bytes + at;
    FAIL_IF(get16(end + 4) != 0 && get16(end + 4) != UINT16_MAX, ST_UNSUPPORTED, "archives in several parts");
    *out = (Directory){get16(end + 10), get32(end + 16)};
    if (out->entries == UINT16_MAX || out->offset == UINT32_MAX) TRY(read_end64(zip, at, out));
    FAIL_IF(out->entries > ZIP_MAX_ENTRIES, ST_UNSUPPORTED, "expected at most %d files in the archive, got %llu",
            ZIP_MAX_ENTRIES, (unsigned long long)out->entries);
    FAIL_IF(!is_inside(zip, out->offset, out->entries * CENTRAL_SIZE), ST_BAD,
            "expected a directory of %llu rows at byte %llu, got the end; the file is cut short or damaged",
            (unsigned long long)out->entries, (unsigned long long)out->offset);
    return ST_OK;
}

// Sizes of 4 GiB and more stand in an extra field, each only where the usual field is full of ones.
static Status read_extra64(const uint8_t *extra, size_t size, ZipEntry *entry) {
    size_t *const fields[] = {&entry->size, &entry->packed_size, &entry->offset};
    size_t at = 0;
    while (size - at >= 4 && get16(extra + at) != EXTRA_ZIP64) at += MIN(size - at, 4 + (size_t)get16(extra + at + 2));
    const size_t there = size - at >= 4 ? MIN(size - at - 4, (size_t)get16(extra + at + 2)) : 0;
    size_t next = 0;
    for (size_t i = 0; i < COUNT_OF(fields); i++) {
        if (*fields[i] != UINT32_MAX) continue;
        FAIL_IF(there < next + 8, ST_BAD, "%s: expected a size in 64 bits, got none", entry->name);
        *fields[i] = (size_t)get64(extra + at + 4 + next);
        next += 8;
    }
    return ST_OK;
}

static bool leads_out(const char *name) {
    if (*name == '/' || strchr(name, '\\')) return true;
    for (const char *part = name; part; part = strchr(part, '/')) {
        part += *part == '/';
        if (strncmp(part, "..", 2) == 0 && (part[2] == '/' || part[2] == 0)) return true;
    }
    return false;
}

static Status check_entry(const Zip *zip, const ZipEntry *entry) {
    FAIL_IF(leads_out(entry->name), ST_BAD,
            "expected names within the archive, got '%s'; the file is not to be trusted", entry->name);
    FAIL_IF(!is_inside(zip, entry->offset, LOCAL_SIZE) || !is_inside(zip, entry->offset, entry->packed_size), ST_BAD,
            "%s: expected %zu bytes at byte %zu, got the end; the file is cut short", entry->name, entry->packed_size,
            entry->offset);
    FAIL_IF(entry->method == METHOD_STORED && entry->size != entry->packed_size, ST_BAD,
            "%s: expected %zu stored bytes, got %zu", entry->name, entry->size, entry->packed_size);
    FAIL_IF(entry->method == METHOD_DEFLATED && entry->size / MAX_DEFLATE_RATIO > entry->packed_size, ST_BAD,
            "%s: %zu bytes cannot unpack to %zu", entry->name, entry->packed_size, entry->size);
    return ST_OK;
}

static Status read_row(Arena *arena, const Zip *zip, uint64_t *at, ZipEntry *entry) {
    const uint8_t *row = zip->bytes + *at;
    FAIL_IF(!is_inside(zip, *at, CENTRAL_SIZE) || get32(row) != CENTRAL_MAGIC, ST_BAD,
            "expected a row of the archive's directory at byte %llu, got something else", (unsigned long long)*at);
    const size_t name_size = get16(row + 28), extra_size = get16(row + 30);
    const size_t row_size = CENTRAL_SIZE + name_size + extra_size + get16(row + 32);
    FAIL_IF(!is_inside(zip, *at, row_size), ST_BAD, "the archive's directory is cut short at byte %llu",
            (unsigned long long)*at);
    const char *name = (const char *)row + CENTRAL_SIZE;
    FAIL_IF(memchr(name, 0, name_size) || !utf8_valid(name, name_size), ST_BAD,
            "expected a file's name in UTF-8 at byte %llu", (unsigned long long)*at);
    *entry = (ZipEntry){.name = arena_string_n(arena, name, name_size),
                        .flags = get16(row + 8),
                        .method = get16(row + 10),
                        .crc = get32(row + 16),
                        .packed_size = get32(row + 20),
                        .size = get32(row + 24),
                        .offset = get32(row + 42)};
    if (!entry->name) return fail_memory(name_size);
    TRY(read_extra64(row + CENTRAL_SIZE + name_size, extra_size, entry));
    *at += row_size;
    return check_entry(zip, entry);
}

static int compare_names(const void *a, const void *b) {
    return strcmp((*(const ZipEntry *const *)a)->name, (*(const ZipEntry *const *)b)->name);
}

static int compare_offsets(const void *a, const void *b) {
    const size_t first = (*(const ZipEntry *const *)a)->offset, second = (*(const ZipEntry *const *)b)->offset;
    return (first > second) - (first < second);
}

static void sort_entries(Zip *zip, int (*compare)(const void *, const void *)) {
    qsort(zip->by_name, zip->n_entries, sizeof *zip->by_name, compare);
}

// Entries that share bytes could unpack to far more than the file's size. (The names in local headers are not counted.)
static Status check_overlaps(Zip *zip) {
    sort_entries(zip, compare_offsets);
    for (size_t i = 1; i < zip->n_entries; i++) {
        const ZipEntry *before = zip->by_name[i - 1], *entry = zip->by_name[i];
        FAIL_IF(entry->offset - before->offset < LOCAL_SIZE + before->packed_size, ST_BAD,
                "%s: expected data of its own, got some of %s; the file is damaged", entry->name, before->name);
    }
    return ST_OK;
}

static Status sort_names(Zip *zip) {
    sort_entries(zip, compare_names);
    for (size_t i = 1; i < zip->n_entries; i++) {
        FAIL_IF(compare_names(&zip->by_name[i - 1], &zip->by_name[i]) == 0, ST_BAD, "expected %s once, got it twice",
                zip->by_name[i]->name);
    }
    return ST_OK;
}

static Status read_rows(Arena *arena, Zip *zip, uint64_t at) {
    size_t unpacked = 0;
    for (size_t i = 0; i < zip->n_entries; i++) {
        ZipEntry *entry = &zip->entries[i];
        TRY(read_row(arena, zip, &at, entry));
        zip->by_name[i] = entry;
        if (entry->method != METHOD_DEFLATED) continue;
        unpacked += entry->size; // at most 65536 times 1032 times the file's size: no overflow
        FAIL_IF(unpacked > MAX_UNPACKED && unpacked / MAX_GROWTH > zip->size, ST_UNSUPPORTED,
                "%s: %zu bytes that unpack to %zu are too much; write it without compression", entry->name, zip->size,
                unpacked);
    }
    return ST_OK;
}

Status zip_open(Arena *arena, const void *bytes, size_t size, Zip *out) {
    Directory directory;
    *out = (Zip){.bytes = bytes, .size = size};
    TRY(find_directory(out, &directory));
    out->n_entries = (size_t)directory.entries;
    out->entries = arena_array(arena, out->n_entries + 1, sizeof *out->entries);
    out->by_name = arena_array(arena, out->n_entries + 1, sizeof *out->by_name);
    if (!out->entries || !out->by_name) return fail_memory(out->n_entries * sizeof *out->entries);
    TRY(read_rows(arena, out, directory.offset));
    TRY(check_overlaps(out));
    return sort_names(out);
}

const ZipEntry *zip_find(const Zip *zip, const char *name) {
    const ZipEntry key = {.name = name}, *const wanted = &key;
    const ZipEntry **found = bsearch(&wanted, zip->by_name, zip->n_entries, sizeof *zip->by_name, compare_names);
    return found ? *found : NULL;
}

// ---- data

void *zlib_take(void *context, unsigned count, unsigned size) {
    (void)context;
    return mem_zero(count, size);
}

void zlib_give(void *context, void *pointer) {
    (void)context;
    mem_free(pointer);
}

// Raw deflate data that must give exactly entry->size bytes.
static Status inflate_data(const ZipEntry *entry, const uint8_t *packed, uint8_t *to) {
    z_stream stream = {.zalloc = zlib_take, .zfree = zlib_give};
    size_t in_left = entry->packed_size, out_left = entry->size;
    int result;
    if (inflateInit2(&stream, -15) != Z_OK) return fail_memory(65536);
    stream.next_in = (uint8_t *)(uintptr_t)packed; // zlib does not write there
    stream.next_out = to;
    do {
        const unsigned in = (unsigned)MIN(in_left, (size_t)CHUNK), out = (unsigned)MIN(out_left, (size_t)CHUNK);
        stream.avail_in = in;
        stream.avail_out = out;
        result = inflate(&stream, Z_NO_FLUSH);
        in_left -= in - stream.avail_in;
        out_left -= out - stream.avail_out;
        if (in == stream.avail_in && out == stream.avail_out) break; // nothing moves any more
    } while (result == Z_OK);
    inflateEnd(&stream);
    if (result == Z_MEM_ERROR) return fail_memory(65536);
    FAIL_IF(result != Z_STREAM_END || out_left > 0, ST_BAD,
            "expected %zu bytes of deflated data, got something else; the file is damaged", entry->size);
    return ST_OK;
}

static uint32_t checksum_of(const uint8_t *bytes, size_t size) {
    uLong crc = crc32(0, NULL, 0);
    for (size_t at = 0; at < size; at += CHUNK) crc = crc32(crc, bytes + at, (unsigned)MIN(size - at, (size_t)CHUNK));
    return (uint32_t)crc;
}

static Status unpack(Arena *arena, const Zip *zip, const ZipEntry *entry, const uint8_t **data) {
    const uint8_t *local = zip->bytes + entry->offset;
    FAIL_IF(get32(local) != LOCAL_MAGIC, ST_BAD, "expected a file at byte %zu, got something else", entry->offset);
    const size_t header = LOCAL_SIZE + (size_t)get16(local + 26) + get16(local + 28);
    FAIL_IF(!is_inside(zip, entry->offset + header, entry->packed_size), ST_BAD,
            "expected %zu bytes at byte %zu, got fewer; the file is cut short", entry->packed_size, entry->offset);
    FAIL_IF(entry->flags & FLAG_ENCRYPTED, ST_UNSUPPORTED, "encrypted archives are not supported");
    FAIL_IF(entry->method != METHOD_STORED && entry->method != METHOD_DEFLATED, ST_UNSUPPORTED,
            "packing method %u is not supported; write it with deflate, or without compression", entry->method);
    *data = local + header;
    if (entry->method == METHOD_STORED) return ST_OK;
    uint8_t *to = arena_alloc(arena, entry->size + 1);
    if (!to) return fail_memory(entry->size);
    TRY(inflate_data(entry, local + header, to));
    *data = to;
    return ST_OK;
}

// PyTorch can be told to leave the checksums out: they are 0 then, in the directory and behind the data.
static bool has_checksum(const ZipEntry *entry) { return entry->crc != 0 || !(entry->flags & FLAG_DESCRIPTOR); }

Status zip_data(Arena *arena, const Zip *zip, const ZipEntry *entry, const uint8_t **data) {
    Status status = unpack(arena, zip, entry, data);
    if (status == ST_OK && has_checksum(entry) && !checksum_matches(checksum_of(*data, entry->size), entry->crc))
        status = fail(ST_BAD, "the checksum is wrong; the file is damaged");
    return status == ST_OK ? ST_OK : fail_context(status, "%s", entry->name);
}

// numpy's .npz: a zip archive (PKWARE APPNOTE 6.3) of .npy files.
//
//   local header, data | local header, data | ... | central directory: a row an entry | end record
//
// Everything is taken from the central directory; a local header only says how long it is itself.
#include "base/checksum.h"
#include "base/file.h"
#include "tensor/npy.h"
#include "tensor/npy_bytes.h"
#include <string.h>
#include <zlib.h>

enum {
    LOCAL_MAGIC = 0x04034b50,
    CENTRAL_MAGIC = 0x02014b50,
    END_MAGIC = 0x06054b50,
    LOCAL_SIZE = 30,
    CENTRAL_SIZE = 46,
    END_SIZE = 22,
    METHOD_STORED = 0,
    METHOD_DEFLATED = 8,
    FLAG_ENCRYPTED = 1,
    FLAG_UTF8 = 1 << 11,
    DOS_DATE = 1 << 5 | 1, // 1980-01-01: no time of writing, so that equal tensors give equal files
    MAX_ENTRIES = 4096,
    MAX_DEFLATE_RATIO = 1032, // RFC 1951: 258 bytes from 2 bits
    MAX_UNPACKED = 1 << 28,   // bytes of all deflated entries, or MAX_GROWTH times the file where that is more
    MAX_GROWTH = 16,
    MAX_FILE_LOG2 = 40
};

typedef struct Archive {
    const uint8_t *bytes;
    size_t size;
} Archive;

typedef struct Entry {
    const char *name;
    unsigned flags, method;
    uint32_t crc;
    size_t packed_size, size, offset; // offset of the local header
} Entry;

static unsigned get16(const uint8_t *at) { return (unsigned)at[0] | (unsigned)at[1] << 8; }

static uint32_t get32(const uint8_t *at) { return get16(at) | (uint32_t)get16(at + 2) << 16; }

// ---- reading ----

// The end record stands last, but for a comment of up to 65535 bytes.
static Status find_end(const Archive *zip, const uint8_t **end) {
    for (size_t back = END_SIZE; back <= zip->size && back <= END_SIZE + 65535; back++) {
        *end = zip->bytes + zip->size - back;
        if (get32(*end) == END_MAGIC && get16(*end + 20) == back - END_SIZE) return ST_OK;
    }
    return fail(ST_BAD, "expected a .npz archive's directory at the end, got none; the file is cut short or damaged");
}

static Status read_central_row(Arena *arena, const Archive *zip, size_t *at, Entry *entry) {
    const uint8_t *row = zip->bytes + *at;
    FAIL_IF(*at > zip->size || zip->size - *at < CENTRAL_SIZE || get32(row) != CENTRAL_MAGIC, ST_BAD,
            "expected a row of the archive's directory at byte %zu, got something else", *at);
    size_t name_size = get16(row + 28), row_size = CENTRAL_SIZE + name_size + get16(row + 30) + get16(row + 32);
    FAIL_IF(row_size > zip->size - *at, ST_BAD, "the archive's directory is cut short at byte %zu", *at);
    const char *name = (const char *)row + CENTRAL_SIZE;
    FAIL_IF(memchr(name, 0, name_size) || !utf8_valid(name, name_size), ST_BAD,
            "expected an entry's name in UTF-8 at byte %zu", *at);
    *entry = (Entry){.name = arena_string_n(arena, name, name_size),
                     .flags = get16(row + 8),
                     .method = get16(row + 10),
                     .crc = get32(row + 16),
                     .packed_size = get32(row + 20),
                     .size = get32(row + 24),
                     .offset = get32(row + 42)};
    if (!entry->name) return fail_memory(name_size);
    bool is_zip64 = entry->packed_size == UINT32_MAX || entry->size == UINT32_MAX || entry->offset == UINT32_MAX;
    FAIL_IF(is_zip64, ST_UNSUPPORTED, "%s: entries of 4 GiB and more are not supported", entry->name);
    *at += row_size;
    return ST_OK;
}

static Status locate_data(const Archive *zip, const Entry *entry, const uint8_t **data) {
    const uint8_t *local = zip->bytes + entry->offset;
    FAIL_IF(entry->offset > zip->size || zip->size - entry->offset < LOCAL_SIZE || get32(local) != LOCAL_MAGIC, ST_BAD,
            "expected an entry at byte %zu, got something else", entry->offset);
    size_t header_size = LOCAL_SIZE + (size_t)get16(local + 26) + get16(local + 28);
    size_t left = zip->size - entry->offset;
    FAIL_IF(header_size > left || entry->packed_size > left - header_size, ST_BAD,
            "expected %zu bytes at byte %zu, got fewer; the file is cut short", entry->packed_size, entry->offset);
    *data = local + header_size;
    return ST_OK;
}

// zlib's memory comes through the common door.
static void *zlib_alloc(void *context, unsigned count, unsigned size) {
    (void)context;
    return mem_zero(count, size);
}

static void zlib_free(void *context, void *pointer) {
    (void)context;
    mem_free(pointer);
}

// Raw deflate data that must give exactly entry->size bytes.
static Status inflate_data(const Entry *entry, const uint8_t *packed, uint8_t *to) {
    z_stream stream = {.zalloc = zlib_alloc, .zfree = zlib_free};
    stream.next_in = (uint8_t *)(uintptr_t)packed; // zlib does not write there
    stream.avail_in = (unsigned)entry->packed_size;
    stream.next_out = to;
    stream.avail_out = (unsigned)entry->size;
    if (inflateInit2(&stream, -15) != Z_OK) return fail_memory(65536);
    int result = inflate(&stream, Z_FINISH);
    bool is_whole = result == Z_STREAM_END && stream.total_out == entry->size;
    inflateEnd(&stream);
    if (result == Z_MEM_ERROR) return fail_memory(65536);
    FAIL_IF(!is_whole, ST_BAD, "expected %zu bytes of deflated data, got something else; the file is damaged",
            entry->size);
    return ST_OK;
}

static Status parse_unpacked(Arena *arena, const Entry *entry, const uint8_t *bytes, Tensor *out) {
    FAIL_IF(!checksum_matches(crc32(0, bytes, (unsigned)entry->size), entry->crc), ST_BAD,
            "the checksum is wrong; the file is damaged");
    return npy_parse(arena, bytes, entry->size, out);
}

static Status read_deflated(Arena *arena, const Entry *entry, const uint8_t *packed, Tensor *out) {
    FAIL_IF(entry->size / MAX_DEFLATE_RATIO > entry->packed_size, ST_BAD, "%zu bytes cannot unpack to %zu",
            entry->packed_size, entry->size);
    uint8_t *bytes = mem_alloc(entry->size);
    if (!bytes) return fail_memory(entry->size);
    Status status = inflate_data(entry, packed, bytes);
    if (status == ST_OK) status = parse_unpacked(arena, entry, bytes, out);
    mem_free(bytes);
    return status;
}

static Status read_entry(Arena *arena, const Archive *zip, const Entry *entry, Tensor *out) {
    const uint8_t *data;
    FAIL_IF(entry->flags & FLAG_ENCRYPTED, ST_UNSUPPORTED, "encrypted archives are not supported");
    TRY(locate_data(zip, entry, &data));
    if (entry->method == METHOD_DEFLATED) return read_deflated(arena, entry, data, out);
    FAIL_IF(entry->method != METHOD_STORED, ST_UNSUPPORTED, "packing method %u is not supported; use numpy.savez",
            entry->method);
    FAIL_IF(entry->size != entry->packed_size, ST_BAD, "expected %zu stored bytes, got %zu", entry->size,
            entry->packed_size);
    return parse_unpacked(arena, entry, data, out);
}

// "mask.npy" to "mask"; each name once.
static Status name_tensor(Arena *arena, const Entry *entry, NamedTensor *tensors, size_t index) {
    FAIL_IF(!text_ends(entry->name, ".npy"), ST_UNSUPPORTED, "expected .npy files in the archive, got %s", entry->name);
    tensors[index].name = arena_string_n(arena, entry->name, strlen(entry->name) - 4);
    if (!tensors[index].name) return fail_memory(strlen(entry->name));
    for (size_t i = 0; i < index; i++)
        FAIL_IF(!strcmp(tensors[i].name, tensors[index].name), ST_BAD, "expected %s once, got it twice", entry->name);
    return ST_OK;
}

static Status read_archive(Arena *arena, const Archive *zip, NamedTensor **out, size_t *count) {
    const uint8_t *end;
    TRY(find_end(zip, &end));
    size_t entries = get16(end + 10), at = get32(end + 16), packed_total = 0, unpacked_total = 0;
    FAIL_IF(entries > MAX_ENTRIES, ST_UNSUPPORTED, "expected at most %d arrays, got more", MAX_ENTRIES);
    NamedTensor *tensors = arena_array(arena, entries, sizeof *tensors);
    if (!tensors) return fail_memory(entries * sizeof *tensors);
    for (size_t i = 0; i < entries; i++) {
        Entry entry;
        TRY(read_central_row(arena, zip, &at, &entry));
        TRY(name_tensor(arena, &entry, tensors, i));
        packed_total += entry.packed_size; // entries that share bytes could unpack to far more than the file's size
        FAIL_IF(packed_total > zip->size, ST_BAD, "%s: the archive's entries overlap", entry.name);
        unpacked_total += entry.method == METHOD_DEFLATED ? entry.size : 0; // at most 4096 times 4 GiB
        FAIL_IF(unpacked_total > MAX_UNPACKED && unpacked_total / MAX_GROWTH > zip->size, ST_UNSUPPORTED,
                "%s: %zu bytes that unpack to %zu are too much; write it with numpy.savez", entry.name, zip->size,
                unpacked_total);
        Status status = read_entry(arena, zip, &entry, &tensors[i].tensor);
        if (status != ST_OK) return fail_context(status, "%s", entry.name);
    }
    *out = tensors;
    *count = entries;
    return ST_OK;
}

static Status read_plain(Arena *arena, const Archive *file, NamedTensor **out, size_t *count) {
    NamedTensor *tensor = arena_alloc(arena, sizeof *tensor);
    if (!tensor) return fail_memory(sizeof *tensor);
    tensor->name = "";
    TRY(npy_parse(arena, file->bytes, file->size, &tensor->tensor));
    *out = tensor;
    *count = 1;
    return ST_OK;
}

Status npz_read(Arena *arena, const char *path, NamedTensor **out, size_t *count) {
    uint8_t *bytes;
    size_t size;
    TRY(file_read(path, (size_t)1 << MAX_FILE_LOG2, &bytes, &size));
    Archive file = {bytes, size};
    bool is_zip = size >= 4 && (get32(bytes) == LOCAL_MAGIC || get32(bytes) == END_MAGIC);
    Status status = is_zip ? read_archive(arena, &file, out, count) : read_plain(arena, &file, out, count);
    mem_free(bytes);
    return status == ST_OK ? ST_OK : fail_context(status, "%s", path);
}

// ---- writing ----

static void put16(Text *text, unsigned value) {
    uint8_t bytes[2] = {(uint8_t)value, (uint8_t)(value >> 8)};
    text_bytes(text, bytes, 2);
}

static void put32(Text *text, size_t value) {
    put16(text, value & 0xffff);
    put16(text, value >> 16 & 0xffff);
}

// What a local header and a directory's row have in common: versions, flags, method, date, sizes, name's length.
static void put_common(Text *text, const Entry *entry) {
    put16(text, 20); // needs version 2.0
    put16(text, entry->flags);
    put16(text, METHOD_STORED);
    put16(text, 0);
    put16(text, DOS_DATE);
    put32(text, entry->crc);
    put32(text, entry->size);
    put32(text, entry->size);
    put16(text, (unsigned)strlen(entry->name));
    put16(text, 0); // no extra field
}

static void put_local_header(Text *text, const Entry *entry) {
    put32(text, LOCAL_MAGIC);
    put_common(text, entry);
    text_bytes(text, entry->name, strlen(entry->name));
}

static void put_central_row(Text *text, const Entry *entry) {
    put32(text, CENTRAL_MAGIC);
    put16(text, 20);
    put_common(text, entry);
    put16(text, 0); // comment
    put16(text, 0); // disk
    put16(text, 0); // attributes
    put32(text, 0);
    put32(text, entry->offset);
    text_bytes(text, entry->name, strlen(entry->name));
}

static void put_end(Text *text, size_t entries, size_t directory_size, size_t directory_offset) {
    put32(text, END_MAGIC);
    put32(text, 0); // disks
    put16(text, (unsigned)entries);
    put16(text, (unsigned)entries);
    put32(text, directory_size);
    put32(text, directory_offset);
    put16(text, 0); // comment
}

typedef struct NpzWriter {
    AtomicFile *file;
    size_t written;
    Text directory;
} NpzWriter;

static Status emit(NpzWriter *writer, const void *bytes, size_t count) {
    writer->written += count;
    return atomic_write(writer->file, bytes, count);
}

// crc32 takes its length as 32 bits; entries are smaller than that.
static Status write_entry(NpzWriter *writer, const char *name, const Tensor *tensor, const Text *header) {
    size_t data_size = tensor_bytes(tensor), size;
    bool fits = add_size(data_size, header->length, &size) && size < UINT32_MAX && writer->written < UINT32_MAX - size;
    FAIL_IF(!fits, ST_UNSUPPORTED, "%s: archives of 4 GiB and more are not supported; write a .npy file", name);
    FAIL_IF(strlen(name) > 65535, ST_BAD, "expected names of at most 65535 bytes, got %zu", strlen(name));
    uint32_t crc = (uint32_t)crc32(0, (const uint8_t *)header->data, (unsigned)header->length);
    crc = (uint32_t)crc32(crc, tensor->data, (unsigned)data_size);
    Entry entry = {.name = name, .flags = FLAG_UTF8, .crc = crc, .size = size, .offset = writer->written};
    Text local = {0};
    put_local_header(&local, &entry);
    put_central_row(&writer->directory, &entry);
    Status status = text_status(&local);
    if (status == ST_OK) status = emit(writer, local.data, local.length);
    if (status == ST_OK) status = emit(writer, header->data, header->length);
    if (status == ST_OK) status = emit(writer, tensor->data, data_size);
    text_free(&local);
    return status;
}

static Status write_tensor(NpzWriter *writer, const NamedTensor *named) {
    Text header = {0}, name = {0};
    text_add(&name, "%s.npy", named->name);
    Status status = npy_header(&named->tensor, &header);
    if (status == ST_OK) status = text_status(&name);
    if (status == ST_OK) status = write_entry(writer, name.data, &named->tensor, &header);
    text_free(&header);
    text_free(&name);
    return status;
}

static Status write_directory(NpzWriter *writer, size_t count) {
    size_t size = writer->directory.length, offset = writer->written;
    FAIL_IF(offset > UINT32_MAX - size, ST_UNSUPPORTED,
            "archives of 4 GiB and more are not supported; write .npy files");
    put_end(&writer->directory, count, size, offset);
    TRY(text_status(&writer->directory));
    return emit(writer, writer->directory.data, writer->directory.length);
}

Status npz_write(const char *path, const NamedTensor *tensors, size_t count) {
    NpzWriter writer = {0};
    FAIL_IF(count > MAX_ENTRIES, ST_UNSUPPORTED, "%s: expected at most %d arrays, got %zu", path, MAX_ENTRIES, count);
    TRY(atomic_open(path, &writer.file));
    Status status = ST_OK;
    for (size_t i = 0; i < count && status == ST_OK; i++) status = write_tensor(&writer, &tensors[i]);
    if (status == ST_OK) status = write_directory(&writer, count);
    text_free(&writer.directory);
    if (status == ST_OK) return atomic_commit(writer.file);
    atomic_abort(writer.file);
    return status;
}

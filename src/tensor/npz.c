// numpy's .npz: a zip archive (base/zip.h) of .npy files. They are written without compression, one behind the other.
#include "base/file.h"
#include "base/zip.h"
#include "tensor/npy.h"
#include "tensor/npy_bytes.h"
#include <string.h>
#include <zlib.h>

enum {
    LOCAL_MAGIC = 0x04034b50,
    CENTRAL_MAGIC = 0x02014b50,
    END_MAGIC = 0x06054b50,
    METHOD_STORED = 0,
    FLAG_UTF8 = 1 << 11,
    DOS_DATE = 1 << 5 | 1, // 1980-01-01: no time of writing, so that equal tensors give equal files
    MAX_ENTRIES = 4096,
    MAX_FILE_LOG2 = 40
};

typedef struct Entry {
    const char *name;
    unsigned flags;
    uint32_t crc;
    size_t size, offset; // offset of the local header
} Entry;

static uint32_t get32(const uint8_t *at) {
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

// ---- reading ----

// "mask.npy" to "mask"
static Status name_tensor(Arena *arena, const ZipEntry *entry, NamedTensor *tensor) {
    FAIL_IF(!text_ends(entry->name, ".npy"), ST_UNSUPPORTED, "expected .npy files in the archive, got %s", entry->name);
    tensor->name = arena_string_n(arena, entry->name, strlen(entry->name) - 4);
    return tensor->name ? ST_OK : fail_memory(strlen(entry->name));
}

// Deflated bytes are given back at once: only the tensor stays.
static Status read_entry(Arena *arena, const Zip *zip, const ZipEntry *entry, Tensor *out) {
    Arena unpacked = {0};
    const uint8_t *bytes;
    Status status = zip_data(&unpacked, zip, entry, &bytes);
    if (status == ST_OK) {
        status = npy_parse(arena, bytes, entry->size, out);
        if (status != ST_OK) status = fail_context(status, "%s", entry->name);
    }
    arena_free(&unpacked);
    return status;
}

static Status read_entries(Arena *arena, const Zip *zip, NamedTensor **out, size_t *count) {
    FAIL_IF(zip->n_entries > MAX_ENTRIES, ST_UNSUPPORTED, "expected at most %d arrays, got more", MAX_ENTRIES);
    NamedTensor *tensors = arena_array(arena, zip->n_entries, sizeof *tensors);
    if (!tensors) return fail_memory(zip->n_entries * sizeof *tensors);
    for (size_t i = 0; i < zip->n_entries; i++) {
        TRY(name_tensor(arena, &zip->entries[i], &tensors[i]));
        TRY(read_entry(arena, zip, &zip->entries[i], &tensors[i].tensor));
    }
    *out = tensors;
    *count = zip->n_entries;
    return ST_OK;
}

static Status read_archive(Arena *arena, const uint8_t *bytes, size_t size, NamedTensor **out, size_t *count) {
    Arena directory = {0};
    Zip zip;
    Status status = zip_open(&directory, bytes, size, &zip);
    if (status == ST_OK) status = read_entries(arena, &zip, out, count);
    arena_free(&directory);
    return status;
}

static Status read_plain(Arena *arena, const uint8_t *bytes, size_t size, NamedTensor **out, size_t *count) {
    NamedTensor *tensor = arena_alloc(arena, sizeof *tensor);
    if (!tensor) return fail_memory(sizeof *tensor);
    tensor->name = "";
    TRY(npy_parse(arena, bytes, size, &tensor->tensor));
    *out = tensor;
    *count = 1;
    return ST_OK;
}

Status npz_read(Arena *arena, const char *path, NamedTensor **out, size_t *count) {
    uint8_t *bytes;
    size_t size;
    TRY(file_read(path, (size_t)1 << MAX_FILE_LOG2, &bytes, &size));
    bool is_zip = size >= 4 && (get32(bytes) == LOCAL_MAGIC || get32(bytes) == END_MAGIC);
    Status status = (is_zip ? read_archive : read_plain)(arena, bytes, size, out, count);
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

#include "base/zip_make.h"
#include "test.h"
#include <zlib.h>

static void put(Text *text, uint64_t value, int bytes) {
    for (int i = 0; i < bytes; i++) text_bytes(text, (const uint8_t[]){(uint8_t)(value >> 8 * i)}, 1);
}

typedef struct Row {
    const char *name;
    unsigned method, extra; // bytes of the local header's extra field, which only fills up
    uint32_t crc;
    uint64_t packed_size, size, offset;
} Row;

static void put_common(Text *text, const Row *row, bool zip64) {
    put(text, 20, 2), put(text, 0, 2), put(text, row->method, 2), put(text, 0x210000, 4); // 1980-01-01
    put(text, row->crc, 4);
    put(text, zip64 ? UINT32_MAX : row->packed_size, 4), put(text, zip64 ? UINT32_MAX : row->size, 4);
    put(text, strlen(row->name), 2);
}

static void put_local(Text *text, const Row *row) {
    put(text, 0x04034b50, 4), put_common(text, row, false), put(text, row->extra, 2);
    text_bytes(text, row->name, strlen(row->name));
    for (unsigned i = 0; i < row->extra; i++) put(text, 0, 1);
}

static void put_row(ZipMaker *zip, const Row *row) {
    Text *text = &zip->directory;
    put(text, 0x02014b50, 4), put(text, 20, 2), put_common(text, row, zip->zip64);
    put(text, zip->zip64 ? 28 : 0, 2), put(text, 0, 2), put(text, 0, 2), put(text, 0, 2), put(text, 0, 4);
    put(text, zip->zip64 ? UINT32_MAX : row->offset, 4);
    text_bytes(text, row->name, strlen(row->name));
    if (zip->zip64) {
        put(text, 1, 2), put(text, 24, 2);
        put(text, row->size, 8), put(text, row->packed_size, 8), put(text, row->offset, 8);
    }
    zip->entries++;
}

void zip_add(ZipMaker *zip, const char *name, const void *data, size_t size, unsigned align) {
    const size_t begin = zip->bytes.length + 30 + strlen(name);
    const Row row = {name,
                     0,
                     (unsigned)((align - begin % align) % align),
                     (uint32_t)crc32(0, data, (unsigned)size),
                     size,
                     size,
                     zip->bytes.length};
    put_local(&zip->bytes, &row);
    text_bytes(&zip->bytes, data, size);
    put_row(zip, &row);
}

void zip_add_deflated(ZipMaker *zip, const char *name, const void *data, size_t size) {
    const size_t room = size + size / 8 + 64;
    uint8_t *packed = mem_alloc(room);
    REQUIRE(packed);
    z_stream stream = {.next_in = (uint8_t *)(uintptr_t)data, .avail_in = (unsigned)size, .next_out = packed};
    stream.avail_out = (unsigned)room;
    REQUIRE(deflateInit2(&stream, 9, Z_DEFLATED, -15, 9, Z_DEFAULT_STRATEGY) == Z_OK);
    REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
    deflateEnd(&stream);
    const Row row = {name, 8, 0, (uint32_t)crc32(0, data, (unsigned)size), stream.total_out, size, zip->bytes.length};
    put_local(&zip->bytes, &row);
    text_bytes(&zip->bytes, packed, stream.total_out);
    put_row(zip, &row);
    mem_free(packed);
}

void zip_add_lying(ZipMaker *zip, const char *name, unsigned method, size_t packed_size, size_t size, size_t offset) {
    put_row(zip, &(Row){name, method, 0, 0, packed_size, size, offset});
}

void zip_end(ZipMaker *zip) {
    const size_t offset = zip->bytes.length, size = zip->directory.length;
    text_bytes(&zip->bytes, text_get(&zip->directory), size);
    if (zip->zip64) {
        const size_t end = zip->bytes.length;
        put(&zip->bytes, 0x06064b50, 4), put(&zip->bytes, 44, 8), put(&zip->bytes, 45, 2), put(&zip->bytes, 45, 2);
        put(&zip->bytes, 0, 8), put(&zip->bytes, zip->entries, 8), put(&zip->bytes, zip->entries, 8);
        put(&zip->bytes, size, 8), put(&zip->bytes, offset, 8);
        put(&zip->bytes, 0x07064b50, 4), put(&zip->bytes, 0, 4), put(&zip->bytes, end, 8), put(&zip->bytes, 1, 4);
    }
    put(&zip->bytes, 0x06054b50, 4), put(&zip->bytes, 0, 4);
    put(&zip->bytes, zip->zip64 ? UINT16_MAX : zip->entries, 2),
        put(&zip->bytes, zip->zip64 ? UINT16_MAX : zip->entries, 2);
    put(&zip->bytes, zip->zip64 ? UINT32_MAX : size, 4), put(&zip->bytes, zip->zip64 ? UINT32_MAX : offset, 4);
    put(&zip->bytes, 0, 2);
    REQUIRE(text_status(&zip->bytes) == ST_OK);
}

void zip_forget(ZipMaker *zip) {
    text_free(&zip->bytes);
    text_free(&zip->directory);
    *zip = (ZipMaker){0};
}

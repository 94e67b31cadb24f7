// Small sorted tables, as LevelDB writes them:
//
//     TableWriter writer = {.per_block = 2};
//     table_add(&writer, "key", value, size);   // in order
//     Text bytes = table_end(&writer);
#pragma once
#include "base/text.h"
#include "test.h"
#include "wire/crc32c.h"

typedef struct TableWriter {
    int per_block;   // entries of a block; 0: all
    int restart;     // a whole key every so many entries; 0: 16
    int compression; // told of blocks, though they are not
    bool bad_checksum;
    Text file, block, index, restarts; // index: entries of the index block
    char last[256];                    // key
    size_t last_size;
    int in_block, n_restarts;
} TableWriter;

static inline void table_varint(Text *to, uint64_t value) {
    do {
        const uint8_t byte = (uint8_t)(value & 0x7f) | (value > 0x7f ? 0x80 : 0);
        text_bytes(to, &byte, 1);
        value >>= 7;
    } while (value);
}

static inline void table_entry(Text *to, size_t shared, const char *rest, size_t rest_size, const void *value,
                               size_t size) {
    table_varint(to, shared);
    table_varint(to, rest_size);
    table_varint(to, size);
    text_bytes(to, rest, rest_size);
    text_bytes(to, value, size);
}

// Writes the block with its trailer; its handle is put into `handle`.
static inline void table_put_block(TableWriter *writer, Text *entries, const Text *restarts, int n_restarts,
                                   Text *handle) {
    const uint32_t count = (uint32_t)n_restarts;
    const uint8_t compression = (uint8_t)writer->compression;
    text_bytes(entries, text_get(restarts), restarts->length);
    text_bytes(entries, &count, 4);
    table_varint(handle, writer->file.length);
    table_varint(handle, entries->length);
    text_bytes(entries, &compression, 1);
    const uint32_t crc = crc32c_masked(crc32c(entries->data, entries->length)) + writer->bad_checksum;
    text_bytes(entries, &crc, 4);
    text_bytes(&writer->file, entries->data, entries->length);
    text_free(entries);
}

static inline void table_flush(TableWriter *writer) {
    Text handle = {0};
    if (!writer->in_block) return;
    table_put_block(writer, &writer->block, &writer->restarts, writer->n_restarts, &handle);
    table_entry(&writer->index, 0, writer->last, writer->last_size, handle.data, handle.length);
    text_free(&handle);
    text_free(&writer->restarts);
    writer->in_block = writer->n_restarts = 0;
}

static inline void table_add_bytes(TableWriter *writer, const char *key, size_t key_size, const void *value,
                                   size_t size) {
    size_t shared = 0;
    REQUIRE(key_size <= sizeof writer->last);
    if (writer->in_block % (writer->restart ? writer->restart : 16) == 0) {
        const uint32_t at = (uint32_t)writer->block.length;
        text_bytes(&writer->restarts, &at, 4);
        writer->n_restarts++;
    } else {
        while (shared < key_size && shared < writer->last_size && key[shared] == writer->last[shared]) shared++;
    }
    table_entry(&writer->block, shared, key + shared, key_size - shared, value, size);
    memcpy(writer->last, key, key_size);
    writer->last_size = key_size;
    if (++writer->in_block == writer->per_block) table_flush(writer);
}
static inline void table_add(TableWriter *writer, const char *key, const void *value, size_t size) {
    table_add_bytes(writer, key, strlen(key), value, size);
}

// The bytes of the file; free the text.
static inline Text table_end(TableWriter *writer) {
    static const uint8_t magic[] = {0x57, 0xfb, 0x80, 0x8b, 0x24, 0x75, 0x47, 0xdb};
    const uint32_t first = 0;
    Text meta = {0}, restarts = {0}, footer = {0};
    table_flush(writer);
    text_bytes(&restarts, &first, 4);
    table_put_block(writer, &meta, &restarts, 1, &footer);
    table_put_block(writer, &writer->index, &restarts, 1, &footer);
    while (footer.length < 40) text_bytes(&footer, "", 1);
    text_bytes(&footer, magic, sizeof magic);
    text_bytes(&writer->file, footer.data, footer.length);
    text_free(&footer);
    text_free(&restarts);
    const Text file = writer->file;
    *writer = (TableWriter){0};
    return file;
}

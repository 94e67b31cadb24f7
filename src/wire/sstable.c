#include "wire/sstable.h"
#include "base/checksum.h"
#include "wire/crc32c.h"
#include <string.h>

enum { FOOTER = 48, MAGIC = 8, TRAILER = 5 }; // bytes; trailer of a block: its compression, its checksum
enum { PLAIN = 0, SNAPPY = 1 };
static const uint64_t magic_number = UINT64_C(0xdb4775248b80fb57);
static const size_t most_key_bytes = (size_t)64 << 20; // of all keys together: prefixes make many of few bytes

// A part of the file that is read from its beginning.
typedef struct Span {
    const uint8_t *start, *at, *end; // start: of the file
} Span;

static size_t place(const Span *span) { return (size_t)(span->at - span->start); }

// Little-endian.
static uint64_t fixed(const uint8_t *at, int bytes) {
    uint64_t value = 0;
    for (int i = 0; i < bytes; i++) value |= (uint64_t)at[i] << (8 * i);
    return value;
}

static Status read_varint(Span *span, uint64_t *out) {
    *out = 0;
    const uint8_t *at = span->at;
    for (int shift = 0; shift < 64 && at < span->end; shift += 7) {
        const uint8_t byte = *at++;
        if (shift == 63 && byte > 1) break;
        *out |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            span->at = at;
            return ST_OK;
        }
    }
    return fail(ST_BAD, "byte %zu: expected an integer, got %s; the file is damaged", place(span),
                at == span->end ? "the end of its block" : "one that is too long");
}

// ---- blocks

typedef struct Handle {
    uint64_t offset, size;
} Handle;

static Status read_handle(Span *span, Handle *out) {
    TRY(read_varint(span, &out->offset));
    return read_varint(span, &out->size);
}

// Entries of a block, one after the other.
typedef struct Block {
    Span span; // what is left of the entries
    char key[SSTABLE_MAX_KEY + 1];
    size_t key_size;
    const uint8_t *value;
    size_t value_size;
} Block;

static Status check_trailer(const uint8_t *block, size_t size, size_t offset) {
    const uint32_t stored = (uint32_t)fixed(block + size + 1, 4);
    FAIL_IF(block[size] == SNAPPY, ST_UNSUPPORTED,
            "byte %zu: the table is compressed with Snappy, which is not supported; write it without", offset);
    FAIL_IF(block[size] != PLAIN, ST_BAD, "byte %zu: expected a block that is not compressed (0), got %d", offset,
            block[size]);
    FAIL_IF(!checksum_matches(crc32c_masked(crc32c(block, size + 1)), stored), ST_BAD,
            "byte %zu: the checksum of the block does not match; the file is damaged", offset);
    return ST_OK;
}

// `first`: where the block may begin at the earliest. Blocks that follow each other cannot be read again and again.
static Status open_block(const Span *file, const Handle *handle, uint64_t first, Block *out) {
    const size_t room = (size_t)(file->end - file->start) - FOOTER; // blocks end before the footer
    FAIL_IF(handle->offset < first || handle->offset > room || handle->size > room - handle->offset ||
                room - handle->offset - handle->size < TRAILER,
            ST_BAD, "byte %zu: expected a block between byte %llu and %zu, got %llu bytes at %llu; the file is damaged",
            place(file), (unsigned long long)first, room, (unsigned long long)handle->size,
            (unsigned long long)handle->offset);
    const uint8_t *block = file->start + handle->offset;
    const size_t size = (size_t)handle->size;
    TRY(check_trailer(block, size, (size_t)handle->offset));
    const uint64_t restarts = size >= 4 ? fixed(block + size - 4, 4) : 0;
    FAIL_IF(size < 4 || restarts > (size - 4) / 4, ST_BAD,
            "byte %zu: expected a block with its restarts in %zu bytes, got %llu of them", (size_t)handle->offset, size,
            (unsigned long long)restarts);
    out->span = (Span){file->start, block, block + size - 4 - 4 * restarts};
    out->key_size = 0;
    return ST_OK;
}

static Status next_entry(Block *block) {
    uint64_t shared, rest, value_size;
    const size_t offset = place(&block->span);
    TRY(read_varint(&block->span, &shared));
    TRY(read_varint(&block->span, &rest));
    TRY(read_varint(&block->span, &value_size));
    const size_t left = (size_t)(block->span.end - block->span.at);
    FAIL_IF(shared > block->key_size, ST_BAD,
            "byte %zu: expected at most %zu bytes shared with the key before, got %llu", offset, block->key_size,
            (unsigned long long)shared);
    FAIL_IF(rest > left || value_size > left - rest, ST_BAD,
            "byte %zu: expected an entry in the %zu bytes that are left, got one of %llu and %llu", offset, left,
            (unsigned long long)rest, (unsigned long long)value_size);
    FAIL_IF(rest > SSTABLE_MAX_KEY - shared, ST_BAD, "byte %zu: expected a key of at most %d bytes, got more", offset,
            SSTABLE_MAX_KEY);
    memcpy(block->key + shared, block->span.at, (size_t)rest);
    block->key_size = (size_t)(shared + rest);
    block->key[block->key_size] = 0;
    block->value = block->span.at + rest;
    block->value_size = (size_t)value_size;
    block->span.at = block->value + value_size;
    return ST_OK;
}

// ---- the table

typedef struct Builder {
    Arena *arena;
    Sstable *table;
    size_t capacity, key_bytes;
} Builder;

static int compare_keys(const char *a, size_t a_size, const char *b, size_t b_size) {
    const int order = memcmp(a, b, MIN(a_size, b_size));
    return order ? order : (a_size > b_size) - (a_size < b_size);
}

static Status grow(Builder *builder) {
    if (builder->table->count < builder->capacity) return ST_OK;
    builder->capacity = MAX(2 * builder->capacity, (size_t)64);
    SstableEntry *larger = arena_array(builder->arena, builder->capacity, sizeof *larger);
    if (!larger) return fail_memory(builder->capacity * sizeof *larger);
    if (builder->table->count) memcpy(larger, builder->table->entries, builder->table->count * sizeof *larger);
    builder->table->entries = larger;
    return ST_OK;
}

static Status add_entry(Builder *builder, const Block *block) {
    Sstable *table = builder->table;
    const SstableEntry *last = table->count ? &table->entries[table->count - 1] : NULL;
    FAIL_IF(last && compare_keys(last->key, last->key_size, block->key, block->key_size) >= 0, ST_BAD,
            "byte %zu: expected keys in order, got '%s' behind '%s'", place(&block->span), block->key, last->key);
    FAIL_IF(table->count == SSTABLE_MAX_ENTRIES, ST_BAD, "expected at most %d entries, got more", SSTABLE_MAX_ENTRIES);
    builder->key_bytes += block->key_size;
    FAIL_IF(builder->key_bytes > most_key_bytes, ST_BAD, "expected at most %zu bytes of keys, got more",
            most_key_bytes);
    TRY(grow(builder));
    const char *key = arena_string_n(builder->arena, block->key, block->key_size);
    if (!key) return fail_memory(block->key_size + 1);
    table->entries[table->count++] = (SstableEntry){key, block->key_size, block->value, block->value_size};
    return ST_OK;
}

static Status add_block(Builder *builder, const Span *file, const Handle *handle, uint64_t first, Block *block) {
    TRY(open_block(file, handle, first, block));
    while (block->span.at < block->span.end) {
        TRY(next_entry(block));
        TRY(add_entry(builder, block));
    }
    return ST_OK;
}

// The index has the handle of each block of data as a value; its keys only separate the blocks.
static Status read_blocks(Builder *builder, const Span *file, const Handle *where, Block *index, Block *data) {
    uint64_t first = 0;
    TRY(open_block(file, where, 0, index));
    while (index->span.at < index->span.end) {
        Handle handle;
        TRY(next_entry(index));
        Span value = {file->start, index->value, index->value + index->value_size};
        TRY(read_handle(&value, &handle));
        TRY(add_block(builder, file, &handle, first, data));
        first = handle.offset + handle.size + TRAILER;
    }
    return ST_OK;
}

Status sstable_read(Arena *arena, const void *bytes, size_t size, Sstable *out) {
    *out = (Sstable){0};
    FAIL_IF(size < FOOTER, ST_BAD, "expected a table of at least %d bytes, got %zu", FOOTER, size);
    const uint8_t *start = bytes, *end = start + size;
    FAIL_IF(fixed(end - MAGIC, MAGIC) != magic_number, ST_BAD,
            "byte %zu: expected the end of a table, got other bytes; the file is cut short or of another kind",
            size - MAGIC);
    Span footer = {start, end - FOOTER, end - MAGIC};
    const Span file = {start, end - FOOTER, end};
    Handle meta, index;
    TRY(read_handle(&footer, &meta)); // filters and statistics, for readers that look up one key
    TRY(read_handle(&footer, &index));
    Block *blocks = arena_array(arena, 2, sizeof *blocks);
    if (!blocks) return fail_memory(2 * sizeof *blocks);
    Builder builder = {.arena = arena, .table = out};
    return read_blocks(&builder, &file, &index, &blocks[0], &blocks[1]);
}

const SstableEntry *sstable_find(const Sstable *table, const char *key) {
    const size_t size = strlen(key);
    for (size_t low = 0, high = table->count; low < high;) {
        const size_t middle = low + (high - low) / 2;
        const SstableEntry *entry = &table->entries[middle];
        const int order = compare_keys(key, size, entry->key, entry->key_size);
        if (order == 0) return entry;
        if (order < 0) high = middle;
        else low = middle + 1;
    }
    return NULL;
}

#include "wire/flatbuffer.h"
#include "base/text.h"
#include <assert.h>
#include <string.h>

enum { VTABLE_HEAD = 4, TABLE_HEAD = 4 };

FbBuffer fb_buffer(const void *bytes, size_t size) { return (FbBuffer){.bytes = bytes, .size = size}; }

// Little-endian, whatever the machine is, at any address.
static uint64_t read_bits(const uint8_t *bytes, size_t size) {
    uint64_t bits = 0;
    for (size_t i = 0; i < size; i++) bits |= (uint64_t)bytes[i] << (8 * i);
    return bits;
}

// `size` bytes from `at` are there. Else the buffer is damaged.
static bool has(FbBuffer *buffer, size_t at, size_t size, const char *what) {
    if (buffer->status != ST_OK) return false;
    if (at <= buffer->size && size <= buffer->size - at) return true;
    buffer->status = fail(ST_BAD,
                          "byte %zu: expected %zu bytes of %s, got the end of the file at %zu; it is cut short "
                          "or damaged",
                          at, size, what, buffer->size);
    return false;
}

static void damaged(FbBuffer *buffer, size_t at, const char *expected, long long got) {
    if (buffer->status == ST_OK) buffer->status = fail(ST_BAD, "byte %zu: expected %s, got %lld", at, expected, got);
}

// ---- tables

static bool read_vtable(FbTable *table) {
    FbBuffer *buffer = table->buffer;
    if (!has(buffer, table->at, TABLE_HEAD, "a table")) return false;
    const int32_t back = (int32_t)read_bits(buffer->bytes + table->at, 4);
    int64_t place;
    if (!add_i64((int64_t)table->at, -(int64_t)back, &place) || place < 0) {
        damaged(buffer, table->at, "a distance to a vtable in the file", back);
        return false;
    }
    table->vtable = (size_t)place;
    if (!has(buffer, table->vtable, VTABLE_HEAD, "a vtable")) return false;
    table->vtable_size = read_bits(buffer->bytes + table->vtable, 2);
    table->size = read_bits(buffer->bytes + table->vtable + 2, 2);
    return true;
}

static FbTable open_table(FbBuffer *buffer, size_t at) {
    FbTable table = {.buffer = buffer, .at = at};
    const FbTable absent = {.buffer = buffer};
    if (!read_vtable(&table)) return absent;
    if (table.vtable_size < VTABLE_HEAD || table.vtable_size % 2 != 0) {
        damaged(buffer, table.vtable, "an even number of bytes of a vtable, 4 at least", (long long)table.vtable_size);
    }
    if (table.size < TABLE_HEAD)
        damaged(buffer, table.vtable + 2, "at least 4 bytes of a table", (long long)table.size);
    const bool whole =
        has(buffer, table.vtable, table.vtable_size, "a vtable") && has(buffer, at, table.size, "a table");
    return whole ? table : absent;
}

// Where the thing lies whose distance stands at `at`; 0: that is damaged.
static size_t follow(FbBuffer *buffer, size_t at) {
    size_t place;
    if (!has(buffer, at, FB_OFFSET, "an offset")) return 0;
    const size_t distance = read_bits(buffer->bytes + at, FB_OFFSET);
    if (distance > 0 && add_size(at, distance, &place) && place < buffer->size) return place;
    damaged(buffer, at, "an offset that leads to a later byte of the file", (long long)distance);
    return 0;
}

FbTable fb_root(FbBuffer *buffer) {
    const size_t place = follow(buffer, 0);
    return place ? open_table(buffer, place) : (FbTable){.buffer = buffer};
}

// The place of a field of that size in the buffer; 0: absent, or damaged.
static size_t field_at(FbTable table, int field, size_t size) {
    assert(field >= 0);
    const size_t slot = VTABLE_HEAD + 2 * (size_t)field;
    if (!fb_present(table) || table.buffer->status != ST_OK || slot + 2 > table.vtable_size) return 0;
    const size_t offset = read_bits(table.buffer->bytes + table.vtable + slot, 2);
    if (offset == 0) return 0;
    if (offset >= TABLE_HEAD && offset + size <= table.size) return table.at + offset;
    damaged(table.buffer, table.vtable + slot, "the offset of a field inside of its table", (long long)offset);
    return 0;
}

static uint64_t scalar(FbTable table, int field, size_t size, uint64_t otherwise) {
    const size_t at = field_at(table, field, size);
    return at ? read_bits(table.buffer->bytes + at, size) : otherwise;
}

static float bits_float(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static uint32_t float_bits(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

int8_t fb_int8(FbTable table, int field, int8_t otherwise) {
    return (int8_t)scalar(table, field, 1, (uint8_t)otherwise);
}
uint8_t fb_uint8(FbTable table, int field, uint8_t otherwise) { return (uint8_t)scalar(table, field, 1, otherwise); }
int32_t fb_int32(FbTable table, int field, int32_t otherwise) {
    return (int32_t)scalar(table, field, 4, (uint32_t)otherwise);
}
uint32_t fb_uint32(FbTable table, int field, uint32_t otherwise) {
    return (uint32_t)scalar(table, field, 4, otherwise);
}
uint64_t fb_uint64(FbTable table, int field, uint64_t otherwise) { return scalar(table, field, 8, otherwise); }
float fb_float(FbTable table, int field, float otherwise) {
    return bits_float((uint32_t)scalar(table, field, 4, float_bits(otherwise)));
}

// ---- what a field points at

static size_t target_of(FbTable table, int field) {
    const size_t at = field_at(table, field, FB_OFFSET);
    return at ? follow(table.buffer, at) : 0;
}

FbTable fb_table(FbTable table, int field) {
    const size_t place = target_of(table, field);
    return place ? open_table(table.buffer, place) : (FbTable){.buffer = table.buffer};
}

FbVector fb_vector(FbTable table, int field, size_t element_size) {
    FbBuffer *buffer = table.buffer;
    FbVector vector = {.buffer = buffer, .element_size = element_size};
    const size_t place = target_of(table, field);
    if (!place || !has(buffer, place, 4, "a vector")) return vector;
    const uint32_t count = (uint32_t)read_bits(buffer->bytes + place, 4);
    size_t bytes;
    if (!mul_size(count, element_size, &bytes)) bytes = SIZE_MAX;
    if (!has(buffer, place + 4, bytes, "a vector")) return vector;
    vector.data = buffer->bytes + place + 4;
    vector.count = count;
    return vector;
}

const char *fb_string(FbTable table, int field, Arena *arena, size_t limit) {
    const FbVector bytes = fb_vector(table, field, 1);
    if (table.buffer->status != ST_OK) return NULL;
    if (!bytes.data) return "";
    const char *text = (const char *)bytes.data;
    const size_t at = (size_t)(bytes.data - table.buffer->bytes);
    const char *copy = NULL;
    Status status = ST_OK;
    if (bytes.count > limit) {
        status = fail(ST_BAD, "byte %zu: expected a text of at most %zu bytes, got %u", at, limit, bytes.count);
    } else if (!utf8_valid(text, bytes.count)) {
        status = fail(ST_BAD, "byte %zu: expected a text in UTF-8, got other bytes", at);
    } else if (!(copy = arena_string_n(arena, text, bytes.count))) {
        status = fail_memory(bytes.count + 1);
    } else if (strlen(copy) != bytes.count) {
        status = fail(ST_BAD, "byte %zu: expected a text, got one with a zero byte inside", at);
    }
    table.buffer->status = status;
    return status == ST_OK ? copy : NULL;
}

// ---- elements

static const uint8_t *element(FbVector vector, uint32_t i, size_t size) {
    assert(i < vector.count && size == vector.element_size);
    return vector.data + (size_t)i * size;
}

int32_t fb_int32_at(FbVector vector, uint32_t i) { return (int32_t)read_bits(element(vector, i, 4), 4); }
int64_t fb_int64_at(FbVector vector, uint32_t i) { return (int64_t)read_bits(element(vector, i, 8), 8); }
float fb_float_at(FbVector vector, uint32_t i) { return bits_float((uint32_t)read_bits(element(vector, i, 4), 4)); }

FbTable fb_table_at(FbVector vector, uint32_t i) {
    const size_t at = (size_t)(element(vector, i, FB_OFFSET) - vector.buffer->bytes);
    const size_t place = follow(vector.buffer, at);
    return place ? open_table(vector.buffer, place) : (FbTable){.buffer = vector.buffer};
}

#include "wire/protobuf.h"
#include "base/text.h"
#include <string.h>

enum { MAX_FIELD_NUMBER = (1 << 29) - 1 };

static size_t offset_of(const PbReader *reader, const uint8_t *at) { return (size_t)(at - reader->start); }

PbReader pb_reader(const void *bytes, size_t size) {
    static const uint8_t nothing[1];
    const uint8_t *start = size > 0 ? bytes : nothing;
    return (PbReader){.start = start, .at = start, .end = start + size};
}

// 7 bits a byte, the lowest first; bit 7 says that another byte follows. At most 64 bits, so at most 10 bytes, the
// last of which holds one bit.
static bool read_varint(PbReader *reader, uint64_t *out) {
    uint64_t value = 0;
    const uint8_t *at = reader->at;
    for (int shift = 0; shift < 64 && at < reader->end; shift += 7) {
        const uint8_t byte = *at++;
        if (shift == 63 && byte > 1) break;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            reader->at = at;
            *out = value;
            return true;
        }
    }
    reader->status = fail(ST_BAD, "byte %zu: expected an integer of at most 10 bytes, got %s",
                          offset_of(reader, reader->at), at == reader->end ? "the end of its message" : "a longer one");
    return false;
}

// Little-endian, whatever the machine is.
static bool read_fixed(PbReader *reader, size_t bytes, uint64_t *out) {
    const size_t left = (size_t)(reader->end - reader->at);
    if (left < bytes) {
        reader->status = fail(ST_BAD, "byte %zu: expected a number of %zu bytes, got %zu before the end of its message",
                              offset_of(reader, reader->at), bytes, left);
        return false;
    }
    *out = 0;
    for (size_t i = 0; i < bytes; i++) *out |= (uint64_t)reader->at[i] << (8 * i);
    reader->at += bytes;
    return true;
}

static bool read_bytes(PbReader *reader, PbField *field) {
    const size_t place = offset_of(reader, reader->at);
    uint64_t size;
    if (!read_varint(reader, &size)) return false;
    const size_t left = (size_t)(reader->end - reader->at);
    if (size > left) {
        reader->status =
            fail(ST_BAD, "byte %zu: expected %llu bytes for field %u, got %zu; the file is cut short or damaged", place,
                 (unsigned long long)size, field->number, left);
        return false;
    }
    field->data = reader->at;
    field->size = (size_t)size;
    reader->at += size;
    return true;
}

static bool read_value(PbReader *reader, PbWire wire, PbField *field) {
    switch ((int)wire) {
    case PB_VARINT: return read_varint(reader, &field->bits);
    case PB_FIXED64: return read_fixed(reader, 8, &field->bits);
    case PB_FIXED32: return read_fixed(reader, 4, &field->bits);
    case PB_BYTES: return read_bytes(reader, field);
    case 3:
    case 4: reader->status = fail(ST_BAD, "byte %zu: expected a field, got a group (obsolete)", field->offset); break;
    default:
        reader->status =
            fail(ST_BAD, "byte %zu: expected a wire type of 0, 1, 2 or 5, got %d", field->offset, (int)wire);
    }
    return false;
}

bool pb_next(PbReader *reader, PbField *field) {
    *field = (PbField){.offset = offset_of(reader, reader->at)};
    if (reader->status != ST_OK || reader->at == reader->end) return false;
    uint64_t tag;
    if (!read_varint(reader, &tag)) return false;
    const uint64_t number = tag >> 3;
    if (number == 0 || number > MAX_FIELD_NUMBER) {
        reader->status = fail(ST_BAD, "byte %zu: expected a field number of 1 to %d, got %llu", field->offset,
                              MAX_FIELD_NUMBER, (unsigned long long)number);
        return false;
    }
    field->number = (uint32_t)number;
    field->wire = (PbWire)(tag & 7);
    return read_value(reader, field->wire, field);
}

static const char *wire_name(PbWire wire) {
    switch (wire) {
    case PB_VARINT: return "an integer";
    case PB_FIXED64: return "8 bytes";
    case PB_FIXED32: return "4 bytes";
    case PB_BYTES: return "a run of bytes";
    }
    return "nothing known";
}

static bool expect_wire(PbReader *reader, const PbField *field, PbWire wire) {
    if (reader->status != ST_OK) return false;
    if (field->wire == wire) return true;
    reader->status = fail(ST_BAD, "byte %zu: expected %s for field %u, got %s", field->offset, wire_name(wire),
                          field->number, wire_name(field->wire));
    return false;
}

int64_t pb_int64(PbReader *reader, const PbField *field) {
    return expect_wire(reader, field, PB_VARINT) ? (int64_t)field->bits : 0;
}

float pb_float(PbReader *reader, const PbField *field) {
    return expect_wire(reader, field, PB_FIXED32) ? pb_bits_float(field->bits) : 0;
}

PbReader pb_message(PbReader *reader, const PbField *field) {
    PbReader message = {.start = reader->start, .at = reader->start, .end = reader->start, .depth = reader->depth + 1};
    if (expect_wire(reader, field, PB_BYTES)) {
        if (message.depth > PB_MAX_DEPTH) {
            reader->status = fail(ST_BAD, "byte %zu: expected at most %d messages inside each other, got more",
                                  field->offset, PB_MAX_DEPTH);
        } else {
            message.at = field->data;
            message.end = field->data + field->size;
        }
    }
    message.status = reader->status;
    return message;
}

const char *pb_string(PbReader *reader, const PbField *field, Arena *arena, size_t limit) {
    if (!expect_wire(reader, field, PB_BYTES)) return NULL;
    const char *text = (const char *)field->data;
    const char *copy = NULL;
    if (field->size > limit) {
        reader->status =
            fail(ST_BAD, "byte %zu: expected a text of at most %zu bytes, got %zu", field->offset, limit, field->size);
    } else if (memchr(text, 0, field->size) || !utf8_valid(text, field->size)) {
        reader->status = fail(ST_BAD, "byte %zu: expected a text in UTF-8, got other bytes", field->offset);
    } else if (!(copy = arena_string_n(arena, text, field->size))) {
        reader->status = fail_memory(field->size + 1);
    }
    return copy;
}

PbList pb_list(PbReader message, uint32_t number, PbWire wire) {
    return (PbList){.message = message, .chunk = {.at = NULL, .end = NULL}, .number = number, .wire = wire};
}

bool pb_list_next(PbList *list, uint64_t *bits) {
    PbField field = {0};
    for (;;) {
        if (list->chunk.at != list->chunk.end) {
            const bool read = read_value(&list->chunk, list->wire, &field);
            *bits = field.bits;
            list->message.status = list->chunk.status;
            return read;
        }
        do {
            if (!pb_next(&list->message, &field)) return false;
        } while (field.number != list->number);
        if (field.wire != PB_BYTES) {
            *bits = field.bits;
            return expect_wire(&list->message, &field, list->wire);
        }
        list->chunk = pb_message(&list->message, &field);
        if (list->message.status != ST_OK) return false;
    }
}

Status pb_list_count(PbReader message, uint32_t number, PbWire wire, size_t *count) {
    PbList list = pb_list(message, number, wire);
    uint64_t bits;
    *count = 0;
    while (pb_list_next(&list, &bits)) ++*count;
    return list.message.status;
}

float pb_bits_float(uint64_t bits) {
    const uint32_t low = (uint32_t)bits;
    float value;
    memcpy(&value, &low, sizeof value);
    return value;
}

double pb_bits_double(uint64_t bits) {
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

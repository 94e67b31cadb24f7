// Protocol buffers as a stream of fields over a range of bytes. Nothing is copied or allocated, nothing is known of
// what the fields mean. Source: protobuf.dev/programming-guides/encoding.
//
//     PbReader reader = pb_reader(bytes, size);
//     PbField field;
//     while (pb_next(&reader, &field)) {
//         if (field.number == 1) version = pb_int64(&reader, &field);
//     }                          // fields that nobody asks for are passed over
//     return reader.status;      // the first thing that was wrong; sticky
//
// Every error is ST_BAD with "byte N: expected ..., got ...", N counted from the start of the outermost range.
// Groups (wire types 3 and 4, gone since 2008) are refused. Messages lie at most PB_MAX_DEPTH deep.
#pragma once
#include "base/memory.h"
#include "base/status.h"
#include <stdint.h>

enum { PB_MAX_DEPTH = 64 };

// How a field's value is written: the three low bits of its tag.
typedef enum PbWire { PB_VARINT = 0, PB_FIXED64 = 1, PB_BYTES = 2, PB_FIXED32 = 5 } PbWire;

typedef struct PbReader {
    const uint8_t *start;    // of the outermost range: offsets in messages count from here
    const uint8_t *at, *end; // what is left to read
    int depth;               // 0 for the outermost message
    Status status;           // not ST_OK: nothing more is read
} PbReader;

typedef struct PbField {
    uint32_t number; // 1 .. 2^29 - 1
    PbWire wire;
    size_t offset;       // of the tag
    uint64_t bits;       // PB_VARINT, PB_FIXED64, PB_FIXED32: the value as it stands there
    const uint8_t *data; // PB_BYTES: the payload
    size_t size;
} PbField;

PbReader pb_reader(const void *bytes, size_t size);

// The next field. False at the end, or when something is wrong (reader->status). When a field's payload is wrong,
// `number` and `offset` tell which one it was; number 0: not even its tag could be read.
bool pb_next(PbReader *reader, PbField *field);

// The field's value. Another wire type than the asked one sets reader->status; the result is then 0 or empty.
int64_t pb_int64(PbReader *reader, const PbField *field); // int32, int64, uint64, bool, enum
float pb_float(PbReader *reader, const PbField *field);
PbReader pb_message(PbReader *reader, const PbField *field);
// A NUL-terminated copy in `arena`, at most `limit` bytes long. Refused: a NUL inside, bytes that are not UTF-8.
// NULL: reader->status says why.
const char *pb_string(PbReader *reader, const PbField *field, Arena *arena, size_t limit);

// The elements of the repeated scalar field `number` of one message, packed or not, in order.
//     PbList list = pb_list(message, 7, PB_FIXED32);
//     while (pb_list_next(&list, &bits)) ...
//     return list.message.status;
typedef struct PbList {
    PbReader message, chunk; // chunk: inside a packed run
    uint32_t number;
    PbWire wire; // of one element
} PbList;
PbList pb_list(PbReader message, uint32_t number, PbWire wire);
bool pb_list_next(PbList *list, uint64_t *bits);
Status pb_list_count(PbReader message, uint32_t number, PbWire wire, size_t *count);

float pb_bits_float(uint64_t bits);
double pb_bits_double(uint64_t bits);

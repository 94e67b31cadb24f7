// FlatBuffers, read in place: tables, scalars, vectors, strings, with every offset checked against the bytes that are
// there. Nothing is known of what the fields mean. Source: flatbuffers.dev/internals ("FlatBuffer internals").
//
//     FbBuffer buffer = fb_buffer(bytes, size);
//     const FbTable model = fb_root(&buffer);
//     version = fb_uint32(model, 0, 0);                 // field 0, default 0
//     const FbVector layers = fb_vector(model, 2, FB_OFFSET);
//     for (uint32_t i = 0; i < layers.count; i++) ... fb_table_at(layers, i) ...
//     return buffer.status;                             // the first thing that was wrong; sticky
//
// How it lies in the file, little-endian throughout:
//
//     root      at 0: offset of the root table
//     table     int32 distance back to its vtable, then fields inline, each where the vtable says
//     vtable    uint16 bytes of itself, uint16 bytes of the table, then a uint16 a field: its offset in the table,
//               0: absent, the field has its default
//     others    (sub-tables, vectors, strings) a field of theirs is a uint32 distance from the field's own place
//     vector    uint32 count, then elements;   string   a vector of bytes with a NUL behind it
//     union     two fields: a uint8 that says which, then the offset of a table
//
// Offsets lead forward, but tables may be shared, so a reader that goes into tables inside each other bounds the depth
// by itself (by the structure that it expects). Alignment is not assumed: a file may be cut out of another one.
// Every error is ST_BAD with "byte N: expected ..., got ...".
#pragma once
#include "base/memory.h"
#include "base/status.h"
#include <stdint.h>

typedef struct FbBuffer {
    const uint8_t *bytes;
    size_t size;
    Status status; // not ST_OK: what is read from now on is absent
} FbBuffer;

// Passed by value. An absent one (at 0) reads as defaults throughout, and as absent tables and empty vectors.
typedef struct FbTable {
    FbBuffer *buffer;
    size_t at, size;            // of the table in the buffer
    size_t vtable, vtable_size; // likewise
} FbTable;

// `data` holds count * element_size bytes that have been checked.
typedef struct FbVector {
    FbBuffer *buffer;
    const uint8_t *data; // NULL when absent
    uint32_t count;
    size_t element_size;
} FbVector;

enum { FB_OFFSET = 4 }; // element size of vectors of tables and strings

FbBuffer fb_buffer(const void *bytes, size_t size);
FbTable fb_root(FbBuffer *buffer);
static inline bool fb_present(FbTable table) { return table.at > 0; }

// Scalars by number of the field (its id: a union's type comes first, the union itself has the id behind it).
int8_t fb_int8(FbTable table, int field, int8_t otherwise);
uint8_t fb_uint8(FbTable table, int field, uint8_t otherwise); // bool, too: 0 or not
int32_t fb_int32(FbTable table, int field, int32_t otherwise);
uint32_t fb_uint32(FbTable table, int field, uint32_t otherwise);
uint64_t fb_uint64(FbTable table, int field, uint64_t otherwise);
float fb_float(FbTable table, int field, float otherwise);

FbTable fb_table(FbTable table, int field);
FbVector fb_vector(FbTable table, int field, size_t element_size);
// A NUL-terminated copy in `arena`, at most `limit` bytes long; "" when absent. Refused: a NUL inside, bytes that are
// not UTF-8. NULL: buffer->status says why.
const char *fb_string(FbTable table, int field, Arena *arena, size_t limit);

// Elements; i < count. The vector's element size has to be that of what is asked for.
int32_t fb_int32_at(FbVector vector, uint32_t i);
int64_t fb_int64_at(FbVector vector, uint32_t i);
float fb_float_at(FbVector vector, uint32_t i);
FbTable fb_table_at(FbVector vector, uint32_t i);

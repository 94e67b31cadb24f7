// Dataspaces and datatypes (IV.A.2.b, IV.A.2.d), and numbers brought from a file's form into a Tensor's.
#include "wire/hdf5_parts.h"
#include <string.h>

enum { MAX_FILE_RANK = 32 };

// ---- dataspace

static void read_dims(H5Cursor *cursor, unsigned rank, bool has_most, H5Space *out) {
    if (rank > MAX_RANK) {
        h5_fail(cursor, rank > MAX_FILE_RANK ? ST_BAD : ST_UNSUPPORTED, "expected at most %d dimensions, got %u",
                MAX_RANK, rank);
        return;
    }
    out->shape.rank = (int)rank;
    for (unsigned i = 0; i < rank; i++) {
        const uint64_t dim = h5_length(cursor);
        if (dim > INT64_MAX)
            h5_fail(cursor, ST_BAD, "expected a possible dimension, got %llu", (unsigned long long)dim);
        out->shape.dim[i] = dim > INT64_MAX ? 0 : (int64_t)dim;
        out->most[i] = dim;
    }
    for (unsigned i = 0; has_most && i < rank; i++) {
        const uint64_t most = h5_length(cursor);
        out->most[i] = most == UINT64_MAX >> (64 - 8 * cursor->file->length_size) ? H5_NOWHERE : most;
    }
    if (cursor->status == ST_OK && shape_count(&out->shape) < 0)
        h5_fail(cursor, ST_BAD, "expected dimensions of a possible size, got larger ones; the file is damaged");
}

void h5_space(H5Cursor *cursor, H5Space *out) {
    enum { HAS_MOST = 1, HAS_ORDER = 2, SCALAR = 0, NOTHING = 2 };
    *out = (H5Space){.is_null = false};
    const unsigned version = h5_version(cursor, 1, 2, "a dataspace");
    const unsigned rank = (unsigned)h5_uint(cursor, 1), flags = (unsigned)h5_uint(cursor, 1);
    const unsigned kind = (unsigned)h5_uint(cursor, 1); // version 1: reserved
    if (version == 1) h5_skip(cursor, 4);
    if (version == 1 && flags & HAS_ORDER) h5_fail(cursor, ST_UNSUPPORTED, "dimensions in another order");
    if (version == 2 && kind == NOTHING) {
        out->is_null = true;
        out->shape.rank = 1; // of no elements
    } else if (cursor->status == ST_OK) {
        read_dims(cursor, rank, flags & HAS_MOST, out);
    }
}

// ---- datatype

enum { CLASS_INTEGER, CLASS_FLOAT, CLASS_TEXT = 3, CLASS_ENUM = 8, CLASS_VARIABLE = 9, CLASSES = 12 };

static const char *const class_names[CLASSES] = {
    "integer",      "floating point", "time",       "text",        "bit field",
    "opaque bytes", "records",        "references", "enumeration", "lists of different lengths",
    "arrays",       "complex numbers"};

static DType integer_of(size_t size, bool is_signed) {
    switch (size) {
    case 1: return is_signed ? DT_I8 : DT_U8;
    case 2: return is_signed ? DT_I16 : DT_U16;
    case 4: return is_signed ? DT_I32 : DT_U32;
    case 8: return is_signed ? DT_I64 : DT_U64;
    default: return DT_NONE;
    }
}

static void read_integer(H5Cursor *cursor, unsigned bits, H5Type *out) {
    const unsigned offset = (unsigned)h5_uint(cursor, 2), precision = (unsigned)h5_uint(cursor, 2);
    out->big_endian = bits & 1;
    out->dtype = integer_of(out->size, bits & 8);
    if (cursor->status == ST_OK && (out->dtype == DT_NONE || offset != 0 || precision != 8 * out->size))
        h5_fail(cursor, ST_UNSUPPORTED, "integers of %u bits in %zu bytes are not supported", precision, out->size);
}

// IEEE 754: where sign, exponent and fraction stand, and the exponent's bias.
static DType float_of(size_t size, unsigned sign, const uint8_t *fields, uint64_t bias) {
    static const struct {
        DType dtype;
        uint8_t size, sign, fields[4], bias;
    } known[] = {{DT_F16, 2, 15, {10, 5, 0, 10}, 15}, {DT_F32, 4, 31, {23, 8, 0, 23}, 127}};
    static const uint8_t double_fields[4] = {52, 11, 0, 52};
    for (size_t i = 0; i < COUNT_OF(known); i++) {
        if (size == known[i].size && sign == known[i].sign && memcmp(fields, known[i].fields, 4) == 0 &&
            bias == known[i].bias)
            return known[i].dtype;
    }
    return size == 8 && sign == 63 && memcmp(fields, double_fields, 4) == 0 && bias == 1023 ? DT_F64 : DT_NONE;
}

static void read_float(H5Cursor *cursor, unsigned bits, H5Type *out) {
    enum { BIG = 1, VAX = 0x40, NORMALISED = 2 };
    const unsigned offset = (unsigned)h5_uint(cursor, 2), precision = (unsigned)h5_uint(cursor, 2);
    const uint8_t *fields = h5_take(cursor, 4); // exponent: place, size; fraction: place, size
    const uint64_t bias = h5_uint(cursor, 4);
    if (cursor->status != ST_OK) return;
    out->big_endian = bits & BIG;
    out->dtype = float_of(out->size, bits >> 8 & 0xff, fields, bias);
    if (out->dtype == DT_NONE || bits & VAX || (bits >> 4 & 3) != NORMALISED || offset != 0 ||
        precision != 8 * out->size)
        h5_fail(cursor, ST_UNSUPPORTED,
                "floating point in %zu bytes with %u bits of exponent and %u of fraction is not supported; write it as "
                "float32",
                out->size, fields[1], fields[3]);
}

// A member's name as a number: "FALSE" is 0x46414c5345. Older versions fill names up to multiples of 8 bytes.
static uint64_t read_member_name(H5Cursor *cursor, unsigned version) {
    const uint64_t start = cursor->at;
    uint64_t name = 0;
    for (uint64_t letter; (letter = h5_uint(cursor, 1)) != 0;) name = name << 8 | letter;
    if (version < 3) h5_skip(cursor, (8 - (cursor->at - start) % 8) % 8);
    return name;
}

// h5py and numpy write bools as an enumeration of int8 with FALSE 0 and TRUE 1, in any order.
static void read_enum(H5Cursor *cursor, unsigned version, unsigned members, H5Type *out) {
    static const uint64_t names[2] = {UINT64_C(0x46414c5345), UINT64_C(0x54525545)}; // "FALSE", "TRUE"
    const bool of_integers = (h5_uint(cursor, 1) & 15) == CLASS_INTEGER;
    h5_skip(cursor, 3);
    bool is_bool = of_integers && members == 2 && out->size == 1 && h5_uint(cursor, 4) == 1;
    h5_skip(cursor, is_bool ? 4 : 0); // the integer's offset and precision
    const uint64_t first = is_bool ? read_member_name(cursor, version) : 0;
    const uint64_t second = is_bool ? read_member_name(cursor, version) : 0;
    const uint64_t value = h5_uint(cursor, 1); // of the first; the other one's is the other one
    is_bool = is_bool && value <= 1 && h5_uint(cursor, 1) == 1 - value;
    is_bool = is_bool && first == names[value] && second == names[1 - value];
    if (cursor->status == ST_OK && !is_bool) h5_fail(cursor, ST_UNSUPPORTED, "enumerations are not supported");
    out->dtype = DT_BOOL;
}

static void read_variable(H5Cursor *cursor, unsigned bits, H5Type *out) {
    enum { TEXT = 1 };
    out->kind = H5_VARIABLE_TEXT;
    if (cursor->status == ST_OK && (bits & 15) != TEXT)
        h5_fail(cursor, ST_UNSUPPORTED, "%s are not supported", class_names[CLASS_VARIABLE]);
    if (cursor->status == ST_OK && out->size != 8 + (size_t)cursor->file->offset_size)
        h5_fail(cursor, ST_BAD, "expected %u bytes for a text of variable length, got %zu; the file is damaged",
                8 + cursor->file->offset_size, out->size);
}

void h5_type(H5Cursor *cursor, H5Type *out) {
    enum { SPACE_PADDED = 2 };
    const unsigned head = (unsigned)h5_uint(cursor, 1), class = head & 15, version = head >> 4;
    const unsigned bits = (unsigned)h5_uint(cursor, 3);
    *out = (H5Type){.kind = H5_NUMBER, .size = (size_t)h5_uint(cursor, 4)};
    if (cursor->status == ST_OK && (version < 1 || version > 5 || class >= CLASSES || out->size == 0))
        h5_fail(cursor, ST_BAD, "expected a datatype, got class %u, version %u, %zu bytes; the file is damaged", class,
                version, out->size);
    if (cursor->status != ST_OK) return;
    switch (class) {
    case CLASS_INTEGER: read_integer(cursor, bits, out); break;
    case CLASS_FLOAT: read_float(cursor, bits, out); break;
    case CLASS_TEXT:
        out->kind = H5_TEXT;
        out->space_padded = (bits & 15) == SPACE_PADDED;
        break;
    case CLASS_ENUM: read_enum(cursor, version, bits & 0xffff, out); break;
    case CLASS_VARIABLE: read_variable(cursor, bits, out); break;
    default: h5_fail(cursor, ST_UNSUPPORTED, "data of type %s are not supported", class_names[class]);
    }
}

// ---- numbers

Status h5_make_tensor(const H5File *file, const H5Type *type, const H5Space *space, Tensor *out) {
    size_t bytes;
    if (!mul_size((size_t)shape_count(&space->shape), type->size, &bytes)) bytes = SIZE_MAX; // refused as too much
    TRY(h5_spend_data(file, bytes));
    return tensor_make(file->state->arena, type->dtype, space->shape, out);
}

#define SWAP_ALL(bits, swap)                                                                                           \
    for (size_t at = 0; at < size; at += bits / 8) {                                                                   \
        uint##bits##_t value;                                                                                          \
        memcpy(&value, bytes + at, bits / 8);                                                                          \
        value = swap(value);                                                                                           \
        memcpy(bytes + at, &value, bits / 8);                                                                          \
    }
static void swap_bytes(uint8_t *bytes, size_t size, size_t width) {
    switch (width) {
    case 2: SWAP_ALL(16, __builtin_bswap16); break;
    case 4: SWAP_ALL(32, __builtin_bswap32); break;
    case 8: SWAP_ALL(64, __builtin_bswap64); break;
    default: break; // single bytes have no order
    }
}

void h5_native(const H5Type *type, Tensor *tensor) {
    uint8_t *bytes = tensor->data;
    const size_t size = tensor_bytes(tensor);
    if (type->big_endian) swap_bytes(bytes, size, type->size);
    for (size_t at = 0; type->dtype == DT_BOOL && at < size; at++) bytes[at] = bytes[at] != 0;
}

Status h5_numbers(H5Cursor *data, const H5Type *type, const H5Space *space, Tensor *out) {
    size_t bytes;
    TRY(data->status);
    const uint8_t *from = data->file->bytes + data->at;
    FAIL_IF(!mul_size((size_t)shape_count(&space->shape), type->size, &bytes) || bytes > data->end - data->at, ST_BAD,
            "byte %llu: expected numbers as the shape asks for, got %llu bytes; the file is damaged",
            (unsigned long long)data->at, (unsigned long long)(data->end - data->at));
    if (bytes > 0 && !type->big_endian && type->dtype != DT_BOOL && (uintptr_t)from % type->size == 0) {
        *out = (Tensor){.dtype = type->dtype, .shape = space->shape, .data = (void *)(uintptr_t)from};
        return ST_OK;
    }
    TRY(h5_make_tensor(data->file, type, space, out));
    if (bytes > 0) memcpy(out->data, from, bytes);
    h5_native(type, out);
    return ST_OK;
}

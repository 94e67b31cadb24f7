#include "import/onnx/tensor.h"
#include "import/limits.h"
#include "import/onnx/model.h"
#include "import/weight.h"
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "ONNX's data is little-endian");

// TensorProto.DataType
// clang-format off
static const struct {
    DType dtype;
    const char *name;
} elements[] = {{DT_NONE, "undefined"},    {DT_F32, "float32"},        {DT_U8, "uint8"},
                {DT_I8, "int8"},           {DT_U16, "uint16"},         {DT_I16, "int16"},
                {DT_I32, "int32"},         {DT_I64, "int64"},          {DT_NONE, "string"},
                {DT_BOOL, "bool"},         {DT_F16, "float16"},        {DT_F64, "float64"},
                {DT_U32, "uint32"},        {DT_U64, "uint64"},         {DT_NONE, "complex64"},
                {DT_NONE, "complex128"},   {DT_BF16, "bfloat16"},      {DT_NONE, "float8e4m3fn"},
                {DT_NONE, "float8e4m3fnuz"}, {DT_NONE, "float8e5m2"},  {DT_NONE, "float8e5m2fnuz"},
                {DT_NONE, "uint4"},        {DT_NONE, "int4"},          {DT_NONE, "float4e2m1"},
                {DT_NONE, "float8e8m0"},   {DT_NONE, "uint2"},         {DT_NONE, "int2"}};
// clang-format on

Status onnx_dtype(int64_t element, DType *out) {
    FAIL_IF(element < 1 || element >= (int64_t)COUNT_OF(elements), ST_BAD,
            "expected the number of a data type (1 to %zu), got %lld", COUNT_OF(elements) - 1, (long long)element);
    *out = elements[element].dtype;
    FAIL_IF(*out == DT_NONE, ST_UNSUPPORTED,
            "data of type %s is not supported; export the model with float32 or float16 numbers",
            elements[element].name);
    return ST_OK;
}

// What the file says of one tensor. Fields of TensorProto: dims 1, data_type 2, segment 3, raw_data 9,
// external_data 13, data_location 14.
typedef struct Header {
    DType dtype;
    Shape shape;
    size_t bytes;
    const uint8_t *raw; // NULL: none
    size_t raw_bytes;
    bool external;
    const char *location;
    int64_t offset, length; // length -1: not told
} Header;

// StringStringEntryProto (key 1, value 2): location, offset, length, checksum.
static Status read_external_entry(PbReader reader, Arena *scratch, Header *header) {
    PbField field;
    const char *key = "", *value = "";
    while (pb_next(&reader, &field)) {
        if (field.number != 1 && field.number != 2) continue;
        const char *text = pb_string(&reader, &field, scratch, LIMIT_NAME);
        if (text) *(field.number == 1 ? &key : &value) = text;
    }
    TRY(reader.status);
    if (strcmp(key, "location") == 0) header->location = value;
    int64_t *number = strcmp(key, "offset") == 0   ? &header->offset
                      : strcmp(key, "length") == 0 ? &header->length
                                                   : NULL;
    FAIL_IF(number && (!parse_i64(value, number) || *number < 0), ST_BAD, "expected %s as a number of bytes, got '%s'",
            key, value);
    return ST_OK;
}

static Status read_dims(PbReader message, Arena *scratch, Header *header) {
    const int64_t *dims;
    size_t rank, count;
    TRY(onnx_read_ints(message, 1, LIMIT_LIST, scratch, &dims, &rank));
    FAIL_IF(rank > MAX_RANK, ST_UNSUPPORTED, "expected at most %d dims, got %zu", MAX_RANK, rank);
    header->shape = shape_of((int)rank, dims);
    const int64_t elements_count = shape_count(&header->shape);
    FAIL_IF(elements_count < 0 || !mul_size((size_t)elements_count, dtype_size(header->dtype), &count) ||
                count > (size_t)LIMIT_FILE_BYTES,
            ST_BAD, "expected dims that fit in memory, got a negative one or too large ones");
    header->bytes = count;
    return ST_OK;
}

static Status read_header(PbReader message, Arena *scratch, Header *header) {
    PbReader reader = message;
    PbField field;
    int64_t element = 0;
    *header = (Header){.location = "", .length = -1};
    while (pb_next(&reader, &field)) {
        if (field.number == 2) element = pb_int64(&reader, &field);
        if (field.number == 14) header->external = pb_int64(&reader, &field) == 1;
        FAIL_IF(field.number == 3, ST_UNSUPPORTED, "tensors in segments are not supported; save the model anew");
        if (field.number == 9) {
            const PbReader raw = pb_message(&reader, &field); // for the check of its wire type
            header->raw = raw.at;
            header->raw_bytes = (size_t)(raw.end - raw.at);
        }
        if (field.number == 13) {
            const PbReader entry = pb_message(&reader, &field);
            TRY(reader.status);
            TRY(read_external_entry(entry, scratch, header));
        }
    }
    TRY(reader.status);
    TRY(onnx_dtype(element, &header->dtype));
    return read_dims(message, scratch, header);
}

// The field that holds numbers of that type when they are not raw, and how one of them is written.
static uint32_t typed_field(DType dtype, PbWire *wire) {
    *wire = dtype == DT_F32 ? PB_FIXED32 : dtype == DT_F64 ? PB_FIXED64 : PB_VARINT;
    switch (dtype) {
    case DT_F32: return 4;  // float_data
    case DT_F64: return 10; // double_data
    case DT_I64: return 7;  // int64_data
    case DT_U32:
    case DT_U64: return 11; // uint64_data
    default: return 5;      // int32_data: small integers, bool, the bits of float16 and bfloat16
    }
}

// A number's low bytes are the element, for all of these types.
static Status copy_typed(PbReader message, const Header *header, Arena *arena, Tensor *out) {
    PbWire wire;
    const uint32_t number = typed_field(header->dtype, &wire);
    const size_t size = dtype_size(header->dtype);
    size_t count;
    uint64_t bits;
    TRY(pb_list_count(message, number, wire, &count));
    FAIL_IF(count != header->bytes / size, ST_BAD, "expected %zu numbers of type %s, got %zu", header->bytes / size,
            dtype_name(header->dtype), count);
    TRY(tensor_make(arena, header->dtype, header->shape, out));
    uint8_t *to = out->data;
    for (PbList list = pb_list(message, number, wire); pb_list_next(&list, &bits); to += size) {
        if (header->dtype == DT_BOOL) bits = bits != 0;
        memcpy(to, &bits, size);
    }
    return ST_OK;
}

static Status take_external(const Header *header, OnnxData *data, Tensor *out) {
    const Mapping *file;
    FAIL_IF(header->length >= 0 && (size_t)header->length != header->bytes, ST_BAD,
            "expected %zu bytes in '%s', got %lld", header->bytes, header->location, (long long)header->length);
    TRY(onnx_external(data, header->location, header->offset, header->bytes, &file));
    return weight_tensor(data->arena, header->dtype, &header->shape, file->data + header->offset, header->bytes, out);
}

Status onnx_tensor(PbReader message, OnnxData *data, Tensor *out) {
    Header header = {0};
    TRY(read_header(message, data->scratch, &header));
    if (header.external) return take_external(&header, data, out);
    if (header.raw) return weight_tensor(data->arena, header.dtype, &header.shape, header.raw, header.raw_bytes, out);
    return copy_typed(message, &header, data->arena, out);
}

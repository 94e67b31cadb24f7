// Field numbers: tensorflow/core/framework/tensor.proto and types.proto.
#include "import/tensorflow/tensor.h"
#include "import/limits.h"
#include "import/tensorflow/model.h"
#include "import/weight.h"
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "TensorFlow's data is little-endian");

// DataType, and the field of TensorProto that holds its numbers when they are not in tensor_content.
// clang-format off
static const struct {
    DType dtype;
    const char *name;
    uint32_t field;
    PbWire wire;
} types[] = {
    [1] = {DT_F32, "float32", 5, PB_FIXED32}, [2] = {DT_F64, "float64", 6, PB_FIXED64},
    [3] = {DT_I32, "int32", 7, PB_VARINT},    [4] = {DT_U8, "uint8", 7, PB_VARINT},
    [5] = {DT_I16, "int16", 7, PB_VARINT},    [6] = {DT_I8, "int8", 7, PB_VARINT},
    [TF_STRING] = {.name = "string"},         [8] = {.name = "complex64"},
    [9] = {DT_I64, "int64", 10, PB_VARINT},   [10] = {DT_BOOL, "bool", 11, PB_VARINT},
    [11] = {.name = "qint8"},                 [12] = {.name = "quint8"},
    [13] = {.name = "qint32"},                [14] = {DT_BF16, "bfloat16", 13, PB_VARINT},
    [15] = {.name = "qint16"},                [16] = {.name = "quint16"},
    [17] = {DT_U16, "uint16", 7, PB_VARINT},  [18] = {.name = "complex128"},
    [19] = {DT_F16, "float16", 13, PB_VARINT}, [TF_RESOURCE] = {.name = "resource"},
    [21] = {.name = "variant"},               [22] = {DT_U32, "uint32", 16, PB_VARINT},
    [23] = {DT_U64, "uint64", 17, PB_VARINT}, [24] = {.name = "float8_e5m2"},
    [25] = {.name = "float8_e4m3fn"},         [26] = {.name = "float8_e4m3fnuz"},
    [27] = {.name = "float8_e4m3b11fnuz"},    [28] = {.name = "float8_e5m2fnuz"},
    [29] = {.name = "int4"},                  [30] = {.name = "uint4"},
    [31] = {.name = "int2"},                  [32] = {.name = "uint2"},
};
// clang-format on
enum { REFERENCE = 100 };

static int64_t plain_type(int64_t type) { return type > REFERENCE ? type - REFERENCE : type; }

Status tf_dtype(int64_t type, DType *out) {
    const int64_t plain = plain_type(type);
    FAIL_IF(plain < 1 || plain >= (int64_t)COUNT_OF(types), ST_BAD,
            "expected the number of a data type (1 to %zu), got %lld", COUNT_OF(types) - 1, (long long)type);
    *out = types[plain].dtype;
    FAIL_IF(*out == DT_NONE, ST_UNSUPPORTED, "data of type %s is not supported", types[plain].name);
    return ST_OK;
}

// Fields of TensorProto: dtype 1, tensor_shape 2, tensor_content 4.
typedef struct Header {
    int64_t type;
    Type shape;
    const uint8_t *content; // NULL: none
    size_t content_size;
} Header;

static Status read_header(PbReader reader, Header *header) {
    PbField field;
    *header = (Header){0};
    while (pb_next(&reader, &field)) {
        if (field.number == 1) header->type = pb_int64(&reader, &field);
        if (field.number != 2 && field.number != 4) continue;
        const PbReader inner = pb_message(&reader, &field);
        TRY(reader.status);
        if (field.number == 2) TRY(tf_read_shape(inner, &header->shape));
        else if (field.size > 0) header->content = inner.at, header->content_size = field.size;
    }
    TRY(reader.status);
    FAIL_IF(header->shape.rank < 0, ST_BAD, "expected a constant of a known shape, got one of none");
    return ST_OK;
}

// The numbers that are told, then the last one again and again; none at all are zeros.
static Status repeat_values(PbReader message, DType dtype, uint32_t number, PbWire wire, Tensor *out) {
    const size_t size = dtype_size(dtype), count = (size_t)tensor_count(out);
    uint8_t *to = out->data;
    uint64_t bits = 0;
    size_t told = 0;
    PbList list = pb_list(message, number, wire);
    for (; pb_list_next(&list, &bits); told++) {
        FAIL_IF(told == count, ST_BAD, "expected at most %zu numbers, got more", count);
        if (dtype == DT_BOOL) bits = bits != 0;
        memcpy(to + told * size, &bits, size);
    }
    TRY(list.message.status);
    for (size_t i = told; told > 0 && i < count; i++) memcpy(to + i * size, to + (told - 1) * size, size);
    return ST_OK;
}

Status tf_tensor(PbReader message, Arena *arena, size_t limit, TfTensor *out) {
    Header header;
    DType dtype;
    size_t bytes;
    TRY(read_header(message, &header));
    *out = (TfTensor){.type = header.type, .shape = shape_of(header.shape.rank, header.shape.dim), .message = message};
    if (header.type == TF_STRING) return ST_OK;
    TRY(tf_dtype(header.type, &dtype));
    const int64_t count = shape_count(&out->shape);
    FAIL_IF(count < 0 || !mul_size((size_t)count, dtype_size(dtype), &bytes), ST_BAD,
            "expected dims that fit in memory, got a negative one or too large ones");
    if (header.content) {
        TRY(weight_tensor(arena, dtype, &out->shape, header.content, header.content_size, &out->tensor));
        if (out->tensor.data != (const void *)header.content) out->copied = bytes;
        return ST_OK;
    }
    FAIL_IF(bytes > limit, ST_BAD, "expected at most %zu bytes more of constants that repeat a number, got %zu", limit,
            bytes);
    TRY(tensor_make(arena, dtype, out->shape, &out->tensor));
    out->copied = bytes;
    const int64_t type = plain_type(header.type);
    return repeat_values(message, dtype, types[type].field, types[type].wire, &out->tensor);
}

// string_val 8.
Status tf_texts(PbReader message, Arena *arena, const char ***out, int *count) {
    PbReader reader = message;
    PbField field;
    size_t texts = 0;
    while (pb_next(&reader, &field)) texts += field.number == 8;
    TRY(reader.status);
    FAIL_IF(texts > LIMIT_VALUES, ST_BAD, "expected at most %d texts, got %zu", LIMIT_VALUES, texts);
    *out = arena_array(arena, texts + 1, sizeof **out);
    if (!*out) return fail_memory(texts * sizeof **out);
    *count = 0;
    for (reader = message; pb_next(&reader, &field);) {
        if (field.number == 8) (*out)[(*count)++] = pb_string(&reader, &field, arena, LIMIT_NAME);
    }
    return reader.status;
}

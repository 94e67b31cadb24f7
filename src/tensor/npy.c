// numpy's .npy (numpy.lib.format):
//
//   "\x93NUMPY"  major minor  length (2 bytes little-endian; 4 from version 2 on)  dictionary, padded, '\n'  data
//   {'descr': '<f4', 'fortran_order': False, 'shape': (1, 3, 256, 256), }
//
// The dictionary is a Python literal; only these three keys are allowed, in any order.
#include "tensor/npy.h"
#include "base/file.h"
#include "tensor/npy_bytes.h"
#include <string.h>

static const char magic[6] = {'\x93', 'N', 'U', 'M', 'P', 'Y'};
enum { MAX_HEADER = 65536, MAX_FILE_LOG2 = 40 }; // no more dims than MAX_RANK, so a header is short

typedef struct DescrRow {
    const char *code; // behind the byte order
    DType dtype;
} DescrRow;
static const DescrRow descr_rows[] = {
    {"f4", DT_F32}, {"f8", DT_F64}, {"f2", DT_F16}, {"V2", DT_BF16}, // numpy has no bfloat16 of its own: raw bytes
    {"i1", DT_I8},  {"i2", DT_I16}, {"i4", DT_I32}, {"i8", DT_I64},  {"u1", DT_U8},
    {"u2", DT_U16}, {"u4", DT_U32}, {"u8", DT_U64}, {"b1", DT_BOOL},
};
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
static const char native_order = '>';
#else
static const char native_order = '<';
#endif

// ---- the dictionary ----

typedef struct NpyHeader {
    DType dtype;
    bool is_swapped, is_fortran;
    Shape shape;
    bool has_descr, has_order, has_shape;
} NpyHeader;

static void skip_spaces(const char **at) {
    while (**at == ' ') ++*at;
}

static bool take(const char **at, const char *word) {
    skip_spaces(at);
    if (!text_starts(*at, word)) return false;
    *at += strlen(word);
    return true;
}

// 'text' or "text", up to 31 bytes.
static bool take_quoted(const char **at, char out[32]) {
    skip_spaces(at);
    char quote = **at;
    if (quote != '\'' && quote != '"') return false;
    size_t length = strcspn(*at + 1, "'\"");
    if (length > 31 || (*at)[1 + length] != quote) return false;
    memcpy(out, *at + 1, length);
    out[length] = 0;
    *at += length + 2;
    return true;
}

static Status parse_descr(const char **at, NpyHeader *header) {
    char descr[32];
    skip_spaces(at);
    FAIL_IF(**at == '[', ST_UNSUPPORTED, "arrays of records are not supported; save each field as an array of its own");
    FAIL_IF(!take_quoted(at, descr), ST_BAD, "header: expected a dtype such as '<f4', got %.20s", *at);
    bool has_order = descr[0] && strchr("<>|=", descr[0]);
    for (size_t i = 0; i < COUNT_OF(descr_rows); i++)
        if (!strcmp(descr_rows[i].code, descr + has_order)) header->dtype = descr_rows[i].dtype;
    FAIL_IF(header->dtype == DT_NONE, ST_UNSUPPORTED, "dtype '%s' is not supported; save the array as float32", descr);
    header->is_swapped = strchr("<>", descr[0]) && descr[0] != native_order;
    return ST_OK;
}

static bool take_bool(const char **at, bool *out) {
    *out = take(at, "True");
    return *out || take(at, "False");
}

// "(1, 3, 256)", "(5,)", "()". Python 2 wrote an L behind long numbers.
static Status parse_shape(const char **at, Shape *shape) {
    const char *start = *at;
    FAIL_IF(!take(at, "("), ST_BAD, "header: expected a shape in parentheses, got %.20s", start);
    while (!take(at, ")")) {
        char number[24];
        skip_spaces(at);
        size_t length = strspn(*at, "0123456789");
        FAIL_IF(shape->rank == MAX_RANK, ST_UNSUPPORTED, "expected at most %d dims, got more", MAX_RANK);
        FAIL_IF(length == 0 || length >= sizeof number, ST_BAD, "header: expected a shape of whole numbers, got %.40s",
                start);
        memcpy(number, *at, length);
        number[length] = 0;
        FAIL_IF(!parse_i64(number, &shape->dim[shape->rank]), ST_BAD, "header: expected a possible dim, got %s",
                number);
        shape->rank++;
        *at += length;
        take(at, "L");
        if (!take(at, ",")) {
            FAIL_IF(!take(at, ")"), ST_BAD, "header: expected ',' or ')' in the shape, got %.20s", *at);
            break;
        }
    }
    return ST_OK;
}

static Status parse_entry(const char **at, NpyHeader *header) {
    char key[32];
    FAIL_IF(!take_quoted(at, key) || !take(at, ":"), ST_BAD, "header: expected a key, got %.20s", *at);
    bool *seen = !strcmp(key, "descr")           ? &header->has_descr
                 : !strcmp(key, "fortran_order") ? &header->has_order
                 : !strcmp(key, "shape")         ? &header->has_shape
                                                 : NULL;
    FAIL_IF(!seen || *seen, ST_BAD, "header: expected descr, fortran_order and shape once each, got %s", key);
    *seen = true;
    if (seen == &header->has_descr) return parse_descr(at, header);
    if (seen == &header->has_shape) return parse_shape(at, &header->shape);
    FAIL_IF(!take_bool(at, &header->is_fortran), ST_BAD, "header: expected True or False, got %.20s", *at);
    return ST_OK;
}

static Status parse_dictionary(const char *at, NpyHeader *header) {
    FAIL_IF(!take(&at, "{"), ST_BAD, "header: expected '{', got %.20s", at);
    while (!take(&at, "}")) {
        TRY(parse_entry(&at, header));
        if (!take(&at, ",")) {
            FAIL_IF(!take(&at, "}"), ST_BAD, "header: expected ',' or '}', got %.20s", at);
            break;
        }
    }
    FAIL_IF(!header->has_descr || !header->has_order || !header->has_shape, ST_BAD,
            "header: expected descr, fortran_order and shape, got less");
    FAIL_IF(at[strspn(at, " \n")], ST_BAD, "header: expected the end behind '}', got %.20s", at);
    return ST_OK;
}

// Reads what stands before the data; `start` is where the data begins.
static Status parse_header(const uint8_t *bytes, size_t size, NpyHeader *header, size_t *start) {
    FAIL_IF(size < 12 || memcmp(bytes, magic, sizeof magic), ST_BAD, "expected a .npy file, got something else");
    int major = bytes[6];
    FAIL_IF(major < 1 || major > 3, ST_UNSUPPORTED, "expected .npy version 1 to 3, got %d", major);
    size_t before = major == 1 ? 10 : 12, length = (size_t)bytes[8] | (size_t)bytes[9] << 8;
    if (major > 1) length |= (size_t)bytes[10] << 16 | (size_t)bytes[11] << 24;
    FAIL_IF(length > size - before || length > MAX_HEADER, ST_BAD, "expected a header of %zu bytes, got %zu", length,
            size - before);
    Arena arena = {0}; // for a copy with a NUL at its end
    const char *text = arena_string_n(&arena, (const char *)bytes + before, length);
    Status status = text ? parse_dictionary(text, header) : fail_memory(length);
    arena_free(&arena);
    *start = before + length;
    return status;
}

// ---- the data ----

static void swap_bytes(uint8_t *data, int64_t count, size_t size) {
    for (int64_t i = 0; i < count; i++, data += size)
        for (size_t low = 0, high = size - 1; low < high; low++, high--) {
            uint8_t byte = data[low];
            data[low] = data[high];
            data[high] = byte;
        }
}

// From first-index-fastest to last-index-fastest: walks the target in order and keeps the source's offset in step.
static void copy_from_fortran(const Tensor *to, const uint8_t *from) {
    int64_t index[MAX_RANK] = {0}, stride[MAX_RANK] = {1}, count = tensor_count(to), offset = 0;
    const Shape *shape = &to->shape;
    size_t size = dtype_size(to->dtype);
    for (int d = 1; d < shape->rank; d++) stride[d] = stride[d - 1] * shape->dim[d - 1];
    for (int64_t i = 0; i < count; i++) {
        memcpy((uint8_t *)to->data + (size_t)i * size, from + (size_t)offset * size, size);
        for (int d = shape->rank - 1; d >= 0; d--) {
            offset += stride[d];
            if (++index[d] < shape->dim[d]) break;
            offset -= stride[d] * shape->dim[d];
            index[d] = 0;
        }
    }
}

Status npy_parse(Arena *arena, const uint8_t *bytes, size_t size, Tensor *out) {
    NpyHeader header = {0};
    size_t start;
    TRY(parse_header(bytes, size, &header, &start));
    Tensor tensor = {header.dtype, header.shape, NULL};
    size_t needed = tensor_bytes(&tensor);
    int64_t count = tensor_count(&tensor);
    FAIL_IF(needed != size - start || (needed == 0 && count != 0), ST_BAD,
            "the header's shape asks for %zu bytes of data, got %zu; the file is cut short or damaged", needed,
            size - start);
    TRY(tensor_make(arena, header.dtype, header.shape, &tensor));
    if (header.is_fortran && count > 0) copy_from_fortran(&tensor, bytes + start);
    else if (needed) memcpy(tensor.data, bytes + start, needed);
    if (header.is_swapped) swap_bytes(tensor.data, count, dtype_size(header.dtype));
    for (int64_t i = 0; i < count && header.dtype == DT_BOOL; i++)
        ((uint8_t *)tensor.data)[i] = ((uint8_t *)tensor.data)[i] != 0;
    *out = tensor;
    return ST_OK;
}

// ---- writing ----

Status npy_header(const Tensor *tensor, Text *out) {
    const char *code = NULL;
    for (size_t i = 0; i < COUNT_OF(descr_rows); i++)
        if (descr_rows[i].dtype == tensor->dtype) code = descr_rows[i].code;
    Text dictionary = {0};
    char order = dtype_size(tensor->dtype) == 1 ? '|' : native_order;
    text_add(&dictionary, "{'descr': '%c%s', 'fortran_order': False, 'shape': (", order, code);
    for (int i = 0; i < tensor->shape.rank; i++)
        text_add(&dictionary, i ? ", %lld" : "%lld", (long long)tensor->shape.dim[i]);
    text_add(&dictionary, "%s), }", tensor->shape.rank == 1 ? "," : "");
    size_t length = (10 + dictionary.length + 1 + 63) / 64 * 64 - 10;
    text_add(&dictionary, "%*s\n", (int)(length - 1 - dictionary.length), "");
    uint8_t version_and_length[4] = {1, 0, (uint8_t)length, (uint8_t)(length >> 8)};
    text_bytes(out, magic, sizeof magic);
    text_bytes(out, version_and_length, sizeof version_and_length);
    text_bytes(out, text_get(&dictionary), dictionary.length);
    if (dictionary.failed) out->failed = true;
    text_free(&dictionary);
    return text_status(out);
}

Status npy_read(Arena *arena, const char *path, Tensor *out) {
    uint8_t *bytes;
    size_t size;
    TRY(file_read(path, (size_t)1 << MAX_FILE_LOG2, &bytes, &size));
    Status status = npy_parse(arena, bytes, size, out);
    mem_free(bytes);
    return status == ST_OK ? ST_OK : fail_context(status, "%s", path);
}

static Status write_parts(const char *path, const Text *header, const Tensor *tensor) {
    AtomicFile *file;
    TRY(atomic_open(path, &file));
    Status status = atomic_write(file, header->data, header->length);
    if (status == ST_OK) status = atomic_write(file, tensor->data, tensor_bytes(tensor));
    if (status == ST_OK) return atomic_commit(file);
    atomic_abort(file);
    return status;
}

Status npy_write(const char *path, const Tensor *tensor) {
    Text header = {0};
    Status status = npy_header(tensor, &header);
    if (status == ST_OK) status = write_parts(path, &header, tensor);
    text_free(&header);
    return status;
}

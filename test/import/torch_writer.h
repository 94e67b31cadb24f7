// Small files of torch.save made in memory, opcode by opcode:
//
//     TorchMade made = torch_made();
//     put_dict(&made.object);
//     put_floats(&made, "conv.weight", "2,3", 1);        // 1 2 3 4 5 6
//     put_end(&made.object);
//     const char *path = torch_zip(&made, "a.pth");      // or torch_row: the form before 1.6
//     torch_drop(&made);
#pragma once
#include "base/file.h"
#include "base/text.h"
#include "test.h"
#include <zlib.h>

// ---- pickles

static inline void put_code(Text *to, int code) { text_bytes(to, &(uint8_t){(uint8_t)code}, 1); }
static inline void put_little(Text *to, uint64_t value, int bytes) {
    for (int i = 0; i < bytes; i++) put_code(to, (int)(value >> (8 * i) & 0xff));
}
static inline void put_str(Text *to, const char *text) { // BINUNICODE
    put_code(to, 'X');
    put_little(to, strlen(text), 4);
    text_bytes(to, text, strlen(text));
}
static inline void put_number(Text *to, int64_t value) { // LONG1, whatever its size
    put_code(to, 0x8a);
    put_code(to, 8);
    put_little(to, (uint64_t)value, 8);
}
static inline void put_global(Text *to, const char *module, const char *name) {
    text_add(to, "c%s\n%s\n", module, name);
}
// A tuple of integers: "2,3"; "": ().
static inline void put_tuple(Text *to, const char *list) {
    put_code(to, '(');
    for (const char *at = list; *at;) {
        put_number(to, atoll(at));
        at += strcspn(at, ",");
        at += *at == ',';
    }
    put_code(to, 't');
}
// A dict, open for put_str and a value again and again; put_end closes it.
static inline void put_dict(Text *to) { text_add(to, "}("); }
static inline void put_ordered_dict(Text *to) {
    put_global(to, "collections", "OrderedDict");
    text_add(to, ")R(");
}
static inline void put_end(Text *to) { put_code(to, 'u'); }

// ---- tensors

enum { MOST_STORAGES = 64 };

typedef struct MadeStorage {
    Text data;
    const char *type; // "FloatStorage"
    int64_t count;
} MadeStorage;

typedef struct TorchMade {
    Text object; // its pickle, up to STOP
    MadeStorage storages[MOST_STORAGES];
    int n_storages;
    const char *byte_order;
    int missing; // a storage whose numbers are left out; -1: none
} TorchMade;

static inline TorchMade torch_made(void) {
    TorchMade made = {.byte_order = "little", .missing = -1};
    text_bytes(&made.object, "\x80\x02", 2);
    return made;
}
static inline void torch_drop(TorchMade *made) {
    for (int i = 0; i < made->n_storages; i++) text_free(&made->storages[i].data);
    text_free(&made->object);
}

static inline int add_storage(TorchMade *made, const char *type, const void *data, size_t bytes, int64_t count) {
    REQUIRE(made->n_storages < MOST_STORAGES);
    MadeStorage *storage = &made->storages[made->n_storages];
    storage->type = type;
    storage->count = count;
    text_bytes(&storage->data, data, bytes);
    return made->n_storages++;
}
static inline void put_storage(TorchMade *made, int storage) {
    char key[16];
    snprintf(key, sizeof key, "%d", storage);
    Text *to = &made->object;
    put_code(to, '(');
    put_str(to, "storage");
    put_global(to, "torch", made->storages[storage].type);
    put_str(to, key);
    put_str(to, "cpu");
    put_number(to, made->storages[storage].count);
    if (storage % 2) put_code(to, 'N'); // files before 1.6: no view
    text_add(to, "tQ");
}
// _rebuild_tensor_v2(storage, offset, size, stride, False, OrderedDict()).
static inline void put_view(TorchMade *made, int storage, int64_t offset, const char *size, const char *stride) {
    Text *to = &made->object;
    put_global(to, "torch._utils", "_rebuild_tensor_v2");
    put_code(to, '(');
    put_storage(made, storage);
    put_number(to, offset);
    put_tuple(to, size);
    put_tuple(to, stride);
    put_code(to, 0x89);
    put_global(to, "collections", "OrderedDict");
    text_add(to, ")RtR");
}
static inline int64_t parse_size(const char *size, int64_t *dims, int *rank) {
    int64_t count = 1;
    *rank = 0;
    for (const char *at = size; *at;) {
        REQUIRE(*rank < 8);
        dims[*rank] = atoll(at);
        count *= dims[(*rank)++];
        at += strcspn(at, ",");
        at += *at == ',';
    }
    return count;
}
// A contiguous tensor with a storage of its own.
static inline void put_tensor(TorchMade *made, const char *type, const char *size, const void *data, size_t bytes) {
    int64_t dims[8], step = 1, strides[8];
    int rank;
    char stride[128] = "";
    const int64_t count = parse_size(size, dims, &rank);
    for (int i = rank - 1; i >= 0; i--) {
        strides[i] = step;
        step *= dims[i];
    }
    for (int i = 0; i < rank; i++)
        snprintf(stride + strlen(stride), sizeof stride - strlen(stride), "%s%lld", i ? "," : "",
                 (long long)strides[i]);
    put_view(made, add_storage(made, type, data, bytes, count), 0, size, stride);
}
// Float numbers first, first + 1, ...
static inline void put_range(TorchMade *made, const char *size, float first) {
    int64_t dims[8];
    int rank;
    const int64_t count = parse_size(size, dims, &rank);
    float *values = calloc((size_t)count + 1, sizeof *values);
    REQUIRE(values);
    for (int64_t i = 0; i < count; i++) values[i] = first + (float)i;
    put_tensor(made, "FloatStorage", size, values, (size_t)count * sizeof *values);
    free(values);
}
static inline void put_floats(TorchMade *made, const char *name, const char *size, float first) {
    put_str(&made->object, name);
    put_range(made, size, first);
}

// ---- the zip

typedef struct MadeZip {
    Text bytes, rows;
    int count;
    bool deflated;
} MadeZip;

static inline void zip_head(Text *to, uint32_t crc, size_t packed, size_t size, int method) {
    put_little(to, 20, 2);
    put_little(to, 0, 2);
    put_little(to, (unsigned)method, 2);
    put_little(to, 0, 4); // no time
    put_little(to, crc, 4);
    put_little(to, packed, 4);
    put_little(to, size, 4);
}
// The data of a stored file begins at a multiple of 64, as torch.save has it.
static inline void zip_put(MadeZip *zip, const char *name, const void *data, size_t size) {
    const uint32_t crc = (uint32_t)crc32(0, data, (unsigned)size);
    const size_t at = zip->bytes.length, plain = at + 30 + strlen(name) + 4, padding = (64 - plain % 64) % 64;
    uLongf packed = compressBound(size);
    uint8_t *room = malloc(packed);
    REQUIRE(room);
    z_stream stream = {.next_in = (Bytef *)(uintptr_t)data, .avail_in = (unsigned)size};
    if (zip->deflated) {
        stream.next_out = room, stream.avail_out = (unsigned)packed;
        REQUIRE(deflateInit2(&stream, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY) == Z_OK);
        REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
        packed = stream.total_out;
        deflateEnd(&stream);
    } else {
        packed = size;
    }
    put_little(&zip->bytes, 0x04034b50, 4);
    zip_head(&zip->bytes, crc, packed, size, zip->deflated ? 8 : 0);
    put_little(&zip->bytes, strlen(name), 2);
    put_little(&zip->bytes, 4 + padding, 2);
    text_add(&zip->bytes, "%s", name);
    put_little(&zip->bytes, 0x4246, 2);
    put_little(&zip->bytes, padding, 2);
    for (size_t i = 0; i < padding; i++) put_code(&zip->bytes, 'Z');
    text_bytes(&zip->bytes, zip->deflated ? room : data, packed);
    put_little(&zip->rows, 0x02014b50, 4);
    put_little(&zip->rows, 20, 2);
    zip_head(&zip->rows, crc, packed, size, zip->deflated ? 8 : 0);
    put_little(&zip->rows, strlen(name), 2);
    for (int i = 0; i < 3; i++) put_little(&zip->rows, 0, 4); // no extra, no comment, disk 0, attributes
    put_little(&zip->rows, at, 4);
    text_add(&zip->rows, "%s", name);
    zip->count++;
    free(room);
}
// The archive; frees the zip. The caller frees the text.
static inline Text zip_end(MadeZip *zip) {
    const size_t at = zip->bytes.length;
    text_bytes(&zip->bytes, zip->rows.data, zip->rows.length);
    put_little(&zip->bytes, 0x06054b50, 4);
    put_little(&zip->bytes, 0, 4);
    put_little(&zip->bytes, (unsigned)zip->count, 2);
    put_little(&zip->bytes, (unsigned)zip->count, 2);
    put_little(&zip->bytes, zip->rows.length, 4);
    put_little(&zip->bytes, at, 4);
    put_little(&zip->bytes, 0, 2);
    text_free(&zip->rows);
    return zip->bytes;
}

// ---- whole files

static inline Text object_bytes(const TorchMade *made) {
    Text object = {0};
    text_bytes(&object, made->object.data, made->object.length);
    put_code(&object, '.');
    return object;
}

static inline Text torch_zip_bytes(const TorchMade *made, bool deflated) {
    MadeZip zip = {.deflated = deflated};
    Text object = object_bytes(made);
    zip_put(&zip, "archive/data.pkl", object.data, object.length);
    zip_put(&zip, "archive/byteorder", made->byte_order, strlen(made->byte_order));
    for (int i = 0; i < made->n_storages; i++) {
        char name[32];
        snprintf(name, sizeof name, "archive/data/%d", i);
        if (i != made->missing) zip_put(&zip, name, text_get(&made->storages[i].data), made->storages[i].data.length);
    }
    zip_put(&zip, "archive/version", "3\n", 2);
    text_free(&object);
    return zip_end(&zip);
}

static inline void put_proto(Text *to) { text_bytes(to, "\x80\x02", 2); }

static inline Text torch_row_bytes(const TorchMade *made) {
    Text row = {0}, object = object_bytes(made);
    put_proto(&row);
    text_bytes(&row, "\x8a\nl\xfc\x9c\x46\xf9 j\xa8P\x19.", 13);
    put_proto(&row);
    put_number(&row, 1001);
    put_code(&row, '.');
    put_proto(&row);
    put_dict(&row);
    put_str(&row, "protocol_version");
    put_number(&row, 1001);
    put_str(&row, "little_endian");
    put_code(&row, strcmp(made->byte_order, "little") ? 0x89 : 0x88);
    put_end(&row);
    put_code(&row, '.');
    text_bytes(&row, object.data, object.length);
    put_proto(&row);
    text_add(&row, "](");
    for (int i = 0; i < made->n_storages; i++) {
        char key[16];
        snprintf(key, sizeof key, "%d", i);
        if (i != made->missing) put_str(&row, key);
    }
    text_add(&row, "e.");
    for (int i = 0; i < made->n_storages; i++) {
        if (i == made->missing) continue;
        put_little(&row, (uint64_t)made->storages[i].count, 8);
        text_bytes(&row, text_get(&made->storages[i].data), made->storages[i].data.length);
    }
    text_free(&object);
    return row;
}

static inline const char *torch_write(Text *bytes, const char *name) {
    const char *path = test_temp(name);
    FILE *stream = fopen(path, "wb"); // thousands of them: nothing has to reach the disk
    REQUIRE(stream && fwrite(text_get(bytes), 1, bytes->length, stream) == bytes->length && fclose(stream) == 0);
    text_free(bytes);
    return path;
}
static inline const char *torch_zip(const TorchMade *made, const char *name) {
    Text bytes = torch_zip_bytes(made, false);
    return torch_write(&bytes, name);
}
static inline const char *torch_row(const TorchMade *made, const char *name) {
    Text bytes = torch_row_bytes(made);
    return torch_write(&bytes, name);
}

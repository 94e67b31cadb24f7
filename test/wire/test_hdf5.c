// HDF5 files as h5py writes them by default, and every type, layout and filter in them.
#include "base/file.h"
#include "test.h"
#include "wire/hdf5.h"
#include "wire/hdf5_make.h"
#include "wire/hdf5_parts.h"
#include <zlib.h>

static Arena arena;

// Finishes the file and opens it; the bytes live until the test ends.
static H5Object open_made(H5Make *file) {
    static Text all; // reachable, so not a leak
    H5Object root;
    text_free(&all);
    all = h5make_finish(file);
    arena_free(&arena);
    CHECK_OK(h5_open(&arena, all.data, all.length, &root));
    return root;
}

static H5Object find(const H5Object *from, const char *path) {
    H5Object object;
    bool found = false;
    CHECK_OK(h5_find(from, path, &object, &found));
    if (!found) test_failed(__FILE__, __LINE__, "%s is not there", path);
    REQUIRE(found);
    return object;
}

static bool is_there(const H5Object *from, const char *path) {
    H5Object object;
    bool found = true;
    CHECK_OK(h5_find(from, path, &object, &found));
    return found;
}

static void check_status(Status status, Status expected, const char *words) {
    CHECK_INT(status, expected);
    CHECK_MSG(strstr(error_message(), words), "expected '%s' in: %s", words, error_message());
}

static void check_tensor(const Tensor *tensor, DType dtype, const char *shape, const double *values) {
    Text text = {0};
    shape_print(&text, &tensor->shape);
    CHECK_INT(tensor->dtype, dtype);
    CHECK_TEXT(text_get(&text), shape);
    text_free(&text);
    for (int64_t i = 0; i < tensor_count(tensor); i++)
        CHECK_MSG(tensor_get(tensor, i) == values[i], "element %lld: got %g, expected %g", (long long)i,
                  tensor_get(tensor, i), values[i]);
}

// ---- groups

TEST(a_file_as_keras_writes_it) {
    const float values[6] = {1, -2, 3.5f, 4, 5, 6};
    const char *text, **texts;
    size_t count;
    H5Make file = h5make_begin();
    h5make_text(&file, H5MAKE_ROOT, "model_config", "{\"class_name\": \"Model\"}");
    h5make_fixed_text(&file, H5MAKE_ROOT, "backend", "tensorflow");
    const size_t weights = h5make_group(&file, H5MAKE_ROOT, "model_weights");
    h5make_texts(&file, weights, "layer_names", (const char *const[]){"conv_10", "input", "conv_2"}, 3);
    const size_t conv = h5make_group(&file, weights, "conv_2"), inner = h5make_group(&file, conv, "conv_2");
    h5make_floats(&file, inner, "kernel:0", "3,2", values);
    h5make_texts(&file, h5make_group(&file, weights, "input"), "weight_names", NULL, 0);
    h5make_group(&file, weights, "conv_10");
    const H5Object root = open_made(&file), group = find(&root, "model_weights");
    CHECK_OK(h5_attr_text(&root, "model_config", &text));
    REQUIRE(text);
    CHECK_TEXT(text, "{\"class_name\": \"Model\"}");
    CHECK_OK(h5_attr_text(&root, "backend", &text));
    REQUIRE(text);
    CHECK_TEXT(text, "tensorflow");
    CHECK_OK(h5_attr_text(&root, "keras_version", &text));
    CHECK(!text);
    CHECK_OK(h5_attr_texts(&group, "layer_names", &texts, &count));
    REQUIRE(texts && count == 3);
    CHECK_TEXT(texts[0], "conv_10");
    CHECK_TEXT(texts[1], "input");
    const H5Object input = find(&group, "input"), kernel = find(&root, "model_weights/conv_2/conv_2/kernel:0");
    CHECK_OK(h5_attr_texts(&input, "weight_names", &texts, &count));
    CHECK(texts && count == 0);
    CHECK_OK(h5_attr_texts(&input, "layer_names", &texts, &count));
    CHECK(!texts && count == 0);
    CHECK_OK(h5_names(&group, &texts, &count)); // natural order
    REQUIRE(count == 3);
    CHECK_TEXT(texts[0], "conv_2");
    CHECK_TEXT(texts[1], "conv_10");
    CHECK_TEXT(texts[2], "input");
    CHECK(h5_is_dataset(&kernel) && !h5_is_dataset(&group));
    Tensor tensor;
    CHECK_OK(h5_tensor(&kernel, &tensor));
    check_tensor(&tensor, DT_F32, "3x2", (const double[]){1, -2, 3.5, 4, 5, 6});
    CHECK(!is_there(&root, "model_weights/conv_2/kernel:0") && !is_there(&kernel, "x") && is_there(&kernel, "."));
    CHECK(is_there(&kernel, "/model_weights//conv_2/") && is_there(&root, ""));
    check_status(h5_names(&kernel, &texts, &count), ST_BAD, "expected a group, got a dataset");
    check_status(h5_tensor(&group, &tensor), ST_BAD, "expected a dataset, got an object without a layout");
    check_status(h5_attr_text(&group, "layer_names", &text), ST_BAD, "layer_names: expected one text, got 3");
    arena_free(&arena);
}

TEST(numbers_stay_where_they_are_when_they_can) {
    H5Make file = h5make_begin();
    h5make_floats(&file, H5MAKE_ROOT, "w", "64", NULL);
    Text all = h5make_finish(&file), shifted = {0};
    H5Object root;
    Tensor tensor;
    for (unsigned shift = 0; shift < 2; shift++) {
        text_free(&shifted);
        h5put(&shifted, 0, shift);
        text_bytes(&shifted, all.data, all.length);
        const char *bytes = shifted.data + shift;
        CHECK_OK(h5_open(&arena, bytes, all.length, &root));
        const H5Object w = find(&root, "w");
        CHECK_OK(h5_tensor(&w, &tensor));
        CHECK_INT((const char *)tensor.data >= bytes && (const char *)tensor.data < bytes + all.length, !shift);
        CHECK((uintptr_t)tensor.data % 4 == 0 && ((const float *)tensor.data)[63] == 0);
    }
    arena_free(&arena);
    text_free(&all);
    text_free(&shifted);
}

TEST(groups_of_many_members) {
    const char **names;
    size_t count;
    char name[32];
    for (unsigned width = 4; width <= 8; width += 4) {
        H5Make file = h5make_begin();
        file.width = width;
        for (int i = 0; i < 700; i++) { // a tree of two levels
            snprintf(name, sizeof name, "layer_%d", i);
            h5make_group(&file, H5MAKE_ROOT, name);
        }
        const H5Object root = open_made(&file);
        CHECK_OK(h5_names(&root, &names, &count));
        REQUIRE(count == 700);
        for (int i = 0; i < 700; i++) {
            snprintf(name, sizeof name, "layer_%d", i);
            CHECK_TEXT(names[i], name);
            CHECK(is_there(&root, name));
        }
        CHECK(!is_there(&root, "layer_700") && !is_there(&root, "a") && !is_there(&root, "z") &&
              !is_there(&root, "layer_"));
    }
    arena_free(&arena);
}

TEST(lists_that_keras_splits) {
    const char **texts;
    size_t count;
    H5Make file = h5make_begin();
    h5make_texts(&file, H5MAKE_ROOT, "layer_names0", (const char *const[]){"a", "bcd"}, 2);
    h5make_texts(&file, H5MAKE_ROOT, "layer_names1", (const char *const[]){"e"}, 1);
    h5make_texts(&file, H5MAKE_ROOT, "layer_names3", (const char *const[]){"f"}, 1);
    const H5Object root = open_made(&file);
    CHECK_OK(h5_attr_texts(&root, "layer_names", &texts, &count));
    REQUIRE(texts && count == 3);
    CHECK_TEXT(texts[1], "bcd");
    CHECK_TEXT(texts[2], "e");
    arena_free(&arena);
}

// ---- attributes of all kinds

static void add_raw(H5Make *file, const char *name, Text *type, const char *dims, const void *bytes, size_t size) {
    Text space = {0}, data = {0};
    h5put_space(&space, file->width, dims);
    text_bytes(&data, bytes, size);
    h5make_attribute(file, H5MAKE_ROOT, name, type, &space, &data);
}

TEST(texts_are_checked) {
    const char *text;
    Text type = {0};
    H5Make file = h5make_begin();
    h5put_text_type(&type, 4);
    add_raw(&file, "nul", &type, "", "a\0\0\0", 4);
    h5put(&type, 0x0213, 4); // filled up with spaces
    h5put(&type, 5, 4);
    add_raw(&file, "spaces", &type, "", "a b  ", 5);
    h5put_text_type(&type, 2);
    add_raw(&file, "latin", &type, "", "\xe9t", 2);
    h5put_type(&type, DT_I32);
    add_raw(&file, "number", &type, "", "\1\0\0\0", 4);
    h5put_text_type(&type, 40);
    add_raw(&file, "short", &type, "", "abc", 3);
    h5make_text(&file, H5MAKE_ROOT, "empty", "");
    h5make_text(&file, H5MAKE_ROOT, "accent", "\xc3\xa9");
    const H5Object root = open_made(&file);
    CHECK_OK(h5_attr_text(&root, "nul", &text));
    CHECK_TEXT(text, "a");
    CHECK_OK(h5_attr_text(&root, "spaces", &text));
    CHECK_TEXT(text, "a b");
    CHECK_OK(h5_attr_text(&root, "empty", &text));
    CHECK_TEXT(text, "");
    CHECK_OK(h5_attr_text(&root, "accent", &text));
    CHECK_TEXT(text, "\xc3\xa9");
    check_status(h5_attr_text(&root, "latin", &text), ST_BAD, "attribute latin: expected a text in UTF-8");
    check_status(h5_attr_text(&root, "number", &text), ST_BAD, "attribute number: expected texts, got numbers");
    check_status(h5_attr_text(&root, "short", &text), ST_BAD, "expected 40 bytes more, got 8");
    arena_free(&arena);
}

TEST(attributes_of_numbers) {
    Tensor tensor;
    bool found;
    Text type = {0};
    H5Make file = h5make_begin();
    h5put_type(&type, DT_F64);
    add_raw(&file, "one", &type, "", &(double){0.25}, 8);
    h5put_type(&type, DT_I16);
    add_raw(&file, "some", &type, "2,1", "\1\0\xff\xff", 4);
    h5make_text(&file, H5MAKE_ROOT, "text", "x");
    const H5Object root = open_made(&file);
    CHECK_OK(h5_attr_tensor(&root, "one", &tensor, &found));
    CHECK(found);
    check_tensor(&tensor, DT_F64, "scalar", (const double[]){0.25});
    CHECK_OK(h5_attr_tensor(&root, "some", &tensor, &found));
    check_tensor(&tensor, DT_I16, "2x1", (const double[]){1, -1});
    CHECK_OK(h5_attr_tensor(&root, "none", &tensor, &found));
    CHECK(!found);
    check_status(h5_attr_tensor(&root, "text", &tensor, &found), ST_BAD, "text: expected numbers, got a text");
    arena_free(&arena);
}

// ---- datatypes

// A dataset "x" of that type, with its numbers in its header.
static H5Object typed(Text *type, const char *dims, const void *bytes, size_t size) {
    H5Make file = h5make_begin();
    const size_t x = h5make_object(&file, H5MAKE_ROOT, "x");
    Text space = {0}, layout = {0};
    h5put_space(&space, 8, dims);
    h5make_message(&file, x, MSG_DATASPACE, 0, &space);
    h5make_message(&file, x, MSG_DATATYPE, 0, type);
    h5put(&layout, 3, 1);
    h5put(&layout, 0, 1); // compact
    h5put(&layout, size, 2);
    text_bytes(&layout, bytes, size);
    h5make_message(&file, x, MSG_LAYOUT, 0, &layout);
    const H5Object root = open_made(&file);
    return find(&root, "x");
}

TEST(every_type_in_both_byte_orders) {
    static const DType dtypes[] = {DT_F16, DT_F32, DT_F64, DT_I8,  DT_I16, DT_I32,
                                   DT_I64, DT_U8,  DT_U16, DT_U32, DT_U64};
    for (size_t i = 0; i < COUNT_OF(dtypes); i++) {
        Tensor values, got;
        Arena other = {0};
        const size_t size = dtype_size(dtypes[i]);
        const double least = i < 3 ? -0.5 : i < 7 ? -3 : 250;
        CHECK_OK(tensor_make(&other, dtypes[i], shape_of(1, (const int64_t[]){2}), &values));
        tensor_set(&values, 0, 100);
        tensor_set(&values, 1, least);
        for (int big = 0; big < 2; big++) {
            Text type = {0};
            uint8_t bytes[16];
            h5put_type(&type, dtypes[i]);
            type.data[1] |= (char)big;
            for (size_t k = 0; k < 2 * size; k++)
                bytes[k] = ((const uint8_t *)values.data)[big ? k / size * size + size - 1 - k % size : k];
            const H5Object x = typed(&type, "2", bytes, 2 * size);
            CHECK_OK(h5_tensor(&x, &got));
            check_tensor(&got, dtypes[i], "2", (const double[]){100, least});
        }
        arena_free(&other);
    }
    arena_free(&arena);
}

static void put_enum(Text *type, const char *first, int first_value, const char *second, int second_value) {
    h5put(type, 0x18, 1);
    h5put(type, 2, 3);
    h5put(type, 1, 4);
    h5put_type(type, DT_I8);
    text_bytes(type, first, strlen(first) + 1);
    h5put_fill(type, 4); // 20 bytes stand in front: 4 and 8 give multiples of 8
    if (type->length % 8 != 4) h5put(type, 0, 4);
    text_bytes(type, second, strlen(second) + 1);
    h5put_fill(type, 4);
    if (type->length % 8 != 4) h5put(type, 0, 4);
    h5put(type, (uint64_t)first_value, 1);
    h5put(type, (uint64_t)second_value, 1);
}

TEST(bools_are_an_enumeration) {
    Tensor tensor;
    Text type = {0};
    put_enum(&type, "FALSE", 0, "TRUE", 1);
    H5Object x = typed(&type, "3", "\0\1\2", 3);
    CHECK_OK(h5_tensor(&x, &tensor));
    check_tensor(&tensor, DT_BOOL, "3", (const double[]){0, 1, 1});
    put_enum(&type, "TRUE", 1, "FALSE", 0);
    x = typed(&type, "3", "\0\1\2", 3);
    CHECK_OK(h5_tensor(&x, &tensor));
    check_tensor(&tensor, DT_BOOL, "3", (const double[]){0, 1, 1});
    put_enum(&type, "RED", 0, "BLUE", 1);
    x = typed(&type, "3", "\0\1\2", 3);
    check_status(h5_tensor(&x, &tensor), ST_UNSUPPORTED, "enumerations");
    put_enum(&type, "FALSE", 0, "TRUE", 1);
    type.data[4] = 4; // bytes: more than the integers inside have
    x = typed(&type, "3", "\0\1\2", 3);
    check_status(h5_tensor(&x, &tensor), ST_UNSUPPORTED, "enumerations");
    arena_free(&arena);
}

TEST(types_that_are_refused_by_name) {
    static const struct {
        uint8_t bytes[24];
        Status status;
        const char *words;
    } rows[] = {
        {{0x16, 1, 0, 0, 8}, ST_UNSUPPORTED, "records"},
        {{0x1a, 0, 0, 0, 8}, ST_UNSUPPORTED, "arrays"},
        {{0x17, 0, 0, 0, 8}, ST_UNSUPPORTED, "references"},
        {{0x15, 0, 0, 0, 2}, ST_UNSUPPORTED, "opaque bytes"},
        {{0x14, 0, 0, 0, 2}, ST_UNSUPPORTED, "bit field"},
        {{0x19, 0, 0, 0, 16, 0, 0, 0, 0x10, 0, 0, 0, 4}, ST_UNSUPPORTED, "lists of different lengths"},
        {{0x13, 1, 0, 0, 2}, ST_UNSUPPORTED, "datasets of texts"},
        {{0x10, 0, 0, 0, 4, 0, 0, 0, 0, 0, 24, 0}, ST_UNSUPPORTED, "integers of 24 bits in 4 bytes"},
        {{0x10, 0, 0, 0, 3, 0, 0, 0, 0, 0, 24, 0}, ST_UNSUPPORTED, "integers of 24 bits in 3 bytes"},
        {{0x11, 0x20, 15, 0, 2, 0, 0, 0, 0, 0, 16, 0, 7, 8, 0, 7, 127}, ST_UNSUPPORTED, "8 bits of exponent and 7"},
        {{0x11, 0x60, 31, 0, 4, 0, 0, 0, 0, 0, 32, 0, 23, 8, 0, 23, 127}, ST_UNSUPPORTED, "floating point"},
        {{0x11, 0x00, 31, 0, 4, 0, 0, 0, 0, 0, 32, 0, 23, 8, 0, 23, 127}, ST_UNSUPPORTED, "floating point"},
        {{0x10, 0, 0, 0, 0}, ST_BAD, "expected a datatype"},
        {{0x1f, 0, 0, 0, 4}, ST_BAD, "expected a datatype"},
        {{0x00, 0, 0, 0, 4}, ST_BAD, "expected a datatype"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        Tensor tensor;
        Text type = {0};
        text_bytes(&type, rows[i].bytes, sizeof rows[i].bytes);
        const H5Object x = typed(&type, "2", "\0\0\0\0\0\0\0\0", 8);
        check_status(h5_tensor(&x, &tensor), rows[i].status, rows[i].words);
    }
    arena_free(&arena);
}

TEST(dataspaces) {
    Tensor tensor;
    Text type = {0};
    h5put_type(&type, DT_I32);
    H5Object x = typed(&type, "", "\7\0\0\0", 4);
    CHECK_OK(h5_tensor(&x, &tensor));
    check_tensor(&tensor, DT_I32, "scalar", (const double[]){7});
    h5put_type(&type, DT_I32);
    x = typed(&type, "3,0", "", 0);
    CHECK_OK(h5_tensor(&x, &tensor));
    check_tensor(&tensor, DT_I32, "3x0", NULL);
    h5put_type(&type, DT_I32);
    x = typed(&type, "1,1,1,1,1,1,1,1,1", "\7\0\0\0", 4);
    check_status(h5_tensor(&x, &tensor), ST_UNSUPPORTED, "expected at most 8 dimensions, got 9");
    h5put_type(&type, DT_I32);
    x = typed(&type, "4000000000,4000000000,4000000000", "\7\0\0\0", 4);
    check_status(h5_tensor(&x, &tensor), ST_BAD, "possible size");
    h5put_type(&type, DT_I32);
    x = typed(&type, "18446744073709551615", "\7\0\0\0", 4);
    check_status(h5_tensor(&x, &tensor), ST_BAD, "possible dimension");
    h5put_type(&type, DT_I32);
    x = typed(&type, "3", "\7\0\0\0\0\0\0\0\0\0\0", 11);
    check_status(h5_tensor(&x, &tensor), ST_BAD, "numbers as the shape asks for, got 11 bytes");
    arena_free(&arena);
}

// ---- layouts

static void add_layout(H5Make *file, size_t object, Text *layout) {
    h5make_message(file, object, MSG_LAYOUT, 0, layout);
}

TEST(what_was_never_written_is_the_fill_value) {
    Tensor tensor;
    Text layout = {0}, fill = {0}, space = {0}, type = {0};
    H5Make file = h5make_begin();
    h5make_floats(&file, H5MAKE_ROOT, "zeros", "0", NULL);
    const size_t x = h5make_object(&file, H5MAKE_ROOT, "x");
    h5put_space(&space, 8, "2,2");
    h5make_message(&file, x, MSG_DATASPACE, 0, &space);
    h5put_type(&type, DT_I16);
    type.data[1] |= 1; // big-endian, and so is the fill value
    h5make_message(&file, x, MSG_DATATYPE, 0, &type);
    h5put(&fill, 0x2003, 2);
    h5put(&fill, 2, 4);
    h5put(&fill, 0x0201, 2);
    h5make_message(&file, x, MSG_FILL_VALUE, 0, &fill);
    h5put(&layout, 0x0103, 2);
    h5put(&layout, UINT64_MAX, 8);
    h5put(&layout, 8, 8);
    add_layout(&file, x, &layout);
    const H5Object root = open_made(&file), object = find(&root, "x"), zeros = find(&root, "zeros");
    CHECK_OK(h5_tensor(&object, &tensor));
    check_tensor(&tensor, DT_I16, "2x2", (const double[]){0x0102, 0x0102, 0x0102, 0x0102});
    CHECK_OK(h5_tensor(&zeros, &tensor));
    CHECK_INT(tensor_count(&tensor), 0);
    arena_free(&arena);
}

// A dataset "x" of 5 x 3 int32 in chunks of 2 x 2, in a B-tree. Element (r, c) is 10 r + c; the chunk in the middle of
// the first column is left out. `pack` gives a chunk's bytes their form in the file.
typedef void Pack(const uint8_t *from, size_t size, Text *to);
static H5Object chunked(Text *filters, Pack *pack, unsigned mask) {
    H5Make file = h5make_begin();
    const size_t x = h5make_dataset(&file, H5MAKE_ROOT, "x", DT_I32, "5,3");
    Text node = {0}, layout = {0};
    text_bytes(&node, "TREE\1", 6);
    h5put(&node, 5, 2);
    h5put(&node, UINT64_MAX, 8);
    h5put(&node, UINT64_MAX, 8);
    for (int32_t r = 0; r < 5; r += 2) {
        for (int32_t c = 0; c < 3; c += 2) {
            const int32_t values[4] = {10 * r + c, 10 * r + c + 1, 10 * r + 10 + c, 10 * r + 11 + c};
            Text packed = {0};
            if (r == 2 && c == 0) continue;
            if (pack) pack((const uint8_t *)values, sizeof values, &packed);
            else text_bytes(&packed, values, sizeof values);
            h5put(&node, packed.length, 4);
            h5put(&node, mask, 4);
            h5put(&node, (uint64_t)r, 8);
            h5put(&node, (uint64_t)c, 8);
            h5put(&node, 0, 8);
            h5put(&node, h5make_text_blob(&file, &packed), 8);
        }
    }
    h5put(&node, 0, 32); // the last key
    h5put(&layout, 0x030203, 3);
    h5put(&layout, h5make_text_blob(&file, &node), 8);
    h5put(&layout, 2, 4);
    h5put(&layout, 2, 4);
    h5put(&layout, 4, 4);
    add_layout(&file, x, &layout);
    if (filters) h5make_message(&file, x, MSG_FILTERS, 0, filters);
    const H5Object root = open_made(&file);
    return find(&root, "x");
}

static void check_chunked(const H5Object *x) {
    Tensor tensor;
    CHECK_OK(h5_tensor(x, &tensor));
    check_tensor(&tensor, DT_I32, "5x3", (const double[]){0, 1, 2, 10, 11, 12, 0, 0, 22, 0, 0, 32, 40, 41, 42});
}

static void put_filter(Text *to, unsigned id, unsigned values, unsigned value) {
    h5put(to, id, 2);
    h5put(to, 8, 2);
    h5put(to, 1, 2);
    h5put(to, values, 2);
    text_bytes(to, "filter\0", 8);
    if (values) h5put(to, value, 4);
    if (values % 2) h5put(to, 0, 4);
}
static Text pipeline(unsigned count) {
    Text filters = {0};
    h5put(&filters, 1, 1);
    h5put(&filters, count, 7);
    return filters;
}

static void deflate_only(const uint8_t *from, size_t size, Text *to) {
    uint8_t packed[256];
    uLongf length = sizeof packed;
    REQUIRE(compress(packed, &length, from, size) == Z_OK);
    text_bytes(to, packed, length);
}
static void shuffle_and_deflate(const uint8_t *from, size_t size, Text *to) {
    uint8_t shuffled[16];
    REQUIRE(size == sizeof shuffled);
    for (size_t i = 0; i < size; i++) shuffled[i % 4 * 4 + i / 4] = from[i];
    deflate_only(shuffled, size, to);
}
// Fletcher's checksum word by word.
static void add_fletcher(const uint8_t *from, size_t size, Text *to) {
    uint32_t a = 0, b = 0;
    for (size_t i = 0; i < size; i += 2) {
        a = (a + ((uint32_t)from[i] << 8 | from[i + 1])) % 65535;
        b = (b + a) % 65535;
    }
    text_bytes(to, from, size);
    h5put(to, b << 16 | a, 4);
}
static void add_wrong_fletcher(const uint8_t *from, size_t size, Text *to) {
    add_fletcher(from, size, to);
    to->data[0] ^= 1;
}
static void cut_off(const uint8_t *from, size_t size, Text *to) { text_bytes(to, from, size - 1); }
static void too_much(const uint8_t *from, size_t size, Text *to) {
    uint8_t twice[64] = {0};
    memcpy(twice, from, size);
    deflate_only(twice, sizeof twice, to);
}

TEST(chunks_in_a_tree) {
    Tensor tensor;
    H5Object x = chunked(NULL, NULL, 0);
    check_chunked(&x);
    x = chunked(NULL, cut_off, 0);
    check_status(h5_tensor(&x, &tensor), ST_BAD, "expected a chunk of 16 bytes, got 15");
    arena_free(&arena);
}

TEST(filters_are_undone) {
    Text filters = pipeline(1);
    put_filter(&filters, 1, 1, 6);
    H5Object x = chunked(&filters, deflate_only, 0);
    check_chunked(&x);
    filters = pipeline(2);
    put_filter(&filters, 2, 1, 4);
    put_filter(&filters, 1, 1, 6);
    x = chunked(&filters, shuffle_and_deflate, 0);
    check_chunked(&x);
    filters = pipeline(2);
    put_filter(&filters, 2, 1, 4);
    put_filter(&filters, 1, 1, 6);
    x = chunked(&filters, deflate_only, 1); // shuffle was left out
    check_chunked(&x);
    filters = pipeline(2);
    put_filter(&filters, 2, 1, 4);
    put_filter(&filters, 1, 1, 6);
    x = chunked(&filters, NULL, 3);
    check_chunked(&x);
    filters = pipeline(1);
    put_filter(&filters, 3, 0, 0);
    x = chunked(&filters, add_fletcher, 0);
    check_chunked(&x);
    arena_free(&arena);
}

TEST(filters_that_go_wrong) {
    Tensor tensor;
    Text filters = pipeline(1);
    put_filter(&filters, 3, 0, 0);
    H5Object x = chunked(&filters, add_wrong_fletcher, 0);
    check_status(h5_tensor(&x, &tensor), ST_BAD, "the checksum of a chunk is wrong");
    filters = pipeline(1);
    put_filter(&filters, 1, 1, 6);
    x = chunked(&filters, NULL, 0);
    check_status(h5_tensor(&x, &tensor), ST_BAD, "expected a deflated chunk");
    filters = pipeline(1);
    put_filter(&filters, 1, 1, 6);
    x = chunked(&filters, too_much, 0);
    check_status(h5_tensor(&x, &tensor), ST_BAD, "expected a chunk of 16 bytes, got 64");
    filters = pipeline(1);
    put_filter(&filters, 2, 0, 0);
    x = chunked(&filters, NULL, 0);
    check_status(h5_tensor(&x, &tensor), ST_BAD, "size of shuffled elements");
    filters = pipeline(1);
    put_filter(&filters, 32000, 0, 0);
    x = chunked(&filters, NULL, 0);
    check_status(h5_tensor(&x, &tensor), ST_UNSUPPORTED, "filter 32000 (lzf) is not supported");
    filters = pipeline(33);
    x = chunked(&filters, NULL, 0);
    check_status(h5_tensor(&x, &tensor), ST_BAD, "at most 32 filters, got 33");
    arena_free(&arena);
}

TEST(layouts_that_are_refused_by_name) {
    static const struct {
        unsigned version, kind;
        Status status;
        const char *words;
    } rows[] = {{1, 2, ST_UNSUPPORTED, "version 1 (HDF5 before 1.6.3)"},
                {4, 3, ST_UNSUPPORTED, "virtual datasets"},
                {3, 7, ST_BAD, "kind 0 to 3, got 7"},
                {6, 1, ST_UNSUPPORTED, "version 1 to 5 of a data layout, got 6"},
                {77, 1, ST_BAD, "version 1 to 5 of a data layout, got 77"}};
    Tensor tensor;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        H5Make file = h5make_begin();
        const size_t x = h5make_dataset(&file, H5MAKE_ROOT, "x", DT_I32, "5,3");
        Text layout = {0};
        h5put(&layout, rows[i].version, 1);
        h5put(&layout, rows[i].kind, 1);
        h5put(&layout, 0, 30);
        add_layout(&file, x, &layout);
        const H5Object root = open_made(&file), object = find(&root, "x");
        check_status(h5_tensor(&object, &tensor), rows[i].status, rows[i].words);
    }
    H5Make file = h5make_begin();
    const size_t x = h5make_floats(&file, H5MAKE_ROOT, "x", "2", NULL);
    Text external = {0};
    h5put(&external, 1, 8);
    h5make_message(&file, x, MSG_EXTERNAL_FILES, 0, &external);
    const H5Object root = open_made(&file), object = find(&root, "x");
    check_status(h5_tensor(&object, &tensor), ST_UNSUPPORTED, "datasets in other files");
    arena_free(&arena);
}

// ---- the file as a whole

TEST(superblocks) {
    static const unsigned versions[] = {0, 2, 3};
    const float value = 2.5f;
    for (size_t i = 0; i < COUNT_OF(versions); i++) {
        for (size_t block = 0; block <= 2048; block = block ? 2 * block : 512) {
            H5Object root;
            Tensor tensor;
            H5Make file = h5make_begin();
            Text all = {0};
            file.version = versions[i];
            h5make_floats(&file, H5MAKE_ROOT, "x", "1", &value);
            Text bytes = h5make_finish(&file);
            while (all.length < block) h5put(&all, 0x55, 1);
            text_bytes(&all, bytes.data, bytes.length);
            CHECK_OK(h5_open(&arena, all.data, all.length, &root));
            const H5Object x = find(&root, "x");
            CHECK_OK(h5_tensor(&x, &tensor));
            check_tensor(&tensor, DT_F32, "1", (const double[]){2.5});
            check_status(h5_open(&arena, all.data, all.length - 1, &root), ST_BAD, "it is cut short");
            all.data[block + 8] = 9;
            check_status(h5_open(&arena, all.data, all.length, &root), ST_UNSUPPORTED, "version 0 to 3 of the super");
            all.data[block + 3] = 'E';
            check_status(h5_open(&arena, all.data, all.length, &root), ST_BAD, "expected an HDF5 file");
            text_free(&all);
            text_free(&bytes);
            arena_free(&arena);
        }
    }
}

TEST(lookup3_is_right) { // examples of its author
    const char *text = "Four score and seven years ago";
    CHECK(h5_lookup3((const uint8_t *)text, strlen(text), SIZE_MAX) == 0x17770551);
    CHECK(h5_lookup3(NULL, 0, SIZE_MAX) == 0xdeadbeef);
    const uint8_t zeros[40] = {0}, hole[40] = {[13] = 1, 2, 3, 4};
    CHECK(h5_lookup3(zeros, 40, SIZE_MAX) == h5_lookup3(hole, 40, 13));
    CHECK(h5_lookup3(zeros, 40, SIZE_MAX) != h5_lookup3(hole, 40, 14));
}

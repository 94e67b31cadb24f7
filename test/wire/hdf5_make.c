#include "wire/hdf5_make.h"
#include "base/file.h"
#include "test.h"
#include "wire/hdf5_parts.h"

enum { SUPERBLOCK_SPACE = 96, SYMBOLS = 8, CHILDREN = 32 };

// ---- bytes

void h5put(Text *to, uint64_t value, unsigned bytes) {
    for (unsigned i = 0; i < bytes; i++) text_bytes(to, &(uint8_t){i < 8 ? (uint8_t)(value >> 8 * i) : 0}, 1);
}

void h5put_fill(Text *to, size_t multiple) {
    while (to->length % multiple) h5put(to, 0, 1);
}

static void put_text(Text *to, Text *from) {
    text_bytes(to, text_get(from), from->length);
    text_free(from);
}

uint64_t h5make_blob(H5Make *file, const void *bytes, size_t size) {
    h5put_fill(&file->file, 8);
    const uint64_t address = file->file.length;
    if (size) text_bytes(&file->file, bytes, size);
    return address;
}

uint64_t h5make_text_blob(H5Make *file, Text *text) {
    const uint64_t address = h5make_blob(file, text_get(text), text->length);
    text_free(text);
    return address;
}

static size_t list_of(const char *dims, uint64_t *out) {
    size_t rank = 0;
    for (const char *at = dims; *at && rank < 32; at += *at == ',') {
        out[rank++] = strtoull(at, NULL, 10);
        at += strcspn(at, ",");
    }
    return rank;
}

void h5put_space(Text *to, unsigned width, const char *dims) {
    uint64_t list[32];
    const size_t rank = list_of(dims, list);
    h5put(to, 1, 1);
    h5put(to, rank, 1);
    h5put(to, 0, 6);
    for (size_t i = 0; i < rank; i++) h5put(to, list[i], width);
}

void h5put_type(Text *to, DType dtype) {
    static const uint8_t f16[] = {0x11, 0x20, 15, 0, 2, 0, 0, 0, 0, 0, 16, 0, 10, 5, 0, 10, 15, 0, 0, 0};
    static const uint8_t f32[] = {0x11, 0x20, 31, 0, 4, 0, 0, 0, 0, 0, 32, 0, 23, 8, 0, 23, 127, 0, 0, 0};
    static const uint8_t f64[] = {0x11, 0x20, 63, 0, 8, 0, 0, 0, 0, 0, 64, 0, 52, 11, 0, 52, 0xff, 3, 0, 0};
    if (dtype_is_float(dtype)) {
        text_bytes(to, dtype == DT_F16 ? f16 : dtype == DT_F32 ? f32 : f64, sizeof f32);
        return;
    }
    const bool is_signed = dtype == DT_I8 || dtype == DT_I16 || dtype == DT_I32 || dtype == DT_I64;
    h5put(to, 0x10, 1);
    h5put(to, is_signed ? 8 : 0, 3);
    h5put(to, dtype_size(dtype), 4);
    h5put(to, 0, 2);
    h5put(to, 8 * dtype_size(dtype), 2);
}

void h5put_text_type(Text *to, size_t size) {
    h5put(to, 0x13, 1);
    h5put(to, 1, 3); // filled up with NULs
    h5put(to, size, 4);
}

void h5put_checksum(Text *to) { h5put(to, h5_lookup3((const uint8_t *)to->data, to->length, SIZE_MAX), 4); }

// ---- objects

H5Make h5make_begin(void) {
    H5Make file = {.width = 8};
    while (file.file.length < SUPERBLOCK_SPACE) h5put(&file.file, 0, 1);
    h5make_group(&file, (size_t)H5MAKE_ALONE, "");
    return file;
}

size_t h5make_object(H5Make *file, size_t parent, const char *name) {
    if (file->count == file->capacity) {
        file->capacity = file->capacity ? 2 * file->capacity : 16;
        file->objects = realloc(file->objects, file->capacity * sizeof *file->objects);
        REQUIRE(file->objects);
    }
    file->objects[file->count] = (H5MadeObject){.name = strdup(name), .parent = parent};
    return file->count++;
}

size_t h5make_group(H5Make *file, size_t parent, const char *name) {
    const size_t group = h5make_object(file, parent, name);
    file->objects[group].is_group = true;
    return group;
}

void h5make_message(H5Make *file, size_t object, unsigned type, unsigned flags, Text *body) {
    Text *to = &file->objects[object].messages;
    h5put_fill(body, 8);
    REQUIRE(body->length <= UINT16_MAX);
    h5put(to, type, 2);
    h5put(to, body->length, 2);
    h5put(to, flags, 1);
    h5put(to, 0, 3);
    put_text(to, body);
    file->objects[object].n_messages++;
}

size_t h5make_dataset(H5Make *file, size_t parent, const char *name, DType dtype, const char *dims) {
    const size_t object = h5make_object(file, parent, name);
    Text space = {0}, type = {0}, fill = {0};
    h5put_space(&space, file->width, dims);
    h5make_message(file, object, MSG_DATASPACE, 0, &space);
    h5put_type(&type, dtype);
    h5make_message(file, object, MSG_DATATYPE, 1, &type);
    h5put(&fill, 0x010202, 3); // version 2, written when space is, defined: all zeros
    h5put(&fill, 1, 1);
    h5put(&fill, 0, 4);
    h5make_message(file, object, MSG_FILL_VALUE, 1, &fill);
    return object;
}

size_t h5make_floats(H5Make *file, size_t parent, const char *name, const char *dims, const float *values) {
    uint64_t list[32];
    size_t bytes = sizeof *values;
    const size_t rank = list_of(dims, list), object = h5make_dataset(file, parent, name, DT_F32, dims);
    for (size_t i = 0; i < rank; i++) bytes *= list[i];
    void *zeros = calloc(1, bytes + 1);
    REQUIRE(zeros);
    const uint64_t address = bytes ? h5make_blob(file, values ? (const void *)values : zeros, bytes) : UINT64_MAX;
    free(zeros);
    Text layout = {0};
    h5put(&layout, 3, 1);
    h5put(&layout, 1, 1); // contiguous
    h5put(&layout, address, file->width);
    h5put(&layout, bytes, file->width);
    h5make_message(file, object, MSG_LAYOUT, 0, &layout);
    return object;
}

// ---- attributes

void h5make_attribute(H5Make *file, size_t object, const char *name, Text *type, Text *space, Text *data) {
    Text body = {0};
    h5put(&body, 1, 2);
    h5put(&body, strlen(name) + 1, 2);
    h5put(&body, type->length, 2);
    h5put(&body, space->length, 2);
    text_bytes(&body, name, strlen(name) + 1);
    h5put_fill(&body, 8);
    put_text(&body, type);
    h5put_fill(&body, 8);
    put_text(&body, space);
    h5put_fill(&body, 8);
    put_text(&body, data);
    h5make_message(file, object, MSG_ATTRIBUTE, 0, &body);
}

void h5make_texts(H5Make *file, size_t object, const char *name, const char *const *texts, size_t count) {
    Text type = {0}, space = {0}, data = {0};
    char dims[32];
    size_t longest = 1;
    for (size_t i = 0; i < count; i++) longest = MAX(longest, strlen(texts[i]));
    if (count) h5put_text_type(&type, longest);
    else h5put_type(&type, DT_F64); // numpy's idea of an empty list
    snprintf(dims, sizeof dims, "%zu", count);
    h5put_space(&space, file->width, dims);
    for (size_t i = 0; i < count; i++) {
        text_bytes(&data, texts[i], strlen(texts[i]));
        h5put_fill(&data, 1);
        while (data.length < (i + 1) * longest) h5put(&data, 0, 1);
    }
    h5make_attribute(file, object, name, &type, &space, &data);
}

void h5make_fixed_text(H5Make *file, size_t object, const char *name, const char *text) {
    Text type = {0}, space = {0}, data = {0};
    h5put_text_type(&type, MAX(strlen(text), (size_t)1));
    h5put_space(&space, file->width, "");
    text_bytes(&data, text, MAX(strlen(text), (size_t)1));
    h5make_attribute(file, object, name, &type, &space, &data);
}

// Each text has a global heap collection of its own.
void h5make_text(H5Make *file, size_t object, const char *name, const char *text) {
    const size_t length = strlen(text), head = 16, filled = (length + 7) / 8 * 8;
    const size_t needed = 3 * head + filled, size = file->tight ? needed : MAX(needed, (size_t)4096);
    Text heap = {0}, type = {0}, space = {0}, data = {0};
    text_bytes(&heap, "GCOL\1\0\0", 8);
    h5put(&heap, size, file->width);
    h5put_fill(&heap, 8);
    h5put(&heap, 1, 8); // object 1
    h5put(&heap, length, file->width);
    h5put_fill(&heap, 8);
    text_bytes(&heap, text, length);
    h5put_fill(&heap, 1);
    while (heap.length < 2 * head + filled) h5put(&heap, 0, 1);
    h5put(&heap, 0, 8); // free space
    h5put(&heap, size - 2 * head - filled, file->width);
    while (heap.length < size) h5put(&heap, 0, 1);
    const uint64_t address = h5make_text_blob(file, &heap);
    h5put(&type, 0x19, 1);
    h5put(&type, 0x0101, 3); // a text, in UTF-8
    h5put(&type, 8 + file->width, 4);
    h5put(&type, 0x10, 4); // of bytes
    h5put(&type, 1, 4);
    h5put(&type, 0x00080000, 4);
    h5put_space(&space, file->width, "");
    h5put(&data, length, 4);
    h5put(&data, address, file->width);
    h5put(&data, 1, 4);
    h5make_attribute(file, object, name, &type, &space, &data);
}

// ---- groups

typedef struct Child {
    const char *name;
    uint64_t address, at; // of its header; of its name in the heap
} Child;

static int compare_children(const void *a, const void *b) {
    return strcmp(((const Child *)a)->name, ((const Child *)b)->name);
}

static size_t place_children(H5Make *file, size_t group, Child *children) {
    size_t count = 0;
    for (size_t i = 1; i < file->count; i++) {
        if (file->objects[i].parent != group) continue;
        children[count].address = h5make_place(file, i);
        children[count++].name = file->objects[i].name;
    }
    qsort(children, count, sizeof *children, compare_children);
    return count;
}

static uint64_t place_heap(H5Make *file, Child *children, size_t count) {
    Text names = {0}, heap = {0};
    h5put(&names, 0, 8);
    for (size_t i = 0; i < count; i++) {
        children[i].at = names.length;
        text_bytes(&names, children[i].name, strlen(children[i].name) + 1);
        h5put_fill(&names, 8);
    }
    const size_t size = names.length;
    const uint64_t segment = h5make_text_blob(file, &names);
    text_bytes(&heap, "HEAP\0\0\0", 8);
    h5put(&heap, size, file->width);
    h5put(&heap, 1, file->width); // no free space
    h5put(&heap, segment, file->width);
    return h5make_text_blob(file, &heap);
}

static void place_symbols(H5Make *file, const Child *children, size_t count, Child *out) {
    Text table = {0};
    text_bytes(&table, "SNOD\1", 6);
    h5put(&table, count, 2);
    for (size_t i = 0; i < count; i++) {
        h5put(&table, children[i].at, file->width);
        h5put(&table, children[i].address, file->width);
        h5put(&table, 0, 8);
        h5put(&table, 0, 8);
        h5put(&table, 0, 8);
    }
    while (table.length < 8 + SYMBOLS * (2 * file->width + 24)) h5put(&table, 0, 1);
    *out = (Child){.address = h5make_text_blob(file, &table), .at = children[count - 1].at};
}

static void place_node(H5Make *file, unsigned level, const Child *children, size_t count, uint64_t before, Child *out) {
    Text node = {0};
    text_bytes(&node, "TREE", 5);
    h5put(&node, level, 1);
    h5put(&node, count, 2);
    h5put(&node, UINT64_MAX, file->width);
    h5put(&node, UINT64_MAX, file->width);
    h5put(&node, before, file->width);
    for (size_t i = 0; i < count; i++) {
        h5put(&node, children[i].address, file->width);
        h5put(&node, children[i].at, file->width);
    }
    while (node.length < 8 + (3 + 2 * CHILDREN) * file->width) h5put(&node, 0, 1);
    *out = (Child){.address = h5make_text_blob(file, &node), .at = count ? children[count - 1].at : 0};
}

// Tables of 8 symbols, nodes of 32 children, as many levels as it takes. A node's key is the last name below it.
static uint64_t place_tree(H5Make *file, Child *children, size_t count) {
    size_t nodes = 0;
    for (size_t i = 0; i < count; i += SYMBOLS)
        place_symbols(file, children + i, MIN(count - i, (size_t)SYMBOLS), &children[nodes++]);
    for (unsigned level = 0;; level++) {
        const size_t below = nodes;
        uint64_t before = 0;
        nodes = 0;
        for (size_t i = 0; i < MAX(below, (size_t)1); i += CHILDREN) {
            Child node;
            place_node(file, level, children + i, MIN(below - i, (size_t)CHILDREN), before, &node);
            before = node.at;
            children[nodes++] = node;
        }
        if (nodes == 1) return children[0].address;
    }
}

static void add_links(H5Make *file, size_t group) {
    Child *children = calloc(file->count + 1, sizeof *children);
    Text message = {0};
    REQUIRE(children);
    const size_t count = place_children(file, group, children);
    const uint64_t heap = place_heap(file, children, count);
    h5put(&message, place_tree(file, children, count), file->width);
    h5put(&message, heap, file->width);
    h5make_message(file, group, MSG_SYMBOL_TABLE, 0, &message);
    free(children);
}

// ---- headers of version 2

void h5put_message_2(Text *to, unsigned type, unsigned flags, Text *body) {
    h5put(to, type, 1);
    h5put(to, body->length, 2);
    h5put(to, flags, 1);
    put_text(to, body);
}

uint64_t h5make_header_2(H5Make *file, Text *messages) {
    Text header = {0};
    text_bytes(&header, "OHDR\2\2", 6); // the size takes 4 bytes
    h5put(&header, messages->length, 4);
    put_text(&header, messages);
    h5put_checksum(&header);
    return h5make_text_blob(file, &header);
}

// ---- the file

uint64_t h5make_place(H5Make *file, size_t object) {
    Text header = {0};
    if (file->objects[object].address) return file->objects[object].address;
    if (file->objects[object].is_group) add_links(file, object);
    Text *messages = &file->objects[object].messages;
    h5put(&header, 1, 2);
    h5put(&header, file->objects[object].n_messages, 2);
    h5put(&header, 1, 4);
    h5put(&header, messages->length, 4);
    h5put(&header, 0, 4);
    put_text(&header, messages);
    file->objects[object].address = h5make_text_blob(file, &header);
    return file->objects[object].address;
}

static void put_superblock_0(const H5Make *file, uint64_t root, Text *to) {
    h5put(to, 0, 5);
    h5put(to, file->width, 1);
    h5put(to, file->width, 1);
    h5put(to, 0, 1);
    h5put(to, 4, 2);
    h5put(to, 16, 2);
    h5put(to, 0, 4);
    h5put(to, 0, file->width);
    h5put(to, UINT64_MAX, file->width);
    h5put(to, file->file.length, file->width);
    h5put(to, UINT64_MAX, file->width);
    h5put(to, 0, file->width);
    h5put(to, root, file->width);
}

static void put_superblock_2(const H5Make *file, uint64_t root, Text *to) {
    h5put(to, file->version, 1);
    h5put(to, file->width, 1);
    h5put(to, file->width, 1);
    h5put(to, 0, 1);
    h5put(to, 0, file->width);
    h5put(to, UINT64_MAX, file->width);
    h5put(to, file->file.length, file->width);
    h5put(to, root, file->width);
    h5put_checksum(to);
}

Text h5make_finish(H5Make *file) {
    const uint64_t root = file->root ? file->root : h5make_place(file, H5MAKE_ROOT);
    Text superblock = {0}, all = file->file;
    text_bytes(&superblock, "\x89HDF\r\n\x1a\n", 8);
    if (file->version < 2) put_superblock_0(file, root, &superblock);
    else put_superblock_2(file, root, &superblock);
    REQUIRE(superblock.length <= SUPERBLOCK_SPACE && text_status(&all) == ST_OK);
    memcpy(all.data, superblock.data, superblock.length);
    text_free(&superblock);
    for (size_t i = 0; i < file->count; i++) {
        free(file->objects[i].name);
        text_free(&file->objects[i].messages);
    }
    free(file->objects);
    *file = (H5Make){.width = 8};
    return all;
}

const char *h5make_save(H5Make *file, const char *name) {
    const char *path = test_temp(name);
    Text all = h5make_finish(file);
    CHECK_OK(file_write(path, all.data, all.length));
    text_free(&all);
    return path;
}

// What HDF5 writes with libver="latest": headers with checksums, links and attributes in fractal heaps, other indexes
// of chunks. Each piece is made by hand, as small as the format allows.
#include "test.h"
#include "wire/hdf5.h"
#include "wire/hdf5_make.h"
#include "wire/hdf5_parts.h"
#include "wire/hdf5_walk.h"

static Arena arena;

// A file whose root group has these messages of version 2.
static Text finish_root(H5Make *file, Text *messages) {
    file->version = 3;
    file->root = h5make_header_2(file, messages);
    return h5make_finish(file);
}

static H5Object open_text(Text text) {
    static Text all; // reachable, so not a leak
    H5Object root;
    text_free(&all);
    arena_free(&arena);
    all = text;
    CHECK_OK(h5_open(&arena, all.data, all.length, &root));
    return root;
}
static H5Object open_root(H5Make *file, Text *messages) { return open_text(finish_root(file, messages)); }

static void check_status(Status status, Status expected, const char *words) {
    CHECK_INT(status, expected);
    CHECK_MSG(strstr(error_message(), words), "expected '%s' in: %s", words, error_message());
}

static void check_value(const H5Object *from, const char *path, double expected) {
    H5Object object;
    Tensor tensor;
    bool found = false;
    CHECK_OK(h5_find(from, path, &object, &found));
    CHECK_MSG(found, "%s is not there", path);
    if (!found) return;
    CHECK_OK(h5_tensor(&object, &tensor));
    CHECK_MSG(tensor_get(&tensor, 0) == expected, "%s: got %g", path, tensor_get(&tensor, 0));
}

// A dataset of one float32.
static uint64_t place_value(H5Make *file, float value) {
    return h5make_place(file, h5make_floats(file, (size_t)H5MAKE_ALONE, "", "1", &value));
}

static Text link_body(const char *name, unsigned kind, uint64_t address, const char *target) {
    Text body = {0};
    h5put(&body, 1, 1);
    h5put(&body, kind ? 8 : 0, 1);
    if (kind) h5put(&body, kind, 1);
    h5put(&body, strlen(name), 1);
    text_bytes(&body, name, strlen(name));
    if (kind) {
        h5put(&body, strlen(target), 2);
        text_bytes(&body, target, strlen(target));
    } else {
        h5put(&body, address, 8);
    }
    return body;
}
static void put_link(Text *messages, const char *name, unsigned kind, uint64_t address, const char *target) {
    Text body = link_body(name, kind, address, target);
    h5put_message_2(messages, MSG_LINK, 0, &body);
}
static void put_link_info(Text *messages, uint64_t heap, uint64_t tree) {
    Text body = {0};
    h5put(&body, 0, 2);
    h5put(&body, heap, 8);
    h5put(&body, tree, 8);
    h5put_message_2(messages, MSG_LINK_INFO, 0, &body);
}

// ---- headers and links

TEST(links_in_the_header) {
    H5Make file = h5make_begin();
    Text messages = {0}, inner = {0};
    H5Object object;
    const char **names;
    size_t count;
    bool found;
    put_link_info(&inner, UINT64_MAX, UINT64_MAX);
    put_link(&inner, "y", 0, place_value(&file, 2), NULL);
    put_link(&inner, "up", 1, 0, "/x");
    put_link(&inner, "beside", 1, 0, "y");
    put_link_info(&messages, UINT64_MAX, UINT64_MAX);
    put_link(&messages, "x", 0, place_value(&file, 1), NULL);
    put_link(&messages, "g", 0, h5make_header_2(&file, &inner), NULL);
    put_link(&messages, "soft", 1, 0, "g/up");
    put_link(&messages, "nowhere", 1, 0, "g/none");
    put_link(&messages, "circle", 1, 0, "circle");
    put_link(&messages, "other", 64, 0, "file.h5");
    const H5Object root = open_root(&file, &messages);
    check_value(&root, "x", 1);
    check_value(&root, "g/y", 2);
    check_value(&root, "soft", 1);
    check_value(&root, "g/beside", 2);
    CHECK_OK(h5_names(&root, &names, &count));
    CHECK_INT(count, 6);
    CHECK_TEXT(names[0], "circle");
    CHECK_OK(h5_find(&root, "nowhere", &object, &found));
    CHECK(!found);
    check_status(h5_find(&root, "circle", &object, &found), ST_BAD, "at most 16 soft links");
    check_status(h5_find(&root, "other", &object, &found), ST_UNSUPPORTED, "links to other files");
    arena_free(&arena);
}

TEST(headers_go_on_elsewhere) {
    for (int damaged = 0; damaged < 2; damaged++) {
        H5Make file = h5make_begin();
        Text messages = {0}, more = {0}, body = {0};
        text_bytes(&more, "OCHK", 4);
        put_link(&more, "x", 0, place_value(&file, 1), NULL);
        h5put(&more, 0, 3); // a gap
        h5put_checksum(&more);
        if (damaged) more.data[8] ^= 1;
        const uint64_t size = more.length;
        h5put(&body, h5make_text_blob(&file, &more), 8);
        h5put(&body, size, 8);
        put_link_info(&messages, UINT64_MAX, UINT64_MAX);
        h5put_message_2(&messages, MSG_CONTINUATION, 0, &body);
        put_link(&messages, "y", 0, place_value(&file, 2), NULL);
        if (!damaged) {
            const H5Object root = open_root(&file, &messages);
            check_value(&root, "x", 1);
            check_value(&root, "y", 2);
            continue;
        }
        H5Object root;
        file.root = h5make_header_2(&file, &messages);
        Text all = h5make_finish(&file);
        check_status(h5_open(&arena, all.data, all.length, &root), ST_BAD, "the checksum of an object header is wrong");
        text_free(&all);
    }
    arena_free(&arena);
}

TEST(old_headers_go_on_elsewhere) {
    H5Make file = h5make_begin();
    Text more = {0}, body = {0};
    Tensor tensor;
    bool found;
    const size_t group = h5make_object(&file, (size_t)H5MAKE_ALONE, ""); // lends its messages
    Text type = {0}, space = {0}, data = {0};
    h5put_type(&type, DT_U8);
    h5put_space(&space, 8, "");
    h5put(&data, 7, 1);
    h5make_attribute(&file, group, "a", &type, &space, &data);
    text_bytes(&more, file.objects[group].messages.data, file.objects[group].messages.length);
    const uint64_t size = more.length;
    h5put(&body, h5make_text_blob(&file, &more), 8);
    h5put(&body, size, 8);
    h5make_message(&file, H5MAKE_ROOT, MSG_CONTINUATION, 0, &body);
    Text all = h5make_finish(&file);
    H5Object root;
    CHECK_OK(h5_open(&arena, all.data, all.length, &root));
    CHECK_OK(h5_attr_tensor(&root, "a", &tensor, &found));
    CHECK(found && tensor_get(&tensor, 0) == 7);
    arena_free(&arena);
    text_free(&all);
}

TEST(datatypes_that_are_shared) {
    for (unsigned version = 1; version <= 3; version++) {
        H5Make file = h5make_begin();
        Text type = {0}, shared = {0}, space = {0}, layout = {0}, messages = {0};
        const size_t committed = h5make_object(&file, (size_t)H5MAKE_ALONE, "");
        h5put_type(&type, DT_U16);
        h5make_message(&file, committed, MSG_DATATYPE, 0, &type);
        h5put(&shared, version, 1);
        h5put(&shared, version == 3 ? 2 : 0, version == 1 ? 7 : 1);
        h5put(&shared, h5make_place(&file, committed), 8);
        const size_t x = h5make_object(&file, (size_t)H5MAKE_ALONE, "");
        h5make_message(&file, x, MSG_DATATYPE, MSG_SHARED, &shared);
        h5put_space(&space, 8, "1");
        h5make_message(&file, x, MSG_DATASPACE, 0, &space);
        h5put(&layout, 3, 1);
        h5put(&layout, 0, 1);
        h5put(&layout, 2, 2);
        h5put(&layout, 513, 2);
        h5make_message(&file, x, MSG_LAYOUT, 0, &layout);
        put_link_info(&messages, UINT64_MAX, UINT64_MAX);
        put_link(&messages, "x", 0, h5make_place(&file, x), NULL);
        const H5Object root = open_root(&file, &messages);
        check_value(&root, "x", 513);
    }
    arena_free(&arena);
}

// ---- fractal heaps: width 4, blocks of 64 to 128 bytes, so rows 0 to 2 are direct; IDs of 7 bytes

enum { WIDTH = 4, START = 64, MOST = 128, BITS = 32, BLOCK_HEAD = 5 + 8 + 4 + 4, ID_SIZE = 7, NODE = 200 };

typedef struct MadeHeap {
    uint64_t address, root;
    unsigned rows;
    uint64_t huge_tree;
} MadeHeap;

static uint64_t place_heap(H5Make *file, const MadeHeap *heap, unsigned id_size) {
    Text head = {0};
    text_bytes(&head, "FRHP", 5);
    h5put(&head, id_size, 2);
    h5put(&head, 0, 2);
    h5put(&head, 2, 1); // blocks have checksums
    h5put(&head, 100, 4);
    h5put(&head, 0, 8);
    h5put(&head, heap->huge_tree, 8);
    h5put(&head, 0, 8);
    h5put(&head, UINT64_MAX, 8);
    h5put(&head, 1 << 12, 8); // bytes of its space, and how many of them are there
    h5put(&head, 1 << 12, 8);
    for (int i = 0; i < 6; i++) h5put(&head, 0, 8);
    h5put(&head, WIDTH, 2);
    h5put(&head, START, 8);
    h5put(&head, MOST, 8);
    h5put(&head, BITS, 2);
    h5put(&head, 1, 2);
    h5put(&head, heap->root, 8);
    h5put(&head, heap->rows, 2);
    h5put_checksum(&head);
    return h5make_text_blob(file, &head);
}

// A direct block of `size` bytes whose objects are `content`; it takes the bytes behind its head.
static uint64_t place_block(H5Make *file, uint64_t offset, size_t size, Text *content) {
    Text block = {0};
    text_bytes(&block, "FHDB", 5);
    h5put(&block, 0, 8); // the heap's address: not looked at
    h5put(&block, offset, 4);
    h5put(&block, 0, 4);
    text_bytes(&block, text_get(content), content->length);
    text_free(content);
    REQUIRE(block.length <= size);
    while (block.length < size) h5put(&block, 0, 1);
    const uint32_t checksum = h5_lookup3((const uint8_t *)block.data, size, SIZE_MAX); // with zeros in its place
    memcpy(block.data + BLOCK_HEAD - 4, &checksum, 4);
    return h5make_text_blob(file, &block);
}

static void put_id(Text *to, uint64_t offset, uint64_t length) {
    h5put(to, 0, 1);
    h5put(to, offset, 4);
    h5put(to, length, ID_SIZE - 5);
}

static uint64_t place_leaf(H5Make *file, unsigned type, const Text *records) {
    Text leaf = {0};
    text_bytes(&leaf, "BTLF", 5);
    h5put(&leaf, type, 1);
    text_bytes(&leaf, records->data, records->length);
    h5put_checksum(&leaf);
    while (leaf.length < NODE) h5put(&leaf, 0, 1);
    return h5make_text_blob(file, &leaf);
}

static uint64_t place_tree(H5Make *file, unsigned type, unsigned record_size, unsigned depth, uint64_t root,
                           uint64_t n) {
    Text head = {0};
    text_bytes(&head, "BTHD", 5);
    h5put(&head, type, 1);
    h5put(&head, NODE, 4);
    h5put(&head, record_size, 2);
    h5put(&head, depth, 2);
    h5put(&head, 100, 2);
    h5put(&head, root, 8);
    h5put(&head, n, 2);
    h5put(&head, n, 8);
    h5put_checksum(&head);
    return h5make_text_blob(file, &head);
}

typedef struct Record {
    uint32_t hash;
    uint64_t offset, length;
} Record;

static int compare_records(const void *a, const void *b) {
    const uint32_t x = ((const Record *)a)->hash, y = ((const Record *)b)->hash;
    return (x > y) - (x < y);
}

// A tree of link names: one leaf, or a node above three leaves.
static uint64_t place_names(H5Make *file, Record *records, size_t n, bool deep) {
    Text bytes[3] = {{0}}, between = {0}, node = {0};
    qsort(records, n, sizeof *records, compare_records);
    const size_t part = deep ? n / 3 : n;
    uint64_t counts[3] = {0};
    for (size_t i = 0; i < n; i++) {
        const size_t leaf = deep ? MIN(i / part, (size_t)2) : 0;
        Text *to = deep && (i == part || i == 2 * part) ? &between : &bytes[leaf];
        h5put(to, records[i].hash, 4);
        put_id(to, records[i].offset, records[i].length);
        if (to != &between) counts[leaf]++;
    }
    uint64_t root = 0;
    if (deep) {
        text_bytes(&node, "BTIN", 5);
        h5put(&node, 5, 1);
        text_bytes(&node, between.data, between.length);
        for (int i = 0; i < 3; i++) {
            h5put(&node, place_leaf(file, 5, &bytes[i]), 8);
            h5put(&node, counts[i], 1);
        }
        h5put_checksum(&node);
        while (node.length < NODE) h5put(&node, 0, 1);
        root = h5make_text_blob(file, &node);
    } else {
        root = place_leaf(file, 5, &bytes[0]);
    }
    for (int i = 0; i < 3; i++) text_free(&bytes[i]);
    text_free(&between);
    return place_tree(file, 5, 4 + ID_SIZE, deep, root, deep ? 2 : n);
}

static Record record_of(const char *name, uint64_t offset, uint64_t length) {
    return (Record){h5_lookup3((const uint8_t *)name, strlen(name), SIZE_MAX), offset, length};
}

// Ten blocks in rows 0 to 2 (4 of 64, 4 of 64, 2 of 128 bytes), then row 3: tables of 256 bytes, of one row of 4 blocks
// each. A link in each block.
static Text links_file(bool deep) {
    H5Make file = h5make_begin();
    Text messages = {0}, table = {0}, inner = {0};
    Record records[12];
    uint64_t offset = 0, blocks[12];
    char name[16];
    for (unsigned i = 0; i < 12; i++) {
        const size_t size = i < 8 || i >= 10 ? START : MOST;
        if (i == 10) offset = 2 * WIDTH * START + WIDTH * MOST; // row 3
        snprintf(name, sizeof name, "link%u", i);
        Text content = link_body(name, 0, place_value(&file, (float)i), NULL);
        records[i] = record_of(name, offset + BLOCK_HEAD, content.length);
        blocks[i] = place_block(&file, offset, size, &content);
        offset += size;
    }
    text_bytes(&inner, "FHIB", 5);
    h5put(&inner, 0, 8);
    h5put(&inner, 2 * WIDTH * START + WIDTH * MOST, 4);
    for (unsigned i = 0; i < WIDTH; i++) h5put(&inner, i < 2 ? blocks[10 + i] : UINT64_MAX, 8);
    h5put_checksum(&inner);
    text_bytes(&table, "FHIB", 5);
    h5put(&table, 0, 8);
    h5put(&table, 0, 4);
    for (unsigned i = 0; i < 3 * WIDTH; i++) h5put(&table, i < 10 ? blocks[i] : UINT64_MAX, 8);
    const uint64_t below = h5make_text_blob(&file, &inner);
    for (unsigned i = 0; i < WIDTH; i++) h5put(&table, i == 0 ? below : UINT64_MAX, 8);
    h5put_checksum(&table);
    const MadeHeap heap = {.root = h5make_text_blob(&file, &table), .rows = 4, .huge_tree = UINT64_MAX};
    const uint64_t address = place_heap(&file, &heap, ID_SIZE);
    put_link_info(&messages, address, place_names(&file, records, 12, deep));
    return finish_root(&file, &messages);
}

TEST(links_in_a_heap) {
    for (int deep = 0; deep < 2; deep++) {
        const H5Object root = open_text(links_file(deep));
        const char **names;
        char name[16];
        size_t count;
        H5Object object;
        bool found;
        CHECK_OK(h5_names(&root, &names, &count));
        CHECK_INT(count, 12);
        for (unsigned i = 0; i < count; i++) {
            snprintf(name, sizeof name, "link%u", i);
            CHECK_TEXT(names[i], name);
            check_value(&root, name, i);
        }
        CHECK_OK(h5_find(&root, "link12", &object, &found));
        CHECK(!found);
    }
    arena_free(&arena);
}

// One link in a heap whose root is a block; `change` damages something.
static Status open_damaged(int change) {
    H5Make file = h5make_begin();
    Text messages = {0};
    Text content = link_body("x", 0, place_value(&file, 1), NULL);
    Record record = record_of("x", change == 1 ? 60 : change == 2 ? 64 : BLOCK_HEAD, content.length);
    const MadeHeap heap = {.root = place_block(&file, 0, START, &content), .huge_tree = UINT64_MAX};
    if (change == 3) file.file.data[heap.root + BLOCK_HEAD + 20] ^= 1;
    const uint64_t address = place_heap(&file, &heap, ID_SIZE), tree = place_names(&file, &record, 1, false);
    if (change == 4) file.file.data[tree + 10] ^= 1;
    put_link_info(&messages, address, tree);
    const H5Object root = open_root(&file, &messages);
    const char **names;
    size_t count;
    return h5_names(&root, &names, &count);
}

TEST(damaged_heaps) {
    CHECK_OK(open_damaged(0));
    check_status(open_damaged(1), ST_BAD, "bytes more, got 4");
    check_status(open_damaged(2), ST_BAD, "beyond its end");
    check_status(open_damaged(3), ST_BAD, "the checksum of a fractal heap's block is wrong");
    check_status(open_damaged(4), ST_BAD, "the checksum of a B-tree is wrong");
    arena_free(&arena);
}

// ---- attributes

// Version 3, a text of fixed length.
static Text attribute_body(const char *name, const char *text) {
    Text body = {0};
    h5put(&body, 3, 2);
    h5put(&body, strlen(name) + 1, 2);
    h5put(&body, 8, 2);
    h5put(&body, 4, 2);
    h5put(&body, 1, 1); // UTF-8
    text_bytes(&body, name, strlen(name) + 1);
    h5put_text_type(&body, strlen(text));
    h5put(&body, 2, 4); // a scalar, version 2
    text_bytes(&body, text, strlen(text));
    return body;
}

static void check_text(const H5Object *object, const char *name, const char *expected) {
    const char *text;
    CHECK_OK(h5_attr_text(object, name, &text));
    CHECK_MSG(text != NULL, "%s is not there", name);
    if (text) CHECK_TEXT(text, expected);
}

TEST(attributes_of_version_3) {
    H5Make file = h5make_begin();
    Text messages = {0}, body = attribute_body("a", "first"), null = {0};
    put_link_info(&messages, UINT64_MAX, UINT64_MAX);
    h5put_message_2(&messages, MSG_ATTRIBUTE, 0, &body);
    h5put(&null, 2, 2); // version 2, nothing shared
    h5put(&null, 2, 2);
    h5put(&null, 8, 2);
    h5put(&null, 4, 2);
    text_bytes(&null, "n", 2);
    h5put_text_type(&null, 3);
    h5put(&null, 0x02000002, 4); // a null dataspace
    h5put_message_2(&messages, MSG_ATTRIBUTE, 0, &null);
    const H5Object root = open_root(&file, &messages);
    const char **texts;
    size_t count;
    check_text(&root, "a", "first");
    CHECK_OK(h5_attr_texts(&root, "n", &texts, &count));
    CHECK(texts && count == 0);
    arena_free(&arena);
}

static void put_attribute_record(Text *to, const char *name) {
    h5put(to, 0, 1); // flags
    h5put(to, 0, 4); // order of creation
    h5put(to, h5_lookup3((const uint8_t *)name, strlen(name), SIZE_MAX), 4);
}

// One in a block, and one on its own.
static const char *long_text(void) {
    static char text[301];
    memset(text, 'x', 300);
    return text;
}
static Text attributes_file(void) {
    H5Make file = h5make_begin();
    Text messages = {0}, info = {0}, records = {0}, huge = {0};
    Text small = attribute_body("a", "small"), large = attribute_body("b", long_text());
    const uint64_t large_size = large.length, small_size = small.length;
    h5put(&huge, h5make_text_blob(&file, &large), 8);
    h5put(&huge, large_size, 8);
    h5put(&huge, 1, 8);
    const uint64_t huge_tree = place_tree(&file, 1, 24, 0, place_leaf(&file, 1, &huge), 1);
    const MadeHeap heap = {.root = place_block(&file, 0, START, &small), .huge_tree = huge_tree};
    const bool a_first = h5_lookup3((const uint8_t *)"a", 1, SIZE_MAX) < h5_lookup3((const uint8_t *)"b", 1, SIZE_MAX);
    for (int i = 0; i < 2; i++) {
        if ((i == 0) == a_first) {
            put_id(&records, BLOCK_HEAD, small_size);
            put_attribute_record(&records, "a");
        } else {
            h5put(&records, 0x10, 1);
            h5put(&records, 1, ID_SIZE - 1);
            put_attribute_record(&records, "b");
        }
    }
    h5put(&info, 0, 2);
    h5put(&info, place_heap(&file, &heap, ID_SIZE), 8);
    h5put(&info, place_tree(&file, 8, ID_SIZE + 9, 0, place_leaf(&file, 8, &records), 2), 8);
    text_free(&records);
    text_free(&huge);
    put_link_info(&messages, UINT64_MAX, UINT64_MAX);
    h5put_message_2(&messages, MSG_ATTRIBUTE_INFO, 0, &info);
    return finish_root(&file, &messages);
}

TEST(attributes_in_a_heap) {
    const H5Object root = open_text(attributes_file());
    check_text(&root, "a", "small");
    check_text(&root, "b", long_text());
    const char *text;
    CHECK_OK(h5_attr_text(&root, "c", &text));
    CHECK(!text);
    arena_free(&arena);
}

// ---- chunks

// A dataset "x" of `dims` int32 in chunks of 2 elements along its one dimension; `index` puts the layout's end.
typedef uint64_t PlaceIndex(H5Make *file, const uint64_t *chunks, size_t n);
static Text indexed_file(unsigned kind, const char *dims, const char *most, const uint64_t *parameters,
                         PlaceIndex *place) {
    H5Make file = h5make_begin();
    Text messages = {0}, space = {0}, layout = {0}, type = {0};
    const size_t n = (strtoull(dims, NULL, 10) + 1) / 2;
    uint64_t chunks[1100];
    REQUIRE(n <= COUNT_OF(chunks));
    for (size_t i = 0; i < n; i++)
        chunks[i] = h5make_blob(&file, (const int32_t[]){(int32_t)(2 * i), (int32_t)(2 * i + 1)}, 8);
    const size_t x = h5make_object(&file, (size_t)H5MAKE_ALONE, "");
    h5put_type(&type, DT_I32);
    h5make_message(&file, x, MSG_DATATYPE, 0, &type);
    h5put(&space, 2, 1);
    h5put(&space, 1, 1);
    h5put(&space, 1, 1); // with the largest dims
    h5put(&space, 1, 1);
    h5put(&space, strtoull(dims, NULL, 10), 8);
    h5put(&space, strtoull(most, NULL, 10), 8);
    h5make_message(&file, x, MSG_DATASPACE, 0, &space);
    h5put(&layout, 0x0204, 2);
    h5put(&layout, 0, 1);
    h5put(&layout, 2, 1); // dimensions and one
    h5put(&layout, 1, 1); // of a byte
    h5put(&layout, 2, 1);
    h5put(&layout, 4, 1);
    h5put(&layout, kind, 1);
    for (; *parameters != UINT64_MAX; parameters++) h5put(&layout, *parameters, 1);
    h5put(&layout, place(&file, chunks, n), 8);
    h5make_message(&file, x, MSG_LAYOUT, 0, &layout);
    put_link_info(&messages, UINT64_MAX, UINT64_MAX);
    put_link(&messages, "x", 0, h5make_place(&file, x), NULL);
    return finish_root(&file, &messages);
}

static H5Object indexed(unsigned kind, const char *dims, const char *most, const uint64_t *parameters,
                        PlaceIndex *place) {
    const H5Object root = open_text(indexed_file(kind, dims, most, parameters, place));
    H5Object object;
    bool found = false;
    CHECK_OK(h5_find(&root, "x", &object, &found));
    REQUIRE(found);
    return object;
}

// Elements count up, but for those from `gap` up to `gap_end`, which are 0.
static void check_counting(const H5Object *x, int64_t n, int64_t gap, int64_t gap_end) {
    Tensor tensor;
    CHECK_OK(h5_tensor(x, &tensor));
    CHECK_INT(tensor_count(&tensor), n);
    for (int64_t i = 0; i < n; i++) {
        const int64_t expected = i >= gap && i < gap_end ? 0 : i;
        CHECK_MSG(tensor_get_int(&tensor, i) == expected, "element %lld: got %lld", (long long)i,
                  (long long)tensor_get_int(&tensor, i));
    }
}

static uint64_t place_single(H5Make *file, const uint64_t *chunks, size_t n) {
    (void)file, (void)n;
    return chunks[0]; // they lie one behind the other
}

static const uint64_t no_parameters[] = {UINT64_MAX};

TEST(chunks_without_an_index) {
    H5Object x = indexed(INDEX_SINGLE, "2", "2", no_parameters, place_single);
    check_counting(&x, 2, 0, 0);
    x = indexed(INDEX_IMPLICIT, "7", "7", no_parameters, place_single);
    check_counting(&x, 7, 0, 0);
    Tensor tensor;
    x = indexed(INDEX_IMPLICIT, "7", "18446744073709551615", no_parameters, place_single);
    check_status(h5_tensor(&x, &tensor), ST_BAD, "an index of chunks that fits the dimensions");
    x = indexed(9, "7", "7", no_parameters, place_single);
    check_status(h5_tensor(&x, &tensor), ST_BAD, "an index of chunks of kind 1 to 5, got 9");
    arena_free(&arena);
}

static uint64_t place_chunk_tree(H5Make *file, const uint64_t *chunks, size_t n) {
    Text records = {0};
    for (size_t i = 0; i < n; i++) {
        h5put(&records, chunks[i], 8);
        h5put(&records, i, 8);
    }
    const uint64_t tree = place_tree(file, 10, 16, 0, place_leaf(file, 10, &records), n);
    text_free(&records);
    return tree;
}

TEST(chunks_in_a_new_tree) {
    const H5Object x = indexed(INDEX_TREE2, "7", "18446744073709551615",
                               (const uint64_t[]){0, 2, 0, 0, 100, 40, UINT64_MAX}, place_chunk_tree);
    check_counting(&x, 7, 0, 0);
    arena_free(&arena);
}

// A fixed array; with pages of four elements when it has more. The second page was never written.
static uint64_t place_fixed(H5Make *file, const uint64_t *chunks, size_t n) {
    enum { PAGE = 4 };
    Text head = {0}, block = {0};
    h5put_fill(&file->file, 8);
    const uint64_t address = file->file.length, head_size = 4 + 4 + 8 + 8 + 4, block_address = address + head_size;
    text_bytes(&head, "FAHD", 5);
    h5put(&head, 0, 1);
    h5put(&head, 8, 1);
    h5put(&head, 2, 1); // pages of 2^2
    h5put(&head, n, 8);
    h5put(&head, (block_address + 7) / 8 * 8, 8);
    h5put_checksum(&head);
    REQUIRE(h5make_text_blob(file, &head) == address);
    text_bytes(&block, "FADB", 5);
    h5put(&block, 0, 1);
    h5put(&block, address, 8);
    if (n > PAGE) {
        h5put(&block, 0xa0, 1); // the first page and the third
        h5put_checksum(&block);
        for (size_t i = 0; i < n; i += PAGE) {
            Text page = {0};
            for (size_t k = i; k < MIN(n, i + PAGE); k++) h5put(&page, i == PAGE ? 0x1234 : chunks[k], 8);
            h5put_checksum(&page);
            text_bytes(&block, page.data, page.length);
            text_free(&page);
        }
    } else {
        for (size_t i = 0; i < n; i++) h5put(&block, chunks[i], 8);
        h5put_checksum(&block);
    }
    h5make_text_blob(file, &block);
    return address;
}

TEST(chunks_in_a_fixed_array) {
    const uint64_t bits[] = {2, UINT64_MAX};
    H5Object x = indexed(INDEX_FIXED_ARRAY, "7", "7", bits, place_fixed);
    check_counting(&x, 7, 0, 0);
    x = indexed(INDEX_FIXED_ARRAY, "20", "20", bits, place_fixed);
    check_counting(&x, 20, 8, 16);
    Tensor tensor;
    x = indexed(INDEX_FIXED_ARRAY, "7", "18446744073709551615", bits, place_fixed);
    check_status(h5_tensor(&x, &tensor), ST_BAD, "an index of chunks that fits");
    arena_free(&arena);
}

// An extensible array as HDF5 makes it but for its smallest block: 4 elements in the index block, then data blocks
// of 2; 4; 4, 4; 8, 8; ... elements; the index block knows those of the first two super blocks itself.
static uint64_t place_data_block(H5Make *file, const uint64_t *chunks, size_t n, size_t first, size_t size,
                                 uint64_t array) {
    Text block = {0};
    text_bytes(&block, "EADB", 5);
    h5put(&block, 0, 1);
    h5put(&block, array, 8);
    h5put(&block, first - 4, 4);
    for (size_t i = first; i < first + size; i++) h5put(&block, i < n ? chunks[i] : UINT64_MAX, 8);
    h5put_checksum(&block);
    return h5make_text_blob(file, &block);
}

static uint64_t place_extensible(H5Make *file, const uint64_t *chunks, size_t n) {
    enum { BITS32 = 32, FIRST = 4, LEAST = 2, SUPERS = 1 + BITS32 - 1 };
    static const size_t sizes[] = {2, 4, 4, 4, 8, 8};
    Text head = {0}, index = {0}, super = {0};
    uint64_t blocks[COUNT_OF(sizes)], supers[SUPERS];
    size_t first = FIRST;
    const size_t head_size = 4 + 2 + 6 + 6 * 8 + 8 + 4;
    Text nothing = {0};
    while (nothing.length < head_size) h5put(&nothing, 0, 1);
    const uint64_t address = h5make_text_blob(file, &nothing);
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        blocks[i] = place_data_block(file, chunks, n, first, sizes[i], address);
        first += sizes[i];
    }
    for (size_t i = 0; i < SUPERS; i++) supers[i] = UINT64_MAX;
    size_t block = 2; // super block 0 and 1 have a data block each, 2 and 3 have two
    for (size_t i = 0; i < 2; i++) {
        text_bytes(&super, "EASB", 5);
        h5put(&super, 0, 1);
        h5put(&super, address, 8);
        h5put(&super, 0, 4);
        for (size_t k = 0; k < 2 && block < COUNT_OF(sizes); k++) h5put(&super, blocks[block++], 8);
        h5put_checksum(&super);
        supers[i] = h5make_text_blob(file, &super);
    }
    text_bytes(&index, "EAIB", 5);
    h5put(&index, 0, 1);
    h5put(&index, address, 8);
    for (size_t i = 0; i < FIRST; i++) h5put(&index, i < n ? chunks[i] : UINT64_MAX, 8);
    for (size_t i = 0; i < 2; i++) h5put(&index, blocks[i], 8);
    for (size_t i = 0; i < SUPERS - 2; i++) h5put(&index, supers[i], 8);
    h5put_checksum(&index);
    const uint64_t index_address = h5make_text_blob(file, &index);
    text_bytes(&head, "EAHD", 5);
    h5put(&head, 0, 1);
    h5put(&head, 8, 1);
    h5put(&head, BITS32, 1);
    h5put(&head, FIRST, 1);
    h5put(&head, LEAST, 1);
    h5put(&head, 2, 1);
    h5put(&head, 10, 1);
    for (int i = 0; i < 6; i++) h5put(&head, i == 4 ? n : 0, 8); // elements that were written, and what is not read
    h5put(&head, index_address, 8);
    h5put_checksum(&head);
    REQUIRE(head.length == head_size);
    memcpy(file->file.data + address, head.data, head.length);
    text_free(&head);
    return address;
}

TEST(chunks_in_an_extensible_array) {
    const uint64_t parameters[] = {32, 4, 2, 2, 10, UINT64_MAX};
    H5Object x = indexed(INDEX_EXTENSIBLE_ARRAY, "5", "18446744073709551615", parameters, place_extensible);
    check_counting(&x, 5, 0, 0);
    x = indexed(INDEX_EXTENSIBLE_ARRAY, "60", "18446744073709551615", parameters, place_extensible);
    check_counting(&x, 60, 0, 0);
    arena_free(&arena);
}

// ---- seeds

Text h5make_latest(unsigned which) {
    static const char any[] = "18446744073709551615";
    switch (which) {
    case 0: return links_file(false);
    case 1: return links_file(true);
    case 2: return attributes_file();
    case 3: return indexed_file(INDEX_FIXED_ARRAY, "20", "20", (const uint64_t[]){2, UINT64_MAX}, place_fixed);
    case 4:
        return indexed_file(INDEX_EXTENSIBLE_ARRAY, "60", any, (const uint64_t[]){32, 4, 2, 2, 10, UINT64_MAX},
                            place_extensible);
    case 5:
        return indexed_file(INDEX_TREE2, "7", any, (const uint64_t[]){0, 2, 0, 0, 100, 40, UINT64_MAX},
                            place_chunk_tree);
    default: return (Text){0};
    }
}

TEST(what_is_latest_survives_changes) {
    for (unsigned which = 0;; which++) {
        Text all = h5make_latest(which);
        if (!all.data) break;
        CHECK_INT(h5_walk(all.data, all.length).status, ST_OK);
        for (size_t at = 0; at < all.length; at++) {
            CHECK_INT(h5_walk(all.data, at).status, ST_BAD);
            all.data[at] ^= 0x41;
            const Status status = h5_walk(all.data, all.length).status;
            CHECK_MSG(status == ST_OK || status == ST_BAD || status == ST_UNSUPPORTED, "byte %zu: %d", at, status);
            all.data[at] ^= 0x41;
        }
        text_free(&all);
    }
}

// HDF5 files that are cut, changed, that lie, lead in circles, or ask for far too much.
#include "base/clock.h"
#include "test.h"
#include "wire/hdf5.h"
#include "wire/hdf5_make.h"
#include "wire/hdf5_parts.h"
#include "wire/hdf5_walk.h"
#include <zlib.h>

enum { END_AT = 40, ROOT_AT = 64 }; // of a superblock of version 0

static Text small_file(void) {
    const float values[4] = {1, 2, 3, 4};
    H5Make file = h5make_begin();
    file.tight = true;
    h5make_text(&file, H5MAKE_ROOT, "model_config", "{\"class_name\": 1}");
    const size_t group = h5make_group(&file, H5MAKE_ROOT, "g");
    h5make_texts(&file, group, "weight_names", (const char *const[]){"x", "yz"}, 2);
    h5make_floats(&file, group, "x", "2,2", values);
    return h5make_finish(&file);
}

static void set_end(Text *all, size_t size) {
    for (unsigned i = 0; i < 8; i++) all->data[END_AT + i] = (char)(size >> 8 * i);
}

static void check_walk(const void *bytes, size_t size, Status expected, const char *words) {
    const H5Walk walk = h5_walk(bytes, size);
    CHECK_INT(walk.status, expected);
    CHECK_MSG(strstr(walk.message, words), "expected '%s' in: %s", words, walk.message);
}

TEST(hdf5_cut_at_every_byte) {
    Text all = small_file();
    H5Walk walk = h5_walk(all.data, all.length);
    CHECK_INT(walk.status, ST_OK);
    CHECK(walk.objects == 3 && walk.texts >= 4);
    for (size_t size = 0; size < all.length; size++) {
        // Behind the signature the end of the file tells it; without that what is missing is found as it is read.
        char *cut = malloc(size + 1);
        REQUIRE(cut);
        memcpy(cut, all.data, size);
        CHECK_INT(h5_walk(cut, size).status, ST_BAD);
        if (size > END_AT + 8) {
            Text text = {.data = cut};
            set_end(&text, size);
            CHECK_INT(h5_walk(cut, size).status, ST_BAD);
        }
        free(cut);
    }
    text_free(&all);
}

TEST(hdf5_every_byte_changed) {
    Text all = small_file();
    for (size_t at = 0; at < all.length; at++) {
        static const uint8_t changes[] = {1, 2, 8, 0x80, 0xff};
        for (size_t i = 0; i < COUNT_OF(changes); i++) {
            all.data[at] ^= (char)changes[i];
            const Status status = h5_walk(all.data, all.length).status;
            CHECK_MSG(status == ST_OK || status == ST_BAD || status == ST_UNSUPPORTED, "byte %zu: %d", at, status);
            all.data[at] ^= (char)changes[i];
        }
    }
    text_free(&all);
}

TEST(hdf5_addresses_that_lie) {
    static const uint64_t lies[] = {0, 1, 0x7fffffff, UINT64_C(1) << 62, UINT64_MAX - 1, UINT64_MAX};
    Text all = small_file();
    for (size_t at = 24; at + 8 <= all.length; at += 8) {
        char kept[8];
        memcpy(kept, all.data + at, 8);
        for (size_t i = 0; i < COUNT_OF(lies); i++) {
            memcpy(all.data + at, &lies[i], 8);
            const Status status = h5_walk(all.data, all.length).status;
            CHECK_MSG(status == ST_OK || status == ST_BAD || status == ST_UNSUPPORTED, "byte %zu: %d", at, status);
        }
        memcpy(all.data + at, kept, 8);
    }
    memcpy(all.data + ROOT_AT, &lies[3], 8);
    check_walk(all.data, all.length, ST_BAD, "expected the address of an object header within");
    text_free(&all);
}

// ---- circles

// A root group with a B-tree that `fill` makes at a known address.
typedef void FillTree(H5Make *file, uint64_t tree, Text *node);
static Text with_tree(FillTree *fill, uint64_t *tree) {
    H5Make file = h5make_begin();
    Text heap = {0}, message = {0}, node = {0};
    text_bytes(&heap, "HEAP\0\0\0", 8);
    h5put(&heap, 16, 8);
    h5put(&heap, 1, 8);
    h5put(&heap, h5make_blob(&file, "\0\0\0\0\0\0\0\0x\0\0\0\0\0\0\0", 16), 8);
    const uint64_t heap_address = h5make_text_blob(&file, &heap);
    h5put_fill(&file.file, 8);
    *tree = file.file.length;
    fill(&file, *tree, &node);
    const uint64_t placed = h5make_text_blob(&file, &node);
    h5put(&message, placed, 8);
    h5put(&message, heap_address, 8);
    const size_t root = h5make_object(&file, (size_t)H5MAKE_ALONE, "");
    h5make_message(&file, root, MSG_SYMBOL_TABLE, 0, &message);
    file.root = h5make_place(&file, root);
    return h5make_finish(&file);
}

static void put_node(Text *node, unsigned level, unsigned n, const uint64_t *children) {
    text_bytes(node, "TREE", 5);
    h5put(node, level, 1);
    h5put(node, n, 2);
    h5put(node, UINT64_MAX, 8);
    h5put(node, UINT64_MAX, 8);
    h5put(node, 0, 8);
    for (unsigned i = 0; i < n; i++) {
        h5put(node, children[i], 8);
        h5put(node, 8, 8);
    }
}

static void lead_to_itself(H5Make *file, uint64_t tree, Text *node) {
    (void)file;
    put_node(node, 3, 1, &tree);
}

// Thirty levels of nodes with 32 children, which are all the same node one level down.
static void lead_on_and_on(H5Make *file, uint64_t tree, Text *node) {
    uint64_t children[32], below = tree;
    for (unsigned level = 0; level < 30; level++) {
        for (size_t i = 0; i < COUNT_OF(children); i++) children[i] = below;
        text_free(node);
        *node = (Text){0};
        if (level == 0) text_bytes(node, "SNOD\1\0\0\0", 8);
        else put_node(node, level - 1, COUNT_OF(children), children);
        if (level < 29) below = h5make_text_blob(file, node);
    }
}

TEST(trees_in_circles) {
    uint64_t tree;
    Text all = with_tree(lead_to_itself, &tree);
    check_walk(all.data, all.length, ST_BAD, "B-tree of less than 3 levels, got type 0, level 3");
    text_free(&all);
    const uint64_t start = clock_ns();
    all = with_tree(lead_on_and_on, &tree);
    check_walk(all.data, all.length, ST_BAD, "got the same ones again and again");
    CHECK_MSG(clock_ms_since(start) < 5000, "%.0f ms", clock_ms_since(start));
    text_free(&all);
}

TEST(groups_in_circles) {
    H5Make file = h5make_begin();
    const size_t a = h5make_group(&file, H5MAKE_ROOT, "a");
    file.objects[a].address = 1; // placed "already": by hand, below
    H5Object root, object;
    bool found = false;
    Arena arena = {0};
    char path[4001] = "";
    Text all = h5make_finish(&file);
    // The symbol table's only entry leads to the root itself.
    for (size_t at = 96; at + 24 < all.length; at++) {
        if (memcmp(all.data + at, "SNOD", 4)) continue;
        memcpy(all.data + at + 8 + 8, all.data + ROOT_AT, 8);
    }
    CHECK_INT(h5_walk(all.data, all.length).status, ST_OK); // as deep as it likes
    for (size_t i = 0; i + 2 < sizeof path; i += 2) memcpy(path + i, "a/", 3);
    CHECK_OK(h5_open(&arena, all.data, all.length, &root));
    CHECK_OK(h5_find(&root, path, &object, &found));
    CHECK(found && object.address == root.address);
    arena_free(&arena);
    text_free(&all);
}

TEST(continuations_in_circles) {
    H5Make file = h5make_begin();
    Text body = {0}, more = {0};
    h5put_fill(&file.file, 8);
    const uint64_t here = file.file.length;
    for (int i = 0; i < 2; i++) { // a chunk that says twice that it goes on with itself
        h5put(&more, MSG_CONTINUATION, 2);
        h5put(&more, 16, 2);
        h5put(&more, 0, 4);
        h5put(&more, here, 8);
        h5put(&more, 48, 8);
    }
    REQUIRE(h5make_text_blob(&file, &more) == here);
    h5put(&body, here, 8);
    h5put(&body, 48, 8);
    h5make_message(&file, H5MAKE_ROOT, MSG_CONTINUATION, 0, &body);
    Text all = h5make_finish(&file);
    check_walk(all.data, all.length, ST_BAD, "at most 64 continuations of an object header at once");
    memset(all.data + here + 24, 0, 8); // once only: nothing, of 0 bytes
    const uint64_t start = clock_ns();
    check_walk(all.data, all.length, ST_BAD, "got the same ones again and again");
    CHECK_MSG(clock_ms_since(start) < 5000, "%.0f ms", clock_ms_since(start));
    text_free(&all);
}

// ---- lists of texts

TEST(texts_that_are_all_the_same_one) {
    H5Make file = h5make_begin();
    Text heap = {0}, type = {0}, space = {0}, data = {0};
    enum { COUNT = 4000, LONG = 1 << 20 };
    text_bytes(&heap, "GCOL\1\0\0", 8);
    h5put(&heap, 32 + LONG, 8);
    h5put(&heap, 1, 8);
    h5put(&heap, LONG, 8);
    while (heap.length < 32 + LONG) text_bytes(&heap, "xxxxxxxxxxxxxxxx", 16);
    const uint64_t address = h5make_text_blob(&file, &heap);
    h5put(&type, 0x010119, 4);
    h5put(&type, 16, 4);
    h5put_type(&type, DT_U8);
    h5put_space(&space, 8, "4000");
    for (int i = 0; i < COUNT; i++) {
        h5put(&data, LONG, 4);
        h5put(&data, address, 8);
        h5put(&data, 1, 4);
    }
    h5make_attribute(&file, H5MAKE_ROOT, "a", &type, &space, &data);
    Text all = h5make_finish(&file);
    Arena arena = {0};
    H5Object root;
    const char **texts;
    size_t count;
    CHECK_OK(h5_open(&arena, all.data, all.length, &root));
    CHECK_INT(h5_attr_texts(&root, "a", &texts, &count), ST_BAD);
    CHECK_MSG(strstr(error_message(), "again and again"), "%s", error_message());
    CHECK_MSG(arena.total < (size_t)1 << 28, "%zu bytes", arena.total);
    arena_free(&arena);
    text_free(&all);
}

// ---- much from little

// A dataset of one chunk: `dims` of the dataset and the chunk.
static Text one_chunk(const char *dims, uint64_t chunk, const void *bytes, size_t size) {
    H5Make file = h5make_begin();
    const size_t x = h5make_dataset(&file, H5MAKE_ROOT, "x", DT_U8, dims);
    Text node = {0}, layout = {0}, filters = {0};
    text_bytes(&node, "TREE\1", 6);
    h5put(&node, 1, 2);
    h5put(&node, UINT64_MAX, 8);
    h5put(&node, UINT64_MAX, 8);
    h5put(&node, size, 4);
    h5put(&node, 0, 4);
    h5put(&node, 0, 16);
    h5put(&node, h5make_blob(&file, bytes, size), 8);
    h5put(&layout, 0x020203, 3);
    h5put(&layout, h5make_text_blob(&file, &node), 8);
    h5put(&layout, chunk, 4);
    h5put(&layout, 1, 4);
    h5make_message(&file, x, MSG_LAYOUT, 0, &layout);
    h5put(&filters, 0x0102, 2);
    h5put(&filters, 1, 4); // deflate, in a pipeline of version 2
    h5put(&filters, 0, 2);
    h5make_message(&file, x, MSG_FILTERS, 0, &filters);
    return h5make_finish(&file);
}

TEST(chunks_that_unpack_to_far_too_much) {
    enum { MANY = 1 << 20 };
    uint8_t *zeros = calloc(1, MANY), packed[4096];
    uLongf size = sizeof packed;
    REQUIRE(zeros && compress2(packed, &size, zeros, MANY, 9) == Z_OK);
    Text all = one_chunk("1048576", MANY, packed, size);
    CHECK_INT(h5_walk(all.data, all.length).status, ST_OK);
    text_free(&all);
    all = one_chunk("1048577", MANY + 1, packed, size); // one less than is asked for
    check_walk(all.data, all.length, ST_BAD, "expected a chunk of 1048577 bytes, got 1048576");
    text_free(&all);
    all = one_chunk("400000000", 400000000, packed, size);
    check_walk(all.data, all.length, ST_UNSUPPORTED, "is too much; write it without compression");
    text_free(&all);
    all = one_chunk("4", 4000000000, packed, size);
    check_walk(all.data, all.length, ST_UNSUPPORTED, "is too much");
    text_free(&all);
    all = one_chunk("18000000000", 1, packed, size);
    check_walk(all.data, all.length, ST_UNSUPPORTED, "is too much");
    text_free(&all);
    free(zeros);
}

TEST(datasets_of_nothing) {
    H5Make file = h5make_begin();
    const size_t x = h5make_dataset(&file, H5MAKE_ROOT, "x", DT_F64, "1000000,1000000,1000000");
    Text layout = {0};
    h5put(&layout, 0x0103, 2);
    h5put(&layout, UINT64_MAX, 8);
    h5put(&layout, 0, 8);
    h5make_message(&file, x, MSG_LAYOUT, 0, &layout);
    Text all = h5make_finish(&file);
    check_walk(all.data, all.length, ST_UNSUPPORTED, "is too much");
    text_free(&all);
}

// A hundred small headers of datasets that share the same bytes, which do not lie well: each is copied.
TEST(datasets_that_share_their_bytes) {
    enum { BYTES = 1 << 22 };
    H5Make file = h5make_begin();
    char name[16];
    uint8_t *zeros = calloc(1, BYTES + 8);
    REQUIRE(zeros);
    const uint64_t address = h5make_blob(&file, zeros, BYTES + 8) + 1;
    for (int i = 0; i < 100; i++) {
        Text layout = {0};
        snprintf(name, sizeof name, "x%d", i);
        const size_t x = h5make_dataset(&file, H5MAKE_ROOT, name, DT_F32, "1048576");
        h5put(&layout, 0x0103, 2);
        h5put(&layout, address, 8);
        h5put(&layout, BYTES, 8);
        h5make_message(&file, x, MSG_LAYOUT, 0, &layout);
    }
    Text all = h5make_finish(&file);
    check_walk(all.data, all.length, ST_UNSUPPORTED, "is too much");
    text_free(&all);
    free(zeros);
}

TEST(names_without_an_end) {
    H5Make file = h5make_begin();
    char name[5001];
    memset(name, 'n', 5000);
    name[5000] = 0;
    h5make_group(&file, H5MAKE_ROOT, name);
    Text all = h5make_finish(&file);
    check_walk(all.data, all.length, ST_BAD, "expected a name of at most 4096 bytes");
    text_free(&all);
}

TEST(names_that_come_twice) {
    H5Make file = h5make_begin();
    h5make_group(&file, H5MAKE_ROOT, "same");
    h5make_group(&file, H5MAKE_ROOT, "same");
    Text all = h5make_finish(&file);
    check_walk(all.data, all.length, ST_BAD, "expected same once in its group, got it twice");
    text_free(&all);
}

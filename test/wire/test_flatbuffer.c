// The layout is written out by hand once, so that writer and reader are not wrong alike; damage is done to what the
// writer makes.
#include "test.h"
#include "wire/flatbuffer.h"
#include "wire/flatbuffer_make.h"

#define BUFFER(...) fb_buffer((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

TEST(a_table_by_hand) {
    FbBuffer buffer = BUFFER(14, 0, 0, 0,            // the root is at 14
                             10, 0, 12, 0,           // vtable at 4: 10 bytes, the table has 12
                             4, 0, 0, 0, 8, 0,       // field 0 at 4, field 1 absent, field 2 at 8
                             10, 0, 0, 0,            // table at 14, its vtable 10 before
                             0xfe, 0xff, 0xff, 0xff, // field 0: -2
                             0, 0, 0xc0, 0x3f);      // field 2: 1.5f
    const FbTable root = fb_root(&buffer);
    CHECK(fb_present(root));
    CHECK_INT(fb_int32(root, 0, 7), -2);
    CHECK_INT(fb_uint32(root, 0, 7), 4294967294u);
    CHECK_INT(fb_int8(root, 0, 7), -2);
    CHECK_INT(fb_uint8(root, 0, 7), 254);
    CHECK_INT(fb_int32(root, 1, 7), 7);
    CHECK(fb_float(root, 2, 0) == 1.5f);
    CHECK_INT(fb_int32(root, 3, 9), 9); // beyond the vtable: an older writer
    CHECK(fb_float(root, 1000, 0.25f) == 0.25f);
    CHECK_INT(buffer.status, ST_OK);
    CHECK_INT(fb_uint64(root, 2, 0), 0); // 8 bytes would be behind the table's end
    CHECK_INT(buffer.status, ST_BAD);
}

TEST(a_vtable_may_stand_behind_its_table) {
    FbBuffer buffer = BUFFER(4, 0, 0, 0, 0xf8, 0xff, 0xff, 0xff, 5, 0, 0, 0, 6, 0, 8, 0, 4, 0);
    CHECK_INT(fb_int32(fb_root(&buffer), 0, 0), 5);
    CHECK_INT(buffer.status, ST_OK);
}

// Field 0: an int, 1: a string, 2: a vector of int32, 3: a table {0: uint64}, 4: a vector of tables {0: int8}.
static Text sample(void) {
    Text out = {0};
    size_t at[5], inner[1];
    fbm_head(&out, "TEST");
    fbm_link(&out, 0, fbm_table(&out, (const uint8_t[]){4, 4, 4, 4, 4}, 5, at));
    fbm_number(&out, at[0], 3, 4);
    fbm_link(&out, at[1], fbm_string(&out, "h\xc3\xa9"));
    fbm_link(&out, at[2], fbm_vector(&out, 3, 4, (const int32_t[]){1, -2, 3}, 4));
    fbm_link(&out, at[3], fbm_table(&out, (const uint8_t[]){8}, 1, inner));
    fbm_number(&out, inner[0], UINT64_C(0x123456789abcdef0), 8);
    const size_t list = fbm_vector(&out, 2, 4, NULL, 4);
    fbm_link(&out, at[4], list);
    for (size_t i = 0; i < 2; i++) {
        fbm_link(&out, list + 4 + 4 * i, fbm_table(&out, (const uint8_t[]){1}, 1, inner));
        fbm_number(&out, inner[0], 5 + i, 1);
    }
    return out;
}

// Reads all of it; the numbers are summed up, so that nothing is skipped.
static Status read_sample(const void *bytes, size_t size, int64_t *sum) {
    Arena arena = {0};
    FbBuffer buffer = fb_buffer(bytes, size);
    error_clear();
    const FbTable root = fb_root(&buffer);
    *sum = fb_int32(root, 0, 0);
    const char *text = fb_string(root, 1, &arena, 10);
    if (text) *sum += (int64_t)strlen(text);
    const FbVector ints = fb_vector(root, 2, 4), tables = fb_vector(root, 4, FB_OFFSET);
    for (uint32_t i = 0; i < ints.count; i++) *sum += fb_int32_at(ints, i);
    *sum += (int64_t)(fb_uint64(fb_table(root, 3), 0, 0) & 0xff);
    for (uint32_t i = 0; i < tables.count; i++) *sum += fb_int8(fb_table_at(tables, i), 0, 0);
    arena_free(&arena);
    return buffer.status;
}

TEST(everything_that_fields_point_at) {
    Text out = sample();
    int64_t sum;
    CHECK_OK(read_sample(out.data, out.length, &sum));
    CHECK_INT(sum, 3 + 3 + 2 + 0xf0 + 11);
    text_free(&out);
}

TEST(any_address_will_do) {
    Text out = sample();
    char *moved = malloc(out.length + 8);
    REQUIRE(moved);
    for (size_t shift = 0; shift < 8; shift++) {
        int64_t sum;
        memcpy(moved + shift, out.data, out.length);
        CHECK_OK(read_sample(moved + shift, out.length, &sum));
        CHECK_INT(sum, 3 + 3 + 2 + 0xf0 + 11);
    }
    free(moved);
    text_free(&out);
}

TEST(what_is_absent_has_its_default) {
    FbBuffer buffer = BUFFER(8, 0, 0, 0, 4, 0, 4, 0, 4, 0, 0, 0);
    Arena arena = {0};
    const FbTable root = fb_root(&buffer), none = fb_table(root, 0);
    CHECK(fb_present(root) && !fb_present(none));
    CHECK_INT(fb_int32(none, 0, 42), 42);
    CHECK(!fb_present(fb_table(none, 3)));
    CHECK_INT(fb_vector(none, 1, 4).count, 0);
    CHECK(fb_vector(root, 1, 4).data == NULL);
    CHECK_TEXT(fb_string(root, 2, &arena, 10), "");
    CHECK_INT(buffer.status, ST_OK);
    arena_free(&arena);
}

static void check_bad(const uint8_t *bytes, size_t size, const char *words) {
    FbBuffer buffer = fb_buffer(bytes, size);
    error_clear();
    (void)fb_int32(fb_root(&buffer), 0, 0);
    CHECK_INT(buffer.status, ST_BAD);
    CHECK_MSG(strstr(error_message(), words), "expected '%s' in: %s", words, error_message());
    CHECK(!fb_present(fb_root(&buffer))); // sticky
}
#define BAD(words, ...) check_bad((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}), words)

TEST(tables_that_lie) {
    check_bad(NULL, 0, "byte 0: expected 4 bytes of an offset, got the end of the file at 0");
    BAD("byte 0: expected 4 bytes", 8, 0, 0);
    BAD("byte 0: expected an offset that leads to a later byte", 0, 0, 0, 0);
    BAD("later byte of the file, got 4294967295", 0xff, 0xff, 0xff, 0xff);
    BAD("later byte of the file, got 8", 8, 0, 0, 0, 0, 0, 0, 0);
    BAD("byte 6: expected 4 bytes of a table", 6, 0, 0, 0, 0, 0, 0, 0);
    BAD("byte 4: expected a distance to a vtable in the file, got 5", 4, 0, 0, 0, 5, 0, 0, 0);
    BAD("byte 2147483652: expected 4 bytes of a vtable", 4, 0, 0, 0, 0, 0, 0, 0x80);
    BAD("byte 4: expected an even number of bytes of a vtable, 4 at least, got 2", 8, 0, 0, 0, 2, 0, 4, 0, 4, 0, 0, 0);
    BAD("an even number", 8, 0, 0, 0, 7, 0, 4, 0, 4, 0, 0, 0);
    BAD("at least 4 bytes of a table, got 3", 8, 0, 0, 0, 4, 0, 3, 0, 4, 0, 0, 0);
    BAD("byte 8: expected 5 bytes of a table", 8, 0, 0, 0, 4, 0, 5, 0, 4, 0, 0, 0);
    BAD("byte 4: expected 40 bytes of a vtable", 8, 0, 0, 0, 40, 0, 4, 0, 4, 0, 0, 0);
    BAD("byte 8: expected the offset of a field inside of its table, got 3", 10, 0, 0, 0, 6, 0, 8, 0, 3, 0, 6, 0, 0, 0,
        0, 0, 0, 0);
    BAD("inside of its table, got 5", 10, 0, 0, 0, 6, 0, 8, 0, 5, 0, 6, 0, 0, 0, 0, 0, 0, 0);
    BAD("inside of its table, got 65535", 10, 0, 0, 0, 6, 0, 8, 0, 0xff, 0xff, 6, 0, 0, 0, 0, 0, 0, 0);
}

// The vector of field 0 of a table at 10, with that count; 4 bytes are there.
static FbVector counted(FbBuffer *buffer, uint8_t bytes[26], uint32_t count, size_t element_size) {
    static const uint8_t whole[26] = {10, 0, 0, 0, 6, 0, 8, 0, 4, 0, 6, 0, 0, 0, 4, 0, 0, 0};
    memcpy(bytes, whole, sizeof whole);
    memcpy(bytes + 18, &count, 4);
    *buffer = fb_buffer(bytes, 26);
    error_clear();
    return fb_vector(fb_root(buffer), 0, element_size);
}

TEST(vectors_that_lie) {
    FbBuffer buffer;
    uint8_t bytes[26];
    CHECK_INT(counted(&buffer, bytes, 4, 1).count, 4);
    CHECK_INT(counted(&buffer, bytes, 1, 4).count, 1);
    CHECK_INT(counted(&buffer, bytes, 0, 4).count, 0);
    CHECK_INT(buffer.status, ST_OK);
    CHECK_INT(counted(&buffer, bytes, 5, 1).count, 0);
    CHECK_INT(buffer.status, ST_BAD);
    CHECK(strstr(error_message(), "byte 22: expected 5 bytes of a vector, got the end of the file at 26"));
    CHECK_INT(counted(&buffer, bytes, 0xffffffff, 8).count, 0);
    CHECK_INT(buffer.status, ST_BAD);
    CHECK_INT(counted(&buffer, bytes, 0x40000000, 4).count, 0);
    CHECK_INT(buffer.status, ST_BAD);
}

TEST(texts_that_are_none) {
    FbBuffer buffer;
    uint8_t bytes[26];
    Arena arena = {0};
    counted(&buffer, bytes, 3, 1);
    memcpy(bytes + 22, "abc", 3);
    CHECK_TEXT(fb_string(fb_root(&buffer), 0, &arena, 3), "abc");
    CHECK(!fb_string(fb_root(&buffer), 0, &arena, 2));
    CHECK_INT(buffer.status, ST_BAD);
    CHECK(strstr(error_message(), "byte 22: expected a text of at most 2 bytes, got 3"));
    counted(&buffer, bytes, 3, 1);
    memcpy(bytes + 22, "a\0c", 3);
    CHECK(!fb_string(fb_root(&buffer), 0, &arena, 10));
    CHECK(strstr(error_message(), "zero byte"));
    counted(&buffer, bytes, 3, 1);
    memcpy(bytes + 22,
           "a\xff"
           "c",
           3);
    CHECK(!fb_string(fb_root(&buffer), 0, &arena, 10));
    CHECK(strstr(error_message(), "UTF-8"));
    arena_free(&arena);
}

TEST(cut_at_every_byte) {
    Text out = sample();
    for (size_t size = 0; size < out.length; size++) {
        int64_t sum;
        uint8_t *cut = malloc(size + 1); // so that a sanitizer sees a byte too many
        REQUIRE(cut);
        memcpy(cut, out.data, size);
        CHECK_INT(read_sample(cut, size, &sum), ST_BAD);
        CHECK(*error_message() && !strchr(error_message(), '\n'));
        free(cut);
    }
    text_free(&out);
}

TEST(every_byte_changed) {
    Text out = sample();
    uint8_t *changed = malloc(out.length);
    REQUIRE(changed);
    for (size_t at = 0; at < out.length; at++) {
        for (int value = 0; value < 256; value++) {
            int64_t sum;
            memcpy(changed, out.data, out.length);
            changed[at] = (uint8_t)value;
            const Status status = read_sample(changed, out.length, &sum);
            CHECK(status == ST_OK || (status == ST_BAD && *error_message()));
        }
    }
    free(changed);
    text_free(&out);
}

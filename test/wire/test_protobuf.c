#include "base/text.h"
#include "test.h"
#include "wire/protobuf.h"

#define READER(...) pb_reader((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

// Reads all fields; the status, and the message in error_message().
static Status read_all(PbReader reader, int *fields) {
    PbField field;
    error_clear();
    for (*fields = 0; pb_next(&reader, &field);) ++*fields;
    return reader.status;
}

static void check_bad(PbReader reader, const char *words) {
    int fields;
    CHECK_INT(read_all(reader, &fields), ST_BAD);
    CHECK_MSG(strstr(error_message(), words), "expected '%s' in: %s", words, error_message());
}

TEST(one_field_of_each_wire_type) {
    PbReader reader = READER(0x08, 0x96, 0x01,                // 1: varint 150
                             0x11, 1, 0, 0, 0, 0, 0, 0, 0x80, // 2: fixed64
                             0x1a, 3, 'a', 'b', 'c',          // 3: bytes
                             0x25, 0, 0, 0x80, 0x3f,          // 4: fixed32, 1.0f
                             0x80, 0x80, 0x01, 0x07);         // field 2048
    PbField field;
    REQUIRE(pb_next(&reader, &field));
    CHECK_INT(field.number, 1);
    CHECK_INT(pb_int64(&reader, &field), 150);
    REQUIRE(pb_next(&reader, &field));
    CHECK(field.wire == PB_FIXED64 && field.bits == UINT64_C(0x8000000000000001));
    REQUIRE(pb_next(&reader, &field));
    CHECK_INT(field.offset, 12);
    CHECK(field.size == 3 && memcmp(field.data, "abc", 3) == 0);
    REQUIRE(pb_next(&reader, &field));
    CHECK(pb_float(&reader, &field) == 1.0f);
    REQUIRE(pb_next(&reader, &field));
    CHECK_INT(field.number, 2048);
    CHECK_INT(pb_int64(&reader, &field), 7);
    CHECK(!pb_next(&reader, &field));
    CHECK_INT(reader.status, ST_OK);
}

TEST(nothing_is_an_empty_message) {
    int fields;
    CHECK_INT(read_all(pb_reader(NULL, 0), &fields), ST_OK);
    CHECK_INT(fields, 0);
}

TEST(varints_are_64_bits) {
    PbReader reader = READER(0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01);
    PbField field;
    REQUIRE(pb_next(&reader, &field));
    CHECK_INT(pb_int64(&reader, &field), -1);
    check_bad(READER(0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02), "at most 10 bytes");
    check_bad(READER(0x08, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01), "at most 10 bytes");
    check_bad(READER(0x08, 0x80), "byte 1: expected an integer");
}

TEST(what_is_cut_or_foreign_is_told_with_its_place) {
    check_bad(READER(0x08, 0x01, 0x1a, 5, 'a'), "byte 3: expected 5 bytes for field 3, got 1");
    check_bad(READER(0x1a, 2, 'a'), "byte 1: expected 2 bytes for field 3, got 1");
    check_bad(READER(0x1a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01, 0), "for field 3, got 1");
    check_bad(READER(0x11, 1, 2, 3), "byte 1: expected a number of 8 bytes, got 3");
    check_bad(READER(0x25, 1, 2, 3), "byte 1: expected a number of 4 bytes, got 3");
    check_bad(READER(0x0b, 0x0c), "group");
    check_bad(READER(0x08, 0x01, 0x0e), "byte 2: expected a wire type");
    check_bad(READER(0x00, 0x01), "field number of 1 to 536870911, got 0");
    check_bad(READER(0x80, 0x80, 0x80, 0x80, 0x10, 0x01), "field number");
}

TEST(a_wrong_wire_type_stays_wrong) {
    PbReader reader = READER(0x08, 0x01, 0x10, 0x02);
    PbField field;
    REQUIRE(pb_next(&reader, &field));
    CHECK(pb_float(&reader, &field) == 0);
    CHECK_INT(reader.status, ST_BAD);
    CHECK_TEXT(error_message(), "byte 0: expected 4 bytes for field 1, got an integer");
    CHECK_INT(pb_int64(&reader, &field), 0);
    CHECK(!pb_next(&reader, &field));
}

TEST(strings_are_checked) {
    Arena arena = {0};
    PbReader reader = READER(0x0a, 2, 0xc3, 0xa9, 0x0a, 2, 'a', 0, 0x0a, 1, 0xff);
    PbField field;
    REQUIRE(pb_next(&reader, &field));
    CHECK_TEXT(pb_string(&reader, &field, &arena, 2), "\xc3\xa9");
    PbReader nul = reader;
    REQUIRE(pb_next(&nul, &field));
    CHECK(!pb_string(&nul, &field, &arena, 10) && nul.status == ST_BAD);
    PbReader latin = READER(0x0a, 1, 0xff);
    REQUIRE(pb_next(&latin, &field));
    CHECK(!pb_string(&latin, &field, &arena, 10) && latin.status == ST_BAD);
    PbReader longer = READER(0x0a, 3, 'a', 'b', 'c');
    REQUIRE(pb_next(&longer, &field));
    CHECK(!pb_string(&longer, &field, &arena, 2) && longer.status == ST_BAD);
    arena_free(&arena);
}

TEST(lists_packed_and_not) {
    const PbReader message = READER(0x08, 1, 0x0a, 3, 2, 0xac, 0x02, 0x10, 9, 0x0a, 0, 0x08, 4); // 1, [2, 300], [], 4
    const int64_t expected[] = {1, 2, 300, 4};
    PbList list = pb_list(message, 1, PB_VARINT);
    uint64_t bits;
    size_t count = 0;
    for (; pb_list_next(&list, &bits); count++) CHECK(count < 4 && (int64_t)bits == expected[count]);
    CHECK_INT(list.message.status, ST_OK);
    CHECK_INT(count, 4);
    CHECK_OK(pb_list_count(message, 1, PB_VARINT, &count));
    CHECK_INT(count, 4);
    CHECK_OK(pb_list_count(message, 3, PB_VARINT, &count));
    CHECK_INT(count, 0);
    const PbReader floats = READER(0x0a, 8, 0, 0, 0x80, 0x3f, 0, 0, 0, 0x40);
    list = pb_list(floats, 1, PB_FIXED32);
    REQUIRE(pb_list_next(&list, &bits));
    CHECK(pb_bits_float(bits) == 1.0f);
    REQUIRE(pb_list_next(&list, &bits));
    CHECK(pb_bits_float(bits) == 2.0f);
    CHECK(!pb_list_next(&list, &bits));
    CHECK_INT(pb_list_count(READER(0x0a, 6, 0, 0, 0x80, 0x3f, 0, 0), 1, PB_FIXED32, &count), ST_BAD);
    CHECK_INT(pb_list_count(READER(0x0a, 1, 0x80), 1, PB_VARINT, &count), ST_BAD);
    CHECK_INT(pb_list_count(READER(0x08, 1), 1, PB_FIXED64, &count), ST_BAD);
}

TEST(messages_lie_inside_each_other_only_so_deep) {
    uint8_t bytes[4 * (PB_MAX_DEPTH + 2)]; // built from the inside, so from the end
    size_t at = sizeof bytes;
    for (int i = 0; i < PB_MAX_DEPTH + 2; i++) {
        const size_t size = sizeof bytes - at;
        if (size >= 128) bytes[--at] = (uint8_t)(size >> 7);
        bytes[--at] = (uint8_t)((size & 0x7f) | (size >= 128 ? 0x80 : 0));
        bytes[--at] = 0x0a;
    }
    PbReader reader = pb_reader(bytes + at, sizeof bytes - at);
    PbField field;
    int depth = 0;
    while (pb_next(&reader, &field)) reader = pb_message(&reader, &field), depth++;
    CHECK_INT(reader.status, ST_BAD);
    CHECK_INT(depth, PB_MAX_DEPTH + 1);
}

TEST(offsets_count_from_the_outermost_start) {
    PbReader reader = READER(0x0a, 4, 0x08, 1, 0x08, 0x80);
    PbField field;
    REQUIRE(pb_next(&reader, &field));
    PbReader inner = pb_message(&reader, &field);
    int fields;
    CHECK_INT(read_all(inner, &fields), ST_BAD);
    CHECK_INT(fields, 1);
    CHECK_MSG(text_starts(error_message(), "byte 5: "), "%s", error_message());
}

#include "base/rng.h"
#include "wire/sstable.h"
#include "wire/sstable_writer.h"

TEST(crc32c_of_known_bytes) { // RFC 3720, B.4
    uint8_t bytes[32] = {0};
    CHECK_INT(crc32c(bytes, 32), 0x8a9136aa);
    memset(bytes, 0xff, 32);
    CHECK_INT(crc32c(bytes, 32), 0x62a8ab43);
    for (int i = 0; i < 32; i++) bytes[i] = (uint8_t)i;
    CHECK_INT(crc32c(bytes, 32), 0x46dd794e);
    for (int i = 0; i < 32; i++) bytes[i] = (uint8_t)(31 - i);
    CHECK_INT(crc32c(bytes, 32), 0x113fdb5c);
    CHECK_INT(crc32c("123456789", 9), 0xe3069283);
    CHECK_INT(crc32c("", 0), 0);
    CHECK_INT(crc32c_masked(0), 0xa282ead8);
}

static Text small_table(int per_block, int restart) {
    static const char *const keys[] = {"", "a", "layer/bias", "layer/kernel", "layer/kernel/1", "z"};
    TableWriter writer = {.per_block = per_block, .restart = restart};
    for (size_t i = 0; i < COUNT_OF(keys); i++) table_add(&writer, keys[i], keys[i], strlen(keys[i]));
    return table_end(&writer);
}

static Status read(const void *bytes, size_t size, Arena *arena, Sstable *table) {
    error_clear();
    const Status status = sstable_read(arena, bytes, size, table);
    CHECK_MSG(status == ST_OK || *error_message(), "no message");
    return status;
}

static void check_bad(Text *file, Status expected, const char *words) {
    Arena arena = {0};
    Sstable table;
    const Status status = read(file->data, file->length, &arena, &table);
    CHECK_MSG(status == expected && strstr(error_message(), words), "status %d, expected '%s' in: %s", status, words,
              error_message());
    arena_free(&arena);
    text_free(file);
}

TEST(keys_and_values) {
    for (int per_block = 0; per_block < 4; per_block++)
        for (int restart = 1; restart < 4; restart++) {
            Arena arena = {0};
            Sstable table;
            Text file = small_table(per_block, restart);
            CHECK_OK(read(file.data, file.length, &arena, &table));
            CHECK_INT(table.count, 6);
            CHECK_TEXT(table.entries[4].key, "layer/kernel/1");
            CHECK_INT(table.entries[4].key_size, 14);
            for (size_t i = 0; i < table.count; i++) {
                const SstableEntry *entry = &table.entries[i];
                CHECK(entry->value_size == entry->key_size && !memcmp(entry->value, entry->key, entry->key_size));
                CHECK(sstable_find(&table, entry->key) == entry);
            }
            CHECK(!sstable_find(&table, "layer") && !sstable_find(&table, "zz") && !sstable_find(&table, "b"));
            arena_free(&arena);
            text_free(&file);
        }
}

TEST(an_empty_table) {
    TableWriter writer = {0};
    Text file = table_end(&writer);
    Arena arena = {0};
    Sstable table;
    CHECK_OK(read(file.data, file.length, &arena, &table));
    CHECK_INT(table.count, 0);
    CHECK(!sstable_find(&table, ""));
    arena_free(&arena);
    text_free(&file);
}

TEST(a_key_may_hold_zeros) {
    TableWriter writer = {0};
    table_add_bytes(&writer, "a\0b", 3, "1", 1);
    table_add_bytes(&writer, "a\0c", 3, "2", 1);
    Text file = table_end(&writer);
    Arena arena = {0};
    Sstable table;
    CHECK_OK(read(file.data, file.length, &arena, &table));
    CHECK(table.count == 2 && table.entries[1].key_size == 3 && !memcmp(table.entries[1].key, "a\0c", 3));
    CHECK(!sstable_find(&table, "a"));
    arena_free(&arena);
    text_free(&file);
}

TEST(a_table_of_a_checkpoint) {
    const char *path = test_data("models/lgg/seed-keras-w16.savedmodel/variables/variables.index");
    if (!path) test_skip("the data by others is not there");
    FILE *stream = fopen(path, "rb");
    static uint8_t bytes[1 << 16];
    REQUIRE(stream);
    const size_t size = fread(bytes, 1, sizeof bytes, stream);
    fclose(stream);
    Arena arena = {0};
    Sstable table;
    CHECK_OK(read(bytes, size, &arena, &table));
    CHECK_INT(table.count, 90); // 88 variables, the header, the objects
    CHECK(sstable_find(&table, "") && sstable_find(&table, "_CHECKPOINTABLE_OBJECT_GRAPH"));
    CHECK(sstable_find(&table, "layer_with_weights-0/kernel/.ATTRIBUTES/VARIABLE_VALUE"));
    arena_free(&arena);
}

// ---- hostile

TEST(cut_at_every_byte) {
    Text file = small_table(2, 2);
    for (size_t size = 0; size < file.length; size++) {
        Arena arena = {0};
        Sstable table;
        uint8_t *copy = malloc(size + 1); // what is read behind the end is seen
        REQUIRE(copy);
        memcpy(copy, file.data, size);
        CHECK_INT(read(copy, size, &arena, &table), ST_BAD);
        free(copy);
        arena_free(&arena);
    }
    text_free(&file);
}

TEST(changed_bytes) {
    Text file = small_table(2, 2);
    Rng rng;
    rng_seed(&rng, 7);
    uint8_t *copy = malloc(file.length);
    REQUIRE(copy);
    for (int round = 0; round < 4000; round++) {
        Arena arena = {0};
        Sstable table;
        memcpy(copy, file.data, file.length);
        for (uint64_t i = 1 + rng_below(&rng, 4); i > 0; i--)
            copy[rng_below(&rng, file.length)] = (uint8_t)rng_next(&rng);
        const Status status = read(copy, file.length, &arena, &table);
        CHECK(status == ST_OK || status == ST_BAD || status == ST_UNSUPPORTED);
        arena_free(&arena);
    }
    free(copy);
    text_free(&file);
}

TEST(what_is_wrong_is_told) {
    TableWriter writer = {.compression = 1};
    table_add(&writer, "a", "1", 1);
    Text file = table_end(&writer);
    check_bad(&file, ST_UNSUPPORTED, "Snappy");
    writer = (TableWriter){.compression = 7};
    table_add(&writer, "a", "1", 1);
    file = table_end(&writer);
    check_bad(&file, ST_BAD, "not compressed (0), got 7");
    writer = (TableWriter){.bad_checksum = true};
    table_add(&writer, "a", "1", 1);
    file = table_end(&writer);
    check_bad(&file, ST_BAD, "checksum of the block");
    writer = (TableWriter){0};
    table_add(&writer, "b", "1", 1);
    table_add(&writer, "a", "1", 1);
    file = table_end(&writer);
    check_bad(&file, ST_BAD, "keys in order, got 'a' behind 'b'");
    writer = (TableWriter){0};
    table_add(&writer, "a", "1", 1);
    table_add(&writer, "a", "1", 1);
    file = table_end(&writer);
    check_bad(&file, ST_BAD, "keys in order");
    file = (Text){0};
    for (int i = 0; i < 48; i++) text_bytes(&file, "x", 1);
    check_bad(&file, ST_BAD, "end of a table");
}

// A table whose index is what the test makes of it.
static Text with_index(Text *index) {
    TableWriter writer = {0};
    table_add(&writer, "a", "1", 1);
    table_flush(&writer);
    text_free(&writer.index);
    writer.index = *index;
    *index = (Text){0};
    return table_end(&writer);
}

static void add_handle(Text *index, const char *key, uint64_t offset, uint64_t size) {
    Text handle = {0};
    table_varint(&handle, offset);
    table_varint(&handle, size);
    table_entry(index, 0, key, strlen(key), handle.data, handle.length);
    text_free(&handle);
}

TEST(blocks_that_lie) {
    Text index = {0};
    add_handle(&index, "a", 0, UINT64_MAX);
    Text file = with_index(&index);
    check_bad(&file, ST_BAD, "expected a block between");
    add_handle(&index, "a", UINT64_MAX - 3, 2);
    file = with_index(&index);
    check_bad(&file, ST_BAD, "expected a block between");
    add_handle(&index, "a", 0, 3);
    file = with_index(&index);
    check_bad(&file, ST_BAD, "not compressed");
    add_handle(&index, "a", 0, 13); // entry of 5 bytes, a restart, their number
    add_handle(&index, "b", 0, 13); // the same once more
    file = with_index(&index);
    check_bad(&file, ST_BAD, "expected a block between byte 18");
}

// Entries with prefixes: few bytes that ask for long keys.
TEST(long_keys_of_few_bytes) {
    TableWriter writer = {0};
    char key[256];
    memset(key, 'k', sizeof key);
    for (int i = 0; i < 20; i++) {
        Text *block = &writer.block;
        table_entry(block, i ? (size_t)(i * 250) : 0, key, 250, "", 0); // each key is 250 bytes longer
        writer.in_block = 1;
    }
    const uint32_t zero = 0;
    text_bytes(&writer.restarts, &zero, 4);
    writer.n_restarts = 1;
    Text file = table_end(&writer);
    check_bad(&file, ST_BAD, "at most 4096 bytes");
    writer = (TableWriter){.in_block = 1, .n_restarts = 1};
    text_bytes(&writer.restarts, &zero, 4);
    table_entry(&writer.block, 1, "a", 1, "", 0);
    file = table_end(&writer);
    check_bad(&file, ST_BAD, "at most 0 bytes shared");
    writer = (TableWriter){.in_block = 1, .n_restarts = 1};
    text_bytes(&writer.restarts, &zero, 4);
    table_varint(&writer.block, 0);
    table_varint(&writer.block, UINT64_MAX);
    table_varint(&writer.block, UINT64_MAX);
    file = table_end(&writer);
    check_bad(&file, ST_BAD, "expected an entry in the");
}

TEST(memory_that_runs_out) {
    Text file = small_table(2, 2);
    Status status = ST_RESOURCE;
    for (int n = 0; status != ST_OK && n < 100; n++) {
        Arena arena = {0};
        Sstable table;
        mem_fail_after(n);
        status = sstable_read(&arena, file.data, file.length, &table);
        mem_fail_after(-1);
        CHECK(status == ST_OK || status == ST_RESOURCE);
        arena_free(&arena);
    }
    CHECK_INT(status, ST_OK);
    text_free(&file);
}

// Zip archives: what is in them comes out, and lies are told.
#include "base/zip.h"
#include "base/zip_make.h"
#include "test.h"

static const char words[] = "weights weights weights weights weights weights weights weights";

static void read_back(bool zip64) {
    Arena arena = {0};
    ZipMaker made = {.zip64 = zip64};
    Zip zip;
    const uint8_t *data;
    zip_add(&made, "net/data.pkl", "abc", 3, 1);
    zip_add(&made, "net/data/0", words, sizeof words, 64);
    zip_add_deflated(&made, "a/deflated", words, sizeof words);
    zip_add(&made, "empty", "", 0, 1);
    zip_end(&made);
    CHECK_OK(zip_open(&arena, made.bytes.data, made.bytes.length, &zip));
    CHECK_INT(zip.n_entries, 4);
    CHECK_TEXT(zip.entries[1].name, "net/data/0");
    CHECK_OK(zip_data(&arena, &zip, zip_find(&zip, "net/data/0"), &data));
    CHECK_INT((const char *)data - made.bytes.data, 128); // in place
    CHECK(memcmp(data, words, sizeof words) == 0);
    CHECK(zip_find(&zip, "a/deflated")->packed_size < sizeof words);
    CHECK_OK(zip_data(&arena, &zip, zip_find(&zip, "a/deflated"), &data));
    CHECK(memcmp(data, words, sizeof words) == 0);
    CHECK_OK(zip_data(&arena, &zip, zip_find(&zip, "empty"), &data));
    CHECK(!zip_find(&zip, "net"));
    zip_forget(&made);
    arena_free(&arena);
}

TEST(zip_reads_back) {
    read_back(false);
    read_back(true);
}

// The status of the archive, and of everything in it.
static Status read_all(const void *bytes, size_t size) {
    Arena arena = {0};
    Zip zip;
    const uint8_t *data;
    Status status = zip_open(&arena, bytes, size, &zip);
    for (size_t i = 0; status == ST_OK && i < zip.n_entries; i++)
        status = zip_data(&arena, &zip, &zip.entries[i], &data);
    arena_free(&arena);
    return status;
}

static void expect(ZipMaker *made, Status status, const char *message) {
    zip_end(made);
    CHECK_INT(read_all(made->bytes.data, made->bytes.length), status);
    CHECK_MSG(strstr(error_message(), message) != NULL, "got '%s', expected '%s'", error_message(), message);
    zip_forget(made);
}

TEST(zip_refuses_names_that_lead_out) {
    static const char *const names[] = {"/etc/passwd", "../x", "a/../../x", "a/..", "a\\..\\x"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        ZipMaker made = {0};
        zip_add(&made, names[i], "x", 1, 1);
        expect(&made, ST_BAD, "expected names within the archive");
    }
    ZipMaker made = {0};
    zip_add(&made, "a..b/..c", "x", 1, 1); // only dots
    zip_end(&made);
    CHECK_INT(read_all(made.bytes.data, made.bytes.length), ST_OK);
    zip_forget(&made);
}

TEST(zip_refuses_lies) {
    ZipMaker made = {0};
    zip_add(&made, "x", "x", 1, 1);
    zip_add(&made, "x", "y", 1, 1);
    expect(&made, ST_BAD, "expected x once, got it twice");
    zip_add_lying(&made, "x", 0, 1000, 1000, 0);
    expect(&made, ST_BAD, "got the end");
    zip_add(&made, "x", words, sizeof words, 1);
    zip_add_lying(&made, "y", 0, sizeof words, sizeof words, 0);
    zip_add_lying(&made, "z", 0, sizeof words, sizeof words, 0);
    zip_add_lying(&made, "w", 0, sizeof words, sizeof words, 0);
    zip_add_lying(&made, "v", 0, sizeof words, sizeof words, 0);
    zip_add_lying(&made, "u", 0, sizeof words, sizeof words, 0);
    expect(&made, ST_BAD, "overlap");
    zip_add(&made, "x", words, sizeof words, 1);
    zip_add_lying(&made, "y", 8, 10, 100000, 0);
    expect(&made, ST_BAD, "cannot unpack");
    zip_add(&made, "x", words, sizeof words, 1);
    zip_add_lying(&made, "y", 12, 10, 10, 0);
    expect(&made, ST_UNSUPPORTED, "packing method 12");
    zip_add(&made, "x", words, sizeof words, 1);
    zip_add_lying(&made, "y", 0, 10, 11, 0);
    expect(&made, ST_BAD, "expected 11 stored bytes");
}

TEST(zip_notices_damage_and_cuts) {
    for (int zip64 = 0; zip64 < 2; zip64++) {
        ZipMaker made = {.zip64 = zip64 != 0};
        zip_add(&made, "stored", words, sizeof words, 1);
        zip_add_deflated(&made, "deflated", words, sizeof words);
        zip_end(&made);
        CHECK_INT(read_all(made.bytes.data, made.bytes.length), ST_OK);
        for (size_t cut = 0; cut < made.bytes.length; cut++) {
            void *copy = mem_alloc(cut + 1); // of its own, so that the sanitizers see what is read behind it
            memcpy(copy, made.bytes.data, cut);
            CHECK_MSG(read_all(copy, cut) == ST_BAD, "cut at %zu", cut);
            mem_free(copy);
        }
        made.bytes.data[40] ^= 1; // within the stored words
        CHECK_INT(read_all(made.bytes.data, made.bytes.length), ST_BAD);
        CHECK(strstr(error_message(), "stored: the checksum is wrong"));
        zip_forget(&made);
    }
}

#include "base/clock.h"
#include "base/file.h"
#include "test.h"

TEST(append_makes_and_grows_a_file) {
    const char *path = test_temp("log.txt");
    uint8_t *data;
    size_t size;
    CHECK_OK(file_append(path, "one\n", 4));
    CHECK_OK(file_append(path, "two\n", 4));
    CHECK_OK(file_read(path, 100, &data, &size));
    CHECK_TEXT((const char *)data, "one\ntwo\n");
    mem_free(data);
    file_fail_after(0);
    CHECK_INT(file_append(path, "three\n", 6), ST_RESOURCE);
    file_fail_after(-1);
    CHECK_INT(file_size(path), 8);
    CHECK_INT(file_append("/no/such/folder/x", "a", 1), ST_BAD);
}
TEST(peak_memory_grows) {
    const uint64_t before = memory_peak();
    if (!before) test_skip("this system does not tell it");
    enum { BYTES = 64 << 20 };
    char *pages = pages_alloc(BYTES, 4096);
    REQUIRE(pages);
    memset(pages, 1, BYTES);
    CHECK(memory_peak() >= before + BYTES / 2);
    pages_free(pages, BYTES);
}
TEST(date) {
    char date[24];
    clock_date(date);
    CHECK_MSG(strlen(date) == 20 && date[4] == '-' && date[10] == 'T' && date[19] == 'Z', "%s", date);
}

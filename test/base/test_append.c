#define _GNU_SOURCE
#include "base/clock.h"
#include "base/file.h"
#include "test.h"
#include <sys/wait.h>
#include <unistd.h>

static void check_content(const char *path, const char *wanted) {
    uint8_t *data;
    size_t size;
    CHECK_OK(file_read(path, 100, &data, &size));
    CHECK_TEXT((const char *)data, wanted);
    mem_free(data);
}
TEST(append_makes_and_grows_a_file) {
    const char *path = test_temp("log.txt");
    CHECK_OK(file_append(path, "one\n", 4));
    CHECK_OK(file_append(path, "two\n", 4));
    check_content(path, "one\ntwo\n");
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
TEST(append_ends_a_torn_line_first) {
    const char *path = test_temp("torn");
    CHECK_OK(file_write(path, "one\ntw", 6));
    CHECK_OK(file_append(path, "three\n", 6));
    CHECK_OK(file_append(path, "four\n", 5));
    check_content(path, "one\ntw\nthree\nfour\n");
}
// A child adds lines while this process puts another file in the file's place again and again: none gets lost.
TEST(append_waits_while_a_file_is_replaced) {
    enum { LINES = 200 };
    const char *path = test_temp("held");
    uint8_t *data;
    size_t size;
    CHECK_OK(file_write(path, "", 0));
    CHECK_INT(file_hold(test_temp("nothing")), -1);
    const pid_t pid = fork();
    if (pid == 0) {
        for (int i = 0; i < LINES; i++)
            if (file_append(path, "x\n", 2) != ST_OK) _exit(1);
        _exit(0);
    }
    int status = -1;
    while (waitpid(pid, &status, WNOHANG) == 0) {
        const int hold = file_hold(path);
        REQUIRE(hold >= 0);
        CHECK_OK(file_read(path, 10000, &data, &size));
        usleep(500);
        CHECK_OK(file_write(path, data, size));
        file_let_go(hold);
        mem_free(data);
        usleep(100);
    }
    CHECK_INT(status, 0);
    CHECK_INT(file_size(path), 2 * LINES);
}

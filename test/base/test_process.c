#define _GNU_SOURCE
#include "base/memory.h"
#include "base/process.h"
#include "test.h"
#include <signal.h>
#include <unistd.h>

static Process *shell(const char *script) {
    Process *process;
    CHECK_OK(process_start((const char *const[]){"sh", "-c", script, NULL}, &process));
    return process;
}
static void check_line(Process *process, const char *wanted) {
    const char *line;
    size_t length;
    CHECK_OK(process_line(process, 1000, 60, &line, &length));
    CHECK_TEXT(line, wanted);
    CHECK_INT(length, strlen(wanted));
}
TEST(a_helper_answers) {
    Process *process = shell("echo ready; while read -r line; do echo \"got $line\"; echo again; done");
    check_line(process, "ready");
    for (int i = 0; i < 3; i++) {
        CHECK_OK(process_write(process, "one two\n", 8, 60));
        check_line(process, "got one two");
        check_line(process, "again");
    }
    process_end(process);
    CHECK_INT(memory_live(), 0);
}
TEST(much_goes_both_ways) {
    enum { BYTES = 200000 };
    Process *process = shell("cat");
    static char text[BYTES + 1];
    const char *line;
    size_t length;
    memset(text, 'x', BYTES), text[BYTES] = '\n';
    CHECK_OK(process_write(process, text, 30000, 60)); // less than a pipe holds
    CHECK_OK(process_write(process, "\n", 1, 60));
    CHECK_OK(process_line(process, BYTES, 60, &line, &length));
    CHECK_INT(length, 30000);
    CHECK_OK(process_write(process, text, 5000, 60));
    CHECK_OK(process_write(process, "\n", 1, 60));
    CHECK_INT(process_line(process, 4000, 60, &line, &length), ST_RESOURCE);
    CHECK(strstr(error_message(), "more than 4000 bytes"));
    process_end(process);
}
TEST(a_helper_that_is_not_there_is_told) {
    Process *process;
    const char *line;
    size_t length;
    const Status status = process_start((const char *const[]){"no-such-program-here", NULL}, &process);
    if (status == ST_OK) { // qemu-user: its vfork shares no memory, through which the C library would hear of it
        CHECK_INT(process_line(process, 1000, 60, &line, &length), ST_RESOURCE);
        CHECK(strstr(error_message(), "has ended"));
        process_end(process);
        return;
    }
    CHECK_INT(status, ST_UNSUPPORTED);
    CHECK(!process && strstr(error_message(), "no-such-program-here"));
}
TEST(a_helper_that_ends_or_sleeps_is_told) {
    const char *line;
    size_t length;
    Process *process = shell("echo 1; exit 3");
    check_line(process, "1");
    CHECK_INT(process_line(process, 1000, 60, &line, &length), ST_RESOURCE);
    CHECK(strstr(error_message(), "has ended"));
    signal(SIGPIPE, SIG_DFL); // would end this test
    Status status = ST_OK;
    // The system closes its pipes one after the other.
    for (int i = 0; i < 10000 && status == ST_OK; i++, usleep(1000)) status = process_write(process, "x\n", 2, 60);
    CHECK_INT(status, ST_RESOURCE);
    process_end(process);
    process = shell("exec sleep 600");
    CHECK_INT(process_line(process, 1000, 0.05, &line, &length), ST_RESOURCE);
    CHECK(strstr(error_message(), "has said nothing"));
    static char much[1 << 20];
    CHECK_INT(process_write(process, much, sizeof much, 0.05), ST_RESOURCE);
    CHECK(strstr(error_message(), "has not read"));
    process_end(process); // ends it
    process_end(NULL);
}

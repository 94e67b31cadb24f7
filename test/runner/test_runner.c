// The runner itself: a runner that overlooks a failure makes every other test worthless. The cases below go wrong on
// purpose; they exist only when the test at the end runs this program once more with FIXTURE set.
#include "test.h"
#include <signal.h>
#include <unistd.h>

static const char FIXTURE[] = "STENT_TEST_FIXTURE";

static void check_fails(void) {
    CHECK(1 + 1 == 3);
    CHECK_INT(7, 7);
}
static void require_ends(void) {
    REQUIRE(false);
    printf("went on\n");
}
static void status_fails(void) { CHECK_OK(fail(ST_BAD, "the status's message")); }
static void text_differs(void) { CHECK_TEXT("got", "wanted"); }
static void crashes(void) { raise(SIGKILL); }
static void exits_oddly(void) { exit(9); }
static void hangs(void) { pause(); }
static void fails_then_skips(void) {
    CHECK(false);
    test_skip("too late");
}
static void skips(void) { test_skip("the reason why"); }
static void passes(void) {
    FILE *file = fopen(test_temp("own"), "wx"); // fails if another test's file of this name were in the way
    REQUIRE(file);
    fclose(file);
}
static void passes_as_well(void) { passes(); }

__attribute__((constructor)) static void register_fixture(void) {
#define FIXTURE_CASE(name)                                                                                             \
    { #name, __FILE__, name, NULL }
    static TestCase cases[] = {
        FIXTURE_CASE(check_fails),  FIXTURE_CASE(require_ends),     FIXTURE_CASE(status_fails),
        FIXTURE_CASE(text_differs), FIXTURE_CASE(crashes),          FIXTURE_CASE(exits_oddly),
        FIXTURE_CASE(hangs),        FIXTURE_CASE(fails_then_skips), FIXTURE_CASE(skips),
        FIXTURE_CASE(passes),       FIXTURE_CASE(passes_as_well),
    };
    for (size_t i = 0; i < COUNT_OF(cases) && getenv(FIXTURE); i++) test_register(&cases[i]);
}

TEST(counts_every_kind_of_ending) {
    static char out[65536];
    char self[4096];
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    REQUIRE(!getenv(FIXTURE) && length > 0);
    self[length] = 0;
    setenv(FIXTURE, "1", 1);
    const char *argv[] = {self, "--timeout", "2", "runner/runner/", NULL};
    unsetenv("STENT_TEST_LONG");
    CHECK_INT(test_run_command(argv, out, sizeof out), 1);
    const char *wanted[] = {
        "\n3 passed, 9 failed, 1 skipped\n", // with this test, which fails inside at the REQUIRE above
        "1 + 1 == 3",
        "the status's message",
        "got\n",
        "wanted",
        "too late",
        "the reason why",
        "runner/runner/crashes (Killed)",
        "exits_oddly (exit status 9)",
        "hangs (stopped after 2 s)",
        "again: stent-test runner/runner/check_fails"};
    for (size_t i = 0; i < COUNT_OF(wanted); i++)
        CHECK_MSG(strstr(out, wanted[i]), "no \"%s\" in:\n%s", wanted[i], out);
    CHECK_MSG(!strstr(out, "went on"), "REQUIRE went on:\n%s", out);
}

TEST(runs_commands) {
    char out[8];
    const char *say[] = {"sh", "-c", "echo one; echo two >&2; exit 3", NULL};
    CHECK_INT(test_run_command(say, out, sizeof out), 3);
    CHECK_TEXT(out, "one\ntwo"); // cut to the buffer
    const char *killed[] = {"sh", "-c", "kill -9 $$", NULL};
    CHECK_INT(test_run_command(killed, out, sizeof out), 128 + 9);
}

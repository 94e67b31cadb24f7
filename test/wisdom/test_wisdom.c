#define _GNU_SOURCE
#include "base/file.h"
#include "base/hash.h"
#include "test.h"
#include "wisdom/lines.h"
#include <sys/wait.h>
#include <unistd.h>

static void check_same(const WisdomLine *a, const WisdomLine *b) {
    CHECK_TEXT(a->date, b->date);
    CHECK_TEXT(a->isa, b->isa);
    CHECK_TEXT(a->machine, b->machine);
    CHECK_INT(a->threads, b->threads);
    CHECK_TEXT(a->problem, b->problem);
    CHECK_TEXT(a->incumbent, b->incumbent);
    CHECK_TEXT(a->candidate, b->candidate);
    CHECK(fabs(a->ratio - b->ratio) <= 5e-5 && fabs(a->low - b->low) <= 5e-5 && fabs(a->high - b->high) <= 5e-5);
}
TEST(a_line_reads_back) {
    WisdomLine line = wisdom_line("conv_winograd/2 4,128,0,0,0,0 0,12,1,0,0,0", "conv_direct/2 0,0,0,0,0,0 1,0,0,0,0,0",
                                  0.91234),
               read;
    Text text = {0};
    char buffer[WISDOM_LINE];
    line.low = 0.9, line.high = 0.95;
    CHECK_OK(wisdom_print(&line, &text));
    REQUIRE(text.length && text_get(&text)[text.length - 1] == '\n');
    CHECK(wisdom_parse(text_get(&text), text.length - 1, buffer, &read));
    check_same(&line, &read);
    text_free(&text);
}
TEST(control_characters_end_no_line) {
    const WisdomLine line = wisdom_line("a\tb", "c\nd\x1b", 1), as_read = wisdom_line("a b", "c d ", 1);
    WisdomLine read;
    Text text = {0};
    char buffer[WISDOM_LINE];
    CHECK_OK(wisdom_print(&line, &text));
    CHECK(wisdom_parse(text_get(&text), text.length - 1, buffer, &read));
    check_same(&as_read, &read);
    text_free(&text);
}
TEST(what_does_not_fit_is_not_written) {
    Text text = {0};
    static char longest[WISDOM_LINE];
    memset(longest, 'x', sizeof longest - 1);
    WisdomLine line = wisdom_line("a", longest, 1);
    CHECK_INT(wisdom_print(&line, &text), ST_BAD);
    static const double wrong[][3] = {{1, 0.9, 1}, {1, 1.1, 1}, {0, 0, 0},   {1e-4, 1e-4, 1}, {1, 1, 1e4},
                                      {NAN, 1, 1}, {1, NAN, 1}, {1, 1, NAN}, {1, 1, INFINITY}};
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        line = wisdom_line("a", "b", 1);
        line.low = wrong[i][0], line.ratio = wrong[i][1], line.high = wrong[i][2];
        CHECK(!wisdom_fits(&line));
        CHECK_INT(wisdom_print(&line, &text), ST_BAD);
    }
    CHECK_INT(text.length, 0);
}
// Any byte of a line that is changed, left out or doubled makes it a damaged one.
TEST(damaged_lines_are_seen) {
    const WisdomLine line = wisdom_line("a", "b", 0.9);
    WisdomLine read;
    Text text = {0};
    char buffer[WISDOM_LINE], changed[WISDOM_LINE];
    CHECK_OK(wisdom_print(&line, &text));
    const size_t length = text.length - 1;
    for (size_t at = 0; at < length; at++) {
        memcpy(changed, text_get(&text), length);
        changed[at] ^= 1;
        CHECK_MSG(!wisdom_parse(changed, length, buffer, &read), "byte %zu changed", at);
        CHECK_MSG(!wisdom_parse(text_get(&text), at, buffer, &read), "cut at %zu", at);
        memmove(changed + at, text_get(&text) + at + 1, length - at - 1);
        CHECK_MSG(!wisdom_parse(changed, length - 1, buffer, &read), "byte %zu left out", at);
    }
    text_free(&text);
}
// With a right checksum: what is in the fields counts by itself.
TEST(lying_lines_are_seen) {
    static const struct {
        const char *body;
        bool good;
    } cases[] = {
        {"d\tavx2\tm\t2\tp\ta\tb\t0.9\t0.8\t1", true},        {"d\tavx2\tm\t2\tp\ta\tb\t0.9\t0.8", false},
        {"d\tavx2\tm\t2\tp\ta\tb\t0.9\t0.8\t1\tx", false},    {"d\tavx2\tm\t0\tp\ta\tb\t0.9\t0.8\t1", false},
        {"d\tavx2\tm\t2x\tp\ta\tb\t0.9\t0.8\t1", false},      {"d\tavx2\tm\t2\tp\ta\tb\t0.9\t0.95\t1", false},
        {"d\tavx2\tm\t2\tp\ta\tb\t-0.9\t-1\t1", false},       {"d\tavx2\tm\t2\tp\ta\tb\tnan\tnan\tnan", false},
        {"d\tavx2\tm\t2\tp\ta\tb\t0.9\t0.8\tinf", false},     {"d\tavx2\tm\t2\tp\t\tb\t0.9\t0.8\t1", false},
        {"d\tavx2\tm\t2\tp\ta\x1b[2J\tb\t1\t1\t1", false},    {"d\tavx2\tm\t2\tp\ta\xff\tb\t1\t1\t1", false},
        {"d\tavx2\tm\t99999999999\tp\ta\tb\t1\t1\t1", false},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        Text text = {0};
        WisdomLine read;
        char buffer[WISDOM_LINE];
        text_add(&text, "w1 %016llx\t%s", (unsigned long long)hash64(cases[i].body, strlen(cases[i].body), 0),
                 cases[i].body);
        CHECK_MSG(wisdom_parse(text_get(&text), text.length, buffer, &read) == cases[i].good, "%s", cases[i].body);
        text_free(&text);
    }
}

typedef struct Seen {
    int64_t lines;
    double sum;
    Status answer;
} Seen;
static Status see(void *context, const WisdomLine *line, const char *text, size_t length) {
    Seen *seen = context;
    CHECK(length > 0 && text[length] == '\n');
    seen->lines++, seen->sum += line->ratio;
    return seen->answer;
}
static void add_line(const char *path, double ratio) {
    const WisdomLine line = wisdom_line("a", "b", ratio);
    wisdom_add(path, &line);
}
static void add_text(const char *path, const char *bytes, size_t size) { CHECK_OK(file_append(path, bytes, size)); }

TEST(a_missing_file_is_empty) {
    Seen seen = {0};
    WisdomCount count;
    const char *path = test_temp("wisdom");
    CHECK_OK(wisdom_read(path, see, &seen, &count));
    CHECK(!seen.lines && !count.lines && !count.bad);
    CHECK_OK(file_write(path, "", 0));
    CHECK_OK(wisdom_read(path, see, &seen, &count));
    CHECK(!seen.lines && !count.lines && !count.bad);
    CHECK_INT(wisdom_read(test_temp(""), see, &seen, &count), ST_BAD); // a folder
}
TEST(bad_lines_are_skipped_and_counted) {
    Seen seen = {0};
    WisdomCount count;
    const char *path = test_temp("deep/er/wisdom");
    add_line(path, 0.5);
    add_text(path, "garbage\n\n\n", 10);
    add_text(path, "w1 0123456789abcdef\tno\n", 23);
    add_text(path, "w2 of the future\n", 17);
    add_text(path, (const char[]){'w', 0, 0, '\n'}, 4);
    add_line(path, 0.25);
    add_text(path, "w1 torn", 7);
    add_line(path, 0.125);
    CHECK_OK(wisdom_read(path, see, &seen, &count));
    CHECK_INT(count.lines, 3);
    CHECK_INT(count.bad, 5);
    CHECK_INT(seen.lines, 3);
    CHECK(seen.sum == 0.875);
    seen = (Seen){.answer = ST_CANCELLED};
    CHECK_INT(wisdom_read(path, see, &seen, &count), ST_CANCELLED);
    CHECK_INT(seen.lines, 1);
}
TEST(several_processes_write_at_once) {
    enum { PROCESSES = 4, LINES = 100 };
    const char *path = test_temp("wisdom");
    pid_t pids[PROCESSES];
    for (int p = 0; p < PROCESSES; p++) {
        pids[p] = fork();
        if (pids[p]) continue;
        for (int i = 0; i < LINES; i++) add_line(path, 0.5);
        _exit(0);
    }
    for (int p = 0; p < PROCESSES; p++) {
        int status = -1;
        CHECK(waitpid(pids[p], &status, 0) == pids[p] && status == 0);
    }
    Seen seen = {0};
    WisdomCount count;
    CHECK_OK(wisdom_read(path, see, &seen, &count));
    CHECK_INT(count.lines, PROCESSES * LINES);
    CHECK_INT(count.bad, 0);
}
TEST(its_place) {
    Arena arena = {0};
    const char *path;
    unsetenv("STENT_WISDOM");
    setenv("XDG_DATA_HOME", "/somewhere", 1);
    CHECK_OK(wisdom_path(&arena, NULL, &path));
    CHECK_TEXT(path, "/somewhere/stent/wisdom");
    setenv("STENT_WISDOM", "/else/where", 1);
    CHECK_OK(wisdom_path(&arena, NULL, &path));
    CHECK_TEXT(path, "/else/where");
    CHECK_OK(wisdom_path(&arena, "mine", &path));
    CHECK_TEXT(path, "mine");
    unsetenv("STENT_WISDOM"), unsetenv("XDG_DATA_HOME"), unsetenv("HOME");
    CHECK_OK(wisdom_path(&arena, NULL, &path));
    CHECK(!path);
    arena_free(&arena);
}
TEST(a_full_file_grows_no_more) {
    const char *path = test_temp("wisdom");
    const WisdomLine line = wisdom_line("a", "b", 1);
    Text text = {0};
    CHECK_OK(file_write(path, "\n", 1));
    CHECK_INT(truncate(path, WISDOM_BYTES - 10), 0); // holes
    CHECK_OK(wisdom_print(&line, &text));
    CHECK_INT(wisdom_append(path, &text), ST_RESOURCE);
    CHECK(strstr(error_message(), "is full"));
    CHECK_INT(file_size(path), WISDOM_BYTES - 10);
    text_free(&text);
}

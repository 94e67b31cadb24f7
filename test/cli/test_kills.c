// The program is stopped (SIGINT) and killed (SIGKILL) at random moments: what it has written is complete or not there,
// and the next run ends with the bytes of an undisturbed one. Moments are parts of the time that a whole run takes, so
// that they spread over all of it on any machine.
#include "app/pictures.h"
#include "base/clock.h"
#include "base/folder.h"
#include "base/rng.h"
#include "cli/program.h"
#include "wisdom/wisdom.h"
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

typedef const char *const *Command; // argv, NULL-terminated; argv[0] is the program

// Wait status; number: the signal that is sent after `after_ns`; 0: none.
static int run_and_stop(Command command, int number, uint64_t after_ns) {
    fflush(NULL);
    const pid_t pid = fork();
    if (pid == 0) {
        const int null = open("/dev/null", O_RDWR);
        for (int i = 0; i < 3; i++) dup2(null, i);
        signal(SIGINT, SIG_DFL); // a shell's background jobs ignore it, and the program would go on doing so
        execv(test_program(), (char *const *)command);
        _exit(127);
    }
    REQUIRE(pid > 0);
    if (number) {
        usleep((useconds_t)(after_ns / 1000));
        kill(pid, number);
    }
    int status = 0;
    CHECK_INT(waitpid(pid, &status, 0), pid);
    return status;
}
static uint64_t time_of(Command command) {
    const uint64_t start = clock_ns();
    const int status = run_and_stop(command, 0, 0);
    REQUIRE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    return clock_ns() - start;
}
// Stopped in time (130, or before it could listen), or done.
static void check_end(int status, int number, bool *done) {
    *done = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    const bool stopped = (WIFSIGNALED(status) && WTERMSIG(status) == number) ||
                         (number == SIGINT && WIFEXITED(status) && WEXITSTATUS(status) == 130);
    CHECK_MSG(*done || stopped, "signal %d: ended with %#x", number, (unsigned)status);
}
static void check_whole(const char *folder, const Text *expected, const char *when) {
    Text now = {0};
    folder_text(folder, "", &now);
    CHECK_MSG(!strcmp(text_get(&now), text_get(expected)), "%s: got\n%sexpected\n%s", when, text_get(&now),
              text_get(expected));
    text_free(&now);
}
// Each file that is there is one of `expected`, whole; not so lists of results, which may be shorter, and temporaries.
static void check_parts(const char *folder, const Text *expected) {
    Text now = {0};
    folder_text(folder, "", &now);
    for (const char *line = text_get(&now), *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
        char file[512];
        snprintf(file, sizeof file, "%.*s", (int)(end - line + 1), line);
        CHECK_MSG(strstr(file, "results") || strstr(file, ".tmp ") || strstr(text_get(expected), file), "left %s",
                  file);
    }
    text_free(&now);
}

typedef struct Trial {
    const char *folder;           // of the output
    Command command, first, last; // what is stopped; what is stopped before it, or NULL; what ends the work
} Trial;
static void stop_at_random_moments(const Trial *trial, int number, uint64_t seed) {
    Rng rng;
    Text expected = {0};
    rng_seed(&rng, seed);
    folder_empty(trial->folder);
    (void)time_of(trial->command); // the self-check is recorded now
    folder_text(trial->folder, "", &expected);
    folder_empty(trial->folder);
    uint64_t whole = UINT64_MAX; // the shortest of three: other programs may have been in the way
    for (int i = 0; i < 3; i++) {
        whole = MIN(whole, time_of(trial->command));
        folder_empty(trial->folder);
    }
    int finished = 0, left = 0;
    const int count = test_long() ? 100 : 3;
    for (int i = 0; i < count; i++) {
        bool done;
        folder_empty(trial->folder);
        if (trial->first) (void)run_and_stop(trial->first, number, whole / 4 + rng_below(&rng, whole / 2));
        // One moment in each of `count` equal parts.
        const uint64_t part = whole / (uint64_t)count, moment = (uint64_t)i * part + rng_below(&rng, part + 1);
        check_end(run_and_stop(trial->command, number, moment), number, &done);
        finished += done;
        left += folder_endings(trial->folder, ".tmp") > 0;
        if (number == SIGINT) CHECK_INT(folder_endings(trial->folder, ".tmp"), 0);
        if (done) check_whole(trial->folder, &expected, "done before the signal");
        else check_parts(trial->folder, &expected);
        CHECK_INT(run_and_stop(trial->last, 0, 0), 0);
        check_whole(trial->folder, &expected, "the next run"); // without a temporary of the killed one
    }
    // A hundred moments on a machine of any load are not all too late; three may be.
    CHECK_MSG(finished < count || !test_long(), "all %d runs were done before the signal came", count);
    if (test_long()) printf("signal %d: %d of %d done, %d left temporaries\n", number, finished, count, left);
    text_free(&expected);
}
static void stop_both_ways(const Trial *trial) {
    if (!test_program()) test_skip("the program is not built");
    setenv("XDG_DATA_HOME", test_temp("data"), 1);
    stop_at_random_moments(trial, SIGINT, 1);
    stop_at_random_moments(trial, SIGKILL, 2);
}

TEST(compile) {
    const char *folder = test_temp("out"), *package = test_temp("out/net.stent");
    CHECK_OK(folder_make(folder));
    const char *const command[] = {"stent", "compile", small_model(), "-o", package, NULL};
    stop_both_ways(&(Trial){folder, command, NULL, command});
}

// Three folders of pictures; returns the first one's parent.
static const char *make_pictures(void) {
    static uint8_t samples[64 * 64 * 3];
    char name[64];
    for (int f = 0; f < 3; f++) {
        snprintf(name, sizeof name, "in/patient%d", f);
        CHECK_OK(folder_make(test_temp(name)));
        for (int i = 0; i < 4; i++) {
            for (size_t k = 0; k < sizeof samples; k++) samples[k] = (uint8_t)(k * (size_t)(7 + i + 5 * f));
            snprintf(name, sizeof name, "in/patient%d/%d.png", f, i);
            write_u8(test_temp(name), 64, 64, 3, samples);
        }
    }
    return test_temp("in");
}
static const char *package_for_pictures(void) {
    return compile_to("net.stent", small_model(),
                      "{\"version\": 1, \"input\": {\"size\": [32, 32], \"resize\": \"bilinear\"}}");
}
TEST(segment) {
    const char *in = make_pictures(), *package = package_for_pictures(), *out = test_temp("out");
    CHECK_OK(folder_make(out));
    const char *const command[] = {"stent", "segment", package, in, "-o", out, "--overlay", "--prob", NULL};
    const char *const resume[] = {"stent", "segment", package, in, "-o", out, "--overlay", "--prob", "--resume", NULL};
    stop_both_ways(&(Trial){out, command, NULL, resume});
}
TEST(segment_resumed) {
    const char *in = make_pictures(), *package = package_for_pictures(), *out = test_temp("out");
    CHECK_OK(folder_make(out));
    const char *const first[] = {"stent", "segment", package, in, "-o", out, "--overlay", NULL};
    const char *const resume[] = {"stent", "segment", package, in, "-o", out, "--overlay", "--resume", NULL};
    stop_both_ways(&(Trial){out, resume, first, resume});
}

// Lines of wisdom, and the most that speak of one candidate of one incumbent.
typedef struct Counts {
    Arena arena;
    const char **names;
    int64_t *counts;
    int64_t n, most;
} Counts;
static Status count_line(void *context, const WisdomLine *line, const char *text, size_t length) {
    enum { MOST = 10000 };
    Counts *counts = context;
    char name[WISDOM_LINE];
    (void)text, (void)length;
    snprintf(name, sizeof name, "%s %s %s", line->problem, line->incumbent, line->candidate);
    if (!counts->names) counts->names = arena_array(&counts->arena, MOST, sizeof *counts->names);
    if (!counts->counts) counts->counts = arena_array(&counts->arena, MOST, sizeof *counts->counts);
    int64_t at = 0;
    while (at < counts->n && strcmp(counts->names[at], name)) at++;
    REQUIRE(at < MOST);
    if (at == counts->n) counts->names[counts->n++] = arena_string(&counts->arena, name);
    counts->counts[at]++;
    counts->most = MAX(counts->most, counts->counts[at]);
    return ST_OK;
}
static int64_t lines_of(const char *wisdom, int64_t *most) {
    Counts counts = {.n = 0};
    WisdomCount count;
    CHECK_OK(wisdom_read(wisdom, count_line, &counts, &count));
    CHECK_INT(count.bad, 0);
    *most = counts.most;
    arena_free(&counts.arena);
    return count.lines;
}
// Killed again and again, tuning goes on where it was: all that was written is remembered, and nothing is measured more
// often than once would have done (5 times at most).
TEST(tune_resumed) {
    if (!test_program()) test_skip("the program is not built");
    setenv("XDG_DATA_HOME", test_temp("data"), 1);
    const char *package = small_package(), *wisdom = test_temp("wisdom");
    const char *const command[] = {"stent",    "tune", package,  "--wisdom", wisdom,      "--resume",
                                   "--trials", "4",    "--time", "1m",       "--untuned", NULL};
    Rng rng;
    rng_seed(&rng, 3);
    const uint64_t whole = time_of(command);
    int64_t lines = 0, most, ends = 0;
    CHECK_OK(file_write(wisdom, "", 0));
    const int count = test_long() ? 100 : 5;
    for (int i = 0; i < count; i++) {
        bool done;
        check_end(run_and_stop(command, SIGKILL, rng_below(&rng, whole)), SIGKILL, &done);
        const int64_t now = lines_of(wisdom, &most);
        CHECK_MSG(now >= lines && most <= 5, "%lld lines after %lld, %lld of one candidate", (long long)now,
                  (long long)lines, (long long)most);
        lines = now;
        if (!done && i + 1 < count) continue;
        Arena arena = {0};
        REQUIRE(program_stdout("tune", package, "--wisdom", wisdom, "--resume", "--trials", "4", "--time", "1m",
                               "--untuned", "--json", NULL) == 0);
        const Json *said = json_get(program_json(&arena), "wisdom");
        REQUIRE(said);
        CHECK_INT(json_get(said, "here")->number, lines);
        CHECK(json_get(said, "resumed")->number >= (double)lines);
        arena_free(&arena);
        CHECK_OK(file_write(wisdom, "", 0)); // from the start
        lines = 0, ends++;
    }
    CHECK(ends > 0);
}
// The first Ctrl-C ends the measuring, and what was found is kept.
TEST(tune_stopped) {
    if (!test_program()) test_skip("the program is not built");
    const char *package = small_package(), *wisdom = test_temp("wisdom");
    const char *const command[] = {"stent", "tune", package, "--wisdom", wisdom, "--time", "1h", NULL};
    int64_t most;
    CHECK_OK(file_write(wisdom, "", 0));
    fflush(NULL);
    const pid_t pid = fork();
    if (pid == 0) {
        signal(SIGINT, SIG_DFL);
        dup2(open("/dev/null", O_RDWR), STDOUT_FILENO);
        execv(test_program(), (char *const *)command);
        _exit(127);
    }
    while (file_size(wisdom) == 0 && waitpid(pid, NULL, WNOHANG) == 0) usleep(1000);
    kill(pid, SIGINT);
    int status = 0;
    CHECK_INT(waitpid(pid, &status, 0), pid);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    CHECK(lines_of(wisdom, &most) > 0);
}

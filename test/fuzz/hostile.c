#define _GNU_SOURCE
#include "fuzz/hostile.h"
#include "base/file.h"
#include "base/text.h"
#include "package/make_package.h"
#include "test.h"
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CPU_SECONDS = 20 };
static const long most_kilobytes = 1 << 20; // resident

const char *hostile_program(void) {
    static Arena arena;
    const char *program = test_program();
    const char *path = program ? path_join(&arena, path_folder(&arena, program), "stent-checksums-off") : NULL;
    if (!path || access(path, X_OK)) test_skip("stent-checksums-off is not built beside the program");
    return path;
}

// The child's side. What it says on standard error goes to `errors`. The limit on processor time is no measure of
// speed: it is what ends a run that would not.
static void start(const char *const *words, const char *errors) {
    const int null = open("/dev/null", O_RDWR), to = open(errors, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    dup2(null, STDIN_FILENO);
    dup2(null, STDOUT_FILENO);
    dup2(to, STDERR_FILENO);
    setrlimit(RLIMIT_CPU, &(struct rlimit){CPU_SECONDS, CPU_SECONDS});
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    setenv("ASAN_OPTIONS", "allocator_may_return_null=1:quarantine_size_mb=16:exitcode=99:detect_leaks=1", 1);
    setenv("XDG_DATA_HOME", test_temp("data"), 1);
    setenv("STENT_THREADS", "1", 1);
    execv(words[0], (char *const *)words);
    _exit(127);
}

static bool is_one_line(const char *text, size_t size) {
    return size > 8 && text_starts(text, "stent: ") && memchr(text, '\n', size) == text + size - 1;
}

static bool may_end(int status, const char *text) {
    if (status == 2) return strstr(text, "--input") != NULL;
    if (status == 5) return strstr(text, "--max-memory") != NULL;
    return status == 0 || status == 3 || status == 4;
}

// What a failure leaves for the one who looks into it.
static void keep(const char *file, const char *name) {
    const char *folder = getenv("STENT_KEEP_FAILURES");
    Arena arena = {0};
    size_t size;
    if (folder && *folder) {
        uint8_t *bytes = read_whole(file, &size);
        write_whole(path_join(&arena, folder, name), bytes, size);
        mem_free(bytes);
    }
    arena_free(&arena);
}

int run_hostile(const char *const *words, const char *file, const char *name, Tally *tally) {
    const char *errors = test_temp("errors.txt");
    struct rusage use;
    int status = 0;
    size_t size;
    fflush(NULL);
    const pid_t pid = fork();
    REQUIRE(pid >= 0);
    if (pid == 0) start(words, errors);
    REQUIRE(wait4(pid, &status, 0, &use) == pid);
    const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    const double seconds = (double)use.ru_utime.tv_sec + (double)use.ru_utime.tv_usec * 1e-6 +
                           (double)use.ru_stime.tv_sec + (double)use.ru_stime.tv_usec * 1e-6;
    uint8_t *said = read_whole(errors, &size);
    const bool right = may_end(code, (const char *)said) && use.ru_maxrss <= most_kilobytes &&
                       (code == 0 ? size == 0 : is_one_line((const char *)said, size));
    CHECK_MSG(right, "%s %s: exit status %d, %ld MB, %.1f s, said:\n%.3000s", words[1], name, code, use.ru_maxrss >> 10,
              seconds, said);
    if (!right) keep(file, name);
    mem_free(said);
    tally->runs++, tally->by_status[code & 255]++, tally->slow += seconds > 5;
    tally->worst_seconds = MAX(tally->worst_seconds, seconds);
    tally->worst_kilobytes = MAX(tally->worst_kilobytes, use.ru_maxrss);
    return code;
}

void tell_tally(const char *what, const Tally *tally) {
    printf("%s: %d runs:", what, tally->runs);
    for (int i = 0; i < 256; i++)
        if (tally->by_status[i]) printf(" %d with %d,", tally->by_status[i], i);
    printf(" at most %.1f s of processor time (%d above 5 s), %ld MB\n", tally->worst_seconds, tally->slow,
           tally->worst_kilobytes >> 10);
}

void make_with_program(const char *const *words) {
    static char out[4096];
    const int status = test_run_command(words, out, sizeof out);
    REQUIRE(status == 0 || (printf("%s\n", out), 0));
}

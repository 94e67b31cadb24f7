// The test runner: each test in a process of its own, several at a time, with a timeout.
//
//   stent-test [options] [PART-OF-A-NAME...]
//   --list          names only
//   --jobs N        tests at a time (default: processors)
//   --timeout S     seconds a test may take (default 120, under the sanitizers 600; with --long 1800)
//   --long          tells the tests that they may sweep (test_long)
//   --no-fork       all in this process: for a debugger
//   -v              a line a test
//
// A test is called folder/file/test ("base/text/natural_order" stands in test/base/test_text.c). What a test
// writes is shown only when it fails. The last line is "N passed, N failed, N skipped"; exit status 0 when none failed.
#define _GNU_SOURCE
#include "test.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef TEST_SOURCE_ROOT
#define TEST_SOURCE_ROOT "."
#endif

// Under the address sanitizer an allocation that is far too large must give NULL, as it does without.
#define ASAN_OPTIONS_HERE "allocator_may_return_null=1"
const char *__asan_default_options(void);
const char *__asan_default_options(void) { return ASAN_OPTIONS_HERE; }

#ifdef __SANITIZE_ADDRESS__
enum { SECONDS = 600 };
#else
enum { SECONDS = 120 };
#endif

enum { EXIT_SKIPPED = 77, MAX_JOBS = 64 };

typedef struct Job { // one running test; pid 0: free
    pid_t pid;
    const TestCase *test;
    int number;
    double deadline, start;
    bool timed_out;
} Job;

typedef struct Options {
    const char **filters;
    int filter_count, jobs;
    double timeout;
    bool list, fork, verbose;
} Options;

static TestCase *all_tests;
static int failures_in_test; // in the test's own process
static char run_folder[PATH_MAX], test_folder[PATH_MAX + 16], program_path[PATH_MAX];
static int passed, failed, skipped;

void test_register(TestCase *test) {
    test->next = all_tests;
    all_tests = test;
}

// ---- what a test calls ----

void test_failed(const char *file, int line, const char *format, ...) {
    va_list args;
    va_start(args, format);
    printf("%s:%d: ", file, line);
    vprintf(format, args);
    printf("\n");
    va_end(args);
    failures_in_test++;
}

void test_end(void) { exit(failures_in_test ? 1 : 0); }

void test_skip(const char *why) {
    printf("%s\n", why);
    exit(failures_in_test ? 1 : EXIT_SKIPPED);
}

// A path that lives as long as the process; kept in a list, so that the leak checker sees its owner.
static const char *keep_path(const char *folder, const char *name) {
    typedef struct Kept {
        struct Kept *next;
        char path[];
    } Kept;
    static Kept *all_kept;
    size_t size = strlen(folder) + strlen(name) + 2;
    Kept *kept = malloc(sizeof *kept + size);
    if (!kept) abort();
    snprintf(kept->path, size, "%s/%s", folder, name);
    kept->next = all_kept;
    all_kept = kept;
    return kept->path;
}

const char *test_data(const char *relative) {
    const char *root = getenv("STENT_TESTDATA");
    const char *path = keep_path(root && *root ? root : TEST_SOURCE_ROOT "/../shared", relative);
    return access(path, R_OK) == 0 ? path : NULL;
}

const char *test_temp(const char *name) {
    mkdir(test_folder, 0700);
    return keep_path(test_folder, name);
}

const char *test_program(void) { return access(program_path, X_OK) == 0 ? program_path : NULL; }

static bool is_set(const char *name) {
    const char *value = getenv(name);
    return value && !strcmp(value, "1");
}
bool test_long(void) { return is_set("STENT_TEST_LONG"); }
bool test_emulated(void) { return is_set("STENT_TEST_EMULATED"); }

int test_run_command(const char *const *argv, char *out, size_t out_size) {
    int ends[2];
    fflush(NULL);
    if (pipe(ends)) return -1;
    pid_t pid = fork();
    if (pid == 0) {
        dup2(ends[1], STDOUT_FILENO);
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        close(ends[1]);
        execvp(strcmp(argv[0], "stent") ? argv[0] : program_path, (char *const *)argv);
        _exit(127);
    }
    close(ends[1]);
    char buffer[4096];
    size_t length = 0;
    for (ssize_t got; pid > 0 && (got = read(ends[0], buffer, sizeof buffer)) != 0;) {
        if (got < 0 && errno != EINTR) break;
        for (ssize_t i = 0; i < got; i++)
            if (length + 1 < out_size) out[length++] = buffer[i];
    }
    if (out_size) out[length] = 0;
    close(ends[0]);
    int status;
    if (pid < 0 || waitpid(pid, &status, 0) != pid) return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

// ---- names ----

// "…/test/base/test_text.c" and "natural_order" to "base/text/natural_order".
static void test_label(const TestCase *test, char *out, size_t size) {
    const char *file = test->file;
    for (const char *at = file; (at = strstr(at, "test/")) != NULL; at += 5)
        if (at == test->file || at[-1] == '/') file = at + 5;
    const char *name = strrchr(file, '/') ? strrchr(file, '/') + 1 : file;
    int folder_length = (int)(name - file);
    if (!strncmp(name, "test_", 5)) name += 5;
    const char *dot = strrchr(name, '.');
    int name_length = dot ? (int)(dot - name) : (int)strlen(name);
    snprintf(out, size, "%.*s%.*s/%s", folder_length, file, name_length, name, test->name);
}

static int compare_tests(const void *a, const void *b) {
    char first[512], second[512];
    test_label(*(const TestCase *const *)a, first, sizeof first);
    test_label(*(const TestCase *const *)b, second, sizeof second);
    return strcmp(first, second);
}

static bool is_wanted(const TestCase *test, const Options *options) {
    char label[512];
    test_label(test, label, sizeof label);
    for (int i = 0; i < options->filter_count; i++)
        if (strstr(label, options->filters[i])) return true;
    return options->filter_count == 0;
}

// ---- running ----

static double now_seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void output_path(int number, char *path, size_t size) { snprintf(path, size, "%s/%d.out", run_folder, number); }

// The child's side; does not return. exit, not _exit: the leak checker runs there.
static void run_test(const TestCase *test, int number) {
    char path[PATH_MAX + 32];
    output_path(number, path, sizeof path);
    int out = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    int in = open("/dev/null", O_RDONLY);
    if (out < 0 || in < 0) _exit(1);
    dup2(in, STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    dup2(out, STDERR_FILENO);
    setvbuf(stdout, NULL, _IOLBF, 0); // what was printed before a crash is not lost
    snprintf(test_folder, sizeof test_folder, "%s/%d", run_folder, number);
    test->run();
    test_end();
}

static void start_job(Job *job, const TestCase *test, int number, const Options *options) {
    fflush(NULL);
    pid_t pid = fork();
    if (pid < 0) {
        perror("fork");
        exit(5);
    }
    if (pid == 0) {
        sigset_t none;
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        signal(SIGINT, SIG_DFL); // a shell that starts the runner in the background, or nohup, has them ignored
        signal(SIGHUP, SIG_DFL);
        setpgid(0, 0);
        run_test(test, number);
    }
    setpgid(pid, pid); // both sides, whoever is first
    double now = now_seconds();
    *job = (Job){.pid = pid, .test = test, .number = number, .start = now, .deadline = now + options->timeout};
}

static void remove_tree(const char *path) {
    struct stat info;
    if (lstat(path, &info)) return;
    if (!S_ISDIR(info.st_mode)) {
        unlink(path);
        return;
    }
    chmod(path, 0700);
    DIR *folder = opendir(path);
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        char inner[PATH_MAX];
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) continue;
        if (snprintf(inner, sizeof inner, "%s/%s", path, entry->d_name) < (int)sizeof inner) remove_tree(inner);
    }
    if (folder) closedir(folder);
    rmdir(path);
}

static void show_output(int number, const char *indent) {
    char path[PATH_MAX + 32], line[4096];
    output_path(number, path, sizeof path);
    FILE *file = fopen(path, "r");
    while (file && fgets(line, sizeof line, file)) printf("%s%s%s", indent, line, strchr(line, '\n') ? "" : "\n");
    if (file) fclose(file);
}

static void report_failure(const Job *job, int status, const char *label, const Options *options) {
    printf("FAILED %s", label);
    if (job->timed_out) printf(" (stopped after %.0f s)", options->timeout);
    else if (WIFSIGNALED(status)) printf(" (%s)", strsignal(WTERMSIG(status)));
    else if (WEXITSTATUS(status) != 1) printf(" (exit status %d)", WEXITSTATUS(status));
    printf("\n");
    show_output(job->number, "    ");
    printf("    again: stent-test %s\n", label);
}

static void finish_job(Job *job, int status, const Options *options) {
    char label[512], path[PATH_MAX + 32];
    test_label(job->test, label, sizeof label);
    kill(-job->pid, SIGKILL); // whatever it left running
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
        passed++;
        if (options->verbose) printf("passed %s (%.2f s)\n", label, now_seconds() - job->start);
    } else if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SKIPPED) {
        skipped++;
        printf("skipped %s:\n", label);
        show_output(job->number, "    ");
    } else {
        failed++;
        report_failure(job, status, label, options);
    }
    fflush(stdout);
    output_path(job->number, path, sizeof path);
    unlink(path);
    snprintf(path, sizeof path, "%s/%d", run_folder, job->number);
    remove_tree(path);
    job->pid = 0;
}

static void stop_all(const Job *jobs) {
    for (int i = 0; i < MAX_JOBS; i++)
        if (jobs[i].pid) kill(-jobs[i].pid, SIGKILL);
}

// Waits until a test ends or is overdue. SIGCHLD and the signals that end the runner are blocked and taken here.
static void wait_for_jobs(Job *jobs, const sigset_t *signals, const Options *options) {
    struct timespec limit = {.tv_nsec = 200 * 1000 * 1000};
    int got = sigtimedwait(signals, NULL, &limit);
    if (got == SIGINT || got == SIGTERM) {
        stop_all(jobs);
        remove_tree(run_folder);
        exit(128 + got);
    }
    int status;
    for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;)
        for (int i = 0; i < options->jobs; i++)
            if (jobs[i].pid == pid) finish_job(&jobs[i], status, options);
    for (int i = 0; i < options->jobs; i++)
        if (jobs[i].pid && now_seconds() > jobs[i].deadline) {
            jobs[i].timed_out = true;
            kill(-jobs[i].pid, SIGKILL);
        }
}

static bool any_running(const Job *jobs) {
    for (int i = 0; i < MAX_JOBS; i++)
        if (jobs[i].pid) return true;
    return false;
}

static void run_all(TestCase *const *tests, int count, const Options *options) {
    static Job jobs[MAX_JOBS];
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGCHLD);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    for (int next = 0; next < count || any_running(jobs);) {
        for (int i = 0; i < options->jobs && next < count; i++)
            if (!jobs[i].pid) {
                start_job(&jobs[i], tests[next], next, options);
                next++;
            }
        wait_for_jobs(jobs, &signals, options);
    }
}

// ---- start ----

static int usage(void) {
    fprintf(stderr,
            "usage: stent-test [--list] [--jobs N] [--timeout S] [--long] [--no-fork] [-v] [PART-OF-A-NAME...]\n");
    return 2;
}

static bool parse_options(int argc, char **argv, Options *options) {
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    *options = (Options){.filters = (const char **)argv, .fork = true};
    options->jobs = (int)MAX(1, MIN(processors, MAX_JOBS));
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--list")) options->list = true;
        else if (!strcmp(argv[i], "--no-fork")) options->fork = false;
        else if (!strcmp(argv[i], "-v")) options->verbose = true;
        else if (!strcmp(argv[i], "--long")) setenv("STENT_TEST_LONG", "1", 1);
        else if (!strcmp(argv[i], "--jobs") && i + 1 < argc) options->jobs = atoi(argv[++i]);
        else if (!strcmp(argv[i], "--timeout") && i + 1 < argc) options->timeout = atof(argv[++i]);
        else if (argv[i][0] == '-') return false;
        else options->filters[options->filter_count++] = argv[i]; // never overtakes i
    }
    if (options->timeout == 0) options->timeout = test_long() ? 1800 : SECONDS;
    return options->jobs >= 1 && options->jobs <= MAX_JOBS && options->timeout > 0;
}

// The program under test: $STENT_PROGRAM, else `stent` beside this runner.
static void find_program(void) {
    const char *given = getenv("STENT_PROGRAM");
    ssize_t length = readlink("/proc/self/exe", program_path, sizeof program_path - 8);
    if (length > 0) program_path[length] = 0;
    char *slash = strrchr(program_path, '/');
    strcpy(slash ? slash + 1 : program_path, "stent");
    if (given && *given) snprintf(program_path, sizeof program_path, "%s", given);
    setenv("STENT_PROGRAM", program_path, 1);
    setenv("ASAN_OPTIONS", ASAN_OPTIONS_HERE, 0); // for the program
}

static bool make_run_folder(void) {
    const char *temp = getenv("TMPDIR");
    snprintf(run_folder, sizeof run_folder - 64, "%s/stent-test-XXXXXX", temp && *temp ? temp : "/tmp");
    if (mkdtemp(run_folder)) return true;
    perror(run_folder);
    return false;
}

int main(int argc, char **argv) {
    Options options;
    int count = 0;
    if (!parse_options(argc, argv, &options)) return usage();
    for (const TestCase *test = all_tests; test; test = test->next) count++;
    TestCase **tests = calloc((size_t)count + 1, sizeof *tests);
    if (!tests) return 5;
    count = 0;
    for (TestCase *test = all_tests; test; test = test->next)
        if (is_wanted(test, &options)) tests[count++] = test;
    qsort(tests, (size_t)count, sizeof *tests, compare_tests);
    if (options.list) {
        for (int i = 0; i < count; i++) {
            char label[512];
            test_label(tests[i], label, sizeof label);
            printf("%s\n", label);
        }
    } else {
        find_program();
        if (!make_run_folder()) return 5;
        snprintf(test_folder, sizeof test_folder, "%s/t", run_folder);
        for (int i = 0; i < count && !options.fork; i++) tests[i]->run();
        if (options.fork) run_all(tests, count, &options);
        remove_tree(run_folder);
        failed += failures_in_test > 0;
        printf("%d passed, %d failed, %d skipped\n", passed, failed, skipped);
    }
    free(tests);
    return failed || (!count && !options.list) ? 1 : 0;
}

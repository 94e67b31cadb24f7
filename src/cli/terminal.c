// What the person at the terminal sees while a verb runs, and how it is stopped.
#define _GNU_SOURCE
#include "cli/cli.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

static bool is_terminal, has_color, bar_shown;
static volatile sig_atomic_t interrupts;

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

void terminal_clear(void) {
    if (bar_shown) fputs("\r\033[K", stderr);
    bar_shown = false;
}
static void print_log(void *context, int level, const char *line) {
    (void)context, (void)level;
    terminal_clear();
    fprintf(stderr, "%s\n", line);
}
void terminal_begin(bool quiet, bool verbose) {
    const char *term = getenv("TERM"), *no_color = getenv("NO_COLOR");
    is_terminal = !quiet && isatty(STDERR_FILENO) && term && strcmp(term, "dumb");
    has_color = is_terminal && !(no_color && *no_color); // no-color.org: any value that is not empty
    stent_log(print_log, NULL, quiet ? 0 : verbose ? 2 : 1);
}

static int columns(void) {
    struct winsize size;
    return !ioctl(STDERR_FILENO, TIOCGWINSZ, &size) && size.ws_col >= 20 ? size.ws_col : 80;
}
static void format_left(double seconds, char *out, size_t size) {
    const long s = (long)seconds;
    if (s >= 3600) snprintf(out, size, "%ld h %02ld min left", s / 3600, s / 60 % 60);
    else if (s >= 60) snprintf(out, size, "%ld min %02ld s left", s / 60, s % 60);
    else snprintf(out, size, "%ld s left", s);
}
// "self-check [##########..........]  50 %  12 s left"
static void draw(const char *stage, double part, double elapsed) {
    enum { WIDTH = 24 };
    char left[48] = "", bar[WIDTH + 1], line[256];
    const int filled = (int)(part * WIDTH);
    memset(bar, '.', WIDTH), memset(bar, '#', (size_t)filled), bar[WIDTH] = 0;
    if (part > 0.02 && elapsed > 1) format_left(elapsed * (1 - part) / part, left, sizeof left);
    snprintf(line, sizeof line, "%-12.40s [%s] %3.0f %%  %s", stage, bar, 100 * part, left);
    const int width = columns() - 1;
    fprintf(stderr, "\r%s%.*s%s\033[K", has_color ? "\033[36m" : "", width, line, has_color ? "\033[0m" : "");
    fflush(stderr);
    bar_shown = true;
}
int terminal_progress(void *context, const char *stage, double done, double total) {
    static double stage_start, last_drawn;
    static char last_stage[64];
    (void)context;
    if (!is_terminal || total <= 0) return interrupts > 0;
    const double time = now();
    const bool is_new = strncmp(last_stage, stage, sizeof last_stage - 1) != 0;
    if (is_new) snprintf(last_stage, sizeof last_stage, "%s", stage), stage_start = time;
    if (is_new || time - last_drawn > 0.1) {
        const double part = done / total;
        draw(stage, part < 0 ? 0 : part > 1 ? 1 : part, time - stage_start);
        last_drawn = time;
    }
    return interrupts > 0;
}

// The first signal asks the running call to stop; the second ends the program, with half-written files removed. No more
// input is read: a wait for it ends, whether the signal came during it (EINTR) or just before (EBADF).
static void on_signal(int number) {
    const int saved = errno;
    if (interrupts++ == 0) {
        close(STDIN_FILENO);
        errno = saved;
        return;
    }
    stent_remove_unfinished();
    signal(number, SIG_DFL);
    raise(number);
}
void terminal_signals(void) {
    struct sigaction action = {.sa_handler = on_signal}; // no SA_RESTART: EINTR is wanted
    sigemptyset(&action.sa_mask);
    signal(SIGXFSZ, SIG_IGN); // a file beyond the user's limit is an error of write(), not the end
    signal(SIGPIPE, SIG_IGN); // and so is a reader that went away: files that are being written must not be left half
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        struct sigaction before;
        // What the caller ignores (nohup) stays ignored.
        if (!sigaction(numbers[i], NULL, &before) && before.sa_handler != SIG_IGN) sigaction(numbers[i], &action, NULL);
    }
}

// In its place stands what refuses reading from stdin and writing to the others, so that an answer that gets lost is an
// error as well.
void terminal_streams(void) {
    for (int handle = STDIN_FILENO; handle <= STDERR_FILENO; handle++)
        if (fcntl(handle, F_GETFD) < 0 && open("/dev/null", handle == STDIN_FILENO ? O_WRONLY : O_RDONLY) < 0) _exit(5);
}

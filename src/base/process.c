#define _GNU_SOURCE
#include "base/process.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/memory.h"
#include "base/text.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

struct Process {
    pid_t pid;
    int to, from;  // our ends of its pipes; -1: closed
    Text read;     // bytes that it has printed
    size_t taken;  // of them, by process_line
    char name[64]; // of the program, for messages
};

static void close_all(const int *handles, int count) {
    for (int i = 0; i < count; i++)
        if (handles[i] >= 0) close(handles[i]);
}
static int spawn(const char *const *argv, int input, int output, pid_t *pid) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, usual;
    if (fault_here(FAULT_THREAD)) return EAGAIN;
    int error = posix_spawn_file_actions_init(&actions);
    if (error) return error;
    error = posix_spawnattr_init(&attributes);
    if (!error) {
        // SIGPIPE as it usually is: it shall end when we are gone. Our Ctrl-C is not meant for it.
        sigemptyset(&none), sigemptyset(&usual), sigaddset(&usual, SIGPIPE);
        posix_spawnattr_setsigmask(&attributes, &none), posix_spawnattr_setsigdefault(&attributes, &usual);
        posix_spawnattr_setpgroup(&attributes, 0);
        posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
        error = posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
        if (!error) error = posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
        if (!error) error = posix_spawnp(pid, argv[0], &actions, &attributes, (char *const *)(uintptr_t)argv, environ);
        posix_spawnattr_destroy(&attributes);
    }
    posix_spawn_file_actions_destroy(&actions);
    return error;
}
static Status start(const char *const *argv, Process *process) {
    int pipes[4] = {-1, -1, -1, -1}; // its input: read, write; its output: read, write
    snprintf(process->name, sizeof process->name, "%s", argv[0]);
    if (fault_here(FAULT_OPEN) || pipe2(pipes, O_CLOEXEC) || pipe2(pipes + 2, O_CLOEXEC)) {
        const Status status = fail(ST_RESOURCE, "%s: no pipe: %s", argv[0], strerror(errno));
        close_all(pipes, 4);
        return status;
    }
    const int error = spawn(argv, pipes[0], pipes[3], &process->pid);
    close(pipes[0]), close(pipes[3]);
    process->to = pipes[1], process->from = pipes[2];
    if (error) process->pid = 0;
    FAIL_IF(error == EAGAIN || error == ENOMEM, ST_RESOURCE, "%s cannot be started: %s", argv[0], strerror(error));
    FAIL_IF(error, ST_UNSUPPORTED, "%s cannot be started: %s", argv[0], strerror(error));
    fcntl(process->to, F_SETFL, fcntl(process->to, F_GETFL) | O_NONBLOCK);
    return ST_OK;
}
Status process_start(const char *const *argv, Process **out) {
    Process *process = mem_zero(1, sizeof *process);
    *out = NULL;
    if (!process) return fail_memory(sizeof *process);
    process->to = process->from = -1;
    const Status status = start(argv, process);
    if (status == ST_OK) *out = process;
    else process_end(process);
    return status;
}

// Whether the handle is ready before the time is over.
static bool ready(int handle, short events, double seconds, uint64_t since) {
    for (;;) {
        const double left = 1e3 * seconds - clock_ms_since(since);
        struct pollfd wait = {.fd = handle, .events = events};
        const int count = left > 0 ? poll(&wait, 1, (int)left + 1) : 0;
        if (count > 0) return true;
        if (count == 0 || errno != EINTR) return false;
    }
}
// A pipe that nobody reads any more is an error here, and no signal for whoever calls the library.
static ssize_t write_quietly(int handle, const char *bytes, size_t count) {
    sigset_t pipe, before, pending;
    sigemptyset(&pipe), sigaddset(&pipe, SIGPIPE);
    sigpending(&pending);
    pthread_sigmask(SIG_BLOCK, &pipe, &before);
    const ssize_t done = fault_here(FAULT_WRITE) ? -1 : write(handle, bytes, count);
    const int error = errno;
    if (done < 0 && error == EPIPE && !sigismember(&pending, SIGPIPE))
        sigtimedwait(&pipe, NULL, &(struct timespec){0}); // ours
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = error;
    return done;
}
Status process_write(Process *process, const char *bytes, size_t count, double seconds) {
    const uint64_t since = clock_ns();
    while (count > 0) {
        const ssize_t done = write_quietly(process->to, bytes, count);
        if (done > 0) bytes += done, count -= (size_t)done;
        else if (done < 0 && errno != EAGAIN && errno != EINTR)
            return fail(ST_RESOURCE, "%s cannot be written to: %s", process->name, strerror(errno));
        else if (!ready(process->to, POLLOUT, seconds, since))
            return fail(ST_RESOURCE, "%s has not read for %.0f s", process->name, seconds);
    }
    return ST_OK;
}
Status process_line(Process *process, size_t most, double seconds, const char **line, size_t *length) {
    const uint64_t since = clock_ns();
    Text *text = &process->read;
    size_t seen = process->taken;
    for (;;) {
        char piece[4096];
        char *end = text->length > seen ? memchr(text->data + seen, '\n', text->length - seen) : NULL;
        if (end) {
            *end = 0;
            *line = text->data + process->taken, *length = (size_t)(end - *line);
            process->taken += *length + 1;
            return ST_OK;
        }
        if (process->taken) { // what was given out goes
            memmove(text->data, text->data + process->taken, text->length - process->taken);
            text->length -= process->taken, process->taken = 0;
        }
        seen = text->length;
        FAIL_IF(text->length > most, ST_RESOURCE, "%s has printed a line of more than %zu bytes", process->name, most);
        FAIL_IF(!ready(process->from, POLLIN, seconds, since), ST_RESOURCE, "%s has said nothing for %.0f s",
                process->name, seconds);
        const ssize_t got = fault_here(FAULT_READ) ? -1 : read(process->from, piece, sizeof piece);
        if (got < 0 && errno == EINTR) continue;
        FAIL_IF(got < 0, ST_RESOURCE, "%s cannot be read: %s", process->name, strerror(errno));
        FAIL_IF(got == 0, ST_RESOURCE, "%s has ended", process->name);
        text_bytes(text, piece, (size_t)got);
        TRY(text_status(text));
    }
}
void process_end(Process *process) {
    enum { TRIES = 100, PAUSE_US = 10000 };
    if (!process) return;
    close_all((const int[]){process->to, process->from}, 2);
    bool ended = process->pid <= 0;
    for (int i = 0; i < TRIES && !ended; i++) {
        const pid_t got = waitpid(process->pid, NULL, WNOHANG);
        ended = got == process->pid || (got < 0 && errno != EINTR);
        if (!ended) usleep(PAUSE_US);
    }
    if (!ended) {
        kill(process->pid, SIGKILL);
        while (waitpid(process->pid, NULL, 0) < 0 && errno == EINTR) {}
    }
    text_free(&process->read);
    mem_free(process);
}

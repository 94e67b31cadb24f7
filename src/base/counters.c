#define _GNU_SOURCE
#include "base/counters.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/file_open.h"
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static int open_quietly(const char *folder, const char *name) {
    char path[PATH_MAX];
    struct stat info;
    int handle;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    if (file_open_to_read(path, &handle, &info) == ST_OK) return handle;
    error_clear();
    return -1;
}
static void open_threads(const char *proc, CounterFiles *out) {
    Arena arena = {0};
    char folder[PATH_MAX - 64], name[64], **names;
    size_t count;
    snprintf(folder, sizeof folder, "%s/self/task", proc);
    if (folder_list(folder, &arena, &names, &count) != ST_OK) error_clear(), count = 0;
    out->threads = (int)MIN(count, (size_t)COUNTED_THREADS);
    for (int i = 0; i < out->threads; i++) {
        snprintf(name, sizeof name, "%.20s/schedstat", names[i]);
        out->waits[i] = open_quietly(folder, name);
        snprintf(name, sizeof name, "%.20s/stat", names[i]);
        out->places[i] = open_quietly(folder, name);
    }
    arena_free(&arena);
}
void counters_open(const char *proc, const char *cpus, CounterFiles *out) {
    bool more = true; // where the first CPU's clock cannot be read the others are not asked for
    out->machine = open_quietly(proc, "stat");
    open_threads(proc, out);
    for (int cpu = 0; cpu < COUNTED_CPUS; cpu++) {
        char name[64];
        snprintf(name, sizeof name, "cpu%d/cpufreq/scaling_cur_freq", cpu);
        out->clocks[cpu] = more ? open_quietly(cpus, name) : -1;
        more = out->clocks[cpu] >= 0;
    }
}
static void close_opened(int handle) {
    if (handle >= 0) close(handle);
}
void counters_close(CounterFiles *files) {
    close_opened(files->machine);
    for (int i = 0; i < files->threads; i++) close_opened(files->waits[i]), close_opened(files->places[i]);
    for (int i = 0; i < COUNTED_CPUS; i++) close_opened(files->clocks[i]);
}

// The beginning of a file as text.
enum { TEXT = 512 };
static bool read_start(int handle, char text[TEXT]) {
    const ssize_t got = handle < 0 || fault_here(FAULT_READ) ? -1 : pread(handle, text, TEXT - 1, 0);
    text[got > 0 ? got : 0] = 0;
    return got > 0;
}
// "cpu  USER NICE SYSTEM IDLE IOWAIT IRQ SOFTIRQ STEAL ...": ticks of all CPUs.
static void read_machine(int handle, Counters *out) {
    char text[TEXT];
    unsigned long long t[8];
    const double tick_ms = 1e3 / (double)sysconf(_SC_CLK_TCK);
    if (!read_start(handle, text) || sscanf(text, "cpu %llu %llu %llu %llu %llu %llu %llu %llu", &t[0], &t[1], &t[2],
                                            &t[3], &t[4], &t[5], &t[6], &t[7]) != 8)
        return;
    out->busy_ms = (double)(t[0] + t[1] + t[2] + t[5] + t[6]) * tick_ms;
    out->stolen_ms = (double)t[7] * tick_ms;
}
// "RAN WAITED TIMES", nanoseconds.
static double read_wait(int handle) {
    char text[TEXT];
    unsigned long long ran, waited;
    if (!read_start(handle, text) || sscanf(text, "%llu %llu", &ran, &waited) != 2) return NAN;
    return (double)waited * 1e-6;
}
// "ID (NAME) STATE ...": the CPU is the 39th word, the 36th behind STATE. The name may hold anything.
static int read_place(int handle) {
    char text[TEXT];
    int cpu;
    const char *at = read_start(handle, text) ? strrchr(text, ')') : NULL;
    for (int word = 2; at && word < 39; word++) {
        at = strchr(at, ' ');
        if (at) at++;
    }
    return at && sscanf(at, "%d", &cpu) == 1 && cpu >= 0 ? cpu : -1;
}
static double read_mhz(const CounterFiles *files, const Counters *counters) {
    double sum = 0;
    int known = 0;
    for (int i = 0; i < counters->threads; i++) {
        char text[TEXT];
        double khz;
        const int cpu = counters->cpu[i];
        if (cpu < 0 || cpu >= COUNTED_CPUS || !read_start(files->clocks[cpu], text) || sscanf(text, "%lf", &khz) != 1)
            continue;
        sum += khz * 1e-3, known++;
    }
    return known && sum > 0 ? sum / known : NAN;
}
void counters_read(const CounterFiles *files, Counters *out) {
    struct rusage own;
    *out = (Counters){.own_ms = NAN,
                      .busy_ms = NAN,
                      .stolen_ms = NAN,
                      .preempted = NAN,
                      .page_faults = NAN,
                      .disk_faults = NAN,
                      .waited_ms = files->threads ? 0 : NAN,
                      .threads = files->threads};
    read_machine(files->machine, out);
    for (int i = 0; i < files->threads; i++) {
        out->waited_ms += read_wait(files->waits[i]);
        out->cpu[i] = read_place(files->places[i]);
    }
    out->mhz = read_mhz(files, out);
    if (getrusage(RUSAGE_SELF, &own)) return;
    out->own_ms = (double)(own.ru_utime.tv_sec + own.ru_stime.tv_sec) * 1e3 +
                  (double)(own.ru_utime.tv_usec + own.ru_stime.tv_usec) * 1e-3;
    out->preempted = (double)own.ru_nivcsw;
    out->page_faults = (double)own.ru_minflt, out->disk_faults = (double)own.ru_majflt;
}

// See cores.h. Nothing here fails: a container or chroot may lack /proc or /sys.
#if defined(__linux__)
#define _GNU_SOURCE
#endif
#include "machine/cores.h"
#include "base/file.h"
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

// A small file of the system's as text (mem_free); NULL where it is not there or cannot be read.
static char *read_text(const char *path) {
    uint8_t *text = NULL;
    size_t size;
    if (file_read(path, 64 << 10, &text, &size) != ST_OK) error_clear();
    return (char *)text;
}

#if defined(__linux__)
#include <sched.h>
int cores_in_affinity(const char *topology) {
    cpu_set_t allowed;
    if (sched_getaffinity(0, sizeof allowed, &allowed)) return 1;
    int cores = 0;
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (!CPU_ISSET(cpu, &allowed)) continue;
        char path[PATH_MAX];
        snprintf(path, sizeof path, "%s/cpu%d/topology/thread_siblings_list", topology, cpu);
        char *siblings = read_text(path);
        int first; // of the CPUs that are this core's threads
        if (!siblings || sscanf(siblings, "%d", &first) != 1) first = cpu;
        mem_free(siblings);
        if (first >= cpu || first < 0 || first >= CPU_SETSIZE || !CPU_ISSET(first, &allowed)) cores++;
    }
    return MAX(cores, 1);
}
#else
int cores_in_affinity(const char *topology) {
    (void)topology;
    const long count = sysconf(_SC_NPROCESSORS_ONLN);
    return count > 0 ? (int)count : 1;
}
#endif

// "QUOTA PERIOD" in microseconds, or "max PERIOD".
static int read_quota(const char *path) {
    char *text = read_text(path);
    long long quota = 0, period = 0;
    if (!text || sscanf(text, "%lld %lld", &quota, &period) != 2) quota = 0;
    mem_free(text);
    if (quota <= 0 || period <= 0) return 0;
    const long long cpus = quota / period + (quota % period != 0);
    return cpus < INT_MAX ? (int)cpus : 0;
}
// A line "0::/a/b" names the group of cgroup v2.
static int least_quota(char *lines, const char *mount) {
    char *line = lines;
    while (line && strncmp(line, "0::/", 4)) {
        line = strchr(line, '\n');
        if (line) line++;
    }
    if (!line) return 0;
    char *group = line + 3, path[PATH_MAX]; // "/a/b", then "/a", then ""
    group[strcspn(group, "\n")] = 0;
    int least = 0;
    for (bool at_root = false; !at_root;) {
        snprintf(path, sizeof path, "%s%s/cpu.max", mount, group);
        const int cpus = read_quota(path);
        if (cpus && (!least || cpus < least)) least = cpus;
        char *slash = strrchr(group, '/');
        at_root = !slash;
        if (slash) *slash = 0;
    }
    return least;
}

int cpus_of_quota(const char *groups, const char *mount) {
    char *lines = read_text(groups);
    const int least = lines ? least_quota(lines, mount) : 0;
    mem_free(lines);
    return least;
}

int count_cores(void) {
    const int cores = cores_in_affinity("/sys/devices/system/cpu");
    const int granted = cpus_of_quota("/proc/self/cgroup", "/sys/fs/cgroup");
    return granted && granted < cores ? granted : cores;
}

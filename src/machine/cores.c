// See cores.h. Nothing here fails: a container or chroot may lack /proc or /sys.
#if defined(__linux__)
#define _GNU_SOURCE
#endif
#include "machine/cores.h"
#include "base/memory.h"
#include "base/text.h"
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

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
        FILE *file = fopen(path, "r");
        int first = cpu; // of the CPUs that are this core's threads
        if (file) {
            if (fscanf(file, "%d", &first) != 1) first = cpu;
            fclose(file);
        }
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
    FILE *file = fopen(path, "r");
    long long quota = 0, period = 0;
    if (!file) return 0;
    if (fscanf(file, "%lld %lld", &quota, &period) != 2) quota = 0;
    fclose(file);
    if (quota <= 0 || period <= 0) return 0;
    const long long cpus = quota / period + (quota % period != 0);
    return cpus < INT_MAX ? (int)cpus : 0;
}
int cpus_of_quota(const char *groups, const char *mount) {
    char line[PATH_MAX], path[2 * PATH_MAX];
    bool found = false;
    FILE *file = fopen(groups, "r");
    if (!file) return 0;
    while (!found && fgets(line, sizeof line, file)) found = !strncmp(line, "0::/", 4); // cgroup v2
    fclose(file);
    if (!found) return 0;
    int least = 0;
    char *group = line + 3; // "/a/b", then "/a", then ""
    group[strcspn(group, "\n")] = 0;
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

int count_cores(void) {
    const int cores = cores_in_affinity("/sys/devices/system/cpu");
    const int granted = cpus_of_quota("/proc/self/cgroup", "/sys/fs/cgroup");
    return granted && granted < cores ? granted : cores;
}

// How many cores this process may use: its affinity, thread siblings, and the quota of its control group.
#pragma once

// The number of physical cores among the CPUs of the process's affinity, at least 1. `topology`: a folder as
// /sys/devices/system/cpu; a CPU of which it says nothing counts as a core of its own.
int cores_in_affinity(const char *topology);
// CPUs' worth of time that cgroup v2 grants, rounded up; 0: no limit, or nothing known. `groups`: a file as
// /proc/self/cgroup; `mount`: where cgroup2 is mounted. Groups above count too.
int cpus_of_quota(const char *groups, const char *mount);
// Both for this process.
int count_cores(void);

// What the system counts of this process and of the machine: the difference of two readings says what happened between.
#pragma once
#include <stddef.h>

enum { COUNTED_THREADS = 64, COUNTED_CPUS = 256 }; // of a larger machine the others are not watched

// The files that are read, kept open.
typedef struct CounterFiles {
    int machine; // /proc/stat; -1, here and below: cannot be read
    int threads;
    int waits[COUNTED_THREADS], places[COUNTED_THREADS]; // of a thread: schedstat, stat
    int clocks[COUNTED_CPUS];                            // of a CPU: scaling_cur_freq
} CounterFiles;

// NAN and -1: the system does not tell.
typedef struct Counters {
    double own_ms;    // CPU time of this process's threads
    double busy_ms;   // CPU time of all processes on all CPUs; counted in ticks, mostly of 10 ms
    double stolen_ms; // when a CPU of ours was ready and the hypervisor ran something else; in ticks, too
    double waited_ms; // when a thread of ours was ready and had no CPU; exact
    double preempted; // times that a thread of ours had to leave its CPU
    double page_faults, disk_faults; // without and with waiting for a disk
    double mhz;                      // now, mean over the CPUs that our threads ran on last
    int threads;
    int cpu[COUNTED_THREADS]; // where each thread ran last
} Counters;

// proc: "/proc"; cpus: "/sys/devices/system/cpu". The threads that there are now are watched. What cannot be opened is
// not known, and nothing fails.
void counters_open(const char *proc, const char *cpus, CounterFiles *out);
// Allocates nothing. Takes some 20 microseconds and 3 more for each thread.
void counters_read(const CounterFiles *files, Counters *out);
void counters_close(CounterFiles *files);

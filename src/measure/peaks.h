// What this machine can do at most: arithmetic by instruction set, bandwidth by memory level. Short measurements (tens
// of milliseconds); the best of several is taken, since disturbance only ever slows down.
#pragma once
#include "kernel/kernel.h"
#include "thread/pool.h"

// GFLOP/s of fp32 multiply-adds with the GEMM micro-kernel on data in the first cache, on all threads of the pool.
Status measure_peak(const Kernels *kernels, Pool *pool, double *gflops);
// GFLOP/s of bf16 tile products (ISA_AMX), else 0.
Status measure_tiles(const Kernels *kernels, Pool *pool, double *gflops);
// GB/s of out = a + b, 12 bytes an element, over `bytes` in all three arrays of all threads together. Each thread keeps
// to its own part, so a small `bytes` tells the bandwidth of its caches.
Status measure_bandwidth(const Kernels *kernels, Pool *pool, size_t bytes, double *gbytes);

// A fixed piece of arithmetic on threads of its own, all of whose data lies in the first cache: how its time varies is
// what the machine itself varies by, whatever is measured between.
typedef struct Yardstick Yardstick;
// ms: about how long one is to take.
Status yardstick_open(const Kernels *kernels, int threads, double ms, Yardstick **out);
double yardstick_ms(Yardstick *yardstick);  // does it once; allocates nothing
void yardstick_close(Yardstick *yardstick); // NULL is fine

typedef struct Peaks {
    double gflops;         // of the instruction set that is used
    size_t cache_bytes[2]; // working sets up to these: second-level cache of all threads, third-level (0: none)
    double cache_gbytes[2], memory_gbytes;
    double tile_gflops; // 0: no tiles
} Peaks;
Status measure_peaks(const Machine *machine, Pool *pool, Peaks *out);
// Least seconds for so many FLOP and bytes; *by_memory tells which of the two limits.
double peaks_seconds(const Peaks *peaks, double flop, double bytes, bool *by_memory);

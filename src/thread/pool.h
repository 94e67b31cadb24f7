// A pool of worker threads and the executor that runs phases on it.
//
// The calling thread is worker 0. Each phase's units are split into one contiguous range a worker (so that a worker
// finds its part of the image in its own cache), and a worker that is done takes from the others' ranges. Waiting
// threads spin for at most 50 microseconds, then sleep. Rounding mode and denormal handling are set to the default
// on every participating thread and restored on the caller.
#pragma once
#include "base/status.h"
#include "thread/work.h"

typedef struct Pool Pool;
// threads >= 1. The system places them within the process's affinity (docs/decisions/0015-threads-are-not-pinned.md).
// ST_RESOURCE when a thread cannot start.
Status pool_create(int threads, Pool **out);
void pool_destroy(Pool *pool);
int pool_threads(const Pool *pool);
// The number of CPUs that this process may use (affinity), at least 1.
int cpus_allowed(void);

// Room for runs of up to `phases` phases of fewer than 2^32 units each; called before the first such pool_run, which
// allocates nothing.
Status pool_reserve(Pool *pool, int phases);
// Runs phases in order. scratch: `pool_threads` pieces of `scratch_stride` bytes. times: NULL, or one entry a step,
// to which what its phases took is added (from barrier to barrier; together the whole run's).
// One run at a time per pool (the caller holds it for the run).
void pool_run(Pool *pool, const Phase *phases, int count, char *const *bases, void *scratch, size_t scratch_stride,
              StepTime *times);

// The reference on the threads of a pool.
#pragma once
#include "reference/reference.h"
#include "thread/pool.h"

typedef struct PooledReference {
    Pool *pool;
    ReferenceThreads threads; // for ReferenceOptions; as long as the struct stays where it is
} PooledReference;
Status pooled_reference_begin(int threads, PooledReference *out);
void pooled_reference_end(PooledReference *pooled);

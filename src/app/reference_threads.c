#include "app/reference_threads.h"
#include "base/memory.h"

typedef struct Units {
    ReferenceUnit *unit;
    const void *arguments;
} Units;
static void run_unit(const void *arguments, char *const *bases, int64_t unit, void *scratch) {
    const Units *units = arguments;
    (void)bases;
    units->unit(units->arguments, unit, scratch);
}
static Status run_units(void *context, ReferenceUnit *unit, const void *arguments, int64_t units, size_t scratch) {
    enum { LINE = 64 };
    Pool *pool = context;
    const Units given = {unit, arguments};
    const Phase phase = {.run = run_unit, .arguments = &given, .units = units};
    size_t stride, bytes;
    FAIL_IF(units > UINT32_MAX, ST_RESOURCE, "the reference: %lld parts are too many", (long long)units);
    if (!add_size(scratch, 2 * LINE, &stride)) return fail_memory(scratch);
    stride &= ~(size_t)(LINE - 1);
    if (!mul_size(stride, (size_t)pool_threads(pool), &bytes)) return fail_memory(SIZE_MAX);
    TRY(pool_reserve(pool, 1));
    void *memory = pages_alloc(bytes, LINE);
    if (!memory) return fail_memory(bytes);
    pool_run(pool, &phase, 1, NULL, memory, stride, NULL);
    pages_free(memory, bytes);
    return ST_OK;
}
Status pooled_reference_begin(int threads, PooledReference *out) {
    *out = (PooledReference){0};
    TRY(pool_create(threads, &out->pool));
    out->threads = (ReferenceThreads){run_units, out->pool};
    return ST_OK;
}
void pooled_reference_end(PooledReference *pooled) {
    pool_destroy(pooled->pool);
    *pooled = (PooledReference){0};
}

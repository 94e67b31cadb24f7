// The GEMM kernels that keep what they read give the bits of those that do not.
#include "kernel/kernel.h"
#include "test.h"
#include <string.h>

enum {
    DEPTH = 13,
    BATCH = 2,
    LDA = 40,
    ROWS = KEEP_MAX_ROWS,
    LANES = KEEP_MAX_LANES,
    COLUMNS = GEMM_MAX_VECTORS * LANES
};

static void fill(float *values, int count, int seed) {
    for (int i = 0; i < count; i++) values[i] = (float)((i * 37 + seed * 11) % 101 - 50) * 0.0173f;
}
static void check(const Kernels *kernels, int vectors, int rows, int accumulate) {
    static const int32_t offset[BATCH] = {0, 17};
    float a[ROWS * LDA + 64], w[BATCH * DEPTH * COLUMNS], ahead[BATCH * DEPTH * COLUMNS + 64] = {0};
    float kept[BATCH * DEPTH * ROWS * LANES + 1], plain[ROWS * COLUMNS], keep[ROWS * COLUMNS], read[ROWS * COLUMNS];
    fill(a, ROWS * LDA + 64, rows), fill(w, BATCH * DEPTH * COLUMNS, vectors), fill(plain, ROWS * COLUMNS, 3);
    memcpy(keep, plain, sizeof plain), memcpy(read, plain, sizeof plain);
    const int terms = BATCH * DEPTH * rows * LANES;
    kept[terms] = 42;
    kernels->gemm[vectors][rows](BATCH, offset, a, LDA, w, DEPTH, plain, COLUMNS, accumulate, (char *)ahead);
    kernels->gemm_keep[vectors][rows](BATCH, offset, a, LDA, w, DEPTH, keep, COLUMNS, accumulate, (char *)ahead, kept);
    kernels->gemm_kept[vectors][rows](kept, w, BATCH * DEPTH, read, COLUMNS, accumulate, (char *)ahead);
    CHECK_MSG(!memcmp(plain, keep, sizeof plain) && !memcmp(plain, read, sizeof plain), "%d x %d", rows, vectors);
    CHECK(kept[terms] == 42);
    const float last = a[(rows - 1) * LDA + offset[BATCH - 1] + DEPTH - 1];
    for (int lane = 0; lane < LANES; lane++) CHECK(kept[terms - 1 - lane] == last);
}
TEST(kept_rows_give_the_same_bits) {
    int levels = 0;
    for (Isa isa = 0; isa < ISA_COUNT; isa++) {
        const Kernels *kernels = kernels_for(isa);
        if (!kernels || !kernels->gemm_kept[1][1]) continue;
        CHECK(kernels->rows <= KEEP_MAX_ROWS && kernels->lanes <= KEEP_MAX_LANES);
        for (int vectors = 1; vectors <= GEMM_MAX_VECTORS; vectors++)
            for (int rows = 1; rows <= kernels->rows; rows++)
                for (int accumulate = 0; accumulate < 2; accumulate++) check(kernels, vectors, rows, accumulate);
        levels++;
    }
    if (!levels) test_skip("no level of this machine has them");
}

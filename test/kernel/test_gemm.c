// The GEMM kernels that keep what they read, and those that finish what they add, give the bits of those that do not.
#include "kernel/kernel.h"
#include "test.h"
#include <math.h>
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

// ---- finishing in registers

enum { MOST_LANES = 16, WIDE = GEMM_MAX_VECTORS * MOST_LANES, OUT_ROW = MOST_LANES + 3 };
static void check_finish(const Kernels *kernels, int vectors, int rows, Activation activation, int form) {
    static const int32_t offset[BATCH] = {0, 17};
    static _Alignas(64) float a[GEMM_MAX_ROWS * LDA + 64], w[BATCH * DEPTH * WIDE], bias[WIDE],
        sums[GEMM_MAX_ROWS * WIDE];
    static _Alignas(64) float rest[GEMM_MAX_VECTORS * GEMM_MAX_ROWS * OUT_ROW], expected[COUNT_OF(rest)],
        actual[COUNT_OF(rest)];
    const int width = vectors * kernels->lanes, block = GEMM_MAX_ROWS * OUT_ROW;
    const bool accumulate = form & 1, has_bias = form & 2, has_residual = form & 4;
    fill(a, COUNT_OF(a), rows), fill(w, COUNT_OF(w), vectors), fill(bias, WIDE, 5), fill(sums, COUNT_OF(sums), 6);
    fill(rest, COUNT_OF(rest), 7), fill(expected, COUNT_OF(expected), 8);
    memcpy(actual, expected, sizeof actual);
    sums[0] = NAN, rest[1] = -INFINITY;
    GemmFinish f = {.sums = accumulate ? sums : NULL, .ldc = width, .bias = has_bias ? bias : NULL};
    f.least = activation.function == FN_RELU ? 0 : activation.function == FN_CLIP ? activation.alpha : -INFINITY;
    f.most = activation.function == FN_CLIP ? activation.beta : INFINITY;
    f.residual = has_residual ? rest : NULL, f.residual_block = f.out_block = block;
    f.residual_row = f.out_row = OUT_ROW, f.out = actual;
    kernels->gemm_finish[vectors][rows](BATCH, offset, a, LDA, w, DEPTH, &f, NULL);
    kernels->gemm[vectors][rows](BATCH, offset, a, LDA, w, DEPTH, sums, width, accumulate, NULL);
    const Epilogue epilogue = {.bias = f.bias, .activation = activation};
    kernels->finish(sums, width, rows, vectors, &epilogue, f.residual, block, OUT_ROW, expected, block, OUT_ROW);
    CHECK_MSG(!memcmp(expected, actual, sizeof actual), "%s, %d x %d, function %d, form %d", isa_name(kernels->isa),
              rows, vectors, (int)activation.function, form);
}
TEST(finishing_in_registers_gives_the_same_bits) {
    static const Activation functions[] = {{FN_NONE, 0, 0}, {FN_RELU, 0, 0}, {FN_CLIP, -0.25f, 0.5f}};
    for (Isa isa = 0; isa < ISA_COUNT; isa++) {
        const Kernels *kernels = kernels_for(isa);
        if (!kernels) continue;
        for (int vectors = 1; vectors <= GEMM_MAX_VECTORS; vectors++)
            for (int rows = 1; rows <= kernels->rows; rows++)
                for (int at = 0; at < (int)COUNT_OF(functions) * 8; at++)
                    check_finish(kernels, vectors, rows, functions[at / 8], at % 8);
    }
}

// The batch-reduce GEMM micro-kernel (kernel.h: GemmKernel): a block of rows x vectors accumulators in registers.
//
//              vectors * VL columns
//            +-----------------------+
//     row 0  |  acc[0][0]  acc[0][1] |   each step k: load `vectors` vectors of w, then for each row broadcast one
//     row 1  |  acc[1][0]  acc[1][1] |   value of a and do `vectors` multiply-adds
//     ...    |                       |
//            +-----------------------+
//
// Sizes: 16 registers (SSE2, AVX, AVX2) hold 6 x 2 accumulators + 2 weights + 1 broadcast; 32 (AVX-512) hold
// 14 x 2 + 2 + 1. Cost of one step with AVX2: 12 FMA against 2 + 6 loads, so two FMA ports are the limit.
//
// SSE2 has no load into all lanes: 6 loads and 6 shuffles beside 12 products and 12 sums, and its operations overwrite
// an operand: 7 copies. On CPUs with two units for products and two for sums (AMD since Zen) the shuffles take a fifth
// of their time. So the kernels for further panels of the same rows read the values of a in all lanes, as the first has
// kept them: 38 instructions a step for 45, and nothing but products and sums in those units.
//
// Error: plain sums in order, |error| <= n eps/2 sum |a w| (n terms; eps = 2^-23; n roundings with FMA, 2n without).
#include "kernel/cpu/isa/isa.h"

#if defined(__FMA__) && (KERNEL_VL < 16 || defined(__AVX512F__)) // a vector is a register
// gcc would fold the weight load into every multiply-add (three loads where one does), and take forms that overwrite
// the broadcast instead of the sum, at the price of moves and spills: weights are pinned in registers and the
// accumulating form is forced. ("v": any of 32 registers with AVX-512, of 16 else.)
#define PIN(x) __asm__("" : "+v"(x))
#define MULTIPLY_ADD(acc, s, w) __asm__("vfmadd231ps %2, %1, %0" : "+v"(acc) : "v"(s), "v"(w))
#elif KERNEL_VL == 4 && defined(__SSE2__)
// Two operands: gcc would take the product's register for the new sum, and copy sums at the loop's end (12 a step).
#define GEMM_KEEPS
#define PIN(x) __asm__("" : "+x"(x))
#define MULTIPLY_ADD(acc, s, w)                                                                                        \
    do {                                                                                                               \
        vf product = s;                                                                                                \
        __asm__("mulps %2, %1\n\taddps %1, %0" : "+x"(acc), "+x"(product) : "x"(w));                                   \
    } while (0)
#else
#define PIN(x)
#define MULTIPLY_ADD(acc, s, w) acc = vfma(s, w, acc)
#endif

// A pointer for every third row of a, the two rows behind it by index (vector.h: HIDE).
enum { ROW_GROUP = 3, ROW_GROUPS = (GEMM_MAX_ROWS + ROW_GROUP - 1) / ROW_GROUP };

// Vectors of w that step z of a loop reads.
#define LOAD_WEIGHTS(z)                                                                                                \
    vf weight[GEMM_MAX_VECTORS];                                                                                       \
    UNROLL for (int j = 0; j < vectors; j++) {                                                                         \
        weight[j] = vload(w + ((z)*vectors + j) * VL);                                                                 \
        PIN(weight[j]);                                                                                                \
    }
// Two steps' worth of what is read next.
#define FETCH_AHEAD()                                                                                                  \
    do {                                                                                                               \
        UNROLL for (int line = 0; line < 2 * vectors * VL / 16; line++)                                                \
            __builtin_prefetch(prefetch + 64 * line, 0, 2);                                                            \
        prefetch += 2 * vectors * VL * 4;                                                                              \
    } while (0)

// One step of depth, z values behind the row pointers.
#define GEMM_STEP(z)                                                                                                   \
    do {                                                                                                               \
        LOAD_WEIGHTS(z);                                                                                               \
        UNROLL for (int i = 0; i < rows; i++) {                                                                        \
            vf value = vset1(*(const float *)(row[i / ROW_GROUP] + i % ROW_GROUP * step + 4 * (z)));                   \
            if (keep) vstore(kept + ((z)*rows + i) * VL, value);                                                       \
            UNROLL for (int j = 0; j < vectors; j++) { MULTIPLY_ADD(acc[i][j], value, weight[j]); }                    \
        }                                                                                                              \
    } while (0)

#define GEMM_TWO_STEPS                                                                                                 \
    do {                                                                                                               \
        GEMM_STEP(0);                                                                                                  \
        GEMM_STEP(1);                                                                                                  \
        w += 2 * vectors * VL;                                                                                         \
        if (keep) kept += 2 * rows * VL;                                                                               \
        UNROLL for (int g = 0; g * ROW_GROUP < rows; g++) {                                                            \
            row[g] += 8;                                                                                               \
            HIDE(row[g]);                                                                                              \
        }                                                                                                              \
    } while (0)

#define GEMM_STORE()                                                                                                   \
    UNROLL for (int i = 0; i < rows; i++) UNROLL for (int j = 0; j < vectors; j++) {                                   \
        float *to = c + i * ldc + j * VL;                                                                              \
        if (accumulate) acc[i][j] += vload(to);                                                                        \
        vstore(to, acc[i][j]);                                                                                         \
    }

// A sum of NaN stays NaN: vmax and vmin return the second operand.
#define GEMM_FINISH(with_residual)                                                                                     \
    do {                                                                                                               \
        UNROLL for (int j = 0; j < vectors; j++) {                                                                     \
            const vf bias = finish->bias ? vload(finish->bias + j * VL) : vzero();                                     \
            UNROLL for (int i = 0; i < rows; i++) {                                                                    \
                vf x = acc[i][j] + bias;                                                                               \
                if (with_residual)                                                                                     \
                    x += vload(finish->residual + j * finish->residual_block + i * finish->residual_row);              \
                vstore(finish->out + j * finish->out_block + i * finish->out_row, vmin(most, vmax(least, x)));         \
            }                                                                                                          \
        }                                                                                                              \
    } while (0)

INLINE void gemm_block(const int rows, const int vectors, const bool keep, const bool finishes, int64_t batch,
                       const int32_t *a_offset, const float *a, int64_t lda, const float *w, int64_t depth, float *c,
                       int64_t ldc, int accumulate, const char *prefetch, float *kept, const GemmFinish *finish) {
    vf acc[GEMM_MAX_ROWS][GEMM_MAX_VECTORS];
    UNROLL for (int i = 0; i < rows; i++) UNROLL for (int j = 0; j < vectors; j++) acc[i][j] = vzero();
    const int64_t step = lda * 4;
    for (int64_t b = 0; b < batch; b++) {
        const char *row[ROW_GROUPS];
        UNROLL for (int g = 0; g * ROW_GROUP < rows; g++) {
            row[g] = (const char *)(a + a_offset[b]) + g * ROW_GROUP * step;
            HIDE(row[g]);
        }
        int64_t k = depth;
        if (prefetch)
            for (; k >= 2; k -= 2) {
                FETCH_AHEAD();
                GEMM_TWO_STEPS;
            }
        else
            for (; k >= 2; k -= 2) GEMM_TWO_STEPS;
        if (k) {
            GEMM_STEP(0);
            w += vectors * VL;
            if (keep) kept += rows * VL;
        }
    }
    if (!finishes) {
        GEMM_STORE();
        return;
    }
    if (finish->sums) {
        UNROLL for (int i = 0; i < rows; i++) UNROLL for (int j = 0; j < vectors; j++) acc[i][j] +=
            vload(finish->sums + i * finish->ldc + j * VL);
    }
    const vf least = vset1(finish->least), most = vset1(finish->most);
    if (finish->residual) GEMM_FINISH(true);
    else GEMM_FINISH(false);
}

#define GEMM_KERNEL(rows, vectors)                                                                                     \
    static void gemm_##rows##x##vectors(int64_t batch, const int32_t *a_offset, const float *a, int64_t lda,           \
                                        const float *w, int64_t depth, float *c, int64_t ldc, int accumulate,          \
                                        const char *prefetch) {                                                        \
        gemm_block(rows, vectors, false, false, batch, a_offset, a, lda, w, depth, c, ldc, accumulate, prefetch, NULL, \
                   NULL);                                                                                              \
    }                                                                                                                  \
    static void finish_##rows##x##vectors(int64_t batch, const int32_t *a_offset, const float *a, int64_t lda,         \
                                          const float *w, int64_t depth, const GemmFinish *finish,                     \
                                          const char *prefetch) {                                                      \
        gemm_block(rows, vectors, false, true, batch, a_offset, a, lda, w, depth, NULL, 0, 0, prefetch, NULL, finish); \
    }
#define GEMM_ROW(rows) GEMM_KERNEL(rows, 1) GEMM_KERNEL(rows, 2)
GEMM_ROW(1)
GEMM_ROW(2)
GEMM_ROW(3)
GEMM_ROW(4) GEMM_ROW(5) GEMM_ROW(6)
#if KERNEL_VL == 16
    GEMM_ROW(7) GEMM_ROW(8) GEMM_ROW(9) GEMM_ROW(10) GEMM_ROW(11) GEMM_ROW(12) GEMM_ROW(13) GEMM_ROW(14)
#endif

#ifdef GEMM_KEEPS
#define KEPT_STEP(z)                                                                                                   \
    do {                                                                                                               \
        LOAD_WEIGHTS(z);                                                                                               \
        UNROLL for (int i = 0; i < rows; i++) {                                                                        \
            vf value = vload(kept + ((z)*rows + i) * VL);                                                              \
            PIN(value);                                                                                                \
            UNROLL for (int j = 0; j < vectors; j++) { MULTIPLY_ADD(acc[i][j], value, weight[j]); }                    \
        }                                                                                                              \
    } while (0)

        INLINE void kept_block(const int rows, const int vectors, const float *kept, const float *w, int64_t depth,
                               float *c, int64_t ldc, int accumulate, const char *prefetch) {
    vf acc[GEMM_MAX_ROWS][GEMM_MAX_VECTORS];
    UNROLL for (int i = 0; i < rows; i++) UNROLL for (int j = 0; j < vectors; j++) acc[i][j] = vzero();
    for (; depth >= 2; depth -= 2) {
        if (prefetch) FETCH_AHEAD();
        KEPT_STEP(0);
        KEPT_STEP(1);
        w += 2 * vectors * VL, kept += 2 * rows * VL;
    }
    if (depth) KEPT_STEP(0);
    GEMM_STORE();
}

#define KEEP_KERNELS(rows, vectors)                                                                                    \
    static void keep_##rows##x##vectors(int64_t batch, const int32_t *a_offset, const float *a, int64_t lda,           \
                                        const float *w, int64_t depth, float *c, int64_t ldc, int accumulate,          \
                                        const char *prefetch, float *kept) {                                           \
        gemm_block(rows, vectors, true, false, batch, a_offset, a, lda, w, depth, c, ldc, accumulate, prefetch, kept,  \
                   NULL);                                                                                              \
    }                                                                                                                  \
    static void kept_##rows##x##vectors(const float *kept, const float *w, int64_t depth, float *c, int64_t ldc,       \
                                        int accumulate, const char *prefetch) {                                        \
        kept_block(rows, vectors, kept, w, depth, c, ldc, accumulate, prefetch);                                       \
    }
#define KEEP_ROW(rows) KEEP_KERNELS(rows, 1) KEEP_KERNELS(rows, 2)
KEEP_ROW(1)
KEEP_ROW(2)
KEEP_ROW(3) KEEP_ROW(4) KEEP_ROW(5) KEEP_ROW(6)

    static void fill_keep(Kernels *kernels) {
#define KEEP_FILL(r)                                                                                                   \
    kernels->gemm_keep[1][r] = keep_##r##x1, kernels->gemm_keep[2][r] = keep_##r##x2,                                  \
    kernels->gemm_kept[1][r] = kept_##r##x1, kernels->gemm_kept[2][r] = kept_##r##x2
    KEEP_FILL(1), KEEP_FILL(2), KEEP_FILL(3), KEEP_FILL(4), KEEP_FILL(5), KEEP_FILL(6);
}
#endif

void KERNEL(fill_gemm)(Kernels *kernels) {
#define GEMM_FILL(r)                                                                                                   \
    kernels->gemm[1][r] = gemm_##r##x1, kernels->gemm[2][r] = gemm_##r##x2,                                            \
    kernels->gemm_finish[1][r] = finish_##r##x1, kernels->gemm_finish[2][r] = finish_##r##x2
    GEMM_FILL(1), GEMM_FILL(2), GEMM_FILL(3), GEMM_FILL(4), GEMM_FILL(5), GEMM_FILL(6);
    kernels->rows = 6;
#if KERNEL_VL == 16
    GEMM_FILL(7), GEMM_FILL(8), GEMM_FILL(9), GEMM_FILL(10), GEMM_FILL(11), GEMM_FILL(12), GEMM_FILL(13);
    GEMM_FILL(14);
    kernels->rows = 14;
#endif
#ifdef GEMM_KEEPS
    fill_keep(kernels);
#endif
}

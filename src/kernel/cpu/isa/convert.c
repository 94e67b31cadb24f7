// One row between plain planes and a channel block (kernel.h: to_blocked, to_plain): a transposition of
// pixels x channels, bound by memory. 4x4 pieces where both sides are long enough, else value by value.
#include "kernel/cpu/isa/isa.h"

typedef float v4 __attribute__((vector_size(16), aligned(4), may_alias));
typedef int32_t i4 __attribute__((vector_size(16)));

#if defined(__clang__)
#define SHUFFLE4(a, b, i, j, k, l) __builtin_shufflevector(a, b, i, j, k, l)
#else
#define SHUFFLE4(a, b, i, j, k, l) __builtin_shuffle(a, b, (i4){i, j, k, l})
#endif
// to[i][j] = from[j][i] for 4 x 4 values.
INLINE void transpose4(const float *from, int64_t from_step, float *to, int64_t to_step) {
    v4 a = *(const v4 *)from, b = *(const v4 *)(from + from_step);
    v4 c = *(const v4 *)(from + 2 * from_step), d = *(const v4 *)(from + 3 * from_step);
    v4 ab_low = SHUFFLE4(a, b, 0, 4, 1, 5), ab_high = SHUFFLE4(a, b, 2, 6, 3, 7);
    v4 cd_low = SHUFFLE4(c, d, 0, 4, 1, 5), cd_high = SHUFFLE4(c, d, 2, 6, 3, 7);
    *(v4 *)to = SHUFFLE4(ab_low, cd_low, 0, 1, 4, 5);
    *(v4 *)(to + to_step) = SHUFFLE4(ab_low, cd_low, 2, 3, 6, 7);
    *(v4 *)(to + 2 * to_step) = SHUFFLE4(ab_high, cd_high, 0, 1, 4, 5);
    *(v4 *)(to + 3 * to_step) = SHUFFLE4(ab_high, cd_high, 2, 3, 6, 7);
}

static void to_blocked(const float *plain, int64_t plane, int channels, int block, int64_t pixels, float *blocked) {
    const int whole = channels / 4 * 4;
    int64_t x = 0;
    for (; whole && x + 4 <= pixels; x += 4)
        for (int c = 0; c < whole; c += 4) transpose4(plain + c * plane + x, plane, blocked + x * block + c, block);
    for (int c = 0; c < block; c++) {
        const int64_t begin = c < whole ? x : 0;
        if (c < channels)
            for (int64_t p = begin; p < pixels; p++) blocked[p * block + c] = plain[c * plane + p];
        else
            for (int64_t p = 0; p < pixels; p++) blocked[p * block + c] = 0;
    }
}
static void to_plain(const float *blocked, int block, int channels, int64_t pixels, float *plain, int64_t plane) {
    const int whole = channels / 4 * 4;
    int64_t x = 0;
    for (; whole && x + 4 <= pixels; x += 4)
        for (int c = 0; c < whole; c += 4) transpose4(blocked + x * block + c, block, plain + c * plane + x, plane);
    for (int c = 0; c < channels; c++)
        for (int64_t p = c < whole ? x : 0; p < pixels; p++) plain[c * plane + p] = blocked[p * block + c];
}
void KERNEL(fill_convert)(Kernels *kernels) {
    kernels->to_blocked = to_blocked;
    kernels->to_plain = to_plain;
}

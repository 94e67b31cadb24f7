// One row between plain planes and a channel block (kernel.h: to_blocked, to_plain): a transposition of
// pixels x channels, bound by memory. 4x4 pieces where both sides are long enough, else value by value. LINE pixels of
// four channels at a time: planes often lie a power of two apart, so that the lines of all channels would not stay in
// L1.
#include "kernel/cpu/isa/isa.h"
#include <string.h>

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

enum { LINE = 16 };
// The pixels of a piece that begins at x, of whole 4x4 pieces up to `end`.
INLINE int64_t line_end(int64_t x, int64_t end) { return x + LINE < end ? x + LINE : end; }

static void to_blocked(const float *plain, int64_t plane, int channels, int block, int64_t pixels, float *blocked) {
    const int whole = channels / 4 * 4;
    const int64_t end = pixels / 4 * 4;
    for (int64_t x0 = 0; x0 < end; x0 += LINE)
        for (int c = 0; c < whole; c += 4)
            for (int64_t x = x0; x < line_end(x0, end); x += 4)
                transpose4(plain + c * plane + x, plane, blocked + x * block + c, block);
    for (int c = 0; c < block; c++) {
        const int64_t begin = c < whole ? end : 0;
        if (c < channels)
            for (int64_t p = begin; p < pixels; p++) blocked[p * block + c] = plain[c * plane + p];
        else
            for (int64_t p = 0; p < pixels; p++) blocked[p * block + c] = 0;
    }
}
static void to_plain(const float *blocked, int block, int channels, int64_t pixels, float *plain, int64_t plane) {
    const int whole = channels / 4 * 4;
    const int64_t end = pixels / 4 * 4;
    for (int64_t x0 = 0; x0 < end; x0 += LINE)
        for (int c = 0; c < whole; c += 4)
            for (int64_t x = x0; x < line_end(x0, end); x += 4)
                transpose4(blocked + x * block + c, block, plain + c * plane + x, plane);
    for (int c = 0; c < channels; c++)
        for (int64_t p = c < whole ? end : 0; p < pixels; p++) plain[c * plane + p] = blocked[p * block + c];
}
static void copy_pixels(const float *from, int64_t from_step, int channels, int filled, float *to, int64_t to_step,
                        int64_t pixels) {
    if (channels == VL) {
        for (int64_t p = 0; p < pixels; p++) vstore(to + p * to_step, vload(from + p * from_step));
        return;
    }
    for (int64_t p = 0; p < pixels; p++)
        for (int c = 0; c < filled; c++) to[p * to_step + c] = c < channels ? from[p * from_step + c] : 0;
}
// Tiles of 16 x 8 write whole cache lines. Steps of a power of two put lines in few places of the cache: 8 fit there.
// The next tile goes on along the lines of the side that lies further apart, which are lost soonest (4096 x 256 to 256
// x 4096 values: 0.17 ms instead of 0.91).
static void transpose_tile(const float *from, int64_t from_step, int rows, int columns, float *to, int64_t to_step) {
    const int whole_rows = rows / 4 * 4, whole_columns = columns / 4 * 4;
    for (int r = 0; r < whole_rows; r += 4)
        for (int c = 0; c < whole_columns; c += 4)
            transpose4(from + r * from_step + c, from_step, to + c * to_step + r, to_step);
    for (int r = 0; r < rows; r++)
        for (int c = r < whole_rows ? whole_columns : 0; c < columns; c++)
            memcpy(to + c * to_step + r, from + r * from_step + c, sizeof *to);
}
static void transpose(const float *from, int64_t from_step, int64_t rows, int64_t columns, float *to, int64_t to_step) {
    enum { HIGH = 16, WIDE = 8 };
    const bool to_apart = to_step > from_step;
    const int64_t down = (rows + HIGH - 1) / HIGH, across = (columns + WIDE - 1) / WIDE;
    for (int64_t tile = 0; tile < down * across; tile++) {
        const int64_t r = HIGH * (to_apart ? tile % down : tile / across);
        const int64_t c = WIDE * (to_apart ? tile / down : tile % across);
        const int64_t r_left = rows - r, c_left = columns - c;
        transpose_tile(from + r * from_step + c, from_step, (int)(r_left < HIGH ? r_left : HIGH),
                       (int)(c_left < WIDE ? c_left : WIDE), to + c * to_step + r, to_step);
    }
}
void KERNEL(fill_convert)(Kernels *kernels) {
    kernels->to_blocked = to_blocked;
    kernels->to_plain = to_plain;
    kernels->copy_pixels = copy_pixels;
    kernels->transpose = transpose;
}

// Pooling of one output row of one channel block (kernel.h: pool_max, pool_sum): each lane is a channel of its own.
// Cost: a load an input pixel of the window; bound by memory for the usual 2x2.
#include "kernel/cpu/isa/isa.h"

INLINE vf window_max(const float *from, const int64_t *row_offset, int rows, int32_t count, int64_t step) {
    vf largest = vset1(-INFINITY);
    for (int r = 0; r < rows; r++)
        for (int32_t k = 0; k < count; k++) largest = larger(largest, vload(from + row_offset[r] + k * step));
    return largest;
}
INLINE vf two_by_two_max(const float *from, const int64_t *row_offset, int64_t step) {
    const float *a = from + row_offset[0], *b = from + row_offset[1];
    return larger(larger(vload(a), vload(a + step)), larger(vload(b), vload(b + step)));
}
static void pool_max(const float *in, const int64_t *row_offset, int rows, const int32_t *first, const int32_t *count,
                     int64_t dilation_pixels, int pixels, float *out) {
    const int64_t step = dilation_pixels * VL;
    for (int p = 0; p < pixels; p++) {
        const float *from = in + (int64_t)first[p] * VL;
        vf largest;
        if (rows == 2 && count[p] == 2) {
            largest = two_by_two_max(from, row_offset, step);
        } else if (rows == 4 && count[p] == 2) { // of two slices
            largest = larger(two_by_two_max(from, row_offset, step), two_by_two_max(from, row_offset + 2, step));
        } else {
            largest = window_max(from, row_offset, rows, count[p], step);
        }
        vstore(out + (int64_t)p * VL, largest);
    }
}
// Sums run along a row of the window, then over its rows.
static void pool_sum(const float *in, const int64_t *row_offset, int rows, const int32_t *first, const int32_t *count,
                     int64_t dilation_pixels, const float *divisor, int pixels, float *out) {
    const int64_t step = dilation_pixels * VL;
    for (int p = 0; p < pixels; p++) {
        const float *from = in + (int64_t)first[p] * VL;
        vf sum = vzero();
        for (int r = 0; r < rows; r++) {
            vf row = vzero();
            for (int32_t k = 0; k < count[p]; k++) row += vload(from + row_offset[r] + k * step);
            sum += row;
        }
        vstore(out + (int64_t)p * VL, sum / vset1(divisor[p]));
    }
}
void KERNEL(fill_pool)(Kernels *kernels) {
    kernels->pool_max = pool_max;
    kernels->pool_sum = pool_sum;
}

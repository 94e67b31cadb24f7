// One output row of one channel block of a separable resize (kernel.h: resize_row):
//
//     input rows --(row_weight)--> blended row --(index, weight)--> output row
//
// The blend goes to scratch, in L1; a single row of weight 1 (nearest) is read where it lies.
// Error: sums of rows_n and of taps terms, rounded at each step.
#include "kernel/cpu/isa/isa.h"

static void blend_rows(const float *in, const int64_t *row_offset, const float *row_weight, int rows, int64_t floats,
                       float *out) {
    for (int64_t i = 0; i < floats; i += VL) {
        vf sum = vload(in + row_offset[0] + i) * vset1(row_weight[0]);
        for (int r = 1; r < rows; r++) sum = vfma(vload(in + row_offset[r] + i), vset1(row_weight[r]), sum);
        vstore(out + i, sum);
    }
}
static void blend_2_rows(const float *a, const float *b, float a_weight, float b_weight, int64_t floats, float *out) {
    const vf wa = vset1(a_weight), wb = vset1(b_weight);
    for (int64_t i = 0; i < floats; i += VL) vstore(out + i, vfma(vload(b + i), wb, vload(a + i) * wa));
}
static void sample(const float *row, const int32_t *index, const float *weight, int taps, int pixels, float *out) {
    for (int p = 0; p < pixels; p++) {
        const int32_t *at = index + (int64_t)p * taps;
        const float *w = weight + (int64_t)p * taps;
        vf sum = vload(row + (int64_t)at[0] * VL) * vset1(w[0]);
        for (int t = 1; t < taps; t++) sum = vfma(vload(row + (int64_t)at[t] * VL), vset1(w[t]), sum);
        vstore(out + (int64_t)p * VL, sum);
    }
}
static void sample_2(const float *row, const int32_t *index, const float *weight, int pixels, float *out) {
    for (int p = 0; p < pixels; p++) {
        vf left = vload(row + (int64_t)index[2 * p] * VL), right = vload(row + (int64_t)index[2 * p + 1] * VL);
        vstore(out + (int64_t)p * VL, vfma(right, vset1(weight[2 * p + 1]), left * vset1(weight[2 * p])));
    }
}
static void resize_row(const float *in, const int64_t *row_offset, const float *row_weight, int rows,
                       int64_t in_pixels, const int32_t *index, const float *weight, int taps, int pixels,
                       float *scratch, float *out) {
    float *blended = taps ? scratch : out;
    const float *row = blended;
    if (rows == 1 && row_weight[0] == 1) row = in + row_offset[0];
    else if (rows == 2)
        blend_2_rows(in + row_offset[0], in + row_offset[1], row_weight[0], row_weight[1], in_pixels * VL, blended);
    else blend_rows(in, row_offset, row_weight, rows, in_pixels * VL, blended);
    if (taps == 2) sample_2(row, index, weight, pixels, out);
    else if (taps) sample(row, index, weight, taps, pixels, out);
    else if (row != out) memcpy(out, row, (size_t)pixels * VL * sizeof *out);
}
// A gather for each tap, where the level has one; else the compiler leaves loads of single values.
static void gather_sum(const float *restrict plane, const int32_t *restrict offset, const float *restrict weight,
                       int taps, int step, int pixels, float *restrict out) {
    for (int p = 0; p < pixels; p++) out[p] = plane[offset[p]] * weight[p];
    for (int t = 1; t < taps; t++)
        for (int p = 0; p < pixels; p++) out[p] += plane[offset[t * step + p]] * weight[t * step + p];
}
void KERNEL(fill_resize)(Kernels *kernels) {
    kernels->resize_row = resize_row;
    kernels->gather_sum = gather_sum;
}

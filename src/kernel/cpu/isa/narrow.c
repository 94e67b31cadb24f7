// Sums over all input channels of a pixel, for few output channels (kernel.h: narrow). A lane is an input channel, so a
// sum is one multiply-add of vectors a channel block, and its lanes are added at the end, halves to halves. Bound by
// loads of the pixels; four pixels at a time share the load of w.
// Error: lanes are sums of `blocks` terms in order, then a tree: at most (blocks + log2 lanes) eps/2 sum |in w|.
#include "kernel/cpu/isa/isa.h"

enum { PIXELS = 4 };

#if defined(__SSE2__)
INLINE float sum4(__m128 x) {
    x = _mm_add_ps(x, _mm_movehl_ps(x, x));
    return _mm_cvtss_f32(_mm_add_ss(x, _mm_shuffle_ps(x, x, 1)));
}
#endif
#if KERNEL_VL >= 8
INLINE float sum8(__m256 x) { return sum4(_mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1))); }
#endif
// Lane i + lane i + lanes / 2, and so on: the same tree on every instruction set of as many lanes.
INLINE float lane_sum(vf x) {
#if KERNEL_VL == 16 && defined(__AVX512F__)
    return sum8(_mm256_add_ps(_mm512_castps512_ps256((__m512)x), _mm512_extractf32x8_ps((__m512)x, 1)));
#elif KERNEL_VL == 16
    const Halves x_halves = halves_of(x);
    return sum8(_mm256_add_ps(x_halves.low, x_halves.high));
#elif KERNEL_VL == 8
    return sum8((__m256)x);
#elif defined(__SSE2__)
    return sum4((__m128)x);
#else
    return (x[0] + x[2]) + (x[1] + x[3]);
#endif
}
INLINE void narrow_pixels(const int pixels, const int outs, const float *in, int64_t in_block, int blocks,
                          const float *w, float *out, int64_t out_plane) {
    vf acc[PIXELS * NARROW_OUTS];
    UNROLL for (int i = 0; i < pixels * outs; i++) acc[i] = vzero();
    for (int b = 0; b < blocks; b++) {
        vf x[PIXELS];
        UNROLL for (int p = 0; p < pixels; p++) x[p] = vload(in + b * in_block + p * VL);
        UNROLL for (int o = 0; o < outs; o++) {
            vf weight = vload(w + (o * blocks + b) * VL);
            UNROLL for (int p = 0; p < pixels; p++) acc[p * outs + o] = vfma(x[p], weight, acc[p * outs + o]);
        }
    }
    UNROLL for (int o = 0; o < outs; o++)
        UNROLL for (int p = 0; p < pixels; p++) out[o * out_plane + p] = lane_sum(acc[p * outs + o]);
}
INLINE void narrow_row(const int outs, const float *in, int64_t in_block, int blocks, const float *w, int pixels,
                       float *out, int64_t out_plane) {
    int p = 0;
    for (; p + PIXELS <= pixels; p += PIXELS)
        narrow_pixels(PIXELS, outs, in + p * VL, in_block, blocks, w, out + p, out_plane);
    for (; p < pixels; p++) narrow_pixels(1, outs, in + p * VL, in_block, blocks, w, out + p, out_plane);
}
static void narrow(const float *in, int64_t in_block, int blocks, const float *w, int outs, int pixels, float *out,
                   int64_t out_plane) {
    switch (outs) {
    case 1: narrow_row(1, in, in_block, blocks, w, pixels, out, out_plane); break;
    case 2: narrow_row(2, in, in_block, blocks, w, pixels, out, out_plane); break;
    case 3: narrow_row(3, in, in_block, blocks, w, pixels, out, out_plane); break;
    default: narrow_row(4, in, in_block, blocks, w, pixels, out, out_plane);
    }
}
void KERNEL(fill_narrow)(Kernels *kernels) { kernels->narrow = narrow; }

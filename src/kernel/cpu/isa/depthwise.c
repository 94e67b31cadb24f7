// Depthwise convolution (kernel.h: depthwise): each lane is a channel of its own, so a tap is one multiply-add of
// vectors: out[p] = sum over t of in[p * in_pixel + offset[t]] * w[t]. Bound by loads (one a multiply-add); four
// pixels at a time share the load of w. Error as gemm.c, n = taps.
#include "kernel/cpu/isa/isa.h"

enum { PIXELS = 4 };

static void depthwise(const float *in, int64_t in_pixel, const int32_t *offset, int taps, const float *w, int pixels,
                      const Epilogue *epilogue, const float *residual, int64_t residual_pixel, float *out,
                      int64_t out_pixel, const Kernels *kernels) {
    int p = 0;
    for (; p + PIXELS <= pixels; p += PIXELS) {
        vf acc[PIXELS] = {{0}};
        for (int t = 0; t < taps; t++) {
            vf weight = vload(w + t * VL);
            const float *from = in + p * in_pixel + offset[t];
            UNROLL for (int i = 0; i < PIXELS; i++) acc[i] = vfma(vload(from + i * in_pixel), weight, acc[i]);
        }
        float sums[PIXELS * VL];
        UNROLL for (int i = 0; i < PIXELS; i++) vstore(sums + i * VL, acc[i]);
        kernels->finish(sums, VL, PIXELS, 1, epilogue, residual ? residual + p * residual_pixel : NULL, 0,
                        residual_pixel, out + p * out_pixel, 0, out_pixel);
    }
    for (; p < pixels; p++) {
        vf acc = vzero();
        for (int t = 0; t < taps; t++) acc = vfma(vload(in + p * in_pixel + offset[t]), vload(w + t * VL), acc);
        float sums[VL];
        vstore(sums, acc);
        kernels->finish(sums, VL, 1, 1, epilogue, residual ? residual + p * residual_pixel : NULL, 0, residual_pixel,
                        out + p * out_pixel, 0, out_pixel);
    }
}
void KERNEL(fill_depthwise)(Kernels *kernels) { kernels->depthwise = depthwise; }

// Epilogue of a GEMM tile (kernel.h: finish): bias, residual, activation, and from [pixel][channel] sums to blocks.
#include "kernel/cpu/isa/activate.h"
#include "kernel/cpu/isa/isa.h"

INLINE bool finish_loop(const Function function, const bool with_residual, const float *sums, int64_t ld, int pixels,
                        int vectors, const Epilogue *epilogue, const float *residual, int64_t residual_block,
                        int64_t residual_pixel, float *out, int64_t out_block, int64_t out_pixel) {
    vf alpha = vset1(epilogue->activation.alpha), beta = vset1(epilogue->activation.beta), all = vzero();
    for (int j = 0; j < vectors; j++) {
        vf bias = epilogue->bias ? vload(epilogue->bias + j * VL) : vzero();
        for (int p = 0; p < pixels; p++) {
            vf x = vload(sums + p * ld + j * VL);
            all += x - x; // 0, or NaN
            x += bias;
            if (with_residual) x += vload(residual + j * residual_block + p * residual_pixel);
            vstore(out + j * out_block + p * out_pixel, activate(function, alpha, beta, x));
        }
    }
    return vfinite(all);
}
static bool finish(const float *sums, int64_t ld, int pixels, int vectors, const Epilogue *epilogue,
                   const float *residual, int64_t residual_block, int64_t residual_pixel, float *out, int64_t out_block,
                   int64_t out_pixel) {
#define FINISH(function, with)                                                                                   \
    finish_loop(function, with, sums, ld, pixels, vectors, epilogue, residual, residual_block, residual_pixel, out, \
                out_block, out_pixel)
    const Function function = epilogue->activation.function;
    switch (function) {
    case FN_RELU: return residual ? FINISH(FN_RELU, true) : FINISH(FN_RELU, false);
    case FN_LEAKY_RELU: return residual ? FINISH(FN_LEAKY_RELU, true) : FINISH(FN_LEAKY_RELU, false);
    case FN_CLIP: return residual ? FINISH(FN_CLIP, true) : FINISH(FN_CLIP, false);
    default: break;
    }
    const bool finite = residual ? FINISH(FN_NONE, true) : FINISH(FN_NONE, false);
    if (function == FN_NONE) return finite;
    for (int j = 0; j < vectors; j++) activate_row(epilogue->activation, out + j * out_block, out_pixel, pixels);
    return finite;
}
void KERNEL(fill_finish)(Kernels *kernels) { kernels->finish = finish; }

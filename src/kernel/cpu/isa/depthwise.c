// Depthwise convolution (kernel.h: depthwise): each lane is a channel of its own, so a tap is one multiply-add of
// vectors: out[p] = sum over t of in[p * in_pixel + offset[t]] * w[t]. Bound by loads (one a multiply-add); eight
// pixels at a time share the load of w and hide the latency of the sums, which are finished in registers. Error as
// gemm.c, n = taps.
#include "kernel/cpu/isa/activate.h"
#include "kernel/cpu/isa/isa.h"

typedef struct Row {
    const float *in;
    int64_t in_pixel;
    const int32_t *offset;
    int taps;
    const float *w, *bias;
    Activation activation; // LEAKY_RELU or CLIP
    const float *residual;
    int64_t residual_pixel;
    float *out;
    int64_t out_pixel;
} Row;

INLINE void some_pixels(const int pixels, const bool leaky, const bool with_residual, const Row *row, int64_t p) {
    vf acc[8];
    UNROLL for (int i = 0; i < pixels; i++) acc[i] = vzero();
    const float *in = row->in + p * row->in_pixel;
    for (int t = 0; t < row->taps; t++) {
        const vf weight = vload(row->w + t * VL);
        const float *from = in + row->offset[t];
        UNROLL for (int i = 0; i < pixels; i++) acc[i] = vfma(vload(from + i * row->in_pixel), weight, acc[i]);
    }
    const vf bias = row->bias ? vload(row->bias) : vzero();
    const vf alpha = vset1(row->activation.alpha), beta = vset1(row->activation.beta);
    float *out = row->out + p * row->out_pixel;
    UNROLL for (int i = 0; i < pixels; i++) {
        vf x = acc[i] + bias;
        if (with_residual) x += vload(row->residual + (p + i) * row->residual_pixel);
        vstore(out + i * row->out_pixel, activate(leaky ? FN_LEAKY_RELU : FN_CLIP, alpha, beta, x));
    }
}
INLINE void whole_row(const bool leaky, const bool with_residual, const Row *row, int pixels) {
    int64_t p = 0;
    for (; p + 8 <= pixels; p += 8) some_pixels(8, leaky, with_residual, row, p);
    if (p + 4 <= pixels) some_pixels(4, leaky, with_residual, row, p), p += 4;
    for (; p < pixels; p++) some_pixels(1, leaky, with_residual, row, p);
}
static void depthwise(const float *in, int64_t in_pixel, const int32_t *offset, int taps, const float *w, int pixels,
                      const Epilogue *epilogue, const float *residual, int64_t residual_pixel, float *out,
                      int64_t out_pixel) {
    const Function function = epilogue->activation.function;
    Row row = {in,       in_pixel,       offset, taps,     w, epilogue->bias, epilogue->activation,
               residual, residual_pixel, out,    out_pixel};
    const bool leaky = function == FN_LEAKY_RELU;
    float least, most;
    const bool is_bounds = activation_bounds(epilogue->activation, &least, &most);
    if (!leaky) row.activation = (Activation){FN_CLIP, least, most};
    if (leaky) {
        if (residual) whole_row(true, true, &row, pixels);
        else whole_row(true, false, &row, pixels);
    } else {
        if (residual) whole_row(false, true, &row, pixels);
        else whole_row(false, false, &row, pixels);
    }
    if (!leaky && !is_bounds) activate_row(epilogue->activation, out, out_pixel, pixels);
}
void KERNEL(fill_depthwise)(Kernels *kernels) { kernels->depthwise = depthwise; }

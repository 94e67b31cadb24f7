// Sums for normalisation (kernel.h: lane_sums, layer_norm), in double: one pass over squared differences from a value
// of the data itself loses nothing that fp32 had (|mean - shift| would have to be 10^6 standard deviations).
#include "kernel/cpu/isa/isa.h"
#include "kernel/cpu/isa/vector_math.h"

// A vector of floats is two of doubles.
enum { HALF = VL / 2 };
typedef float vh __attribute__((vector_size(KERNEL_VL * 2), aligned(4), may_alias));
typedef double vd __attribute__((vector_size(KERNEL_VL * 4), aligned(8), may_alias));
#define DOUBLES(p) __builtin_convertvector(*(const vh *)(p), vd)

static void half_sums(const float *in, int64_t pixels, const float *shift, double *sum, double *squares) {
    const vd centre = DOUBLES(shift);
    vd s = *(const vd *)sum, q = *(const vd *)squares;
    for (int64_t p = 0; p < pixels; p++) {
        const vd x = DOUBLES(in + p * VL) - centre;
        s += x;
        q += x * x;
    }
    *(vd *)sum = s;
    *(vd *)squares = q;
}
static void lane_sums(const float *in, int64_t pixels, const float *shift, double *sum, double *squares) {
    enum { RUN = 64 }; // pixels that stay in L1 between the halves
    for (int64_t p = 0; p < pixels; p += RUN) {
        const int64_t run = pixels - p < RUN ? pixels - p : RUN;
        half_sums(in + p * VL, run, shift, sum, squares);
        half_sums(in + p * VL + HALF, run, shift + HALF, sum + HALF, squares + HALF);
    }
}
// Mean, and 1 / sqrt(variance + epsilon), of `length` consecutive values.
static void moments(const float *in, int64_t length, double epsilon, double *mean, double *factor) {
    double sum[VL] = {0}, squares[VL] = {0};
    const int64_t whole = length / VL;
    float shift[VL];
    vstore(shift, vset1(in[0]));
    lane_sums(in, whole, shift, sum, squares);
    for (int64_t i = whole * VL; i < length; i++) {
        const double x = (double)in[i] - in[0];
        sum[0] += x, squares[0] += x * x;
    }
    double s = 0, q = 0;
    for (int l = 0; l < VL; l++) s += sum[l], q += squares[l];
    s /= (double)length, q /= (double)length;
    *mean = s + in[0];
    const double variance = q - s * s;
    *factor = 1 / sqrt((variance > 0 || variance != variance ? variance : 0) + epsilon);
}
static void layer_norm(const float *in, int64_t length, const float *scale, const float *shift, double epsilon,
                       float *out) {
    double mean, factor;
    moments(in, length, epsilon, &mean, &factor);
    // The mean's part beyond fp32 is added after the difference.
    const float mean_high = (float)mean;
    const vf high = vset1(mean_high), low = vset1((float)(mean - mean_high)), f = vset1((float)factor);
    int64_t i = 0;
    for (; i + VL <= length; i += VL) {
        vf x = (vload(in + i) - high - low) * f;
        if (scale) x = vfma(x, vload(scale + i), shift ? vload(shift + i) : vzero());
        vstore(out + i, x);
    }
    if (i == length) return;
    const int64_t rest = length - i;
    vf x = (vload_part(in + i, rest) - high - low) * f;
    if (scale) x = vfma(x, vload_part(scale + i, rest), shift ? vload_part(shift + i, rest) : vzero());
    vstore_part(out + i, x, rest);
}
void KERNEL(fill_norm)(Kernels *kernels) {
    kernels->lane_sums = lane_sums;
    kernels->layer_norm = layer_norm;
}

// Sums for normalisation (kernel.h: lane_sums, layer_norm): of differences from a value of the data itself and of their
// squares, in double over runs of at most 32 pixels, in fp32 within one. There the differences are from a pixel of the
// run: then their squares add up to at most 32 times what the run's deviations from its own mean do, whatever the
// offset, so fp32 costs some 10 roundings of that at worst. (Conversions to double would take four times as long as all
// the rest.)
#include "kernel/cpu/isa/isa.h"
#include "kernel/cpu/isa/vector_math.h"

// A vector of floats is two of doubles.
enum { HALF = VL / 2, RUN = 32 };
typedef float vh __attribute__((vector_size(KERNEL_VL * 2), aligned(4), may_alias));
typedef double vd __attribute__((vector_size(KERNEL_VL * 4), aligned(8), may_alias));
#define DOUBLES(p) __builtin_convertvector(*(const vh *)(p), vd)

// Adds run-wise sums: with d = x - c and e = c - shift, the squares of d + e are those of d, 2 e d and e^2.
static void add_run(const float *d, const float *squares_d, const float *c, const float *shift, int64_t run,
                    double *sum, double *squares) {
    const double pixels = (double)run;
    for (int h = 0; h < VL; h += HALF) {
        const vd e = DOUBLES(c + h) - DOUBLES(shift + h), s = DOUBLES(d + h);
        *(vd *)(sum + h) += s + pixels * e;
        *(vd *)(squares + h) += DOUBLES(squares_d + h) + e * (2 * s + pixels * e);
    }
}
// One run: four chains of sums, which hide the latency of an addition.
static void run_sums(const float *in, int64_t run, const float *shift, double *sum, double *squares) {
    enum { CHAINS = 4 };
    const float *centre = in + run / 2 * VL; // its ends may be edges of the image
    const vf c = vload(centre);
    vf s[CHAINS] = {{0}}, q[CHAINS] = {{0}};
    int64_t p = 0;
    for (; p + CHAINS <= run; p += CHAINS) UNROLL for (int k = 0; k < CHAINS; k++) {
            const vf d = vload(in + (p + k) * VL) - c;
            s[k] += d;
            q[k] = vfma(d, d, q[k]);
        }
    for (; p < run; p++) {
        const vf d = vload(in + p * VL) - c;
        s[0] += d;
        q[0] = vfma(d, d, q[0]);
    }
    float d[VL], squares_d[VL];
    vstore(d, (s[0] + s[1]) + (s[2] + s[3]));
    vstore(squares_d, (q[0] + q[1]) + (q[2] + q[3]));
    add_run(d, squares_d, centre, shift, run, sum, squares);
}
// All in double: for what is not finite, and squares beyond fp32.
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
    double before[2][VL];
    memcpy(before[0], sum, sizeof before[0]), memcpy(before[1], squares, sizeof before[1]);
    for (int64_t p = 0; p < pixels; p += RUN)
        run_sums(in + p * VL, pixels - p < RUN ? pixels - p : RUN, shift, sum, squares);
    double none = 0; // 0 unless there is something that is not finite
    for (int l = 0; l < VL; l++) none += squares[l] - squares[l];
    if (none == 0) return;
    memcpy(sum, before[0], sizeof before[0]), memcpy(squares, before[1], sizeof before[1]);
    half_sums(in, pixels, shift, sum, squares);
    half_sums(in + HALF, pixels, shift + HALF, sum + HALF, squares + HALF);
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

// Softmax and log-softmax (kernel.h: softmax_row, softmax_columns): x - max, exp, sum, divide; three passes, the first
// reading, the others in the output while it is in cache. Error: 5 ulp plus that of the sum, which is cut into part
// sums of PART terms: (PART + length / PART) ulp at worst, all terms being positive.
#include "kernel/cpu/isa/isa.h"
#include "kernel/cpu/isa/vector_math.h"

enum { PART = 64 };

// One value in all lanes.
static float lane_max(vf v) {
    float values[VL], largest;
    vstore(values, v);
    largest = values[0];
    for (int l = 1; l < VL; l++) largest = values[l] > largest ? values[l] : largest;
    return largest;
}
static float lane_sum(vf v) {
    float values[VL], sum = 0;
    vstore(values, v);
    for (int l = 0; l < VL; l++) sum += values[l];
    return sum;
}
static float row_max(const float *in, int64_t length) {
    vf largest = vset1(-INFINITY);
    int64_t i = 0;
    for (; i + VL <= length; i += VL) largest = vmax(vload(in + i), largest);
    float result = lane_max(largest);
    for (; i < length; i++) result = in[i] > result ? in[i] : result;
    return result;
}
// out = exp(in - max) (unless it is for the sum only), returns the sum.
INLINE float row_exp(const bool store, const float *in, int64_t length, float max, float *out) {
    const vf m = vset1(max);
    vf total = vzero();
    int64_t i = 0;
    while (i + VL <= length) {
        vf part = vzero();
        for (int k = 0; k < PART && i + VL <= length; k++, i += VL) {
            vf e = vexp_normal(vload(in + i) - m);
            if (store) vstore(out + i, e);
            part += e;
        }
        total += part;
    }
    float sum = lane_sum(total);
    if (i == length) return sum;
    float tail[VL] = {0};
    vstore(tail, vexp_normal(vload_part(in + i, length - i) - m));
    for (int64_t k = 0; k < length - i; k++) sum += tail[k];
    if (store) memcpy(out + i, tail, (size_t)(length - i) * sizeof *out);
    return sum;
}
static void softmax_row(bool log_softmax, const float *in, int64_t length, float *out) {
    if (length <= 0) return;
    const float max = row_max(in, length);
    if (!log_softmax) {
        const float sum = row_exp(true, in, length, max, out);
        for (int64_t i = 0; i < length; i++) out[i] /= sum;
        return;
    }
    float log_sum[VL];
    vstore(log_sum, vlog(vset1(row_exp(false, in, length, max, NULL))));
    for (int64_t i = 0; i < length; i++) out[i] = in[i] - max - log_sum[0];
}

// Up to VL columns side by side; whole: exactly VL.
INLINE vf load_columns(const bool whole, const float *p, int64_t width) {
    return whole ? vload(p) : vload_part(p, width);
}
INLINE void store_columns(const bool whole, float *p, vf v, int64_t width) {
    whole ? vstore(p, v) : vstore_part(p, v, width);
}
INLINE void columns(const bool whole, const bool log_softmax, const float *in, int64_t length, int64_t step,
                    int64_t width, float *out) {
    vf largest = vset1(-INFINITY), total = vzero();
    for (int64_t i = 0; i < length; i++) largest = vmax(load_columns(whole, in + i * step, width), largest);
    for (int64_t i = 0; i < length;) {
        vf part = vzero();
        for (int k = 0; k < PART && i < length; k++, i++) {
            vf x = load_columns(whole, in + i * step, width) - largest, e = vexp_normal(x);
            store_columns(whole, out + i * step, log_softmax ? x : e, width);
            part += e;
        }
        total += part;
    }
    const vf log_total = vlog(total);
    for (int64_t i = 0; i < length; i++) {
        vf x = load_columns(whole, out + i * step, width);
        store_columns(whole, out + i * step, log_softmax ? x - log_total : x / total, width);
    }
}
static void softmax_columns(bool log_softmax, const float *in, int64_t length, int64_t step, int64_t width,
                            float *out) {
    int64_t x = 0;
    for (; x + VL <= width; x += VL)
        log_softmax ? columns(true, true, in + x, length, step, VL, out + x)
                    : columns(true, false, in + x, length, step, VL, out + x);
    if (x < width) columns(false, log_softmax, in + x, length, step, width - x, out + x);
}
void KERNEL(fill_softmax)(Kernels *kernels) {
    kernels->softmax_row = softmax_row;
    kernels->softmax_columns = softmax_columns;
}

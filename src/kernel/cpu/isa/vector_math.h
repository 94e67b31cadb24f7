// Elementary functions of vectors in fp32: range reduction by powers of two and a polynomial, no tables, no libm.
//
// The coefficients are minimax fits (Lawson's iteration on Chebyshev nodes) rounded to fp32 one after the other, the
// rest fitted again after each. Bounds stated here and in elementwise.c hold for every level (with FMA they are a
// little better) and are tested in test/kernel/test_elementwise.c. ulp: distance of floats at the result.
// NaN gives NaN everywhere: vmin and vmax return their second operand when either is NaN.
#pragma once
#include "kernel/cpu/isa/vector.h"

typedef uint32_t vu __attribute__((vector_size(KERNEL_VL * 4), aligned(4), may_alias));

INLINE vf vabs(vf x) { return (vf)((vi)x & 0x7fffffff); }
INLINE vf vsign_of(vf size, vf sign) { return (vf)(((vi)size & 0x7fffffff) | ((vi)sign & (int32_t)0x80000000)); }
INLINE vf vfloat_of(vi x) { return __builtin_convertvector(x, vf); }
// 2^n for -126 <= n <= 127.
INLINE vf power_of_two(vi n) { return (vf)((vu)(n + 127) << 23); }

// x = n ln 2 + r, |r| <= ln 2 / 2; for |x| < 2^21 ln 2. Returns r.
INLINE vf reduce(vf x, vi *n) {
    const float magic = 0x1.8p23f; // adding it leaves the nearest whole number in the low bits
    vf shifted = vfma(x, vset1(0x1.715476p0f), vset1(magic));
    *n = (vi)((vu)(vi)shifted - (vu)(vi)vset1(magic));
    vf whole = shifted - vset1(magic);
    vf r = vfnma(whole, vset1(0x1.63p-1f), x); // exact: the constant has 9 bits
    return vfma(whole, vset1(0x1.bd0106p-13f), r);
}
// exp(r) - 1 for |r| <= ln 2 / 2, relative error of the polynomial 1e-8.
INLINE vf expm1_reduced(vf r) {
    vf q = vset1(0x1.6d51acp-10f);
    q = vfma(q, r, vset1(0x1.123bfep-7f));
    q = vfma(q, r, vset1(0x1.5554e4p-5f));
    q = vfma(q, r, vset1(0x1.55548ep-3f));
    q = vfma(q, r, vset1(0.5f));
    return vfma(q, r * r, r);
}
// exp(x), 2 ulp, denormal results and overflow included.
INLINE vf vexp(vf x) {
    vi n;
    vf r = reduce(vmin(vset1(89), vmax(vset1(-104), x)), &n);
    vi half = n >> 1; // 2^n itself may not be a normal number
    return (expm1_reduced(r) + vset1(1)) * power_of_two(half) * power_of_two(n - half);
}
// exp(x) for x <= 88, 2 ulp; 0 where the result would be a denormal (x < -87), which would be slow.
INLINE vf vexp_normal(vf x) {
    const vi tiny = x < vset1(-87);
    vi n;
    vf r = reduce(vmax(vset1(-87), x), &n);
    return vselect(tiny, vzero(), (expm1_reduced(r) + vset1(1)) * power_of_two(n));
}
// exp(x) - 1 for x <= 0, 2 ulp.
INLINE vf vexpm1_negative(vf x) {
    vi n;
    vf r = reduce(vmax(vset1(-87), x), &n);
    vf scale = power_of_two(n);
    return vfma(expm1_reduced(r), scale, scale - vset1(1));
}
// log(1 + f) - f for sqrt(1/2) <= 1 + f <= sqrt(2), error 1e-8 |f|.
INLINE vf log1p_reduced(vf f) {
    vf q = vset1(-0x1.421754p-4f);
    q = vfma(q, f, vset1(0x1.081a7ap-3f));
    q = vfma(q, f, vset1(-0x1.0cfb06p-3f));
    q = vfma(q, f, vset1(0x1.22661ep-3f));
    q = vfma(q, f, vset1(-0x1.547528p-3f));
    q = vfma(q, f, vset1(0x1.99a5d2p-3f));
    q = vfma(q, f, vset1(-0x1.00022cp-2f));
    q = vfma(q, f, vset1(0x1.55554ap-2f));
    vf square = f * f;
    return vfma(q * f, square, vset1(-0.5f) * square);
}
// log(x), 2 ulp; -inf at 0, NaN below.
INLINE vf vlog(vf x) {
    const vi small = x < vset1(0x1p-126f);
    vf y = vselect(small, x * vset1(0x1p23f), x);
    vi exponent = (vi)((vu)(vi)y - 0x3f3504f3u) >> 23; // of y / sqrt(1/2)
    vf f = (vf)((vu)(vi)y - ((vu)exponent << 23)) - vset1(1);
    vf e = vfloat_of(exponent) - (vf)((vi)vset1(23) & small);
    vf result = vfma(e, vset1(-0x1.bd0106p-13f), log1p_reduced(f));
    result = vfma(e, vset1(0x1.63p-1f), result + f);
    vf outside = vselect(x == vzero(), vset1(-INFINITY), vset1(NAN));
    result = vselect(x > vzero(), result, outside);
    return vselect(x == vset1(INFINITY), x, result);
}
// log(1 + y) for 0 <= y <= 1, 2 ulp.
INLINE vf vlog1p_unit(vf y) {
    const vi big = y > vset1(0.41421356f);
    vf f = vselect(big, (y - vset1(1)) * vset1(0.5f), y); // log(1 + y) = log(2) + log(1 + (y - 1) / 2)
    vf log2 = (vf)((vi)vset1(0.69314718f) & big);
    return log2 + (f + log1p_reduced(f));
}
// 1 / (1 + exp(-x)), 4 ulp; 0 below -87.
INLINE vf vsigmoid(vf x) {
    vf e = vexp_normal(-vabs(x));
    vf s = vset1(1) / (e + vset1(1));
    return vselect(x < vzero(), e * s, s);
}
// tanh(x), 4 ulp. tanh = -t / (2 + t), t = exp(-2 |x|) - 1.
INLINE vf vtanh(vf x) {
    vf t = vexpm1_negative(vset1(-2) * vabs(x));
    return vsign_of(t / (t + vset1(2)), x);
}

#define ERF_SPLIT 0.9f // below: a polynomial for erf; above: one for -log(erfc)
// erf(x) for |x| <= ERF_SPLIT, relative error of the polynomial 2e-8.
INLINE vf erf_small(vf x) {
    vf square = x * x;
    vf q = vset1(-0x1.4001acp-11f);
    q = vfma(q, square, vset1(0x1.48a2dp-8f));
    q = vfma(q, square, vset1(-0x1.b6c628p-6f));
    q = vfma(q, square, vset1(0x1.ce1e4p-4f));
    q = vfma(q, square, vset1(-0x1.8126fap-2f));
    q = vfma(q, square, vset1(0x1.06eba6p-3f));
    return vfma(q, x, x);
}
// erfc(z) for z >= ERF_SPLIT: absolute error 6e-8, relative 1e-5 up to z = 5; 0 beyond.
INLINE vf erfc_large(vf z) {
    vf x = vmin(vset1(5), z);
    vf q = vset1(-0x1.71806p-20f);
    q = vfma(q, x, vset1(0x1.59548p-15f));
    q = vfma(q, x, vset1(-0x1.24b0f2p-11f));
    q = vfma(q, x, vset1(0x1.2d069ap-8f));
    q = vfma(q, x, vset1(-0x1.a9d778p-6f));
    q = vfma(q, x, vset1(0x1.c01804p-4f));
    q = vfma(q, x, vset1(0x1.43d3fcp-1f));
    q = vfma(q, x, vset1(0x1.214094p0f));
    q = vfma(q, x, vset1(-0x1.00147p-12f));
    return vselect(z > vset1(5), vzero(), vexp_normal(-q));
}
// erf(x), 3 ulp.
INLINE vf verf(vf x) {
    vf z = vabs(x);
    vf large = vsign_of(vset1(1) - erfc_large(z), x);
    return vselect(z < vset1(ERF_SPLIT), erf_small(x), large); // NaN takes the second, and keeps its NaN
}
// (1 - erf(|x| / sqrt 2)) / 2: the smaller tail of the normal distribution beyond |x|, absolute error 6e-8.
INLINE vf normal_tail(vf x) {
    vf z = vabs(x) * vset1(0.70710678f);
    return vset1(0.5f) * vselect(z < vset1(ERF_SPLIT), vset1(1) - erf_small(z), erfc_large(z));
}
// To the nearest whole number, halves to even; the sign of zero stays.
INLINE vf vround(vf x) {
    vf size = vabs(x), whole = (size + vset1(0x1p23f)) - vset1(0x1p23f);
    return vselect(size < vset1(0x1p23f), vsign_of(whole, x), x);
}
INLINE vf vfloor(vf x) {
    vf whole = vround(x);
    return vselect(whole > x, whole - vset1(1), whole);
}
INLINE vf vceil(vf x) {
    vf whole = vround(x);
    return vselect(whole < x, vsign_of(whole + vset1(1), x), whole); // -0.5 gives -0
}
// What a vector of `count` < VL values from p holds; the other lanes are 0.
INLINE vf vload_part(const float *p, int64_t count) {
    float values[VL] = {0};
    memcpy(values, p, (size_t)count * sizeof *p);
    return vload(values);
}
INLINE void vstore_part(float *p, vf v, int64_t count) {
    float values[VL];
    vstore(values, v);
    memcpy(p, values, (size_t)count * sizeof *p);
}

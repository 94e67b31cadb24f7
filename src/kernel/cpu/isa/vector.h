// Vectors of KERNEL_VL floats for the level that this file is compiled for: a thin layer of names over the compiler's
// vector types, so that a kernel is written once. KERNEL_ISA is one of sse2 avx avx2 avx512 portable; avx512_emulated are
// those of AVX-512 on AVX2, bit for bit, for the tests alone.
#pragma once
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define KERNEL_PASTE2(a, b) a##_##b
#define KERNEL_PASTE(a, b) KERNEL_PASTE2(a, b)
#define KERNEL(name) KERNEL_PASTE(name, KERNEL_ISA) // KERNEL(gemm) is gemm_avx2 ...
#define VL KERNEL_VL
#ifdef AMX_EMULATED
#define INLINE static inline // all inlined, vectors in halves would be compiled for a minute
#else
#define INLINE static inline __attribute__((always_inline))
#endif
#define UNROLL _Pragma("GCC unroll 32")
#define KEEP_LOOP _Pragma("GCC unroll 1")
// Keeps the compiler from seeing how pointers are related: where rows lie `step` apart it would keep an address a row,
// run out of registers and reload them from the stack. A pointer for every third row and two indexed ones cost nothing.
#define HIDE(pointer) __asm__("" : "+r"(pointer))

typedef float vf __attribute__((vector_size(KERNEL_VL * 4), aligned(4), may_alias)); // loads need no alignment
typedef int32_t vi __attribute__((vector_size(KERNEL_VL * 4), aligned(4), may_alias));

INLINE vf vload(const float *p) { return *(const vf *)p; }
INLINE void vstore(float *p, vf v) { *(vf *)p = v; }
INLINE vf vzero(void) { return (vf){0}; }

#if KERNEL_VL == 16 && defined(__AVX512F__)
INLINE vf vset1(float x) { return (vf)_mm512_set1_ps(x); }
INLINE vf vmax(vf a, vf b) { return (vf)_mm512_max_ps((__m512)a, (__m512)b); } // b when either is NaN
INLINE vf vmin(vf a, vf b) { return (vf)_mm512_min_ps((__m512)a, (__m512)b); }
INLINE vf vfma(vf a, vf b, vf c) { return (vf)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c); } // a * b + c
INLINE vf vsqrt(vf a) { return (vf)_mm512_sqrt_ps((__m512)a); }
#elif KERNEL_VL == 16
typedef struct Halves {
    __m256 low, high;
} Halves;
INLINE Halves halves_of(vf v) {
    Halves h;
    memcpy(&h, &v, sizeof h);
    return h;
}
INLINE vf of_halves(__m256 low, __m256 high) {
    const Halves h = {low, high};
    vf v;
    memcpy(&v, &h, sizeof v);
    return v;
}
INLINE vf vset1(float x) { return of_halves(_mm256_set1_ps(x), _mm256_set1_ps(x)); }
INLINE vf vmax(vf a, vf b) {
    const Halves x = halves_of(a), y = halves_of(b);
    return of_halves(_mm256_max_ps(x.low, y.low), _mm256_max_ps(x.high, y.high));
}
INLINE vf vmin(vf a, vf b) {
    const Halves x = halves_of(a), y = halves_of(b);
    return of_halves(_mm256_min_ps(x.low, y.low), _mm256_min_ps(x.high, y.high));
}
INLINE vf vfma(vf a, vf b, vf c) {
    const Halves x = halves_of(a), y = halves_of(b), z = halves_of(c);
    return of_halves(_mm256_fmadd_ps(x.low, y.low, z.low), _mm256_fmadd_ps(x.high, y.high, z.high));
}
INLINE vf vsqrt(vf a) {
    const Halves x = halves_of(a);
    return of_halves(_mm256_sqrt_ps(x.low), _mm256_sqrt_ps(x.high));
}
#elif KERNEL_VL == 8
INLINE vf vset1(float x) { return (vf)_mm256_set1_ps(x); }
INLINE vf vmax(vf a, vf b) { return (vf)_mm256_max_ps((__m256)a, (__m256)b); }
INLINE vf vmin(vf a, vf b) { return (vf)_mm256_min_ps((__m256)a, (__m256)b); }
INLINE vf vsqrt(vf a) { return (vf)_mm256_sqrt_ps((__m256)a); }
#ifdef __FMA__
INLINE vf vfma(vf a, vf b, vf c) { return (vf)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c); }
#else
INLINE vf vfma(vf a, vf b, vf c) { return a * b + c; } // two roundings: -ffp-contract=off
#endif
#elif defined(__SSE2__)
INLINE vf vset1(float x) { return (vf)_mm_set1_ps(x); }
INLINE vf vmax(vf a, vf b) { return (vf)_mm_max_ps((__m128)a, (__m128)b); }
INLINE vf vmin(vf a, vf b) { return (vf)_mm_min_ps((__m128)a, (__m128)b); }
INLINE vf vfma(vf a, vf b, vf c) { return a * b + c; }
INLINE vf vsqrt(vf a) { return (vf)_mm_sqrt_ps((__m128)a); }
#else
INLINE vf vset1(float x) { return (vf){x, x, x, x}; }
INLINE vf vselect(vi mask, vf a, vf b) { return (vf)(((vi)a & mask) | ((vi)b & ~mask)); }
INLINE vf vmax(vf a, vf b) { return vselect(a > b, a, b); }
INLINE vf vmin(vf a, vf b) { return vselect(a < b, a, b); }
INLINE vf vfma(vf a, vf b, vf c) { return a * b + c; }
INLINE vf vsqrt(vf a) { UNROLL for (int i = 0; i < VL; i++) a[i] = sqrtf(a[i]); return a; }
#endif
#if defined(__SSE2__)
// Lanes of a where the mask (all ones) is set, else of b.
INLINE vf vselect(vi mask, vf a, vf b) { return (vf)(((vi)a & mask) | ((vi)b & ~mask)); }
#endif
INLINE vf vfnma(vf a, vf b, vf c) { return vfma(-a, b, c); } // c - a * b
INLINE bool vfinite(vf a) { // all lanes
    float lane[VL];
    bool finite = true;
    vstore(lane, a - a);
    for (int i = 0; i < VL; i++) finite = finite && lane[i] == 0;
    return finite;
}
// The larger; NaN wins, and stays.
INLINE vf larger(vf largest, vf x) { return vselect(x != x, x, vmax(x, largest)); }

// Tiles: the eight registers of AMX, each 16 rows of 64 bytes, and the five instructions that the kernels use; and floats
// taken apart, 32 at a time. Compiled with AMX_EMULATED the same kernels run on plain C, so that tests cover them on a
// machine without AMX and AVX-512.
#pragma once
#include "kernel/kernel.h"
#include <immintrin.h>

#ifdef AMX_EMULATED
#define INLINE static inline
#else
#define INLINE static inline __attribute__((always_inline))
#endif
enum { TILE_ROWS = 16, TILE_ROW_BYTES = 64, TILE_BYTES = TILE_ROWS * TILE_ROW_BYTES };

#ifndef AMX_EMULATED
#define TILE_BEGIN(shape) _tile_loadconfig(shape)
#define TILE_END() _tile_release()
#define TILE_ZERO(t) _tile_zero(t)
#define TILE_LOAD(t, from, step) _tile_loadd(t, from, step)
#define TILE_STORE(t, to, step) _tile_stored(t, to, step)
#define TILE_PRODUCT(c, a, b) _tile_dpbf16ps(c, a, b)

typedef struct Values {
    __m512 low, high;
} Values; // 32 floats
INLINE Values values_load(const float *low, const float *high) { // high may be NULL: zeros
    return (Values){_mm512_loadu_ps(low), high ? _mm512_loadu_ps(high) : _mm512_setzero_ps()};
}
INLINE __m512 values_widen(__m256i half) {
    return (__m512)_mm512_slli_epi32(_mm512_cvtepu16_epi32(half), 16);
}
// 32 bf16 values.
INLINE void values_store(const void *in, float *low, float *high) {
    const __m512i both = _mm512_loadu_si512(in);
    _mm512_storeu_ps(low, values_widen(_mm512_castsi512_si256(both)));
    _mm512_storeu_ps(high, values_widen(_mm512_extracti64x4_epi64(both, 1)));
}
// Writes the nearest bf16 of each, ties to even, subnormals as zero; leaves what is left of them.
INLINE void values_take(Values *v, void *out) {
    const __m512i both = (__m512i)_mm512_cvtne2ps_pbh(v->high, v->low);
    _mm512_storeu_si512(out, both);
    v->low = _mm512_sub_ps(v->low, values_widen(_mm512_castsi512_si256(both)));
    v->high = _mm512_sub_ps(v->high, values_widen(_mm512_extracti64x4_epi64(both, 1)));
}
// Writes the upper halves of both, cut off, as pairs (low, high); leaves what is left of them, which is exact: three
// such parts are the whole of a float. Returns the pairs.
INLINE __m512i values_cut(Values *v, void *out) {
    const __m512i upper = _mm512_set1_epi32((int)0xffff0000);
    const __m512i low = _mm512_and_si512((__m512i)v->low, upper), high = _mm512_and_si512((__m512i)v->high, upper);
    const __m512i pairs = _mm512_or_si512(_mm512_srli_epi32((__m512i)v->low, 16), high);
    _mm512_storeu_si512(out, pairs);
    v->low = _mm512_sub_ps(v->low, (__m512)low), v->high = _mm512_sub_ps(v->high, (__m512)high);
    return pairs;
}
typedef __m512i Largest; // bits of the largest magnitudes so far
INLINE Largest largest_none(void) { return _mm512_setzero_si512(); }
INLINE Largest largest_of(Largest largest, const Values *v) {
    const __m512i magnitude = _mm512_set1_epi32(0x7fffffff);
    largest = _mm512_max_epu32(largest, _mm512_and_si512((__m512i)v->low, magnitude));
    return _mm512_max_epu32(largest, _mm512_and_si512((__m512i)v->high, magnitude));
}
INLINE uint32_t largest_bits(Largest largest) { return _mm512_reduce_max_epu32(largest); }
// The same of pairs of upper halves.
INLINE Largest largest_of_pairs(Largest largest, __m512i pairs) {
    return _mm512_max_epu16(largest, _mm512_and_si512(pairs, _mm512_set1_epi32(0x7fff7fff)));
}
INLINE uint32_t largest_of_halves(Largest largest) {
    const __m512i high = _mm512_slli_epi32(largest, 16);
    return _mm512_reduce_max_epu32(_mm512_max_epu32(largest, high)) & 0xffff0000;
}
#else
#include <math.h>
#include <string.h>
#define TILE_BEGIN(shape) tile_begin(shape)
#define TILE_END() tile_end()
#define TILE_ZERO(t) tile_zero(t)
#define TILE_LOAD(t, from, step) tile_load(t, from, step)
#define TILE_STORE(t, to, step) tile_store(t, to, step)
#define TILE_PRODUCT(c, a, b) tile_product(c, a, b)

// As the instructions do (Intel SDM vol. 2: TILELOADD, TILESTORED, TDPBF16PS), for tiles of full size. What the CPU
// would refuse ends the program here too.
static _Thread_local struct {
    bool ready;
    unsigned char bytes[8][TILE_BYTES];
} tile;
INLINE void tile_must(bool holds) {
    if (!holds) __builtin_trap();
}
INLINE void tile_begin(const void *shape) {
    const unsigned char *s = shape;
    tile_must(s[0] == 1); // palette
    for (int i = 1; i < 16; i++) tile_must(s[i] == 0);
    for (int t = 0; t < 8; t++) tile_must(s[16 + 2 * t] == TILE_ROW_BYTES && !s[17 + 2 * t] && s[48 + t] == TILE_ROWS);
    for (int i = 56; i < 64; i++) tile_must(s[i] == 0);
    memset(&tile, 0, sizeof tile);
    tile.ready = true;
}
INLINE void tile_end(void) { tile.ready = false; }
INLINE void tile_zero(int t) {
    tile_must(tile.ready);
    memset(tile.bytes[t], 0, TILE_BYTES);
}
INLINE void tile_load(int t, const void *from, int64_t step) {
    tile_must(tile.ready);
    for (int r = 0; r < TILE_ROWS; r++)
        memcpy(tile.bytes[t] + r * TILE_ROW_BYTES, (const char *)from + r * step, TILE_ROW_BYTES);
}
INLINE void tile_store(int t, void *to, int64_t step) {
    tile_must(tile.ready);
    for (int r = 0; r < TILE_ROWS; r++)
        memcpy((char *)to + r * step, tile.bytes[t] + r * TILE_ROW_BYTES, TILE_ROW_BYTES);
}
INLINE float tile_flushed(float x) { return fabsf(x) < 0x1p-126f ? copysignf(0, x) : x; }
// Of a pair of bf16 values, the one in the lower or the upper half.
INLINE float tile_bf16(uint32_t pair, int half) {
    const uint32_t bits = half ? pair & 0xffff0000 : pair << 16;
    float x;
    memcpy(&x, &bits, sizeof x);
    return tile_flushed(x);
}
// Even and odd products apart, each chain fused; their sum is added to c. Subnormals count as zero everywhere.
static void tile_product(int c, int a, int b) {
    tile_must(tile.ready);
    float weight[16][2][16];
    for (int k = 0; k < 16; k++) {
        uint32_t pair[16];
        memcpy(pair, tile.bytes[b] + k * TILE_ROW_BYTES, sizeof pair);
        for (int half = 0; half < 2; half++)
            for (int n = 0; n < 16; n++) weight[k][half][n] = tile_bf16(pair[n], half);
    }
    for (int m = 0; m < TILE_ROWS; m++) {
        float part[2][16] = {{0}}, sum[16];
        uint32_t pair[16];
        memcpy(pair, tile.bytes[a] + m * TILE_ROW_BYTES, sizeof pair);
        for (int k = 0; k < 16; k++)
            for (int half = 0; half < 2; half++) {
                const float value = tile_bf16(pair[k], half);
                for (int n = 0; n < 16; n++)
                    part[half][n] = tile_flushed(fmaf(value, weight[k][half][n], part[half][n]));
            }
        memcpy(sum, tile.bytes[c] + m * TILE_ROW_BYTES, sizeof sum);
        for (int n = 0; n < 16; n++)
            sum[n] = tile_flushed(tile_flushed(sum[n]) + tile_flushed(part[0][n] + part[1][n]));
        memcpy(tile.bytes[c] + m * TILE_ROW_BYTES, sum, sizeof sum);
    }
}

typedef struct Values {
    float at[32];
} Values;
INLINE uint32_t value_bits(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}
INLINE Values values_load(const float *low, const float *high) {
    Values v = {{0}};
    memcpy(v.at, low, sizeof v.at / 2);
    if (high) memcpy(v.at + 16, high, sizeof v.at / 2);
    return v;
}
INLINE void values_store(const void *in, float *low, float *high) {
    for (int i = 0; i < 32; i++) {
        uint16_t half;
        memcpy(&half, (const char *)in + 2 * i, sizeof half);
        const uint32_t bits = (uint32_t)half << 16;
        memcpy(i < 16 ? low + i : high + i - 16, &bits, sizeof bits);
    }
}
// As VCVTNE2PS2BF16 does it (Intel SDM vol. 2).
INLINE void values_take(Values *v, void *out) {
    for (int i = 0; i < 32; i++) {
        uint32_t bits = value_bits(tile_flushed(v->at[i]));
        bits = isnan(v->at[i]) ? bits | 0x400000 : bits + 0x7fff + (bits >> 16 & 1);
        const uint16_t half = (uint16_t)(bits >> 16);
        memcpy((char *)out + 2 * i, &half, sizeof half);
        bits = (uint32_t)half << 16;
        float taken;
        memcpy(&taken, &bits, sizeof taken);
        v->at[i] -= taken;
    }
}
typedef struct Pairs {
    uint32_t at[16];
} Pairs;
INLINE Pairs values_cut(Values *v, void *out) {
    Pairs pairs;
    for (int i = 0; i < 16; i++) {
        pairs.at[i] = value_bits(v->at[i]) >> 16 | (value_bits(v->at[16 + i]) & 0xffff0000);
        for (int half = 0; half < 2; half++) {
            const uint32_t bits = value_bits(v->at[16 * half + i]) & 0xffff0000;
            float taken;
            memcpy(&taken, &bits, sizeof taken);
            v->at[16 * half + i] -= taken;
        }
    }
    memcpy(out, pairs.at, sizeof pairs.at);
    return pairs;
}
typedef uint32_t Largest;
INLINE Largest largest_none(void) { return 0; }
INLINE Largest largest_of(Largest largest, const Values *v) {
    for (int i = 0; i < 32; i++) {
        const uint32_t bits = value_bits(fabsf(v->at[i]));
        largest = bits > largest ? bits : largest;
    }
    return largest;
}
INLINE uint32_t largest_bits(Largest largest) { return largest; }
INLINE Largest largest_of_pairs(Largest largest, Pairs pairs) {
    for (int i = 0; i < 16; i++) {
        const uint32_t low = pairs.at[i] << 16 & 0x7fffffff, high = pairs.at[i] & 0x7fff0000;
        const uint32_t most = low > high ? low : high;
        largest = most > largest ? most : largest;
    }
    return largest;
}
INLINE uint32_t largest_of_halves(Largest largest) { return largest; }
#endif

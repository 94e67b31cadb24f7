// Tiles: the eight registers of AMX, each 16 rows of 64 bytes, and the five instructions that the kernels use. Compiled
// with AMX_EMULATED the same kernels run on plain C, so that tests cover them on a machine without AMX.
#pragma once
#include "kernel/kernel.h"
#include <immintrin.h>

enum { TILE_ROWS = 16, TILE_ROW_BYTES = 64, TILE_BYTES = TILE_ROWS * TILE_ROW_BYTES };

#ifndef AMX_EMULATED
#define TILE_BEGIN(shape) _tile_loadconfig(shape)
#define TILE_END() _tile_release()
#define TILE_ZERO(t) _tile_zero(t)
#define TILE_LOAD(t, from, step) _tile_loadd(t, from, step)
#define TILE_STORE(t, to, step) _tile_stored(t, to, step)
#define TILE_PRODUCT(c, a, b) _tile_dpbf16ps(c, a, b)
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
static inline void tile_must(bool holds) {
    if (!holds) __builtin_trap();
}
static inline void tile_begin(const void *shape) {
    const unsigned char *s = shape;
    tile_must(s[0] == 1); // palette
    for (int i = 1; i < 16; i++) tile_must(s[i] == 0);
    for (int t = 0; t < 8; t++) tile_must(s[16 + 2 * t] == TILE_ROW_BYTES && !s[17 + 2 * t] && s[48 + t] == TILE_ROWS);
    for (int i = 56; i < 64; i++) tile_must(s[i] == 0);
    memset(&tile, 0, sizeof tile);
    tile.ready = true;
}
static inline void tile_end(void) { tile.ready = false; }
static inline void tile_zero(int t) {
    tile_must(tile.ready);
    memset(tile.bytes[t], 0, TILE_BYTES);
}
static inline void tile_load(int t, const void *from, int64_t step) {
    tile_must(tile.ready);
    for (int r = 0; r < TILE_ROWS; r++)
        memcpy(tile.bytes[t] + r * TILE_ROW_BYTES, (const char *)from + r * step, TILE_ROW_BYTES);
}
static inline void tile_store(int t, void *to, int64_t step) {
    tile_must(tile.ready);
    for (int r = 0; r < TILE_ROWS; r++)
        memcpy((char *)to + r * step, tile.bytes[t] + r * TILE_ROW_BYTES, TILE_ROW_BYTES);
}
static inline float tile_flushed(float x) { return fabsf(x) < 0x1p-126f ? copysignf(0, x) : x; }
static inline float tile_bf16(const unsigned char *bytes) {
    const uint32_t bits = (uint32_t)bytes[0] << 16 | (uint32_t)bytes[1] << 24;
    float x;
    memcpy(&x, &bits, sizeof x);
    return tile_flushed(x);
}
// Even and odd products apart, each chain fused; their sum is added to c. Subnormals count as zero everywhere.
static inline void tile_product(int c, int a, int b) {
    tile_must(tile.ready);
    for (int m = 0; m < TILE_ROWS; m++) {
        float part[2][16] = {{0}}, sum[16];
        for (int k = 0; k < 16; k++)
            for (int half = 0; half < 2; half++) {
                const float value = tile_bf16(tile.bytes[a] + m * 64 + 4 * k + 2 * half);
                for (int n = 0; n < 16; n++)
                    part[half][n] =
                        tile_flushed(fmaf(value, tile_bf16(tile.bytes[b] + k * 64 + 4 * n + 2 * half), part[half][n]));
            }
        memcpy(sum, tile.bytes[c] + m * 64, sizeof sum);
        for (int n = 0; n < 16; n++)
            sum[n] = tile_flushed(tile_flushed(sum[n]) + tile_flushed(part[0][n] + part[1][n]));
        memcpy(tile.bytes[c] + m * 64, sum, sizeof sum);
    }
}
#endif

// Batch-reduce products of bf16 tiles (kernel.h: AmxKernel), and floats split into bf16 parts.
//
// Four of the eight tiles hold sums: two tiles of pixels by two vectors of channels, or four by one vector. Of the
// others two hold weights and two pixels; with one vector one holds weights, and the pixels pass through three.
//
//                       tmm6      tmm7        weights: 16 pairs of input channels x 16 output channels
//                    +---------+---------+                      tmm6
//     tmm4, 16 pixels|  tmm0   |  tmm1   |       tmm4, 5, 7 |  tmm0 to 3  |
//     tmm5, 16 pixels|  tmm2   |  tmm3   |
//                    +---------+---------+
//
// A product of tiles takes 16 cycles, also behind one that adds to the same tile. A tile is loaded in 8 cycles from L1,
// 25 from L2, 140 from L3 (Granite Rapids), so that 8 loads beside 12 products (three products of parts; 14 with one
// vector) are hidden. With values other than zeros the clock falls by a quarter: what is left out, a load or a product,
// counts twice.
//
// Between the products of a tap there is time for vector instructions: what becomes of the sums before (AmxPace). And
// networks run 4 % faster with a tile stored to nowhere every few taps, cause unknown.
//
// Parts: x = hi + mid + lo with hi = bf16(x), mid = bf16(x - hi), lo = bf16(x - hi - mid); each takes 8 bits of x's 24.
// Products, in an order in which each shares a factor with the one before (sums go on over all taps and channels, so
// that the order among a tap's own products matters little):
//     1 part    hi hi                                                  error 2^-9 a factor
//     2 parts   hi lo, hi hi, lo hi                                    lo lo is left out: 2^-16 of a product
//     3 parts   hi lo, hi mid, mid mid, mid hi, lo hi, hi hi           the rest is 2^-24 of a product
// Three parts may also be cut off instead of rounded (cut), in a third of the instructions: they too are all of x, and
// what is left out is twice as much.
// Errors of whole layers: docs/NUMERICS.md. Source: Henry, Tang, Heinecke, "Leveraging the bfloat16 Artificial
// Intelligence Datatype For Higher-Precision Computations", 2019.
#include "kernel/cpu/amx/tile.h"

#define UNROLL _Pragma("GCC unroll 8")

static void begin(void) {
    // Palette 1, eight tiles of 16 rows of 64 bytes (Intel SDM vol. 1, ch. 18: TILECFG).
    static const struct {
        uint8_t palette, start_row, reserved[14];
        uint16_t row_bytes[16];
        uint8_t rows[16];
    } shape = {1, 0, {0}, {64, 64, 64, 64, 64, 64, 64, 64}, {16, 16, 16, 16, 16, 16, 16, 16}};
    TILE_BEGIN(&shape);
}
static void end(void) { TILE_END(); }

// Sums += part kp of the pixels x part kw of the weights. Two vectors: a tile is loaded as soon as nothing reads what
// it held; with_pixels, with_weights: other parts than in the products before.
#define LOAD_WEIGHTS(to, j, kw) TILE_LOAD(to, w + ((kw)*vectors + (j)) * TILE_BYTES, TILE_ROW_BYTES)
#define LOAD_PIXELS(to, i, kp) TILE_LOAD(to, pixels + (kp)*a->part + (i)*a->tile, a->pixel)
#define PRODUCTS_OF_TWO(kp, kw, with_pixels, with_weights)                                                             \
    do {                                                                                                               \
        if (with_weights) LOAD_WEIGHTS(6, 0, kw);                                                                      \
        if (with_pixels) LOAD_PIXELS(4, 0, kp);                                                                        \
        TILE_PRODUCT(0, 4, 6);                                                                                         \
        if (with_pixels && tiles > 1) LOAD_PIXELS(5, 1, kp);                                                           \
        if (tiles > 1) TILE_PRODUCT(2, 5, 6);                                                                          \
        if (with_weights) LOAD_WEIGHTS(7, 1, kw);                                                                      \
        TILE_PRODUCT(1, 4, 7);                                                                                         \
        if (tiles > 1) TILE_PRODUCT(3, 5, 7);                                                                          \
    } while (0)
#define PRODUCT_OF_ONE(i, by, kp)                                                                                      \
    do {                                                                                                               \
        if (tiles > i) LOAD_PIXELS(by, i, kp);                                                                         \
        if (tiles > i) TILE_PRODUCT(i, by, 6);                                                                         \
    } while (0)
#define PRODUCTS(kp, kw, with_pixels, with_weights)                                                                    \
    do {                                                                                                               \
        if (vectors > 1) {                                                                                             \
            PRODUCTS_OF_TWO(kp, kw, with_pixels, with_weights);                                                        \
        } else {                                                                                                       \
            if (with_weights) LOAD_WEIGHTS(6, 0, kw);                                                                  \
            PRODUCT_OF_ONE(0, 4, kp);                                                                                  \
            PRODUCT_OF_ONE(1, 5, kp);                                                                                  \
            PRODUCT_OF_ONE(2, 7, kp);                                                                                  \
            PRODUCT_OF_ONE(3, 4, kp);                                                                                  \
        }                                                                                                              \
    } while (0)

INLINE void product_block(const int parts, const int tiles, const int vectors, const AmxPixels *a, const char *from,
                          int64_t blocks, const char *w, float *c, int64_t ldc, bool go_on, AmxPace *pace) {
    char nowhere[TILE_BYTES] __attribute__((aligned(64)));
    int taps_to_rest = pace ? pace->rest : 0;
    const int64_t step = ldc * (int64_t)sizeof(float);
    // Sum i is of pixels i / vectors, output channels i % vectors.
#define BEGIN(i)                                                                                                       \
    do {                                                                                                               \
        if (tiles * vectors <= i) break;                                                                               \
        if (go_on) TILE_LOAD(i, c + i / vectors * 16 * ldc + i % vectors * 16, step);                                  \
        else TILE_ZERO(i);                                                                                             \
    } while (0)
    BEGIN(0);
    BEGIN(1);
    BEGIN(2);
    BEGIN(3);
    for (int64_t b = 0; b < blocks; b++, from += a->block)
        for (int t = 0; t < a->taps; t++, w += parts * vectors * TILE_BYTES) {
            const char *pixels = from + a->offset[t];
            if (parts == 3) {                // each shares a factor with the one before
                PRODUCTS(0, 2, true, true);  // hi lo
                PRODUCTS(0, 1, false, true); // hi mid
                PRODUCTS(1, 1, true, false); // mid mid
                PRODUCTS(1, 0, false, true); // mid hi
                PRODUCTS(2, 0, true, false); // lo hi
                PRODUCTS(0, 0, true, false); // hi hi
            } else if (parts == 2) {
                PRODUCTS(0, 1, true, true);  // hi lo
                PRODUCTS(0, 0, false, true); // hi hi
                PRODUCTS(1, 0, true, false); // lo hi
            } else {
                PRODUCTS(0, 0, true, true);
            }
            if (!pace) continue;
            if (pace->steps > 0) pace->steps--, pace->step(pace->context);
            if (--taps_to_rest == 0) {
                TILE_STORE(6, nowhere, TILE_ROW_BYTES);
                taps_to_rest = pace->rest;
            }
        }
    if (vectors > 1) {
        TILE_STORE(0, c, step);
        TILE_STORE(1, c + 16, step);
        if (tiles > 1) TILE_STORE(2, c + 16 * ldc, step);
        if (tiles > 1) TILE_STORE(3, c + 16 * ldc + 16, step);
    } else {
        TILE_STORE(0, c, step);
        if (tiles > 1) TILE_STORE(1, c + 16 * ldc, step);
        if (tiles > 2) TILE_STORE(2, c + 32 * ldc, step);
        if (tiles > 3) TILE_STORE(3, c + 48 * ldc, step);
    }
}
#define BLOCK(parts, tiles, vectors)                                                                                   \
    static void block_##parts##_##tiles##x##vectors(const AmxPixels *a, const char *from, int64_t blocks,              \
                                                    const char *w, float *c, int64_t ldc, bool go_on, AmxPace *pace) { \
        product_block(parts, tiles, vectors, a, from, blocks, w, c, ldc, go_on, pace);                                        \
    }
#define BLOCKS(parts)                                                                                                  \
    BLOCK(parts, 1, 1)                                                                                                 \
    BLOCK(parts, 2, 1) BLOCK(parts, 3, 1) BLOCK(parts, 4, 1) BLOCK(parts, 1, 2) BLOCK(parts, 2, 2)
BLOCKS(1)
BLOCKS(2)
BLOCKS(3)

INLINE uint32_t split_loop(const int parts, const float *in, const float *second, int64_t pixels, char *out,
                           int64_t out_part, int64_t out_pixel) {
    Largest largest = largest_none();
    for (int64_t p = 0; p < pixels; p++) {
        Values values = values_load(in + p * 16, second ? second + p * 16 : NULL);
        largest = largest_of(largest, &values);
        UNROLL for (int part = 0; part < parts; part++) values_take(&values, out + part * out_part + p * out_pixel);
    }
    return largest_bits(largest);
}
static uint32_t split(int parts, const float *in, const float *second, int64_t pixels, char *out, int64_t out_part,
                      int64_t out_pixel) {
    if (parts == 1) return split_loop(1, in, second, pixels, out, out_part, out_pixel);
    return parts == 2 ? split_loop(2, in, second, pixels, out, out_part, out_pixel)
                      : split_loop(3, in, second, pixels, out, out_part, out_pixel);
}
static void join(const char *in, int64_t pixels, float *first, float *second) {
    for (int64_t p = 0; p < pixels; p++) values_store(in + p * TILE_ROW_BYTES, first + p * 16, second + p * 16);
}
static uint32_t cut(const float *low, const float *high, int64_t in_row, int64_t in_plane, int planes, int rows,
                    char *out, int64_t out_plane, int64_t out_part) {
    Largest largest = largest_none();
    for (int plane = 0; plane < planes; plane++, low += in_plane, out += out_plane) {
        for (int r = 0; r < rows; r++) {
            Values values = values_load(low + r * in_row, high ? high + plane * in_plane + r * in_row : NULL);
            char *to = out + r * TILE_ROW_BYTES;
            largest = largest_of_pairs(largest, values_cut(&values, to));
            values_cut(&values, to + out_part), values_cut(&values, to + 2 * out_part);
        }
    }
    return largest_of_halves(largest);
}

#ifdef AMX_EMULATED
void fill_amx_emulated(Kernels *kernels);
void fill_amx_emulated(Kernels *kernels) {
#else
void fill_amx(Kernels *kernels);
void fill_amx(Kernels *kernels) {
#endif
    kernels->amx_begin = begin, kernels->amx_end = end, kernels->amx_split = split, kernels->amx_cut = cut,
    kernels->amx_join = join;
#define FILL(parts)                                                                                                    \
    kernels->amx[parts][1][1] = block_##parts##_1x1, kernels->amx[parts][2][1] = block_##parts##_2x1,                  \
    kernels->amx[parts][3][1] = block_##parts##_3x1, kernels->amx[parts][4][1] = block_##parts##_4x1,                  \
    kernels->amx[parts][1][2] = block_##parts##_1x2, kernels->amx[parts][2][2] = block_##parts##_2x2
    FILL(1), FILL(2), FILL(3);
}

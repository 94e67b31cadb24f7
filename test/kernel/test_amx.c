// AMX against its emulation, bit for bit, where the machine has both: what the emulated tests see is what a machine with
// tiles does. Values from all over fp32: subnormals, infinities, sums that overflow.
#include "base/memory.h"
#include "base/rng.h"
#include "kernel/emulated.h"
#include "test.h"
#include <math.h>
#include <string.h>

enum { PIXELS = 64, BLOCKS = 2, TAPS = 3, VECTORS = GEMM_MAX_VECTORS, SIDE = PIXELS + TAPS };
enum { PIXEL_FLOATS = 16, TILE = AMX_TILE_PIXELS * AMX_PIXEL_BYTES };
enum { PART = SIDE * AMX_PIXEL_BYTES, BLOCK = AMX_MAX_PARTS * PART };

typedef enum Values { NORMAL, WIDE, TINY, BITS } Values; // TINY: products are subnormal
static float value(Rng *rng, Values kind) {
    const double x = rng_normal(rng);
    if (kind == NORMAL) return (float)x;
    if (kind == WIDE) return (float)ldexp(x, (int)rng_below(rng, 200) - 140);
    if (kind == TINY) return (float)ldexp(x, -64);
    const uint32_t bits = (uint32_t)rng_next(rng);
    float any;
    memcpy(&any, &bits, sizeof any);
    return any;
}
// NaN are one: which of two operands' payload survives is nobody's business.
static bool same(const float *a, const float *b, int count) {
    for (int i = 0; i < count; i++)
        if (!(isnan(a[i]) && isnan(b[i])) && memcmp(&a[i], &b[i], sizeof *a)) return false;
    return true;
}
typedef struct Made {
    char values[BLOCKS * BLOCK], weights[BLOCKS * TAPS * AMX_MAX_PARTS * VECTORS * TILE];
    uint32_t largest;
} Made;
static void split_all(const Kernels *kernels, bool cut, int parts, const float *low, const float *high, Made *out) {
    memset(out, 0, sizeof *out);
    for (int b = 0; b < BLOCKS; b++) {
        char *to = out->values + b * BLOCK;
        const float *second = b ? NULL : high;
        out->largest |= cut ? kernels->amx_cut(low, second, PIXEL_FLOATS, 0, 1, SIDE, to, 0, PART)
                            : kernels->amx_split(parts, low, second, SIDE, to, PART, AMX_PIXEL_BYTES);
    }
    // Weights are 16 pairs a row like pixels; here the same numbers stand for both.
    for (int i = 0; i < BLOCKS * TAPS * parts * VECTORS; i++)
        if (cut) kernels->amx_cut(low + i * 8, high + i * 4, PIXEL_FLOATS, 0, 1, 16, out->weights + i * TILE, 0, 0);
        else kernels->amx_split(1, low + i * 8, high + i * 4, 16, out->weights + i * TILE, 0, AMX_PIXEL_BYTES);
}
static void check(const Kernels *tiles, const Kernels *plain, bool cut, int parts, Values kind) {
    static const int32_t offset[TAPS] = {0, AMX_PIXEL_BYTES, 2 * AMX_PIXEL_BYTES};
    static Made made, expected;
    float low[SIDE * PIXEL_FLOATS], high[SIDE * PIXEL_FLOATS], got[PIXELS * 32], want[PIXELS * 32];
    const AmxPixels pixels = {AMX_PIXEL_BYTES, TILE, PART, BLOCK, TAPS, offset};
    Rng rng;
    rng_seed(&rng, (uint64_t)(parts + 10 * kind));
    for (int i = 0; i < SIDE * PIXEL_FLOATS; i++) low[i] = value(&rng, kind), high[i] = value(&rng, kind);
    split_all(tiles, cut, parts, low, high, &made), split_all(plain, cut, parts, low, high, &expected);
    CHECK_MSG(!memcmp(&made, &expected, sizeof made), "parts %d, %s, values %d: parts differ", parts,
              cut ? "cut" : "rounded", kind);
    for (int vectors = 1; vectors <= VECTORS; vectors++)
        for (int count = 1; count <= amx_tiles(vectors); count++) {
            const int ld = vectors * 16;
            tiles->amx_begin(), plain->amx_begin();
            tiles->amx[parts][count][vectors](&pixels, made.values, BLOCKS, made.weights, got, ld, false, NULL);
            plain->amx[parts][count][vectors](&pixels, made.values, BLOCKS, made.weights, want, ld, false, NULL);
            // The same sums in two steps.
            float steps[PIXELS * 32];
            plain->amx[parts][count][vectors](&pixels, made.values, 1, made.weights, steps, ld, false, NULL);
            tiles->amx[parts][count][vectors](&pixels, made.values + BLOCK, BLOCKS - 1,
                                              made.weights + TAPS * parts * vectors * TILE, steps, ld, true, NULL);
            tiles->amx_end(), plain->amx_end();
            CHECK_MSG(same(steps, want, count * AMX_TILE_PIXELS * ld),
                      "parts %d, %dx%d, values %d: sums in two steps differ", parts, count, vectors, kind);
            CHECK_MSG(same(got, want, count * AMX_TILE_PIXELS * ld), "parts %d, %dx%d, values %d: sums differ", parts,
                      count, vectors, kind);
        }
}
TEST(tiles_do_what_their_emulation_does) {
    const Kernels *tiles = kernels_for(ISA_AMX), *plain = kernels_emulated(ISA_AMX);
    if (!tiles || !plain) test_skip("no AMX here, or no emulation");
    for (int parts = 1; parts <= AMX_MAX_PARTS; parts++)
        for (Values kind = NORMAL; kind <= BITS; kind++) {
            check(tiles, plain, false, parts, kind);
            if (parts == AMX_MAX_PARTS) check(tiles, plain, true, parts, kind);
        }
}

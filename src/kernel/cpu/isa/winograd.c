// Transforms of Winograd's minimal filtering F(m x m, 3x3), m = 2 or 4.
//
//     Y = A' [ (G g G') . (B' d B) ] A        d: (m+2)x(m+2) inputs, g: 3x3 weights, Y: mxm outputs, . elementwise,
//                                             summed over input channels
//
// Lavin & Gray, "Fast Algorithms for Convolutional Neural Networks" (2016). (m+2)^2 multiply-adds replace 9 m^2: 36 for
// 144 with m = 4, 16 for 36 with m = 2, in the products; the transforms are adds and multiplies, O(1/channels).
//
// m = 4: the Toom-Cook points 0, +-a, +-b and infinity, a = 5/8, b = 3/2 instead of the usual 1 and 2, which more than
// halves the error; with sums cut at 128 channels it is a quarter to a fifth (docs/NUMERICS.md; Barabasz et al., "Error
// Analysis and Improving the Accuracy of Winograd Convolution", 2020). All constants of B' and A' are exact in fp32.
//     B' = [ a2b2   0  -(a2+b2)   0   1  0 ]     A' = [ 1  1   1   1   1  0 ]
//          [  0  -ab2   -b2       a   1  0 ]          [ 0  a  -a   b  -b  0 ]
//          [  0   ab2   -b2      -a   1  0 ]          [ 0  a2  a2  b2  b2 0 ]
//          [  0  -a2b   -a2       b   1  0 ]          [ 0  a3 -a3  b3 -b3 1 ]
//          [  0   a2b   -a2      -b   1  0 ]
//          [  0  a2b2    0  -(a2+b2)  0  1 ]          (a2 = a squared, and so on)
//
// m = 2: the points 0, +-1 and infinity. Exact for whole numbers that fp32 holds.
//     B' = [ 1  0 -1  0 ]     A' = [ 1  1  1  0 ]     G = [  1    0    0  ]
//          [ 0  1  1  0 ]          [ 0  1 -1  1 ]         [ 1/2  1/2  1/2 ]
//          [ 0 -1  1  0 ]                                 [ 1/2 -1/2  1/2 ]
//          [ 0 -1  0  1 ]                                 [  0    0    1  ]
#include "kernel/cpu/isa/activate.h"
#include "kernel/cpu/isa/isa.h"

#define PA 0.625f
#define PB 1.5f
#define A2 (PA * PA)
#define B2 (PB * PB)
#define A3 (PA * PA * PA)
#define B3 (PB * PB * PB)

enum { MOST = WINOGRAD_MAX_TILE, MOST_SIDE = MOST + 2 }; // sides of the largest tile, outputs and inputs

// One column of B' d: m + 2 inputs d[0], d[step] ... to as many values out[0], out[out_step] ...
INLINE void input_transform(const int m, const vf *d, const int step, vf *out, const int out_step) {
    vf d0 = d[0], d1 = d[step], d2 = d[2 * step], d3 = d[3 * step];
    if (m == 2) {
        out[0] = d0 - d2, out[out_step] = d1 + d2;
        out[2 * out_step] = d2 - d1, out[3 * out_step] = d3 - d1;
        return;
    }
    vf d4 = d[4 * step], d5 = d[5 * step];
    out[0] = vfma(vset1(A2 * B2), d0, vfnma(vset1(A2 + B2), d2, d4));
    vf even = vfnma(vset1(B2), d2, d4), odd = vfnma(vset1(B2), d1, d3);
    out[out_step] = vfma(vset1(PA), odd, even);
    out[2 * out_step] = vfnma(vset1(PA), odd, even);
    even = vfnma(vset1(A2), d2, d4), odd = vfnma(vset1(A2), d1, d3);
    out[3 * out_step] = vfma(vset1(PB), odd, even);
    out[4 * out_step] = vfnma(vset1(PB), odd, even);
    out[5 * out_step] = vfma(vset1(A2 * B2), d1, vfnma(vset1(A2 + B2), d3, d5));
}
// One column of A' s: m + 2 sums to m outputs.
INLINE void output_transform(const int m, const vf *s, const int step, vf *out, const int out_step) {
    vf a = s[step] + s[2 * step], b = s[step] - s[2 * step];
    if (m == 2) {
        out[0] = s[0] + a, out[out_step] = b + s[3 * step];
        return;
    }
    vf c = s[3 * step] + s[4 * step], d = s[3 * step] - s[4 * step];
    out[0] = s[0] + a + c;
    out[out_step] = vfma(vset1(PA), b, vset1(PB) * d);
    out[2 * out_step] = vfma(vset1(A2), a, vset1(B2) * c);
    out[3 * out_step] = vfma(vset1(A3), b, vfma(vset1(B3), d, s[5 * step]));
}

// Rows that lie a step apart: every third by a pointer, the others by index. `first` may be NULL for rows that nobody
// reads.
typedef struct Rows {
    const char *third[(MOST_SIDE + 2) / 3];
    int64_t step; // bytes
} Rows;
INLINE Rows rows_at(const int count, const float *first, int64_t step) {
    Rows rows = {.step = step * 4};
    UNROLL for (int i = 0; i < count; i += 3) {
        rows.third[i / 3] = (const char *)((uintptr_t)first + (uintptr_t)(i * rows.step));
        HIDE(rows.third[i / 3]);
    }
    return rows;
}
INLINE float *row_of(const Rows *rows, int i) { return (float *)(rows->third[i / 3] + i % 3 * rows->step); }

// The transforms are loops, over columns first and then over rows, with values between them on the stack: unrolled as a
// whole they take twice as many instructions, addresses and copies of registers, which then are the limit.
enum { RUN = 4, RUN_COLUMNS = MOST * RUN + 2 }; // tiles that share their columns

// `tiles` <= RUN consecutive tiles of one channel block. Neighbours share two columns, which are transformed once.
INLINE void input_run(const int m, const float *from, int64_t in_row, const float *next, int tiles, float *to,
                      int64_t v_tile, int64_t v_plane) {
    const int side = m + 2;
    vf x[MOST_SIDE * RUN_COLUMNS], d[MOST_SIDE];
    Rows rows = rows_at(side, from, in_row), ahead = rows_at(side, next, in_row);
    KEEP_LOOP for (int j = 0; j < m * tiles + 2; j++) {
        UNROLL for (int i = 0; i < side; i++) d[i] = vload(row_of(&rows, i) + j * VL);
        input_transform(m, d, 1, x + j, RUN_COLUMNS);
        if (j % (16 / VL)) continue;
        UNROLL for (int i = 0; i < side; i++) __builtin_prefetch(row_of(&ahead, i) + j * VL, 0, 2);
    }
    for (int t = 0; t < tiles; t++) {
        float *plane = to + t * v_tile;
        KEEP_LOOP for (int i = 0; i < side; i++) {
            vf y[MOST_SIDE];
            input_transform(m, x + RUN_COLUMNS * i + m * t, 1, y, 1);
            Rows planes = rows_at(side, plane, v_plane);
            UNROLL for (int j = 0; j < side; j++) vstore(row_of(&planes, j), y[j]);
            plane += side * v_plane;
        }
    }
}
INLINE void input_loop(const int m, const float *in, int64_t in_row, int64_t in_block, int tiles, int blocks, float *v,
                       int64_t v_tile, int64_t v_plane) {
    enum { TOGETHER = 16 / VL }; // channel blocks that fill a cache line of v
    for (int block0 = 0; block0 < blocks; block0 += TOGETHER)
        for (int t = 0; t < tiles; t += RUN)
            for (int block = block0; block < blocks && block < block0 + TOGETHER; block++) {
                const float *from = in + block * in_block + (m * t - 1) * VL - in_row;
                input_run(m, from, in_row, from + TOGETHER * in_block, tiles - t < RUN ? tiles - t : RUN,
                          v + t * v_tile + block * VL, v_tile, v_plane);
            }
}

INLINE vf max_of_4(vf a, vf b, vf c, vf d) { return larger(larger(a, b), larger(c, d)); }

// One tile of one channel block: mxm finished outputs, and their 2x2 maxima where pooled is not NULL. The sums before
// bias and function are added to *all, which an infinity or NaN among the products does not leave finite.
INLINE void finish_tile(const int m, const Function function, const float *sums, int64_t m_plane, vf bias, vf alpha,
                        vf beta, const float *residual, int64_t residual_row, float *out, int64_t out_row,
                        float *pooled, int64_t pooled_row, vf *all) {
    const int side = m + 2;
    vf x[MOST_SIDE * MOST], row[MOST_SIDE];
    KEEP_LOOP for (int i = 0; i < side; i++) {
        Rows planes = rows_at(side, sums, m_plane);
        UNROLL for (int j = 0; j < side; j++) row[j] = vload(row_of(&planes, j));
        output_transform(m, row, 1, x + m * i, 1);
        sums += side * m_plane;
    }
    Rows rows = rows_at(m, out, out_row), rest = rows_at(m, residual, residual_row);
    KEEP_LOOP for (int j = 0; j < m; j += 2) {
        vf y[2][MOST];
        UNROLL for (int k = 0; k < 2; k++) {
            output_transform(m, x + j + k, m, y[k], 1);
            *all += m == 2 ? y[k][0] + y[k][1] : (y[k][0] + y[k][1]) + (y[k][2] + y[k][3]);
            UNROLL for (int i = 0; i < m; i++) {
                vf z = y[k][i] + bias;
                if (residual) z += vload(row_of(&rest, i) + (j + k) * VL);
                y[k][i] = activate(function, alpha, beta, z);
                vstore(row_of(&rows, i) + (j + k) * VL, y[k][i]);
            }
        }
        if (pooled)
            UNROLL for (int i = 0; i < m; i += 2)
                vstore(pooled + i / 2 * pooled_row + j / 2 * VL, max_of_4(y[0][i], y[1][i], y[0][i + 1], y[1][i + 1]));
    }
}

// 2x2 maxima of the first `rows` rows and `columns` pixels of a tile; what is left over is dropped.
INLINE void pool_tile(const int m, const vf *y, int rows, int64_t columns, float *pooled, int64_t pooled_row) {
    UNROLL for (int i = 0; i + 2 <= m; i += 2) UNROLL for (int j = 0; j + 2 <= m; j += 2) {
        if (i + 2 > rows || j + 2 > columns) continue;
        vstore(pooled + i / 2 * pooled_row + j / 2 * VL,
               max_of_4(y[m * i + j], y[m * i + j + 1], y[m * (i + 1) + j], y[m * (i + 1) + j + 1]));
    }
}
INLINE bool output_loop(const int m, const Function function, const float *sums, int64_t m_tile, int64_t m_plane,
                        int tiles, int blocks, int valid_rows, int64_t valid_pixels, const Epilogue *epilogue,
                        const float *residual, int64_t residual_row, int64_t residual_block, float *out,
                        int64_t out_row, int64_t out_block, float *pooled, int64_t pooled_row, int64_t pooled_block) {
    vf alpha = vset1(epilogue->activation.alpha), beta = vset1(epilogue->activation.beta), all = vzero();
    for (int block = 0; block < blocks; block++) {
        vf bias = epilogue->bias ? vload(epilogue->bias + block * VL) : vzero();
        for (int t = 0; t < tiles; t++) {
            const int64_t left = m * t, columns = valid_pixels - left < m ? valid_pixels - left : m;
            const float *tile = sums + t * m_tile + block * VL;
            float *to = out + block * out_block + left * VL;
            const float *rest = residual ? residual + block * residual_block + left * VL : NULL;
            float *small = pooled ? pooled + block * pooled_block + left / 2 * VL : NULL;
            if (valid_rows == m && columns == m) {
                finish_tile(m, function, tile, m_plane, bias, alpha, beta, rest, residual_row, to, out_row, small,
                            pooled_row, &all);
                continue;
            }
            // A cut tile cannot read its residual beyond the picture: it is added when the rows are written.
            vf y[MOST * MOST] = {{0}};
            finish_tile(m, FN_NONE, tile, m_plane, bias, alpha, beta, NULL, 0, (float *)y, m * VL, NULL, 0, &all);
            for (int i = 0; i < valid_rows; i++)
                for (int j = 0; j < columns; j++) {
                    vf z = y[m * i + j];
                    if (rest) z += vload(rest + i * residual_row + j * VL);
                    y[m * i + j] = activate(function, alpha, beta, z);
                    vstore(to + i * out_row + j * VL, y[m * i + j]);
                }
            if (small) pool_tile(m, y, valid_rows, columns, small, pooled_row);
        }
    }
    return vfinite(all);
}
// 2x2 maxima of finished rows of a block, scaled where the epilogue says so (kernel.h), into the pooled copy.
static void pool_rows(const Epilogue *epilogue, int block, int rows, int64_t pixels, const float *from,
                      int64_t from_row, float *pooled, int64_t pooled_row) {
    const bool scaled = epilogue->pool_scale != NULL;
    const vf scale = scaled ? vload(epilogue->pool_scale + block * VL) : vzero();
    const vf shift = scaled ? vload(epilogue->pool_shift + block * VL) : vzero();
    for (int i = 0; i + 2 <= rows; i += 2)
        for (int64_t p = 0; p + 2 <= pixels; p += 2) {
            const float *a = from + i * from_row + p * VL, *b = a + from_row;
            vf y[4] = {vload(a), vload(a + VL), vload(b), vload(b + VL)};
            UNROLL for (int k = 0; k < 4; k++) y[k] = scaled ? vfma(y[k], scale, shift) : y[k];
            vf most = max_of_4(y[0], y[1], y[2], y[3]);
            vstore(pooled + i / 2 * pooled_row + p / 2 * VL,
                   scaled ? activate_as(epilogue->pool_activation, most) : most);
        }
}
INLINE bool output_cheap(const int m, const float *sums, int64_t m_tile, int64_t m_plane, int tiles, int blocks,
                         int valid_rows, int64_t valid_pixels, const Epilogue *epilogue, const float *residual,
                         int64_t residual_row, int64_t residual_block, float *out, int64_t out_row, int64_t out_block,
                         float *pooled, int64_t pooled_row, int64_t pooled_block) {
#define OUTPUT(function)                                                                                               \
    output_loop(m, function, sums, m_tile, m_plane, tiles, blocks, valid_rows, valid_pixels, epilogue, residual,       \
                residual_row, residual_block, out, out_row, out_block, pooled, pooled_row, pooled_block)
    switch (epilogue->activation.function) {
    case FN_RELU: return OUTPUT(FN_RELU);
    case FN_LEAKY_RELU: return OUTPUT(FN_LEAKY_RELU);
    case FN_CLIP: return OUTPUT(FN_CLIP);
    default: return OUTPUT(FN_NONE);
    }
}
// A pooled copy of scaled values, and functions that are not cheap: over each block's finished rows once more, while
// they are in L1.
static void output_more(const int m, const Epilogue *epilogue, int block, int tiles, int valid_rows,
                        int64_t valid_pixels, float *out, int64_t out_row, float *pooled, int64_t pooled_row) {
    const int64_t pixels = valid_pixels < m * tiles ? valid_pixels : m * tiles;
    if (epilogue->activation.function > FN_CLIP)
        for (int i = 0; i < valid_rows; i++)
            KERNEL(unary)(epilogue->activation, out + i * out_row, out + i * out_row, pixels * VL);
    if (pooled) pool_rows(epilogue, block, valid_rows, pixels, out, out_row, pooled, pooled_row);
}
INLINE bool output_any(const int m, const float *sums, int64_t m_tile, int64_t m_plane, int tiles, int blocks,
                       int valid_rows, int64_t valid_pixels, const Epilogue *epilogue, const float *residual,
                       int64_t residual_row, int64_t residual_block, float *out, int64_t out_row, int64_t out_block,
                       float *pooled, int64_t pooled_row, int64_t pooled_block) {
    const bool more = epilogue->activation.function > FN_CLIP || epilogue->pool_scale;
    bool finite = true;
    for (int block = 0; block < blocks; block += more ? 1 : blocks) {
        const Epilogue here = {.bias = epilogue->bias ? epilogue->bias + block * VL : NULL,
                               .activation = epilogue->activation};
        float *to = out + block * out_block, *small = pooled ? pooled + block * pooled_block : NULL;
        finite &= output_cheap(m, sums + block * VL, m_tile, m_plane, tiles, more ? 1 : blocks, valid_rows,
                               valid_pixels, &here, residual ? residual + block * residual_block : NULL, residual_row,
                               residual_block, to, out_row, out_block, more ? NULL : small, pooled_row, pooled_block);
        if (more) output_more(m, epilogue, block, tiles, valid_rows, valid_pixels, to, out_row, small, pooled_row);
    }
    return finite;
}
// One column of G g: three weights to m + 2. G's rows: (1, x, x^2) / product over the other finite points y of (x - y).
INLINE void weight_transform(const int m, vf a, vf b, vf c, vf *out, const int step) {
    if (m == 2) {
        vf even = (a + c) * vset1(0.5f), odd = b * vset1(0.5f);
        out[0] = a, out[step] = even + odd, out[2 * step] = even - odd, out[3 * step] = c;
        return;
    }
    const float fa = (float)(1 / (2.0 * A2 * (A2 - B2))), fb = (float)(1 / (2.0 * B2 * (B2 - A2)));
    out[0] = a * vset1((float)(1 / (1.0 * A2 * B2)));
    vf even = vfma(vset1(A2), c, a) * vset1(fa), odd = b * vset1((float)(PA / (2.0 * A2 * (A2 - B2))));
    out[step] = even + odd;
    out[2 * step] = even - odd;
    even = vfma(vset1(B2), c, a) * vset1(fb), odd = b * vset1((float)(PB / (2.0 * B2 * (B2 - A2))));
    out[3 * step] = even + odd;
    out[4 * step] = even - odd;
    out[5 * step] = c;
}
INLINE void weights_loop(const int m, const float *g, int channels, int vectors, float *u, int64_t u_plane) {
    const int side = m + 2;
    for (int c = 0; c < channels; c++)
        for (int j = 0; j < vectors; j++) {
            const float *from = g + (c * 9 * vectors + j) * VL;
            float *to = u + (c * vectors + j) * VL;
            vf x[MOST_SIDE * 3], y[MOST_SIDE];
            UNROLL for (int i = 0; i < 3; i++)
                weight_transform(m, vload(from + i * vectors * VL), vload(from + (3 + i) * vectors * VL),
                                 vload(from + (6 + i) * vectors * VL), x + i, 3);
            UNROLL for (int i = 0; i < side; i++) {
                weight_transform(m, x[3 * i], x[3 * i + 1], x[3 * i + 2], y, 1);
                UNROLL for (int k = 0; k < side; k++) vstore(to + (side * i + k) * u_plane, y[k]);
            }
        }
}

// The three kernels of one tile size.
#define TILE_KERNELS(m)                                                                                                \
    static void input_##m(const float *in, int64_t in_row, int64_t in_block, int tiles, int blocks, float *v,          \
                          int64_t v_tile, int64_t v_plane) {                                                           \
        input_loop(m, in, in_row, in_block, tiles, blocks, v, v_tile, v_plane);                                        \
    }                                                                                                                  \
    static void weights_##m(const float *g, int channels, int vectors, float *u, int64_t u_plane) {                    \
        weights_loop(m, g, channels, vectors, u, u_plane);                                                             \
    }                                                                                                                  \
    static bool output_##m(const float *sums, int64_t m_tile, int64_t m_plane, int tiles, int blocks, int valid_rows,  \
                           int64_t valid_pixels, const Epilogue *epilogue, const float *residual,                      \
                           int64_t residual_row, int64_t residual_block, float *out, int64_t out_row,                  \
                           int64_t out_block, float *pooled, int64_t pooled_row, int64_t pooled_block) {               \
        return output_any(m, sums, m_tile, m_plane, tiles, blocks, valid_rows, valid_pixels, epilogue, residual,       \
                          residual_row, residual_block, out, out_row, out_block, pooled, pooled_row, pooled_block);    \
    }
TILE_KERNELS(2)
TILE_KERNELS(4)

void KERNEL(fill_winograd)(Kernels *kernels) {
    kernels->winograd[2] = (WinogradKernels){input_2, weights_2, output_2};
    kernels->winograd[4] = (WinogradKernels){input_4, weights_4, output_4};
}

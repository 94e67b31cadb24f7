// Kernels: the innermost code, one descriptor per instruction set, filled by the files in cpu/isa/, each of which is
// compiled once per set. Kernels know vectors and strides and nothing of graphs. All strides are in floats unless
// a comment says otherwise; no kernel needs alignment beyond that of float, except where stated.
#pragma once
#include "machine/machine.h"
#include "tensor/function.h"
#include <math.h>
#include <stdbool.h>
#include <stddef.h>

enum { GEMM_MAX_ROWS = 14, GEMM_MAX_VECTORS = 2, NARROW_OUTS = 4 };

// Batch-reduce GEMM micro-kernel: for r < rows, j < vectors * lanes
//     c[r * ldc + j] (+)= sum over b < batch, k < depth of a[a_offset[b] + r * lda + k] * w[(b * depth + k) * vectors *
//     lanes + j]
// rows and vectors are fixed by the entry. accumulate: add to c instead of overwriting. Sums run in order of b and k
// in fp32 (one rounding per multiply-add where the set has FMA). w and c aligned to a vector.
// prefetch: NULL, or w-sized memory that will be read next, fetched towards L2 as the kernel goes; may be any readable
// or unreadable address (prefetches do not fault). A fetch takes the place of a load: with AVX2 7 % of the time.
typedef void GemmKernel(int64_t batch, const int32_t *a_offset, const float *a, int64_t lda, const float *w,
                        int64_t depth, float *c, int64_t ldc, int accumulate, const char *prefetch);
// An activation that is a pair of bounds: NONE, RELU, CLIP. False for others, whose bounds are those of NONE. A value
// that is NaN stays so between them.
static inline bool activation_bounds(Activation activation, float *least, float *most) {
    const bool clips = activation.function == FN_CLIP, rectifies = activation.function == FN_RELU;
    *least = clips ? activation.alpha : rectifies ? 0 : -INFINITY;
    *most = clips ? activation.beta : INFINITY;
    return clips || rectifies || activation.function == FN_NONE;
}
// The last products of an output, and its epilogue while the sums are in registers: what GemmKernel adds up to `sums`
// (NULL: to 0), bias, residual, bounds, to out[block j][row]. The bits of GemmKernel and then `finish`.
typedef struct GemmFinish {
    const float *sums; // of earlier products, ldc floats from row to row; or NULL
    int64_t ldc;
    const float *bias;     // vectors * lanes, or NULL
    float least, most;     // the activation: -INFINITY, INFINITY without one
    const float *residual; // lies like out; or NULL
    int64_t residual_block, residual_row, out_block, out_row;
    float *out;
} GemmFinish;
typedef void GemmFinishKernel(int64_t batch, const int32_t *a_offset, const float *a, int64_t lda, const float *w,
                              int64_t depth, const GemmFinish *finish, const char *prefetch);
// The same bits for several panels of w and the same rows of a, where it costs more than a load to bring one value into
// all lanes: GemmKeepKernel also writes the values of a in all lanes, kept[batch * depth][rows][lanes];
// GemmKeptKernel reads them there, depth being batch * depth of the other.
enum { KEEP_MAX_ROWS = 6, KEEP_MAX_LANES = 4 };
typedef void GemmKeepKernel(int64_t batch, const int32_t *a_offset, const float *a, int64_t lda, const float *w,
                            int64_t depth, float *c, int64_t ldc, int accumulate, const char *prefetch, float *kept);
typedef void GemmKeptKernel(const float *kept, const float *w, int64_t depth, float *c, int64_t ldc, int accumulate,
                            const char *prefetch);

// What happens to a finished row of sums on its way to memory.
typedef struct Epilogue {
    const float *bias; // `lanes` a block, or NULL
    Activation activation;
    // The pooled copy is that of the output, or with a scale (NULL, or `lanes` a block as shift) of
    // pool_activation(output * scale + shift): NONE, RELU, CLIP, or LEAKY_RELU with alpha >= 0, which may as well come
    // behind the maximum.
    const float *pool_scale, *pool_shift;
    Activation pool_activation;
} Epilogue;

// Winograd F(m x m, 3x3): transforms of tiles of m x m outputs, (m+2) x (m+2) inputs and as many products. See
// winograd.c for the matrices, the points and the error.
enum { WINOGRAD_MAX_TILE = 4 };
typedef struct WinogradKernels {
    // tiles consecutive tiles of one tile row: reads rows -1..m and pixels -1..m of each tile, for `blocks` channel
    // blocks; writes v[q * v_plane + t * v_tile + block * lanes].
    void (*input)(const float *in, int64_t in_row, int64_t in_block, int tiles, int blocks, float *v, int64_t v_tile,
                  int64_t v_plane);
    // Plain 3x3 weights g[c][tap][vectors * lanes] to u[q * u_plane + (c * vectors + j) * lanes], in fp32.
    void (*weights)(const float *g, int channels, int vectors, float *u, int64_t u_plane);
    // Sums of the products, sums[q * m_plane + t * m_tile + block * lanes], to m x m outputs (only `valid_rows` rows
    // and `valid_pixels` pixels counted from the first tile's left edge are written) plus bias, residual, activation;
    // pooled: NULL or the 2x2 max-pooled copy (valid_rows, valid_pixels even then). False: a sum was not
    // finite.
    bool (*output)(const float *sums, int64_t m_tile, int64_t m_plane, int tiles, int blocks, int valid_rows,
                   int64_t valid_pixels, const Epilogue *epilogue, const float *residual, int64_t residual_row,
                   int64_t residual_block, float *out, int64_t out_row, int64_t out_block, float *pooled,
                   int64_t pooled_row, int64_t pooled_block);
} WinogradKernels;

// One side of a binary operation over pixels of `lanes` channels.
typedef struct PixelOperand {
    const float *data;
    int64_t step; // floats from pixel to pixel; 0: the same pixel for all
    bool splat;   // lane 0 stands for all lanes
} PixelOperand;

// AMX: pixels of 32 channels as bf16 parts, 64 bytes a pixel and part (kernel/cpu/amx/amx.c has the sums and their
// error). Steps and offsets in bytes.
enum { AMX_TILE_PIXELS = 16, AMX_CHANNELS = 32, AMX_MAX_TILES = 4, AMX_MAX_PARTS = 3, AMX_PIXEL_BYTES = 64 };
static inline int amx_tiles(int vectors) { return AMX_MAX_TILES / vectors; } // most of a kernel: four chains of sums
typedef struct AmxPixels {
    int64_t pixel; // from one pixel of a tile to the next
    int64_t tile;  // from the first tile to the second
    int64_t part;  // from one part of the values to the next
    int64_t block; // from 32 channels to the next 32
    int taps;
    const int32_t *offset; // (taps) from an output pixel's first input pixel
} AmxPixels;
// What a kernel does beside its products, once a tap, for as long as there is any.
typedef struct AmxPace {
    void (*step)(void *context); // a piece of other work, of which `steps` are left; must not touch tiles
    void *context;
    int steps;
    int rest; // after so many taps a tile is stored to nowhere
} AmxPace;
// c[t * 16 + i][j * 16 + l] = sum over b < blocks, t < taps, 32 channels of pixels x weights, for tiles x 16 pixels and
// vectors x 16 output channels (fixed by the entry), ldc floats from pixel to pixel. w: [block][tap][part][vector]
// [16 pairs of channels][16 output channels][2] bf16, one stream. Between amx_begin and amx_end of the same thread.
// go_on: the sums begin with what c has, as if the blocks before these were part of the call.
// pace: NULL, or what goes between the products; steps that are left were not had time for.
typedef void AmxKernel(const AmxPixels *a, const char *from, int64_t blocks, const char *w, float *c, int64_t ldc,
                       bool go_on, AmxPace *pace);

typedef struct Kernels Kernels;
struct Kernels {
    Isa isa;
    int lanes;             // floats in a vector = channels in a block
    int rows;              // most rows of a GEMM micro-kernel
    double flop_per_cycle; // peak of one core that takes whole vectors at a time

    GemmKernel *gemm[GEMM_MAX_VECTORS + 1][GEMM_MAX_ROWS + 1]; // [vectors][rows]
    GemmFinishKernel *gemm_finish[GEMM_MAX_VECTORS + 1][GEMM_MAX_ROWS + 1];
    // NULL where they would gain nothing.
    GemmKeepKernel *gemm_keep[GEMM_MAX_VECTORS + 1][GEMM_MAX_ROWS + 1];
    GemmKeptKernel *gemm_kept[GEMM_MAX_VECTORS + 1][GEMM_MAX_ROWS + 1];

    // out[block j][pixel p] = activation(sums[p * ld + j * lanes] + bias[j] + residual), p < pixels, j < vectors.
    // residual may be NULL; it lies like out. out_block and out_pixel are strides. False: a sum was not finite.
    bool (*finish)(const float *sums, int64_t ld, int pixels, int vectors, const Epilogue *epilogue,
                   const float *residual, int64_t residual_block, int64_t residual_pixel, float *out, int64_t out_block,
                   int64_t out_pixel);

    WinogradKernels winograd[WINOGRAD_MAX_TILE + 1]; // [m]: 2 and 4

    // Depthwise: one row of `pixels` outputs of one channel block: sums over taps t of in[p * in_pixel + offset[t]]
    // times w[t * lanes], then finish.
    void (*depthwise)(const float *in, int64_t in_pixel, const int32_t *offset, int taps, const float *w, int pixels,
                      const Epilogue *epilogue, const float *residual, int64_t residual_pixel, float *out,
                      int64_t out_pixel);

    // Few output channels (outs of 1 .. NARROW_OUTS) of a row of pixels: out[o * out_plane + p] = sum over b < blocks and
    // lanes l of in[b * in_block + p * lanes + l] * w[(o * blocks + b) * lanes + l].
    void (*narrow)(const float *in, int64_t in_block, int blocks, const float *w, int outs, int pixels, float *out,
                   int64_t out_plane);

    // One row between plain planes and a channel block: plain[c * plane + x] <-> blocked[x * block + c], c < channels.
    // to_blocked fills lanes from `channels` to `block` with zero.
    void (*to_blocked)(const float *plain, int64_t plane, int channels, int block, int64_t pixels, float *blocked);
    void (*to_plain)(const float *blocked, int block, int channels, int64_t pixels, float *plain, int64_t plane);
    // to[p * to_step + c] = from[p * from_step + c], p < pixels, c < channels (at most `lanes`); 0, channels <= c <
    // filled.
    void (*copy_pixels)(const float *from, int64_t from_step, int channels, int filled, float *to, int64_t to_step,
                        int64_t pixels);
    // to[c * to_step + r] = from[r * from_step + c], r < rows, c < columns; bits are kept, whatever they stand for.
    void (*transpose)(const float *from, int64_t from_step, int64_t rows, int64_t columns, float *to, int64_t to_step);

    // Elementwise over `count` consecutive floats; in may be out. Error bounds: elementwise.c.
    void (*unary)(Activation function, const float *in, float *out, int64_t count);
    // out[i] = a[i * a_step] op b[i * b_step]; steps 0 (one value) or 1. a of step 1 may be out.
    void (*binary)(Binary binary, const float *a, int a_step, const float *b, int b_step, float *out, int64_t count);
    // out[i] = 1 where a[i * a_step] relation b[i * b_step] (EQUAL, LESS, LESS_OR_EQUAL), else 0; steps 0 or 1.
    void (*compare)(Logic relation, const float *a, int a_step, const float *b, int b_step, uint8_t *out,
                    int64_t count);
    // out[i] = a[i * a_step] op b[i * b_step] of truth values (AND, OR, XOR; NOT of a alone), 1 or 0; steps 0 or 1.
    void (*logic)(Logic op, const uint8_t *a, int a_step, const uint8_t *b, int b_step, uint8_t *out, int64_t count);
    // out[i] = condition[i * step] ? a[i * a_step] : b[i * b_step], bit for bit; steps 0 or 1.
    void (*choose)(const uint8_t *condition, int step, const float *a, int a_step, const float *b, int b_step,
                   float *out, int64_t count);
    // As binary for `pixels` pixels of `lanes` channels; a of step `lanes`, not splat, may be out.
    void (*binary_pixels)(Binary binary, PixelOperand a, PixelOperand b, float *out, int64_t pixels);
    // out[p][l] = (in[p][l] - centre[l]) * scale[l] + shift[l], then the function. centre may be NULL: 0; in may be
    // out.
    void (*affine)(const float *in, const float *centre, const float *scale, const float *shift, Activation activation,
                   float *out, int64_t pixels);
    // Pooling of one output row of one channel block. For output pixel p the window covers input pixels
    // first[p] .. first[p] + dilation * (count[p] - 1) of each of `rows` row pointers' offsets (floats). Maximum: NaN
    // wins, an empty window gives -inf. Sum: divided by divisor[p].
    void (*pool_max)(const float *in, const int64_t *row_offset, int rows, const int32_t *first, const int32_t *count,
                     int64_t dilation_pixels, int pixels, float *out);
    void (*pool_sum)(const float *in, const int64_t *row_offset, int rows, const int32_t *first, const int32_t *count,
                     int64_t dilation_pixels, const float *divisor, int pixels, float *out);
    // One output row of one channel block of a separable resize: `rows` input rows of in_pixels pixels at row_offset
    // with row_weight, then `taps` pixels an output pixel with index and weight (taps 0: the row stays as wide as it
    // is). scratch: in_pixels pixels.
    void (*resize_row)(const float *in, const int64_t *row_offset, const float *row_weight, int rows, int64_t in_pixels,
                       const int32_t *index, const float *weight, int taps, int pixels, float *scratch, float *out);
    // out[p] = sum over t < taps, in this order, of plane[offset[t * step + p]] * weight[t * step + p], p < pixels.
    void (*gather_sum)(const float *plane, const int32_t *offset, const float *weight, int taps, int step, int pixels,
                       float *out);
    // Sum of differences from `shift` and of their squares over `pixels` pixels per lane; added to sum and squares. In
    // double over runs of pixels, in fp32 within a run (norm.c has the error).
    void (*lane_sums)(const float *in, int64_t pixels, const float *shift, double *sum, double *squares);
    // A row of `length` consecutive values to mean 0 and variance 1, times scale[i] plus shift[i] (each may be NULL).
    void (*layer_norm)(const float *in, int64_t length, const float *scale, const float *shift, double epsilon,
                       float *out);
    // Softmax (or its logarithm) of `length` consecutive values; of `width` adjacent columns whose `length` values lie
    // `step` apart. in may be out.
    void (*softmax_row)(bool log_softmax, const float *in, int64_t length, float *out);
    void (*softmax_columns)(bool log_softmax, const float *in, int64_t length, int64_t step, int64_t width, float *out);

    // ISA_AMX only, else NULL. amx_begin: the calling thread's tiles get their shape; amx_end: they are given back.
    void (*amx_begin)(void);
    void (*amx_end)(void);
    AmxKernel *amx[AMX_MAX_PARTS + 1][AMX_MAX_TILES + 1][GEMM_MAX_VECTORS + 1]; // [parts][tiles][vectors], tiles up to amx_tiles
    // Pixels of two channel blocks (second may be NULL: zeros) to bf16 parts, part k at out + k * out_part bytes.
    // Pixels of the parts lie out_pixel bytes apart. Returns the bits of the largest magnitude seen (of NaN and
    // infinity too).
    uint32_t (*amx_split)(int parts, const float *in, const float *second, int64_t pixels, char *out, int64_t out_part,
                          int64_t out_pixel);
    // Pixels of 32 bf16 values to two channel blocks.
    void (*amx_join)(const char *in, int64_t pixels, float *first, float *second);
    // Three parts, cut off: row r of plane q of 16 floats at low + q * in_plane + r * in_row and 16 at high (may be
    // NULL: zeros) to 16 pairs (low, high), 64 bytes at out + q * out_plane + r * 64, part k out_part bytes further on.
    // Returns the upper half of the bits of the largest magnitude seen.
    uint32_t (*amx_cut)(const float *low, const float *high, int64_t in_row, int64_t in_plane, int planes, int rows,
                        char *out, int64_t out_plane, int64_t out_part);
};

// The kernels of a level, or NULL when this build or this machine has none for it. Immutable.
const Kernels *kernels_for(Isa isa);
// In how many parts this machine's units take a vector: 1, 2 or 4.
static inline double kernels_parts(const Kernels *kernels, const Machine *machine) {
    const double bytes = (double)sizeof(float) * kernels->lanes, unit = machine->vector_bytes;
    return unit > 0 && unit < bytes ? bytes / unit : 1;
}
// Peak of one of its cores, FLOP a cycle.
static inline double kernels_peak(const Kernels *kernels, const Machine *machine) {
    return kernels->flop_per_cycle / kernels_parts(kernels, machine);
}

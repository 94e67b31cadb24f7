// What the solvers by Winograd share: tiles of a 3x3 or kx3x3 convolution of stride 1, their way in and their way out.
//
// Volumes: height and width are transformed, the k taps along the depth are summed between the transforms. Dilated:
// pixels whose coordinates agree modulo the dilation are an image of their own, a phase, with neighbours next to each
// other. Tiles are those of all phases; their pixels are brought together before the transform and taken apart behind
// it (gather), without a border.
#pragma once
#include "solver/conv.h"

enum { WINOGRAD_TAPS = 9, WINOGRAD_MOST_DEPTH = 7 };

typedef struct WinogradTiles {
    Problem problem;
    const Kernels *kernels;
    int tile, q; // m of F(m,3), and the number of products
    int taps_d;
    Ref in, out, pooled, residual, bias, pool_factors;
    int64_t phases_h, phases_w;      // 1 without dilation
    int64_t tiles_h, tiles_w, tiles; // of one phase; tiles: of one slice of all phases of all images
    int64_t slices;                  // of the output; the input has taps_d - 1 more, with its border
    int64_t channels, out_channels;  // rounded up to blocks
} WinogradTiles;

// Tiles [t0, t0 + tiles) of each of the slices [z0, z0 + slices), slice by slice.
typedef struct Box {
    int64_t t0, tiles, z0, slices;
} Box;

// Whether the problem has such tiles; then the forms that they need.
bool winograd_applicable(const Problem *problem, const Kernels *kernels, Need *need);
// Geometry of F(tile,3); without Refs.
WinogradTiles winograd_tiles(const Problem *problem, int tile, const Kernels *kernels);
// Refs of the operands, and of bias and pool factors, which are laid among the weights.
Status winograd_lower(WinogradTiles *tiles, Lowering *lowering);
// Multiply-adds in place of one of direct sums: F(m,3) takes (m + 2)^2 for 9 m^2.
static inline double winograd_products(int tile) { return (tile + 2.) * (tile + 2.) / (9. * tile * tile); }
bool winograd_is_dilated(const Problem *problem);

// Box number `unit` of those of `tiles_a_unit` tiles of `slices_a_unit` slices that the output is cut into; row `row`
// of tiles, counted over images and slices.
Box winograd_box(const WinogradTiles *tiles, int64_t unit, int64_t tiles_a_unit, int64_t slices_a_unit);
Box winograd_row(const WinogradTiles *tiles, int64_t row);
// The nine taps of one input channel and one tap of depth for `width` output channels from oc0 on: to (tap, width),
// zeros beyond.
void winograd_taps(const WinogradTiles *tiles, int64_t ic, int tap_d, int64_t oc0, int width, float *to);

// A box of the input with its border, channel blocks [b0, b0 + blocks), transformed: v[q * v_plane + t * v_tile +
// block * lanes], floats; v points at the box's first tile, block b0.
void winograd_input(const WinogradTiles *tiles, char *const *bases, const Box *box, int64_t b0, int64_t blocks,
                    float *v, int64_t v_tile, int64_t v_plane);
// Sums m[q * m_plane + t * m_tile + (block - b0) * lanes] of a box of the output, channel blocks [b0, b0 + blocks), to
// the output with all that is absorbed. Sums that are not finite are noted (run_note_lost).
void winograd_output(const WinogradTiles *tiles, char *const *bases, const Box *box, int64_t b0, int64_t blocks,
                     const float *m, int64_t m_tile, int64_t m_plane);

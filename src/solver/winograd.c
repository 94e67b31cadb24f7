#include "solver/winograd.h"
#include "solver/phase.h"

// Where tile t (over all images) lies: in the phase of the pixels py + k * dilation, px + k * dilation.
typedef struct TilePlace {
    int64_t n, py, px, ty, tx;
} TilePlace;
static TilePlace place(const WinogradTiles *w, int64_t t) {
    const int64_t image = t / (w->tiles_h * w->tiles_w), rest = image / w->phases_w;
    return (TilePlace){rest / w->phases_h, rest % w->phases_h, image % w->phases_w, t / w->tiles_w % w->tiles_h,
                       t % w->tiles_w};
}
bool winograd_is_dilated(const Problem *p) { return p->dilation[AXIS_H] > 1 || p->dilation[AXIS_W] > 1; }

enum { GATHER = 4, GATHER_ROWS = 6, GATHER_COLUMNS = 4 * GATHER + 2 }; // tiles at once, and what they read at most
enum { MOST_LANES = 16 };
typedef struct Gathered {
    float pixel[GATHER_ROWS][GATHER_COLUMNS][MOST_LANES] __attribute__((aligned(64)));
} Gathered;
// winograd_input of `run` <= GATHER tiles of a dilated convolution; slice: of block b0.
static void input_gathered(const WinogradTiles *w, const float *slice, const TilePlace *at, int64_t run, int64_t blocks,
                           float *v, int64_t v_tile, int64_t v_plane) {
    const Layout *l = &w->problem.in[0];
    const int64_t *pad = w->problem.pad_begin, *dilation = w->problem.dilation;
    const int lanes = w->kernels->lanes, rows = w->tile + 2, columns = w->tile * (int)run + 2;
    const int64_t y = at->py + dilation[AXIS_H] * w->tile * at->ty - pad[AXIS_H];
    const int64_t x = at->px + dilation[AXIS_W] * w->tile * at->tx - pad[AXIS_W];
    Gathered near;
    float *first = &near.pixel[0][0][0];
    for (int64_t b = 0; b < blocks; b++) {
        phase_gather(w->kernels, dilation, l, slice + b * l->stride_block, y, x, rows, columns, first);
        w->kernels->winograd[w->tile].input(first + (columns + 1) * lanes, (int64_t)columns * lanes, 0, (int)run, 1,
                                            v + b * lanes, v_tile, v_plane);
    }
}
// winograd_output of them. False: a sum was not finite.
static bool output_gathered(const WinogradTiles *w, char *const *bases, const TilePlace *at, int64_t z, int64_t run,
                            int64_t b0, int64_t blocks, const float *m, int64_t m_tile, int64_t m_plane) {
    const Problem *p = &w->problem;
    const Layout *out = &p->out[0], *rest = &p->in[1];
    const int64_t *dilation = p->dilation;
    const int lanes = w->kernels->lanes, tile = w->tile, columns = tile * (int)run;
    const int64_t y = at->py + dilation[AXIS_H] * tile * at->ty, x = at->px + dilation[AXIS_W] * tile * at->tx;
    const int valid_rows = (int)MIN(tile, div_up(MAX(out->size[AXIS_H] - y, 0), dilation[AXIS_H]));
    const int valid_columns = (int)MIN(columns, div_up(MAX(out->size[AXIS_W] - x, 0), dilation[AXIS_W]));
    Gathered sums, residual;
    bool finite = true;
    if (valid_rows < 1 || valid_columns < 1) return true; // of the last phases fewer pixels
    for (int64_t b = b0; b < b0 + blocks; b++) {
        const Epilogue epilogue = conv_epilogue(p, bases, w->bias, b, lanes);
        float *near = &sums.pixel[0][0][0], *near_rest = p->has_residual ? &residual.pixel[0][0][0] : NULL;
        if (near_rest)
            phase_gather(w->kernels, dilation, rest,
                         (const float *)ref_at(bases, w->residual) + at->n * rest->stride_n + b * rest->stride_block +
                             z * rest->stride[AXIS_D],
                         y, x, valid_rows, columns, near_rest);
        const int64_t row = (int64_t)columns * lanes;
        finite &=
            w->kernels->winograd[tile].output(m + (b - b0) * lanes, m_tile, m_plane, (int)run, 1, valid_rows,
                                              valid_columns, &epilogue, near_rest, row, 0, near, row, 0, NULL, 0, 0);
        phase_scatter(w->kernels, dilation, out, near, y, x, valid_rows, valid_columns, columns,
                      (float *)ref_at(bases, w->out) + at->n * out->stride_n + b * out->stride_block +
                          z * out->stride[AXIS_D]);
    }
    return finite;
}
void winograd_input(const WinogradTiles *w, char *const *bases, const Box *box, int64_t b0, int64_t blocks, float *v,
                    int64_t v_tile, int64_t v_plane) {
    const float *in = ref_at(bases, w->in);
    const Layout *l = &w->problem.in[0];
    const int64_t *pad = w->problem.pad_begin;
    const int lanes = w->kernels->lanes;
    for (int64_t done = 0; done < box->tiles * box->slices;) {
        const int64_t z = box->z0 + done / box->tiles, t = done % box->tiles;
        const TilePlace at = place(w, box->t0 + t);
        int64_t run = MIN(box->tiles - t, w->tiles_w - at.tx);
        const float *slice = in + at.n * l->stride_n + b0 * l->stride_block + (z - pad[AXIS_D]) * l->stride[AXIS_D];
        if (winograd_is_dilated(&w->problem)) {
            run = MIN(run, GATHER);
            input_gathered(w, slice, &at, run, blocks, v + done * v_tile, v_tile, v_plane);
            done += run;
            continue;
        }
        const float *from = slice + (w->tile * at.ty + 1 - pad[AXIS_H]) * l->stride[AXIS_H] +
                            (w->tile * at.tx + 1 - pad[AXIS_W]) * lanes;
        w->kernels->winograd[w->tile].input(from, l->stride[AXIS_H], l->stride_block, (int)run, (int)blocks,
                                            v + done * v_tile, v_tile, v_plane);
        done += run;
    }
}
void winograd_output(const WinogradTiles *w, char *const *bases, const Box *box, int64_t b0, int64_t blocks,
                     const float *m, int64_t m_tile, int64_t m_plane) {
    const Problem *p = &w->problem;
    const Layout *out = &p->out[0], *small = &p->out[1], *rest = &p->in[1];
    const int lanes = w->kernels->lanes, tile = w->tile;
    Epilogue epilogue = conv_epilogue(p, bases, w->bias, b0, lanes);
    conv_pool_epilogue(p, bases, w->pool_factors, b0, lanes, &epilogue);
    for (int64_t done = 0; done < box->tiles * box->slices;) {
        const int64_t z = box->z0 + done / box->tiles, t = done % box->tiles;
        const TilePlace at = place(w, box->t0 + t);
        int64_t run = MIN(box->tiles - t, w->tiles_w - at.tx);
        if (winograd_is_dilated(p)) {
            run = MIN(run, GATHER);
            if (!output_gathered(w, bases, &at, z, run, b0, blocks, m + done * m_tile, m_tile, m_plane))
                run_note_lost(bases);
            done += run;
            continue;
        }
        const int rows = (int)MIN(tile, out->size[AXIS_H] - tile * at.ty);
        const int64_t pixels = out->size[AXIS_W] - tile * at.tx;
        float *to = (float *)ref_at(bases, w->out) + at.n * out->stride_n + b0 * out->stride_block +
                    z * out->stride[AXIS_D] + tile * at.ty * out->stride[AXIS_H] + tile * at.tx * lanes;
        const float *residual = NULL;
        if (p->has_residual)
            residual = (const float *)ref_at(bases, w->residual) + at.n * rest->stride_n + b0 * rest->stride_block +
                       z * rest->stride[AXIS_D] + tile * at.ty * rest->stride[AXIS_H] + tile * at.tx * lanes;
        float *pooled = NULL;
        if (p->has_pool)
            pooled = (float *)ref_at(bases, w->pooled) + at.n * small->stride_n + b0 * small->stride_block +
                     tile / 2 * at.ty * small->stride[AXIS_H] + tile / 2 * at.tx * lanes;
        const bool finite = w->kernels->winograd[tile].output(
            m + done * m_tile, m_tile, m_plane, (int)run, (int)blocks, rows, pixels, &epilogue, residual,
            rest->stride[AXIS_H], rest->stride_block, to, out->stride[AXIS_H], out->stride_block, pooled,
            small->stride[AXIS_H], small->stride_block);
        if (!finite) run_note_lost(bases);
        done += run;
    }
}
bool winograd_applicable(const Problem *p, const Kernels *kernels, Need *need) {
    if (p->precision == PRECISION_STRICT || p->group != 1 || !p->weight || p->ic < 1) return false;
    if (p->kernel[AXIS_D] > WINOGRAD_MOST_DEPTH || p->kernel[AXIS_H] != 3 || p->kernel[AXIS_W] != 3) return false;
    for (int axis = 0; axis < AXES; axis++)
        if (p->stride[axis] != 1 || p->pad_begin[axis] < 0) return false;
    if (p->dilation[AXIS_D] != 1) return false;
    if (p->has_pool && (p->out[0].size[AXIS_D] != 1 || winograd_is_dilated(p))) return false;
    // Pooling needs whole 2x2 windows; a cut one at the edge is dropped as the pool's floor does.
    for (int i = 0; i < p->n_inputs; i++) need->in[i] = (OperandNeed){LAYOUT_BLOCKED, kernels->lanes, {0}, {0}};
    for (int i = 0; i < p->n_outputs; i++) need->out[i] = (OperandNeed){LAYOUT_BLOCKED, kernels->lanes, {0}, {0}};
    for (int axis = 0; axis < AXES; axis++) {
        if (axis != AXIS_D && winograd_is_dilated(p)) continue;
        // The last tile reads m + 2 inputs from its first output's window on, also where it is cut. Most with m = 4.
        const int64_t size = p->out[0].size[axis];
        const int64_t reach = axis == AXIS_D ? size + p->kernel[AXIS_D] - 1 : 4 * div_up(size, 4) + 2;
        need->in[0].before[axis] = p->pad_begin[axis];
        need->in[0].after[axis] = MAX(reach - p->pad_begin[axis] - p->in[0].size[axis], 0);
    }
    return true;
}
WinogradTiles winograd_tiles(const Problem *p, int tile, const Kernels *kernels) {
    WinogradTiles w = {.problem = *p, .kernels = kernels, .tile = tile, .q = (tile + 2) * (tile + 2)};
    const int64_t height = p->out[0].size[AXIS_H], width = p->out[0].size[AXIS_W];
    w.phases_h = MIN(p->dilation[AXIS_H], height), w.phases_w = MIN(p->dilation[AXIS_W], width);
    w.tiles_h = div_up(div_up(height, p->dilation[AXIS_H]), tile);
    w.tiles_w = div_up(div_up(width, p->dilation[AXIS_W]), tile);
    w.taps_d = (int)p->kernel[AXIS_D], w.slices = p->out[0].size[AXIS_D];
    w.tiles = p->out[0].shape.dim[0] * w.phases_h * w.phases_w * w.tiles_h * w.tiles_w;
    w.channels = round_up(p->ic, kernels->lanes), w.out_channels = round_up(p->oc, kernels->lanes);
    return w;
}
Box winograd_box(const WinogradTiles *w, int64_t unit, int64_t tiles_a_unit, int64_t slices_a_unit) {
    const int64_t runs = div_up(w->tiles, tiles_a_unit), t0 = unit % runs * tiles_a_unit,
                  z0 = unit / runs * slices_a_unit;
    return (Box){t0, MIN(tiles_a_unit, w->tiles - t0), z0, MIN(slices_a_unit, w->slices - z0)};
}
Box winograd_row(const WinogradTiles *w, int64_t row) {
    const int64_t rows = w->tiles / w->tiles_w;
    return (Box){row % rows * w->tiles_w, w->tiles_w, row / rows, 1};
}
void winograd_taps(const WinogradTiles *w, int64_t ic, int tap_d, int64_t oc0, int width, float *to) {
    const Problem *p = &w->problem;
    for (int tap = 0; tap < WINOGRAD_TAPS; tap++)
        for (int k = 0; k < width; k++)
            *to++ = ic < p->ic && oc0 + k < p->oc
                        ? p->weight[(((oc0 + k) * p->ic + ic) * w->taps_d + tap_d) * WINOGRAD_TAPS + tap]
                        : 0;
}
Status winograd_lower(WinogradTiles *w, Lowering *lowering) {
    w->in = lowering->in[0], w->residual = lowering->in[1];
    w->out = lowering->out[0], w->pooled = lowering->out[1];
    TRY(conv_lower_bias(&w->problem, lowering, &w->bias));
    return conv_lower_pool(&w->problem, lowering, &w->pool_factors);
}

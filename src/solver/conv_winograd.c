// 3x3 and kx3x3 convolution, stride 1, by Winograd's F(m x m, 3x3): q products, q = (m+2)^2, of (tiles x ic) by
// (ic x oc) matrices between an input and an output transform (kernel/cpu/isa/winograd.c has matrices and points).
//
// Volumes: height and width are transformed, the k taps along the depth are summed between the transforms, as further
// terms of the products: tiles of consecutive slices lie one behind the other, so what tap t reads lies t slices
// further on for all of them. One transform of a slice serves k slices of output.
//
//   F(4,3)   36 products for 4x4 outputs: a quarter of the multiplications of direct sums.
//   F(2,3)   16 products for 2x2 outputs: four ninths of them, and more exact than direct sums. For images whose sides
//            are small or just beyond a multiple of 4, and where weights weigh more than pixels.
//
// Dilated: pixels whose coordinates agree modulo the dilation are an image of their own, a phase, with neighbours next
// to each other. Tiles are those of all phases; their pixels are brought together before the transform and taken apart
// behind it (gather), without a border.
//
// Three schedules:
//   tiles    a unit takes some tiles of some slices all the way; its transformed values stay in the core's L2. Weights
//            are read again by each unit. For large images.
//   image    three phases over shared buffers: all input tiles, the q products cut by panels of output channels, all
//            output tiles. Weights are read once.
//   weights  all input tiles, then a unit takes some panels of output channels all the way: it transforms their plain
//            weights chunk by chunk in its own L2, and its products never leave it. Less of the weights' memory and
//            traffic (a quarter with F(4,3)). For many channels on small images.
// All give the same bits: the same kernel transforms the weights, when a package is opened or on the way.
// Numbers of a schedule, 0 where usual: see `describe`. Of the loops over panels of output channels and groups of tiles
// the one over panels is outside (a panel's weights are read from L1 after its first group), where kernels keep what
// they read of the tiles that over groups; a schedule may exchange them. Sums run over chunks of 128 input channels
// (about 128 / k with k taps of depth), part sums in order (belongs to the arithmetic). Transformed weights take q / 9
// times the memory of the plain ones: [q][panel][chunk][tap of depth] [ic of the chunk][panel width]; plain ones are
// packed as [panel][chunk][tap of depth][ic of the chunk][tap][panel width]. Error: docs/NUMERICS.md.
#include "solver/explain.h"
#include "solver/space.h"
#include "solver/winograd.h"
#include <assert.h>
#include <string.h>

enum {
    CHUNK = 128,
    MOST_LANES = 16,
    TILES = 0,
    IMAGE = 1,
    WEIGHTS = 2,
    TAPS = WINOGRAD_TAPS,
    MOST_DEPTH = WINOGRAD_MOST_DEPTH
};
// Numbers of a schedule.
enum { KIND, TILES_A_UNIT = 1, PANELS_A_UNIT = 1, SLICES_A_UNIT = 2, BLOCKS_A_UNIT = 2, EXCHANGED, NO_FETCH, ROWS };

typedef struct Winograd {
    WinogradTiles t;
    int chunk;
    Ref weights, v, m;
    int n_panels;
    bool plain; // weights stay plain (WEIGHTS)
    bool exchanged, fetches; // loops; what is read next is fetched ahead
    int rows;                // most of a micro-kernel
    int64_t tiles_a_unit, slices_a_unit;
    int64_t v_tile, v_plane, m_tile, m_plane;                              // in floats
    int64_t u_plane;                                                       // WEIGHTS: of one panel's transformed chunk
    int64_t block_group, in_groups, out_groups, panel_group, panel_groups; // IMAGE
} Winograd;

// An odd number of cache lines between planes: the q streams then fall into different sets.
static int64_t odd_lines(int64_t floats) {
    floats = round_up(floats, 16);
    return floats / 16 % 2 ? floats : floats + 16;
}
static int panel_width(const Winograd *w, int panel) {
    const int64_t left = w->t.out_channels - (int64_t)panel * GEMM_MAX_VECTORS * w->t.kernels->lanes;
    return (int)MIN(GEMM_MAX_VECTORS * w->t.kernels->lanes, left);
}
// Where the weights of product q, a panel, and its chunk from channel c0 on begin, in weights of one tap.
static int64_t weights_at(const Winograd *w, int q, int panel, int64_t c0) {
    const int64_t all = (int64_t)q * w->t.channels * w->t.out_channels;
    const int64_t panels = (int64_t)panel * GEMM_MAX_VECTORS * w->t.kernels->lanes * w->t.channels;
    return w->t.taps_d * (all + panels + c0 * panel_width(w, panel));
}

// From the tiles of an output slice to those that tap k of the depth reads, in floats of v.
typedef struct DepthTaps {
    int32_t offset[MOST_DEPTH];
} DepthTaps;
static DepthTaps depth_taps(const Winograd *w, int64_t tiles) {
    DepthTaps taps = {{0}};
    for (int k = 0; k < w->t.taps_d; k++) taps.offset[k] = (int32_t)(k * tiles * w->v_tile);
    return taps;
}
// What the products after panel `panel` of product q read: weights of the next panel, or of the first for the next q.
static const char *weights_ahead(const Winograd *w, const float *weights, int q, int panel, int p0, int p1,
                                 int64_t c0) {
    const bool last = panel + 1 == p1;
    if (!w->fetches) return NULL;
    return (const char *)(weights + weights_at(w, last ? MIN(q + 1, w->t.q - 1) : q, last ? p0 : panel + 1, c0));
}
// product() with a group of tiles for all panels before the next group; where there are kernels that keep what they
// read of v (kernel.h), by these.
static void product_by_groups(const Winograd *w, const float *weights, int q, int64_t c0, const Box *box, int p0,
                              int p1, const float *v, float *m) {
    enum {
        KEPT = (CHUNK + MOST_LANES * MOST_DEPTH) * KEEP_MAX_ROWS * KEEP_MAX_LANES
    }; // chunk_of() says how many terms
    float kept[KEPT] __attribute__((aligned(64)));
    const Kernels *kernels = w->t.kernels;
    const int lanes = kernels->lanes;
    const bool keeps = kernels->gemm_kept[1][1] != NULL;
    const DepthTaps taps = depth_taps(w, box->tiles);
    const int64_t count = box->tiles * box->slices, groups = div_up(count, w->rows);
    const int64_t depth = MIN(w->chunk, w->t.channels - c0);
    assert(!keeps || w->t.taps_d * depth * w->rows * lanes <= KEPT);
    for (int64_t g = 0, t0 = 0, rows; g < groups; g++, t0 += rows) {
        rows = share_of(count, groups, g);
        for (int panel = p0; panel < p1; panel++) {
            const int vectors = panel_width(w, panel) / lanes;
            const float *stream = weights + weights_at(w, q, panel, c0);
            // The first group of tiles fetches the panel that is used next.
            const char *ahead = g ? NULL : weights_ahead(w, weights, q, panel, p0, p1, c0);
            const float *from = v + q * w->v_plane + t0 * w->v_tile;
            float *to = m + q * w->m_plane + t0 * w->m_tile + (int64_t)panel * GEMM_MAX_VECTORS * lanes;
            if (!keeps)
                kernels->gemm[vectors][rows](w->t.taps_d, taps.offset, from, w->v_tile, stream, depth, to, w->m_tile,
                                             c0 > 0, ahead);
            else if (panel == p0)
                kernels->gemm_keep[vectors][rows](w->t.taps_d, taps.offset, from, w->v_tile, stream, depth, to,
                                                  w->m_tile, c0 > 0, ahead, kept);
            else kernels->gemm_kept[vectors][rows](kept, stream, w->t.taps_d * depth, to, w->m_tile, c0 > 0, ahead);
        }
    }
}
// What a chunk of input channels, from c0 on, adds to product q for a box of output and panels [p0, p1): m (+)= v x
// weights. v points at channel c0 of the box's first tile in plane 0.
static void product(const Winograd *w, const float *weights, int q, int64_t c0, const Box *box, int p0, int p1,
                    const float *v, float *m) {
    const Kernels *kernels = w->t.kernels;
    const bool by_groups = (kernels->gemm_kept[1][1] != NULL) != w->exchanged;
    if (by_groups && p1 - p0 > 1) {
        product_by_groups(w, weights, q, c0, box, p0, p1, v, m);
        return;
    }
    const DepthTaps taps = depth_taps(w, box->tiles);
    const int64_t count = box->tiles * box->slices, groups = div_up(count, w->rows);
    const int64_t depth = MIN(w->chunk, w->t.channels - c0);
    for (int panel = p0; panel < p1; panel++) {
        const int width = panel_width(w, panel);
        const float *stream = weights + weights_at(w, q, panel, c0);
        // The first group of tiles fetches the panel that is used next.
        const char *ahead = weights_ahead(w, weights, q, panel, p0, p1, c0);
        for (int64_t g = 0, t0 = 0, rows; g < groups; g++, t0 += rows) {
            rows = share_of(count, groups, g);
            kernels->gemm[width / kernels->lanes][rows](
                w->t.taps_d, taps.offset, v + q * w->v_plane + t0 * w->v_tile, w->v_tile, stream, depth,
                m + q * w->m_plane + t0 * w->m_tile + (int64_t)panel * GEMM_MAX_VECTORS * kernels->lanes, w->m_tile,
                c0 > 0, g ? NULL : ahead);
        }
    }
}

// TILES. Unit: some tiles of some slices, all the way. It holds the transformed values of one chunk of input channels,
// so that many channels leave room for as many tiles, which read the weights together.
static void tiles_unit(const void *arguments, char *const *bases, int64_t unit, void *scratch) {
    const Winograd *w = arguments;
    const Box out = winograd_box(&w->t, unit, w->tiles_a_unit, w->slices_a_unit);
    const Box in = {out.t0, out.tiles, out.z0, out.slices + w->t.taps_d - 1};
    const int lanes = w->t.kernels->lanes;
    float *v = scratch, *m = v + w->t.q * w->v_plane;
    for (int64_t c0 = 0; c0 < w->t.channels; c0 += w->chunk) {
        winograd_input(&w->t, bases, &in, c0 / lanes, MIN(w->chunk, w->t.channels - c0) / lanes, v, w->v_tile,
                       w->v_plane);
        for (int q = 0; q < w->t.q; q++) product(w, ref_at(bases, w->weights), q, c0, &out, 0, w->n_panels, v, m);
    }
    winograd_output(&w->t, bases, &out, 0, w->t.out_channels / lanes, m, w->m_tile, w->m_plane);
}
static Box whole_output(const Winograd *w) { return (Box){0, w->t.tiles, 0, w->t.slices}; }
// IMAGE, phase 1. Unit: one row of tiles of one group of channel blocks.
static void input_unit(const void *arguments, char *const *bases, int64_t unit, void *scratch) {
    (void)scratch;
    const Winograd *w = arguments;
    const Box row = winograd_row(&w->t, unit / w->in_groups);
    const int64_t b0 = unit % w->in_groups * w->block_group;
    const int64_t blocks = MIN(w->block_group, w->t.channels / w->t.kernels->lanes - b0);
    winograd_input(&w->t, bases, &row, b0, blocks,
                   (float *)ref_at(bases, w->v) + (row.z0 * w->t.tiles + row.t0) * w->v_tile + b0 * w->t.kernels->lanes,
                   w->v_tile, w->v_plane);
}
// Phase 2. Unit: one product of one group of panels.
static void product_unit(const void *arguments, char *const *bases, int64_t unit, void *scratch) {
    (void)scratch;
    const Winograd *w = arguments;
    const Box all = whole_output(w);
    const int p0 = (int)(unit % w->panel_groups * w->panel_group), p1 = (int)MIN(p0 + w->panel_group, w->n_panels);
    for (int64_t c0 = 0; c0 < w->t.channels; c0 += w->chunk)
        product(w, ref_at(bases, w->weights), (int)(unit / w->panel_groups), c0, &all, p0, p1,
                (const float *)ref_at(bases, w->v) + c0, ref_at(bases, w->m));
}
// Phase 3. Unit as in phase 1, of output channels.
static void output_unit(const void *arguments, char *const *bases, int64_t unit, void *scratch) {
    (void)scratch;
    const Winograd *w = arguments;
    const Box row = winograd_row(&w->t, unit / w->out_groups);
    const int64_t b0 = unit % w->out_groups * w->block_group;
    const int64_t blocks = MIN(w->block_group, w->t.out_channels / w->t.kernels->lanes - b0);
    winograd_output(&w->t, bases, &row, b0, blocks,
                    (const float *)ref_at(bases, w->m) + (row.z0 * w->t.tiles + row.t0) * w->m_tile +
                        b0 * w->t.kernels->lanes,
                    w->m_tile, w->m_plane);
}

// WEIGHTS: what a group of `rows` tiles from t0 on gives with one panel of product q.
static void plain_product(const Winograd *w, const DepthTaps *taps, const float *stream, int width, int q, int64_t c0,
                          int64_t t0, int64_t rows, const float *v, float *m) {
    const float *from = v + q * w->v_plane + t0 * w->v_tile + c0;
    // The next product's tiles come from a shared cache: they are fetched ahead.
    const char *ahead = w->fetches ? (const char *)(from + (q + 1 < w->t.q ? w->v_plane : 0)) : NULL;
    w->t.kernels->gemm[width / w->t.kernels->lanes][rows](
        w->t.taps_d, taps->offset, from, w->v_tile, stream, MIN(w->chunk, w->t.channels - c0),
        m + q * w->m_plane + t0 * w->m_tile, w->m_tile, c0 > 0, ahead);
}
// WEIGHTS, phase 2. Unit: some panels of output channels, from their plain weights to the output.
static void weights_unit(const void *arguments, char *const *bases, int64_t unit, void *scratch) {
    const Winograd *w = arguments;
    const Kernels *kernels = w->t.kernels;
    const Box all = whole_output(w);
    const DepthTaps taps = depth_taps(w, w->t.tiles);
    const int lanes = kernels->lanes, p0 = (int)(unit * w->panel_group),
              p1 = (int)MIN(p0 + w->panel_group, w->n_panels), panels = p1 - p0;
    const float *plain = ref_at(bases, w->weights), *v = ref_at(bases, w->v);
    float *u = scratch, *m = u + w->panel_group * w->t.q * w->u_plane;
    const int64_t count = all.tiles * all.slices, groups = div_up(count, w->rows),
                  first = (int64_t)p0 * GEMM_MAX_VECTORS * lanes;
    for (int64_t c0 = 0; c0 < w->t.channels; c0 += w->chunk) {
        const int64_t depth = MIN(w->chunk, w->t.channels - c0);
        for (int panel = p0; panel < p1; panel++) {
            const int width = panel_width(w, panel);
            kernels->winograd[w->t.tile].weights(plain + TAPS * weights_at(w, 0, panel, c0), (int)depth * w->t.taps_d,
                                                 width / lanes, u + (panel - p0) * w->t.q * w->u_plane, w->u_plane);
        }
        for (int q = 0; q < w->t.q; q++)
            for (int outside = 0; outside < (w->exchanged ? 1 : panels); outside++)
                for (int64_t g = 0, t0 = 0, rows; g < groups; g++, t0 += rows) {
                    rows = share_of(count, groups, g);
                    for (int panel = outside; panel < (w->exchanged ? panels : outside + 1); panel++)
                        plain_product(w, &taps, u + (panel * w->t.q + q) * w->u_plane, panel_width(w, p0 + panel), q,
                                      c0, t0, rows, v, m + (int64_t)panel * GEMM_MAX_VECTORS * lanes);
                }
    }
    const int64_t end = MIN((int64_t)p1 * GEMM_MAX_VECTORS, w->t.out_channels / lanes);
    winograd_output(&w->t, bases, &all, first / lanes, end - first / lanes, m, w->m_tile, w->m_plane);
}

// Unit: one panel of output channels and one block of input channels.
static void prepare_unit(const void *arguments, char *const *bases, int64_t unit, void *scratch) {
    (void)scratch;
    const Winograd *w = arguments;
    const int lanes = w->t.kernels->lanes;
    const int panel = (int)(unit % w->n_panels), width = panel_width(w, panel);
    const int64_t first = unit / w->n_panels * lanes;
    float *base = ref_at(bases, w->weights);
    for (int64_t ic = first; ic < first + lanes; ic++)
        for (int k = 0; k < w->t.taps_d; k++) {
            const int64_t c0 = ic / w->chunk * w->chunk, depth = MIN(w->chunk, w->t.channels - c0);
            const int64_t at = weights_at(w, 0, panel, c0) + (k * depth + ic - c0) * width;
            float plain[TAPS * GEMM_MAX_VECTORS * MOST_LANES];
            winograd_taps(&w->t, ic, k, (int64_t)panel * GEMM_MAX_VECTORS * lanes, width,
                          w->plain ? base + TAPS * at : plain);
            if (!w->plain)
                w->t.kernels->winograd[w->t.tile].weights(plain, 1, width / lanes, base + at,
                                                          w->t.taps_d * w->t.channels * w->t.out_channels);
        }
}
// IMAGE: of a unit.
static int64_t usual_panels(int64_t n_panels) { return div_up(n_panels, 4); }
static int64_t usual_blocks(const Kernels *kernels) { return MAX(1, 32 / kernels->lanes); }
// Geometry and buffer strides for a schedule; Refs are filled by lower(). Schedules: KIND, then
//   TILES    tiles, slices a unit
//   IMAGE    panels, channel blocks a unit: 0: a quarter of the panels, 32 channels
//   WEIGHTS  panels, channel blocks a unit (of the input tiles)
// and whether loops are EXCHANGED, nothing is fetched ahead (NO_FETCH), how many ROWS a micro-kernel has at most (0:
// all).
static Winograd describe(const Problem *p, const Configuration *c, const Kernels *kernels) {
    Winograd w = {.t = winograd_tiles(p, c->arithmetic[0], kernels), .chunk = c->arithmetic[1]};
    const int lanes = kernels->lanes;
    w.n_panels = (int)div_up(w.t.out_channels, GEMM_MAX_VECTORS * lanes);
    const bool image = c->schedule[KIND] != TILES;
    w.tiles_a_unit = image ? w.t.tiles : c->schedule[TILES_A_UNIT];
    w.slices_a_unit = image ? w.t.slices : c->schedule[SLICES_A_UNIT];
    w.exchanged = c->schedule[EXCHANGED], w.fetches = !c->schedule[NO_FETCH];
    w.rows = c->schedule[ROWS] ? c->schedule[ROWS] : kernels->rows;
    // Rows of many channels lie a multiple of 2 KB apart: one cache line more spreads them over the sets.
    const int64_t held = image ? w.t.channels : MIN(w.chunk, w.t.channels);
    w.v_tile = held + (held % 512 == 0 ? 16 : 0);
    w.m_tile = w.t.out_channels + (w.t.out_channels % 512 == 0 ? 16 : 0);
    w.plain = c->schedule[KIND] == WEIGHTS;
    if (w.plain) {
        w.panel_group = c->schedule[PANELS_A_UNIT];
        w.panel_groups = div_up(w.n_panels, w.panel_group);
        w.u_plane = odd_lines(w.t.taps_d * MIN(w.chunk, w.t.channels) * GEMM_MAX_VECTORS * lanes);
        w.m_tile = w.panel_group * GEMM_MAX_VECTORS * lanes;
    }
    w.v_plane = odd_lines(w.tiles_a_unit * (w.slices_a_unit + w.t.taps_d - 1) * w.v_tile);
    w.m_plane = odd_lines(w.tiles_a_unit * w.slices_a_unit * w.m_tile);
    w.block_group = image && c->schedule[BLOCKS_A_UNIT] ? c->schedule[BLOCKS_A_UNIT] : usual_blocks(kernels);
    w.in_groups = div_up(w.t.channels / lanes, w.block_group);
    w.out_groups = div_up(w.t.out_channels / lanes, w.block_group);
    if (w.plain) return w;
    w.panel_group = image && c->schedule[PANELS_A_UNIT] ? c->schedule[PANELS_A_UNIT] : usual_panels(w.n_panels);
    w.panel_groups = div_up(w.n_panels, w.panel_group);
    return w;
}
static size_t temporary(const Problem *p, const Configuration *c, const Kernels *kernels, const Machine *machine) {
    (void)machine;
    if (c->schedule[KIND] == TILES) return 0;
    const Winograd w = describe(p, c, kernels);
    return (size_t)(w.t.q * (w.v_plane + (w.plain ? 0 : w.m_plane))) * sizeof(float);
}
// Scratch of a unit of WEIGHTS.
static size_t weights_scratch(const Winograd *w) {
    return (size_t)(w->t.q * (w->panel_group * w->u_plane + w->m_plane)) * sizeof(float);
}
// Whether a tap of depth lies further away than DepthTaps can say.
static bool reaches_far(const Winograd *w) { return w->t.taps_d * w->tiles_a_unit * w->v_tile > INT32_MAX; }
// Bytes that a unit of TILES holds.
static size_t tiles_scratch(const Winograd *w) { return (size_t)(w->t.q * (w->v_plane + w->m_plane)) * sizeof(float); }
// Sums of a chunk have about 128 terms also where they run over the depth.
static int chunk_of(const Problem *p) { return (int)round_up(CHUNK / p->kernel[AXIS_D], MOST_LANES); }

// TILES with some slices a unit: whole groups of rows for the micro-kernel, as many as fit the L2. Runs of one or two
// tiles cost too much on their way in and out. Appended to `out`, which has `count` of at most `max`.
static int add_tiles(const Problem *p, Configuration c, int64_t slices, int most, const Kernels *kernels,
                     const Machine *machine, Configuration *out, int count, int max) {
    c.schedule[KIND] = TILES, c.schedule[SLICES_A_UNIT] = (int32_t)slices;
    for (int groups = 1; groups <= most && count < max; groups++) {
        c.schedule[TILES_A_UNIT] = (int32_t)div_up((int64_t)groups * kernels->rows, slices);
        const Winograd w = describe(p, &c, kernels);
        if (w.tiles_a_unit < MIN(w.t.tiles, 3)) continue;
        if (groups > 1 && (tiles_scratch(&w) > machine->l2 || w.tiles_a_unit > w.t.tiles)) break;
        out[count++] = c;
    }
    return count;
}
// The configurations of one tile size.
static int add_schedules(const Problem *p, int tile, const Kernels *kernels, const Machine *machine, Configuration *out,
                         int count, int max) {
    Configuration c = {.arithmetic = {tile, chunk_of(p)}};
    const int64_t depth = p->out[0].size[AXIS_D];
    if (depth == 1) count = add_tiles(p, c, 1, 6, kernels, machine, out, count, max);
    else
        for (int64_t slices = 2; slices <= 16; slices *= 2)
            if (slices == 2 || slices < 2 * depth)
                count = add_tiles(p, c, MIN(slices, depth), 3, kernels, machine, out, count, max);
    c.schedule[KIND] = IMAGE;
    const Winograd whole = describe(p, &c, kernels);
    if (!reaches_far(&whole) && temporary(p, &c, kernels, machine) < ((size_t)64 << 20) && count < max)
        out[count++] = c;
    for (int panels = 1; panels <= 4 && count < max; panels *= 2) {
        c.schedule[KIND] = WEIGHTS, c.schedule[PANELS_A_UNIT] = panels;
        const Winograd each = describe(p, &c, kernels);
        if (panels > 1 && (weights_scratch(&each) > machine->l2 || panels > each.n_panels)) break;
        if (!reaches_far(&each) && weights_scratch(&each) < ((size_t)16 << 20)) out[count++] = c;
    }
    return count;
}
static int configurations(const Problem *p, const Kernels *kernels, const Machine *machine, Configuration *out,
                          int max) {
    const int count = add_schedules(p, 4, kernels, machine, out, 0, max);
    return add_schedules(p, 2, kernels, machine, out, count, max);
}

// ---- The space of tuning. What a knob does not change is listed without it.

typedef struct Space {
    const Problem *problem;
    const Kernels *kernels;
    const Machine *machine;
    ConfigurationVisitor *visit;
    void *context;
} Space;
// All ways through the loops of units of `count` tiles (of the slices) and `panels`.
static bool visit_loops(const Space *s, const Configuration *c, Knob first, int64_t count, int64_t panels) {
    const Knob knobs[] = {first, knob_groups(ROWS, count, s->kernels->rows), knob_switch(NO_FETCH, true)};
    for (int exchanged = 0; exchanged <= (panels > 1); exchanged++)
        for (int i = 0; i < knobs[1].count; i++) {
            Configuration with = *c;
            const int rows = knobs[1].value[i] ? knobs[1].value[i] : s->kernels->rows;
            if (exchanged && count <= rows) continue; // one group of tiles
            with.schedule[EXCHANGED] = exchanged, with.schedule[ROWS] = knobs[1].value[i];
            const Knob inner[] = {first, knobs[2]};
            if (!knobs_visit(&with, inner, 2, s->visit, s->context)) return false;
        }
    return true;
}
// TILES: numbers of tiles in single steps, as far as they fit a little more than the L2.
static bool visit_tiles(const Space *s, Configuration c, int64_t slices) {
    enum { MOST_GROUPS = 8 };
    c.schedule[KIND] = TILES, c.schedule[SLICES_A_UNIT] = (int32_t)slices;
    const int64_t one_group = div_up(s->kernels->rows, slices), most = div_up(MOST_GROUPS * s->kernels->rows, slices);
    for (int64_t tiles = 1; tiles <= most; tiles++) {
        c.schedule[TILES_A_UNIT] = (int32_t)tiles;
        const Winograd w = describe(s->problem, &c, s->kernels);
        if (tiles < MIN(w.t.tiles, 3)) continue;
        const bool fits = tiles_scratch(&w) <= s->machine->l2 + s->machine->l2 / 4;
        if (tiles > one_group && (!fits || tiles > w.t.tiles)) break;
        // All tiles: as the few have it, which begin with one group.
        if (tiles >= w.t.tiles && tiles < one_group) continue;
        if (!visit_loops(s, &c, knob(TILES_A_UNIT, tiles), MIN(tiles, w.t.tiles) * slices, w.n_panels)) return false;
    }
    return true;
}
static Knob block_knob(const Space *s, int64_t blocks) {
    const int64_t usual = MIN(usual_blocks(s->kernels), blocks);
    Knob k = knob(BLOCKS_A_UNIT, 0);
    const int64_t others[] = {1, 2 * usual, blocks};
    for (size_t i = 0; i < COUNT_OF(others); i++)
        if (MIN(others[i], blocks) != usual) knob_add(&k, MIN(others[i], blocks));
    return k;
}
static bool visit_image(const Space *s, Configuration c) {
    c.schedule[KIND] = IMAGE;
    const Winograd w = describe(s->problem, &c, s->kernels);
    if (reaches_far(&w) || temporary(s->problem, &c, s->kernels, s->machine) >= ((size_t)64 << 20)) return true;
    const Knob panels = knob_cuts(PANELS_A_UNIT, w.n_panels, usual_panels(w.n_panels), w.n_panels);
    const Knob blocks = block_knob(s, MAX(w.t.channels, w.t.out_channels) / s->kernels->lanes);
    for (int i = 0; i < panels.count; i++) {
        c.schedule[PANELS_A_UNIT] = panels.value[i];
        const int64_t each = panels.value[i] ? panels.value[i] : usual_panels(w.n_panels);
        if (!visit_loops(s, &c, blocks, w.t.tiles * w.t.slices, each)) return false;
    }
    return true;
}
static bool visit_weights(const Space *s, Configuration c) {
    enum { MOST_PANELS = 8 };
    c.schedule[KIND] = WEIGHTS;
    for (int panels = 1; panels <= MOST_PANELS; panels++) {
        c.schedule[PANELS_A_UNIT] = panels;
        const Winograd w = describe(s->problem, &c, s->kernels);
        if (panels > 1 && (weights_scratch(&w) > s->machine->l2 + s->machine->l2 / 4 || panels > w.n_panels)) break;
        if (reaches_far(&w) || weights_scratch(&w) >= ((size_t)16 << 20)) continue;
        const Knob blocks = block_knob(s, w.t.channels / s->kernels->lanes);
        if (!visit_loops(s, &c, blocks, w.t.tiles * w.t.slices, panels)) return false;
    }
    return true;
}
static bool space(const Problem *p, const Kernels *kernels, const Machine *machine, ConfigurationVisitor *visit,
                  void *context) {
    static const int slices[] = {1, 2, 3, 4, 6, 8, 12, 16};
    const Space s = {p, kernels, machine, visit, context};
    const int64_t depth = p->out[0].size[AXIS_D];
    for (int tile = 4; tile >= 2; tile -= 2) {
        const Configuration c = {.arithmetic = {tile, chunk_of(p)}};
        int64_t last = 0;
        for (size_t i = 0; i < COUNT_OF(slices) && last < depth; i++)
            if (!visit_tiles(&s, c, last = MIN(slices[i], depth))) return false;
        if (!visit_image(&s, c) || !visit_weights(&s, c)) return false;
    }
    return true;
}
// Bytes a cycle that one core gets from memory, and from the level where `bytes` fit.
static const double memory_rate = 5;
static double rate(double bytes, const Machine *machine) {
    if (bytes < 0.6 * (double)machine->l2) return 32;
    return bytes < 0.5 * (double)machine->l3 ? 8 : memory_rate;
}
// What a schedule's other numbers cost beside the usual ones, in cycles of all threads.
static double loops_cost(const Winograd *w, const Configuration *c, double products, double v_bytes, double weights,
                         const Machine *machine) {
    const bool tiles = c->schedule[KIND] == TILES;
    const double groups = (double)div_up(w->tiles_a_unit * w->slices_a_unit, w->rows);
    const double units =
        tiles ? (double)(div_up(w->t.tiles, w->tiles_a_unit) * div_up(w->t.slices, w->slices_a_unit)) : 1;
    const double panels = tiles ? w->n_panels : (double)w->panel_group;
    double cost = 0;
    if (!w->fetches) // fetching takes the place of loads: 7 % of the products that do so, the first of the groups
        cost -= 0.07 * products / (w->plain ? 1 : groups);
    if (!w->fetches && !tiles)
        cost += 0.4 * (w->plain ? v_bytes : weights) / rate(w->plain ? v_bytes : weights, machine);
    if (w->exchanged) {
        // Weights come again from L2 for each group of tiles, tiles from L1 for each panel; usually the other way
        // round.
        const double tile_bytes = 4.0 * (double)w->rows * (double)MIN(w->chunk, w->t.channels) * w->t.taps_d;
        const double passing = tile_bytes * groups; // beside a panel
        cost += 0.3 * weights * units * (groups - 1) / 64;
        if (passing > 0.75 * (double)machine->l1d) cost -= 0.3 * v_bytes * (panels - 1) / 64;
        if (w->t.kernels->gemm_kept[1][1]) cost += 0.15 * products; // nothing is kept
    }
    if (c->schedule[KIND] == IMAGE && c->schedule[PANELS_A_UNIT]) {
        // Threads that wait for the last units; tiles that are read again for each group of panels.
        const int64_t usual = div_up(w->n_panels, usual_panels(w->n_panels)), threads = w->t.problem.threads;
        const double now =
            (double)(div_up(w->t.q * w->panel_groups, threads) * threads) / (double)(w->t.q * w->panel_groups);
        const double was = (double)(div_up(w->t.q * usual, threads) * threads) / (double)(w->t.q * usual);
        cost += products * (now - was) + 0.3 * v_bytes * (double)(w->panel_groups - usual) / rate(v_bytes, machine);
    }
    if (!tiles && c->schedule[BLOCKS_A_UNIT]) {
        // Fewer blocks: more units to hand out, and shorter runs of stores.
        const int64_t rows = w->t.tiles / MAX(w->t.tiles_w, 1) * w->t.slices;
        const double more = 1.0 / (double)w->block_group - 1.0 / (double)usual_blocks(w->t.kernels);
        cost += 300 * (double)rows * (double)(w->t.channels / w->t.kernels->lanes) * more;
    }
    return cost;
}
static double estimate(const Problem *p, const Configuration *c, const Kernels *kernels, const Machine *machine) {
    const Winograd w = describe(p, c, kernels);
    const double channels = (double)w.t.channels, outs = (double)w.t.out_channels, slices = (double)w.t.slices;
    const double box = (double)(w.tiles_a_unit * w.slices_a_unit); // tiles of a unit, or all
    // Tiles that are transformed: slices at a unit's edge by its neighbour too.
    const double again = (double)(w.slices_a_unit + w.t.taps_d - 1) / (double)w.slices_a_unit;
    const double tiles = (double)w.t.tiles * slices, in_tiles = tiles * again;
    const double weights = 4.0 * w.t.q * w.t.taps_d * channels * outs;
    const double v_bytes = 4.0 * w.t.q * in_tiles * channels, m_bytes = 4.0 * w.t.q * tiles * outs;
    const double group = box / (double)div_up((int64_t)box, w.rows);
    const double registers = MIN(1.0, group * GEMM_MAX_VECTORS / 10);
    const double products =
        2.0 * w.t.q * w.t.taps_d * tiles * channels * outs / (kernels_peak(kernels, machine) * 0.88 * registers);
    // Transforms of a tile and block: with F(4,3) about 150 vector operations and 36 + 36 stores and loads, each way;
    // of a vector of weights about 110 operations, which take 160 cycles. With F(2,3) 32 and 16 + 16; 65 cycles.
    const double parts = kernels_parts(kernels, machine), apart = winograd_is_dilated(p) ? 50 : 0; // gather and scatter
    const double tile_cycles = parts * (w.t.tile == 2 ? 50 : 130) + apart;
    const double weight_cycles = parts * (w.t.tile == 2 ? 65 : 160);
    double cycles = products + (in_tiles * channels + 1.3 * tiles * outs) / kernels->lanes * tile_cycles;
    if (c->schedule[KIND] == TILES) {
        const double units = (double)(div_up(w.t.tiles, w.tiles_a_unit) * div_up(w.t.slices, w.slices_a_unit));
        const double chunks = (double)div_up(w.t.channels, w.chunk);
        const double held = 4.0 * w.t.q * box * (again * MIN((double)w.chunk, channels) + outs);
        // Weights come from memory once, half hidden; then they stream past what each unit holds, beside its products
        // where they are fetched ahead. Several groups of tiles share one pass.
        const double loads = units * weights / rate(weights + held, machine), hidden = MIN(loads, products);
        const double first = weights / memory_rate;
        const double part = held / (double)machine->l2; // of L2: beyond a quarter the passes begin to miss
        cycles += loads - hidden + (w.fetches ? 0 : 0.4) * hidden + 0.5 * first;
        cycles += (v_bytes + chunks * m_bytes) * 2 / (part < 0.25 ? 48 : part < 0.6 ? 36 : part < 1.2 ? 24 : 8);
        // The last round of units may leave threads idle.
        cycles *= (double)(div_up((int64_t)units, p->threads) * p->threads) / units;
    } else if (c->schedule[KIND] == IMAGE) {
        // Weights stream beside the products, fetched a panel ahead: what takes longer counts, and some of the rest.
        // Both shared buffers are written (which also reads them first) and read; they are spread over the threads' L2.
        const double stream = weights / rate(weights, machine);
        cycles += MAX(stream - products, 0) + 0.3 * MIN(stream, products);
        cycles += 3.5 * (v_bytes + m_bytes) / rate((v_bytes + m_bytes) / p->threads, machine) + 6000;
    } else {
        // Plain weights come once and are transformed. All tiles are read again for each unit.
        const double units = (double)w.panel_groups, scratch = (double)weights_scratch(&w);
        cycles += weights / w.t.q * TAPS / rate(weights / w.t.q * TAPS, machine) +
                  w.t.taps_d * channels * outs / kernels->lanes * weight_cycles;
        cycles += (1 + units) * v_bytes / rate(v_bytes + scratch, machine);
        // What a unit holds beyond L2 goes out and comes back.
        const double beyond = MIN(1.0, MAX(0.0, scratch / (double)machine->l2 - 0.8));
        cycles += beyond * 2 * (weights + m_bytes) / rate(scratch, machine);
        cycles *= (double)(div_up(w.panel_groups, p->threads) * p->threads) / units;
        cycles += 4000;
    }
    cycles += loops_cost(&w, c, products, v_bytes, weights, machine);
    return cycles / p->threads + 3000;
}
static size_t prepared_bytes(const Problem *p, const Configuration *c, const Kernels *kernels) {
    const Winograd w = describe(p, c, kernels);
    return (size_t)((w.plain ? TAPS : w.t.q) * w.t.taps_d * w.t.channels * w.t.out_channels) * sizeof(float);
}
static Status lower(const Problem *p, const Configuration *c, Lowering *lowering) {
    Winograd *w = arena_alloc(lowering->arena, sizeof *w);
    if (!w) return fail_memory(sizeof *w);
    *w = describe(p, c, lowering->kernels);
    w->weights = lowering_weights(lowering, prepared_bytes(p, c, lowering->kernels));
    const int64_t panels = w->n_panels * (w->t.channels / lowering->kernels->lanes);
    TRY(lowering_prepare(lowering, prepare_unit, w, panels, 0));
    TRY(winograd_lower(&w->t, lowering));
    if (c->schedule[KIND] == TILES)
        return lowering_phase(lowering, tiles_unit, w,
                              div_up(w->t.tiles, w->tiles_a_unit) * div_up(w->t.slices, w->slices_a_unit),
                              tiles_scratch(w));
    w->v = lowering->temporary;
    w->m = ref_add(w->v, w->t.q * w->v_plane * (int64_t)sizeof(float));
    const int64_t rows = w->t.tiles / w->t.tiles_w;
    TRY(lowering_phase(lowering, input_unit, w, rows * (w->t.slices + w->t.taps_d - 1) * w->in_groups, 0));
    if (w->plain) return lowering_phase(lowering, weights_unit, w, w->panel_groups, weights_scratch(w));
    TRY(lowering_phase(lowering, product_unit, w, w->t.q * w->panel_groups, 0));
    return lowering_phase(lowering, output_unit, w, rows * w->t.slices * w->out_groups, 0);
}
// Measured, for any number of channels: docs/NUMERICS.md. Without fused multiply-adds a half more.
static double error(const Problem *p, const Configuration *c, const Kernels *kernels) {
    (void)p;
    const double mark = c->arithmetic[0] == 2 ? 4.5e-7 : 1.3e-6;
    return kernels->isa >= ISA_AVX2 ? mark : 1.5 * mark;
}
static void explain(const Problem *p, const Configuration *c, const Kernels *kernels, const Machine *machine,
                    Text *text) {
    const Winograd w = describe(p, c, kernels);
    const double weights = 4.0 * w.t.q * w.t.taps_d * (double)w.t.channels * (double)w.t.out_channels;
    const double values = 4.0 * (double)(w.t.q * (w.v_plane + w.m_plane));
    explain_places(text, "pixels in tiles", p->out[0].size[AXIS_H] * p->out[0].size[AXIS_W],
                   w.t.phases_h * w.t.phases_w * w.t.tiles_h * w.t.tiles_w * w.t.tile * w.t.tile);
    explain_places(text, "input channels", p->ic, w.t.channels);
    explain_places(text, "output channels", p->oc, w.t.out_channels);
    explain_groups(text, "tiles of a unit", MIN(w.tiles_a_unit, w.t.tiles) * w.slices_a_unit, w.rows);
    if (c->schedule[KIND] == TILES)
        explain_beyond_l2(text, "weights", weights, machine, ", each unit reads them again");
    else explain_beyond_l2(text, "transformed values", values, machine, "");
    if (c->schedule[KIND] == WEIGHTS) text_add(text, "; weights are transformed on the way");
}
static void print(const Configuration *c, Text *text) {
    text_add(text, "F(%d,3) chunk %d, ", (int)c->arithmetic[0], (int)c->arithmetic[1]);
    const int32_t *n = c->schedule;
    if (n[KIND] == TILES && n[SLICES_A_UNIT] > 1)
        text_add(text, "%d tiles of %d slices a unit", (int)n[TILES_A_UNIT], (int)n[SLICES_A_UNIT]);
    else if (n[KIND] == TILES) text_add(text, "%d tiles a unit", (int)n[TILES_A_UNIT]);
    else if (n[KIND] == IMAGE) text_add(text, "whole image");
    else text_add(text, "%d panels a unit, weights transformed on the way", (int)n[PANELS_A_UNIT]);
    if (n[KIND] == IMAGE && n[PANELS_A_UNIT]) text_add(text, ", %d panels a unit", (int)n[PANELS_A_UNIT]);
    if (n[KIND] != TILES && n[BLOCKS_A_UNIT]) text_add(text, ", %d channel blocks a unit", (int)n[BLOCKS_A_UNIT]);
    if (n[EXCHANGED]) text_add(text, ", loops exchanged");
    if (n[NO_FETCH]) text_add(text, ", nothing fetched ahead");
    if (n[ROWS]) text_add(text, ", at most %d rows at once", (int)n[ROWS]);
}
static Effort effort(const Configuration *c) { return (Effort){.products = winograd_products(c->arithmetic[0])}; }
static bool same_weights(const Configuration *a, const Configuration *b) {
    return weights_by_arithmetic(a, b) && (a->schedule[KIND] == WEIGHTS) == (b->schedule[KIND] == WEIGHTS);
}
const Solver solver_conv_winograd = {.name = "conv_winograd",
                                     .version = 2,
                                     .kind = PROBLEM_CONV,
                                     .applicable = winograd_applicable,
                                     .configurations = configurations,
                                     .estimate = estimate,
                                     .temporary = temporary,
                                     .lower = lower,
                                     .print = print,
                                     .error = error,
                                     .effort = effort,
                                     .prepared_bytes = prepared_bytes,
                                     .same_weights = same_weights,
                                     .space = space,
                                     .explain = explain};

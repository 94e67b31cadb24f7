// 3x3 and kx3x3 convolution, stride 1, by Winograd's F(4x4, 3x3) and F(2x2, 3x3) with products on AMX tiles: transforms
// in fp32 (solver/winograd.h), then each transformed value and weight cut into three bf16 parts, and six products of
// parts (kernel/cpu/amx/amx.c). As exact as Winograd in fp32, with a quarter (four ninths) of the products of tiles
// that six products take in direct sums (conv_amx.c), which is fewer than three take.
//
// Two schedules, same bits:
//   tiles  a unit takes some tiles of some slices all the way: parts of all input channels, then panel after panel of
//          output channels, the sums of one panel at a time. All stays in the core's L2 but the weights, which each
//          unit reads again. For large images.
//   image  three phases over shared buffers: parts of all input tiles, the q products cut by panels, all output tiles.
//          Weights are read once. For many channels.
// Parts: [q][32 channels][part][tile][16 pairs (channel c, channel 16 + c)][2]; weights: [panel][q][32 channels][tap of
// depth][part][vector][16 such pairs][16 output channels][2], q / 9 x 1.5 times the plain ones. Error: that of
// conv_winograd (docs/NUMERICS.md). What tiles do not keep is noticed: solver/amx.h.
#include "solver/amx.h"
#include "solver/explain.h"
#include "solver/winograd.h"
#include <string.h>

enum { TILES = 0, IMAGE = 1, PARTS = AMX_MAX_PARTS, PRODUCTS = 6, PANEL = GEMM_MAX_VECTORS, LANES = 16 };
enum { KIND, TILES_A_UNIT, SLICES_A_UNIT, PANELS_A_UNIT }; // numbers of a schedule
enum { SLOT = AMX_PIXEL_BYTES, TILE_BYTES = AMX_TILE_PIXELS * AMX_PIXEL_BYTES };
enum { RUN = 4, MOST_Q = (WINOGRAD_MAX_TILE + 2) * (WINOGRAD_MAX_TILE + 2) }; // tiles whose parts are made at once

typedef struct WinogradAmx {
    WinogradTiles t;
    Ref weights, v, m;
    int64_t blocks; // of 32 input channels
    int n_panels;
    int64_t tiles_a_unit, slices_a_unit;
    int64_t v_part, v_block, v_q;      // in bytes
    int64_t m_tile, m_plane;           // in floats
    int64_t panel_group, panel_groups; // IMAGE
} WinogradAmx;

static int vectors_of(const WinogradAmx *w, int panel) {
    return (int)MIN(PANEL, w->t.out_channels / LANES - (int64_t)panel * PANEL);
}
// Bytes of the weights of one product and vector of output channels.
static int64_t vector_bytes(const WinogradAmx *w) { return w->blocks * w->t.taps_d * PARTS * TILE_BYTES; }
static int64_t weights_at(const WinogradAmx *w, int q, int panel) {
    return ((int64_t)panel * PANEL * w->t.q + (int64_t)q * vectors_of(w, panel)) * vector_bytes(w);
}

// Parts of a box of the input, blocks [b0, b0 + blocks) of 32 channels, to v (its first tile of block b0).
static void input_parts(const WinogradAmx *w, char *const *bases, const Box *box, int64_t b0, int64_t blocks, char *v) {
    float near[2][MOST_Q][RUN][LANES] __attribute__((aligned(64)));
    const int64_t halves = w->t.channels / LANES;
    uint32_t largest = 0;
    for (int64_t z = 0; z < box->slices; z++)
        for (int64_t t = 0; t < box->tiles; t += RUN) {
            const Box run = {box->t0 + t, MIN(RUN, box->tiles - t), box->z0 + z, 1};
            char *to = v + (z * box->tiles + t) * SLOT;
            for (int64_t b = b0; b < b0 + blocks; b++, to += w->v_block) {
                const bool second = 2 * b + 1 < halves;
                for (int half = 0; half <= second; half++)
                    winograd_input(&w->t, bases, &run, 2 * b + half, 1, near[half][0][0], LANES, RUN * LANES);
                const uint32_t seen = w->t.kernels->amx_cut(near[0][0][0], second ? near[1][0][0] : NULL, LANES,
                                                            RUN * LANES, w->t.q, (int)run.tiles, to, w->v_q, w->v_part);
                largest = MAX(largest, seen);
            }
        }
    amx_check_small(bases, largest);
}
// Product q of a box of the output with a panel: v at the box's first tile, m there and at the panel's first channel,
// both of q = 0.
static void product(const WinogradAmx *w, char *const *bases, int q, int panel, const Box *box, const char *v,
                    float *m) {
    const int vectors = vectors_of(w, panel);
    const int64_t count = box->tiles * box->slices, most = (int64_t)amx_tiles(vectors) * AMX_TILE_PIXELS;
    int32_t offset[WINOGRAD_MOST_DEPTH];
    for (int k = 0; k < w->t.taps_d; k++) offset[k] = (int32_t)(k * box->tiles * SLOT);
    const AmxPixels pixels = {SLOT, TILE_BYTES, w->v_part, w->v_block, w->t.taps_d, offset};
    const char *weights = (const char *)ref_at(bases, w->weights) + weights_at(w, q, panel);
    v += q * w->v_q, m += q * w->m_plane;
    for (int64_t first = 0; first < count; first += most)
        w->t.kernels->amx[PARTS][div_up(MIN(most, count - first), AMX_TILE_PIXELS)][vectors](
            &pixels, v + first * SLOT, w->blocks, weights, m + first * w->m_tile, w->m_tile, false, NULL);
}
// TILES. Unit: some tiles of some slices, all the way.
static void tiles_unit(const void *arguments, char *const *bases, int64_t unit, void *scratch) {
    const WinogradAmx *w = arguments;
    const Box out = winograd_box(&w->t, unit, w->tiles_a_unit, w->slices_a_unit);
    const Box in = {out.t0, out.tiles, out.z0, out.slices + w->t.taps_d - 1};
    char *v = scratch;
    float *m = (float *)(v + w->t.q * w->v_q);
    input_parts(w, bases, &in, 0, w->blocks, v);
    w->t.kernels->amx_begin();
    for (int panel = 0; panel < w->n_panels; panel++) {
        for (int q = 0; q < w->t.q; q++) product(w, bases, q, panel, &out, v, m);
        winograd_output(&w->t, bases, &out, (int64_t)panel * PANEL, vectors_of(w, panel), m, w->m_tile, w->m_plane);
    }
    w->t.kernels->amx_end();
}
// IMAGE, phase 1. Unit: one row of tiles of one block.
static void input_unit(const void *arguments, char *const *bases, int64_t unit, void *scratch) {
    (void)scratch;
    const WinogradAmx *w = arguments;
    const Box row = winograd_row(&w->t, unit / w->blocks);
    const int64_t block = unit % w->blocks;
    input_parts(w, bases, &row, block, 1,
                (char *)ref_at(bases, w->v) + block * w->v_block + (row.z0 * w->t.tiles + row.t0) * SLOT);
}
// Phase 2. Unit: one product of some panels.
static void product_unit(const void *arguments, char *const *bases, int64_t unit, void *scratch) {
    (void)scratch;
    const WinogradAmx *w = arguments;
    const Box all = {0, w->t.tiles, 0, w->t.slices};
    const int p0 = (int)(unit % w->panel_groups * w->panel_group), p1 = (int)MIN(p0 + w->panel_group, w->n_panels);
    w->t.kernels->amx_begin();
    for (int panel = p0; panel < p1; panel++)
        product(w, bases, (int)(unit / w->panel_groups), panel, &all, ref_at(bases, w->v),
                (float *)ref_at(bases, w->m) + (int64_t)panel * PANEL * LANES);
    w->t.kernels->amx_end();
}
// Phase 3. Unit: one row of tiles of one panel.
static void output_unit(const void *arguments, char *const *bases, int64_t unit, void *scratch) {
    (void)scratch;
    const WinogradAmx *w = arguments;
    const Box row = winograd_row(&w->t, unit / w->n_panels);
    const int panel = (int)(unit % w->n_panels);
    winograd_output(&w->t, bases, &row, (int64_t)panel * PANEL, vectors_of(w, panel),
                    (const float *)ref_at(bases, w->m) + (row.z0 * w->t.tiles + row.t0) * w->m_tile +
                        (int64_t)panel * PANEL * LANES,
                    w->m_tile, w->m_plane);
}

enum { MOST_WIDTH = PANEL * LANES, PLAIN_FLOATS = AMX_CHANNELS * WINOGRAD_TAPS * MOST_WIDTH };
static size_t prepare_scratch(const WinogradAmx *w) {
    return (size_t)(PLAIN_FLOATS + w->t.q * AMX_CHANNELS * MOST_WIDTH) * sizeof(float);
}
// Unit: one panel of output channels and one block of 32 input channels.
static void prepare_unit(const void *arguments, char *const *bases, int64_t unit, void *scratch) {
    const WinogradAmx *w = arguments;
    const int panel = (int)(unit / w->blocks), vectors = vectors_of(w, panel), width = vectors * LANES;
    const int64_t block = unit % w->blocks, u_plane = (int64_t)AMX_CHANNELS * width;
    float *plain = scratch, *u = plain + PLAIN_FLOATS;
    char *to = (char *)ref_at(bases, w->weights) + weights_at(w, 0, panel) +
               block * w->t.taps_d * PARTS * vectors * TILE_BYTES;
    for (int k = 0; k < w->t.taps_d; k++, to += PARTS * vectors * TILE_BYTES) {
        for (int64_t c = 0; c < AMX_CHANNELS; c++)
            winograd_taps(&w->t, block * AMX_CHANNELS + c, k, (int64_t)panel * MOST_WIDTH, width,
                          plain + c * WINOGRAD_TAPS * width);
        w->t.kernels->winograd[w->t.tile].weights(plain, AMX_CHANNELS, vectors, u, u_plane);
        for (int j = 0; j < vectors; j++)
            w->t.kernels->amx_cut(u + j * LANES, u + 16 * width + j * LANES, width, u_plane, w->t.q, 16,
                                  to + j * TILE_BYTES, vectors * vector_bytes(w), vectors * TILE_BYTES);
    }
}

static bool applicable(const Problem *p, const Kernels *kernels, Need *need) {
    return kernels->amx_cut && winograd_applicable(p, kernels, need) && amx_weights_fit(p);
}
// Geometry and buffer strides for a schedule; Refs are filled by lower(). A product takes whole tiles of 16: so many
// rows of sums are written, and so many slots of parts read, whatever is in those beyond the box.
static WinogradAmx describe(const Problem *p, const Configuration *c, const Kernels *kernels) {
    WinogradAmx w = {.t = winograd_tiles(p, c->arithmetic[0], kernels)};
    const bool image = c->schedule[KIND] == IMAGE;
    w.blocks = div_up(p->ic, AMX_CHANNELS), w.n_panels = (int)div_up(w.t.out_channels, PANEL * LANES);
    w.tiles_a_unit = image ? w.t.tiles : MIN(c->schedule[TILES_A_UNIT], w.t.tiles);
    w.slices_a_unit = image ? w.t.slices : MIN(c->schedule[SLICES_A_UNIT], w.t.slices);
    const int64_t rows = round_up(w.tiles_a_unit * w.slices_a_unit, AMX_TILE_PIXELS);
    // An odd number of cache lines between what is read together.
    w.v_part = (rows + (w.t.taps_d - 1) * w.tiles_a_unit + 1) * SLOT;
    w.v_block = PARTS * w.v_part, w.v_q = w.blocks * w.v_block;
    w.m_tile = image ? w.t.out_channels : PANEL * LANES;
    w.m_plane = rows * w.m_tile + LANES;
    w.panel_group = image ? MIN(c->schedule[PANELS_A_UNIT], w.n_panels) : w.n_panels;
    w.panel_groups = div_up(w.n_panels, w.panel_group);
    return w;
}
static double sums_bytes(const WinogradAmx *w) { return (double)(w->t.q * w->m_plane) * sizeof(float); }
static double parts_bytes(const WinogradAmx *w) { return (double)(w->t.q * w->v_q); }
static size_t held_bytes(const WinogradAmx *w) { return (size_t)(parts_bytes(w) + sums_bytes(w)); }
static size_t temporary(const Problem *p, const Configuration *c, const Kernels *kernels, const Machine *machine) {
    (void)machine;
    const WinogradAmx w = describe(p, c, kernels);
    return c->schedule[KIND] == IMAGE ? held_bytes(&w) : 0;
}
// Whether a tap of depth lies further away than an offset can say.
static bool reaches_far(const WinogradAmx *w) { return w->t.taps_d * w->tiles_a_unit * SLOT > INT32_MAX; }

// TILES with `slices` slices a unit: whole tiles of AMX, from one on, as long as a unit holds at most `bytes`. few: not
// every number of them. False: the visitor wants no more.
static bool visit_tiles(const Problem *p, int tile, int64_t slices, bool few, int64_t bytes, const Kernels *kernels,
                        ConfigurationVisitor *visit, void *context) {
    enum { MOST_ROWS = 256, FEW_ROWS = 128 };
    const int64_t all = winograd_tiles(p, tile, kernels).tiles, least = MIN(all, 2);
    for (int64_t rows = 16, before = 0; before < all && rows <= (few ? FEW_ROWS : MOST_ROWS);
         rows += few && rows >= 64 ? 32 : 16) {
        const int64_t tiles = MIN(rows / slices, all);
        const Configuration c = {
            .arithmetic = {tile},
            .schedule = {[KIND] = TILES, [TILES_A_UNIT] = (int32_t)tiles, [SLICES_A_UNIT] = (int32_t)slices}};
        const WinogradAmx w = describe(p, &c, kernels);
        if (tiles < least || (rows > 16 && (int64_t)held_bytes(&w) > bytes)) break;
        if (!visit(context, &c)) return false;
        before = tiles;
    }
    return true;
}
// IMAGE with powers of two of panels a unit, or with every number of them.
static bool visit_image(const Problem *p, int tile, bool few, const Kernels *kernels, ConfigurationVisitor *visit,
                        void *context) {
    enum { MOST_PANELS = 8, MOST_BYTES = 96 << 20 };
    for (int panels = 1; panels <= MOST_PANELS; panels += few ? panels : 1) {
        const Configuration c = {.arithmetic = {tile}, .schedule = {[KIND] = IMAGE, [PANELS_A_UNIT] = panels}};
        const WinogradAmx w = describe(p, &c, kernels);
        if (reaches_far(&w) || held_bytes(&w) > MOST_BYTES || panels > w.n_panels) break;
        if (!visit(context, &c)) return false;
    }
    return true;
}
typedef struct Few {
    Configuration *out;
    int count, max;
} Few;
static bool take_few(void *context, const Configuration *c) {
    Few *few = context;
    if (few->count == few->max) return false;
    few->out[few->count++] = *c;
    return true;
}
static int configurations(const Problem *p, const Kernels *kernels, const Machine *machine, Configuration *out,
                          int max) {
    Few few = {out, 0, max};
    for (int tile = 4; tile >= 2; tile -= 2) {
        for (int64_t slices = 1; slices <= p->out[0].size[AXIS_D] && slices <= 8; slices *= 2)
            if (!visit_tiles(p, tile, slices, true, (int64_t)machine->l2, kernels, take_few, &few)) return few.count;
        if (!visit_image(p, tile, true, kernels, take_few, &few)) return few.count;
    }
    return few.count;
}
static bool space(const Problem *p, const Kernels *kernels, const Machine *machine, ConfigurationVisitor *visit,
                  void *context) {
    static const int slices[] = {1, 2, 3, 4, 6, 8};
    const int64_t depth = p->out[0].size[AXIS_D], l2 = (int64_t)machine->l2;
    for (int tile = 4; tile >= 2; tile -= 2) {
        for (size_t i = 0; i < COUNT_OF(slices) && slices[i] <= depth; i++)
            if (!visit_tiles(p, tile, slices[i], false, l2 + l2 / 4, kernels, visit, context)) return false;
        if (!visit_image(p, tile, false, kernels, visit, context)) return false;
    }
    return true;
}
// Bytes a cycle that one core gets from the level where `bytes` fit.
static double rate(double bytes, const Machine *machine) {
    if (bytes < 0.8 * (double)machine->l2) return 32;
    return bytes < 0.5 * (double)machine->l3 ? 6.5 : 5;
}
static double estimate(const Problem *p, const Configuration *c, const Kernels *kernels, const Machine *machine) {
    const WinogradAmx w = describe(p, c, kernels);
    const double threads = p->threads, q = w.t.q, slices = (double)w.t.slices;
    const bool image = c->schedule[KIND] == IMAGE;
    const double runs = (double)div_up(w.t.tiles, w.tiles_a_unit),
                 boxes = runs * (double)div_up(w.t.slices, w.slices_a_unit);
    const double units = image ? q * (double)w.panel_groups : boxes;
    const double box = (double)div_up(w.tiles_a_unit * w.slices_a_unit, AMX_TILE_PIXELS);
    const double again = (double)(w.slices_a_unit + w.t.taps_d - 1) / (double)w.slices_a_unit;
    const double deep = (double)(w.blocks * w.t.taps_d) * PRODUCTS, outs = (double)w.t.out_channels / LANES;
    // A product of tiles 17 cycles, as AVX-512 counts them; sums are written and tiles begun anew for each.
    const double products = boxes * box * outs * q * (deep * 17 + 60);
    const double tile_cycles = w.t.tile == 2 ? 50 : 130, cut_cycles = q * 3.5;
    const double tiles = (double)w.t.tiles * slices;
    double cycles =
        tiles * again * (double)w.blocks * 2 * (tile_cycles + cut_cycles) + 1.3 * tiles * outs * tile_cycles;
    const double weights = (double)(w.t.q * vector_bytes(&w)) * outs;
    // Tiles wait for what they load (measured: Granite Rapids), so times add up. Beyond L2 a core gets 8 bytes a cycle.
    if (image) {
        const double parts = parts_bytes(&w), held = parts + sums_bytes(&w);
        // The parts of a product stay in L2 for all its panels.
        cycles += products + weights / 5 + parts / rate(parts / threads, machine) +
                  parts * (double)(w.panel_groups - 1) / rate(parts / q, machine);
        cycles += 2.5 * held / rate(held / threads, machine) + 10000 * threads;
    } else {
        const double held = (double)held_bytes(&w);
        cycles += products + boxes * weights / rate(weights + held, machine);
        cycles += boxes * parts_bytes(&w) * w.n_panels / 45; // parts come from L2 for each panel
        if (held > 0.8 * (double)machine->l2) cycles *= 1.2;
    }
    cycles *= (double)(div_up((int64_t)units, p->threads) * p->threads) / units;
    return cycles / threads + 3000;
}
static size_t prepared_bytes(const Problem *p, const Configuration *c, const Kernels *kernels) {
    const WinogradAmx w = describe(p, c, kernels);
    return (size_t)(w.t.q * vector_bytes(&w) * (w.t.out_channels / LANES));
}
static Status lower(const Problem *p, const Configuration *c, Lowering *lowering) {
    WinogradAmx *w = arena_alloc(lowering->arena, sizeof *w);
    if (!w) return fail_memory(sizeof *w);
    *w = describe(p, c, lowering->kernels);
    w->weights = lowering_weights(lowering, prepared_bytes(p, c, lowering->kernels));
    TRY(lowering_prepare(lowering, prepare_unit, w, w->n_panels * w->blocks, prepare_scratch(w)));
    TRY(winograd_lower(&w->t, lowering));
    if (c->schedule[KIND] == TILES)
        return lowering_phase(lowering, tiles_unit, w,
                              div_up(w->t.tiles, w->tiles_a_unit) * div_up(w->t.slices, w->slices_a_unit),
                              held_bytes(w));
    w->v = lowering->temporary;
    w->m = ref_add(w->v, w->t.q * w->v_q);
    const int64_t rows = w->t.tiles / w->t.tiles_w;
    TRY(lowering_phase(lowering, input_unit, w, rows * (w->t.slices + w->t.taps_d - 1) * w->blocks, 0));
    TRY(lowering_phase(lowering, product_unit, w, w->t.q * w->panel_groups, 0));
    return lowering_phase(lowering, output_unit, w, rows * w->t.slices * w->n_panels, 0);
}
// That of Winograd in fp32: the products add less.
static double error(const Problem *p, const Configuration *c, const Kernels *kernels) {
    (void)p, (void)kernels;
    return c->arithmetic[0] == 2 ? 4.5e-7 : 1.3e-6;
}
static void explain(const Problem *p, const Configuration *c, const Kernels *kernels, const Machine *machine,
                    Text *text) {
    const WinogradAmx w = describe(p, c, kernels);
    const int64_t tiles = w.tiles_a_unit * w.slices_a_unit;
    explain_places(text, "pixels in tiles", p->out[0].size[AXIS_H] * p->out[0].size[AXIS_W],
                   w.t.phases_h * w.t.phases_w * w.t.tiles_h * w.t.tiles_w * w.t.tile * w.t.tile);
    explain_places(text, "input channels", p->ic, w.blocks * AMX_CHANNELS);
    explain_places(text, "output channels", p->oc, w.t.out_channels);
    explain_places(text, "tiles of a unit", tiles, round_up(tiles, AMX_TILE_PIXELS));
    const double weights = (double)(w.t.q * vector_bytes(&w)) * (double)(w.t.out_channels / LANES);
    if (c->schedule[KIND] == TILES)
        explain_beyond_l2(text, "weights", weights, machine, ", each unit reads them again");
    else explain_beyond_l2(text, "transformed values", (double)held_bytes(&w), machine, "");
}
static Effort effort(const Configuration *c) {
    return (Effort){PRODUCTS * winograd_products(c->arithmetic[0]), .on_tiles = true};
}
static void print(const Configuration *c, Text *text) {
    const int32_t *n = c->schedule;
    text_add(text, "F(%d,3) by %d products of bf16 parts, ", (int)c->arithmetic[0], PRODUCTS);
    if (n[KIND] == TILES && n[SLICES_A_UNIT] > 1)
        text_add(text, "%d tiles of %d slices a unit", (int)n[TILES_A_UNIT], (int)n[SLICES_A_UNIT]);
    else if (n[KIND] == TILES) text_add(text, "%d tiles a unit", (int)n[TILES_A_UNIT]);
    else text_add(text, "whole image, %d panels a unit", (int)n[PANELS_A_UNIT]);
}
const Solver solver_conv_winograd_amx = {.name = "conv_winograd_amx",
                                         .version = 1,
                                         .kind = PROBLEM_CONV,
                                         .applicable = applicable,
                                         .configurations = configurations,
                                         .estimate = estimate,
                                         .temporary = temporary,
                                         .lower = lower,
                                         .print = print,
                                         .error = error,
                                         .effort = effort,
                                         .prepared_bytes = prepared_bytes,
                                         .same_weights = weights_by_arithmetic,
                                         .space = space,
                                         .explain = explain};

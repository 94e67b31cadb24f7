// Direct convolution on AMX tiles, each value split into bf16 parts: two parts and three products, or three parts and
// six; in precision bf16 also one part, the nearest bf16, and one product (kernel/cpu/amx/amx.c). Any stride, dilation
// and 1 to 3 spatial dims; no groups.
//
//     split: fp32 pixels of 2 x 16 channels to parts of 32 channels, borders and all
//     for each panel of 32 output channels:                                   weights stream from L2
//         for each 2 x 16 output pixels (4 x 16 with 16 channels):            sums stay in tiles over all of ic x taps
//             sums = products over (32 channels, tap, part)
//             finish: bias, residual, activation, to the output's layout
//
// With stride 1 the rows of a unit are one line of pixels, borders between them and all: a tile may begin in one row
// and end in the next, so that no width is ragged; what falls on a border is dropped. With other strides a line is a
// row.
//
// Schedules, same bits:
//   rows   a unit splits the rows that it reads itself, in its core's L2, and computes all panels from them
//   image  the whole input is split into a shared buffer; a unit is some rows of some panels. For many channels. The
//          sums over all channels are made at once, or chunk by chunk of channels: a chunk's weights stay in L2 while
//          all the unit's pixels pass by, and its sums lie in memory until the next chunk adds to them.
// and each of them plain, or paced: sums are finished between the next pixels' products, some pixels a tap, the rows
// that the next unit reads are fetched into L2 meanwhile, and a tile is stored to nowhere every few taps (4 % of
// seed-torch by itself: docs/PERFORMANCE.md).
//
// With one part, input and output may lie as bfloat16 (layout.h). Then nothing is split: tiles read the input where it
// lies, up to a tile of pixels beyond its end, and finished pixels are rounded on their way out.
//
// Weights: [panel][32 channels][tap][part][vector][16 pairs][16 output channels][2] bf16.
//
// Error: one part about 2.4e-3 of the output's standard deviation, two 4.4e-6, three 7e-7 (docs/NUMERICS.md). Parts of
// values near the smallest normal number vanish, and tiles know no subnormals: inputs that are all that small are
// noticed, as are sums that are not finite (run_note_lost).
#include "solver/amx.h"
#include "solver/blocked.h"
#include "solver/conv.h"
#include "solver/explain.h"
#include "solver/space.h"
#include <limits.h>
#include <math.h>
#include <string.h>

enum { KIND, ROWS_A_UNIT, PANELS_A_UNIT, PACED, CHUNK }; // numbers of a schedule; CHUNK: blocks, 0 is all
enum { ROWS = 0, IMAGE = 1, PANEL = GEMM_MAX_VECTORS };
enum { MOST_PIXELS = AMX_MAX_TILES * AMX_TILE_PIXELS, PACE_PIXELS = 8 };
enum { TILE_BYTES = AMX_TILE_PIXELS * AMX_PIXEL_BYTES };

// Where the parts of an input lie: [image][32 channels][part][slice][row][pixel], bytes.
typedef struct SplitLayout {
    int64_t rows, width, slices;                   // with borders
    int64_t row, slice, part, block, image, bytes; // steps; bytes: of one image
} SplitLayout;

// Where the output lies as bfloat16 the pooled copy is made of what a panel's rows were before that:
// [vector][row][pixel], then room for a pooled row of each vector.
typedef struct Kept {
    int64_t row, vector; // in floats
    int64_t bytes;       // 0: nothing is kept
} Kept;
typedef struct ConvAmx {
    Problem problem;
    const Kernels *kernels;
    Ref in, out, pooled, residual, bias, pool_factors, weights, split;
    int parts, schedule;
    bool paced;
    int64_t chunk;               // blocks whose sums are made at once
    int64_t blocks, out_blocks;  // of 32 input channels, of as many output channels as a vector has
    int n_panels, panels_a_unit; // n_panels: of all copies
    // Transposed: a copy of the convolution for each tap, with panels of its own; else one.
    int copies, panels_a_copy;
    int64_t taps[AXES]; // copies along each axis
    int64_t rows_a_unit, row_groups, panel_groups;
    bool flat;          // rows of a unit are one line
    bool halved_in, halved_out; // these lie as bfloat16 (layout.h): the parts that tiles read or finished pixels become
    SplitLayout layout; // of a unit's rows, or of the whole input
    Kept kept;
    int64_t sums_bytes; // of the sums of a unit's rows and a panel that wait for the next chunk; 0: there is none
    AmxPixels pixels;
    const int32_t *pool_first, *pool_count;
} ConvAmx;

static int products(int parts) { return parts * (parts + 1) / 2; }
static int64_t reach(const Problem *p, int axis, int64_t outputs) {
    return (outputs - 1) * p->stride[axis] + (p->kernel[axis] - 1) * p->dilation[axis] + 1;
}
// Behind the last row a tile reads on: less than a tile of pixels that are dropped.
static SplitLayout split_layout(const Problem *p, int parts, int64_t blocks, int64_t slices, int64_t rows) {
    SplitLayout l = {.rows = rows, .width = reach(p, AXIS_W, p->out[0].size[AXIS_W]), .slices = slices};
    l.row = l.width * AMX_PIXEL_BYTES;
    l.slice = rows * l.row;
    l.part = slices * l.slice + AMX_TILE_PIXELS * p->stride[AXIS_W] * AMX_PIXEL_BYTES;
    l.block = parts * l.part;
    l.bytes = l.image = blocks * l.block;
    return l;
}
// Of an input that lies as bfloat16, in place.
static SplitLayout halved_layout(const Layout *in) {
    SplitLayout l = {.rows = in->size[AXIS_H], .width = in->stride[AXIS_H] / in->block, .slices = in->size[AXIS_D]};
    l.row = in->stride[AXIS_H] * (int64_t)sizeof(float), l.slice = in->stride[AXIS_D] * (int64_t)sizeof(float);
    l.block = in->stride_block * (int64_t)sizeof(float), l.image = in->stride_n * (int64_t)sizeof(float);
    return l;
}
// What output row `row` of slice od of image n reads first of parts that begin at `split`: an image's, or the input
// itself.
static const char *first_read(const ConvAmx *c, const char *split, int64_t n, int64_t od, int64_t row) {
    const Problem *p = &c->problem;
    const SplitLayout *l = &c->layout;
    split += n * l->image + od * p->stride[AXIS_D] * l->slice + row * p->stride[AXIS_H] * l->row;
    if (!c->halved_in) return split;
    return split - p->pad_begin[AXIS_D] * l->slice - p->pad_begin[AXIS_H] * l->row -
           p->pad_begin[AXIS_W] * AMX_PIXEL_BYTES;
}
// Rows [row, row + rows) of slice `slice` (of the padded input) of image n and 32 channels, to where they lie in `to`.
static uint32_t split_rows(const ConvAmx *c, const float *in, int64_t n, int64_t block, int64_t slice, int64_t row,
                           int64_t rows, char *to) {
    const Problem *p = &c->problem;
    const Layout *l = &p->in[0];
    uint32_t largest = 0;
    const float *from = in + n * l->stride_n + 2 * block * l->stride_block +
                        (slice - p->pad_begin[AXIS_D]) * l->stride[AXIS_D] +
                        (row - p->pad_begin[AXIS_H]) * l->stride[AXIS_H] - p->pad_begin[AXIS_W] * l->block;
    for (int64_t r = 0; r < rows; r++, from += l->stride[AXIS_H], to += c->layout.row) {
        const float *second = 2 * block + 1 < l->blocks ? from + l->stride_block : NULL;
        const uint32_t seen =
            c->kernels->amx_split(c->parts, from, second, c->layout.width, to, c->layout.part, AMX_PIXEL_BYTES);
        largest = MAX(largest, seen);
    }
    return largest;
}

// One line of sums on its way: pixel i of the line is pixel i % pitch of row `row` + i / pitch.
typedef struct Line {
    int64_t n, od, row, pitch;
    int copy;
} Line;
// Pixel x of a row; the strides of `l` are those of a copy's outputs.
static int64_t pixel_of(const ConvAmx *c, const Layout *l, const Line *line, int64_t row, int64_t x, int64_t block) {
    const int64_t w = line->copy % c->taps[AXIS_W], h = line->copy / c->taps[AXIS_W] % c->taps[AXIS_H];
    const int64_t d = line->copy / c->taps[AXIS_W] / c->taps[AXIS_H];
    return line->n * l->stride_n + block * l->stride_block + line->od * l->stride[AXIS_D] + row * l->stride[AXIS_H] +
           d * (l->stride[AXIS_D] / c->taps[AXIS_D]) + h * (l->stride[AXIS_H] / c->taps[AXIS_H]) +
           (x * c->taps[AXIS_W] + w) * l->block;
}
// 2x2 maxima of activation(x * scale + shift) of two rows: some pixels at a time, scaled into L1.
static void pool_scaled(const ConvAmx *c, const Epilogue *epilogue, const float *from, int64_t row, int64_t pixels,
                        float *to) {
    enum { PIXELS = 32 };
    float scaled[2 * 2 * PIXELS * 16] __attribute__((aligned(64)));
    const int lanes = c->kernels->lanes;
    const int64_t row_offset[2] = {0, 2 * PIXELS * lanes};
    for (int64_t x = 0; x < pixels; x += PIXELS) {
        const int64_t count = MIN(PIXELS, pixels - x);
        for (int i = 0; i < 2; i++)
            c->kernels->affine(from + i * row + 2 * x * lanes, NULL, epilogue->pool_scale, epilogue->pool_shift,
                               epilogue->pool_activation, scaled + row_offset[i], 2 * count);
        c->kernels->pool_max(scaled, row_offset, 2, c->pool_first, c->pool_count, 1, (int)count, to + x * lanes);
    }
}
// One pooled row of channel block `block`, of two rows that lie `row` floats apart.
static void pool_row(const ConvAmx *c, char *const *bases, int64_t block, const float *from, int64_t row, float *to) {
    const int64_t row_offset[2] = {0, row}, pixels = c->problem.out[1].size[AXIS_W];
    Epilogue epilogue = {0};
    conv_pool_epilogue(&c->problem, bases, c->pool_factors, block, c->kernels->lanes, &epilogue);
    if (epilogue.pool_scale) pool_scaled(c, &epilogue, from, row, pixels, to);
    else c->kernels->pool_max(from, row_offset, 2, c->pool_first, c->pool_count, 1, (int)pixels, to);
}
static void pool_rows(const ConvAmx *c, char *const *bases, int64_t n, int64_t r0, int64_t r1, int64_t block,
                      int vectors) {
    const Layout *out = &c->problem.out[0], *small = &c->problem.out[1];
    for (int64_t r = r0; r + 2 <= r1; r += 2)
        for (int64_t b = block; b < block + vectors; b++)
            pool_row(c, bases, b,
                     (const float *)ref_at(bases, c->out) + n * out->stride_n + b * out->stride_block +
                         r * out->stride[AXIS_H],
                     out->stride[AXIS_H],
                     (float *)ref_at(bases, c->pooled) + n * small->stride_n + b * small->stride_block +
                         r / 2 * small->stride[AXIS_H]);
}
static void pool_kept(const ConvAmx *c, char *const *bases, int64_t n, int64_t r0, int64_t r1, int64_t block,
                      int vectors, float *kept) {
    const Layout *small = &c->problem.out[1];
    const Kept k = c->kept;
    const int64_t pixels = small->size[AXIS_W];
    float *pooled[PANEL] = {kept + PANEL * k.vector, kept + PANEL * k.vector + pixels * 16};
    for (int64_t r = r0; r + 2 <= r1; r += 2) {
        for (int j = 0; j < vectors; j++)
            pool_row(c, bases, block + j, kept + j * k.vector + (r - r0) * k.row, k.row, pooled[j]);
        float *to = (float *)ref_at(bases, c->pooled) + n * small->stride_n + block / PANEL * small->stride_block +
                    r / 2 * small->stride[AXIS_H];
        c->kernels->amx_split(1, pooled[0], vectors > 1 ? pooled[1] : NULL, pixels, (char *)to, 0, AMX_PIXEL_BYTES);
    }
}
// Rows of an input that the next unit reads: they are fetched into L2 between the products of this one.
typedef struct Ahead {
    const char *row; // NULL: nothing left
    int64_t at, row_bytes, row_step, block_step;
    int64_t rows, blocks, done; // of a block; left; rows done of this one
    int lines;                  // a step
} Ahead;
static void fetch_some(Ahead *a) {
    if (!a->row) return;
    for (int i = 0; i < a->lines; i++) {
        __builtin_prefetch(a->row + a->at, 0, 2);
        if ((a->at += 64) < a->row_bytes) continue;
        a->at = 0, a->row += a->row_step;
        if (++a->done < a->rows) continue;
        a->done = 0, a->row += a->block_step - a->rows * a->row_step;
        if (--a->blocks == 0) a->row = NULL;
        if (!a->row) return;
    }
}
// Sums that wait to be finished while the next ones are made, and what is fetched meanwhile.
typedef struct Waiting {
    const ConvAmx *c;
    char *const *bases;
    Line line;
    Epilogue epilogue;
    int64_t block, row, x, count; // of the next pixel; pixels that are left
    int vectors;
    const float *sums;
    Ahead *ahead;
    float *kept; // of rows from first_row on, before they become bfloat16; NULL: nowhere
    int64_t first_row;
    uint32_t largest; // of what lies as bfloat16 then: bits of a magnitude
} Waiting;
// At most `most` pixels, of one row.
static void finish_run(Waiting *w, int64_t most) {
    const ConvAmx *c = w->c;
    const Problem *p = &c->problem;
    const Layout *out = &p->out[0], *rest = &p->in[1];
    const int64_t width = out->size[AXIS_W], lanes = c->kernels->lanes, step = lanes * c->taps[AXIS_W];
    int64_t pixels = MIN(w->line.pitch - w->x, w->count);
    if (w->x < width) { // else what fell on a border
        pixels = MIN(MIN(width - w->x, pixels), most);
        const float *residual = NULL;
        if (p->has_residual)
            residual =
                (const float *)ref_at(w->bases, c->residual) + pixel_of(c, rest, &w->line, w->row, w->x, w->block);
        float *to = (float *)ref_at(w->bases, c->out) +
                    pixel_of(c, out, &w->line, w->row, w->x, c->halved_out ? w->block / 2 : w->block);
        float near[PANEL][MOST_PIXELS * 16] __attribute__((aligned(64)));
        const bool halved = c->halved_out;
        const Kept k = c->kept;
        float *fine = w->kept ? w->kept + (w->row - w->first_row) * k.row + w->x * 16 : near[0];
        const int64_t fine_vector = w->kept ? k.vector : MOST_PIXELS * 16;
        if (!c->kernels->finish(w->sums, w->vectors * lanes, (int)pixels, w->vectors, &w->epilogue, residual,
                                rest->stride_block, step, halved ? fine : to, halved ? fine_vector : out->stride_block,
                                halved ? 16 : step))
            run_note_lost(w->bases);
        if (halved) {
            const uint32_t seen = c->kernels->amx_split(1, fine, w->vectors > 1 ? fine + fine_vector : NULL, pixels,
                                                        (char *)to, 0, step * (int64_t)sizeof(float));
            w->largest = MAX(w->largest, seen);
        }
    }
    w->count -= pixels, w->sums += pixels * w->vectors * lanes;
    if ((w->x += pixels) == w->line.pitch) w->x = 0, w->row++;
}
static void beside_products(void *context) {
    Waiting *w = context;
    if (w->count) finish_run(w, PACE_PIXELS);
    fetch_some(w->ahead);
}
static void finish_rest(Waiting *w) {
    while (w->count) finish_run(w, MOST_PIXELS);
}
// Of a unit, in its thread's scratch memory; NULL: not needed.
typedef struct Own {
    float *kept; // rows before they become bfloat16 (Kept)
    float *sums; // [line][pixel, whole tiles][vector of the panel]: what the chunks so far add up to
} Own;
static int64_t line_sums(int64_t length) { return round_up(length, AMX_TILE_PIXELS); }
static int64_t line_length(const ConvAmx *c, int64_t rows) {
    const int64_t width = c->problem.out[0].size[AXIS_W];
    return c->flat ? (rows - 1) * c->layout.width + width : width;
}
static void panel_rows(const ConvAmx *c, char *const *bases, int panel, Line line, int64_t rows, const char *split,
                       Ahead *ahead, const Own *own) {
    enum { REST_ONE = 9, REST_SPLIT = 3 }; // as in the prototype
    const Problem *p = &c->problem;
    const int64_t block = (int64_t)(panel % c->panels_a_copy) * PANEL;
    const int lanes = c->kernels->lanes, vectors = (int)MIN(PANEL, c->out_blocks - block);
    const int64_t vector = c->blocks * c->pixels.taps * c->parts * TILE_BYTES; // weights of one
    const char *weights =
        (const char *)ref_at(bases, c->weights) + (panel / c->panels_a_copy * c->out_blocks + block) * vector;
    const int64_t lines = c->flat ? 1 : rows, length = line_length(c, rows), ld = (int64_t)vectors * lanes;
    const int64_t most = amx_tiles(vectors) * AMX_TILE_PIXELS;
    float sums[2][MOST_PIXELS * 16] __attribute__((aligned(64)));
    int turn = 0;
    line.copy = panel / c->panels_a_copy;
    line.pitch = c->flat ? c->layout.width : length;
    Waiting waiting = {
        c,         bases,    line, conv_epilogue(p, bases, c->bias, block, lanes), block, 0, 0, 0, vectors, NULL, ahead,
        own->kept, line.row, 0};
    for (int64_t b = 0; b < c->blocks; b += c->chunk) {
        const char *from = split + b * c->pixels.block, *w = weights + b * vectors * (vector / c->blocks);
        for (int64_t i = 0; i < lines; i++, from += p->stride[AXIS_H] * c->layout.row)
            for (int64_t first = 0; first < length; first += most, turn ^= 1) {
                const int64_t count = MIN(most, length - first);
                float *to = own->sums ? own->sums + (i * line_sums(length) + first) * ld : sums[turn];
                AmxPace pace = {beside_products, &waiting, INT_MAX, c->parts == 1 ? REST_ONE : REST_SPLIT};
                c->kernels->amx[c->parts][div_up(count, AMX_TILE_PIXELS)][vectors](
                    &c->pixels, from + first * c->pixels.pixel, MIN(c->chunk, c->blocks - b), w, to, ld, b > 0,
                    c->paced ? &pace : NULL);
                finish_rest(&waiting);
                if (b + c->chunk < c->blocks) continue;
                waiting.row = line.row + i + first / line.pitch, waiting.x = first % line.pitch;
                waiting.count = count, waiting.sums = to;
                if (!c->paced) finish_rest(&waiting);
            }
    }
    finish_rest(&waiting);
    amx_check_small(bases, waiting.largest);
}
static void compute(const ConvAmx *c, char *const *bases, int64_t n, int64_t od, int64_t r0, int64_t r1, int p0, int p1,
                    const char *split, Ahead *ahead, const Own *own) {
    c->kernels->amx_begin();
    for (int panel = p0; panel < p1; panel++) {
        panel_rows(c, bases, panel, (Line){n, od, r0, 0, 0}, r1 - r0, split, ahead, own);
        const int64_t block = (int64_t)panel * PANEL;
        const int vectors = (int)MIN(PANEL, c->out_blocks - block);
        if (own->kept) pool_kept(c, bases, n, r0, r1, block, vectors, own->kept);
        else if (c->problem.has_pool) pool_rows(c, bases, n, r0, r1, block, vectors);
    }
    c->kernels->amx_end();
}

// Of the unit behind rows that end with r1, of the slice in the middle of the depth's taps.
static Ahead next_rows(const ConvAmx *c, char *const *bases, int64_t n, int64_t od, int64_t r1) {
    const Problem *p = &c->problem;
    const Layout *l = &p->in[0];
    const int64_t rows = MIN(c->rows_a_unit, p->out[0].size[AXIS_H] - r1) * p->stride[AXIS_H];
    if (rows <= 0) return (Ahead){.row = NULL};
    const int64_t slice = MIN(od * p->stride[AXIS_D], l->size[AXIS_D] - 1),
                  first = MIN(r1 * p->stride[AXIS_H], l->size[AXIS_H] - 1);
    Ahead ahead = {.row = (const char *)((const float *)ref_at(bases, c->in) + n * l->stride_n +
                                         slice * l->stride[AXIS_D] + first * l->stride[AXIS_H]),
                   .row_bytes = l->size[AXIS_W] * l->block * (int64_t)sizeof(float),
                   .row_step = l->stride[AXIS_H] * (int64_t)sizeof(float),
                   .block_step = l->stride_block * (int64_t)sizeof(float),
                   .rows = MIN(rows, l->size[AXIS_H] - first),
                   .blocks = l->blocks};
    const int64_t lines = ahead.blocks * ahead.rows * div_up(ahead.row_bytes, 64);
    const int64_t steps =
        c->n_panels * div_up(rows * c->layout.width, amx_tiles(PANEL) * AMX_TILE_PIXELS) * c->blocks * c->pixels.taps;
    ahead.lines = (int)MIN(div_up(lines, MAX(steps, 1)), 8);
    return ahead;
}
// ROWS: some rows of one depth slice of one image.
static void rows_unit(const void *arguments, char *const *bases, int64_t unit, void *scratch) {
    const ConvAmx *c = arguments;
    const Problem *p = &c->problem;
    const int64_t r0 = unit % c->row_groups * c->rows_a_unit, depth = p->out[0].size[AXIS_D];
    const int64_t od = unit / c->row_groups % depth, n = unit / c->row_groups / depth;
    const int64_t r1 = MIN(r0 + c->rows_a_unit, p->out[0].size[AXIS_H]), rows = reach(p, AXIS_H, r1 - r0);
    uint32_t largest = 0;
    for (int64_t block = 0; block < c->blocks && !c->halved_in; block++)
        for (int64_t d = 0; d < c->layout.slices; d++) {
            const uint32_t seen = split_rows(c, ref_at(bases, c->in), n, block, od * p->stride[AXIS_D] + d,
                                             r0 * p->stride[AXIS_H], rows,
                                             (char *)scratch + block * c->layout.block + d * c->layout.slice);
            largest = MAX(largest, seen);
        }
    amx_check_small(bases, largest);
    Ahead ahead = next_rows(c, bases, n, od, r1);
    const Own own = {c->kept.bytes ? (float *)((char *)scratch + c->layout.bytes) : NULL, NULL};
    compute(c, bases, n, od, r0, r1, 0, c->n_panels,
            c->halved_in ? first_read(c, ref_at(bases, c->in), n, od, r0) : scratch, &ahead, &own);
}
// IMAGE, phase 1: one slice of 32 channels of one image.
static void split_unit(const void *arguments, char *const *bases, int64_t unit, void *scratch) {
    (void)scratch;
    const ConvAmx *c = arguments;
    const SplitLayout *l = &c->layout;
    const int64_t d = unit % l->slices, block = unit / l->slices % c->blocks, n = unit / l->slices / c->blocks;
    amx_check_small(bases,
                    split_rows(c, ref_at(bases, c->in), n, block, d, 0, l->rows,
                               (char *)ref_at(bases, c->split) + n * l->image + block * l->block + d * l->slice));
}
// Phase 2: some rows of some panels.
static void image_unit(const void *arguments, char *const *bases, int64_t unit, void *scratch) {
    const ConvAmx *c = arguments;
    const Problem *p = &c->problem;
    const int64_t group = unit / c->panel_groups, depth = p->out[0].size[AXIS_D];
    const int p0 = (int)(unit % c->panel_groups * c->panels_a_unit), p1 = MIN(p0 + c->panels_a_unit, c->n_panels);
    const int64_t r0 = group % c->row_groups * c->rows_a_unit, r1 = MIN(r0 + c->rows_a_unit, p->out[0].size[AXIS_H]);
    const int64_t od = group / c->row_groups % depth, n = group / c->row_groups / depth;
    Ahead nothing = {.row = NULL};
    const Own own = {c->kept.bytes ? scratch : NULL, c->sums_bytes ? (float *)((char *)scratch + c->kept.bytes) : NULL};
    compute(c, bases, n, od, r0, r1, p0, p1, first_read(c, ref_at(bases, c->split), n, od, r0), &nothing, &own);
}

// Nearest bf16, ties to even; infinities and NaN stay what they are.
static uint16_t bf16_of(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    if (isnan(x)) return (uint16_t)(bits >> 16 | 0x40);
    return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}
static float float_of(uint16_t half) {
    const uint32_t bits = (uint32_t)half << 16;
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}
static float weight_at(const ConvAmx *c, int64_t oc, int64_t ic, int64_t copy, int64_t tap) {
    const Problem *p = &c->problem;
    if (p->kind == PROBLEM_CONV) return p->weight[(oc * p->ic + ic) * c->pixels.taps + tap];
    return p->weight[(ic * p->oc + oc) * c->copies + copy];
}
// One panel of output channels and 32 input channels.
static void prepare_unit(const void *arguments, char *const *bases, int64_t unit, void *scratch) {
    (void)scratch;
    const ConvAmx *c = arguments;
    const Problem *p = &c->problem;
    const int64_t copy = unit / c->blocks / c->panels_a_copy, panel = unit / c->blocks % c->panels_a_copy;
    const int64_t block = unit % c->blocks, taps = c->pixels.taps, lanes = c->kernels->lanes;
    const int64_t vectors = MIN(PANEL, c->out_blocks - panel * PANEL), step = TILE_BYTES / 2;
    uint16_t *to = (uint16_t *)ref_at(bases, c->weights) +
                   ((copy * c->out_blocks + panel * PANEL) * c->blocks + block * vectors) * taps * c->parts * step;
    for (int64_t tap = 0; tap < taps; tap++, to += c->parts * vectors * step)
        for (int64_t k = 0; k < AMX_CHANNELS; k++)
            for (int64_t j = 0; j < vectors * lanes; j++) {
                const int64_t ic = block * AMX_CHANNELS + k, oc = panel * PANEL * lanes + j;
                float rest = ic < p->ic && oc < p->oc ? weight_at(c, oc, ic, copy, tap) : 0;
                for (int part = 0; part < c->parts; part++) {
                    const uint16_t half = bf16_of(rest);
                    to[(part * vectors + j / lanes) * step + k / 2 * 2 * lanes + j % lanes * 2 + k % 2] = half;
                    rest -= float_of(half);
                }
            }
}

// Transposed: no two taps meet in an output.
static bool is_apart(const Problem *p) {
    for (int axis = 0; axis < AXES; axis++)
        if (p->kernel[axis] != p->stride[axis] || p->pad_begin[axis] || p->dilation[axis] != 1 ||
            p->out[0].size[axis] != p->in[0].size[axis] * p->stride[axis])
            return false;
    return !p->has_pool;
}
static int copies_of(const Problem *p) { return p->kind == PROBLEM_CONV ? 1 : (int)problem_taps(p); }
// Transposed: the convolution of one tap, as large as the input; strides of what it writes lead over the other taps'
// pixels.
static Problem one_copy(const Problem *p) {
    Problem q = *p;
    for (int axis = 0; axis < AXES && p->kind == PROBLEM_CONV_TRANSPOSE; axis++) {
        q.kernel[axis] = q.stride[axis] = 1;
        q.out[0].size[axis] = p->in[0].size[axis];
        q.out[0].stride[axis] *= p->stride[axis];
        if (p->has_residual) q.in[1].stride[axis] *= p->stride[axis];
    }
    return q;
}
static bool applicable(const Problem *p, const Kernels *kernels, Need *need) {
    if (!kernels->amx_split || p->precision == PRECISION_STRICT || p->group != 1 || !p->weight || p->ic < 1) return false;
    if (!amx_weights_fit(p) || (p->kind == PROBLEM_CONV_TRANSPOSE && !is_apart(p))) return false;
    for (int i = 0; i < p->n_inputs; i++) need->in[i] = (OperandNeed){LAYOUT_BLOCKED, kernels->lanes, {0}, {0}};
    for (int i = 0; i < p->n_outputs; i++) need->out[i] = (OperandNeed){LAYOUT_BLOCKED, kernels->lanes, {0}, {0}};
    if (p->kind == PROBLEM_CONV) conv_border(p, &need->in[0]);
    return true;
}
// Geometry of a configuration; Refs are filled by lower().
static ConvAmx describe(const Problem *p, const Configuration *configuration, const Kernels *kernels) {
    const Problem whole = one_copy(p);
    ConvAmx c = {.problem = whole, .kernels = kernels, .parts = configuration->arithmetic[0]};
    for (int axis = 0; axis < AXES; axis++) c.taps[axis] = p->kind == PROBLEM_CONV_TRANSPOSE ? p->kernel[axis] : 1;
    c.copies = copies_of(p);
    p = &whole;
    const int64_t height = p->out[0].size[AXIS_H];
    c.schedule = configuration->schedule[KIND], c.paced = configuration->schedule[PACED];
    c.rows_a_unit = MIN(configuration->schedule[ROWS_A_UNIT], height);
    c.panels_a_unit = configuration->schedule[PANELS_A_UNIT];
    c.blocks = div_up(p->ic, AMX_CHANNELS), c.out_blocks = div_up(p->oc, kernels->lanes);
    c.panels_a_copy = (int)div_up(div_up(p->oc, kernels->lanes), PANEL), c.n_panels = c.copies * c.panels_a_copy;
    c.row_groups = div_up(height, c.rows_a_unit);
    c.panel_groups = div_up(c.n_panels, c.panels_a_unit);
    c.flat = p->stride[AXIS_H] == 1 && p->stride[AXIS_W] == 1;
    const bool rows = c.schedule == ROWS;
    c.layout = split_layout(p, c.parts, c.blocks, reach(p, AXIS_D, rows ? 1 : p->out[0].size[AXIS_D]),
                            reach(p, AXIS_H, rows ? c.rows_a_unit : height));
    c.halved_in = layout_is_halved(&p->in[0]), c.halved_out = layout_is_halved(&p->out[0]);
    if (c.halved_in) c.layout = halved_layout(&p->in[0]);
    if (p->has_pool && c.halved_out) {
        c.kept.row = p->out[0].size[AXIS_W] * 16, c.kept.vector = c.rows_a_unit * c.kept.row;
        c.kept.bytes = PANEL * (c.kept.vector + p->out[1].size[AXIS_W] * 16) * (int64_t)sizeof(float);
    }
    c.pixels.pixel = p->stride[AXIS_W] * AMX_PIXEL_BYTES;
    c.pixels.tile = AMX_TILE_PIXELS * c.pixels.pixel;
    c.pixels.part = c.layout.part, c.pixels.block = c.layout.block;
    c.pixels.taps = (int)problem_taps(p);
    c.chunk = configuration->schedule[CHUNK] ? MIN(configuration->schedule[CHUNK], c.blocks) : c.blocks;
    if (c.chunk < c.blocks)
        c.sums_bytes = (c.flat ? 1 : c.rows_a_unit) * line_sums(line_length(&c, c.rows_a_unit)) * PANEL *
                       kernels->lanes * (int64_t)sizeof(float);
    return c;
}
static size_t temporary(const Problem *p, const Configuration *configuration, const Kernels *kernels,
                        const Machine *machine) {
    (void)machine;
    const ConvAmx c = describe(p, configuration, kernels);
    return c.schedule == IMAGE && !c.halved_in ? (size_t)(p->out[0].shape.dim[0] * c.layout.image) : 0;
}
// Rows of a unit whose split input is at most `bytes`; whole 2x2 windows.
static int64_t rows_within(const Problem *p, int parts, int64_t bytes) {
    const int64_t height = p->out[0].size[AXIS_H], blocks = div_up(p->ic, AMX_CHANNELS);
    int64_t rows = 2;
    while (rows < height &&
           split_layout(p, parts, blocks, reach(p, AXIS_D, 1), reach(p, AXIS_H, 2 * rows)).bytes <= bytes)
        rows *= 2;
    return rows;
}
// Bytes that `chunk` blocks keep busy while pixels pass by: weights of a panel, the rows that a line of pixels reads.
static int64_t chunk_bytes(const Problem *p, int parts, int64_t chunk) {
    const int64_t rows = split_layout(p, parts, chunk, reach(p, AXIS_D, 1), reach(p, AXIS_H, 1)).bytes;
    return chunk * problem_taps(p) * parts * PANEL * TILE_BYTES + rows;
}
// Blocks of a chunk, of which all are of about one length, so that it takes at most a part of L2; 0: all do.
static int64_t chunk_within(const Problem *p, int parts, int64_t l2) {
    const int64_t blocks = div_up(p->ic, AMX_CHANNELS);
    int64_t chunks = 1;
    while (chunks < blocks && 2 * chunk_bytes(p, parts, div_up(blocks, chunks)) > l2) chunks++;
    return chunks == 1 ? 0 : div_up(blocks, chunks);
}
// Paced and plain; cut into chunks, where that may help, instead of plain.
static void list(Configuration configuration, Configuration *out, int max, int *count) {
    const int64_t chunk = configuration.schedule[CHUNK];
    configuration.schedule[CHUNK] = 0;
    for (int paced = 1; paced >= 0 && *count < max; paced--) {
        configuration.schedule[PACED] = paced || chunk;
        if (!paced) configuration.schedule[CHUNK] = (int32_t)chunk;
        out[(*count)++] = configuration;
    }
}
static int configurations(const Problem *whole, const Kernels *kernels, const Machine *machine, Configuration *out,
                          int max) {
    const Problem copy = one_copy(whole), *p = &copy;
    const int64_t height = p->out[0].size[AXIS_H], l2 = (int64_t)machine->l2;
    const int n_panels = copies_of(whole) * (int)div_up(div_up(p->oc, kernels->lanes), PANEL);
    int count = 0;
    for (int parts = p->precision == PRECISION_BF16 ? 1 : 2; parts <= AMX_MAX_PARTS; parts++) {
        const int64_t most = rows_within(p, parts, l2 / 4); // beside them lie weights and what is fetched ahead
        for (int64_t rows = MAX(2, most / 4); rows <= most; rows *= 2)
            list((Configuration){.arithmetic = {parts}, .schedule = {ROWS, (int32_t)rows, n_panels}}, out, max, &count);
        for (int64_t groups = 1; groups <= 6; groups += groups < 4 ? 1 : 2) // thirds for 3, 6 and 12 threads
            for (int panels = 1; panels <= 2; panels++) {
                const int64_t rows = round_up(div_up(height, groups), 2);
                if (panels > n_panels || (groups > 1 && rows < 4)) continue;
                Configuration image = {.arithmetic = {parts}, .schedule = {IMAGE, (int32_t)rows, panels}};
                image.schedule[CHUNK] = (int32_t)chunk_within(p, parts, l2);
                list(image, out, max, &count);
            }
    }
    return count;
}
static bool space(const Problem *whole, const Kernels *kernels, const Machine *machine, ConfigurationVisitor *visit,
                  void *context) {
    enum { MOST_GROUPS = 16, MOST_PANELS = 8 };
    const Problem copy = one_copy(whole), *p = &copy;
    const int64_t height = p->out[0].size[AXIS_H];
    const int n_panels = copies_of(whole) * (int)div_up(div_up(p->oc, kernels->lanes), PANEL);
    for (int parts = p->precision == PRECISION_BF16 ? 1 : 2; parts <= AMX_MAX_PARTS; parts++) {
        // Even numbers of rows, a little more than fit; more than there are mean all.
        const int64_t fit = rows_within(p, parts, (int64_t)machine->l2 / 2), all = MAX(fit, round_up(height, 2));
        Knob rows = knob(ROWS_A_UNIT, fit);
        for (int64_t each = 2; each < height && each <= fit + fit / 2; each += 2) knob_add(&rows, each);
        if (fit + fit / 2 >= height) knob_add(&rows, all);
        Configuration c = {.arithmetic = {parts}, .schedule = {[KIND] = ROWS, [PANELS_A_UNIT] = n_panels}};
        const Knob paced = knob_switch(PACED, true);
        if (!knobs_visit(&c, (Knob[]){rows, paced}, 2, visit, context)) return false;
        c.schedule[KIND] = IMAGE;
        rows = knob(ROWS_A_UNIT, round_up(height, 2));
        Knob panels = knob(PANELS_A_UNIT, 1);
        for (int64_t groups = 2; groups <= MOST_GROUPS; groups++)
            if (div_up(height, groups) > 2) knob_add(&rows, round_up(div_up(height, groups), 2));
        for (int each = 2; each <= MIN(n_panels, MOST_PANELS); each++) knob_add(&panels, each);
        Knob chunk = knob(CHUNK, 0);
        const int64_t usual = chunk_within(p, parts, (int64_t)machine->l2);
        if (usual) knob_add(&chunk, usual), knob_add(&chunk, div_up(usual, 2));
        if (!knobs_visit(&c, (Knob[]){rows, panels, paced, chunk}, 4, visit, context)) return false;
    }
    return true;
}
// Bytes a cycle that one core gets from the level where `bytes` fit.
static double rate(double bytes, const Machine *machine) {
    if (bytes < 0.7 * (double)machine->l2) return 40;
    return bytes < 0.5 * (double)machine->l3 ? 10 : 5;
}
static double estimate(const Problem *whole, const Configuration *configuration, const Kernels *kernels,
                       const Machine *machine) {
    enum { PRODUCT_CYCLES = 16, SPLIT_CYCLES = 10, FINISH_CYCLES = 6 };
    const ConvAmx c = describe(whole, configuration, kernels);
    const Problem *p = &c.problem;
    const double units = (double)(p->out[0].shape.dim[0] * p->out[0].size[AXIS_D] * c.row_groups * c.panel_groups);
    const double width = (double)p->out[0].size[AXIS_W], rows = (double)c.rows_a_unit;
    const double line = c.flat ? (rows - 1) * (double)c.layout.width + width : width;
    const double tiles = ceil(line / AMX_TILE_PIXELS) * (c.flat ? 1 : rows);
    const double vectors = (double)MIN(c.copies * c.out_blocks, (int64_t)c.panels_a_unit * PANEL);
    const double deep = (double)(c.blocks * c.pixels.taps) * products(c.parts);
    // Paced, finishing hides behind the products of as many taps as it takes.
    const double beside = c.paced ? MIN(1, (double)(c.blocks * c.pixels.taps) * PACE_PIXELS / MOST_PIXELS) : 0;
    double cycles =
        tiles * vectors *
        (deep * PRODUCT_CYCLES / (c.paced ? 0.9 : 0.83) + AMX_TILE_PIXELS * FINISH_CYCLES * (1 - 0.5 * beside));
    const double weights = (double)c.blocks * c.pixels.taps * c.parts * vectors * TILE_BYTES;
    const double held = (double)c.layout.bytes * (c.schedule == ROWS ? 1 : (rows + 2) / (double)c.layout.rows);
    // Weights of a panel stay in L2 while the pixels pass by, if they fit beside them; half of L2 is had for sure
    // (measured: Granite Rapids, 3x3, 512 to 1024 channels).
    const double busy = (double)chunk_bytes(p, c.parts, c.chunk) / (double)machine->l2;
    const double passes = ceil(tiles / AMX_MAX_TILES * PANEL); // of each panel's weights
    if (c.schedule == IMAGE) cycles += passes * weights * MAX(0, MIN(busy - 0.5, 1)) * 0.075;
    cycles += c.sums_bytes ? tiles * vectors * TILE_BYTES * ceil((double)c.blocks / (double)c.chunk) / 10 : 0;
    cycles += weights / rate(c.schedule == ROWS ? weights + held : weights * units, machine);
    const double split = (double)(c.blocks * c.layout.slices * c.layout.rows * c.layout.width) * SPLIT_CYCLES *
                         (1 + (c.parts - 2) * 0.5); // one part: half of two
    if (c.schedule == ROWS) {
        cycles += split + (double)c.layout.bytes / 16;
        if (held > 0.8 * (double)machine->l2) cycles *= 1.3;
    } else {
        cycles += held / rate((double)c.layout.bytes + weights, machine);
        cycles += (split + 2 * (double)c.layout.bytes / rate((double)c.layout.bytes, machine)) *
                  (double)p->out[0].shape.dim[0] / units;
    }
    const double rounds = ceil(units / p->threads);
    return cycles * rounds + (c.schedule == IMAGE ? 6000 : 3000);
}

static Status make_offsets(ConvAmx *c, Arena *arena) {
    const Problem *p = &c->problem;
    int32_t *offset = arena_array(arena, (size_t)c->pixels.taps, sizeof *offset);
    if (!offset) return fail_memory((size_t)c->pixels.taps * sizeof *offset);
    for (int t = 0; t < c->pixels.taps; t++) {
        const int64_t w = t % p->kernel[AXIS_W], h = t / p->kernel[AXIS_W] % p->kernel[AXIS_H];
        const int64_t d = t / p->kernel[AXIS_W] / p->kernel[AXIS_H];
        const int64_t at = d * p->dilation[AXIS_D] * c->layout.slice + h * p->dilation[AXIS_H] * c->layout.row +
                           w * p->dilation[AXIS_W] * AMX_PIXEL_BYTES;
        FAIL_IF(at > INT32_MAX, ST_UNSUPPORTED, "a convolution reaches too far: %lld bytes", (long long)at);
        offset[t] = (int32_t)at;
    }
    c->pixels.offset = offset;
    return ST_OK;
}
static size_t prepared_bytes(const Problem *p, const Configuration *configuration, const Kernels *kernels) {
    const ConvAmx c = describe(p, configuration, kernels);
    return (size_t)(c.copies * c.blocks * c.pixels.taps * c.parts * div_up(p->oc, kernels->lanes) * TILE_BYTES);
}
static Status lower(const Problem *p, const Configuration *configuration, Lowering *lowering) {
    ConvAmx *c = arena_alloc(lowering->arena, sizeof *c);
    if (!c) return fail_memory(sizeof *c);
    *c = describe(p, configuration, lowering->kernels);
    c->in = lowering->in[0], c->residual = lowering->in[1];
    c->out = lowering->out[0], c->pooled = lowering->out[1], c->split = c->halved_in ? c->in : lowering->temporary;
    TRY(make_offsets(c, lowering->arena));
    if (p->has_pool) TRY(pair_windows(p->out[1].size[AXIS_W], lowering->arena, &c->pool_first, &c->pool_count));
    c->weights = lowering_weights(lowering, prepared_bytes(p, configuration, lowering->kernels));
    TRY(lowering_prepare(lowering, prepare_unit, c, c->n_panels * c->blocks, 0));
    TRY(conv_lower_bias(p, lowering, &c->bias));
    TRY(conv_lower_pool(p, lowering, &c->pool_factors));
    const int64_t images = p->out[0].shape.dim[0], groups = images * c->problem.out[0].size[AXIS_D] * c->row_groups;
    const int64_t kept = c->kept.bytes;
    if (c->schedule == ROWS) return lowering_phase(lowering, rows_unit, c, groups, (size_t)(c->layout.bytes + kept));
    if (!c->halved_in) TRY(lowering_phase(lowering, split_unit, c, images * c->blocks * c->layout.slices, 0));
    return lowering_phase(lowering, image_unit, c, groups * c->panel_groups, (size_t)(kept + c->sums_bytes));
}
// One part, two parts: what is left out of the products, whatever the number of channels. Three: the sums.
static double error(const Problem *p, const Configuration *c, const Kernels *kernels) {
    const double taps = (double)problem_taps(p) / copies_of(p);
    const double terms = (double)round_up(p->ic, AMX_CHANNELS) * taps / 32; // a product of tiles adds 32 at a time
    switch (c->arithmetic[0]) {
    case 1: return 2.5e-3;
    case 2: return 4.6e-6;
    default: return chain_error(kernels, 6 * terms + 6);
    }
}
static Effort effort(const Configuration *c) {
    return (Effort){products(c->arithmetic[0]), .on_tiles = true, .rounds = c->arithmetic[0] < AMX_MAX_PARTS};
}
// One part is what bfloat16 holds; a residual is added to sums.
static bool may_halve(const Problem *p, const Configuration *c, int operand, bool *together) {
    const int outputs = p->n_inputs;
    *together = operand >= outputs;
    return c->arithmetic[0] == 1 && (operand == 0 || operand >= outputs);
}
static void print(const Configuration *c, Text *text) {
    if (c->arithmetic[0] == 1) text_add(text, "products of bf16");
    else text_add(text, "%d products of bf16 parts", products(c->arithmetic[0]));
    const int32_t *n = c->schedule;
    text_add(text, ", %d rows a unit", (int)n[ROWS_A_UNIT]);
    if (n[KIND] == IMAGE) text_add(text, ", %d panels, whole image split", (int)n[PANELS_A_UNIT]);
    if (n[CHUNK]) text_add(text, ", %d channels at a time", (int)n[CHUNK] * AMX_CHANNELS);
    if (n[PACED]) text_add(text, ", paced");
}
static void explain(const Problem *p, const Configuration *c, const Kernels *kernels, const Machine *machine,
                    Text *text) {
    (void)c, (void)machine;
    explain_places(text, "input channels", p->ic, round_up(p->ic, AMX_PIXEL_BYTES / 2));
    explain_places(text, "output channels", p->oc, round_up(p->oc, kernels->lanes));
}
const Solver solver_conv_amx = {.name = "conv_amx",
                                .version = 3,
                                .kind = PROBLEM_CONV,
                                .applicable = applicable,
                                .configurations = configurations,
                                .estimate = estimate,
                                .temporary = temporary,
                                .lower = lower,
                                .print = print,
                                .error = error,
                                .effort = effort,
                                .may_halve = may_halve,
                                .prepared_bytes = prepared_bytes,
                                .space = space,
                                .explain = explain};
const Solver solver_conv_transpose_amx = {.name = "conv_transpose_amx",
                                          .version = 1,
                                          .kind = PROBLEM_CONV_TRANSPOSE,
                                          .applicable = applicable,
                                          .configurations = configurations,
                                          .estimate = estimate,
                                          .temporary = temporary,
                                          .lower = lower,
                                          .print = print,
                                          .error = error,
                                          .effort = effort,
                                          .may_halve = may_halve,
                                          .prepared_bytes = prepared_bytes,
                                          .space = space,
                                          .explain = explain};

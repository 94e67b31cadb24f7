// Tokens to an image and back: plain (n, pixels, c) to blocked (n, c, d, h, w) with as many pixels, or the other way; a
// transposition and a change of layout in one visit. Bound by memory.
// Unit: some rows of the image with all their channels, so that lines of tokens are touched once.
#include "solver/blocked.h"

typedef struct TokensWork {
    const Kernels *kernels;
    Layout image;
    bool to_image;
    Ref tokens_at, image_at;
    int64_t rows, rows_a_unit;
} TokensWork;

static bool is_image(const Layout *layout) { return layout->shape.rank > 3; }
static bool applicable(const Problem *p, const Kernels *kernels, Need *need) {
    if (!all_float32(p) || is_image(&p->in[0]) == is_image(&p->out[0])) return false;
    need->in[0] = is_image(&p->in[0]) ? need_blocked(kernels) : need_plain();
    need->out[0] = is_image(&p->out[0]) ? need_blocked(kernels) : need_plain();
    return true;
}
static double estimate(const Problem *p, const Configuration *c, const Kernels *kernels, const Machine *machine) {
    (void)c, (void)machine;
    const double vectors = (double)shape_count(&p->out[0].shape) / kernels->lanes;
    return streaming_estimate(p, vectors * 2, 2 * operand_bytes(&p->out[0]));
}
static void rows_unit(const void *arguments, char *const *bases, int64_t unit, void *scratch) {
    (void)scratch;
    const TokensWork *w = arguments;
    const Layout *l = &w->image;
    const int64_t width = l->size[AXIS_W], end = MIN((unit + 1) * w->rows_a_unit, w->rows);
    for (int64_t row = unit * w->rows_a_unit; row < end; row++) {
        const int64_t h = row % l->size[AXIS_H], slice = row / l->size[AXIS_H];
        const int64_t d = slice % l->size[AXIS_D], n = slice / l->size[AXIS_D];
        for (int64_t block = 0; block < l->blocks; block++) {
            float *tokens = (float *)ref_at(bases, w->tokens_at) + row * width * l->c + block * l->block;
            float *image = (float *)ref_at(bases, w->image_at) + row_at(l, n, block, d, h);
            const int channels = (int)MIN(l->block, l->c - block * l->block);
            if (w->to_image) w->kernels->copy_pixels(tokens, l->c, channels, l->block, image, l->block, width);
            else w->kernels->copy_pixels(image, l->block, channels, channels, tokens, l->c, width);
        }
    }
}
static Status lower(const Problem *p, const Configuration *c, Lowering *lowering) {
    (void)c;
    TokensWork *w = arena_alloc(lowering->arena, sizeof *w);
    if (!w) return fail_memory(sizeof *w);
    *w = (TokensWork){.kernels = lowering->kernels, .to_image = is_image(&p->out[0])};
    w->image = w->to_image ? p->out[0] : p->in[0];
    w->image_at = w->to_image ? lowering->out[0] : lowering->in[0];
    w->tokens_at = w->to_image ? lowering->in[0] : lowering->out[0];
    const int64_t row_bytes = w->image.size[AXIS_W] * w->image.c * (int64_t)sizeof(float);
    w->rows = w->image.n * w->image.size[AXIS_D] * w->image.size[AXIS_H];
    w->rows_a_unit = MAX(1, UNIT_BYTES / MAX(row_bytes, 1));
    return lowering_phase(lowering, rows_unit, w, div_up(w->rows, w->rows_a_unit), 0);
}
const Solver solver_tokens = {.name = "tokens",
                              .version = 1,
                              .kind = PROBLEM_TOKENS,
                              .applicable = applicable,
                              .configurations = one_configuration,
                              .estimate = estimate,
                              .lower = lower};

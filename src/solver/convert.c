// From one layout to another: plain <-> blocked, or blocked with another block. Bound by memory.
// Unit: some rows of one channel block (of the blocked side; of the target when both are).
#include "solver/convert.h"
#include <string.h>

enum { ROWS_A_UNIT = 16 };

typedef struct Convert {
    Problem problem;
    const Kernels *kernels;
    const void *constant; // read instead of `in`, unless NULL
    Ref in, out;
    int64_t row_groups;
} Convert;
static const void *source(const Convert *w, char *const *bases) {
    return w->constant ? w->constant : ref_at(bases, w->in);
}

// Rows of a plain tensor: the first value of (n, c, d, h), and the distance between channels.
static int64_t plain_row(const Layout *blocked, int64_t n, int64_t c, int64_t d, int64_t h) {
    return (((n * blocked->c + c) * blocked->size[AXIS_D] + d) * blocked->size[AXIS_H] + h) * blocked->size[AXIS_W];
}
static int64_t plain_plane(const Layout *l) { return l->size[AXIS_D] * l->size[AXIS_H] * l->size[AXIS_W]; }
static int64_t blocked_row(const Layout *l, int64_t n, int64_t block, int64_t d, int64_t h) {
    return n * l->stride_n + block * l->stride_block + d * l->stride[AXIS_D] + h * l->stride[AXIS_H];
}
// Between blocked layouts: whole rows when the blocks are equal, else value by value (a first layer's input that
// others read too).
static void reblock_row(const Layout *in, const float *from, const Layout *out, float *to, int64_t n, int64_t block,
                        int64_t d, int64_t h) {
    if (in->block == out->block) {
        memcpy(to + blocked_row(out, n, block, d, h), from + blocked_row(in, n, block, d, h),
               (size_t)(out->size[AXIS_W] * out->block) * sizeof(float));
        return;
    }
    for (int64_t x = 0; x < out->size[AXIS_W]; x++)
        for (int lane = 0; lane < out->block; lane++) {
            const int64_t c = block * out->block + lane;
            float value = 0;
            if (c < out->c) value = from[blocked_row(in, n, c / in->block, d, h) + x * in->block + c % in->block];
            to[blocked_row(out, n, block, d, h) + x * out->block + lane] = value;
        }
}
static void unit_run(const void *arguments, char *const *bases, int64_t unit, void *scratch) {
    (void)scratch;
    const Convert *w = arguments;
    const Layout *in = &w->problem.in[0], *out = &w->problem.out[0];
    const Layout *l = out->kind == LAYOUT_BLOCKED ? out : in;
    const int64_t group = unit % w->row_groups, d = unit / w->row_groups % l->size[AXIS_D];
    const int64_t block = unit / w->row_groups / l->size[AXIS_D] % l->blocks;
    const int64_t n = unit / w->row_groups / l->size[AXIS_D] / l->blocks;
    const int channels = (int)MIN(l->block, l->c - block * l->block);
    const float *from = source(w, bases);
    float *to = ref_at(bases, w->out);
    const int64_t end = MIN((group + 1) * ROWS_A_UNIT, l->size[AXIS_H]);
    for (int64_t h = group * ROWS_A_UNIT; h < end; h++) {
        const int64_t plain = plain_row(l, n, block * l->block, d, h), row = blocked_row(l, n, block, d, h);
        if (in->kind == LAYOUT_BLOCKED && out->kind == LAYOUT_BLOCKED) reblock_row(in, from, out, to, n, block, d, h);
        else if (l == out)
            w->kernels->to_blocked(from + plain, plain_plane(l), channels, l->block, l->size[AXIS_W], to + row);
        else w->kernels->to_plain(from + row, l->block, channels, l->size[AXIS_W], to + plain, plain_plane(l));
    }
}
static void copy_unit(const void *arguments, char *const *bases, int64_t unit, void *scratch) {
    (void)unit, (void)scratch;
    const Convert *w = arguments;
    memcpy(ref_at(bases, w->out), source(w, bases), layout_bytes(&w->problem.in[0]));
}

static bool applicable(const Problem *p, const Kernels *kernels, Need *need) {
    (void)kernels;
    need->in[0].kind = p->in[0].kind, need->in[0].block = p->in[0].block;
    need->out[0].kind = p->out[0].kind, need->out[0].block = p->out[0].block;
    return (p->in[0].kind == LAYOUT_PLAIN && p->out[0].kind == LAYOUT_PLAIN) || p->in[0].dtype == DT_F32;
}
static double estimate(const Problem *p, const Configuration *c, const Kernels *kernels, const Machine *machine) {
    (void)c, (void)kernels, (void)machine;
    return 8.0 * (double)shape_count(&p->out[0].shape) / 6 / p->threads + 2000;
}
static int64_t row_units(Convert *w) {
    const Layout *l = w->problem.out[0].kind == LAYOUT_BLOCKED ? &w->problem.out[0] : &w->problem.in[0];
    w->row_groups = div_up(l->size[AXIS_H], ROWS_A_UNIT);
    return l->n * l->blocks * l->size[AXIS_D] * w->row_groups;
}
static Status lower(const Problem *p, const Configuration *c, Lowering *lowering) {
    (void)c;
    Convert *w = arena_alloc(lowering->arena, sizeof *w);
    if (!w) return fail_memory(sizeof *w);
    *w = (Convert){.problem = *p, .kernels = lowering->kernels, .in = lowering->in[0], .out = lowering->out[0]};
    if (p->in[0].kind == LAYOUT_PLAIN && p->out[0].kind == LAYOUT_PLAIN)
        return lowering_phase(lowering, copy_unit, w, 1, 0);
    return lowering_phase(lowering, unit_run, w, row_units(w), 0);
}
Status prepare_constant(Lowering *lowering, const Tensor *constant, const Layout *layout, Ref out) {
    Convert *w = arena_alloc(lowering->arena, sizeof *w);
    if (!w) return fail_memory(sizeof *w);
    *w = (Convert){.kernels = lowering->kernels, .constant = constant->data, .out = out};
    w->problem.in[0] = layout_plain(constant->dtype, &layout->shape), w->problem.out[0] = *layout;
    if (layout->kind == LAYOUT_PLAIN) return lowering_prepare(lowering, copy_unit, w, 1, 0);
    return lowering_prepare(lowering, unit_run, w, row_units(w), 0);
}
const Solver solver_convert = {.name = "convert",
                               .version = 1,
                               .kind = PROBLEM_CONVERT,
                               .applicable = applicable,
                               .configurations = one_configuration,
                               .estimate = estimate,
                               .lower = lower};

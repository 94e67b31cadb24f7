// Depthwise convolution: every channel by itself (group == ic == oc). A lane is a channel, so nothing is broadcast and
// nothing is wasted. Bound by loads. Unit: one block of channels, some rows.
//
// Where a border would hold far more than the image (dilation 36 on 16x16 pixels: 30 times), there is none: each row is
// cut into segments whose pixels have the same taps inside, and only those are added.
//
//     columns   0 ........ 11 | 12 ... 15        dilation 12, 16 pixels: the left tap is inside from 12 on,
//     taps        middle, right | left, middle    the right one up to 3
#include "solver/conv.h"
#include "solver/explain.h"
#include "solver/space.h"
#include <string.h>

enum { ROWS_A_UNIT = 8 };
// Numbers of a schedule, 0 where usual: rows a unit; units in the order of channel blocks instead of rows.
enum { ROWS, BY_BLOCKS };

// Taps begin .. end - 1 along one axis lie inside of the input.
typedef struct TapRange {
    int64_t begin, end;
} TapRange;
// Output columns begin .. end - 1, which have the same taps.
typedef struct Segment {
    int64_t begin, end;
    TapRange taps;
} Segment;

typedef struct Depthwise {
    Problem problem;
    const Kernels *kernels;
    Ref in, out, residual, weights, bias;
    int taps;
    const int32_t *offset; // (taps) floats
    int64_t rows_a_unit, row_groups;
    bool by_blocks;
    Segment *segments; // clipped only, else none
    int n_segments;
} Depthwise;

static bool clipped(const Problem *p) {
    OperandNeed need = {.kind = LAYOUT_BLOCKED};
    conv_border(p, &need);
    double bordered = 1, image = 1;
    for (int axis = 0; axis < AXES; axis++) {
        image *= (double)p->in[0].size[axis];
        bordered *= (double)(need.before[axis] + p->in[0].size[axis] + need.after[axis]);
    }
    return bordered > 3 * image;
}
static TapRange taps_inside(const Problem *p, int axis, int64_t output) {
    const int64_t first = output * p->stride[axis] - p->pad_begin[axis], dilation = p->dilation[axis];
    const int64_t left = p->in[0].size[axis] - first;
    const int64_t begin = MIN(p->kernel[axis], first < 0 ? div_up(-first, dilation) : 0);
    const int64_t end = MIN(p->kernel[axis], left > 0 ? div_up(left, dilation) : 0);
    return (TapRange){begin, MAX(begin, end)};
}
static int cut_segments(const Problem *p, Segment *segments) {
    int n = 0;
    for (int64_t x = 0; x < p->out[0].size[AXIS_W]; x++) {
        const TapRange taps = taps_inside(p, AXIS_W, x);
        if (!n || taps.begin != segments[n - 1].taps.begin || taps.end != segments[n - 1].taps.end)
            segments[n++] = (Segment){x, x, taps};
        segments[n - 1].end = x + 1;
    }
    return n;
}
// One row; arguments as those of the kernel. scratch: weights (taps, lanes), then offsets (taps), of those inside.
static void clipped_row(const Depthwise *w, int64_t d, int64_t h, const float *from, const float *weights,
                        const Epilogue *epilogue, const float *residual, float *to, void *scratch) {
    const Problem *p = &w->problem;
    const int lanes = w->kernels->lanes;
    const TapRange kd = taps_inside(p, AXIS_D, d), kh = taps_inside(p, AXIS_H, h);
    float *own_weights = scratch;
    int32_t *own_offset = (int32_t *)(own_weights + w->taps * lanes);
    for (int i = 0; i < w->n_segments; i++) {
        const Segment *s = &w->segments[i];
        int n = 0;
        for (int64_t z = kd.begin; z < kd.end; z++)
            for (int64_t y = kh.begin; y < kh.end; y++)
                for (int64_t x = s->taps.begin; x < s->taps.end; x++, n++) {
                    const int64_t tap = (z * p->kernel[AXIS_H] + y) * p->kernel[AXIS_W] + x;
                    own_offset[n] = w->offset[tap];
                    memcpy(own_weights + n * lanes, weights + tap * lanes, (size_t)lanes * sizeof(float));
                }
        const int64_t in_pixel = p->stride[AXIS_W] * lanes;
        w->kernels->depthwise(from + s->begin * in_pixel, in_pixel, own_offset, n, own_weights,
                              (int)(s->end - s->begin), epilogue, residual ? residual + s->begin * lanes : NULL, lanes,
                              to + s->begin * lanes, lanes);
    }
}

static void unit_run(const void *arguments, char *const *bases, int64_t unit, void *scratch) {
    const Depthwise *w = arguments;
    const Problem *p = &w->problem;
    const Layout *in = &p->in[0], *out = &p->out[0], *rest = &p->in[1];
    const int lanes = w->kernels->lanes;
    const int64_t units = w->row_groups * out->size[AXIS_D], of_image = unit % (units * out->blocks); // of a block
    const int64_t block = w->by_blocks ? of_image % out->blocks : of_image / units;
    const int64_t rows = w->by_blocks ? of_image / out->blocks : of_image % units;
    const int64_t group = rows % w->row_groups, d = rows / w->row_groups;
    const int64_t n = unit / (units * out->blocks);
    const float *weights = (const float *)ref_at(bases, w->weights) + block * w->taps * lanes;
    const Epilogue epilogue = conv_epilogue(p, bases, w->bias, block, lanes);
    const int64_t end = MIN((group + 1) * w->rows_a_unit, out->size[AXIS_H]);
    for (int64_t h = group * w->rows_a_unit; h < end; h++) {
        const float *from = (const float *)ref_at(bases, w->in) + n * in->stride_n + block * in->stride_block +
                            d * p->stride[AXIS_D] * in->stride[AXIS_D] + h * p->stride[AXIS_H] * in->stride[AXIS_H];
        float *to = (float *)ref_at(bases, w->out) + n * out->stride_n + block * out->stride_block +
                    d * out->stride[AXIS_D] + h * out->stride[AXIS_H];
        const float *residual = NULL;
        if (p->has_residual)
            residual = (const float *)ref_at(bases, w->residual) + n * rest->stride_n + block * rest->stride_block +
                       d * rest->stride[AXIS_D] + h * rest->stride[AXIS_H];
        if (w->segments) clipped_row(w, d, h, from, weights, &epilogue, residual, to, scratch);
        else
            w->kernels->depthwise(from, p->stride[AXIS_W] * lanes, w->offset, w->taps, weights, (int)out->size[AXIS_W],
                                  &epilogue, residual, lanes, to, lanes);
    }
}
// Unit: one block of channels. [block][tap][lane].
static void prepare_unit(const void *arguments, char *const *bases, int64_t unit, void *scratch) {
    (void)scratch;
    const Depthwise *w = arguments;
    const int lanes = w->kernels->lanes;
    float *to = (float *)ref_at(bases, w->weights) + unit * w->taps * lanes;
    for (int t = 0; t < w->taps; t++)
        for (int lane = 0; lane < lanes; lane++) {
            const int64_t c = unit * lanes + lane;
            to[t * lanes + lane] = c < w->problem.oc ? w->problem.weight[c * w->taps + t] : 0;
        }
}

static bool applicable(const Problem *p, const Kernels *kernels, Need *need) {
    if (p->group != p->ic || p->ic != p->oc || p->group == 1 || p->has_pool || !p->weight) return false;
    for (int i = 0; i < p->n_inputs; i++) need->in[i] = (OperandNeed){LAYOUT_BLOCKED, kernels->lanes, {0}, {0}};
    need->out[0] = (OperandNeed){LAYOUT_BLOCKED, kernels->lanes, {0}, {0}};
    if (!clipped(p)) conv_border(p, &need->in[0]);
    return true;
}
static double estimate(const Problem *p, const Configuration *c, const Kernels *kernels, const Machine *machine) {
    const double usual = problem_flop(p) / (0.3 * kernels_peak(kernels, machine)) / p->threads + 2000;
    if (!c->schedule[ROWS] && !c->schedule[BY_BLOCKS]) return usual;
    // Rows above and below that another unit reads again; units to hand out; threads that wait for the last.
    const int64_t height = p->out[0].size[AXIS_H], rows = c->schedule[ROWS] ? c->schedule[ROWS] : ROWS_A_UNIT;
    const double again = (double)(p->kernel[AXIS_H] - 1) * (1.0 / (double)rows - 1.0 / ROWS_A_UNIT);
    const double slices = (double)(p->out[0].shape.dim[0] * div_up(p->oc, kernels->lanes) * p->out[0].size[AXIS_D]);
    const double units = slices * (double)div_up(height, rows), few = slices * (double)div_up(height, ROWS_A_UNIT);
    const double wait = (double)(div_up((int64_t)units, p->threads) * p->threads) / units;
    const double image = (double)shape_count(&p->in[0].shape) * sizeof(float);
    const bool apart = c->schedule[BY_BLOCKS] && image > 0.5 * (double)machine->l2; // neighbours' rows are gone
    return (usual * (1 + 0.1 * again + (apart ? 0.05 : 0)) + 200 * (units - few) / p->threads) * wait;
}
static bool space(const Problem *p, const Kernels *kernels, const Machine *machine, ConfigurationVisitor *visit,
                  void *context) {
    (void)machine;
    const int64_t height = p->out[0].size[AXIS_H], blocks = div_up(p->oc, kernels->lanes);
    const Knob rows = knob_cuts(ROWS, height, MIN(ROWS_A_UNIT, height), height);
    const Configuration c = {{0}, {0}};
    for (int i = 0; i < rows.count; i++) {
        const int64_t each = rows.value[i] ? rows.value[i] : ROWS_A_UNIT;
        const bool several = blocks > 1 && p->out[0].size[AXIS_D] * div_up(height, each) > 1;
        const Knob knobs[] = {knob(ROWS, rows.value[i]), knob_switch(BY_BLOCKS, several)};
        if (!knobs_visit(&c, knobs, COUNT_OF(knobs), visit, context)) return false;
    }
    return true;
}
static void print(const Configuration *c, Text *text) {
    if (c->schedule[ROWS]) text_add(text, "%d rows a unit", (int)c->schedule[ROWS]);
    if (c->schedule[BY_BLOCKS]) text_add(text, "%sblock by block", c->schedule[ROWS] ? ", " : "");
}
static Status lower(const Problem *p, const Configuration *c, Lowering *lowering) {
    Depthwise *w = arena_alloc(lowering->arena, sizeof *w);
    if (!w) return fail_memory(sizeof *w);
    *w = (Depthwise){.problem = *p,
                     .kernels = lowering->kernels,
                     .in = lowering->in[0],
                     .residual = lowering->in[1],
                     .out = lowering->out[0]};
    w->taps = (int)problem_taps(p);
    int32_t *offset = arena_array(lowering->arena, (size_t)w->taps, sizeof *offset);
    if (!offset) return fail_memory((size_t)w->taps * sizeof *offset);
    for (int t = 0; t < w->taps; t++) {
        const int64_t kw = t % p->kernel[AXIS_W], kh = t / p->kernel[AXIS_W] % p->kernel[AXIS_H];
        const int64_t kd = t / p->kernel[AXIS_W] / p->kernel[AXIS_H];
        TRY(conv_offset(p, kd, kh, kw, &offset[t]));
    }
    w->offset = offset;
    const int64_t blocks = p->out[0].blocks;
    const size_t block_bytes = (size_t)lowering->kernels->lanes * sizeof(float);
    w->weights = lowering_weights(lowering, (size_t)blocks * (size_t)w->taps * block_bytes);
    TRY(conv_lower_bias(p, lowering, &w->bias));
    w->rows_a_unit = c->schedule[ROWS] ? c->schedule[ROWS] : ROWS_A_UNIT;
    w->row_groups = div_up(p->out[0].size[AXIS_H], w->rows_a_unit);
    w->by_blocks = c->schedule[BY_BLOCKS];
    size_t scratch = 0;
    if (clipped(p)) {
        // Along the row each tap comes in once and goes out once.
        const size_t most = 2 * (size_t)p->kernel[AXIS_W] + 1;
        w->segments = arena_array(lowering->arena, most, sizeof *w->segments);
        if (!w->segments) return fail_memory(most * sizeof *w->segments);
        w->n_segments = cut_segments(p, w->segments);
        scratch = (size_t)w->taps * (block_bytes + sizeof *offset);
    }
    TRY(lowering_prepare(lowering, prepare_unit, w, blocks, 0));
    return lowering_phase(lowering, unit_run, w, p->out[0].n * blocks * p->out[0].size[AXIS_D] * w->row_groups,
                          scratch);
}
static double error(const Problem *p, const Configuration *c, const Kernels *kernels) {
    (void)c;
    return chain_error(kernels, (double)problem_taps(p));
}
static void explain(const Problem *p, const Configuration *c, const Kernels *kernels, const Machine *machine,
                    Text *text) {
    (void)c, (void)machine;
    explain_places(text, "channels", p->oc, round_up(p->oc, kernels->lanes));
}
const Solver solver_conv_depthwise = {.name = "conv_depthwise",
                                      .version = 2,
                                      .kind = PROBLEM_CONV,
                                      .applicable = applicable,
                                      .configurations = one_configuration,
                                      .estimate = estimate,
                                      .lower = lower,
                                      .print = print,
                                      .error = error,
                                      .same_weights = weights_by_arithmetic,
                                      .space = space,
                                      .explain = explain};

#include "solver/conv.h"
#include <string.h>

void conv_border(const Problem *p, OperandNeed *need) {
    for (int axis = 0; axis < AXES; axis++) {
        const int64_t last = (p->out[0].size[axis] - 1) * p->stride[axis] - p->pad_begin[axis] +
                             (p->kernel[axis] - 1) * p->dilation[axis];
        need->before[axis] = MAX(p->pad_begin[axis], 0);
        need->after[axis] = MAX(last - (p->in[0].size[axis] - 1), 0);
    }
}
Status conv_offset(const Problem *p, int64_t d, int64_t h, int64_t w, int32_t *out) {
    const Layout *in = &p->in[0];
    const int64_t at = (d * p->dilation[AXIS_D] - p->pad_begin[AXIS_D]) * in->stride[AXIS_D] +
                       (h * p->dilation[AXIS_H] - p->pad_begin[AXIS_H]) * in->stride[AXIS_H] +
                       (w * p->dilation[AXIS_W] - p->pad_begin[AXIS_W]) * in->block;
    FAIL_IF(at > INT32_MAX || at < INT32_MIN, ST_UNSUPPORTED, "a convolution reaches too far: %lld values",
            (long long)at);
    *out = (int32_t)at;
    return ST_OK;
}

typedef struct BiasWork {
    const float *bias; // (channels)
    int64_t channels, padded;
    Ref to;
} BiasWork;
static void bias_unit(const void *arguments, char *const *bases, int64_t unit, void *scratch) {
    (void)unit, (void)scratch;
    const BiasWork *w = arguments;
    float *to = ref_at(bases, w->to);
    memcpy(to, w->bias, (size_t)w->channels * sizeof *to);
    memset(to + w->channels, 0, (size_t)(w->padded - w->channels) * sizeof *to);
}
Status conv_lower_bias(const Problem *p, Lowering *lowering, Ref *bias) {
    if (!p->bias) return ST_OK;
    BiasWork *w = arena_alloc(lowering->arena, sizeof *w);
    if (!w) return fail_memory(sizeof *w);
    const int64_t padded = round_up(p->oc, lowering->kernels->lanes);
    *bias = lowering_weights(lowering, (size_t)padded * sizeof(float));
    *w = (BiasWork){p->bias, p->oc, padded, *bias};
    return lowering_prepare(lowering, bias_unit, w, 1, 0);
}
Epilogue conv_epilogue(const Problem *p, char *const *bases, Ref bias, int64_t block, int lanes) {
    return (Epilogue){p->bias ? (const float *)ref_at(bases, bias) + block * lanes : NULL, p->activation};
}

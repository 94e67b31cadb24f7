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

typedef struct ChannelsWork {
    const float *from; // (channels)
    int64_t channels, padded;
    Ref to;
} ChannelsWork;
static void channels_unit(const void *arguments, char *const *bases, int64_t unit, void *scratch) {
    (void)unit, (void)scratch;
    const ChannelsWork *w = arguments;
    float *to = ref_at(bases, w->to);
    memcpy(to, w->from, (size_t)w->channels * sizeof *to);
    memset(to + w->channels, 0, (size_t)(w->padded - w->channels) * sizeof *to);
}
static Status lower_channels(const float *from, int64_t channels, int64_t padded, Lowering *lowering, Ref to) {
    ChannelsWork *w = arena_alloc(lowering->arena, sizeof *w);
    if (!w) return fail_memory(sizeof *w);
    *w = (ChannelsWork){from, channels, padded, to};
    return lowering_prepare(lowering, channels_unit, w, 1, 0);
}
Status conv_lower_bias(const Problem *p, Lowering *lowering, Ref *bias) {
    if (!p->bias) return ST_OK;
    const int64_t padded = round_up(p->oc, lowering->kernels->lanes);
    *bias = lowering_weights(lowering, (size_t)padded * sizeof(float));
    return lower_channels(p->bias, p->oc, padded, lowering, *bias);
}
Status conv_lower_pool(const Problem *p, Lowering *lowering, Ref *factors) {
    if (!p->has_pool || !p->pool_scale) return ST_OK;
    const int64_t padded = round_up(p->oc, lowering->kernels->lanes);
    *factors = lowering_weights(lowering, 2 * (size_t)padded * sizeof(float));
    TRY(lower_channels(p->pool_scale, p->oc, padded, lowering, *factors));
    return lower_channels(p->pool_shift, p->oc, padded, lowering, ref_add(*factors, padded * (int64_t)sizeof(float)));
}
void conv_pool_epilogue(const Problem *p, char *const *bases, Ref factors, int64_t block, int lanes,
                        Epilogue *epilogue) {
    if (!p->has_pool || !p->pool_scale) return;
    epilogue->pool_scale = (const float *)ref_at(bases, factors) + block * lanes;
    epilogue->pool_shift = epilogue->pool_scale + round_up(p->oc, lanes);
    epilogue->pool_activation = p->pool_activation;
}
Epilogue conv_epilogue(const Problem *p, char *const *bases, Ref bias, int64_t block, int lanes) {
    return (Epilogue){.bias = p->bias ? (const float *)ref_at(bases, bias) + block * lanes : NULL,
                      .activation = p->activation};
}

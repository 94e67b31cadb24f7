#include "reference/spatial.h"

Status spatial_of(const Evaluation *e, const Tensor *x, const Tensor *weight, Spatial *out) {
    Window window;
    TRY(window_of(e->node, &x->shape, weight ? &weight->shape : NULL, &window));
    *out = (Spatial){.n = x->shape.dim[0], .ic = x->shape.dim[1], .oc = e->outputs[0].shape.dim[1]};
    out->group = weight ? window.group : 1;
    out->input_size = out->output_size = out->kernel_size = 1;
    for (int d = 0; d < 3; d++) {
        const int from = d - (3 - window.spatial); // the last dims are the real ones
        const bool real = from >= 0;
        out->input[d] = real ? window.input[from] : 1;
        out->output[d] = real ? window.output[from] : 1;
        out->kernel[d] = real ? window.kernel[from] : 1;
        out->stride[d] = real ? window.stride[from] : 1;
        out->dilation[d] = real ? window.dilation[from] : 1;
        out->pad[d] = real ? window.pad_begin[from] : 0;
        out->pad_end[d] = real ? window.pad_end[from] : 0;
        out->input_size *= out->input[d];
        out->output_size *= out->output[d];
        out->kernel_size *= out->kernel[d];
    }
    return ST_OK;
}

Status find_taps(const Evaluation *e, const Spatial *s, int64_t width, int64_t count, Tap **out) {
    Tap *const taps = arena_array(e->scratch, (size_t)MAX(s->kernel_size, 1), sizeof(Tap));
    if (!taps) return fail_memory((size_t)s->kernel_size * sizeof(Tap));
    for (int64_t k = 0; k < s->kernel_size; k++) {
        const int64_t kw = k % s->kernel[2], stride = s->stride[2];
        Tap *const tap = &taps[k];
        tap->kh = k / s->kernel[2] % s->kernel[1];
        tap->kd = k / s->kernel[2] / s->kernel[1];
        tap->start = tap_position(s, 2, 0, kw);
        tap->first = tap->start < 0 ? div_up(-tap->start, stride) : 0;
        tap->last = width > tap->start ? MIN(count, div_up(width - tap->start, stride)) : 0;
        if (tap->last < tap->first) tap->first = tap->last = 0; // touches nothing
    }
    *out = taps;
    return ST_OK;
}

typedef struct Rows {
    const Evaluation *e;
    const Spatial *s;
    const Tap *taps;
    WeightsFunction *weights;
    RowFunction *compute;
    const double *x;
} Rows;

// The rows of output channel unit % oc of image unit / oc. scratch: a row, then the channel's weights.
static void compute_channel(const void *arguments, int64_t unit, void *scratch) {
    const Rows *const r = arguments;
    const Spatial *const s = r->s;
    const Tensor *const bias = input_or_null(r->e, 2);
    const int64_t n = unit / s->oc, oc = unit % s->oc, width = s->output[2];
    double *const row = scratch, *const w = row + width;
    r->weights(s, r->e->inputs[1], oc, w);
    for (int64_t od = 0; od < s->output[0]; od++)
        for (int64_t oh = 0; oh < s->output[1]; oh++) {
            for (int64_t i = 0; i < width; i++) row[i] = bias ? tensor_get(bias, oc) : 0;
            r->compute(s, r->taps, r->x, w, n, oc, od, oh, row);
            const int64_t at = (unit * s->output[0] + od) * s->output[1] + oh;
            tensor_write(&r->e->outputs[0], at * width, row, width);
        }
}

Status each_row(const Evaluation *e, const Spatial *s, const Tap *taps, WeightsFunction *weights,
                RowFunction *compute) {
    double *x;
    TRY(load_doubles(e, e->inputs[0], &x));
    const Rows rows = {e, s, taps, weights, compute, x};
    const int64_t doubles = s->output[2] + s->ic / s->group * s->kernel_size;
    return each_unit(e, compute_channel, &rows, s->n * s->oc, (size_t)doubles * sizeof(double));
}

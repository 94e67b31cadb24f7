// ConvTranspose: each input pixel spreads w over the outputs it would have been computed from by a Conv:
// y[n, oc, i stride - pad + k dilation] += w[ic, oc, k] x[n, ic, i]; what falls outside of y is lost. Here it is
// told from the outputs' side: which rows of x reach a row of y.
// Cost: 2 n ic (oc / group) input_size kernel_size FLOP.
#include "reference/rows.h"
#include "reference/spatial.h"

// The input index along `dim` that tap k spreads to output o, or -1.
static int64_t source_of(const Spatial *s, int dim, int64_t o, int64_t k) {
    const int64_t position = o + s->pad[dim] - k * s->dilation[dim];
    if (position < 0 || position % s->stride[dim] != 0) return -1;
    return position / s->stride[dim];
}

// One input channel's part in row (od, oh) of one output channel. x: (id, ih, iw); w: (kd, kh, kw).
static void spread_channel(const Spatial *s, const Tap *taps, int64_t od, int64_t oh, const double *x, const double *w,
                           double *row) {
    for (int64_t k = 0; k < s->kernel_size; k++) {
        const Tap *const t = &taps[k];
        const int64_t id = source_of(s, 0, od, t->kd), ih = source_of(s, 1, oh, t->kh);
        if (!inside(id, s->input[0]) || !inside(ih, s->input[1])) continue;
        const double *const from = x + (id * s->input[1] + ih) * s->input[2];
        row_scatter(row + t->start + t->first * s->stride[2], w[k], from + t->first, s->stride[2], t->last - t->first);
    }
}

// They lie (ic, oc / group, k).
static void weights_of(const Spatial *s, const Tensor *weight, int64_t oc, double *w) {
    const int64_t group_ic = s->ic / s->group, group_oc = s->oc / s->group, first_ic = oc / group_oc * group_ic;
    for (int64_t ic = 0; ic < group_ic; ic++)
        tensor_read(weight, ((first_ic + ic) * group_oc + oc % group_oc) * s->kernel_size, s->kernel_size,
                    w + ic * s->kernel_size);
}

static void compute_row(const Spatial *s, const Tap *taps, const double *x, const double *w, int64_t n, int64_t oc,
                        int64_t od, int64_t oh, double *row) {
    const int64_t group_ic = s->ic / s->group, first_ic = oc / (s->oc / s->group) * group_ic;
    for (int64_t ic = 0; ic < group_ic; ic++)
        spread_channel(s, taps, od, oh, x + (n * s->ic + first_ic + ic) * s->input_size, w + ic * s->kernel_size, row);
}

Status evaluate_ConvTranspose(const Evaluation *e) {
    Spatial s;
    TRY(spatial_of(e, e->inputs[0], e->inputs[1], &s));
    Tap *taps;
    TRY(find_taps(e, &s, s.output[2], s.input[2], &taps));
    return each_row(e, &s, taps, weights_of, compute_row);
}

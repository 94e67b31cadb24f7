// Conv: y[n, oc, o] = bias[oc] + sum over ic of the group, k of w[oc, ic, k] x[n, ic, o stride - pad + k dilation],
// where positions outside of x count as zero (they are skipped). One row of outputs at a time: each weight is applied
// to all of the row that it touches, so that the inner loop runs over contiguous doubles.
// Cost: 2 n oc (ic / group) output_size kernel_size FLOP; memory: x and a channel's w as doubles.
#include "reference/rows.h"
#include "reference/spatial.h"

// One input channel's part in row (od, oh) of one output channel. x: (id, ih, iw); w: (kd, kh, kw).
static void add_channel(const Spatial *s, const Tap *taps, int64_t od, int64_t oh, const double *x, const double *w,
                        double *row) {
    for (int64_t k = 0; k < s->kernel_size; k++) {
        const Tap *const t = &taps[k];
        const int64_t id = tap_position(s, 0, od, t->kd), ih = tap_position(s, 1, oh, t->kh);
        if (!inside(id, s->input[0]) || !inside(ih, s->input[1])) continue;
        const double *const from = x + (id * s->input[1] + ih) * s->input[2] + t->start;
        row_add(row + t->first, w[k], from + t->first * s->stride[2], s->stride[2], t->last - t->first);
    }
}

static void weights_of(const Spatial *s, const Tensor *weight, int64_t oc, double *w) {
    const int64_t count = s->ic / s->group * s->kernel_size;
    tensor_read(weight, oc * count, count, w);
}

// Row (od, oh) of output channel oc of image n.
static void compute_row(const Spatial *s, const Tap *taps, const double *x, const double *w, int64_t n, int64_t oc,
                        int64_t od, int64_t oh, double *row) {
    const int64_t group_ic = s->ic / s->group, first_ic = oc / (s->oc / s->group) * group_ic;
    for (int64_t ic = 0; ic < group_ic; ic++)
        add_channel(s, taps, od, oh, x + (n * s->ic + first_ic + ic) * s->input_size, w + ic * s->kernel_size, row);
}

Status evaluate_Conv(const Evaluation *e) {
    Spatial s;
    TRY(spatial_of(e, e->inputs[0], e->inputs[1], &s));
    Tap *taps;
    TRY(find_taps(e, &s, s.input[2], s.output[2], &taps));
    return each_row(e, &s, taps, weights_of, compute_row);
}

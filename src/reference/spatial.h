// Windows over one to three spatial dims, always written as three: (depth, height, width), missing ones of size 1.
#pragma once
#include "reference/evaluate.h"

typedef struct Spatial {
    int64_t input[3], output[3], kernel[3], stride[3], dilation[3], pad[3], pad_end[3];
    int64_t n, ic, oc, group;                     // oc = ic for pooling
    int64_t input_size, output_size, kernel_size; // products of the three
} Spatial;
// x: (n, ic, spatial...); weight: its tensor, or NULL for pooling; the output: (n, oc, spatial...).
Status spatial_of(const Evaluation *e, const Tensor *x, const Tensor *weight, Spatial *out);

// Where tap k of the window of output o lies on the input (for ConvTranspose: on the output, of input o).
static inline int64_t tap_position(const Spatial *s, int dim, int64_t o, int64_t k) {
    return o * s->stride[dim] - s->pad[dim] + k * s->dilation[dim];
}
static inline bool inside(int64_t position, int64_t size) { return position >= 0 && position < size; }

// ---- Convolutions ----

// A tap of the kernel, and the part of a row that it touches: indices i in [first, last), at start + i * stride.
typedef struct Tap {
    int64_t kd, kh;
    int64_t start, first, last;
} Tap;
// All of the kernel, as the weights lie. width: of the row that positions must lie in; count: of the indices.
Status find_taps(const Evaluation *e, const Spatial *s, int64_t width, int64_t count, Tap **out);

// Adds to row (od, oh) of output channel oc of image n. x: all of it; w: (ic / group, kd, kh, kw), what makes that
// channel.
typedef void RowFunction(const Spatial *s, const Tap *taps, const double *x, const double *w, int64_t n, int64_t oc,
                         int64_t od, int64_t oh, double *row);
// The weights of output channel oc, as a RowFunction has them.
typedef void WeightsFunction(const Spatial *s, const Tensor *weight, int64_t oc, double *w);
// Every row of the output, a channel at a time: begun with the bias (input 2, optional), computed, stored.
Status each_row(const Evaluation *e, const Spatial *s, const Tap *taps, WeightsFunction *weights, RowFunction *compute);

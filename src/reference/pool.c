// Pooling over (n, c, spatial...).
#include "reference/spatial.h"
#include <math.h>

// The taps of one window that lie on the input: flat offsets into the channel's image.
typedef struct Covered {
    const Spatial *spatial; // NULL: the whole image
    int64_t *offset;        // room for kernel_size
    int64_t count;
    int64_t padded; // taps on the input or its padding (but not beyond it, where ceil_mode may lead)
} Covered;

static void find_covered(const Spatial *s, const int64_t o[3], Covered *covered) {
    covered->count = covered->padded = 0;
    for (int64_t kd = 0; kd < s->kernel[0]; kd++)
        for (int64_t kh = 0; kh < s->kernel[1]; kh++)
            for (int64_t kw = 0; kw < s->kernel[2]; kw++) {
                const int64_t k[3] = {kd, kh, kw};
                int64_t offset = 0;
                bool all_inside = true, padded = true;
                for (int d = 0; d < 3; d++) {
                    const int64_t i = tap_position(s, d, o[d], k[d]);
                    all_inside = all_inside && inside(i, s->input[d]);
                    padded = padded && i < s->input[d] + s->pad_end[d];
                    offset = offset * s->input[d] + i;
                }
                if (all_inside) covered->offset[covered->count++] = offset;
                if (padded) covered->padded++;
            }
}

// Computes output `to` from the elements that a window covers of the image that begins at element `from` of x.
typedef void PoolFunction(const Evaluation *e, const Covered *covered, int64_t from, int64_t to);

static Status pool(const Evaluation *e, PoolFunction *function) {
    Spatial s;
    TRY(spatial_of(e, e->inputs[0], NULL, &s));
    Covered covered = {.spatial = &s, .offset = arena_array(e->scratch, (size_t)s.kernel_size, sizeof(int64_t))};
    if (!covered.offset) return fail_memory((size_t)s.kernel_size * sizeof(int64_t));
    int64_t o[3];
    for (o[0] = 0; o[0] < s.output[0]; o[0]++)
        for (o[1] = 0; o[1] < s.output[1]; o[1]++)
            for (o[2] = 0; o[2] < s.output[2]; o[2]++) {
                find_covered(&s, o, &covered);
                const int64_t at = (o[0] * s.output[1] + o[1]) * s.output[2] + o[2];
                for (int64_t c = 0; c < s.n * s.ic; c++)
                    function(e, &covered, c * s.input_size, c * s.output_size + at);
            }
    return ST_OK;
}

// Is element b beyond the largest so far, element a? The first of equal ones is the largest; NaN wins.
static bool is_larger(const Tensor *x, int64_t a, int64_t b) {
    if (!dtype_is_float(x->dtype)) return integer_less(x->dtype, tensor_get_int(x, a), tensor_get_int(x, b));
    const double largest = tensor_get(x, a), value = tensor_get(x, b);
    return value > largest || (isnan(value) && !isnan(largest));
}

// Element `at` of an image that begins at `from`, counted with the first spatial dim running fastest.
static int64_t column_major(const Spatial *s, int64_t from, int64_t at) {
    const int64_t w = at % s->input[2], h = at / s->input[2] % s->input[1], d = at / s->input[2] / s->input[1];
    return from + d + s->input[0] * (h + s->input[1] * w);
}

// A window without taps gives the lowest value.
static void pool_maximum(const Evaluation *e, const Covered *covered, int64_t from, int64_t to) {
    const Tensor *const x = e->inputs[0];
    int64_t best = covered->count > 0 ? covered->offset[0] : 0;
    for (int64_t i = 1; i < covered->count; i++)
        if (is_larger(x, from + best, from + covered->offset[i])) best = covered->offset[i];
    if (covered->count > 0) copy_element(&e->outputs[0], to, x, from + best);
    else if (dtype_is_float(x->dtype)) tensor_set(&e->outputs[0], to, -INFINITY);
    else tensor_set_int(&e->outputs[0], to, dtype_lowest(x->dtype));
    if (e->node->n_outputs == 1) return;
    const bool columns = node_int(e->node, "storage_order", 0) != 0;
    tensor_set_int(&e->outputs[1], to, columns ? column_major(covered->spatial, from, best) : from + best);
}

static double sum(const Tensor *x, const Covered *covered, int64_t from) {
    double total = 0;
    for (int64_t i = 0; i < covered->count; i++) total += tensor_get(x, from + covered->offset[i]);
    return total;
}
static void pool_mean(const Evaluation *e, const Covered *covered, int64_t from, int64_t to) {
    tensor_set(&e->outputs[0], to, sum(e->inputs[0], covered, from) / (double)covered->count);
}
// The padding counts as zeros.
static void pool_mean_padded(const Evaluation *e, const Covered *covered, int64_t from, int64_t to) {
    tensor_set(&e->outputs[0], to, sum(e->inputs[0], covered, from) / (double)covered->padded);
}

Status evaluate_MaxPool(const Evaluation *e) { return pool(e, pool_maximum); }
Status evaluate_AveragePool(const Evaluation *e) {
    return pool(e, node_int(e->node, "count_include_pad", 0) ? pool_mean_padded : pool_mean);
}

// One window over the whole image.
static Status pool_global(const Evaluation *e, PoolFunction *function) {
    const Shape *const shape = &e->inputs[0]->shape;
    const int64_t channels = product(shape, 0, 2), size = product(shape, 2, shape->rank);
    Covered covered = {.offset = arena_array(e->scratch, (size_t)MAX(size, 1), sizeof(int64_t)), .count = size};
    if (!covered.offset) return fail_memory((size_t)size * sizeof(int64_t));
    for (int64_t i = 0; i < size; i++) covered.offset[i] = i;
    for (int64_t c = 0; c < channels; c++) function(e, &covered, c * size, c);
    return ST_OK;
}
Status evaluate_GlobalMaxPool(const Evaluation *e) { return pool_global(e, pool_maximum); }
Status evaluate_GlobalAveragePool(const Evaluation *e) { return pool_global(e, pool_mean); }

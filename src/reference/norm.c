// Normalisations: y = (x - mean) / sqrt(variance + epsilon) * scale + bias; they differ in what mean and variance are
// taken over. The variance is that of the population, from the mean in a second pass.
#include "reference/evaluate.h"
#include <math.h>

static double epsilon_of(const Evaluation *e) { return node_float(e->node, "epsilon", 1e-5); }

// x (n, c, ...); scale, bias, mean, variance (c).
Status evaluate_BatchNormalization(const Evaluation *e) {
    const Tensor *const x = e->inputs[0];
    const int64_t channels = x->shape.rank > 1 ? x->shape.dim[1] : 1, size = product(&x->shape, 2, x->shape.rank);
    double *y;
    TRY(make_doubles(e, size, &y));
    for (int64_t i = 0; i < x->shape.dim[0] * channels; i++) {
        const int64_t c = i % channels;
        const double scale = tensor_get(e->inputs[1], c), bias = tensor_get(e->inputs[2], c);
        const double mean = tensor_get(e->inputs[3], c);
        const double deviation = sqrt(tensor_get(e->inputs[4], c) + epsilon_of(e));
        tensor_read(x, i * size, size, y);
        for (int64_t j = 0; j < size; j++) y[j] = (y[j] - mean) / deviation * scale + bias;
        tensor_write(&e->outputs[0], i * size, y, size);
    }
    return ST_OK;
}

typedef struct Statistics {
    double mean, deviation;
} Statistics;

// Elements [first, first + count) of x to mean 0 and variance 1. Says what they had.
static Statistics normalise(const Tensor *x, int64_t first, int64_t count, double epsilon, double *out) {
    double sum = 0, squares = 0;
    tensor_read(x, first, count, out);
    for (int64_t i = 0; i < count; i++) sum += out[i];
    const double mean = sum / (double)count;
    for (int64_t i = 0; i < count; i++) out[i] -= mean;
    for (int64_t i = 0; i < count; i++) squares += out[i] * out[i];
    const double deviation = sqrt(squares / (double)count + epsilon);
    for (int64_t i = 0; i < count; i++) out[i] /= deviation;
    return (Statistics){mean, deviation};
}

// x (n, c, ...) in groups of channels; scale, bias (c).
static Status normalise_groups(const Evaluation *e, int64_t groups) {
    const Tensor *const x = e->inputs[0];
    const int64_t channels = x->shape.dim[1], size = product(&x->shape, 2, x->shape.rank);
    FAIL_IF(groups < 1 || channels % groups != 0, ST_BAD, "expected channels in equal groups, got %lld in %lld",
            (long long)channels, (long long)groups);
    const int64_t count = channels / groups * size;
    double *y;
    TRY(make_doubles(e, count, &y));
    for (int64_t g = 0; g < x->shape.dim[0] * groups; g++) {
        normalise(x, g * count, count, epsilon_of(e), y);
        for (int64_t i = 0; i < count; i++) {
            const int64_t c = (g * count + i) / size % channels;
            y[i] = y[i] * tensor_get(e->inputs[1], c) + tensor_get(e->inputs[2], c);
        }
        tensor_write(&e->outputs[0], g * count, y, count);
    }
    return ST_OK;
}
Status evaluate_InstanceNormalization(const Evaluation *e) { return normalise_groups(e, e->inputs[0]->shape.dim[1]); }
Status evaluate_GroupNormalization(const Evaluation *e) {
    return normalise_groups(e, node_int(e->node, "num_groups", 1));
}

static void store_statistic(const Evaluation *e, int output, int64_t i, double value) {
    if (output < e->node->n_outputs) tensor_set(&e->outputs[output], i, value);
}

// Over the dims axis .. last; scale and bias are broadcast to x.
Status evaluate_LayerNormalization(const Evaluation *e) {
    const Tensor *const x = e->inputs[0], *const scale = e->inputs[1], *const bias = input_or_null(e, 2);
    int axis;
    TRY(read_axis(node_int(e->node, "axis", -1), x->shape.rank, &axis));
    const int64_t rows = product(&x->shape, 0, axis), count = product(&x->shape, axis, x->shape.rank);
    double *y;
    TRY(make_doubles(e, count, &y));
    Walk walk;
    walk_begin(&walk, &x->shape);
    broadcast_strides(&scale->shape, &x->shape, walk.stride[0]);
    if (bias) broadcast_strides(&bias->shape, &x->shape, walk.stride[1]);
    for (int64_t row = 0; row < rows; row++) {
        const Statistics had = normalise(x, row * count, count, epsilon_of(e), y);
        store_statistic(e, 1, row, had.mean);
        store_statistic(e, 2, row, 1 / had.deviation);
        for (int64_t i = 0; i < count; i++, walk_step(&walk))
            y[i] = y[i] * tensor_get(scale, walk.at[0]) + (bias ? tensor_get(bias, walk.at[1]) : 0);
        tensor_write(&e->outputs[0], row * count, y, count);
    }
    return ST_OK;
}

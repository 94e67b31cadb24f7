// Einsum: each element of the output is the sum, over all labels that it does not have, of the product of the inputs.
#include "graph/einsum.h"
#include "reference/evaluate.h"
#include <string.h>

enum { MAX_SUMMED = EINSUM_INPUTS * MAX_RANK };

typedef struct Contraction {
    const Tensor *input[EINSUM_INPUTS]; // [1] NULL: there is one only
    const double *real[EINSUM_INPUTS];  // its elements, where they are floats
    int n_summed;
    int64_t dim[MAX_SUMMED];                     // of the summed labels
    int64_t stride[EINSUM_INPUTS][MAX_SUMMED];   // of the inputs along them
    int64_t out_stride[EINSUM_INPUTS][MAX_RANK]; // and along the dims of the output
} Contraction;

static double sum_floats(const Contraction *c, int level, int64_t a, int64_t b) {
    if (level == c->n_summed) return c->input[1] ? c->real[0][a] * c->real[1][b] : c->real[0][a];
    double sum = 0;
    for (int64_t i = 0; i < c->dim[level]; i++)
        sum += sum_floats(c, level + 1, a + i * c->stride[0][level], b + i * c->stride[1][level]);
    return sum;
}

static uint64_t sum_integers(const Contraction *c, int level, int64_t a, int64_t b) { // wraps
    if (level == c->n_summed) {
        const uint64_t x = as_unsigned(tensor_get_int(c->input[0], a));
        return c->input[1] ? x * as_unsigned(tensor_get_int(c->input[1], b)) : x;
    }
    uint64_t sum = 0;
    for (int64_t i = 0; i < c->dim[level]; i++)
        sum += sum_integers(c, level + 1, a + i * c->stride[0][level], b + i * c->stride[1][level]);
    return sum;
}

// A label's way through each input: the sum of the strides of its dims there (a diagonal has several), none along a
// dim of 1, which is broadcast.
static void label_strides(const Einsum *einsum, const Contraction *c, int64_t stride[][EINSUM_LABELS]) {
    for (int i = 0; i < einsum->count; i++) {
        int64_t own[MAX_RANK];
        strides_of(&c->input[i]->shape, own);
        for (int k = 0; k < einsum->rank[i]; k++)
            if (c->input[i]->shape.dim[k] != 1) stride[i][einsum->label[i][k]] += own[k];
    }
}

static Status begin(const Evaluation *e, Contraction *c) {
    Einsum einsum;
    int ranks[EINSUM_INPUTS];
    const int64_t *dims[EINSUM_INPUTS];
    int64_t dim[EINSUM_LABELS], stride[EINSUM_INPUTS][EINSUM_LABELS] = {{0}};
    bool placed[EINSUM_LABELS] = {false};
    for (int i = 0; i < e->node->n_inputs; i++) {
        c->input[i] = e->inputs[i];
        ranks[i] = e->inputs[i]->shape.rank;
        dims[i] = e->inputs[i]->shape.dim;
    }
    TRY(einsum_read(e->node, ranks, &einsum));
    TRY(einsum_dims(&einsum, dims, dim));
    label_strides(&einsum, c, stride);
    for (int k = 0; k < einsum.rank[einsum.count]; k++) {
        const int label = einsum.label[einsum.count][k];
        for (int i = 0; i < einsum.count; i++) c->out_stride[i][k] = stride[i][label];
        placed[label] = true;
    }
    for (int label = 0; label < EINSUM_LABELS; label++) {
        if (placed[label] || dim[label] < 0) continue;
        for (int i = 0; i < einsum.count; i++) c->stride[i][c->n_summed] = stride[i][label];
        c->dim[c->n_summed++] = dim[label];
    }
    return ST_OK;
}

Status evaluate_Einsum(const Evaluation *e) {
    Tensor *const y = &e->outputs[0];
    const bool is_float = dtype_is_float(y->dtype);
    Contraction c = {0};
    TRY(begin(e, &c));
    for (int i = 0; i < e->node->n_inputs && is_float; i++) {
        double *values;
        TRY(load_doubles(e, c.input[i], &values));
        c.real[i] = values;
    }
    Walk walk;
    walk_begin(&walk, &y->shape);
    memcpy(walk.stride[0], c.out_stride[0], sizeof c.out_stride[0]);
    memcpy(walk.stride[1], c.out_stride[1], sizeof c.out_stride[1]);
    for (int64_t i = 0; walk.left > 0; i++, walk_step(&walk)) {
        if (is_float) tensor_set(y, i, sum_floats(&c, 0, walk.at[0], walk.at[1]));
        else tensor_set_int(y, i, (int64_t)sum_integers(&c, 0, walk.at[0], walk.at[1]));
    }
    return ST_OK;
}

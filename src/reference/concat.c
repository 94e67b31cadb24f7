// Concat and Split: one dim is laid end to end, or cut.
#include "reference/evaluate.h"

// Copies between `whole` and `part`, which covers [at, at + its dim) of the axis.
static void copy_part(Tensor *whole, Tensor *part, int axis, int64_t at, bool into_whole) {
    const int64_t inner = product(&whole->shape, axis + 1, whole->shape.rank);
    const int64_t run = part->shape.dim[axis] * inner, step = whole->shape.dim[axis] * inner;
    for (int64_t o = 0; o < product(&whole->shape, 0, axis); o++) {
        if (into_whole) copy_elements(whole, o * step + at * inner, part, o * run, run);
        else copy_elements(part, o * run, whole, o * step + at * inner, run);
    }
}

Status evaluate_Concat(const Evaluation *e) {
    int axis;
    TRY(read_axis(node_int(e->node, "axis", 0), e->outputs[0].shape.rank, &axis));
    int64_t at = 0;
    for (int i = 0; i < e->node->n_inputs; i++) {
        Tensor part = *e->inputs[i];
        copy_part(&e->outputs[0], &part, axis, at, true);
        at += part.shape.dim[axis];
    }
    return ST_OK;
}

// The sizes are those of the outputs.
Status evaluate_Split(const Evaluation *e) {
    Tensor x = *e->inputs[0];
    int axis;
    TRY(read_axis(node_int(e->node, "axis", 0), x.shape.rank, &axis));
    int64_t at = 0;
    for (int i = 0; i < e->node->n_outputs; i++) {
        copy_part(&x, &e->outputs[i], axis, at, false);
        at += e->outputs[i].shape.dim[axis];
    }
    return ST_OK;
}

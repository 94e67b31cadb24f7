// Ops that move or describe data without computing on it.
#include "reference/evaluate.h"
#include <string.h>

// The same elements in the same order under another shape.
static Status keep_order(const Evaluation *e) {
    copy_elements(&e->outputs[0], 0, e->inputs[0], 0, tensor_count(e->inputs[0]));
    return ST_OK;
}
Status evaluate_Reshape(const Evaluation *e) { return keep_order(e); }
Status evaluate_Flatten(const Evaluation *e) { return keep_order(e); }
Status evaluate_Squeeze(const Evaluation *e) { return keep_order(e); }
Status evaluate_Unsqueeze(const Evaluation *e) { return keep_order(e); }

// Dim i of y is dim perm[i] of x; without perm the order is reversed.
Status evaluate_Transpose(const Evaluation *e) {
    const Tensor *const x = e->inputs[0];
    const int64_t *perm;
    const size_t given = node_ints(e->node, "perm", &perm);
    int64_t own[MAX_RANK], stride[MAX_RANK];
    strides_of(&x->shape, own);
    for (int i = 0; i < x->shape.rank; i++) {
        int axis;
        TRY(read_axis(given ? perm[i] : x->shape.rank - 1 - i, x->shape.rank, &axis));
        stride[i] = own[axis];
    }
    copy_strided(&e->outputs[0], x, 0, stride);
    return ST_OK;
}

Status evaluate_Expand(const Evaluation *e) {
    int64_t stride[MAX_RANK];
    broadcast_strides(&e->inputs[0]->shape, &e->outputs[0].shape, stride);
    copy_strided(&e->outputs[0], e->inputs[0], 0, stride);
    return ST_OK;
}

Status evaluate_Tile(const Evaluation *e) {
    const Shape *const x = &e->inputs[0]->shape, *const y = &e->outputs[0].shape;
    int64_t *map[MAX_RANK];
    for (int axis = 0; axis < y->rank; axis++) {
        map[axis] = arena_array(e->scratch, (size_t)MAX(y->dim[axis], 1), sizeof(int64_t));
        if (!map[axis]) return fail_memory((size_t)y->dim[axis] * sizeof(int64_t));
        for (int64_t i = 0; i < y->dim[axis]; i++) map[axis][i] = i % x->dim[axis];
    }
    copy_mapped(&e->outputs[0], e->inputs[0], map, NULL);
    return ST_OK;
}

// ---- Blocks of b x b pixels to channels and back. h, w: of the side with fewer pixels; c: of the other. ----

// y[n][c][h][b1][w][b2] = x[n][b1][b2][c][h][w] (DCR), x[n][c][b1][b2][h][w] (CRD)
Status evaluate_DepthToSpace(const Evaluation *e) {
    const Shape *const x = &e->inputs[0]->shape;
    const int64_t b = node_int(e->node, "blocksize", 1), n = x->dim[0], h = x->dim[2], w = x->dim[3];
    const int64_t c = x->dim[1] / (b * b), hw = h * w;
    const bool crd = strcmp(node_string(e->node, "mode", "DCR"), "CRD") == 0;
    const int64_t step_c = crd ? b * b * hw : hw, step_b1 = crd ? b * hw : b * c * hw, step_b2 = crd ? hw : c * hw;
    Tensor view = e->outputs[0];
    view.shape = shape_of(6, (const int64_t[]){n, c, h, b, w, b});
    copy_strided(&view, e->inputs[0], 0, (const int64_t[MAX_RANK]){b * b * c * hw, step_c, w, step_b1, 1, step_b2});
    return ST_OK;
}

// y[n][b1][b2][c][h][w] = x[n][c][h][b1][w][b2]
Status evaluate_SpaceToDepth(const Evaluation *e) {
    const Shape *const x = &e->inputs[0]->shape;
    const int64_t b = node_int(e->node, "blocksize", 1), n = x->dim[0], c = x->dim[1];
    const int64_t h = x->dim[2] / b, w = x->dim[3] / b, size = x->dim[2] * x->dim[3];
    Tensor view = e->outputs[0];
    view.shape = shape_of(6, (const int64_t[]){n, b, b, c, h, w});
    copy_strided(&view, e->inputs[0], 0, (const int64_t[MAX_RANK]){c * size, w * b, 1, size, b * w * b, b});
    return ST_OK;
}

// ---- Numbers from shapes ----

Status evaluate_Shape(const Evaluation *e) {
    const Shape *const x = &e->inputs[0]->shape;
    int64_t start = node_int(e->node, "start", 0);
    if (start < 0) start += x->rank;
    if (start < 0) start = 0;
    for (int64_t i = 0; i < tensor_count(&e->outputs[0]); i++) tensor_set_int(&e->outputs[0], i, x->dim[start + i]);
    return ST_OK;
}

Status evaluate_Range(const Evaluation *e) {
    const Tensor *const start = e->inputs[0], *const delta = e->inputs[2];
    Tensor *const y = &e->outputs[0];
    for (int64_t i = 0; i < tensor_count(y); i++) {
        if (dtype_is_float(y->dtype)) tensor_set(y, i, tensor_get(start, 0) + (double)i * tensor_get(delta, 0));
        else
            tensor_set_int(y, i,
                           (int64_t)(as_unsigned(tensor_get_int(start, 0)) +
                                     as_unsigned(i) * as_unsigned(tensor_get_int(delta, 0))));
    }
    return ST_OK;
}

// Zeros (float32) unless the attribute says otherwise.
Status evaluate_ConstantOfShape(const Evaluation *e) {
    const Attr *const value = node_attr(e->node, "value");
    Tensor *const y = &e->outputs[0];
    for (int64_t i = 0; value && i < tensor_count(y); i++) {
        if (dtype_is_float(y->dtype)) tensor_set(y, i, tensor_get(&value->tensor, 0));
        else tensor_set_int(y, i, tensor_get_int(&value->tensor, 0));
    }
    return ST_OK;
}

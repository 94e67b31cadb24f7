#include "problem/layout.h"

Layout layout_plain(DType dtype, const Shape *shape) {
    Layout layout = {.kind = LAYOUT_PLAIN, .dtype = dtype, .shape = *shape, .block = 1};
    return layout;
}

// Rows whose distance is a multiple of a page compete for the same cache sets: such planes get one cache line more.
static int64_t spread_plane(int64_t floats) {
    enum { LINE = 16, PAGE = 1024 };
    floats = round_up(floats, LINE);
    return floats % PAGE == 0 ? floats + LINE : floats;
}

Status layout_blocked(const Shape *shape, int block, const int64_t before[AXES], const int64_t after[AXES],
                      Layout *out) {
    FAIL_IF(shape->rank < 3 || shape->rank > 5 || block < 1, ST_BAD, "a blocked layout needs 3 to 5 dims, got %d",
            shape->rank);
    Layout layout = {.kind = LAYOUT_BLOCKED, .dtype = DT_F32, .shape = *shape, .block = block};
    layout.n = shape->dim[0], layout.c = shape->dim[1];
    layout.blocks = div_up(layout.c, block);
    int64_t extent[AXES];
    for (int axis = 0; axis < AXES; axis++) {
        int from = axis - AXES + shape->rank; // the tensor's dim of this axis; 0 and 1 are n and c
        layout.size[axis] = from >= 2 ? shape->dim[from] : 1;
        layout.before[axis] = before[axis], layout.after[axis] = after[axis];
        FAIL_IF(!add_i64(layout.size[axis], before[axis], &extent[axis]) ||
                    !add_i64(extent[axis], after[axis], &extent[axis]),
                ST_BAD, "a tensor is too large");
    }
    int64_t plane, blocks;
    layout.stride[AXIS_W] = block;
    bool fits = mul_i64(extent[AXIS_W], block, &layout.stride[AXIS_H]) &&
                mul_i64(layout.stride[AXIS_H], extent[AXIS_H], &layout.stride[AXIS_D]) &&
                mul_i64(layout.stride[AXIS_D], extent[AXIS_D], &plane) && plane < INT64_MAX - 4096;
    layout.stride_block = fits ? spread_plane(plane) : 0;
    fits = fits && mul_i64(layout.stride_block, layout.blocks, &layout.stride_n) &&
           mul_i64(layout.stride_n, layout.n, &blocks) && blocks < INT64_MAX / 8;
    FAIL_IF(!fits, ST_BAD, "a tensor is too large");
    *out = layout;
    return ST_OK;
}

Status layout_halved(const Shape *shape, int block, const int64_t before[AXES], const int64_t after[AXES],
                     Layout *out) {
    Shape halves = *shape;
    halves.dim[1] = div_up(shape->dim[1], 2 * block) * block;
    TRY(layout_blocked(&halves, block, before, after, out));
    out->dtype = DT_BF16, out->shape = *shape, out->c = shape->dim[1];
    return ST_OK;
}

size_t layout_bytes(const Layout *layout) {
    if (layout->kind == LAYOUT_BLOCKED) return (size_t)(layout->stride_n * layout->n) * sizeof(float);
    Tensor tensor = {layout->dtype, layout->shape, NULL};
    return tensor_bytes(&tensor);
}
size_t layout_origin_bytes(const Layout *layout) {
    int64_t floats = 0;
    if (layout->kind == LAYOUT_BLOCKED)
        for (int axis = 0; axis < AXES; axis++) floats += layout->before[axis] * layout->stride[axis];
    return (size_t)floats * sizeof(float);
}
bool layout_same(const Layout *a, const Layout *b) {
    if (a->kind != b->kind || a->dtype != b->dtype || !shape_equal(&a->shape, &b->shape)) return false;
    if (a->kind == LAYOUT_PLAIN) return true;
    bool same = a->block == b->block && a->stride_n == b->stride_n && a->stride_block == b->stride_block;
    for (int axis = 0; axis < AXES; axis++) same = same && a->stride[axis] == b->stride[axis];
    return same;
}
void layout_print(Text *text, const Layout *layout) {
    shape_print(text, &layout->shape);
    if (layout->kind == LAYOUT_PLAIN) {
        text_add(text, " plain %s", dtype_name(layout->dtype));
        return;
    }
    text_add(text, " blocked by %d", layout->block);
    for (int axis = 0; axis < AXES; axis++)
        if (layout->before[axis] || layout->after[axis])
            text_add(text, " %c-%lld+%lld", "dhw"[axis], (long long)layout -> before[axis],
                     (long long)layout -> after[axis]);
}

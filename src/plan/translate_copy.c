// Ops that only move data, as strided copies between plain tensors: Slice, Split, Transpose, Pad, Expand, Tile,
// DepthToSpace, SpaceToDepth. Concat's plain form is here too.
#include "plan/planner.h"
#include <string.h>

static void strides_of(const Shape *shape, int64_t stride[MAX_RANK]) {
    int64_t step = 1;
    for (int i = shape->rank - 1; i >= 0; i--) stride[i] = step, step *= shape->dim[i];
}
// A region with room for `copies` copies from node input `input` to node output `output`.
static Status begin(Planner *planner, int index, int input, int output, int copies, Region **out, StridedCopy **list) {
    const Node *node = planner->graph->nodes[index];
    *list = arena_array(planner->arena, (size_t)copies, sizeof **list);
    if (!*list) return fail_memory((size_t)copies * sizeof **list);
    TRY(region_add(planner, planner->graph->values[node->outputs[output]].name, op_info(node->op)->name, index, out));
    Problem *problem = &(*out)->problem;
    problem->kind = PROBLEM_COPY;
    problem->n_inputs = problem->n_outputs = 1;
    problem->copies = *list, problem->n_copies = copies;
    (*out)->in_value[0] = node->inputs[input], (*out)->out_value[0] = node->outputs[output];
    return ST_OK;
}
static const int64_t *constant_ints(const Planner *planner, const Node *node, int i, size_t *count) {
    const Tensor *tensor = node_has_input(node, i) ? node_constant(planner->graph, node, i) : NULL;
    *count = tensor ? (size_t)tensor_count(tensor) : 0;
    if (!tensor) return NULL;
    int64_t *values = arena_array(planner->arena, *count + 1, sizeof *values);
    if (values)
        for (size_t k = 0; k < *count; k++) values[k] = tensor_get_int(tensor, (int64_t)k);
    return values;
}
static int wrap(int64_t axis, int rank) { return (int)(axis < 0 ? axis + rank : axis); }

// The whole output, each dim with a stride of the input.
static StridedCopy whole(const Shape *out, const int64_t *from_stride, int64_t from_offset) {
    StridedCopy copy = {.rank = out->rank, .from_offset = from_offset};
    strides_of(out, copy.to_stride);
    for (int i = 0; i < out->rank; i++) copy.count[i] = out->dim[i], copy.from_stride[i] = from_stride[i];
    return copy;
}
static Status copy_slice(Planner *planner, int index, bool *done) {
    const Node *node = planner->graph->nodes[index];
    Shape in, out;
    value_shape(planner, node->inputs[0], &in), value_shape(planner, node->outputs[0], &out);
    size_t n_starts, n_axes, n_steps;
    const int64_t *starts = constant_ints(planner, node, 1, &n_starts);
    const int64_t *axes = constant_ints(planner, node, 3, &n_axes), *steps = constant_ints(planner, node, 4, &n_steps);
    if (!starts || (node_has_input(node, 3) && !axes) || (node_has_input(node, 4) && !steps)) return ST_OK;
    int64_t stride[MAX_RANK], offset = 0, from[MAX_RANK];
    strides_of(&in, stride);
    memcpy(from, stride, sizeof from);
    for (size_t k = 0; k < n_starts; k++) {
        const int axis = axes ? wrap(axes[k], in.rank) : (int)k;
        const int64_t step = steps ? steps[k] : 1, size = in.dim[axis];
        int64_t start = starts[k] < 0 ? starts[k] + size : starts[k];
        start = step > 0 ? MAX(0, MIN(start, size)) : MAX(0, MIN(start, size - 1));
        offset += start * stride[axis], from[axis] = step * stride[axis];
    }
    Region *region;
    StridedCopy *list;
    TRY(begin(planner, index, 0, 0, 1, &region, &list));
    list[0] = whole(&out, from, offset);
    *done = true;
    return ST_OK;
}
static Status copy_split(Planner *planner, int index, bool *done) {
    const Node *node = planner->graph->nodes[index];
    Shape in, out;
    value_shape(planner, node->inputs[0], &in);
    const int axis = wrap(node_int(node, "axis", 0), in.rank);
    int64_t stride[MAX_RANK], offset = 0;
    strides_of(&in, stride);
    for (int i = 0; i < node->n_outputs; i++) {
        if (node->outputs[i] < 0) return ST_OK; // a size that cannot be known from here
        value_shape(planner, node->outputs[i], &out);
        Region *region;
        StridedCopy *list;
        TRY(begin(planner, index, 0, i, 1, &region, &list));
        list[0] = whole(&out, stride, offset);
        offset += out.dim[axis] * stride[axis];
    }
    *done = true;
    return ST_OK;
}
static Status copy_transpose(Planner *planner, int index, bool *done) {
    const Node *node = planner->graph->nodes[index];
    Shape in, out;
    value_shape(planner, node->inputs[0], &in), value_shape(planner, node->outputs[0], &out);
    const int64_t *perm;
    const size_t count = node_ints(node, "perm", &perm);
    int64_t stride[MAX_RANK], from[MAX_RANK];
    strides_of(&in, stride);
    for (int i = 0; i < in.rank; i++) from[i] = stride[count ? perm[i] : in.rank - 1 - i];
    Region *region;
    StridedCopy *list;
    TRY(begin(planner, index, 0, 0, 1, &region, &list));
    list[0] = whole(&out, from, 0);
    *done = true;
    return ST_OK;
}
static Status copy_expand(Planner *planner, int index, bool *done) {
    const Node *node = planner->graph->nodes[index];
    Shape in, out;
    value_shape(planner, node->inputs[0], &in), value_shape(planner, node->outputs[0], &out);
    int64_t stride[MAX_RANK], from[MAX_RANK] = {0};
    strides_of(&in, stride);
    for (int i = 0; i < in.rank; i++) {
        const int to = out.rank - in.rank + i;
        from[to] = in.dim[i] == 1 ? 0 : stride[i];
    }
    Region *region;
    StridedCopy *list;
    TRY(begin(planner, index, 0, 0, 1, &region, &list));
    list[0] = whole(&out, from, 0);
    *done = true;
    return ST_OK;
}
// Each dim becomes (repeats, size): needs twice the dims.
static Status copy_tile(Planner *planner, int index, bool *done) {
    const Node *node = planner->graph->nodes[index];
    Shape in, out;
    value_shape(planner, node->inputs[0], &in), value_shape(planner, node->outputs[0], &out);
    int64_t stride[MAX_RANK], to[MAX_RANK];
    strides_of(&in, stride), strides_of(&out, to);
    StridedCopy copy = {0};
    for (int i = 0; i < in.rank; i++) {
        const int64_t repeats = in.dim[i] ? out.dim[i] / in.dim[i] : 0;
        if (copy.rank + 1 + (repeats != 1) > MAX_RANK) return ST_OK;
        if (repeats != 1) {
            copy.count[copy.rank] = repeats, copy.to_stride[copy.rank] = in.dim[i] * to[i];
            copy.rank++;
        }
        copy.count[copy.rank] = in.dim[i], copy.from_stride[copy.rank] = stride[i], copy.to_stride[copy.rank] = to[i];
        copy.rank++;
    }
    Region *region;
    StridedCopy *list;
    TRY(begin(planner, index, 0, 0, 1, &region, &list));
    list[0] = copy;
    *done = true;
    return ST_OK;
}
// What Pad does along one axis: out.dim = before + inside + behind, the inside starting at `from`.
typedef struct AxisPad {
    int64_t before, inside, behind, from;
} AxisPad;

// False: they are not known. Negative pads cut first.
static bool pads_of(const Planner *planner, const Node *node, const Shape *in, const Shape *out,
                    AxisPad pad[MAX_RANK]) {
    size_t count, n_axes;
    const int64_t *pads = constant_ints(planner, node, 1, &count), *axes = constant_ints(planner, node, 3, &n_axes);
    if (!pads || (node_has_input(node, 3) && !axes)) return false;
    for (int i = 0; i < in->rank; i++) pad[i] = (AxisPad){.inside = in->dim[i]};
    for (size_t k = 0; k < count / 2; k++) {
        AxisPad *p = &pad[axes ? wrap(axes[k], in->rank) : (int)k];
        p->before = MAX(pads[k], 0), p->behind = MAX(pads[k + count / 2], 0), p->from = MAX(-pads[k], 0);
    }
    for (int i = 0; i < in->rank; i++) pad[i].inside = MAX(0, out->dim[i] - pad[i].before - pad[i].behind);
    return true;
}
// Constant padding: the inside, and for each axis a slab before and one behind (inside along earlier axes, everything
// along later ones), so that no place is written twice.
static Status copy_pad_constant(Planner *planner, int index, const Shape *in, const Shape *out, const AxisPad *pad,
                                bool *done) {
    const Node *node = planner->graph->nodes[index];
    const Tensor *value = node_has_input(node, 2) ? node_constant(planner->graph, node, 2) : NULL;
    if (node_has_input(node, 2) && !value) return ST_OK;
    int64_t stride[MAX_RANK];
    strides_of(in, stride);
    Region *region;
    StridedCopy *list;
    TRY(begin(planner, index, 0, 0, 1 + 2 * in->rank, &region, &list));
    StridedCopy copy = whole(out, stride, 0);
    for (int i = 0; i < in->rank; i++) {
        copy.count[i] = pad[i].inside;
        copy.from_offset += pad[i].from * stride[i], copy.to_offset += pad[i].before * copy.to_stride[i];
    }
    list[0] = copy;
    for (int axis = 0; axis < in->rank; axis++)
        for (int behind = 0; behind < 2; behind++) {
            StridedCopy slab = whole(out, stride, 0);
            slab.input = -1;
            for (int i = 0; i < axis; i++)
                slab.count[i] = pad[i].inside, slab.to_offset += pad[i].before * slab.to_stride[i];
            slab.count[axis] = behind ? pad[axis].behind : pad[axis].before;
            if (behind) slab.to_offset += (pad[axis].before + pad[axis].inside) * slab.to_stride[axis];
            list[1 + 2 * axis + behind] = slab;
        }
    // Bytes, not a number: a double would round integers beyond 2^53.
    if (value && tensor_count(value) > 0) memcpy(&region->problem.fill, value->data, dtype_size(value->dtype));
    *done = true;
    return ST_OK;
}
// `count` places from `to` on, whose elements come from `from` on in steps of `step`.
typedef struct Stretch {
    int64_t to, count, from, step;
} Stretch;

// The stretches of an axis, those without places left out; 0: there is more padding than one repetition gives.
static int stretches_of(const AxisPad *p, const char *mode, Stretch out[3]) {
    const int64_t last = p->from + p->inside - 1, behind_to = p->before + p->inside;
    Stretch before = {0, p->before, p->from, 0}, behind = {behind_to, p->behind, last, 0}; // edge
    if (!strcmp(mode, "reflect")) {
        if (MAX(p->before, p->behind) >= p->inside) return 0;
        before.from = p->from + p->before, behind.from = last - 1, before.step = behind.step = -1;
    } else if (!strcmp(mode, "wrap")) {
        if (MAX(p->before, p->behind) > p->inside) return 0;
        before.from = last + 1 - p->before, behind.from = p->from, before.step = behind.step = 1;
    }
    int count = 0;
    if (p->before) out[count++] = before;
    if (p->inside) out[count++] = (Stretch){p->before, p->inside, p->from, 1};
    if (p->behind) out[count++] = behind;
    return p->inside ? count : 0;
}
// Padding with elements of the input: each stretch of an axis with each one of the others.
static Status copy_pad_repeat(Planner *planner, int index, const Shape *in, const Shape *out, const AxisPad *pad,
                              bool *done) {
    enum { MOST = 81 };
    Stretch list_of[MAX_RANK][3];
    int count[MAX_RANK], copies = 1;
    int64_t stride[MAX_RANK];
    for (int i = 0; i < in->rank; i++) {
        count[i] = stretches_of(&pad[i], node_string(planner->graph->nodes[index], "mode", ""), list_of[i]);
        copies *= count[i];
        if (copies == 0 || copies > MOST) return ST_OK;
    }
    strides_of(in, stride);
    Region *region;
    StridedCopy *list;
    TRY(begin(planner, index, 0, 0, copies, &region, &list));
    for (int k = 0; k < copies; k++) {
        list[k] = whole(out, stride, 0);
        for (int i = in->rank - 1, left = k; i >= 0; left /= count[i], i--) {
            const Stretch *s = &list_of[i][left % count[i]];
            list[k].count[i] = s->count, list[k].from_stride[i] = s->step * stride[i];
            list[k].from_offset += s->from * stride[i], list[k].to_offset += s->to * list[k].to_stride[i];
        }
    }
    *done = true;
    return ST_OK;
}
static Status copy_pad(Planner *planner, int index, bool *done) {
    const Node *node = planner->graph->nodes[index];
    Shape in, out;
    AxisPad pad[MAX_RANK];
    value_shape(planner, node->inputs[0], &in), value_shape(planner, node->outputs[0], &out);
    if (!pads_of(planner, node, &in, &out, pad)) return ST_OK;
    const bool constant = !strcmp(node_string(node, "mode", "constant"), "constant");
    return (constant ? copy_pad_constant : copy_pad_repeat)(planner, index, &in, &out, pad, done);
}
// (n, c, h, w) <-> blocks of b x b pixels in the channels, as one copy of 6 dims.
static Status copy_blocks(Planner *planner, int index, bool *done) {
    const Node *node = planner->graph->nodes[index];
    const bool to_space = node->op == OP_DepthToSpace;
    Shape in, out;
    value_shape(planner, node->inputs[0], &in), value_shape(planner, node->outputs[0], &out);
    if (in.rank != 4) return ST_OK;
    const int64_t b = node_int(node, "blocksize", 1);
    const Shape *deep = to_space ? &in : &out, *wide = to_space ? &out : &in;
    const bool crd = to_space && !strcmp(node_string(node, "mode", "DCR"), "CRD");
    const int64_t c = wide->dim[1], h = deep->dim[2], w = deep->dim[3];
    int64_t d[MAX_RANK], s[MAX_RANK];
    strides_of(deep, d), strides_of(wide, s);
    // Dims: n, c, block row, block column, h, w.
    const int64_t counts[6] = {in.dim[0], c, b, b, h, w};
    const int64_t deep_stride[6] = {
        d[0], crd ? b * b * d[1] : d[1], crd ? b * d[1] : b * c * d[1], crd ? d[1] : c * d[1], d[2], d[3]};
    const int64_t wide_stride[6] = {s[0], s[1], s[2], s[3], b * s[2], b * s[3]};
    StridedCopy copy = {.rank = 6};
    for (int i = 0; i < 6; i++) {
        copy.count[i] = counts[i];
        copy.from_stride[i] = to_space ? deep_stride[i] : wide_stride[i];
        copy.to_stride[i] = to_space ? wide_stride[i] : deep_stride[i];
    }
    Region *region;
    StridedCopy *list;
    TRY(begin(planner, index, 0, 0, 1, &region, &list));
    list[0] = copy;
    *done = true;
    return ST_OK;
}
Status translate_copy(Planner *planner, int index, bool *done) {
    const Node *node = planner->graph->nodes[index];
    *done = false;
    if (node->n_outputs < 1 || node->outputs[0] < 0 || !node_has_input(node, 0)) return ST_OK;
    const Type *in = &planner->graph->values[node->inputs[0]].type;
    if (in->rank == 0 || dtype_size(in->dtype) == 0) return ST_OK;
    switch (node->op) {
    case OP_Slice: return copy_slice(planner, index, done);
    case OP_Split: return copy_split(planner, index, done);
    case OP_Transpose: return copy_transpose(planner, index, done);
    case OP_Expand: return copy_expand(planner, index, done);
    case OP_Tile: return copy_tile(planner, index, done);
    case OP_Pad: return copy_pad(planner, index, done);
    case OP_DepthToSpace:
    case OP_SpaceToDepth: return copy_blocks(planner, index, done);
    default: return ST_OK;
    }
}

// One region a part of a Concat that could not be laid out together.
Status translate_concat_copies(Planner *planner, const Node *node, int order) {
    Shape in, out;
    value_shape(planner, node->outputs[0], &out);
    const int axis = wrap(node_int(node, "axis", 0), out.rank);
    int64_t to[MAX_RANK], offset = 0;
    strides_of(&out, to);
    for (int i = 0; i < node->n_inputs; i++) {
        value_shape(planner, node->inputs[i], &in);
        Region *region;
        StridedCopy *list = arena_alloc(planner->arena, sizeof *list);
        if (!list) return fail_memory(sizeof *list);
        TRY(region_add(planner, planner->graph->values[node->outputs[0]].name, "Concat", order, &region));
        *list = (StridedCopy){.rank = in.rank, .to_offset = offset};
        strides_of(&in, list->from_stride);
        for (int k = 0; k < in.rank; k++) list->count[k] = in.dim[k], list->to_stride[k] = to[k];
        region->problem.kind = PROBLEM_COPY;
        region->problem.n_inputs = region->problem.n_outputs = 1;
        region->problem.copies = list, region->problem.n_copies = 1;
        region->in_value[0] = node->inputs[i], region->out_value[0] = node->outputs[0];
        offset += in.dim[axis] * to[axis];
    }
    return ST_OK;
}

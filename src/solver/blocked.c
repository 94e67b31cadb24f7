#include "solver/blocked.h"
#include <string.h>

bool all_float32(const Problem *problem) {
    for (int i = 0; i < problem->n_inputs; i++)
        if (problem->in[i].dtype != DT_F32) return false;
    for (int i = 0; i < problem->n_outputs; i++)
        if (problem->out[i].dtype != DT_F32) return false;
    return true;
}
bool any_blocked(const Problem *problem) {
    for (int i = 0; i < problem->n_inputs; i++)
        if (problem->in[i].kind == LAYOUT_BLOCKED) return true;
    return false;
}
OperandNeed need_blocked(const Kernels *kernels) { return (OperandNeed){LAYOUT_BLOCKED, kernels->lanes, {0}, {0}}; }
OperandNeed need_plain(void) { return (OperandNeed){.kind = LAYOUT_PLAIN}; }

double operand_bytes(const Layout *layout) {
    return (double)shape_count(&layout->shape) * (double)dtype_size(layout->dtype);
}
double streaming_estimate(const Problem *problem, double cycles, double bytes) {
    const double bytes_a_cycle = 8, handing_out = 2000;
    return MAX(cycles, bytes / bytes_a_cycle) / problem->threads + handing_out;
}

BlockedRows blocked_rows(const Layout *layout, int64_t bytes_a_row) {
    BlockedRows rows = {.blocks = layout->blocks, .depth = layout->size[AXIS_D], .height = layout->size[AXIS_H]};
    const int64_t fit = MAX(1, UNIT_BYTES / MAX(bytes_a_row, 1));
    rows.groups = div_up(rows.height, fit);
    rows.rows_a_unit = div_up(rows.height, MAX(rows.groups, 1)); // evenly
    rows.groups = div_up(rows.height, MAX(rows.rows_a_unit, 1));
    rows.units = layout->n * rows.blocks * rows.depth * rows.groups;
    return rows;
}
void blocked_rows_cut(BlockedRows *rows, const Layout *layout, int64_t rows_a_unit) {
    if (!rows_a_unit) return;
    rows->rows_a_unit = rows_a_unit;
    rows->groups = div_up(rows->height, rows_a_unit);
    rows->units = layout->n * rows->blocks * rows->depth * rows->groups;
}
RowRange blocked_range(const BlockedRows *rows, int64_t unit) {
    RowRange range;
    range.begin = unit % rows->groups * rows->rows_a_unit;
    range.end = MIN(range.begin + rows->rows_a_unit, rows->height);
    unit /= rows->groups;
    range.d = unit % rows->depth;
    range.block = unit / rows->depth % rows->blocks;
    range.n = unit / rows->depth / rows->blocks;
    return range;
}
void zero_padded_lanes(const Layout *layout, int64_t block, float *row) {
    const int64_t used = layout->c - block * layout->block;
    if (used >= layout->block) return;
    const size_t bytes = (size_t)(layout->block - used) * sizeof *row;
    for (int64_t p = 0; p < layout->size[AXIS_W]; p++) memset(row + p * layout->block + used, 0, bytes);
}
Status pair_windows(int64_t pixels, Arena *arena, const int32_t **first, const int32_t **count) {
    int32_t *table = arena_array(arena, (size_t)MAX(pixels, 1), 2 * sizeof *table);
    if (!table) return fail_memory((size_t)pixels * 2 * sizeof *table);
    for (int64_t p = 0; p < pixels; p++) table[p] = (int32_t)(2 * p), table[pixels + p] = 2;
    *first = table, *count = table + pixels;
    return ST_OK;
}

PlainRows plain_rows(int64_t rows, int64_t length, int64_t elements_a_unit) {
    PlainRows cut = {.rows = rows, .length = length};
    if (rows <= 0 || length <= 0) return cut;
    cut.segments = div_up(length, elements_a_unit);
    cut.segment = div_up(length, cut.segments);
    cut.segments = div_up(length, cut.segment);
    cut.rows_a_unit = MIN(MAX(1, elements_a_unit / length), rows);
    cut.units = div_up(rows, cut.rows_a_unit) * cut.segments;
    return cut;
}
PlainRange plain_range(const PlainRows *rows, int64_t unit) {
    PlainRange range = {.begin = unit % rows->segments * rows->segment,
                        .row = unit / rows->segments * rows->rows_a_unit};
    range.length = MIN(rows->segment, rows->length - range.begin);
    range.rows = MIN(rows->rows_a_unit, rows->rows - range.row);
    return range;
}

static void broadcast_strides(const Shape *in, const Shape *out, int64_t *stride) {
    int64_t step = 1;
    for (int i = out->rank - 1, j = in->rank - 1; i >= 0; i--, j--) {
        stride[i] = j >= 0 && in->dim[j] > 1 ? step : 0;
        if (j >= 0) step *= in->dim[j];
    }
}
bool broadcast_fits(const Problem *problem) {
    Shape shape = problem->in[0].shape, next;
    for (int i = 1; i < problem->n_inputs; i++, shape = next)
        if (!shape_broadcast(&shape, &problem->in[i].shape, &next)) return false;
    return shape_equal(&shape, &problem->out[0].shape);
}
// Whether each input steps on evenly from dim `to` to the next one, of `count` elements with strides `full[..][i]`.
static bool merges(const Broadcast *b, int64_t full[][MAX_RANK], int i, int64_t count) {
    for (int input = 0; input < b->inputs; input++)
        if (b->stride[input][b->rank - 1] != full[input][i] * count) return false;
    return true;
}
Broadcast broadcast_of(const Problem *problem) {
    const Shape *out = &problem->out[0].shape;
    Broadcast b = {.inputs = problem->n_inputs};
    int64_t full[PROBLEM_INPUTS][MAX_RANK];
    for (int input = 0; input < b.inputs; input++) broadcast_strides(&problem->in[input].shape, out, full[input]);
    for (int i = 0; i < out->rank; i++) {
        if (out->dim[i] == 1) continue;
        const bool merge = b.rank > 0 && merges(&b, full, i, out->dim[i]);
        const int to = merge ? b.rank - 1 : b.rank++;
        b.dim[to] = merge ? b.dim[to] * out->dim[i] : out->dim[i];
        for (int input = 0; input < b.inputs; input++) b.stride[input][to] = full[input][i];
    }
    if (b.rank) return b;
    b.rank = 1, b.dim[0] = 1; // a single element
    for (int input = 0; input < b.inputs; input++) b.stride[input][0] = 1;
    return b;
}
PlainRows broadcast_rows(const Broadcast *broadcast, int64_t elements_a_unit) {
    int64_t rows = 1;
    for (int i = 0; i < broadcast->rank - 1; i++) rows *= broadcast->dim[i];
    return plain_rows(rows, broadcast->dim[broadcast->rank - 1], elements_a_unit);
}
void broadcast_at(const Broadcast *broadcast, int64_t row, int64_t begin, int64_t at[PROBLEM_INPUTS]) {
    const int inner = broadcast->rank - 1;
    for (int input = 0; input < broadcast->inputs; input++) {
        at[input] = begin * broadcast->stride[input][inner];
        int64_t rest = row;
        for (int i = inner - 1; i >= 0; rest /= broadcast->dim[i--])
            at[input] += rest % broadcast->dim[i] * broadcast->stride[input][i];
    }
}

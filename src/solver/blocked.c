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

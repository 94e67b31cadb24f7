// What solvers of one pass over tensors have in common: their needs, the cut of a tensor into units, padded lanes.
#pragma once
#include "solver/solver.h"

// Bytes that a unit should touch: large against the cost of handing it out, small against a core's share of the work.
enum { UNIT_BYTES = 1 << 16 };

bool all_float32(const Problem *problem); // every operand
// Whether the producer of any input gives a blocked value of the rank that blocked layouts have.
bool any_blocked(const Problem *problem);
OperandNeed need_blocked(const Kernels *kernels);
OperandNeed need_plain(void);
// Cycles on problem->threads threads of work that takes `cycles` on one and moves `bytes`.
double streaming_estimate(const Problem *problem, double cycles, double bytes);
double operand_bytes(const Layout *layout);

// A blocked tensor cut into units of some rows of one depth slice of one channel block of one image.
typedef struct BlockedRows {
    int64_t blocks, depth, height, rows_a_unit, groups;
    int64_t units;
} BlockedRows;
typedef struct RowRange {
    int64_t n, block, d, begin, end; // rows begin .. end - 1
} RowRange;
BlockedRows blocked_rows(const Layout *layout, int64_t bytes_a_row);
// As many rows a unit instead; 0: as they are.
void blocked_rows_cut(BlockedRows *rows, const Layout *layout, int64_t rows_a_unit);
RowRange blocked_range(const BlockedRows *rows, int64_t unit);
// Floats from the origin to the first pixel of a row.
static inline int64_t row_at(const Layout *layout, int64_t n, int64_t block, int64_t d, int64_t h) {
    return n * layout->stride_n + block * layout->stride_block + d * layout->stride[AXIS_D] +
           h * layout->stride[AXIS_H];
}
// Zeroes the lanes beyond c in a row of channel block `block`, if it has any: functions of what lies there need not be
// finite.
void zero_padded_lanes(const Layout *layout, int64_t block, float *row);

// The windows of a pool along a row, for Kernels.pool_max: output pixel p takes the two pixels from first[p] = 2 p on.
Status pair_windows(int64_t pixels, Arena *arena, const int32_t **first, const int32_t **count);

// `rows` rows of `length` consecutive elements cut into units of some rows, or of a segment of one.
typedef struct PlainRows {
    int64_t rows, length, rows_a_unit, segment, segments;
    int64_t units;
} PlainRows;
typedef struct PlainRange {
    int64_t row, rows, begin, length; // rows row .. row + rows - 1, elements begin .. begin + length - 1 of each
} PlainRange;
PlainRows plain_rows(int64_t rows, int64_t length, int64_t elements_a_unit);
PlainRange plain_range(const PlainRows *rows, int64_t unit);

// Plain inputs over the dims of the output, as numpy broadcasts them: dims merged as far as all inputs allow, the last
// one innermost; strides in elements, 0 where an input is broadcast. A single element: rank 1.
typedef struct Broadcast {
    int inputs, rank;
    int64_t dim[MAX_RANK], stride[PROBLEM_INPUTS][MAX_RANK];
} Broadcast;
Broadcast broadcast_of(const Problem *problem);
PlainRows broadcast_rows(const Broadcast *broadcast, int64_t elements_a_unit); // rows of the innermost dim
// Elements of each input in front of element `begin` of output row `row`.
void broadcast_at(const Broadcast *broadcast, int64_t row, int64_t begin, int64_t at[PROBLEM_INPUTS]);
static inline int broadcast_step(const Broadcast *broadcast, int input) { // along a row: 0 or 1
    return (int)broadcast->stride[input][broadcast->rank - 1];
}
// Whether the output has just the shape that the inputs broadcast to.
bool broadcast_fits(const Problem *problem);

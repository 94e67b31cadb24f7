#include "solver/phase.h"
#include "base/memory.h"
#include <string.h>

void phase_gather(const Kernels *kernels, const int64_t dilation[AXES], const Layout *layout, const float *block,
                  int64_t y, int64_t x, int rows, int columns, float *to) {
    const int64_t across = dilation[AXIS_W];
    const int64_t before = MIN(x < 0 ? div_up(-x, across) : 0, columns);
    const int64_t end = MAX(MIN(div_up(MAX(layout->size[AXIS_W] - x, 0), across), columns), before);
    const int lanes = kernels->lanes;
    for (int i = 0; i < rows; i++, y += dilation[AXIS_H], to += columns * lanes) {
        const bool inside = y >= 0 && y < layout->size[AXIS_H];
        const int64_t first = inside ? before : columns, last = inside ? end : columns;
        memset(to, 0, (size_t)(first * lanes) * sizeof *to);
        if (first < last)
            kernels->copy_pixels(block + y * layout->stride[AXIS_H] + (x + first * across) * lanes, across * lanes,
                                 lanes, lanes, to + first * lanes, lanes, last - first);
        memset(to + last * lanes, 0, (size_t)((columns - last) * lanes) * sizeof *to);
    }
}
void phase_scatter(const Kernels *kernels, const int64_t dilation[AXES], const Layout *layout, const float *from,
                   int64_t y, int64_t x, int rows, int columns, int from_columns, float *block) {
    const int lanes = kernels->lanes;
    for (int i = 0; i < rows; i++, y += dilation[AXIS_H], from += from_columns * lanes)
        kernels->copy_pixels(from, lanes, lanes, lanes, block + y * layout->stride[AXIS_H] + x * lanes,
                             dilation[AXIS_W] * lanes, columns);
}

// The inner loops of the heavy ops: rows of doubles. Eight at a time, so that compilers make vectors of them.
#pragma once
#include <stdint.h>

// y[i] += w * x[i * stride]
static inline void row_add(double *restrict y, double w, const double *restrict x, int64_t stride, int64_t count) {
    int64_t i = 0;
    if (stride == 1)
        for (; i + 8 <= count; i += 8)
            for (int j = 0; j < 8; j++) y[i + j] += w * x[i + j];
    for (; i < count; i++) y[i] += w * x[i * stride];
}

// y[i * stride] += w * x[i]
static inline void row_scatter(double *restrict y, double w, const double *restrict x, int64_t stride, int64_t count) {
    int64_t i = 0;
    if (stride == 1)
        for (; i + 8 <= count; i += 8)
            for (int j = 0; j < 8; j++) y[i + j] += w * x[i + j];
    for (; i < count; i++) y[i * stride] += w * x[i];
}

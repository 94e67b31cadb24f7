// Percentiles by sorting.
#include "metric/percentile.h"
#include "base/memory.h"
#include <stdlib.h>

static int compare_doubles(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double percentile(double *values, int64_t count, double part) {
    qsort(values, (size_t)count, sizeof *values, compare_doubles);
    const double rank = part * (double)(count - 1);
    const int64_t below = (int64_t)rank, above = MIN(below + 1, count - 1);
    return values[below] + (values[above] - values[below]) * (rank - (double)below);
}

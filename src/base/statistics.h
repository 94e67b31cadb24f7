// Order statistics and intervals of medians, of latencies and of scores.
#pragma once
#include "base/status.h"
#include <stddef.h>
#include <stdint.h>

// The value below which `part` (0..1) of the sorted values lie, interpolated between neighbours. count >= 1.
double sorted_quantile(const double *sorted, size_t count, double part);
void sort_doubles(double *values, size_t count);
// The standard deviation of a sample (count - 1); 0 for one value. count >= 1.
double mean_and_deviation(const double *values, size_t count, double *mean);

typedef struct Summary {
    double min, median, p90, p99, mean;
    double cv; // standard deviation / mean; 0 for one value
} Summary;
// count >= 1; `values` keep their order.
Status summarise(const double *values, size_t count, Summary *out);

// The median of ratios and its 95 % interval by bootstrap (percentile method, Efron 1979; 2000 resamples, seeded, so
// that the same rounds always give the same interval). count >= 1.
typedef struct Ratio {
    double median, low, high;
} Ratio;
Status bootstrap_median(const double *ratios, size_t count, uint64_t seed, Ratio *out);

// How far the values drift from first to last: median of the last third / median of the first third (the resistant
// line's slope, Tukey 1977). 1 for fewer than three. No value may be 0 or less.
Status drift_of(const double *values, size_t count, double *out);

// The median and an interval that holds the true one with at least `confidence`, for values of any distribution, as
// long as they are independent: by order statistics, whose ranks are binomial (Conover, "Practical Nonparametric
// Statistics", 3.2). Too few values for any such interval (5 for 0.95, 7 for 0.99): minus and plus infinity. count
// >= 1.
Status median_interval(const double *values, size_t count, double confidence, Ratio *out);

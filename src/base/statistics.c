#include "base/statistics.h"
#include "base/memory.h"
#include "base/rng.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static int by_value(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}
void sort_doubles(double *values, size_t count) { qsort(values, count, sizeof *values, by_value); }

double sorted_quantile(const double *sorted, size_t count, double part) {
    const double at = part * (double)(count - 1);
    const size_t below = (size_t)at;
    if (below + 1 >= count) return sorted[count - 1];
    return sorted[below] + (at - (double)below) * (sorted[below + 1] - sorted[below]);
}

double mean_and_deviation(const double *values, size_t count, double *mean) {
    double sum = 0, squares = 0;
    for (size_t i = 0; i < count; i++) sum += values[i];
    *mean = sum / (double)count;
    for (size_t i = 0; i < count; i++) squares += (values[i] - *mean) * (values[i] - *mean);
    return count > 1 ? sqrt(squares / (double)(count - 1)) : 0;
}
Status summarise(const double *values, size_t count, Summary *out) {
    double *sorted = mem_zero(count, sizeof *sorted);
    if (!sorted) return fail_memory(count * sizeof *sorted);
    memcpy(sorted, values, count * sizeof *sorted);
    sort_doubles(sorted, count);
    double mean;
    const double deviation = mean_and_deviation(values, count, &mean);
    *out = (Summary){.min = sorted[0],
                     .median = sorted_quantile(sorted, count, 0.5),
                     .p90 = sorted_quantile(sorted, count, 0.9),
                     .p99 = sorted_quantile(sorted, count, 0.99),
                     .mean = mean,
                     .cv = mean > 0 ? deviation / mean : 0};
    mem_free(sorted);
    return ST_OK;
}

Status bootstrap_median(const double *ratios, size_t count, uint64_t seed, Ratio *out) {
    enum { RESAMPLES = 2000 };
    double *sample = mem_zero(count, sizeof *sample), *medians = mem_zero(RESAMPLES, sizeof *medians);
    if (!sample || !medians) {
        mem_free(sample), mem_free(medians);
        return fail_memory(count * sizeof *sample + RESAMPLES * sizeof *medians);
    }
    Rng rng;
    rng_seed(&rng, seed);
    for (int r = 0; r < RESAMPLES; r++) {
        for (size_t i = 0; i < count; i++) sample[i] = ratios[rng_below(&rng, count)];
        sort_doubles(sample, count);
        medians[r] = sorted_quantile(sample, count, 0.5);
    }
    sort_doubles(medians, RESAMPLES);
    memcpy(sample, ratios, count * sizeof *sample);
    sort_doubles(sample, count);
    *out = (Ratio){sorted_quantile(sample, count, 0.5), sorted_quantile(medians, RESAMPLES, 0.025),
                   sorted_quantile(medians, RESAMPLES, 0.975)};
    mem_free(sample), mem_free(medians);
    return ST_OK;
}

Status drift_of(const double *values, size_t count, double *out) {
    const size_t third = count / 3;
    *out = 1;
    if (!third) return ST_OK;
    double *sorted = mem_zero(third, sizeof *sorted), median[2];
    if (!sorted) return fail_memory(third * sizeof *sorted);
    for (int last = 0; last < 2; last++) {
        memcpy(sorted, last ? values + count - third : values, third * sizeof *sorted);
        sort_doubles(sorted, third);
        median[last] = sorted_quantile(sorted, third, 0.5);
    }
    *out = median[1] / median[0];
    mem_free(sorted);
    return ST_OK;
}

// The largest rank from below (1-based) that a median is below with probability at most `tail`; 0: none.
static size_t lower_rank(size_t count, double tail) {
    const double n = (double)count;
    double sum = 0;
    size_t rank = 0;
    for (; rank < count / 2; rank++) { // sum: of 0..rank values below the median
        const double k = (double)rank;
        sum += exp(lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1) - n * M_LN2);
        if (sum > tail) break;
    }
    return rank;
}
Status median_interval(const double *values, size_t count, double confidence, Ratio *out) {
    double *sorted = mem_zero(count, sizeof *sorted);
    if (!sorted) return fail_memory(count * sizeof *sorted);
    memcpy(sorted, values, count * sizeof *sorted);
    sort_doubles(sorted, count);
    const size_t rank = lower_rank(count, (1 - confidence) / 2);
    *out = (Ratio){.median = sorted_quantile(sorted, count, 0.5), .low = -INFINITY, .high = INFINITY};
    if (rank) out->low = sorted[rank - 1], out->high = sorted[count - rank];
    mem_free(sorted);
    return ST_OK;
}

// Sums a patient, and the figures of a study that come from them: one table (metrics.def), three forms.
#include "base/memory.h"
#include "base/rng.h"
#include "base/statistics.h"
#include "metric/metric.h"
#include <math.h>

// ---- Sums -----------------------------------------------------------------------------------------------------

static void soft_counts_add(SoftCounts *sum, const SoftCounts *more) {
    sum->intersection += more->intersection;
    sum->mask += more->mask;
    sum->truth += more->truth;
}

static void figure_add(FigureSum *sum, double value) {
    if (isnan(value)) return;
    sum->total += value;
    sum->count++;
}

static void figure_merge(FigureSum *sum, const FigureSum *more) {
    sum->total += more->total;
    sum->count += more->count;
}

void patient_sum_add(PatientSum *sum, const CaseMetrics *metrics) {
    mask_counts_add(&sum->counts, &metrics->counts);
    sum->cases++;
    if (metrics->has_soft) {
        soft_counts_add(&sum->soft, &metrics->soft);
        sum->soft_cases++;
    }
#define ADD_FIGURE(name) figure_add(&sum->name, metrics->name);
    CASE_FIGURES(ADD_FIGURE)
#undef ADD_FIGURE
}

void patient_sum_merge(PatientSum *sum, const PatientSum *more) {
    mask_counts_add(&sum->counts, &more->counts);
    soft_counts_add(&sum->soft, &more->soft);
    sum->cases += more->cases;
    sum->soft_cases += more->soft_cases;
#define MERGE_FIGURE(name) figure_merge(&sum->name, &more->name);
    CASE_FIGURES(MERGE_FIGURE)
#undef MERGE_FIGURE
}

// ---- The table ------------------------------------------------------------------------------------------------

static double pooled_dice(const PatientSum *sum) { return sum->cases > 0 ? dice(&sum->counts) : NAN; }
static double pooled_iou(const PatientSum *sum) { return sum->cases > 0 ? iou(&sum->counts) : NAN; }
static double pooled_sensitivity(const PatientSum *sum) { return sensitivity(&sum->counts); }
static double pooled_specificity(const PatientSum *sum) { return specificity(&sum->counts); }
// Of cases that all have probabilities: else it would not be of the cases that the other figures are of.
static double pooled_dice_soft(const PatientSum *sum) {
    return sum->cases > 0 && sum->soft_cases == sum->cases ? dice_soft(&sum->soft, SOFT_SMOOTH) : NAN;
}

typedef struct Metric {
    enum { OF_POOLED, OF_MEAN, OF_PATIENT_MEAN } form;
    double (*pooled)(const PatientSum *sum);
    size_t figure; // where its FigureSum lies in PatientSum
} Metric;

static const Metric metrics[METRIC_COUNT] = {
#define POOLED(source) {OF_POOLED, source, 0},
#define MEAN(source) {OF_MEAN, NULL, offsetof(PatientSum, source)},
#define PATIENT_MEAN(source) {OF_PATIENT_MEAN, source, 0},
#define METRIC(id, key, form, source, ...) form(source)
#include "metric/metrics.def"
#undef METRIC
#undef POOLED
#undef MEAN
#undef PATIENT_MEAN
};

const MetricConvention *metric_conventions(size_t *count) {
    static const MetricConvention conventions[METRIC_COUNT] = {
#define METRIC(id, key, form, source, ...) {key, __VA_ARGS__},
#include "metric/metrics.def"
#undef METRIC
    };
    *count = METRIC_COUNT;
    return conventions;
}

// ---- Figures --------------------------------------------------------------------------------------------------

static double mean_of(const FigureSum *sum) { return sum->count > 0 ? sum->total / (double)sum->count : NAN; }

// Which patients, in which order: all of them, or those that were drawn.
typedef struct Patients {
    const PatientSum *sums;
    const uint32_t *drawn; // NULL: each once
    size_t n;
} Patients;

static const PatientSum *patient(const Patients *patients, size_t i) {
    return &patients->sums[patients->drawn ? patients->drawn[i] : i];
}

static double pooled_value(const Patients *patients, const Metric *metric) {
    PatientSum sum = {0};
    for (size_t i = 0; i < patients->n; i++) {
        const PatientSum *one = patient(patients, i);
        mask_counts_add(&sum.counts, &one->counts);
        soft_counts_add(&sum.soft, &one->soft);
        sum.cases += one->cases;
        sum.soft_cases += one->soft_cases;
    }
    return metric->pooled(&sum);
}

static double mean_value(const Patients *patients, const Metric *metric) {
    FigureSum sum = {0, 0};
    for (size_t i = 0; i < patients->n; i++)
        figure_merge(&sum, (const FigureSum *)((const char *)patient(patients, i) + metric->figure));
    return mean_of(&sum);
}

static double patient_mean_value(const Patients *patients, const Metric *metric) {
    FigureSum sum = {0, 0};
    for (size_t i = 0; i < patients->n; i++) figure_add(&sum, metric->pooled(patient(patients, i)));
    return mean_of(&sum);
}

static double value_of(const Patients *patients, MetricKey key) {
    const Metric *metric = &metrics[key];
    switch (metric->form) {
    case OF_POOLED: return pooled_value(patients, metric);
    case OF_MEAN: return mean_value(patients, metric);
    case OF_PATIENT_MEAN: return patient_mean_value(patients, metric);
    }
    return NAN;
}

double metric_value(const PatientSum *patients, size_t n, MetricKey key) {
    return value_of(&(Patients){patients, NULL, n}, key);
}

double metric_macro_mean(const PatientSum *patients, size_t n, size_t classes, MetricKey key) {
    FigureSum sum = {0, 0};
    for (size_t k = 0; k < classes; k++) figure_add(&sum, metric_value(patients + k * n, n, key));
    return mean_of(&sum);
}

// ---- Bootstrap ------------------------------------------------------------------------------------------------

enum { MOST_RESAMPLES = 1000000 };

// The figure of each draw in which it is defined; returns how many.
static int64_t draw_all(const PatientSum *sums, size_t n, MetricKey key, int resamples, uint64_t seed, uint32_t *drawn,
                        double *values) {
    const Patients patients = {sums, drawn, n};
    Rng rng;
    rng_seed(&rng, seed);
    int64_t count = 0;
    for (int i = 0; i < resamples; i++) {
        for (size_t k = 0; k < n; k++) drawn[k] = (uint32_t)rng_below(&rng, n);
        const double value = value_of(&patients, key);
        if (!isnan(value)) values[count++] = value;
    }
    return count;
}

Status bootstrap_interval(const PatientSum *patients, size_t n, MetricKey key, int resamples, uint64_t seed,
                          double out[2]) {
    FAIL_IF(resamples < 1 || resamples > MOST_RESAMPLES, ST_USAGE, "bootstrap: expected 1 to %d resamples, got %d",
            MOST_RESAMPLES, resamples);
    out[0] = out[1] = NAN;
    if (n < 2) return ST_OK;
    FAIL_IF(n > UINT32_MAX, ST_UNSUPPORTED, "bootstrap: more than %u patients", UINT32_MAX);
    Arena arena = {0};
    uint32_t *drawn = arena_array(&arena, n, sizeof *drawn);
    double *values = arena_array(&arena, (size_t)resamples, sizeof *values);
    if (drawn && values) {
        const int64_t count = draw_all(patients, n, key, resamples, seed, drawn, values);
        sort_doubles(values, (size_t)count);
        for (int i = 0; i < 2 && count > 0; i++) out[i] = sorted_quantile(values, (size_t)count, i ? 0.975 : 0.025);
    }
    arena_free(&arena);
    return drawn && values ? ST_OK : fail_memory(n * sizeof *drawn + (size_t)resamples * sizeof *values);
}

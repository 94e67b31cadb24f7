// How well a mask fits the truth. A pixel belongs to the object where its value is not 0 (or equals one class).
//
// Counts first, figures from counts: *pooled* figures come from the sum of the counts of all cases, *mean* figures are
// the plain mean of the cases' own. Both are in use and differ (small objects weigh more in the mean), so every figure
// has a key that says which it is, and a convention: whose number it is, and what it does where nothing is to be found
// (metrics.def, docs/METRICS.md). What is undefined is NaN and left out of means.
//
//     for each case: case_metrics(&input, &metrics), patient_sum_add(&patients[of_this_case], &metrics)
//     for each key:  metric_value(patients, n, key), bootstrap_interval(patients, n, key, 2000, seed, interval)
#pragma once
#include "base/status.h"
#include <stdint.h>

// ---- Counts and figures of one pair of masks ------------------------------------------------------------------

typedef struct MaskCounts {
    int64_t pixels, mask, truth, intersection;
} MaskCounts;

enum { ANY_CLASS = -1 }; // everything that is not 0
MaskCounts mask_counts(const uint8_t *mask, const uint8_t *truth, int64_t pixels, int class);
void mask_counts_add(MaskCounts *sum, const MaskCounts *more);

// Dice = 2 I / (M + T). Both empty: 1 (nothing was there and nothing was found).
double dice(const MaskCounts *counts);
// (2 I + s) / (M + T + s), as training losses have it with s = 1 or 100; it reads higher than Dice, most so for small
// objects. Both empty: 1.
double dice_smooth(const MaskCounts *counts, double smooth);
double iou(const MaskCounts *counts);         // I / (M + T - I); both empty: 1
double sensitivity(const MaskCounts *counts); // I / T; truth empty: NaN (undefined)
double
specificity(const MaskCounts *counts); // part of the pixels outside the truth that are outside the mask; none: NaN

// The same sums with the network's probabilities of the object in the place of a mask: I = sum of p where the truth has
// the object, M = sum of p.
typedef struct SoftCounts {
    double intersection, mask, truth;
} SoftCounts;
SoftCounts soft_counts(const float *probability, const uint8_t *truth, int64_t pixels, int class);
double dice_soft(const SoftCounts *counts, double smooth); // as dice_smooth
#define SOFT_SMOOTH 1e-5                                   // of the figures below

// The 95th percentile Hausdorff distance, exact. Surface: the object's pixels with a 4-neighbour (in a volume:
// 6-neighbour) outside the object; beyond the edge of the picture is outside. From every surface pixel of one the
// Euclidean distance to the nearest surface pixel of the other, between pixel centres; percentiles with linear
// interpolation. The two conventions differ in what is done with the two directions.
// mask, truth: (depth, height, width), depth 1: a picture, without neighbours in z. spacing: x, y, z; {1, 1, 1} gives
// pixels. NaN where one of the two is empty: no distance is defined then, and a mean leaves it out.
typedef struct Hd95 {
    double medpy; // both directions in one list, the 95th percentile of that
    double monai; // the larger of the two directions' 95th percentiles
} Hd95;
Status hd95_both(const uint8_t *mask, const uint8_t *truth, int64_t depth, int64_t height, int64_t width, int class,
                 const double spacing[3], Hd95 *out);
// Only MedPy's.
Status hd95(const uint8_t *mask, const uint8_t *truth, int64_t depth, int64_t height, int64_t width, int class,
            const double spacing[3], double *distance);

// ---- One case -------------------------------------------------------------------------------------------------

// The figures that a case has of its own. NaN: undefined for this case.
#define CASE_FIGURES(X)                                                                                                \
    X(dice)        /* both empty: 1 */                                                                                 \
    X(dice_nnunet) /* both empty: undefined */                                                                         \
    X(dice_monai)  /* truth empty: undefined */                                                                        \
    X(dice_smooth1)                                                                                                    \
    X(dice_smooth100)                                                                                                  \
    X(dice_soft) /* without probabilities: undefined */                                                                \
    X(iou)       /* both empty: 1 */                                                                                   \
    X(hd95_px)   /* one of them empty: undefined, as the next three */                                                 \
    X(hd95_mm)   /* without spacing: undefined */                                                                      \
    X(hd95_monai_px)                                                                                                   \
    X(hd95_monai_mm)                                                                                                   \
    X(sensitivity) /* truth empty: undefined */                                                                        \
    X(specificity) /* truth everywhere: undefined */

typedef struct CaseMetrics {
    MaskCounts counts;
    SoftCounts soft;
    bool has_soft;
#define CASE_FIELD(name) double name;
    CASE_FIGURES(CASE_FIELD)
#undef CASE_FIELD
} CaseMetrics;

typedef struct CaseInput {
    const uint8_t *mask, *truth;  // (depth, height, width)
    const float *probability;     // of the class, likewise; NULL: not known
    int64_t depth, height, width; // depth 1: a picture
    int class;                    // ANY_CLASS, or one
    const double *spacing;        // mm: x, y, z; NULL: not known
    bool no_distance;             // leaves HD95 out, which is nearly all the work
} CaseInput;
Status case_metrics(const CaseInput *input, CaseMetrics *out);

// ---- Many cases: constant memory a patient --------------------------------------------------------------------

typedef struct FigureSum {
    double total;
    int64_t count; // cases in which it is defined
} FigureSum;

// The cases of one patient (or of all, where nobody asks for patients).
typedef struct PatientSum {
    MaskCounts counts;
    SoftCounts soft;
    int64_t cases, soft_cases;
#define SUM_FIELD(name) FigureSum name;
    CASE_FIGURES(SUM_FIELD)
#undef SUM_FIELD
} PatientSum;
void patient_sum_add(PatientSum *sum, const CaseMetrics *metrics);
void patient_sum_merge(PatientSum *sum, const PatientSum *more);

// ---- Figures of a study ---------------------------------------------------------------------------------------

typedef enum MetricKey {
#define METRIC(id, ...) METRIC_##id,
#include "metric/metrics.def"
#undef METRIC
    METRIC_COUNT
} MetricKey;

// `patients`: n sums. No cases, or undefined in all: NaN.
double metric_value(const PatientSum *patients, size_t n, MetricKey key);
// Several classes, each with sums of its own: class k's are patients[k * n .. k * n + n - 1]. The *macro mean*: the
// plain mean of the classes' figures (without the background), those left out that are undefined.
double metric_macro_mean(const PatientSum *patients, size_t n, size_t classes, MetricKey key);

// 95 % percentile bootstrap over patients (Efron & Tibshirani 1993, chapter 13): n patients are drawn with replacement,
// `resamples` times; the interval holds the middle 95 % of the figures that come out. Slices of one patient resemble
// each other, so it is patients that are drawn, never slices. The same seed gives the same interval, and the same draws
// for each key. Draws for which the figure is undefined are left out. Fewer than 2 patients: NaN, NaN.
Status bootstrap_interval(const PatientSum *patients, size_t n, MetricKey key, int resamples, uint64_t seed,
                          double out[2]);

// ---- Conventions ----------------------------------------------------------------------------------------------

typedef struct MetricConvention {
    const char *key;    // "dice_pooled"
    const char *name;   // for people: "pooled Dice"
    const char *equals; // the library and function that gives the same number
    const char *empty;  // what becomes of empty masks
    const char *text;   // one sentence
} MetricConvention;
const MetricConvention *metric_conventions(size_t *count); // METRIC_COUNT of them, in the order of MetricKey

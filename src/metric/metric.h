// How well a mask fits the truth. A pixel belongs to the object where its value is not 0 (or equals one class).
//
// Counts first, figures from counts: *pooled* figures come from the sum of the counts of all cases, *mean* figures are
// the plain mean of the cases' own. Both are in use and differ (small objects weigh more in the mean), so both are
// named.
#pragma once
#include "base/status.h"
#include <stdint.h>

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

// The cases of a study, one after the other; the results name their convention.
typedef struct DiceSummary {
    MaskCounts sum;
    int64_t cases;
    double dice_total, smooth1_total, smooth100_total, iou_total;
} DiceSummary;
void dice_summary_add(DiceSummary *summary, const MaskCounts *counts);
double dice_pooled(const DiceSummary *summary);         // of the summed counts; no cases: NaN
double dice_mean(const DiceSummary *summary);           // mean over cases of dice(); no cases: NaN
double dice_smooth1_mean(const DiceSummary *summary);   // mean over cases of dice_smooth(1)
double dice_smooth100_mean(const DiceSummary *summary); // mean over cases of dice_smooth(100)
double iou_mean(const DiceSummary *summary);            // mean over cases of iou()

// The 95th percentile Hausdorff distance, exact. Surface: the object's pixels with a 4-neighbour (in a volume:
// 6-neighbour) outside the object; beyond the edge of the picture is outside. From every surface pixel of one the
// Euclidean distance to the nearest surface pixel of the other, between pixel centres; both directions in one list,
// of which the 95th percentile is taken with linear interpolation (MedPy's convention; others take the larger of the
// two directions' percentiles, which is never smaller by much but not the same number).
// mask, truth: (depth, height, width), depth 1: a picture, without neighbours in z. spacing: x, y, z; {1, 1, 1} gives
// pixels. `*distance` is NaN where one of the two is empty: no distance is defined then, and a mean leaves it out.
Status hd95(const uint8_t *mask, const uint8_t *truth, int64_t depth, int64_t height, int64_t width, int class,
            const double spacing[3], double *distance);

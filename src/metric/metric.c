// Overlap figures from counts.
#include "metric/metric.h"
#include "metric/object.h"
#include <math.h>

MaskCounts mask_counts(const uint8_t *mask, const uint8_t *truth, int64_t pixels, int class) {
    MaskCounts counts = {pixels, 0, 0, 0};
    for (int64_t i = 0; i < pixels; i++) {
        const bool in_mask = is_object(mask[i], class), in_truth = is_object(truth[i], class);
        counts.mask += in_mask;
        counts.truth += in_truth;
        counts.intersection += in_mask && in_truth;
    }
    return counts;
}

void mask_counts_add(MaskCounts *sum, const MaskCounts *more) {
    sum->pixels += more->pixels;
    sum->mask += more->mask;
    sum->truth += more->truth;
    sum->intersection += more->intersection;
}

static double ratio(double above, double below, double of_nothing) { return below == 0 ? of_nothing : above / below; }

double dice(const MaskCounts *counts) { return dice_smooth(counts, 0); }

double dice_smooth(const MaskCounts *counts, double smooth) {
    return ratio(2.0 * (double)counts->intersection + smooth, (double)(counts->mask + counts->truth) + smooth, 1);
}

SoftCounts soft_counts(const float *probability, const uint8_t *truth, int64_t pixels, int class) {
    SoftCounts counts = {0, 0, 0};
    for (int64_t i = 0; i < pixels; i++) {
        const double p = probability[i];
        const bool in_truth = is_object(truth[i], class);
        counts.mask += p;
        counts.truth += in_truth;
        if (in_truth) counts.intersection += p;
    }
    return counts;
}

double dice_soft(const SoftCounts *counts, double smooth) {
    return ratio(2 * counts->intersection + smooth, counts->mask + counts->truth + smooth, 1);
}

double iou(const MaskCounts *counts) {
    return ratio((double)counts->intersection, (double)(counts->mask + counts->truth - counts->intersection), 1);
}

double sensitivity(const MaskCounts *counts) { return ratio((double)counts->intersection, (double)counts->truth, NAN); }

double specificity(const MaskCounts *counts) {
    const int64_t outside_both = counts->pixels - (counts->mask + counts->truth - counts->intersection);
    return ratio((double)outside_both, (double)(counts->pixels - counts->truth), NAN);
}

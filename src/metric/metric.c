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

double iou(const MaskCounts *counts) {
    return ratio((double)counts->intersection, (double)(counts->mask + counts->truth - counts->intersection), 1);
}

double sensitivity(const MaskCounts *counts) { return ratio((double)counts->intersection, (double)counts->truth, NAN); }

double specificity(const MaskCounts *counts) {
    const int64_t outside_both = counts->pixels - (counts->mask + counts->truth - counts->intersection);
    return ratio((double)outside_both, (double)(counts->pixels - counts->truth), NAN);
}

void dice_summary_add(DiceSummary *summary, const MaskCounts *counts) {
    mask_counts_add(&summary->sum, counts);
    summary->cases++;
    summary->dice_total += dice(counts);
    summary->smooth1_total += dice_smooth(counts, 1);
    summary->smooth100_total += dice_smooth(counts, 100);
    summary->iou_total += iou(counts);
}

static double mean(double total, const DiceSummary *summary) { return ratio(total, (double)summary->cases, NAN); }

double dice_pooled(const DiceSummary *summary) { return summary->cases > 0 ? dice(&summary->sum) : NAN; }

double dice_mean(const DiceSummary *summary) { return mean(summary->dice_total, summary); }

double dice_smooth1_mean(const DiceSummary *summary) { return mean(summary->smooth1_total, summary); }

double dice_smooth100_mean(const DiceSummary *summary) { return mean(summary->smooth100_total, summary); }

double iou_mean(const DiceSummary *summary) { return mean(summary->iou_total, summary); }

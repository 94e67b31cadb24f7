// All figures of one case.
#include "metric/metric.h"
#include <math.h>

static void overlap_figures(const MaskCounts *counts, CaseMetrics *out) {
    out->dice = dice(counts);
    out->dice_nnunet = counts->mask + counts->truth > 0 ? out->dice : NAN;
    out->dice_monai = counts->truth > 0 ? out->dice : NAN;
    out->dice_smooth1 = dice_smooth(counts, 1);
    out->dice_smooth100 = dice_smooth(counts, 100);
    out->iou = iou(counts);
    out->sensitivity = sensitivity(counts);
    out->specificity = specificity(counts);
}

static Status distance(const CaseInput *input, const double spacing[3], Hd95 *out) {
    return hd95_both(input->mask, input->truth, input->depth, input->height, input->width, input->class, spacing, out);
}

// Equal on all axes that the case has: then mm are pixels times a number.
static bool is_even(const CaseInput *input) {
    const double *s = input->spacing;
    return s[0] == s[1] && (input->depth == 1 || s[2] == s[0]);
}

static Status distance_figures(const CaseInput *input, CaseMetrics *out) {
    static const double pixels[3] = {1, 1, 1};
    Hd95 px, mm = {NAN, NAN};
    TRY(distance(input, pixels, &px));
    if (input->spacing && is_even(input)) mm = (Hd95){px.medpy * input->spacing[0], px.monai * input->spacing[0]};
    else if (input->spacing) TRY(distance(input, input->spacing, &mm));
    out->hd95_px = px.medpy, out->hd95_monai_px = px.monai;
    out->hd95_mm = mm.medpy, out->hd95_monai_mm = mm.monai;
    return ST_OK;
}

Status case_metrics(const CaseInput *input, CaseMetrics *out) {
    const int64_t pixels = input->depth * input->height * input->width;
    *out = (CaseMetrics){.counts = mask_counts(input->mask, input->truth, pixels, input->class),
                         .has_soft = input->probability != NULL,
                         .dice_soft = NAN,
                         .hd95_px = NAN,
                         .hd95_mm = NAN,
                         .hd95_monai_px = NAN,
                         .hd95_monai_mm = NAN};
    overlap_figures(&out->counts, out);
    if (out->has_soft) {
        out->soft = soft_counts(input->probability, input->truth, pixels, input->class);
        out->dice_soft = dice_soft(&out->soft, SOFT_SMOOTH);
    }
    return input->no_distance || out->counts.mask == 0 || out->counts.truth == 0 ? ST_OK : distance_figures(input, out);
}

// Figures of one case and of a study: by hand, on degenerate masks, by patient, by class; the bootstrap.
#include "base/rng.h"
#include "metric/metric.h"
#include "test.h"

static bool near(double a, double b) { return fabs(a - b) <= 1e-12 * MAX(1.0, fabs(b)); }

enum { SIDE = 8, PIXELS = SIDE * SIDE };

static CaseMetrics metrics_of(const uint8_t *mask, const uint8_t *truth, int class, const double *spacing) {
    const CaseInput input = {
        .mask = mask, .truth = truth, .depth = 1, .height = SIDE, .width = SIDE, .class = class, .spacing = spacing};
    CaseMetrics metrics;
    CHECK_OK(case_metrics(&input, &metrics));
    return metrics;
}

TEST(degenerate_cases) {
    static const uint8_t nothing[PIXELS] = {0};
    static uint8_t full[PIXELS], corner[PIXELS], opposite[PIXELS];
    memset(full, 1, sizeof full);
    corner[0] = opposite[PIXELS - 1] = 1;

    CaseMetrics m = metrics_of(nothing, nothing, ANY_CLASS, NULL);
    CHECK(m.dice == 1 && m.iou == 1 && m.dice_smooth1 == 1 && m.dice_smooth100 == 1 && m.specificity == 1);
    CHECK(isnan(m.dice_nnunet) && isnan(m.dice_monai) && isnan(m.sensitivity) && isnan(m.dice_soft));
    CHECK(isnan(m.hd95_px) && isnan(m.hd95_mm) && isnan(m.hd95_monai_px) && isnan(m.hd95_monai_mm) && !m.has_soft);

    m = metrics_of(corner, nothing, ANY_CLASS, NULL);
    CHECK(m.dice == 0 && m.dice_nnunet == 0 && isnan(m.dice_monai) && isnan(m.hd95_px) && near(m.dice_smooth1, 0.5));
    m = metrics_of(nothing, corner, ANY_CLASS, NULL);
    CHECK(m.dice == 0 && m.dice_nnunet == 0 && m.dice_monai == 0 && m.sensitivity == 0 && isnan(m.hd95_px));

    m = metrics_of(full, full, ANY_CLASS, NULL);
    CHECK(m.dice == 1 && isnan(m.specificity) && m.hd95_px == 0 && m.hd95_monai_px == 0 && isnan(m.hd95_mm));

    m = metrics_of(corner, opposite, ANY_CLASS, (const double[3]){2, 2, 9}); // a picture: z counts for nothing
    CHECK(m.dice == 0 && near(m.hd95_px, 7 * sqrt(2)) && near(m.hd95_mm, 14 * sqrt(2)));
    m = metrics_of(corner, opposite, ANY_CLASS, (const double[3]){3, 4, 9});
    CHECK(near(m.hd95_mm, 35) && near(m.hd95_monai_mm, 35) && near(m.hd95_monai_px, 7 * sqrt(2)));
}

TEST(spacing_of_a_volume_is_even_on_all_axes_or_it_is_not) {
    static uint8_t a[3 * 2 * 2], b[3 * 2 * 2];
    a[0] = b[8] = 1; // two slices apart
    const double spacing[3] = {2, 2, 5};
    CaseInput input = {.mask = a, .truth = b, .depth = 3, .height = 2, .width = 2, .class = 1, .spacing = spacing};
    CaseMetrics m;
    CHECK_OK(case_metrics(&input, &m));
    CHECK(m.hd95_px == 2 && m.hd95_mm == 10 && m.hd95_monai_mm == 10);
    input.no_distance = true;
    CHECK_OK(case_metrics(&input, &m));
    CHECK(isnan(m.hd95_px) && isnan(m.hd95_mm) && m.dice == 0);
}

// One far pixel among many: half of one direction's distances, a small part of the list.
TEST(the_two_conventions_of_hd95_differ) {
    static uint8_t mask[PIXELS], truth[PIXELS];
    for (int x = 0; x < SIDE; x++) truth[x] = 1, mask[x] = x < 2;
    mask[SIDE * 7] = 1;
    const CaseMetrics m = metrics_of(mask, truth, ANY_CLASS, NULL);
    // mask to truth 0 0 7; truth to mask 0 0 1 2 3 4 5 6
    CHECK(near(m.hd95_monai_px, 7 * 0.9) && near(m.hd95_px, 6.5));
}

static MaskCounts random_counts(Rng *rng) {
    const int64_t truth = (int64_t)rng_below(rng, 50), mask = (int64_t)rng_below(rng, 50);
    return (MaskCounts){200, mask, truth, (int64_t)rng_below(rng, (uint64_t)MIN(truth, mask) + 1)};
}

// A case of counts alone.
static CaseMetrics of_counts(MaskCounts counts) {
    return (CaseMetrics){.counts = counts,
                         .dice = dice(&counts),
                         .dice_nnunet = counts.mask + counts.truth ? dice(&counts) : NAN,
                         .dice_monai = counts.truth ? dice(&counts) : NAN,
                         .dice_smooth1 = dice_smooth(&counts, 1),
                         .dice_smooth100 = dice_smooth(&counts, 100),
                         .dice_soft = NAN,
                         .iou = iou(&counts),
                         .hd95_px = NAN,
                         .hd95_mm = NAN,
                         .hd95_monai_px = NAN,
                         .hd95_monai_mm = NAN,
                         .sensitivity = sensitivity(&counts),
                         .specificity = specificity(&counts)};
}

TEST(pooled_mean_and_patient_mean_differ) {
    const MaskCounts cases[3] = {{100, 40, 40, 40}, {100, 2, 2, 0}, {100, 0, 0, 0}};
    PatientSum patients[2] = {{.cases = 0}}; // the first two cases are of one patient
    CHECK(isnan(metric_value(patients, 2, METRIC_DICE_POOLED)) && isnan(metric_value(patients, 2, METRIC_DICE_MEAN)));
    CHECK(isnan(metric_value(patients, 2, METRIC_DICE_PATIENT_MEAN)) && isnan(metric_value(NULL, 0, METRIC_IOU)));
    for (int i = 0; i < 3; i++) {
        const CaseMetrics metrics = of_counts(cases[i]);
        patient_sum_add(&patients[i / 2], &metrics);
    }
    const double pooled = metric_value(patients, 2, METRIC_DICE_POOLED);
    CHECK(near(pooled, 80.0 / 84) && near(metric_value(patients, 2, METRIC_DICE_PATIENT_MEAN), (pooled + 1) / 2));
    CHECK(near(metric_value(patients, 2, METRIC_DICE_MEAN), 2.0 / 3));
    CHECK(near(metric_value(patients, 2, METRIC_IOU), 2.0 / 3));
    CHECK(near(metric_value(patients, 2, METRIC_DICE_MEAN_NNUNET), 1.0 / 2));
    CHECK(near(metric_value(patients, 2, METRIC_DICE_MEAN_MONAI), 1.0 / 2));
    CHECK(near(metric_value(patients, 2, METRIC_DICE_SMOOTH1), (1 + 1.0 / 5 + 1) / 3));
    CHECK(near(metric_value(patients, 2, METRIC_DICE_SMOOTH100), (1 + 100.0 / 104 + 1) / 3));
    CHECK(near(metric_value(patients, 2, METRIC_SENSITIVITY), 40.0 / 42));
    CHECK(near(metric_value(patients, 2, METRIC_SENSITIVITY_MEAN), 1.0 / 2));
    CHECK(near(metric_value(patients, 2, METRIC_SPECIFICITY), 256.0 / 258));
    CHECK(isnan(metric_value(patients, 2, METRIC_HD95_PX)) && isnan(metric_value(patients, 2, METRIC_DICE_SOFT)));
}

TEST(sums_can_be_merged) {
    Rng rng;
    rng_seed(&rng, 3);
    PatientSum one = {.cases = 0}, parts[2] = {{.cases = 0}};
    for (int i = 0; i < 20; i++) {
        const CaseMetrics metrics = of_counts(random_counts(&rng));
        patient_sum_add(&one, &metrics);
        patient_sum_add(&parts[i % 2], &metrics);
    }
    patient_sum_merge(&parts[0], &parts[1]);
    for (int key = 0; key < METRIC_COUNT; key++) {
        const double a = metric_value(&one, 1, key), b = metric_value(parts, 1, key);
        CHECK(isnan(a) ? isnan(b) : near(a, b));
    }
}

TEST(soft_dice_pooled_needs_all_probabilities) {
    static const uint8_t truth[PIXELS] = {1, 1}, mask[PIXELS] = {1};
    static const float probability[PIXELS] = {0.75f, 0.25f};
    CaseInput input = {.mask = mask,
                       .truth = truth,
                       .probability = probability,
                       .depth = 1,
                       .height = SIDE,
                       .width = SIDE,
                       .class = 1};
    CaseMetrics m;
    PatientSum sum = {.cases = 0};
    CHECK_OK(case_metrics(&input, &m));
    CHECK(near(m.dice_soft, (2 + 1e-5) / (3 + 1e-5)));
    patient_sum_add(&sum, &m);
    CHECK(near(metric_value(&sum, 1, METRIC_DICE_SOFT_POOLED), m.dice_soft));
    input.probability = NULL;
    CHECK_OK(case_metrics(&input, &m));
    patient_sum_add(&sum, &m);
    CHECK(isnan(metric_value(&sum, 1, METRIC_DICE_SOFT_POOLED)));
    CHECK(near(metric_value(&sum, 1, METRIC_DICE_SOFT), (2 + 1e-5) / (3 + 1e-5)));
}

TEST(classes_have_figures_of_their_own_and_a_macro_mean) {
    static const uint8_t truth[PIXELS] = {1, 1, 2, 2, 2, 2}, mask[PIXELS] = {1, 2, 2, 2, 2, 2};
    PatientSum sums[3][1] = {{{.cases = 0}}};
    for (int class = 1; class <= 3; class ++) {
        const CaseMetrics m = metrics_of(mask, truth, class, NULL);
        patient_sum_add(&sums[class - 1][0], &m);
    }
    CHECK(near(metric_value(sums[0], 1, METRIC_DICE_POOLED), 2.0 / 3));
    CHECK(near(metric_value(sums[1], 1, METRIC_DICE_POOLED), 8.0 / 9));
    CHECK(near(metric_macro_mean(sums[0], 1, 2, METRIC_DICE_POOLED), (2.0 / 3 + 8.0 / 9) / 2));
    // The third is nowhere: Dice 1, sensitivity undefined and left out.
    CHECK(near(metric_macro_mean(sums[0], 1, 3, METRIC_DICE_POOLED), (2.0 / 3 + 8.0 / 9 + 1) / 3));
    CHECK(near(metric_macro_mean(sums[0], 1, 3, METRIC_SENSITIVITY), (1.0 / 2 + 1) / 2));
}

// ---- Bootstrap ------------------------------------------------------------------------------------------------

static void make_patients(PatientSum *patients, int n, uint64_t seed) {
    Rng rng;
    rng_seed(&rng, seed);
    for (int i = 0; i < n; i++) {
        patients[i] = (PatientSum){.cases = 0};
        for (int k = 0; k < 1 + i % 4; k++) {
            const CaseMetrics metrics = of_counts(random_counts(&rng));
            patient_sum_add(&patients[i], &metrics);
        }
    }
}

TEST(interval_of_few_patients) {
    PatientSum patients[3];
    double interval[2];
    make_patients(patients, 3, 1);
    CHECK_OK(bootstrap_interval(patients, 0, METRIC_DICE_POOLED, 100, 1, interval));
    CHECK(isnan(interval[0]) && isnan(interval[1]));
    CHECK_OK(bootstrap_interval(patients, 1, METRIC_DICE_POOLED, 100, 1, interval));
    CHECK(isnan(interval[0]) && isnan(interval[1]));
    CHECK_OK(bootstrap_interval(patients, 3, METRIC_HD95_PX, 100, 1, interval)); // undefined in all
    CHECK(isnan(interval[0]) && isnan(interval[1]));
    CHECK(bootstrap_interval(patients, 3, METRIC_DICE_POOLED, 0, 1, interval) == ST_USAGE);
    CHECK(bootstrap_interval(patients, 3, METRIC_DICE_POOLED, 2000000, 1, interval) == ST_USAGE);
    patients[1] = patients[2] = patients[0]; // alike: whatever is drawn
    CHECK_OK(bootstrap_interval(patients, 3, METRIC_DICE_POOLED, 100, 1, interval));
    CHECK(near(interval[0], interval[1]) && near(interval[0], metric_value(patients, 1, METRIC_DICE_POOLED)));
}

TEST(interval_is_repeatable_and_holds_the_figure) {
    PatientSum patients[12];
    double interval[2], again[2], other[2];
    make_patients(patients, 12, 2);
    for (int key = 0; key < METRIC_COUNT; key++) {
        const double value = metric_value(patients, 12, key);
        CHECK_OK(bootstrap_interval(patients, 12, key, 500, 7, interval));
        CHECK_OK(bootstrap_interval(patients, 12, key, 500, 7, again));
        CHECK_OK(bootstrap_interval(patients, 12, key, 500, 8, other));
        if (isnan(value)) continue;
        CHECK(interval[0] == again[0] && interval[1] == again[1] && interval[0] < value && value < interval[1]);
        CHECK(interval[0] != other[0] && fabs(interval[0] - other[0]) < 0.1);
    }
}

static int by_size(const void *a, const void *b) {
    return (*(const double *)a > *(const double *)b) - (*(const double *)a < *(const double *)b);
}

// The definition, with sums that are copied out as they are drawn.
TEST(interval_is_that_of_the_definition) {
    enum { N = 9, RESAMPLES = 400 };
    PatientSum patients[N], drawn[N];
    static double values[RESAMPLES];
    double interval[2];
    make_patients(patients, N, 4);
    for (int key = 0; key <= METRIC_IOU_POOLED; key++) {
        Rng rng;
        rng_seed(&rng, 21);
        for (int i = 0; i < RESAMPLES; i++) {
            for (int k = 0; k < N; k++) drawn[k] = patients[rng_below(&rng, N)];
            values[i] = metric_value(drawn, N, key);
        }
        if (isnan(values[0])) continue;
        qsort(values, RESAMPLES, sizeof *values, by_size);
        CHECK_OK(bootstrap_interval(patients, N, key, RESAMPLES, 21, interval));
        CHECK(near(interval[0], values[9] + (values[10] - values[9]) * 0.975));
        CHECK(near(interval[1], values[389] + (values[390] - values[389]) * 0.025));
    }
}

TEST(interval_without_memory_is_a_status) {
    PatientSum patients[4];
    double interval[2];
    make_patients(patients, 4, 5);
    mem_fail_after(0);
    const Status status = bootstrap_interval(patients, 4, METRIC_DICE_MEAN, 10, 1, interval);
    mem_fail_after(-1);
    CHECK(status == ST_RESOURCE);
}

// ---- Conventions ----------------------------------------------------------------------------------------------

TEST(every_key_has_a_convention) {
    size_t count;
    const MetricConvention *all = metric_conventions(&count);
    CHECK_INT(count, METRIC_COUNT);
    for (size_t i = 0; i < count; i++) {
        CHECK(*all[i].key && *all[i].name && *all[i].equals && *all[i].empty && *all[i].text);
        for (size_t k = 0; k < i; k++) CHECK(strcmp(all[i].key, all[k].key) && strcmp(all[i].name, all[k].name));
    }
    CHECK_TEXT(all[METRIC_DICE_POOLED].key, "dice_pooled");
    CHECK_TEXT(all[METRIC_HD95_MM].key, "hd95_mm");
}

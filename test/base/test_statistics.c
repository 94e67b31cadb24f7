#include "base/rng.h"
#include "base/statistics.h"
#include "test.h"

TEST(quantiles_are_interpolated) {
    const double values[] = {1, 2, 4, 8, 16};
    CHECK(sorted_quantile(values, 5, 0) == 1);
    CHECK(sorted_quantile(values, 5, 1) == 16);
    CHECK(sorted_quantile(values, 5, 0.5) == 4);
    CHECK(fabs(sorted_quantile(values, 5, 0.9) - (8 + 0.6 * 8)) < 1e-12);
    CHECK(sorted_quantile(values, 2, 0.5) == 1.5);
    CHECK(sorted_quantile(values, 1, 0.99) == 1);
}
TEST(summary_of_known_values) {
    const double values[] = {5, 1, 3, 2, 4};
    Summary s;
    CHECK_OK(summarise(values, 5, &s));
    CHECK(s.min == 1 && s.median == 3 && s.mean == 3);
    CHECK(fabs(s.cv - sqrt(2.5) / 3) < 1e-12);
    CHECK(values[0] == 5); // left as they were
    CHECK_OK(summarise(values, 1, &s));
    CHECK(s.min == 5 && s.median == 5 && s.p99 == 5 && s.cv == 0);
}
TEST(interval_of_equal_ratios_is_a_point) {
    const double ratios[] = {0.7, 0.7, 0.7, 0.7};
    Ratio r;
    CHECK_OK(bootstrap_median(ratios, 4, 1, &r));
    CHECK(r.median == 0.7 && r.low == 0.7 && r.high == 0.7);
}
TEST(interval_is_repeatable_and_holds_the_median) {
    double ratios[31];
    Rng rng;
    Ratio one, two;
    rng_seed(&rng, 7);
    for (int i = 0; i < 31; i++) ratios[i] = 1 + 0.1 * rng_normal(&rng);
    CHECK_OK(bootstrap_median(ratios, 31, 1, &one));
    CHECK_OK(bootstrap_median(ratios, 31, 1, &two));
    CHECK(one.low == two.low && one.high == two.high);
    CHECK(one.low < one.median && one.median < one.high);
    CHECK(one.low > 0.85 && one.high < 1.15);
}
// The 95 % interval of 200 draws with true median 1 should miss it about 10 times: hardly ever more than 30.
TEST(interval_covers_the_true_median) {
    int missed = 0;
    Rng rng;
    rng_seed(&rng, 3);
    for (int draw = 0; draw < 200; draw++) {
        double ratios[25];
        Ratio r;
        for (int i = 0; i < 25; i++) ratios[i] = 1 + 0.05 * rng_normal(&rng);
        CHECK_OK(bootstrap_median(ratios, 25, (uint64_t)draw, &r));
        missed += r.low > 1 || r.high < 1;
    }
    CHECK_MSG(missed <= 30, "%d of 200 intervals miss the median", missed);
    CHECK_MSG(missed >= 1, "intervals that never miss are too wide");
}
TEST(drift_is_of_medians) {
    const double values[] = {4, 1, 2, 50, 60, 70, 3, 90, 2.5}, few[] = {1, 2};
    double drift;
    CHECK_OK(drift_of(values, 9, &drift));
    CHECK(drift == 1.5); // 3 / 2
    CHECK_OK(drift_of(values, 5, &drift));
    CHECK(drift == 60.0 / 4);
    CHECK_OK(drift_of(few, 2, &drift));
    CHECK(drift == 1);
}
TEST(no_memory) {
    const double values[] = {1, 2, 3};
    double drift;
    Summary s;
    Ratio r;
    mem_fail_after(0);
    CHECK_INT(summarise(values, 2, &s), ST_RESOURCE);
    mem_fail_after(0);
    CHECK_INT(drift_of(values, 3, &drift), ST_RESOURCE);
    for (int i = 0; i < 2; i++) {
        mem_fail_after(i);
        CHECK_INT(bootstrap_median(values, 2, 1, &r), ST_RESOURCE);
    }
    mem_fail_after(-1);
}
TEST(interval_by_ranks_is_exact) {
    double values[101];
    Ratio r;
    for (int i = 0; i < 101; i++) values[i] = 100 - i;
    // P(at most 1 of 10 below the median) = 11 / 1024 <= 0.025, of 2: 56 / 1024: the second from each end.
    CHECK_OK(median_interval(values, 10, 0.95, &r)); // 91..100
    CHECK(r.low == 92 && r.median == 95.5 && r.high == 99);
    CHECK_OK(median_interval(values, 10, 0.99, &r));
    CHECK(r.low == 91 && r.high == 100);
    CHECK_OK(median_interval(values, 6, 0.95, &r)); // 2 / 64
    CHECK(r.low == 95 && r.high == 100);
    CHECK_OK(median_interval(values, 5, 0.95, &r));
    CHECK(r.low == -INFINITY && r.high == INFINITY && r.median == 98);
    CHECK_OK(median_interval(values, 101, 0.95, &r)); // ranks 41 and 61
    CHECK(r.low == 40 && r.high == 60 && r.median == 50);
}
TEST(interval_by_ranks_holds_the_median_as_often_as_it_says) {
    int outside = 0;
    Rng rng;
    rng_seed(&rng, 3);
    for (int race = 0; race < 2000; race++) {
        double values[25];
        Ratio r;
        for (int i = 0; i < 25; i++) values[i] = exp(rng_normal(&rng)); // skewed, median 1
        CHECK_OK(median_interval(values, 25, 0.95, &r));
        outside += r.low > 1 || r.high < 1;
    }
    CHECK_MSG(outside > 40 && outside <= 110, "%d of 2000", outside); // 4.3 % for 25 values
}

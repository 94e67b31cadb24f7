// What the runs of a trial say.
#include "test.h"
#include "tune/trial.h"
#include <math.h>

#define CHECK_RATIO(wanted, ...)                                                                                       \
    do {                                                                                                               \
        const TrialRatio got = trial_ratio((const double[]){__VA_ARGS__});                                             \
        CHECK_MSG(fabs(got.ratio - (wanted)) < 1e-12, "got %.4f", got.ratio);                                          \
        CHECK(got.low <= got.ratio && got.ratio <= got.high);                                                          \
    } while (0)

TEST(a_trial_compares_neighbours) {
    CHECK_RATIO(0.8, 100, 80, 100, 80, 100);
    CHECK_RATIO(1, 100, 110, 120, 130, 120);
    CHECK_RATIO(0.8, 100, 80, 500, 80, 100); // a run was disturbed, whichever
    CHECK_RATIO(0.8, 500, 80, 100, 80, 100);
    CHECK_RATIO(0.8, 100, 400, 100, 80, 100);
    CHECK_RATIO(0.7, 100, 70, 100, 80, 100);
    const TrialRatio apart = trial_ratio((const double[]){100, 70, 100, 90, 100});
    CHECK(apart.low == 0.7 && apart.high == 0.9);
    for (int run = 0; run < TRIAL_RUNS; run += 2) {
        double times[] = {1, 1, 1, 1, 1};
        times[run] = 0;
        CHECK(trial_ratio(times).ratio == 0);
    }
}

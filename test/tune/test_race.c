// The race's rule over made times: no clock.
#include "base/rng.h"
#include "test.h"
#include "tune/race.h"

// Times as a busy machine gives them: normal noise, now and then a run that takes half as long again, and a slow drift.
typedef struct Track {
    Rng rng;
    double ratio, noise, drift;
    int runs;
} Track;
static Status run(void *context, int which, double *ms) {
    Track *track = context;
    *ms = 100 * (which ? track->ratio : 1) * (1 + track->noise * rng_normal(&track->rng));
    *ms *= 1 + track->drift * track->runs++;
    if (rng_uniform(&track->rng) < 0.05) *ms *= 1.5;
    return ST_OK;
}
static Race raced(uint64_t seed, double ratio, double noise, double drift, int rounds) {
    Track track = {.ratio = ratio, .noise = noise, .drift = drift};
    Race result;
    rng_seed(&track.rng, seed);
    CHECK_OK(race(run, &track, rounds, &result));
    return result;
}

TEST(a_plan_does_not_beat_itself) {
    // 1 in 20 may be called different, and then by less than 2 %.
    int different = 0;
    for (uint64_t seed = 0; seed < 200; seed++) {
        const Race r = raced(seed, 1, 0.02, 0.001, 10 + (int)(seed % 30));
        different += r.won || r.lost;
        if (r.won || r.lost) CHECK_MSG(fabs(r.ratio.median - 1) < 0.02, "%g", r.ratio.median);
    }
    CHECK_MSG(different <= 10, "%d of 200", different);
}
TEST(a_clear_gain_wins) {
    int won = 0;
    for (uint64_t seed = 0; seed < 100; seed++) {
        const Race r = raced(seed, 0.93, 0.02, 0, 20);
        won += r.won;
        CHECK(!r.lost && r.ratio.low <= r.ratio.median && r.ratio.median <= r.ratio.high);
    }
    CHECK_MSG(won >= 95, "%d of 100", won);
}
TEST(a_slower_plan_never_wins) {
    int lost = 0;
    for (uint64_t seed = 0; seed < 200; seed++) {
        const Race r = raced(seed, 1.03, 0.03, 0, 12);
        CHECK(!r.won);
        lost += r.lost;
    }
    CHECK(lost > 0);
}
TEST(a_steady_drift_hits_both_alike) {
    const Race r = raced(1, 1, 0, 0.01, 10); // 40 runs, each 1 % slower than the one before
    CHECK_MSG(fabs(r.ratio.median - 1) < 0.01 && r.ratio.low < 1 && r.ratio.high > 1, "%g", r.ratio.median);
    CHECK(!r.won && !r.lost);
}
static Status fails_at_the_fifth(void *context, int which, double *ms) {
    (void)which, *ms = 1;
    return ++*(int *)context < 5 ? ST_OK : fail(ST_CANCELLED, "stopped");
}
TEST(an_error_ends_a_race) {
    int runs = 0;
    Race r;
    CHECK_INT(race(fails_at_the_fifth, &runs, 10, &r), ST_CANCELLED);
    CHECK_INT(runs, 5);
    CHECK(!r.won && !r.lost);
}
TEST(as_many_rounds_as_there_is_time_for) {
    CHECK_INT(race_rounds(12, 100), 30);
    CHECK_INT(race_rounds(1, 1000), RACE_LEAST);
    CHECK_INT(race_rounds(100, 0), RACE_MOST);
}

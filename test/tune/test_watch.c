// What else the machine did, over made counters.
#include "test.h"
#include "tune/watch.h"

TEST(busy_cpus_are_time_over_time) {
    const Watch watch = {.seconds = 4, .seen = {{[CAUSE_OTHERS] = 3000, [CAUSE_STOLEN] = 400}}};
    CHECK(watch_others(&watch) == 0.75 && watch_stolen(&watch) == 0.1);
    CHECK(watch_others(&(Watch){.seconds = 0}) == 0);
}
TEST(runs_of_a_race_are_explained_each_beside_its_own_plan) {
    static RaceWatch watch;
    for (int which = 0; which < 2; which++)
        for (int i = 0; i < 20; i++) {
            watch.ms[which][i] = which ? 10 : 20; // one plan takes half as long
            watch.seen[which][i] = (Disturbance){{[CAUSE_WAITED] = 0.01 * i}};
        }
    watch.count[0] = watch.count[1] = 20;
    watch.ms[1][3] = 15, watch.seen[1][3].seen[CAUSE_WAITED] = 4.5; // is no outlier among the other plan's
    watch.ms[0][7] = 30, watch.seen[0][7].seen[CAUSE_WAITED] = 9;
    watch.seen[0][7].seen[CAUSE_DISK] = 2;
    watch.ms[0][9] = 22;
    CHECK_OK(race_watch_judge(&watch));
    CHECK_INT(watch.outliers, 3);
    CHECK_INT(watch.unexplained, 1);
    CHECK_INT(watch.by_cause[CAUSE_WAITED], 2);
    CHECK_INT(watch.by_cause[CAUSE_DISK], 1);
    CHECK_INT(watch.by_cause[CAUSE_STOLEN], 0);
}
TEST(a_stage_is_watched) {
    Watch watch;
    watch_begin(&watch);
    watch_end(&watch);
    CHECK(watch.seconds >= 0 && watch.seconds < 60);
    const double others = watch_others(&watch);
    CHECK(isnan(others) || others >= 0);
}

// Outliers and their causes, from made-up runs.
#include "base/statistics.h"
#include "measure/disturbance.h"
#include "test.h"

enum { RUNS = 25 };
static double ms[RUNS];
static Disturbance seen[RUNS];
static Usual usual;

// 25 runs of about 6 ms of which the system counts nothing but a clock of 3000 MHz, and
// a loop of 7 ms.
static void quiet_runs(void) {
    memset(seen, 0, sizeof seen);
    for (int i = 0; i < RUNS; i++)
        ms[i] = 6 + 0.01 * (i % 5), seen[i].seen[CAUSE_CLOCK] = 1e6 / 3000, seen[i].seen[CAUSE_PACE] = 7;
}
static unsigned causes_at(int run) {
    CHECK_OK(usual_of(ms, seen, RUNS, &usual));
    CHECK(is_outlier(ms[run], &usual));
    return causes_of(ms[run], &seen[run], &usual);
}

TEST(quiet_runs_have_no_outliers) {
    quiet_runs();
    CHECK_OK(usual_of(ms, seen, RUNS, &usual));
    CHECK_INT(usual.count, RUNS);
    CHECK(usual.ms == 6.02);
    for (int i = 0; i < RUNS; i++) CHECK(!is_outlier(ms[i], &usual));
    CHECK(!is_outlier(1.0499 * 6.02, &usual) && is_outlier(1.0501 * 6.02, &usual));
}
// From 6 to 14 ms: each cause alone, with as much of it as it takes for a quarter of the 8 ms, and a little less.
TEST(each_cause_alone) {
    static const double enough[CAUSE_COUNT] = {
        [CAUSE_STOLEN] = 2, [CAUSE_WAITED] = 2,    [CAUSE_PREEMPTED] = 1,         [CAUSE_MIGRATED] = 4,
        [CAUSE_DISK] = 1,   [CAUSE_FAULTS] = 1000, [CAUSE_CLOCK] = 1e6 / 2571.43, [CAUSE_PACE] = 8.17,
        [CAUSE_OTHERS] = 2};
    static const double little[CAUSE_COUNT] = {
        [CAUSE_STOLEN] = 1.9, [CAUSE_WAITED] = 1.9,       [CAUSE_PREEMPTED] = 0, [CAUSE_MIGRATED] = 3, [CAUSE_DISK] = 0,
        [CAUSE_FAULTS] = 990, [CAUSE_CLOCK] = 1e6 / 2580, [CAUSE_PACE] = 8.1,    [CAUSE_OTHERS] = 1.9};
    for (int cause = 0; cause < CAUSE_COUNT; cause++) {
        quiet_runs();
        ms[7] = 14.02;
        if (cause == CAUSE_PREEMPTED) // counts where nobody knows how long it waited
            for (int i = 0; i < RUNS; i++) seen[i].seen[CAUSE_WAITED] = NAN;
        CHECK_INT(causes_at(7), 0);
        seen[7].seen[cause] = enough[cause];
        CHECK_MSG(causes_at(7) == 1u << cause, "%s: got %x", cause_name((Cause)cause), causes_at(7));
        seen[7].seen[cause] = little[cause];
        CHECK_MSG(causes_at(7) == 0, "%s: got %x", cause_name((Cause)cause), causes_at(7));
    }
}
TEST(what_is_seen_in_usual_runs_is_no_cause) {
    quiet_runs();
    ms[7] = 14, seen[7].seen[CAUSE_WAITED] = 9, seen[7].seen[CAUSE_OTHERS] = 20;
    CHECK_INT(causes_at(7), 1u << CAUSE_WAITED | 1u << CAUSE_OTHERS);
    seen[3].seen[CAUSE_OTHERS] = 20; // a usual run had as much
    CHECK_INT(causes_at(7), 1u << CAUSE_WAITED);
    ms[4] = 13, seen[4].seen[CAUSE_WAITED] = 10; // another outlier had more: that takes nothing away
    CHECK_INT(causes_at(7), 1u << CAUSE_WAITED);
    CHECK_INT(causes_at(4), 1u << CAUSE_WAITED);
}
TEST(preemption_counts_as_long_as_it_kept_waiting) {
    quiet_runs();
    ms[7] = 14, seen[7].seen[CAUSE_PREEMPTED] = 3, seen[7].seen[CAUSE_WAITED] = 0.05;
    CHECK_INT(causes_at(7), 0);
    seen[7].seen[CAUSE_WAITED] = 5;
    CHECK_INT(causes_at(7), 1u << CAUSE_WAITED);
}
TEST(what_is_not_known_is_no_cause) {
    quiet_runs();
    ms[7] = 14;
    for (int cause = 0; cause < CAUSE_COUNT; cause++) seen[7].seen[cause] = NAN;
    CHECK_INT(causes_at(7), 0);
    quiet_runs();
    ms[7] = 14, seen[7].seen[CAUSE_WAITED] = 5;
    for (int i = 0; i < RUNS; i++)
        if (i != 7) seen[i].seen[CAUSE_WAITED] = NAN; // nothing to compare with
    CHECK_INT(causes_at(7), 0);
    CHECK_OK(usual_of(ms, NULL, RUNS, &usual));
    CHECK(usual.count == RUNS - 1 && isnan(usual.most.seen[CAUSE_WAITED]));
}
TEST(few_runs_explain_nothing) {
    quiet_runs();
    ms[7] = 14, seen[7].seen[CAUSE_WAITED] = 9;
    CHECK_OK(usual_of(ms, seen, 11, &usual)); // 10 usual ones
    CHECK_INT(causes_of(ms[7], &seen[7], &usual), 1u << CAUSE_WAITED);
    CHECK_OK(usual_of(ms, seen, 10, &usual));
    CHECK_INT(causes_of(ms[7], &seen[7], &usual), 0);
}

TEST(difference_of_two_readings) {
    const Counters before = {.own_ms = 100,
                             .busy_ms = 1000,
                             .stolen_ms = 10,
                             .waited_ms = 1,
                             .preempted = 2,
                             .page_faults = 30,
                             .disk_faults = 4,
                             .mhz = 3000,
                             .threads = 3,
                             .cpu = {0, 1, 2}};
    Counters after = {.own_ms = 112,
                      .busy_ms = 1040,
                      .stolen_ms = 30,
                      .waited_ms = 4.5,
                      .preempted = 5,
                      .page_faults = 37,
                      .disk_faults = 6,
                      .mhz = 2500,
                      .threads = 3,
                      .cpu = {1, 1, 0}};
    const Disturbance expected = {{[CAUSE_STOLEN] = 20,
                                   [CAUSE_WAITED] = 3.5,
                                   [CAUSE_PREEMPTED] = 3,
                                   [CAUSE_MIGRATED] = 2,
                                   [CAUSE_DISK] = 2,
                                   [CAUSE_FAULTS] = 7,
                                   [CAUSE_CLOCK] = 400,
                                   [CAUSE_PACE] = 2.5,
                                   [CAUSE_OTHERS] = 28}};
    Disturbance got = disturbance_between(&before, &after, 2.5);
    for (int cause = 0; cause < CAUSE_COUNT; cause++)
        CHECK_MSG(got.seen[cause] == expected.seen[cause], "%s: got %g", cause_name((Cause)cause), got.seen[cause]);
    after.busy_ms = 1010; // fewer ticks than we ran
    CHECK(disturbance_between(&before, &after, 2.5).seen[CAUSE_OTHERS] == 0);
    after.busy_ms = NAN, after.mhz = NAN, after.cpu[2] = -1;
    got = disturbance_between(&before, &after, 2.5);
    CHECK(isnan(got.seen[CAUSE_OTHERS]) && isnan(got.seen[CAUSE_CLOCK]) && isnan(got.seen[CAUSE_MIGRATED]));
}
TEST(causes_in_words) {
    Text text = {0};
    cause_print(CAUSE_WAITED, 7.1, &text);
    text_add(&text, "\n");
    cause_print(CAUSE_CLOCK, 400, &text);
    text_add(&text, "\n");
    cause_print(CAUSE_FAULTS, 2, &text);
    CHECK_TEXT(text_get(&text), "7.10 ms ready without a CPU\n2500 MHz of clock\n2 page faults");
    text_free(&text);
}
TEST(no_memory) {
    quiet_runs();
    mem_fail_after(0);
    CHECK_INT(usual_of(ms, seen, RUNS, &usual), ST_RESOURCE);
    mem_fail_after(-1);
}

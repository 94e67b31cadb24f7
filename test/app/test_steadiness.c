// What bench says of made-up runs.
#include "app/steadiness.h"
#include "test.h"

enum { RUNS = 12 };
static double ms[RUNS];
static Disturbance seen[RUNS];
static void make_runs(void) {
    memset(seen, 0, sizeof seen);
    for (int i = 0; i < RUNS; i++) ms[i] = 6, seen[i].seen[CAUSE_PACE] = i % 2 ? 1.98 : 2.02;
    ms[4] = 14.1034, seen[4].seen[CAUSE_WAITED] = 7.1, seen[4].seen[CAUSE_MIGRATED] = 8;
    ms[11] = 9;
}
static struct stent_result *told(const Runs *runs, bool list) {
    struct stent_result *result;
    CHECK_OK(result_begin("bench", NULL, &(stent_options){.size = sizeof(stent_options)}, &result));
    CHECK_OK(tell_steadiness(runs, list, result));
    json_end_object(&result->writer);
    return result;
}

TEST(each_run_with_its_causes) {
    make_runs();
    struct stent_result *result = told(&(Runs){ms, seen, RUNS}, true);
    const char *text = stent_result_text(result), *json = stent_result_json(result);
    CHECK_MSG(strstr(text, "6.0000 ms\n14.1034 ms  +135 %: 7.10 ms ready without a CPU, 8 threads on another CPU\n"
                           "6.0000 ms\n"),
              "%s", text);
    CHECK_MSG(strstr(text, "\n9.0000 ms  +50 %: unexplained\n"), "%s", text);
    CHECK_MSG(strstr(text, "counted in all runs: 7.10 ms ready without a CPU, 8 threads on another CPU\n"), "%s", text);
    CHECK_MSG(strstr(text, "\nthe machine itself: a fixed loop between the runs took 2.00 ms, variation 1.0 %\n"), "%s",
              text);
    CHECK_MSG(strstr(json, "\"loop\": {\"median_ms\": 2, \"cv\": 0.01"), "%s", json);
    CHECK_MSG(strstr(text, "drift 1.000; 2 of 12 runs more than 5 % above the median, 1 of them unexplained\n"), "%s",
              text);
    CHECK_MSG(strstr(json, "\"outliers\": [{\"run\": 5, \"ms\": 14.1034, \"over\": 1.35"), "%s", json);
    CHECK_MSG(strstr(json, "\"causes\": [\"waited\", \"migrated\"]}, {\"run\": 12, \"ms\": 9, \"over\": 0.5, "
                           "\"causes\": []}]"),
              "%s", json);
    CHECK_MSG(strstr(json, "\"disturbances\": {\"stolen\": 0, \"waited\": 7.1, "), "%s", json);
    stent_result_free(result);
}
TEST(nothing_was_counted) {
    make_runs();
    struct stent_result *result = told(&(Runs){ms, NULL, RUNS}, false);
    CHECK_TEXT(stent_result_text(result),
               "drift 1.000; 2 of 12 runs more than 5 % above the median (--list says why)\n");
    const char *json = stent_result_json(result);
    CHECK(strstr(json, "\"run\": 12") && !strstr(json, "causes") && !strstr(json, "disturbances"));
    stent_result_free(result);
}

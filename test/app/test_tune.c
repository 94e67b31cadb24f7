// tune, stopped by its caller.
#include "app/plan_store.h"
#include "base/file.h"
#include "base/text.h"
#include "cli/program.h"
#include "stent.h"
#include "wisdom/lines.h"

typedef struct Stop {
    const char *stage;
    int at, seen, after; // stops from this call of the stage on; calls of it; calls of any stage behind the first stop
} Stop;
static int stop_at(void *context, const char *stage, double done, double total) {
    Stop *stop = context;
    (void)done, (void)total;
    if (!strcmp(stage, stop->stage)) stop->seen++;
    const bool stopped = stop->seen >= stop->at;
    stop->after += stopped;
    return stopped;
}
// lie: wisdom that is believed says of some candidate of each layer that it takes half the time, so there is a race.
static stent_status tune_and_stop(bool lie, Stop *stop, stent_result **result) {
    stent_tune_options options = STENT_OPTIONS(stent_tune_options);
    setenv("XDG_DATA_HOME", test_temp("data"), 1);
    const char *package = test_temp("net.stent"), *lies = test_temp("lies");
    CHECK_INT(stent_compile(small_model(), package, NULL, NULL), STENT_OK);
    options.wisdom = test_temp("wisdom");
    if (lie) {
        options.trials = 1, options.common.untuned = true;
        CHECK_INT(stent_tune(package, &options, NULL), STENT_OK);
        wisdom_lie(options.wisdom, lies, 0.5);
        options.wisdom = lies, options.resume = true;
    }
    options.seconds = 3600;
    options.common.progress = stop_at, options.common.progress_context = stop;
    return stent_tune(package, &options, result);
}

static void store_what_stands(const char *package) {
    const stent_options options = {.size = sizeof options};
    Opened opened;
    StoredPlan stored = {.n_layers = 0};
    const char *path;
    bool dropped;
    REQUIRE(open_package(package, &options, 0, &opened) == ST_OK);
    CHECK_OK(stored_plan_put(&stored, executable_plan(opened.executable), &opened.arena, &dropped));
    CHECK_OK(plan_store_write(&opened, &stored, &path));
    close_package(&opened);
}

TEST(stopped_while_measuring_the_best_so_far_is_kept) {
    Stop stop = {.stage = "measuring", .at = 4};
    stent_result *result = NULL;
    CHECK_INT(tune_and_stop(false, &stop, &result), STENT_OK);
    const char *json = stent_result_json(result);
    CHECK_MSG(strstr(json, "\"stopped\": true") && strstr(json, "\"complete\": false") && strstr(json, "\"trials\": 3"),
              "%s", json);
    CHECK_INT(stop.seen, 4);
    CHECK(strstr(stent_result_text(result), "stopped by the user"));
    stent_result_free(result);
}
TEST(stopped_at_once_nothing_changes) {
    Stop stop = {.stage = "measuring", .at = 1};
    stent_result *result = NULL;
    CHECK_INT(tune_and_stop(false, &stop, &result), STENT_OK);
    CHECK(strstr(stent_result_json(result), "\"trials\": 0") &&
          strstr(stent_result_json(result), "\"kept\": \"baseline\""));
    stent_result_free(result);
}
TEST(stopped_while_measuring_what_was_found_races) {
    Stop stop = {.stage = "measuring", .at = 1};
    stent_result *result = NULL;
    CHECK_INT(tune_and_stop(true, &stop, &result), STENT_OK);
    CHECK_MSG(strstr(stent_result_json(result), "\"rounds\": 10"), "%s", stent_result_json(result));
    CHECK_INT(stop.after, 41); // it is asked at each run of the race, and its answer is known
    stent_result_free(result);
}
TEST(stopped_in_the_race_it_ends) {
    Stop stop = {.stage = "racing", .at = 2};
    stent_result *result = NULL;
    CHECK_INT(tune_and_stop(true, &stop, &result), STENT_CANCELLED);
    CHECK_INT(stop.seen, 2);
    stent_result_free(result);
}
// A package is written only where a tuned plan stands at the end.
TEST(the_output_carries_the_plan_that_stands) {
    const char *package = test_temp("net.stent"), *out = test_temp("out.stent");
    setenv("XDG_DATA_HOME", test_temp("data"), 1);
    CHECK_INT(program("compile", small_model(), "-o", package, NULL), 0);
    CHECK_INT(program("tune", package, "-o", package, NULL), 2);
    check_one_line("a package is not changed");
    REQUIRE(program_stdout("tune", package, "--trials", "1", "--time", "1ms", "-o", out, "--json", NULL) == 0);
    const bool kept = strstr(program_out, "\"kept\": \"tuned\"") != NULL;
    CHECK_INT(path_kind(out) == PATH_FILE, kept);
    CHECK_INT(strstr(program_out, "\"package\": null") == NULL, kept);
}
// A stored plan is raced against the untuned one each time: it stays unless that is faster beyond the noise.
TEST(a_stored_plan_is_looked_at_again) {
    const char *package = small_package();
    Arena arena = {0};
    REQUIRE(program_stdout("tune", package, "--trials", "1", "--time", "1ms", "--json", NULL) == 0);
    CHECK(json_get(program_json(&arena), "recheck")->type == JSON_NULL);
    store_what_stands(package);
    REQUIRE(program_stdout("tune", package, "--trials", "1", "--time", "1ms", "--json", NULL) == 0);
    const Json *json = program_json(&arena), *recheck = json_get(json, "recheck");
    REQUIRE(recheck->type == JSON_OBJECT);
    const double low = json_get(recheck, "ratio_low")->number, high = json_get(recheck, "ratio_high")->number;
    CHECK(low > 0 && low <= high);
    REQUIRE(program_stdout("tune", package, "--trials", "1", "--time", "1ms", "--json", "--untuned", NULL) == 0);
    CHECK(json_get(program_json(&arena), "recheck")->type == JSON_NULL);
    arena_free(&arena);
}
TEST(a_stored_plan_that_became_slower_goes) {
    const char *package = wide_package();
    Arena arena = {0};
    Opened opened;
    const stent_options options = {.size = sizeof options, .untuned = true};
    setenv("STENT_ESTIMATE", "worst", 1);
    store_what_stands(package);
    unsetenv("STENT_ESTIMATE");
    REQUIRE(program_stdout("tune", package, "--trials", "1", "--time", "1ms", "--json", NULL) == 0);
    const Json *json = program_json(&arena);
    if (!json_get(json_get(json, "recheck"), "stored_gone")->boolean)
        test_skip("the worst plan is not clearly slower here and now");
    REQUIRE(open_package(package, &options, 0, &opened) == ST_OK);
    const bool kept = !strcmp(json_get(json, "kept")->string, "tuned");
    CHECK(kept || !strcmp(json_get(json, "plan_hash")->string, opened.plan_hash));
    StoredPlan stored;
    CHECK_OK(plan_store_read(&opened, &stored));
    CHECK(stored.n_layers > 0); // it is there for every verb, in place of the slow one
    close_package(&opened);
    REQUIRE(program_stdout("bench", package, "--repeat", "1", "--json", NULL) == 0);
    CHECK_TEXT(json_get(program_json(&arena), "plan_hash")->string, json_get(json, "plan_hash")->string);
    arena_free(&arena);
}
// Without a folder for plans a plan that wins is told of, and nothing fails; with -o it travels.
static void check_nothing_stored(void) {
    const char *package = test_temp("wide.stent"), *out = test_temp("out.stent");
    stent_tune_options options = STENT_OPTIONS(stent_tune_options);
    stent_result *result = NULL;
    setenv("STENT_ESTIMATE", "worst", 1); // much to win
    options.trials = 12;
    CHECK_INT(stent_tune(package, &options, &result), STENT_OK);
    CHECK(strstr(stent_result_json(result), "\"kept\": \"baseline\""));
    CHECK(strstr(stent_result_text(result), "nothing changes"));
    const bool won = strstr(stent_result_text(result), "not stored: neither") != NULL;
    stent_result_free(result);
    if (!won) test_skip("nothing was clearly faster here and now");
    options.output = out;
    CHECK_INT(stent_tune(package, &options, &result), STENT_OK);
    const bool kept = strstr(stent_result_json(result), "\"kept\": \"tuned\"") != NULL;
    CHECK_INT(path_kind(out) == PATH_FILE, kept);
    stent_result_free(result);
}
TEST(without_a_folder_nothing_is_stored) {
    wide_package();
    unsetenv("XDG_DATA_HOME"), unsetenv("HOME"), unsetenv("STENT_WISDOM");
    check_nothing_stored();
}
TEST(in_a_folder_that_may_not_be_written_nothing_is_stored) {
    wide_package();
    setenv("XDG_DATA_HOME", "/dev/null/data", 1), unsetenv("STENT_WISDOM");
    check_nothing_stored();
}

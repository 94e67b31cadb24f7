// The verb wisdom, and what tune and compile --race make of wisdom.
#include "base/file.h"
#include "cli/program.h"
#include "wisdom/lines.h"

static int64_t number(const Json *object, const char *key) {
    const Json *item = json_get(object, key);
    REQUIRE(item && item->type == JSON_NUMBER);
    return (int64_t)item->number;
}
// Two problems on one machine, one on another; the second line stands there twice, and there is a damaged one.
static const char *some_wisdom(const char *name) {
    const char *path = test_temp(name);
    WisdomLine line = wisdom_line("a", "b", 0.8);
    wisdom_add(path, &line);
    line = wisdom_line("a", "c", 0.5);
    wisdom_add(path, &line), wisdom_add(path, &line);
    line.ratio = line.low = line.high = 0.9;
    wisdom_add(path, &line);
    line.problem = "pool";
    wisdom_add(path, &line);
    line.machine = "another CPU";
    wisdom_add(path, &line);
    CHECK_OK(file_append(path, "garbage\n", 8));
    return path;
}

TEST(list) {
    Arena arena = {0};
    const char *path = some_wisdom("w");
    REQUIRE(program_stdout("wisdom", "list", path, "--json", NULL) == 0);
    const Json *json = program_json(&arena), *problems = json_get(json, "problems");
    CHECK_INT(number(json, "bad"), 1);
    REQUIRE(problems && problems->count == 3);
    const Json *conv = &problems->items[0];
    CHECK_TEXT(json_get(conv, "problem")->string, "conv");
    CHECK_TEXT(json_get(conv, "machine")->string, "a CPU, caches 1 2 3");
    CHECK_INT(number(conv, "comparisons"), 4);
    CHECK_INT(number(conv, "configurations"), 2);
    CHECK_TEXT(json_get(conv, "best")->string, "c");
    CHECK(fabs(json_get(conv, "ratio")->number - cbrt(0.5 * 0.5 * 0.9)) < 1e-6);
    CHECK_TEXT(json_get(&problems->items[2], "machine")->string, "another CPU");
    CHECK_INT(program("wisdom", "list", path, path, NULL), 0);
    CHECK(strstr(program_out, "another CPU, avx2, 2 threads") && strstr(program_out, "2 damaged lines"));
    CHECK_INT(program("wisdom", "list", "--wisdom", test_temp("nothing"), NULL), 0);
    CHECK(strstr(program_out, "nothing was measured yet"));
    CHECK_INT(program("wisdom", "list", test_temp("nothing"), NULL), 3);
    check_one_line("no such file");
    arena_free(&arena);
}
TEST(merge_adds_what_is_new) {
    Arena arena = {0};
    const char *path = some_wisdom("w"), *own = test_temp("own");
    REQUIRE(program_stdout("wisdom", "merge", path, "--wisdom", own, "--json", NULL) == 0);
    const Json *json = program_json(&arena);
    CHECK(number(json, "added") == 5 && number(json, "had") == 1 && number(json, "bad") == 1);
    const int64_t size = file_size(own);
    REQUIRE(program_stdout("wisdom", "merge", path, own, "--wisdom", own, "--json", NULL) == 0);
    json = program_json(&arena);
    CHECK(number(json, "added") == 0 && number(json, "had") == 11);
    CHECK_INT(file_size(own), size);
    CHECK_OK(file_write(path, "no wisdom at all\n", 17));
    CHECK_INT(program("wisdom", "merge", path, "--wisdom", own, NULL), 3);
    check_one_line("expected lines of wisdom");
    CHECK_INT(program("wisdom", "merge", "--wisdom", own, NULL), 2);
    arena_free(&arena);
}
TEST(export_leaves_out_what_is_damaged_or_double) {
    Arena arena = {0};
    const char *path = some_wisdom("w"), *out = test_temp("out");
    REQUIRE(program_stdout("wisdom", "export", "-o", out, "--wisdom", path, "--json", NULL) == 0);
    const Json *json = program_json(&arena);
    CHECK(number(json, "exported") == 5 && number(json, "double") == 1 && number(json, "bad") == 1);
    REQUIRE(program_stdout("wisdom", "export", "-o", test_temp("again"), "--wisdom", out, "--json", NULL) == 0);
    json = program_json(&arena);
    CHECK(number(json, "exported") == 5 && number(json, "double") == 0 && number(json, "bad") == 0);
    CHECK_INT(program("wisdom", "export", "-o", path, "--wisdom", path, NULL), 2);
    check_one_line("is the wisdom itself");
    CHECK_INT(program("wisdom", "export", "--wisdom", path, NULL), 2);
    check_one_line("-o FILE");
    arena_free(&arena);
}
TEST(forget) {
    Arena arena = {0};
    const char *path = some_wisdom("w");
    CHECK_INT(program("wisdom", "forget", "--wisdom", path, NULL), 2);
    check_one_line("expected all, or others");
    CHECK_INT(program("wisdom", "forget", "some", "--wisdom", path, NULL), 2);
    REQUIRE(program_stdout("wisdom", "forget", "others", "--wisdom", path, "--json", NULL) == 0);
    const Json *json = program_json(&arena); // none of the lines is of this machine
    CHECK(number(json, "kept") == 0 && number(json, "forgotten") == 6 && number(json, "bad") == 1);
    CHECK_INT(file_size(path), 0);
    path = some_wisdom("v");
    REQUIRE(program_stdout("wisdom", "forget", "all", "--wisdom", path, "--json", NULL) == 0);
    CHECK_INT(file_size(path), 0);
    CHECK_INT(program("wisdom", "forget", "all", "--wisdom", test_temp("nothing"), NULL), 0);
    CHECK_INT(program("wisdom", "sell", NULL), 2);
    check_one_line("expected list, merge, export or forget");
    arena_free(&arena);
}

// What tuning measured is there for the next one, which measures nothing twice; of this machine "forget others" takes
// nothing.
TEST(tuning_adds_and_resumes) {
    Arena arena = {0};
    const char *package = small_package(), *path = test_temp("w");
    REQUIRE(program_stdout("tune", package, "--wisdom", path, "--trials", "2", "--time", "1m", "--json", NULL) == 0);
    const Json *json = program_json(&arena), *wisdom = json_get(json, "wisdom");
    const int64_t written = number(wisdom, "written"), trials = number(json, "trials");
    CHECK(written >= trials && trials > 0);
    CHECK(number(wisdom, "lines") == 0 && json_get(json, "complete")->boolean);
    REQUIRE(program_stdout("tune", package, "--wisdom", path, "--trials", "2", "--time", "1m", "--resume", "--untuned",
                           "--json", NULL) == 0);
    json = program_json(&arena), wisdom = json_get(json, "wisdom");
    CHECK_INT(number(wisdom, "lines"), written);
    CHECK_INT(number(wisdom, "here"), written);
    CHECK(number(wisdom, "resumed") >= written); // layers with one problem share
    CHECK_MSG(number(json, "trials") <= 1, "%lld trials", (long long)number(json, "trials"));
    REQUIRE(program_stdout("wisdom", "forget", "others", "--wisdom", path, "--json", NULL) == 0);
    CHECK_INT(number(program_json(&arena), "forgotten"), 0);
    CHECK_INT(program("wisdom", "list", "--wisdom", path, NULL), 0);
    CHECK(strstr(program_out, "conv fp32"));
    arena_free(&arena);
}
// Whatever it says, a plan is stored only by winning a race. Lies about this very machine: each configuration is said
// to take a thousandth of the time.
TEST(wisdom_that_lies_is_raced) {
    Arena arena = {0};
    const char *package = small_package(), *path = test_temp("w"), *lies = test_temp("lies");
    CHECK_INT(program("tune", package, "--wisdom", path, "--trials", "3", "--time", "1m", NULL), 0);
    wisdom_lie(path, lies, 0.001);
    CHECK_OK(file_append(lies, "w1 torn", 7));
    for (int resumed = 0; resumed < 2; resumed++) {
        REQUIRE(program_stdout("tune", package, "--wisdom", lies, "--trials", "1", "--time", "1ms", "--json",
                               "--untuned", resumed ? "--resume" : NULL, NULL) == 0);
        const Json *json = program_json(&arena);
        CHECK_INT(number(json_get(json, "wisdom"), "bad"), 1);
        const bool kept = !strcmp(json_get(json, "kept")->string, "tuned");
        CHECK(!kept || json_get(json, "ratio_high")->number < 1);
        if (resumed) CHECK(number(json_get(json, "wisdom"), "resumed") > 0 && number(json, "rounds") >= 10);
    }
    REQUIRE(program_stdout("compile", small_model(), "-o", test_temp("raced.stent"), "--race", "1ms", "--json", NULL) ==
            0);
    CHECK_INT(number(json_get(program_json(&arena), "race"), "rounds"), 0); // no wisdom here
    setenv("STENT_WISDOM", lies, 1);
    REQUIRE(program_stdout("compile", small_model(), "-o", test_temp("raced.stent"), "--race", "1ms", "--json", NULL) ==
            0);
    const Json *race = json_get(program_json(&arena), "race");
    CHECK(number(race, "rounds") >= 10);
    CHECK(!strcmp(json_get(race, "kept")->string, "baseline") || json_get(race, "ratio_high")->number < 1);
    arena_free(&arena);
}

// What goes to the helper of the tuner xgb and comes back; the helper is a shell. The real one: test/frameworks.
#define _GNU_SOURCE
#include "base/file.h"
#include "test.h"
#include "tune/xgb.h"
#include <sys/stat.h>

enum { COUNT = 6 };
static Candidate candidates[COUNT];
static SearchLayer layer = {.candidates = candidates, .n_candidates = COUNT};
static Search search;
static Problem problem;
static const Problem *problems[] = {&problem};

// A program that gets the script and ignores it.
static void helper(const char *commands) {
    const char *path = test_temp("python");
    Text text = {0};
    text_add(&text, "#!/bin/sh\n%s\n", commands);
    CHECK_OK(file_write(path, text_get(&text), text.length));
    chmod(path, 0755);
    setenv("STENT_PYTHON", path, 1);
    text_free(&text);
    const Shape shape = {4, {1, 16, 8, 8}};
    problem = (Problem){.kind = PROBLEM_CONV, .n_inputs = 1, .n_outputs = 1, .ic = 15, .oc = 31, .group = 1};
    problem.in[0] = problem.out[0] = layout_plain(DT_F32, &shape);
    for (int i = 0; i < COUNT; i++) candidates[i] = (Candidate){.estimate = 1, .knob = {i}};
    search_begin(&search, &layer, 1, &(SearchOptions){.tuner = TUNER_XGB, .seed = 5});
}
static void tell_four(void) {
    for (int c = 1; c <= 4; c++) search_tell(&search, 0, c, 1.5);
}

TEST(the_highest_score_is_tried) {
    Xgb *xgb;
    int pick;
    helper("read -r x; echo ready; read -r told; echo \"$told\" > \"$0.told\"; echo '[[0, 1, 2, 3, 4, 5]]'; cat > /dev/null");
    layer.n_candidates = COUNT;
    CHECK_OK(xgb_start(&search, problems, &xgb));
    search_tell(&search, 0, 1, 1.5);
    CHECK_OK(xgb_rank(xgb, &search)); // too little is new
    CHECK(!layer.scored);
    search_tell(&search, 0, 1, 1.6), search_tell(&search, 0, 2, 1.25), search_tell(&search, 0, 3, 2);
    CHECK_OK(xgb_rank(xgb, &search));
    CHECK(layer.scored && candidates[4].score == 4);
    int highest = 0;
    for (int i = 0; i < 100; i++) {
        REQUIRE(search_next(&search, &pick) && pick >= 4);
        highest += pick == 5;
    }
    CHECK_MSG(highest > 80 && highest < 100, "%d of 100", highest); // one in 20 by chance
    xgb_end(xgb);
    uint8_t *told;
    size_t size;
    CHECK_OK(file_read(test_temp("python.told"), 1000, &told, &size));
    CHECK_TEXT((const char *)told, "[[0, 1, 1.6], [0, 2, 1.25], [0, 3, 2]]\n");
    mem_free(told);
}
TEST(a_helper_that_is_none_is_told) {
    Xgb *xgb;
    setenv("STENT_PYTHON", "/no/such/python", 1);
    CHECK_INT(xgb_start(&search, problems, &xgb), ST_UNSUPPORTED);
    CHECK(strstr(error_message(), "pip install xgboost-cpu") && strstr(error_message(), "/no/such/python"));
    helper("echo 'ModuleNotFoundError' >&2; exit 1");
    CHECK_INT(xgb_start(&search, problems, &xgb), ST_UNSUPPORTED);
    helper("read -r x; echo hello");
    CHECK_INT(xgb_start(&search, problems, &xgb), ST_UNSUPPORTED);
    CHECK(strstr(error_message(), "expected 'ready'"));
    CHECK_INT(memory_live(), 0);
}
TEST(an_answer_that_does_not_fit_is_refused) {
    static const char *const answers[] = {"[]",  "[[1, 2]]", "[[0, 1, 2, 3, 4, \"5\"]]", "[[0, 1, 2, 3, 4, 5], []]",
                                          "{}",  "[1]",      "nonsense",                 "[[0, 1, 2, 3, 4, 5"};
    for (size_t i = 0; i < COUNT_OF(answers); i++) {
        char commands[200];
        Xgb *xgb;
        snprintf(commands, sizeof commands, "read -r x; echo ready; read -r told; echo '%s'", answers[i]);
        helper(commands);
        layer = (SearchLayer){.candidates = candidates, .n_candidates = COUNT};
        CHECK_OK(xgb_start(&search, problems, &xgb));
        tell_four();
        CHECK_INT(xgb_rank(xgb, &search), ST_RESOURCE);
        CHECK(strstr(error_message(), "--tuner xgb"));
        CHECK(!layer.scored);
        xgb_end(xgb);
    }
}

// What lines of wisdom say of a layer's ways: over made lines, no clock and no machine.
#include "base/file.h"
#include "base/log.h"
#include "test.h"
#include "tune/recall.h"

enum { WAYS = 5 };
static Problem problem;
static Way ways[WAYS];
static RecallLayer layer;
static Recall recall;
static Arena arena;
static const double level[WAYS] = {1, 1, 1, 1, 1};
static const char here[] = "this CPU, caches 1 2 3";

static void begin(const char *path) {
    const Shape shape = {4, {1, 16, 8, 8}};
    problem = (Problem){.kind = PROBLEM_CONV, .n_inputs = 1, .n_outputs = 1};
    problem.in[0] = problem.out[0] = layout_plain(DT_F32, &shape);
    for (int axis = 0; axis < AXES; axis++) problem.kernel[axis] = problem.stride[axis] = problem.dilation[axis] = 1;
    for (int i = 0; i < WAYS; i++) ways[i] = (Way){solver_find("conv_direct"), {.schedule = {i}}};
    layer = (RecallLayer){.problem = &problem, .ways = ways, .n_ways = WAYS};
    recall = (Recall){.path = path, .isa = "avx2", .machine = here, .threads = 2};
    CHECK_OK(recall_begin(&recall, &layer, 1, &arena));
}
static void add(const char *machine, const char *isa, int threads, int incumbent, int candidate, double ratio) {
    Text line = {0}, text[3] = {{0}};
    problem_print(&problem, &text[0]);
    way_print(&ways[incumbent], &text[1]), way_print(&ways[candidate], &text[2]);
    const WisdomLine said = {"2026-11-28T22:47:32Z", isa,   machine, threads, text_get(&text[0]), text_get(&text[1]),
                             text_get(&text[2]),     ratio, ratio,   ratio};
    CHECK_OK(wisdom_print(&said, &line));
    CHECK_OK(wisdom_append(recall.path, &line));
    text_free(&line);
    for (int i = 0; i < 3; i++) text_free(&text[i]);
}
static void add_here(int incumbent, int candidate, double ratio) { add(here, "avx2", 2, incumbent, candidate, ratio); }
static void foresee(const double *estimates, double ratios[WAYS]) {
    CHECK_OK(recall_read(&recall));
    CHECK_OK(recall_foresee(&layer, estimates, ratios));
    CHECK(ratios[0] == 1);
}
static void check_near(double actual, double wanted) {
    CHECK_MSG(fabs(actual - wanted) < 0.02 * wanted, "got %g, expected %g", actual, wanted);
}

TEST(without_wisdom_the_estimate_stands) {
    static const double estimates[WAYS] = {100, 50, 200, 100, 110};
    double ratios[WAYS];
    begin(test_temp("wisdom"));
    foresee(estimates, ratios);
    for (int i = 0; i < WAYS; i++) check_near(ratios[i], estimates[i] / 100);
    CHECK(!recall_knows(&layer, 1));
    begin(NULL);
    CHECK_OK(recall_read(&recall));
    CHECK_OK(recall_foresee(&layer, estimates, ratios));
    check_near(ratios[1], 0.5);
}
TEST(what_was_measured_stands_before_the_estimate) {
    static const double estimates[WAYS] = {100, 50, 200, 100, 110};
    double ratios[WAYS];
    begin(test_temp("wisdom"));
    add_here(0, 1, 1.2), add_here(0, 2, 0.8);
    foresee(estimates, ratios);
    check_near(ratios[1], 1.2), check_near(ratios[2], 0.8), check_near(ratios[3], 1);
    CHECK(recall_knows(&layer, 1) && recall_knows(&layer, 2) && !recall_knows(&layer, 3));
    CHECK_INT(recall.here, 2);
}
TEST(comparisons_with_other_incumbents_are_chained) {
    // 1 was measured against 0; then 1 was the incumbent, and 2 and 3 were measured against it.
    double ratios[WAYS];
    begin(test_temp("wisdom"));
    add_here(0, 1, 0.5), add_here(1, 2, 0.8), add_here(1, 3, 1.5);
    foresee(level, ratios);
    CHECK_MSG(fabs(ratios[1] - 0.5) < 0.03 && fabs(ratios[2] - 0.4) < 0.04 && fabs(ratios[3] - 0.75) < 0.05, "%g %g %g",
              ratios[1], ratios[2], ratios[3]);
}
TEST(elsewhere_counts_less_than_here) {
    double ratios[WAYS];
    begin(test_temp("wisdom"));
    add("another CPU", "avx2", 2, 0, 1, 0.5), add(here, "avx2", 4, 0, 2, 0.5); // other threads are elsewhere, too
    foresee(level, ratios);
    CHECK(ratios[1] > 0.5 && ratios[1] < 0.6 && ratios[1] == ratios[2]);
    CHECK(recall.elsewhere == 2 && recall.here == 0);
    add_here(0, 1, 1);
    begin(recall.path);
    foresee(level, ratios);
    CHECK_MSG(ratios[1] > 0.8 && ratios[1] < 1, "%g", ratios[1]);
}
TEST(what_belongs_to_other_problems_or_instruction_sets_is_nothing) {
    double ratios[WAYS];
    begin(test_temp("wisdom"));
    add(here, "avx512", 2, 0, 1, 0.5);
    problem.has_residual = true;
    add_here(0, 2, 0.5);
    problem.has_residual = false;
    const int version = ways[4].configuration.schedule[0];
    ways[4].configuration.schedule[0] = 77; // a configuration that the layer has not
    add_here(0, 4, 0.5);
    add_here(4, 3, 0.5);
    ways[4].configuration.schedule[0] = version;
    foresee(level, ratios);
    for (int i = 0; i < WAYS; i++) CHECK(ratios[i] == 1);
    CHECK_INT(recall.count.lines, 4);
    CHECK(recall.here == 0 && recall.elsewhere == 0);
}
TEST(the_newest_are_kept) {
    double ratios[WAYS];
    begin(test_temp("wisdom"));
    add_here(0, 1, 0.5);
    for (int i = 0; i < RECALL_COMPARISONS; i++) {
        layer.n_comparisons = i + 1; // as if as many had been read
        if (!layer.comparisons) layer.comparisons = arena_array(&arena, RECALL_COMPARISONS, sizeof *layer.comparisons);
        layer.comparisons[i] = (Remembered){0, 2, 0.7, true};
    }
    foresee(level, ratios);
    CHECK_INT(layer.n_comparisons, RECALL_COMPARISONS + 1);
    check_near(ratios[1], 0.5), check_near(ratios[2], 0.7);
}
TEST(resuming_measures_nothing_twice) {
    Candidate candidates[WAYS] = {{0}};
    SearchLayer searched = {.candidates = candidates, .n_candidates = WAYS};
    Search search;
    int pick;
    begin(test_temp("wisdom"));
    for (int i = 0; i < 5; i++)
        for (int way = 1; way < WAYS; way++) add_here(0, way, way == 3 ? 0.9 : 1.1);
    add_here(3, 1, 0.1); // against another incumbent
    add("another CPU", "avx2", 2, 0, 2, 0.1);
    CHECK_OK(recall_read(&recall));
    search_begin(&search, &searched, 1, &(SearchOptions){0});
    recall_resume(&recall, &search);
    CHECK_INT(recall.resumed, 5 * (WAYS - 1));
    CHECK(!search_next(&search, &pick));
    CHECK_INT(search_best(&searched), 3);
    CHECK(candidate_ratio(&candidates[2]) == 1.1);
}
TEST(a_trial_becomes_a_line) {
    double ratios[WAYS];
    Text lines = {0};
    begin(test_temp("wisdom"));
    CHECK_OK(recall_line(&recall, 0, 2, &(TrialRatio){0.8, 0.8, 0.8}, &lines));
    CHECK_OK(recall_line(&recall, 0, 1, &(TrialRatio){0, 0, 0}, &lines));       // no time was taken
    CHECK_OK(recall_line(&recall, 0, 1, &(TrialRatio){5e6, 0.8, 1e7}, &lines)); // nonsense
    recall_write(&recall, &lines);
    CHECK_INT(recall.written, 1);
    CHECK(strstr(text_get(&lines), "\t0.8\t0.8\t0.8\n"));
    foresee(level, ratios);
    check_near(ratios[2], 0.8);
    text_free(&lines);
}
static int notes;
static void count_note(void *context, LogLevel at, const char *line) {
    (void)context, (void)at;
    notes += strstr(line, "wisdom is not") != NULL;
}
TEST(wisdom_that_cannot_be_had_is_told_once) {
    double ratios[WAYS];
    Text lines = {0};
    log_set(count_note, NULL, LOG_NOTE);
    CHECK_OK(folder_make(test_temp("wisdom")));
    begin(test_temp("wisdom")); // a folder stands there
    foresee(level, ratios);
    CHECK_INT(notes, 1);
    CHECK_OK(recall_line(&recall, 0, 2, &(TrialRatio){0.8, 0.8, 0.8}, &lines));
    recall_write(&recall, &lines), recall_write(&recall, &lines);
    CHECK_INT(notes, 2);
    CHECK(recall.lost && !recall.written);
    text_free(&lines);
}

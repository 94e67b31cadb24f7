// Wisdom: a line that was read prints back the same, and what is foreseen from any lines is a finite ratio.
#include "fuzz/fuzz.h"
#include "tune/recall.h"
#include <math.h>
#include <string.h>

static Status print_again(void *context, const WisdomLine *line, const char *text, size_t length) {
    Text first = {0}, second = {0};
    WisdomLine read;
    char buffer[WISDOM_LINE];
    (void)context, (void)text, (void)length;
    FUZZ_REQUIRE(wisdom_fits(line));
    // Rounded to four digits a low ratio may be too low to be written again.
    if (wisdom_print(line, &first) == ST_OK && wisdom_parse(text_get(&first), first.length - 1, buffer, &read)) {
        FUZZ_REQUIRE(wisdom_print(&read, &second) == ST_OK);
        FUZZ_REQUIRE(!strcmp(text_get(&first), text_get(&second)));
    }
    error_clear();
    text_free(&first), text_free(&second);
    return ST_OK;
}
// The lines' ways of the problem "conv fp32 1x16x8x8 -> 1x16x8x8".
static void foresee(const char *path) {
    enum { WAYS = 4 };
    const Shape shape = {4, {1, 16, 8, 8}};
    Problem problem = {.kind = PROBLEM_CONV, .n_inputs = 1, .n_outputs = 1};
    Way ways[WAYS];
    static const double estimates[WAYS] = {2, 1, 3, 0};
    double ratios[WAYS];
    Arena arena = {0};
    problem.in[0] = problem.out[0] = layout_plain(DT_F32, &shape);
    for (int axis = 0; axis < AXES; axis++) problem.kernel[axis] = problem.stride[axis] = problem.dilation[axis] = 1;
    for (int i = 0; i < WAYS; i++) ways[i] = (Way){solver_find("conv_direct"), {.schedule = {i}}};
    RecallLayer layer = {.problem = &problem, .ways = ways, .n_ways = WAYS};
    Recall recall = {.path = path, .isa = "avx2", .machine = "fuzz", .threads = 2};
    FUZZ_REQUIRE(recall_begin(&recall, &layer, 1, &arena) == ST_OK && recall_read(&recall) == ST_OK);
    FUZZ_REQUIRE(recall_foresee(&layer, estimates, ratios) == ST_OK);
    for (int i = 0; i < WAYS; i++) FUZZ_REQUIRE(isfinite(ratios[i]) && ratios[i] > 0);
    arena_free(&arena);
}
int fuzz_wisdom(const uint8_t *data, size_t size) {
    const char *path = fuzz_file("wisdom", data, size);
    WisdomCount count;
    const Status status = wisdom_read(path, print_again, NULL, &count);
    fuzz_check(status);
    foresee(path);
    return 0;
}

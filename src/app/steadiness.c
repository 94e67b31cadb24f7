#include "app/steadiness.h"
#include "base/memory.h"
#include "base/statistics.h"
#include <math.h>

static unsigned causes_at(const Runs *runs, size_t at, const Usual *usual) {
    return runs->seen ? causes_of(runs->ms[at], &runs->seen[at], usual) : 0;
}
static void put_outliers(const Runs *runs, const Usual *usual, JsonWriter *w) {
    json_key(w, "outliers"), json_begin_array(w);
    for (size_t i = 0; i < runs->count; i++) {
        if (!is_outlier(runs->ms[i], usual)) continue;
        const unsigned causes = causes_at(runs, i, usual);
        json_begin_object(w);
        json_key(w, "run"), json_integer(w, (int64_t)i + 1);
        json_key(w, "ms"), json_number(w, rounded_ms(runs->ms[i]));
        json_key(w, "over"), json_number(w, runs->ms[i] / usual->ms - 1);
        if (runs->seen) json_key(w, "causes"), json_begin_array(w);
        for (int cause = 0; cause < CAUSE_COUNT; cause++)
            if (causes >> cause & 1) json_string(w, cause_name((Cause)cause));
        if (runs->seen) json_end_array(w);
        json_end_object(w);
    }
    json_end_array(w);
}
// "14.1034 ms  +131 %: 7.10 ms ready without a CPU".
static void list_run(const Runs *runs, size_t at, const Usual *usual, Text *text) {
    const bool outlier = is_outlier(runs->ms[at], usual);
    const unsigned causes = outlier ? causes_at(runs, at, usual) : 0;
    const char *between = ": ";
    text_add(text, "%.4f ms", runs->ms[at]);
    if (outlier) text_add(text, "  +%.0f %%", 100 * (runs->ms[at] / usual->ms - 1));
    for (int cause = 0; cause < CAUSE_COUNT; cause++) {
        if (!(causes >> cause & 1)) continue;
        text_add(text, "%s", between), between = ", ";
        cause_print((Cause)cause, runs->seen[at].seen[cause], text);
    }
    text_add(text, "%s\n", outlier && runs->seen && !causes ? ": unexplained" : "");
}
// What was counted in all runs together.
static void tell_sums(const Runs *runs, JsonWriter *w, Text *text) {
    const char *between = "counted in all runs: ";
    json_key(w, "disturbances"), json_begin_object(w);
    for (int cause = 0; cause < CAUSE_COUNT; cause++) {
        double sum = 0;
        if (!cause_has_sum((Cause)cause)) continue;
        for (size_t i = 0; i < runs->count; i++) sum += runs->seen[i].seen[cause];
        json_key(w, cause_name((Cause)cause)), json_number(w, sum);
        if (!(sum > 0)) continue;
        text_add(text, "%s", between), between = ", ";
        cause_print((Cause)cause, sum, text);
    }
    json_end_object(w);
    if (*between == ',') text_add(text, "\n");
}
static void count_outliers(const Runs *runs, const Usual *usual, double drift, bool list, Text *text) {
    size_t outliers = 0, unexplained = 0;
    for (size_t i = 0; i < runs->count; i++) {
        if (!is_outlier(runs->ms[i], usual)) continue;
        outliers++;
        unexplained += !causes_at(runs, i, usual);
    }
    text_add(text, "drift %.3f; %zu of %zu runs more than 5 %% above the median", drift, outliers, runs->count);
    if (outliers && runs->seen) text_add(text, ", %zu of them unexplained", unexplained);
    else if (outliers && !list) text_add(text, " (--list says why)");
    text_add(text, "\n");
}
// How much of the variation is the machine's own: that of the fixed loop between the runs.
static Status tell_pace(const Runs *runs, JsonWriter *w, Text *text) {
    Summary s;
    double *values = mem_zero(runs->count, sizeof *values);
    if (!values) return fail_memory(runs->count * sizeof *values);
    for (size_t i = 0; i < runs->count; i++) values[i] = runs->seen[i].seen[CAUSE_PACE];
    const Status status = summarise(values, runs->count, &s);
    mem_free(values);
    if (status != ST_OK || isnan(s.mean)) return status;
    json_key(w, "loop"), json_begin_object(w);
    json_number_at(w, "median_ms", rounded_ms(s.median)), json_number_at(w, "cv", s.cv);
    json_end_object(w);
    text_add(text, "the machine itself: a fixed loop between the runs took %.2f ms, variation %.1f %%\n", s.median,
             100 * s.cv);
    return ST_OK;
}
Status tell_steadiness(const Runs *runs, bool list, struct stent_result *result) {
    JsonWriter *w = &result->writer;
    double drift;
    Usual usual;
    TRY(drift_of(runs->ms, runs->count, &drift));
    TRY(usual_of(runs->ms, runs->seen, runs->count, &usual));
    json_key(w, "drift"), json_number(w, drift);
    put_outliers(runs, &usual, w);
    for (size_t i = 0; list && i < runs->count; i++) list_run(runs, i, &usual, &result->text);
    if (runs->seen) tell_sums(runs, w, &result->text);
    if (runs->seen) TRY(tell_pace(runs, w, &result->text));
    count_outliers(runs, &usual, drift, list, &result->text);
    return ST_OK;
}

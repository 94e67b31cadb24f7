#include "measure/disturbance.h"
#include "base/memory.h"
#include "base/statistics.h"
#include <math.h>

// docs/TUNING.md says why.
static const double outlier_above = 1.05, least_part = 0.25;
enum { LEAST_USUAL = 10 };

static const struct {
    const char *name, *phrase;
    int decimals;
    double ms_each;
} causes[CAUSE_COUNT] = {
#define CAUSE_ROW(name, word, phrase, decimals, ms) {word, phrase, decimals, ms},
    CAUSES(CAUSE_ROW)
#undef CAUSE_ROW
};
const char *cause_name(Cause cause) { return causes[cause].name; }
static double mhz_of_period(double period) { return 1e6 / period; } // and the other way round
void cause_print(Cause cause, double seen, Text *text) {
    text_add(text, "%.*f %s", causes[cause].decimals, cause == CAUSE_CLOCK ? mhz_of_period(seen) : seen,
             causes[cause].phrase);
}

static double count_moved(const Counters *before, const Counters *after) {
    double count = 0;
    for (int i = 0; i < after->threads; i++) {
        if (before->cpu[i] < 0 || after->cpu[i] < 0) return NAN;
        count += before->cpu[i] != after->cpu[i];
    }
    return count;
}
Disturbance disturbance_between(const Counters *before, const Counters *after, double pace_ms) {
    const double others = after->busy_ms - before->busy_ms - (after->own_ms - before->own_ms);
    return (Disturbance){{[CAUSE_STOLEN] = after->stolen_ms - before->stolen_ms,
                          [CAUSE_WAITED] = after->waited_ms - before->waited_ms,
                          [CAUSE_PREEMPTED] = after->preempted - before->preempted,
                          [CAUSE_MIGRATED] = count_moved(before, after),
                          [CAUSE_DISK] = after->disk_faults - before->disk_faults,
                          [CAUSE_FAULTS] = after->page_faults - before->page_faults,
                          [CAUSE_CLOCK] = mhz_of_period(after->mhz),
                          [CAUSE_PACE] = pace_ms,
                          [CAUSE_OTHERS] = others < 0 ? 0 : others}}; // ticks are coarser than what is known of our own
}

bool is_outlier(double ms, const Usual *usual) { return ms > outlier_above * usual->ms; }
Status usual_of(const double *ms, const Disturbance *seen, size_t count, Usual *out) {
    double *values = mem_zero(count, sizeof *values);
    if (!values) return fail_memory(count * sizeof *values);
    *out = (Usual){.count = 0};
    for (size_t i = 0; i < count; i++) values[i] = ms[i];
    sort_doubles(values, count);
    out->ms = sorted_quantile(values, count, 0.5);
    for (size_t i = 0; i < count; i++) out->count += !is_outlier(ms[i], out);
    for (int cause = 0; cause < CAUSE_COUNT; cause++) {
        size_t known = 0;
        for (size_t i = 0; seen && i < count; i++)
            if (!is_outlier(ms[i], out) && !isnan(seen[i].seen[cause])) values[known++] = seen[i].seen[cause];
        sort_doubles(values, known);
        out->median.seen[cause] = known ? sorted_quantile(values, known, 0.5) : NAN;
        out->most.seen[cause] = known ? values[known - 1] : NAN;
    }
    mem_free(values);
    return ST_OK;
}
// Milliseconds that a cause may have added.
static double cost_of(Cause cause, double ms, const Disturbance *seen, const Usual *usual) {
    const double more = seen->seen[cause] - usual->median.seen[cause];
    if (!cause_has_sum(cause)) return ms * more / seen->seen[cause];            // all of the run's cycles took longer
    if (cause == CAUSE_PREEMPTED && !isnan(seen->seen[CAUSE_WAITED])) return 0; // the wait tells what it cost
    return more * causes[cause].ms_each;
}
unsigned causes_of(double ms, const Disturbance *seen, const Usual *usual) {
    unsigned found = 0;
    if (usual->count < LEAST_USUAL) return 0;
    for (int cause = 0; cause < CAUSE_COUNT; cause++) // what is not known is NAN and compares as false
        if (seen->seen[cause] > usual->most.seen[cause] &&
            cost_of((Cause)cause, ms, seen, usual) >= least_part * (ms - usual->ms))
            found |= 1u << cause;
    return found;
}

#include "tune/watch.h"
#include "base/clock.h"
#include <math.h>

void watch_begin(Watch *watch) {
    counters_open("/proc", "/sys/devices/system/cpu", &watch->files);
    counters_read(&watch->files, &watch->before);
    watch->start = clock_ns();
}
void watch_end(Watch *watch) {
    Counters after;
    watch->seconds = clock_ms_since(watch->start) / 1e3;
    counters_read(&watch->files, &after);
    counters_close(&watch->files);
    watch->seen = disturbance_between(&watch->before, &after, NAN);
}
static double cpus(const Watch *watch, Cause cause) {
    return watch->seconds > 0 ? watch->seen.seen[cause] / (1e3 * watch->seconds) : 0;
}
double watch_others(const Watch *watch) { return cpus(watch, CAUSE_OTHERS); }
double watch_stolen(const Watch *watch) { return cpus(watch, CAUSE_STOLEN); }

Status race_watch_judge(RaceWatch *watch) {
    for (int which = 0; which < 2; which++) {
        Usual usual;
        if (!watch->count[which]) continue;
        TRY(usual_of(watch->ms[which], watch->seen[which], (size_t)watch->count[which], &usual));
        for (int i = 0; i < watch->count[which]; i++) {
            const double ms = watch->ms[which][i];
            if (!is_outlier(ms, &usual)) continue;
            const unsigned causes = causes_of(ms, &watch->seen[which][i], &usual);
            watch->outliers++, watch->unexplained += !causes;
            for (int cause = 0; cause < CAUSE_COUNT; cause++) watch->by_cause[cause] += causes >> cause & 1;
        }
    }
    return ST_OK;
}

// Replays the tuners on recorded landscapes (test/tune/landscapes): what do they find after so many trials?
//
//     stent-replays [--xgb] [--noise 0.02] [--replays 50] LANDSCAPE...
//
// Comma-separated: landscape, its configurations, the part of them within 3 % of the best, what the untuned plan takes
// / the best, tuner, trials (first tries of the layer), measurements in all (median), what was taken / the best:
// median, of 9 in 10 replays, worst. Each measurement is off by a normal error, 0.02 unless told. xgb only where it is
// asked for: each replay starts a Python and takes seconds. Exit status 0; 2 where something is wrong with a file or a
// word.
#include "base/statistics.h"
#include "landscape.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_REPLAYS = 1000 };
static const char *const names[] = {"model", "ga", "random", "grid", "xgb"};

typedef struct Replays {
    double noise;
    int count, tuners;
} Replays;

static void must(Status status) {
    if (status == ST_OK) return;
    fprintf(stderr, "stent-replays: %s\n", error_message());
    exit(2);
}
static void replay(const Replays *r, const char *path, Landscape *landscape, const char *name, int trials) {
    double found[MOST_REPLAYS], measured[MOST_REPLAYS];
    SearchOptions options = {.trials = trials};
    if (!tuner_from_name(name, &options.tuner)) must(fail(ST_USAGE, "no tuner %s", name));
    for (int i = 0; i < r->count; i++) {
        int times;
        options.seed = (uint64_t)i;
        must(landscape_replay(landscape, &options, r->noise, &found[i], &times));
        measured[i] = times;
    }
    sort_doubles(found, (size_t)r->count), sort_doubles(measured, (size_t)r->count);
    const char *slash = strrchr(path, '/');
    printf("%s,%d,%.4f,%.4f,%s,%d,%.0f,%.4f,%.4f,%.4f\n", slash ? slash + 1 : path, landscape->count,
           landscape_share(landscape, 0.03), landscape->us[0] / landscape->best, name, trials,
           sorted_quantile(measured, (size_t)r->count, 0.5), sorted_quantile(found, (size_t)r->count, 0.5),
           found[(r->count * 9 + 9) / 10 - 1], found[r->count - 1]);
    fflush(stdout);
}
int main(int argc, char **argv) {
    static const int trials[] = {5, 10, 20, 30, 50, 100, 200};
    Replays r = {.noise = 0.02, .count = 50, .tuners = COUNT_OF(names) - 1};
    int at = 1;
    for (; at < argc && !strncmp(argv[at], "--", 2); at++) {
        if (!strcmp(argv[at], "--xgb")) r.tuners = COUNT_OF(names);
        else if (!strcmp(argv[at], "--noise") && at + 1 < argc) r.noise = atof(argv[++at]);
        else if (!strcmp(argv[at], "--replays") && at + 1 < argc) r.count = atoi(argv[++at]);
        else must(fail(ST_USAGE, "unknown: %s", argv[at]));
    }
    if (r.count < 1 || r.count > MOST_REPLAYS) must(fail(ST_USAGE, "--replays: expected 1 to %d", MOST_REPLAYS));
    printf("landscape,configurations,near,untuned,tuner,trials,measured,median,nine_in_ten,worst\n");
    for (; at < argc; at++) {
        Landscape landscape;
        must(landscape_read(argv[at], &landscape));
        for (int t = 0; t < r.tuners; t++)
            for (size_t k = 0; k < COUNT_OF(trials); k++)
                if (strcmp(names[t], "xgb") || trials[k] == 100) replay(&r, argv[at], &landscape, names[t], trials[k]);
        landscape_free(&landscape);
    }
    return 0;
}

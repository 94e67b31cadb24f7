#include "tune/race.h"
#include "base/memory.h"

int race_rounds(double seconds, double ms) {
    const double rounds = seconds * 1e3 / (4 * MAX(ms, 1e-3));
    return rounds < RACE_LEAST ? RACE_LEAST : rounds > RACE_MOST ? RACE_MOST : (int)rounds;
}
Status race(RaceRun *run, void *context, int rounds, Race *out) {
    double ratios[2 * RACE_MOST], ms[2][2 * RACE_MOST];
    Ratio strict;
    Summary each;
    if (rounds > RACE_MOST) rounds = RACE_MOST;
    *out = (Race){.rounds = rounds};
    for (int i = 0; i < rounds; i++) {
        TRY(run(context, 0, &ms[0][2 * i]));
        TRY(run(context, 1, &ms[1][2 * i]));
        TRY(run(context, 1, &ms[1][2 * i + 1]));
        TRY(run(context, 0, &ms[0][2 * i + 1]));
        for (int pair = 2 * i; pair < 2 * i + 2; pair++) ratios[pair] = ms[1][pair] / ms[0][pair];
    }
    TRY(median_interval(ratios, 2 * (size_t)rounds, 0.95, &out->ratio));
    TRY(median_interval(ratios, 2 * (size_t)rounds, 0.99, &strict));
    out->won = strict.high<1, out->lost = strict.low> 1;
    for (int which = 0; which < 2; which++) {
        TRY(summarise(ms[which], 2 * (size_t)rounds, &each));
        out->ms[which] = each.median;
    }
    return ST_OK;
}

// What else the machine did while candidates were measured and plans raced: the system's counters around the stages and
// around each run of the race (docs/TUNING.md, "Disturbances").
#pragma once
#include "measure/disturbance.h"
#include "tune/race.h"

// A stage, from begin to end.
typedef struct Watch {
    CounterFiles files;
    Counters before;
    uint64_t start;
    double seconds;
    Disturbance seen;
} Watch;
void watch_begin(Watch *watch); // the threads that there are now are watched
void watch_end(Watch *watch);
// CPUs that other processes, and the hypervisor for others, kept busy on average. NAN: not known.
double watch_others(const Watch *watch);
double watch_stolen(const Watch *watch);

// The runs of a race, and those of them that took more than 5 % longer than is usual for their plan.
typedef struct RaceWatch {
    double ms[2][2 * RACE_MOST];
    Disturbance seen[2][2 * RACE_MOST];
    int count[2];
    int outliers, unexplained;
    int by_cause[CAUSE_COUNT]; // outliers; one may have several causes
} RaceWatch;
Status race_watch_judge(RaceWatch *watch);

// The space of schedules that tuning searches: numbers of a schedule, each with the values that it may have.
#pragma once
#include "solver/solver.h"

enum { KNOB_VALUES = 64 };
typedef struct Knob {
    int at; // schedule[at]
    int count;
    int32_t value[KNOB_VALUES];
} Knob;
// A knob that stands as `value` so far.
Knob knob(int at, int64_t value);
// One more value; what it has already, or has no room for, is left out.
void knob_add(Knob *knob, int64_t value);
// 1, where `useful`: for switches that are 0 else.
Knob knob_switch(int at, bool useful);
// Lengths of units, at most `most` (the shortest is 1, whatever that is), that cut `length` into equal units, the last
// maybe shorter; not `usual`, for which 0 stands.
Knob knob_cuts(int at, int64_t length, int64_t usual, int64_t most);
// Most rows of a micro-kernel: `rows`, for which 0 stands, or two thirds of them, where this groups `count` otherwise.
Knob knob_groups(int at, int64_t count, int rows);
// Visits all combinations. False: the visitor wants no more.
bool knobs_visit(const Configuration *base, const Knob *knobs, int n, ConfigurationVisitor *visit, void *context);

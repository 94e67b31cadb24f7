// A stored plan: which solver and configuration each layer of one network takes on one kind of machine, as text.
//
//     stent-plan 1 <hash64 of what follows, hex>
//     {"for": "...", "layers": [{"name": "conv1", "solver": "conv_winograd", "version": 2, "arithmetic": [4, 128, 0,
//      0, 0, 0], "schedules": {"2": [0, 12, 1, 0, 0, 0]}}, ...]}
//
// Names and numbers only: the planner takes a layer's where it is one of the solver's own configurations for the
// problem at hand (PlanChoice), and everything else is derived again. The arithmetic, which fixes bits, is one for all
// numbers of threads; each number that was tuned has its schedule.
#pragma once
#include "plan/plan.h"

enum { STORED_THREADS = 16 };            // schedules of one layer
enum { STORED_BYTES = 4 * 1024 * 1024 }; // of a file

typedef struct StoredLayer {
    const char *name;
    const Solver *solver;
    int32_t arithmetic[CONFIGURATION_NUMBERS];
    int n_schedules, threads[STORED_THREADS];
    int32_t schedules[STORED_THREADS][CONFIGURATION_NUMBERS];
} StoredLayer;
typedef struct StoredPlan {
    StoredLayer *layers;
    int n_layers, capacity;
    int n_unknown; // layers in the file whose solver, or this version of it, is not had
} StoredPlan;

// Reads what stored_plan_print wrote. ST_BAD: damaged, or for something else than `key` (one line, the caller's).
Status stored_plan_parse(Arena *arena, const char *text, size_t length, const char *key, StoredPlan *out);
// What it says that it is for.
Status stored_plan_for(Arena *arena, const char *text, size_t length, const char **key);
// Of several that lie one behind the other, as packages carry them: the bytes of the first. At least 1 of `length` > 0.
size_t stored_plan_length(const char *text, size_t length);
Status stored_plan_print(const StoredPlan *stored, const char *key, Text *text);
// What a plan with so many threads takes.
Status stored_plan_choices(const StoredPlan *stored, int threads, Arena *arena, PlanChoice **out, int *count);
// Puts in the layers of `plan` whose solver has a choice. Schedules for other numbers of threads stay where every
// layer's arithmetic is what it was; else they go, and *dropped says so.
Status stored_plan_put(StoredPlan *stored, const Plan *plan, Arena *arena, bool *dropped);

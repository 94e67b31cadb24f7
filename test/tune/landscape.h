// A landscape: one layer's whole space of tuning with the time of every configuration, recorded once on a real machine
// (bench/landscapes.py), so that tuners can be replayed on it without a clock. Used by tests and bench/replays.c.
//
//     stent landscape 1
//     shape conv 1 64 64 1 256 256 1 3 3 1 1 1 0         kind N IC OC D H W KD KH KW STRIDE DILATION GROUP POOL
//     machine NAME, caches L1D L2 L3; ISA, N threads      bytes
//     SOLVER/VERSION ARITHMETIC SCHEDULE CYCLES US        a line a configuration: numbers, estimate, time; the first
//                                                         is what the plan takes untuned
#pragma once
#include "tune/search.h"
#include "tune/xgb.h"

typedef struct Landscape {
    char shape[128], machine[256]; // the lines' words
    int count;
    Candidate *candidates; // as the search begins with them
    double *us;
    double best; // us
    Arena arena;
} Landscape;

Status landscape_read(const char *path, Landscape *out);
void landscape_free(Landscape *landscape);
// Part of the configurations that are within `near` (0.03) of the best.
double landscape_share(const Landscape *landscape, double near);
// One search: what it takes in the end / the best of the landscape. Each measured ratio is off by a normal error of
// `noise`. measured: how often something was measured, may be NULL. TUNER_XGB starts its helper.
Status landscape_replay(Landscape *landscape, const SearchOptions *options, double noise, double *out, int *measured);

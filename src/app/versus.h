// profile --versus: two profiles lined up, what changed from one to the other, and why. Reads no clock.
#pragma once
#include "app/app.h"

// A step of a plan with its time.
typedef struct Layer {
    const char *name, *op, *shape, *solver, *configuration, *why; // as in a profile's JSON
    const char *const *parts;                                     // names of the values that it makes
    int n_parts;
    double ms;
    bool fallback; // on the reference path
} Layer;
typedef struct LayerProfile {
    const char *name;                          // the file's, without folder
    const char *isa, *cpu, *precision, *stent; // what ran where
    int threads;
    Layer *layers;
    int count;
    double sum_ms, whole_ms;
} LayerProfile;

// What `stent profile --json` printed. Texts in `arena`. ST_BAD: something else, with line, place and what was
// expected.
Status layer_profile_parse(const char *text, size_t length, Arena *arena, LayerProfile *out);
Status layer_profile_read(const char *path, Arena *arena, LayerProfile *out);

// Adds the key `versus` and tables: both sides, layer by layer, and the difference by cause. Layers are lined up by the
// values that they make, so that a step is compared with the several that do the same on the other side; those that
// have no value in common by op and shape, in their order.
Status tell_versus(const LayerProfile *mine, const LayerProfile *other, struct stent_result *result);

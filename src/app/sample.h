// What bench, profile and verify run a network on, and how far its results are from what is expected.
#pragma once
#include "app/app.h"

// Opens a package whose inputs come from `file` (.npy, .npz, "NAME=x.npy"): free dims take its shapes. NULL: no file.
Status open_for_input(const char *package, const stent_options *options, const char *file, int flags, Arena *arena,
                      Opened *out);

typedef struct Sample {
    Tensor *inputs;         // as graph->inputs, in `arena`
    const Tensor *expected; // the self-check's; NULL: there is none for these inputs
    const char *source;     // "the self-check's sample"
} Sample;
// From the file, else the self-check's own, else (other shapes than its) a synthetic one.
Status sample_take(const Opened *opened, const char *file, Arena *arena, Sample *out);

typedef struct Difference {
    double max_abs, max_rel, rms_rel;  // the worst output's; rms_rel is infinite where whole numbers differ
    int64_t outside;                   // elements beyond atol + rtol * |expected|
    int64_t mask_changed, mask_pixels; // as the pipeline makes masks of the first output
    int64_t mask_ties;                 // of the changed: where the outputs differ by no more than budget * standard
                                       // deviation, so that the expected value itself stands on the edge
} Difference;
// Over all outputs of the network.
Status difference_of(const Opened *opened, const Tensor *actual, const Tensor *expected, double atol, double rtol,
                     Difference *out);
// Within the precision's budget, and at most 1 in 100,000 mask pixels changed that are no ties.
bool difference_passes(const Difference *difference, double budget);

// The gate of a precision below fp32: what it does to the masks of given pictures, on any machine.
#pragma once
#include "app/app.h"

enum { GATE_PICTURES = 10 }; // at least, with a mask that is not empty
static const double GATE_DICE_LOSS = 0.001;

typedef struct Gate {
    int64_t pictures;      // with a mask of fp32 that is not empty; pages count by themselves
    int64_t empty;         // the others
    double pooled, worst;  // 1 - Dice(mask of fp32, mask of bf16): of all pixels together, of the worst of `pictures`
    char worst_path[1024]; // of that one
} Gate;
// The package as it is (fp32), and with rounded products (pass_round_products), over the pictures below `folder`. ST_BAD:
// a picture that cannot be read, too few with a mask. Of common: threads, max_memory, progress.
Status gate_measure(const PackageSource *source, const char *folder, const stent_options *common, Gate *out);

// Parts of a data set, by patient: pictures of one patient resemble each other and stay in one part.
#pragma once
#include "app/dataset/dataset.h"

Status split_check_part(const char *part); // ST_USAGE: none of train, validation, test
// Leaves the cases of one part. A patient who does not stand in the file is a fault.
Status split_apply(Dataset *dataset, const char *path, const char *part);

typedef struct Split {
    double fractions[3]; // of train, validation, test
    uint64_t seed;
    size_t counts[3]; // patients, set by split_make
} Split;
Status split_make(const Dataset *dataset, const char *path, Split *split); // the same seed, the same file

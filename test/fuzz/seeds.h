// Small right files of every kind, made by the tests' own writers: what fuzzing and the mutation tests start from.
#pragma once
#include "base/memory.h"
#include <stdint.h>

typedef struct Seed {
    const char *target; // of fuzz_targets
    const char *name;   // of the file
    uint8_t *bytes;
    size_t size;
} Seed;
// In `arena`. Ends the test when one cannot be made.
void make_seeds(Arena *arena, Seed **out, size_t *count);

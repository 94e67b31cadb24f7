// Small seeded random numbers (xoshiro256**, Blackman & Vigna 2018; seeded by splitmix64). Same on every machine.
#pragma once
#include <stdint.h>
typedef struct Rng {
    uint64_t state[4];
} Rng;
void rng_seed(Rng *rng, uint64_t seed);
uint64_t rng_next(Rng *rng);
uint64_t rng_below(Rng *rng, uint64_t bound); // 0 .. bound-1, bound > 0
double rng_uniform(Rng *rng);                 // [0, 1)
double rng_normal(Rng *rng);                  // mean 0, standard deviation 1 (sum-free polar method)

#include "base/rng.h"
#include <math.h>

// splitmix64 (Steele, Lea, Flood 2014): spreads a seed of few set bits over the whole state.
static uint64_t splitmix_next(uint64_t *state) {
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

void rng_seed(Rng *rng, uint64_t seed) {
    for (int i = 0; i < 4; i++) rng->state[i] = splitmix_next(&seed);
}

static inline uint64_t rotate_left(uint64_t x, int bits) { return x << bits | x >> (64 - bits); }

uint64_t rng_next(Rng *rng) {
    uint64_t *s = rng->state;
    uint64_t result = rotate_left(s[1] * 5, 7) * 9, shifted = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = rotate_left(s[3], 45);
    return result;
}

// Values of the last, incomplete run of `bound` are thrown away, so that none is likelier than another.
uint64_t rng_below(Rng *rng, uint64_t bound) {
    uint64_t too_few = -bound % bound, value; // 2^64 mod bound
    do value = rng_next(rng);
    while (value < too_few);
    return value % bound;
}

double rng_uniform(Rng *rng) { return (double)(rng_next(rng) >> 11) * 0x1p-53; }

// Marsaglia's polar method; the second value of each pair is not kept, so that the state is all there is.
double rng_normal(Rng *rng) {
    double x, y, square;
    do {
        x = 2 * rng_uniform(rng) - 1;
        y = 2 * rng_uniform(rng) - 1;
        square = x * x + y * y;
    } while (square >= 1 || square == 0);
    return x * sqrt(-2 * log(square) / square);
}

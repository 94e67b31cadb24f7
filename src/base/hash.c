#include "base/hash.h"
#include "base/sha256_blocks.h"
#include <stdatomic.h>
#include <string.h>

// ---- SHA-256, FIPS 180-4 ----

const uint32_t sha256_constants[64] = { // cube roots of the first 64 primes, fraction bits (section 4.2.2)
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static inline uint32_t rotate_right(uint32_t x, int bits) { return x >> bits | x << (32 - bits); }

static inline uint32_t load_big_endian(const uint8_t *at) {
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

// The message schedule, section 6.2.2 step 1.
static void expand_block(uint32_t w[64], const uint8_t block[64]) {
    for (int t = 0; t < 16; t++) w[t] = load_big_endian(block + 4 * t);
    for (int t = 16; t < 64; t++) {
        uint32_t s0 = rotate_right(w[t - 15], 7) ^ rotate_right(w[t - 15], 18) ^ w[t - 15] >> 3;
        uint32_t s1 = rotate_right(w[t - 2], 17) ^ rotate_right(w[t - 2], 19) ^ w[t - 2] >> 10;
        w[t] = s1 + w[t - 7] + s0 + w[t - 16];
    }
}

// Round t (step 3). Instead of moving each variable to the next place, the caller names them one place further on: the
// new a is what h was, the new e what d was.
static inline void add_round(uint32_t a, uint32_t b, uint32_t c, uint32_t *d, uint32_t e, uint32_t f, uint32_t g,
                             uint32_t *h, uint32_t word) {
    const uint32_t sum1 = rotate_right(e, 6) ^ rotate_right(e, 11) ^ rotate_right(e, 25);
    const uint32_t sum0 = rotate_right(a, 2) ^ rotate_right(a, 13) ^ rotate_right(a, 22);
    const uint32_t t1 = *h + sum1 + ((e & f) ^ (~e & g)) + word;
    *d += t1;
    *h = t1 + sum0 + ((a & b) ^ (a & c) ^ (b & c));
}

static void add_block(uint32_t state[8], const uint8_t block[64]) {
    uint32_t w[64];
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
    uint32_t e = state[4], f = state[5], g = state[6], h = state[7];
    expand_block(w, block);
    for (int t = 0; t < 64; t++) w[t] += sha256_constants[t];
    for (int t = 0; t < 64; t += 8) {
        add_round(a, b, c, &d, e, f, g, &h, w[t]);
        add_round(h, a, b, &c, d, e, f, &g, w[t + 1]);
        add_round(g, h, a, &b, c, d, e, &f, w[t + 2]);
        add_round(f, g, h, &a, b, c, d, &e, w[t + 3]);
        add_round(e, f, g, &h, a, b, c, &d, w[t + 4]);
        add_round(d, e, f, &g, h, a, b, &c, w[t + 5]);
        add_round(c, d, e, &f, g, h, a, &b, w[t + 6]);
        add_round(b, c, d, &e, f, g, h, &a, w[t + 7]);
    }
    state[0] += a, state[1] += b, state[2] += c, state[3] += d;
    state[4] += e, state[5] += f, state[6] += g, state[7] += h;
}

void sha256_blocks_plain(uint32_t state[8], const uint8_t *data, size_t blocks) {
    for (; blocks > 0; blocks--, data += 64) add_block(state, data);
}

// Asked once: in a virtual machine the question is dear.
static void add_blocks(uint32_t state[8], const uint8_t *data, size_t blocks) {
    static Sha256Blocks *_Atomic chosen;
    Sha256Blocks *add = atomic_load_explicit(&chosen, memory_order_relaxed);
    if (!add) {
        add = sha256_blocks_x86_runs() ? sha256_blocks_x86 : sha256_blocks_plain;
        atomic_store_explicit(&chosen, add, memory_order_relaxed);
    }
    add(state, data, blocks);
}

void sha256_begin(Sha256 *sha) {
    static const uint32_t start[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                      0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    memcpy(sha->state, start, sizeof start);
    sha->bytes = 0;
}

void sha256_add(Sha256 *sha, const void *data, size_t bytes) {
    const uint8_t *at = data;
    while (bytes > 0) {
        const size_t filled = sha->bytes % 64;
        size_t part = 64 - filled < bytes ? 64 - filled : bytes;
        if (part == 64) {
            part = bytes & ~(size_t)63;
            add_blocks(sha->state, at, part / 64);
        } else {
            memcpy(sha->block + filled, at, part);
            if (filled + part == 64) add_blocks(sha->state, sha->block, 1);
        }
        sha->bytes += part;
        at += part;
        bytes -= part;
    }
}

void sha256_end(Sha256 *sha, uint8_t digest[32]) {
    uint8_t tail[72] = {0x80}, length[8];
    uint64_t bits = sha->bytes * 8;
    for (int i = 0; i < 8; i++) length[i] = (uint8_t)(bits >> (56 - 8 * i));
    sha256_add(sha, tail, 1 + (119 - sha->bytes % 64) % 64); // up to 8 bytes before the end of a block
    sha256_add(sha, length, 8);
    for (int i = 0; i < 32; i++) digest[i] = (uint8_t)(sha->state[i / 4] >> (24 - 8 * (i % 4)));
}

void sha256_text(const uint8_t digest[32], char hex[65]) {
    for (int i = 0; i < 64; i++) hex[i] = "0123456789abcdef"[digest[i / 2] >> (i % 2 ? 0 : 4) & 15];
    hex[64] = 0;
}

void sha256_hex(const void *data, size_t bytes, char hex[65]) {
    Sha256 sha;
    uint8_t digest[32];
    sha256_begin(&sha);
    sha256_add(&sha, data, bytes);
    sha256_end(&sha, digest);
    sha256_text(digest, hex);
}

// ---- the fast one ----
// Four lanes of 8 bytes each, so that four multiplications are under way at a time; every step is a bijection of
// its lane, so a change of one lane's words is never lost. Little-endian by definition.

static const uint64_t prime_a = 0x9e3779b185ebca87u, prime_b = 0xc2b2ae3d27d4eb4fu; // odd, bits well spread

static inline uint64_t load_word(const uint8_t *at) {
    uint64_t word;
    memcpy(&word, at, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
}

static inline uint64_t mix_word(uint64_t lane, uint64_t word) {
    lane = (lane ^ word) * prime_a;
    return lane << 29 | lane >> 35;
}

static uint64_t finish_mix(uint64_t x) { // as in splitmix64
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

uint64_t hash64(const void *data, size_t bytes, uint64_t seed) {
    const uint8_t *at = data;
    uint64_t lanes[4] = {seed + prime_a, seed ^ prime_b, seed * prime_b + 1, ~seed};
    size_t left = bytes;
    for (; left >= 32; at += 32, left -= 32)
        for (int i = 0; i < 4; i++) lanes[i] = mix_word(lanes[i], load_word(at + 8 * i));
    uint8_t tail[32] = {0};
    if (left) memcpy(tail, at, left);
    for (int i = 0; i < 4; i++) lanes[i] = mix_word(lanes[i], load_word(tail + 8 * i));
    uint64_t sum = (uint64_t)bytes * prime_b;
    for (int i = 0; i < 4; i++) sum = finish_mix(sum ^ lanes[i]) + prime_a;
    return sum;
}
bool hash64_parse(const char digits[HASH64_DIGITS], uint64_t *out) {
    *out = 0;
    for (int i = 0; i < HASH64_DIGITS; i++) {
        const char *all = "0123456789abcdef", *digit = digits[i] ? strchr(all, digits[i]) : NULL;
        if (!digit) return false;
        *out = *out << 4 | (uint64_t)(digit - all);
    }
    return true;
}

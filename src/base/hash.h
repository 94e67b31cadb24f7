// Hashes: SHA-256 (FIPS 180-4) names contents, a fast 64-bit hash guards stored bytes against damage.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
typedef struct Sha256 {
    uint32_t state[8];
    uint64_t bytes;
    uint8_t block[64];
} Sha256;
void sha256_begin(Sha256 *sha);
void sha256_add(Sha256 *sha, const void *data, size_t bytes);
void sha256_end(Sha256 *sha, uint8_t digest[32]);
void sha256_text(const uint8_t digest[32], char hex[65]); // the digest in hexadecimal
void sha256_hex(const void *data, size_t bytes, char hex[65]);
// Not against malice; several bytes a cycle (64-bit lanes, multiply and mix). Same on every machine.
uint64_t hash64(const void *data, size_t bytes, uint64_t seed);
// 16 hex digits, as "%016llx" prints a hash. False: something else stands there.
enum { HASH64_DIGITS = 16 };
bool hash64_parse(const char digits[HASH64_DIGITS], uint64_t *out);

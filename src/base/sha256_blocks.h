// The inner loop of SHA-256, in the two ways that there are. Private to hash.c and its test.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

extern const uint32_t sha256_constants[64];
// Takes in blocks of 64 bytes.
typedef void Sha256Blocks(uint32_t state[8], const uint8_t *data, size_t blocks);
Sha256Blocks sha256_blocks_plain;
// By the instructions that newer CPUs have for it (x86 from 2016 on; eight times as fast). Only where they run.
Sha256Blocks sha256_blocks_x86;
bool sha256_blocks_x86_runs(void);

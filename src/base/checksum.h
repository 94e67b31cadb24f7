// Checksums of foreign files. Everything that compares one asks here, so that one switch serves all: compiled with
// STENT_CHECKSUMS_OFF (the fuzzing build, and the program that the mutation tests run) this file takes every checksum
// for right, and changed bytes reach the parsers behind it.
#pragma once
#include <stdbool.h>
#include <stdint.h>

bool checksum_matches(uint64_t computed, uint64_t stored);
bool checksums_on(void); // for those that a library compares: zlib's Adler-32

// Sizes of the data caches, from CPUID.
#pragma once
#include <stddef.h>

// Bytes of the data or unified cache of `level` 1..3, as one core sees it; 0: there is none, or it cannot be had.
size_t cache_bytes(int level);

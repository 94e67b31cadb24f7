// See cache.h. Asked of the CPU itself, so that the answer is the same with every C library and where /sys is missing.
#include "machine/cache.h"
#include <stdbool.h>
#include <stdint.h>
#if defined(__x86_64__)
#include <cpuid.h>

// Leaf 4 (Intel; SDM vol. 2A, CPUID) and leaf 0x8000001d (AMD; APM vol. 3, E.4.15) have one form: a sub-leaf for each
// cache, until one of type 0. Type 1 is data, 3 unified.
// False: it lists none at all. *bytes 0: none of this level.
static bool from_list(uint32_t leaf, int level, size_t *bytes) {
    uint32_t a, b, c, d, i;
    *bytes = 0;
    for (i = 0; i < 16 && __get_cpuid_count(leaf, i, &a, &b, &c, &d); i++) {
        const uint32_t type = a & 31, its_level = a >> 5 & 7;
        if (!type) break;
        if (type == 2 || (int)its_level != level) continue;
        const size_t line = (b & 0xfff) + 1, partitions = (b >> 12 & 0x3ff) + 1, ways = (b >> 22) + 1;
        *bytes = line * partitions * ways * ((size_t)c + 1);
    }
    return i > 0;
}
// AMD before the list: leaves 0x80000005 (L1) and 0x80000006 (L2 in KB, L3 in 512 KB).
static size_t from_old_amd(int level) {
    uint32_t a, b, c, d;
    if (!__get_cpuid(level == 1 ? 0x80000005u : 0x80000006u, &a, &b, &c, &d)) return 0;
    if (level == 1) return (size_t)(c >> 24) << 10;
    return level == 2 ? (size_t)(c >> 16) << 10 : (size_t)(d >> 18) << 19;
}
size_t cache_bytes(int level) {
    size_t bytes;
    if (level < 1 || level > 3) return 0;
    return from_list(4, level, &bytes) || from_list(0x8000001du, level, &bytes) ? bytes : from_old_amd(level);
}
#else
#include <unistd.h>
size_t cache_bytes(int level) {
    long bytes = 0;
#ifdef _SC_LEVEL1_DCACHE_SIZE // of glibc
    bytes = sysconf(level == 1 ? _SC_LEVEL1_DCACHE_SIZE : level == 2 ? _SC_LEVEL2_CACHE_SIZE : _SC_LEVEL3_CACHE_SIZE);
#else
    (void)level;
#endif
    return bytes > 0 ? (size_t)bytes : 0;
}
#endif

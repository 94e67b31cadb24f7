// See machine.h. Levels are exact lists of CPUID bits plus what the system saves (XCR0): Intel SDM vol. 1, ch. 13-15.
#include "machine/machine.h"
#include "base/file.h"
#include "base/text.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#if defined(__linux__)
#define __USE_GNU
#include <sched.h>
#endif
#if defined(__x86_64__)
#include <cpuid.h>
#endif

static const char *const isa_names[] = {
#define ISA_NAME(id, name, lanes) #name,
    ISA_MAP(ISA_NAME)
#undef ISA_NAME
};
const char *isa_name(Isa isa) { return isa < ISA_COUNT ? isa_names[isa] : "unknown"; }
bool isa_from_name(const char *name, Isa *out) {
    for (int i = 0; i < ISA_COUNT; i++)
        if (!strcmp(name, isa_names[i])) return *out = (Isa)i, true;
    return false;
}

#if defined(__x86_64__)
static bool has(uint32_t word, int bit) { return word >> bit & 1; }
static uint64_t xcr0(void) {
    uint32_t low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (uint64_t)high << 32 | low;
}
// avx: AVX. avx2: AVX2, FMA. avx512: F, DQ, BW, VL (Skylake-SP and later), and AVX2, FMA.
static void detect_isa(Machine *machine) {
    uint32_t a, b, c, d, b7 = 0, c7, d7 = 0, a71 = 0;
    machine->best = ISA_SSE2;
    if (!__get_cpuid(1, &a, &b, &c, &d)) return;
    const bool osxsave = has(c, 27), avx = has(c, 28), fma = has(c, 12);
    if (__get_cpuid_max(0, NULL) >= 7) {
        __cpuid_count(7, 0, a, b7, c7, d7);
        __cpuid_count(7, 1, a71, b, c7, d);
    }
    const uint64_t saved = osxsave ? xcr0() : 0;
    if (!avx || (saved & 0x6) != 0x6) return;
    machine->best = ISA_AVX;
    if (!fma || !has(b7, 5)) return;
    machine->best = ISA_AVX2;
    machine->has_fma = true;
    const bool avx512 = has(b7, 16) && has(b7, 17) && has(b7, 30) && has(b7, 31);
    if (!avx512 || (saved & 0xe6) != 0xe6) return;
    machine->best = ISA_AVX512;
    machine->has_avx512_bf16 = has(a71, 5);
    machine->has_amx = has(d7, 24) && has(d7, 22) && (saved & 0x60000) == 0x60000;
}
static void detect_name(Machine *machine) {
    uint32_t words[12] = {0};
    for (uint32_t i = 0; i < 3; i++)
        if (!__get_cpuid(0x80000002u + i, &words[4 * i], &words[4 * i + 1], &words[4 * i + 2], &words[4 * i + 3]))
            return;
    char name[49] = {0};
    memcpy(name, words, 48);
    const char *from = name;
    while (*from == ' ') from++;
    snprintf(machine->cpu, sizeof machine->cpu, "%s", from);
}
#else
static void detect_isa(Machine *machine) { machine->best = ISA_SSE2; } // the portable build of the kernels
static void detect_name(Machine *machine) { snprintf(machine->cpu, sizeof machine->cpu, "unknown"); }
#endif

static size_t cache_size(int name, size_t otherwise) {
    long bytes = sysconf(name);
    return bytes > 0 ? (size_t)bytes : otherwise;
}
// Physical cores among the allowed CPUs: CPUs that are the first of their thread siblings.
static int count_cores(void) {
#if defined(__linux__)
    cpu_set_t allowed;
    if (sched_getaffinity(0, sizeof allowed, &allowed)) return 1;
    int cores = 0;
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (!CPU_ISSET(cpu, &allowed)) continue;
        char path[96];
        snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%d/topology/thread_siblings_list", cpu);
        uint8_t *text = NULL;
        size_t size;
        int first = cpu; // as good an answer as any where the file is not there or cannot be read
        if (file_read(path, 4096, &text, &size) == ST_OK && sscanf((const char *)text, "%d", &first) != 1) first = cpu;
        mem_free(text);
        error_clear();
        if (first >= cpu || first < 0 || first >= CPU_SETSIZE || !CPU_ISSET(first, &allowed)) cores++;
    }
    return MAX(cores, 1);
#else
    long count = sysconf(_SC_NPROCESSORS_ONLN);
    return count > 0 ? (int)count : 1;
#endif
}

Status machine_detect(Machine *out) {
    Machine machine = {0};
    detect_isa(&machine);
    detect_name(&machine);
    machine.isa = machine.best;
    machine.l1d = cache_size(_SC_LEVEL1_DCACHE_SIZE, 32 << 10);
    machine.l2 = cache_size(_SC_LEVEL2_CACHE_SIZE, 256 << 10);
    machine.l3 = cache_size(_SC_LEVEL3_CACHE_SIZE, 0);
    machine.cores = count_cores();
    machine.memory = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
    const char *wanted = getenv("STENT_ISA");
    if (wanted && *wanted) {
        FAIL_IF(!isa_from_name(wanted, &machine.isa), ST_USAGE,
                "STENT_ISA: expected sse2, avx, avx2 or avx512, got '%s'", wanted);
        FAIL_IF(machine.isa > machine.best, ST_UNSUPPORTED, "STENT_ISA: this machine has %s at best, got '%s'",
                isa_name(machine.best), wanted);
    }
    *out = machine;
    return ST_OK;
}

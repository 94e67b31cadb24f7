// See machine.h.
#include "machine/machine.h"
#include "base/memory.h"
#include "base/text.h"
#include "machine/cache.h"
#include "machine/cores.h"
#include "machine/cpuid.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

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
bool machine_has(const Machine *machine, Feature feature) { return machine->features >> feature & 1; }
// Linux grants the tiles' state to a process that asks for it (Documentation/arch/x86/xstate.rst); it refuses where a
// thread's alternative signal stack is too small for them, and before 5.16 it knows no such question.
static bool tiles_granted(void) {
#if defined(__x86_64__) && defined(SYS_arch_prctl)
    enum { ARCH_REQ_XCOMP_PERM = 0x1023, XFEATURE_TILEDATA = 18 };
    return syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_TILEDATA) == 0;
#else
    return false;
#endif
}
// What the CPU, the system and the system's leave for this process give.
static uint64_t granted_features(const Cpuid *cpuid) {
    const uint64_t features = cpuid_features(cpuid), tiles = (uint64_t)1 << FEATURE_XCR0_TILEDATA;
    return features & tiles && !tiles_granted() ? features & ~tiles : features;
}
static Isa best_built(uint64_t features) {
#ifdef STENT_AMX
    return features_isa(features);
#else
    return MIN(features_isa(features), ISA_AVX512); // the compiler knew no tiles
#endif
}
Isa isa_best(void) {
    Cpuid cpuid;
    cpuid_read(&cpuid);
    return best_built(granted_features(&cpuid));
}

static size_t cache_size(int level, size_t otherwise) {
    const size_t bytes = cache_bytes(level);
    return bytes ? bytes : otherwise;
}
Status machine_detect(Machine *out) {
    Machine machine = {0};
    Cpuid cpuid;
    char brand[49];
    cpuid_read(&cpuid);
    cpuid_brand(&cpuid, brand);
    snprintf(machine.cpu, sizeof machine.cpu, "%s", *brand ? brand : "unknown");
    machine.features = granted_features(&cpuid);
    machine.isa = machine.best = best_built(machine.features);
    machine.vector_bytes = cpuid_vector_bytes(&cpuid);
    machine.l1d = cache_size(1, 32 << 10);
    machine.l2 = cache_size(2, 256 << 10);
    machine.l3 = cache_size(3, 0);
    machine.cores = count_cores();
    machine.memory = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
    const char *wanted = getenv("STENT_ISA");
    if (wanted && *wanted) {
        FAIL_IF(!isa_from_name(wanted, &machine.isa), ST_USAGE,
                "STENT_ISA: expected sse2, avx, avx2, avx512 or amx, got '%s'", wanted);
        FAIL_IF(machine.isa > machine.best, ST_UNSUPPORTED, "STENT_ISA: this machine has %s at best, got '%s'",
                isa_name(machine.best), wanted);
    }
    *out = machine;
    return ST_OK;
}

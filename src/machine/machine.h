// What this machine is. Facts from CPUID, XCR0 and the operating system; nothing is timed here.
#pragma once
#include "base/status.h"
#include <stddef.h>
#include <stdint.h>

// Instruction-set levels that kernels are compiled for: name, lanes of float.
#define ISA_MAP(X)                                                                                                     \
    X(ISA_SSE2, sse2, 4)                                                                                               \
    X(ISA_AVX, avx, 8)                                                                                                 \
    X(ISA_AVX2, avx2, 8)                                                                                               \
    X(ISA_AVX512, avx512, 16)                                                                                          \
    X(ISA_AMX, amx, 16)
typedef enum Isa {
#define ISA_ENUM(id, name, lanes) id,
    ISA_MAP(ISA_ENUM)
#undef ISA_ENUM
        ISA_COUNT
} Isa;
const char *isa_name(Isa isa);
bool isa_from_name(const char *name, Isa *out);

// The bits that levels are made of, from features.def. A set of features is a mask: feature f is bit f.
typedef enum Feature {
#define FEATURE(level, id, name, leaf, subleaf, register, bit, macro) FEATURE_##id,
#include "machine/features.def"
#undef FEATURE
    FEATURE_COUNT
} Feature;
const char *feature_name(Feature feature);
// All that a level's kernels may use: its own features and those of the levels below it.
uint64_t isa_needs(Isa isa);

typedef struct Machine {
    char cpu[64];        // brand string
    uint64_t features;   // what this CPU and system have
    Isa best;            // best level of this CPU and system
    Isa isa;             // what kernels are used: `best`, or what STENT_ISA asks for
    size_t l1d, l2, l3;  // bytes; l1d and l2 per core; l3 as one core sees it (0: none)
    int vector_bytes;    // of a vector that the units for floating point take at a time (cpuid.h)
    int cores;           // physical cores that the process may use
    uint64_t memory;     // bytes
} Machine;
// ST_USAGE when STENT_ISA names an unknown level; ST_UNSUPPORTED when it is above the machine's.
Status machine_detect(Machine *out);
bool machine_has(const Machine *machine, Feature feature);
// The best level of this CPU and system, whatever STENT_ISA says. Cannot fail; may run before main.
Isa isa_best(void);

// What this machine is. Facts from CPUID, XCR0 and the operating system; nothing is timed here.
#pragma once
#include "base/status.h"
#include <stddef.h>
#include <stdint.h>

// Instruction-set levels that kernels are compiled for: name, lanes of float.
#define ISA_MAP(X)      \
    X(ISA_SSE2, sse2, 4)  \
    X(ISA_AVX, avx, 8)    \
    X(ISA_AVX2, avx2, 8)  \
    X(ISA_AVX512, avx512, 16)
typedef enum Isa {
#define ISA_ENUM(id, name, lanes) id,
    ISA_MAP(ISA_ENUM)
#undef ISA_ENUM
        ISA_COUNT
} Isa;
const char *isa_name(Isa isa);
bool isa_from_name(const char *name, Isa *out);

typedef struct Machine {
    char cpu[64];        // brand string
    Isa best;            // best level of this CPU and system
    Isa isa;             // what kernels are used: `best`, or what STENT_ISA asks for
    bool has_fma, has_amx, has_avx512_bf16;
    size_t l1d, l2, l3;  // bytes; l1d and l2 per core; l3 as one core sees it (0: none)
    int cores;           // physical cores that the process may use
    uint64_t memory;     // bytes
} Machine;
// ST_USAGE when STENT_ISA names an unknown level; ST_UNSUPPORTED when it is above the machine's.
Status machine_detect(Machine *out);

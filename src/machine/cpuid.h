// From the bits of CPUID and XCR0 to features and levels. Apart from cpuid_read all is arithmetic on what it is given,
// so that tests can ask as any CPU.
#pragma once
#include "machine/machine.h"

enum { CPUID_ANSWERS = 9 };
typedef struct CpuidAnswer {
    uint32_t leaf, subleaf, word[4]; // EAX, EBX, ECX, EDX
} CpuidAnswer;
typedef struct Cpuid {
    CpuidAnswer answers[CPUID_ANSWERS]; // what was not asked counts as zero
    uint64_t xcr0;                      // looked at only where OSXSAVE is set
} Cpuid;

// Asks this CPU; all zero where it is no x86-64.
void cpuid_read(Cpuid *out);
// Leaves beyond the greatest that the CPU says it has (leaf 0, leaf 0x80000000, sub-leaf 0 of leaf 7) count as zero:
// old CPUs answer them with something else.
uint64_t cpuid_features(const Cpuid *cpuid);
// The best level all of whose features, and all of whose lower levels', are there; ISA_SSE2 at least: a program that
// can ask runs on it.
Isa features_isa(uint64_t features);
// Bytes of a vector that the units for floating point take at a time, 16, 32 or 64, so that one of 64 may count as two
// of 32: AMD's and Hygon's from leaf 0x8000001a (APM vol. 3, E.4.14; FP512 with family 1Ah), which others lack. Of
// Intel's those client models that multiply 512 bits with both 256-bit units together, and those that cut 256 bits in
// halves (Optimization Reference Manual). 64 for all others.
int cpuid_vector_bytes(const Cpuid *cpuid);
// The brand string without blanks in front; "" where there is none.
void cpuid_brand(const Cpuid *cpuid, char name[49]);

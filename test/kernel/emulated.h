// The kernels of AVX-512 and AMX compiled for AVX2 (CMakeLists.txt: emulated), for machines that lack those levels: the
// same source and the same bits, vectors in halves, tiles in memory.
#pragma once
#include "kernel/kernel.h"

// The kernels of a level, emulated where the machine has none; NULL where it cannot be had (AVX2 is missing, or the level is
// none of the two).
const Kernels *kernels_or_emulated(Isa isa);
// The emulation itself, whatever the machine has; NULL where it cannot be had.
const Kernels *kernels_emulated(Isa isa);

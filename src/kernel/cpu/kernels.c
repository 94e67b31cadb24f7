// One complete descriptor per instruction set.
#include "kernel/kernel.h"

// The functions of one level, in ISA order of the files of isa/.
#define FILL_DECLARE(level)                                                                                        \
    void fill_gemm_##level(Kernels *); void fill_finish_##level(Kernels *); void fill_winograd_##level(Kernels *);  \
    void fill_depthwise_##level(Kernels *); void fill_convert_##level(Kernels *);                                   \
    void fill_elementwise_##level(Kernels *); void fill_pool_##level(Kernels *);                                    \
    void fill_resize_##level(Kernels *); void fill_norm_##level(Kernels *);   \
    void fill_softmax_##level(Kernels *); void fill_narrow_##level(Kernels *);
#define FILL_CALL(level, kernels)                                                                                  \
    fill_gemm_##level(kernels), fill_finish_##level(kernels), fill_winograd_##level(kernels),                       \
        fill_depthwise_##level(kernels), fill_convert_##level(kernels), fill_elementwise_##level(kernels),          \
        fill_pool_##level(kernels), fill_resize_##level(kernels), fill_norm_##level(kernels), \
        fill_softmax_##level(kernels), fill_narrow_##level(kernels)

#if defined(__x86_64__)
#define LEVELS(X) X(ISA_SSE2, sse2, 4, 8) X(ISA_AVX, avx, 8, 16) X(ISA_AVX2, avx2, 8, 32) X(ISA_AVX512, avx512, 16, 64)
#else
#define LEVELS(X) X(ISA_SSE2, portable, 4, 8)
#endif
#define LEVEL_DECLARE(id, name, lanes, flop) FILL_DECLARE(name)
LEVELS(LEVEL_DECLARE)

#ifdef STENT_AMX
void fill_amx(Kernels *);
#endif

static Kernels table[ISA_COUNT];
// Filled before main: kernels_for is then free of races and never fails. The functions that fill a level are compiled
// for it like the kernels themselves, so a level that the machine has not is left empty.
__attribute__((constructor)) static void fill_all(void) {
    const Isa best = isa_best();
#define LEVEL_FILL(id, name, lanes_, flop)                                           \
    if (id <= best) {                                                                \
        table[id] = (Kernels){.isa = id, .lanes = lanes_, .flop_per_cycle = flop};   \
        FILL_CALL(name, &table[id]);                                                 \
    }
    LEVELS(LEVEL_FILL)
#ifdef STENT_AMX
    if (best >= ISA_AMX) {
        table[ISA_AMX] = table[ISA_AVX512];
        table[ISA_AMX].isa = ISA_AMX;
        fill_amx(&table[ISA_AMX]);
    }
#endif
}
const Kernels *kernels_for(Isa isa) {
    return isa < ISA_COUNT && table[isa].lanes ? &table[isa] : NULL;
}

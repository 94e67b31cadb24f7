#include "kernel/emulated.h"

#ifdef TEST_EMULATED
void fill_gemm_avx512_emulated(Kernels *), fill_finish_avx512_emulated(Kernels *), fill_winograd_avx512_emulated(Kernels *),
    fill_depthwise_avx512_emulated(Kernels *), fill_narrow_avx512_emulated(Kernels *),
    fill_convert_avx512_emulated(Kernels *), fill_elementwise_avx512_emulated(Kernels *),
    fill_pool_avx512_emulated(Kernels *), fill_resize_avx512_emulated(Kernels *), fill_norm_avx512_emulated(Kernels *),
    fill_softmax_avx512_emulated(Kernels *), fill_amx_emulated(Kernels *);

static Kernels table[ISA_COUNT];
// Before main: tests run kernels on many threads.
__attribute__((constructor)) static void fill_emulated(void) {
    if (isa_best() < ISA_AVX2) return;
    Kernels *kernels = &table[ISA_AVX512];
    *kernels = (Kernels){.isa = ISA_AVX512, .lanes = 16, .flop_per_cycle = 64};
    fill_gemm_avx512_emulated(kernels), fill_finish_avx512_emulated(kernels), fill_winograd_avx512_emulated(kernels);
    fill_depthwise_avx512_emulated(kernels), fill_narrow_avx512_emulated(kernels);
    fill_convert_avx512_emulated(kernels), fill_elementwise_avx512_emulated(kernels);
    fill_pool_avx512_emulated(kernels), fill_resize_avx512_emulated(kernels), fill_norm_avx512_emulated(kernels);
    fill_softmax_avx512_emulated(kernels);
    table[ISA_AMX] = *kernels, table[ISA_AMX].isa = ISA_AMX;
    fill_amx_emulated(&table[ISA_AMX]);
}
const Kernels *kernels_emulated(Isa isa) { return table[isa].lanes ? &table[isa] : NULL; }
#else
const Kernels *kernels_emulated(Isa isa) {
    (void)isa;
    return NULL;
}
#endif
const Kernels *kernels_or_emulated(Isa isa) {
    const Kernels *kernels = kernels_for(isa);
    return kernels ? kernels : kernels_emulated(isa);
}

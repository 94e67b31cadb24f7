// build/stent-emulated: the program, as on a machine with AMX, whatever machine it stands on with AVX2 or better. What
// the machine lacks is emulated, with the same plans and the same bits, slowly: for what a network's error is there
// (run.py --stent build/stent-emulated). The linker leads all calls of the two functions here (--wrap).
#include "kernel/emulated.h"
#include "machine/machine.h"
#include <stdlib.h>

const Kernels *__real_kernels_for(Isa isa);
Status __real_machine_detect(Machine *out);
const Kernels *__wrap_kernels_for(Isa isa);
Status __wrap_machine_detect(Machine *out);

const Kernels *__wrap_kernels_for(Isa isa) {
    const Kernels *kernels = __real_kernels_for(isa);
    return kernels ? kernels : kernels_emulated(isa);
}
Status __wrap_machine_detect(Machine *out) {
    TRY(__real_machine_detect(out));
    if (kernels_emulated(ISA_AMX) && !getenv("STENT_ISA")) out->isa = out->best = ISA_AMX;
    return ST_OK;
}

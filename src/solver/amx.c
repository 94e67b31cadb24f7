#include "solver/amx.h"
#include <math.h>

void amx_check_small(char *const *bases, uint32_t largest) {
    enum { LEAST_VALUE = (127 - 60) << 23 };
    if (largest > 0 && largest < LEAST_VALUE) run_note_lost(bases);
}
bool amx_weights_fit(const Problem *p) {
    const int64_t count = problem_weight_count(p);
    for (int64_t i = 0; i < count; i++)
        if (fabsf(p->weight[i]) >= 0x1p-40f) return true;
    return false;
}

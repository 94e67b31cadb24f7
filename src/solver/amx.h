// What the solvers on AMX tiles share. Tiles flush values, products and sums below 2^-126 to zero. While the largest
// value of what is split together is at least 2^-60, and the largest weight 2^-40, what is flushed is less than 2^-26
// of the largest product.
#pragma once
#include "solver/solver.h"

// largest: bits of the largest magnitude among values that were split together; a smaller one is noted (run_note_lost).
void amx_check_small(char *const *bases, uint32_t largest);
// Whether any weight is large enough: mostly the first one is.
bool amx_weights_fit(const Problem *problem);

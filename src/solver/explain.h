// Words for what keeps a layer from its limit (Solver.explain). Each adds a clause behind "; " where it costs 3 % and
// more, and nothing otherwise.
#pragma once
#include "base/text.h"
#include "machine/machine.h"
#include <stdint.h>

// `used` of `taken` places do something: "output channels fill 5 of 8 places".
void explain_places(Text *text, const char *what, int64_t used, int64_t taken);
// `count` of something go through a micro-kernel in even groups of at most `most`: "14 pixels of a row go in groups of
// 5, registers would hold 6".
void explain_groups(Text *text, const char *what, int64_t count, int64_t most);
// More than half of the L2: "weights (4.7 MB) do not fit the L2 (1.0 MB)", then `more` (may be "").
void explain_beyond_l2(Text *text, const char *what, double bytes, const Machine *machine, const char *more);
// Of the threads' time `part` (0 to 1) passed waiting for the last one.
void explain_waiting(Text *text, double part);

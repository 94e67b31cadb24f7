// Lines of wisdom for tests.
#pragma once
#include "wisdom/wisdom.h"

// A line for ways named `incumbent` and `candidate` of the problem "conv".
WisdomLine wisdom_line(const char *incumbent, const char *candidate, double ratio);
void wisdom_add(const char *path, const WisdomLine *line);
// Adds to `to` for each line of `from` two that say `ratio` instead.
void wisdom_lie(const char *from, const char *to, double ratio);

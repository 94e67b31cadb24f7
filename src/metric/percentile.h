// The one percentile of this folder. Private to src/metric.
#pragma once
#include <stdint.h>
// Linear between the two nearest ranks, as numpy, scipy and torch have it; sorts `values`. count > 0, 0 <= part <= 1.
double percentile(double *values, int64_t count, double part);

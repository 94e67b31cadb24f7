// Connected components of a label mask: 0 is background, every other value a class of its own. Two pixels belong
// together when they have one class and touch, also at a corner (8-connectivity).
#pragma once
#include "base/status.h"
#include <stdint.h>

// Numbers the components 1, 2, ... in the order of their first pixel (row by row); background gets 0.
// mask, labels: (height, width); height * width below 2^31.
Status components_label(const uint8_t *mask, int64_t height, int64_t width, int32_t *labels, int32_t *count);

// Clears, in place, what is not wanted: with `keep_largest` all but the largest component of each class (of two equal
// ones the first stays), then every component of fewer than `min_area` pixels.
Status components_clean(uint8_t *mask, int64_t height, int64_t width, bool keep_largest, int64_t min_area);

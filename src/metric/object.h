// What counts as the object. Private to src/metric.
#pragma once
#include "metric/metric.h"

static inline bool is_object(uint8_t value, int class) { return class == ANY_CLASS ? value != 0 : value == class; }

// verify --layers: the value of every step of the plan against the reference; who deviates first.
#pragma once
#include "app/app.h"

// Adds "layers" and "first" to the result; *ok becomes false when a value is beyond the budget. The plan that is run
// keeps every step's value as an output of its own; what a region computes in its inside has no value to look at.
Status verify_layers(const Opened *opened, const stent_options *options, const Tensor *inputs, double budget,
                     struct stent_result *result, bool *ok);

#include "problem/problem.h"
#include <string.h>

static double elements(const Layout *layout) { return (double)shape_count(&layout->shape); }

static const char *const precision_names[] = {
    [PRECISION_FP32] = "fp32", [PRECISION_STRICT] = "strict", [PRECISION_BF16] = "bf16"};
const char *precision_name(Precision precision) { return precision_names[precision]; }
bool precision_parse(const char *name, Precision *out) {
    for (size_t i = 0; i < COUNT_OF(precision_names); i++)
        if (!strcmp(name, precision_names[i])) {
            *out = (Precision)i;
            return true;
        }
    return false;
}

double problem_flop(const Problem *problem) {
    double out = elements(&problem->out[0]);
    double taps = 1;
    for (int axis = 0; axis < AXES; axis++) taps *= (double)problem->kernel[axis];
    switch (problem->kind) {
    case PROBLEM_CONV: return 2 * out * taps * (double)problem->ic / (double)problem->group;
    case PROBLEM_CONV_TRANSPOSE:
        return 2 * elements(&problem->in[0]) * taps * (double)problem->oc / (double)problem->group;
    case PROBLEM_MATMUL: return 2 * out * (double)problem->ic;
    case PROBLEM_POOL: return out * taps;
    case PROBLEM_RESIZE: {
        double sum = 0;
        for (int axis = 0; axis < AXES; axis++) sum += 2.0 * problem->taps[axis].taps;
        return out * sum;
    }
    case PROBLEM_CONVERT:
    case PROBLEM_TOKENS:
    case PROBLEM_COPY: return 0;
    default: return out;
    }
}

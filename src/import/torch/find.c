#include "import/torch/state.h"
#include <string.h>

const Tensor *torch_find(const TorchState *state, const char *name) {
    size_t first = 0, behind = state->n_tensors;
    while (first < behind) {
        const size_t middle = first + (behind - first) / 2;
        const int order = strcmp(state->by_name[middle]->name, name);
        if (order == 0) return &state->by_name[middle]->tensor;
        if (order < 0) first = middle + 1;
        else behind = middle;
    }
    return NULL;
}

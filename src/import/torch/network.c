#include "import/torch/table.h"

Status torch_network(const TorchState *state, const ImportOptions *options, Arena *scratch, Graph *graph, Text *notes) {
    (void)options, (void)scratch, (void)graph, (void)notes;
    return torch_table_message(state, "this file has weights without their network, which is not known");
}

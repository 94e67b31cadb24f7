#include "import/torch/table.h"

enum { MOST_TENSORS = 12, MOST_NAME = 80 };

Status torch_table_message(const TorchState *state, const char *why) {
    const size_t told = MIN(state->n_tensors, (size_t)MOST_TENSORS);
    Text table = {0};
    for (size_t i = 0; i < told; i++) {
        const TorchTensor *tensor = &state->tensors[i];
        text_add(&table, "%s%.*s ", i ? ", " : "", MOST_NAME, tensor->name);
        shape_print(&table, &tensor->tensor.shape);
        if (tensor->tensor.dtype != DT_F32) text_add(&table, " %s", dtype_name(tensor->tensor.dtype));
    }
    if (told < state->n_tensors) text_add(&table, " and %zu others", state->n_tensors - told);
    const Status status = fail(ST_UNSUPPORTED,
                               "%s: %s; export it to ONNX (torch.onnx.export), or describe the network with --arch "
                               "FILE",
                               why, text_get(&table));
    text_free(&table);
    return status;
}

#include "import/torch/torch.h"
#include "import/limits.h"
#include "import/torch/state.h"

static Status import_in(const ImportOptions *options, Arena *scratch, Imported *out) {
    TorchState state;
    out->format = "PyTorch state_dict";
    TRY(graph_create(&out->graph));
    TRY(torch_read_state(out, scratch, &state));
    TRY(torch_network(&state, options, scratch, out->graph, &out->notes));
    return text_status(&out->notes);
}

Status torch_import(const char *path, const ImportOptions *options, Imported *out) {
    Arena scratch = {.limit = (size_t)LIMIT_DESCRIPTION_BYTES};
    (void)path; // nothing is beside it
    const Status status = import_in(options, &scratch, out);
    arena_free(&scratch);
    return status;
}

// Programs of torch.export.save, up to the plan.
#include "fuzz/fuzz.h"
#include "fuzz/small_run.h"
#include "import/import.h"
#include "pass/pass.h"

int fuzz_export(const uint8_t *data, size_t size) {
    static const ImportOptions options = {.resolve = pass_resolve_shapes};
    Imported model;
    Status status = import_model(fuzz_file("model.pt2", data, size), &options, &model);
    if (status == ST_OK) status = passes_run(model.graph, 2, NULL, NULL);
    if (status == ST_OK) status = small_run(model.graph, NULL);
    import_free(&model);
    fuzz_check(status);
    return 0;
}

// Keras models, up to the plan.
#include "fuzz/fuzz.h"
#include "fuzz/small_run.h"
#include "import/import.h"
#include "pass/pass.h"

int fuzz_keras(const uint8_t *data, size_t size) {
    Imported model;
    Status status = import_model(fuzz_file("model.h5", data, size), NULL, &model);
    if (status == ST_OK) status = passes_run(model.graph, 2, NULL, NULL);
    if (status == ST_OK) status = small_run(model.graph, NULL);
    import_free(&model);
    fuzz_check(status);
    return 0;
}

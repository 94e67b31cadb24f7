// Pickles, and PyTorch's files up to the network.
#include "fuzz/fuzz.h"
#include "import/import.h"
#include "import/limits.h"
#include "import/torch/state.h"
#include "wire/pickle.h"
#include <string.h>

enum { WALK_DEPTH = 8, WALK_STEPS = 10000 };

// Looks at what is in a value, as far as the limits go: values are named again and again.
static void walk(const PickleValue *value, int depth, int *steps) {
    int64_t number;
    if (!value || depth == WALK_DEPTH || ++*steps > WALK_STEPS) return;
    const char *text = pickle_text(value);
    if (text) FUZZ_REQUIRE(strlen(text) == value->size);
    FUZZ_REQUIRE(pickle_int(value, &number) == pickle_is(value, PICKLE_INT) && *pickle_kind_name(value));
    (void)pickle_get(value, "state_dict");
    for (size_t i = 0; pickle_item(value, i) && *steps < WALK_STEPS; i++) walk(pickle_item(value, i), depth + 1, steps);
    const PickleValue *dict = pickle_dict(value);
    for (size_t i = 0; dict && i < 2 * dict->count && *steps < WALK_STEPS; i++) walk(dict->items[i], depth + 1, steps);
    if (pickle_is(value, PICKLE_PERSISTENT)) walk(value->id, depth + 1, steps);
    if (!pickle_is(value, PICKLE_OBJECT)) return;
    walk(value->maker, depth + 1, steps);
    walk(value->args, depth + 1, steps);
    walk(value->kwargs, depth + 1, steps);
    walk(value->state, depth + 1, steps);
    walk(value->list, depth + 1, steps);
}

int fuzz_pickle(const uint8_t *data, size_t size) {
    Arena arena = {.limit = (size_t)LIMIT_DESCRIPTION_BYTES};
    Pickle pickle;
    int steps = 0;
    const Status status = pickle_read(&arena, data, size, &pickle);
    if (status == ST_OK) {
        FUZZ_REQUIRE(pickle.root && pickle.size > 0 && pickle.size <= size);
        for (size_t i = 0; i < pickle.n_persistent; i++)
            FUZZ_REQUIRE(pickle_is(pickle.persistent[i], PICKLE_PERSISTENT));
        walk(pickle.root, 0, &steps);
    }
    fuzz_check(status);
    arena_free(&arena);
    return 0;
}

static void touch(const TorchState *state) {
    volatile double sum = 0;
    for (size_t i = 0; i < state->n_tensors; i++) {
        const TorchTensor *tensor = &state->tensors[i];
        const int64_t count = tensor_count(&tensor->tensor);
        FUZZ_REQUIRE(torch_find(state, tensor->name) == &tensor->tensor);
        if (count > 0) sum = sum + tensor_get(&tensor->tensor, 0) + tensor_get(&tensor->tensor, count - 1);
    }
}

// The state_dict counts; the network is read as far as it goes.
int fuzz_torch(const uint8_t *data, size_t size) {
    static const ImportOptions none;
    Arena scratch = {.limit = (size_t)LIMIT_DESCRIPTION_BYTES};
    Imported model = {0};
    TorchState state;
    if (size == 0) return 0; // refused before
    Status status = import_map(&model, fuzz_file("weights.pth", data, size));
    if (status == ST_OK) status = graph_create(&model.graph);
    if (status == ST_OK) status = torch_read_state(&model, &scratch, &state);
    if (status == ST_OK) {
        touch(&state);
        fuzz_check(torch_network(&state, &none, &scratch, model.graph, &model.notes));
    }
    fuzz_check(status);
    import_free(&model);
    arena_free(&scratch);
    return 0;
}

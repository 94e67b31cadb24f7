#include "import/torch/state.h"
#include "import/missing.h"
#include "import/torch/entries.h"
#include "import/torch/tensor.h"
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_PREFIXES = 8 }; // that are taken off one behind the other

void torch_note(Text *notes, const char *format, ...) {
    va_list args;
    if (notes->length > 0) text_add(notes, "; ");
    va_start(args, format);
    text_addv(notes, format, args);
    va_end(args);
}

// ---- names

// Counts of training steps; no weights.
static bool is_counter(const char *name) {
    static const char *const counters[] = {"num_batches_tracked", "n_averaged"};
    const char *dot = strrchr(name, '.'), *last = dot ? dot + 1 : name;
    for (size_t i = 0; i < COUNT_OF(counters); i++) {
        if (strcmp(last, counters[i]) == 0) return true;
    }
    return false;
}

static void drop_counters(TorchEntries *entries) {
    size_t kept = 0;
    for (size_t i = 0; i < entries->count; i++) {
        if (!is_counter(entries->at[i].name)) entries->at[kept++] = entries->at[i];
    }
    entries->count = kept;
}

// A wrapper's name that stands in front of every tensor of a file. The second kind is also what networks call their own
// parts: where a list of layers follows ("model.0.weight"), it belongs to the names.
static const struct {
    const char *text;
    bool may_be_own;
} prefixes[] = {{"module.", false}, {"_orig_mod.", false}, {"model.", true}, {"net.", true}, {"network.", true}};

static size_t common_prefix(const TorchEntries *entries) {
    for (size_t k = 0; k < COUNT_OF(prefixes); k++) {
        const size_t length = strlen(prefixes[k].text);
        bool is_common = entries->count > 0;
        for (size_t i = 0; i < entries->count && is_common; i++) {
            const char *name = entries->at[i].name, next = text_starts(name, prefixes[k].text) ? name[length] : 0;
            is_common = next != 0 && !(prefixes[k].may_be_own && next >= '0' && next <= '9');
        }
        if (is_common) return length;
    }
    return 0;
}

static Status strip_prefixes(TorchEntries *entries, Arena *scratch, const char **out) {
    const char *first = entries->at[0].name;
    size_t length = 0;
    for (int round = 0; round < MAX_PREFIXES; round++) {
        const size_t taken = common_prefix(entries);
        for (size_t i = 0; i < entries->count; i++) entries->at[i].name += taken;
        length += taken;
    }
    *out = arena_string_n(scratch, first, length);
    return *out ? ST_OK : fail_memory(length);
}

static int compare_names(const void *a, const void *b) {
    return strcmp((*(const TorchTensor *const *)a)->name, (*(const TorchTensor *const *)b)->name);
}

static Status sort_names(Arena *scratch, TorchState *state) {
    state->by_name = arena_array(scratch, state->n_tensors + 1, sizeof *state->by_name);
    if (!state->by_name) return fail_memory(state->n_tensors * sizeof *state->by_name);
    for (size_t i = 0; i < state->n_tensors; i++) state->by_name[i] = &state->tensors[i];
    qsort(state->by_name, state->n_tensors, sizeof *state->by_name, compare_names);
    for (size_t i = 1; i < state->n_tensors; i++) {
        FAIL_IF(compare_names(&state->by_name[i - 1], &state->by_name[i]) == 0, ST_BAD,
                "expected tensor '%s' once, got it twice", state->by_name[i]->name);
    }
    return ST_OK;
}

// ---- tensors

static Status check_all_had(const TorchFile *file, const TorchEntries *entries) {
    Missing missing = {0};
    for (size_t i = 0; i < entries->count; i++) {
        const char *name = torch_tensor_missing(file, entries->at[i].tensor);
        if (name) missing_add(&missing, name);
    }
    return missing_status(&missing, "tensors", "tensor",
                          "save a state_dict of plain float32 tensors, or export the network to ONNX "
                          "(torch.onnx.export)");
}

static Status read_tensors(TorchTarget *target, const TorchEntries *entries, TorchState *out) {
    out->tensors = arena_array(target->scratch, entries->count + 1, sizeof *out->tensors);
    if (!out->tensors) return fail_memory(entries->count * sizeof *out->tensors);
    for (size_t i = 0; i < entries->count; i++) {
        TorchTensor *tensor = &out->tensors[out->n_tensors++];
        tensor->name = entries->at[i].name;
        const Status status = torch_read_tensor(target, entries->at[i].tensor, &tensor->tensor);
        if (status != ST_OK) return fail_context(status, "tensor '%s'", tensor->name);
    }
    return ST_OK;
}

static void note_all(const TorchEntries *entries, const TorchTarget *target, const char *prefix, Text *notes) {
    if (entries->from) torch_note(notes, "weights of %s", entries->from);
    if (*prefix) torch_note(notes, "names without '%s' in front", prefix);
    torch_note_converted(target, notes);
    if (entries->n_others == 1) torch_note(notes, "1 entry that is no tensor is left out");
    if (entries->n_others > 1) torch_note(notes, "%zu entries that are no tensors are left out", entries->n_others);
}

Status torch_read_state(Imported *imported, Arena *scratch, TorchState *out) {
    TorchFile file;
    TorchEntries entries;
    *out = (TorchState){.prefix = ""};
    TRY(torch_open(&imported->mappings[0], scratch, &file));
    TRY(torch_entries(file.root, scratch, &entries));
    drop_counters(&entries);
    FAIL_IF(entries.count == 0, ST_UNSUPPORTED, "expected weights, got counters only");
    TRY(check_all_had(&file, &entries));
    TRY(strip_prefixes(&entries, scratch, &out->prefix));
    TorchTarget target = {.file = &file, .arena = &imported->graph->arena, .scratch = scratch};
    TRY(read_tensors(&target, &entries, out));
    TRY(sort_names(scratch, out));
    note_all(&entries, &target, out->prefix, &imported->notes);
    return text_status(&imported->notes);
}

// Weights with the network described beside them (--arch): a graph text (docs/FORMATS.md) without data. Its inputs that
// are called as tensors of the file become constants; the others stay inputs of the network. PyTorch's names of weights
// have a dot ("enc1.0.weight"), so an input with a dot that the file does not have is a weight that is missing, or a
// slip of the pen.
#include "base/file.h"
#include "import/bind.h"
#include "import/torch/arch.h"
#include "import/weight.h"
#include <string.h>

enum { MAX_TEXT = 16 << 20 }; // as graph_parse

// By the name that the state has, or that name with what stood in front of all of them in the file ("module.").
static const Tensor *find_weight(const TorchState *state, const char *name) {
    const Tensor *tensor = torch_find(state, name);
    const char *prefix = state->prefix ? state->prefix : "";
    return tensor || !text_starts(name, prefix) ? tensor : torch_find(state, name + strlen(prefix));
}

static Status check_known(const TorchState *state, const char *name) {
    FAIL_IF(
        strchr(name, '.'), ST_BAD,
        "input '%s': the file has no tensor of that name (%zu tensors); an input of the network itself needs a name "
        "without a dot",
        name, state->n_tensors);
    return ST_OK;
}

// Floats become the type that the text asks for as far as that is float32; everything else has to be what it is.
static Status weight_as(Graph *graph, const char *name, DType wanted, const Tensor *tensor, Tensor *out) {
    *out = *tensor;
    if (wanted == tensor->dtype) return ST_OK;
    FAIL_IF(wanted != DT_F32 || !dtype_is_float(tensor->dtype), ST_BAD, "weight '%s': expected %s, got %s in the file",
            name, dtype_name(wanted), dtype_name(tensor->dtype));
    return weight_as_float(&graph->arena, tensor, out);
}

static Status set_weight(Graph *graph, ValueId input, const Tensor *tensor) {
    const char *name = graph->values[input].name;
    Tensor weight;
    TRY(weight_as(graph, name, graph->values[input].type.dtype, tensor, &weight));
    const Status status = graph_bind(graph, name, &weight.shape);
    if (status != ST_OK) return fail_context(status, "the file's weights and the text do not go together");
    return graph_set_constant(graph, input, &weight);
}

// How many inputs became weights. The graph's list of inputs shrinks meanwhile: it is walked from its end.
static Status set_weights(const TorchState *state, Graph *graph, size_t *count) {
    *count = 0;
    for (int i = graph->n_inputs - 1; i >= 0; i--) {
        const ValueId input = graph->inputs[i];
        const Tensor *tensor = find_weight(state, graph->values[input].name);
        if (tensor) {
            TRY(set_weight(graph, input, tensor));
            ++*count;
        } else {
            TRY(check_known(state, graph->values[input].name));
        }
    }
    return ST_OK;
}

static Status read_text(const char *path, Graph *graph) {
    uint8_t *text = NULL;
    size_t size;
    TRY(file_read(path, MAX_TEXT, &text, &size)); // names the path itself
    const Status status = graph_parse_into((const char *)text, size, graph);
    mem_free(text);
    return status == ST_OK ? ST_OK : fail_context(status, "%s", path);
}

Status torch_text_network(const TorchState *state, const ImportOptions *options, Graph *graph, Text *notes) {
    size_t count;
    TRY(read_text(options->arch, graph));
    const Status status = set_weights(state, graph, &count);
    if (status != ST_OK) return fail_context(status, "%s", options->arch);
    FAIL_IF(graph->n_inputs == 0, ST_BAD, "%s: expected an input that is no tensor of the file, got none",
            options->arch);
    FAIL_IF(count == 0, ST_BAD, "%s: expected inputs that are called as tensors of the file ('%s'), got none",
            options->arch, state->n_tensors ? state->tensors[0].name : "");
    TRY(import_bind(graph, options));
    TRY(emit_end(graph));
    torch_note(notes, "the network is that of %s, with %zu of the file's %zu tensors", path_name(options->arch), count,
               state->n_tensors);
    return text_status(notes);
}

#include "import/onnx/inputs.h"
#include "import/bind.h"
#include "import/onnx/tensor.h"
#include <stdlib.h>
#include <string.h>

static Status input_type(Graph *graph, const OnnxInput *input, Type *type) {
    FAIL_IF(!input->is_tensor, ST_UNSUPPORTED, "expected a tensor, got a sequence, a map or nothing");
    type->rank = input->rank;
    TRY(onnx_dtype(input->element, &type->dtype));
    for (int i = 0; i < input->rank; i++) {
        type->dim[i] = input->dim[i];
        if (input->param[i]) TRY(graph_symbol(graph, input->param[i], &type->dim[i]));
        else if (input->dim[i] < 0) TRY(import_free_dim(graph, input->name, i, &type->dim[i]));
    }
    return ST_OK;
}

static Status add_input(Graph *graph, const OnnxInput *input) {
    Type type = {0};
    ValueId value;
    FAIL_IF(!*input->name, ST_BAD, "expected a name for each input, got an empty one");
    const Status status = input_type(graph, input, &type);
    if (status != ST_OK) return fail_context(status, "input '%s'", input->name);
    FAIL_IF(graph_find(graph, input->name) != NO_VALUE, ST_BAD, "expected input '%s' once, got it twice", input->name);
    return graph_add_input(graph, input->name, &type, &value);
}

// The names of the weights, so that inputs that are none are found without looking through them all each time.
static int compare_names(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static Status weight_names(const OnnxModel *model, const char ***out) {
    const size_t count = (size_t)model->graph.n_initializers;
    *out = mem_zero(count + 1, sizeof **out);
    if (!*out) return fail_memory(count * sizeof **out);
    for (size_t i = 0; i < count; i++) (*out)[i] = model->graph.initializers[i].name;
    qsort(*out, count, sizeof **out, compare_names);
    return ST_OK;
}

static Status add_all(const OnnxModel *model, Graph *graph) {
    const char **weights;
    TRY(weight_names(model, &weights));
    Status status = ST_OK;
    for (int i = 0; i < model->graph.n_inputs && status == ST_OK; i++) {
        const OnnxInput *input = &model->graph.inputs[i];
        if (bsearch(&input->name, weights, (size_t)model->graph.n_initializers, sizeof *weights, compare_names))
            continue;
        status = add_input(graph, input);
    }
    mem_free(weights);
    return status;
}

Status onnx_add_inputs(const OnnxModel *model, const ImportOptions *options, Graph *graph) {
    TRY(add_all(model, graph));
    return import_bind(graph, options);
}

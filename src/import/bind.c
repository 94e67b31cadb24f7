#include "import/bind.h"
#include <string.h>

// What the graph says of a shape that the user gave is about how it was used.
static Status as_usage(Status status) {
    return status == ST_BAD ? fail_context(ST_USAGE, "the given shape does not go with the model") : status;
}

static Status find_input(const Graph *graph, const char *name, ValueId *out) {
    *out = graph_find(graph, name);
    if (*out != NO_VALUE && graph->values[*out].is_input) return ST_OK;
    Text names = {0};
    for (int i = 0; i < graph->n_inputs; i++) {
        text_add(&names, "%s'%s'", i ? ", " : "", graph->values[graph->inputs[i]].name);
    }
    const Status status = fail(ST_USAGE, "expected the name of an input (%s), got '%s'", text_get(&names), name);
    text_free(&names);
    return status;
}

static Status bind_input(Graph *graph, const NamedTensor *bind) {
    ValueId value;
    Tensor copy;
    TRY(find_input(graph, bind->name, &value));
    const DType expected = graph->values[value].type.dtype;
    FAIL_IF(bind->tensor.dtype != expected, ST_USAGE, "input '%s': expected numbers of type %s to bind, got %s",
            bind->name, dtype_name(expected), dtype_name(bind->tensor.dtype));
    TRY(as_usage(graph_bind(graph, bind->name, &bind->tensor.shape)));
    TRY(tensor_make(&graph->arena, expected, bind->tensor.shape, &copy));
    if (tensor_bytes(&copy) > 0) memcpy(copy.data, bind->tensor.data, tensor_bytes(&copy));
    return graph_set_constant(graph, value, &copy);
}

static Status shape_input(Graph *graph, const InputShape *shape) {
    const char *name = shape->name;
    ValueId value;
    if (!name) {
        FAIL_IF(graph->n_inputs != 1, ST_USAGE, "expected the name of the input with its shape, as the model has %d",
                graph->n_inputs);
        name = graph->values[graph->inputs[0]].name;
    }
    TRY(find_input(graph, name, &value));
    return as_usage(graph_bind(graph, name, &shape->shape));
}

Status import_bind(Graph *graph, const ImportOptions *options) {
    for (size_t i = 0; i < options->n_bind; i++) TRY(bind_input(graph, &options->bind[i]));
    for (size_t i = 0; i < options->n_inputs; i++) TRY(shape_input(graph, &options->inputs[i]));
    return ST_OK;
}

Status import_free_dim(Graph *graph, const char *input, int axis, int64_t *dim) {
    Text name = {0};
    text_add(&name, "%s.%d", input, axis);
    Status status = text_status(&name);
    if (status == ST_OK) status = graph_symbol(graph, text_get(&name), dim);
    text_free(&name);
    return status;
}

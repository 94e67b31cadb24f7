// run: tensors from files in, tensors to files out.
#include "app/app.h"
#include "base/clock.h"
#include "tensor/npy.h"
#include <string.h>

static Status assign(const Graph *graph, const char *name, const Tensor *tensor, Tensor *inputs, bool *given) {
    int at = -1;
    for (int i = 0; i < graph->n_inputs; i++)
        if (!strcmp(graph->values[graph->inputs[i]].name, name)) at = i;
    if (at < 0 && graph->n_inputs == 1 && !*name) at = 0;
    FAIL_IF(at < 0, ST_USAGE, "--input: the network has no input '%s'%s", name,
            *name ? "" : " (it has several: say NAME=x.npy)");
    FAIL_IF(given[at], ST_USAGE, "--input: '%s' is given twice", name);
    inputs[at] = *tensor, given[at] = true;
    return ST_OK;
}
// What follows the name in "NAME=x.npy"; all of "x.npy" and of a file whose own name holds a '='.
static const char *input_path(const char *item) {
    const char *equals = strchr(item, '=');
    return equals && path_kind(item) != PATH_FILE ? equals + 1 : item;
}
// Reads "NAME=x.npy", "x.npy", or an .npz whose names are the inputs'.
static Status read_input(const Graph *graph, const char *item, Arena *arena, Tensor *inputs, bool *given) {
    const char *const path = input_path(item);
    const char *const name = path == item ? "" : arena_string_n(arena, item, (size_t)(path - 1 - item));
    if (!name) return fail_memory(strlen(item));
    NamedTensor *tensors;
    size_t count;
    TRY(npz_read(arena, path, &tensors, &count));
    for (size_t i = 0; i < count; i++) {
        Status status = assign(graph, *name ? name : tensors[i].name, &tensors[i].tensor, inputs, given);
        if (status != ST_OK) return fail_context(status, "%s", path);
    }
    return ST_OK;
}
Status read_inputs(const Graph *graph, const char *const *items, Arena *arena, Tensor **out) {
    *out = arena_array(arena, (size_t)graph->n_inputs + 1, sizeof **out);
    bool *given = arena_array(arena, (size_t)graph->n_inputs + 1, sizeof *given);
    if (!*out || !given) return fail_memory(sizeof **out);
    for (; items && *items; items++) TRY(read_input(graph, *items, arena, *out, given));
    for (int i = 0; i < graph->n_inputs; i++)
        FAIL_IF(!given[i], ST_USAGE, "--input: nothing is given for '%s'", graph->values[graph->inputs[i]].name);
    return ST_OK;
}
static Status write_outputs(const Graph *graph, const char *path, const Tensor *outputs, Arena *arena) {
    if (!text_ends(path, ".npz")) {
        FAIL_IF(graph->n_outputs != 1, ST_USAGE, "--output: the network has %d outputs: name an .npz file",
                graph->n_outputs);
        return npy_write(path, &outputs[0]);
    }
    NamedTensor *named = arena_array(arena, (size_t)graph->n_outputs, sizeof *named);
    if (!named) return fail_memory(sizeof *named);
    for (int i = 0; i < graph->n_outputs; i++)
        named[i] = (NamedTensor){graph->values[graph->outputs[i]].name, outputs[i]};
    return npz_write(path, named, (size_t)graph->n_outputs);
}
Status shapes_from_inputs(const char *package, const char *const *files, Arena *arena, stent_options *common) {
    Package *probe;
    Tensor *inputs;
    TRY(package_open(package, &probe));
    Status status = read_inputs(probe->graph, files, arena, &inputs);
    const int count = probe->graph->n_inputs;
    const char **items = arena_array(arena, (size_t)count + 1, sizeof *items);
    int used = 0;
    for (int i = 0; status == ST_OK && items && i < count; i++) {
        const Value *value = &probe->graph->values[probe->graph->inputs[i]];
        if (type_is_static(&value->type)) continue;
        Text text = {0};
        text_add(&text, "%s=", value->name);
        shape_print(&text, &inputs[i].shape);
        items[used] = text.failed ? NULL : arena_string(arena, text_get(&text));
        text_free(&text);
        if (!items[used++]) status = fail_memory(strlen(value->name));
    }
    if (status == ST_OK && !items) status = fail_memory(sizeof *items);
    if (status == ST_OK && used && !common->inputs) common->inputs = items;
    package_close(probe);
    return status;
}
static Status refuse_overwriting(const char *output, const char *package, const char *const *inputs) {
    FAIL_IF(path_same(output, package), ST_USAGE, "--output: %s would overwrite the package; name another file",
            output);
    for (; inputs && *inputs; inputs++)
        FAIL_IF(path_same(output, input_path(*inputs)), ST_USAGE,
                "--output: %s would overwrite an input; name another file", output);
    return ST_OK;
}
static Status run_files(const char *package, const stent_run_options *options, Arena *arena,
                        struct stent_result *result) {
    stent_options common = options->common;
    FAIL_IF(!options->output, ST_USAGE, "--output: expected the name of an .npy or .npz file");
    TRY(refuse_overwriting(options->output, package, options->inputs));
    TRY(shapes_from_inputs(package, options->inputs, arena, &common));
    Opened opened;
    Session *session = NULL;
    Tensor *inputs, *outputs;
    TRY(open_package(package, &common, options->reference ? OPEN_NO_CHECK | OPEN_REFERENCE : 0, &opened));
    const Graph *graph = opened.package->graph;
    Status status = read_inputs(graph, options->inputs, arena, &inputs);
    if (status == ST_OK) status = make_tensors(graph, graph->outputs, graph->n_outputs, arena, &outputs);
    if (status == ST_OK) status = session_create(opened.executable, &session);
    const uint64_t start = clock_ns();
    if (status == ST_OK) status = session_run(session, inputs, outputs);
    const double ms = clock_ms_since(start);
    if (status == ST_OK) status = write_outputs(graph, options->output, outputs, arena);
    if (status == ST_OK) {
        result_opened(result, &opened);
        json_key(&result->writer, "ms"), json_number(&result->writer, ms);
        json_key(&result->writer, "repeated_in_strict"), json_bool(&result->writer, session_repeats(session) > 0);
        json_key(&result->writer, "output"), json_string(&result->writer, options->output);
        text_add(&result->text, "%s: %.1f ms on %s, %d threads\n", options->output, ms, isa_name(opened.machine.isa),
                 opened.threads);
    }
    session_destroy(session);
    close_package(&opened);
    return status;
}
stent_status stent_run_files(const char *package, const stent_run_options *given, stent_result **out) {
    stent_run_options options = {.size = sizeof options};
    struct stent_result *result = NULL;
    Arena arena = {0};
    error_clear();
    if (out) *out = NULL;
    Status status = options_take(given, sizeof options, &options);
    if (status == ST_OK) status = result_begin("run", package, &options.common, &result);
    if (status == ST_OK) status = result_finish(result, run_files(package, &options, &arena, result), out);
    arena_free(&arena);
    return (stent_status)status;
}

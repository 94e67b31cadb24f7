#include "import/onnx/names.h"
#include <stdlib.h>
#include <string.h>

static int by_name(const void *a, const void *b) { return strcmp(((const Name *)a)->name, ((const Name *)b)->name); }

static void add_name(Names *names, const char *name) {
    if (*name) names->at[names->count++] = (Name){.name = name, .constant = NO_VALUE};
}

static size_t count_names(const OnnxGraph *graph) {
    size_t count = (size_t)graph->n_inputs + (size_t)graph->n_initializers;
    for (int i = 0; i < graph->n_nodes; i++) count += (size_t)graph->nodes[i].n_outputs;
    return count;
}

Status names_make(OnnxGraph *graph, Arena *arena) {
    const size_t room = count_names(graph);
    Names *names = arena_alloc(arena, sizeof *names);
    if (!names) return fail_memory(sizeof *names);
    names->at = arena_array(arena, room + 1, sizeof *names->at);
    if (!names->at) return fail_memory(room * sizeof *names->at);
    for (int i = 0; i < graph->n_inputs; i++) add_name(names, graph->inputs[i].name);
    for (int i = 0; i < graph->n_initializers; i++) add_name(names, graph->initializers[i].name);
    for (int i = 0; i < graph->n_nodes; i++)
        for (int k = 0; k < graph->nodes[i].n_outputs; k++) add_name(names, graph->nodes[i].outputs[k]);
    qsort(names->at, (size_t)names->count, sizeof *names->at, by_name);
    for (int i = 1; i < names->count; i++)
        FAIL_IF(strcmp(names->at[i - 1].name, names->at[i].name) == 0, ST_BAD,
                "value '%s': expected a name of its own, got one that is taken", names->at[i].name);
    graph->names = names;
    return ST_OK;
}

int names_find(const Names *names, const char *name) {
    const Name key = {.name = name};
    const Name *found = bsearch(&key, names->at, (size_t)names->count, sizeof key, by_name);
    return found ? (int)(found - names->at) : -1;
}

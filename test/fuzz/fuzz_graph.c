// Packages, and the text form of graphs.
#include "app/pipeline.h"
#include "fuzz/fuzz.h"
#include "fuzz/small_run.h"
#include "package/package.h"
#include "pass/pass.h"
#include <string.h>

int fuzz_package(const uint8_t *data, size_t size) {
    Package *package = NULL;
    Arena arena = {0};
    Pipeline pipeline;
    Json *description;
    Status status = package_open(fuzz_file("net.stent", data, size), &package);
    if (status == ST_OK) status = pipeline_parse(package->pipeline, strlen(package->pipeline), &arena, &pipeline);
    if (status == ST_OK) status = json_parse(&arena, package->description, strlen(package->description), &description);
    if (status == ST_OK) status = passes_run(package->graph, 2, NULL, NULL);
    if (status == ST_OK) status = small_run(package->graph, NULL);
    package_close(package);
    arena_free(&arena);
    fuzz_check(status);
    return 0;
}

// What was read prints, and what was printed reads back to what prints the same.
static void check_print(const Graph *graph) {
    Text first = {0}, second = {0};
    Graph *again = NULL;
    FUZZ_REQUIRE(graph_verify(graph) == ST_OK);
    if (graph_print(graph, true, &first) != ST_OK || first.length > 1 << 20) {
        text_free(&first);
        return;
    }
    FUZZ_REQUIRE(graph_parse(first.data, first.length, &again) == ST_OK);
    FUZZ_REQUIRE(graph_print(again, true, &second) == ST_OK);
    FUZZ_REQUIRE(first.length == second.length && !memcmp(first.data, second.data, first.length));
    graph_free(again);
    text_free(&first);
    text_free(&second);
}

static bool is_printable(const Graph *graph) {
    size_t elements = 0;
    for (int i = 0; i < graph->n_values; i++)
        if (graph->values[i].constant) elements += (size_t)tensor_count(graph->values[i].constant);
    return elements < 20000;
}

int fuzz_graph(const uint8_t *data, size_t size) {
    Graph *graph = NULL;
    Status status = graph_parse((const char *)data, size, &graph);
    if (status == ST_OK && is_printable(graph)) check_print(graph);
    if (status == ST_OK) status = passes_run(graph, 2, NULL, NULL);
    if (status == ST_OK) status = small_run(graph, NULL);
    graph_free(graph);
    fuzz_check(status);
    return 0;
}

// The networks of an evaluation: the package, and what it is compared with, a package or a model file.
#include "app/eval/run.h"
#include "app/imported.h"
#include "base/file.h"
#include "pass/pass.h"
#include <math.h>
#include <string.h>

// ---- classes

Status eval_classes(const Opened *opened, int *out) {
    const Pipeline *pipeline = &opened->pipeline;
    const Graph *graph = opened->package->graph;
    Frame output;
    *out = pipeline->n_classes;
    if (*out) return ST_OK;
    FAIL_IF(graph->n_inputs != 1 || graph->n_outputs < 1, ST_UNSUPPORTED,
            "eval needs a network with one input, a picture; this one has %d inputs", graph->n_inputs);
    const Frame input = frame_of_input(&graph->values[graph->inputs[0]].type, pipeline->channels);
    TRY(frame_of_output(&graph->values[graph->outputs[0]].type, &input, &output));
    FAIL_IF(output.channels < 1 || output.channels > EVAL_CLASSES, ST_UNSUPPORTED,
            "how many classes the network tells apart is not known; name them in the pipeline (output.classes)");
    *out = output.channels == 1 ? 2 : (int)output.channels;
    return ST_OK;
}

// ---- the other network

// The pipeline stays the package's: what is asked is whether the network gives the same mask.
static Status pack(const char *model, Imported *imported, const Opened *own, Text *bytes) {
    Text description = {0};
    JsonWriter w = {.text = &description};
    char hash[65];
    TRY(passes_run(imported->graph, 2, NULL, NULL));
    json_begin_object(&w);
    json_key(&w, "model"), json_string(&w, path_name(model));
    json_key(&w, "stent"), json_string(&w, STENT_VERSION);
    json_end_object(&w);
    const PackageContent content = {.graph = imported->graph,
                                    .pipeline = own->package->pipeline,
                                    .opt_level = 3,
                                    .precision = precision_name(PRECISION_FP32),
                                    .description = text_get(&description),
                                    .sources = imported->mappings,
                                    .n_sources = imported->n_mappings};
    Status status = text_status(&description);
    if (status == ST_OK) status = package_bytes(&content, bytes, hash);
    text_free(&description);
    return status;
}
static Status compile_model(const char *model, const stent_options *common, const Opened *own, Text *bytes) {
    Imported imported = {0};
    Arena arena = {0};
    Status status = import_with(model, common, NULL, 0, &arena, &imported);
    if (status == ST_OK) status = pack(model, &imported, own, bytes);
    if (status != ST_OK) status = import_intact(&imported, status);
    import_free(&imported);
    arena_free(&arena);
    return status;
}
static Status open_other(EvalRun *run) {
    const char *path = run->options->compare;
    EvalNet *other = &run->nets.other;
    stent_options opening = without_model(run->common);
    PackageSource source = {.path = path};
    bool is_package;
    TRY(package_is(path, &is_package));
    FAIL_IF(is_package && (run->common->arch || run->common->signature), ST_USAGE,
            "%s: goes with a model file, and %s is a package", run->common->arch ? "--arch" : "--signature", path);
    opening.precision = NULL;
    if (!is_package) {
        TRY(compile_model(path, run->common, &run->nets.own.segmenter.opened, &other->package));
        source.bytes = other->package.data, source.size = other->package.length;
        opening.precision = "strict";
    }
    run->compare_options = opening;
    const double threshold = run->options->threshold >= 0 ? run->options->threshold : NAN;
    TRY(segmenter_open(&source, &run->compare_options, is_package ? 0 : OPEN_NO_CHECK, threshold, &other->segmenter));
    other->is_open = true;
    int classes;
    TRY(eval_classes(&other->segmenter.opened, &classes));
    FAIL_IF(classes != run->n_classes, ST_BAD, "%s: it tells %d classes apart, %s %d", path, classes, run->package,
            run->n_classes);
    return ST_OK;
}
static Status list_for_volumes(EvalRun *run) {
    const Dataset *dataset = &run->dataset;
    if (run->nets.own.segmenter.opened.pipeline.scope != SCOPE_VOLUME &&
        (!run->nets.other.is_open || run->nets.other.segmenter.opened.pipeline.scope != SCOPE_VOLUME))
        return ST_OK;
    run->nets.files = arena_array(&run->arena, dataset->n_cases + 1, sizeof *run->nets.files);
    if (!run->nets.files) return fail_memory(dataset->n_cases * sizeof *run->nets.files);
    for (size_t i = 0; i < dataset->n_cases; i++) {
        const DatasetCase *one = &dataset->cases[i];
        if (one->n_pictures == 1)
            run->nets.files[run->nets.n_files++] = (SegmentFile){.path = one->pictures[0], .volume = one->volume};
    }
    return ST_OK;
}
Status eval_nets_open(EvalRun *run) {
    EvalNet *own = &run->nets.own;
    const double threshold = run->options->threshold >= 0 ? run->options->threshold : NAN;
    run->own_options = without_model(run->common);
    own->volume = run->nets.other.volume = (Volume){NULL, -1};
    TRY(segmenter_open(&(PackageSource){.path = run->package}, &run->own_options, 0, threshold, &own->segmenter));
    own->is_open = true;
    TRY(eval_classes(&own->segmenter.opened, &run->n_classes));
    run->nets.n_classes = run->n_classes;
    if (run->options->compare) TRY(open_other(run));
    return list_for_volumes(run);
}
static void close_net(EvalNet *net) {
    normaliser_free(net->volume.normaliser);
    if (net->is_open) segmenter_close(&net->segmenter);
    text_free(&net->package);
    *net = (EvalNet){.is_open = false};
}
void eval_nets_close(EvalNets *nets) {
    close_net(&nets->own);
    close_net(&nets->other);
}

// ---- what the data set says of classes

Status eval_check_labels(EvalRun *run) {
    Dataset *dataset = &run->dataset;
    const Pipeline *pipeline = &run->nets.own.segmenter.opened.pipeline;
    if (!dataset->n_labels) return ST_OK;
    if (dataset->n_labels != run->n_classes)
        return faults_add(&dataset->faults, "dataset.json", "labels",
                          "the number of its labels is not that of the network's classes");
    for (int k = 1; k < MIN(dataset->n_labels, pipeline->n_classes); k++)
        if (strcmp(dataset->labels[k], pipeline->classes[k]))
            TRY(dataset_assume(dataset, "Class %d is '%s' in the package and '%s' in dataset.json.", k,
                               pipeline->classes[k], dataset->labels[k]));
    return ST_OK;
}

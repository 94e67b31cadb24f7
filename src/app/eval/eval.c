// eval: masks against truth over a data set. One case after the other is read and run; what is wrong with the data is
// listed, the other cases are evaluated.
#include "app/eval/run.h"
#include "app/eval/split.h"
#include "base/file.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

// ---- options

static Status check_options(const stent_eval_options *o, const char *package, int n_paths) {
    FAIL_IF(n_paths < 1, ST_USAGE, "eval: expected a data set");
    FAIL_IF(!o->merge && n_paths > 1, ST_USAGE, "eval: expected one data set, got %d (--merge takes case files)",
            n_paths);
    FAIL_IF(!package && !o->make_split, ST_USAGE, "eval: expected a package and a data set");
    FAIL_IF(o->shards < 0 || o->shard < 0 || o->shard > o->shards || (o->shards && !o->shard), ST_USAGE,
            "--shard: expected i/N with i from 1 to N, got %d/%d", o->shard, o->shards);
    FAIL_IF(
        o->merge && (o->resume || o->shards || o->split || o->masks || o->compare || o->slices > 0 || o->cases),
        ST_USAGE,
        "--merge takes case files as they are; --resume, --shard, --split, --masks, --compare, --slices and --cases "
        "go with a data set");
    FAIL_IF(!o->split != !o->part, ST_USAGE, "--split FILE and --part train|validation|test go together");
    FAIL_IF(!o->compare && (o->common.arch || o->common.signature), ST_USAGE,
            "%s: goes with a model file: --compare MODEL", o->common.arch ? "--arch" : "--signature");
    FAIL_IF(o->bootstrap > 1000000, ST_USAGE, "--bootstrap: expected at most 1000000");
    if (o->part) TRY(split_check_part(o->part));
    return ST_OK;
}
// Beside what is written, else here: NAME.cases.jsonl, NAME.1-of-2.cases.jsonl.
static Status choose_case_path(EvalRun *run) {
    const stent_eval_options *o = run->options;
    const char *beside = o->report ? o->report : o->csv;
    run->case_path = o->cases;
    if (o->cases || !(o->resume || o->shards > 1 || o->report)) return ST_OK;
    Text name = {0};
    text_add(&name, "%s", run->dataset.name);
    if (o->shards > 1) text_add(&name, ".%d-of-%d", o->shard, o->shards);
    text_add(&name, ".cases.jsonl");
    const char *folder = beside ? path_folder(&run->arena, beside) : ".";
    run->case_path = name.failed || !folder          ? NULL
                     : beside && strcmp(folder, ".") ? path_join(&run->arena, folder, text_get(&name))
                                                     : arena_string(&run->arena, text_get(&name));
    text_free(&name);
    return run->case_path ? ST_OK : fail_memory(strlen(run->dataset.name));
}
// What is written must not be what is read.
static Status check_outputs(const EvalRun *run, const char *data) {
    const stent_eval_options *o = run->options;
    const char *const written[] = {o->csv, o->report, run->case_path};
    const char *const read[] = {run->package, data, o->compare, o->split};
    for (size_t i = 0; i < COUNT_OF(written); i++)
        for (size_t k = 0; written[i] && k < COUNT_OF(read); k++)
            FAIL_IF(read[k] && path_same(written[i], read[k]), ST_USAGE, "%s would be overwritten; name another file",
                    read[k]);
    return ST_OK;
}

// ---- a split

static Status make_split(EvalRun *run) {
    const stent_eval_options *o = run->options;
    const bool given = o->fractions[0] != 0 || o->fractions[1] != 0 || o->fractions[2] != 0;
    Split split = {.fractions = {64, 16, 20}, .seed = o->seed};
    static const char *const names[] = {"train", "validation", "test"};
    JsonWriter *w = &run->result->writer;
    if (given) memcpy(split.fractions, o->fractions, sizeof split.fractions);
    TRY(split_make(&run->dataset, o->make_split, &split));
    json_key(w, "split"), json_string(w, o->make_split);
    json_key(w, "dataset"), json_string(w, run->dataset.name);
    json_key(w, "layout"), json_string(w, dataset_layout_name(run->dataset.layout));
    json_key(w, "patients"), json_integer(w, (int64_t)run->dataset.n_patients);
    json_key(w, "seed"), json_integer(w, (int64_t)o->seed);
    for (int i = 0; i < 3; i++) json_key(w, names[i]), json_integer(w, (int64_t)split.counts[i]);
    text_add(&run->result->text, "split      %s: %zu patients: %zu train, %zu validation, %zu test (seed %llu)\n",
             o->make_split, run->dataset.n_patients, split.counts[0], split.counts[1], split.counts[2],
             (unsigned long long)o->seed);
    return ST_OK;
}

// ---- the run

static void name_classes(EvalRun *run) {
    const Pipeline *pipeline = &run->nets.own.segmenter.opened.pipeline;
    for (int k = 0; k < run->n_classes && k < pipeline->n_classes; k++) run->class_names[k] = pipeline->classes[k];
}
static Status say_conventions(EvalRun *run) {
    if (run->n_classes > 2)
        TRY(dataset_assume(&run->dataset, "Figures over all are of everything that is not background, whatever its "
                                          "class; those of each class stand under classes."));
    if (run->totals.no_soft)
        TRY(dataset_assume(&run->dataset, "The network's outputs are no probabilities: there is no soft Dice."));
    if (run->nets.own.is_open && run->nets.own.segmenter.grey_repeated)
        TRY(dataset_assume(&run->dataset, "Grey pictures are repeated for each channel of the network."));
    return ST_OK;
}
static Status finish(EvalRun *run) {
    EvalInterval intervals[METRIC_COUNT];
    faults_sort(&run->dataset.faults);
    TRY(say_conventions(run));
    TRY(eval_intervals(run, intervals));
    TRY(eval_tell(run, intervals));
    TRY(eval_tell_text(run, intervals));
    TRY(eval_write_report(run));
    CsvFile *csv = run->csv;
    run->csv = NULL;
    return csv ? csv_commit(csv) : ST_OK;
}
static Status evaluate_dataset(EvalRun *run, const char *path) {
    const stent_eval_options *o = run->options;
    TRY(dataset_open(path, o->masks, &run->dataset));
    if (o->make_split) return make_split(run);
    if (o->split) TRY(split_apply(&run->dataset, o->split, o->part));
    TRY(choose_case_path(run));
    TRY(check_outputs(run, path));
    TRY(eval_nets_open(run));
    TRY(eval_check_labels(run));
    name_classes(run);
    run->threshold = run->nets.own.segmenter.threshold;
    if (o->compare) {
        run->compare_name = path_name(o->compare);
        run->compare_hash = run->nets.other.segmenter.opened.package->content_hash;
    }
    if (o->csv) TRY(csv_open(o->csv, &run->csv));
    TRY(eval_all(run));
    return finish(run);
}
static Status merge_files(EvalRun *run, const char *const *paths, int n_paths) {
    const stent_eval_options *o = run->options;
    Segmenter *own = &run->nets.own.segmenter;
    run->own_options = without_model(run->common);
    TRY(check_outputs(run, paths[0]));
    TRY(open_package(run->package, &run->own_options, OPEN_GRAPH | OPEN_FREE, &own->opened));
    run->nets.own.is_open = true;
    TRY(eval_classes(&own->opened, &run->n_classes));
    name_classes(run);
    if (o->csv) TRY(csv_open(o->csv, &run->csv));
    TRY(eval_merge(run, paths, n_paths));
    return finish(run);
}
static void close_run(EvalRun *run) {
    csv_abort(run->csv);
    totals_free(&run->totals);
    case_file_close(run->earlier);
    for (size_t i = 0; i < run->n_merge_files; i++) case_file_close(run->merge_files[i]);
    eval_nets_close(&run->nets);
    dataset_close(&run->dataset);
    arena_free(&run->arena);
}
static Status tell_faulty(const EvalRun *run) {
    const Faults *faults = &run->dataset.faults;
    if (!faults->count) return ST_OK;
    const Fault *first = &faults->items[0];
    if (faults->count == 1) return fail(ST_BAD, "%s: %s: %s", first->file, first->fault, first->message);
    return fail(ST_BAD, "%zu faults in the data set: first %s: %s: %s", faults->count, first->file, first->fault,
                first->message);
}
static Status eval(const char *package, const char *const *paths, int n_paths, const stent_eval_options *options,
                   struct stent_result *result, bool *finished) {
    EvalRun run = {.package = package, .options = options, .common = &options->common, .result = result};
    Status status = check_options(options, package, n_paths);
    run.slices = options->slices > 0 ? options->slices : options->report && options->slices == 0 ? 3 : 0;
    if (status == ST_OK) status = options->merge ? merge_files(&run, paths, n_paths) : evaluate_dataset(&run, paths[0]);
    *finished = status == ST_OK;
    if (status == ST_OK) status = tell_faulty(&run);
    if (status == ST_CANCELLED && run.totals.n_cases && run.case_path)
        status = fail(ST_CANCELLED, "stopped; what is done stands in %s, --resume goes on from there", run.case_path);
    close_run(&run);
    return status;
}
stent_status stent_eval(const char *package, const char *const *paths, int n_paths, const stent_eval_options *given,
                        stent_result **out) {
    stent_eval_options options = {.size = sizeof options, .threshold = -1};
    struct stent_result *result = NULL;
    bool finished = false;
    error_clear();
    if (out) *out = NULL;
    Status status = options_take(given, sizeof options, &options);
    if (status == ST_OK) status = result_begin("eval", package, &options.common, &result);
    if (status != ST_OK) return (stent_status)status;
    status = eval(package, paths, n_paths, &options, result, &finished);
    status = log_line_end(&result->log, status);
    // The result is handed over also when the data set had faults.
    const Status kept = result_finish(result, finished ? ST_OK : status, out);
    return (stent_status)(finished && kept != ST_OK ? kept : status);
}

// A run of eval: what its files share. Private to this folder.
#pragma once
#include "app/app.h"
#include "app/eval/csv.h"
#include "app/eval/file.h"

typedef struct EvalRun {
    const char *package;
    const stent_eval_options *options;
    const stent_options *common;
    stent_options own_options, compare_options; // what the networks were opened with
    Dataset dataset;                            // with the faults found on the way
    EvalNets nets;
    EvalForm form;
    int n_classes;
    const char *class_names[EVAL_CLASSES]; // NULL: not named
    double threshold;
    const char *compare_name, *compare_hash; // NULL: nothing is compared
    EvalTotals totals;
    const char *case_path; // NULL: no case file
    CaseFile *earlier;     // of --resume
    CsvFile *csv;
    int slices;
    size_t of_shard, resumed;
    CaseHeading merged; // of the first file of --merge
    CaseFile **merge_files;
    size_t n_merge_files;
    struct stent_result *result;
    Arena arena;
} EvalRun;

// net.c
Status eval_nets_open(EvalRun *run);
void eval_nets_close(EvalNets *nets);
Status eval_classes(const Opened *opened, int *out);
Status eval_check_labels(EvalRun *run);

// loop.c: case after case.
Status eval_all(EvalRun *run);
// The record of a case goes into the totals, unless its picture came before (a fault).
Status eval_count(EvalRun *run, const EvalRecord *record, size_t number);

// merge.c
Status eval_merge(EvalRun *run, const char *const *paths, int n_paths);

// tell.c, text.c: the result.
extern const MetricKey eval_keys[]; // those that people are shown, with intervals; ends with METRIC_COUNT
typedef struct EvalInterval {
    double range[2]; // NaN: none
} EvalInterval;
Status eval_intervals(const EvalRun *run, EvalInterval out[METRIC_COUNT]);
typedef struct EvalTimes {
    double min, median, p90, mean, std; // ms; NaN: not known
} EvalTimes;
Status eval_times(const EvalTotals *totals, EvalTimes *out);
Status eval_put_slices(EvalRun *run, JsonWriter *w); // slices.c
Status eval_tell(EvalRun *run, const EvalInterval *intervals);
Status eval_tell_text(EvalRun *run, const EvalInterval *intervals);
Status eval_write_report(EvalRun *run); // report.c: -o

// Case files of shards put together: the same totals as those of one run, bit for bit, as records are added in the same
// order.
#include "app/eval/run.h"
#include <stdlib.h>
#include <string.h>

typedef struct MergedCase {
    const char *patient, *name;
    size_t file, line;
} MergedCase;
typedef struct Merge {
    EvalRun *run;
    CaseFile **files;
    CaseHeading *headings;
    size_t n_files;
    MergedCase *cases;
    size_t n_cases, n_patients;
    const char *first; // path of the first file
} Merge;

static int compare_merged(const void *a, const void *b) {
    const MergedCase *x = a, *y = b;
    int order = natural_compare(x->patient, y->patient);
    if (!order) order = natural_compare(x->name, y->name);
    return order ? order : (x->file > y->file) - (x->file < y->file);
}
// Of a case that stands in several files the first one counts.
static Status list_cases(Merge *merge) {
    size_t count = 0, kept = 0;
    for (size_t f = 0; f < merge->n_files; f++) count += case_file_count(merge->files[f]);
    merge->cases = arena_array(&merge->run->arena, count + 1, sizeof *merge->cases);
    if (!merge->cases) return fail_memory(count * sizeof *merge->cases);
    count = 0;
    for (size_t f = 0; f < merge->n_files; f++) {
        for (size_t i = 0; i < case_file_count(merge->files[f]); i++) {
            MergedCase *one = &merge->cases[count++];
            case_file_name(merge->files[f], i, &one->patient, &one->name);
            one->file = f, one->line = i;
        }
    }
    if (count) qsort(merge->cases, count, sizeof *merge->cases, compare_merged);
    for (size_t i = 0; i < count; i++) {
        const MergedCase *one = &merge->cases[i], *before = kept ? &merge->cases[kept - 1] : NULL;
        const bool same = before && !strcmp(before->patient, one->patient);
        if (same && !strcmp(before->name, one->name)) continue;
        merge->n_patients += !same;
        merge->cases[kept++] = *one;
    }
    merge->n_cases = kept;
    return ST_OK;
}

// ---- what is missing is said

static Status check_shards(Merge *merge) {
    Dataset *dataset = &merge->run->dataset;
    const int shards = merge->headings[0].shards;
    for (size_t f = 0; f < merge->n_files; f++) {
        const CaseHeading *heading = &merge->headings[f];
        FAIL_IF(heading->shards != shards, ST_USAGE, "case files of %d and of %d shards do not go together", shards,
                heading->shards);
        if (!heading->finished)
            TRY(dataset_assume(dataset, "The run of shard %d/%d has not come to its end.", heading->shard, shards));
        if (heading->damaged)
            TRY(dataset_assume(dataset, "%zu lines of shard %d/%d say nothing.", heading->damaged, heading->shard,
                               shards));
    }
    int missing = 0, example = 0;
    for (int shard = 1; shard <= shards; shard++) {
        bool had = false;
        for (size_t f = 0; f < merge->n_files && !had; f++) had = merge->headings[f].shard == shard;
        if (!had) missing++, example = shard;
    }
    if (missing)
        TRY(dataset_assume(dataset, "%d of %d shards are not among the files: shard %d/%d is one.", missing, shards,
                           example, shards));
    return ST_OK;
}
// "WORD=" in what results depend on; up to the next blank.
static Status depends_value(const Merge *merge, const char *word, const char **out) {
    const char *at = strstr(merge->headings[0].depends, word);
    at = at ? at + strlen(word) : "";
    *out = arena_string_n(&merge->run->arena, at, strcspn(at, " "));
    return *out ? ST_OK : fail_memory(strlen(at));
}
static Status read_depends(Merge *merge) {
    EvalRun *run = merge->run;
    const char *hash, *layout;
    TRY(depends_value(merge, "content_hash=", &hash));
    TRY(depends_value(merge, "layout=", &layout));
    const char *name = strstr(merge->headings[0].depends, " dataset="), *end = strstr(name ? name : "", " layout=");
    FAIL_IF(!name || !end, ST_BAD, "%s: its heading does not say of what it is", merge->first);
    name += strlen(" dataset=");
    run->dataset.name = arena_string_n(&run->arena, name, (size_t)(end - name));
    if (!run->dataset.name) return fail_memory(strlen(name));
    for (DatasetLayout k = DATASET_KAGGLE; k <= DATASET_CSV; k++)
        if (!strcmp(dataset_layout_name(k), layout)) run->dataset.layout = k;
    const char *own = run->nets.own.segmenter.opened.package->content_hash;
    FAIL_IF(strcmp(hash, own), ST_USAGE, "%s: it is of another package (content hash %.16s, %s has %.16s)",
            merge->first, hash, run->package, own);
    return ST_OK;
}
static Status read_files(Merge *merge, const char *const *paths) {
    for (size_t f = 0; f < merge->n_files; f++) {
        TRY(case_file_read(paths[f], &merge->run->dataset.faults, &merge->headings[f], &merge->files[f]));
        FAIL_IF(strcmp(merge->headings[0].depends, merge->headings[f].depends), ST_USAGE,
                "%s and %s hold results of different things (%s; %s)", paths[0], paths[f], merge->headings[0].depends,
                merge->headings[f].depends);
    }
    merge->run->merged = merge->headings[0];
    return ST_OK;
}
static Status add_cases(Merge *merge) {
    EvalRun *run = merge->run;
    const int n_figures = run->n_classes > 2 ? run->n_classes : 1;
    TRY(totals_begin(&run->totals, n_figures, merge->n_patients, merge->n_cases, 0));
    for (size_t i = 0; i < merge->n_cases; i++) {
        const MergedCase *one = &merge->cases[i];
        Arena arena = {0};
        EvalRecord record;
        Status status = report_progress(run->common, "merge", (double)i, (double)merge->n_cases);
        if (status == ST_OK) status = case_file_record(merge->files[one->file], one->line, &arena, &record);
        record.name = one->name, record.patient = one->patient;
        if (status == ST_OK) status = eval_count(run, &record, i);
        arena_free(&arena);
        TRY(status);
    }
    return totals_finish(&run->totals);
}
Status eval_merge(EvalRun *run, const char *const *paths, int n_paths) {
    Merge merge = {.run = run, .n_files = (size_t)n_paths, .first = paths[0]};
    merge.files = arena_array(&run->arena, merge.n_files, sizeof *merge.files);
    merge.headings = arena_array(&run->arena, merge.n_files, sizeof *merge.headings);
    if (!merge.files || !merge.headings) return fail_memory(merge.n_files * sizeof *merge.headings);
    run->merge_files = merge.files, run->n_merge_files = merge.n_files; // names lie in them
    TRY(read_files(&merge, paths));
    TRY(read_depends(&merge));
    TRY(check_shards(&merge));
    TRY(list_cases(&merge));
    return add_cases(&merge);
}

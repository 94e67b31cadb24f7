// Case after case: run, or taken from the case file of an earlier run.
#include "app/eval/run.h"
#include "base/file.h"
#include <stdio.h>
#include <string.h>

// ---- the case file

// Only what results depend on: neither threads nor the instruction set.
static Status write_depends(const EvalRun *run, Text *text) {
    const Segmenter *own = &run->nets.own.segmenter, *other = &run->nets.other.segmenter;
    text_add(text, "version=1 content_hash=%s precision=%s threshold=", own->opened.package->content_hash,
             own->opened.precision);
    text_double(text, own->threshold);
    text_add(text, " classes=%d dataset=%s layout=%s part=%s compare=%s", run->n_classes, run->dataset.name,
             dataset_layout_name(run->dataset.layout), run->options->part ? run->options->part : "",
             run->nets.other.is_open ? other->opened.package->content_hash : "");
    for (const char *const *item = run->common->inputs; item && *item; item++) text_add(text, " input=%s", *item);
    return text_status(text);
}
static void write_made(const Opened *opened, JsonWriter *w) {
    json_key(w, "made"), json_begin_object(w);
    json_key(w, "model"), json_string(w, opened->model);
    json_key(w, "plan_hash"), json_string(w, opened->plan_hash);
    json_key(w, "machine"), json_begin_object(w);
    json_key(w, "isa"), json_string(w, isa_name(opened->machine.isa));
    json_key(w, "threads"), json_integer(w, opened->threads);
    json_key(w, "cpu"), json_string(w, opened->machine.cpu);
    json_end_object(w);
    json_end_object(w);
}
static Status write_heading(const EvalRun *run, const char *depends, Text *text) {
    const stent_eval_options *options = run->options;
    JsonWriter w = {.text = text};
    json_begin_object(&w);
    json_key(&w, "stent"), json_string(&w, STENT_VERSION);
    json_key(&w, "verb"), json_string(&w, "eval");
    json_key(&w, "depends"), json_string(&w, depends);
    json_key(&w, "with"), json_string(&w, options->compare ? path_name(options->compare) : "");
    json_key(&w, "shard");
    if (options->shards > 1) {
        json_begin_array(&w);
        json_integer(&w, options->shard), json_integer(&w, options->shards);
        json_end_array(&w);
    } else {
        json_null(&w);
    }
    write_made(&run->nets.own.segmenter.opened, &w);
    json_end_object(&w);
    return text_status(text);
}
// Opens what is there: ST_USAGE where it goes with other results, or is no case file at all.
static Status read_earlier(EvalRun *run, const char *depends) {
    const stent_eval_options *options = run->options;
    CaseHeading heading;
    PathKind kind;
    TRY(path_known(run->case_path, &kind));
    if (kind == PATH_MISSING) return ST_OK;
    const Status status = case_file_read(run->case_path, NULL, &heading, &run->earlier);
    if (status == ST_BAD && !file_size(run->case_path)) return error_clear(), ST_OK;
    FAIL_IF(status == ST_BAD, ST_USAGE, "%s: there is a file that is no case file of eval; name another (--cases)",
            run->case_path);
    TRY(status);
    if (!options->resume) {
        case_file_close(run->earlier);
        run->earlier = NULL;
        return ST_OK;
    }
    FAIL_IF(strcmp(heading.depends, depends), ST_USAGE,
            "%s: it holds results of something else (%s; now %s); leave out --resume or name another file (--cases)",
            run->case_path, heading.depends, depends);
    FAIL_IF(heading.shard != MAX(options->shard, 1) || heading.shards != MAX(options->shards, 1), ST_USAGE,
            "%s: it holds shard %d/%d", run->case_path, heading.shard, heading.shards);
    return ST_OK;
}
// Cases that are in the data set still, and in this shard.
static Status keep_lines(const EvalRun *run, bool **out) {
    const Dataset *dataset = &run->dataset;
    *out = mem_zero(case_file_count(run->earlier) + 1, sizeof **out);
    if (!*out) return fail_memory(case_file_count(run->earlier));
    for (size_t i = 0; i < dataset->n_cases; i++) {
        const ptrdiff_t at = case_file_find(run->earlier, dataset->cases[i].patient, dataset->cases[i].name);
        if (at >= 0 && dataset->cases[i].mask) (*out)[at] = true;
    }
    return ST_OK;
}
static Status start_case_file(EvalRun *run) {
    Text depends = {0}, heading = {0};
    bool *kept = NULL;
    if (!run->case_path) return ST_OK;
    Status status = write_depends(run, &depends);
    if (status == ST_OK) status = read_earlier(run, text_get(&depends));
    if (status == ST_OK) status = write_heading(run, text_get(&depends), &heading);
    if (status == ST_OK && run->earlier) status = keep_lines(run, &kept);
    if (status == ST_OK)
        status = case_file_start(run->case_path, text_get(&heading), &run->dataset.faults, run->earlier, kept);
    mem_free(kept);
    text_free(&depends);
    text_free(&heading);
    return status;
}
static Status append_record(const EvalRun *run, const EvalRecord *record) {
    Text line = {0};
    JsonWriter w = {.text = &line};
    if (!run->case_path) return ST_OK;
    eval_record_write(record, &w);
    const Status status = case_file_append(run->case_path, &line);
    text_free(&line);
    return status;
}
static Status append_fault(const EvalRun *run, const Fault *fault) {
    Text line = {0};
    JsonWriter w = {.text = &line};
    if (!run->case_path) return ST_OK;
    case_file_fault(fault, &w);
    const Status status = case_file_append(run->case_path, &line);
    text_free(&line);
    return status;
}
static Status append_end(const EvalRun *run) {
    Text line = {0};
    if (!run->case_path) return ST_OK;
    text_add(&line, "{\"end\": true}");
    const Status status = case_file_append(run->case_path, &line);
    text_free(&line);
    return status;
}

// ---- a case

// "FILE: MESSAGE" without the file, and without the way to the data set.
static const char *bare_message(const Dataset *dataset, const char *path) {
    const char *message = error_message();
    const size_t length = strlen(path);
    if (!strncmp(message, path, length) && !strncmp(message + length, ": ", 2)) return message + length + 2;
    return dataset_shown(dataset, message);
}
// The file that the fault is of: the mask, where its path stands in the message.
static Status note_fault(EvalRun *run, const DatasetCase *one, FaultWord word, bool of_mask) {
    Dataset *dataset = &run->dataset;
    const char *path = of_mask ? one->mask : one->pictures[0];
    TRY(faults_add(&dataset->faults, dataset_shown(dataset, path), word, bare_message(dataset, path)));
    return append_fault(run, &dataset->faults.items[dataset->faults.count - 1]);
}
// Results of an earlier run stand while picture and mask have the same bytes.
static Status take_earlier(EvalRun *run, const DatasetCase *one, Arena *arena, EvalRecord *out, bool *taken) {
    const ptrdiff_t at = run->earlier ? case_file_find(run->earlier, one->patient, one->name) : -1;
    *taken = false;
    if (at < 0) return ST_OK;
    EvalPicture picture = {.files = NULL};
    EvalTruth truth = {.classes = NULL};
    TRY(case_file_record(run->earlier, (size_t)at, arena, out));
    FaultWord word = eval_picture_load(one, arena, &picture);
    if (!word) word = eval_truth_load(one->mask, &truth);
    *taken = !word && !strcmp(out->picture_hash, picture.hash) && !strcmp(out->mask_hash, truth.file.hash) &&
             out->compared == run->nets.other.is_open;
    eval_picture_close(&picture);
    eval_truth_close(&truth);
    if (word == EVAL_NO_MEMORY) return ST_RESOURCE;
    error_clear();
    out->name = one->name, out->patient = one->patient;
    return ST_OK;
}
Status eval_count(EvalRun *run, const EvalRecord *record, size_t number) {
    const char *before = totals_seen(&run->totals, record);
    if (before) {
        Text message = {0};
        text_add(&message, "the same picture as that of %s", before);
        Status status = text_status(&message);
        if (status == ST_OK) status = faults_add(&run->dataset.faults, record->file, "duplicate", text_get(&message));
        text_free(&message);
        return status;
    }
    TRY(totals_add(&run->totals, record, number));
    return run->csv ? csv_add(run->csv, record) : ST_OK;
}
static Status evaluate(EvalRun *run, size_t number, Arena *arena) {
    const DatasetCase *one = &run->dataset.cases[number];
    EvalRecord record;
    CaseFault fault = {.word = NULL};
    bool taken;
    TRY(take_earlier(run, one, arena, &record, &taken));
    if (taken) run->resumed++;
    if (!taken) TRY(eval_case(&run->nets, one, &run->form, NULL, NULL, arena, &record, &fault));
    if (fault.word) return note_fault(run, one, fault.word, fault.of_mask);
    record.file = dataset_shown(&run->dataset, one->pictures[0]);
    if (!taken) TRY(append_record(run, &record));
    return eval_count(run, &record, number);
}

static Status begin_totals(EvalRun *run) {
    const int n_figures = run->n_classes > 2 ? run->n_classes : 1;
    return totals_begin(&run->totals, n_figures, run->dataset.n_patients, run->dataset.n_cases, run->slices);
}
static Status run_cases(EvalRun *run) {
    const stent_eval_options *options = run->options;
    const Dataset *dataset = &run->dataset;
    const size_t shards = (size_t)MAX(options->shards, 1), shard = (size_t)MAX(options->shard, 1) - 1;
    for (size_t i = shard; i < dataset->n_cases; i += shards) {
        TRY(report_progress(run->common, "eval", (double)i, (double)dataset->n_cases));
        if (!dataset->cases[i].mask) continue; // named already
        Arena arena = {0};
        const Status status = evaluate(run, i, &arena);
        arena_free(&arena);
        TRY(status);
        run->of_shard++;
    }
    return report_progress(run->common, "eval", (double)dataset->n_cases, (double)dataset->n_cases);
}
Status eval_all(EvalRun *run) {
    TRY(eval_form_find(&run->dataset, run->n_classes, run->common, &run->form));
    TRY(eval_form_assume(&run->form, run->n_classes, &run->dataset));
    TRY(start_case_file(run));
    TRY(begin_totals(run));
    TRY(run_cases(run));
    TRY(totals_finish(&run->totals));
    return append_end(run);
}

// The JSON of eval.
#include "app/eval/run.h"
#include "base/file.h"
#include "base/statistics.h"
#include <math.h>
#include <string.h>

const MetricKey eval_keys[] = {METRIC_DICE_POOLED,  METRIC_DICE_MEAN,      METRIC_DICE_PATIENT_MEAN,
                               METRIC_DICE_SMOOTH1, METRIC_DICE_SMOOTH100, METRIC_DICE_SOFT,
                               METRIC_IOU,          METRIC_IOU_POOLED,     METRIC_HD95_PX,
                               METRIC_HD95_MM,      METRIC_SENSITIVITY,    METRIC_SPECIFICITY,
                               METRIC_COUNT};

// ---- figures

Status eval_intervals(const EvalRun *run, EvalInterval out[METRIC_COUNT]) {
    const stent_eval_options *options = run->options;
    const EvalTotals *totals = &run->totals;
    for (const MetricKey *key = eval_keys; *key != METRIC_COUNT; key++) {
        out[*key].range[0] = out[*key].range[1] = NAN;
        if (options->bootstrap < 0) continue;
        TRY(report_progress(run->common, "intervals", (double)(key - eval_keys), COUNT_OF(eval_keys)));
        TRY(bootstrap_interval(totals_sums(totals, 0), totals->n_patients, *key,
                               options->bootstrap ? options->bootstrap : 2000, options->seed, out[*key].range));
    }
    return ST_OK;
}
static void put_figures(JsonWriter *w, const PatientSum *sums, size_t n) {
    size_t count;
    const MetricConvention *conventions = metric_conventions(&count);
    for (size_t i = 0; i < count; i++) json_number_at(w, conventions[i].key, metric_value(sums, n, (MetricKey)i));
}
static void put_conventions(JsonWriter *w) {
    size_t count;
    const MetricConvention *conventions = metric_conventions(&count);
    json_key(w, "conventions"), json_begin_array(w);
    for (size_t i = 0; i < count; i++) {
        json_begin_object(w);
        json_key(w, "key"), json_string(w, conventions[i].key);
        json_key(w, "name"), json_string(w, conventions[i].name);
        json_key(w, "equals"), json_string(w, conventions[i].equals);
        json_key(w, "empty"), json_string(w, conventions[i].empty);
        json_key(w, "text"), json_string(w, conventions[i].text);
        json_end_object(w);
    }
    json_end_array(w);
}
static void put_intervals(const EvalRun *run, JsonWriter *w, const EvalInterval *intervals) {
    size_t count;
    const MetricConvention *conventions = metric_conventions(&count);
    if (run->options->bootstrap < 0) return;
    json_key(w, "intervals"), json_begin_object(w);
    for (const MetricKey *key = eval_keys; *key != METRIC_COUNT; key++) {
        if (isnan(intervals[*key].range[0])) continue;
        json_key(w, conventions[*key].key), json_begin_array(w);
        json_number(w, intervals[*key].range[0]), json_number(w, intervals[*key].range[1]);
        json_end_array(w);
    }
    json_end_object(w);
    json_key(w, "bootstrap"), json_begin_object(w);
    json_key(w, "resamples"), json_integer(w, run->options->bootstrap ? run->options->bootstrap : 2000);
    json_key(w, "seed"), json_integer(w, (int64_t)run->options->seed);
    json_end_object(w);
}
static void put_classes(const EvalRun *run, JsonWriter *w) {
    const EvalTotals *totals = &run->totals;
    size_t count;
    const MetricConvention *conventions = metric_conventions(&count);
    const size_t n = totals->n_patients;
    if (totals->n_figures == 1) return;
    json_key(w, "classes"), json_begin_array(w);
    for (int k = 1; k < totals->n_figures; k++) {
        json_begin_object(w);
        json_key(w, "class"), json_integer(w, k);
        json_key(w, "name"), json_string(w, run->class_names[k]);
        put_figures(w, totals_sums(totals, k), n);
        json_end_object(w);
    }
    json_end_array(w);
    json_key(w, "classes_mean"), json_begin_object(w);
    for (size_t i = 0; i < count; i++)
        json_number_at(w, conventions[i].key,
                       metric_macro_mean(totals_sums(totals, 1), n, (size_t)totals->n_figures - 1, (MetricKey)i));
    json_end_object(w);
}

// ---- times

static double mean_of(const double *values, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += values[i];
    return sum / (double)n;
}
static double deviation_of(const double *values, size_t n, double mean) {
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += (values[i] - mean) * (values[i] - mean);
    return n > 1 ? sqrt(sum / (double)(n - 1)) : NAN;
}
Status eval_times(const EvalTotals *totals, EvalTimes *out) {
    const size_t n = totals->n_cases;
    *out = (EvalTimes){NAN, NAN, NAN, NAN, NAN};
    if (!n) return ST_OK;
    double *sorted = mem_alloc(n * sizeof *sorted);
    if (!sorted) return fail_memory(n * sizeof *sorted);
    memcpy(sorted, totals->times, n * sizeof *sorted);
    sort_doubles(sorted, n);
    const double mean = mean_of(totals->times, n);
    *out = (EvalTimes){sorted[0], sorted_quantile(sorted, n, 0.5), sorted_quantile(sorted, n, 0.9), mean,
                       deviation_of(totals->times, n, mean)};
    mem_free(sorted);
    return ST_OK;
}
static Status put_times(const EvalTotals *totals, JsonWriter *w) {
    EvalTimes times;
    TRY(eval_times(totals, &times));
    json_key(w, "ms"), json_begin_object(w);
    json_number_at(w, "min", times.min), json_number_at(w, "median", times.median);
    json_number_at(w, "p90", times.p90), json_number_at(w, "mean", times.mean), json_number_at(w, "std", times.std);
    json_end_object(w);
    const size_t n = totals->n_cases, shown = MIN(n, (size_t)EVAL_TIMES);
    json_key(w, "times"), json_begin_array(w);
    for (size_t i = 0; i < shown; i++) json_number(w, totals->times[i * n / shown]);
    json_end_array(w);
    return ST_OK;
}

// ---- cases

static void put_patients(const EvalTotals *totals, JsonWriter *w) {
    static const struct {
        const char *name;
        MetricKey key;
    } keys[] = {{"dice_pooled", METRIC_DICE_POOLED}, {"dice_mean", METRIC_DICE_MEAN},
                {"iou_pooled", METRIC_IOU_POOLED},   {"hd95_px", METRIC_HD95_PX},
                {"hd95_mm", METRIC_HD95_MM},         {"sensitivity", METRIC_SENSITIVITY},
                {"specificity", METRIC_SPECIFICITY}};
    const PatientSum *sums = totals_sums(totals, 0);
    json_key(w, "per_patient"), json_begin_array(w);
    for (size_t i = 0; i < totals->n_patients; i++) {
        json_begin_object(w);
        json_key(w, "patient"), json_string(w, totals->patients[i].name);
        json_key(w, "cases"), json_integer(w, sums[i].cases);
        for (size_t k = 0; k < COUNT_OF(keys); k++)
            json_number_at(w, keys[k].name, metric_value(&sums[i], 1, keys[k].key));
        json_key(w, "truth_px"), json_integer(w, sums[i].counts.truth);
        json_key(w, "mask_px"), json_integer(w, sums[i].counts.mask);
        json_number_at(w, "ms_median", totals->patients[i].ms_median);
        json_end_object(w);
    }
    json_end_array(w);
}
static void put_worst(const EvalTotals *totals, JsonWriter *w) {
    json_key(w, "worst"), json_begin_array(w);
    for (int i = 0; i < totals->n_worst; i++) {
        const WorstCase *one = &totals->worst[i];
        json_begin_object(w);
        json_key(w, "case"), json_string(w, one->name);
        json_key(w, "patient"), json_string(w, one->patient);
        json_number_at(w, "dice", one->dice);
        json_key(w, "truth_px"), json_integer(w, one->truth);
        json_key(w, "mask_px"), json_integer(w, one->mask);
        json_end_object(w);
    }
    json_end_array(w);
}
static void put_faults(const Faults *faults, JsonWriter *w) {
    json_key(w, "faults"), json_begin_array(w);
    for (size_t i = 0; i < faults->count; i++) case_file_fault(&faults->items[i], w);
    json_end_array(w);
    json_key(w, "faulty"), json_integer(w, (int64_t)faults->count);
}
static void put_comparison(const EvalRun *run, JsonWriter *w) {
    const EvalTotals *totals = &run->totals;
    const PatientSum *sums = totals_sums(totals, 0);
    const double own = metric_value(sums, totals->n_patients, METRIC_DICE_POOLED), other = dice(&totals->other);
    json_key(w, "compare"), json_begin_object(w);
    json_key(w, "with"), json_string(w, run->compare_name);
    json_key(w, "content_hash"), json_string(w, run->compare_hash);
    json_key(w, "changed_px"), json_integer(w, totals->changed_px);
    json_key(w, "pixels"), json_integer(w, totals->other.pixels);
    json_key(w, "cases_changed"), json_integer(w, (int64_t)totals->cases_changed);
    json_number_at(w, "dice_pooled_other", other);
    json_number_at(w, "dice_difference", own - other);
    json_key(w, "worst"), json_begin_array(w);
    for (int i = 0; i < totals->n_changed; i++) {
        const WorstCase *one = &totals->changed[i];
        json_begin_object(w);
        json_key(w, "case"), json_string(w, one->name);
        json_key(w, "changed_px"), json_integer(w, one->changed);
        json_number_at(w, "dice", one->dice), json_number_at(w, "dice_other", one->dice_other);
        json_end_object(w);
    }
    json_end_array(w);
    json_end_object(w);
}
static void put_assumed(const EvalRun *run, JsonWriter *w) {
    json_key(w, "assumed"), json_begin_array(w);
    for (size_t i = 0; i < run->dataset.n_assumed; i++) json_string(w, run->dataset.assumed[i]);
    json_end_array(w);
}
// Of merged files: as the first says.
static void put_merged(const EvalRun *run, JsonWriter *w) {
    const CaseHeading *heading = &run->merged;
    json_key(w, "model"), json_string(w, heading->model);
    json_key(w, "content_hash"), json_string(w, run->nets.own.segmenter.opened.package->content_hash);
    json_key(w, "plan_hash"), json_string(w, heading->plan_hash);
    json_key(w, "machine"), json_begin_object(w);
    json_key(w, "isa"), json_string(w, heading->isa);
    json_key(w, "threads"), json_integer(w, heading->threads);
    json_key(w, "cpu"), json_string(w, heading->cpu);
    json_end_object(w);
}
Status eval_tell(EvalRun *run, const EvalInterval *intervals) {
    struct stent_result *result = run->result;
    const EvalTotals *totals = &run->totals;
    JsonWriter *w = &result->writer;
    if (run->options->merge) put_merged(run, w);
    else result_opened(result, segmenter_opened(&run->nets.own.segmenter));
    json_key(w, "dataset"), json_string(w, run->dataset.name);
    json_key(w, "layout"), json_string(w, dataset_layout_name(run->dataset.layout));
    json_key(w, "cases"), json_integer(w, (int64_t)totals->n_cases);
    json_key(w, "patients"), json_integer(w, (int64_t)totals->n_patients);
    if (run->resumed) json_key(w, "resumed"), json_integer(w, (int64_t)run->resumed);
    if (run->case_path) json_key(w, "case_file"), json_string(w, run->case_path);
    json_number_at(w, "threshold", run->threshold);
    put_figures(w, totals_sums(totals, 0), totals->n_patients);
    put_intervals(run, w, intervals);
    put_conventions(w);
    TRY(put_times(totals, w));
    put_classes(run, w);
    put_patients(totals, w);
    put_worst(totals, w);
    put_faults(&run->dataset.faults, w);
    put_assumed(run, w);
    if (run->compare_name) put_comparison(run, w);
    TRY(eval_put_slices(run, w));
    json_key(&result->log.writer, "cases"), json_integer(&result->log.writer, (int64_t)totals->n_cases);
    json_key(&result->log.writer, "faulty"), json_integer(&result->log.writer, (int64_t)run->dataset.faults.count);
    return text_status(w->text);
}

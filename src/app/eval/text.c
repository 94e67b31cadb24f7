// What eval says to people.
#include "app/eval/run.h"
#include "report/table.h"
#include <math.h>
#include <string.h>

enum { PATIENTS_SHOWN = 40, FAULTS_SHOWN = 40 };

// Figures without a value are a dash.
static void number_cell(Table *table, double value, int digits) {
    if (isfinite(value)) table_cell(table, "%.*f", digits, value);
    else table_cell(table, "-");
}
static Status tell_figures(const EvalRun *run, const EvalInterval *intervals, Text *text) {
    const EvalTotals *totals = &run->totals;
    size_t count;
    const MetricConvention *conventions = metric_conventions(&count);
    Table table = {0};
    table_begin(&table, "figure <", "value >", "95 % >", "empty masks <", NULL);
    for (const MetricKey *key = eval_keys; *key != METRIC_COUNT; key++) {
        const double value = metric_value(totals_sums(totals, 0), totals->n_patients, *key);
        const double *range = intervals[*key].range;
        if (!isfinite(value) && *key == METRIC_HD95_MM) continue;
        table_cell(&table, "%s", conventions[*key].name);
        number_cell(&table, value, 4);
        if (isfinite(range[0])) table_cell(&table, "%.4f .. %.4f", range[0], range[1]);
        else table_cell(&table, "-");
        table_cell(&table, "%s", conventions[*key].empty);
    }
    return table_end(&table, text);
}
static Status tell_classes(const EvalRun *run, Text *text) {
    const EvalTotals *totals = &run->totals;
    if (totals->n_figures == 1) return ST_OK;
    Table table = {0};
    text_add(text, "\n");
    table_begin(&table, "class <", "pooled Dice >", "mean >", "IoU >", "HD95 px >", NULL);
    for (int k = 1; k < totals->n_figures; k++) {
        const PatientSum *sums = totals_sums(totals, k);
        const size_t n = totals->n_patients;
        if (run->class_names[k]) table_cell(&table, "%d %s", k, run->class_names[k]);
        else table_cell(&table, "%d", k);
        number_cell(&table, metric_value(sums, n, METRIC_DICE_POOLED), 4);
        number_cell(&table, metric_value(sums, n, METRIC_DICE_MEAN), 4);
        number_cell(&table, metric_value(sums, n, METRIC_IOU_POOLED), 4);
        number_cell(&table, metric_value(sums, n, METRIC_HD95_PX), 2);
    }
    return table_end(&table, text);
}
static Status tell_patients(const EvalTotals *totals, Text *text) {
    const PatientSum *sums = totals_sums(totals, 0);
    const size_t shown = MIN(totals->n_patients, (size_t)PATIENTS_SHOWN);
    Table table = {0};
    text_add(text, "\n");
    table_begin(&table, "patient <", "cases >", "pooled Dice >", "mean >", "IoU >", "HD95 px >", "truth px >",
                "mask px >", "ms >", NULL);
    for (size_t i = 0; i < shown; i++) {
        table_cell(&table, "%s", totals->patients[i].name);
        table_cell(&table, "%lld", (long long)sums[i].cases);
        number_cell(&table, metric_value(&sums[i], 1, METRIC_DICE_POOLED), 4);
        number_cell(&table, metric_value(&sums[i], 1, METRIC_DICE_MEAN), 4);
        number_cell(&table, metric_value(&sums[i], 1, METRIC_IOU_POOLED), 4);
        number_cell(&table, metric_value(&sums[i], 1, METRIC_HD95_PX), 2);
        table_cell(&table, "%lld", (long long)sums[i].counts.truth);
        table_cell(&table, "%lld", (long long)sums[i].counts.mask);
        number_cell(&table, totals->patients[i].ms_median, 1);
    }
    TRY(table_end(&table, text));
    if (totals->n_patients > shown)
        text_add(text, "and %zu patients more (--json, --csv have them all)\n", totals->n_patients - shown);
    return ST_OK;
}
static Status tell_worst(const EvalTotals *totals, Text *text) {
    Table table = {0};
    text_add(text, "\n");
    table_begin(&table, "worst cases <", "Dice >", "truth px >", "mask px >", NULL);
    for (int i = 0; i < totals->n_worst; i++) {
        table_cell(&table, "%s", totals->worst[i].name);
        number_cell(&table, totals->worst[i].dice, 4);
        table_cell(&table, "%lld", (long long)totals->worst[i].truth);
        table_cell(&table, "%lld", (long long)totals->worst[i].mask);
    }
    return table_end(&table, text);
}
static Status tell_comparison(const EvalRun *run, Text *text) {
    const EvalTotals *totals = &run->totals;
    if (!run->compare_name) return ST_OK;
    const double own = metric_value(totals_sums(totals, 0), totals->n_patients, METRIC_DICE_POOLED);
    const double other = dice(&totals->other);
    text_add(
        text,
        "\ncompared   with %s: %lld of %lld pixels changed, in %zu of %zu cases; pooled Dice %.4f here, %.4f there "
        "(%+.6f)\n",
        run->compare_name, (long long)totals->changed_px, (long long)totals->other.pixels, totals->cases_changed,
        totals->n_cases, own, other, own - other);
    if (!totals->n_changed) return ST_OK;
    Table table = {0};
    table_begin(&table, "most changed <", "pixels >", "Dice >", "there >", NULL);
    for (int i = 0; i < totals->n_changed; i++) {
        table_cell(&table, "%s", totals->changed[i].name);
        table_cell(&table, "%lld", (long long)totals->changed[i].changed);
        number_cell(&table, totals->changed[i].dice, 4);
        number_cell(&table, totals->changed[i].dice_other, 4);
    }
    return table_end(&table, text);
}
static Status tell_faults(const Faults *faults, Text *text) {
    const size_t shown = MIN(faults->count, (size_t)FAULTS_SHOWN);
    Table table = {0};
    if (!faults->count) return ST_OK;
    text_add(text, "\n");
    table_begin(&table, "fault <", "file <", "what <", NULL);
    for (size_t i = 0; i < shown; i++) {
        table_cell(&table, "%s", faults->items[i].fault);
        table_cell(&table, "%s", faults->items[i].file);
        table_cell(&table, "%s", faults->items[i].message);
    }
    TRY(table_end(&table, text));
    if (faults->count > shown) text_add(text, "and %zu faults more (--json)\n", faults->count - shown);
    return ST_OK;
}
static Status tell_times(const EvalRun *run, Text *text) {
    EvalTimes times;
    TRY(eval_times(&run->totals, &times));
    if (!run->totals.n_cases) return ST_OK;
    const Opened *opened = segmenter_opened(&run->nets.own.segmenter);
    text_add(text, "\nnetwork    %.1f ms median, %.1f least, %.1f in nine of ten", times.median, times.min, times.p90);
    if (run->options->merge) text_add(text, "\n");
    else text_add(text, ", on %s, %d threads\n", isa_name(opened->machine.isa), opened->threads);
    return ST_OK;
}
Status eval_tell_text(EvalRun *run, const EvalInterval *intervals) {
    const EvalTotals *totals = &run->totals;
    Text *text = &run->result->text;
    text_add(text, "data       %s (%s): %zu case%s of %zu patient%s", run->dataset.name,
             dataset_layout_name(run->dataset.layout), totals->n_cases, totals->n_cases == 1 ? "" : "s",
             totals->n_patients, totals->n_patients == 1 ? "" : "s");
    if (run->resumed) text_add(text, ", %zu of them done before", run->resumed);
    if (run->dataset.faults.count) text_add(text, ", %zu faults", run->dataset.faults.count);
    text_add(text, "\n\n");
    TRY(tell_figures(run, intervals, text));
    TRY(tell_classes(run, text));
    TRY(tell_patients(totals, text));
    TRY(tell_worst(totals, text));
    TRY(tell_comparison(run, text));
    TRY(tell_times(run, text));
    TRY(tell_faults(&run->dataset.faults, text));
    for (size_t i = 0; i < run->dataset.n_assumed; i++)
        text_add(text, "%s%s\n", i ? "" : "\n", run->dataset.assumed[i]);
    if (run->case_path) text_add(text, "\ncases      %s\n", run->case_path);
    return text_status(text);
}

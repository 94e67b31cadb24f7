// Sums over cases, a patient after the other. Memory grows with patients (their sums) and with nothing else but a few
// bytes a case: its time, and the hash by which the same picture is known again.
#include "app/eval/eval.h"
#include "base/statistics.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

Status totals_begin(EvalTotals *totals, int n_figures, size_t most_patients, size_t most_cases, int slices) {
    *totals = (EvalTotals){
        .n_figures = n_figures, .most_patients = most_patients, .most_cases = most_cases, .slices = slices};
    totals->seen_size = 16;
    while (totals->seen_size < 2 * most_cases) totals->seen_size *= 2;
    totals->sums = mem_zero((size_t)n_figures * MAX(most_patients, 1), sizeof *totals->sums);
    totals->patients = mem_zero(MAX(most_patients, 1), sizeof *totals->patients);
    totals->times = mem_alloc(MAX(most_cases, 1) * sizeof *totals->times);
    totals->seen = mem_zero(totals->seen_size, sizeof *totals->seen);
    if (totals->sums && totals->patients && totals->times && totals->seen) return ST_OK;
    totals_free(totals);
    return fail_memory(most_cases * sizeof *totals->seen);
}
void totals_free(EvalTotals *totals) {
    mem_free(totals->sums);
    mem_free(totals->patients);
    mem_free(totals->times);
    mem_free(totals->seen);
    mem_free(totals->of_patient);
    mem_free(totals->picks);
    *totals = (EvalTotals){0};
}
const PatientSum *totals_sums(const EvalTotals *totals, int figure) {
    return totals->sums + (size_t)figure * totals->most_patients;
}

// ---- the same picture again

static SeenPicture *find_seen(const EvalTotals *totals, const char *hash) {
    uint64_t at = 0;
    for (int i = 0; i < 16; i++) at = at * 31 + (unsigned char)hash[i];
    at *= 0x9e3779b97f4a7c15u;
    for (at >>= 20;; at++) {
        SeenPicture *place = &totals->seen[at & (totals->seen_size - 1)];
        if (!place->name || !memcmp(place->hash, hash, sizeof place->hash)) return place;
    }
}
const char *totals_seen(const EvalTotals *totals, const EvalRecord *record) {
    return record->blank ? NULL : find_seen(totals, record->picture_hash)->name;
}

// ---- the worst

// Of equal Dice the one with more to find comes first; then the order of the cases.
static bool is_worse(const WorstCase *a, const WorstCase *b) {
    if (a->dice != b->dice) return a->dice < b->dice;
    return a->truth + a->mask > b->truth + b->mask;
}
static bool is_more_changed(const WorstCase *a, const WorstCase *b) { return a->changed > b->changed; }
static void keep_worst(WorstCase *list, int *count, const WorstCase *one,
                       bool (*before)(const WorstCase *, const WorstCase *)) {
    int at = *count;
    while (at > 0 && before(one, &list[at - 1])) at--;
    if (at == EVAL_WORST) return;
    if (*count < EVAL_WORST) ++*count;
    memmove(&list[at + 1], &list[at], (size_t)(*count - 1 - at) * sizeof *list);
    list[at] = *one;
}

// ---- a patient

static double median(double *sorted, size_t n) {
    if (!n) return NAN;
    sort_doubles(sorted, n);
    return n % 2 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
}
static int compare_picks(const void *a, const void *b) {
    const EvalPick *x = a, *y = b;
    if (x->dice != y->dice) return x->dice < y->dice ? -1 : 1;
    return (x->number > y->number) - (x->number < y->number);
}
static Status add_pick(EvalTotals *totals, const EvalPick *pick, const char *rank) {
    if (totals->n_picks == totals->most_picks) {
        const size_t most = MAX((size_t)32, totals->most_picks * 2);
        EvalPick *picks = mem_resize(totals->picks, most * sizeof *picks);
        if (!picks) return fail_memory(most * sizeof *picks);
        totals->picks = picks, totals->most_picks = most;
    }
    totals->picks[totals->n_picks] = *pick;
    totals->picks[totals->n_picks++].rank = rank;
    return ST_OK;
}
// Of those with something to find or found: the worst ones, the median, the best.
static Status pick_slices(EvalTotals *totals) {
    EvalPick *list = totals->of_patient;
    const size_t n = totals->n_of_patient, wanted = MIN((size_t)totals->slices, n);
    totals->n_of_patient = 0;
    if (n) qsort(list, n, sizeof *list, compare_picks);
    const size_t worst = wanted > 2 ? wanted - 2 : MIN(wanted, 1);
    for (size_t i = 0; i < worst; i++) TRY(add_pick(totals, &list[i], "worst"));
    if (wanted > 2) TRY(add_pick(totals, &list[MAX(n / 2, worst)], "median"));
    if (wanted > 1) TRY(add_pick(totals, &list[n - 1], "best"));
    return ST_OK;
}
static Status end_patient(EvalTotals *totals) {
    if (!totals->n_patients) return ST_OK;
    const size_t n = totals->n_cases - totals->patient_begin;
    double *times = mem_alloc(MAX(n, 1) * sizeof *times);
    if (!times) return fail_memory(n * sizeof *times);
    memcpy(times, totals->times + totals->patient_begin, n * sizeof *times);
    totals->patients[totals->n_patients - 1].ms_median = median(times, n);
    mem_free(times);
    totals->patient_begin = totals->n_cases;
    return pick_slices(totals);
}
static Status note_pick(EvalTotals *totals, const EvalRecord *record, size_t number) {
    const CaseMetrics *metrics = &record->figures[0];
    if (!totals->slices || (!metrics->counts.truth && !metrics->counts.mask)) return ST_OK;
    if (totals->n_of_patient == totals->most_of_patient) {
        const size_t most = MAX((size_t)64, totals->most_of_patient * 2);
        EvalPick *list = mem_resize(totals->of_patient, most * sizeof *list);
        if (!list) return fail_memory(most * sizeof *list);
        totals->of_patient = list, totals->most_of_patient = most;
    }
    totals->of_patient[totals->n_of_patient++] = (EvalPick){number, NULL, metrics->dice, metrics->hd95_px, record->ms};
    return ST_OK;
}

// ---- a case

static void add_comparison(EvalTotals *totals, const EvalRecord *record, const WorstCase *one) {
    if (!record->compared) return;
    mask_counts_add(&totals->other, &record->other);
    totals->changed_px += record->changed;
    totals->cases_changed += record->changed > 0;
    if (record->changed) keep_worst(totals->changed, &totals->n_changed, one, is_more_changed);
}
Status totals_add(EvalTotals *totals, const EvalRecord *record, size_t number) {
    const MaskCounts *counts = &record->figures[0].counts;
    PatientFigures *patients = totals->patients;
    if (!totals->n_patients || strcmp(patients[totals->n_patients - 1].name, record->patient)) {
        TRY(end_patient(totals));
        FAIL_IF(totals->n_patients == totals->most_patients, ST_BAD, "more patients than there were at first");
        patients[totals->n_patients++].name = record->patient;
    }
    FAIL_IF(totals->n_cases == totals->most_cases, ST_BAD, "more cases than there were at first");
    FAIL_IF(record->n_figures != totals->n_figures, ST_BAD, "case %s: figures of %d classes, expected %d", record->name,
            record->n_figures, totals->n_figures);
    for (int k = 0; k < totals->n_figures; k++)
        patient_sum_add(&totals->sums[(size_t)k * totals->most_patients + totals->n_patients - 1], &record->figures[k]);
    totals->times[totals->n_cases++] = record->ms;
    totals->no_soft = totals->no_soft || record->no_soft;
    const WorstCase one = {record->name, record->patient, record->figures[0].dice, counts->truth,
                           counts->mask, record->changed, dice(&record->other)};
    keep_worst(totals->worst, &totals->n_worst, &one, is_worse);
    add_comparison(totals, record, &one);
    SeenPicture *seen = find_seen(totals, record->picture_hash);
    if (!seen->name) memcpy(seen->hash, record->picture_hash, sizeof seen->hash), seen->name = record->name;
    return note_pick(totals, record, number);
}
// The sums of each class move together, so that they lie as metric_macro_mean wants them.
Status totals_finish(EvalTotals *totals) {
    TRY(end_patient(totals));
    const size_t n = totals->n_patients;
    for (int k = 1; k < totals->n_figures; k++)
        memmove(totals->sums + (size_t)k * n, totals->sums + (size_t)k * totals->most_patients,
                n * sizeof *totals->sums);
    totals->most_patients = n;
    return ST_OK;
}

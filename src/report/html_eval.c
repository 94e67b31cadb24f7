// Masks against truth: metrics with their intervals, patients, faults, what changed against another network, and the
// conventions that the figures follow.
#include "report/parts.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct Metric {
    const char *key, *name;
    bool part; // of 0..1, so that it has a place on the plot
} Metric;
static const Metric metrics[] = {
    {"dice_pooled", "Dice, all pixels together", true},
    {"dice_patient_mean", "Dice, mean over patients", true},
    {"dice_mean", "Dice, mean over cases", true},
    {"dice_smooth1", "Dice with smooth 1", true},
    {"dice_smooth100", "Dice with smooth 100", true},
    {"dice_soft", "soft Dice, of probabilities", true},
    {"iou_pooled", "IoU, all pixels together", true},
    {"iou", "IoU, mean over cases", true},
    {"sensitivity", "sensitivity", true},
    {"specificity", "specificity", true},
    {"hd95_px", "HD95 in pixels", false},
    {"hd95_mm", "HD95 in millimetres", false},
};
static const Scale unit_scale = {0, 1, 0.2, 1};

static void put_dot_cell(Text *out, const Scale *scale, Estimate e, double reference) {
    put(out, "<td class=\"dot-cell\" data-v=\"");
    put_plain(out, e.value);
    put(out, "\">");
    svg_dot(out, scale, e, reference);
    put(out, "</td>");
}
static void put_metric(Text *out, const char *name, Estimate e, int digits, bool part) {
    row_open(out, name);
    cell_estimate(out, e, digits);
    if (part) put_dot_cell(out, &unit_scale, e, (double)NAN);
    else cell_open(out), cell_close(out);
    row_close(out);
}
static const Metric *known_metric(const char *key) {
    for (size_t i = 0; key && i < COUNT_OF(metrics); i++)
        if (!strcmp(metrics[i].key, key)) return &metrics[i];
    return NULL;
}
static bool is_listed(const Json *conventions, const char *key) {
    for (size_t i = 0; conventions && i < conventions->count; i++) {
        const char *listed = text_of(&conventions->items[i], "key");
        if (listed && !strcmp(listed, key)) return true;
    }
    return false;
}
// Metrics that the conventions name, in their order and under their names; then those that only we know.
static void put_metrics(Page *page, const Json *of, const Json *conventions, const char *caption) {
    static const Column columns[] = {
        {"metric", NULL, COLUMN_WORDS}, {"value, 95 % interval", NULL, COLUMN_FIGURES}, {"0 to 1", NULL, COLUMN_OTHER}};
    Text *out = page->out;
    table_open(out, caption, false, columns, COUNT_OF(columns));
    for (size_t i = 0; conventions && i < conventions->count; i++) {
        const char *key = text_of(&conventions->items[i], "key"), *name = text_of(&conventions->items[i], "name");
        if (!key) continue;
        const Metric *known = known_metric(key);
        const Estimate e = estimate_of(of, key);
        const bool part = known ? known->part : !text_starts(key, "hd95") && e.value >= 0 && e.value <= 1;
        if (!isnan(e.value)) put_metric(out, name ? name : key, e, part ? 4 : 2, part);
    }
    for (size_t i = 0; i < COUNT_OF(metrics); i++) {
        const Estimate e = estimate_of(of, metrics[i].key);
        if (!isnan(e.value) && !is_listed(conventions, metrics[i].key))
            put_metric(out, metrics[i].name, e, metrics[i].part ? 4 : 2, metrics[i].part);
    }
    table_close(out);
}
static void put_classes(Page *page, const Json *classes, const Json *conventions) {
    for (size_t i = 0; classes && i < classes->count; i++) {
        const Json *one = &classes->items[i];
        const char *name = text_of(one, "name");
        put(page->out, "<h3>class ");
        put_figure(page->out, number_of(one, "class"), 0);
        put(page->out, "%s%s</h3>\n", name ? ": " : "", name ? name : "");
        put_metrics(page, one, conventions, "Metrics of this class");
    }
}
static void put_subject(Text *out, const Json *root) {
    const char *dataset = text_of(root, "dataset"), *layout = text_of(root, "layout");
    if (isnan(number_of(root, "cases"))) return;
    put(out, "<p>");
    put_plural(out, number_of(root, "cases"), "case", "cases");
    if (!isnan(number_of(root, "patients")))
        put(out, " of "), put_plural(out, number_of(root, "patients"), "patient", "patients");
    if (dataset) put(out, " from <b>%s</b>", dataset);
    if (layout) put(out, " (layout %s)", layout);
    put(out, ".</p>\n");
}
static void put_worst(Page *page, const Json *worst) {
    static const Column columns[] = {{"case", NULL, COLUMN_WORDS},
                                     {"Dice", NULL, COLUMN_FIGURES},
                                     {"truth", "px", COLUMN_FIGURES},
                                     {"mask", "px", COLUMN_FIGURES}};
    if (!worst) return;
    subsection(page, "Worst cases");
    table_open(page->out, "Cases with the lowest Dice", true, columns, COUNT_OF(columns));
    for (size_t i = 0; i < worst->count; i++) {
        row_open(page->out, text_of(&worst->items[i], "case"));
        cell_figure(page->out, number_of(&worst->items[i], "dice"), 3);
        cell_figure(page->out, number_of(&worst->items[i], "truth_px"), 0);
        cell_figure(page->out, number_of(&worst->items[i], "mask_px"), 0);
        row_close(page->out);
    }
    table_close(page->out);
}
Status draw_eval(Page *page, const Result *result) {
    const Json *root = result->root, *bootstrap = json_get(root, "bootstrap");
    section_open(page, "Masks against truth", result->name);
    put_subject(page->out, root);
    put_metrics(page, root, list_of(root, "conventions"), "Metrics of all cases");
    if (!isnan(number_of(bootstrap, "resamples"))) {
        put(page->out, "<p class=\"note\">95 %% intervals: bootstrap over patients, ");
        put_figure(page->out, number_of(bootstrap, "resamples"), 0);
        put(page->out, " resamples, seed ");
        put_figure(page->out, number_of(bootstrap, "seed"), 0);
        put(page->out, ". What each metric is exactly stands under <em>Conventions</em>.</p>\n");
    }
    put_classes(page, list_of(root, "classes"), list_of(root, "conventions"));
    put_worst(page, list_of(root, "worst"));
    section_close(page);
    return ST_OK;
}

// ---- patients

enum { MOST_PATIENTS = 1000, MOST_FAULTS = 500 };

static int compare_patients(const void *a, const void *b) {
    const Json *x = *(const Json *const *)a, *y = *(const Json *const *)b;
    const double p = number_of(x, "dice_pooled"), q = number_of(y, "dice_pooled");
    if (p != q && !(isnan(p) && isnan(q))) return isnan(q) || p < q ? -1 : 1;
    return (x > y) - (x < y);
}
static void put_patient(Text *out, const Json *patient, double all) {
    const Estimate dice = estimate_of(patient, "dice_pooled");
    row_open(out, text_of(patient, "patient"));
    cell_figure(out, number_of(patient, "cases"), 0);
    cell_estimate(out, dice, 3);
    put_dot_cell(out, &unit_scale, dice, all);
    cell_figure(out, number_of(patient, "iou_pooled"), 3);
    cell_figure(out, number_of(patient, "hd95_px"), 1);
    cell_figure(out, number_of(patient, "sensitivity"), 3);
    cell_figure(out, number_of(patient, "specificity"), 4);
    cell_figure(out, number_of(patient, "truth_px"), 0);
    cell_figure(out, number_of(patient, "mask_px"), 0);
    cell_figure(out, number_of(patient, "ms_median"), 1);
    row_close(out);
}
Status draw_patients(Page *page, const Result *result) {
    static const Column columns[] = {
        {"patient", NULL, COLUMN_WORDS},       {"cases", NULL, COLUMN_FIGURES},       {"Dice", NULL, COLUMN_FIGURES},
        {"0 to 1", NULL, COLUMN_OTHER},        {"IoU", NULL, COLUMN_FIGURES},         {"HD95", "px", COLUMN_FIGURES},
        {"sensitivity", NULL, COLUMN_FIGURES}, {"specificity", NULL, COLUMN_FIGURES}, {"truth", "px", COLUMN_FIGURES},
        {"mask", "px", COLUMN_FIGURES},        {"time", "ms", COLUMN_FIGURES}};
    const Json *patients = list_of(result->root, "per_patient");
    if (!patients) return ST_OK;
    const Json **sorted = arena_array(&page->results->arena, patients->count, sizeof *sorted);
    if (!sorted) return fail_memory(patients->count * sizeof *sorted);
    for (size_t i = 0; i < patients->count; i++) sorted[i] = &patients->items[i];
    qsort(sorted, patients->count, sizeof *sorted, compare_patients);
    const size_t shown = MIN(patients->count, (size_t)MOST_PATIENTS);
    section_open(page, "Patients", result->name);
    put(page->out, "<div class=\"more\" data-shown=\"40\">\n");
    table_open(page->out, "Patients, the lowest Dice first; the thin line is the Dice of all pixels together", true,
               columns, COUNT_OF(columns));
    for (size_t i = 0; i < shown; i++) put_patient(page->out, sorted[i], number_of(result->root, "dice_pooled"));
    table_close(page->out);
    put(page->out, "</div>\n");
    if (shown < patients->count)
        put(page->out, "<p class=\"note\">%zu more patients with a higher Dice are left out here; --csv has all.</p>\n",
            patients->count - shown);
    section_close(page);
    return ST_OK;
}

// ---- faults

Status draw_faults(Page *page, const Result *result) {
    static const Column columns[] = {
        {"file", NULL, COLUMN_WORDS}, {"fault", NULL, COLUMN_WORDS}, {"what was found", NULL, COLUMN_OTHER}};
    const Json *faults = list_of(result->root, "faults");
    if (!faults) return ST_OK;
    const size_t shown = MIN(faults->count, (size_t)MOST_FAULTS);
    section_open(page, "Faults in the data", result->name);
    put(page->out, "<p>These were left out; all others were evaluated.</p>\n<div class=\"more\" data-shown=\"40\">\n");
    table_open(page->out, "Faults", true, columns, COUNT_OF(columns));
    for (size_t i = 0; i < shown; i++) {
        row_open(page->out, text_of(&faults->items[i], "file"));
        cell_text(page->out, text_of(&faults->items[i], "fault"));
        cell_text(page->out, text_of(&faults->items[i], "message"));
        row_close(page->out);
    }
    table_close(page->out);
    put(page->out, "</div>\n");
    const double all = fmax(number_of(result->root, "faulty"), (double)faults->count);
    if (all > (double)shown)
        put(page->out, "<p class=\"note\">%.0f more are not listed here.</p>\n", all - (double)shown);
    section_close(page);
    return ST_OK;
}

// ---- against another network

static void put_changed_cases(Text *out, const Json *worst) {
    static const Column columns[] = {{"case", NULL, COLUMN_WORDS},
                                     {"pixels changed", NULL, COLUMN_FIGURES},
                                     {"Dice", NULL, COLUMN_FIGURES},
                                     {"Dice of the other", NULL, COLUMN_FIGURES}};
    table_open(out, "Cases that changed most", true, columns, COUNT_OF(columns));
    for (size_t i = 0; i < worst->count; i++) {
        row_open(out, text_of(&worst->items[i], "case"));
        cell_figure(out, number_of(&worst->items[i], "changed_px"), 0);
        cell_figure(out, number_of(&worst->items[i], "dice"), 4);
        cell_figure(out, number_of(&worst->items[i], "dice_other"), 4);
        row_close(out);
    }
    table_close(out);
}
static void put_dice_pair(Text *out, double mine, double other, double difference) {
    static const Column columns[] = {{"", NULL, COLUMN_WORDS}, {"Dice, all pixels together", NULL, COLUMN_FIGURES}};
    table_open(out, "Dice of both", false, columns, COUNT_OF(columns));
    row_open(out, "this network"), cell_figure(out, mine, 4), row_close(out);
    row_open(out, "the other"), cell_figure(out, other, 4), row_close(out);
    row_open(out, "difference"), cell_figure(out, difference, 6), row_close(out);
    table_close(out);
}
Status draw_compare(Page *page, const Result *result) {
    const Json *compare = json_get(result->root, "compare"), *worst = list_of(compare, "worst");
    const double changed = number_of(compare, "changed_px");
    Text *out = page->out;
    if (isnan(changed)) return ST_OK;
    section_open(page, "Against another network", result->name);
    put(out, "<p class=\"%s\">%s", changed == 0 ? "verdict good" : "verdict",
        changed == 0 ? "\u2713 No pixel changed" : "");
    if (changed > 0) put_plural(out, changed, "pixel changed", "pixels changed");
    put(out, " of ");
    put_figure(out, number_of(compare, "pixels"), 0);
    if (changed > 0) put(out, ", in "), put_plural(out, number_of(compare, "cases_changed"), "case", "cases");
    put(out, ", against %s.</p>\n", text_of(compare, "with") ? text_of(compare, "with") : "the other network");
    put_dice_pair(out, number_of(result->root, "dice_pooled"), number_of(compare, "dice_pooled_other"),
                  number_of(compare, "dice_difference"));
    if (worst && changed > 0) put_changed_cases(out, worst);
    section_close(page);
    return ST_OK;
}

// ---- conventions

Status draw_conventions(Page *page, const Result *result) {
    static const Column columns[] = {{"metric", NULL, COLUMN_WORDS},
                                     {"what it is", NULL, COLUMN_WORDS},
                                     {"equals", NULL, COLUMN_WORDS},
                                     {"empty masks", NULL, COLUMN_WORDS}};
    const Json *conventions = list_of(result->root, "conventions");
    if (!conventions) return ST_OK;
    section_open(page, "Conventions of the metrics", result->name);
    put(page->out,
        "<details><summary>What each metric is, which library it equals, and what it says of empty masks</summary>\n");
    table_open(page->out, "Conventions", false, columns, COUNT_OF(columns));
    for (size_t i = 0; i < conventions->count; i++) {
        const Json *one = &conventions->items[i];
        const char *name = text_of(one, "name");
        row_open(page->out, name ? name : text_of(one, "key"));
        cell_text(page->out, text_of(one, "text"));
        cell_text(page->out, text_of(one, "equals"));
        cell_text(page->out, text_of(one, "empty"));
        row_close(page->out);
    }
    table_close(page->out);
    put(page->out, "</details>\n");
    section_close(page);
    return ST_OK;
}

// ---- several networks

static void put_network(Text *out, const Result *result) {
    const Json *root = result->root, *ms = json_get(root, "ms");
    const char *model = text_of(root, "model");
    row_open(out, model ? model : result->name);
    cell_text(out, result->name);
    cell_estimate(out, estimate_of(root, "dice_pooled"), 4);
    put_dot_cell(out, &unit_scale, estimate_of(root, "dice_pooled"), (double)NAN);
    cell_estimate(out, estimate_of(root, "dice_patient_mean"), 4);
    cell_figure(out, number_of(root, "hd95_px"), 1);
    cell_figure(out, number_of(ms, "median"), 1);
    row_close(out);
}
void draw_networks(Page *page) {
    static const Column columns[] = {{"network", NULL, COLUMN_WORDS},
                                     {"file", NULL, COLUMN_WORDS},
                                     {"Dice, all pixels together", NULL, COLUMN_FIGURES},
                                     {"0 to 1", NULL, COLUMN_OTHER},
                                     {"Dice, mean over patients", NULL, COLUMN_FIGURES},
                                     {"HD95", "px", COLUMN_FIGURES},
                                     {"time", "ms", COLUMN_FIGURES}};
    const Results *results = page->results;
    int evals = 0;
    for (size_t i = 0; i < results->count; i++) evals += results->items[i].kind == KIND_EVAL;
    if (evals < 2) return;
    section_open(page, "Networks side by side", NULL);
    table_open(page->out, "Value and 95 % interval; time: median of a case", true, columns, COUNT_OF(columns));
    for (size_t i = 0; i < results->count; i++)
        if (results->items[i].kind == KIND_EVAL) put_network(page->out, &results->items[i]);
    table_close(page->out);
    section_close(page);
}

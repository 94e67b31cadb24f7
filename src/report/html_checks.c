// What bench --versus, tune, verify and segment found: before and after, agreement, pictures.
#include "base/statistics.h"
#include "report/parts.h"
#include <math.h>
#include <string.h>

// ---- before and after

// The median with an interval that holds the true one with 95 %, whatever the distribution (by order statistics).
static Status median_of(const Json *root, const char *list, double told, Arena *arena, Estimate *out) {
    double *values;
    size_t count;
    TRY(numbers_of(root, list, arena, &values, &count));
    *out = (Estimate){told, (double)NAN, (double)NAN};
    if (!count) return ST_OK;
    Ratio median;
    TRY(median_interval(values, count, 0.95, &median));
    if (isnan(told)) out->value = median.median;
    if (isfinite(median.low)) out->low = median.low, out->high = median.high;
    return ST_OK;
}
static void put_pair_row(Text *out, const char *what, const char *network, Estimate ms, double most) {
    row_open(out, what);
    cell_text(out, network);
    cell_estimate(out, ms, 2);
    put(out, "<td class=\"bar-cell\">");
    svg_bar(out, most > 0 && ms.value > 0 ? 100 * ms.value / most : 0, 100);
    put(out, "</td>");
    row_close(out);
}
static void put_ratio(Text *out, Estimate ratio) {
    const bool same = ratio.low <= 1 && ratio.high >= 1;
    put(out, "<p class=\"verdict %s\">", same ? "" : ratio.value < 1 ? "good" : "bad");
    if (same) put(out, "No difference beyond the noise: ");
    put_figure(out, 1 / ratio.value, 2);
    put(out, " times as fast");
    if (isfinite(ratio.low) && isfinite(ratio.high)) {
        put(out, " <small class=\"interval\">95 %%: ");
        put_figure(out, 1 / ratio.high, 2);
        put(out, " to ");
        put_figure(out, 1 / ratio.low, 2);
        put(out, "</small>");
    }
    put(out, "</p>\n");
}
static void put_pair_note(Page *page, const Json *root) {
    Text *out = page->out;
    put(out, "<p class=\"note\">Medians with 95 %% intervals. Both ran in turn");
    if (!isnan(number_of(root, "rounds")))
        put(out, ", "), put_plural(out, number_of(root, "rounds"), "round", "rounds");
    put(out, "; the ratio is the median of the rounds\u2019 own, so that what drifts hits both alike: it need not be "
             "that of the medians.</p>\n");
}
Status draw_before_after(Page *page, const Result *result) {
    static const Column columns[] = {{"", NULL, COLUMN_WORDS},
                                     {"network", NULL, COLUMN_WORDS},
                                     {"one run", "ms", COLUMN_FIGURES},
                                     {"", NULL, COLUMN_OTHER}};
    const Json *root = result->root;
    const bool tune = result->kind == KIND_TUNE;
    const char *versus = text_of(root, "versus"), *model = text_of(root, "model"), *kept = text_of(root, "kept");
    Estimate before, after;
    if (!(ratio_of(root).value > 0)) return ST_OK;
    TRY(median_of(root, "versus_ms", number_of(root, tune ? "baseline_ms" : "versus_median_ms"), &page->results->arena,
                  &before));
    TRY(median_of(root, "ms", number_of(root, tune ? "tuned_ms" : "median_ms"), &page->results->arena, &after));
    section_open(page, tune ? "Before and after tuning" : "Before and after", result->name);
    put_ratio(page->out, ratio_of(root));
    table_open(page->out, "Time of one run", false, columns, COUNT_OF(columns));
    const double most = fmax(before.value, after.value);
    put_pair_row(page->out, "before",
                 tune     ? "the plan that stood"
                 : versus ? versus
                          : "the other package",
                 before, most);
    put_pair_row(page->out, "after", tune ? "the tuned plan" : model ? model : "this package", after, most);
    table_close(page->out);
    if (kept)
        put(page->out,
            strcmp(kept, "tuned")
                ? "<p>The plan that stood was kept: only one that wins beyond the noise (99 %%) replaces it.</p>\n"
                : "<p>The tuned plan was kept.</p>\n");
    put_pair_note(page, root);
    section_close(page);
    return ST_OK;
}

// ---- tune

Status draw_tune(Page *page, const Result *result) {
    static const Column columns[] = {{"layer", NULL, COLUMN_WORDS},
                                     {"share of the time", "%", COLUMN_FIGURES},
                                     {"tried", NULL, COLUMN_FIGURES},
                                     {"tuned / before", NULL, COLUMN_FIGURES},
                                     {"way", NULL, COLUMN_OTHER}};
    const Json *layers = list_of(result->root, "layers");
    if (!layers) return ST_OK;
    section_open(page, "What tuning tried", result->name);
    put(page->out, "<p>");
    put_plural(page->out, number_of(result->root, "trials"), "trial", "trials");
    put(page->out, " in ");
    put_figure(page->out, number_of(result->root, "seconds"), 0);
    put(page->out, " s. A plan changes only when it wins a race beyond the noise and passes its self-check.</p>\n<div "
                   "class=\"more\" data-shown=\"12\">\n");
    table_open(page->out, "Layers that were tuned", true, columns, COUNT_OF(columns));
    for (size_t i = 0; i < layers->count; i++) {
        const Json *layer = &layers->items[i];
        const char *from = text_of(layer, "from"), *to = text_of(layer, "to"), *untuned = text_of(layer, "untuned"),
                   *op = text_of(layer, "op");
        put(page->out, "<tr><th scope=\"row\">%s<small class=\"detail\">", op ? op : "");
        put_name(page->out, text_of(layer, "name"));
        put(page->out, "</small></th>");
        cell_figure(page->out, 100 * number_of(layer, "share"), 1);
        cell_figure(page->out, number_of(layer, "tried"), 0);
        cell_figure(page->out, number_of(layer, "ratio"), 3);
        put(page->out, "<td class=\"why\">%s%s%s</td>",
            untuned ? untuned
            : from  ? from
                    : "",
            !untuned && to && from && strcmp(from, to) ? " \u2192 " : "",
            !untuned && to && from && strcmp(from, to) ? to : "");
        row_close(page->out);
    }
    table_close(page->out);
    put(page->out, "</div>\n");
    section_close(page);
    return ST_OK;
}

// ---- verify

static void put_fact(Text *out, const char *label, double value, bool count) {
    if (isnan(value)) return;
    put(out, "<div><dt>%s</dt><dd>", label);
    if (count) put_figure(out, value, 0);
    else put_small(out, value);
    put(out, "</dd></div>");
}
static void put_small_cell(Text *out, double value) {
    put(out, "<td class=\"n\" data-v=\"");
    put_plain(out, value);
    put(out, "\">");
    put_small(out, value);
    put(out, "</td>");
}
static void put_verified_layers(Text *out, const Json *layers) {
    static const Column columns[] = {{"layer", NULL, COLUMN_WORDS},
                                     {"rms / std", NULL, COLUMN_FIGURES},
                                     {"largest difference", NULL, COLUMN_FIGURES},
                                     {"within the budget", NULL, COLUMN_WORDS}};
    put(out, "<div class=\"more\" data-shown=\"10\">\n");
    table_open(out, "Layers against the reference", true, columns, COUNT_OF(columns));
    for (size_t i = 0; i < layers->count; i++) {
        const Json *layer = &layers->items[i];
        row_open(out, text_of(layer, "name"));
        put_small_cell(out, number_of(layer, "rms_rel"));
        put_small_cell(out, number_of(layer, "max_abs"));
        cell_text(out, flag_of(layer, "ok") ? "\u2713 yes" : "\u2717 no");
        row_close(out);
    }
    table_close(out);
    put(out, "</div>\n");
}
static void put_comparisons(Text *out, const Json *checks) {
    static const Column columns[] = {{"compared", NULL, COLUMN_WORDS},
                                     {"agrees", NULL, COLUMN_WORDS},
                                     {"rms / std", NULL, COLUMN_FIGURES},
                                     {"allowed", NULL, COLUMN_FIGURES},
                                     {"largest difference", NULL, COLUMN_FIGURES},
                                     {"mask changed", "px", COLUMN_FIGURES}};
    table_open(out, "Who was asked", false, columns, COUNT_OF(columns));
    for (size_t i = 0; i < checks->count; i++) {
        const Json *check = &checks->items[i];
        row_open(out, text_of(check, "with"));
        cell_text(out, flag_of(check, "ok") ? "\u2713 yes" : "\u2717 no");
        put_small_cell(out, number_of(check, "rms_rel"));
        put_small_cell(out, number_of(check, "allowed"));
        put_small_cell(out, number_of(check, "max_abs"));
        cell_figure(out, number_of(check, "mask_changed"), 0);
        row_close(out);
    }
    table_close(out);
}
Status draw_verify(Page *page, const Result *result) {
    const Json *root = result->root, *layers = list_of(root, "layers"), *checks = list_of(root, "checks");
    const bool ok = flag_of(root, "ok");
    Text *out = page->out;
    section_open(page, "Is the answer right on this machine", result->name);
    put(out, "<p class=\"verdict %s\">%s</p>\n<dl class=\"facts\">", ok ? "good" : "bad",
        ok ? "\u2713 The result agrees with the expected one" : "\u2717 The result differs from the expected one");
    put_fact(out, "rms of the difference / standard deviation", number_of(root, "rms_rel"), false);
    put_fact(out, "allowed", number_of(root, "budget"), false);
    put_fact(out, "largest difference", number_of(root, "max_abs"), false);
    put_fact(out, "mask pixels changed", number_of(root, "mask_changed"), true);
    put_fact(out, "of them on the threshold", number_of(root, "mask_ties"), true);
    put_fact(out, "mask pixels", number_of(root, "mask_pixels"), true);
    put(out, "</dl>\n");
    if (text_of(root, "input")) put(out, "<p class=\"note\">Input: %s.</p>\n", text_of(root, "input"));
    if (checks) put_comparisons(out, checks);
    if (text_of(root, "skipped")) put(out, "<p class=\"note\">Left out: %s.</p>\n", text_of(root, "skipped"));
    if (layers) put_verified_layers(out, layers);
    section_close(page);
    return ST_OK;
}

// ---- segment

Status draw_segment(Page *page, const Result *result) {
    static const struct {
        const char *key, *label;
    } facts[] = {{"pictures", "pictures"},
                 {"done", "segmented now"},
                 {"skipped", "done before"},
                 {"failed", "failed"},
                 {"area_px", "mask pixels"}};
    section_open(page, "Pictures segmented", result->name);
    put(page->out, "<dl class=\"facts\">");
    for (size_t i = 0; i < COUNT_OF(facts); i++)
        put_fact(page->out, facts[i].label, number_of(result->root, facts[i].key), true);
    put(page->out, "<div><dt>median of a picture</dt><dd>");
    put_ms(page->out, number_of(result->root, "median_ms"));
    put(page->out, "</dd></div></dl>\n");
    section_close(page);
    return ST_OK;
}

enum { MOST_PICTURES = 1000 };
static void put_picture(Text *out, const Json *line) {
    const bool ok = !strcmp(text_of(line, "status"), "ok");
    const char *error = text_of(line, "error"), *note = text_of(line, "note");
    row_open(out, text_of(line, "path"));
    cell_text(out, ok ? "\u2713 ok" : "\u2717 bad");
    cell_figure(out, number_of(line, "area_px"), 0);
    cell_figure(out, number_of(line, "ms"), 1);
    put(out, "<td class=\"why\">%s</td>", error ? error : note ? note : "");
    row_close(out);
}
Status draw_pictures(Page *page, const Result *result) {
    static const Column columns[] = {{"picture", NULL, COLUMN_WORDS},
                                     {"status", NULL, COLUMN_WORDS},
                                     {"mask", "px", COLUMN_FIGURES},
                                     {"time", "ms", COLUMN_FIGURES},
                                     {"remark", NULL, COLUMN_OTHER}};
    const Json *lines = result->root;
    Series series = {.name = "all pictures",
                     .values = arena_array(&page->results->arena, lines->count + 1, sizeof(double))};
    if (!series.values) return fail_memory(lines->count * sizeof(double));
    for (size_t i = 0; i < lines->count; i++) {
        const double ms = number_of(&lines->items[i], "ms");
        if (isfinite(ms)) series.values[series.count++] = ms;
    }
    const size_t shown = MIN(lines->count, (size_t)MOST_PICTURES);
    section_open(page, "Pictures", result->name);
    TRY(times_plot(page, &series, 1, "ms"));
    put(page->out, "<div class=\"more\" data-shown=\"20\">\n");
    table_open(page->out, "Pictures in their order", true, columns, COUNT_OF(columns));
    for (size_t i = 0; i < shown; i++) put_picture(page->out, &lines->items[i]);
    table_close(page->out);
    put(page->out, "</div>\n");
    if (shown < lines->count)
        put(page->out, "<p class=\"note\">%zu more pictures are left out here; --csv has all.</p>\n",
            lines->count - shown);
    section_close(page);
    return ST_OK;
}

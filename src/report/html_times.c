// Distributions of times: a row a series, each run a dot, a box of quartiles, whiskers from the 5th to the 95th per
// cent.
#include "report/parts.h"
#include <math.h>

enum { MOST_DOTS = 400, STRIP_HEIGHT = 30, ROW_HEIGHT = 54 }; // the dots, below them the box

// For attributes, where no markup may stand.
static void put_spoken(Text *out, double value) { text_add(out, "%.4g", value); }

// Dots of one value would hide each other: they are spread over the row's height, always in the same way (multiples of
// the golden section are spread evenly however many there are).
static double dot_place(size_t number) {
    const double part = (double)number * 0.6180339887498949;
    return 4 + (STRIP_HEIGHT - 8) * (part - floor(part));
}
static void put_dots(Text *out, const Scale *scale, const double *sorted, size_t count) {
    const size_t shown = MIN(count, (size_t)MOST_DOTS);
    put(out, "<g class=\"dots\">");
    for (size_t i = 0; i < shown; i++) {
        const double value = sorted[shown > 1 ? i * (count - 1) / (shown - 1) : 0];
        if (value > scale->high) continue;
        put(out, "<circle cx=\"%.2f%%\" cy=\"%.1f\" r=\"2\"/>", scale_at(scale, value), dot_place(i));
    }
    put(out, "</g>");
}
static void put_box(Text *out, const Scale *scale, const Spread *s) {
    const double low = scale_at(scale, s->q1), high = scale_at(scale, s->q3), middle = scale_at(scale, s->median);
    const int top = STRIP_HEIGHT + 4, bottom = ROW_HEIGHT - 6, centre = (top + bottom) / 2;
    put(out, "<line class=\"whisker\" x1=\"%.2f%%\" x2=\"%.2f%%\" y1=\"%d\" y2=\"%d\"/>", scale_at(scale, s->p5),
        scale_at(scale, s->p95), centre, centre);
    put(out, "<rect class=\"box\" x=\"%.2f%%\" width=\"%.2f%%\" y=\"%d\" height=\"%d\"/>", low, fmax(high - low, 0.15),
        top, bottom - top);
    put(out, "<line class=\"median\" x1=\"%.2f%%\" x2=\"%.2f%%\" y1=\"%d\" y2=\"%d\"/>", middle, middle, top - 2,
        bottom + 2);
}
static size_t beyond(const Series *series, double limit) {
    size_t count = 0;
    for (size_t i = 0; i < series->count; i++) count += series->values[i] > limit;
    return count;
}
static void put_series(Page *page, const Series *series, const Spread *s, const Scale *scale, const char *unit) {
    Text *out = page->out;
    put(out, "<div class=\"plot-row\"><div class=\"plot-label\"><b>%s</b><small>median ", series->name);
    put_rounded(out, s->median);
    put(out, " %s", unit);
    if (series->count > 1 && isfinite(s->cv)) put(out, ", CV %.1f %%", 100 * s->cv);
    put(out,
        ", n = %zu</small></div>\n<svg class=\"plot-area\" width=\"100%%\" height=\"%d\" role=\"img\" aria-label=\"%s: "
        "median ",
        series->count, ROW_HEIGHT, series->name);
    put_spoken(out, s->median);
    put(out, " %s, quartiles ", unit);
    put_spoken(out, s->q1);
    put(out, " and ");
    put_spoken(out, s->q3);
    put(out, "\">");
    svg_grid(out, scale, ROW_HEIGHT);
    put_box(out, scale, s);
    put_dots(out, scale, series->values, series->count);
    put(out, "</svg></div>\n");
}
static void put_beyond(Page *page, const Series *series, const Spread *s, const Scale *scale, const char *unit) {
    const size_t left = beyond(series, scale->high);
    if (!left) return;
    put(page->out, " %s: %zu of %zu lie beyond the right edge, up to ", series->name, left, series->count);
    put_rounded(page->out, s->max);
    put(page->out, " %s.", unit);
}
// A single run that something disturbed must not press all others together: the axis ends where the whiskers do, with
// as much again of the spread, if that leaves out only a few.
static Scale scale_of(const Spread *spreads, size_t count) {
    double low = INFINITY, high = -INFINITY, most = -INFINITY;
    for (size_t i = 0; i < count; i++) {
        low = fmin(low, spreads[i].min), most = fmax(most, spreads[i].max);
        high = fmax(high, spreads[i].p95 + 1.5 * (spreads[i].p95 - spreads[i].p5));
    }
    if (high >= most || !(high > low)) high = most;
    if (low > 0 && low < 0.35 * high) low = 0;
    return scale_make(low, high, 6);
}
Status times_plot(Page *page, Series *series, size_t count, const char *unit) {
    Arena *arena = &page->results->arena;
    Spread *spreads = arena_array(arena, count + 1, sizeof *spreads);
    if (!spreads) return fail_memory(count * sizeof *spreads);
    size_t kept = 0;
    bool cut = false;
    for (size_t i = 0; i < count; i++) {
        if (!series[i].count) continue;
        spread_of(series[i].values, series[i].count, &spreads[kept]);
        cut = cut || series[i].count > MOST_DOTS;
        series[kept++] = series[i];
    }
    if (!kept) return ST_OK;
    const Scale scale = scale_of(spreads, kept);
    put(page->out, "<figure class=\"plot\">\n");
    for (size_t i = 0; i < kept; i++) put_series(page, &series[i], &spreads[i], &scale, unit);
    put(page->out, "<div class=\"plot-row\"><div></div>");
    svg_axis(page->out, &scale, unit);
    put(page->out,
        "</div>\n<figcaption>Each dot is one run. Box: the middle half of the runs, with the median; line: from "
        "the 5th to the 95th per cent. CV: standard deviation / mean.");
    if (cut) put(page->out, " Of longer series %d dots are drawn, evenly chosen.", MOST_DOTS);
    for (size_t i = 0; i < kept; i++) put_beyond(page, &series[i], &spreads[i], &scale, unit);
    put(page->out, "</figcaption></figure>\n");
    return ST_OK;
}

// ---- the times of a result

static const char *name_of_model(const Result *result) {
    const char *model = text_of(result->root, "model");
    return model ? model : result->name;
}
static void put_bench_facts(Page *page, const Json *root) {
    static const struct {
        const char *key, *label;
    } facts[] = {{"min_ms", "fastest"},
                 {"p90_ms", "90 % within"},
                 {"p99_ms", "99 % within"},
                 {"open_ms", "opening the package"}};
    put(page->out, "<dl class=\"facts\">");
    for (size_t i = 0; i < COUNT_OF(facts); i++) {
        const double value = number_of(root, facts[i].key);
        if (isnan(value)) continue;
        put(page->out, "<div><dt>%s</dt><dd>", facts[i].label);
        put_ms(page->out, value);
        put(page->out, "</dd></div>");
    }
    if (!isnan(number_of(root, "peak_rss_mb")))
        put(page->out, "<div><dt>peak memory</dt><dd>%.0f\u00a0MB</dd></div>", number_of(root, "peak_rss_mb"));
    const double drift = number_of(root, "drift");
    if (!isnan(drift)) {
        put(page->out, "<div><dt>drift, first to last third</dt><dd>");
        if (drift > 1) put(page->out, "+");
        put_figure(page->out, 100 * (drift - 1), 1);
        put(page->out, "\u00a0%%</dd></div>");
    }
    put(page->out, "</dl>\n");
}
static void put_outliers(Page *page, const Json *root) {
    const Json *outliers = list_of(root, "outliers");
    if (!outliers) return;
    put(page->out, "<p class=\"note\">");
    put_plural(page->out, (double)outliers->count, "run", "runs");
    put(page->out, " took clearly longer than the others: ");
    for (size_t i = 0; i < outliers->count && i < 12; i++) {
        const Json *one = &outliers->items[i], *causes = list_of(one, "causes");
        put(page->out, "%sno. ", i ? "; " : "");
        put_figure(page->out, number_of(one, "run"), 0);
        put(page->out, " (");
        put_figure(page->out, 100 * number_of(one, "over"), 0);
        put(page->out, " %% over the median");
        for (size_t k = 0; causes && k < causes->count; k++) put(page->out, ", %s", causes->items[k].string);
        put(page->out, ")");
    }
    put(page->out, "%s</p>\n", outliers->count > 12 ? "; \u2026" : ".");
}
Status draw_times(Page *page, const Result *result) {
    Arena *arena = &page->results->arena;
    const bool bench = result->kind == KIND_BENCH;
    Series series[2] = {{.name = text_of(result->root, "versus")}, {.name = name_of_model(result)}}; // before, after
    TRY(numbers_of(result->root, "versus_ms", arena, &series[0].values, &series[0].count));
    TRY(numbers_of(result->root, bench ? "ms" : "times", arena, &series[1].values, &series[1].count));
    if (!series[1].count) return ST_OK;
    if (!series[0].name) series[0].name = "the other package";
    section_open(page, bench ? "Times" : "Time per case", result->name);
    TRY(times_plot(page, series, 2, "ms"));
    if (bench) put_bench_facts(page, result->root), put_outliers(page, result->root);
    section_close(page);
    return ST_OK;
}

// Layers as bars: how long each takes, which part of that this machine would need at its limit, and why it needs more.
#include "report/parts.h"
#include <math.h>
#include <stdlib.h>

static void put_bar_cell(Text *out, double value, double most, double limit, const char *unit) {
    put(out, "<td class=\"bar-cell\" data-v=\"");
    put_plain(out, value);
    put(out, "\"><div class=\"bar-box\"><span class=\"n\">");
    if (unit && (*unit == 'm' && unit[1] == 's' && !unit[2])) put_ms(out, value);
    else put_rounded(out, value), put(out, unit && *unit ? " %s" : "%s", unit ? unit : "");
    put(out, "</span>");
    svg_bar(out, most > 0 ? fmin(100, 100 * fmax(value, 0) / most) : 0, most > 0 && limit > 0 ? 100 * limit / most : 0);
    put(out, "</div></td>");
}
static void put_limit_cell(Text *out, double part) {
    put(out, "<td class=\"n\" data-v=\"");
    put_plain(out, part);
    put(out, "\">");
    put_figure(out, 100 * part, 0);
    put(out, isfinite(part) ? " %%</td>" : "</td>");
}
static void put_key_to_bars(Text *out) {
    put(out,
        "<ul class=\"legend\"><li><svg width=\"22\" height=\"12\" aria-hidden=\"true\"><rect class=\"bar-limit\" "
        "width=\"22\" "
        "height=\"11\" y=\"0.5\"/></svg> what the machine\u2019s limit (arithmetic or memory) would take</li><li><svg "
        "width=\"22\" height=\"12\" aria-hidden=\"true\"><rect class=\"bar-all\" width=\"22\" height=\"11\" "
        "y=\"0.5\"/></svg> what is left above it; the reason stands on the right</li></ul>\n");
}
void bars_plot(Page *page, const Bar *bars, size_t count, const char *unit) {
    static const Column columns[] = {{"what", NULL, COLUMN_WORDS},
                                     {"value", NULL, COLUMN_BARS},
                                     {"of the limit", NULL, COLUMN_FIGURES},
                                     {"why", NULL, COLUMN_OTHER}};
    Text *out = page->out;
    double most = 0;
    bool limited = false;
    for (size_t i = 0; i < count; i++) most = fmax(most, bars[i].value), limited = limited || isfinite(bars[i].limit);
    if (limited) put_key_to_bars(out);
    table_open(out, "Bars: the whole value, and in it the part that the machine's limit would take", true, columns,
               COUNT_OF(columns));
    for (size_t i = 0; i < count; i++) {
        const Bar *bar = &bars[i];
        row_open(out, bar->name);
        put_bar_cell(out, bar->value, most, bar->limit, unit);
        put_limit_cell(out, bar->value > 0 ? bar->limit / bar->value : (double)NAN);
        put(out, "<td class=\"why\">%s</td></tr>\n", bar->text ? bar->text : "");
    }
    table_close(out);
}

// ---- profile

static int compare_layers(const void *a, const void *b) {
    const Json *x = *(const Json *const *)a, *y = *(const Json *const *)b;
    const double p = number_of(x, "ms"), q = number_of(y, "ms");
    if (p != q && !(isnan(p) && isnan(q))) return isnan(p) || p < q ? 1 : -1;
    return (x > y) - (x < y);
}
static Status slowest_first(const Json *layers, Arena *arena, const Json ***out) {
    *out = arena_array(arena, layers->count, sizeof **out);
    if (!*out) return fail_memory(layers->count * sizeof **out);
    for (size_t i = 0; i < layers->count; i++) (*out)[i] = &layers->items[i];
    qsort(*out, layers->count, sizeof **out, compare_layers);
    return ST_OK;
}
// What the layers would take together if each ran at its limit.
static double sum_at_limit(const Json *layers) {
    double sum = 0;
    for (size_t i = 0; i < layers->count; i++) {
        const double at_limit = number_of(&layers->items[i], "ms") * number_of(&layers->items[i], "part_of_limit");
        sum += isfinite(at_limit) ? at_limit : 0;
    }
    return sum;
}
static void put_sentence(Page *page, const Json *root, const Json *const *sorted, size_t count) {
    Text *out = page->out;
    const double sum = number_of(root, "sum_ms"), flop = number_of(root, "flop"),
                 limit = sum_at_limit(json_get(root, "layers"));
    double first = 0;
    size_t half = 0;
    while (half < count && first < sum / 2) first += fmax(0, number_of(sorted[half++], "ms"));
    put(out, "<p>");
    put_plural(out, (double)count, "step takes", "steps take");
    put(out, " ");
    put_ms(out, sum);
    put(out, " together");
    if (flop > 0 && sum > 0) {
        put(out, ", %.1f GFLOP at ", flop * 1e-9);
        put_figure(out, flop * 1e-6 / sum, 0);
        put(out, " GFLOP/s");
    }
    if (half && half < count) put(out, "; the slowest %zu take half of it", half);
    if (sum > 0) put(out, ". At the limits of this machine they would take %.0f %% of that time", 100 * limit / sum);
    put(out, ".</p>\n");
}
static void put_layer(Text *out, const Json *layer, size_t number, double most) {
    const double ms = number_of(layer, "ms"), part = number_of(layer, "part_of_limit");
    const char *op = text_of(layer, "op"), *shape = text_of(layer, "shape"), *solver = text_of(layer, "solver"),
               *configuration = text_of(layer, "configuration");
    put(out, "<tr><td class=\"n\" data-v=\"%zu\">%zu</td><th scope=\"row\">%s", number, number,
        op ? op : text_of(layer, "name"));
    if (shape) put(out, " <small>%s</small>", shape);
    put(out, "<small class=\"detail\">");
    put_name(out, text_of(layer, "name"));
    put(out, "</small></th>");
    put_bar_cell(out, ms, most, ms * part, "ms");
    put_limit_cell(out, part);
    cell_figure(out, number_of(layer, "gflops"), 0);
    put(out, "<td class=\"why\">");
    if (flag_of(layer, "fallback")) put(out, "<b class=\"bad\">\u26a0 reference path</b> ");
    put(out, "%s", text_of(layer, "why") ? text_of(layer, "why") : "");
    if (solver)
        put(out, "<small class=\"detail\">%s%s%s</small>", solver, configuration && *configuration ? ": " : "",
            configuration ? configuration : "");
    put(out, "</td></tr>\n");
}

// ---- profile --versus

static void put_change(Text *out, double ms) {
    if (ms > 0) put(out, "+");
    put_ms(out, ms);
}
static void put_side(Text *out, const char *what, const Json *of, const Json *machine) {
    put(out, "<p><b>%s</b>: ", what);
    put_ms(out, number_of(of, "sum_ms"));
    const char *isa = text_of(machine, "isa"), *cpu = text_of(machine, "cpu");
    if (isa) put(out, ", %s", isa);
    if (!isnan(number_of(machine, "threads"))) {
        put(out, ", ");
        put_plural(out, number_of(machine, "threads"), "thread", "threads");
    }
    if (cpu) put(out, ", %s", cpu);
    put(out, "</p>\n");
}
static void put_causes(Page *page, const Json *causes) {
    static const Column columns[] = {
        {"cause", NULL, COLUMN_WORDS}, {"difference", NULL, COLUMN_FIGURES}, {"layers", NULL, COLUMN_FIGURES}};
    table_open(page->out, "What the difference is put down to", true, columns, COUNT_OF(columns));
    for (size_t i = 0; i < causes->count; i++) {
        const Json *cause = &causes->items[i], *names = list_of(cause, "layers");
        const char *why = text_of(cause, "why");
        row_open(page->out, why ? why : text_of(cause, "cause"));
        put(page->out, "<td class=\"n\" data-v=\"");
        put_plain(page->out, number_of(cause, "ms"));
        put(page->out, "\">");
        put_change(page->out, number_of(cause, "ms"));
        put(page->out, "</td>");
        cell_figure(page->out, names ? (double)names->count : 0, 0);
        row_close(page->out);
    }
    table_close(page->out);
}
static void put_versus_layers(Page *page, const Json *layers) {
    static const Column columns[] = {{"layer", NULL, COLUMN_WORDS},
                                     {"this", "ms", COLUMN_FIGURES},
                                     {"other", "ms", COLUMN_FIGURES},
                                     {"this / other", NULL, COLUMN_FIGURES},
                                     {"why", NULL, COLUMN_OTHER}};
    put(page->out, "<div class=\"more\" data-shown=\"10\">\n");
    table_open(page->out, "Layers side by side", true, columns, COUNT_OF(columns));
    for (size_t i = 0; i < layers->count; i++) {
        const Json *layer = &layers->items[i];
        row_open(page->out, text_of(layer, "name"));
        cell_figure(page->out, number_of(layer, "ms"), 2);
        cell_figure(page->out, number_of(layer, "versus_ms"), 2);
        cell_figure(page->out, number_of(layer, "ratio"), 2);
        cell_text(page->out, text_of(layer, "why"));
        row_close(page->out);
    }
    table_close(page->out);
    put(page->out, "</div>\n");
}
static Status draw_versus(Page *page, const Result *result) {
    const Json *versus = json_get(result->root, "versus"), *causes = list_of(versus, "causes"),
               *layers = list_of(versus, "layers");
    if (!versus || (!causes && !layers)) return ST_OK;
    section_open(page, "Where the difference comes from", result->name);
    put_side(page->out, "This", result->root, json_get(result->root, "machine"));
    put_side(page->out, text_of(versus, "file") ? text_of(versus, "file") : "Other", versus, versus);
    if (causes) put_causes(page, causes);
    if (layers) put_versus_layers(page, layers);
    section_close(page);
    return ST_OK;
}

Status draw_profile(Page *page, const Result *result) {
    static const Column columns[] = {{"No.", NULL, COLUMN_FIGURES},     {"layer", NULL, COLUMN_WORDS},
                                     {"time", NULL, COLUMN_BARS},       {"of the limit", NULL, COLUMN_FIGURES},
                                     {"GFLOP/s", NULL, COLUMN_FIGURES}, {"why", NULL, COLUMN_OTHER}};
    const Json *layers = list_of(result->root, "layers"), **sorted;
    if (!layers) return ST_OK;
    TRY(slowest_first(layers, &page->results->arena, &sorted));
    section_open(page, "Where the time goes", result->name);
    put_sentence(page, result->root, sorted, layers->count);
    put_key_to_bars(page->out);
    put(page->out, "<div class=\"more\" data-shown=\"12\">\n");
    table_open(page->out, "Layers, the slowest first; No. is the place in the network", true, columns,
               COUNT_OF(columns));
    const double most = number_of(sorted[0], "ms");
    for (size_t i = 0; i < layers->count; i++)
        put_layer(page->out, sorted[i], (size_t)(sorted[i] - layers->items) + 1, most);
    table_close(page->out);
    put(page->out, "</div>\n");
    section_close(page);
    return draw_versus(page, result);
}

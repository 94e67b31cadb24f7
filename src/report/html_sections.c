// A page of sections: titles, paragraphs, tables, distributions and bars that another program put together.
#include "report/parts.h"
#include <math.h>
#include <string.h>

// ---- table

static int digits_of(const Json *column) {
    const double digits = number_of(column, "digits");
    return digits >= 0 && digits <= 12 ? (int)digits : -1;
}
static void put_number(Text *out, double value, int digits) {
    if (digits >= 0) put_figure(out, value, digits);
    else put_rounded(out, value);
}
static int digits_of_interval(const Json *cell, int digits) {
    if (digits >= 0) return digits;
    const double width = number_of(cell, "high") - number_of(cell, "low");
    return width > 0 ? (int)fmin(9, fmax(0, ceil(1 - log10(width)))) : 3; // two figures of the width
}
static const char *class_of_tone(const char *tone) {
    static const char *const tones[] = {"good", "bad", "muted"};
    for (size_t i = 0; tone && i < COUNT_OF(tones); i++)
        if (!strcmp(tones[i], tone)) return tones[i];
    return "plain";
}
static void put_object_cell(Text *out, const Json *cell, int digits, bool right) {
    const char *text = text_of(cell, "text"), *tone = text_of(cell, "tone");
    if (!text) {
        cell_estimate(out, (Estimate){number_of(cell, "value"), number_of(cell, "low"), number_of(cell, "high")},
                      digits_of_interval(cell, digits));
        return;
    }
    put(out, "<td class=\"%s %s\">%s</td>", right ? "n" : "t", class_of_tone(tone), text);
}
// Sentences get room, so that they do not make a tall column of a few letters' width.
static void put_words(Text *out, const char *words, bool right) {
    enum { SENTENCE = 48 };
    put(out, "<td class=\"%s\">", right ? "n" : strlen(words) > SENTENCE && strchr(words, ' ') ? "why" : "t");
    put_name(out, words);
    put(out, "</td>");
}
static void put_cell(Text *out, const Json *cell, const Json *column) {
    const int digits = digits_of(column);
    const char *align = text_of(column, "align");
    const bool right = align && !strcmp(align, "right");
    if (cell && cell->type == JSON_OBJECT) put_object_cell(out, cell, digits, right);
    else if (cell && cell->type == JSON_STRING) put_words(out, cell->string, right);
    else {
        const double value = cell && cell->type == JSON_NUMBER ? cell->number : (double)NAN;
        put(out, "<td class=\"n\" data-v=\"");
        put_plain(out, value);
        put(out, "\">");
        put_number(out, value, digits);
        put(out, "</td>");
    }
}
// Right where it is said; else where the first row that has something has a figure.
static bool is_right(const Json *table, size_t c) {
    const char *align = text_of(&json_get(table, "columns")->items[c], "align");
    const Json *rows = list_of(table, "rows");
    if (align) return !strcmp(align, "right");
    for (size_t i = 0; rows && i < rows->count; i++) {
        const Json *cell = c < rows->items[i].count ? &rows->items[i].items[c] : NULL;
        if (!cell || cell->type == JSON_NULL) continue;
        return cell->type == JSON_NUMBER || (cell->type == JSON_OBJECT && !text_of(cell, "text"));
    }
    return false;
}
static Status put_table(Page *page, const Json *table, const char *title) {
    const Json *columns = list_of(table, "columns"), *rows = list_of(table, "rows");
    if (!columns) return ST_OK;
    Column *heads = arena_array(&page->results->arena, columns->count, sizeof *heads);
    if (!heads) return fail_memory(columns->count * sizeof *heads);
    for (size_t c = 0; c < columns->count; c++)
        heads[c] = (Column){text_of(&columns->items[c], "name"), text_of(&columns->items[c], "unit"),
                            is_right(table, c) ? COLUMN_FIGURES : COLUMN_WORDS};
    table_open_named(page->out, title ? title : "Table", rows && rows->count > 8, heads, columns->count);
    for (size_t i = 0; rows && i < rows->count; i++) {
        const Json *row = &rows->items[i];
        put(page->out, "<tr>");
        for (size_t c = 0; c < columns->count; c++)
            put_cell(page->out, c < row->count ? &row->items[c] : NULL, &columns->items[c]);
        row_close(page->out);
    }
    table_close(page->out);
    if (text_of(table, "note")) put(page->out, "<p class=\"note\">%s</p>\n", text_of(table, "note"));
    return ST_OK;
}

// ---- plots

// Series of one unit share a plot.
static Status put_series(Page *page, const Json *list) {
    Arena *arena = &page->results->arena;
    Series *series = arena_array(arena, list->count, sizeof *series);
    bool *done = arena_array(arena, list->count, sizeof *done);
    if (!series || !done) return fail_memory(list->count * sizeof *series);
    for (size_t first = 0; first < list->count; first++) {
        const char *unit = text_of(&list->items[first], "unit");
        size_t count = 0;
        for (size_t i = first; i < list->count; i++) {
            const Json *one = &list->items[i];
            const char *own = text_of(one, "unit");
            if (done[i] || strcmp(own ? own : "", unit ? unit : "") != 0) continue;
            done[i] = true;
            series[count].name = text_of(one, "name");
            TRY(numbers_of(one, "values", arena, &series[count].values, &series[count].count));
            count++;
        }
        if (count) TRY(times_plot(page, series, count, unit ? unit : ""));
    }
    return ST_OK;
}
static Status put_bars(Page *page, const Json *list, const char *unit) {
    Bar *bars = arena_array(&page->results->arena, list->count, sizeof *bars);
    if (!bars) return fail_memory(list->count * sizeof *bars);
    for (size_t i = 0; i < list->count; i++) {
        const Json *one = &list->items[i];
        bars[i] = (Bar){text_of(one, "name"), text_of(one, "text"), number_of(one, "value"), number_of(one, "limit")};
    }
    bars_plot(page, bars, list->count, unit);
    return ST_OK;
}

// ---- sections

static Status put_included(Page *page, const char *verb) {
    ResultKind kind;
    if (!kind_of_verb(verb, &kind) || kind == KIND_PAGE) return ST_OK;
    for (size_t i = 0; i < page->results->count; i++)
        if (page->results->items[i].kind == kind) TRY(draw_result(page, &page->results->items[i]));
    return ST_OK;
}
static Status put_section(Page *page, const Json *section, const char *source) {
    const Json *paragraphs = list_of(section, "text"), *table = json_get(section, "table"),
               *series = list_of(section, "series"), *bars = list_of(section, "bars");
    const char *title = text_of(section, "title"), *include = text_of(section, "include");
    if (title || paragraphs || series || bars || list_of(table, "columns")) {
        section_open(page, title ? title : "Section", source);
        for (size_t i = 0; paragraphs && i < paragraphs->count; i++)
            put(page->out, "<p>%s</p>\n", paragraphs->items[i].string);
        TRY(put_table(page, table, title));
        if (series) TRY(put_series(page, series));
        if (bars) TRY(put_bars(page, bars, text_of(section, "bar_unit")));
        section_close(page);
    }
    return include ? put_included(page, include) : ST_OK;
}
Status draw_page_sections(Page *page, const Result *result) {
    const Json *sections = list_of(result->root, "sections");
    for (size_t i = 0; sections && i < sections->count; i++) TRY(put_section(page, &sections->items[i], result->name));
    return ST_OK;
}

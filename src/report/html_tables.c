// Sections and tables. In a table that can be sorted each figure's cell carries its value for the script.
#include "report/parts.h"
#include <math.h>
#include <string.h>

void section_open(Page *page, const char *title, const char *source) {
    const int number = ++page->sections;
    put(&page->contents, "<li><a href=\"#s%d\">%s</a>", number, title);
    if (source && page->twin) put(&page->contents, " <span class=\"source\">%s</span>", source);
    put(&page->contents, "</li>\n");
    put(page->out, "<section id=\"s%d\" aria-labelledby=\"h%d\">\n<h2 id=\"h%d\">%s", number, number, number, title);
    if (source && page->named) put(page->out, " <span class=\"source\">%s</span>", source);
    put(page->out, "</h2>\n");
}
void section_close(Page *page) { put(page->out, "</section>\n"); }
void subsection(Page *page, const char *title) { put(page->out, "<h3>%s</h3>\n", title); }

static void put_head(Text *out, const Column *column) {
    static const char *const sorts[] = {"text", "figure", "figure", "none"};
    put(out, "<th scope=\"col\" class=\"%s\" data-sort=\"%s\">%s", column->kind == COLUMN_FIGURES ? "n" : "t",
        sorts[column->kind], column->name);
    if (column->unit && *column->unit) put(out, " <small>%s</small>", column->unit);
    put(out, "</th>");
}
// Few columns stay close together; of many, intervals stand below their values.
static const char *class_of_width(size_t columns) { return columns <= 4 ? "small" : columns >= 8 ? "wide" : "middle"; }
void table_open_named(Text *out, const char *name, bool sortable, const Column *columns, size_t count) {
    put(out,
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"%s\">\n"
        "<table class=\"%s %s\" aria-label=\"%s\">\n<thead><tr>",
        name, sortable ? "sortable" : "fixed", class_of_width(count), name);
    for (size_t i = 0; i < count; i++) put_head(out, &columns[i]);
    put(out, "</tr></thead>\n<tbody>\n");
}
void table_open(Text *out, const char *caption, bool sortable, const Column *columns, size_t count) {
    put(out, "<p class=\"caption\">%s</p>\n", caption);
    table_open_named(out, caption, sortable, columns, count);
}
void table_close(Text *out) { put(out, "</tbody></table></div>\n"); }

void row_open(Text *out, const char *heading) {
    put(out, "<tr><th scope=\"row\">");
    put_name(out, heading ? heading : "\u2013");
    put(out, "</th>");
}
void row_close(Text *out) { put(out, "</tr>\n"); }
void cell_text(Text *out, const char *text) { put(out, "<td>%s</td>", text ? text : "\u2013"); }
void cell_open(Text *out) { put(out, "<td>"); }
void cell_close(Text *out) { put(out, "</td>"); }

static void figure_open(Text *out, double value) {
    put(out, "<td class=\"n\" data-v=\"");
    put_plain(out, value);
    put(out, "\">");
}
void cell_figure(Text *out, double value, int digits) {
    figure_open(out, value);
    put_figure(out, value, digits);
    cell_close(out);
}
void cell_estimate(Text *out, Estimate estimate, int digits) {
    figure_open(out, estimate.value);
    put_estimate(out, estimate, digits);
    cell_close(out);
}

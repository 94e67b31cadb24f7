// How it was measured: the machine and the network of each result, and what was taken for granted.
#include "report/parts.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static void put_short_hash(Text *out, const char *hash) {
    char first[13];
    snprintf(first, sizeof first, "%s", hash ? hash : "");
    if (hash && !utf8_valid(first, strlen(first))) first[0] = 0; // no hash at all, and cut inside a character
    put(out, "<td>");
    if (first[0]) put(out, "<code title=\"%s\">%s\u2026</code>", hash, first);
    else put(out, "\u2013");
    put(out, "</td>");
}
static void put_result_row(Text *out, const Result *result) {
    const Json *root = result->kind == KIND_PICTURES ? &result->root->items[0] : result->root,
               *machine = json_get(root, "machine");
    row_open(out, result->name);
    cell_text(out, kind_verb(result->kind));
    cell_text(out, text_of(root, "model"));
    put_short_hash(out, text_of(root, "content_hash"));
    cell_text(out, text_of(root, "precision"));
    cell_text(out, text_of(root, "plan"));
    cell_text(out, text_of(machine, "cpu"));
    cell_text(out, text_of(machine, "isa"));
    cell_figure(out, number_of(machine, "threads"), 0);
    cell_text(out, text_of(root, "stent"));
    row_close(out);
}
static void put_results(Page *page) {
    static const Column columns[] = {{"file", NULL, COLUMN_WORDS},      {"verb", NULL, COLUMN_WORDS},
                                     {"network", NULL, COLUMN_WORDS},   {"content", NULL, COLUMN_WORDS},
                                     {"precision", NULL, COLUMN_WORDS}, {"plan", NULL, COLUMN_WORDS},
                                     {"processor", NULL, COLUMN_WORDS}, {"instructions", NULL, COLUMN_WORDS},
                                     {"threads", NULL, COLUMN_FIGURES}, {"stent", NULL, COLUMN_WORDS}};
    table_open(page->out, "What each part of this page was made of", false, columns, COUNT_OF(columns));
    for (size_t i = 0; i < page->results->count; i++) put_result_row(page->out, &page->results->items[i]);
    table_close(page->out);
}

// ---- machine

static void put_size(Text *out, const char *label, double bytes) {
    if (!(bytes > 0)) return;
    const bool large = bytes >= 1e9, middle = bytes >= 1 << 20;
    put(out, "<div><dt>%s</dt><dd>", label);
    put_figure(out, large ? bytes / (1 << 30) : middle ? bytes / (1 << 20) : bytes / 1024, large ? 1 : 0);
    put(out, " %s</dd></div>", large ? "GiB" : middle ? "MiB" : "KiB");
}
static void put_rate(Text *out, const char *label, double rate) {
    if (isnan(rate)) return;
    put(out, "<div><dt>%s</dt><dd>", label);
    put_figure(out, rate, 0);
    put(out, " GB/s</dd></div>");
}
static void put_peaks(Text *out, const Json *peaks) {
    static const Column columns[] = {{"instruction set", NULL, COLUMN_WORDS},
                                     {"one thread", "GFLOP/s", COLUMN_FIGURES},
                                     {"all threads", "GFLOP/s", COLUMN_FIGURES}};
    if (!peaks) return;
    table_open(out, "Measured peak of fp32 multiply-adds", false, columns, COUNT_OF(columns));
    for (size_t i = 0; i < peaks->count; i++) {
        row_open(out, text_of(&peaks->items[i], "isa"));
        cell_figure(out, number_of(&peaks->items[i], "gflops_one_thread"), 0);
        cell_figure(out, number_of(&peaks->items[i], "gflops"), 0);
        row_close(out);
    }
    table_close(out);
}
static void put_machine(Page *page, const Json *root) {
    Text *out = page->out;
    const char *cpu = text_of(json_get(root, "machine"), "cpu"), *best = text_of(root, "best_isa");
    put(out, "<dl class=\"facts\">");
    if (cpu) put(out, "<div><dt>processor</dt><dd>%s</dd></div>", cpu);
    if (best) put(out, "<div><dt>best instruction set</dt><dd>%s</dd></div>", best);
    if (!isnan(number_of(root, "cores"))) put(out, "<div><dt>cores</dt><dd>%.0f</dd></div>", number_of(root, "cores"));
    put_size(out, "L1 data", number_of(root, "l1d_bytes")), put_size(out, "L2", number_of(root, "l2_bytes"));
    put_size(out, "L3", number_of(root, "l3_bytes")), put_size(out, "memory", number_of(root, "memory_bytes"));
    put_rate(out, "L2, measured", number_of(root, "l2_gbytes")),
        put_rate(out, "L3, measured", number_of(root, "l3_gbytes"));
    put_rate(out, "memory, measured", number_of(root, "memory_gbytes"));
    put(out, "</dl>\n");
    put_peaks(out, list_of(root, "peaks"));
}
// Whatever a page says of its machine.
static void put_scalars(Text *out, const Json *object) {
    if (!object || !object->count) return;
    put(out, "<dl class=\"facts\">");
    for (size_t i = 0; i < object->count; i++) {
        const Json *value = &object->items[i];
        put(out, "<div><dt>%s</dt><dd>", object->keys[i]);
        if (value->type == JSON_NUMBER) put_rounded(out, value->number);
        else if (value->type == JSON_BOOL) put(out, value->boolean ? "yes" : "no");
        else put(out, "%s", value->type == JSON_STRING ? value->string : "\u2013");
        put(out, "</dd></div>");
    }
    put(out, "</dl>\n");
}

// ---- assumed

static bool said_before(const Results *results, size_t result, size_t item) {
    const char *text = json_get(results->items[result].root, "assumed")->items[item].string;
    for (size_t i = 0; i <= result; i++) {
        const Json *list = list_of(results->items[i].root, "assumed");
        for (size_t k = 0; list && k < (i == result ? item : list->count); k++)
            if (!strcmp(list->items[k].string, text)) return true;
    }
    return false;
}
static void put_assumed(Page *page) {
    const Results *results = page->results;
    bool begun = false;
    for (size_t i = 0; i < results->count; i++) {
        const Json *list = list_of(results->items[i].root, "assumed");
        for (size_t k = 0; list && k < list->count; k++) {
            if (said_before(results, i, k)) continue;
            if (!begun) section_open(page, "What was assumed", NULL), put(page->out, "<ul>\n");
            begun = true;
            put(page->out, "<li>%s</li>\n", list->items[k].string);
        }
    }
    if (begun) put(page->out, "</ul>\n"), section_close(page);
}
Status draw_method(Page *page) {
    put_assumed(page);
    section_open(page, "Machine and method", NULL);
    for (size_t i = 0; i < page->results->count; i++) {
        const Result *result = &page->results->items[i];
        if (result->kind == KIND_MACHINE) put_machine(page, result->root);
        if (result->kind == KIND_PAGE) put_scalars(page->out, json_get(result->root, "machine"));
    }
    put_results(page);
    put(page->out, "<p class=\"note\">Times are from input tensor to output tensor. Nothing on this page was fetched "
                   "from anywhere, and nothing is sent.</p>\n");
    section_close(page);
    return ST_OK;
}

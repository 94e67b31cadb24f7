// The page: title with the answer, contents, sections in the order in which a reader asks, style and script.
#include "base/hash.h"
#include "report/parts.h"
#include <math.h>
#include <string.h>

// ---- sections of a result

static DrawSection *const sections_of[KINDS][9] = {
    [KIND_EVAL] = {draw_eval, draw_compare, draw_patients, draw_slices, draw_times, draw_faults, draw_conventions},
    [KIND_BENCH] = {draw_before_after, draw_times},
    [KIND_PROFILE] = {draw_profile},
    [KIND_VERIFY] = {draw_verify},
    [KIND_TUNE] = {draw_before_after, draw_tune},
    [KIND_SEGMENT] = {draw_segment},
    [KIND_PICTURES] = {draw_pictures},
    [KIND_PAGE] = {draw_page_sections},
};
Status draw_result(Page *page, Result *result) {
    if (result->drawn) return ST_OK;
    result->drawn = true;
    const bool outer = page->twin;
    page->twin = results_of_kind(page->results, result->kind) > 1;
    for (size_t i = 0; i < COUNT_OF(sections_of[0]) && sections_of[result->kind][i]; i++)
        TRY(sections_of[result->kind][i](page, result));
    page->twin = outer;
    return ST_OK;
}
static Status draw_all(Page *page) {
    // Pages first: they say where the others stand. Then what answers first.
    static const ResultKind order[] = {KIND_PAGE, KIND_BENCH,   KIND_VERIFY,   KIND_EVAL,   KIND_PROFILE,
                                       KIND_TUNE, KIND_SEGMENT, KIND_PICTURES, KIND_MACHINE};
    for (size_t k = 0; k < COUNT_OF(order); k++) {
        if (order[k] == KIND_EVAL) draw_networks(page);
        for (size_t i = 0; i < page->results->count; i++)
            if (page->results->items[i].kind == order[k]) TRY(draw_result(page, &page->results->items[i]));
    }
    return draw_method(page);
}

// ---- head and title

// 'sha256-...' of what stands between the tags: the browser runs this script and this style, and no other.
static void put_hash_source(Text *out, Asset asset) {
    uint8_t digest[32];
    Sha256 sha;
    sha256_begin(&sha);
    sha256_add(&sha, asset.begin, (size_t)(asset.end - asset.begin));
    sha256_end(&sha, digest);
    text_add(out, "'sha256-");
    text_base64(out, digest, sizeof digest);
    text_add(out, "'");
}
static void put_asset(Text *out, const char *tag, Asset asset) {
    text_add(out, "<%s>", tag);
    text_bytes(out, asset.begin, (size_t)(asset.end - asset.begin));
    text_add(out, "</%s>\n", tag);
}
static void put_head(Text *out, const char *title) {
    put(out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
             "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; style-src ");
    put_hash_source(out, asset_style());
    put(out, "; script-src ");
    put_hash_source(out, asset_script());
    put(out,
        "; base-uri 'none'; form-action 'none'\">\n<meta name=\"viewport\" content=\"width=device-width, "
        "initial-scale=1\">\n"
        "<meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"referrer\" content=\"no-referrer\">\n"
        "<meta name=\"generator\" content=\"stent %s\">\n<title>%s</title>\n",
        STENT_VERSION, title);
    put_asset(out, "style", asset_style());
    put(out, "</head>\n<body>\n");
}
static const Json *first_root(const Results *results) {
    const Json *root = results->items[0].root;
    return results->items[0].kind == KIND_PICTURES ? &root->items[0] : root;
}
static void put_part(Text *out, const char *text, bool *begun) {
    if (!text || !*text) return;
    put(out, *begun ? " \u00b7 %s" : "%s", text);
    *begun = true;
}
// Network, machine and date, as the first result has them.
static void put_subject(Text *out, const Results *results) {
    const Json *root = first_root(results), *machine = json_get(root, "machine");
    const double threads = number_of(machine, "threads");
    bool begun = false;
    put(out, "<p class=\"subject\">");
    put_part(out, text_of(root, "model"), &begun);
    put_part(out, text_of(root, "dataset"), &begun);
    put_part(out, text_of(machine, "cpu"), &begun);
    put_part(out, text_of(machine, "isa"), &begun);
    if (!isnan(threads)) put(out, begun ? " \u00b7 " : ""), put_plural(out, threads, "thread", "threads"), begun = true;
    put_part(out, text_of(root, "precision"), &begun);
    put_part(out, text_of(root, "date"), &begun);
    put(out, "</p>\n");
}
static void put_theme_switch(Text *out) {
    static const struct {
        const char *value, *label;
    } themes[] = {{"auto", "as the system"}, {"light", "light"}, {"dark", "dark"}};
    put(out, "<fieldset class=\"theme\" hidden><legend>Colours</legend>");
    for (size_t i = 0; i < COUNT_OF(themes); i++) {
        put(out, "<label><input type=\"radio\" name=\"theme\" value=\"%s\"", themes[i].value);
        put(out, i ? "" : " checked");
        put(out, "><span>%s</span></label>", themes[i].label);
    }
    put(out, "</fieldset>\n");
}
typedef struct Heading {
    Text answer;
    const char *title, *below; // below: NULL for nothing
} Heading;
static void heading_of(const Results *results, const ReportOptions *options, Heading *out) {
    const Result *page = results_first(results, KIND_PAGE);
    const char *own = page ? text_of(page->root, "title") : NULL;
    answer_line(results, &out->answer);
    const char *answer = out->answer.length ? text_get(&out->answer) : NULL;
    if (options && options->title) own = options->title;
    out->title = own ? own : answer ? answer : "Report";
    out->below = page && text_of(page->root, "subtitle") ? text_of(page->root, "subtitle") : own ? answer : NULL;
}
// Lines break between the parts of the answer rather than inside them.
static void put_phrases(Text *out, const char *text) {
    char phrase[512];
    for (const char *end; (end = strstr(text, "; ")) != NULL && (size_t)(end - text) < sizeof phrase; text = end + 2) {
        memcpy(phrase, text, (size_t)(end - text));
        phrase[end - text] = 0;
        put(out, "<span class=\"phrase\">%s;</span> ", phrase);
    }
    put(out, "<span class=\"phrase\">%s</span>", text);
}
static void put_heading(Text *out, const Results *results, const Heading *heading) {
    put(out, "<header class=\"title\">\n<div class=\"top\"><p class=\"brand\">stent report</p>\n");
    put_theme_switch(out);
    put(out, "</div>\n<h1>");
    put_phrases(out, heading->title);
    put(out, "</h1>\n");
    if (heading->below) put(out, "<p class=\"lede\">%s</p>\n", heading->below);
    put_subject(out, results);
    answer_figures(results, out);
    put(out, "</header>\n");
}

static Status draw(Results *results, const ReportOptions *options, Text *out) {
    Text body = {0};
    Heading heading = {{0}, NULL, NULL};
    Page page = {.out = &body, .results = results, .named = results->count > 1};
    heading_of(results, options, &heading);
    put_head(out, heading.title);
    put_heading(out, results, &heading);
    Status status = draw_all(&page);
    put(out, "<nav aria-label=\"Contents\"><ol>\n");
    text_bytes(out, text_get(&page.contents), page.contents.length);
    put(out, "</ol></nav>\n<main>\n");
    text_bytes(out, text_get(&body), body.length);
    put(out, "</main>\n<footer>Made by stent %s from ", STENT_VERSION);
    put_plural(out, (double)results->count, "result", "results");
    put(out,
        "; no part of it comes from a network. Stent is not a medical device: masks are no findings until a person "
        "with the training for it has looked at them.</footer>\n");
    put_asset(out, "script", asset_script());
    put(out, "</body>\n</html>\n");
    if (status == ST_OK) status = text_status(&body);
    if (status == ST_OK) status = text_status(&page.contents);
    if (status == ST_OK) status = text_status(&heading.answer);
    text_free(&body), text_free(&page.contents), text_free(&heading.answer);
    return status == ST_OK ? text_status(out) : status;
}
Status report_html(const ReportInput *inputs, size_t count, const ReportOptions *options, Text *out) {
    Results results;
    FAIL_IF(!count, ST_USAGE, "expected at least one result, got none");
    const PlainLocale locale = enter_plain_locale();
    Status status = results_parse(inputs, count, &results);
    if (status == ST_OK) {
        status = draw(&results, options, out);
        results_drop(&results);
    }
    leave_plain_locale(locale);
    return status;
}

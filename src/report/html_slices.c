// Slices with truth and mask as outlines. Without the script, and in print, all stand below each other; the script
// makes a viewer of them: a patient, a slider, switches. The patient with the worst slice comes first, and in each the
// worst.
#include "report/parts.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct Slice {
    const Json *json;
    const char *patient;
    double dice;
    double rank;  // of its patient: its Dice; where that is not known, the one of its worst slice
    size_t place; // in the input
} Slice;

static double known(double dice) { return isnan(dice) ? 2 : dice; } // what is not known comes last

static int by_patient(const void *a, const void *b) {
    const Slice *x = a, *y = b;
    const int order = strcmp(x->patient, y->patient);
    if (order) return order;
    if (x->dice != y->dice) return x->dice < y->dice ? -1 : 1;
    return (x->place > y->place) - (x->place < y->place);
}
static int worst_first(const void *a, const void *b) {
    const Slice *x = a, *y = b;
    if (x->rank != y->rank) return x->rank < y->rank ? -1 : 1;
    return by_patient(a, b);
}
static double dice_of_patient(const Json *root, const char *patient) {
    const Json *list = list_of(root, "per_patient");
    for (size_t i = 0; list && i < list->count; i++)
        if (!strcmp(text_of(&list->items[i], "patient"), patient)) return number_of(&list->items[i], "dice_pooled");
    return (double)NAN;
}
static Status order(const Json *root, Arena *arena, Slice **out) {
    const Json *list = list_of(root, "slices");
    Slice *slices = arena_array(arena, list->count, sizeof *slices);
    if (!slices) return fail_memory(list->count * sizeof *slices);
    for (size_t i = 0; i < list->count; i++) {
        const Json *one = &list->items[i];
        slices[i] =
            (Slice){.json = one, .patient = text_of(one, "patient"), .dice = known(number_of(one, "dice")), .place = i};
    }
    qsort(slices, list->count, sizeof *slices, by_patient);
    for (size_t i = 0; i < list->count; i++) {
        const bool first = !i || strcmp(slices[i].patient, slices[i - 1].patient) != 0;
        slices[i].rank = first ? dice_of_patient(root, slices[i].patient) : slices[i - 1].rank;
        if (isnan(slices[i].rank)) slices[i].rank = slices[i].dice;
    }
    qsort(slices, list->count, sizeof *slices, worst_first);
    *out = slices;
    return ST_OK;
}

// ---- one slice

// Path and picture were checked (is_outline_path, is_picture_uri): they hold nothing that means anything to HTML.
static void put_outline(Text *out, const char *kind, const char *part, const char *path) {
    if (!path || !*path) return;
    put(out, "<path class=\"%s %s\" d=\"", kind, part);
    text_bytes(out, path, strlen(path));
    put(out, "\"/>");
}
// A dark halo under both lines, so that they stand out from bright tissue; the dashed line of the mask on top, so that
// both are seen where they coincide.
static void put_outlines(Text *out, const Json *slice) {
    const char *truth = text_of(slice, "truth"), *mask = text_of(slice, "mask");
    put_outline(out, "truth", "halo", truth), put_outline(out, "mask", "halo", mask);
    put_outline(out, "truth", "line", truth), put_outline(out, "mask", "line", mask);
}
static void put_words(Text *out, const Json *slice) {
    const double dice = number_of(slice, "dice"), hd95 = number_of(slice, "hd95_px"), ms = number_of(slice, "ms");
    if (text_of(slice, "rank")) put(out, "%s, ", text_of(slice, "rank"));
    put(out, "Dice ");
    put_figure(out, dice, 3);
    if (!isnan(hd95)) put(out, ", HD95 "), put_figure(out, hd95, 1), put(out, " px");
    if (!isnan(ms)) put(out, ", "), put_ms(out, ms);
}
static bool is_empty(const Json *slice, const char *key) {
    const char *path = text_of(slice, key);
    return !path || !*path;
}
static void put_slice(Text *out, const Slice *slice, int patient) {
    const Json *json = slice->json;
    const int width = (int)number_of(json, "width"), height = (int)number_of(json, "height");
    const char *picture = text_of(json, "picture");
    put(out, "<figure class=\"slice\" data-patient=\"%d\" data-short=\"", patient);
    put(out, "%s ", text_of(json, "rank") ? text_of(json, "rank") : "Dice");
    put_figure(out, number_of(json, "dice"), 3);
    put(out, "\">\n<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"%s: ", width, height, text_of(json, "case"));
    put_words(out, json);
    put(out, "\"><image width=\"%d\" height=\"%d\" href=\"", width, height);
    text_bytes(out, picture, strlen(picture));
    put(out, "\"/>");
    put_outlines(out, json);
    put(out, "</svg>\n<figcaption><b>");
    put_name(out, text_of(json, "case"));
    put(out, "</b> <span class=\"words\">");
    put_words(out, json);
    if (is_empty(json, "truth")) put(out, "; no truth here");
    if (is_empty(json, "mask")) put(out, "; no mask here");
    put(out, "</span></figcaption></figure>\n");
}

// ---- the viewer

static void put_line_sample(Text *out, const char *kind) {
    put(out,
        "<svg class=\"sample\" width=\"28\" height=\"12\" aria-hidden=\"true\"><rect width=\"28\" height=\"12\" "
        "rx=\"2\"/><path class=\"%s line\" "
        "d=\"M2 6h24\"/></svg>",
        kind);
}
static void put_switch(Text *out, int viewer, const char *kind, const char *label, const char *key, bool on) {
    put(out, "<label><input type=\"checkbox\" data-switch=\"%s\" id=\"v%d-%s\"", kind, viewer, kind);
    if (on) put(out, " checked");
    put(out, "> ");
    if (strcmp(kind, "difference") != 0) put_line_sample(out, kind);
    put(out, " %s <kbd>%s</kbd></label>\n", label, key);
}
static void put_patients(Text *out, const Slice *slices, size_t count) {
    int patient = -1;
    for (size_t i = 0; i < count; i++) {
        if (i && !strcmp(slices[i].patient, slices[i - 1].patient)) continue;
        put(out, "<option value=\"%d\">%s", ++patient, slices[i].patient);
        if (slices[i].rank <= 1) put(out, " (Dice %.3f)", slices[i].rank);
        put(out, "</option>\n");
    }
}
static void put_controls(Text *out, int viewer, const Slice *slices, size_t count) {
    put(out,
        "<div class=\"controls\" hidden>\n<label for=\"v%d-patient\">Patient</label>\n<select id=\"v%d-patient\" "
        "data-patient-choice>\n",
        viewer, viewer);
    put_patients(out, slices, count);
    put(out,
        "</select>\n<label for=\"v%d-slice\">Slice <output data-place></output></label>\n<input id=\"v%d-slice\" "
        "type=\"range\" min=\"0\" "
        "max=\"0\" value=\"0\" step=\"1\" data-slider>\n<div class=\"thumbs\" "
        "data-thumbs></div>\n<fieldset><legend>Shown</legend>\n",
        viewer, viewer);
    put_switch(out, viewer, "truth", "truth", "T", true);
    put_switch(out, viewer, "mask", "mask", "M", true);
    put_switch(out, viewer, "difference", "difference", "D", false);
    put(out, "</fieldset>\n<p class=\"note\">Keys on the picture: <kbd>\u2190</kbd> <kbd>\u2192</kbd> slices, "
             "<kbd>\u2191</kbd> <kbd>\u2193</kbd> patients. "
             "Difference: <span class=\"hatch missed\"></span> truth that the mask misses, <span class=\"hatch "
             "extra\"></span> mask beyond the truth.</p>\n</div>\n");
}
static void put_legend(Text *out) {
    put(out, "<ul class=\"legend outlines\"><li>");
    put_line_sample(out, "truth");
    put(out, " truth: solid line</li><li>");
    put_line_sample(out, "mask");
    put(out, " mask: dashed line</li></ul>\n");
}
Status draw_slices(Page *page, const Result *result) {
    const Json *list = list_of(result->root, "slices");
    const double left_out = number_of(result->root, "slices_left_out");
    Slice *slices;
    int patient = -1;
    if (!list) return ST_OK;
    TRY(order(result->root, &page->results->arena, &slices));
    section_open(page, "Slices", result->name);
    put(page->out, "<p>");
    put_plural(page->out, (double)list->count, "slice", "slices");
    put(page->out, ", patients with the lowest Dice first, of each the worst slice first");
    if (left_out > 0) put(page->out, "; "), put_plural(page->out, left_out, "more is not shown", "more are not shown");
    put(page->out, ".</p>\n");
    put_legend(page->out);
    put(page->out, "<div class=\"viewer\" data-viewer>\n");
    put_controls(page->out, ++page->viewers, slices, list->count);
    put(page->out, "<div class=\"slices\">\n");
    for (size_t i = 0; i < list->count; i++) {
        patient += !i || strcmp(slices[i].patient, slices[i - 1].patient) != 0;
        put_slice(page->out, &slices[i], patient);
    }
    put(page->out, "</div></div>\n");
    section_close(page);
    return ST_OK;
}

// The answer first: one line that says whether the masks stayed, how fast it is and how good, and the figures behind
// it.
#include "report/parts.h"
#include <math.h>
#include <string.h>

// ---- the line. Plain text: who draws it escapes it.

static void join(Text *out, const char *between) {
    if (out->length) text_add(out, "%s", between);
}
static void add_count(Text *out, double count, const char *one, const char *many) {
    text_add(out, "%.0f %s", count, count == 1 ? one : many);
}
// Pixels that are another class than the other network's, of all evaluations that compared; NAN: none did.
static double changed_pixels(const Results *results) {
    double sum = (double)NAN;
    for (size_t i = 0; i < results->count; i++) {
        const Result *one = &results->items[i];
        const double changed = number_of(json_get(one->root, "compare"), "changed_px");
        if (one->kind == KIND_EVAL && !isnan(changed)) sum = isnan(sum) ? changed : sum + changed;
    }
    return sum;
}
static void say_masks(const Results *results, Text *out) {
    const Result *verify = results_first(results, KIND_VERIFY);
    const double changed = changed_pixels(results);
    if (verify && !flag_of(verify->root, "ok")) text_add(out, "Verification failed");
    else if (changed == 0) text_add(out, "Masks unchanged");
    else if (changed > 0) add_count(out, changed, "mask pixel changed", "mask pixels changed");
    else if (verify) {
        const double differ = number_of(verify->root, "mask_changed");
        text_add(out, "Verified");
        if (differ == 0) text_add(out, ", mask unchanged");
        else if (differ > 0)
            text_add(out, ", "),
                add_count(out, differ, "mask pixel on the threshold", "mask pixels within the tolerance");
    }
}

static void say_times_as_fast(double times, Text *out) {
    text_add(out, times < 1.1 ? "%.2f times as fast" : "%.1f times as fast", times);
}
// ratio: of this one's time to the other's.
static void say_speed(Estimate ratio, Text *out) {
    if (!(ratio.value > 0)) return;
    join(out, "; ");
    if (ratio.low <= 1 && ratio.high >= 1)
        text_add(out, "%s", out->length ? "as fast as before within the noise" : "As fast as before within the noise");
    else say_times_as_fast(1 / ratio.value, out);
}
// A tuned plan that was not kept makes nothing faster.
static bool was_left(const Result *result) {
    const char *kept = text_of(result->root, "kept");
    return kept && strcmp(kept, "tuned") != 0;
}
static const Result *paired(const Results *results) {
    for (size_t i = 0; i < results->count; i++)
        if (number_of(results->items[i].root, "ratio_median") > 0 && !was_left(&results->items[i]))
            return &results->items[i];
    return NULL;
}
static void say_dice(const Results *results, Text *out) {
    const int evals = results_of_kind(results, KIND_EVAL);
    int said = 0;
    for (size_t i = 0; i < results->count && said < 3; i++) {
        const Result *one = &results->items[i];
        const double dice = number_of(one->root, "dice_pooled");
        if (one->kind != KIND_EVAL || isnan(dice)) continue;
        const char *model = text_of(one->root, "model");
        join(out, said ? ", " : "; ");
        text_add(out, "%s%.3f", said ? "" : "Dice ", dice);
        if (evals > 1 && model) text_add(out, " (%s)", model);
        said++;
    }
}
// How long one run takes, and what a run is. NAN where there are several of a kind: a time says nothing without a name.
typedef struct Usual {
    double ms;
    const char *of;
} Usual;
static Usual usual_time(const Results *results) {
    static const struct {
        ResultKind kind;
        const char *key, *of;
    } where[] = {
        {KIND_BENCH, "median_ms", "run"}, {KIND_PROFILE, "whole_ms", "run"}, {KIND_SEGMENT, "median_ms", "picture"}};
    for (size_t i = 0; i < COUNT_OF(where); i++) {
        const Result *one = results_first(results, where[i].kind);
        const double ms = one ? number_of(one->root, where[i].key) : (double)NAN;
        if (!isnan(ms)) return (Usual){results_of_kind(results, where[i].kind) > 1 ? (double)NAN : ms, where[i].of};
    }
    const Result *eval = results_of_kind(results, KIND_EVAL) == 1 ? results_first(results, KIND_EVAL) : NULL;
    return (Usual){eval ? number_of(json_get(eval->root, "ms"), "median") : (double)NAN, "case"};
}
static void say_time(const Results *results, Text *out) {
    const Usual usual = usual_time(results);
    if (isnan(usual.ms)) return;
    join(out, "; ");
    text_add(out, usual.ms >= 100 ? "%.0f ms a %s" : "%.1f ms a %s", usual.ms, usual.of);
}
static void say_what_else(const Results *results, Text *out) {
    const Result *segment = results_first(results, KIND_SEGMENT), *machine = results_first(results, KIND_MACHINE),
                 *pictures = results_first(results, KIND_PICTURES);
    const char *cpu = machine ? text_of(json_get(machine->root, "machine"), "cpu") : NULL;
    if (segment) {
        join(out, "; ");
        text_add(out, "%.0f of ", number_of(segment->root, "done") + number_of(segment->root, "skipped"));
        add_count(out, number_of(segment->root, "pictures"), "picture segmented", "pictures segmented");
    } else if (pictures && !out->length) add_count(out, (double)pictures->root->count, "picture", "pictures");
    if (cpu && !out->length) text_add(out, "%s", cpu);
}
void answer_line(const Results *results, Text *out) {
    const Result *pair = paired(results);
    say_masks(results, out);
    if (pair) say_speed(ratio_of(pair->root), out);
    say_dice(results, out);
    if (!pair) say_time(results, out);
    say_what_else(results, out);
}

// ---- the figures

static void figure_open(Text *out, const char *label, const char *tone) {
    put(out, "<div class=\"figure %s\"><dt>%s</dt><dd>", tone, label);
}
static void figure_close(Text *out) { put(out, "</dd></div>\n"); }
static void put_interval_line(Text *out, Estimate e, int digits) {
    if (isnan(e.low) || isnan(e.high)) return;
    put(out, "<small>95 %%: ");
    put_figure(out, e.low, digits);
    put(out, " to ");
    put_figure(out, e.high, digits);
    put(out, "</small>");
}
static void estimate_figure(Text *out, const char *label, Estimate e, int digits) {
    if (isnan(e.value)) return;
    figure_open(out, label, "");
    put_figure(out, e.value, digits);
    put_interval_line(out, e, digits);
    figure_close(out);
}
static void eval_figures(Text *out, const Json *root) {
    const Json *compare = json_get(root, "compare");
    const double changed = number_of(compare, "changed_px"), faulty = number_of(root, "faulty"),
                 patients = number_of(root, "patients"), cases = number_of(root, "cases");
    if (!isnan(changed)) {
        figure_open(out, "mask pixels changed", changed == 0 ? "good" : "");
        put(out, changed == 0 ? "\u2713 " : "");
        put_figure(out, changed, 0);
        put(out, "<small>of ");
        put_figure(out, number_of(compare, "pixels"), 0);
        put(out, "</small>");
        figure_close(out);
    }
    estimate_figure(out, "Dice, all pixels together", estimate_of(root, "dice_pooled"), 3);
    estimate_figure(out, "Dice, mean over patients", estimate_of(root, "dice_patient_mean"), 3);
    if (!isnan(cases)) {
        figure_open(out, "cases", "");
        put_figure(out, cases, 0);
        if (!isnan(patients))
            put(out, "<small>of "), put_plural(out, patients, "patient", "patients"), put(out, "</small>");
        figure_close(out);
    }
    if (faulty > 0) {
        figure_open(out, "faults in the data", "bad");
        put(out, "\u26a0 ");
        put_figure(out, faulty, 0);
        put(out, "<small>listed below</small>");
        figure_close(out);
    }
    const double median = number_of(json_get(root, "ms"), "median");
    if (isnan(median)) return;
    figure_open(out, "time a case, median", "");
    put_ms(out, median);
    put(out, "<small>90 %% within ");
    put_ms(out, number_of(json_get(root, "ms"), "p90"));
    put(out, "</small>");
    figure_close(out);
}
static void speed_figure(Text *out, const Result *result) {
    const Json *root = result->root;
    const Estimate ratio = ratio_of(root);
    const bool left = was_left(result);
    if (!(ratio.value > 0)) return;
    figure_open(out,
                result->kind == KIND_BENCH ? "times as fast as the other"
                : left                     ? "times as fast tuned; not kept"
                                           : "times as fast tuned",
                left             ? ""
                : ratio.high < 1 ? "good"
                : ratio.low > 1  ? "bad"
                                 : "");
    put_figure(out, 1 / ratio.value, 2);
    put_interval_line(out, (Estimate){0, 1 / ratio.high, 1 / ratio.low}, 2);
    figure_close(out);
}
static void time_figure(Text *out, const char *label, double ms) {
    if (isnan(ms)) return;
    figure_open(out, label, "");
    put_ms(out, ms);
    figure_close(out);
}
static void verify_figure(Text *out, const Json *root) {
    const bool ok = flag_of(root, "ok");
    figure_open(out, "self-check and reference", ok ? "good" : "bad");
    put(out, ok ? "\u2713 agrees" : "\u2717 differs");
    if (!isnan(number_of(root, "rms_rel")))
        put(out, "<small>rms / std "), put_small(out, number_of(root, "rms_rel")), put(out, "</small>");
    figure_close(out);
}
static void segment_figure(Text *out, const Json *root) {
    const double failed = number_of(root, "failed");
    figure_open(out, "pictures", failed > 0 ? "bad" : "");
    put_figure(out, number_of(root, "pictures"), 0);
    if (failed > 0) put(out, "<small>\u26a0 "), put_figure(out, failed, 0), put(out, " failed</small>");
    figure_close(out);
}
static void put_figures(const Result *result, Text *out) {
    const Json *root = result->root;
    switch (result->kind) {
    case KIND_EVAL: eval_figures(out, root); break;
    case KIND_BENCH:
        time_figure(out, "median of a run", number_of(root, "median_ms")), speed_figure(out, result);
        break;
    case KIND_TUNE: speed_figure(out, result); break;
    case KIND_PROFILE: time_figure(out, "layers together", number_of(root, "sum_ms")); break;
    case KIND_VERIFY: verify_figure(out, root); break;
    case KIND_SEGMENT:
        segment_figure(out, root), time_figure(out, "median of a picture", number_of(root, "median_ms"));
        break;
    default: break;
    }
}
// Where two are of one kind, each has a row of its own, with its network's name.
void answer_figures(const Results *results, Text *out) {
    bool twins = false, open = false;
    for (size_t i = 0; i < results->count; i++) twins = twins || results_of_kind(results, results->items[i].kind) > 1;
    for (size_t i = 0; i < results->count && i < 6; i++) {
        const Result *result = &results->items[i];
        const char *model = text_of(result->root, "model");
        Text figures = {0};
        put_figures(result, &figures);
        if (figures.length && twins) put(out, "<p class=\"figures-of\">%s</p>\n", model ? model : result->name);
        if (figures.length && !open) put(out, "<dl class=\"figures\">\n");
        open = open || figures.length;
        text_bytes(out, text_get(&figures), figures.length);
        if (open && twins) put(out, "</dl>\n"), open = false;
        out->failed = out->failed || figures.failed;
        text_free(&figures);
    }
    if (open) put(out, "</dl>\n");
}

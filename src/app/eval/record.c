// What is known of a case, as a line of JSON and back, bit for bit.
#include "app/eval/eval.h"
#include <math.h>
#include <string.h>

static void write_counts(JsonWriter *w, const MaskCounts *counts) {
    json_key(w, "pixels"), json_integer(w, counts->pixels);
    json_key(w, "truth_px"), json_integer(w, counts->truth);
    json_key(w, "mask_px"), json_integer(w, counts->mask);
    json_key(w, "intersection_px"), json_integer(w, counts->intersection);
}
static void write_figures(JsonWriter *w, const CaseMetrics *metrics) {
    json_begin_object(w);
    write_counts(w, &metrics->counts);
    if (metrics->has_soft) {
        json_key(w, "soft"), json_begin_array(w);
        json_number(w, metrics->soft.intersection), json_number(w, metrics->soft.mask);
        json_number(w, metrics->soft.truth);
        json_end_array(w);
    }
#define WRITE_FIGURE(name) json_number_at(w, #name, metrics->name);
    CASE_FIGURES(WRITE_FIGURE)
#undef WRITE_FIGURE
    json_end_object(w);
}
void eval_record_write(const EvalRecord *record, JsonWriter *w) {
    json_begin_object(w);
    json_key(w, "case"), json_string(w, record->name);
    json_key(w, "patient"), json_string(w, record->patient);
    json_key(w, "file"), json_string(w, record->file);
    json_key(w, "picture"), json_string(w, record->picture_hash);
    json_key(w, "mask"), json_string(w, record->mask_hash);
    if (record->blank) json_key(w, "blank"), json_bool(w, true);
    json_number_at(w, "ms", record->ms);
    json_key(w, "figures"), json_begin_array(w);
    for (int k = 0; k < record->n_figures; k++) write_figures(w, &record->figures[k]);
    json_end_array(w);
    if (record->compared) {
        json_key(w, "other"), json_begin_object(w);
        write_counts(w, &record->other);
        json_key(w, "changed_px"), json_integer(w, record->changed);
        json_end_object(w);
    }
    json_end_object(w);
}

// ---- reading: what is not as written is no record

typedef struct Fields {
    bool good;
} Fields;
static const char *take_text(Fields *fields, const Json *object, const char *key) {
    const Json *value = json_get(object, key);
    const bool is_text = value && value->type == JSON_STRING;
    fields->good = fields->good && is_text;
    return is_text ? value->string : "";
}
// null is NaN.
static double take_number(Fields *fields, const Json *object, const char *key) {
    const Json *value = json_get(object, key);
    const bool had = value && (value->type == JSON_NUMBER || value->type == JSON_NULL);
    fields->good = fields->good && had;
    return had && value->type == JSON_NUMBER ? value->number : NAN;
}
static int64_t take_count(Fields *fields, const Json *object, const char *key) {
    const double number = take_number(fields, object, key), most = 9007199254740992.0; // 2^53
    const bool good = number >= 0 && number <= most && number == floor(number);
    fields->good = fields->good && good;
    return good ? (int64_t)number : 0;
}
static MaskCounts take_counts(Fields *fields, const Json *object) {
    MaskCounts counts = {take_count(fields, object, "pixels"), take_count(fields, object, "mask_px"),
                         take_count(fields, object, "truth_px"), take_count(fields, object, "intersection_px")};
    fields->good = fields->good && counts.mask <= counts.pixels && counts.truth <= counts.pixels &&
                   counts.intersection <= MIN(counts.mask, counts.truth);
    return counts;
}
static void take_figures(Fields *fields, const Json *object, CaseMetrics *out) {
    *out = (CaseMetrics){.counts = take_counts(fields, object)};
    const Json *soft = json_get(object, "soft");
    if (soft) {
        bool good = soft->type == JSON_ARRAY && soft->count == 3;
        for (size_t i = 0; good && i < 3; i++) good = soft->items[i].type == JSON_NUMBER;
        fields->good = fields->good && good;
        if (good)
            out->soft = (SoftCounts){soft->items[0].number, soft->items[1].number, soft->items[2].number},
            out->has_soft = true;
    }
#define TAKE_FIGURE(name) out->name = take_number(fields, object, #name);
    CASE_FIGURES(TAKE_FIGURE)
#undef TAKE_FIGURE
}
static void take_hash(Fields *fields, const Json *object, const char *key, char out[65]) {
    const char *text = take_text(fields, object, key);
    const bool good = strlen(text) == 64 && strspn(text, "0123456789abcdef") == 64;
    fields->good = fields->good && good;
    if (good) memcpy(out, text, 65);
}
static const char *copy(Arena *arena, const char *text) { return arena_string(arena, text); }

Status eval_record_read(const Json *json, Arena *arena, EvalRecord *out) {
    Fields fields = {json->type == JSON_OBJECT};
    *out = (EvalRecord){.name = copy(arena, take_text(&fields, json, "case")),
                        .patient = copy(arena, take_text(&fields, json, "patient")),
                        .file = copy(arena, take_text(&fields, json, "file"))};
    if (!out->name || !out->patient || !out->file) return fail_memory(sizeof *out);
    take_hash(&fields, json, "picture", out->picture_hash);
    take_hash(&fields, json, "mask", out->mask_hash);
    out->ms = take_number(&fields, json, "ms");
    out->blank = json_get(json, "blank") != NULL;
    const Json *figures = json_get(json, "figures"), *other = json_get(json, "other");
    fields.good =
        fields.good && figures && figures->type == JSON_ARRAY && figures->count >= 1 && figures->count <= EVAL_CLASSES;
    FAIL_IF(!fields.good, ST_BAD, "no line of a case");
    out->n_figures = (int)figures->count;
    out->figures = arena_array(arena, figures->count, sizeof *out->figures);
    if (!out->figures) return fail_memory(figures->count * sizeof *out->figures);
    for (int k = 0; k < out->n_figures; k++) take_figures(&fields, &figures->items[k], &out->figures[k]);
    out->no_soft = !out->figures[0].has_soft;
    if (other) {
        out->compared = true;
        out->other = take_counts(&fields, other);
        out->changed = take_count(&fields, other, "changed_px");
    }
    FAIL_IF(!fields.good, ST_BAD, "no line of a case");
    return ST_OK;
}

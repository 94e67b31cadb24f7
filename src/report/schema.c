// What the sections count on: the type of each key that they read. Every key may be absent or null but those marked as
// needed; keys that are not here are nobody's business.
#include "report/parts.h"
#include <math.h>
#include <string.h>

typedef enum FieldType {
    NUMBER,
    TEXT,
    BOOLEAN,
    NUMBERS,   // an array, null among them
    TEXTS,     // an array
    INTERVALS, // an object of [low, high]
    SCALARS,   // an object of numbers, texts and booleans
    OBJECT,
    OBJECTS, // an array
    ROWS,    // of a table: an array of arrays of cells
    SIZE,    // pixels of a side
    PICTURE,
    OUTLINE
} FieldType;
typedef struct Field {
    const char *key; // NULL ends a table
    FieldType type;
    bool needed;
    const struct Field *fields; // of OBJECT, OBJECTS
} Field;

#define OPTIONAL(key, type)                                                                                            \
    { key, type, false, NULL }
#define NEEDED(key, type)                                                                                              \
    { key, type, true, NULL }
#define END                                                                                                            \
    { NULL, NUMBER, false, NULL }

static const char *const expected[] = {
    [NUMBER] = "a number",
    [TEXT] = "a text",
    [BOOLEAN] = "true or false",
    [NUMBERS] = "an array of numbers",
    [TEXTS] = "an array of texts",
    [INTERVALS] = "an object of [low, high]",
    [SCALARS] = "an object of numbers and texts",
    [OBJECT] = "an object",
    [OBJECTS] = "an array of objects",
    [ROWS] = "an array of rows",
    [SIZE] = "a whole number of pixels, 1 to 65535",
    [PICTURE] = "a PNG as data:image/png;base64,...",
    [OUTLINE] = "an outline of M, h, v, z and whole numbers",
};

#define METRICS                                                                                                        \
    OPTIONAL("dice_pooled", NUMBER), OPTIONAL("dice_mean", NUMBER), OPTIONAL("dice_patient_mean", NUMBER),             \
        OPTIONAL("dice_smooth1", NUMBER), OPTIONAL("dice_smooth100", NUMBER), OPTIONAL("dice_soft", NUMBER),           \
        OPTIONAL("iou", NUMBER), OPTIONAL("iou_pooled", NUMBER), OPTIONAL("hd95_px", NUMBER),                          \
        OPTIONAL("hd95_mm", NUMBER), OPTIONAL("sensitivity", NUMBER), OPTIONAL("specificity", NUMBER)
#define COMMON                                                                                                         \
    NEEDED("verb", TEXT), OPTIONAL("stent", TEXT), OPTIONAL("machine", SCALARS), OPTIONAL("model", TEXT),              \
        OPTIONAL("content_hash", TEXT), OPTIONAL("plan_hash", TEXT), OPTIONAL("plan", TEXT),                           \
        OPTIONAL("precision", TEXT)

static const Field eval_patient[] = {NEEDED("patient", TEXT),          OPTIONAL("cases", NUMBER),
                                     OPTIONAL("truth_px", NUMBER),     OPTIONAL("mask_px", NUMBER),
                                     OPTIONAL("ms_median", NUMBER),    METRICS,
                                     OPTIONAL("intervals", INTERVALS), END};
static const Field eval_class[] = {OPTIONAL("class", NUMBER), OPTIONAL("name", TEXT), METRICS,
                                   OPTIONAL("intervals", INTERVALS), END};
static const Field eval_worst[] = {NEEDED("case", TEXT),         OPTIONAL("patient", TEXT),   OPTIONAL("dice", NUMBER),
                                   OPTIONAL("truth_px", NUMBER), OPTIONAL("mask_px", NUMBER), END};
static const Field eval_fault[] = {OPTIONAL("file", TEXT), OPTIONAL("fault", TEXT), OPTIONAL("message", TEXT), END};
static const Field eval_convention[] = {OPTIONAL("key", TEXT),   OPTIONAL("name", TEXT), OPTIONAL("equals", TEXT),
                                        OPTIONAL("empty", TEXT), OPTIONAL("text", TEXT), END};
static const Field eval_slice[] = {NEEDED("case", TEXT),       NEEDED("patient", TEXT),     OPTIONAL("rank", TEXT),
                                   OPTIONAL("dice", NUMBER),   OPTIONAL("hd95_px", NUMBER), OPTIONAL("ms", NUMBER),
                                   NEEDED("width", SIZE),      NEEDED("height", SIZE),      NEEDED("picture", PICTURE),
                                   OPTIONAL("truth", OUTLINE), OPTIONAL("mask", OUTLINE),   END};
static const Field compare_worst[] = {NEEDED("case", TEXT), OPTIONAL("changed_px", NUMBER), OPTIONAL("dice", NUMBER),
                                      OPTIONAL("dice_other", NUMBER), END};
static const Field eval_compare[] = {OPTIONAL("with", TEXT),
                                     OPTIONAL("content_hash", TEXT),
                                     OPTIONAL("changed_px", NUMBER),
                                     OPTIONAL("pixels", NUMBER),
                                     OPTIONAL("cases_changed", NUMBER),
                                     OPTIONAL("dice_pooled_other", NUMBER),
                                     OPTIONAL("dice_difference", NUMBER),
                                     {"worst", OBJECTS, false, compare_worst},
                                     END};
static const Field summary_ms[] = {OPTIONAL("min", NUMBER),  OPTIONAL("median", NUMBER), OPTIONAL("p90", NUMBER),
                                   OPTIONAL("mean", NUMBER), OPTIONAL("std", NUMBER),    END};
static const Field bootstrap[] = {OPTIONAL("resamples", NUMBER), OPTIONAL("seed", NUMBER), END};
static const Field eval_fields[] = {COMMON,
                                    METRICS,
                                    OPTIONAL("cases", NUMBER),
                                    OPTIONAL("patients", NUMBER),
                                    OPTIONAL("dataset", TEXT),
                                    OPTIONAL("layout", TEXT),
                                    OPTIONAL("intervals", INTERVALS),
                                    {"bootstrap", OBJECT, false, bootstrap},
                                    {"conventions", OBJECTS, false, eval_convention},
                                    {"ms", OBJECT, false, summary_ms},
                                    OPTIONAL("times", NUMBERS),
                                    {"classes", OBJECTS, false, eval_class},
                                    {"per_patient", OBJECTS, false, eval_patient},
                                    {"worst", OBJECTS, false, eval_worst},
                                    {"faults", OBJECTS, false, eval_fault},
                                    OPTIONAL("faulty", NUMBER),
                                    OPTIONAL("assumed", TEXTS),
                                    {"compare", OBJECT, false, eval_compare},
                                    {"slices", OBJECTS, false, eval_slice},
                                    OPTIONAL("slices_left_out", NUMBER),
                                    END};

static const Field bench_outlier[] = {OPTIONAL("run", NUMBER), OPTIONAL("ms", NUMBER), OPTIONAL("over", NUMBER),
                                      OPTIONAL("causes", TEXTS), END};
static const Field bench_fields[] = {COMMON,
                                     OPTIONAL("ms", NUMBERS),
                                     OPTIONAL("versus_ms", NUMBERS),
                                     OPTIONAL("open_ms", NUMBER),
                                     OPTIONAL("min_ms", NUMBER),
                                     OPTIONAL("median_ms", NUMBER),
                                     OPTIONAL("p90_ms", NUMBER),
                                     OPTIONAL("p99_ms", NUMBER),
                                     OPTIONAL("cv", NUMBER),
                                     OPTIONAL("peak_rss_mb", NUMBER),
                                     OPTIONAL("arena_mb", NUMBER),
                                     OPTIONAL("weights_mb", NUMBER),
                                     OPTIONAL("drift", NUMBER),
                                     {"outliers", OBJECTS, false, bench_outlier},
                                     OPTIONAL("different_runs", NUMBER),
                                     OPTIONAL("versus", TEXT),
                                     OPTIONAL("versus_median_ms", NUMBER),
                                     OPTIONAL("ratio_median", NUMBER),
                                     OPTIONAL("ratio_low", NUMBER),
                                     OPTIONAL("ratio_high", NUMBER),
                                     OPTIONAL("rounds", NUMBER),
                                     END};

static const Field profile_layer[] = {NEEDED("name", TEXT),
                                      OPTIONAL("op", TEXT),
                                      OPTIONAL("shape", TEXT),
                                      OPTIONAL("solver", TEXT),
                                      OPTIONAL("configuration", TEXT),
                                      OPTIONAL("ms", NUMBER),
                                      OPTIONAL("gflops", NUMBER),
                                      OPTIONAL("limit_gflops", NUMBER),
                                      OPTIONAL("part_of_limit", NUMBER),
                                      OPTIONAL("waiting", NUMBER),
                                      OPTIONAL("why", TEXT),
                                      OPTIONAL("fallback", BOOLEAN),
                                      END};
static const Field versus_layer[] = {NEEDED("name", TEXT),      OPTIONAL("ms", NUMBER), OPTIONAL("versus_ms", NUMBER),
                                     OPTIONAL("ratio", NUMBER), OPTIONAL("why", TEXT),  END};
static const Field versus_cause[] = {OPTIONAL("cause", TEXT), OPTIONAL("why", TEXT), OPTIONAL("ms", NUMBER),
                                     OPTIONAL("layers", TEXTS), END};
static const Field profile_versus[] = {OPTIONAL("file", TEXT),
                                       OPTIONAL("isa", TEXT),
                                       OPTIONAL("threads", NUMBER),
                                       OPTIONAL("cpu", TEXT),
                                       OPTIONAL("precision", TEXT),
                                       OPTIONAL("sum_ms", NUMBER),
                                       OPTIONAL("whole_ms", NUMBER),
                                       {"layers", OBJECTS, false, versus_layer},
                                       {"causes", OBJECTS, false, versus_cause},
                                       END};
static const Field profile_fields[] = {COMMON,
                                       {"layers", OBJECTS, false, profile_layer},
                                       OPTIONAL("sum_ms", NUMBER),
                                       OPTIONAL("whole_ms", NUMBER),
                                       OPTIONAL("flop", NUMBER),
                                       OPTIONAL("foreseen_error", NUMBER),
                                       OPTIONAL("peak_gflops", NUMBER),
                                       OPTIONAL("memory_gbytes", NUMBER),
                                       {"versus", OBJECT, false, profile_versus},
                                       END};

static const Field verify_layer[] = {NEEDED("name", TEXT),        OPTIONAL("op", TEXT),    OPTIONAL("max_abs", NUMBER),
                                     OPTIONAL("rms_rel", NUMBER), OPTIONAL("ok", BOOLEAN), END};
static const Field verify_check[] = {NEEDED("with", TEXT),
                                     OPTIONAL("ok", BOOLEAN),
                                     OPTIONAL("rms_rel", NUMBER),
                                     OPTIONAL("allowed", NUMBER),
                                     OPTIONAL("max_abs", NUMBER),
                                     OPTIONAL("mask_changed", NUMBER),
                                     END};
static const Field verify_fields[] = {COMMON,
                                      NEEDED("ok", BOOLEAN),
                                      OPTIONAL("max_abs", NUMBER),
                                      OPTIONAL("max_rel", NUMBER),
                                      OPTIONAL("rms_rel", NUMBER),
                                      OPTIONAL("mask_changed", NUMBER),
                                      OPTIONAL("mask_ties", NUMBER),
                                      OPTIONAL("mask_pixels", NUMBER),
                                      OPTIONAL("budget", NUMBER),
                                      OPTIONAL("input", TEXT),
                                      {"checks", OBJECTS, false, verify_check},
                                      OPTIONAL("skipped", TEXT),
                                      {"layers", OBJECTS, false, verify_layer},
                                      OPTIONAL("first", TEXT),
                                      END};

static const Field tune_layer[] = {NEEDED("name", TEXT),
                                   OPTIONAL("op", TEXT),
                                   OPTIONAL("shape", TEXT),
                                   OPTIONAL("share", NUMBER),
                                   OPTIONAL("tried", NUMBER),
                                   OPTIONAL("refused", NUMBER),
                                   OPTIONAL("from", TEXT),
                                   OPTIONAL("to", TEXT),
                                   OPTIONAL("ratio", NUMBER),
                                   OPTIONAL("untuned", TEXT),
                                   OPTIONAL("configurations", NUMBER),
                                   END};
static const Field tune_fields[] = {COMMON,
                                    {"layers", OBJECTS, false, tune_layer},
                                    OPTIONAL("baseline_ms", NUMBER),
                                    OPTIONAL("tuned_ms", NUMBER),
                                    OPTIONAL("ratio_median", NUMBER),
                                    OPTIONAL("ratio_low", NUMBER),
                                    OPTIONAL("ratio_high", NUMBER),
                                    OPTIONAL("rounds", NUMBER),
                                    OPTIONAL("kept", TEXT),
                                    OPTIONAL("trials", NUMBER),
                                    OPTIONAL("seconds", NUMBER),
                                    END};

static const Field machine_peak[] = {NEEDED("isa", TEXT), OPTIONAL("gflops_one_thread", NUMBER),
                                     OPTIONAL("gflops", NUMBER), END};
static const Field machine_level[] = {NEEDED("isa", TEXT), OPTIONAL("had", BOOLEAN), OPTIONAL("missing", TEXTS), END};
static const Field machine_fields[] = {COMMON,
                                       OPTIONAL("best_isa", TEXT),
                                       {"levels", OBJECTS, false, machine_level},
                                       OPTIONAL("cores", NUMBER),
                                       OPTIONAL("cpus_allowed", NUMBER),
                                       OPTIONAL("l1d_bytes", NUMBER),
                                       OPTIONAL("l2_bytes", NUMBER),
                                       OPTIONAL("l3_bytes", NUMBER),
                                       OPTIONAL("memory_bytes", NUMBER),
                                       {"peaks", OBJECTS, false, machine_peak},
                                       OPTIONAL("l2_gbytes", NUMBER),
                                       OPTIONAL("l3_gbytes", NUMBER),
                                       OPTIONAL("memory_gbytes", NUMBER),
                                       END};

static const Field segment_fields[] = {COMMON,
                                       OPTIONAL("pictures", NUMBER),
                                       OPTIONAL("done", NUMBER),
                                       OPTIONAL("skipped", NUMBER),
                                       OPTIONAL("failed", NUMBER),
                                       OPTIONAL("area_px", NUMBER),
                                       OPTIONAL("median_ms", NUMBER),
                                       OPTIONAL("sum_ms", NUMBER),
                                       OPTIONAL("output", TEXT),
                                       END};
static const Field picture_fields[] = {
    NEEDED("path", TEXT),           NEEDED("status", TEXT),       OPTIONAL("hash", TEXT),
    OPTIONAL("ms", NUMBER),         OPTIONAL("area_px", NUMBER),  OPTIONAL("width", NUMBER),
    OPTIONAL("height", NUMBER),     OPTIONAL("pages", NUMBER),    OPTIONAL("mask", TEXT),
    OPTIONAL("note", TEXT),         OPTIONAL("error", TEXT),      OPTIONAL("options", TEXT),
    OPTIONAL("stent", TEXT),        OPTIONAL("machine", SCALARS), OPTIONAL("model", TEXT),
    OPTIONAL("content_hash", TEXT), OPTIONAL("precision", TEXT),  END};

static const Field page_column[] = {NEEDED("name", TEXT), OPTIONAL("unit", TEXT), OPTIONAL("digits", NUMBER),
                                    OPTIONAL("align", TEXT), END};
static const Field page_table[] = {
    {"columns", OBJECTS, true, page_column}, NEEDED("rows", ROWS), OPTIONAL("note", TEXT), END};
static const Field page_series[] = {NEEDED("name", TEXT), OPTIONAL("unit", TEXT), NEEDED("values", NUMBERS), END};
static const Field page_bar[] = {NEEDED("name", TEXT), NEEDED("value", NUMBER), OPTIONAL("limit", NUMBER),
                                 OPTIONAL("text", TEXT), END};
static const Field page_section[] = {OPTIONAL("title", TEXT),
                                     OPTIONAL("text", TEXTS),
                                     {"table", OBJECT, false, page_table},
                                     {"series", OBJECTS, false, page_series},
                                     {"bars", OBJECTS, false, page_bar},
                                     OPTIONAL("bar_unit", TEXT),
                                     OPTIONAL("include", TEXT),
                                     END};
static const Field page_fields[] = {NEEDED("verb", TEXT),
                                    OPTIONAL("stent", TEXT),
                                    OPTIONAL("title", TEXT),
                                    OPTIONAL("subtitle", TEXT),
                                    OPTIONAL("date", TEXT),
                                    OPTIONAL("machine", SCALARS),
                                    {"sections", OBJECTS, true, page_section},
                                    OPTIONAL("assumed", TEXTS),
                                    END};

static const Field *const fields_of[KINDS] = {
    [KIND_EVAL] = eval_fields,       [KIND_BENCH] = bench_fields,      [KIND_PROFILE] = profile_fields,
    [KIND_VERIFY] = verify_fields,   [KIND_TUNE] = tune_fields,        [KIND_MACHINE] = machine_fields,
    [KIND_SEGMENT] = segment_fields, [KIND_PICTURES] = picture_fields, [KIND_PAGE] = page_fields,
};

// ---- the check

static const char *described(const Json *value) {
    static const char *const names[] = {"null", "true or false", "a number", "a text", "an array", "an object"};
    return names[value->type];
}
static Status wrong(const Json *value, const char *what) {
    return fail(ST_BAD, "line %d: expected %s, got %s; the file is damaged, or no result of this stent", value->line,
                what, value->type == JSON_STRING ? "another text" : described(value));
}
static Status check_numbers(const Json *value) {
    for (size_t i = 0; i < value->count; i++)
        if (value->items[i].type != JSON_NUMBER && value->items[i].type != JSON_NULL)
            return wrong(&value->items[i], "a number");
    return ST_OK;
}
static Status check_texts(const Json *value) {
    for (size_t i = 0; i < value->count; i++)
        if (value->items[i].type != JSON_STRING) return wrong(&value->items[i], "a text");
    return ST_OK;
}
static Status check_intervals(const Json *value) {
    for (size_t i = 0; i < value->count; i++) {
        const Json *pair = &value->items[i];
        if (pair->type == JSON_NULL) continue;
        if (pair->type != JSON_ARRAY || pair->count != 2) return wrong(pair, "[low, high]");
        TRY(check_numbers(pair));
    }
    return ST_OK;
}
static Status check_scalars(const Json *value) {
    for (size_t i = 0; i < value->count; i++)
        if (value->items[i].type == JSON_ARRAY || value->items[i].type == JSON_OBJECT)
            return wrong(&value->items[i], "a number or a text");
    return ST_OK;
}
static bool is_size(double number) { return number >= 1 && number <= 65535 && number == floor(number); }

// A cell is text, number, null, {"value", "low", "high"} or {"text", "tone"}.
static Status check_cell(const Json *cell) {
    static const Field fields[] = {OPTIONAL("value", NUMBER), OPTIONAL("low", NUMBER), OPTIONAL("high", NUMBER),
                                   OPTIONAL("text", TEXT),    OPTIONAL("tone", TEXT),  END};
    if (cell->type == JSON_ARRAY || cell->type == JSON_BOOL)
        return wrong(cell, "a cell: a text, a number, null or an object");
    if (cell->type != JSON_OBJECT) return ST_OK;
    for (const Field *field = fields; field->key; field++) {
        const Json *value = json_get(cell, field->key);
        if (!value || value->type == JSON_NULL) continue;
        if (value->type != (field->type == NUMBER ? JSON_NUMBER : JSON_STRING))
            return wrong(value, expected[field->type]);
    }
    return ST_OK;
}
static Status check_rows(const Json *rows) {
    for (size_t i = 0; i < rows->count; i++) {
        const Json *row = &rows->items[i];
        if (row->type != JSON_ARRAY) return wrong(row, "a row: an array of cells");
        for (size_t k = 0; k < row->count; k++) TRY(check_cell(&row->items[k]));
    }
    return ST_OK;
}

static Status check_object(const Json *object, const Field *fields);
static Status check_objects(const Json *value, const Field *fields) {
    for (size_t i = 0; i < value->count; i++) {
        const Json *item = &value->items[i];
        const Status status = item->type == JSON_OBJECT ? check_object(item, fields) : wrong(item, "an object");
        if (status != ST_OK) return fail_context(status, "item %zu", i + 1);
    }
    return ST_OK;
}
static bool has_type(const Json *value, FieldType type) {
    switch (type) {
    case NUMBER: return value->type == JSON_NUMBER;
    case TEXT: return value->type == JSON_STRING;
    case BOOLEAN: return value->type == JSON_BOOL;
    case SIZE: return value->type == JSON_NUMBER && is_size(value->number);
    case PICTURE: return value->type == JSON_STRING && is_picture_uri(value->string);
    case OUTLINE: return value->type == JSON_STRING && is_outline_path(value->string);
    case INTERVALS:
    case SCALARS:
    case OBJECT: return value->type == JSON_OBJECT;
    default: return value->type == JSON_ARRAY;
    }
}
static Status check_value(const Json *value, const Field *field) {
    if (!has_type(value, field->type)) return wrong(value, expected[field->type]);
    switch (field->type) {
    case NUMBERS: return check_numbers(value);
    case TEXTS: return check_texts(value);
    case INTERVALS: return check_intervals(value);
    case SCALARS: return check_scalars(value);
    case ROWS: return check_rows(value);
    case OBJECT: return check_object(value, field->fields);
    case OBJECTS: return check_objects(value, field->fields);
    default: return ST_OK;
    }
}
static Status check_object(const Json *object, const Field *fields) {
    for (const Field *field = fields; field->key; field++) {
        const Json *value = json_get(object, field->key);
        const bool has = value && value->type != JSON_NULL;
        FAIL_IF(!has && field->needed, ST_BAD, "line %d: expected the key \"%s\" with %s, got none", object->line,
                field->key, expected[field->type]);
        const Status status = has ? check_value(value, field) : ST_OK;
        if (status != ST_OK) return fail_context(status, "\"%s\"", field->key);
    }
    return ST_OK;
}

// What types cannot say: a row has at most as many cells as the table has columns.
static Status check_tables(const Json *page) {
    const Json *sections = list_of(page, "sections");
    for (size_t s = 0; sections && s < sections->count; s++) {
        const Json *table = json_get(&sections->items[s], "table"), *rows = list_of(table, "rows"),
                   *columns = json_get(table, "columns");
        for (size_t i = 0; rows && i < rows->count; i++)
            FAIL_IF(
                rows->items[i].count > columns->count, ST_BAD,
                "line %d: \"sections\": item %zu: row %zu: expected at most %zu cells, as there are columns, got %zu",
                rows->items[i].line, s + 1, i + 1, columns->count, rows->items[i].count);
    }
    return ST_OK;
}
Status schema_check(ResultKind kind, const Json *root) {
    if (kind == KIND_PICTURES) return check_objects(root, fields_of[kind]);
    TRY(check_object(root, fields_of[kind]));
    return kind == KIND_PAGE ? check_tables(root) : ST_OK;
}

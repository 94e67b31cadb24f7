// What the page shows as one long table for other programs, and what was read as JSON.
#include "report/parts.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

// Where a value stands: file, verb, table, row, column.
typedef struct Place {
    const char *file, *verb, *table, *row;
} Place;

// A text that a spreadsheet would take for a formula gets an apostrophe in front, as spreadsheets write it themselves.
static void put_field(Text *out, const char *text) {
    const bool formula = *text && strchr("=+-@\t\r", *text);
    if (!text[strcspn(text, ",\"\r\n'")] && !formula) {
        text_add(out, "%s", text);
        return;
    }
    text_add(out, "\"%s", formula ? "'" : "");
    for (; *text; text++) {
        if (*text == '"') text_add(out, "\"\"");
        else if (*text == '\n' || *text == '\r') text_add(out, " ");
        else text_bytes(out, text, 1);
    }
    text_add(out, "\"");
}
static void put_place(Text *out, const Place *place, const char *column) {
    const char *const fields[] = {place->file, place->verb, place->table, place->row, column};
    for (size_t i = 0; i < COUNT_OF(fields); i++) put_field(out, fields[i]), text_add(out, ",");
}
static void put_known(Text *out, double value) {
    if (isfinite(value)) text_double(out, value);
}
static void put_value(Text *out, const Place *place, const char *column, Estimate e) {
    put_place(out, place, column);
    put_known(out, e.value), text_add(out, ",");
    put_known(out, e.low), text_add(out, ",");
    put_known(out, e.high), text_add(out, ",\n");
}
static void put_words(Text *out, const Place *place, const char *column, const char *text) {
    put_place(out, place, column);
    text_add(out, ",,,");
    put_field(out, text);
    text_add(out, "\n");
}

// ---- results: every key by its form

static bool is_drawing(const char *key, const char *table) {
    return !strcmp(table, "slices") && (!strcmp(key, "picture") || !strcmp(key, "truth") || !strcmp(key, "mask"));
}
static void put_scalars(Text *out, const Place *place, const Json *object) {
    for (size_t i = 0; i < object->count; i++) {
        const Json *value = &object->items[i];
        const char *key = object->keys[i];
        if (is_drawing(key, place->table)) continue;
        if (value->type == JSON_NUMBER) put_value(out, place, key, estimate_of(object, key));
        else if (value->type == JSON_STRING) put_words(out, place, key, value->string);
        else if (value->type == JSON_BOOL) put_words(out, place, key, value->boolean ? "true" : "false");
    }
}
static void put_items(Text *out, Place place, const Json *list) {
    static const char *const names[] = {"name", "patient", "case", "file", "path", "isa", "key"};
    char number[24];
    for (size_t i = 0; i < list->count; i++) {
        const Json *item = &list->items[i];
        snprintf(number, sizeof number, "%zu", i + 1);
        place.row = number;
        for (size_t k = 0; k < COUNT_OF(names) && place.row == number; k++)
            if (text_of(item, names[k])) place.row = text_of(item, names[k]);
        if (item->type == JSON_OBJECT) put_scalars(out, &place, item);
        else if (item->type == JSON_NUMBER)
            put_value(out, &place, place.table, (Estimate){item->number, (double)NAN, (double)NAN});
        else if (item->type == JSON_STRING) put_words(out, &place, place.table, item->string);
    }
}
static void put_result(Text *out, const Result *result) {
    const Json *root = result->root;
    Place place = {result->name, kind_verb(result->kind), "result", ""};
    if (result->kind == KIND_PICTURES) {
        place.table = "pictures";
        put_items(out, place, root);
        return;
    }
    put_scalars(out, &place, root);
    for (size_t i = 0; i < root->count; i++) {
        const Json *value = &root->items[i];
        place.table = root->keys[i];
        if (value->type == JSON_ARRAY) put_items(out, place, value);
        else if (value->type == JSON_OBJECT && strcmp(place.table, "intervals") != 0) put_scalars(out, &place, value);
    }
}

// ---- pages of sections

static void put_cell(Text *out, const Place *place, const char *column, const Json *cell) {
    const Estimate e = {cell->type == JSON_NUMBER ? cell->number : number_of(cell, "value"), number_of(cell, "low"),
                        number_of(cell, "high")};
    const char *text = cell->type == JSON_STRING ? cell->string : text_of(cell, "text");
    if (text) put_words(out, place, column, text);
    else put_value(out, place, column, e);
}
static void put_table(Text *out, Place place, const Json *table) {
    const Json *columns = list_of(table, "columns"), *rows = list_of(table, "rows");
    char number[24];
    for (size_t i = 0; columns && rows && i < rows->count; i++) {
        const Json *row = &rows->items[i];
        snprintf(number, sizeof number, "%zu", i + 1);
        place.row = number;
        for (size_t c = 0; c < row->count; c++)
            put_cell(out, &place, text_of(&columns->items[c], "name"), &row->items[c]);
    }
}
static void put_page(Text *out, const Result *result) {
    const Json *sections = list_of(result->root, "sections");
    for (size_t s = 0; sections && s < sections->count; s++) {
        const Json *section = &sections->items[s], *series = list_of(section, "series"),
                   *bars = list_of(section, "bars");
        const char *title = text_of(section, "title");
        Place place = {result->name, "page", title ? title : "", ""};
        put_table(out, place, json_get(section, "table"));
        for (size_t i = 0; series && i < series->count; i++) {
            const Json *values = list_of(&series->items[i], "values");
            place.row = text_of(&series->items[i], "name");
            for (size_t k = 0; values && k < values->count; k++) put_cell(out, &place, "value", &values->items[k]);
        }
        if (bars) put_items(out, place, bars);
    }
}

Status report_csv(const ReportInput *inputs, size_t count, Text *out) {
    Results results;
    TRY(results_parse(inputs, count, &results));
    text_add(out, "file,verb,table,row,column,value,low,high,text\n");
    for (size_t i = 0; i < results.count; i++) {
        if (results.items[i].kind == KIND_PAGE) put_page(out, &results.items[i]);
        else put_result(out, &results.items[i]);
    }
    results_drop(&results);
    return text_status(out);
}

// ---- what was read

static void put_key(JsonWriter *writer, const Json *root, const char *key) {
    if (!text_of(root, key)) return;
    json_key(writer, key), json_string(writer, text_of(root, key));
}
Status report_summary(const ReportInput *inputs, size_t count, JsonWriter *writer) {
    Results results;
    Text answer = {0};
    TRY(results_parse(inputs, count, &results));
    const PlainLocale locale = enter_plain_locale();
    answer_line(&results, &answer);
    leave_plain_locale(locale);
    json_key(writer, "answer"), json_string(writer, answer.length ? text_get(&answer) : NULL);
    json_key(writer, "results"), json_begin_array(writer);
    for (size_t i = 0; i < results.count; i++) {
        const Result *one = &results.items[i];
        json_begin_object(writer);
        json_key(writer, "file"), json_string(writer, one->name);
        json_key(writer, "verb"), json_string(writer, kind_verb(one->kind));
        put_key(writer, one->root, "title"), put_key(writer, one->root, "model"),
            put_key(writer, one->root, "content_hash");
        json_end_object(writer);
    }
    json_end_array(writer);
    const Status status = text_status(&answer);
    text_free(&answer);
    results_drop(&results);
    return status;
}

// The page for people: one self-contained HTML file made of what the verbs print with --json. No network, no script or
// font from elsewhere, no date that the input does not have: the same input gives the same bytes.
//
// Inputs are foreign text: whatever their strings hold, it comes out as text, never as markup. What a verb is expected
// to print is in schema.c; unknown keys are passed over, a wrong type is ST_BAD with its file and place.
#pragma once
#include "base/json.h"

typedef struct ReportInput {
    const char *name; // of the file, for messages and headings
    const char *text; // JSON of one result, or the lines of segment's results.json
    size_t length;
} ReportInput;

typedef struct ReportOptions {
    const char *title; // NULL: that of a page among the inputs, else the answer in one line
} ReportOptions;

// ST_BAD: damaged JSON, no result, a wrong type; ST_UNSUPPORTED: of a verb that is not drawn (the message names it). On
// failure `out` may hold a part. options NULL: defaults.
Status report_html(const ReportInput *inputs, size_t count, const ReportOptions *options, Text *out);
// The main tables of all inputs in one long form: file, verb, table, row, column, value, low, high, text.
Status report_csv(const ReportInput *inputs, size_t count, Text *out);
// What was read: the keys `answer` (the line on top of the page) and `results` [{file, verb, ...}].
Status report_summary(const ReportInput *inputs, size_t count, JsonWriter *writer);

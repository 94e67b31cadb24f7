// Inside report/: what the sections of the page share.
#pragma once
#include "report/html.h"

// ---- read.c: inputs to checked results

typedef enum ResultKind {
    KIND_EVAL,
    KIND_BENCH,
    KIND_PROFILE,
    KIND_VERIFY,
    KIND_TUNE,
    KIND_MACHINE,
    KIND_SEGMENT,
    KIND_PICTURES, // segment's results.json: root is an array of its lines
    KIND_PAGE,
    KINDS
} ResultKind;
const char *kind_verb(ResultKind kind); // "eval"; "results.json" for KIND_PICTURES
bool kind_of_verb(const char *verb, ResultKind *out);

typedef struct Result {
    const char *name;
    ResultKind kind;
    const Json *root; // every known key has its type, see schema.c
    bool drawn;       // its sections are on the page
} Result;
typedef struct Results {
    Result *items;
    size_t count;
    Arena arena;
} Results;
Status results_parse(const ReportInput *inputs, size_t count, Results *out);
void results_drop(Results *results);
// The first result of this kind, or NULL.
const Result *results_first(const Results *results, ResultKind kind);
int results_of_kind(const Results *results, ResultKind kind); // how many

// schema.c. The message names the key and what was expected.
Status schema_check(ResultKind kind, const Json *root);

// Keys of a checked result: what is absent or null is NAN, NULL or none.
double number_of(const Json *object, const char *key);
const char *text_of(const Json *object, const char *key); // NULL
const Json *list_of(const Json *object, const char *key); // NULL also for an empty one
bool flag_of(const Json *object, const char *key);        // false
// The numbers of an array that are finite, in `arena`; *count 0: none.
Status numbers_of(const Json *object, const char *key, Arena *arena, double **values, size_t *count);
// A value with its 95 % interval; low, high NAN: not known.
typedef struct Estimate {
    double value, low, high;
} Estimate;
Estimate estimate_of(const Json *object, const char *key); // `intervals` of the object has [low, high] under the key
Estimate ratio_of(const Json *object);                     // ratio_median, ratio_low, ratio_high

// ---- escape.c: text into HTML

// printf's %s, %d, %zu, %.Nf, %%. The format is ours and goes out as it is; every %s is foreign and is escaped, for
// elements and quoted attributes alike. There is no way to put a string in unescaped but text_bytes.
void put(Text *out, const char *format, ...) __attribute__((format(printf, 2, 3)));
// A figure for people: digits behind the point, thousands apart, a real minus; an en dash for what is not known.
void put_figure(Text *out, double value, int digits);
// The same with as many digits as make three to four figures.
void put_rounded(Text *out, double value);
void put_ms(Text *out, double ms); // with its unit: us, ms, s
// "0.694", then "0.610 to 0.770" small, where the interval is known.
void put_estimate(Text *out, Estimate estimate, int digits);
void put_plural(Text *out, double count, const char *one, const char *many); // "1 slice", "296 slices"
void put_small(Text *out, double value);                                     // as a power of ten
// The same as put's %s, with places where a line may break behind '/'.
void put_name(Text *out, const char *text);
// For attributes that the script reads.
void put_plain(Text *out, double value);

bool is_picture_uri(const char *text);  // data:image/png;base64, and nothing but its alphabet behind
bool is_outline_path(const char *text); // M, h, v, z, whole numbers and blanks

// ---- html_tables.c

typedef enum ColumnKind {
    COLUMN_WORDS,
    COLUMN_FIGURES, // keep to the right
    COLUMN_BARS,    // sorted as figures
    COLUMN_OTHER    // pictures and remarks: nothing to sort by
} ColumnKind;
typedef struct Column {
    const char *name, *unit; // unit: NULL or "" for none
    ColumnKind kind;
} Column;
// sortable: the script puts buttons into the heads. table_open_named has no caption but for screen readers.
void table_open_named(Text *out, const char *name, bool sortable, const Column *columns, size_t count);
void table_open(Text *out, const char *caption, bool sortable, const Column *columns, size_t count);
void table_close(Text *out);
void row_open(Text *out, const char *heading); // the first cell
void row_close(Text *out);
void cell_text(Text *out, const char *text); // NULL: an en dash
void cell_figure(Text *out, double value, int digits);
void cell_estimate(Text *out, Estimate estimate, int digits);
void cell_open(Text *out); // of a picture or other markup
void cell_close(Text *out);
// The heading's anchor is "s" and a number, so that no foreign text gets into an id.
typedef struct Page Page;
void section_open(Page *page, const char *title, const char *source); // source: a file's name, or NULL
void section_close(Page *page);
void subsection(Page *page, const char *title);

// ---- svg.c: plots as wide as their column. Places along x are per cent, so that text keeps its size.

typedef struct Scale {
    double low, high, step; // both ends are multiples of step
    int digits;             // that tell ticks apart
} Scale;
Scale scale_make(double low, double high, int ticks);
double scale_at(const Scale *scale, double value); // 0..100, cut at the ends
void svg_grid(Text *out, const Scale *scale, int height);
void svg_axis(Text *out, const Scale *scale, const char *unit);
// A bar of 0..100 with the part of it that the limit would take.
void svg_bar(Text *out, double part, double limit_part);
// A dot with its interval on a small strip; reference: a thin line, NAN: none.
void svg_dot(Text *out, const Scale *scale, Estimate estimate, double reference);

// ---- the page

struct Page {
    Text *out;
    Results *results;
    Text contents; // links to the sections so far
    int sections;
    int viewers; // for ids
    bool named;  // there are several results, so that sections name theirs
    bool twin;   // the result being drawn has others of its kind, so that the contents name it too
};

// Of times (svg.c).
typedef struct Spread {
    double min, p5, q1, median, q3, p95, max, mean, cv;
    size_t count;
} Spread;
void spread_of(double *values, size_t count, Spread *out); // sorts `values`; count >= 1

// A row of html_times.c's plot.
typedef struct Series {
    const char *name;
    double *values; // finite
    size_t count;
} Series;
Status times_plot(Page *page, Series *series, size_t count, const char *unit);
// Bars of a page of sections (html_profile.c).
typedef struct Bar {
    const char *name, *text; // text: why; NULL for none
    double value, limit;     // limit: that part of value which the machine's limit would take; NAN: not known
} Bar;
void bars_plot(Page *page, const Bar *bars, size_t count, const char *unit);

// A file each. They draw what the result has and nothing where it has nothing.
typedef Status DrawSection(Page *page, const Result *result);
DrawSection draw_eval, draw_patients, draw_slices, draw_faults, draw_compare, draw_conventions; // of an eval
DrawSection draw_times;                                                                         // bench, eval
DrawSection draw_before_after;                                                                  // bench --versus, tune
DrawSection draw_profile;                                                                       // and profile --versus
DrawSection draw_verify, draw_tune, draw_segment, draw_pictures, draw_page_sections;
void draw_networks(Page *page);                 // where there are several evals
Status draw_method(Page *page);                 // of all results together: machine, model, what was assumed
Status draw_result(Page *page, Result *result); // all its sections, once

// The answer in one line ("Masks unchanged; 3.1 times as fast; Dice 0.694"), and the figures below it.
void answer_line(const Results *results, Text *out); // plain text
void answer_figures(const Results *results, Text *out);

// assets.c
typedef struct Asset {
    const char *begin, *end;
} Asset;
Asset asset_style(void), asset_script(void);

// report: one page for people from what the verbs printed with --json.
#include "app/app.h"
#include "base/file.h"
#include "report/html.h"
#include <string.h>

static const size_t file_limit = (size_t)256 << 20;
enum { MOST_RESULTS = 256 };

static Status read_inputs_of_report(const char *const *paths, int count, ReportInput *inputs) {
    for (int i = 0; i < count; i++) {
        uint8_t *bytes;
        size_t size;
        TRY(file_read(paths[i], file_limit, &bytes, &size));
        inputs[i] = (ReportInput){path_name(paths[i]), (const char *)bytes, size};
    }
    return ST_OK;
}
// An output over one of the inputs would destroy what it was made of.
static Status check_output(const char *output, const char *const *paths, int count) {
    for (int i = 0; output && i < count; i++)
        FAIL_IF(path_same(output, paths[i]), ST_USAGE, "%s: it is one of the results; choose another name", output);
    return ST_OK;
}
static Status write_text(const char *path, const Text *text) { return file_write(path, text_get(text), text->length); }

static Status make_report(const stent_report_options *o, const ReportInput *inputs, int count,
                          struct stent_result *result) {
    Text html = {0}, csv = {0};
    const ReportOptions options = {.title = o->title};
    JsonWriter *w = &result->writer;
    Status status = report_summary(inputs, (size_t)count, w);
    if (status == ST_OK && o->output) status = report_html(inputs, (size_t)count, &options, &html);
    if (status == ST_OK && o->csv) status = report_csv(inputs, (size_t)count, &csv);
    if (status == ST_OK && o->output) status = write_text(o->output, &html);
    if (status == ST_OK && o->csv) status = write_text(o->csv, &csv);
    json_key(w, "output"), json_string(w, o->output);
    json_key(w, "csv"), json_string(w, o->csv);
    json_key(w, "bytes"), json_integer(w, (int64_t)html.length);
    if (o->output)
        text_add(&result->text, "%s: %.1f kB, opens in any browser, also without a network\n", o->output,
                 (double)html.length / 1e3);
    if (o->csv) text_add(&result->text, "%s: the tables\n", o->csv);
    text_free(&html), text_free(&csv);
    return status;
}
static Status report(const stent_report_options *o, const char *const *paths, int count, struct stent_result *result) {
    ReportInput inputs[MOST_RESULTS] = {{0}};
    FAIL_IF(count < 1, ST_USAGE, "report: expected at least one result, got none");
    FAIL_IF(count > MOST_RESULTS, ST_USAGE, "report: expected at most %d results, got %d", MOST_RESULTS, count);
    FAIL_IF(!o->output && !o->csv, ST_USAGE, "report: expected where to write: -o FILE.html or --csv FILE");
    FAIL_IF(o->output && o->csv && !strcmp(o->output, o->csv), ST_USAGE, "%s: page and tables cannot be one file",
            o->output);
    TRY(check_output(o->output, paths, count));
    TRY(check_output(o->csv, paths, count));
    Status status = read_inputs_of_report(paths, count, inputs);
    if (status == ST_OK) status = make_report(o, inputs, count, result);
    for (int i = 0; i < count; i++) mem_free((void *)(uintptr_t)inputs[i].text);
    return status;
}
stent_status stent_report(const char *const *results, int n_results, const stent_report_options *given,
                          stent_result **out) {
    stent_report_options options = {.size = sizeof options};
    struct stent_result *result = NULL;
    error_clear();
    if (out) *out = NULL;
    Status status = options_take(given, sizeof options, &options);
    if (status == ST_OK) status = result_begin("report", NULL, &options.common, &result);
    if (status == ST_OK) status = result_finish(result, report(&options, results, n_results, result), out);
    return (stent_status)status;
}

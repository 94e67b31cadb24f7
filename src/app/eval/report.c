// eval -o: the page for people, made of the same JSON that eval prints.
#include "app/eval/run.h"
#include "base/file.h"
#include "report/html.h"

Status eval_write_report(EvalRun *run) {
    const char *path = run->options->report;
    struct stent_result *result = run->result;
    Text json = {0}, html = {0};
    if (!path) return ST_OK;
    json_key(&result->writer, "report"), json_string(&result->writer, path);
    text_bytes(&json, text_get(&result->json), result->json.length);
    text_add(&json, "}"); // the result's own object stays open
    const ReportInput input = {run->dataset.name, text_get(&json), json.length};
    Status status = text_status(&result->json);
    if (status == ST_OK) status = text_status(&json);
    if (status == ST_OK) status = report_html(&input, 1, NULL, &html);
    if (status == ST_OK) status = file_write(path, text_get(&html), html.length);
    if (status == ST_OK)
        text_add(&result->text, "\nreport     %s: %.1f kB, opens in any browser, also without a network\n", path,
                 (double)html.length / 1e3);
    text_free(&json);
    text_free(&html);
    return status;
}

// stent report: files in, a page out; exit statuses.
#include "base/file.h"
#include "cli/program.h"
#include "report/samples.h"

static const char *saved(Sample sample, const char *name) {
    const ReportInput input = sample_with(sample, "x");
    const char *path = test_temp(name);
    CHECK_OK(file_write(path, input.text, input.length));
    return path;
}
static const char *saved_text(const char *name, const char *text) {
    const char *path = test_temp(name);
    CHECK_OK(file_write(path, text, strlen(text)));
    return path;
}
TEST(report_of_results) {
    Arena arena = {0};
    const char *page = test_temp("report.html"), *csv = test_temp("report.csv");
    CHECK_INT(program_stdout("report", saved(SAMPLE_BENCH, "bench.json"), saved(SAMPLE_VERIFY, "verify.json"), "-o",
                             page, "--csv", csv, "--json", NULL),
              0);
    const Json *json = program_json(&arena);
    CHECK_TEXT(json_get(json, "verb")->string, "report");
    CHECK_TEXT(json_get(json, "answer")->string, "Verified, mask unchanged; 3.1 times as fast");
    CHECK_INT(json_get(json, "results")->count, 2);
    CHECK_TEXT(json_get(&json_get(json, "results")->items[0], "file")->string, "bench.json");
    CHECK_INT((int64_t)json_get(json, "bytes")->number, file_size(page));
    CHECK(file_size(csv) > 1000);
    arena_free(&arena);
}
TEST(report_of_what_the_program_prints) {
    const char *package = small_package(), *page = test_temp("report.html");
    const char *const verbs[] = {"profile", "verify", "bench", "machine"};
    for (size_t i = 0; i < COUNT_OF(verbs); i++) {
        const char *json = test_temp(verbs[i]);
        if (!strcmp(verbs[i], "machine")) CHECK_INT(program_stdout("machine", "--json", NULL), 0);
        else CHECK_INT(program_stdout(verbs[i], package, "--json", NULL), 0);
        CHECK_OK(file_write(json, program_out, strlen(program_out)));
        CHECK_INT(program("report", json, "-o", page, NULL), 0);
        CHECK(file_size(page) > 20000);
    }
}
TEST(report_refuses) {
    const char *page = test_temp("report.html"), *good = saved(SAMPLE_BENCH, "bench.json");
    CHECK_INT(program("report", good, NULL), 2);
    check_one_line("-o FILE.html or --csv FILE");
    CHECK_INT(program("report", good, "-o", good, NULL), 2);
    check_one_line("it is one of the results");
    CHECK_INT(program("report", good, "-o", page, "--csv", page, NULL), 2);
    check_one_line("cannot be one file");
    CHECK_INT(program("report", test_temp("none.json"), "-o", page, NULL), 3);
    check_one_line("none.json");
    CHECK_INT(program("report", good, saved_text("bad.json", "{"), "-o", page, NULL), 3);
    check_one_line("bad.json: line 1");
    CHECK_INT(program("report", saved_text("info.json", "{\"verb\":\"info\"}"), "-o", page, NULL), 4);
    check_one_line("'info' is not drawn");
    CHECK_INT(path_kind(page), PATH_MISSING);
}

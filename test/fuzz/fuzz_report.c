// What `stent report` draws. Whatever stands in the result, the page has one script, which is ours, and the text of the
// file begins no tag.
#include "fuzz/fuzz.h"
#include "report/html.h"
#include <string.h>

static int count_of(const char *text, const char *part) {
    int count = 0;
    for (const char *at = strstr(text, part); at; at = strstr(at + 1, part)) count++;
    return count;
}
int fuzz_report(const uint8_t *data, size_t size) {
    const ReportInput input = {"result.json", (const char *)data, size};
    Text page = {0}, csv = {0};
    const Status status = report_html(&input, 1, NULL, &page);
    if (status == ST_OK) {
        FUZZ_REQUIRE(count_of(text_get(&page), "<script") == 1 && count_of(text_get(&page), "</script") == 1);
        FUZZ_REQUIRE(!strstr(text_get(&page), "<img") && !strstr(text_get(&page), "<iframe"));
        FUZZ_REQUIRE(utf8_valid(text_get(&page), page.length));
        FUZZ_REQUIRE(report_csv(&input, 1, &csv) == ST_OK);
    }
    text_free(&page), text_free(&csv);
    fuzz_check(status);
    return 0;
}

// The verification protocol: hostile strings come out as text, what is missing is a dash, what is no result is refused.
#include "report/protocol.h"
#include "test.h"

static Status page_of(const char *verified, const char *facts, Text *page) {
    Arena arena = {0};
    Json *a, *b;
    CHECK_OK(json_parse(&arena, verified, strlen(verified), &a));
    CHECK_OK(json_parse(&arena, facts, strlen(facts), &b));
    const Status status = protocol_html(a, b, page);
    arena_free(&arena);
    return status;
}

static int count_of(const char *text, const char *part) {
    int count = 0;
    for (const char *at = text; (at = strstr(at, part)); at++) count++;
    return count;
}

// In every place where a string may stand.
TEST(foreign_strings_are_text) {
    static const char evil[] = "</td><script>alert(1)</script><img src=x onerror=y>&'\\\"\\n\\u0007\\u202egnp";
    char verified[4000], facts[2000];
    Text page = {0};
    snprintf(verified, sizeof verified,
             "{\"verb\": \"verify\", \"ok\": false, \"stent\": \"%s\", \"model\": \"%s\", \"content_hash\": \"%s\","
             "\"plan_hash\": \"%s\", \"plan\": \"%s\", \"precision\": \"%s\", \"machine\": {\"isa\": \"%s\", \"cpu\": "
             "\"%s\"},"
             "\"input\": \"%s\", \"skipped\": \"%s\", \"checks\": [{\"with\": \"%s\", \"ok\": false}],"
             "\"layers\": [{\"name\": \"%s\", \"op\": \"%s\", \"ok\": false}], \"first\": \"%s\"}",
             evil, evil, evil, evil, evil, evil, evil, evil, evil, evil, evil, evil, evil, evil);
    snprintf(facts, sizeof facts,
             "{\"file\": \"%s\", \"date\": \"%s\", \"self_check\": \"%s\", \"made\": {\"%s\": \"%s\", \"gate\": "
             "{\"%s\": [\"%s\", 1]}},"
             "\"pipeline\": {\"a\": \"%s\"}}",
             evil, evil, evil, evil, evil, evil, evil, evil);
    CHECK_OK(page_of(verified, facts, &page));
    const char *text = text_get(&page);
    CHECK(count_of(text, "&lt;script&gt;alert(1)&lt;/script&gt;") >= 22);
    CHECK(!strstr(text, "<script") && !strstr(text, "<img") && !strstr(text, "\xe2\x80\xae"));
    CHECK(strstr(text, "&amp;&#39;&quot; \\x07\\u202egnp"));
    CHECK_INT(count_of(text, "<td"), count_of(text, "</td>"));
    CHECK_INT(count_of(text, "<tr>"), count_of(text, "</tr>"));
    CHECK_INT(count_of(text, "<table"), count_of(text, "</table>"));
    text_free(&page);
}

TEST(missing_and_wrong_values_are_dashes) {
    Text page = {0};
    CHECK_OK(page_of("{\"verb\": \"verify\", \"ok\": true, \"model\": 5, \"checks\": [1, {}], \"machine\": []}", "{}",
                     &page));
    CHECK(strstr(text_get(&page), ">VERIFIED.") && strstr(text_get(&page), "\u2013"));
    CHECK(!strstr(text_get(&page), "Layer by layer"));
    text_free(&page);
}

TEST(figures_of_a_check) {
    Text page = {0};
    CHECK_OK(page_of(
        "{\"verb\": \"verify\", \"ok\": true, \"skipped\": \"the reference: takes long\", \"checks\": ["
        "{\"with\": \"x\", \"ok\": true, \"rms_rel\": 3.18e-7, \"allowed\": 4e-5, \"max_abs\": 0, \"mask_changed\": 2,"
        "\"mask_ties\": 1, \"mask_pixels\": 65536},"
        "{\"with\": \"y\", \"ok\": true, \"atol\": 0.001, \"rtol\": 0, \"outside\": 7, \"allowed\": null}]}",
        "{\"made\": {\"gate\": {\"pooled\": 0.25}, \"list\": [1, true, null]}}", &page));
    const char *text = text_get(&page);
    CHECK(strstr(
        text, "<td class=\"n\">3.18e-07</td><td class=\"n\">4.00e-05</td><td class=\"n\">0</td><td class=\"n\">2</td>"
              "<td class=\"n\">1</td><td class=\"n\">65536</td>"));
    CHECK(strstr(text, "y (7 values beyond 0.001 + 0 * |expected|)") &&
          strstr(text, "Not done: the reference: takes long."));
    CHECK(strstr(text, "gate.pooled</th><td>0.25") && strstr(text, "1, yes, none"));
    text_free(&page);
}

TEST(what_is_no_result_of_verify_is_refused) {
    Text page = {0};
    CHECK_INT(page_of("{\"verb\": \"bench\", \"ok\": true}", "{}", &page), ST_BAD);
    CHECK_INT(page_of("{\"verb\": \"verify\"}", "{}", &page), ST_BAD);
    CHECK_INT(page_of("[1]", "{}", &page), ST_BAD);
    CHECK(!page.length);
    text_free(&page);
}

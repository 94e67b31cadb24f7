// The page: what stands on it, that foreign text stays text, that hostile input is refused or harmless.
#include "report/samples.h"
#include "test.h"
#include <locale.h>

static const char *page_of(const ReportInput *inputs, size_t count) {
    Text out = {0};
    CHECK_OK(report_html(inputs, count, NULL, &out));
    REQUIRE(out.data);
    return kept_until_the_end(&out);
}
static const char *page_of_sample(Sample sample) {
    const ReportInput input = sample_with(sample, "x");
    return page_of(&input, 1);
}
static void check_has(const char *page, const char *part) {
    CHECK_MSG(strstr(page, part), "expected '%s' on the page", part);
}
static const char *title_of(const char *page) {
    const char *begin = strstr(page, "<title>"), *end = begin ? strstr(begin, "</title>") : NULL;
    static char title[512];
    REQUIRE(end && end - begin < (long)sizeof title);
    snprintf(title, sizeof title, "%.*s", (int)(end - begin - 7), begin + 7);
    return title;
}

// ---- a strict reader of our own markup: tags in their order with the names of their attributes

static bool is_void(const char *name) {
    static const char *const names[] = {"meta", "input", "wbr", "br"};
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (!strcmp(name, names[i])) return true;
    return false;
}
typedef struct Skeleton {
    Text tags;
    char open[64][16];
    int depth;
    const char *fault; // what is wrong, or NULL
} Skeleton;
static const char *read_name(const char *at, char name[16]) {
    const size_t length = strspn(at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-!");
    if (!length || length >= 16) return NULL;
    memcpy(name, at, length), name[length] = 0;
    return at + length;
}
static const char *read_attributes(Skeleton *skeleton, const char *at) {
    char name[16];
    while (*at == ' ') {
        const char *end = at + 1 + strcspn(at + 1, " =/>\"'<");
        text_add(&skeleton->tags, " %.*s", (int)(end - at - 1), at + 1);
        at = end;
        if (*at != '=') continue;
        if (at[1] != '"') return skeleton->fault = "an attribute without quotes", NULL;
        at = at + 2 + strcspn(at + 2, "\"<>");
        if (*at != '"') return skeleton->fault = "an attribute with < or >", NULL;
        at++;
    }
    (void)name;
    return at;
}
static const char *read_tag(Skeleton *skeleton, const char *at) {
    char name[16];
    const bool closes = at[1] == '/';
    const char *rest = read_name(at + 1 + closes, name);
    if (!rest) return skeleton->fault = "a '<' that begins no tag", NULL;
    text_add(&skeleton->tags, "%s%s", closes ? "/" : "", name);
    rest = read_attributes(skeleton, rest);
    if (!rest) return NULL;
    const bool itself = *rest == '/';
    rest += itself;
    if (*rest != '>') return skeleton->fault = "a tag without its end", NULL;
    text_add(&skeleton->tags, "\n");
    if (closes) {
        if (!skeleton->depth || strcmp(skeleton->open[--skeleton->depth], name) != 0)
            return skeleton->fault = "a tag that closes another", NULL;
    } else if (!itself && !is_void(name) && name[0] != '!') {
        if (skeleton->depth == 64) return skeleton->fault = "too deep", NULL;
        strcpy(skeleton->open[skeleton->depth++], name);
        // What stands in these is not markup.
        if (!strcmp(name, "script") || !strcmp(name, "style"))
            return strstr(rest, !strcmp(name, "script") ? "</script>" : "</style>");
    }
    return rest + 1;
}
static char *skeleton_of(const char *page) {
    Skeleton skeleton = {.fault = NULL};
    for (const char *at = page; at && *at;) {
        if (*at == '<') at = read_tag(&skeleton, at);
        else if (*at == '>') skeleton.fault = "a '>' in text", at = NULL;
        else at++;
    }
    CHECK_MSG(!skeleton.fault, "%s, behind %.200s", skeleton.fault,
              skeleton.tags.length > 200 ? skeleton.tags.data + skeleton.tags.length - 200 : text_get(&skeleton.tags));
    CHECK_INT(skeleton.depth, 0);
    REQUIRE(skeleton.tags.data);
    return skeleton.tags.data;
}

// ---- structure

TEST(markup_is_well_formed) {
    ReportInput inputs[SAMPLES];
    samples_with("x", inputs);
    free(skeleton_of(page_of(inputs, SAMPLES)));
    for (int i = 0; i < SAMPLES; i++) free(skeleton_of(page_of(&inputs[i], 1)));
}
TEST(nothing_comes_from_elsewhere) {
    ReportInput inputs[SAMPLES];
    samples_with("x", inputs);
    const char *page = page_of(inputs, SAMPLES);
    static const char *const never[] = {"http://", "https://", "src=\"/", "@import", "url(//", "<link", "<iframe"};
    for (size_t i = 0; i < COUNT_OF(never); i++) {
        const char *at = strstr(page, never[i]);
        while (at && !strncmp(at, "http://www.w3.org/2000/svg", 26))
            at = strstr(at + 1, never[i]); // a name, not a place
        CHECK_MSG(!at, "'%s' on the page: %.60s", never[i], at ? at : "");
    }
    check_has(page, "default-src 'none'; img-src data:; style-src 'sha256-");
    CHECK(!strstr(page, " style=")); // it would be refused by that policy
    CHECK(!strstr(page, " onclick="));
}
TEST(eval_has_its_sections) {
    static const char *const parts[] = {"Masks against truth",
                                        "Against another network",
                                        "Patients",
                                        "Slices",
                                        "Time per case",
                                        "Faults in the data",
                                        "Conventions of the metrics",
                                        "What was assumed",
                                        "Machine and method",
                                        "0.6944",
                                        "0.5800 to 0.8000",
                                        "12\u202f345",
                                        "no mask here",
                                        "2 more are not shown",
                                        "equal x"};
    const char *page = page_of_sample(SAMPLE_EVAL);
    for (size_t i = 0; i < COUNT_OF(parts); i++) check_has(page, parts[i]);
    CHECK_TEXT(title_of(page), "3 mask pixels changed; Dice 0.694; 12.0 ms a case");
}
TEST(worst_comes_first) {
    const char *page = page_of_sample(SAMPLE_EVAL);
    const char *bad = strstr(page, "<figure class=\"slice\" data-patient=\"0\""),
               *good = strstr(page, "<figure class=\"slice\" data-patient=\"1\"");
    REQUIRE(bad && good && bad < good);
    const char *name = strstr(bad, "bad/<wbr>1 x");
    CHECK(name && name < good);
    CHECK(strstr(page, "<th scope=\"row\">bad x") < strstr(page, "<th scope=\"row\">good x"));
}
TEST(layers_are_bars_with_their_reason) {
    const char *page = page_of_sample(SAMPLE_PROFILE);
    check_has(page, "bound by x");
    check_has(page, "reference path");
    CHECK(strstr(page, "<th scope=\"row\">Pool") < strstr(page, "<th scope=\"row\">Conv x")); // the slowest first
    // The first layer takes a third of the longest one's time, and would take half of that at the limit.
    check_has(page, "<rect class=\"bar-all\" x=\"0\" y=\"0.5\" width=\"33.33%\" height=\"11\"/>"
                    "<rect class=\"bar-limit\" x=\"0\" y=\"0.5\" width=\"16.67%\" height=\"11\"/>");
    check_has(page, "\u22125.00\u00a0ms"); // a difference of --versus
}
TEST(before_and_after_with_intervals) {
    const char *page = page_of_sample(SAMPLE_BENCH);
    CHECK_TEXT(title_of(page), "3.1 times as fast");
    check_has(page, "3.10 times as fast");
    check_has(page, "2.94 to 3.23");
    check_has(page, "30.20 to 31.10"); // the median of seven runs: from the lowest to the highest
    check_has(page, "preempted x");
}
TEST(answer_of_several_results) {
    ReportInput inputs[] = {sample_with(SAMPLE_EVAL, "x"), sample_with(SAMPLE_BENCH, "x"),
                            sample_with(SAMPLE_VERIFY, "x")};
    char *same = strdup(inputs[0].text), *changed = strstr(same, "\"changed_px\":3");
    changed[13] = '0';
    inputs[0].text = same;
    CHECK_TEXT(title_of(page_of(inputs, 3)), "Masks unchanged; 3.1 times as fast; Dice 0.694");
    CHECK_TEXT(title_of(page_of(inputs + 2, 1)), "Verified, mask unchanged");
    free(same);
}
TEST(several_networks_stand_side_by_side) {
    ReportInput inputs[] = {sample_with(SAMPLE_EVAL, "a"), sample_with(SAMPLE_EVAL, "b")};
    const char *page = page_of(inputs, 2);
    check_has(page, "Networks side by side");
    CHECK_TEXT(title_of(page), "6 mask pixels changed; Dice 0.694 (neta.onnx), 0.694 (netb.onnx)");
    check_has(page, "<p class=\"figures-of\">netb.onnx</p>\n<dl class=\"figures\">"); // whose figures these are
    check_has(page, ">Patients</a> <span class=\"source\">eval.json</span>");
    const char *one = page_of(inputs, 1);
    CHECK(!strstr(one, "Networks side by side") && !strstr(one, "<p class=\"figures-of\">"));
}
TEST(page_of_sections) {
    const char *page = page_of_sample(SAMPLE_PAGE);
    CHECK_TEXT(title_of(page), "Title x");
    check_has(page, "<p class=\"lede\">Subtitle x</p>");
    check_has(page, "0.818600");
    check_has(page, "1.20 <small class=\"interval\">1.10 to 1.30</small>");
    check_has(page, "<td class=\"t muted\">GPU x</td><td class=\"n\" data-v=\"\">\u2013</td><td class=\"t plain\">no "
                    "GPU here x</td>");
    check_has(page, "taken for granted x");
    ReportInput both[] = {sample_with(SAMPLE_VERIFY, "x"), sample_with(SAMPLE_PAGE, "x")};
    page = page_of(both, 2);
    const char *once = strstr(page, "The result agrees");
    CHECK(once && !strstr(once + 1, "The result agrees")); // where the page wants it, and only there
}
TEST(same_input_same_bytes) {
    ReportInput inputs[SAMPLES];
    samples_with("x", inputs);
    CHECK_TEXT(page_of(inputs, SAMPLES), page_of(inputs, SAMPLES));
}
TEST(numbers_have_a_point_in_any_locale) {
    if (!setlocale(LC_ALL, "de_DE.UTF-8") && !setlocale(LC_ALL, "de_DE.utf8"))
        test_skip("no locale with a decimal comma here");
    const char *page = page_of_sample(SAMPLE_PROFILE);
    check_has(page, "width=\"33.33%\"");
}

// ---- foreign text

TEST(foreign_text_stays_text) {
    // As JSON has it: quotes and backslashes escaped.
    static const char *const hostile[] = {"</script><img src=x onerror=alert(1)>",
                                          "\\\"><svg onload=alert(1)>",
                                          "' onmouseover='alert(1)",
                                          "--><!--",
                                          "&lt;b&gt;",
                                          "</title></style><base href=//evil.example>",
                                          "]]>",
                                          "\\u202egnp.exe",
                                          "\\u0001\\n"};
    ReportInput inputs[SAMPLES];
    samples_with("x", inputs);
    char *plain = skeleton_of(page_of(inputs, SAMPLES));
    for (size_t i = 0; i < COUNT_OF(hostile); i++) {
        samples_with(hostile[i], inputs);
        const char *page = page_of(inputs, SAMPLES);
        char *skeleton = skeleton_of(page);
        // Slashes are followed by places where a line may break; nothing else may be another.
        Text without = {0}, plain_without = {0};
        for (const char *line = skeleton, *end; (end = strchr(line, '\n')); line = end + 1)
            if (strncmp(line, "wbr\n", 4) != 0) text_bytes(&without, line, (size_t)(end - line) + 1);
        for (const char *line = plain, *end; (end = strchr(line, '\n')); line = end + 1)
            if (strncmp(line, "wbr\n", 4) != 0) text_bytes(&plain_without, line, (size_t)(end - line) + 1);
        CHECK_MSG(!strcmp(text_get(&without), text_get(&plain_without)), "%s changes the markup", hostile[i]);
        CHECK(!strstr(page, "<img") && !strstr(page, "<base") && !strstr(page, "\u202e") && !strchr(page, 1));
        text_free(&without), text_free(&plain_without);
        free(skeleton);
    }
    free(plain);
}
TEST(hostile_file_name_and_title) {
    ReportInput input = sample_with(SAMPLE_VERIFY, "x"), other = sample_with(SAMPLE_MACHINE, "x");
    input.name = "<img src=x>", other.name = "\"><script>";
    const ReportInput inputs[] = {input, other};
    const ReportOptions options = {.title = "</title><script>alert(1)</script>; a; b"};
    Text out = {0};
    CHECK_OK(report_html(inputs, 2, &options, &out));
    free(skeleton_of(text_get(&out)));
    CHECK(!strstr(text_get(&out), "<img") && !strstr(text_get(&out), "<script>alert"));
    text_free(&out);
}

// ---- hostile input

static void check_refused(const char *text, Status status, const char *part) {
    const ReportInput input = {"x.json", text, strlen(text)};
    Text out = {0};
    CHECK_MSG(report_html(&input, 1, NULL, &out) == status, "%.60s: expected status %d", text, status);
    CHECK_MSG(strstr(error_message(), part) && text_starts(error_message(), "x.json: "), "expected '%s' in: %s", part,
              error_message());
    text_free(&out);
}
TEST(no_result) {
    check_refused("", ST_BAD, "empty file");
    check_refused(" \n", ST_BAD, "empty file");
    check_refused("{\"verb\":\"eval\"", ST_BAD, "line 1");
    check_refused("[1,2]", ST_BAD, "expected an object");
    check_refused("{\"cases\":3}", ST_BAD, "expected the key \"verb\"");
    check_refused("{\"verb\":7}", ST_BAD, "expected the key \"verb\" with a text");
    check_refused("\x89PNG\r\n", ST_BAD, "UTF-8");
    check_refused("{\"verb\":\"compile\"}", ST_UNSUPPORTED, "'compile' is not drawn");
    check_refused("{\"verb\":\"results.json\"}", ST_UNSUPPORTED, "not drawn");
    check_refused("{\"verb\":\"page\"}", ST_BAD, "\"sections\"");
    check_refused("{\"path\":\"a\",\"status\":\"ok\"}\nnothing\n", ST_BAD, "line 2");
    check_refused("{\"path\":\"a\",\"status\":\"ok\"}\n{}\n", ST_BAD, "line 2");
}
// {"verb": VERB, REST}
static void check_rest(const char *verb, const char *rest, const char *part) {
    char text[1024];
    snprintf(text, sizeof text, "{\"verb\":\"%s\",%s}", verb, rest);
    check_refused(text, ST_BAD, part);
}
TEST(wrong_types) {
    check_rest("eval", "\"dice_pooled\":\"0.7\"", "\"dice_pooled\": line 1: expected a number, got");
    check_rest("eval", "\"per_patient\":{}", "\"per_patient\": line 1: expected an array of objects, got an object");
    check_rest("eval", "\"per_patient\":[{\"patient\":\"a\"},{\"cases\":1}]",
               "item 2: line 1: expected the key \"patient\"");
    check_rest("eval", "\"intervals\":{\"iou\":[1]}", "[low, high]");
    check_rest("eval", "\"intervals\":{\"iou\":[1,\"2\"]}", "a number");
    check_rest("eval", "\"times\":[1,\"2\"]", "a number");
    check_rest("verify", "\"ok\":1", "true or false");
    check_rest("bench", "\"machine\":{\"isa\":[]}", "\"machine\"");
    check_rest("page", "\"sections\":[{\"table\":{\"columns\":[{\"name\":\"a\"}],\"rows\":[[1,2]]}}]",
               "row 1: expected at most 1 cells");
    check_rest("page", "\"sections\":[{\"table\":{\"columns\":[],\"rows\":[[true]]}}]", "a cell");
    check_rest("page", "\"sections\":[{\"table\":{\"columns\":[],\"rows\":[{}]}}]", "a row");
}
static void check_slice(const char *width, const char *picture, const char *outline, const char *part) {
    char rest[700];
    snprintf(
        rest, sizeof rest,
        "\"slices\":[{\"case\":\"a\",\"patient\":\"b\",\"width\":%s,\"height\":3,\"picture\":\"%s\",\"truth\":\"%s\"}]",
        width, picture, outline);
    check_rest("eval", rest, part);
}
TEST(only_pictures_and_outlines_go_out_as_they_are) {
    static const char good[] = "data:image/png;base64,AAAA";
    check_slice("4", "javascript:alert(1)", "", "a PNG as data:image/png;base64");
    check_slice("4", "data:image/svg+xml;base64,AAAA", "", "a PNG");
    check_slice("4", "data:image/png;base64,AA\\\"AA", "", "a PNG");
    check_slice("4", "data:image/png;base64,AAAA<", "", "a PNG");
    check_slice("4", "data:image/png;base64,", "", "a PNG");
    check_slice("4", "data:image/png;base64,AA==AA", "", "a PNG");
    check_slice("4", "https://evil.example/a.png", "", "a PNG");
    check_slice("4", good, "M0 0h1\\\"/><script>", "an outline");
    check_slice("4", good, "M0 0L1 1", "an outline");
    check_slice("0", good, "", "pixels");
    check_slice("1.5", good, "", "pixels");
    check_slice("1e300", good, "", "pixels");
}
// Every value of every sample, each in turn, is another one of another type: drawn or refused, never a fault.
TEST(any_value_may_be_another) {
    static const char *const values[] = {"null", "true", "-1e308", "\"a\"", "[]", "{}", "[null]", "[[1]]"};
    for (int s = 0; s < SAMPLES; s++) {
        const ReportInput input = sample_with((Sample)s, "x");
        for (const char *at = strchr(input.text, ':'); at; at = strchr(at + 1, ':')) {
            if (at[-1] != '"' || at[1] == ' ') continue;
            const size_t length = at[1] == '"' ? strcspn(at + 2, "\"") + 2 : strcspn(at + 1, ",}]\n");
            if (at[1] == '[' || at[1] == '{') continue; // their items come by themselves
            for (size_t v = 0; v < COUNT_OF(values); v++) {
                Text changed = {0}, out = {0};
                text_bytes(&changed, input.text, (size_t)(at + 1 - input.text));
                text_add(&changed, "%s%s", values[v], at + 1 + length);
                const ReportInput other = {"x.json", text_get(&changed), changed.length};
                const Status status = report_html(&other, 1, NULL, &out);
                CHECK_MSG(status == ST_OK || status == ST_BAD || status == ST_UNSUPPORTED, "%.200s: status %d", at,
                          status);
                if (status == ST_OK) free(skeleton_of(text_get(&out)));
                text_free(&changed), text_free(&out);
            }
        }
    }
}
TEST(strange_numbers) {
    const char *text = "{\"verb\":\"bench\",\"ms\":[0,0,0],\"median_ms\":1e300,\"ratio_median\":1e-300,\"ratio_low\":-"
                       "5,\"ratio_high\":1e308,\"drift\":-1e300,"
                       "\"outliers\":[{},{\"run\":1e300,\"over\":-1e300}]}";
    const ReportInput bench = {"x.json", text, strlen(text)};
    free(skeleton_of(page_of(&bench, 1)));
    const char *profile_text = "{\"verb\":\"profile\",\"layers\":[{\"name\":\"a\",\"ms\":-1e300,\"part_of_limit\":"
                               "1e300},{\"name\":\"b\"},{\"name\":\"c\",\"ms\":1e308,"
                               "\"part_of_limit\":1e308}],\"sum_ms\":0,\"flop\":1e308}";
    const ReportInput profile = {"x.json", profile_text, strlen(profile_text)};
    free(skeleton_of(page_of(&profile, 1)));
    const char *page_text =
        "{\"verb\":\"page\",\"sections\":[{\"series\":[{\"name\":\"a\",\"values\":[-1e308,1e308]},{\"name\":\"b\","
        "\"values\":[]},{\"name\":\"c\","
        "\"values\":[1e-320,3,3,3]}],\"bars\":[{\"name\":\"a\",\"value\":-1e308,\"limit\":1e308}]}]}";
    const ReportInput page = {"x.json", page_text, strlen(page_text)};
    const char *html = page_of(&page, 1);
    free(skeleton_of(html));
    CHECK(!strstr(html, "nan%") && !strstr(html, "inf%"));
}

// ---- size, memory

TEST(twelve_patients_stay_small) {
    enum { PATIENTS = 12, SLICES = 3, PICTURE_BYTES = 100000 };
    Text json = {0};
    char *picture = malloc(PICTURE_BYTES + 1);
    REQUIRE(picture);
    memset(picture, 'A', PICTURE_BYTES), picture[PICTURE_BYTES] = 0;
    text_add(&json, "{\"verb\":\"eval\",\"cases\":300,\"slices\":[");
    for (int i = 0; i < PATIENTS * SLICES; i++)
        text_add(&json,
                 "%s{\"case\":\"c%d\",\"patient\":\"p%d\",\"dice\":0.5,\"width\":256,\"height\":256,\"picture\":\"data:"
                 "image/png;base64,%s\",\"truth\":\"M1 1h1v1h-1z\"}",
                 i ? "," : "", i, i / SLICES, picture);
    text_add(&json, "],\"times\":[1");
    for (int i = 1; i < 1000; i++) text_add(&json, ",%d", i % 17);
    text_add(&json, "]}");
    const ReportInput input = {"eval.json", text_get(&json), json.length};
    const size_t length = strlen(page_of(&input, 1));
    CHECK_MSG(length < PATIENTS * SLICES * PICTURE_BYTES + 150000, "%zu bytes: pictures once, and little beside them",
              length);
    text_free(&json);
    free(picture);
}
TEST(no_memory) {
    ReportInput inputs[SAMPLES];
    samples_with("x", inputs);
    for (int n = 0; n < 4000; n += n < 200 ? 1 : 37) {
        Text out = {0};
        const int64_t before = memory_live();
        mem_fail_after(n);
        const Status status = report_html(inputs, SAMPLES, NULL, &out);
        mem_fail_after(-1);
        CHECK_MSG(status == ST_OK || status == ST_RESOURCE, "failing after %d: status %d", n, status);
        text_free(&out);
        CHECK_INT(memory_live(), before);
        if (status == ST_OK && n > 200) break;
    }
}

// Tables for other programs, and what was read.
#include "report/samples.h"
#include "test.h"

TEST(csv_has_a_value_a_line) {
    ReportInput inputs[SAMPLES];
    Text out = {0};
    samples_with("x", inputs);
    CHECK_OK(report_csv(inputs, SAMPLES, &out));
    const char *csv = text_get(&out);
    static const char *const lines[] = {
        "file,verb,table,row,column,value,low,high,text\n",
        "\neval.json,eval,result,,dice_pooled,0.69438,0.58,0.8,\n",
        "\neval.json,eval,per_patient,bad x,dice_pooled,0.1,,,\n",
        "\neval.json,eval,faults,file/x,message,,,,message x\n",
        "\nbench.json,bench,ms,7,ms,30,,,\n",
        "\nprofile.json,profile,layers,first/x,part_of_limit,0.5,,,\n",
        "\nresults.json,results.json,pictures,folder/bx,error,,,,error x\n",
        "\npage.json,page,Table 1 x,1,after,1.2,1.1,1.3,\n",
        "\npage.json,page,Table 1 x,2,after,,,,no GPU here x\n",
        "\npage.json,page,Table 1 x,PyTorch x,value,2,,,\n",
    };
    for (size_t i = 0; i < COUNT_OF(lines); i++)
        CHECK_MSG(strstr(csv, lines[i]), "expected '%s' in\n%s", lines[i], csv);
    CHECK(!strstr(csv, "base64")); // pictures are no figures
    text_free(&out);
}
// A name that a spreadsheet would run.
TEST(csv_holds_no_formula) {
    const ReportInput input = sample_with(SAMPLE_PICTURES, "x");
    static const char text[] =
        "{\"path\":\"=cmd|' /C calc'!A0\",\"status\":\"ok\",\"note\":\"a, \\\"b\\\"\\nc\",\"mask\":\"-1+1\"}\n";
    const ReportInput hostile = {"@x.json", text, strlen(text)};
    Text out = {0};
    CHECK_OK(report_csv(&hostile, 1, &out));
    CHECK(strstr(text_get(&out),
                 "\n\"'@x.json\",results.json,pictures,\"'=cmd|' /C calc'!A0\",path,,,,\"'=cmd|' /C calc'!A0\"\n"));
    CHECK(strstr(text_get(&out), "note,,,,\"a, \"\"b\"\" c\"\n"));
    CHECK(strstr(text_get(&out), "mask,,,,\"'-1+1\"\n"));
    text_free(&out);
    (void)input;
}
TEST(summary_names_what_was_read) {
    ReportInput inputs[] = {sample_with(SAMPLE_BENCH, "x"), sample_with(SAMPLE_PAGE, "x")};
    Text out = {0};
    JsonWriter writer = {.text = &out};
    json_begin_object(&writer);
    CHECK_OK(report_summary(inputs, 2, &writer));
    json_end_object(&writer);
    CHECK_TEXT(text_get(&out), "{\"answer\": \"3.1 times as fast\", \"results\": [{\"file\": \"bench.json\", \"verb\": "
                               "\"bench\", \"model\": \"netx.onnx\", "
                               "\"content_hash\": \"x0123456789abcdef\"}, {\"file\": \"page.json\", \"verb\": "
                               "\"page\", \"title\": \"Title x\"}]}");
    text_free(&out);
}

#include "report/samples.h"
#include "test.h"

#define MACHINE "\"machine\":{\"isa\":\"avx2\",\"threads\":2,\"cpu\":\"CPU @\"}"
#define HEAD(verb)                                                                                                     \
    "{\"verb\":\"" verb                                                                                                \
    "\",\"stent\":\"@\",\"model\":\"net@.onnx\",\"content_hash\":\"@0123456789abcdef\",\"plan_hash\":"                 \
    "\"@\",\"plan\":\"untuned@\",\"precision\":\"fp32@\"," MACHINE ","
// A grey pixel.
#define PICTURE                                                                                                        \
    "data:image/"                                                                                                      \
    "png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg=="

const char *const sample_names[SAMPLES] = {"eval.json",    "bench.json",   "profile.json", "verify.json", "tune.json",
                                           "machine.json", "segment.json", "results.json", "page.json"};
const char *const samples[SAMPLES] = {
    [SAMPLE_EVAL] =
        HEAD("eval") "\"cases\":4,\"patients\":2,\"dataset\":\"set "
                     "@\",\"layout\":\"kaggle_3m@\",\"dice_pooled\":0.69438,\"dice_mean\":0.6763,"
                     "\"dice_patient_mean\":0.6902,\"dice_smooth1\":0.68,\"dice_smooth100\":0.7,\"dice_soft\":null,"
                     "\"iou\":0.6,\"iou_pooled\":0.53,"
                     "\"hd95_px\":21.4,\"hd95_mm\":null,\"sensitivity\":0.7,\"specificity\":0.99,\"intervals\":{\"dice_"
                     "pooled\":[0.58,0.8],"
                     "\"dice_patient_mean\":[0.57,0.81]},\"bootstrap\":{\"resamples\":2000,\"seed\":1},\"conventions\":"
                     "[{\"key\":\"dice_pooled\","
                     "\"name\":\"pooled @\",\"equals\":\"equal @\",\"empty\":\"one @\",\"text\":\"what "
                     "@\"}],\"ms\":{\"min\":11,\"median\":12,\"p90\":13,"
                     "\"mean\":12,\"std\":0.5},\"times\":[11.5,12,12.1,12.2,13,12.4],\"classes\":[{\"class\":1,"
                     "\"name\":\"tumour @\",\"dice_pooled\":0.7}],"
                     "\"per_patient\":[{\"patient\":\"good "
                     "@\",\"cases\":2,\"dice_pooled\":0.9,\"dice_mean\":0.8,\"iou_pooled\":0.8,\"hd95_px\":null,"
                     "\"sensitivity\":0.9,\"specificity\":0.99,\"truth_px\":12345,\"mask_px\":300,\"ms_median\":12.1},{"
                     "\"patient\":\"bad @\",\"cases\":2,"
                     "\"dice_pooled\":0.1,\"truth_px\":200,\"mask_px\":100}],\"worst\":[{\"case\":\"bad/1 "
                     "@\",\"patient\":\"bad @\",\"dice\":0.1,"
                     "\"truth_px\":5,\"mask_px\":6}],\"faults\":[{\"file\":\"file/@\",\"fault\":\"size "
                     "@\",\"message\":\"message @\"}],\"faulty\":1,"
                     "\"assumed\":[\"assumed @\"],\"compare\":{\"with\":\"other "
                     "@\",\"content_hash\":\"@\",\"changed_px\":3,\"pixels\":262144,"
                     "\"cases_changed\":1,\"dice_pooled_other\":0.694,\"dice_difference\":0.0001,\"worst\":[{\"case\":"
                     "\"case @\",\"changed_px\":3,"
                     "\"dice\":0.5,\"dice_other\":0.6}]},\"slices\":[{\"case\":\"good/2 @\",\"patient\":\"good "
                     "@\",\"rank\":\"best @\",\"dice\":0.95,"
                     "\"hd95_px\":null,\"ms\":12,\"width\":4,\"height\":3,\"picture\":\"" PICTURE
                     "\",\"truth\":\"M1 1h2v1h-2z\",\"mask\":\"\"},"
                     "{\"case\":\"bad/1 @\",\"patient\":\"bad @\",\"rank\":\"worst "
                     "@\",\"dice\":0.1,\"hd95_px\":2.5,\"ms\":13,\"width\":4,\"height\":3,"
                     "\"picture\":\"" PICTURE
                     "\",\"truth\":\"M0 0h1v1h-1z\",\"mask\":\"M1 1h2v1h-2z\"}],\"slices_left_out\":2}\n",
    [SAMPLE_BENCH] = HEAD("bench") "\"open_ms\":100,\"ms\":[10,10.2,9.9,10.1,10.3,10.2,30],\"versus_ms\":[31,30.5,30.2,"
                                   "31.1,30.8,30.4,30.6],\"min_ms\":9.9,"
                                   "\"median_ms\":10.2,\"p90_ms\":18,\"p99_ms\":29,\"cv\":0.5,\"peak_rss_mb\":126,"
                                   "\"drift\":1.01,\"outliers\":[{\"run\":7,\"ms\":30,"
                                   "\"over\":1.94,\"causes\":[\"preempted @\"]}],\"versus\":\"other "
                                   "@\",\"versus_median_ms\":30.6,\"ratio_median\":0.3226,"
                                   "\"ratio_low\":0.31,\"ratio_high\":0.34,\"rounds\":9}\n",
    [SAMPLE_PROFILE] =
        HEAD("profile") "\"layers\":[{\"name\":\"first/@\",\"op\":\"Conv @\",\"shape\":\"1x3 "
                        "@\",\"parts\":[\"@\"],\"solver\":\"direct @\",\"configuration\":"
                        "\"chunk @\",\"ms\":1,\"gflops\":50,\"limit_gflops\":100,\"part_of_limit\":0.5,\"why\":\"bound "
                        "by @\",\"fallback\":true},"
                        "{\"name\":\"second/"
                        "@\",\"op\":\"Pool\",\"ms\":3,\"gflops\":1,\"part_of_limit\":0.25,\"why\":\"memory\","
                        "\"fallback\":false}],"
                        "\"sum_ms\":4,\"whole_ms\":4.1,\"flop\":2e9,\"versus\":{\"file\":\"old @\",\"isa\":\"sse2 "
                        "@\",\"threads\":2,\"cpu\":\"@\",\"sum_ms\":9,"
                        "\"layers\":[{\"name\":\"first/@\",\"ms\":1,\"versus_ms\":4,\"ratio\":0.25,\"why\":\"why "
                        "@\"}],\"causes\":[{\"cause\":\"place @\","
                        "\"why\":\"ISA @\",\"ms\":-5,\"layers\":[\"@\"]}]}}\n",
    [SAMPLE_VERIFY] = HEAD(
        "verify") "\"ok\":true,\"max_abs\":7e-6,\"max_rel\":1.5,\"rms_rel\":3.9e-7,\"mask_changed\":0,\"mask_ties\":0,"
                  "\"mask_pixels\":65536,"
                  "\"budget\":4e-5,\"input\":\"sample "
                  "@\",\"layers\":[{\"name\":\"layer/@\",\"op\":\"@\",\"max_abs\":1e-6,\"rms_rel\":0,\"ok\":true}],"
                  "\"first\":null,\"checks\":[{\"with\":\"check "
                  "@\",\"ok\":true,\"rms_rel\":1e-7,\"allowed\":4e-5,\"max_abs\":1e-6,\"mask_changed\":0}],\"skipped\":"
                  "\"skipped @\"}\n",
    [SAMPLE_TUNE] =
        HEAD("tune") "\"layers\":[{\"name\":\"layer/@\",\"op\":\"Conv "
                     "@\",\"shape\":\"@\",\"share\":0.2,\"configurations\":32,\"tried\":3,\"from\":\"from @\","
                     "\"to\":\"to @\",\"ratio\":0.5,\"untuned\":null},{\"name\":\"b\",\"untuned\":\"one way "
                     "@\"}],\"baseline_ms\":12,\"tuned_ms\":10,"
                     "\"ratio_median\":0.83,\"ratio_low\":0.8,\"ratio_high\":0.86,\"rounds\":20,\"kept\":\"tuned\","
                     "\"trials\":40,\"seconds\":60}\n",
    [SAMPLE_MACHINE] = "{\"verb\":\"machine\",\"stent\":\"@\"," MACHINE
                       ",\"best_isa\":\"avx2 @\",\"levels\":[{\"isa\":\"avx2 @\",\"had\":true,"
                       "\"missing\":[\"@\"]}],\"cores\":2,\"l1d_bytes\":32768,\"l2_bytes\":1048576,\"l3_bytes\":"
                       "33554432,\"memory_bytes\":25276510208,"
                       "\"peaks\":[{\"isa\":\"avx2 "
                       "@\",\"gflops_one_thread\":44,\"gflops\":80}],\"l2_gbytes\":66,\"memory_gbytes\":12.7}\n",
    [SAMPLE_SEGMENT] = HEAD("segment") "\"pictures\":20,\"done\":19,\"skipped\":0,\"failed\":1,\"area_px\":9423,"
                                       "\"median_ms\":12,\"sum_ms\":240,\"output\":\"@\"}\n",
    [SAMPLE_PICTURES] =
        "{\"path\":\"folder/"
        "@\",\"hash\":\"@\",\"status\":\"ok\",\"ms\":12.5,\"area_px\":7,\"width\":4,\"height\":4,\"mask\":"
        "\"@\",\"options\":\"@\",\"note\":\"note @\",\"verb\":\"segment\"," MACHINE "}\n"
        "{\"path\":\"folder/b@\",\"hash\":null,\"status\":\"bad\",\"error\":\"error @\",\"options\":\"@\"}\n",
    [SAMPLE_PAGE] =
        "{\"verb\":\"page\",\"stent\":\"0.1\",\"title\":\"Title @\",\"subtitle\":\"Subtitle @\",\"date\":\"2026-11-30 "
        "@\","
        "\"machine\":{\"cpu\":\"@\",\"@\":\"@\",\"threads\":2,\"gpu\":false},\"sections\":[{\"title\":\"Table 1 "
        "@\",\"text\":[\"paragraph @\"],"
        "\"table\":{\"columns\":[{\"name\":\"target @\"},{\"name\":\"before\",\"unit\":\"s "
        "@\",\"digits\":6,\"align\":\"right\"},{\"name\":"
        "\"after\"}],\"rows\":[[\"CPU @\",0.8186,{\"value\":1.2,\"low\":1.1,\"high\":1.3}],[{\"text\":\"GPU "
        "@\",\"tone\":\"muted\"},null,"
        "{\"text\":\"no GPU here @\",\"tone\":\"bad @\"}],[\"short\"]],\"note\":\"note "
        "@\"},\"series\":[{\"name\":\"PyTorch @\",\"unit\":\"ms @\","
        "\"values\":[1,2,3,null]}],\"bars\":[{\"name\":\"bar @\",\"value\":1.2,\"limit\":0.8,\"text\":\"why "
        "@\"}],\"bar_unit\":\"ms @\"},"
        "{\"title\":\"Included @\",\"include\":\"verify\"}],\"assumed\":[\"taken for granted @\"]}\n",
};

const char *kept_until_the_end(Text *text) {
    static Arena kept; // each test has a process of its own
    const char *copy = arena_string_n(&kept, text_get(text), text->length);
    REQUIRE(copy);
    text_free(text);
    return copy;
}
static const char *replaced(const char *sample, const char *text) {
    Text out = {0};
    for (; *sample; sample++) {
        if (*sample == '@') text_add(&out, "%s", text);
        else text_bytes(&out, sample, 1);
    }
    REQUIRE(!out.failed);
    return kept_until_the_end(&out);
}
ReportInput sample_with(Sample sample, const char *text) {
    const char *json = replaced(samples[sample], text);
    return (ReportInput){sample_names[sample], json, strlen(json)};
}
void samples_with(const char *text, ReportInput *inputs) {
    for (int i = 0; i < SAMPLES; i++) inputs[i] = sample_with((Sample)i, text);
}

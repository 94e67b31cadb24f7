// verify must be able to say no: packages whose self-check, layers or tensors do not agree.
#include "app/layers.h"
#include "app/sample.h"
#include "test.h"

// A package of a small graph; `spoil` is added to one element of what its self-check expects.
static const char *make_package(const char *name, double spoil) {
    Graph *graph;
    Arena arena = {0};
    SelfCheck check;
    Pipeline pipeline = pipeline_default();
    Text text = {0};
    char hash[65];
    const char *path = test_temp(name);
    CHECK_OK(graph_create(&graph));
    const Shape shape = shape_of(4, (int64_t[]){1, 2, 8, 8});
    const Type type = type_make(DT_F32, &shape);
    ValueId x, middle, y;
    CHECK_OK(graph_add_input(graph, "x", &type, &x));
    CHECK_OK(graph_add_value(graph, "middle", &type, &middle));
    CHECK_OK(graph_add_value(graph, "y", &type, &y));
    CHECK_OK(graph_add_node(graph, OP_Tanh, "t", &x, 1, &middle, 1, -1, NULL));
    CHECK_OK(graph_add_node(graph, OP_MaxPool, "p", &middle, 1, &y, 1, -1, NULL));
    Node *pool = graph->nodes[1];
    CHECK_OK(node_set_ints(graph, pool, "kernel_shape", (int64_t[]){3, 3}, 2));
    CHECK_OK(node_set_ints(graph, pool, "pads", (int64_t[]){1, 1, 1, 1}, 4));
    CHECK_OK(graph_add_output(graph, y));
    CHECK_OK(graph_verify(graph));
    Text why = {0};
    CHECK_OK(self_check_make(graph, graph, &(SelfCheckOptions){.threads = 2, .amplitude = 1}, &arena, &check, &why));
    CHECK(!why.length);
    tensor_set(&check.expected[0], 3, tensor_get(&check.expected[0], 3) + spoil);
    pipeline_print(&pipeline, &text);
    const PackageContent content = {.graph = graph,
                                    .pipeline = text_get(&text),
                                    .opt_level = 3,
                                    .precision = "fp32",
                                    .description = "{\"model\": \"tiny\"}",
                                    .check = check};
    CHECK_OK(package_write(path, &content, hash));
    text_free(&text);
    graph_free(graph);
    arena_free(&arena);
    setenv("XDG_DATA_HOME", test_temp("data"), 1);
    return path;
}

TEST(right_package) {
    stent_result *result = NULL;
    const stent_status status = stent_verify(make_package("right.stent", 0), NULL, &result);
    CHECK_MSG(status == STENT_OK, "%s", stent_message());
    REQUIRE(result);
    CHECK(strstr(stent_result_json(result), "\"ok\": true"));
    stent_result_free(result);
}
TEST(spoilt_self_check) {
    stent_result *result = NULL;
    const char *package = make_package("spoilt.stent", 0.01);
    CHECK_INT(stent_verify(package, NULL, &result), STENT_NO);
    CHECK(strstr(stent_message(), "differs"));
    REQUIRE(result); // told all the same
    CHECK(strstr(stent_result_text(result), "DIFFERS    with the built-in self-check"));
    CHECK(strstr(stent_result_text(result), "agrees     with the reference"));
    CHECK(strstr(stent_result_json(result), "\"ok\": false"));
    stent_result_free(result);
    // Nobody else may run it.
    stent_executable *executable;
    CHECK_INT(stent_open(package, NULL, &executable), STENT_BAD);
    CHECK(strstr(stent_message(), "self-check"));
}
// The page of the last --protocol; "" where there is none.
static const char *page_of(const char *path) {
    static uint8_t *kept; // as long as the test
    size_t size;
    if (path_kind(path) != PATH_FILE) return "";
    CHECK_OK(file_read(path, 1 << 20, &kept, &size));
    return (const char *)kept;
}
TEST(protocol_tells_what_was_found) {
    stent_verify_options o = STENT_OPTIONS(stent_verify_options);
    stent_result *result = NULL;
    char hash[100];
    o.layers = true;
    o.protocol = test_temp("right.html");
    CHECK_INT(stent_verify(make_package("<b>right.stent", 0), &o, &result), STENT_OK);
    const char *page = page_of(o.protocol), *json = stent_result_json(result);
    CHECK(strstr(page, ">VERIFIED.") && !strstr(page, "NOT VERIFIED") && strstr(page, "&lt;b&gt;right.stent") &&
          !strstr(page, "<b>"));
    CHECK(strstr(page, "built-in self-check") && strstr(page, "middle") && strstr(page, "Signatures"));
    CHECK(strstr(page, "by the reference") && strstr(page, "output.threshold"));
    const char *content = strstr(json, "\"content_hash\": \"");
    REQUIRE(content);
    snprintf(hash, sizeof hash, "<code>%.64s</code>", content + strlen("\"content_hash\": \""));
    CHECK(strstr(page, hash));
    CHECK(strstr(json, "\"checks\": [{\"with\": \"the built-in self-check\", \"ok\": true"));
    stent_result_free(result);
}
TEST(protocol_of_what_differs_says_so) {
    stent_verify_options o = STENT_OPTIONS(stent_verify_options);
    stent_result *result = NULL;
    o.protocol = test_temp("spoilt.html");
    CHECK_INT(stent_verify(make_package("spoilt.stent", 0.01), &o, &result), STENT_NO);
    const char *page = page_of(o.protocol);
    CHECK(strstr(page, "NOT VERIFIED") && strstr(page, "<strong>differs</strong>") && strstr(page, "agrees"));
    stent_result_free(result);
}
TEST(protocol_replaces_nothing_that_it_tells_of) {
    stent_verify_options o = STENT_OPTIONS(stent_verify_options);
    const char *package = make_package("kept.stent", 0);
    const int64_t size = file_size(package);
    o.protocol = package;
    CHECK_INT(stent_verify(package, &o, NULL), STENT_USAGE);
    CHECK(strstr(stent_message(), "--protocol"));
    CHECK_INT(file_size(package), size);
    o.protocol = test_temp("no-such-folder/page.html");
    CHECK(stent_verify(package, &o, NULL) != STENT_OK);
    // A disk that is full when the page is written: nothing stays, not even a part.
    o.protocol = test_temp("full.html");
    for (int n = 0; n < 3; n++) {
        file_fail_after(n);
        const stent_status status = stent_verify(package, &o, NULL);
        file_fail_after(-1);
        CHECK(status == STENT_RESOURCE && path_kind(o.protocol) == PATH_MISSING);
    }
}
TEST(layers_name_the_first_that_deviates) {
    Opened opened;
    Sample sample;
    Arena arena = {0};
    struct stent_result *result;
    bool ok = true;
    CHECK_OK(open_package(make_package("layers.stent", 0), NULL, OPEN_NO_CHECK, &opened));
    CHECK_OK(sample_take(&opened, NULL, &arena, &sample));
    CHECK_OK(result_begin("verify", NULL, common_options(NULL), &result));
    CHECK_OK(verify_layers(&opened, common_options(NULL), sample.inputs, 3e-5, result, &ok));
    CHECK(ok && strstr(text_get(&result->json), "\"first\": null"));
    stent_result_free(result);
    // With a budget that nobody can keep the first value is named, not the last.
    CHECK_OK(result_begin("verify", NULL, common_options(NULL), &result));
    CHECK_OK(verify_layers(&opened, common_options(NULL), sample.inputs, -1, result, &ok));
    CHECK(!ok && strstr(text_get(&result->json), "\"first\": \"middle\""));
    CHECK(strstr(text_get(&result->text), "FIRST beyond the budget"));
    stent_result_free(result);
    close_package(&opened);
    arena_free(&arena);
}
TEST(differences) {
    Opened opened;
    Arena arena = {0};
    Tensor *a, *b;
    Difference d;
    CHECK_OK(open_package(make_package("d.stent", 0), NULL, OPEN_NO_CHECK, &opened));
    const Graph *graph = opened.package->graph;
    CHECK_OK(make_tensors(graph, graph->outputs, 1, &arena, &a));
    CHECK_OK(make_tensors(graph, graph->outputs, 1, &arena, &b));
    for (int64_t i = 0; i < 128; i++) tensor_set(&a[0], i, i), tensor_set(&b[0], i, i);
    CHECK_OK(difference_of(&opened, a, b, 0, 0, &d));
    CHECK(d.max_abs == 0 && d.rms_rel == 0 && d.mask_changed == 0 && difference_passes(&d, 3e-5));
    CHECK_INT(d.mask_pixels, 64);
    tensor_set(&a[0], 5, 200); // another class is the largest in pixel 5
    CHECK_OK(difference_of(&opened, a, b, 0, 0, &d));
    CHECK(d.max_abs == 195 && !difference_passes(&d, 3e-5));
    CHECK_INT(d.mask_changed, 1);
    CHECK_INT(d.mask_ties, 0);
    CHECK_INT(d.outside, 1);
    // A tie: the expected classes stand on the edge, the output is moved by less than the error that is allowed.
    tensor_set(&a[0], 5, tensor_get(&a[0], 64 + 5) + 1e-4);
    tensor_set(&b[0], 5, tensor_get(&b[0], 64 + 5));
    tensor_set(&b[0], 64 + 5, tensor_get(&b[0], 5) + 1e-4);
    CHECK_OK(difference_of(&opened, a, b, 0, 0, &d));
    CHECK_INT(d.mask_changed, 1);
    CHECK_INT(d.mask_ties, 1);
    CHECK(difference_passes(&d, 3e-5));
    close_package(&opened);
    arena_free(&arena);
}
TEST(usage) {
    stent_verify_options options = STENT_OPTIONS(stent_verify_options);
    options.expect = "y.npy";
    CHECK_INT(stent_verify("x.stent", &options, NULL), STENT_USAGE);
    options = STENT_OPTIONS(stent_verify_options);
    options.atol = 1;
    CHECK_INT(stent_verify("x.stent", &options, NULL), STENT_USAGE);
}
static int stop_at_once(void *context, const char *stage, double done, double total) {
    (void)stage, (void)done, (void)total;
    ++*(int *)context;
    return 1;
}
TEST(progress_can_stop_every_verb) {
    const char *package = make_package("stop.stent", 0);
    int calls = 0;
    stent_options common = STENT_OPTIONS(stent_options);
    common.progress = stop_at_once, common.progress_context = &calls;
    stent_result *result = NULL;
    stent_bench_options bench = STENT_OPTIONS(stent_bench_options);
    stent_profile_options profile = STENT_OPTIONS(stent_profile_options);
    stent_verify_options verify = STENT_OPTIONS(stent_verify_options);
    bench.common = profile.common = verify.common = common;
    CHECK_INT(stent_bench(package, &bench, &result), STENT_CANCELLED);
    CHECK_INT(stent_profile(package, &profile, &result), STENT_CANCELLED);
    CHECK_INT(stent_verify(package, &verify, &result), STENT_CANCELLED);
    CHECK_INT(stent_machine(true, &common, &result), STENT_CANCELLED);
    CHECK(!result);
    CHECK_INT(calls, 4);
}

// The same picture whichever place the channels have; but for the noise, which comes in the order of memory.
TEST(samples_are_pictures_with_channels_last_too) {
    Arena arena = {0};
    Tensor first, last;
    CHECK_OK(tensor_make(&arena, DT_F32, shape_of(4, (const int64_t[]){1, 3, 16, 20}), &first));
    CHECK_OK(tensor_make(&arena, DT_F32, shape_of(4, (const int64_t[]){1, 16, 20, 3}), &last));
    synthetic_sample(&first, 1);
    synthetic_sample(&last, 1);
    for (int64_t c = 0; c < 3; c++)
        for (int64_t i = 0; i < 16 * 20; i++) {
            const double a = tensor_get(&first, c * 16 * 20 + i), b = tensor_get(&last, i * 3 + c);
            CHECK_MSG(fabs(a - b) <= 0.05, "channel %lld, pixel %lld: %g and %g", (long long)c, (long long)i, a, b);
        }
    arena_free(&arena);
}

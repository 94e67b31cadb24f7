// stent.h's handles: opening, options, sessions, and what is said when something is wrong.
#include "app/app.h"
#include "package/make_package.h"
#include <math.h>
#include <pthread.h>

static const char network[] =
    "graph (%x: float32[1x3x12x12]) -> (%y) {\n"
    " %w = const float32[8x3x3x3] random(seed=1, scale=0.2)\n"
    " %v = const float32[1x8x3x3] random(seed=2, scale=0.2)\n"
    " %a = Conv (%x, %w) {pads=[1, 1, 1, 1]}\n"
    " %r = Relu (%a)\n"
    " %b = Conv (%r, %v) {pads=[1, 1, 1, 1]}\n"
    " %y = Sigmoid (%b)\n"
    "}\n";
static const char free_network[] =
    "graph (%x: float32[Nx3xHxW]) -> (%y) {\n"
    " %w = const float32[8x3x3x3] random(seed=1, scale=0.2)\n"
    " %a = Conv (%x, %w) {pads=[1, 1, 1, 1]}\n"
    " %y = Relu (%a)\n"
    "}\n";

static void use_data_folder(void) { // not the user's
    setenv("XDG_DATA_HOME", test_temp("data"), 1);
    unsetenv("STENT_ISA");
    setenv("STENT_THREADS", "2", 1);
}
static stent_options with_inputs(const char *const *inputs) {
    stent_options options = STENT_OPTIONS(stent_options);
    options.inputs = inputs;
    return options;
}
static void check_open(const char *path, const stent_options *options, stent_status expected, const char *part) {
    stent_executable *net = (stent_executable *)&use_data_folder;
    const stent_status status = stent_open(path, options, &net);
    CHECK_MSG(status == expected, "status %d, expected %d: %s", status, expected, stent_message());
    CHECK_MSG(strstr(stent_message(), part) != NULL, "no '%s' in '%s'", part, stent_message());
    CHECK(status == STENT_OK || !net);
    if (status == STENT_OK) CHECK_TEXT(stent_message(), "");
    if (status == STENT_OK) stent_release(net);
}

// ---- the self-check ----

static int records(void) {
    Arena arena = {0};
    char **names;
    size_t count = 0;
    if (path_kind(test_temp("data/stent/checked")) == PATH_FOLDER)
        CHECK_OK(folder_list(test_temp("data/stent/checked"), &arena, &names, &count));
    arena_free(&arena);
    return (int)count;
}
static void check_self_check(const char *path, const stent_options *options, const char *expected) {
    Opened opened;
    CHECK_OK(open_package(path, options, 0, &opened));
    CHECK_TEXT(opened.self_check, expected);
    if (!strcmp(expected, "passed")) CHECK(opened.self_check_rms >= 0 && opened.self_check_rms < 1e-5);
    close_package(&opened);
    close_package(&opened);
}
TEST(a_self_check_runs_once_for_each_plan) {
    use_data_folder();
    const char *path = make_package("net.stent", network);
    stent_options options = STENT_OPTIONS(stent_options);
    CHECK_INT(records(), 0);
    check_self_check(path, &options, "passed");
    CHECK_INT(records(), 1);
    check_self_check(path, &options, "recorded");
    CHECK_INT(records(), 1);
    options.threads = 3; // another plan
    check_self_check(path, &options, "passed");
    options.precision = "strict";
    check_self_check(path, &options, "passed");
    check_self_check(path, &options, "recorded");
    CHECK_INT(records(), 3);
    const bool better = isa_best() > ISA_SSE2; // else it is the plan that it was
    setenv("STENT_ISA", "sse2", 1);
    check_self_check(path, &options, better ? "passed" : "recorded");
    check_self_check(make_package("other.stent", free_network),
                     &(stent_options){.inputs = (const char *[]){"1x3x8x8", NULL}}, "skipped");
    CHECK_INT(records(), better ? 4 : 3);
}
TEST(without_a_place_for_the_record_it_runs_each_time) {
    use_data_folder();
    const char *path = make_package("net.stent", network);
    write_whole(test_temp("data"), "a file", 6); // where the folder should be
    check_self_check(path, NULL, "passed");
    check_self_check(path, NULL, "passed");
    unsetenv("XDG_DATA_HOME"), unsetenv("HOME"); // nobody's place
    check_self_check(path, NULL, "passed");
    check_self_check(path, NULL, "passed");
}
// The package with one expected value changed.
static const char *make_wrong_package(float value) {
    size_t size;
    uint8_t *bytes = read_whole(make_package("wrong.stent", network), &size);
    const uint64_t at =
        section_offset(bytes, PACKAGE_CHECK_DATA) + 3 * 12 * 12 * sizeof(float) + 64; // behind the input
    memcpy(bytes + (at + 63) / 64 * 64, &value, sizeof value);
    rehash_package(bytes, size);
    write_whole(test_temp("wrong.stent"), bytes, size);
    mem_free(bytes);
    return test_temp("wrong.stent");
}
TEST(a_self_check_that_fails_refuses_the_package) {
    use_data_folder();
    const float wrong[] = {0.9f, NAN, INFINITY};
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        const char *path = make_wrong_package(wrong[i]);
        for (int again = 0; again < 2; again++) {
            check_open(path, NULL, STENT_BAD, "self-check");
            CHECK(strstr(stent_message(), "wrong.stent") && strstr(stent_message(), "do not use"));
        }
        CHECK_INT(records(), 0);
    }
}
// The content hash is the same: it names the network.
TEST(another_self_check_of_the_same_network_is_not_taken_as_passed) {
    use_data_folder();
    check_self_check(make_package("net.stent", network), NULL, "passed");
    check_open(make_wrong_package(0.9f), NULL, STENT_BAD, "self-check");
}
TEST(an_output_that_fails_is_not_outvoted) {
    // The first of two outputs is wrong.
    use_data_folder();
    size_t size;
    uint8_t *bytes = read_whole(
        make_package("two.stent", "graph (%x: float32[16]) -> (%a, %b) {\n %a = Neg (%x)\n %b = Abs (%x)\n}\n"), &size);
    const float wrong = NAN;
    memcpy(bytes + section_offset(bytes, PACKAGE_CHECK_DATA) + 64, &wrong, sizeof wrong);
    rehash_package(bytes, size);
    write_whole(test_temp("two.stent"), bytes, size);
    mem_free(bytes);
    check_open(test_temp("two.stent"), NULL, STENT_BAD, "self-check");
}

// ---- options ----

TEST(precisions_are_known_or_refused) {
    use_data_folder();
    const char *path = make_package("net.stent", network);
    static const struct {
        const char *precision;
        stent_status status;
        const char *part;
    } cases[] = {{"fp32", STENT_OK, ""},
                 {"strict", STENT_OK, ""},
                 {"bf16", STENT_USAGE, "the package permits fp32"},
                 {"fp16", STENT_UNSUPPORTED, "fp16"},
                 {"int8", STENT_UNSUPPORTED, "int8"},
                 {"fp64", STENT_USAGE, "fp64"},
                 {"", STENT_USAGE, "precision"}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        stent_options options = STENT_OPTIONS(stent_options);
        options.precision = cases[i].precision;
        check_open(path, &options, cases[i].status, cases[i].part);
    }
}
TEST(strict_is_direct_sums_only) {
    use_data_folder();
    const char *path = make_package("net.stent", network);
    for (int strict = 0; strict < 2; strict++) {
        Opened opened;
        stent_options options = STENT_OPTIONS(stent_options);
        options.precision = strict ? "strict" : "fp32";
        CHECK_OK(open_package(path, &options, 0, &opened));
        const Plan *plan = executable_plan(opened.executable);
        int direct = 0, fast = 0;
        for (int i = 0; i < plan->n_steps; i++) {
            direct += !strcmp(plan->steps[i].solver->name, "conv_direct");
            fast += strstr("conv_winograd conv_winograd_amx conv_amx", plan->steps[i].solver->name) != NULL;
        }
        CHECK_INT(direct + fast, 2);
        if (strict) CHECK_INT(fast, 0);
        CHECK_TEXT(opened.precision, options.precision);
        close_package(&opened);
    }
}
// The difference of two convolutions that are nearly the same: its error is some hundred times theirs.
static const char cancelling[] = "graph (%x: float32[1x64x24x24]) -> (%y) {\n"
                                 " %w = const float32[64x64x3x3] random(seed=1, scale=0.06)\n"
                                 " %v = const float32[64x64x3x3] random(seed=1, scale=0.06072)\n"
                                 " %a = Conv (%x, %w) {pads=[1, 1, 1, 1]}\n"
                                 " %b = Conv (%x, %v) {pads=[1, 1, 1, 1]}\n"
                                 " %y = Sub (%b, %a)\n"
                                 "}\n";
// A plan whose error was foreseen too small is made again, more exact; that is remembered.
TEST(a_plan_that_fails_the_self_check_becomes_more_exact) {
    use_data_folder();
    const char *path = make_package("cancelling.stent", cancelling);
    const stent_options options = STENT_OPTIONS(stent_options);
    for (Isa isa = 0; isa < ISA_COUNT; isa++) {
        if (!kernels_for(isa)) continue;
        Opened first, again;
        setenv("STENT_ISA", isa_name(isa), 1);
        CHECK_OK(open_package(path, &options, 0, &first));
        CHECK_TEXT(first.self_check, "passed");
        CHECK_MSG(first.budget > 0 && first.budget < plan_budget(PRECISION_FP32), "%s: %g", isa_name(isa),
                  first.budget);
        CHECK_OK(open_package(path, &options, 0, &again));
        CHECK_TEXT(again.self_check, "recorded");
        CHECK(fabs(again.budget - first.budget) <= 1e-12);
        CHECK_TEXT(again.plan_hash, first.plan_hash);
        close_package(&first), close_package(&again);
    }
    unsetenv("STENT_ISA");
}
// Other inputs may have more error than the sample: where the plan may be more exact, it is left half of what is
// permitted.
TEST(a_self_check_that_nearly_fails_makes_the_plan_more_exact) {
    for (Isa isa = 0; isa < ISA_COUNT; isa++) {
        if (!kernels_for(isa)) continue;
        use_data_folder();
        setenv("STENT_ISA", isa_name(isa), 1);
        int more_exact = 0;
        for (int k = 0; k < 12; k++) { // errors from some tenth of the budget to above it
            char text[sizeof cancelling + 16];
            const size_t scale = (size_t)(strstr(cancelling, "0.06072") - cancelling);
            snprintf(text, sizeof text, "%.*s%.5f%s", (int)scale, cancelling, 0.06 + 0.0015 * pow(1.3, k),
                     cancelling + scale + strlen("0.06072"));
            Opened opened;
            CHECK_OK(open_package(make_package("cancelling.stent", text), NULL, 0, &opened));
            CHECK_TEXT(opened.self_check, "passed");
            CHECK_MSG(opened.self_check_rms <= plan_budget(PRECISION_FP32) / 2, "%s: %g", isa_name(isa),
                      opened.self_check_rms);
            more_exact += opened.budget > 0;
            close_package(&opened);
        }
        CHECK_MSG(more_exact > 0 && more_exact < 12, "%s: %d of 12", isa_name(isa), more_exact);
    }
    unsetenv("STENT_ISA");
}
TEST(the_memory_limit_is_kept) {
    use_data_folder();
    const char *path = make_package("net.stent", network);
    stent_options options = STENT_OPTIONS(stent_options);
    options.max_memory = 1000;
    check_open(path, &options, STENT_RESOURCE, "--max-memory");
    options.max_memory = (uint64_t)1 << 30;
    check_open(path, &options, STENT_OK, "");
}
TEST(threads_are_checked) {
    use_data_folder();
    const char *path = make_package("net.stent", network);
    stent_options options = STENT_OPTIONS(stent_options);
    options.threads = -1;
    check_open(path, &options, STENT_USAGE, "-1");
    options.threads = 2000;
    check_open(path, &options, STENT_USAGE, "2000");
    options.threads = 0;
    setenv("STENT_THREADS", "many", 1);
    check_open(path, &options, STENT_USAGE, "many");
    setenv("STENT_ISA", "sse9", 1);
    check_open(path, &options, STENT_USAGE, "sse9");
}
TEST(free_dims_are_bound) {
    use_data_folder();
    const char *path = make_package("free.stent", free_network);
    check_open(path, NULL, STENT_USAGE, "--input x=");
    static const struct {
        const char *input;
        stent_status status;
        const char *part;
    } cases[] = {{"x=2x3x9x7", STENT_OK, ""},       {"1x3x8x8", STENT_OK, ""},
                 {"y=1x3x8x8", STENT_USAGE, "'y'"}, {"x=1x4x8x8", STENT_BAD, "3"},
                 {"x=1x3x8", STENT_BAD, ""},        {"x=big", STENT_USAGE, "big"},
                 {"x=1x3x0x8", STENT_BAD, ""},      {"x=1x3x99999999999999x99999999999999", STENT_BAD, ""}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const char *inputs[] = {cases[i].input, NULL};
        const stent_options options = with_inputs(inputs);
        check_open(path, &options, cases[i].status, cases[i].part);
    }
    const char *inputs[] = {"x=2x3x9x7", NULL};
    const stent_options options = with_inputs(inputs);
    stent_executable *net;
    REQUIRE(stent_open(path, &options, &net) == STENT_OK);
    stent_tensor tensor;
    CHECK_TEXT(stent_input(net, 0, &tensor), "x");
    CHECK(tensor.dtype == STENT_FLOAT32 && tensor.rank == 4 && tensor.dim[0] == 2 && tensor.dim[2] == 9 &&
          tensor.dim[3] == 7 && !tensor.data);
    CHECK_TEXT(stent_output(net, 0, &tensor), "y");
    CHECK(tensor.rank == 4 && tensor.dim[1] == 8);
    stent_release(net);
}
TEST(a_model_file_or_nothing_is_refused) {
    use_data_folder();
    write_whole(test_temp("net.onnx"), "\x08\x07\x12\x04onnx....", 12);
    check_open(test_temp("net.onnx"), NULL, STENT_BAD, "stent compile");
    check_open(test_temp("missing.stent"), NULL, STENT_BAD, "missing.stent");
}

// ---- sessions ----

static float input[3 * 12 * 12], output[12 * 12];
static stent_tensor x = {STENT_FLOAT32, 4, {1, 3, 12, 12}, input}, y = {STENT_FLOAT32, 4, {1, 1, 12, 12}, output};
static void fill_input(void) {
    for (size_t i = 0; i < COUNT_OF(input); i++) input[i] = (float)(i % 17) / 17;
}
TEST(a_session_runs) {
    use_data_folder();
    fill_input();
    stent_executable *net;
    stent_session *session;
    REQUIRE(stent_open(make_package("net.stent", network), NULL, &net) == STENT_OK);
    CHECK_INT(stent_input_count(net), 1);
    CHECK_INT(stent_output_count(net), 1);
    REQUIRE(stent_session_create(net, &session) == STENT_OK);
    stent_release(net); // the session keeps it
    memset(output, 0xff, sizeof output);
    CHECK_INT(stent_run(session, &x, 1, &y, 1), STENT_OK);
    for (size_t i = 0; i < COUNT_OF(output); i++) CHECK(output[i] > 0 && output[i] < 1);
    stent_session_destroy(session);
    stent_session_destroy(NULL);
    stent_release(NULL);
}
TEST(wrong_arguments_of_a_run_are_refused) {
    use_data_folder();
    stent_executable *net;
    stent_session *session;
    REQUIRE(stent_open(make_package("net.stent", network), NULL, &net) == STENT_OK);
    REQUIRE(stent_session_create(net, &session) == STENT_OK);
    CHECK_INT(stent_run(session, &x, 0, &y, 1), STENT_USAGE);
    CHECK_TEXT(stent_message(), "expected 1 inputs, got 0");
    CHECK_INT(stent_run(session, &x, 1, &y, 2), STENT_USAGE);
    stent_tensor wrong = x;
    wrong.data = NULL;
    CHECK_INT(stent_run(session, &wrong, 1, &y, 1), STENT_USAGE);
    wrong = x, wrong.rank = 9;
    CHECK_INT(stent_run(session, &wrong, 1, &y, 1), STENT_USAGE);
    wrong = x, wrong.dim[1] = 4;
    CHECK_INT(stent_run(session, &wrong, 1, &y, 1), STENT_BAD);
    CHECK(strstr(stent_message(), "input 'x': expected float32 1x3x12x12"));
    wrong = y, wrong.dtype = STENT_FLOAT64;
    CHECK_INT(stent_run(session, &x, 1, &wrong, 1), STENT_BAD);
    CHECK(strstr(stent_message(), "output 'y'"));
    CHECK_INT(stent_run(session, &x, 1, &y, 1), STENT_OK);
    CHECK_TEXT(stent_message(), "");
    stent_session_destroy(session);
    stent_release(net);
}
static void *run_session(void *argument) {
    static _Thread_local float own[12 * 12];
    stent_tensor mine = y;
    mine.data = own;
    stent_session *session;
    bool good = stent_session_create(argument, &session) == STENT_OK;
    for (int i = 0; good && i < 20; i++) {
        memset(own, 0xff, sizeof own);
        good = stent_run(session, &x, 1, &mine, 1) == STENT_OK && !memcmp(own, output, sizeof own);
    }
    stent_session_destroy(session);
    return good ? argument : NULL;
}
TEST(threads_share_an_executable) {
    use_data_folder();
    fill_input();
    stent_executable *net;
    stent_session *session;
    pthread_t threads[4];
    REQUIRE(stent_open(make_package("net.stent", network), NULL, &net) == STENT_OK);
    REQUIRE(stent_session_create(net, &session) == STENT_OK);
    CHECK_INT(stent_run(session, &x, 1, &y, 1), STENT_OK);
    for (int i = 0; i < 4; i++) REQUIRE(pthread_create(&threads[i], NULL, run_session, net) == 0);
    for (int i = 0; i < 4; i++) {
        void *good;
        pthread_join(threads[i], &good);
        CHECK(good);
    }
    stent_session_destroy(session);
    stent_release(net);
}
TEST(no_memory_anywhere_gives_a_status) {
    use_data_folder();
    fill_input();
    const char *path = make_package("net.stent", network);
    for (int64_t n = 0;; n++) {
        stent_executable *net = NULL;
        stent_session *session = NULL;
        char name[32];
        snprintf(name, sizeof name, "data%d", (int)n); // so that the self-check runs each time
        setenv("XDG_DATA_HOME", test_temp(name), 1);
        mem_fail_after(n);
        stent_status status = stent_open(path, NULL, &net);
        if (status == STENT_OK) status = stent_session_create(net, &session);
        if (status == STENT_OK) status = stent_run(session, &x, 1, &y, 1);
        const bool failed = status != STENT_OK;
        // A fault may have been met where it does no harm (the record of the self-check): go on until none was met.
        void *probe = mem_alloc(1);
        mem_fail_after(-1);
        const bool met = probe != NULL;
        mem_free(probe);
        if (failed) {
            CHECK_MSG(status == STENT_RESOURCE, "allocation %d: status %d: %s", (int)n, status, stent_message());
            CHECK(*stent_message());
            CHECK(!session);
        }
        stent_session_destroy(session);
        stent_release(net);
        if (!failed && !met) break;
        REQUIRE(n < 20000);
    }
}
TEST(versions_are_told) {
    CHECK(*stent_version());
    CHECK_INT(stent_abi(), STENT_ABI);
    CHECK_INT(sizeof STENT_OPTIONS(stent_options), STENT_OPTIONS(stent_options).size);
}

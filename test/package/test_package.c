// Packages: what is written comes back, what is damaged is refused, and nothing half-written stays.
#include "app/pipeline.h"
#include "base/rng.h"
#include "package/make_package.h"
#include "plan/planned.h"
#include "reference/reference.h"
#include "session/session.h"
#include <unistd.h>

static const char network[] = "graph \"net\" (%x: float32[1x3x8x8], %z: int64[2]) -> (%y, %s) {\n"
                              " %w = const float32[16x3x3x3] random(seed=1, scale=0.2)\n"
                              " %b = const float32[16] random(seed=2)\n"
                              " %v = const float32[16x8x2x2] random(seed=3, scale=0.2)\n"
                              " %k = const int64[2] {3, -4}\n"
                              " %c = Conv \"first\" (%x, %w, %b) {pads=[1, 1, 1, 1]}\n"
                              " %r = Relu (%c)\n"
                              " %p = MaxPool (%r) {kernel_shape=[2, 2], strides=[2, 2]}\n"
                              " %u = ConvTranspose (%p, %v) {strides=[2, 2]}\n"
                              " %a = Concat (%r, %u) {axis=1}\n"
                              " %y = Sigmoid (%a)\n"
                              " %s = Mul (%z, %k)\n"
                              "}\n";

static char *whole_text(const Graph *graph) {
    Text text = {0};
    CHECK_OK(graph_print(graph, true, &text));
    return text.data;
}
static bool is_package(const char *path) {
    bool is = false;
    CHECK_OK(package_is(path, &is));
    return is;
}
static void check_round_trip(const char *text) {
    const char *path = make_package("round.stent", text);
    Graph *before = planned_graph(text);
    Package *package;
    CHECK(is_package(path));
    CHECK_OK(package_open(path, &package));
    char *a = whole_text(before), *b = whole_text(package->graph);
    CHECK_TEXT(b, a);
    mem_free(a);
    mem_free(b);
    CHECK_INT(strlen(package->content_hash), 64);
    CHECK(strstr(package->description, "net.onnx"));
    Arena arena = {0};
    Pipeline pipeline;
    CHECK_OK(pipeline_parse(package->pipeline, strlen(package->pipeline), &arena, &pipeline));
    if (package->check.n_inputs) {
        const Tensor *inputs = planned_inputs(before, 5, &arena);
        Tensor expected[64];
        CHECK_OK(reference_run(before, inputs, expected, &arena, NULL, NULL));
        CHECK(package->check.from_reference);
        CHECK_INT(package->check.n_outputs, before->n_outputs);
        for (int i = 0; i < before->n_inputs; i++)
            CHECK(!memcmp(package->check.inputs[i].data, inputs[i].data, tensor_bytes(&inputs[i])));
        for (int i = 0; i < before->n_outputs; i++)
            CHECK(!memcmp(package->check.expected[i].data, expected[i].data, tensor_bytes(&expected[i])));
    }
    arena_free(&arena);
    file_drop_pages(&package->mapping, package->constants, package->constants_bytes);
    a = whole_text(package->graph); // the pages come back
    mem_free(a);
    package_close(package);
    graph_free(before);
}
TEST(a_network_comes_back) { check_round_trip(network); }
TEST(every_dtype_comes_back) {
    for (int dtype = DT_F32; dtype < DT_COUNT; dtype++) {
        char text[512];
        const char *name = dtype_name((DType)dtype);
        snprintf(text, sizeof text,
                 "graph (%%x: %s[3]) -> (%%a, %%b, %%c, %%d, %%y) {\n"
                 " %%a = const %s[5x13] full(1)\n"
                 " %%b = const %s[3] {0, 1, 1}\n"
                 " %%c = const %s[] {1}\n"
                 " %%d = const %s[2x0] {}\n"
                 " %%y = Identity (%%x)\n"
                 "}\n",
                 name, name, name, name, name);
        check_round_trip(text);
    }
}
TEST(free_dims_come_back) {
    check_round_trip(
        "graph (%x: float32[Nx3xHx\"my w\"], %u: float32[?x4]) -> (%y, %v) {\n %y = Relu (%x)\n %v = Abs (%u)\n}\n");
}
TEST(two_writes_give_the_same_bytes) {
    size_t n, m;
    uint8_t *a = read_whole(make_package("a.stent", network), &n),
            *b = read_whole(make_package("b.stent", network), &m);
    CHECK(n == m && !memcmp(a, b, n));
    mem_free(a);
    mem_free(b);
    Package *one, *other;
    CHECK_OK(package_open(test_temp("a.stent"), &one));
    CHECK_OK(package_open(make_package("c.stent", "graph (%x: float32[1]) -> (%y) { %y = Relu (%x) }"), &other));
    CHECK(strcmp(one->content_hash, other->content_hash));
    package_close(one);
    package_close(other);
}

// Opens what must be refused; the message names the file.
static void check_refused(const uint8_t *bytes, size_t size, Status expected, const char *part, const char *what,
                          long long at) {
    const char *path = test_temp("damaged.stent");
    write_whole(path, bytes, size);
    Package *package = NULL;
    error_clear();
    const Status status = package_open(path, &package);
    CHECK_MSG(status == expected, "%s %lld: status %d, expected %d (%s)", what, at, status, expected, error_message());
    if (status != ST_OK) {
        CHECK(!package);
        CHECK_MSG(strstr(error_message(), "damaged.stent") != NULL, "%s %lld: no file in '%s'", what, at,
                  error_message());
        CHECK_MSG(strstr(error_message(), part) != NULL, "%s %lld: no '%s' in '%s'", what, at, part, error_message());
    }
    package_close(package);
}
TEST(every_cut_is_noticed) {
    size_t size;
    uint8_t *bytes = read_whole(make_package("whole.stent", network), &size);
    Rng rng;
    rng_seed(&rng, 1);
    for (size_t cut = 0; cut < size; cut += cut < 400 ? 1 : 1 + rng_below(&rng, 150)) {
        check_refused(bytes, cut, ST_BAD, cut < 128 ? "not a stent package" : "cut short", "cut at", (long long)cut);
        if (cut < 128) continue;
        uint8_t *short_one = mem_alloc(cut);
        REQUIRE(short_one);
        memcpy(short_one, bytes, cut);
        put_u64(short_one + 16, cut); // the size says so as well
        rehash_package(short_one, cut);
        check_refused(short_one, cut, ST_BAD, "expected", "cut and said so at", (long long)cut);
        mem_free(short_one);
    }
    mem_free(bytes);
}
TEST(every_flipped_bit_is_noticed) {
    size_t size;
    uint8_t *bytes = read_whole(make_package("whole.stent", network), &size);
    Rng rng;
    rng_seed(&rng, 2);
    for (size_t at = 0; at < 128 + 32 * PACKAGE_SECTIONS; at++) { // header and table
        bytes[at] ^= 0x10;
        check_refused(bytes, size, ST_BAD, at < 8 ? "not a stent package" : "is damaged", "header byte", (long long)at);
        bytes[at] ^= 0x10;
    }
    for (int s = 0; s < PACKAGE_SECTIONS; s++)
        for (int i = 0; i < 60; i++) {
            const uint64_t at = section_offset(bytes, s) +
                                (i == 0 ? section_size(bytes, s) - 1 : rng_below(&rng, section_size(bytes, s)));
            bytes[at] ^= (uint8_t)(1u << i % 8);
            check_refused(bytes, size, ST_BAD, "is damaged", "byte", (long long)at);
            bytes[at] ^= (uint8_t)(1u << i % 8);
        }
    check_refused(bytes, size, ST_OK, "", "whole again", 0);
    mem_free(bytes);
}
static void check_lie(const uint8_t *whole, size_t size, size_t at, uint64_t value, int bytes_of_it, Status expected,
                      const char *part) {
    uint8_t *bytes = mem_alloc(size), number[8];
    REQUIRE(bytes);
    memcpy(bytes, whole, size);
    put_u64(number, value);
    memcpy(bytes + at, number, (size_t)bytes_of_it);
    rehash_package(bytes, size);
    check_refused(bytes, size, expected, part, "lie at", (long long)at);
    mem_free(bytes);
}
TEST(a_table_that_lies_is_refused) {
    size_t size;
    uint8_t *bytes = read_whole(make_package("whole.stent", network), &size);
    for (size_t entry = 128; entry < 128 + 32 * PACKAGE_SECTIONS; entry += 32) {
        static const uint64_t offsets[] = {1, 63, (uint64_t)-64, (uint64_t)1 << 63, INT64_MAX, 0};
        for (size_t i = 0; i < COUNT_OF(offsets); i++)
            check_lie(bytes, size, entry + 8, offsets[i], 8, ST_BAD, "expected it");
        check_lie(bytes, size, entry + 8, (size + 63) / 64 * 64, 8, ST_BAD, "inside the file");
        static const uint64_t sizes[] = {(uint64_t)-1, (uint64_t)1 << 63, INT64_MAX};
        for (size_t i = 0; i < COUNT_OF(sizes); i++)
            check_lie(bytes, size, entry + 16, sizes[i], 8, ST_BAD, "inside the file");
        check_lie(bytes, size, entry + 16, size - section_offset(bytes, (int)(entry - 128) / 32) + 1, 8, ST_BAD,
                  "inside the file");
    }
    check_lie(bytes, size, 128 + 32 + 8, section_offset(bytes, 0), 8, ST_BAD, "behind the one before");
    check_lie(bytes, size, 128 + 16, section_size(bytes, 0) + 64, 8, ST_BAD, "behind the one before");
    check_lie(bytes, size, 128 + 32, 1, 4, ST_BAD, "second one of kind 1");
    check_lie(bytes, size, 12, 65, 4, ST_BAD, "sections");
    check_lie(bytes, size, 12, 0xffffffff, 4, ST_BAD, "sections");
    check_lie(bytes, size, 12, 0, 4, ST_BAD, "missing");
    check_lie(bytes, size, 8, 0, 4, ST_BAD, "version");
    mem_free(bytes);
}
TEST(what_is_no_package_is_refused) {
    Package *package;
    check_refused((const uint8_t *)"", 0, ST_BAD, "", "empty", 0);
    check_refused((const uint8_t *)"STENTPK\n", 8, ST_BAD, "not a stent package", "magic alone", 0);
    check_refused((const uint8_t *)"\x08\x07\x12\x04onnx and more", 17, ST_BAD, "stent compile", "a model", 0);
    CHECK(!is_package(test_temp("damaged.stent")));
    CHECK(!is_package(test_temp("missing.stent")));
    CHECK_INT(package_open(test_temp("missing.stent"), &package), ST_BAD);
    CHECK(!package && strstr(error_message(), "missing.stent"));
    CHECK_OK(folder_make(test_temp("folder.stent")));
    CHECK(!is_package(test_temp("folder.stent")));
    CHECK(package_open(test_temp("folder.stent"), &package) != ST_OK);
}
// The self-check's lines, with right hashes.
static void check_line(const char *lines, const char *part) {
    size_t size;
    uint8_t *bytes = read_whole(make_package("whole.stent", network), &size);
    const uint64_t at = section_offset(bytes, PACKAGE_CHECK);
    const size_t room = (size_t)(section_offset(bytes, PACKAGE_CHECK_DATA) - at);
    REQUIRE(strlen(lines) <= room);
    memset(bytes + at, 0, room);
    memcpy(bytes + at, lines, strlen(lines));
    put_u64(bytes + 128 + 32 * PACKAGE_CHECK + 16, strlen(lines));
    rehash_package(bytes, size);
    check_refused(bytes, size, *part ? ST_BAD : ST_OK, part, lines, 0);
    mem_free(bytes);
}
TEST(self_checks_that_do_not_fit_are_refused) {
    check_line("reference\ninput float32 1x3x8x8\ninput int64 2\nexpected float32 1x24x8x8\nexpected int64 2\n", "");
    check_line("reference\n", "");
    check_line("strict\n", "");
    check_line("", "");
    check_line("reference\ninput float32 1x3x8x8\n", "expected 2 inputs");
    check_line("reference\ninput float32 1x3x8x9\ninput int64 2\nexpected float32 1x1\nexpected int64 2\n",
               "'x' does not fit");
    check_line("reference\ninput float64 1x3x8x8\ninput int64 2\nexpected float32 1x1\nexpected int64 2\n",
               "'x' does not fit");
    check_line("reference\ninput float32 1x3x8\ninput int64 2\nexpected float32 1x1\nexpected int64 2\n",
               "'x' does not fit");
    check_line("reference\ninput float32\n", "DTYPE SHAPE");
    check_line("reference\ninput float31 1x1\n", "DTYPE SHAPE");
    check_line("reference\noutput float32 1x1\n", "DTYPE SHAPE");
    check_line("reference\ninput float32 -1x1\n", "DTYPE SHAPE");
    check_line("reference\ninput float32 9999999999x9999999999\n", "DTYPE SHAPE");
    check_line("reference\ninput float32 9999999x99\n", "cut short");
    check_line("reference\ninput float64 2305843009213693952\n", "expected 2 inputs");
}

// Runs what came through the parsers, when it is small: plans of hostile graphs must not do harm.
static bool small(const Graph *graph) {
    double sum = 0;
    for (int i = 0; i < graph->n_values; i++) {
        if (!type_is_static(&graph->values[i].type)) return false;
        const Shape shape = type_shape(&graph->values[i].type);
        sum += (double)shape_count(&shape);
    }
    for (int i = 0; i < graph->n_nodes; i++) sum += node_flop(graph, graph->nodes[i]);
    return sum < 2e6;
}
static void run_hostile(const Package *package) {
    const Graph *graph = package->graph;
    if (!small(graph)) return;
    Arena arena = {0};
    Machine machine;
    Plan *plan;
    Pool *pool;
    Executable *executable = NULL;
    Session *session = NULL;
    CHECK_OK(machine_detect(&machine));
    CHECK_OK(pool_create(1, &pool));
    const PlanOptions options = {.threads = 1, .fuse = true};
    Status status = plan_create(graph, &machine, &options, &plan);
    if (status == ST_OK && plan->arena_bytes + plan->weights_bytes > (size_t)1 << 28)
        plan_free(plan), status = ST_RESOURCE;
    else if (status == ST_OK) status = executable_create(plan, pool, NULL, &executable);
    if (status == ST_OK) status = session_create(executable, &session);
    if (status == ST_OK)
        status = session_run(session, planned_inputs(graph, 1, &arena), planned_outputs(graph, &arena));
    session_destroy(session);
    executable_release(executable);
    pool_destroy(pool);
    arena_free(&arena);
}
static void flip_and_open(const uint8_t *whole, size_t size, Rng *rng, int *opened) {
    static const int sections[] = {PACKAGE_GRAPH, PACKAGE_GRAPH,      PACKAGE_GRAPH,
                                   PACKAGE_CHECK, PACKAGE_CHECK_DATA, PACKAGE_CONSTANTS};
    static const char letters[] = "0123456789 -x[](){},%=:_\"\n.eE?";
    uint8_t *bytes = mem_alloc(size);
    REQUIRE(bytes);
    memcpy(bytes, whole, size);
    for (uint64_t i = 1 + rng_below(rng, 3); i > 0; i--) {
        const int s = sections[rng_below(rng, COUNT_OF(sections))];
        if (!section_size(whole, s)) continue; // a network without large constants
        uint8_t *at = bytes + section_offset(whole, s) + rng_below(rng, section_size(whole, s));
        const bool digit = *at >= '0' && *at <= '9' && rng_below(rng, 4);
        *at = digit               ? (uint8_t)('0' + rng_below(rng, 10))
              : rng_below(rng, 3) ? (uint8_t)letters[rng_below(rng, sizeof letters - 1)]
                                  : (uint8_t)rng_next(rng);
    }
    rehash_package(bytes, size);
    const char *path = test_temp("flipped.stent");
    write_whole(path, bytes, size);
    mem_free(bytes);
    Package *package;
    if (package_open(path, &package) != ST_OK) {
        CHECK(strstr(error_message(), "flipped.stent"));
        return;
    }
    ++*opened;
    run_hostile(package);
    package_close(package);
}
TEST(flips_with_right_hashes_do_no_harm) {
    size_t size;
    Rng rng;
    rng_seed(&rng, 3);
    int opened = 0;
    const int count = test_long() ? 20000 : 400;
    for (int i = 0; i < count; i++) {
        static uint8_t *bytes;
        if (i % 100 == 0) { // another network now and then
            Text text = {0};
            random_network(900 + (uint64_t)i, &text);
            mem_free(bytes);
            bytes = read_whole(make_package("whole.stent", i % 200 ? text_get(&text) : network), &size);
            text_free(&text);
        }
        flip_and_open(bytes, size, &rng, &opened);
    }
    CHECK_MSG(opened > count / 20, "only %d of %d came through the parsers", opened, count);
}
TEST(a_failed_write_leaves_nothing) {
    Graph *graph = planned_graph(network);
    const PackageContent content = {
        .graph = graph, .pipeline = "{}", .opt_level = 3, .precision = "fp32", .description = "{}"};
    const char *path = test_temp("sub");
    CHECK_OK(folder_make(path));
    path = test_temp("sub/net.stent");
    char hex[65];
    for (int64_t n = 0;; n++) {
        file_fail_after(n);
        const Status status = package_write(path, &content, hex);
        file_fail_after(-1);
        if (status == ST_OK) break;
        CHECK_INT(status, ST_RESOURCE);
        CHECK(strstr(error_message(), "net.stent"));
        Arena arena = {0};
        char **names;
        size_t count;
        CHECK_OK(folder_list(test_temp("sub"), &arena, &names, &count));
        CHECK_INT(count, 0);
        arena_free(&arena);
        REQUIRE(n < 50);
    }
    CHECK(is_package(path));
    // A package that is there stays whole.
    size_t size, after;
    uint8_t *before = read_whole(path, &size);
    file_fail_after(0);
    CHECK_INT(package_write(path, &content, hex), ST_RESOURCE);
    file_fail_after(-1);
    uint8_t *now = read_whole(path, &after);
    CHECK(size == after && !memcmp(before, now, size));
    mem_free(before);
    mem_free(now);
    graph_free(graph);
}
TEST(no_memory_while_writing_and_opening) {
    Graph *graph = planned_graph(network);
    const PackageContent content = {
        .graph = graph, .pipeline = "{}", .opt_level = 3, .precision = "fp32", .description = "{}"};
    const char *path = test_temp("net.stent");
    char hex[65];
    for (int64_t n = 0;; n++) {
        mem_fail_after(n);
        const Status status = package_write(path, &content, hex);
        mem_fail_after(-1);
        if (status == ST_OK) break;
        CHECK_INT(status, ST_RESOURCE);
        CHECK(path_kind(path) == PATH_MISSING);
        REQUIRE(n < 10000);
    }
    for (int64_t n = 0;; n++) {
        Package *package;
        mem_fail_after(n);
        const Status status = package_open(path, &package);
        mem_fail_after(-1);
        package_close(package);
        if (status == ST_OK) break;
        CHECK_INT(status, ST_RESOURCE);
        CHECK(!package);
        REQUIRE(n < 10000);
    }
    graph_free(graph);
}

// ---- the file shrinks

// A network with weights of many pages, and with a step on the reference path that reads constants when it runs.
static const char large[] = "graph (%x: float32[1x64x8x8]) -> (%y) {\n"
                            " %w = const float32[64x64x3x3] random(seed=1, scale=0.05)\n"
                            " %e = const float32[1x64x8x8] random(seed=2, scale=0.1)\n"
                            " %a = Conv (%x, %w) {pads=[1, 1, 1, 1]}\n"
                            " %b = Abs (%a)\n"
                            " %y = Pow (%b, %e)\n"
                            "}\n";
typedef enum ShrinkMoment { BEFORE_PREPARING, BEFORE_RUNNING, NEVER } ShrinkMoment;
// Opens, prepares on `threads` threads and runs; the file is cut to `size` bytes on the way.
static Status open_and_shrink(const char *path, int threads, ShrinkMoment moment, int64_t size) {
    Arena arena = {0};
    Machine machine;
    Package *package;
    Plan *plan;
    Pool *pool;
    Executable *executable = NULL;
    Session *session = NULL;
    CHECK_OK(package_open(path, &package));
    CHECK_OK(machine_detect(&machine));
    CHECK_OK(pool_create(threads, &pool));
    const PlanOptions options = {.threads = threads, .fuse = true};
    const PlainWeights plain = {&package->mapping, package->constants, package->constants_bytes};
    CHECK_OK(plan_create(package->graph, &machine, &options, &plan));
    if (moment == BEFORE_PREPARING) CHECK_INT(truncate(path, size), 0);
    Status status = executable_create(plan, pool, &plain, &executable);
    CHECK_MSG((status != ST_OK) == (moment == BEFORE_PREPARING), "preparing: %d", status);
    if (status == ST_OK) {
        CHECK_OK(session_create(executable, &session));
        if (moment == BEFORE_RUNNING) CHECK_INT(truncate(path, size), 0);
        status =
            session_run(session, planned_inputs(package->graph, 1, &arena), planned_outputs(package->graph, &arena));
    }
    session_destroy(session);
    executable_release(executable);
    pool_destroy(pool);
    package_close(package);
    arena_free(&arena);
    return status;
}
TEST(a_file_that_shrinks_is_an_error) {
    for (int threads = 1; threads <= 3; threads += 2) {
        CHECK_OK(open_and_shrink(make_package("large.stent", large), threads, NEVER, 0));
        for (int moment = BEFORE_PREPARING; moment <= BEFORE_RUNNING; moment++) {
            const char *path = make_package("large.stent", large);
            const Status status = open_and_shrink(path, threads, (ShrinkMoment)moment, 4096);
            CHECK_MSG(status == ST_BAD, "moment %d, %d threads: status %d", moment, threads, status);
            CHECK(strstr(error_message(), "cut short"));
        }
        // Less than a page: no signal, and yet the weights would not be those of the file.
        const char *path = make_package("large.stent", large);
        CHECK_INT(open_and_shrink(path, threads, BEFORE_PREPARING, file_size(path) - 8), ST_BAD);
    }
}

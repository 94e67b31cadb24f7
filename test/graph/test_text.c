// The text form: what is printed is read back to the same graph; bad text is refused with its line; no text does harm.
#include "base/rng.h"
#include "graph/graph.h"
#include "test.h"

static Graph *parse(const char *text) {
    Graph *graph;
    CHECK_OK(graph_parse(text, strlen(text), &graph));
    return graph;
}

static char *print(const Graph *graph, bool full) {
    Text text = {0};
    CHECK_OK(graph_print(graph, full, &text));
    REQUIRE(text.data);
    return text.data;
}

static const char UNET[] = // prints as it stands
    "graph \"tiny \\\"net\\\"\" (%x: float32[Nx3xHx\"my x\"], %\"y/in\": int64[]) -> (%out, %\"y/in\") {\n"
    "  %w = const float32[2x3x1x1] {1, -0.5, 0.1, inf, -inf, nan}\n"
    "  %b = const float32[2] {3.4028235e+38, 1e-45}\n"
    "  %h = const float16[2] {0.33325195, 65504}\n"
    "  %f64 = const float64[1] {0.1}\n"
    "  %u64 = const uint64[1] {18446744073709551615}\n"
    "  %i8 = const int8[2x1] {-128, 127}\n"
    "  %t = const bool[2] {0, 1}\n"
    "  %empty = const int64[0] {}\n"
    "  %c = Conv \"enc/conv 1\" (%x, %w, %b) {pads=[0, 0, 0, 0], auto_pad=\"NOTSET\", group=1} : float32[Nx2xHx\"my "
    "x\"]\n"
    "  %\"a\\\\b\\x01\" = LeakyRelu (%c) {alpha=0.1} : float32[Nx2xHx\"my x\"]\n"
    "  %k, _ = Split (%\"a\\\\b\\x01\") {axis=1} : float32[Nx1xHx\"my x\"], _\n"
    "  %clip = Clip (%k, _, _) : float32[Nx1xHx\"my x\"]\n"
    "  %shape = ConstantOfShape (%empty) {value=int64[1] {7}} : int64[]\n"
    "  %h2 = Cast (%h) {to=\"float32\"} : float32[2]\n"
    "  %d2 = Cast (%f64) {to=\"float32\"} : float32[1]\n"
    "  %u2 = Cast (%u64) {to=\"float32\"} : float32[1]\n"
    "  %i2 = Cast (%i8) {to=\"float32\"} : float32[2x1]\n"
    "  %t2 = Cast (%t) {to=\"float32\"} : float32[2]\n"
    "  %out = Max (%clip, %h2, %d2, %u2, %i2, %t2) : float32[Nx1x2x2]\n"
    "}\n";

TEST(prints_what_it_reads) {
    Graph *graph = parse(UNET);
    char *text = print(graph, false);
    CHECK_TEXT(text, UNET);
    Graph *again = parse(text);
    char *second = print(again, true);
    CHECK_TEXT(second, text);
    mem_free(text);
    mem_free(second);
    graph_free(graph);
    graph_free(again);
}

TEST(full_form_keeps_every_bit) {
    Graph *graph = parse("graph (%x: float32[8]) -> (%y) {\n"
                         "%w = const float32[1000x8] random(seed=3, scale=1e-3)\n"
                         "%v = const float64[1000x1] random(seed=4)\n"
                         "%u = Cast(%v) {to=\"float32\"}\n%z = Mul(%u, %w)\n%y = Mul(%z, %x)\n}");
    char *full = print(graph, true), *brief = print(graph, false);
    Graph *again = parse(full);
    for (int i = 0; i < 2; i++) {
        const ValueId id = graph_find(graph, i ? "v" : "w");
        const Tensor *a = graph->values[id].constant, *b = again->values[graph_find(again, i ? "v" : "w")].constant;
        CHECK(memcmp(a->data, b->data, tensor_bytes(a)) == 0);
    }
    char *brief_again = print(again, false); // hashes of the data
    CHECK_TEXT(brief_again, brief);
    Graph *none;
    CHECK(graph_parse(brief, strlen(brief), &none) == ST_BAD);
    CHECK_TEXT(error_message(),
               "line 2: expected the elements of the constant, got their hash only; print the graph with full data");
    mem_free(full);
    mem_free(brief);
    mem_free(brief_again);
    graph_free(graph);
    graph_free(again);
}

// A package's form: large constants beside the text, at multiples of 64, not copied.
TEST(data_beside_the_text) {
    Graph *graph =
        parse("graph (%x: float32[65]) -> (%y) {\n%u = const float32[65] random(seed=1)\n"
              "%v = const float32[1] {2}\n%w = const float32[65] random(seed=2)\n%y = Max(%x, %u, %v, %w)\n}");
    Text text = {0}, blob = {0};
    CHECK_OK(graph_print_blob(graph, &text, &blob));
    CHECK(strstr(text.data, "%u = const float32[65] data(0)\n") && strstr(text.data, "%v = const float32[1] {2}\n"));
    CHECK(strstr(text.data, "%w = const float32[65] data(320)\n") && blob.length == 320 + 260);
    Graph *again, *none;
    CHECK_OK(graph_parse_blob(text.data, text.length, blob.data, blob.length, &again));
    CHECK(again->values[graph_find(again, "w")].constant->data == blob.data + 320);
    char *a = print(graph, true), *b = print(again, true);
    CHECK_TEXT(b, a);
    CHECK(graph_parse_blob(text.data, text.length, blob.data, blob.length - 1, &none) == ST_BAD);
    CHECK_TEXT(error_message(), "line 4: expected data inside 579 bytes, got 260 bytes at 320");
    CHECK(graph_parse(text.data, text.length, &none) == ST_BAD);
    static const char *const offsets[] = {"-64", "1", "640", "9223372036854775744", "x"};
    for (size_t i = 0; i < COUNT_OF(offsets); i++) {
        char bad[200];
        snprintf(bad, sizeof bad, "graph () -> (%%y) {%%y = const float32[1] data(%s)}", offsets[i]);
        CHECK(graph_parse_blob(bad, strlen(bad), blob.data, blob.length, &none) == ST_BAD);
    }
    mem_free(a);
    mem_free(b);
    text_free(&text);
    text_free(&blob);
    graph_free(graph);
    graph_free(again);
}

TEST(short_forms_of_data) {
    Graph *graph = parse("# a comment\ngraph (%x: float32[4]) -> (%y) { # another\n"
                         "  %z = const float32[4] zeros %f = const int32[2x2] full(-7)\n"
                         "  %r = const float32[10000] random(seed=1, scale=2, offset=5)\n"
                         "  %e = const float16[2] full(0.5)\n%y=Add(%x,%z)}");
    const Tensor *f = graph->values[graph_find(graph, "f")].constant;
    for (int i = 0; i < 4; i++) CHECK_INT(tensor_get_int(f, i), -7);
    CHECK(tensor_get(graph->values[graph_find(graph, "e")].constant, 1) == 0.5);
    const Tensor *r = graph->values[graph_find(graph, "r")].constant;
    double sum = 0, squares = 0;
    for (int i = 0; i < 10000; i++) sum += tensor_get(r, i), squares += tensor_get(r, i) * tensor_get(r, i);
    const double mean = sum / 10000, deviation = sqrt(squares / 10000 - mean * mean);
    CHECK(fabs(mean - 5) < 0.1 && fabs(deviation - 2) < 0.1);
    graph_free(graph);
}

// Constants that nothing uses are not printed; a name that is not UTF-8 stays readable text.
TEST(odd_graphs_print) {
    Graph *graph = parse("graph (%x: float32[4]) -> (%y) {%c = const float32[1] {1}\n%y = Relu \"\\xff\\x0a\" (%x)}");
    char *text = print(graph, true);
    CHECK_TEXT(text, "graph (%x: float32[4]) -> (%y) {\n  %y = Relu \"\\xff\\x0a\" (%x) : float32[4]\n}\n");
    CHECK_INT(strlen(graph->nodes[0]->name), 2);
    mem_free(text);
    graph_free(graph);
}

typedef struct BadText {
    const char *text, *message;
} BadText;

#define HEAD "graph (%x: float32[2x3]) -> (%y) {\n"

TEST(refusals_tell_the_line) {
    static const BadText cases[] = {
        {"", "line 1: expected graph, got the end of the text"},
        {"\n\nnet (", "line 3: expected graph, got 'net'"},
        {"graph x", "line 1: expected '(', got 'x'"},
        {"graph (%x float32[1]) -> ()", "line 1: expected ':', got 'float32'"},
        {"graph (%x: 31[1]) -> ()", "line 1: expected a dtype, got '31'"},
        {"graph (%x: ?[1]) -> ()", "line 1: input 'x' has no dtype"},
        {"graph (%x: float32[1], %x: float32[1])", "line 1: 'x' is defined twice"},
        {"graph (%x: float32[1y2])", "line 1: expected 'x' or ']', got 'y2'"},
        {"graph (%x: float32[-1])", "line 1: expected a dim, got '-1'"},
        {"graph (%x: float32[1x1x1x1x1x1x1x1x1])", "line 1: expected at most 8 dims"},
        {"graph (%x: float32[99999999999999999999])", "line 1: a dim is too large"},
        {"graph (%x: float32[1]) -> (%x %x)", "line 1: expected ',', got '%'"},
        {"graph (%x: float32[1]) -> (%x) {", "line 1: expected '%', got the end of the text"},
        {"graph (%x: float32[1]) -> (%x) {} more", "line 1: expected nothing behind the graph, got 'more'"},
        {"graph (%x: float32[1]) -> (%y) {}", "line 1: output 'y' is not defined"},
        {"graph (%x: float32[1]) -> () {}", "the graph has no output"},
        {"graph (%\"\": float32[1]) -> () {}", "line 1: expected a name, got an empty one"},
        {"graph (%\"a: float32[1]) -> ()\n {}", "line 1: the string has no end in its line"},
        {"graph (%\"a\\q\": float32[1]) -> () {}", "line 1: expected \\\", \\\\ or \\xNN (not 00) in a string"},
        {"graph (%\"a\\x00\": float32[1]) -> () {}", "line 1: expected \\\", \\\\ or \\xNN (not 00) in a string"},
        {HEAD "%y = 7(%x)}", "line 2: expected an op or const, got '7'"},
        {HEAD "\n%y = Relu(%z)}", "line 3: expected a value that is defined above, got 'z'"},
        {HEAD "%y = Relu(%y)}", "line 2: expected a value that is defined above, got 'y'"},
        {HEAD "%x = Relu(%x)}", "line 2: 'x' is defined twice"},
        {HEAD "%y, %y = Split(%x)}", "line 2: 'y' is defined twice"},
        {HEAD "%y = Relu(%x, %x)}", "line 2: value 'y': Relu: expected 1 input, got 2"},
        {HEAD "%y = Relu \"r\" ()}", "line 2: Relu 'r': expected 1 input, got 0"},
        {HEAD "%y = Relu(_)}", "line 2: value 'y': Relu: input 0 is required, but absent"},
        {HEAD "%y, %z = Relu(%x)}", "line 2: value 'y': Relu: expected 1 output, got 2"},
        {HEAD "%y = Elu(%x) {alpha=one}}", "line 2: expected a number, got 'one'"},
        {HEAD "%y = Elu(%x) {alpha=1, alpha=2}}", "line 2: attribute 'alpha' stands twice"},
        {HEAD "%y = Softmax(%x) {axis=1.5}}", "line 2: expected an integer, got '1.5'"},
        {HEAD "%y = Softmax(%x) {axis=[1]}}", "line 2: expected an integer, got '['"},
        {HEAD "%y = Transpose(%x) {perm=1}}", "line 2: expected '[', got '1'"},
        {HEAD "%y = Cast(%x) {to=int8}}", "line 2: expected a string in quotes, got 'int8'"},
        {HEAD "%y = Relu(%x) : float32[2], float32[2]}", "line 2: expected 1 types, got more"},
        {HEAD "%y, %z = Split(%x) : float32[1x3]}", "line 2: expected 2 types, got 1"},
        {HEAD "%y = Relu(%x) : float32[2x2]}",
         "line 2: value 'y': expected float32[2x2], as it was declared, got float32[2x3] from shape inference"},
        {HEAD "%y = const float32[?] {1}}", "line 2: expected a dtype and known dims for data"},
        {HEAD "%y = const float32[2] {1}}", "line 2: expected ',', got '}'"},
        {HEAD "%y = const float32[2] {1, 2, 3}}", "line 2: expected '}', got ','"},
        {HEAD "%y = const float32[2] 1", "line 2: expected '{', zeros, full or random, got '1'"},
        {HEAD "%y = const float32[1000000] {1}}", "line 2: expected 1000000 elements, got fewer"},
        {HEAD "%y = const float32[9999999999999x9999999999999] zeros}", "line 2: the constant is too large"},
        {HEAD "%y = const float32[1000000000] zeros}", "line 2: expected at most 268435456 bytes in such constants"},
        {HEAD "%y = const int8[1] {128}}", "line 2: expected a value of int8, got 128"},
        {HEAD "%y = const bool[1] {2}}", "line 2: expected a value of bool, got 2"},
        {HEAD "%y = const uint64[1] {18446744073709551616}}",
         "line 2: expected an integer that fits uint64, got '18446744073709551616'"},
        {HEAD "%y = const float32[2] random(seed=1, mean=2)}", "line 2: expected seed, scale or offset, got 'mean'"},
        {HEAD "%y, %z = const float32[2] zeros}", "line 2: expected one name for a constant"},
        {HEAD "_ = const float32[2] zeros}", "line 2: expected one name for a constant"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        Graph *graph;
        CHECK_MSG(graph_parse(cases[i].text, strlen(cases[i].text), &graph) == ST_BAD, "accepted: %s", cases[i].text);
        CHECK_TEXT(error_message(), cases[i].message);
    }
}

// Well-formed, so a later stent may have written it.
TEST(words_that_are_not_known_are_unsupported) {
    static const BadText cases[] = {
        {"graph (%x: float8e4m3[1]) -> ()", "line 1: dtype 'float8e4m3' is not known here; a newer stent may know it"},
        {HEAD "%k = const int4[2] {1, 2}\n%y = Relu(%x)}",
         "line 2: dtype 'int4' is not known here; a newer stent may know it"},
        {HEAD "%y = Reluu(%x)}", "line 2: operator 'Reluu' is not known here; a newer stent may know it"},
        {HEAD "\n%y = Relu(%x) {alpha=1}}", "line 3: Relu has no attribute 'alpha' here; a newer stent may know it"},
        {HEAD "%y = Cast(%x) {to=\"int65\"}}",
         "line 2: value 'y': Cast: attribute 'to': 'int65' is not a dtype that is known here"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        Graph *graph;
        CHECK_MSG(graph_parse(cases[i].text, strlen(cases[i].text), &graph) == ST_UNSUPPORTED, "not refused: %s",
                  cases[i].text);
        CHECK_TEXT(error_message(), cases[i].message);
    }
}

TEST(text_is_bounded) {
    const size_t size = (16 << 20) + 1;
    char *text = mem_alloc(size);
    REQUIRE(text);
    memset(text, ' ', size);
    Graph *graph;
    CHECK(graph_parse(text, size, &graph) == ST_BAD);
    CHECK_TEXT(error_message(), "expected a graph's text of at most 16 MB, got 16777217 bytes");
    mem_free(text);
}

// 2e5 nodes with long names are read, printed and sorted in no more than some seconds: nothing is quadratic.
TEST(large_graphs_are_not_quadratic) {
    const int count = 200000;
    Text text = {0};
    text_add(&text, "graph (%%v0: float32[4]) -> (%%v%d) {\n", count);
    for (int i = 1; i <= count; i++) text_add(&text, "%%v%d = Relu(%%v%d)\n", i, i - 1);
    text_add(&text, "}");
    CHECK_OK(text_status(&text));
    Graph *graph;
    CHECK_OK(graph_parse(text.data, text.length, &graph));
    CHECK_OK(graph_compact(graph));
    CHECK_INT(graph->n_nodes, count);
    for (int i = 0; i < 100000; i++) { // taken names
        ValueId id;
        CHECK_OK(graph_add_value(graph, "v1", NULL, &id));
    }
    CHECK(graph_find(graph, "v1.100000") != NO_VALUE);
    graph_free(graph);
    text_free(&text);
}

// Mutated text: whatever happens, it is a refusal or a graph that verifies, prints and reads back.
static void mutate(Rng *rng, char *text, size_t *length, size_t room) {
    static const char pieces[] = "%x%y{}()[],=:?_*#\"\\-0123456789 \nNxHconst Relu Conv float32 int64 inf";
    const size_t at = rng_below(rng, *length), from = rng_below(rng, *length);
    const size_t span = 1 + rng_below(rng, 12), piece = rng_below(rng, sizeof pieces - 1);
    switch (rng_below(rng, 5)) {
    case 0: text[at] = (char)rng_below(rng, 256); break;
    case 1: text[at] = pieces[piece]; break;
    case 2: *length -= MIN(span, *length - at) * (*length > 100); break; // cuts the tail
    case 3: memmove(text + at, text + from, MIN(span, *length - MAX(at, from))); break;
    default:
        if (*length + 1 > room) return;
        memmove(text + at + 1, text + at, *length - at);
        text[at] = pieces[piece];
        ++*length;
    }
}

TEST(mutated_text_does_no_harm) {
    enum { ROOM = 4096 };
    static char text[ROOM];
    Rng rng;
    rng_seed(&rng, 7);
    int accepted = 0, refused = 0;
    for (int round = test_long() ? 400000 : 8000; round > 0; round--) {
        size_t length = sizeof UNET - 1;
        memcpy(text, UNET, length);
        for (uint64_t n = 1 + rng_below(&rng, 4); n > 0; n--) mutate(&rng, text, &length, ROOM);
        char *exact = mem_alloc(length); // so that a read behind the end is noticed
        REQUIRE(exact);
        memcpy(exact, text, length);
        Graph *graph, *again;
        const Status status = graph_parse(exact, length, &graph);
        mem_free(exact);
        CHECK(status == ST_OK || status == ST_BAD || status == ST_UNSUPPORTED);
        refused += status != ST_OK;
        accepted += status == ST_OK;
        if (status != ST_OK) continue;
        CHECK_OK(graph_compact(graph));
        CHECK_OK(graph_verify(graph));
        char *printed = print(graph, true);
        CHECK_OK(graph_parse(printed, strlen(printed), &again));
        char *second = print(again, true);
        CHECK_TEXT(second, printed);
        mem_free(printed);
        mem_free(second);
        graph_free(graph);
        graph_free(again);
    }
    CHECK_MSG(accepted > 10 && refused > 10, "%d accepted, %d refused", accepted, refused);
}

// The first, second ... allocation fails, until none is left to fail: a status each time, and nothing leaks.
TEST(no_memory_is_a_status) {
    Graph *graph = NULL;
    Status status = ST_RESOURCE;
    int64_t n = 0;
    for (; n < 10000 && status != ST_OK; n++) {
        mem_fail_after(n);
        status = graph_parse(UNET, sizeof UNET - 1, &graph);
        mem_fail_after(-1);
        CHECK(status == ST_OK || status == ST_RESOURCE);
    }
    CHECK_OK(status);
    CHECK(n > 10);
    Graph *copy = NULL;
    for (n = 0, status = ST_RESOURCE; n < 10000 && status != ST_OK; n++) {
        mem_fail_after(n);
        status = graph_copy(graph, &copy);
        mem_fail_after(-1);
        CHECK(status == ST_OK || (status == ST_RESOURCE && !copy));
    }
    CHECK_OK(status);
    char *a = print(graph, true), *b = print(copy, true);
    CHECK_TEXT(b, a);
    mem_free(a);
    mem_free(b);
    graph_free(graph);
    graph_free(copy);
}

// profile --versus, of made-up profiles.
#include "app/versus.h"
#include "base/file.h"
#include "test.h"

static Layer layer(const char *name, const char *op, const char *solver, double ms) {
    return (Layer){.name = name,
                   .op = op,
                   .shape = "1x8x4x4",
                   .solver = solver,
                   .configuration = "chunk 32",
                   .why = "bound by memory",
                   .ms = ms};
}
static LayerProfile profile(const char *name, Layer *layers, int count) {
    LayerProfile out = {.name = name,
                        .isa = "avx2",
                        .cpu = "A CPU",
                        .precision = "fp32",
                        .stent = "1.0",
                        .threads = 2,
                        .layers = layers,
                        .count = count,
                        .whole_ms = 9};
    for (int i = 0; i < count; i++) out.sum_ms += layers[i].ms;
    return out;
}
static Arena arena;
static const char *printed; // by the last comparison
static const Json *compared(const LayerProfile *mine, const LayerProfile *other) {
    static struct stent_result *result;
    Json *json;
    stent_result_free(result);
    CHECK_OK(result_begin("profile", NULL, &(stent_options){.size = sizeof(stent_options)}, &result));
    CHECK_OK(tell_versus(mine, other, result));
    json_end_object(&result->writer);
    printed = stent_result_text(result);
    CHECK_OK(json_parse(&arena, stent_result_json(result), result->json.length, &json));
    return json_get(json, "versus");
}
static const char *text_at(const Json *object, const char *key) {
    const Json *value = json_get(object, key);
    REQUIRE(value && value->type == JSON_STRING);
    return value->string;
}
static double number_at(const Json *object, const char *key) {
    const Json *value = json_get(object, key);
    REQUIRE(value && value->type == JSON_NUMBER);
    return value->number;
}
static bool near(double a, double b) { return fabs(a - b) < 1e-9; }
static bool lists(const Json *object, const char *key, const char *const *words) { // ends with NULL
    const Json *list = json_get(object, key);
    size_t i = 0;
    REQUIRE(list && list->type == JSON_ARRAY);
    for (; words[i]; i++)
        if (i >= list->count || strcmp(list->items[i].string, words[i])) return false;
    return i == list->count;
}
#define LISTS(object, key, ...) CHECK(lists(object, key, (const char *const[]){__VA_ARGS__, NULL}))
static const Json *layer_named(const Json *versus, const char *name) {
    const Json *layers = json_get(versus, "layers");
    for (size_t i = 0; i < layers->count; i++)
        if (!strcmp(text_at(&layers->items[i], "name"), name)) return &layers->items[i];
    test_failed(__FILE__, __LINE__, "no layer '%s'", name);
    test_end();
}

TEST(equal_profiles) {
    Layer a[] = {layer("x", "convert", "convert", 1), layer("y", "Conv", "conv_direct", 3)};
    Layer b[] = {layer("x", "convert", "convert", 1), layer("y", "Conv", "conv_direct", 2)};
    const LayerProfile mine = profile("a.stent", a, 2), other = profile("b.json", b, 2);
    const Json *versus = compared(&mine, &other), *causes = json_get(versus, "causes");
    CHECK_TEXT(text_at(versus, "file"), "b.json");
    CHECK(number_at(versus, "sum_ms") == 3 && number_at(versus, "whole_ms") == 9);
    CHECK_INT(json_get(versus, "layers")->count, 2);
    const Json *y = layer_named(versus, "y");
    CHECK(number_at(y, "ms") == 3 && number_at(y, "versus_ms") == 2 && number_at(y, "ratio") == 1.5);
    CHECK_INT(json_get(y, "reasons")->count, 0);
    CHECK_TEXT(text_at(y, "why"), "same code");
    CHECK_INT(causes->count, 1);
    CHECK_TEXT(text_at(&causes->items[0], "why"), "same code: machine or noise");
    CHECK(number_at(&causes->items[0], "ms") == 1);
}
// A network held to SSE2 with its heaviest layers on the reference path, beside a normal run: those layers, and the
// instruction set for the rest.
TEST(the_reference_path_and_the_instruction_set) {
    static const char *const parts[2][2] = {{"conv1", "relu1"}, {"conv2", "relu2"}};
    Layer a[] = {layer("conv1", "Conv", "reference", 50), layer("relu1", "Relu", "unary", 2),
                 layer("conv2", "Conv", "reference", 1), layer("relu2", "Relu", "unary", 30),
                 layer("up", "Resize", "resize", 4)};
    Layer b[] = {layer("relu1", "Conv + Relu", "conv_winograd", 5), layer("relu2", "Conv + Relu", "conv_winograd", 3),
                 layer("up", "Resize", "resize", 1)};
    for (int i = 0; i < 2; i++) {
        b[i].parts = parts[i], b[i].n_parts = 2;
        a[2 * i].fallback = true, a[2 * i].why = "STENT_AVOID leaves no solver";
    }
    LayerProfile mine = profile("net.stent", a, 5), other = profile("normal.json", b, 3);
    mine.isa = "sse2";
    const Json *versus = compared(&mine, &other), *causes = json_get(versus, "causes");
    CHECK_INT(json_get(versus, "layers")->count, 3);
    const Json *first = layer_named(versus, "conv1"), *up = layer_named(versus, "up");
    LISTS(first, "steps", "conv1", "relu1");
    LISTS(first, "versus_steps", "relu1");
    LISTS(first, "reasons", "reference");
    CHECK(number_at(first, "ms") == 52 && number_at(first, "versus_ms") == 5);
    LISTS(up, "reasons", "isa");
    CHECK_TEXT(text_at(up, "why"), "ISA sse2 against avx2");
    REQUIRE(causes->count == 2);
    CHECK_TEXT(text_at(&causes->items[0], "why"), "on the reference path in net.stent: STENT_AVOID leaves no solver");
    LISTS(&causes->items[0], "layers", "conv1", "conv2");
    CHECK(near(number_at(&causes->items[0], "ms"), 75));
    CHECK_TEXT(text_at(&causes->items[1], "cause"), "place");
    CHECK_TEXT(text_at(&causes->items[1], "why"), "ISA sse2 against avx2");
    LISTS(&causes->items[1], "layers", "up");
    CHECK(near(number_at(&causes->items[1], "ms"), 3));
    CHECK(strstr(printed, "  conv1, conv2\n"));
    // The other way round, and on both sides: then nothing comes from there, nor from the instruction set.
    CHECK(strstr(text_at(layer_named(compared(&other, &mine), "relu1"), "why"), "on the reference path in net.stent"));
    versus = compared(&mine, &mine);
    LISTS(layer_named(versus, "conv2"), "steps", "conv2");
    CHECK_INT(json_get(layer_named(versus, "conv2"), "reasons")->count, 0);
    other = mine, other.isa = "avx";
    versus = compared(&mine, &other);
    CHECK_INT(json_get(layer_named(versus, "conv2"), "reasons")->count, 0);
    LISTS(layer_named(versus, "relu2"), "reasons", "isa");
}
TEST(each_reason) {
    Layer a[] = {layer("s", "Conv", "conv_direct", 1), layer("c", "Conv", "conv_direct", 1),
                 layer("p", "Conv", "conv_direct", 1), layer("h", "Conv", "conv_direct", 1),
                 layer("mine", "convert", "convert", 4)};
    Layer b[] = {layer("s", "Conv", "conv_winograd", 2), layer("c", "Conv", "conv_direct", 3),
                 layer("p", "Conv + Relu", "conv_direct", 4), layer("h", "Conv", "conv_direct", 5),
                 layer("theirs", "convert", "convert", 4)};
    b[1].configuration = "chunk 64", b[3].shape = "1x8x8x8";
    const LayerProfile mine = profile("a", a, 5);
    LayerProfile other = profile("b", b, 5);
    const Json *versus = compared(&mine, &other), *causes = json_get(versus, "causes");
    LISTS(layer_named(versus, "s"), "reasons", "solver");
    CHECK_TEXT(text_at(layer_named(versus, "s"), "why"), "solver conv_direct against conv_winograd");
    LISTS(layer_named(versus, "c"), "reasons", "configuration");
    CHECK_TEXT(text_at(layer_named(versus, "c"), "why"), "configuration chunk 32 against chunk 64");
    LISTS(layer_named(versus, "p"), "reasons", "steps");
    CHECK_TEXT(text_at(layer_named(versus, "p"), "why"), "steps Conv against Conv + Relu");
    LISTS(layer_named(versus, "h"), "reasons", "shape");
    LISTS(layer_named(versus, "mine"), "reasons", "steps"); // conversions of other values are not the same
    CHECK_TEXT(text_at(layer_named(versus, "mine"), "why"), "steps convert against nothing");
    CHECK(json_get(layer_named(versus, "mine"), "ratio")->type == JSON_NULL);
    LISTS(layer_named(versus, "theirs"), "steps", NULL);
    REQUIRE(causes->count == 4);
    static const char *const words[] = {"shape", "steps", "configuration", "solver"}; // the largest difference first
    for (size_t i = 0; i < 4; i++) CHECK_TEXT(text_at(&causes->items[i], "cause"), words[i]);
    CHECK(near(number_at(&causes->items[1], "ms"), -3)); // p, and the two conversions
    // Elsewhere everything is put down to that.
    other.cpu = "B CPU", other.threads = 4, other.precision = "strict", other.stent = "2.0";
    versus = compared(&mine, &other), causes = json_get(versus, "causes");
    LISTS(layer_named(versus, "s"), "reasons", "solver", "cpu", "threads", "precision", "version");
    REQUIRE(causes->count == 1);
    CHECK_TEXT(text_at(&causes->items[0], "why"),
               "CPU A CPU against B CPU; threads 2 against 4; precision fp32 against strict; stent 1.0 against 2.0");
    CHECK(strstr(printed, "6 of them also by other steps, solver or configuration"));
}
// Another exporter's names: by op and shape, in order.
TEST(other_names) {
    Layer a[] = {layer("a1", "Conv", "conv_direct", 1), layer("a2", "Relu", "unary", 2),
                 layer("a3", "Conv", "conv_direct", 3)};
    Layer b[] = {layer("b1", "Conv", "conv_direct", 4), layer("b2", "Conv", "conv_direct", 5),
                 layer("b3", "MaxPool", "pool", 6)};
    const LayerProfile mine = profile("a", a, 3), other = profile("b", b, 3);
    const Json *versus = compared(&mine, &other);
    LISTS(layer_named(versus, "a1"), "versus_steps", "b1");
    LISTS(layer_named(versus, "a3"), "versus_steps", "b2");
    LISTS(layer_named(versus, "a2"), "versus_steps", NULL);
    LISTS(layer_named(versus, "b3"), "steps", NULL);
}
TEST(foreign_names_do_not_reach_the_terminal) {
    Layer a[] = {layer("y", "Conv", "conv_direct", 1)}, b[] = {layer("\033[31m\n", "\033[0m", "\033c", 1)};
    const LayerProfile mine = profile("a", a, 1);
    LayerProfile other = profile("b", b, 1);
    other.isa = other.cpu = other.precision = other.stent = "\033\r";
    compared(&mine, &other);
    CHECK(!strchr(printed, '\033') && !strchr(printed, '\r') && strstr(printed, "\\x1b"));
}

// ---- reading

#define MACHINE "\"machine\": {\"isa\": \"avx2\", \"threads\": 2, \"cpu\": \"A CPU\"}"
#define HEAD                                                                                                           \
    "{\"verb\": \"profile\", \"stent\": \"1.0\", \"precision\": \"fp32\", \"sum_ms\": 3, \"whole_ms\": 4, " MACHINE
#define LAYER(rest)                                                                                                    \
    "{\"name\": \"y\", \"op\": \"Conv\", \"shape\": \"1x8\", \"solver\": \"s\", \"configuration\": \"\", "             \
    "\"why\": \"w\", \"fallback\": true, " rest "}"
TEST(a_saved_profile) {
    LayerProfile p;
    static const char good[] = HEAD
        ", \"layers\": [" LAYER("\"ms\": 1.5, \"parts\": [\"c\", \"y\"]") ", " LAYER("\"ms\": 0") "], \"more\": [{}]}";
    CHECK_OK(layer_profile_parse(good, strlen(good), &arena, &p));
    CHECK(p.count == 2 && p.sum_ms == 3 && p.whole_ms == 4 && p.threads == 2 && p.layers[0].ms == 1.5);
    CHECK(p.layers[0].fallback && p.layers[0].n_parts == 2 && p.layers[1].n_parts == 0);
    CHECK_TEXT(p.layers[0].parts[0], "c");
    CHECK_TEXT(p.isa, "avx2");
}
TEST(other_files_are_refused) {
    static const char *const cases[][2] = {
        {"{\"verb\": \"bench\"}", "line 1: \"verb\": expected \"profile\", got \"bench\""},
        {"{}", "line 1: \"verb\": expected a text, got nothing"},
        {"{\"verb\": \"profile\"}", "\"machine\": expected an object, got nothing"},
        {HEAD "}", "\"layers\": expected a list, got nothing"},
        {HEAD ", \"layers\":\n [1]}", "line 2: \"layers\": expected objects"},
        {HEAD ", \"layers\": [" LAYER("\"ms\": -1") "]}", "\"ms\": expected a number from 0 to 1e+09, got -1"},
        {HEAD ", \"layers\": [" LAYER("\"ms\": \"1\"") "]}", "\"ms\": expected a number, got something else"},
        {HEAD ", \"layers\": [" LAYER("\"ms\": 1, \"parts\": [1]") "]}", "\"parts\": expected texts"},
        {HEAD ", \"layers\": [" LAYER("\"ms\": 1") "]", "expected ',' or '}'"},
        {"[]", "expected a package or what stent profile --json prints"},
        {"", "expected a package or what stent profile --json prints"}};
    const char *path = test_temp("saved.json");
    LayerProfile p;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        CHECK_OK(file_write(path, cases[i][0], strlen(cases[i][0])));
        CHECK_INT(layer_profile_read(path, &arena, &p), ST_BAD);
        CHECK_MSG(strstr(error_message(), cases[i][1]) && strstr(error_message(), "saved.json: "), "%s: got %s",
                  cases[i][0], error_message());
    }
}
TEST(limits_of_a_saved_profile) {
    Text text = {0};
    LayerProfile p;
    text_add(&text, HEAD ", \"layers\": [");
    for (int i = 0; i < 20001; i++) text_add(&text, "%s" LAYER("\"ms\": 1"), i ? ", " : "");
    text_add(&text, "]}");
    CHECK_INT(layer_profile_parse(text_get(&text), text.length, &arena, &p), ST_BAD);
    CHECK_MSG(strstr(error_message(), "expected at most 20000 layers, got 20001"), "%s", error_message());
    text_free(&text);
    text_add(&text, "{\"verb\": \"%*s\"}", 4097, "");
    CHECK_INT(layer_profile_parse(text_get(&text), text.length, &arena, &p), ST_BAD);
    CHECK_MSG(strstr(error_message(), "\"verb\": expected at most 4096 bytes, got 4097"), "%s", error_message());
    text_free(&text);
}

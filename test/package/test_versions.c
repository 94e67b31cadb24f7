// The format through time: packages of each version stay in test/package/data and must open, mean and answer the same;
// today's writer must give the bytes that are stored for its version; what later stents may write is opened or refused
// as docs/FORMATS.md says.
//
// The stored files of a new version: STENT_STORE_PACKAGES=1 stent-test package/versions/today_writes
#include "app/app.h"
#include "base/hash.h"
#include "cli/program.h"
#include "package/make_package.h"
#include "plan/planned.h"
#include "reference/reference.h"
#include "tensor/npy.h"
#include <math.h>

#define DATA TEST_SOURCE_ROOT "/test/package/data/"

// Multiples of 1/64: the same on every machine.
static void add_constant(Text *text, const char *name, const char *type, int count) {
    text_add(text, " %%%s = const %s {", name, type);
    for (int i = 0; i < count; i++) text_add(text, "%s%g", i ? ", " : "", (i * 37 % 61 - 30) / 64.0);
    text_add(text, "}\n");
}
static void add_net(Text *text) {
    text_add(text, "graph \"net\" (%%x: float32[1x3xHxW]) -> (%%mask) {\n");
    add_constant(text, "w1", "float32[8x3x3x3]", 216);
    add_constant(text, "b1", "float32[8]", 8);
    add_constant(text, "w2", "float32[8x8x3x3]", 576);
    add_constant(text, "scale", "float32[8]", 8);
    add_constant(text, "w3", "float32[8x4x2x2]", 128);
    add_constant(text, "w4", "float32[2x12x1x1]", 24);
    text_add(text, " %%high = const float32[] {6}\n"
                   " %%c1 = Conv \"enc/conv 1\" (%%x, %%w1, %%b1) {pads=[1, 1, 1, 1]}\n"
                   " %%skip = LeakyRelu (%%c1) {alpha=0.125}\n"
                   " %%down = MaxPool (%%skip) {kernel_shape=[2, 2], strides=[2, 2]}\n"
                   " %%c2 = Conv (%%down, %%w2) {pads=[1, 1, 1, 1]}\n"
                   " %%n2 = InstanceNormalization (%%c2, %%scale, %%b1) {epsilon=0.001}\n"
                   " %%\"deep/clip\" = Clip (%%n2, _, %%high)\n"
                   " %%up = ConvTranspose (%%\"deep/clip\", %%w3) {strides=[2, 2]}\n"
                   " %%both = Concat (%%up, %%skip) {axis=1}\n"
                   " %%logit = Conv (%%both, %%w4)\n"
                   " %%mask = Softmax (%%logit) {axis=1}\n"
                   "}\n");
}
// Every dtype, inline and among the large constants; attributes of each type; what is absent; odd names.
static void add_types(Text *text) {
    text_add(text, "graph (%%x: float32[Nx\"my w\"], %%k: int64[2]) -> (%%y, %%z");
    for (int dtype = DT_F32; dtype < DT_COUNT; dtype++) text_add(text, ", %%o%d, %%p%d", dtype, dtype);
    text_add(text, ") {\n");
    for (int dtype = DT_F32; dtype < DT_COUNT; dtype++) {
        const char *name = dtype_name((DType)dtype);
        text_add(text, " %%big%d = const %s[3x30] {", dtype, name);
        for (int i = 0; i < 90; i++) text_add(text, "%s%d", i ? ", " : "", dtype == DT_BOOL ? i % 2 : i);
        text_add(text, "}\n %%o%d = Identity (%%big%d)\n %%few%d = const %s[2] {%s}\n %%p%d = Identity (%%few%d)\n",
                 dtype, dtype, dtype, name,
                 dtype == DT_U64         ? "18446744073709551615, 1"
                 : dtype == DT_I64       ? "-9223372036854775808, 9007199254740993"
                 : dtype == DT_F64       ? "-0.0, 4.9406564584124654e-324"
                 : dtype_is_float(dtype) ? "-0.0, 0.333251953125"
                                         : "1, 0",
                 dtype, dtype);
    }
    text_add(text, " %%pads = const int64[4] {0, 1, 0, 1}\n"
                   " %%size = Shape (%%x)\n"
                   " %%half = ConstantOfShape (%%size) {value=float32[1] {0.5}}\n"
                   " %%sum = Add \"a \\\"quoted\\\"\\x0aname\" (%%x, %%half)\n"
                   " %%\"wide \\\\ x\" = Pad (%%sum, %%pads) {mode=\"reflect\"}\n"
                   " %%flip = Transpose (%%\"wide \\\\ x\") {perm=[1, 0]}\n"
                   " %%y = Cast (%%flip) {to=\"float64\"}\n"
                   " _, %%z = Split (%%k) {num_outputs=2}\n"
                   "}\n");
}
static const char pipeline[] = "{\"version\": 1, \"input\": {\"channels\": 3, \"size\": [16, 16], \"resize\": \"pad\", "
                               "\"mean\": [0.5, 0.25, 0.125], \"normalise\": \"zscore\"}, \"output\": {\"threshold\": "
                               "0.25, \"classes\": [\"background\", \"tumour\"], \"keep_largest\": true}}";

typedef struct Stored {
    const char *name;
    void (*text)(Text *text);
    const char *shapes[2]; // for the free dims: those of the self-check
    Shape sample[2];
} Stored;
static const Stored all_stored[] = {
    {.name = "net", .text = add_net, .shapes = {"x=1x3x16x16"}, .sample = {{4, {1, 3, 16, 16}}}},
    {.name = "types", .text = add_types, .shapes = {"x=2x5"}, .sample = {{2, {2, 5}}, {1, {2}}}},
};
static const char *data_path(const Stored *stored, int version, const char *ending) {
    char path[4096];
    static Arena kept;
    snprintf(path, sizeof path, DATA "v%d-%s%s", version, stored->name, ending);
    const char *copy = arena_string(&kept, path);
    REQUIRE(copy);
    return copy;
}
static Graph *stored_graph(const Stored *stored) {
    Text text = {0};
    stored->text(&text);
    Graph *graph = planned_graph(text_get(&text));
    text_free(&text);
    return graph;
}
// Inputs and expected outputs of a stored package, in the order of the graph.
static void read_sample(const Stored *stored, int version, const Graph *graph, Arena *arena, SelfCheck *check) {
    NamedTensor *tensors;
    size_t count;
    CHECK_OK(npz_read(arena, data_path(stored, version, ".npz"), &tensors, &count));
    CHECK_INT(count, graph->n_inputs + graph->n_outputs);
    *check = (SelfCheck){.inputs = arena_array(arena, count, sizeof(Tensor)),
                         .expected = arena_array(arena, count, sizeof(Tensor)),
                         .n_inputs = graph->n_inputs,
                         .n_outputs = graph->n_outputs,
                         .from_reference = true};
    REQUIRE(check->inputs && check->expected);
    for (int i = 0; i < graph->n_inputs; i++) check->inputs[i] = tensors[i].tensor;
    for (int i = 0; i < graph->n_outputs; i++) check->expected[i] = tensors[graph->n_inputs + i].tensor;
}
// The expected outputs are made once and stored: exp() of another libm may round the other way.
static void store_sample(const Stored *stored) {
    Arena arena = {0};
    Graph *graph = stored_graph(stored);
    NamedTensor tensors[64];
    Tensor inputs[2], outputs[64];
    for (int i = 0; i < graph->n_inputs; i++) {
        const Value *value = &graph->values[graph->inputs[i]];
        CHECK_OK(tensor_make(&arena, value->type.dtype, stored->sample[i], &inputs[i]));
        for (int64_t k = 0; k < tensor_count(&inputs[i]); k++)
            tensor_set(&inputs[i], k, value->type.dtype == DT_I64 ? (double)k - 7 : (double)(k * 29 % 97) / 64 - 0.5);
        tensors[i] = (NamedTensor){value->name, inputs[i]};
        CHECK_OK(graph_bind(graph, value->name, &stored->sample[i]));
    }
    CHECK_OK(graph_infer(graph));
    CHECK_OK(reference_run(graph, inputs, outputs, &arena, NULL, NULL));
    for (int i = 0; i < graph->n_outputs; i++)
        tensors[graph->n_inputs + i] = (NamedTensor){graph->values[graph->outputs[i]].name, outputs[i]};
    CHECK_OK(
        npz_write(data_path(stored, PACKAGE_VERSION, ".npz"), tensors, (size_t)(graph->n_inputs + graph->n_outputs)));
    graph_free(graph);
    arena_free(&arena);
}
static void write_today(const Stored *stored, const char *path) {
    Arena arena = {0};
    Graph *graph = stored_graph(stored);
    PackageContent content = {.graph = graph,
                              .pipeline = pipeline,
                              .opt_level = 3,
                              .precision = "fp32",
                              .description = "{\"model\": \"net.onnx\", \"stent\": \"0.1.0\"}"};
    char hex[65];
    read_sample(stored, PACKAGE_VERSION, graph, &arena, &content.check);
    CHECK_OK(package_write(path, &content, hex));
    graph_free(graph);
    arena_free(&arena);
}
static void check_same_bytes(const char *a, const char *b) {
    size_t n, m;
    uint8_t *one = read_whole(a, &n), *other = read_whole(b, &m);
    CHECK_MSG(
        n == m && !memcmp(one, other, n),
        "the format has changed: what is written now is not %s. Either write the same bytes, or give the format a "
        "new version and store its packages (docs/FORMATS.md, Versions)",
        b);
    mem_free(one);
    mem_free(other);
}
TEST(today_writes_the_stored_bytes) {
    const bool store = getenv("STENT_STORE_PACKAGES") != NULL;
    for (size_t i = 0; i < COUNT_OF(all_stored); i++) {
        const char *stored = data_path(&all_stored[i], PACKAGE_VERSION, ".stent"), *now = test_temp("now.stent");
        if (store && path_kind(stored) == PATH_MISSING) {
            store_sample(&all_stored[i]);
            write_today(&all_stored[i], stored);
        }
        write_today(&all_stored[i], now);
        check_same_bytes(now, stored);
    }
}

// What has come in is what stands in the file, to the last byte: the text and the constants print as they were.
static void check_graph_section(const Package *package, const PackagePart *parts) {
    Text text = {0}, blob = {0};
    CHECK_OK(graph_print_blob(package->graph, &text, &blob));
    CHECK(text.length == parts[PACKAGE_GRAPH].size && !memcmp(text.data, parts[PACKAGE_GRAPH].bytes, text.length));
    CHECK(blob.length == parts[PACKAGE_CONSTANTS].size &&
          !memcmp(blob.data, parts[PACKAGE_CONSTANTS].bytes, blob.length));
    text_free(&text);
    text_free(&blob);
}
static void check_stored(const Stored *stored, int version) {
    const char *path = data_path(stored, version, ".stent");
    size_t size;
    PackagePart parts[64];
    uint8_t digest[32], *bytes = read_whole(path, &size);
    char hex[65];
    Package *package;
    CHECK_OK(package_open(path, &package));
    content_hash_of(parts, package_parts(bytes, parts), digest);
    sha256_text(digest, hex);
    CHECK_TEXT(package->content_hash, hex);
    check_graph_section(package, parts);
    CHECK_TEXT(package->pipeline, pipeline);
    CHECK_INT(package->opt_level, 3);
    CHECK_TEXT(package->precision, "fp32");
    Arena arena = {0};
    SelfCheck sample;
    read_sample(stored, version, package->graph, &arena, &sample);
    CHECK(package->check.from_reference);
    for (int i = 0; i < sample.n_inputs; i++)
        CHECK(!memcmp(package->check.inputs[i].data, sample.inputs[i].data, tensor_bytes(&sample.inputs[i])));
    for (int i = 0; i < sample.n_outputs; i++)
        CHECK(!memcmp(package->check.expected[i].data, sample.expected[i].data, tensor_bytes(&sample.expected[i])));
    arena_free(&arena);
    package_close(package);
    mem_free(bytes);
}
TEST(stored_packages_mean_the_same) {
    for (int version = 1; version <= PACKAGE_VERSION; version++)
        for (size_t i = 0; i < COUNT_OF(all_stored); i++) check_stored(&all_stored[i], version);
}
// On this instruction set: the package's own self-check, and the stored sample against the stored answer.
static void check_answer(const Stored *stored, int version, Isa isa) {
    Opened opened;
    Arena arena = {0};
    SelfCheck sample;
    Session *session;
    Tensor *outputs;
    const char *inputs[] = {stored->shapes[0], stored->shapes[1], NULL};
    const stent_options options = {.threads = 2, .inputs = inputs};
    setenv("STENT_ISA", isa_name(isa), 1);
    setenv("XDG_DATA_HOME", test_temp("data"), 1);
    CHECK_OK(open_package(data_path(stored, version, ".stent"), &options, 0, &opened));
    CHECK_TEXT(opened.self_check, "passed");
    const Graph *graph = opened.package->graph;
    read_sample(stored, version, graph, &arena, &sample);
    CHECK_OK(make_tensors(graph, graph->outputs, graph->n_outputs, &arena, &outputs));
    CHECK_OK(session_create(opened.executable, &session));
    CHECK_OK(session_run(session, sample.inputs, outputs));
    planned_compare(stored->name, graph, outputs, sample.expected, plan_budget(PRECISION_FP32));
    session_destroy(session);
    close_package(&opened);
    arena_free(&arena);
}
TEST(stored_packages_answer_the_same) {
    for (int version = 1; version <= PACKAGE_VERSION; version++)
        for (size_t i = 0; i < COUNT_OF(all_stored); i++)
            for (Isa isa = ISA_SSE2; isa <= planned_best_isa(); isa++) check_answer(&all_stored[i], version, isa);
}

// ---- packages of stents to come ----

// The stored net with one part changed or added; `part` of kind 0: none. Other parts of its kind are replaced.
static void check_future(const char *what, uint32_t version, PackagePart part, int status, const char *line) {
    size_t size;
    PackagePart parts[64];
    uint8_t *bytes = read_whole(DATA "v1-net.stent", &size);
    int count = package_parts(bytes, parts), at = count;
    for (int i = 0; i < count; i++)
        if (parts[i].kind == part.kind) at = i;
    if (part.kind) parts[at] = part, count = MAX(count, at + 1);
    const char *path = test_temp("future.stent");
    pack_parts(path, version, parts, count);
    mem_free(bytes);
    const int got = program("info", path, NULL);
    CHECK_MSG(got == status, "%s: exit status %d, expected %d:\n%s", what, got, status, program_out);
    if (status) check_one_line(line);
    else CHECK_MSG(strstr(program_out, line), "%s: no '%s' in\n%s", what, line, program_out);
}
static void check_part(const char *what, uint32_t kind, uint32_t flags, const char *text, int status,
                       const char *line) {
    check_future(what, PACKAGE_VERSION, (PackagePart){kind, flags, text, strlen(text)}, status, line);
}
TEST(a_newer_format_is_refused) {
    char line[128];
    for (uint64_t version = PACKAGE_VERSION + 1; version <= UINT32_MAX; version *= 10) {
        snprintf(line, sizeof line,
                 "future.stent: made by a newer stent (format %u, this one reads up to %d); update stent\n",
                 (unsigned)version, PACKAGE_VERSION);
        check_future("version", (uint32_t)version, (PackagePart){0}, 4, line);
    }
    check_future("version 0", 0, (PackagePart){0}, 3, "offset 8: expected a format version, got 0");
    check_future("unchanged", PACKAGE_VERSION, (PackagePart){0}, 0, "package of net.onnx");
}
static void check_newer(int status) {
    CHECK_INT(status, 4);
    check_one_line("future.stent: made by a newer stent (format ");
}
TEST(every_verb_refuses_a_newer_format) {
    check_future("version", PACKAGE_VERSION + 1, (PackagePart){0}, 4, "made by a newer stent");
    const char *path = test_temp("future.stent"), *masks = test_temp("masks"), *y = test_temp("y.npy");
    check_newer(program("segment", path, TEST_SOURCE_ROOT "/examples/phantom/volume", "-o", masks, NULL));
    check_newer(program("run", path, "--input", DATA "v1-net.npz", "--output", y, NULL));
    check_newer(program("bench", path, NULL));
    check_newer(program("profile", path, NULL));
    check_newer(program("verify", path, NULL));
    CHECK(path_kind(masks) == PATH_MISSING && path_kind(y) == PATH_MISSING);
}
// Also with a section table that this stent could not read, and more sections than it takes.
TEST(a_newer_format_is_refused_whatever_it_holds) {
    uint8_t header[128] = "STENTPK\n";
    put_u64(header + 8, 2 | (uint64_t)1000 << 32), put_u64(header + 16, 1);
    rehash_package(header, sizeof header);
    write_whole(test_temp("strange.stent"), header, sizeof header);
    CHECK_INT(program("info", test_temp("strange.stent"), NULL), 4);
    check_one_line("made by a newer stent (format 2,");
}
TEST(the_rest_of_the_header_is_not_looked_at) {
    size_t size;
    uint8_t *bytes = read_whole(DATA "v1-net.stent", &size);
    memset(bytes + 72, 0xa5, 56);
    rehash_package(bytes, size);
    write_whole(test_temp("told.stent"), bytes, size);
    mem_free(bytes);
    CHECK_INT(program("info", test_temp("told.stent"), NULL), 0);
}
TEST(unknown_sections_are_skipped_or_refused) {
    check_part("optional", 900, 1, "plans", 0, "package of net.onnx");
    check_part("empty and optional", 0xffffffff, 1, "", 0, "package of net.onnx");
    check_part("optional, with more flags", 900, 0x80000001, "plans", 0, "package of net.onnx");
    check_part("required", 900, 0, "crypt", 4,
               "kind 900 with flags 0 is not known here: made by a newer stent; update stent");
    check_part("required, with flags", 900, 2, "crypt", 4, "kind 900 with flags 2");
    check_part("a graph with flags", 1, 2, "packed", 4, "kind 1 with flags 2");
    // A self-check and a description in a form of their own are done without.
    check_part("description", 7, 3, "packed", 0, "package of");
    check_part("no description", 7, 1, "{}", 0, "package of");
    check_part("self-check", 5, 3, "packed", 0, "self-check: none");
}
TEST(unknown_words_are_refused_by_name) {
#define HEAD "graph (%x: float32[1x3xHxW]) -> (%y) {\n"
    check_part("operator", 1, 0, HEAD " %y = GridAttention (%x) {heads=4}\n}\n", 4,
               "operator 'GridAttention' is not known");
    check_part("attribute", 1, 0, HEAD " %y = Relu (%x) {ceiling=6}\n}\n", 4, "Relu has no attribute 'ceiling'");
    check_part("dtype", 1, 0, HEAD " %q = const float8e4m3[1] {1}\n %y = Relu (%x)\n}\n", 4,
               "dtype 'float8e4m3' is not");
    check_part("cast", 1, 0, HEAD " %y = Cast (%x) {to=\"int4\"}\n}\n", 4, "'int4' is not a dtype");
    check_part("settings", 4, 0, "{\"opt_level\": 3, \"precision\": \"fp32\", \"bands\": 2}", 4, "settings: 'bands'");
    check_part("precision", 4, 0, "{\"opt_level\": 3, \"precision\": \"fp8\"}", 4, "settings: precision 'fp8'");
    check_part("level", 4, 0, "{\"opt_level\": 4, \"precision\": \"fp32\"}", 4, "settings: opt_level 4");
    check_part("pipeline", 3, 0, "{\"version\": 2, \"input\": {\"crop\": 1}}", 4,
               "a pipeline of version 2; this stent knows version 1");
    check_part("self-check", 5, 1, "ulps 3\n", 4, "self-check: kind 'ulps 3'");
}
TEST(settings_are_complete) {
    check_part("no object", 4, 0, "[]", 3, "settings: expected an object");
    check_part("no JSON", 4, 0, "{", 3, "settings: line 1");
    check_part("no level", 4, 0, "{\"precision\": \"fp32\"}", 3, "settings: expected opt_level and precision");
    check_part("no precision", 4, 0, "{\"opt_level\": 3}", 3, "settings: expected opt_level and precision");
    check_part("a text", 4, 0, "{\"opt_level\": \"3\", \"precision\": \"fp32\"}", 3, "opt_level: expected a number");
    check_part("a number", 4, 0, "{\"opt_level\": 3, \"precision\": 32}", 3, "precision: expected a name");
}
// What adds and does not change the answer leaves the content hash alone; all else changes it.
TEST(the_content_hash_names_the_answer) {
    size_t size;
    PackagePart parts[64];
    uint8_t before[32], after[32], *bytes = read_whole(DATA "v1-net.stent", &size);
    const int count = package_parts(bytes, parts);
    content_hash_of(parts, count, before);
    for (int i = 0; i < count; i++) {
        const PackagePart was = parts[i];
        parts[i].size--;
        content_hash_of(parts, count, after);
        CHECK_INT(memcmp(before, after, 32) == 0, i >= PACKAGE_CHECK);
        parts[i] = was;
    }
    mem_free(bytes);
}

// ---- the table of operators ----

static bool has_word(const char *list, const char *word, size_t length) {
    for (const char *at = list; *at; at += strspn(at, " ")) {
        const size_t size = strcspn(at, " ");
        if (size == length && !memcmp(at, word, length)) return true;
        at += size;
    }
    return false;
}
// "Name inputs outputs attributes": what version 1 knew of an operator still stands. More attributes, and more inputs
// and outputs that may be left out, are no change.
static void check_operator(char *line) {
    char name[64] = "";
    int min_in, max_in, min_out, max_out, end = 0;
    sscanf(line, "%63s %d..%d %d..%d %n", name, &min_in, &max_in, &min_out, &max_out, &end);
    const OpInfo *op = op_info(op_from_name(name));
    CHECK_MSG(end && op_from_name(name) != OP_NONE, "operator '%s' is gone", name);
    CHECK_MSG(op->min_inputs == min_in && (op->max_inputs < 0 || (max_in >= 0 && op->max_inputs >= max_in)),
              "%s: other inputs", name);
    CHECK_MSG(op->min_outputs == min_out && (op->max_outputs < 0 || (max_out >= 0 && op->max_outputs >= max_out)),
              "%s: other outputs", name);
    for (const char *at = line + end; *at; at += strspn(at, " ")) {
        const size_t length = strcspn(at, " ");
        CHECK_MSG(has_word(op->attributes, at, length), "%s: attribute '%.*s' is gone or has another default", name,
                  (int)length, at);
        at += length;
    }
}
TEST(operators_of_each_version_stand) {
    for (int version = 1; version <= PACKAGE_VERSION; version++) {
        char path[4096];
        snprintf(path, sizeof path, DATA "v%d-operators.txt", version);
        if (getenv("STENT_STORE_PACKAGES") && path_kind(path) == PATH_MISSING) {
            Text text = {0};
            for (int op = OP_NONE + 1; op < OP_COUNT; op++) {
                const OpInfo *info = op_info((Op)op);
                text_add(&text, "%s %d..%d %d..%d %s\n", info->name, info->min_inputs, info->max_inputs,
                         info->min_outputs, info->max_outputs, info->attributes);
            }
            write_whole(path, text_get(&text), text.length);
            text_free(&text);
        }
        size_t size;
        int count = 0;
        char *text = (char *)read_whole(path, &size), *rest = text;
        for (char *line; (line = strtok_r(rest, "\n", &rest)); count++) check_operator(line);
        CHECK(count > 80);
        mem_free(text);
    }
}

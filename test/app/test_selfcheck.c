// The making of a self-check: the reference on several threads, and the strict path's answer on a crop.
#include "app/crop.h"
#include "app/reference_threads.h"
#include "pass/pass.h"
#include "test.h"

static Graph *parsed(const char *text) {
    Graph *graph = NULL;
    CHECK_OK(graph_parse(text, strlen(text), &graph));
    REQUIRE(graph);
    CHECK_OK(pass_resolve_shapes(graph));
    return graph;
}
static void check_same_bits(const Graph *graph, int threads) {
    Arena arena = {0};
    Tensor *inputs, alone[2], together[2];
    PooledReference pooled;
    CHECK_OK(make_tensors(graph, graph->inputs, graph->n_inputs, &arena, &inputs));
    synthetic_sample(&inputs[0], 1);
    CHECK_OK(reference_run(graph, inputs, alone, &arena, NULL, NULL));
    CHECK_OK(pooled_reference_begin(threads, &pooled));
    const ReferenceOptions options = {.threads = &pooled.threads};
    CHECK_OK(reference_run_with(graph, inputs, together, &arena, &options));
    pooled_reference_end(&pooled);
    for (int i = 0; i < graph->n_outputs; i++)
        CHECK_MSG(!memcmp(alone[i].data, together[i].data, tensor_bytes(&alone[i])), "%d threads, output %d", threads,
                  i);
    arena_free(&arena);
}
TEST(the_reference_on_threads_gives_the_same_bits) {
    Graph *graph = parsed("graph (%x: float32[2x6x9x7]) -> (%z, %t) {\n"
                          " %w = const float32[10x3x3x3] random(seed=1)\n %b = const float32[10] random(seed=2)\n"
                          " %v = const float32[10x2x2x2] random(seed=3)\n"
                          " %y = Conv (%x, %w, %b) {group=2, pads=[1, 1, 1, 1], strides=[2, 1]}\n"
                          " %z = ConvTranspose (%y, %v) {group=2, strides=[2, 2]}\n"
                          " %t = Tanh (%y)\n}");
    for (int threads = 1; threads <= 5; threads += 2) check_same_bits(graph, threads);
    graph_free(graph);
}

// A transpose of one channel becomes a reshape, with the picture's size in it.
TEST(a_crop_follows_reshapes_that_move_dims_of_one) {
    Graph *graph = parsed("graph (%x: float32[1x1x64x48]) -> (%z) {\n"
                          " %w = const float32[1x1x3x3] random(seed=1)\n %s = const int64[4] {1, 64, 48, 1}\n"
                          " %y = Conv (%x, %w) {pads=[1, 1, 1, 1]}\n %r = Reshape (%y, %s)\n %z = Tanh (%r)\n}"),
          *crop = NULL;
    CHECK_OK(crop_graph(graph, 16, &crop));
    REQUIRE(crop);
    const Type type = crop->values[crop->outputs[0]].type;
    CHECK_INT(type.dim[1], 16);
    CHECK_INT(type.dim[2], 16);
    CHECK_INT(graph->values[graph->outputs[0]].type.dim[1], 64);
    graph_free(crop);
    graph_free(graph);
}
// What a tracer writes of an up-sampling: the size that it had; behind a global pool that of the picture.
TEST(a_crop_follows_resizes_to_a_size) {
    Graph *graph = parsed("graph (%x: float32[1x2x64x48]) -> (%y, %z) {\n"
                          " %a = MaxPool (%x) {kernel_shape=[2, 2], strides=[2, 2]}\n"
                          " %s = const int64[4] {1, 2, 64, 48}\n %t = const int64[4] {1, 2, 32, 24}\n"
                          " %y = Resize (%a, _, _, %s) {mode=\"nearest\"}\n"
                          " %g = GlobalAveragePool (%a)\n %h = Resize (%g, _, _, %t) {mode=\"nearest\"}\n"
                          " %z = Add (%a, %h)\n}"),
          *crop = NULL;
    CHECK_OK(crop_graph(graph, 16, &crop));
    REQUIRE(crop);
    for (int i = 0; i < 2; i++) {
        const Type type = crop->values[crop->outputs[i]].type;
        CHECK_INT(type.dim[2], i ? 8 : 16);
        CHECK_INT(type.dim[3], i ? 8 : 16);
    }
    graph_free(crop);
    graph_free(graph);
}
TEST(what_reshapes_to_a_size_cannot_be_cut) {
    Graph *graph = parsed("graph (%x: float32[1x2x64x48]) -> (%r) {\n"
                          " %s = const int64[3] {1, 64, 96}\n %r = Reshape (%x, %s)\n}"),
          *crop = NULL;
    CHECK_OK(crop_graph(graph, 16, &crop));
    CHECK(!crop);
    graph_free(graph);
}

// Where the network gets 0..255 its sample has such values too: of small ones hardly anything would come out of a
// network that scales them down.
TEST(samples_are_as_bright_as_pictures) {
    Pipeline pipeline = pipeline_default();
    CHECK(pipeline_amplitude(&pipeline) == 1);
    pipeline.scale = 1.0 / 65535; // pictures of 16 bits
    CHECK(pipeline_amplitude(&pipeline) == 1);
    pipeline.scale = 1;
    CHECK(pipeline_amplitude(&pipeline) == 255);
    pipeline.n_std = 1, pipeline.std[0] = 58;
    CHECK(pipeline_amplitude(&pipeline) == 1);
    pipeline.n_std = 0, pipeline.normalise = NORMALISE_ZSCORE;
    CHECK(pipeline_amplitude(&pipeline) == 1);
}

// Too large for the reference: 2.3 GFLOP.
static Graph *large(const char *last) {
    Text text = {0};
    text_add(&text,
             "graph (%%x: float32[1x16x700x700]) -> (%%y) {\n"
             " %%w = const float32[16x16x3x3] random(seed=1, scale=0.1)\n"
             " %%a = Conv (%%x, %%w) {pads=[1, 1, 1, 1]}\n %s\n}",
             last);
    Graph *graph = parsed(text_get(&text));
    text_free(&text);
    return graph;
}
static Status make_check(const Graph *graph, const Graph *optimised, Arena *arena, SelfCheck *check) {
    Text why = {0};
    const Status status =
        self_check_make(graph, optimised, &(SelfCheckOptions){.threads = 2, .amplitude = 1}, arena, check, &why);
    CHECK_TEXT(text_get(&why), "");
    text_free(&why);
    return status;
}
// Passes may put sizes into a network, so that its crop is another one: then the crop goes through them by itself.
TEST(a_crop_of_what_passes_left_may_be_another_network) {
    Graph *graph = large("%y = Relu (%a)"), *other = large("%y = Abs (%a)");
    Graph *fixed = large("%s = const int64[4] {1, 16, 700, 700}\n %y = Reshape (%a, %s)");
    Arena arena = {0};
    SelfCheck checks[2];
    CHECK_OK(make_check(graph, other, &arena, &checks[0]));
    CHECK_OK(make_check(graph, fixed, &arena, &checks[1]));
    for (int i = 0; i < 2; i++) CHECK(!checks[i].from_reference && checks[i].n_outputs == 1);
    arena_free(&arena);
    graph_free(graph), graph_free(other), graph_free(fixed);
}
// A sigmoid that says nothing: 0.5 and a few of the last bits. Their rounding is no defect of the strict path.
TEST(outputs_that_are_nearly_constant_pass) {
    Graph *graph = large("%k = const float32[1x16x1x1] random(seed=2, scale=0.0005)\n"
                         " %o = Conv (%a, %k)\n %y = Sigmoid (%o)");
    Arena arena = {0};
    SelfCheck check;
    CHECK_OK(make_check(graph, graph, &arena, &check));
    arena_free(&arena);
    graph_free(graph);
}

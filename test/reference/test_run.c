// Running whole graphs.
#include "gives.h"
#include <sys/resource.h>

static Tensor floats(Arena *arena, Shape shape, const float *values) {
    Tensor tensor;
    CHECK_OK(tensor_make(arena, DT_F32, shape, &tensor));
    memcpy(tensor.data, values, tensor_bytes(&tensor));
    return tensor;
}

// y = relu(x + b) - 1 and a second output that is an input.
static const char *const small = "graph \"small\" (%x: float32[Nx2], %b: float32[2]) -> (%y, %b, %c) {\n"
                                 "%c = const float32[] {1}\n%s = Add (%x, %b)\n%r = Relu \"relu\" (%s)\n"
                                 "%y = Sub (%r, %c)\n}\n";

TEST(binds_symbols_and_gives_all_outputs) {
    Graph *const graph = parse_or_end(small);
    Arena arena = {0};
    for (int64_t n = 1; n <= 2; n++) {
        const Tensor in[2] = {floats(&arena, shape_of(2, (int64_t[]){n, 2}), (float[]){1, -2, 3, 4}),
                              floats(&arena, shape_of(1, (int64_t[]){2}), (float[]){10, 1})};
        Tensor out[3];
        CHECK_OK(reference_run(graph, in, out, &arena, NULL, NULL));
        CHECK_INT(out[0].shape.dim[0], n);
        CHECK_INT(tensor_get(&out[0], 0), 10);
        CHECK_INT(tensor_get(&out[0], 1), -1);
        if (n == 2) CHECK_INT(tensor_get(&out[0], 3), 4);
        CHECK_INT(tensor_get(&out[1], 0), 10);
        CHECK(out[1].data != in[1].data);
        CHECK_INT(tensor_get(&out[2], 0), 1);
    }
    arena_free(&arena);
    graph_free(graph);
}

TEST(refuses_wrong_inputs) {
    Graph *const graph = parse_or_end(small);
    Arena arena = {0};
    Tensor out[3], in[2] = {floats(&arena, shape_of(2, (int64_t[]){1, 3}), (float[]){1, 2, 3}),
                            floats(&arena, shape_of(1, (int64_t[]){2}), (float[]){10, 1})};
    CHECK_INT(reference_run(graph, in, out, &arena, NULL, NULL), ST_BAD);
    CHECK_TEXT(error_message(), "input \"x\": expected float32 Nx2, got float32 1x3");
    in[0] = floats(&arena, shape_of(2, (int64_t[]){1, 2}), (float[]){1, 2});
    CHECK_OK(tensor_make(&arena, DT_F64, shape_of(1, (int64_t[]){2}), &in[1]));
    CHECK_INT(reference_run(graph, in, out, &arena, NULL, NULL), ST_BAD);
    CHECK_TEXT(error_message(), "input \"b\": expected float32 2, got float64 2");
    CHECK_OK(reference_run_double(graph, in, out, &arena, NULL, NULL));
    arena_free(&arena);
    graph_free(graph);
}

TEST(one_symbol_has_one_size) {
    Graph *const graph = parse_or_end("graph (%a: float32[N], %b: float32[N]) -> (%y) {\n%y = Add (%a, %b)\n}\n");
    Arena arena = {0};
    Tensor out, in[2] = {floats(&arena, shape_of(1, (int64_t[]){2}), (float[]){1, 2}),
                         floats(&arena, shape_of(1, (int64_t[]){1}), (float[]){10})};
    CHECK_INT(reference_run(graph, in, &out, &arena, NULL, NULL), ST_BAD);
    arena_free(&arena);
    graph_free(graph);
}

typedef struct Seen {
    char names[64];
    double sum;
    Op stop_at;
} Seen;
static Status see(void *context, const Graph *graph, const Node *node, const Tensor *outputs) {
    Seen *const seen = context;
    strcat(strcat(seen->names, graph->values[node->outputs[0]].name), " ");
    seen->sum += tensor_get(&outputs[0], 0);
    return node->op == seen->stop_at ? fail(ST_CANCELLED, "enough") : ST_OK;
}

TEST(observer_sees_every_node_and_may_stop) {
    Graph *const graph = parse_or_end(small);
    Arena arena = {0};
    const Tensor in[2] = {floats(&arena, shape_of(2, (int64_t[]){1, 2}), (float[]){1, -2}),
                          floats(&arena, shape_of(1, (int64_t[]){2}), (float[]){10, 1})};
    Tensor out[3];
    Seen seen = {.stop_at = OP_NONE};
    CHECK_OK(reference_run(graph, in, out, &arena, see, &seen));
    CHECK_TEXT(seen.names, "s r y ");
    CHECK_INT(seen.sum, 11 + 11 + 10);
    seen = (Seen){.stop_at = OP_Relu};
    CHECK_INT(reference_run(graph, in, out, &arena, see, &seen), ST_CANCELLED);
    CHECK_TEXT(seen.names, "s r ");
    arena_free(&arena);
    graph_free(graph);
}

// 1 + 1e-10 is 1 in float32: the difference survives only where values between nodes are held as float64.
TEST(double_run_holds_float64) {
    Graph *const graph = parse_or_end("graph () -> (%y) {\n%one = const float32[] {1}\n%e = const float32[] {1e-10}\n"
                                      "%s = Add (%one, %e)\n%c = Cast (%s) {to=\"float32\"}\n"
                                      "%z = Cast (%c) {to=\"float16\"}\n%w = Cast (%z) {to=\"float32\"}\n"
                                      "%y = Sub (%w, %one)\n}\n");
    Arena arena = {0};
    Tensor narrow, wide;
    CHECK_OK(reference_run(graph, NULL, &narrow, &arena, NULL, NULL));
    CHECK_OK(reference_run_double(graph, NULL, &wide, &arena, NULL, NULL));
    CHECK_INT(narrow.dtype, DT_F32);
    CHECK_INT(wide.dtype, DT_F64);
    CHECK(tensor_get(&narrow, 0) == 0);
    CHECK(fabs(tensor_get(&wide, 0) - 1e-10) < 1e-15);
    arena_free(&arena);
    graph_free(graph);
}

// Shapes that are computed from data on the way.
TEST(data_decides_shapes) {
    GIVES("%x = const float32[2x3] {1, 2, 3, 4, 5, 6} %s = Shape (%x) %i = const int64[] {0} %d = Gather (%s, %i) "
          "%m = const int64[1] {-1} %a = const int64[1] {0} %d1 = Unsqueeze (%d, %a) "
          "%t = Concat (%m, %d1) {axis=0} %y = Reshape (%x, %t)",
          "float32[3x2] {1, 2, 3, 4, 5, 6}");
}

TEST(failures_name_the_node) {
    REFUSES(
        "%x = const float32[2] {1, 2} %o = const int64[1] {5} %i = Add (%o, %o) %y = Gather \"decoder/pick\" (%x, %i)",
        ST_BAD, "decoder/pick");
}

// 64 tensors of 8 MB, one after the other: never all at once (256 MB is what the address sanitizer keeps back).
TEST(gives_tensors_back_after_their_last_use) {
    Text text = {0};
    text_add(&text, "graph () -> (%%y) {\n%%x0 = const float32[2097152] zeros\n");
    for (int i = 0; i < 64; i++) text_add(&text, "%%x%d = Identity (%%x%d)\n", i + 1, i);
    text_add(&text, "%%y = ReduceSum (%%x64)\n}\n");
    Graph *const graph = parse_or_end(text_get(&text));
    struct rusage before, after;
    Arena arena = {0};
    Tensor out;
    getrusage(RUSAGE_SELF, &before);
    CHECK_OK(reference_run(graph, NULL, &out, &arena, NULL, NULL));
    getrusage(RUSAGE_SELF, &after);
    CHECK_MSG(after.ru_maxrss - before.ru_maxrss < 384 << 10, "%ld KB", after.ru_maxrss - before.ru_maxrss);
    arena_free(&arena);
    graph_free(graph);
    text_free(&text);
}

// Arrays longer than what is worked on at a time.
TEST(long_arrays) {
    GIVES("%x = const float32[1000] random(seed=5) %n = Neg (%x) %m = Neg (%n) %d = Sub (%m, %x) %a = Abs (%d) "
          "%y = ReduceMax (%a)",
          "float32[1] {0}");
}

// Every allocation fails once: a status, no crash, and (under the sanitizer) nothing lost.
TEST(survives_a_lack_of_memory) {
    Graph *const graph = parse_or_end(
        "graph () -> (%v, %m) {\n%x = const float32[1x2x4x4] random(seed=1)\n%w = const float32[2x2x3x3] "
        "random(seed=2)\n"
        "%c = Conv (%x, %w) {pads=[1, 1, 1, 1]}\n%p = MaxPool (%c) {kernel_shape=[2, 2]}\n"
        "%s = const float32[4] {1, 1, 2, 2}\n%u = Resize (%p, _, %s) {mode=\"linear\"}\n%k = const int64[1] {2}\n"
        "%v, %i = TopK (%u, %k)\n%m = ReduceMean (%u)\n}\n");
    int64_t failures = 0;
    for (int64_t n = 0; n < 10000; n++) {
        Arena arena = {0};
        Tensor out[2];
        mem_fail_after(n);
        const Status status = reference_run(graph, NULL, out, &arena, NULL, NULL);
        mem_fail_after(-1);
        arena_free(&arena);
        if (status == ST_OK) break;
        CHECK_INT(status, ST_RESOURCE);
        failures++;
    }
    CHECK(failures > 10 && failures < 10000);
    graph_free(graph);
}

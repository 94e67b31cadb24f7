// Shape inference, op by op: inputs and statements in, the types of the last statement out. "!words" expects a refusal
// that contains the words.
#include "base/rng.h"
#include "graph/graph.h"
#include "test.h"

typedef struct InferCase {
    const char *inputs, *body, *expected;
} InferCase;

// The types behind the last node of the printed graph.
static void last_types(const Graph *graph, char *out, size_t size) {
    Text text = {0};
    CHECK_OK(graph_print(graph, true, &text));
    char *end = strrchr(text.data, '}');
    while (end > text.data && end[-1] == '\n') end--;
    *end = 0;
    const char *line = strrchr(text.data, '\n');
    const char *colon = line ? strstr(line, " : ") : NULL;
    snprintf(out, size, "%s", colon ? colon + 3 : "nothing");
    text_free(&text);
}

static void run_case(const InferCase *test) {
    Text text = {0};
    text_add(&text, "graph (%s) -> (%%y) {\n%s\n}", test->inputs, test->body);
    Graph *graph;
    const Status status = graph_parse(text.data, text.length, &graph);
    char got[512];
    if (test->expected[0] == '!') {
        CHECK_MSG(status != ST_OK, "%s\naccepted, expected a refusal with: %s", text.data, test->expected + 1);
        CHECK_MSG(status == ST_OK || strstr(error_message(), test->expected + 1),
                  "%s\ngot the message: %s\nexpected: %s", text.data, error_message(), test->expected + 1);
    } else {
        CHECK_MSG(status == ST_OK, "%s\n%s", text.data, error_message());
        if (status == ST_OK) last_types(graph, got, sizeof got);
        CHECK_MSG(status != ST_OK || !strcmp(got, test->expected), "%s\ngot %s\nexpected %s", text.data, got,
                  test->expected);
    }
    if (status == ST_OK) graph_free(graph);
    text_free(&text);
}

static void run_cases(const InferCase *cases, size_t count) {
    for (size_t i = 0; i < count; i++) run_case(&cases[i]);
}

#define X4 "%x: float32[1x3x8x10]"

TEST(conv) {
    static const InferCase cases[] = {
        {X4 ", %w: float32[4x3x3x3]", "%y = Conv(%x, %w)", "float32[1x4x6x8]"},
        {X4 ", %w: float32[4x3x3x3], %b: float32[4]", "%y = Conv(%x, %w, %b) {pads=[1, 1, 1, 1]}", "float32[1x4x8x10]"},
        {X4 ", %w: float32[4x3x3x3]", "%y = Conv(%x, %w) {pads=[0, 1, 2, 3]}", "float32[1x4x8x12]"},
        {X4 ", %w: float32[4x3x3x2]", "%y = Conv(%x, %w) {strides=[2, 3]}", "float32[1x4x3x3]"},
        {X4 ", %w: float32[4x3x3x3]", "%y = Conv(%x, %w) {dilations=[2, 3]}", "float32[1x4x4x4]"},
        {X4 ", %w: float32[6x1x1x1]", "%y = Conv(%x, %w) {group=3}", "float32[1x6x8x10]"},
        {X4 ", %w: float32[4x3x4x4]", "%y = Conv(%x, %w) {auto_pad=\"SAME_UPPER\", strides=[3, 3]}",
         "float32[1x4x3x4]"},
        {X4 ", %w: float32[4x3x4x4]", "%y = Conv(%x, %w) {auto_pad=\"SAME_LOWER\"}", "float32[1x4x8x10]"},
        {X4 ", %w: float32[4x3x4x4]", "%y = Conv(%x, %w) {auto_pad=\"VALID\", pads=[9, 9, 9, 9]}", "float32[1x4x5x7]"},
        {"%x: float32[2x3x8], %w: float32[4x3x3]", "%y = Conv(%x, %w)", "float32[2x4x6]"},
        {"%x: float32[2x3x8x8x8], %w: float32[4x3x3x1x2]", "%y = Conv(%x, %w)", "float32[2x4x6x8x7]"},
        {"%x: float32[Nx3xHx8], %w: float32[4x3x3x3]", "%y = Conv(%x, %w) {pads=[1, 1, 1, 1]}", "float32[Nx4xHx8]"},
        {"%x: float32[Nx3xHx8], %w: float32[4x3x3x3]", "%y = Conv(%x, %w)", "float32[Nx4x?x6]"},
        {"%x: float32[Nx3xHx8], %w: float32[4x3x4x4]", "%y = Conv(%x, %w) {auto_pad=\"SAME_UPPER\"}",
         "float32[Nx4xHx8]"},
        {"%x: float32[*], %w: float32[4x3x3x3]", "%y = Conv(%x, %w)", "float32[?x4x?x?]"},
        {"%x: float32[*], %w: float32[*]", "%y = Conv(%x, %w)", "float32[*]"},
        {X4 ", %w: float32[*]", "%y = Conv(%x, %w)", "float32[1x?x?x?]"},
        {X4 ", %w: float32[*]", "%y = Conv(%x, %w) {kernel_shape=[3, 3]}", "float32[1x?x6x8]"},
        {X4 ", %w: float32[4x2x3x3]", "%y = Conv(%x, %w)",
         "!expected 2 input channels (1 groups of the weights' 2), got 3"},
        {"%x: float32[1x4x8x8], %w: float32[3x2x3x3]", "%y = Conv(%x, %w) {group=2}",
         "!expected output channels in 2 equal"},
        {X4 ", %w: float32[4x3x3]", "%y = Conv(%x, %w)", "!expected weights of 4 dims like the input, got [4x3x3]"},
        {X4 ", %w: float32[4x3x9x3]", "%y = Conv(%x, %w)",
         "!spatial dim 0: the window spans 9, but the padded input has only 8"},
        {X4 ", %w: float32[4x3x3x3], %b: float32[5]", "%y = Conv(%x, %w, %b)", "!input 2: expected [4], got [5]"},
        {X4 ", %w: float64[4x3x3x3]", "%y = Conv(%x, %w)", "!input 1: expected float32 like input 0, got float64"},
        {"%x: int32[1x3x8x8], %w: int32[4x3x3x3]", "%y = Conv(%x, %w)", "!expected a floating-point type, got int32"},
        {X4 ", %w: float32[4x3x3x3]", "%y = Conv(%x, %w) {strides=[0, 1]}",
         "!attribute 'strides': expected numbers from 1"},
        {X4 ", %w: float32[4x3x3x3]", "%y = Conv(%x, %w) {strides=[1]}",
         "!attribute 'strides': expected 2 numbers, got 1"},
        {X4 ", %w: float32[4x3x3x3]", "%y = Conv(%x, %w) {pads=[-1, 0, 0, 0]}",
         "!attribute 'pads': expected numbers from 0"},
        {X4 ", %w: float32[4x3x3x3]", "%y = Conv(%x, %w) {kernel_shape=[5, 3]}", "!expected 3 like the weights, got 5"},
        {X4 ", %w: float32[4x3x3x3]", "%y = Conv(%x, %w) {auto_pad=\"SAME\"}", "!attribute 'auto_pad'"},
        {X4 ", %w: float32[4x3x3x3]", "%y = Conv(%x, %w) {group=0}", "!attribute 'group'"},
        {X4 ", %w: float32[4x3x3x3]", "%y = Conv(%x, %w) {pads=[2147483648, 0, 0, 0]}", "!attribute 'pads'"},
        {X4 ", %w: float32[4x3x3x3]", "%y = Conv \"down/1\" (%x, %w) {group=2}",
         "!Conv 'down/1': expected 6 input channels"},
        {"%x: float32[1x3x8x8x8x8], %w: float32[4x3x1x1x1x1]", "%y = Conv(%x, %w)", "!input 0: expected 3 to 5 dims"},
    };
    run_cases(cases, COUNT_OF(cases));
}

TEST(conv_transpose) {
    static const InferCase cases[] = {
        {X4 ", %w: float32[3x4x2x2]", "%y = ConvTranspose(%x, %w) {strides=[2, 2]}", "float32[1x4x16x20]"},
        {X4 ", %w: float32[3x4x3x3]", "%y = ConvTranspose(%x, %w)", "float32[1x4x10x12]"},
        {X4 ", %w: float32[3x4x3x3]",
         "%y = ConvTranspose(%x, %w) {strides=[2, 2], pads=[1, 1, 1, 1], output_padding=[1, 0]}", "float32[1x4x16x19]"},
        {X4 ", %w: float32[3x4x3x3]", "%y = ConvTranspose(%x, %w) {strides=[2, 2], output_shape=[16, 20]}",
         "float32[1x4x16x20]"},
        {X4 ", %w: float32[3x4x3x3]", "%y = ConvTranspose(%x, %w) {strides=[2, 2], output_shape=[1, 4, 16, 25]}",
         "float32[1x4x16x25]"},
        {X4 ", %w: float32[3x4x3x3]", "%y = ConvTranspose(%x, %w) {strides=[2, 3], auto_pad=\"SAME_UPPER\"}",
         "float32[1x4x16x30]"},
        {X4 ", %w: float32[3x4x3x3]", "%y = ConvTranspose(%x, %w) {dilations=[2, 1]}", "float32[1x4x12x12]"},
        {"%x: float32[1x4x8x8], %w: float32[4x3x2x2]", "%y = ConvTranspose(%x, %w) {group=2}", "float32[1x6x9x9]"},
        {"%x: float32[NxCxHxW], %w: float32[4x3x2x2]", "%y = ConvTranspose(%x, %w) {strides=[2, 2]}",
         "float32[Nx3x?x?]"},
        {"%x: float32[NxCxHxW], %w: float32[4x3x3x3]", "%y = ConvTranspose(%x, %w) {pads=[1, 1, 1, 1]}",
         "float32[Nx3xHxW]"},
        {X4 ", %w: float32[4x3x2x2]", "%y = ConvTranspose(%x, %w)",
         "!expected 4 input channels like the weights, got 3"},
        {X4 ", %w: float32[3x4x2x2]", "%y = ConvTranspose(%x, %w) {output_padding=[1, 0]}",
         "!attribute 'output_padding'"},
        {X4 ", %w: float32[3x4x2x2]", "%y = ConvTranspose(%x, %w) {pads=[5, 0, 5, 0]}",
         "!nothing is left of the output"},
        {X4 ", %w: float32[3x4x2x2]", "%y = ConvTranspose(%x, %w) {output_shape=[1]}", "!attribute 'output_shape'"},
        {X4 ", %w: float32[3x4x2x2]", "%y = ConvTranspose(%x, %w) {output_shape=[0, 1]}", "!attribute 'output_shape'"},
        {X4 ", %w: float32[3x4x2x2]", "%y = ConvTranspose(%x, %w) {group=2}",
         "!expected input channels in 2 equal groups"},
    };
    run_cases(cases, COUNT_OF(cases));
}

TEST(matrix_products) {
    static const InferCase cases[] = {
        {"%a: float32[2x3], %b: float32[3x4]", "%y = MatMul(%a, %b)", "float32[2x4]"},
        {"%a: float32[5x1x2x3], %b: float32[7x3x4]", "%y = MatMul(%a, %b)", "float32[5x7x2x4]"},
        {"%a: float32[3], %b: float32[3x4]", "%y = MatMul(%a, %b)", "float32[4]"},
        {"%a: float32[2x3], %b: float32[3]", "%y = MatMul(%a, %b)", "float32[2]"},
        {"%a: float32[3], %b: float32[3]", "%y = MatMul(%a, %b)", "float32[]"},
        {"%a: float32[NxMx3], %b: float32[3x4]", "%y = MatMul(%a, %b)", "float32[NxMx4]"},
        {"%a: float32[2x3], %b: float32[2x3]", "%y = MatMul(%a, %b)", "!got [2x3] times [2x3]"},
        {"%a: float32[], %b: float32[2x3]", "%y = MatMul(%a, %b)", "!input 0: expected 1 to 8 dims, got []"},
        {"%a: float32[2x3], %b: float32[3x4]", "%y = Gemm(%a, %b)", "float32[2x4]"},
        {"%a: float32[3x2], %b: float32[4x3], %c: float32[4]", "%y = Gemm(%a, %b, %c) {transA=1, transB=1}",
         "float32[2x4]"},
        {"%a: float32[Nx2], %b: float32[4x2], %c: float32[1x4]", "%y = Gemm(%a, %b, %c) {transB=1}", "float32[Nx4]"},
        {"%a: float32[2x3], %b: float32[4x3]", "%y = Gemm(%a, %b)", "!expected matrices that go together"},
        {"%a: float32[1x3], %b: float32[3x4], %c: float32[2x4]", "%y = Gemm(%a, %b, %c)",
         "!input 2: expected a shape that broadcasts to [1x4]"},
        {"%a: float32[1x3x3], %b: float32[3x4]", "%y = Gemm(%a, %b)", "!input 0: expected 2 dims"},
    };
    run_cases(cases, COUNT_OF(cases));
}

#define AB "%a: float32[Nx3x4], %b: float32[Nx4x5]"

TEST(einsum) {
    static const InferCase cases[] = {
        {AB, "%y = Einsum(%a, %b) {equation=\"bij,bjk->bik\"}", "float32[Nx3x5]"},
        {AB, "%y = Einsum(%a, %b) {equation=\" b i j , b j k -> k b \"}", "float32[5xN]"},
        {AB, "%y = Einsum(%a, %b) {equation=\"bij,bjk\"}", "float32[3x5]"},
        {AB, "%y = Einsum(%a, %b) {equation=\"...ij,...jk->...ik\"}", "float32[Nx3x5]"},
        {AB, "%y = Einsum(%a, %b) {equation=\"...ij,...jk\"}", "float32[Nx3x5]"},
        {AB, "%y = Einsum(%a, %b) {equation=\"bij,bjk->\"}", "float32[]"},
        {"%a: float32[2x1x3], %b: float32[5x3]", "%y = Einsum(%a, %b) {equation=\"...c,...c->c...\"}",
         "float32[3x2x5]"},
        {"%a: float32[2x1x3], %b: float32[5x3]", "%y = Einsum(%a, %b) {equation=\"a...,...\"}", "float32[5x3x2]"},
        {"%a: float32[2x1], %b: float32[7x3]", "%y = Einsum(%a, %b) {equation=\"ij,kj->ikj\"}", "float32[2x7x3]"},
        {"%a: int64[4x4]", "%y = Einsum(%a) {equation=\"ii->i\"}", "int64[4]"},
        {"%a: float32[Zx2]", "%y = Einsum(%a) {equation=\"aZ\"}", "float32[2xZ]"}, // capitals first
        {"%a: float32[*]", "%y = Einsum(%a) {equation=\"ij->ji\"}", "float32[*]"},
        {AB, "%y = Einsum(%a, %b)", "!attribute 'equation' is missing"},
        {AB, "%y = Einsum(%a, %b) {equation=\"bij->bij\"}", "!expected 2 terms, as many as inputs"},
        {AB, "%y = Einsum(%a, %b) {equation=\"bij,bjk,k->bi\"}", "!expected 2 terms, as many as inputs"},
        {AB, "%y = Einsum(%a, %b) {equation=\"bij,bjk-bi\"}", "!expected '->', got '-b'"},
        {AB, "%y = Einsum(%a, %b) {equation=\"bij,bjk->bi,k\"}", "!expected one term behind '->'"},
        {AB, "%y = Einsum(%a, %b) {equation=\"bij,bjk->bi->k\"}", "!expected one term behind '->'"},
        {AB, "%y = Einsum(%a, %b) {equation=\"bij,bj1->bi\"}", "!expected letters, '...', ',' and '->', got '1'"},
        {AB, "%y = Einsum(%a, %b) {equation=\"..ij,bjk->bi\"}", "!expected letters, '...', ',' and '->', got '.'"},
        {AB, "%y = Einsum(%a, %b) {equation=\"......ij,bjk->bi\"}", "!'...' stands twice in a term"},
        {AB, "%y = Einsum(%a, %b) {equation=\"bij,bjk->bz\"}", "!'z' of the output is in no input"},
        {AB, "%y = Einsum(%a, %b) {equation=\"bij,bjk->bib\"}", "!'b' stands twice in the output"},
        {AB, "%y = Einsum(%a, %b) {equation=\"ij,bjk->bik\"}",
         "!input 0: expected 2 dims, as the equation says, got 3"},
        {AB, "%y = Einsum(%a, %b) {equation=\"...abcd,bjk->b\"}", "!input 0: expected at least 4 dims"},
        {AB, "%y = Einsum(%a, %b) {equation=\"...ij,...jk->ik\"}", "!expected '...' in the output too"},
        {AB, "%y = Einsum(%a, %b) {equation=\"bij,bkj->bik\"}",
         "!input 1: expected dim 2 to go with those of the same "
         "letter, which are 4, got 5"},
        {"%a: float32[2x3]", "%y = Einsum(%a) {equation=\"ii->i\"}", "!expected dims 0 and 1 of one size"},
        {"%a: float32[1x3]", "%y = Einsum(%a) {equation=\"ii->i\"}", "!expected dims 0 and 1 of one size"},
        {"%a: float32[2], %b: float64[2]", "%y = Einsum(%a, %b) {equation=\"i,i->i\"}", "!input 1: expected float32"},
        {"%a: float32[2]", "%y = Einsum(%a) {equation=\"abcdefghi->a\"}", "!expected at most 8 dims in a term"},
        {"%a: float32[1x1x1x1x1], %b: float32[1x1x1x1x1]", "%y = Einsum(%a, %b) {equation=\"abcde,fghij\"}",
         "!expected at most 8 dims of the output"},
        {"%a: float32[1x1x1x1x1x1], %b: float32[1x1x1x1]", "%y = Einsum(%a, %b) {equation=\"ab...,cdef->abcdef...\"}",
         "!expected at most 8 dims of the output, got 10"},
    };
    run_cases(cases, COUNT_OF(cases));
}

TEST(pool) {
    static const InferCase cases[] = {
        {X4, "%y = MaxPool(%x) {kernel_shape=[2, 2], strides=[2, 2]}", "float32[1x3x4x5]"},
        {X4, "%y = MaxPool(%x) {kernel_shape=[3, 3], strides=[2, 2]}", "float32[1x3x3x4]"},
        {X4, "%y = MaxPool(%x) {kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1}", "float32[1x3x4x5]"},
        // The second window would start at 2, behind input and left pad.
        {"%x: float32[1x1x2x2]", "%y = MaxPool(%x) {kernel_shape=[1, 1], strides=[2, 2], ceil_mode=1}",
         "float32[1x1x1x1]"},
        {"%x: float32[1x1x2x2]",
         "%y = MaxPool(%x) {kernel_shape=[2, 2], strides=[3, 3], pads=[0, 0, 1, 1], ceil_mode=1}", "float32[1x1x1x1]"},
        {"%x: float32[1x1x3x3]",
         "%y = MaxPool(%x) {kernel_shape=[2, 2], strides=[3, 3], pads=[1, 1, 1, 1], ceil_mode=1}", "float32[1x1x2x2]"},
        {X4, "%y = MaxPool(%x) {kernel_shape=[3, 3], dilations=[2, 2]}", "float32[1x3x4x6]"},
        {X4, "%y = MaxPool(%x) {kernel_shape=[3, 3], strides=[3, 3], auto_pad=\"SAME_LOWER\"}", "float32[1x3x3x4]"},
        {"%x: uint8[1x3x8x8]", "%y = MaxPool(%x) {kernel_shape=[2, 2]}", "uint8[1x3x7x7]"},
        {"%x: float32[1xCxHx8]", "%y = MaxPool(%x) {kernel_shape=[3, 3], pads=[1, 1, 1, 1]}", "float32[1xCxHx8]"},
        {"%x: float32[*]", "%y = MaxPool(%x) {kernel_shape=[3, 3]}", "float32[*]"},
        {X4, "%y = AveragePool(%x) {kernel_shape=[2, 3], count_include_pad=1, pads=[1, 0, 0, 0]}", "float32[1x3x8x8]"},
        {"%x: float32[1x2x7]", "%y = AveragePool(%x) {kernel_shape=[2], strides=[2], ceil_mode=1}", "float32[1x2x4]"},
        {"%x: float32[1x2x7x7x7]", "%y = AveragePool(%x) {kernel_shape=[2, 2, 2]}", "float32[1x2x6x6x6]"},
        {X4, "%y = MaxPool(%x)", "!attribute 'kernel_shape' is missing"},
        {X4, "%y = MaxPool(%x) {kernel_shape=[2, 2], pads=[2, 0, 0, 0]}", "!expected pads below 2"},
        {"%x: int32[1x3x8x8]", "%y = AveragePool(%x) {kernel_shape=[2, 2]}", "!expected a floating-point type"},
        {"%x: float32[3x8]", "%y = MaxPool(%x) {kernel_shape=[2]}", "!expected 3 to 5 dims, got [3x8]"},
        {X4, "%y = GlobalAveragePool(%x)", "float32[1x3x1x1]"},
        {"%x: float32[NxCxHxW]", "%y = GlobalMaxPool(%x)", "float32[NxCx1x1]"},
        {"%x: float32[3x8]", "%y = GlobalMaxPool(%x)", "!expected 3 to 8 dims"},
    };
    run_cases(cases, COUNT_OF(cases));
}

TEST(normalisation) {
    static const InferCase cases[] = {
        {X4 ", %s: float32[3]", "%y = BatchNormalization(%x, %s, %s, %s, %s)", "float32[1x3x8x10]"},
        {"%x: float32[NxCxHxW], %s: float32[3]", "%y = BatchNormalization(%x, %s, %s, %s, %s) {epsilon=0.1}",
         "float32[NxCxHxW]"},
        {"%x: float16[2x3], %s: float32[3]", "%y = BatchNormalization(%x, %s, %s, %s, %s)", "float16[2x3]"},
        {X4 ", %s: float32[4]", "%y = BatchNormalization(%x, %s, %s, %s, %s)", "!input 1: expected [3], got [4]"},
        {X4 ", %s: float32[3x1]", "%y = BatchNormalization(%x, %s, %s, %s, %s)", "!input 1: expected [3], got [3x1]"},
        {X4 ", %s: float32[3]", "%y = BatchNormalization(%x, %s, %s, %s)", "!expected 5 inputs, got 4"},
        {X4 ", %s: float32[3]", "%y = InstanceNormalization(%x, %s, %s)", "float32[1x3x8x10]"},
        {"%x: float32[1x3], %s: float32[3]", "%y = InstanceNormalization(%x, %s, %s)", "!expected 3 to 8 dims"},
        {"%x: float32[1x6x8], %s: float32[6]", "%y = GroupNormalization(%x, %s, %s) {num_groups=3}", "float32[1x6x8]"},
        {"%x: float32[1x6x8], %s: float32[6]", "%y = GroupNormalization(%x, %s, %s) {num_groups=4}",
         "!4 equal groups, got 6"},
        {"%x: float32[1x6x8], %s: float32[6]", "%y = GroupNormalization(%x, %s, %s)", "!attribute 'num_groups'"},
        {X4 ", %s: float32[10]", "%y = LayerNormalization(%x, %s)", "float32[1x3x8x10]"},
        {X4 ", %s: float32[8x10]", "%y = LayerNormalization(%x, %s, %s) {axis=2}", "float32[1x3x8x10]"},
        {X4 ", %s: float32[9]", "%y = LayerNormalization(%x, %s)", "!expected shapes that broadcast"},
        {X4 ", %s: float32[10]", "%y = LayerNormalization(%x, %s) {axis=4}", "!expected an axis from -4 to 3, got 4"},
        {X4, "%y = Softmax(%x) {axis=1}", "float32[1x3x8x10]"},
        {X4, "%y = LogSoftmax(%x) {axis=-5}", "!expected an axis from -4 to 3, got -5"},
    };
    run_cases(cases, COUNT_OF(cases));
}

// Every op of one input that keeps the type.
TEST(unary_keeps_the_type) {
    for (int op = OP_NONE + 1; op < OP_COUNT; op++) {
        const OpInfo *info = op_info((Op)op);
        if (info->kind != KIND_UNARY || op == OP_Cast) continue;
        char body[128], message[128];
        snprintf(body, sizeof body, "%%y = %s(%%x)", info->name);
        run_case(&(InferCase){"%x: float16[Nx3x?x7]", body, "float16[Nx3x?x7]"});
        run_case(&(InferCase){"%x: float32[*]", body, "float32[*]"});
        const bool any = op == OP_Identity;
        snprintf(message, sizeof message, "!%s: input 0: expected a", info->name);
        run_case(&(InferCase){"%x: bool[3]", body, any ? "bool[3]" : message});
    }
}

TEST(binary_broadcasts) {
    static const char *const ops[] = {"Add", "Sub", "Mul", "Div", "Pow", "Min", "Max"};
    for (size_t i = 0; i < COUNT_OF(ops); i++) {
        char body[128];
        snprintf(body, sizeof body, "%%y = %s(%%a, %%b)", ops[i]);
        run_case(&(InferCase){"%a: float32[2x1x4], %b: float32[3x1]", body, "float32[2x3x4]"});
        run_case(&(InferCase){"%a: int64[], %b: int64[5]", body, "int64[5]"});
        run_case(&(InferCase){"%a: float32[NxCx1], %b: float32[NxCxW]", body, "float32[NxCxW]"});
        run_case(&(InferCase){"%a: float32[N], %b: float32[M]", body, "float32[?]"});
        run_case(&(InferCase){"%a: float32[Nx4], %b: float32[7x1]", body, "float32[7x4]"});
        run_case(&(InferCase){"%a: float32[0x4], %b: float32[1x4]", body, "float32[0x4]"});
        run_case(&(InferCase){"%a: float32[*], %b: float32[7x1]", body, "float32[*]"});
        run_case(&(InferCase){"%a: float32[2x3], %b: float32[2x4]", body, "!broadcast together, got [2x3] and [2x4]"});
        run_case(&(InferCase){"%a: bool[3], %b: bool[3]", body, "!expected a numeric type, got bool"});
    }
}

TEST(elementwise) {
    static const InferCase cases[] = {
        {"%a: float32[3], %b: float64[3]", "%y = Add(%a, %b)", "!input 1: expected float32 like input 0, got float64"},
        {"%a: float32[3], %b: int64[]", "%y = Pow(%a, %b)", "float32[3]"},
        {"%a: float32[2], %b: float32[3x1], %c: float32[4x1x1]", "%y = Max(%a, %b, %c)", "float32[4x3x2]"},
        {"%a: float32[2]", "%y = Min(%a)", "float32[2]"},
        {"%a: float32[2]", "%y = Min(%a, _)", "!input 1 is required, but absent"},
        {"%a: int32[2], %b: int32[1]", "%y = Mod(%a, %b)", "int32[2]"},
        {"%a: float32[2], %b: float32[1]", "%y = Mod(%a, %b) {fmod=1}", "float32[2]"},
        {"%a: float32[2], %b: float32[1]", "%y = Mod(%a, %b)", "!attribute 'fmod': expected 1 for float32"},
        {"%a: float32[2x1], %b: float32[3]", "%y = Less(%a, %b)", "bool[2x3]"},
        {"%a: float32[2x1], %b: float32[3]", "%y = LessOrEqual(%a, %b)", "bool[2x3]"},
        {"%a: float32[2x1], %b: float32[3]", "%y = Greater(%a, %b)", "bool[2x3]"},
        {"%a: float32[2x1], %b: float32[3]", "%y = GreaterOrEqual(%a, %b)", "bool[2x3]"},
        {"%a: bool[2x1], %b: bool[3]", "%y = Equal(%a, %b)", "bool[2x3]"},
        {"%a: bool[2x1], %b: bool[3]", "%y = Less(%a, %b)", "!expected a numeric type, got bool"},
        {"%a: bool[2x1], %b: bool[3]", "%y = And(%a, %b)", "bool[2x3]"},
        {"%a: bool[2x1], %b: bool[3]", "%y = Or(%a, %b)", "bool[2x3]"},
        {"%a: bool[2x1], %b: bool[3]", "%y = Xor(%a, %b)", "bool[2x3]"},
        {"%a: float32[2]", "%y = And(%a, %a)", "!expected bool, got float32"},
        {"%a: bool[2x1]", "%y = Not(%a)", "bool[2x1]"},
        {"%a: int8[2x1]", "%y = Not(%a)", "!expected bool, got int8"},
        {"%c: bool[2x1], %a: float32[3], %b: float32[]", "%y = Where(%c, %a, %b)", "float32[2x3]"},
        {"%c: float32[2x1], %a: float32[3], %b: float32[]", "%y = Where(%c, %a, %b)", "!input 0: expected bool"},
        {"%c: bool[2x1], %a: float32[3], %b: int8[]", "%y = Where(%c, %a, %b)",
         "!input 2: expected float32 like input 1"},
        {"%x: float32[1x3x4], %s: float32[3x1]", "%y = PRelu(%x, %s)", "float32[1x3x4]"},
        {"%x: float32[1x3x4], %s: float32[2x3x4]", "%y = PRelu(%x, %s)",
         "!expected a shape that broadcasts to [1x3x4]"},
        {"%x: int32[3]", "%y = Relu(%x)", "int32[3]"},
        {"%x: uint8[3]", "%y = Relu(%x)", "!expected a floating-point or signed integer type, got uint8"},
        {"%x: uint8[3]", "%y = Abs(%x)", "uint8[3]"},
        {"%x: int32[3]", "%y = Sqrt(%x)", "!expected a floating-point type, got int32"},
        {"%x: float32[3]", "%y = Gelu(%x) {approximate=\"tanh\"}", "float32[3]"},
        {"%x: float32[3]", "%y = Gelu(%x) {approximate=\"fast\"}", "!expected one of (none tanh), got 'fast'"},
        {"%x: float32[3x2], %m: float32[]", "%y = Clip(%x, %m)", "float32[3x2]"},
        {"%x: float32[3x2], %m: float32[1]", "%y = Clip(%x, _, %m)", "float32[3x2]"},
        {"%x: float32[3x2], %m: float32[2]", "%y = Clip(%x, _, %m)", "!input 2: expected a scalar, got [2]"},
        {"%x: float32[3x2], %m: int8[]", "%y = Clip(%x, _, %m)", "!input 2: expected float32"},
        {"%x: float32[3x2]", "%y = Cast(%x) {to=\"int64\"}", "int64[3x2]"},
        {"%x: float32[3x2]", "%y = Cast(%x) {to=\"int65\"}", "!attribute 'to': 'int65' is not a dtype"},
        {"%x: float32[3x2]", "%y = Cast(%x)", "!attribute 'to' is missing"},
        {"%x: float32[3x2]", "%y, %mask = Dropout(%x)", "float32[3x2], bool[3x2]"},
        {"%x: float32[3x2]", "%t = const bool[] {1}\n%y = Dropout(%x, _, %t)", "!training_mode is on"},
        {"%x: float32[3x2]", "%t = const bool[] {0}\n%y = Dropout(%x, _, %t)", "float32[3x2]"},
    };
    run_cases(cases, COUNT_OF(cases));
}

TEST(reduce) {
    static const char *const ops[] = {"ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin",
                                      "ReduceProd", "ReduceL1",  "ReduceL2"};
    for (size_t i = 0; i < COUNT_OF(ops); i++) {
        char body[160];
        snprintf(body, sizeof body, "%%i = const int64[2] {-1, 1}\n%%y = %s(%%x, %%i) {keepdims=0}", ops[i]);
        run_case(&(InferCase){"%x: float32[Nx3x8x10]", body, "float32[Nx8]"});
    }
    static const InferCase cases[] = {
        {X4, "%y = ReduceMean(%x)", "float32[1x1x1x1]"},
        {X4, "%y = ReduceMean(%x) {keepdims=0}", "float32[]"},
        {"%x: float32[*]", "%y = ReduceMean(%x) {keepdims=0}", "float32[]"},
        {X4, "%y = ReduceMean(%x) {noop_with_empty_axes=1}", "float32[1x3x8x10]"},
        {X4, "%i = const int64[0] {}\n%y = ReduceMean(%x, %i) {keepdims=0}", "float32[]"},
        {X4, "%i = const int64[2] {2, 3}\n%y = ReduceMean(%x, %i)", "float32[1x3x1x1]"},
        {X4 ", %i: int64[2]", "%y = ReduceMean(%x, %i)", "float32[?x?x?x?]"},
        {X4 ", %i: int64[3]", "%y = ReduceMean(%x, %i) {keepdims=0}", "float32[?]"},
        {X4 ", %i: int64[K]", "%y = ReduceMean(%x, %i) {keepdims=0}", "float32[*]"},
        {X4, "%i = const int64[1] {4}\n%y = ReduceMean(%x, %i)", "!expected an axis from -4 to 3, got 4"},
        {X4, "%i = const int64[2] {1, -3}\n%y = ReduceMean(%x, %i)", "!axis 1 stands twice"},
        {X4 ", %i: float32[2]", "%y = ReduceMean(%x, %i)", "!input 1 (axes): expected int64, got float32"},
        {X4, "%y = ArgMax(%x) {axis=1}", "int64[1x1x8x10]"},
        {X4, "%y = ArgMax(%x) {axis=-1, keepdims=0}", "int64[1x3x8]"},
        {X4, "%y = ArgMax(%x) {axis=7}", "!expected an axis"},
        {"%x: float32[0]", "%y = ArgMax(%x)", "!axis 0 is empty"},
        {X4, "%k = const int64[1] {2}\n%y, %i = TopK(%x, %k) {axis=1}", "float32[1x2x8x10], int64[1x2x8x10]"},
        {X4 ", %k: int64[1]", "%y, %i = TopK(%x, %k)", "float32[1x3x8x?], int64[1x3x8x?]"},
        {X4, "%k = const int64[1] {4}\n%y, %i = TopK(%x, %k) {axis=1}", "!input 1 (k): expected 0 to 3, got 4"},
        {X4, "%k = const int64[2] {1, 1}\n%y, %i = TopK(%x, %k)", "!expected one element, got 2"},
        {"%x: int32[Nx3]", "%a = const int32[] {-2}\n%y = CumSum(%x, %a)", "int32[Nx3]"},
        {"%x: float32[2x3], %a: int64[]", "%y = CumSum(%x, %a)", "float32[2x3]"},
        {"%x: float32[2x3]", "%a = const int64[] {2}\n%y = CumSum(%x, %a)", "!expected an axis from -2 to 1, got 2"},
        {"%x: float32[2x3], %a: int64[2]", "%y = CumSum(%x, %a)", "!input 1 (axis): expected one element, got 2"},
        {"%x: float32[2x3], %a: float32[]", "%y = CumSum(%x, %a)", "!input 1 (axis): expected int64, got float32"},
        {"%x: float32[], %a: int64[]", "%y = CumSum(%x, %a)", "!input 0: expected 1 to 8 dims, got []"},
        {"%x: float32[Nx3x8x9], %g: float32[2x4x5x2]", "%y = GridSample(%x, %g)", "float32[2x3x4x5]"},
        {"%x: float32[1x3x8], %g: float32[1xKx1]", "%y = GridSample(%x, %g)", "float32[1x3xK]"},
        {"%x: float32[1x3x8x9], %g: float32[1x4x5x3]", "%y = GridSample(%x, %g)", "!expected 2 numbers a place"},
        {"%x: float32[1x3x8x9], %g: float32[2x4x5x2]", "%y = GridSample(%x, %g)", "!expected 1 in dim 0"},
        {"%x: float32[1x3x8x9], %g: float32[1x4x2]", "%y = GridSample(%x, %g)", "!expected 4 dims like the input"},
        {"%x: float32[1x3x8], %g: float32[1x4x1]", "%y = GridSample(%x, %g) {mode=\"cubic\"}",
         "!cubic samples of 1 spatial dims"},
    };
    run_cases(cases, COUNT_OF(cases));
}

TEST(shapes) {
    static const InferCase cases[] = {
        {X4, "%s = const int64[2] {0, -1}\n%y = Reshape(%x, %s)", "float32[1x240]"},
        {X4, "%s = const int64[3] {10, 8, 3}\n%y = Reshape(%x, %s)", "float32[10x8x3]"},
        {X4, "%s = const int64[0] {}\n%y = Reshape(%x, %s)", "!expected as many elements as [1x3x8x10] has, got []"},
        {"%x: float32[1x1]", "%s = const int64[0] {}\n%y = Reshape(%x, %s)", "float32[]"},
        {"%x: float32[Nx4x6]", "%s = const int64[2] {0, -1}\n%y = Reshape(%x, %s)", "float32[Nx24]"},
        {"%x: float32[Nx4x6]", "%s = const int64[2] {-1, 24}\n%y = Reshape(%x, %s)", "float32[Nx24]"},
        {"%x: float32[Nx4x6]", "%s = const int64[2] {-1, 12}\n%y = Reshape(%x, %s)", "float32[?x12]"},
        {"%x: float32[NxCx6]", "%s = const int64[3] {0, 0, -1}\n%y = Reshape(%x, %s)", "float32[NxCx6]"},
        {"%x: float32[*]", "%s = const int64[2] {0, 12}\n%y = Reshape(%x, %s)", "float32[?x12]"},
        {X4 ", %s: int64[3]", "%y = Reshape(%x, %s)", "float32[?x?x?]"},
        {X4 ", %s: int64[K]", "%y = Reshape(%x, %s)", "float32[*]"},
        {X4 ", %s: int64[9]", "%y = Reshape(%x, %s)", "!expected at most 8 dims, got 9"},
        {X4, "%s = const int64[2] {-1, -1}\n%y = Reshape(%x, %s)", "!expected at most one -1"},
        {X4, "%s = const int64[2] {7, -1}\n%y = Reshape(%x, %s)", "!expected the elements of [1x3x8x10] to fill [7x?]"},
        {X4, "%s = const int64[2] {-2, 3}\n%y = Reshape(%x, %s)", "!expected dims from -1, got -2"},
        {"%x: float32[0x4]", "%s = const int64[2] {4, 0}\n%y = Reshape(%x, %s) {allowzero=1}", "float32[4x0]"},
        {"%x: float32[0x4]", "%s = const int64[2] {-1, 0}\n%y = Reshape(%x, %s) {allowzero=1}", "!exclude each other"},
        {"%x: float32[4]", "%s = const int64[2] {4, 0}\n%y = Reshape(%x, %s)", "!0 copies dim 1, but the input is [4]"},
        {X4, "%s = const int64[2] {9223372036854775807, 3}\n%y = Reshape(%x, %s)", "!expected as many elements"},
        {X4, "%y = Flatten(%x)", "float32[1x240]"},
        {X4, "%y = Flatten(%x) {axis=0}", "float32[1x240]"},
        {X4, "%y = Flatten(%x) {axis=-1}", "float32[24x10]"},
        {"%x: float32[Nx3xH]", "%y = Flatten(%x) {axis=1}", "float32[Nx?]"},
        {X4, "%y = Flatten(%x) {axis=5}", "!expected an axis from -4 to 4, got 5"},
        {"%x: float32[1x3x1xW]", "%i = const int64[2] {0, -2}\n%y = Squeeze(%x, %i)", "float32[3xW]"},
        {"%x: float32[1x3x1]", "%y = Squeeze(%x)", "float32[3]"},
        {"%x: float32[1x3xW]", "%y = Squeeze(%x)", "float32[*]"},
        {"%x: float32[1x3x1], %i: int64[2]", "%y = Squeeze(%x, %i)", "float32[?]"},
        {"%x: float32[1x3x1]", "%i = const int64[1] {1}\n%y = Squeeze(%x, %i)", "!expected dim 1 of [1x3x1] to be 1"},
        {"%x: float32[3xW]", "%i = const int64[2] {0, -1}\n%y = Unsqueeze(%x, %i)", "float32[1x3xWx1]"},
        {"%x: float32[3xW], %i: int64[2]", "%y = Unsqueeze(%x, %i)", "float32[?x?x?x?]"},
        {"%x: float32[3xW], %i: int64[9223372036854775807]", "%y = Unsqueeze(%x, %i)", "!expected at most 8 dims, got"},
        {"%x: float32[3xW]", "%i = const int64[1] {3}\n%y = Unsqueeze(%x, %i)",
         "!expected an axis from -3 to 2, got 3"},
        {"%x: float32[1x1x1x1x1x1x1x1]", "%i = const int64[1] {0}\n%y = Unsqueeze(%x, %i)",
         "!expected at most 8 dims, got 9"},
        {"%x: float32[3x1]", "%s = const int64[3] {2, 1, 4}\n%y = Expand(%x, %s)", "float32[2x3x4]"},
        {"%x: float32[Nx1], %s: int64[2]", "%y = Expand(%x, %s)", "float32[?x?]"},
        {"%x: float32[3x1]", "%s = const int64[2] {2, 1}\n%y = Expand(%x, %s)",
         "!broadcast together, got [3x1] and [2x1]"},
        {"%x: float32[3x1]", "%s = const int64[2] {-1, 1}\n%y = Expand(%x, %s)", "!expected dims from 0, got -1"},
        {"%x: float32[3xN]", "%r = const int64[2] {2, 1}\n%y = Tile(%x, %r)", "float32[6xN]"},
        {"%x: float32[3x2], %r: int64[2]", "%y = Tile(%x, %r)", "float32[?x?]"},
        {"%x: float32[3x2]", "%r = const int64[1] {2}\n%y = Tile(%x, %r)", "!(repeats): expected 2 numbers, got 1"},
        {"%x: float32[3x2]", "%r = const int64[2] {-1, 1}\n%y = Tile(%x, %r)", "!expected numbers from 0"},
        {"%x: float32[3]", "%r = const int64[1] {9223372036854775807}\n%y = Tile(%x, %r)", "!is too large"},
        {"%x: float32[3]", "%r = const int64[1] {3074457345618258602}\n%y = Tile(%x, %r)",
         "!expected an output that can be addressed"},
        {"%x: float32[2xNx4]", "%y = Transpose(%x)", "float32[4xNx2]"},
        {"%x: float32[2xNx4]", "%y = Transpose(%x) {perm=[0, 2, 1]}", "float32[2x4xN]"},
        {"%x: float32[2xNx4]", "%y = Transpose(%x) {perm=[0, 1]}", "!attribute 'perm': expected 3 numbers, got 2"},
        {"%x: float32[2xNx4]", "%y = Transpose(%x) {perm=[0, 1, 1]}", "!attribute 'perm': dim 1 stands twice"},
        {"%x: float32[2xNx4]", "%y = Transpose(%x) {perm=[0, 1, 3]}", "!expected an axis"},
        {"%x: float32[2xNx4]", "%y = Shape(%x)", "int64[3]"},
        {"%x: float32[2xNx4]", "%y = Shape(%x) {start=-2}", "int64[2]"},
        {"%x: float32[2xNx4]", "%y = Shape(%x) {start=1, end=-1}", "int64[1]"},
        {"%x: float32[2xNx4]", "%y = Shape(%x) {start=2, end=1}", "int64[0]"},
        {"%x: float32[*]", "%y = Shape(%x)", "int64[?]"},
        {"", "%a = const int64[] {1}\n%b = const int64[] {10}\n%c = const int64[] {4}\n%y = Range(%a, %b, %c)",
         "int64[3]"},
        {"", "%a = const int64[] {10}\n%b = const int64[] {1}\n%c = const int64[] {-3}\n%y = Range(%a, %b, %c)",
         "int64[3]"},
        {"", "%a = const int64[] {10}\n%b = const int64[] {1}\n%c = const int64[] {3}\n%y = Range(%a, %b, %c)",
         "int64[0]"},
        {"", "%a = const float32[] {0}\n%b = const float32[] {1}\n%c = const float32[] {0.3}\n%y = Range(%a, %b, %c)",
         "float32[4]"},
        {"", "%a = const float32[] {0}\n%c = const float32[] {nan}\n%y = Range(%a, %a, %c)", "!too many numbers"},
        {"", "%a = const int64[] {10}\n%c = const int64[] {0}\n%y = Range(%a, %a, %c)", "!(delta) is 0"},
        {"%n: int64[]", "%a = const int64[] {10}\n%y = Range(%a, %n, %a)", "int64[?]"},
        {"", "%s = const int64[2] {2, 3}\n%y = ConstantOfShape(%s)", "float32[2x3]"},
        {"", "%s = const int64[0] {}\n%y = ConstantOfShape(%s) {value=int64[1] {7}}", "int64[]"},
        {"%s: int64[3]", "%y = ConstantOfShape(%s)", "float32[?x?x?]"},
        {"", "%s = const int64[1] {-1}\n%y = ConstantOfShape(%s)", "!expected dims from 0, got -1"},
        {"", "%s = const int64[1] {1}\n%y = ConstantOfShape(%s) {value=int64[2] {7, 8}}",
         "!expected one element, got 2"},
        {"", "%s = const int64[2] {4611686018427387904, 4}\n%y = ConstantOfShape(%s)", "!can be addressed"},
    };
    run_cases(cases, COUNT_OF(cases));
}

TEST(concat_and_split) {
    static const InferCase cases[] = {
        {X4 ", %z: float32[1x5x8x10]", "%y = Concat(%x, %z) {axis=1}", "float32[1x8x8x10]"},
        {X4 ", %z: float32[1x5x8x10]", "%y = Concat(%x, %z, %x) {axis=-3}", "float32[1x11x8x10]"},
        {X4 ", %z: float32[NxCxHx10]", "%y = Concat(%x, %z) {axis=1}", "float32[1x?x8x10]"},
        {X4 ", %z: float32[*]", "%y = Concat(%z, %x) {axis=1}", "float32[1x?x8x10]"},
        {"%z: float32[*]", "%y = Concat(%z, %z) {axis=1}", "float32[*]"},
        {X4 ", %z: float32[1x5x8x9]", "%y = Concat(%x, %z) {axis=1}", "!input 1: expected 10 in dim 3, got [1x5x8x9]"},
        {X4 ", %z: float32[1x5x8]", "%y = Concat(%x, %z) {axis=1}", "!input 1: expected 4 dims like input 0"},
        {X4 ", %z: float64[1x5x8x10]", "%y = Concat(%x, %z) {axis=1}", "!input 1: expected float32"},
        {X4, "%y = Concat(%x, %x)", "!attribute 'axis' is missing"},
        {X4, "%y = Concat(%x, %x) {axis=4}", "!expected an axis"},
        {"%z: float32[]", "%y = Concat(%z, %z) {axis=0}", "!expected 1 to 8 dims, got []"},
        {"%x: int64[Nx6]", "%s = const int64[3] {1, 2, 3}\n%y, _, %c = Split(%x, %s) {axis=1}",
         "int64[Nx1], _, int64[Nx3]"},
        {"%x: int64[Nx6]", "%y, %b = Split(%x) {axis=-1}", "int64[Nx3], int64[Nx3]"},
        {"%x: int64[Nx6]", "%y, %b = Split(%x)", "int64[?x6], int64[?x6]"},
        {"%x: int64[7]", "%y, %b, %c = Split(%x) {num_outputs=3}", "int64[3], int64[3], int64[1]"},
        {"%x: int64[9223372036854775807]", "%y, %b = Split(%x) {num_outputs=2}",
         "!expected an output that can be addressed"},
        {"%x: int64[7]", "%y, %b, %c = Split(%x)", "!expected a dim that splits into 3 parts, got 7"},
        {"%x: int64[5]", "%y, %b, %c, %d = Split(%x) {num_outputs=4}",
         "!expected a dim that splits into 4 parts, got 5"},
        {"%x: int64[4]", "%y, %b, %c = Split(%x) {num_outputs=3}", "!expected a dim that splits into 3 parts, got 4"},
        {"%x: int64[0]", "%y, %b = Split(%x) {num_outputs=2}", "int64[0], int64[0]"},
        {"%x: int64[6]", "%y, %b = Split(%x) {num_outputs=3}", "!attribute 'num_outputs': expected 2"},
        {"%x: int64[6], %s: int64[2]", "%y, %b = Split(%x, %s)", "int64[?], int64[?]"},
        {"%x: int64[6]", "%s = const int64[2] {1, 2}\n%y, %b = Split(%x, %s)",
         "!expected sizes that add up to 6, got 3"},
        {"%x: int64[6]", "%s = const int64[2] {-1, 7}\n%y, %b = Split(%x, %s)", "!expected sizes from 0"},
        {"%x: int64[6]", "%s = const int64[3] {1, 2, 3}\n%y, %b = Split(%x, %s)",
         "!expected 2 sizes, one an output, got 3"},
    };
    run_cases(cases, COUNT_OF(cases));
}

#define SLICE(starts, ends, axes, steps)                                                                               \
    "%s = const int64[1] {" starts "}\n%e = const int64[1] {" ends "}\n%a = const int64[1] {" axes                     \
    "}\n%t = const int64[1] {" steps "}\n%y = Slice(%x, %s, %e, %a, %t)"

TEST(slice) {
    static const InferCase cases[] = {
        {X4, SLICE("1", "3", "1", "1"), "float32[1x2x8x10]"},
        {X4, SLICE("-3", "9223372036854775807", "-1", "1"), "float32[1x3x8x3]"},
        {X4, SLICE("0", "10", "3", "3"), "float32[1x3x8x4]"},
        {X4, SLICE("9", "-9223372036854775808", "3", "-1"), "float32[1x3x8x10]"},
        {X4, SLICE("-1", "0", "3", "-4"), "float32[1x3x8x3]"},
        {X4, SLICE("5", "2", "3", "1"), "float32[1x3x8x0]"},
        {X4, SLICE("2", "5", "3", "-1"), "float32[1x3x8x0]"},
        {X4, SLICE("100", "-100", "3", "-9223372036854775808"), "float32[1x3x8x1]"},
        {X4, SLICE("-100", "100", "3", "9223372036854775807"), "float32[1x3x8x1]"},
        {"%x: float32[0]", SLICE("0", "-5", "0", "-1"), "float32[0]"},
        {"%x: float32[NxC]", SLICE("0", "9223372036854775807", "0", "1"), "float32[NxC]"},
        {"%x: float32[NxC]", SLICE("0", "5", "0", "1"), "float32[?xC]"},
        {X4, "%s = const int32[2] {0, 1}\n%e = const int32[2] {1, 2}\n%y = Slice(%x, %s, %e)", "float32[1x1x8x10]"},
        {X4 ", %s: int64[1]", "%a = const int64[1] {2}\n%y = Slice(%x, %s, %s, %a)", "float32[1x3x?x10]"},
        {X4 ", %s: int64[2]", "%y = Slice(%x, %s, %s)", "float32[?x?x8x10]"},
        {X4 ", %s: int64[K]", "%y = Slice(%x, %s, %s)", "float32[?x?x?x?]"},
        {X4, SLICE("0", "1", "0", "0"), "!(steps): expected a number other than 0"},
        {X4, SLICE("0", "1", "4", "1"), "!expected an axis from -4 to 3, got 4"},
        {X4, "%s = const int64[2] {0, 1}\n%e = const int64[1] {1}\n%y = Slice(%x, %s, %e)",
         "!of one length, got 2 and 1"},
        {"%x: float32[3]", "%s = const int64[2] {0, 1}\n%y = Slice(%x, %s, %s)", "!expected at most 1 starts, got 2"},
    };
    run_cases(cases, COUNT_OF(cases));
}

TEST(pad) {
    static const InferCase cases[] = {
        {"%x: float32[3x4]", "%p = const int64[4] {1, 0, 2, 3}\n%y = Pad(%x, %p)", "float32[6x7]"},
        {"%x: float32[3x4]", "%p = const int64[4] {-1, 0, 0, -3}\n%y = Pad(%x, %p)", "float32[2x1]"},
        {"%x: float32[3x4]", "%p = const int64[2] {1, 1}\n%a = const int64[1] {-1}\n%y = Pad(%x, %p, _, %a)",
         "float32[3x6]"},
        {"%x: float32[NxM]", "%p = const int64[4] {0, 1, 0, 1}\n%y = Pad(%x, %p)", "float32[Nx?]"},
        {"%x: float32[NxM]", "%p = const int64[4] {1, 0, -1, 0}\n%y = Pad(%x, %p)", "float32[NxM]"},
        {"%x: float32[3x4], %p: int64[2]", "%a = const int64[1] {1}\n%y = Pad(%x, %p, _, %a)", "float32[3x?]"},
        {"%x: float32[3x4], %p: int64[4]", "%y = Pad(%x, %p)", "float32[?x?]"},
        {"%x: float32[3]", "%p = const int64[2] {2, 2}\n%y = Pad(%x, %p) {mode=\"reflect\"}", "float32[7]"},
        {"%x: float32[3]", "%p = const int64[2] {3, 0}\n%y = Pad(%x, %p) {mode=\"reflect\"}",
         "!expected pads below 3 to reflect, got 3"},
        {"%x: float32[3]", "%p = const int64[2] {5, 5}\n%y = Pad(%x, %p) {mode=\"edge\"}", "float32[13]"},
        {"%x: float32[3]", "%p = const int64[2] {5, 5}\n%y = Pad(%x, %p) {mode=\"wrap\"}", "float32[13]"},
        {"%x: float32[5]", "%p = const int64[2] {-3, 1}\n%y = Pad(%x, %p) {mode=\"reflect\"}", "float32[3]"},
        {"%x: float32[5]", "%p = const int64[2] {-3, 2}\n%y = Pad(%x, %p) {mode=\"reflect\"}",
         "!expected pads below 2 to reflect, got 2"},
        {"%x: float32[5]", "%p = const int64[2] {-5, 2}\n%y = Pad(%x, %p) {mode=\"edge\"}", "!nothing to pad with"},
        {"%x: float32[5]", "%p = const int64[2] {-6, 2}\n%y = Pad(%x, %p)", "!pads -6 and 2 crop more than the 5"},
        {"%x: float32[0]", "%p = const int64[2] {5, 5}\n%y = Pad(%x, %p) {mode=\"wrap\"}",
         "!there is nothing to pad with"},
        {"%x: float32[3]", "%p = const int64[2] {5, 5}\n%y = Pad(%x, %p) {mode=\"mirror\"}", "!attribute 'mode'"},
        {"%x: float32[3]", "%p = const int64[2] {-2, -2}\n%y = Pad(%x, %p)",
         "!pads -2 and -2 crop more than the 3 elements"},
        {"%x: float32[3]", "%p = const int64[2] {9223372036854775807, 1}\n%y = Pad(%x, %p)", "!the pads are too large"},
        {"%x: float32[3x4]", "%p = const int64[2] {1, 1}\n%y = Pad(%x, %p)", "!(pads): expected 4 numbers, got 2"},
        {"%x: float32[3], %v: int8[]", "%p = const int64[2] {1, 1}\n%y = Pad(%x, %p, %v)",
         "!input 2: expected float32"},
    };
    run_cases(cases, COUNT_OF(cases));
}

TEST(resize) {
    static const InferCase cases[] = {
        {X4, "%s = const float32[4] {1, 1, 2, 2}\n%y = Resize(%x, _, %s)", "float32[1x3x16x20]"},
        {X4, "%s = const float32[4] {1, 1, 0.5, 0.7}\n%y = Resize(%x, _, %s)", "float32[1x3x4x7]"},
        {X4, "%s = const float32[4] {1, 1, 0.3, 1.75}\n%y = Resize(%x, _, %s) {mode=\"linear\"}", "float32[1x3x2x17]"},
        {X4, "%e = const float32[0] {}\n%s = const int64[4] {1, 3, 5, 9}\n%y = Resize(%x, %e, %e, %s)",
         "float32[1x3x5x9]"},
        {X4, "%s = const int64[2] {5, 9}\n%y = Resize(%x, _, _, %s) {axes=[2, -1]}", "float32[1x3x5x9]"},
        {X4,
         "%s = const int64[2] {4, 20}\n%y = Resize(%x, _, _, %s) {axes=[2, 3], "
         "keep_aspect_ratio_policy=\"not_larger\"}",
         "float32[1x3x4x5]"},
        {X4,
         "%s = const int64[2] {4, 20}\n%y = Resize(%x, _, _, %s) {axes=[2, 3], "
         "keep_aspect_ratio_policy=\"not_smaller\"}",
         "float32[1x3x16x20]"},
        {"%x: float32[Nx3xHx8]", "%s = const float32[4] {1, 1, 2, 2}\n%y = Resize(%x, _, %s)", "float32[Nx3x?x16]"},
        {"%x: float32[Nx3xHx8], %s: int64[4]", "%y = Resize(%x, _, _, %s)", "float32[?x?x?x?]"},
        {"%x: float32[Nx3xHx8], %s: int64[2]", "%y = Resize(%x, _, _, %s) {axes=[2, 3]}", "float32[Nx3x?x?]"},
        {"%x: float32[Nx3xHx8], %s: float32[2]", "%y = Resize(%x, _, %s) {axes=[2, 3]}", "float32[Nx3x?x?]"},
        {"%x: float32[*], %s: float32[4]", "%y = Resize(%x, _, %s)", "float32[*]"},
        {X4, "%y = Resize(%x)", "!expected either scales or sizes, got neither"},
        {X4 ", %s: float32[4], %z: int64[4]", "%y = Resize(%x, _, %s, %z)",
         "!expected either scales or sizes, got both"},
        {X4, "%s = const float32[3] {1, 2, 2}\n%y = Resize(%x, _, %s)", "!input 2 (scales): expected [4], got [3]"},
        {X4, "%s = const float32[4] {1, 1, -2, 2}\n%y = Resize(%x, _, %s)", "!expected numbers above 0, got -2"},
        {X4, "%s = const float32[4] {1, 1, nan, 2}\n%y = Resize(%x, _, %s)", "!expected numbers above 0, got nan"},
        {X4, "%s = const float32[4] {1, 1, 0.01, 2}\n%y = Resize(%x, _, %s)",
         "!scale 0.01 of a dim of 8 leaves 0 elements"},
        {X4, "%s = const float32[4] {1, 1, 1e30, 2}\n%y = Resize(%x, _, %s)", "!leaves"},
        {X4, "%s = const int64[4] {1, 3, 0, 9}\n%y = Resize(%x, _, _, %s)",
         "!input 3 (sizes): expected numbers from 1, got 0"},
        {X4, "%s = const int64[2] {5, 9}\n%y = Resize(%x, _, _, %s) {axes=[2, -2]}",
         "!attribute 'axes': dim 2 stands twice"},
        {X4 ", %s: float32[4]", "%y = Resize(%x, _, %s) {mode=\"lanczos\"}", "!attribute 'mode': expected one of"},
        {X4 ", %s: float32[4]", "%y = Resize(%x, _, %s) {coordinate_transformation_mode=\"x\"}",
         "!attribute 'coordinate_transformation_mode'"},
        {X4 ", %s: float32[4]", "%y = Resize(%x, _, %s) {nearest_mode=\"x\"}", "!attribute 'nearest_mode'"},
    };
    run_cases(cases, COUNT_OF(cases));
}

TEST(gather_and_blocks) {
    static const InferCase cases[] = {
        {X4 ", %i: int64[2x5]", "%y = Gather(%x, %i) {axis=1}", "float32[1x2x5x8x10]"},
        {X4 ", %i: int32[]", "%y = Gather(%x, %i) {axis=-1}", "float32[1x3x8]"},
        {"%x: float32[NxC], %i: int32[K]", "%y = Gather(%x, %i)", "float32[KxC]"},
        {"%x: float32[*], %i: int32[K]", "%y = Gather(%x, %i)", "float32[*]"},
        {X4, "%i = const int64[2] {-3, 2}\n%y = Gather(%x, %i) {axis=1}", "float32[1x2x8x10]"},
        {X4, "%i = const int64[2] {-4, 2}\n%y = Gather(%x, %i) {axis=1}", "!(indices): expected -3 to 2, got -4"},
        {X4, "%i = const int64[2] {3, 2}\n%y = Gather(%x, %i) {axis=1}", "!(indices): expected -3 to 2, got 3"},
        {X4 ", %i: float32[2]", "%y = Gather(%x, %i)", "!(indices): expected int64 or int32, got float32"},
        {X4 ", %i: int64[1x1x1x1x1x1]", "%y = Gather(%x, %i)", "!expected at most 8 dims, got 9"},
        {"%x: float32[4x5x6], %i: int64[3x2], %u: float32[3x6]", "%y = ScatterND(%x, %i, %u)", "float32[4x5x6]"},
        {"%x: float32[4x5x6], %i: int64[3x2], %u: float32[3x6]", "%y = ScatterND(%x, %i, %u) {reduction=\"add\"}",
         "float32[4x5x6]"},
        {"%x: float32[4x5x6], %i: int64[3x2], %u: float32[3x5]", "%y = ScatterND(%x, %i, %u)",
         "!input 2 (updates): [3x5] does not go with"},
        {"%x: float32[4x5x6], %i: int64[3x2], %u: float32[3]", "%y = ScatterND(%x, %i, %u)", "!input 2 (updates)"},
        {"%x: float32[4x5x6], %i: int64[3x4], %u: float32[3]", "%y = ScatterND(%x, %i, %u)",
         "!index tuples of 1 to 3, got 4"},
        {"%x: float32[4], %i: int64[3x1], %u: float32[3]", "%y = ScatterND(%x, %i, %u) {reduction=\"sub\"}",
         "!attribute 'reduction'"},
        {"%x: float32[4x5], %i: int64[2x7]", "%y = GatherElements(%x, %i) {axis=1}", "float32[2x7]"},
        {"%x: float32[4x5], %i: int64[5x5]", "%y = GatherElements(%x, %i) {axis=-1}",
         "!input 1 (indices): [5x5] does not go with [4x5] along axis 1"},
        {"%x: float32[4x5], %i: int64[4]", "%y = GatherElements(%x, %i)", "!input 1 (indices): [4] does not go with"},
        {"%x: float32[2]", "%i = const int64[1] {2}\n%y = GatherElements(%x, %i)", "!expected -2 to 1, got 2"},
        {"%x: float32[2x3x4], %i: int64[5x2]", "%y = GatherND(%x, %i)", "float32[5x4]"},
        {"%x: float32[2x3x4], %i: int64[2x1]", "%y = GatherND(%x, %i) {batch_dims=1}", "float32[2x4]"},
        {"%x: float32[2x3x4], %i: int64[3x1]", "%y = GatherND(%x, %i) {batch_dims=1}", "!expected dim 0 of [2x3x4]"},
        {"%x: float32[2x3x4], %i: int64[2x1]", "%y = GatherND(%x, %i) {batch_dims=2}", "!expected 0 to 1, got 2"},
        {"%x: float32[2x3x4], %i: int64[2x4]", "%y = GatherND(%x, %i)", "!index tuples of 1 to 3, got 4"},
        {"%x: float32[4x5], %i: int64[2x7], %u: float32[2x7]", "%y = ScatterElements(%x, %i, %u) {axis=1}",
         "float32[4x5]"},
        {"%x: float32[4x5], %i: int64[2x7], %u: float32[2x6]", "%y = ScatterElements(%x, %i, %u) {axis=1}",
         "!input 2 (updates): expected the shape of the indices, [2x7], got [2x6]"},
        {"%x: float32[1x8x3x5]", "%y = DepthToSpace(%x) {blocksize=2}", "float32[1x2x6x10]"},
        {"%x: float32[Nx8xHx5]", "%y = DepthToSpace(%x) {blocksize=2, mode=\"CRD\"}", "float32[Nx2x?x10]"},
        {"%x: float32[1x6x3x5]", "%y = DepthToSpace(%x) {blocksize=2}",
         "!expected dim 1 to be a multiple of 4, got [1x6x3x5]"},
        {"%x: float32[1x8x3x5]", "%y = DepthToSpace(%x)", "!attribute 'blocksize'"},
        {"%x: float32[1x8x3x5]", "%y = DepthToSpace(%x) {blocksize=2, mode=\"RDC\"}", "!attribute 'mode'"},
        {"%x: float32[1x2x6x10]", "%y = SpaceToDepth(%x) {blocksize=2}", "float32[1x8x3x5]"},
        {"%x: float32[1x2x6x9]", "%y = SpaceToDepth(%x) {blocksize=2}", "!expected dim 3 to be a multiple of 2"},
        {"%x: float32[2x6x10]", "%y = SpaceToDepth(%x) {blocksize=2}", "!expected 4 dims, got [2x6x10]"},
    };
    run_cases(cases, COUNT_OF(cases));
}

// With nothing known, every op says nothing or names what is missing.
TEST(every_op_is_inferred) {
    for (int op = OP_NONE + 1; op < OP_COUNT; op++) {
        const OpInfo *info = op_info((Op)op);
        ValueId ids[8] = {0, 1, 2, 3, 4, 5, 6, 7};
        Type in[8], out[8];
        for (int i = 0; i < 8; i++) in[i] = (Type){DT_NONE, -1, {0}};
        Node node = {.op = (Op)op, .name = "", .inputs = ids, .outputs = ids};
        CHECK(infer_node(&node, in, NULL, out) == ST_BAD); // no inputs
        CHECK_MSG(text_starts(error_message(), info->name), "%s", error_message());
        node.n_inputs = info->min_inputs;
        node.n_outputs = info->min_outputs;
        const Status status = infer_node(&node, in, NULL, out);
        CHECK_MSG(status == ST_OK || (status == ST_BAD && strstr(error_message(), "expected at least 1, got 0")) ||
                      strstr(error_message(), "is missing") || strstr(error_message(), "either scales or sizes"),
                  "%s", error_message());
    }
}

// Nonsense in: refused, or a type that could be.
typedef struct Nonsense {
    Rng rng;
    Type in[6], out[6];
    const Tensor *constants[6];
    Tensor tensors[6];
    int64_t data[6][4], ints[8];
    ValueId inputs[6], outputs[6];
    Attr attrs[16];
    char names[16][40];
} Nonsense;

static int64_t wild_number(Rng *rng) {
    static const int64_t special[] = {INT64_MIN, INT64_MAX, INT32_MAX, (int64_t)1 << 31, (int64_t)1 << 62, -100, 100};
    if (rng_below(rng, 8) == 0) return special[rng_below(rng, COUNT_OF(special))];
    return (int64_t)rng_below(rng, 9) - 3;
}

static Type wild_type(Rng *rng) {
    static const int64_t dims[] = {0, 1, 1, 2, 3, 4, 8, -1, -2, -3, INT32_MAX, (int64_t)1 << 40, INT64_MAX};
    static const DType dtypes[] = {DT_F32, DT_F32, DT_F32, DT_I64, DT_BOOL, DT_NONE, DT_U8};
    Type type = {.dtype = dtypes[rng_below(rng, COUNT_OF(dtypes))], .rank = (int)rng_below(rng, 7) - 1};
    if (type.rank == 6) type.rank = 8;
    for (int i = 0; i < type.rank; i++) type.dim[i] = dims[rng_below(rng, rng_below(rng, 4) ? 7 : COUNT_OF(dims))];
    return type;
}

static void wild_input(Nonsense *n, int i) {
    n->in[i] = wild_type(&n->rng);
    n->constants[i] = NULL;
    n->inputs[i] = rng_below(&n->rng, 8) ? i : NO_VALUE;
    if (rng_below(&n->rng, 2)) return;
    const int64_t count = (int64_t)rng_below(&n->rng, 5);
    for (int k = 0; k < 4; k++) n->data[i][k] = wild_number(&n->rng);
    n->tensors[i] = (Tensor){DT_I64, {count == 0 ? 0 : 1, {count}}, n->data[i]};
    n->in[i] = type_make(DT_I64, &n->tensors[i].shape);
    n->constants[i] = &n->tensors[i];
}

// Some of the op's own attributes, of the right type.
static int wild_attrs(Nonsense *n, Op op) {
    static const char *const words[] = {"SAME_UPPER", "VALID", "reflect", "linear", "not_larger", "float32", "CRD"};
    int count = 0;
    for (const char *at = op_info(op)->attributes; *at; at += strcspn(at, " "), at += strspn(at, " ")) {
        if (rng_below(&n->rng, 2)) continue;
        Attr *attr = &n->attrs[count];
        const char *type = at + strcspn(at, ":") + 1;
        snprintf(n->names[count], sizeof n->names[count], "%.*s", (int)strcspn(at, ":"), at);
        *attr = (Attr){.name = n->names[count++], .type = ATTR_INT, .i = wild_number(&n->rng), .f = 0.5};
        attr->s = words[rng_below(&n->rng, COUNT_OF(words))];
        attr->ints = n->ints;
        if (text_starts(type, "float")) attr->type = ATTR_FLOAT;
        else if (text_starts(type, "string") || text_starts(type, "dtype")) attr->type = ATTR_STRING;
        else if (text_starts(type, "ints")) attr->type = ATTR_INTS, attr->count = rng_below(&n->rng, 7);
        else if (text_starts(type, "tensor")) attr->type = ATTR_TENSOR, attr->tensor = (Tensor){DT_I8, {0}, n->data};
    }
    return count;
}

static void check_possible(const Type *type, const Node *node) {
    const char *op = op_info(node->op)->name;
    CHECK_MSG(type->rank >= -1 && type->rank <= MAX_RANK, "%s: rank %d", op, type->rank);
    for (int i = 0; i < type->rank; i++) CHECK_MSG(type->dim[i] >= -3, "%s: dim %lld", op, (long long)type->dim[i]);
    if (!type_is_static(type)) return;
    const Shape shape = type_shape(type);
    CHECK_MSG(shape_count(&shape) >= 0, "%s: too many elements", op);
}

TEST(nonsense_does_no_harm) {
    static Nonsense n;
    int accepted = 0;
    rng_seed(&n.rng, 5);
    for (int round = test_long() ? 20000000 : 500000; round > 0; round--) {
        const Op op = (Op)(1 + rng_below(&n.rng, OP_COUNT - 1));
        const OpInfo *info = op_info(op);
        const int most = MIN(info->max_inputs < 0 ? 4 : info->max_inputs, 5), least = info->min_inputs;
        Node node = {.op = op, .name = "", .inputs = n.inputs, .outputs = n.outputs, .attrs = n.attrs};
        node.n_inputs = least + (int)rng_below(&n.rng, (uint64_t)(most - least + 1));
        node.n_outputs = info->min_outputs + (info->max_outputs < 0 ? (int)rng_below(&n.rng, 4) : 0);
        for (int i = 0; i < 8; i++) n.ints[i] = wild_number(&n.rng);
        for (int i = 0; i < 6; i++) wild_input(&n, i);
        node.n_attrs = wild_attrs(&n, op);
        const Status status = infer_node(&node, n.in, n.constants, n.out);
        CHECK(status == ST_OK || status == ST_BAD || status == ST_UNSUPPORTED);
        accepted += status == ST_OK;
        for (int i = 0; status == ST_OK && i < node.n_outputs; i++) check_possible(&n.out[i], &node);
    }
    CHECK(accepted > 1000);
}

// Chains keep symbols; a wrong declared type is refused; a declared one fills what inference can't know.
TEST(declared_types) {
    static const InferCase cases[] = {
        {"%x: float32[NxC]", "%y = Relu(%x) : float32[2xC]", "float32[2xC]"},
        {"%x: float32[2x?]", "%y = Relu(%x) : float32[NxC]", "float32[2xC]"},
        {"%x: float32[?x?]", "%y = Relu(%x) : ?[*]", "float32[?x?]"},
        {"%x: float32[2x3]", "%y = Relu(%x) : float32[2x4]",
         "!value 'y': expected float32[2x4], as it was declared, got float32[2x3]"},
        {"%x: float32[2x3]", "%y = Relu(%x) : float32[2x3x1]", "!value 'y'"},
        {"%x: float32[2x3]", "%y = Relu(%x) : float16[2x3]", "!value 'y'"},
    };
    run_cases(cases, COUNT_OF(cases));
}

// Weights with the network beside them, as a text (--arch).
#include "base/file.h"
#include "import/torch_network.h"

static const char small_text[] =
    "graph \"small\" (%input: float32[Nx3xHxW],\n"
    "               %conv1.weight: float32[4x3x3x3], %conv1.bias: float32[4],\n"
    "               %bn1.weight: float32[4], %bn1.bias: float32[4],\n"
    "               %bn1.running_mean: float32[4], %bn1.running_var: float32[4],\n"
    "               %head.weight: float32[?x4x1x1], %head.bias: float32[?]) -> (%output) {\n"
    "  %a = Conv (%input, %conv1.weight, %conv1.bias) {pads=[1, 1, 1, 1]}\n"
    "  %b = BatchNormalization (%a, %bn1.weight, %bn1.bias, %bn1.running_mean, %bn1.running_var) {epsilon=1e-05}\n"
    "  %c = Relu (%b)\n"
    "  %d = Conv (%c, %head.weight, %head.bias)\n"
    "  %output = Sigmoid (%d)\n"
    "}\n";

static Made *small(void) {
    Made *made = made_new(2, true);
    put_conv(made, "conv1", 4, 3, "3");
    put_norm(made, "bn1", 4);
    put_conv(made, "head", 2, 4, "1");
    return made;
}

static ImportOptions with_text(const char *text) {
    const char *path = test_temp("net.txt");
    CHECK_OK(file_write(path, text, strlen(text)));
    return (ImportOptions){.arch = path};
}

// small_text with one part changed.
static ImportOptions with_change(const char *from, const char *to) {
    static Text text;
    const char *at = strstr(small_text, from);
    REQUIRE(at);
    text.length = 0;
    text_add(&text, "%.*s%s%s", (int)(at - small_text), small_text, to, at + strlen(from));
    return with_text(text_get(&text));
}

TEST(text_network) {
    Made *made = small();
    const ImportOptions options = with_text(small_text);
    Network network;
    CHECK_OK(try_network(made, &options, &network));
    check_ops(&network, "Conv 2, BatchNormalization 1, Relu 1, Sigmoid 1");
    CHECK_INT(network.graph->n_inputs, 1);
    check_notes(&network, "the network is that of net.txt, with 8 of the file's 9 tensors");
    check_size(&network, "1x3x5x7", "1x2x5x7"); // the text left the number of classes open
    network_free(&network);
    made_free(made);
}

// Names as the file has them, with what stands in front of all of them, are weights too.
TEST(text_network_prefix) {
    Made *made = small();
    made->prefix = "module.";
    const ImportOptions options =
        with_change("%head.bias: float32[?]", "%module.head.bias: float32[2], %head.bias: float32[?]");
    Network network;
    CHECK_OK(try_network(made, &options, &network));
    check_notes(&network, "the network is that of net.txt, with 9 of the file's 9 tensors");
    network_free(&network);
    made_free(made);
}

static void refuse_text(ImportOptions options, Status status, const char *words) {
    Made *made = small();
    check_refused(made, &options, status, words);
    made_free(made);
}

TEST(text_network_refused) {
    refuse_text(with_change("Relu (%b)", "Relu (%z)"), ST_BAD, "net.txt: line 8|'z'");
    refuse_text(with_change("graph", "grab"), ST_BAD, "net.txt: line 1");
    refuse_text(with_change("Relu", "Rolu"), ST_UNSUPPORTED, "net.txt: line 8|Rolu");
    refuse_text(with_change("%head.bias: float32[?]", "%head.b: float32[?]"), ST_BAD, "'head.bias'");
    refuse_text(with_change("%conv1.bias: float32[4]", "%conv1.bias: float32[4], %conv2.bias: float32[4]"), ST_BAD,
                "net.txt: input 'conv2.bias': the file has no tensor of that name (9 tensors)");
    refuse_text(with_change("%conv1.weight: float32[4x3x3x3]", "%conv1.weight: float32[4x3x5x5]"), ST_BAD,
                "net.txt: |do not go together|'conv1.weight'|");
    refuse_text(with_change("%conv1.bias: float32[4]", "%conv1.bias: float64[4]"), ST_BAD, "net.txt: line 6|float64");
    refuse_text((ImportOptions){.arch = test_temp("absent.txt")}, ST_BAD, "absent.txt");
    refuse_text(with_text("graph \"x\" (%x: float32[N]) -> (%y) {\n  %y = Relu (%x)\n}\n"), ST_BAD,
                "net.txt: expected inputs that are called as tensors of the file ('conv1.weight')");
    refuse_text(with_text("graph \"x\" (%conv1.bias: float32[N]) -> (%y) {\n  %y = Relu (%conv1.bias)\n}\n"), ST_BAD,
                "net.txt: expected an input that is no tensor of the file");
}

TEST(text_network_types) {
    Made *made = small();
    TorchTensor *bias = made_find(made, "head.bias");
    CHECK_OK(tensor_make(&made->arena, DT_BF16, bias->tensor.shape, &bias->tensor));
    ImportOptions options = with_text(small_text);
    Network network;
    CHECK_OK(try_network(made, &options, &network));
    CHECK(network.graph->values[graph_find(network.graph, "head.bias")].constant->dtype == DT_F32);
    network_free(&network);
    CHECK_OK(tensor_make(&made->arena, DT_I32, bias->tensor.shape, &bias->tensor));
    check_refused(made, &options, ST_BAD, "net.txt: weight 'head.bias': expected float32, got int32 in the file");
    made_free(made);
}

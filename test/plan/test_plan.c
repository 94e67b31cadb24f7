// Small graphs on every instruction set, fused or not, against the reference.
#include "plan/planned.h"
#include "reference/reference.h"

TEST(two_convolutions_meet_in_one_sum) {
    // Each of them could take the sum in: only one may.
    CHECK_PLANNED(
        "graph (%x: float32[1x5x6x7]) -> (%y) {\n"
        " %w = const float32[8x5x3x3] random(seed=1, scale=0.2)\n"
        " %v = const float32[8x5x1x1] random(seed=2, scale=0.2)\n"
        " %a = Conv (%x, %w) {pads=[1, 1, 1, 1]}\n"
        " %b = Conv (%x, %v)\n"
        " %s = Add (%a, %b)\n"
        " %y = Relu (%s)\n"
        "}\n");
}
TEST(a_concatenated_input_is_used_before) {
    // The part of the concatenation that holds x is filled when the concatenation runs, not before.
    CHECK_PLANNED("graph (%x: float32[1x16x6x7]) -> (%y) {\n"
                  " %w = const float32[16x16x3x3] random(seed=1, scale=0.1)\n"
                  " %v = const float32[4x32x1x1] random(seed=2, scale=0.2)\n"
                  " %a = Conv (%x, %w) {pads=[1, 1, 1, 1]}\n"
                  " %c = Concat (%x, %a) {axis=1}\n"
                  " %y = Conv (%c, %v)\n"
                  "}\n");
}
TEST(the_same_value_with_another_rank) {
    CHECK_PLANNED(
        "graph (%x: float32[2x8x5], %z: float32[3x2x8x5]) -> (%y) {\n"
        " %w = const float32[8x8x1] random(seed=1, scale=0.3)\n"
        " %v = const float32[2x2x1x1] random(seed=1, scale=0.3)\n"
        " %a = Conv (%x, %w)\n"
        " %b = Conv (%z, %v)\n"
        " %s = Add (%a, %b)\n"
        " %y = Relu (%s)\n"
        "}\n");
}
TEST(a_constant_with_several_ranks) {
    CHECK_PLANNED("graph (%x: float32[2x8x3x5], %z: float32[1x3x8x2x4]) -> (%y, %u) {\n"
                  " %k = const float32[8x1x1] random(seed=1)\n"
                  " %w = const float32[8x8x1x1] random(seed=1, scale=0.3)\n"
                  " %v = const float32[3x3x1x1x1] random(seed=1, scale=0.3)\n"
                  " %a = Conv (%x, %w)\n"
                  " %b = Conv (%z, %v)\n"
                  " %y = Add (%a, %k)\n"
                  " %u = Mul (%b, %k)\n"
                  "}\n");
}
TEST(functions_of_padded_lanes_stay_finite) {
    // 1/0 and log 0 in the lanes beyond 5 channels must not reach the second convolution.
    static const char *const functions[] = {"Reciprocal", "Log", "Exp", "Sqrt", "Sigmoid", "Softplus"};
    for (size_t i = 0; i < COUNT_OF(functions); i++) {
        char text[1024];
        snprintf(text, sizeof text,
                 "graph (%%x: float32[1x5x9x7]) -> (%%y) {\n"
                 " %%w = const float32[5x5x3x3] random(seed=1, scale=0.02)\n"
                 " %%b = const float32[5] random(seed=3, scale=0.1, offset=2)\n"
                 " %%v = const float32[5x5x3x3] random(seed=2, scale=0.2)\n"
                 " %%d = const float32[5x1x3x3] random(seed=4, scale=0.02)\n"
                 " %%a = Conv (%%x, %%w, %%b) {pads=[1, 1, 1, 1]}\n"
                 " %%f = %s (%%a)\n"
                 " %%c = Conv (%%f, %%v) {pads=[1, 1, 1, 1]}\n"
                 " %%e = Conv (%%x, %%d, %%b) {pads=[1, 1, 1, 1], group=5}\n"
                 " %%g = %s (%%e)\n"
                 " %%s = Add (%%g, %%c)\n"
                 " %%y = Conv (%%s, %%v) {pads=[1, 1, 1, 1]}\n"
                 "}\n",
                 functions[i], functions[i]);
        CHECK_PLANNED(text);
    }
}
TEST(pads_that_add_and_cut) {
    CHECK_PLANNED(
        "graph (%x: float32[3x4x5]) -> (%a, %b, %c) {\n"
        " %p = const int64[6] {2, 0, -1, -2, 1, -3} %q = const int64[6] {-3, 1, 4, 4, -2, -2} %r = const int64[6] "
        "{0, 3, 0, -3, -4, 2}\n"
        " %v = const float32[] {7}\n"
        " %a = Pad (%x, %p, %v)\n"
        " %b = Pad (%x, %q, %v)\n"
        " %c = Pad (%x, %r, %v)\n"
        "}\n");
}
// Elements of the input: by copies, up to one repetition on each side; beyond, by the reference.
TEST(pads_that_repeat) {
    static const char text[] =
        "graph (%%x: float32[3x4x5], %%i: int64[4x1]) -> (%%a, %%b, %%c) {\n"
        " %%p = const int64[6] {2, 0, -1, 1, 1, 2} %%q = const int64[4] {0, -3, 2, 0}\n"
        " %%r = const int64[4] {2, 0, -1, 0} %%axes = const int64[2] {0, 2} %%v = const float32[] {7}\n"
        " %%a = Pad (%%x, %%p) {mode=\"%s\"}\n"
        " %%b = Pad (%%x, %%q, %%v, %%axes) {mode=\"%s\"}\n"
        " %%c = Pad (%%i, %%r) {mode=\"%s\"}\n"
        "}\n";
    static const char *const modes[] = {"edge", "reflect", "wrap"};
    for (size_t i = 0; i < COUNT_OF(modes); i++) {
        char filled[sizeof text + 64];
        snprintf(filled, sizeof filled, text, modes[i], modes[i], modes[i]);
        CHECK_PLANNED(filled);
    }
    Graph *graph = planned_graph("graph (%x: float32[3x4]) -> (%a, %b, %c) {\n"
                                 " %p = const int64[4] {2, 3, 2, 3} %q = const int64[4] {0, 5, 0, 0}\n"
                                 " %a = Pad (%x, %p) {mode=\"edge\"}\n"
                                 " %b = Pad (%x, %p) {mode=\"reflect\"}\n"
                                 " %c = Pad (%x, %q) {mode=\"wrap\"}\n"
                                 "}\n");
    char *plan = planned_text(graph, &(Setting){.isa = planned_best_isa(), .threads = 2, .fuse = true});
    const char *const first = strstr(plan, "reference");
    CHECK(first && !strstr(first + 1, "reference")); // the third only
    mem_free(plan);
    graph_free(graph);
}
// Compared as bits: a double, as which tolerances are taken, does not hold these numbers.
TEST(pads_keep_every_bit) {
    Graph *graph = planned_graph("graph (%x: int64[3], %u: uint64[3], %f: float64[3]) -> (%a, %b, %c, %d) {\n"
                                 " %p = const int64[2] {1, 2}\n"
                                 " %v = const int64[] {-9007199254740993} %w = const uint64[] {18446744073709551615}\n"
                                 " %z = const float64[] {-0.0}\n"
                                 " %a = Pad (%x, %p, %v)\n"
                                 " %b = Pad (%u, %p, %w)\n"
                                 " %c = Pad (%f, %p, %z)\n"
                                 " %d = Pad (%x, %p)\n"
                                 "}\n");
    Arena arena = {0};
    const Setting setting = {.isa = planned_best_isa(), .threads = 2, .fuse = true};
    const Tensor *inputs = planned_inputs(graph, 1, &arena);
    Tensor *outputs = planned_outputs(graph, &arena), expected[4];
    CHECK_OK(reference_run(graph, inputs, expected, &arena, NULL, NULL));
    if (planned_run("pads", graph, inputs, &setting, outputs)) planned_same_bits("pads", graph, outputs, expected);
    char *text = planned_text(graph, &setting);
    CHECK(!strstr(text, "reference")); // by copies
    mem_free(text);
    arena_free(&arena);
    graph_free(graph);
}
// Constants that are operands: in blocks (with a border of a consumer, and more dims than their own), plain, in both
// forms, as a residual, by way of a reshape, and empty. They are converted when a package is opened: no run does it.
static const char constant_operands[] =
    "graph (%x: float32[1x5x6x7], %z: float32[0]) -> (%y, %r, %e, %k) {\n"
    " %w = const float32[20x5x3x3] random(seed=1, scale=0.2)\n"
    " %v = const float32[20x20x3x3] random(seed=2, scale=0.1)\n"
    " %a = const float32[20x6x7] random(seed=3)\n"
    " %b = const float32[1x20x1x7] random(seed=4)\n"
    " %c = const float32[1x20x6x7] random(seed=5)\n"
    " %p = const float32[3x4x5] random(seed=6)\n"
    " %n = const float32[0] {}\n"
    " %1 = Conv (%x, %w) {pads=[1, 1, 1, 1]}\n"
    " %2 = Add (%1, %a)\n"
    " %3 = Mul (%2, %b)\n"
    " %4 = Conv (%c, %v) {pads=[1, 1, 1, 1]}\n"
    " %5 = Conv (%3, %v) {pads=[1, 1, 1, 1]}\n"
    " %6 = Add (%5, %c)\n"
    " %y = Sub (%6, %4)\n"
    " %s = const int64[2] {5, 12}\n"
    " %q = Reshape (%p, %s)\n"
    " %k = Transpose (%c) {perm=[3, 2, 1, 0]}\n"
    " %r = Relu (%q)\n"
    " %e = Add (%z, %n)\n"
    "}\n";
TEST(constants_are_converted_once) {
    CHECK_PLANNED(constant_operands);
    Graph *graph = planned_graph(constant_operands);
    char *text = planned_text(graph, &(Setting){.isa = planned_best_isa(), .threads = 2, .fuse = true});
    int converted = 0;
    for (const char *at = text; (at = strstr(at, "convert  ")); at++) converted++;
    CHECK_MSG(converted <= 2, "the input and the output alone:\n%s", text);
    for (const char *name = "abc"; *name; name++) {
        const char step[] = {'\n', *name, ' ', 0};
        CHECK_MSG(!strstr(text, step), "a step for the constant %c:\n%s", *name, text);
    }
    mem_free(text);
    graph_free(graph);
}
TEST(layer_norm_with_a_short_scale) {
    CHECK_PLANNED("graph (%x: float32[2x3x8x8]) -> (%a, %b, %c) {\n"
                  " %s = const float32[8] random(seed=1)\n"
                  " %t = const float32[1] random(seed=2)\n"
                  " %u = const float32[8x1] random(seed=3)\n"
                  " %v = const float32[8x8] random(seed=4)\n"
                  " %a = LayerNormalization (%x, %s, %t)\n"
                  " %b = LayerNormalization (%x, %u, %s) {axis=-1}\n"
                  " %c = LayerNormalization (%x, %v, %u) {axis=2}\n"
                  "}\n");
}
TEST(outputs_of_all_kinds) {
    // An input, a constant, one value twice, a value that others read, a reshaped one and what it was made from.
    CHECK_PLANNED("graph (%x: float32[1x3x5x6], %i: int64[3]) -> (%x, %i, %k, %a, %a, %b, %r, %s, %t, %u, %u) {\n"
                  " %k = const float32[2x3] random(seed=1)\n"
                  " %w = const float32[3x3x3x3] random(seed=2, scale=0.2)\n"
                  " %a = Conv (%x, %w) {pads=[1, 1, 1, 1]}\n"
                  " %b = Relu (%a)\n"
                  " %n = const int64[2] {1, -1}\n"
                  " %r = Reshape (%b, %n)\n"
                  " %s = Softmax (%r)\n"
                  " %t = Reshape (%s, %n)\n"
                  " %u = Identity (%x)\n"
                  "}\n");
}
TEST(concatenations_of_concatenations) {
    CHECK_PLANNED(
        "graph (%x: float32[2x16x5x6]) -> (%y, %d) {\n"
        " %w = const float32[16x16x3x3] random(seed=2, scale=0.1)\n"
        " %v = const float32[16x32x1x1] random(seed=3, scale=0.2)\n"
        " %u = const float32[5x112x3x3] random(seed=4, scale=0.05)\n"
        " %a = Conv (%x, %w) {pads=[1, 1, 1, 1]}\n"
        " %b = Concat (%x, %a) {axis=1}\n"
        " %c = Conv (%b, %v)\n"
        " %d = Concat (%b, %c, %b, %a, %x) {axis=1}\n"
        " %m = MaxPool (%d) {kernel_shape=[3, 3], pads=[1, 1, 1, 1]}\n"
        " %e = Conv (%m, %u) {pads=[1, 1, 1, 1]}\n"
        " %y = Concat (%e, %e) {axis=1}\n"
        "}\n");
}
TEST(a_concatenation_whose_parts_do_not_fit_blocks) {
    CHECK_PLANNED(
        "graph (%x: float32[1x5x6x7]) -> (%y, %z) {\n"
        " %w = const float32[7x5x3x3] random(seed=2, scale=0.2)\n"
        " %k = const float32[1x3x6x7] random(seed=3)\n"
        " %a = Conv (%x, %w) {pads=[1, 1, 1, 1]}\n"
        " %c = Concat (%a, %x, %k, %a) {axis=1}\n"
        " %v = const float32[3x22x3x3] random(seed=5, scale=0.1)\n"
        " %y = Conv (%c, %v) {pads=[1, 1, 1, 1]}\n"
        " %z = Concat (%x, %x) {axis=-1}\n"
        "}\n");
}
TEST(volumes_and_signals) {
    CHECK_PLANNED(
        "graph (%x: float32[1x2x5x6x4], %s: float32[2x3x31]) -> (%y, %u) {\n"
        " %w = const float32[16x2x3x3x3] random(seed=2, scale=0.2)\n"
        " %v = const float32[16x8x2x2x2] random(seed=3, scale=0.2)\n"
        " %a = Conv (%x, %w) {pads=[1, 1, 1, 1, 1, 1]}\n"
        " %b = Relu (%a)\n"
        " %p = MaxPool (%b) {kernel_shape=[2, 2, 2], strides=[2, 2, 2], ceil_mode=1}\n"
        " %c = ConvTranspose (%p, %v) {strides=[2, 2, 2], pads=[0, 0, 0, 1, 0, 0]}\n"
        " %d = Concat (%b, %c) {axis=1}\n"
        " %o = const float32[1x24x1x1x1] random(seed=4)\n"
        " %e = Conv (%d, %o)\n"
        " %y = Sigmoid (%e)\n"
        " %q = const float32[6x1x5] random(seed=6)\n"
        " %u = Conv (%s, %q) {group=3, strides=[2], dilations=[2], pads=[4, 3]}\n"
        "}\n");
}

// ---- what is fused ----

static const char unet[] =
    "graph (%x: float32[1x3x32x32]) -> (%y) {\n"
    " %w1 = const float32[16x3x3x3] random(seed=1, scale=0.2)\n"
    " %w2 = const float32[16x16x3x3] random(seed=2, scale=0.1)\n"
    " %w3 = const float32[16x16x2x2] random(seed=3, scale=0.2)\n"
    " %w4 = const float32[16x32x3x3] random(seed=4, scale=0.1)\n"
    " %w5 = const float32[1x16x1x1] random(seed=5, scale=0.2)\n"
    " %a = Conv (%x, %w1) {pads=[1, 1, 1, 1]}\n"
    " %skip = Relu (%a)\n"
    " %p = MaxPool (%skip) {kernel_shape=[2, 2], strides=[2, 2]}\n"
    " %b = Conv (%p, %w2) {pads=[1, 1, 1, 1]}\n"
    " %deep = Relu (%b)\n"
    " %up = ConvTranspose (%deep, %w3) {strides=[2, 2]}\n"
    " %c = Concat (%skip, %up) {axis=1}\n"
    " %d = Conv (%c, %w4) {pads=[1, 1, 1, 1]}\n"
    " %e = Relu (%d)\n"
    " %f = Conv (%e, %w5)\n"
    " %y = Sigmoid (%f)\n"
    "}\n";
static int count_words(const char *text, const char *word) {
    int count = 0;
    for (; (text = strstr(text, word)); text++) count++;
    return count;
}
TEST(a_unet_runs_without_copies) {
    Graph *graph = planned_graph(unet);
    char *fused = planned_text(graph, &(Setting){planned_best_isa(), 2, .fuse = true});
    CHECK_INT(count_words(fused, "Concat"), 0);
    CHECK_INT(count_words(fused, " + Relu"), 3);
    CHECK_INT(count_words(fused, "ConvTranspose"), 1);
    CHECK_INT(count_words(fused, "  convert  "), 1); // the picture in; the mask is made plain
    CHECK_MSG(strstr(fused, "y  Conv + Sigmoid  1x1x32x32") != NULL, "%s", fused);
    char *apart = planned_text(graph, &(Setting){planned_best_isa(), 2, .fuse = false});
    CHECK_INT(count_words(apart, " + "), 0);
    CHECK_INT(count_words(apart, "Relu"), 3);
    mem_free(fused);
    mem_free(apart);
    graph_free(graph);
    CHECK_PLANNED(unet);
}
// The skip is what a convolution gives before its normalisation; what goes down is normalised, cut off and pooled.
#define BESIDE_THE_SKIP(outputs, middle)                                                                               \
    "graph (%x: float32[1x32x36x38]) -> (" outputs ") {\n"                                                             \
    " %w1 = const float32[32x32x3x3] random(seed=1, scale=0.1)\n"                                                      \
    " %w2 = const float32[16x32x3x3] random(seed=2, scale=0.1)\n"                                                      \
    " %s = const float32[32] random(seed=3)\n"                                                                         \
    " %b = const float32[32] random(seed=4)\n"                                                                         \
    " %m = const float32[32] random(seed=5)\n"                                                                         \
    " %v = const float32[32] full(0.7)\n"                                                                              \
    " %skip = Conv (%x, %w1) {pads=[1, 1, 1, 1]}\n" middle                                                             \
    " %p = MaxPool (%r) {kernel_shape=[2, 2], strides=[2, 2]}\n"                                                       \
    " %d = Conv (%p, %w2) {pads=[1, 1, 1, 1]}\n"                                                                       \
    " %z = Neg (%skip)\n"                                                                                              \
    "}\n"
#define NORMALISED " %n = BatchNormalization (%skip, %s, %b, %m, %v)\n"
static void check_beside(const char *text, const char *step) {
    Graph *graph = planned_graph(text);
    char *plan = planned_text(graph, &(Setting){planned_best_isa(), 2, .fuse = true});
    CHECK_MSG((strstr(plan, step) != NULL) && strstr(plan, "MaxPool") == strstr(strstr(plan, step), "MaxPool"),
              "not '%s' in:\n%s", step, plan);
    mem_free(plan);
    graph_free(graph);
    CHECK_PLANNED(text);
}
TEST(a_skip_before_its_normalisation) {
    check_beside(BESIDE_THE_SKIP("%z, %d", NORMALISED " %r = Relu (%n)\n"),
                 "skip  Conv + BatchNormalization + Relu + MaxPool  ");
    check_beside(BESIDE_THE_SKIP("%z, %d", NORMALISED " %r = LeakyRelu (%n)\n"),
                 "skip  Conv + BatchNormalization + LeakyRelu + MaxPool  ");
    check_beside(BESIDE_THE_SKIP("%z, %d", " %r = BatchNormalization (%skip, %s, %b, %m, %v)\n"),
                 "skip  Conv + BatchNormalization + MaxPool  ");
    // Something else reads what is pooled; the function falls; it is not cheap.
    check_beside(BESIDE_THE_SKIP("%z, %d, %r", NORMALISED " %r = Relu (%n)\n"), "p  MaxPool  ");
    check_beside(BESIDE_THE_SKIP("%z, %d, %n", NORMALISED " %r = Relu (%n)\n"), "p  MaxPool  ");
    check_beside(BESIDE_THE_SKIP("%z, %d", NORMALISED " %r = LeakyRelu (%n) {alpha=-0.5}\n"), "p  MaxPool  ");
    check_beside(BESIDE_THE_SKIP("%z, %d", NORMALISED " %r = Tanh (%n)\n"), "p  MaxPool  ");
}
// nnU-Net's way: convolution, instance normalisation, LeakyRelu; the skip and its pooled copy in one visit.
#define NORMALISED_SKIP(image, weights, pads, window, norm)                                                            \
    "graph (%x: float32[" image "]) -> (%y, %d) {\n"                                                                   \
    " %w1 = const float32[20x3x" weights "] random(seed=1, scale=0.3)\n"                                               \
    " %w2 = const float32[8x20x" weights "] random(seed=2, scale=0.1)\n"                                               \
    " %s = const float32[20] random(seed=3)\n"                                                                         \
    " %b = const float32[20] random(seed=4)\n"                                                                         \
    " %a = Conv (%x, %w1) {pads=" pads "}\n"                                                                           \
    " %n = " norm "\n"                                                                                                 \
    " %r = LeakyRelu (%n) {alpha=0.1}\n"                                                                               \
    " %p = MaxPool (%r) {kernel_shape=" window ", strides=" window "}\n"                                               \
    " %d = Conv (%p, %w2) {pads=" pads "}\n"                                                                           \
    " %y = Conv (%r, %w2) {pads=" pads "}\n"                                                                           \
    "}\n"
TEST(an_instance_normalised_skip_is_pooled_at_once) {
    const char *instance =
        NORMALISED_SKIP("2x3x18x20", "3x3", "[1, 1, 1, 1]", "[2, 2]", "InstanceNormalization (%a, %s, %b)");
    check_beside(instance, "r  InstanceNormalization + LeakyRelu + MaxPool  ");
    check_beside(
        NORMALISED_SKIP("2x3x6x9x8", "3x3x3", "[1, 1, 1, 1, 1, 1]", "[2, 2, 2]", "InstanceNormalization (%a, %s, %b)"),
        "r  InstanceNormalization + LeakyRelu + MaxPool  ");
    check_beside(
        NORMALISED_SKIP("1x3x19x33", "3x3", "[1, 1, 1, 1]", "[2, 2]", "GroupNormalization (%a, %s, %b) {num_groups=5}"),
        "r  GroupNormalization + LeakyRelu + MaxPool  ");
    // Other windows are a pool's work.
    check_beside(
        NORMALISED_SKIP("1x3x6x9x8", "3x3x3", "[1, 1, 1, 1, 1, 1]", "[1, 2, 2]", "InstanceNormalization (%a, %s, %b)"),
        "p  MaxPool  ");
}
// A transformer's block: tokens become an image for a convolution and tokens again, each in one visit.
#define TOKENS(outputs, behind)                                                                                        \
    "graph (%x: float32[2x30x20]) -> (" outputs ") {\n"                                                                \
    " %w = const float32[20x1x3x3] random(seed=1, scale=0.3)\n"                                                        \
    " %v = const float32[20x20] random(seed=2, scale=0.2)\n"                                                           \
    " %hw = const int64[4] {2, 20, 5, 6}\n"                                                                            \
    " %n = const int64[3] {0, 0, -1}\n"                                                                                \
    " %t = Transpose (%x) {perm=[0, 2, 1]}\n"                                                                          \
    " %i = Reshape (%t, %hw)\n"                                                                                        \
    " %a = Conv (%i, %w) {group=20, pads=[1, 1, 1, 1]}\n"                                                              \
    " %g = Gelu (%a)\n"                                                                                                \
    " %r = Reshape (%g, %n)\n"                                                                                         \
    " %u = Transpose (%r) {perm=[0, 2, 1]}\n"                                                                          \
    " %y = MatMul (%u, %v)\n" behind "}\n"
TEST(tokens_become_an_image_and_tokens_again) {
    Graph *graph = planned_graph(TOKENS("%y", ""));
    char *plan = planned_text(graph, &(Setting){planned_best_isa(), 2, .fuse = true});
    CHECK_MSG(strstr(plan, "i  Transpose + Reshape  2x20x5x6  tokens"), "%s", plan);
    CHECK_MSG(strstr(plan, "u  Reshape + Transpose  2x30x20  tokens"), "%s", plan);
    CHECK_INT(count_words(plan, "convert") + count_words(plan, "copy"), 0);
    char *apart = planned_text(graph, &(Setting){planned_best_isa(), 2, .fuse = false});
    CHECK_INT(count_words(apart, " + "), 0);
    mem_free(plan), mem_free(apart), graph_free(graph);
    CHECK_PLANNED(TOKENS("%y", ""));
    // What lies between is read elsewhere; the image is an output too.
    CHECK_PLANNED(TOKENS("%y, %z", " %z = Neg (%t)\n"));
    CHECK_PLANNED(TOKENS("%y, %r", ""));
    CHECK_PLANNED(TOKENS("%y, %i, %g", ""));
    // As many elements, but other channels: rows are cut otherwise.
    CHECK_PLANNED("graph (%x: float32[1x16x24]) -> (%y, %z) {\n"
                  " %w = const float32[8x12x3x3] random(seed=1, scale=0.3)\n"
                  " %hw = const int64[4] {1, 12, 4, 8}\n"
                  " %n = const int64[3] {1, 4, -1}\n"
                  " %t = Transpose (%x) {perm=[0, 2, 1]}\n"
                  " %i = Reshape (%t, %hw)\n"
                  " %a = Conv (%i, %w) {pads=[1, 1, 1, 1]}\n"
                  " %r = Reshape (%a, %n)\n"
                  " %y = Transpose (%r) {perm=[0, 2, 1]}\n"
                  " %s = Transpose (%x) {perm=[1, 0, 2]}\n"
                  " %j = Reshape (%s, %hw)\n"
                  " %z = Conv (%j, %w) {pads=[1, 1, 1, 1]}\n"
                  "}\n");
}
// ---- in place ----

static size_t arena_of(const char *text) {
    Graph *graph = planned_graph(text);
    const Machine machine = planned_machine(planned_best_isa());
    Plan *plan = NULL;
    CHECK_OK(plan_create(graph, &machine, &(PlanOptions){.threads = 2, .fuse = true}, &plan));
    const size_t bytes = plan ? plan->arena_bytes : 0;
    plan_free(plan), graph_free(graph);
    return bytes;
}
#define ONE_AFTER_ANOTHER(outputs, steps)                                                                              \
    "graph (%x: float32[2x3x40x40]) -> (" outputs ") {\n"                                                              \
    " %w = const float32[48x3x3x3] random(seed=1, scale=0.3)\n"                                                        \
    " %u = const float32[1x48x1x1] random(seed=2, scale=0.1)\n"                                                        \
    " %v = const float32[48x1x3x3] random(seed=9, scale=0.3)\n"                                                        \
    " %s = const float32[48] random(seed=3)\n"                                                                         \
    " %k = const float32[1x48x1x1] random(seed=4)\n"                                                                   \
    " %a = Conv (%x, %w) {pads=[1, 1, 1, 1]}\n" steps " %y = Conv (%c, %u)\n"                                          \
    "}\n"
TEST(steps_work_in_place_where_nobody_reads_their_input_again) {
    const size_t one = (size_t)2 * 48 * 40 * 40 * 4;
    const char *chain = ONE_AFTER_ANOTHER("%y", " %n = InstanceNormalization (%a, %s, %s)\n"
                                                " %m = Mul (%n, %k)\n"
                                                " %c = Neg (%m)\n");
    CHECK_MSG(arena_of(chain) < one * 3 / 2, "%zu of %zu bytes", arena_of(chain), one);
    CHECK_PLANNED(chain);
    // A border that a reader behind asks for is there from the beginning.
    CHECK_PLANNED(ONE_AFTER_ANOTHER("%y", " %n = InstanceNormalization (%a, %s, %s)\n"
                                          " %c = Conv (%n, %v) {group=48, pads=[1, 1, 1, 1]}\n"));
    // Part of a concatenation.
    CHECK_PLANNED("graph (%x: float32[2x3x20x20]) -> (%y) {\n"
                  " %w = const float32[32x3x3x3] random(seed=1, scale=0.3)\n"
                  " %u = const float32[4x64x3x3] random(seed=2, scale=0.1)\n"
                  " %s = const float32[32] random(seed=3)\n"
                  " %a = Conv (%x, %w) {pads=[1, 1, 1, 1]}\n"
                  " %b = Conv (%x, %w) {pads=[1, 1, 1, 1]}\n"
                  " %n = InstanceNormalization (%a, %s, %s)\n"
                  " %m = Tanh (%n)\n"
                  " %o = InstanceNormalization (%b, %s, %s)\n"
                  " %c = Concat (%o, %m) {axis=1}\n"
                  " %y = Conv (%c, %u) {pads=[1, 1, 1, 1]}\n"
                  "}\n");
}
TEST(an_input_that_is_read_again_is_not_overwritten) {
    CHECK_PLANNED(ONE_AFTER_ANOTHER("%y", " %n = InstanceNormalization (%a, %s, %s)\n"
                                          " %m = Sqrt (%a)\n"
                                          " %c = Add (%n, %a)\n"
                                          " %z = Neg (%m)\n"));
    CHECK_PLANNED(ONE_AFTER_ANOTHER("%y, %a", " %c = InstanceNormalization (%a, %s, %s)\n"));
    CHECK_PLANNED(ONE_AFTER_ANOTHER("%y", " %c = Mul (%a, %a)\n"));
    // The caller's input; one that is an output as well.
    CHECK_PLANNED("graph (%x: float32[2x40]) -> (%a, %b, %c) {\n"
                  " %a = Neg (%x)\n %b = Exp (%x)\n %c = Tanh (%a)\n}\n");
    // The other operand is a part of what is overwritten: channel 0 of 33 is read for all of them.
    CHECK_PLANNED("graph (%x: float32[1x3x20x20]) -> (%y) {\n"
                  " %w = const float32[32x3x3x3] random(seed=1, scale=0.3)\n"
                  " %u = const float32[1x3x3x3] random(seed=2, scale=0.3)\n"
                  " %a = Conv (%x, %w) {pads=[1, 1, 1, 1]}\n"
                  " %b = Conv (%x, %u) {pads=[1, 1, 1, 1]}\n"
                  " %c = Concat (%a, %b) {axis=1}\n"
                  " %d = Mul (%c, %b)\n"
                  " %y = Softmax (%d) {axis=1}\n"
                  "}\n");
}
// Steps of the network's plan that run on the reference path.
static int steps_on_the_reference_path(const char *text) {
    Graph *graph = planned_graph(text);
    char *plan = planned_text(graph, &(Setting){planned_best_isa(), 1, .fuse = true});
    const int count = count_words(plan, "reference ");
    mem_free(plan);
    graph_free(graph);
    return count;
}
TEST(conditions_and_choices) {
    // Each comparison, each of the truth values' operators, choices; rows longer than a vector, with a rest; values
    // that are equal; each side broadcast, along the last dim too.
    static const char text[] =
        "graph (%x: float32[2x3x70], %z: float32[3x1], %s: float32[2x1x70]) -> (%y, %u, %v, %t) {\n"
        " %zero = const float32[] {0}\n"
        " %low = const float32[1] {-100}\n"
        " %r = Round (%x)\n"
        " %q = Round (%s)\n"
        " %eq = Equal (%r, %q)\n"
        " %le = LessOrEqual (%r, %zero)\n"
        " %lt = Less (%zero, %r)\n"
        " %gt = Greater (%x, %z)\n"
        " %ge = GreaterOrEqual (%z, %z)\n"
        " %no = Not (%eq)\n"
        " %and = And (%le, %no)\n"
        " %or = Or (%and, %gt)\n"
        " %xor = Xor (%or, %ge)\n"
        " %y = Where (%xor, %x, %low)\n"
        " %u = Where (%gt, %zero, %z)\n"
        " %row = Less (%z, %zero)\n"
        " %v = Where (%row, %s, %x)\n"
        " %c = Cast (%lt) {to=\"float32\"}\n"
        " %t = Mul (%c, %x)\n"
        "}\n";
    CHECK_PLANNED(text);
    CHECK_INT(steps_on_the_reference_path(text), 0);
}
TEST(a_single_condition_and_none_at_all) {
    CHECK_PLANNED("graph (%x: float32[1], %z: float32[0x5]) -> (%y, %u) {\n"
                  " %c = Less (%x, %x)\n"
                  " %y = Where (%c, %x, %x)\n"
                  " %d = Equal (%z, %z)\n"
                  " %u = Where (%d, %z, %z)\n"
                  "}\n");
}
TEST(not_a_number_is_in_no_order) {
    // 0/0 compares as false with everything, itself included.
    CHECK_PLANNED("graph (%x: float32[1x40]) -> (%y) {\n"
                  " %zero = const float32[] {0}\n"
                  " %a = Relu (%x)\n"
                  " %nan = Div (%a, %a)\n"
                  " %e = Equal (%nan, %nan)\n"
                  " %l = LessOrEqual (%nan, %x)\n"
                  " %n = Not (%l)\n"
                  " %o = Or (%e, %n)\n"
                  " %y = Where (%o, %x, %zero)\n"
                  "}\n");
}
TEST(values_at_the_places_of_a_grid) {
    // Places far outside too; channels that fill a vector and not; more places than a unit has.
    static const char *const shapes[] = {"2x3x70], %g: float32[2x90x1", "1x17x9x11], %g: float32[1x13x8x2",
                                         "2x2x5x4x6], %g: float32[2x7x3x5x3", "1x3x1x8], %g: float32[1x6x6x2"};
    static const char *const modes[] = {"nearest", "linear", "cubic"}, *const outside[] = {"zeros", "border",
                                                                                           "reflection"};
    for (size_t i = 0; i < COUNT_OF(shapes) * COUNT_OF(modes) * COUNT_OF(outside) * 2; i++) {
        const size_t shape = i / 2 / COUNT_OF(outside) / COUNT_OF(modes);
        const char *mode = modes[i / 2 / COUNT_OF(outside) % COUNT_OF(modes)];
        if (*mode == 'c' && shape % 2 == 0) continue; // two spatial dims
        char text[512];
        snprintf(text, sizeof text,
                 "graph (%%x: float32[%s]) -> (%%y) {\n"
                 " %%two = const float32[] {2}\n"
                 " %%far = Mul (%%g, %%two)\n"
                 " %%y = GridSample (%%x, %%far) {mode=\"%s\", padding_mode=\"%s\", align_corners=%d}\n"
                 "}\n",
                 shapes[shape], mode, outside[i / 2 % COUNT_OF(outside)], (int)(i % 2));
        CHECK_PLANNED(text);
        CHECK_INT(steps_on_the_reference_path(text), 0);
    }
}
TEST(what_has_no_fast_solver_is_named_with_the_reason) {
    Graph *graph = planned_graph(
        "graph (%x: float32[1x3x8x8]) -> (%y) {\n %k = const float32[] {2}\n %p = Pow (%x, %k)\n %y = Relu (%p)\n}\n");
    char *text = planned_text(graph, &(Setting){planned_best_isa(), 1, .fuse = true});
    CHECK_MSG(strstr(text, "reference  (no solver for this op)") != NULL, "%s", text);
    CHECK_INT(count_words(text, "("), 1);
    mem_free(text);
    graph_free(graph);
}

// ---- bits do not depend on threads ----

// The arithmetic of each step.
static char *arithmetic(const char *text, int threads, Isa isa) {
    Graph *graph = planned_graph(text);
    Machine machine;
    Plan *plan;
    Text out = {0};
    CHECK_OK(machine_detect(&machine));
    machine.isa = isa;
    CHECK_OK(plan_create(graph, &machine, &(PlanOptions){.threads = threads, .fuse = true}, &plan));
    for (int i = 0; i < plan->n_steps; i++) {
        text_add(&out, "%s %s %s", plan->steps[i].name, plan->steps[i].op, plan->steps[i].solver->name);
        for (int k = 0; k < CONFIGURATION_NUMBERS; k++)
            text_add(&out, " %d", (int)plan->steps[i].configuration.arithmetic[k]);
        text_add(&out, "\n");
    }
    plan_free(plan);
    graph_free(graph);
    return out.data;
}
TEST(more_outputs_than_the_first) {
    // A fused pool has no indices, a normalisation's kernel keeps no statistics.
    CHECK_PLANNED("graph (%x: float32[1x5x8x6]) -> (%p, %i, %a) {\n"
                  " %w = const float32[8x5x3x3] random(seed=1, scale=0.2)\n"
                  " %a = Conv (%x, %w) {pads=[1, 1, 1, 1]}\n"
                  " %p, %i = MaxPool (%a) {kernel_shape=[2, 2], strides=[2, 2]}\n"
                  "}\n");
    CHECK_PLANNED("graph (%x: float32[3x5x8]) -> (%y, %m, %d) {\n"
                  " %s = const float32[8] random(seed=1)\n"
                  " %y, %m, %d = LayerNormalization (%x, %s)\n"
                  "}\n");
    CHECK_PLANNED("graph (%x: float32[3x5x8]) -> (%y) {\n"
                  " %s = const float32[8] random(seed=1)\n"
                  " _, %y = LayerNormalization (%x, %s) {axis=1}\n"
                  "}\n");
}
TEST(corners_of_a_size_that_is_not_whole) {
    CHECK_PLANNED("graph (%x: float32[1x3x5x7]) -> (%y, %z) {\n"
                  " %s = const float32[4] {1, 1, 1.5, 0.6}\n"
                  " %y = Resize (%x, _, %s) {mode=\"linear\", coordinate_transformation_mode=\"align_corners\"}\n"
                  " %z = Resize (%x, _, %s) {coordinate_transformation_mode=\"align_corners\"}\n"
                  "}\n");
}
TEST(arithmetic_is_chosen_without_looking_at_threads) {
    // Sizes about which algorithm and pool may go either way.
    static const int channels[] = {3, 8, 32, 64, 256}, sizes[] = {2, 4, 6, 8, 16, 32, 64};
    static const int threads[] = {2, 64};
    for (int isa = 0; isa <= (int)planned_best_isa(); isa++)
        for (size_t c = 0; c < COUNT_OF(channels); c++)
            for (size_t s = 0; s < COUNT_OF(sizes); s++) {
                char text[512];
                snprintf(text, sizeof text,
                         "graph (%%x: float32[1x%dx%dx%d]) -> (%%p, %%r) {\n"
                         " %%w = const float32[%dx%dx3x3] full(1)\n"
                         " %%a = Conv (%%x, %%w) {pads=[1, 1, 1, 1]}\n"
                         " %%r = Relu (%%a)\n"
                         " %%p = MaxPool (%%r) {kernel_shape=[2, 2], strides=[2, 2]}\n"
                         "}\n",
                         channels[c], sizes[s], sizes[s], MIN(2 * channels[c], 512), channels[c]);
                char *one = arithmetic(text, 1, (Isa)isa);
                for (size_t t = 0; t < COUNT_OF(threads); t++) {
                    char *many = arithmetic(text, threads[t], (Isa)isa);
                    CHECK_TEXT(many, one);
                    mem_free(many);
                }
                mem_free(one);
            }
}

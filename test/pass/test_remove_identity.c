#include "pass/pass_test.h"

#define IN "graph (%x: float32[1x4x6x6]) -> (%y) {\n"

TEST(what_hands_its_input_on_is_removed) {
    static const char *const nodes[] = {
        "%a = Identity (%r)",
        "%a = Dropout (%r)",
        "%a, %mask = Dropout (%r)",
        "%a = Cast (%r) {to=\"float32\"}",
        "%a = Transpose (%r) {perm=[0, 1, 2, 3]}",
        "%s = const int64[4] {0, 4, -1, 6}\n %a = Reshape (%r, %s)",
        "%s = const int64[2] {1, 1}\n %a = Expand (%r, %s)",
        "%s = const int64[8] {0, 0, 0, 0, 0, 0, 0, 0}\n %a = Pad (%r, %s)",
        "%s = const int64[4] {1, 1, 1, 1}\n %a = Tile (%r, %s)",
        "%a = Concat (%r) {axis=1}",
        "%a = Max (%r)",
        "%a = Split (%r) {axis=1, num_outputs=1}",
        ("%s = const int64[1] {0}\n %e = const int64[1] {9223372036854775807}\n %i = const int64[1] {2}\n"
         "%a = Slice (%r, %s, %e, %i)"),
        "%s = const int64[4] {1, 4, 6, 6}\n %a = Resize (%r, _, _, %s) {mode=\"linear\"}",
        "%s = const float32[4] {1, 1, 1, 1}\n %a = Resize (%r, _, %s) {mode=\"cubic\"}",
        "%a = MaxPool (%r) {kernel_shape=[1, 1], strides=[1, 1]}",
        "%a = AveragePool (%r) {kernel_shape=[1, 1], auto_pad=\"SAME_UPPER\"}",
        "%s = const float32[] {1}\n %a = Mul (%r, %s)",
        "%s = const float32[4x1x1] {1, 1, 1, 1}\n %a = Mul (%s, %r)",
        "%s = const float32[1x1x1x1] {0}\n %a = Add (%s, %r)",
        "%s = const float32[] {0}\n %a = Sub (%r, %s)",
        "%s = const float32[] {1}\n %a = Div (%r, %s)",
        "%s = const float32[] {1}\n %a = Pow (%r, %s)",
    };
    for (size_t i = 0; i < COUNT_OF(nodes); i++) {
        char text[512];
        snprintf(text, sizeof text, "%s %s\n %s\n %s\n}", IN, "%r = Relu (%x)", nodes[i], "%y = Exp (%a)");
        CHECK_REWRITE("remove_identity", text, IN " %r = Relu (%x)\n %y = Exp (%r)\n}");
    }
}

TEST(what_changes_something_is_kept) {
    static const char *const nodes[] = {
        "%a, %m = Dropout (%x)\n %c = Cast (%m) {to=\"float32\"}\n %a.1 = Add (%a, %c)\n %b = Relu (%a.1)",
        "%h = Cast (%x) {to=\"float16\"}\n %b = Cast (%h) {to=\"float32\"}",
        "%b = Transpose (%x) {perm=[0, 1, 3, 2]}",
        "%b = Transpose (%x)",
        "%s = const int64[4] {4, 1, 6, 6}\n %b = Reshape (%x, %s)",
        "%s = const int64[5] {2, 1, 1, 1, 1}\n %b = Expand (%x, %s)",
        "%s = const int64[8] {0, 0, 0, 0, 0, 0, 0, 1}\n %b = Pad (%x, %s)",
        "%s = const int64[1] {0}\n %e = const int64[1] {5}\n %i = const int64[1] {2}\n %b = Slice (%x, %s, %e, %i)",
        ("%s = const int64[1] {-1}\n %e = const int64[1] {-9223372036854775807}\n %i = const int64[1] {2}\n"
         "%p = const int64[1] {-1}\n %b = Slice (%x, %s, %e, %i, %p)"),
        "%s = const float32[4] {1, 1, 1.1, 1.1}\n %b = Resize (%x, _, %s) {mode=\"linear\"}", // 6 again, but moved
        "%b = MaxPool (%x) {kernel_shape=[1, 1], strides=[2, 2]}",
        "%b = MaxPool (%x) {kernel_shape=[2, 2], pads=[1, 1, 0, 0]}",
        "%a, %i = MaxPool (%x) {kernel_shape=[1, 1]}\n %b = Cast (%i) {to=\"float32\"}",
        "%s = const float32[] {2}\n %b = Mul (%x, %s)",
        "%s = const float32[1x1x1x1x1] {1}\n %b = Mul (%x, %s)", // another rank
        "%s = const float32[3x1x1x1] {1, 1, 1}\n %b = Mul (%x, %s)",
        "%s = const float32[] {0}\n %b = Sub (%s, %x)",
        "%s = const float32[] {1}\n %b = Div (%s, %x)",
        "%s = const float32[] {1}\n %b = Pow (%s, %x)",
    };
    for (size_t i = 0; i < COUNT_OF(nodes); i++) {
        char text[512];
        snprintf(text, sizeof text, "%s %s\n %s\n}", IN, nodes[i], "%y = Exp (%b)");
        CHECK_KEPT("remove_identity", text);
    }
}

TEST(outputs_keep_their_names) {
    CHECK_REWRITE("remove_identity", IN " %r = Relu (%x)\n %y = Identity (%r)\n}", IN " %y = Relu (%x)\n}");
    CHECK_KEPT("remove_identity", IN " %y = Identity (%x)\n}");
    CHECK_KEPT("remove_identity", IN " %c = const float32[1] {1}\n %y = Identity (%c)\n}");
    CHECK_KEPT("remove_identity", "graph (%x: float32[2]) -> (%a, %b) {\n %a = Relu (%x)\n %b = Identity (%a)\n}");
}

TEST(free_dims) {
    CHECK_REWRITE("remove_identity",
                  "graph (%x: float32[Nx3xH]) -> (%y) {\n %s = const int64[3] {0, 3, 0}\n %r = Reshape (%x, %s)\n"
                  " %y = Relu (%r)\n}",
                  "graph (%x: float32[Nx3xH]) -> (%y) {\n %y = Relu (%x)\n}");
    CHECK_KEPT("remove_identity",
               "graph (%x: float32[Nx3xH]) -> (%y) {\n %s = const int64[1] {0}\n %e = const int64[1] {64}\n"
               " %i = const int64[1] {2}\n %r = Slice (%x, %s, %e, %i)\n %y = Relu (%r)\n}");
}

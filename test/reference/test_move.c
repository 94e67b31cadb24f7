// Ops that move or describe data.
#include "gives.h"

#define X23 "%x = const float32[2x3] {1, 2, 3, 4, 5, 6} "

TEST(concat_and_split) {
    GIVES(X23 "%z = const float32[2x1] {7, 8} %y = Concat (%x, %z, %x) {axis=-1}",
          "float32[2x7] {1, 2, 3, 7, 1, 2, 3, 4, 5, 6, 8, 4, 5, 6}");
    GIVES(X23 "%z = const float32[1x3] {7, 8, 9} %y = Concat (%z, %x) {axis=0}",
          "float32[3x3] {7, 8, 9, 1, 2, 3, 4, 5, 6}");
    const char *const split = X23 "%n = const int64[2] {1, 2} %a, %y = Split (%x, %n) {axis=1}";
    GIVES(split, "float32[2x2] {2, 3, 5, 6}");
    GIVES_VALUE(split, "a", "float32[2x1] {1, 4}");
    GIVES("%x = const int64[5] {1, 2, 3, 4, 5} %a, %y = Split (%x) {num_outputs=2}", "int64[2] {4, 5}");
}

TEST(slice) {
    const char *const x = "%x = const int32[2x4] {1, 2, 3, 4, 5, 6, 7, 8} ";
    static const struct {
        const char *node, *expected;
    } cases[] = {
        {"%s = const int64[2] {1, 0} %e = const int64[2] {2, 3} %a = const int64[2] {0, 1} "
         "%t = const int64[2] {1, 2} %y = Slice (%x, %s, %e, %a, %t)",
         "int32[1x2] {5, 7}"},
        {"%s = const int64[2] {0, 1} %e = const int64[2] {-1, 1000} %y = Slice (%x, %s, %e)", "int32[1x3] {2, 3, 4}"},
        {"%s = const int64[1] {-1} %e = const int64[1] {-9223372036854775807} %a = const int64[1] {-1} "
         "%t = const int64[1] {-1} %y = Slice (%x, %s, %e, %a, %t)",
         "int32[2x4] {4, 3, 2, 1, 8, 7, 6, 5}"},
        {"%s = const int64[1] {20} %e = const int64[1] {0} %a = const int64[1] {1} %t = const int64[1] {-2} "
         "%y = Slice (%x, %s, %e, %a, %t)",
         "int32[2x2] {4, 2, 8, 6}"},
        {"%s = const int64[1] {1} %e = const int64[1] {9223372036854775807} %a = const int64[1] {1} "
         "%t = const int64[1] {9223372036854775807} %y = Slice (%x, %s, %e, %a, %t)",
         "int32[2x1] {2, 6}"},
        {"%s = const int64[1] {3} %e = const int64[1] {1} %a = const int64[1] {1} %y = Slice (%x, %s, %e, %a)",
         "int32[2x0] {}"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) GIVES_AFTER(x, cases[i].node, cases[i].expected);
}

TEST(pad_modes) {
    const char *const x = "%x = const float32[1x3] {1, 2, 3} %p = const int64[4] {0, 2, 1, 1} ";
    static const struct {
        const char *node, *expected;
    } cases[] = {
        {"%y = Pad (%x, %p)", "float32[2x6] {0, 0, 1, 2, 3, 0, 0, 0, 0, 0, 0, 0}"},
        {"%v = const float32[] {9} %y = Pad (%x, %p, %v)", "float32[2x6] {9, 9, 1, 2, 3, 9, 9, 9, 9, 9, 9, 9}"},
        {"%y = Pad (%x, %p) {mode=\"edge\"}", "float32[2x6] {1, 1, 1, 2, 3, 3, 1, 1, 1, 2, 3, 3}"},
        {"%q = const int64[4] {0, 2, 0, 1} %y = Pad (%x, %q) {mode=\"reflect\"}", "float32[1x6] {3, 2, 1, 2, 3, 2}"},
        {"%y = Pad (%x, %p) {mode=\"wrap\"}", "float32[2x6] {2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3, 1}"},
        {"%q = const int64[2] {1, 0} %a = const int64[1] {-1} %v = const float32[] {9} %y = Pad (%x, %q, %v, %a)",
         "float32[1x4] {9, 1, 2, 3}"},
        {"%q = const int64[2] {-1, 2} %a = const int64[1] {1} %y = Pad (%x, %q, _, %a)", "float32[1x4] {2, 3, 0, 0}"},
        {"%q = const int64[2] {-1, 1} %a = const int64[1] {1} %y = Pad (%x, %q, _, %a) {mode=\"reflect\"}",
         "float32[1x3] {2, 3, 2}"},
        {"%q = const int64[2] {2, -1} %a = const int64[1] {1} %y = Pad (%x, %q, _, %a) {mode=\"wrap\"}",
         "float32[1x4] {1, 2, 1, 2}"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) GIVES_AFTER(x, cases[i].node, cases[i].expected);
    GIVES("%x = const bool[2] {1, 0} %p = const int64[2] {1, 1} %v = const bool[] {1} %y = Pad (%x, %p, %v)",
          "bool[4] {1, 1, 0, 1}");
}

TEST(shapes) {
    GIVES(X23 "%s = const int64[2] {-1, 2} %y = Reshape (%x, %s)", "float32[3x2] {1, 2, 3, 4, 5, 6}");
    GIVES(X23 "%s = const int64[3] {0, 1, -1} %y = Reshape (%x, %s)", "float32[2x1x3] {1, 2, 3, 4, 5, 6}");
    GIVES(X23 "%y = Flatten (%x) {axis=0}", "float32[1x6] {1, 2, 3, 4, 5, 6}");
    GIVES(X23 "%a = const int64[2] {0, -1} %y = Unsqueeze (%x, %a)", "float32[1x2x3x1] {1, 2, 3, 4, 5, 6}");
    GIVES("%x = const int64[1x2x1] {1, 2} %a = const int64[1] {-1} %y = Squeeze (%x, %a)", "int64[1x2] {1, 2}");
    GIVES("%x = const int64[1x2x1] {1, 2} %y = Squeeze (%x)", "int64[2] {1, 2}");
    GIVES(X23 "%y = Shape (%x)", "int64[2] {2, 3}");
    GIVES("%x = const bool[1x2x0x4] {} %y = Shape (%x) {start=1, end=-1}", "int64[2] {2, 0}");
    GIVES("%x = const bool[1x2x0x4] {} %y = Shape (%x) {start=-3}", "int64[3] {2, 0, 4}");
}

TEST(transpose) {
    GIVES(X23 "%y = Transpose (%x)", "float32[3x2] {1, 4, 2, 5, 3, 6}");
    GIVES("%x = const int16[2x1x2x2] {1, 2, 3, 4, 5, 6, 7, 8} %y = Transpose (%x) {perm=[1, 3, 0, 2]}",
          "int16[1x2x2x2] {1, 3, 5, 7, 2, 4, 6, 8}");
}

TEST(repeats) {
    GIVES("%x = const float32[2x1] {1, 2} %s = const int64[3] {2, 1, 2} %y = Expand (%x, %s)",
          "float32[2x2x2] {1, 1, 2, 2, 1, 1, 2, 2}");
    GIVES(X23 "%s = const int64[1] {1} %y = Expand (%x, %s)", "float32[2x3] {1, 2, 3, 4, 5, 6}");
    GIVES("%x = const uint8[2x2] {1, 2, 3, 4} %r = const int64[2] {1, 2} %y = Tile (%x, %r)",
          "uint8[2x4] {1, 2, 1, 2, 3, 4, 3, 4}");
    GIVES("%x = const uint8[2] {1, 2} %r = const int64[1] {3} %y = Tile (%x, %r)", "uint8[6] {1, 2, 1, 2, 1, 2}");
}

// Dims beside a 0 can be claimed for nothing: no memory is taken for them.
TEST(nothing_is_repeated_often) {
    GIVES("%x = const float32[1x0] zeros %r = const int64[2] {400000000000, 1} %y = Tile (%x, %r)",
          "float32[400000000000x0] zeros");
}

TEST(gather) {
    GIVES(X23 "%i = const int64[2] {2, -3} %y = Gather (%x, %i) {axis=1}", "float32[2x2] {3, 1, 6, 4}");
    GIVES(X23 "%i = const int32[1x2] {1, 0} %y = Gather (%x, %i)", "float32[1x2x3] {4, 5, 6, 1, 2, 3}");
    GIVES(X23 "%i = const int64[] {-1} %y = Gather (%x, %i)", "float32[3] {4, 5, 6}");
    REFUSES(X23 "%o = const int64[2] {0, 1} %i = Add (%o, %o) %y = Gather (%x, %i)", ST_BAD, "expected -2 to 1, got 2");
}

TEST(gather_elements) {
    const char *const x = "%x = const float32[2x3] {1, 2, 3, 4, 5, 6} %i = const int64[1x3] {1, 0, -1} ";
    GIVES_AFTER(x, "%y = GatherElements (%x, %i)", "float32[1x3] {4, 2, 6}");
    GIVES_AFTER(x, "%y = GatherElements (%x, %i) {axis=1}", "float32[1x3] {2, 1, 3}");
    REFUSES("%x = const int64[2] {1, 2} %i0 = const int64[1] {-3} %z = const int64[1] {0} %i = Add (%i0, %z) "
            "%y = GatherElements (%x, %i)",
            ST_BAD, "expected -2 to 1, got -3");
}

TEST(gather_nd) {
    const char *const x = "%x = const int32[2x2x2] {0, 1, 2, 3, 4, 5, 6, 7} ";
    GIVES_AFTER(x, "%i = const int64[2x3] {0, 0, 1, -1, -1, 0} %y = GatherND (%x, %i)", "int32[2] {1, 6}");
    GIVES_AFTER(x, "%i = const int64[2x1x2] {0, 1, 1, 0} %y = GatherND (%x, %i)", "int32[2x1x2] {2, 3, 4, 5}");
    GIVES_AFTER(x, "%i = const int64[2x1] {1, 0} %y = GatherND (%x, %i) {batch_dims=1}", "int32[2x2] {2, 3, 4, 5}");
}

TEST(scatter_elements) {
    const char *const x = "%x = const float32[2x3] {1, 2, 3, 4, 5, 6} %i = const int64[1x3] {1, 0, -1} "
                          "%u = const float32[1x3] {10, 20, 30} ";
    GIVES_AFTER(x, "%y = ScatterElements (%x, %i, %u)", "float32[2x3] {1, 20, 3, 10, 5, 30}");
    GIVES_AFTER(x, "%y = ScatterElements (%x, %i, %u) {axis=1, reduction=\"add\"}",
                "float32[2x3] {21, 12, 33, 4, 5, 6}");
}

TEST(scatter_nd) {
    const char *const x = "%x = const float32[4] {1, 2, 3, 4} %i = const int64[2x1] {3, 1} "
                          "%u = const float32[2] {10, -20} ";
    GIVES_AFTER(x, "%y = ScatterND (%x, %i, %u)", "float32[4] {1, -20, 3, 10}");
    GIVES_AFTER(x, "%y = ScatterND (%x, %i, %u) {reduction=\"add\"}", "float32[4] {1, -18, 3, 14}");
    GIVES_AFTER(x, "%y = ScatterND (%x, %i, %u) {reduction=\"mul\"}", "float32[4] {1, -40, 3, 40}");
    GIVES_AFTER(x, "%y = ScatterND (%x, %i, %u) {reduction=\"min\"}", "float32[4] {1, -20, 3, 4}");
    GIVES_AFTER(x, "%y = ScatterND (%x, %i, %u) {reduction=\"max\"}", "float32[4] {1, 2, 3, 10}");
    GIVES("%x = const int64[2x2] {1, 2, 3, 4} %i = const int64[2x1] {-1, -1} %u = const int64[2x2] {5, 6, 7, 8} "
          "%y = ScatterND (%x, %i, %u) {reduction=\"add\"}",
          "int64[2x2] {1, 2, 15, 18}");
    GIVES("%x = const int64[2x2] {1, 2, 3, 4} %i = const int64[1x2] {0, 1} %u = const int64[1] {9} "
          "%y = ScatterND (%x, %i, %u)",
          "int64[2x2] {1, 9, 3, 4}");
    REFUSES("%x = const int64[2] {1, 2} %i = const int64[1x1] {-3} %u = const int64[1] {9} "
            "%y = ScatterND (%x, %i, %u)",
            ST_BAD, "expected -2 to 1, got -3");
}

TEST(blocks) {
    const char *const x = "%x = const int32[1x8x1x2] {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15} ";
    GIVES_AFTER(x, "%y = DepthToSpace (%x) {blocksize=2}",
                "int32[1x2x2x4] {0, 4, 1, 5, 8, 12, 9, 13, 2, 6, 3, 7, 10, 14, 11, 15}");
    GIVES_AFTER(x, "%y = DepthToSpace (%x) {blocksize=2, mode=\"CRD\"}",
                "int32[1x2x2x4] {0, 2, 1, 3, 4, 6, 5, 7, 8, 10, 9, 11, 12, 14, 13, 15}");
    GIVES_AFTER(x, "%d = DepthToSpace (%x) {blocksize=2} %y = SpaceToDepth (%d) {blocksize=2}",
                "int32[1x8x1x2] {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}");
}

// Two images of two channels.
TEST(blocks_of_batches) {
    GIVES("%x = const int32[2x4x1x1] {1, 2, 3, 4, 5, 6, 7, 8} %y = DepthToSpace (%x) {blocksize=2}",
          "int32[2x1x2x2] {1, 2, 3, 4, 5, 6, 7, 8}");
    GIVES("%x = const int32[1x18x1x1] {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17} "
          "%y = DepthToSpace (%x) {blocksize=3}",
          "int32[1x2x3x3] {0, 2, 4, 6, 8, 10, 12, 14, 16, 1, 3, 5, 7, 9, 11, 13, 15, 17}");
    GIVES("%x = const int32[2x3x1x2] {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12} %y = SpaceToDepth (%x) {blocksize=1}",
          "int32[2x3x1x2] {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}");
    GIVES("%x = const int32[2x1x2x2] {1, 2, 3, 4, 5, 6, 7, 8} %y = SpaceToDepth (%x) {blocksize=2}",
          "int32[2x4x1x1] {1, 2, 3, 4, 5, 6, 7, 8}");
    GIVES("%x = const int32[1x2x2x4] {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16} "
          "%y = SpaceToDepth (%x) {blocksize=2}",
          "int32[1x8x1x2] {1, 3, 9, 11, 2, 4, 10, 12, 5, 7, 13, 15, 6, 8, 14, 16}");
}

TEST(made_from_nothing) {
    GIVES("%a = const int64[] {10} %b = const int64[] {4} %c = const int64[] {-3} %y = Range (%a, %b, %c)",
          "int64[2] {10, 7}");
    GIVES("%a = const float32[] {0} %b = const float32[] {1} %c = const float32[] {0.3} %y = Range (%a, %b, %c)",
          "float32[4] {0, 0.3, 0.6, 0.9}");
    GIVES("%a = const float32[] {2} %b = const float32[] {-1} %c = const float32[] {-1.5} %y = Range (%a, %b, %c)",
          "float32[2] {2, 0.5}");
    GIVES("%s = const int64[2] {1, 2} %y = ConstantOfShape (%s)", "float32[1x2] {0, 0}");
    GIVES("%s = const int64[1] {2} %y = ConstantOfShape (%s) {value=int64[1] {7}}", "int64[2] {7, 7}");
    GIVES("%s = const int64[0] {} %y = ConstantOfShape (%s) {value=float32[1] {2.5}}", "float32[] {2.5}");
}

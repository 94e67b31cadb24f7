// Repeating by Reshape and Tile is a Resize by the nearest.
#include "pass/pass_test.h"

#define REPEAT "recognise_repeat"

// As Keras' UpSampling2D of 2 x 3 comes out of TensorFlow Lite, between two convolutions.
static const char up_sampling[] =
    "graph (%x: float32[1x4x3x2]) -> (%y) {\n"
    " %last = Transpose (%x) {perm=[0, 2, 3, 1]}\n"
    " %s1 = const int64[5] {1, 3, 1, 2, 4}\n %t1 = const int64[5] {1, 1, 2, 1, 1}\n"
    " %s2 = const int64[5] {1, 6, 2, 1, 4}\n %t2 = const int64[5] {1, 1, 1, 3, 1}\n"
    " %s3 = const int64[4] {1, 6, 6, 4}\n"
    " %a = Reshape (%last, %s1)\n %b = Tile (%a, %t1)\n %c = Reshape (%b, %s2)\n %d = Tile (%c, %t2)\n"
    " %e = Reshape (%d, %s3)\n"
    " %y = Transpose (%e) {perm=[0, 3, 1, 2]}\n}";

TEST(tiles_of_an_up_sampling_become_one_resize) {
    check_same_text(__FILE__, __LINE__, NULL, up_sampling, 0);
    Graph *const graph = parse_graph(up_sampling);
    CHECK_OK(passes_run(graph, 2, NULL, NULL));
    CHECK_INT(graph->n_nodes, 1);
    CHECK_INT(count_ops(graph, OP_Resize), 1);
    graph_free(graph);
}

TEST(one_tile_becomes_a_resize) {
    CHECK_SAME_BITS(REPEAT, "graph (%x: float32[2x3x4x5]) -> (%y) {\n"
                            " %s = const int64[5] {2, 3, 4, 1, 5}\n %t = const int64[5] {1, 1, 1, 3, 1}\n"
                            " %a = Reshape (%x, %s)\n %b = Tile (%a, %t)\n"
                            " %f = const int64[4] {2, 3, 12, 5}\n %y = Reshape (%b, %f)\n}");
    CHECK_SAME_BITS(REPEAT, "graph (%x: float32[2x3x4x5]) -> (%y) {\n" // the last axis; the Tile itself is read
                            " %s = const int64[5] {2, 3, 4, 5, 1}\n %t = const int64[5] {1, 1, 1, 1, 2}\n"
                            " %a = Reshape (%x, %s)\n %y = Tile (%a, %t)\n}");
}

TEST(resizes_behind_each_other_become_one) {
    CHECK_SAME_BITS(REPEAT,
                    "graph (%x: float32[1x2x3x4]) -> (%y) {\n"
                    " %a = const float32[4] {1, 1, 2, 1}\n %b = const float32[4] {1, 1, 3, 2}\n"
                    " %r = Resize (%x, _, %a) {mode=\"nearest\", coordinate_transformation_mode=\"asymmetric\", "
                    "nearest_mode=\"floor\"}\n"
                    " %y = Resize (%r, _, %b) {mode=\"nearest\", coordinate_transformation_mode=\"asymmetric\", "
                    "nearest_mode=\"floor\"}\n}");
}

#define KEPT(nodes) CHECK_KEPT(REPEAT, "graph (%x: float32[2x3x4x5]) -> (%y) {\n" nodes "}")

TEST(other_tiles_stay) {
    // Channels, two axes, a dim that is not 1, a Reshape that moves dims.
    KEPT(" %s = const int64[5] {2, 3, 1, 4, 5}\n %t = const int64[5] {1, 1, 2, 1, 1}\n %a = Reshape (%x, %s)\n"
         " %y = Tile (%a, %t)\n");
    KEPT(" %s = const int64[5] {2, 3, 4, 1, 5}\n %t = const int64[5] {1, 1, 1, 2, 2}\n %a = Reshape (%x, %s)\n"
         " %y = Tile (%a, %t)\n");
    KEPT(" %t = const int64[4] {1, 1, 2, 1}\n %y = Tile (%x, %t)\n");
    KEPT(" %s = const int64[5] {2, 3, 5, 1, 4}\n %t = const int64[5] {1, 1, 1, 2, 1}\n %a = Reshape (%x, %s)\n"
         " %y = Tile (%a, %t)\n");
}

// Samples at the places of a grid, worked out by hand: x is 10, 20, 30, 40 along the one dim.
#include "gives.h"

#define X "%x = const float32[1x1x4] {10, 20, 30, 40} "
#define AT(places) "%g = const float32[1x5x1] {" places "} "

TEST(grid_sample_between_centres) { // places 0, 3, 1.5, -1.5, 4.5
    GIVES_AFTER(X AT("-1, 1, 0, -2, 2"), "%y = GridSample (%x, %g) {align_corners=1}",
                "float32[1x1x5] {10, 40, 25, 0, 0}");
    GIVES_AFTER(X AT("-1, 1, 0, -2, 2"), "%y = GridSample (%x, %g) {align_corners=1, padding_mode=\"border\"}",
                "float32[1x1x5] {10, 40, 25, 10, 40}");
    GIVES_AFTER(X AT("-1, 1, 0, -2, 2"), "%y = GridSample (%x, %g) {align_corners=1, padding_mode=\"reflection\"}",
                "float32[1x1x5] {10, 40, 25, 25, 25}");
}

TEST(grid_sample_between_edges) { // places -0.5, 3.5, 1.5, -1.5, 1
    GIVES_AFTER(X AT("-1, 1, 0, -1.5, -0.25"), "%y = GridSample (%x, %g)", "float32[1x1x5] {5, 20, 25, 0, 20}");
    GIVES_AFTER(X AT("-1, 1, 0, -1.5, -0.25"), "%y = GridSample (%x, %g) {padding_mode=\"border\"}",
                "float32[1x1x5] {10, 40, 25, 10, 20}");
    GIVES_AFTER(X AT("-1, 1, 0, -1.5, -0.25"), "%y = GridSample (%x, %g) {padding_mode=\"reflection\"}",
                "float32[1x1x5] {10, 40, 25, 15, 20}");
}

TEST(grid_sample_nearest) { // halves to even: -0.5 and 3.5 and 1.5 are 0, 4 (outside), 2
    GIVES_AFTER(X AT("-1, 1, 0, 0.25, nan"), "%y = GridSample (%x, %g) {mode=\"nearest\"}",
                "float32[1x1x5] {10, 0, 30, 30, 0}");
}

TEST(grid_sample_names_the_last_dim_first) {
    GIVES("%x = const float32[1x2x2x3] {0, 1, 2, 3, 4, 5, 10, 11, 12, 13, 14, 15} "
          "%g = const float32[1x1x2x2] {1, -1, -1, 1} %y = GridSample (%x, %g) {align_corners=1}",
          "float32[1x2x1x2] {2, 3, 12, 13}");
}

TEST(grid_sample_cubic) { // half way: -3/32 * 1 + 19/32 * 2 + 19/32 * 4 - 3/32 * 8, along a dim; the other one is exact
    GIVES("%x = const float32[1x1x1x4] {1, 2, 4, 8} %g = const float32[1x1x1x2] {0, 0} "
          "%y = GridSample (%x, %g) {mode=\"cubic\", padding_mode=\"border\"}",
          "float32[1x1x1x1] {2.71875}");
}

TEST(grid_sample_of_nothing) {
    check_refuses(__FILE__, __LINE__,
                  "%x = const float32[1x1x0] {} %g = const float32[1x1x1] {0} %y = GridSample (%x, %g)", ST_BAD,
                  "nothing to sample from");
}

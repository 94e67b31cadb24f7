// Resize. Expected values are ONNX Runtime 1.31's, on x = 1 2 4 8; where it takes the corners of another size than
// ONNX's own tests, those of onnx.reference 1.20.
#include "gives.h"

#define X "%x = const float32[1x4] {1, 2, 4, 8} "

typedef struct Case {
    const char *attributes, *expected;
} Case;

static void check_resize(const char *before, const char *inputs, const Case *c) {
    Text statements = {0};
    text_add(&statements, "%%y = Resize (%%x, %s) {%s}", inputs, c->attributes);
    check_gives(__FILE__, __LINE__, before, text_get(&statements), "y", c->expected, 3e-6, true);
    text_free(&statements);
}

// Scale 1.5: coordinates with ties.
TEST(nearest) {
    static const Case cases[] = {
        {"nearest_mode=\"round_prefer_floor\", coordinate_transformation_mode=\"half_pixel\"",
         "float32[1x6] {1, 1, 2, 4, 4, 8}"},
        {"nearest_mode=\"round_prefer_ceil\", coordinate_transformation_mode=\"half_pixel\"",
         "float32[1x6] {1, 2, 2, 4, 8, 8}"},
        {"nearest_mode=\"floor\", coordinate_transformation_mode=\"half_pixel\"", "float32[1x6] {1, 1, 2, 2, 4, 8}"},
        {"nearest_mode=\"ceil\", coordinate_transformation_mode=\"half_pixel\"", "float32[1x6] {1, 2, 4, 4, 8, 8}"},
        {"nearest_mode=\"round_prefer_floor\", coordinate_transformation_mode=\"half_pixel_symmetric\"",
         "float32[1x6] {1, 1, 2, 4, 4, 8}"},
        {"nearest_mode=\"round_prefer_ceil\", coordinate_transformation_mode=\"half_pixel_symmetric\"",
         "float32[1x6] {1, 2, 2, 4, 8, 8}"},
        {"nearest_mode=\"floor\", coordinate_transformation_mode=\"half_pixel_symmetric\"",
         "float32[1x6] {1, 1, 2, 2, 4, 8}"},
        {"nearest_mode=\"ceil\", coordinate_transformation_mode=\"half_pixel_symmetric\"",
         "float32[1x6] {1, 2, 4, 4, 8, 8}"},
        {"nearest_mode=\"round_prefer_floor\", coordinate_transformation_mode=\"pytorch_half_pixel\"",
         "float32[1x6] {1, 1, 2, 4, 4, 8}"},
        {"nearest_mode=\"round_prefer_ceil\", coordinate_transformation_mode=\"pytorch_half_pixel\"",
         "float32[1x6] {1, 2, 2, 4, 8, 8}"},
        {"nearest_mode=\"floor\", coordinate_transformation_mode=\"pytorch_half_pixel\"",
         "float32[1x6] {1, 1, 2, 2, 4, 8}"},
        {"nearest_mode=\"ceil\", coordinate_transformation_mode=\"pytorch_half_pixel\"",
         "float32[1x6] {1, 2, 4, 4, 8, 8}"},
        {"nearest_mode=\"round_prefer_floor\", coordinate_transformation_mode=\"align_corners\"",
         "float32[1x6] {1, 2, 2, 4, 4, 8}"},
        {"nearest_mode=\"round_prefer_ceil\", coordinate_transformation_mode=\"align_corners\"",
         "float32[1x6] {1, 2, 2, 4, 4, 8}"},
        {"nearest_mode=\"floor\", coordinate_transformation_mode=\"align_corners\"", "float32[1x6] {1, 1, 2, 2, 4, 8}"},
        {"nearest_mode=\"ceil\", coordinate_transformation_mode=\"align_corners\"", "float32[1x6] {1, 2, 4, 4, 8, 8}"},
        {"nearest_mode=\"round_prefer_floor\", coordinate_transformation_mode=\"asymmetric\"",
         "float32[1x6] {1, 2, 2, 4, 8, 8}"},
        {"nearest_mode=\"round_prefer_ceil\", coordinate_transformation_mode=\"asymmetric\"",
         "float32[1x6] {1, 2, 2, 4, 8, 8}"},
        {"nearest_mode=\"floor\", coordinate_transformation_mode=\"asymmetric\"", "float32[1x6] {1, 1, 2, 4, 4, 8}"},
        {"nearest_mode=\"ceil\", coordinate_transformation_mode=\"asymmetric\"", "float32[1x6] {1, 2, 4, 4, 8, 8}"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) check_resize(X "%s = const float32[2] {1, 1.5}", "_, %s", &cases[i]);
}

// Scale 1.6: 6.4 elements, of which 6 are made.
TEST(linear_and_cubic) {
    static const Case cases[] = {
        {"mode=\"linear\", coordinate_transformation_mode=\"half_pixel\"",
         "float32[1x6] {1, 1.4375, 2.125, 3.375, 5.25, 7.75}"},
        {"mode=\"cubic\", coordinate_transformation_mode=\"half_pixel\"",
         "float32[1x6] {0.9071655, 1.2683105, 2.1295776, 3.022522, 5.390991, 7.8067627}"},
        {"mode=\"linear\", coordinate_transformation_mode=\"half_pixel_symmetric\"",
         "float32[1x6] {1, 1.5625, 2.375, 3.625, 5.75, 8}"},
        {"mode=\"cubic\", coordinate_transformation_mode=\"half_pixel_symmetric\"",
         "float32[1x6] {0.95880127, 1.3625488, 2.3345337, 3.3226929, 5.92688, 8.164795}"},
        {"mode=\"linear\", coordinate_transformation_mode=\"pytorch_half_pixel\"",
         "float32[1x6] {1, 1.4375, 2.125, 3.375, 5.25, 7.75}"},
        {"mode=\"cubic\", coordinate_transformation_mode=\"pytorch_half_pixel\"",
         "float32[1x6] {0.9071655, 1.2683105, 2.1295776, 3.022522, 5.390991, 7.8067627}"},
        {"mode=\"linear\", coordinate_transformation_mode=\"align_corners\"",
         "float32[1x6] {1, 1.5555556, 2.2222223, 3.3333333, 4.888889, 7.111111}"},
        {"mode=\"cubic\", coordinate_transformation_mode=\"align_corners\"",
         "float32[1x6] {1, 1.356653, 2.2167351, 2.9814813, 4.994513, 7.264746}"},
        {"mode=\"linear\", coordinate_transformation_mode=\"asymmetric\"", "float32[1x6] {1, 1.625, 2.5, 3.75, 6, 8}"},
        {"mode=\"cubic\", coordinate_transformation_mode=\"asymmetric\"",
         "float32[1x6] {1, 1.4199219, 2.4179688, 3.5141602, 6.1875, 8.287109}"},
        {"mode=\"cubic\", cubic_coeff_a=-0.5",
         "float32[1x6] {0.93811035, 1.3144531, 2.093872, 3.1937256, 5.2365723, 7.856201}"},
        {"mode=\"cubic\", exclude_outside=1",
         "float32[1x6] {0.8889943, 1.2430743, 2.1295776, 3.022522, 5.5160675, 7.814409}"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) check_resize(X "%s = const float32[2] {1, 1.6}", "_, %s", &cases[i]);
}

// 4 elements by 0.6 are 2.4: the corners of those meet, not of the 2 that are left.
TEST(corners_of_a_size_that_is_not_whole) {
    static const Case cases[] = {
        {"mode=\"linear\", coordinate_transformation_mode=\"align_corners\"", "float32[1x2] {1, 4.5714286}"},
        {"mode=\"nearest\", coordinate_transformation_mode=\"align_corners\"", "float32[1x2] {1, 4}"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) check_resize(X "%s = const float32[2] {1, 0.6}", "_, %s", &cases[i]);
}

// Only here does pytorch_half_pixel differ.
TEST(to_a_single_element) {
    static const Case cases[] = {
        {"mode=\"linear\", coordinate_transformation_mode=\"half_pixel\"", "float32[1x1] {3}"},
        {"mode=\"linear\", coordinate_transformation_mode=\"half_pixel_symmetric\"", "float32[1x1] {3}"},
        {"mode=\"linear\", coordinate_transformation_mode=\"pytorch_half_pixel\"", "float32[1x1] {1}"},
        {"mode=\"linear\", coordinate_transformation_mode=\"align_corners\"", "float32[1x1] {1}"},
        {"mode=\"linear\", coordinate_transformation_mode=\"asymmetric\"", "float32[1x1] {1}"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) check_resize(X "%n = const int64[2] {1, 1}", "_, _, %n", &cases[i]);
}

// From 4 to 3 elements, with the filter widened and without.
TEST(antialias) {
    static const Case cases[] = {
        {"mode=\"linear\", antialias=1", "float32[1x3] {1.2727273, 3, 6.909091}"},
        {"mode=\"linear\", antialias=0", "float32[1x3] {1.1666667, 3, 7.333333}"},
        {"mode=\"cubic\", antialias=1", "float32[1x3] {1.0725541, 2.815655, 7.215098}"},
        {"mode=\"cubic\", antialias=0", "float32[1x3] {1.1087964, 2.71875, 7.4606495}"},
        {"mode=\"cubic\", antialias=1, exclude_outside=1", "float32[1x3] {1.0753138, 2.8411384, 7.1852407}"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) check_resize(X "%n = const int64[2] {1, 3}", "_, _, %n", &cases[i]);
}

// The first coordinate, -0.75, is outside.
TEST(crop) {
    static const Case cases[] = {
        {"mode=\"nearest\", coordinate_transformation_mode=\"tf_crop_and_resize\", extrapolation_value=9.5",
         "float32[1x5] {9.5, 1, 2, 2, 4}"},
        {"mode=\"linear\", coordinate_transformation_mode=\"tf_crop_and_resize\", extrapolation_value=9.5",
         "float32[1x5] {9.5, 1, 1.75, 3, 5}"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        check_resize(X "%n = const int64[2] {1, 5} %r = const float32[4] {0, -0.25, 1, 0.75}", "%r, _, %n", &cases[i]);
}

TEST(old_tensorflow) {
    GIVES(X "%s = const float32[2] {1, 1.5} %y = Resize (%x, _, %s) {nearest_mode=\"floor\","
            " coordinate_transformation_mode=\"tf_half_pixel_for_nn\"}",
          "float32[1x6] {1, 2, 2, 4, 8, 8}");
}

// Coordinates that float32 gives a little beside a half, where exact numbers have a tie.
TEST(nearest_near_ties) {
    const char *const x = "%x = const int32[7] {0, 1, 2, 3, 4, 5, 6} %n = const int64[1] {16} ";
    GIVES_AFTER(x,
                "%y = Resize (%x, _, _, %n) {coordinate_transformation_mode=\"asymmetric\","
                " nearest_mode=\"round_prefer_ceil\"}",
                "int32[16] {0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 4, 5, 5, 6, 6, 6}");
    GIVES_AFTER(x,
                "%y = Resize (%x, _, _, %n) {coordinate_transformation_mode=\"asymmetric\","
                " nearest_mode=\"round_prefer_floor\"}",
                "int32[16] {0, 0, 1, 1, 2, 2, 3, 3, 3, 4, 4, 5, 5, 6, 6, 6}");
}

TEST(axes_and_policy) {
    const char *const x = "%x = const float32[2x2] {1, 2, 3, 4} ";
    GIVES_AFTER(x, "%s = const float32[1] {2} %y = Resize (%x, _, %s) {axes=[-2]}",
                "float32[4x2] {1, 2, 1, 2, 3, 4, 3, 4}");
    GIVES_AFTER(x, "%n = const int64[2] {3, 8} %y = Resize (%x, _, _, %n) {keep_aspect_ratio_policy=\"not_larger\"}",
                "float32[3x3] {1, 1, 2, 1, 1, 2, 3, 3, 4}");
    GIVES_AFTER(x,
                "%n = const int64[2] {1, 3} %y = Resize (%x, _, _, %n) {keep_aspect_ratio_policy=\"not_smaller\","
                " mode=\"linear\"}",
                "float32[3x3] {1, 1.5, 2, 2, 2.5, 3, 3, 3.5, 4}");
}

// Both axes get the scale 4/3, though 2 becomes 3.
TEST(policy_sets_the_scale) {
    GIVES("%x = const float32[2x3] {0, 3, 6, 4, 7, 10} %n = const int64[2] {8, 4} "
          "%y = Resize (%x, _, _, %n) {keep_aspect_ratio_policy=\"not_larger\", mode=\"linear\","
          " coordinate_transformation_mode=\"asymmetric\"}",
          "float32[3x4] {0, 2.25, 4.5, 6, 3, 5.25, 7.5, 9, 4, 6.25, 8.5, 10}");
}

TEST(two_dims_at_once) {
    GIVES("%x = const float32[1x1x2x2] {1, 2, 3, 4} %s = const float32[4] {1, 1, 2, 2} "
          "%y = Resize (%x, _, %s) {mode=\"linear\"}",
          "float32[1x1x4x4] {1, 1.25, 1.75, 2, 1.5, 1.75, 2.25, 2.5, 2.5, 2.75, 3.25, 3.5, 3, 3.25, 3.75, 4}");
    GIVES("%x = const float32[1x1x2x2] {1, 2, 3, 4} %s = const float32[4] {1, 1, 2, 3} %y = Resize (%x, _, %s)",
          "float32[1x1x4x6] {1, 1, 1, 2, 2, 2, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 3, 3, 3, 4, 4, 4}");
}

// Neighbours of weight zero take no part.
TEST(infinite_neighbour) {
    GIVES("%x = const float32[1x3] {1, inf, 2} %n = const int64[2] {1, 3} %y = Resize (%x, _, _, %n) {mode=\"linear\"}",
          "float32[1x3] {1, inf, 2}");
    GIVES("%x = const float32[1x3] {1, inf, 2} %n = const int64[2] {1, 2} "
          "%y = Resize (%x, _, _, %n) {mode=\"linear\", coordinate_transformation_mode=\"align_corners\"}",
          "float32[1x2] {1, 2}");
}

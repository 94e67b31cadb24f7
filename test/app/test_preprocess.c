// Pre-processing against numbers computed by hand.
#include "app/preprocess.h"
#include "test.h"

static Pipeline plain(void) {
    Pipeline p = pipeline_default();
    p.scale = 1;
    return p;
}
static void check_floats(const float *actual, const float *expected, int count) {
    for (int i = 0; i < count; i++)
        CHECK_MSG(fabsf(actual[i] - expected[i]) <= 1e-6f * (1 + fabsf(expected[i])), "[%d]: got %.9g, expected %.9g",
                  i, (double)actual[i], (double)expected[i]);
}
static void normalise(const Pipeline *p, float *values, int64_t channels, int64_t pixels) {
    Normaliser *normaliser;
    CHECK_OK(normaliser_create(p, channels, &normaliser));
    normaliser_begin(normaliser);
    for (int pass = 0; pass < NORMALISE_PASSES; pass++) {
        normaliser_add(normaliser, values, pixels);
        normaliser_end_pass(normaliser);
    }
    normaliser_apply(normaliser, values, pixels);
    normaliser_free(normaliser);
}

TEST(preprocess_clips_then_scales_then_takes_mean_and_std) {
    Pipeline p = plain();
    p.has_clip = true, p.clip[0] = 10, p.clip[1] = 100;
    p.scale = 0.5;
    p.n_mean = p.n_std = 2;
    p.mean[0] = 1, p.mean[1] = 2, p.std[0] = 4, p.std[1] = 8;
    const Frame frame = {2, 1, 3, false};
    const float planes[] = {0, 50, 200, 10, 20, 30};
    float out[6];
    CHECK_OK(preprocess_check(&p, &frame));
    CHECK_OK(preprocess_place(&p, &frame, planes, 2, 1, 3, out));
    check_floats(out, (const float[]){1, 6, 12.25f, 0.375f, 1, 1.625f}, 6);
}

TEST(preprocess_repeats_grey_and_refuses_other_channels) {
    const Pipeline p = plain();
    const Frame frame = {3, 1, 2, false};
    float out[6];
    CHECK_OK(preprocess_place(&p, &frame, (const float[]){7, 9}, 1, 1, 2, out));
    check_floats(out, (const float[]){7, 9, 7, 9, 7, 9}, 6);
    CHECK_INT(preprocess_place(&p, &frame, (const float[]){1, 2, 3, 4}, 2, 1, 2, out), ST_BAD);
    CHECK(strstr(error_message(), "expected 3 channels"));
}

TEST(preprocess_names_both_sizes_when_it_may_not_resize) {
    const Pipeline p = plain();
    const Frame frame = {1, 4, 4, false};
    float out[16];
    CHECK_INT(preprocess_place(&p, &frame, (const float[]){1, 2}, 1, 1, 2, out), ST_BAD);
    CHECK(strstr(error_message(), "4x4") && strstr(error_message(), "1x2") && strstr(error_message(), "\"resize\""));
}

TEST(preprocess_pads_centred_with_zero_before_scaling) {
    Pipeline p = plain();
    p.resize = RESIZE_PAD;
    p.n_mean = 1, p.mean[0] = 1; // so padding shows as -1
    const Frame frame = {1, 3, 4, false};
    float out[12];
    CHECK_OK(preprocess_place(&p, &frame, (const float[]){5, 6}, 1, 1, 2, out));
    check_floats(out, (const float[]){-1, -1, -1, -1, -1, 4, 5, -1, -1, -1, -1, -1}, 12);
}

TEST(preprocess_resizes_bilinear_before_it_clips) {
    Pipeline p = plain();
    p.resize = RESIZE_BILINEAR;
    p.has_clip = true, p.clip[0] = 0, p.clip[1] = 6;
    const Frame frame = {1, 1, 4, false};
    float out[4];
    CHECK_OK(preprocess_place(&p, &frame, (const float[]){0, 8}, 1, 1, 2, out));
    check_floats(out, (const float[]){0, 2, 6, 6}, 4); // half-pixel centres: 0, 2, 6, 8
}

TEST(zscore_is_per_channel_with_n_in_the_denominator) {
    Pipeline p = plain();
    p.normalise = NORMALISE_ZSCORE;
    float values[] = {1, 3, 1, 3, 5, 5, 5, 5};
    normalise(&p, values, 2, 4);
    check_floats(values, (const float[]){-1, 1, -1, 1, 0, 0, 0, 0}, 8);
}

// numpy.percentile([0, 1, 2, 3, 4], [10, 90]) = 0.4, 3.6
TEST(percentile_interpolates_between_neighbours_and_cuts) {
    Pipeline p = plain();
    p.normalise = NORMALISE_PERCENTILE;
    p.percentiles[0] = 10, p.percentiles[1] = 90;
    float values[] = {4, 0, 3, 1, 2};
    normalise(&p, values, 1, 5);
    check_floats(values, (const float[]){1, 0, 2.6f / 3.2f, 0.6f / 3.2f, 0.5f}, 5);
}

static int compare_floats(const void *a, const void *b) {
    const float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}
// Counting by halves of the bits must find what sorting finds, for both signs and for values close together.
TEST(percentile_equals_sorting) {
    enum { COUNT = 5001 };
    static float values[COUNT], sorted[COUNT];
    uint64_t state = 1;
    for (int i = 0; i < COUNT; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        const double u = (double)(state >> 40) / (1 << 24) - 0.5;
        values[i] = (float)(i % 3 ? u * u * u : 0.01 + u * 1e-6);
        sorted[i] = values[i];
    }
    qsort(sorted, COUNT, sizeof *sorted, compare_floats);
    Pipeline p = plain();
    p.normalise = NORMALISE_PERCENTILE;
    p.percentiles[0] = 12.5, p.percentiles[1] = 97.13;
    const double low = sorted[625]; // 0.125 * 5000
    const double at = 0.9713 * 5000, below = floor(at);
    const double high = sorted[(int)below] + (at - below) * (sorted[(int)below + 1] - (double)sorted[(int)below]);
    static float before[COUNT];
    memcpy(before, values, sizeof before);
    normalise(&p, values, 1, COUNT);
    for (int i = 0; i < COUNT; i++) {
        const double part = (before[i] - low) / (high - low), expected = part < 0 ? 0 : part > 1 ? 1 : part;
        CHECK_MSG(fabs(values[i] - expected) < 1e-6, "[%d]: got %g, expected %g", i, (double)values[i], expected);
        if (fabs(values[i] - expected) >= 1e-6) break;
    }
}

TEST(percentile_of_a_flat_picture_is_zero) {
    Pipeline p = plain();
    p.normalise = NORMALISE_PERCENTILE;
    float values[] = {7, 7, 7, 7};
    normalise(&p, values, 1, 4);
    check_floats(values, (const float[]){0, 0, 0, 0}, 4);
}

TEST(normalise_leaves_out_what_is_not_finite) {
    Pipeline p = plain();
    p.normalise = NORMALISE_ZSCORE;
    float values[] = {1, NAN, 3, INFINITY};
    normalise(&p, values, 1, 4);
    CHECK(values[0] == -1 && values[2] == 1);
}

TEST(normalise_over_several_slices_is_as_over_one) {
    for (int kind = NORMALISE_ZSCORE; kind <= NORMALISE_PERCENTILE; kind++) {
        Pipeline p = plain();
        Normaliser *normaliser;
        p.normalise = (PipelineNormalise)kind;
        const float slices[2][3] = {{1, 8, -4}, {2, 0, 100}};
        float all[6] = {1, 8, -4, 2, 0, 100}, one[3] = {2, 0, 100};
        CHECK_OK(normaliser_create(&p, 1, &normaliser));
        normaliser_begin(normaliser);
        for (int pass = 0; pass < NORMALISE_PASSES; pass++) {
            for (int i = 0; i < 2; i++) normaliser_add(normaliser, slices[i], 3);
            normaliser_end_pass(normaliser);
        }
        normaliser_apply(normaliser, one, 3);
        normaliser_free(normaliser);
        normalise(&p, all, 1, 6);
        CHECK(!memcmp(one, all + 3, sizeof one));
    }
}

TEST(preprocess_check_counts_mean_and_std) {
    Pipeline p = plain();
    const Frame frame = {1, 4, 4, false};
    p.n_mean = 3;
    CHECK_INT(preprocess_check(&p, &frame), ST_BAD);
    CHECK(strstr(error_message(), "input.mean has 3 numbers"));
    p.n_mean = 1, p.n_std = 2;
    CHECK_INT(preprocess_check(&p, &frame), ST_BAD);
}

// ---- frames

TEST(frame_tells_channels_first_from_last) {
    const Type first = {DT_F32, 4, {1, 3, 64, 32}}, last = {DT_F32, 4, {1, 64, 32, 3}},
               free_last = {DT_F32, 4, {-2, -3, -4, 1}};
    Frame frame = frame_of_input(&first, 0);
    CHECK(!frame.channels_last && frame.channels == 3 && frame.height == 64 && frame.width == 32);
    frame = frame_of_input(&last, 0);
    CHECK(frame.channels_last && frame.channels == 3 && frame.height == 64 && frame.width == 32);
    CHECK(frame_of_input(&last, 3).channels_last && !frame_of_input(&last, 64).channels_last);
    frame = frame_of_input(&free_last, 0);
    CHECK(frame.channels_last && frame.channels == 1 && frame.height < 0);
}

TEST(frame_of_output_goes_with_the_input) {
    const Frame first = {3, 64, 32, false}, last = {3, 64, 32, true};
    const Type nchw = {DT_F32, 4, {1, 5, 64, 32}}, nhwc = {DT_F32, 4, {1, 64, 32, 5}},
               half = {DT_F32, 4, {1, 2, 32, 16}};
    const Type flat = {DT_F32, 3, {1, 64, 32}}, cropped = {DT_F32, 4, {1, 2, 60, 28}},
               numbers = {DT_I64, 4, {1, 1, 64, 32}};
    Frame out;
    CHECK_OK(frame_of_output(&nchw, &first, &out));
    CHECK(!out.channels_last && out.channels == 5);
    CHECK_OK(frame_of_output(&nhwc, &last, &out));
    CHECK(out.channels_last && out.channels == 5);
    CHECK_OK(frame_of_output(&nhwc, &first, &out));
    CHECK(out.channels_last && out.channels == 5 && out.width == 32);
    CHECK_OK(frame_of_output(&half, &first, &out));
    CHECK(!out.channels_last && out.channels == 2 && out.height == 32);
    CHECK_OK(frame_of_output(&flat, &first, &out));
    CHECK(out.channels == 1 && out.height == 64 && out.width == 32);
    CHECK_INT(frame_of_output(&cropped, &first, &out), ST_UNSUPPORTED);
    CHECK_INT(frame_of_output(&numbers, &first, &out), ST_UNSUPPORTED);
    CHECK(strstr(error_message(), "int64"));
}

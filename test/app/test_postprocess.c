// Post-processing against numbers computed by hand.
#include "app/postprocess.h"
#include "test.h"

static void check_mask(const uint8_t *actual, const char *expected) {
    for (size_t i = 0; expected[i]; i++)
        CHECK_MSG(actual[i] == expected[i] - '0', "[%zu]: got %d, expected %c", i, actual[i], expected[i]);
}

TEST(sigmoid_and_softmax) {
    float one[] = {0, 2, -800};
    apply_activation(ACTIVATION_SIGMOID, one, 1, 3);
    CHECK(one[0] == 0.5f && fabsf(one[1] - 0.880797078f) < 1e-7f && one[2] == 0);
    float two[] = {0, 1000, 0, 1001}; // (channels 2, pixels 2)
    apply_activation(ACTIVATION_SOFTMAX, two, 2, 2);
    CHECK(two[0] == 0.5f && two[2] == 0.5f && fabsf(two[1] - 0.268941421f) < 1e-7f &&
          fabsf(two[3] - 0.731058579f) < 1e-7f);
    float none[] = {3, -3};
    apply_activation(ACTIVATION_NONE, none, 1, 2);
    CHECK(none[0] == 3 && none[1] == -3);
}

TEST(threshold_is_exceeded_not_reached) {
    uint8_t mask[4];
    decide_classes((const float[]){0.5f, 0.500001f, 0.4f, NAN}, 1, 4, 0.5, mask);
    check_mask(mask, "0100");
}

TEST(of_several_classes_the_first_largest_wins) {
    uint8_t mask[4];
    decide_classes((const float[]){1, 2, 3, 0, 1, 3, 3, 0, 0, 3, 1, 9}, 3, 4, 0.5, mask);
    check_mask(mask, "0102");
}

TEST(mask_for_eyes_stretches_two_classes_only) {
    uint8_t two[] = {0, 1, 1}, three[] = {0, 1, 2};
    mask_for_eyes(two, 3, 1);
    CHECK(two[0] == 0 && two[1] == 255 && two[2] == 255);
    mask_for_eyes(three, 3, 3);
    CHECK(three[1] == 1 && three[2] == 2);
}

TEST(probabilities_come_back_to_the_picture_by_bilinear) {
    Pipeline p = pipeline_default();
    Arena arena = {0};
    float *probabilities;
    uint8_t *mask;
    p.resize = RESIZE_BILINEAR;
    const Frame frame = {1, 1, 2, false};
    CHECK_OK(postprocess(&p, 0.3, &frame, &frame, (const float[]){0, 1}, 1, 4, &arena, &probabilities, &mask));
    CHECK(probabilities[0] == 0 && probabilities[1] == 0.25f && probabilities[2] == 0.75f && probabilities[3] == 1);
    check_mask(mask, "0011");
    arena_free(&arena);
}

// A picture of 1x2 in a frame of 3x4, and one of 3x5 of which the frame of 1x2 saw a part.
TEST(padding_is_undone) {
    Pipeline p = pipeline_default();
    Arena arena = {0};
    float *probabilities;
    uint8_t *mask;
    p.resize = RESIZE_PAD;
    const Frame large = {1, 3, 4, false}, small = {1, 1, 2, false};
    const float values[] = {9, 9, 9, 9, 9, 0, 1, 9, 9, 9, 9, 9};
    CHECK_OK(postprocess(&p, 0.5, &large, &large, values, 1, 2, &arena, &probabilities, &mask));
    check_mask(mask, "01");
    CHECK(probabilities[0] == 0 && probabilities[1] == 1);
    // Also where 0 is above the threshold, what the network has not seen is background.
    CHECK_OK(postprocess(&p, -1, &small, &small, (const float[]){1, 1}, 3, 5, &arena, &probabilities, &mask));
    check_mask(mask, "000000110000000");
    arena_free(&arena);
}

TEST(channels_last_outputs_are_turned) {
    const Pipeline p = pipeline_default();
    Arena arena = {0};
    float *probabilities;
    uint8_t *mask;
    const Frame frame = {2, 1, 3, true};
    CHECK_OK(
        postprocess(&p, 0.5, &frame, &frame, (const float[]){0, 1, 5, 2, 3, 4}, 1, 3, &arena, &probabilities, &mask));
    check_mask(mask, "101");
    CHECK(probabilities[1] == 5 && probabilities[3] == 1);
    arena_free(&arena);
}

TEST(small_and_lesser_components_go) {
    Pipeline p = pipeline_default();
    Arena arena = {0};
    float *probabilities;
    uint8_t *mask;
    const Frame frame = {1, 1, 9, false};
    const float values[] = {1, 0, 1, 1, 0, 1, 1, 1, 0};
    p.min_area = 2;
    CHECK_OK(postprocess(&p, 0.5, &frame, &frame, values, 1, 9, &arena, &probabilities, &mask));
    check_mask(mask, "001101110");
    p.keep_largest = true, p.min_area = 0;
    CHECK_OK(postprocess(&p, 0.5, &frame, &frame, values, 1, 9, &arena, &probabilities, &mask));
    check_mask(mask, "000001110");
    arena_free(&arena);
}

TEST(postprocess_check_compares_classes) {
    Pipeline p = pipeline_default();
    const Frame one = {1, 4, 4, false}, four = {4, 4, 4, false}, many = {257, 4, 4, false};
    p.n_classes = 2;
    CHECK_OK(postprocess_check(&p, &one));
    CHECK_INT(postprocess_check(&p, &four), ST_BAD);
    CHECK(strstr(error_message(), "names 2 classes") && strstr(error_message(), "tells 4 apart"));
    p.n_classes = 0;
    CHECK_INT(postprocess_check(&p, &many), ST_UNSUPPORTED);
    p.activation = ACTIVATION_SOFTMAX;
    CHECK_OK(postprocess_check(&p, &four));
    CHECK_INT(postprocess_check(&p, &one), ST_BAD);
}

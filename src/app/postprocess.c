#include "app/postprocess.h"
#include "image/components.h"
#include "image/image.h"
#include "image/resample.h"
#include <math.h>
#include <string.h>

Status postprocess_check(const Pipeline *pipeline, const Frame *output) {
    const int64_t channels = output->channels, classes = channels == 1 ? 2 : channels;
    FAIL_IF(channels > PIPELINE_CLASSES, ST_UNSUPPORTED,
            "the network's output has %lld channels; a mask holds at most %d classes", (long long)channels,
            PIPELINE_CLASSES);
    FAIL_IF(pipeline->activation == ACTIVATION_SOFTMAX && channels == 1, ST_BAD,
            "pipeline: output.activation is softmax, yet the network's output has one channel; use sigmoid");
    FAIL_IF(pipeline->n_classes && pipeline->n_classes != classes, ST_BAD,
            "pipeline: output.classes names %d classes, the network's output tells %lld apart", pipeline->n_classes,
            (long long)classes);
    return ST_OK;
}

static void apply_sigmoid(float *values, int64_t count) {
    for (int64_t i = 0; i < count; i++) values[i] = (float)(1 / (1 + exp(-(double)values[i])));
}
static void apply_softmax(float *planes, int64_t channels, int64_t pixels) {
    for (int64_t i = 0; i < pixels; i++) {
        double largest = planes[i], sum = 0;
        for (int64_t c = 1; c < channels; c++) largest = MAX(largest, (double)planes[c * pixels + i]);
        for (int64_t c = 0; c < channels; c++) sum += exp(planes[c * pixels + i] - largest);
        for (int64_t c = 0; c < channels; c++)
            planes[c * pixels + i] = (float)(exp(planes[c * pixels + i] - largest) / sum);
    }
}
void apply_activation(PipelineActivation activation, float *planes, int64_t channels, int64_t pixels) {
    if (activation == ACTIVATION_SIGMOID) apply_sigmoid(planes, channels * pixels);
    if (activation == ACTIVATION_SOFTMAX) apply_softmax(planes, channels, pixels);
}

void restore_plane(const Pipeline *pipeline, const Frame *input, const Frame *output, const float *plane,
                   int64_t height, int64_t width, float *room, float *out) {
    if (pipeline->resize != RESIZE_PAD) {
        resize_bilinear(plane, output->height, output->width, out, height, width);
        return;
    }
    resize_bilinear(plane, output->height, output->width, room, input->height, input->width);
    place_centred(room, input->height, input->width, out, height, width, 0);
}

static void cut_threshold(const float *plane, int64_t pixels, double threshold, uint8_t *mask) {
    for (int64_t i = 0; i < pixels; i++) mask[i] = plane[i] > threshold;
}
static void choose_largest(const float *planes, int64_t channels, int64_t pixels, uint8_t *mask) {
    for (int64_t i = 0; i < pixels; i++) {
        int64_t best = 0;
        for (int64_t c = 1; c < channels; c++)
            if (planes[c * pixels + i] > planes[best * pixels + i]) best = c;
        mask[i] = (uint8_t)best;
    }
}
void decide_classes(const float *planes, int64_t channels, int64_t pixels, double threshold, uint8_t *mask) {
    if (channels == 1) cut_threshold(planes, pixels, threshold, mask);
    else choose_largest(planes, channels, pixels, mask);
}

// The network has not seen what lay outside the frame. Where the picture is smaller than the frame nothing did.
static void clear_outside(const Frame *frame, int64_t height, int64_t width, uint8_t *mask) {
    const int64_t top = MAX((height - frame->height) / 2, 0), left = MAX((width - frame->width) / 2, 0);
    for (int64_t y = 0; y < height; y++)
        for (int64_t x = 0; x < width; x++)
            if (y < top || y >= top + frame->height || x < left || x >= left + frame->width) mask[y * width + x] = 0;
}

Status postprocess(const Pipeline *pipeline, double threshold, const Frame *input, const Frame *output,
                   const float *tensor, int64_t height, int64_t width, Arena *arena, float **probabilities,
                   uint8_t **mask) {
    const int64_t channels = output->channels, pixels = output->height * output->width;
    FAIL_IF(height * width > IMAGE_MAX_SAMPLES / channels, ST_UNSUPPORTED,
            "%lld classes of %lld x %lld pixels are too many; at most %lld values a slice are supported",
            (long long)channels, (long long)width, (long long)height, (long long)IMAGE_MAX_SAMPLES);
    float *planes = arena_array(arena, (size_t)(channels * pixels), sizeof *planes);
    float *room = arena_array(arena, (size_t)(input->height * input->width), sizeof *room);
    *probabilities = arena_array(arena, (size_t)(channels * height * width), sizeof **probabilities);
    *mask = arena_alloc(arena, (size_t)(height * width));
    if (!planes || !room || !*probabilities || !*mask)
        return fail_memory((size_t)(channels * height * width) * sizeof *planes);
    frame_to_planes(output, tensor, planes);
    apply_activation(pipeline->activation, planes, channels, pixels);
    for (int64_t c = 0; c < channels; c++)
        restore_plane(pipeline, input, output, planes + c * pixels, height, width, room,
                      *probabilities + c * height * width);
    decide_classes(*probabilities, channels, height * width, threshold, *mask);
    if (pipeline->resize == RESIZE_PAD) clear_outside(input, height, width, *mask);
    if (!pipeline->keep_largest && pipeline->min_area <= 1) return ST_OK;
    return components_clean(*mask, height, width, pipeline->keep_largest, pipeline->min_area);
}

void mask_for_eyes(uint8_t *mask, int64_t pixels, int64_t channels) {
    if (channels > 2) return;
    for (int64_t i = 0; i < pixels; i++) mask[i] = mask[i] ? 255 : 0;
}

// Post-processing, in the pipeline's order: activation, back to the picture's size, threshold or argmax, keep_largest
// and min_area.
#pragma once
#include "app/frame.h"
#include "app/pipeline.h"

// A pipeline that does not go with the network's output (classes) is ST_BAD; more classes than a mask holds
// ST_UNSUPPORTED.
Status postprocess_check(const Pipeline *pipeline, const Frame *output);

// planes: (channels, pixels), in place. Softmax goes over the channels.
void apply_activation(PipelineActivation activation, float *planes, int64_t channels, int64_t pixels);
// A plane of the network's output to the picture's size: bilinear; with "pad" to the frame's size first, then out of
// the frame (what a larger picture had outside gets 0). room: as large as the frame, used with "pad" only.
void restore_plane(const Pipeline *pipeline, const Frame *input, const Frame *output, const float *plane,
                   int64_t height, int64_t width, float *room, float *out);
// Class numbers. One channel: 1 where above the threshold, else 0; several: the largest, the first of equal ones.
void decide_classes(const float *planes, int64_t channels, int64_t pixels, double threshold, uint8_t *mask);

// All of it. tensor: the network's output; probabilities: (channels, height, width) after the activation; mask:
// (height, width), class numbers, background where the picture reached outside the frame. Both in `arena`.
Status postprocess(const Pipeline *pipeline, double threshold, const Frame *input, const Frame *output,
                   const float *tensor, int64_t height, int64_t width, Arena *arena, float **probabilities,
                   uint8_t **mask);

// Two classes are written as 0 and 255, more as they are. In place.
void mask_for_eyes(uint8_t *mask, int64_t pixels, int64_t channels);

// Pre-processing, in the pipeline's order: resize or pad, clip, scale, mean and std, normalise.
//
// Planes are (channels, height, width), float32, values as read (8 bit 0..255). Each step is computed in double and
// rounded to float32 once. Padding is 0 before clip and scale. The numbers of zscore and percentile are taken per
// channel over everything that reaches the step, padding too; values that are not finite don't count.
//   zscore      (x - mean) / std, std with N in the denominator; std 0: x - mean
//   percentile  (x - low) / (high - low) cut to 0..1; low, high: percentiles with linear interpolation between
//               neighbours (numpy's default), exact; high = low: 0
#pragma once
#include "app/frame.h"
#include "app/pipeline.h"

// A pipeline that does not go with the network (numbers of mean, std) is ST_BAD.
Status preprocess_check(const Pipeline *pipeline, const Frame *frame);
// All steps but normalise. planes: (channels, height, width); framed: (frame->channels, frame->height, frame->width).
// A grey picture is repeated for every channel. ST_BAD: another number of channels; another size with resize "none".
Status preprocess_place(const Pipeline *pipeline, const Frame *frame, const float *planes, int64_t channels,
                        int64_t height, int64_t width, float *framed);

// The numbers of normalise over one slice or over many: every slice is shown once in each of NORMALISE_PASSES passes,
// so that memory does not grow with their number (2.6 MB a channel for percentile).
enum { NORMALISE_PASSES = 2 };
typedef struct Normaliser Normaliser;
Status normaliser_create(const Pipeline *pipeline, int64_t channels, Normaliser **out);
void normaliser_free(Normaliser *normaliser); // NULL is fine
void normaliser_begin(Normaliser *normaliser);
void normaliser_add(Normaliser *normaliser, const float *framed, int64_t pixels); // (channels, pixels)
void normaliser_end_pass(Normaliser *normaliser);
void normaliser_apply(const Normaliser *normaliser, float *framed, int64_t pixels);

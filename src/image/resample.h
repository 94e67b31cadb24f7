// Planes of floats: between interleaved samples and planes, to another size, into a frame. No allocation, no status.
// A plane is (height, width), x fastest; a stack of planes is (channels, height, width).
#pragma once
#include <stdint.h>

// (pixels, channels) -> (channels, pixels), and back.
void planes_from_interleaved(const float *interleaved, int64_t pixels, int64_t channels, float *planes);
void interleaved_from_planes(const float *planes, int64_t pixels, int64_t channels, float *interleaved);

// Bilinear with half-pixel centres: output x lies at (x + 0.5) * iw / ow - 0.5 of the input, clamped to its edge
// samples. The same as PyTorch interpolate(mode="bilinear", align_corners=False, antialias=False), ONNX Resize
// (linear, half_pixel) and OpenCV INTER_LINEAR. No smoothing when shrinking: Pillow's resize differs there. A size
// that stays the same gives the same bits.
void resize_bilinear(const float *in, int64_t ih, int64_t iw, float *out, int64_t oh, int64_t ow);

// Puts the plane into a frame of another size, centre on centre: what is too large is cropped, what is too small gets
// `fill` around it. An odd rest goes to the bottom and the right in both cases (offset (o - i) / 2, towards zero), so
// that the same call with the sizes swapped undoes a padding.
void place_centred(const float *in, int64_t ih, int64_t iw, float *out, int64_t oh, int64_t ow, float fill);

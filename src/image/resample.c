// Geometry of float planes.
#include "image/resample.h"
#include "base/memory.h"
#include <string.h>

void planes_from_interleaved(const float *interleaved, int64_t pixels, int64_t channels, float *planes) {
    for (int64_t c = 0; c < channels; c++) {
        for (int64_t i = 0; i < pixels; i++) planes[c * pixels + i] = interleaved[i * channels + c];
    }
}

void interleaved_from_planes(const float *planes, int64_t pixels, int64_t channels, float *interleaved) {
    for (int64_t c = 0; c < channels; c++) {
        for (int64_t i = 0; i < pixels; i++) interleaved[i * channels + c] = planes[c * pixels + i];
    }
}

// Where output sample `o` lies between two input samples, and the weight of the second.
typedef struct Between {
    int64_t first, second;
    float weight;
} Between;

static Between find_between(int64_t o, int64_t in, double ratio) {
    const double at = MAX(((double)o + 0.5) * ratio - 0.5, 0.0);
    const int64_t first = MIN((int64_t)at, in - 1);
    return (Between){first, MIN(first + 1, in - 1), (float)(at - (double)first)};
}

static float mix(float a, float b, float weight) { return a * (1.0f - weight) + b * weight; }

void resize_bilinear(const float *in, int64_t ih, int64_t iw, float *out, int64_t oh, int64_t ow) {
    if (ih == oh && iw == ow) {
        memcpy(out, in, (size_t)(ih * iw) * sizeof *out);
        return;
    }
    const double ratio_y = (double)ih / (double)oh, ratio_x = (double)iw / (double)ow;
    for (int64_t y = 0; y < oh; y++) {
        const Between v = find_between(y, ih, ratio_y);
        const float *upper = in + v.first * iw, *lower = in + v.second * iw;
        for (int64_t x = 0; x < ow; x++) {
            const Between h = find_between(x, iw, ratio_x);
            const float a = mix(upper[h.first], upper[h.second], h.weight);
            const float b = mix(lower[h.first], lower[h.second], h.weight);
            out[y * ow + x] = mix(a, b, v.weight);
        }
    }
}

void place_centred(const float *in, int64_t ih, int64_t iw, float *out, int64_t oh, int64_t ow, float fill) {
    const int64_t top = (oh - ih) / 2, left = (ow - iw) / 2; // of the input, in the output's frame
    const int64_t x0 = MAX(left, 0), x1 = MIN(left + iw, ow);
    for (int64_t y = 0; y < oh; y++) {
        float *row = out + y * ow;
        const bool inside = y >= top && y < top + ih;
        for (int64_t x = 0; x < ow; x++) {
            if (!inside || x < x0 || x >= x1) row[x] = fill;
        }
        if (inside) memcpy(row + x0, in + (y - top) * iw + (x0 - left), (size_t)(x1 - x0) * sizeof *row);
    }
}

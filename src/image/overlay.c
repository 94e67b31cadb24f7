// Overlays: the picture into 8 bit, then the outline on top of it.
#include "image/overlay.h"
#include "base/memory.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { THICK_FROM = 512 }; // pixels of the shorter side from which the line is 2 wide
static const double window_low = 0.005, window_high = 0.995;

// Colours that are far from grey, from one another and from the reds and greens of false-colour MR pictures.
static const uint8_t class_colours[8][3] = {{255, 225, 0},  {0, 200, 255},   {255, 90, 200}, {255, 140, 0},
                                            {120, 255, 90}, {170, 130, 255}, {255, 70, 70},  {255, 255, 255}};

// ---- The picture ----------------------------------------------------------------------------------------------

static float sample_at(const void *samples, SampleType type, size_t index) {
    switch (type) {
    case SAMPLE_U8: return ((const uint8_t *)samples)[index];
    case SAMPLE_U16: return ((const uint16_t *)samples)[index];
    default: return ((const float *)samples)[index];
    }
}

static int compare_floats(const void *a, const void *b) {
    const float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

// The values between which black and white lie; of no finite values: 0 and 1.
static Status find_window(const void *samples, SampleType type, size_t pixels, size_t channels, size_t shown,
                          float *low, float *high) {
    *low = 0;
    *high = type == SAMPLE_U8 ? 255 : 1;
    if (type == SAMPLE_U8) return ST_OK;
    float *values = mem_alloc(pixels * shown * sizeof *values);
    if (!values) return fail_memory(pixels * shown * sizeof *values);
    size_t count = 0;
    for (size_t i = 0; i < pixels; i++) {
        for (size_t c = 0; c < shown; c++) {
            const float value = sample_at(samples, type, i * channels + c);
            if (isfinite(value)) values[count++] = value;
        }
    }
    if (count > 0) {
        qsort(values, count, sizeof *values, compare_floats);
        *low = values[(size_t)(window_low * (double)(count - 1))];
        *high = values[(size_t)ceil(window_high * (double)(count - 1))];
    }
    mem_free(values);
    return ST_OK;
}

static uint8_t to_byte(float value, float low, float high) {
    if (!isfinite(value) || !(high > low)) return 0;
    const double part = ((double)value - low) / ((double)high - low);
    return (uint8_t)(255.0 * MIN(MAX(part, 0.0), 1.0) + 0.5);
}

static Status draw_picture(const void *samples, SampleType type, size_t pixels, size_t channels, uint8_t *rgb) {
    const size_t shown = channels == 3 ? 3 : 1;
    float low, high;
    TRY(find_window(samples, type, pixels, channels, shown, &low, &high));
    for (size_t i = 0; i < pixels; i++) {
        for (size_t c = 0; c < 3; c++) {
            rgb[3 * i + c] = to_byte(sample_at(samples, type, i * channels + (shown == 3 ? c : 0)), low, high);
        }
    }
    return ST_OK;
}

// ---- The outline ----------------------------------------------------------------------------------------------

// The class of the line that runs through this pixel, or 0: a class's own pixel beside another class or the edge of
// the picture; with `thick` also a background pixel beside a class.
static uint8_t line_class(const uint8_t *mask, int64_t height, int64_t width, int64_t y, int64_t x, bool thick) {
    static const int steps[4][2] = {{0, -1}, {-1, 0}, {0, 1}, {1, 0}};
    const uint8_t own = mask[y * width + x];
    for (int k = 0; k < 4; k++) {
        const int64_t ny = y + steps[k][0], nx = x + steps[k][1];
        const bool inside = ny >= 0 && ny < height && nx >= 0 && nx < width;
        const uint8_t other = inside ? mask[ny * width + nx] : 0;
        if (own && other != own) return own;
        if (!own && thick && other) return other;
    }
    return 0;
}

// Binary masks use 255 or 1, label maps 1, 2, 3, ...
static const uint8_t *class_colour(uint8_t class) {
    return class_colours[class == 255 ? 0 : (class - 1) % (int)COUNT_OF(class_colours)];
}

Status overlay_draw(const void *samples, SampleType type, int64_t height, int64_t width, int64_t channels,
                    const uint8_t *mask, uint8_t *rgb) {
    TRY(draw_picture(samples, type, (size_t)(height * width), (size_t)channels, rgb));
    const bool thick = MIN(height, width) >= THICK_FROM;
    for (int64_t y = 0; y < height; y++) {
        for (int64_t x = 0; x < width; x++) {
            const uint8_t class = line_class(mask, height, width, y, x, thick);
            if (class) memcpy(rgb + 3 * (y * width + x), class_colour(class), 3);
        }
    }
    return ST_OK;
}

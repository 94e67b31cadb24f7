#include "app/preprocess.h"
#include "image/resample.h"
#include <math.h>
#include <string.h>

static Status check_count(const char *key, int count, int64_t channels) {
    FAIL_IF(count > 1 && count != channels, ST_BAD,
            "pipeline: input.%s has %d numbers, the network's input has %lld channels", key, count,
            (long long)channels);
    return ST_OK;
}
Status preprocess_check(const Pipeline *pipeline, const Frame *frame) {
    TRY(check_count("mean", pipeline->n_mean, frame->channels));
    return check_count("std", pipeline->n_std, frame->channels);
}

// ---- geometry

static Status check_picture(const Pipeline *pipeline, const Frame *frame, int64_t channels, int64_t height,
                            int64_t width) {
    FAIL_IF(channels != 1 && channels != frame->channels, ST_BAD,
            "expected %lld channels, as the network's input has, got %lld", (long long)frame->channels,
            (long long)channels);
    const bool same = height == frame->height && width == frame->width;
    FAIL_IF(pipeline->resize == RESIZE_NONE && !same, ST_BAD,
            "expected %lldx%lld pixels (height x width), as the network's input has, got %lldx%lld; to fit pictures of "
            "other "
            "sizes set \"resize\" to \"bilinear\" or \"pad\" in the pipeline file and compile again",
            (long long)frame->height, (long long)frame->width, (long long)height, (long long)width);
    return ST_OK;
}
static void place_plane(const Pipeline *pipeline, const Frame *frame, const float *plane, int64_t height, int64_t width,
                        float *framed) {
    if (pipeline->resize == RESIZE_PAD) place_centred(plane, height, width, framed, frame->height, frame->width, 0);
    else resize_bilinear(plane, height, width, framed, frame->height, frame->width); // a copy where the size stays
}

// ---- values

static double channel_number(const double *numbers, int count, int64_t channel, double otherwise) {
    return count == 0 ? otherwise : numbers[count == 1 ? 0 : channel];
}
static void scale_plane(const Pipeline *pipeline, int64_t channel, float *plane, int64_t pixels) {
    const double mean = channel_number(pipeline->mean, pipeline->n_mean, channel, 0);
    const double std = channel_number(pipeline->std, pipeline->n_std, channel, 1);
    for (int64_t i = 0; i < pixels; i++) {
        double x = plane[i];
        if (pipeline->has_clip)
            x = x < pipeline->clip[0] ? pipeline->clip[0] : x > pipeline->clip[1] ? pipeline->clip[1] : x;
        plane[i] = (float)((x * pipeline->scale - mean) / std);
    }
}
Status preprocess_place(const Pipeline *pipeline, const Frame *frame, const float *planes, int64_t channels,
                        int64_t height, int64_t width, float *framed) {
    TRY(check_picture(pipeline, frame, channels, height, width));
    const int64_t pixels = frame->height * frame->width;
    for (int64_t c = 0; c < frame->channels; c++) {
        const float *plane = planes + (channels == 1 ? 0 : c) * height * width;
        place_plane(pipeline, frame, plane, height, width, framed + c * pixels);
        scale_plane(pipeline, c, framed + c * pixels, pixels);
    }
    return ST_OK;
}

// ---- normalise
//
// Percentiles are found by counting. A float's bits, turned so that they sort as the floats do, are cut into an upper
// and a lower half of 16 bits. The first pass counts upper halves; it tells in which upper half each wanted value (two
// neighbours a percentile) lies. The second pass counts the lower halves there.

enum { HALF = 65536, RANKS = 4 };
typedef struct Channel {
    int64_t count;
    double mean, squares;
    uint64_t *upper;        // [HALF]
    uint64_t *lower[RANKS]; // [HALF] each
    uint32_t half[RANKS];   // the upper half that the wanted value has
    uint64_t rest[RANKS];   // its rank among the values with that upper half
    double part[2];         // of the way from a percentile's lower neighbour to its upper one
    double shift, divisor;  // what normalise does: (x - shift) / divisor
} Channel;
struct Normaliser {
    PipelineNormalise kind;
    double percentiles[2];
    int pass;
    int64_t n_channels;
    uint64_t *counts; // (channels, 1 + RANKS, HALF); NULL without percentiles
    Channel channels[];
};

static uint32_t key_of(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits & 0x80000000 ? ~bits : bits | 0x80000000;
}
static float value_of(uint32_t key) {
    const uint32_t bits = key & 0x80000000 ? key & 0x7fffffff : ~key;
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

Status normaliser_create(const Pipeline *pipeline, int64_t channels, Normaliser **out) {
    *out = NULL;
    const size_t bytes = sizeof(Normaliser) + (size_t)channels * sizeof(Channel);
    Normaliser *normaliser = mem_zero(1, bytes);
    if (!normaliser) return fail_memory(bytes);
    normaliser->kind = pipeline->normalise;
    normaliser->n_channels = channels;
    memcpy(normaliser->percentiles, pipeline->percentiles, sizeof normaliser->percentiles);
    if (pipeline->normalise == NORMALISE_PERCENTILE) {
        const size_t counts = (size_t)channels * (1 + RANKS) * HALF;
        normaliser->counts = mem_zero(counts, sizeof *normaliser->counts);
        if (!normaliser->counts) {
            mem_free(normaliser);
            return fail_memory(counts * sizeof *normaliser->counts);
        }
        for (int64_t c = 0; c < channels; c++) {
            normaliser->channels[c].upper = normaliser->counts + c * (1 + RANKS) * HALF;
            for (int r = 0; r < RANKS; r++)
                normaliser->channels[c].lower[r] = normaliser->channels[c].upper + (1 + r) * HALF;
        }
    }
    *out = normaliser;
    return ST_OK;
}
void normaliser_free(Normaliser *normaliser) {
    if (!normaliser) return;
    mem_free(normaliser->counts);
    mem_free(normaliser);
}
void normaliser_begin(Normaliser *normaliser) {
    const int64_t channels = normaliser->n_channels;
    normaliser->pass = 0;
    if (normaliser->counts)
        memset(normaliser->counts, 0, (size_t)channels * (1 + RANKS) * HALF * sizeof *normaliser->counts);
    for (int64_t c = 0; c < channels; c++) {
        Channel *channel = &normaliser->channels[c];
        channel->count = 0;
        channel->mean = channel->squares = channel->shift = 0;
        channel->divisor = 1;
    }
}

// First pass: the sum; second: squares around the mean.
static void add_moments(Channel *channel, int pass, const float *plane, int64_t pixels) {
    for (int64_t i = 0; i < pixels; i++) {
        const double x = plane[i];
        if (!isfinite(x)) continue;
        if (pass == 0) channel->mean += x, channel->count++;
        else channel->squares += (x - channel->mean) * (x - channel->mean);
    }
}
static void add_counts(Channel *channel, int pass, const float *plane, int64_t pixels) {
    for (int64_t i = 0; i < pixels; i++) {
        if (!isfinite(plane[i])) continue;
        const uint32_t key = key_of(plane[i]);
        if (pass == 0) {
            channel->upper[key >> 16]++, channel->count++;
            continue;
        }
        for (int r = 0; r < RANKS; r++)
            if (channel->half[r] == key >> 16) channel->lower[r][key & 0xffff]++;
    }
}
void normaliser_add(Normaliser *normaliser, const float *framed, int64_t pixels) {
    for (int64_t c = 0; c < normaliser->n_channels; c++) {
        Channel *channel = &normaliser->channels[c];
        const float *plane = framed + c * pixels;
        if (normaliser->kind == NORMALISE_ZSCORE) add_moments(channel, normaliser->pass, plane, pixels);
        if (normaliser->kind == NORMALISE_PERCENTILE) add_counts(channel, normaliser->pass, plane, pixels);
    }
}

// The bin in which the value of rank *rank lies; *rank becomes its rank inside.
static uint32_t find_bin(const uint64_t *counts, uint64_t *rank) {
    uint32_t bin = 0;
    for (; bin < HALF - 1 && *rank >= counts[bin]; bin++) *rank -= counts[bin];
    return bin;
}
static void find_halves(Channel *channel, const double percentiles[2]) {
    if (!channel->count) return;
    for (int p = 0; p < 2; p++) {
        const double at = percentiles[p] / 100 * (double)(channel->count - 1);
        const uint64_t below = (uint64_t)at, last = (uint64_t)channel->count - 1;
        channel->part[p] = at - (double)below;
        for (int side = 0; side < 2; side++) {
            const int r = 2 * p + side;
            channel->rest[r] = MIN(below + (uint64_t)side, last);
            channel->half[r] = find_bin(channel->upper, &channel->rest[r]);
        }
    }
}
static void find_percentiles(Channel *channel) {
    if (!channel->count) return;
    double found[2];
    for (int p = 0; p < 2; p++) {
        double side[2];
        for (int s = 0; s < 2; s++) {
            uint64_t rank = channel->rest[2 * p + s];
            const uint32_t low = find_bin(channel->lower[2 * p + s], &rank);
            side[s] = value_of(channel->half[2 * p + s] << 16 | low);
        }
        found[p] = side[0] + channel->part[p] * (side[1] - side[0]);
    }
    channel->shift = found[0];
    channel->divisor = found[1] - found[0]; // 0: see normaliser_apply
}
void normaliser_end_pass(Normaliser *normaliser) {
    for (int64_t c = 0; c < normaliser->n_channels; c++) {
        Channel *channel = &normaliser->channels[c];
        const double count = (double)MAX(channel->count, 1);
        if (normaliser->kind == NORMALISE_PERCENTILE) {
            if (normaliser->pass == 0) find_halves(channel, normaliser->percentiles);
            else find_percentiles(channel);
        } else if (normaliser->pass == 0) {
            channel->shift = channel->mean /= count;
        } else {
            const double std = sqrt(channel->squares / count);
            channel->divisor = std > 0 ? std : 1;
        }
    }
    normaliser->pass++;
}

void normaliser_apply(const Normaliser *normaliser, float *framed, int64_t pixels) {
    if (normaliser->kind == NORMALISE_NONE) return;
    for (int64_t c = 0; c < normaliser->n_channels; c++) {
        const Channel *channel = &normaliser->channels[c];
        float *plane = framed + c * pixels;
        for (int64_t i = 0; i < pixels; i++) {
            double x = channel->divisor != 0 ? (plane[i] - channel->shift) / channel->divisor : 0;
            if (normaliser->kind == NORMALISE_PERCENTILE) x = x < 0 ? 0 : x > 1 ? 1 : x;
            plane[i] = (float)x;
        }
    }
}

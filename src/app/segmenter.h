// A package made ready for pictures: its network between pre- and post-processing.
#pragma once
#include "app/app.h"
#include "app/postprocess.h"
#include "app/preprocess.h"

typedef struct Segmenter {
    PackageSource source;
    const stent_options *options;
    int flags;             // OpenFlags, for each opening
    double threshold;      // the pipeline's, or the caller's
    Opened opened;         // without an executable when the network's height or width are free; then
    Opened sized;          // the same, opened for the last picture's size
    int64_t height, width; // that size
    Session *session;      // of the one that has an executable; NULL: none yet
    Frame input, output;
    Tensor *inputs, *outputs;
    Arena arena;            // the tensors
    Normaliser *normaliser; // of one slice
    bool grey_repeated;     // a grey picture went into a network of several channels
} Segmenter;

// One slice of a picture: planes (channels, height, width), values as read.
typedef struct PictureSlice {
    int64_t channels, height, width;
    const float *planes;
} PictureSlice;
typedef struct Segmented {
    int64_t classes;      // channels of the network's output
    float *probabilities; // (classes, height, width), after the activation
    uint8_t *mask;        // (height, width), class numbers
    int64_t area;         // pixels that are not background
    double ms;            // input tensor to output tensor
} Segmented;

// flags: OpenFlags beside OPEN_FREE. threshold: NaN takes the pipeline's. ST_UNSUPPORTED: a network that does not take one float32 picture.
Status segmenter_open(const PackageSource *source, const stent_options *options, int flags, double threshold,
                      Segmenter *out);
void segmenter_close(Segmenter *segmenter); // twice is fine
// Pre-processing without normalise; framed: fresh memory in `arena`, (input.channels, input.height, input.width).
Status segmenter_place(Segmenter *segmenter, const PictureSlice *slice, Arena *arena, float **framed);
// volume: the numbers of normalise; NULL: the slice's own. Results in `arena`.
Status segmenter_run(Segmenter *segmenter, const PictureSlice *slice, const Normaliser *volume, Arena *arena,
                     Segmented *out);
// The package as it runs: the one for the last picture.
const Opened *segmenter_opened(const Segmenter *segmenter);

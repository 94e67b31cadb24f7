#include "app/gate.h"
#include "app/picture.h"
#include "metric/metric.h"
#include <math.h>
#include <stdio.h>

typedef struct Masks {
    const stent_options *common;
    SegmentFile *files;
    size_t n_files;
    Segmenter exact, rounded;
    Volume volume; // of both: what is normalised is rounded in neither
    MaskCounts sum;
    Gate *gate;
} Masks;

// A pixel is in the intersection where both have the same class.
static MaskCounts compare_masks(const uint8_t *exact, const uint8_t *rounded, int64_t pixels) {
    MaskCounts counts = mask_counts(rounded, exact, pixels, ANY_CLASS);
    for (int64_t i = 0; i < pixels; i++) counts.intersection -= exact[i] && rounded[i] && exact[i] != rounded[i];
    return counts;
}
static void add_masks(Masks *masks, const char *path, const MaskCounts *counts) {
    Gate *gate = masks->gate;
    const double loss = 1 - dice(counts);
    mask_counts_add(&masks->sum, counts);
    if (!counts->truth) {
        gate->empty++;
        return;
    }
    if (!gate->pictures++ || loss > gate->worst) {
        gate->worst = loss;
        snprintf(gate->worst_path, sizeof gate->worst_path, "%s", path);
    }
}
static Status measure_slice(Masks *masks, const SegmentFile *file, Picture *picture, int64_t z) {
    Arena arena = {0};
    PictureSlice slice;
    Segmented exact, rounded;
    const Normaliser *numbers = masks->volume.normaliser;
    Status status = picture_slice(picture, z, &arena, &slice);
    if (status == ST_OK) status = segmenter_run(&masks->exact, &slice, numbers, &arena, &exact);
    if (status == ST_OK) status = segmenter_run(&masks->rounded, &slice, numbers, &arena, &rounded);
    if (status == ST_OK) {
        const MaskCounts counts = compare_masks(exact.mask, rounded.mask, slice.height * slice.width);
        add_masks(masks, file->path, &counts);
    }
    arena_free(&arena);
    return status;
}
static Status measure_file(Masks *masks, const SegmentFile *file) {
    Picture picture;
    Status status = picture_load(file->path, &picture);
    if (status == ST_OK) status = picture_open(file->path, &picture);
    if (status == ST_OK)
        status = volume_measure(&masks->volume, &masks->exact, masks->files, masks->n_files, file, &picture);
    for (int64_t z = 0; status == ST_OK && z < picture.shape.depth; z++)
        status = measure_slice(masks, file, &picture, z);
    picture_close(&picture);
    return status;
}
static Status measure_all(Masks *masks) {
    for (size_t i = 0; i < masks->n_files; i++) {
        TRY(report_progress(masks->common, "gate", (double)i, (double)masks->n_files));
        TRY(measure_file(masks, &masks->files[i]));
    }
    return ST_OK;
}
Status gate_measure(const PackageSource *source, const char *folder, const stent_options *common, Gate *out) {
    static const SegmentNames nothing = {.count = 0};
    const stent_options options = {.size = sizeof options,
                                   .threads = common->threads,
                                   .max_memory = common->max_memory,
                                   .progress = common->progress,
                                   .progress_context = common->progress_context};
    const stent_options quiet = {.size = sizeof quiet, .threads = common->threads, .max_memory = common->max_memory};
    Masks masks = {.common = &options, .volume = {NULL, -1}, .gate = out};
    Arena arena = {0};
    *out = (Gate){0};
    Status status = segment_list(&folder, 1, "", &nothing, &arena, &masks.files, &masks.n_files);
    if (status == ST_OK) status = segmenter_open(source, &quiet, OPEN_NO_CHECK, NAN, &masks.exact);
    if (status == ST_OK) status = segmenter_open(source, &quiet, OPEN_NO_CHECK | OPEN_ROUNDED, NAN, &masks.rounded);
    if (status == ST_OK) status = measure_all(&masks);
    out->pooled = 1 - dice(&masks.sum);
    if (status == ST_OK && out->pictures < GATE_PICTURES)
        status = fail(ST_BAD, "%s: expected at least %d pictures whose mask is not empty, got %lld of %lld", folder,
                      GATE_PICTURES, (long long)out->pictures, (long long)(out->pictures + out->empty));
    segmenter_close(&masks.exact);
    segmenter_close(&masks.rounded);
    normaliser_free(masks.volume.normaliser);
    arena_free(&arena);
    return status;
}

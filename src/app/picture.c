#include "app/picture.h"
#include "base/hash.h"
#include "image/resample.h"

Status picture_load(const char *path, Picture *picture) {
    *picture = (Picture){0};
    TRY(file_read(path, PICTURE_BYTES, &picture->bytes, &picture->size));
    sha256_hex(picture->bytes, picture->size, picture->hash);
    return ST_OK;
}
Status picture_open(const char *path, Picture *picture) {
    TRY(image_open_bytes(path, picture->bytes, picture->size, IMAGE_ALL_PAGES, &picture->source));
    picture->shape = *image_shape(picture->source);
    return ST_OK;
}
void picture_close(Picture *picture) {
    image_close(picture->source);
    mem_free(picture->bytes);
    *picture = (Picture){0};
}
Status picture_slice(Picture *picture, int64_t z, Arena *arena, PictureSlice *out) {
    const ImageShape *shape = &picture->shape;
    const ImageBox box = image_slice(shape, z);
    const size_t samples = image_box_samples(shape, &box);
    float *interleaved = arena_array(arena, samples, sizeof *interleaved), *planes = interleaved;
    if (shape->channels > 1) planes = arena_array(arena, samples, sizeof *planes);
    if (!interleaved || !planes) return fail_memory(samples * sizeof *planes);
    TRY(image_read_box(picture->source, &box, SAMPLE_F32, interleaved));
    if (shape->channels > 1) planes_from_interleaved(interleaved, box.w * box.h, shape->channels, planes);
    *out = (PictureSlice){shape->channels, shape->height, shape->width, planes};
    return ST_OK;
}

// ---- scope "volume"

static Status add_slices(Volume *volume, Segmenter *segmenter, Picture *picture) {
    for (int64_t z = 0; z < picture->shape.depth; z++) {
        Arena arena = {0};
        PictureSlice slice;
        float *framed;
        Status status = picture_slice(picture, z, &arena, &slice);
        if (status == ST_OK) status = segmenter_place(segmenter, &slice, &arena, &framed);
        const Frame *input = &segmenter->input;
        if (status == ST_OK && !volume->normaliser)
            status = normaliser_create(&segmenter_opened(segmenter)->pipeline, input->channels, &volume->normaliser);
        if (status == ST_OK) normaliser_add(volume->normaliser, framed, input->height * input->width);
        arena_free(&arena);
        TRY(status);
    }
    return ST_OK;
}
// A picture that cannot be read is reported when its turn comes. Files of several pages are volumes of their own.
static Status add_file(Volume *volume, Segmenter *segmenter, const char *path) {
    Picture picture;
    Status status = picture_load(path, &picture);
    if (status == ST_OK) status = picture_open(path, &picture);
    if (status == ST_OK && picture.shape.depth == 1) status = add_slices(volume, segmenter, &picture);
    picture_close(&picture);
    if (status == ST_RESOURCE || status == ST_CANCELLED) return status;
    error_clear();
    return ST_OK;
}
Status volume_measure(Volume *volume, Segmenter *segmenter, const SegmentFile *files, size_t n_files,
                      const SegmentFile *file, Picture *picture) {
    const Pipeline *pipeline = &segmenter->opened.pipeline;
    if (pipeline->scope != SCOPE_VOLUME || pipeline->normalise == NORMALISE_NONE) return ST_OK;
    const bool is_own = picture->shape.depth > 1;
    if (!is_own && volume->normaliser && volume->number == file->volume) return ST_OK;
    if (volume->normaliser) normaliser_begin(volume->normaliser);
    volume->number = -1;
    for (int pass = 0; pass < NORMALISE_PASSES; pass++) {
        if (is_own) TRY(add_slices(volume, segmenter, picture));
        for (size_t i = 0; !is_own && i < n_files; i++)
            if (files[i].volume == file->volume) TRY(add_file(volume, segmenter, files[i].path));
        if (volume->normaliser) normaliser_end_pass(volume->normaliser);
    }
    if (!is_own) volume->number = file->volume;
    return ST_OK;
}

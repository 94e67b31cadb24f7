// Picture files on their way into a network.
#pragma once
#include "app/segment_list.h"
#include "app/segmenter.h"
#include "image/image.h"

static const size_t PICTURE_BYTES = UINT32_MAX; // of a file; what a classic TIFF can address

// A picture file in memory.
typedef struct Picture {
    uint8_t *bytes;
    size_t size;
    char hash[65];
    ImageSource *source; // NULL: not opened yet
    ImageShape shape;
} Picture;
Status picture_load(const char *path, Picture *picture); // bytes and hash
Status picture_open(const char *path, Picture *picture); // the loaded one: source and shape
void picture_close(Picture *picture);
Status picture_slice(Picture *picture, int64_t z, Arena *arena, PictureSlice *out); // planes, in `arena`

// Scope "volume": the numbers of normalise over a folder's pictures, or over a file's pages. Begins as {NULL, -1}.
typedef struct Volume {
    Normaliser *normaliser; // of the last folder or file, NULL: each slice has its own; normaliser_free
    int number;             // of that folder; -1: none
} Volume;
// For `file`, one of `files`, opened as `picture`. A picture of the folder that cannot be read has no part in it.
Status volume_measure(Volume *volume, Segmenter *segmenter, const SegmentFile *files, size_t n_files,
                      const SegmentFile *file, Picture *picture);

// What a file format is to image.c: one descriptor a direction, one file a descriptor. Private to src/image.
#pragma once
#include "base/file.h"
#include "base/memory.h"
#include "image/image.h"

typedef struct ImageReader {
    const char *name;
    bool (*recognise)(const uint8_t *bytes, size_t size); // by the first bytes
    // Reads the geometry and makes the format's own state. `bytes` outlive it. On failure nothing is left.
    Status (*open)(const uint8_t *bytes, size_t size, ImagePages pages, ImageShape *shape, void **state);
    // `box` lies inside the shape; `samples` gets the native type.
    Status (*read_box)(void *state, const ImageShape *shape, const ImageBox *box, void *samples);
    ImageKind (*kind)(const void *state);
    void (*close)(void *state);
} ImageReader;

typedef struct ImageWriter {
    const char *name, *endings[2];
    Status (*accepts)(const ImageShape *shape); // says what the format cannot hold
    Status (*encode)(const ImageShape *shape, ImagePacking packing, const void *samples, AtomicFile *file);
} ImageWriter;

// A PNG's bytes; png_writer's encode puts them into a file.
Status png_bytes(const ImageShape *shape, const void *samples, Text *out);

extern const ImageReader tiff_reader, png_reader;
extern const ImageWriter tiff_writer, png_writer;

// Decoders. Each fills exactly `out_size` bytes or fails: it neither writes nor reads beyond what it was given.
// Bytes that are left over in the stream are not an error.
Status unpack_packbits(const uint8_t *in, size_t in_size, uint8_t *out, size_t out_size);
Status unpack_lzw(const uint8_t *in, size_t in_size, uint8_t *out, size_t out_size);
Status unpack_deflate(const uint8_t *in, size_t in_size, uint8_t *out, size_t out_size);

// zlib as one call: `*out` is fresh memory (mem_free).
Status pack_deflate(const uint8_t *in, size_t in_size, uint8_t **out, size_t *out_size);

// Copies `count` runs of `bytes` bytes, `from_stride` and `to_stride` bytes apart.
void copy_runs(const uint8_t *from, size_t from_stride, uint8_t *to, size_t to_stride, size_t bytes, int64_t count);

// width * height * channels when each is positive and the product is within IMAGE_MAX_SAMPLES, else ST_BAD /
// ST_UNSUPPORTED.
Status check_picture_size(int64_t width, int64_t height, int64_t channels);

// Pictures and volumes as sources and sinks with geometry. A file is recognised by its content, never by its name;
// samples are asked for box by box, so that nobody above sees a whole file or knows its format.
//
// Samples lie interleaved: (d, h, w, c), c fastest, c = R, G, B for a colour picture. Grey means 0 = black, whatever
// the file says; a palette is resolved to RGB, 8 bit; 1, 2 and 4 bit are stretched to 0..255; alpha is dropped.
//
// Files are hostile: every size in them is checked, a picture has at most IMAGE_MAX_SAMPLES samples, and no packed
// stream is unpacked beyond what the geometry says. Damage is ST_BAD, a feature that is not here ST_UNSUPPORTED (by
// name). Messages start with the path.
#pragma once
#include "base/status.h"
#include "base/text.h"
#include <stddef.h>
#include <stdint.h>

#define IMAGE_MAX_SAMPLES ((int64_t)3 << 24) // in one slice: 4096 x 4096 in colour
#define IMAGE_MAX_CHANNELS 64

typedef enum SampleType { SAMPLE_U8, SAMPLE_U16, SAMPLE_F32 } SampleType;
size_t sample_size(SampleType type); // in bytes

typedef struct ImageShape {
    int64_t width, height, depth, channels; // all at least 1
    SampleType type;                        // of the samples as read_box gives them natively
    double spacing[3];                      // x, y, z: millimetres from sample to sample; 0: unknown
} ImageShape;

typedef struct ImageBox {
    int64_t x, y, z, w, h, d; // corner and extent, in samples
} ImageBox;
ImageBox image_slice(const ImageShape *shape, int64_t z);               // the whole slice z
size_t image_box_samples(const ImageShape *shape, const ImageBox *box); // of all channels

// Which pages of a multi-page file become slices. All pages: they must have one size and one kind of samples;
// reduced-resolution and mask pages (TIFF NewSubfileType) are left out.
typedef enum ImagePages { IMAGE_FIRST_PAGE, IMAGE_ALL_PAGES } ImagePages;

// A source keeps the file's bytes and decodes what is asked for. Used by one thread at a time.
typedef struct ImageSource ImageSource;
Status image_open(const char *path, ImagePages pages, ImageSource **out);
// The same from memory; `bytes` stays the caller's and must outlive the source. `name` is for messages.
Status image_open_bytes(const char *name, const uint8_t *bytes, size_t size, ImagePages pages, ImageSource **out);
const ImageShape *image_shape(const ImageSource *source);
const char *image_format(const ImageSource *source); // "TIFF", "PNG"
// What the file said before palettes were resolved, alpha dropped and small samples stretched: whether a number in it
// is a colour or a class depends on that.
typedef struct ImageKind {
    bool palette, alpha;
    int bits; // of a sample as stored
} ImageKind;
ImageKind image_kind(const ImageSource *source);
// Fills `samples` (box d*h*w*c) as `type`: the source's own, or SAMPLE_F32, which keeps the values (8 bit gives
// 0..255, 16 bit 0..65535).
Status image_read_box(ImageSource *source, const ImageBox *box, SampleType type, void *samples);
void image_close(ImageSource *source); // NULL is fine
// Whether image_open would try to read a file that begins with these bytes (the first 1024 are enough).
bool image_recognised(const uint8_t *bytes, size_t size);

// A sink: the ending of `path` chooses the format (.png: 8 and 16 bit, 1 slice; .tif, .tiff: also 32-bit float and
// several slices, a page each); 1 or 3 channels. Spacing is not written. What is never written is 0. The file appears
// when it is committed; the same samples give the same bytes (with the same zlib).
typedef enum ImagePacking { IMAGE_PACKED, IMAGE_PLAIN } ImagePacking; // Deflate, or uncompressed (TIFF only)
typedef struct ImageSink ImageSink;
Status image_create(const char *path, const ImageShape *shape, ImagePacking packing, ImageSink **out);
Status image_write_box(ImageSink *sink, const ImageBox *box, const void *samples); // samples of the sink's type
Status image_commit(ImageSink *sink); // frees the sink, also on failure; then nothing is left behind
void image_abort(ImageSink *sink);    // frees the sink and leaves no file; NULL is fine

// The whole file in one call; as the bytes of a PNG.
Status image_save(const char *path, const ImageShape *shape, ImagePacking packing, const void *samples);
Status image_png(const ImageShape *shape, const void *samples, Text *out);

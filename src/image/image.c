// Sources and sinks: recognises files, checks boxes, converts to float; the formats lie behind the two tables.
#include "image/image.h"
#include "base/text.h"
#include "image/format.h"
#include <string.h>

static const ImageReader *const readers[] = {&tiff_reader, &png_reader};
static const ImageWriter *const writers[] = {&tiff_writer, &png_writer};

static const size_t file_limit = UINT32_MAX; // what a classic TIFF can address

struct ImageSource {
    const ImageReader *reader;
    void *state;
    ImageShape shape;
    char *path;
    uint8_t *owned; // the file's bytes, or NULL when they are the caller's
};

struct ImageSink {
    const ImageWriter *writer;
    ImageShape shape;
    ImagePacking packing;
    char *path;
    AtomicFile *file;
    uint8_t *samples; // (depth, height, width, channels)
};

size_t sample_size(SampleType type) { return type == SAMPLE_U8 ? 1 : type == SAMPLE_U16 ? 2 : 4; }

ImageBox image_slice(const ImageShape *shape, int64_t z) { return (ImageBox){0, 0, z, shape->width, shape->height, 1}; }

size_t image_box_samples(const ImageShape *shape, const ImageBox *box) {
    return (size_t)(box->w * box->h * box->d * shape->channels);
}

void copy_runs(const uint8_t *from, size_t from_stride, uint8_t *to, size_t to_stride, size_t bytes, int64_t count) {
    for (int64_t i = 0; i < count; i++) memcpy(to + (size_t)i * to_stride, from + (size_t)i * from_stride, bytes);
}

Status check_picture_size(int64_t width, int64_t height, int64_t channels) {
    FAIL_IF(width < 1 || height < 1 || channels < 1, ST_BAD, "size %lld x %lld with %lld channels is impossible",
            (long long)width, (long long)height, (long long)channels);
    FAIL_IF(channels > IMAGE_MAX_CHANNELS, ST_UNSUPPORTED, "%lld channels; at most %d are supported",
            (long long)channels, IMAGE_MAX_CHANNELS);
    int64_t samples;
    FAIL_IF(!mul_i64(width, height, &samples) || !mul_i64(samples, channels, &samples) || samples > IMAGE_MAX_SAMPLES,
            ST_UNSUPPORTED, "%lld x %lld with %lld channels is too large; at most %lld samples a slice are supported",
            (long long)width, (long long)height, (long long)channels, (long long)IMAGE_MAX_SAMPLES);
    return ST_OK;
}

// ---- Recognising ----------------------------------------------------------------------------------------------

// Files that people hand in by mistake or that other programs read: named, so that they know what they have.
typedef struct KnownFile {
    size_t offset;
    const char *magic;
    size_t length;
    Status status;
    const char *what;
} KnownFile;

static const KnownFile known_files[] = {
    {0, "version https://git-lfs", 23, ST_BAD,
     "a Git LFS pointer, not the picture itself; fetch it with 'git lfs pull'"},
    {0, "\xff\xd8\xff", 3, ST_UNSUPPORTED, "a JPEG picture; TIFF and PNG are supported"},
    {0, "GIF8", 4, ST_UNSUPPORTED, "a GIF picture; TIFF and PNG are supported"},
    {0, "BM", 2, ST_UNSUPPORTED, "a BMP picture; TIFF and PNG are supported"},
    {8, "WEBP", 4, ST_UNSUPPORTED, "a WebP picture; TIFF and PNG are supported"},
    {4, "jP  ", 4, ST_UNSUPPORTED, "a JPEG 2000 picture; TIFF and PNG are supported"},
    {128, "DICM", 4, ST_UNSUPPORTED, "a DICOM file; TIFF and PNG are supported"},
    {344, "n+1", 3, ST_UNSUPPORTED, "a NIfTI volume; TIFF and PNG are supported"},
    {0, "\x1f\x8b", 2, ST_UNSUPPORTED, "a gzip file (NIfTI?); TIFF and PNG are supported"},
    {0, "\x89HDF", 4, ST_UNSUPPORTED, "an HDF5 file; TIFF and PNG are supported"},
};

static Status fail_unknown(const uint8_t *bytes, size_t size) {
    FAIL_IF(size == 0, ST_BAD, "the file is empty");
    for (size_t i = 0; i < COUNT_OF(known_files); i++) {
        const KnownFile *known = &known_files[i];
        if (size >= known->offset + known->length && !memcmp(bytes + known->offset, known->magic, known->length)) {
            return fail(known->status, "this is %s", known->what);
        }
    }
    return fail(ST_BAD, "expected a TIFF or PNG picture, got something else (first bytes %02x %02x %02x %02x)",
                bytes[0], size > 1 ? bytes[1] : 0, size > 2 ? bytes[2] : 0, size > 3 ? bytes[3] : 0);
}

// A DICOM file may begin like a TIFF and be both; what is in it then is DICOM's to say.
static bool is_dicom(const uint8_t *bytes, size_t size) { return size >= 132 && !memcmp(bytes + 128, "DICM", 4); }

static const ImageReader *find_reader(const uint8_t *bytes, size_t size) {
    if (is_dicom(bytes, size)) return NULL;
    for (size_t i = 0; i < COUNT_OF(readers); i++) {
        if (readers[i]->recognise(bytes, size)) return readers[i];
    }
    return NULL;
}

bool image_recognised(const uint8_t *bytes, size_t size) { return find_reader(bytes, size) != NULL; }

// ---- Source ---------------------------------------------------------------------------------------------------

Status image_open_bytes(const char *name, const uint8_t *bytes, size_t size, ImagePages pages, ImageSource **out) {
    *out = NULL;
    const ImageReader *reader = find_reader(bytes, size);
    if (!reader) return fail_context(fail_unknown(bytes, size), "%s", name);
    ImageSource *source = mem_zero(1, sizeof *source);
    if (!source) return fail_memory(sizeof *source);
    source->reader = reader;
    source->path = mem_string(name);
    Status status = source->path ? ST_OK : fail_memory(strlen(name) + 1);
    if (status == ST_OK) status = reader->open(bytes, size, pages, &source->shape, &source->state);
    if (status != ST_OK) {
        image_close(source);
        return fail_context(status, "%s", name);
    }
    *out = source;
    return ST_OK;
}

Status image_open(const char *path, ImagePages pages, ImageSource **out) {
    *out = NULL;
    uint8_t *bytes;
    size_t size;
    TRY(file_read(path, file_limit, &bytes, &size));
    const Status status = image_open_bytes(path, bytes, size, pages, out);
    if (status == ST_OK) {
        (*out)->owned = bytes;
    } else {
        mem_free(bytes);
    }
    return status;
}

const ImageShape *image_shape(const ImageSource *source) { return &source->shape; }

const char *image_format(const ImageSource *source) { return source->reader->name; }

ImageKind image_kind(const ImageSource *source) { return source->reader->kind(source->state); }

static Status check_box(const ImageShape *shape, const ImageBox *box) {
    const bool inside = box->x >= 0 && box->y >= 0 && box->z >= 0 && box->w > 0 && box->h > 0 && box->d > 0 &&
                        box->w <= shape->width - box->x && box->h <= shape->height - box->y &&
                        box->d <= shape->depth - box->z;
    FAIL_IF(!inside, ST_USAGE, "box at %lld,%lld,%lld of %lld x %lld x %lld does not lie in %lld x %lld x %lld",
            (long long)box->x, (long long)box->y, (long long)box->z, (long long)box->w, (long long)box->h,
            (long long)box->d, (long long)shape->width, (long long)shape->height, (long long)shape->depth);
    return ST_OK;
}

// Native samples lie in the last part of the buffer; ascending order never overwrites one that is still to be read.
static void widen_to_float(void *samples, size_t count, SampleType type) {
    float *out = samples;
    const uint8_t *in = (const uint8_t *)samples + count * (sizeof(float) - sample_size(type));
    if (type == SAMPLE_U8) {
        for (size_t i = 0; i < count; i++) out[i] = (float)in[i];
    } else if (type == SAMPLE_U16) {
        for (size_t i = 0; i < count; i++) {
            uint16_t value;
            memcpy(&value, in + 2 * i, sizeof value);
            out[i] = (float)value;
        }
    }
}

Status image_read_box(ImageSource *source, const ImageBox *box, SampleType type, void *samples) {
    const ImageShape *shape = &source->shape;
    Status status = check_box(shape, box);
    if (status == ST_OK && type != shape->type && type != SAMPLE_F32) {
        status = fail(ST_USAGE, "samples can be read as they are or as 32-bit float");
    }
    if (status == ST_OK) {
        const size_t count = image_box_samples(shape, box);
        uint8_t *native = (uint8_t *)samples + count * (sample_size(type) - sample_size(shape->type));
        status = source->reader->read_box(source->state, shape, box, native);
        if (status == ST_OK && type != shape->type) widen_to_float(samples, count, shape->type);
    }
    return status == ST_OK ? ST_OK : fail_context(status, "%s", source->path);
}

void image_close(ImageSource *source) {
    if (!source) return;
    if (source->state) source->reader->close(source->state);
    mem_free(source->owned);
    mem_free(source->path);
    mem_free(source);
}

// ---- Sink -----------------------------------------------------------------------------------------------------

// Endings are compared without case.
static bool has_ending(const char *path, const char *ending) {
    const size_t length = strlen(path), n = strlen(ending);
    if (length < n) return false;
    for (size_t i = 0; i < n; i++) {
        const char c = path[length - n + i];
        if ((c >= 'A' && c <= 'Z' ? c + 32 : c) != ending[i]) return false;
    }
    return true;
}

static const ImageWriter *find_writer(const char *path) {
    for (size_t i = 0; i < COUNT_OF(writers); i++) {
        for (size_t j = 0; j < COUNT_OF(writers[i]->endings); j++) {
            if (writers[i]->endings[j] && has_ending(path, writers[i]->endings[j])) return writers[i];
        }
    }
    return NULL;
}

static Status check_sink_shape(const ImageWriter *writer, const ImageShape *shape, size_t *bytes) {
    TRY(check_picture_size(shape->width, shape->height, shape->channels));
    FAIL_IF(shape->channels != 1 && shape->channels != 3, ST_UNSUPPORTED,
            "a picture of %lld channels cannot be written; 1 and 3 are supported", (long long)shape->channels);
    const size_t slice = (size_t)(shape->width * shape->height * shape->channels) * sample_size(shape->type);
    FAIL_IF(shape->depth < 1 || !mul_size(slice, (size_t)shape->depth, bytes), ST_UNSUPPORTED,
            "%lld slices are too many", (long long)shape->depth);
    return writer->accepts(shape);
}

static Status open_sink(ImageSink *sink, const char *path, size_t bytes) {
    sink->path = mem_string(path);
    if (!sink->path) return fail_memory(strlen(path) + 1);
    sink->samples = mem_zero(bytes, 1);
    if (!sink->samples) return fail_memory(bytes);
    return atomic_open(path, &sink->file);
}

Status image_create(const char *path, const ImageShape *shape, ImagePacking packing, ImageSink **out) {
    *out = NULL;
    const ImageWriter *writer = find_writer(path);
    FAIL_IF(!writer, ST_USAGE, "%s: pictures are written as .png, .tif or .tiff", path);
    size_t bytes = 0;
    Status status = check_sink_shape(writer, shape, &bytes);
    if (status != ST_OK) return fail_context(status, "%s", path);
    ImageSink *sink = mem_zero(1, sizeof *sink);
    if (!sink) return fail_memory(sizeof *sink);
    sink->writer = writer;
    sink->shape = *shape;
    sink->packing = packing;
    status = open_sink(sink, path, bytes);
    if (status != ST_OK) {
        image_abort(sink);
        return status;
    }
    *out = sink;
    return ST_OK;
}

Status image_write_box(ImageSink *sink, const ImageBox *box, const void *samples) {
    const ImageShape *shape = &sink->shape;
    const Status status = check_box(shape, box);
    if (status != ST_OK) return fail_context(status, "%s", sink->path);
    const size_t pixel = sample_size(shape->type) * (size_t)shape->channels;
    const size_t run = pixel * (size_t)box->w, row = pixel * (size_t)shape->width;
    const uint8_t *from = samples;
    for (int64_t z = 0; z < box->d; z++) {
        const size_t at =
            ((size_t)(box->z + z) * (size_t)shape->height + (size_t)box->y) * row + (size_t)box->x * pixel;
        copy_runs(from, run, sink->samples + at, row, run, box->h);
        from += run * (size_t)box->h;
    }
    return ST_OK;
}

Status image_commit(ImageSink *sink) {
    Status status = sink->writer->encode(&sink->shape, sink->packing, sink->samples, sink->file);
    if (status == ST_OK) {
        status = atomic_commit(sink->file);
        sink->file = NULL; // gone either way
    }
    image_abort(sink);
    return status;
}

void image_abort(ImageSink *sink) {
    if (!sink) return;
    atomic_abort(sink->file);
    mem_free(sink->samples);
    mem_free(sink->path);
    mem_free(sink);
}

Status image_save(const char *path, const ImageShape *shape, ImagePacking packing, const void *samples) {
    ImageSink *sink;
    TRY(image_create(path, shape, packing, &sink));
    const ImageBox all = {0, 0, 0, shape->width, shape->height, shape->depth};
    const Status status = image_write_box(sink, &all, samples);
    if (status == ST_OK) return image_commit(sink);
    image_abort(sink);
    return status;
}

Status image_png(const ImageShape *shape, const void *samples, Text *out) {
    size_t bytes;
    TRY(check_sink_shape(&png_writer, shape, &bytes));
    return png_bytes(shape, samples, out);
}

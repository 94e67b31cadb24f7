// Pictures: the first and the last slice of what the header claims.
#include "base/memory.h"
#include "fuzz/fuzz.h"
#include "image/image.h"
#include <string.h>

static int read_picture(const char *format, const uint8_t *data, size_t size) {
    ImageSource *source = NULL;
    Status status = image_open_bytes("picture", data, size, IMAGE_ALL_PAGES, &source);
    for (int last = 0; status == ST_OK && last < 2 && !strcmp(image_format(source), format); last++) {
        const ImageShape *shape = image_shape(source);
        const ImageBox box = image_slice(shape, last ? shape->depth - 1 : 0);
        const size_t bytes = image_box_samples(shape, &box) * sizeof(float);
        float *samples = mem_alloc(bytes);
        status = samples ? image_read_box(source, &box, SAMPLE_F32, samples) : fail_memory(bytes);
        mem_free(samples);
    }
    image_close(source);
    fuzz_check(status);
    return 0;
}

int fuzz_tiff(const uint8_t *data, size_t size) { return read_picture("TIFF", data, size); }
int fuzz_png(const uint8_t *data, size_t size) { return read_picture("PNG", data, size); }

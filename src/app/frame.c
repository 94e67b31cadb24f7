#include "app/frame.h"
#include "image/resample.h"
#include <string.h>

static Frame read_frame(const Type *type, bool channels_last) {
    const int64_t *dim = type->dim;
    return channels_last ? (Frame){dim[3], dim[1], dim[2], true} : (Frame){dim[1], dim[2], dim[3], false};
}
static bool is_small(int64_t dim) { return dim >= 1 && dim <= 4; }

Frame frame_of_input(const Type *type, int channels) {
    const int64_t first = type->dim[1], last = type->dim[3];
    if (channels) return read_frame(type, first != channels && last == channels);
    return read_frame(type, !is_small(first) && is_small(last));
}

// The same size, or whole times as large or small: then every output pixel belongs to a block of input pixels.
static bool side_fits(int64_t a, int64_t b) { return a > 0 && b > 0 && (a % b == 0 || b % a == 0); }
static bool frame_fits(const Frame *frame, const Frame *input) {
    return side_fits(frame->height, input->height) && side_fits(frame->width, input->width) &&
           frame->height * input->width == frame->width * input->height;
}
static bool frame_is_same(const Frame *frame, const Frame *input) {
    return frame->height == input->height && frame->width == input->width;
}

Status frame_of_output(const Type *type, const Frame *input, Frame *out) {
    FAIL_IF(type->dtype != DT_F32, ST_UNSUPPORTED, "segment needs a float32 output, the network's is %s",
            dtype_name(type->dtype));
    Type padded = *type;
    if (type->rank == 3) padded = (Type){DT_F32, 4, {type->dim[0], 1, type->dim[1], type->dim[2]}};
    if (padded.rank == 4 && padded.dim[0] == 1) {
        const Frame ways[2] = {read_frame(&padded, input->channels_last), read_frame(&padded, !input->channels_last)};
        for (int i = 0; i < 4; i++) {
            *out = ways[i % 2];
            if (i < 2 ? frame_is_same(out, input) : frame_fits(out, input)) return ST_OK;
        }
    }
    Text shape = {0};
    const Shape dims = type_shape(type);
    shape_print(&shape, &dims);
    Status status = fail(ST_UNSUPPORTED,
                         "segment needs an output of 1 x classes x height x width that covers the input's "
                         "%lldx%lld, the network's is %s",
                         (long long)input->height, (long long)input->width, text_get(&shape));
    text_free(&shape);
    return status;
}

Shape frame_shape(const Frame *frame) {
    if (frame->channels_last) return (Shape){4, {1, frame->height, frame->width, frame->channels}};
    return (Shape){4, {1, frame->channels, frame->height, frame->width}};
}
void frame_from_planes(const Frame *frame, const float *planes, float *tensor) {
    const int64_t pixels = frame->height * frame->width;
    if (frame->channels_last) interleaved_from_planes(planes, pixels, frame->channels, tensor);
    else memcpy(tensor, planes, (size_t)(pixels * frame->channels) * sizeof *planes);
}
void frame_to_planes(const Frame *frame, const float *tensor, float *planes) {
    const int64_t pixels = frame->height * frame->width;
    if (frame->channels_last) planes_from_interleaved(tensor, pixels, frame->channels, planes);
    else memcpy(planes, tensor, (size_t)(pixels * frame->channels) * sizeof *planes);
}

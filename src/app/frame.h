// Where the picture lies in a network's tensor of four dims: (1, channels, height, width), as PyTorch has it, or
// (1, height, width, channels), as networks from TensorFlow may.
#pragma once
#include "graph/graph.h"

typedef struct Frame {
    int64_t channels, height, width; // below 0: free
    bool channels_last;
} Frame;

// channels: what the pipeline says, 0: nothing. Only for rank 4. Channels last when only the last dim agrees, or, with
// nothing said, when only the last dim is as small as channels are (1 to 4).
Frame frame_of_input(const Type *type, int channels);
// The output beside its input's frame: it is laid out so that its height and width go with the input's; the input's own
// order first. ST_UNSUPPORTED: neither way, or not float32 (1, H, W), (1, C, H, W), (1, H, W, C).
Status frame_of_output(const Type *type, const Frame *input, Frame *out);

Shape frame_shape(const Frame *frame); // of the tensor, batch 1
// Between the tensor and planes (channels, height, width).
void frame_from_planes(const Frame *frame, const float *planes, float *tensor);
void frame_to_planes(const Frame *frame, const float *tensor, float *planes);

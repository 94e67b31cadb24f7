// Layouts: how a value lies in memory.
//
// PLAIN   row-major, any dtype, as in tensor.h. No border.
// BLOCKED float32 [n][channel block][d][h][w][block], with a border of zeros around each (d, h, w) volume:
//
//     stride.row
//     |<------------------------------>|
//     000000000000000000000000000000000     before[h] rows
//     0 pixel pixel ...         pixel 0     a pixel: `block` consecutive channels
//     0 pixel pixel ...         pixel 0     before[w] / after[w] pixels at the sides
//     000000000000000000000000000000000     after[h] rows
//
// As bfloat16 a pixel is 32 consecutive channels in the same 64 bytes (one channel after the other), a block 32
// channels; strides still count in floats. Only where the plan says so (forms_halve).
//
// The origin is pixel (0, 0, 0) of channel block 0 of image 0; the border lies at negative coordinates. Lanes beyond c
// in the last block hold finite values (readers multiply them by zero weights or ignore them).
// A part of a concatenation is a BLOCKED layout whose stride_n is its parent's.
#pragma once
#include "tensor/tensor.h"

typedef enum LayoutKind { LAYOUT_PLAIN, LAYOUT_BLOCKED } LayoutKind;
enum { AXIS_D, AXIS_H, AXIS_W, AXES };

typedef struct Layout {
    LayoutKind kind;
    DType dtype;
    Shape shape;               // of the tensor: (n, c, spatial...) when BLOCKED
    int block;                 // floats in a pixel: channels, or half of them (bfloat16)
    int64_t n, c, blocks;      // images, channels, channel blocks
    int64_t size[AXES];        // d, h, w; 1 where the tensor has fewer spatial dims
    int64_t before[AXES], after[AXES];
    int64_t stride_n, stride_block, stride[AXES]; // in floats; stride[AXIS_W] == block
} Layout;

Layout layout_plain(DType dtype, const Shape *shape);
// shape: (n, c, 1 to 3 spatial dims). Border as given. ST_BAD on overflow.
Status layout_blocked(const Shape *shape, int block, const int64_t before[AXES], const int64_t after[AXES],
                      Layout *out);
// The same as bfloat16; block: 16.
Status layout_halved(const Shape *shape, int block, const int64_t before[AXES], const int64_t after[AXES], Layout *out);
static inline bool layout_is_halved(const Layout *layout) {
    return layout->kind == LAYOUT_BLOCKED && layout->dtype == DT_BF16;
}
size_t layout_bytes(const Layout *layout);        // whole buffer with border
size_t layout_origin_bytes(const Layout *layout); // from the buffer's start to the origin
bool layout_same(const Layout *a, const Layout *b);
void layout_print(Text *text, const Layout *layout);

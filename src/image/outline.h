// Outlines of a mask as SVG path data.
#pragma once
#include "base/text.h"

// The borders of all that is not 0, on the edges between pixels: the corner of the top left pixel is 0 0, x goes right,
// y down. "M1 2h3v1h-3z" and so on, made of M, h, v and z only; filled even-odd it is the mask again. mask: (height,
// width). Nothing in the mask: nothing is added.
Status outline_path(const uint8_t *mask, int64_t height, int64_t width, Text *out);

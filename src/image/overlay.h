// A picture with the outline of its mask, for the eye: 8-bit RGB.
#pragma once
#include "image/image.h"

// samples: (height, width, channels) of `type`; 3 channels are shown as RGB, otherwise the first as grey. 8 bit is
// shown as it is; 16 bit and float through a window from the 0.5th to the 99.5th percentile of what is shown (values
// that are not finite don't count and are shown black).
// mask: (height, width), 0 background; each class has a colour of its own. The line is 1 pixel wide, just inside the
// class; on pictures of 512 pixels and more 2, the second one just outside.
// rgb: (height, width, 3).
Status overlay_draw(const void *samples, SampleType type, int64_t height, int64_t width, int64_t channels,
                    const uint8_t *mask, uint8_t *rgb);

// Makes TIFFs of every kind in memory, with encoders of its own, so that the reader is tested against something else
// than the project's writer.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct TiffRecipe {
    int width, height, channels; // as stored
    int bits, format;            // format 1 unsigned, 2 signed, 3 float
    int photometric, compression, predictor;
    bool big_endian, separate;
    int tile_width, tile_height; // 0: strips
    int rows_per_strip;          // 0: one strip
    int extra;                   // meaning of the last sample; -1: the tag is not there
    int pages;                   // 0 counts as 1
    int orientation, fill_order; // 0: the tag is not there
    const char *description;     // NULL: not there
    int resolution;              // samples per unit; 0: not there
} TiffRecipe;

// The stored sample: a bit pattern of the low `bits` bits.
typedef uint32_t TiffSample(const TiffRecipe *recipe, int page, int y, int x, int c);

// Returns the bytes (mem_free) and their number; ends the test when there is no memory.
uint8_t *tiff_make(const TiffRecipe *recipe, TiffSample *sample, size_t *size);

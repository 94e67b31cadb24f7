// One page (image file directory) of a TIFF, as read and checked. Private to the TIFF reader.
//
//   file:  header -> directory of page 0 -> directory of page 1 -> ... -> 0
//   page:  tags, each a field: a type, a count, and where in the file its values lie
//   data:  blocks, that is strips (as wide as the picture) or tiles, in rows; with separate planes one set a channel
#pragma once
#include "base/status.h"
#include "image/image.h"

typedef struct TiffFile {
    const uint8_t *bytes;
    size_t size;
    bool big_endian;
} TiffFile;

// The values of a tag lie in the file and are fetched one by one: nothing is allocated by a count from the file.
typedef struct TiffField {
    int tag, type;
    size_t count, at; // count 0: the tag is not there; all values lie inside the file
} TiffField;

enum { TIFF_FIELDS = 24 };

typedef struct TiffPage {
    TiffField fields[TIFF_FIELDS];
    int64_t width, height;
    int bits, sample_format; // of each sample as stored
    int stored_channels;     // samples per pixel as stored
    int channels;            // as given out: without alpha; 3 for a palette
    SampleType type;         // as given out
    int compression, photometric, predictor;
    bool separate; // one set of blocks a channel
    bool reduced;  // a thumbnail or a mask of another page
    int64_t block_width, block_height, blocks_across, blocks_down;
    bool tiled;
    TiffField offsets, counts; // of the blocks
    double spacing[3];         // millimetres; 0: unknown
} TiffPage;

uint32_t tiff_get16(const TiffFile *file, size_t at); // `at` lies inside
uint32_t tiff_get32(const TiffFile *file, size_t at);
const TiffField *tiff_find(const TiffPage *page, int tag);                       // NULL: not there
uint32_t tiff_value(const TiffFile *file, const TiffField *field, size_t index); // BYTE, SHORT or LONG; index < count

// Checks the header; `*directory` is where the first directory lies.
Status tiff_open_header(TiffFile *file, size_t *directory);
// Where the next directory lies (0: none) and how long this one is, in bytes.
Status tiff_next(const TiffFile *file, size_t directory, size_t *next, size_t *length);
Status tiff_read_page(const TiffFile *file, size_t directory, TiffPage *page);

// Which pictures `segment` takes, in which order, and where their masks go.
#pragma once
#include "base/memory.h"
#include "base/status.h"

typedef struct SegmentFile {
    const char *path;   // PATH as given, or PATH/FOLDER/NAME
    const char *output; // below the output folder, without its ending: FOLDER/STEM, or FOLDER/NAME where stems collide
    const char *real;   // without links
    int volume;         // pictures of one folder have one number
} SegmentFile;

typedef struct SegmentNames { // what is written for a picture: output + ending
    const char *endings[3];
    int count;
} SegmentNames;

// Files and folders (with all below them) in natural order, a folder's files before its folders. Left out: *_mask.*,
// names that begin with a dot, the output folder, a file that was there already; in folders also what is neither TIFF
// nor PNG by content, unless it is called so (it is listed, and fails when it is read).
// ST_BAD: a path that is not there, no pictures. ST_USAGE: an output would overwrite a picture or another's output.
Status segment_list(const char *const *paths, int n_paths, const char *folder, const SegmentNames *names, Arena *arena,
                    SegmentFile **files, size_t *count);

// results.json of `segment`: a line a file, each a JSON object. Replaced atomically, now and then and at the end, so
// that a run that was killed can be resumed.
#pragma once
#include "base/json.h"

// A line of an earlier run.
typedef struct EarlierResult {
    const char *path, *hash, *content_hash, *options, *line;
    size_t number; // in the order of reading
    bool ok;
    bool taken; // not to be kept: this run came to its path, or it stands in a file of its own
} EarlierResult;

typedef struct SegmentResults {
    const char *path;       // of the file
    const char *folder;     // where it lies
    EarlierResult *earlier; // sorted by path; of two lines for one path the one read last
    size_t n_earlier;
    bool keeps;         // the lines that are being read
    const char **lines; // of this run, in order
    size_t n_lines;
    uint64_t written_ns; // when it was last written
    Arena arena;
} SegmentResults;

// expected: how many lines at most this run adds. name: "results.json".
Status results_open(const char *folder, const char *name, size_t expected, SegmentResults *out);
void results_close(SegmentResults *results);
// Reads the lines of all results*.json in the folder; lines that are no results are skipped.
// merge: those of other files (shards) stay too and come into this one.
Status results_read_earlier(SegmentResults *results, bool merge);
EarlierResult *results_find(SegmentResults *results, const char *path); // NULL: none
// Adds a line of this run (copied); writes the file when it was last written more than two seconds ago.
Status results_add(SegmentResults *results, const char *line);
// Earlier lines whose path this run did not come to stay, in front of this run's.
Status results_write(SegmentResults *results);

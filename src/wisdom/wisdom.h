// Wisdom: what was measured, on this machine and others, as text that is only ever added to and that travels.
//
// A line is one comparison: of a problem's configurations a candidate against a named incumbent, in one paired run.
// Fields lie between tabs:
//
//     w1 HASH64  DATE  ISA  MACHINE  THREADS  PROBLEM  INCUMBENT  CANDIDATE  RATIO  LOW  HIGH
//
// HASH64: of what stands behind the first tab, 16 hex digits. Names of configurations hold the solver and its version,
// so that wisdom of other versions never meets. Nothing in a line is taken apart but its numbers: names are compared.
// Wisdom orders candidates and decides nothing; so a damaged line is skipped and counted, and a lie costs time only.
#pragma once
#include "base/memory.h"
#include "base/status.h"
#include "base/text.h"

enum { WISDOM_LINE = 4096 };               // bytes of a line, with its end
enum { WISDOM_BYTES = 256 * 1024 * 1024 }; // of a file; nothing is added beyond, and nothing read

// Texts without control characters; ratios within 0.001 to 1000.
typedef struct WisdomLine {
    const char *date;    // of the measurement, UTC: "2026-11-28T22:47:32Z"
    const char *isa;     // "avx2"
    const char *machine; // CPU and caches, as tuning describes them
    int threads;
    const char *problem, *incumbent, *candidate;
    double ratio;     // time of the candidate / of the incumbent
    double low, high; // the least and the largest of the pairs in the run
} WisdomLine;
typedef struct WisdomCount {
    int64_t lines, bad; // whole ones; damaged ones, or of another version
    bool cut;           // there is more than WISDOM_BYTES
} WisdomCount;

// Where wisdom lies: `given`, else STENT_WISDOM, else "wisdom" in the user's data folder. *out NULL: nowhere.
Status wisdom_path(Arena *arena, const char *given, const char **out);
bool wisdom_fits(const WisdomLine *line); // its numbers are in range
// Adds one line to `text`. ST_RESOURCE: no memory; ST_BAD: too long, or it does not fit.
Status wisdom_print(const WisdomLine *line, Text *text);
// Reads one line of `length` bytes, without its end, into `buffer`, where the texts lie. False: damaged.
bool wisdom_parse(const char *text, size_t length, char buffer[WISDOM_LINE], WisdomLine *out);
// Calls `visit` for each whole line, in order, with the line as it stands in the file (no end, `length` bytes). A file
// that is missing is an empty one; anything but ST_OK of `visit` ends it.
typedef Status WisdomVisit(void *context, const WisdomLine *line, const char *text, size_t length);
Status wisdom_read(const char *path, WisdomVisit *visit, void *context, WisdomCount *count);
// Adds lines that wisdom_print made, in one write; the folder is made. ST_RESOURCE also when the file is full.
Status wisdom_append(const char *path, const Text *lines);

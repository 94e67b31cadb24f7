// The log that --log asks for: a line of JSON for each run of a verb and each picture, added to a file. It says what
// was done to what by hashes; names of files and messages, which hold such names, only with --log-paths.
#pragma once
#include "base/json.h"
#include "stent.h"

typedef struct LogLine {
    const stent_options *options; // the caller's; without a log_file nothing is written
    Text text;
    JsonWriter writer; // of `text`, for the members that a verb adds
    uint64_t start_ns;
} LogLine;
// "date", "stent", "verb". Each line that is begun is ended or dropped. It must not move between.
void log_line_begin(LogLine *line, const stent_options *options, const char *verb);
// "path", only with --log-paths.
void log_line_path(LogLine *line, const char *path);
// "status", "ms" since the beginning, and with --log-paths the message of a failure; writes and frees. On failure the
// line's own message takes the place of the recorded one only when `status` is ST_OK, so that nothing else is hidden.
Status log_line_end(LogLine *line, Status status);
void log_line_drop(LogLine *line);

#include "app/run_log.h"
#include "base/clock.h"
#include "base/file.h"
#include <math.h>
#include <stdio.h>

static bool wanted(const LogLine *line) { return line->options && line->options->log_file; }

static const char *word(Status status) {
    switch (status) {
    case ST_OK: return "ok";
    case ST_NO: return "no";
    case ST_USAGE: return "usage";
    case ST_BAD: return "bad";
    case ST_UNSUPPORTED: return "unsupported";
    case ST_RESOURCE: return "resource";
    case ST_CANCELLED: return "cancelled";
    }
    return "?";
}

void log_line_begin(LogLine *line, const stent_options *options, const char *verb) {
    char date[24];
    *line = (LogLine){.options = options, .start_ns = clock_ns()};
    line->writer.text = &line->text;
    clock_date(date);
    json_begin_object(&line->writer);
    json_key(&line->writer, "date"), json_string(&line->writer, date);
    json_key(&line->writer, "stent"), json_string(&line->writer, STENT_VERSION);
    json_key(&line->writer, "verb"), json_string(&line->writer, verb);
}
void log_line_path(LogLine *line, const char *path) {
    if (!wanted(line) || !line->options->log_paths || !path) return;
    json_key(&line->writer, "path"), json_string(&line->writer, path);
}
static Status append(LogLine *line, Status status, const char *message) {
    JsonWriter *w = &line->writer;
    json_key(w, "status"), json_string(w, word(status));
    json_key(w, "ms"), json_number(w, floor(clock_ms_since(line->start_ns) + 0.5));
    if (line->options->log_paths && status != ST_OK) json_key(w, "message"), json_string(w, message);
    json_end_object(w);
    text_add(&line->text, "\n");
    TRY(text_status(&line->text));
    return file_append(line->options->log_file, text_get(&line->text), line->text.length);
}
Status log_line_end(LogLine *line, Status status) {
    char message[4096];
    snprintf(message, sizeof message, "%s", error_message());
    const Status logged = wanted(line) ? append(line, status, message) : ST_OK;
    log_line_drop(line);
    if (status == ST_OK || logged == ST_OK) return status == ST_OK ? logged : status;
    return fail_record(status, "%s", message);
}
void log_line_drop(LogLine *line) {
    text_free(&line->text);
    *line = (LogLine){0};
}

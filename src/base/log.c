#include "base/log.h"
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

// Set once at the start, before other threads log.
static LogSink *log_sink;
static void *log_context;
static LogLevel log_level = LOG_NOTE;

void log_set(LogSink *sink, void *context, LogLevel level) {
    log_sink = sink;
    log_context = context;
    log_level = level;
}

static void log_line(LogLevel level, const char *format, va_list args) {
    char line[2048];
    if (level > log_level) return;
    vsnprintf(line, sizeof line, format, args);
    if (log_sink) log_sink(log_context, level, line);
    else fprintf(stderr, "%s\n", line);
}

void log_note(const char *format, ...) {
    va_list args;
    va_start(args, format);
    log_line(LOG_NOTE, format, args);
    va_end(args);
}

void log_verbose(const char *format, ...) {
    va_list args;
    va_start(args, format);
    log_line(LOG_VERBOSE, format, args);
    va_end(args);
}

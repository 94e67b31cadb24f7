// Messages to the person at the terminal go to stderr or to the caller's logger; never patient data at level NOTE.
#pragma once
typedef enum LogLevel { LOG_QUIET, LOG_NOTE, LOG_VERBOSE } LogLevel;
typedef void LogSink(void *context, LogLevel level, const char *line);
void log_set(LogSink *sink, void *context, LogLevel level); // sink NULL: stderr
void log_note(const char *format, ...) __attribute__((format(printf, 1, 2)));    // shown unless -q
void log_verbose(const char *format, ...) __attribute__((format(printf, 1, 2))); // shown with -v

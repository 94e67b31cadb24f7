// A helper program, spoken to in lines: what it reads comes from us, what it prints comes to us; its messages go to
// our stderr.
#pragma once
#include "base/status.h"
#include <stddef.h>

typedef struct Process Process;
// argv: NULL-terminated; argv[0] is looked for in PATH. ST_UNSUPPORTED: it is not there, or cannot be started.
Status process_start(const char *const *argv, Process **out);
// ST_RESOURCE: it is gone, or has not read for so many seconds.
Status process_write(Process *process, const char *bytes, size_t count, double seconds);
// One line without its end, NUL-terminated, in memory that is the process's until the next call. ST_RESOURCE: it is
// gone, has said nothing for so many seconds, or said more than `most` bytes.
Status process_line(Process *process, size_t most, double seconds, const char **line, size_t *length);
// Takes its input away, waits a second, ends it. NULL is fine.
void process_end(Process *process);

// Status codes and the error trail.
//
// Three kinds of trouble, three ways: a bug asserts; bad input gives a status and a message with file, place,
// expected, got and what to do; a lack of memory or disk gives ST_RESOURCE. A function that can fail returns
// Status and says why with fail(). The message is kept per thread; callers may put context in front of it.
#pragma once
#include <stdbool.h>
#include <stddef.h>

// name, exit status, what it means. The numbers are the program's exit status (docs/INTERFACE.md).
#define STATUS_MAP(X)                                   \
    X(ST_OK, 0, "done")                                 \
    X(ST_NO, 1, "done, and the answer is no")           \
    X(ST_USAGE, 2, "wrong use")                         \
    X(ST_BAD, 3, "bad or damaged input")                \
    X(ST_UNSUPPORTED, 4, "well-formed but not supported") \
    X(ST_RESOURCE, 5, "no memory, no disk, no permission") \
    X(ST_CANCELLED, 6, "stopped by the caller")

typedef enum Status {
#define STATUS_ENUM(name, code, text) name = code,
    STATUS_MAP(STATUS_ENUM)
#undef STATUS_ENUM
} Status;

// Records a message (printf-like, one line, without the final newline) and returns `code`.
// Bytes that a terminal would interpret (control characters) are written as \xNN: foreign names pass through here.
// (A macro over fail_record, so that the compiler sees the code that comes back and that it is not ST_OK.)
#define fail(code, ...)                               \
    __extension__({                                   \
        Status fail_code_ = (code);                   \
        (void)fail_record(fail_code_, __VA_ARGS__);   \
        if (fail_code_ == ST_OK) __builtin_unreachable(); \
        fail_code_;                                   \
    })
Status fail_record(Status code, const char *format, ...) __attribute__((format(printf, 2, 3), cold));

// Puts "context: " in front of the recorded message; returns `code`. Example: return fail_context(s, "%s", path);
Status fail_context(Status code, const char *format, ...) __attribute__((format(printf, 2, 3), cold));

// The usual message for a failed allocation.
static inline Status fail_memory(size_t bytes) {
    return fail(ST_RESOURCE, "no memory for %zu more bytes; close other programs or use a smaller input", bytes);
}

// The usual message for a failed system call: "PATH: cannot WHAT: strerror(errno)". ENOENT and the like are
// ST_BAD, all else ST_RESOURCE (see status.c).
Status fail_errno(const char *path, const char *what) __attribute__((cold));

// The message of the last failure in this thread ("" when there was none), and its code.
const char *error_message(void);
void error_clear(void);
const char *status_text(Status code);

// Returns from the calling function when `expression` is not ST_OK.
#define TRY(expression)                          \
    do {                                         \
        Status try_status_ = (expression);       \
        if (try_status_ != ST_OK) return try_status_; \
    } while (0)
// Returns fail(code, ...) when `condition` holds.
#define FAIL_IF(condition, code, ...)                \
    do {                                             \
        if (condition) return fail(code, __VA_ARGS__); \
    } while (0)

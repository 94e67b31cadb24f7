#include "base/status.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { MESSAGE_SIZE = 4096 };
static _Thread_local char message[MESSAGE_SIZE];

// Cuts an incomplete UTF-8 character off the end, as left over when a text was cut at a byte.
static void drop_partial_character(char *text) {
    size_t length = strlen(text), start = length;
    while (start > 0 && length - start < 3 && ((unsigned char)text[start - 1] & 0xc0) == 0x80) start--;
    if (start == 0) return;
    unsigned char lead = (unsigned char)text[start - 1];
    size_t wanted = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
    if (length - (start - 1) < wanted) text[start - 1] = 0;
}

// Copies text into `out` with control characters written as \xNN: C0, DEL, and C1, which in UTF-8 is C2 80..9F.
static void copy_visible(char *out, size_t size, const char *text) {
    static const char digits[] = "0123456789abcdef";
    size_t length = 0;
    for (const unsigned char *at = (const unsigned char *)text; *at && length + 4 < size; at++) {
        bool is_c1 = at[0] == 0xc2 && at[1] >= 0x80 && at[1] <= 0x9f;
        if (*at >= 0x20 && *at != 0x7f && !is_c1) {
            out[length++] = (char)*at;
        } else {
            unsigned char byte = is_c1 ? *++at : *at;
            memcpy(out + length, "\\x", 2);
            out[length + 2] = digits[byte >> 4];
            out[length + 3] = digits[byte & 15];
            length += 4;
        }
    }
    out[length] = 0;
    drop_partial_character(out);
}

Status fail_record(Status code, const char *format, ...) {
    char raw[MESSAGE_SIZE];
    va_list args;
    va_start(args, format);
    vsnprintf(raw, sizeof raw, format, args);
    va_end(args);
    copy_visible(message, sizeof message, raw);
    return code;
}

Status fail_context(Status code, const char *format, ...) {
    char context[MESSAGE_SIZE], old[MESSAGE_SIZE];
    va_list args;
    va_start(args, format);
    vsnprintf(context, sizeof context, format, args);
    va_end(args);
    memcpy(old, message, sizeof old);
    copy_visible(message, sizeof message / 2, context);
    size_t length = strlen(message);
    if (old[0]) snprintf(message + length, sizeof message - length, ": %.*s", (int)(sizeof message - length - 3), old);
    drop_partial_character(message);
    return code;
}

// What the user named is wrong (ST_BAD), or the machine lacks something (ST_RESOURCE: space, permission, handles).
Status fail_errno(const char *path, const char *what) {
    int error = errno;
    bool is_bad = error == ENOENT || error == ENOTDIR || error == EISDIR || error == ENAMETOOLONG || error == ELOOP ||
                  error == EEXIST || error == EINVAL || error == ENXIO;
    return fail(is_bad ? ST_BAD : ST_RESOURCE, "%s: cannot %s: %s", path, what, strerror(error));
}

const char *error_message(void) { return message; }

void error_clear(void) { message[0] = 0; }

const char *status_text(Status code) {
    switch (code) {
#define STATUS_TEXT(name, number, text)                                                                                \
    case name: return text;
        STATUS_MAP(STATUS_TEXT)
#undef STATUS_TEXT
    }
    return "unknown status";
}

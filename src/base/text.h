// Growable text, and small text helpers. A Text that ran out of memory keeps what it has and sets `failed`:
// check once, at the end (text_status).
#pragma once
#include "base/status.h"
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Text {
    char *data; // NUL-terminated; NULL while empty
    size_t length, capacity;
    bool failed;
} Text;
void text_add(Text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_addv(Text *text, const char *format, va_list args);
void text_bytes(Text *text, const void *bytes, size_t count);
const char *text_get(const Text *text); // never NULL
Status text_status(const Text *text);   // ST_OK or ST_RESOURCE
void text_free(Text *text);

void text_base64(Text *text, const void *bytes, size_t count); // RFC 4648, with '=' at the end

// Shortest decimal form that reads back to the same float / double ("0.1", "inf", "-inf", "nan").
void text_float(Text *text, float value);
void text_double(Text *text, double value);

// A program that uses the library may have set a locale with a decimal comma. Between these two calls this thread has
// the "C" locale, so that text_add("%.2f") writes a point; the functions above and parse_double do so by themselves.
typedef struct PlainLocale {
    void *plain, *before; // locale_t; plain NULL: there was no memory, and the locale stays as it was
} PlainLocale;
PlainLocale enter_plain_locale(void);
void leave_plain_locale(PlainLocale state);

bool text_starts(const char *text, const char *prefix);
bool text_ends(const char *text, const char *suffix);
// Whole-string conversions; false when anything is left over or out of range. Locale-independent.
bool parse_i64(const char *text, int64_t *out);
bool parse_double(const char *text, double *out);
// Natural order: "slice_2" before "slice_10". Negative, zero, positive like strcmp.
int natural_compare(const char *a, const char *b);
// True when `text` is well-formed UTF-8.
bool utf8_valid(const char *text, size_t length);

#define _GNU_SOURCE
#include "base/text.h"
#include "base/memory.h"
#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// ---- growable text ----

static bool text_reserve(Text *text, size_t more) {
    size_t needed;
    if (text->failed || !add_size(text->length, more, &needed) || !add_size(needed, 1, &needed)) {
        text->failed = true;
        return false;
    }
    if (needed <= text->capacity) return true;
    size_t capacity = MAX(needed, MAX((size_t)64, text->capacity + text->capacity / 2));
    char *data = mem_resize(text->data, capacity);
    if (!data) {
        text->failed = true;
        return false;
    }
    text->data = data;
    text->capacity = capacity;
    return true;
}

void text_bytes(Text *text, const void *bytes, size_t count) {
    if (!text_reserve(text, count)) return;
    if (count) memcpy(text->data + text->length, bytes, count);
    text->length += count;
    text->data[text->length] = 0;
}

void text_addv(Text *text, const char *format, va_list args) {
    va_list again;
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    if (length < 0) text->failed = true;
    else if (text_reserve(text, (size_t)length)) {
        vsnprintf(text->data + text->length, (size_t)length + 1, format, again);
        text->length += (size_t)length;
    }
    va_end(again);
}

void text_add(Text *text, const char *format, ...) {
    va_list args;
    va_start(args, format);
    text_addv(text, format, args);
    va_end(args);
}

void text_base64(Text *text, const void *bytes, size_t count) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const uint8_t *at = bytes;
    for (size_t i = 0; i < count; i += 3) {
        const size_t left = count - i;
        const uint32_t three =
            (uint32_t)at[i] << 16 | (left > 1 ? (uint32_t)at[i + 1] << 8 : 0) | (left > 2 ? at[i + 2] : 0);
        const char four[4] = {digits[three >> 18], digits[three >> 12 & 63], left > 1 ? digits[three >> 6 & 63] : '=',
                              left > 2 ? digits[three & 63] : '='};
        text_bytes(text, four, sizeof four);
    }
}

const char *text_get(const Text *text) { return text->data ? text->data : ""; }

Status text_status(const Text *text) { return text->failed ? fail_memory(text->capacity) : ST_OK; }

void text_free(Text *text) {
    mem_free(text->data);
    *text = (Text){0};
}

// ---- numbers ----

PlainLocale enter_plain_locale(void) {
    PlainLocale state = {newlocale(LC_ALL_MASK, "C", (locale_t)0), NULL};
    if (state.plain) state.before = uselocale(state.plain);
    return state;
}

void leave_plain_locale(PlainLocale state) {
    if (!state.plain) return;
    uselocale(state.before);
    freelocale(state.plain);
}

// The least digits, up to `most`, that read back; small whole numbers as such ("100", not "1e+02").
static void add_shortest(Text *text, double value, bool is_float, int most) {
    char digits[40];
    if (isnan(value) || isinf(value)) {
        text_add(text, "%s", isnan(value) ? "nan" : value < 0 ? "-inf" : "inf");
        return;
    }
    PlainLocale state = enter_plain_locale();
    if (fabs(value) < 1e7 && value == floor(value)) {
        snprintf(digits, sizeof digits, "%.0f", value);
    } else {
        for (int precision = 1; precision <= most; precision++) {
            snprintf(digits, sizeof digits, "%.*g", precision, value);
            if (is_float ? strtof(digits, NULL) == (float)value : strtod(digits, NULL) == value) break;
        }
    }
    leave_plain_locale(state);
    text_add(text, "%s", digits);
}

void text_float(Text *text, float value) { add_shortest(text, (double)value, true, 9); }

void text_double(Text *text, double value) { add_shortest(text, value, false, 17); }

bool parse_i64(const char *text, int64_t *out) {
    bool is_negative = *text == '-';
    int64_t value = 0;
    if (*text == '-' || *text == '+') text++;
    if (!*text) return false;
    for (; *text; text++) {
        if (*text < '0' || *text > '9' || !mul_i64(value, 10, &value)) return false;
        int digit = *text - '0';
        if (!add_i64(value, is_negative ? -digit : digit, &value)) return false;
    }
    *out = value;
    return true;
}

static bool parse_special(const char *text, double *out) {
    bool is_negative = *text == '-';
    if (is_negative) text++;
    if (!strcmp(text, "inf")) *out = is_negative ? -INFINITY : INFINITY;
    else if (!strcmp(text, "nan") && !is_negative) *out = NAN;
    else return false;
    return true;
}

bool parse_double(const char *text, double *out) {
    if (parse_special(text, out)) return true;
    if (!*text || text[strspn(text, "0123456789+-.eE")]) return false; // no blanks, no hexadecimal
    char *end;
    PlainLocale state = enter_plain_locale();
    errno = 0;
    double value = strtod(text, &end);
    bool is_good = *end == 0 && !(errno == ERANGE && isinf(value)); // too small is rounded, too large is refused
    leave_plain_locale(state);
    if (is_good) *out = value;
    return is_good;
}

// ---- strings ----

bool text_starts(const char *text, const char *prefix) { return !strncmp(text, prefix, strlen(prefix)); }

bool text_ends(const char *text, const char *suffix) {
    size_t length = strlen(text), end = strlen(suffix);
    return length >= end && !strcmp(text + length - end, suffix);
}

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Compares two runs of digits by value; when they are equal, both pointers are behind them.
static int compare_digits(const char **a, const char **b) {
    while (**a == '0') ++*a;
    while (**b == '0') ++*b;
    int order = 0;
    while (is_digit(**a) && is_digit(**b)) {
        if (!order) order = **a - **b;
        ++*a;
        ++*b;
    }
    if (is_digit(**a)) return 1;
    if (is_digit(**b)) return -1;
    return order;
}

int natural_compare(const char *a, const char *b) {
    const char *whole_a = a, *whole_b = b;
    while (*a && *b) {
        if (is_digit(*a) && is_digit(*b)) {
            int order = compare_digits(&a, &b);
            if (order) return order;
        } else {
            if (*a != *b) break;
            a++;
            b++;
        }
    }
    int order = (unsigned char)*a - (unsigned char)*b;
    return order ? order : strcmp(whole_a, whole_b); // "01" and "1" differ, so that sorting gives one order only
}

// The length of the well-formed character at `at` (RFC 3629: no overlong form, no surrogate, up to U+10FFFF), or 0.
static size_t utf8_length(const uint8_t *at, size_t left) {
    uint8_t lead = at[0];
    if (lead < 0x80) return 1;
    size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4 || length > left) return 0;
    uint8_t low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80; // the second byte's range
    uint8_t high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    if (at[1] < low || at[1] > high) return 0;
    for (size_t i = 2; i < length; i++)
        if ((at[i] & 0xc0) != 0x80) return 0;
    return length;
}

bool utf8_valid(const char *text, size_t length) {
    for (size_t at = 0, step; at < length; at += step) {
        step = utf8_length((const uint8_t *)text + at, length - at);
        if (!step) return false;
    }
    return true;
}

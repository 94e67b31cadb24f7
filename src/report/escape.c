// Text into HTML, and figures for people. See parts.h: what comes from a file goes through put's %s.
#include "report/parts.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Characters that turn the direction of the text around them (U+202A..E, U+2066..9): a name could look like another
// one.
static size_t turns_direction(const char *at) {
    const unsigned char *b = (const unsigned char *)at;
    const bool first = b[0] == 0xe2 && b[1] == 0x80 && b[2] >= 0xaa && b[2] <= 0xae;
    const bool second = b[0] == 0xe2 && b[1] == 0x81 && b[2] >= 0xa6 && b[2] <= 0xa9;
    return first || second ? 3 : 0;
}
static void put_escaped(Text *out, const char *text, bool breaks) {
    for (const char *at = text; *at; at++) {
        const unsigned char c = (unsigned char)*at;
        const size_t turn = turns_direction(at);
        if (turn) {
            text_add(out, "\\u%04x", 0x2000 | (at[1] & 0x3f) << 6 | (at[2] & 0x3f));
            at += turn - 1;
        } else if (c == '&') text_add(out, "&amp;");
        else if (c == '<') text_add(out, "&lt;");
        else if (c == '>') text_add(out, "&gt;");
        else if (c == '"') text_add(out, "&quot;");
        else if (c == '\'') text_add(out, "&#39;");
        else if (c == '\n' || c == '\t') text_add(out, " ");
        else if (c < 0x20 || c == 0x7f) text_add(out, "\\x%02x", c);
        else text_bytes(out, at, 1);
        if (breaks && c == '/' && at[1]) text_add(out, "<wbr>");
    }
}
void put_name(Text *out, const char *text) { put_escaped(out, text, true); }
// One conversion; `format` stands behind the '%'. Returns what follows.
static const char *put_one(Text *out, const char *format, va_list *args) {
    int digits = 6;
    if (*format == '.' && format[1] >= '0' && format[1] <= '9') digits = format[1] - '0', format += 2;
    if (*format == 's') put_escaped(out, va_arg(*args, const char *), false);
    else if (*format == 'd') text_add(out, "%d", va_arg(*args, int));
    else if (*format == 'f') text_add(out, "%.*f", digits, va_arg(*args, double));
    else if (*format == 'z') text_add(out, "%zu", va_arg(*args, size_t)), format++;
    else text_add(out, "%%"); // "%%"
    return format + 1;
}
void put(Text *out, const char *format, ...) {
    va_list args;
    va_start(args, format);
    while (*format) {
        const size_t plain = strcspn(format, "%");
        text_bytes(out, format, plain);
        format += plain;
        if (*format) format = put_one(out, format + 1, &args);
    }
    va_end(args);
}

// ---- figures

static const char thin_blank[] = "\u202f", minus[] = "\u2212", dash[] = "\u2013";

// "1234567" with its thousands apart; four digits stay together.
static void put_grouped(Text *out, const char *digits, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (i && count > 4 && (count - i) % 3 == 0) text_add(out, "%s", thin_blank);
        text_bytes(out, digits + i, 1);
    }
}
void put_figure(Text *out, double value, int digits) {
    char text[400]; // the longest double has 309 digits before its point
    if (!isfinite(value)) {
        text_add(out, "%s", dash);
        return;
    }
    snprintf(text, sizeof text, "%.*f", digits, fabs(value));
    if (value < 0 && text[strspn(text, "0.")]) text_add(out, "%s", minus); // not in front of a zero
    const size_t whole = strcspn(text, ".");
    put_grouped(out, text, whole);
    text_add(out, "%s", text + whole);
}
void put_small(Text *out, double value) {
    if (!isfinite(value) || !value) {
        put_figure(out, value, 0);
        return;
    }
    char text[32];
    snprintf(text, sizeof text, "%.1e", fabs(value)); // "3.9e-07"
    char *exponent = strchr(text, 'e');
    *exponent++ = 0;
    const int power = (int)strtol(exponent, NULL, 10);
    text_add(out, "%s%s\u00a0\u00d7\u00a010<sup>%s%d</sup>", value < 0 ? minus : "", text, power < 0 ? minus : "",
             abs(power));
}
static int rounded_digits(double value) {
    const double size = fabs(value);
    return value == floor(value) && size < 1e15 ? 0 : size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3;
}
void put_rounded(Text *out, double value) {
    const double size = fabs(value);
    if (isfinite(value) && value && (size < 5e-4 || size >= 1e15)) put_small(out, value);
    else put_figure(out, value, rounded_digits(value));
}
void put_ms(Text *out, double ms) {
    const double size = fabs(ms);
    const bool seconds = size >= 10000, micro = size < 0.1 && ms;
    const double value = seconds ? ms / 1000 : micro ? ms * 1000 : ms;
    const double shown = fabs(value);
    put_figure(out, value, shown >= 1000 ? 0 : shown >= 100 ? 1 : 2);
    if (isfinite(ms)) text_add(out, "\u00a0%s", seconds ? "s" : micro ? "\u00b5s" : "ms");
}
void put_estimate(Text *out, Estimate estimate, int digits) {
    put_figure(out, estimate.value, digits);
    if (isnan(estimate.low) || isnan(estimate.high)) return;
    text_add(out, " <small class=\"interval\">");
    put_figure(out, estimate.low, digits);
    text_add(out, " to ");
    put_figure(out, estimate.high, digits);
    text_add(out, "</small>");
}
void put_plural(Text *out, double count, const char *one, const char *many) {
    put_figure(out, count, 0);
    put(out, " %s", count == 1 ? one : many);
}
void put_plain(Text *out, double value) {
    if (isfinite(value)) text_double(out, value);
}

// ---- what goes out unescaped, because it is only this

static const char picture_prefix[] = "data:image/png;base64,";

bool is_picture_uri(const char *text) {
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    if (!text_starts(text, picture_prefix)) return false;
    const char *body = text + strlen(picture_prefix);
    const size_t length = strspn(body, alphabet), padding = strspn(body + length, "=");
    return length && padding <= 2 && !body[length + padding];
}
bool is_outline_path(const char *text) { return !text[strspn(text, "Mhvz0123456789- ")]; }

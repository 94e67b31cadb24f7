#include "wire/pickle_line.h"
#include "base/text.h"
#include <string.h>

static int digit_of(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    const char lower = c >= 'A' && c <= 'F' ? (char)(c + 32) : c;
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : 99;
}

// The number of `count` digits at `at`, at most 8 of them; false: other characters, or the NUL at the end.
static bool parse_digits(const char *at, int count, int base, uint32_t *out) {
    *out = 0;
    for (int i = 0; i < count; i++) {
        const int digit = digit_of(at[i]);
        if (digit >= base) return false;
        *out = *out * (uint32_t)base + (uint32_t)digit;
    }
    return true;
}

// What stands behind a backslash; *at and *to move behind it.
static bool read_escape(const char **at, char **to) {
    static const char names[] = "\\'\"abfnrtv", values[] = "\\'\"\a\b\f\n\r\t\v";
    const char *name = **at ? strchr(names, **at) : NULL;
    uint32_t code;
    if (name) {
        *(*to)++ = values[name - names];
        *at += 1;
        return true;
    }
    const bool is_hex = **at == 'x';
    if (!(is_hex ? parse_digits(*at + 1, 2, 16, &code) : parse_digits(*at, 3, 8, &code)) || code > 255) return false;
    *(*to)++ = (char)code;
    *at += 3;
    return true;
}

bool pickle_unquote(char *line, size_t *size) {
    char *to = line;
    const bool is_quoted = *size >= 2 && (*line == '\'' || *line == '"') && line[*size - 1] == *line;
    if (!is_quoted || strlen(line) != *size) return false;
    line[*size - 1] = 0;
    for (const char *at = line + 1; *at;) {
        if (*at != '\\') *to++ = *at++;
        else if (at++, !read_escape(&at, &to)) return false;
    }
    *to = 0;
    *size = (size_t)(to - line);
    return true;
}

static char *put_utf8(char *to, uint32_t code) {
    static const uint8_t leads[4] = {0, 0xc0, 0xe0, 0xf0};
    const int more = code < 0x80 ? 0 : code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    *to++ = (char)(leads[more] | code >> (6 * more));
    for (int i = more - 1; i >= 0; i--) *to++ = (char)(0x80 | (code >> (6 * i) & 0x3f));
    return to;
}

bool pickle_unescape(const char *line, size_t size, char *to, size_t *length) {
    char *const start = to;
    for (size_t i = 0; i < size;) {
        uint32_t code = (uint8_t)line[i];
        const int digits = code != '\\' ? 0 : line[i + 1] == 'u' ? 4 : line[i + 1] == 'U' ? 8 : 0;
        if (digits && (!parse_digits(line + i + 2, digits, 16, &code) || code > 0x10ffff)) return false;
        to = put_utf8(to, code); // a byte becomes two at most, an escape four
        i += digits ? (size_t)digits + 2 : 1;
    }
    *to = 0;
    *length = (size_t)(to - start);
    return utf8_valid(start, *length); // no halves of a pair
}

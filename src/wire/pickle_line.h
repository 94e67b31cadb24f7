// The escapes in the lines of pickles of protocol 0.
#pragma once
#include <stdbool.h>
#include <stddef.h>

// repr() of a str of Python 2, in quotes of either kind, becomes the str, in place: a NUL behind it, *size its bytes.
// False: it is none.
bool pickle_unquote(char *line, size_t *size);
// Python's raw-unicode-escape (Latin-1 but for \uXXXX and \UXXXXXXXX) to UTF-8. `line` has a NUL behind it, `to` has
// room for twice as many bytes and one more. False: digits are missing, or a character is none.
bool pickle_unescape(const char *line, size_t size, char *to, size_t *length);

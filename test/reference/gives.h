// Small cases written as graph text: statements that make %y (or another value), and what it must be, written like a
// constant. Each case runs as it is, and again with float64 storage.
//     GIVES("%x = const float32[2] {-1, 3} %y = Relu (%x)", "float32[2] {0, 3}");
#pragma once
#include "reference/reference.h"
#include "test.h"

// `before`: statements in front, shared by several cases ("" for none).
void check_gives(const char *file, int line, const char *before, const char *statements, const char *value,
                 const char *expected, double tolerance, bool wide);
// Only the message matters, or part of it.
void check_refuses(const char *file, int line, const char *statements, Status status, const char *part);

#define GIVES(statements, expected) check_gives(__FILE__, __LINE__, "", statements, "y", expected, 1e-6, true)
#define GIVES_VALUE(statements, value, expected)                                                                       \
    check_gives(__FILE__, __LINE__, "", statements, value, expected, 1e-6, true)
#define GIVES_AFTER(before, statements, expected)                                                                      \
    check_gives(__FILE__, __LINE__, before, statements, "y", expected, 1e-6, true)
// For what depends on the storage of floats, or on the last bit.
#define GIVES_NARROW(statements, expected) check_gives(__FILE__, __LINE__, "", statements, "y", expected, 1e-6, false)
#define REFUSES(statements, status, part) check_refuses(__FILE__, __LINE__, statements, status, part)

// Parses a whole graph and runs it on the inputs; output i in outputs[i]. Ends the test when that fails.
Graph *parse_or_end(const char *text);
// Element by element, and NaN where NaN is expected; dtypes are not compared.
bool nearly_equal(const Tensor *a, const Tensor *b, double tolerance);

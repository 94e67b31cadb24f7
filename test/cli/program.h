// Calls the built program as a user does.
#pragma once
#include "base/json.h"
#include "import/onnx_writer.h"

enum { PROGRAM_OUT = 1 << 20 };
// Runs "stent WORD WORD ..."; words end with NULL. Exit status; what it wrote is in program_out: both streams, or with
// program_stdout standard output alone. Skips the test where the program is not built. Plans' records go to the test's
// own folder.
extern char program_out[PROGRAM_OUT];
int program(const char *word, ...) __attribute__((sentinel));
int program_stdout(const char *word, ...) __attribute__((sentinel));
// The whole of program_out as JSON; ends the test when it is not one object.
const Json *program_json(Arena *arena);
// One line, "stent: ...", and it holds `part`.
void check_one_line(const char *part);

// A small network: 3 channels of 32x32, convolutions, pooling, up-sampling, a concatenation, sigmoid. Paths in this
// test's folder.
const char *small_model(void);
const char *small_package(void); // compiled by the program
const char *wide_package(void);  // two convolutions for which the choice of a configuration matters

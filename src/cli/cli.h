// The command line: one file a verb, each parses, makes one call of stent.h and prints. Sees include/stent.h only.
//
//     int verb_bench(int argc, char **argv) {          // argv[0] is the verb
//         static const Help help = {...};
//         Cli cli = {0};
//         const Option options[] = {{"repeat", 0, OPTION_COUNT, &repeat, "N", "so many runs"}, {0}};
//         if (!cli_begin(&cli, &help, options, argc, argv)) return cli.exit_status;
//         ... cli.common, cli.arguments ...
//         return cli_end(&cli, stent_bench(...), result);
//     }
#pragma once
#include "stent.h"

typedef int Verb(int argc, char **argv);
Verb verb_demo, verb_info, verb_machine, verb_compile, verb_run, verb_bench, verb_tune, verb_profile, verb_verify,
    verb_segment, verb_wisdom, verb_eval, verb_report;

enum { LIST_ITEMS = 256 };
typedef struct List {
    const char *items[LIST_ITEMS + 1]; // NULL-terminated
    int count;
} List;

typedef enum OptionKind {
    OPTION_FLAG,    // bool *, no argument
    OPTION_TEXT,    // const char **
    OPTION_COUNT,   // int *, from 0 on
    OPTION_NUMBER,  // double *
    OPTION_SECONDS, // double *: 3, 2.5s, 200ms, 1m
    OPTION_BYTES,   // uint64_t *: 150M, 2G, 512Mi
    OPTION_LIST,    // List *: may be repeated
    OPTION_SHARD,   // int [2]: i/N
    OPTION_LATER    // not had yet: named, and the exit status is 4
} OptionKind;
typedef struct Option {
    const char *name; // without "--"; NULL ends a table
    char letter;      // or 0
    OptionKind kind;
    void *to;
    const char *argument; // as --help shows it, "N"; NULL for flags
    const char *help;
} Option;

typedef struct Help {
    const char *verb;
    const char *arguments; // "NET.stent [options]"
    const char *summary;
    const char *example;
    int min_arguments, max_arguments; // positional; max -1: any number
    bool opens_package;               // takes --input, --precision, --max-memory, --untuned, --log
} Help;

// What is said of a model file; to options that hold `common`.
#define OPTIONS_OF_MODEL(common)                                                                                       \
    {"arch", 0, OPTION_TEXT, &(common).arch, "FILE", "graph text of the network that a file of weights belongs to"}, { \
        "signature", 0, OPTION_TEXT, &(common).signature, "NAME", "of a SavedModel (default: the usual one)"           \
    }

// A call of a verb.
typedef struct Cli {
    int exit_status;
    stent_options common;
    bool json, quiet, verbose;
    List inputs;            // --input
    const char **arguments; // positional, in argv
    int n_arguments;
} Cli;
// Parses everything; common options are known to it. False: end with cli->exit_status (--help, a wrong argument).
bool cli_begin(Cli *cli, const Help *help, const Option *options, int argc, char **argv);
// Prints the result (text or JSON) to stdout, the error to stderr, frees the result; returns the exit status.
int cli_end(Cli *cli, stent_status status, stent_result *result);
// "stent: MESSAGE" on stderr; returns status.
int cli_fail(stent_status status, const char *format, ...) __attribute__((format(printf, 2, 3)));
// Whether all that was printed to stdout got there; else a line on stderr and the exit status.
int cli_flush(void);
// Moves what names files rather than shapes from cli->inputs to `files`; common.inputs keeps the shapes.
void cli_split_inputs(Cli *cli, List *files);
// The name of those that looks most like `wrong`, or NULL.
const char *cli_closest(const char *wrong, const char *const *names);

// terminal.c: progress bar, log lines, signals.
void terminal_begin(bool quiet, bool verbose);
stent_progress terminal_progress; // draws the bar where stderr is a terminal; not 0 once the user pressed Ctrl-C
void terminal_clear(void);        // takes the bar away
void terminal_signals(void);
void terminal_streams(void); // a closed stdin, stdout or stderr must not become a file that is opened later

// The program and a hostile file. It must end with 0, 3 or 4 (2 where a model asks for a shape, 5 where a network asks
// for more memory than it was allowed), say why in one line, take at most a gigabyte and be done soon.
//
// The program is stent-checksums-off, beside the one under test: with its checksums a changed byte would hardly ever
// reach a parser.
#pragma once

typedef struct Tally {
    int runs, by_status[256], slow; // slow: took more than 5 s of processor time
    double worst_seconds;
    long worst_kilobytes;
} Tally;

const char *hostile_program(void); // skips the test where it is not built
// Runs words[0] with the words behind it, which end with NULL; checks all of the above; gives the exit status. `file`
// is kept as $STENT_KEEP_FAILURES/NAME when it does harm.
int run_hostile(const char *const *words, const char *file, const char *name, Tally *tally);
void tell_tally(const char *what, const Tally *tally);
// The program under test, for what is made rightly; ends the test when it fails.
void make_with_program(const char *const *words);

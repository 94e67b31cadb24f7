// The case file of eval: what was found of each case, a line each; for resuming and for merging shards.
#pragma once
#include "app/eval/eval.h"

typedef struct CaseFile CaseFile;
typedef struct CaseHeading {
    const char *depends; // what results depend on, as one text: only files with equal ones go together
    const char *with;    // the other network of --compare; "": none
    int shard, shards;   // 1, 1: all
    const char *model, *plan_hash, *isa, *cpu;
    int threads;
    bool finished;  // the run came to its end
    size_t damaged; // lines that say nothing
} CaseHeading;

// Reads a file that is there; texts of `heading` live as long as it. faults: gets those of its lines; NULL: none
// wanted.
Status case_file_read(const char *path, Faults *faults, CaseHeading *heading, CaseFile **out);
void case_file_close(CaseFile *file); // NULL is fine
size_t case_file_count(const CaseFile *file);
void case_file_name(const CaseFile *file, size_t i, const char **patient, const char **name);
Status case_file_record(const CaseFile *file, size_t i, Arena *arena, EvalRecord *out);
ptrdiff_t case_file_find(const CaseFile *file, const char *patient, const char *name); // below 0: none

// Begins a file, in the place of an earlier one: the heading (JSON), faults, and those lines of the earlier one that
// are kept (earlier NULL: none). Atomic.
Status case_file_start(const char *path, const char *heading, const Faults *faults, const CaseFile *earlier,
                       const bool *kept);
Status case_file_append(const char *path, Text *line); // and empties it
void case_file_fault(const Fault *fault, JsonWriter *w);

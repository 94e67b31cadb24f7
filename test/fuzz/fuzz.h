// What is fuzzed: one function for each reader of foreign bytes. It takes a file's bytes, reads them as the program
// does and gives 0. Whatever the bytes are, it must come back with a status: no crash, no leak, no hang, at most a
// gigabyte. It aborts when a reader breaks its word (a status without a message, a graph that does not print back).
//
// The same functions run under libFuzzer (`make fuzz`), over the corpus in stent-test, and over it with checksums off
// in fuzz-replay. docs: test/fuzz/README.md.
#pragma once
#include "base/status.h"
#include <stddef.h>
#include <stdint.h>

typedef int FuzzFunction(const uint8_t *data, size_t size);
FuzzFunction fuzz_onnx, fuzz_recognise, fuzz_protobuf, fuzz_package, fuzz_graph;
FuzzFunction fuzz_hdf5, fuzz_keras, fuzz_tflite;
FuzzFunction fuzz_tensorflow, fuzz_sstable;
FuzzFunction fuzz_tiff, fuzz_png, fuzz_npy, fuzz_npz;
FuzzFunction fuzz_pickle, fuzz_torch, fuzz_export, fuzz_script, fuzz_torchscript;
FuzzFunction fuzz_json, fuzz_pipeline, fuzz_results, fuzz_profile, fuzz_plan, fuzz_wisdom, fuzz_report;

typedef struct FuzzTarget {
    const char *name; // of its folder in test/fuzz/corpus
    FuzzFunction *run;
} FuzzTarget;
extern const FuzzTarget fuzz_targets[];
extern const size_t fuzz_target_count;
const FuzzTarget *fuzz_find(const char *name); // NULL: there is none

// For the functions. Aborts unless the status is one that a file may end in, with one line that says why. No memory is
// one of them: a sanitizer may refuse what the system would give.
void fuzz_check(Status status);
extern Status fuzz_status; // the last one that was checked
// Aborts, saying which file and line.
void fuzz_broken(const char *file, int line, const char *what) __attribute__((noreturn));
#define FUZZ_REQUIRE(condition) ((condition) ? (void)0 : fuzz_broken(__FILE__, __LINE__, #condition))
// Writes the bytes to a file of that name in a folder of this process's own, in memory; the same path each time.
const char *fuzz_file(const char *name, const void *data, size_t size);
const char *fuzz_folder(void);

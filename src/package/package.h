// The package: one file for every PC, never changed after it was made. Mapped, not read.
//
//     offset 0   header, 128 bytes: magic "STENTPK\n", format version, section count, file size, hash of header and
//                section table, SHA-256 of all sections (the content hash)
//     128        section table: kind, offset, size, hash64 of the bytes; 32 bytes an entry
//     ...        sections, each at a multiple of 64: graph text, constants, pipeline, self-check tensors, description
//
// All integers little-endian. A reader refuses a newer format version, a size that is not the file's, a section outside
// the file, overlapping sections, and bytes that do not give their hash. docs/FORMATS.md has the same in words.
#pragma once
#include "base/file.h"
#include "graph/graph.h"

enum { PACKAGE_VERSION = 1 };

// A sample of the network's inputs and what the outputs must be.
typedef struct SelfCheck {
    Tensor *inputs, *expected; // as graph->inputs, graph->outputs
    int n_inputs, n_outputs;   // 0: none
    bool from_reference;       // else by the strict path, which was checked against the reference on a crop
} SelfCheck;

typedef struct PackageContent {
    const Graph *graph;
    const char *pipeline;    // JSON
    const char *description; // JSON object: model, format, opset, opt level, precision, stent version
    SelfCheck check;
    const Mapping *sources;  // the files that the graph's constants lie in; nothing is written when one was cut short
    size_t n_sources;
} PackageContent;
// Atomic. hex gets the content hash.
Status package_write(const char *path, const PackageContent *content, char hex[65]);

typedef struct Package {
    Mapping mapping;
    Graph *graph;            // constants lie in the mapping
    char *pipeline, *description;
    SelfCheck check;         // data in the mapping
    char content_hash[65];
    Arena arena;
    const void *constants;   // the section of the weights
    size_t constants_bytes;
} Package;
// ST_BAD: damaged, cut short meanwhile, not a package; ST_UNSUPPORTED: a newer format version.
Status package_open(const char *path, Package **out);
void package_close(Package *package); // NULL is fine; the graph goes with it
// As file_intact: asked after constants or the self-check's data were read for the last time.
Status package_intact(const Package *package, Status status);
Status package_is(const char *path, bool *is); // the magic is there; a file that is not there is none

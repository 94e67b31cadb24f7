// The package: one file for every PC, never changed after it was made. Mapped, not read.
//
//     offset 0   header, 128 bytes: magic "STENTPK\n", format version, section count, file size, hash of the header,
//                SHA-256 of the sections that fix the answer (the content hash), hash of the section table
//     128        section table: kind, flags, offset, size, hash64 of the bytes; 32 bytes an entry
//     ...        sections, each at a multiple of 64: graph text, constants, pipeline, settings; optional ones:
//                self-check, description, plans
//
// All integers little-endian. A reader refuses a newer format version, a size that is not the file's, a section outside
// the file, overlapping sections, bytes that do not give their hash, and what it does not know, unless that is marked
// optional. docs/FORMATS.md has the same in words, and the rules by which the format may change.
#pragma once
#include "base/file.h"
#include "graph/graph.h"

// The newest format that is read. Written is the oldest one that a reader must know to understand the package.
enum { PACKAGE_VERSION = 1 };
enum { PACKAGE_PLANS_BYTES = 16 * 1024 * 1024 };

// A sample of the network's inputs and what the outputs must be.
typedef struct SelfCheck {
    Tensor *inputs, *expected; // as graph->inputs, graph->outputs
    int n_inputs, n_outputs;   // 0: none
    bool from_reference;       // else by the strict path, which was checked against the reference on a crop
} SelfCheck;

typedef struct PackageContent {
    const Graph *graph;
    const char *pipeline;    // JSON
    int opt_level;           // 0..3
    const char *precision;   // the least exact one that may be run (precision_name)
    const char *description; // JSON object: model, format, opset, stent version; fixes nothing of the answer
    SelfCheck check;
    const Mapping *sources;  // the files that the graph's constants lie in; nothing is written when one was cut short
    size_t n_sources;
} PackageContent;
// The package's bytes; hex gets the content hash.
Status package_bytes(const PackageContent *content, Text *out, char hex[65]);
// Atomic.
Status package_write(const char *path, const PackageContent *content, char hex[65]);

typedef struct Package {
    Mapping mapping;
    Graph *graph;            // constants lie in the mapping
    char *pipeline, *description;
    int opt_level;
    const char *precision;
    SelfCheck check;         // data in the mapping
    char content_hash[65];   // of graph, constants, pipeline and settings
    char check_hash[17];     // of the self-check, which the content hash leaves out
    Arena arena;
    const void *constants;   // the section of the weights
    size_t constants_bytes;
    const char *plans; // stored plans (plan/stored.h), in the mapping, not checked yet
    size_t plans_bytes;
} Package;
// ST_BAD: damaged, cut short meanwhile, not a package; ST_UNSUPPORTED: what a newer stent put in (format, section,
// operator ...).
Status package_open(const char *path, Package **out);
Status package_open_bytes(const void *bytes, size_t size, Package **out); // the caller's, as long as it is open
// A copy of the package that carries these plans instead of its own; the content hash stays. Optional sections that are
// not known here are left out. Atomic.
Status package_write_with_plans(const Package *package, const char *plans, size_t size, const char *path);
void package_close(Package *package); // NULL is fine; the graph goes with it
// As file_intact: asked after constants or the self-check's data were read for the last time.
Status package_intact(const Package *package, Status status);
Status package_is(const char *path, bool *is); // the magic is there; a file that is not there is none

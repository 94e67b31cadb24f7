// The table of limits in docs/FORMATS.md and the source agree: each row stands there as it does here, and so does its
// line in the source. Who changes one changes all three.
#include "base/file.h"
#include "test.h"

typedef struct Limit {
    const char *what, *limit, *file, *line;
} Limit;

static const Limit limits[] = {
    {"model file, and each file beside it", "8 GiB", "src/import/limits.h", "LIMIT_FILE_BYTES = INT64_C(8) << 30;"},
    {"memory for what a model says beside its weights", "512 MiB", "src/import/limits.h",
     "LIMIT_DESCRIPTION_BYTES = INT64_C(1) << 29;"},
    {"nodes, weights or inputs of a model", "100,000 each", "src/import/limits.h", "LIMIT_NODES = 100000,"},
    {"names of values, with what If, Loop and Scan put in", "500,000", "src/import/limits.h", "LIMIT_VALUES = 500000,"},
    {"inputs, outputs of a node; outputs of a model", "1024", "src/import/limits.h", "LIMIT_NODE_VALUES = 1024,"},
    {"attributes of a node", "256", "src/import/limits.h", "LIMIT_NODE_ATTRIBUTES = 256,"},
    {"operator sets", "256", "src/import/limits.h", "LIMIT_OPSETS = 256,"},
    {"entries of a list", "65,536", "src/import/limits.h", "LIMIT_LIST = 65536,"},
    {"bytes of a text", "65,536", "src/import/limits.h", "LIMIT_TEXT = 65536,"},
    {"bytes of a name", "4096", "src/import/limits.h", "LIMIT_NAME = 4096,"},
    {"graphs inside each other (If, Loop, Scan, PyTorch's regions)", "16", "src/import/limits.h",
     "LIMIT_GRAPH_DEPTH = 16,"},
    {"steps of a Loop or Scan", "256", "src/import/limits.h", "LIMIT_STEPS = 256,"},
    {"nodes looked at to know conditions", "200,000", "src/import/limits.h", "LIMIT_CONDITION = 200000,"},
    {"files with weights", "1024", "src/import/limits.h", "LIMIT_EXTERNAL_FILES = 1024,"},
    {"Keras models inside each other", "16", "src/import/keras/model.h", "KERAS_DEPTH = 16"},
    {"tensors that a Keras layer takes in one call", "4096", "src/import/keras/model.h", "KERAS_SOURCES = 4096"},
    {"bytes of weights that are copied, of a TensorFlow Lite file", "64 MiB and 16 times the file",
     "src/import/tflite/weight.c", "FREE_COPIES = (int64_t)1 << 26;"},
    {"protobuf messages inside each other", "64", "src/wire/protobuf.h", "PB_MAX_DEPTH = 64"},
    {"opcodes of a pickle", "2^24", "src/wire/pickle.h", "PICKLE_MAX_OPCODES = 1 << 24,"},
    {"values of a pickle", "2,000,000", "src/wire/pickle.h", "PICKLE_MAX_VALUES = 2000000,"},
    {"values of a pickle that wait for their container", "2^20", "src/wire/pickle.h", "PICKLE_MAX_STACK = 1 << 20"},
    {"numbers of a pickle's memo", "2^22", "src/wire/pickle.h", "PICKLE_MAX_MEMO = 1 << 22,"},
    {"bytes of the name of a class or function in it", "1024", "src/wire/pickle.h", "PICKLE_MAX_NAME = 1024"},
    {"PyTorch modules inside each other", "64", "src/import/torch/entries.c", "MAX_MODULES_DEPTH = 64,"},
    {"entries of dicts that are looked at for weights", "4,000,000", "src/import/torch/entries.c",
     "MAX_STEPS = 4000000,"},
    {"arguments of a call in a PyTorch program", "64", "src/import/export/nodes.c", "MAX_ARGUMENTS = 64,"},
    {"views of views that it makes", "64", "src/import/aten/alias.c", "MAX_VIEWS = 64,"},
    {"PyTorch's numbers that are copied, beside four times the file", "64 MiB", "src/import/torch/view.c",
     "FREE_COPIES = 1 << 26"},
    {"TorchScript: expressions inside each other", "200", "src/import/script/syntax.h", "SCRIPT_DEPTH = 200,"},
    {"blocks inside each other", "60", "src/import/script/syntax.h", "SCRIPT_BLOCKS = 60,"},
    {"calls, blocks and expressions inside each other while it is walked", "1000", "src/import/script/machine.h",
     "MACHINE_DEPTH = 1000,"},
    {"steps of that walk", "1,000,000", "src/import/script/machine.h", "MACHINE_STEPS = 1000000,"},
    {"operators on tensors in it", "100,000", "src/import/script/machine.h", "MACHINE_CALLS = 100000,"},
    {"variables in it at a time", "2^18", "src/import/script/machine.h", "MACHINE_STACK = 1 << 18"},
    {"bytes of sources that are gone through to tell lines", "64 MiB", "src/import/script/source.c",
     "MAX_READ = 1 << 26"},
    {"values of one list of PyTorch's operators", "65,536", "src/import/aten/aten.h", "ATEN_LIST_COUNT = 65536"},
    {"lists inside each other", "8", "src/import/aten/aten.h", "ATEN_LIST_DEPTH = 8,"},
    {"trees of an HDF5 file, nodes below each other", "32", "src/wire/hdf5_parts.h", "H5_MAX_DEPTH = 32,"},
    {"soft links that a path in it leads through", "16", "src/wire/hdf5_parts.h", "H5_MAX_LINKS = 16,"},
    {"bytes of a name in it", "4096", "src/wire/hdf5_parts.h", "H5_MAX_NAME = 4096,"},
    {"what it unpacks to, unless it is less than 16 times the file", "256 MiB", "src/wire/hdf5_file.c",
     "DATA = UINT64_C(1) << 28;"},
    {"values of a graph", "1,000,000", "src/graph/graph.c", "MAX_VALUES = 1000000,"},
    {"nodes of a graph", "1,000,000", "src/graph/graph.c", "MAX_NODES = 1000000,"},
    {"symbols, inputs, outputs of a graph", "65,536 each", "src/graph/graph.c", "MAX_LIST = 65536,"},
    {"graph text", "16 MiB", "src/graph/parse.c", "MAX_TEXT = 16 << 20,"},
    {"constants that a graph text only describes (zeros, full; random counts four times)", "256 MiB",
     "src/graph/parse_data.c", "MOST_MADE = (int64_t)1 << 28;"},
    {"dims of a tensor", "8", "src/tensor/tensor.h", "MAX_RANK = 8"},
    {"nodes beyond which passes of level 1 and 2 are left out", "20,000", "src/pass/table.c", "MAX_PASS_NODES = 20000"},
    {"elements of a constant that a pass makes for claimed dims (beyond: nodes stay)", "2^22", "src/pass/rewrite.h",
     "MOST_MADE = 1 << 22"},
    {"constants made by folding, beside four times those of the file (more stays a node)", "256 MiB",
     "src/pass/fold_constants.c", ".total = 256 * MIB,"},
    {"floating-point operations of all folding", "2e9", "src/pass/fold_constants.c", ".total_flop = 2e9}"},
    {"nodes of a network that is planned", "20,000", "src/plan/plan.c", "MOST_NODES = 20000"},
    {"elements of one value of it", "2^40", "src/plan/plan.c", "most = (int64_t)1 << 40;"},
    {"files mapped at once in a process", "4096", "src/base/mapping.c", "MOST_MAPPINGS = 4096"},
    {"units of work of a layer", "2^31 - 1", "src/solver/lowering.c", "units > INT32_MAX"},
    {"threads", "1024", "src/thread/pool.c", "threads > 1024"},
    {"memory of a self-check, unless `--max-memory` says more (beyond: none is made)", "768 MiB", "src/app/selfcheck.c",
     "MOST_BYTES = (uint64_t)768 << 20;"},
    {"estimated time of a self-check (beyond: none is made, none is run)", "60 s", "src/app/selfcheck.c",
     "MOST_SECONDS = 60,"},
    {"sections of a package", "64", "src/package/package.c", "MOST_SECTIONS = 64,"},
    {"tensors of its self-check", "2048", "src/package/package.c", "MOST_CHECK_TENSORS = 2048"},
    {"pipeline file", "1 MiB", "src/app/compile.c", "PIPELINE_BYTES = 1 << 20"},
    {"values of JSON", "1,000,000", "src/base/json.c", "MAX_VALUES = 1000000,"},
    {"depth of JSON", "64", "src/base/json.c", "MAX_DEPTH = 64,"},
    {"stored plan", "4 MiB", "src/plan/stored.h", "STORED_BYTES = 4 * 1024 * 1024"},
    {"plans that a package carries, all together", "16 MiB", "src/package/package.h",
     "PACKAGE_PLANS_BYTES = 16 * 1024 * 1024"},
    {"numbers of threads that it has schedules for", "16", "src/plan/stored.h", "STORED_THREADS = 16"},
    {"wisdom", "256 MiB", "src/wisdom/wisdom.h", "WISDOM_BYTES = 256 * 1024 * 1024"},
    {"bytes of a line of it", "4096", "src/wisdom/wisdom.h", "WISDOM_LINE = 4096"},
    {"comparisons of a layer that are remembered (the newest)", "4096", "src/tune/recall.h",
     "RECALL_COMPARISONS = 4096"},
    {"results of `report`, each; their number", "256 MiB; 256", "src/app/report.c",
     "file_limit = (size_t)256 << 20;\nenum { MOST_RESULTS = 256 };"},
    {"results.json that is read back", "256 MiB", "src/app/segment_results.c", "file_limit = (size_t)1 << 28;"},
    {"profile that `profile --versus` reads", "16 MiB", "src/app/versus_read.c", "MOST_BYTES = 16 << 20"},
    {"layers of it", "20,000", "src/app/versus_read.c", "MOST_LAYERS = 20000"},
    {"bytes of a text of it", "4096", "src/app/versus_read.c", "LONGEST_TEXT = 4096"},
    {"samples of a slice, and values of its probabilities", "3 x 2^24", "src/image/image.h",
     "IMAGE_MAX_SAMPLES ((int64_t)3 << 24)"},
    {"channels of a slice", "64", "src/image/image.h", "IMAGE_MAX_CHANNELS 64"},
    {"pages of a TIFF (all together no more than its bytes can hold)", "65,536", "src/image/tiff_read.c",
     "MAX_PAGES = 1 << 16"},
    {"picture file", "4 GiB", "src/app/picture.h", "PICTURE_BYTES = UINT32_MAX;"},
    {"arrays of an `.npz`", "4096", "src/tensor/npz.c", "MAX_ENTRIES = 4096,"},
    {"files in a zip archive", "65,536", "src/base/zip.h", "ZIP_MAX_ENTRIES = 65536"},
    {"what deflated files in it unpack to, unless it is less than 16 times the archive", "256 MiB", "src/base/zip.c",
     "MAX_UNPACKED = 1 << 28,"},
    {"header of an `.npy`", "64 KiB", "src/tensor/npy.c", "MAX_HEADER = 65536,"},
    {"positions of a table for Resize (beyond: reference path)", "2^22", "src/plan/resize.c", "MOST_TAPS = 1 << 22"},
};

static char *read_source(const char *name) {
    Arena arena = {0};
    uint8_t *bytes;
    size_t size;
    CHECK_OK(file_read(path_join(&arena, TEST_SOURCE_ROOT, name), (size_t)1 << 22, &bytes, &size)); // ends with a NUL
    arena_free(&arena);
    return (char *)bytes;
}

TEST(limits_are_those_of_the_source) {
    char *formats = read_source("docs/FORMATS.md");
    const char *table = strstr(formats, "\n## Limits\n");
    REQUIRE(table);
    for (size_t i = 0; i < COUNT_OF(limits); i++) {
        const Limit *limit = &limits[i];
        char row[512];
        snprintf(row, sizeof row, "\n| %s | %s | `%s` |\n", limit->what, limit->limit, limit->file);
        CHECK_MSG(strstr(table, row), "docs/FORMATS.md has no row%s", row);
        char *source = read_source(limit->file);
        CHECK_MSG(strstr(source, limit->line), "%s: expected '%s' (%s)", limit->file, limit->line, limit->what);
        mem_free(source);
    }
    size_t rows = 0;
    for (const char *at = table; (at = strstr(at, "\n| ")); at++) rows++;
    CHECK_INT(rows, COUNT_OF(limits) + 1); // and the head
    mem_free(formats);
}

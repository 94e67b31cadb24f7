// TorchScript: its code, alone and as the only file of code in an archive that is right; and whole archives.
#include "base/text.h"
#include "fuzz/fuzz.h"
#include "import/limits.h"
#include "import/script/script.h"
#include "import/script/syntax.h"
#include <string.h>

// What the user says of inputs may not go with them: that is no fault of the reader.
static void check_import(Status status) {
    if (status == ST_USAGE) FUZZ_REQUIRE(*error_message());
    fuzz_check(status == ST_USAGE ? ST_OK : status);
    error_clear();
}

static void import_bytes(const void *data, size_t size, const ImportOptions *options) {
    Imported model = {0};
    const char *path = fuzz_file("model.pt", data, size);
    Status status = import_map(&model, path);
    if (status == ST_OK) status = script_import(path, options, &model);
    if (status == ST_OK) FUZZ_REQUIRE(graph_verify(model.graph) == ST_OK && model.graph->n_outputs > 0);
    check_import(status);
    import_free(&model);
}

int fuzz_torchscript(const uint8_t *data, size_t size) {
    static const ImportOptions none;
    if (size > 0) import_bytes(data, size, &none);
    return 0;
}

// ---- an archive around code: stored files, without checksums (a flag says that these stand behind the data)

static void put(Text *to, uint64_t value, int bytes) {
    for (int i = 0; i < bytes; i++) text_bytes(to, &(uint8_t){(uint8_t)(i < 8 ? value >> (8 * i) : 0)}, 1);
}

typedef struct Archive {
    Text bytes, rows;
    int count;
} Archive;

static void put_head(Text *to, const char *name, size_t size) {
    put(to, 20, 2);
    put(to, 8, 2);
    put(to, 0, 10); // stored, no time, no checksum
    put(to, size, 4);
    put(to, size, 4);
    put(to, strlen(name), 2);
}

static void add_file(Archive *archive, const char *name, const void *data, size_t size) {
    const size_t at = archive->bytes.length;
    put(&archive->bytes, 0x04034b50, 4);
    put_head(&archive->bytes, name, size);
    put(&archive->bytes, 0, 2);
    text_add(&archive->bytes, "%s", name);
    text_bytes(&archive->bytes, data, size);
    put(&archive->rows, 0x02014b50, 4);
    put(&archive->rows, 20, 2);
    put_head(&archive->rows, name, size);
    put(&archive->rows, 0, 12);
    put(&archive->rows, at, 4);
    text_add(&archive->rows, "%s", name);
    archive->count++;
}

static void end_archive(Archive *archive) {
    const size_t at = archive->bytes.length;
    text_bytes(&archive->bytes, archive->rows.data, archive->rows.length);
    put(&archive->bytes, 0x06054b50, 4);
    put(&archive->bytes, 0, 4);
    put(&archive->bytes, (uint64_t)archive->count, 2);
    put(&archive->bytes, (uint64_t)archive->count, 2);
    put(&archive->bytes, archive->rows.length, 4);
    put(&archive->bytes, at, 4);
    put(&archive->bytes, 0, 2);
}

// An object of the class Net: w, a tensor of 4 floats; n, a number; l, a list; s, another Net without attributes.
static const char object[] = "\x80\x02"
                             "c__torch__\nNet\n)\x81}(X\1\0\0\0wctorch._utils\n_rebuild_tensor_v2\n((X\7\0\0\0storage"
                             "ctorch\nFloatStorage\nX\1\0\0\0"
                             "0X\3\0\0\0cpuK\4tQK\0K\4\x85K\1\x85\x89"
                             "ccollections\n"
                             "OrderedDict\n)RtRX\1\0\0\0nK\3X\1\0\0\0l](K\1K\2eX\1\0\0\0sc__torch__\nNet\n)\x81}bub.";

int fuzz_script(const uint8_t *data, size_t size) {
    static const InputShape input = {.shape = {2, {2, 2}}};
    static const ImportOptions options = {.inputs = &input, .n_inputs = 1};
    static const float numbers[4] = {1, 2, 3, 4};
    Arena arena = {.limit = (size_t)LIMIT_DESCRIPTION_BYTES};
    Names names = {.arena = &arena};
    ScriptCode code;
    const Status status = script_parse(&names, "code", (const char *)data, size, &code);
    fuzz_check(status);
    arena_free(&arena);
    if (status != ST_OK) return 0;
    Archive archive = {0};
    add_file(&archive, "n/data.pkl", object, sizeof object - 1);
    add_file(&archive, "n/data/0", numbers, sizeof numbers);
    add_file(&archive, "n/constants.pkl", "\x80\x02).", 4);
    add_file(&archive, "n/code/__torch__.py", data, size);
    end_archive(&archive);
    if (text_status(&archive.bytes) == ST_OK) import_bytes(archive.bytes.data, archive.bytes.length, &options);
    text_free(&archive.bytes);
    text_free(&archive.rows);
    return 0;
}

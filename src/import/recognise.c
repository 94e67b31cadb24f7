#include "import/recognise.h"
#include "base/text.h"
#include "wire/protobuf.h"
#include <string.h>

enum { WINDOW = 65536 }; // bytes at either end of a zip that are searched for names

static bool begins(const uint8_t *data, size_t size, const char *magic, size_t length) {
    return size >= length && memcmp(data, magic, length) == 0;
}
#define BEGINS(data, size, magic) begins(data, size, magic, sizeof(magic) - 1)

static bool holds(const uint8_t *data, size_t size, const char *text) {
    const size_t length = strlen(text);
    for (const uint8_t *at = data; (size_t)(data + size - at) >= length; at++) {
        at = memchr(at, text[0], (size_t)(data + size - at) - length + 1);
        if (!at) return false;
        if (memcmp(at, text, length) == 0) return true;
    }
    return false;
}

// Names stand in front of each member and once more in the directory at the end, so both ends are looked at.
static Format recognise_zip(const uint8_t *data, size_t size) {
    static const struct {
        const char *member;
        Format format;
    } signs[] = {
        {"model.weights.h5", FORMAT_KERAS_ZIP},   {"/constants.pkl", FORMAT_TORCHSCRIPT},
        {"/data/weights/", FORMAT_TORCH_PT2},     {"/models/model.json", FORMAT_TORCH_PT2},
        {"/data/aotinductor/", FORMAT_TORCH_PT2}, {"serialized_exported_program.json", FORMAT_TORCH_PT2},
        {"/model.json", FORMAT_TORCHSCRIPT}, // before PyTorch 1.4
        {"/data.pkl", FORMAT_TORCH_ZIP},
    };
    const size_t window = MIN(size, (size_t)WINDOW);
    for (size_t i = 0; i < COUNT_OF(signs); i++) {
        if (holds(data, window, signs[i].member) || holds(data + size - window, window, signs[i].member)) {
            return signs[i].format;
        }
    }
    // The directory ends with this, a comment of at most 65535 bytes behind it.
    return holds(data + size - window, window, "PK\5\6") ? FORMAT_ZIP : FORMAT_ZIP_CUT;
}

// ONNX, Core ML and TensorFlow files are protocol buffers without any magic: the numbers of the outermost fields tell
// them apart. ONNX's ModelProto: ir_version 1, producer 2 and 3, graph 7, opset_import 8. Core ML's Model:
// specificationVersion 1, description 2, the network itself 200 and above. TensorFlow's SavedModel: version 1 (the
// integer 1, so far) and MetaGraphDef 2; GraphDef: nodes 1 (messages), library 2, versions 4; MetaGraphDef: its
// GraphDef is 2. The operation's name: "Conv2D", "tfl.x>Add_2".
static bool is_operation(const uint8_t *text, size_t size) {
    for (size_t i = 0; i < size; i++) {
        const uint8_t c = text[i];
        const bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
        const bool other = (c >= '0' && c <= '9') || (c && strchr(">./-", c));
        if (!letter && (i == 0 || !other)) return false;
    }
    return size > 0 && size < 256;
}

// The first field `number` that is a run of bytes.
static bool first_bytes(PbReader reader, uint32_t number, PbReader *out) {
    PbField field;
    while (pb_next(&reader, &field)) {
        if (field.number != number || field.wire != PB_BYTES) continue;
        *out = pb_message(&reader, &field);
        return true;
    }
    return false;
}

bool recognise_graph_def(PbReader message) {
    PbReader node, name, operation;
    return first_bytes(message, 1, &node) && first_bytes(node, 1, &name) && first_bytes(node, 2, &operation) &&
           name.at < name.end && is_operation(operation.at, (size_t)(operation.end - operation.at));
}

static bool is_tensorflow_graph(PbReader message) {
    PbReader inner;
    return recognise_graph_def(message) || (first_bytes(message, 2, &inner) && recognise_graph_def(inner));
}

static Format recognise_protobuf(const uint8_t *data, size_t size) {
    PbReader reader = pb_reader(data, size);
    PbField field;
    bool version = false, first = false, nodes = false, second = false, onnx = false, core_ml = false;
    bool more;
    do {
        more = pb_next(&reader, &field);
        version |= field.number == 1 && field.wire == PB_VARINT;
        first |= field.number == 1 && field.wire == PB_VARINT && field.bits == 1;
        nodes |= field.number == 1 && field.wire == PB_BYTES;
        second |= field.number == 2 && field.wire == PB_BYTES;
        onnx |= (field.number == 7 || field.number == 8 || field.number == 3) && field.wire == PB_BYTES;
        core_ml |= field.number >= 200 && field.wire == PB_BYTES;
    } while (more);
    const bool whole = reader.status == ST_OK;
    const bool graph = nodes && !version && whole && is_tensorflow_graph(pb_reader(data, size));
    error_clear();
    if (version && onnx) return FORMAT_ONNX;
    if (version && core_ml) return FORMAT_COREML;
    if (first && second && whole) return FORMAT_SAVED_MODEL;
    if (graph) return FORMAT_FROZEN_GRAPH;
    if (first && !whole && field.number == 2) return FORMAT_SAVED_MODEL; // cut inside its graph
    // A cut or torn file: an ONNX file starts with a small ir_version, and its importer says what is wrong.
    return version && size > 1 && data[0] == 0x08 && data[1] < 32 ? FORMAT_ONNX : FORMAT_UNKNOWN;
}

// HDF5's signature may stand at 0, or at 512, 1024, 2048 ... behind a user block.
static bool is_hdf5(const uint8_t *data, size_t size) {
    static const char magic[] = "\x89HDF\r\n\x1a\n";
    if (BEGINS(data, size, magic)) return true;
    for (size_t at = 512; at < size && at <= 65536; at *= 2) {
        if (BEGINS(data + at, size - at, magic)) return true;
    }
    return false;
}

// Git and mail programs that take a binary file for text write U+FFFD (EF BF BD) for what is not UTF-8, or drop the
// CR in front of LF. Weights are never UTF-8 from end to end unless that has happened.
static bool is_text_filtered(const uint8_t *data, size_t size) {
    if (BEGINS(data, size, "\x89HDF\n")) return true;
    size_t window = MIN(size, (size_t)WINDOW);
    if (!holds(data, window, "\xef\xbf\xbd")) return false;
    while (window < size && window > WINDOW - 4 && (data[window] & 0xc0) == 0x80) window--; // not inside a character
    return utf8_valid((const char *)data, window);
}

Format recognise_bytes(const uint8_t *data, size_t size) {
    if (BEGINS(data, size, "version https://git-lfs.github.com/spec/")) return FORMAT_LFS_POINTER;
    if (is_hdf5(data, size)) return FORMAT_HDF5;
    if (BEGINS(data, size, "PK\x03\x04")) return recognise_zip(data, size);
    if (size >= 8 && memcmp(data + 4, "TFL3", 4) == 0) return FORMAT_TFLITE;
    if (BEGINS(data, size, "\x1f\x8b")) return FORMAT_GZIP;
    if (size > 1 && data[0] == 0x80 && data[1] >= 2 && data[1] <= 5) return FORMAT_PICKLE;
    if (BEGINS(data, size, "<!DOCTYPE") || BEGINS(data, size, "<!doctype") || BEGINS(data, size, "<html")) {
        return FORMAT_WEB_PAGE;
    }
    if (is_text_filtered(data, size)) return FORMAT_TEXT_FILTERED;
    return recognise_protobuf(data, size);
}

Status recognise_folder(const char *path, Format *format) {
    Arena arena = {0};
    const char *saved_model = path_join(&arena, path, "saved_model.pb");
    const char *manifest = path_join(&arena, path, "Manifest.json");
    PathKind model = PATH_MISSING, coreml = PATH_MISSING;
    Status status = saved_model && manifest ? path_known(saved_model, &model) : fail_memory(strlen(path));
    if (status == ST_OK) status = path_known(manifest, &coreml);
    *format = coreml == PATH_FILE ? FORMAT_COREML : model == PATH_FILE ? FORMAT_SAVED_MODEL : FORMAT_UNKNOWN;
    arena_free(&arena);
    return status;
}

static const char from_coreml[] = "export the network that it was made from to ONNX";

static const struct {
    Status status;
    const char *what, *hint;
} formats[FORMAT_COUNT] = {
    [FORMAT_UNKNOWN] = {ST_BAD, "expected a model (ONNX, PyTorch, Keras, TensorFlow), got bytes of no known format",
                        "check that this is the right file"},
    [FORMAT_ZIP_CUT] = {ST_BAD, "expected a zip archive's directory at the end, got none",
                        "the file is cut short or damaged: copy or download it again"},
    [FORMAT_ZIP] = {ST_UNSUPPORTED, "this is a zip file without a model that is known", "export the model to ONNX"},
    [FORMAT_COREML] = {ST_UNSUPPORTED, "this is a Core ML model, which is not read yet", from_coreml},
    [FORMAT_LFS_POINTER] = {ST_BAD, "expected a model, got a Git LFS pointer (the file itself was not downloaded)",
                            "run `git lfs pull`, or download the file itself"},
    [FORMAT_TEXT_FILTERED] = {ST_BAD, "expected a binary file, got one that was changed by a conversion of text",
                              "its bytes are lost: download it again, in binary mode"},
    [FORMAT_WEB_PAGE] = {ST_BAD, "expected a model, got a web page", "download the file itself"},
    [FORMAT_GZIP] = {ST_BAD, "expected a model, got a gzip file", "unpack it first"},
};

Status format_status(Format format) {
    if (formats[format].status == ST_OK) return ST_OK; // no row
    return fail(formats[format].status, "%s; %s", formats[format].what, formats[format].hint);
}

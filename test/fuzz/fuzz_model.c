// Model files: ONNX and TensorFlow Lite up to the plan, the recognition of formats, protocol buffers.
#include "fuzz/fuzz.h"
#include "fuzz/small_run.h"
#include "import/import.h"
#include "import/recognise.h"
#include "pass/pass.h"
#include "wire/protobuf.h"
#include <string.h>

static int read_model(const uint8_t *data, size_t size) {
    Imported model;
    Status status = import_model(fuzz_file("model.onnx", data, size), NULL, &model);
    if (status == ST_OK) status = passes_run(model.graph, 2, NULL, NULL);
    if (status == ST_OK) status = small_run(model.graph, NULL);
    import_free(&model);
    fuzz_check(status);
    return 0;
}

int fuzz_onnx(const uint8_t *data, size_t size) {
    static const uint8_t weights[4096]; // what external data may name
    fuzz_file("weights.bin", weights, sizeof weights);
    return read_model(data, size);
}

int fuzz_tflite(const uint8_t *data, size_t size) { return read_model(data, size); }

int fuzz_recognise(const uint8_t *data, size_t size) {
    fuzz_check(format_status(recognise_bytes(data, size)));
    return 0;
}

// Every field as everything that it may be.
static void read_message(PbReader message) {
    PbReader reader = message;
    PbField field;
    while (pb_next(&reader, &field)) {
        PbReader copy = reader;
        (void)pb_int64(&copy, &field);
        copy = reader;
        (void)pb_float(&copy, &field);
        for (PbWire wire = PB_VARINT; wire <= PB_FIXED32; wire++) {
            size_t count = 0;
            uint64_t bits, seen = 0;
            if (wire == PB_BYTES || wire == 3 || wire == 4) continue;
            const Status status = pb_list_count(message, field.number, wire, &count);
            for (PbList list = pb_list(message, field.number, wire); pb_list_next(&list, &bits);) seen++;
            if (status == ST_OK) FUZZ_REQUIRE(seen == count);
            fuzz_check(status);
        }
        Arena arena = {0};
        copy = reader;
        const char *text = pb_string(&copy, &field, &arena, 4096);
        if (text) FUZZ_REQUIRE(strlen(text) == field.size);
        arena_free(&arena);
        copy = reader;
        if (field.wire == PB_BYTES) read_message(pb_message(&copy, &field));
    }
    fuzz_check(reader.status);
}

int fuzz_protobuf(const uint8_t *data, size_t size) {
    if (size > 512) return 0; // each field is read again and again: the time grows with the square
    read_message(pb_reader(data, size));
    return 0;
}

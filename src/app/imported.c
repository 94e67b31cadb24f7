#include "app/imported.h"
#include "pass/pass.h"
#include <string.h>

Status import_with(const char *path, const stent_options *options, const NamedTensor *bind, size_t n_bind, Arena *arena,
                   Imported *out) {
    ShapeOption *shapes;
    size_t count;
    TRY(parse_shape_options(options, arena, &shapes, &count));
    InputShape *inputs = arena_array(arena, count + 1, sizeof *inputs);
    if (!inputs) return fail_memory(count * sizeof *inputs);
    for (size_t i = 0; i < count; i++) inputs[i] = (InputShape){shapes[i].name, shapes[i].shape};
    const ImportOptions given = {.inputs = inputs,
                                 .n_inputs = count,
                                 .bind = bind,
                                 .n_bind = n_bind,
                                 .arch = options->arch,
                                 .signature = options->signature,
                                 .resolve = pass_resolve_shapes};
    return import_model(path, &given, out);
}

void tell_format(const Imported *imported, Text *text) {
    text_add(text, "%s", imported->format);
    if (imported->opset) text_add(text, " opset %lld", (long long)imported->opset);
}
void put_opset(JsonWriter *w, const Imported *imported) {
    json_key(w, "opset");
    if (imported->opset) json_integer(w, imported->opset);
    else json_null(w);
}

// Notes may hold names from the file: what a terminal would interpret is shown as \xNN.
static void add_printable(Text *text, const char *words) {
    for (const char *at = words; *at; at++) {
        if ((unsigned char)*at < 0x20 || *at == 0x7f) text_add(text, "\\x%02x", (unsigned char)*at);
        else text_bytes(text, at, 1);
    }
}
void tell_notes(const Imported *imported, struct stent_result *result) {
    static const char between[] = "; ";
    JsonWriter *w = &result->writer;
    const char *notes = text_get(&imported->notes);
    Text note = {0};
    if (*notes) {
        text_add(&result->text, "note: ");
        add_printable(&result->text, notes);
        text_add(&result->text, "\n");
    }
    json_key(w, "notes"), json_begin_array(w);
    while (*notes) {
        const char *end = strstr(notes, between);
        const size_t length = end ? (size_t)(end - notes) : strlen(notes);
        note.length = 0;
        text_bytes(&note, notes, length);
        json_string(w, text_get(&note));
        notes += end ? length + sizeof between - 1 : length;
    }
    json_end_array(w);
    result->json.failed = result->json.failed || note.failed || imported->notes.failed;
    text_free(&note);
}

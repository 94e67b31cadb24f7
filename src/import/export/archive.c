#include "import/export/archive.h"
#include "base/text.h"
#include "import/limits.h"
#include <string.h>

static const char save_hint[] = "save the program with torch.export.save(torch.export.export(model, inputs), FILE)";

// ---- finding

// What stands in front of `suffix`'s last part: "NAME/models/MODEL.json" is "NAME/" and "MODEL".
typedef struct Place {
    const char *folder, *model;
} Place;

// "models/MODEL.json" in the outermost folder; NULL: something else.
static const char *models_in(const char *name) {
    const char *slash = strchr(name, '/'), *models = slash ? slash + 1 : name;
    const bool is_json = text_starts(models, "models/") && text_ends(models, ".json");
    return is_json && !strchr(models + strlen("models/"), '/') ? models : NULL;
}

static Status split(const char *name, Arena *scratch, Place *out) {
    const char *models = models_in(name), *model = models + strlen("models/");
    out->folder = arena_string_n(scratch, name, (size_t)(models - name));
    out->model = arena_string_n(scratch, model, strlen(model) - strlen(".json"));
    return out->folder && out->model ? ST_OK : fail_memory(strlen(name));
}

// A file of that name, which is put together of pieces; NULL: there is none.
static Status find(const ExportArchive *archive, const Place *place, const char *before, const char *after,
                   const ZipEntry **out) {
    Text name = {0};
    text_add(&name, "%s%s%s%s", place->folder, before, place->model, after);
    const Status status = text_status(&name);
    *out = status == ST_OK ? zip_find(&archive->zip, text_get(&name)) : NULL;
    text_free(&name);
    return status;
}

static bool has_compiled_code(const Zip *zip) {
    for (size_t i = 0; i < zip->n_entries; i++) {
        if (strstr(zip->entries[i].name, "data/aotinductor/")) return true;
    }
    return false;
}

static Status find_program(ExportArchive *archive) {
    const Zip *zip = &archive->zip;
    archive->program = zip_find(zip, "serialized_exported_program.json");
    for (size_t i = 0; i < zip->n_entries; i++) {
        const ZipEntry *entry = &zip->entries[i];
        if (!models_in(entry->name)) continue;
        FAIL_IF(archive->program, ST_UNSUPPORTED, "this archive holds several programs ('%.200s', '%.200s'); save one",
                archive->program->name, entry->name);
        archive->program = entry;
    }
    FAIL_IF(!archive->program && has_compiled_code(zip), ST_UNSUPPORTED,
            "this is a package of AOTInductor: machine code, and no program that could be compiled here; %s",
            save_hint);
    FAIL_IF(!archive->program, ST_BAD, "expected a program (models/NAME.json) in the archive, got none");
    return ST_OK;
}

// ---- both layouts

// A pair of files that must be there.
static Status add_pickled(const ExportArchive *archive, const char *name, Payload *payload) {
    const ZipEntry *entry = zip_find(&archive->zip, name);
    FAIL_IF(!entry, ST_BAD, "expected %s in the archive, got none", name);
    return payload_add_pickled(payload, entry);
}

static Status check_word(const ExportArchive *archive, Arena *scratch, const Place *place, const char *name,
                         const char *expected, const char *hint) {
    const uint8_t *bytes;
    const ZipEntry *entry;
    TRY(find(archive, &(Place){place->folder, ""}, name, "", &entry));
    if (!entry) return ST_OK;
    TRY(zip_data(scratch, &archive->zip, entry, &bytes));
    FAIL_IF(entry->size != strlen(expected) || memcmp(bytes, expected, entry->size) != 0, ST_UNSUPPORTED,
            "%s: expected '%s', got '%.*s'; %s", entry->name, expected, (int)MIN(entry->size, (size_t)32),
            (const char *)bytes, hint);
    return ST_OK;
}

// Weights or constants of one model: in the way of 2.8, or with a list.
static Status add_kind(const ExportArchive *archive, const Place *place, const char *folder, const char *suffix,
                       Payload *payload) {
    const ZipEntry *entry;
    TRY(find(archive, place, folder, ".pt", &entry));
    if (entry) return payload_add_pickled(payload, entry);
    TRY(find(archive, place, folder, suffix, &entry));
    FAIL_IF(!entry, ST_BAD, "expected %s%s%s%s in the archive, got none", place->folder, folder, place->model, suffix);
    const size_t length = strlen(place->folder), more = strlen(folder);
    char *path = arena_alloc(payload->scratch, length + more + 1);
    if (!path) return fail_memory(length + more + 1);
    memcpy(path, place->folder, length);
    memcpy(path + length, folder, more);
    return payload_add_config(payload, entry, path);
}

static Status add_all(ExportArchive *archive, Arena *scratch) {
    Place place;
    if (!models_in(archive->program->name)) {
        TRY(add_pickled(archive, "serialized_state_dict.pt", &archive->weights));
        return add_pickled(archive, "serialized_constants.pt", &archive->constants);
    }
    TRY(split(archive->program->name, scratch, &place));
    TRY(check_word(archive, scratch, &place, "archive_format", "pt2", save_hint));
    TRY(check_word(archive, scratch, &place, "archive_version", "0",
                   "save it with an older PyTorch, or ask for support"));
    TRY(check_word(archive, scratch, &place, "byteorder", "little", "save the file on another machine"));
    TRY(add_kind(archive, &place, "data/weights/", "_weights_config.json", &archive->weights));
    return add_kind(archive, &place, "data/constants/", "_constants_config.json", &archive->constants);
}

Status archive_open(const Mapping *file, Arena *scratch, ExportArchive *out) {
    const uint8_t *text;
    *out = (ExportArchive){0};
    out->weights = out->constants = (Payload){.zip = &out->zip, .scratch = scratch};
    TRY(zip_open(scratch, file->data, file->size, &out->zip));
    TRY(find_program(out));
    TRY(zip_data(scratch, &out->zip, out->program, &text));
    out->text = (const char *)text;
    return add_all(out, scratch);
}

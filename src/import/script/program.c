#include "import/script/program.h"
#include "base/text.h"
#include <string.h>

static const char resave_hint[] =
    "load it with a newer PyTorch and save it again (torch.jit.save), or export the model "
    "with torch.export.save or torch.onnx.export";

static bool ends_with(const Zip *zip, const char *name) {
    for (size_t i = 0; i < zip->n_entries; i++) {
        if (text_ends(zip->entries[i].name, name)) return true;
    }
    return false;
}

// Files without what this reads have a name of their own.
static Status check_form(Arena *arena, const Mapping *mapping) {
    Zip zip;
    TRY(zip_open(arena, mapping->data, mapping->size, &zip));
    if (ends_with(&zip, "/data.pkl")) return ST_OK;
    FAIL_IF(ends_with(&zip, "/model.json"), ST_UNSUPPORTED, "TorchScript of PyTorch 1.3 and older is not supported; %s",
            resave_hint);
    return ST_OK; // torch_open says what is wrong
}

static Status check_code(const Program *program) {
    const Zip *zip = &program->data.zip;
    for (size_t i = 0; i < zip->n_entries; i++) {
        if (strstr(zip->entries[i].name, "/code/") && text_ends(zip->entries[i].name, ".py")) return ST_OK;
    }
    FAIL_IF(ends_with(zip, "/bytecode.pkl"), ST_UNSUPPORTED,
            "a TorchScript file with bytecode only (for phones) is not supported; save it with torch.jit.save");
    return fail(ST_BAD, "expected code of TorchScript in the archive, got none; the file is damaged");
}

Status program_open(const Mapping *mapping, Arena *arena, Program *out) {
    *out = (Program){.arena = arena, .names = {.arena = arena}};
    TRY(check_form(arena, mapping));
    TRY(torch_open(mapping, arena, &out->data));
    TRY(torch_open_part(&out->data, "constants", arena, &out->constants));
    TRY(torch_open_part(&out->data, "traced_inputs", arena, &out->traced));
    return check_code(out);
}

Name *program_word(Program *program, const char *text) { return name_of(&program->names, text, strlen(text)); }

// ---- code

// "__torch__.torch.nn" to "code/__torch__/torch/nn.py", which is `length` bytes of a qualified name.
static char *path_of(const Program *program, const char *qualified, size_t length) {
    const char *folder = program->data.folder;
    const size_t head = strlen(folder), middle = strlen("code/");
    char *path = arena_alloc(program->arena, head + middle + length + sizeof ".py");
    if (!path) return NULL;
    memcpy(path, folder, head);
    memcpy(path + head, "code/", middle);
    for (size_t i = 0; i < length; i++) path[head + middle + i] = qualified[i] == '.' ? '/' : qualified[i];
    memcpy(path + head + middle + length, ".py", sizeof ".py");
    return path;
}

static Status read_code(Program *program, const char *path, const ZipEntry *entry, ScriptCode **out) {
    const uint8_t *bytes;
    ScriptCode *code = arena_alloc(program->arena, sizeof *code);
    if (!code) return fail_memory(sizeof *code);
    TRY(zip_data(program->arena, &program->data.zip, entry, &bytes));
    TRY(script_parse(&program->names, path + strlen(program->data.folder), (const char *)bytes, entry->size, code));
    *out = code;
    return ST_OK;
}

// Read once: it stands with the name of the module.
static Status find_code(Program *program, const char *qualified, size_t length, const ScriptCode **out) {
    Name *module = name_of(&program->names, qualified, length);
    const char *path = module && !module->module ? path_of(program, qualified, length) : "";
    if (!module || !path) return fail_memory(length);
    if (!module->module) {
        const ZipEntry *entry = zip_find(&program->data.zip, path);
        ScriptCode *code;
        FAIL_IF(!entry, ST_BAD, "expected %s in the archive, got none; the file is damaged", path);
        TRY(read_code(program, path, entry, &code));
        module->module = code;
    }
    *out = module->module;
    return ST_OK;
}

Status program_find(Program *program, Name *name, const Definition **out) {
    const char *dot = strrchr(name->text, '.');
    const ScriptCode *code;
    *out = name->found;
    if (*out) return ST_OK;
    FAIL_IF(!dot || !text_starts(name->text, "__torch__"), ST_BAD, "expected the name of a function or a class, got %s",
            name->text);
    TRY(find_code(program, name->text, (size_t)(dot - name->text), &code));
    const Name *word = program_word(program, dot + 1);
    if (!word) return fail_memory(sizeof *word);
    const Definition *found = code_find(code, word);
    FAIL_IF(!found, ST_BAD, "expected %s in %s, got none; the file is damaged", dot + 1, code->path);
    name->found = found;
    *out = found;
    return ST_OK;
}

Status program_find_enum(Program *program, const Name *name, const Definition **class, Name **member) {
    const char *dot = strrchr(name->text, '.');
    *class = NULL;
    if (!dot) return ST_OK;
    const size_t length = (size_t)(dot - name->text);
    const char *path = path_of(program, name->text, length);
    Name *parent = name_of(&program->names, name->text, length);
    *member = program_word(program, dot + 1);
    if (!path || !parent || !*member) return fail_memory(length);
    if (zip_find(&program->data.zip, path) || !memchr(name->text, '.', length)) return ST_OK;
    TRY(program_find(program, parent, class));
    if ((*class)->kind != DEFINITION_ENUM) *class = NULL;
    return ST_OK;
}

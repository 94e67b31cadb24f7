#include "import/export/export.h"
#include "import/export/fields.h"
#include "import/export/program.h"
#include "import/limits.h"
#include <string.h>

enum { SCHEMA = 8 }; // the newest major version

static Status check_schema(Arena *scratch, const JsonPart *version) {
    Json *json;
    int64_t major;
    FAIL_IF(!version->text, ST_BAD, "expected an object 'schema_version', got none");
    TRY(json_parse_part(scratch, version, &json));
    TRY(field_int(json_get(json, "major"), &major));
    FAIL_IF(major > SCHEMA, ST_UNSUPPORTED,
            "expected version %d of PyTorch's export schema or an older one, got %lld; save it with an older PyTorch",
            SCHEMA, (long long)major);
    return ST_OK;
}

static Status find_parts(ExportProgram *program) {
    JsonPart document, module, ranges, version;
    TRY(json_document(program->archive->text, program->archive->program->size, &document));
    TRY(json_fields(
        &document,
        (const JsonField[]){{"graph_module", &module}, {"range_constraints", &ranges}, {"schema_version", &version}},
        3));
    TRY(check_schema(program->scratch, &version));
    FAIL_IF(!module.text, ST_BAD, "expected an object 'graph_module', got none");
    TRY(json_fields(&module,
                    (const JsonField[]){{"graph", &program->graph},
                                        {"signature", &program->signature},
                                        {"module_call_graph", &program->calls},
                                        {"treespec_namedtuple_fields", &program->fields}},
                    4));
    FAIL_IF(!program->graph.text || !program->signature.text, ST_BAD, "expected 'graph' and 'signature', got fewer");
    return dims_read_ranges(program->scratch, &ranges, &program->ranges);
}

static Status read_program(ExportProgram *program) {
    TRY(find_parts(program));
    TRY(program_name_outputs(program));
    TRY(program_read_inputs(program));
    TRY(program_read_nodes(program));
    return program_give_outputs(program);
}

static void note(const ExportProgram *program, Text *notes) {
    torch_note_converted(&program->target, notes);
    if (program->n_fixed == 0) return;
    text_add(notes, "%s%d output%s no tensor%s: left out", notes->length > 0 ? "; " : "", program->n_fixed,
             program->n_fixed == 1 ? " that is" : "s that are", program->n_fixed == 1 ? "" : "s");
}

static Status import_in(const ImportOptions *options, Arena *scratch, Imported *out) {
    ExportArchive archive;
    Aten aten;
    out->format = "PyTorch export";
    TRY(archive_open(&out->mappings[0], scratch, &archive));
    TRY(aten_begin(&aten, out, options, scratch));
    ExportProgram program = {.aten = &aten,
                             .aliases = aten_aliases(&aten),
                             .archive = &archive,
                             .target = {.arena = &aten.graph->arena, .scratch = scratch, .size = out->mappings[0].size},
                             .scratch = scratch,
                             .scope = {.arena = scratch}};
    const Status status = read_program(&program);
    if (status != ST_OK) return status == ST_BAD ? fail_context(status, "%s", archive.program->name) : status;
    TRY(aten_end(&aten));
    note(&program, &out->notes);
    return text_status(&out->notes);
}

Status export_import(const char *path, const ImportOptions *options, Imported *out) {
    Arena scratch = {.limit = (size_t)LIMIT_DESCRIPTION_BYTES};
    (void)path; // nothing is beside it
    const Status status = import_in(options, &scratch, out);
    arena_free(&scratch);
    return status;
}

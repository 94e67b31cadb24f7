#include "import/export/fields.h"
#include "import/export/program.h"
#include "import/export/tree.h"
#include "import/limits.h"
#include <string.h>

Status program_name(const ExportProgram *program, const char *name, const char **out) {
    const size_t length = strlen(name);
    *out = name;
    if (name_find(&program->reserved, name) < 0) return ST_OK;
    char *other = arena_alloc(program->scratch, length + sizeof ".value");
    if (!other) return fail_memory(length);
    memcpy(other, name, length);
    memcpy(other + length, ".value", sizeof ".value");
    *out = other;
    return ST_OK;
}

// ---- what the signature says

// Of an output of the program; others are for training, and of no matter for what it computes.
static Status take_output(ExportProgram *program, const Json *spec) {
    static const char *const trained[] = {"gradient_to_parameter", "gradient_to_user_input"};
    const char *kind, *argument;
    const Json *value, *arg;
    TRY(field_union(spec, &kind, &value));
    for (size_t i = 0; i < COUNT_OF(trained); i++)
        FAIL_IF(strcmp(kind, trained[i]) == 0, ST_UNSUPPORTED,
                "this program trains (it gives gradients); export the model in eval mode");
    if (strcmp(kind, "user_output") != 0) return ST_OK;
    TRY(field_object(value, "arg", &arg));
    TRY(field_union(arg, &argument, &value));
    FAIL_IF(program->n_outputs >= LIMIT_NODE_VALUES, ST_BAD, "expected at most %d outputs, got more",
            LIMIT_NODE_VALUES);
    program->outputs[program->n_outputs++] = (ExportOutput){.arg = arg};
    return ST_OK;
}

static Status take_outputs(ExportProgram *program) {
    JsonPart specs, spec;
    JsonWalk walk;
    bool more;
    program->outputs = arena_array(program->scratch, LIMIT_NODE_VALUES, sizeof *program->outputs);
    if (!program->outputs) return fail_memory(LIMIT_NODE_VALUES * sizeof *program->outputs);
    TRY(json_fields(&program->signature, (const JsonField[]){{"output_specs", &specs}}, 1));
    FAIL_IF(!specs.text, ST_BAD, "expected a list 'output_specs', got none");
    TRY(json_walk(&specs, JSON_ARRAY, &walk));
    for (;;) {
        Json *json;
        TRY(json_next(&walk, NULL, &spec, &more));
        if (!more) return ST_OK;
        TRY(json_parse_part(program->scratch, &spec, &json));
        TRY(take_output(program, json));
    }
}

// The tree of what forward() returns stands with the call of the outermost module, the first one. "": none.
static Status find_spec(ExportProgram *program, const char **out) {
    JsonPart call, name, signature;
    JsonWalk walk;
    bool more;
    Json *json;
    *out = "";
    if (!program->calls.text || json_part_type(&program->calls) != JSON_ARRAY) return ST_OK;
    TRY(json_walk(&program->calls, JSON_ARRAY, &walk));
    TRY(json_next(&walk, NULL, &call, &more));
    if (!more) return ST_OK;
    TRY(json_fields(&call, (const JsonField[]){{"fqn", &name}, {"signature", &signature}}, 2));
    if (name.length != 2 || !signature.text || json_part_type(&signature) != JSON_OBJECT) return ST_OK;
    TRY(json_parse_part(program->scratch, &signature, &json));
    const Json *spec = json_get(json, "out_spec");
    if (spec && spec->type == JSON_STRING) *out = spec->string;
    return ST_OK;
}

Status program_name_outputs(ExportProgram *program) {
    const char *spec, *names[LIMIT_NODE_VALUES];
    TRY(take_outputs(program));
    TRY(find_spec(program, &spec));
    TRY(tree_names(program->scratch, spec, &program->fields, program->n_outputs, names));
    for (int i = 0; i < program->n_outputs; i++) {
        program->outputs[i].name = names[i];
        if (name_find(&program->reserved, names[i]) < 0)
            TRY(name_add(&program->reserved, program->scratch, names[i], i));
    }
    return ST_OK;
}

// ---- at the end

static bool is_given(const AtenValue *value) {
    return value->kind == ATEN_TENSOR || value->kind == ATEN_NUMBER || value->kind == ATEN_MISSING;
}

static Status give_output(ExportProgram *program, const ExportOutput *output, int *given) {
    AtenValue value, now;
    TRY(scope_argument(&program->scope, program->scratch, output->arg, &value));
    if (!is_given(&value)) { // None, or a number that the program says itself
        program->n_fixed++;
        return ST_OK;
    }
    TRY(aten_alias_current(&program->aliases, &value, &now));
    ++*given;
    return aten_output(program->aten, output->name, &now);
}

Status program_give_outputs(ExportProgram *program) {
    int given = 0;
    for (int i = 0; i < program->n_outputs; i++) {
        const Status status = give_output(program, &program->outputs[i], &given);
        if (status != ST_OK) return fail_context(status, "output '%s'", program->outputs[i].name);
    }
    FAIL_IF(given == 0, ST_UNSUPPORTED, "expected a program that gives a tensor, got one that gives none");
    return ST_OK;
}

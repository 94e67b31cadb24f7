#include "import/script/script.h"
#include "import/limits.h"
#include "import/script/arguments.h"
#include "import/script/probe.h"
#include "import/torch/state.h"
#include <string.h>

// Modules run what is hooked to them around forward; PyTorch does so for the outermost one only by calling it.
static Status check_hooks(const Definition *class) {
    for (int i = 0; i < class->n_fields; i++) {
        const Field *field = &class->fields[i];
        const bool hooks =
            strstr(field->name->text, "__forward_hooks__") || strstr(field->name->text, "__forward_pre_hooks__");
        FAIL_IF(hooks && field->value && field->value->count > 0, ST_UNSUPPORTED,
                "hooks of the whole model are not supported; take them off before torch.jit.script");
    }
    return ST_OK;
}

static Status find_forward(Machine *machine, ScriptObject *root, const Definition **out) {
    const Definition *class;
    const Name *forward = program_word(machine->program, "forward");
    if (!forward) return fail_memory(sizeof *forward);
    TRY(object_class(machine, root, &class));
    *out = class_method(class, forward);
    FAIL_IF(!*out, ST_UNSUPPORTED, "expected the method forward in %s, got none", root->class->text);
    return check_hooks(class);
}

static Status walk(Machine *machine) {
    ScriptObject *root;
    const Definition *forward;
    Type guess = {.rank = -1};
    ScriptValue *args, result;
    int count;
    TRY(object_root(machine, &root));
    TRY(find_forward(machine, root, &forward));
    if (script_lacks_shape(machine, forward)) TRY(script_guess(machine->program, machine->arena, &guess));
    TRY(script_arguments(machine, forward, &guess, &args, &count));
    TRY(machine_method(machine, root, "forward", args, count, &result));
    return script_outputs(machine, &result);
}

static Status import_in(const ImportOptions *options, Arena *arena, Imported *out) {
    Program program;
    Aten aten;
    Machine machine;
    out->format = "TorchScript";
    TRY(program_open(&out->mappings[0], arena, &program));
    TRY(aten_begin(&aten, out, options, arena));
    Status status = machine_begin(&machine, &program, &aten, out, arena);
    if (status == ST_OK) status = walk(&machine);
    if (status == ST_OK) status = aten_end(&aten);
    if (status == ST_OK) torch_note_converted(&machine.weights, &out->notes);
    machine_end(&machine);
    return status == ST_OK ? text_status(&out->notes) : status;
}

Status script_import(const char *path, const ImportOptions *options, Imported *out) {
    Arena arena = {.limit = (size_t)LIMIT_DESCRIPTION_BYTES};
    (void)path; // nothing is beside it
    const Status status = import_in(options, &arena, out);
    arena_free(&arena);
    return status;
}

#include "import/export/fields.h"
#include "import/export/program.h"
#include "import/export/types.h"
#include "import/limits.h"
#include <string.h>

typedef enum InputKind {
    INPUT_TENSOR,
    INPUT_NUMBER,
    INPUT_WEIGHT,
    INPUT_CONSTANT,
    INPUT_FIXED,
    INPUT_OBJECT
} InputKind;

typedef struct Input {
    InputKind kind;
    const char *name;   // in the program's graph; NULL: none
    const char *target; // of a weight or constant
    AtenValue value;    // INPUT_FIXED
} Input;

typedef struct Inputs {
    ExportProgram *program;
    Input *at;
    int count, n_given; // given: sizes that the user said
    struct {
        const char *symbol;
        int64_t size;
    } given[64]; // more are not compared
} Inputs;

// ---- the signature

static Status read_user(Scope *scope, const Json *spec, Input *out) {
    const char *kind;
    const Json *arg, *value;
    TRY(field_object(spec, "arg", &arg));
    TRY(field_union(arg, &kind, &value));
    if (strcmp(kind, "as_tensor") == 0) {
        out->kind = INPUT_TENSOR;
        return field_text(value, "name", &out->name);
    }
    const Json *symbolic = json_get(value, "as_name");
    out->kind = symbolic ? INPUT_NUMBER : INPUT_FIXED;
    if (symbolic) return field_text(value, "as_name", &out->name);
    return scope_argument(scope, scope->arena, arg, &out->value);
}

static Status read_fixed(Scope *scope, const Json *spec, Input *out) {
    const Json *value;
    out->kind = INPUT_FIXED;
    TRY(field_text(spec, "name", &out->name));
    TRY(field_object(spec, "value", &value));
    return scope_argument(scope, scope->arena, value, &out->value);
}

static Status read_named(const Json *spec, InputKind kind, const char *target, Input *out) {
    const Json *arg;
    out->kind = kind;
    TRY(field_object(spec, "arg", &arg));
    TRY(field_text(arg, "name", &out->name));
    return field_text(spec, target, &out->target);
}

static Status read_input(Scope *scope, const Json *json, Input *out) {
    const char *kind;
    const Json *spec;
    TRY(field_union(json, &kind, &spec));
    if (strcmp(kind, "user_input") == 0) return read_user(scope, spec, out);
    if (strcmp(kind, "constant_input") == 0) return read_fixed(scope, spec, out);
    if (strcmp(kind, "parameter") == 0) return read_named(spec, INPUT_WEIGHT, "parameter_name", out);
    if (strcmp(kind, "buffer") == 0) return read_named(spec, INPUT_WEIGHT, "buffer_name", out);
    if (strcmp(kind, "tensor_constant") == 0) return read_named(spec, INPUT_CONSTANT, "tensor_constant_name", out);
    if (strcmp(kind, "custom_obj") == 0) return read_named(spec, INPUT_OBJECT, "custom_obj_name", out);
    FAIL_IF(strcmp(kind, "token") != 0, ST_UNSUPPORTED, "inputs of kind %.100s are not supported", kind);
    out->kind = INPUT_FIXED; // an order of effects, which a network has none of
    out->value = aten_none();
    return ST_OK;
}

static Status count_items(const JsonPart *list, int *out) {
    JsonWalk walk;
    JsonPart item;
    bool more = true;
    TRY(json_walk(list, JSON_ARRAY, &walk));
    for (*out = -1; more; ++*out) TRY(json_next(&walk, NULL, &item, &more));
    FAIL_IF(*out > LIMIT_NODES, ST_BAD, "expected at most %d weights and inputs, got %d", LIMIT_NODES, *out);
    return ST_OK;
}

static Status read_signature(Inputs *inputs) {
    ExportProgram *program = inputs->program;
    JsonPart specs, spec;
    JsonWalk walk;
    bool more;
    TRY(json_fields(&program->signature, (const JsonField[]){{"input_specs", &specs}}, 1));
    FAIL_IF(!specs.text, ST_BAD, "expected a list 'input_specs', got none");
    TRY(count_items(&specs, &inputs->count));
    inputs->at = arena_array(program->scratch, (size_t)inputs->count + 1, sizeof *inputs->at);
    if (!inputs->at) return fail_memory((size_t)inputs->count * sizeof *inputs->at);
    TRY(json_walk(&specs, JSON_ARRAY, &walk));
    for (int i = 0; i < inputs->count; i++) {
        Input *input = &inputs->at[i];
        Json *json;
        TRY(json_next(&walk, NULL, &spec, &more));
        TRY(json_parse_part(program->scratch, &spec, &json));
        const Status status = read_input(&program->scope, json, input);
        if (status != ST_OK) return fail_context(status, "input_specs[%d]", i);
    }
    return ST_OK;
}

// ---- types

// The size that the user gives an axis of the input; -1: none.
static int64_t given_size(const Aten *aten, const char *name, int rank, int axis) {
    const ImportOptions *options = aten->options;
    bool is_bound = false;
    int64_t size = -1;
    for (size_t i = 0; i < options->n_bind; i++) {
        if (strcmp(options->bind[i].name, name) != 0) continue;
        is_bound = true;
        if (options->bind[i].tensor.shape.rank == rank) size = options->bind[i].tensor.shape.dim[axis];
    }
    for (size_t i = 0; i < options->n_inputs; i++) {
        const InputShape *shape = &options->inputs[i];
        if (shape->name ? strcmp(shape->name, name) != 0 : is_bound) continue;
        if (shape->shape.rank == rank) size = shape->shape.dim[axis];
    }
    return size;
}

// What the user gives is within what the program was made for, and one symbol has one size.
static Status check_given(Inputs *inputs, const DimRule *rule, int64_t size) {
    int64_t symbol;
    TRY(dims_check(&inputs->program->ranges, rule, size, &symbol));
    if (symbol < 0) return ST_OK;
    for (int i = 0; i < inputs->n_given; i++) {
        if (strcmp(inputs->given[i].symbol, rule->symbol) != 0) continue;
        FAIL_IF(inputs->given[i].size != symbol, ST_USAGE, "expected %s, where %s is %lld, got %lld", rule->text,
                rule->symbol, (long long)inputs->given[i].size, (long long)size);
        return ST_OK;
    }
    if (inputs->n_given == (int)COUNT_OF(inputs->given)) return ST_OK;
    inputs->given[inputs->n_given].symbol = rule->symbol;
    inputs->given[inputs->n_given++].size = symbol;
    return ST_OK;
}

static Status read_dim(Inputs *inputs, const char *name, const Json *json, Type *type, int axis) {
    ExportProgram *program = inputs->program;
    const char *expression;
    DimRule rule;
    TRY(field_size(json, &type->dim[axis], &expression));
    FAIL_IF(!expression && type->dim[axis] < 0, ST_BAD, "expected a dim that is not negative, got %lld",
            (long long)type->dim[axis]);
    if (!expression) return ST_OK;
    TRY(dims_parse(program->scratch, expression, &rule));
    TRY(graph_symbol(program->aten->graph, rule.text, &type->dim[axis]));
    const int64_t size = given_size(program->aten, name, type->rank, axis);
    const Status status = size < 0 ? ST_OK : check_given(inputs, &rule, size);
    return status == ST_OK ? ST_OK : fail_context(status, "axis %d", axis);
}

// Floats of other widths are float32 here, as weights are.
static Status read_type(Inputs *inputs, const Input *input, Type *out) {
    int64_t number;
    const Json *sizes;
    Json *meta;
    ExportProgram *program = inputs->program;
    TRY(meta_find(&program->scope.metas, program->scratch, input->name, &meta));
    FAIL_IF(!meta || meta->type != JSON_OBJECT, ST_BAD, "expected its type in 'tensor_values', got none");
    TRY(field_int(json_get(meta, "dtype"), &number));
    *out = (Type){.dtype = export_dtype(number)};
    FAIL_IF(out->dtype == DT_NONE, ST_UNSUPPORTED, "%s are not supported", export_type_name(number));
    if (dtype_is_float(out->dtype)) out->dtype = DT_F32;
    TRY(field_list(meta, "sizes", &sizes));
    FAIL_IF(sizes->count > MAX_RANK, ST_UNSUPPORTED, "expected at most %d dims, got %zu", MAX_RANK, sizes->count);
    out->rank = (int)sizes->count;
    for (int i = 0; i < out->rank; i++) TRY(read_dim(inputs, input->name, &sizes->items[i], out, i));
    return ST_OK;
}

// ---- all of them

static Status add_input(Inputs *inputs, const Input *input) {
    ExportProgram *program = inputs->program;
    Type type = {.dtype = DT_I64};
    AtenValue value;
    if (input->kind != INPUT_TENSOR && input->kind != INPUT_NUMBER) return ST_OK;
    if (input->kind == INPUT_TENSOR) TRY(read_type(inputs, input, &type));
    TRY(aten_input(program->aten, input->name, &type, &value));
    return scope_define(&program->scope, input->name, input->kind == INPUT_NUMBER ? aten_number(value.value) : value);
}

static Status find_tensor(ExportProgram *program, const Input *input, Tensor *out) {
    ExportArchive *archive = program->archive;
    const bool is_weight = input->kind == INPUT_WEIGHT;
    bool found;
    TRY(payload_read(is_weight ? &archive->weights : &archive->constants, input->target, &program->target, &found,
                     out));
    if (!found) // a buffer that is not persistent lies with the constants
        TRY(payload_read(is_weight ? &archive->constants : &archive->weights, input->target, &program->target, &found,
                         out));
    FAIL_IF(!found, ST_BAD, "expected its numbers in the archive, got none");
    return ST_OK;
}

static Status add_tensor(ExportProgram *program, const Input *input) {
    const char *name;
    Tensor tensor;
    AtenValue value;
    const Status status = find_tensor(program, input, &tensor);
    if (status != ST_OK)
        return fail_context(status, "%s '%s'", input->kind == INPUT_WEIGHT ? "weight" : "constant", input->target);
    TRY(program_name(program, input->target, &name));
    TRY(aten_constant(program->aten, name, &tensor, &value));
    return scope_define(&program->scope, input->name, value);
}

static Status add_other(ExportProgram *program, const Input *input) {
    if (input->kind == INPUT_WEIGHT || input->kind == INPUT_CONSTANT) return add_tensor(program, input);
    if (input->kind == INPUT_FIXED && input->name) return scope_define(&program->scope, input->name, input->value);
    if (input->kind != INPUT_OBJECT) return ST_OK;
    AtenValue object = aten_missing();
    object.text = "objects of classes of the model's own"; // counts where a call takes it
    return scope_define(&program->scope, input->name, object);
}

Status program_read_inputs(ExportProgram *program) {
    Inputs inputs = {.program = program};
    TRY(read_signature(&inputs));
    TRY(json_fields(&program->graph, (const JsonField[]){{"tensor_values", &program->scope.metas.values}}, 1));
    for (int i = 0; i < inputs.count; i++) {
        const Status status = add_input(&inputs, &inputs.at[i]);
        if (status != ST_OK) return fail_context(status, "input '%s'", inputs.at[i].name);
    }
    for (int i = 0; i < inputs.count; i++) TRY(add_other(program, &inputs.at[i]));
    return ST_OK;
}

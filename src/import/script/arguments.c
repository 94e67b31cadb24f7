#include "import/script/arguments.h"
#include "base/text.h"
#include "import/limits.h"
#include "import/torch/state.h"
#include <string.h>

enum { NESTING = 4 }; // tuples and dicts of tensors inside each other

typedef struct Inputs {
    Machine *machine;
    const Type *guess;
    bool traced; // a shape of the trace was taken
} Inputs;

// ---- shapes

// What the user says of the input: by its name, or without one.
static bool shape_of_user(const ImportOptions *options, const char *name, Type *type) {
    for (size_t i = 0; i < options->n_inputs; i++) {
        const InputShape *given = &options->inputs[i];
        if (given->name && strcmp(given->name, name) != 0) continue;
        *type = type_make(type->dtype, &given->shape);
        return true;
    }
    for (size_t i = 0; i < options->n_bind; i++) {
        if (strcmp(options->bind[i].name, name) != 0) continue;
        *type = type_make(options->bind[i].tensor.dtype, &options->bind[i].tensor.shape);
        return true;
    }
    return false;
}

// Floats of other types are computed as float32, as the weights are.
static DType input_dtype(DType dtype) {
    return dtype == DT_F16 || dtype == DT_BF16 || dtype == DT_F64 ? DT_F32 : dtype;
}

static Status type_of_example(const Inputs *inputs, const char *name, const PickleValue *example, Type *type) {
    DType dtype;
    Shape shape;
    const Status status = torch_read_type(&inputs->machine->program->traced, example, &dtype, &shape);
    if (status != ST_OK) return fail_context(status, "traced_inputs.pkl: input '%s'", name);
    *type = type_make(input_dtype(dtype), &shape);
    return ST_OK;
}

static Status add_tensor(Inputs *inputs, const char *name, const PickleValue *example, ScriptValue *out) {
    Aten *aten = inputs->machine->aten;
    Type type = {.dtype = DT_F32, .rank = -1};
    AtenValue value;
    if (example) TRY(type_of_example(inputs, name, example, &type));
    const int rank = type.rank;
    const bool given = shape_of_user(aten->options, name, &type);
    FAIL_IF(given && rank >= 0 && type.rank != rank, ST_USAGE, "input '%s': expected a shape of %d dims, got %d", name,
            rank, type.rank);
    inputs->traced |= !given && rank >= 0;
    if (type.rank < 0) type = *inputs->guess;
    FAIL_IF(type.rank < 0, ST_USAGE,
            "input '%s': expected its shape, which the code of TorchScript does not tell; give it with --input "
            "%s=1x3x256x256",
            name, name);
    TRY(aten_input(aten, name, &type, &value));
    return tensor_cell(inputs->machine, &value, out);
}

// ---- tuples, lists and dicts of tensors, which only a trace tells the contents of

static const PickleValue *unwrapped(const PickleValue *value) {
    for (int i = 0; i < NESTING && pickle_is(value, PICKLE_OBJECT) && !torch_is_tensor(value) &&
                    pickle_item(value->args, 0) && !pickle_dict(value);
         i++)
        value = pickle_item(value->args, 0); // restore_type_tag(value, type)
    return value;
}

static Status name_inside(Machine *machine, const char *outer, const char *key, int number, const char **out) {
    Text text = {0};
    if (key) {
        text_add(&text, "%s", key);
    } else {
        text_add(&text, "%s_%d", outer, number);
    }
    Status status = text_status(&text);
    if (status == ST_OK && text.length > LIMIT_NAME)
        status = fail(ST_BAD, "expected a name of at most %d bytes, got %zu", LIMIT_NAME, text.length);
    *out = status == ST_OK ? arena_string(machine->arena, text_get(&text)) : NULL;
    if (status == ST_OK && !*out) status = fail_memory(text.length);
    text_free(&text);
    return status;
}

static Status add_example(Inputs *inputs, const char *name, const PickleValue *example, int depth, ScriptValue *out);

static Status add_examples(Inputs *inputs, const char *name, const PickleValue *list, int depth, ScriptValue *out) {
    Machine *machine = inputs->machine;
    const bool dict = list->kind == PICKLE_DICT;
    const char *inner;
    TRY(machine_charge(machine, (int64_t)list->count));
    FAIL_IF(list->count > LIMIT_NODE_VALUES || depth == NESTING, ST_UNSUPPORTED,
            "input '%s': more than %d tensors, or nested deeper than %d, are not supported", name, LIMIT_NODE_VALUES,
            NESTING);
    const ScriptKind kind = dict ? SCRIPT_DICT : list->kind == PICKLE_LIST ? SCRIPT_LIST : SCRIPT_TUPLE;
    TRY(script_list(machine->arena, kind, (int)list->count * (dict ? 2 : 1), out));
    for (int i = 0; i < (int)list->count; i++) {
        const char *key = dict ? pickle_text(list->items[2 * i]) : NULL;
        FAIL_IF(dict && !key, ST_UNSUPPORTED, "input '%s': a dict with keys that are no text is not supported", name);
        TRY(name_inside(machine, name, key, i, &inner));
        if (dict) out->items->at[2 * i] = script_text(key);
        TRY(add_example(inputs, inner, list->items[dict ? 2 * i + 1 : i], depth + 1,
                        &out->items->at[dict ? 2 * i + 1 : i]));
    }
    return ST_OK;
}

static Status add_example(Inputs *inputs, const char *name, const PickleValue *example, int depth, ScriptValue *out) {
    example = unwrapped(example);
    if (torch_is_tensor(example)) return add_tensor(inputs, name, example, out);
    const bool list = pickle_is(example, PICKLE_LIST) || pickle_is(example, PICKLE_TUPLE);
    if (list || pickle_is(example, PICKLE_DICT)) return add_examples(inputs, name, example, depth, out);
    *out = script_none();
    if (pickle_is(example, PICKLE_NONE)) return ST_OK;
    if (pickle_is(example, PICKLE_BOOL)) *out = script_bool(example->i != 0);
    if (pickle_is(example, PICKLE_INT)) *out = script_int(example->i);
    if (pickle_is(example, PICKLE_FLOAT)) *out = script_float(example->f);
    FAIL_IF(out->kind == SCRIPT_NONE, ST_UNSUPPORTED, "input '%s': %s is not supported", name,
            pickle_kind_name(example));
    return ST_OK;
}

// ---- parameters

// "Tensor", "Optional[Tensor]"
static bool is_tensor_type(const Expr *type) {
    if (!type) return true; // TorchScript takes what has no type for a tensor
    const bool optional = type->kind == EXPR_INDEX && type->object->kind == EXPR_VARIABLE && type->count == 1 &&
                          strcmp(type->object->name->text, "Optional") == 0;
    if (optional) type = type->items[0];
    return type && type->kind == EXPR_VARIABLE && strcmp(type->name->text, "Tensor") == 0;
}

static bool is_given(const ImportOptions *options, const char *name) {
    Type ignored = {0};
    for (size_t i = 0; i < options->n_inputs; i++) {
        if (!options->inputs[i].name) return false;
    }
    return shape_of_user(options, name, &ignored);
}

static Status add_parameter(Inputs *inputs, const Parameter *parameter, const PickleValue *example, ScriptValue *out) {
    const char *name = parameter->name->text;
    if (example) return add_example(inputs, name, example, 0, out);
    const bool tensor = is_tensor_type(parameter->type);
    if (parameter->otherwise && !(tensor && is_given(inputs->machine->aten->options, name)))
        return eval(inputs->machine, NULL, parameter->otherwise, out);
    FAIL_IF(!tensor, ST_UNSUPPORTED, "input '%s' of forward is no tensor, which is not supported; give it a default",
            name);
    return add_tensor(inputs, name, NULL, out);
}

// The examples that the model was traced with; NULL: it was not.
static const PickleValue *examples_of(const Program *program) {
    const PickleValue *forward = pickle_get(unwrapped(program->traced.root), "forward");
    forward = forward ? unwrapped(forward) : NULL;
    return pickle_is(forward, PICKLE_LIST) || pickle_is(forward, PICKLE_TUPLE) ? forward : NULL;
}

bool script_lacks_shape(const Machine *machine, const Definition *forward) {
    Type ignored = {0};
    int wanted = 0;
    for (int i = 1; i < forward->n_parameters; i++) wanted += !forward->parameters[i].otherwise;
    if (wanted != 1 || examples_of(machine->program)) return false;
    const Parameter *first = &forward->parameters[1];
    return !first->otherwise && is_tensor_type(first->type) &&
           !shape_of_user(machine->aten->options, first->name->text, &ignored);
}

Status script_arguments(Machine *machine, const Definition *forward, const Type *guess, ScriptValue **args,
                        int *count) {
    Inputs inputs = {.machine = machine, .guess = guess};
    const PickleValue *examples = examples_of(machine->program);
    const int n = forward->n_parameters - 1;
    FAIL_IF(n < 0, ST_BAD, "expected forward to have the parameter self, got none");
    FAIL_IF(n > LIMIT_NODE_VALUES, ST_UNSUPPORTED, "more than %d inputs are not supported", LIMIT_NODE_VALUES);
    *args = arena_array(machine->arena, (size_t)n + 1, sizeof **args);
    if (!*args) return fail_memory((size_t)n * sizeof **args);
    for (int i = 0; i < n; i++) {
        const Parameter *parameter = &forward->parameters[i + 1];
        TRY(add_parameter(&inputs, parameter, pickle_item(examples, (size_t)i), &(*args)[i]));
    }
    *count = n;
    if (inputs.traced)
        torch_note(&machine->aten->imported->notes, "input sizes are those of the trace, --input has others");
    return ST_OK;
}

// ---- outputs

typedef struct Outputs {
    Machine *machine;
    int count;
} Outputs;

// The first of a name has it, others "NAME_1" ...
static Status add_output(Outputs *outputs, const char *name, int number, const ScriptValue *value) {
    AtenValue result;
    Machine *machine = outputs->machine;
    if (value->kind == SCRIPT_NONE) return ST_OK;
    if (number > 0) TRY(name_inside(machine, name, NULL, number, &name));
    outputs->count++;
    TRY(to_aten(machine, value, 0, &result));
    return aten_output(machine->aten, name, &result);
}

static Status add_outputs(Outputs *outputs, const char *name, int *number, const ScriptValue *value, int depth);

static Status add_entries(Outputs *outputs, const ScriptValue *dict, int depth) {
    for (int i = 0; i + 1 < dict->items->count; i += 2) {
        const ScriptValue *key = &dict->items->at[i];
        const char *name = key->text;
        int number = 0;
        if (key->kind == SCRIPT_INT) TRY(name_inside(outputs->machine, "output", NULL, (int)key->i, &name));
        FAIL_IF(key->kind != SCRIPT_INT && key->kind != SCRIPT_TEXT, ST_UNSUPPORTED,
                "outputs in a dict with %s as a key are not supported", script_kind_name(key->kind));
        TRY(add_outputs(outputs, name, &number, &dict->items->at[i + 1], depth + 1));
    }
    return ST_OK;
}

static Status add_items(Outputs *outputs, const char *name, int *number, const ScriptValue *list, int depth) {
    const Definition *class = list->items->class;
    for (int i = 0; i < list->items->count; i++) {
        int own = 0;
        const bool named = class && i < class->n_fields;
        TRY(add_outputs(outputs, named ? class->fields[i].name->text : name, named ? &own : number, &list->items->at[i],
                        depth + 1));
    }
    return ST_OK;
}

static Status add_outputs(Outputs *outputs, const char *name, int *number, const ScriptValue *value, int depth) {
    TRY(machine_charge(outputs->machine, 1));
    FAIL_IF(depth > NESTING, ST_UNSUPPORTED, "outputs nested deeper than %d are not supported", NESTING);
    FAIL_IF(outputs->count > LIMIT_NODE_VALUES, ST_UNSUPPORTED, "more than %d outputs are not supported",
            LIMIT_NODE_VALUES);
    if (value->kind == SCRIPT_DICT) return add_entries(outputs, value, depth);
    if (script_is_list(value)) return add_items(outputs, name, number, value, depth);
    return add_output(outputs, name, (*number)++, value);
}

Status script_outputs(Machine *machine, const ScriptValue *result) {
    Outputs outputs = {.machine = machine};
    int number = 0;
    TRY(add_outputs(&outputs, "output", &number, result, 0));
    FAIL_IF(outputs.count == 0, ST_UNSUPPORTED, "expected a tensor from forward, got %s",
            script_kind_name(result->kind));
    return ST_OK;
}

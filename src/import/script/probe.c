#include "import/script/probe.h"
#include <string.h>

typedef struct Probe {
    Aten *aten;
    ValueId input;
    Type found; // rank -1: nothing yet
} Probe;

// The operator's input channels are dim `axis` of its weights, times its groups, argument number `groups`.
static const struct {
    const char *op;
    int axis, groups;
} convolutions[] = {{"aten::conv1d", 1, 6},
                    {"aten::conv2d", 1, 6},
                    {"aten::conv3d", 1, 6},
                    {"aten::_convolution", 1, 8},
                    {"aten::convolution", 1, 8},
                    {"aten::conv_transpose1d", 0, -1},
                    {"aten::conv_transpose2d", 0, -1},
                    {"aten::conv_transpose3d", 0, -1}};

// Those that leave the shape, given numbers beside the tensor.
static bool leaves_shape(const char *op, const AtenValue *args, int n_args) {
    static const char *const ops[] = {"aten::to",  "aten::contiguous", "aten::float", "aten::clone", "aten::detach",
                                      "aten::add", "aten::sub",        "aten::mul",   "aten::div",   "aten::clamp"};
    for (int i = 1; i < n_args; i++) {
        if (args[i].kind == ATEN_TENSOR || args[i].kind == ATEN_LIST) return false;
    }
    for (size_t i = 0; i < COUNT_OF(ops); i++) {
        if (strcmp(op, ops[i]) == 0) return true;
    }
    return false;
}

static bool read_weight(Probe *probe, const AtenValue *args, int n_args, int axis, int groups) {
    const Tensor *weight =
        n_args > 1 && args[1].kind == ATEN_TENSOR ? probe->aten->graph->values[args[1].value].constant : NULL;
    int64_t n_groups = 1, channels;
    if (!weight || weight->shape.rank < 3) return false;
    if (groups >= 0 && groups < n_args && !aten_known_int(probe->aten, &args[groups], &n_groups)) return false;
    if (!mul_i64(weight->shape.dim[axis], n_groups, &channels) || channels < 1) return false;
    probe->found = (Type){.dtype = DT_F32, .rank = weight->shape.rank};
    for (int i = 0; i < weight->shape.rank; i++) probe->found.dim[i] = i == 1 ? channels : DIM_UNKNOWN;
    return true;
}

// Ends the walk but for operators that leave the shape. Whether anything was found is told by the probe.
Status probe_operator(Probe *probe, const char *op, const AtenValue *args, int n_args, AtenValue *out) {
    const bool ours = n_args > 0 && args[0].kind == ATEN_TENSOR && args[0].value == probe->input;
    if (ours && leaves_shape(op, args, n_args)) {
        *out = args[0];
        return ST_OK;
    }
    for (size_t i = 0; ours && i < COUNT_OF(convolutions); i++) {
        if (strcmp(op, convolutions[i].op) != 0) continue;
        // A transposed _convolution has its weights the other way round.
        const bool transposed = convolutions[i].groups == 8 && n_args > 6 && args[6].kind == ATEN_BOOL && args[6].b;
        if (read_weight(probe, args, n_args, transposed ? 0 : convolutions[i].axis,
                        transposed ? -1 : convolutions[i].groups))
            break;
    }
    return fail(ST_NO, "%s ends the walk", op);
}

static Status walk(Machine *machine, Probe *probe) {
    const Type any = {.dtype = DT_F32, .rank = -1};
    ScriptObject *root;
    AtenValue input;
    ScriptValue arg, ignored;
    TRY(aten_input(machine->aten, "x", &any, &input));
    probe->input = input.value;
    TRY(object_root(machine, &root));
    TRY(tensor_cell(machine, &input, &arg));
    return machine_method(machine, root, "forward", &arg, 1, &ignored);
}

static Status guess(Program *program, Arena *arena, Imported *scratch, Type *out) {
    Aten aten;
    Machine machine;
    Probe probe = {.aten = &aten, .found = {.rank = -1}};
    TRY(aten_begin(&aten, scratch, NULL, arena));
    Status status = machine_begin(&machine, program, &aten, scratch, arena);
    machine.probe = &probe;
    if (status == ST_OK) status = walk(&machine, &probe);
    machine_end(&machine);
    *out = probe.found;
    return status == ST_RESOURCE ? status : ST_OK; // any other end tells nothing more
}

Status script_guess(Program *program, Arena *arena, Type *out) {
    Imported scratch = {0};
    const Status status = guess(program, arena, &scratch, out);
    import_free(&scratch);
    if (status == ST_OK) error_clear();
    return status;
}

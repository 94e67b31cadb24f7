// Walks a program from its forward method on, calls put in where they stand, and hands the operators on tensors over to
// aten. What decides which way it goes has to be known before a run: constants, attributes, and what follows from sizes
// that are known.
//
// Recursion of the C code follows calls, blocks and expressions of the program inside each other, together at most
// MACHINE_DEPTH; all that is walked counts against MACHINE_STEPS.
#pragma once
#include "import/script/program.h"
#include "import/script/value.h"
#include "import/torch/tensor.h"

enum {
    MACHINE_DEPTH = 1000,
    MACHINE_STEPS = 1000000,
    MACHINE_CALLS = 100000, // of operators on tensors
    MACHINE_STACK = 1 << 18 // variables of all functions that are being walked
};

typedef struct Frame Frame;
struct Frame {
    const Frame *caller;
    const Definition *function;
    const char *path; // of the module that it is a method of, or that called it
    ScriptValue *places;
    uint32_t at; // in the function's code: what is walked now
    int line;
    bool returned;
    ScriptValue result;
};

typedef struct Machine {
    Program *program;
    Aten *aten;
    Arena *arena;                   // dropped after the import
    TorchTarget weights, constants; // of attributes, of CONSTANTS
    ScriptValue *stack;
    int stack_used;
    int depth, calls;
    int64_t steps;
    const Frame *frame;    // that is walked; NULL: none
    bool told;             // the failure's message has its place already
    struct Probe *probe;   // takes the operators instead of aten: probe.c; NULL: none
    struct Loaded *loaded; // what was made of values of the pickles: object.c
    size_t n_loaded, loaded_room;
} Machine;

// A call of something that is built in, its arguments known.
typedef struct ScriptCall {
    const char *op; // "aten::append"
    const ScriptValue *args;
    int count;
    Name *const *keywords; // of the last n_keywords arguments
    int n_keywords;
} ScriptCall;

Status machine_begin(Machine *machine, Program *program, Aten *aten, Imported *imported, Arena *arena);
void machine_end(Machine *machine);
// Calls the method `name` of the object with so many arguments, which may be less than its parameters.
Status machine_method(Machine *machine, ScriptObject *object, const char *name, const ScriptValue *args, int count,
                      ScriptValue *out);

// ST_UNSUPPORTED beyond the steps.
Status machine_charge(Machine *machine, int64_t steps);
// "encoder.conv1 (resnet.py:286)": where the walk is. In the arena.
Status machine_place(Machine *machine, const char **out);

// ---- walk.c, eval.c
// Variables without a value; machine->stack_used goes back when they are no longer needed.
Status machine_push(Machine *machine, int count, ScriptValue **out);
// One level of expressions, blocks or calls deeper; a walk that fails does not come back.
Status machine_enter(Machine *machine);
Status call_function(Machine *machine, const Definition *function, const char *path, const ScriptValue *args, int count,
                     ScriptValue *out);
Status eval(Machine *machine, Frame *frame, const Expr *expr, ScriptValue *out);
Status run_block(Machine *machine, Frame *frame, const Block *block);

// ---- decide.c: what is known of a value. False: not known before a run.
bool known_truth(Machine *machine, const ScriptValue *value, bool *out);
bool known_int(Machine *machine, const ScriptValue *value, int64_t *out);
// The failure of something that is decided by `value`.
Status not_known(Machine *machine, const ScriptValue *value, const char *what);

// ---- object.c
Status object_root(Machine *machine, ScriptObject **out);
Status object_get(Machine *machine, ScriptObject *object, Name *name, ScriptValue *out);
Status object_set(Machine *machine, ScriptObject *object, Name *name, const ScriptValue *value);
Status object_make(Machine *machine, Name *class, ScriptValue *out); // CLASS.__new__(CLASS)
Status object_class(Machine *machine, ScriptObject *object, const Definition **out);
Status object_constant(Machine *machine, Name *name, ScriptValue *out); // CONSTANTS.c0
// The member at a place of a container of modules: ml[0], md["x"].
Status object_index(Machine *machine, ScriptObject *object, const ScriptValue *key, ScriptValue *out);
Status enum_member(Machine *machine, const Definition *class, const Name *qualified, const Name *member,
                   ScriptValue *out);

// ---- cell.c, operator.c
Status tensor_cell(Machine *machine, const AtenValue *value, ScriptValue *out);
void cell_store(ScriptCell *cell, const char *path); // it is in the file: nothing may be written into it
Status cell_read(Machine *machine, ScriptCell *cell, AtenValue *out);
Status to_aten(Machine *machine, const ScriptValue *value, int depth, AtenValue *out);
Status from_aten(Machine *machine, const AtenValue *value, ScriptValue *out);
// An operator on tensors, or on numbers that are known in a run only.
Status call_operator(Machine *machine, const ScriptCall *call, ScriptValue *out);

// ---- probe.c: a walk up to the first convolution
Status probe_operator(struct Probe *probe, const char *op, const AtenValue *args, int n_args, AtenValue *out);

// ---- builtin*.c
// Sets *done where it had a meaning for these arguments.
typedef Status Builtin(Machine *machine, const ScriptCall *call, ScriptValue *out, bool *done);
typedef struct BuiltinRow {
    const char *op; // without "aten::"
    Builtin *call;
} BuiltinRow;
extern const BuiltinRow builtin_lists[], builtin_texts[], builtin_numbers[], builtin_prims[]; // end with op NULL
Status call_builtin(Machine *machine, const ScriptCall *call, ScriptValue *out);
// a == b; *known false: not known before a run.
Status values_equal(Machine *machine, const ScriptValue *a, const ScriptValue *b, int depth, bool *equal, bool *known);
Status value_in(Machine *machine, const ScriptValue *container, const ScriptValue *value, ScriptValue *out);
Status get_item(Machine *machine, const ScriptValue *container, const ScriptValue *key, ScriptValue *out);
Status get_slice(Machine *machine, const ScriptValue *container, const ScriptValue *begin, const ScriptValue *end,
                 int64_t step, ScriptValue *out);
// What `text` says of the value, as Python prints it.
Status print_value(Machine *machine, const ScriptValue *value, int depth, Text *text);

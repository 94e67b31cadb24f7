// Programs of PyTorch's ATen operators, however they are written down: the readers of torch.export (import/export/)
// and of TorchScript (import/script/) walk a program in order and hand over one call after the other; the converters
// here make nodes of ours. Nothing is executed but shape arithmetic on numbers that are known.
//
//     Aten aten;
//     TRY(aten_begin(&aten, imported, options, arena));
//     TRY(aten_input(&aten, "x", &type, &x));
//     AtenCall call = {.op = "aten::conv2d", .place = "encoder.conv1 (resnet.py:286)", .name = "conv2d_3", ...};
//     TRY(aten_call(&aten, &call, &y, 1));
//     TRY(aten_output(&aten, "output", &y));
//     TRY(aten_end(&aten));
//
// An operator that is not had does not stop the walk: its results are ATEN_MISSING, whatever is computed from those is
// too, and aten_end names all of them in one line (ST_UNSUPPORTED).
#pragma once
#include "import/emit.h"
#include "import/import.h"
#include "import/known.h"
#include "import/missing.h"

typedef enum AtenKind {
    ATEN_NONE,
    ATEN_BOOL,
    ATEN_INT, // also dtypes (c10::ScalarType), layouts, memory formats, by their numbers
    ATEN_FLOAT,
    ATEN_TEXT,   // also devices
    ATEN_TENSOR, // a value of the graph
    ATEN_NUMBER, // an int, float or bool that is known in a run only (the size of a free dim): a value, a scalar
    ATEN_LIST,   // lists and tuples: of ints, of tensors, of lists ...
    ATEN_MISSING // what an operator would give that is not had; its text says what, NULL: told already
} AtenKind;

typedef struct AtenValue AtenValue;
struct AtenValue {
    AtenKind kind;
    union {
        bool b;
        int64_t i;
        double f;
        const char *text;
        ValueId value;
        struct {
            const AtenValue *items;
            int count;
        };
    };
};

typedef struct AtenKeyword {
    const char *name;
    AtenValue value;
} AtenKeyword;

// One call of an operator. Arguments are given by place, by name, or some by place and the rest by name, as in the
// operator's schema; those that are not given have the schema's defaults.
typedef struct AtenCall {
    const char *op;       // "aten::conv2d", "prim::ListUnpack": the namespace and the name, without the overload
    const char *overload; // "Tensor", "" for the unnamed one; NULL: not told, follows from the arguments
    const char *name;     // of the first result, for the graph; made unique
    const char *place;    // the module's path and the source line, as far as the file tells: for messages
    const AtenValue *args;
    int n_args;
    const AtenKeyword *keywords;
    int n_keywords;
} AtenCall;

typedef struct Aten {
    const ImportOptions *options;
    Imported *imported;
    Graph *graph;
    Arena *scratch; // dropped after the import
    Known known;
    Missing missing;
    const char *missing_place; // of the first operator that is missing
    bool bound;                // what the user says of the inputs is in the graph
    ValueId *transposed;       // private to call.c: of constants by id, NO_VALUE: not made yet
    int n_transposed;
} Aten;

// What a file that is small may ask for, beyond limits.h: the depth of lists, and the values of one list.
enum { ATEN_LIST_DEPTH = 8, ATEN_LIST_COUNT = 65536 };

// Makes imported->graph where there is none yet. options NULL: none.
Status aten_begin(Aten *aten, Imported *imported, const ImportOptions *options, Arena *scratch);
// An input of the model; all of them come before the first call. A dim of DIM_UNKNOWN becomes the symbol "NAME.AXIS",
// dims of one name (graph_symbol(aten->graph, "s0", &dim)) are equal. What the user says of inputs is applied at the
// first call: dims that are fixed are known from there on.
Status aten_input(Aten *aten, const char *name, const Type *type, AtenValue *out);
// An output of the model: a tensor or a number (then a scalar). ST_UNSUPPORTED: something else. Of what is missing
// aten_end tells.
Status aten_output(Aten *aten, const char *name, const AtenValue *value);
// Drops what leads to no output, infers, verifies. ST_UNSUPPORTED: all that is missing.
Status aten_end(Aten *aten);

// One call; `outs` takes n_outs results (an operator of several gives them in its schema's order; an ATEN_LIST is one
// result). Errors of what the arguments are (ST_BAD: wrong count, kind, shape; ST_UNSUPPORTED: a variant of an
// operator, named) begin with the place and the operator.
Status aten_call(Aten *aten, const AtenCall *call, AtenValue *outs, int n_outs);
//
// Names of operators: "aten::add", "aten::add_" (computes the value only: whoever reads the file knows what aliases
// what), "prim::NumToTensor"; and what torch.export writes between sizes, with "::" for the dot: "_operator::mul",
// "_operator::floordiv", "math::ceil", "torch::sym_max", "torch::sym_float". Lists (aten::len, aten::__getitem__,
// aten::add of two) and texts (aten::eq) too. An operator without a result (aten::_assert_async) gives ATEN_NONE.
bool aten_has(const char *op); // a converter is there

// Makers.
AtenValue aten_none(void);
AtenValue aten_bool(bool value);
AtenValue aten_int(int64_t value);
AtenValue aten_float(double value);
AtenValue aten_text(const char *text);
AtenValue aten_tensor(ValueId value);
AtenValue aten_number(ValueId value);                       // known in a run only
AtenValue aten_list(const AtenValue *items, int count);     // not copied
AtenValue aten_missing(void);

// A weight or a constant of the program; `name` as state_dict has it. The data is not copied.
Status aten_constant(Aten *aten, const char *name, const Tensor *tensor, AtenValue *out);

// What is known of a number now: folds ATEN_NUMBER where the sizes that it follows from are known. False: not known.
bool aten_known_int(Aten *aten, const AtenValue *value, int64_t *out);
bool aten_known_float(Aten *aten, const AtenValue *value, double *out);
bool aten_known_bool(Aten *aten, const AtenValue *value, bool *out);
// The number as a scalar value of the graph (a constant where it is known). ST_BAD: no number.
Status aten_number_value(Aten *aten, const char *name, const AtenValue *number, ValueId *out);

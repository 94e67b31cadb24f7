// The archive of torch.jit.save, as far as it is a program:
//
//   NAME/data.pkl          the model: objects with their attributes; tensors in NAME/data/KEY
//   NAME/code/A/B.py       the functions and classes of the module A.B ("__torch__.torch.nn.functional")
//   NAME/constants.pkl     a tuple of what the code calls CONSTANTS.c0, c1 ...; tensors in NAME/constants/KEY
//   NAME/traced_inputs.pkl the examples of a trace: {"forward": [...]}, without their numbers
//   NAME/code/A/B.py.debug_pkl  which line of which source file a byte of the code comes from
//
// Source: torch/csrc/jit/serialization/{export_module,import,pickler,source_range_serialization}.cpp of
// pytorch/pytorch.
#pragma once
#include "import/script/syntax.h"
#include "import/torch/file.h"

typedef struct Program {
    Arena *arena;
    Names names;
    TorchFile data, constants, traced; // constants, traced: root NULL: not there
    int64_t source_read;               // private to source.c
} Program;

// ST_BAD: damaged. ST_UNSUPPORTED: the form before PyTorch 1.4, code for phones only.
Status program_open(const Mapping *mapping, Arena *arena, Program *out);
// The function or class of a qualified name ("__torch__.Net"). ST_BAD: none, or code that is none.
Status program_find(Program *program, Name *name, const Definition **out);
// The class and the member that a name like "__torch__.Color.RED" means; *class NULL: it means something else.
Status program_find_enum(Program *program, const Name *name, const Definition **class, Name **member);
Name *program_word(Program *program, const char *text); // NULL: no memory

// Where a byte of the code comes from: "resnet.py:286" of the network's own source as far as the file tells, else
// "code/__torch__.py:12". In the arena. *of_torch: the line is one of PyTorch's own.
Status program_place(Program *program, const ScriptCode *code, uint32_t at, int line, const char **out, bool *of_torch);

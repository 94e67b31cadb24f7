// Tensors that share memory, as in PyTorch: what is written through one is seen through the others. The graph knows
// values only, so a write makes a new value, and whoever reads the tensor or a view of it later gets that one.
//
//     AtenAliases aliases = aten_aliases(&aten);
//     TRY(aten_alias_call(&aliases, &select, &row, 1));      // row = x[0]: a view of x
//     TRY(aten_alias_call(&aliases, &fill, &row, 1));        // row.fill_(1)
//     TRY(aten_alias_call(&aliases, &relu, &y, 1));          // relu(x): sees the ones
//
// A reader of programs keeps the AtenValues as they are given here, hands them to nobody but to these functions, and
// asks for aten_alias_current where it needs the value itself: outputs, sizes.
#pragma once
#include "import/aten/aten.h"

typedef struct AtenAlias AtenAlias;
typedef struct AtenAliases {
    Aten *aten;
    AtenAlias *aliases; // of tensors that are views, have views, or were written to
    int count, capacity;
    int32_t *of_value; // by ValueId: number in `aliases` + 1; 0: none
    int n_values;
} AtenAliases;

AtenAliases aten_aliases(Aten *aten);
// As aten_call. ST_UNSUPPORTED: a write through a view of a kind that cannot be undone, a read of what may have been
// written so (through reshape, which may be a copy).
Status aten_alias_call(AtenAliases *aliases, const AtenCall *call, AtenValue *outs, int n_outs);
// The values that stand for it now; lists are copied.
Status aten_alias_current(AtenAliases *aliases, const AtenValue *value, AtenValue *out);

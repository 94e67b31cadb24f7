// Tensors, and what happens to them in place. Values of the graph don't change, so that a tensor of the program is a
// cell, which holds the value that it has at the moment. All names of a tensor name one cell. A view (x[:, 0]) is a
// cell of its own, which knows what it is a view of and how it is made of it:
//
//     root <- slice <- select        what is written into the last one is put back into the root (select_scatter,
//     value    |         |           then slice_scatter) before any other cell of these is read again;
//     version  version   version     a view whose version is not the root's is made anew
//
// Where it is not known how to put a view back, or whether an operator gives a view at all (contiguous), the program
// goes on as long as nobody looks at a cell that it matters for.
#pragma once
#include "import/script/machine.h"

typedef enum ViewKind {
    VIEW_SURE,    // made by the operator `op` from its base
    VIEW_SAME,    // the base itself under another name
    VIEW_PERHAPS, // a view or a copy, which the code does not tell
    VIEW_PART     // item `part` of the list that `op` gives
} ViewKind;

typedef struct View {
    ViewKind kind;
    const char *op;
    const AtenValue *args; // the first one, the base, is not looked at
    int n_args;
    const AtenKeyword *keywords;
    int n_keywords, part;
} View;

// The cell of `made`, fresh from the operator, is that view of `base`. What was written into views of the base's root
// has to be there by then (cell_settle).
void cell_attach(const ScriptValue *made, ScriptCell *base, const View *view);
Status cell_settle(Machine *machine, ScriptCell *cell);
// The operator `by` writes it.
Status cell_write(Machine *machine, ScriptCell *cell, const AtenValue *value, const char *by);

// One call of aten from where the walk is.
Status aten_run(Machine *machine, const char *op, const AtenValue *args, int n_args, const AtenKeyword *keywords,
                int n_keywords, AtenValue *outs, int n_outs);
Status aten_plain(Machine *machine, const char *op, const AtenValue *args, int n_args, AtenValue *out);

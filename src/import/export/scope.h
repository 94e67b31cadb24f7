// The values of a graph of the program, by name, and arguments that name them.
#pragma once
#include "base/json.h"
#include "import/aten/aten.h"
#include "import/export/meta.h"

// A graph inside another sees its own names only.
typedef struct Scope {
    Arena *arena;
    NameTable names;
    AtenValue *values;
    int count, capacity;
    MetaTable metas;
} Scope;

Status scope_define(Scope *scope, const char *name, AtenValue value); // `name` is copied; ST_BAD: it is there already
Status scope_value(const Scope *scope, const char *name, AtenValue *out); // ST_BAD: not there

// An argument, a union such as {"as_ints": [1, 2]} or {"as_tensor": {"name": "x"}}; lists lie in `arena`, texts in the
// JSON. ST_UNSUPPORTED: complex numbers, objects, dicts.
Status scope_argument(const Scope *scope, Arena *arena, const Json *json, AtenValue *out);

// Gives the names of a node's outputs, unions such as [{"as_tensor": {"name": "y"}}, {"as_none": true}], to values. An
// output that is a list of names takes a list of as many values.
Status scope_define_outputs(Scope *scope, const Json *outputs, const AtenValue *values);
// ... after dims of those values that inference does not tell are taken from what the file says; what is read of that
// lies in `arena`.
Status scope_define_results(Scope *scope, Arena *arena, Graph *graph, const Json *outputs, const AtenValue *values);

// Dims of inputs that are expressions of symbols, and the limits that the program sets them.
//
// An expression is written as sympy does: "s0", "2*s0 + 1" (before torch 2.6), "Mul(Integer(2), Symbol('s0',
// integer=True))". A limit is about a symbol or about an expression: {"s0": {"min_val": 2, "max_val": 64}}.
#pragma once
#include "base/json.h"
#include "graph/graph.h"
#include "import/export/names.h"

typedef struct DimRange {
    const char *name;
    int64_t min, max; // INT64_MIN, INT64_MAX: none
} DimRange;

typedef struct DimRule {
    const char *text;       // "2*s0": the name of the graph's symbol; the whole expression where it is not linear
    const char *symbol;     // NULL: not linear
    int64_t factor, offset; // text is factor * symbol + offset
} DimRule;

typedef struct DimRanges {
    DimRange *at;
    int count;
    NameTable names;
} DimRanges;

Status dims_read_ranges(Arena *arena, const JsonPart *constraints, DimRanges *out);
Status dims_parse(Arena *arena, const char *expression, DimRule *out);
// The size that a symbol has when the dim has that size; -1: not known. ST_USAGE: the dim may not have it.
Status dims_check(const DimRanges *ranges, const DimRule *rule, int64_t size, int64_t *symbol);

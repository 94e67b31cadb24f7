// What can be said of the elements of small integer tensors before all of them are known: in Concat(Shape(x)[0:1],
// [3, 64, 64]) the first is a symbol, the others are numbers. Private to src/pass.
#pragma once
#include "pass/rewrite.h"

typedef struct KnownInts {
    int rank;              // 0 or 1
    int count;             // 1 when rank is 0
    int64_t at[MAX_INTS];  // the number, or the symbol's dim (<= DIM_SYMBOL_0), or DIM_UNKNOWN
    bool number[MAX_INTS]; // at[i] is a number (which may be negative too)
} KnownInts;

// known: of all values by id, NULL where nothing is known; constants need no entry. Says what is known of the output
// of `node` from its inputs and their types. False: nothing.
bool known_ints_of(const Graph *graph, const Node *node, KnownInts *const *known, KnownInts *out);
// What is known of a value: of its constant or its entry. False: nothing.
bool known_ints_get(const Graph *graph, ValueId value, KnownInts *const *known, KnownInts *out);
bool known_ints_complete(const KnownInts *ints); // every element is a number

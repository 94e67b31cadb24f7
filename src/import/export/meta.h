// What the file says of the types of a graph's values.
#pragma once
#include "base/json.h"
#include "graph/graph.h"
#include "import/export/names.h"

typedef struct MetaTable {
    JsonPart values; // {"x": {"dtype": 7, "sizes": [...]}, ...}; no text: none
    JsonPart *at;
    int count, capacity;
    NameTable names;
    bool is_read; // which it is when it is asked for the first time
} MetaTable;

// *out NULL: it says nothing. ST_BAD: two of one name.
Status meta_find(MetaTable *table, Arena *arena, const char *name, Json **out);
// Dims of the value that inference does not tell, and the file does, as numbers.
Status meta_fill(MetaTable *table, Arena *arena, const char *name, Graph *graph, ValueId value);

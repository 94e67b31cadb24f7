// Private to src/graph: names to ids by open addressing. Names are never taken out; ids may be swapped.
#pragma once
#include "graph/graph.h"

struct NameSlot {
    const char *name; // NULL: free; not owned
    int32_t id;
    int32_t last_suffix; // the last ".N" that was tried for a fresh name made of this one
};
NameSlot *index_find(const NameIndex *index, const char *name); // NULL when absent; valid until the next index_add
Status index_add(Arena *arena, NameIndex *index, const char *name, int32_t id); // `name` must be absent

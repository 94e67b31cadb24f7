// Names to places in a list: of values, of weights.
#pragma once
#include "base/memory.h"
#include "base/status.h"
#include <stdint.h>

typedef struct NameEntry {
    const char *name; // NULL: free; not owned
    int32_t at;
} NameEntry;

typedef struct NameTable {
    NameEntry *entries;
    uint32_t n_entries, used; // a power of two; at most half of them
} NameTable;

int32_t name_find(const NameTable *table, const char *name); // -1: not there
// ST_BAD: it is there already.
Status name_add(NameTable *table, Arena *arena, const char *name, int32_t at);

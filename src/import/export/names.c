#include "import/export/names.h"
#include "base/hash.h"
#include <string.h>

// The entry of `name`, or the free one where it would go. The table is never full.
static NameEntry *probe(const NameTable *table, const char *name) {
    const uint32_t mask = table->n_entries - 1;
    uint32_t at = (uint32_t)hash64(name, strlen(name), 0) & mask;
    while (table->entries[at].name && strcmp(table->entries[at].name, name) != 0) at = (at + 1) & mask;
    return &table->entries[at];
}

int32_t name_find(const NameTable *table, const char *name) {
    const NameEntry *entry = table->n_entries > 0 ? probe(table, name) : NULL;
    return entry && entry->name ? entry->at : -1;
}

static Status grow(NameTable *table, Arena *arena) {
    NameTable larger = {.n_entries = table->n_entries ? table->n_entries * 2 : 64, .used = table->used};
    larger.entries = arena_array(arena, larger.n_entries, sizeof *larger.entries);
    if (!larger.entries) return fail_memory(larger.n_entries * sizeof *larger.entries);
    for (uint32_t i = 0; i < table->n_entries; i++) {
        if (table->entries[i].name) *probe(&larger, table->entries[i].name) = table->entries[i];
    }
    *table = larger;
    return ST_OK;
}

Status name_add(NameTable *table, Arena *arena, const char *name, int32_t at) {
    if (table->used >= table->n_entries / 2) TRY(grow(table, arena));
    NameEntry *entry = probe(table, name);
    FAIL_IF(entry->name, ST_BAD, "expected '%.200s' once, got it twice", name);
    *entry = (NameEntry){.name = name, .at = at};
    table->used++;
    return ST_OK;
}

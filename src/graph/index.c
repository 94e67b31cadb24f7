#include "graph/index.h"
#include "base/hash.h"
#include <string.h>

// The slot of `name`, or the free one where it would go. The table is never full.
static NameSlot *probe(const NameIndex *index, const char *name) {
    const uint32_t mask = index->n_slots - 1;
    uint32_t at = (uint32_t)hash64(name, strlen(name), 0) & mask;
    while (index->slots[at].name && strcmp(index->slots[at].name, name) != 0) at = (at + 1) & mask;
    return &index->slots[at];
}

NameSlot *index_find(const NameIndex *index, const char *name) {
    if (!index->n_slots) return NULL;
    NameSlot *slot = probe(index, name);
    return slot->name ? slot : NULL;
}

static Status index_grow(Arena *arena, NameIndex *index) {
    NameIndex larger = {.n_slots = index->n_slots ? index->n_slots * 2 : 64, .used = index->used};
    larger.slots = arena_array(arena, larger.n_slots, sizeof(NameSlot));
    if (!larger.slots) return fail_memory(larger.n_slots * sizeof(NameSlot));
    for (uint32_t i = 0; i < index->n_slots; i++)
        if (index->slots[i].name) *probe(&larger, index->slots[i].name) = index->slots[i];
    *index = larger;
    return ST_OK;
}

Status index_add(Arena *arena, NameIndex *index, const char *name, int32_t id) {
    if (index->used >= index->n_slots / 2) TRY(index_grow(arena, index));
    *probe(index, name) = (NameSlot){.name = name, .id = id};
    index->used++;
    return ST_OK;
}

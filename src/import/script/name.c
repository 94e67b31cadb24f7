// Names, once for each spelling: a table of chains.
#include "import/script/syntax.h"
#include <string.h>

static size_t hash_of(const char *text, size_t length) { // FNV-1a
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < length; i++) hash = (hash ^ (uint8_t)text[i]) * UINT64_C(0x100000001b3);
    return (size_t)(hash ^ hash >> 32);
}

static bool grow(Names *names) {
    const size_t n_slots = names->n_slots ? 4 * names->n_slots : 1024;
    Name **slots = arena_array(names->arena, n_slots, sizeof *slots);
    if (!slots) return false;
    for (size_t i = 0; i < names->n_slots; i++) {
        for (Name *name = names->slots[i], *next; name; name = next) {
            Name **slot = &slots[hash_of(name->text, strlen(name->text)) % n_slots];
            next = name->next;
            name->next = *slot;
            *slot = name;
        }
    }
    names->slots = slots;
    names->n_slots = n_slots;
    return true;
}

Name *name_of(Names *names, const char *text, size_t length) {
    if (names->count >= names->n_slots && !grow(names)) return NULL;
    Name **slot = &names->slots[hash_of(text, length) % names->n_slots];
    for (Name *name = *slot; name; name = name->next) {
        if (strncmp(name->text, text, length) == 0 && name->text[length] == '\0') return name;
    }
    Name *name = arena_alloc(names->arena, sizeof *name);
    char *copy = arena_string_n(names->arena, text, length);
    if (!name || !copy) return NULL;
    *name = (Name){.text = copy, .next = *slot};
    names->count++;
    return *slot = name;
}

#include "import/export/meta.h"
#include "import/export/fields.h"
#include "import/limits.h"
#include <string.h>

static Status add(MetaTable *table, Arena *arena, const JsonPart *key, const JsonPart *value) {
    Json *name;
    FAIL_IF(table->count >= LIMIT_VALUES, ST_BAD, "expected at most %d values, got more", LIMIT_VALUES);
    if (table->count == table->capacity) {
        const int larger = MAX(2 * table->capacity, 256);
        JsonPart *parts = arena_array(arena, (size_t)larger, sizeof *parts);
        if (!parts) return fail_memory((size_t)larger * sizeof *parts);
        if (table->count > 0) memcpy(parts, table->at, (size_t)table->count * sizeof *parts);
        table->at = parts;
        table->capacity = larger;
    }
    TRY(json_parse_part(arena, key, &name));
    TRY(name_add(&table->names, arena, name->string, table->count));
    table->at[table->count++] = *value;
    return ST_OK;
}

static Status read_all(MetaTable *table, Arena *arena) {
    JsonWalk walk;
    JsonPart key, value;
    bool more;
    table->is_read = true;
    if (!table->values.text) return ST_OK;
    TRY(json_walk(&table->values, JSON_OBJECT, &walk));
    for (;;) {
        TRY(json_next(&walk, &key, &value, &more));
        if (!more) return ST_OK;
        TRY(add(table, arena, &key, &value));
    }
}

Status meta_find(MetaTable *table, Arena *arena, const char *name, Json **out) {
    *out = NULL;
    if (!table->is_read) TRY(read_all(table, arena));
    const int32_t at = name_find(&table->names, name);
    return at < 0 ? ST_OK : json_parse_part(arena, &table->at[at], out);
}

static bool is_open(const Type *type) {
    for (int i = 0; i < type->rank; i++) {
        if (type->dim[i] < 0) return true;
    }
    return type->rank < 0;
}

Status meta_fill(MetaTable *table, Arena *arena, const char *name, Graph *graph, ValueId value) {
    Json *meta;
    const Json *sizes;
    Type *type = &graph->values[value].type;
    if (!is_open(type)) return ST_OK;
    TRY(meta_find(table, arena, name, &meta));
    if (!meta) return ST_OK;
    TRY(field_list(meta, "sizes", &sizes));
    if (type->rank < 0 && sizes->count <= MAX_RANK) {
        type->rank = (int)sizes->count;
        for (int i = 0; i < type->rank; i++) type->dim[i] = DIM_UNKNOWN;
    }
    for (int i = 0; i < type->rank && (size_t)type->rank == sizes->count; i++) {
        const char *expression;
        int64_t size;
        TRY(field_size(&sizes->items[i], &size, &expression));
        if (!expression && size >= 0 && type->dim[i] == DIM_UNKNOWN) type->dim[i] = size;
    }
    return ST_OK;
}

#include "app/plan_store.h"
#include "base/hash.h"
#include "base/log.h"
#include <string.h>

const char *plan_store_key(Opened *opened) {
    const Graph *graph = opened->package->graph;
    const Machine *machine = &opened->machine;
    Text text = {0};
    text_add(&text, "%s %s %s, %s, caches %zu %zu %zu,", opened->package->content_hash, opened->precision,
             isa_name(machine->isa), machine->cpu, machine->l1d, machine->l2, machine->l3);
    for (int i = 0; i < graph->n_inputs; i++) {
        const Shape shape = type_shape(&graph->values[graph->inputs[i]].type);
        text_add(&text, " ");
        shape_print(&text, &shape);
    }
    const char *key = text.failed ? NULL : arena_string(&opened->arena, text_get(&text));
    text_free(&text);
    return key;
}
// *out NULL: there is no data folder.
static Status path_of(Opened *opened, const char *key, char **out) {
    char hex[65], name[128];
    const char *folder = user_data_folder(&opened->arena);
    *out = NULL;
    if (!key) return fail_memory(256);
    if (!folder) return ST_OK;
    folder = path_join(&opened->arena, folder, "plans");
    sha256_hex(key, strlen(key), hex);
    snprintf(name, sizeof name, "%.16s-%.16s.plan", opened->package->content_hash, hex);
    *out = folder ? path_join(&opened->arena, folder, name) : NULL;
    return *out ? ST_OK : fail_memory(256);
}
Status plan_store_read(Opened *opened, StoredPlan *out) {
    const char *key = plan_store_key(opened);
    char *path;
    uint8_t *bytes;
    size_t size;
    *out = (StoredPlan){.n_layers = 0};
    TRY(path_of(opened, key, &path));
    if (!path || path_kind(path) == PATH_MISSING) return ST_OK;
    Status status = file_read(path, STORED_BYTES, &bytes, &size);
    if (status == ST_OK) {
        status = stored_plan_parse(&opened->arena, (const char *)bytes, size, key, out);
        mem_free(bytes);
        if (status != ST_OK) status = fail_context(status, "%s", path);
    }
    if (status == ST_OK) return ST_OK;
    *out = (StoredPlan){.n_layers = 0};
    log_note("the stored plan is not used: %s", error_message());
    error_clear();
    return ST_OK;
}
Status plan_store_write(Opened *opened, const StoredPlan *stored, const char **path) {
    const char *key = plan_store_key(opened);
    char *to;
    Text text = {0};
    TRY(path_of(opened, key, &to));
    FAIL_IF(!to, ST_RESOURCE, "there is no folder for the plan: neither XDG_DATA_HOME nor HOME is set");
    const char *folder = path_folder(&opened->arena, to);
    if (!folder) return fail_memory(strlen(to));
    TRY(folder_make(folder));
    Status status = stored_plan_print(stored, key, &text);
    if (status == ST_OK) status = file_write(to, text_get(&text), text.length);
    text_free(&text);
    *path = to;
    return status;
}

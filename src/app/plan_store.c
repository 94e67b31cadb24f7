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
// In the user's data folder. Whatever else than a good plan for `key` is there counts as none.
static Status read_stored(Opened *opened, const char *key, StoredPlan *out) {
    char *path;
    uint8_t *bytes;
    size_t size;
    TRY(path_of(opened, key, &path));
    if (!path || path_kind(path) == PATH_MISSING) return ST_OK;
    TRY(file_read(path, STORED_BYTES, &bytes, &size));
    const Status status = stored_plan_parse(&opened->arena, (const char *)bytes, size, key, out);
    mem_free(bytes);
    return status == ST_OK ? ST_OK : fail_context(status, "%s", path);
}
// Calls for each plan that the package carries, with what it is for (NULL: damaged).
typedef Status CarriedVisit(void *context, const char *text, size_t length, const char *key);
static Status each_carried(const Package *package, Arena *arena, CarriedVisit *visit, void *context) {
    const char *at = package->plans;
    for (size_t left = package->plans_bytes, length; left; at += length, left -= length) {
        const char *key = NULL;
        length = stored_plan_length(at, left);
        const Status status = stored_plan_for(arena, at, length, &key);
        if (status == ST_RESOURCE) return status;
        if (status != ST_OK) key = NULL, error_clear();
        TRY(visit(context, at, length, key));
    }
    return ST_OK;
}
typedef struct Carried {
    Arena *arena;
    const char *key;
    StoredPlan *found;
    Text *others; // texts of those for something else
} Carried;
static Status take_ours(void *context, const char *text, size_t length, const char *key) {
    const Carried *carried = context;
    if (!key || strcmp(key, carried->key)) return ST_OK;
    return stored_plan_parse(carried->arena, text, length, key, carried->found);
}
Status plan_store_read(Opened *opened, StoredPlan *out) {
    const char *key = plan_store_key(opened);
    Carried carried = {.arena = &opened->arena, .key = key, .found = out};
    *out = (StoredPlan){.n_layers = 0};
    Status status = read_stored(opened, key, out);
    if (status == ST_OK && !out->n_layers) status = each_carried(opened->package, &opened->arena, take_ours, &carried);
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
    *path = NULL;
    if (!to) return ST_OK;
    const char *folder = path_folder(&opened->arena, to);
    if (!folder) return fail_memory(strlen(to));
    if (!folder_may_be_written(folder)) return ST_OK;
    TRY(folder_make(folder));
    Status status = stored_plan_print(stored, key, &text);
    if (status == ST_OK) status = file_write(to, text_get(&text), text.length);
    text_free(&text);
    *path = to;
    return status;
}
static Status keep_other(void *context, const char *text, size_t length, const char *key) {
    const Carried *carried = context;
    if (key && strcmp(key, carried->key)) text_bytes(carried->others, text, length);
    return text_status(carried->others);
}
Status plan_store_carry(Opened *opened, const StoredPlan *stored, const char *path) {
    const char *key = plan_store_key(opened);
    Text text = {0};
    Carried carried = {.key = key, .others = &text};
    if (!key) return fail_memory(256);
    Status status = each_carried(opened->package, &opened->arena, keep_other, &carried);
    if (status == ST_OK) status = stored_plan_print(stored, key, &text);
    if (status == ST_OK && text.length > PACKAGE_PLANS_BYTES)
        status = fail(ST_RESOURCE, "%s: the plans that it would carry take more than %d MB", path,
                      PACKAGE_PLANS_BYTES >> 20);
    if (status == ST_OK) status = package_write_with_plans(opened->package, text_get(&text), text.length, path);
    text_free(&text);
    return status;
}
static Status list_one(void *context, const char *text, size_t length, const char *key) {
    const CarriedList *list = context;
    (void)text, (void)length;
    list->tell(list->context, key);
    return ST_OK;
}
Status plan_store_carried(Opened *opened, const CarriedList *list) {
    return each_carried(opened->package, &opened->arena, list_one, (void *)(uintptr_t)list);
}

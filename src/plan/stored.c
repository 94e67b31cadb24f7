#include "plan/stored.h"
#include "base/checksum.h"
#include "base/hash.h"
#include "base/json.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static const char head[] = "stent-plan 1 ";

static bool read_numbers(const Json *array, int32_t out[CONFIGURATION_NUMBERS]) {
    if (!array || array->type != JSON_ARRAY || array->count != CONFIGURATION_NUMBERS) return false;
    for (size_t i = 0; i < CONFIGURATION_NUMBERS; i++) {
        const Json *item = &array->items[i];
        if (item->type != JSON_NUMBER || fabs(item->number) > 1e9 || item->number != floor(item->number)) return false;
        out[i] = (int32_t)item->number;
    }
    return true;
}
static bool read_schedules(const Json *object, StoredLayer *layer) {
    if (!object || object->type != JSON_OBJECT || object->count > STORED_THREADS) return false;
    for (size_t i = 0; i < object->count; i++) {
        int64_t threads;
        if (!parse_i64(object->keys[i], &threads) || threads < 1 || threads > INT32_MAX) return false;
        layer->threads[i] = (int)threads;
        if (!read_numbers(&object->items[i], layer->schedules[i])) return false;
        layer->n_schedules++;
    }
    return true;
}
// solver NULL: not had in this version.
static Status read_layer(const Json *object, StoredLayer *out) {
    *out = (StoredLayer){.name = NULL};
    const Json *name = object->type == JSON_OBJECT ? json_get(object, "name") : NULL;
    const Json *solver = name ? json_get(object, "solver") : NULL, *version = name ? json_get(object, "version") : NULL;
    FAIL_IF(!name || name->type != JSON_STRING || !solver || solver->type != JSON_STRING || !version ||
                version->type != JSON_NUMBER || !read_numbers(json_get(object, "arithmetic"), out->arithmetic) ||
                !read_schedules(json_get(object, "schedules"), out),
            ST_BAD, "line %d: expected a layer with name, solver, version, arithmetic and schedules", object->line);
    out->name = name->string, out->solver = solver_find(solver->string);
    if (out->solver && out->solver->version != version->number) out->solver = NULL;
    return ST_OK;
}
static Status layer_add(StoredPlan *stored, Arena *arena, const StoredLayer *layer) {
    if (stored->n_layers == stored->capacity) {
        const int capacity = stored->capacity ? 2 * stored->capacity : 64;
        StoredLayer *grown = arena_array(arena, (size_t)capacity, sizeof *grown);
        if (!grown) return fail_memory((size_t)capacity * sizeof *grown);
        if (stored->n_layers) memcpy(grown, stored->layers, (size_t)stored->n_layers * sizeof *grown);
        stored->layers = grown, stored->capacity = capacity;
    }
    stored->layers[stored->n_layers++] = *layer;
    return ST_OK;
}
// The JSON behind the checksum, and what it says that it is for.
static Status read_text(Arena *arena, const char *text, size_t length, Json **root, const char **meant) {
    const size_t begin = sizeof head - 1 + HASH64_DIGITS + 1;
    uint64_t checksum = 0;
    FAIL_IF(length > STORED_BYTES, ST_BAD, "more than %d bytes", STORED_BYTES);
    FAIL_IF(length < begin || memcmp(text, head, sizeof head - 1) || text[begin - 1] != '\n', ST_BAD,
            "expected a line '%s<checksum>'", head);
    FAIL_IF(!hash64_parse(text + sizeof head - 1, &checksum), ST_BAD, "expected a checksum of %d digits",
            HASH64_DIGITS);
    FAIL_IF(!checksum_matches(hash64(text + begin, length - begin, 0), checksum), ST_BAD, "the checksum is wrong");
    TRY(json_parse(arena, text + begin, length - begin, root));
    const Json *key = (*root)->type == JSON_OBJECT ? json_get(*root, "for") : NULL;
    FAIL_IF(!key || key->type != JSON_STRING, ST_BAD, "expected an object with 'for' and 'layers'");
    *meant = key->string;
    return ST_OK;
}
Status stored_plan_for(Arena *arena, const char *text, size_t length, const char **key) {
    Json *root;
    return read_text(arena, text, length, &root, key);
}
size_t stored_plan_length(const char *text, size_t length) {
    enum { WORD = sizeof "stent-plan " - 1 };
    const char *const end = text + length;
    for (const char *at = text; (at = memchr(at, '\n', (size_t)(end - at)));)
        if ((size_t)(end - ++at) >= WORD && !memcmp(at, head, WORD)) return (size_t)(at - text);
    return length;
}
Status stored_plan_parse(Arena *arena, const char *text, size_t length, const char *key, StoredPlan *out) {
    Json *root;
    const char *meant;
    *out = (StoredPlan){.n_layers = 0};
    TRY(read_text(arena, text, length, &root, &meant));
    const Json *layers = json_get(root, "layers");
    FAIL_IF(!layers || layers->type != JSON_ARRAY, ST_BAD, "expected an object with 'for' and 'layers'");
    FAIL_IF(strcmp(meant, key), ST_BAD, "it is for something else: %.200s", meant);
    for (size_t i = 0; i < layers->count; i++) {
        StoredLayer layer;
        TRY(read_layer(&layers->items[i], &layer));
        if (layer.solver) TRY(layer_add(out, arena, &layer));
        else out->n_unknown++;
    }
    return ST_OK;
}

static void put_numbers(JsonWriter *w, const int32_t numbers[CONFIGURATION_NUMBERS]) {
    json_begin_array(w);
    for (int i = 0; i < CONFIGURATION_NUMBERS; i++) json_integer(w, numbers[i]);
    json_end_array(w);
}
Status stored_plan_print(const StoredPlan *stored, const char *key, Text *text) {
    Text body = {0};
    JsonWriter w = {.text = &body};
    json_begin_object(&w);
    json_key(&w, "for"), json_string(&w, key);
    json_key(&w, "layers"), json_begin_array(&w);
    for (int i = 0; i < stored->n_layers; i++) {
        const StoredLayer *layer = &stored->layers[i];
        json_begin_object(&w);
        json_key(&w, "name"), json_string(&w, layer->name);
        json_key(&w, "solver"), json_string(&w, layer->solver->name);
        json_key(&w, "version"), json_integer(&w, layer->solver->version);
        json_key(&w, "arithmetic"), put_numbers(&w, layer->arithmetic);
        json_key(&w, "schedules"), json_begin_object(&w);
        for (int s = 0; s < layer->n_schedules; s++) {
            char threads[16];
            snprintf(threads, sizeof threads, "%d", layer->threads[s]);
            json_key(&w, threads), put_numbers(&w, layer->schedules[s]);
        }
        json_end_object(&w);
        json_end_object(&w);
    }
    json_end_array(&w);
    json_end_object(&w);
    text_add(&body, "\n");
    Status status = text_status(&body);
    if (status == ST_OK) {
        text_add(text, "%s%016llx\n%s", head, (unsigned long long)hash64(text_get(&body), body.length, 0),
                 text_get(&body));
        status = text_status(text);
    }
    text_free(&body);
    return status;
}

static int schedule_for(const StoredLayer *layer, int threads) {
    for (int s = 0; s < layer->n_schedules; s++)
        if (layer->threads[s] == threads) return s;
    return -1;
}
Status stored_plan_choices(const StoredPlan *stored, int threads, Arena *arena, PlanChoice **out, int *count) {
    PlanChoice *choices = arena_array(arena, (size_t)stored->n_layers + 1, sizeof *choices);
    if (!choices) return fail_memory((size_t)stored->n_layers * sizeof *choices);
    for (int i = 0; i < stored->n_layers; i++) {
        const StoredLayer *layer = &stored->layers[i];
        const int schedule = schedule_for(layer, threads);
        choices[i] = (PlanChoice){.name = layer->name, .solver = layer->solver, .scheduled = schedule >= 0};
        memcpy(choices[i].configuration.arithmetic, layer->arithmetic, sizeof layer->arithmetic);
        if (schedule >= 0)
            memcpy(choices[i].configuration.schedule, layer->schedules[schedule], sizeof layer->schedules[schedule]);
    }
    *out = choices, *count = stored->n_layers;
    return ST_OK;
}
static StoredLayer *layer_named(const StoredPlan *stored, const char *name) {
    for (int i = 0; i < stored->n_layers; i++)
        if (!strcmp(stored->layers[i].name, name)) return &stored->layers[i];
    return NULL;
}
Status stored_plan_put(StoredPlan *stored, const Plan *plan, Arena *arena, bool *dropped) {
    const StoredPlan old = *stored;
    *stored = (StoredPlan){.n_layers = 0}, *dropped = false;
    bool same = true;
    for (int i = 0; i < plan->n_steps; i++) {
        const PlanStep *step = &plan->steps[i];
        if (!plan_step_has_choice(step)) continue;
        const StoredLayer *before = layer_named(&old, step->name);
        StoredLayer layer = {.name = arena_string(arena, step->name), .solver = step->solver};
        if (!layer.name) return fail_memory(strlen(step->name));
        memcpy(layer.arithmetic, step->configuration.arithmetic, sizeof layer.arithmetic);
        if (before && before->solver == layer.solver &&
            !memcmp(before->arithmetic, layer.arithmetic, sizeof layer.arithmetic))
            layer = *before;
        else same = false;
        int slot = schedule_for(&layer, plan->threads);
        if (slot < 0) slot = layer.n_schedules < STORED_THREADS ? layer.n_schedules++ : STORED_THREADS - 1;
        layer.threads[slot] = plan->threads;
        memcpy(layer.schedules[slot], step->configuration.schedule, sizeof layer.schedules[slot]);
        TRY(layer_add(stored, arena, &layer));
    }
    if (same) return ST_OK;
    for (int i = 0; i < stored->n_layers; i++) { // other bits: what was tuned for other numbers of threads goes
        StoredLayer *layer = &stored->layers[i];
        const int slot = schedule_for(layer, plan->threads);
        *dropped = *dropped || layer->n_schedules > 1;
        layer->threads[0] = plan->threads;
        if (slot) memcpy(layer->schedules[0], layer->schedules[slot], sizeof layer->schedules[0]);
        layer->n_schedules = 1;
    }
    return ST_OK;
}

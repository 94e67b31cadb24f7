#include "app/versus.h"
#include "report/table.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MINE, OTHER, SIDES };

// Why a layer takes another time: how it is computed, then where it runs.
#define REASONS(X)                    \
    X(REFERENCE, "reference")         \
    X(SHAPE, "shape")                 \
    X(STEPS, "steps")                 \
    X(SOLVER, "solver")               \
    X(CONFIGURATION, "configuration") \
    X(ISA, "isa")                     \
    X(CPU, "cpu")                     \
    X(THREADS, "threads")             \
    X(PRECISION, "precision")         \
    X(VERSION, "version")
enum {
#define REASON_ENUM(name, word) AT_##name,
    REASONS(REASON_ENUM)
#undef REASON_ENUM
    REASON_COUNT
};
enum {
#define REASON_BIT(name, word) REASON_##name = 1 << AT_##name,
    REASONS(REASON_BIT)
#undef REASON_BIT
    REASON_PLACE = REASON_ISA | REASON_CPU | REASON_THREADS | REASON_PRECISION | REASON_VERSION
};
static const char *const reason_words[REASON_COUNT] = {
#define REASON_WORD(name, word) word,
    REASONS(REASON_WORD)
#undef REASON_WORD
};

// What both sides do for the same values.
typedef struct Group {
    const Layer *main[SIDES];     // the first step but for conversions of layouts; NULL: this side has none
    const Layer *fallback[SIDES]; // the first on the reference path; then it is the main one
    int count[SIDES], last;       // steps; index of the last one
    double ms[SIDES];
    unsigned reasons;
    const char *why; // in words
    int cause;       // Cause.id
} Group;
typedef struct Lineup {
    const LayerProfile *side[SIDES];
    Arena *arena;
    int count;         // steps of both sides, mine first
    int *parent;       // (count) union-find: steps of one group
    int *next;         // (count) the next step of the group, -1: none
    Group *groups;     // (count) at the group's root
    unsigned place;    // reasons of REASON_PLACE that hold for the whole
    const char *where; // these in words
} Lineup;

static bool is_mine(const Lineup *l, int step) { return step < l->side[MINE]->count; }
static const Layer *layer_at(const Lineup *l, int step) {
    return is_mine(l, step) ? &l->side[MINE]->layers[step] : &l->side[OTHER]->layers[step - l->side[MINE]->count];
}
static bool is_convert(const Layer *layer) { return !strcmp(layer->op, "convert"); }
static bool differ(const char *a, const char *b) { return strcmp(a, b) != 0; }
static double change_of(const Group *group) { return group->ms[MINE] - group->ms[OTHER]; }
// Takes a text into the arena.
static Status keep(const Lineup *l, Text *text, const char **out) {
    Status status = text_status(text);
    *out = status == ST_OK ? arena_string(l->arena, text_get(text)) : "";
    text_free(text);
    if (!*out) status = fail_memory(text->length);
    return status;
}

// ---- which steps belong together

static int root_of(Lineup *l, int step) {
    while (l->parent[step] != step) step = l->parent[step] = l->parent[l->parent[step]];
    return step;
}
static void join(Lineup *l, int a, int b) {
    a = root_of(l, a), b = root_of(l, b);
    l->parent[MAX(a, b)] = MIN(a, b);
}
typedef struct Made {
    const char *name;
    int step;
} Made;
static int by_name(const void *a, const void *b) { return strcmp(((const Made *)a)->name, ((const Made *)b)->name); }
static Status join_by_values(Lineup *l) {
    size_t total = 0, n = 0;
    for (int i = 0; i < l->count; i++) total += 1 + (size_t)layer_at(l, i)->n_parts;
    Made *made = arena_array(l->arena, total + 1, sizeof *made);
    if (!made) return fail_memory(total * sizeof *made);
    for (int i = 0; i < l->count; i++) {
        const Layer *layer = layer_at(l, i);
        made[n++] = (Made){layer->name, i};
        for (int k = 0; k < layer->n_parts; k++) made[n++] = (Made){layer->parts[k], i};
    }
    qsort(made, n, sizeof *made, by_name);
    for (size_t i = 1; i < n; i++)
        if (!differ(made[i - 1].name, made[i].name)) join(l, made[i - 1].step, made[i].step);
    return ST_OK;
}
static void add_to_group(Group *group, int side, const Layer *layer) {
    const Layer *main = group->main[side];
    group->count[side]++;
    group->ms[side] += layer->ms;
    if (!main || is_convert(main) > is_convert(layer)) group->main[side] = layer;
    if (layer->fallback && !group->fallback[side]) group->fallback[side] = group->main[side] = layer;
}
static void gather(Lineup *l) {
    memset(l->groups, 0, (size_t)l->count * sizeof *l->groups);
    for (int i = 0; i < l->count; i++) {
        Group *group = &l->groups[root_of(l, i)];
        if (i != root_of(l, i)) l->next[group->last] = i; // a root is the first of its group
        l->next[i] = -1, group->last = i;
        add_to_group(group, is_mine(l, i) ? MINE : OTHER, layer_at(l, i));
    }
}
// Names of another exporter: what has no value in common, by op and shape, in order.
static void join_by_shape(Lineup *l) {
    int next = l->side[MINE]->count;
    for (int i = 0; i < l->side[MINE]->count; i++) {
        const Layer *mine = l->groups[i].main[MINE];
        if (root_of(l, i) != i || l->groups[i].count[OTHER] || is_convert(mine)) continue;
        for (int k = next; k < l->count; k++) {
            const Layer *other = l->groups[k].main[OTHER]; // NULL: not the first step of its group
            if (!other || l->groups[k].count[MINE] || differ(mine->op, other->op) || differ(mine->shape, other->shape))
                continue;
            join(l, i, k);
            next = k + 1;
            break;
        }
    }
}
static Status line_up(Lineup *l) {
    l->count = l->side[MINE]->count + l->side[OTHER]->count;
    l->parent = arena_array(l->arena, (size_t)l->count + 1, sizeof *l->parent);
    l->next = arena_array(l->arena, (size_t)l->count + 1, sizeof *l->next);
    l->groups = arena_array(l->arena, (size_t)l->count + 1, sizeof *l->groups);
    if (!l->parent || !l->next || !l->groups) return fail_memory((size_t)l->count * sizeof *l->groups);
    for (int i = 0; i < l->count; i++) l->parent[i] = i;
    TRY(join_by_values(l));
    gather(l);
    join_by_shape(l);
    gather(l);
    return ST_OK;
}

// ---- why they differ

static void say(Text *text, const char *what, const char *mine, const char *other) {
    text_add(text, "%s%s %s against %s", text->length ? "; " : "", what, mine, other);
}
static Status find_place(Lineup *l) {
    const LayerProfile *mine = l->side[MINE], *other = l->side[OTHER];
    Text text = {0};
    if (differ(mine->isa, other->isa)) l->place |= REASON_ISA, say(&text, "ISA", mine->isa, other->isa);
    if (differ(mine->cpu, other->cpu)) l->place |= REASON_CPU, say(&text, "CPU", mine->cpu, other->cpu);
    if (mine->threads != other->threads) {
        l->place |= REASON_THREADS;
        text_add(&text, "%sthreads %d against %d", text.length ? "; " : "", mine->threads, other->threads);
    }
    if (differ(mine->precision, other->precision))
        l->place |= REASON_PRECISION, say(&text, "precision", mine->precision, other->precision);
    if (differ(mine->stent, other->stent)) l->place |= REASON_VERSION, say(&text, "stent", mine->stent, other->stent);
    return keep(l, &text, &l->where);
}
// The ops of the group's steps on one side, "Conv, Relu"; "nothing" without any.
static void ops_of(const Lineup *l, int group, int side, Text *out) {
    for (int i = group; i >= 0; i = l->next[i])
        if (is_mine(l, i) == (side == MINE)) text_add(out, "%s%s", out->length ? ", " : "", layer_at(l, i)->op);
    if (!out->length) text_add(out, "nothing");
}
static void explain_steps(const Lineup *l, int at, Text *text) {
    Group *group = &l->groups[at];
    Text ops[SIDES] = {{0}};
    for (int side = 0; side < SIDES; side++) ops_of(l, at, side, &ops[side]);
    if (differ(text_get(&ops[MINE]), text_get(&ops[OTHER])))
        group->reasons |= REASON_STEPS, say(text, "steps", text_get(&ops[MINE]), text_get(&ops[OTHER]));
    for (int side = 0; side < SIDES; side++) {
        text->failed = text->failed || ops[side].failed;
        text_free(&ops[side]);
    }
}
static void explain_main(Group *group, Text *text) {
    const Layer *mine = group->main[MINE], *other = group->main[OTHER];
    if (!mine || !other) return;
    if (!differ(mine->name, other->name) && differ(mine->shape, other->shape))
        group->reasons |= REASON_SHAPE, say(text, "shape", mine->shape, other->shape);
    if (differ(mine->solver, other->solver))
        group->reasons |= REASON_SOLVER, say(text, "solver", mine->solver, other->solver);
    else if (differ(mine->configuration, other->configuration))
        group->reasons |= REASON_CONFIGURATION, say(text, "configuration", mine->configuration, other->configuration);
}
static Status explain(const Lineup *l, int at) {
    Group *group = &l->groups[at];
    const Layer *mine = group->fallback[MINE], *other = group->fallback[OTHER];
    Text text = {0};
    if (!mine != !other) { // all else follows from that
        group->reasons = REASON_REFERENCE;
        text_add(&text, "on the reference path in %s: %s", l->side[mine ? MINE : OTHER]->name,
                 (mine ? mine : other)->why);
        return keep(l, &text, &group->why);
    }
    explain_steps(l, at, &text);
    explain_main(group, &text);
    if (!mine) group->reasons |= l->place; // the reference is the same code everywhere
    if (!mine && l->place) text_add(&text, "%s%s", text.length ? "; " : "", l->where);
    if (!text.length) text_add(&text, "same code");
    return keep(l, &text, &group->why);
}

// ---- the difference by cause

typedef struct Cause {
    const char *word, *text;
    double ms;
    int layers, id;
} Cause;
typedef struct Causes {
    Cause *items;
    int count;
} Causes;
// What a layer's difference is put down to: where it runs decides how it is computed.
static Cause cause_of(const Lineup *l, const Group *group) {
    const unsigned r = group->reasons;
    if (r & REASON_REFERENCE) return (Cause){.word = "reference", .text = group->why};
    if (r & REASON_PLACE) return (Cause){.word = "place", .text = l->where};
    if (r & REASON_SHAPE) return (Cause){.word = "shape", .text = "other shapes"};
    if (r & REASON_STEPS) return (Cause){.word = "steps", .text = "other steps"};
    if (r & REASON_SOLVER) return (Cause){.word = "solver", .text = "other solver"};
    if (r & REASON_CONFIGURATION) return (Cause){.word = "configuration", .text = "other configuration"};
    return (Cause){.word = "same", .text = "same code: machine or noise"};
}
static const char *name_of(const Group *group) {
    return (group->main[MINE] ? group->main[MINE] : group->main[OTHER])->name;
}
static int by_size(const void *a, const void *b) {
    const double x = fabs(((const Cause *)a)->ms), y = fabs(((const Cause *)b)->ms);
    return (x < y) - (x > y);
}
// Layers of one text share a cause.
static Status find_causes(Lineup *l, Causes *out) {
    out->items = arena_array(l->arena, (size_t)l->count + 1, sizeof *out->items);
    if (!out->items) return fail_memory((size_t)l->count * sizeof *out->items);
    for (int i = 0; i < l->count; i++) {
        int at = 0;
        if (root_of(l, i) != i) continue;
        const Cause cause = cause_of(l, &l->groups[i]);
        while (at < out->count && differ(out->items[at].text, cause.text)) at++;
        if (at == out->count) out->items[out->count++] = cause;
        out->items[at].id = at;
        out->items[at].ms += change_of(&l->groups[i]);
        out->items[at].layers++;
        l->groups[i].cause = at;
    }
    qsort(out->items, (size_t)out->count, sizeof *out->items, by_size);
    return ST_OK;
}

// ---- telling

static void put_text(JsonWriter *w, const char *key, const char *value) { json_key(w, key), json_string(w, value); }
static double ratio_of(const Group *group) { return group->ms[OTHER] > 0 ? group->ms[MINE] / group->ms[OTHER] : NAN; }

static Status tell_sides(const Lineup *l, struct stent_result *result) {
    const LayerProfile *other = l->side[OTHER];
    JsonWriter *w = &result->writer;
    Table table;
    put_text(w, "file", other->name);
    put_text(w, "isa", other->isa), put_text(w, "cpu", other->cpu), put_text(w, "precision", other->precision);
    json_key(w, "threads"), json_integer(w, other->threads);
    json_number_at(w, "sum_ms", other->sum_ms), json_number_at(w, "whole_ms", other->whole_ms);
    table_begin(&table, " <", "steps together, ms >", "whole run >", "ISA <", "threads >", "precision <", "CPU <",
                NULL);
    for (int side = 0; side < SIDES; side++) {
        const LayerProfile *p = l->side[side];
        table_cell(&table, "%s", p->name);
        table_cell(&table, "%.3f", p->sum_ms);
        table_cell(&table, "%.3f", p->whole_ms);
        table_cell(&table, "%s", p->isa);
        table_cell(&table, "%d", p->threads);
        table_cell(&table, "%s", p->precision);
        table_cell(&table, "%s", p->cpu);
    }
    return table_end(&table, &result->text);
}
static void put_steps(const Lineup *l, int group, int side, const char *key, JsonWriter *w) {
    json_key(w, key), json_begin_array(w);
    for (int i = group; i >= 0; i = l->next[i])
        if (is_mine(l, i) == (side == MINE)) json_string(w, layer_at(l, i)->name);
    json_end_array(w);
}
static void put_group(const Lineup *l, int at, JsonWriter *w) {
    const Group *group = &l->groups[at];
    json_begin_object(w);
    put_text(w, "name", name_of(group));
    json_number_at(w, "ms", group->ms[MINE]), json_number_at(w, "versus_ms", group->ms[OTHER]);
    json_number_at(w, "ratio", ratio_of(group));
    put_steps(l, at, MINE, "steps", w), put_steps(l, at, OTHER, "versus_steps", w);
    json_key(w, "reasons"), json_begin_array(w);
    for (int i = 0; i < REASON_COUNT; i++)
        if (group->reasons >> i & 1) json_string(w, reason_words[i]);
    json_end_array(w);
    put_text(w, "why", group->why);
    json_end_object(w);
}
static void print_group(const Group *group, Table *table) {
    const Layer *layer = group->main[group->main[MINE] ? MINE : OTHER];
    table_cell(table, "%s", layer->name);
    table_cell(table, "%s", layer->op);
    table_cell(table, "%s", layer->shape);
    for (int side = 0; side < SIDES; side++)
        if (group->count[side]) table_cell(table, "%.3f", group->ms[side]);
        else table_cell(table, "-");
    table_cell(table, "%+.3f", change_of(group));
    if (isnan(ratio_of(group))) table_cell(table, "-");
    else table_cell(table, "%.2f", ratio_of(group));
    table_cell(table, "%s", group->why);
}
static Status tell_groups(Lineup *l, struct stent_result *result) {
    JsonWriter *w = &result->writer;
    Table table;
    table_begin(&table, "name <", "op <", "shape <", "ms >", "other, ms >", "more >", "ratio >", "what differs <",
                NULL);
    json_key(w, "layers"), json_begin_array(w);
    for (int i = 0; i < l->count; i++)
        if (root_of(l, i) == i) put_group(l, i, w), print_group(&l->groups[i], &table);
    json_end_array(w);
    return table_end(&table, &result->text);
}
// The names of a cause's layers. In the text not where they are simply the rest: of those elsewhere it says how many
// are also computed in another way.
static void tell_names(Lineup *l, const Cause *cause, JsonWriter *w, Text *text) {
    const bool elsewhere = !differ(cause->word, "place"), rest = elsewhere || !differ(cause->word, "same");
    int otherwise = 0;
    json_key(w, "layers"), json_begin_array(w);
    for (int i = 0; i < l->count; i++) {
        const Group *group = &l->groups[i];
        if (root_of(l, i) != i || group->cause != cause->id) continue;
        json_string(w, name_of(group));
        if (!rest) text_add(text, "%s%s", text->length ? ", " : "", name_of(group));
        otherwise += (group->reasons & ~(unsigned)REASON_PLACE) != 0;
    }
    json_end_array(w);
    if (elsewhere && otherwise) text_add(text, "%d of them also by other steps, solver or configuration", otherwise);
}
static Status tell_causes(Lineup *l, struct stent_result *result) {
    JsonWriter *w = &result->writer;
    Causes causes = {NULL, 0};
    Table table;
    TRY(find_causes(l, &causes));
    table_begin(&table, "the difference, by cause <", "layers >", "more, ms >", " <", NULL);
    json_key(w, "causes"), json_begin_array(w);
    for (int i = 0; i < causes.count; i++) {
        const Cause *cause = &causes.items[i];
        Text names = {0};
        json_begin_object(w);
        put_text(w, "cause", cause->word), put_text(w, "why", cause->text), json_number_at(w, "ms", cause->ms);
        tell_names(l, cause, w, &names);
        json_end_object(w);
        table_cell(&table, "%s", cause->text);
        table_cell(&table, "%d", cause->layers);
        table_cell(&table, "%+.3f", cause->ms);
        table_cell(&table, "%s", text_get(&names));
        result->text.failed = result->text.failed || names.failed;
        text_free(&names);
    }
    json_end_array(w);
    return table_end(&table, &result->text);
}
static Status tell_lineup(Lineup *l, struct stent_result *result) {
    TRY(line_up(l));
    TRY(find_place(l));
    for (int i = 0; i < l->count; i++)
        if (root_of(l, i) == i) TRY(explain(l, i));
    json_key(&result->writer, "versus"), json_begin_object(&result->writer);
    TRY(tell_sides(l, result));
    TRY(tell_groups(l, result));
    TRY(tell_causes(l, result));
    json_end_object(&result->writer);
    return ST_OK;
}
Status tell_versus(const LayerProfile *mine, const LayerProfile *other, struct stent_result *result) {
    Arena arena = {0};
    Lineup l = {.side = {mine, other}, .arena = &arena};
    const Status status = tell_lineup(&l, result);
    arena_free(&arena);
    return status;
}

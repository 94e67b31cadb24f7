// wisdom: what was measured on this and other machines, listed, merged, exported, forgotten.
#include "wisdom/wisdom.h"
#include "app/app.h"
#include "base/file.h"
#include "base/hash.h"
#include "report/table.h"
#include "tune/recall.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

// Numbers 0, 1, 2, ... for keys of 64 bits, by open addressing. Keys are hashes: that two texts share one is left to
// chance (a line in 2^64 / lines).
typedef struct Numbering {
    uint64_t *keys;
    int32_t *numbers; // -1: free
    size_t slots;     // a power of two
    int32_t count;
} Numbering;
static void numbering_free(Numbering *numbering) {
    mem_free(numbering->keys), mem_free(numbering->numbers);
    *numbering = (Numbering){0};
}
static size_t slot_of(const Numbering *numbering, uint64_t key) {
    size_t slot = (size_t)key & (numbering->slots - 1);
    while (numbering->numbers[slot] >= 0 && numbering->keys[slot] != key) slot = (slot + 1) & (numbering->slots - 1);
    return slot;
}
static Status numbering_grow(Numbering *numbering) {
    Numbering larger = {.slots = numbering->slots ? 2 * numbering->slots : 1024, .count = numbering->count};
    larger.keys = mem_zero(larger.slots, sizeof *larger.keys);
    larger.numbers = mem_zero(larger.slots, sizeof *larger.numbers);
    if (!larger.keys || !larger.numbers) {
        numbering_free(&larger);
        return fail_memory(larger.slots * sizeof *larger.keys);
    }
    for (size_t i = 0; i < larger.slots; i++) larger.numbers[i] = -1;
    for (size_t i = 0; i < numbering->slots; i++) {
        if (numbering->numbers[i] < 0) continue;
        const size_t slot = slot_of(&larger, numbering->keys[i]);
        larger.keys[slot] = numbering->keys[i], larger.numbers[slot] = numbering->numbers[i];
    }
    numbering_free(numbering);
    *numbering = larger;
    return ST_OK;
}
// *is_new: it had no number before.
static Status number_of(Numbering *numbering, uint64_t key, int32_t *number, bool *is_new) {
    if (2 * ((size_t)numbering->count + 1) > numbering->slots) TRY(numbering_grow(numbering));
    const size_t slot = slot_of(numbering, key);
    *is_new = numbering->numbers[slot] < 0;
    if (*is_new) numbering->keys[slot] = key, numbering->numbers[slot] = numbering->count++;
    *number = numbering->numbers[slot];
    return ST_OK;
}

// One call of the verb.
typedef struct WisdomCall {
    const stent_wisdom_options *options;
    struct stent_result *result;
    const char *path; // of the wisdom
    Arena *arena;
    Numbering had;     // lines that need not be taken again
    int64_t taken;     // lines that were added, or kept
    int64_t left, bad; // those that were not; damaged ones
} WisdomCall;

static Status read_foreign(const char *path, WisdomVisit *visit, void *context, WisdomCount *count) {
    PathKind kind;
    TRY(path_known(path, &kind));
    FAIL_IF(kind == PATH_MISSING, ST_BAD, "%s: no such file", path);
    TRY(wisdom_read(path, visit, context, count));
    FAIL_IF(!count->lines && count->bad, ST_BAD,
            "%s: expected lines of wisdom, which begin with 'w1 ', got none among %lld", path, (long long)count->bad);
    return ST_OK;
}
static Status is_double(WisdomCall *call, const char *text, size_t length, bool *out) {
    int32_t number;
    bool is_new;
    TRY(number_of(&call->had, hash64(text, length, 0), &number, &is_new));
    *out = !is_new;
    return ST_OK;
}
static void tell_bad(const WisdomCall *call) {
    json_key(&call->result->writer, "bad"), json_integer(&call->result->writer, call->bad);
    if (call->bad) text_add(&call->result->text, "%lld damaged lines were skipped\n", (long long)call->bad);
}

// ---- list

typedef struct Measured { // a candidate against an incumbent, of one problem on one kind of machine
    int32_t group;
    const char *candidate;
    int64_t count;
    double logs; // sum of the ratios' logarithms
} Measured;
typedef struct Group { // a problem on one kind of machine
    const char *isa, *machine, *problem, *newest;
    int threads;
    int64_t count, configurations;
    const Measured *best;
} Group;
typedef struct Listing {
    Numbering groups_by_key, measured_by_key;
    Group *groups;
    Measured *measured;
    int32_t groups_room, measured_room;
    Arena *arena;
} Listing;
static Status make_room(void *array, size_t size, int32_t count, int32_t *room) {
    if (count < *room) return ST_OK;
    const int32_t wanted = *room ? 2 * *room : 256;
    void *grown = mem_resize(*(void **)array, (size_t)wanted * size);
    if (!grown) return fail_memory((size_t)wanted * size);
    *(void **)array = grown, *room = wanted;
    return ST_OK;
}
static Status group_of(Listing *listing, const WisdomLine *line, uint64_t *key, int32_t *number) {
    const int32_t threads = line->threads;
    bool is_new;
    *key = hash64(line->isa, strlen(line->isa), hash64(&threads, sizeof threads, 0));
    *key = hash64(line->machine, strlen(line->machine), *key);
    *key = hash64(line->problem, strlen(line->problem), *key);
    TRY(make_room(&listing->groups, sizeof *listing->groups, listing->groups_by_key.count, &listing->groups_room));
    TRY(number_of(&listing->groups_by_key, *key, number, &is_new));
    if (!is_new) return ST_OK;
    Group *group = &listing->groups[*number];
    *group = (Group){.isa = arena_string(listing->arena, line->isa),
                     .machine = arena_string(listing->arena, line->machine),
                     .problem = arena_string(listing->arena, line->problem),
                     .newest = "",
                     .threads = line->threads};
    return group->isa && group->machine && group->problem ? ST_OK : fail_memory(WISDOM_LINE);
}
static Status list_line(void *context, const WisdomLine *line, const char *text, size_t length) {
    Listing *listing = context;
    int32_t group, number;
    uint64_t key;
    bool is_new;
    (void)text, (void)length;
    TRY(group_of(listing, line, &key, &group));
    key = hash64(line->incumbent, strlen(line->incumbent), key);
    key = hash64(line->candidate, strlen(line->candidate), key);
    TRY(make_room(&listing->measured, sizeof *listing->measured, listing->measured_by_key.count,
                  &listing->measured_room));
    TRY(number_of(&listing->measured_by_key, key, &number, &is_new));
    Measured *measured = &listing->measured[number];
    if (is_new) *measured = (Measured){.group = group, .candidate = arena_string(listing->arena, line->candidate)};
    if (!measured->candidate) return fail_memory(strlen(line->candidate));
    measured->count++, measured->logs += log(line->ratio);
    Group *g = &listing->groups[group];
    if (strcmp(line->date, g->newest) <= 0) return ST_OK;
    g->newest = arena_string(listing->arena, line->date);
    return g->newest ? ST_OK : fail_memory(strlen(line->date));
}
static double mean_ratio(const Measured *measured) { return exp(measured->logs / (double)measured->count); }
static int by_machine(const void *a, const void *b) {
    const Group *x = a, *y = b;
    int order = strcmp(x->machine, y->machine);
    if (!order) order = strcmp(x->isa, y->isa);
    if (!order) order = x->threads - y->threads;
    return order ? order : natural_compare(x->problem, y->problem);
}
static void put_group(JsonWriter *w, const Group *group) {
    json_begin_object(w);
    json_key(w, "isa"), json_string(w, group->isa);
    json_key(w, "machine"), json_string(w, group->machine);
    json_key(w, "threads"), json_integer(w, group->threads);
    json_key(w, "problem"), json_string(w, group->problem);
    json_key(w, "comparisons"), json_integer(w, group->count);
    json_key(w, "configurations"), json_integer(w, group->configurations);
    json_key(w, "newest"), json_string(w, group->newest);
    json_key(w, "best"), json_string(w, group->best->candidate);
    json_key(w, "ratio"), json_number(w, mean_ratio(group->best));
    json_end_object(w);
}
static Status tell_groups(const Group *groups, int32_t count, struct stent_result *result) {
    Table table;
    for (int32_t from = 0, to; from < count; from = to) {
        const Group *first = &groups[from];
        text_add(&result->text, "%s, %s, %d threads\n", first->machine, first->isa, first->threads);
        table_begin(&table, "problem <", "comparisons >", "configurations >", "newest <", "ratio >", "best <", NULL);
        for (to = from; to < count; to++) {
            const Group *group = &groups[to];
            if (strcmp(group->machine, first->machine) || strcmp(group->isa, first->isa) ||
                group->threads != first->threads)
                break;
            table_cell(&table, "%s", group->problem);
            table_cell(&table, "%lld", (long long)group->count);
            table_cell(&table, "%lld", (long long)group->configurations);
            table_cell(&table, "%s", group->newest);
            table_cell(&table, "%.3f", mean_ratio(group->best));
            table_cell(&table, "%s", group->best->candidate);
        }
        TRY(table_end(&table, &result->text));
    }
    return ST_OK;
}
static Status tell_list(WisdomCall *call, Listing *listing) {
    JsonWriter *w = &call->result->writer;
    const int32_t count = listing->groups_by_key.count;
    for (int32_t i = 0; i < listing->measured_by_key.count; i++) {
        const Measured *measured = &listing->measured[i];
        Group *group = &listing->groups[measured->group];
        group->count += measured->count, group->configurations++;
        if (!group->best || mean_ratio(measured) < mean_ratio(group->best)) group->best = measured;
    }
    if (count) qsort(listing->groups, (size_t)count, sizeof *listing->groups, by_machine);
    json_key(w, "problems"), json_begin_array(w);
    for (int32_t i = 0; i < count; i++) put_group(w, &listing->groups[i]);
    json_end_array(w);
    TRY(tell_groups(listing->groups, count, call->result));
    if (!count) text_add(&call->result->text, "nothing was measured yet; stent tune does\n");
    tell_bad(call);
    return ST_OK;
}
static Status list(WisdomCall *call, const char *const *files, int n_files) {
    Listing listing = {.arena = call->arena};
    WisdomCount count = {0};
    Status status = n_files ? ST_OK : wisdom_read(call->path, list_line, &listing, &count);
    call->bad = count.bad;
    for (int i = 0; status == ST_OK && i < n_files; i++) {
        status = read_foreign(files[i], list_line, &listing, &count);
        call->bad += count.bad;
    }
    if (status == ST_OK) status = tell_list(call, &listing);
    numbering_free(&listing.groups_by_key), numbering_free(&listing.measured_by_key);
    mem_free(listing.groups), mem_free(listing.measured);
    return status;
}

// ---- merge

static Status note_line(void *context, const WisdomLine *line, const char *text, size_t length) {
    bool is_known;
    (void)line;
    return is_double(context, text, length, &is_known);
}
typedef struct Merge {
    WisdomCall *call;
    Text lines; // that are not written yet
} Merge;
static Status flush(Merge *merge) {
    TRY(wisdom_append(merge->call->path, &merge->lines));
    text_free(&merge->lines);
    return ST_OK;
}
static Status merge_line(void *context, const WisdomLine *line, const char *text, size_t length) {
    enum { PIECE = 1 << 20 };
    Merge *merge = context;
    bool is_known;
    (void)line;
    TRY(is_double(merge->call, text, length, &is_known));
    ++*(is_known ? &merge->call->left : &merge->call->taken);
    if (is_known) return ST_OK;
    text_bytes(&merge->lines, text, length);
    text_add(&merge->lines, "\n");
    return merge->lines.length < PIECE ? text_status(&merge->lines) : flush(merge);
}
static Status merge(WisdomCall *call, const char *const *files, int n_files) {
    Merge merge = {.call = call};
    WisdomCount count;
    FAIL_IF(!n_files, ST_USAGE, "wisdom merge: expected files of wisdom");
    TRY(wisdom_read(call->path, note_line, call, &count));
    Status status = ST_OK;
    for (int i = 0; status == ST_OK && i < n_files; i++) {
        status = read_foreign(files[i], merge_line, &merge, &count);
        call->bad += count.bad;
    }
    if (status == ST_OK) status = flush(&merge);
    text_free(&merge.lines);
    TRY(status);
    json_key(&call->result->writer, "added"), json_integer(&call->result->writer, call->taken);
    json_key(&call->result->writer, "had"), json_integer(&call->result->writer, call->left);
    text_add(&call->result->text, "%lld lines added, %lld were there\n", (long long)call->taken, (long long)call->left);
    tell_bad(call);
    return ST_OK;
}

// ---- export and forget: the lines that are kept go to a new file

typedef struct Copy {
    WisdomCall *call;
    AtomicFile *file;
    const char *machine; // only lines of this one; NULL: of all
    bool none;           // no line at all
} Copy;
static Status copy_line(void *context, const WisdomLine *line, const char *text, size_t length) {
    const Copy *copy = context;
    bool leave = copy->none || (copy->machine && strcmp(line->machine, copy->machine));
    if (!leave) TRY(is_double(copy->call, text, length, &leave));
    ++*(leave ? &copy->call->left : &copy->call->taken);
    if (leave) return ST_OK;
    TRY(atomic_write(copy->file, text, length));
    return atomic_write(copy->file, "\n", 1);
}
static Status copy_to(Copy *copy, const char *path) {
    WisdomCount count;
    TRY(atomic_open(path, &copy->file));
    const Status status = wisdom_read(copy->call->path, copy_line, copy, &count);
    copy->call->bad = count.bad;
    if (status == ST_OK) return atomic_commit(copy->file);
    atomic_abort(copy->file);
    return status;
}
static void tell_copied(const WisdomCall *call, const char *taken, const char *left) {
    json_key(&call->result->writer, taken), json_integer(&call->result->writer, call->taken);
    json_key(&call->result->writer, left), json_integer(&call->result->writer, call->left);
    text_add(&call->result->text, "%lld lines %s, %lld %s\n", (long long)call->taken, taken, (long long)call->left,
             left);
    tell_bad(call);
}
static Status export(WisdomCall *call) {
    const char *output = call->options->output;
    Copy copy = {.call = call};
    FAIL_IF(!output || !*output, ST_USAGE, "wisdom export: expected -o FILE");
    FAIL_IF(path_same(output, call->path), ST_USAGE, "%s: is the wisdom itself; name another file", output);
    TRY(copy_to(&copy, output));
    tell_copied(call, "exported", "double");
    return ST_OK;
}
static Status forget(WisdomCall *call) {
    const char *which = call->options->which;
    Copy copy = {.call = call};
    Machine machine;
    Text text = {0};
    FAIL_IF(!which || (strcmp(which, "all") && strcmp(which, "others")), ST_USAGE,
            "wisdom forget: expected all, or others (what other machines measured), got '%s'", which ? which : "");
    TRY(machine_detect(&machine));
    machine_print(&machine, &text);
    copy.none = !strcmp(which, "all"), copy.machine = text_get(&text);
    Status status = text_status(&text);
    if (status == ST_OK && path_kind(call->path) != PATH_MISSING) {
        const int hold = file_hold(call->path);
        status = copy_to(&copy, call->path);
        file_let_go(hold);
    }
    text_free(&text);
    TRY(status);
    tell_copied(call, "kept", "forgotten");
    return ST_OK;
}

static Status act(WisdomCall *call, const char *action, const char *const *files, int n_files) {
    TRY(wisdom_path(call->arena, call->options->wisdom, &call->path));
    FAIL_IF(!call->path, ST_USAGE,
            "there is no wisdom: neither XDG_DATA_HOME nor HOME is set; name a file with --wisdom");
    json_key(&call->result->writer, "wisdom"), json_string(&call->result->writer, call->path);
    if (!strcmp(action, "list")) return list(call, files, n_files);
    if (!strcmp(action, "merge")) return merge(call, files, n_files);
    FAIL_IF(n_files, ST_USAGE, "wisdom %s: takes no files", action);
    if (!strcmp(action, "export")) return export(call);
    if (!strcmp(action, "forget")) return forget(call);
    return fail(ST_USAGE, "wisdom: expected list, merge, export or forget, got '%s'", action);
}
stent_status stent_wisdom(const char *action, const char *const *files, int n_files, const stent_wisdom_options *given,
                          stent_result **out) {
    stent_wisdom_options options = {.size = sizeof options};
    struct stent_result *result = NULL;
    Arena arena = {0};
    error_clear();
    if (out) *out = NULL;
    Status status = options_take(given, sizeof options, &options);
    if (status == ST_OK) status = result_begin("wisdom", NULL, &options.common, &result);
    if (status == ST_OK) {
        WisdomCall call = {.options = &options, .result = result, .arena = &arena};
        status = act(&call, action, files, n_files);
        numbering_free(&call.had);
        status = result_finish(result, status, out);
    }
    arena_free(&arena);
    return (stent_status)status;
}

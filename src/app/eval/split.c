// Splits of a data set by patient: a text file, PATIENT<TAB>train|validation|test, a line a patient; made from a seed,
// and read back.
#include "app/eval/split.h"
#include "base/file.h"
#include "base/rng.h"
#include "base/text.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const size_t split_limit = (size_t)1 << 26;
enum { PARTS = 3 };
static const char *const parts[PARTS] = {"train", "validation", "test"};

static int part_number(const char *name) {
    for (int i = 0; i < PARTS; i++)
        if (!strcmp(name, parts[i])) return i;
    return -1;
}
Status split_check_part(const char *part) {
    FAIL_IF(part_number(part) < 0, ST_USAGE, "--part: expected train, validation or test, got '%s'", part);
    return ST_OK;
}

// ---- reading

typedef struct Entry {
    const char *patient;
    int part, line;
} Entry;
static int compare_entries(const void *a, const void *b) {
    return strcmp(((const Entry *)a)->patient, ((const Entry *)b)->patient);
}
static Status read_entry(char *line, int number, Entry *out) {
    char *tab = strchr(line, '\t');
    if (tab) *tab = 0;
    const int part = tab ? part_number(tab + 1) : -1;
    FAIL_IF(part < 0 || tab == line, ST_BAD, "line %d: expected PATIENT, a tab, and train, validation or test", number);
    *out = (Entry){line, part, number};
    return ST_OK;
}
// Cuts `text` into lines; lines that are empty or begin with # say nothing.
static Status read_entries(char *text, Arena *arena, Entry **out, size_t *count) {
    size_t lines = 1;
    for (const char *at = text; (at = strchr(at, '\n')) != NULL; at++) lines++;
    *count = 0;
    *out = arena_array(arena, lines, sizeof **out);
    if (!*out) return fail_memory(lines * sizeof **out);
    int number = 1;
    for (char *line = text, *next; line; line = next, number++) {
        next = strchr(line, '\n');
        if (next) *next++ = 0;
        const size_t length = strlen(line);
        if (length && line[length - 1] == '\r') line[length - 1] = 0;
        if (!*line || *line == '#') continue;
        TRY(read_entry(line, number, &(*out)[*count]));
        ++*count;
    }
    if (*count) qsort(*out, *count, sizeof **out, compare_entries);
    for (size_t i = 1; i < *count; i++)
        FAIL_IF(!compare_entries(&(*out)[i - 1], &(*out)[i]), ST_BAD, "line %d: patient '%s' stands in line %d too",
                MAX((*out)[i].line, (*out)[i - 1].line), (*out)[i].patient, MIN((*out)[i].line, (*out)[i - 1].line));
    return ST_OK;
}
static Status keep_part(Dataset *dataset, const char *path, int part, Entry *entries, size_t count) {
    size_t kept = 0, patients = 0, known = 0;
    const char *last = NULL;
    const Entry *entry = NULL;
    dataset->without_mask = 0;
    for (size_t i = 0; i < dataset->n_cases; i++) {
        const DatasetCase *one = &dataset->cases[i];
        const bool begins = !last || strcmp(last, one->patient);
        if (begins && count)
            entry = bsearch(&(Entry){.patient = one->patient}, entries, count, sizeof *entries, compare_entries);
        if (begins && !entry)
            TRY(faults_add(&dataset->faults, one->patient, "split", "the patient does not stand in the split file"));
        known += begins && entry;
        last = one->patient;
        if (!entry || entry->part != part) continue;
        patients += begins || !kept || strcmp(dataset->cases[kept - 1].patient, one->patient);
        dataset->without_mask += !one->mask;
        dataset->cases[kept++] = *one;
    }
    dataset->n_cases = kept, dataset->n_patients = patients;
    FAIL_IF(dataset->without_mask == kept, ST_BAD, "%s: no pictures of the part %s in %s", path, parts[part],
            dataset->path);
    if (known < count)
        TRY(dataset_assume(dataset, "%zu patients of the split file have no pictures here.", count - known));
    return dataset_assume(dataset, "Only the part %s of the split file is evaluated.", parts[part]);
}
Status split_apply(Dataset *dataset, const char *path, const char *part) {
    Arena arena = {0};
    uint8_t *bytes;
    size_t size, count = 0;
    Entry *entries = NULL;
    TRY(file_read(path, split_limit, &bytes, &size));
    Status status = ST_OK;
    if (memchr(bytes, 0, size)) status = fail(ST_BAD, "expected text");
    if (status == ST_OK) status = read_entries((char *)bytes, &arena, &entries, &count);
    if (status != ST_OK) status = fail_context(status, "%s", path);
    if (status == ST_OK) status = keep_part(dataset, path, part_number(part), entries, count);
    mem_free(bytes);
    arena_free(&arena);
    return status;
}

// ---- making

// How many of n patients go to each part: as near to the fractions as whole patients allow.
static Status count_parts(const double fractions[PARTS], size_t n, size_t counts[PARTS]) {
    double sum = 0, rest[PARTS];
    size_t left = n;
    for (int i = 0; i < PARTS; i++) {
        FAIL_IF(!(fractions[i] >= 0 && fractions[i] < 1e9), ST_USAGE,
                "--fractions: expected three numbers from 0 on such as 64/16/20");
        sum += fractions[i];
    }
    FAIL_IF(sum <= 0, ST_USAGE, "--fractions: expected numbers of which one is not 0");
    for (int i = 0; i < PARTS; i++) {
        const double exact = fractions[i] / sum * (double)n;
        counts[i] = MIN((size_t)(exact + 1e-9), left);
        rest[i] = exact - (double)counts[i];
        left -= counts[i];
    }
    while (left > 0) {
        int most = 0;
        for (int i = 1; i < PARTS; i++)
            if (rest[i] > rest[most]) most = i;
        counts[most]++, left--, rest[most] -= 1;
    }
    return ST_OK;
}
static Status list_patients(const Dataset *dataset, Arena *arena, Entry **out, size_t *count) {
    *count = 0;
    *out = arena_array(arena, dataset->n_patients + 1, sizeof **out);
    if (!*out) return fail_memory(dataset->n_patients * sizeof **out);
    for (size_t i = 0; i < dataset->n_cases; i++)
        if (!*count || strcmp((*out)[*count - 1].patient, dataset->cases[i].patient))
            (*out)[(*count)++].patient = dataset->cases[i].patient;
    return ST_OK;
}
static Status draw_parts(Entry *entries, size_t n, const size_t counts[PARTS], uint64_t seed, Arena *arena) {
    Entry **order = arena_array(arena, n + 1, sizeof *order);
    Rng rng;
    if (!order) return fail_memory(n * sizeof *order);
    for (size_t i = 0; i < n; i++) order[i] = &entries[i];
    rng_seed(&rng, seed);
    for (size_t i = n; i > 1; i--) { // Fisher and Yates
        const size_t k = (size_t)rng_below(&rng, i);
        Entry *const swapped = order[k];
        order[k] = order[i - 1], order[i - 1] = swapped;
    }
    size_t at = 0;
    for (int part = 0; part < PARTS; part++)
        for (size_t i = 0; i < counts[part]; i++) order[at++]->part = part;
    return ST_OK;
}
static Status write_split(const char *path, const Entry *entries, size_t n, const Split *split) {
    Text text = {0};
    text_add(&text, "# split by patient, fractions %g/%g/%g, seed %llu\n", split->fractions[0], split->fractions[1],
             split->fractions[2], (unsigned long long)split->seed);
    for (size_t i = 0; i < n; i++) text_add(&text, "%s\t%s\n", entries[i].patient, parts[entries[i].part]);
    Status status = text_status(&text);
    if (status == ST_OK) status = file_write(path, text.data, text.length);
    text_free(&text);
    return status;
}
Status split_make(const Dataset *dataset, const char *path, Split *split) {
    Arena arena = {0};
    Entry *entries;
    size_t n;
    Status status = list_patients(dataset, &arena, &entries, &n);
    if (status == ST_OK) status = count_parts(split->fractions, n, split->counts);
    if (status == ST_OK) status = draw_parts(entries, n, split->counts, split->seed, &arena);
    if (status == ST_OK) status = write_split(path, entries, n, split);
    arena_free(&arena);
    return status;
}

#include "landscape.h"
#include "base/file.h"
#include <stdio.h>
#include <string.h>

enum { MOST_BYTES = 1 << 20, NAME = 32, MOST_SOLVERS = 16 };

typedef struct Reader {
    const char *path;
    Landscape *out;
    char solvers[MOST_SOLVERS][NAME];
} Reader;

// A name's number: how many others came before it.
static int number_of(Reader *reader, const char *name) {
    for (int i = 0; i < MOST_SOLVERS; i++) {
        if (!*reader->solvers[i]) snprintf(reader->solvers[i], NAME, "%s", name);
        if (!strcmp(reader->solvers[i], name)) return i;
    }
    return -1;
}
static Status read_way(Reader *reader, const char *line) {
    enum { HALF = (CANDIDATE_KNOBS - 1) / 2 };
    _Static_assert(HALF == 6, "as many numbers as the format below has");
    Landscape *l = reader->out;
    Candidate *c = &l->candidates[l->count];
    char solver[NAME];
    int *k = c->knob + 1;
    *c = (Candidate){.state = UNTRIED};
    const int got = sscanf(line, "%31s %d,%d,%d,%d,%d,%d %d,%d,%d,%d,%d,%d %lf %lf", solver, k, k + 1, k + 2, k + 3,
                           k + 4, k + 5, k + 6, k + 7, k + 8, k + 9, k + 10, k + 11, &c->estimate, &l->us[l->count]);
    c->knob[0] = number_of(reader, solver);
    FAIL_IF(got != 15 || c->knob[0] < 0 || !(l->us[l->count] > 0), ST_BAD, "%s: expected a configuration, got '%.80s'",
            reader->path, line);
    l->best = l->count ? MIN(l->best, l->us[l->count]) : l->us[l->count];
    l->count++;
    return ST_OK;
}
static Status read_lines(Reader *reader, char *text) {
    char *rest = text;
    for (int number = 0; *rest; number++) {
        char *line = rest, *end = strchr(line, '\n');
        FAIL_IF(!end, ST_BAD, "%s: the last line is cut", reader->path);
        *end = 0, rest = end + 1;
        if (number > 2) TRY(read_way(reader, line));
        else if (number == 1) snprintf(reader->out->shape, sizeof reader->out->shape, "%s", line + strlen("shape "));
        else if (number == 2)
            snprintf(reader->out->machine, sizeof reader->out->machine, "%s", line + strlen("machine "));
        else
            FAIL_IF(strcmp(line, "stent landscape 1"), ST_BAD, "%s: expected 'stent landscape 1', got '%.80s'",
                    reader->path, line);
    }
    FAIL_IF(reader->out->count < 2, ST_BAD, "%s: expected configurations", reader->path);
    return ST_OK;
}
Status landscape_read(const char *path, Landscape *out) {
    Reader reader = {.path = path, .out = out};
    uint8_t *bytes;
    size_t size, lines = 0;
    *out = (Landscape){.count = 0};
    TRY(file_read(path, MOST_BYTES, &bytes, &size));
    for (size_t i = 0; i < size; i++) lines += bytes[i] == '\n';
    out->candidates = arena_array(&out->arena, lines + 1, sizeof *out->candidates);
    out->us = arena_array(&out->arena, lines + 1, sizeof *out->us);
    char *text = arena_array(&out->arena, size + 1, 1);
    Status status = out->candidates && out->us && text ? ST_OK : fail_memory(size);
    if (status == ST_OK) {
        memcpy(text, bytes, size);
        status = read_lines(&reader, text);
    }
    mem_free(bytes);
    return status;
}
void landscape_free(Landscape *landscape) { arena_free(&landscape->arena); }
double landscape_share(const Landscape *landscape, double near) {
    int count = 0;
    for (int i = 0; i < landscape->count; i++) count += landscape->us[i] <= (1 + near) * landscape->best;
    return (double)count / landscape->count;
}

// What the helper is told of the layer beside its candidates; the same for all of them, so that it ranks none.
static Problem some_problem(void) {
    Problem problem = {.kind = PROBLEM_CONV, .n_inputs = 1, .n_outputs = 1, .ic = 64, .oc = 64, .group = 1};
    const Shape shape = shape_of(4, (const int64_t[]){1, 64, 64, 64});
    problem.in[0] = problem.out[0] = layout_plain(DT_F32, &shape);
    return problem;
}
Status landscape_replay(Landscape *l, const SearchOptions *options, double noise, double *out, int *measured) {
    SearchLayer layer = {.candidates = l->candidates, .n_candidates = l->count};
    const Problem problem = some_problem(), *const problems[] = {&problem};
    Search search;
    Rng rng;
    Xgb *xgb = NULL;
    int pick, times = 0;
    for (int i = 0; i < l->count; i++) l->candidates[i].state = UNTRIED, l->candidates[i].n_ratios = 0;
    search_begin(&search, &layer, 1, options);
    rng_seed(&rng, options->seed ^ 0x9e3779b97f4a7c15u);
    if (options->tuner == TUNER_XGB) TRY(xgb_start(&search, problems, &xgb));
    Status status = ST_OK;
    while (search_next(&search, &pick)) {
        search_tell(&search, 0, pick, l->us[pick] / l->us[0] * (1 + noise * rng_normal(&rng)));
        times++;
        if (xgb) status = xgb_rank(xgb, &search);
        if (status != ST_OK) break;
    }
    xgb_end(xgb);
    *out = l->us[search_best(&layer)] / l->best;
    if (measured) *measured = times;
    return status;
}

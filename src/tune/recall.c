#include "tune/recall.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include <math.h>
#include <string.h>

static void print_numbers(const int32_t numbers[CONFIGURATION_NUMBERS], Text *text) {
    for (int i = 0; i < CONFIGURATION_NUMBERS; i++) text_add(text, "%s%d", i ? "," : " ", numbers[i]);
}
void way_print(const Way *way, Text *text) {
    text_add(text, "%s/%d", way->solver->name, way->solver->version);
    print_numbers(way->configuration.arithmetic, text), print_numbers(way->configuration.schedule, text);
}
void machine_print(const Machine *machine, Text *text) {
    text_add(text, "%s, caches %zu %zu %zu", machine->cpu, machine->l1d, machine->l2, machine->l3);
}

// ---- reading

static uint64_t key_of(const char *text) { return hash64(text, strlen(text), 0); }
static Status make_keys(RecallLayer *layer, Arena *arena) {
    Text text = {0};
    problem_print(layer->problem, &text);
    layer->problem_key = key_of(text_get(&text));
    Status status = text_status(&text);
    layer->way_keys = arena_array(arena, (size_t)layer->n_ways, sizeof *layer->way_keys);
    if (!layer->way_keys) status = fail_memory((size_t)layer->n_ways * sizeof *layer->way_keys);
    for (int i = 0; status == ST_OK && i < layer->n_ways; i++) {
        text.length = 0;
        way_print(&layer->ways[i], &text);
        layer->way_keys[i] = key_of(text_get(&text));
        status = text_status(&text);
    }
    text_free(&text);
    return status;
}
Status recall_begin(Recall *recall, RecallLayer *layers, int n_layers, Arena *arena) {
    recall->layers = layers, recall->n_layers = n_layers, recall->arena = arena;
    for (int i = 0; i < n_layers && recall->path; i++) TRY(make_keys(&layers[i], arena));
    return ST_OK;
}
static int way_of(const RecallLayer *layer, uint64_t key) {
    for (int i = 0; i < layer->n_ways; i++)
        if (layer->way_keys[i] == key) return i;
    return -1;
}
static Status keep(RecallLayer *layer, const Remembered *comparison, Arena *arena) {
    if (!layer->comparisons) {
        layer->comparisons = arena_array(arena, RECALL_COMPARISONS, sizeof *layer->comparisons);
        if (!layer->comparisons) return fail_memory(RECALL_COMPARISONS * sizeof *layer->comparisons);
    }
    layer->comparisons[layer->n_comparisons++ % RECALL_COMPARISONS] = *comparison;
    return ST_OK;
}
static Status visit(void *context, const WisdomLine *line, const char *text, size_t length) {
    Recall *recall = context;
    (void)text, (void)length;
    if (strcmp(line->isa, recall->isa)) return ST_OK;
    const bool here = line->threads == recall->threads && !strcmp(line->machine, recall->machine);
    const uint64_t problem = key_of(line->problem), incumbent = key_of(line->incumbent),
                   candidate = key_of(line->candidate);
    bool used = false;
    for (int i = 0; i < recall->n_layers; i++) {
        RecallLayer *layer = &recall->layers[i];
        if (layer->problem_key != problem) continue;
        const Remembered comparison = {way_of(layer, incumbent), way_of(layer, candidate), line->ratio, here};
        if (comparison.incumbent < 0 || comparison.candidate < 0 || comparison.incumbent == comparison.candidate)
            continue;
        TRY(keep(layer, &comparison, recall->arena));
        used = true;
    }
    if (used) ++*(here ? &recall->here : &recall->elsewhere);
    return ST_OK;
}
Status recall_read(Recall *recall) {
    if (!recall->path) return ST_OK;
    const Status status = wisdom_read(recall->path, visit, recall, &recall->count);
    if (status == ST_OK) return ST_OK;
    log_note("wisdom is not read: %s", error_message());
    error_clear();
    for (int i = 0; i < recall->n_layers; i++) recall->layers[i].n_comparisons = 0;
    recall->here = recall->elsewhere = 0;
    return ST_OK;
}

// ---- what it says

static int64_t kept(const RecallLayer *layer) { return MIN(layer->n_comparisons, (int64_t)RECALL_COMPARISONS); }

// One sweep: what each way's equations say of it, given the others.
static void sweep(const RecallLayer *layer, const double *estimated, const double *logs, double *sums,
                  double *weights) {
    static const double by_place[] = {0.2, 1}, by_estimate = 0.02;
    for (int i = 0; i < layer->n_ways; i++) sums[i] = by_estimate * estimated[i], weights[i] = by_estimate;
    for (int64_t k = 0; k < kept(layer); k++) {
        const Remembered *c = &layer->comparisons[k];
        const double weight = by_place[c->here], ratio = log(c->ratio);
        sums[c->candidate] += weight * (logs[c->incumbent] + ratio), weights[c->candidate] += weight;
        sums[c->incumbent] += weight * (logs[c->candidate] - ratio), weights[c->incumbent] += weight;
    }
}
Status recall_foresee(const RecallLayer *layer, const double *estimates, double *ratios) {
    enum { SWEEPS = 60 };
    const int n = layer->n_ways;
    double *estimated = mem_zero((size_t)n, 3 * sizeof *estimated);
    if (!estimated) return fail_memory(3 * (size_t)n * sizeof *estimated);
    double *sums = estimated + n, *weights = sums + n;
    for (int i = 0; i < n; i++)
        ratios[i] = estimated[i] = estimates[i] > 0 && estimates[0] > 0 ? log(estimates[i] / estimates[0]) : 0;
    for (int s = 0; s < (kept(layer) ? SWEEPS : 0); s++) {
        sweep(layer, estimated, ratios, sums, weights);
        // Half the way: chains of comparisons would swing.
        for (int i = 1; i < n; i++) ratios[i] += 0.5 * (sums[i] / weights[i] - ratios[i]);
    }
    for (int i = 0; i < n; i++) ratios[i] = exp(ratios[i]);
    mem_free(estimated);
    return ST_OK;
}
bool recall_knows(const RecallLayer *layer, int way) {
    for (int64_t k = 0; k < kept(layer); k++)
        if (layer->comparisons[k].candidate == way) return true;
    return false;
}
void recall_resume(Recall *recall, Search *search) {
    for (int i = 0; i < recall->n_layers; i++) {
        const RecallLayer *layer = &recall->layers[i];
        for (int64_t k = 0; k < kept(layer); k++) {
            const Remembered *c = &layer->comparisons[k];
            if (!c->here || c->incumbent != 0 || c->candidate >= search->layers[i].n_candidates) continue;
            if (search->layers[i].candidates[c->candidate].n_ratios == CANDIDATE_RATIOS) continue;
            search_tell(search, i, c->candidate, c->ratio);
            recall->resumed++;
        }
    }
}

// ---- adding

Status recall_line(const Recall *recall, int layer, int candidate, const TrialRatio *measured, Text *text) {
    const RecallLayer *l = &recall->layers[layer];
    Text problem = {0}, ways[2] = {{0}};
    char date[24];
    if (!recall->path) return ST_OK;
    problem_print(l->problem, &problem);
    way_print(&l->ways[0], &ways[0]), way_print(&l->ways[candidate], &ways[1]);
    clock_date(date);
    const WisdomLine line = {date,
                             recall->isa,
                             recall->machine,
                             recall->threads,
                             text_get(&problem),
                             text_get(&ways[0]),
                             text_get(&ways[1]),
                             measured->ratio,
                             measured->low,
                             measured->high};
    Status status = problem.failed || ways[0].failed || ways[1].failed ? fail_memory(256) : ST_OK;
    if (status == ST_OK && wisdom_fits(&line)) status = wisdom_print(&line, text);
    text_free(&problem), text_free(&ways[0]), text_free(&ways[1]);
    return status;
}
void recall_write(Recall *recall, const Text *lines) {
    if (!recall->path || recall->lost || !lines->length) return;
    if (wisdom_append(recall->path, lines) == ST_OK) {
        for (const char *c = text_get(lines); *c; c++) recall->written += *c == '\n';
        return;
    }
    recall->lost = true;
    log_note("wisdom is not kept: %s", error_message());
    error_clear();
}

#include "tune/search.h"
#include "measure/statistics.h"
#include <math.h>
#include <string.h>

static const char *const tuner_names[] = {[TUNER_MODEL] = "model", [TUNER_RANDOM] = "random", [TUNER_GRID] = "grid"};
bool tuner_from_name(const char *name, Tuner *out) {
    for (int i = 0; i < TUNER_COUNT; i++)
        if (!strcmp(name, tuner_names[i])) {
            *out = (Tuner)i;
            return true;
        }
    return false;
}

// How near to the best a candidate has to be to be measured once more, after so many ratios. A single one is off by
// some percent on a busy machine.
static const double near_best[CANDIDATE_RATIOS + 1] = {INFINITY, 0.08, 0.05, 0.03, 0.02, 0.01, 0, 0, 0};
static const double least_gain = 0.01;
enum { REPEATS = 5 };

void search_begin(Search *search, SearchLayer *layers, int n_layers, const SearchOptions *options) {
    *search = (Search){.options = *options, .layers = layers, .n_layers = n_layers};
    rng_seed(&search->rng, options->seed + 1);
}
double candidate_ratio(const Candidate *candidate) {
    double sorted[CANDIDATE_RATIOS];
    if (!candidate->n_ratios) return INFINITY;
    memcpy(sorted, candidate->ratios, (size_t)candidate->n_ratios * sizeof *sorted);
    sort_doubles(sorted, (size_t)candidate->n_ratios);
    return sorted_quantile(sorted, (size_t)candidate->n_ratios, 0.5);
}
static double best_ratio(const SearchLayer *layer) {
    double best = 1;
    for (int i = 1; i < layer->n_candidates; i++)
        if (layer->candidates[i].state == TRIED) best = MIN(best, candidate_ratio(&layer->candidates[i]));
    return best;
}
// The untried candidate that the tuner wants; 0: none.
static int first_try(Search *search, const SearchLayer *layer) {
    const SearchOptions *options = &search->options;
    if (options->trials && layer->tried >= options->trials) return 0;
    if (options->early_stop && layer->since_better >= options->early_stop) return 0;
    int pick = 0;
    uint64_t seen = 0;
    for (int i = 1; i < layer->n_candidates; i++) {
        const Candidate *candidate = &layer->candidates[i];
        if (candidate->state != UNTRIED) continue;
        bool better = !pick;
        if (options->tuner == TUNER_MODEL) better = better || candidate->estimate < layer->candidates[pick].estimate;
        if (options->tuner == TUNER_RANDOM) better = rng_below(&search->rng, ++seen) == 0; // each as likely
        if (better) pick = i;
    }
    return pick;
}
// The one near the best that was measured least often.
static int next_try(const SearchLayer *layer) {
    const double best = best_ratio(layer);
    int pick = 0;
    for (int i = 1; i < layer->n_candidates; i++) {
        const Candidate *candidate = &layer->candidates[i];
        if (candidate->state != TRIED || candidate->n_ratios >= REPEATS) continue;
        if (candidate_ratio(candidate) > best * (1 + near_best[candidate->n_ratios])) continue;
        if (!pick || candidate->n_ratios < layer->candidates[pick].n_ratios) pick = i;
    }
    return pick;
}
bool search_next(Search *search, int *picks) {
    bool any = false;
    for (int i = 0; i < search->n_layers; i++) {
        picks[i] = first_try(search, &search->layers[i]);
        if (!picks[i]) picks[i] = next_try(&search->layers[i]);
        any = any || picks[i];
    }
    return any;
}
void search_tell(Search *search, int layer, int candidate, double ratio) {
    SearchLayer *l = &search->layers[layer];
    Candidate *c = &l->candidates[candidate];
    if (c->n_ratios == CANDIDATE_RATIOS) return;
    if (c->state == UNTRIED) {
        l->tried++;
        l->since_better = ratio < best_ratio(l) ? 0 : l->since_better + 1;
    }
    c->ratios[c->n_ratios++] = ratio, c->state = TRIED;
}
void search_refuse(Search *search, int layer, int candidate) {
    search->layers[layer].candidates[candidate].state = REFUSED;
    search->layers[layer].tried++;
}
int search_best(const SearchLayer *layer) {
    enum { LEAST = 2 };
    int best = 0;
    double ratio = 1 - least_gain;
    for (int i = 1; i < layer->n_candidates; i++) {
        const Candidate *candidate = &layer->candidates[i];
        if (candidate->state != TRIED || candidate->n_ratios < LEAST || candidate_ratio(candidate) >= ratio) continue;
        best = i, ratio = candidate_ratio(candidate);
    }
    return best;
}

#include "tune/search.h"
#include "base/statistics.h"
#include <math.h>
#include <string.h>

static const char *const tuner_names[] = {
    [TUNER_MODEL] = "model", [TUNER_RANDOM] = "random", [TUNER_GRID] = "grid", [TUNER_GA] = "ga", [TUNER_XGB] = "xgb"};
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
const double search_least_gain = 0.01;
enum { REPEATS = 5, LEAST = 2 }; // of a candidate near the best; of one that is taken

double candidate_ratio(const Candidate *candidate) {
    double sorted[CANDIDATE_RATIOS];
    if (!candidate->n_ratios) return INFINITY;
    memcpy(sorted, candidate->ratios, (size_t)candidate->n_ratios * sizeof *sorted);
    sort_doubles(sorted, (size_t)candidate->n_ratios);
    return sorted[candidate->n_ratios / 2];
}
static double best_ratio(const SearchLayer *layer) {
    double best = 1;
    for (int i = 1; i < layer->n_candidates; i++)
        if (layer->candidates[i].state == TRIED) best = MIN(best, candidate_ratio(&layer->candidates[i]));
    return best;
}
// The candidate with the lowest ratio; 0: none beats the incumbent.
static int best_tried(const SearchLayer *layer) {
    int best = 0;
    double ratio = 1;
    for (int i = 1; i < layer->n_candidates; i++)
        if (layer->candidates[i].state == TRIED && candidate_ratio(&layer->candidates[i]) < ratio)
            best = i, ratio = candidate_ratio(&layer->candidates[i]);
    return best;
}

// ---- Likeness

// In how many knobs two differ, up to `most`; how far their values are apart, 0 to 1 a knob.
static int knobs_apart(const int32_t *a, const int32_t *b, int most, double *distance) {
    int apart = 0;
    *distance = 0;
    for (int i = 0; i < CANDIDATE_KNOBS && apart <= most; i++) {
        if (a[i] == b[i]) continue;
        apart++;
        *distance += fabs((double)a[i] - b[i]) / (fmax(fabs((double)a[i]), fabs((double)b[i])) + 1);
    }
    return apart;
}
// The untried candidate most like these knobs; 0: none is left.
static int most_alike(const SearchLayer *layer, const int32_t *knob) {
    int pick = 0, least = CANDIDATE_KNOBS;
    double nearest = INFINITY, distance;
    for (int i = 1; i < layer->n_candidates; i++) {
        if (layer->candidates[i].state != UNTRIED) continue;
        const int apart = knobs_apart(layer->candidates[i].knob, knob, least, &distance);
        if (apart < least || (apart == least && distance < nearest) || !pick)
            pick = i, least = apart, nearest = distance;
    }
    return pick;
}

// ---- model

static bool lower_estimate(const SearchLayer *layer, int i, int than) {
    return !than || layer->candidates[i].estimate < layer->candidates[than].estimate;
}
static int by_estimate(const SearchLayer *layer) {
    int pick = 0;
    for (int i = 1; i < layer->n_candidates; i++)
        if (layer->candidates[i].state == UNTRIED && lower_estimate(layer, i, pick)) pick = i;
    return pick;
}
static bool kind_known(const SearchLayer *layer, const Candidate *candidate) {
    for (int i = 0; i < layer->n_candidates; i++)
        if ((!i || layer->candidates[i].state != UNTRIED) && // the incumbent is known as well
            !memcmp(layer->candidates[i].knob, candidate->knob, CANDIDATE_KIND * sizeof *candidate->knob))
            return true;
    return false;
}
// The lowest estimate among those of kinds that were not tried; 0: they do not come near the lowest of all.
static int something_else(const SearchLayer *layer) {
    static const double near = 1.5;
    int pick = 0, lowest = 0;
    for (int i = 1; i < layer->n_candidates; i++) {
        const Candidate *candidate = &layer->candidates[i];
        if (lower_estimate(layer, i, lowest)) lowest = i;
        if (candidate->state != UNTRIED || !lower_estimate(layer, i, pick) || kind_known(layer, candidate)) continue;
        pick = i;
    }
    return pick && layer->candidates[pick].estimate <= near * layer->candidates[lowest].estimate ? pick : 0;
}
// Of those that differ from `from` in one knob the nearest.
static int neighbour(const SearchLayer *layer, int from) {
    int pick = 0;
    double least = INFINITY, distance;
    for (int i = 1; i < layer->n_candidates; i++) {
        if (layer->candidates[i].state != UNTRIED) continue;
        if (knobs_apart(layer->candidates[i].knob, layer->candidates[from].knob, 1, &distance) != 1) continue;
        if (distance > least || (distance == least && !lower_estimate(layer, i, pick))) continue;
        pick = i, least = distance;
    }
    return pick;
}

// What measured candidates say of the others: by how much estimates near a candidate were wrong (Nadaraya-Watson
// regression of log(ratio / estimate); E. A. Nadaraya, "On Estimating Regression", 1964). Near: exp(-distance / reach),
// where a knob that tells kinds apart counts for `other_kind`, any other for the octaves between its values.
static const double reach = 0.6, other_kind = 3, most_octaves = 1.5;

static double nearness(const int32_t *a, const int32_t *b) {
    double distance = 0;
    for (int i = 0; i < CANDIDATE_KNOBS; i++) {
        if (a[i] == b[i]) continue;
        if (i < CANDIDATE_KIND) distance += other_kind;
        else distance += fmin(fabs(log2((fabs((double)a[i]) + 1) / (fabs((double)b[i]) + 1))), most_octaves);
    }
    return exp(-distance / reach);
}
// log(estimate / the incumbent's); 0 where one has none.
static double log_estimate(const SearchLayer *layer, int i) {
    const double own = layer->candidates[i].estimate, incumbent = layer->candidates[0].estimate;
    return own > 0 && incumbent > 0 ? log(own / incumbent) : 0;
}
static void learn(SearchLayer *layer, int measured, double ratio) {
    const double off = log(ratio) - log_estimate(layer, measured);
    for (int i = 1; i < layer->n_candidates; i++) {
        const double near = nearness(layer->candidates[i].knob, layer->candidates[measured].knob);
        layer->candidates[i].near += near;
        layer->candidates[i].off += near * off;
    }
}
// The untried one with the lowest ratio that may be hoped for: as foreseen, less what is not known of it. 0: none is
// left.
static int foreseen(const SearchLayer *layer) {
    static const double doubt = 0.3, hope = 0.03; // weight of the estimate as it is; log of a ratio
    int pick = 0;
    double least = INFINITY;
    for (int i = 1; i < layer->n_candidates; i++) {
        const Candidate *candidate = &layer->candidates[i];
        if (candidate->state != UNTRIED) continue;
        const double ratio =
            log_estimate(layer, i) + candidate->off / (candidate->near + doubt) - hope / sqrt(candidate->near + 0.1);
        if (!pick || ratio < least) pick = i, least = ratio;
    }
    return pick;
}
static int next_of_model(const SearchLayer *layer) {
    enum { KINDS = 6, BY_ESTIMATE = 4 }; // tries at first; every fourth one
    const int turn = layer->tried;
    int pick = turn < KINDS ? something_else(layer) : 0;
    if (!pick && turn % BY_ESTIMATE == BY_ESTIMATE - 1) pick = by_estimate(layer);
    if (pick) return pick;
    if (turn % 2) pick = neighbour(layer, best_tried(layer));
    return pick ? pick : foreseen(layer);
}

// ---- ga

enum { GENERATION = 16, ELITE = 3 };
static int by_chance(Search *search, const SearchLayer *layer) {
    int pick = 0;
    uint64_t seen = 0;
    for (int i = 1; i < layer->n_candidates; i++)
        if (layer->candidates[i].state == UNTRIED && rng_below(&search->rng, ++seen) == 0) pick = i; // each as likely
    return pick;
}
// What the best ELITE have at most.
static double elite_ratio(const SearchLayer *layer) {
    double least[ELITE + 1] = {INFINITY, INFINITY, INFINITY};
    for (int i = 1; i < layer->n_candidates; i++) {
        if (layer->candidates[i].state != TRIED) continue;
        int at = ELITE;
        const double ratio = candidate_ratio(&layer->candidates[i]);
        for (; at > 0 && least[at - 1] > ratio; at--) least[at] = least[at - 1];
        least[at] = ratio;
    }
    return least[ELITE - 1];
}
// Whether a candidate may be a parent: of the last generation, or among the best of all.
static bool may_breed(const SearchLayer *layer, const Candidate *candidate, double elite) {
    if (candidate->state != TRIED) return false;
    const bool last = candidate->turn > layer->generation - GENERATION && candidate->turn <= layer->generation;
    return last || candidate_ratio(candidate) <= elite;
}
// The better of two parents by chance; 0: there is none.
static int parent(Search *search, const SearchLayer *layer) {
    int pick[2] = {0, 0};
    uint64_t seen = 0;
    const double elite = elite_ratio(layer);
    for (int i = 1; i < layer->n_candidates; i++) {
        if (!may_breed(layer, &layer->candidates[i], elite)) continue;
        seen++;
        for (int k = 0; k < 2; k++)
            if (rng_below(&search->rng, seen) == 0) pick[k] = i;
    }
    if (!seen) return 0;
    const Candidate *a = &layer->candidates[pick[0]], *b = &layer->candidates[pick[1]];
    return candidate_ratio(a) <= candidate_ratio(b) ? pick[0] : pick[1];
}
static int next_of_ga(Search *search, SearchLayer *layer) {
    enum { MUTATIONS = 10 }; // one in so many knobs
    if (layer->tried < GENERATION) return by_chance(search, layer);
    layer->generation = layer->tried / GENERATION * GENERATION;
    const int mother = parent(search, layer), father = parent(search, layer);
    if (!mother || !father) return by_chance(search, layer); // all were refused
    const uint64_t cross = rng_below(&search->rng, CANDIDATE_KNOBS);
    int32_t child[CANDIDATE_KNOBS];
    for (uint64_t k = 0; k < CANDIDATE_KNOBS; k++) {
        child[k] = layer->candidates[k < cross ? mother : father].knob[k];
        if (rng_below(&search->rng, MUTATIONS)) continue;
        const uint64_t other = rng_below(&search->rng, (uint64_t)layer->n_candidates);
        child[k] = layer->candidates[other].knob[k];
    }
    return most_alike(layer, child);
}

// ---- xgb

static int next_of_xgb(Search *search, const SearchLayer *layer) {
    enum { CHANCE = 20 };
    int pick = 0;
    if (!layer->scored || rng_below(&search->rng, CHANCE) == 0) return by_chance(search, layer);
    for (int i = 1; i < layer->n_candidates; i++)
        if (layer->candidates[i].state == UNTRIED &&
            (!pick || layer->candidates[i].score > layer->candidates[pick].score))
            pick = i;
    return pick;
}

// The untried candidate that the tuner wants; 0: none.
static int first_try(Search *search, SearchLayer *layer) {
    const SearchOptions *options = &search->options;
    if (options->trials && layer->tried >= options->trials) return 0;
    if (options->early_stop && layer->since_better >= options->early_stop) return 0;
    switch (options->tuner) {
    case TUNER_RANDOM: return by_chance(search, layer);
    case TUNER_GA: return next_of_ga(search, layer);
    case TUNER_XGB: return next_of_xgb(search, layer);
    case TUNER_MODEL: return next_of_model(layer);
    case TUNER_GRID:
    case TUNER_COUNT: break;
    }
    for (int i = 1; i < layer->n_candidates; i++)
        if (layer->candidates[i].state == UNTRIED) return i;
    return 0;
}
// What seems to be the best, and was measured once only.
static int to_confirm(const SearchLayer *layer) {
    const int best = best_tried(layer);
    return best && layer->candidates[best].n_ratios < LEAST &&
                   candidate_ratio(&layer->candidates[best]) < 1 - search_least_gain
               ? best
               : 0;
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
        SearchLayer *layer = &search->layers[i];
        picks[i] = to_confirm(layer);
        if (picks[i]) continue;
        picks[i] = search->settling ? 0 : first_try(search, layer);
        if (!picks[i]) picks[i] = next_try(layer);
    }
    for (int i = 0; i < search->n_layers; i++) any = any || picks[i];
    return any;
}
void search_begin(Search *search, SearchLayer *layers, int n_layers, const SearchOptions *options) {
    *search = (Search){.options = *options, .layers = layers, .n_layers = n_layers};
    rng_seed(&search->rng, options->seed + 1);
    for (int i = 0; i < n_layers; i++) {
        for (int c = 0; c < layers[i].n_candidates; c++) layers[i].candidates[c].near = layers[i].candidates[c].off = 0;
        if (options->tuner == TUNER_MODEL && layers[i].n_candidates) learn(&layers[i], 0, 1); // the incumbent is known
    }
}
void search_tell(Search *search, int layer, int candidate, double ratio) {
    SearchLayer *l = &search->layers[layer];
    Candidate *c = &l->candidates[candidate];
    if (c->n_ratios == CANDIDATE_RATIOS) return;
    if (c->state == UNTRIED) {
        c->turn = ++l->tried;
        l->since_better = ratio < best_ratio(l) ? 0 : l->since_better + 1;
    }
    if (search->options.tuner == TUNER_MODEL && ratio > 0) learn(l, candidate, ratio);
    c->ratios[c->n_ratios++] = ratio, c->state = TRIED;
}
void search_refuse(Search *search, int layer, int candidate) {
    search->layers[layer].candidates[candidate].state = REFUSED;
    search->layers[layer].candidates[candidate].turn = ++search->layers[layer].tried;
}
int search_best(const SearchLayer *layer) {
    int best = 0;
    double ratio = 1 - search_least_gain;
    for (int i = 1; i < layer->n_candidates; i++) {
        const Candidate *candidate = &layer->candidates[i];
        if (candidate->state != TRIED || candidate->n_ratios < LEAST || candidate_ratio(candidate) >= ratio) continue;
        best = i, ratio = candidate_ratio(candidate);
    }
    return best;
}

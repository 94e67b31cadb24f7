// The search over made landscapes: what each candidate really takes is known, measuring adds noise.
#include "base/statistics.h"
#include "test.h"
#include "tune/search.h"
#include <math.h>

enum { MOST = 64 };
typedef struct Landscape {
    int count;
    double ratio[MOST]; // true; [0] is 1
    double noise;       // standard deviation of one measurement
} Landscape;

static Landscape landscape(uint64_t seed, int count, double noise) {
    Landscape l = {.count = count, .ratio = {1}, .noise = noise};
    Rng rng;
    rng_seed(&rng, seed);
    for (int i = 1; i < count; i++) l.ratio[i] = 0.85 + 0.6 * rng_uniform(&rng);
    return l;
}
// Trials until the search has no proposal left.
static int play(const Landscape *l, const SearchOptions *options, SearchLayer *layer, Candidate *candidates,
                const double *estimates) {
    Search search;
    Rng rng;
    int trials = 0, pick;
    for (int i = 0; i < l->count; i++) candidates[i] = (Candidate){.estimate = estimates ? estimates[i] : i};
    *layer = (SearchLayer){.candidates = candidates, .n_candidates = l->count};
    search_begin(&search, layer, 1, options);
    rng_seed(&rng, options->seed + 99);
    while (search_next(&search, &pick)) {
        REQUIRE(pick > 0 && pick < l->count && trials < 1000);
        search_tell(&search, 0, pick, l->ratio[pick] * (1 + l->noise * rng_normal(&rng)));
        trials++;
    }
    return trials;
}
static double best_of(const Landscape *l) {
    double best = 1;
    for (int i = 1; i < l->count; i++) best = MIN(best, l->ratio[i]);
    return best;
}

TEST(every_tuner_finds_the_best_of_a_quiet_landscape) {
    for (int tuner = 0; tuner < TUNER_COUNT; tuner++)
        for (uint64_t seed = 0; seed < 20; seed++) {
            const Landscape l = landscape(seed, 20, 0);
            const SearchOptions options = {.tuner = (Tuner)tuner, .seed = seed};
            SearchLayer layer;
            Candidate candidates[MOST];
            const int trials = play(&l, &options, &layer, candidates, NULL);
            CHECK(l.ratio[search_best(&layer)] == best_of(&l));
            CHECK_MSG(trials >= 19 && trials < 60, "%d trials", trials);
            CHECK_INT(layer.tried, 19);
        }
}
TEST(noise_does_not_hide_the_best) {
    // Measurements are off by 3 %: what is taken is within 3 % of the best, nearly always.
    int near = 0;
    for (uint64_t seed = 0; seed < 100; seed++) {
        const Landscape l = landscape(seed, 30, 0.03);
        const SearchOptions options = {.tuner = TUNER_MODEL, .seed = seed};
        SearchLayer layer;
        Candidate candidates[MOST];
        play(&l, &options, &layer, candidates, NULL);
        near += l.ratio[search_best(&layer)] <= 1.03 * best_of(&l);
    }
    CHECK_MSG(near >= 95, "%d of 100", near);
}
TEST(nothing_is_taken_that_is_not_better) {
    // All candidates are as fast as the incumbent.
    int taken = 0;
    for (uint64_t seed = 0; seed < 400; seed++) {
        Landscape l = {.count = 10, .noise = 0.007};
        for (int i = 0; i < l.count; i++) l.ratio[i] = 1;
        const SearchOptions options = {.seed = seed};
        SearchLayer layer;
        Candidate candidates[MOST];
        play(&l, &options, &layer, candidates, NULL);
        taken += search_best(&layer) != 0;
        l.noise = 0;
        play(&l, &options, &layer, candidates, NULL);
        CHECK_INT(search_best(&layer), 0);
    }
    CHECK_MSG(taken < 28, "%d of 400", taken); // one in 25, as the best of nine
}
TEST(a_lucky_measurement_does_not_send_the_others_away) {
    // Candidate 1 seems twice as fast once; 2 is really 10 % faster.
    Candidate candidates[] = {{.estimate = 0}, {.estimate = 1}, {.estimate = 2}};
    SearchLayer layer = {.candidates = candidates, .n_candidates = 3};
    Search search;
    int pick, trials = 0;
    search_begin(&search, &layer, 1, &(SearchOptions){.tuner = TUNER_MODEL});
    for (; search_next(&search, &pick); trials++) {
        REQUIRE(trials < 20);
        search_tell(&search, 0, pick, pick == 2 ? 0.9 : trials ? 1.1 : 0.5);
    }
    CHECK_INT(search_best(&layer), 2);
}
TEST(of_two_measurements_the_worse_one_counts) {
    Candidate candidate = {.n_ratios = 2, .ratios = {0.7, 0.98}};
    CHECK(candidate_ratio(&candidate) == 0.98);
    candidate.n_ratios = 3, candidate.ratios[2] = 0.95;
    CHECK(candidate_ratio(&candidate) == 0.95);
}
TEST(a_tuner_decides_what_comes_first) {
    static const double estimates[] = {5, 4, 1, 3, 2};
    const Landscape l = {.count = 5, .ratio = {1, 1.5, 1.5, 1.5, 1.5}};
    Candidate candidates[5];
    for (int i = 0; i < 5; i++) candidates[i] = (Candidate){.estimate = estimates[i]};
    SearchLayer layer = {.candidates = candidates, .n_candidates = l.count};
    Search search;
    int pick;
    search_begin(&search, &layer, 1, &(SearchOptions){.tuner = TUNER_MODEL});
    static const int by_model[] = {2, 4, 3, 1};
    for (int i = 0; i < 4; i++) {
        REQUIRE(search_next(&search, &pick));
        CHECK_INT(pick, by_model[i]);
        search_tell(&search, 0, pick, 1.5);
    }
    for (int i = 0; i < 5; i++) candidates[i] = (Candidate){.estimate = estimates[i]};
    layer.tried = 0;
    search_begin(&search, &layer, 1, &(SearchOptions){.tuner = TUNER_GRID});
    for (int i = 1; i < 5; i++) {
        REQUIRE(search_next(&search, &pick));
        CHECK_INT(pick, i);
        search_tell(&search, 0, pick, 1.5);
    }
}
TEST(chance_is_fair_and_repeatable) {
    int first[4] = {0}, again;
    for (uint64_t seed = 0; seed < 400; seed++) {
        Candidate candidates[4] = {{0}};
        SearchLayer layer = {.candidates = candidates, .n_candidates = 4};
        Search search;
        int pick;
        search_begin(&search, &layer, 1, &(SearchOptions){.tuner = TUNER_RANDOM, .seed = seed});
        CHECK(search_next(&search, &pick));
        search_begin(&search, &layer, 1, &(SearchOptions){.tuner = TUNER_RANDOM, .seed = seed});
        CHECK(search_next(&search, &again));
        CHECK_INT(pick, again);
        first[pick]++;
    }
    for (int i = 1; i < 4; i++) CHECK_MSG(first[i] > 90 && first[i] < 180, "%d of 400", first[i]);
}
TEST(trials_and_early_stop_bound_the_first_tries) {
    Landscape l = {.count = 30, .ratio = {1, 0.9}};
    for (int i = 2; i < l.count; i++) l.ratio[i] = 1.2;
    SearchLayer layer;
    Candidate candidates[MOST];
    play(&l, &(SearchOptions){.trials = 7}, &layer, candidates, NULL);
    CHECK_INT(layer.tried, 7);
    play(&l, &(SearchOptions){.early_stop = 4}, &layer, candidates, NULL);
    CHECK_INT(layer.tried, 5); // the first was better
    CHECK_INT(search_best(&layer), 1);
}
TEST(what_the_planner_refuses_is_left) {
    Candidate candidates[3] = {{0}};
    SearchLayer layer = {.candidates = candidates, .n_candidates = 3};
    Search search;
    int pick;
    search_begin(&search, &layer, 1, &(SearchOptions){.tuner = TUNER_GRID});
    CHECK(search_next(&search, &pick));
    search_refuse(&search, 0, pick);
    CHECK(search_next(&search, &pick));
    CHECK_INT(pick, 2);
    search_refuse(&search, 0, pick);
    CHECK(!search_next(&search, &pick));
    CHECK_INT(search_best(&layer), 0);
}

// ---- Landscapes with knobs that act nearly by themselves

enum { KNOBS = 5, GRID = 16 * 5 * 4 * 3 * 2 };
typedef struct Hills {
    double ratio[GRID];
    Candidate candidates[GRID];
    double best;
} Hills;
// Every combination of five knobs. Each value of a knob is up to 25 % slower than its best, smoothly along the first
// one; combinations are 1 % apart beside that. Estimates are off by a factor of exp(normal * wrong).
static void make_hills(Hills *hills, uint64_t seed, double wrong) {
    static const int sizes[KNOBS] = {16, 5, 4, 3, 2};
    double slower[KNOBS][16];
    Rng rng;
    rng_seed(&rng, seed);
    const int top = (int)rng_below(&rng, 16);
    for (int k = 0; k < KNOBS; k++)
        for (int v = 0; v < sizes[k]; v++) slower[k][v] = k ? 1 + 0.25 * rng_uniform(&rng) : 1 + 0.04 * abs(v - top);
    hills->best = INFINITY;
    for (int i = 0; i < GRID; i++) {
        Candidate *c = &hills->candidates[i];
        *c = (Candidate){.state = UNTRIED};
        double ratio = 0.6 * (1 + 0.01 * rng_normal(&rng));
        for (int k = 0, rest = i; k < KNOBS; rest /= sizes[k++]) {
            c->knob[2 * k] = rest % sizes[k] + (k ? 0 : 3);
            ratio *= slower[k][rest % sizes[k]];
        }
        hills->ratio[i] = ratio;
        c->estimate = ratio * exp(wrong * rng_normal(&rng));
        if (i) hills->best = MIN(hills->best, ratio);
    }
}
// Trials until one within 3 % of the best was measured.
static int trials_to_best(Hills *hills, Tuner tuner, uint64_t seed) {
    SearchLayer layer = {.candidates = hills->candidates, .n_candidates = GRID};
    Search search;
    Rng rng;
    int pick;
    search_begin(&search, &layer, 1, &(SearchOptions){.tuner = tuner, .seed = seed});
    rng_seed(&rng, seed + 5);
    for (int trials = 1; search_next(&search, &pick); trials++) {
        REQUIRE(pick > 0 && pick < GRID && trials <= 10 * GRID);
        search_tell(&search, 0, pick, hills->ratio[pick] * (1 + 0.005 * rng_normal(&rng)));
        if (hills->ratio[pick] <= 1.03 * hills->best) return trials;
    }
    test_failed(__FILE__, __LINE__, "never found");
    return 10 * GRID;
}
// That 9 of 10 searches need at most.
static int needed_trials(Tuner tuner, double wrong) {
    enum { SEARCHES = 50 };
    static Hills hills;
    double trials[SEARCHES];
    for (uint64_t seed = 0; seed < SEARCHES; seed++) {
        make_hills(&hills, seed, wrong);
        trials[seed] = trials_to_best(&hills, tuner, seed);
    }
    sort_doubles(trials, SEARCHES);
    return (int)trials[SEARCHES * 9 / 10];
}
TEST(model_needs_few_trials_where_knobs_act_by_themselves) {
    const int by_chance = needed_trials(TUNER_RANDOM, 0), good = needed_trials(TUNER_MODEL, 0.1),
              bad = needed_trials(TUNER_MODEL, 10);
    CHECK_MSG(good <= 30, "%d with a good estimate", good);
    CHECK_MSG(bad <= 120, "%d with one that says nothing", bad);
    CHECK_MSG(by_chance > 4 * bad, "%d by chance, %d by model", by_chance, bad);
}
TEST(ga_needs_fewer_trials_than_chance) {
    const int by_chance = needed_trials(TUNER_RANDOM, 0), bred = needed_trials(TUNER_GA, 0);
    CHECK_MSG(2 * bred < by_chance, "%d by chance, %d by ga", by_chance, bred);
}
TEST(ga_is_the_same_for_a_seed_and_another_for_another) {
    static Hills hills;
    int trace[3][60];
    for (int run = 0; run < 3; run++) {
        make_hills(&hills, 1, 0);
        SearchLayer layer = {.candidates = hills.candidates, .n_candidates = GRID};
        Search search;
        search_begin(&search, &layer, 1, &(SearchOptions){.tuner = TUNER_GA, .seed = run / 2});
        for (size_t i = 0; i < COUNT_OF(trace[run]); i++) {
            REQUIRE(search_next(&search, &trace[run][i]));
            search_tell(&search, 0, trace[run][i], hills.ratio[trace[run][i]]);
        }
    }
    CHECK(!memcmp(trace[0], trace[1], sizeof trace[0]));
    CHECK(memcmp(trace[0], trace[2], sizeof trace[0]));
}
// Everything is tried in the end, by whichever tuner, and nothing twice as if it were new.
TEST(every_tuner_tries_all_in_the_end) {
    static Hills hills;
    for (int tuner = 0; tuner < TUNER_COUNT; tuner++) {
        make_hills(&hills, 2, 1);
        SearchLayer layer = {.candidates = hills.candidates, .n_candidates = 300};
        Search search;
        int pick, first = 0;
        search_begin(&search, &layer, 1, &(SearchOptions){.tuner = (Tuner)tuner});
        for (int trials = 0; search_next(&search, &pick); trials++) {
            REQUIRE(pick > 0 && pick < 300 && trials < 3000);
            first += hills.candidates[pick].state == UNTRIED;
            if (pick % 7 == 0 && hills.candidates[pick].state == UNTRIED) search_refuse(&search, 0, pick);
            else search_tell(&search, 0, pick, hills.ratio[pick]);
        }
        CHECK_INT(first, 299);
        CHECK_INT(layer.tried, 299);
    }
}
// A search that ends too early for measuring again has what it takes all the same.
TEST(the_best_so_far_is_measured_twice_at_once) {
    static Hills hills;
    for (int tuner = 0; tuner < TUNER_COUNT; tuner++) {
        make_hills(&hills, 3, 0.1);
        SearchLayer layer = {.candidates = hills.candidates, .n_candidates = GRID};
        Search search;
        int pick, least = 0;
        search_begin(&search, &layer, 1, &(SearchOptions){.tuner = (Tuner)tuner});
        for (int trials = 0; trials < 41; trials++) {
            REQUIRE(search_next(&search, &pick));
            search_tell(&search, 0, pick, hills.ratio[pick]);
            if (!least || hills.ratio[pick] < hills.ratio[least]) least = pick;
        }
        if (hills.ratio[least] >= 0.99) continue;    // as listed the first ones are bad
        if (hills.candidates[least].n_ratios == 1) { // the very last one
            REQUIRE(search_next(&search, &pick));
            CHECK_INT(pick, least);
            search_tell(&search, 0, pick, hills.ratio[pick]);
        }
        CHECK_INT(search_best(&layer), least);
    }
}
TEST(settling_tries_nothing_new) {
    Candidate candidates[6] = {{0}};
    for (int i = 0; i < 6; i++) candidates[i] = (Candidate){.estimate = i + 1, .knob = {i}};
    SearchLayer layer = {.candidates = candidates, .n_candidates = 6};
    Search search;
    int pick, trials = 0;
    search_begin(&search, &layer, 1, &(SearchOptions){.tuner = TUNER_GRID});
    for (int i = 1; i <= 3; i++) search_tell(&search, 0, i, i == 2 ? 0.9 : 0.93);
    search.settling = true;
    for (; search_next(&search, &pick); trials++) {
        REQUIRE(pick >= 1 && pick <= 3 && trials < 20);
        search_tell(&search, 0, pick, pick == 2 ? 0.9 : 0.93);
    }
    CHECK(trials >= 5 && layer.tried == 3);
    CHECK_INT(search_best(&layer), 2);
    search.settling = false;
    REQUIRE(search_next(&search, &pick));
    CHECK_INT(pick, 4);
}

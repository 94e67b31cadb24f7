// The search over made landscapes: what each candidate really takes is known, measuring adds noise.
#include "test.h"
#include "tune/search.h"

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
    for (uint64_t seed = 0; seed < 50; seed++) {
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
    CHECK_MSG(taken < 5, "%d of 50", taken);
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

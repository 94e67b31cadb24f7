// Races of a plan against itself, by the rule of `stent tune` (src/tune/race.h): how often does it call equals
// different?
//
//     stent-races PACKAGE [RACES] [SECONDS] [THREADS]       default: 200 races of 10 rounds at least, 2 seconds, all
//     cores
//
// For each race both are prepared anew: their weights and their memory lie elsewhere. A line a race: ratio, its 95 %
// interval, verdict; then how many were won and lost, and the largest difference of those. Exit status 0; 1 where more
// than 1 in 20 are called different, or one of these by 2 % or more; 2 for trouble.
#include "app/sample.h"
#include "base/clock.h"
#include "session/session.h"
#include "tune/race.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static void must(Status status, const char *what) {
    if (status == ST_OK) return;
    fprintf(stderr, "stent-races: %s: %s\n", what, error_message());
    exit(2);
}
typedef struct Racers {
    Session *sessions[2];
    const Tensor *inputs;
    Tensor *outputs;
} Racers;
static Status run(void *context, int which, double *ms) {
    Racers *racers = context;
    const uint64_t start = clock_ns();
    TRY(session_run(racers->sessions[which], racers->inputs, racers->outputs));
    *ms = clock_ms_since(start);
    return ST_OK;
}
static Session *prepare(const Opened *opened, const PlanOptions *options, Pool *pool) {
    const PlainWeights plain = plain_weights_of(opened);
    Plan *plan;
    Executable *executable;
    Session *session;
    must(plan_create(opened->package->graph, &opened->machine, options, &plan), "the plan");
    must(executable_create(plan, pool, &plain, &executable), "the weights");
    must(session_create(executable, &session), "a session");
    executable_release(executable); // the session holds it
    return session;
}

int main(int argc, char **argv) {
    if (argc < 2) {
        fprintf(stderr, "stent-races PACKAGE [RACES] [SECONDS] [THREADS]\n");
        return 2;
    }
    const int races = argc > 2 ? atoi(argv[2]) : 200;
    const double seconds = argc > 3 ? atof(argv[3]) : 2;
    const stent_options options = {.size = sizeof options, .threads = argc > 4 ? atoi(argv[4]) : 0};
    Opened opened;
    Arena arena = {0};
    Sample sample;
    Racers racers = {{NULL}, NULL, NULL};
    Pool *pool;
    double ms, worst = 0;
    int won = 0, lost = 0, wide = 0;
    must(open_package(argv[1], &options, OPEN_GRAPH, &opened), argv[1]);
    const Graph *graph = opened.package->graph;
    const PlanOptions plan = plan_options_of(&opened, &options);
    must(sample_take(&opened, NULL, &arena, &sample), "a sample");
    must(make_tensors(graph, graph->outputs, graph->n_outputs, &arena, &racers.outputs), "outputs");
    must(pool_create(opened.threads, &pool), "threads");
    racers.inputs = sample.inputs;
    for (int i = 0; i < races; i++) {
        Race result;
        for (int which = 0; which < 2; which++) {
            racers.sessions[which] = prepare(&opened, &plan, pool);
            must(run(&racers, which, &ms), "a run");
            must(run(&racers, which, &ms), "a run");
        }
        must(race(run, &racers, race_rounds(seconds, ms), &result), "a race");
        for (int which = 0; which < 2; which++) session_destroy(racers.sessions[which]);
        printf("%.4f  %.4f to %.4f  %d rounds  %s\n", result.ratio.median, result.ratio.low, result.ratio.high,
               result.rounds,
               result.won    ? "won"
               : result.lost ? "lost"
                             : "-");
        fflush(stdout);
        won += result.won, lost += result.lost;
        wide += result.ratio.low > 1 || result.ratio.high < 1;
        if (result.won || result.lost) worst = fmax(worst, fabs(result.ratio.median - 1));
    }
    printf("%d races: %d won, %d lost, the largest difference of these %.4f; the 95 %% interval leaves 1 out in %d\n",
           races, won, lost, worst, wide);
    pool_destroy(pool);
    close_package(&opened);
    arena_free(&arena);
    return 20 * (won + lost) > races || worst >= 0.02;
}

#include "tune/xgb.h"
#include "base/json.h"
#include "base/process.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Reads the features of all candidates, layer by layer, then again and again a list of [layer, candidate, ratio];
// answers with a score for each candidate, higher is better. The label is how fast a candidate is beside the best of
// its layer.
static const char script[] =
    "import json, sys\n"
    "import numpy, xgboost\n"
    "x = [numpy.array(layer, numpy.float32) for layer in json.loads(sys.stdin.readline())]\n"
    "told = [{} for _ in x]\n"
    "options = {'objective': 'rank:pairwise', 'max_depth': 3, 'eta': 0.3, 'gamma': 1e-4, 'min_child_weight': 1,\n"
    "           'lambda': 1, 'alpha': 0, 'nthread': 1, 'verbosity': 0, 'seed': 0}\n"
    "print('ready', flush=True)\n"
    "for line in sys.stdin:\n"
    "    for layer, candidate, ratio in json.loads(line):\n"
    "        told[layer][candidate] = ratio\n"
    "    known = [(i, sorted(t)) for i, t in enumerate(told) if t]\n"
    "    rows = numpy.concatenate([x[i][k] for i, k in known])\n"
    "    label = numpy.concatenate([min(told[i].values()) / numpy.array([told[i][c] for c in k]) for i, k in known])\n"
    "    data = xgboost.DMatrix(rows, label=label)\n"
    "    data.set_group([len(k) for i, k in known])\n"
    "    model = xgboost.train(options, data, 60)\n"
    "    print(json.dumps([[round(float(s), 4) for s in model.predict(xgboost.DMatrix(layer))] for layer in x]),\n"
    "          flush=True)\n";

// Starting Python and loading the library, and one answer, on a slow and busy machine.
static const double start_seconds = 60, answer_seconds = 60;
enum { BATCH = 4 }; // new ratios a layer, on average, before the model is made again
enum { ANSWER_BYTES = 64 << 20 };

struct Xgb {
    Process *process;
    int layers;
    int *told; // of each layer: ratios that the helper knows
};

static int ratios_of(const SearchLayer *layer) {
    int count = 0;
    for (int c = 1; c < layer->n_candidates; c++) count += layer->candidates[c].n_ratios;
    return count;
}
// What a model may learn from: the knobs, on two scales; what the estimate says; how large the problem is.
static void put_features(JsonWriter *w, const SearchLayer *layer, int candidate, const Problem *problem) {
    const Candidate *c = &layer->candidates[candidate];
    const Layout *out = &problem->out[0];
    json_begin_array(w);
    for (int k = 0; k < CANDIDATE_KNOBS; k++) json_integer(w, c->knob[k]);
    for (int k = 0; k < CANDIDATE_KNOBS; k++) json_number(w, log2(fabs((double)c->knob[k]) + 1));
    const double first = layer->candidates[0].estimate;
    json_number(w, c->estimate > 0 && first > 0 ? log(c->estimate / first) : 0);
    json_number(w, log2(problem_flop(problem) + 1));
    json_number(w, log2((double)problem->ic + 1)), json_number(w, log2((double)problem->oc + 1));
    json_number(w, log2((double)shape_count(&out->shape) + 1));
    json_end_array(w);
}
static Status send(Xgb *xgb, Text *text) {
    text_add(text, "\n");
    TRY(text_status(text));
    return process_write(xgb->process, text_get(text), text->length, answer_seconds);
}
static Status send_features(Xgb *xgb, const Search *search, const Problem *const *problems) {
    Text text = {0};
    JsonWriter w = {.text = &text};
    json_begin_array(&w);
    for (int i = 0; i < search->n_layers; i++) {
        json_begin_array(&w);
        for (int c = 0; c < search->layers[i].n_candidates; c++) put_features(&w, &search->layers[i], c, problems[i]);
        json_end_array(&w);
    }
    json_end_array(&w);
    const Status status = send(xgb, &text);
    text_free(&text);
    return status;
}
static Status begin(Xgb *xgb, const Search *search, const Problem *const *problems) {
    const char *python = getenv("STENT_PYTHON"), *line;
    size_t length;
    if (!python || !*python) python = "python3";
    TRY(process_start((const char *const[]){python, "-c", script, NULL}, &xgb->process));
    TRY(send_features(xgb, search, problems));
    TRY(process_line(xgb->process, ANSWER_BYTES, start_seconds, &line, &length));
    FAIL_IF(strcmp(line, "ready"), ST_UNSUPPORTED, "%s: expected 'ready'", python);
    return ST_OK;
}
Status xgb_start(const Search *search, const Problem *const *problems, Xgb **out) {
    Xgb *xgb = mem_zero(1, sizeof *xgb);
    *out = NULL;
    if (!xgb) return fail_memory(sizeof *xgb);
    xgb->layers = search->n_layers;
    xgb->told = mem_zero((size_t)search->n_layers + 1, sizeof *xgb->told);
    Status status = xgb->told ? begin(xgb, search, problems) : fail_memory((size_t)search->n_layers * sizeof(int));
    if (status == ST_OK) {
        *out = xgb;
        return ST_OK;
    }
    const bool memory = status == ST_RESOURCE && !xgb->process;
    xgb_end(xgb);
    if (memory) return status;
    char why[512];
    snprintf(why, sizeof why, "%s", error_message());
    return fail(ST_UNSUPPORTED,
                "--tuner xgb: expected Python with xgboost (pip install xgboost-cpu; STENT_PYTHON names another "
                "Python than python3): %s",
                why);
}

static void put_told(const Xgb *xgb, const Search *search, JsonWriter *w) {
    json_begin_array(w);
    for (int i = 0; i < xgb->layers; i++)
        for (int c = 1; c < search->layers[i].n_candidates; c++) {
            if (search->layers[i].candidates[c].state != TRIED) continue;
            json_begin_array(w);
            json_integer(w, i), json_integer(w, c), json_number(w, candidate_ratio(&search->layers[i].candidates[c]));
            json_end_array(w);
        }
    json_end_array(w);
}
// The answer: a list for each layer of a number for each candidate.
static Status take_scores(Search *search, const Json *answer) {
    bool fits = answer->type == JSON_ARRAY && answer->count == (size_t)search->n_layers;
    for (int i = 0; fits && i < search->n_layers; i++) {
        const Json *scores = &answer->items[i];
        SearchLayer *layer = &search->layers[i];
        fits = scores->type == JSON_ARRAY && scores->count == (size_t)layer->n_candidates;
        for (int c = 0; fits && c < layer->n_candidates; c++) {
            fits = scores->items[c].type == JSON_NUMBER;
            if (fits) layer->candidates[c].score = scores->items[c].number;
        }
        if (fits) layer->scored = true;
    }
    FAIL_IF(!fits, ST_RESOURCE, "--tuner xgb: the helper's answer does not fit what was asked");
    return ST_OK;
}
Status xgb_rank(Xgb *xgb, Search *search) {
    int fresh = 0, searched = 0;
    for (int i = 0; i < xgb->layers; i++) {
        fresh += ratios_of(&search->layers[i]) - xgb->told[i];
        searched += search->layers[i].n_candidates > 1;
    }
    if (!searched || fresh < BATCH * searched) return ST_OK;
    Text text = {0};
    Arena arena = {0};
    Json *answer;
    const char *line;
    size_t length;
    put_told(xgb, search, &(JsonWriter){.text = &text});
    Status status = send(xgb, &text);
    if (status == ST_OK) status = process_line(xgb->process, ANSWER_BYTES, answer_seconds, &line, &length);
    if (status == ST_OK) status = json_parse(&arena, line, length, &answer);
    if (status == ST_OK) status = take_scores(search, answer);
    if (status == ST_BAD) status = fail(ST_RESOURCE, "--tuner xgb: the helper's answer is no JSON");
    for (int i = 0; status == ST_OK && i < xgb->layers; i++) xgb->told[i] = ratios_of(&search->layers[i]);
    text_free(&text);
    arena_free(&arena);
    return status;
}
void xgb_end(Xgb *xgb) {
    if (!xgb) return;
    process_end(xgb->process);
    mem_free(xgb->told);
    mem_free(xgb);
}

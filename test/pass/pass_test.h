// What the tests of the passes share: text in, text out, and equal results of the reference before and after.
#pragma once
#include "graph/graph.h"
#include "pass/pass.h"
#include "test.h"

Graph *parse_graph(const char *text); // ends the test when the text is wrong
// Runs one pass as passes_run does (compacted, inferred, verified); true when it said that it changed something.
bool run_pass(Graph *graph, const char *pass);
// The pass turns `before` into `after`. The texts are compared as graph_print writes them, with all constants.
void check_rewrite(const char *file, int line, const char *pass, const char *before, const char *after);
#define CHECK_REWRITE(pass, before, after) check_rewrite(__FILE__, __LINE__, pass, before, after)
// The pass leaves the graph as it is and says so.
#define CHECK_KEPT(pass, text) check_rewrite(__FILE__, __LINE__, pass, text, NULL)
// Runs the passes up to a level.
void check_rewrite_level(const char *file, int line, int level, const char *before, const char *after);
#define CHECK_LEVEL(level, before, after) check_rewrite_level(__FILE__, __LINE__, level, before, after)

// Random inputs through both graphs give outputs whose difference is at most `tolerance` of the standard deviation;
// inputs and outputs keep their names and types. Inputs must be static. uint64_t seed of the inputs.
void check_same_results(const char *file, int line, const Graph *before, const Graph *after, uint64_t seed,
                        double tolerance);
// The same for a text before and after a pass, or (pass NULL) all passes of level 2. The pass must change something.
void check_same_text(const char *file, int line, const char *pass, const char *text, double tolerance);
#define CHECK_SAME(pass, text) check_same_text(__FILE__, __LINE__, pass, text, 1e-6)
#define CHECK_SAME_BITS(pass, text) check_same_text(__FILE__, __LINE__, pass, text, 0)

int count_ops(const Graph *graph, Op op);

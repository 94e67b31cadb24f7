// What the verbs share: results, common options, opening a package.
#pragma once
#include "app/options.h"
#include "app/pipeline.h"
#include "app/run_log.h"
#include "base/json.h"
#include "package/package.h"
#include "session/session.h"
#include "stent.h"

// A verb's result under construction: a text for people, and one JSON object that is open until result_finish.
struct stent_result {
    Text text, json;
    JsonWriter writer;
    LogLine log; // of this call; result_finish writes it
};
// "verb", "stent". path: of the package or model that the verb is about, for the log; NULL: none. Both are the caller's
// until result_finish.
Status result_begin(const char *verb, const char *path, const stent_options *options, struct stent_result **out);
Status result_finish(struct stent_result *result, Status status, stent_result **out); // hands over, or frees on failure
// Keys that every verb has: machine {isa, threads, cpu}.
void result_machine(struct stent_result *result, const Machine *machine, int threads);
// The key `levels`: each instruction-set level, whether it is had, the features that it needs and that are missing.
void result_levels(struct stent_result *result, const Machine *machine);
// An object: the package's description, and what of its making fixes the answer.
void put_made(JsonWriter *writer, const Json *description, const Package *package);
// One line: the level's name, and "had", or "not had" with what is missing.
void tell_level(const Machine *machine, Isa isa, Text *text);

// A line for each step on the reference path, with the reason.
void tell_fallbacks(const Plan *plan, Text *text);

// compile --race: the plan that wisdom holds for the best races the one that stands, about so many seconds; the winner
// is stored. The key `race`.
Status race_wisdom(const char *package, const stent_options *common, double seconds, struct stent_result *result);

// Progress. A status, because the callback may cancel.
Status report_progress(const stent_options *options, const char *stage, double done, double total);
const stent_options *common_options(const stent_options *options); // NULL gives the defaults
// The same for opening a package: without what is said of a model file beside it.
stent_options without_model(const stent_options *options);
Status choose_threads(const stent_options *options, const Machine *machine, int *threads);

// "NAME=1x3x256x256" or "1x3x256x256" (name NULL: the only input). Texts in `arena`.
typedef struct ShapeOption {
    const char *name;
    Shape shape;
} ShapeOption;
Status parse_shape_options(const stent_options *options, Arena *arena, ShapeOption **out, size_t *count);
// Binds free dims: options first, then the pipeline's size for pictures; resolves shapes and runs the passes of
// `opt_level`. ST_USAGE names what is still free.
Status bind_shapes(Graph *graph, const stent_options *options, const Pipeline *pipeline, int opt_level, Arena *arena);

// A package that is open on this machine.
typedef struct Opened {
    Package *package;
    Pipeline pipeline;
    Machine machine;
    int threads;
    Precision mode;         // what runs: the package's or a stricter one; without the hardware fp32 for bf16
    const char *precision;  // its name
    const char *model;      // name of the model file, as the package tells
    int opt_level;          // that the package was compiled with
    Executable *executable; // its plan's graph is package->graph
    char plan_hash[65];
    bool tuned;             // a stored plan had choices for it
    const char *self_check; // "passed", "recorded" (passed before), "skipped" (no sample of this shape)
    double self_check_rms;
    double budget; // of the plan's foreseen error; 0: the precision's own. Less where the self-check asked for it
    double open_ms;
    Arena arena;
} Opened;
enum OpenFlags {
    OPEN_NO_CHECK = 1,  // verify runs the check itself
    OPEN_REFERENCE = 2, // everything on the reference path
    OPEN_GRAPH = 4,     // shapes are bound, nothing is planned
    OPEN_FREE = 8, // a picture's free dims that neither options nor pipeline fix are left so, without an executable;
                  // with OPEN_GRAPH also those of other inputs
    OPEN_ROUNDED = 16 // what convolutions multiply is rounded to bf16 (pass_round_products)
};
// A package in a file, or (bytes not NULL) in memory, the caller's as long as it is open; path stands in messages.
typedef struct PackageSource {
    const char *path;
    const void *bytes;
    size_t size;
} PackageSource;
Status open_source(const PackageSource *source, const stent_options *options, int flags, Opened *out);
Status open_package(const char *path, const stent_options *options, int flags, Opened *out);
void close_package(Opened *opened); // twice is fine
// How a plan is made for an open package, without choices.
PlanOptions plan_options_of(const Opened *opened, const stent_options *options);
// Where the package's plain weights lie.
PlainWeights plain_weights_of(const Opened *opened);
// Bytes that a plan may need: --max-memory, else the machine's. options may be NULL.
uint64_t memory_allowed(const stent_options *options, const Machine *machine);
// Keys of all results: model, content_hash, plan_hash, precision, and the machine's; and what the log tells of them.
void result_opened(struct stent_result *result, const Opened *opened);
void log_opened(JsonWriter *log, const Opened *opened);

// The value of --precision. ST_USAGE: no such name; ST_UNSUPPORTED: one that is not had yet.
Status precision_from_name(const char *name, Precision *out);

// Runs the package's self-check on a session of `executable`; *rms is the worst output's. ST_NO: beyond the budget.
// *ran false: there is none for the shapes that are bound.
Status self_check_run(const SelfCheck *check, Executable *executable, double budget, double *rms, bool *ran);
// The same of a made-up sample against the strict path on this machine, for a package that has no self-check.
// ST_RESOURCE: plan and strict path would take more than `memory` together.
Status self_check_against_strict(const Graph *graph, Executable *executable, double amplitude, int threads,
                                 uint64_t memory, double budget, double *rms);
// Makes the sample and its expected outputs. `graph` is as imported, with the sample's shapes; `optimised` the same
// after passes, as a package of it is run. Where it would take more memory, or minutes, *out is empty and `why` says
// so.
typedef struct SelfCheckOptions {
    int threads;                 // fixes no bit
    const Tensor *sample;        // NULL: synthetic
    double amplitude;            // of a synthetic one (pipeline_amplitude)
    uint64_t memory;             // bytes that it may take, 0: 768 MiB
    const struct Imported *from; // what the graphs' weights lie in; NULL: not known
} SelfCheckOptions;
Status self_check_make(const Graph *graph, const Graph *optimised, const SelfCheckOptions *options, Arena *arena,
                       SelfCheck *out, Text *why);
bool self_check_takes_too_long(const Plan *plan);
// A smooth random picture in 0..amplitude, seeded by the shape; integers get small counts, bools alternate.
void synthetic_sample(Tensor *tensor, double amplitude);

// Tensors for all inputs or outputs of a graph, in `arena`.
Status make_tensors(const Graph *graph, const ValueId *values, int count, Arena *arena, Tensor **out);

// Tensors from files for all inputs, in their order: "NAME=x.npy", "x.npy", or an .npz whose names are the inputs'.
// items: NULL-terminated.
Status read_inputs(const Graph *graph, const char *const *items, Arena *arena, Tensor **out);
// Free dims of a package that no option fixes take the shapes of the tensors in `files`: common->inputs is set, its
// texts in `arena`.
Status shapes_from_inputs(const char *package, const char *const *files, Arena *arena, stent_options *common);

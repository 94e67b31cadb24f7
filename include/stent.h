/* stent: runs trained medical segmentation networks as fast as this machine allows. The public C interface.
 *
 * Words: a *package* (.stent file) is made from a model file by stent_compile, once, anywhere. stent_open makes it an
 * *executable* on this machine: shapes bound, layers planned, weights prepared. A *session* runs it.
 *
 *     stent_executable *net;
 *     stent_session *session;
 *     if (stent_open("net.stent", NULL, &net) || stent_session_create(net, &session)) puts(stent_message());
 *     stent_run(session, inputs, 1, outputs, 1);
 *     stent_session_destroy(session);
 *     stent_release(net);
 *
 * Every function returns a stent_status; on anything but STENT_OK stent_message() says why in one line, for the calling
 * thread, until its next call. Handles are opaque; who creates one gives it back. An executable may be shared by threads;
 * a session is used by one thread at a time. Nothing is sent anywhere. Strings are UTF-8 and copied.
 *
 * Option structs begin with their size: set it with STENT_OPTIONS (that of a `common` inside another struct is not
 * looked at). Fields that a newer library knows are zero for older callers; a newer caller who sets what this library
 * does not know gets STENT_USAGE.
 */
#ifndef STENT_H
#define STENT_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif
#if defined(__GNUC__)
#define STENT_API __attribute__((visibility("default")))
#else
#define STENT_API
#endif
#define STENT_ABI 1

/* The numbers are the program's exit status. */
typedef enum stent_status {
    STENT_OK = 0,
    STENT_NO = 1,          /* done, and the answer is no: verify differs, --gate failed */
    STENT_USAGE = 2,       /* wrong arguments */
    STENT_BAD = 3,         /* bad or damaged input */
    STENT_UNSUPPORTED = 4, /* well-formed, but an op or feature is not had (the message names it) */
    STENT_RESOURCE = 5,    /* no memory, no disk, no permission */
    STENT_CANCELLED = 6    /* the progress callback said so */
} stent_status;

STENT_API const char *stent_version(void);
STENT_API int stent_abi(void);
STENT_API const char *stent_message(void); /* of the last call of this thread; "" after success */
/* Lines for the person at the terminal go to this function instead of stderr; level 1: notes, 2: verbose. NULL: stderr.
 * shown: the highest level that is passed on (0: none). Set before other calls. */
typedef void stent_log_sink(void *context, int level, const char *line);
STENT_API void stent_log(stent_log_sink *sink, void *context, int shown);

/* Called now and then by long calls: `done` of `total` (0: unknown) of `stage`. Anything but 0 stops the call, which then
 * returns STENT_CANCELLED and leaves nothing half-written. */
typedef int stent_progress(void *context, const char *stage, double done, double total);
/* Removes what running calls of this process have half-written. Safe in a signal handler that then ends the process. */
STENT_API void stent_remove_unfinished(void);

/* Arguments that most verbs take. NULL instead of a pointer to options: all defaults. */
typedef struct stent_options {
    size_t size;
    int threads;                  /* 0: STENT_THREADS, else the physical cores that the process may use */
    const char *const *inputs;    /* "NAME=1x3x256x256" or "1x3x256x256": fixes free dims; NULL-terminated list or NULL */
    const char *precision;        /* NULL: the package's; "strict", "fp32", "bf16": no less exact than the package's */
    bool untuned;                 /* ignore stored plans */
    uint64_t max_memory;          /* bytes; 0: the machine's. Slower ways that need less are taken, first
                                   * those that keep every bit; STENT_RESOURCE when the least is
                                   * more. stent_compile: for making the self-check, 0: 768 MiB */
    const char *log_file;         /* lines of the run are added here; no picture's name, only hashes */
    bool log_paths;               /* in log_file also paths of files and messages, which may name a patient */
    stent_progress *progress;
    void *progress_context;
    const char *arch;             /* of a model file (stent_compile, stent_info, stent_verify's `against`): graph text of
                                   * the network that a file of weights belongs to; NULL: what the file says */
    const char *signature;        /* of a model file: of a SavedModel or a TensorFlow Lite file; NULL: the usual one */
    uint64_t reserved[6];         /* zero; room for fields to come: structs that hold this one keep their layout */
} stent_options;
#define STENT_OPTIONS(type) ((type){.size = sizeof(type)})

/* What a verb found: a text for people and one JSON object (keys: docs/INTERFACE.md). Given back with stent_result_free.
 * Verbs set *result also when they return STENT_NO. */
typedef struct stent_result stent_result;
STENT_API const char *stent_result_text(const stent_result *result);
STENT_API const char *stent_result_json(const stent_result *result);
STENT_API void stent_result_free(stent_result *result); /* NULL is fine */

/* compile: a model file to a package. */
typedef struct stent_compile_options {
    size_t size;
    stent_options common;
    const char *const *bind;  /* "NAME=x.npy": that input becomes a constant; NULL-terminated or NULL */
    int opt_level;            /* 0..3; -1: 3 */
    const char *pipeline;     /* path of a pipeline file; NULL: what the model says */
    const char *sample;       /* .npy with a sample for the self-check; NULL: a synthetic one */
    void (*emit_graph)(void *context, const char *pass, const char *text); /* the graph after each pass; NULL: none */
    void *emit_context;
    /* common.precision: what the package permits, "fp32" (NULL) or "strict"; or "bf16", which has to pass a gate: the masks
     * of at least 10 pictures with a mask, found below the folder `calibrate`, lose at most max_dice_loss of their Dice
     * against those of fp32, all together and the worst by itself. Else STENT_NO, and there is no package. */
    const char *calibrate;
    double max_dice_loss; /* 0: 0.001; negative: none at all */
    bool no_gate;         /* instead of calibrate, for measuring only: the package tells of it */
    double race;          /* seconds, about, for a race of what wisdom holds for the best against the untuned plan; the
                           * winner is stored as by stent_tune. 0: none */
} stent_compile_options;
STENT_API stent_status stent_compile(const char *model, const char *package, const stent_compile_options *options,
                                     stent_result **result);

/* info: what a model file or a package holds, and what running it will need. machine: what this machine is;
 * measure: also its peak FLOP/s and bandwidth. */
STENT_API stent_status stent_info(const char *path, const stent_options *options, stent_result **result);
STENT_API stent_status stent_machine(bool measure, const stent_options *options, stent_result **result);

/* Running a network on tensors of the caller. */
typedef enum stent_dtype {
    STENT_FLOAT32 = 1, STENT_FLOAT64, STENT_FLOAT16, STENT_BFLOAT16, STENT_INT8, STENT_INT16, STENT_INT32, STENT_INT64,
    STENT_UINT8, STENT_UINT16, STENT_UINT32, STENT_UINT64, STENT_BOOL
} stent_dtype;
enum { STENT_MAX_RANK = 8 };
typedef struct stent_tensor {
    stent_dtype dtype;
    int rank;
    int64_t dim[STENT_MAX_RANK];
    void *data; /* dense, row-major, the caller's */
} stent_tensor;
typedef struct stent_executable stent_executable;
typedef struct stent_session stent_session;
/* Opens a package: binds its shapes, plans, prepares weights, and runs the package's self-check once for a new plan on
 * this machine. A model file is refused (STENT_BAD): compile it first. */
STENT_API stent_status stent_open(const char *package, const stent_options *options, stent_executable **out);
STENT_API void stent_release(stent_executable *executable); /* sessions made from it stay valid */
STENT_API int stent_input_count(const stent_executable *executable);
STENT_API int stent_output_count(const stent_executable *executable);
/* Name, dtype and shape of input or output i (data NULL); the name lives as long as the executable. NULL: no such i. */
STENT_API const char *stent_input(const stent_executable *executable, int i, stent_tensor *out);
STENT_API const char *stent_output(const stent_executable *executable, int i, stent_tensor *out);
STENT_API stent_status stent_session_create(stent_executable *executable, stent_session **out);
STENT_API void stent_session_destroy(stent_session *session);
/* inputs and outputs in the order of stent_input and stent_output; shapes as there; outputs are written in place. */
STENT_API stent_status stent_run(stent_session *session, const stent_tensor *inputs, int n_inputs, stent_tensor *outputs,
                                 int n_outputs);

/* run: .npy/.npz files in and out. */
typedef struct stent_run_options {
    size_t size;
    stent_options common;      /* common.inputs: shapes */
    const char *const *inputs; /* "NAME=x.npy" or "x.npy"; NULL-terminated */
    const char *output;        /* .npy, or .npz for several outputs */
    bool reference;            /* by the reference, on one thread */
} stent_run_options;
STENT_API stent_status stent_run_files(const char *package, const stent_run_options *options, stent_result **result);

/* bench: latencies of input tensor to output tensor. */
typedef struct stent_bench_options {
    size_t size;
    stent_options common;
    int repeat;          /* runs; 0: by time */
    double seconds;      /* 0: 3 */
    bool list;           /* each run in the text, and what the system saw in those that took longer */
    const char *versus;  /* another package: paired, interleaved */
    bool gate;           /* with versus: STENT_NO when slower */
    const char *input, *expect; /* .npy; NULL: the self-check's sample */
} stent_bench_options;
STENT_API stent_status stent_bench(const char *package, const stent_bench_options *options, stent_result **result);
/* Side-by-side measuring by another program: writes "ready MAXABSERR VERSION", then for every line "run N" read from
 * `in` one line to `out`: a JSON list of N latencies in ms. Sleeps while it waits. Ends at end of input. */
STENT_API stent_status stent_bench_lockstep(const char *package, const stent_bench_options *options, FILE *in, FILE *out);

/* tune: chooses by measuring. The plan that wins a race against the one that stands, beyond the noise and with its
 * self-check passed, goes to the user's data folder, where it is found whenever the package is opened; else nothing
 * changes. It stands for the package's content, this kind of machine, shapes, precision and number of threads. */
typedef struct stent_tune_options {
    size_t size;
    stent_options common;
    double seconds;    /* 0: 60 */
    int trials;        /* configurations measured a layer; 0: as many as there is time for */
    int early_stop;    /* ends a layer's trials after so many without a better one; 0: never */
    const char *tuner; /* NULL: "model"; "xgb", "ga", "random", "grid" (docs/TUNING.md) */
    const char *layer; /* only this one; NULL: all */
    bool list;         /* the layers and the number of their configurations; measures nothing */
    uint64_t seed;     /* of "random" */
    const char *wisdom; /* file; NULL: STENT_WISDOM, else the user's */
    bool resume;        /* what wisdom says of this machine is not measured again */
    const char *output; /* a copy of the package that carries the plan that stands afterwards, if that is a tuned one */
} stent_tune_options;
STENT_API stent_status stent_tune(const char *package, const stent_tune_options *options, stent_result **result);

/* wisdom: what was measured on this and other machines; it orders what tune tries. action: "list" (files: of them;
 * none: of the wisdom), "merge" (adds the lines of files that it has not), "export" (to `output`, without damaged and
 * double lines), "forget" (`which`: "all", or "others", what other machines measured). */
typedef struct stent_wisdom_options {
    size_t size;
    stent_options common;
    const char *wisdom; /* file; NULL: STENT_WISDOM, else the user's */
    const char *output; /* of export */
    const char *which;  /* of forget */
} stent_wisdom_options;
STENT_API stent_status stent_wisdom(const char *action, const char *const *files, int n_files,
                                    const stent_wisdom_options *options, stent_result **result);

/* profile: layer by layer. */
typedef struct stent_profile_options {
    size_t size;
    stent_options common;
    int repeat;         /* 0: 10 */
    const char *trace;  /* Chrome trace file to write, or NULL */
    const char *versus; /* another package, measured in turn; or a file with an earlier result's JSON; or NULL */
} stent_profile_options;
STENT_API stent_status stent_profile(const char *package, const stent_profile_options *options, stent_result **result);

/* verify: against the built-in self-check and the reference, another model, or given tensors. STENT_NO: it differs. */
typedef struct stent_verify_options {
    size_t size;
    stent_options common;
    const char *against;        /* a model file */
    const char *input, *expect; /* .npy */
    double atol, rtol;          /* with expect; 0, 0: the precision's budget */
    bool layers;                /* who deviates first */
    const char *protocol;       /* file for a page (HTML) of what was found, to be signed; also for STENT_NO. NULL: none */
} stent_verify_options;
STENT_API stent_status stent_verify(const char *package, const stent_verify_options *options, stent_result **result);

/* segment: pictures in, masks out (DIR/<folder as under PATH>/<stem>.png), results in DIR/results.json. STENT_BAD when a
 * picture could not be read; the others are done then, and *result tells of them. */
typedef struct stent_segment_options {
    size_t size;
    stent_options common;
    const char *output;   /* folder */
    const char *format;   /* "png" (default) or "tif" */
    bool overlay, prob;
    double threshold;     /* negative: the pipeline's */
    int shard, shards;    /* shard of shards, from 1; 0: all */
    bool resume;
} stent_segment_options;
STENT_API stent_status stent_segment(const char *package, const char *const *paths, int n_paths,
                                     const stent_segment_options *options, stent_result **result);

/* eval: masks against truth, over a data set: a folder of patients' folders with X.tif and X_mask.tif (kaggle_3m), two
 * folders paired by name, nnU-Net's raw layout (PNG, TIFF), or a CSV of pairs. paths: the data set; with `merge`, case files
 * of earlier runs. STENT_BAD when the data set had faults: each one is named, the other cases are evaluated, and *result
 * tells of all. Memory does not grow with the number of cases beyond their names. */
typedef struct stent_eval_options {
    size_t size;
    stent_options common;     /* common.arch and signature: of a model file to compare with */
    const char *masks;        /* folder of masks, where the data set is a folder of pictures alone */
    const char *csv;          /* a row a case, to write; or NULL */
    const char *cases;        /* case file, a line a case as it comes; NULL: none, or with resume, shards or report one
                               * beside what is written */
    bool resume;              /* what stands in the case file is not run again */
    bool merge;
    int shard, shards;        /* shard of shards, from 1; 0: all */
    double threshold;         /* negative: the pipeline's */
    const char *compare;      /* another package, or a model file (compiled in memory, run in "strict") */
    const char *split, *part; /* file of patients and their parts; "train", "validation" or "test": only these */
    const char *make_split;   /* such a file to write; evaluates nothing; `package` may be NULL */
    double fractions[3];      /* of train, validation, test, in any unit; all 0: 64, 16, 20 */
    uint64_t seed;            /* of make_split and of the intervals */
    int bootstrap;            /* resamples of the 95 % intervals over patients; 0: 2000; negative: no intervals */
    int slices;               /* so many of each patient as pictures in the result's JSON; 0: with report 3, else none;
                               * negative: none */
    const char *report;       /* HTML file to write, or NULL */
} stent_eval_options;
STENT_API stent_status stent_eval(const char *package, const char *const *paths, int n_paths,
                                  const stent_eval_options *options, stent_result **result);

/* report: one self-contained page (HTML) from what verbs printed with --json, or from pages of sections
 * (docs/FORMATS.md). STENT_BAD: damaged, or no result; STENT_UNSUPPORTED: of a verb that is not drawn. */
typedef struct stent_report_options {
    size_t size;
    stent_options common;
    const char *output; /* the page; NULL: none */
    const char *csv;    /* the tables, a value a line; NULL: none. One of both is needed */
    const char *title;  /* NULL: the answer in one line, or the page's own */
} stent_report_options;
STENT_API stent_status stent_report(const char *const *results, int n_results, const stent_report_options *options,
                                    stent_result **result);

/* demo: the whole story on the data in `data` (examples/phantom): compile, segment, verify, a table and pictures in
 * `output`. NULL: the built-in data, which is unpacked to output/phantom; "demo-out". */
STENT_API stent_status stent_demo(const char *data, const char *output, const stent_options *options, stent_result **result);

#ifdef __cplusplus
}
#endif
#endif

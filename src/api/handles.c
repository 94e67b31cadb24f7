// stent.h's handles: executables and sessions on tensors of the caller. The verbs stand in src/app, one file each.
#include "app/app.h"
#include "base/file.h"
#include "base/log.h"
#include <assert.h>
#include <stdatomic.h>
#include <string.h>

// The numbers of the public enums are the internal ones.
static_assert((int)STENT_OK == ST_OK && (int)STENT_NO == ST_NO && (int)STENT_USAGE == ST_USAGE &&
                  (int)STENT_BAD == ST_BAD && (int)STENT_UNSUPPORTED == ST_UNSUPPORTED &&
                  (int)STENT_RESOURCE == ST_RESOURCE && (int)STENT_CANCELLED == ST_CANCELLED,
              "stent_status mirrors Status");
static_assert((int)STENT_FLOAT32 == DT_F32 && (int)STENT_BFLOAT16 == DT_BF16 && (int)STENT_INT64 == DT_I64 &&
                  (int)STENT_BOOL == DT_BOOL && (int)STENT_MAX_RANK == MAX_RANK,
              "stent_dtype mirrors DType");

const char *stent_version(void) { return STENT_VERSION; }
int stent_abi(void) { return STENT_ABI; }
const char *stent_message(void) { return error_message(); }
void stent_remove_unfinished(void) { atomic_cleanup(); }

static stent_log_sink *log_sink;
static void log_forward(void *context, LogLevel level, const char *line) {
    log_sink(context, level == LOG_VERBOSE ? 2 : 1, line);
}
void stent_log(stent_log_sink *sink, void *context, int shown) {
    log_sink = sink;
    log_set(sink ? log_forward : NULL, context, shown <= 0 ? LOG_QUIET : shown == 1 ? LOG_NOTE : LOG_VERBOSE);
}

struct stent_executable {
    Opened opened;
    atomic_int users; // the caller and its sessions
};
struct stent_session {
    stent_executable *executable;
    Session *session;
    Tensor *inputs, *outputs;
};

stent_status stent_open(const char *package, const stent_options *given, stent_executable **out) {
    stent_options options = *common_options(NULL);
    error_clear();
    *out = NULL;
    Status status = options_take(given, sizeof options, &options);
    if (status == ST_OK) status = options_check_common(&options);
    if (status != ST_OK) return (stent_status)status;
    stent_executable *executable = mem_zero(1, sizeof *executable);
    if (!executable) return (stent_status)fail_memory(sizeof *executable);
    executable->users = 1;
    status = open_package(package, &options, 0, &executable->opened);
    if (status == ST_OK) *out = executable;
    else mem_free(executable);
    return (stent_status)status;
}
void stent_release(stent_executable *executable) {
    if (!executable || atomic_fetch_sub(&executable->users, 1) != 1) return;
    close_package(&executable->opened);
    mem_free(executable);
}
static const Graph *graph_of(const stent_executable *executable) { return executable->opened.package->graph; }
int stent_input_count(const stent_executable *executable) { return graph_of(executable)->n_inputs; }
int stent_output_count(const stent_executable *executable) { return graph_of(executable)->n_outputs; }

static const char *describe(const Graph *graph, ValueId id, stent_tensor *out) {
    const Value *value = &graph->values[id];
    const Shape shape = type_shape(&value->type);
    *out = (stent_tensor){.dtype = (stent_dtype)value->type.dtype, .rank = shape.rank};
    memcpy(out->dim, shape.dim, sizeof out->dim);
    return value->name;
}
const char *stent_input(const stent_executable *executable, int i, stent_tensor *out) {
    if (i < 0 || i >= graph_of(executable)->n_inputs) return NULL;
    return describe(graph_of(executable), graph_of(executable)->inputs[i], out);
}
const char *stent_output(const stent_executable *executable, int i, stent_tensor *out) {
    if (i < 0 || i >= graph_of(executable)->n_outputs) return NULL;
    return describe(graph_of(executable), graph_of(executable)->outputs[i], out);
}

stent_status stent_session_create(stent_executable *executable, stent_session **out) {
    error_clear();
    *out = NULL;
    const Graph *graph = graph_of(executable);
    stent_session *session = mem_zero(1, sizeof *session);
    if (!session) return (stent_status)fail_memory(sizeof *session);
    session->executable = executable;
    atomic_fetch_add(&executable->users, 1);
    session->inputs = mem_zero((size_t)graph->n_inputs + 1, sizeof(Tensor));
    session->outputs = mem_zero((size_t)graph->n_outputs + 1, sizeof(Tensor));
    Status status = session->inputs && session->outputs
                        ? session_create(executable->opened.executable, &session->session)
                        : fail_memory(sizeof(Tensor));
    if (status == ST_OK) *out = session;
    else stent_session_destroy(session);
    return (stent_status)status;
}
void stent_session_destroy(stent_session *session) {
    if (!session) return;
    session_destroy(session->session);
    mem_free(session->inputs);
    mem_free(session->outputs);
    stent_release(session->executable);
    mem_free(session);
}
static Status take(const stent_tensor *given, int count, int expected, const char *what, Tensor *out) {
    FAIL_IF(count != expected, ST_USAGE, "expected %d %s, got %d", expected, what, count);
    for (int i = 0; i < count; i++) {
        FAIL_IF(given[i].rank < 0 || given[i].rank > MAX_RANK || !given[i].data, ST_USAGE,
                "%s %d: no data, or a rank beyond 0 to %d", what, i, MAX_RANK);
        out[i] = (Tensor){(DType)given[i].dtype, shape_of(given[i].rank, given[i].dim), given[i].data};
    }
    return ST_OK;
}
stent_status stent_run(stent_session *session, const stent_tensor *inputs, int n_inputs, stent_tensor *outputs,
                       int n_outputs) {
    const Graph *graph = graph_of(session->executable);
    error_clear();
    Status status = take(inputs, n_inputs, graph->n_inputs, "inputs", session->inputs);
    if (status == ST_OK) status = take(outputs, n_outputs, graph->n_outputs, "outputs", session->outputs);
    if (status == ST_OK) status = session_run(session->session, session->inputs, session->outputs);
    return (stent_status)status;
}

// Executable: a plan with prepared weights, immutable, counted, shared by sessions. Session: an executable with an
// arena and a pool of threads; runs, used by one thread at a time.
#pragma once
#include "base/file.h"
#include "plan/plan.h"
#include "thread/pool.h"

typedef struct Executable Executable;
// Takes the plan over (also on failure) and prepares the weights on `pool`. Constants of the graph are read here for
// the last time, except by steps on the reference path. plain: NULL, or where the plain weights lie in a file, which
// must stay mapped as long as the executable lives: their pages are given back on the way, and ST_BAD comes back when
// the file was cut short meanwhile, here or in a later run.
typedef struct PlainWeights {
    const Mapping *file;
    const void *from;
    size_t bytes;
} PlainWeights;
Status executable_create(Plan *plan, Pool *pool, const PlainWeights *plain, Executable **out);
// The same where another executable of the graph is at hand: weights that a step of it has prepared alike are copied.
Status executable_create_like(Plan *plan, Pool *pool, const PlainWeights *plain, const Executable *like,
                              Executable **out);
size_t executable_copied_bytes(const Executable *executable); // of the prepared weights
size_t executable_weights_bytes(const Executable *executable);
Executable *executable_share(Executable *executable);
void executable_release(Executable *executable); // NULL is fine; the last one frees plan and weights
const Plan *executable_plan(const Executable *executable);

// Where a run says that its fast ways may have lost values (run_note_lost), its sessions repeat it with a plan of direct
// sums. That one is made and its weights are prepared when it is first needed, on the session's threads, and shared from
// then on. Not called, or strict already: such results stay as they are. Called before sessions are made.
void executable_allow_strict(Executable *executable, const Machine *machine, const PlanOptions *options);

typedef struct Session Session;
// threads workers of its own; the plan must have been made for as many.
Status session_create(Executable *executable, Session **out);
void session_destroy(Session *session);
// inputs and outputs: one tensor for each of the graph's, dtype and shape as in the plan, data of the caller. Outputs
// are written in place, and may not overlap inputs. No allocation, no file, no lock while it runs, unless a step is on the
// reference path, or a run is repeated in strict for the first time.
Status session_run(Session *session, const Tensor *inputs, Tensor *outputs);
// How many of the runs so far were repeated in strict.
int64_t session_repeats(const Session *session);
// As session_run; to times[step] is added what each step took (plan->n_steps entries).
Status session_profile(Session *session, const Tensor *inputs, Tensor *outputs, StepTime *times);

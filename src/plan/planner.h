// What the files of this folder share: regions and the forms of values while a plan is made.
#pragma once
#include "plan/plan.h"
#include "solver/reference.h"

// One way in which a value lies in memory.
typedef struct Form {
    ValueId value;
    Shape shape;
    DType dtype;
    LayoutKind kind;
    int block;
    int64_t before[AXES], after[AXES]; // what consumers need; the largest over a whole concatenation counts
    int parent;            // the form that this is a part of (a concatenation, a reshaped tensor), or -1
    int64_t parent_block;  // BLOCKED part: its first channel block there
    int external;          // index of the caller's buffer (graph inputs, then outputs), or -1
    bool constant;         // in the weights
    bool halved;           // lies as bfloat16
    bool ready;            // a region makes it; else one will when its concatenation runs, or when it is asked for
    int first, last;       // life, in regions; first -1: not made yet
    Layout layout;         // final
    Ref ref;               // final: origin, or first element
    size_t offset;         // of a root's buffer in the arena
} Form;

typedef struct Region {
    Problem problem;
    const Solver *solver;
    Configuration configuration;
    double cycles, error;  // error: foreseen of the whole network's, by this region alone
    const char *name, *op, *why;
    ValueId in_value[PROBLEM_INPUTS], out_value[PROBLEM_OUTPUTS];
    Need need;
    int in_form[PROBLEM_INPUTS], out_form[PROBLEM_OUTPUTS];
    int anchor;            // index of the node that the region began with
    int order;             // index of the last node that it absorbed: regions run in this order
    int beside[3];         // nodes that make out_value[1]: a pool, or a normalisation, its function and a pool
    int n_beside;
    struct Region *apart; // with these taken in: the region without them
    // Regions without work of their own.
    const Node *concat;    // forms of its inputs become parts of its output's
    const Node *alias;     // reshape: the output is the input's memory
    // Reference path and copies with many operands.
    const Node *node;
    int *node_in_form, *node_out_form;
    size_t temporary;
    size_t temporary_offset;
    bool in_place; // out[0] has the memory of in[0]
} Region;

// How memory is weighed against time (problem.h).
typedef struct MemoryPrice {
    double byte;
    bool arithmetic;
} MemoryPrice;

typedef struct Planner {
    const Graph *graph;
    const Machine *machine;
    const Kernels *kernels;
    PlanOptions options;
    MemoryPrice price;
    Arena *arena;          // the plan's
    Region **regions;      // in order of execution once chosen
    int n_regions, regions_capacity;
    Form *forms;
    int n_forms, forms_capacity;
    int *primary;          // (values) the form that the producer makes, or -1
    int *user;             // (values) index of the last node that uses it, or -1
    int *uses;             // (values) by nodes, and one for each graph output
    int *absorbed_by;      // (nodes) the anchor node whose region took this node in, or -1
} Planner;

// translate*.c: the region of a node (index in the graph), with what it absorbs; appended to planner->regions.
Status translate_node(Planner *planner, int index);
// Node to copies: a list of (input, copies) regions. `done` false when the op is not a copy.
Status translate_copy(Planner *planner, int index, bool *done);
// A region at the end of planner->regions, with neutral geometry.
Status region_add(Planner *planner, const char *name, const char *op, int order, Region **out);
Status region_reference(Planner *planner, const Node *node, int order, const char *why);
const Shape *value_shape(const Planner *planner, ValueId value, Shape *room);
bool value_is_float(const Planner *planner, ValueId value);

// resize.c: tap tables of a Resize node with static shapes. `done` false when no separable form exists.
Status resize_taps(const Graph *graph, const Node *node, Arena *arena, AxisTaps taps[AXES], bool *done);

// forms.c
Status form_add(Planner *planner, ValueId value, LayoutKind kind, int block, int *out);
// shape: as it is laid out (BLOCKED only: leading dims of 1 may have been put in front for broadcasting). -1: none.
int form_find(const Planner *planner, ValueId value, LayoutKind kind, int block, const Shape *shape);
int form_root(const Planner *planner, int form);
void form_use(Planner *planner, int form, int region); // the form is alive while region number `region` runs
void forms_share(Planner *planner);                    // outputs in the memory of inputs, once every use is known
void forms_halve(Planner *planner);                    // which lie as bfloat16, in that precision
Status forms_layout(Planner *planner);                      // borders and layouts, once every use is known
Status forms_place(Planner *planner, size_t *arena_bytes);  // offsets and refs (constants have theirs)

// choose.c: solver, configuration and form of the output for a region whose operands have theirs; takes or undoes
// the absorbed pool.
Status region_append_op(Planner *planner, Region *region, const char *op); // "Conv" becomes "Conv + Relu"
Status region_choose(Planner *planner, Region *region);
double region_pool_cycles(const Planner *planner, const Region *region); // of an absorbed pool as a step of its own
// Of the best way for the usual problem (solver_usual), whatever number of threads the plan is for; 0: there is none.
double usual_cycles(const Planner *planner, const Problem *problem);
Status region_release_pool(Planner *planner, Region *region);
// budget.c: makes chosen regions more exact until the foreseen error of the network, *foreseen, is within the budget.
Status keep_budget(Planner *planner, double *foreseen);
// translate_copy.c: the regions of a Concat whose parts could not be laid out together.
Status translate_concat_copies(Planner *planner, const Node *node, int order);

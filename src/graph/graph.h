// The graph: a network as typed ops over tensors in SSA form.
//
// A value is made once: by a node, as a graph input, or as a constant. Nodes stand in topological order. Operators
// have the meaning of ONNX's newest opset (older forms are rewritten by the importer): what ONNX takes as an input
// (axes, pads, sizes ...) is an input here too, mostly a constant. Text form: print.c, parse.c, docs/FORMATS.md.
#pragma once
#include "tensor/tensor.h"

typedef enum Op {
    OP_NONE,
#define OP(name, min_in, max_in, min_out, max_out, kind, attributes, doc) OP_##name,
#include "graph/ops.def"
#undef OP
    OP_COUNT
} Op;

typedef enum OpKind {
    KIND_UNARY,   // elementwise, one input, same shape
    KIND_BINARY,  // elementwise with numpy broadcasting
    KIND_COMPARE, // as binary, gives bool
    KIND_LOGICAL, // bool in, bool out
    KIND_CONV,    // anchors with weights
    KIND_POOL,
    KIND_NORM,
    KIND_REDUCE,
    KIND_SHAPE, // moves or describes data
    KIND_OTHER
} OpKind;

typedef struct OpInfo {
    const char *name;
    int min_inputs, max_inputs; // max -1: any number
    int min_outputs, max_outputs;
    OpKind kind;
    const char *attributes; // "name:type=default ..." see ops.def
    const char *doc;
} OpInfo;
const OpInfo *op_info(Op op);
Op op_from_name(const char *name); // OP_NONE when unknown

// A dim: known when >= 0; DIM_UNKNOWN; or a symbol (dim <= DIM_SYMBOL_0), number DIM_SYMBOL_0 - dim in graph->symbols.
enum { DIM_UNKNOWN = -1, DIM_SYMBOL_0 = -2 };
typedef struct Type {
    DType dtype; // DT_NONE: not known yet
    int rank;    // -1: not known yet
    int64_t dim[MAX_RANK];
} Type;
bool type_is_static(const Type *type); // dtype, rank and all dims known
Shape type_shape(const Type *type);    // of a static type
Type type_make(DType dtype, const Shape *shape);
bool type_equal(const Type *a, const Type *b);

typedef int32_t ValueId;
enum { NO_VALUE = -1 }; // an optional input that is absent

typedef enum AttrType { ATTR_INT, ATTR_FLOAT, ATTR_STRING, ATTR_INTS, ATTR_FLOATS, ATTR_STRINGS, ATTR_TENSOR } AttrType;
typedef struct Attr {
    const char *name;
    AttrType type;
    int64_t i;
    double f;
    const char *s;
    const int64_t *ints;
    const double *floats;
    const char **strings;
    size_t count; // of ints, floats, strings
    Tensor tensor;
} Attr;

typedef struct Node {
    Op op;
    const char *name; // of the source model; may be ""
    ValueId *inputs;  // NO_VALUE: absent
    ValueId *outputs; // NO_VALUE: not wanted
    int n_inputs, n_outputs;
    Attr *attrs;
    int n_attrs;
    bool dead; // removed; graph_compact drops it
} Node;

typedef struct Value {
    const char *name; // unique, not empty; the source model's own
    Type type;
    Node *producer;         // NULL for inputs and constants
    const Tensor *constant; // NULL unless one; data lives in the graph's arena or in what the graph was made from
    bool is_input;
} Value;

// Private to index.c: names to ids, so that a lookup does not depend on how many there are.
typedef struct NameSlot NameSlot;
typedef struct NameIndex {
    NameSlot *slots;
    uint32_t n_slots, used;
} NameIndex;

typedef struct Graph {
    Arena arena; // owns everything below but constants' data that lies in a mapping
    const char *name;
    Value *values;
    int n_values, values_capacity;
    Node **nodes;
    int n_nodes, nodes_capacity;
    ValueId *inputs, *outputs;
    int n_inputs, n_outputs;
    const char **symbols; // names of symbolic dims
    int n_symbols;
    NameIndex value_index, symbol_index; // private
    int inputs_capacity, outputs_capacity, symbols_capacity;
    int64_t folded_bytes; // what constant folding has made of it, and taken for that: it has a budget a graph
    double folded_flop;
} Graph;

// Limits: at most 1e6 values and nodes, 1024 inputs or outputs a node, 256 attributes a node, 65536 symbols, inputs
// or outputs of the graph; names of at most 65535 bytes. What goes beyond is ST_BAD.
// graph->values moves when a value is added: hold ValueIds, not pointers. Ids never change (nor do they in a copy).
Status graph_create(Graph **out);
void graph_free(Graph *graph);                      // NULL is fine
Status graph_copy(const Graph *graph, Graph **out); // constants' data is shared, not copied

// Building. Names are copied; an empty or taken name gets a fresh one ("name.1").
Status graph_add_value(Graph *graph, const char *name, const Type *type, ValueId *out);
Status graph_add_input(Graph *graph, const char *name, const Type *type, ValueId *out);
Status graph_add_output(Graph *graph, ValueId value);
Status graph_add_constant(Graph *graph, const char *name, const Tensor *tensor, ValueId *out); // data is not copied
Status graph_symbol(Graph *graph, const char *name, int64_t *dim); // the dim of that symbol, made at need
// Inputs and outputs are copied. at: index in graph->nodes to insert before, or -1 for the end. Sets producers.
Status graph_add_node(Graph *graph, Op op, const char *name, const ValueId *inputs, int n_inputs,
                      const ValueId *outputs, int n_outputs, int at, Node **out);
// The value (a graph input or a node's output) becomes a constant and keeps its id and name: folding, --bind.
// Data is not copied. A node that has no output left is killed.
Status graph_set_constant(Graph *graph, ValueId value, const Tensor *tensor);
Status node_set(Graph *graph, Node *node, const Attr *attr); // copied; replaces one of the same name
Status node_set_int(Graph *graph, Node *node, const char *name, int64_t value);
Status node_set_float(Graph *graph, Node *node, const char *name, double value);
Status node_set_ints(Graph *graph, Node *node, const char *name, const int64_t *values, size_t count);
Status node_set_string(Graph *graph, Node *node, const char *name, const char *value);

// Reading. node_ints gives the count (0 when absent) and sets *values.
const Attr *node_attr(const Node *node, const char *name); // NULL when absent
int64_t node_int(const Node *node, const char *name, int64_t otherwise);
double node_float(const Node *node, const char *name, double otherwise);
const char *node_string(const Node *node, const char *name, const char *otherwise);
size_t node_ints(const Node *node, const char *name, const int64_t **values);
static inline bool node_has_input(const Node *node, int i) { return i < node->n_inputs && node->inputs[i] >= 0; }
// The constant behind input i, or NULL.
const Tensor *node_constant(const Graph *graph, const Node *node, int i);
ValueId graph_find(const Graph *graph, const char *name); // NO_VALUE when absent
int graph_uses(const Graph *graph, ValueId value);        // uses by live nodes, plus one for each graph output
int *graph_use_counts(const Graph *graph);                // the same of all values at once; mem_free; NULL: no memory

// Rewriting. Every use of `from` (nodes and graph outputs) becomes `to`. When `from` is a graph output and `to` is
// not an input, a constant or another output, the two values swap names, so that outputs keep theirs. (A pass that
// would replace an output by one of those leaves it alone, or names change for the user.)
void graph_replace(Graph *graph, ValueId from, ValueId to);
void node_kill(Graph *graph, Node *node);
// Drops dead nodes and those that lead to no output, sorts the rest topologically (stable).
// ST_BAD names a value on a cycle.
Status graph_compact(Graph *graph);

// Checks everything that must hold (SSA, order, arity, attribute names and types, dtypes, static shapes against
// inference). Run after import and after each pass.
Status graph_verify(const Graph *graph);

// Shape inference of one node. `constants[i]`: what is known of input i, or NULL. Outputs get what can be said.
// ST_BAD: the inputs do not go together (message names op, node, expected, got); ST_UNSUPPORTED: valid but not had.
Status infer_node(const Node *node, const Type *inputs, const Tensor *const *constants, Type *outputs);
// All nodes in order; types that are known already are checked against the result.
Status graph_infer(Graph *graph);
Status graph_infer_node(Graph *graph, const Node *node); // one node of it
// Gives input `name` the shape (symbols that it names are bound everywhere); forgets all inferred types.
Status graph_bind(Graph *graph, const char *name, const Shape *shape);

// Output size of a sliding window, and its pads, after auto_pad, dilation and ceil_mode. Used by conv and pooling in
// inference, reference and solvers alike. All arrays have `spatial` entries. ConvTranspose has its own.
typedef struct Window {
    int spatial; // 1..3
    int64_t kernel[3], stride[3], dilation[3], pad_begin[3], pad_end[3], input[3], output[3];
    int64_t output_padding[3]; // ConvTranspose only
    int64_t group;             // convolutions
} Window;
// `input`/`weight`: static shapes ((n, c, spatial...) and the weight's or NULL for pooling). ST_BAD when it cannot be.
Status window_of(const Node *node, const Shape *input, const Shape *weight, Window *out);

// Slice along one dim, with ONNX's clamping: the first element and how many. ST_BAD for a step of 0.
Status slice_range(int64_t dim, int64_t start, int64_t end, int64_t step, int64_t *first, int64_t *count);

// Text. graph_print writes constants of up to 64 elements inline, others as "#" + hash64 of the data (such text
// cannot be parsed back, unless all constants are inline: full = true).
Status graph_print(const Graph *graph, bool full, Text *text);
Status graph_parse(const char *text, size_t length, Graph **out);
// The same into an empty graph, which a failure leaves half full.
Status graph_parse_into(const char *text, size_t length, Graph *graph);
// For packages: constants of more than 64 elements stand as "data(OFFSET)", their bytes in `blob`, each at a multiple
// of
// 64. graph_parse_blob checks offsets and sizes and does not read the blob; the graph points into it.
Status graph_print_blob(const Graph *graph, Text *text, Text *blob);
Status graph_parse_blob(const char *text, size_t length, const void *blob, size_t blob_size, Graph **out);
// FLOP of a node with static types: 2 per multiply-add; 1 per element read by a window or a reduction, else written;
// none for moving data. 0 where a type is not static.
double node_flop(const Graph *graph, const Node *node);

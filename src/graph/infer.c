// Shape inference: the table of functions, one node, the whole graph, and binding of symbols.
#include "graph/infer.h"
#include "graph/table.h"
#include <string.h>

static InferFunction *const functions[OP_COUNT] = {
    [OP_Conv] = infer_conv,
    [OP_ConvTranspose] = infer_conv_transpose,
    [OP_MatMul] = infer_matmul,
    [OP_Gemm] = infer_gemm,
    [OP_Einsum] = infer_einsum,
    [OP_MaxPool] = infer_pool,
    [OP_AveragePool] = infer_pool,
    [OP_GlobalAveragePool] = infer_global_pool,
    [OP_GlobalMaxPool] = infer_global_pool,
    [OP_BatchNormalization] = infer_batch_norm,
    [OP_InstanceNormalization] = infer_instance_norm,
    [OP_GroupNormalization] = infer_group_norm,
    [OP_LayerNormalization] = infer_layer_norm,
    [OP_Relu] = infer_same_signed,
    [OP_LeakyRelu] = infer_same_float,
    [OP_PRelu] = infer_prelu,
    [OP_Elu] = infer_same_float,
    [OP_Selu] = infer_same_float,
    [OP_Sigmoid] = infer_same_float,
    [OP_HardSigmoid] = infer_same_float,
    [OP_HardSwish] = infer_same_float,
    [OP_Swish] = infer_same_float,
    [OP_Gelu] = infer_same_float,
    [OP_Mish] = infer_same_float,
    [OP_Tanh] = infer_same_float,
    [OP_Softplus] = infer_same_float,
    [OP_Softsign] = infer_same_float,
    [OP_Exp] = infer_same_float,
    [OP_Log] = infer_same_float,
    [OP_Sqrt] = infer_same_float,
    [OP_Abs] = infer_same_signed,
    [OP_Neg] = infer_same_signed,
    [OP_Sign] = infer_same_signed,
    [OP_Sin] = infer_same_float,
    [OP_Cos] = infer_same_float,
    [OP_Erf] = infer_same_float,
    [OP_Floor] = infer_same_float,
    [OP_Ceil] = infer_same_float,
    [OP_Round] = infer_same_float,
    [OP_Reciprocal] = infer_same_float,
    [OP_Clip] = infer_clip,
    [OP_Cast] = infer_cast,
    [OP_Identity] = infer_same_any,
    [OP_Dropout] = infer_dropout,
    [OP_Not] = infer_not,
    [OP_Add] = infer_arithmetic,
    [OP_Sub] = infer_arithmetic,
    [OP_Mul] = infer_arithmetic,
    [OP_Div] = infer_arithmetic,
    [OP_Pow] = infer_pow,
    [OP_Mod] = infer_mod,
    [OP_Min] = infer_arithmetic,
    [OP_Max] = infer_arithmetic,
    [OP_Equal] = infer_compare,
    [OP_Less] = infer_compare,
    [OP_LessOrEqual] = infer_compare,
    [OP_Greater] = infer_compare,
    [OP_GreaterOrEqual] = infer_compare,
    [OP_And] = infer_logical,
    [OP_Or] = infer_logical,
    [OP_Xor] = infer_logical,
    [OP_Where] = infer_where,
    [OP_Softmax] = infer_softmax,
    [OP_LogSoftmax] = infer_softmax,
    [OP_ReduceMean] = infer_reduce,
    [OP_ReduceSum] = infer_reduce,
    [OP_ReduceMax] = infer_reduce,
    [OP_ReduceMin] = infer_reduce,
    [OP_ReduceProd] = infer_reduce,
    [OP_ReduceL1] = infer_reduce,
    [OP_ReduceL2] = infer_reduce,
    [OP_ArgMax] = infer_arg_max,
    [OP_ArgMin] = infer_arg_max,
    [OP_CumSum] = infer_cum_sum,
    [OP_TopK] = infer_top_k,
    [OP_Concat] = infer_concat,
    [OP_Split] = infer_split,
    [OP_Slice] = infer_slice,
    [OP_Pad] = infer_pad,
    [OP_Resize] = infer_resize,
    [OP_GridSample] = infer_grid_sample,
    [OP_Transpose] = infer_transpose,
    [OP_Reshape] = infer_reshape,
    [OP_Flatten] = infer_flatten,
    [OP_Squeeze] = infer_squeeze,
    [OP_Unsqueeze] = infer_unsqueeze,
    [OP_Expand] = infer_expand,
    [OP_Tile] = infer_tile,
    [OP_Gather] = infer_gather,
    [OP_GatherElements] = infer_gather_elements,
    [OP_GatherND] = infer_gather_nd,
    [OP_ScatterElements] = infer_scatter_elements,
    [OP_ScatterND] = infer_scatter_nd,
    [OP_DepthToSpace] = infer_depth_to_space,
    [OP_SpaceToDepth] = infer_space_to_depth,
    [OP_Shape] = infer_shape_op,
    [OP_Range] = infer_range,
    [OP_ConstantOfShape] = infer_constant_of_shape,
};

// A static output must be a tensor that could exist: its elements' bytes are countable.
static Status check_size(const Type *type) {
    if (!type_is_static(type)) return ST_OK;
    const Shape shape = type_shape(type);
    const int64_t count = shape_count(&shape);
    int64_t bytes;
    FAIL_IF(count < 0 || !mul_i64(count, (int64_t)dtype_size(type->dtype), &bytes), ST_BAD,
            "expected an output that can be addressed, got %s", type_words(type).text);
    return ST_OK;
}

static Status infer_outputs(const Node *node, const Type *inputs, const Tensor *const *constants, Type *outputs) {
    TRY(node_check(node));
    const Infer infer = {.node = node, .in = inputs, .constant = constants, .out = outputs};
    TRY(functions[node->op](&infer));
    for (int i = 0; i < node->n_outputs; i++) TRY(check_size(&outputs[i]));
    return ST_OK;
}

Status infer_node(const Node *node, const Type *inputs, const Tensor *const *constants, Type *outputs) {
    for (int i = 0; i < node->n_outputs; i++) outputs[i] = unknown_type(DT_NONE, -1);
    const Status status = infer_outputs(node, inputs, constants, outputs);
    if (status == ST_OK) return ST_OK;
    const char *op = op_info(node->op)->name;
    return *node->name ? fail_context(status, "%s '%s'", op, node->name) : fail_context(status, "%s", op);
}

// What the value's type says and what was inferred, together.
static Status merge_type(const char *name, Type *type, const Type *inferred) {
    bool clash = type->dtype != DT_NONE && inferred->dtype != DT_NONE && type->dtype != inferred->dtype;
    const bool both = type->rank >= 0 && inferred->rank >= 0;
    clash = clash || (both && type->rank != inferred->rank);
    for (int i = 0; both && !clash && i < type->rank; i++) clash = dims_clash(type->dim[i], inferred->dim[i]);
    FAIL_IF(clash, ST_BAD, "value '%s': expected %s, as it was declared, got %s from shape inference", name,
            type_words(type).text, type_words(inferred).text);
    if (type->dtype == DT_NONE) type->dtype = inferred->dtype;
    if (inferred->rank < 0) return ST_OK;
    for (int i = 0; i < inferred->rank; i++)
        type->dim[i] = type->rank < 0 ? inferred->dim[i] : dim_join(inferred->dim[i], type->dim[i]);
    type->rank = inferred->rank;
    return ST_OK;
}

// Room for one node's types; most nodes have few ports.
typedef struct Ports {
    Type *inputs, *outputs;
    const Tensor **constants;
} Ports;

static void ports_free(Ports *ports) {
    mem_free(ports->inputs);
    mem_free(ports->outputs);
    mem_free(ports->constants);
}

static Status ports_make(const Graph *graph, const Node *node, Ports *ports) {
    const size_t n = (size_t)node->n_inputs + 1, m = (size_t)node->n_outputs + 1;
    *ports = (Ports){mem_zero(n, sizeof(Type)), mem_zero(m, sizeof(Type)), mem_zero(n, sizeof(Tensor *))};
    if (!ports->inputs || !ports->outputs || !ports->constants) return fail_memory((n + m) * sizeof(Type));
    for (int i = 0; i < node->n_inputs; i++) {
        const bool has = node_has_input(node, i);
        ports->inputs[i] = has ? graph->values[node->inputs[i]].type : unknown_type(DT_NONE, -1);
        ports->constants[i] = has ? graph->values[node->inputs[i]].constant : NULL;
    }
    return ST_OK;
}

// Names the node by its first output when it has no name of its own.
static Status name_output(const Graph *graph, const Node *node, Status status) {
    if (*node->name || node->n_outputs == 0 || node->outputs[0] < 0) return status;
    return fail_context(status, "value '%s'", graph->values[node->outputs[0]].name);
}

static Status infer_ports(const Graph *graph, const Node *node, Ports *ports) {
    TRY(ports_make(graph, node, ports));
    const Status status = infer_node(node, ports->inputs, ports->constants, ports->outputs);
    return status == ST_OK ? ST_OK : name_output(graph, node, status);
}

// Merges into the values, or, for `check` only, into copies.
static Status merge_outputs(Graph *graph, const Graph *check, const Node *node, const Ports *ports) {
    for (int i = 0; i < node->n_outputs; i++) {
        if (node->outputs[i] < 0) continue;
        const Value *value = &(graph ? graph : check)->values[node->outputs[i]];
        Type type = value->type;
        TRY(merge_type(value->name, &type, &ports->outputs[i]));
        if (graph) graph->values[node->outputs[i]].type = type;
    }
    return ST_OK;
}

static Status infer_values(Graph *graph, const Graph *check, const Node *node) {
    Ports ports;
    Status status = infer_ports(graph ? graph : check, node, &ports);
    if (status == ST_OK) status = merge_outputs(graph, check, node, &ports);
    ports_free(&ports);
    return status;
}

Status graph_infer_node(Graph *graph, const Node *node) { return infer_values(graph, NULL, node); }
Status graph_check_node(const Graph *graph, const Node *node) { return infer_values(NULL, graph, node); }

Status graph_infer(Graph *graph) {
    for (int i = 0; i < graph->n_nodes; i++)
        if (!graph->nodes[i]->dead) TRY(graph_infer_node(graph, graph->nodes[i]));
    return ST_OK;
}

// The dim of `type` that has the symbol gets the size.
static void bind_symbol(Type *type, int64_t symbol, int64_t size) {
    for (int i = 0; i < type->rank; i++)
        if (type->dim[i] == symbol) type->dim[i] = size;
}

static Status bind_dim(Graph *graph, ValueId input, int axis, int64_t size) {
    const int64_t dim = graph->values[input].type.dim[axis];
    FAIL_IF(size < 0, ST_BAD, "input '%s': dim %d is negative", graph->values[input].name, axis);
    FAIL_IF(dims_clash(dim, size), ST_BAD,
            "input '%s': expected %lld in dim %d (the model or another binding says so), "
            "got %lld",
            graph->values[input].name, (long long)dim, axis, (long long)size);
    if (dim <= DIM_SYMBOL_0)
        for (int i = 0; i < graph->n_inputs; i++) bind_symbol(&graph->values[graph->inputs[i]].type, dim, size);
    graph->values[input].type.dim[axis] = size;
    return ST_OK;
}

Status graph_bind(Graph *graph, const char *name, const Shape *shape) {
    const ValueId input = graph_find(graph, name);
    FAIL_IF(input < 0 || !graph->values[input].is_input, ST_BAD, "the graph has no input '%s'", name);
    Type *type = &graph->values[input].type;
    FAIL_IF(type->rank >= 0 && type->rank != shape->rank, ST_BAD, "input '%s': expected %d dims, got %d", name,
            type->rank, shape->rank);
    FAIL_IF(shape_count(shape) < 0, ST_BAD, "input '%s': the shape is impossible", name);
    if (type->rank < 0) *type = unknown_type(type->dtype, shape->rank);
    for (int i = 0; i < shape->rank; i++) TRY(bind_dim(graph, input, i, shape->dim[i]));
    for (int i = 0; i < graph->n_values; i++)
        if (!graph->values[i].is_input && !graph->values[i].constant) graph->values[i].type = unknown_type(DT_NONE, -1);
    return ST_OK;
}

// Operators that compute: sums, reductions, normalisation, activations.
#include "graph/einsum.h"
#include "import/limits.h"
#include "import/onnx/convert.h"
#include <string.h>

// Puts `behind` dims of 1 behind those of the second input.
static Status append_dims(Call *call, int rank, int behind) {
    int64_t axes[MAX_RANK];
    ValueId inputs[2] = {call->inputs[1], NO_VALUE};
    for (int i = 0; i < behind; i++) axes[i] = rank + i;
    TRY(call_ints(call, "axes", axes, (size_t)behind, &inputs[1]));
    return call_add(call, OP_Unsqueeze, "aligned", inputs, 2, &call->inputs[1], NULL);
}

// Opset 6: the dims of the second operand are those of the first from attribute `axis` on; without it, or later, they
// are the last ones.
Status convert_pair(Call *call) {
    const OnnxAttr *attr;
    const int a = call_type(call, 0)->rank, b = call_type(call, 1)->rank;
    TRY(call_attr(call, "axis", ONNX_ATTR_INT, &attr));
    if (!attr || call->n_inputs != 2) return call_same(call, NULL);
    FAIL_IF(a < 0 || b < 0, ST_UNSUPPORTED, "operands of a rank that is not known here");
    const int64_t axis = attr->i < 0 && attr->i >= -a ? attr->i + a : attr->i;
    FAIL_IF(axis < 0 || axis > a - b, ST_BAD, "attribute 'axis': expected one with %d dims behind it in %d, got %lld",
            b, a, (long long)attr->i);
    if (a - b - axis > 0) TRY(append_dims(call, b, (int)(a - b - axis)));
    return call_same(call, NULL);
}

// Opset 6: a slope for each channel, or one for all.
Status convert_prelu(Call *call) {
    const Type slope = *call_type(call, 1);
    const int rank = call_type(call, 0)->rank;
    if (call->opset < 7 && slope.rank == 1 && slope.dim[0] != 1) {
        FAIL_IF(rank < 0, ST_UNSUPPORTED, "an input of a rank that is not known here");
        if (rank > 2) TRY(append_dims(call, 1, rank - 2));
    }
    return call_same(call, NULL);
}

// Up to opset 12 softmax ran over all dims from `axis` (default 1) on, taken as one.
Status convert_softmax(Call *call) {
    int64_t axis;
    ValueId flat, soft, shape;
    Node *node;
    const Type *type = call_type(call, 0);
    const bool old = call->opset < 13;
    TRY(call_int(call, "axis", old ? 1 : -1, &axis));
    FAIL_IF(call->n_inputs != 1 || !call_has_input(call, 0), ST_BAD, "expected 1 input, got %d", call->n_inputs);
    if (!old || axis == -1 || (type->rank > 0 && axis == type->rank - 1)) {
        TRY(call_last(call, call->op, call->inputs, 1, &node));
        return node_set_int(call->graph, node, "axis", old ? -1 : axis);
    }
    TRY(call_add(call, OP_Flatten, "flat", call->inputs, 1, &flat, &node));
    TRY(node_set_int(call->graph, node, "axis", axis));
    TRY(call_add(call, call->op, "soft", &flat, 1, &soft, &node));
    TRY(node_set_int(call->graph, node, "axis", -1));
    TRY(call_add(call, OP_Shape, "shape", call->inputs, 1, &shape, NULL));
    const ValueId inputs[] = {soft, shape};
    return call_last(call, OP_Reshape, inputs, 2, &node);
}

// Operators of any number of inputs need all of them.
static Status check_all_inputs(const Call *call) {
    FAIL_IF(call->n_inputs == 0, ST_BAD, "expected an input, got none");
    for (int i = 0; i < call->n_inputs; i++) {
        FAIL_IF(call->inputs[i] < 0, ST_BAD, "expected input %d, which is absent", i + 1);
    }
    return ST_OK;
}

// ---- Einsum

static void count_term(const char *term, int by, int uses[256]) {
    for (; *term; term++) uses[(unsigned char)*term] += by;
}

// What of two terms a later one (or the output) needs, each letter once; the ellipsis always.
static Status joined_term(const char *a, const char *b, const int uses[256], char out[EINSUM_TERM]) {
    const char *const both[] = {a, b};
    int length = 0;
    for (int i = 0; i < 2; i++)
        for (const char *c = both[i]; *c; c++) {
            if ((*c != '.' && uses[(unsigned char)*c] == 0) || memchr(out, *c, (size_t)length)) continue;
            FAIL_IF(length == EINSUM_TERM - 1, ST_UNSUPPORTED, "more than %d dims between its inputs", MAX_RANK);
            out[length++] = *c;
        }
    out[length] = 0;
    return ST_OK;
}

static Status set_equation(Call *call, Node *node, const char *a, const char *b, const char *out) {
    const char *const parts[] = {a, b ? "," : "", b ? b : "", "->", out};
    Text text = {0};
    for (size_t i = 0; i < COUNT_OF(parts); i++)
        for (const char *c = parts[i]; *c; c++) text_add(&text, "%s", *c == '.' ? "..." : (const char[]){*c, 0});
    Status status = text_status(&text);
    if (status == ST_OK) status = node_set_string(call->graph, node, "equation", text_get(&text));
    text_free(&text);
    return status;
}

// In steps of two inputs, from the left: "ab,bc,cd->ad" is "ab,bc->ac", then "ac,cd->ad".
static Status einsum_steps(Call *call, char (*terms)[EINSUM_TERM]) {
    int uses[256] = {0};
    Node *node;
    ValueId step, pair[2] = {call->inputs[0]};
    char *left = terms[0];
    for (int i = 1; i <= call->n_inputs; i++) count_term(terms[i], 1, uses);
    for (int i = 1; i < call->n_inputs - 1; i++) {
        char joined[EINSUM_TERM];
        count_term(terms[i], -1, uses);
        TRY(joined_term(left, terms[i], uses, joined));
        pair[1] = call->inputs[i];
        TRY(call_add(call, OP_Einsum, "step", pair, 2, &step, &node));
        TRY(set_equation(call, node, left, terms[i], joined));
        pair[0] = step;
        memcpy(left, joined, sizeof joined);
    }
    const int last = call->n_inputs - 1;
    pair[1] = call->inputs[last];
    TRY(call_last(call, OP_Einsum, pair, MIN(call->n_inputs, 2), &node));
    return set_equation(call, node, left, last > 0 ? terms[last] : NULL, terms[call->n_inputs]);
}

Status convert_einsum(Call *call) {
    const OnnxAttr *equation;
    TRY(check_all_inputs(call));
    TRY(call_attr(call, "equation", ONNX_ATTR_STRING, &equation));
    FAIL_IF(!equation, ST_BAD, "attribute 'equation' is missing");
    const size_t count = (size_t)call->n_inputs + 1;
    char(*terms)[EINSUM_TERM] = arena_array(call->data->scratch, count, sizeof *terms);
    if (!terms) return fail_memory(count * sizeof *terms);
    TRY(einsum_terms(equation->s, call->n_inputs, terms));
    return einsum_steps(call, terms);
}

static Status bound_to_input(Call *call, const char *name, int index) {
    const OnnxAttr *bound;
    ValueId value;
    TRY(call_attr(call, name, ONNX_ATTR_FLOAT, &bound));
    if (!bound) return ST_OK;
    TRY(call_scalar(call, name, call_float_dtype(call, 0), bound->f, &value));
    call_set_input(call, index, value);
    return ST_OK;
}

// Up to opset 10: attributes min and max.
Status convert_clip(Call *call) {
    TRY(bound_to_input(call, "min", 1));
    TRY(bound_to_input(call, "max", 2));
    return call_same(call, NULL);
}

Status convert_cast_like(Call *call) {
    Node *node;
    const DType dtype = call_type(call, 1)->dtype;
    FAIL_IF(call->n_inputs != 2 || !call_has_input(call, 0), ST_BAD, "expected 2 inputs, got %d", call->n_inputs);
    FAIL_IF(dtype == DT_NONE, ST_UNSUPPORTED, "the data type of its second input is not known here");
    TRY(call_last(call, OP_Cast, call->inputs, 1, &node));
    return node_set_string(call->graph, node, "to", dtype_name(dtype));
}

// alpha (exp(x / alpha) - 1) below 0, x above: alpha times Elu(x / alpha).
Status convert_celu(Call *call) {
    const OnnxAttr *attr;
    ValueId alpha, divided, elu;
    Node *node;
    TRY(call_attr(call, "alpha", ONNX_ATTR_FLOAT, &attr));
    FAIL_IF(call->n_inputs != 1, ST_BAD, "expected 1 input, got %d", call->n_inputs);
    TRY(call_scalar(call, "alpha", call_float_dtype(call, 0), attr ? attr->f : 1, &alpha));
    const ValueId scaled[] = {call->inputs[0], alpha};
    TRY(call_add(call, OP_Div, "div", scaled, 2, &divided, NULL));
    TRY(call_add(call, OP_Elu, "elu", &divided, 1, &elu, NULL));
    const ValueId back[] = {elu, alpha};
    return call_last(call, OP_Mul, back, 2, &node);
}

// ---- sums

// The first `count` inputs added up, from the left.
static Status add_up(Call *call, int count, ValueId *sum) {
    *sum = call->inputs[0];
    for (int i = 1; i < count; i++) {
        const ValueId pair[] = {*sum, call->inputs[i]};
        TRY(call_add(call, OP_Add, "sum", pair, 2, sum, NULL));
    }
    return ST_OK;
}

Status convert_sum(Call *call) {
    ValueId sum;
    Node *node;
    TRY(check_all_inputs(call));
    const int last = call->n_inputs - 1;
    if (last == 0) return call_last(call, OP_Identity, call->inputs, 1, &node);
    TRY(add_up(call, last, &sum));
    const ValueId pair[] = {sum, call->inputs[last]};
    return call_last(call, OP_Add, pair, 2, &node);
}

Status convert_mean(Call *call) {
    ValueId sum, count;
    Node *node;
    TRY(check_all_inputs(call));
    TRY(add_up(call, call->n_inputs, &sum));
    TRY(call_scalar(call, "count", call_float_dtype(call, 0), call->n_inputs, &count));
    const ValueId pair[] = {sum, count};
    return call_last(call, OP_Div, pair, 2, &node);
}

// Up to opset 17 (ReduceSum: 12) axes were an attribute; an empty list means all of them.
static Status axes_to_input(Call *call) {
    const OnnxAttr *axes;
    TRY(call_attr(call, "axes", ONNX_ATTR_INTS, &axes));
    return axes && axes->count > 0 ? call_ints_to_input(call, "axes", 1) : ST_OK;
}

Status convert_reduce(Call *call) {
    TRY(axes_to_input(call));
    return call_same(call, NULL);
}

Status convert_reduce_sum_square(Call *call) {
    FAIL_IF(!call_has_input(call, 0), ST_BAD, "expected an input, got none");
    const ValueId pair[] = {call->inputs[0], call->inputs[0]};
    TRY(call_add(call, OP_Mul, "square", pair, 2, &call->inputs[0], NULL));
    call->op = OP_ReduceSum;
    return convert_reduce(call);
}

// The sum takes the node's place, with its attributes; the logarithm makes its output.
Status convert_reduce_log_sum(Call *call) {
    ValueId sum;
    Node *node;
    FAIL_IF(call->n_outputs == 0, ST_BAD, "expected an output, got none");
    TRY(call_value(call, "sum", &sum));
    const ValueId output = call->outputs[0];
    call->outputs[0] = sum;
    call->op = OP_ReduceSum;
    TRY(convert_reduce(call));
    call->outputs[0] = output;
    return call_last(call, OP_Log, &sum, 1, &node);
}

// A reduction over the node's axes.
static Status reduce_with(Call *call, Op op, const char *suffix, ValueId x, bool keep, ValueId *out) {
    const ValueId inputs[] = {x, call_has_input(call, 1) ? call->inputs[1] : NO_VALUE};
    int64_t noop;
    Node *node;
    TRY(call_int(call, "noop_with_empty_axes", 0, &noop));
    TRY(call_add(call, op, suffix, inputs, inputs[1] >= 0 ? 2 : 1, out, &node));
    TRY(node_set_int(call->graph, node, "keepdims", keep));
    return node_set_int(call->graph, node, "noop_with_empty_axes", noop);
}

// log(sum of exp(x - m)) + m with m the largest x, so that nothing overflows; m is kept finite, as inf - inf is NaN.
Status convert_reduce_log_sum_exp(Call *call) {
    const DType dtype = call_float_dtype(call, 0);
    const double limit = dtype == DT_F16 ? 65504 : dtype == DT_F64 ? 1e308 : 3e38;
    int64_t keep;
    ValueId low, high, largest, bounded, apart, powers, sum, log, back;
    Node *node;
    FAIL_IF(!call_has_input(call, 0), ST_BAD, "expected an input, got none");
    TRY(axes_to_input(call));
    TRY(call_int(call, "keepdims", 1, &keep));
    TRY(call_scalar(call, "low", dtype, -limit, &low));
    TRY(call_scalar(call, "high", dtype, limit, &high));
    TRY(reduce_with(call, OP_ReduceMax, "largest", call->inputs[0], true, &largest));
    const ValueId clip[] = {largest, low, high};
    TRY(call_add(call, OP_Clip, "bounded", clip, 3, &bounded, NULL));
    const ValueId pair[] = {call->inputs[0], bounded};
    TRY(call_add(call, OP_Sub, "apart", pair, 2, &apart, NULL));
    TRY(call_add(call, OP_Exp, "powers", &apart, 1, &powers, NULL));
    TRY(reduce_with(call, OP_ReduceSum, "sum", powers, keep, &sum));
    TRY(call_add(call, OP_Log, "log", &sum, 1, &log, NULL));
    TRY(reduce_with(call, OP_ReduceMax, "back", bounded, keep, &back)); // of dims of 1: drops them
    const ValueId parts[] = {log, back};
    return call_last(call, OP_Add, parts, 2, &node);
}

// ---- normalisation

// Opset 6 said is_test=1 where it was not training.
static Status check_test(const Call *call) {
    int64_t test;
    TRY(call_int(call, "is_test", 0, &test));
    FAIL_IF(call->opset < 7 && test == 0, ST_UNSUPPORTED,
            "training mode is not supported; export the model for inference (eval mode)");
    return ST_OK;
}

Status convert_batch_norm(Call *call) {
    int64_t spatial, training;
    TRY(check_test(call));
    TRY(call_int(call, "spatial", 1, &spatial));
    TRY(call_int(call, "training_mode", 0, &training));
    FAIL_IF(spatial != 1, ST_UNSUPPORTED, "spatial=0 (statistics for each pixel) is not supported");
    FAIL_IF(training != 0, ST_UNSUPPORTED,
            "training mode is not supported; export the model for inference (eval mode)");
    return call_same(call, NULL);
}

// (groups) -> (channels), each value for all the channels of its group.
static Status spread_groups(Call *call, int input, const char *suffix, int64_t groups, int64_t channels) {
    const Tensor *from = call_constant(call, input);
    FAIL_IF(!from, ST_UNSUPPORTED, "a %s that is not a constant is not supported before opset 21", suffix);
    if (tensor_count(from) == channels) return ST_OK; // one channel a group, or written as opset 21 wants it
    FAIL_IF(tensor_count(from) != groups, ST_BAD, "expected a %s of %lld elements, got %lld", suffix, (long long)groups,
            (long long)tensor_count(from));
    Tensor to;
    TRY(tensor_make(&call->graph->arena, from->dtype, shape_of(1, &channels), &to));
    for (int64_t c = 0; c < channels; c++) tensor_set(&to, c, tensor_get(from, c / (channels / groups)));
    return call_tensor(call, suffix, &to, &call->inputs[input]);
}

// Opset 18 to 20: scale and bias had an element for each group.
Status convert_group_norm(Call *call) {
    int64_t groups;
    const Type *type = call_type(call, 0);
    if (call->opset >= 21) return call_same(call, NULL);
    TRY(call_int(call, "num_groups", 0, &groups));
    FAIL_IF(type->rank < 2 || type->dim[1] < 0, ST_UNSUPPORTED, "a number of channels that is not known here");
    const int64_t channels = type->dim[1];
    FAIL_IF(groups < 1 || channels < 1 || channels % groups != 0, ST_BAD,
            "expected num_groups that divides %lld channels, got %lld", (long long)channels, (long long)groups);
    FAIL_IF(channels > LIMIT_LIST, ST_UNSUPPORTED, "at most %d channels are supported, got %lld", LIMIT_LIST,
            (long long)channels);
    TRY(spread_groups(call, 1, "scale", groups, channels));
    TRY(spread_groups(call, 2, "bias", groups, channels));
    return call_same(call, NULL);
}

// The mean and the deviation are float32 unless stash_type says otherwise.
Status convert_layer_norm(Call *call) {
    int64_t stash;
    TRY(call_int(call, "stash_type", 1, &stash));
    if (stash != 1) TRY(call_drop_outputs(call, 1));
    return call_same(call, NULL);
}

// Inputs 1 (ratio) and 2 (training_mode) from opset 12 on. Before opset 10 the mask was a float.
Status convert_dropout(Call *call) {
    TRY(check_test(call));
    if (call_has_input(call, 2)) {
        const Tensor *training = call_constant(call, 2);
        FAIL_IF(!training || tensor_count(training) != 1 || tensor_get(training, 0) != 0, ST_UNSUPPORTED,
                "training mode is not supported; export the model for inference (eval mode)");
    }
    if (call->opset < 10) TRY(call_drop_outputs(call, 1));
    call->n_inputs = MIN(call->n_inputs, 1);
    return call_same(call, NULL);
}

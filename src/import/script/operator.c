// Operators on tensors: arguments to aten, results back, and what is shared with the first argument.
#include "base/text.h"
#include "import/script/cell.h"
#include <assert.h>
#include <string.h>

// ---- values of either kind

static Status list_to_aten(Machine *machine, const ScriptItems *items, int depth, AtenValue *out) {
    AtenValue *made = arena_array(machine->arena, (size_t)items->count + 1, sizeof *made);
    if (!made) return fail_memory((size_t)items->count * sizeof *made);
    FAIL_IF(depth == ATEN_LIST_DEPTH, ST_UNSUPPORTED, "lists nested deeper than %d are not supported", ATEN_LIST_DEPTH);
    for (int i = 0; i < items->count; i++) TRY(to_aten(machine, &items->at[i], depth + 1, &made[i]));
    *out = aten_list(made, items->count);
    return ST_OK;
}

Status to_aten(Machine *machine, const ScriptValue *value, int depth, AtenValue *out) {
    TRY(machine_charge(machine, 1));
    switch (value->kind) {
    case SCRIPT_NONE: *out = aten_none(); return ST_OK;
    case SCRIPT_BOOL: *out = aten_bool(value->b); return ST_OK;
    case SCRIPT_INT: *out = aten_int(value->i); return ST_OK;
    case SCRIPT_FLOAT: *out = aten_float(value->f); return ST_OK;
    case SCRIPT_TEXT: *out = aten_text(value->text); return ST_OK;
    case SCRIPT_NUMBER: *out = aten_number(value->number); return ST_OK;
    case SCRIPT_MISSING: *out = (AtenValue){.kind = ATEN_MISSING, .text = value->text}; return ST_OK;
    case SCRIPT_TENSOR: return cell_read(machine, value->cell, out);
    case SCRIPT_LIST:
    case SCRIPT_TUPLE: return list_to_aten(machine, value->items, depth, out);
    case SCRIPT_UNKNOWN: return not_known(machine, value, "an argument of an operator");
    default:
        return fail(ST_UNSUPPORTED, "an operator with %s as an argument is not supported",
                    script_kind_name(value->kind));
    }
}

Status from_aten(Machine *machine, const AtenValue *value, ScriptValue *out) {
    switch (value->kind) {
    case ATEN_NONE: *out = script_none(); return ST_OK;
    case ATEN_BOOL: *out = script_bool(value->b); return ST_OK;
    case ATEN_INT: *out = script_int(value->i); return ST_OK;
    case ATEN_FLOAT: *out = script_float(value->f); return ST_OK;
    case ATEN_TEXT: *out = script_text(value->text); return ST_OK;
    case ATEN_TENSOR: return tensor_cell(machine, value, out);
    case ATEN_NUMBER: *out = (ScriptValue){.kind = SCRIPT_NUMBER, .number = value->value}; return ST_OK;
    case ATEN_MISSING: *out = (ScriptValue){.kind = SCRIPT_MISSING, .text = value->text}; return ST_OK;
    case ATEN_LIST: break;
    }
    TRY(machine_charge(machine, value->count));
    ScriptValue made;
    TRY(script_list(machine->arena, SCRIPT_LIST, value->count, &made));
    for (int i = 0; i < value->count; i++) TRY(from_aten(machine, &value->items[i], &made.items->at[i]));
    *out = made;
    return ST_OK;
}

// ---- operators

typedef struct Prepared {
    AtenValue *args; // those by place
    int n_args;
    AtenKeyword *keywords;
    int n_keywords;
} Prepared;

static Status prepare(Machine *machine, const ScriptCall *call, Prepared *out) {
    const int n_args = call->count - call->n_keywords;
    out->args = arena_array(machine->arena, (size_t)n_args + 1, sizeof *out->args);
    out->keywords = arena_array(machine->arena, (size_t)call->n_keywords + 1, sizeof *out->keywords);
    if (!out->args || !out->keywords) return fail_memory((size_t)call->count * sizeof *out->keywords);
    out->n_args = n_args;
    out->n_keywords = call->n_keywords;
    for (int i = 0; i < n_args; i++) TRY(to_aten(machine, &call->args[i], 0, &out->args[i]));
    for (int i = 0; i < call->n_keywords; i++) {
        out->keywords[i].name = call->keywords[i]->text;
        TRY(to_aten(machine, &call->args[n_args + i], 0, &out->keywords[i].value));
    }
    return ST_OK;
}

// Operators with several results (Source: native_functions.yaml of pytorch/pytorch).
static const char *const several[][24] = {
    [2] = {"max_pool1d_with_indices",
           "max_pool2d_with_indices",
           "max_pool3d_with_indices",
           "adaptive_max_pool1d",
           "adaptive_max_pool2d",
           "adaptive_max_pool3d",
           "fractional_max_pool2d",
           "fractional_max_pool3d",
           "cummax",
           "cummin",
           "topk",
           "sort",
           "kthvalue",
           "mode",
           "aminmax",
           "var_mean",
           "std_mean",
           "native_dropout",
           "gru",
           "frexp",
           "slogdet",
           "multi_head_attention_forward",
           "_native_multi_head_attention",
           "_scaled_dot_product_attention_math"},
    [3] = {"native_layer_norm", "native_group_norm", "native_batch_norm", "_native_batch_norm_legit",
           "_native_batch_norm_legit_no_training", "lstm"},
    [5] = {"_batch_norm_impl_index"},
};

static int count_results(const char *op, const Prepared *call) {
    // Of everything one, over a dim two: max(x), max(x, y), max(x, dim).
    static const char *const over_a_dim[] = {"max", "min", "median", "nanmedian"};
    const char *name = strstr(op, "::") + 2;
    for (size_t i = 0; i < COUNT_OF(over_a_dim); i++) {
        if (strcmp(name, over_a_dim[i]) == 0) return call->n_args > 1 && call->args[1].kind == ATEN_INT ? 2 : 1;
    }
    for (size_t n = 2; n < COUNT_OF(several); n++) {
        for (size_t i = 0; i < COUNT_OF(several[n]) && several[n][i]; i++) {
            if (strcmp(name, several[n][i]) == 0) return (int)n;
        }
    }
    return 1;
}

static Status results_of(Machine *machine, const AtenValue *outs, int count, ScriptValue *out) {
    if (count == 1) return from_aten(machine, outs, out);
    ScriptValue made;
    TRY(script_list(machine->arena, SCRIPT_TUPLE, count, &made));
    for (int i = 0; i < count; i++) TRY(from_aten(machine, &outs[i], &made.items->at[i]));
    *out = made;
    return ST_OK;
}

// What the operators' results share with their first argument; others give copies. (Source: the annotations of
// native_functions.yaml of pytorch/pytorch, and what its functions do with tensors that are as they are asked to be.)
static const char *const views[][24] = {
    [VIEW_SURE] = {"select",   "slice",    "view",     "unsqueeze", "squeeze",      "view_as", "unflatten", "transpose",
                   "t",        "permute",  "expand",   "expand_as", "broadcast_to", "narrow",  "movedim",   "moveaxis",
                   "swapaxes", "swapdims", "diagonal", "unfold",    "numpy_T",      "adjoint", "mT"},
    [VIEW_SAME] = {"detach", "alias", "data", "dropout", "feature_dropout", "alpha_dropout", "positive", "lift_fresh",
                   "resolve_conj", "resolve_neg"},
    [VIEW_PERHAPS] = {"reshape", "reshape_as", "flatten", "ravel", "contiguous", "to", "type_as", "float", "cpu",
                      "cuda", "as_strided", "real", "pixel_shuffle", "atleast_1d", "atleast_2d", "atleast_3d"},
    [VIEW_PART] = {"split", "split_with_sizes", "unbind", "chunk", "tensor_split", "hsplit", "vsplit", "dsplit"},
};

static bool find_view(const char *name, ViewKind *kind) {
    for (size_t i = 0; i < COUNT_OF(views); i++) {
        for (size_t k = 0; k < COUNT_OF(views[i]) && views[i][k]; k++) {
            if (strcmp(name, views[i][k]) != 0) continue;
            *kind = (ViewKind)i;
            return true;
        }
    }
    return false;
}

static bool view_of(const char *op, const Prepared *call, const AtenValue *result, ViewKind *kind) {
    if (call->n_args == 0 || call->args[0].kind != ATEN_TENSOR || !find_view(strstr(op, "::") + 2, kind)) return false;
    return result->kind == (*kind == VIEW_PART ? ATEN_LIST : ATEN_TENSOR);
}

// dtypes that differ: a copy was made.
static bool is_cast(const Machine *machine, const AtenValue *a, const AtenValue *b) {
    const Value *values = machine->aten->graph->values;
    return values[a->value].type.dtype != values[b->value].type.dtype;
}

// Has the results of a view know what they are views of. The call read the base, so nothing waits to be put back into
// it but what was written into the base itself: that goes on first, as views of it are to see it.
static Status link_views(Machine *machine, const char *op, const ScriptCall *call, const Prepared *prepared,
                         const AtenValue *result, ScriptValue *out) {
    View view = {.op = op,
                 .args = prepared->args,
                 .n_args = prepared->n_args,
                 .keywords = prepared->keywords,
                 .n_keywords = prepared->n_keywords};
    if (!view_of(op, prepared, result, &view.kind)) return ST_OK;
    if (view.kind == VIEW_PERHAPS && is_cast(machine, &prepared->args[0], result)) return ST_OK;
    ScriptCell *base = call->args[0].cell;
    TRY(cell_settle(machine, base));
    if (view.kind != VIEW_PART) {
        cell_attach(out, base, &view);
        return ST_OK;
    }
    for (int i = 0; i < out->items->count; i++) {
        view.part = i;
        cell_attach(&out->items->at[i], base, &view);
    }
    return ST_OK;
}

static Status call_fresh(Machine *machine, const ScriptCall *call, ScriptValue *out) {
    enum { MOST_RESULTS = 8 };
    AtenValue outs[MOST_RESULTS];
    Prepared prepared;
    TRY(prepare(machine, call, &prepared));
    const int n_outs = count_results(call->op, &prepared);
    assert(n_outs <= MOST_RESULTS);
    TRY(aten_run(machine, call->op, prepared.args, prepared.n_args, prepared.keywords, prepared.n_keywords, outs,
                 n_outs));
    TRY(results_of(machine, outs, n_outs, out));
    return link_views(machine, call->op, call, &prepared, outs, out);
}

// ---- in place

// "aten::add_" to "aten::add"; NULL: the name of no operator that works in place.
static Status plain_name(Machine *machine, const char *op, const char **out) {
    const size_t length = strlen(op);
    *out = NULL;
    if (op[length - 1] != '_' || op[length - 2] == '_' || op[length - 2] == ':') return ST_OK;
    *out = arena_string_n(machine->arena, op, length - 1);
    return *out ? ST_OK : fail_memory(length);
}

// Those that change what the tensor is, or that write numbers that nobody knows.
static Status check_in_place(const char *op) {
    static const char *const refused[] = {"resize_",     "set_",       "squeeze_",    "unsqueeze_", "transpose_",
                                          "t_",          "swapaxes_",  "as_strided_", "normal_",    "uniform_",
                                          "random_",     "bernoulli_", "swapdims_",   "resize_as_", "exponential_",
                                          "log_normal_", "cauchy_",    "geometric_"};
    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        FAIL_IF(strcmp(strstr(op, "::") + 2, refused[i]) == 0, ST_UNSUPPORTED, "%s is not supported", op);
    }
    return ST_OK;
}

// The tensor keeps its dtype, whatever is written into it.
static Status as_before(Machine *machine, const AtenValue *before, AtenValue *value) {
    AtenValue args[2] = {*value};
    if (before->kind != ATEN_TENSOR || value->kind != ATEN_TENSOR || !is_cast(machine, before, value)) return ST_OK;
    TRY(aten_plain(machine, "prim::dtype", before, 1, &args[1]));
    return aten_plain(machine, "aten::to", args, 2, value);
}

static Status call_in_place(Machine *machine, const ScriptCall *call, const char *plain, ScriptValue *out) {
    ScriptCell *cell = call->args[0].cell;
    ScriptCall other = *call;
    AtenValue value;
    Prepared prepared;
    TRY(check_in_place(call->op));
    *out = call->args[0];
    if (strcmp(plain, "aten::detach") == 0 || strcmp(plain, "aten::requires_grad") == 0) return ST_OK;
    other.op = strcmp(plain, "aten::zero") == 0 ? "aten::zeros_like" : plain;
    TRY(prepare(machine, &other, &prepared));
    TRY(aten_run(machine, other.op, prepared.args, prepared.n_args, prepared.keywords, prepared.n_keywords, &value, 1));
    TRY(as_before(machine, &prepared.args[0], &value));
    return cell_write(machine, cell, &value, call->op);
}

Status call_operator(Machine *machine, const ScriptCall *call, ScriptValue *out) {
    const char *plain;
    TRY(plain_name(machine, call->op, &plain));
    const bool first = call->count > 0 && call->args[0].kind == SCRIPT_TENSOR;
    if (plain && first) return call_in_place(machine, call, plain, out);
    if (plain && call->count > 0 && call->args[0].kind == SCRIPT_MISSING) {
        *out = call->args[0];
        return ST_OK;
    }
    return call_fresh(machine, call, out);
}

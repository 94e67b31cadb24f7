// The text form of a graph; parse.c reads it.
//
//     graph "unet" (%x: float32[1x3xHx"my sym"]) -> (%y) {
//       %w = const float32[8x3x3x3] #00c0ffee00c0ffee          # full form: {0.1, -0.2, ...}
//       %c = Conv "encoder/conv1" (%x, %w, _) {pads=[1, 1, 1, 1], strides=[1, 1]} : float32[1x8xHx"my sym"]
//       %a, _ = Split (%c) {axis=1, num_outputs=2} : float32[1x4xHx"my sym"], _
//       %"up/relu 1" = Relu (%a) : float32[1x4xHx"my sym"]
//     }
//
// - One statement a line, in the order of the graph; a value stands above its uses. '#' begins a comment.
// - A value's name stands bare when it is made of letters, digits, '_' and '.', else quoted: %"up/relu 1".
// - In quotes: \" \\ and \xNN (control characters, and all bytes above 7f of a name that is not UTF-8).
// - A node: results, op, the source model's name in quotes (none when empty), inputs in parentheses ('_': absent),
//   attributes in braces (none when there are none), and after ':' the types of the results ('_' for an absent one).
// - A type: dtype or '?', then dims in brackets, joined by 'x': a number, '?', or a symbol, which is quoted unless made
//   of letters other than 'x', digits and '_', not beginning with a digit. [] is a scalar, [*] an unknown rank.
// - An attribute's value: int, float, "string", [list], or a tensor written like a constant: float32[1] {0}.
// - A constant of up to 64 elements, or any in the full form: all elements row-major in braces; floats in the shortest
//   form that reads back to the same bits (inf, -inf, nan), bool as 0 and 1. Else '#' and hash64 of the data (seed 0):
//   such text shows a graph, but can't be read back. In a package: data(OFFSET) into the section of constants.
//   Constants that no node uses are left out.
// The reader also takes: no types behind results (they are inferred), and instead of a constant's elements
// zeros, full(VALUE) or random(seed=N, scale=S, offset=O): normal numbers * S + O.
#include "base/hash.h"
#include "graph/graph.h"
#include <ctype.h>
#include <string.h>

enum { INLINE_ELEMENTS = 64 };

static bool is_word(const char *name, const char *more) {
    for (; *name; name++)
        if (!(isascii((unsigned char)*name) && isalnum((unsigned char)*name)) && !strchr(more, *name)) return false;
    return true;
}

static void print_quoted(Text *text, const char *string) {
    const bool utf8 = utf8_valid(string, strlen(string));
    text_add(text, "\"");
    for (const unsigned char *c = (const unsigned char *)string; *c; c++) {
        if (*c == '"' || *c == '\\') text_add(text, "\\%c", *c);
        else if (*c < 0x20 || *c == 0x7f || (*c > 0x7f && !utf8)) text_add(text, "\\x%02x", *c);
        else text_bytes(text, c, 1);
    }
    text_add(text, "\"");
}

static void print_value(Text *text, const Graph *graph, ValueId id) {
    if (id < 0) {
        text_add(text, "_");
        return;
    }
    const char *name = graph->values[id].name;
    text_add(text, "%%");
    if (is_word(name, "_.")) text_add(text, "%s", name);
    else print_quoted(text, name);
}

static void print_dim(Text *text, const Graph *graph, int64_t dim) {
    if (dim >= 0) {
        text_add(text, "%lld", (long long)dim);
    } else if (dim == DIM_UNKNOWN) {
        text_add(text, "?");
    } else {
        const char *symbol = graph->symbols[DIM_SYMBOL_0 - dim];
        if (*symbol && is_word(symbol, "_") && !isdigit((unsigned char)*symbol) && !strchr(symbol, 'x'))
            text_add(text, "%s", symbol);
        else print_quoted(text, symbol);
    }
}

static void print_type(Text *text, const Graph *graph, const Type *type) {
    text_add(text, "%s[", type->dtype == DT_NONE ? "?" : dtype_name(type->dtype));
    for (int i = 0; i < type->rank; i++) {
        if (i) text_add(text, "x");
        print_dim(text, graph, type->dim[i]);
    }
    text_add(text, type->rank < 0 ? "*]" : "]");
}

static void print_element(Text *text, const Tensor *tensor, int64_t i) {
    if (tensor->dtype == DT_F64) text_double(text, tensor_get(tensor, i));
    else if (dtype_is_float(tensor->dtype)) text_float(text, (float)tensor_get(tensor, i));
    else if (tensor->dtype == DT_U64) text_add(text, "%llu", (unsigned long long)tensor_get_int(tensor, i));
    else text_add(text, "%lld", (long long)tensor_get_int(tensor, i));
}

// The data goes behind the blob's, at a multiple of 64; the text says where.
static void print_offset(Text *text, const Tensor *tensor, Text *blob) {
    static const char zeros[64];
    text_bytes(blob, zeros, (64 - blob->length % 64) % 64);
    text_add(text, " data(%zu)", blob->length);
    text_bytes(blob, tensor->data, tensor_bytes(tensor));
}

static void print_elements(Text *text, const Tensor *tensor, bool full, Text *blob) {
    const int64_t count = tensor_count(tensor);
    if (blob && count > INLINE_ELEMENTS) {
        print_offset(text, tensor, blob);
        return;
    }
    if (!full && count > INLINE_ELEMENTS) {
        text_add(text, " #%016llx", (unsigned long long)hash64(tensor->data, tensor_bytes(tensor), 0));
        return;
    }
    text_add(text, " {");
    for (int64_t i = 0; i < count; i++) {
        if (i) text_add(text, ", ");
        print_element(text, tensor, i);
    }
    text_add(text, "}");
}

static void print_tensor(Text *text, const Graph *graph, const Tensor *tensor, bool full, Text *blob) {
    const Type type = type_make(tensor->dtype, &tensor->shape);
    print_type(text, graph, &type);
    print_elements(text, tensor, full, blob);
}

static void print_entry(Text *text, const Attr *attr, size_t i) {
    if (attr->type == ATTR_INTS) text_add(text, "%lld", (long long)attr->ints[i]);
    else if (attr->type == ATTR_FLOATS) text_double(text, attr->floats[i]);
    else print_quoted(text, attr->strings[i]);
}

static void print_attr(Text *text, const Graph *graph, const Attr *attr) {
    text_add(text, "%s=", attr->name);
    switch (attr->type) {
    case ATTR_INT: text_add(text, "%lld", (long long)attr->i); return;
    case ATTR_FLOAT: text_double(text, attr->f); return;
    case ATTR_STRING: print_quoted(text, attr->s); return;
    case ATTR_TENSOR: print_tensor(text, graph, &attr->tensor, true, NULL); return;
    default: break;
    }
    text_add(text, "[");
    for (size_t i = 0; i < attr->count; i++) {
        if (i) text_add(text, ", ");
        print_entry(text, attr, i);
    }
    text_add(text, "]");
}

static void print_values(Text *text, const Graph *graph, const ValueId *ids, int count) {
    for (int i = 0; i < count; i++) {
        if (i) text_add(text, ", ");
        print_value(text, graph, ids[i]);
    }
}

static void print_types(Text *text, const Graph *graph, const Node *node) {
    bool any = false;
    for (int i = 0; i < node->n_outputs; i++) {
        const Type *type = node->outputs[i] < 0 ? NULL : &graph->values[node->outputs[i]].type;
        any = any || (type && (type->dtype != DT_NONE || type->rank >= 0));
    }
    for (int i = 0; any && i < node->n_outputs; i++) {
        text_add(text, i ? ", " : " : ");
        if (node->outputs[i] < 0) text_add(text, "_");
        else print_type(text, graph, &graph->values[node->outputs[i]].type);
    }
}

static void print_node(Text *text, const Graph *graph, const Node *node) {
    text_add(text, "  ");
    print_values(text, graph, node->outputs, node->n_outputs);
    text_add(text, " = %s ", op_info(node->op)->name);
    if (*node->name) {
        print_quoted(text, node->name);
        text_add(text, " ");
    }
    text_add(text, "(");
    print_values(text, graph, node->inputs, node->n_inputs);
    text_add(text, ")");
    for (int i = 0; i < node->n_attrs; i++) {
        text_add(text, i ? ", " : " {");
        print_attr(text, graph, &node->attrs[i]);
    }
    text_add(text, node->n_attrs ? "}" : "");
    print_types(text, graph, node);
    text_add(text, "\n");
}

static void print_head(Text *text, const Graph *graph) {
    text_add(text, "graph ");
    if (*graph->name) {
        print_quoted(text, graph->name);
        text_add(text, " ");
    }
    text_add(text, "(");
    for (int i = 0; i < graph->n_inputs; i++) {
        if (i) text_add(text, ", ");
        print_value(text, graph, graph->inputs[i]);
        text_add(text, ": ");
        print_type(text, graph, &graph->values[graph->inputs[i]].type);
    }
    text_add(text, ") -> (");
    print_values(text, graph, graph->outputs, graph->n_outputs);
    text_add(text, ") {\n");
}

static Status print_graph(const Graph *graph, bool full, Text *text, Text *blob) {
    int *uses = graph_use_counts(graph);
    if (!uses) return fail_memory((size_t)graph->n_values * sizeof *uses);
    print_head(text, graph);
    for (int i = 0; i < graph->n_values; i++) {
        if (!graph->values[i].constant || !uses[i]) continue;
        text_add(text, "  ");
        print_value(text, graph, i);
        text_add(text, " = const ");
        print_tensor(text, graph, graph->values[i].constant, full, blob);
        text_add(text, "\n");
    }
    for (int i = 0; i < graph->n_nodes; i++)
        if (!graph->nodes[i]->dead) print_node(text, graph, graph->nodes[i]);
    text_add(text, "}\n");
    mem_free(uses);
    return text_status(text);
}

Status graph_print(const Graph *graph, bool full, Text *text) { return print_graph(graph, full, text, NULL); }
Status graph_print_blob(const Graph *graph, Text *text, Text *blob) {
    TRY(print_graph(graph, false, text, blob));
    return text_status(blob);
}

// Imports a file and says the graph in short lines:  y = Slice(x, {1}, {3}, {0}) axis=1
// A constant is written as its values, an absent input as _; names are those of the graph.
#pragma once
#include "import/import.h"
#include "import/onnx_writer.h"

static inline void say_constant(Text *text, const Tensor *tensor) {
    text_add(text, "{");
    for (int64_t i = 0; i < tensor_count(tensor); i++) text_add(text, "%s%g", i ? " " : "", tensor_get(tensor, i));
    text_add(text, "}");
}

static inline void say_attr(Text *text, const Attr *attr) {
    text_add(text, " %s=", attr->name);
    if (attr->type == ATTR_INT) text_add(text, "%lld", (long long)attr->i);
    if (attr->type == ATTR_FLOAT) text_add(text, "%g", attr->f);
    if (attr->type == ATTR_STRING) text_add(text, "%s", attr->s);
    if (attr->type == ATTR_TENSOR) say_constant(text, &attr->tensor);
    for (size_t i = 0; attr->type == ATTR_INTS && i < attr->count; i++) {
        text_add(text, "%s%lld", i ? "," : "", (long long)attr->ints[i]);
    }
}

static inline void say_value(Text *text, const Graph *graph, ValueId value) {
    if (value < 0) text_add(text, "_");
    else if (graph->values[value].constant) say_constant(text, graph->values[value].constant);
    else text_add(text, "%s", graph->values[value].name);
}

static inline Text say_graph(const Graph *graph) {
    Text text = {0};
    for (int n = 0; n < graph->n_nodes; n++) {
        const Node *node = graph->nodes[n];
        if (n) text_add(&text, "\n");
        for (int i = 0; i < node->n_outputs; i++) {
            text_add(&text, "%s", i ? ", " : "");
            say_value(&text, graph, node->outputs[i]);
        }
        text_add(&text, " = %s(", op_info(node->op)->name);
        for (int i = 0; i < node->n_inputs; i++) {
            text_add(&text, "%s", i ? ", " : "");
            say_value(&text, graph, node->inputs[i]);
        }
        text_add(&text, ")");
        for (int i = 0; i < node->n_attrs; i++) say_attr(&text, &node->attrs[i]);
    }
    return text;
}

// The file has to become a graph of these nodes.
static inline void check_nodes(OnnxFile *file, const char *expected) {
    Imported model;
    CHECK_OK(import_model(onnx_save(file, "model.onnx"), NULL, &model));
    Text text = say_graph(model.graph);
    CHECK_TEXT(text_get(&text), expected);
    text_free(&text);
    import_free(&model);
}

// The import has to fail so, with all of these words ("a|b") in its message, which begins with the path.
static inline void check_refused_with(const char *path, const ImportOptions *options, Status status,
                                      const char *words) {
    Imported model;
    error_clear();
    const Status got = import_model(path, options, &model);
    CHECK_MSG(got == status, "expected status %d, got %d: %s", status, got, error_message());
    CHECK(model.graph == NULL && model.mappings == NULL && model.n_mappings == 0);
    CHECK_MSG(text_starts(error_message(), path), "no path in: %s", error_message());
    for (const char *at = words; *at;) {
        char word[128];
        const size_t length = strcspn(at, "|");
        REQUIRE(length < sizeof word);
        memcpy(word, at, length);
        word[length] = 0;
        CHECK_MSG(strstr(error_message(), word), "expected '%s' in: %s", word, error_message());
        at += length;
        at += *at == '|';
    }
    import_free(&model);
}
static inline void check_refused(OnnxFile *file, Status status, const char *words) {
    check_refused_with(onnx_save(file, "model.onnx"), NULL, status, words);
}

// Small ONNX files made in memory, in a few words:
//
//     OnnxFile file = onnx_file(13);
//     onnx_input(&file, "x", 1, "N,3,8,8");              // 1: float32
//     onnx_ints(&file, "axes", "1", 2);                  // one int64 weight
//     onnx_node(&file, "Conv", "x w _", "y", "group=1 alpha=0.5 pads=[1,1] mode='linear'");
//     onnx_output(&file, "y");
//     const char *path = onnx_save(&file, "a.onnx");
//
// Field numbers: see src/import/onnx/model.c.
#pragma once
#include "base/file.h"
#include "base/text.h"
#include "test.h"
#include <stdarg.h>

// ---- protocol buffers

static inline void put_varint(Text *to, uint64_t value) {
    do {
        const uint8_t byte = (uint8_t)(value & 0x7f) | (value > 0x7f ? 0x80 : 0);
        text_bytes(to, &byte, 1);
        value >>= 7;
    } while (value);
}
static inline void put_tag(Text *to, uint32_t number, int wire) {
    put_varint(to, (uint64_t)number << 3 | (unsigned)wire);
}
static inline void put_int(Text *to, uint32_t number, int64_t value) {
    put_tag(to, number, 0);
    put_varint(to, (uint64_t)value);
}
static inline void put_float(Text *to, uint32_t number, float value) {
    put_tag(to, number, 5);
    text_bytes(to, &value, 4);
}
static inline void put_bytes(Text *to, uint32_t number, const void *bytes, size_t size) {
    put_tag(to, number, 2);
    put_varint(to, size);
    text_bytes(to, bytes, size);
}
static inline void put_string(Text *to, uint32_t number, const char *text) {
    put_bytes(to, number, text, strlen(text));
}
// Puts the message and frees it.
static inline void put_message(Text *to, uint32_t number, Text *message) {
    put_bytes(to, number, text_get(message), message->length);
    text_free(message);
}

// ---- the file

enum { FLOAT32 = 1, UINT8 = 2, INT8 = 3, INT32 = 6, INT64 = 7, BOOL = 9, FLOAT16 = 10, FLOAT64 = 11, BFLOAT16 = 16 };

typedef struct OnnxFile {
    Text graph, model; // without the graph
} OnnxFile;

static inline void onnx_opset(OnnxFile *file, const char *domain, int64_t version) {
    Text opset = {0};
    if (*domain) put_string(&opset, 1, domain);
    put_int(&opset, 2, version);
    put_message(&file->model, 8, &opset);
}

static inline OnnxFile onnx_file(int opset) {
    OnnxFile file = {0};
    put_int(&file.model, 1, 8);
    put_string(&file.model, 2, "test");
    onnx_opset(&file, "", opset);
    put_string(&file.graph, 2, "g");
    return file;
}

// The bytes of the whole file; free the text.
static inline Text onnx_bytes(const OnnxFile *file) {
    Text all = {0};
    text_bytes(&all, text_get(&file->model), file->model.length);
    put_bytes(&all, 7, text_get(&file->graph), file->graph.length);
    return all;
}

static inline void onnx_drop(OnnxFile *file) {
    text_free(&file->graph);
    text_free(&file->model);
}

// Writes the file into this run's folder and drops it.
static inline const char *onnx_save(OnnxFile *file, const char *name) {
    const char *path = test_temp(name);
    Text all = onnx_bytes(file);
    CHECK_OK(file_write(path, all.data, all.length));
    text_free(&all);
    onnx_drop(file);
    return path;
}

// ---- inputs, outputs, weights

// dims: "N,3,?,8": a symbol, numbers, nothing told; "": scalar; NULL: no shape.
static inline void onnx_value_info(Text *to, uint32_t number, const char *name, int element, const char *dims) {
    Text info = {0}, type = {0}, tensor = {0}, shape = {0};
    for (const char *at = dims; at && *at;) {
        Text dim = {0};
        const size_t length = strcspn(at, ",");
        if (*at == '-' || (*at >= '0' && *at <= '9')) put_int(&dim, 1, atoll(at));
        else if (*at != '?') put_bytes(&dim, 2, at, length);
        put_message(&shape, 1, &dim);
        at += length;
        at += *at == ',';
    }
    put_int(&tensor, 1, element);
    if (dims) put_message(&tensor, 2, &shape);
    put_message(&type, 1, &tensor);
    put_string(&info, 1, name);
    put_message(&info, 2, &type);
    put_message(to, number, &info);
}
static inline void onnx_input(OnnxFile *file, const char *name, int element, const char *dims) {
    onnx_value_info(&file->graph, 11, name, element, dims);
}
static inline void onnx_output(OnnxFile *file, const char *name) {
    onnx_value_info(&file->graph, 12, name, FLOAT32, NULL);
}

// A TensorProto up to its data. shape: "2,3", "" for a scalar.
static inline void onnx_tensor_head(Text *to, const char *name, int element, const char *shape) {
    for (const char *at = shape; *at;) {
        put_int(to, 1, atoll(at));
        at += strcspn(at, ",");
        at += *at == ',';
    }
    put_int(to, 2, element);
    if (*name) put_string(to, 8, name);
}
static inline void onnx_raw(OnnxFile *file, const char *name, int element, const char *shape, const void *data,
                            size_t bytes) {
    Text tensor = {0};
    onnx_tensor_head(&tensor, name, element, shape);
    put_bytes(&tensor, 9, data, bytes);
    put_message(&file->graph, 5, &tensor);
}
// Float weights: all the values given.
static inline void onnx_floats(OnnxFile *file, const char *name, const char *shape, const float *values, size_t count) {
    onnx_raw(file, name, FLOAT32, shape, values, count * sizeof *values);
}
// Float weights, all of one value.
static inline void onnx_filled(OnnxFile *file, const char *name, const char *shape, size_t count, float value) {
    float *values = calloc(count + 1, sizeof *values);
    REQUIRE(values);
    for (size_t i = 0; i < count; i++) values[i] = value;
    onnx_floats(file, name, shape, values, count);
    free(values);
}
// An int64 vector "1,2,3".
static inline void onnx_ints(OnnxFile *file, const char *name, const char *list) {
    Text values = {0};
    char shape[32];
    for (const char *at = list; *at;) {
        const int64_t value = atoll(at);
        text_bytes(&values, &value, sizeof value);
        at += strcspn(at, ",");
        at += *at == ',';
    }
    snprintf(shape, sizeof shape, "%zu", values.length / 8);
    onnx_raw(file, name, INT64, shape, text_get(&values), values.length);
    text_free(&values);
}

// A weight in another file; NULL or -1: not told.
static inline void put_entry(Text *tensor, const char *key, const char *value) {
    Text entry = {0};
    put_string(&entry, 1, key);
    put_string(&entry, 2, value);
    put_message(tensor, 13, &entry);
}
static inline void onnx_external_floats(OnnxFile *file, const char *name, const char *shape, const char *location,
                                        const char *offset, const char *length) {
    Text tensor = {0};
    onnx_tensor_head(&tensor, name, FLOAT32, shape);
    put_int(&tensor, 14, 1);
    put_entry(&tensor, "location", location);
    if (offset) put_entry(&tensor, "offset", offset);
    if (length) put_entry(&tensor, "length", length);
    put_message(&file->graph, 5, &tensor);
}

// ---- nodes

// One attribute "name=value": 3, 0.5, 'text', [1,2], [0.5,1.0].
static inline void put_attr(Text *node, const char *attr, size_t length) {
    Text message = {0};
    const size_t name = strcspn(attr, "=");
    const char *value = attr + name + 1;
    const size_t size = length - name - 1;
    const bool is_float = memchr(value, '.', size) && *value != '\'';
    put_bytes(&message, 1, attr, name);
    if (*value == '\'') {
        put_bytes(&message, 4, value + 1, size - 2);
        put_int(&message, 20, 3);
    } else if (*value == '[') {
        for (const char *at = value + 1; at < value + size - 1; at += strcspn(at, ",]") + 1) {
            if (is_float) put_float(&message, 7, (float)atof(at));
            else put_int(&message, 8, atoll(at));
        }
        put_int(&message, 20, is_float ? 6 : 7);
    } else {
        if (is_float) put_float(&message, 2, (float)atof(value));
        else put_int(&message, 3, atoll(value));
        put_int(&message, 20, is_float ? 1 : 2);
    }
    put_message(node, 5, &message);
}

static inline void put_names(Text *node, uint32_t number, const char *names) {
    for (const char *at = names; *at; at += strspn(at, " ")) {
        const size_t length = strcspn(at, " ");
        put_bytes(node, number, at, length == 1 && *at == '_' ? 0 : length);
        at += length;
    }
}

// Names are separated by blanks, "_" is absent. domain: "" for the default one.
static inline Text onnx_node_message(const char *domain, const char *op, const char *inputs, const char *outputs,
                                     const char *attrs) {
    Text node = {0};
    put_names(&node, 1, inputs);
    put_names(&node, 2, outputs);
    put_string(&node, 4, op);
    for (const char *at = attrs; *at; at += strspn(at, " ")) {
        const size_t length = strcspn(at, " ");
        put_attr(&node, at, length);
        at += length;
    }
    if (*domain) put_string(&node, 7, domain);
    return node;
}
static inline void onnx_node(OnnxFile *file, const char *op, const char *inputs, const char *outputs,
                             const char *attrs) {
    Text node = onnx_node_message("", op, inputs, outputs, attrs);
    put_message(&file->graph, 1, &node);
}
// The same with an attribute `name` that is a tensor of float32.
static inline void onnx_node_tensor(OnnxFile *file, const char *op, const char *inputs, const char *outputs,
                                    const char *name, const char *shape, const float *values, size_t count) {
    Text node = onnx_node_message("", op, inputs, outputs, ""), attr = {0}, tensor = {0};
    onnx_tensor_head(&tensor, "", FLOAT32, shape);
    put_bytes(&tensor, 9, values, count * sizeof *values);
    put_string(&attr, 1, name);
    put_message(&attr, 5, &tensor);
    put_int(&attr, 20, 4);
    put_message(&node, 5, &attr);
    put_message(&file->graph, 1, &node);
}

// ---- graphs inside of nodes

// Starts a graph for an attribute: fill it as a file, with inputs, outputs, weights and nodes.
static inline OnnxFile onnx_subgraph(void) {
    OnnxFile file = {0};
    put_string(&file.graph, 2, "inner");
    return file;
}
// The node gets it as the attribute `name`; drops it.
static inline void put_graph(Text *node, const char *name, OnnxFile *graph) {
    Text attr = {0};
    put_string(&attr, 1, name);
    put_message(&attr, 6, &graph->graph);
    put_int(&attr, 20, 5);
    put_message(node, 5, &attr);
    onnx_drop(graph);
}
static inline void onnx_if(OnnxFile *file, const char *condition, const char *outputs, OnnxFile *then_branch,
                           OnnxFile *else_branch) {
    Text node = onnx_node_message("", "If", condition, outputs, "");
    put_graph(&node, "then_branch", then_branch);
    put_graph(&node, "else_branch", else_branch);
    put_message(&file->graph, 1, &node);
}
static inline void onnx_body(OnnxFile *file, const char *op, const char *inputs, const char *outputs, const char *attrs,
                             OnnxFile *body) {
    Text node = onnx_node_message("", op, inputs, outputs, attrs);
    put_graph(&node, "body", body);
    put_message(&file->graph, 1, &node);
}

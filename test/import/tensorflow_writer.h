// Small TensorFlow graphs, SavedModels and checkpoints made in memory, in a few words:
//
//     TfWriter tf = {0};
//     tf_placeholder(&tf, "x", "?,4,4,1");
//     tf_floats(&tf, "w", "3,3,1,2", values, 18);
//     tf_node(&tf, "Conv2D", "y", "x w", "strides=[1,1,1,1] padding='SAME'");
//     const char *path = tf_save_graph(&tf, "graph.pb");
//
// Attributes: 3 (int), 0.5 (float), true, 'text', [1,2] (ints), #9 (a DataType), @name (a function), {1,?} (a shape).
// Field numbers: see src/import/tensorflow/model.c.
#pragma once
#include "import/onnx_check.h"
#include "wire/sstable_writer.h"

enum { TF_FLOAT = 1, TF_DOUBLE = 2, TF_INT32 = 3, TF_TEXT = 7, TF_INT64 = 9, TF_BOOL = 10, TF_HANDLE = 20 };

typedef struct TfWriter {
    Text graph;    // GraphDef: nodes
    Text library;  // FunctionDefLibrary
    Text function; // FunctionDef that is being written
    bool inside;   // nodes go into it
    Text meta;     // MetaGraphDef without its graph
} TfWriter;

static inline void tf_drop(TfWriter *tf) {
    text_free(&tf->graph);
    text_free(&tf->library);
    text_free(&tf->function);
    text_free(&tf->meta);
}

// ---- nodes

// A TensorShapeProto: "1,?,3"; "" scalar; "*": not even the rank is known.
static inline Text tf_shape(const char *dims) {
    Text shape = {0};
    if (*dims == '*') put_int(&shape, 3, 1);
    for (const char *at = *dims == '*' ? "" : dims; *at;) {
        Text dim = {0};
        put_int(&dim, 1, *at == '?' ? -1 : atoll(at));
        put_message(&shape, 2, &dim);
        at += strcspn(at, ",");
        at += *at == ',';
    }
    return shape;
}

static inline void tf_put_attr(Text *node, const char *name, size_t length, Text *value) {
    Text entry = {0};
    put_bytes(&entry, 1, name, length);
    put_message(&entry, 2, value);
    put_message(node, 5, &entry);
}

// One attribute "name=value".
static inline void tf_attr_text(Text *node, const char *attr, size_t length) {
    Text value = {0}, inner = {0};
    const size_t name = strcspn(attr, "=");
    const char *at = attr + name + 1;
    const size_t size = length - name - 1;
    char copy[256];
    REQUIRE(size < sizeof copy);
    memcpy(copy, at, size);
    copy[size] = 0;
    if (*copy == '\'') put_bytes(&value, 2, copy + 1, size - 2);
    else if (*copy == '[') {
        for (const char *number = copy + 1; number < copy + size - 1; number += strcspn(number, ",]") + 1)
            put_int(&inner, 3, atoll(number));
        put_message(&value, 1, &inner);
    } else if (*copy == '#') put_int(&value, 6, atoll(copy + 1));
    else if (*copy == '@') {
        put_string(&inner, 1, copy + 1);
        put_message(&value, 10, &inner);
    } else if (*copy == '%') put_string(&value, 9, copy + 1);
    else if (*copy == '{') {
        copy[size - 1] = 0;
        inner = tf_shape(copy + 1);
        put_message(&value, 7, &inner);
    } else if (!strcmp(copy, "true") || !strcmp(copy, "false")) put_int(&value, 5, *copy == 't');
    else if (strchr(copy, '.')) put_float(&value, 4, (float)atof(copy));
    else put_int(&value, 3, atoll(copy));
    tf_put_attr(node, attr, name, &value);
}

// Inputs are separated by blanks.
static inline Text tf_node_message(const char *op, const char *name, const char *inputs, const char *attrs) {
    Text node = {0};
    put_string(&node, 1, name);
    put_string(&node, 2, op);
    for (const char *at = inputs; *at; at += strspn(at, " ")) {
        const size_t length = strcspn(at, " ");
        put_bytes(&node, 3, at, length);
        at += length;
    }
    for (const char *at = attrs; *at; at += strspn(at, " ")) {
        const size_t length = strcspn(at, " ");
        tf_attr_text(&node, at, length);
        at += length;
    }
    return node;
}

static inline void tf_put_node(TfWriter *tf, Text *node) {
    if (tf->inside) put_message(&tf->function, 3, node);
    else put_message(&tf->graph, 1, node);
}

static inline void tf_node(TfWriter *tf, const char *op, const char *name, const char *inputs, const char *attrs) {
    Text node = tf_node_message(op, name, inputs, attrs);
    tf_put_node(tf, &node);
}

static inline void tf_placeholder(TfWriter *tf, const char *name, const char *dims) {
    char attrs[128];
    snprintf(attrs, sizeof attrs, "dtype=#1 shape={%s}", dims);
    tf_node(tf, "Placeholder", name, "", attrs);
}

// A Const with the TensorProto.
static inline void tf_const(TfWriter *tf, const char *name, Text *tensor) {
    Text node = tf_node_message("Const", name, "", ""), value = {0};
    put_message(&value, 8, tensor);
    tf_put_attr(&node, "value", 5, &value);
    tf_put_node(tf, &node);
}
static inline Text tf_tensor_head(int type, const char *dims) {
    Text tensor = {0}, shape = tf_shape(dims);
    put_int(&tensor, 1, type);
    put_message(&tensor, 2, &shape);
    return tensor;
}
static inline void tf_raw(TfWriter *tf, const char *name, int type, const char *dims, const void *data, size_t bytes) {
    Text tensor = tf_tensor_head(type, dims);
    put_bytes(&tensor, 4, data, bytes);
    tf_const(tf, name, &tensor);
}
static inline void tf_floats(TfWriter *tf, const char *name, const char *dims, const float *values, size_t count) {
    tf_raw(tf, name, TF_FLOAT, dims, values, count * sizeof *values);
}
// All of one value, which the file holds once.
static inline void tf_filled(TfWriter *tf, const char *name, const char *dims, float value) {
    Text tensor = tf_tensor_head(TF_FLOAT, dims);
    put_float(&tensor, 5, value);
    tf_const(tf, name, &tensor);
}
// int32 numbers "1,2" of that shape.
static inline void tf_ints_of(TfWriter *tf, const char *name, const char *dims, const char *list) {
    Text tensor = tf_tensor_head(TF_INT32, dims);
    for (const char *at = list; *at;) {
        put_int(&tensor, 7, atoll(at));
        at += strcspn(at, ",");
        at += *at == ',';
    }
    tf_const(tf, name, &tensor);
}
static inline void tf_ints(TfWriter *tf, const char *name, const char *list) { // a vector
    char dims[16];
    int count = *list != 0;
    for (const char *at = list; *at; at++) count += *at == ',';
    snprintf(dims, sizeof dims, "%d", count);
    tf_ints_of(tf, name, dims, list);
}
static inline void tf_int(TfWriter *tf, const char *name, int value) { // a scalar
    char list[16];
    snprintf(list, sizeof list, "%d", value);
    tf_ints_of(tf, name, "", list);
}
static inline void tf_bool(TfWriter *tf, const char *name, bool value) {
    Text tensor = tf_tensor_head(TF_BOOL, "");
    put_int(&tensor, 11, value);
    tf_const(tf, name, &tensor);
}
// Texts, separated by blanks; "_" is an empty one.
static inline void tf_texts_of(TfWriter *tf, const char *name, const char *texts) {
    Text tensor = {0}, shape = {0}, dim = {0};
    int count = 0;
    put_int(&tensor, 1, TF_TEXT);
    for (const char *at = texts; *at; at += strspn(at, " "), count++) {
        const size_t length = strcspn(at, " ");
        put_bytes(&tensor, 8, at, length == 1 && *at == '_' ? 0 : length);
        at += length;
    }
    put_int(&dim, 1, count);
    put_message(&shape, 2, &dim);
    put_message(&tensor, 2, &shape);
    tf_const(tf, name, &tensor);
}

// ---- functions

static inline void tf_put_args(Text *signature, uint32_t number, const char *names) {
    for (const char *at = names; *at; at += strspn(at, " ")) {
        Text arg = {0};
        const size_t length = strcspn(at, " ");
        put_bytes(&arg, 1, at, length);
        put_int(&arg, 3, TF_FLOAT);
        put_message(signature, number, &arg);
        at += length;
    }
}

// Nodes go into the function until tf_end.
static inline void tf_begin(TfWriter *tf, const char *name, const char *arguments, const char *results) {
    Text signature = {0};
    put_string(&signature, 1, name);
    tf_put_args(&signature, 2, arguments);
    tf_put_args(&signature, 3, results);
    put_message(&tf->function, 1, &signature);
    tf->inside = true;
}
// returns: "result=node:out:0 ..."
static inline void tf_end(TfWriter *tf, const char *returns) {
    for (const char *at = returns; *at; at += strspn(at, " ")) {
        Text entry = {0};
        const size_t length = strcspn(at, " "), name = strcspn(at, "=");
        put_bytes(&entry, 1, at, name);
        put_bytes(&entry, 2, at + name + 1, length - name - 1);
        put_message(&tf->function, 4, &entry);
        at += length;
    }
    put_message(&tf->library, 1, &tf->function);
    tf->inside = false;
}

// ---- files

// The bytes of the GraphDef; free the text.
static inline Text tf_graph_bytes(const TfWriter *tf) {
    Text all = {0}, versions = {0};
    text_bytes(&all, text_get(&tf->graph), tf->graph.length);
    if (tf->library.length) put_bytes(&all, 2, tf->library.data, tf->library.length);
    put_int(&versions, 1, 1882); // producer
    put_message(&all, 4, &versions);
    return all;
}

// Writes the graph into this run's folder and drops it.
static inline const char *tf_save_graph(TfWriter *tf, const char *name) {
    const char *path = test_temp(name);
    Text all = tf_graph_bytes(tf);
    CHECK_OK(file_write(path, all.data, all.length));
    text_free(&all);
    tf_drop(tf);
    return path;
}

// A signature; ports: "key=node:0 ..." of type float32, with dims or "*".
static inline void tf_put_ports(Text *signature, uint32_t number, const char *ports, const char *dims) {
    for (const char *at = ports; *at; at += strspn(at, " ")) {
        Text entry = {0}, info = {0}, shape = tf_shape(dims);
        const size_t length = strcspn(at, " "), name = strcspn(at, "=");
        put_bytes(&entry, 1, at, name);
        put_bytes(&info, 1, at + name + 1, length - name - 1);
        put_int(&info, 2, TF_FLOAT);
        put_message(&info, 3, &shape);
        put_message(&entry, 2, &info);
        put_message(signature, number, &entry);
        at += length;
    }
}
static inline void tf_signature(TfWriter *tf, const char *name, const char *inputs, const char *dims,
                                const char *outputs) {
    Text entry = {0}, signature = {0};
    tf_put_ports(&signature, 1, inputs, dims);
    tf_put_ports(&signature, 2, outputs, "*");
    put_string(&entry, 1, name);
    put_message(&entry, 2, &signature);
    put_message(&tf->meta, 5, &entry);
}
static inline void tf_saver(TfWriter *tf, const char *restore) {
    Text saver = {0};
    put_string(&saver, 3, restore);
    put_message(&tf->meta, 3, &saver);
}

// MetaGraphDef.
static inline Text tf_meta_bytes(const TfWriter *tf) {
    Text meta = {0}, info = {0}, graph = tf_graph_bytes(tf);
    put_string(&info, 4, "serve");
    put_string(&info, 5, "2.15.0");
    put_message(&meta, 1, &info);
    put_message(&meta, 2, &graph);
    text_bytes(&meta, text_get(&tf->meta), tf->meta.length);
    return meta;
}
// SavedModel.
static inline Text tf_model_bytes(const TfWriter *tf) {
    Text all = {0}, meta = tf_meta_bytes(tf);
    put_int(&all, 1, 1);
    put_message(&all, 2, &meta);
    return all;
}
// Writes the folder with saved_model.pb and drops the model. The path of the folder.
static inline const char *tf_save_model(TfWriter *tf, const char *folder) {
    char name[128];
    Text all = tf_model_bytes(tf);
    snprintf(name, sizeof name, "%s/saved_model.pb", folder);
    CHECK_OK(folder_make(test_temp(folder)));
    CHECK_OK(file_write(test_temp(name), all.data, all.length));
    text_free(&all);
    tf_drop(tf);
    return test_temp(folder);
}

// ---- checkpoints

typedef struct TfCheckpoint {
    TableWriter index;
    Text data;
    int shards;   // told; 0: 1
    bool bad_crc; // of the numbers
} TfCheckpoint;

static inline void tf_checkpoint_header(TfCheckpoint *checkpoint) {
    Text header = {0};
    put_int(&header, 1, checkpoint->shards ? checkpoint->shards : 1);
    table_add(&checkpoint->index, "", text_get(&header), header.length);
    text_free(&header);
}

static inline void tf_put_fixed32(Text *to, uint32_t number, uint32_t value) {
    put_tag(to, number, 5);
    text_bytes(to, &value, 4);
}

// Keys in order. type 0: as floats; shard, offset: where it is said to be (-1: where it is).
static inline void tf_variable_at(TfCheckpoint *checkpoint, const char *key, const char *dims, const float *values,
                                  size_t count, int shard, int64_t offset, int64_t size) {
    Text entry = {0}, shape = tf_shape(dims);
    const size_t bytes = count * sizeof *values;
    const uint32_t crc = crc32c_masked(crc32c(values, bytes)) + checkpoint->bad_crc;
    put_int(&entry, 1, TF_FLOAT);
    put_message(&entry, 2, &shape);
    if (shard) put_int(&entry, 3, shard);
    put_int(&entry, 4, offset < 0 ? (int64_t)checkpoint->data.length : offset);
    put_int(&entry, 5, size < 0 ? (int64_t)bytes : size);
    tf_put_fixed32(&entry, 6, crc);
    text_bytes(&checkpoint->data, values, bytes);
    table_add(&checkpoint->index, key, entry.data, entry.length);
    text_free(&entry);
}
static inline void tf_variable(TfCheckpoint *checkpoint, const char *key, const char *dims, const float *values,
                               size_t count) {
    tf_variable_at(checkpoint, key, dims, values, count, 0, -1, -1);
}
// A variable that is said to be in slices.
static inline void tf_sliced(TfCheckpoint *checkpoint, const char *key) {
    Text entry = {0}, shape = tf_shape("4");
    put_int(&entry, 1, TF_FLOAT);
    put_message(&entry, 2, &shape);
    put_string(&entry, 7, "");
    table_add(&checkpoint->index, key, entry.data, entry.length);
    text_free(&entry);
}
// _CHECKPOINTABLE_OBJECT_GRAPH with one object for each "name=key".
static inline void tf_objects(TfCheckpoint *checkpoint, const char *names) {
    Text graph = {0}, entry = {0};
    for (const char *at = names; *at; at += strspn(at, " ")) {
        Text object = {0}, tensor = {0};
        const size_t length = strcspn(at, " "), name = strcspn(at, "=");
        put_string(&tensor, 1, "VARIABLE_VALUE");
        put_bytes(&tensor, 2, at, name);
        put_bytes(&tensor, 3, at + name + 1, length - name - 1);
        put_message(&object, 2, &tensor);
        put_message(&graph, 1, &object);
        at += length;
    }
    put_int(&entry, 1, TF_TEXT);
    put_string(&entry, 2, "");
    put_int(&entry, 4, (int64_t)checkpoint->data.length);
    const size_t before = checkpoint->data.length;
    table_varint(&checkpoint->data, graph.length);
    text_bytes(&checkpoint->data, "crc.", 4); // of the lengths: not looked at
    text_bytes(&checkpoint->data, text_get(&graph), graph.length);
    put_int(&entry, 5, (int64_t)(checkpoint->data.length - before));
    table_add(&checkpoint->index, "_CHECKPOINTABLE_OBJECT_GRAPH", entry.data, entry.length);
    text_free(&entry);
    text_free(&graph);
}
// Writes PREFIX.index and PREFIX.data-00000-of-N, and drops it.
static inline void tf_save_checkpoint(TfCheckpoint *checkpoint, const char *prefix) {
    char name[128];
    Text index = table_end(&checkpoint->index);
    snprintf(name, sizeof name, "%s.index", prefix);
    CHECK_OK(file_write(test_temp(name), index.data, index.length));
    snprintf(name, sizeof name, "%s.data-00000-of-%05d", prefix, checkpoint->shards ? checkpoint->shards : 1);
    CHECK_OK(file_write(test_temp(name), text_get(&checkpoint->data), checkpoint->data.length));
    text_free(&index);
    text_free(&checkpoint->data);
}

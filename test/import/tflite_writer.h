// Small TensorFlow Lite files made in memory, in a few words:
//
//     TfliteFile file = tflite_file();
//     const int x = tflite_tensor(&file, "x", T_FLOAT32, "1,4,4,2");      // "?,4": a dim that is not told
//     const int w = tflite_floats(&file, "w", "1,1,1,2", (const float[]){1, 2});
//     const int y = tflite_tensor(&file, "y", T_FLOAT32, "1,4,4,1");
//     tflite_op(&file, 3, 1, "0=b:1 1=i:1 2=i:1", (int[]){x, w, -1}, 3, (int[]){y}, 1); // CONV_2D, Conv2DOptions
//     tflite_ends(&file, (int[]){x}, 1, (int[]){y}, 1);
//     const char *path = tflite_save(&file, "a.tflite");
//
// Options are "FIELD=TYPE:VALUE", TYPE b (byte), i (int32), f (float) or v (list of int32). Numbers of operators, of
// their options and of fields: see src/import/tflite/operators.c and model.c.
#pragma once
#include "base/file.h"
#include "test.h"
#include "wire/flatbuffer_make.h"

enum { T_FLOAT32, T_FLOAT16, T_INT32, T_UINT8, T_INT64, T_STRING, T_BOOL, T_INT16, T_INT8 = 9 };
enum { MOST_TENSORS = 64, MOST_OPERATORS = 32, MOST_ENDS = 8 };

typedef struct TfliteTensorMade {
    const char *name;
    int type;
    int32_t shape[9], signature[9]; // one more than is had
    int rank;
    bool dynamic, sparse, variable;
    Text data;
    float scale[8];
    int64_t zero[8];
    int scales, zeros, axis;
    int buffer; // -1: its own
} TfliteTensorMade;

typedef struct TfliteOperatorMade {
    int code, options_type;
    const char *custom, *options;
    const void *custom_options;
    int custom_bytes;
    int32_t inputs[16], outputs[16];
    int n_inputs, n_outputs;
} TfliteOperatorMade;

typedef struct TfliteSignatureMade {
    const char *key, *names[MOST_ENDS];
    int subgraph;
} TfliteSignatureMade;

typedef struct TfliteFile {
    int version;
    TfliteTensorMade tensors[MOST_TENSORS];
    TfliteOperatorMade operators[MOST_OPERATORS];
    TfliteSignatureMade signatures[2]; // names: of inputs, then of outputs
    int32_t inputs[MOST_ENDS], outputs[MOST_ENDS];
    int n_tensors, n_operators, n_signatures, n_inputs, n_outputs;
    int subgraphs;  // the same one again and again
    bool old_codes; // without the field that came with version 3a
    bool outside;   // weights behind the FlatBuffer
} TfliteFile;

static inline TfliteFile tflite_file(void) { return (TfliteFile){.version = 3, .subgraphs = 1}; }

// ---- tensors

static inline int tflite_tensor(TfliteFile *file, const char *name, int type, const char *dims) {
    REQUIRE(file->n_tensors < MOST_TENSORS);
    TfliteTensorMade *tensor = &file->tensors[file->n_tensors];
    *tensor = (TfliteTensorMade){.name = name, .type = type, .buffer = -1};
    for (const char *at = dims; *at; at += *at == ',') {
        const bool free_dim = *at == '?';
        tensor->signature[tensor->rank] = free_dim ? -1 : atoi(at);
        tensor->shape[tensor->rank++] = free_dim ? 1 : atoi(at);
        tensor->dynamic |= free_dim;
        at += strcspn(at, ",");
    }
    return file->n_tensors++;
}
static inline int64_t tflite_count(const TfliteFile *file, int tensor) {
    int64_t count = 1;
    for (int i = 0; i < file->tensors[tensor].rank; i++) count *= file->tensors[tensor].shape[i];
    return count;
}
static inline int tflite_bytes(TfliteFile *file, const char *name, int type, const char *dims, const void *bytes,
                               size_t size) {
    const int tensor = tflite_tensor(file, name, type, dims);
    text_bytes(&file->tensors[tensor].data, bytes, size);
    return tensor;
}
static inline int tflite_floats(TfliteFile *file, const char *name, const char *dims, const float *values) {
    const int tensor = tflite_tensor(file, name, T_FLOAT32, dims);
    text_bytes(&file->tensors[tensor].data, values, (size_t)tflite_count(file, tensor) * sizeof *values);
    return tensor;
}
// A vector of int32: "1,-2,3".
static inline int tflite_ints(TfliteFile *file, const char *name, const char *list) {
    int32_t values[32];
    char dims[16];
    int count = 0;
    for (const char *at = list; *at; at += *at == ',') {
        values[count++] = atoi(at);
        at += strcspn(at, ",");
    }
    snprintf(dims, sizeof dims, "%d", count);
    return tflite_bytes(file, name, T_INT32, dims, values, (size_t)count * 4);
}
static inline int tflite_int(TfliteFile *file, const char *name, int32_t value) {
    return tflite_bytes(file, name, T_INT32, "", &value, 4);
}
static inline void tflite_quantise(TfliteFile *file, int tensor, float scale, int64_t zero) {
    TfliteTensorMade *made = &file->tensors[tensor];
    made->scale[made->scales++] = scale;
    made->zero[made->zeros++] = zero;
}

// ---- operators and ends

static inline TfliteOperatorMade *tflite_op(TfliteFile *file, int code, int options_type, const char *options,
                                            const int *inputs, int n_inputs, const int *outputs, int n_outputs) {
    REQUIRE(file->n_operators < MOST_OPERATORS && n_inputs <= 16 && n_outputs <= 16);
    TfliteOperatorMade *made = &file->operators[file->n_operators++];
    *made = (TfliteOperatorMade){
        .code = code, .options_type = options_type, .options = options, .n_inputs = n_inputs, .n_outputs = n_outputs};
    for (int i = 0; i < n_inputs; i++) made->inputs[i] = inputs[i];
    for (int i = 0; i < n_outputs; i++) made->outputs[i] = outputs[i];
    return made;
}
static inline void tflite_ends(TfliteFile *file, const int *inputs, int n_inputs, const int *outputs, int n_outputs) {
    for (int i = 0; i < n_inputs; i++) file->inputs[i] = inputs[i];
    for (int i = 0; i < n_outputs; i++) file->outputs[i] = outputs[i];
    file->n_inputs = n_inputs;
    file->n_outputs = n_outputs;
}

// ---- the file

static inline void tflite_put_options(Text *to, size_t place, const char *options) {
    uint8_t sizes[16] = {0};
    size_t places[16];
    int fields = 0;
    for (const char *at = options; *at; at += strspn(at, " ")) {
        const int field = atoi(at);
        REQUIRE(field < 16);
        sizes[field] = at[strcspn(at, "=") + 1] == 'b' ? 1 : 4;
        fields = MAX(fields, field + 1);
        at += strcspn(at, " ");
    }
    fbm_link(to, place, fbm_table(to, sizes, fields, places));
    for (const char *at = options; *at; at += strspn(at, " ")) {
        const int field = atoi(at);
        const char *kind = at + strcspn(at, "=") + 1, *value = kind + 2;
        const float number = strtof(value, NULL);
        uint32_t bits;
        memcpy(&bits, &number, 4);
        if (*kind == 'v') {
            int32_t list[16];
            uint32_t count = 0;
            for (const char *v = value; *v && *v != ' '; v += strcspn(v, ", "), v += *v == ',') list[count++] = atoi(v);
            fbm_link(to, places[field], fbm_vector(to, count, 4, list, 4));
        } else {
            fbm_number(to, places[field], *kind == 'f' ? bits : (uint32_t)atoi(value), sizes[field]);
        }
        at += strcspn(at, " ");
    }
}

static inline void tflite_put_ints(Text *to, size_t place, const int32_t *values, int count) {
    fbm_link(to, place, fbm_vector(to, (uint32_t)count, 4, values, 4));
}

static inline void tflite_put_tensor(Text *to, size_t place, const TfliteTensorMade *tensor, int buffer) {
    size_t at[8], quantisation[7], sparse[1];
    const uint8_t sizes[8] = {4, 1, 4, 4, tensor->scales ? 4 : 0, 1, tensor->sparse ? 4 : 0, tensor->dynamic ? 4 : 0};
    fbm_link(to, place, fbm_table(to, sizes, 8, at));
    tflite_put_ints(to, at[0], tensor->shape, tensor->rank);
    fbm_number(to, at[1], (uint64_t)tensor->type, 1);
    fbm_number(to, at[2], (uint64_t)buffer, 4);
    fbm_link(to, at[3], fbm_string(to, tensor->name));
    fbm_number(to, at[5], tensor->variable, 1);
    if (tensor->sparse) fbm_link(to, at[6], fbm_table(to, (const uint8_t[]){0}, 1, sparse));
    if (tensor->dynamic) tflite_put_ints(to, at[7], tensor->signature, tensor->rank);
    if (!tensor->scales) return;
    fbm_link(to, at[4], fbm_table(to, (const uint8_t[]){0, 0, 4, 4, 0, 0, 4}, 7, quantisation));
    fbm_link(to, quantisation[2], fbm_vector(to, (uint32_t)tensor->scales, 4, tensor->scale, 4));
    fbm_link(to, quantisation[3], fbm_vector(to, (uint32_t)tensor->zeros, 8, tensor->zero, 8));
    fbm_number(to, quantisation[6], (uint64_t)tensor->axis, 4);
}

static inline void tflite_put_operator(Text *to, size_t place, const TfliteOperatorMade *made, int index) {
    size_t at[6];
    const uint8_t sizes[6] = {4, 4, 4, 1, made->options ? 4 : 0, made->custom_bytes ? 4 : 0};
    fbm_link(to, place, fbm_table(to, sizes, 6, at));
    fbm_number(to, at[0], (uint64_t)index, 4);
    tflite_put_ints(to, at[1], made->inputs, made->n_inputs);
    tflite_put_ints(to, at[2], made->outputs, made->n_outputs);
    fbm_number(to, at[3], (uint64_t)made->options_type, 1);
    if (made->options) tflite_put_options(to, at[4], made->options);
    if (made->custom_bytes) {
        fbm_link(to, at[5], fbm_vector(to, (uint32_t)made->custom_bytes, 1, made->custom_options, 16));
    }
}

// An empty vector of `count` offsets behind a field; where the first one stands.
static inline size_t tflite_put_list(Text *to, size_t place, int count) {
    const size_t list = fbm_vector(to, (uint32_t)count, 4, NULL, 4);
    fbm_link(to, place, list);
    return list + 4;
}

static inline size_t tflite_put_subgraph(Text *to, const TfliteFile *file) {
    size_t at[5];
    const size_t table = fbm_table(to, (const uint8_t[]){4, 4, 4, 4, 4}, 5, at);
    tflite_put_ints(to, at[1], file->inputs, file->n_inputs);
    tflite_put_ints(to, at[2], file->outputs, file->n_outputs);
    fbm_link(to, at[4], fbm_string(to, "main"));
    size_t list = tflite_put_list(to, at[3], file->n_operators);
    for (int i = 0; i < file->n_operators; i++) tflite_put_operator(to, list + 4 * (size_t)i, &file->operators[i], i);
    list = tflite_put_list(to, at[0], file->n_tensors);
    for (int i = 0; i < file->n_tensors; i++) {
        const TfliteTensorMade *tensor = &file->tensors[i];
        tflite_put_tensor(to, list + 4 * (size_t)i, tensor, tensor->buffer >= 0 ? tensor->buffer : i + 1);
    }
    return table;
}

static inline void tflite_put_codes(Text *to, size_t place, const TfliteFile *file) {
    const size_t list = tflite_put_list(to, place, file->n_operators);
    for (int i = 0; i < file->n_operators; i++) {
        const TfliteOperatorMade *made = &file->operators[i];
        size_t at[4];
        const uint8_t sizes[4] = {1, made->custom ? 4 : 0, 0, file->old_codes ? 0 : 4};
        fbm_link(to, list + 4 * (size_t)i, fbm_table(to, sizes, 4, at));
        fbm_number(to, at[0], (uint64_t)MIN(made->code, 127), 1);
        if (made->custom) fbm_link(to, at[1], fbm_string(to, made->custom));
        if (!file->old_codes) fbm_number(to, at[3], (uint64_t)made->code, 4);
    }
}

static inline void tflite_put_names(Text *to, size_t place, const int32_t *tensors, int count,
                                    const char *const *names) {
    const size_t list = tflite_put_list(to, place, count);
    for (int i = 0; i < count; i++) {
        size_t at[2];
        fbm_link(to, list + 4 * (size_t)i, fbm_table(to, (const uint8_t[]){4, 4}, 2, at));
        fbm_link(to, at[0], fbm_string(to, names[i]));
        fbm_number(to, at[1], (uint64_t)tensors[i], 4);
    }
}

static inline void tflite_put_signatures(Text *to, size_t place, const TfliteFile *file) {
    const size_t list = tflite_put_list(to, place, file->n_signatures);
    for (int i = 0; i < file->n_signatures; i++) {
        const TfliteSignatureMade *made = &file->signatures[i];
        size_t at[5];
        fbm_link(to, list + 4 * (size_t)i, fbm_table(to, (const uint8_t[]){4, 4, 4, 0, 4}, 5, at));
        tflite_put_names(to, at[0], file->inputs, file->n_inputs, made->names);
        tflite_put_names(to, at[1], file->outputs, file->n_outputs, made->names + file->n_inputs);
        fbm_link(to, at[2], fbm_string(to, made->key));
        fbm_number(to, at[4], (uint64_t)made->subgraph, 4);
    }
}

// One buffer a tensor, after the empty one. Outside: their bytes stand behind everything else.
static inline void tflite_put_buffers(Text *to, size_t place, const TfliteFile *file) {
    const size_t list = tflite_put_list(to, place, file->n_tensors + 1);
    size_t at[MOST_TENSORS + 1][3];
    for (int i = 0; i <= file->n_tensors; i++) {
        const Text *data = i ? &file->tensors[i - 1].data : &(const Text){0};
        const bool filled = data->length > 0;
        const uint8_t in[3] = {filled ? 4 : 0, 0, 0}, out[3] = {0, 8, 8};
        fbm_link(to, list + 4 * (size_t)i, fbm_table(to, file->outside && filled ? out : in, 3, at[i]));
        if (filled && !file->outside) fbm_link(to, at[i][0], fbm_vector(to, (uint32_t)data->length, 1, data->data, 16));
    }
    for (int i = 1; i <= file->n_tensors && file->outside; i++) {
        const Text *data = &file->tensors[i - 1].data;
        if (data->length == 0) continue;
        fbm_number(to, at[i][1], to->length, 8);
        fbm_number(to, at[i][2], data->length, 8);
        text_bytes(to, data->data, data->length);
    }
}

// The bytes of the whole file; free the text.
static inline Text tflite_all(const TfliteFile *file) {
    Text all = {0};
    size_t at[8];
    fbm_head(&all, "TFL3");
    const uint8_t sizes[8] = {4, 4, 4, 0, 4, 0, 0, file->n_signatures ? 4 : 0};
    fbm_link(&all, 0, fbm_table(&all, sizes, 8, at));
    fbm_number(&all, at[0], (uint64_t)file->version, 4);
    tflite_put_codes(&all, at[1], file);
    const size_t list = tflite_put_list(&all, at[2], file->subgraphs), subgraph = tflite_put_subgraph(&all, file);
    for (int i = 0; i < file->subgraphs; i++) fbm_link(&all, list + 4 * (size_t)i, subgraph);
    if (file->n_signatures) tflite_put_signatures(&all, at[7], file);
    tflite_put_buffers(&all, at[4], file);
    return all;
}

static inline void tflite_drop(TfliteFile *file) {
    for (int i = 0; i < file->n_tensors; i++) text_free(&file->tensors[i].data);
}

// Writes the file into this run's folder and drops it.
static inline const char *tflite_save(TfliteFile *file, const char *name) {
    const char *path = test_temp(name);
    Text all = tflite_all(file);
    CHECK_OK(file_write(path, all.data, all.length));
    text_free(&all);
    tflite_drop(file);
    return path;
}

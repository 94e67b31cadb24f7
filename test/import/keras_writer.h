// Small Keras models made in memory, as .h5 or .keras, in a few words:
//
//     KerasFile file = keras_file("2.13.1");                      // Keras 3 from "3." on: another form of calls
//     keras_input(&file, "x", "null,4,4,1");
//     keras_layer(&file, "Conv2D", "c", "'filters':1,'kernel_size':[3,3]", "x");     // ' for "; what it takes
//     keras_weight(&file, "c", "kernel", "3,3,1,1", values);      // in the order of the layer's weights
//     keras_output(&file, "c");
//     const char *path = keras_save(&file, "m.h5");               // or keras_save_zip, which goes by the order only
//
// Names that a layer takes are separated by blanks: several are a list; "a:1" is the second call of a.
#pragma once
#include "base/file.h"
#include "test.h"
#include "wire/hdf5_make.h"
#include <zlib.h>

enum { KERAS_MOST_WEIGHTS = 64 };

typedef struct KerasMadeWeight {
    char layer[64], name[64], dims[32];
    float *values;
} KerasMadeWeight;

typedef struct KerasFile {
    const char *version;
    bool is_dict_form;
    Text layers, inputs, outputs;
    const char *raw_config; // in place of all that, where it is set
    const char *training;   // training_config
    KerasMadeWeight weights[KERAS_MOST_WEIGHTS];
    size_t n_weights;
} KerasFile;

static inline KerasFile keras_file(const char *version) {
    return (KerasFile){.version = version, .is_dict_form = *version == '3'};
}

// ' becomes "
static inline void put_json(Text *to, const char *text) {
    for (; *text; text++) text_add(to, "%c", *text == '\'' ? '"' : *text);
}

static inline void put_source(Text *to, const char *name, size_t length, bool is_dict_form) {
    const char *colon = memchr(name, ':', length);
    const size_t bare = colon ? (size_t)(colon - name) : length;
    const int call = colon ? atoi(colon + 1) : 0;
    if (is_dict_form) {
        text_add(to, "{\"class_name\": \"__keras_tensor__\", \"config\": {\"keras_history\": [\"%.*s\", %d, 0]}}",
                 (int)bare, name, call);
    } else text_add(to, "[\"%.*s\", %d, 0, {}]", (int)bare, name, call);
}

static inline void put_call(Text *to, const char *from, bool is_dict_form) {
    const bool is_list = strchr(from, ' ') || !is_dict_form;
    text_add(to, is_dict_form ? "{\"args\": [" : "");
    text_add(to, is_list ? "[" : "");
    for (const char *at = from; *at;) {
        const size_t length = strcspn(at, " ");
        text_add(to, at == from ? "" : ", ");
        put_source(to, at, length, is_dict_form);
        at += length;
        at += *at == ' ';
    }
    text_add(to, is_list ? "]" : "");
    text_add(to, is_dict_form ? "], \"kwargs\": {\"mask\": null}}" : "");
}

static inline void keras_raw_layer(KerasFile *file, const char *json) {
    text_add(&file->layers, file->layers.length ? ", " : "");
    put_json(&file->layers, json);
}

// from: "x", "a b"; several calls are separated by '|'.
static inline void keras_layer(KerasFile *file, const char *class_name, const char *name, const char *config,
                               const char *from) {
    Text *to = &file->layers;
    text_add(to, "%s{\"class_name\": \"%s\", \"name\": \"%s\", \"config\": {\"name\": \"%s\"", to->length ? ", " : "",
             class_name, name, name);
    text_add(to, *config ? ", " : "");
    put_json(to, config);
    text_add(to, "}, \"inbound_nodes\": [");
    char copy[512];
    snprintf(copy, sizeof copy, "%s", from);
    for (char *save = NULL, *call = strtok_r(copy, "|", &save); call; call = strtok_r(NULL, "|", &save)) {
        text_add(to, call == copy ? "" : ", ");
        put_call(to, call, file->is_dict_form);
    }
    text_add(to, "]}");
}

static inline void put_end(Text *to, const char *name, int call) {
    text_add(to, "%s[\"%s\", %d, 0]", to->length ? ", " : "", name, call);
}

// dims with the batch: "null,4,4,1"
static inline void keras_input(KerasFile *file, const char *name, const char *dims) {
    char config[128];
    snprintf(config, sizeof config, "'batch_%sshape':[%s],'dtype':'float32'", file->is_dict_form ? "" : "input_", dims);
    keras_layer(file, "InputLayer", name, config, "");
    put_end(&file->inputs, name, 0);
}

static inline void keras_output(KerasFile *file, const char *name) { put_end(&file->outputs, name, 0); }

static inline int64_t count_of_dims(const char *dims) {
    int64_t count = 1;
    for (const char *at = dims; *at; at += strcspn(at, ","), at += *at == ',') count *= atoll(at);
    return count;
}

static inline void keras_weight(KerasFile *file, const char *layer, const char *name, const char *dims,
                                const float *values) {
    REQUIRE(file->n_weights < KERAS_MOST_WEIGHTS);
    KerasMadeWeight *weight = &file->weights[file->n_weights++];
    const size_t bytes = (size_t)count_of_dims(dims) * sizeof *values;
    snprintf(weight->layer, sizeof weight->layer, "%s", layer);
    snprintf(weight->name, sizeof weight->name, "%s", name);
    snprintf(weight->dims, sizeof weight->dims, "%s", dims);
    weight->values = malloc(bytes + 1);
    REQUIRE(weight->values);
    memcpy(weight->values, values, bytes);
}

// Values 0.1, 0.2 ... -0.3, not all alike.
static inline void keras_some_weight(KerasFile *file, const char *layer, const char *name, const char *dims) {
    float values[4096];
    const int64_t count = count_of_dims(dims);
    REQUIRE(count <= 4096);
    for (int64_t i = 0; i < count; i++) values[i] = (float)((i * 7 + 3) % 11 - 5) * 0.1f;
    keras_weight(file, layer, name, dims, values);
}

static inline void keras_drop(KerasFile *file) {
    text_free(&file->layers);
    text_free(&file->inputs);
    text_free(&file->outputs);
    for (size_t i = 0; i < file->n_weights; i++) free(file->weights[i].values);
}

// The configuration of the whole model; free the text.
static inline Text keras_config(const KerasFile *file) {
    Text json = {0};
    if (file->raw_config) put_json(&json, file->raw_config);
    else {
        text_add(&json,
                 "{\"class_name\": \"Functional\", \"config\": {\"name\": \"model\", \"layers\": [%s], "
                 "\"input_layers\": [%s], \"output_layers\": [%s]}}",
                 text_get(&file->layers), text_get(&file->inputs), text_get(&file->outputs));
    }
    return json;
}

// ---- groups

// The group of a path "layers/conv2d", made at need. Groups of one level of a path have to be different ones.
typedef struct MadeGroup {
    char path[128];
    size_t id;
} MadeGroup;
typedef struct MadeGroups {
    MadeGroup groups[KERAS_MOST_WEIGHTS * 4];
    size_t count;
} MadeGroups;

static inline size_t group_of(H5Make *made, MadeGroups *groups, const char *path) {
    if (!*path) return H5MAKE_ROOT;
    for (size_t i = 0; i < groups->count; i++)
        if (!strcmp(groups->groups[i].path, path)) return groups->groups[i].id;
    char parent[128];
    snprintf(parent, sizeof parent, "%s", path);
    char *slash = strrchr(parent, '/');
    const char *name = slash ? path + (slash - parent) + 1 : path;
    *(slash ? slash : parent) = 0;
    const size_t id = h5make_group(made, group_of(made, groups, parent), name);
    REQUIRE(groups->count < COUNT_OF(groups->groups));
    snprintf(groups->groups[groups->count].path, sizeof groups->groups[0].path, "%s", path);
    groups->groups[groups->count++].id = id;
    return id;
}

// ---- .h5

static inline bool is_first_of_layer(const KerasFile *file, size_t weight) {
    for (size_t i = 0; i < weight; i++)
        if (!strcmp(file->weights[i].layer, file->weights[weight].layer)) return false;
    return true;
}

// The dataset of a path "layer/conv/kernel:0".
static inline void put_dataset(H5Make *made, MadeGroups *groups, const char *path, const KerasMadeWeight *weight) {
    char parent[128];
    snprintf(parent, sizeof parent, "%s", path);
    char *slash = strrchr(parent, '/');
    *(slash ? slash : parent) = 0;
    h5make_floats(made, group_of(made, groups, parent), slash ? path + (slash - parent) + 1 : path, weight->dims,
                  weight->values);
}

static inline void put_layer_weights(const KerasFile *file, H5Make *to, MadeGroups *groups, const char *layer) {
    const char *names[KERAS_MOST_WEIGHTS];
    size_t count = 0;
    char path[128];
    for (size_t i = 0; i < file->n_weights; i++) {
        if (strcmp(file->weights[i].layer, layer)) continue;
        names[count++] = file->weights[i].name;
        snprintf(path, sizeof path, "model_weights/%s/%s", layer, file->weights[i].name);
        put_dataset(to, groups, path, &file->weights[i]);
    }
    snprintf(path, sizeof path, "model_weights/%s", layer);
    h5make_texts(to, group_of(to, groups, path), "weight_names", names, count);
}

static inline Text keras_bytes(KerasFile *file) {
    H5Make made = h5make_begin();
    Text config = keras_config(file);
    h5make_text(&made, H5MAKE_ROOT, "model_config", text_get(&config));
    if (*file->version) h5make_text(&made, H5MAKE_ROOT, "keras_version", file->version);
    if (file->training) h5make_text(&made, H5MAKE_ROOT, "training_config", file->training);
    MadeGroups groups = {.count = 0};
    group_of(&made, &groups, "model_weights");
    for (size_t i = 0; i < file->n_weights; i++)
        if (is_first_of_layer(file, i)) put_layer_weights(file, &made, &groups, file->weights[i].layer);
    text_free(&config);
    keras_drop(file);
    return h5make_finish(&made);
}

static inline const char *save_bytes(Text *bytes, const char *name) {
    const char *path = test_temp(name);
    CHECK_OK(file_write(path, bytes->data, bytes->length));
    text_free(bytes);
    return path;
}

// Writes the file into this run's folder and drops it.
static inline const char *keras_save(KerasFile *file, const char *name) {
    Text bytes = keras_bytes(file);
    return save_bytes(&bytes, name);
}

// ---- .keras

typedef struct ZipMake {
    Text file, directory;
    unsigned count;
} ZipMake;

static inline void put_zip_entry(Text *to, const char *name, const Text *data, int64_t offset) {
    const bool is_row = offset >= 0;
    h5put(to, is_row ? 0x02014b50 : 0x04034b50, 4);
    if (is_row) h5put(to, 20, 2);
    h5put(to, 20, 2);
    h5put(to, 0, 2); // flags
    h5put(to, 0, 2); // stored
    h5put(to, 0x21, 4);
    h5put(to, crc32(0, (const Bytef *)text_get(data), (uInt)data->length), 4);
    h5put(to, data->length, 4);
    h5put(to, data->length, 4);
    h5put(to, strlen(name), 2);
    h5put(to, 0, 2);
    if (is_row) h5put(to, 0, 8);
    if (is_row) h5put(to, 0, 2);
    if (is_row) h5put(to, (uint64_t)offset, 4);
    text_bytes(to, name, strlen(name));
}

// Frees the data.
static inline void zip_add(ZipMake *zip, const char *name, Text *data) {
    put_zip_entry(&zip->directory, name, data, (int64_t)zip->file.length);
    put_zip_entry(&zip->file, name, data, -1);
    text_bytes(&zip->file, text_get(data), data->length);
    zip->count++;
    text_free(data);
}

static inline Text zip_finish(ZipMake *zip) {
    const size_t start = zip->file.length;
    text_bytes(&zip->file, text_get(&zip->directory), zip->directory.length);
    h5put(&zip->file, 0x06054b50, 4);
    h5put(&zip->file, 0, 4);
    h5put(&zip->file, zip->count, 2);
    h5put(&zip->file, zip->count, 2);
    h5put(&zip->file, zip->directory.length, 4);
    h5put(&zip->file, start, 4);
    h5put(&zip->file, 0, 2);
    text_free(&zip->directory);
    return zip->file;
}

// Weights of one layer have its path ("layers/conv2d", "layers/functional/layers/conv2d") as the layer's name, and are
// numbered as they come.
static inline Text keras_zip_bytes(KerasFile *file) {
    H5Make made = h5make_begin();
    MadeGroups groups = {.count = 0};
    ZipMake zip = {.count = 0};
    for (size_t i = 0; i < file->n_weights; i++) {
        char path[128];
        size_t before = 0;
        for (size_t k = 0; k < i; k++) before += !strcmp(file->weights[k].layer, file->weights[i].layer);
        snprintf(path, sizeof path, "%s/vars/%zu", file->weights[i].layer, before);
        put_dataset(&made, &groups, path, &file->weights[i]);
    }
    Text metadata = {0}, config = keras_config(file);
    text_add(&metadata, "{\"keras_version\": \"%s\"}", file->version);
    zip_add(&zip, "metadata.json", &metadata);
    zip_add(&zip, "config.json", &config);
    Text weights = h5make_finish(&made);
    zip_add(&zip, "model.weights.h5", &weights);
    keras_drop(file);
    return zip_finish(&zip);
}

static inline const char *keras_save_zip(KerasFile *file, const char *name) {
    Text bytes = keras_zip_bytes(file);
    return save_bytes(&bytes, name);
}

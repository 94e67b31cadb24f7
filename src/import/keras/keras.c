#include "import/keras/keras.h"
#include "base/zip.h"
#include "import/keras/build.h"
#include "import/keras/weights.h"
#include "import/limits.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>

// ---- version

// "2.2.4-tf"; older files do not tell: 1.
static void read_version(const char *text, KerasImport *import) {
    import->version = 1;
    import->minor = 0;
    if (!text || *text < '1' || *text > '9') return;
    import->version = (int)MIN(strtol(text, NULL, 10), 99L);
    const char *dot = strchr(text, '.');
    if (dot && dot[1] >= '0' && dot[1] <= '9') import->minor = (int)MIN(strtol(dot + 1, NULL, 10), 999L);
}

static const char *format_of(const KerasImport *import) {
    static const char *const formats[2][3] = {{"Keras 1 (.h5)", "Keras 2 (.h5)", "Keras 3 (.h5)"},
                                              {"Keras 1 (.keras)", "Keras 2 (.keras)", "Keras 3 (.keras)"}};
    return formats[import->is_zip][MIN(import->version, 3) - 1];
}

// ---- notes

static void add_note(Text *notes, int count, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void add_note(Text *notes, int count, const char *format, ...) {
    if (count == 0) return;
    if (notes->length) text_add(notes, "; ");
    va_list args;
    va_start(args, format);
    text_addv(notes, format, args);
    va_end(args);
}

static Status tell_notes(const KerasNotes *found, Text *notes) {
    add_note(notes, found->batch_statistics,
             "%d BatchNormalization layers take the statistics of each image (they were called with training=True)",
             found->batch_statistics);
    add_note(notes, found->random,
             "%d random layers (noise, augmentation) do nothing here (they were called with training=True)",
             found->random);
    add_note(notes, found->half_weights, "%d weights are not float32; they are taken as float32", found->half_weights);
    add_note(notes, found->mixed_precision, "computed in float32 (the model asks for another precision)");
    add_note(notes, found->old_resize, "bilinear resizing as from Keras 2.3 on (half-pixel centres)");
    return text_status(notes);
}

// Losses and metrics that Keras has itself; whatever else is named is the user's.
static const char known_losses[] =
    "accuracy acc auc binary_accuracy binaryaccuracy binary_crossentropy binarycrossentropy binary_focal_crossentropy "
    "binaryfocalcrossentropy binary_io_u binaryiou categorical_accuracy categoricalaccuracy categorical_crossentropy "
    "categoricalcrossentropy categorical_focal_crossentropy categoricalfocalcrossentropy categorical_hinge "
    "categoricalhinge cosine_similarity cosinesimilarity crossentropy dice f1score falsenegatives falsepositives "
    "fbetascore hinge huber huber_loss iou kld kl_divergence kldivergence kullback_leibler_divergence log_cosh logcosh "
    "loss mae mape mean mean_absolute_error meanabsoluteerror mean_absolute_percentage_error "
    "meanabsolutepercentageerror mean_squared_error meansquarederror mean_squared_logarithmic_error "
    "meansquaredlogarithmicerror meaniou mse msle onehotiou onehotmeaniou poisson precision recall "
    "rootmeansquarederror sparse_categorical_accuracy sparsecategoricalaccuracy sparse_categorical_crossentropy "
    "sparsecategoricalcrossentropy squared_hinge squaredhinge truenegatives truepositives tversky";

static bool is_known_loss(const char *name) {
    const size_t length = strlen(name);
    for (const char *at = known_losses; *at; at += *at == ' ') {
        if (strncasecmp(at, name, length) == 0 && (at[length] == ' ' || !at[length])) return true;
        at += strcspn(at, " ");
    }
    return false;
}

// The first name of a loss or metric that is not Keras' own; NULL: none. They may be texts, lists, dictionaries by
// output, {"class_name": "Dice", "config": {...}}, {"class_name": "function", "config": "my_loss"}.
static const char *custom_name(const Json *json, int depth) {
    if (!json || depth == 0) return NULL;
    if (json->type == JSON_STRING) return is_known_loss(json->string) ? NULL : json->string;
    const Json *class_name = json_get(json, "class_name"), *config = json_get(json, "config");
    if (class_name && config && config->type == JSON_STRING) return custom_name(config, depth - 1);
    if (class_name) return custom_name(class_name, depth - 1);
    for (size_t i = 0; (json->type == JSON_ARRAY || json->type == JSON_OBJECT) && i < json->count; i++) {
        const char *name = custom_name(&json->items[i], depth - 1);
        if (name) return name;
    }
    return NULL;
}

static void note_training(const Json *training, Text *notes) {
    const char *name = custom_name(json_get(training, "loss"), 6);
    if (!name) name = custom_name(json_get(training, "metrics"), 6);
    add_note(notes, name != NULL, "training settings ignored (custom loss or metric '%.100s')", name ? name : "");
}

// ---- both formats

static Status build_from(KerasImport *import, const Json *config, const H5Object *weights, Imported *out) {
    KerasModel *model;
    out->format = format_of(import);
    TRY(keras_read_model(import->scratch, config, &model));
    TRY(keras_find_kinds(import, model));
    TRY(keras_find_weights(import, weights, model));
    TRY(keras_build(import, model));
    return tell_notes(&import->notes, &out->notes);
}

// ---- .h5

static Status explain_h5(const H5Object *root) {
    static const char *const signs[] = {"layers", "_layer_checkpoint_dependencies", "model_weights"};
    const char **names = NULL;
    size_t count;
    H5Object found;
    TRY(h5_attr_texts(root, "layer_names", &names, &count));
    bool is_weights = names != NULL;
    for (size_t i = 0; i < COUNT_OF(signs) && !is_weights; i++) TRY(h5_find(root, signs[i], &found, &is_weights));
    FAIL_IF(is_weights, ST_UNSUPPORTED,
            "this file has the weights of a Keras model, but not its layers; save the whole model (model.save)");
    return fail(ST_UNSUPPORTED, "this is an HDF5 file without a Keras model; save the whole model (model.save)");
}

static Status h5_version(const H5Object *root, KerasImport *import) {
    const char *version = NULL, *backend = NULL;
    H5Object weights;
    bool is_found = false;
    TRY(h5_attr_text(root, "keras_version", &version));
    TRY(h5_attr_text(root, "backend", &backend));
    TRY(h5_find(root, "model_weights", &weights, &is_found));
    if (is_found && !version) TRY(h5_attr_text(&weights, "keras_version", &version));
    if (is_found && !backend) TRY(h5_attr_text(&weights, "backend", &backend));
    read_version(version, import);
    import->is_theano = backend && strcmp(backend, "theano") == 0;
    return ST_OK;
}

// What cannot be read of it does not matter.
static void note_h5_training(const H5Object *root, KerasImport *import, Text *notes) {
    const char *text = NULL;
    Json *training;
    if (h5_attr_text(root, "training_config", &text) == ST_OK && text &&
        config_parse(import->scratch, text, strlen(text), &training) == ST_OK) {
        note_training(training, notes);
    }
    error_clear();
}

static Status import_h5(KerasImport *import, const Mapping *file, Imported *out) {
    H5Object root;
    const char *text = NULL;
    Json *config;
    TRY(h5_open(&import->graph->arena, file->data, file->size, &root));
    TRY(h5_attr_text(&root, "model_config", &text));
    if (!text) return explain_h5(&root);
    TRY(h5_version(&root, import));
    const Status status = config_parse(import->scratch, text, strlen(text), &config);
    if (status != ST_OK) return fail_context(status, "attribute 'model_config'");
    note_h5_training(&root, import, &out->notes);
    return build_from(import, config, &root, out);
}

// ---- .keras

static Status read_member(KerasImport *import, const Zip *zip, const char *name, Json **out) {
    const ZipEntry *entry = zip_find(zip, name);
    const uint8_t *data;
    FAIL_IF(!entry, ST_BAD, "expected '%s' in the zip, got none", name);
    TRY(zip_data(import->scratch, zip, entry, &data));
    const Status status = config_parse(import->scratch, (const char *)data, entry->size, out);
    return status == ST_OK ? ST_OK : fail_context(status, "%s", name);
}

static Status zip_version(KerasImport *import, const Zip *zip) {
    Json *metadata;
    TRY(read_member(import, zip, "metadata.json", &metadata));
    const Json *version = json_get(metadata, "keras_version");
    read_version(version && version->type == JSON_STRING ? version->string : "3", import);
    return ST_OK;
}

static Status import_zip(KerasImport *import, const Mapping *file, Imported *out) {
    Zip zip;
    Json *config;
    const uint8_t *data;
    H5Object root;
    TRY(zip_open(import->scratch, file->data, file->size, &zip));
    TRY(zip_version(import, &zip));
    TRY(read_member(import, &zip, "config.json", &config));
    const ZipEntry *weights = zip_find(&zip, "model.weights.h5");
    FAIL_IF(!weights, ST_BAD, "expected 'model.weights.h5' in the zip, got none");
    TRY(zip_data(&import->graph->arena, &zip, weights, &data));
    const Status status = h5_open(&import->graph->arena, data, weights->size, &root);
    if (status != ST_OK) return fail_context(status, "model.weights.h5");
    note_training(json_get(config, "compile_config"), &out->notes);
    return build_from(import, config, &root, out);
}

// ----

static bool is_zip(const Mapping *file) { return file->size >= 4 && memcmp(file->data, "PK\x03\x04", 4) == 0; }

Status keras_import(const char *path, const ImportOptions *options, Imported *out) {
    (void)path; // all is in one file
    Arena scratch = {.limit = (size_t)LIMIT_DESCRIPTION_BYTES};
    const Mapping *file = &out->mappings[0];
    TRY(graph_create(&out->graph));
    KerasImport import = {.graph = out->graph, .scratch = &scratch, .options = options, .is_zip = is_zip(file)};
    const Status status = import.is_zip ? import_zip(&import, file, out) : import_h5(&import, file, out);
    arena_free(&scratch);
    return status;
}

// Imports a Keras model and runs it.
#pragma once
#include "import/keras_writer.h"
#include "import/run_check.h"

// A model of one layer "y" that takes "x"; without weights so far.
static inline KerasFile one_layer(const char *version, const char *dims, const char *class_name, const char *config) {
    KerasFile file = keras_file(version);
    keras_input(&file, "x", dims);
    keras_layer(&file, class_name, "y", config, "x");
    keras_output(&file, "y");
    return file;
}
// dims, class, config (' for "), values of x, expected values
#define CHECK_LAYER(version, dims, class_name, config, x, ...)                                                         \
    do {                                                                                                               \
        KerasFile file_ = one_layer(version, dims, class_name, config);                                                \
        CHECK_RUN(keras_save(&file_, "m.h5"), x, __VA_ARGS__);                                                         \
    } while (0)

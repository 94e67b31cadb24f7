// Normalisation and activations of Keras.
#include "import/keras_check.h"

static const float quarter = 0.25f;

static KerasFile norm_file(const char *dims, const char *class_name, const char *config, const char *names,
                           const char *count, const float *values) {
    KerasFile file = one_layer("2.13.1", dims, class_name, config);
    const int64_t n = atoll(count);
    char copy[128];
    snprintf(copy, sizeof copy, "%s", names);
    for (char *save = NULL, *name = strtok_r(copy, " ", &save); name; name = strtok_r(NULL, " ", &save), values += n) {
        char full[64];
        snprintf(full, sizeof full, "y/%s:0", name);
        keras_weight(&file, "y", full, count, values);
    }
    return file;
}

TEST(keras_batch_norm) {
    // (x - mean) / sqrt(variance + 0.25) gamma + beta: variances 0.75 and 3.75
    KerasFile file = norm_file("null,1,2,2", "BatchNormalization", "'axis':[3],'epsilon':0.25",
                               "gamma beta moving_mean moving_variance", "2", FLOATS(2, 4, 1, -1, 1, 2, 0.75f, 3.75f));
    CHECK_RUN(keras_save(&file, "m.h5"), FLOATS(1, 2, 3, 6), 1, -1, 5, 7);
    file = norm_file("null,1,2,2", "BatchNormalization", "'axis':-1,'epsilon':0.25,'scale':false",
                     "beta moving_mean moving_variance", "2", FLOATS(1, -1, 1, 2, 0.75f, 3.75f));
    CHECK_RUN(keras_save(&file, "m.h5"), FLOATS(1, 2, 3, 6), 1, -1, 3, 1);
    file = norm_file("null,2,1,2", "BatchNormalization", "'axis':1,'epsilon':0.25,'center':false",
                     "gamma moving_mean moving_variance", "2", FLOATS(2, 4, 1, 2, 0.75f, 3.75f));
    CHECK_RUN(keras_save(&file, "m.h5"), FLOATS(1, 3, 2, 6), 0, 4, 0, 8);
    file = norm_file("null,2", "BatchNormalization", "'epsilon':0.25,'center':false,'scale':false",
                     "moving_mean moving_variance", "2", FLOATS(1, 2, 0.75f, 3.75f));
    CHECK_RUN(keras_save(&file, "m.h5"), FLOATS(2, 4), 1, 1);
}

// Called with training=True: by the statistics of the image, whatever the moving ones are.
TEST(keras_batch_norm_in_training) {
    KerasFile file = keras_file("2.0.6");
    keras_input(&file, "x", "null,1,2,2");
    keras_raw_layer(&file, "{'class_name':'BatchNormalization','name':'y','config':{'name':'y','epsilon':1.25},"
                           "'inbound_nodes':[[['x',0,0,{'training':true}]]]}");
    keras_output(&file, "y");
    const float weights[] = {2, 4, 1, -1, 100, 200, 5, 6};
    static const char *const names[] = {"gamma", "beta", "moving_mean", "moving_variance"};
    for (int i = 0; i < 4; i++) keras_weight(&file, "y", names[i], "2", weights + 2 * i);
    const char *path = keras_save(&file, "m.h5");
    // means 2 and 5, variances 1 and 1: 1 / sqrt(2.25) = 2 / 3
    CHECK_RUN(path, FLOATS(1, 4, 3, 6), 1 - 4.0f / 3, -1 - 8.0f / 3, 1 + 4.0f / 3, -1 + 8.0f / 3);
    Imported model;
    CHECK_OK(import_model(path, NULL, &model));
    CHECK_MSG(strstr(text_get(&model.notes), "1 BatchNormalization"), "notes: %s", text_get(&model.notes));
    CHECK_TEXT(model.format, "Keras 2 (.h5)");
    import_free(&model);
}

TEST(keras_layer_norm) {
    // each pixel over its channels: mean 2, variance 1, epsilon 0.5625: 1 / 1.25
    KerasFile file = norm_file("null,1,2,2", "LayerNormalization", "'axis':[3],'epsilon':0.5625", "gamma beta", "2",
                               FLOATS(5, 10, 1, 2));
    CHECK_RUN(keras_save(&file, "m.h5"), FLOATS(1, 3, 5, 7), -3, 10, -3, 10);
    file = norm_file("null,2,1,2", "LayerNormalization", "'axis':1,'epsilon':0.5625", "gamma beta", "2",
                     FLOATS(5, 10, 1, 2));
    CHECK_RUN(keras_save(&file, "m.h5"), FLOATS(1, 5, 3, 7), -3, -3, 10, 10);
    CHECK_LAYER("2.13.1", "null,1,2,2", "LayerNormalization", "'axis':[1,2,3],'scale':false,'center':false,'epsilon':0",
                FLOATS(0, 0, 2, 2), -1, -1, 1, 1);
    file = norm_file("null,1,2,2", "LayerNormalization", "'axis':[2]", "gamma beta", "2", FLOATS(5, 10, 1, 2));
    check_refused_with(keras_save(&file, "m.h5"), NULL, ST_UNSUPPORTED, "layer 'y' (LayerNormalization)|'axis'");
}

TEST(keras_group_norm) {
    const float weights[] = {1, 2, 3, 4, 0, 0, 1, 1};
    // two groups of two channels and one pixel: means 2 and 6, variances 1 and 4, epsilon 0
    KerasFile file =
        norm_file("null,1,1,4", "GroupNormalization", "'groups':2,'axis':-1,'epsilon':0", "gamma beta", "4", weights);
    CHECK_RUN(keras_save(&file, "m.h5"), FLOATS(1, 3, 4, 8), -1, 2, -2, 5);
    file = norm_file("null,4,1,1", "Addons>GroupNormalization", "'groups':2,'axis':1,'epsilon':0", "gamma beta", "4",
                     weights);
    CHECK_RUN(keras_save(&file, "m.h5"), FLOATS(1, 3, 4, 8), -1, 2, -2, 5);
    file = norm_file("null,1,1,4", "GroupNormalization", "'groups':3", "gamma beta", "4", weights);
    check_refused_with(keras_save(&file, "m.h5"), NULL, ST_BAD, "'groups': expected a divisor of 4 channels, got 3");
}

TEST(keras_instance_norm) {
    const float weights[] = {3, 5, 1, 2};
    // channels 1, 5 and 2, 4: means 3 and 3, variances 4 and 1; epsilon 2.25
    KerasFile file =
        norm_file("null,1,2,2", "GroupNormalization", "'groups':-1,'epsilon':2.25", "gamma beta", "2", weights);
    CHECK_RUN(keras_save(&file, "m.h5"), FLOATS(1, 2, 5, 4), 1 - 6 / 2.5f, 2 - 5 / sqrtf(3.25f), 1 + 6 / 2.5f,
              2 + 5 / sqrtf(3.25f));
    file = norm_file("null,1,2,2", "Addons>InstanceNormalization", "'axis':-1,'epsilon':2.25,'groups':2", "gamma beta",
                     "2", weights);
    CHECK_RUN(keras_save(&file, "m.h5"), FLOATS(1, 2, 5, 4), 1 - 6 / 2.5f, 2 - 5 / sqrtf(3.25f), 1 + 6 / 2.5f,
              2 + 5 / sqrtf(3.25f));
    // keras_contrib: x / (deviation + epsilon)
    file = norm_file("null,1,2,2", "InstanceNormalization", "'axis':-1,'epsilon':1,'scale':true,'center':true",
                     "gamma beta", "2", weights);
    CHECK_RUN(keras_save(&file, "m.h5"), FLOATS(1, 2, 5, 4), 1 - 2, 2 - 2.5f, 1 + 2, 2 + 2.5f);
    file = norm_file("null,2,1,2", "InstanceNormalization", "'axis':1,'epsilon':1", "gamma beta", "2", weights);
    CHECK_RUN(keras_save(&file, "m.h5"), FLOATS(1, 5, 2, 4), 1 - 2, 1 + 2, 2 - 2.5f, 2 + 2.5f);
    file = norm_file("null,1,1,2", "InstanceNormalization", "'axis':null,'epsilon':1", "gamma beta", "1", FLOATS(4, 1));
    CHECK_RUN(keras_save(&file, "m.h5"), FLOATS(1, 3), -1, 3);
}

TEST(keras_unit_norm_and_normalization) {
    CHECK_LAYER("2.13.1", "null,2,2", "UnitNormalization", "'axis':[-1]", FLOATS(3, 4, 0, 0), 0.6f, 0.8f, 0, 0);
    CHECK_LAYER("2.13.1", "null,1,2", "Normalization", "'axis':[-1],'mean':[1,2],'variance':[4,0]", FLOATS(3, 2), 1, 0);
    CHECK_LAYER("2.13.1", "null,1,2", "Normalization", "'axis':null,'mean':1,'variance':4,'invert':true", FLOATS(3, 2),
                7, 5);
    KerasFile file = norm_file("null,1,2", "Normalization", "'axis':[-1],'mean':null,'variance':null", "mean variance",
                               "2", FLOATS(1, 2, 4, 0.25f));
    keras_weight(&file, "y", "y/count:0", "", &quarter);
    CHECK_RUN(keras_save(&file, "m.h5"), FLOATS(3, 3), 1, 2);
}

#define ACTIVATION(version, name, x, expected)                                                                         \
    CHECK_LAYER(version, "null,1", "Activation", "'activation':'" name "'", FLOATS(x), expected)

TEST(keras_activations) {
    ACTIVATION("2.13.1", "linear", -3, -3);
    ACTIVATION("2.13.1", "relu", -3, 0);
    ACTIVATION("2.13.1", "relu6", 7, 6);
    ACTIVATION("2.13.1", "elu", -1, expf(-1) - 1);
    ACTIVATION("2.13.1", "selu", -1, 1.05070098f * 1.67326324f * (expf(-1) - 1));
    ACTIVATION("2.13.1", "sigmoid", 1, 1 / (1 + expf(-1)));
    ACTIVATION("2.13.1", "hard_sigmoid", 1, 0.7f);
    ACTIVATION("3.1.0", "hard_sigmoid", 1, 1 / 6.0f + 0.5f);
    ACTIVATION("2.13.1", "tanh", 1, tanhf(1));
    ACTIVATION("2.13.1", "softplus", 1, logf(1 + expf(1)));
    ACTIVATION("2.13.1", "softsign", -3, -0.75f);
    ACTIVATION("2.13.1", "swish", 1, 1 / (1 + expf(-1)));
    ACTIVATION("3.1.0", "silu", 1, 1 / (1 + expf(-1)));
    ACTIVATION("2.13.1", "gelu", 1, 0.8413447f);
    ACTIVATION("2.13.1", "exponential", 1, expf(1));
    ACTIVATION("2.13.1", "leaky_relu", -1, -0.2f);
    ACTIVATION("2.13.1", "mish", 1, tanhf(logf(1 + expf(1))));
    ACTIVATION("2.13.1", "Addons>mish", 1, tanhf(logf(1 + expf(1))));
    ACTIVATION("3.1.0", "log_sigmoid", 1, -logf(1 + expf(-1)));
    ACTIVATION("3.1.0", "hard_silu", 1, 1 / 6.0f + 0.5f);
    ACTIVATION("3.1.0", "hard_tanh", -7, -1);
    CHECK_LAYER("2.13.1", "null,2", "Activation", "'activation':'softmax'", FLOATS(0, logf(3)), 0.25f, 0.75f);
    CHECK_LAYER("2.13.1", "null,2", "Activation", "'activation':'log_softmax'", FLOATS(0, logf(3)), logf(0.25f),
                logf(0.75f));
}

// As Keras 3 writes functions, and layers in the place of functions.
TEST(keras_activations_as_objects) {
    CHECK_LAYER(
        "3.1.0", "null,1", "Activation",
        "'activation':{'module':'builtins','class_name':'function','config':'relu','registered_name':'function'}",
        FLOATS(-1), 0);
    CHECK_LAYER("3.1.0", "null,1", "Activation",
                "'activation':{'class_name':'LeakyReLU','config':{'name':'l','negative_slope':0.5}}", FLOATS(-1),
                -0.5f);
    KerasFile file = one_layer("3.1.0", "null,1", "Activation", "'activation':{'class_name':'MyThing','config':{}}");
    check_refused_with(keras_save(&file, "m.h5"), NULL, ST_UNSUPPORTED, "activation MyThing (1 layer)");
}

TEST(keras_activation_layers) {
    CHECK_LAYER("2.13.1", "null,4", "ReLU", "'max_value':6,'negative_slope':0,'threshold':0", FLOATS(-1, 2, 6, 9), 0, 2,
                6, 6);
    CHECK_LAYER("2.13.1", "null,3", "ReLU", "'max_value':null,'negative_slope':0.5,'threshold':0.0", FLOATS(-2, 2, 9),
                -1, 2, 9);
    CHECK_LAYER("2.13.1", "null,3", "ReLU", "'max_value':6,'negative_slope':0.5,'threshold':0", FLOATS(-2, 2, 9), -1, 2,
                6);
    CHECK_LAYER("2.13.1", "null,4", "ReLU", "'max_value':6,'negative_slope':0.5,'threshold':1", FLOATS(-1, 0, 2, 9), -1,
                -0.5f, 2, 6);
    CHECK_LAYER("2.13.1", "null,2", "ReLU", "'max_value':Infinity", FLOATS(-1, 9e9f), 0, 9e9f);
    CHECK_LAYER("2.13.1", "null,2", "LeakyReLU", "'alpha':0.25", FLOATS(-1, 2), -0.25f, 2);
    CHECK_LAYER("3.1.0", "null,2", "LeakyReLU", "'negative_slope':0.25", FLOATS(-1, 2), -0.25f, 2);
    CHECK_LAYER("2.13.1", "null,2", "LeakyReLU", "", FLOATS(-1, 2), -0.3f, 2);
    CHECK_LAYER("2.13.1", "null,3", "ThresholdedReLU", "'theta':1", FLOATS(-1, 1, 2), 0, 0, 2);
    CHECK_LAYER("2.13.1", "null,2", "ELU", "'alpha':0.5", FLOATS(-1, 2), 0.5f * (expf(-1) - 1), 2);
    CHECK_LAYER("2.13.1", "null,2,2", "Softmax", "'axis':1", FLOATS(0, 0, logf(3), 0), 0.25f, 0.5f, 0.75f, 0.5f);
}

TEST(keras_prelu) {
    KerasFile file = one_layer("2.13.1", "null,1,2,2", "PReLU", "'shared_axes':[1,2]");
    keras_weight(&file, "y", "y/alpha:0", "1,1,2", FLOATS(0.5f, 0.25f));
    CHECK_RUN(keras_save(&file, "m.h5"), FLOATS(-1, -1, 2, -4), -0.5f, -0.25f, 2, -1);
    file = one_layer("2.13.1", "null,2,1", "PReLU", "'shared_axes':null");
    keras_weight(&file, "y", "y/alpha:0", "2,1", FLOATS(0.5f, 0.25f));
    CHECK_RUN(keras_save(&file, "m.h5"), FLOATS(-1, -1), -0.5f, -0.25f);
    file = one_layer("2.13.1", "null,2,1", "PReLU", "'shared_axes':[3]");
    keras_weight(&file, "y", "y/alpha:0", "2,1", FLOATS(0.5f, 0.25f));
    check_refused_with(keras_save(&file, "m.h5"), NULL, ST_BAD, "'shared_axes'");
}

// Convolutions and fully connected layers of Keras. Expected values are from plain loops written after TensorFlow's
// description of its padding (tf.nn.convolution, tf.nn.conv_transpose).
#include "import/keras_check.h"

// -1, 1.5, -0.5, 2, 0, -2, 0.5, -1.5, 1, -1 ...
static const float *some_input(void) {
    static float values[64];
    for (int i = 0; i < 64; i++) values[i] = (float)((i * 5 + 2) % 9 - 4) * 0.5f;
    return values;
}

// One layer with a kernel and perhaps a bias (dims NULL: none) of keras_some_weight's values.
static KerasFile conv_file(const char *dims, const char *class_name, const char *config, const char *kernel,
                           const char *bias) {
    KerasFile file = one_layer("2.13.1", dims, class_name, config);
    keras_some_weight(&file, "y", "y/kernel:0", kernel);
    if (bias) keras_some_weight(&file, "y", "y/bias:0", bias);
    return file;
}
#define CHECK_CONV(dims, class_name, config, kernel, bias, ...)                                                        \
    do {                                                                                                               \
        KerasFile file_ = conv_file(dims, class_name, config, kernel, bias);                                           \
        CHECK_RUN(keras_save(&file_, "m.h5"), some_input(), __VA_ARGS__);                                              \
    } while (0)

TEST(keras_conv_padding) {
    CHECK_CONV("null,3,3,1", "Conv2D", "'filters':2,'kernel_size':[2,2],'padding':'valid'", "2,2,1,2", "2", 0.95f,
               -0.45f, 0.25f, 0.8f, 0.2f, 1.05f, -1.4f, 1.4f);
    CHECK_CONV("null,3,3,1", "Conv2D", "'filters':1,'kernel_size':3,'padding':'same','strides':[2,2],'use_bias':false",
               "3,3,1,1", NULL, 0.2f, -1.25f, 1.2f, -0.15f);
    // 4 with stride 2 and a window of 3: the one that is padded stands at the end
    CHECK_CONV("null,4,4,2", "Conv2D", "'filters':1,'kernel_size':[3,3],'padding':'same','strides':2,'use_bias':false",
               "3,3,2,1", NULL, -0.45f, -2.2f, 0.2f, 0.75f);
    CHECK_CONV("null,5,1", "Conv1D",
               "'filters':1,'kernel_size':[2],'padding':'causal','dilation_rate':[2],'use_bias':false", "2,1,1", NULL,
               -0.5f, 0.75f, -0.05f, 0.7f, 0.1f);
    CHECK_CONV("null,3,3,1", "Conv2D",
               "'filters':1,'kernel_size':[2,2],'padding':'same','dilation_rate':2,'use_bias':false", "2,2,1,1", NULL,
               0, 0.8f, 0, 1.2f, -0.3f, -0.45f, 0, -1.4f, 0);
}

TEST(keras_conv_groups) {
    CHECK_CONV("null,2,2,2", "Conv2D", "'filters':4,'kernel_size':[1,1],'groups':2,'use_bias':false", "1,1,1,4", NULL,
               0.2f, -0.5f, 0.15f, -0.45f, 0.1f, -0.25f, 0.2f, -0.6f, 0, 0, -0.2f, 0.6f, -0.1f, 0.25f, -0.15f, 0.45f);
}

TEST(keras_conv_3d) {
    KerasFile file = one_layer("2.13.1", "null,2,1,1,1", "Conv3D", "'filters':1,'kernel_size':[2,1,1]");
    keras_weight(&file, "y", "y/kernel:0", "2,1,1,1,1", FLOATS(2, 3));
    keras_weight(&file, "y", "y/bias:0", "1", FLOATS(1));
    CHECK_RUN(keras_save(&file, "m.h5"), FLOATS(5, 7), 32);
}

TEST(keras_conv_channels_first) {
    // x (1, 2, 2, 2) with two channels of four pixels, a kernel that sums both with weights 1 and 10
    KerasFile file = one_layer("2.13.1", "null,2,2,2", "Conv2D",
                               "'filters':1,'kernel_size':[1,1],'data_format':'channels_first','activation':'relu'");
    keras_weight(&file, "y", "y/kernel:0", "1,1,2,1", FLOATS(1, 10));
    keras_weight(&file, "y", "y/bias:0", "1", FLOATS(-20));
    CHECK_RUN(keras_save(&file, "m.h5"), FLOATS(1, 2, 3, 4, 5, 6, 1, 2), 31, 42, 0, 4);
}

TEST(keras_conv_transpose) {
    CHECK_CONV(
        "null,2,2,1", "Conv2DTranspose",
        "'filters':1,'kernel_size':[3,3],'strides':[2,2],'padding':'same','output_padding':null,'use_bias':false",
        "3,3,1,1", NULL, 0.2f, -0.5f, -0.4f, 0.75f, 0.3f, -0.4f, -0.45f, 0.6f, 0.5f, -0.55f, -0.95f, 1.45f, 0.15f,
        -0.2f, -0.6f, 0.8f);
    CHECK_CONV("null,2,2,2", "Conv2DTranspose",
               "'filters':1,'kernel_size':[2,2],'strides':[2,2],'padding':'same','use_bias':false", "2,2,1,2", NULL,
               0.95f, -0.55f, 1.1f, -0.65f, -0.4f, 0.85f, -0.2f, 0.8f, -1, 0.6f, -0.85f, 0.5f, 0, -0.6f, 0.2f, -0.65f);
    CHECK_CONV("null,2,2,1", "Conv2DTranspose",
               "'filters':1,'kernel_size':[3,3],'strides':[2,2],'padding':'valid','use_bias':false", "3,3,1,1", NULL,
               0.2f, -0.5f, -0.4f, 0.75f, 0.15f, 0.3f, -0.4f, -0.45f, 0.6f, 0, 0.5f, -0.55f, -0.95f, 1.45f, 0.05f,
               0.15f, -0.2f, -0.6f, 0.8f, 0, 0.2f, -0.15f, -0.75f, 0.6f, -0.2f);
}

TEST(keras_conv_transpose_output_padding) {
    CHECK_CONV("null,2,2,1", "Conv2DTranspose",
               "'filters':1,'kernel_size':[3,3],'strides':[2,2],'padding':'same','output_padding':[1,1],"
               "'use_bias':false",
               "3,3,1,1", NULL, 0.2f, -0.5f, -0.4f, 0.75f, 0.3f, -0.4f, -0.45f, 0.6f, 0.5f, -0.55f, -0.95f, 1.45f,
               0.15f, -0.2f, -0.6f, 0.8f);
    CHECK_CONV("null,2,2,1", "Conv2DTranspose",
               "'filters':1,'kernel_size':[3,3],'strides':[2,2],'padding':'same','output_padding':0,'use_bias':false",
               "3,3,1,1", NULL, -0.4f, -0.45f, 0.6f, -0.55f, -0.95f, 1.45f, -0.2f, -0.6f, 0.8f);
    CHECK_CONV("null,2,2,1", "Conv2DTranspose",
               "'filters':1,'kernel_size':[2,2],'strides':[2,2],'padding':'valid','output_padding':[1,1],"
               "'use_bias':false",
               "2,2,1,1", NULL, 0.2f, -0.5f, -0.3f, 0.75f, 0, -0.1f, 0.3f, 0.15f, -0.45f, 0, 0.1f, -0.25f, -0.4f, 1, 0,
               -0.05f, 0.15f, 0.2f, -0.6f, 0, 0, 0, 0, 0, 0);
}

TEST(keras_conv_transpose_window_below_stride) {
    KerasFile file = conv_file("null,2,2,1", "Conv2DTranspose",
                               "'filters':1,'kernel_size':[2,2],'strides':[3,3],'padding':'valid','use_bias':false",
                               "2,2,1,1", NULL);
    check_shape(keras_save(&file, "m.h5"), "0x6x6x1");
    file = conv_file("null,2,1", "Conv1DTranspose",
                     "'filters':1,'kernel_size':[1],'strides':[3],'padding':'same','use_bias':false", "1,1,1", NULL);
    CHECK_RUN(keras_save(&file, "m.h5"), FLOATS(1, 2), -0.2f, 0, 0, -0.4f, 0, 0);
}

static KerasFile separable_file(void) {
    KerasFile file = one_layer("2.13.1", "null,2,2,2", "SeparableConv2D",
                               "'filters':2,'kernel_size':[2,2],'padding':'same','depth_multiplier':1");
    keras_some_weight(&file, "y", "y/depthwise_kernel:0", "2,2,2,1");
    keras_some_weight(&file, "y", "y/pointwise_kernel:0", "1,1,2,2");
    keras_some_weight(&file, "y", "y/bias:0", "2");
    return file;
}

TEST(keras_depthwise_and_separable) {
    KerasFile file = one_layer("2.13.1", "null,2,2,2", "DepthwiseConv2D",
                               "'kernel_size':[2,2],'padding':'same','depth_multiplier':2");
    keras_some_weight(&file, "y", "y/depthwise_kernel:0", "2,2,2,2");
    keras_some_weight(&file, "y", "y/bias:0", "4");
    CHECK_RUN(keras_save(&file, "m.h5"), some_input(), 0.05f, 0.05f, -0.5f, -0.35f, -0.15f, 0, 0, -0.6f, 0, 0.5f, 0.5f,
              -0.15f, -0.3f, 0.75f, -0.05f, 0.15f);
    file = separable_file();
    CHECK_RUN(keras_save(&file, "m.h5"), some_input(), -0.22f, 0.565f, -0.16f, 0.35f, -0.265f, 0.69f, -0.255f, 0.675f);
}

TEST(keras_dense) {
    CHECK_CONV("null,2", "Dense", "'units':3", "2,3", "3", -0.45f, 0.6f, 0);
    CHECK_CONV("null,2,2", "Dense", "'units':3", "2,3", "3", -0.45f, 0.6f, 0, -0.7f, 1.05f, 0.05f);
    CHECK_CONV("null,2", "Dense", "'units':3,'use_bias':false,'activation':'relu'", "2,3", NULL, 0, 0.1f, 0);
    CHECK_CONV("null,2,2", "TimeDistributed", "'layer':{'class_name':'Dense','config':{'name':'d','units':3}}", "2,3",
               "3", -0.45f, 0.6f, 0, -0.7f, 1.05f, 0.05f);
}

// Two calls of a layer are two convolutions with one kernel.
TEST(keras_shared_layer) {
    KerasFile file = keras_file("2.13.1");
    keras_input(&file, "a", "null,1,1,1");
    keras_input(&file, "b", "null,1,1,1");
    keras_layer(&file, "Conv2D", "c", "'filters':1,'kernel_size':[1,1]", "a|b");
    keras_layer(&file, "Subtract", "y", "", "c:1 c");
    keras_output(&file, "y");
    keras_weight(&file, "c", "c/kernel:0", "1,1,1,1", FLOATS(3));
    keras_weight(&file, "c", "c/bias:0", "1", FLOATS(1));
    const char *path = keras_save(&file, "m.h5");
    CHECK_RUN(path, FLOATS(2, 5), 9);
    Imported model;
    int kernels = 0;
    CHECK_OK(import_model(path, NULL, &model));
    for (int i = 0; i < model.graph->n_values; i++) kernels += text_starts(model.graph->values[i].name, "c.kernel");
    CHECK_INT(kernels, 1);
    import_free(&model);
}

TEST(keras_theano_kernels_are_flipped) {
    H5Make made = h5make_begin();
    KerasFile file =
        conv_file("null,2,2,1", "Conv2D", "'filters':1,'kernel_size':[2,2],'use_bias':false", "2,2,1,1", NULL);
    Text config = keras_config(&file);
    h5make_text(&made, H5MAKE_ROOT, "model_config", text_get(&config));
    h5make_text(&made, H5MAKE_ROOT, "keras_version", "2.1.6");
    h5make_text(&made, H5MAKE_ROOT, "backend", "theano");
    const size_t layer = h5make_group(&made, h5make_group(&made, H5MAKE_ROOT, "model_weights"), "y");
    h5make_texts(&made, layer, "weight_names", (const char *const[]){"kernel:0"}, 1);
    h5make_floats(&made, layer, "kernel:0", "2,2,1,1", FLOATS(1, 10, 100, 1000));
    text_free(&config);
    keras_drop(&file);
    CHECK_RUN(h5make_save(&made, "m.h5"), FLOATS(1, 2, 3, 4), 4 + 30 + 200 + 1000);
}

// Keras 1: other names of settings; a kernel of channels_first lies as (oc, ic, h, w).
TEST(keras_1) {
    KerasFile file = keras_file("1.2.2");
    keras_input(&file, "x", "null,2,1,2");
    keras_layer(&file, "Convolution2D", "c",
                "'nb_filter':1,'nb_row':1,'nb_col':2,'border_mode':'valid','subsample':[1,1],'dim_ordering':'th',"
                "'bias':true,'activation':'linear'",
                "x");
    keras_layer(&file, "Merge", "y", "'mode':'concat','concat_axis':1", "c c");
    keras_layer(&file, "Merge", "z", "'mode':'sum','concat_axis':-1", "y y");
    keras_output(&file, "z");
    keras_weight(&file, "c", "c_W:0", "1,2,1,2", FLOATS(1, 10, 100, 1000));
    keras_weight(&file, "c", "c_b:0", "1", FLOATS(1));
    CHECK_RUN(keras_save(&file, "m.h5"), FLOATS(1, 2, 3, 4), 2 * 4322, 2 * 4322);
}

TEST(keras_weights_that_do_not_fit) {
    KerasFile file = conv_file("null,4,4,2", "Conv2D", "'filters':3,'kernel_size':[3,3]", "3,3,1,3", "3");
    check_refused_with(keras_save(&file, "m.h5"), NULL, ST_BAD, "layer 'y' (Conv2D)|Conv|expected");
    file = conv_file("null,4,4,2", "Conv2D", "'filters':3,'kernel_size':[3,3]", "5,3,2,3", "3");
    check_refused_with(keras_save(&file, "m.h5"), NULL, ST_BAD,
                       "layer 'y' (Conv2D)|'kernel'|expected 3 at axis 0, got 5");
    file = conv_file("null,4,4,2", "Conv2D", "'filters':4,'kernel_size':[3,3]", "3,3,2,3", "3");
    check_refused_with(keras_save(&file, "m.h5"), NULL, ST_BAD, "layer 'y' (Conv2D)|expected 4 filters, got 3");
    file = conv_file("null,4,4,2", "Conv2D", "'filters':3,'kernel_size':[3,3]", "3,3,2,3", "2");
    check_refused_with(keras_save(&file, "m.h5"), NULL, ST_BAD, "layer 'y' (Conv2D)|'bias'|expected 3 at axis 0");
    file = conv_file("null,4,4,2", "Conv2D", "'filters':3,'kernel_size':[3,3]", "3,3,6", "3");
    check_refused_with(keras_save(&file, "m.h5"), NULL, ST_BAD, "layer 'y' (Conv2D)|'kernel'|expected 4 dims, got 3");
    file = conv_file("null,4,4,2", "Conv2D", "'filters':3,'kernel_size':[3,3]", "3,3,2,3", NULL);
    check_refused_with(keras_save(&file, "m.h5"), NULL, ST_BAD,
                       "layer 'y' (Conv2D)|expected 2 weights (kernel, bias), got 1");
    file = conv_file("null,4", "Dense", "'units':3", "5,3", "3");
    check_refused_with(keras_save(&file, "m.h5"), NULL, ST_BAD, "layer 'y' (Dense)|expected 4 input features, got 5");
    file = conv_file("null,4,4,2", "DepthwiseConv2D", "'kernel_size':[3,3],'use_bias':false", "3,3,3,1", NULL);
    check_refused_with(keras_save(&file, "m.h5"), NULL, ST_BAD,
                       "layer 'y' (DepthwiseConv2D)|expected 2 channels, got 3");
}

TEST(keras_conv_settings_that_cannot_be) {
    KerasFile file =
        conv_file("null,4,4,1", "Conv2D", "'filters':1,'kernel_size':[3,3],'padding':'full'", "3,3,1,1", "1");
    check_refused_with(keras_save(&file, "m.h5"), NULL, ST_UNSUPPORTED, "layer 'y' (Conv2D)|padding 'full'");
    file = conv_file("null,4,4,1", "Conv2D", "'filters':1,'kernel_size':[3,3],'strides':[0,1]", "3,3,1,1", "1");
    check_refused_with(keras_save(&file, "m.h5"), NULL, ST_BAD, "'strides': expected whole numbers from 1 on, got 0");
    file = conv_file("null,4,4,1", "Conv2D", "'filters':1,'kernel_size':[3,3,3]", "3,3,1,1", "1");
    check_refused_with(keras_save(&file, "m.h5"), NULL, ST_BAD, "'kernel_size'");
    file = conv_file("null,4,4,1", "Conv2D", "'filters':1,'kernel_size':[3,3],'groups':0", "3,3,1,1", "1");
    check_refused_with(keras_save(&file, "m.h5"), NULL, ST_BAD, "'groups'");
    file = conv_file("null,4,1", "Conv2D", "'filters':1,'kernel_size':[3,3]", "3,3,1,1", "1");
    check_refused_with(keras_save(&file, "m.h5"), NULL, ST_BAD, "expected an input of 4 dims, got one of 3");
    file = conv_file("null,4,4,1", "Conv2D", "'filters':1,'kernel_size':[3,3],'data_format':'rows'", "3,3,1,1", "1");
    check_refused_with(keras_save(&file, "m.h5"), NULL, ST_BAD, "'data_format'|'rows'");
}

// Layers of Keras that pool, resize, pad, move and join; functions called without a layer.
#include "import/keras_check.h"

#define H5 "2.13.1"

TEST(keras_pooling) {
    CHECK_LAYER(H5, "null,2,2,1", "MaxPooling2D", "'pool_size':[2,2],'strides':[2,2],'padding':'valid'",
                FLOATS(1, 4, 3, 2), 4);
    CHECK_LAYER(H5, "null,3,3,1", "MaxPooling2D", "'pool_size':2,'strides':2,'padding':'same'",
                FLOATS(1, 2, 3, 4, 5, 6, 7, 8, 9), 5, 6, 8, 9);
    // what is padded does not count
    CHECK_LAYER(H5, "null,3,3,1", "AveragePooling2D", "'pool_size':2,'strides':2,'padding':'same'",
                FLOATS(1, 2, 3, 4, 5, 6, 7, 8, 9), 3, 4.5f, 7.5f, 9);
    CHECK_LAYER(H5, "null,4,1", "MaxPooling1D", "'pool_size':[2],'strides':null", FLOATS(1, 2, 4, 3), 2, 4);
    CHECK_LAYER(H5, "null,4,1", "AveragePooling1D", "'pool_size':[2],'strides':[1]", FLOATS(1, 2, 4, 3), 1.5f, 3, 3.5f);
    CHECK_LAYER(H5, "null,2,1,1,1", "MaxPooling3D", "'pool_size':[2,1,1]", FLOATS(1, 2), 2);
    CHECK_LAYER(H5, "null,1,2,2", "MaxPooling2D", "'pool_size':[1,2],'data_format':'channels_first'",
                FLOATS(1, 2, 4, 3), 2, 4);
}

// The pool would be of 2 channels when they were taken for columns.
TEST(keras_channels_first_pooling) {
    CHECK_LAYER(H5, "null,2,1,2", "MaxPooling2D", "'pool_size':[1,2],'data_format':'channels_first'",
                FLOATS(1, 2, 4, 3), 2, 4);
}

TEST(keras_global_pooling) {
    CHECK_LAYER(H5, "null,1,2,2", "GlobalAveragePooling2D", "", FLOATS(1, 2, 3, 6), 2, 4);
    CHECK_LAYER(H5, "null,1,2,2", "GlobalMaxPooling2D", "'keepdims':false", FLOATS(1, 2, 3, 6), 3, 6);
    KerasFile file = one_layer(H5, "null,4,4,2", "GlobalAveragePooling2D", "'keepdims':true");
    check_shape(keras_save(&file, "m.h5"), "0x1x1x2");
    file = one_layer(H5, "null,4,2", "GlobalMaxPooling1D", "'keepdims':false");
    check_shape(keras_save(&file, "m.h5"), "0x2");
}

TEST(keras_up_sampling) {
    CHECK_LAYER(H5, "null,1,2,1", "UpSampling2D", "'size':[2,2],'interpolation':'nearest'", FLOATS(1, 2), 1, 1, 2, 2, 1,
                1, 2, 2);
    // half-pixel centres: 1/4 and 3/4 of the way
    CHECK_LAYER(H5, "null,1,2,1", "UpSampling2D", "'size':[1,2],'interpolation':'bilinear'", FLOATS(0, 4), 0, 1, 3, 4);
    CHECK_LAYER(H5, "null,2,1", "UpSampling1D", "'size':2", FLOATS(1, 2), 1, 1, 2, 2);
    CHECK_LAYER(H5, "null,1,1,2,1", "UpSampling3D", "'size':[1,1,2]", FLOATS(1, 2), 1, 1, 2, 2);
    KerasFile file = one_layer(H5, "null,2,2,1", "UpSampling2D", "'size':[2,2],'interpolation':'lanczos3'");
    check_refused_with(keras_save(&file, "m.h5"), NULL, ST_UNSUPPORTED, "layer 'y' (UpSampling2D)|lanczos3");
}

TEST(keras_resizing) {
    CHECK_LAYER(H5, "null,1,2,1", "Resizing", "'height':1,'width':4,'interpolation':'bilinear'", FLOATS(0, 4), 0, 1, 3,
                4);
    // column 0 of 2 takes from (0.5) 4 / 2 = 1, column 1 from 3
    CHECK_LAYER(H5, "null,1,4,1", "Resizing", "'height':1,'width':2,'interpolation':'nearest'", FLOATS(0, 1, 2, 3), 1,
                3);
}

TEST(keras_padding_and_cropping) {
    CHECK_LAYER(H5, "null,1,1,1", "ZeroPadding2D", "'padding':[[1,0],[0,2]]", FLOATS(5), 0, 0, 0, 5, 0, 0);
    CHECK_LAYER(H5, "null,1,1,1", "ZeroPadding2D", "'padding':[0,1]", FLOATS(5), 0, 5, 0);
    CHECK_LAYER(H5, "null,1,1", "ZeroPadding1D", "'padding':[1,2]", FLOATS(5), 0, 5, 0, 0);
    CHECK_LAYER(H5, "null,1,1,1,1", "ZeroPadding3D", "'padding':[[0,0],[0,1],[0,0]]", FLOATS(5), 5, 0);
    CHECK_LAYER(H5, "null,3,1,1", "Cropping2D", "'cropping':[[1,0],[0,0]]", FLOATS(1, 2, 3), 2, 3);
    CHECK_LAYER(H5, "null,3,1", "Cropping1D", "'cropping':1", FLOATS(1, 2, 3), 2);
    CHECK_LAYER(H5, "null,1,2,2", "ZeroPadding2D", "'padding':[[0,0],[1,0]],'data_format':'channels_first'",
                FLOATS(1, 2, 3, 4), 0, 1, 2, 0, 3, 4);
    CHECK_LAYER(H5, "null,1,4,1", "CenterCrop", "'height':1,'width':1", FLOATS(1, 2, 3, 4), 2);
    KerasFile file = one_layer(H5, "null,3,3,1", "Cropping2D", "'cropping':[[2,1],[0,0]]");
    check_refused_with(keras_save(&file, "m.h5"), NULL, ST_BAD, "'cropping': expected less than the 3 elements");
    file = one_layer(H5, "null,3,3,1", "ZeroPadding2D", "'padding':[1,2,3]");
    check_refused_with(keras_save(&file, "m.h5"), NULL, ST_BAD, "'padding'");
}

TEST(keras_moving) {
    CHECK_LAYER(H5, "null,1,2,2", "Flatten", "'data_format':'channels_last'", FLOATS(1, 2, 3, 4), 1, 2, 3, 4);
    CHECK_LAYER(H5, "null,2,1,2", "Flatten", "'data_format':'channels_first'", FLOATS(1, 2, 3, 4), 1, 3, 2, 4);
    CHECK_LAYER(H5, "null,2,3", "Permute", "'dims':[2,1]", FLOATS(1, 2, 3, 4, 5, 6), 1, 4, 2, 5, 3, 6);
    CHECK_LAYER(H5, "null,2", "RepeatVector", "'n':2", FLOATS(1, 2), 1, 2, 1, 2);
    KerasFile file = one_layer(H5, "null,2,6", "Reshape", "'target_shape':[3,-1]");
    check_shape(keras_save(&file, "m.h5"), "0x3x4");
    file = one_layer(H5, "null,2,6", "Permute", "'dims':[1,1]");
    check_refused_with(keras_save(&file, "m.h5"), NULL, ST_BAD, "'dims': expected each of 1 to 2 once");
    file = one_layer(H5, "1,2,6", "Reshape", "'target_shape':[5]");
    check_refused_with(keras_save(&file, "m.h5"), NULL, ST_BAD, "layer 'y' (Reshape)");
}

TEST(keras_identities) {
    static const char *const classes[] = {"Dropout",         "SpatialDropout2D", "GaussianNoise",
                                          "GaussianDropout", "AlphaDropout",     "ActivityRegularization",
                                          "RandomFlip",      "RandomRotation",   "RandAugment"};
    for (size_t i = 0; i < COUNT_OF(classes); i++)
        CHECK_LAYER(H5, "null,1,1,1", classes[i], "'rate':0.5", FLOATS(3), 3);
    CHECK_LAYER(H5, "null,1,2", "Rescaling", "'scale':0.5,'offset':-1", FLOATS(2, 4), 0, 1);
    CHECK_LAYER(H5, "null,1,2", "Rescaling", "'scale':[0.5,2],'offset':[0,1]", FLOATS(2, 4), 1, 9);
    KerasFile file = keras_file(H5);
    keras_layer(&file, "InputLayer", "x", "'batch_input_shape':[null,2],'dtype':'uint8'", "");
    put_end(&file.inputs, "x", 0);
    keras_layer(&file, "Rescaling", "y", "'scale':0.5,'offset':0", "x");
    keras_output(&file, "y");
    CHECK_RUN(keras_save(&file, "m.h5"), FLOATS(1, 255), 0.5f, 127.5f);
}

static void check_merge(const char *class_name, const char *config, float expected) {
    KerasFile file = keras_file(H5);
    keras_input(&file, "a", "null,1");
    keras_input(&file, "b", "null,1");
    keras_layer(&file, class_name, "y", config, "a b");
    keras_output(&file, "y");
    CHECK_RUN(keras_save(&file, "m.h5"), FLOATS(6, 4), expected);
}

TEST(keras_merging) {
    check_merge("Add", "", 10);
    check_merge("Subtract", "", 2);
    check_merge("Multiply", "", 24);
    check_merge("Average", "", 5);
    check_merge("Maximum", "", 6);
    check_merge("Minimum", "", 4);
    check_merge("Merge", "'mode':'ave'", 5);
    KerasFile file = keras_file(H5);
    keras_input(&file, "a", "null,1,2,1");
    keras_input(&file, "b", "null,1");
    keras_layer(&file, "Concatenate", "c", "'axis':-1", "a a");
    keras_layer(&file, "Multiply", "y", "", "c b"); // b gets dims of 1 behind the batch
    keras_output(&file, "y");
    CHECK_RUN(keras_save(&file, "m.h5"), FLOATS(1, 2, 10), 10, 10, 20, 20);
    file = one_layer(H5, "null,2", "Subtract", "");
    check_refused_with(keras_save(&file, "m.h5"), NULL, ST_BAD, "expected 2 inputs, got 1");
}

// ---- functions

// A function of Keras 2 on x with the dims: its call stands there as it is in the file.
static KerasFile lambda_file(const char *dims, const char *class_name, const char *function, const char *call) {
    KerasFile file = keras_file(H5);
    keras_input(&file, "x", dims);
    Text json = {0};
    text_add(&json, "{'class_name':'%s','name':'y','config':{'name':'y','function':'%s'},'inbound_nodes':[%s]}",
             class_name, function, call);
    keras_raw_layer(&file, text_get(&json));
    text_free(&json);
    keras_output(&file, "y");
    return file;
}
#define CHECK_LAMBDA(dims, function, call, x, ...)                                                                     \
    do {                                                                                                               \
        KerasFile file_ = lambda_file(dims, "TFOpLambda", function, call);                                             \
        CHECK_RUN(keras_save(&file_, "m.h5"), x, __VA_ARGS__);                                                         \
    } while (0)

TEST(keras_tensorflow_functions) {
    CHECK_LAMBDA("null,2", "math.multiply", "['x',0,0,{'y':2.5,'name':null}]", FLOATS(1, 2), 2.5f, 5);
    CHECK_LAMBDA("null,2", "math.subtract", "['_CONSTANT_VALUE',-1,1.0,{'y':['x',0,0],'name':null}]", FLOATS(1, 3), 0,
                 -2);
    CHECK_LAMBDA("null,2", "__operators__.add", "['x',0,0,{'y':['x',0,0],'name':null}]", FLOATS(1, 2), 2, 4);
    CHECK_LAMBDA("null,2", "math.truediv", "['x',0,0,{'y':[2.0,4.0]}]", FLOATS(1, 2), 0.5f, 0.5f);
    CHECK_LAMBDA("null,2", "nn.relu", "['x',0,0,{'name':null}]", FLOATS(-1, 2), 0, 2);
    CHECK_LAMBDA("null,2", "nn.leaky_relu", "[['x',0,0,{'alpha':0.5}]]", FLOATS(-1, 2), -0.5f, 2);
    CHECK_LAMBDA("null,2", "math.rsqrt", "['x',0,0,{}]", FLOATS(4, 16), 0.5f, 0.25f);
    CHECK_LAMBDA("null,2", "clip_by_value", "['x',0,0,{'clip_value_min':0,'clip_value_max':1}]", FLOATS(-1, 2), 0, 1);
    CHECK_LAMBDA("null,2", "concat", "[['x',0,0,{'axis':1}],['x',0,0,{'axis':1}]]", FLOATS(1, 2), 1, 2, 1, 2);
    CHECK_LAMBDA("null,2,2", "math.reduce_mean", "['x',0,0,{'axis':[1],'keepdims':true}]", FLOATS(1, 2, 3, 6), 2, 4);
    CHECK_LAMBDA("null,2,2", "math.reduce_max", "['x',0,0,{'axis':-1}]", FLOATS(1, 2, 3, 6), 2, 6);
    CHECK_LAMBDA("null,2,2", "transpose", "['x',0,0,{'perm':[0,2,1]}]", FLOATS(1, 2, 3, 4), 1, 3, 2, 4);
    CHECK_LAMBDA("null,2", "compat.v1.pad", "['x',0,0,{'paddings':[[0,0],[1,0]],'mode':'CONSTANT'}]", FLOATS(1, 2), 0,
                 1, 2);
    CHECK_LAMBDA("null,1,2,1", "image.resize", "['x',0,0,{'size':[1,4],'method':'bilinear'}]", FLOATS(0, 4), 0, 1, 3,
                 4);
    CHECK_LAMBDA("null,1,1,4", "nn.depth_to_space", "['x',0,0,{'block_size':2}]", FLOATS(1, 2, 3, 4), 1, 2, 3, 4);
}

TEST(keras_slices) {
    static const struct {
        const char *spec, *shape;
    } cases[] = {
        {"[{'start':null,'stop':null,'step':null},{'start':1,'stop':null,'step':2}]", "0x2x5"},
        {"[{'class_name':'__ellipsis__'},0]", "0x4"},
        {"[{'class_name':'__ellipsis__'},null]", "0x4x5x1"},
        {"[{'start':null,'stop':null,'step':null},-1]", "0x5"},
        {"[{'start':null,'stop':null,'step':null},null,{'start':null,'stop':-1,'step':null}]", "0x1x3x5"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char call[256];
        snprintf(call, sizeof call, "['x',0,0,{'slice_spec':%s}]", cases[i].spec);
        KerasFile file = lambda_file("null,4,5", "SlicingOpLambda", "__operators__.getitem", call);
        check_shape(keras_save(&file, "m.h5"), cases[i].shape);
    }
    KerasFile file = lambda_file("null,3", "SlicingOpLambda", "__operators__.getitem",
                                 "['x',0,0,{'slice_spec':[{'start':null,'stop':null,'step':null},"
                                 "{'start':null,'stop':null,'step':-1}]}]");
    CHECK_RUN(keras_save(&file, "m.h5"), FLOATS(1, 2, 3), 3, 2, 1);
    file = lambda_file("null,3", "SlicingOpLambda", "__operators__.getitem", "['x',0,0,{'slice_spec':[0,0,0]}]");
    check_refused_with(keras_save(&file, "m.h5"), NULL, ST_BAD, "expected at most 2 indices");
}

// An operation of Keras 3: `call` is the entry of inbound_nodes, @ a tensor.
static KerasFile operation_file(const char *dims, const char *class_name, const char *config, const char *call) {
    KerasFile file = keras_file("3.5.0");
    keras_input(&file, "x", dims);
    Text json = {0};
    text_add(&json,
             "{'module':'keras.src.ops.numpy','class_name':'%s','name':'y','config':{'name':'y'%s%s},"
             "'inbound_nodes':[",
             class_name, *config ? "," : "", config);
    for (const char *at = call; *at; at++) {
        if (*at == '@') text_add(&json, "{'class_name':'__keras_tensor__','config':{'keras_history':['x',0,0]}}");
        else text_add(&json, "%c", *at);
    }
    text_add(&json, "]}");
    keras_raw_layer(&file, text_get(&json));
    text_free(&json);
    keras_output(&file, "y");
    return file;
}
#define CHECK_OPERATION(dims, class_name, config, call, x, ...)                                                        \
    do {                                                                                                               \
        KerasFile file_ = operation_file(dims, class_name, config, call);                                              \
        CHECK_RUN(keras_save_zip(&file_, "m.keras"), x, __VA_ARGS__);                                                  \
    } while (0)

TEST(keras_3_operations) {
    CHECK_OPERATION("null,2", "Add", "", "{'args':[@,1.5],'kwargs':{}}", FLOATS(1, 2), 2.5f, 3.5f);
    CHECK_OPERATION("null,2", "Subtract", "", "{'args':[1.0,@],'kwargs':{}}", FLOATS(1, 3), 0, -2);
    CHECK_OPERATION("null,2", "Multiply", "",
                    "{'args':[@,{'class_name':'__numpy__','config':{'value':[2,3],'dtype':'float32'}}],'kwargs':{}}",
                    FLOATS(1, 2), 2, 6);
    CHECK_OPERATION("null,2,2", "Mean", "'axis':[1],'keepdims':false", "{'args':[@],'kwargs':{}}", FLOATS(1, 2, 3, 6),
                    2, 4);
    CHECK_OPERATION("null,2", "Concatenate", "'axis':-1", "{'args':[[@,@]],'kwargs':{}}", FLOATS(1, 2), 1, 2, 1, 2);
    CHECK_OPERATION("null,3", "GetItem", "",
                    "{'args':[@,[{'class_name':'__slice__','config':{'start':null,'stop':null,'step':null}},"
                    "{'class_name':'__slice__','config':{'start':1,'stop':null,'step':null}}]],'kwargs':{}}",
                    FLOATS(1, 2, 3), 2, 3);
    CHECK_OPERATION("null,2", "Relu", "", "{'args':[@],'kwargs':{}}", FLOATS(-1, 2), 0, 2);
    CHECK_OPERATION("null,2", "Clip", "'x_min':0,'x_max':1", "{'args':[@],'kwargs':{}}", FLOATS(-1, 2), 0, 1);
    CHECK_OPERATION("null,1", "Gelu", "'approximate':false", "{'args':[@],'kwargs':{}}", FLOATS(1), 0.8413447f);
    KerasFile file = operation_file("null,2", "Einsum", "", "{'args':[@],'kwargs':{}}");
    check_refused_with(keras_save_zip(&file, "m.keras"), NULL, ST_UNSUPPORTED, "operation Einsum (1 layer)");
}

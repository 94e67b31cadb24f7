#include "fuzz/seeds_make.h"
#include "import/keras_writer.h"

// A small U-Net, and layers of most kinds.
static KerasFile keras_unet(bool is_zip) {
    KerasFile file = keras_file(is_zip ? "3.5.0" : "2.13.1");
    keras_input(&file, "x", "null,8,8,2");
    keras_layer(&file, "Conv2D", "c", "'filters':2,'kernel_size':[3,3],'padding':'same','activation':'relu'", "x");
    keras_layer(&file, "BatchNormalization", "n", "'axis':-1,'epsilon':0.001,'scale':false", "c");
    keras_layer(&file, "MaxPooling2D", "p", "'pool_size':[2,2],'strides':[2,2],'padding':'valid'", "n");
    keras_layer(&file, "Dropout", "d", "'rate':0.5", "p");
    keras_layer(&file, "UpSampling2D", "u", "'size':[2,2],'interpolation':'nearest'", "d");
    keras_layer(&file, "Conv2DTranspose", "t",
                "'filters':2,'kernel_size':[2,2],'strides':[2,2],'padding':'same','use_bias':false", "d");
    keras_layer(&file, "Concatenate", "j", "'axis':3", "u t n");
    keras_layer(&file, "ZeroPadding2D", "z", "'padding':[[1,0],[0,1]]", "j");
    keras_layer(&file, "Cropping2D", "k", "'cropping':[[1,0],[0,1]]", "z");
    keras_layer(&file, "Conv2D", "y", "'filters':1,'kernel_size':1,'activation':'sigmoid','use_bias':false", "k");
    keras_output(&file, "y");
    static const char *const weights[][4] = {
        {"c", "layers/conv2d", "kernel:0", "3,3,2,2"},          {"c", "layers/conv2d", "bias:0", "2"},
        {"n", "layers/batch_normalization", "beta:0", "2"},     {"n", "layers/batch_normalization", "mean:0", "2"},
        {"n", "layers/batch_normalization", "variance:0", "2"}, {"t", "layers/conv2d_transpose", "kernel:0", "2,2,2,2"},
        {"y", "layers/conv2d_1", "kernel:0", "1,1,6,1"}};
    for (size_t i = 0; i < COUNT_OF(weights); i++)
        keras_some_weight(&file, weights[i][is_zip], weights[i][2], weights[i][3]);
    return file;
}

static void add_keras(Seeds *to, const char *name, Text bytes) {
    seed_add(to, "keras", name, bytes.data, bytes.length);
    seed_add(to, "recognise", name, bytes.data, bytes.length);
    text_free(&bytes);
}

void seed_keras(Seeds *to) {
    KerasFile file = keras_unet(false);
    add_keras(to, "unet.h5", keras_bytes(&file));
    file = keras_unet(true);
    add_keras(to, "unet.keras", keras_zip_bytes(&file));
    file = keras_file("2.13.1");
    file.raw_config =
        "{'class_name':'Sequential','config':{'name':'s','layers':[{'class_name':'Sequential','config':{"
        "'name':'inner','layers':[{'class_name':'Dense','config':{'name':'d','units':2,"
        "'batch_input_shape':[null,3]}},{'class_name':'LeakyReLU','config':{'name':'l','alpha':0.1}}]}},"
        "{'class_name':'Reshape','config':{'name':'r','target_shape':[1,-1]}},"
        "{'class_name':'GroupNormalization','config':{'name':'g','groups':1,'scale':false,'center':false}}"
        "]}}";
    keras_some_weight(&file, "inner", "d/kernel:0", "3,2");
    keras_some_weight(&file, "inner", "d/bias:0", "2");
    add_keras(to, "sequential.h5", keras_bytes(&file));
    file = keras_file("2.13.1");
    keras_input(&file, "x", "1,2,3");
    keras_raw_layer(&file, "{'class_name':'SlicingOpLambda','name':'s','config':{'function':'__operators__.getitem'},"
                           "'inbound_nodes':[['x',0,0,{'slice_spec':[{'class_name':'__ellipsis__'},{'start':1,"
                           "'stop':null,'step':-1},null]}]]}");
    keras_raw_layer(&file, "{'class_name':'TFOpLambda','name':'y','config':{'function':'math.multiply'},"
                           "'inbound_nodes':[['s',0,0,{'y':[1.0,2.0]}]]}");
    keras_output(&file, "y");
    add_keras(to, "lambda.h5", keras_bytes(&file));
}

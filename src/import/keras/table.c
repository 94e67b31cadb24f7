// Which function makes what of a layer. A row a class.
#include "import/keras/layer.h"
#include <string.h>

#define LAYER(name, function, number)                                                                                  \
    { name, keras_##function, number, NULL, false }
#define WEIGHTED(name, function, number, weights)                                                                      \
    { name, keras_##function, number, weights, false }
#define ACTIVATED(name, function, number, weights)                                                                     \
    { name, keras_##function, number, weights, true }

enum { MEAN = 16 }; // of the pools

static const char kernel_bias[] = "kernel bias:use_bias";
static const char depthwise_bias[] = "depthwise_kernel bias:use_bias";
static const char separable_bias[] = "depthwise_kernel pointwise_kernel bias:use_bias";
static const char scale_center[] = "gamma:scale beta:center";
static const char attention[] = "query_kernel query_bias:use_bias key_kernel key_bias:use_bias value_kernel "
                                "value_bias:use_bias output_kernel output_bias:use_bias";
static const char moving[] = "gamma:scale beta:center | moving_mean moving_variance";

static const LayerKind kinds[] = {
    ACTIVATED("Conv1D", conv, 1, kernel_bias),
    ACTIVATED("Conv2D", conv, 2, kernel_bias),
    ACTIVATED("Conv3D", conv, 3, kernel_bias),
    ACTIVATED("Convolution1D", conv, 1, kernel_bias), // 2 and 3 have them as aliases, 1 as names
    ACTIVATED("Convolution2D", conv, 2, kernel_bias),
    ACTIVATED("Convolution3D", conv, 3, kernel_bias),
    ACTIVATED("AtrousConvolution2D", conv, 2, kernel_bias),
    ACTIVATED("Conv1DTranspose", conv_transpose, 1, kernel_bias),
    ACTIVATED("Conv2DTranspose", conv_transpose, 2, kernel_bias),
    ACTIVATED("Conv3DTranspose", conv_transpose, 3, kernel_bias),
    ACTIVATED("DepthwiseConv1D", depthwise, 1, depthwise_bias),
    ACTIVATED("DepthwiseConv2D", depthwise, 2, depthwise_bias),
    ACTIVATED("SeparableConv1D", separable, 1, separable_bias),
    ACTIVATED("SeparableConv2D", separable, 2, separable_bias),
    ACTIVATED("Dense", dense, 0, kernel_bias),

    WEIGHTED("BatchNormalization", batch_norm, 0, moving),
    WEIGHTED("BatchNormalizationV1", batch_norm, 0, moving),
    WEIGHTED("BatchNormalizationV2", batch_norm, 0, moving),
    WEIGHTED("SyncBatchNormalization", batch_norm, 0, moving),
    WEIGHTED("LayerNormalization", layer_norm, 0, scale_center),
    WEIGHTED("GroupNormalization", group_norm, 0, scale_center),
    WEIGHTED("InstanceNormalization", instance_norm, 0, scale_center),
    LAYER("UnitNormalization", unit_norm, 0),
    WEIGHTED("Normalization", normalization, 0, "| mean:!mean variance:!mean count:!mean"),

    ACTIVATED("Activation", activation, 0, NULL),
    LAYER("ReLU", relu, 0),
    LAYER("LeakyReLU", leaky_relu, 0),
    WEIGHTED("PReLU", prelu, 0, "alpha"),
    LAYER("ELU", elu, 0),
    LAYER("Softmax", softmax, 0),
    LAYER("ThresholdedReLU", thresholded_relu, 0),

    LAYER("MaxPooling1D", pool, 1),
    LAYER("MaxPooling2D", pool, 2),
    LAYER("MaxPooling3D", pool, 3),
    LAYER("AveragePooling1D", pool, 1 | MEAN),
    LAYER("AveragePooling2D", pool, 2 | MEAN),
    LAYER("AveragePooling3D", pool, 3 | MEAN),
    LAYER("GlobalMaxPooling1D", global_pool, 1),
    LAYER("GlobalMaxPooling2D", global_pool, 2),
    LAYER("GlobalMaxPooling3D", global_pool, 3),
    LAYER("GlobalAveragePooling1D", global_pool, 1 | MEAN),
    LAYER("GlobalAveragePooling2D", global_pool, 2 | MEAN),
    LAYER("GlobalAveragePooling3D", global_pool, 3 | MEAN),

    LAYER("UpSampling1D", up_sampling, 1),
    LAYER("UpSampling2D", up_sampling, 2),
    LAYER("UpSampling3D", up_sampling, 3),
    LAYER("ZeroPadding1D", zero_padding, 1),
    LAYER("ZeroPadding2D", zero_padding, 2),
    LAYER("ZeroPadding3D", zero_padding, 3),
    LAYER("Cropping1D", cropping, 1),
    LAYER("Cropping2D", cropping, 2),
    LAYER("Cropping3D", cropping, 3),
    LAYER("Resizing", resizing, 0),
    LAYER("CenterCrop", center_crop, 0),

    LAYER("Add", merge, OP_Add),
    LAYER("Subtract", merge, OP_Sub),
    LAYER("Multiply", merge, OP_Mul),
    LAYER("Maximum", merge, OP_Max),
    LAYER("Minimum", merge, OP_Min),
    LAYER("Average", average, 0),
    LAYER("Concatenate", concatenate, 0),
    LAYER("Merge", old_merge, 0),

    WEIGHTED("MultiHeadAttention", multi_head_attention, 0, attention),

    LAYER("Flatten", flatten, 0),
    LAYER("Reshape", reshape, 0),
    LAYER("Permute", permute, 0),
    LAYER("RepeatVector", repeat_vector, 0),
    LAYER("Rescaling", rescaling, 0),
    LAYER("Identity", identity, 0),
    LAYER("ActivityRegularization", identity, 0),
    LAYER("Dropout", random, 0),
    LAYER("SpatialDropout1D", random, 0),
    LAYER("SpatialDropout2D", random, 0),
    LAYER("SpatialDropout3D", random, 0),
    LAYER("AlphaDropout", random, 0),
    LAYER("GaussianDropout", random, 0),
    LAYER("GaussianNoise", random, 0),
    LAYER("FixedDropout", random, 0), // of the package efficientnet
    // Of data augmentation. Not RandomCrop, which crops always.
    LAYER("RandomFlip", random, 0),
    LAYER("RandomRotation", random, 0),
    LAYER("RandomZoom", random, 0),
    LAYER("RandomTranslation", random, 0),
    LAYER("RandomShear", random, 0),
    LAYER("RandomPerspective", random, 0),
    LAYER("RandomElasticTransform", random, 0),
    LAYER("RandomHeight", random, 0),
    LAYER("RandomWidth", random, 0),
    LAYER("RandomBrightness", random, 0),
    LAYER("RandomContrast", random, 0),
    LAYER("RandomHue", random, 0),
    LAYER("RandomSaturation", random, 0),
    LAYER("RandomSharpness", random, 0),
    LAYER("RandomGrayscale", random, 0),
    LAYER("RandomInvert", random, 0),
    LAYER("RandomPosterization", random, 0),
    LAYER("RandomColorJitter", random, 0),
    LAYER("RandomColorDegeneration", random, 0),
    LAYER("RandomGaussianBlur", random, 0),
    LAYER("RandomErasing", random, 0),
    LAYER("RandAugment", random, 0),
    LAYER("AugMix", random, 0),
    LAYER("MixUp", random, 0),
    LAYER("CutMix", random, 0),
    LAYER("TimeDistributed", time_distributed, 0),
};

// Packages register their classes as "PACKAGE>CLASS". A class of one that is not TensorFlow Addons may mean anything.
static const char *bare_name(const char *class_name) {
    static const char *const addons[] = {"Addons>GroupNormalization", "Addons>InstanceNormalization"};
    for (size_t i = 0; i < COUNT_OF(addons); i++) {
        if (strcmp(class_name, addons[i]) == 0) return strchr(class_name, '>') + 1;
    }
    return class_name;
}

const LayerKind *layer_kind(const char *class_name) {
    const char *name = bare_name(class_name);
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        if (strcmp(kinds[i].class_name, name) == 0) return &kinds[i];
    }
    return NULL;
}

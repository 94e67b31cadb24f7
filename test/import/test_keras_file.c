// Keras files as a whole: models in models, names, weights and where they are, what is missing, damaged files.
#include "import/keras_check.h"

// ---- names and shapes

TEST(keras_names_and_symbols) {
    KerasFile file = keras_file("2.13.1");
    keras_input(&file, "image", "null,null,8,1");
    keras_input(&file, "other", "null,8,8,1");
    keras_layer(&file, "UpSampling2D", "up", "'size':[2,2]", "image");
    keras_layer(&file, "Activation", "act", "'activation':'relu'", "other");
    keras_output(&file, "up");
    keras_output(&file, "act");
    Imported model;
    CHECK_OK(import_model(keras_save(&file, "m.h5"), NULL, &model));
    const Graph *graph = model.graph;
    CHECK_INT(graph->n_inputs, 2);
    CHECK_INT(graph->n_outputs, 2);
    CHECK_TEXT(graph->values[graph->inputs[0]].name, "image");
    CHECK_TEXT(graph->values[graph->outputs[0]].name, "up");
    CHECK_TEXT(graph->values[graph->outputs[1]].name, "act");
    const Type *image = &graph->values[graph->inputs[0]].type, *other = &graph->values[graph->inputs[1]].type;
    CHECK_TEXT(graph->symbols[DIM_SYMBOL_0 - image->dim[0]], "batch");
    CHECK_TEXT(graph->symbols[DIM_SYMBOL_0 - image->dim[1]], "image.1");
    CHECK_INT(image->dim[0], other->dim[0]);
    CHECK_TEXT(model.format, "Keras 2 (.h5)");
    CHECK_TEXT(text_get(&model.notes), "");
    import_free(&model);
}

TEST(keras_shapes_are_bound) {
    KerasFile file = one_layer("2.13.1", "null,null,null,1", "MaxPooling2D", "'pool_size':[2,2]");
    const InputShape shape = {.name = "x", .shape = {.rank = 4, .dim = {2, 8, 6, 1}}};
    const ImportOptions options = {.inputs = &shape, .n_inputs = 1};
    Imported model;
    CHECK_OK(import_model(keras_save(&file, "m.h5"), &options, &model));
    const Type *type = &model.graph->values[model.graph->outputs[0]].type;
    CHECK(type_is_static(type) && type->dim[0] == 2 && type->dim[1] == 4 && type->dim[2] == 3);
    import_free(&model);
}

// ---- Sequential

TEST(keras_sequential) {
    KerasFile file = keras_file("2.2.4");
    file.raw_config = "{'class_name':'Sequential','config':{'name':'s','layers':["
                      "{'class_name':'Dense','config':{'name':'d','units':1,'batch_input_shape':[null,2]}},"
                      "{'class_name':'Activation','config':{'name':'a','activation':'relu'}}]}}";
    keras_weight(&file, "d", "d/kernel:0", "2,1", FLOATS(1, 2));
    keras_weight(&file, "d", "d/bias:0", "1", FLOATS(-1));
    const char *path = keras_save(&file, "m.h5");
    CHECK_RUN(path, FLOATS(1, 2), 4);
    Imported model;
    CHECK_OK(import_model(path, NULL, &model));
    CHECK_TEXT(model.graph->values[model.graph->inputs[0]].name, "d_input");
    CHECK_TEXT(model.graph->values[model.graph->outputs[0]].name, "a");
    import_free(&model);
}

TEST(keras_sequential_of_keras_1) {
    KerasFile file = keras_file("");
    file.raw_config = "{'class_name':'Sequential','config':["
                      "{'class_name':'Dense','config':{'name':'d','output_dim':1,'batch_input_shape':[null,2]}}]}";
    keras_weight(&file, "d", "d_W:0", "2,1", FLOATS(1, 2));
    keras_weight(&file, "d", "d_b:0", "1", FLOATS(-1));
    CHECK_RUN(keras_save(&file, "m.h5"), FLOATS(1, 2), 4);
}

TEST(keras_sequential_without_a_shape) {
    KerasFile file = keras_file("2.13.1");
    file.raw_config = "{'class_name':'Sequential','config':{'name':'s','layers':["
                      "{'class_name':'Activation','config':{'name':'a','activation':'relu'}}]}}";
    check_refused_with(keras_save(&file, "m.h5"), NULL, ST_BAD, "layer 'a_input'|expected the shape of the input");
    file = keras_file("2.13.1");
    file.raw_config = "{'class_name':'Sequential','config':{'name':'s','build_input_shape':[null,2],'layers':["
                      "{'class_name':'Activation','config':{'name':'a','activation':'relu'}}]}}";
    CHECK_RUN(keras_save(&file, "m.h5"), FLOATS(-1, 2), 0, 2);
}

// ---- models in models

#define INNER                                                                                                          \
    "{'name':'inner','layers':["                                                                                       \
    "{'class_name':'InputLayer','name':'i','config':{'name':'i','batch_input_shape':[null,1]},'inbound_nodes':[]},"    \
    "{'class_name':'Dense','name':'d','config':{'name':'d','units':1},'inbound_nodes':[[['i',0,0,{}]]]},"              \
    "{'class_name':'BatchNormalization','name':'n','config':{'name':'n','epsilon':0},"                                 \
    "'inbound_nodes':[[['d',0,0,{}]]]},"                                                                               \
    "{'class_name':'Dense','name':'e','config':{'name':'e','units':1,'use_bias':false},"                               \
    "'inbound_nodes':[[['n',0,0,{}]]]}],"                                                                              \
    "'input_layers':[['i',0,0]],'output_layers':[['e',0,0]]}"

// The inner model is called twice, one behind the other. Keras 2 counts its calls from 1.
static KerasFile nested_file(void) {
    KerasFile file = keras_file("2.13.1");
    keras_input(&file, "x", "null,1");
    keras_raw_layer(&file, "{'class_name':'Functional','name':'inner','config':" INNER
                           ",'inbound_nodes':[[['x',0,0,{}]],[['inner',1,0,{}]]]}");
    put_end(&file.outputs, "inner", 2);
    return file;
}

// e(n(d(x))) with d: 2 x + 1, n: (x - 3) / 2 * 5 + 7, e: 10 x. What is trained comes first, layer by layer.
static float inner_of(float x) { return 10 * ((2 * x + 1 - 3) / 2 * 5 + 7); }
static const struct {
    const char *name, *dims;
    float value;
} inner_weights[] = {
    {"d/kernel:0", "1,1", 2},  {"d/bias:0", "1", 1},        {"n/gamma:0", "1", 5},           {"n/beta:0", "1", 7},
    {"e/kernel:0", "1,1", 10}, {"n/moving_mean:0", "1", 3}, {"n/moving_variance:0", "1", 4},
};

TEST(keras_models_in_models) {
    KerasFile file = nested_file();
    for (size_t i = 0; i < COUNT_OF(inner_weights); i++) {
        keras_weight(&file, "inner", inner_weights[i].name, inner_weights[i].dims, &inner_weights[i].value);
    }
    CHECK_RUN(keras_save(&file, "m.h5"), FLOATS(1), inner_of(inner_of(1)));
}

// Names that say nothing: the order counts. And another order, where names tell.
TEST(keras_weights_of_models_in_models) {
    KerasFile file = nested_file();
    for (size_t i = 0; i < COUNT_OF(inner_weights); i++) {
        char name[16];
        snprintf(name, sizeof name, "weight_%zu", i);
        keras_weight(&file, "inner", name, inner_weights[i].dims, &inner_weights[i].value);
    }
    CHECK_RUN(keras_save(&file, "m.h5"), FLOATS(1), inner_of(inner_of(1)));
    file = nested_file();
    for (size_t i = COUNT_OF(inner_weights); i-- > 0;) {
        keras_weight(&file, "inner", inner_weights[i].name, inner_weights[i].dims, &inner_weights[i].value);
    }
    CHECK_RUN(keras_save(&file, "m.h5"), FLOATS(1), inner_of(inner_of(1)));
    file = nested_file();
    for (size_t i = 1; i < COUNT_OF(inner_weights); i++) {
        keras_weight(&file, "inner", inner_weights[i].name, inner_weights[i].dims, &inner_weights[i].value);
    }
    check_refused_with(keras_save(&file, "m.h5"), NULL, ST_BAD,
                       "layer 'inner' (Functional): expected 7 weights, got 6");
}

// ---- .keras

static void put_zip_weights(KerasFile *file, const char *layers) {
    char path[64];
    snprintf(path, sizeof path, "%s/conv2d", layers);
    keras_weight(file, path, "", "1,1,1,1", FLOATS(2));
    keras_weight(file, path, "", "1", FLOATS(1));
    snprintf(path, sizeof path, "%s/functional/%s/p_re_lu", layers, layers);
    keras_weight(file, path, "", "1,1,1", FLOATS(0.5f));
    snprintf(path, sizeof path, "%s/conv2d_1", layers);
    keras_weight(file, path, "", "1,1,1,1", FLOATS(3));
}

// Layers have names of their own, groups are called after classes.
static KerasFile zip_file(void) {
    KerasFile file = keras_file("3.5.0");
    keras_input(&file, "x", "null,1,1,1");
    keras_layer(&file, "Conv2D", "first", "'filters':1,'kernel_size':[1,1]", "x");
    keras_raw_layer(
        &file, "{'class_name':'Functional','name':'block','config':{'name':'block','layers':["
               "{'class_name':'InputLayer','name':'i','config':{'name':'i','batch_shape':[null,1,1,1]},"
               "'inbound_nodes':[]},"
               "{'class_name':'PReLU','name':'p','config':{'name':'p'},'inbound_nodes':[{'args':[{'class_name':"
               "'__keras_tensor__','config':{'keras_history':['i',0,0]}}],'kwargs':{}}]}],"
               "'input_layers':['i',0,0],'output_layers':['p',0,0]},"
               "'inbound_nodes':[{'args':[{'class_name':'__keras_tensor__','config':{'keras_history':['first',0,0]}}"
               "],'kwargs':{'training':null}}]}");
    keras_layer(&file, "Conv2D", "last", "'filters':1,'kernel_size':[1,1],'use_bias':false", "block");
    keras_output(&file, "last");
    return file;
}

TEST(keras_zip) {
    KerasFile file = zip_file();
    put_zip_weights(&file, "layers");
    const char *path = keras_save_zip(&file, "m.keras");
    CHECK_RUN(path, FLOATS(-2), (2 * -2 + 1) * 0.5f * 3);
    Imported model;
    CHECK_OK(import_model(path, NULL, &model));
    CHECK_TEXT(model.format, "Keras 3 (.keras)");
    CHECK_TEXT(model.graph->values[model.graph->outputs[0]].name, "last");
    import_free(&model);
}

// Keras 2.12 and 2.13: another group, and gaps in the numbers.
TEST(keras_zip_of_keras_2) {
    KerasFile file = keras_file("2.13.1");
    keras_input(&file, "x", "null,1");
    keras_layer(&file, "Dense", "a", "'units':1,'use_bias':false", "x");
    keras_layer(&file, "Dense", "b", "'units':1,'use_bias':false", "a");
    keras_output(&file, "b");
    keras_weight(&file, "_layer_checkpoint_dependencies/dense", "", "1,1", FLOATS(2));
    keras_weight(&file, "_layer_checkpoint_dependencies/dense_2", "", "1,1", FLOATS(5));
    CHECK_RUN(keras_save_zip(&file, "m.keras"), FLOATS(3), 30);
}

TEST(keras_zip_that_lacks_something) {
    KerasFile file = zip_file();
    keras_weight(&file, "layers/conv2d", "", "1,1,1,1", FLOATS(2));
    check_refused_with(keras_save_zip(&file, "m.keras"), NULL, ST_BAD,
                       "layer 'first' (Conv2D)|expected 2 weights (kernel, bias), got 1");
    file = zip_file();
    keras_weight(&file, "layers/dense", "", "1", FLOATS(2));
    check_refused_with(keras_save_zip(&file, "m.keras"), NULL, ST_BAD,
                       "layer 'first' (Conv2D)|expected 2 weights (kernel, bias), got 0");
    ZipMake zip = {.count = 0};
    Text text = {0}, h5 = {0};
    text_add(&text, "{\"keras_version\": \"3.5.0\"}");
    zip_add(&zip, "metadata.json", &text);
    text_add(&h5, "no HDF5");
    zip_add(&zip, "model.weights.h5", &h5);
    Text bytes = zip_finish(&zip);
    check_refused_with(save_bytes(&bytes, "m.keras"), NULL, ST_BAD, "expected 'config.json' in the zip, got none");
}

// ---- what is missing

TEST(keras_unknown_layers_are_listed) {
    KerasFile file = keras_file("2.13.1");
    keras_input(&file, "x", "null,1");
    keras_layer(&file, "Lambda", "l", "'function':['code',null,null]", "x");
    keras_layer(&file, "SpatialTransformer", "s", "", "l");
    keras_layer(&file, "Lambda", "m", "", "s");
    keras_layer(&file, "TFOpLambda", "t", "'function':'math.cumsum'", "m");
    keras_layer(&file, "TimeDistributed", "d", "'layer':{'class_name':'Conv2D','config':{}}", "t");
    keras_layer(&file, "Dense", "f", "'units':1,'activation':'my_swish'", "d");
    keras_output(&file, "f");
    check_refused_with(keras_save(&file, "m.h5"), NULL, ST_UNSUPPORTED,
                       "Lambda (2 layers)|SpatialTransformer (1 layer)|tf.math.cumsum|TimeDistributed of Conv2D|"
                       "activation my_swish");
}

// A class of the user's may have the name of one of Keras: the package tells.
TEST(keras_classes_of_other_packages) {
    KerasFile file = keras_file("3.5.0");
    keras_input(&file, "x", "null,1");
    keras_raw_layer(&file,
                    "{'module':'my.layers','class_name':'Add','name':'y','config':{'name':'y'},'inbound_nodes':[{"
                    "'args':[{'class_name':'__keras_tensor__','config':{'keras_history':['x',0,0]}}],'kwargs':{}}"
                    "]}");
    keras_output(&file, "y");
    check_refused_with(keras_save_zip(&file, "m.keras"), NULL, ST_UNSUPPORTED, "layers that are not supported: Add");
}

TEST(keras_files_without_a_network) {
    H5Make made = h5make_begin();
    h5make_texts(&made, H5MAKE_ROOT, "layer_names", (const char *const[]){"a"}, 1);
    check_refused_with(h5make_save(&made, "m.h5"), NULL, ST_UNSUPPORTED, "weights of a Keras model|model.save");
    made = h5make_begin();
    h5make_group(&made, H5MAKE_ROOT, "layers");
    check_refused_with(h5make_save(&made, "m.h5"), NULL, ST_UNSUPPORTED, "weights of a Keras model|model.save");
    made = h5make_begin();
    h5make_group(&made, H5MAKE_ROOT, "data");
    check_refused_with(h5make_save(&made, "m.h5"), NULL, ST_UNSUPPORTED, "HDF5 file without a Keras model");
    KerasFile file = keras_file("2.13.1");
    file.raw_config = "{'class_name':'UNet','config':{'filters':16}}";
    check_refused_with(keras_save(&file, "m.h5"), NULL, ST_UNSUPPORTED, "class 'UNet'|functional");
}

TEST(keras_notes) {
    KerasFile file = one_layer("2.13.1", "null,1", "Activation", "'activation':'relu','dtype':'mixed_float16'");
    file.training = "{\"loss\": \"dice_loss\", \"metrics\": [\"accuracy\"]}";
    Imported model;
    CHECK_OK(import_model(keras_save(&file, "m.h5"), NULL, &model));
    CHECK_MSG(strstr(text_get(&model.notes), "dice_loss"), "%s", text_get(&model.notes));
    CHECK_MSG(strstr(text_get(&model.notes), "computed in float32"), "%s", text_get(&model.notes));
    import_free(&model);
    file = one_layer("2.13.1", "null,1", "Activation", "'activation':'relu'");
    file.training =
        "{\"loss\": {\"class_name\": \"BinaryCrossentropy\", \"config\": {}}, \"metrics\": [[\"MeanIoU\"]]}";
    CHECK_OK(import_model(keras_save(&file, "m.h5"), NULL, &model));
    CHECK_TEXT(text_get(&model.notes), "");
    import_free(&model);
}

// ---- hostile files

static void refuse_config(const char *config, Status status, const char *words) {
    KerasFile file = keras_file("2.13.1");
    file.raw_config = config;
    check_refused_with(keras_save(&file, "m.h5"), NULL, status, words);
}

TEST(keras_cycles) {
    KerasFile file = keras_file("2.13.1");
    keras_input(&file, "x", "null,1");
    keras_layer(&file, "Add", "a", "", "x b");
    keras_layer(&file, "Activation", "b", "'activation':'relu'", "a");
    keras_output(&file, "b");
    check_refused_with(keras_save(&file, "m.h5"), NULL, ST_BAD, "layer 'a'|cycle");
    file = one_layer("2.13.1", "null,1", "Activation", "'activation':'relu'");
    keras_layer(&file, "Activation", "z", "'activation':'relu'", "z");
    check_refused_with(keras_save(&file, "m.h5"), NULL, ST_BAD, "layer 'z'|cycle");
}

TEST(keras_references_that_lead_nowhere) {
    KerasFile file = one_layer("2.13.1", "null,1", "Activation", "'activation':'relu'");
    keras_layer(&file, "Activation", "z", "'activation':'relu'", "nobody");
    check_refused_with(keras_save(&file, "m.h5"), NULL, ST_BAD, "layer 'z'|a layer 'nobody'");
    file = one_layer("2.13.1", "null,1", "Activation", "'activation':'relu'");
    keras_layer(&file, "Activation", "z", "'activation':'relu'", "y:7");
    check_refused_with(keras_save(&file, "m.h5"), NULL, ST_BAD, "layer 'z'|call 7 of layer 'y', which has 1");
    file = one_layer("2.13.1", "null,1", "Activation", "'activation':'relu'");
    keras_layer(&file, "Activation", "y", "'activation':'relu'", "x");
    check_refused_with(keras_save(&file, "m.h5"), NULL, ST_BAD, "two that are called 'y'");
    file = one_layer("2.13.1", "null,1", "Activation", "'activation':'relu'");
    put_end(&file.outputs, "nobody", 0);
    check_refused_with(keras_save(&file, "m.h5"), NULL, ST_BAD, "'nobody'");
    file = one_layer("2.13.1", "null,1", "Activation", "'activation':'relu'");
    keras_raw_layer(&file, "{'class_name':'Activation','name':'z','config':{},'inbound_nodes':[[['y',0,3,{}]]]}");
    check_refused_with(keras_save(&file, "m.h5"), NULL, ST_BAD,
                       "layer 'z'|expected output 3 of layer 'y', which has 1");
}

TEST(keras_configurations_that_are_none) {
    refuse_config("{", ST_BAD, "model_config|end of the text");
    refuse_config("[]", ST_BAD, "expected the configuration of a model");
    refuse_config("{'class_name':'Model','config':{'name':'m','layers':[]}}", ST_BAD, "expected layers");
    refuse_config("{'class_name':'Model','config':{'name':'m'}}", ST_UNSUPPORTED, "class 'Model'");
    refuse_config("{'class_name':'Model','config':{'name':'m','layers':[{'class_name':'Dense','name':'d'}]}}", ST_BAD,
                  "input_layers");
    refuse_config("{'class_name':'Sequential','config':{'layers':[7]}}", ST_BAD, "class_name");
    refuse_config("{'class_name':'Sequential','config':{'layers':[{'class_name':'Dense','config':3}]}}", ST_BAD,
                  "a layer with a name");
    refuse_config("{'class_name':'Sequential','config':{'layers':[{'class_name':'InputLayer','config':"
                  "{'name':'i','batch_input_shape':[null,-3]}}]}}",
                  ST_BAD, "'batch_shape'|layer 'i'");
    refuse_config("{'class_name':'Sequential','config':{'layers':[{'class_name':'InputLayer','config':"
                  "{'name':'i','batch_input_shape':[1,1,1,1,1,1,1,1,1]}}]}}",
                  ST_BAD, "'batch_shape'");
}

// `depth` models inside each other, each of which calls the next one twice: 2^depth calls.
static void nest(Text *to, int depth) {
    text_add(to,
             "{'class_name':'Functional','name':'m%d','config':{'name':'m%d','layers':[{'class_name':'InputLayer',"
             "'name':'i','config':{'name':'i','batch_input_shape':[null,1]},'inbound_nodes':[]},",
             depth, depth);
    if (depth > 0) nest(to, depth - 1);
    else text_add(to, "{'class_name':'Activation','name':'m-1','config':{'activation':'relu'}");
    text_add(to,
             ",'inbound_nodes':[[['i',0,0,{}]],[['m%d',%d,0,{}]]]}],'input_layers':[['i',0,0]],'output_layers':"
             "[['m%d',%d,0]]}",
             depth - 1, depth > 0, depth - 1, 1 + (depth > 0));
}

static Text nested_config(int depth) {
    Text text = {0};
    nest(&text, depth);
    text_add(&text, "}");
    return text;
}

TEST(keras_depth) {
    Text config = nested_config(5);
    KerasFile file = keras_file("2.13.1");
    file.raw_config = text_get(&config);
    CHECK_RUN(keras_save(&file, "m.h5"), FLOATS(2), 2);
    text_free(&config);
    config = nested_config(20);
    refuse_config(text_get(&config), ST_BAD, "expected at most");
    text_free(&config);
}

// Fourteen models that each call the next one eight times would be 8^14 layers.
TEST(keras_calls_have_a_limit) {
    Text config = {0};
    for (int depth = 13; depth >= 0; depth--) {
        text_add(&config, "{'class_name':'Functional','name':'m','config':{'name':'m','layers':[{'class_name':"
                          "'InputLayer','name':'i','config':{'name':'i','batch_input_shape':[null,1]},"
                          "'inbound_nodes':[]},");
    }
    text_add(&config, "{'class_name':'Activation','name':'m','config':{'activation':'relu'},'inbound_nodes':"
                      "[[['i',0,0]]]");
    for (int depth = 13; depth >= 0; depth--) {
        text_add(&config, "}],'input_layers':[['i',0,0]],'output_layers':[['m',0,0]]}");
        for (int k = 0; k < 8; k++)
            text_add(&config, "%s[['i',0,0]]%s", k ? "," : ",'inbound_nodes':[", k < 7 ? "" : "]");
    }
    text_add(&config, "}");
    refuse_config(text_get(&config), ST_BAD, "expected at most");
    text_free(&config);
}

static Text small_bytes(bool is_zip) {
    KerasFile file = keras_file(is_zip ? "3.5.0" : "2.13.1");
    keras_input(&file, "x", "null,2");
    keras_layer(&file, "Dense", "d", "'units':1", "x");
    keras_output(&file, "d");
    keras_weight(&file, is_zip ? "layers/dense" : "d", "d/kernel:0", "2,1", FLOATS(1, 2));
    keras_weight(&file, is_zip ? "layers/dense" : "d", "d/bias:0", "1", FLOATS(3));
    return is_zip ? keras_zip_bytes(&file) : keras_bytes(&file);
}

static void check_cut(bool is_zip) {
    Text bytes = small_bytes(is_zip);
    const char *path = test_temp("cut.h5");
    size_t good = 0;
    for (size_t size = 1; size <= bytes.length; size++) {
        Imported model;
        CHECK_OK(file_write(path, bytes.data, size));
        error_clear();
        const Status status = import_model(path, NULL, &model);
        if (status == ST_OK) good++;
        else CHECK_MSG(text_starts(error_message(), path) && !strchr(error_message(), '\n'), "%s", error_message());
        CHECK_MSG(status == ST_OK || status == ST_BAD || status == ST_UNSUPPORTED, "%zu bytes: status %d", size,
                  status);
        import_free(&model);
    }
    CHECK_MSG(good >= 1 && good < 16, "%zu lengths of %zu are a model", good, bytes.length);
    text_free(&bytes);
}

TEST(keras_cut_h5) { check_cut(false); }
TEST(keras_cut_zip) { check_cut(true); }

TEST(keras_changed_bytes) {
    for (int is_zip = 0; is_zip < 2; is_zip++) {
        Text bytes = small_bytes(is_zip);
        const char *path = test_temp("changed.h5");
        for (size_t at = 0; at < bytes.length; at += 3) {
            Imported model;
            const char before = bytes.data[at];
            bytes.data[at] = (char)(before ^ 0x41);
            CHECK_OK(file_write(path, bytes.data, bytes.length));
            const Status status = import_model(path, NULL, &model);
            CHECK_MSG(status == ST_OK || status == ST_BAD || status == ST_UNSUPPORTED, "byte %zu: status %d", at,
                      status);
            import_free(&model);
            bytes.data[at] = before;
        }
        text_free(&bytes);
    }
}

// MultiHeadAttention. Expected values are from plain loops after the paper's formula.
#include "import/keras_check.h"

static const char *const parts[] = {"query", "key", "value", "output"};

static void put_attention_weights(KerasFile *file, bool is_zip, const char *before) {
    for (int i = 0; i < 4; i++) {
        char layer[64] = "y", kernel[64], bias[64];
        if (is_zip) snprintf(layer, sizeof layer, "layers/multi_head_attention/%s%s_dense", before, parts[i]);
        snprintf(kernel, sizeof kernel, "y/%s%s/kernel:0", i == 3 ? "attention_" : "", parts[i]);
        snprintf(bias, sizeof bias, "y/%s%s/bias:0", i == 3 ? "attention_" : "", parts[i]);
        keras_some_weight(file, layer, kernel, i == 3 ? "2,3,2" : "2,2,3");
        keras_some_weight(file, layer, bias, i == 3 ? "2" : "2,3");
    }
}

#define X FLOATS(1, -0.5f, 0.25f, 2)
#define EXPECTED 0.32196681f, -0.80377597f, 0.3822626f, -0.92702336f

TEST(keras_attention_h5) {
    KerasFile file = keras_file("2.13.1");
    keras_input(&file, "x", "null,2,2");
    keras_raw_layer(&file,
                    "{'class_name':'MultiHeadAttention','name':'y','config':{'name':'y','num_heads':2,'key_dim':3},"
                    "'inbound_nodes':[[['x',0,0,{'value':['x',0,0],'return_attention_scores':false}]]]}");
    keras_output(&file, "y");
    put_attention_weights(&file, false, "");
    CHECK_RUN(keras_save(&file, "m.h5"), X, EXPECTED);
}

static KerasFile zip_file(const char *keywords) {
    static const char tensor[] = "{'class_name':'__keras_tensor__','config':{'keras_history':['x',0,0]}}";
    KerasFile file = keras_file("3.5.0");
    Text json = {0};
    keras_input(&file, "x", "null,2,2");
    text_add(&json,
             "{'module':'keras.layers','class_name':'MultiHeadAttention','name':'y','config':{'name':'y'},"
             "'inbound_nodes':[{'args':[%s,%s],'kwargs':{%s}}]}",
             tensor, tensor, keywords);
    keras_raw_layer(&file, text_get(&json));
    text_free(&json);
    keras_output(&file, "y");
    return file;
}

TEST(keras_attention_zip) {
    for (int i = 0; i < 2; i++) {
        KerasFile file = zip_file("'attention_mask':null");
        put_attention_weights(&file, true, i ? "_" : "");
        CHECK_RUN(keras_save_zip(&file, "m.keras"), X, EXPECTED);
    }
    KerasFile file = zip_file("'use_causal_mask':true");
    put_attention_weights(&file, true, "");
    check_refused_with(keras_save_zip(&file, "m.keras"), NULL, ST_UNSUPPORTED, "layer 'y'|'use_causal_mask'");
    file = zip_file("");
    keras_some_weight(&file, "layers/multi_head_attention/query_dense", "", "2,2,3");
    check_refused_with(keras_save_zip(&file, "m.keras"), NULL, ST_BAD, "layer 'y'|expected 8 weights");
}

#include "fuzz/seeds_make.h"
#include "import/tensorflow_writer.h"
#include "wire/sstable_writer.h"

static void add_tensorflow(Seeds *to, const char *name, Text bytes) {
    seed_add(to, "tensorflow", name, bytes.data, bytes.length);
    seed_add(to, "recognise", name, bytes.data, bytes.length);
    text_free(&bytes);
}

static void fill_tensorflow(TfWriter *tf) {
    tf_placeholder(tf, "x", "1,4,4,1");
    tf_filled(tf, "k", "3,3,1,2", 0.5f);
    tf_filled(tf, "one", "2", 1);
    tf_node(tf, "VariableV2", "v", "", "dtype=#1"); // in fuzz_tensorflow's checkpoint
    tf_ints(tf, "i0", "0");
    tf_ints(tf, "i1", "1");
    tf_int(tf, "four", 4);
    tf_int(tf, "two", 2);
    tf_node(tf, "Conv2D", "c", "x k", "strides=[1,1,1,1] padding='SAME' data_format='NHWC'");
    tf_node(tf, "BiasAdd", "b", "c v", "");
    tf_node(tf, "FusedBatchNormV3", "n", "b one one one one", "is_training=false epsilon=0.5");
    tf_node(tf, "MaxPool", "p", "n", "ksize=[1,2,2,1] strides=[1,2,2,1] padding='VALID'");
    tf_node(tf, "Shape", "shape", "p", "T=#1");
    tf_node(tf, "StridedSlice", "batch", "shape i0 i1 i1", "shrink_axis_mask=1");
    tf_node(tf, "Pack", "sizes", "batch four four two", "N=4");
    tf_filled(tf, "u", "2,2,2,2", 0.5f);
    tf_node(tf, "Conv2DBackpropInput", "t", "sizes u p", "strides=[1,2,2,1] padding='SAME'");
    tf_int(tf, "axis", 3);
    tf_node(tf, "ConcatV2", "j", "t n axis", "N=2");
    tf_node(tf, "PartitionedCall", "y", "j", "f=@f");
    tf_begin(tf, "f", "a", "r");
    tf_node(tf, "Sigmoid", "s", "a", "");
    tf_node(tf, "Unpack", "u", "s:y:0", "num=4 axis=3");
    tf_node(tf, "Pack", "q", "u:output:0 u:output:3", "N=2 axis=-1");
    tf_node(tf, "Identity", "i", "q:output:0 ^s", "");
    tf_end(tf, "r=i:output:0");
}

static void tensorflow_others(TfWriter *tf) {
    tf_placeholder(tf, "x", "1,4,4,1");
    tf_filled(tf, "k", "3,3,1,1", 0.5f);
    tf_ints(tf, "block", "2,2");
    tf_ints_of(tf, "pads", "2,2", "2,2,2,2");
    tf_ints_of(tf, "crops", "2,2", "0,0,0,0");
    tf_node(tf, "SpaceToBatchND", "s", "x block pads", "");
    tf_node(tf, "Conv2D", "c", "s k", "strides=[1,1,1,1] padding='VALID'");
    tf_node(tf, "BatchToSpaceND", "d", "c block crops", "");
    tf_bool(tf, "no", false);
    tf_node(tf, "Switch", "w", "d no", "");
    tf_node(tf, "Neg", "dead", "w:1", "");
    tf_node(tf, "Relu", "taken", "w", "");
    tf_node(tf, "Merge", "m", "dead taken", "N=2");
    tf_ints(tf, "size", "8,8");
    tf_node(tf, "ResizeBilinear", "r", "m size", "half_pixel_centers=true");
    tf_ints(tf, "b", "0,1,0");
    tf_ints(tf, "e", "0,-1,1");
    tf_ints(tf, "st", "1,2,1");
    tf_node(tf, "StridedSlice", "g", "r b e st", "begin_mask=1 end_mask=1 shrink_axis_mask=4");
    tf_int(tf, "zero", 0);
    tf_ints(tf, "parts", "1,-1");
    tf_node(tf, "SplitV", "v", "g parts axis", "num_split=2");
    tf_int(tf, "axis", 1);
    tf_ints(tf, "axes", "1");
    tf_node(tf, "Mean", "y", "v:1 axes", "");
}

static void seed_models(Seeds *to) {
    TfWriter tf = {0};
    fill_tensorflow(&tf);
    add_tensorflow(to, "graph.pb", tf_graph_bytes(&tf));
    tf_drop(&tf);
    tensorflow_others(&tf);
    add_tensorflow(to, "others.pb", tf_graph_bytes(&tf));
    tf_signature(&tf, "serving_default", "in=x:0", "1,4,4,1", "out=y:0");
    add_tensorflow(to, "saved_model.pb", tf_model_bytes(&tf));
    tf_drop(&tf);
}

static void seed_sstable(Seeds *to) {
    static const char *const keys[] = {"", "layer/bias", "layer/kernel", "layer/kernel/1"};
    for (int per_block = 0; per_block < 3; per_block += 2) {
        TableWriter writer = {.per_block = per_block};
        for (size_t i = 0; i < COUNT_OF(keys); i++) table_add(&writer, keys[i], keys[i], strlen(keys[i]));
        Text bytes = table_end(&writer);
        seed_add(to, "sstable", per_block ? "blocks.index" : "whole.index", bytes.data, bytes.length);
        text_free(&bytes);
    }
}

void seed_tensorflow(Seeds *to) {
    seed_models(to);
    seed_sstable(to);
}

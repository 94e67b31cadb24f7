// Forms of operators that older opsets had, and operators that are made of others.
#include "import/onnx_check.h"

// A file with input x of that shape and, in the end, one node "y = ...".
static OnnxFile with_input(int opset, const char *dims) {
    OnnxFile file = onnx_file(opset);
    onnx_input(&file, "x", FLOAT32, dims);
    onnx_output(&file, "y");
    return file;
}

static void check_one(int opset, const char *dims, const char *op, const char *inputs, const char *attrs,
                      const char *expected) {
    OnnxFile file = with_input(opset, dims);
    onnx_node(&file, op, inputs, "y", attrs);
    check_nodes(&file, expected);
}

static void refuse_one(int opset, const char *op, const char *inputs, const char *attrs, Status status,
                       const char *words) {
    OnnxFile file = with_input(opset, "1,4,8,8");
    onnx_node(&file, op, inputs, "y", attrs);
    check_refused(&file, status, words);
}

TEST(slice_attributes) {
    check_one(9, "4,5", "Slice", "x", "starts=[0,1] ends=[2,3] axes=[0,1]", "y = Slice(x, {0 1}, {2 3}, {0 1})");
    check_one(9, "4,5", "Slice", "x", "starts=[1] ends=[3]", "y = Slice(x, {1}, {3})");
}

TEST(slice_inputs) {
    OnnxFile file = with_input(13, "4,5");
    onnx_ints(&file, "s", "1");
    onnx_ints(&file, "e", "3");
    onnx_node(&file, "Slice", "x s e _ s", "y", "");
    check_nodes(&file, "y = Slice(x, {1}, {3}, _, {1})");
}

TEST(squeeze_and_unsqueeze_attributes) {
    check_one(11, "1,4,1", "Squeeze", "x", "axes=[0]", "y = Squeeze(x, {0})");
    check_one(11, "1,4,1", "Squeeze", "x", "", "y = Squeeze(x)");
    check_one(11, "4", "Unsqueeze", "x", "axes=[0,2]", "y = Unsqueeze(x, {0 2})");
    refuse_one(11, "Unsqueeze", "x", "", ST_BAD, "value 'y': Unsqueeze|expected 2 inputs, got 1");
}

TEST(axes_twice_is_refused) {
    OnnxFile file = with_input(13, "1,4,1");
    onnx_ints(&file, "a", "0");
    onnx_node(&file, "Squeeze", "x a", "y", "axes=[0]");
    check_refused(&file, ST_BAD, "'axes' once, got it as an attribute and as input 1");
}

TEST(pad_attributes) {
    check_one(10, "4,5", "Pad", "x", "pads=[0,1,0,1]", "y = Pad(x, {0 1 0 1})");
    check_one(7, "4,5", "Pad", "x", "pads=[0,1,0,1] value=2.5 mode='constant'",
              "y = Pad(x, {0 1 0 1}, {2.5}) mode=constant");
    check_one(10, "4,5", "Pad", "x", "pads=[0,1,0,1] mode='reflect'", "y = Pad(x, {0 1 0 1}) mode=reflect");
}

TEST(clip_attributes) {
    check_one(7, "4,5", "Clip", "x", "min=0.0 max=6.0", "y = Clip(x, {0}, {6})");
    check_one(10, "4,5", "Clip", "x", "max=6.0", "y = Clip(x, _, {6})");
    check_one(10, "4,5", "Clip", "x", "", "y = Clip(x)");
}

TEST(clip_bounds_have_the_type_of_the_input) {
    OnnxFile file = onnx_file(10);
    onnx_input(&file, "x", FLOAT16, "4");
    onnx_output(&file, "y");
    onnx_node(&file, "Clip", "x", "y", "min=0.5");
    check_nodes(&file, "y = Clip(x, {0.5})");
}

static void check_einsum(const char *inputs, const char *equation, const char *expected) {
    OnnxFile file = with_input(12, "2,3");
    onnx_input(&file, "a", FLOAT32, "3,4");
    onnx_input(&file, "b", FLOAT32, "4,5");
    Text node = onnx_node_message("", "Einsum", inputs, "y", ""), attr = {0};
    put_string(&attr, 1, "equation");
    put_string(&attr, 4, equation);
    put_int(&attr, 20, 3);
    put_message(&node, 5, &attr);
    put_message(&file.graph, 1, &node);
    check_nodes(&file, expected);
}

TEST(einsum_takes_two_inputs_at_a_time) {
    check_einsum("x", "ij->ji", "y = Einsum(x) equation=ij->ji");
    check_einsum("x a", " i j, j k ", "y = Einsum(x, a) equation=ij,jk->ik"); // the output is always told
    check_einsum("x a b", "ij,jk,kl->il",
                 "y.step = Einsum(x, a) equation=ij,jk->ik\n"
                 "y = Einsum(y.step, b) equation=ik,kl->il");
    check_einsum("x a b x", "ij,jk,kl,ij->l",
                 "y.step = Einsum(x, a) equation=ij,jk->ijk\n"
                 "y.step.1 = Einsum(y.step, b) equation=ijk,kl->ijl\n"
                 "y = Einsum(y.step.1, x) equation=ijl,ij->l");
    check_einsum("x a b", "...j,jk...,kl",
                 "y.step = Einsum(x, a) equation=...j,jk...->...k\n"
                 "y = Einsum(y.step, b) equation=...k,kl->...l");
}

TEST(einsum_refusals) {
    refuse_one(12, "Einsum", "x", "", ST_BAD, "value 'y': Einsum|'equation' is missing");
    refuse_one(12, "Einsum", "x", "equation=3", ST_BAD, "'equation': expected a text");
    refuse_one(12, "Einsum", "x", "equation='abcd->abce'", ST_BAD, "'e' of the output is in no input");
    refuse_one(12, "Einsum", "x x", "equation='abcd->abc'", ST_BAD, "expected 2 terms");
    refuse_one(12, "Einsum", "x _ x", "equation='abcd,,abcd'", ST_BAD, "expected input 2, which is absent");
    refuse_one(12, "Einsum", "x x x", "equation='abcd,efgh,ijkl->abcdefghi'", ST_UNSUPPORTED, "at most 8 dims");
    refuse_one(12, "Einsum", "x x x", "equation='abcd,efgh,adhi->bcefga'", ST_BAD,
               "Einsum|input 1: expected dim 1 to go with");
}

TEST(split_attributes) {
    OnnxFile file = with_input(11, "6,2");
    onnx_output(&file, "z");
    onnx_node(&file, "Split", "x", "y z", "split=[2,4] axis=0");
    check_nodes(&file, "y, z = Split(x, {2 4}) axis=0");
    file = with_input(13, "6,2");
    onnx_output(&file, "z");
    onnx_node(&file, "Split", "x", "y z", "axis=1");
    check_nodes(&file, "y, z = Split(x) axis=1 num_outputs=2");
    file = with_input(18, "6,2");
    onnx_output(&file, "z");
    onnx_node(&file, "Split", "x", "y z", "num_outputs=2");
    check_nodes(&file, "y, z = Split(x) num_outputs=2");
}

TEST(topk_attribute) {
    OnnxFile file = with_input(9, "6,4");
    onnx_node(&file, "TopK", "x", "y i", "k=2");
    check_nodes(&file, "y, i = TopK(x, {2})");
    file = with_input(11, "6,4");
    onnx_ints(&file, "k", "3");
    onnx_node(&file, "TopK", "x k", "y _", "largest=0");
    check_nodes(&file, "y, _ = TopK(x, {3}) largest=0");
}

TEST(upsample_is_an_asymmetric_resize) {
    check_one(7, "1,2,4,4", "Upsample", "x", "scales=[1.0,1.0,2.0,2.0]",
              "y = Resize(x, _, {1 1 2 2}) mode=nearest coordinate_transformation_mode=asymmetric nearest_mode=floor");
    OnnxFile file = with_input(9, "1,2,4,4");
    onnx_floats(&file, "s", "4", (const float[]){1, 1, 2, 2}, 4);
    onnx_node(&file, "Upsample", "x s", "y", "mode='linear'");
    check_nodes(&file, "y = Resize(x, _, {1 1 2 2}) mode=linear coordinate_transformation_mode=asymmetric "
                       "nearest_mode=floor");
    refuse_one(9, "Upsample", "x", "", ST_BAD, "scales");
}

TEST(resize_of_opset_10) {
    OnnxFile file = with_input(10, "1,2,4,4");
    onnx_floats(&file, "s", "4", (const float[]){1, 1, 2, 2}, 4);
    onnx_node(&file, "Resize", "x s", "y", "mode='nearest'");
    check_nodes(&file, "y = Resize(x, _, {1 1 2 2}) mode=nearest coordinate_transformation_mode=asymmetric "
                       "nearest_mode=floor");
}

TEST(resize_drops_empty_inputs) {
    OnnxFile file = with_input(11, "1,2,4,4");
    onnx_floats(&file, "roi", "0", NULL, 0);
    onnx_floats(&file, "none", "0", NULL, 0);
    onnx_ints(&file, "sizes", "1,2,8,8");
    onnx_node(&file, "Resize", "x roi none sizes", "y", "mode='linear'");
    check_nodes(&file, "y = Resize(x, _, _, {1 2 8 8}) mode=linear");
    file = with_input(13, "1,2,4,4");
    onnx_floats(&file, "roi", "8", (const float[]){0, 0, 0, 0, 1, 1, 1, 1}, 8);
    onnx_floats(&file, "s", "4", (const float[]){1, 1, 2, 2}, 4);
    onnx_node(&file, "Resize", "x roi s", "y", "");
    check_nodes(&file, "y = Resize(x, _, {1 1 2 2})");
}

TEST(resize_tf_half_pixel_for_nn) {
    OnnxFile file = with_input(11, "1,2,4,4");
    onnx_floats(&file, "s", "4", (const float[]){1, 1, 2, 2}, 4);
    onnx_node(&file, "Resize", "x _ s", "y",
              "coordinate_transformation_mode='tf_half_pixel_for_nn' nearest_mode='floor'");
    check_nodes(&file, "y = Resize(x, _, {1 1 2 2}) coordinate_transformation_mode=half_pixel "
                       "nearest_mode=round_prefer_ceil");
    file = with_input(11, "1,2,4,4");
    onnx_floats(&file, "s", "4", (const float[]){1, 1, 2, 2}, 4);
    onnx_node(&file, "Resize", "x _ s", "y", "coordinate_transformation_mode='tf_half_pixel_for_nn'");
    check_refused(&file, ST_UNSUPPORTED, "tf_half_pixel_for_nn|round_prefer_floor");
}

TEST(reduce_attributes) {
    check_one(11, "2,3", "ReduceMean", "x", "axes=[1] keepdims=0", "y = ReduceMean(x, {1}) keepdims=0");
    check_one(17, "2,3", "ReduceMax", "x", "axes=[0]", "y = ReduceMax(x, {0})");
    check_one(11, "2,3", "ReduceSum", "x", "", "y = ReduceSum(x)");
    OnnxFile file = with_input(18, "2,3");
    onnx_ints(&file, "a", "1");
    onnx_node(&file, "ReduceL2", "x a", "y", "noop_with_empty_axes=1");
    check_nodes(&file, "y = ReduceL2(x, {1}) noop_with_empty_axes=1");
}

TEST(reductions_made_of_others) {
    check_one(11, "2,3", "ReduceSumSquare", "x", "axes=[1] keepdims=0",
              "y.square = Mul(x, x)\ny = ReduceSum(y.square, {1}) keepdims=0");
    check_one(11, "2,3", "ReduceLogSum", "x", "axes=[1]", "y.sum = ReduceSum(x, {1})\ny = Log(y.sum)");
}

TEST(softmax_before_opset_13) {
    check_one(12, "2,3", "Softmax", "x", "", "y = Softmax(x) axis=-1");
    check_one(12, "2,3,4", "Softmax", "x", "axis=2", "y = Softmax(x) axis=-1");
    check_one(11, "2,3,4", "Softmax", "x", "axis=-1", "y = Softmax(x) axis=-1");
    check_one(12, "2,3,4", "LogSoftmax", "x", "",
              "y.flat = Flatten(x) axis=1\ny.soft = LogSoftmax(y.flat) axis=-1\ny.shape = Shape(x)\n"
              "y = Reshape(y.soft, y.shape)");
    check_one(13, "2,3,4", "Softmax", "x", "axis=1", "y = Softmax(x) axis=1");
    check_one(13, "2,3,4", "Softmax", "x", "", "y = Softmax(x) axis=-1");
}

// Opset 6 said where the dims of the second operand belong.
TEST(operands_of_opset_6) {
    static const float w[4] = {1, 2, 3, 4};
    OnnxFile file = with_input(6, "2,4,3");
    onnx_floats(&file, "w", "4", w, 4);
    onnx_node(&file, "Add", "x w", "y", "axis=1 broadcast=1");
    check_nodes(&file, "y.aligned = Unsqueeze({1 2 3 4}, {1})\ny = Add(x, y.aligned)");
    file = with_input(6, "2,4,3");
    onnx_floats(&file, "w", "2,2", w, 4);
    onnx_node(&file, "Mul", "x w", "y", "axis=-2 broadcast=1");
    check_refused(&file, ST_BAD, "Mul|[2x4x3]|[2x2]");
    file = with_input(6, "2,3,4");
    onnx_floats(&file, "w", "4", w, 4);
    onnx_node(&file, "Sub", "x w", "y", "axis=2 broadcast=1");
    check_nodes(&file, "y = Sub(x, {1 2 3 4})");
    file = with_input(6, "2,3,4");
    onnx_floats(&file, "w", "4", w, 4);
    onnx_node(&file, "Div", "x w", "y", "axis=3 broadcast=1");
    check_refused(&file, ST_BAD, "Div|'axis'|with 1 dims behind it in 3, got 3");
    file = with_input(6, "2,3,4");
    onnx_node(&file, "Add", "x x", "y", "axis=-9223372036854775808 broadcast=1");
    check_refused(&file, ST_BAD, "Add|'axis'");
    file = with_input(6, "2,3,4");
    onnx_floats(&file, "w", "4", w, 4);
    onnx_node(&file, "Pow", "x w", "y", "broadcast=1");
    check_nodes(&file, "y = Pow(x, {1 2 3 4})");
}

// The slope of PRelu was one a channel; from opset 7 on it is broadcast.
TEST(prelu_of_opset_6) {
    static const float w[4] = {1, 2, 3, 4};
    OnnxFile file = with_input(6, "1,4,4");
    onnx_floats(&file, "w", "4", w, 4);
    onnx_node(&file, "PRelu", "x w", "y", "");
    check_nodes(&file, "y.aligned = Unsqueeze({1 2 3 4}, {1})\ny = PRelu(x, y.aligned)");
    file = with_input(6, "1,4,4");
    onnx_floats(&file, "w", "1", w, 1);
    onnx_node(&file, "PRelu", "x w", "y", "");
    check_nodes(&file, "y = PRelu(x, {1})");
    file = with_input(7, "1,4,4");
    onnx_floats(&file, "w", "4", w, 4);
    onnx_node(&file, "PRelu", "x w", "y", "");
    check_nodes(&file, "y = PRelu(x, {1 2 3 4})");
}

TEST(training_in_opset_6) {
    check_one(6, "2,3", "Dropout", "x", "is_test=1 ratio=0.5", "y = Dropout(x)");
    refuse_one(6, "Dropout", "x", "ratio=0.5", ST_UNSUPPORTED, "Dropout|training mode");
    check_one(7, "2,3", "Dropout", "x", "ratio=0.5", "y = Dropout(x)");
}

static OnnxFile layer_norm(const char *outputs, const char *attrs) {
    OnnxFile file = with_input(17, "2,4");
    onnx_filled(&file, "w", "4", 4, 1);
    onnx_node(&file, "LayerNormalization", "x w", outputs, attrs);
    return file;
}

TEST(statistics_of_a_layer_norm) {
    OnnxFile file = layer_norm("y mean deviation", "");
    check_nodes(&file, "y = LayerNormalization(x, {1 1 1 1})");
    file = layer_norm("y mean deviation", "stash_type=1");
    onnx_output(&file, "mean");
    check_nodes(&file, "y, mean = LayerNormalization(x, {1 1 1 1})");
    file = layer_norm("y mean", "stash_type=16");
    check_nodes(&file, "y = LayerNormalization(x, {1 1 1 1})");
    file = layer_norm("y mean", "stash_type=16");
    onnx_output(&file, "mean");
    check_refused(&file, ST_UNSUPPORTED, "LayerNormalization|output 2 ('mean') is used");
}

static OnnxFile batch_norm(int opset, const char *outputs, const char *attrs) {
    OnnxFile file = with_input(opset, "1,2,4,4");
    onnx_filled(&file, "w", "2", 2, 1);
    onnx_node(&file, "BatchNormalization", "x w w w w", outputs, attrs);
    return file;
}

TEST(batch_norm_for_inference) {
    OnnxFile file = batch_norm(7, "y mean var saved_mean saved_var", "epsilon=0.5 momentum=0.9 spatial=1");
    check_nodes(&file, "y = BatchNormalization(x, {1 1}, {1 1}, {1 1}, {1 1}) epsilon=0.5");
    file = batch_norm(15, "y", "training_mode=0");
    check_nodes(&file, "y = BatchNormalization(x, {1 1}, {1 1}, {1 1}, {1 1})");
    file = batch_norm(15, "y", "training_mode=1");
    check_refused(&file, ST_UNSUPPORTED, "BatchNormalization|training mode|eval");
    file = batch_norm(6, "y", "is_test=1");
    check_nodes(&file, "y = BatchNormalization(x, {1 1}, {1 1}, {1 1}, {1 1})");
    file = batch_norm(6, "y", "");
    check_refused(&file, ST_UNSUPPORTED, "BatchNormalization|training mode|eval");
    file = batch_norm(8, "y", "spatial=0");
    check_refused(&file, ST_UNSUPPORTED, "spatial=0");
    file = batch_norm(8, "y mean", "");
    onnx_output(&file, "mean");
    check_refused(&file, ST_UNSUPPORTED, "output 2 ('mean') is used");
}

static OnnxFile group_norm(int opset, const float *scale, const char *scale_shape, size_t count) {
    OnnxFile file = with_input(opset, "1,4,2,2");
    onnx_floats(&file, "s", scale_shape, scale, count);
    onnx_node(&file, "GroupNormalization", "x s s", "y", "num_groups=2 epsilon=0.5");
    return file;
}

TEST(group_norm_per_group) {
    OnnxFile file = group_norm(18, (const float[]){3, 5}, "2", 2);
    check_nodes(&file, "y = GroupNormalization(x, {3 3 5 5}, {3 3 5 5}) num_groups=2 epsilon=0.5");
    file = group_norm(21, (const float[]){1, 2, 3, 4}, "4", 4);
    check_nodes(&file, "y = GroupNormalization(x, {1 2 3 4}, {1 2 3 4}) num_groups=2 epsilon=0.5");
    file = group_norm(18, (const float[]){1, 2, 3}, "3", 3);
    check_refused(&file, ST_BAD, "expected a scale of 2 elements, got 3");
}

TEST(dropout_is_told_as_inference) {
    check_one(7, "2,3", "Dropout", "x", "ratio=0.5", "y = Dropout(x)");
    OnnxFile file = with_input(13, "2,3");
    onnx_filled(&file, "r", "", 1, 0.5f);
    onnx_raw(&file, "t", BOOL, "", "\0", 1);
    onnx_node(&file, "Dropout", "x r t", "y", "seed=1");
    check_nodes(&file, "y = Dropout(x)");
    file = with_input(13, "2,3");
    onnx_filled(&file, "r", "", 1, 0.5f);
    onnx_raw(&file, "t", BOOL, "", "\x01", 1);
    onnx_node(&file, "Dropout", "x r t", "y", "");
    check_refused(&file, ST_UNSUPPORTED, "Dropout|training mode");
    file = with_input(7, "2,3");
    onnx_output(&file, "mask");
    onnx_node(&file, "Dropout", "x", "y mask", "");
    check_refused(&file, ST_UNSUPPORTED, "'mask'");
}

TEST(max_pool_indices) {
    OnnxFile file = with_input(12, "1,1,4,4");
    onnx_node(&file, "MaxPool", "x", "y i", "kernel_shape=[2,2] storage_order=1");
    check_nodes(&file, "y = MaxPool(x) kernel_shape=2,2 storage_order=1"); // nobody reads i
    file = with_input(12, "1,1,4,4");
    onnx_output(&file, "i");
    onnx_node(&file, "MaxPool", "x", "y i", "kernel_shape=[2,2]");
    check_nodes(&file, "y, i = MaxPool(x) kernel_shape=2,2");
}

TEST(cast_and_cast_like) {
    check_one(7, "2", "Cast", "x", "to=7", "y = Cast(x) to=int64");
    check_one(19, "2", "Cast", "x", "to=10 saturate=1", "y = Cast(x) to=float16");
    refuse_one(19, "Cast", "x", "to=17", ST_UNSUPPORTED, "Cast|float8e4m3fn");
    refuse_one(19, "Cast", "x", "to=99", ST_BAD, "99");
    OnnxFile file = with_input(15, "2");
    onnx_ints(&file, "like", "1");
    onnx_node(&file, "CastLike", "x like", "y", "");
    check_nodes(&file, "y = Cast(x) to=int64");
}

TEST(sums_and_means) {
    check_one(8, "2", "Sum", "x x x", "", "y.sum = Add(x, x)\ny = Add(y.sum, x)");
    check_one(8, "2", "Sum", "x", "", "y = Identity(x)");
    check_one(8, "2", "Mean", "x x x x", "",
              "y.sum = Add(x, x)\ny.sum.1 = Add(y.sum, x)\ny.sum.2 = Add(y.sum.1, x)\ny = Div(y.sum.2, {4})");
}

TEST(size_and_celu) {
    check_one(13, "2,3", "Size", "x", "", "y.shape = Shape(x)\ny = ReduceProd(y.shape) keepdims=0");
    check_one(12, "2,3", "Celu", "x", "alpha=2.0", "y.div = Div(x, {2})\ny.elu = Elu(y.div)\ny = Mul(y.elu, {2})");
}

TEST(constants_of_every_form) {
    OnnxFile file = with_input(13, "2");
    onnx_node(&file, "Constant", "", "a", "value_float=1.5");
    onnx_node(&file, "Constant", "", "b", "value_floats=[1.0,2.0]");
    onnx_node(&file, "Constant", "", "c", "value_int=1");
    onnx_node(&file, "Constant", "", "d", "value_ints=[2]");
    onnx_node_tensor(&file, "Constant", "", "e", "value", "2", (const float[]){3, 4}, 2);
    onnx_node(&file, "Max", "x a b e", "m", "");
    onnx_node(&file, "Expand", "m d", "n", "");
    onnx_node(&file, "Gather", "n c", "y", "");
    check_nodes(&file, "m = Max(x, {1.5}, {1 2}, {3 4})\nn = Expand(m, {2})\ny = Gather(n, {1})");
    refuse_one(13, "Constant", "", "value_string='a'", ST_UNSUPPORTED, "value 'y': Constant|value_string");
    refuse_one(13, "Constant", "", "", ST_BAD, "expected one value");
}

TEST(constant_of_shape) {
    OnnxFile file = with_input(13, "2");
    onnx_ints(&file, "s", "2");
    onnx_node_tensor(&file, "ConstantOfShape", "s", "c", "value", "1", (const float[]){7}, 1);
    onnx_node(&file, "Add", "x c", "y", "");
    check_nodes(&file, "c = ConstantOfShape({2}) value={7}\ny = Add(x, c)");
}

TEST(attributes_that_are_not_had_or_wrong) {
    refuse_one(13, "Relu", "x", "slope=1", ST_UNSUPPORTED, "value 'y': Relu|attribute 'slope'");
    refuse_one(13, "LeakyRelu", "x", "alpha=1", ST_BAD, "attribute 'alpha'|float|integer");
    refuse_one(13, "Relu", "x x", "", ST_BAD, "expected 1 input, got 2");
    refuse_one(13, "Add", "_ x", "", ST_BAD, "expected input 1, which is absent");
    refuse_one(13, "Transpose", "x", "perm=[0,1,2,3] perm=[0,1,2,3]", ST_BAD, "'perm' once");
}

// ---- operators made of others

TEST(lrn_is_a_pool_over_channels) {
    check_one(13, "1,8,4,5", "LRN", "x", "size=4", // one channel before, two behind
              "y.square = Mul(x, x)\n"
              "y.wide = Unsqueeze(y.square, {1})\n"
              "y.mean = AveragePool(y.wide) kernel_shape=4,1,1 pads=1,0,0,2,0,0 count_include_pad=1\n"
              "y.squares = Squeeze(y.mean, {1})\n"
              "y.scaled = Mul(y.squares, {0.0001})\n"
              "y.sum = Add(y.scaled, {1})\n"
              "y.power = Pow(y.sum, {0.75})\n"
              "y = Div(x, y.power)");
    refuse_one(13, "LRN", "x", "", ST_BAD, "'size': expected 1 to 65536, got 0");
    refuse_one(13, "LRN", "x", "size=9000000000000000000", ST_BAD, "'size': expected 1 to 65536");
}

TEST(places_need_known_dims) {
    static const char *const ops[] = {"Trilu", "EyeLike", "Hardmax"};
    for (size_t i = 0; i < COUNT_OF(ops); i++) {
        OnnxFile file = with_input(15, "N,M");
        onnx_node(&file, ops[i], "x", "y", "");
        check_refused(&file, ST_UNSUPPORTED, "a shape that is not known here|--input");
        file = with_input(15, "3,9000000000000000000");
        onnx_node(&file, ops[i], "x", "y", "");
        check_refused(&file, ST_UNSUPPORTED, "a dim of at most 65536 is supported");
        file = with_input(15, "");
        onnx_node(&file, ops[i], "x", "y", "");
        check_refused(&file, ST_BAD, "expected an");
    }
    refuse_one(11, "Hardmax", "x", "axis=1", ST_UNSUPPORTED, "several dims at once");
}

TEST(composed_operators_check_what_they_get) {
    refuse_one(13, "LpNormalization", "x", "p=3", ST_BAD, "'p': expected 1 or 2, got 3");
    refuse_one(13, "LpNormalization", "x x", "", ST_BAD, "expected 1 input, got 2");
    refuse_one(13, "OneHot", "x _ x", "", ST_BAD, "expected input 2, which is absent");
    refuse_one(13, "OneHot", "x x x", "axis=6", ST_BAD, "expected an axis from -5 to 4, got 6");
    refuse_one(23, "RMSNormalization", "x x", "axis=4", ST_BAD, "expected an axis from -4 to 3, got 4");
    refuse_one(13, "MeanVarianceNormalization", "x", "axes=[4]", ST_BAD, "expected an axis from -4 to 3, got 4");
    refuse_one(13, "IsNaN", "", "", ST_BAD, "expected 1 input, got 0");
    refuse_one(13, "Shrink", "", "", ST_BAD, "expected 1 input, got 0");
}

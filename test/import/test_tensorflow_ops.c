// Operations one by one: small graphs, run by the reference, against what TensorFlow's documentation says.
#include "import/tensorflow_check.h"

#define VALUES(...) ((const double[]){__VA_ARGS__})
#define FLOATS(...) ((const float[]){__VA_ARGS__})

static void check_simple(const char *op, const char *attrs, const float *x, const double *expected) {
    TfWriter tf = {0};
    check_node(&tf, op, "x", attrs, "4", x, "4", expected);
}

TEST(element_by_element) {
    const float *x = FLOATS(-2, -0.5f, 0.25f, 8), *positive = FLOATS(1, 4, 0.25f, 16);
    check_simple("Abs", "", x, VALUES(2, 0.5, 0.25, 8));
    check_simple("Neg", "", x, VALUES(2, 0.5, -0.25, -8));
    check_simple("Relu", "", x, VALUES(0, 0, 0.25, 8));
    check_simple("Relu6", "", x, VALUES(0, 0, 0.25, 6));
    check_simple("LeakyRelu", "alpha=0.5", x, VALUES(-1, -0.25, 0.25, 8));
    check_simple("LeakyRelu", "", x, VALUES(-0.4, -0.1, 0.25, 8)); // the default is 0.2
    check_simple("Elu", "", x, VALUES(exp(-2) - 1, exp(-0.5) - 1, 0.25, 8));
    check_simple("Sigmoid", "", x,
                 VALUES(1 / (1 + exp(2)), 1 / (1 + exp(0.5)), 1 / (1 + exp(-0.25)), 1 / (1 + exp(-8))));
    check_simple("Tanh", "", x, VALUES(tanh(-2), tanh(-0.5), tanh(0.25), tanh(8)));
    check_simple("Softplus", "", x, VALUES(log1p(exp(-2)), log1p(exp(-0.5)), log1p(exp(0.25)), log1p(exp(8))));
    check_simple("Softsign", "", x, VALUES(-2.0 / 3, -0.5 / 1.5, 0.2, 8.0 / 9));
    check_simple("Square", "", x, VALUES(4, 0.25, 0.0625, 64));
    check_simple("Sqrt", "", positive, VALUES(1, 2, 0.5, 4));
    check_simple("Rsqrt", "", positive, VALUES(1, 0.5, 2, 0.25));
    check_simple("Reciprocal", "", positive, VALUES(1, 0.25, 4, 0.0625));
    check_simple("Erf", "", x, VALUES(erf(-2), erf(-0.5), erf(0.25), erf(8)));
    check_simple("Erfc", "", x, VALUES(erfc(-2), erfc(-0.5), erfc(0.25), erfc(8)));
    check_simple("IsFinite", "", FLOATS(1, -INFINITY, NAN, 0), VALUES(1, 0, 0, 1));
    check_simple("Exp", "", x, VALUES(exp(-2), exp(-0.5), exp(0.25), exp(8)));
    check_simple("Log", "", positive, VALUES(0, log(4), log(0.25), log(16)));
    check_simple("Floor", "", x, VALUES(-2, -1, 0, 8));
    check_simple("Rint", "", x, VALUES(-2, 0, 0, 8));
    check_simple("Identity", "", x, VALUES(-2, -0.5, 0.25, 8));
    check_simple("StopGradient", "", x, VALUES(-2, -0.5, 0.25, 8));
    check_simple("ZerosLike", "", x, VALUES(0, 0, 0, 0));
    check_simple("OnesLike", "", x, VALUES(1, 1, 1, 1));
    check_simple("Softmax", "", FLOATS(0, 0, 0, 0), VALUES(0.25, 0.25, 0.25, 0.25));
    check_simple("LogSoftmax", "", FLOATS(0, 0, 0, 0), VALUES(-log(4), -log(4), -log(4), -log(4)));
}

static void check_pair(const char *op, const double *expected) {
    TfWriter tf = {0};
    tf_floats(&tf, "c", "2", FLOATS(2, -1), 2);
    check_node(&tf, op, "x c", "", "2,2", FLOATS(3, 1, -3, 4), "2,2", expected);
}

TEST(two_operands) {
    check_pair("Add", VALUES(5, 0, -1, 3));
    check_pair("AddV2", VALUES(5, 0, -1, 3));
    check_pair("Sub", VALUES(1, 2, -5, 5));
    check_pair("Mul", VALUES(6, -1, -6, -4));
    check_pair("RealDiv", VALUES(1.5, -1, -1.5, -4));
    check_pair("Div", VALUES(1.5, -1, -1.5, -4));
    check_pair("Maximum", VALUES(3, 1, 2, 4));
    check_pair("Minimum", VALUES(2, -1, -3, -1));
    check_pair("Pow", VALUES(9, 1, 9, 0.25));
    check_pair("SquaredDifference", VALUES(1, 4, 25, 25));
    check_pair("FloorDiv", VALUES(1, -1, -2, -4));
    check_pair("DivNoNan", VALUES(1.5, -1, -1.5, -4));
    check_pair("FloorMod", VALUES(1, 0, 1, 0));
    check_pair("Mod", VALUES(1, 0, -1, 0));
    check_pair("Greater", VALUES(1, 1, 0, 1));
    check_pair("GreaterEqual", VALUES(1, 1, 0, 1));
    check_pair("Less", VALUES(0, 0, 1, 0));
    check_pair("LessEqual", VALUES(0, 0, 1, 0));
    check_pair("Equal", VALUES(0, 0, 0, 0));
    check_pair("NotEqual", VALUES(1, 1, 1, 1));
    check_pair("BiasAdd", VALUES(5, 0, -1, 3));
}

TEST(integers_divide_downwards) {
    TfWriter tf = {0};
    tf_ints(&tf, "a", "7,-7,7,-7");
    tf_ints(&tf, "b", "2,2,-2,-2");
    tf_node(&tf, "FloorDiv", "d", "a b", "T=#3");
    tf_node(&tf, "Cast", "f", "d", "SrcT=#3 DstT=#1");
    check_node(&tf, "Mul", "x f", "", "4", FLOATS(1, 1, 1, 1), "4", VALUES(3, -4, -4, 3));
}

TEST(several_operands) {
    TfWriter tf = {0};
    tf_floats(&tf, "c", "2", FLOATS(2, -1), 2);
    check_node(&tf, "AddN", "x c x", "N=3", "2", FLOATS(3, 1), "2", VALUES(8, 1));
    check_node(&tf, "AddN", "x", "N=1", "2", FLOATS(3, 1), "2", VALUES(3, 1));
    tf_floats(&tf, "lo", "", FLOATS(-1), 1);
    tf_floats(&tf, "hi", "", FLOATS(2), 1);
    check_node(&tf, "ClipByValue", "x lo hi", "", "3", FLOATS(-5, 1, 3), "3", VALUES(-1, 1, 2));
    tf_floats(&tf, "lo", "3", FLOATS(-1, 2, 0), 3);
    tf_floats(&tf, "hi", "", FLOATS(2), 1);
    check_node(&tf, "ClipByValue", "x lo hi", "", "3", FLOATS(-5, 1, 3), "3", VALUES(-1, 2, 2));
    tf_floats(&tf, "zero", "", FLOATS(0), 1);
    tf_floats(&tf, "c", "2,2", FLOATS(9, 9, 9, 9), 4);
    tf_node(&tf, "Greater", "p", "x zero", "");
    check_node(&tf, "SelectV2", "p x c", "", "2", FLOATS(3, -1), "2,2", VALUES(3, 9, 3, 9));
}

TEST(select_by_the_first_dim) { // Select: a list of conditions, one a row
    TfWriter tf = {0};
    tf_raw(&tf, "p", TF_BOOL, "2", "\1\0", 2);
    tf_filled(&tf, "c", "2,2", 9);
    check_node(&tf, "Select", "p x c", "", "2,2", FLOATS(1, 2, 3, 4), "2,2", VALUES(1, 2, 9, 9));
}

TEST(matrices) {
    const float *x = FLOATS(1, 2, 3, 4, 5, 6);
    TfWriter tf = {0};
    tf_floats(&tf, "w", "3,2", FLOATS(1, 0, 0, 1, 1, 1), 6);
    check_node(&tf, "MatMul", "x w", "", "2,3", x, "2,2", VALUES(4, 5, 10, 11));
    tf_floats(&tf, "w", "2,3", FLOATS(1, 0, 1, 0, 1, 1), 6);
    check_node(&tf, "MatMul", "x w", "transpose_b=true", "2,3", x, "2,2", VALUES(4, 5, 10, 11));
    tf_floats(&tf, "w", "2,1", FLOATS(1, 1), 2);
    check_node(&tf, "MatMul", "x w", "transpose_a=true", "2,3", x, "3,1", VALUES(5, 7, 9));
    tf_floats(&tf, "w", "1,2,3", FLOATS(1, 0, 1, 0, 1, 1), 6);
    check_node(&tf, "BatchMatMulV2", "x w", "adj_y=true", "1,2,3", x, "1,2,2", VALUES(4, 5, 10, 11));
    tf_floats(&tf, "w", "3,2", FLOATS(1, 0, 0, 1, 1, 1), 6);
    check_node(&tf, "Einsum", "x w", "equation='ij,jk->ik' N=2", "2,3", x, "2,2", VALUES(4, 5, 10, 11));
}

TEST(reductions) {
    const float *x = FLOATS(1, 2, 3, 4, 5, 9);
    static const struct {
        const char *op;
        double expected[2];
    } ops[] = {{"Sum", {6, 18}}, {"Mean", {2, 6}}, {"Max", {3, 9}}, {"Min", {1, 4}}, {"Prod", {6, 180}}};
    for (size_t i = 0; i < COUNT_OF(ops); i++) {
        TfWriter tf = {0};
        tf_ints(&tf, "axes", "1");
        check_node(&tf, ops[i].op, "x axes", "", "2,3", x, "2", ops[i].expected);
        tf_ints(&tf, "axes", "-1");
        check_node(&tf, ops[i].op, "x axes", "keep_dims=true", "2,3", x, "2,1", ops[i].expected);
        tf_int(&tf, "axes", 1);
        check_node(&tf, ops[i].op, "x axes", "", "2,3", x, "2", ops[i].expected);
    }
    TfWriter tf = {0};
    tf_ints(&tf, "axes", "");
    check_node(&tf, "Sum", "x axes", "", "2,3", x, "2,3", VALUES(1, 2, 3, 4, 5, 9)); // no axes: nothing is reduced
    tf_int(&tf, "axis", 1);
    check_node(&tf, "ArgMax", "x axis", "", "2,3", x, "2", VALUES(2, 2));
    tf_int(&tf, "axis", 0);
    check_node(&tf, "ArgMin", "x axis", "output_type=#3", "2,3", x, "3", VALUES(0, 0, 0));
    tf_int(&tf, "axis", 1);
    check_node(&tf, "Cumsum", "x axis", "", "2,3", x, "2,3", VALUES(1, 3, 6, 4, 9, 18));
}

// ---- windows, against loops

typedef struct Conv {
    int n, h, w, c, kh, kw, oc, stride, dilation;
    bool same;
    int pads[4]; // top, bottom, left, right; where not same
    int oh, ow;
} Conv;
#define CONV(n, h, w, c, kh, kw, oc, stride, dilation, same, ...)                                                      \
    { n, h, w, c, kh, kw, oc, stride, dilation, same, {__VA_ARGS__}, 0, 0 }

// The size and the padding in front of TensorFlow's windows ("same": the odd one goes to the end).
static int window_size(int in, int reach, int stride, bool same, const int *pads, int *begin) {
    if (same) {
        const int out = (in + stride - 1) / stride, all = MAX((out - 1) * stride + reach - in, 0);
        *begin = all / 2;
        return out;
    }
    *begin = pads[0];
    return (in + pads[0] + pads[1] - reach) / stride + 1;
}

// x (n, h, w, c), k (kh, kw, c, oc): y (n, oh, ow, oc). depthwise: k (kh, kw, c, m), oc = c m.
static double *convolve(Conv *v, const float *x, const float *k, bool depthwise) {
    int top, left;
    v->oh = window_size(v->h, (v->kh - 1) * v->dilation + 1, v->stride, v->same, v->pads, &top);
    v->ow = window_size(v->w, (v->kw - 1) * v->dilation + 1, v->stride, v->same, v->pads + 2, &left);
    double *y = calloc((size_t)(v->n * v->oh * v->ow * v->oc), sizeof *y);
    REQUIRE(y);
    const int m = depthwise ? v->oc / v->c : v->oc;
    for (int i = 0; i < v->n * v->oh * v->ow * v->oc; i++)
        for (int t = 0; t < v->kh * v->kw * v->c; t++) {
            const int o = i % v->oc, ox = i / v->oc % v->ow, oy = i / v->oc / v->ow % v->oh,
                      n = i / v->oc / v->ow / v->oh;
            const int c = t % v->c, kx = t / v->c % v->kw, ky = t / v->c / v->kw;
            const int iy = oy * v->stride + ky * v->dilation - top, ix = ox * v->stride + kx * v->dilation - left;
            if (iy < 0 || iy >= v->h || ix < 0 || ix >= v->w || (depthwise && c != o / m)) continue;
            const int at = (ky * v->kw + kx) * v->c + c;
            y[i] += (double)x[((n * v->h + iy) * v->w + ix) * v->c + c] * k[at * m + (depthwise ? o % m : o)];
        }
    return y;
}

static void check_conv(const char *op, Conv v, const char *attrs, bool depthwise) {
    TfWriter tf = {0};
    char x_dims[64], k_dims[64], y_dims[64];
    const int m = depthwise ? v.oc / v.c : v.oc;
    float *x = made_floats((size_t)(v.n * v.h * v.w * v.c), 1), *k = made_floats((size_t)(v.kh * v.kw * v.c * m), 2);
    double *y = convolve(&v, x, k, depthwise);
    snprintf(x_dims, sizeof x_dims, "%d,%d,%d,%d", v.n, v.h, v.w, v.c);
    snprintf(k_dims, sizeof k_dims, "%d,%d,%d,%d", v.kh, v.kw, v.c, m);
    snprintf(y_dims, sizeof y_dims, "%d,%d,%d,%d", v.n, v.oh, v.ow, v.oc);
    tf_floats(&tf, "k", k_dims, k, (size_t)(v.kh * v.kw * v.c * m));
    check_node(&tf, op, "x k", attrs, x_dims, x, y_dims, y);
    free(x), free(k), free(y);
}

TEST(convolutions) {
    check_conv("Conv2D", (Conv)CONV(1, 5, 6, 2, 3, 3, 3, 1, 1, true, 0), "strides=[1,1,1,1] padding='SAME'", false);
    check_conv("Conv2D", (Conv)CONV(2, 6, 7, 2, 3, 2, 3, 2, 1, true, 0), "strides=[1,2,2,1] padding='SAME'", false);
    check_conv("Conv2D", (Conv)CONV(1, 5, 6, 2, 3, 3, 3, 1, 1, false, 0), "strides=[1,1,1,1] padding='VALID'", false);
    check_conv("Conv2D", (Conv)CONV(1, 7, 8, 2, 3, 3, 3, 2, 1, false, 0), "strides=[1,2,2,1] padding='VALID'", false);
    check_conv("Conv2D", (Conv)CONV(1, 8, 8, 1, 3, 3, 2, 1, 2, true, 0),
               "strides=[1,1,1,1] dilations=[1,2,2,1] padding='SAME'", false);
    check_conv("Conv2D", (Conv)CONV(1, 5, 5, 2, 3, 3, 2, 1, 1, false, 1, 2, 0, 1),
               "strides=[1,1,1,1] padding='EXPLICIT' explicit_paddings=[0,0,1,2,0,1,0,0]", false);
    check_conv("DepthwiseConv2dNative", (Conv)CONV(1, 5, 6, 3, 3, 3, 3, 1, 1, true, 0),
               "strides=[1,1,1,1] padding='SAME'", true);
    check_conv("DepthwiseConv2dNative", (Conv)CONV(1, 5, 6, 2, 3, 3, 6, 2, 1, true, 0),
               "strides=[1,2,2,1] padding='SAME'", true);
}

TEST(channels_first) {
    TfWriter tf = {0};
    tf_floats(&tf, "k", "1,1,2,1", FLOATS(10, 1), 2);
    check_node(&tf, "Conv2D", "x k", "strides=[1,1,1,1] padding='SAME' data_format='NCHW'", "1,2,1,3",
               FLOATS(1, 2, 3, 4, 5, 6), "1,1,1,3", VALUES(14, 25, 36));
    tf_floats(&tf, "b", "2", FLOATS(10, 20), 2);
    check_node(&tf, "BiasAdd", "x b", "data_format='NCHW'", "1,2,1,2", FLOATS(1, 2, 3, 4), "1,2,1,2",
               VALUES(11, 12, 23, 24));
    check_node(&tf, "MaxPool", "x", "ksize=[1,1,1,2] strides=[1,1,1,2] padding='VALID' data_format='NCHW'", "1,2,1,2",
               FLOATS(1, 2, 3, 4), "1,2,1,1", VALUES(2, 4));
}

TEST(grouped_convolution) { // weights of one input channel for two: two groups
    TfWriter tf = {0};
    tf_floats(&tf, "k", "1,1,1,2", FLOATS(10, 100), 2);
    check_node(&tf, "Conv2D", "x k", "strides=[1,1,1,1] padding='SAME'", "1,1,2,2", FLOATS(1, 2, 3, 4), "1,1,2,2",
               VALUES(10, 200, 30, 400));
}

TEST(grouped_convolution_of_computed_channels) {
    TfWriter tf = {0};
    const ImportOptions options = {.resolve = pass_resolve_shapes};
    Arena arena = {0};
    tf_placeholder(&tf, "x", "1,1,2,2");
    tf_node(&tf, "Shape", "shape", "x", "");
    tf_ints(&tf, "one", "1,1,1,1");
    tf_node(&tf, "Mul", "dims", "shape one", "");
    tf_node(&tf, "Reshape", "r", "x dims", "");
    tf_floats(&tf, "k", "1,1,1,2", FLOATS(10, 100), 2);
    tf_node(&tf, "Conv2D", "y", "r k", "strides=[1,1,1,1] padding='SAME'");
    const Tensor y = run_model(tf_save_graph(&tf, "graph.pb"), &options, "1,1,2,2", FLOATS(1, 2, 3, 4), &arena);
    check_tensor(&y, "1,1,2,2", VALUES(10, 200, 30, 400));
    arena_free(&arena);
}

TEST(convolution_of_a_volume) {
    TfWriter tf = {0};
    tf_floats(&tf, "k", "2,1,1,1,1", FLOATS(1, 10), 2);
    check_node(&tf, "Conv3D", "x k", "strides=[1,1,1,1,1] padding='SAME'", "1,3,1,1,1", FLOATS(1, 2, 3), "1,3,1,1,1",
               VALUES(21, 32, 3));
}

// The transposed convolution is the gradient of the convolution: y[in] += x[out] * k, at each window.
static void check_transposed(int in_h, int in_w, int out_h, int out_w, int kernel, int stride, bool same,
                             const char *sizes, const char *x_dims) {
    enum { IC = 2, OC = 3 };
    TfWriter tf = {0};
    char k_dims[64], y_dims[64], attrs[64];
    int top, left;
    const int pads[2] = {0, 0};
    float *x = made_floats((size_t)(in_h * in_w * IC), 3), *k = made_floats((size_t)(kernel * kernel * OC * IC), 4);
    double *y = calloc((size_t)(out_h * out_w * OC), sizeof *y);
    REQUIRE(y);
    REQUIRE(window_size(out_h, kernel, stride, same, pads, &top) == in_h);
    REQUIRE(window_size(out_w, kernel, stride, same, pads, &left) == in_w);
    for (int i = 0; i < in_h * in_w * IC; i++)
        for (int t = 0; t < kernel * kernel * OC; t++) {
            const int ic = i % IC, ix = i / IC % in_w, iy = i / IC / in_w, oc = t % OC, kx = t / OC % kernel,
                      ky = t / OC / kernel, oy = iy * stride + ky - top, ox = ix * stride + kx - left;
            if (oy < 0 || oy >= out_h || ox < 0 || ox >= out_w) continue;
            y[(oy * out_w + ox) * OC + oc] += (double)x[i] * k[((ky * kernel + kx) * OC + oc) * IC + ic];
        }
    snprintf(k_dims, sizeof k_dims, "%d,%d,%d,%d", kernel, kernel, OC, IC);
    snprintf(y_dims, sizeof y_dims, "1,%d,%d,%d", out_h, out_w, OC);
    snprintf(attrs, sizeof attrs, "strides=[1,%d,%d,1] padding='%s'", stride, stride, same ? "SAME" : "VALID");
    tf_floats(&tf, "k", k_dims, k, (size_t)(kernel * kernel * OC * IC));
    tf_placeholder(&tf, "x", x_dims);
    if (strchr(sizes, ',')) tf_ints(&tf, "sizes", sizes);
    else { // computed, as Keras does: N, then constants or the size times the stride
        tf_node(&tf, "Shape", "shape", "x", "T=#1");
        tf_ints(&tf, "i0", "0");
        tf_ints(&tf, "i1", "1");
        tf_node(&tf, "StridedSlice", "batch", "shape i0 i1 i1", "shrink_axis_mask=1");
        tf_int(&tf, "h", out_h);
        tf_int(&tf, "w", out_w);
        tf_int(&tf, "c", OC);
        if (*sizes == 'p') tf_node(&tf, "Pack", "sizes", "batch h w c", "N=4");
        else {
            tf_ints(&tf, "i2", "2");
            tf_ints(&tf, "i3", "3");
            tf_int(&tf, "stride", stride);
            tf_node(&tf, "StridedSlice", "rows", "shape i1 i2 i1", "shrink_axis_mask=1");
            tf_node(&tf, "StridedSlice", "columns", "shape i2 i3 i1", "shrink_axis_mask=1");
            tf_node(&tf, "Mul", "sh", "rows stride", "");
            tf_node(&tf, "Mul", "sw", "columns stride", "");
            tf_node(&tf, "Pack", "sizes", "batch sh sw c", "N=4");
        }
    }
    tf_node(&tf, "Conv2DBackpropInput", "y", "sizes k x", attrs);
    Arena arena = {0};
    char fixed[64];
    snprintf(fixed, sizeof fixed, "1,%d,%d,%d", in_h, in_w, IC);
    const Tensor got = run_model(tf_save_graph(&tf, "graph.pb"), NULL, fixed, x, &arena);
    check_tensor(&got, y_dims, y);
    arena_free(&arena);
    free(x), free(k), free(y);
}

TEST(transposed_convolutions) {
    check_transposed(3, 4, 6, 8, 2, 2, true, "1,6,8,3", "1,3,4,2");
    check_transposed(3, 4, 6, 8, 3, 2, true, "1,6,8,3", "1,3,4,2");
    check_transposed(3, 4, 5, 7, 3, 2, true, "1,5,7,3", "1,3,4,2"); // odd: another size that comes to the same
    check_transposed(3, 4, 7, 9, 3, 2, false, "1,7,9,3", "1,3,4,2");
    check_transposed(3, 4, 8, 10, 3, 2, false, "1,8,10,3", "1,3,4,2"); // a row that no window reaches
    check_transposed(3, 4, 6, 8, 1, 2, true, "1,6,8,3", "1,3,4,2");    // a window smaller than the stride
    check_transposed(3, 4, 6, 8, 3, 2, true, "packed", "1,3,4,2");
    check_transposed(3, 4, 5, 8, 3, 2, true, "packed", "1,3,4,2");
    check_transposed(3, 4, 6, 8, 3, 2, true, "packed", "?,?,?,2");
    check_transposed(3, 4, 6, 8, 3, 2, true, "multiplied", "?,?,?,2");
    check_transposed(3, 4, 9, 12, 1, 3, false, "multiplied", "?,?,?,2");
    check_transposed(3, 4, 5, 6, 3, 1, false, "packed", "?,?,?,2");
}

TEST(transposed_convolution_of_a_size_that_cannot_be) {
    TfWriter tf = {0};
    tf_filled(&tf, "k", "3,3,1,1", 1);
    tf_ints(&tf, "sizes", "1,9,6,1");
    refuse_node(&tf, "Conv2DBackpropInput", "sizes k x", "strides=[1,2,2,1] padding='SAME'", "1,3,3,1", ST_BAD,
                "Conv2DBackpropInput 'y'|sizes|got 9");
    tf_filled(&tf, "k", "3,3,1,1", 1);
    tf_ints(&tf, "sizes", "1,7,9,1");
    refuse_node(&tf, "Conv2DBackpropInput", "sizes k x", "strides=[1,2,2,1] padding='VALID'", "1,3,3,1", ST_BAD,
                "sizes|got 9");
}

TEST(transposed_convolution_of_a_volume) {
    TfWriter tf = {0};
    tf_floats(&tf, "k", "2,1,1,1,1", FLOATS(1, 10), 2);
    tf_ints(&tf, "sizes", "1,6,1,1,1");
    check_node(&tf, "Conv3DBackpropInputV2", "sizes k x", "strides=[1,2,1,1,1] padding='SAME'", "1,3,1,1,1",
               FLOATS(1, 2, 3), "1,6,1,1,1", VALUES(1, 10, 2, 20, 3, 30));
}

TEST(pools) {
    const float *x = FLOATS(1, 2, 3, 4, 5, 6, 7, 8, 9);
    TfWriter tf = {0};
    check_node(&tf, "MaxPool", "x", "ksize=[1,2,2,1] strides=[1,2,2,1] padding='SAME'", "1,3,3,1", x, "1,2,2,1",
               VALUES(5, 6, 8, 9));
    check_node(&tf, "MaxPool", "x", "ksize=[1,2,2,1] strides=[1,1,1,1] padding='VALID'", "1,3,3,1", x, "1,2,2,1",
               VALUES(5, 6, 8, 9));
    check_node(&tf, "AvgPool", "x", "ksize=[1,2,2,1] strides=[1,2,2,1] padding='SAME'", "1,3,3,1", x, "1,2,2,1",
               VALUES(3, 4.5, 7.5, 9)); // what is padded does not count
    check_node(&tf, "MaxPool3D", "x", "ksize=[1,3,1,1,1] strides=[1,3,1,1,1] padding='VALID'", "1,3,3,1,1", x,
               "1,1,3,1,1", VALUES(7, 8, 9));
    check_node(&tf, "AvgPool3D", "x", "ksize=[1,1,3,1,1] strides=[1,1,3,1,1] padding='VALID'", "1,3,3,1,1", x,
               "1,3,1,1,1", VALUES(2, 5, 8));
    tf_ints(&tf, "size", "1,2,2,1");
    check_node(&tf, "MaxPoolV2", "x size size", "padding='SAME'", "1,3,3,1", x, "1,2,2,1", VALUES(5, 6, 8, 9));
    refuse_node(&tf, "MaxPool", "x", "ksize=[1,1,1,2] strides=[1,1,1,2] padding='SAME'", "1,3,3,2", ST_UNSUPPORTED,
                "MaxPool 'y'|along batch or channels");
}

TEST(dilated_convolutions_of_older_writers) {
    static const struct {
        Conv conv;
        const char *paddings, *crops;
    } cases[] = {
        {CONV(1, 6, 6, 1, 3, 3, 1, 1, 2, true, 0), "2,2,2,2", "0,0,0,0"},
        {CONV(1, 5, 7, 1, 3, 3, 1, 1, 2, true, 0), "2,3,2,3", "0,1,0,1"},  // made up to a multiple of the block
        {CONV(1, 8, 8, 1, 3, 3, 1, 1, 2, false, 0), "0,0,0,0", "0,0,0,0"}, // VALID
        {CONV(1, 8, 8, 1, 3, 3, 1, 1, 2, false, 0, 0, -2, 0), "0,0,0,0", "0,0,2,0"}, // cut off, never read
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        for (int bias = 0; bias < 2; bias++) {
            TfWriter tf = {0};
            Conv v = cases[i].conv;
            char dims[64], y_dims[64];
            float *x = made_floats((size_t)(v.h * v.w), 5), *k = made_floats(9, 6);
            double *y = convolve(&v, x, k, false);
            for (int n = 0; n < v.oh * v.ow && bias; n++) y[n] = MAX(y[n] + 0.5, 0);
            snprintf(dims, sizeof dims, "1,%d,%d,1", v.h, v.w);
            snprintf(y_dims, sizeof y_dims, "1,%d,%d,1", v.oh, v.ow);
            tf_placeholder(&tf, "x", dims);
            tf_floats(&tf, "k", "3,3,1,1", k, 9);
            tf_filled(&tf, "bias", "1", 0.5f);
            tf_ints(&tf, "block", "2,2");
            tf_ints_of(&tf, "paddings", "2,2", cases[i].paddings);
            tf_ints_of(&tf, "crops", "2,2", cases[i].crops);
            tf_node(&tf, "SpaceToBatchND", "s", "x block paddings", "");
            tf_node(&tf, "Conv2D", "c", "s k", "strides=[1,1,1,1] padding='VALID'");
            if (bias) {
                tf_node(&tf, "BiasAdd", "b", "c bias", "");
                tf_node(&tf, "Relu", "r", "b", "");
            }
            tf_node(&tf, "BatchToSpaceND", "y", bias ? "r block crops" : "c block crops", "");
            check_graph(&tf, dims, x, y_dims, y);
            free(x), free(k), free(y);
        }
}

TEST(space_to_batch_without_its_end) {
    TfWriter tf = {0};
    tf_ints(&tf, "block", "2,2");
    tf_ints_of(&tf, "zeros", "2,2", "0,0,0,0");
    refuse_node(&tf, "SpaceToBatchND", "x block zeros", "", "1,4,4,1", ST_UNSUPPORTED, "SpaceToBatchND (1 node)");
    tf_ints(&tf, "block", "2,2");
    tf_ints_of(&tf, "zeros", "2,2", "0,0,0,0");
    tf_node(&tf, "SpaceToBatchND", "s", "x block zeros", "");
    refuse_node(&tf, "Exp", "s", "", "1,4,4,1", ST_UNSUPPORTED, "SpaceToBatchND (1 node)");
    tf_ints(&tf, "block", "2,2");
    tf_ints_of(&tf, "zeros", "2,2", "0,0,0,0");
    refuse_node(&tf, "BatchToSpaceND", "x block zeros", "", "4,4,4,1", ST_UNSUPPORTED, "BatchToSpaceND (1 node)");
}

TEST(batch_normalisation) {
    TfWriter tf = {0};
    static const char *const ops[] = {"FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3"};
    for (size_t i = 0; i < COUNT_OF(ops); i++) {
        tf_floats(&tf, "scale", "2", FLOATS(2, 1), 2);
        tf_floats(&tf, "offset", "2", FLOATS(1, 0), 2);
        tf_floats(&tf, "mean", "2", FLOATS(1, -1), 2);
        tf_floats(&tf, "variance", "2", FLOATS(3, 0), 2);
        check_node(&tf, ops[i], "x scale offset mean variance", "is_training=false epsilon=1.0", "1,1,2,2",
                   FLOATS(1, 2, 3, 4), "1,1,2,2", VALUES(1, 3, 3, 5));
    }
    tf_filled(&tf, "one", "2", 1);
    refuse_node(&tf, "FusedBatchNormV3", "x one one one one", "", "1,1,2,2", ST_UNSUPPORTED, "is_training");
    tf_filled(&tf, "one", "2", 1);
    tf_node(&tf, "FusedBatchNormV3", "n", "x one one one one", "is_training=false");
    refuse_node(&tf, "Relu", "n:3", "", "1,1,2,2", ST_UNSUPPORTED, "Relu 'y'|'n:3'");
}

TEST(layer_normalisation_as_keras_writes_it) {
    TfWriter tf = {0};
    Text empty = tf_tensor_head(TF_FLOAT, "0");
    tf_const(&tf, "none", &empty);
    tf_floats(&tf, "scale", "2", FLOATS(1, 2), 2);
    tf_floats(&tf, "offset", "2", FLOATS(0, 1), 2);
    check_node(&tf, "FusedBatchNormV3", "x scale offset none none", "epsilon=0.0 data_format='NCHW'", "1,2,2,1",
               FLOATS(1, 3, 4, 8), "1,2,2,1", VALUES(-1, 1, -1, 3));
}

TEST(a_quotient_of_nothing) {
    TfWriter tf = {0};
    tf_floats(&tf, "c", "3", FLOATS(0, 0, 2), 3);
    check_node(&tf, "DivNoNan", "x c", "", "3", FLOATS(3, 0, 1), "3", VALUES(0, 0, 0.5));
}

// ---- space

TEST(resizes) {
    const float *x = FLOATS(0, 4, 8, 12);
    TfWriter tf = {0};
    tf_ints(&tf, "size", "1,8");
    check_node(&tf, "ResizeNearestNeighbor", "x size", "", "1,1,4,1", x, "1,1,8,1", VALUES(0, 0, 4, 4, 8, 8, 12, 12));
    tf_ints(&tf, "size", "1,8");
    check_node(&tf, "ResizeNearestNeighbor", "x size", "half_pixel_centers=true", "1,1,4,1", x, "1,1,8,1",
               VALUES(0, 0, 4, 4, 8, 8, 12, 12));
    tf_ints(&tf, "size", "1,3");
    check_node(&tf, "ResizeNearestNeighbor", "x size", "align_corners=true", "1,1,4,1", x, "1,1,3,1",
               VALUES(0, 8, 12)); // 1.5 goes up
    tf_ints(&tf, "size", "1,3");
    check_node(&tf, "ResizeNearestNeighbor", "x size", "", "1,1,4,1", x, "1,1,3,1", VALUES(0, 4, 8));
    tf_ints(&tf, "size", "1,3");
    check_node(&tf, "ResizeNearestNeighbor", "x size", "half_pixel_centers=true", "1,1,4,1", x, "1,1,3,1",
               VALUES(0, 8, 12)); // floor(4/3 * (1/2, 3/2, 5/2))
    tf_ints(&tf, "size", "1,8");
    check_node(&tf, "ResizeBilinear", "x size", "", "1,1,4,1", x, "1,1,8,1", VALUES(0, 2, 4, 6, 8, 10, 12, 12));
    tf_ints(&tf, "size", "1,8");
    check_node(&tf, "ResizeBilinear", "x size", "half_pixel_centers=true", "1,1,4,1", x, "1,1,8,1",
               VALUES(0, 1, 3, 5, 7, 9, 11, 12));
    tf_ints(&tf, "size", "1,7");
    check_node(&tf, "ResizeBilinear", "x size", "align_corners=true", "1,1,4,1", x, "1,1,7,1",
               VALUES(0, 2, 4, 6, 8, 10, 12));
}

TEST(resize_by_the_shape) { // Keras' UpSampling2D: Shape -> StridedSlice -> Mul
    TfWriter tf = {0};
    tf_placeholder(&tf, "x", "?,?,?,1");
    tf_ints(&tf, "one", "1");
    tf_ints(&tf, "three", "3");
    tf_ints(&tf, "twice", "2,2");
    tf_node(&tf, "Shape", "shape", "x", "");
    tf_node(&tf, "StridedSlice", "size", "shape one three one", "");
    tf_node(&tf, "Mul", "target", "size twice", "");
    tf_node(&tf, "ResizeNearestNeighbor", "y", "x target", "half_pixel_centers=true");
    check_graph(&tf, "1,1,2,1", FLOATS(1, 2), "1,2,4,1", VALUES(1, 1, 2, 2, 1, 1, 2, 2));
}

TEST(channels_and_space) {
    TfWriter tf = {0};
    check_node(&tf, "DepthToSpace", "x", "block_size=2", "1,1,1,4", FLOATS(1, 2, 3, 4), "1,2,2,1", VALUES(1, 2, 3, 4));
    check_node(&tf, "DepthToSpace", "x", "block_size=2", "1,1,1,8", FLOATS(1, 2, 3, 4, 5, 6, 7, 8), "1,2,2,2",
               VALUES(1, 2, 3, 4, 5, 6, 7, 8));
    check_node(&tf, "SpaceToDepth", "x", "block_size=2", "1,2,2,2", FLOATS(1, 2, 3, 4, 5, 6, 7, 8), "1,1,1,8",
               VALUES(1, 2, 3, 4, 5, 6, 7, 8));
}

TEST(padding) {
    TfWriter tf = {0};
    tf_ints_of(&tf, "p", "2,2", "0,1,1,0");
    check_node(&tf, "Pad", "x p", "", "1,2", FLOATS(1, 2), "2,3", VALUES(0, 1, 2, 0, 0, 0));
    tf_ints_of(&tf, "p", "2,2", "0,1,1,0");
    tf_floats(&tf, "v", "", FLOATS(7), 1);
    check_node(&tf, "PadV2", "x p v", "", "1,2", FLOATS(1, 2), "2,3", VALUES(7, 1, 2, 7, 7, 7));
    tf_ints_of(&tf, "p", "1,2", "2,1");
    check_node(&tf, "MirrorPad", "x p", "mode='REFLECT'", "3", FLOATS(1, 2, 3), "6", VALUES(3, 2, 1, 2, 3, 2));
    tf_ints_of(&tf, "p", "1,2", "1,1");
    check_node(&tf, "MirrorPad", "x p", "mode='SYMMETRIC'", "3", FLOATS(1, 2, 3), "5", VALUES(1, 1, 2, 3, 3));
    tf_ints_of(&tf, "p", "1,2", "2,1");
    refuse_node(&tf, "MirrorPad", "x p", "mode='SYMMETRIC'", "3", ST_UNSUPPORTED, "SYMMETRIC");
    tf_ints_of(&tf, "p", "1,2", "-1,0");
    refuse_node(&tf, "Pad", "x p", "", "3", ST_BAD, "paddings from 0");
}

// ---- moving

TEST(joining) {
    TfWriter tf = {0};
    tf_floats(&tf, "c", "1,2", FLOATS(8, 9), 2);
    tf_int(&tf, "axis", 0);
    check_node(&tf, "ConcatV2", "x c axis", "N=2", "1,2", FLOATS(1, 2), "2,2", VALUES(1, 2, 8, 9));
    tf_floats(&tf, "c", "1,2", FLOATS(8, 9), 2);
    tf_int(&tf, "axis", -1);
    check_node(&tf, "Concat", "axis x c", "N=2", "1,2", FLOATS(1, 2), "1,4", VALUES(1, 2, 8, 9));
    tf_floats(&tf, "c", "2", FLOATS(8, 9), 2);
    check_node(&tf, "Pack", "x c", "N=2 axis=1", "2", FLOATS(1, 2), "2,2", VALUES(1, 8, 2, 9));
    tf_floats(&tf, "c", "2", FLOATS(8, 9), 2);
    check_node(&tf, "Pack", "x c", "N=2 axis=-2", "2", FLOATS(1, 2), "2,2", VALUES(1, 2, 8, 9));
}

TEST(splitting) {
    TfWriter tf = {0};
    tf_placeholder(&tf, "x", "2,3");
    tf_node(&tf, "Unpack", "u", "x", "num=3 axis=1");
    tf_node(&tf, "Sub", "y", "u:2 u", "");
    check_graph(&tf, "2,3", FLOATS(1, 2, 4, 5, 6, 9), "2", VALUES(3, 4));
    tf_placeholder(&tf, "x", "4");
    tf_int(&tf, "axis", 0);
    tf_node(&tf, "Split", "s", "axis x", "num_split=2");
    tf_node(&tf, "Sub", "y", "s:1 s:0", "");
    check_graph(&tf, "4", FLOATS(1, 2, 4, 9), "2", VALUES(3, 7));
    tf_placeholder(&tf, "x", "4");
    tf_int(&tf, "axis", 0);
    tf_ints(&tf, "sizes", "1,-1");
    tf_node(&tf, "SplitV", "s", "x sizes axis", "num_split=2");
    tf_node(&tf, "Mul", "y", "s:1 s:0", "");
    check_graph(&tf, "4", FLOATS(2, 2, 4, 9), "3", VALUES(4, 8, 18));
    tf_placeholder(&tf, "x", "3");
    tf_int(&tf, "axis", 0);
    tf_node(&tf, "Split", "s", "axis x", "num_split=2");
    tf_node(&tf, "Sub", "y", "s:1 s:0", "");
    refuse_graph(&tf, ST_BAD, "Split 's'|2 parts, got 3");
}

TEST(order_and_shape) {
    const float *x = FLOATS(1, 2, 3, 4, 5, 6);
    TfWriter tf = {0};
    tf_ints(&tf, "perm", "1,0");
    check_node(&tf, "Transpose", "x perm", "", "2,3", x, "3,2", VALUES(1, 4, 2, 5, 3, 6));
    tf_ints(&tf, "shape", "3,-1");
    check_node(&tf, "Reshape", "x shape", "", "2,3", x, "3,2", VALUES(1, 2, 3, 4, 5, 6));
    check_node(&tf, "Squeeze", "x", "squeeze_dims=[0]", "1,2,1", x, "2,1", VALUES(1, 2));
    check_node(&tf, "Squeeze", "x", "", "1,2,1", x, "2", VALUES(1, 2));
    tf_int(&tf, "axis", -1);
    check_node(&tf, "ExpandDims", "x axis", "", "2", x, "2,1", VALUES(1, 2));
    tf_ints(&tf, "times", "2,1");
    check_node(&tf, "Tile", "x times", "", "1,2", x, "2,2", VALUES(1, 2, 1, 2));
    tf_ints(&tf, "shape", "2,2");
    check_node(&tf, "BroadcastTo", "x shape", "", "2", x, "2,2", VALUES(1, 2, 1, 2));
    tf_ints(&tf, "axis", "0");
    check_node(&tf, "ReverseV2", "x axis", "", "3", x, "3", VALUES(3, 2, 1));
    tf_ints(&tf, "at", "2,0");
    tf_int(&tf, "axis", 1);
    check_node(&tf, "GatherV2", "x at axis", "", "2,3", x, "2,2", VALUES(3, 1, 6, 4));
    tf_ints(&tf, "at", "1");
    check_node(&tf, "Gather", "x at", "", "2,3", x, "1,3", VALUES(4, 5, 6));
}

TEST(what_is_said_of_a_shape) {
    static const char *const ops[] = {"Shape", "Size", "Rank"};
    static const char *const dims[] = {"2", "", ""};
    const double *const expected[] = {VALUES(2, 3), VALUES(6), VALUES(2)};
    for (size_t i = 0; i < COUNT_OF(ops); i++) {
        TfWriter tf = {0};
        tf_placeholder(&tf, "x", "2,3");
        tf_node(&tf, ops[i], "s", "x", "");
        tf_node(&tf, "Cast", "y", "s", "SrcT=#3 DstT=#1");
        check_graph(&tf, "2,3", FLOATS(1, 2, 3, 4, 5, 6), dims[i], expected[i]);
    }
    TfWriter tf = {0};
    tf_placeholder(&tf, "x", "2");
    tf_int(&tf, "zero", 0);
    tf_int(&tf, "two", 2);
    tf_int(&tf, "one", 1);
    tf_node(&tf, "Range", "r", "zero two one", "");
    tf_node(&tf, "Cast", "f", "r", "SrcT=#3 DstT=#1");
    tf_node(&tf, "Mul", "y", "x f", "");
    check_graph(&tf, "2", FLOATS(5, 6), "2", VALUES(0, 6));
    tf_placeholder(&tf, "x", "2");
    tf_node(&tf, "Shape", "s", "x", "");
    tf_floats(&tf, "v", "", FLOATS(3), 1);
    tf_node(&tf, "Fill", "f", "s v", "");
    tf_node(&tf, "Add", "y", "x f", "");
    check_graph(&tf, "2", FLOATS(5, 6), "2", VALUES(8, 9));
}

TEST(slices) {
    const float *x = FLOATS(1, 2, 3, 4, 5, 6);
    TfWriter tf = {0};
    tf_ints(&tf, "b", "0,1");
    tf_ints(&tf, "s", "-1,2");
    check_node(&tf, "Slice", "x b s", "", "2,3", x, "2,2", VALUES(2, 3, 5, 6));
    tf_placeholder(&tf, "x", "2,3"); // a size that is computed
    tf_ints(&tf, "b", "0,0");
    tf_ints(&tf, "c", "1,2");
    tf_node(&tf, "Shape", "shape", "x", "");
    tf_node(&tf, "FloorDiv", "s", "shape c", "");
    tf_node(&tf, "Slice", "y", "x b s", "");
    check_graph(&tf, "2,3", x, "2,1", VALUES(1, 4));
}

static void check_strided(const char *begin, const char *end, const char *strides, const char *masks,
                          const char *y_dims, const double *expected) {
    TfWriter tf = {0};
    tf_ints(&tf, "b", begin);
    tf_ints(&tf, "e", end);
    tf_ints(&tf, "s", strides);
    check_node(&tf, "StridedSlice", "x b e s", masks, "2,3", FLOATS(1, 2, 3, 4, 5, 6), y_dims, expected);
}

TEST(strided_slices) {
    check_strided("0,1", "2,3", "1,1", "", "2,2", VALUES(2, 3, 5, 6));
    check_strided("1", "2", "1", "", "1,3", VALUES(4, 5, 6));                                              // x[1:2]
    check_strided("1", "2", "1", "shrink_axis_mask=1", "3", VALUES(4, 5, 6));                              // x[1]
    check_strided("-1", "0", "1", "shrink_axis_mask=1", "3", VALUES(4, 5, 6));                             // x[-1]
    check_strided("0,-2", "0,-1", "1,1", "shrink_axis_mask=2 begin_mask=1 end_mask=1", "2", VALUES(2, 5)); // x[:, -2]
    check_strided("0,2", "0,0", "1,-1", "begin_mask=1 end_mask=3", "2,3", VALUES(3, 2, 1, 6, 5, 4)); // x[:, 2::-1]
    check_strided("0,0", "0,0", "1,-2", "begin_mask=3 end_mask=3", "2,2", VALUES(3, 1, 6, 4));       // x[:, ::-2]
    check_strided("0,1", "0,2", "1,1", "ellipsis_mask=1", "2,1", VALUES(2, 5));                      // x[..., 1:2]
    check_strided("0,0,0", "0,0,0", "1,1,1", "new_axis_mask=2 begin_mask=5 end_mask=5", "2,1,3",
                  VALUES(1, 2, 3, 4, 5, 6)); // x[:, newaxis, :]
    check_strided("0,0,1", "0,0,2", "1,1,1", "ellipsis_mask=1 new_axis_mask=2 shrink_axis_mask=4", "2,1",
                  VALUES(2, 5)); // x[..., newaxis, 1]
    check_strided("1,0,0", "0,0,0", "1,1,1", "shrink_axis_mask=1 new_axis_mask=2 begin_mask=4 end_mask=4", "1,3",
                  VALUES(4, 5, 6)); // x[1, newaxis, :]
}

TEST(strided_slices_that_are_computed) {
    TfWriter tf = {0};
    tf_placeholder(&tf, "x", "?,?");
    tf_ints(&tf, "zero", "0,0");
    tf_ints(&tf, "one", "1,1");
    tf_node(&tf, "Shape", "shape", "x", "");
    tf_node(&tf, "Sub", "end", "shape one", "");
    tf_node(&tf, "StridedSlice", "y", "x zero end one", "");
    check_graph(&tf, "2,3", FLOATS(1, 2, 3, 4, 5, 6), "1,2", VALUES(1, 2));
    tf_placeholder(&tf, "x", "?,?");
    tf_ints(&tf, "zero", "0,0");
    tf_ints(&tf, "one", "1,1");
    tf_node(&tf, "Shape", "shape", "x", "");
    tf_node(&tf, "Sub", "end", "shape one", "");
    tf_node(&tf, "StridedSlice", "y", "x zero end one", "end_mask=1");
    check_graph(&tf, "2,3", FLOATS(1, 2, 3, 4, 5, 6), "2,2", VALUES(1, 2, 4, 5));
}

TEST(reshape_by_the_shape) {
    TfWriter tf = {0};
    tf_placeholder(&tf, "x", "?,2,2");
    tf_ints(&tf, "i0", "0");
    tf_ints(&tf, "i1", "1");
    tf_int(&tf, "rest", -1);
    tf_node(&tf, "Shape", "shape", "x", "");
    tf_node(&tf, "StridedSlice", "n", "shape i0 i1 i1", "shrink_axis_mask=1");
    tf_node(&tf, "Pack", "dims", "n rest", "N=2");
    tf_node(&tf, "Reshape", "y", "x dims", "");
    check_graph(&tf, "1,2,2", FLOATS(1, 2, 3, 4), "1,4", VALUES(1, 2, 3, 4));
}

// ---- constants

TEST(constants_of_all_types) {
    static const struct {
        int type;
        uint32_t field;
        int wire; // 5: float, 1: double, 0: integer
    } types[] = {{1, 5, 5}, {2, 6, 1},  {3, 7, 0},  {4, 7, 0},   {5, 7, 0},
                 {6, 7, 0}, {9, 10, 0}, {17, 7, 0}, {22, 16, 0}, {23, 17, 0}};
    for (size_t i = 0; i < COUNT_OF(types); i++) {
        TfWriter tf = {0};
        Text tensor = tf_tensor_head(types[i].type, "3");
        for (int k = 1; k < 3; k++) { // of three numbers two are told
            const double wide = k;
            if (types[i].wire == 5) put_float(&tensor, types[i].field, (float)k);
            else if (types[i].wire == 0) put_int(&tensor, types[i].field, k);
            else {
                put_tag(&tensor, types[i].field, 1);
                text_bytes(&tensor, &wide, 8);
            }
        }
        tf_const(&tf, "c", &tensor);
        tf_node(&tf, "Cast", "f", "c", "DstT=#1");
        check_node(&tf, "Mul", "x f", "", "3", FLOATS(1, 10, 100), "3", VALUES(1, 20, 200));
    }
}

TEST(constants_of_half_precision) {
    static const int types[] = {19, 14}; // float16, bfloat16
    static const int bits[] = {0x3e00, 0x3fc0};
    for (int i = 0; i < 2; i++) {
        TfWriter tf = {0};
        Text tensor = tf_tensor_head(types[i], "2");
        put_int(&tensor, 13, bits[i]);
        tf_const(&tf, "c", &tensor);
        tf_node(&tf, "Cast", "f", "c", "DstT=#1");
        check_node(&tf, "Mul", "x f", "", "2", FLOATS(1, 2), "2", VALUES(1.5, 3));
    }
}

TEST(constants_without_numbers_are_zeros) {
    TfWriter tf = {0};
    Text tensor = tf_tensor_head(TF_FLOAT, "2");
    tf_const(&tf, "c", &tensor);
    check_node(&tf, "Add", "x c", "", "2", FLOATS(1, 2), "2", VALUES(1, 2));
}

TEST(constants_that_are_wrong) {
    TfWriter tf = {0};
    tf_raw(&tf, "c", TF_FLOAT, "2", "1234567", 7);
    refuse_node(&tf, "Add", "x c", "", "2", ST_BAD, "Const 'c'|expected 8 bytes of data, got 7");
    Text tensor = tf_tensor_head(TF_FLOAT, "1");
    put_float(&tensor, 5, 1);
    put_float(&tensor, 5, 1);
    tf_const(&tf, "c", &tensor);
    refuse_node(&tf, "Add", "x c", "", "2", ST_BAD, "at most 1 numbers");
    tf_raw(&tf, "c", 8, "1", "12345678", 8);
    refuse_node(&tf, "Add", "x c", "", "2", ST_UNSUPPORTED, "complex64");
    tf_raw(&tf, "c", 99, "1", "12345678", 8);
    refuse_node(&tf, "Add", "x c", "", "2", ST_BAD, "number of a data type");
    tf_filled(&tf, "c", "?", 1);
    refuse_node(&tf, "Add", "x c", "", "2", ST_BAD, "negative");
    tf_filled(&tf, "c", "100000,100000", 1); // 40 GB of a few bytes
    refuse_node(&tf, "Add", "x c", "", "2", ST_BAD, "constants that repeat a number");
    tf_filled(&tf, "c", "4000000000,4000000000,4000000000", 1);
    refuse_node(&tf, "Add", "x c", "", "2", ST_BAD, "fit in memory");
    tf_texts_of(&tf, "c", "a b");
    refuse_node(&tf, "Add", "x c", "", "2", ST_BAD, "Add 'y'|tensor of numbers");
}

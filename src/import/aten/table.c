// The operators of PyTorch that are read. Schemas: aten/src/ATen/native/native_functions.yaml, and, for numbers and
// lists, torch/csrc/jit/runtime/register_prim_ops.cpp (PyTorch 2.15), with what match.c calls types: SymInt is int,
// ScalarType and MemoryFormat are int (or any, where they don't matter). Rows of one name are its overloads.
#include "import/aten/convert.h"

#define LIKE_OPTIONS "*, int? dtype=None, any layout=None, any device=None, any pin_memory=None"
#define SIZE_OPTIONS LIKE_OPTIONS ", any memory_format=None"

// clang-format off
#define ROW(schema, function) {schema, OP_NONE, function}
#define WITH(schema, op, function) {schema, OP_##op, function}
#define UNARY(name, op) {name "(Tensor self)", OP_##op, aten_convert_unary}
#define FLOAT_UNARY(name, op) {name "(Tensor self)", OP_##op, aten_convert_float_unary}
#define NUMBERS(name) {name "(Scalar a, Scalar b)", OP_NONE, aten_convert_number_binary}
#define NUMBER(name) {name "(Scalar a)", OP_NONE, aten_convert_number_unary}
#define COMPARE(name, op) NUMBERS(name), WITH(name "(Operand self, Operand other)", op, aten_convert_compare)
#define SAME(name) {name "(any a, any b)", OP_NONE, aten_convert_equal}
#define BITWISE(name, op) WITH(name "(Operand self, Operand other)", op, aten_convert_bitwise)
#define IDENTITY(schema) ROW(schema, aten_convert_identity)

#define WINDOW "int[] stride=1, int[] padding=0, int[] dilation=1, int groups=1"
#define CONVOLUTION "Tensor input, Tensor weight, Tensor? bias, int[] stride, int[] padding, int[] dilation, bool transposed, int[] output_padding, int groups"
#define CONV(name) ROW(name "(Tensor input, Tensor weight, Tensor? bias=None, " WINDOW ")", aten_convert_conv), \
    ROW(name "(Tensor input, Tensor weight, Tensor? bias=None, int[] stride=1, str padding='valid', int[] dilation=1, int groups=1)", aten_convert_conv)
#define CONV_TRANSPOSE(name) ROW(name "(Tensor input, Tensor weight, Tensor? bias=None, int[] stride=1, int[] padding=0, int[] output_padding=0, int groups=1, int[] dilation=1)", aten_convert_conv_transpose)
#define MAX_POOL(name) ROW(name "(Tensor self, int[] kernel_size, int[] stride=[], int[] padding=0, int[] dilation=1, bool ceil_mode=False)", aten_convert_max_pool)
#define AVG_POOL "Tensor self, int[] kernel_size, int[] stride=[], int[] padding=0, bool ceil_mode=False, bool count_include_pad=True"
#define ADAPTIVE(name, function) ROW(name "(Tensor self, int[] output_size)", function)
#define STATISTICS "Tensor input, Tensor? weight, Tensor? bias, Tensor? running_mean, Tensor? running_var"
#define UPSAMPLE(name, corners, scales) ROW(name "(Tensor self, int[] output_size" corners scales ")", aten_convert_upsample), \
    ROW(name "(Tensor input, int[]? output_size" corners ", float[]? scale_factors)", aten_convert_upsample_list)
#define CORNERS ", bool align_corners"
#define SCALES_1 ", float? scales=None"
#define SCALES_2 ", float? scales_h=None, float? scales_w=None"
#define SCALES_3 ", float? scales_d=None, float? scales_h=None, float? scales_w=None"
#define MODE_PAD(name) ROW(name "(Tensor self, int[] padding)", aten_convert_pad_mode)
#define GRID_SAMPLER(name) ROW(name "(Tensor input, Tensor grid, int interpolation_mode, int padding_mode, bool align_corners)", aten_convert_grid_sample)
#define ATTENTION "Tensor query, Tensor key, Tensor value, "
#define TO "bool non_blocking=False, bool copy=False, any memory_format=None"
#define TO_NAMED(name) ROW(name "(Tensor self)", aten_convert_to_named)
#define REDUCE "Tensor self, int[]? dim=None, bool keepdim=False"

static const Converter converters[] = {
    // convolutions
    CONV("conv1d"), CONV("conv2d"), CONV("conv3d"),
    CONV_TRANSPOSE("conv_transpose1d"), CONV_TRANSPOSE("conv_transpose2d"), CONV_TRANSPOSE("conv_transpose3d"),
    ROW("convolution(" CONVOLUTION ")", aten_convert_convolution),
    ROW("convolution_overrideable(" CONVOLUTION ")", aten_convert_convolution),
    ROW("_convolution(" CONVOLUTION ", bool benchmark=False, bool deterministic=False, bool cudnn_enabled=False, bool allow_tf32=False)", aten_convert_convolution),

    // matrices
    ROW("linear(Tensor input, Tensor weight, Tensor? bias=None)", aten_convert_linear),
    ROW("addmm(Tensor self, Tensor mat1, Tensor mat2, Scalar beta=1, Scalar alpha=1)", aten_convert_addmm),
    ROW("addmv(Tensor self, Tensor mat, Tensor vec, Scalar beta=1, Scalar alpha=1)", aten_convert_addmm),
    ROW("addbmm(Tensor self, Tensor batch1, Tensor batch2, Scalar beta=1, Scalar alpha=1)", aten_convert_baddbmm),
    ROW("baddbmm(Tensor self, Tensor batch1, Tensor batch2, Scalar beta=1, Scalar alpha=1)", aten_convert_baddbmm),
    ROW("mm(Tensor self, Tensor mat2)", aten_convert_matmul),
    ROW("bmm(Tensor self, Tensor mat2)", aten_convert_matmul),
    ROW("mv(Tensor self, Tensor vec)", aten_convert_matmul),
    ROW("dot(Tensor self, Tensor tensor)", aten_convert_matmul),
    ROW("matmul(Tensor self, Tensor other)", aten_convert_matmul),
    ROW("__matmul__(Tensor self, Tensor other)", aten_convert_matmul),
    ROW("linalg_matmul(Tensor self, Tensor other)", aten_convert_matmul),
    ROW("einsum(str equation, Tensor[] tensors, any path=None)", aten_convert_einsum),

    // normalisation
    ROW("batch_norm(" STATISTICS ", bool training, float momentum, float eps, bool cudnn_enabled)", aten_convert_batch_norm),
    ROW("native_batch_norm(" STATISTICS ", bool training, float momentum, float eps)", aten_convert_batch_norm),
    ROW("_native_batch_norm_legit(" STATISTICS ", bool training, float momentum, float eps)", aten_convert_batch_norm),
    ROW("_native_batch_norm_legit(Tensor input, Tensor? weight, Tensor? bias, bool training, float momentum, float eps)", aten_convert_own_norm),
    ROW("_native_batch_norm_legit_no_training(" STATISTICS ", float momentum, float eps)", aten_convert_batch_norm_legit),
    ROW("_batch_norm_no_update(" STATISTICS ", float momentum, float eps)", aten_convert_batch_norm_legit),
    ROW("instance_norm(" STATISTICS ", bool use_input_stats, float momentum, float eps, bool cudnn_enabled)", aten_convert_instance_norm),
    ROW("group_norm(Tensor input, int num_groups, Tensor? weight=None, Tensor? bias=None, float eps=1e-5, bool cudnn_enabled=True)", aten_convert_group_norm),
    ROW("native_group_norm(Tensor input, Tensor? weight, Tensor? bias, int N, int C, int HxW, int group, float eps)", aten_convert_native_group_norm),
    ROW("layer_norm(Tensor input, int[] normalized_shape, Tensor? weight=None, Tensor? bias=None, float eps=1e-5, bool cudnn_enable=True)", aten_convert_layer_norm),
    ROW("native_layer_norm(Tensor input, int[] normalized_shape, Tensor? weight, Tensor? bias, float eps)", aten_convert_layer_norm),
    ROW("rms_norm(Tensor input, int[] normalized_shape, Tensor? weight=None, float? eps=None)", aten_convert_rms_norm),
    ROW("_fused_rms_norm(Tensor input, int[] normalized_shape, Tensor? weight=None, float? eps=None)", aten_convert_rms_norm),
    ROW("linalg_vector_norm(Tensor self, Scalar ord=2, int[]? dim=None, bool keepdim=False, int? dtype=None)", aten_convert_vector_norm),
    ROW("norm(Tensor self, Scalar? p=2, int[]? dim=None, bool keepdim=False, int? dtype=None)", aten_convert_vector_norm),
    ROW("frobenius_norm(Tensor self, int[]? dim=None, bool keepdim=False)", aten_convert_vector_norm),

    // pooling
    MAX_POOL("max_pool1d"), MAX_POOL("max_pool2d"), MAX_POOL("max_pool3d"),
    MAX_POOL("max_pool1d_with_indices"), MAX_POOL("max_pool2d_with_indices"), MAX_POOL("max_pool3d_with_indices"),
    ROW("avg_pool1d(" AVG_POOL ")", aten_convert_avg_pool),
    ROW("avg_pool2d(" AVG_POOL ", int? divisor_override=None)", aten_convert_avg_pool),
    ROW("avg_pool3d(" AVG_POOL ", int? divisor_override=None)", aten_convert_avg_pool),
    ADAPTIVE("adaptive_avg_pool1d", aten_convert_adaptive_avg), ADAPTIVE("adaptive_avg_pool2d", aten_convert_adaptive_avg),
    ADAPTIVE("adaptive_avg_pool3d", aten_convert_adaptive_avg), ADAPTIVE("_adaptive_avg_pool2d", aten_convert_adaptive_avg),
    ADAPTIVE("_adaptive_avg_pool3d", aten_convert_adaptive_avg), ADAPTIVE("adaptive_max_pool1d", aten_convert_adaptive_max),
    ADAPTIVE("adaptive_max_pool2d", aten_convert_adaptive_max), ADAPTIVE("adaptive_max_pool3d", aten_convert_adaptive_max),

    // one tensor, element by element
    UNARY("relu", Relu),
    ROW("relu6(Tensor self)", aten_convert_hardtanh),
    ROW("hardtanh(Tensor self, Scalar min_val=-1, Scalar max_val=1)", aten_convert_hardtanh),
    ROW("leaky_relu(Tensor self, Scalar negative_slope=0.01)", aten_convert_leaky_relu),
    ROW("prelu(Tensor self, Tensor weight)", aten_convert_prelu),
    ROW("_prelu_kernel(Tensor self, Tensor weight)", aten_convert_prelu),
    ROW("elu(Tensor self, Scalar alpha=1, Scalar scale=1, Scalar input_scale=1)", aten_convert_elu),
    ROW("selu(Tensor self)", aten_convert_selu),
    ROW("celu(Tensor self, Scalar alpha=1)", aten_convert_celu),
    ROW("gelu(Tensor self, str approximate='none')", aten_convert_gelu),
    WITH("silu(Tensor self)", Swish, aten_convert_unary),
    UNARY("mish", Mish),
    UNARY("hardswish", HardSwish),
    ROW("hardsigmoid(Tensor self)", aten_convert_hard_sigmoid),
    ROW("log_sigmoid(Tensor self)", aten_convert_log_sigmoid),
    ROW("softplus(Tensor self, Scalar beta=1, Scalar threshold=20)", aten_convert_softplus),
    ROW("threshold(Tensor self, Scalar threshold, Scalar value)", aten_convert_threshold),
    ROW("softshrink(Tensor self, Scalar lambd=0.5)", aten_convert_shrink),
    ROW("hardshrink(Tensor self, Scalar lambd=0.5)", aten_convert_shrink),
    ROW("glu(Tensor self, int dim=-1)", aten_convert_glu),
    FLOAT_UNARY("sigmoid", Sigmoid), FLOAT_UNARY("special_expit", Sigmoid), FLOAT_UNARY("tanh", Tanh), FLOAT_UNARY("exp", Exp),
    FLOAT_UNARY("log", Log), FLOAT_UNARY("reciprocal", Reciprocal), FLOAT_UNARY("sin", Sin), FLOAT_UNARY("cos", Cos),
    FLOAT_UNARY("erf", Erf), FLOAT_UNARY("special_erf", Erf),
    NUMBER("sqrt"), FLOAT_UNARY("sqrt", Sqrt),
    NUMBER("abs"), UNARY("abs", Abs), UNARY("absolute", Abs),
    NUMBER("neg"), UNARY("neg", Neg), UNARY("negative", Neg),
    UNARY("sign", Sign), UNARY("sgn", Sign),
    NUMBER("floor"), WITH("floor(Tensor self)", Floor, aten_convert_rounding),
    NUMBER("ceil"), WITH("ceil(Tensor self)", Ceil, aten_convert_rounding),
    NUMBER("round"), WITH("round(Tensor self)", Round, aten_convert_rounding),
    NUMBER("trunc"), ROW("trunc(Tensor self)", aten_convert_trunc), ROW("fix(Tensor self)", aten_convert_trunc),
    ROW("rsqrt(Tensor self)", aten_convert_rsqrt),
    ROW("log1p(Tensor self)", aten_convert_log1p),
    ROW("expm1(Tensor self)", aten_convert_expm1),
    ROW("log2(Tensor self)", aten_convert_log_base), ROW("log10(Tensor self)", aten_convert_log_base),
    ROW("exp2(Tensor self)", aten_convert_exp2),
    ROW("tan(Tensor self)", aten_convert_tan),
    ROW("erfc(Tensor self)", aten_convert_erfc),
    ROW("square(Tensor self)", aten_convert_square),
    ROW("isnan(Tensor self)", aten_convert_is_nan),
    ROW("isinf(Tensor self)", aten_convert_is_inf),
    ROW("isfinite(Tensor self)", aten_convert_is_finite),
    ROW("logical_not(Tensor self)", aten_convert_not),
    ROW("bitwise_not(Tensor self)", aten_convert_bitwise_not),
    ROW("clamp(Tensor self, Operand? min=None, Operand? max=None)", aten_convert_clamp),
    ROW("clip(Tensor self, Operand? min=None, Operand? max=None)", aten_convert_clamp),
    ROW("clamp_min(Tensor self, Operand min)", aten_convert_clamp),
    ROW("clamp_max(Tensor self, Operand max)", aten_convert_clamp),
    WITH("softmax(Tensor self, int dim, int? dtype=None)", Softmax, aten_convert_softmax),
    WITH("special_softmax(Tensor self, int dim, int? dtype=None)", Softmax, aten_convert_softmax),
    WITH("_softmax(Tensor self, int dim, bool half_to_float)", Softmax, aten_convert_softmax),
    WITH("log_softmax(Tensor self, int dim, int? dtype=None)", LogSoftmax, aten_convert_softmax),
    WITH("_log_softmax(Tensor self, int dim, bool half_to_float)", LogSoftmax, aten_convert_softmax),
    ROW("_safe_softmax(Tensor self, int dim, int? dtype=None)", aten_convert_safe_softmax),

    // two tensors
    NUMBERS("add"), ROW("add(Operand self, Operand other, Scalar alpha=1)", aten_convert_add), ROW("add(list a, list b)", aten_convert_list_add),
    NUMBERS("sub"), ROW("sub(Operand self, Operand other, Scalar alpha=1)", aten_convert_sub), ROW("subtract(Operand self, Operand other, Scalar alpha=1)", aten_convert_sub),
    ROW("rsub(Operand self, Operand other, Scalar alpha=1)", aten_convert_rsub),
    NUMBERS("mul"), ROW("mul(Operand self, Operand other)", aten_convert_mul), ROW("mul(list list, int times)", aten_convert_list_repeat),
    ROW("multiply(Operand self, Operand other)", aten_convert_mul),
    NUMBERS("div"), ROW("div(Operand self, Operand other, str? rounding_mode=None)", aten_convert_div),
    ROW("divide(Operand self, Operand other, str? rounding_mode=None)", aten_convert_div),
    NUMBERS("true_divide"), ROW("true_divide(Operand self, Operand other, str? rounding_mode=None)", aten_convert_div),
    NUMBERS("floordiv"), NUMBERS("floor_divide"), ROW("floor_divide(Operand self, Operand other)", aten_convert_floor_divide),
    NUMBERS("remainder"), ROW("remainder(Operand self, Operand other)", aten_convert_remainder),
    NUMBERS("fmod"), ROW("fmod(Operand self, Operand other)", aten_convert_fmod),
    NUMBERS("pow"), ROW("pow(Operand self, Operand exponent)", aten_convert_pow),
    WITH("maximum(Tensor self, Tensor other)", Max, aten_convert_extreme),
    WITH("minimum(Tensor self, Tensor other)", Min, aten_convert_extreme),
    ROW("addcmul(Tensor self, Operand tensor1, Operand tensor2, Scalar value=1)", aten_convert_addcmul),
    ROW("addcdiv(Tensor self, Operand tensor1, Operand tensor2, Scalar value=1)", aten_convert_addcmul),
    ROW("lerp(Tensor self, Tensor end, Operand weight)", aten_convert_lerp),
    NUMBERS("eq"), WITH("eq(Operand self, Operand other)", Equal, aten_convert_compare), SAME("eq"),
    NUMBERS("ne"), ROW("ne(Operand self, Operand other)", aten_convert_not_equal), SAME("ne"),
    COMPARE("lt", Less), COMPARE("le", LessOrEqual), COMPARE("gt", Greater), COMPARE("ge", GreaterOrEqual),
    WITH("logical_and(Operand self, Operand other)", And, aten_convert_logical),
    WITH("logical_or(Operand self, Operand other)", Or, aten_convert_logical),
    WITH("logical_xor(Operand self, Operand other)", Xor, aten_convert_logical),
    BITWISE("bitwise_and", And), BITWISE("bitwise_or", Or), BITWISE("bitwise_xor", Xor),
    NUMBERS("__and__"), BITWISE("__and__", And), NUMBERS("__or__"), BITWISE("__or__", Or), NUMBERS("__xor__"), BITWISE("__xor__", Xor),
    ROW("where(Tensor condition, Operand self, Operand other)", aten_convert_where),
    ROW("masked_fill(Tensor self, Tensor mask, Operand value)", aten_convert_masked_fill),

    // shape
    ROW("view(Tensor self, int[] size)", aten_convert_view), ROW("_unsafe_view(Tensor self, int[] size)", aten_convert_view),
    ROW("reshape(Tensor self, int[] shape)", aten_convert_view), ROW("_reshape_alias(Tensor self, int[] size, any stride=None)", aten_convert_view),
    ROW("_reshape_copy(Tensor self, int[] size)", aten_convert_view), ROW("view_copy(Tensor self, int[] size)", aten_convert_view),
    ROW("view_as(Tensor self, Tensor other)", aten_convert_view_as), ROW("reshape_as(Tensor self, Tensor other)", aten_convert_view_as),
    ROW("flatten(Tensor self, int start_dim=0, int end_dim=-1)", aten_convert_flatten),
    ROW("ravel(Tensor self, int start_dim=0, int end_dim=-1)", aten_convert_flatten),
    ROW("unflatten(Tensor self, int dim, int[] sizes)", aten_convert_unflatten),
    ROW("permute(Tensor self, int[] dims)", aten_convert_permute), ROW("permute_copy(Tensor self, int[] dims)", aten_convert_permute),
    ROW("transpose(Tensor self, int dim0, int dim1)", aten_convert_transpose),
    ROW("transpose_copy(Tensor self, int dim0, int dim1)", aten_convert_transpose),
    ROW("swapaxes(Tensor self, int axis0, int axis1)", aten_convert_transpose),
    ROW("swapdims(Tensor self, int dim0, int dim1)", aten_convert_transpose),
    ROW("t(Tensor self)", aten_convert_t), ROW("numpy_T(Tensor self)", aten_convert_reverse_dims),
    ROW("mT(Tensor self)", aten_convert_mt), ROW("adjoint(Tensor self)", aten_convert_mt),
    ROW("movedim(Tensor self, int[] source, int[] destination)", aten_convert_movedim),
    ROW("moveaxis(Tensor self, int[] source, int[] destination)", aten_convert_movedim),
    ROW("squeeze(Tensor self)", aten_convert_squeeze), ROW("squeeze(Tensor self, int[] dim)", aten_convert_squeeze),
    ROW("squeeze_copy(Tensor self)", aten_convert_squeeze), ROW("squeeze_copy(Tensor self, int[] dim)", aten_convert_squeeze),
    ROW("unsqueeze(Tensor self, int dim)", aten_convert_unsqueeze), ROW("unsqueeze_copy(Tensor self, int dim)", aten_convert_unsqueeze),
    ROW("expand(Tensor self, int[] size, bool implicit=False)", aten_convert_expand),
    ROW("expand_copy(Tensor self, int[] size, bool implicit=False)", aten_convert_expand),
    ROW("broadcast_to(Tensor self, int[] size)", aten_convert_expand),
    ROW("expand_as(Tensor self, Tensor other)", aten_convert_expand_as),
    ROW("repeat(Tensor self, int[] repeats)", aten_convert_repeat), ROW("tile(Tensor self, int[] dims)", aten_convert_repeat),
    ROW("repeat_interleave(Tensor self, int repeats, int? dim=None, int? output_size=None)", aten_convert_repeat_interleave),
    ROW("pixel_shuffle(Tensor self, int upscale_factor)", aten_convert_pixel_shuffle),
    ROW("pixel_unshuffle(Tensor self, int downscale_factor)", aten_convert_pixel_unshuffle),
    ROW("channel_shuffle(Tensor self, int groups)", aten_convert_channel_shuffle),
    ROW("native_channel_shuffle(Tensor self, int groups)", aten_convert_channel_shuffle),

    // moving
    ROW("cat(Tensor[] tensors, int dim=0)", aten_convert_cat), ROW("concat(Tensor[] tensors, int dim=0)", aten_convert_cat),
    ROW("concatenate(Tensor[] tensors, int dim=0)", aten_convert_cat), ROW("stack(Tensor[] tensors, int dim=0)", aten_convert_stack),
    ROW("meshgrid(Tensor[] tensors, str? indexing=None)", aten_convert_meshgrid),
    ROW("split(Tensor self, int[] split_size, int dim=0)", aten_convert_split),
    ROW("split(Tensor self, int[] split_sizes, int dim=0)", aten_convert_split),
    ROW("split_copy(Tensor self, int[] split_size, int dim=0)", aten_convert_split),
    ROW("split_with_sizes(Tensor self, int[] split_sizes, int dim=0)", aten_convert_split),
    ROW("split_with_sizes_copy(Tensor self, int[] split_sizes, int dim=0)", aten_convert_split),
    ROW("chunk(Tensor self, int chunks, int dim=0)", aten_convert_chunk),
    ROW("tensor_split(Tensor self, int[] sections, int dim=0)", aten_convert_tensor_split),
    ROW("tensor_split(Tensor self, int[] indices, int dim=0)", aten_convert_tensor_split),
    ROW("unbind(Tensor self, int dim=0)", aten_convert_unbind), ROW("unbind_copy(Tensor self, int dim=0)", aten_convert_unbind),
    ROW("flip(Tensor self, int[] dims)", aten_convert_flip),
    ROW("roll(Tensor self, int[] shifts, int[] dims=[])", aten_convert_roll),
    ROW("rot90(Tensor self, int k=1, int[] dims=[])", aten_convert_rot90),
    ROW("pad(Tensor self, int[] pad, str mode='constant', Scalar? value=None)", aten_convert_pad),
    ROW("constant_pad_nd(Tensor self, int[] pad, Scalar value=0)", aten_convert_pad),
    ROW("_pad_circular(Tensor self, int[] pad)", aten_convert_pad_mode),
    MODE_PAD("reflection_pad1d"), MODE_PAD("reflection_pad2d"), MODE_PAD("reflection_pad3d"),
    MODE_PAD("replication_pad1d"), MODE_PAD("replication_pad2d"), MODE_PAD("replication_pad3d"),
    ROW("unfold(Tensor self, int dimension, int size, int step)", aten_convert_unfold),
    ROW("unfold_copy(Tensor self, int dimension, int size, int step)", aten_convert_unfold),
    ROW("im2col(Tensor self, int[] kernel_size, int[] dilation, int[] padding, int[] stride)", aten_convert_im2col),
    ROW("col2im(Tensor self, int[] output_size, int[] kernel_size, int[] dilation, int[] padding, int[] stride)", aten_convert_col2im),
    IDENTITY("contiguous(Tensor self, any memory_format=0)"), IDENTITY("clone(Tensor self, any memory_format=None)"),
    IDENTITY("detach(Tensor self)"), IDENTITY("detach_copy(Tensor self)"), IDENTITY("alias(Tensor self)"), IDENTITY("alias_copy(Tensor self)"),
    IDENTITY("lift_fresh(Tensor self)"), IDENTITY("lift_fresh_copy(Tensor self)"), IDENTITY("lift(Tensor self)"),
    IDENTITY("positive(Tensor self)"), IDENTITY("requires_grad_(Tensor self, bool requires_grad=True)"), IDENTITY("cpu(Tensor self)"),
    IDENTITY("resolve_conj(Tensor self)"), IDENTITY("resolve_neg(Tensor self)"), IDENTITY("real(Tensor self)"),
    ROW("copy(Tensor self, Operand src, bool non_blocking=False)", aten_convert_copy),
    ROW("dropout(Tensor input, float p, bool train)", aten_convert_dropout), ROW("feature_dropout(Tensor input, float p, bool train)", aten_convert_dropout),
    ROW("alpha_dropout(Tensor input, float p, bool train)", aten_convert_dropout), ROW("feature_alpha_dropout(Tensor input, float p, bool train)", aten_convert_dropout),
    ROW("dropout_(Tensor self, float p, bool train)", aten_convert_dropout), ROW("feature_dropout_(Tensor self, float p, bool train)", aten_convert_dropout),
    ROW("alpha_dropout_(Tensor self, float p, bool train)", aten_convert_dropout), ROW("feature_alpha_dropout_(Tensor self, float p, bool train)", aten_convert_dropout),
    ROW("native_dropout(Tensor input, float p, bool? train)", aten_convert_native_dropout),
    ROW("to(Tensor self, int dtype, " TO ")", aten_convert_to),
    ROW("to(Tensor self, str? device, int? dtype=None, " TO ")", aten_convert_to),
    ROW("to(Tensor self, Tensor other, " TO ")", aten_convert_type_as),
    ROW("to(Tensor self, int? dtype=None, any layout=None, any device=None, any pin_memory=None, " TO ")", aten_convert_to),
    IDENTITY("to(Tensor self, bool non_blocking=False, bool copy=False)"),
    ROW("_to_copy(Tensor self, int? dtype=None, any layout=None, any device=None, any pin_memory=None, bool non_blocking=False, any memory_format=None)", aten_convert_to),
    ROW("type_as(Tensor self, Tensor other)", aten_convert_type_as),
    TO_NAMED("float"), TO_NAMED("double"), TO_NAMED("half"), TO_NAMED("bfloat16"), TO_NAMED("int"), TO_NAMED("long"), TO_NAMED("bool"),

    // places
    ROW("__getitem__(list list, int index)", aten_convert_get_item),
    ROW("select(list list, int index)", aten_convert_get_item),
    ROW("select(Tensor self, int dim, int index)", aten_convert_select), ROW("select_copy(Tensor self, int dim, int index)", aten_convert_select),
    ROW("slice(Tensor self, int dim=0, int? start=None, int? end=None, int step=1)", aten_convert_slice),
    ROW("slice(list list, int? start=None, int? end=None, int step=1)", aten_convert_list_slice),
    ROW("slice_copy(Tensor self, int dim=0, int? start=None, int? end=None, int step=1)", aten_convert_slice),
    ROW("narrow(Tensor self, int dim, int start, int length)", aten_convert_narrow),
    ROW("index(Tensor self, Tensor?[] indices)", aten_convert_index), ROW("_unsafe_index(Tensor self, Tensor?[] indices)", aten_convert_index),
    ROW("index_select(Tensor self, int dim, Tensor index)", aten_convert_index_select),
    ROW("gather(Tensor self, int dim, Tensor index, bool sparse_grad=False)", aten_convert_gather),
    ROW("index_put(Tensor self, Tensor?[] indices, Tensor values, bool accumulate=False)", aten_convert_index_put),
    ROW("_unsafe_index_put(Tensor self, Tensor?[] indices, Tensor values, bool accumulate=False)", aten_convert_index_put),
    ROW("scatter(Tensor self, int dim, Tensor index, Operand src)", aten_convert_scatter),
    ROW("scatter(Tensor self, int dim, Tensor index, Scalar value)", aten_convert_scatter),
    ROW("scatter_add(Tensor self, int dim, Tensor index, Tensor src)", aten_convert_scatter),
    ROW("slice_scatter(Tensor self, Tensor src, int dim=0, int? start=None, int? end=None, int step=1)", aten_convert_slice_scatter),
    ROW("select_scatter(Tensor self, Tensor src, int dim, int index)", aten_convert_select_scatter),
    ROW("embedding(Tensor weight, Tensor indices, int padding_idx=-1, bool scale_grad_by_freq=False, bool sparse=False)", aten_convert_embedding),
    ROW("one_hot(Tensor self, int num_classes=-1)", aten_convert_one_hot),

    // made of numbers
    ROW("zeros(int[] size, " SIZE_OPTIONS ")", aten_convert_zeros), ROW("empty(int[] size, " SIZE_OPTIONS ")", aten_convert_zeros),
    ROW("ones(int[] size, " SIZE_OPTIONS ")", aten_convert_ones), ROW("full(int[] size, Scalar fill_value, " SIZE_OPTIONS ")", aten_convert_full),
    ROW("zeros_like(Tensor self, " SIZE_OPTIONS ")", aten_convert_zeros_like), ROW("empty_like(Tensor self, " SIZE_OPTIONS ")", aten_convert_zeros_like),
    ROW("ones_like(Tensor self, " SIZE_OPTIONS ")", aten_convert_ones_like),
    ROW("full_like(Tensor self, Scalar fill_value, " SIZE_OPTIONS ")", aten_convert_full_like),
    ROW("new_zeros(Tensor self, int[] size, " LIKE_OPTIONS ")", aten_convert_new_zeros), ROW("new_empty(Tensor self, int[] size, " LIKE_OPTIONS ")", aten_convert_new_zeros),
    ROW("new_ones(Tensor self, int[] size, " LIKE_OPTIONS ")", aten_convert_new_ones),
    ROW("new_full(Tensor self, int[] size, Scalar fill_value, " LIKE_OPTIONS ")", aten_convert_new_full),
    ROW("fill(Tensor self, Operand value)", aten_convert_fill), ROW("zero(Tensor self)", aten_convert_fill),
    ROW("arange(Scalar end, " LIKE_OPTIONS ")", aten_convert_arange),
    ROW("arange(Scalar start, Scalar end, " LIKE_OPTIONS ")", aten_convert_arange),
    ROW("arange(Scalar start, Scalar end, Scalar step, " LIKE_OPTIONS ")", aten_convert_arange),
    ROW("linspace(Scalar start, Scalar end, int steps, " LIKE_OPTIONS ")", aten_convert_linspace),
    ROW("scalar_tensor(Scalar s, " LIKE_OPTIONS ")", aten_convert_scalar_tensor),
    ROW("tensor(any data, int? dtype=None, any device=None, any requires_grad=None)", aten_convert_tensor),
    ROW("tril(Tensor self, int diagonal=0)", aten_convert_triangle), ROW("triu(Tensor self, int diagonal=0)", aten_convert_triangle),

    // reductions
    WITH("mean(Tensor self, *, int? dtype=None)", ReduceMean, aten_convert_reduce),
    WITH("mean(" REDUCE ", *, int? dtype=None)", ReduceMean, aten_convert_reduce),
    WITH("sum(Tensor self, *, int? dtype=None)", ReduceSum, aten_convert_sum),
    WITH("sum(" REDUCE ", *, int? dtype=None)", ReduceSum, aten_convert_sum),
    WITH("prod(Tensor self, *, int? dtype=None)", ReduceProd, aten_convert_sum),
    WITH("prod(" REDUCE ", *, int? dtype=None)", ReduceProd, aten_convert_sum),
    WITH("amax(" REDUCE ")", ReduceMax, aten_convert_reduce), WITH("amin(" REDUCE ")", ReduceMin, aten_convert_reduce),
    WITH("max(Tensor self)", ReduceMax, aten_convert_extreme_all), WITH("max(Tensor self, Tensor other)", Max, aten_convert_extreme),
    WITH("max(Tensor self, int dim, bool keepdim=False)", ReduceMax, aten_convert_extreme_dim),
    WITH("min(Tensor self)", ReduceMin, aten_convert_extreme_all), WITH("min(Tensor self, Tensor other)", Min, aten_convert_extreme),
    WITH("min(Tensor self, int dim, bool keepdim=False)", ReduceMin, aten_convert_extreme_dim),
    WITH("argmax(Tensor self, int? dim=None, bool keepdim=False)", ArgMax, aten_convert_arg),
    WITH("argmin(Tensor self, int? dim=None, bool keepdim=False)", ArgMin, aten_convert_arg),
    WITH("any(" REDUCE ")", ReduceMax, aten_convert_any), WITH("all(" REDUCE ")", ReduceMin, aten_convert_any),
    ROW("var(Tensor self, bool unbiased=True)", aten_convert_var),
    ROW("var(Tensor self, int[]? dim, bool unbiased=True, bool keepdim=False)", aten_convert_var),
    ROW("var(Tensor self, int[]? dim=None, *, Scalar? correction=None, bool keepdim=False)", aten_convert_var),
    ROW("std(Tensor self, bool unbiased=True)", aten_convert_var),
    ROW("std(Tensor self, int[]? dim, bool unbiased=True, bool keepdim=False)", aten_convert_var),
    ROW("std(Tensor self, int[]? dim=None, *, Scalar? correction=None, bool keepdim=False)", aten_convert_var),
    ROW("var_mean(Tensor self, bool unbiased=True)", aten_convert_var),
    ROW("var_mean(Tensor self, int[]? dim, bool unbiased=True, bool keepdim=False)", aten_convert_var),
    ROW("var_mean(Tensor self, int[]? dim=None, *, Scalar? correction=None, bool keepdim=False)", aten_convert_var),
    ROW("std_mean(Tensor self, bool unbiased=True)", aten_convert_var),
    ROW("std_mean(Tensor self, int[]? dim, bool unbiased=True, bool keepdim=False)", aten_convert_var),
    ROW("std_mean(Tensor self, int[]? dim=None, *, Scalar? correction=None, bool keepdim=False)", aten_convert_var),
    ROW("cumsum(Tensor self, int dim, int? dtype=None)", aten_convert_cumsum),
    ROW("topk(Tensor self, int k, int dim=-1, bool largest=True, bool sorted=True)", aten_convert_topk),
    ROW("sort(Tensor self, int dim=-1, bool descending=False)", aten_convert_sort),
    ROW("sort(Tensor self, *, bool? stable, int dim=-1, bool descending=False)", aten_convert_sort),
    ROW("argsort(Tensor self, int dim=-1, bool descending=False)", aten_convert_sort),
    ROW("argsort(Tensor self, *, bool? stable, int dim=-1, bool descending=False)", aten_convert_sort),

    // space
    UPSAMPLE("upsample_nearest1d", "", SCALES_1), UPSAMPLE("upsample_nearest2d", "", SCALES_2), UPSAMPLE("upsample_nearest3d", "", SCALES_3),
    UPSAMPLE("_upsample_nearest_exact1d", "", SCALES_1), UPSAMPLE("_upsample_nearest_exact2d", "", SCALES_2),
    UPSAMPLE("_upsample_nearest_exact3d", "", SCALES_3),
    UPSAMPLE("upsample_linear1d", CORNERS, SCALES_1), UPSAMPLE("upsample_bilinear2d", CORNERS, SCALES_2),
    UPSAMPLE("upsample_trilinear3d", CORNERS, SCALES_3), UPSAMPLE("upsample_bicubic2d", CORNERS, SCALES_2),
    GRID_SAMPLER("grid_sampler"), GRID_SAMPLER("grid_sampler_2d"), GRID_SAMPLER("grid_sampler_3d"),
    ROW("affine_grid_generator(Tensor theta, int[] size, bool align_corners)", aten_convert_affine_grid),

    // attention
    ROW("scaled_dot_product_attention(" ATTENTION "Tensor? attn_mask=None, float dropout_p=0, bool is_causal=False, float? scale=None, bool enable_gqa=False)", aten_convert_attention),
    ROW("_scaled_dot_product_attention_math(" ATTENTION "Tensor? attn_mask=None, float dropout_p=0, bool is_causal=False, any dropout_mask=None, float? scale=None, bool enable_gqa=False)", aten_convert_attention),
    ROW("_scaled_dot_product_flash_attention_for_cpu(" ATTENTION "float dropout_p=0, bool is_causal=False, Tensor? attn_mask=None, float? scale=None)", aten_convert_attention),
    ROW("_scaled_dot_product_efficient_attention(" ATTENTION "Tensor? attn_bias, bool compute_log_sumexp, float dropout_p=0, bool is_causal=False, float? scale=None)", aten_convert_attention),

    // numbers, lists, texts
    ROW("size(Tensor self, int dim)", aten_convert_size), ROW("size(Tensor self)", aten_convert_size_all),
    ROW("sym_size(Tensor self, int dim)", aten_convert_size), ROW("sym_size(Tensor self)", aten_convert_size_all), ROW("prim::shape(Tensor self)", aten_convert_size_all),
    ROW("numel(Tensor self)", aten_convert_numel), ROW("sym_numel(Tensor self)", aten_convert_numel),
    ROW("dim(Tensor self)", aten_convert_rank), ROW("len(any a)", aten_convert_len),
    ROW("item(Tensor self)", aten_convert_item), ROW("_local_scalar_dense(Tensor self)", aten_convert_item),
    ROW("ScalarImplicit(Tensor a)", aten_convert_item), ROW("FloatImplicit(Tensor a)", aten_convert_item), ROW("IntImplicit(Tensor a)", aten_convert_item),
    ROW("Int(Operand a)", aten_convert_number_cast), ROW("Float(Operand a)", aten_convert_number_cast), ROW("Bool(Operand a)", aten_convert_number_cast),
    ROW("torch::sym_int(Operand a)", aten_convert_number_cast), ROW("torch::sym_float(Operand a)", aten_convert_number_cast),
    ROW("prim::NumToTensor(Operand a)", aten_convert_num_to_tensor),
    ROW("prim::dtype(Tensor a)", aten_convert_dtype_of), ROW("prim::device(Tensor a)", aten_convert_device_of),
    ROW("is_floating_point(Tensor self)", aten_convert_is_floating),
    NUMBERS("prim::min"), ROW("prim::min(list list)", aten_convert_list_extreme), NUMBERS("prim::max"), ROW("prim::max(list list)", aten_convert_list_extreme),
    NUMBERS("torch::sym_min"), NUMBERS("torch::sym_max"), NUMBER("torch::sym_sqrt"), ROW("torch::sym_not(Scalar a)", aten_convert_number_not),
    ROW("__not__(Scalar a)", aten_convert_number_not),
    NUMBER("math::ceil"), NUMBER("math::floor"), NUMBER("math::trunc"), NUMBER("math::sqrt"), NUMBER("_operator::neg"), NUMBER("_operator::abs"),
    NUMBERS("_operator::add"), NUMBERS("_operator::sub"), NUMBERS("_operator::mul"), NUMBERS("_operator::truediv"), NUMBERS("_operator::floordiv"),
    NUMBERS("_operator::mod"), NUMBERS("_operator::pow"), NUMBERS("_operator::eq"), NUMBERS("_operator::ne"), NUMBERS("_operator::lt"),
    NUMBERS("_operator::le"), NUMBERS("_operator::gt"), NUMBERS("_operator::ge"), NUMBERS("_operator::and_"), NUMBERS("_operator::or_"),
    ROW("_operator::getitem(list list, int index)", aten_convert_get_item),
    ROW("__is__(any a, any b)", aten_convert_same), ROW("__isnot__(any a, any b)", aten_convert_not_same),
    ROW("__contains__(list list, any item)", aten_convert_contains),
    ROW("_assert_async(any self, any assert_msg=None)", aten_convert_nothing), ROW("_assert_scalar(any self, any assert_msg=None)", aten_convert_nothing),
    ROW("_assert_tensor_metadata(any a, any size=None, any stride=None, any dtype=None, any device=None, any layout=None)", aten_convert_nothing),
    ROW("sym_constrain_range(any size, any min=None, any max=None)", aten_convert_nothing),
    ROW("sym_constrain_range_for_size(any size, any min=None, any max=None)", aten_convert_nothing),
    ROW("_check_is_size(any size)", aten_convert_nothing),
};
// clang-format on

const Converter *aten_converters(size_t *count) {
    *count = COUNT_OF(converters);
    return converters;
}

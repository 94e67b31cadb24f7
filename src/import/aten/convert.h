// One call of an ATen operator to nodes of ours: what the converters share (call.c, number.c) and their table
// (table.c).
//
// A converter reads its arguments by the names of the schema, emits, and gives its results. An argument that is not
// there has the schema's default by then. Messages of converters don't name the operator; aten_call does.
#pragma once
#include "import/aten/aten.h"

typedef struct Call Call;
typedef Status Convert(Call *call);

// A schema as in native_functions.yaml, with the names of types that call.c has: several rows of one name are its
// overloads, of which the first is taken whose types fit the arguments.
typedef struct Converter {
    const char *schema; // "prim::min(Scalar a, Scalar b)"; aten:: is left out
    Op op;              // OP_NONE: the function decides
    Convert *convert;
} Converter;
const Converter *aten_converters(size_t *count);

enum { CALL_PARAMETERS = 24 };
typedef struct Parameter {
    const char *type, *name, *otherwise; // in the schema; otherwise NULL: there is no default
    int type_length, name_length, otherwise_length;
} Parameter;

struct Call {
    Aten *aten;
    const AtenCall *source;
    Op op;     // of the table's row
    Emit emit; // named as the call's first result
    Parameter parameters[CALL_PARAMETERS];
    AtenValue args[CALL_PARAMETERS];
    int n_parameters, n_places; // those that may be given by place
    AtenValue *outs;
    int n_outs, n_given;
};

// Finds the row whose types fit, and the arguments by its names. ST_BAD: none fits.
Status aten_match(Call *call, const Converter **out);

// Results, in order. What is beyond what was asked for is dropped.
Status aten_give(Call *call, ValueId value);
Status aten_give_value(Call *call, AtenValue value);
Status aten_give_list(Call *call, const ValueId *values, int count); // one result, a list of tensors
// A result that is not had: asked for, it counts as missing under this name ("indices of aten::...").
Status aten_give_lacking(Call *call, const char *what);
Status aten_give_node(Call *call, Op op, const ValueId *inputs, int n_inputs, const Attr *attrs, int n_attrs);
Status aten_give_one(Call *call, Op op, ValueId x);
Status aten_give_two(Call *call, Op op, ValueId a, ValueId b);

// Arguments by name; a name that the schema has not is a bug. What has to be known before a run and is not: one line
// with ST_UNSUPPORTED.
const AtenValue *aten_arg(const Call *call, const char *name);
bool aten_arg_is(const Call *call, const char *name, AtenKind kind);
Status aten_arg_tensor(Call *call, const char *name, ValueId *out);   // numbers too, as a scalar
Status aten_arg_optional(Call *call, const char *name, ValueId *out); // None: NO_VALUE
Status aten_arg_tensors(Call *call, const char *name, ValueId **out, int *count);
Status aten_arg_int(Call *call, const char *name, int64_t *out);
Status aten_arg_bool(Call *call, const char *name, bool *out);
Status aten_arg_float(Call *call, const char *name, double *out);
Status aten_arg_text(Call *call, const char *name, const char **out);
// A list, or one number as a list of one. None: count 0.
Status aten_arg_items(Call *call, const char *name, const AtenValue **items, int *count);
Status aten_arg_ints(Call *call, const char *name, int limit, int64_t *values, int *count);
Status aten_arg_floats(Call *call, const char *name, int limit, double *values, int *count);
// A number for each of `count` dims; one number stands for all of them.
Status aten_arg_each(Call *call, const char *name, int count, int64_t *values);
Status aten_arg_axis(Call *call, const char *name, int rank, int *out);                  // -rank..rank-1 to 0..
Status aten_arg_axes(Call *call, const char *name, int rank, int64_t *axes, int *count); // none twice
Status aten_arg_dtype(Call *call, const char *name, DType otherwise, DType *out);        // None: otherwise
Status aten_axis(int64_t axis, int rank, int *out);

// Types.
Status aten_dtype(int64_t scalar_type, DType *out);               // c10::ScalarType
int64_t aten_scalar_type(DType dtype);                            // -1: has none
DType aten_value_dtype(const Call *call, const AtenValue *value); // of a number: bool, int64, float32
DType aten_promote(DType a, DType b);
DType aten_result_type(const Call *call, const AtenValue *values, int count); // torch.result_type
const Type *aten_type(const Call *call, ValueId value);
Status aten_rank(const Call *call, ValueId value, int *out);            // ST_UNSUPPORTED: not known
Status aten_cast(Call *call, ValueId value, DType dtype, ValueId *out); // itself where it is so
Status aten_as_float(Call *call, ValueId value, ValueId *out);          // integers and bools to float32
Status aten_as_bool(Call *call, ValueId value, ValueId *out);           // x != 0
// A tensor or a number as a tensor of that type.
Status aten_operand(Call *call, const AtenValue *value, DType dtype, ValueId *out);

// Nodes.
Status aten_one(Call *call, Op op, ValueId x, ValueId *out);
Status aten_two(Call *call, Op op, ValueId a, ValueId b, ValueId *out);
Status aten_three(Call *call, Op op, ValueId a, ValueId b, ValueId c, ValueId *out);
Status aten_node(Call *call, Op op, const ValueId *inputs, int n_inputs, const Attr *attrs, int n_attrs, ValueId *out);
Status aten_scalar(Call *call, DType dtype, double value, ValueId *out);
Status aten_scalar_like(Call *call, ValueId x, double value, ValueId *out); // of the type of x
Status aten_ints(Call *call, const int64_t *values, int count, ValueId *out);
Status aten_over(Call *call, Op op, ValueId x, const int64_t *axes, int count, bool keep, ValueId *out); // Reduce*
Status aten_permute(Call *call, ValueId x, const int *perm, ValueId *out); // itself where nothing moves
Status aten_unsqueeze(Call *call, ValueId x, int64_t axis, ValueId *out);
Status aten_squeeze(Call *call, ValueId x, int64_t axis, ValueId *out);
// x[from:to:step] along an axis.
Status aten_cut(Call *call, ValueId x, int axis, int64_t from, int64_t to, int64_t step, ValueId *out);
Status aten_transpose_last(Call *call, ValueId x, ValueId *out); // the last two dims; of a constant a copy, made once
Status aten_expand(Call *call, ValueId x, const AtenValue *items, int count, ValueId *out); // items from 1
// All elements `value`; a constant where it is small.
Status aten_filled(Call *call, DType dtype, double value, const AtenValue *items, int count, ValueId *out);
Status aten_channels_filled(Call *call, ValueId x, double value, ValueId *out); // a number for each of dim 1

// Sizes.
Status aten_dim(Call *call, ValueId x, int axis, AtenValue *out); // an int, or a number that is known in a run only
Status aten_dims(Call *call, ValueId x, AtenValue out[MAX_RANK], int *rank);
Status aten_known_dim(Call *call, ValueId x, int axis, int64_t *out);                      // ST_UNSUPPORTED: not known
Status aten_count(Call *call, ValueId x, const int64_t *axes, int n_axes, AtenValue *out); // elements over the axes
Status aten_list_value(Call *call, const AtenValue *items, int count, ValueId *out);       // int64 list
Status aten_reshape(Call *call, ValueId x, const AtenValue *items, int count, ValueId *out); // -1: what is left
Status aten_reshape_ints(Call *call, ValueId x, const int64_t *shape, int count, ValueId *out);

// Numbers. Of known ones the result is known, else it is a value of the graph (int64, float64, bool).
bool aten_is_number(const AtenValue *value);
Status aten_number_binary(Call *call, const char *name, const AtenValue *a, const AtenValue *b, AtenValue *out);
Status aten_number_of(Call *call, ValueId value, AtenValue *out); // of a tensor of one element
Status aten_not_known(Call *call, const AtenValue *value, const char *what);

// Converters by subject.
// convert_window.c
Convert aten_convert_conv, aten_convert_conv_transpose, aten_convert_convolution;
// convert_pool.c
Convert aten_convert_max_pool, aten_convert_avg_pool, aten_convert_adaptive_avg, aten_convert_adaptive_max;
// convert_norm.c
Convert aten_convert_batch_norm, aten_convert_batch_norm_legit, aten_convert_own_norm, aten_convert_instance_norm,
    aten_convert_group_norm, aten_convert_native_group_norm, aten_convert_layer_norm, aten_convert_rms_norm;
// convert_matrix.c
Convert aten_convert_linear, aten_convert_addmm, aten_convert_baddbmm, aten_convert_matmul, aten_convert_einsum;
// convert_attention.c
Convert aten_convert_attention;
// convert_unary.c
Convert aten_convert_unary, aten_convert_float_unary, aten_convert_rounding, aten_convert_hardtanh, aten_convert_clamp,
    aten_convert_leaky_relu, aten_convert_prelu, aten_convert_elu, aten_convert_celu, aten_convert_gelu,
    aten_convert_hard_sigmoid, aten_convert_log_sigmoid, aten_convert_softplus, aten_convert_softmax,
    aten_convert_rsqrt, aten_convert_log1p, aten_convert_expm1, aten_convert_erfc, aten_convert_square,
    aten_convert_trunc, aten_convert_is_nan, aten_convert_is_inf, aten_convert_is_finite, aten_convert_threshold,
    aten_convert_glu, aten_convert_log_base, aten_convert_exp2, aten_convert_tan, aten_convert_selu,
    aten_convert_hard_swish, aten_convert_shrink, aten_convert_not, aten_convert_bitwise_not, aten_convert_safe_softmax;
// convert_binary.c
Convert aten_convert_add, aten_convert_sub, aten_convert_rsub, aten_convert_mul, aten_convert_div,
    aten_convert_floor_divide, aten_convert_remainder, aten_convert_fmod, aten_convert_extreme, aten_convert_compare,
    aten_convert_not_equal, aten_convert_where, aten_convert_masked_fill, aten_convert_addcmul, aten_convert_lerp,
    aten_convert_pow, aten_convert_logical, aten_convert_bitwise;
// convert_reduce.c
Convert aten_convert_reduce, aten_convert_sum, aten_convert_extreme_all, aten_convert_extreme_dim, aten_convert_arg,
    aten_convert_any, aten_convert_var, aten_convert_vector_norm, aten_convert_cumsum, aten_convert_topk,
    aten_convert_sort;
// convert_shape.c
Convert aten_convert_view, aten_convert_view_as, aten_convert_flatten, aten_convert_unflatten, aten_convert_permute,
    aten_convert_transpose, aten_convert_t, aten_convert_reverse_dims, aten_convert_mt, aten_convert_movedim,
    aten_convert_squeeze, aten_convert_unsqueeze, aten_convert_expand, aten_convert_expand_as, aten_convert_repeat,
    aten_convert_repeat_interleave, aten_convert_pixel_shuffle, aten_convert_pixel_unshuffle,
    aten_convert_channel_shuffle;
// convert_move.c
Convert aten_convert_cat, aten_convert_stack, aten_convert_split, aten_convert_chunk, aten_convert_tensor_split,
    aten_convert_unbind, aten_convert_flip, aten_convert_roll, aten_convert_rot90, aten_convert_pad,
    aten_convert_pad_mode, aten_convert_unfold, aten_convert_im2col, aten_convert_col2im, aten_convert_identity,
    aten_convert_copy, aten_convert_dropout, aten_convert_native_dropout, aten_convert_to, aten_convert_type_as,
    aten_convert_meshgrid, aten_convert_to_named;
// convert_index.c
Convert aten_convert_select, aten_convert_slice, aten_convert_narrow, aten_convert_index, aten_convert_index_select,
    aten_convert_gather, aten_convert_index_put, aten_convert_scatter, aten_convert_slice_scatter,
    aten_convert_select_scatter, aten_convert_embedding, aten_convert_one_hot;
// convert_create.c
Convert aten_convert_zeros, aten_convert_ones, aten_convert_full, aten_convert_zeros_like, aten_convert_ones_like,
    aten_convert_full_like, aten_convert_new_zeros, aten_convert_new_ones, aten_convert_new_full, aten_convert_fill,
    aten_convert_arange, aten_convert_linspace, aten_convert_scalar_tensor, aten_convert_tensor, aten_convert_triangle;
// convert_space.c
Convert aten_convert_upsample, aten_convert_upsample_list, aten_convert_grid_sample, aten_convert_affine_grid;
// convert_number.c
Convert aten_convert_number_binary, aten_convert_number_unary, aten_convert_size, aten_convert_size_all,
    aten_convert_numel, aten_convert_rank, aten_convert_item, aten_convert_number_cast, aten_convert_num_to_tensor,
    aten_convert_same, aten_convert_not_same, aten_convert_len, aten_convert_get_item, aten_convert_list_add,
    aten_convert_list_slice, aten_convert_contains, aten_convert_equal, aten_convert_nothing, aten_convert_dtype_of,
    aten_convert_device_of, aten_convert_is_floating, aten_convert_number_not, aten_convert_list_repeat,
    aten_convert_list_extreme;

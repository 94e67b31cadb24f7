// SPACE_TO_BATCH_ND makes images of every b-th pixel, as more of the batch; BATCH_TO_SPACE_ND is the way back. Older
// TensorFlow writes a dilated convolution as an ordinary one between the two:
//
//     SPACE_TO_BATCH_ND(b, pads) -> CONV_2D(VALID) -> BATCH_TO_SPACE_ND(b, crops)
//         =  CONV_2D(dilation b, pads - crops)
//
// since pixels b apart are neighbours inside. Where one of them stands alone it is Reshapes and a Transpose.
#include "import/tflite/convert.h"

enum { CONV_2D = 3, DEPTHWISE_CONV_2D = 4, BATCH_TO_SPACE_ND = 37, VALID = 1 };

typedef struct Blocks {
    int count; // spatial dims
    int64_t block[2], begin[2], end[2];
} Blocks;

// Input 1: the blocks; input 2: pairs of pads or crops.
static Status read_blocks(Call *call, Blocks *out) {
    int64_t pairs[4];
    int n_pairs;
    TRY(tfl_call_ints(call, 1, 2, out->block, &out->count));
    TRY(tfl_call_ints(call, 2, 4, pairs, &n_pairs));
    FAIL_IF(out->count < 1 || n_pairs != 2 * out->count, ST_BAD,
            "expected a pair of pads for each block, got %d numbers", n_pairs);
    for (int i = 0; i < out->count; i++) {
        out->begin[i] = pairs[2 * i];
        out->end[i] = pairs[2 * i + 1];
        FAIL_IF(out->block[i] < 1 || out->block[i] > INT32_MAX, ST_BAD, "expected blocks of at least 1, got %lld",
                (long long)out->block[i]);
        FAIL_IF(out->begin[i] < 0 || out->end[i] < 0 || out->begin[i] > INT32_MAX || out->end[i] > INT32_MAX, ST_BAD,
                "expected pads from 0, got %lld and %lld", (long long)out->begin[i], (long long)out->end[i]);
    }
    return ST_OK;
}

// ---- the dilated convolution

// The operator that alone reads an output; NULL: several, or the user.
static const TfliteOperator *only_reader(const Builder *builder, int tensor, const TfliteOperator *from) {
    if (builder->readers[tensor] != 1 || builder->reader[tensor] < 0) return NULL;
    const TfliteOperator *reader = &builder->model->operators[builder->reader[tensor]];
    return reader > from && reader->inputs[0] == tensor ? reader : NULL;
}

static bool is_plain_conv(const TfliteOperator *conv) {
    const bool depthwise = conv->code == DEPTHWISE_CONV_2D;
    if ((conv->code != CONV_2D && !depthwise) || conv->n_outputs != 1) return false;
    const FbTable options = conv->options;
    const int dilation = depthwise ? 5 : 4;
    return fb_int8(options, 0, 0) == VALID && fb_int32(options, 1, 0) == 1 && fb_int32(options, 2, 0) == 1 &&
           fb_int32(options, dilation, 1) == 1 && fb_int32(options, dilation + 1, 1) == 1;
}

// The way back, of a node that is looked at ahead: its numbers may not be there yet.
static bool read_crops(const Call *call, const TfliteOperator *back, Blocks *out) {
    Call ahead = *call;
    ahead.operator= back;
    const Status status = read_blocks(&ahead, out);
    if (status != ST_OK) error_clear();
    return status == ST_OK;
}

static bool match(const Call *call, const Blocks *pads, const TfliteOperator **conv, Blocks *crops) {
    *conv = only_reader(call->builder, call->operator->outputs[0], call->operator);
    if (pads->count != 2 || !*conv || !is_plain_conv(*conv)) return false;
    const TfliteOperator *back = only_reader(call->builder, (*conv)->outputs[0], *conv);
    if (!back || back->code != BATCH_TO_SPACE_ND || back->n_inputs < 3 || !read_crops(call, back, crops)) return false;
    return crops->count == 2 && crops->block[0] == pads->block[0] && crops->block[1] == pads->block[1];
}

static Status give_spread(Call *call, ValueId x, const Blocks *pads, const TfliteOperator *conv, const Blocks *crops) {
    Builder *builder = call->builder;
    Spread *spread = arena_alloc(builder->scratch, sizeof *spread);
    if (!spread) return fail_memory(sizeof *spread);
    for (int i = 0; i < 2; i++) {
        spread->dilation[i] = pads->block[i];
        spread->pad_begin[i] = pads->begin[i] - crops->begin[i];
        spread->pad_end[i] = pads->end[i] - crops->end[i];
    }
    builder->spread[call->operator->outputs[0]] = spread;
    builder->joined[conv->outputs[0]] = true;
    return tfl_call_give(call, 0, x);
}

// ---- alone

static Status known_dims(const Type *type) {
    for (int i = 1; i < type->rank; i++) {
        FAIL_IF(type->dim[i] < 0, ST_UNSUPPORTED, "a size that is not known; give the inputs a fixed size");
    }
    return ST_OK;
}

static Status check_rank(const Blocks *blocks, int rank) {
    FAIL_IF(rank != blocks->count + 2, ST_UNSUPPORTED, "%d blocks of a value of %d dims", blocks->count, rank);
    return ST_OK;
}

// n, h, w, c -> n, h / b, b, w / b, b, c -> b, b, n, h / b, w / b, c -> n b b, h / b, w / b, c
static Status space_to_batch(Call *call, ValueId x, const Blocks *blocks) {
    static const int perms[2][6] = {{2, 0, 1, 3}, {2, 4, 0, 1, 3, 5}};
    const Type type = *emit_type(&call->emit, x);
    const int n = blocks->count;
    int64_t split[6] = {0}, merged[4] = {-1}, begin[4] = {0}, end[4] = {0};
    TRY(known_dims(&type));
    for (int i = 0; i < n; i++) {
        const int64_t dim = type.dim[1 + i] + blocks->begin[i] + blocks->end[i], block = blocks->block[i];
        FAIL_IF(dim % block != 0, ST_BAD, "expected a padded size that is a multiple of %lld, got %lld",
                (long long)block, (long long)dim);
        begin[1 + i] = blocks->begin[i];
        end[1 + i] = blocks->end[i];
        split[1 + 2 * i] = merged[1 + i] = dim / block;
        split[2 + 2 * i] = block;
    }
    split[2 * n + 1] = merged[n + 1] = type.dim[n + 1];
    TRY(emit_pad(&call->emit, "padded", x, begin, end, "constant", 0, &x));
    TRY(emit_reshape(&call->emit, "blocks", x, split, 2 * n + 2, &x));
    TRY(emit_transpose(&call->emit, "spread", x, perms[n - 1], &x));
    TRY(emit_reshape(&call->emit, "batch", x, merged, n + 2, &x));
    return tfl_call_give(call, 0, x);
}

static Status batch_to_space(Call *call, ValueId x, const Blocks *blocks) {
    static const int perms[2][6] = {{1, 2, 0, 3}, {2, 3, 0, 4, 1, 5}};
    const Type type = *emit_type(&call->emit, x);
    const int n = blocks->count;
    int64_t split[6], merged[4] = {-1}, begin[4] = {0}, end[4] = {0};
    TRY(known_dims(&type));
    split[n] = -1;
    for (int i = 0; i < n; i++) {
        split[i] = blocks->block[i];
        split[n + 1 + i] = type.dim[1 + i];
        FAIL_IF(!mul_i64(type.dim[1 + i], blocks->block[i], &merged[1 + i]), ST_BAD, "expected blocks that can be");
        begin[1 + i] = -blocks->begin[i];
        end[1 + i] = -blocks->end[i];
    }
    split[2 * n + 1] = merged[n + 1] = type.dim[n + 1];
    TRY(emit_reshape(&call->emit, "batch", x, split, 2 * n + 2, &x));
    TRY(emit_transpose(&call->emit, "joined", x, perms[n - 1], &x));
    TRY(emit_reshape(&call->emit, "blocks", x, merged, n + 2, &x));
    TRY(emit_pad(&call->emit, "cropped", x, begin, end, "constant", 0, &x));
    return tfl_call_give(call, 0, x);
}

Status tfl_convert_space_to_batch(Call *call) {
    Blocks pads, crops;
    ValueId x;
    int rank;
    const TfliteOperator *conv;
    TRY(tfl_call_rank(call, 0, &rank));
    TRY(tfl_call_value(call, 0, &x));
    TRY(read_blocks(call, &pads));
    TRY(check_rank(&pads, rank));
    if (match(call, &pads, &conv, &crops)) return give_spread(call, x, &pads, conv, &crops);
    return space_to_batch(call, x, &pads);
}

Status tfl_convert_batch_to_space(Call *call) {
    Blocks blocks;
    ValueId x;
    int rank;
    TRY(tfl_call_value(call, 0, &x));
    if (call->builder->joined[call->operator->inputs[0]]) return tfl_call_give(call, 0, x);
    TRY(tfl_call_rank(call, 0, &rank));
    TRY(read_blocks(call, &blocks));
    TRY(check_rank(&blocks, rank));
    return batch_to_space(call, x, &blocks);
}

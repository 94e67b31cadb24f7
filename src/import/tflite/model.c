// Field ids and enums: tensorflow/lite/schema/schema.fbs, version 3 with its additions 3a (operator codes above 127),
// 3b (signatures) and 3c (weights behind the FlatBuffer in files above 2 GB).
#include "import/tflite/model.h"
#include "import/limits.h"
#include <string.h>

enum { SCHEMA_VERSION = 3, LARGEST_SCALES = 1 << 24 };
static const int64_t LIMIT_ENDS = 4 * LIMIT_VALUES; // inputs and outputs of all operators together

typedef struct Reader {
    TfliteModel *model;
    Arena *arena;
    FbVector buffers, codes;
    int64_t n_ends;
} Reader;

static Status count_of(FbVector list, int64_t limit, const char *what, int *out) {
    TRY(list.buffer->status);
    FAIL_IF(list.count > limit, ST_BAD, "expected at most %lld %s, got %u", (long long)limit, what, list.count);
    *out = (int)list.count;
    return ST_OK;
}

static Status read_string(const Reader *reader, FbTable table, int field, const char **out) {
    *out = fb_string(table, field, reader->arena, LIMIT_NAME);
    return table.buffer->status;
}

static Status make_array(const Reader *reader, int count, size_t size, void *out) {
    void *made = arena_array(reader->arena, (size_t)MAX(count, 1), size);
    if (!made) return fail_memory((size_t)count * size);
    memcpy(out, &made, sizeof made);
    return ST_OK;
}

// ---- tensors

// The signature has -1 where the shape has the 1 that stands for any number.
static Status read_shape(FbTable table, TfliteTensor *out) {
    const FbVector shape = fb_vector(table, 0, 4), signature = fb_vector(table, 7, 4);
    const bool use = signature.count == shape.count;
    out->rank = shape.count;
    out->has_shape = shape.count > 0 || fb_uint8(table, 8, 0);
    for (uint32_t i = 0; i < shape.count && i < MAX_RANK; i++) {
        out->dim[i] = fb_int32_at(shape, i);
        if (use && fb_int32_at(signature, i) < 0) out->dim[i] = -1;
        FAIL_IF(out->dim[i] < -1, ST_BAD, "expected dims from 0, got %lld", (long long)out->dim[i]);
    }
    return table.buffer->status;
}

static Status read_quantisation(FbTable table, TfliteTensor *out) {
    const FbTable quantisation = fb_table(table, 4);
    out->scale = fb_vector(quantisation, 2, 4);
    out->zero_point = fb_vector(quantisation, 3, 8);
    out->other_quantisation = fb_uint8(quantisation, 4, 0) != 0;
    out->axis = fb_int32(quantisation, 6, 0);
    TRY(table.buffer->status);
    FAIL_IF(out->scale.count > LARGEST_SCALES, ST_BAD, "expected at most %d scales, got %u", LARGEST_SCALES,
            out->scale.count);
    const uint32_t zeros = out->zero_point.count;
    FAIL_IF(out->scale.count > 0 && zeros > 1 && zeros != out->scale.count, ST_BAD,
            "expected as many zero points as scales, got %u and %u", zeros, out->scale.count);
    return ST_OK;
}

// A file above 2 GB has the bytes behind the FlatBuffer, at an offset from the start of the file.
static Status read_buffer(const Reader *reader, uint32_t index, TfliteTensor *out) {
    const FbBuffer *file = &reader->model->file;
    if (index == 0) return ST_OK; // by convention the empty one
    FAIL_IF(index >= reader->buffers.count, ST_BAD, "expected a buffer below %u, got %u", reader->buffers.count, index);
    const FbTable buffer = fb_table_at(reader->buffers, index);
    const FbVector data = fb_vector(buffer, 0, 1);
    const uint64_t offset = fb_uint64(buffer, 1, 0), size = fb_uint64(buffer, 2, 0);
    TRY(file->status);
    if (offset <= 1) {
        out->data = data.count > 0 ? data.data : NULL;
        out->size = data.count;
        return ST_OK;
    }
    FAIL_IF(offset > file->size || size > file->size - offset, ST_BAD,
            "expected %llu bytes of weights at byte %llu, got the end of the file at %zu; it is cut short",
            (unsigned long long)size, (unsigned long long)offset, file->size);
    out->data = size > 0 ? file->bytes + offset : NULL;
    out->size = size;
    return ST_OK;
}

static Status read_tensor(const Reader *reader, FbTable table, TfliteTensor *out) {
    TRY(read_string(reader, table, 3, &out->name));
    out->type = fb_int8(table, 1, 0);
    out->is_variable = fb_uint8(table, 5, 0) != 0;
    out->is_sparse = fb_present(fb_table(table, 6));
    TRY(read_shape(table, out));
    TRY(read_quantisation(table, out));
    return read_buffer(reader, fb_uint32(table, 2, 0), out);
}

static Status read_tensors(const Reader *reader, FbTable subgraph) {
    TfliteModel *model = reader->model;
    const FbVector list = fb_vector(subgraph, 0, FB_OFFSET);
    TRY(count_of(list, LIMIT_VALUES, "tensors", &model->n_tensors));
    TRY(make_array(reader, model->n_tensors, sizeof *model->tensors, &model->tensors));
    for (int i = 0; i < model->n_tensors; i++) {
        model->tensors[i].name = "";
        const Status status = read_tensor(reader, fb_table_at(list, (uint32_t)i), &model->tensors[i]);
        if (status != ST_OK) return fail_context(status, "tensor %d", i);
    }
    return ST_OK;
}

// ---- operators

// A list of tensors. optional: -1 stands for an absent one.
static Status read_ends(const Reader *reader, FbVector list, bool optional, const char *what, int32_t **out,
                        int *count) {
    TRY(count_of(list, LIMIT_NODE_VALUES, what, count));
    TRY(make_array(reader, *count, sizeof **out, out));
    for (int i = 0; i < *count; i++) {
        const int32_t tensor = fb_int32_at(list, (uint32_t)i);
        FAIL_IF(tensor < (optional ? -1 : 0) || tensor >= reader->model->n_tensors, ST_BAD,
                "%s: expected a tensor from 0 to %d, got %d", what, reader->model->n_tensors - 1, tensor);
        (*out)[i] = tensor;
    }
    return ST_OK;
}

// Codes above 127 do not fit the old field, which has 127 then; older writers have the old field only.
static Status read_code(const Reader *reader, FbTable operator, TfliteOperator * out) {
    const uint32_t index = fb_uint32(operator, 0, 0);
    FAIL_IF(index >= reader->codes.count, ST_BAD, "expected an operator code below %u, got %u", reader->codes.count,
            index);
    const FbTable code = fb_table_at(reader->codes, index);
    const int old = fb_int8(code, 0, 0), extended = fb_int32(code, 3, 0);
    out->code = MAX(old, extended);
    return read_string(reader, code, 1, &out->custom);
}

static Status read_operator(Reader *reader, FbTable table, TfliteOperator *out) {
    TRY(table.buffer->status);
    TRY(read_code(reader, table, out));
    TRY(read_ends(reader, fb_vector(table, 1, 4), true, "inputs of an operator", &out->inputs, &out->n_inputs));
    TRY(read_ends(reader, fb_vector(table, 2, 4), false, "outputs of an operator", &out->outputs, &out->n_outputs));
    reader->n_ends += out->n_inputs + out->n_outputs;
    FAIL_IF(reader->n_ends > LIMIT_ENDS, ST_BAD, "expected at most %lld inputs and outputs in all, got more",
            (long long)LIMIT_ENDS);
    out->options_type = fb_uint8(table, 3, 0);
    out->options = fb_table(table, 4);
    out->custom_options = fb_vector(table, 5, 1);
    return table.buffer->status;
}

static Status read_operators(Reader *reader, FbTable subgraph) {
    TfliteModel *model = reader->model;
    const FbVector list = fb_vector(subgraph, 3, FB_OFFSET);
    TRY(count_of(list, LIMIT_NODES, "operators", &model->n_operators));
    TRY(make_array(reader, model->n_operators, sizeof *model->operators, &model->operators));
    for (int i = 0; i < model->n_operators; i++) {
        const Status status = read_operator(reader, fb_table_at(list, (uint32_t)i), &model->operators[i]);
        if (status != ST_OK) return fail_context(status, "operator %d", i);
    }
    return ST_OK;
}

// ---- signatures

static Status unknown_signature(const Reader *reader, FbVector signatures, const char *wanted) {
    Text keys = {0};
    for (uint32_t i = 0; i < signatures.count && i < LIMIT_FAULTS; i++) {
        const char *key;
        if (read_string(reader, fb_table_at(signatures, i), 2, &key) == ST_OK) {
            text_add(&keys, "%s'%s'", i ? ", " : "", key);
        }
    }
    const Status status = fail(ST_USAGE, "expected a signature of the model (%s), got '%s'",
                               signatures.count ? text_get(&keys) : "it has none", wanted);
    text_free(&keys);
    return status;
}

// wanted NULL: the first one of the first subgraph, which may be absent.
static Status find_signature(const Reader *reader, FbVector signatures, const char *wanted, FbTable *out) {
    *out = (FbTable){.buffer = &reader->model->file};
    for (uint32_t i = 0; i < signatures.count && i < LIMIT_LIST; i++) {
        const FbTable signature = fb_table_at(signatures, i);
        const char *key;
        if (wanted) TRY(read_string(reader, signature, 2, &key));
        if (wanted ? strcmp(key, wanted) != 0 : fb_uint32(signature, 4, 0) != 0) continue;
        *out = signature;
        return ST_OK;
    }
    TRY(signatures.buffer->status);
    return wanted ? unknown_signature(reader, signatures, wanted) : ST_OK;
}

// Names are told by tensor, in any order.
static Status read_aliases(const Reader *reader, FbVector list, const int32_t *tensors, int count, const char **names) {
    int n_aliases;
    TRY(count_of(list, LIMIT_NODE_VALUES, "names in a signature", &n_aliases));
    for (int i = 0; i < n_aliases; i++) {
        const FbTable alias = fb_table_at(list, (uint32_t)i);
        const uint32_t tensor = fb_uint32(alias, 1, 0);
        for (int k = 0; k < count; k++) {
            if ((uint32_t)tensors[k] != tensor || names[k]) continue;
            TRY(read_string(reader, alias, 0, &names[k]));
            break;
        }
    }
    return list.buffer->status;
}

static Status read_names(const Reader *reader, FbTable signature) {
    TfliteModel *model = reader->model;
    TRY(make_array(reader, model->n_inputs, sizeof *model->input_names, &model->input_names));
    TRY(make_array(reader, model->n_outputs, sizeof *model->output_names, &model->output_names));
    TRY(read_aliases(reader, fb_vector(signature, 0, FB_OFFSET), model->inputs, model->n_inputs, model->input_names));
    return read_aliases(reader, fb_vector(signature, 1, FB_OFFSET), model->outputs, model->n_outputs,
                        model->output_names);
}

// ---- the model

static Status read_subgraph(Reader *reader, FbTable subgraph) {
    TfliteModel *model = reader->model;
    TRY(read_string(reader, subgraph, 4, &model->name));
    TRY(read_tensors(reader, subgraph));
    TRY(read_ends(reader, fb_vector(subgraph, 1, 4), false, "inputs", &model->inputs, &model->n_inputs));
    TRY(read_ends(reader, fb_vector(subgraph, 2, 4), false, "outputs", &model->outputs, &model->n_outputs));
    FAIL_IF(model->n_outputs == 0, ST_BAD, "expected outputs of the model, got none; the file is damaged");
    return read_operators(reader, subgraph);
}

Status tflite_read_model(const void *bytes, size_t size, const char *signature, Arena *arena, TfliteModel *out) {
    *out = (TfliteModel){.file = fb_buffer(bytes, size)};
    const FbTable root = fb_root(&out->file);
    const uint32_t version = fb_uint32(root, 0, 0);
    TRY(out->file.status);
    FAIL_IF(version != SCHEMA_VERSION, ST_UNSUPPORTED,
            "expected version %d of TensorFlow Lite's schema, got %u; convert the model again", SCHEMA_VERSION,
            version);
    Reader reader = {
        .model = out, .arena = arena, .buffers = fb_vector(root, 4, FB_OFFSET), .codes = fb_vector(root, 1, FB_OFFSET)};
    const FbVector subgraphs = fb_vector(root, 2, FB_OFFSET), signatures = fb_vector(root, 7, FB_OFFSET);
    FbTable chosen;
    TRY(find_signature(&reader, signatures, signature, &chosen));
    const uint32_t index = fb_uint32(chosen, 4, 0);
    TRY(out->file.status);
    FAIL_IF(index >= subgraphs.count, ST_BAD, "expected subgraph %u, got %u subgraphs", index, subgraphs.count);
    TRY(read_subgraph(&reader, fb_table_at(subgraphs, index)));
    return read_names(&reader, chosen);
}

// Datasets: where their numbers lie (layout message, IV.A.2.i), and what those are that were never written (IV.A.2.f).
//
//     compact: in the message | contiguous: a run of bytes | chunked: an index of boxes (hdf5_chunk.c)
#include "wire/hdf5_parts.h"
#include <string.h>

typedef enum LayoutKind { LAYOUT_COMPACT, LAYOUT_CONTIGUOUS, LAYOUT_CHUNKED, LAYOUT_VIRTUAL } LayoutKind;

typedef struct Dataset {
    const H5File *file;
    H5Type type;
    H5Space space;
    H5Cursor fill; // nothing left: zeros
    H5Message layout;
    H5Chunks chunks;
} Dataset;

// ---- values that were never written

static void read_fill(H5Cursor *cursor, H5Cursor *out) {
    enum { HAS_VALUE = 32 };
    const unsigned version = h5_version(cursor, 1, 3, "a fill value");
    bool has_value = true;
    if (version == 3) {
        has_value = h5_uint(cursor, 1) & HAS_VALUE;
    } else {
        h5_skip(cursor, 2);                             // when space is taken, when the value is written
        has_value = h5_uint(cursor, 1) || version == 1; // version 1 has its size in any case
    }
    const uint64_t size = has_value ? h5_uint(cursor, 4) : 0;
    *out = h5_part(cursor, size <= INT32_MAX ? size : 0);
}

// Puts the fill value everywhere, in the file's byte order.
static Status fill_tensor(const Dataset *dataset, Tensor *tensor) {
    const size_t size = dataset->type.size, bytes = tensor_bytes(tensor);
    H5Cursor fill = dataset->fill;
    if (fill.at == fill.end) return ST_OK;
    if (fill.end - fill.at != size)
        h5_fail(&fill, ST_BAD, "expected a fill value of %zu bytes, got %llu; the file is damaged", size,
                (unsigned long long)(fill.end - fill.at));
    const uint8_t *value = h5_take(&fill, size);
    uint8_t *to = tensor->data;
    TRY(fill.status);
    memcpy(to, value, size);
    for (size_t done = size; done < bytes; done += MIN(done, bytes - done))
        memcpy(to + done, to, MIN(done, bytes - done));
    return ST_OK;
}

static Status make_filled(const Dataset *dataset, Tensor *out) {
    TRY(h5_make_tensor(dataset->file, &dataset->type, &dataset->space, out));
    return fill_tensor(dataset, out);
}

// ---- layouts

static Status read_contiguous(const Dataset *dataset, H5Cursor *cursor, Tensor *out) {
    const uint64_t address = h5_address(cursor), size = h5_length(cursor);
    TRY(cursor->status);
    if (address == H5_NOWHERE) {
        TRY(make_filled(dataset, out));
        h5_native(&dataset->type, out);
        return ST_OK;
    }
    H5Cursor data = h5_cursor(dataset->file, address, size, "a dataset");
    return h5_numbers(&data, &dataset->type, &dataset->space, out);
}

static Status read_compact(const Dataset *dataset, H5Cursor *cursor, Tensor *out) {
    H5Cursor data = h5_part(cursor, h5_uint(cursor, 2));
    return h5_numbers(&data, &dataset->type, &dataset->space, out);
}

// The dims of a chunk; one more, the size of an element, stands behind them.
static void read_chunk_dims(H5Cursor *cursor, const Dataset *dataset, unsigned rank, unsigned bytes, H5Chunks *chunks) {
    const Shape *shape = &dataset->space.shape;
    size_t total = dataset->type.size;
    if (cursor->status == ST_OK && (rank != (unsigned)shape->rank + 1 || rank < 2))
        h5_fail(cursor, ST_BAD, "expected chunks of %d dimensions, got %u; the file is damaged", shape->rank,
                rank ? rank - 1 : 0);
    chunks->left = 1;
    for (int i = 0; i < shape->rank && cursor->status == ST_OK; i++) {
        const uint64_t dim = h5_uint(cursor, bytes);
        chunks->dims[i] = dim;
        if (dim == 0 || !mul_size(total, (size_t)dim, &total) || total > UINT32_MAX) {
            h5_fail(cursor, ST_BAD, "expected chunks of at most 4 GB, got other ones; the file is damaged");
            return;
        }
        chunks->counts[i] = (uint64_t)div_up(shape->dim[i], (int64_t)dim);
        chunks->left *= chunks->counts[i]; // at most the number of elements
    }
    chunks->bytes = total;
}

static void check_element_size(H5Cursor *cursor, const Dataset *dataset, uint64_t size) {
    if (cursor->status == ST_OK && size != dataset->type.size)
        h5_fail(cursor, ST_BAD, "expected chunks of elements of %zu bytes, got %llu; the file is damaged",
                dataset->type.size, (unsigned long long)size);
}

static void read_chunks_3(H5Cursor *cursor, const Dataset *dataset, H5Chunks *chunks) {
    const unsigned rank = (unsigned)h5_uint(cursor, 1);
    chunks->index = INDEX_TREE;
    chunks->address = h5_address(cursor);
    read_chunk_dims(cursor, dataset, rank, 4, chunks);
    check_element_size(cursor, dataset, h5_uint(cursor, 4));
}

// Version 5 (HDF5 2.0) differs in how many bytes an index has for the size of a packed chunk.
static void read_chunks_4(H5Cursor *cursor, const Dataset *dataset, unsigned version, H5Chunks *chunks) {
    enum { WHOLE_EDGES = 1, FILTERED_SINGLE = 2, MOST_INDEX = 5 };
    static const unsigned parameters[MOST_INDEX + 1] = {
        [INDEX_FIXED_ARRAY] = 1, [INDEX_EXTENSIBLE_ARRAY] = 5, [INDEX_TREE2] = 6};
    const unsigned flags = (unsigned)h5_uint(cursor, 1), rank = (unsigned)h5_uint(cursor, 1);
    const unsigned bytes = (unsigned)h5_uint(cursor, 1);
    if (cursor->status == ST_OK && (bytes == 0 || bytes > 8))
        h5_fail(cursor, ST_BAD, "expected dimensions of 1 to 8 bytes, got %u; the file is damaged", bytes);
    read_chunk_dims(cursor, dataset, rank, bytes, chunks);
    check_element_size(cursor, dataset, cursor->status == ST_OK ? h5_uint(cursor, bytes) : 0);
    const unsigned index = (unsigned)h5_uint(cursor, 1);
    if (cursor->status == ST_OK && (index < INDEX_SINGLE || index > MOST_INDEX))
        h5_fail(cursor, ST_BAD, "expected an index of chunks of kind 1 to %d, got %u", MOST_INDEX, index);
    if (cursor->status != ST_OK) return;
    chunks->index = (H5Index)index;
    chunks->whole_edges = flags & WHOLE_EDGES;
    chunks->is_filtered_single = index == INDEX_SINGLE && flags & FILTERED_SINGLE;
    if (chunks->is_filtered_single) {
        chunks->single_size = h5_length(cursor);
        chunks->single_mask = h5_uint(cursor, 4);
    }
    h5_skip(cursor, parameters[index]); // the index has them, too
    chunks->address = h5_address(cursor);
    const unsigned size_bytes = 1 + (h5_log2(chunks->bytes) + 8) / 8;
    chunks->size_bytes = version > 4 ? cursor->file->length_size : MIN(size_bytes, 8u);
}

static Status read_filters(const Dataset *dataset, uint64_t object, H5Filters *out) {
    H5Message message;
    bool found;
    *out = (H5Filters){.count = 0};
    TRY(h5_find_message(dataset->file, object, MSG_FILTERS, &message, &found));
    if (found) h5_filters(&message.body, out);
    return found ? message.body.status : ST_OK;
}

static Status read_chunked(Dataset *dataset, uint64_t object, H5Cursor *cursor, unsigned version, Tensor *out) {
    H5Chunks *chunks = &dataset->chunks;
    *chunks = (H5Chunks){.file = dataset->file, .type = &dataset->type, .space = &dataset->space, .tensor = out};
    if (version == 3) read_chunks_3(cursor, dataset, chunks);
    else read_chunks_4(cursor, dataset, version, chunks);
    TRY(cursor->status);
    TRY(read_filters(dataset, object, &chunks->filters));
    TRY(make_filled(dataset, out));
    Status status = chunks->address == H5_NOWHERE ? ST_OK : h5_read_chunks(chunks);
    h5_unpacker_free(&chunks->unpacker);
    if (status == ST_OK) h5_native(&dataset->type, out);
    return status;
}

static Status read_layout(Dataset *dataset, uint64_t object, H5Cursor *cursor, Tensor *out) {
    const unsigned version = h5_version(cursor, 1, 5, "a data layout");
    if (version < 3)
        h5_fail(cursor, ST_UNSUPPORTED, "data layouts of version %u (HDF5 before 1.6.3) are not supported", version);
    const unsigned kind = (unsigned)h5_uint(cursor, 1);
    TRY(cursor->status);
    switch (kind) {
    case LAYOUT_COMPACT: return read_compact(dataset, cursor, out);
    case LAYOUT_CONTIGUOUS: return read_contiguous(dataset, cursor, out);
    case LAYOUT_CHUNKED: return read_chunked(dataset, object, cursor, version, out);
    case LAYOUT_VIRTUAL: h5_fail(cursor, ST_UNSUPPORTED, "virtual datasets are not supported"); break;
    default: h5_fail(cursor, ST_BAD, "expected a data layout of kind 0 to 3, got %u; the file is damaged", kind);
    }
    return cursor->status;
}

// ---- the interface

static Status need_message(const H5Object *object, unsigned type, const char *what, H5Message *out) {
    bool found;
    TRY(h5_find_message(object->file, object->address, type, out, &found));
    FAIL_IF(!found, ST_BAD, "byte %llu: expected a dataset, got an object without %s",
            (unsigned long long)(object->file->base + object->address), what);
    return ST_OK;
}

static Status describe(const H5Object *object, Dataset *dataset) {
    H5Message message;
    bool found;
    *dataset = (Dataset){.file = object->file};
    TRY(need_message(object, MSG_LAYOUT, "a layout", &dataset->layout));
    TRY(need_message(object, MSG_DATATYPE, "a datatype", &message));
    h5_type(&message.body, &dataset->type);
    TRY(message.body.status);
    FAIL_IF(dataset->type.kind != H5_NUMBER, ST_UNSUPPORTED, "byte %llu: datasets of texts are not supported",
            (unsigned long long)message.body.at);
    TRY(need_message(object, MSG_DATASPACE, "a dataspace", &message));
    h5_space(&message.body, &dataset->space);
    TRY(message.body.status);
    TRY(h5_find_message(object->file, object->address, MSG_EXTERNAL_FILES, &message, &found));
    FAIL_IF(found, ST_UNSUPPORTED, "datasets in other files are not supported");
    TRY(h5_find_message(object->file, object->address, MSG_FILL_VALUE, &message, &found));
    if (found) read_fill(&message.body, &dataset->fill);
    return found ? message.body.status : ST_OK;
}

Status h5_tensor(const H5Object *object, Tensor *out) {
    Dataset dataset;
    h5_begin(object->file);
    TRY(describe(object, &dataset));
    if (shape_count(&dataset.space.shape) == 0)
        return tensor_make(object->file->state->arena, dataset.type.dtype, dataset.space.shape, out);
    return read_layout(&dataset, object->address, &dataset.layout.body, out);
}

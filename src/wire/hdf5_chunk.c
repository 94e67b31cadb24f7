// Chunked datasets: a grid of boxes of one size, each packed on its own; an index tells where they lie. Boxes at the
// end of a dimension may reach beyond the dataset. Boxes that the index does not know keep the fill value.
//
//     version 1 B-tree (III.A.1)                   layout version 3: all that HDF5 wrote before "latest"
//     single, implicit, version 2 B-tree (III.A.2) layout version 4
//     fixed array, extensible array                the same: hdf5_array.c
#include "wire/hdf5_parts.h"
#include <string.h>

// ---- one chunk

static uint64_t first_of(const H5Chunks *chunks, const uint64_t *place, int i) { return place[i] * chunks->dims[i]; }

// Elements of the chunk that are in the dataset, along a dimension.
static uint64_t extent_of(const H5Chunks *chunks, const uint64_t *place, int i) {
    return MIN(chunks->dims[i], (uint64_t)chunks->space->shape.dim[i] - first_of(chunks, place, i));
}

// Row by row (the last dimension) into the tensor.
static void put_chunk(const H5Chunks *chunks, const uint64_t *place, const uint8_t *from) {
    const Shape *shape = &chunks->space->shape;
    const size_t size = chunks->type->size, row = size * extent_of(chunks, place, shape->rank - 1);
    uint64_t index[MAX_RANK] = {0};
    for (int i = 0; i >= 0;) {
        uint64_t to = 0, at = 0;
        for (i = 0; i < shape->rank; i++) {
            to = to * (uint64_t)shape->dim[i] + first_of(chunks, place, i) + index[i];
            at = at * chunks->dims[i] + index[i];
        }
        memcpy((uint8_t *)chunks->tensor->data + to * size, from + at * size, row);
        for (i = shape->rank - 2; i >= 0 && ++index[i] == extent_of(chunks, place, i); i--) index[i] = 0;
    }
}

static bool is_packed(const H5Chunks *chunks, const uint64_t *place) {
    bool is_edge = false;
    for (int i = 0; i < chunks->space->shape.rank; i++) is_edge |= extent_of(chunks, place, i) < chunks->dims[i];
    return chunks->filters.count > 0 && !(chunks->whole_edges && is_edge);
}

Status h5_read_chunk(H5Chunks *chunks, const uint64_t *place, uint64_t address, uint64_t size, uint64_t mask) {
    for (int i = 0; i < chunks->space->shape.rank; i++)
        if (place[i] >= chunks->counts[i]) return ST_OK; // the dataset was larger once
    if (address == H5_NOWHERE) return ST_OK;
    H5Cursor data = h5_cursor(chunks->file, address, size, "a chunk");
    if (data.status == ST_OK && chunks->left-- == 0)
        h5_fail(&data, ST_BAD, "expected each chunk once, got more chunks than there can be; the file is damaged");
    TRY(data.status);
    const uint8_t *bytes = chunks->file->bytes + data.at;
    if (is_packed(chunks, place)) {
        TRY(h5_spend_data(chunks->file, chunks->bytes));
        TRY(h5_unpack(&chunks->unpacker, &chunks->filters, mask, &data, chunks->bytes, &bytes));
    } else if (size < chunks->bytes) {
        h5_fail(&data, ST_BAD, "expected a chunk of %zu bytes, got %llu; the file is damaged", chunks->bytes,
                (unsigned long long)size);
        return data.status;
    }
    put_chunk(chunks, place, bytes);
    return ST_OK;
}

// ---- version 1 B-tree: "TREE" | key | child | key | child | ... | key; a key is size, mask and first element of the
// chunk that the child is or begins with

static Status visit_chunk(H5Chunks *chunks, H5Cursor *key, uint64_t address) {
    uint64_t place[MAX_RANK] = {0};
    const uint64_t size = h5_uint(key, 4), mask = h5_uint(key, 4);
    for (int i = 0; i < chunks->space->shape.rank; i++) {
        const uint64_t first = h5_uint(key, 8);
        place[i] = first / chunks->dims[i];
        if (key->status == ST_OK && first % chunks->dims[i] != 0)
            h5_fail(key, ST_BAD, "expected a chunk at a multiple of %llu, got %llu; the file is damaged",
                    (unsigned long long)chunks->dims[i], (unsigned long long)first);
    }
    TRY(key->status);
    return h5_read_chunk(chunks, place, address, size, mask);
}

// `above`: the level of the node that leads here, plus one at the root.
static Status visit_tree(H5Chunks *chunks, uint64_t address, unsigned above) {
    enum { CHUNK_NODE = 1 };
    const H5File *file = chunks->file;
    const uint64_t key_size = 4 + 4 + 8 * ((uint64_t)chunks->space->shape.rank + 1);
    H5Cursor cursor = h5_cursor_open(file, address, "a B-tree of chunks");
    h5_expect(&cursor, "TREE", "a B-tree of chunks");
    const unsigned type = (unsigned)h5_uint(&cursor, 1), level = (unsigned)h5_uint(&cursor, 1);
    uint64_t n = h5_uint(&cursor, 2);
    h5_skip(&cursor, 2 * file->offset_size); // the neighbours
    if (cursor.status == ST_OK && (type != CHUNK_NODE || level >= above))
        h5_fail(&cursor, ST_BAD,
                "expected a B-tree of chunks of less than %u levels, got type %u, level %u; the file is "
                "damaged",
                above, type, level);
    for (; n > 0 && cursor.status == ST_OK; n--) {
        H5Cursor key = h5_part(&cursor, key_size);
        const uint64_t child = h5_address(&cursor);
        TRY(cursor.status);
        if (level > 0) TRY(visit_tree(chunks, child, level));
        else TRY(visit_chunk(chunks, &key, child));
    }
    return cursor.status;
}

// ---- version 2 B-tree

static Status visit_record(void *context, H5Cursor *record) {
    H5Chunks *chunks = context;
    uint64_t place[MAX_RANK] = {0};
    const bool has_size = chunks->filters.count > 0;
    const uint64_t address = h5_address(record);
    const uint64_t size = has_size ? h5_uint(record, chunks->size_bytes) : chunks->bytes;
    const uint64_t mask = has_size ? h5_uint(record, 4) : 0;
    for (int i = 0; i < chunks->space->shape.rank; i++) place[i] = h5_uint(record, 8);
    TRY(record->status);
    return h5_read_chunk(chunks, place, address, size, mask);
}

// ---- without an index

static Status read_single(H5Chunks *chunks) {
    static const uint64_t place[MAX_RANK] = {0};
    const bool is_told = chunks->is_filtered_single;
    return h5_read_chunk(chunks, place, chunks->address, is_told ? chunks->single_size : chunks->bytes,
                         is_told ? chunks->single_mask : 0);
}

Status h5_read_chunks(H5Chunks *chunks) {
    enum { CHUNKS = 10, FILTERED_CHUNKS = 11 };
    switch (chunks->index) {
    case INDEX_TREE: return visit_tree(chunks, chunks->address, H5_MAX_DEPTH);
    case INDEX_SINGLE: return read_single(chunks);
    case INDEX_TREE2:
        return h5_visit_records(chunks->file, chunks->address, chunks->filters.count ? FILTERED_CHUNKS : CHUNKS, NULL,
                                visit_record, chunks);
    default: return h5_read_chunk_array(chunks);
    }
}

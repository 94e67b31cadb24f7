// Chunks by number (VII.C, VII.D of the specification): the chunks of the largest grid that a dataset may grow to,
// counted row by row, or, where one dimension has no limit, with that one first.
//
//     implicit:         chunk | chunk | chunk ...
//     fixed array:      "FAHD" -> "FADB" | element | element ...        or pages of elements
//     extensible array: "EAHD" -> "EAIB" | elements | data blocks | super blocks -> "EADB" | elements
//
// An element is a chunk's address, with its size and the filters that were left out where there are filters.
#include "wire/hdf5_parts.h"
#include <string.h>

enum { MAX_BITS = 32 }; // of the number of an extensible array's elements, as the library writes it

typedef struct Array {
    H5Chunks *chunks;
    const H5File *file;
    unsigned element_size;
    uint64_t count; // elements; of an extensible array: 2^bits
    // fixed array
    uint64_t elements;  // offset in the file
    uint64_t page_size; // elements of a page; 0: no pages
    uint64_t bitmap;    // offset of the bits that tell which pages were written
    uint64_t page;      // that was checked last; H5_NOWHERE: none
    // extensible array
    uint64_t first_elements, block_elements; // in the index block; in its smallest data block
    uint64_t block_pointers, super_pointers; // in the index block
    unsigned super_blocks;                   // whose data blocks the index block knows itself
    unsigned number_bytes;                   // of an element's number
    uint64_t checked;                        // the block that was checked last
} Array;

static H5Cursor cursor_at(const Array *array, uint64_t at) {
    H5Cursor cursor = {.file = array->file, .at = at, .end = array->file->size};
    if (at > cursor.end) cursor.at = cursor.end; // where nothing can be read
    return cursor;
}

// The head that all of them begin with; gives the size of an element.
static unsigned read_head(H5Cursor *cursor, const H5Chunks *chunks, const char *signature, const char *what) {
    const bool has_filters = chunks->filters.count > 0;
    const unsigned expected = chunks->file->offset_size + (has_filters ? chunks->size_bytes + 4 : 0);
    h5_expect(cursor, signature, what);
    h5_version(cursor, 0, 0, what);
    const uint64_t client = h5_uint(cursor, 1);
    if (cursor->status == ST_OK && client != has_filters)
        h5_fail(cursor, ST_BAD, "expected %s of kind %d, got %llu; the file is damaged", what, has_filters,
                (unsigned long long)client);
    return expected;
}

static void check_element_size(H5Cursor *cursor, unsigned expected) {
    const unsigned size = (unsigned)h5_uint(cursor, 1);
    if (cursor->status == ST_OK && size != expected)
        h5_fail(cursor, ST_BAD, "expected elements of %u bytes, got %u; the file is damaged", expected, size);
}

// A block that belongs to the array: its head, with the array's address in it.
static H5Cursor open_block(const Array *array, uint64_t address, const char *signature, const char *what) {
    H5Cursor cursor = h5_cursor_open(array->file, address, what);
    read_head(&cursor, array->chunks, signature, what);
    const uint64_t owner = h5_address(&cursor);
    if (cursor.status == ST_OK && owner != array->chunks->address)
        h5_fail(&cursor, ST_BAD, "expected %s of the array at address %llu, got one of %llu; the file is damaged", what,
                (unsigned long long)array->chunks->address, (unsigned long long)owner);
    return cursor;
}

// ---- fixed array

static Status open_fixed(Array *array) {
    static const char what[] = "an array of chunks";
    H5Cursor cursor = h5_cursor_open(array->file, array->chunks->address, what);
    const uint64_t start = cursor.at;
    array->element_size = read_head(&cursor, array->chunks, "FAHD", what);
    check_element_size(&cursor, array->element_size);
    const unsigned page_bits = (unsigned)h5_uint(&cursor, 1);
    array->count = h5_length(&cursor);
    const uint64_t address = h5_address(&cursor);
    h5_checksum(&cursor, start, what);
    if (cursor.status == ST_OK && page_bits >= 32)
        h5_fail(&cursor, ST_BAD, "expected pages of less than 2^32 chunks, got 2^%u; the file is damaged", page_bits);
    TRY(cursor.status);
    if (address == H5_NOWHERE) { // nothing was ever written
        array->count = 0;
        return ST_OK;
    }
    H5Cursor block = open_block(array, address, "FADB", what);
    const uint64_t block_start = array->file->base + address;
    array->page = H5_NOWHERE;
    if (block.status == ST_OK && array->count > (block.end - block.at) / array->element_size)
        h5_fail(&block, ST_BAD, "expected %llu chunks in an array, got the end of the file; it is cut short or damaged",
                (unsigned long long)array->count);
    if (array->count > UINT64_C(1) << page_bits) {
        array->page_size = UINT64_C(1) << page_bits;
        array->bitmap = block.at;
        h5_skip(&block, ((array->count - 1) / array->page_size + 8) / 8);
        h5_checksum(&block, block_start, what);
        array->elements = block.at;
    } else {
        array->elements = block.at;
        h5_skip(&block, array->count * array->element_size);
        h5_checksum(&block, block_start, what);
    }
    return block.status;
}

// *element stands at the end of the file where the chunk's page was never written.
static Status find_fixed(Array *array, uint64_t number, H5Cursor *element, bool *is_there) {
    *is_there = array->count > 0;
    if (!*is_there) return ST_OK;
    FAIL_IF(number >= array->count, ST_BAD, "expected an array of more than %llu chunks, got %llu; the file is damaged",
            (unsigned long long)number, (unsigned long long)array->count);
    if (array->page_size == 0) {
        *element = cursor_at(array, array->elements + number * array->element_size);
        return ST_OK;
    }
    const uint64_t page = number / array->page_size, first = page * array->page_size;
    const uint64_t bytes = array->page_size * array->element_size + 4; // with a checksum
    H5Cursor bits = cursor_at(array, array->bitmap + page / 8),
             whole = cursor_at(array, array->elements + page * bytes);
    *is_there = h5_uint(&bits, 1) & 0x80 >> page % 8;
    TRY(bits.status);
    *element = cursor_at(array, whole.at + (number - first) * array->element_size);
    if (!*is_there || array->page == page) return ST_OK;
    array->page = page;
    const uint64_t start = whole.at;
    h5_skip(&whole, MIN(array->page_size, array->count - first) * array->element_size);
    h5_checksum(&whole, start, "a page of an array of chunks");
    return whole.status;
}

// ---- extensible array: super block u has 2^(u/2) data blocks of 2^((u+1)/2) times the smallest size

static Status open_extensible(Array *array) {
    static const char what[] = "a growing array of chunks";
    const H5File *file = array->file;
    H5Cursor cursor = h5_cursor_open(file, array->chunks->address, what);
    const uint64_t start = cursor.at;
    array->element_size = read_head(&cursor, array->chunks, "EAHD", what);
    check_element_size(&cursor, array->element_size);
    const unsigned bits = (unsigned)h5_uint(&cursor, 1);
    array->first_elements = h5_uint(&cursor, 1);
    array->block_elements = h5_uint(&cursor, 1);
    const uint64_t least_pointers = h5_uint(&cursor, 1);
    const unsigned page_bits = (unsigned)h5_uint(&cursor, 1);
    h5_skip(&cursor, 6 * (uint64_t)file->length_size); // how many blocks and elements there are
    const uint64_t index = h5_address(&cursor);
    h5_checksum(&cursor, start, what);
    const bool is_right = bits > 0 && bits <= MAX_BITS && page_bits < 32 && array->block_elements > 0 &&
                          (array->block_elements & (array->block_elements - 1)) == 0 && least_pointers > 0 &&
                          (least_pointers & (least_pointers - 1)) == 0 && array->block_elements <= UINT64_C(1) << bits;
    if (cursor.status == ST_OK && !is_right)
        h5_fail(&cursor, ST_BAD, "expected %s of at most 2^%d, got 2^%u; the file is damaged", what, MAX_BITS, bits);
    TRY(cursor.status);
    array->count = index == H5_NOWHERE ? 0 : UINT64_C(1) << bits;
    array->page_size = UINT64_C(1) << page_bits;
    array->super_blocks = 2 * h5_log2(least_pointers);
    array->number_bytes = (bits + 7) / 8;
    array->checked = H5_NOWHERE;
    if (index == H5_NOWHERE) return ST_OK;
    H5Cursor block = open_block(array, index, "EAIB", what);
    const unsigned all = 1 + bits - h5_log2(array->block_elements); // super blocks
    array->elements = block.at;
    h5_skip(&block, array->first_elements * array->element_size);
    array->block_pointers = block.at;
    h5_skip(&block, 2 * (least_pointers - 1) * file->offset_size);
    array->super_pointers = block.at;
    h5_skip(&block, (uint64_t)(all - MIN(all, array->super_blocks)) * file->offset_size);
    h5_checksum(&block, file->base + index, what);
    return block.status;
}

static Status read_pointer(const Array *array, uint64_t pointers, uint64_t i, uint64_t *out) {
    H5Cursor cursor = cursor_at(array, pointers);
    h5_skip(&cursor, i * array->file->offset_size);
    *out = h5_address(&cursor);
    return cursor.status;
}

static Status find_in_block(Array *array, uint64_t address, uint64_t number, uint64_t elements, H5Cursor *element) {
    static const char what[] = "a block of a growing array of chunks";
    H5Cursor block = open_block(array, address, "EADB", what);
    h5_skip(&block, array->number_bytes);
    TRY(block.status);
    *element = cursor_at(array, block.at + number * array->element_size);
    if (array->checked == address) return ST_OK;
    array->checked = address;
    h5_skip(&block, elements * array->element_size);
    h5_checksum(&block, array->file->base + address, what);
    return block.status;
}

static Status find_extensible(Array *array, uint64_t number, H5Cursor *element, bool *is_there) {
    *is_there = array->count > 0;
    if (!*is_there) return ST_OK;
    FAIL_IF(number >= array->count, ST_BAD, "expected an array of more than %llu chunks, got %llu; the file is damaged",
            (unsigned long long)number, (unsigned long long)array->count);
    *element = cursor_at(array, array->elements + number * array->element_size);
    if (number < array->first_elements) return ST_OK;
    number -= array->first_elements;
    const unsigned super = h5_log2(number / array->block_elements + 1);
    const uint64_t elements = array->block_elements << (super + 1) / 2; // of its data blocks
    const uint64_t within = number - array->block_elements * ((UINT64_C(1) << super) - 1);
    uint64_t address, block = within / elements;
    if (super < array->super_blocks) {
        for (unsigned i = 0; i < super; i++) block += UINT64_C(1) << i / 2;
        TRY(read_pointer(array, array->block_pointers, block, &address));
    } else {
        TRY(read_pointer(array, array->super_pointers, super - array->super_blocks, &address));
        if (address != H5_NOWHERE) {
            H5Cursor blocks = open_block(array, address, "EASB", "a growing array of chunks");
            FAIL_IF(elements > array->page_size, ST_UNSUPPORTED,
                    "byte %llu: growing datasets of so many chunks are not supported; write it without chunks",
                    (unsigned long long)blocks.at);
            h5_skip(&blocks, array->number_bytes);
            TRY(blocks.status);
            TRY(read_pointer(array, blocks.at, block, &address));
        }
    }
    *is_there = address != H5_NOWHERE;
    return *is_there ? find_in_block(array, address, within % elements, elements, element) : ST_OK;
}

// ---- the chunks of the dataset, by their numbers

// Chunks along each dimension, as far as the dataset may grow; *growing: the dimension without a limit, or -1.
static Status largest_grid(const H5Chunks *chunks, uint64_t *counts, int *growing) {
    uint64_t all = 1;
    *growing = -1;
    for (int i = 0; i < chunks->space->shape.rank; i++) {
        const uint64_t most = MAX(chunks->space->most[i], (uint64_t)chunks->space->shape.dim[i]);
        counts[i] = most / chunks->dims[i] + (most % chunks->dims[i] != 0);
        if (chunks->space->most[i] == H5_NOWHERE && *growing < 0) *growing = i;
        else
            FAIL_IF(__builtin_mul_overflow(all, counts[i], &all), ST_BAD,
                    "expected a dataset that may grow to a possible size, got a larger one; the file is damaged");
    }
    FAIL_IF((*growing >= 0) != (chunks->index == INDEX_EXTENSIBLE_ARRAY), ST_BAD,
            "expected an index of chunks that fits the dimensions, got another; the file is damaged");
    return ST_OK;
}

static bool number_of(const H5Chunks *chunks, const uint64_t *place, const uint64_t *counts, int growing,
                      uint64_t *number) {
    *number = growing < 0 ? 0 : place[growing];
    for (int i = 0; i < chunks->space->shape.rank; i++) {
        if (i == growing) continue;
        if (__builtin_mul_overflow(*number, counts[i], number) || __builtin_add_overflow(*number, place[i], number))
            return false;
    }
    return true;
}

static Status read_element(Array *array, const uint64_t *place, uint64_t number) {
    H5Chunks *chunks = array->chunks;
    H5Cursor element = {.file = array->file};
    bool is_there = false;
    if (chunks->index == INDEX_IMPLICIT) {
        uint64_t at;
        FAIL_IF(__builtin_mul_overflow(number, chunks->bytes, &at) || __builtin_add_overflow(at, chunks->address, &at),
                ST_BAD, "expected chunk %llu in the file, got one beyond its end", (unsigned long long)number);
        return h5_read_chunk(chunks, place, at, chunks->bytes, 0);
    }
    if (chunks->index == INDEX_FIXED_ARRAY) TRY(find_fixed(array, number, &element, &is_there));
    else TRY(find_extensible(array, number, &element, &is_there));
    if (!is_there) return ST_OK;
    const bool has_size = chunks->filters.count > 0;
    const uint64_t address = h5_address(&element);
    const uint64_t size = has_size ? h5_uint(&element, chunks->size_bytes) : chunks->bytes;
    const uint64_t mask = has_size ? h5_uint(&element, 4) : 0;
    TRY(element.status);
    return h5_read_chunk(chunks, place, address, size, mask);
}

Status h5_read_chunk_array(H5Chunks *chunks) {
    Array array = {.chunks = chunks, .file = chunks->file};
    uint64_t place[MAX_RANK] = {0}, counts[MAX_RANK], number;
    int growing, i = 0;
    TRY(largest_grid(chunks, counts, &growing));
    if (chunks->index == INDEX_FIXED_ARRAY) TRY(open_fixed(&array));
    if (chunks->index == INDEX_EXTENSIBLE_ARRAY) TRY(open_extensible(&array));
    while (i >= 0) {
        FAIL_IF(!number_of(chunks, place, counts, growing, &number), ST_BAD,
                "expected chunks of possible numbers, got larger ones; the file is damaged");
        TRY(read_element(&array, place, number));
        for (i = chunks->space->shape.rank - 1; i >= 0 && ++place[i] == chunks->counts[i]; i--) place[i] = 0;
    }
    return ST_OK;
}
